//! What a line lets in at all, before any question is asked: `no exec`, `transport input`, `access-class ... in`.
//!
//! An address stands for SSH from there; a caller without one sits at the machine, where neither protocol nor
//! address is asked for. Root is not locked out.

use std::net::{IpAddr, Ipv4Addr};

use isthmus_grammar::command::{TransportDirection, TransportProtocol};

use super::Session;
use crate::log::Severity;
use crate::plan::unknown::Unknown;

impl Session {
    /// Whether this line takes no such session; the log says why.
    pub(super) fn barred(&self) -> bool {
        if self.trusted {
            return false;
        }
        let from = self.user.source.map(|address| address.to_canonical());
        let why = self.takes_nobody().or_else(|| self.takes_none_from(from?));
        let Some(why) = why else {
            return false;
        };
        let text = format!("Refused {}: {why}", self.user.by());
        self.router
            .borrow_mut()
            .notice(Severity::Informational, "LINE_REFUSED", text);
        true
    }

    fn takes_nobody(&self) -> Option<String> {
        self.settings().no_exec.then(|| "no exec".to_owned())
    }

    fn takes_none_from(&self, from: IpAddr) -> Option<String> {
        let settings = self.settings();
        let ssh = [TransportProtocol::All, TransportProtocol::Ssh];
        let protocols = settings.transport.get(&TransportDirection::Input);
        if protocols.is_some_and(|protocols| !protocols.iter().any(|one| ssh.contains(one))) {
            return Some("transport input without ssh".to_owned());
        }
        let list = settings.access_in?;
        let IpAddr::V4(from) = from else {
            return None;
        };
        (!self.permits(&list, from)).then(|| format!("access-class {list}"))
    }

    /// A list that is not there permits everything; one whose header is not understood nothing.
    fn permits(&self, name: &str, from: Ipv4Addr) -> bool {
        let router = self.router.borrow();
        let running = &router.running;
        match running.access_lists.get(name) {
            Some(list) => list.lets_in(from, &running.object_groups()),
            None => Unknown::of(running).lines(name).next().is_none(),
        }
    }
}

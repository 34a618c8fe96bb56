//! How negotiations of phase 1 begin: ours, the peer's, and the peer's of which nothing is kept until it shows that it gets
//! what we send.

use std::net::SocketAddr;

use super::Endpoint;
use crate::cause::Cause;
use crate::child_request::ChildRequest;
use crate::config::ConnectionId;
use crate::event::DropReason;
use crate::id::{Path, PeerId, SaId};
use crate::sa::{Common, IkeSa, State};
use crate::status::Role;
use crate::timer::SaTimer;
use crate::v1::main_mode::stateless::Recalled;
use crate::v1::main_mode::{self, responder};
use crate::v1::vendor;
use crate::wire::v1::{Message, Unprotected};
use crate::wire::{Cookie, Cookies};

impl Endpoint {
    /// Begins main mode as the initiator, between two addresses and with the peer that is expected there.
    pub(crate) fn start_main_mode(
        &mut self,
        (local, remote, expected): (SocketAddr, SocketAddr, Option<PeerId>),
        connection: Option<ConnectionId>,
        requests: Vec<ChildRequest>,
        takes_over: Option<SaId>,
    ) {
        let cookies = Cookies {
            initiator: self.fresh_cookie(),
            responder: Cookie::ZERO,
        };
        let path = Path {
            local,
            remote,
            conn_id: 0,
        };
        let mut common = self.new_common(Role::Initiator, path, expected, cookies);
        common.connection = connection;
        common.requests = requests;
        common.takes_over = takes_over;
        let (id, names) = (common.id, (common.id, common.peer));
        if let Some(cause) = self.outgoing_not_admitted(path, takes_over.is_some()) {
            return self.phase1_never_started(common, cause);
        }
        let (started, effects) =
            self.step_without_sa(names, path, |turn| main_mode::start(&common, turn));
        let state = State::V1(started);
        self.insert_sa(IkeSa { common, state });
        self.apply(id, effects);
    }

    /// Message 1 of a new negotiation of the peer's.
    pub(super) fn main_mode_offer(
        &mut self,
        mut common: Common,
        payloads: &Unprotected,
        digest: u64,
    ) {
        let (id, path) = (common.id, common.path());
        let (offered, effects) = self.step_without_sa((id, common.peer), path, |turn| {
            main_mode::offer(&mut common, turn, payloads, digest)
        });
        match offered {
            Some(sa) => {
                let state = State::V1(sa);
                self.insert_sa(IkeSa { common, state });
                let limit = self.ctx.now + super::HALF_OPEN_TIME;
                self.set_sa_timer(id, SaTimer::HalfOpen, limit);
                self.apply(id, effects);
            }
            None => self.apply_without_sa(&common, effects),
        }
    }

    /// Message 1 while there are enough half-open negotiations: message 2 goes out and nothing is kept but the text of the
    /// proposals, once for all that offer the same.
    pub(super) fn answer_without_state(
        &mut self,
        path: Path,
        initiator: Cookie,
        payloads: &Unprotected,
    ) {
        let dpd = payloads.vendor_ids().any(vendor::is_dpd);
        let cookies = Cookies {
            initiator,
            responder: Cookie::ZERO,
        };
        let mut common = self.new_common(Role::Responder, path, None, cookies);
        let proposals = match responder::proposals(payloads) {
            Ok(proposals) => proposals,
            Err(refusal) => {
                let ((), effects) = self.step_without_sa((common.id, common.peer), path, |turn| {
                    main_mode::offer_refused(turn, refusal);
                });
                return self.apply_without_sa(&common, effects);
            }
        };
        let (now, random) = (self.ctx.now, self.ctx.random.as_mut());
        let offered = (proposals.body, dpd);
        let cookie = self
            .gate
            .stateless
            .cookie(random, now, path, initiator, offered);
        let Some(cookie) = cookie else {
            let detail = "proposals too long to answer while there are many negotiations".into();
            return self
                .ctx
                .drop_datagram(path, DropReason::HalfOpenLimit, detail);
        };
        common.cookies.responder = cookie;
        let (answered, effects) = self.step_without_sa((common.id, common.peer), path, |turn| {
            main_mode::answer_without_state(&common, turn, &proposals)
        });
        self.gate.tallies.answered_without_state += u64::from(answered);
        self.apply_without_sa(&common, effects);
    }

    /// The negotiation of which message 3 came, for a cookie that was made and not kept; false when what was offered can be
    /// accepted no more.
    pub(super) fn recalled(
        &mut self,
        path: Path,
        cookies: Cookies,
        recalled: &Recalled,
        message: (Message, u64),
    ) -> bool {
        let mut common = self.new_common(Role::Responder, path, None, cookies);
        let id = common.id;
        let (sa, effects) = self.step_without_sa((id, common.peer), path, |turn| {
            main_mode::recalled(&mut common, turn, recalled, message)
        });
        let Some(sa) = sa else { return false };
        let state = State::V1(sa);
        self.insert_sa(IkeSa { common, state });
        let limit = self.ctx.now + super::HALF_OPEN_TIME;
        self.set_sa_timer(id, SaTimer::HalfOpen, limit);
        self.apply(id, effects);
        true
    }

    pub(super) fn new_common(
        &mut self,
        role: Role,
        path: Path,
        expected: Option<PeerId>,
        cookies: Cookies,
    ) -> Common {
        self.next_sa += 1;
        let Path { local, remote, .. } = path;
        let peer = expected.unwrap_or(PeerId::NOT_KNOWN);
        Common {
            id: SaId(self.next_sa),
            peer,
            role,
            local,
            remote,
            cookies,
            conn_id: 0,
            created: self.ctx.now,
            policy: None,
            peer_has_dpd: false,
            identity: None,
            connection: None,
            takes_over: None,
            requests: Vec::new(),
            provisional_cause: None,
            established: None,
        }
    }

    pub(super) fn phase1_never_started(&mut self, common: Common, cause: Cause) {
        let path = common.path();
        self.negotiation_failed(&common, Role::Initiator, common.connection, cause);
        if self.usable_sa(path.local.ip(), common.peer).is_none() {
            self.phase1_not_restored(common.peer, path, false);
        }
        // Another peer would fail for the same reason, unless only this one has no key.
        self.try_next_peers(common.requests, common.remote.ip());
    }
}

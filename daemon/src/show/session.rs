//! `show crypto session [detail]`: peers with their IKE SAs, flows and, our addition, why the last negotiation failed.
//! Called by `show`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::isakmp::capabilities;
use super::screen::Facts;
use super::snapshot::{Flow, IkeSa, Proxy};
use crate::clock::format as time;
use crate::router::failure::Failure;

/// Which sessions to print. `Default` is all of them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only the session with this peer.
    pub remote: Option<IpAddr>,
    /// Only sessions from this address.
    pub local: Option<IpAddr>,
    /// Only sessions on this interface.
    pub interface: Option<String>,
}

/// `show crypto session [remote A | local A | interface I] [detail]`.
#[derive(Serialize, JsonSchema)]
pub struct Sessions<'a> {
    #[serde(skip)]
    detail: bool,
    /// The sessions: those of configured peers first.
    sessions: Vec<Session<'a>>,
    /// What is wrong with the crypto maps and what follows from it; only with `detail`, and with all sessions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<&'a str>,
}

/// One peer with what there is between it and us.
#[derive(Serialize, JsonSchema)]
struct Session<'a> {
    /// The interface that carries the crypto map; absent when no map names the peer.
    interface: Option<&'a str>,
    /// How it stands: `UP-ACTIVE`, `UP-IDLE`, `UP-NO-IKE`, `DOWN-NEGOTIATING` or `DOWN`.
    status: &'static str,
    /// Our address.
    local_address: IpAddr,
    /// The peer's address.
    peer_address: IpAddr,
    /// The peer's IKE port.
    peer_port: u16,
    /// The identity that the peer proved; absent when no IKE SA stands.
    phase1_id: Option<&'a str>,
    /// The description of the first crypto map entry that has one.
    description: Option<&'a str>,
    /// Time since the IKE SA was established; absent when none stands.
    uptime_seconds: Option<u64>,
    /// The IKE SAs, established ones first.
    isakmp_sas: Vec<&'a IkeSa>,
    /// The flows with their IPsec SAs.
    flows: Vec<&'a Flow>,
    /// The last failure that no success followed.
    failures: Vec<&'a Failure>,
}

/// The sessions that the filter takes.
pub fn sessions<'a>(
    flows: &'a [Flow],
    sas: &'a [IkeSa],
    failures: &'a [Failure],
    filter: &Filter,
) -> Sessions<'a> {
    let mut sessions = together(flows, sas, failures);
    sessions.retain(|session| filter.takes(session));
    Sessions {
        detail: false,
        sessions,
        problems: Vec::new(),
    }
}

impl<'a> Sessions<'a> {
    /// With everything that is known; with all sessions, the problems of the crypto maps too.
    #[must_use]
    pub fn in_detail(mut self, problems: &'a BTreeSet<String>, filter: &Filter) -> Self {
        self.detail = true;
        if filter.takes_all() {
            self.problems = problems.iter().map(String::as_str).collect();
        }
        self
    }
}

impl Filter {
    fn takes_all(&self) -> bool {
        self.remote.is_none() && self.local.is_none() && self.interface.is_none()
    }

    fn takes(&self, session: &Session<'_>) -> bool {
        let on = |name: &str| {
            session
                .interface
                .is_some_and(|on| on.eq_ignore_ascii_case(name))
        };
        self.remote
            .is_none_or(|remote| remote == session.peer_address)
            && self
                .local
                .is_none_or(|local| local == session.local_address)
            && self.interface.as_deref().is_none_or(on)
    }
}

impl Facts for Sessions<'_> {
    fn text(&self) -> String {
        let mut text = String::from("Crypto session current status\n\n");
        if self.detail {
            text.push_str(
                "Code: C - IKE Configuration mode, D - Dead Peer Detection     \n\
                 K - Keepalives, N - NAT-traversal, T - cTCP encapsulation     \n\
                 X - IKE Extended Authentication, F - IKE Fragmentation\n\
                 R - IKE Auto Reconnect, U - IKE Dynamic Route Update\n\
                 S - SIP VPN\n\n",
            );
        }
        for session in &self.sessions {
            print(&mut text, session, self.detail);
        }
        if !self.problems.is_empty() {
            text.push_str("Crypto map problems\n");
        }
        for problem in &self.problems {
            let _ = writeln!(text, "  {problem}");
        }
        text
    }
}

/// Flows of one peer on one interface belong together. IKE SAs and failures join the first session with their peer and
/// local address; those that no flow knows (a peer that is not configured) stand alone at the end.
fn together<'a>(flows: &'a [Flow], sas: &'a [IkeSa], failures: &'a [Failure]) -> Vec<Session<'a>> {
    let mut sessions: Vec<Session<'a>> = Vec::new();
    let mut by_key: HashMap<(&str, IpAddr), usize> = HashMap::new();
    let mut by_peer: BTreeMap<IpAddr, Vec<usize>> = BTreeMap::new();
    for flow in flows {
        let index = *by_key
            .entry((flow.interface.as_str(), flow.peer))
            .or_insert_with(|| {
                by_peer.entry(flow.peer).or_default().push(sessions.len());
                sessions.push(Session::new(Some(&flow.interface), flow.local, flow.peer));
                sessions.len() - 1
            });
        sessions[index].flows.push(flow);
    }
    for sa in sas {
        let index = session_of(
            &mut sessions,
            &mut by_peer,
            sa.remote.ip(),
            Some(sa.local.ip()),
        );
        sessions[index].isakmp_sas.push(sa);
    }
    for failure in failures {
        let index = session_of(&mut sessions, &mut by_peer, failure.peer, failure.local);
        sessions[index].failures.push(failure);
    }
    for session in &mut sessions {
        session
            .isakmp_sas
            .sort_by_key(|sa| std::cmp::Reverse((sa.established && !sa.deleted, sa.conn_id)));
        session.conclude();
    }
    sessions
}

fn session_of(
    sessions: &mut Vec<Session<'_>>,
    by_peer: &mut BTreeMap<IpAddr, Vec<usize>>,
    peer: IpAddr,
    local: Option<IpAddr>,
) -> usize {
    let known = by_peer.entry(peer).or_default();
    let found = known
        .iter()
        .find(|index| local.is_none_or(|local| sessions[**index].local_address == local));
    if let Some(index) = found {
        return *index;
    }
    known.push(sessions.len());
    sessions.push(Session::new(
        None,
        local.unwrap_or(IpAddr::from([0, 0, 0, 0])),
        peer,
    ));
    sessions.len() - 1
}

impl<'a> Session<'a> {
    fn new(interface: Option<&'a str>, local_address: IpAddr, peer_address: IpAddr) -> Session<'a> {
        Session {
            interface,
            status: "DOWN",
            local_address,
            peer_address,
            peer_port: 500,
            phase1_id: None,
            description: None,
            uptime_seconds: None,
            isakmp_sas: Vec::new(),
            flows: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Fills what follows from the SAs and flows.
    fn conclude(&mut self) {
        let (sas, flows) = (&self.isakmp_sas, &self.flows);
        let up = sas.iter().find(|sa| sa.established && !sa.deleted);
        let negotiating = sas.iter().any(|sa| !sa.established && !sa.deleted);
        let protected = flows.iter().any(|flow| !flow.sas.is_empty());
        self.status = match (up.is_some(), protected) {
            (true, true) => "UP-ACTIVE",
            (true, false) => "UP-IDLE",
            (false, true) => "UP-NO-IKE",
            (false, false) if negotiating => "DOWN-NEGOTIATING",
            (false, false) => "DOWN",
        };
        let port = sas.first().map(|sa| sa.remote.port());
        let port = port.or(flows.first().map(|flow| flow.port));
        self.peer_port = port.unwrap_or(self.peer_port);
        self.phase1_id = up.and_then(|sa| sa.peer_id.as_deref());
        self.uptime_seconds = up.and_then(|sa| sa.age).map(|age| age.as_secs());
        self.description = flows.iter().find_map(|flow| flow.description.as_deref());
    }
}

fn print(text: &mut String, session: &Session<'_>, detail: bool) {
    let interface = session.interface.unwrap_or("(none)");
    let _ = writeln!(text, "Interface: {interface}");
    if let (true, Some(age)) = (detail, session.uptime_seconds) {
        let _ = writeln!(text, "Uptime: {}", time::age(Duration::from_secs(age)));
    }
    let _ = writeln!(text, "Session status: {:<14}", session.status);
    let (peer, port) = (session.peer_address, session.peer_port);
    let _ = write!(text, "Peer: {peer} port {port} ");
    if detail {
        let _ = write!(
            text,
            "fvrf: (none) ivrf: (none)\n      Phase1_id: {}\n      Desc: {}",
            session.phase1_id.unwrap_or("(none)"),
            session.description.unwrap_or("(none)"),
        );
    }
    text.push('\n');
    for sa in &session.isakmp_sas {
        ike_lines(text, sa, detail);
    }
    for flow in &session.flows {
        flow_lines(text, flow, detail);
    }
    if detail {
        for failure in &session.failures {
            failure_lines(text, failure);
        }
    }
    text.push('\n');
}

fn ike_lines(text: &mut String, sa: &IkeSa, detail: bool) {
    let status = if sa.established && !sa.deleted {
        "Active"
    } else {
        "Inactive"
    };
    let _ = writeln!(text, "  Session ID: 0  ");
    let _ = writeln!(
        text,
        "  IKEv1 SA: local {}/{} remote {}/{} {status} ",
        sa.local.ip(),
        sa.local.port(),
        sa.remote.ip(),
        sa.remote.port()
    );
    if detail {
        let letters = capabilities(sa);
        let letters = if letters.is_empty() {
            "(none)"
        } else {
            &letters
        };
        let (id, lifetime) = match sa.remaining {
            Some(left) if status == "Active" => (sa.conn_id, time::hms(left)),
            _ => (0, "0".to_string()),
        };
        let _ = writeln!(
            text,
            "          Capabilities:{letters} connid:{id} lifetime:{lifetime}"
        );
    }
}

fn flow_lines(text: &mut String, flow: &Flow, detail: bool) {
    let protocol = match flow.local_proxy.protocol {
        0 => "ip".to_string(),
        number => number.to_string(),
    };
    let _ = writeln!(
        text,
        "  IPSEC FLOW: permit {protocol} {} {} ",
        side(&flow.local_proxy),
        side(&flow.remote_proxy)
    );
    let _ = writeln!(
        text,
        "        Active SAs: {}, origin: crypto map",
        flow.sas.len()
    );
    if !detail {
        return;
    }
    let life = |inbound: bool| match flow.sas.iter().find(|sa| sa.inbound == inbound) {
        Some(sa) => match sa.kilobytes {
            Some(left) => format!("{left}/{}", sa.seconds),
            None => format!("KB Vol Rekey Disabled/{}", sa.seconds),
        },
        None => "0/0".to_string(),
    };
    let packets = &flow.packets;
    let _ = writeln!(
        text,
        "        Inbound:  #pkts dec'ed {} drop {} life (KB/Sec) {}",
        packets.inbound,
        packets.recv_errors,
        life(true)
    );
    let _ = writeln!(
        text,
        "        Outbound: #pkts enc'ed {} drop {} life (KB/Sec) {}",
        packets.out,
        packets.send_errors,
        life(false)
    );
}

fn side(proxy: &Proxy) -> String {
    let address = match proxy.net.prefix_len() {
        32 => format!("host {}", proxy.net.addr()),
        _ => format!("{}/{}", proxy.net.addr(), proxy.net.netmask()),
    };
    if proxy.port == 0 {
        address
    } else {
        format!("{address} port {}", proxy.port)
    }
}

/// Every line starts with the word `Crypto`: the public parsers of this screen pass over such lines.
fn failure_lines(text: &mut String, failure: &Failure) {
    let role = if failure.initiator {
        "initiator"
    } else {
        "responder"
    };
    let _ = writeln!(
        text,
        "Crypto failure: {} as {role}, {}",
        failure.exchange,
        time::moment(&failure.at)
    );
    let _ = writeln!(text, "Crypto   cause:  {}", failure.cause);
    for offer in &failure.offered {
        let _ = writeln!(text, "Crypto   peer offered: {offer}");
    }
    for wanted in &failure.wanted {
        let _ = writeln!(text, "Crypto   configured:   {wanted}");
    }
    if let Some(change) = &failure.change {
        let _ = writeln!(text, "Crypto   line to change: {change}");
    }
}

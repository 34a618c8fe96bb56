//! One router and very many peers, each of which has a tunnel: what becomes of phase 1 when all is lost at once, and of the
//! tables that find SAs.

use std::net::Ipv4Addr;

use super::*;
use crate::config::AdmissionLimits;
use crate::status::Tally;

/// The router, and one endpoint for each peer.
struct Many {
    router: Endpoint,
    peers: Vec<Endpoint>,
    now: Instant,
    /// The router finds keys of peers
    has_keys: bool,
}

const ROUTER: usize = 1;

fn address(peer: usize) -> IpAddr {
    let number = u32::try_from(peer).unwrap();
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 64, 0, 1)) + number).into()
}

fn number_of(address_of_peer: IpAddr) -> usize {
    let (IpAddr::V4(first), IpAddr::V4(this)) = (address(0), address_of_peer) else {
        panic!("not a peer's address: {address_of_peer}")
    };
    (u32::from(this) - u32::from(first)) as usize
}

/// The connection of `config(end)` with other addresses.
fn between(end: usize, id: usize, local: IpAddr, peer: IpAddr) -> Arc<Connection> {
    let connection = &config(end).connections[0];
    Arc::new(Connection {
        id: ConnectionId(u32::try_from(id).unwrap()),
        local: vec![local],
        peers: vec![peer].into(),
        ..(**connection).clone()
    })
}

fn without_keepalive(end: usize) -> EngineConfig {
    EngineConfig {
        keepalive: None,
        ..config(end)
    }
}

fn router_config(peers: usize, limits: AdmissionLimits) -> EngineConfig {
    let mut global = without_keepalive(ROUTER);
    global.connections = (0..peers)
        .map(|peer| between(ROUTER, peer, at(ROUTER).ip(), address(peer)))
        .collect();
    global.admission = limits;
    global
}

impl Many {
    /// Each peer has a tunnel, the first one the oldest.
    fn connected(count: usize, limits: AdmissionLimits) -> Self {
        let mut many = Self {
            router: Endpoint::new(Box::new(Counter(1))),
            peers: Vec::new(),
            now: Instant::from_millis(1_000_000),
            has_keys: true,
        };
        many.router
            .set_config(many.now, router_config(count, limits));
        for peer in 0..count {
            let mut end = Endpoint::new(Box::new(Counter(2 + peer as u64)));
            let mut global = without_keepalive(1 - ROUTER);
            global.connections = vec![between(1 - ROUTER, 0, address(peer), at(ROUTER).ip())];
            end.set_config(many.now, global);
            many.peers.push(end);
            let connection = ConnectionId(u32::try_from(peer).unwrap());
            many.router.acquire(many.now, connection, FlowId(1), None);
            many.exchange();
        }
        assert_eq!(many.with_phase1(), count);
        assert_eq!(many.router.children.iter().count(), count);
        many
    }

    /// Lets all talk until none has anything to say.
    fn exchange(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.router.poll_output() {
                if let Output::Ask { id, .. } = output {
                    let key = self.has_keys.then(|| "cisco123".into());
                    self.router.answer(self.now, id, Answer::PeerKey(key));
                    continue;
                }
                let Output::Transmit { remote, bytes, .. } = output else {
                    continue;
                };
                quiet = false;
                let end = &mut self.peers[number_of(remote.ip())];
                end.datagram(self.now, remote, at(ROUTER), &bytes);
                while let Some(output) = next_output(end, self.now) {
                    if let Output::Transmit { local, bytes, .. } = output {
                        self.router.datagram(self.now, at(ROUTER), local, &bytes);
                    }
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.router.timeout(self.now);
        self.exchange();
    }

    /// Every ISAKMP SA of the router goes, the youngest first, and its deletes are lost: no peer begins anything.
    fn lose_phase1(&mut self) {
        let mut sas = self.router.ike_sas(self.now);
        sas.retain(|sa| !sa.deleted);
        for sa in sas.iter().rev() {
            self.router.clear(self.now, Clear::IkeSa(sa.conn_id));
        }
        while self.router.poll_output().is_some() {}
        assert_eq!(self.with_phase1(), 0);
    }

    /// How many peers have a usable ISAKMP SA.
    fn with_phase1(&self) -> usize {
        let local = at(ROUTER).ip();
        let mut peers: Vec<_> = (0..self.peers.len()).collect();
        peers.retain(|peer| self.router.usable_at(local, address(*peer)).is_some());
        peers.len()
    }

    /// The tables that find SAs have those that are not deleted, and no others.
    fn tables_are_right(&self) {
        let alive = |sa: &&IkeSa| !sa.is_deleted();
        let alive = self.router.sas.values().filter(alive).count();
        assert_eq!(self.router.by_cookie.len(), alive);
        let of_peers: usize = self.router.by_peer.values().map(Vec::len).sum();
        assert_eq!(of_peers, alive);
        let at_addresses: usize = self.router.by_address.values().map(Vec::len).sum();
        assert_eq!(at_addresses, alive);
        assert_eq!(self.router.peers.count(), self.peers.len());
        assert!(self.router.by_offer.len() <= alive);
        assert!(self.router.sas.len() <= alive + 1024);
    }
}

/// More than may be negotiated at once, and more than are shown when they are deleted.
#[test]
fn phase1_comes_back_for_very_many_peers() {
    let count = 1_500;
    let mut many = Many::connected(count, AdmissionLimits::default());
    many.lose_phase1();
    many.tables_are_right();
    many.pass(Duration::ZERO);
    assert_eq!(many.with_phase1(), 1000, "as many as may be negotiated");
    many.pass(Duration::from_secs(20));
    assert_eq!(many.with_phase1(), count);
    many.tables_are_right();
    assert_eq!(many.router.children.iter().count(), count);
    many.pass(Duration::from_secs(120));
    many.tables_are_right();
    assert!(many.router.gate.deleted.is_empty());
}

/// What is shown of deleted SAs is what went last, not what was made last.
#[test]
fn an_old_sa_that_goes_late_is_shown() {
    let mut two = Two::connected();
    for number in 2..1500 {
        two.ends[1].show_deleted(SaId(number));
    }
    two.ends[1].show_deleted(SaId(1));
    two.ends[1].show_deleted(SaId(1));
    let deleted = &two.router().gate.deleted;
    assert_eq!((deleted.len(), deleted.back()), (1024, Some(&SaId(1))));
    assert_eq!(deleted.front(), Some(&SaId(1500 - 1023)));
}

#[test]
fn phase1_is_asked_for_again_when_it_was_not_admitted() {
    let limits = AdmissionLimits {
        negotiations: Some(1),
        ..AdmissionLimits::default()
    };
    let mut many = Many::connected(4, limits);
    many.lose_phase1();
    for back in 1..=4 {
        many.pass(Duration::from_secs(16));
        assert_eq!(many.with_phase1(), back);
    }
}

#[test]
fn phase1_comes_back_when_the_key_does() {
    let mut many = Many::connected(2, AdmissionLimits::default());
    many.has_keys = false;
    many.lose_phase1();
    for _ in 0..10 {
        many.pass(Duration::from_secs(30));
    }
    assert_eq!(many.with_phase1(), 0);
    many.has_keys = true;
    many.pass(Duration::from_secs(30));
    assert_eq!(many.with_phase1(), 2);
}

/// A negotiation that the peer began and did not end is not waited for for ever.
#[test]
fn phase1_comes_back_after_a_negotiation_of_the_peers_came_to_nothing() {
    let mut many = Many::connected(1, AdmissionLimits::default());
    let (router, peer) = (at(ROUTER), SocketAddr::new(address(0), PORT));
    many.peers[0].start_main_mode((peer, router, None), None, Vec::new(), None);
    let mut last = Vec::new();
    // Message 5 does not arrive.
    for _ in 0..3 {
        while let Some(output) = next_output(&mut many.peers[0], many.now) {
            if let Output::Transmit { bytes, .. } = output {
                last = bytes;
            }
        }
        let waits = many.router.promising_at(router.ip(), peer.ip());
        if waits.is_some() {
            break;
        }
        many.router.datagram(many.now, router, peer, &last);
        while let Some(output) = next_output(&mut many.router, many.now) {
            if let Output::Transmit { bytes, .. } = output {
                many.peers[0].datagram(many.now, peer, router, &bytes);
            }
        }
    }
    let theirs = many.router.promising_at(router.ip(), peer.ip()).unwrap();
    let current = many.router.usable_at(router.ip(), peer.ip()).unwrap();
    many.router.delete_ike(current, DownReason::Cleared);
    while next_output(&mut many.router, many.now).is_some() {}
    many.router.timeout(many.now);
    let waits = many.router.promising_at(router.ip(), peer.ip());
    assert_eq!(waits, Some(theirs), "one at once is enough");
    for _ in 0..10 {
        many.pass(Duration::from_secs(10));
    }
    assert_eq!(many.with_phase1(), 1);
}

/// What replaces an SA is admitted, and is then not told as refused.
#[test]
fn a_rekey_beyond_the_limits_is_counted_as_admitted() {
    let mut two = Two::connected();
    let mut full = config(0);
    full.admission = AdmissionLimits {
        ike_sas: Some(0),
        negotiations: Some(0),
        children: None,
    };
    two.ends[0].set_config(two.now, full);
    two.ends[0].clear_admission();
    let id = two.peers_sa();
    two.ends[0].start_main_mode((at(0), at(1), None), None, Vec::new(), Some(id));
    two.exchange();
    let counts = two.ends[0].admission();
    let tally = |admitted, rejected| Tally {
        accepted: admitted,
        rejected,
    };
    assert_eq!(counts.outgoing_ike, tally(1, 0));
    assert_eq!(counts.rejected_by_ike_limit, 0);
    assert_eq!(counts.rejected_by_negotiation_limit, 0);
    // What replaces none is refused, and counted once.
    two.ends[0].start_main_mode((at(0), at(1), None), None, Vec::new(), None);
    let counts = two.ends[0].admission();
    assert_eq!(counts.outgoing_ike, tally(1, 1));
    assert_eq!(counts.rejected_by_negotiation_limit, 1);
}

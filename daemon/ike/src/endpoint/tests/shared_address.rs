//! Two peers behind one address: neither can speak for the other, though the kernel's names of their SAs differ in the SPI only.

use super::*;
use crate::config::{Flows, OwnIdentity, Peers};
use crate::registry::ProtocolId;

const PORTS: [u16; 2] = [40_001, 40_002];

/// The peers 0 and 1, both at `ADDRESSES[0]`, and the router.
struct Three {
    peers: [Endpoint; 2],
    router: Endpoint,
    now: Instant,
}

impl Three {
    fn connected() -> Self {
        let now = Instant::from_millis(1_000_000);
        let mut three = Self {
            peers: [1, 2].map(|seed| Endpoint::new(Box::new(Counter(seed)))),
            router: Endpoint::new(Box::new(Counter(3))),
            now,
        };
        let mut of_router = config(1);
        let open = Arc::make_mut(&mut of_router.connections[0]);
        open.peers = Peers::Any;
        open.flows = Flows::Narrow(open.flows.to_vec());
        three.router.set_config(now, of_router);
        for (number, peer) in three.peers.iter_mut().enumerate() {
            let mut own = config(0);
            own.identity = OwnIdentity::Hostname(format!("peer-{number}"));
            let connection = Arc::make_mut(&mut own.connections[0]);
            connection.flows[0].local = net(&format!("10.1.{number}.0/24"));
            peer.set_config(now, own);
            peer.acquire(now, ConnectionId(1), FlowId(1), None);
        }
        three.exchange();
        assert_eq!(three.router.children.iter().count(), 2);
        three
    }

    fn outside(number: usize) -> SocketAddr {
        SocketAddr::new(at(0).ip(), PORTS[number])
    }

    fn exchange(&mut self) {
        loop {
            let mut quiet = true;
            for number in [0, 1] {
                while let Some(output) = next_output(&mut self.peers[number], self.now) {
                    if let Output::Transmit { bytes, .. } = output {
                        quiet = false;
                        let from = Self::outside(number);
                        self.router.datagram(self.now, at(1), from, &bytes);
                    }
                }
            }
            while let Some(output) = next_output(&mut self.router, self.now) {
                if let Output::Transmit { remote, bytes, .. } = output {
                    quiet = false;
                    let number = PORTS.iter().position(|port| *port == remote.port());
                    let peer = &mut self.peers[number.unwrap()];
                    peer.datagram(self.now, at(0), at(1), &bytes);
                }
            }
            if quiet {
                return;
            }
        }
    }

    /// The router gets an informational message of a peer's.
    fn inform(&mut self, number: usize, payload: Payload) {
        let peer = &mut self.peers[number];
        let id = peer.usable_at(at(0).ip(), at(1).ip()).unwrap();
        let message_id = peer.fresh_message_id(id);
        let sa = &peer.sas[&id];
        let live = sa.live().unwrap();
        let keys = &live.sa.keys;
        let chain = Chain::encode(&[payload]).unwrap();
        let hash = keys.hash_1(message_id, chain.bytes());
        let chain = chain.prepend(&Payload::Hash(hash)).unwrap();
        let mut iv = keys.exchange_iv(&live.sa.last_block, message_id);
        let header = Header::v1(sa.common.cookies, ExchangeType::INFORMATIONAL, message_id);
        let bytes = seal(keys, &mut iv, header, chain);
        let from = Self::outside(number);
        self.router.datagram(self.now, at(1), from, &bytes);
        while next_output(&mut self.router, self.now).is_some() {}
    }

    /// The SPI under which a peer receives, as the router knows it.
    fn spi_of(&self, number: usize) -> u32 {
        let network = net(&format!("10.1.{number}.0/24"));
        let mut children = self.router.children.iter();
        let child = children.find(|child| child.sa.remote_selector == network);
        child.unwrap().sa.protocols[0].outbound_spi
    }

    fn alive(&self) -> (usize, usize) {
        let current = self
            .router
            .children
            .iter()
            .filter(|child| child.is_current());
        let sas = self.router.sas.values();
        let sas = sas.filter(|sa| sa.takes_exchanges());
        (current.count(), sas.count())
    }
}

#[test]
fn what_a_peer_deletes_is_its_own() {
    let mut three = Three::connected();
    assert_eq!(three.alive(), (2, 2));
    let others = three.spi_of(0);
    let cookies = three.peers[0].sas.values().next().unwrap().common.cookies;
    let unknown = Notification::new(
        ProtocolId::ESP,
        NotifyType::INVALID_SPI,
        others.to_be_bytes(),
        [],
    );
    three.now = three.now + Duration::from_secs(60);
    for payload in [
        Payload::Delete(Delete::children(ProtocolId::ESP, &[others])),
        Payload::Notification(unknown),
        Payload::Delete(Delete::isakmp(cookies)),
    ] {
        three.inform(1, payload);
        assert_eq!(three.alive(), (2, 2));
    }
    let own = three.spi_of(1);
    three.inform(
        1,
        Payload::Delete(Delete::children(ProtocolId::ESP, &[own])),
    );
    assert_eq!(three.alive(), (1, 2));
    three.inform(0, Payload::Delete(Delete::isakmp(cookies)));
    assert_eq!(three.alive(), (1, 1));
}

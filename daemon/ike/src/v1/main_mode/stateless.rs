//! Main mode message 2 without keeping the negotiation: how a responder answers while it holds as many half-open
//! negotiations as it should. Called by `endpoint/gate.rs`.
//!
//! The cookie that we choose is made instead of remembered, from a secret of ours, both addresses, the initiator's cookie
//! and the SA payload. Message 3 brings it back, which shows that its sender gets what we send; only then is there a
//! negotiation, and only then a Diffie-Hellman.
//!
//! One thing cannot be made again: HASH_I and HASH_R cover the SA payload of message 1 (RFC 2409 5), and message 3 does not
//! repeat it. These bytes do not depend on who sends them or when: a peer offers the same each time, and so do all peers
//! configured alike. They are kept once, by content, and the cookie names them. What any sender may make us keep is
//! bounded in octets, the oldest gives way; what a peer offered when it last proved who it is stays, so that a flood of
//! made-up proposals cannot push it out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::algorithm::Hash;
use crate::crypto::{Randomness, Secret, equal};
use crate::id::Path;
use crate::time::Instant;
use crate::wire::{Cookie, Cookies};

/// How long a secret makes cookies; they are good for as long again.
const EPOCH: Duration = Duration::from_secs(60);

/// The longest SA payload that is kept for a sender that has proved nothing: a hundred transforms.
const MAX_BODY: usize = 4096;

/// Octets that SA payloads of senders that have proved nothing may take, bookkeeping included.
const BUDGET: usize = 16 << 20;

/// Octets of bookkeeping for one SA payload.
const BOOKKEEPING: usize = 256;

const SLOT_BITS: u32 = 20;
const MAC_BITS: u32 = 42;
const DPD: u64 = 1 << (MAC_BITS + 1);
const EPOCH_BIT: u64 = 1 << MAC_BITS;
const MAC: u64 = (1 << MAC_BITS) - 1;

/// Makes cookies, and knows its own again.
#[derive(Debug, Default)]
pub(crate) struct Stateless {
    /// The present secret, and the one before it
    secrets: [Option<Secret>; 2],
    began: Instant,
    /// The lowest bit of the number of the present secret
    parity: bool,
    /// Changes with the configuration: what was chosen under another one is not known any more
    generation: u64,
    texts: Texts,
}

/// What a cookie of ours brings back.
pub(crate) struct Recalled {
    /// SAi_b
    pub(crate) body: Vec<u8>,
    /// The peer announced dead peer detection in message 1
    pub(crate) dpd: bool,
}

impl Stateless {
    /// The cookie for the answer to a message 1 with this SA payload; none when the payload is too long to keep.
    pub(crate) fn cookie(
        &mut self,
        random: &mut dyn Randomness,
        now: Instant,
        path: Path,
        initiator: Cookie,
        (body, dpd): (&[u8], bool),
    ) -> Option<Cookie> {
        self.turn(now);
        if self.secrets[0].is_none() {
            let mut secret = vec![0; 32];
            random.fill(&mut secret);
            self.secrets[0] = Some(Secret::new(secret));
        }
        let slot = self.texts.keep(body)?;
        let mut value = u64::from(slot) << (u64::BITS - SLOT_BITS);
        value |= if dpd { DPD } else { 0 };
        value |= if self.parity { EPOCH_BIT } else { 0 };
        value |= self.mac(self.secrets[0].as_ref()?, path, initiator, value)?;
        Some(Cookie(value.to_be_bytes())).filter(|cookie| !cookie.is_zero())
    }

    /// What these cookies bring back, if the responder's is one that we made for this initiator.
    pub(crate) fn recall(
        &mut self,
        now: Instant,
        path: Path,
        cookies: Cookies,
    ) -> Option<Recalled> {
        self.turn(now);
        let value = u64::from_be_bytes(cookies.responder.0);
        let present = (value & EPOCH_BIT != 0) == self.parity;
        let secret = self.secrets[usize::from(!present)].as_ref()?;
        let expected = self.mac(secret, path, cookies.initiator, value & !MAC)?;
        if !equal(&expected.to_be_bytes(), &(value & MAC).to_be_bytes()) {
            return None;
        }
        let text = self.texts.slots.get(&slot_of(value))?;
        Some(Recalled {
            body: text.body.to_vec(),
            dpd: value & DPD != 0,
        })
    }

    /// A peer has proved who it is, and had offered this in message 1.
    pub(crate) fn proved(&mut self, peer: IpAddr, body: &[u8]) {
        self.texts.proved(peer, body);
    }

    /// The policies may have changed.
    pub(crate) fn configured(&mut self) {
        self.generation += 1;
    }

    /// These peers are in the configuration no more.
    pub(crate) fn forget(&mut self, peers: &BTreeSet<IpAddr>) {
        peers.iter().for_each(|peer| self.texts.forget(*peer));
    }

    /// SA payloads kept, and their octets.
    #[cfg(test)]
    fn kept(&self) -> (usize, usize) {
        (self.texts.slots.len(), self.texts.octets)
    }

    /// Moves on to another secret when the present one is old.
    fn turn(&mut self, now: Instant) {
        let age = now.since(self.began);
        if age < EPOCH {
            return;
        }
        let last = self.secrets[0].take().filter(|_| age < EPOCH * 2);
        self.secrets[1] = last;
        self.parity = !self.parity;
        self.began = now;
    }

    fn mac(&self, secret: &Secret, path: Path, initiator: Cookie, value: u64) -> Option<u64> {
        let text = self.texts.slots.get(&slot_of(value))?;
        let (local, remote) = (octets(path.local), octets(path.remote));
        let parts: [&[u8]; 6] = [
            &local,
            &remote,
            &initiator.0,
            &value.to_be_bytes(),
            &self.generation.to_be_bytes(),
            &text.digest,
        ];
        let mac = Hash::Sha256.prf(secret.expose(), &parts);
        let first = mac.first_chunk::<8>()?;
        Some(u64::from_be_bytes(*first) & MAC)
    }
}

fn slot_of(value: u64) -> u32 {
    u32::try_from(value >> (u64::BITS - SLOT_BITS)).unwrap_or(u32::MAX)
}

fn octets(address: SocketAddr) -> [u8; 18] {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let mut bytes = [0; 18];
    bytes[..16].copy_from_slice(&ip.octets());
    bytes[16..].copy_from_slice(&address.port().to_be_bytes());
    bytes
}

/// SA payloads by content.
#[derive(Debug, Default)]
struct Texts {
    slots: HashMap<u32, Text>,
    by_digest: HashMap<[u8; 32], u32>,
    /// Those that no peer has proved, oldest first
    unproved: BTreeMap<u64, u32>,
    /// What those take
    octets: usize,
    /// What each peer offered when it last proved who it is
    of_peer: HashMap<IpAddr, u32>,
    next_slot: u32,
    next_turn: u64,
}

#[derive(Debug)]
struct Text {
    body: Box<[u8]>,
    digest: [u8; 32],
    /// Its place in `unproved`
    turn: Option<u64>,
    /// Peers in `of_peer` that offered it
    peers: usize,
}

impl Texts {
    fn keep(&mut self, body: &[u8]) -> Option<u32> {
        let digest = <[u8; 32]>::try_from(Hash::Sha256.digest(&[body])).ok()?;
        if let Some(slot) = self.by_digest.get(&digest) {
            return Some(*slot);
        }
        if body.len() > MAX_BODY || self.slots.len() >= 1 << (SLOT_BITS - 1) {
            return None;
        }
        while self.slots.contains_key(&self.next_slot) {
            self.next_slot = (self.next_slot + 1) % (1 << SLOT_BITS);
        }
        let slot = self.next_slot;
        self.next_slot = (slot + 1) % (1 << SLOT_BITS);
        self.by_digest.insert(digest, slot);
        let text = Text {
            body: body.into(),
            digest,
            turn: None,
            peers: 0,
        };
        self.slots.insert(slot, text);
        self.queue(slot);
        Some(slot)
    }

    /// Puts a text among those that may give way, and lets the oldest go that are too many.
    fn queue(&mut self, slot: u32) {
        let Some(text) = self.slots.get_mut(&slot) else {
            return;
        };
        text.turn = Some(self.next_turn);
        self.octets += text.body.len() + BOOKKEEPING;
        self.unproved.insert(self.next_turn, slot);
        self.next_turn += 1;
        while self.octets > BUDGET
            && let Some((_, oldest)) = self.unproved.pop_first()
        {
            if let Some(text) = self.slots.remove(&oldest) {
                self.octets -= text.body.len() + BOOKKEEPING;
                self.by_digest.remove(&text.digest);
            }
        }
    }

    fn proved(&mut self, peer: IpAddr, body: &[u8]) {
        let Some(slot) = self.keep(body) else { return };
        let before = self.of_peer.insert(peer, slot);
        if before == Some(slot) {
            return;
        }
        if let Some(text) = self.slots.get_mut(&slot) {
            text.peers += 1;
            if let Some(turn) = text.turn.take() {
                self.octets -= text.body.len() + BOOKKEEPING;
                self.unproved.remove(&turn);
            }
        }
        self.release(before);
    }

    /// One peer fewer stands for a text.
    fn release(&mut self, slot: Option<u32>) {
        let Some(slot) = slot else { return };
        let Some(text) = self.slots.get_mut(&slot) else {
            return;
        };
        text.peers = text.peers.saturating_sub(1);
        if text.peers == 0 && text.turn.is_none() {
            self.queue(slot);
        }
    }

    fn forget(&mut self, peer: IpAddr) {
        let slot = self.of_peer.remove(&peer);
        self.release(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting(u8);

    impl Randomness for Counting {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill_with(|| {
                self.0 = self.0.wrapping_add(1);
                self.0
            });
        }
    }

    fn path(remote: &str) -> Path {
        Path {
            local: "192.0.2.1:500".parse().unwrap(),
            remote: remote.parse().unwrap(),
            conn_id: 0,
        }
    }

    const PEER: &str = "198.51.100.1:500";
    const INITIATOR: Cookie = Cookie([7; 8]);

    fn at(seconds: u64) -> Instant {
        Instant::from_millis(1_000_000 + seconds * 1000)
    }

    fn make(to: &mut Stateless, now: Instant, body: &[u8]) -> Cookies {
        let cookie = to.cookie(&mut Counting(0), now, path(PEER), INITIATOR, (body, true));
        Cookies {
            initiator: INITIATOR,
            responder: cookie.unwrap(),
        }
    }

    #[test]
    fn a_cookie_brings_back_what_was_offered_and_only_to_its_owner() {
        let mut stateless = Stateless::default();
        let cookies = make(&mut stateless, at(0), b"offer");
        assert_eq!(make(&mut stateless, at(1), b"offer"), cookies);
        let recalled = stateless.recall(at(2), path(PEER), cookies).unwrap();
        assert_eq!((&recalled.body[..], recalled.dpd), (&b"offer"[..], true));
        assert!(
            stateless
                .recall(at(2), path("198.51.100.2:500"), cookies)
                .is_none()
        );
        assert!(
            stateless
                .recall(at(2), path("198.51.100.1:501"), cookies)
                .is_none()
        );
        for bit in 0..128 {
            let mut bytes = cookies.bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let (initiator, responder) = bytes.split_at(8);
            let other = Cookies {
                initiator: Cookie(initiator.try_into().unwrap()),
                responder: Cookie(responder.try_into().unwrap()),
            };
            assert!(
                stateless.recall(at(2), path(PEER), other).is_none(),
                "bit {bit}"
            );
        }
    }

    #[test]
    fn cookies_grow_old() {
        let mut stateless = Stateless::default();
        make(&mut stateless, at(0), b"offer");
        let cookies = make(&mut stateless, at(59), b"offer");
        assert!(stateless.recall(at(61), path(PEER), cookies).is_some());
        make(&mut stateless, at(61), b"other");
        assert!(stateless.recall(at(100), path(PEER), cookies).is_some());
        assert!(stateless.recall(at(125), path(PEER), cookies).is_none());
        // And once long silence is over, nothing of before is known.
        let cookies = make(&mut stateless, at(130), b"offer");
        assert!(stateless.recall(at(1000), path(PEER), cookies).is_none());
    }

    #[test]
    fn another_configuration_forgets_what_was_chosen_under_this_one() {
        let mut stateless = Stateless::default();
        let cookies = make(&mut stateless, at(0), b"offer");
        stateless.configured();
        assert!(stateless.recall(at(1), path(PEER), cookies).is_none());
    }

    #[test]
    fn made_up_offers_take_bounded_memory_and_spare_what_was_proved() {
        let mut stateless = Stateless::default();
        stateless.proved("198.51.100.1".parse().unwrap(), b"proved");
        let cookies = make(&mut stateless, at(0), b"proved");
        for number in 0..60_000u32 {
            make(
                &mut stateless,
                at(0),
                &[&number.to_be_bytes()[..], &[0; 60]].concat(),
            );
        }
        let (texts, octets) = stateless.kept();
        assert!(
            octets <= BUDGET && texts <= BUDGET / BOOKKEEPING,
            "{texts} {octets}"
        );
        assert!(stateless.recall(at(1), path(PEER), cookies).is_some());
        // When the peer is no longer configured, its offer is one like the others.
        stateless.forget(&BTreeSet::from(["198.51.100.1".parse().unwrap()]));
        assert_eq!(stateless.texts.unproved.len(), stateless.texts.slots.len());
    }

    #[test]
    fn a_peer_that_changes_what_it_offers_keeps_one() {
        let mut stateless = Stateless::default();
        let peer = "198.51.100.1".parse().unwrap();
        for number in 0..1000u32 {
            stateless.proved(peer, &number.to_be_bytes());
        }
        assert_eq!(stateless.texts.of_peer.len(), 1);
        assert_eq!(stateless.texts.unproved.len(), 999);
        stateless.proved(peer, &5u32.to_be_bytes());
        assert_eq!(stateless.texts.unproved.len(), 999);
    }

    #[test]
    fn what_is_too_long_is_not_kept() {
        let mut stateless = Stateless::default();
        let body = vec![0; MAX_BODY + 1];
        let offered = (&body[..], false);
        let cookie = stateless.cookie(&mut Counting(0), at(0), path(PEER), INITIATOR, offered);
        assert!(cookie.is_none());
        assert_eq!(stateless.kept(), (0, 0));
    }
}

//! A world for ladder tests: endpoints with a fake clock, fake kernels, and a wire that can lose,
//! repeat, delay and change datagrams. Everything follows from the seed.
#![allow(dead_code)]

pub mod alone;
pub mod away;
pub mod config;
pub mod forge;
pub mod histories;

use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ike::algorithm::IpsecProtocol;
use ike::auth::psk::PreSharedKeys;
use ike::child::{ChildId, ChildSa, Direction};
use ike::config::{ConnectionId, FlowId};
use ike::endpoint::Endpoint;
use ike::event::{Event, Fact};
use ike::random::Randomness;
use ike::secret::Secret;
use ike::{Answer, Instant, Output, Question, QuestionId, Saved, Traffic};

use self::config::HostConfig;

/// A generator that is good enough for tests and the same every run (splitmix64).
#[derive(Clone)]
pub struct Seeded(pub u64);

impl Seeded {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }
}

impl Randomness for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.next() as u8);
    }
}

/// What the fake kernel of a host holds, and what it ever held.
#[derive(Default)]
pub struct Kernel {
    pub halves: BTreeMap<(ChildId, Direction), ChildSa>,
    /// Children in the order in which their outbound halves came
    order: Vec<ChildId>,
    /// Every SA there ever was: destination, protocol and SPI as they must never come again
    ever: HashSet<(IpAddr, IpsecProtocol, u32)>,
    /// Every key there ever was
    keys: HashSet<Vec<u8>>,
}

impl Kernel {
    /// The outbound SA that the kernel would use for a flow: the one that was installed last.
    pub fn outbound(&self, flow: FlowId) -> Option<&ChildSa> {
        let halves = self.order.iter().rev();
        halves
            .filter_map(|id| self.halves.get(&(*id, Direction::Outbound)))
            .find(|sa| sa.flow == flow)
    }

    /// Takes one half in. It must be new in every respect: an SA that comes back would begin again at
    /// sequence number 1 under its old key.
    fn install(&mut self, sa: ChildSa, direction: Direction) {
        for part in &sa.protocols {
            let (destination, spi, keys, other) = match direction {
                Direction::Inbound => (sa.local, part.inbound_spi, &part.inbound, &part.outbound),
                Direction::Outbound => {
                    (sa.remote, part.outbound_spi, &part.outbound, &part.inbound)
                }
            };
            assert!(
                self.ever.insert((destination, part.protocol, spi)),
                "SPI {spi:#x} of {:?} is installed a second time",
                sa.id
            );
            let key = [keys.cipher.expose(), keys.integrity.expose()].concat();
            assert!(
                key.is_empty() || self.keys.insert(key),
                "a key is used a second time"
            );
            assert!(
                other.cipher.is_empty() && other.integrity.is_empty(),
                "keys that are not asked for"
            );
        }
        if direction == Direction::Outbound {
            self.order.push(sa.id);
        }
        let old = self.halves.insert((sa.id, direction), sa);
        assert!(old.is_none(), "installed twice");
    }

    fn remove(&mut self, id: ChildId, direction: Direction) -> Option<ChildSa> {
        if direction == Direction::Outbound {
            self.order.retain(|other| *other != id);
        }
        self.halves.remove(&(id, direction))
    }

    pub fn count(&self, direction: Direction) -> usize {
        self.halves
            .keys()
            .filter(|(_, half)| *half == direction)
            .count()
    }
}

pub struct Host {
    pub address: IpAddr,
    /// When its clock began
    pub started: Instant,
    pub endpoint: Endpoint,
    /// What the endpoint's questions are answered from
    pub keys: PreSharedKeys,
    /// How long an answer takes; none: they never come
    pub answer_after: Option<Duration>,
    /// Questions that wait for their answers, and when they come
    pub questions: Vec<(Instant, QuestionId, Answer)>,
    pub kernel: Kernel,
    pub facts: Vec<Fact>,
    /// Every datagram that came in and was of use
    pub received: Vec<Vec<u8>>,
    /// Wishes that are over, in order
    pub over: Vec<(ConnectionId, FlowId)>,
    /// Answers every datagram with silence when false
    pub plugged: bool,
    /// Refuses every SA when true
    pub kernel_refuses: bool,
}

impl Host {
    /// The time of its own clock.
    pub fn clock(&self, now: Instant) -> Instant {
        Instant::from_millis(now.as_millis() - self.started.as_millis())
    }

    /// When its endpoint waits to be called, in the world's time.
    fn next_timeout(&self) -> Option<Instant> {
        let next = self.endpoint.next_timeout()?;
        Some(self.started + next.since(Instant::default()))
    }

    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.facts.iter().map(|fact| &fact.event)
    }

    pub fn count(&self, which: impl Fn(&Event) -> bool) -> usize {
        self.events().filter(|event| which(event)).count()
    }

    pub fn has(&self, which: impl Fn(&Event) -> bool) -> bool {
        self.count(which) > 0
    }

    /// The causes of failures so far, as text.
    pub fn causes(&self) -> Vec<String> {
        self.events()
            .filter_map(|event| match event {
                Event::Failed { cause, .. } => Some(cause.to_string()),
                _ => None,
            })
            .collect()
    }

    /// The configuration lines that the failures so far name, as text.
    pub fn lines(&self) -> Vec<String> {
        self.events()
            .filter_map(|event| match event {
                Event::Failed { cause, .. } => Some(cause.line()?.to_string()),
                _ => None,
            })
            .collect()
    }
}

/// A datagram on the wire.
#[derive(Clone, Debug)]
pub struct Datagram {
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub bytes: Vec<u8>,
}

/// Changes a datagram, or swallows it by saying false; gets its number.
pub type Tamper = Box<dyn FnMut(usize, &mut Datagram) -> bool>;

/// How the wire treats datagrams.
pub struct Wire {
    pub random: Seeded,
    /// Percent lost, repeated
    pub loss: u64,
    pub repeats: u64,
    pub latency: Duration,
    /// Extra latency up to this, which reorders
    pub jitter: Duration,
    /// Changes or swallows a datagram; gets its number
    pub tamper: Option<Tamper>,
    /// Everything that was sent, in order
    pub sent: Vec<Datagram>,
    /// Addresses and ports that a translator in between shows as others: inside, outside
    pub translated: Vec<(SocketAddr, SocketAddr)>,
    flying: BTreeMap<(Instant, u64), Datagram>,
    order: u64,
}

pub struct World {
    pub now: Instant,
    pub hosts: Vec<Host>,
    pub wire: Wire,
    counters: BTreeMap<(usize, ChildId), Traffic>,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            now: Instant::from_millis(1_000_000),
            hosts: Vec::new(),
            counters: BTreeMap::new(),
            wire: Wire {
                random: Seeded(seed),
                loss: 0,
                repeats: 0,
                latency: Duration::from_millis(10),
                jitter: Duration::ZERO,
                tamper: None,
                sent: Vec::new(),
                translated: Vec::new(),
                flying: BTreeMap::new(),
                order: 0,
            },
        }
    }

    /// Adds a host and gives its number.
    pub fn host(&mut self, address: &str, config: HostConfig) -> usize {
        let address: IpAddr = address.parse().unwrap();
        let seed = self.wire.random.next();
        let mut endpoint = Endpoint::new(Box::new(Seeded(seed)));
        endpoint.set_debug(true);
        endpoint.set_config(self.now, config.engine);
        self.hosts.push(Host {
            keys: config.keys,
            answer_after: Some(Duration::ZERO),
            questions: Vec::new(),
            address,
            started: Instant::default(),
            endpoint,
            kernel: Kernel::default(),
            facts: Vec::new(),
            received: Vec::new(),
            over: Vec::new(),
            plugged: true,
            kernel_refuses: false,
        });
        self.hosts.len() - 1
    }

    /// Replaces a host by one that remembers nothing.
    pub fn restart(&mut self, host: usize, config: HostConfig) {
        let seed = self.wire.random.next();
        let mut endpoint = Endpoint::new(Box::new(Seeded(seed)));
        endpoint.set_debug(true);
        endpoint.set_config(self.now, config.engine);
        self.hosts[host].endpoint = endpoint;
        self.hosts[host].keys = config.keys;
        self.hosts[host].questions.clear();
        self.hosts[host].started = Instant::default();
        self.hosts[host].kernel = Kernel::default();
    }

    /// Gives a host another configuration.
    pub fn set_config(&mut self, host: usize, config: HostConfig) {
        self.hosts[host].keys = config.keys;
        self.with(host, |endpoint, now| {
            endpoint.set_config(now, config.engine)
        });
    }

    /// Ends the endpoint of a host and keeps what it saved. Its kernel goes on; nothing answers any more.
    pub fn save(&mut self, host: usize) -> Secret {
        let (now, wall) = (self.now, self.wall());
        let seed = self.wire.random.next();
        let host = &mut self.hosts[host];
        let none = Endpoint::new(Box::new(Seeded(seed)));
        let endpoint = std::mem::replace(&mut host.endpoint, none);
        host.plugged = false;
        host.questions.clear();
        let saved = endpoint.save(host.clock(now), wall);
        let halves = saved.halves();
        let halves: Vec<_> = halves.iter().map(|(id, half, _)| (*id, *half)).collect();
        let kernel: Vec<_> = host.kernel.halves.keys().copied().collect();
        assert_eq!(halves, kernel, "what is saved is not what the kernel has");
        saved.to_bytes()
    }

    /// A new endpoint goes on with what one saved, its clock just begun.
    pub fn resume(&mut self, host: usize, config: HostConfig, saved: &[u8]) {
        let saved = Saved::from_bytes(saved).unwrap();
        let seed = self.wire.random.next();
        let (now, wall) = (self.now, self.wall());
        let hosted = &mut self.hosts[host];
        hosted.endpoint = Endpoint::new(Box::new(Seeded(seed)));
        hosted.endpoint.set_debug(true);
        hosted.started = Instant::from_millis(now.as_millis() - 7);
        hosted.plugged = true;
        hosted.keys = config.keys;
        self.with(host, |endpoint, now| {
            endpoint.set_config(now, config.engine);
            endpoint.resume(now, wall, saved).unwrap();
        });
    }

    /// The wall-clock time, in milliseconds since 1970.
    fn wall(&self) -> u64 {
        1_800_000_000_000 + self.now.as_millis()
    }

    /// Calls an endpoint and carries out what comes of it.
    pub fn with<R>(&mut self, host: usize, call: impl FnOnce(&mut Endpoint, Instant) -> R) -> R {
        let hosted = &mut self.hosts[host];
        let now = hosted.clock(self.now);
        let result = call(&mut hosted.endpoint, now);
        self.drain(host);
        result
    }

    pub fn acquire(&mut self, host: usize, connection: u32, flow: u32) {
        self.with(host, |endpoint, now| {
            endpoint.acquire(now, ConnectionId(connection), FlowId(flow), None);
        });
    }

    fn drain(&mut self, host: usize) {
        let mut refused = Vec::new();
        loop {
            let hosted = &mut self.hosts[host];
            let Some(output) = hosted.endpoint.poll_output() else {
                break;
            };
            match output {
                Output::Transmit {
                    local,
                    remote,
                    bytes,
                } => {
                    assert_eq!(local.ip(), hosted.address);
                    let datagram = Datagram {
                        from: local,
                        to: remote,
                        bytes,
                    };
                    if hosted.plugged {
                        self.send(datagram);
                    }
                }
                Output::InstallChild { child, .. } if hosted.kernel_refuses => {
                    refused.push(child.id);
                }
                Output::InstallChild { child, direction } => {
                    hosted.kernel.install(*child, direction);
                }
                Output::RemoveChild { id, direction, sas } => {
                    let old = hosted.kernel.remove(id, direction);
                    assert!(
                        old.is_some() || hosted.kernel_refuses,
                        "removed what is not there"
                    );
                    assert!(!sas.is_empty());
                }
                Output::WantOver {
                    connection, flow, ..
                } => hosted.over.push((connection, flow)),
                Output::Fact(fact) => hosted.facts.push(fact),
                Output::Ask { id, question } => {
                    let Question::PeerKey { peer } = question;
                    let answer = Answer::PeerKey(hosted.keys.for_address(peer).cloned());
                    match hosted.answer_after {
                        Some(Duration::ZERO) => hosted.endpoint.answer(self.now, id, answer),
                        Some(time) => hosted.questions.push((self.now + time, id, answer)),
                        None => {}
                    }
                }
            }
        }
        for child in refused {
            self.with(host, |endpoint, now| {
                endpoint.install_failed(now, child, "no ESP")
            });
        }
    }

    fn send(&mut self, mut datagram: Datagram) {
        let wire = &mut self.wire;
        let mut translated = wire.translated.iter();
        if let Some((_, outside)) = translated.find(|(inside, _)| *inside == datagram.from) {
            datagram.from = *outside;
        }
        let number = wire.sent.len();
        wire.sent.push(datagram.clone());
        if let Some(tamper) = &mut wire.tamper
            && !tamper(number, &mut datagram)
        {
            return;
        }
        if wire.random.percent(wire.loss) {
            return;
        }
        let copies = if wire.random.percent(wire.repeats) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            let jitter = wire.jitter.as_millis() as u64;
            let extra = if jitter == 0 {
                0
            } else {
                wire.random.next() % jitter
            };
            let at = self.now + wire.latency + Duration::from_millis(extra);
            // Without jitter datagrams stay in order. A number is drawn all the same: what is lost in a
            // test follows from its seed.
            wire.random.next();
            wire.order += 1;
            wire.flying.insert((at, wire.order), datagram.clone());
        }
    }

    /// Puts a datagram on the wire as if a host had sent it.
    pub fn inject(&mut self, from: usize, to: usize, bytes: Vec<u8>) {
        let (from, to) = (self.hosts[from].address, self.hosts[to].address);
        let datagram = Datagram {
            from: SocketAddr::new(from, 500),
            to: SocketAddr::new(to, 500),
            bytes,
        };
        self.deliver(datagram);
    }

    fn deliver(&mut self, mut datagram: Datagram) {
        let mut translated = self.wire.translated.iter();
        if let Some((inside, _)) = translated.find(|(_, outside)| *outside == datagram.to) {
            datagram.to = *inside;
        }
        let found = self
            .hosts
            .iter()
            .position(|host| host.address == datagram.to.ip());
        if let Some(host) = found.filter(|host| self.hosts[*host].plugged) {
            let used = self.with(host, |endpoint, now| {
                let dropped = |endpoint: &Endpoint| endpoint.dropped().values().sum::<u64>();
                let before = dropped(endpoint);
                endpoint.datagram(now, datagram.to, datagram.from, &datagram.bytes);
                dropped(endpoint) == before
            });
            if used {
                self.hosts[host].received.push(datagram.bytes);
            }
        }
    }

    /// The next moment at which anything happens.
    fn next(&self) -> Option<Instant> {
        let flying = self.wire.flying.keys().next().map(|(at, _)| *at);
        let timers = self.hosts.iter().filter_map(Host::next_timeout);
        let questions = self.hosts.iter().flat_map(|host| &host.questions);
        let answers = questions.map(|(at, ..)| *at);
        timers.chain(flying).chain(answers).min()
    }

    /// Lets everything happen that happens within `time`.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until(end, |_| false);
    }

    /// Runs until `done`, at most until `end`; says whether it was done.
    pub fn run_until(&mut self, end: Instant, done: impl Fn(&World) -> bool) -> bool {
        loop {
            if done(self) {
                return true;
            }
            let Some(next) = self.next().filter(|next| *next <= end) else {
                self.now = end;
                return false;
            };
            self.now = self.now.max(next);
            while let Some(entry) = self.wire.flying.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let datagram = entry.remove();
                self.deliver(datagram);
            }
            for host in 0..self.hosts.len() {
                let due = |question: &mut (Instant, _, _)| question.0 <= self.now;
                let due: Vec<_> = self.hosts[host].questions.extract_if(.., due).collect();
                for (_, id, answer) in due {
                    self.with(host, |endpoint, now| endpoint.answer(now, id, answer));
                }
                let due = self.hosts[host].next_timeout();
                if due.is_some_and(|due| due <= self.now) {
                    self.with(host, |endpoint, now| endpoint.timeout(now));
                }
            }
        }
    }

    /// Runs until `done` or panics after `seconds`.
    pub fn expect(&mut self, seconds: u64, what: &str, done: impl Fn(&World) -> bool) {
        let end = self.now + Duration::from_secs(seconds);
        if !self.run_until(end, done) {
            for (number, host) in self.hosts.iter().enumerate() {
                for fact in &host.facts {
                    eprintln!("{number}: {:?}", fact.event);
                }
            }
            panic!("not within {seconds} seconds: {what}");
        }
    }

    /// True when a packet of a flow gets from one host to the other: the sender has an outbound SA
    /// and the receiver the same SA inbound, with the same keys.
    pub fn packet_arrives(&self, from: usize, to: usize, flow: FlowId) -> bool {
        self.packet(from, to, flow).1.is_some()
    }

    /// The child on which a packet of a flow leaves one host, and the one on which it arrives.
    fn packet(&self, from: usize, to: usize, flow: FlowId) -> (Option<ChildId>, Option<ChildId>) {
        let Some(sent) = self.hosts[from].kernel.outbound(flow) else {
            return (None, None);
        };
        let halves = self.hosts[to].kernel.halves.iter();
        let mut inbound = halves.filter(|((_, direction), _)| *direction == Direction::Inbound);
        let twin = inbound.find(|(_, received)| {
            received.mode == sent.mode
                && received.protocols.len() == sent.protocols.len()
                && received
                    .protocols
                    .iter()
                    .zip(&sent.protocols)
                    .all(|(theirs, ours)| {
                        theirs.protocol == ours.protocol
                            && theirs.inbound_spi == ours.outbound_spi
                            && theirs.cipher == ours.cipher
                            && theirs.integrity == ours.integrity
                            && theirs.inbound == ours.outbound
                    })
        });
        (Some(sent.id), twin.map(|((id, _), _)| *id))
    }

    /// For so many seconds the `senders` send a packet of connection 1 and flow 1 a second: it is
    /// counted, or asks for an SA. The endpoints get the counters that they want.
    pub fn send_packets(&mut self, senders: &[usize], seconds: u64) {
        let flow = FlowId(1);
        for _ in 0..seconds {
            self.run(Duration::from_secs(1));
            for from in senders.iter().copied() {
                let to = 1 - from;
                let (sent, received) = self.packet(from, to, flow);
                match sent {
                    Some(id) => {
                        self.counters
                            .entry((from, id))
                            .or_default()
                            .outbound_packets += 1
                    }
                    None => self.acquire(from, 1, 1),
                }
                if let Some(id) = received {
                    self.counters.entry((to, id)).or_default().inbound_packets += 1;
                }
            }
            for host in 0..self.hosts.len() {
                for child in self.hosts[host].endpoint.wants_traffic() {
                    let count = self.counters.get(&(host, child)).copied();
                    self.with(host, |endpoint, now| {
                        endpoint.traffic(now, child, count.unwrap_or_default());
                    });
                }
            }
        }
    }

    /// Both ways.
    pub fn traffic_flows(&self, a: usize, b: usize, flow: FlowId) -> bool {
        self.packet_arrives(a, b, flow) && self.packet_arrives(b, a, flow)
    }
}

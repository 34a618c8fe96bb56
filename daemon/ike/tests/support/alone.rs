//! One endpoint by itself, which a test hands datagrams of its own making.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ike::auth::psk::PreSharedKeys;
use ike::endpoint::Endpoint;
use ike::event::DropReason;
use ike::random::Randomness;
use ike::status::StateWord;
use ike::{Answer, Instant, Output, Question};

use super::Seeded;
use super::config::{A, B, HostConfig};
use super::forge::at;

/// Randomness that counts: a key pair cannot be made without it.
struct Counting(Seeded, Arc<AtomicU64>);

impl Randomness for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.1.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.0.fill(bytes);
    }
}

pub struct Alone {
    pub endpoint: Endpoint,
    pub keys: PreSharedKeys,
    drawn: Arc<AtomicU64>,
    pub now: Instant,
}

impl Alone {
    pub fn new(config: HostConfig) -> Self {
        let drawn = Arc::new(AtomicU64::new(0));
        let mut endpoint = Endpoint::new(Box::new(Counting(Seeded(9), drawn.clone())));
        let now = Instant::from_millis(1_000_000);
        endpoint.set_config(now, config.engine);
        Self {
            endpoint,
            keys: config.keys,
            drawn,
            now,
        }
    }

    /// What comes out next; questions are answered at once.
    pub fn next_output(&mut self) -> Option<Output> {
        loop {
            match self.endpoint.poll_output()? {
                Output::Ask { id, question } => {
                    let Question::PeerKey { peer } = question;
                    let key = Answer::PeerKey(self.keys.for_address(peer).cloned());
                    self.endpoint.answer(self.now, id, key);
                }
                output => return Some(output),
            }
        }
    }

    /// Takes a datagram from A and gives the answers.
    pub fn take(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.endpoint.datagram(self.now, at(B), at(A), bytes);
        let mut answers = Vec::new();
        while let Some(output) = self.next_output() {
            if let Output::Transmit { bytes, .. } = output {
                answers.push(bytes);
            }
        }
        answers
    }

    /// Bytes of randomness drawn since this was asked last.
    pub fn drawn(&self) -> u64 {
        self.drawn.swap(0, Ordering::Relaxed)
    }

    pub fn dropped(&self, reason: DropReason) -> u64 {
        let dropped = self.endpoint.dropped();
        dropped.get(&reason).copied().unwrap_or(0)
    }

    pub fn states(&self) -> Vec<StateWord> {
        let sas = self.endpoint.ike_sas(self.now);
        sas.iter().map(|sa| sa.state).collect()
    }
}

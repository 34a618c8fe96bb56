//! `ping`: one character for each probe, as it comes. Called by `exec`.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use isthmus_control::Status;
use isthmus_grammar::command::{Ping, SourceSpec};
use isthmus_kernel::{Probe, ProbeReply};

use super::io::Disconnected;
use super::{Outcome, Session};

const REPEAT: u32 = 5;
const SIZE: u16 = 100;
const TIMEOUT: u16 = 2;
/// Characters in a line of results.
const LINE: u32 = 70;
/// The target is neither an address nor the name of a host.
pub(super) const UNRECOGNIZED: &str = "% Unrecognized host or address, or protocol not running.\n";

/// The sizes of the datagrams, in the order in which they go out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    least: u16,
    most: u16,
    step: u16,
}

impl Sizes {
    pub(super) fn one(size: u16) -> Self {
        Self::sweep(size, size, 1)
    }

    pub(super) fn sweep(least: u16, most: u16, step: u16) -> Self {
        Self { least, most, step }
    }

    fn count(self) -> u32 {
        u32::from((self.most - self.least) / self.step) + 1
    }

    /// Of the datagram with this number, counted from 0.
    fn nth(self, number: u32) -> u16 {
        let steps = (number % self.count()) as u16;
        self.least + steps * self.step
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.least == self.most {
            true => write!(f, "{}", self.least),
            false => write!(f, "[{}..{}]", self.least, self.most),
        }
    }
}

/// What became of the probes.
#[derive(Debug, Default)]
struct Tally {
    sent: u32,
    times: Vec<Duration>,
}

impl Session {
    pub(super) async fn ping(&mut self, ping: Option<Ping>) -> Outcome {
        let (ping, sizes) = match ping {
            Some(ping) => {
                let size = ping.size.unwrap_or(SIZE);
                (ping, Sizes::one(size))
            }
            None => self.ask_ping().await?,
        };
        let Some(target) = self.resolve(&ping.target).await else {
            return self.fail(UNRECOGNIZED).await;
        };
        let source = self.source(ping.source.as_ref())?;
        let seconds = ping.timeout.unwrap_or(TIMEOUT);
        let probe = Probe {
            source,
            dont_fragment: ping.df_bit,
            ttl: 255,
            timeout: Duration::from_secs(seconds.into()),
            ..Probe::to(target)
        };
        let repeat = ping.repeat.unwrap_or(REPEAT);
        self.io.output(&introduction(&probe, repeat, sizes)).await?;
        let total = repeat.saturating_mul(sizes.count());
        let tally = self.probes(&probe, total, sizes).await?;
        let text = summary(&tally);
        self.io.output(&text).await?;
        Ok(if tally.times.is_empty() {
            Status::Failed
        } else {
            Status::Ok
        })
    }

    async fn probes(
        &mut self,
        probe: &Probe,
        total: u32,
        sizes: Sizes,
    ) -> Result<Tally, Disconnected> {
        let kernel = self.router.borrow().kernel.clone();
        let mut tally = Tally::default();
        while tally.sent < total {
            let probe = Probe {
                size: sizes.nth(tally.sent),
                sequence: (tally.sent % 0x1_0000) as u16,
                ..probe.clone()
            };
            let reply = tokio::select! {
                reply = kernel.ping(probe) => reply,
                gone = self.io.interrupted() => {
                    gone?;
                    break;
                }
            };
            tally.sent += 1;
            let character = match reply {
                Err(error) => {
                    self.io.output(&format!("\n% {error}\n")).await?;
                    break;
                }
                Ok(reply) => tally.count(&reply),
            };
            let end = if tally.sent.is_multiple_of(LINE) {
                "\n"
            } else {
                ""
            };
            self.io.output(&format!("{character}{end}")).await?;
        }
        Ok(tally)
    }

    /// The address to send from.
    pub(super) fn source(&self, source: Option<&SourceSpec>) -> Result<Option<IpAddr>, String> {
        let router = self.router.borrow();
        match source {
            None => Ok(None),
            Some(SourceSpec::Address(address)) => {
                let address = IpAddr::V4(*address);
                let ours = router.interfaces.with_address(address).is_some();
                ours.then_some(Some(address)).ok_or_else(|| {
                    format!("% Invalid source address: no interface has {address}\n")
                })
            }
            Some(SourceSpec::Interface(name)) => {
                let primary = router.interfaces.find(name).and_then(|i| i.primary());
                primary.map(Some).ok_or_else(|| {
                    format!("% Invalid source interface: {name} has no IP address\n")
                })
            }
        }
    }
}

impl Tally {
    fn count(&mut self, reply: &ProbeReply) -> char {
        match reply {
            ProbeReply::Reply { rtt, .. } => {
                self.times.push(*rtt);
                '!'
            }
            // No route of our own: IOS drops the packet and waits.
            ProbeReply::Timeout | ProbeReply::Unreachable { from: None, .. } => '.',
            ProbeReply::Unreachable { .. } => 'U',
            ProbeReply::FragmentationNeeded { .. } => 'M',
            ProbeReply::TimeExceeded { .. } => '&',
        }
    }
}

fn introduction(probe: &Probe, repeat: u32, sizes: Sizes) -> String {
    let mut text = format!(
        "Type escape sequence to abort.\nSending {repeat}, {sizes}-byte ICMP Echos to {}, timeout is {} seconds:\n",
        probe.destination,
        probe.timeout.as_secs()
    );
    if let Some(source) = probe.source {
        text.push_str(&format!("Packet sent with a source address of {source} \n"));
    }
    if probe.dont_fragment {
        text.push_str("Packet sent with the DF bit set\n");
    }
    text
}

fn summary(tally: &Tally) -> String {
    let received = tally.times.len();
    let percent = (received as u64 * 100)
        .checked_div(tally.sent.into())
        .unwrap_or(0);
    let mut text = format!(
        "\nSuccess rate is {percent} percent ({received}/{})",
        tally.sent
    );
    let times = tally.times.iter().map(|time| time.as_millis().max(1));
    if let (Some(min), Some(max)) = (times.clone().min(), times.clone().max()) {
        let average = times.sum::<u128>() / received as u128;
        text.push_str(&format!(
            ", round-trip min/avg/max = {min}/{average}/{max} ms"
        ));
    }
    text.push('\n');
    text
}

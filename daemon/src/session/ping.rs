//! `ping`: one character for each probe, as it comes.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use isthmus_control::Status;
use isthmus_grammar::InterfaceName;
use isthmus_grammar::command::{Ping, SourceSpec};
use isthmus_kernel::{Probe, ProbeReply};

use super::io::Gone;
use super::{Outcome, Session};
use crate::names::resolve;

const REPEAT: u32 = 5;
const SIZE: u16 = 100;
const TIMEOUT: u16 = 2;
/// Characters in a line of results.
const LINE: u32 = 70;

/// What became of the probes.
#[derive(Debug, Default)]
struct Tally {
    sent: u32,
    times: Vec<Duration>,
}

impl Session {
    pub(super) async fn ping(&mut self, ping: Option<Ping>) -> Outcome {
        let ping = match ping {
            Some(ping) => ping,
            None => match self.ask_ping().await? {
                Ok(ping) => ping,
                Err(text) => return self.fail(text).await,
            },
        };
        let Some(target) = resolve(&self.router, &ping.target).await else {
            return self
                .fail("% Unrecognized host or address, or protocol not running.\n")
                .await;
        };
        let source = match self.source(ping.source.as_ref()) {
            Ok(source) => source,
            Err(text) => return self.fail(text).await,
        };
        let seconds = ping.timeout.unwrap_or(TIMEOUT);
        let probe = Probe {
            source,
            size: ping.size.unwrap_or(SIZE),
            dont_fragment: ping.df_bit,
            ttl: 255,
            timeout: Duration::from_secs(seconds.into()),
            ..Probe::to(target)
        };
        let repeat = ping.repeat.unwrap_or(REPEAT);
        self.io.output(&introduction(&probe, repeat)).await?;
        let tally = self.probes(&probe, repeat).await?;
        let text = summary(&tally);
        self.io.output(&text).await?;
        Ok(if tally.times.is_empty() {
            Status::Failed
        } else {
            Status::Ok
        })
    }

    async fn probes(&mut self, probe: &Probe, repeat: u32) -> Result<Tally, Gone> {
        let kernel = self.router.borrow().kernel.clone();
        let mut tally = Tally::default();
        while tally.sent < repeat {
            let probe = Probe {
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

    /// `ping` alone asks for everything.
    async fn ask_ping(&mut self) -> Result<Result<Ping, String>, Gone> {
        let stopped = || Ok(Err(String::new()));
        macro_rules! ask {
            ($prompt:expr, $default:expr) => {
                match self.ask($prompt, $default).await? {
                    Some(answer) => answer,
                    None => return stopped(),
                }
            };
        }
        if !"ip".starts_with(&ask!("Protocol [ip]: ", "ip")) {
            return Ok(Err("% Unknown protocol\n".into()));
        }
        let target = ask!("Target IP address: ", "");
        let repeat = ask!("Repeat count [5]: ", "5").parse();
        let size = ask!("Datagram size [100]: ", "100").parse();
        let timeout = ask!("Timeout in seconds [2]: ", "2").parse();
        let extended = ask!("Extended commands [n]: ", "n");
        let mut source = None;
        let mut df_bit = false;
        if extended.starts_with(['y', 'Y']) {
            let text = ask!("Source address or interface: ", "");
            source = parse_source(&text);
            if source.is_none() && !text.is_empty() {
                return Ok(Err("% Invalid source\n".into()));
            }
            df_bit = ask!("Set DF bit in IP header? [no]: ", "no").starts_with(['y', 'Y']);
        }
        let (Ok(repeat), Ok(size), Ok(timeout)) = (repeat, size, timeout) else {
            return Ok(Err("% A decimal number was expected\n".into()));
        };
        if !(36..=18024).contains(&size) {
            return Ok(Err("% The datagram size is 36 to 18024\n".into()));
        }
        Ok(Ok(Ping {
            target,
            source,
            repeat: Some(repeat),
            size: Some(size),
            timeout: Some(timeout),
            df_bit,
        }))
    }
}

/// An address or an interface; nothing when it is neither.
pub(super) fn parse_source(text: &str) -> Option<SourceSpec> {
    match text.parse::<Ipv4Addr>() {
        Ok(address) => Some(SourceSpec::Address(address)),
        Err(_) => InterfaceName::parse(text).map(SourceSpec::Interface),
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

fn introduction(probe: &Probe, repeat: u32) -> String {
    let mut text = format!(
        "Type escape sequence to abort.\nSending {repeat}, {}-byte ICMP Echos to {}, timeout is {} seconds:\n",
        probe.size,
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

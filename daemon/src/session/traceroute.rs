//! `traceroute`: ICMP echoes with rising time to live. Called by `exec`.

use std::net::IpAddr;
use std::time::Duration;

use isthmus_control::Status;
use isthmus_grammar::command::Traceroute;
use isthmus_kernel::{Probe, ProbeReply};

use super::io::Disconnected;
use super::{Outcome, Session};

const PROBES: u16 = 3;
const TIMEOUT: u16 = 3;
const TTL: (u8, u8) = (1, 30);

/// What one probe adds to a line, and whether the way ends here.
struct Step {
    from: Option<IpAddr>,
    text: String,
    last: bool,
}

impl Session {
    pub(super) async fn traceroute(&mut self, trace: Option<Traceroute>) -> Outcome {
        let trace = match trace {
            Some(trace) => trace,
            None => self.ask_traceroute().await?,
        };
        let Some(target) = self.resolve(&trace.target).await else {
            return self.fail("% Unrecognized host or address.\n").await;
        };
        let source = self.source(trace.source.as_ref())?;
        let probe = Probe {
            source,
            size: 60,
            timeout: Duration::from_secs(trace.timeout.unwrap_or(TIMEOUT).into()),
            ..Probe::to(target)
        };
        let introduction = format!(
            "Type escape sequence to abort.\nTracing the route to {target}\nVRF info: (vrf in name/id, vrf out name/id)\n"
        );
        self.io.output(&introduction).await?;
        let (first, last) = trace.ttl.unwrap_or(TTL);
        for ttl in first..=last {
            let probe = Probe {
                ttl,
                ..probe.clone()
            };
            if self.hop(&probe, trace.probe.unwrap_or(PROBES)).await? {
                break;
            }
        }
        Ok(Status::Ok)
    }

    /// One line; true when there is no further one.
    async fn hop(&mut self, probe: &Probe, count: u16) -> Result<bool, Disconnected> {
        let kernel = self.router.borrow().kernel.clone();
        self.io.output(&format!("{:3}", probe.ttl)).await?;
        let mut before = None;
        let mut end = false;
        for number in 0..count {
            let probe = Probe {
                sequence: u16::from(probe.ttl) * 256 + number % 256,
                ..probe.clone()
            };
            let reply = tokio::select! {
                reply = kernel.ping(probe) => reply,
                gone = self.io.interrupted() => {
                    gone?;
                    end = true;
                    break;
                }
            };
            let step = match reply {
                Ok(reply) => step(&reply),
                Err(error) => {
                    self.io.output(&format!(" % {error}")).await?;
                    end = true;
                    break;
                }
            };
            let text = match step.from {
                Some(from) if before.is_none() => format!(" {from}{}", step.text),
                Some(from) if before != Some(from) => format!("\n    {from}{}", step.text),
                _ => step.text,
            };
            before = step.from.or(before);
            end |= step.last;
            self.io.output(&text).await?;
        }
        self.io.output("\n").await?;
        Ok(end)
    }
}

fn step(reply: &ProbeReply) -> Step {
    let answered = |from: Option<IpAddr>, text: String, last| Step { from, text, last };
    match reply {
        ProbeReply::Reply { from, rtt, .. } => answered(Some(*from), msec(*rtt), true),
        ProbeReply::TimeExceeded { from, rtt } => answered(Some(*from), msec(*rtt), false),
        ProbeReply::Unreachable { from, .. } => answered(*from, " !H ".into(), true),
        ProbeReply::FragmentationNeeded { from, .. } => answered(*from, " !F ".into(), true),
        ProbeReply::Timeout => answered(None, "  * ".into(), false),
    }
}

fn msec(time: Duration) -> String {
    format!(" {} msec", time.as_millis())
}

//! What most scenarios share: two or more routers of some brand with tunnels between them, traffic that raises them, and the
//! proof that it was protected: SA counters on both ends, and a wire that saw only IKE and ESP or AH.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::lab::{Echo, Kind, Lab, Report};
use crate::peer::{Brand, Isthmus, Link, Router, Tunnel, kernel};

/// Builds the sites, starts each router with its links, runs `body`, and on failure tells all that is known.
pub fn with(
    sites: &[(Brand, Vec<Link>)],
    body: impl FnOnce(&mut Bed<'_>) -> Result<()>,
) -> Result<()> {
    let layers = sites
        .iter()
        .map(|(brand, _)| brand.layers())
        .collect::<Vec<_>>();
    let layers = layers
        .iter()
        .map(|list| list.iter().map(|path| path.as_path()).collect())
        .collect::<Vec<Vec<&Path>>>();
    let mut lab = Lab::new(&layers)?;
    let tunnels = sites
        .iter()
        .flat_map(|(_, links)| links)
        .map(|link| &link.tunnel);
    let (ah, readable) = (
        tunnels.clone().any(Tunnel::has_ah),
        tunnels
            .clone()
            .any(|tunnel| tunnel.has_esp() && tunnel.is_readable()),
    );
    lab.capture.readable = readable;
    lab.note("the hosts are up");
    let mut bed = Bed::new(&lab, Vec::new());
    bed.carrier = if ah {
        Kind::Ah
    } else if readable {
        Kind::ReadableEsp
    } else {
        Kind::Esp
    };
    let mut outcome = Ok(());
    for ((brand, links), site) in sites.iter().zip(&lab.sites) {
        match brand
            .start(&lab, site, links)
            .with_context(|| format!("start {brand:?} on R{}", site.number))
        {
            Ok(router) => bed.routers.push(router),
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    if outcome.is_ok() {
        outcome = body(&mut bed);
    }
    proof(&lab, outcome, &bed)
}

/// The end of every scenario: keeps the capture and, after a failure, prints all that helps to see what went wrong.
pub fn proof(lab: &Lab, outcome: Result<()>, bed: &Bed<'_>) -> Result<()> {
    lab.note(format!("the middle saw {}", lab.capture.summary()));
    lab.capture.save(&lab.results().join("middle.pcap"))?;
    if let Err(error) = &outcome {
        println!("FAILED: {error:#}");
        bed.diagnose();
    }
    outcome
}

/// Two sites with one tunnel; each brand gets the same description.
pub fn pair(
    left: Brand,
    right: Brand,
    tunnel: &Tunnel,
    body: impl FnOnce(&mut Bed<'_>) -> Result<()>,
) -> Result<()> {
    with(
        &[
            (left, vec![Link::new(1, 2, tunnel)]),
            (right, vec![Link::new(2, 1, tunnel)]),
        ],
        body,
    )
}

/// The routers of a scenario at work.
pub struct Bed<'lab> {
    /// The hosts and the wire.
    pub lab: &'lab Lab,
    /// The routers, the first is R1.
    pub routers: Vec<Box<dyn Router + 'lab>>,
    /// What the tunnels' packets are on the wire.
    carrier: Kind,
}

impl<'lab> Bed<'lab> {
    /// Routers that a scenario has started itself.
    pub fn new(lab: &'lab Lab, routers: Vec<Box<dyn Router + 'lab>>) -> Bed<'lab> {
        Bed {
            lab,
            routers,
            carrier: Kind::Esp,
        }
    }

    /// Router R1, R2, ...
    pub fn router(&mut self, number: usize) -> &mut (dyn Router + 'lab) {
        self.routers[number - 1].as_mut()
    }

    /// The console of router R1, R2, ...
    pub fn isthmus(&self, number: usize) -> Result<&Isthmus<'_>> {
        self.routers[number - 1]
            .isthmus()
            .with_context(|| format!("R{number} is not an Isthmus"))
    }

    /// Pings from one client to another until an answer comes, for at most `limit`: what raises a tunnel.
    pub fn raise(&self, from: u8, to: u8, limit: Duration) -> Result<Report> {
        self.raise_as(
            from,
            Echo::new(self.lab.site(from).inside(), self.lab.site(to).inside()),
            limit,
        )
    }

    /// As `raise`, for any echo from a client.
    pub fn raise_as(&self, from: u8, echo: Echo, limit: Duration) -> Result<Report> {
        self.until_answered(&format!("C{from}"), limit, || {
            self.lab.echo(from, echo.count(5))
        })
    }

    /// Pings from one router to another until an answer comes, for transport mode.
    pub fn raise_routers(&self, from: u8, to: u8, limit: Duration) -> Result<Report> {
        let echo = Echo::new(self.lab.site(from).outside(), self.lab.site(to).outside());
        self.until_answered(&format!("R{from}"), limit, || {
            let report = echo.ping(&self.lab.site(from).router)?;
            self.lab.note(format!("R{from} ping {}: {report}", echo.to));
            Ok(report)
        })
    }

    fn until_answered(
        &self,
        who: &str,
        limit: Duration,
        mut ping: impl FnMut() -> Result<Report>,
    ) -> Result<Report> {
        let start = Instant::now();
        loop {
            let report = ping()?;
            if report.answered.last() == Some(&true) {
                return Ok(report);
            }
            if start.elapsed() > limit {
                bail!("{who} had no answer for {} s", limit.as_secs());
            }
        }
    }

    /// The proof of protection between two sites: packets in the SAs of both kernels, ESP or AH both ways on the wire, nothing in clear;
    /// and where the router is an Isthmus, its own screen counts the same packets.
    pub fn expect_protected(&self, from: u8, to: u8) -> Result<()> {
        let (near, far) = (self.lab.site(from), self.lab.site(to));
        for site in [near, far] {
            let used = kernel::sas(&site.router)?
                .into_iter()
                .filter(|sa| sa.packets > 0)
                .collect::<Vec<_>>();
            let between = |a: Ipv4Addr, b: Ipv4Addr| {
                used.iter()
                    .any(|sa| sa.from == a.to_string() && sa.to == b.to_string())
            };
            let both =
                between(near.outside(), far.outside()) && between(far.outside(), near.outside());
            ensure!(
                both,
                "R{}: no SA pair with packets between R{from} and R{to}; SAs in use: {used:?}",
                site.number
            );
        }
        let kind = self.carrier;
        for (a, b) in [(near, far), (far, near)] {
            ensure!(
                self.lab.capture.between(kind, a.outside(), b.outside()) > 0,
                "no {kind:?} went from R{} to R{}",
                a.number,
                b.number
            );
        }
        self.lab.capture.expect_nothing_in_clear()?;
        for site in [near, far] {
            if let Some(isthmus) = self.routers[usize::from(site.number) - 1].isthmus() {
                expect_screens(isthmus, site.number)?;
            }
        }
        Ok(())
    }

    /// Prints all that helps to see what went wrong.
    fn diagnose(&self) {
        for site in &self.lab.sites {
            println!(
                "
===== R{} =====
{}",
                site.number,
                kernel::dump(&site.router)
            );
            if let Some(router) = self.routers.get(usize::from(site.number) - 1) {
                println!("{}", router.diagnose());
            }
        }
        println!("\n===== the middle =====");
        let frames = self.lab.capture.frames();
        let first = frames.first().map(|frame| frame.at).unwrap_or_default();
        for frame in frames.iter().take(80) {
            println!("{:8.3}  {frame}", (frame.at - first).as_secs_f32());
        }
    }
}

/// The console must tell of a live tunnel: an idle phase 1, an active session, and packets both ways.
fn expect_screens(isthmus: &Isthmus<'_>, number: u8) -> Result<()> {
    let phase_1 = isthmus.show("show crypto isakmp sa")?;
    ensure!(
        phase_1.contains("QM_IDLE"),
        "R{number}: no QM_IDLE in show crypto isakmp sa"
    );
    let session = isthmus.exec("show crypto session")?;
    ensure!(
        session.contains("UP-ACTIVE"),
        "R{number}: no UP-ACTIVE in show crypto session:\n{session}"
    );
    for label in ["#pkts encaps:", "#pkts decaps:"] {
        let counts = isthmus.counters(label)?;
        ensure!(
            counts.iter().any(|count| *count > 0),
            "R{number}: {label} {counts:?} in show crypto ipsec sa"
        );
    }
    Ok(())
}

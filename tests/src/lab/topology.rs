//! The one topology all scenarios use: sites around a middle. A site is a router with one client behind it.
//!
//! ```text
//! client 1 -- router 1 --.           .-- router 2 -- client 2
//!        10.0.1.0/24   100.64.1.0/24  \ /  100.64.2.0/24   10.0.2.0/24
//!                                    middle
//! ```

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};

use super::{Capture, Echo, Host, Report};

/// A client and the router before it. The router's `eth0` is the outside, `eth1` the inside.
pub struct Site {
    /// 1 for the first site.
    pub number: u8,
    /// The router. The IKE daemon under test on it configures its addresses, or the test does.
    pub router: Host,
    /// The host behind it, with `inside()` and `second()` as addresses.
    pub client: Host,
}

impl Site {
    /// The router's outside address.
    pub fn outside(&self) -> Ipv4Addr {
        outside(self.number)
    }

    /// The client's address.
    pub fn inside(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, self.number, 10)
    }

    /// The client's other address, for a second flow to the same peer.
    pub fn second(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 0, self.number, 20)
    }

    /// Gives the router its addresses and its way out, for routers that do not do so themselves.
    pub fn address_router(&self) -> Result<()> {
        let n = self.number;
        self.router.ip(&format!(
            "addr add 100.64.{n}.2/24 dev eth0\naddr add 10.0.{n}.1/24 dev eth1\nlink set eth0 up\nlink set eth1 up\n\
             route add default via 100.64.{n}.1\n"
        ))
    }
}

/// The outside address of site `number`.
pub fn outside(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(100, 64, number, 2)
}

/// All hosts of one scenario, and its diary on standard output.
pub struct Lab {
    /// The sites, the first is number 1.
    pub sites: Vec<Site>,
    /// Forwards between the sites.
    pub middle: Host,
    /// What crossed the middle.
    pub capture: Capture,
    started: Instant,
    results: PathBuf,
    silent: bool,
}

impl Lab {
    /// Builds a site for each list of layers (see `Host::new`; the layers are for the router).
    pub fn new(sites: &[Vec<&Path>]) -> Result<Lab> {
        let results =
            PathBuf::from(std::env::var("LAB_RESULTS").context("LAB_RESULTS is not set")?);
        let started = Instant::now();
        let middle = Host::new("middle", &[])?;
        let mut made = Vec::new();
        for (layers, number) in sites.iter().zip(1..) {
            let router = Host::new(&format!("R{number}"), layers)?;
            let client = Host::new(&format!("C{number}"), &[])?;
            made.push(Site {
                number,
                router,
                client,
            });
        }
        let mut links = String::new();
        for Site {
            number: n,
            router,
            client,
        } in &made
        {
            let (m, r, c) = (middle.pid(), router.pid(), client.pid());
            links += &format!(
                "link add eth0 netns {r} type veth peer name site{n} netns {m}\nlink add eth1 netns {r} type veth peer name eth0 netns {c}\n"
            );
        }
        middle.ip(&links)?;
        let mut lines = "link set lo up\n".to_owned();
        for Site {
            number: n,
            router,
            client,
        } in &made
        {
            lines += &format!("addr add 100.64.{n}.1/24 dev site{n}\nlink set site{n} up\n");
            router.ip("link set lo up\n")?;
            client.ip(&format!(
                "link set lo up\naddr add 10.0.{n}.10/24 dev eth0\naddr add 10.0.{n}.20/24 dev eth0\nlink set eth0 up\n\
                 route add default via 10.0.{n}.1\n"
            ))?;
        }
        middle.ip(&lines)?;
        let capture = Capture::start(&middle)?;
        Ok(Lab {
            sites: made,
            middle,
            capture,
            started,
            results,
            silent: false,
        })
    }

    /// Site 1, 2, ...
    pub fn site(&self, number: u8) -> &Site {
        &self.sites[usize::from(number) - 1]
    }

    /// Keeps no diary: who made it tells the story.
    pub fn silent(self) -> Lab {
        Lab {
            silent: true,
            ..self
        }
    }

    /// Writes a line of the scenario's diary.
    pub fn note(&self, text: impl AsRef<str>) {
        if self.silent {
            return;
        }
        let at = self.started.elapsed().as_secs_f32();
        for line in text.as_ref().lines() {
            println!("{at:7.2}  {line}");
        }
    }

    /// Makes the middle lose packets at random.
    pub fn lose(&self, percent: u8) -> Result<()> {
        self.netem(&["loss", &format!("{percent}%")])
    }

    /// Makes the middle hold every packet back for so many milliseconds.
    pub fn delay(&self, milliseconds: u32) -> Result<()> {
        self.netem(&["delay", &format!("{milliseconds}ms")])
    }

    fn netem(&self, what: &[&str]) -> Result<()> {
        for site in &self.sites {
            let device = format!("site{}", site.number);
            let words = ["qdisc", "add", "dev", &device, "root", "netem"];
            self.middle.command("tc", &[&words, what].concat())?;
        }
        Ok(())
    }

    /// Pings from the client of one site to the client of another.
    pub fn ping(&self, from: u8, to: u8, count: u16) -> Result<Report> {
        let echo = Echo::new(self.site(from).inside(), self.site(to).inside()).count(count);
        self.echo(from, echo)
    }

    /// Pings from the client of one site as `echo` says.
    pub fn echo(&self, from: u8, echo: Echo) -> Result<Report> {
        let report = echo.ping(&self.site(from).client)?;
        self.note(format!(
            "C{from} ping {} from {}: {report}",
            echo.to, echo.from
        ));
        Ok(report)
    }

    /// The folder for this scenario's logs.
    pub fn results(&self) -> &Path {
        &self.results
    }
}

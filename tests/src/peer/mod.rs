//! What runs on a router: Isthmus itself, strongSwan or libreswan, all told in the same words which tunnels to build.

pub mod isthmus;
pub mod kernel;
pub mod libreswan;
pub mod openssh;
pub mod rsyslog;
pub mod strongswan;
pub mod tunnel;

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::lab::{Lab, Site};

pub use isthmus::Isthmus;
pub use tunnel::{Flow, Link, Tunnel};

/// Which program keys a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brand {
    /// `isthmusd`.
    Isthmus,
    /// charon, configured through swanctl.
    Strongswan,
    /// pluto.
    Libreswan,
    /// Nothing: the scenario programs the kernel by hand.
    Bare,
}

impl Brand {
    /// The folders of programs that a router of this brand needs over the machine's own.
    pub fn layers(self) -> Vec<PathBuf> {
        match self {
            Brand::Isthmus | Brand::Bare => Vec::new(),
            Brand::Strongswan => vec![unpacked("strongswan")],
            Brand::Libreswan => vec![unpacked("libreswan")],
        }
    }

    /// Configures and starts this brand on a site's router, ready for traffic when it returns.
    pub fn start<'lab>(
        self,
        lab: &'lab Lab,
        site: &'lab Site,
        links: &[Link],
    ) -> Result<Box<dyn Router + 'lab>> {
        Ok(match self {
            Brand::Isthmus => Box::new(Isthmus::start(
                lab,
                site,
                &isthmus::startup_config(site, links),
            )?),
            Brand::Strongswan => Box::new(strongswan::Strongswan::start(lab, site, links)?),
            Brand::Libreswan => Box::new(libreswan::Libreswan::start(lab, site, links)?),
            Brand::Bare => Box::new(Bare),
        })
    }
}

/// A running router.
pub trait Router {
    /// Ends it without a word to its peers and without cleaning up.
    fn kill(&mut self) -> Result<()>;
    /// Ends it as the machine's service manager does, and waits until it has ended.
    fn terminate(&mut self) -> Result<()> {
        self.kill()
    }
    /// Starts it again with the same configuration, ready for traffic when it returns.
    fn restart(&mut self) -> Result<()>;
    /// Takes all tunnels down in an orderly way, telling the peers.
    fn clear(&mut self) -> Result<()>;
    /// Everything that helps to see why a scenario failed.
    fn diagnose(&self) -> String;
    /// The Isthmus behind it, for its screens.
    fn isthmus(&self) -> Option<&Isthmus<'_>> {
        None
    }
}

struct Bare;

impl Router for Bare {
    fn kill(&mut self) -> Result<()> {
        Ok(())
    }
    fn restart(&mut self) -> Result<()> {
        Ok(())
    }
    fn clear(&mut self) -> Result<()> {
        Ok(())
    }
    fn diagnose(&self) -> String {
        String::new()
    }
}

/// The folder that the set-up unpacked a peer into.
fn unpacked(name: &str) -> PathBuf {
    crate::boot::lab().join(name)
}

/// The last lines of a log, for diagnosis.
fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_else(|error| error.to_string());
    let all = text.lines().collect::<Vec<_>>();
    all[all.len().saturating_sub(lines)..].join("\n")
}

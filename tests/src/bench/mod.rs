//! `isthmus-lab bench`: the console beside FRR's vtysh, on this machine's own kernel, both with the same number of lines.
//!
//! Isthmus loads crypto map entries with their keys and access-lists and programs every policy into XFRM. FRR knows no crypto
//! maps; it loads as many lines of the kind that it reads fastest (access-lists, into zebra alone) and programs nothing. The
//! contestants take turns, a row is the median of its rounds. Called by `make bench`; needs root, for namespaces.

mod configs;
mod contestant;
mod terminal;

use std::time::Duration;

use anyhow::{Result, ensure};

use contestant::Contestant;

/// How many crypto map entries Isthmus has; each is six lines.
const ENTRIES: usize = 10_000;
/// How often a quick row is measured.
const ROUNDS: usize = 15;

/// Measures both and prints the table.
///
/// # Errors
/// Not root, a program is missing (`tests/setup.sh bench`), or a contestant did not do what it was asked.
pub fn run() -> Result<()> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "the benchmark makes network namespaces: run it as root"
    );
    let (isthmus, frr) = (configs::isthmus(ENTRIES), configs::frr(ENTRIES));
    println!(
        "{ENTRIES} entries: {} lines for Isthmus, {} for FRR; medians of {ROUNDS} rounds (the first two rows: of 3)\n",
        isthmus.lines().count(),
        frr.lines().count()
    );
    let mut both = [Contestant::isthmus(&isthmus)?, Contestant::vtysh(&frr)?];
    let mut table = Table::new();
    table.row(
        "daemon start with the file, until it answers",
        3,
        &mut both,
        Contestant::boots,
    )?;
    table.row(
        "the file through the console, empty router",
        3,
        &mut both,
        Contestant::loads,
    )?;
    for one in &both {
        ensure!(one.has_everything()?, "{} has lost lines", one.name());
    }
    table.row(
        "show running-config",
        ROUNDS,
        &mut both,
        Contestant::shows_all,
    )?;
    table.row(
        "show version over -c",
        ROUNDS,
        &mut both,
        Contestant::shows_version,
    )?;
    table.row(
        "one more entry, until the prompt is back",
        ROUNDS,
        &mut both,
        Contestant::adds_one,
    )?;
    table.row(
        "? at a terminal, until the prompt is back",
        ROUNDS,
        &mut both,
        Contestant::helps,
    )?;
    let memory = both.each_ref().map(Contestant::memory);
    let [isthmus, frr] = memory;
    table.line(
        "daemon's memory, MB",
        isthmus? as f64 / 1e3,
        frr? as f64 / 1e3,
    );
    Ok(())
}

struct Table;

impl Table {
    fn new() -> Table {
        println!(
            "{:<48}{:>10}{:>10}{:>10}",
            "ms", "Isthmus", "vtysh", "ratio"
        );
        Table
    }

    /// Lets both do something `rounds` times in turns.
    fn row(
        &mut self,
        title: &str,
        rounds: usize,
        both: &mut [Contestant; 2],
        what: fn(&mut Contestant) -> Result<Duration>,
    ) -> Result<()> {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (one, times) in both.iter_mut().zip(&mut times) {
                times.push(what(one)?);
            }
        }
        let [isthmus, frr] = times.map(median);
        self.line(title, isthmus, frr);
        Ok(())
    }

    fn line(&self, title: &str, isthmus: f64, frr: f64) {
        println!(
            "{title:<48}{isthmus:>10.1}{frr:>10.1}{:>9.1}x",
            frr / isthmus
        );
    }
}

/// In milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

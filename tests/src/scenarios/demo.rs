//! `make demo`: two routers from the startup-configs in `tests/demo`, told for a reader who sees this for the first time.
//! It is a scenario too, so it is tested like the others.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::bed::{Bed, proof};
use crate::lab::{Echo, Lab};
use crate::peer::{Isthmus, Router};

const CONFIGS: [&str; 2] = [
    include_str!("../../demo/R1.cfg"),
    include_str!("../../demo/R2.cfg"),
];

const OPENING: &str = "
Two Isthmus routers, R1 and R2, each with one client behind it, and a middle that listens:

   C1                  R1                    middle                    R2                  C2
   10.0.1.10 --- 10.0.1.1  100.64.1.2 --- .1        .1 --- 100.64.2.2  10.0.2.1 --- 10.0.2.10

Both start from an ordinary startup-config (tests/demo/R1.cfg and R2.cfg). The part of R1's that matters:
";

/// The demo from start to end.
pub fn demo() -> Result<()> {
    let lab = Lab::new(&[vec![], vec![]])?.silent();
    println!("{OPENING}");
    for line in CONFIGS[0]
        .lines()
        .skip_while(|line| !line.starts_with("crypto"))
        .take_while(|line| !line.starts_with("ip route"))
    {
        println!("    {line}");
    }
    let routers = lab
        .sites
        .iter()
        .zip(CONFIGS)
        .map(|(site, config)| Isthmus::start(&lab, site, config))
        .collect::<Result<Vec<_>>>()?;
    let bed = Bed::new(
        &lab,
        routers
            .into_iter()
            .map(|router| Box::new(router) as Box<dyn Router>)
            .collect(),
    );
    proof(&lab, tell(&bed), &bed)
}

fn tell(bed: &Bed<'_>) -> Result<()> {
    let (lab, r1, r2) = (bed.lab, bed.isthmus(1)?, bed.isthmus(2)?);
    heading("Both routers are up. Nothing is negotiated until there is traffic");
    typed(r1, "show crypto isakmp sa")?;

    heading(
        "A ping from inside to inside matches the crypto map, and the first packet is spent on raising the tunnel",
    );
    let ping = typed(r1, "ping 10.0.2.1 source 10.0.1.1")?;
    ensure!(
        ping.contains("!!!!"),
        "the ping on the console was not answered"
    );
    println!("C1$ ping 10.0.2.10");
    let report = Echo::new(lab.site(1).inside(), lab.site(2).inside()).ping(&lab.site(1).client)?;
    println!("{report}\n");
    ensure!(
        report.received() == 5,
        "the clients do not reach each other"
    );

    heading("What R1 knows of it");
    typed(r1, "show crypto isakmp sa")?;
    typed(r1, "show crypto ipsec sa")?;
    typed(r1, "show crypto session")?;
    heading("And R2");
    typed(r2, "show crypto session")?;

    heading("What crossed the middle");
    let frames = lab.capture.frames().clone();
    let first = frames.first().map_or(Duration::ZERO, |frame| frame.at);
    for frame in frames.iter().take(14) {
        println!("    {:6.3}  {frame}", (frame.at - first).as_secs_f32());
    }
    println!("    ... in all: {}", lab.capture.summary());
    bed.expect_protected(1, 2)?;
    println!("\nOnly ISAKMP and ESP, nothing in the clear. Now try your own: see README.md.");
    Ok(())
}

fn heading(text: &str) {
    println!("\n--- {text} ---\n");
}

fn typed(router: &Isthmus<'_>, command: &str) -> Result<String> {
    let screen = router.exec(command)?;
    println!("{}#{command}\n{screen}", router.name());
    Ok(screen)
}

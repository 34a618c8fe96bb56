//! Several map entries: to one peer, and to several.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::bed;
use crate::lab::Echo;
use crate::peer::{Brand, Flow, Link, Tunnel, kernel};

const PATIENCE: Duration = Duration::from_secs(30);

/// Two flows to one peer under one phase 1, each with SAs of its own.
pub fn two_entries_to_one_peer() -> Result<()> {
    let flows = |own, peer| vec![Flow::hosts(own, peer, 10), Flow::hosts(own, peer, 20)];
    let link = |own, peer| {
        vec![Link {
            flows: flows(own, peer),
            ..Link::new(own, peer, &Tunnel::AES256)
        }]
    };
    bed::with(
        &[
            (Brand::Isthmus, link(1, 2)),
            (Brand::Strongswan, link(2, 1)),
        ],
        |bed| {
            bed.raise(1, 2, PATIENCE)?;
            let second = Echo::new(bed.lab.site(1).second(), bed.lab.site(2).second());
            bed.raise_as(1, second, PATIENCE)?;
            bed.expect_protected(1, 2)?;
            let sas = kernel::sas(&bed.lab.site(1).router)?;
            ensure!(
                sas.len() == 4 && sas.iter().all(|sa| sa.packets > 0),
                "not two pairs in use: {sas:?}"
            );
            let isthmus = bed.isthmus(1)?;
            ensure!(
                isthmus
                    .counters("#pkts encaps:")?
                    .iter()
                    .all(|count| *count > 0),
                "a flow without packets on the console"
            );
            let phase_1 = isthmus.exec("show crypto isakmp sa")?;
            ensure!(
                phase_1.matches("QM_IDLE").count() == 1,
                "more than one phase 1:\n{phase_1}"
            );
            Ok(())
        },
    )
}

/// One map with three peers: each entry goes to its own.
pub fn three_peers_on_one_map() -> Result<()> {
    let hub = (2..=4).map(|peer| Link {
        tunnel: Tunnel {
            key: ["Naxos-2", "Paros-3", "Delos-4"][peer as usize - 2],
            ..Tunnel::AES256
        },
        ..Link::new(1, peer, &Tunnel::AES256)
    });
    let hub = hub.collect::<Vec<_>>();
    let back = |own: u8| vec![Link::new(own, 1, &hub[usize::from(own) - 2].tunnel)];
    let sites = [
        (Brand::Isthmus, hub.clone()),
        (Brand::Strongswan, back(2)),
        (Brand::Libreswan, back(3)),
        (Brand::Isthmus, back(4)),
    ];
    bed::with(&sites, |bed| {
        // The hub raises one, and is raised by the others.
        bed.raise(1, 2, PATIENCE)?;
        bed.raise(3, 1, PATIENCE)?;
        bed.raise(4, 1, PATIENCE)?;
        for peer in 2..=4 {
            let report = bed.lab.ping(1, peer, 5)?;
            ensure!(report.received() == 5, "site {peer} lost packets: {report}");
            bed.expect_protected(1, peer)?;
        }
        let phase_1 = bed.isthmus(1)?.exec("show crypto isakmp sa")?;
        ensure!(
            phase_1.matches("QM_IDLE").count() == 3,
            "not three phase 1 SAs:\n{phase_1}"
        );
        Ok(())
    })
}

//! Configurations with a choice in them: several policies, several transform sets, several peers, several lines of one access-list.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::bed::{self, Bed};
use crate::lab::Echo;
use crate::peer::isthmus::startup_config;
use crate::peer::{Brand, Flow, Isthmus, Link, Tunnel, kernel};

const PATIENCE: Duration = Duration::from_secs(30);

/// R2 is a peer that knows only `Tunnel::AES256`; R1 is an Isthmus whose plain configuration `change` has rewritten.
pub(super) fn changed(
    flows: &[Flow],
    change: impl Fn(String) -> String,
    body: impl FnOnce(&mut Bed<'_>) -> Result<()>,
) -> Result<()> {
    let mirrored = flows
        .iter()
        .map(|flow| Flow {
            local: flow.remote,
            remote: flow.local,
        })
        .collect();
    let theirs = Link {
        flows: mirrored,
        ..Link::new(2, 1, &Tunnel::AES256)
    };
    bed::with(
        &[(Brand::Bare, vec![]), (Brand::Strongswan, vec![theirs])],
        |bed| {
            let site = bed.lab.site(1);
            let config = change(startup_config(site, &[Link::new(1, 2, &Tunnel::AES256)]));
            bed.routers[0] = Box::new(Isthmus::start(bed.lab, site, &config)?);
            body(bed)
        },
    )
}

/// Of two policies and two transform sets the peer takes the second.
pub fn second_choice_is_taken() -> Result<()> {
    let change = |config: String| {
        config
            .replace("crypto isakmp policy 10", "crypto isakmp policy 5\n encryption 3des\n authentication pre-share\n group 5\ncrypto isakmp policy 10")
            .replace("crypto ipsec transform-set TS2", "crypto ipsec transform-set OLD esp-3des esp-sha-hmac\n mode tunnel\ncrypto ipsec transform-set TS2")
            .replace("set transform-set TS2", "set transform-set OLD TS2")
    };
    changed(&[Flow::between(1, 2)], change, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        bed.expect_protected(1, 2)?;
        let screen = bed.isthmus(1)?.show("show crypto ipsec sa")?;
        ensure!(
            screen.contains("esp-256-aes esp-sha256-hmac"),
            "the screen does not name the chosen transforms"
        );
        Ok(())
    })
}

/// The first peer of the entry does not answer; the next one gets the tunnel.
pub fn next_peer_takes_over() -> Result<()> {
    let change = |config: String| {
        config
            .replace(
                " set peer 100.64.2.2\n",
                " set peer 100.64.2.99\n set peer 100.64.2.2\n",
            )
            .replace(
                "crypto isakmp key",
                "crypto isakmp key Nobody address 100.64.2.99\ncrypto isakmp key",
            )
    };
    changed(&[Flow::between(1, 2)], change, |bed| {
        bed.raise(1, 2, Duration::from_secs(110))?;
        bed.expect_protected(1, 2)
    })
}

/// Each line of an access-list has an SA pair of its own.
pub fn two_lines_of_one_access_list() -> Result<()> {
    let flows = [Flow::hosts(1, 2, 10), Flow::hosts(1, 2, 20)];
    let lines = flows
        .iter()
        .map(|flow| {
            format!(
                " permit ip {} {}\n",
                flow.local.wildcard(),
                flow.remote.wildcard()
            )
        })
        .collect::<String>();
    let change = |config: String| {
        config.replace(" permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n", &lines)
    };
    changed(&flows, change, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        bed.raise_as(
            1,
            Echo::new(bed.lab.site(1).second(), bed.lab.site(2).second()),
            PATIENCE,
        )?;
        bed.expect_protected(1, 2)?;
        let sas = kernel::sas(&bed.lab.site(1).router)?;
        ensure!(
            sas.len() == 4 && sas.iter().all(|sa| sa.packets > 0),
            "not two pairs in use: {sas:?}"
        );
        Ok(())
    })
}

/// What a deny line leaves out goes in the clear, as on IOS; what permit lines name stays protected.
pub fn denied_traffic_is_left_alone() -> Result<()> {
    let change = |config: String| {
        config.replace(
            " permit ip 10",
            " deny icmp host 10.0.1.20 any\n permit ip 10",
        )
    };
    changed(&[Flow::between(1, 2)], change, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        bed.expect_protected(1, 2)?;
        let denied = Echo {
            patience: Duration::from_millis(300),
            ..Echo::new(bed.lab.site(1).second(), bed.lab.site(2).second())
        };
        bed.lab.echo(1, denied)?;
        let from = bed.lab.site(1).second();
        let frames = bed.lab.capture.frames();
        let (clear, other): (Vec<_>, Vec<_>) = frames
            .iter()
            .filter(|frame| frame.kind == crate::lab::Kind::Clear)
            .partition(|frame| frame.from == from);
        // The middle has no way to 10.0.2.0 and says so to the sender.
        let unwanted = other
            .iter()
            .filter(|frame| frame.packet.get(9) != Some(&1))
            .count();
        ensure!(
            clear.len() == 5 && unwanted == 0,
            "{} denied packets in the clear, {unwanted} others",
            clear.len()
        );
        Ok(())
    })
}

/// Packets that do not fit once encrypted: those that may be cut arrive; of those that may not the first one is lost, and the
/// sender told how much fits.
pub fn large_packets() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Isthmus, &Tunnel::AES256, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        let sized = |from: u8, to: u8, size| Echo {
            size,
            ..Echo::new(bed.lab.site(from).inside(), bed.lab.site(to).inside())
        };
        for size in [1400, 1450, 1500] {
            let report = bed.lab.echo(1, sized(1, 2, size))?;
            ensure!(
                report.lost().iter().all(|sequence| *sequence == 0),
                "packets of {size} bytes were lost: {report}"
            );
        }
        for site in &bed.lab.sites {
            site.client
                .write("/proc/sys/net/ipv4/ip_no_pmtu_disc", "1")?;
            site.client.ip("route flush cache\n")?;
        }
        for size in [1450, 1500, 2000] {
            let report = bed.lab.echo(2, sized(2, 1, size))?;
            ensure!(
                report.received() == report.sent(),
                "packets of {size} bytes were lost: {report}"
            );
        }
        bed.expect_protected(1, 2)
    })
}

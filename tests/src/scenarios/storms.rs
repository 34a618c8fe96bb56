//! Many things at once: keys that are renewed before the last ones are gone, many flows over a slow wire, both ends that start
//! together, and phase 1 that goes from under its children.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::bed::{self, Bed};
use super::choices;
use super::rekey::outbound_spis;
use crate::lab::{Echo, Report, Traffic, wait_for};
use crate::peer::{Brand, Flow, Link, Tunnel, kernel};

const PATIENCE: Duration = Duration::from_secs(30);

/// Elliptic curves for phase 1, so that a handshake on a slow machine is mostly the wire's time.
const QUICK: Tunnel = Tunnel {
    group: 19,
    ..Tunnel::AES256
};

/// A stream between the clients of two sites.
fn stream(bed: &Bed<'_>, from: u8, to: u8, size: usize, interval: u64) -> Traffic {
    let echo = Echo {
        size,
        interval: Duration::from_millis(interval),
        ..Echo::new(bed.lab.site(from).inside(), bed.lab.site(to).inside())
    };
    echo.stream(&bed.lab.site(from).client)
}

/// 2560 kilobytes at several megabits a second: a renewal every few seconds, eight of them, without a lost packet.
fn by_volume_in_quick_succession(right: Brand) -> Result<()> {
    let ours = Tunnel {
        kilobytes: Some(2560),
        ..QUICK
    };
    bed::with(
        &[
            (Brand::Isthmus, vec![Link::new(1, 2, &ours)]),
            (right, vec![Link::new(2, 1, &QUICK)]),
        ],
        |bed| {
            bed.raise(1, 2, PATIENCE)?;
            // The clock of a lab kernel ticks a hundred times a second, so one stream is a megabit.
            let streams = [(); 4].map(|()| stream(bed, 1, 2, 1300, 10));
            let start = Instant::now();
            let outcome = wait_for("eight renewals", Duration::from_secs(150), || {
                Ok((outbound_spis(bed).len() > 8).then_some(()))
            });
            let seconds = start.elapsed().as_secs_f32();
            let mut lost = 0;
            for stream in streams {
                let report = stream.stop()?;
                bed.lab.note(format!("traffic from C1 to C2: {report}"));
                lost += report.lost().len();
            }
            bed.lab.note(format!("eight renewals in {seconds:.1} s"));
            outcome?;
            ensure!(lost == 0, "{lost} packets were lost");
            bed.expect_protected(1, 2)?;
            wait_for("old SAs to go", PATIENCE, || {
                Ok((kernel::sas(&bed.lab.site(1).router)?.len() <= 2).then_some(()))
            })
        },
    )
}

/// Against strongSwan.
pub fn volume_storm_with_strongswan() -> Result<()> {
    by_volume_in_quick_succession(Brand::Strongswan)
}

/// Against another Isthmus.
pub fn volume_storm() -> Result<()> {
    by_volume_in_quick_succession(Brand::Isthmus)
}

/// Eight lines in one list, traffic on all at once, 50 ms each way: strongSwan keeps state for three exchanges only.
pub fn eight_lines_at_once() -> Result<()> {
    let hosts = [10, 20, 30, 40, 50, 60, 70, 80];
    let flows = hosts.map(|host| Flow::hosts(1, 2, host));
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
    choices::changed(&flows, change, |bed| {
        for site in &bed.lab.sites {
            let more = hosts[2..]
                .iter()
                .map(|host| format!("addr add 10.0.{}.{host}/24 dev eth0\n", site.number));
            site.client.ip(&more.collect::<String>())?;
        }
        bed.lab.delay(50)?;
        let streams = flows.map(|flow| {
            let echo = Echo {
                interval: Duration::from_millis(100),
                ..Echo::new(flow.local.0, flow.remote.0)
            };
            echo.stream(&bed.lab.site(1).client)
        });
        std::thread::sleep(Duration::from_secs(5));
        let mut silent = Vec::new();
        for (stream, flow) in streams.into_iter().zip(flows) {
            let report = stream.stop()?;
            bed.lab
                .note(format!("{} to {}: {report}", flow.local, flow.remote));
            // From the first answer on, every packet has one.
            let first = report.answered.iter().position(|came| *came);
            if first.is_none_or(|first| report.answered[first..].contains(&false)) {
                silent.push(flow.local.to_string());
            }
        }
        ensure!(silent.is_empty(), "no steady answers for {silent:?}");
        bed.lab.capture.expect_nothing_in_clear()
    })
}

/// Traffic from both sides at the same moment: two phase 1 and two children cross on the wire. Each end
/// deletes one of them; the tunnel stays.
fn both_at_once(right: Brand) -> Result<()> {
    bed::pair(Brand::Isthmus, right, &QUICK, |bed| {
        bed.lab.delay(50)?;
        let streams = [stream(bed, 1, 2, 100, 100), stream(bed, 2, 1, 100, 100)];
        // strongSwan takes the older phase 1 away after 10 seconds, Isthmus one of its own after 15.
        std::thread::sleep(Duration::from_secs(45));
        for (stream, name) in streams.into_iter().zip(["C1", "C2"]) {
            let report = stream.stop()?;
            bed.lab.note(format!("traffic from {name}: {report}"));
            let late = lost_after(&report, 80);
            ensure!(late.is_empty(), "{name} lost {late:?}");
        }
        bed.expect_protected(1, 2)
    })
}

/// What was lost of a stream after its start.
fn lost_after(report: &Report, start: usize) -> Vec<usize> {
    let lost = report.lost().into_iter();
    lost.filter(|sequence| *sequence > start).collect()
}

/// With strongSwan.
pub fn both_at_once_with_strongswan() -> Result<()> {
    both_at_once(Brand::Strongswan)
}

/// With libreswan.
pub fn both_at_once_with_libreswan() -> Result<()> {
    both_at_once(Brand::Libreswan)
}

/// `clear crypto isakmp`: strongSwan drops its children with phase 1 and does not say so, and does not answer what we
/// send. Phase 1 returns by itself, and the children that the peer has lost are negotiated again.
fn cleared_isakmp(tunnel: &Tunnel) -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Strongswan, tunnel, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        let peer = &bed.lab.site(2);
        peer.client
            .write("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1")?;
        let traffic = stream(bed, 1, 2, 100, 100);
        let inbound = |kept: &BTreeSet<u32>| -> Result<BTreeSet<u32>> {
            let to = peer.outside().to_string();
            let sas = kernel::sas(&peer.router)?.into_iter();
            let new = sas.filter(|sa| sa.to == to && sa.packets > 3 && !kept.contains(&sa.spi));
            Ok(new.map(|sa| sa.spi).collect())
        };
        let old = wait_for("one-way traffic", PATIENCE, || {
            let old = inbound(&BTreeSet::new())?;
            Ok((!old.is_empty()).then_some(old))
        })?;
        std::thread::sleep(Duration::from_secs(15));
        bed.isthmus(1)?.exec("clear crypto isakmp")?;
        let start = Instant::now();
        let outcome = wait_for("the peer to receive again", PATIENCE, || {
            Ok((!inbound(&old)?.is_empty()).then_some(()))
        });
        bed.lab.note(format!(
            "received again after {:.1} s",
            start.elapsed().as_secs_f32()
        ));
        drop(traffic.stop()?);
        outcome?;
        let phase_1 = bed.isthmus(1)?.show("show crypto isakmp sa")?;
        ensure!(phase_1.contains("QM_IDLE"), "phase 1 did not come back");
        bed.lab.capture.expect_nothing_in_clear()
    })
}

/// With keepalives.
pub fn cleared_isakmp_with_one_way_traffic() -> Result<()> {
    cleared_isakmp(&Tunnel {
        keepalive: Some(10),
        ..QUICK
    })
}

/// And without.
pub fn cleared_isakmp_without_keepalives() -> Result<()> {
    cleared_isakmp(&QUICK)
}

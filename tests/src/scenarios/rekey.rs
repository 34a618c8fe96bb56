//! New keys under traffic: not one packet may be lost, in either phase and on either side's request.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::bed::{self, Bed};
use crate::lab::{Echo, wait_for};
use crate::peer::{Brand, Link, Tunnel, kernel};

const PATIENCE: Duration = Duration::from_secs(30);

/// Sends from C1 to C2 until `done`, and demands an answer to every packet.
fn without_loss(
    bed: &Bed<'_>,
    size: usize,
    interval: Duration,
    what: &str,
    limit: Duration,
    done: impl FnMut() -> Result<Option<()>>,
) -> Result<()> {
    let echo = Echo {
        size,
        interval,
        ..Echo::new(bed.lab.site(1).inside(), bed.lab.site(2).inside())
    };
    let traffic = echo.stream(&bed.lab.site(1).client);
    let outcome = wait_for(what, limit, done);
    let report = traffic.stop()?;
    bed.lab.note(format!("traffic from C1 to C2: {report}"));
    outcome?;
    ensure!(report.lost().is_empty(), "packets were lost: {report}");
    Ok(())
}

/// The SPIs under which R1 has sent, ever, as seen on the wire.
pub(super) fn outbound_spis(bed: &Bed<'_>) -> BTreeSet<u32> {
    let (own, frames) = (bed.lab.site(1).outside(), bed.lab.capture.frames());
    frames
        .iter()
        .filter(|frame| frame.from == own)
        .filter_map(|frame| frame.spi())
        .collect()
}

fn until_spis(bed: &Bed<'_>, count: usize) -> Result<Option<()>> {
    Ok((outbound_spis(bed).len() >= count).then_some(()))
}

/// 2560 kilobytes, the least that can be configured, pushed through twice: the volume limit renews the keys.
fn by_volume(right: Brand) -> Result<()> {
    let ours = Tunnel {
        kilobytes: Some(2560),
        ..Tunnel::AES256
    };
    bed::with(
        &[
            (Brand::Isthmus, vec![Link::new(1, 2, &ours)]),
            (right, vec![Link::new(2, 1, &Tunnel::AES256)]),
        ],
        |bed| {
            bed.raise(1, 2, PATIENCE)?;
            without_loss(
                bed,
                1300,
                Duration::from_millis(6),
                "the second renewal of keys",
                Duration::from_secs(80),
                || until_spis(bed, 3),
            )?;
            bed.expect_protected(1, 2)?;
            let sas = kernel::sas(&bed.lab.site(1).router)?;
            ensure!(sas.len() <= 4, "old SAs pile up: {sas:?}");
            Ok(())
        },
    )
}

/// Without Isthmus: what the lab's traffic and the peers can do. They may lose packets of their own making.
pub fn peers_rekey_by_volume() -> Result<()> {
    let limited = Tunnel {
        kilobytes: Some(2560),
        ..Tunnel::AES256
    };
    bed::pair(Brand::Strongswan, Brand::Libreswan, &limited, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        let echo = Echo {
            size: 1300,
            interval: Duration::from_millis(6),
            ..Echo::new(bed.lab.site(1).inside(), bed.lab.site(2).inside())
        };
        let traffic = echo.stream(&bed.lab.site(1).client);
        let outcome = wait_for(
            "the second renewal of keys",
            Duration::from_secs(80),
            || until_spis(bed, 3),
        );
        let report = traffic.stop()?;
        bed.lab.note(format!("traffic from C1 to C2: {report}"));
        outcome
    })
}

/// Volume limit against another Isthmus.
pub fn rekey_by_volume() -> Result<()> {
    by_volume(Brand::Isthmus)
}

/// Volume limit against strongSwan.
pub fn rekey_by_volume_with_strongswan() -> Result<()> {
    by_volume(Brand::Strongswan)
}

/// The peer renews phase 2 after 18 seconds, twice.
pub fn strongswan_rekeys_phase_2() -> Result<()> {
    let theirs = Tunnel {
        seconds: 20,
        ..Tunnel::AES256
    };
    bed::with(
        &[
            (Brand::Isthmus, vec![Link::new(1, 2, &Tunnel::AES256)]),
            (Brand::Strongswan, vec![Link::new(2, 1, &theirs)]),
        ],
        |bed| {
            bed.raise(2, 1, PATIENCE)?;
            without_loss(
                bed,
                100,
                Duration::from_millis(20),
                "the second renewal by strongSwan",
                Duration::from_secs(60),
                || until_spis(bed, 3),
            )?;
            bed.expect_protected(1, 2)
        },
    )
}

/// Isthmus renews phase 1 before its 60 seconds are over; phase 2 goes on below.
fn phase_1(right: Brand, ours: &Tunnel, theirs: &Tunnel) -> Result<()> {
    bed::with(
        &[
            (Brand::Isthmus, vec![Link::new(1, 2, ours)]),
            (right, vec![Link::new(2, 1, theirs)]),
        ],
        |bed| {
            bed.raise(1, 2, PATIENCE)?;
            let first = initiator_cookies(bed);
            without_loss(
                bed,
                100,
                Duration::from_millis(20),
                "a second main mode",
                Duration::from_secs(80),
                || Ok((initiator_cookies(bed).len() > first.len()).then_some(())),
            )?;
            // And phase 2 can be had under the new one.
            without_loss(
                bed,
                100,
                Duration::from_millis(20),
                "an idle phase 1",
                Duration::from_secs(20),
                || {
                    Ok(bed
                        .isthmus(1)?
                        .exec("show crypto isakmp sa")?
                        .contains("QM_IDLE")
                        .then_some(()))
                },
            )?;
            bed.expect_protected(1, 2)
        },
    )
}

/// The initiator cookies of all main modes that got as far as an encrypted message.
fn initiator_cookies(bed: &Bed<'_>) -> BTreeSet<Vec<u8>> {
    let frames = bed.lab.capture.frames();
    let done = frames.iter().filter(|frame| {
        frame.exchange() == Some(2) && frame.isakmp().get(19).is_some_and(|flags| flags & 1 == 1)
    });
    done.filter_map(|frame| frame.isakmp().get(..8).map(<[u8]>::to_vec))
        .collect()
}

/// Between two Isthmuses, after at most 60 seconds.
pub fn rekey_phase_1() -> Result<()> {
    let short = Tunnel {
        ike_seconds: 60,
        ..Tunnel::AES256
    };
    phase_1(Brand::Isthmus, &short, &short)
}

/// The peer does so after 27 seconds.
pub fn strongswan_rekeys_phase_1() -> Result<()> {
    phase_1(
        Brand::Strongswan,
        &Tunnel::AES256,
        &Tunnel {
            ike_seconds: 30,
            ..Tunnel::AES256
        },
    )
}

//! Peers that vanish, a daemon that is killed, a wire that loses packets, a second daemon, missing rights.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::bed::{self, Bed};
use crate::lab::{Echo, wait_for};
use crate::peer::{Brand, Tunnel, kernel};

const PATIENCE: Duration = Duration::from_secs(30);
const DPD: Tunnel = Tunnel {
    keepalive: Some(10),
    ..Tunnel::AES256
};

fn spis(bed: &Bed<'_>, number: u8) -> Result<BTreeSet<u32>> {
    Ok(kernel::sas(&bed.lab.site(number).router)?
        .iter()
        .map(|sa| sa.spi)
        .collect())
}

/// The peer loses power and comes back: DPD sees that the peer has lost the SAs, and traffic raises new ones.
pub fn peer_restart_is_noticed() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Strongswan, &DPD, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        bed.expect_protected(1, 2)?;
        let old = spis(bed, 1)?;
        bed.router(2).kill()?;
        bed.lab.note("R2 lost power");
        bed.router(2).restart()?;
        bed.raise(1, 2, Duration::from_secs(60))?;
        let new = spis(bed, 1)?;
        ensure!(
            new.is_disjoint(&old),
            "old SAs are still there: {old:x?} {new:x?}"
        );
        bed.expect_protected(1, 2)
    })
}

/// The peer stays dead: DPD takes the SAs down and the console says so.
pub fn dead_peer_is_noticed() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Libreswan, &DPD, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        bed.expect_protected(1, 2)?;
        bed.router(2).kill()?;
        bed.lab.note("R2 lost power");
        let router = &bed.lab.site(1).router;
        wait_for("R1 to drop its SAs", Duration::from_secs(60), || {
            Ok(kernel::sas(router)?.is_empty().then_some(()))
        })?;
        let isthmus = bed.isthmus(1)?;
        let screen = isthmus.show("show crypto session detail")?;
        ensure!(
            screen.contains("did not answer"),
            "the console does not say that the peer is dead"
        );
        ensure!(!screen.contains("UP-ACTIVE"), "the session is still up");
        bed.lab.capture.expect_nothing_in_clear()
    })
}

/// kill -9: the kernel goes on encrypting, nothing leaves in clear even when its SAs are gone too, and a new daemon finds what the
/// old one left, removes it, and raises the tunnel again.
fn killed(right: Brand) -> Result<()> {
    bed::pair(Brand::Isthmus, right, &Tunnel::AES256, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        let old = spis(bed, 1)?;
        bed.router(1).kill()?;
        bed.lab.note("R1's daemon was killed");
        let report = bed.lab.ping(1, 2, 5)?;
        ensure!(
            report.received() == 5,
            "the kernel's SAs did not outlive the daemon: {report}"
        );
        let policies = kernel::protecting_policies(&bed.lab.site(1).router)?;
        ensure!(policies > 0, "the policies did not outlive the daemon");
        bed.lab.site(1).router.ip("xfrm state flush\n")?;
        let echo = Echo {
            patience: Duration::from_millis(300),
            ..Echo::new(bed.lab.site(1).inside(), bed.lab.site(2).inside())
        };
        let report = bed.lab.echo(1, echo)?;
        ensure!(report.received() == 0, "answered without an SA: {report}");
        bed.lab.capture.expect_nothing_in_clear()?;

        bed.router(1).restart()?;
        bed.raise(1, 2, PATIENCE)?;
        let new = spis(bed, 1)?;
        ensure!(
            new.is_disjoint(&old) && new.len() == 2,
            "SAs after the restart: {new:x?}, before: {old:x?}"
        );
        let again = kernel::protecting_policies(&bed.lab.site(1).router)?;
        ensure!(
            again == policies,
            "{again} protecting policies after the restart, {policies} before"
        );
        bed.expect_protected(1, 2)
    })
}

/// Killed beside another Isthmus.
pub fn killed_daemon_comes_back() -> Result<()> {
    killed(Brand::Isthmus)
}

/// Killed beside strongSwan.
pub fn killed_daemon_comes_back_to_strongswan() -> Result<()> {
    killed(Brand::Strongswan)
}

/// Killed with its SAs alive in the kernel, and restarted at once under traffic: nothing in clear, leftovers removed, a tunnel again.
pub fn killed_daemon_under_traffic() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Isthmus, &Tunnel::AES256, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        let old = spis(bed, 1)?;
        let echo = Echo {
            interval: Duration::from_millis(20),
            ..Echo::new(bed.lab.site(1).inside(), bed.lab.site(2).inside())
        };
        let traffic = echo.stream(&bed.lab.site(1).client);
        bed.router(1).kill()?;
        bed.router(1).restart()?;
        let outcome = bed.raise(1, 2, PATIENCE);
        let report = traffic.stop()?;
        bed.lab.note(format!("traffic meanwhile: {report}"));
        outcome?;
        let new = spis(bed, 1)?;
        ensure!(
            new.is_disjoint(&old),
            "leftovers of the killed daemon: {old:x?} {new:x?}"
        );
        bed.expect_protected(1, 2)
    })
}

/// One packet in five is lost each way: negotiation repeats itself until it is through.
fn lossy(left: Brand, right: Brand) -> Result<()> {
    bed::pair(left, right, &Tunnel::AES256, |bed| {
        bed.lab.lose(20)?;
        bed.raise(1, 2, Duration::from_secs(90))?;
        let report = bed.lab.ping(1, 2, 20)?;
        ensure!(report.received() > 0, "nothing came through");
        bed.expect_protected(1, 2)
    })
}

/// Loss between two Isthmuses.
pub fn twenty_percent_loss() -> Result<()> {
    lossy(Brand::Isthmus, Brand::Isthmus)
}

/// Loss between Isthmus and strongSwan.
pub fn twenty_percent_loss_to_strongswan() -> Result<()> {
    lossy(Brand::Isthmus, Brand::Strongswan)
}

/// Loss when strongSwan raises the tunnel.
pub fn twenty_percent_loss_from_strongswan() -> Result<()> {
    lossy(Brand::Strongswan, Brand::Isthmus)
}

/// `clear crypto session` tells the peer, and the next packet raises the tunnel again.
pub fn cleared_session_comes_back() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Strongswan, &Tunnel::AES256, |bed| {
        bed.raise(1, 2, PATIENCE)?;
        let old = spis(bed, 1)?;
        bed.router(1).clear()?;
        let other = &bed.lab.site(2).router;
        wait_for("R2 to drop its SAs", Duration::from_secs(10), || {
            Ok(kernel::sas(other)?.is_empty().then_some(()))
        })?;
        bed.raise(1, 2, PATIENCE)?;
        ensure!(
            spis(bed, 1)?.is_disjoint(&old),
            "the cleared SAs are still there"
        );
        bed.expect_protected(1, 2)
    })
}

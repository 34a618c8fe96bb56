//! A wire with a liar on it: damaged messages, forged clear text, floods, replays.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::bed;
use crate::lab::{Capture, Kind, forge, wait_for};
use crate::peer::{Brand, Tunnel, kernel};

const PATIENCE: Duration = Duration::from_secs(30);

/// Every message of the peer once more in a hundred damaged copies: the tunnel stays, the daemon stays, and a new tunnel can be had.
pub fn damaged_messages_are_dropped() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Strongswan, &Tunnel::AES256, |bed| {
        bed.raise(2, 1, PATIENCE)?;
        bed.raise(1, 2, PATIENCE)?;
        let (own, peer) = (bed.lab.site(1).outside(), bed.lab.site(2).outside());
        let frames = bed.lab.capture.frames().clone();
        let messages = frames
            .iter()
            .filter(|frame| frame.kind == Kind::Ike && frame.from == peer)
            .map(|frame| frame.isakmp())
            .collect::<Vec<_>>();
        ensure!(
            messages.len() >= 4,
            "only {} messages to damage",
            messages.len()
        );
        let damaged = messages.iter().flat_map(|message| forge::damaged(message));
        let forged = damaged
            .map(|message| forge::ike(peer, own, &message))
            .collect::<Vec<_>>();
        bed.lab.note(format!(
            "{} damaged copies of {} messages",
            forged.len(),
            messages.len()
        ));
        for some in forged.chunks(50) {
            forge::send(&bed.lab.middle, some.to_vec())?;
            std::thread::sleep(Duration::from_millis(50));
        }
        let report = bed.lab.ping(1, 2, 5)?;
        ensure!(report.received() == 5, "the tunnel suffered: {report}");
        let sas = kernel::sas(&bed.lab.site(1).router)?;
        ensure!(
            sas.len() == 2,
            "damaged messages have made or unmade SAs: {sas:?}"
        );
        bed.router(1).clear()?;
        bed.raise(1, 2, PATIENCE)?;
        bed.expect_protected(1, 2)?;
        ensure!(
            !bed.isthmus(1)?.log().contains("panicked"),
            "the daemon panicked"
        );
        Ok(())
    })
}

/// Clear text from outside that claims to come from the protected network is not let in, with a tunnel or without.
pub fn forged_clear_text_is_dropped() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Isthmus, &Tunnel::AES256, |bed| {
        let (client, liar) = (&bed.lab.site(1).client, &bed.lab.middle);
        liar.ip("route add 10.0.1.0/24 via 100.64.1.2\n")?;
        let inside = Capture::start(client)?;
        let (from, to) = (bed.lab.site(2).inside(), bed.lab.site(1).inside());
        let forged = || vec![forge::echo(from, to); 5];
        forge::send(liar, forged())?;
        // What no access-list names may pass, so the way there is open.
        let anyone = Ipv4Addr::new(192, 0, 2, 1);
        forge::send(liar, vec![forge::echo(anyone, to)])?;
        wait_for("a packet that may pass", Duration::from_secs(10), || {
            Ok((inside.between(Kind::Clear, anyone, to) > 0).then_some(()))
        })?;
        ensure!(
            inside.between(Kind::Clear, from, to) == 0,
            "forged packets came in"
        );
        bed.raise(1, 2, PATIENCE)?;
        let before = inside.between(Kind::Clear, from, to);
        forge::send(liar, forged())?;
        let report = bed.lab.ping(1, 2, 5)?;
        ensure!(report.received() == 5, "the tunnel suffered: {report}");
        std::thread::sleep(Duration::from_millis(200));
        let more = inside.between(Kind::Clear, from, to) - before;
        ensure!(more == 5, "{more} packets came in beside a ping of 5");
        Ok(())
    })
}

/// First messages in the peer's name, many times what is kept of them, before and while the peer wants a tunnel: it gets one at once
/// (a slow lab needs some seconds for it; a negotiation that holds a place keeps it for forty), and the router says what happens.
pub fn a_flood_in_the_peers_name_does_not_keep_it_out() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Strongswan, &Tunnel::AES256, |bed| {
        bed.raise(2, 1, PATIENCE)?;
        let (own, peer) = (bed.lab.site(1).outside(), bed.lab.site(2).outside());
        let first = main_mode_1(bed, peer)?;
        bed.router(2).clear()?;
        wait_for("R1 without SAs", PATIENCE, || {
            Ok(kernel::sas(&bed.lab.site(1).router)?
                .is_empty()
                .then_some(()))
        })?;
        let forged = move |number: u32| {
            let mut message = first.clone();
            message[..4].copy_from_slice(&0xF100_D000_u32.to_be_bytes());
            message[4..8].copy_from_slice(&number.to_be_bytes());
            forge::ike(peer, own, &message)
        };
        for some in (0..1000).collect::<Vec<u32>>().chunks(50) {
            forge::send(&bed.lab.middle, some.iter().map(|n| forged(*n)).collect())?;
            std::thread::sleep(Duration::from_millis(10));
        }
        let (on, sent) = (
            Arc::new(AtomicBool::new(true)),
            Arc::new(AtomicU32::new(1000)),
        );
        let start = Instant::now();
        let raised = std::thread::scope(|scope| {
            let (still, count) = (on.clone(), sent.clone());
            let middle = &bed.lab.middle;
            let flood = scope.spawn(move || -> Result<()> {
                while still.load(Ordering::Relaxed) {
                    let from = count.fetch_add(20, Ordering::Relaxed);
                    forge::send(middle, (from..from + 20).map(&forged).collect())?;
                    std::thread::sleep(Duration::from_millis(20));
                }
                Ok(())
            });
            let raised = bed.raise(2, 1, Duration::from_secs(15));
            on.store(false, Ordering::Relaxed);
            flood
                .join()
                .map_err(|_| anyhow::anyhow!("the flood panicked"))??;
            raised
        });
        bed.lab.note(format!(
            "{} forged first messages; the tunnel took {:?}",
            sent.load(Ordering::Relaxed),
            start.elapsed()
        ));
        raised?;
        bed.expect_protected(2, 1)?;
        let router = bed.isthmus(1)?;
        let statistics = router.show("show crypto isakmp statistics")?;
        let without_state = statistics
            .lines()
            .find_map(|line| line.strip_prefix("First messages answered without keeping state:"))
            .and_then(|count| count.trim().parse::<u32>().ok())
            .with_context(|| format!("no count in {statistics}"))?;
        ensure!(without_state > 900, "{statistics}");
        let said = router.log().matches("%CRYPTO-4-IKMP_LIMIT").count();
        ensure!(
            (1..=3).contains(&said),
            "said {said} times: {}",
            router.log()
        );
        let admission = router.show("show crypto call admission statistics")?;
        ensure!(admission.contains("Max in nego:  1000"), "{admission}");
        Ok(())
    })
}

/// Quick mode messages of the peer, sent again after 300 other message ids: no answer, no SA made, none unmade.
pub fn old_quick_modes_again_change_nothing() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Strongswan, &Tunnel::AES256, |bed| {
        bed.raise(2, 1, PATIENCE)?;
        let (own, peer) = (bed.lab.site(1).outside(), bed.lab.site(2).outside());
        let rekeys =
            "for i in $(seq 20); do swanctl --rekey --child flow1 > /dev/null || exit 1; done";
        for _ in 0..16 {
            bed.lab.site(2).router.command("sh", &["-c", rekeys])?;
        }
        // strongSwan leaves what it has replaced to its lifetime; R1 keeps no more than some of it.
        let router = &bed.lab.site(1).router;
        wait_for("R1 with a few SAs", PATIENCE, || {
            Ok((kernel::sas(router)?.len() <= 2 * 18).then_some(()))
        })?;
        let mut ids = BTreeSet::new();
        let mut openings = Vec::new();
        for frame in bed.lab.capture.frames().iter() {
            let message = frame.isakmp();
            if frame.kind != Kind::Ike || frame.from != peer || message.len() < 28 {
                continue;
            }
            let new = ids.insert(message[20..24].to_vec());
            if new && frame.exchange() == Some(32) {
                openings.push(message.to_vec());
            }
        }
        bed.lab.note(format!(
            "{} message ids, {} quick modes",
            ids.len(),
            openings.len()
        ));
        ensure!(ids.len() >= 300, "only {} message ids", ids.len());
        let before = spis(bed)?;
        let answers = || bed.lab.capture.between(Kind::Ike, own, peer);
        let answered = answers();
        let replays = openings
            .iter()
            .map(|message| forge::ike(peer, own, message));
        forge::send(&bed.lab.middle, replays.collect())?;
        std::thread::sleep(Duration::from_secs(2));
        ensure!(answers() == answered, "a replay was answered");
        ensure!(spis(bed)? == before, "a replay changed the kernel");
        let report = bed.lab.ping(1, 2, 5)?;
        ensure!(report.received() == 5, "the tunnel suffered: {report}");
        Ok(())
    })
}

/// The peer's main mode message 1, as the wire saw it.
fn main_mode_1(bed: &bed::Bed<'_>, peer: Ipv4Addr) -> Result<Vec<u8>> {
    let frames = bed.lab.capture.frames();
    let first = frames.iter().find(|frame| {
        frame.from == peer
            && frame.exchange() == Some(2)
            && frame.isakmp().get(8..16) == Some(&[0; 8])
    });
    Ok(first.context("no main mode message 1")?.isakmp().to_vec())
}

fn spis(bed: &bed::Bed<'_>) -> Result<BTreeSet<String>> {
    let sas = kernel::sas(&bed.lab.site(1).router)?;
    Ok(sas
        .into_iter()
        .map(|sa| format!("{} {} {:?}", sa.from, sa.to, sa.spi))
        .collect())
}

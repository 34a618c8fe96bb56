//! A wire with a liar on it: damaged messages, forged clear text.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Result, ensure};

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

//! The lab on trial: tunnels without Isthmus must work, and clear text must be noticed.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::bed;
use crate::boot;
use crate::lab::{Kind, wait_for};
use crate::peer::{Brand, Tunnel};

/// A tunnel keyed by hand.
pub fn static_tunnel() -> Result<()> {
    bed::with(&[(Brand::Bare, vec![]), (Brand::Bare, vec![])], |bed| {
        for (own, peer) in [(1, 2), (2, 1)] {
            let site = bed.lab.site(own);
            site.address_router()?;
            let mut lines = String::new();
            for (from, to, spi) in [(1, 2, "0x1001"), (2, 1, "0x1002")] {
                lines += &format!(
                    "xfrm state add src 100.64.{from}.2 dst 100.64.{to}.2 proto esp spi {spi} reqid 7 mode tunnel \
                     enc cbc(aes) 0x0123456789abcdef0123456789abcdef auth-trunc hmac(sha256) 0x{} 128\n",
                    "5a".repeat(32)
                );
                for direction in if from == own {
                    &["out"][..]
                } else {
                    &["in", "fwd"]
                } {
                    lines += &format!(
                        "xfrm policy add src 10.0.{from}.0/24 dst 10.0.{to}.0/24 dir {direction} \
                         tmpl src 100.64.{from}.2 dst 100.64.{to}.2 proto esp reqid 7 mode tunnel\n"
                    );
                }
            }
            site.router.ip(&lines)?;
            bed.lab.note(format!("R{own} is keyed towards R{peer}"));
        }
        let report = bed.lab.ping(1, 2, 5)?;
        ensure!(report.received() == 5, "not all answered: {report}");
        bed.expect_protected(1, 2)
    })
}

/// The watcher must see what is not protected.
pub fn clear_text_is_noticed() -> Result<()> {
    bed::with(&[(Brand::Bare, vec![]), (Brand::Bare, vec![])], |bed| {
        for number in [1, 2] {
            bed.lab.site(number).address_router()?;
        }
        // The middle knows no way to the insides, but the outsides reach each other.
        bed.raise_routers(1, 2, Duration::from_secs(5))?;
        wait_for(
            "all ten packets in the capture",
            Duration::from_secs(10),
            || Ok((bed.lab.capture.count(Kind::Clear) == 10).then_some(())),
        )?;
        ensure!(
            bed.lab.capture.expect_nothing_in_clear().is_err(),
            "clear text went unnoticed"
        );
        Ok(())
    })
}

/// Main mode and quick mode between two strongSwans.
pub fn strongswan_to_strongswan() -> Result<()> {
    bed::pair(
        Brand::Strongswan,
        Brand::Strongswan,
        &Tunnel::AES256,
        |bed| {
            bed.raise(1, 2, Duration::from_secs(20))?;
            bed.expect_protected(1, 2)
        },
    )
}

/// Main mode and quick mode between the two other brands.
pub fn strongswan_to_libreswan() -> Result<()> {
    bed::pair(
        Brand::Strongswan,
        Brand::Libreswan,
        &Tunnel::AES256,
        |bed| {
            bed.raise(2, 1, Duration::from_secs(20))?;
            bed.expect_protected(1, 2)
        },
    )
}

/// The kernel crate's own tests, on a kernel that has ESP: where the machine's has none, `cargo test` leaves out what needs it.
pub fn kernel_crate() -> Result<()> {
    let list = boot::lab().join(boot::KERNEL_TESTS);
    let list = std::fs::read_to_string(&list)
        .with_context(|| format!("cannot read {}", list.display()))?;
    ensure!(!list.is_empty(), "the kernel crate has no tests");
    Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .status()?;
    for program in list.lines() {
        println!("{program}");
        let status = Command::new(program).status()?;
        ensure!(status.success(), "{program} failed");
    }
    Ok(())
}

//! The daemon on its machine: bad lines, late interfaces, a second daemon, missing rights, configuration pasted and saved.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::bed;
use crate::lab::wait_for;
use crate::peer::isthmus::{CONFIG, RUN, STATE, binary, startup_config};
use crate::peer::{Brand, Isthmus, Link, Tunnel};

const PATIENCE: Duration = Duration::from_secs(30);

/// A line that is not understood is reported with its number and kept; all other lines do their work.
pub fn unknown_line_is_kept() -> Result<()> {
    bed::with(
        &[
            (Brand::Bare, vec![]),
            (Brand::Strongswan, vec![Link::new(2, 1, &Tunnel::AES256)]),
        ],
        |bed| {
            let site = bed.lab.site(1);
            let good = startup_config(site, &[Link::new(1, 2, &Tunnel::AES256)]);
            let config = good.replacen("!\n", "!\nfrobnicate the tunnels\n", 1);
            let number = 1 + config
                .lines()
                .position(|line| line.starts_with("frobnicate"))
                .context("no line")?;
            bed.routers[0] = Box::new(Isthmus::start(bed.lab, site, &config)?);
            bed.raise(1, 2, PATIENCE)?;
            bed.expect_protected(1, 2)?;
            let isthmus = bed.isthmus(1)?;
            let log = isthmus.log();
            let line = log
                .lines()
                .find(|line| line.contains("frobnicate"))
                .context("the log does not name the line")?;
            ensure!(
                line.contains(&number.to_string()),
                "no line number {number} in '{line}'"
            );
            ensure!(
                isthmus
                    .show("show running-config")?
                    .contains("frobnicate the tunnels"),
                "the line is not kept"
            );
            Ok(())
        },
    )
}

/// A file with a byte-order mark, the map's line at the left margin and another below a line that is not understood: the
/// map is in force, and nothing leaves in clear.
pub fn map_is_applied_at_any_indentation() -> Result<()> {
    for (what, indented, written) in [
        ("in column 0", "\n crypto map VPN\n", "\ncrypto map VPN\n"),
        (
            "below an unknown line",
            "\n crypto map VPN\n",
            "\n frobnicate\n   crypto map VPN\n",
        ),
        (
            "after a command of EXEC",
            "\n crypto map VPN\n",
            "\ndo show clock\n crypto map VPN\n",
        ),
    ] {
        bed::with(
            &[
                (Brand::Bare, vec![]),
                (Brand::Strongswan, vec![Link::new(2, 1, &Tunnel::AES256)]),
            ],
            |bed| {
                let site = bed.lab.site(1);
                let good = startup_config(site, &[Link::new(1, 2, &Tunnel::AES256)]);
                ensure!(good.contains(indented), "no map line to move:\n{good}");
                let config = format!("\u{feff}{}", good.replacen(indented, written, 1));
                bed.routers[0] = Box::new(Isthmus::start(bed.lab, site, &config)?);
                bed.raise(1, 2, PATIENCE).context(what)?;
                bed.expect_protected(1, 2).context(what)
            },
        )?;
    }
    Ok(())
}

/// An interface that comes later gets what its lines say when it comes.
pub fn late_interface_is_waited_for() -> Result<()> {
    bed::with(&[(Brand::Bare, vec![])], |bed| {
        let site = bed.lab.site(1);
        let late = "interface late0\n ip address 192.0.2.1 255.255.255.0\n no shutdown\n!\nend\n";
        let config = startup_config(site, &[]).replacen("end\n", late, 1);
        bed.routers[0] = Box::new(Isthmus::start(bed.lab, site, &config)?);
        ensure!(
            bed.isthmus(1)?
                .exec("show running-config")?
                .contains("interface late0"),
            "its lines are not kept"
        );
        site.router.ip("link add late0 type dummy\n")?;
        wait_for("the address of late0", Duration::from_secs(10), || {
            let text = site
                .router
                .command("ip", &["-br", "addr", "show", "dev", "late0"])?;
            Ok(text.contains("192.0.2.1/24").then_some(()))
        })
    })
}

/// A second daemon on the same folders says so and stops; the first one goes on.
pub fn second_daemon_is_refused() -> Result<()> {
    bed::with(&[(Brand::Isthmus, vec![])], |bed| {
        let program = binary("isthmusd").display().to_string();
        let router = &bed.lab.site(1).router;
        let (text, good) = router.output(
            "timeout",
            &[
                "10",
                &program,
                "--config",
                CONFIG,
                "--run-dir",
                RUN,
                "--state-dir",
                STATE,
            ],
            "",
        )?;
        bed.lab.note(&text);
        ensure!(
            !good && text.contains(RUN),
            "the second daemon did not say what is wrong:\n{text}"
        );
        bed.isthmus(1)?.show("show clock").map(drop)
    })
}

/// Without the right to use netlink the daemon names the capability.
pub fn missing_capability_is_named() -> Result<()> {
    bed::with(&[(Brand::Bare, vec![])], |bed| {
        let site = bed.lab.site(1);
        site.router.write(CONFIG, &startup_config(site, &[]))?;
        let program = binary("isthmusd").display().to_string();
        let arguments = [
            "--bounding-set=-net_admin",
            "--inh-caps=-net_admin",
            "timeout",
            "10",
            &program,
            "--config",
            CONFIG,
            "--run-dir",
            RUN,
            "--state-dir",
            STATE,
        ];
        let (text, _) = site.router.output("setpriv", &arguments, "")?;
        bed.lab.note(&text);
        ensure!(
            text.contains("CAP_NET_ADMIN"),
            "the capability is not named:\n{text}"
        );
        Ok(())
    })
}

/// A whole configuration pasted into a router that has none, saved, and there again after the next start.
pub fn pasted_configuration_is_saved() -> Result<()> {
    bed::with(
        &[
            (Brand::Bare, vec![]),
            (Brand::Strongswan, vec![Link::new(2, 1, &Tunnel::AES256)]),
        ],
        |bed| {
            let site = bed.lab.site(1);
            bed.routers[0] = Box::new(Isthmus::start(bed.lab, site, "hostname Empty\nend\n")?);
            let lines = startup_config(site, &[Link::new(1, 2, &Tunnel::AES256)]);
            let isthmus = bed.isthmus(1)?;
            isthmus.configure(lines.trim_end_matches("end\n"))?;
            bed.raise(1, 2, PATIENCE)?;
            bed.expect_protected(1, 2)?;
            isthmus.show("write memory")?;
            let before = isthmus.exec("show running-config")?;
            bed.router(1).kill()?;
            bed.router(1).restart()?;
            let after = bed.isthmus(1)?.exec("show running-config")?;
            let (before, after) = (settings(&before), settings(&after));
            let difference = before
                .iter()
                .zip(&after)
                .find(|(before, after)| before != after);
            if let Some((before, after)) = difference {
                bail!("the running-config has changed: '{before}' is now '{after}'");
            }
            ensure!(
                before.len() == after.len(),
                "the running-config has other lines:\n{after:#?}"
            );
            bed.raise(1, 2, PATIENCE)?;
            bed.expect_protected(1, 2)
        },
    )
}

/// The lines of a running-config that are not about when it was changed and how long it is.
fn settings(screen: &str) -> Vec<&str> {
    let about = |line: &&str| line.starts_with('!') || line.starts_with("Current configuration");
    screen.lines().filter(|line| !about(line)).collect()
}

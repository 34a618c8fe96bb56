//! Nothing that a crypto map is meant to protect leaves in clear when something is wrong; a negotiation that was cut short
//! begins again at once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::bed::{self, Bed};
use crate::lab::{Echo, Kind, wait_for};
use crate::peer::isthmus::{CONFIG, STATE, startup_config};
use crate::peer::{Brand, Isthmus, Link, Tunnel, kernel};

/// Well below the 30 s for which the kernel would not ask again, and above what a slow machine needs.
const SOON: Duration = Duration::from_secs(12);
const QUICK_MODE: u8 = 32;
const MAIN_MODE: u8 = 2;

/// How a negotiation is cut short.
type Cut = fn(&mut Bed<'_>) -> Result<()>;

const CUTS: &[(&str, u8, Cut)] = &[
    ("clear crypto session", MAIN_MODE, |bed| {
        typed(bed, "clear crypto session")
    }),
    ("clear crypto session", QUICK_MODE, |bed| {
        typed(bed, "clear crypto session")
    }),
    ("clear crypto isakmp", MAIN_MODE, |bed| {
        typed(bed, "clear crypto isakmp")
    }),
    ("clear crypto isakmp", QUICK_MODE, |bed| {
        typed(bed, "clear crypto isakmp")
    }),
    ("the line goes and comes", QUICK_MODE, |bed| {
        let line = "permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255";
        let list = "ip access-list extended FLOW10";
        bed.isthmus(1)?.configure(&format!("{list}\n no {line}"))?;
        bed.isthmus(1)?
            .configure(&format!("{list}\n {line}"))
            .map(drop)
    }),
    ("the map goes and comes", MAIN_MODE, |bed| {
        let interface = "interface GigabitEthernet0/0";
        bed.isthmus(1)?
            .configure(&format!("{interface}\n no crypto map VPN"))?;
        bed.isthmus(1)?
            .configure(&format!("{interface}\n crypto map VPN"))
            .map(drop)
    }),
    ("kill -9", MAIN_MODE, |bed| {
        bed.router(1).kill()?;
        bed.router(1).restart()
    }),
    ("kill -9", QUICK_MODE, |bed| {
        bed.router(1).kill()?;
        bed.router(1).restart()
    }),
    ("SIGTERM", QUICK_MODE, |bed| {
        bed.router(1).terminate()?;
        bed.router(1).restart()
    }),
    ("reload", MAIN_MODE, |bed| {
        let starts = |bed: &Bed<'_>| -> Result<usize> {
            Ok(bed.isthmus(1)?.log().matches("%SYS-5-RESTART").count())
        };
        let before = starts(bed)?;
        // Nothing was changed since the last start, so only the reload itself is asked for; the console loses its daemon.
        let (text, _) = bed.isthmus(1)?.answering(&["reload", ""])?;
        bed.lab.note(text);
        wait_for("the daemon to start again", SOON, || {
            Ok((starts(bed)? > before).then_some(()))
        })
    }),
];

fn typed(bed: &Bed<'_>, command: &str) -> Result<()> {
    bed.isthmus(1)?.exec(command).map(drop)
}

/// Each way to cut a negotiation short, with 150 ms of delay on the wire, so that it surely is under way: traffic raises
/// the tunnel again at once.
pub fn interrupted_negotiations_come_back() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Strongswan, &Tunnel::AES256, |bed| {
        bed.lab.delay(150)?;
        for (name, exchange, cut) in CUTS {
            begin(bed, *exchange)?;
            cut(bed)?;
            let started = Instant::now();
            while !one_packet(bed)? {
                ensure!(
                    started.elapsed() < SOON,
                    "{name} in exchange {exchange}: no answer for {} s",
                    SOON.as_secs()
                );
            }
            bed.lab.note(format!(
                "{name} in exchange {exchange}: answered {:.2} s later",
                started.elapsed().as_secs_f32()
            ));
            bed.lab.capture.expect_nothing_in_clear()?;
        }
        bed.expect_protected(1, 2)
    })
}

/// Takes the tunnel down, sends one packet, and comes back while an exchange is under way.
fn begin(bed: &Bed<'_>, exchange: u8) -> Result<()> {
    for _ in 0..5 {
        typed(bed, "clear crypto session")?;
        let router = &bed.lab.site(1).router;
        wait_for("R1 to have no SAs", SOON, || {
            Ok(kernel::sas(router)?.is_empty().then_some(()))
        })?;
        let before = sent(bed, exchange);
        let echo = Echo {
            patience: Duration::ZERO,
            ..Echo::new(bed.lab.site(1).inside(), bed.lab.site(2).inside()).count(1)
        };
        echo.ping(&bed.lab.site(1).client)?;
        let limit = Instant::now() + SOON;
        while sent(bed, exchange) == before {
            ensure!(Instant::now() < limit, "no exchange {exchange}");
            std::thread::sleep(Duration::from_millis(5));
        }
        // On a busy machine it may be over by now.
        if kernel::sas(router)?.is_empty() {
            return Ok(());
        }
    }
    bail!("exchange {exchange} was always over too soon")
}

/// IKE messages of R1 so far that belong to an exchange.
fn sent(bed: &Bed<'_>, exchange: u8) -> usize {
    let own = bed.lab.site(1).outside();
    let frames = bed.lab.capture.frames();
    let ours = frames.iter().filter(|frame| frame.from == own);
    ours.filter(|frame| frame.exchange() == Some(exchange))
        .count()
}

fn one_packet(bed: &Bed<'_>) -> Result<bool> {
    let echo = Echo {
        patience: Duration::from_millis(400),
        ..Echo::new(bed.lab.site(1).inside(), bed.lab.site(2).inside()).count(1)
    };
    Ok(echo.ping(&bed.lab.site(1).client)?.received() == 1)
}

/// Two sites that can reach each other in clear, on the machines' own addresses and routes.
fn open(body: impl FnOnce(&mut Bed<'_>, &Link) -> Result<()>) -> Result<()> {
    let link = Link::new(1, 2, &Tunnel::AES256);
    bed::with(
        &[(Brand::Bare, vec![link.clone()]), (Brand::Bare, vec![])],
        |bed| {
            for number in [1, 2] {
                bed.lab.site(number).address_router()?;
            }
            body(bed, &link)
        },
    )
}

fn start(bed: &mut Bed<'_>, config: &str) -> Result<()> {
    let site = bed.lab.site(1);
    bed.routers[0] = Box::new(Isthmus::start(bed.lab, site, config)?);
    Ok(())
}

fn expect_blocked(bed: &Bed<'_>, why: &str) -> Result<()> {
    for _ in 0..3 {
        one_packet(bed)?;
    }
    bed.lab
        .capture
        .expect_nothing_in_clear()
        .context(why.to_owned())
}

fn says(bed: &Bed<'_>, words: &str) -> Result<()> {
    ensure!(
        bed.isthmus(1)?.log().contains(words),
        "the log does not say '{words}'"
    );
    Ok(())
}

/// The startup-config is lost, in several ways: what the last run protected stays blocked until the operator says otherwise.
pub fn lost_configuration_stays_blocked() -> Result<()> {
    open(|bed, link| {
        let config = startup_config(bed.lab.site(1), std::slice::from_ref(link));
        start(bed, &config)?;
        expect_blocked(bed, "there is no peer")?;
        let losses: [(&str, &[&str], &str); 3] = [
            ("rm", &["-f", CONFIG], "no startup-config at"),
            ("cp", &["/dev/null", CONFIG], "is empty; starting empty"),
            ("sh", &["-c", "rm -f $0 && mkdir $0", CONFIG], "cannot read"),
        ];
        for (program, arguments, words) in losses {
            bed.router(1).kill()?;
            bed.lab.site(1).router.command(program, arguments)?;
            bed.router(1).restart()?;
            says(bed, words)?;
            expect_blocked(bed, words)?;
        }
        says(bed, "%CRYPTO-4-HELD")?;
        bed.lab.site(1).router.command("rmdir", &[CONFIG])?;
        // A machine that is no router yet does not become one before its policies stand; nor does one that was killed.
        bed.isthmus(1)?
            .configure(config.trim_end_matches("end\n"))?;
        expect_blocked(bed, "configured again")?;
        bed.isthmus(1)?.exec("write memory")?;
        bed.router(1).terminate()?;
        expect_blocked(bed, "the daemon has ended")?;
        bed.router(1).restart()?;
        expect_blocked(bed, "the next run")?;
        let erased = bed
            .lab
            .site(1)
            .router
            .exists(&format!("{STATE}/startup-config-erased"))?;
        ensure!(!erased, "nothing was erased");
        Ok(())
    })
}

/// Configurations that the kernel or this release cannot do: blocked, not in clear.
pub fn what_does_not_act_is_blocked() -> Result<()> {
    open(|bed, link| {
        let good = startup_config(bed.lab.site(1), std::slice::from_ref(link));
        let entry = "crypto map VPN 10 ipsec-isakmp\n set peer 100.64.2.2\n set transform-set TS2\n match address FLOW10\n";
        ensure!(good.contains(entry), "another entry in\n{good}");
        let dynamic = "crypto dynamic-map D 5\n set transform-set TS2\n match address FLOW10\n\
                       crypto map VPN 10 ipsec-isakmp dynamic D\n";
        let manual =
            "crypto map VPN 10 ipsec-manual\n set peer 100.64.2.2\n match address FLOW10\n";
        let six = entry.replace("100.64.2.2", "2001:db8::1");
        let wanted = [
            (dynamic, "dynamic D\", which is not active"),
            (manual, "ipsec-manual\", which is not active"),
            (&six, "Invalid peer 2001:db8::1"),
        ];
        for (other, words) in wanted {
            start(bed, &good.replace(entry, other))?;
            says(bed, words)?;
            expect_blocked(bed, words)?;
            bed.router(1).kill()?;
            bed.lab.site(1).router.ip("xfrm policy flush\n")?;
        }
        Ok(())
    })
}

/// Under traffic, with many policies: not one packet is forwarded before they stand, at the first start and after kills.
pub fn policies_come_before_packets() -> Result<()> {
    open(|bed, link| {
        let mut config = startup_config(bed.lab.site(1), std::slice::from_ref(link));
        // The line that matters comes last.
        let lines: String = (0..1500)
            .map(|n| {
                format!(
                    " permit ip host 10.{}.{}.1 host 10.0.9.9\n",
                    100 + n / 250,
                    n % 250
                )
            })
            .collect();
        let header = "ip access-list extended FLOW10\n";
        config = config.replace(header, &format!("{header}{lines}"));
        let echo = Echo {
            interval: Duration::from_millis(2),
            ..Echo::new(bed.lab.site(1).inside(), bed.lab.site(2).inside())
        };
        // Before its first start it is no router.
        bed.lab
            .site(1)
            .router
            .write("/proc/sys/net/ipv4/ip_forward", "0")?;
        let traffic = echo.stream(&bed.lab.site(1).client);
        start(bed, &config)?;
        for _ in 0..3 {
            bed.router(1).kill()?;
            bed.router(1).restart()?;
        }
        traffic.stop()?;
        bed.lab.capture.expect_nothing_in_clear()?;
        ensure!(
            bed.lab.capture.count(Kind::Ike) > 0,
            "no packet met a policy"
        );
        Ok(())
    })
}

/// Another program empties the kernel's tables under a tunnel: the policies stand again before the next packet, and the
/// SAs are negotiated again.
pub fn another_program_empties_the_tables() -> Result<()> {
    bed::pair(Brand::Isthmus, Brand::Strongswan, &Tunnel::AES256, |bed| {
        bed.raise(1, 2, SOON)?;
        let router = &bed.lab.site(1).router;
        let policies = kernel::protecting_policies(router)?;
        for (what, commands) in [
            ("the policies", "xfrm policy flush\n"),
            ("the SAs", "xfrm state flush\n"),
            ("both", "xfrm state flush\nxfrm policy flush\n"),
        ] {
            router.ip(commands)?;
            wait_for("the policies to stand again", SOON, || {
                Ok((kernel::protecting_policies(router)? == policies).then_some(()))
            })?;
            let started = Instant::now();
            while !one_packet(bed)? {
                ensure!(started.elapsed() < SOON, "{what} gone: no answer");
            }
            bed.lab.note(format!(
                "{what} gone: answered after {:.2} s",
                started.elapsed().as_secs_f32()
            ));
        }
        says(bed, "%CRYPTO-4-POLICY_CHANGED: another program")?;
        bed.expect_protected(1, 2)
    })
}

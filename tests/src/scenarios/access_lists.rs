//! Access-lists of crypto maps: what is not understood in them leaks nothing, and what IOS takes makes tunnels.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use socket2::{Domain, Protocol, Socket, Type};

use super::bed::{self, Bed};
use crate::lab::{Echo, Site, wait_for};
use crate::peer::isthmus::startup_config;
use crate::peer::{Brand, Flow, Isthmus, Link, Tunnel};

const PATIENCE: Duration = Duration::from_secs(30);

/// The list that the lab's configuration has.
const HEADER: &str = "ip access-list extended FLOW10\n";
const PLAIN: &str = " permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255\n";
/// A line of it that the peer knows too.
const UNDERSTOOD: &str = " permit ip host 10.0.1.10 host 10.0.2.10\n";
/// A line for the other hosts.
const OTHERS: &str = " permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255";

/// R2 is a strongSwan with this flow; R1 is nothing yet.
fn against_strongswan(flow: Flow, body: impl FnOnce(&mut Bed<'_>) -> Result<()>) -> Result<()> {
    let theirs = Link {
        flows: vec![flow],
        ..Link::new(2, 1, &Tunnel::AES256)
    };
    bed::with(
        &[(Brand::Bare, vec![]), (Brand::Strongswan, vec![theirs])],
        body,
    )
}

/// The lab's configuration of R1, changed.
fn config(site: &Site, change: impl Fn(String) -> String) -> String {
    change(startup_config(site, &[Link::new(1, 2, &Tunnel::AES256)]))
}

/// One way in which a configuration is not understood.
struct Slip {
    /// What is changed in the configuration, and into what.
    change: fn(String) -> String,
    /// The flow that is understood comes up all the same.
    tunnel: bool,
    /// What the one message about it names.
    line: &'static str,
}

const SLIPS: &[Slip] = &[
    Slip {
        change: |text| text.replace(PLAIN, &format!("{UNDERSTOOD}{OTHERS} frobnicate\n")),
        tunnel: true,
        line: "access-list FLOW10, used by crypto map VPN 10: line \"permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255 frobnicate\"",
    },
    Slip {
        change: |text| text.replace(PLAIN, &format!("{UNDERSTOOD} extra permit ip any any\n")),
        tunnel: true,
        line: "access-list FLOW10, used by crypto map VPN 10: line \"extra permit ip any any\"",
    },
    Slip {
        change: |text| text.replace(PLAIN, &format!("{UNDERSTOOD}{OTHERS} log dscp ef\n")),
        tunnel: true,
        line: "line \"permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255 dscp ef log\": dscp cannot select",
    },
    Slip {
        change: |text| {
            text.replace(
                PLAIN,
                &format!("{UNDERSTOOD} permit ip object-group NOWHERE 10.0.2.0 0.0.0.255\n"),
            )
        },
        tunnel: true,
        line: "line \"permit ip object-group NOWHERE 10.0.2.0 0.0.0.255\": an object-group of it does not exist",
    },
    Slip {
        change: |text| {
            text.replace(PLAIN, UNDERSTOOD)
                .replace("match address FLOW10", "match address 101")
                .replace(
                    HEADER,
                    "access-list 101 extra permit ip any any\nip access-list extended 101\n",
                )
        },
        tunnel: false,
        line: "access-list 101, used by crypto map VPN 10: line \"extra permit ip any any\"",
    },
    Slip {
        change: |text| text.replace(HEADER, "ip access-list extended FLOW10 extra\n"),
        tunnel: false,
        line: "crypto map VPN 10: line \"ip access-list extended FLOW10 extra\"",
    },
    Slip {
        change: |text| text.replace("10 ipsec-isakmp", "10 ipsec-isakmp extra"),
        tunnel: false,
        line: "crypto map VPN 10: line \"crypto map VPN 10 ipsec-isakmp extra\"",
    },
    Slip {
        change: |text| text.replace("match address FLOW10", "match address FLOW10 extra"),
        tunnel: false,
        line: "crypto map VPN 10: line \"match address FLOW10 extra\"",
    },
];

/// What a line of a crypto map that is not understood could protect is dropped, one message says so, and the flow
/// that is understood comes up.
pub fn what_is_not_understood_does_not_leak() -> Result<()> {
    against_strongswan(Flow::hosts(2, 1, 10), |bed| {
        for slip in SLIPS {
            bed.lab.note(format!("--- {}", slip.line));
            let site = bed.lab.site(1);
            let config = config(site, slip.change);
            bed.routers[0] = Box::new(Isthmus::start(bed.lab, site, &config)?);
            let hidden = Echo {
                patience: Duration::from_millis(200),
                ..Echo::new(site.second(), bed.lab.site(2).second())
            };
            let report = bed.lab.echo(1, hidden)?;
            ensure!(
                report.received() == 0,
                "answered through a peer without such a flow: {report}"
            );
            if slip.tunnel {
                bed.raise(1, 2, PATIENCE)?;
                bed.expect_protected(1, 2)?;
            } else {
                bed.lab.echo(
                    1,
                    Echo {
                        to: bed.lab.site(2).inside(),
                        ..hidden
                    },
                )?;
            }
            bed.lab.echo(1, hidden)?;
            bed.lab.capture.expect_nothing_in_clear()?;
            expect_one_message(bed, slip.line)?;
            bed.routers[0].kill()?;
        }
        Ok(())
    })
}

fn expect_one_message(bed: &Bed<'_>, line: &str) -> Result<()> {
    // The log goes on in one file over all starts.
    let screen = bed.isthmus(1)?.exec("show logging")?;
    let said = screen
        .lines()
        .filter(|message| message.contains("%CRYPTO-4-CONFIG_PROBLEM") && message.contains(line))
        .count();
    ensure!(said == 1, "{said} messages with {line:?} in\n{screen}");
    Ok(())
}

/// TCP from one client to a port of another: a connection that is made and answered.
fn connect(bed: &Bed<'_>, from: u8, from_port: u16, to: u8, to_port: u16) -> Result<bool> {
    let near = SocketAddr::from((bed.lab.site(from).inside(), from_port));
    let far = SocketAddr::from((bed.lab.site(to).inside(), to_port));
    let listener = bed.lab.site(to).client.run(move || {
        let listener = socket(far)?;
        listener.listen(8)?;
        Ok(listener)
    })?;
    let connected = bed.lab.site(from).client.run(move || {
        let socket = socket(near)?;
        Ok(socket
            .connect_timeout(&far.into(), Duration::from_secs(4))
            .is_ok())
    })?;
    drop(listener);
    bed.lab.note(format!(
        "{near} to {far}: {}",
        if connected {
            "connected"
        } else {
            "no connection"
        }
    ));
    Ok(connected)
}

fn socket(own: SocketAddr) -> Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket
        .bind(&own.into())
        .with_context(|| format!("bind {own}"))?;
    Ok(socket)
}

/// Starts R1 with these lines in its list, and gives strongSwan one child for each of the flows that they stand for.
fn start(bed: &mut Bed<'_>, groups: &str, lines: &str, children: &[(&str, &str)]) -> Result<()> {
    let file = "/etc/swanctl/swanctl.conf";
    let router = &bed.lab.site(2).router;
    let plain = router.read(file)?;
    let (before, rest) = plain.split_once("children {\n").context("no children")?;
    let end = rest.find("  }\n}\n").context("no end of the children")?;
    let (child, after) = rest.split_at(end);
    let of = |(number, (local, remote)): (usize, &(&str, &str))| {
        let named = child.replacen("flow1", &format!("flow{}", number + 1), 1);
        let selectors = named
            .lines()
            .map(|line| match line.trim().split_once(" = ") {
                Some(("local_ts", _)) => format!("      local_ts = {local}\n"),
                Some(("remote_ts", _)) => format!("      remote_ts = {remote}\n"),
                _ => format!("{line}\n"),
            });
        selectors.collect::<String>()
    };
    let all: String = children.iter().enumerate().map(of).collect();
    router.write(file, &format!("{before}children {{\n{all}{after}"))?;
    router.command("swanctl", &["--load-all"])?;
    wait_for("strongSwan's policies", PATIENCE, || {
        let policies = crate::peer::kernel::protecting_policies(router)?;
        Ok((policies >= children.len()).then_some(()))
    })?;
    let site = bed.lab.site(1);
    let config = config(site, |text| {
        format!("{groups}{}", text.replace(PLAIN, lines))
    });
    bed.routers[0] = Box::new(Isthmus::start(bed.lab, site, &config)?);
    Ok(())
}

fn expect_tcp(bed: &Bed<'_>, from: u8, from_port: u16, to: u8, to_port: u16) -> Result<()> {
    // The first segment may be lost while the tunnel comes up.
    let connected = (0..4).any(|_| connect(bed, from, from_port, to, to_port).unwrap_or(false));
    ensure!(
        connected,
        "no connection from C{from} port {from_port} to C{to} port {to_port}"
    );
    Ok(())
}

/// `eq 80 443` is a flow for each port, in both roles.
pub fn several_ports_of_one_line() -> Result<()> {
    against_strongswan(Flow::between(2, 1), |bed| {
        let lines = " permit tcp 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255 eq 80 443\n";
        let far = "10.0.1.0/24[tcp]";
        start(
            bed,
            "",
            lines,
            &[("10.0.2.0/24[tcp/80]", far), ("10.0.2.0/24[tcp/443]", far)],
        )?;
        expect_tcp(bed, 1, 4001, 2, 80)?;
        // The other flow is raised by the peer.
        expect_tcp(bed, 2, 443, 1, 4002)?;
        bed.expect_protected(1, 2)?;
        expect_flows(bed, &["port 80", "port 443"], 2)
    })
}

/// Object groups of networks and services are a flow for each combination, in both roles.
pub fn object_groups_make_tunnels() -> Result<()> {
    against_strongswan(Flow::between(2, 1), |bed| {
        let groups = "object-group network OURS\n host 10.0.1.10\n!\n\
                      object-group network THEIRS\n 10.0.2.8 255.255.255.248\n!\n\
                      object-group service MAIL\n tcp eq smtp\n tcp 993\n!\n";
        let lines = " permit object-group MAIL object-group OURS object-group THEIRS\n";
        let far = "10.0.1.10/32[tcp]";
        start(
            bed,
            groups,
            lines,
            &[("10.0.2.8/29[tcp/25]", far), ("10.0.2.8/29[tcp/993]", far)],
        )?;
        expect_tcp(bed, 1, 4001, 2, 25)?;
        expect_tcp(bed, 2, 993, 1, 4002)?;
        bed.expect_protected(1, 2)?;
        expect_flows(bed, &["port 25", "port 993"], 2)
    })
}

/// Each of the flows has a pair of SAs that carried packets.
fn expect_flows(bed: &Bed<'_>, names: &[&str], count: usize) -> Result<()> {
    let sas = crate::peer::kernel::sas(&bed.lab.site(1).router)?;
    let used = sas.iter().filter(|sa| sa.packets > 0).count();
    ensure!(
        used >= 2 * count,
        "{used} SAs in use for {names:?}: {sas:?}"
    );
    let encaps = bed.isthmus(1)?.counters("#pkts encaps:")?;
    let busy = encaps.iter().filter(|packets| **packets > 0).count();
    ensure!(
        busy == count,
        "packets in {busy} flows of {names:?}: {encaps:?}"
    );
    Ok(())
}

//! Devices that go and come back in another order: a name stays with its device, and what a missing interface protected does
//! not leave by another way.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::bed;
use crate::lab::{Echo, wait_for};
use crate::peer::isthmus::startup_config;
use crate::peer::{Brand, Isthmus, Link, Tunnel};

const PATIENCE: Duration = Duration::from_secs(30);

/// R1's uplink is its third device and a second way to the middle is its fourth, without a crypto map. Then the first one
/// goes, the uplink goes under traffic, and both are there again in another order when the daemon starts anew.
pub fn devices_go_and_come_back() -> Result<()> {
    bed::with(
        &[
            (Brand::Bare, vec![]),
            (Brand::Strongswan, vec![Link::new(2, 1, &Tunnel::AES256)]),
        ],
        |bed| {
            let (lab, site) = (bed.lab, bed.lab.site(1));
            let middle = lab.middle.pid();
            let uplink = format!("link add eth2 type veth peer name uplink1 netns {middle}\n");
            let backup = format!("link add eth3 type veth peer name backup1 netns {middle}\n");
            let wired = |device: &str, address: &str| {
                format!("addr replace {address} dev {device}\nlink set {device} up\n")
            };
            lab.middle.ip("addr del 100.64.1.1/24 dev site1\n")?;
            site.router.ip(&format!("{uplink}{backup}"))?;
            lab.middle.ip(&wired("uplink1", "100.64.1.1/24"))?;
            lab.middle.ip(&wired("backup1", "100.64.101.1/24"))?;
            let config = startup_config(site, &[Link::new(1, 2, &Tunnel::AES256)])
                .replace("GigabitEthernet0/0", "GigabitEthernet0/2")
                .replace(
                    "!\nend\n",
                    "interface GigabitEthernet0/3\n ip address 100.64.101.2 255.255.255.0\n no shutdown\n!\n\
                     ip route 0.0.0.0 0.0.0.0 100.64.101.1 250\n!\nend\n",
                );
            bed.routers[0] = Box::new(Isthmus::start(lab, site, &config)?);
            bed.raise(1, 2, PATIENCE)?;
            bed.expect_protected(1, 2)?;

            lab.note("the first device of R1 goes");
            site.router.ip("link del eth0\n")?;
            let isthmus = bed.isthmus(1)?;
            isthmus.wait_to_show("show interfaces Gi0/2", "Linux device is eth2", PATIENCE)?;
            isthmus.exec("clear crypto session")?;
            bed.raise(1, 2, PATIENCE)?;
            bed.expect_protected(1, 2)?;

            lab.note("the uplink of R1 goes under traffic");
            let echo = Echo {
                interval: Duration::from_millis(5),
                ..Echo::new(site.inside(), lab.site(2).inside())
            };
            let traffic = echo.stream(&site.client);
            std::thread::sleep(Duration::from_millis(500));
            site.router.ip("link del eth2\n")?;
            let said = wait_for("R1 to say that it is gone", PATIENCE, || {
                let log = bed.isthmus(1)?.log();
                let said = "interface GigabitEthernet0/2 is not there (it was eth2";
                Ok(log.contains(said).then_some(()))
            });
            let way = site.router.command("ip", &["route", "get", "10.0.2.10"])?;
            std::thread::sleep(Duration::from_secs(2));
            let report = traffic.stop()?;
            lab.note(format!("traffic meanwhile: {report}"));
            said?;
            ensure!(
                way.contains("dev eth3"),
                "the traffic has no other way out: {way}"
            );
            ensure!(
                report.answered.first() == Some(&true),
                "there was no tunnel"
            );
            ensure!(
                report.answered.last() == Some(&false),
                "there is still an answer"
            );
            lab.capture.expect_nothing_in_clear()?;
            bed.isthmus(1)?.show("show interface-map")?;

            lab.note("R1's daemon dies; the devices come back in another order");
            bed.router(1).kill()?;
            site.router
                .ip(&format!("link del eth3\n{backup}{uplink}"))?;
            lab.middle.ip(&wired("backup1", "100.64.101.1/24"))?;
            lab.middle.ip(&wired("uplink1", "100.64.1.1/24"))?;
            bed.router(1).restart()?;
            bed.raise(1, 2, PATIENCE)?;
            bed.expect_protected(1, 2)?;
            let addresses = site.router.command("ip", &["-br", "addr"])?;
            let of = |device: &str| {
                let line = addresses.lines().find(|line| line.starts_with(device));
                line.map(str::to_owned)
                    .context(format!("no {device}: {addresses}"))
            };
            ensure!(of("eth2")?.contains("100.64.1.2/24"), "{addresses}");
            ensure!(of("eth3")?.contains("100.64.101.2/24"), "{addresses}");
            Ok(())
        },
    )
}

//! Log messages at an independent syslog server: Debian's rsyslog, with its parsers for IOS and for RFC 5424.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::bed::{self, Bed};
use crate::lab::Lab;
use crate::peer::Isthmus;
use crate::peer::isthmus::startup_config;
use crate::peer::rsyslog::{self, Rsyslog};

const PATIENCE: Duration = Duration::from_secs(40);

/// UDP and TCP, in the form of IOS and of RFC 5424; and what was logged while the server was away.
pub fn logging_hosts() -> Result<()> {
    let layer = rsyslog::layer();
    let lab = Lab::new(&[vec![], vec![&layer]])?;
    let mut bed = Bed::new(&lab, Vec::new());
    let outcome = messages_arrive(&lab, &mut bed);
    bed::proof(&lab, outcome, &bed)
}

fn messages_arrive<'lab>(lab: &'lab Lab, bed: &mut Bed<'lab>) -> Result<()> {
    let (near, far) = (lab.site(1), lab.site(2));
    far.address_router()?;
    let (server, client) = (far.outside(), near.outside());
    let hosts = format!(
        "logging source-interface GigabitEthernet0/0\nlogging host {server} transport udp port 5514\n\
         logging host {server} transport tcp port 5601\n!\nend\n"
    );
    let config = startup_config(near, &[]).replacen("end\n", &hosts, 1);
    bed.routers
        .push(Box::new(Isthmus::start(lab, near, &config)?));
    let rsyslog = Rsyslog::start(lab, &far.router)?;
    let router = bed.isthmus(1)?;

    router.configure("interface GigabitEthernet0/1\ndescription first")?;
    let told = format!("{client}|%SYS-5-CONFIG_I|-|-| Configured from console by");
    rsyslog.wait_for("ios", &["imudp|189|0|", &told])?;
    rsyslog.wait_for("ios", &["imtcp|189|0|", &told])?;

    router.configure(&format!(
        "ip domain name example.net\nlogging trap syslog-format rfc5424\nlogging facility local0\n\
         no logging host {server} transport udp port 5514\nno logging host {server} transport tcp port 5601\n\
         logging host {server} transport udp port 6514\nlogging host {server} transport tcp port 6601"
    ))?;
    let data = format!(
        "|[timeQuality tzKnown=\"1\" isSynced=\"0\"][origin ip=\"{client}\" software=\"Isthmus\""
    );
    let facts = [
        "|R1.example.net|isthmusd|CONFIG_I|",
        &data,
        "|%SYS-5-CONFIG_I: Configured from console by",
    ];
    for carrier in ["imudp|133|1|", "imtcp|133|1|"] {
        rsyslog.wait_for("rfc5424", &[&[carrier], &facts[..]].concat())?;
    }

    drop(rsyslog);
    router.wait_to_show("show logging", "link down", PATIENCE)?;
    router.configure("hostname R1-meanwhile")?;
    let rsyslog = Rsyslog::start(lab, &far.router)?;
    rsyslog.wait_for(
        "rfc5424",
        &["imtcp|133|1|", "|R1-meanwhile.example.net|", "CONFIG_I"],
    )?;
    let screen = router.wait_to_show("show logging", "started - reconnection", PATIENCE)?;
    ensure!(
        screen.matches("LOGGINGHOST_FAIL").count() <= 2,
        "a loss is told more than once:\n{screen}"
    );
    Ok(())
}

//! `show tech-support [ipsec]`: the screens that a support engineer will ask for, one after the other, without secrets.
//! Called by `show`.

use std::fmt::Write;

use isthmus_grammar::command::{ShowCommand, ShowCrypto};
use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::screen::{Facts, Screen};
use super::{Snapshot, configuration, screen};
use crate::config::render;

/// `show tech-support [ipsec]`.
#[derive(Serialize, JsonSchema)]
pub struct TechSupport<'a> {
    /// The facts of each screen under its command, such as `show version`.
    #[serde(serialize_with = "by_command")]
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    screens: Vec<(&'static str, Box<dyn Screen + 'a>)>,
}

fn by_command<S: Serializer>(
    screens: &[(&'static str, Box<dyn Screen + '_>)],
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(screens.len()))?;
    for (command, screen) in screens {
        map.serialize_entry(command, screen)?;
    }
    map.end()
}

/// The screens; with `ipsec` only those that matter for IPsec.
pub(super) fn tech_support<'a>(snapshot: &'a Snapshot, ipsec: bool) -> TechSupport<'a> {
    let options = render::Options {
        hide_secrets: true,
        ..render::Options::default()
    };
    let without_secrets = configuration::running(render::body(&snapshot.running, &options));
    let shown = |(title, command): (&'static str, ShowCommand)| (title, screen(snapshot, &command));
    let first = [
        ("show clock", ShowCommand::Clock { detail: true }),
        ("show version", ShowCommand::Version),
    ];
    let mut screens: Vec<(&'static str, Box<dyn Screen + 'a>)> =
        first.into_iter().map(shown).collect();
    screens.push(("show running-config", Box::new(without_secrets)));
    screens.extend(crypto().map(|(title, command)| shown((title, ShowCommand::Crypto(command)))));
    let wanted = |(title, _): &(&str, ShowCommand)| !ipsec || *title == "show access-lists";
    screens.extend(general().into_iter().filter(wanted).map(shown));
    TechSupport { screens }
}

fn crypto() -> [(&'static str, ShowCrypto); 8] {
    let ipsec_sa = ShowCrypto::IpsecSa {
        peer: None,
        map: None,
        interface: None,
        detail: true,
    };
    let session = ShowCrypto::Session {
        remote: None,
        local: None,
        interface: None,
        detail: true,
    };
    [
        (
            "show crypto isakmp sa detail",
            ShowCrypto::IsakmpSa { detail: true },
        ),
        ("show crypto isakmp policy", ShowCrypto::IsakmpPolicy),
        ("show crypto isakmp peers", ShowCrypto::IsakmpPeers(None)),
        ("show crypto ipsec sa detail", ipsec_sa),
        (
            "show crypto ipsec transform-set",
            ShowCrypto::IpsecTransformSet(None),
        ),
        ("show crypto map", ShowCrypto::Map(None)),
        ("show crypto session detail", session),
        (
            "show crypto engine connections active",
            ShowCrypto::EngineConnectionsActive,
        ),
    ]
}

fn general() -> [(&'static str, ShowCommand); 5] {
    let ip_route = ShowCommand::IpRoute {
        address: None,
        mask: None,
    };
    [
        (
            "show ip interface brief",
            ShowCommand::IpInterfaceBrief(None),
        ),
        ("show interfaces", ShowCommand::Interfaces(None)),
        ("show ip route", ip_route),
        ("show access-lists", ShowCommand::AccessLists(None)),
        ("show logging", ShowCommand::Logging),
    ]
}

impl Facts for TechSupport<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for (title, screen) in &self.screens {
            let part = screen.text();
            let _ = writeln!(
                text,
                "\n------------------ {title} ------------------\n\n{part}"
            );
        }
        text
    }
}

//! `show tech-support [ipsec]`: the screens that someone who helps will ask for, one after the other, without secrets.
//! Called by `show`.

use isthmus_grammar::command::{ShowCommand, ShowCrypto};

use super::{Snapshot, show};
use crate::config::render;

pub(super) fn tech_support(snapshot: &Snapshot<'_>, ipsec: bool) -> String {
    let crypto = [
        (
            "show crypto isakmp sa detail",
            ShowCrypto::IsakmpSa { detail: true },
        ),
        ("show crypto isakmp policy", ShowCrypto::IsakmpPolicy),
        ("show crypto isakmp peers", ShowCrypto::IsakmpPeers(None)),
        (
            "show crypto ipsec sa detail",
            ShowCrypto::IpsecSa {
                peer: None,
                map: None,
                interface: None,
                detail: true,
            },
        ),
        (
            "show crypto ipsec transform-set",
            ShowCrypto::IpsecTransformSet(None),
        ),
        ("show crypto map", ShowCrypto::Map(None)),
        (
            "show crypto session detail",
            ShowCrypto::Session {
                remote: None,
                local: None,
                interface: None,
                detail: true,
            },
        ),
        (
            "show crypto engine connections active",
            ShowCrypto::EngineConnectionsActive,
        ),
    ];
    let general = [
        (
            "show ip interface brief",
            ShowCommand::IpInterfaceBrief(None),
        ),
        ("show interfaces", ShowCommand::Interfaces(None)),
        (
            "show ip route",
            ShowCommand::IpRoute {
                address: None,
                mask: None,
            },
        ),
        ("show access-lists", ShowCommand::AccessLists(None)),
        ("show logging", ShowCommand::Logging),
    ];
    let mut text = part(
        "show clock",
        &show(snapshot, &ShowCommand::Clock { detail: true }),
    );
    text += &part("show version", &show(snapshot, &ShowCommand::Version));
    let options = render::Options {
        hide_secrets: true,
        ..render::Options::default()
    };
    text += &part(
        "show running-config",
        &render::show(snapshot.running, &options),
    );
    for (title, command) in crypto {
        text += &part(title, &show(snapshot, &ShowCommand::Crypto(command)));
    }
    for (title, command) in general {
        if !ipsec || title == "show access-lists" {
            text += &part(title, &show(snapshot, &command));
        }
    }
    text
}

fn part(title: &str, text: &str) -> String {
    format!("\n------------------ {title} ------------------\n\n{text}\n")
}

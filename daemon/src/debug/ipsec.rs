//! `debug crypto ipsec` and `debug crypto engine`: requests for SAs, SAs that come and go. Called by [`super::fact`].

use ike::algorithm::{IpsecProtocol, Mode};
use ike::cause::Cause;
use ike::child::{ChildSa, ProtocolSa};
use ike::config::{Connection, ConnectionId, Flow, FlowId};
use ike::event::{DownReason, Event, Fact};
use ike::registry::ProtocolId;

use crate::plan::units::Plan;

/// `debug crypto ipsec message`: what ISAKMP and IPsec ask of each other.
pub fn messages(fact: &Fact, plan: &Plan, lines: &mut Vec<String>) {
    match &fact.event {
        Event::Requested { connection, flow } => {
            if let Some((connection, flow)) = find(plan, *connection, *flow) {
                lines.push(request(fact, connection, flow));
            }
        }
        Event::TransformSetChosen {
            name,
            local,
            remote,
            ..
        } => {
            lines.push("IPSEC(validate_proposal_request): proposal part #1".into());
            lines.push(format!(
                "IPSEC(validate_proposal_request): proposal part #1,\n  (key eng. msg.) INBOUND local= {}:0, remote= {}:0,\n    \
                 local_proxy= {local},\n    remote_proxy= {remote},\n    transform-set= {name}",
                fact.local.ip(),
                fact.remote.ip()
            ));
        }
        _ => {}
    }
}

/// `debug crypto ipsec states`: SAs that come and go. Called by [`super::fact`].
pub fn states(fact: &Fact, lines: &mut Vec<String>) {
    match &fact.event {
        Event::ChildUp { child, .. } => {
            for sa in &child.protocols {
                lines.push(created(child, sa, true));
                lines.push(created(child, sa, false));
            }
        }
        Event::ChildDown { spis, .. } => {
            for (protocol, inbound, outbound) in spis {
                lines.push(deleted(fact.local.ip(), *protocol, *inbound));
                lines.push(deleted(fact.remote.ip(), *protocol, *outbound));
            }
        }
        _ => {}
    }
}

/// `debug crypto ipsec error`: proposals that were refused.
pub fn errors(fact: &Fact, lines: &mut Vec<String>) {
    let Event::Failed { cause, .. } = &fact.event else {
        return;
    };
    match cause {
        Cause::NoFlow { .. } => {
            lines.push("IPSEC(ipsec_process_proposal): proxy identities not supported".into());
        }
        Cause::NoCommonTransform { .. } | Cause::PfsDiffers { .. } => lines.push(format!(
            "IPSEC(ipsec_process_proposal): transform proposal not supported for peer {}: {cause}",
            fact.remote.ip()
        )),
        _ => {}
    }
}

fn find(plan: &Plan, connection: ConnectionId, flow: FlowId) -> Option<(&Connection, &Flow)> {
    let connection = plan.connection(connection)?;
    Some((connection, connection.flow(flow)?))
}

fn request(fact: &Fact, connection: &Connection, flow: &Flow) -> String {
    let sets: Vec<String> = connection
        .transform_sets
        .iter()
        .map(ToString::to_string)
        .collect();
    let kilobytes = connection
        .lifetime
        .kilobytes
        .map_or_else(|| "no limit".into(), |k| format!("{k}kb"));
    format!(
        "IPSEC(sa_request): ,\n  (key eng. msg.) OUTBOUND local= {}, remote= {},\n    local_proxy= {},\n    \
         remote_proxy= {},\n    transform= {},\n    lifedur= {}s and {kilobytes},\n    \
         spi= 0x0(0), conn_id= 0, flags= 0x0",
        fact.local,
        fact.remote,
        flow.local,
        flow.remote,
        sets.join(" or "),
        connection.lifetime.seconds,
    )
}

fn created(child: &ChildSa, sa: &ProtocolSa, inbound: bool) -> String {
    let (destination, spi) = if inbound {
        (child.local, sa.inbound_spi)
    } else {
        (child.remote, sa.outbound_spi)
    };
    let number = match sa.protocol {
        IpsecProtocol::Ah => 51,
        IpsecProtocol::Esp => 50,
    };
    let cipher = sa.cipher.map(|cipher| cipher.to_string());
    let integrity = sa
        .integrity
        .map(|integrity| format!("{}-{integrity}", sa.protocol));
    let transform: Vec<String> = cipher.into_iter().chain(integrity).collect();
    let mode = match child.mode {
        Mode::Tunnel => "Tunnel",
        Mode::Transport => "Transport",
    };
    format!(
        "IPSEC(create_sa): sa created,\n  (sa) sa_dest= {destination}, sa_proto= {number},\n    \
         sa_spi= 0x{spi:X}({spi}),\n    sa_trans= {} ({mode}),\n    sa_lifetime(k/sec)= ({}/{})",
        transform.join(" "),
        child.lifetime.kilobytes.unwrap_or(0),
        child.lifetime.seconds
    )
}

fn deleted(destination: std::net::IpAddr, protocol: ProtocolId, spi: u32) -> String {
    let number = if protocol == ProtocolId::AH { 51 } else { 50 };
    format!(
        "IPSEC(delete_sa): deleting SA,\n  (sa) sa_dest= {destination}, sa_proto= {number},\n    sa_spi= 0x{spi:X}({spi})"
    )
}

/// The lines of `debug crypto engine`.
pub fn engine(fact: &Fact, lines: &mut Vec<String>) {
    match &fact.event {
        Event::PolicyChosen { policy } => {
            lines.push(format!(
                "crypto_engine: Create DH for group {}",
                policy.group.0
            ));
        }
        Event::IkeUp { .. } => lines.push("crypto_engine: Create IKE SA".into()),
        Event::IkeDown { .. } => lines.push("crypto_engine: Delete IKE SA".into()),
        Event::ChildUp { child, .. } => {
            if let Some(group) = child.pfs {
                lines.push(format!(
                    "crypto_engine: Create DH shared secret for PFS group {}",
                    group.0
                ));
            }
            lines.push("crypto_engine: Create IPSec SA (by keys)".into());
        }
        Event::ChildDown { .. } => lines.push("crypto_engine: Delete IPSec SA".into()),
        _ => {}
    }
}

/// The lines of `debug crypto engine error`.
pub fn engine_errors(fact: &Fact, lines: &mut Vec<String>) {
    if let Event::ChildDown {
        spis,
        reason: DownReason::KernelRefused,
        ..
    } = &fact.event
    {
        for (_, inbound, outbound) in spis {
            lines.push(format!(
                "crypto_engine: Create IPSec SA failed (SPI:0x{inbound:08X}/0x{outbound:08X})"
            ));
        }
    }
}

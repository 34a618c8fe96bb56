//! Commands of the configuration sub-modes.

use super::{acl, secret};
use crate::command::{
    AclCommand, AddressMask, AesBits, Authentication, ConfigCommand, CryptoMapCommand, DfBit,
    Encapsulation, Encryption, Group, Hash, InterfaceCommand, IsakmpPolicyCommand,
    KilobyteLifetime, LineCommand, LoginMethod, PeerName, Replay, SaLifetime, StandardAclCommand,
    Transform, TransformSetCommand, TransportDirection, TransportProtocol,
};
use crate::matched::Part;
use crate::modes::Mode;
use crate::tree::Rule;

pub(super) fn command(table: Mode, part: Part<'_>) -> Option<ConfigCommand> {
    Some(match table {
        Mode::Interface => ConfigCommand::Interface(interface(part)?),
        Mode::ExtendedAcl => ConfigCommand::ExtendedAcl(extended_acl(part)?),
        Mode::StandardAcl => ConfigCommand::StandardAcl(standard_acl(part)?),
        Mode::IsakmpPolicy => ConfigCommand::IsakmpPolicy(isakmp_policy(part)?),
        Mode::TransformSet => {
            ConfigCommand::TransformSet(TransformSetCommand::Mode(encapsulation(part)))
        }
        Mode::CryptoMap => ConfigCommand::CryptoMap(crypto_map(part)?),
        Mode::Line => ConfigCommand::Line(line(part)?),
        _ => return None,
    })
}

fn interface(part: Part<'_>) -> Option<InterfaceCommand> {
    Some(match part.rule() {
        Rule::interface_ip_address | Rule::no_interface_ip_address => {
            let address = part
                .parsed(Rule::a_interface_address)?
                .zip(part.parsed(Rule::a_interface_mask)?);
            InterfaceCommand::IpAddress {
                address: address.map(|(address, mask)| AddressMask { address, mask }),
                secondary: part.has(Rule::k_secondary),
            }
        }
        Rule::interface_shutdown => InterfaceCommand::Shutdown,
        Rule::description => InterfaceCommand::Description(part.name(Rule::a_description)),
        Rule::interface_crypto_map => InterfaceCommand::CryptoMap(part.name(Rule::a_assigned_map)),
        Rule::interface_map_redundancy => InterfaceCommand::CryptoMapRedundancy {
            map: part.name(Rule::a_assigned_map)?,
            group: part.name(Rule::a_redundancy)?,
            stateful: part.has(Rule::k_stateful),
        },
        Rule::interface_mtu => InterfaceCommand::Mtu(part.number(Rule::a_mtu)?),
        _ => return None,
    })
}

fn extended_acl(part: Part<'_>) -> Option<AclCommand> {
    let (sequence, entry) = acl::extended(part)?;
    Some(match entry {
        Some(entry) => AclCommand::Entry { sequence, entry },
        None => AclCommand::Sequence(sequence?),
    })
}

fn standard_acl(part: Part<'_>) -> Option<StandardAclCommand> {
    let (sequence, entry) = acl::standard(part)?;
    Some(match entry {
        Some(entry) => StandardAclCommand::Entry { sequence, entry },
        None => StandardAclCommand::Sequence(sequence?),
    })
}

fn isakmp_policy(part: Part<'_>) -> Option<IsakmpPolicyCommand> {
    let word = |rule: Rule| part.text(rule);
    Some(match part.rule() {
        Rule::policy_authentication => IsakmpPolicyCommand::Authentication(
            word(Rule::authentication).and_then(Authentication::from_word),
        ),
        Rule::policy_encryption => IsakmpPolicyCommand::Encryption(
            part.child(Rule::cipher).map(|cipher| encryption(cipher)),
        ),
        Rule::policy_group => {
            IsakmpPolicyCommand::Group(word(Rule::group).and_then(Group::from_word))
        }
        Rule::policy_hash => IsakmpPolicyCommand::Hash(word(Rule::hash).and_then(Hash::from_word)),
        Rule::policy_lifetime => {
            IsakmpPolicyCommand::Lifetime(part.number(Rule::a_policy_lifetime)?)
        }
        _ => return None,
    })
}

fn encryption(cipher: Part<'_>) -> Encryption {
    if cipher.has(Rule::k_aes) {
        Encryption::Aes(aes_bits(cipher))
    } else if cipher.has(Rule::k_3des) {
        Encryption::TripleDes
    } else {
        Encryption::Des
    }
}

fn aes_bits(part: Part<'_>) -> AesBits {
    if part.has(Rule::k_256) {
        AesBits::B256
    } else if part.has(Rule::k_192) {
        AesBits::B192
    } else {
        AesBits::B128
    }
}

fn encapsulation(part: Part<'_>) -> Option<Encapsulation> {
    let mode = part.child(Rule::encapsulation)?;
    Some(match mode.has(Rule::k_tunnel) {
        true => Encapsulation::Tunnel,
        false => Encapsulation::Transport {
            require: mode.has(Rule::k_require),
        },
    })
}

/// The transforms of a set, in the order typed.
pub(super) fn transforms(part: Part<'_>) -> Option<Vec<Transform>> {
    part.parts()
        .filter(|child| child.rule() == Rule::transform)
        .map(transform)
        .collect()
}

fn transform(part: Part<'_>) -> Option<Transform> {
    let bits = aes_bits(part);
    let word = part.parts().next()?;
    Some(match word.rule() {
        Rule::k_comp_lzs => Transform::CompLzs,
        Rule::k_esp_3des => Transform::Esp3des,
        Rule::k_esp_aes => Transform::EspAes(bits),
        Rule::k_esp_des => Transform::EspDes,
        Rule::k_esp_gcm => Transform::EspGcm(bits),
        Rule::k_esp_gmac => Transform::EspGmac(bits),
        Rule::k_esp_null => Transform::EspNull,
        Rule::k_esp_seal => Transform::EspSeal,
        _ => {
            let (protocol, hash) = word.word().strip_suffix("-hmac")?.split_once('-')?;
            let hash = Hash::from_word(hash)?;
            if protocol == "ah" {
                Transform::Ah(hash)
            } else {
                Transform::EspAuth(hash)
            }
        }
    })
}

/// The lifetime in a `lifetime` command, plain or `no`.
pub(super) fn sa_lifetime(part: Part<'_>) -> Option<SaLifetime> {
    let of = part.child(Rule::sa_lifetime)?;
    Some(if of.has(Rule::k_days) {
        SaLifetime::Days(of.number(Rule::a_days)?)
    } else if of.has(Rule::k_seconds) {
        SaLifetime::Seconds(of.number(Rule::a_seconds)?)
    } else if of.has(Rule::k_kilobytes_disable) {
        SaLifetime::Kilobytes(Some(KilobyteLifetime::Disable))
    } else {
        SaLifetime::Kilobytes(
            of.number(Rule::a_kilobytes)?
                .map(KilobyteLifetime::Kilobytes),
        )
    })
}

/// The replay setting of a `replay` command.
pub(super) fn replay(part: Part<'_>) -> Option<Replay> {
    match part.has(Rule::k_replay_disable) {
        true => Some(Replay::Disable),
        false => part
            .read(Rule::window, |text| text.parse().ok())
            .map(Replay::WindowSize),
    }
}

/// The DF bit setting of a `df-bit` command.
pub(super) fn df_bit(part: Part<'_>) -> Option<DfBit> {
    part.text(Rule::df_bit).and_then(DfBit::from_word)
}

fn crypto_map(part: Part<'_>) -> Option<CryptoMapCommand> {
    Some(match part.rule() {
        Rule::description => CryptoMapCommand::Description(part.name(Rule::a_description)),
        Rule::match_address => {
            let list = [
                Rule::a_extended_number,
                Rule::a_extended_expanded,
                Rule::a_access_list_name,
            ];
            CryptoMapCommand::MatchAddress(list.into_iter().find_map(|rule| part.name(rule)))
        }
        Rule::set_peer => CryptoMapCommand::SetPeer {
            peer: part.read(Rule::peer, |text| Some(peer(text)))?,
            default: part.has(Rule::k_peer_default),
        },
        Rule::set_transform_set => {
            let names = part
                .parts()
                .filter(|child| child.rule() == Rule::a_set_transform_set);
            CryptoMapCommand::SetTransformSet(names.map(|name| name.word().to_owned()).collect())
        }
        Rule::set_pfs => CryptoMapCommand::SetPfs(part.read(Rule::pfs_group, |text| {
            Group::from_word(text.strip_prefix("group")?)
        })?),
        Rule::set_lifetime => CryptoMapCommand::SetLifetime(sa_lifetime(part)?),
        _ => return None,
    })
}

fn peer(text: &str) -> PeerName {
    text.parse()
        .map_or_else(|_| PeerName::Hostname(text.to_owned()), PeerName::Address)
}

fn line(part: Part<'_>) -> Option<LineCommand> {
    Some(match part.rule() {
        Rule::line_access_class => LineCommand::AccessClass {
            list: part.name(Rule::a_access_class)?,
            inbound: part.has(Rule::k_in),
        },
        Rule::line_autocommand => LineCommand::Autocommand(part.name(Rule::a_autocommand)),
        Rule::line_exec => LineCommand::Exec,
        Rule::line_exec_banner => LineCommand::ExecBanner,
        Rule::line_motd_banner => LineCommand::MotdBanner,
        Rule::line_exec_timeout => LineCommand::ExecTimeout {
            minutes: part.number(Rule::a_timeout_minutes)?,
            seconds: part.number(Rule::a_timeout_seconds)?,
        },
        Rule::line_history => LineCommand::HistorySize(part.number(Rule::a_history_size)?),
        Rule::line_length => LineCommand::Length(part.number(Rule::a_length)?),
        Rule::line_logging => LineCommand::LoggingSynchronous,
        Rule::line_login => LineCommand::Login(login(part)),
        Rule::line_password | Rule::no_line_password => {
            LineCommand::Password(secret(part, Rule::a_password))
        }
        Rule::line_privilege => LineCommand::PrivilegeLevel(part.number(Rule::a_line_privilege)?),
        Rule::line_session_timeout => {
            LineCommand::SessionTimeout(part.number(Rule::a_session_timeout)?)
        }
        Rule::line_stopbits => {
            LineCommand::Stopbits(part.text(Rule::stopbits).map(|bits| bits.to_owned()))
        }
        Rule::line_timeout => LineCommand::LoginResponse(part.number(Rule::a_login_response)?),
        Rule::line_transport => transport(part)?,
        Rule::line_width => LineCommand::Width(part.number(Rule::a_width)?),
        _ => return None,
    })
}

fn login(part: Part<'_>) -> LoginMethod {
    match part.name(Rule::a_authentication_list) {
        Some(list) => LoginMethod::Authentication(list),
        None if part.has(Rule::k_login_local) => LoginMethod::Local,
        None => LoginMethod::LinePassword,
    }
}

fn transport(part: Part<'_>) -> Option<LineCommand> {
    let mut inner = part.parts().skip(1);
    let direction = TransportDirection::from_word(inner.next()?.word())?;
    let protocols = inner
        .map(|protocol| TransportProtocol::from_word(protocol.word()))
        .collect::<Option<_>>()?;
    Some(LineCommand::Transport {
        direction,
        protocols,
    })
}

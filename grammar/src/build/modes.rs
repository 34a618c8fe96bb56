//! Commands of the configuration sub-modes.

use pest::iterators::Pair;

use super::{Node, acl, secret};
use crate::command::{
    AclCommand, AddressMask, AesBits, Authentication, ConfigCommand, CryptoMapCommand, DfBit,
    Encapsulation, Encryption, Group, Hash, InterfaceCommand, IsakmpPolicyCommand,
    KilobyteLifetime, LineCommand, LoginMethod, PeerName, Replay, SaLifetime, StandardAclCommand,
    Transform, TransformSetCommand, TransportDirection, TransportProtocol,
};
use crate::modes::Mode;
use crate::parser::Rule;

pub(super) fn command(table: Mode, pair: Pair<'_, Rule>) -> Option<ConfigCommand> {
    Some(match table {
        Mode::Interface => ConfigCommand::Interface(interface(&pair)?),
        Mode::ExtendedAcl => ConfigCommand::ExtendedAcl(extended_acl(&pair)?),
        Mode::StandardAcl => ConfigCommand::StandardAcl(standard_acl(&pair)?),
        Mode::IsakmpPolicy => ConfigCommand::IsakmpPolicy(isakmp_policy(&pair)?),
        Mode::TransformSet => {
            ConfigCommand::TransformSet(TransformSetCommand::Mode(encapsulation(&pair)))
        }
        Mode::CryptoMap => ConfigCommand::CryptoMap(crypto_map(&pair)?),
        Mode::Line => ConfigCommand::Line(line(&pair)?),
        _ => return None,
    })
}

fn interface(pair: &Pair<'_, Rule>) -> Option<InterfaceCommand> {
    Some(match pair.as_rule() {
        Rule::interface_ip_address | Rule::no_interface_ip_address => {
            let address = pair
                .parsed(Rule::a_interface_address)?
                .zip(pair.parsed(Rule::a_interface_mask)?);
            InterfaceCommand::IpAddress {
                address: address.map(|(address, mask)| AddressMask { address, mask }),
                secondary: pair.has(Rule::k_secondary),
            }
        }
        Rule::interface_shutdown => InterfaceCommand::Shutdown,
        Rule::description | Rule::no_description => {
            InterfaceCommand::Description(pair.name(Rule::a_description))
        }
        Rule::interface_crypto_map | Rule::no_interface_crypto_map => {
            InterfaceCommand::CryptoMap(pair.name(Rule::a_assigned_map))
        }
        Rule::interface_map_redundancy => InterfaceCommand::CryptoMapRedundancy {
            map: pair.name(Rule::a_assigned_map)?,
            group: pair.name(Rule::a_redundancy)?,
            stateful: pair.has(Rule::k_stateful),
        },
        Rule::interface_mtu | Rule::no_interface_mtu => {
            InterfaceCommand::Mtu(pair.number(Rule::a_mtu)?)
        }
        _ => return None,
    })
}

fn extended_acl(pair: &Pair<'_, Rule>) -> Option<AclCommand> {
    let (sequence, entry) = acl::extended(pair)?;
    Some(match entry {
        Some(entry) => AclCommand::Entry { sequence, entry },
        None => AclCommand::Sequence(sequence?),
    })
}

fn standard_acl(pair: &Pair<'_, Rule>) -> Option<StandardAclCommand> {
    let (sequence, entry) = acl::standard(pair)?;
    Some(match entry {
        Some(entry) => StandardAclCommand::Entry { sequence, entry },
        None => StandardAclCommand::Sequence(sequence?),
    })
}

fn isakmp_policy(pair: &Pair<'_, Rule>) -> Option<IsakmpPolicyCommand> {
    let word = |rule: Rule| pair.text(rule).map(str::trim);
    Some(match pair.as_rule() {
        Rule::policy_authentication | Rule::no_policy_authentication => {
            IsakmpPolicyCommand::Authentication(
                word(Rule::authentication).and_then(Authentication::from_word),
            )
        }
        Rule::policy_encryption | Rule::no_policy_encryption => IsakmpPolicyCommand::Encryption(
            pair.child(Rule::cipher).map(|cipher| encryption(&cipher)),
        ),
        Rule::policy_group | Rule::no_policy_group => {
            IsakmpPolicyCommand::Group(word(Rule::group).and_then(Group::from_word))
        }
        Rule::policy_hash | Rule::no_policy_hash => {
            IsakmpPolicyCommand::Hash(word(Rule::hash).and_then(Hash::from_word))
        }
        Rule::policy_lifetime | Rule::no_policy_lifetime => {
            IsakmpPolicyCommand::Lifetime(pair.number(Rule::a_policy_lifetime)?)
        }
        _ => return None,
    })
}

fn encryption(cipher: &Pair<'_, Rule>) -> Encryption {
    if cipher.has(Rule::k_aes) {
        Encryption::Aes(aes_bits(cipher))
    } else if cipher.has(Rule::k_3des) {
        Encryption::TripleDes
    } else {
        Encryption::Des
    }
}

fn aes_bits(pair: &Pair<'_, Rule>) -> AesBits {
    if pair.has(Rule::k_256) {
        AesBits::B256
    } else if pair.has(Rule::k_192) {
        AesBits::B192
    } else {
        AesBits::B128
    }
}

fn encapsulation(pair: &Pair<'_, Rule>) -> Option<Encapsulation> {
    let mode = pair.child(Rule::encapsulation)?;
    Some(match mode.has(Rule::k_tunnel) {
        true => Encapsulation::Tunnel,
        false => Encapsulation::Transport {
            require: mode.has(Rule::k_require),
        },
    })
}

/// The transforms of a set, in the order typed.
pub(super) fn transforms(pair: &Pair<'_, Rule>) -> Option<Vec<Transform>> {
    pair.clone()
        .into_inner()
        .filter(|child| child.as_rule() == Rule::transform)
        .map(transform)
        .collect()
}

fn transform(pair: Pair<'_, Rule>) -> Option<Transform> {
    let bits = aes_bits(&pair);
    let word = pair.into_inner().next()?;
    Some(match word.as_rule() {
        Rule::k_comp_lzs => Transform::CompLzs,
        Rule::k_esp_3des => Transform::Esp3des,
        Rule::k_esp_aes => Transform::EspAes(bits),
        Rule::k_esp_des => Transform::EspDes,
        Rule::k_esp_gcm => Transform::EspGcm(bits),
        Rule::k_esp_gmac => Transform::EspGmac(bits),
        Rule::k_esp_null => Transform::EspNull,
        Rule::k_esp_seal => Transform::EspSeal,
        _ => {
            let (protocol, hash) = word.as_str().strip_suffix("-hmac")?.split_once('-')?;
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
pub(super) fn sa_lifetime(pair: &Pair<'_, Rule>) -> Option<SaLifetime> {
    let of = pair
        .child(Rule::sa_lifetime)
        .or_else(|| pair.child(Rule::no_sa_lifetime))?;
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
pub(super) fn replay(pair: &Pair<'_, Rule>) -> Option<Replay> {
    match pair.has(Rule::k_replay_disable) {
        true => Some(Replay::Disable),
        false => pair
            .read(Rule::window, |text| text.trim().parse().ok())
            .map(Replay::WindowSize),
    }
}

/// The DF bit setting of a `df-bit` command.
pub(super) fn df_bit(pair: &Pair<'_, Rule>) -> Option<DfBit> {
    pair.text(Rule::df_bit)
        .map(str::trim)
        .and_then(DfBit::from_word)
}

fn crypto_map(pair: &Pair<'_, Rule>) -> Option<CryptoMapCommand> {
    Some(match pair.as_rule() {
        Rule::description | Rule::no_description => {
            CryptoMapCommand::Description(pair.name(Rule::a_description))
        }
        Rule::match_address | Rule::no_match_address => {
            let list = [
                Rule::a_extended_number,
                Rule::a_extended_expanded,
                Rule::a_access_list_name,
            ];
            CryptoMapCommand::MatchAddress(list.into_iter().find_map(|rule| pair.name(rule)))
        }
        Rule::set_peer | Rule::no_set_peer => CryptoMapCommand::SetPeer {
            peer: pair.read(Rule::peer, |text| Some(peer(text.trim())))?,
            default: pair.has(Rule::k_peer_default),
        },
        Rule::set_transform_set | Rule::no_set_transform_set => {
            let names = pair
                .clone()
                .into_inner()
                .filter(|child| child.as_rule() == Rule::a_set_transform_set);
            CryptoMapCommand::SetTransformSet(names.map(|name| name.as_str().to_owned()).collect())
        }
        Rule::set_pfs | Rule::no_set_pfs => {
            CryptoMapCommand::SetPfs(pair.read(Rule::pfs_group, |text| {
                Group::from_word(text.trim().strip_prefix("group")?)
            })?)
        }
        Rule::set_lifetime | Rule::no_set_lifetime => {
            CryptoMapCommand::SetLifetime(sa_lifetime(pair)?)
        }
        _ => return None,
    })
}

fn peer(text: &str) -> PeerName {
    text.parse()
        .map_or_else(|_| PeerName::Hostname(text.to_owned()), PeerName::Address)
}

fn line(pair: &Pair<'_, Rule>) -> Option<LineCommand> {
    Some(match pair.as_rule() {
        Rule::line_access_class => LineCommand::AccessClass {
            list: pair.name(Rule::a_access_class)?,
            inbound: pair.has(Rule::k_in),
        },
        Rule::line_autocommand | Rule::no_line_autocommand => {
            LineCommand::Autocommand(pair.name(Rule::a_autocommand))
        }
        Rule::line_exec => LineCommand::Exec,
        Rule::line_exec_banner => LineCommand::ExecBanner,
        Rule::line_motd_banner => LineCommand::MotdBanner,
        Rule::line_exec_timeout | Rule::no_line_exec_timeout => LineCommand::ExecTimeout {
            minutes: pair.number(Rule::a_timeout_minutes)?,
            seconds: pair.number(Rule::a_timeout_seconds)?,
        },
        Rule::line_history | Rule::no_line_history => {
            LineCommand::HistorySize(pair.number(Rule::a_history_size)?)
        }
        Rule::line_length | Rule::no_line_length => {
            LineCommand::Length(pair.number(Rule::a_length)?)
        }
        Rule::line_logging => LineCommand::LoggingSynchronous,
        Rule::line_login => LineCommand::Login(login(pair)),
        Rule::line_password | Rule::no_line_password => {
            LineCommand::Password(secret(pair, Rule::a_password))
        }
        Rule::line_privilege | Rule::no_line_privilege => {
            LineCommand::PrivilegeLevel(pair.number(Rule::a_line_privilege)?)
        }
        Rule::line_session_timeout | Rule::no_line_session_timeout => {
            LineCommand::SessionTimeout(pair.number(Rule::a_session_timeout)?)
        }
        Rule::line_stopbits | Rule::no_line_stopbits => {
            LineCommand::Stopbits(pair.text(Rule::stopbits).map(|bits| bits.trim().to_owned()))
        }
        Rule::line_timeout | Rule::no_line_timeout => {
            LineCommand::LoginResponse(pair.number(Rule::a_login_response)?)
        }
        Rule::line_transport | Rule::no_line_transport => transport(pair)?,
        Rule::line_width | Rule::no_line_width => LineCommand::Width(pair.number(Rule::a_width)?),
        _ => return None,
    })
}

fn login(pair: &Pair<'_, Rule>) -> LoginMethod {
    match pair.name(Rule::a_authentication_list) {
        Some(list) => LoginMethod::Authentication(list),
        None if pair.has(Rule::k_login_local) => LoginMethod::Local,
        None => LoginMethod::LinePassword,
    }
}

fn transport(pair: &Pair<'_, Rule>) -> Option<LineCommand> {
    let mut inner = pair.clone().into_inner().skip(1);
    let direction = TransportDirection::from_word(inner.next()?.as_str())?;
    let protocols = inner
        .map(|protocol| TransportProtocol::from_word(protocol.as_str().trim()))
        .collect::<Option<_>>()?;
    Some(LineCommand::Transport {
        direction,
        protocols,
    })
}

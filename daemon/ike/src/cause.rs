//! Why a negotiation failed: who is to blame, what came, what was expected, which line to change.
//!
//! Every refusal ends here. The endpoint keeps the last `Cause` per connection and per peer and
//! emits it as `Event::Failed`; the daemon prints it in the log and in `show crypto session detail`.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::config::{IsakmpPolicy, TransformSet};
use crate::offer::{ChildOffer, PolicyOffer};
use crate::origin::{Item, Origin};
use crate::registry::{GroupNumber, NotifyType};
use crate::selector::Selector;

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Blame {
    /// The bytes do not form a message
    Malformed,
    /// A well-formed message that breaks the protocol
    Misbehaved,
    /// Both sides are right but do not fit together: a configuration differs
    Incompatible,
    /// A right message at the wrong moment or for something that is not there
    Inappropriate,
    /// Our own side was used or configured wrongly
    Misuse,
}

/// The line of our configuration that decides; what the operator should look at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ConfigLine {
    /// A field of `crypto isakmp policy PRIORITY`
    IsakmpPolicy {
        /// The policy
        priority: u32,
        /// The line in it
        field: PolicyField,
    },
    /// `crypto isakmp key ... address ADDRESS`
    IsakmpKey {
        /// The peer
        address: IpAddr,
    },
    /// `crypto isakmp policy`: there is none at all that could be used
    NoIsakmpPolicy,
    /// `crypto ipsec transform-set NAME`
    TransformSet {
        /// The set
        name: String,
    },
    /// A line of what a connection was made from
    Connection {
        /// What it was made from
        origin: Origin,
        /// The line in it
        item: Item,
    },
    /// `crypto isakmp identity`
    IsakmpIdentity,
    /// `crypto call admission limit`
    CallAdmission(AdmissionLimit),
}

/// A kind of `crypto call admission limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AdmissionLimit {
    /// `ike sa`
    IkeSas,
    /// `ike in-negotiation-sa` or `all in-negotiation-sa`
    Negotiations,
    /// `ipsec sa`
    Children,
}

impl fmt::Display for AdmissionLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IkeSas => "crypto call admission limit ike sa",
            Self::Negotiations => "crypto call admission limit ike in-negotiation-sa",
            Self::Children => "crypto call admission limit ipsec sa",
        })
    }
}

/// A line of an ISAKMP policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PolicyField {
    /// `encryption`
    Encryption,
    /// `hash`
    Hash,
    /// `authentication`
    Authentication,
    /// `group`
    Group,
    /// `lifetime`
    Lifetime,
}

/// Which phase failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// Main mode
    One,
    /// Quick mode
    Two,
}

/// Why a negotiation failed. `Display` is one sentence for the operator, `line` the line to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// Responder: none of the peer's phase 1 transforms is one of our policies
    NoCommonPolicy {
        /// Everything the peer offered
        offered: Vec<PolicyOffer>,
        /// The offer that came closest
        closest: Box<PolicyOffer>,
        /// Our policy it came closest to
        policy: IsakmpPolicy,
        /// The first field in which the two differ
        field: PolicyField,
    },
    /// There is no usable ISAKMP policy of our own
    NoPolicy,
    /// Initiator: the peer refused our phase 1 transforms
    PolicyRefused {
        /// What we offered
        offered: Vec<IsakmpPolicy>,
        /// What the peer answered
        notify: NotifyType,
    },
    /// The peer chose a transform that was not offered, or changed one
    ChoseWhatWasNotOffered {
        /// Which phase
        phase: Phase,
        /// Its choice
        chosen: String,
    },
    /// The peer did not answer
    NoAnswer {
        /// What we waited in
        phase: Phase,
        /// The message that stayed without answer, such as `main mode 1`
        message: String,
        /// What it offered
        offered: String,
    },
    /// What we asked the outside for did not come in time
    Unanswered {
        /// What was asked for
        question: String,
        /// How long it was waited for, in seconds
        seconds: u64,
    },
    /// We have no pre-shared key for the peer
    NoKey {
        /// The peer
        peer: IpAddr,
    },
    /// The pre-shared keys differ
    KeyDiffers {
        /// The peer
        peer: IpAddr,
        /// False when the messages only look like it (they do not decrypt, or the peer fell silent)
        certain: bool,
        /// What was seen
        seen: String,
    },
    /// The peer's identity is not what the configuration says
    IdentityUnexpected {
        /// The peer
        peer: IpAddr,
        /// What it called itself
        came: String,
    },
    /// No connection is with this peer
    UnknownPeer {
        /// The peer
        peer: IpAddr,
    },
    /// Responder: the proxy identities are no line of our access-lists
    NoFlow {
        /// Our side, as the peer asked for it
        local: Selector,
        /// The peer's side, as it asked for it
        remote: Selector,
        /// Our lines for this peer (at most 16)
        ours: Vec<(Selector, Selector)>,
        /// The connection that comes closest
        origin: Origin,
    },
    /// Responder: none of the peer's phase 2 proposals is one of our transform sets
    NoCommonTransform {
        /// Everything the peer offered
        offered: Vec<ChildOffer>,
        /// Our transform sets for the flow
        ours: Vec<TransformSet>,
        /// The connection
        origin: Origin,
    },
    /// Responder: the proposals fit but the PFS group does not
    PfsDiffers {
        /// The peer's group, if it wants PFS
        offered: Option<GroupNumber>,
        /// Ours
        expected: Option<GroupNumber>,
        /// The connection
        origin: Origin,
    },
    /// Initiator: the peer refused our quick mode
    ChildRefused {
        /// What the peer answered
        notify: NotifyType,
        /// Our side
        local: Selector,
        /// The peer's side
        remote: Selector,
        /// What we offered
        offered: Vec<TransformSet>,
        /// Our PFS group
        pfs: Option<GroupNumber>,
        /// The connection
        origin: Origin,
    },
    /// The peer sent something that breaks the protocol
    Protocol {
        /// Who is to blame
        blame: Blame,
        /// Which phase
        phase: Phase,
        /// What came
        came: String,
        /// What was expected
        expected: String,
    },
    /// The peer does not answer R-U-THERE
    PeerDead {
        /// The peer
        peer: IpAddr,
        /// Unanswered R-U-THERE
        tries: u32,
    },
    /// The kernel did not take the SA
    KernelRefused {
        /// Its reason
        reason: String,
    },
    /// None of our transform sets can be offered for this flow
    NothingToOffer {
        /// The connection
        origin: Origin,
    },
    /// `crypto call admission limit` leaves no room
    NotAdmitted {
        /// Which limit
        limit: AdmissionLimit,
        /// How many it allows
        most: u32,
    },
}

impl Cause {
    /// Who is to blame.
    pub fn blame(&self) -> Blame {
        match self {
            Self::NoCommonPolicy { .. }
            | Self::PolicyRefused { .. }
            | Self::KeyDiffers { .. }
            | Self::IdentityUnexpected { .. }
            | Self::NoFlow { .. }
            | Self::NoCommonTransform { .. }
            | Self::PfsDiffers { .. }
            | Self::ChildRefused { .. } => Blame::Incompatible,
            Self::NoPolicy
            | Self::NoKey { .. }
            | Self::Unanswered { .. }
            | Self::KernelRefused { .. }
            | Self::NothingToOffer { .. }
            | Self::NotAdmitted { .. } => Blame::Misuse,
            Self::ChoseWhatWasNotOffered { .. } => Blame::Misbehaved,
            Self::NoAnswer { .. } | Self::UnknownPeer { .. } | Self::PeerDead { .. } => {
                Blame::Inappropriate
            }
            Self::Protocol { blame, .. } => *blame,
        }
    }

    /// The line of our configuration to look at, where one decides.
    pub fn line(&self) -> Option<ConfigLine> {
        let line = |origin: &Origin, item| ConfigLine::Connection {
            origin: origin.clone(),
            item,
        };
        Some(match self {
            Self::NoCommonPolicy { policy, field, .. } => ConfigLine::IsakmpPolicy {
                priority: policy.priority,
                field: *field,
            },
            Self::PolicyRefused { offered, .. } => {
                let policy = offered.first()?;
                let field = PolicyField::Encryption;
                ConfigLine::IsakmpPolicy {
                    priority: policy.priority,
                    field,
                }
            }
            Self::NoPolicy => ConfigLine::NoIsakmpPolicy,
            Self::NoKey { peer } | Self::KeyDiffers { peer, .. } => {
                ConfigLine::IsakmpKey { address: *peer }
            }
            Self::IdentityUnexpected { .. } => ConfigLine::IsakmpIdentity,
            Self::NoFlow { origin, .. } => line(origin, Item::Flows),
            Self::ChildRefused { notify, origin, .. }
                if *notify == NotifyType::INVALID_ID_INFORMATION =>
            {
                line(origin, Item::Flows)
            }
            Self::NoCommonTransform { ours, origin, .. } => match ours.as_slice() {
                [only] => ConfigLine::TransformSet {
                    name: only.name.clone(),
                },
                _ => line(origin, Item::SetTransformSet),
            },
            Self::ChildRefused { origin, .. } | Self::NothingToOffer { origin } => {
                line(origin, Item::SetTransformSet)
            }
            Self::PfsDiffers { origin, .. } => line(origin, Item::SetPfs),
            Self::NotAdmitted { limit, .. } => ConfigLine::CallAdmission(*limit),
            _ => return None,
        })
    }
}

/// Items of a list that a sentence names; a peer may offer thousands.
const MAX_LISTED: usize = 16;

fn list<T: fmt::Display>(items: &[T]) -> String {
    let shown = items.iter().take(MAX_LISTED).map(ToString::to_string);
    let more = items.len().saturating_sub(MAX_LISTED);
    let rest = (more > 0).then(|| format!("and {more} more"));
    shown.chain(rest).collect::<Vec<_>>().join(", ")
}

fn group(group: &Option<GroupNumber>) -> String {
    group.map_or_else(|| "no PFS".into(), |group| format!("PFS group {}", group.0))
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommonPolicy {
                closest,
                policy,
                field: PolicyField::Lifetime,
                ..
            } => write!(
                f,
                "peer offered {closest} with lifetime {}, local policy {} asks at most {}",
                closest.seconds.unwrap_or(0),
                policy.priority,
                policy.lifetime
            ),
            Self::NoCommonPolicy {
                closest, policy, ..
            } => {
                write!(
                    f,
                    "peer offered {closest}, local policy {} asks {policy}",
                    policy.priority
                )
            }
            Self::NoPolicy => f.write_str("no local ISAKMP policy can be used"),
            Self::PolicyRefused { offered, notify } => {
                write!(f, "peer answered {notify} to our offer {}", list(offered))
            }
            Self::ChoseWhatWasNotOffered { chosen, .. } => {
                write!(f, "peer chose {chosen}, which was not offered")
            }
            Self::NoAnswer {
                message, offered, ..
            } if offered.is_empty() => {
                write!(f, "peer did not answer {message}")
            }
            Self::NoAnswer {
                message, offered, ..
            } => {
                write!(f, "peer did not answer {message} with our offer {offered}")
            }
            Self::Unanswered { question, seconds } => {
                write!(f, "{question} did not come within {seconds} seconds")
            }
            Self::NoKey { peer } => write!(f, "no pre-shared key for {peer}"),
            Self::KeyDiffers {
                peer,
                certain: true,
                seen,
            } => {
                write!(f, "pre-shared key for {peer} differs: {seen}")
            }
            Self::KeyDiffers {
                peer,
                certain: false,
                seen,
            } => {
                write!(f, "pre-shared key for {peer} probably differs: {seen}")
            }
            Self::IdentityUnexpected { peer, came } => {
                write!(f, "peer {peer} calls itself {came}, which is not expected")
            }
            Self::UnknownPeer { peer } => write!(f, "no crypto map entry names peer {peer}"),
            Self::NoFlow {
                local,
                remote,
                ours,
                origin,
            } => {
                write!(f, "peer asked for local {local} remote {remote}, ")?;
                let flows = origin.flows();
                match ours.first() {
                    Some((local, remote)) => {
                        write!(f, "{flows} has local {local} remote {remote}")?;
                    }
                    None => write!(f, "{flows} has no line")?,
                }
                match ours.len() {
                    0 | 1 => Ok(()),
                    more => write!(f, " and {} more", more - 1),
                }
            }
            Self::NoCommonTransform { offered, ours, .. } => {
                write!(f, "peer offered {}, ", list(offered))?;
                match ours.as_slice() {
                    [] => f.write_str("no local transform-set can be used"),
                    [only] => write!(f, "local transform-set {} asks {only}", only.name),
                    ours => write!(f, "local transform-sets ask {}", list(ours)),
                }
            }
            Self::PfsDiffers {
                offered,
                expected,
                origin,
            } => write!(
                f,
                "peer offered {}, {origin} asks {}",
                group(offered),
                group(expected)
            ),
            Self::ChildRefused {
                notify,
                local,
                remote,
                offered,
                pfs,
                ..
            } => write!(
                f,
                "peer answered {notify} to local {local} remote {remote} with {}, {}",
                list(offered),
                group(pfs)
            ),
            Self::Protocol { came, expected, .. } => write!(f, "{came}, expected {expected}"),
            Self::PeerDead { peer, tries } => {
                write!(f, "peer {peer} did not answer {tries} keepalives")
            }
            Self::KernelRefused { reason } => write!(f, "the kernel refused the SA: {reason}"),
            Self::NothingToOffer { origin } => {
                write!(f, "no transform-set of {origin} can be offered")
            }
            Self::NotAdmitted { limit, most } => {
                write!(f, "there are {most} already, as many as {limit} allows")
            }
        }
    }
}

/// The configuration line as typed, shortened to what names it.
impl fmt::Display for ConfigLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IsakmpPolicy { priority, field } => {
                write!(
                    f,
                    "crypto isakmp policy {priority}, {}",
                    match field {
                        PolicyField::Encryption => "encryption",
                        PolicyField::Hash => "hash",
                        PolicyField::Authentication => "authentication",
                        PolicyField::Group => "group",
                        PolicyField::Lifetime => "lifetime",
                    }
                )
            }
            Self::IsakmpKey { address } => write!(f, "crypto isakmp key ... address {address}"),
            Self::NoIsakmpPolicy => f.write_str("crypto isakmp policy"),
            Self::TransformSet { name } => write!(f, "crypto ipsec transform-set {name}"),
            Self::Connection { origin, item } => origin.write_line(f, *item),
            Self::IsakmpIdentity => f.write_str("crypto isakmp identity"),
            Self::CallAdmission(limit) => write!(f, "{limit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_names_the_line_of_where_the_connection_comes_from() {
        let lines = |origin: Origin| {
            let refused = |notify| Cause::ChildRefused {
                notify,
                local: Selector::prefix([10, 1, 0, 0].into(), 16, 0, 0),
                remote: Selector::prefix([10, 2, 0, 0].into(), 16, 0, 0),
                offered: Vec::new(),
                pfs: None,
                origin: origin.clone(),
            };
            let kinds = [
                NotifyType::INVALID_ID_INFORMATION,
                NotifyType::NO_PROPOSAL_CHOSEN,
            ];
            kinds.map(|notify| refused(notify).line().unwrap().to_string())
        };
        let origin = Origin::CryptoMap {
            map: "M".into(),
            sequence: 10,
            access_list: "101".into(),
        };
        let expected = [
            "crypto map M 10, match address 101",
            "crypto map M 10, set transform-set",
        ];
        assert_eq!(lines(origin), expected);
        let dynamic = |access_list: Option<&str>| Origin::DynamicMap {
            map: "M".into(),
            sequence: 65_000,
            template: "D".into(),
            entry: 10,
            access_list: access_list.map(Into::into),
        };
        let expected = [
            "crypto dynamic-map D 10, match address 102",
            "crypto dynamic-map D 10, set transform-set",
        ];
        assert_eq!(lines(dynamic(Some("102"))), expected);
        assert_eq!(
            lines(dynamic(None))[0],
            "crypto dynamic-map D 10, match address"
        );
        let tunnel = Origin::TunnelInterface {
            interface: "Tunnel0".into(),
            profile: "P".into(),
        };
        let expected = [
            "interface Tunnel0",
            "crypto ipsec profile P, set transform-set",
        ];
        assert_eq!(lines(tunnel), expected);
        let client = Origin::Client { name: "HQ".into() };
        assert_eq!(lines(client), ["crypto ipsec client ezvpn HQ"; 2]);
    }
}

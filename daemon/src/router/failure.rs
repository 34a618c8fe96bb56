//! Failed negotiations as they are kept for `show crypto session detail`. Filled by `router::facts` from the engine's facts.

use std::collections::HashMap;
use std::net::IpAddr;

use ike::cause::Cause;
use ike::event::Fact;
use ike::registry::ExchangeType;
use ike::status::Role;
use jiff::ZonedDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use crate::json::{Moment, Role as RoleWord, moment, role};

/// Peers whose last failure is kept; strangers cannot fill the memory.
const LIMIT: usize = 1024;

/// A negotiation that failed, with its cause and the line to change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Failure {
    /// Our address, where it is known.
    #[serde(rename = "local_address")]
    pub local: Option<IpAddr>,
    /// The peer.
    pub peer: IpAddr,
    /// When.
    #[serde(rename = "time", serialize_with = "moment")]
    #[schemars(with = "Moment")]
    pub at: ZonedDateTime,
    /// What was tried, such as `Main Mode` or `Quick Mode`.
    pub exchange: String,
    /// Who began.
    #[serde(rename = "role", serialize_with = "role")]
    #[schemars(with = "RoleWord")]
    pub initiator: bool,
    /// What went wrong, one line.
    pub cause: String,
    /// What the peer offered, one line each.
    pub offered: Vec<String>,
    /// What the configuration asks, one line each.
    #[serde(rename = "configured")]
    pub wanted: Vec<String>,
    /// The configuration line to change.
    #[serde(rename = "line_to_change")]
    pub change: Option<String>,
}

/// Keeps a peer's last failure; the oldest goes when there are too many.
pub fn keep(failures: &mut HashMap<IpAddr, Failure>, failure: Failure) {
    if failures.len() >= LIMIT && !failures.contains_key(&failure.peer) {
        let oldest = failures
            .values()
            .min_by_key(|f| f.at.timestamp())
            .map(|f| f.peer);
        if let Some(oldest) = oldest {
            failures.remove(&oldest);
        }
    }
    failures.insert(failure.peer, failure);
}

/// A failure in the words of the screens.
#[must_use]
pub fn describe(
    fact: &Fact,
    exchange: ExchangeType,
    role: Role,
    cause: &Cause,
    at: ZonedDateTime,
) -> Failure {
    Failure {
        local: Some(fact.local.ip()),
        peer: fact.remote.ip(),
        at,
        exchange: format!("{} Mode", mode(exchange)),
        initiator: role == Role::Initiator,
        cause: cause.to_string(),
        offered: offered(cause),
        wanted: wanted(cause),
        change: cause.line().map(|line| line.to_string()),
    }
}

/// `Main`, `Quick`, ...
#[must_use]
pub fn mode(exchange: ExchangeType) -> &'static str {
    match exchange {
        ExchangeType::IDENTITY_PROTECTION => "Main",
        ExchangeType::AGGRESSIVE => "Aggressive",
        ExchangeType::QUICK_MODE => "Quick",
        _ => "Informational",
    }
}

fn lines<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn offered(cause: &Cause) -> Vec<String> {
    match cause {
        Cause::NoCommonPolicy { offered, .. } => lines(offered),
        Cause::NoCommonTransform { offered, .. } => lines(offered),
        Cause::NoFlow { local, remote, .. } => vec![format!("local {local} remote {remote}")],
        Cause::PfsDiffers { offered, .. } => vec![pfs(*offered)],
        Cause::ChoseWhatWasNotOffered { chosen, .. } => vec![chosen.clone()],
        _ => Vec::new(),
    }
}

fn wanted(cause: &Cause) -> Vec<String> {
    match cause {
        Cause::NoCommonPolicy { policy, .. } => {
            vec![format!("policy {}: {policy}", policy.priority)]
        }
        Cause::PolicyRefused { offered, .. } => offered
            .iter()
            .map(|p| format!("policy {}: {p}", p.priority))
            .collect(),
        Cause::NoCommonTransform { ours, .. } | Cause::ChildRefused { offered: ours, .. } => ours
            .iter()
            .map(|set| format!("transform-set {}: {set}", set.name))
            .collect(),
        Cause::NoFlow { ours, .. } => ours
            .iter()
            .map(|(local, remote)| format!("local {local} remote {remote}"))
            .collect(),
        Cause::PfsDiffers { expected, .. } => vec![pfs(*expected)],
        _ => Vec::new(),
    }
}

fn pfs(group: Option<ike::registry::GroupNumber>) -> String {
    group.map_or_else(|| "no PFS".into(), |group| format!("PFS group{}", group.0))
}

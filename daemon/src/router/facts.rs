//! The engine's facts and the machine's changes as log messages in the words of IOS. Called by the router.

use std::collections::BTreeMap;

use ike::cause::Cause;
use ike::event::{Bound, DropReason, Event, Fact};

use crate::config::{Running, encrypt};
use crate::log::{Log, Message, Severity};
use crate::machine::interfaces::{Interface, InterfaceTable};
use crate::router::failure;

/// The message that a fact is worth. `trouble` is what is wrong with the key of the peer, where that is why a negotiation
/// failed ([`key_trouble`]); `sessions` is `crypto logging session`.
#[must_use]
pub fn message(fact: &Fact, trouble: &str, sessions: bool) -> Option<Message> {
    Some(match &fact.event {
        Event::Failed {
            exchange, cause, ..
        } => {
            let peer = fact.remote.ip();
            let mode = failure::mode(*exchange);
            let change = cause
                .line()
                .map_or_else(String::new, |line| format!("; look at: {line}"));
            let text = format!(
                "Processing of {mode} Mode failed with peer at {peer}: {cause}{trouble}{change}"
            );
            crypto(Severity::Informational, "IKMP_MODE_FAILURE", text).provoked_by(peer)
        }
        Event::BoundReached { bound, times } => bound_reached(fact, *bound, *times),
        Event::DroppedUntold { untold } => dropped_untold(untold),
        Event::Dropped { reason, .. } => dropped(fact, *reason)?,
        Event::SessionUp { identity, .. } if sessions => session(fact, "UP  ", identity.as_ref()),
        Event::SessionDown { identity, .. } if sessions => session(fact, "DOWN", identity.as_ref()),
        _ => return None,
    })
}

/// What is wrong with the key of the peer, in brackets, where a negotiation failed for want of one.
#[must_use]
pub fn key_trouble(fact: &Fact, running: &Running) -> String {
    let trouble = match &fact.event {
        Event::Failed {
            cause: Cause::NoKey { peer },
            ..
        } => encrypt::trouble_with(running, *peer),
        _ => None,
    };
    trouble.map_or_else(String::new, |text| format!(" ({text})"))
}

fn crypto(severity: Severity, mnemonic: &'static str, text: String) -> Message {
    Message::system("CRYPTO", severity, mnemonic, text)
}

fn dropped(fact: &Fact, reason: DropReason) -> Option<Message> {
    let peer = fact.remote.ip();
    let (severity, mnemonic, text) = match reason {
        DropReason::NoSa => (
            Severity::Warnings,
            "IKMP_NO_SA",
            format!("IKE message from {peer} has no SA and is not an initialization offer"),
        ),
        DropReason::Malformed | DropReason::Undecryptable => (
            Severity::Warnings,
            "IKMP_BAD_MESSAGE",
            format!("IKE message from {peer} failed its sanity check or is malformed"),
        ),
        DropReason::NotEncrypted => (
            Severity::Informational,
            "IKMP_NOT_ENCRYPTED",
            format!("IKE packet from {peer} was not encrypted and it should've been."),
        ),
        _ => return None,
    };
    Some(crypto(severity, mnemonic, text).provoked_by(peer))
}

/// Once at first, then once a minute while it goes on.
fn bound_reached(fact: &Fact, bound: Bound, times: u64) -> Message {
    let (local, peer) = (fact.local.ip(), fact.remote.ip());
    let often = match times {
        1 => String::new(),
        times => format!(" ({times} times in the last minute, last by {peer})"),
    };
    let why = bound.words();
    let denied = match bound {
        Bound::AdmittedIkeSas | Bound::AdmittedNegotiations => Some("an INCOMING SA request"),
        Bound::AdmittedChildren => Some("an IPSEC SA request"),
        _ => None,
    };
    let message = match denied {
        Some(what) => crypto(
            Severity::Warnings,
            "IKE_DENY_SA_REQ",
            format!("IKE denied {what} from {peer} to {local} due to {why}{often}"),
        ),
        None => crypto(
            Severity::Warnings,
            "IKMP_LIMIT",
            format!("{why}; peer {peer}{often}"),
        ),
    };
    message.about(peer)
}

fn dropped_untold(untold: &BTreeMap<DropReason, u64>) -> Message {
    let all: u64 = untold.values().sum();
    let reasons: Vec<_> = untold
        .iter()
        .map(|(reason, times)| format!("{times} {}", reason.words()))
        .collect();
    let text = format!(
        "{all} more IKE messages dropped in the last minute: {}",
        reasons.join(", ")
    );
    crypto(Severity::Warnings, "IKMP_DROPPED", text)
}

/// Only with `crypto logging session`.
fn session(fact: &Fact, state: &str, identity: Option<&ike::identity::Identity>) -> Message {
    let id = identity.map_or_else(|| fact.remote.ip().to_string(), ToString::to_string);
    let text = format!(
        "Crypto tunnel is {state}.  Peer {}       Id: {id}",
        fact.remote
    );
    let message = crypto(Severity::Notifications, "SESSION_STATUS", text);
    message.about(fact.remote.ip())
}

/// Logs links that came up or went down between two looks.
pub fn links(log: &mut Log, before: &InterfaceTable, after: &InterfaceTable) {
    let gone = |i: &&Interface| !i.link.loopback && after.by_index(i.link.index).is_none();
    for then in before.iter().filter(gone).filter(|i| is_up(i)) {
        changed(log, &then.name, "down");
    }
    for now in after.iter().filter(|i| !i.link.loopback) {
        let then = before.by_index(now.link.index);
        let was = then.is_some_and(is_up);
        let was_shut = then.is_some_and(|i| !i.link.up);
        if was == is_up(now) {
            continue;
        }
        let state = if is_up(now) { "up" } else { "down" };
        if !now.link.up && !was_shut {
            let text = format!(
                "Interface {}, changed state to administratively down",
                now.name
            );
            log.system("LINK", Severity::Notifications, "CHANGED", text);
            line_protocol(log, &now.name, state);
        } else {
            changed(log, &now.name, state);
        }
    }
}

fn changed(log: &mut Log, name: &str, state: &str) {
    let text = format!("Interface {name}, changed state to {state}");
    log.system("LINK", Severity::Errors, "UPDOWN", text);
    line_protocol(log, name, state);
}

fn line_protocol(log: &mut Log, name: &str, state: &str) {
    let text = format!("Line protocol on Interface {name}, changed state to {state}");
    log.system("LINEPROTO", Severity::Notifications, "UPDOWN", text);
}

fn is_up(interface: &Interface) -> bool {
    interface.link.up && interface.link.running
}

//! The engine's facts and the machine's changes as log messages in the words of IOS. Called by the router.

use std::collections::BTreeMap;

use ike::cause::Cause;
use ike::event::{Bound, DropReason, Event, Fact};

use crate::config::encrypt;
use crate::log::{Log, Message, Severity};
use crate::machine::interfaces::{Interface, InterfaceTable};
use crate::router::Router;
use crate::router::failure;

/// Logs what a fact is worth.
pub fn fact(router: &mut Router, fact: &Fact) {
    match &fact.event {
        Event::Failed {
            exchange,
            role,
            cause,
            ..
        } => {
            let peer = fact.remote.ip();
            let now = router.clock.zoned();
            let trouble = match cause {
                Cause::NoKey { peer } => encrypt::trouble_with(&router.running, *peer),
                _ => None,
            };
            let trouble = trouble.map_or_else(String::new, |text| format!(" ({text})"));
            let mut failure = failure::describe(fact, *exchange, *role, cause, now);
            failure.cause.push_str(&trouble);
            failure::keep(&mut router.failures, failure);
            let mode = failure::mode(*exchange);
            let change = cause
                .line()
                .map_or_else(String::new, |line| format!("; look at: {line}"));
            let text = format!(
                "Processing of {mode} Mode failed with peer at {peer}: {cause}{trouble}{change}"
            );
            let message = crypto(Severity::Informational, "IKMP_MODE_FAILURE", text);
            router.log.write(&message.provoked_by(peer));
        }
        Event::BoundReached { bound, times } => {
            bound_reached(&mut router.log, fact, *bound, *times)
        }
        Event::DroppedUntold { untold } => dropped_untold(&mut router.log, untold),
        Event::Dropped { reason, .. } => dropped(&mut router.log, fact, *reason),
        Event::ChildUp { .. } => {
            router.failures.remove(&fact.remote.ip());
        }
        Event::SessionUp { identity, .. } => session(router, fact, "UP  ", identity.as_ref()),
        Event::SessionDown { identity, .. } => session(router, fact, "DOWN", identity.as_ref()),
        _ => {}
    }
}

fn crypto(severity: Severity, mnemonic: &'static str, text: String) -> Message {
    Message::system("CRYPTO", severity, mnemonic, text)
}

fn dropped(log: &mut Log, fact: &Fact, reason: DropReason) {
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
        _ => return,
    };
    log.write(&crypto(severity, mnemonic, text).provoked_by(peer));
}

/// Once at first, then once a minute while it goes on.
fn bound_reached(log: &mut Log, fact: &Fact, bound: Bound, times: u64) {
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
    log.write(&message.about(peer));
}

fn dropped_untold(log: &mut Log, untold: &BTreeMap<DropReason, u64>) {
    let all: u64 = untold.values().sum();
    let reasons: Vec<_> = untold
        .iter()
        .map(|(reason, times)| format!("{times} {}", reason.words()))
        .collect();
    let text = format!(
        "{all} more IKE messages dropped in the last minute: {}",
        reasons.join(", ")
    );
    log.write(&crypto(Severity::Warnings, "IKMP_DROPPED", text));
}

/// Only with `crypto logging session`.
fn session(
    router: &mut Router,
    fact: &Fact,
    state: &str,
    identity: Option<&ike::identity::Identity>,
) {
    if !router.running.crypto.log_sessions {
        return;
    }
    let id = identity.map_or_else(|| fact.remote.ip().to_string(), ToString::to_string);
    let text = format!(
        "Crypto tunnel is {state}.  Peer {}       Id: {id}",
        fact.remote
    );
    let message = crypto(Severity::Notifications, "SESSION_STATUS", text);
    router.log.write(&message.about(fact.remote.ip()));
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

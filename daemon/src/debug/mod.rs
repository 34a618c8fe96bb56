//! `debug crypto ...`: which debugging is on, and the engine's facts as debug lines in the words of IOS. Called by the
//! router for every fact.
//!
//! [`isakmp`] writes the lines of `debug crypto isakmp`, [`ipsec`] those of `debug crypto ipsec` and `engine`;
//! [`condition`] decides whose facts are wanted.

mod condition;
mod ipsec;
mod isakmp;

use std::collections::BTreeSet;

use ike::event::Fact;
use isthmus_grammar::command::{DebugArea, DebugTopic};

pub use condition::{Conditions, Fit};

use crate::log::{Log, Message};
use crate::plan::units::Plan;

/// Which debugging is on, and for which peers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Debugging {
    topics: BTreeSet<DebugTopic>,
    /// `debug crypto condition ...`
    pub conditions: Conditions,
}

impl Debugging {
    /// What `debug all` switches on.
    const ALL: [DebugTopic; 3] = [
        DebugTopic::CryptoEngine,
        DebugTopic::CryptoIpsec,
        DebugTopic::CryptoIsakmp,
    ];

    /// Any at all.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.topics.is_empty()
    }

    /// What is on.
    pub fn topics(&self) -> impl Iterator<Item = DebugTopic> {
        self.topics.iter().copied()
    }

    /// Switches a topic and says so in IOS's words.
    pub fn change(&mut self, topic: DebugTopic, on: bool) -> String {
        if topic == DebugTopic::All {
            self.topics.clear();
            self.topics.extend(Self::ALL.iter().filter(|_| on));
            let done = if on { "on" } else { "off" };
            return format!("All possible debugging has been turned {done}\n");
        }
        if on {
            self.topics.insert(topic);
        } else {
            self.topics.remove(&topic);
        }
        let state = if on { "on" } else { "off" };
        format!("{} debugging is {state}\n", title(topic))
    }

    fn has(&self, topic: DebugTopic) -> bool {
        self.topics.contains(&topic)
    }
}

/// A topic as IOS names it when it is switched and in `show debugging`.
#[must_use]
pub fn title(topic: DebugTopic) -> &'static str {
    match topic {
        DebugTopic::All => "All possible",
        DebugTopic::CryptoEngine => "Crypto Engine",
        DebugTopic::CryptoEngineError => "Crypto Engine Error",
        DebugTopic::CryptoIpsec => "Crypto IPSEC",
        DebugTopic::CryptoIpsecError => "Crypto IPSEC Error",
        DebugTopic::CryptoIpsecMessage => "Crypto IPSEC Message",
        DebugTopic::CryptoIpsecStates => "Crypto IPSEC States",
        DebugTopic::CryptoIsakmp => "Crypto ISAKMP",
        DebugTopic::CryptoIsakmpError => "Crypto ISAKMP Error",
    }
}

/// Writes the lines that a fact is worth to who debugs.
pub fn fact(log: &mut Log, debugging: &Debugging, plan: &Plan, fact: &Fact) {
    for line in lines(debugging, plan, fact) {
        log.write(&Message::Debug(line));
    }
}

fn lines(debugging: &Debugging, plan: &Plan, fact: &Fact) -> Vec<String> {
    let mut lines = Vec::new();
    if !debugging.any() {
        return lines;
    }
    let fit = debugging.conditions.fit(fact);
    let shows = |area| debugging.conditions.shows(area, fit);
    if shows(DebugArea::Isakmp) {
        if debugging.has(DebugTopic::CryptoIsakmp) {
            isakmp::lines(fact, &mut lines);
        } else if debugging.has(DebugTopic::CryptoIsakmpError) {
            isakmp::lines(fact, &mut lines);
            lines.retain(|line| line.starts_with(isakmp::ERROR));
        }
    }
    if shows(DebugArea::Ipsec) {
        let has = |topic| debugging.has(DebugTopic::CryptoIpsec) || debugging.has(topic);
        if has(DebugTopic::CryptoIpsecMessage) {
            ipsec::messages(fact, plan, &mut lines);
        }
        if has(DebugTopic::CryptoIpsecStates) {
            ipsec::states(fact, &mut lines);
        }
        if has(DebugTopic::CryptoIpsecError) {
            ipsec::errors(fact, &mut lines);
        }
    }
    if shows(DebugArea::Engine) {
        if debugging.has(DebugTopic::CryptoEngine) {
            ipsec::engine(fact, &mut lines);
        }
        if debugging.has(DebugTopic::CryptoEngine) || debugging.has(DebugTopic::CryptoEngineError) {
            ipsec::engine_errors(fact, &mut lines);
        }
    }
    lines
}

#[cfg(test)]
mod tests;

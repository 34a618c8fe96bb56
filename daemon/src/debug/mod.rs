//! `debug crypto ...`: which debugging is on, and the engine's facts as debug lines in the words of IOS. Called by the
//! router for every fact.
//!
//! [`isakmp`] writes the lines of `debug crypto isakmp`, [`ipsec`] those of `debug crypto ipsec` and `engine`.

mod ipsec;
mod isakmp;

use ike::event::Fact;

use crate::log::{Log, Message};
use crate::translate::plan::Plan;

/// Which debugging is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Debugging {
    /// `debug crypto isakmp`
    pub isakmp: bool,
    /// `debug crypto ipsec`
    pub ipsec: bool,
    /// `debug crypto engine`
    pub engine: bool,
}

impl Debugging {
    /// Any at all.
    #[must_use]
    pub fn any(self) -> bool {
        self.isakmp || self.ipsec || self.engine
    }
}

/// Writes the lines that a fact is worth to who debugs.
pub fn fact(log: &mut Log, debugging: Debugging, plan: &Plan, fact: &Fact) {
    let mut lines = Vec::new();
    if debugging.isakmp {
        isakmp::lines(fact, &mut lines);
    }
    if debugging.ipsec {
        ipsec::lines(fact, plan, &mut lines);
    }
    if debugging.engine {
        ipsec::engine(fact, &mut lines);
    }
    for line in lines {
        log.write(&Message::Debug(line));
    }
}

#[cfg(test)]
mod tests;

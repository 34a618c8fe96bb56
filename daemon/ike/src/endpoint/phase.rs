//! Where a child stands in its life, as a type: what it may still do follows from its phase, and a
//! phase that was left does not come back. `child_life` steps it.
//!
//! ```text
//! Receiving ─→ Active ⇄ Superseded ─→ Retiring ─→ Leaving ─→ gone
//!      └─→ Spare ──↑  └───────────────────↑
//! ```
//!
//! The outbound keys exist in `Receiving` and `Spare` only, cannot be copied, and are given away by
//! the step to `Active`: an SA that has sent can never be installed a second time.

use std::mem;

use serde::{Deserialize, Serialize};

use crate::algorithm::{EspCipher, Integrity};
use crate::child::{ChildId, ChildSa, ProtocolKeys, ProtocolSa};
use crate::time::Instant;

/// The keys of packets that we send, until they are installed: one entry for each protocol.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OutboundKeys(Vec<ProtocolKeys>);

impl OutboundKeys {
    /// Takes them out of a child; nothing of them stays behind.
    pub(crate) fn take(sa: &mut ChildSa) -> Self {
        let protocols = sa.protocols.iter_mut();
        Self(
            protocols
                .map(|part| mem::take(&mut part.outbound))
                .collect(),
        )
    }

    /// Whether these are keys for the protocols of this child.
    pub(crate) fn fit(&self, sa: &ChildSa) -> bool {
        let lengths = |part: &ProtocolSa| {
            (
                part.cipher.map_or(0, EspCipher::key_bytes),
                part.integrity.map_or(0, Integrity::key_bytes),
            )
        };
        let keys = self.0.iter();
        keys.map(|keys| (keys.cipher.expose().len(), keys.integrity.expose().len()))
            .eq(sa.protocols.iter().map(lengths))
    }

    /// The outbound half for the kernel. `sa` is the child without keys.
    fn into_half(self, sa: &ChildSa) -> ChildSa {
        let mut half = sa.clone();
        for (part, keys) in half.protocols.iter_mut().zip(self.0) {
            part.outbound = keys;
        }
        half
    }
}

/// Which end deletes a child that another one has taken the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EndedBy {
    /// We do, after a while, unless the peer goes on sending on it
    Us,
    /// The peer does, or its lifetime ends it
    Peer,
}

/// What a child does. `T` is a moment.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Phase<T = Instant> {
    /// It only receives: the peer may not have it yet
    Receiving {
        keys: OutboundKeys,
        /// The child whose place it takes when it is confirmed
        replaces: Option<ChildId>,
    },
    /// The peer has it too, but of two that both ends began at once the other one sends
    Spare {
        up: T,
        keys: OutboundKeys,
        since: T,
        ended_by: EndedBy,
    },
    /// It is the one of its flow and sends
    Active { up: T, rekeying: bool },
    /// Its outbound half is still in the kernel, but a younger one sends
    Superseded { up: T, since: T, ended_by: EndedBy },
    /// It only receives, and we delete it after a while
    Retiring { up: T },
    /// It receives what is on its way: one of both ends has told the other that it goes
    Leaving { up: T },
}

impl<T> Phase<T> {
    /// The same with its moments in another clock. The keys go with it: an endpoint that was saved has them no more.
    pub(crate) fn map<U>(self, at: impl Fn(T) -> U) -> Phase<U> {
        match self {
            Self::Receiving { keys, replaces } => Phase::Receiving { keys, replaces },
            Self::Spare {
                up,
                keys,
                since,
                ended_by,
            } => Phase::Spare {
                up: at(up),
                keys,
                since: at(since),
                ended_by,
            },
            Self::Active { up, rekeying } => Phase::Active {
                up: at(up),
                rekeying,
            },
            Self::Superseded {
                up,
                since,
                ended_by,
            } => Phase::Superseded {
                up: at(up),
                since: at(since),
                ended_by,
            },
            Self::Retiring { up } => Phase::Retiring { up: at(up) },
            Self::Leaving { up } => Phase::Leaving { up: at(up) },
        }
    }

    /// The keys of its outbound half, while that is not installed.
    pub(crate) fn keys(&self) -> Option<&OutboundKeys> {
        match self {
            Self::Receiving { keys, .. } | Self::Spare { keys, .. } => Some(keys),
            _ => None,
        }
    }

    /// True when its outbound half is in the kernel.
    pub(crate) fn has_outbound(&self) -> bool {
        matches!(self, Self::Active { .. } | Self::Superseded { .. })
    }
}

impl Phase {
    /// When it came up in both directions; none before that.
    pub(crate) fn up(&self) -> Option<Instant> {
        match self {
            Self::Receiving { .. } => None,
            Self::Spare { up, .. }
            | Self::Active { up, .. }
            | Self::Superseded { up, .. }
            | Self::Retiring { up }
            | Self::Leaving { up } => Some(*up),
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    /// It does not send and never will again.
    pub(crate) fn is_going(&self) -> bool {
        matches!(self, Self::Retiring { .. } | Self::Leaving { .. })
    }

    /// It can take the place of the active one.
    pub(crate) fn can_step_in(&self) -> bool {
        matches!(self, Self::Spare { .. } | Self::Superseded { .. })
    }

    /// True when it waits to take the place of this child.
    pub(crate) fn waits_for(&self, id: ChildId) -> bool {
        matches!(self, Self::Receiving { replaces, .. } if *replaces == Some(id))
    }

    /// `Receiving`, `Spare` or `Superseded` to `Active`. Gives the outbound half to install, if it is
    /// not in the kernel yet; none in the other phases.
    pub(crate) fn activate(&mut self, sa: &ChildSa, now: Instant) -> Option<Option<ChildSa>> {
        let up = self.up().unwrap_or(now);
        let rekeying = false;
        match mem::replace(self, Self::Active { up, rekeying }) {
            Self::Receiving { keys, .. } | Self::Spare { keys, .. } => {
                Some(Some(keys.into_half(sa)))
            }
            Self::Superseded { .. } => Some(None),
            other => {
                *self = other;
                None
            }
        }
    }

    /// `Receiving` to `Spare`; nothing in the other phases.
    pub(crate) fn spare(&mut self, ended_by: EndedBy, now: Instant) {
        *self = match mem::replace(self, Self::Leaving { up: now }) {
            Self::Receiving { keys, .. } => Self::Spare {
                up: now,
                keys,
                since: now,
                ended_by,
            },
            other => other,
        };
    }

    /// `Active` to `Superseded`; of one that was superseded before, only who ends it can change.
    pub(crate) fn supersede(&mut self, by: EndedBy, now: Instant) {
        match self {
            Self::Active { up, .. } => {
                *self = Self::Superseded {
                    up: *up,
                    since: now,
                    ended_by: by,
                };
            }
            Self::Superseded { ended_by, .. } | Self::Spare { ended_by, .. } => *ended_by = by,
            _ => {}
        }
    }

    /// To `Retiring`, from any phase in which the child is up. Keys that were never used are wiped.
    pub(crate) fn retire(&mut self) {
        if let Some(up) = self.up().filter(|_| !self.is_going()) {
            *self = Self::Retiring { up };
        }
    }

    /// To `Leaving`, from any phase in which the child is up.
    pub(crate) fn leave(&mut self) {
        if let Some(up) = self.up() {
            *self = Self::Leaving { up };
        }
    }

    /// Who ends a child whose place another one has taken, and since when that is so.
    pub(crate) fn ended_by(&self) -> Option<(EndedBy, Instant)> {
        match self {
            Self::Spare {
                ended_by, since, ..
            }
            | Self::Superseded {
                ended_by, since, ..
            } => Some((*ended_by, *since)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every history of steps, up to a length: the keys come out at most once.
    #[test]
    fn the_keys_come_out_once_whatever_happens() {
        let steps: [fn(&mut Phase, &ChildSa) -> bool; 7] = [
            |phase, sa| matches!(phase.activate(sa, Instant::default()), Some(Some(_))),
            |phase, _| {
                phase.spare(EndedBy::Us, Instant::default());
                false
            },
            |phase, _| {
                phase.spare(EndedBy::Peer, Instant::default());
                false
            },
            |phase, _| {
                phase.supersede(EndedBy::Us, Instant::default());
                false
            },
            |phase, _| {
                phase.supersede(EndedBy::Peer, Instant::default());
                false
            },
            |phase, _| {
                phase.retire();
                false
            },
            |phase, _| {
                phase.leave();
                false
            },
        ];
        for history in 0..steps.len().pow(6) {
            let mut sa = crate::child::tests::sample();
            let keys = OutboundKeys::take(&mut sa);
            assert!(
                sa.protocols
                    .iter()
                    .all(|part| part.outbound.cipher.is_empty())
            );
            let mut phase = Phase::Receiving {
                keys,
                replaces: None,
            };
            let (mut rest, mut installed) = (history, 0);
            for _ in 0..6 {
                installed += usize::from(steps[rest % steps.len()](&mut phase, &sa));
                rest /= steps.len();
                assert!(!phase.has_outbound() || installed == 1);
            }
            assert!(installed <= 1);
        }
    }

    #[test]
    fn what_retires_never_sends_again() {
        let mut sa = crate::child::tests::sample();
        let keys = OutboundKeys::take(&mut sa);
        let mut phase = Phase::Receiving {
            keys,
            replaces: None,
        };
        let half = phase.activate(&sa, Instant::default()).unwrap().unwrap();
        assert_eq!(half.protocols[0].outbound.cipher.expose(), b"outbound");
        phase.retire();
        assert!(phase.activate(&sa, Instant::default()).is_none());
        phase.spare(EndedBy::Us, Instant::default());
        phase.supersede(EndedBy::Peer, Instant::default());
        assert!(phase.is_going());
    }
}

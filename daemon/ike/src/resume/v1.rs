//! What is saved of an established ISAKMP SA of IKEv1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Clock, Moment, Spis};
use crate::algorithm::IpsecProtocol;
use crate::child_request::ChildRequest;
use crate::flight::Flight;
use crate::registry::ProtocolId;
use crate::sa::Life;
use crate::status::AgreedPolicy;
use crate::time::Instant;
use crate::timer::SaTimer;
use crate::v1::Live;
use crate::v1::dpd::Dpd;
use crate::v1::established::Established;
use crate::v1::message_ids::MessageIds;
use crate::v1::quick_mode::states::{AwaitsAnswer, AwaitsConfirmation, Quick, QuickState};
use crate::v1::state::{Sa, State};

/// An established ISAKMP SA of IKEv1, beside what is true of every version.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedV1 {
    flight: Flight,
    sa: Established,
    ids: MessageIds,
    dpd: Dpd,
    unconfirmed: Vec<SavedQuick>,
    /// The last messages of finished quick modes, by message id, and until when they are kept
    answered: Vec<(u32, Flight, Moment)>,
    /// Quick modes of ours that the peer had not answered, by message id, and what we would have received under
    given_up: Vec<(u32, Spis)>,
}

/// A quick mode of the peer's that it has not confirmed.
#[derive(Debug, Serialize, Deserialize)]
struct SavedQuick {
    message_id: u32,
    state: AwaitsConfirmation,
    flight: Flight,
    began: Moment,
    retransmit: Option<Moment>,
}

impl SavedV1 {
    /// Of an SA whose timers are due at `due`; with what was asked for in quick modes that are not saved.
    pub(super) fn save(
        flight: Flight,
        live: Live,
        clock: Clock,
        due: impl Fn(SaTimer) -> Option<Moment>,
    ) -> (Self, Vec<ChildRequest>) {
        let given_up = live.given_up.into_iter();
        let mut given_up: Vec<_> = given_up
            .map(|(id, given_up)| (id, given_up.inbound))
            .collect();
        let (mut unconfirmed, mut requests) = (Vec::new(), Vec::new());
        for (message_id, quick) in live.quick {
            match quick.state {
                QuickState::AwaitsAnswer(state) => {
                    given_up.push((message_id, inbound(&state)));
                    requests.push(state.request);
                }
                QuickState::AwaitsConfirmation(state) => unconfirmed.push(SavedQuick {
                    message_id,
                    state: *state,
                    flight: quick.flight,
                    began: clock.moment(quick.began),
                    retransmit: due(SaTimer::Retransmit(message_id)),
                }),
            }
        }
        let answered = live
            .answered
            .into_iter()
            .filter_map(|(message_id, flight)| {
                let until = due(SaTimer::ForgetAnswer(message_id))?;
                Some((message_id, flight, until))
            });
        let saved = Self {
            flight,
            sa: live.sa,
            ids: live.ids,
            dpd: live.dpd,
            unconfirmed,
            answered: answered.collect(),
            given_up,
        };
        (saved, requests)
    }

    pub(super) fn policy(&self) -> AgreedPolicy {
        self.sa.policy
    }

    /// The SA, its timers, and the quick modes that are not there any more.
    pub(super) fn load(self, life: Life, clock: Clock) -> Loaded {
        let mut timers = Vec::new();
        let mut quick = BTreeMap::new();
        for saved in self.unconfirmed {
            let message_id = saved.message_id;
            let retransmit = saved.retransmit.map(|at| clock.instant(at));
            timers.extend(retransmit.map(|at| (SaTimer::Retransmit(message_id), at)));
            let state = QuickState::AwaitsConfirmation(Box::new(saved.state));
            let (flight, began) = (saved.flight, clock.instant(saved.began));
            quick.insert(
                message_id,
                Quick {
                    state,
                    flight,
                    began,
                },
            );
        }
        let mut answered = BTreeMap::new();
        for (message_id, flight, until) in self.answered {
            timers.push((SaTimer::ForgetAnswer(message_id), clock.instant(until)));
            answered.insert(message_id, flight);
        }
        let live = Live {
            sa: self.sa,
            life,
            quick,
            settling: Vec::new(),
            answered,
            given_up: BTreeMap::new(),
            ids: self.ids,
            dpd: self.dpd.resumed(),
        };
        let mut sa = Sa::new(State::Established(Box::new(live)));
        sa.flight = self.flight;
        Loaded {
            sa,
            timers,
            given_up: self.given_up,
        }
    }
}

/// What was saved, as the endpoint has it.
pub(super) struct Loaded {
    pub(super) sa: Sa,
    pub(super) timers: Vec<(SaTimer, Instant)>,
    pub(super) given_up: Vec<(u32, Spis)>,
}

/// What we would have received under, had the peer's answer come.
fn inbound(state: &AwaitsAnswer) -> Spis {
    let offers = |protocol| {
        state.offered.iter().any(|set| match protocol {
            IpsecProtocol::Ah => set.ah.is_some(),
            IpsecProtocol::Esp => set.esp.is_some(),
        })
    };
    let both = [IpsecProtocol::Esp, IpsecProtocol::Ah].into_iter();
    let offered = both.filter(|protocol| offers(*protocol));
    let spis =
        offered.map(|protocol| (ProtocolId::from(protocol), state.own.for_protocol(protocol)));
    spis.collect()
}

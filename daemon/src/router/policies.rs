//! The policies of crypto maps in the kernel: which ones stand, which ones should, and the way from the one to the other on
//! which nothing leaves in clear. `reconcile` says what should stand, [`enforce`] asks the kernel until it does.
//!
//! The kernel looks at priorities only, so the order of changes matters. They go out in steps, and each step waits for the
//! kernel's answers to the one before:
//! 1. exemptions that go or move back: less passes in clear;
//! 2. what protects or blocks and is new, or moves to the front;
//! 3. what protects or blocks and moves back: no exemption stands in between any more;
//! 4. exemptions that are new or move to the front, and what protects or blocks and is not wanted any more.
//!
//! A policy that the kernel refuses is replaced by a block ([`StandIn`]). While there is not even a block, step 4 does not
//! happen, nor do steps 3 and 4 while the kernel keeps an exemption that should go; [`Policies::retry`] asks again and again.

mod enforce;
mod refusal;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use isthmus_kernel::{
    Action, Direction, ErrorKind, Kernel, KernelError, PolicyKey, PolicySpec, Priority, Request,
    Selector, Template,
};

use crate::log::Severity;
use crate::router::Shared;

pub use enforce::enforce;
use refusal::{Refused, StandIn, block};

/// What the kernel has of ours, and what it should have.
#[derive(Debug, Default)]
pub struct Policies {
    /// What stands, as the kernel has confirmed, and what the crypto maps ask for.
    records: HashMap<PolicyKey, Record>,
    /// Templates that were seen last: the policies of one line come one after the other, and share theirs.
    recent: [Templates; 2],
    /// Where the two may differ.
    open: HashSet<PolicyKey>,
    /// Those that came to it since the last round began.
    opened: Vec<PolicyKey>,
    /// Wanted policies that the kernel refused.
    refused: HashMap<PolicyKey, Refused>,
    /// Blocks that stand in for a refused policy under another key, and whose.
    stand_ins: HashMap<PolicyKey, (PolicySpec, PolicyKey)>,
    /// Another program may have changed what stands: the kernel is to be asked.
    doubtful: bool,
    /// Policies that the kernel did not delete.
    stuck: HashSet<PolicyKey>,
    /// Only one task at a time changes policies.
    turn: Rc<tokio::sync::Mutex<()>>,
}

/// What is known of a key. One of the two is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Record {
    standing: Option<Stance>,
    wanted: Option<Stance>,
}

/// A policy without its key, in little space.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stance {
    priority: Priority,
    effect: Effect,
}

/// [`Action`], sharing its templates.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Effect {
    Protect(Templates),
    Bypass,
    Block,
}

type Templates = Arc<Vec<Template>>;

impl Stance {
    fn spec(&self, key: &PolicyKey) -> PolicySpec {
        PolicySpec {
            key: *key,
            priority: self.priority,
            action: match &self.effect {
                Effect::Protect(templates) => Action::Protect(templates.to_vec()),
                Effect::Bypass => Action::Bypass,
                Effect::Block => Action::Block,
            },
        }
    }

    fn is(&self, spec: &PolicySpec) -> bool {
        self.priority == spec.priority
            && match (&self.effect, &spec.action) {
                (Effect::Protect(own), Action::Protect(other)) => **own == *other,
                (Effect::Bypass, Action::Bypass) | (Effect::Block, Action::Block) => true,
                _ => false,
            }
    }
}

/// Something the operator must know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The kernel refused a policy; a block stands for it.
    Blocked {
        /// What was wanted.
        wanted: PolicySpec,
        /// The kernel's reason.
        why: String,
    },
    /// The kernel refused the policy and every block for it.
    Open {
        /// What was wanted.
        wanted: PolicySpec,
        /// The kernel's reason.
        why: String,
    },
    /// The operator of the machine has a policy of the same key.
    Foreign {
        /// What was wanted.
        wanted: PolicySpec,
        /// The kernel's reason.
        why: String,
    },
    /// An exemption was refused.
    NotExempt {
        /// What was wanted.
        wanted: PolicySpec,
        /// The kernel's reason.
        why: String,
    },
    /// A policy that is not wanted any more cannot be deleted.
    Stays {
        /// Its key.
        key: PolicyKey,
        /// The kernel's reason.
        why: String,
    },
    /// What was refused is in force now.
    Recovered {
        /// The policy.
        wanted: PolicySpec,
    },
}

impl Trouble {
    /// The policy that the kernel refuses.
    #[must_use]
    pub fn refused(&self) -> Option<&PolicyKey> {
        match self {
            Self::Blocked { wanted, .. }
            | Self::Open { wanted, .. }
            | Self::Foreign { wanted, .. }
            | Self::NotExempt { wanted, .. } => Some(&wanted.key),
            Self::Stays { .. } | Self::Recovered { .. } => None,
        }
    }
}

/// What should become of a key.
enum Aim {
    Set(PolicySpec),
    Gone,
    Leave,
}

/// So many keys are looked at before datagrams have their turn.
const SLICE: usize = 2000;

/// So many changes are asked of the kernel at once: it makes them while the packet loop waits.
const BATCH: usize = 250;

/// The changes of one step.
#[derive(Debug)]
struct Round {
    step: Step,
    changes: Vec<((u8, u32), PolicyKey)>,
}

/// The order of changes; see the head of this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    LessInClear,
    Protect,
    MoveBack,
    Last,
}

impl Policies {
    /// Takes over what an earlier daemon left.
    pub fn adopt(&mut self, found: impl IntoIterator<Item = PolicySpec>) {
        for spec in found {
            let stance = self.stance(&spec);
            self.records.entry(spec.key).or_default().standing = Some(stance);
            self.open.insert(spec.key);
        }
    }

    /// Another program touched the policy of a key, or maybe all. True when that makes what stands doubtful; the next
    /// [`enforce`] asks the kernel.
    pub fn doubt(&mut self, key: Option<&PolicyKey>) -> bool {
        let ours = key.is_none_or(|key| self.standing_under(key).is_some());
        self.doubtful |= ours;
        ours
    }

    /// Takes over what the kernel really has; gives how many of ours are not as they were.
    fn found(&mut self, found: impl IntoIterator<Item = PolicySpec>) -> usize {
        let mut found: HashMap<PolicyKey, PolicySpec> =
            found.into_iter().map(|spec| (spec.key, spec)).collect();
        let mut changed = Vec::new();
        for (key, record) in &mut self.records {
            let now = found.remove(key);
            let Some(before) = &record.standing else {
                found.extend(now.map(|new| (*key, new)));
                continue;
            };
            match now {
                Some(now) if before.is(&now) => {}
                now => {
                    changed.push(*key);
                    record.standing = None;
                    found.extend(now.map(|new| (*key, new)));
                }
            }
        }
        self.records
            .retain(|_, record| *record != Record::default());
        self.open.extend(changed.iter().copied());
        // What is others now, and what there was not.
        self.adopt(found.into_values());
        changed.len()
    }

    /// How many the kernel has.
    #[must_use]
    pub fn standing(&self) -> usize {
        let records = self.records.values();
        records.filter(|record| record.standing.is_some()).count()
    }

    /// What the kernel has for packets that leave by an interface.
    pub fn standing_out(&self, interface: u32) -> impl Iterator<Item = PolicySpec> {
        let records = self.records.iter();
        let records = records
            .filter(move |(key, _)| key.interface == interface && key.direction == Direction::Out);
        records.filter_map(|(key, record)| Some(record.standing.as_ref()?.spec(key)))
    }

    /// The policy that the kernel has under a key.
    #[must_use]
    pub fn standing_under(&self, key: &PolicyKey) -> Option<PolicySpec> {
        Some(self.records.get(key)?.standing.as_ref()?.spec(key))
    }

    /// A policy should stand under this key.
    #[must_use]
    pub fn is_wanted(&self, key: &PolicyKey) -> bool {
        self.wanted_under(key).is_some()
    }

    fn wanted_under(&self, key: &PolicyKey) -> Option<&Stance> {
        self.records.get(key)?.wanted.as_ref()
    }

    /// Has a policy wanted, or none.
    fn set_wanted(&mut self, key: &PolicyKey, wanted: Option<Stance>) {
        let record = self.records.entry(*key).or_default();
        record.wanted = wanted;
        if *record == Record::default() {
            self.records.remove(key);
        }
    }

    fn stance(&mut self, spec: &PolicySpec) -> Stance {
        let effect = match &spec.action {
            Action::Bypass => Effect::Bypass,
            Action::Block => Effect::Block,
            Action::Protect(templates) => {
                let known = self.recent.iter().find(|known| ***known == *templates);
                let known = known.cloned();
                Effect::Protect(known.unwrap_or_else(|| {
                    let new = Arc::new(templates.clone());
                    self.recent.swap(0, 1);
                    self.recent[0] = Arc::clone(&new);
                    new
                }))
            }
        };
        Stance {
            priority: spec.priority,
            effect,
        }
    }

    /// This one should be as given, where no earlier line has taken its key.
    pub fn want(&mut self, spec: PolicySpec) {
        let known = self.wanted_under(&spec.key);
        if known.is_some_and(|known| known.priority < spec.priority || known.is(&spec)) {
            return;
        }
        self.want_under(&spec.key, Some(spec.clone()));
    }

    /// Under this key exactly this should stand, or nothing.
    pub fn want_under(&mut self, key: &PolicyKey, spec: Option<PolicySpec>) {
        match (self.wanted_under(key), &spec) {
            (None, None) => return,
            (Some(known), Some(spec)) if known.is(spec) => return,
            _ => {}
        }
        self.forget_refusal(key);
        if spec.is_some()
            && let Some((_, owner)) = self.stand_ins.get(key)
        {
            self.forget_refusal(&owner.clone());
        }
        self.reopen(*key);
        let wanted = spec.map(|spec| self.stance(&spec));
        self.set_wanted(key, wanted);
    }

    /// Who has this is the only one who changes policies in the kernel.
    #[must_use]
    pub fn turn(&self) -> Rc<tokio::sync::Mutex<()>> {
        Rc::clone(&self.turn)
    }

    /// Asks for everything again that was refused. False when there is no such thing and it is known what stands.
    pub fn retry(&mut self) -> bool {
        let keys: Vec<PolicyKey> = self.refused.keys().copied().collect();
        for key in keys {
            self.reopen(key);
        }
        for refused in self.refused.values_mut() {
            refused.again = true;
        }
        let stuck: Vec<PolicyKey> = self.stuck.iter().copied().collect();
        for key in stuck {
            self.reopen(key);
        }
        self.doubtful || !self.refused.is_empty() || !self.stuck.is_empty()
    }

    /// The kernel takes neither a wanted policy nor any block for it, or keeps an exemption.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.is_unprotected() || self.keeps_exemption()
    }

    fn is_unprotected(&self) -> bool {
        let mut refused = self.refused.values();
        refused.any(|refused| refused.stand_in == StandIn::Nothing)
    }

    fn keeps_exemption(&self) -> bool {
        self.stuck.iter().any(|key| self.is_exempt(key))
    }

    /// Steps that would open what an earlier one could not close.
    fn held_back(&self) -> Option<Step> {
        match (self.keeps_exemption(), self.is_unprotected()) {
            (true, _) => Some(Step::MoveBack),
            (false, true) => Some(Step::Last),
            (false, false) => None,
        }
    }

    /// Keeps what the operator was told of a refusal, for the screens.
    pub fn told(&mut self, key: &PolicyKey, text: &str) {
        if let Some(refused) = self.refused.get_mut(key) {
            text.clone_into(&mut refused.told);
        }
    }

    /// What the kernel refuses now, in the words of the log.
    pub fn complaints(&self) -> impl Iterator<Item = &String> {
        let told = self.refused.values().map(|refused| &refused.told);
        told.filter(|text| !text.is_empty())
    }

    fn forget_refusal(&mut self, key: &PolicyKey) {
        if let Some(refused) = self.refused.remove(key) {
            self.reopen(*key);
            if let StandIn::Wider(wider, _) = refused.stand_in {
                self.stand_ins.remove(&wider);
                self.reopen(wider);
            }
        }
    }

    fn aim(&self, key: &PolicyKey) -> Aim {
        let stands_in = || self.stand_ins.get(key).map(|(spec, _)| spec.clone());
        match (self.refused.get(key), self.wanted_under(key)) {
            (Some(refused), _) if refused.again => Aim::Set(refused.wanted.clone()),
            (Some(refused), _) => match refused.stand_in {
                StandIn::Block => Aim::Set(block(refused.wanted.key, &refused.wanted)),
                // An exemption of old would let pass what the block is for.
                _ if self.is_exempt(key) => Aim::Gone,
                _ => Aim::Leave,
            },
            (None, Some(wanted)) => Aim::Set(wanted.spec(key)),
            (None, None) => stands_in().map_or(Aim::Gone, Aim::Set),
        }
    }

    fn is_exempt(&self, key: &PolicyKey) -> bool {
        let standing = self.records.get(key).and_then(|one| one.standing.as_ref());
        standing.is_some_and(|standing| standing.effect == Effect::Bypass)
    }

    /// A key under which something may have to change.
    fn reopen(&mut self, key: PolicyKey) {
        self.open.insert(key);
        self.opened.push(key);
    }

    /// Begins a round: the keys that are open, to be given to [`Policies::sort_out`].
    fn begin_round(&mut self) -> (Round, Vec<PolicyKey>) {
        self.opened = Vec::new();
        if self.open.is_empty() {
            // There were many once.
            self.open = HashSet::new();
        }
        let round = Round {
            step: Step::Last,
            changes: Vec::new(),
        };
        (round, self.open.iter().copied().collect())
    }

    /// Takes those of the keys into the round that belong to its step, or to an earlier one, which then is the round's; forgets
    /// those that are as they should be.
    fn sort_out(&mut self, round: &mut Round, keys: &[PolicyKey]) {
        let held_back = self.held_back();
        for key in keys {
            match self.step(key) {
                None => {
                    self.open.remove(key);
                    self.stuck.remove(key);
                }
                Some((step, _)) if held_back.is_some_and(|from| step >= from) => {}
                Some((step, request)) => {
                    if step < round.step {
                        round.step = step;
                        round.changes.clear();
                    }
                    if step == round.step {
                        // The most important first; what goes, goes last.
                        let place = match request {
                            Request::SetPolicy(spec) => (0, spec.priority.get()),
                            _ => (1, 0),
                        };
                        round.changes.push((place, *key));
                    }
                }
            }
        }
    }

    /// The next requests of a round; none when it is over, or when a change has come that must be made before. The round's
    /// changes must have been sorted, the last one first.
    fn requests(&self, round: &mut Round, most: usize) -> Vec<Request> {
        let held_back = self.held_back();
        let earlier = |key: &PolicyKey| {
            let step = self.step(key);
            step.is_some_and(|(step, _)| step < round.step)
        };
        if self.opened.iter().any(earlier) || held_back.is_some_and(|from| round.step >= from) {
            round.changes.clear();
        }
        let left = round.changes.len().saturating_sub(most);
        let mut requests = Vec::new();
        // They lie with the last one first.
        for (_, key) in round.changes.split_off(left).into_iter().rev() {
            match self.step(&key) {
                Some((step, request)) if step == round.step => requests.push(request),
                _ => {}
            }
        }
        requests
    }

    /// What is to be done about a key and when; `None` when it is as it should be.
    fn step(&self, key: &PolicyKey) -> Option<(Step, Request)> {
        let standing = self.records.get(key).and_then(|one| one.standing.as_ref());
        match self.aim(key) {
            Aim::Leave => None,
            Aim::Gone => {
                let step = match standing?.effect {
                    Effect::Bypass => Step::LessInClear,
                    _ => Step::Last,
                };
                Some((step, Request::DeletePolicy(*key)))
            }
            Aim::Set(spec) if standing.is_some_and(|standing| standing.is(&spec)) => None,
            Aim::Set(spec) => {
                let exempts = spec.action == Action::Bypass;
                let exempted = |old: &Stance| old.effect == Effect::Bypass;
                let moves_back = standing.is_some_and(|old| old.priority < spec.priority);
                let step = match (standing, exempts) {
                    (Some(old), true) if exempted(old) && moves_back => Step::LessInClear,
                    (_, true) => Step::Last,
                    (Some(old), false) if !exempted(old) && moves_back => Step::MoveBack,
                    (_, false) => Step::Protect,
                };
                Some((step, Request::SetPolicy(spec)))
            }
        }
    }

    /// Takes the kernel's answer to one of a round's requests.
    pub fn answered(
        &mut self,
        request: &Request,
        answer: Result<(), KernelError>,
    ) -> Option<Trouble> {
        match (request, answer) {
            (Request::SetPolicy(spec), Ok(())) => self.set(spec),
            (Request::SetPolicy(spec), Err(error)) => self.not_set(spec, &error),
            (Request::DeletePolicy(key), Err(error)) if error.kind != ErrorKind::NotFound => {
                self.open.remove(key);
                let (key, why) = (*key, error.to_string());
                // Told once.
                (self.stuck.insert(key)).then_some(Trouble::Stays { key, why })
            }
            (Request::DeletePolicy(key), _) => {
                self.stuck.remove(key);
                if let Some(record) = self.records.get_mut(key) {
                    record.standing = None;
                    if record.wanted.is_none() {
                        self.records.remove(key);
                    }
                }
                None
            }
            _ => None,
        }
    }

    fn set(&mut self, spec: &PolicySpec) -> Option<Trouble> {
        self.stuck.remove(&spec.key);
        let wanted = self
            .wanted_under(&spec.key)
            .filter(|wanted| wanted.is(spec));
        let standing = match wanted.cloned() {
            Some(wanted) => wanted,
            None => self.stance(spec),
        };
        self.records.entry(spec.key).or_default().standing = Some(standing);
        let refused = self.refused.get(&spec.key)?;
        if refused.wanted != *spec {
            return None;
        }
        self.forget_refusal(&spec.key);
        let wanted = spec.clone();
        Some(Trouble::Recovered { wanted })
    }

    fn not_set(&mut self, spec: &PolicySpec, error: &KernelError) -> Option<Trouble> {
        if let Some((_, owner)) = self.stand_ins.remove(&spec.key) {
            return self.wider(owner);
        }
        match self.refused.get_mut(&spec.key) {
            Some(refused) if refused.again => {
                refused.again = false;
                if refused.stand_in == StandIn::Nothing {
                    // A block may be taken by now.
                    let _ = self.stand_in(spec.key);
                }
                None
            }
            Some(_) => self.wider(spec.key),
            None => Some(self.newly_refused(spec, error)),
        }
    }
}

#[cfg(test)]
mod tests;

//! Histories: what may happen at two ends, as steps that proptest makes up.

use std::time::Duration;

use ike::{Clear, Expiry};
use proptest::prelude::*;

use super::World;

/// Something that happens at one of the two ends.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Nothing for so many milliseconds
    Wait(u64),
    /// The kernel reports a limit of the SA that sends, or of any other
    Limit(usize, usize, Expiry),
    /// Traffic meets no SA
    Acquire(usize),
    /// `clear crypto sa`, `clear crypto isakmp`, `clear crypto session`
    ClearChildren(usize),
    ClearIke(usize),
    ClearSessions(usize),
}

/// Gaps around the times that the engine has: round trips, activation, stragglers, grace.
pub fn wait() -> impl Strategy<Value = Step> {
    prop_oneof![0..60_u64, 200..400_u64, 0..3000_u64, 7000..17_000_u64].prop_map(Step::Wait)
}

pub fn rekey() -> impl Strategy<Value = Step> {
    (0..2_usize, 0..4_usize).prop_map(|(host, which)| Step::Limit(host, which, Expiry::Soft))
}

pub fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => wait(),
        4 => rekey(),
        1 => (0..2_usize, 0..4_usize).prop_map(|(host, which)| Step::Limit(host, which, Expiry::Hard)),
        2 => (0..2_usize).prop_map(Step::Acquire),
        1 => (0..2_usize).prop_map(Step::ClearChildren),
        1 => (0..2_usize).prop_map(Step::ClearIke),
        1 => (0..2_usize).prop_map(Step::ClearSessions),
    ]
}

pub fn take(world: &mut World, step: Step) {
    match step {
        Step::Wait(milliseconds) => world.run(Duration::from_millis(milliseconds)),
        Step::Limit(host, which, kind) => {
            let sas: Vec<_> = world.hosts[host].kernel.halves.values().rev().collect();
            let Some(sa) = sas.get(which).or(sas.first()) else {
                return;
            };
            let (remote, part) = (sa.remote, sa.protocols[0].clone());
            world.with(host, |endpoint, now| {
                endpoint.expire(now, remote, part.protocol, part.outbound_spi, kind);
            });
        }
        Step::Acquire(host) => world.acquire(host, 1, 1),
        Step::ClearChildren(host) => clear(world, host, Clear::Children),
        Step::ClearIke(host) => clear(world, host, Clear::IkeSas),
        Step::ClearSessions(host) => clear(world, host, Clear::Sessions),
    }
}

fn clear(world: &mut World, host: usize, what: Clear) {
    world.with(host, |endpoint, now| endpoint.clear(now, what));
}

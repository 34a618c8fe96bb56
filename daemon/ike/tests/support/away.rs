//! A host that ends and goes on: what the tests of saved SAs share.

use std::time::Duration;

use ike::Expiry;
use ike::event::Event;
use ike::registry::ExchangeType;
use ike::status::Role;

use super::World;
use super::config::{FLOW, HostConfig, Pair};

pub const SECOND: Duration = Duration::from_secs(1);

/// The first flow is up.
pub fn up(pair: &Pair) -> World {
    let mut world = pair.world(1);
    world.acquire(0, 1, 1);
    world.expect(5, "a tunnel", |world| world.traffic_flows(0, 1, FLOW));
    world.run(SECOND);
    world
}

/// A host is away for a time.
pub fn away(world: &mut World, host: usize, config: HostConfig, time: Duration) {
    let saved = world.save(host);
    world.run(time);
    world.resume(host, config, saved.expose());
}

/// The configurations of both hosts.
pub fn configs(pair: &Pair) -> [HostConfig; 2] {
    [pair.config_a(), pair.config_b()]
}

/// Runs on; packets get through both ways at every moment.
pub fn run_without_loss(world: &mut World, time: Duration) {
    let end = world.now + time;
    let broken = world.run_until(end, |world| !world.traffic_flows(0, 1, FLOW));
    assert!(!broken, "packets were lost at {:?}", world.now);
}

/// Exchanges of a kind that a host began.
pub fn began(world: &World, host: usize, kind: ExchangeType) -> usize {
    world.hosts[host].count(|event| {
        matches!(event, Event::ExchangeStarted { exchange, role: Role::Initiator, .. } if *exchange == kind)
    })
}

/// The kernel reports that the child in use is to be rekeyed.
pub fn soft_limit(world: &mut World, host: usize) {
    let sa = world.hosts[host].kernel.outbound(FLOW).unwrap().clone();
    let part = &sa.protocols[0];
    let (protocol, spi) = (part.protocol, part.outbound_spi);
    world.with(host, |endpoint, now| {
        endpoint.expire(now, sa.remote, protocol, spi, Expiry::Soft);
    });
}

/// Moves on until so many datagrams were sent since.
pub fn until_sent(world: &mut World, more: usize) {
    let sent = world.wire.sent.len() + more;
    let end = world.now + SECOND;
    assert!(world.run_until(end, |world| world.wire.sent.len() >= sent));
}

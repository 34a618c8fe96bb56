//! What follows from changes one by one is what follows from the whole configuration: random configurations and changes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use ike::config::{Connection, ConnectionId};
use isthmus_kernel::{Fake, Kernel, Priority};
use proptest::prelude::*;
use tokio::task::LocalSet;

use super::*;
use crate::config;
use crate::plan::whole::{self, written};
use crate::testing::RouterBuilder;

/// Something that changes.
#[derive(Debug, Clone)]
enum Step {
    Lines(String),
    /// A link appears or goes.
    Link(&'static str, bool),
    /// A tunnel wraps a flow in another way than its entry says first, and goes again.
    Reshape(usize),
}

fn prefix() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "any",
        "host 10.1.0.1",
        "host 10.2.0.1",
        "10.1.0.0 0.0.255.255",
        "10.2.0.0 0.0.255.255",
        "10.1.0.0 0.0.0.255",
        "10.0.0.0 0.255.255.255",
        "object-group G",
    ])
}

fn rule() -> impl Strategy<Value = String> {
    let protocol = proptest::sample::select(vec!["ip", "ip", "ip", "tcp", "icmp"]);
    let ports = proptest::sample::select(vec!["", "", "", "eq 80", "eq 80 443", "range 1 9"]);
    let line = (any::<bool>(), protocol, prefix(), prefix(), ports);
    line.prop_map(|(permit, protocol, source, destination, ports)| {
        let action = if permit { "permit" } else { "deny" };
        let ports = if protocol == "tcp" { ports } else { "" };
        format!("{action} {protocol} {source} {destination} {ports}")
    })
}

fn list_change() -> impl Strategy<Value = String> {
    let list = proptest::sample::select(vec!["A1", "A2", "A3", "A4"]);
    let change = prop_oneof![
        4 => rule(),
        2 => (1u32..60, rule()).prop_map(|(number, rule)| format!("{number} {rule}")),
        2 => (1u32..5).prop_map(|number| format!("no {}", number * 10)),
        1 => Just("permit ip 10.1.0.0 0.0.255.255 any frobnicate".to_owned()),
        1 => Just("extra permit".to_owned()),
    ];
    let lines = (list, change)
        .prop_map(|(list, change)| format!("ip access-list extended {list}\n {change}\n!\n"));
    prop_oneof![
        9 => lines,
        1 => proptest::sample::select(vec!["A1", "A2", "A3", "A4"])
            .prop_map(|list| format!("no ip access-list extended {list}\n")),
    ]
}

fn entry_change() -> impl Strategy<Value = String> {
    let map = proptest::sample::select(vec!["M", "N"]);
    let line = prop_oneof![
        3 => (2u8..5).prop_map(|peer| format!("set peer 192.0.2.{peer}")),
        1 => (2u8..5).prop_map(|peer| format!("no set peer 192.0.2.{peer}")),
        3 => proptest::sample::select(vec!["T", "U"]).prop_map(|set| format!("set transform-set {set}")),
        4 => (1u8..5).prop_map(|list| format!("match address A{list}")),
        1 => Just("no match address".to_owned()),
        1 => Just("set pfs group14".to_owned()),
        1 => Just("mtch address A2".to_owned()),
        1 => Just("set security-association lifetime seconds 600".to_owned()),
    ];
    let lines = proptest::collection::vec(line, 1..5);
    let edit = (map.clone(), 1u16..9, lines).prop_map(|(map, sequence, lines)| {
        format!(
            "crypto map {map} {sequence} ipsec-isakmp\n {}\n!\n",
            lines.join("\n ")
        )
    });
    let whole = (map.clone(), 1u16..9, 2u8..5, 1u8..5).prop_map(|(map, sequence, peer, list)| {
        format!(
            "crypto map {map} {sequence} ipsec-isakmp\n set peer 192.0.2.{peer}\n set transform-set T\n \
             match address A{list}\n!\n"
        )
    });
    prop_oneof![
        4 => whole,
        4 => edit,
        2 => (map.clone(), 1u16..9).prop_map(|(map, sequence)| format!("no crypto map {map} {sequence}\n")),
        1 => (map.clone(), 1u16..9)
            .prop_map(|(map, sequence)| format!("crypto map {map} {sequence} ipsec-isakmp dynamic D\n")),
        1 => (map, 1u16..9).prop_map(|(map, sequence)| {
            format!("crypto map {map} {sequence} ipsec-isakmp extra\n match address A1\n!\n")
        }),
    ]
}

fn other_change() -> impl Strategy<Value = String> {
    let interface = proptest::sample::select(vec!["wan0", "wan1", "wan2"]);
    let line = proptest::sample::select(vec![
        "crypto map M",
        "crypto map N",
        "no crypto map",
        "shutdown",
        "no shutdown",
        "ip address 192.0.2.1 255.255.255.0",
        "no ip address",
        "crypto mpa N",
        "no crypto mpa N",
        "description x",
    ]);
    let global = proptest::sample::select(vec![
        "crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac\n mode transport\n!\n",
        "crypto ipsec transform-set T esp-aes esp-sha-hmac\n!\n",
        "crypto ipsec transform-set U ah-sha-hmac esp-aes\n!\n",
        "no crypto ipsec transform-set U\n",
        "crypto ipsec security-association lifetime seconds 1200\n",
        "no crypto ipsec security-association lifetime seconds\n",
        "crypto map M local-address wan1\n",
        "no crypto map M local-address\n",
        "no crypto map N\n",
        "object-group network G\n host 10.1.0.1\n 10.2.0.0 255.255.0.0\n!\n",
        "object-group network G\n host 10.2.0.9\n!\n",
        "no object-group network G\n",
        "crypto dynamic-map D 10\n match address A3\n!\n",
        "crypto dynamic-map D 20\n set transform-set T\n!\n",
        "no crypto dynamic-map D 10\n",
        "no crypto isakmp enable\n",
        "crypto isakmp enable\n",
        "hostname R9\n",
        "frobnicate the map M\n match address A2\n!\n",
        "crypto map N extra\n match address A4\n!\n",
        "no frobnicate the map M\n",
        "interface wan9 extra\n crypto map M\n!\n",
    ]);
    prop_oneof![
        (interface, line).prop_map(|(name, line)| format!("interface {name}\n {line}\n!\n")),
        global.prop_map(str::to_owned),
    ]
}

fn lines() -> impl Strategy<Value = String> {
    prop_oneof![4 => list_change(), 4 => entry_change(), 3 => other_change()]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let link = proptest::sample::select(vec!["wan0", "wan1", "wan2"]);
    let step = prop_oneof![
        16 => proptest::collection::vec(lines(), 1..3).prop_map(|lines| Step::Lines(lines.concat())),
        1 => (link, any::<bool>()).prop_map(|(name, there)| Step::Link(name, there)),
        1 => (0usize..8).prop_map(Step::Reshape),
    ];
    let first = proptest::collection::vec(lines(), 4..24).prop_map(|lines| {
        Step::Lines(format!(
            "crypto ipsec transform-set T esp-aes 256 esp-sha256-hmac\n!\n{}\
             interface wan0\n ip address 192.0.2.1 255.255.255.0\n crypto map M\n!\n",
            lines.concat()
        ))
    });
    (first, proptest::collection::vec(step, 1..7)).prop_map(|(first, rest)| {
        let mut steps = vec![first];
        steps.extend(rest);
        steps
    })
}

/// Policies with their order in the place of their ranks.
fn ordered(policies: impl Iterator<Item = PolicySpec>) -> BTreeMap<PolicyKey, (usize, Action)> {
    let policies: Vec<PolicySpec> = policies.collect();
    let ranks: BTreeSet<Priority> = policies.iter().map(|one| one.priority).collect();
    let ranks: HashMap<Priority, usize> = ranks.into_iter().zip(0..).collect();
    let policies = policies.into_iter();
    policies
        .map(|one| (one.key, (ranks[&one.priority], one.action)))
        .collect()
}

/// Connections without the names that the daemon chose.
fn nameless(connections: &[Arc<Connection>]) -> Vec<Connection> {
    let id = ConnectionId(0);
    let nameless = |one: &Arc<Connection>| Connection {
        id,
        ..Connection::clone(one)
    };
    connections.iter().map(nameless).collect()
}

/// What the whole configuration asks for as it is.
fn whole(router: &Router) -> whole::Plan {
    let mut plan = Plan::default();
    let everything = Dirty {
        everything: true,
        ..Dirty::default()
    };
    let source = Gather::new(&router.running, &router.interfaces);
    plan.update(&source, &everything);
    written(&plan)
}

async fn take(router: &Shared, fake: &Fake, step: &Step) {
    match step {
        Step::Lines(text) => {
            let mut router = router.borrow_mut();
            config::merge(&mut router.running, text, "test");
            router.configured();
        }
        Step::Link(name, true) => {
            fake.remove_link(name);
            fake.add_link(name);
            router.borrow_mut().machine_changed();
        }
        Step::Link(name, false) => {
            let index = router
                .borrow()
                .interfaces
                .iter()
                .find(|one| one.link.name == *name)
                .map(|one| one.link.index);
            fake.remove_link(name);
            let mut router = router.borrow_mut();
            if let Some(index) = index {
                router.close_elsewhere(index);
            }
            router.machine_changed();
        }
        Step::Reshape(at) => {
            let mut router = router.borrow_mut();
            let tunnels = &mut router.tunnels;
            let mut names: Vec<FlowName> = tunnels.plan.flows().map(|(name, _)| *name).collect();
            names.sort_unstable();
            let Some(name) = names.get(*at).copied() else {
                return;
            };
            let flow = tunnels.plan.flow(&name).unwrap().clone();
            let mut shape = flow.shape.clone();
            shape.peer = [192, 0, 2, 77].into();
            tunnels.reshape(name, shape);
            // The tunnel is gone again: the plan counts.
            let keys = tunnels.keys_of(&name);
            tunnels.shapes.remove(&name);
            tunnels.want(&keys);
        }
    }
}

fn check(router: &Shared, policies: &[PolicySpec]) {
    let router = router.borrow();
    let whole = whole(&router);
    let tunnels = &router.tunnels;
    assert_eq!(
        ordered(policies.iter().cloned()),
        ordered(whole.policies().into_values())
    );
    let connections: Vec<_> = tunnels.plan.connections().cloned().collect();
    assert_eq!(nameless(&connections), nameless(&whole.connections));
    let on = router.running.isakmp_on();
    for connection in &connections {
        assert_eq!(
            tunnels.engine.connection_status(connection.id).is_some(),
            on
        );
    }
    let problems: BTreeSet<String> = whole.problems.iter().cloned().collect();
    assert_eq!(tunnels.problems, problems);
    assert_eq!(tunnels.plan.claims().overlap(), whole.overlaps());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn changes_one_by_one_give_what_the_whole_gives(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async {
            let (kernel, _events, fake) = Kernel::fake();
            for name in ["wan0", "wan1"] {
                fake.add_link(name);
            }
            let router = Rc::new(RefCell::new(RouterBuilder::on(kernel.clone()).build()));
            reconcile(&router).await.unwrap();
            for step in &steps {
                take(&router, &fake, step).await;
                follow(&router).await.unwrap();
                let policies = kernel.dump_policies().await.unwrap();
                let policies: Vec<PolicySpec> = policies.into_iter().map(|one| one.spec).collect();
                check(&router, &policies);
            }
        });
    }
}

//! Any change of policies on a kernel that refuses at random: no packet that is protected before and after is ever in
//! clear in between.

use isthmus_kernel::{Direction, IpsecMode, IpsecProtocol, Level, Reqid};
use proptest::prelude::*;

use ipnet::IpNet;

use super::*;

const INTERFACE: u32 = 2;

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// Prefixes that nest and neighbour.
fn prefixes() -> impl Strategy<Value = IpNet> {
    proptest::sample::select(vec![
        net("10.0.0.0/8"),
        net("10.1.0.0/16"),
        net("10.1.1.0/24"),
        net("10.1.1.1/32"),
        net("10.2.0.0/16"),
        net("0.0.0.0/0"),
    ])
}

fn protect() -> Action {
    Action::Protect(vec![Template {
        source: [192, 0, 2, 1].into(),
        destination: [192, 0, 2, 2].into(),
        protocol: IpsecProtocol::Esp,
        mode: IpsecMode::Tunnel,
        reqid: Reqid::nth(1),
        level: Level::Required,
    }])
}

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![Just(protect()), Just(Action::Block), Just(Action::Bypass)]
}

/// Lines in order; of two with one key the first counts.
fn sets() -> impl Strategy<Value = HashMap<PolicyKey, PolicySpec>> {
    let line = (prefixes(), prefixes(), 0u8..2, actions());
    proptest::collection::vec(line, 0..8).prop_map(|lines| {
        let mut set = HashMap::new();
        for (rank, (source, destination, tcp, action)) in lines.into_iter().enumerate() {
            let key = PolicyKey {
                direction: Direction::Out,
                selector: Selector {
                    protocol: 6 * tcp,
                    ..Selector::between(source, destination)
                },
                interface: INTERFACE,
            };
            let priority = Priority::line(u32::try_from(rank).unwrap());
            let spec = PolicySpec {
                key,
                priority,
                action,
            };
            set.entry(key).or_insert(spec);
        }
        set
    })
}

/// One packet for each way in which the prefixes above can be told apart.
fn packets() -> Vec<(std::net::IpAddr, std::net::IpAddr, u8)> {
    let ends = [
        "10.1.1.1",
        "10.1.1.2",
        "10.1.2.1",
        "10.2.0.1",
        "10.3.0.1",
        "192.0.2.9",
    ];
    let ends = ends.map(|end| end.parse().unwrap());
    let pairs = ends.iter().flat_map(|a| ends.iter().map(move |b| (*a, *b)));
    pairs.flat_map(|(a, b)| [(a, b, 6), (a, b, 17)]).collect()
}

/// Whether a packet may leave in clear. Of several policies at one place the kernel's choice depends on their age: the worst.
fn is_clear(
    policies: &HashMap<PolicyKey, PolicySpec>,
    (source, destination, protocol): (std::net::IpAddr, std::net::IpAddr, u8),
) -> bool {
    let meet = |policy: &&PolicySpec| {
        let selector = policy.key.selector;
        selector.matches(source, destination, protocol, 0, 0)
    };
    let met: Vec<_> = policies.values().filter(meet).collect();
    let first = met.iter().map(|policy| policy.priority).min();
    let mut first = met.iter().filter(|policy| Some(policy.priority) == first);
    met.is_empty() || first.any(|policy| policy.action == Action::Bypass)
}

/// From now on exactly these should stand.
fn want_all(policies: &mut Policies, wanted: &HashMap<PolicyKey, PolicySpec>) {
    let keys: HashSet<PolicyKey> = policies
        .records
        .keys()
        .chain(wanted.keys())
        .copied()
        .collect();
    for key in keys {
        policies.want_under(&key, wanted.get(&key).cloned());
    }
}

/// A kernel that refuses what `refuses` says, in turn.
struct Model {
    policies: HashMap<PolicyKey, PolicySpec>,
    refuses: Vec<bool>,
    asked: usize,
}

impl Model {
    fn submit(&mut self, request: &Request) -> Result<(), KernelError> {
        let refused = self.refuses.get(self.asked).copied().unwrap_or(false);
        self.asked += 1;
        match request {
            Request::SetPolicy(_) if refused => Err(KernelError {
                kind: ErrorKind::Exhausted,
                request: request.to_string(),
                errno: None,
                hint: "no memory".into(),
            }),
            Request::SetPolicy(spec) => {
                self.policies.insert(spec.key, spec.clone());
                Ok(())
            }
            Request::DeletePolicy(key) => {
                assert!(self.policies.remove(key).is_some(), "{key} is not there");
                Ok(())
            }
            other => panic!("{other}"),
        }
    }

    /// Carries everything out; `look` sees each state in between.
    fn settle(&mut self, policies: &mut Policies, mut look: impl FnMut(&Self, &Request)) {
        for _ in 0..200 {
            let (mut round, keys) = policies.begin_round();
            for slice in keys.chunks(3) {
                policies.sort_out(&mut round, slice);
            }
            round
                .changes
                .sort_unstable_by_key(|(place, _)| Reverse(*place));
            if round.changes.is_empty() {
                return;
            }
            while !round.changes.is_empty() {
                let requests = policies.requests(&mut round, 2);
                let answers: Vec<_> = requests
                    .iter()
                    .map(|request| {
                        let answer = self.submit(request);
                        look(self, request);
                        answer
                    })
                    .collect();
                for (request, answer) in requests.iter().zip(answers) {
                    policies.answered(request, answer);
                }
            }
        }
        panic!("it never settles");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_that_stays_protected_is_in_clear_meanwhile(
        old in sets(),
        new in sets(),
        refuses in proptest::collection::vec(proptest::bool::weighted(0.3), 0..30),
    ) {
        let mut policies = Policies::default();
        let mut model = Model { policies: HashMap::new(), refuses: Vec::new(), asked: 0 };
        want_all(&mut policies, &old);
        model.settle(&mut policies, |_, _| {});
        prop_assert_eq!(&model.policies, &old);
        let protected: Vec<_> = packets()
            .into_iter()
            .filter(|packet| !is_clear(&old, *packet) && !is_clear(&new, *packet))
            .collect();
        (model.refuses, model.asked) = (refuses, 0);
        want_all(&mut policies, &new);
        model.settle(&mut policies, |model, request| {
            for packet in &protected {
                assert!(!is_clear(&model.policies, *packet), "{packet:?} after {request}");
            }
        });
        if !policies.is_exposed() {
            for packet in packets().into_iter().filter(|packet| !is_clear(&new, *packet)) {
                prop_assert!(!is_clear(&model.policies, packet), "{:?} at the end", packet);
            }
        }
        model.refuses.clear();
        policies.retry();
        model.settle(&mut policies, |model, request| {
            for packet in &protected {
                assert!(!is_clear(&model.policies, *packet), "{packet:?} at {request} of the retry");
            }
        });
        prop_assert_eq!(&model.policies, &new);
        prop_assert_eq!(policies.complaints().count(), 0);
    }
}

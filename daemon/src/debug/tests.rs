//! Debug lines against real ones.

use ike::event::{Event, ExchangeState, Fact, Input};
use ike::offer::PolicyOffer;
use ike::registry::{
    AuthenticationMethod, EncryptionAlgorithm, ExchangeType, GroupNumber, HashAlgorithm,
};
use ike::status::{Role, StateWord};
use isthmus_grammar::command::{Command, DebugTopic, ExecCommand};

use super::Debugging;
use crate::plan::units::Plan;

fn lines(conn_id: u32, event: Event) -> Vec<String> {
    let fact = Fact {
        local: "203.0.113.10:500".parse().unwrap(),
        remote: "203.0.113.1:500".parse().unwrap(),
        conn_id,
        event,
    };
    let mut lines = Vec::new();
    super::isakmp::lines(&fact, &mut lines);
    lines
}

#[test]
fn packets_and_states_read_like_the_real_ones() {
    let sent = Event::PacketSent {
        exchange: ExchangeType::IDENTITY_PROTECTION,
        message_id: 0,
        role: Role::Initiator,
        state: StateWord::MmNoState,
        length: 168,
    };
    assert_eq!(
        lines(0, sent),
        [
            "ISAKMP-PAK: (0):sending packet to 203.0.113.1 my_port 500 peer_port 500 (I) MM_NO_STATE",
            "ISAKMP: (0):Sending an IKE IPv4 Packet.",
        ]
    );
    let received = Event::PacketReceived {
        exchange: ExchangeType::QUICK_MODE,
        message_id: 7,
        role: Some(Role::Initiator),
        state: Some(StateWord::QmIdle),
        length: 168,
    };
    assert_eq!(
        lines(1001, received),
        [
            "ISAKMP-PAK: (1001):received packet from 203.0.113.1 dport 500 sport 500 Global (I) QM_IDLE      "
        ]
    );
    let changed = Event::StateChanged {
        input: Input::MainModeExchange,
        message_id: 0,
        old: ExchangeState::InitiatorMm1,
        new: ExchangeState::InitiatorMm2,
    };
    assert_eq!(
        lines(0, changed),
        [
            "ISAKMP: (0):Input = IKE_MESG_FROM_PEER, IKE_MM_EXCH",
            "ISAKMP: (0):Old State = IKE_I_MM1  New State = IKE_I_MM2 \n",
        ]
    );
}

#[test]
fn transforms_are_spelled_out() {
    let offer = PolicyOffer {
        number: 1,
        encryption: Some(EncryptionAlgorithm::AES_CBC),
        key_length: Some(256),
        hash: Some(HashAlgorithm::SHA1),
        authentication: Some(AuthenticationMethod::PRE_SHARED_KEY),
        group: Some(GroupNumber(14)),
        seconds: Some(86400),
        kilobytes: None,
    };
    let compared = Event::PolicyCompared {
        offer,
        priority: 10,
        differs: None,
    };
    assert_eq!(
        lines(0, compared),
        [
            "ISAKMP: (0):Checking ISAKMP transform 1 against priority 10 policy",
            "ISAKMP: (0):      encryption AES-CBC",
            "ISAKMP: (0):      keylength of 256",
            "ISAKMP: (0):      hash SHA",
            "ISAKMP: (0):      default group 14",
            "ISAKMP: (0):      auth pre-share",
            "ISAKMP: (0):      life type in seconds",
            "ISAKMP: (0):      life duration (VPI) of  0x0 0x1 0x51 0x80 ",
            "ISAKMP: (0):atts are acceptable. Next payload is 0",
        ]
    );
}

fn from(remote: &str, conn_id: u32, event: Event) -> Fact {
    Fact {
        local: "203.0.113.10:500".parse().unwrap(),
        remote: format!("{remote}:500").parse().unwrap(),
        conn_id,
        event,
    }
}

#[test]
fn conditions_choose_by_peer_connection_and_spi() {
    let packet = || Event::PacketReceived {
        exchange: ExchangeType::QUICK_MODE,
        message_id: 7,
        role: None,
        state: None,
        length: 168,
    };
    let deleted = |spi: u32| Event::DeleteReceived {
        protocol: ike::registry::ProtocolId::ESP,
        spis: vec![spi.to_be_bytes().to_vec()],
    };
    let facts = [
        from("192.0.2.1", 0, packet()),
        from("192.0.2.9", 1001, packet()),
        from("198.51.100.7", 1002, deleted(0x1234)),
        from("198.51.101.7", 1003, deleted(0x5678)),
    ];
    let shown = |commands: &[&str]| -> Vec<usize> {
        let mut debugging = Debugging::default();
        debugging.change(DebugTopic::CryptoIsakmp, true);
        for command in commands {
            let line = format!("debug crypto condition {command}");
            let parsed =
                isthmus_grammar::parser::parse(isthmus_grammar::Mode::Exec, &line).unwrap();
            let Command::Exec(ExecCommand::DebugCondition { on, condition }) = parsed.command
            else {
                panic!("{line}");
            };
            debugging.conditions.change(condition, on).unwrap();
        }
        let speaks = |fact: &Fact| !super::lines(&debugging, &Plan::default(), fact).is_empty();
        (0..facts.len()).filter(|at| speaks(&facts[*at])).collect()
    };
    assert_eq!(shown(&[]), [0, 1, 2, 3]);
    assert_eq!(shown(&["peer ipv4 192.0.2.1"]), [0]);
    assert_eq!(
        shown(&["peer ipv4 192.0.2.1", "peer ipv4 192.0.2.9"]),
        [0, 1]
    );
    assert_eq!(shown(&["peer subnet 198.51.100.0 255.255.255.0"]), [2]);
    assert_eq!(shown(&["connid 1003 engine-id 1"]), [3]);
    assert_eq!(
        shown(&["connid 1003", "unmatched isakmp"]),
        [0, 3],
        "connection 0 has no id yet"
    );
    assert_eq!(shown(&["spi 0x1234"]), [2]);
    assert_eq!(shown(&["spi 0x1234", "unmatched ipsec"]), [2]);
    assert_eq!(shown(&["spi 0x1234", "unmatched"]), [0, 1, 2]);
    assert_eq!(shown(&["peer ipv4 192.0.2.1", "reset"]), [0, 1, 2, 3]);
}

#[test]
fn only_errors() {
    let debugged = |topic| {
        let mut debugging = Debugging::default();
        debugging.change(topic, true);
        let dead = from("192.0.2.1", 1001, Event::PeerDead);
        let asked = from("192.0.2.1", 1001, Event::DpdAsked { sequence: 1 });
        [dead, asked].map(|fact| super::lines(&debugging, &Plan::default(), &fact).len())
    };
    assert_eq!(debugged(DebugTopic::CryptoIsakmpError), [1, 0]);
    assert_eq!(debugged(DebugTopic::CryptoIsakmp), [1, 2]);
    assert_eq!(debugged(DebugTopic::CryptoIpsec), [0, 0]);
}

/// Every fact of an engine that gets nothing but rubbish, in the words of every topic: rendered without a panic, each line
/// short and without control characters (CVE-2020-1763 and CVE-2022-23094 crashed while they logged a rejected packet).
#[test]
fn facts_about_rubbish_can_be_rendered() {
    struct Same;
    impl ike::random::Randomness for Same {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }
    let mut debugging = Debugging::default();
    debugging.change(DebugTopic::All, true);
    debugging.change(DebugTopic::CryptoIsakmpError, true);
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/ike/fuzz/corpus/message");
    let messages: Vec<Vec<u8>> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(messages.len() > 10);
    let peer = "192.0.2.1:500".parse().unwrap();
    let config = with_peer();
    let (mut count, mut now) = (0, 0);
    for message in &messages {
        for place in (0..message.len()).step_by(3) {
            let mut damaged = message.clone();
            damaged[place] ^= 0x41;
            let mut engine = ike::Endpoint::new(Box::new(Same));
            engine.set_debug(true);
            now += 1000;
            let now = ike::Instant::from_millis(now);
            engine.set_config(now, config.clone());
            engine.datagram(now, "203.0.113.10:500".parse().unwrap(), peer, &damaged);
            while let Some(output) = engine.poll_output() {
                if let ike::Output::Ask { id, .. } = output {
                    engine.answer(now, id, ike::Answer::PeerKey(Some("k".into())));
                } else if let ike::Output::Fact(fact) = output {
                    for line in super::lines(&debugging, &Plan::default(), &fact) {
                        count += 1;
                        assert!(line.len() < 1000, "{line}");
                        let text = line.replace('\n', "");
                        assert!(!text.contains(char::is_control), "{line:?}");
                    }
                }
            }
        }
    }
    assert!(count > 100, "{count} lines");
}

/// A policy, a key for any peer, and an entry for one.
fn with_peer() -> ike::config::EngineConfig {
    let text = "crypto isakmp key k address 0.0.0.0 0.0.0.0\n\
                crypto isakmp policy 10\n authentication pre-share\n";
    let (running, problems) = crate::config::load::load(text, "test");
    assert_eq!(problems, []);
    let mut config = crate::plan::engine::config(&running);
    config
        .connections
        .push(std::sync::Arc::new(ike::config::Connection {
            id: ike::config::ConnectionId(1),
            origin: ike::origin::Origin::CryptoMap {
                map: "MAP".into(),
                sequence: 10,
                access_list: "101".into(),
            },
            local: vec!["203.0.113.10".parse().unwrap()],
            peers: vec!["192.0.2.1".parse().unwrap()].into(),
            default_peer: false,
            flows: Vec::new().into(),
            transform_sets: Vec::new(),
            pfs: None,
            lifetime: ike::config::ChildLifetime {
                seconds: 3600,
                kilobytes: None,
            },
            replay_window: 64,
            df_bit: ike::config::DfBit::Copy,
        }));
    config
}

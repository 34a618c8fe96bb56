//! Old messages, and our own come back.

use super::*;

/// What is authentic is remembered for the life of the SA: 256 were too few.
#[test]
fn an_old_quick_mode_1_is_a_replay() {
    let mut two = Two::connected();
    let old = two.quick_mode(1);
    two.give(&old);
    for _ in 0..60 {
        two.pass(Duration::from_secs(1));
    }
    let note = Notification::new(
        crate::registry::ProtocolId::ISAKMP,
        NotifyType(40_000),
        [],
        [],
    );
    let mut others = Vec::new();
    for _ in 0..1000 {
        let message = two.authentic(
            ExchangeType::INFORMATIONAL,
            &[Payload::Notification(note.clone())],
        );
        two.give(&message);
        others.push(message);
    }
    let (heard, sent, halves) = (two.heard(), two.sent, two.halves);
    two.pass(Duration::from_secs(5));
    for message in others.iter().chain([&old]) {
        two.give(message);
    }
    assert_eq!((two.heard(), two.sent, two.halves), (heard, sent, halves));
    assert_eq!(two.router().dropped()[&DropReason::Repeat], 1001);
}

/// Our own messages that come back are not the peer's: with the hash of an informational alone they could be.
#[test]
fn reflected_messages_are_known() {
    let mut two = Two::connected();
    let id = two.router().usable_at(at(1).ip(), at(0).ip()).unwrap();
    let mut reflected = Vec::new();
    for _ in 0..5 {
        two.ends[1].give(id, Task::KeepaliveDue);
        while let Some(output) = next_output(&mut two.ends[1], two.now) {
            if let Output::Transmit { bytes, .. } = output {
                reflected.push(bytes);
            }
        }
    }
    assert_eq!(reflected.len(), 5);
    two.now = two.now + Duration::from_secs(1);
    let (heard, sent) = (two.heard(), two.sent);
    for message in &reflected {
        two.give(message);
    }
    assert_eq!((two.heard(), two.sent), (heard, sent));
}

#[test]
fn dead_peer_detection_is_a_replay_by_its_numbers() {
    let mut two = Two::connected();
    let cookies = two.ends[0].sas[&two.peers_sa()].common.cookies;
    let ask = |two: &mut Two, sequence| {
        let ask = Notification::dead_peer_detection(NotifyType::R_U_THERE, cookies, sequence);
        two.authentic(ExchangeType::INFORMATIONAL, &[Payload::Notification(ask)])
    };
    let mut questions = Vec::new();
    for sequence in 100..2100 {
        // Each is asked twice, as after a loss.
        for _ in 0..2 {
            let question = ask(&mut two, sequence);
            let sent = two.sent;
            two.give(&question);
            assert_eq!(two.sent, sent + 1, "answered");
            questions.push(question);
        }
    }
    let id = two.router().usable_at(at(1).ip(), at(0).ip()).unwrap();
    let kept = two.router().sas[&id].live().unwrap().ids.count();
    assert!(kept < 10, "{kept} message ids kept");
    two.now = two.now + Duration::from_secs(1);
    let (heard, sent) = (two.heard(), two.sent);
    for question in &questions {
        two.give(question);
    }
    assert_eq!((two.heard(), two.sent), (heard, sent));
    let question = ask(&mut two, 5000);
    two.give(&question);
    assert_eq!(two.sent, sent + 1, "and the next one is answered");
}

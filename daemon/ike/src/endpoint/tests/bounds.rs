//! What an authenticated peer can make an endpoint keep is bounded.

use super::*;

#[test]
fn quick_modes_that_are_never_confirmed_are_bounded() {
    let mut two = Two::connected();
    for number in 0..4000 {
        let message = two.quick_mode(number);
        two.give(&message);
    }
    // One half each, and the tunnel's two.
    assert_eq!(two.halves, 128 + 2);
    assert_eq!(two.said(Bound::QuickModes), 1);
    assert_eq!(
        two.router().dropped()[&DropReason::QuickModeLimit],
        4000 - 128
    );
    assert_eq!(two.router().children.iter().count(), 128 + 1);
    // When they have been given up, the peer is let in again.
    for _ in 0..60 {
        two.pass(Duration::from_secs(1));
    }
    assert_eq!(two.halves, 2);
    let message = two.quick_mode(5000);
    two.give(&message);
    assert_eq!(two.halves, 3);
}

/// A peer that replaces its child again and again and deletes none.
#[test]
fn children_that_are_left_behind_are_bounded() {
    let mut two = Two::connected();
    for _ in 0..200 {
        let id = two.peers_sa();
        two.ends[0].start_child(id, request());
        two.exchange();
        two.now = two.now + Duration::from_secs(5);
        two.ends[0].timeout(two.now);
        two.exchange();
    }
    let count = two.router().children.iter().count();
    assert!((16..=16 + 2).contains(&count), "{count} children");
    assert!(two.halves <= 2 * (16 + 2), "{}", two.halves);
    assert_eq!(two.said(Bound::ChildrenOfFlow), 1);
    let current = two
        .router()
        .children
        .iter()
        .filter(|child| child.is_current());
    assert_eq!(current.count(), 1, "the youngest serves the flow");
}

#[test]
fn isakmp_sas_of_one_peer_are_bounded() {
    let mut two = Two::connected();
    for _ in 0..600 {
        two.ends[0].start_main_mode((at(0), at(1), None), None, Vec::new(), None);
        two.exchange();
    }
    let live = two.router().sas.values().filter(|sa| sa.live().is_some());
    assert!(live.count() <= 16 + 1);
    assert_eq!(two.said(Bound::IkeSasOfPeer), 1);
    assert!(two.router().sas.len() <= 1024 + 17);
    assert_eq!(two.halves, 2, "the tunnel stays");
    assert!(two.router().usable_at(at(1).ip(), at(0).ip()).is_some());
}

#[test]
fn an_sa_with_very_many_message_ids_is_replaced() {
    let mut two = Two::connected();
    let id = two.router().usable_at(at(1).ip(), at(0).ip()).unwrap();
    let live = two.ends[1].live_mut(id);
    (1..=u32::try_from(crate::v1::message_ids::MANY).unwrap()).for_each(|id| live.ids.note(id));
    let note = Notification::new(
        crate::registry::ProtocolId::ISAKMP,
        NotifyType(40_000),
        [],
        [],
    );
    for _ in 0..3 {
        let message = two.authentic(
            ExchangeType::INFORMATIONAL,
            &[Payload::Notification(note.clone())],
        );
        two.ends[1].datagram(two.now, at(1), at(0), &message);
        two.exchange();
    }
    assert_eq!(two.said(Bound::MessageIds), 1);
    let next = two.router().usable_at(at(1).ip(), at(0).ip()).unwrap();
    assert_ne!(next, id, "replaced before it is full");
    assert_eq!(two.halves, 2, "the tunnel stays");
    // One that is full all the same goes.
    let live = two.ends[1].live_mut(next);
    (1..=u32::try_from(crate::v1::message_ids::MOST).unwrap()).for_each(|id| live.ids.note(id));
    let message = two.authentic(ExchangeType::INFORMATIONAL, &[Payload::Notification(note)]);
    two.give(&message);
    assert!(two.router().sas[&next].live().is_none());
}

/// Ten thousand deleted SAs are not all shown.
#[test]
fn what_is_shown_of_deleted_sas_is_bounded() {
    let mut two = Two::connected();
    for _ in 0..2000 {
        two.ends[0].start_main_mode((at(0), at(1), None), None, Vec::new(), None);
        two.exchange();
    }
    assert!(two.router().sas.len() <= 1024 + 20);
    two.pass(Duration::from_secs(120));
    let shown = two.router().ike_sas(two.now);
    assert!(shown.iter().filter(|sa| sa.deleted).count() <= 20);
}

/// A peer that deletes every ISAKMP SA and refuses every child, for hours.
#[test]
fn a_child_that_is_lost_very_often_is_counted_to_the_end() {
    let mut two = Two::connected();
    let sa = two.router().usable_at(at(1).ip(), at(0).ip()).unwrap();
    let child = two.router().children.iter().next().unwrap().sa.id;
    for _ in 0..300 {
        two.ends[1].doubt_children(sa);
        two.now = two.now + Duration::from_secs(60);
        two.ends[1].traffic(two.now, child, crate::output::Traffic::default());
    }
    let losses = two.router().children.get(child).map(|child| child.losses);
    assert_eq!(losses, Some(u8::MAX));
}

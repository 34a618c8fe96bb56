//! Debug lines against real ones.

use ike::event::{Event, ExchangeState, Fact, Input};
use ike::offer::PolicyOffer;
use ike::registry::{
    AuthenticationMethod, EncryptionAlgorithm, ExchangeType, GroupNumber, HashAlgorithm,
};
use ike::status::{Role, StateWord};

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

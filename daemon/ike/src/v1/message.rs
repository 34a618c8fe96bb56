//! Making and opening whole IKEv1 messages: clear, encrypted, and encrypted with a leading hash.

use crate::cause::{Blame, Cause, Phase};
use crate::crypto::{Iv, Phase1Keys};
use crate::effect::{Effect, Turn};
use crate::event::Event;
use crate::identity::Identity;
use crate::registry::{ExchangeType, NotifyType, ProtocolId};
use crate::v1::Refusal;
use crate::wire::v1::{
    Chain, Ciphertext, Id, Identification, Notification, Payload, Protected,
    message_with_ciphertext,
};
use crate::wire::{Cookies, Header, Malformed, TooLong};

/// A message in clear.
pub(crate) fn clear(
    cookies: Cookies,
    exchange: ExchangeType,
    message_id: u32,
    payloads: &[Payload],
) -> Result<Vec<u8>, TooLong> {
    Ok(Chain::encode(payloads)?.into_clear(Header::v1(cookies, exchange, message_id)))
}

/// An encrypted message; moves the IV on.
pub(crate) fn seal(keys: &Phase1Keys, iv: &mut Iv, header: Header, chain: Chain) -> Vec<u8> {
    let first = chain.first();
    let ciphertext = keys.encrypt(iv, chain.into_bytes());
    message_with_ciphertext(header, first, &ciphertext)
}

/// The payloads of an encrypted message and the IV after it. Nothing is authenticated yet.
pub(crate) fn open(
    keys: &Phase1Keys,
    iv: &Iv,
    ciphertext: &Ciphertext,
) -> Result<(Protected, Iv), Malformed> {
    let mut next = *iv;
    let plain = keys.decrypt(&mut next, &ciphertext.bytes)?;
    Ok((Protected::decode(ciphertext.first, plain)?, next))
}

/// Tells a peer with whom nothing is agreed why nothing will be.
pub(crate) fn notify_in_clear(turn: &mut Turn<'_>, cookies: Cookies, notify: NotifyType) {
    let message_id = u32::from_be_bytes(turn.random_bytes()).max(1);
    let payload = Notification::new(ProtocolId::ISAKMP, notify, [], []);
    let payloads = [Payload::Notification(payload)];
    let exchange = ExchangeType::INFORMATIONAL;
    if let Ok(bytes) = clear(cookies, exchange, message_id, &payloads) {
        turn.push(Effect::Send(bytes));
        turn.debug(|| Event::NotifySent {
            notify,
            protocol: ProtocolId::ISAKMP,
            spi: Vec::new(),
            message_id,
        });
    }
}

/// A message of our own that does not fit its length fields: too much configuration.
pub(crate) fn too_long(phase: Phase) -> impl Fn(TooLong) -> Cause {
    move |error| Cause::Protocol {
        blame: Blame::Misuse,
        phase,
        came: error.to_string(),
        expected: "a configuration that fits one message".into(),
    }
}

/// The same, where a refusal is wanted.
pub(crate) fn too_long_refusal(error: TooLong) -> Refusal {
    Refusal::Fail {
        cause: too_long(Phase::One)(error),
        notify: None,
    }
}

/// Our identity as an ID payload of phase 1.
pub(crate) fn own_identity(
    identity: &crate::config::OwnIdentity,
    local: std::net::SocketAddr,
) -> Payload {
    let id = match identity {
        crate::config::OwnIdentity::Hostname(name) => Id::Fqdn(name.clone()),
        crate::config::OwnIdentity::Address => match local.ip() {
            std::net::IpAddr::V4(address) => Id::Ipv4(address),
            std::net::IpAddr::V6(address) => Id::Ipv6(address),
        },
    };
    Payload::Identification(Identification {
        protocol: 17,
        port: 500,
        id,
    })
}

impl From<&Id> for Identity {
    fn from(id: &Id) -> Self {
        match id {
            Id::Ipv4(address) => Self::Address((*address).into()),
            Id::Ipv6(address) => Self::Address((*address).into()),
            Id::Fqdn(name) => Self::Fqdn(name.clone()),
            Id::UserFqdn(name) => Self::UserFqdn(name.clone()),
            Id::KeyId(data) | Id::DerAsn1Dn(data) | Id::DerAsn1Gn(data) => {
                Self::Other(id.kind(), data.clone())
            }
            Id::Unknown { kind, data } => Self::Other(*kind, data.clone()),
            other => Self::Other(other.kind(), other.to_string().into_bytes()),
        }
    }
}

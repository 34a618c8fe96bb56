//! Quick mode: what each state waits for, reads and sends (RFC 2409 5.5).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::cause::{Blame, Cause, Phase};
use crate::child::{ChildId, OwnSpis, ProtocolKeys, ProtocolSa};
use crate::child_request::ChildRequest;
use crate::config::TransformSet;
use crate::crypto::{Group, Iv, KeyPair, Keymat, Phase1Keys, Randomness, equal};
use crate::flight::Flight;
use crate::registry::{ExchangeType, GroupNumber, NotifyType, PayloadType, ProtocolId};
use crate::secret::Secret;
use crate::selector::Selector;
use crate::time::Instant;
use crate::v1::main_mode::exchange::NONCE_BYTES;
use crate::v1::message::{open, seal};
use crate::v1::quick_mode::proxy;
use crate::v1::quick_mode::transform::{self, Agreement, Terms};
use crate::wire::v1::{Chain, Ciphertext, Notification, Payload, Protected};
use crate::wire::{Cookies, Header, TooLong};

/// A quick mode in progress.
#[derive(Debug)]
pub(crate) struct Quick {
    pub(crate) state: QuickState,
    pub(crate) flight: Flight,
    pub(crate) began: Instant,
}

/// What a quick mode waits for.
#[derive(Debug)]
pub(crate) enum QuickState {
    /// Initiator, message 1 sent
    AwaitsAnswer(Box<AwaitsAnswer>),
    /// Responder, message 2 sent
    AwaitsConfirmation(Box<AwaitsConfirmation>),
}

/// Message 1 is sent.
#[derive(Debug)]
pub(crate) struct AwaitsAnswer {
    pub(crate) request: ChildRequest,
    pub(crate) offered: Vec<TransformSet>,
    pub(crate) terms: Terms,
    pub(crate) own: OwnSpis,
    pair: Option<KeyPair>,
    nonce: [u8; NONCE_BYTES],
    iv: Iv,
}

/// Message 2 is sent, the inbound half installed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AwaitsConfirmation {
    pub(crate) child: ChildId,
    /// Our SPIs of it, to take it back if the kernel did not take it
    pub(crate) inbound: Vec<(ProtocolId, u32)>,
    initiator_nonce: Vec<u8>,
    responder_nonce: [u8; NONCE_BYTES],
    iv: Iv,
}

/// Names an exchange: the SA's cookies, its keys, and the message id.
#[derive(Clone, Copy)]
pub(crate) struct Exchange<'a> {
    pub(crate) cookies: Cookies,
    pub(crate) keys: &'a Phase1Keys,
    pub(crate) message_id: u32,
}

/// What quick mode made: everything of a child that is negotiated.
pub(crate) struct Negotiated {
    pub(crate) agreement: Agreement,
    pub(crate) protocols: Vec<ProtocolSa>,
    /// Lifetimes that the responder shortened (RESPONDER-LIFETIME)
    pub(crate) seconds: Option<u32>,
    pub(crate) kilobytes: Option<u32>,
}

/// What message 1 asked for, verified; nothing is chosen yet.
pub(crate) struct Request {
    pub(crate) payloads: Protected,
    pub(crate) local: Selector,
    pub(crate) remote: Selector,
    nonce: Vec<u8>,
    public: Option<Vec<u8>>,
    iv: Iv,
}

/// Why a quick mode message was not accepted.
#[derive(Debug)]
pub(crate) enum QuickError {
    /// Does not decrypt to payloads
    Undecryptable(String),
    /// No hash or a wrong one
    BadHash,
    /// Authentic, but it breaks the protocol or does not fit: the exchange is over
    Refused(Cause, NotifyType),
}

impl Exchange<'_> {
    fn header(&self) -> Header {
        Header::v1(self.cookies, ExchangeType::QUICK_MODE, self.message_id)
    }

    fn first_iv(&self, last_block: &Iv) -> Iv {
        self.keys.exchange_iv(last_block, self.message_id)
    }

    /// Decrypts, and checks the leading hash against `expected` of the bytes it covers.
    fn open(
        &self,
        iv: &Iv,
        ciphertext: &Ciphertext,
        expected: impl Fn(&[u8]) -> Vec<u8>,
    ) -> Result<(Protected, Iv), QuickError> {
        let (payloads, iv) = open(self.keys, iv, ciphertext)
            .map_err(|error| QuickError::Undecryptable(error.to_string()))?;
        match payloads.hashed() {
            Some((hash, covered)) if equal(hash, &expected(covered)) => Ok((payloads, iv)),
            _ => Err(QuickError::BadHash),
        }
    }
}

fn broken(came: impl Into<String>, expected: &str, notify: NotifyType) -> QuickError {
    let cause = Cause::Protocol {
        blame: Blame::Misbehaved,
        phase: Phase::Two,
        came: came.into(),
        expected: expected.into(),
    };
    QuickError::Refused(cause, notify)
}

/// Message 1 of the initiator.
pub(crate) struct Opening {
    pub(crate) request: ChildRequest,
    pub(crate) offered: Vec<TransformSet>,
    pub(crate) terms: Terms,
    pub(crate) own: OwnSpis,
}

impl Opening {
    /// Builds message 1 and the state that waits for its answer.
    pub(crate) fn build(
        self,
        exchange: Exchange<'_>,
        last_block: &Iv,
        random: &mut dyn Randomness,
    ) -> Result<(AwaitsAnswer, Vec<u8>), TooLong> {
        let Self {
            request,
            offered,
            terms,
            own,
        } = self;
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let group = terms.pfs.and_then(Group::from_number);
        let pair = group.map(|group| KeyPair::generate(group, random));
        let mut payloads = vec![
            Payload::Sa(transform::build(&offered, terms, own)),
            Payload::Nonce(nonce.to_vec()),
        ];
        if let Some(pair) = &pair {
            payloads.push(Payload::KeyExchange(pair.public().to_vec()));
        }
        payloads.push(Payload::Identification(proxy::build(
            &request.subject.local,
        )));
        payloads.push(Payload::Identification(proxy::build(
            &request.subject.remote,
        )));
        let chain = Chain::encode(&payloads)?;
        let hash = exchange.keys.hash_1(exchange.message_id, chain.bytes());
        let chain = chain.prepend(&Payload::Hash(hash))?;
        let mut iv = exchange.first_iv(last_block);
        let message = seal(exchange.keys, &mut iv, exchange.header(), chain);
        Ok((
            AwaitsAnswer {
                request,
                offered,
                terms,
                own,
                pair,
                nonce,
                iv,
            },
            message,
        ))
    }
}

impl AwaitsAnswer {
    /// Message 2: the responder's choice. Gives the child and message 3.
    pub(crate) fn process(
        &self,
        exchange: Exchange<'_>,
        ciphertext: &Ciphertext,
    ) -> Result<(Negotiated, Vec<u8>), QuickError> {
        let (payloads, mut iv) = exchange.open(&self.iv, ciphertext, |covered| {
            exchange
                .keys
                .hash_2(exchange.message_id, &self.nonce, covered)
        })?;
        let (nonce, public) = self.nonce_and_public(&payloads)?;
        let agreement = self.agreement(&payloads)?;
        let shared = agree(self.pair.as_ref(), public)?;
        let keymat = KeySource {
            keys: exchange.keys,
            shared: shared.as_ref(),
            initiator_nonce: &self.nonce,
            responder_nonce: nonce,
        };
        let protocols = keymat.protocols(&agreement, self.own);
        let (seconds, kilobytes) = responder_lifetime(&payloads);
        let hash = exchange
            .keys
            .hash_3(exchange.message_id, &self.nonce, nonce);
        let chain = Chain::encode(&[Payload::Hash(hash)])
            .map_err(|error| broken(error.to_string(), "a hash", NotifyType(0)))?;
        let message = seal(exchange.keys, &mut iv, exchange.header(), chain);
        Ok((
            Negotiated {
                agreement,
                protocols,
                seconds,
                kilobytes,
            },
            message,
        ))
    }

    fn nonce_and_public<'a>(
        &self,
        payloads: &'a Protected,
    ) -> Result<(&'a [u8], Option<&'a [u8]>), QuickError> {
        let mut identities = payloads.identities().map(proxy::process);
        let echoed = match (identities.next(), identities.next(), identities.next()) {
            (None, None, None) => true,
            (Some(first), Some(second), None) => {
                first == Some(self.request.subject.local)
                    && second == Some(self.request.subject.remote)
            }
            _ => false,
        };
        if !echoed {
            let expected = "the proxy identities that we sent";
            return Err(broken(
                "other proxy identities in quick mode 2",
                expected,
                NotifyType::INVALID_ID_INFORMATION,
            ));
        }
        let nonce = one_nonce(payloads)?;
        Ok((nonce, payloads.key_exchange()))
    }

    fn agreement(&self, payloads: &Protected) -> Result<Agreement, QuickError> {
        let (Some(sa), 1) = (payloads.sa(), payloads.count(PayloadType::SA)) else {
            return Err(broken(
                format!("{} SA payloads", payloads.count(PayloadType::SA)),
                "one SA payload",
                NotifyType::PAYLOAD_MALFORMED,
            ));
        };
        transform::accept(sa, &self.offered, self.terms.pfs).map_err(|chosen| {
            let cause = Cause::ChoseWhatWasNotOffered {
                phase: Phase::Two,
                chosen,
            };
            QuickError::Refused(cause, NotifyType::BAD_PROPOSAL_SYNTAX)
        })
    }
}

/// The shared secret of PFS: both sides send a value or neither.
fn agree(pair: Option<&KeyPair>, public: Option<&[u8]>) -> Result<Option<Secret>, QuickError> {
    match (pair, public) {
        (None, None) => Ok(None),
        (Some(pair), Some(public)) => pair.agree(public).map(Some).map_err(|error| {
            broken(
                error.to_string(),
                "a public value of the group",
                NotifyType::INVALID_KEY_INFORMATION,
            )
        }),
        (Some(_), None) => Err(broken(
            "quick mode without KE",
            "a KE payload, for PFS was agreed",
            NotifyType::INVALID_KEY_INFORMATION,
        )),
        (None, Some(_)) => Err(broken(
            "quick mode with KE",
            "no KE payload, for PFS was not agreed",
            NotifyType::INVALID_KEY_INFORMATION,
        )),
    }
}

fn one_nonce(payloads: &Protected) -> Result<&[u8], QuickError> {
    match (payloads.nonce(), payloads.count(PayloadType::NONCE)) {
        (Some(nonce), 1) => Ok(nonce),
        (_, count) => Err(broken(
            format!("{count} nonces in quick mode"),
            "one nonce",
            NotifyType::PAYLOAD_MALFORMED,
        )),
    }
}

fn responder_lifetime(payloads: &Protected) -> (Option<u32>, Option<u32>) {
    payloads
        .notifications()
        .filter(|notification| notification.kind == NotifyType::RESPONDER_LIFETIME)
        .filter_map(|notification| notification.attributes().ok())
        .map(|attributes| transform::read_lifetime(&attributes))
        .next()
        .unwrap_or((None, None))
}

/// Message 1, verified: who asks for what. `peers` are the addresses that stand for absent
/// identities: ours and the peer's.
pub(crate) fn request(
    exchange: Exchange<'_>,
    last_block: &Iv,
    ciphertext: &Ciphertext,
    peers: (IpAddr, IpAddr),
) -> Result<Request, QuickError> {
    let first_iv = exchange.first_iv(last_block);
    let (payloads, iv) = exchange.open(&first_iv, ciphertext, |covered| {
        exchange.keys.hash_1(exchange.message_id, covered)
    })?;
    if payloads.count(PayloadType::SA) != 1 {
        return Err(broken(
            format!("{} SA payloads", payloads.count(PayloadType::SA)),
            "one SA payload",
            NotifyType::PAYLOAD_MALFORMED,
        ));
    }
    let mut identities = payloads.identities();
    let (remote, local) = match (identities.next(), identities.next(), identities.next()) {
        (None, None, None) => (
            Some(Selector::host(peers.1, 0, 0)),
            Some(Selector::host(peers.0, 0, 0)),
        ),
        (Some(theirs), Some(ours), None) => (proxy::process(theirs), proxy::process(ours)),
        _ => (None, None),
    };
    let (Some(remote), Some(local)) = (remote, local) else {
        let came: Vec<_> = payloads
            .identities()
            .take(4)
            .map(|id| id.id.to_string())
            .collect();
        return Err(broken(
            format!("proxy identities {}", came.join(", ")),
            "two addresses, subnets or ranges",
            NotifyType::INVALID_ID_INFORMATION,
        ));
    };
    drop(identities);
    let nonce = one_nonce(&payloads)?.to_vec();
    let public = payloads.key_exchange().map(<[u8]>::to_vec);
    Ok(Request {
        payloads,
        local,
        remote,
        nonce,
        public,
        iv,
    })
}

/// What the responder decided.
pub(crate) struct Answer {
    pub(crate) child: ChildId,
    pub(crate) agreement: Agreement,
    pub(crate) own: OwnSpis,
    /// Lifetimes to tell the initiator because ours are shorter
    pub(crate) shorter: Option<(Option<u32>, Option<u32>)>,
}

impl Request {
    /// Builds message 2, the child, and the state that waits for message 3.
    pub(crate) fn build(
        self,
        exchange: Exchange<'_>,
        answer: Answer,
        random: &mut dyn Randomness,
    ) -> Result<(AwaitsConfirmation, Negotiated, Vec<u8>), QuickError> {
        let Answer {
            child,
            agreement,
            own,
            shorter,
        } = answer;
        let group = agreement.pfs.and_then(Group::from_number);
        let pair = group.map(|group| KeyPair::generate(group, random));
        let shared = agree(pair.as_ref(), self.public.as_deref())?;
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let payloads = self.answer_payloads(&agreement, own, &nonce, pair.as_ref(), shorter);
        let too_long = |error: TooLong| {
            broken(
                error.to_string(),
                "a message that fits",
                NotifyType::PAYLOAD_MALFORMED,
            )
        };
        let chain = payloads
            .and_then(|payloads| Chain::encode(&payloads))
            .map_err(too_long)?;
        let hash = exchange
            .keys
            .hash_2(exchange.message_id, &self.nonce, chain.bytes());
        let chain = chain.prepend(&Payload::Hash(hash)).map_err(too_long)?;
        let mut iv = self.iv;
        let message = seal(exchange.keys, &mut iv, exchange.header(), chain);
        let keymat = KeySource {
            keys: exchange.keys,
            shared: shared.as_ref(),
            initiator_nonce: &self.nonce,
            responder_nonce: &nonce,
        };
        let protocols = keymat.protocols(&agreement, own);
        let inbound = protocols
            .iter()
            .map(|part| (ProtocolId::from(part.protocol), part.inbound_spi));
        let inbound = inbound.collect();
        let negotiated = Negotiated {
            agreement,
            protocols,
            seconds: None,
            kilobytes: None,
        };
        let state = AwaitsConfirmation {
            child,
            inbound,
            initiator_nonce: self.nonce,
            responder_nonce: nonce,
            iv,
        };
        Ok((state, negotiated, message))
    }

    fn answer_payloads(
        &self,
        agreement: &Agreement,
        own: OwnSpis,
        nonce: &[u8],
        pair: Option<&KeyPair>,
        shorter: Option<(Option<u32>, Option<u32>)>,
    ) -> Result<Vec<Payload>, TooLong> {
        let mut payloads = vec![
            Payload::Sa(agreement.answer(own)),
            Payload::Nonce(nonce.to_vec()),
        ];
        if let Some(pair) = pair {
            payloads.push(Payload::KeyExchange(pair.public().to_vec()));
        }
        payloads.extend(
            self.payloads
                .identities()
                .cloned()
                .map(Payload::Identification),
        );
        if let (Some((seconds, kilobytes)), Some(first)) = (shorter, agreement.protocols.first()) {
            let attributes = transform::lifetime_attributes(seconds, kilobytes);
            payloads.push(Payload::Notification(Notification::new(
                ProtocolId::from(first.protocol),
                NotifyType::RESPONDER_LIFETIME,
                own.for_protocol(first.protocol).to_be_bytes(),
                Notification::lifetime_data(&attributes)?,
            )));
        }
        Ok(payloads)
    }

    /// The group that the initiator's public value is of, as its proposals must say.
    pub(crate) fn has_public_value(&self) -> bool {
        self.public.is_some()
    }
}

impl AwaitsConfirmation {
    /// Message 3: the initiator has everything.
    pub(crate) fn process(
        &self,
        exchange: Exchange<'_>,
        ciphertext: &Ciphertext,
    ) -> Result<(), QuickError> {
        let (payloads, _) = open(exchange.keys, &self.iv, ciphertext)
            .map_err(|error| QuickError::Undecryptable(error.to_string()))?;
        let expected = exchange.keys.hash_3(
            exchange.message_id,
            &self.initiator_nonce,
            &self.responder_nonce,
        );
        match payloads.hashed() {
            Some((hash, _)) if equal(hash, &expected) => Ok(()),
            _ => Err(QuickError::BadHash),
        }
    }
}

/// What the keys of a child are made from.
struct KeySource<'a> {
    keys: &'a Phase1Keys,
    shared: Option<&'a Secret>,
    initiator_nonce: &'a [u8],
    responder_nonce: &'a [u8],
}

impl KeySource<'_> {
    fn protocols(&self, agreement: &Agreement, own: OwnSpis) -> Vec<ProtocolSa> {
        let one = |agreed: &transform::AgreedProtocol| {
            let inbound_spi = own.for_protocol(agreed.protocol);
            ProtocolSa {
                protocol: agreed.protocol,
                inbound_spi,
                outbound_spi: agreed.peer_spi,
                cipher: agreed.cipher,
                integrity: agreed.integrity,
                inbound: self.direction(agreed, inbound_spi),
                outbound: self.direction(agreed, agreed.peer_spi),
            }
        };
        agreement.protocols.iter().map(one).collect()
    }

    /// The keys of the SA with this SPI: the cipher's first, then the authenticator's.
    fn direction(&self, agreed: &transform::AgreedProtocol, spi: u32) -> ProtocolKeys {
        let cipher = agreed.cipher.map_or(0, |cipher| cipher.key_bytes());
        let integrity = agreed
            .integrity
            .map_or(0, |integrity| integrity.key_bytes());
        let from = Keymat {
            shared: self.shared,
            protocol: ProtocolId::from(agreed.protocol),
            spi: &spi.to_be_bytes(),
            initiator_nonce: self.initiator_nonce,
            responder_nonce: self.responder_nonce,
        };
        let keymat = self.keys.keymat(&from, cipher + integrity);
        let (cipher, integrity) = keymat.expose().split_at(cipher);
        ProtocolKeys {
            cipher: Secret::new(cipher.to_vec()),
            integrity: Secret::new(integrity.to_vec()),
        }
    }
}

/// The PFS group that a responder accepts: the configured one, or any we can compute in when the
/// configuration asks for none; a public value must come exactly when there is a group.
pub(crate) fn pfs_fits(
    configured: Option<GroupNumber>,
    has_public_value: bool,
) -> impl Fn(Option<GroupNumber>) -> bool {
    move |offered| {
        let group_fits = match (configured, offered) {
            (Some(configured), offered) => offered == Some(configured),
            (None, Some(offered)) => Group::from_number(offered).is_some(),
            (None, None) => true,
        };
        group_fits && offered.is_some() == has_public_value
    }
}

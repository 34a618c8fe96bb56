//! Main mode as the responder: what each state waits for, reads and sends (RFC 2409 5.4).

use crate::cause::{Cause, PolicyField};
use crate::crypto::{Group, Iv, KeyPair, Phase1Keys, Skeyid, Transcript};
use crate::effect::Turn;
use crate::event::DropReason;
use crate::identity::Identity;
use crate::offer::PolicyOffer;
use crate::registry::{ExchangeType, NotifyType, PayloadType};
use crate::sa::Common;
use crate::secret::Secret;
use crate::status::AgreedPolicy;
use crate::v1::established::Established;
use crate::v1::main_mode::exchange::{
    NONCE_BYTES, agree, bad_value, proven_identity, public_value_and_nonce,
};
use crate::v1::main_mode::policy;
use crate::v1::main_mode::policy::Choice;
use crate::v1::message::{clear, open, own_identity, seal, too_long_refusal};
use crate::v1::{Refusal, vendor};
use crate::wire::v1::{
    Chain, Ciphertext, Message, Payload, Protected, SecurityAssociation, Unprotected,
};
use crate::wire::{Cookies, Header};

/// Message 1 is read: waits for the pre-shared key.
#[derive(Debug)]
pub(crate) struct AwaitsKey {
    pub(crate) sa_body: Vec<u8>,
}

/// Message 2 was sent without keeping anything, and message 3 is here: waits for the pre-shared key.
#[derive(Debug)]
pub(crate) struct AwaitsKeyForValue {
    pub(crate) sa_body: Vec<u8>,
    pub(crate) policy: AgreedPolicy,
    pub(crate) message: Message,
    pub(crate) digest: u64,
}

/// Message 2 is sent.
#[derive(Debug)]
pub(crate) struct AwaitsInitiatorsValue {
    key: Secret,
    sa_body: Vec<u8>,
    policy: AgreedPolicy,
    /// Ours, made for the first public value that could be one of the group
    pair: Option<KeyPair>,
}

/// Message 4 is sent.
#[derive(Debug)]
pub(crate) struct AwaitsInitiatorsProof {
    policy: AgreedPolicy,
    keys: Phase1Keys,
    skeyid: Skeyid,
    iv: Iv,
    sa_body: Vec<u8>,
    own_public: Vec<u8>,
    peer_public: Vec<u8>,
}

/// SA payload of message 1: the bytes that go into the proofs (SAi_b) and what they say.
pub(crate) struct Proposals<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) offered: &'a SecurityAssociation,
}

/// The one SA payload of message 1.
pub(crate) fn proposals(payloads: &Unprotected) -> Result<Proposals<'_>, Refusal> {
    match (
        payloads.sa(),
        payloads.body_of(PayloadType::SA),
        payloads.count(PayloadType::SA),
    ) {
        (Some(offered), Some(body), 1) => Ok(Proposals { body, offered }),
        _ => Err(Refusal::unexpected("main mode 1 without one SA payload")),
    }
}

/// Our choice among the initiator's offers. `compared` is told of comparisons.
pub(crate) fn choose(
    turn: &Turn<'_>,
    proposals: &Proposals<'_>,
    compared: impl FnMut(&PolicyOffer, u32, Option<PolicyField>),
) -> Result<Choice, Refusal> {
    let policies = policy::usable(&turn.config.policies);
    policy::choose(proposals.offered, &policies, compared).map_err(refused)
}

/// Message 2: our choice.
pub(crate) fn message_2(cookies: Cookies, answer: SecurityAssociation) -> Result<Vec<u8>, Refusal> {
    let payloads = [Payload::Sa(answer), vendor::dpd()];
    clear(cookies, ExchangeType::IDENTITY_PROTECTION, 0, &payloads).map_err(too_long_refusal)
}

/// The peer is told that nothing of what it offers will do.
fn refused(cause: Cause) -> Refusal {
    Refusal::Fail {
        cause,
        notify: Some(NotifyType::NO_PROPOSAL_CHOSEN),
    }
}

impl AwaitsKey {
    /// What was offered, and the key, without which nothing is chosen.
    pub(crate) fn with_key(
        self,
        sa: &Common,
        key: Option<Secret>,
    ) -> Result<(SecurityAssociation, Vec<u8>, Secret), Refusal> {
        let peer = sa.address();
        let key = key.ok_or_else(|| refused(Cause::NoKey { peer }))?;
        let offered = SecurityAssociation::from_body(&self.sa_body);
        let offered = offered.map_err(|error| Refusal::unexpected(error.to_string()))?;
        Ok((offered, self.sa_body, key))
    }
}

impl AwaitsInitiatorsValue {
    /// Message 2 is sent.
    pub(crate) fn new(key: Secret, sa_body: Vec<u8>, policy: AgreedPolicy) -> Self {
        Self {
            key,
            sa_body,
            policy,
            pair: None,
        }
    }
}

/// What message 3 gave: the shared secret, the peer's value and its nonce.
pub(crate) type Value = (Secret, Vec<u8>, Vec<u8>);

impl AwaitsInitiatorsValue {
    /// Message 3: the initiator's public value and nonce. A value that cannot be one of the group costs nothing; the key
    /// pair is made once.
    pub(crate) fn process(
        &mut self,
        turn: &mut Turn<'_>,
        payloads: &Unprotected,
    ) -> Result<Value, Refusal> {
        let group = Group::from_number(self.policy.group).ok_or(Refusal::Fail {
            cause: Cause::NoPolicy,
            notify: None,
        })?;
        let (public, nonce) = public_value_and_nonce(payloads, "main mode 3")?;
        group.check(public).map_err(bad_value)?;
        let pair = self
            .pair
            .get_or_insert_with(|| KeyPair::generate(group, &mut *turn.random));
        let shared = agree(pair, public, "main mode 3")?;
        Ok((shared, public.to_vec(), nonce.to_vec()))
    }

    /// Message 4: our public value and nonce.
    pub(crate) fn build(
        self,
        turn: &mut Turn<'_>,
        sa: &Common,
        (shared, peer_public, peer_nonce): Value,
    ) -> Result<(AwaitsInitiatorsProof, Vec<u8>), Refusal> {
        let Self {
            key,
            sa_body,
            policy,
            pair: Some(pair),
        } = self
        else {
            return Err(Refusal::unexpected("main mode 4 before main mode 3"));
        };
        let nonce: [u8; NONCE_BYTES] = turn.random_bytes();
        let own_public = pair.public().to_vec();
        let skeyid = Skeyid::pre_shared(policy.hash, &key, &peer_nonce, &nonce);
        let keys = skeyid.expand(policy.encryption, sa.cookies, &shared);
        let iv = keys.first_iv(&peer_public, &own_public);
        let payloads = [
            Payload::KeyExchange(own_public.clone()),
            Payload::Nonce(nonce.to_vec()),
        ];
        let message = clear(sa.cookies, ExchangeType::IDENTITY_PROTECTION, 0, &payloads)
            .map_err(too_long_refusal)?;
        let state = AwaitsInitiatorsProof {
            policy,
            keys,
            skeyid,
            iv,
            sa_body,
            own_public,
            peer_public,
        };
        Ok((state, message))
    }
}

impl AwaitsInitiatorsProof {
    /// Message 5: the initiator's identity and proof.
    pub(crate) fn process(
        &self,
        sa: &Common,
        ciphertext: &Ciphertext,
    ) -> Result<(Identity, Protected, Iv), Refusal> {
        let peer = sa.address();
        let (payloads, iv) = open(&self.keys, &self.iv, ciphertext).map_err(|error| {
            let seen = "main mode 5 does not decrypt".into();
            Refusal::undecryptable(
                error,
                Some(Cause::KeyDiffers {
                    peer,
                    certain: false,
                    seen,
                }),
            )
        })?;
        let expected = |body: &[u8]| self.skeyid.hash_i(&self.transcript(sa), body);
        match proven_identity(&payloads, expected) {
            Some(identity) => Ok((identity, payloads, iv)),
            None => Err(Refusal::Drop {
                reason: DropReason::BadHash,
                detail: "HASH_I is wrong".into(),
                provisional_cause: Some(Cause::KeyDiffers {
                    peer,
                    certain: true,
                    seen: "the proof in main mode 5 is wrong".into(),
                }),
            }),
        }
    }

    fn transcript<'a>(&'a self, sa: &Common) -> Transcript<'a> {
        Transcript {
            cookies: sa.cookies,
            initiator_public: &self.peer_public,
            responder_public: &self.own_public,
            sa_body: &self.sa_body,
        }
    }

    /// Message 6: our identity and proof. Phase 1 is done. Gives the message, and SAi_b for the next time.
    pub(crate) fn build(
        self,
        turn: &Turn<'_>,
        sa: &Common,
        mut iv: Iv,
    ) -> Result<(Established, Vec<u8>, Vec<u8>), Refusal> {
        let identity = own_identity(&turn.config.identity, sa.local);
        let body = identity.body().map_err(too_long_refusal)?;
        let proof = self.skeyid.hash_r(&self.transcript(sa), &body);
        let chain = Chain::encode(&[identity, Payload::Hash(proof)]).map_err(too_long_refusal)?;
        let header = Header::v1(sa.cookies, ExchangeType::IDENTITY_PROTECTION, 0);
        let message = seal(&self.keys, &mut iv, header, chain);
        let Self {
            policy,
            keys,
            sa_body,
            ..
        } = self;
        Ok((
            Established {
                policy,
                keys,
                last_block: iv,
            },
            message,
            sa_body,
        ))
    }
}

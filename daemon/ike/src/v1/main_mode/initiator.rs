//! Main mode as the initiator: what each state waits for, reads and sends (RFC 2409 5.4).

use crate::cause::{Cause, Phase};
use crate::config::IsakmpPolicy;
use crate::crypto::{Group, Iv, KeyPair, Phase1Keys, Skeyid, Transcript};
use crate::effect::Turn;
use crate::identity::Identity;
use crate::registry::{ExchangeType, NotifyType, PayloadType, ProtocolId};
use crate::sa::Common;
use crate::secret::Secret;
use crate::status::AgreedPolicy;
use crate::v1::established::Established;
use crate::v1::main_mode::exchange::{NONCE_BYTES, agree, proven_identity, public_value_and_nonce};
use crate::v1::main_mode::policy;
use crate::v1::message::{clear, open, own_identity, seal, too_long, too_long_refusal};
use crate::v1::{Refusal, vendor};
use crate::wire::Header;
use crate::wire::v1::{Chain, Ciphertext, Notification, Payload, Unprotected};

/// Nothing is sent: waits for the pre-shared key.
#[derive(Debug)]
pub(crate) struct AwaitsKey;

/// Message 1 is sent.
#[derive(Debug)]
pub(crate) struct AwaitsChoice {
    /// What we offered
    pub(crate) offered: Vec<IsakmpPolicy>,
    key: Secret,
    sa_body: Vec<u8>,
}

/// Message 3 is sent.
#[derive(Debug)]
pub(crate) struct AwaitsValue {
    key: Secret,
    sa_body: Vec<u8>,
    policy: AgreedPolicy,
    pair: KeyPair,
    nonce: [u8; NONCE_BYTES],
}

/// Message 5 is sent.
#[derive(Debug)]
pub(crate) struct AwaitsProof {
    /// For informational messages that come before the proof
    pub(crate) keys: Phase1Keys,
    policy: AgreedPolicy,
    skeyid: Skeyid,
    iv: Iv,
    sa_body: Vec<u8>,
    own_public: Vec<u8>,
    peer_public: Vec<u8>,
}

impl AwaitsKey {
    /// Message 1 with our policies, once the key is there.
    pub(crate) fn build(
        self,
        turn: &Turn<'_>,
        sa: &Common,
        key: Option<Secret>,
    ) -> Result<(AwaitsChoice, Vec<u8>), Cause> {
        let peer = sa.address();
        let key = key.ok_or(Cause::NoKey { peer })?;
        let offered = policy::usable(&turn.config.policies);
        if offered.is_empty() {
            return Err(Cause::NoPolicy);
        }
        let proposal = Payload::Sa(policy::build(&offered));
        let sa_body = proposal.body().map_err(too_long(Phase::One))?;
        let payloads = [proposal, vendor::dpd()];
        let message = clear(sa.cookies, ExchangeType::IDENTITY_PROTECTION, 0, &payloads)
            .map_err(too_long(Phase::One))?;
        let state = AwaitsChoice {
            offered,
            key,
            sa_body,
        };
        Ok((state, message))
    }
}

impl AwaitsChoice {
    /// Message 2: the responder's choice.
    pub(crate) fn process(&self, payloads: &Unprotected) -> Result<AgreedPolicy, Refusal> {
        let (Some(sa), 1) = (payloads.sa(), payloads.count(PayloadType::SA)) else {
            return Err(Refusal::unexpected("main mode 2 without one SA payload"));
        };
        policy::accept(sa, &self.offered).map_err(|cause| Refusal::Drop {
            reason: crate::event::DropReason::Refused,
            detail: cause.to_string(),
            provisional_cause: Some(cause),
        })
    }

    /// Message 3: our public value and nonce.
    pub(crate) fn build(
        self,
        turn: &mut Turn<'_>,
        sa: &Common,
        policy: AgreedPolicy,
    ) -> Result<(AwaitsValue, Vec<u8>), Refusal> {
        let group = Group::from_number(policy.group).ok_or(Refusal::Fail {
            cause: Cause::NoPolicy,
            notify: None,
        })?;
        let pair = KeyPair::generate(group, &mut *turn.random);
        let nonce = turn.random_bytes();
        let payloads = [
            Payload::KeyExchange(pair.public().to_vec()),
            Payload::Nonce(nonce.to_vec()),
        ];
        let message = clear(sa.cookies, ExchangeType::IDENTITY_PROTECTION, 0, &payloads)
            .map_err(too_long_refusal)?;
        let Self { key, sa_body, .. } = self;
        Ok((
            AwaitsValue {
                key,
                sa_body,
                policy,
                pair,
                nonce,
            },
            message,
        ))
    }
}

impl AwaitsValue {
    /// Message 4: the responder's public value and nonce. Gives the shared secret and both.
    pub(crate) fn process(
        &self,
        payloads: &Unprotected,
    ) -> Result<(Secret, Vec<u8>, Vec<u8>), Refusal> {
        let (public, nonce) = public_value_and_nonce(payloads, "main mode 4")?;
        let shared = agree(&self.pair, public, "main mode 4")?;
        Ok((shared, public.to_vec(), nonce.to_vec()))
    }

    /// Message 5: our identity and proof.
    pub(crate) fn build(
        self,
        turn: &mut Turn<'_>,
        sa: &Common,
        (shared, peer_public, peer_nonce): (Secret, Vec<u8>, Vec<u8>),
    ) -> Result<(AwaitsProof, Vec<u8>), Refusal> {
        let Self {
            key,
            sa_body,
            policy,
            pair,
            nonce,
        } = self;
        let own_public = pair.public().to_vec();
        let skeyid = Skeyid::pre_shared(policy.hash, &key, &nonce, &peer_nonce);
        let keys = skeyid.expand(policy.encryption, sa.cookies, &shared);
        let transcript = Transcript {
            cookies: sa.cookies,
            initiator_public: &own_public,
            responder_public: &peer_public,
            sa_body: &sa_body,
        };
        let identity = own_identity(&turn.config.identity, sa.local);
        let proof = skeyid.hash_i(&transcript, &identity.body().map_err(too_long_refusal)?);
        let mut payloads = vec![identity, Payload::Hash(proof)];
        if turn.tables.is_lonely() {
            payloads.push(Payload::Notification(Notification::new(
                ProtocolId::ISAKMP,
                NotifyType::INITIAL_CONTACT,
                sa.cookies.bytes(),
                [],
            )));
        }
        let mut iv = keys.first_iv(&own_public, &peer_public);
        let header = Header::v1(sa.cookies, ExchangeType::IDENTITY_PROTECTION, 0);
        let chain = Chain::encode(&payloads).map_err(too_long_refusal)?;
        let message = seal(&keys, &mut iv, header, chain);
        Ok((
            AwaitsProof {
                keys,
                policy,
                skeyid,
                iv,
                sa_body,
                own_public,
                peer_public,
            },
            message,
        ))
    }
}

impl AwaitsProof {
    /// Message 6: the responder's identity and proof.
    pub(crate) fn process(
        &self,
        sa: &Common,
        ciphertext: &Ciphertext,
    ) -> Result<(Identity, Iv), Refusal> {
        let seen = |seen: &str| Cause::KeyDiffers {
            peer: sa.address(),
            certain: false,
            seen: seen.into(),
        };
        let (payloads, iv) = open(&self.keys, &self.iv, ciphertext).map_err(|error| {
            let cause = seen("main mode 6 does not decrypt");
            Refusal::undecryptable(error, Some(cause))
        })?;
        let transcript = Transcript {
            cookies: sa.cookies,
            initiator_public: &self.own_public,
            responder_public: &self.peer_public,
            sa_body: &self.sa_body,
        };
        proven_identity(&payloads, |id_body| {
            self.skeyid.hash_r(&transcript, id_body)
        })
        .ok_or_else(|| Refusal::Drop {
            reason: crate::event::DropReason::BadHash,
            detail: "HASH_R is wrong".into(),
            provisional_cause: Some(Cause::KeyDiffers {
                peer: sa.address(),
                certain: true,
                seen: "the proof in main mode 6 is wrong".into(),
            }),
        })
        .map(|identity| (identity, iv))
    }

    /// Phase 1 is done.
    pub(crate) fn establish(self, iv: Iv) -> Established {
        Established {
            policy: self.policy,
            keys: self.keys,
            last_block: iv,
        }
    }
}

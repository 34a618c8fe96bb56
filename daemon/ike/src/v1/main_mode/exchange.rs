//! What both ends of main mode read alike: public values, nonces, proofs (RFC 2409 5.4).

use crate::crypto::{DhError, KeyPair, equal};
use crate::identity::Identity;
use crate::registry::PayloadType;
use crate::secret::Secret;
use crate::v1::Refusal;
use crate::wire::v1::Unprotected;

/// Bytes of a nonce of ours.
pub(crate) const NONCE_BYTES: usize = 20;

/// KE and nonce of message 3 or 4.
pub(crate) fn public_value_and_nonce<'a>(
    payloads: &'a Unprotected,
    message: &str,
) -> Result<(&'a [u8], &'a [u8]), Refusal> {
    let (Some(public), Some(nonce)) = (payloads.key_exchange(), payloads.nonce()) else {
        return Err(Refusal::unexpected(format!(
            "{message} without KE and nonce"
        )));
    };
    if payloads.count(PayloadType::KEY_EXCHANGE) != 1 || payloads.count(PayloadType::NONCE) != 1 {
        return Err(Refusal::unexpected(format!(
            "{message} with several KE or nonces"
        )));
    }
    Ok((public, nonce))
}

/// The secret that our pair and the peer's public value make.
pub(crate) fn agree(pair: &KeyPair, public: &[u8], message: &str) -> Result<Secret, Refusal> {
    if public == pair.public() {
        return Err(Refusal::unexpected(format!(
            "{message} is our own message come back"
        )));
    }
    pair.agree(public).map_err(bad_value)
}

/// Drops a message whose public value is not one of the group.
pub(crate) fn bad_value(error: DhError) -> Refusal {
    Refusal::broken(error.to_string(), "a public value of the group")
}

/// The identity in message 5 or 6, if the hash beside it is `expected` of its bytes.
pub(crate) fn proven_identity(
    payloads: &crate::wire::v1::Payloads,
    expected: impl Fn(&[u8]) -> Vec<u8>,
) -> Option<Identity> {
    let body = payloads.body_of(PayloadType::IDENTIFICATION)?;
    let only =
        payloads.count(PayloadType::IDENTIFICATION) == 1 && payloads.count(PayloadType::HASH) == 1;
    let hash = payloads.hash()?;
    let identity = payloads.identities().next()?;
    (only && equal(hash, &expected(body))).then(|| Identity::from(&identity.id))
}

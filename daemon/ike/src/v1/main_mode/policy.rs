//! Phase 1 proposals: what we offer, what we choose, and what we accept as the peer's choice
//! (RFC 2409 5 and appendix A).

use crate::algorithm::{Authentication, Encryption, Hash};
use crate::cause::{Cause, Phase, PolicyField};
use crate::config::IsakmpPolicy;
use crate::crypto::Group;
use crate::offer::PolicyOffer;
use crate::registry::{
    AuthenticationMethod, EncryptionAlgorithm, GroupNumber, HashAlgorithm, IkeAttribute,
    IsakmpTransformId, LifeType, ProtocolId,
};
use crate::status::AgreedPolicy;
use crate::v1::lifetime::LifeReader;
use crate::wire::v1::{Attribute, Proposal, SecurityAssociation, Transform};

/// The responder's choice.
pub(crate) struct Choice {
    /// What both sides will use
    pub(crate) policy: AgreedPolicy,
    /// The SA payload of message 2: the chosen transform as it came
    pub(crate) answer: SecurityAssociation,
}

/// The policies that can be used at all: a pre-shared key and a group we can compute in.
pub(crate) fn usable(policies: &[IsakmpPolicy]) -> Vec<IsakmpPolicy> {
    policies
        .iter()
        .filter(|policy| {
            policy.authentication == Authentication::PreShared
                && Group::from_number(policy.group).is_some()
        })
        .cloned()
        .collect()
}

/// The SA payload of message 1: one proposal, one transform a policy, in order of priority.
pub(crate) fn build(policies: &[IsakmpPolicy]) -> SecurityAssociation {
    let transforms = policies
        .iter()
        .take(usize::from(u8::MAX))
        .zip(1..)
        .map(|(policy, number)| Transform {
            number,
            id: IsakmpTransformId::KEY_IKE.0,
            attributes: attributes(policy),
        })
        .collect();
    SecurityAssociation::new(vec![Proposal {
        number: 1,
        protocol: ProtocolId::ISAKMP,
        spi: Vec::new(),
        transforms,
    }])
}

fn attributes(policy: &IsakmpPolicy) -> Vec<Attribute> {
    let (encryption, key_length) = encryption_number(policy.encryption);
    let mut list = vec![Attribute::basic(IkeAttribute::ENCRYPTION.0, encryption.0)];
    if let Some(bits) = key_length {
        list.push(Attribute::basic(IkeAttribute::KEY_LENGTH.0, bits));
    }
    list.push(Attribute::basic(
        IkeAttribute::HASH.0,
        hash_number(policy.hash).0,
    ));
    list.push(Attribute::basic(IkeAttribute::GROUP.0, policy.group.0));
    let method = authentication_number(policy.authentication);
    list.push(Attribute::basic(IkeAttribute::AUTHENTICATION.0, method.0));
    list.push(Attribute::basic(
        IkeAttribute::LIFE_TYPE.0,
        LifeType::SECONDS.0,
    ));
    list.push(Attribute::variable(
        IkeAttribute::LIFE_DURATION.0,
        policy.lifetime.to_be_bytes(),
    ));
    list
}

fn encryption_number(encryption: Encryption) -> (EncryptionAlgorithm, Option<u16>) {
    match encryption {
        Encryption::Des => (EncryptionAlgorithm::DES_CBC, None),
        Encryption::TripleDes => (EncryptionAlgorithm::TRIPLE_DES_CBC, None),
        Encryption::Aes128 => (EncryptionAlgorithm::AES_CBC, Some(128)),
        Encryption::Aes192 => (EncryptionAlgorithm::AES_CBC, Some(192)),
        Encryption::Aes256 => (EncryptionAlgorithm::AES_CBC, Some(256)),
    }
}

fn hash_number(hash: Hash) -> HashAlgorithm {
    match hash {
        Hash::Md5 => HashAlgorithm::MD5,
        Hash::Sha1 => HashAlgorithm::SHA1,
        Hash::Sha256 => HashAlgorithm::SHA2_256,
        Hash::Sha384 => HashAlgorithm::SHA2_384,
        Hash::Sha512 => HashAlgorithm::SHA2_512,
    }
}

fn authentication_number(method: Authentication) -> AuthenticationMethod {
    match method {
        Authentication::PreShared => AuthenticationMethod::PRE_SHARED_KEY,
        Authentication::RsaSignature => AuthenticationMethod::RSA_SIGNATURE,
        Authentication::RsaEncryption => AuthenticationMethod::RSA_ENCRYPTION,
    }
}

/// What a transform offers; none when it has an attribute that we do not know or a value that is no
/// number, so that it cannot be accepted (RFC 2408 4.2).
fn read(transform: &Transform) -> (PolicyOffer, bool) {
    let mut offer = PolicyOffer {
        number: transform.number,
        ..PolicyOffer::default()
    };
    let mut life = LifeReader::default();
    let mut known = transform.id == IsakmpTransformId::KEY_IKE.0;
    for attribute in &transform.attributes {
        let Some(value) = attribute.as_number() else {
            known = false;
            continue;
        };
        let short = u16::try_from(value).ok();
        match IkeAttribute(attribute.class) {
            IkeAttribute::LIFE_TYPE => life.kind(value),
            IkeAttribute::LIFE_DURATION => life.duration(value),
            IkeAttribute::ENCRYPTION => offer.encryption = short.map(EncryptionAlgorithm),
            IkeAttribute::KEY_LENGTH => offer.key_length = short,
            IkeAttribute::HASH => offer.hash = short.map(HashAlgorithm),
            IkeAttribute::AUTHENTICATION => {
                offer.authentication = short.map(AuthenticationMethod);
            }
            IkeAttribute::GROUP => offer.group = short.map(GroupNumber),
            _ => known = false,
        }
        known &= short.is_some() || IkeAttribute(attribute.class) == IkeAttribute::LIFE_DURATION;
    }
    (offer.seconds, offer.kilobytes) = (life.seconds, life.kilobytes);
    (offer, known)
}

/// The fields in which an offer and a policy differ, the most telling first.
fn differences(offer: &PolicyOffer, policy: &IsakmpPolicy) -> Vec<PolicyField> {
    let (encryption, key_length) = encryption_number(policy.encryption);
    let same_encryption = offer.encryption == Some(encryption)
        && (offer.key_length == key_length
            || (offer.key_length.is_none() && key_length == Some(128)));
    [
        (same_encryption, PolicyField::Encryption),
        (
            offer.hash == Some(hash_number(policy.hash)),
            PolicyField::Hash,
        ),
        (
            offer.authentication == Some(authentication_number(policy.authentication)),
            PolicyField::Authentication,
        ),
        (offer.group == Some(policy.group), PolicyField::Group),
        (
            offer
                .seconds
                .is_none_or(|seconds| (1..=policy.lifetime).contains(&seconds)),
            PolicyField::Lifetime,
        ),
    ]
    .into_iter()
    .filter_map(|(same, field)| (!same).then_some(field))
    .collect()
}

fn agreed(policy: &IsakmpPolicy, offer: &PolicyOffer) -> AgreedPolicy {
    AgreedPolicy {
        priority: policy.priority,
        encryption: policy.encryption,
        hash: policy.hash,
        authentication: policy.authentication,
        group: policy.group,
        lifetime: offer
            .seconds
            .unwrap_or(policy.lifetime)
            .min(policy.lifetime),
    }
}

/// The responder's choice: the initiator's order, the first transform that one of our policies
/// accepts. `compared` is told of every comparison.
pub(crate) fn choose(
    sa: &SecurityAssociation,
    policies: &[IsakmpPolicy],
    mut compared: impl FnMut(&PolicyOffer, u32, Option<PolicyField>),
) -> Result<Choice, Cause> {
    if policies.is_empty() {
        return Err(Cause::NoPolicy);
    }
    let mut offered = Vec::new();
    let mut closest: Option<(usize, PolicyOffer, &IsakmpPolicy, PolicyField)> = None;
    for proposal in sa
        .proposals
        .iter()
        .filter(|p| p.protocol == ProtocolId::ISAKMP)
    {
        for transform in &proposal.transforms {
            let (offer, known) = read(transform);
            for policy in policies {
                let differences = differences(&offer, policy);
                let first = differences.first().copied();
                compared(&offer, policy.priority, first);
                match first {
                    None if known => {
                        let answer = answer(proposal, transform);
                        return Ok(Choice {
                            policy: agreed(policy, &offer),
                            answer,
                        });
                    }
                    None => {}
                    Some(field) => {
                        let count = differences.len();
                        if closest.as_ref().is_none_or(|(least, ..)| count < *least) {
                            closest = Some((count, offer.clone(), policy, field));
                        }
                    }
                }
            }
            offered.push(offer);
        }
    }
    Err(match closest {
        Some((_, closest, policy, field)) => Cause::NoCommonPolicy {
            offered,
            closest: Box::new(closest),
            policy: policy.clone(),
            field,
        },
        None => Cause::NoCommonPolicy {
            closest: Box::new(offered.first().cloned().unwrap_or_default()),
            offered,
            policy: policies[0].clone(),
            field: PolicyField::Encryption,
        },
    })
}

fn answer(proposal: &Proposal, transform: &Transform) -> SecurityAssociation {
    SecurityAssociation::new(vec![Proposal {
        number: proposal.number,
        protocol: ProtocolId::ISAKMP,
        spi: Vec::new(),
        transforms: vec![transform.clone()],
    }])
}

/// The initiator's check of message 2: exactly one transform, and it is one of ours.
pub(crate) fn accept(
    sa: &SecurityAssociation,
    offered: &[IsakmpPolicy],
) -> Result<AgreedPolicy, Cause> {
    let refused = |chosen: String| Cause::ChoseWhatWasNotOffered {
        phase: Phase::One,
        chosen,
    };
    let [
        Proposal {
            protocol: ProtocolId::ISAKMP,
            transforms,
            ..
        },
    ] = sa.proposals.as_slice()
    else {
        return Err(refused(format!("{} proposals", sa.proposals.len())));
    };
    let [transform] = transforms.as_slice() else {
        return Err(refused(format!("{} transforms", transforms.len())));
    };
    let (offer, known) = read(transform);
    offered
        .iter()
        .find(|policy| known && differences(&offer, policy).is_empty())
        .map(|policy| agreed(policy, &offer))
        .ok_or_else(|| refused(offer.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(priority: u32, encryption: Encryption, hash: Hash, group: u16) -> IsakmpPolicy {
        IsakmpPolicy {
            priority,
            encryption,
            hash,
            authentication: Authentication::PreShared,
            group: GroupNumber(group),
            lifetime: 86_400,
        }
    }

    #[test]
    fn the_initiators_order_decides() {
        let weak = policy(20, Encryption::TripleDes, Hash::Sha1, 2);
        let strong = policy(10, Encryption::Aes256, Hash::Sha256, 14);
        let offered = build(&[weak.clone(), strong.clone()]);
        let choice = choose(&offered, &[strong.clone(), weak.clone()], |_, _, _| {})
            .ok()
            .unwrap();
        assert_eq!(choice.policy.priority, 20);
        let accepted = accept(&choice.answer, &[weak, strong]).unwrap();
        assert_eq!(accepted.encryption, Encryption::TripleDes);
    }

    #[test]
    fn the_cause_names_the_closest_policy() {
        let offered = build(&[policy(1, Encryption::Aes256, Hash::Sha1, 2)]);
        let far = policy(5, Encryption::Des, Hash::Md5, 1);
        let near = policy(10, Encryption::Aes256, Hash::Sha256, 14);
        let cause = choose(&offered, &[far, near], |_, _, _| {}).err().unwrap();
        assert_eq!(
            cause.to_string(),
            "peer offered aes-256/sha/group 2, local policy 10 asks aes-256/sha256/group 14"
        );
        assert_eq!(
            cause.line().unwrap().to_string(),
            "crypto isakmp policy 10, hash"
        );
    }

    #[test]
    fn a_longer_lifetime_is_refused_and_a_shorter_one_taken() {
        let mut ours = policy(10, Encryption::Aes256, Hash::Sha256, 14);
        ours.lifetime = 3600;
        let mut theirs = ours.clone();
        theirs.lifetime = 7200;
        let cause = choose(&build(&[theirs.clone()]), &[ours.clone()], |_, _, _| {})
            .err()
            .unwrap();
        assert_eq!(
            cause.line().unwrap().to_string(),
            "crypto isakmp policy 10, lifetime"
        );
        theirs.lifetime = 600;
        let choice = choose(&build(&[theirs]), &[ours], |_, _, _| {})
            .ok()
            .unwrap();
        assert_eq!(choice.policy.lifetime, 600);
    }

    #[test]
    fn attribute_order_and_form_do_not_matter_and_unknown_ones_skip_the_transform() {
        let ours = policy(10, Encryption::Aes256, Hash::Sha256, 14);
        let mut sa = build(std::slice::from_ref(&ours));
        let attributes = &mut sa.proposals[0].transforms[0].attributes;
        attributes.reverse();
        attributes[0] =
            Attribute::variable(IkeAttribute::LIFE_DURATION.0, [0, 0, 0, 0, 0, 0, 14, 16]);
        let choice = choose(&sa, std::slice::from_ref(&ours), |_, _, _| {})
            .ok()
            .unwrap();
        assert_eq!(choice.policy.lifetime, 3600);
        sa.proposals[0].transforms[0]
            .attributes
            .push(Attribute::basic(99, 1));
        assert!(choose(&sa, &[ours], |_, _, _| {}).is_err());
    }
}

//! Phase 2 proposals: what we offer, what we choose, and what we accept as the peer's choice
//! (RFC 2407 4.5, RFC 2408 4.2).

use crate::algorithm::{EspCipher, Integrity, IpsecProtocol, Mode};
use crate::child::OwnSpis;
use crate::config::TransformSet;
use crate::event::ChildDifference;
use crate::offer::{ChildOffer, ProtocolOffer};
use crate::registry::{
    AhTransformId, AuthenticationAlgorithm, EncapsulationMode, EspTransformId, GroupNumber,
    IpsecAttribute, LifeType, ProtocolId,
};
use crate::v1::lifetime::LifeReader;
use crate::wire::v1::{Attribute, Proposal, SecurityAssociation, Transform};

/// Most combinations of transforms looked at in one proposal number.
const MAX_COMBINATIONS: usize = 1024;

/// What is offered besides the transforms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Lifetime in seconds
    pub(crate) seconds: u32,
    /// Lifetime in kilobytes
    pub(crate) kilobytes: Option<u32>,
    /// PFS group
    pub(crate) pfs: Option<GroupNumber>,
}

/// One protocol of an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AgreedProtocol {
    pub(crate) protocol: IpsecProtocol,
    /// The SPI that the peer chose
    pub(crate) peer_spi: u32,
    pub(crate) cipher: Option<EspCipher>,
    pub(crate) integrity: Option<Integrity>,
}

/// What both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// Our transform set it came from
    pub(crate) set: TransformSet,
    pub(crate) mode: Mode,
    /// ESP before AH
    pub(crate) protocols: Vec<AgreedProtocol>,
    pub(crate) pfs: Option<GroupNumber>,
    /// As the peer's payload says
    pub(crate) seconds: Option<u32>,
    pub(crate) kilobytes: Option<u32>,
    /// The chosen proposals as they came, for the answer
    chosen: Vec<(ProtocolId, u8, Transform)>,
}

impl Agreement {
    /// The SA payload of the responder's message: the chosen transforms as they came, our SPIs.
    pub(crate) fn answer(&self, own: OwnSpis) -> SecurityAssociation {
        let proposals = self
            .chosen
            .iter()
            .map(|(protocol, number, transform)| Proposal {
                number: *number,
                protocol: *protocol,
                spi: own.of(*protocol).to_be_bytes().to_vec(),
                transforms: vec![transform.clone()],
            });
        SecurityAssociation::new(proposals.collect())
    }
}

/// The transform sets as they can be offered for a flow: transport only between the peers
/// themselves, else tunnel, or not at all when transport is required.
pub(crate) fn effective(sets: &[TransformSet], host_to_host: bool) -> Vec<TransformSet> {
    sets.iter()
        .filter(|set| host_to_host || !(set.mode == Mode::Transport && set.require_transport))
        .filter(|set| set.esp.is_none_or(|esp| esp.cipher != EspCipher::Seal))
        .filter(|set| set.ah.is_some() || set.esp.is_some())
        .map(|set| {
            let mode = if host_to_host { set.mode } else { Mode::Tunnel };
            TransformSet {
                mode,
                ..set.clone()
            }
        })
        .collect()
}

/// The SA payload of the first message: one proposal number a transform set.
pub(crate) fn build(sets: &[TransformSet], terms: Terms, own: OwnSpis) -> SecurityAssociation {
    let mut proposals = Vec::new();
    for (set, number) in sets.iter().zip(1..=u8::MAX) {
        for (protocol, id, specific) in wire_transforms(set) {
            let mut attributes = shared_attributes(set.mode, terms);
            attributes.extend(specific);
            if let Some(group) = terms.pfs {
                attributes.push(Attribute::basic(IpsecAttribute::GROUP.0, group.0));
            }
            proposals.push(Proposal {
                number,
                protocol,
                spi: own.of(protocol).to_be_bytes().to_vec(),
                transforms: vec![Transform {
                    number: 1,
                    id,
                    attributes,
                }],
            });
        }
    }
    SecurityAssociation::new(proposals)
}

fn shared_attributes(mode: Mode, terms: Terms) -> Vec<Attribute> {
    let encapsulation = match mode {
        Mode::Tunnel => EncapsulationMode::TUNNEL,
        Mode::Transport => EncapsulationMode::TRANSPORT,
    };
    let mut list = vec![Attribute::basic(
        IpsecAttribute::ENCAPSULATION.0,
        encapsulation.0,
    )];
    list.extend(lifetime_attributes(Some(terms.seconds), terms.kilobytes));
    list
}

/// The attributes of a lifetime, in a proposal and in RESPONDER-LIFETIME.
pub(crate) fn lifetime_attributes(seconds: Option<u32>, kilobytes: Option<u32>) -> Vec<Attribute> {
    let mut list = Vec::new();
    for (kind, value) in [
        (LifeType::SECONDS, seconds),
        (LifeType::KILOBYTES, kilobytes),
    ] {
        if let Some(value) = value {
            list.push(Attribute::basic(IpsecAttribute::LIFE_TYPE.0, kind.0));
            list.push(Attribute::number(IpsecAttribute::LIFE_DURATION.0, value));
        }
    }
    list
}

/// Seconds and kilobytes of a list of attributes.
pub(crate) fn read_lifetime(attributes: &[Attribute]) -> (Option<u32>, Option<u32>) {
    let mut life = LifeReader::default();
    for attribute in attributes {
        match (IpsecAttribute(attribute.class), attribute.as_number()) {
            (IpsecAttribute::LIFE_TYPE, Some(value)) => life.kind(value),
            (IpsecAttribute::LIFE_DURATION, Some(value)) => life.duration(value),
            _ => {}
        }
    }
    (life.seconds, life.kilobytes)
}

/// Each protocol of a set as (protocol, transform id, attributes of its own), AH first as IOS does.
fn wire_transforms(set: &TransformSet) -> Vec<(ProtocolId, u8, Vec<Attribute>)> {
    let authentication = |integrity| {
        Attribute::basic(
            IpsecAttribute::AUTHENTICATION.0,
            integrity_number(integrity).0,
        )
    };
    let mut list = Vec::new();
    if let Some(integrity) = set.ah {
        let id = ah_number(integrity).0;
        list.push((ProtocolId::AH, id, vec![authentication(integrity)]));
    }
    if let Some(esp) = set.esp {
        let mut attributes: Vec<_> = esp.integrity.into_iter().map(authentication).collect();
        if let Some(bits) = esp.cipher.key_length_bits() {
            attributes.push(Attribute::basic(IpsecAttribute::KEY_LENGTH.0, bits));
        }
        list.push((ProtocolId::ESP, cipher_number(esp.cipher).0, attributes));
    }
    list
}

fn ah_number(integrity: Integrity) -> AhTransformId {
    match integrity {
        Integrity::HmacMd5 => AhTransformId::MD5,
        Integrity::HmacSha1 => AhTransformId::SHA,
        Integrity::HmacSha256 => AhTransformId::SHA2_256,
        Integrity::HmacSha384 => AhTransformId::SHA2_384,
        Integrity::HmacSha512 => AhTransformId::SHA2_512,
    }
}

fn integrity_number(integrity: Integrity) -> AuthenticationAlgorithm {
    match integrity {
        Integrity::HmacMd5 => AuthenticationAlgorithm::HMAC_MD5,
        Integrity::HmacSha1 => AuthenticationAlgorithm::HMAC_SHA,
        Integrity::HmacSha256 => AuthenticationAlgorithm::HMAC_SHA2_256,
        Integrity::HmacSha384 => AuthenticationAlgorithm::HMAC_SHA2_384,
        Integrity::HmacSha512 => AuthenticationAlgorithm::HMAC_SHA2_512,
    }
}

fn cipher_number(cipher: EspCipher) -> EspTransformId {
    match cipher {
        EspCipher::Null => EspTransformId::NULL,
        EspCipher::Des => EspTransformId::DES,
        EspCipher::TripleDes => EspTransformId::TRIPLE_DES,
        EspCipher::Seal => EspTransformId::SEED_CBC,
        EspCipher::Aes128 | EspCipher::Aes192 | EspCipher::Aes256 => EspTransformId::AES_CBC,
        EspCipher::AesGcm128 | EspCipher::AesGcm192 | EspCipher::AesGcm256 => {
            EspTransformId::AES_GCM_16
        }
        EspCipher::AesGmac128 | EspCipher::AesGmac192 | EspCipher::AesGmac256 => {
            EspTransformId::NULL_AUTH_AES_GMAC
        }
    }
}

/// What one transform offers, and whether all of it is known.
fn read(protocol: ProtocolId, transform: &Transform) -> (ProtocolOffer, bool) {
    let mut known = true;
    let mut offer = ProtocolOffer {
        protocol,
        number: transform.number,
        transform: transform.id,
        encapsulation: None,
        authentication: None,
        key_length: None,
        group: None,
        seconds: None,
        kilobytes: None,
    };
    for attribute in &transform.attributes {
        let class = IpsecAttribute(attribute.class);
        let Some(value) = attribute.as_number() else {
            known = false;
            continue;
        };
        let short = u16::try_from(value).ok();
        match class {
            IpsecAttribute::LIFE_TYPE | IpsecAttribute::LIFE_DURATION => continue,
            IpsecAttribute::ENCAPSULATION => offer.encapsulation = short.map(EncapsulationMode),
            IpsecAttribute::AUTHENTICATION => {
                offer.authentication = short.map(AuthenticationAlgorithm);
            }
            IpsecAttribute::KEY_LENGTH => offer.key_length = short,
            IpsecAttribute::GROUP => offer.group = short.map(GroupNumber),
            _ => known = false,
        }
        known &= short.is_some();
    }
    (offer.seconds, offer.kilobytes) = read_lifetime(&transform.attributes);
    (offer, known)
}

/// One choice of a transform for each protocol of a proposal number.
struct Combination<'a> {
    offer: ChildOffer,
    known: bool,
    parts: Vec<(&'a Proposal, &'a Transform)>,
}

/// Every combination a peer offers, in its order (RFC 2408 4.2: equal numbers are a logical and).
fn combinations(sa: &SecurityAssociation) -> Vec<Combination<'_>> {
    let mut numbers = Vec::new();
    for proposal in &sa.proposals {
        if !numbers.contains(&proposal.number) {
            numbers.push(proposal.number);
        }
    }
    let mut list = Vec::new();
    for number in numbers {
        let together: Vec<_> = sa.proposals.iter().filter(|p| p.number == number).collect();
        let mut partial: Vec<Vec<(&Proposal, &Transform)>> = vec![Vec::new()];
        for proposal in together {
            let grown = partial.iter().flat_map(|parts| {
                proposal.transforms.iter().map(|transform| {
                    let mut parts = parts.clone();
                    parts.push((proposal, transform));
                    parts
                })
            });
            partial = grown.take(MAX_COMBINATIONS).collect();
        }
        list.extend(partial.into_iter().map(|parts| combination(number, parts)));
    }
    list
}

fn combination<'a>(number: u8, parts: Vec<(&'a Proposal, &'a Transform)>) -> Combination<'a> {
    let mut known = true;
    let protocols = parts
        .iter()
        .map(|(proposal, transform)| {
            let (offer, all_known) = read(proposal.protocol, transform);
            known &= all_known && peer_spi(proposal).is_some();
            offer
        })
        .collect();
    Combination {
        offer: ChildOffer { number, protocols },
        known,
        parts,
    }
}

/// The peer's SPI; none when it is no SPI at all or a reserved one (RFC 4303 2.1).
fn peer_spi(proposal: &Proposal) -> Option<u32> {
    let bytes: [u8; 4] = proposal.spi.as_slice().try_into().ok()?;
    Some(u32::from_be_bytes(bytes)).filter(|spi| *spi >= 256)
}

/// Where an offer and a set differ, PFS aside.
fn difference(offer: &ChildOffer, set: &TransformSet) -> Option<ChildDifference> {
    let wanted = wire_transforms(set);
    if offer.protocols.len() != wanted.len() {
        return Some(ChildDifference::Protocols);
    }
    for (protocol, id, _) in &wanted {
        let Some(part) = offer
            .protocols
            .iter()
            .find(|part| part.protocol == *protocol)
        else {
            return Some(ChildDifference::Protocols);
        };
        let (integrity, bits) = match *protocol {
            ProtocolId::AH => (set.ah, None),
            _ => (
                set.esp.and_then(|esp| esp.integrity),
                set.esp.and_then(|esp| esp.cipher.key_length_bits()),
            ),
        };
        if part.transform != *id {
            return Some(match *protocol {
                ProtocolId::AH => ChildDifference::Integrity,
                _ => ChildDifference::Cipher,
            });
        }
        let default_bits = part.key_length.is_none() && bits == Some(128);
        if part.key_length != bits && !default_bits {
            return Some(ChildDifference::KeyLength);
        }
        if part.authentication != integrity.map(integrity_number) {
            return Some(ChildDifference::Integrity);
        }
        if !mode_fits(part.encapsulation, set) {
            return Some(ChildDifference::Mode);
        }
    }
    let mut modes = offer.protocols.iter().map(|part| part.encapsulation);
    let first = modes.next();
    modes
        .any(|mode| Some(mode) != first)
        .then_some(ChildDifference::Mode)
}

/// Tunnel accepts tunnel; transport accepts both unless it is required.
fn mode_fits(offered: Option<EncapsulationMode>, set: &TransformSet) -> bool {
    match offered {
        None | Some(EncapsulationMode::TUNNEL) => {
            set.mode == Mode::Tunnel || !set.require_transport
        }
        Some(EncapsulationMode::TRANSPORT) => set.mode == Mode::Transport,
        Some(_) => false,
    }
}

fn agreement(combination: &Combination<'_>, set: &TransformSet) -> Agreement {
    let offers = &combination.offer.protocols;
    let mode = match offers.first().and_then(|part| part.encapsulation) {
        Some(EncapsulationMode::TRANSPORT) => Mode::Transport,
        _ => Mode::Tunnel,
    };
    let spi = |protocol: ProtocolId| {
        let part = combination
            .parts
            .iter()
            .find(|(p, _)| p.protocol == protocol);
        part.and_then(|(proposal, _)| peer_spi(proposal))
            .unwrap_or_default()
    };
    let mut protocols = Vec::new();
    if let Some(esp) = set.esp {
        protocols.push(AgreedProtocol {
            protocol: IpsecProtocol::Esp,
            peer_spi: spi(ProtocolId::ESP),
            cipher: Some(esp.cipher),
            integrity: esp.integrity,
        });
    }
    if let Some(integrity) = set.ah {
        protocols.push(AgreedProtocol {
            protocol: IpsecProtocol::Ah,
            peer_spi: spi(ProtocolId::AH),
            cipher: None,
            integrity: Some(integrity),
        });
    }
    Agreement {
        set: set.clone(),
        mode,
        protocols,
        pfs: offers.first().and_then(|part| part.group),
        seconds: offers.iter().filter_map(|part| part.seconds).min(),
        kilobytes: offers.iter().filter_map(|part| part.kilobytes).min(),
        chosen: combination
            .parts
            .iter()
            .map(|(proposal, transform)| (proposal.protocol, proposal.number, (*transform).clone()))
            .collect(),
    }
}

/// Why no proposal was chosen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoChoice {
    /// No transform set fits
    Transforms(Vec<ChildOffer>),
    /// One fits, but for the group that the peer offers for PFS
    Pfs(Option<GroupNumber>),
}

/// The responder's choice: the initiator's order, the first proposal that one of our sets accepts.
/// `pfs_fits` judges the offered group; `compared` is told of every comparison.
pub(crate) fn choose(
    sa: &SecurityAssociation,
    sets: &[TransformSet],
    pfs_fits: impl Fn(Option<GroupNumber>) -> bool,
    mut compared: impl FnMut(&ChildOffer, &TransformSet, Option<ChildDifference>),
) -> Result<Agreement, NoChoice> {
    let combinations = combinations(sa);
    let mut wrong_group = None;
    for combination in &combinations {
        let groups = combination.offer.protocols.iter().map(|part| part.group);
        let group = groups.clone().next().flatten();
        let one_group = groups.clone().all(|other| other == group);
        for set in sets {
            let mut differs = difference(&combination.offer, set);
            if differs.is_none() && !combination.known {
                differs = Some(ChildDifference::UnknownAttribute);
            }
            if differs.is_none() && !(one_group && pfs_fits(group)) {
                wrong_group.get_or_insert(group);
                differs = Some(ChildDifference::Pfs);
            }
            compared(&combination.offer, set, differs);
            if differs.is_none() {
                return Ok(agreement(combination, set));
            }
        }
    }
    Err(match wrong_group {
        Some(group) => NoChoice::Pfs(group),
        None => NoChoice::Transforms(combinations.into_iter().map(|c| c.offer).collect()),
    })
}

/// The initiator's check of the answer: one proposal number, one transform a protocol, as offered.
/// In error, what was chosen instead.
pub(crate) fn accept(
    sa: &SecurityAssociation,
    offered: &[TransformSet],
    pfs: Option<GroupNumber>,
) -> Result<Agreement, String> {
    let combinations = combinations(sa);
    let [only] = combinations.as_slice() else {
        return Err(format!("{} transforms", combinations.len()));
    };
    let groups_fit = only.offer.protocols.iter().all(|part| part.group == pfs);
    let modes_fit = |set: &TransformSet| {
        only.offer.protocols.iter().all(|part| match set.mode {
            Mode::Tunnel => part.encapsulation != Some(EncapsulationMode::TRANSPORT),
            Mode::Transport => part.encapsulation == Some(EncapsulationMode::TRANSPORT),
        })
    };
    offered
        .iter()
        .find(|set| {
            only.known && groups_fit && modes_fit(set) && difference(&only.offer, set).is_none()
        })
        .map(|set| agreement(only, set))
        .ok_or_else(|| only.offer.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EspTransform;

    const SPIS: OwnSpis = OwnSpis {
        ah: 0x1111_1111,
        esp: 0x2222_2222,
    };
    const TERMS: Terms = Terms {
        seconds: 3600,
        kilobytes: Some(4_608_000),
        pfs: None,
    };

    fn set(name: &str, ah: Option<Integrity>, esp: Option<EspCipher>) -> TransformSet {
        let integrity = Some(Integrity::HmacSha256);
        TransformSet {
            name: name.into(),
            ah,
            esp: esp.map(|cipher| EspTransform { cipher, integrity }),
            mode: Mode::Tunnel,
            require_transport: false,
        }
    }

    fn chosen(sa: &SecurityAssociation, sets: &[TransformSet]) -> Option<Agreement> {
        choose(sa, sets, |_| true, |_, _, _| {}).ok()
    }

    #[test]
    fn equal_proposal_numbers_belong_together() {
        let both = set("B", Some(Integrity::HmacSha1), Some(EspCipher::Aes256));
        let esp = set("E", None, Some(EspCipher::Aes256));
        let sa = build(&[both.clone(), esp.clone()], TERMS, SPIS);
        let numbers: Vec<_> = sa
            .proposals
            .iter()
            .map(|p| (p.number, p.protocol))
            .collect();
        assert_eq!(
            numbers,
            [
                (1, ProtocolId::AH),
                (1, ProtocolId::ESP),
                (2, ProtocolId::ESP)
            ]
        );
        // ESP alone is not what proposal 1 says.
        let agreement = chosen(&sa, std::slice::from_ref(&esp)).unwrap();
        assert_eq!(agreement.protocols.len(), 1);
        assert_eq!(agreement.chosen[0].1, 2);
        let agreement = chosen(&sa, &[esp, both.clone()]).unwrap();
        let spis: Vec<_> = agreement.protocols.iter().map(|p| p.peer_spi).collect();
        assert_eq!(spis, [SPIS.esp, SPIS.ah]);
        let answer = agreement.answer(OwnSpis { ah: 400, esp: 500 });
        let accepted = accept(&answer, &[both], None).unwrap();
        assert_eq!(accepted.protocols[0].peer_spi, 500);
    }

    #[test]
    fn what_is_unknown_is_skipped() {
        let ours = set("E", None, Some(EspCipher::Aes256));
        let mut sa = build(std::slice::from_ref(&ours), TERMS, SPIS);
        let good = sa.proposals[0].transforms[0].clone();
        let mut strange = good.clone();
        strange.attributes.push(Attribute::basic(32_001, 1));
        let other = Transform {
            id: 99,
            ..good.clone()
        };
        sa.proposals[0].transforms = vec![strange.clone(), other];
        assert!(chosen(&sa, std::slice::from_ref(&ours)).is_none());
        let mut ipcomp = sa.proposals[0].clone();
        (ipcomp.protocol, ipcomp.number) = (ProtocolId::IPCOMP, 0);
        sa.proposals.insert(0, ipcomp);
        sa.proposals[1]
            .transforms
            .push(Transform { number: 7, ..good });
        let agreement = chosen(&sa, std::slice::from_ref(&ours)).unwrap();
        assert_eq!(agreement.chosen[0].2.number, 7);
    }

    #[test]
    fn reserved_and_odd_spis_are_refused() {
        let ours = set("E", None, Some(EspCipher::Aes256));
        for spi in [
            vec![],
            vec![0, 0, 0, 0],
            vec![0, 0, 0, 255],
            vec![1, 2, 3, 4, 5],
        ] {
            let mut sa = build(std::slice::from_ref(&ours), TERMS, SPIS);
            sa.proposals[0].spi = spi;
            assert!(chosen(&sa, std::slice::from_ref(&ours)).is_none());
        }
    }

    #[test]
    fn the_answer_must_be_what_was_offered() {
        let ours = [set("E", None, Some(EspCipher::Aes256))];
        let theirs = build(&[set("X", None, Some(EspCipher::Aes128))], TERMS, SPIS);
        assert!(accept(&theirs, &ours, None).is_err());
        let with_group = Terms {
            pfs: Some(GroupNumber(14)),
            ..TERMS
        };
        assert!(accept(&build(&ours, with_group, SPIS), &ours, None).is_err());
        assert!(accept(&build(&ours, TERMS, SPIS), &ours, Some(GroupNumber(14))).is_err());
        let mut two = build(&ours, TERMS, SPIS);
        let again = two.proposals[0].transforms[0].clone();
        two.proposals[0].transforms.push(again);
        assert!(accept(&two, &ours, None).is_err());
        assert!(accept(&SecurityAssociation::new(Vec::new()), &ours, None).is_err());
    }

    #[test]
    fn combinations_are_bounded() {
        let ours = set("B", Some(Integrity::HmacSha1), Some(EspCipher::Aes256));
        let mut sa = build(std::slice::from_ref(&ours), TERMS, SPIS);
        for proposal in &mut sa.proposals {
            let one = Transform {
                id: 99,
                ..proposal.transforms[0].clone()
            };
            proposal.transforms = vec![one; 255];
        }
        sa.proposals = std::iter::repeat_n(sa.proposals, 32).flatten().collect();
        assert!(chosen(&sa, &[ours]).is_none());
    }
}

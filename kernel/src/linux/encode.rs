//! Our SAs and policies → XFRM netlink messages (`linux/xfrm.h`).

use std::net::IpAddr;

use netlink_packet_core::Emitable;
use netlink_packet_xfrm::constants as c;
use netlink_packet_xfrm::{
    Address, EncapTmpl, Id, LifetimeConfig, ReplayEsn, Selector as KernelSelector, UserPolicyId,
    UserPolicyInfo, UserSaId, UserSaInfo, UserSpiInfo, UserTemplate,
};

use super::frame::Frame;
use crate::{
    Action, Authentication, DfBit, Direction, Encryption, IpsecMode, IpsecProtocol, Level,
    Lifetime, PolicyKey, PolicySpec, Reqid, SaId, SaSpec, Selector, Template,
};

/// Longest replay window that fits the old structure.
const SMALL_WINDOW: u32 = 32;

/// Room for an SA's attributes: two algorithms of at most 140 bytes, the largest window's 536, encapsulation's 28.
const SA_ROOM: usize = 1024;

pub(crate) const fn family(address: &IpAddr) -> u16 {
    if address.is_ipv4() {
        c::AF_INET
    } else {
        c::AF_INET6
    }
}

const fn mode(mode: IpsecMode) -> u8 {
    match mode {
        IpsecMode::Transport => c::XFRM_MODE_TRANSPORT,
        IpsecMode::Tunnel => c::XFRM_MODE_TUNNEL,
    }
}

pub(crate) fn selector(s: &Selector, interface: u32) -> KernelSelector {
    let s = s.normalised();
    KernelSelector {
        saddr: Address::from_ip(&s.source.addr()),
        prefixlen_s: s.source.prefix_len(),
        daddr: Address::from_ip(&s.destination.addr()),
        prefixlen_d: s.destination.prefix_len(),
        family: family(&s.source.addr()),
        proto: s.protocol,
        sport: s.source_port.value,
        sport_mask: s.source_port.mask,
        dport: s.destination_port.value,
        dport_mask: s.destination_port.mask,
        ifindex: interface as i32,
        ..KernelSelector::default()
    }
}

fn lifetime(l: &Lifetime) -> LifetimeConfig {
    LifetimeConfig {
        soft_byte_limit: l.soft_bytes.unwrap_or(c::XFRM_INF),
        hard_byte_limit: l.hard_bytes.unwrap_or(c::XFRM_INF),
        soft_add_expires_seconds: l.soft_seconds.unwrap_or(0),
        hard_add_expires_seconds: l.hard_seconds.unwrap_or(0),
        ..LifetimeConfig::default()
    }
}

fn sa_head(sa: &SaSpec) -> UserSaInfo {
    let mut flags = 0;
    let tunnel = sa.mode == IpsecMode::Tunnel;
    for (on, flag) in [
        (
            sa.df_bit == DfBit::Clear && tunnel,
            c::XFRM_STATE_NOPMTUDISC,
        ),
        (!sa.ecn, c::XFRM_STATE_NOECN),
        (sa.esn, c::XFRM_STATE_ESN),
        // lets one tunnel carry packets of either family
        (tunnel && sa.selector.is_none(), c::XFRM_STATE_AF_UNSPEC),
        // RFC 4302 3.3.3.2.1: over IPv4 the ICV is padded to 4 bytes; Linux alone would take 8
        (
            sa.protocol == IpsecProtocol::Ah && sa.destination.is_ipv4(),
            c::XFRM_STATE_ALIGN4,
        ),
    ] {
        if on {
            flags |= flag;
        }
    }
    UserSaInfo {
        selector: match &sa.selector {
            Some(s) => selector(s, 0),
            // transport mode needs a family, all else zero matches everything
            None if !tunnel => KernelSelector {
                family: family(&sa.destination),
                ..KernelSelector::default()
            },
            None => KernelSelector::default(),
        },
        id: Id {
            daddr: Address::from_ip(&sa.destination),
            spi: sa.spi,
            proto: sa.protocol.number(),
        },
        saddr: Address::from_ip(&sa.source),
        lifetime_cfg: lifetime(&sa.lifetime),
        reqid: sa.reqid.get(),
        family: family(&sa.destination),
        mode: mode(sa.mode),
        replay_window: if big_window(sa) {
            0
        } else {
            sa.replay_window as u8
        },
        flags,
        ..UserSaInfo::default()
    }
}

const fn big_window(sa: &SaSpec) -> bool {
    sa.esn || sa.replay_window > SMALL_WINDOW
}

/// XFRM_MSG_NEWSA. The spec must have passed [`SaSpec::check`].
pub(super) fn add_sa(sa: &SaSpec) -> Frame {
    let mut frame = Frame::with_room(c::XFRM_MSG_NEWSA, &sa_head(sa), SA_ROOM);
    if let Some(e) = &sa.encryption {
        let (name, kind) = cipher(e);
        let bits = (e.key().len() as u32 * 8).to_ne_bytes();
        frame = if kind == c::XFRMA_ALG_AEAD {
            frame.attribute(
                kind,
                &[&algorithm_name(name), &bits, &128u32.to_ne_bytes(), e.key()],
            )
        } else {
            frame.attribute(kind, &[&algorithm_name(name), &bits, e.key()])
        };
    }
    if let Some(a) = &sa.authentication {
        let (name, truncated) = hash(a);
        let bits = (a.key().len() as u32 * 8).to_ne_bytes();
        frame = frame.attribute(
            c::XFRMA_ALG_AUTH_TRUNC,
            &[
                &algorithm_name(name),
                &bits,
                &u32::to_ne_bytes(truncated),
                a.key(),
            ],
        );
    }
    if big_window(sa) {
        let words = sa.replay_window.div_ceil(32);
        let replay = ReplayEsn {
            bmp_len: words,
            replay_window: sa.replay_window,
            bmp: vec![0; words as usize],
            ..ReplayEsn::default()
        };
        frame = frame.structure(c::XFRMA_REPLAY_ESN_VAL, &replay);
    }
    if let Some(encap) = &sa.encapsulation {
        let template = EncapTmpl {
            encap_type: c::UDP_ENCAP_ESPINUDP,
            encap_sport: encap.source_port,
            encap_dport: encap.destination_port,
            ..EncapTmpl::default()
        };
        frame = frame.structure(c::XFRMA_ENCAP, &template);
    }
    frame
}

/// The kernel crypto API's name and the attribute it goes into.
const fn cipher(e: &Encryption) -> (&'static str, u16) {
    match e {
        Encryption::Null => ("ecb(cipher_null)", c::XFRMA_ALG_CRYPT),
        Encryption::Des(_) => ("cbc(des)", c::XFRMA_ALG_CRYPT),
        Encryption::TripleDes(_) => ("cbc(des3_ede)", c::XFRMA_ALG_CRYPT),
        Encryption::AesCbc(_) => ("cbc(aes)", c::XFRMA_ALG_CRYPT),
        Encryption::AesGcm16(_) => ("rfc4106(gcm(aes))", c::XFRMA_ALG_AEAD),
        Encryption::AesGmac(_) => ("rfc4543(gcm(aes))", c::XFRMA_ALG_AEAD),
    }
}

/// The kernel crypto API's name and the bits kept of the hash.
const fn hash(a: &Authentication) -> (&'static str, u32) {
    match a {
        Authentication::Md5_96(_) => ("hmac(md5)", 96),
        Authentication::Sha1_96(_) => ("hmac(sha1)", 96),
        Authentication::Sha256_128(_) => ("hmac(sha256)", 128),
        Authentication::Sha384_192(_) => ("hmac(sha384)", 192),
        Authentication::Sha512_256(_) => ("hmac(sha512)", 256),
    }
}

fn algorithm_name(name: &str) -> [u8; 64] {
    let mut field = [0; 64];
    field[..name.len()].copy_from_slice(name.as_bytes());
    field
}

fn sa_id(id: SaId) -> UserSaId {
    UserSaId {
        daddr: Address::from_ip(&id.destination),
        spi: id.spi,
        family: family(&id.destination),
        proto: id.protocol.number(),
    }
}

/// XFRM_MSG_DELSA.
pub(super) fn delete_sa(id: SaId) -> Frame {
    Frame::new(c::XFRM_MSG_DELSA, &sa_id(id))
}

/// XFRM_MSG_GETSA for one.
pub(super) fn get_sa(id: SaId) -> Frame {
    Frame::new(c::XFRM_MSG_GETSA, &sa_id(id))
}

/// XFRM_MSG_ALLOCSPI, which gives a pending acquire an SPI by which it can be deleted.
pub(super) fn name_acquire(
    source: IpAddr,
    destination: IpAddr,
    protocol: IpsecProtocol,
    m: IpsecMode,
    reqid: Reqid,
) -> Frame {
    let info = UserSaInfo {
        id: Id {
            daddr: Address::from_ip(&destination),
            spi: 0,
            proto: protocol.number(),
        },
        saddr: Address::from_ip(&source),
        reqid: reqid.get(),
        family: family(&destination),
        mode: mode(m),
        ..UserSaInfo::default()
    };
    Frame::new(
        c::XFRM_MSG_ALLOCSPI,
        &UserSpiInfo {
            info,
            min: 0x100,
            max: u32::MAX,
        },
    )
}

const fn direction(d: Direction) -> u8 {
    match d {
        Direction::In => c::XFRM_POLICY_IN,
        Direction::Out => c::XFRM_POLICY_OUT,
        Direction::Fwd => c::XFRM_POLICY_FWD,
    }
}

fn template(t: &Template, selected: u16) -> UserTemplate {
    let any = t.source.is_unspecified() && t.destination.is_unspecified();
    UserTemplate {
        id: Id {
            daddr: Address::from_ip(&t.destination),
            spi: 0,
            proto: t.protocol.number(),
        },
        // in transport mode without addresses the family is the traffic's
        family: if any {
            selected
        } else {
            family(&t.destination)
        },
        saddr: Address::from_ip(&t.source),
        reqid: t.reqid.get(),
        mode: mode(t.mode),
        optional: u8::from(t.level == Level::Use),
        ..UserTemplate::default()
    }
}

/// XFRM_MSG_UPDPOLICY: insert or replace. The spec must have passed [`PolicySpec::check`].
pub(super) fn set_policy(p: &PolicySpec) -> Frame {
    let info = UserPolicyInfo {
        selector: selector(&p.key.selector, p.key.interface),
        priority: p.priority.get(),
        direction: direction(p.key.direction),
        action: match p.action {
            Action::Block => c::XFRM_POLICY_BLOCK,
            Action::Bypass | Action::Protect(_) => c::XFRM_POLICY_ALLOW,
        },
        ..UserPolicyInfo::default()
    };
    let frame = Frame::new(c::XFRM_MSG_UPDPOLICY, &info);
    let Action::Protect(templates) = &p.action else {
        return frame;
    };
    let mut bytes = Vec::with_capacity(templates.len() * 64);
    for t in templates {
        let t = template(t, info.selector.family);
        let at = bytes.len();
        bytes.resize(at + t.buffer_len(), 0);
        t.emit(&mut bytes[at..]);
    }
    frame.attribute(c::XFRMA_TMPL, &[&bytes])
}

fn policy_id(key: &PolicyKey) -> UserPolicyId {
    UserPolicyId {
        selector: selector(&key.selector, key.interface),
        index: 0,
        direction: direction(key.direction),
    }
}

/// XFRM_MSG_DELPOLICY.
pub(super) fn delete_policy(key: &PolicyKey) -> Frame {
    Frame::new(c::XFRM_MSG_DELPOLICY, &policy_id(key))
}

/// XFRM_MSG_GETPOLICY for one.
pub(super) fn get_policy(key: &PolicyKey) -> Frame {
    Frame::new(c::XFRM_MSG_GETPOLICY, &policy_id(key))
}

/// The policy that exempts a socket from all others (IP_XFRM_POLICY), for one direction and family.
pub(crate) fn socket_bypass(d: Direction, family: u16) -> Vec<u8> {
    let info = UserPolicyInfo {
        selector: KernelSelector {
            family,
            ..KernelSelector::default()
        },
        direction: direction(d),
        action: c::XFRM_POLICY_ALLOW,
        ..UserPolicyInfo::default()
    };
    let mut bytes = vec![0; info.buffer_len()];
    info.emit(&mut bytes);
    bytes
}

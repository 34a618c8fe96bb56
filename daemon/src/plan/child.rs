//! A negotiated child as kernel SAs. Called by the run loop for `InstallChild` and `RemoveChild`.

use std::net::IpAddr;

use ike::algorithm::{EspCipher, Integrity, IpsecProtocol, Mode};
use ike::child::{ChildSa, Direction, ProtocolKeys, ProtocolSa};
use isthmus_kernel as kernel;
use kernel::{Key, Reqid, SaSpec};

use super::selector;

/// The kernel's name of an engine's SA.
#[must_use]
pub fn sa_id(destination: IpAddr, protocol: IpsecProtocol, spi: u32) -> kernel::SaId {
    kernel::SaId {
        destination,
        protocol: kernel_protocol(protocol),
        spi,
    }
}

/// AH or ESP.
#[must_use]
pub fn kernel_protocol(protocol: IpsecProtocol) -> kernel::IpsecProtocol {
    match protocol {
        IpsecProtocol::Ah => kernel::IpsecProtocol::Ah,
        IpsecProtocol::Esp => kernel::IpsecProtocol::Esp,
    }
}

/// AH or ESP.
#[must_use]
pub fn engine_protocol(protocol: kernel::IpsecProtocol) -> IpsecProtocol {
    match protocol {
        kernel::IpsecProtocol::Ah => IpsecProtocol::Ah,
        kernel::IpsecProtocol::Esp => IpsecProtocol::Esp,
    }
}

/// The modes of a child's protocols, inside out: only the innermost wraps the packet in a new header.
pub fn modes(mode: Mode, count: usize) -> impl Iterator<Item = kernel::IpsecMode> {
    (0..count).map(move |at| match mode {
        Mode::Tunnel if at == 0 => kernel::IpsecMode::Tunnel,
        _ => kernel::IpsecMode::Transport,
    })
}

/// The SAs of one direction, in the order in which they must be added.
///
/// # Errors
/// What of it no kernel can do.
pub fn specs(child: &ChildSa, direction: Direction, reqid: Reqid) -> Result<Vec<SaSpec>, String> {
    modes(child.mode, child.protocols.len())
        .zip(&child.protocols)
        .map(|(mode, sa)| spec(child, sa, mode, direction, reqid))
        .collect()
}

fn spec(
    child: &ChildSa,
    sa: &ProtocolSa,
    mode: kernel::IpsecMode,
    direction: Direction,
    reqid: Reqid,
) -> Result<SaSpec, String> {
    let inbound = direction == Direction::Inbound;
    let (source, destination, spi, keys) = if inbound {
        (child.remote, child.local, sa.inbound_spi, &sa.inbound)
    } else {
        (child.local, child.remote, sa.outbound_spi, &sa.outbound)
    };
    Ok(SaSpec {
        source,
        destination,
        protocol: kernel_protocol(sa.protocol),
        spi,
        mode,
        reqid,
        selector: selector(child, inbound),
        encryption: sa
            .cipher
            .map(|cipher| encryption(cipher, keys))
            .transpose()?,
        authentication: sa
            .integrity
            .map(|integrity| authentication(integrity, keys)),
        replay_window: if inbound { child.replay_window } else { 0 },
        esn: false,
        df_bit: match child.df_bit {
            ike::config::DfBit::Clear => kernel::DfBit::Clear,
            ike::config::DfBit::Copy | ike::config::DfBit::Set => kernel::DfBit::Copy,
        },
        ecn: true,
        encapsulation: None,
        lifetime: kernel::Lifetime {
            soft_bytes: child.lifetime.soft_bytes,
            hard_bytes: child.lifetime.hard_bytes,
            soft_seconds: None,
            hard_seconds: Some(child.lifetime.hard.as_secs()),
        },
    })
}

/// In transport mode two peers can have several SAs, so each says what it is for; in tunnel mode the policy does.
fn selector(child: &ChildSa, inbound: bool) -> Option<kernel::Selector> {
    if child.mode == Mode::Tunnel {
        return None;
    }
    let outbound = selector::outbound(&child.local_selector, &child.remote_selector)?;
    Some(if inbound {
        outbound.reversed()
    } else {
        outbound
    })
}

fn encryption(cipher: EspCipher, keys: &ProtocolKeys) -> Result<kernel::Encryption, String> {
    let key = Key::new(keys.cipher.expose().to_vec());
    Ok(match cipher {
        EspCipher::Null => kernel::Encryption::Null,
        EspCipher::Des => kernel::Encryption::Des(key),
        EspCipher::TripleDes => kernel::Encryption::TripleDes(key),
        EspCipher::Aes128 | EspCipher::Aes192 | EspCipher::Aes256 => {
            kernel::Encryption::AesCbc(key)
        }
        EspCipher::AesGcm128 | EspCipher::AesGcm192 | EspCipher::AesGcm256 => {
            kernel::Encryption::AesGcm16(key)
        }
        EspCipher::AesGmac128 | EspCipher::AesGmac192 | EspCipher::AesGmac256 => {
            kernel::Encryption::AesGmac(key)
        }
        EspCipher::Seal => return Err("no Linux kernel has the cipher esp-seal".into()),
    })
}

fn authentication(integrity: Integrity, keys: &ProtocolKeys) -> kernel::Authentication {
    let key = Key::new(keys.integrity.expose().to_vec());
    match integrity {
        Integrity::HmacMd5 => kernel::Authentication::Md5_96(key),
        Integrity::HmacSha1 => kernel::Authentication::Sha1_96(key),
        Integrity::HmacSha256 => kernel::Authentication::Sha256_128(key),
        Integrity::HmacSha384 => kernel::Authentication::Sha384_192(key),
        Integrity::HmacSha512 => kernel::Authentication::Sha512_256(key),
    }
}

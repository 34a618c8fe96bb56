//! ISAKMP policies, transform sets, crypto maps: their words and their sub-mode commands.

use std::net::{IpAddr, Ipv4Addr};

use super::AclId;

/// AES key lengths in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AesBits {
    /// 128 bits, what `aes` alone means; not printed.
    B128,
    /// 192 bits.
    B192,
    /// 256 bits.
    B256,
}

impl AesBits {
    /// The length in bits.
    pub fn bits(self) -> u16 {
        match self {
            Self::B128 => 128,
            Self::B192 => 192,
            Self::B256 => 256,
        }
    }

    /// The length for a number of bits.
    pub fn from_bits(bits: u16) -> Option<Self> {
        match bits {
            128 => Some(Self::B128),
            192 => Some(Self::B192),
            256 => Some(Self::B256),
            _ => None,
        }
    }
}

/// Phase 1 encryption (RFC 2409 appendix A).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encryption {
    /// DES-CBC: the default.
    Des,
    /// 3DES-CBC.
    TripleDes,
    /// AES-CBC.
    Aes(AesBits),
}

words! {
    /// Phase 1 hash (RFC 2409 appendix A, RFC 4868).
    pub enum Hash {
        /// MD5.
        Md5 => "md5",
        /// SHA-1: the default.
        Sha => "sha",
        /// SHA-256.
        Sha256 => "sha256",
        /// SHA-384.
        Sha384 => "sha384",
        /// SHA-512.
        Sha512 => "sha512",
    }
}

words! {
    /// Phase 1 authentication (RFC 2409 section 5).
    pub enum Authentication {
        /// Pre-shared key.
        PreShare => "pre-share",
        /// RSA encrypted nonces.
        RsaEncr => "rsa-encr",
        /// RSA signatures: the default.
        RsaSig => "rsa-sig",
    }
}

words! {
    /// Diffie-Hellman groups (RFC 2409 section 6, RFC 3526, RFC 5903, RFC 5114).
    pub enum Group {
        /// 768 bit MODP: the default.
        G1 => "1",
        /// 1024 bit MODP.
        G2 => "2",
        /// 1536 bit MODP.
        G5 => "5",
        /// 2048 bit MODP.
        G14 => "14",
        /// 3072 bit MODP.
        G15 => "15",
        /// 4096 bit MODP.
        G16 => "16",
        /// 256 bit ECP.
        G19 => "19",
        /// 384 bit ECP.
        G20 => "20",
        /// 521 bit ECP.
        G21 => "21",
        /// 2048 bit MODP with a 256 bit subgroup.
        G24 => "24",
    }
}

impl Group {
    /// The group number on the wire.
    pub fn number(self) -> u16 {
        self.word().parse().unwrap_or_default()
    }
}

/// `(config-isakmp)#` commands. `None` only after `no` and `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IsakmpPolicyCommand {
    /// `encryption`.
    Encryption(Option<Encryption>),
    /// `hash`.
    Hash(Option<Hash>),
    /// `authentication`.
    Authentication(Option<Authentication>),
    /// `group`.
    Group(Option<Group>),
    /// `lifetime`, seconds (60-86400).
    Lifetime(Option<u32>),
}

words! {
    /// `crypto isakmp identity`.
    pub enum IsakmpIdentity {
        /// The address of the interface: the default.
        Address => "address",
        /// The distinguished name of the certificate.
        Dn => "dn",
        /// Host name and domain name.
        Hostname => "hostname",
    }
}

words! {
    /// When dead peer detection sends R-U-THERE (RFC 3706).
    pub enum KeepaliveMode {
        /// Only when there is traffic to send and nothing was heard: the default.
        OnDemand => "on-demand",
        /// At every interval.
        Periodic => "periodic",
    }
}

/// The peer that a pre-shared key is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyPeer {
    /// An address, or all addresses under a mask.
    Address {
        /// The address.
        address: Ipv4Addr,
        /// The mask; absent means this one address, and every peer for 0.0.0.0.
        mask: Option<Ipv4Addr>,
    },
    /// A host name, as sent in the identity payload.
    Hostname(String),
}

/// One word of a transform set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transform {
    /// AH with the given hash (RFC 2402 with RFC 2403, 2404, 4868).
    Ah(Hash),
    /// `esp-des`.
    EspDes,
    /// `esp-3des`.
    Esp3des,
    /// `esp-aes [192|256]`.
    EspAes(AesBits),
    /// `esp-gcm [192|256]` (RFC 4106, 16 octet ICV).
    EspGcm(AesBits),
    /// `esp-gmac [192|256]` (RFC 4543).
    EspGmac(AesBits),
    /// `esp-seal`.
    EspSeal,
    /// `esp-null` (RFC 2410).
    EspNull,
    /// `esp-…-hmac`: ESP authentication with the given hash.
    EspAuth(Hash),
    /// `comp-lzs`.
    CompLzs,
}

/// `(cfg-crypto-trans)#` commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransformSetCommand {
    /// `mode`; `None` only after `no` and `default`.
    Mode(Option<Encapsulation>),
}

/// Tunnel or transport mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encapsulation {
    /// Tunnel mode: the default.
    Tunnel,
    /// Transport mode, falling back to tunnel for traffic that is not host to host unless `require`.
    Transport {
        /// `transport require`.
        require: bool,
    },
}

/// A limit on the life of an IPsec SA. Inner `None` only after `no` and `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaLifetime {
    /// Seconds (120-2592000).
    Seconds(Option<u32>),
    /// Volume.
    Kilobytes(Option<KilobyteLifetime>),
    /// Days (1-30).
    Days(Option<u16>),
}

/// The volume limit of an IPsec SA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KilobyteLifetime {
    /// `disable`: no limit.
    Disable,
    /// Kilobytes (2560-4294967295).
    Kilobytes(u32),
}

/// `crypto ipsec security-association replay`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Replay {
    /// `disable`.
    Disable,
    /// `window-size` in packets: 64, 128, 256, 512 or 1024; `None` only after `no` and `default`.
    WindowSize(Option<u16>),
}

words! {
    /// What the outer header's DF bit is made of.
    pub enum DfBit {
        /// Always clear.
        Clear => "clear",
        /// As in the inner header: the default.
        Copy => "copy",
        /// Always set.
        Set => "set",
    }
}

/// A peer of a crypto map entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PeerName {
    /// By address.
    Address(IpAddr),
    /// By host name.
    Hostname(String),
}

/// `(config-crypto-map)#` commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CryptoMapCommand {
    /// `description TEXT`; `None` only after `no` and `default`.
    Description(Option<String>),
    /// `match address ACL`; `None` only after `no` and `default`.
    MatchAddress(Option<AclId>),
    /// `set peer PEER [default]`: one more peer, or with `no` one less.
    SetPeer {
        /// The peer; `None` (every peer) only after `no` and `default`.
        peer: Option<PeerName>,
        /// Go back to this peer when the next one fails.
        default: bool,
    },
    /// `set transform-set NAME …` in order of preference; empty only after `no` and `default`.
    SetTransformSet(Vec<String>),
    /// `set pfs [groupN]`; without a group it means group 1.
    SetPfs(Option<Group>),
    /// `set security-association lifetime …`.
    SetLifetime(SaLifetime),
}

/// What kind of entry `crypto map NAME SEQUENCE ...` makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapEntryKind {
    /// `ipsec-isakmp [dynamic MAP [discover]] [profile NAME]`.
    IpsecIsakmp {
        /// The dynamic map that peers without an entry of their own are met with.
        dynamic: Option<DynamicMap>,
        /// The IPsec profile with further settings.
        profile: Option<String>,
    },
    /// `ipsec-manual`: keys without negotiation.
    IpsecManual,
    /// `gdoi`: keys from a group server.
    Gdoi,
}

/// `dynamic MAP [discover]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DynamicMap {
    /// The name of the dynamic map.
    pub map: String,
    /// `discover`: find peers by probing.
    pub discover: bool,
}

impl Default for MapEntryKind {
    fn default() -> Self {
        Self::IpsecIsakmp {
            dynamic: None,
            profile: None,
        }
    }
}

impl MapEntryKind {
    /// Entries of this kind do something in this release.
    pub fn is_active(&self) -> bool {
        *self == Self::default()
    }

    /// The dynamic map that the entry names; such an entry has no lines of its own.
    pub fn dynamic_map(&self) -> Option<&str> {
        match self {
            Self::IpsecIsakmp {
                dynamic: Some(dynamic),
                ..
            } => Some(&dynamic.map),
            _ => None,
        }
    }
}

impl std::fmt::Display for MapEntryKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::IpsecManual => f.write_str("ipsec-manual"),
            Self::Gdoi => f.write_str("gdoi"),
            Self::IpsecIsakmp { dynamic, profile } => {
                f.write_str("ipsec-isakmp")?;
                if let Some(dynamic) = dynamic {
                    write!(f, " dynamic {}", dynamic.map)?;
                    f.write_str(if dynamic.discover { " discover" } else { "" })?;
                }
                match profile {
                    Some(profile) => write!(f, " profile {profile}"),
                    None => Ok(()),
                }
            }
        }
    }
}

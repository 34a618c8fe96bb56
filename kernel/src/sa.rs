//! An IPsec SA as the kernel wants it. Built by the daemon's translate layer from what IKE agreed, encoded by `linux/`.

use std::fmt;
use std::net::IpAddr;

use zeroize::Zeroizing;

use crate::{Reqid, Selector};

/// Secret bytes: wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// Takes the bytes over; they are wiped when the key is dropped.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} bytes)", self.0.len())
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

/// The IPsec protocol of an SA or template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IpsecProtocol {
    /// RFC 4303, IP protocol 50.
    Esp,
    /// RFC 4302, IP protocol 51.
    Ah,
}

impl IpsecProtocol {
    /// IP protocol number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Esp => 50,
            Self::Ah => 51,
        }
    }

    /// From an IP protocol number; anything else is `None`.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            50 => Some(Self::Esp),
            51 => Some(Self::Ah),
            _ => None,
        }
    }
}

impl fmt::Display for IpsecProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Esp => "esp",
            Self::Ah => "ah",
        })
    }
}

/// Tunnel or transport mode (RFC 4301 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IpsecMode {
    /// The whole packet is wrapped between the SA's endpoints.
    Tunnel,
    /// Only the payload is protected; the endpoints are the packet's own addresses.
    Transport,
}

/// ESP's cipher, with its key. A key of the wrong length is refused before it reaches the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// `esp-null` (RFC 2410).
    Null,
    /// DES-CBC (RFC 2405), 8 bytes.
    Des(Key),
    /// 3DES-CBC (RFC 2451), 24 bytes.
    TripleDes(Key),
    /// AES-CBC (RFC 3602), 16, 24 or 32 bytes.
    AesCbc(Key),
    /// AES-GCM with 16-byte ICV (RFC 4106): 16, 24 or 32 bytes of key and then 4 of salt. Takes no [`Authentication`].
    AesGcm16(Key),
    /// AES-GMAC (RFC 4543): authentic but not encrypted; key and salt as with GCM. Takes no [`Authentication`].
    AesGmac(Key),
}

impl Encryption {
    /// Whether the algorithm authenticates by itself (then no [`Authentication`] may be given).
    pub const fn is_aead(&self) -> bool {
        matches!(self, Self::AesGcm16(_) | Self::AesGmac(_))
    }

    /// The key, empty for null.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Null => &[],
            Self::Des(k)
            | Self::TripleDes(k)
            | Self::AesCbc(k)
            | Self::AesGcm16(k)
            | Self::AesGmac(k) => k.expose(),
        }
    }

    /// The key lengths, in bytes, that are right for the algorithm.
    pub const fn key_lengths(&self) -> &'static [usize] {
        match self {
            Self::Null => &[0],
            Self::Des(_) => &[8],
            Self::TripleDes(_) => &[24],
            Self::AesCbc(_) => &[16, 24, 32],
            Self::AesGcm16(_) | Self::AesGmac(_) => &[20, 28, 36],
        }
    }
}

/// The integrity algorithm of ESP or AH, with its key, as long as the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// HMAC-MD5-96 (RFC 2403), 16 bytes.
    Md5_96(Key),
    /// HMAC-SHA-1-96 (RFC 2404), 20 bytes.
    Sha1_96(Key),
    /// HMAC-SHA-256-128 (RFC 4868), 32 bytes.
    Sha256_128(Key),
    /// HMAC-SHA-384-192 (RFC 4868), 48 bytes.
    Sha384_192(Key),
    /// HMAC-SHA-512-256 (RFC 4868), 64 bytes.
    Sha512_256(Key),
}

impl Authentication {
    /// The key.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Md5_96(k)
            | Self::Sha1_96(k)
            | Self::Sha256_128(k)
            | Self::Sha384_192(k)
            | Self::Sha512_256(k) => k.expose(),
        }
    }

    /// The one right key length in bytes.
    pub const fn key_length(&self) -> usize {
        match self {
            Self::Md5_96(_) => 16,
            Self::Sha1_96(_) => 20,
            Self::Sha256_128(_) => 32,
            Self::Sha384_192(_) => 48,
            Self::Sha512_256(_) => 64,
        }
    }
}

/// What becomes of the inner packet's DF bit in tunnel mode. Linux cannot force it on (IOS `df-bit set`): use `Copy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DfBit {
    /// The outer header takes it over (IOS default); too big a packet gets "fragmentation needed".
    #[default]
    Copy,
    /// The outer header never has it; the outer packet may be fragmented.
    Clear,
}

/// UDP encapsulation of ESP (RFC 3948).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Encapsulation {
    /// UDP port at the SA's source.
    pub source_port: u16,
    /// UDP port at the SA's destination.
    pub destination_port: u16,
}

/// When the kernel reports an SA as old (soft) and kills it (hard). `None` is no limit.
///
/// Bytes are those of the packets that go in (in tunnel mode with the inner header, without ESP's overhead). A byte limit
/// is noticed by the first packet after it was reached, so the hard limit lets at most one packet pass beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lifetime {
    /// Bytes after which an [`Event::Expire`](crate::Event::Expire) with `hard: false` comes, once.
    pub soft_bytes: Option<u64>,
    /// Bytes after which the SA is dead.
    pub hard_bytes: Option<u64>,
    /// Seconds since it was added, soft.
    pub soft_seconds: Option<u64>,
    /// Seconds since it was added, hard.
    pub hard_seconds: Option<u64>,
}

/// What names an SA in the kernel: (destination, protocol, SPI). The source is needed only to tell the address family
/// of a request from what it deletes in error texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SaId {
    /// Destination address of the outer packet.
    pub destination: IpAddr,
    /// ESP or AH.
    pub protocol: IpsecProtocol,
    /// In host order; 256 and up.
    pub spi: u32,
}

impl fmt::Display for SaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} SPI {:#010x} to {}",
            self.protocol, self.spi, self.destination
        )
    }
}

/// One direction's SA, complete with keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaSpec {
    /// Source of the outer packet: our address for an outbound SA, the peer's for an inbound one.
    pub source: IpAddr,
    /// Destination of the outer packet.
    pub destination: IpAddr,
    /// ESP or AH.
    pub protocol: IpsecProtocol,
    /// In host order; chosen by the receiver; 256 and up (RFC 4303 section 2.1).
    pub spi: u32,
    /// Tunnel or transport.
    pub mode: IpsecMode,
    /// The reqid of the policies that it serves.
    pub reqid: Reqid,
    /// Which packets may use it. `None`: any that the policy sends to it. Give it in transport mode, where one peer
    /// address can have several SAs; in tunnel mode the policy decides.
    pub selector: Option<Selector>,
    /// ESP's cipher; must be `None` for AH.
    pub encryption: Option<Encryption>,
    /// Integrity; must be given for AH and for no AEAD; may be left out only with non-null encryption.
    pub authentication: Option<Authentication>,
    /// Replay window in packets, 0 (off) to 4096. Over 32 the kernel's bitmap structure is used. For an outbound SA 0.
    pub replay_window: u32,
    /// Extended sequence numbers (RFC 4304). Needs a replay window, in both directions.
    pub esn: bool,
    /// DF bit of the outer header.
    pub df_bit: DfBit,
    /// Carry ECN across the tunnel (RFC 6040); IOS does, so normally `true`.
    pub ecn: bool,
    /// ESP in UDP.
    pub encapsulation: Option<Encapsulation>,
    /// Limits.
    pub lifetime: Lifetime,
}

impl SaSpec {
    /// The name under which the kernel knows it.
    pub const fn id(&self) -> SaId {
        SaId {
            destination: self.destination,
            protocol: self.protocol,
            spi: self.spi,
        }
    }

    /// What is wrong with it, in words, before the kernel is bothered. Both backends refuse exactly these.
    pub fn check(&self) -> Result<(), String> {
        if self.source.is_ipv4() != self.destination.is_ipv4() {
            return Err("source and destination are of different address families".into());
        }
        if self.spi < 256 {
            return Err(format!("SPI {} is reserved (below 256)", self.spi));
        }
        if self.replay_window > 4096 {
            return Err(format!("replay window {} is over 4096", self.replay_window));
        }
        if self.esn && self.replay_window == 0 {
            return Err("extended sequence numbers need a replay window".into());
        }
        if self.encapsulation.is_some() && self.protocol == IpsecProtocol::Ah {
            return Err("AH cannot be carried in UDP".into());
        }
        self.check_algorithms()
    }

    fn check_algorithms(&self) -> Result<(), String> {
        if let Some(e) = &self.encryption
            && !e.key_lengths().contains(&e.key().len())
        {
            return Err(format!(
                "encryption key of {} bytes, expected one of {:?}",
                e.key().len(),
                e.key_lengths()
            ));
        }
        if let Some(a) = &self.authentication
            && a.key().len() != a.key_length()
        {
            return Err(format!(
                "authentication key of {} bytes, expected {}",
                a.key().len(),
                a.key_length()
            ));
        }
        match (self.protocol, &self.encryption, &self.authentication) {
            (IpsecProtocol::Ah, Some(_), _) => Err("AH takes no encryption".into()),
            (IpsecProtocol::Ah, None, None) => Err("AH needs an authentication algorithm".into()),
            (IpsecProtocol::Esp, None, _) => {
                Err("ESP needs an encryption algorithm (null is one)".into())
            }
            (IpsecProtocol::Esp, Some(e), Some(_)) if e.is_aead() => {
                Err("a combined-mode cipher takes no separate authentication".into())
            }
            (IpsecProtocol::Esp, Some(Encryption::Null), None) => {
                Err("null encryption needs authentication".into())
            }
            _ => Ok(()),
        }
    }
}

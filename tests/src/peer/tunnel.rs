//! One description of a tunnel, in IOS words, from which each brand's configuration is written.

use std::fmt;
use std::net::Ipv4Addr;

/// What both ends agree on.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// Phase 1 cipher as after `encryption`.
    pub encryption: &'static str,
    /// Phase 1 hash as after `hash`.
    pub hash: &'static str,
    /// Phase 1 group.
    pub group: u16,
    /// Phase 1 lifetime in seconds.
    pub ike_seconds: u32,
    /// The transforms as after `crypto ipsec transform-set NAME`.
    pub transforms: &'static str,
    /// Phase 2 group, if perfect forward secrecy is wanted.
    pub pfs: Option<u16>,
    /// Transport mode between the routers' own addresses.
    pub transport: bool,
    /// Phase 2 lifetime in seconds.
    pub seconds: u32,
    /// Phase 2 lifetime in kilobytes.
    pub kilobytes: Option<u32>,
    /// The pre-shared key.
    pub key: &'static str,
    /// Dead peer detection: seconds between two questions.
    pub keepalive: Option<u32>,
}

impl Tunnel {
    /// AES-256, SHA-256, group 14 in both phases, no PFS.
    pub const AES256: Tunnel = Tunnel {
        encryption: "aes 256",
        hash: "sha256",
        group: 14,
        ike_seconds: 86400,
        transforms: "esp-aes 256 esp-sha256-hmac",
        pfs: None,
        transport: false,
        seconds: 3600,
        kilobytes: None,
        key: "Corinth-6400",
        keepalive: None,
    };

    /// The IPsec ciphers and hashes, each as (kind, bits): `aes` 256, `gcm` 128, `sha256` 0, `ah-sha` 0.
    pub fn transform_words(&self) -> Vec<(String, String)> {
        let mut words = Vec::<(String, String)>::new();
        for word in self.transforms.split_whitespace() {
            match words.last_mut() {
                Some((_, bits)) if word.chars().all(|letter| letter.is_ascii_digit()) => {
                    *bits = word.to_owned()
                }
                _ => words.push((
                    word.trim_start_matches("esp-")
                        .trim_end_matches("-hmac")
                        .to_owned(),
                    String::new(),
                )),
            }
        }
        words
    }

    /// Whether packets carry AH.
    pub fn has_ah(&self) -> bool {
        self.transforms.contains("ah-")
    }

    /// Whether what packets carry can be read: integrity without secrecy.
    pub fn is_readable(&self) -> bool {
        let hidden = ["esp-aes", "esp-3des", "esp-des", "esp-gcm"];
        !hidden.iter().any(|cipher| self.transforms.contains(cipher))
    }

    /// Whether packets carry ESP.
    pub fn has_esp(&self) -> bool {
        self.transforms.contains("esp-")
    }
}

/// An IPv4 prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net(pub Ipv4Addr, pub u8);

impl fmt::Display for Net {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.0, self.1)
    }
}

impl Net {
    /// `A.B.C.D W.W.W.W` with a wildcard mask, as access-lists have it.
    pub fn wildcard(self) -> String {
        if self.1 == 32 {
            return format!("host {}", self.0);
        }
        format!(
            "{} {}",
            self.0,
            Ipv4Addr::from(u32::MAX.checked_shr(u32::from(self.1)).unwrap_or(0))
        )
    }
}

/// What one tunnel protects, as the router at its near end sees it.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// This side.
    pub local: Net,
    /// The other side.
    pub remote: Net,
}

impl Flow {
    /// Everything between the insides of two sites.
    pub fn between(local: u8, remote: u8) -> Flow {
        let inside = |site| Net(Ipv4Addr::new(10, 0, site, 0), 24);
        Flow {
            local: inside(local),
            remote: inside(remote),
        }
    }

    /// One client address to another: the last octet at both sites is `host`.
    pub fn hosts(local: u8, remote: u8, host: u8) -> Flow {
        let inside = |site| Net(Ipv4Addr::new(10, 0, site, host), 32);
        Flow {
            local: inside(local),
            remote: inside(remote),
        }
    }

    /// Between the routers themselves, for transport mode.
    pub fn routers(local: u8, remote: u8) -> Flow {
        let outside = |site| Net(crate::lab::topology::outside(site), 32);
        Flow {
            local: outside(local),
            remote: outside(remote),
        }
    }
}

/// One peer of a router: which site, how, and what is protected.
#[derive(Clone, Debug)]
pub struct Link {
    /// The site of the peer.
    pub peer: u8,
    /// How.
    pub tunnel: Tunnel,
    /// What; each flow is a map entry, or a child, of its own.
    pub flows: Vec<Flow>,
}

impl Link {
    /// The usual link: the insides of two sites, or the routers themselves in transport mode.
    pub fn new(own: u8, peer: u8, tunnel: &Tunnel) -> Link {
        let flow = if tunnel.transport {
            Flow::routers(own, peer)
        } else {
            Flow::between(own, peer)
        };
        Link {
            peer,
            tunnel: tunnel.clone(),
            flows: vec![flow],
        }
    }
}

//! Every combination of algorithms, as SAs and templates.

use isthmus_kernel::{
    Authentication, DfBit, Encryption, IpsecMode, IpsecProtocol, Lifetime, Reqid, SaSpec, Template,
};

use crate::world::{ip, tunnel};

/// How a packet is to be protected: the SAs from the inside out.
pub struct Suite {
    pub name: String,
    pub layers: Vec<(IpsecProtocol, Option<Encryption>, Option<Authentication>)>,
}

pub fn key(length: usize, tag: u8) -> isthmus_kernel::Key {
    (0..length)
        .map(|n| (n as u8).wrapping_mul(73).wrapping_add(tag))
        .collect::<Vec<_>>()
        .into()
}

pub fn hashes() -> Vec<Authentication> {
    vec![
        Authentication::Md5_96(key(16, 1)),
        Authentication::Sha1_96(key(20, 2)),
        Authentication::Sha256_128(key(32, 3)),
        Authentication::Sha384_192(key(48, 4)),
        Authentication::Sha512_256(key(64, 5)),
    ]
}

/// Every combination that a transform set of IOS 15 can name.
pub fn suites() -> Vec<Suite> {
    let (esp, ah) = (IpsecProtocol::Esp, IpsecProtocol::Ah);
    let aes = [16, 24, 32].map(|n| Encryption::AesCbc(key(n, 6)));
    // DES and 3DES refuse weak keys, and a 3DES key must not repeat itself
    let mut ciphers = vec![
        Encryption::Null,
        Encryption::Des(key(8, 7)),
        Encryption::TripleDes(key(24, 8)),
    ];
    ciphers.extend(aes);
    let aead = [20, 28, 36].into_iter().flat_map(|n| {
        [
            Encryption::AesGcm16(key(n, 9)),
            Encryption::AesGmac(key(n, 10)),
        ]
    });
    let mut all = Vec::new();
    let mut add = |layers: Vec<(IpsecProtocol, Option<Encryption>, Option<Authentication>)>| {
        let name = layers
            .iter()
            .map(|(p, e, a)| format!("{p} {e:?} {a:?}"))
            .collect::<Vec<_>>()
            .join(" + ");
        all.push(Suite { name, layers });
    };
    for e in &ciphers {
        for a in hashes() {
            add(vec![(esp, Some(e.clone()), Some(a))]);
        }
        if *e != Encryption::Null {
            add(vec![(esp, Some(e.clone()), None)]);
        }
    }
    for e in aead {
        add(vec![(esp, Some(e.clone()), None)]);
        add(vec![
            (esp, Some(e), None),
            (ah, None, Some(Authentication::Sha256_128(key(32, 3)))),
        ]);
    }
    for a in hashes() {
        add(vec![(ah, None, Some(a.clone()))]);
        add(vec![
            (esp, Some(ciphers[3].clone()), Some(a.clone())),
            (ah, None, Some(a)),
        ]);
    }
    all
}

/// The SAs of one direction, and the templates that ask for them. Only the innermost is a tunnel.
pub fn layers(
    suite: &Suite,
    from: &str,
    to: &str,
    spi: u32,
    inbound: bool,
    change: fn(&mut SaSpec),
) -> (Vec<SaSpec>, Vec<Template>) {
    let mut sas = Vec::new();
    let mut templates = Vec::new();
    for (depth, (protocol, encryption, authentication)) in suite.layers.iter().enumerate() {
        let mode = if depth == 0 {
            IpsecMode::Tunnel
        } else {
            IpsecMode::Transport
        };
        let mut sa = SaSpec {
            source: ip(from),
            destination: ip(to),
            protocol: *protocol,
            spi: spi + depth as u32,
            mode,
            reqid: Reqid::nth(9),
            selector: None,
            encryption: encryption.clone(),
            authentication: authentication.clone(),
            replay_window: if inbound { 64 } else { 0 },
            esn: false,
            df_bit: DfBit::Copy,
            ecn: true,
            encapsulation: None,
            lifetime: Lifetime::default(),
        };
        change(&mut sa);
        sas.push(sa);
        templates.push(Template {
            mode,
            ..tunnel(from, to, *protocol, Reqid::nth(9))
        });
    }
    (sas, templates)
}

pub fn aes_sha256() -> Suite {
    Suite {
        name: "aes sha256".into(),
        layers: vec![(
            IpsecProtocol::Esp,
            Some(Encryption::AesCbc(key(32, 1))),
            Some(Authentication::Sha256_128(key(32, 2))),
        )],
    }
}

//! One tunnel between two routers: every proposal, mode and brand, in both roles. A line here is a scenario.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::bed;
use crate::lab::{Echo, Kind};
use crate::peer::{Brand, Tunnel, kernel};

const PATIENCE: Duration = Duration::from_secs(30);

const AES256_PFS: Tunnel = Tunnel {
    pfs: Some(14),
    ..Tunnel::AES256
};
const TRIPLE_DES: Tunnel = Tunnel {
    encryption: "3des",
    hash: "sha",
    group: 2,
    transforms: "esp-3des esp-sha-hmac",
    ..Tunnel::AES256
};
const DES: Tunnel = Tunnel {
    encryption: "des",
    hash: "md5",
    group: 1,
    transforms: "esp-des esp-md5-hmac",
    ..Tunnel::AES256
};
const GCM: Tunnel = Tunnel {
    encryption: "aes 256",
    hash: "sha256",
    group: 19,
    transforms: "esp-gcm 256",
    pfs: Some(19),
    ..Tunnel::AES256
};
/// libreswan has no elliptic groups for PFS in quick mode.
const GCM_NO_PFS: Tunnel = Tunnel { pfs: None, ..GCM };
const AES128_SHA: Tunnel = Tunnel {
    encryption: "aes",
    hash: "sha",
    group: 5,
    transforms: "esp-aes esp-sha-hmac",
    pfs: Some(5),
    ..Tunnel::AES256
};
const SHA512: Tunnel = Tunnel {
    encryption: "aes 192",
    hash: "sha512",
    group: 16,
    transforms: "esp-aes 192 esp-sha512-hmac",
    ..Tunnel::AES256
};
const P384: Tunnel = Tunnel {
    hash: "sha384",
    group: 20,
    transforms: "esp-gcm",
    pfs: None,
    ..Tunnel::AES256
};
const TRANSPORT: Tunnel = Tunnel {
    transport: true,
    ..Tunnel::AES256
};
const TRANSPORT_PFS: Tunnel = Tunnel {
    pfs: Some(14),
    ..TRANSPORT
};
const GMAC: Tunnel = Tunnel {
    transforms: "esp-gmac 256",
    ..Tunnel::AES256
};
const NULL: Tunnel = Tunnel {
    transforms: "esp-null esp-sha-hmac",
    ..Tunnel::AES256
};
const AH: Tunnel = Tunnel {
    transforms: "ah-sha256-hmac",
    ..Tunnel::AES256
};
const AH_TRANSPORT: Tunnel = Tunnel {
    transforms: "ah-sha-hmac",
    ..TRANSPORT
};
const AH_AND_ESP: Tunnel = Tunnel {
    transforms: "ah-sha-hmac esp-aes 256",
    ..Tunnel::AES256
};

/// R1 raises the tunnel when its client has something to say; then both clients talk, and all of it must be protected.
fn check(left: Brand, right: Brand, tunnel: &Tunnel) -> Result<()> {
    bed::pair(left, right, tunnel, |bed| {
        if tunnel.transport {
            bed.raise_routers(1, 2, PATIENCE)?;
            let back = bed.raise_routers(2, 1, PATIENCE)?;
            ensure!(
                back.received() == back.sent(),
                "the way back lost packets: {back}"
            );
        } else {
            bed.raise(1, 2, PATIENCE)?;
            for (from, to) in [(1, 2), (2, 1)] {
                let big = Echo {
                    size: 1000,
                    ..Echo::new(bed.lab.site(from).inside(), bed.lab.site(to).inside())
                };
                let report = bed.lab.echo(from, big)?;
                ensure!(
                    report.received() == report.sent(),
                    "a raised tunnel lost packets: {report}"
                );
            }
        }
        bed.expect_protected(1, 2)?;
        expect_as_asked(bed, tunnel)
    })
}

/// Mode, protocols and PFS are those of the configuration, in the kernel and on the console.
fn expect_as_asked(bed: &bed::Bed<'_>, tunnel: &Tunnel) -> Result<()> {
    let mode = if tunnel.transport {
        "transport"
    } else {
        "tunnel"
    };
    let wanted = [(tunnel.has_esp(), "esp"), (tunnel.has_ah(), "ah")]
        .into_iter()
        .filter(|(has, _)| *has)
        .map(|(_, name)| name);
    let sas = kernel::sas(&bed.lab.site(1).router)?;
    for protocol in wanted {
        ensure!(
            sas.iter().any(|sa| sa.protocol == protocol),
            "no {protocol} SA in {sas:?}"
        );
    }
    // In a bundle only the innermost SA has the tunnel's mode.
    ensure!(
        sas.iter().any(|sa| sa.mode == mode),
        "no SA in {mode} mode: {sas:?}"
    );
    if !tunnel.has_esp() {
        ensure!(
            bed.lab.capture.count(Kind::Esp) == 0,
            "ESP on the wire of an AH tunnel"
        );
    }
    for number in [1, 2] {
        let Ok(isthmus) = bed.isthmus(number) else {
            continue;
        };
        let screen = isthmus.show("show crypto ipsec sa")?;
        let pfs = tunnel
            .pfs
            .map_or("PFS (Y/N): N, DH group: none".to_owned(), |group| {
                format!("PFS (Y/N): Y, DH group: group{group}")
            });
        ensure!(
            screen.contains(&pfs),
            "R{number}: no '{pfs}' in show crypto ipsec sa"
        );
        let using = if tunnel.transport {
            "{Transport"
        } else {
            "{Tunnel"
        };
        ensure!(
            screen.contains(using),
            "R{number}: no '{using}' in show crypto ipsec sa"
        );
    }
    Ok(())
}

macro_rules! pairs {
    ($($name:ident: $left:ident raises $right:ident, $tunnel:expr;)*) => {
        $(
            #[doc = concat!(stringify!($left), " raises a tunnel to ", stringify!($right), ": `", stringify!($tunnel), "`.")]
            pub fn $name() -> Result<()> {
                check(Brand::$left, Brand::$right, &$tunnel)
            }
        )*
    };
}

pairs! {
    peers_3des_sha_group2: Strongswan raises Strongswan, TRIPLE_DES;
    peers_des_md5_group1: Strongswan raises Strongswan, DES;
    peers_gcm_ecp256: Libreswan raises Strongswan, GCM_NO_PFS;
    peers_gcm_ecp384: Libreswan raises Strongswan, P384;
    peers_aes128_sha_group5: Strongswan raises Libreswan, AES128_SHA;
    peers_sha512_group16: Strongswan raises Strongswan, SHA512;
    peers_libreswan_ah: Libreswan raises Strongswan, AH;
    peers_ah_transport: Strongswan raises Strongswan, AH_TRANSPORT;
    peers_transport: Strongswan raises Libreswan, TRANSPORT;
    peers_gmac: Strongswan raises Strongswan, GMAC;
    peers_null: Strongswan raises Strongswan, NULL;
    peers_ah: Strongswan raises Strongswan, AH;

    isthmus_raises_isthmus: Isthmus raises Isthmus, Tunnel::AES256;
    isthmus_raises_isthmus_pfs: Isthmus raises Isthmus, AES256_PFS;
    isthmus_raises_isthmus_ah_and_esp: Isthmus raises Isthmus, AH_AND_ESP;
    isthmus_raises_isthmus_transport: Isthmus raises Isthmus, TRANSPORT;

    isthmus_raises_strongswan: Isthmus raises Strongswan, Tunnel::AES256;
    isthmus_raises_strongswan_pfs: Isthmus raises Strongswan, AES256_PFS;
    isthmus_raises_strongswan_3des_sha_group2: Isthmus raises Strongswan, TRIPLE_DES;
    isthmus_raises_strongswan_des_md5_group1: Isthmus raises Strongswan, DES;
    isthmus_raises_strongswan_gcm_ecp256: Isthmus raises Strongswan, GCM;
    isthmus_raises_strongswan_sha512_group16: Isthmus raises Strongswan, SHA512;
    isthmus_raises_strongswan_transport: Isthmus raises Strongswan, TRANSPORT;
    isthmus_raises_strongswan_gmac: Isthmus raises Strongswan, GMAC;
    isthmus_raises_strongswan_null: Isthmus raises Strongswan, NULL;
    isthmus_raises_strongswan_ah: Isthmus raises Strongswan, AH;
    isthmus_raises_strongswan_ah_transport: Isthmus raises Strongswan, AH_TRANSPORT;

    strongswan_raises_isthmus: Strongswan raises Isthmus, Tunnel::AES256;
    strongswan_raises_isthmus_pfs: Strongswan raises Isthmus, AES256_PFS;
    strongswan_raises_isthmus_3des_sha_group2: Strongswan raises Isthmus, TRIPLE_DES;
    strongswan_raises_isthmus_des_md5_group1: Strongswan raises Isthmus, DES;
    strongswan_raises_isthmus_gcm_ecp256: Strongswan raises Isthmus, GCM;
    strongswan_raises_isthmus_transport: Strongswan raises Isthmus, TRANSPORT_PFS;
    strongswan_raises_isthmus_ah: Strongswan raises Isthmus, AH;

    isthmus_raises_libreswan: Isthmus raises Libreswan, Tunnel::AES256;
    isthmus_raises_libreswan_aes128_sha_group5: Isthmus raises Libreswan, AES128_SHA;
    isthmus_raises_libreswan_gcm_ecp256: Isthmus raises Libreswan, GCM_NO_PFS;
    isthmus_raises_libreswan_transport: Isthmus raises Libreswan, TRANSPORT;
    isthmus_raises_libreswan_ah: Isthmus raises Libreswan, AH;

    libreswan_raises_isthmus: Libreswan raises Isthmus, Tunnel::AES256;
    libreswan_raises_isthmus_pfs: Libreswan raises Isthmus, AES256_PFS;
    libreswan_raises_isthmus_gcm_ecp384: Libreswan raises Isthmus, P384;
    libreswan_raises_isthmus_transport: Libreswan raises Isthmus, TRANSPORT;
}

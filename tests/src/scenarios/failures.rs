//! Negotiations that must fail, and the console that must say why and which line to change.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::bed;
use crate::peer::{Brand, Flow, Link, Tunnel, kernel};

const PATIENCE: Duration = Duration::from_secs(40);

/// R1 raises with one description, R2 answers with another. No SA may come up, nothing may pass in clear, and each listed
/// router's `show crypto session detail` must hold all the words given for it.
fn refused(left: (Brand, Link), right: (Brand, Link), words: &[(usize, &[&str])]) -> Result<()> {
    bed::with(&[(left.0, vec![left.1]), (right.0, vec![right.1])], |bed| {
        let report = bed.lab.ping(1, 2, 4)?;
        ensure!(report.received() == 0, "there was an answer: {report}");
        for (number, words) in words {
            let isthmus = bed.isthmus(*number)?;
            for words in *words {
                isthmus.wait_to_show("show crypto session detail", words, PATIENCE)?;
            }
            isthmus.show("show crypto session detail")?;
            ensure!(
                !isthmus.exec("show crypto session")?.contains("UP-"),
                "R{number}: the session is up"
            );
            for words in *words {
                ensure!(
                    isthmus.log().contains(words),
                    "R{number}: no '{words}' in the log"
                );
            }
        }
        for site in &bed.lab.sites {
            ensure!(
                kernel::sas(&site.router)?.is_empty(),
                "R{} has SAs",
                site.number
            );
        }
        bed.lab.capture.expect_nothing_in_clear()
    })
}

const OTHER_KEY: Tunnel = Tunnel {
    key: "Piraeus-9",
    ..Tunnel::AES256
};
const OTHER_POLICY: Tunnel = Tunnel {
    hash: "sha",
    group: 2,
    ..Tunnel::AES256
};
const OTHER_TRANSFORMS: Tunnel = Tunnel {
    transforms: "esp-3des esp-sha-hmac",
    ..Tunnel::AES256
};
const WITH_PFS: Tunnel = Tunnel {
    pfs: Some(14),
    ..Tunnel::AES256
};

const KEY_OF_2: &[&str] = &[
    "pre-shared key for 100.64.2.2",
    "crypto isakmp key ... address 100.64.2.2",
];
const KEY_OF_1: &[&str] = &[
    "pre-shared key for 100.64.1.2",
    "crypto isakmp key ... address 100.64.1.2",
];

/// The keys differ; both consoles name the key.
pub fn wrong_key() -> Result<()> {
    let links = (
        Link::new(1, 2, &Tunnel::AES256),
        Link::new(2, 1, &OTHER_KEY),
    );
    refused(
        (Brand::Isthmus, links.0),
        (Brand::Isthmus, links.1),
        &[(1, KEY_OF_2), (2, KEY_OF_1)],
    )
}

/// As initiator to strongSwan with another key.
pub fn wrong_key_at_strongswan() -> Result<()> {
    let links = (
        Link::new(1, 2, &Tunnel::AES256),
        Link::new(2, 1, &OTHER_KEY),
    );
    refused(
        (Brand::Isthmus, links.0),
        (Brand::Strongswan, links.1),
        &[(1, KEY_OF_2)],
    )
}

/// As responder to strongSwan with another key.
pub fn wrong_key_from_strongswan() -> Result<()> {
    let links = (
        Link::new(1, 2, &OTHER_KEY),
        Link::new(2, 1, &Tunnel::AES256),
    );
    refused(
        (Brand::Strongswan, links.0),
        (Brand::Isthmus, links.1),
        &[(2, KEY_OF_1)],
    )
}

const OTHER_POLICY_SEEN: &[&str] = &[
    "peer offered aes-256/sha/group 2, local policy 10 asks aes-256/sha256/group 14",
    "crypto isakmp policy 10",
];

/// No phase 1 policy in common: the responder knows both sides, the initiator what it offered.
pub fn no_common_policy() -> Result<()> {
    let links = (
        Link::new(1, 2, &OTHER_POLICY),
        Link::new(2, 1, &Tunnel::AES256),
    );
    let initiator: &[&str] = &[
        "NO-PROPOSAL-CHOSEN",
        "aes-256/sha/group 2",
        "crypto isakmp policy 10",
    ];
    refused(
        (Brand::Isthmus, links.0),
        (Brand::Isthmus, links.1),
        &[(1, initiator), (2, OTHER_POLICY_SEEN)],
    )
}

/// The same as responder to strongSwan.
pub fn no_common_policy_from_strongswan() -> Result<()> {
    let links = (
        Link::new(1, 2, &OTHER_POLICY),
        Link::new(2, 1, &Tunnel::AES256),
    );
    refused(
        (Brand::Strongswan, links.0),
        (Brand::Isthmus, links.1),
        &[(2, OTHER_POLICY_SEEN)],
    )
}

/// No transform set in common.
pub fn no_common_transform() -> Result<()> {
    let links = (
        Link::new(1, 2, &OTHER_TRANSFORMS),
        Link::new(2, 1, &Tunnel::AES256),
    );
    let responder: &[&str] = &[
        "peer offered",
        "local transform-set TS1 asks",
        "crypto ipsec transform-set TS1",
    ];
    let initiator: &[&str] = &["NO-PROPOSAL-CHOSEN", "crypto map VPN 10"];
    refused_in_phase_2(
        (Brand::Isthmus, links.0),
        (Brand::Isthmus, links.1),
        &[(1, initiator), (2, responder)],
    )
}

/// One side wants PFS, the other does not ask for it but the responder demands it.
pub fn pfs_demanded_by_responder() -> Result<()> {
    let links = (Link::new(1, 2, &Tunnel::AES256), Link::new(2, 1, &WITH_PFS));
    let responder: &[&str] = &[
        "peer offered no PFS, VPN 10 asks PFS group 14",
        "crypto map VPN 10, set pfs",
    ];
    refused_in_phase_2(
        (Brand::Isthmus, links.0),
        (Brand::Isthmus, links.1),
        &[(2, responder)],
    )
}

fn wider(own: u8, peer: u8) -> Link {
    Link {
        flows: vec![Flow::hosts(own, peer, 10)],
        ..Link::new(own, peer, &Tunnel::AES256)
    }
}

const NO_FLOW: &[&str] = &[
    "peer asked for local",
    "access-list FLOW10 of VPN 10",
    "match address FLOW10",
];

/// The access-lists are no mirrors of each other.
pub fn wrong_proxy_identities() -> Result<()> {
    let initiator: &[&str] = &["INVALID-ID-INFORMATION", "match address FLOW10"];
    refused_in_phase_2(
        (Brand::Isthmus, wider(1, 2)),
        (Brand::Isthmus, Link::new(2, 1, &Tunnel::AES256)),
        &[(1, initiator), (2, NO_FLOW)],
    )
}

/// The same as responder to strongSwan.
pub fn wrong_proxy_identities_from_strongswan() -> Result<()> {
    refused_in_phase_2(
        (Brand::Strongswan, wider(1, 2)),
        (Brand::Isthmus, Link::new(2, 1, &Tunnel::AES256)),
        &[(2, NO_FLOW)],
    )
}

/// The same as initiator to libreswan.
pub fn wrong_proxy_identities_at_libreswan() -> Result<()> {
    let initiator: &[&str] = &["INVALID-ID-INFORMATION", "match address FLOW10"];
    refused_in_phase_2(
        (Brand::Isthmus, wider(1, 2)),
        (Brand::Libreswan, Link::new(2, 1, &Tunnel::AES256)),
        &[(1, initiator)],
    )
}

/// Phase 1 comes up, so the session may be UP-IDLE, but no flow may.
fn refused_in_phase_2(
    left: (Brand, Link),
    right: (Brand, Link),
    words: &[(usize, &[&str])],
) -> Result<()> {
    bed::with(&[(left.0, vec![left.1]), (right.0, vec![right.1])], |bed| {
        let report = bed.lab.ping(1, 2, 4)?;
        ensure!(report.received() == 0, "there was an answer: {report}");
        for (number, words) in words {
            let isthmus = bed.isthmus(*number)?;
            for words in *words {
                isthmus.wait_to_show("show crypto session detail", words, PATIENCE)?;
            }
            isthmus.show("show crypto session detail")?;
            ensure!(
                !isthmus.exec("show crypto session")?.contains("UP-ACTIVE"),
                "R{number}: the session is active"
            );
        }
        for site in &bed.lab.sites {
            ensure!(
                kernel::sas(&site.router)?.is_empty(),
                "R{} has SAs",
                site.number
            );
        }
        bed.lab.capture.expect_nothing_in_clear()
    })
}

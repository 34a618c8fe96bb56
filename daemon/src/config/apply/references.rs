//! What a retained line names, and what its object still needs: said at the terminal as IOS says it. A file may name
//! things before the line that makes them.

use isthmus_grammar::command::{Form, RetainedLine};

use super::Refused;
use super::crypto::no_transform_set;
use crate::config::model::{RetainedEntry, Running};

/// Words after which a retained line has the name of something that must be there.
struct Reference {
    /// The kind of line.
    line: &'static str,
    /// The words before the name.
    before: &'static str,
    /// The kinds of line that make such a thing, with the words before its name there.
    made_by: &'static [(&'static str, &'static str)],
    /// A name that is always there.
    built_in: Option<&'static str>,
    /// The refusal; `{}` is the name.
    refusal: &'static str,
}

const VRF: &[(&str, &str)] = &[
    ("r_vrf_retained_vrf_definition", "vrf definition"),
    ("r_ip_first_vrf", "ip vrf"),
];
const PROPOSAL: &[(&str, &str)] = &[("r_crypto_ikev2_proposal", "crypto ikev2 proposal")];

const REFERENCES: &[Reference] = &[
    Reference {
        line: "r_ikev2_policy_proposal",
        before: "proposal",
        made_by: PROPOSAL,
        built_in: Some("default"),
        refusal: "% No Proposal exists with the specified name {}",
    },
    Reference {
        line: "r_ikev2_policy_match_fvrf",
        before: "match fvrf",
        made_by: VRF,
        built_in: Some("any"),
        refusal: "% fvrf {} not configured",
    },
    Reference {
        line: "r_ikev2_profile_match_fvrf",
        before: "match fvrf",
        made_by: VRF,
        built_in: Some("any"),
        refusal: "% fvrf {} not configured",
    },
    Reference {
        line: "r_ikev2_profile_ivrf",
        before: "ivrf",
        made_by: VRF,
        built_in: None,
        refusal: "% vrf {} not configured",
    },
    Reference {
        line: "r_ikev2_profile_keyring",
        before: "keyring local",
        made_by: &[("r_crypto_ikev2_keyring", "crypto ikev2 keyring")],
        built_in: None,
        refusal: "% Invalid keyring {}",
    },
    Reference {
        line: "r_ikev2_profile_pki_trustpoint",
        before: "pki trustpoint",
        made_by: &[("r_crypto_pki_trustpoint", "crypto pki trustpoint")],
        built_in: None,
        refusal: "% No such trustpoint {}",
    },
    Reference {
        line: "r_interface_first_vrf_forwarding",
        before: "vrf forwarding",
        made_by: VRF,
        built_in: None,
        refusal: "% VRF {} not configured",
    },
    Reference {
        line: "r_interface_first_ip_vrf_forwarding",
        before: "ip vrf forwarding",
        made_by: VRF,
        built_in: None,
        refusal: "% VRF {} not configured",
    },
    Reference {
        line: "r_interface_last_protection_profile",
        before: "tunnel protection ipsec profile",
        made_by: &[("r_ipsec_profile", "crypto ipsec profile")],
        built_in: Some("default"),
        refusal: "Profile {} is not defined.",
    },
];

/// What IOS says when a new object is begun: the kind of line that begins it, and the text.
const NEEDS: &[(&str, &str)] = &[
    (
        "r_crypto_ikev2_proposal",
        "IKEv2 proposal MUST either have a set of an encryption algorithm other than aes-gcm, an integrity algorithm and a DH \
         group configured or \n encryption algorithm aes-gcm, a prf algorithm and a DH group configured\n",
    ),
    (
        "r_crypto_ikev2_policy",
        "IKEv2 policy MUST have atleast one complete proposal attached \n",
    ),
    (
        "r_crypto_ikev2_profile",
        "IKEv2 profile MUST have:\n   1. A local and a remote authentication method.\n   2. A match identity or a match \
         certificate or match any statement.\n",
    ),
    (
        "r_isakmp_profile",
        "% A profile is deemed incomplete until it has match identity statements\n",
    ),
];

/// What a new object still needs, every line ended; empty where IOS says nothing.
pub(super) fn needs(line: &RetainedLine) -> &'static str {
    let entry = NEEDS.iter().find(|(kind, _)| *kind == line.kind());
    entry.map_or("", |(_, text)| text)
}

/// Refuses a line that names what is not there, or takes away what another line names.
///
/// # Errors
/// The text of IOS, with the name.
pub(super) fn check(
    running: &Running,
    line: &RetainedLine,
    kept: Option<Form>,
) -> Result<(), Refused> {
    match kept {
        Some(Form::Set) => named(running, line),
        None => unused(running, line),
        _ => Ok(()),
    }
}

fn named(running: &Running, line: &RetainedLine) -> Result<(), Refused> {
    if line.kind() == "r_entry_transform_set" {
        let sets = &running.crypto.transform_sets;
        let missing = after("set transform-set", line)
            .find(|name| *name != "default" && !sets.contains_key(*name));
        return match missing {
            Some(name) => Err(Refused::new(no_transform_set(name))),
            None => Ok(()),
        };
    }
    for reference in REFERENCES.iter().filter(|one| one.line == line.kind()) {
        let Some(name) = after(reference.before, line).next() else {
            continue;
        };
        let mut makers = reference.made_by.iter();
        let there = reference.built_in == Some(name)
            || makers.any(|(kind, words)| {
                let opener = format!("{words} {name}");
                running.retained.find(kind, &opener).is_some()
            });
        if !there {
            return Err(Refused::new(reference.refusal.replace("{}", name)));
        }
    }
    Ok(())
}

/// A proposal stays while a policy names it.
fn unused(running: &Running, line: &RetainedLine) -> Result<(), Refused> {
    let Some(name) = (PROPOSAL.iter())
        .find(|(kind, _)| *kind == line.kind())
        .and_then(|(_, words)| after(words, line).next())
    else {
        return Ok(());
    };
    let names_it = |entry: &RetainedEntry| {
        let mut lines = entry.block.iter().map(|entry| &entry.line);
        lines.any(|line| {
            line.kind() == "r_ikev2_policy_proposal"
                && after("proposal", line).any(|one| one == name)
        })
    };
    let mut policies = running.retained.iter();
    if policies.any(|entry| entry.line.kind() == "r_crypto_ikev2_policy" && names_it(entry)) {
        return Err(Refused::new("% Cannot remove as proposal is in use."));
    }
    Ok(())
}

/// The words of a line after these.
fn after<'a>(before: &str, line: &'a RetainedLine) -> impl Iterator<Item = &'a str> {
    let rest = line.words().strip_prefix(before).unwrap_or("");
    rest.split_whitespace()
}

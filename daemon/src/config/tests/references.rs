//! Retained lines that name other things, and what new objects say that they need.

use super::*;

#[test]
fn what_is_not_there_cannot_be_named_at_the_terminal() {
    let cases = [
        (
            "crypto ikev2 policy P",
            "proposal X",
            "% No Proposal exists with the specified name X",
            "crypto ikev2 proposal X",
        ),
        (
            "crypto ikev2 policy P",
            "match fvrf RED",
            "% fvrf RED not configured",
            "vrf definition RED",
        ),
        (
            "crypto ikev2 profile P",
            "match fvrf RED",
            "% fvrf RED not configured",
            "ip vrf RED",
        ),
        (
            "crypto ikev2 profile P",
            "ivrf RED",
            "% vrf RED not configured",
            "vrf definition RED",
        ),
        (
            "crypto ikev2 profile P",
            "keyring local K",
            "% Invalid keyring K",
            "crypto ikev2 keyring K",
        ),
        (
            "crypto ikev2 profile P",
            "pki trustpoint T verify",
            "% No such trustpoint T",
            "crypto pki trustpoint T",
        ),
        (
            "interface eth0",
            "vrf forwarding RED",
            "% VRF RED not configured",
            "vrf definition RED",
        ),
        (
            "interface eth0",
            "ip vrf forwarding RED",
            "% VRF RED not configured",
            "ip vrf RED",
        ),
        (
            "interface Tunnel0",
            "tunnel protection ipsec profile P shared",
            "Profile P is not defined.",
            "crypto ipsec profile P",
        ),
        (
            "crypto ipsec profile P",
            "set transform-set A B",
            "ERROR: transform set with tag \"B\" does not exist.",
            "crypto ipsec transform-set B esp-null esp-sha-hmac",
        ),
        (
            "crypto dynamic-map D 10",
            "set transform-set B",
            "ERROR: transform set with tag \"B\" does not exist.",
            "crypto ipsec transform-set B esp-null esp-sha-hmac",
        ),
    ];
    for (block, line, refusal, maker) in cases {
        let mut session = Session::of("crypto ipsec transform-set A esp-aes esp-sha-hmac\nexit");
        session.silently(block);
        session.refuses(line, refusal);
        session.silently(&format!("{maker}\n{block}\n{line}"));
        session.has(&format!(" {line}"));
    }
}

#[test]
fn what_is_always_there_need_not_be_made() {
    let session = Session::of(
        "crypto ikev2 policy P\nproposal default\nmatch fvrf any\ncrypto ipsec profile P\nset transform-set default\n\
         interface Tunnel0\ntunnel protection ipsec profile default",
    );
    session.has(" proposal default\n");
    session.has(" set transform-set default \n");
    session.has(" tunnel protection ipsec profile default\n");
}

#[test]
fn a_file_may_name_things_before_it_makes_them() {
    let text = "crypto ikev2 policy P\n proposal X\ncrypto ikev2 proposal X\n group 14\n";
    let (running, problems) = load(text, "f");
    assert_eq!(problems, []);
    assert!(render::text(&running).contains(" proposal X\n"));
}

#[test]
fn a_proposal_stays_while_a_policy_names_it() {
    let mut session = Session::of(
        "crypto ikev2 proposal X\ngroup 14\ncrypto ikev2 proposal Y\ncrypto ikev2 policy P\nproposal X\nexit",
    );
    session.refuses(
        "no crypto ikev2 proposal X",
        "% Cannot remove as proposal is in use.",
    );
    session.silently("no crypto ikev2 proposal Y\ncrypto ikev2 policy P\nno proposal X\nno crypto ikev2 proposal X");
    session.lacks("proposal X");
}

#[test]
fn a_new_object_says_once_what_it_needs() {
    let cases = [
        (
            "crypto ikev2 proposal P",
            "IKEv2 proposal MUST either have a set of an encryption algorithm other than aes-gcm, an integrity algorithm \
             and a DH group configured or \n encryption algorithm aes-gcm, a prf algorithm and a DH group configured\n",
        ),
        (
            "crypto ikev2 policy P",
            "IKEv2 policy MUST have atleast one complete proposal attached \n",
        ),
        (
            "crypto ikev2 profile P",
            "IKEv2 profile MUST have:\n   1. A local and a remote authentication method.\n   2. A match identity or a \
             match certificate or match any statement.\n",
        ),
        (
            "crypto isakmp profile P",
            "% A profile is deemed incomplete until it has match identity statements\n",
        ),
    ];
    let mut session = Session::default();
    for (line, note) in cases {
        let accepted = format!("% Accepted, not active in this release: {line}\n");
        let answer = session.line(line);
        assert_eq!(answer.as_deref(), Ok(&*format!("{note}{accepted}")));
        assert_eq!(session.line(line).as_deref(), Ok(&*accepted), "it is there");
    }
}

//! `crypto isakmp ...` and `crypto ipsec ...`.

use isthmus_grammar::command::{
    DfBit, Encapsulation, Form, IsakmpIdentity, IsakmpPolicyCommand, KeepaliveMode, KeyPeer,
    Replay, SaLifetime, Secret, Transform, TransformSetCommand,
};

use super::{Applied, Outcome, Refused, done};
use crate::config::model::{
    Change, IsakmpPolicy, Keepalive, Kept, PreSharedKey, PreSharedKeys, ReplayWindow, Retained,
    Running, TransformSet,
};
use crate::config::{encrypt, secret};

/// `crypto isakmp policy PRIORITY`.
pub(super) fn select_policy(running: &mut Running, form: Form, priority: u16) -> Outcome {
    let policies = &mut running.crypto.policies;
    let changed = match form {
        Form::Set if policies.contains_key(&priority) => false,
        Form::Set => policies.insert(priority, IsakmpPolicy::default()).is_none(),
        Form::No | Form::Default => policies.remove(&priority).is_some(),
    };
    if changed {
        running.note(Change::Isakmp);
    }
    done()
}

/// A command of `(config-isakmp)#`.
pub(super) fn policy(
    running: &mut Running,
    priority: u16,
    form: Form,
    command: &IsakmpPolicyCommand,
) -> Applied {
    let default = IsakmpPolicy::default();
    let policy = running.crypto.policies.entry(priority).or_default();
    let on = form == Form::Set;
    match command {
        IsakmpPolicyCommand::Encryption(value) => {
            policy.encryption = value.filter(|_| on).unwrap_or(default.encryption);
        }
        IsakmpPolicyCommand::Hash(value) => {
            policy.hash = value.filter(|_| on).unwrap_or(default.hash)
        }
        IsakmpPolicyCommand::Authentication(value) => {
            policy.authentication = value.filter(|_| on).unwrap_or(default.authentication);
        }
        IsakmpPolicyCommand::Group(value) => {
            policy.group = value.filter(|_| on).unwrap_or(default.group)
        }
        IsakmpPolicyCommand::Lifetime(value) => {
            policy.lifetime = value.filter(|_| on).unwrap_or(default.lifetime)
        }
    }
    running.note(Change::Isakmp);
    Applied::default()
}

/// `crypto isakmp key`.
pub(super) fn key(
    running: &mut Running,
    form: Form,
    key: Option<&Secret>,
    peer: &KeyPeer,
    no_xauth: bool,
) -> Outcome {
    if let KeyPeer::Address {
        mask: Some(mask), ..
    } = peer
        && ipnet::ip_mask_to_prefix((*mask).into()).is_err()
    {
        return Err(Refused::new(format!(
            "% Bad mask {mask} for a key: mask bits must be contiguous"
        )));
    }
    let master = running.master.clone();
    let encodings = running.encodings();
    let keys = &mut running.crypto.keys;
    match (form, key) {
        (Form::Set, Some(key)) => {
            let key = match keys.get(peer) {
                Some(old) if secret::same_key(&old.key, key, master.as_ref()) => &old.key,
                // A key that nothing can read any more makes room for one that works.
                Some(old) if secret::reveal(&old.key, master.as_ref()).is_ok() => {
                    return Err(Refused::new(already(peer)));
                }
                _ => key,
            };
            let key = encrypt::encoded_key(key, &encodings);
            keys.insert(peer, PreSharedKey { key, no_xauth });
        }
        _ => {
            keys.remove(peer);
        }
    }
    running.note(Change::Keys);
    done()
}

fn already(peer: &KeyPeer) -> String {
    match PreSharedKeys::canonical(peer) {
        KeyPeer::Address { address, mask } => {
            let mask = mask.map(|mask| format!(" {mask}")).unwrap_or_default();
            format!("A pre-shared key for address mask {address}{mask} already exists!")
        }
        KeyPeer::Hostname(name) => format!("A pre-shared key for hostname {name} already exists!"),
    }
}

/// `crypto isakmp enable`.
pub(super) fn enable(running: &mut Running, form: Form) -> Outcome {
    running.crypto.isakmp_enabled = form != Form::No;
    running.note(Change::Isakmp);
    done()
}

/// `crypto isakmp identity`.
pub(super) fn identity(
    running: &mut Running,
    form: Form,
    identity: Option<IsakmpIdentity>,
) -> Outcome {
    running.crypto.identity = identity
        .filter(|_| form == Form::Set)
        .unwrap_or(IsakmpIdentity::Address);
    running.note(Change::Isakmp);
    done()
}

/// `crypto isakmp keepalive`.
pub(super) fn keepalive(
    running: &mut Running,
    form: Form,
    seconds: Option<u16>,
    retry: Option<u8>,
    mode: Option<KeepaliveMode>,
) -> Outcome {
    running.crypto.keepalive = seconds
        .filter(|_| form == Form::Set)
        .map(|seconds| Keepalive {
            seconds,
            retry: retry.unwrap_or(2),
            mode: mode.unwrap_or(KeepaliveMode::OnDemand),
        });
    running.note(Change::Isakmp);
    done()
}

/// `crypto ipsec security-association lifetime`.
pub(super) fn lifetime(running: &mut Running, form: Form, lifetime: SaLifetime) -> Outcome {
    match form {
        Form::Set => running.crypto.lifetime.set(lifetime),
        Form::No | Form::Default => running.crypto.lifetime.clear(lifetime),
    }
    running.note(Change::Ipsec);
    done()
}

/// `crypto ipsec security-association replay`.
pub(super) fn replay(running: &mut Running, form: Form, replay: Replay) -> Outcome {
    running.crypto.replay = match (form, replay) {
        (Form::Set, Replay::Disable) => ReplayWindow(None),
        (Form::Set, Replay::WindowSize(Some(packets))) => ReplayWindow(Some(packets)),
        _ => ReplayWindow::default(),
    };
    running.note(Change::Ipsec);
    done()
}

/// `crypto ipsec df-bit`.
pub(super) fn df_bit(running: &mut Running, form: Form, value: Option<DfBit>) -> Outcome {
    running.crypto.df_bit = value.filter(|_| form == Form::Set).unwrap_or(DfBit::Copy);
    running.note(Change::Ipsec);
    done()
}

/// `crypto ipsec transform-set NAME T...`: makes it, or replaces its transforms and keeps its mode.
pub(super) fn transform_set(
    running: &mut Running,
    form: Form,
    name: &str,
    transforms: &[Transform],
) -> Outcome {
    let sets = &mut running.crypto.transform_sets;
    if form == Form::Set {
        check(transforms)?;
        let set = sets.entry(name.to_owned()).or_insert_with(|| TransformSet {
            transforms: Vec::new(),
            mode: Encapsulation::Tunnel,
            kept: Kept::default(),
            retained: Retained::default(),
        });
        set.transforms = transforms.to_vec();
    } else if sets.shift_remove(name).is_none() {
        return Err(Refused::new(no_transform_set(name)));
    }
    running.note(Change::TransformSet(name.to_owned()));
    done()
}

pub(super) fn no_transform_set(name: &str) -> String {
    format!("ERROR: transform set with tag \"{name}\" does not exist.")
}

/// At most one AH, one ESP cipher, one ESP authentication, one compression; ESP authentication needs a cipher, and a
/// combined cipher (GCM, GMAC) brings its own.
fn check(transforms: &[Transform]) -> Result<(), Refused> {
    let count =
        |wanted: fn(&Transform) -> bool| transforms.iter().filter(|one| wanted(one)).count();
    let ah = count(|one| matches!(one, Transform::Ah(_)));
    let authentication = count(|one| matches!(one, Transform::EspAuth(_)));
    let compression = count(|one| matches!(one, Transform::CompLzs));
    let combined = count(|one| matches!(one, Transform::EspGcm(_) | Transform::EspGmac(_)));
    let ciphers = transforms.len() - ah - authentication - compression;
    let trouble = if ah > 1 {
        "Only one AH transform is allowed"
    } else if ciphers > 1 {
        "Only one ESP encryption transform is allowed"
    } else if authentication > 1 {
        "Only one ESP authentication transform is allowed"
    } else if compression > 1 {
        "Only one compression transform is allowed"
    } else if authentication == 1 && ciphers == 0 {
        "Proposal with ESP is missing cipher"
    } else if authentication == 1 && combined == 1 {
        "esp-gcm and esp-gmac authenticate themselves: leave the ESP authentication transform out"
    } else if ah + ciphers == 0 {
        "Proposal needs AH or ESP"
    } else {
        return Ok(());
    };
    Err(Refused::new(trouble))
}

/// `mode` in `(cfg-crypto-trans)#`.
pub(super) fn transform_set_mode(
    running: &mut Running,
    name: &str,
    form: Form,
    command: &TransformSetCommand,
) -> Applied {
    let TransformSetCommand::Mode(mode) = command;
    if let Some(set) = running.crypto.transform_sets.get_mut(name) {
        set.mode = mode
            .filter(|_| form == Form::Set)
            .unwrap_or(Encapsulation::Tunnel);
    }
    running.note(Change::TransformSet(name.to_owned()));
    Applied::default()
}

//! Keys and passwords that are not kept in clear: under the master key (`password encryption aes` with
//! `key config-key password-encrypt`), or as type 7 in lines that are only retained.
//!
//! The running-config holds pre-shared keys only encrypted (type 6); `plan` decrypts them for the engine. The master key
//! is in the state folder, in a file of its own that only the daemon's user can read; no command shows it.

use std::fs;
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use isthmus_grammar::command::{KeyPeer, RetainedLine, Secret, SecretEncoding};
use zeroize::Zeroizing;

use super::model::{PreSharedKeys, Running};
use super::secret::{self, MasterKey, Unusable, type7};

/// The file in the state folder.
fn file(state: &Path) -> PathBuf {
    state.join("master-key")
}

/// The master key that an earlier run kept.
///
/// # Errors
/// The file is there and cannot be read, or holds no master key.
pub fn read_master(state: &Path) -> io::Result<Option<MasterKey>> {
    match fs::read_to_string(file(state)).map(Zeroizing::new) {
        Ok(text) => match MasterKey::new(&text) {
            Some(master) => Ok(Some(master)),
            None => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the file holds no master key of 8 to 127 characters",
            )),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps the master key for the next start, or forgets it.
///
/// # Errors
/// The file on disk is as it was.
pub fn keep_master(state: &Path, master: Option<&MasterKey>) -> io::Result<()> {
    let file = file(state);
    let Some(master) = master else {
        return match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    };
    fs::create_dir_all(state)?;
    let fresh = file.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut out = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    out.write_all(master.expose().as_bytes())?;
    out.sync_all()?;
    fs::rename(&fresh, &file)
}

/// How keys and passwords that are typed in clear are to be kept.
#[derive(Debug, Clone, Default)]
pub struct Encodings {
    /// As type 6, under this master key.
    six: Option<MasterKey>,
    /// As type 7.
    seven: bool,
}

impl Running {
    /// What `password encryption aes` and `service password-encryption` ask for.
    pub(crate) fn encodings(&self) -> Encodings {
        Encodings {
            six: self.master.clone().filter(|_| self.password_aes),
            seven: self.services.password_encryption,
        }
    }
}

/// A retained line with what stands in clear encoded; the line that is `known` in its place, if that means the same, so
/// that typing a line again changes nothing. Without random numbers a key stays as it is.
pub(crate) fn encoded(
    line: &RetainedLine,
    known: Option<&RetainedLine>,
    to: &Encodings,
) -> RetainedLine {
    if !line.has_secrets() {
        return line.clone();
    }
    let clear = in_clear(line, to);
    if let Some(known) = known.filter(|known| in_clear(known, to) == clear) {
        return encoded(known, None, to);
    }
    line.recoded(|types, present, text| match (present, &to.six) {
        (Some(_), _) => None,
        (None, Some(master)) if types.six => Some((6, Zeroizing::new(master.encrypt(text)?))),
        (None, _) if types.seven && to.seven => Some((7, type7::encode(text))),
        _ => None,
    })
}

/// A line with its secrets in clear, as far as they can be read, to be compared with another.
fn in_clear(line: &RetainedLine, to: &Encodings) -> RetainedLine {
    line.recoded(|_, present, text| {
        let clear = match present {
            None => Zeroizing::new(text.to_owned()),
            Some(6) => to.six.as_ref()?.decrypt(text)?,
            Some(7) => type7::decode(text)?,
            Some(_) => return None,
        };
        Some((0, clear))
    })
}

/// A pre-shared key as it is to be kept. Without random numbers it stays as it is: it works.
pub(crate) fn encoded_key(key: &Secret, to: &Encodings) -> Secret {
    let text = match (key.encoding(), &to.six) {
        (SecretEncoding::Clear, Some(master)) => master.encrypt(key.expose()),
        _ => None,
    };
    match text {
        Some(text) => Secret::new(Some(SecretEncoding::Type6), text),
        None => key.clone(),
    }
}

/// Encodes what stands in clear, if it is to be.
pub fn settle(running: &mut Running) {
    let to = running.encodings();
    if to.six.is_some() || to.seven {
        let change = |line: &RetainedLine| encoded(line, None, &to);
        let places = running.retained_mut();
        places.for_each(|retained| retained.change_secrets(&change));
    }
    if to.six.is_some() {
        for key in running.crypto.keys.values_mut() {
            key.key = encoded_key(&key.key, &to);
        }
    }
}

/// Goes over to another master key: what the old one opens is encrypted again.
pub fn change_master(running: &mut Running, master: Option<MasterKey>) {
    let old = std::mem::replace(&mut running.master, master);
    if let (Some(old), Some(new)) = (old, running.master.clone()) {
        let again = |text: &str| new.encrypt(&old.decrypt(text)?);
        for key in running.crypto.keys.values_mut() {
            let text = match key.key.encoding() {
                SecretEncoding::Type6 => again(key.key.expose()),
                _ => None,
            };
            if let Some(text) = text {
                key.key = Secret::new(Some(SecretEncoding::Type6), text);
            }
        }
        let change = |line: &RetainedLine| {
            line.recoded(|_, present, text| match present {
                Some(6) => Some((6, Zeroizing::new(again(text)?))),
                _ => None,
            })
        };
        let places = running.retained_mut();
        places.for_each(|retained| retained.change_secrets(&change));
    }
    settle(running);
}

/// The keys that cannot be used: the peer that each is for, and why.
pub fn unusable(running: &Running) -> impl Iterator<Item = (&KeyPeer, Unusable)> {
    running.crypto.keys.iter().filter_map(|(peer, key)| {
        let why = match key.key.encoding() {
            SecretEncoding::Clear => return None,
            _ => secret::reveal(&key.key, running.master.as_ref()).err()?,
        };
        Some((peer, why))
    })
}

/// What is wrong with the key for a peer that there is no usable key for.
#[must_use]
pub fn trouble_with(running: &Running, address: IpAddr) -> Option<String> {
    let covers = |peer: &KeyPeer| match peer {
        KeyPeer::Address {
            address: known,
            mask,
        } => {
            let mask = mask.map_or(u32::MAX, u32::from);
            let IpAddr::V4(address) = address else {
                return false;
            };
            u32::from(address) & mask == u32::from(*known) & mask
        }
        KeyPeer::Hostname(_) => false,
    };
    unusable(running)
        .find(|(peer, _)| covers(peer))
        .map(|(peer, why)| complaint(peer, why))
}

/// What an operator is told about a key that cannot be used: the line and what to do.
#[must_use]
pub fn complaint(peer: &KeyPeer, why: Unusable) -> String {
    let whom = match PreSharedKeys::canonical(peer) {
        KeyPeer::Address {
            address,
            mask: Some(mask),
        } if !mask.is_broadcast() => format!("address {address} {mask}"),
        KeyPeer::Address { address, .. } => format!("address {address}"),
        KeyPeer::Hostname(name) => format!("hostname {name}"),
    };
    format!("crypto isakmp key ... {whom}: the key cannot be used, {why}")
}

//! Passwords, users, `aaa`, `login`, `privilege`, type 6 keys.

use isthmus_grammar::PrivilegeRule;
use isthmus_grammar::command::{
    AaaMethod, CommandMode, CredentialKind, Form, HashAlgorithm, LoginCommand, Secret,
    SecretEncoding, UserLine, UserLogin,
};
use isthmus_grammar::privilege::spell;

use super::{Origin, Outcome, Refused, done, given};
use crate::config::model::{Change, Running};
use crate::config::{encrypt, secret};

/// `enable password` and `enable secret`.
pub(super) fn enable(
    running: &mut Running,
    form: Form,
    origin: Origin,
    key: (u8, CredentialKind),
    secret: (Option<HashAlgorithm>, &Option<Secret>),
) -> Outcome {
    match given(form, secret.1) {
        Some(typed) => {
            let known = running.enable.get(&key);
            let stored = stored(running, key.1, (secret.0, &typed), known, origin)?;
            running.enable.insert(key, stored);
        }
        None => {
            running.enable.remove(&key);
        }
    }
    running.note(Change::System);
    done()
}

/// `username NAME ...`. The `no` of a login line takes the whole user away.
pub(super) fn username(
    running: &mut Running,
    form: Form,
    origin: Origin,
    name: &str,
    line: &UserLine,
) -> Outcome {
    let set = form == Form::Set;
    match line {
        UserLine::Login(login) if set => user(running, origin, name, login)?,
        UserLine::Login(_) => {
            running.users.shift_remove(name);
        }
        UserLine::Autocommand(_) | UserLine::NoHangup
            if !set && !running.users.contains_key(name) => {}
        UserLine::Autocommand(command) => {
            let user = running.users.entry(name.to_owned()).or_default();
            user.autocommand = given(form, command);
        }
        UserLine::NoHangup => {
            running.users.entry(name.to_owned()).or_default().no_hangup = set;
        }
    }
    running.note(Change::System);
    done()
}

fn user(
    running: &mut Running,
    origin: Origin,
    name: &str,
    login: &UserLogin,
) -> Result<(), Refused> {
    let known = running.users.get(name);
    let known = known.and_then(|user| user.credential.as_ref());
    let fresh = match &login.credential {
        Some((kind, _)) if known.is_some_and(|(other, _)| other != kind) => {
            return Err(Refused::new(
                "ERROR: Can not have both a user password and a user secret.\n\
                 Please choose one or the other.",
            ));
        }
        Some((kind, typed)) => {
            let known = known.map(|(_, secret)| secret);
            let stored = stored(running, *kind, (login.algorithm, typed), known, origin)?;
            Some((*kind, stored))
        }
        None => None,
    };
    let user = running.users.entry(name.to_owned()).or_default();
    user.privilege = login.privilege.or(user.privilege);
    user.one_time |= login.one_time;
    if fresh.is_some() {
        user.credential = fresh;
        user.no_password = false;
    } else if login.no_password {
        user.credential = None;
        user.no_password = true;
    }
    Ok(())
}

/// A password or secret as it is kept: a `secret` in clear only as its hash, a `password` as type 7 under
/// `service password-encryption`; the known one if it means the same.
fn stored(
    running: &Running,
    kind: CredentialKind,
    (algorithm, typed): (Option<HashAlgorithm>, &Secret),
    known: Option<&Secret>,
    origin: Origin,
) -> Result<Secret, Refused> {
    if typed.encoding() != SecretEncoding::Clear {
        // A secret in a file may be damaged, also on purpose: it opens to nothing.
        if origin == Origin::Terminal && !secret::is_well_formed(typed) {
            return Err(not_encrypted(kind, typed.encoding()));
        }
        return Ok(typed.clone());
    }
    match kind {
        CredentialKind::Password if running.services.password_encryption => {
            Ok(secret::obscured(typed, known))
        }
        CredentialKind::Password => Ok(typed.clone()),
        CredentialKind::Secret => {
            let same = |known: &&Secret| {
                let wanted = algorithm.is_none_or(|algorithm| secret::made_by(known, algorithm));
                wanted && secret::opens(known, typed.expose())
            };
            if let Some(known) = known.filter(same) {
                return Ok(known.clone());
            }
            let algorithm = algorithm.unwrap_or(secret::DEFAULT_ALGORITHM);
            secret::hash(typed.expose(), algorithm).ok_or_else(|| {
                Refused::new("% The system has no random numbers to hash the secret with")
            })
        }
    }
}

fn not_encrypted(kind: CredentialKind, encoding: SecretEncoding) -> Refused {
    if kind == CredentialKind::Password {
        return Refused::new("Invalid encrypted password");
    }
    Refused::new(format!(
        "ERROR: The secret you entered is not a valid encrypted secret.\n\
         To enter an UNENCRYPTED secret, do not specify type {encoding} encryption.\n\
         When you properly enter an UNENCRYPTED secret, it will be encrypted."
    ))
}

/// `service password-encryption`: from now on, and at once for every password in clear.
pub(super) fn password_encryption(running: &mut Running, on: bool) -> Outcome {
    running.services.password_encryption = on;
    if on {
        let enable = running.enable.iter_mut();
        let enable = enable.filter(|((_, kind), _)| *kind == CredentialKind::Password);
        let users = running.users.values_mut();
        let users = users.filter_map(|user| user.credential.as_mut());
        let users = users.filter(|(kind, _)| *kind == CredentialKind::Password);
        let lines = running.lines.values_mut();
        let lines = lines.filter_map(|line| line.password.as_mut());
        let all = enable.map(|(_, password)| password);
        let all = all.chain(users.map(|(_, password)| password)).chain(lines);
        for password in all {
            *password = secret::obscured(password, None);
        }
        encrypt::settle(running);
    }
    running.note(Change::System);
    done()
}

/// What concerns who may come in.
pub(super) fn apply(running: &mut Running, form: Form, command: &LoginCommand) -> Outcome {
    let on = form == Form::Set;
    running.note(Change::System);
    match command {
        LoginCommand::AaaNewModel => {
            running.aaa.new_model = on;
            if !on {
                running.aaa = Default::default();
            }
        }
        LoginCommand::AaaAuthenticationLogin { list, methods } => {
            return lists(running, on, |aaa| &mut aaa.login, list, methods);
        }
        LoginCommand::AaaAuthenticationEnable(methods) => {
            need_new_model(running)?;
            running.aaa.enable = if on { methods.clone() } else { Vec::new() };
        }
        LoginCommand::AaaAuthorizationExec { list, methods } => {
            return lists(running, on, |aaa| &mut aaa.exec, list, methods);
        }
        LoginCommand::KeyConfigKey(_) => {
            return Err(Refused::new(
                "% The master key is no part of the configuration: type key config-key at the console.",
            ));
        }
        LoginCommand::LoginDelay(seconds) => running.login.delay = given(form, seconds),
        LoginCommand::LoginLog { success: true } => running.login.log_success = on,
        LoginCommand::LoginLog { success: false } => running.login.log_failure = on,
        LoginCommand::PasswordEncryptionAes => {
            running.password_aes = on;
            encrypt::settle(running);
            running.note(Change::Keys);
        }
        LoginCommand::Privilege {
            mode,
            all,
            level,
            command,
        } => return privilege(running, *mode, *all, level.filter(|_| on), command),
    }
    done()
}

fn need_new_model(running: &Running) -> Result<(), Refused> {
    if running.aaa.new_model {
        return Ok(());
    }
    Err(Refused::new(
        "% aaa lists need the new model: type aaa new-model first.",
    ))
}

fn lists(
    running: &mut Running,
    on: bool,
    which: impl FnOnce(
        &mut crate::config::model::Aaa,
    ) -> &mut indexmap::IndexMap<String, Vec<AaaMethod>>,
    list: &str,
    methods: &[AaaMethod],
) -> Outcome {
    need_new_model(running)?;
    let lists = which(&mut running.aaa);
    if on {
        lists.insert(list.to_owned(), methods.to_vec());
    } else {
        lists.shift_remove(list);
    }
    done()
}

/// The most characters of a command that `privilege` names.
const PRIVILEGED: usize = 256;
/// The most commands that `privilege` names: every console gets them all.
const PRIVILEGES: usize = 2000;

fn privilege(
    running: &mut Running,
    mode: CommandMode,
    all: bool,
    level: Option<u8>,
    command: &str,
) -> Outcome {
    let full = level.is_some() && running.privileges.len() >= PRIVILEGES;
    if command.len() > PRIVILEGED || full {
        return Err(Refused::new(format!(
            "% A command of privilege may have {PRIVILEGED} characters, and there may be {PRIVILEGES} of them"
        )));
    }
    let Ok(command) = spell(mode, command) else {
        return Err(Refused::new(format!(
            "% No command of mode {mode} begins with \"{command}\""
        )));
    };
    match level {
        Some(level) => running.privileges.set(PrivilegeRule {
            mode,
            command,
            all,
            level,
        }),
        None => {
            running.privileges.reset(mode, &command);
        }
    }
    running.note(Change::Commands);
    done()
}

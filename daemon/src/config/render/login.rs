//! Passwords, users, `aaa`, `login`, `privilege`.

use isthmus_grammar::command::{
    CredentialKind, Form, GlobalCommand, LoginCommand, Secret, SecretEncoding, UserLine, UserLogin,
};

use super::Page;
use crate::config::model::Running;

pub(super) fn enable(page: &mut Page, running: &Running) {
    for wanted in [CredentialKind::Secret, CredentialKind::Password] {
        for ((level, kind), secret) in &running.enable {
            if *kind == wanted {
                let command = GlobalCommand::Enable {
                    kind: *kind,
                    algorithm: None,
                    level: (*level != 15).then_some(*level),
                    secret: Some(secret.clone()),
                };
                page.global(Form::Set, command);
            }
        }
    }
}

pub(super) fn users(page: &mut Page, running: &Running) {
    for (name, user) in &running.users {
        let privilege = user.privilege.filter(|level| *level != 1 || page.all);
        let mut add = |line| {
            let name = name.clone();
            page.global(Form::Set, GlobalCommand::Username { name, line });
        };
        add(UserLine::Login(UserLogin {
            privilege,
            one_time: user.one_time,
            no_password: user.no_password,
            algorithm: None,
            credential: user
                .credential
                .as_ref()
                .map(|(kind, secret)| (*kind, with_type(secret))),
        }));
        if user.no_hangup {
            add(UserLine::NoHangup);
        }
        if let Some(command) = &user.autocommand {
            add(UserLine::Autocommand(Some(command.clone())));
        }
    }
}

/// A user's password carries its type always, also 0.
fn with_type(secret: &Secret) -> Secret {
    let encoding = secret.typed_encoding().unwrap_or(SecretEncoding::Clear);
    Secret::new(Some(encoding), secret.expose())
}

pub(super) fn aaa(page: &mut Page, running: &Running) {
    let aaa = &running.aaa;
    let form = if aaa.new_model { Form::Set } else { Form::No };
    page.global(form, GlobalCommand::Login(LoginCommand::AaaNewModel));
    let mut set = |command| page.global(Form::Set, GlobalCommand::Login(command));
    for (list, methods) in &aaa.login {
        set(LoginCommand::AaaAuthenticationLogin {
            list: list.clone(),
            methods: methods.clone(),
        });
    }
    if !aaa.enable.is_empty() {
        set(LoginCommand::AaaAuthenticationEnable(aaa.enable.clone()));
    }
    for (list, methods) in &aaa.exec {
        set(LoginCommand::AaaAuthorizationExec {
            list: list.clone(),
            methods: methods.clone(),
        });
    }
}

pub(super) fn login(page: &mut Page, running: &Running) {
    let login = running.login;
    let mut set = |command| page.global(Form::Set, GlobalCommand::Login(command));
    if login.delay.is_some() {
        set(LoginCommand::LoginDelay(login.delay));
    }
    for (on, success) in [(login.log_failure, false), (login.log_success, true)] {
        if on {
            set(LoginCommand::LoginLog { success });
        }
    }
    if running.password_aes {
        set(LoginCommand::PasswordEncryptionAes);
    }
}

pub(super) fn privileges(page: &mut Page, running: &Running) {
    for rule in running.privileges.iter() {
        let command = LoginCommand::Privilege {
            mode: rule.mode,
            all: rule.all,
            level: Some(rule.level),
            command: rule.command,
        };
        page.global(Form::Set, GlobalCommand::Login(command));
    }
}

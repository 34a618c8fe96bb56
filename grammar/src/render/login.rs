//! Commands about logging in.

use super::{Out, credential_words};
use crate::command::{AaaMethod, LoginCommand, UserLine};
use crate::modes::Mode;

pub(super) fn login(out: &mut Out, command: &LoginCommand) {
    match command {
        LoginCommand::AaaNewModel => out.word("aaa new-model"),
        LoginCommand::AaaAuthenticationLogin { list, methods } => {
            out.pair("aaa authentication login", Some(list));
            self::methods(out, methods);
        }
        LoginCommand::AaaAuthenticationEnable(methods) => {
            out.word("aaa authentication enable default");
            self::methods(out, methods);
        }
        LoginCommand::AaaAuthorizationExec { list, methods } => {
            out.pair("aaa authorization exec", Some(list));
            self::methods(out, methods);
        }
        LoginCommand::KeyConfigKey(key) => {
            out.word("key config-key password-encrypt");
            if let Some(key) = key {
                out.secret(key);
            }
        }
        LoginCommand::LoginDelay(seconds) => {
            out.word("login delay");
            out.optional(*seconds);
        }
        LoginCommand::LoginLog { success } => {
            let event = if *success { "on-success" } else { "on-failure" };
            out.pair("login", Some(event));
            out.word("log");
        }
        LoginCommand::PasswordEncryptionAes => out.word("password encryption aes"),
        LoginCommand::Privilege {
            mode,
            all,
            level,
            command,
        } => {
            out.pair("privilege", Some(mode));
            out.flag("all", *all);
            match level {
                Some(level) => out.pair("level", Some(level)),
                None => out.word("reset"),
            }
            out.command(mode.mode(), command);
        }
    }
}

fn methods(out: &mut Out, methods: &[AaaMethod]) {
    for method in methods {
        match method {
            AaaMethod::Enable => out.word("enable"),
            AaaMethod::Group(name) => out.pair("group", Some(name)),
            AaaMethod::IfAuthenticated => out.word("if-authenticated"),
            AaaMethod::Line => out.word("line"),
            AaaMethod::Local => out.word("local"),
            AaaMethod::LocalCase => out.word("local-case"),
            AaaMethod::None => out.word("none"),
        }
    }
}

pub(super) fn user(out: &mut Out, line: &UserLine) {
    match line {
        UserLine::Login(login) => {
            out.pair("privilege", login.privilege);
            out.flag("one-time", login.one_time);
            out.flag("nopassword", login.no_password);
            out.pair("algorithm-type", login.algorithm);
            if let Some((kind, secret)) = &login.credential {
                credential_words(out, *kind, secret);
            }
        }
        UserLine::Autocommand(command) => autocommand(out, command.as_deref()),
        UserLine::NoHangup => out.word("nohangup"),
    }
}

pub(super) fn autocommand(out: &mut Out, command: Option<&str>) {
    out.word("autocommand");
    if let Some(command) = command {
        out.command(Mode::Exec, command);
    }
}

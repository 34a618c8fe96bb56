//! Commands about logging in.

use crate::command::{AaaMethod, CommandMode, HashAlgorithm, LoginCommand, Secret};
use crate::matched::Part;
use crate::tree::Rule;

pub(super) fn command(part: Part<'_>) -> Option<LoginCommand> {
    Some(match part.rule() {
        Rule::aaa_new_model => LoginCommand::AaaNewModel,
        Rule::aaa_authentication_login | Rule::no_aaa_authentication_login => {
            LoginCommand::AaaAuthenticationLogin {
                list: list(part),
                methods: methods(part)?,
            }
        }
        Rule::aaa_authentication_enable | Rule::no_aaa_authentication_enable => {
            LoginCommand::AaaAuthenticationEnable(methods(part)?)
        }
        Rule::aaa_authorization_exec | Rule::no_aaa_authorization_exec => {
            LoginCommand::AaaAuthorizationExec {
                list: list(part),
                methods: methods(part)?,
            }
        }
        Rule::key_config => LoginCommand::KeyConfigKey(
            part.text(Rule::a_master_key)
                .map(|key| Secret::new(None, key)),
        ),
        Rule::login_delay => LoginCommand::LoginDelay(part.number(Rule::a_login_delay)?),
        Rule::login_log => LoginCommand::LoginLog {
            success: part.has(Rule::k_on_success),
        },
        Rule::password_aes => LoginCommand::PasswordEncryptionAes,
        Rule::privilege | Rule::no_privilege => LoginCommand::Privilege {
            mode: command_mode(part)?,
            all: part.has(Rule::k_privilege_all),
            level: part.number(Rule::a_level)?,
            command: part.name(Rule::a_privileged_command)?,
        },
        _ => return None,
    })
}

/// The mode of `privilege` or `alias`, if it was typed.
pub(super) fn command_mode(part: Part<'_>) -> Option<CommandMode> {
    CommandMode::from_word(part.text(Rule::command_mode)?)
}

fn list(part: Part<'_>) -> String {
    part.name(Rule::a_method_list)
        .unwrap_or_else(|| "default".to_owned())
}

fn methods(part: Part<'_>) -> Option<Vec<AaaMethod>> {
    let methods = part.parts().filter(|child| {
        matches!(
            child.rule(),
            Rule::login_method | Rule::enable_method | Rule::exec_method
        )
    });
    methods.map(|method| self::method(method)).collect()
}

fn method(part: Part<'_>) -> Option<AaaMethod> {
    Some(match part.parts().next()?.rule() {
        Rule::k_method_enable => AaaMethod::Enable,
        Rule::k_method_group => AaaMethod::Group(part.name(Rule::a_server_group)?),
        Rule::k_method_if_authenticated => AaaMethod::IfAuthenticated,
        Rule::k_method_line => AaaMethod::Line,
        Rule::k_method_local => AaaMethod::Local,
        Rule::k_method_local_case => AaaMethod::LocalCase,
        Rule::k_method_none => AaaMethod::None,
        _ => return None,
    })
}

/// `algorithm-type NAME`, if it was typed.
pub(super) fn algorithm(part: Part<'_>) -> Option<HashAlgorithm> {
    let name = part.child(Rule::algorithm)?.parts().nth(1)?;
    HashAlgorithm::from_word(name.word())
}

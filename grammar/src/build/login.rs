//! Commands about logging in.

use pest::iterators::Pair;

use super::Node;
use crate::command::{AaaMethod, CommandMode, HashAlgorithm, LoginCommand, Secret};
use crate::parser::Rule;

pub(super) fn command(pair: &Pair<'_, Rule>) -> Option<LoginCommand> {
    Some(match pair.as_rule() {
        Rule::aaa_new_model => LoginCommand::AaaNewModel,
        Rule::aaa_authentication_login | Rule::no_aaa_authentication_login => {
            LoginCommand::AaaAuthenticationLogin {
                list: list(pair),
                methods: methods(pair)?,
            }
        }
        Rule::aaa_authentication_enable | Rule::no_aaa_authentication_enable => {
            LoginCommand::AaaAuthenticationEnable(methods(pair)?)
        }
        Rule::aaa_authorization_exec | Rule::no_aaa_authorization_exec => {
            LoginCommand::AaaAuthorizationExec {
                list: list(pair),
                methods: methods(pair)?,
            }
        }
        Rule::key_config => LoginCommand::KeyConfigKey(
            pair.text(Rule::a_master_key)
                .map(|key| Secret::new(None, key)),
        ),
        Rule::login_delay | Rule::no_login_delay => {
            LoginCommand::LoginDelay(pair.number(Rule::a_login_delay)?)
        }
        Rule::login_log => LoginCommand::LoginLog {
            success: pair.has(Rule::k_on_success),
        },
        Rule::password_aes => LoginCommand::PasswordEncryptionAes,
        Rule::privilege | Rule::no_privilege => LoginCommand::Privilege {
            mode: command_mode(pair)?,
            all: pair.has(Rule::k_privilege_all),
            level: pair.number(Rule::a_level)?,
            command: pair.name(Rule::a_privileged_command)?,
        },
        _ => return None,
    })
}

/// The mode of `privilege` or `alias`, if it was typed.
pub(super) fn command_mode(pair: &Pair<'_, Rule>) -> Option<CommandMode> {
    CommandMode::from_word(pair.text(Rule::command_mode)?.trim())
}

fn list(pair: &Pair<'_, Rule>) -> String {
    pair.name(Rule::a_method_list)
        .unwrap_or_else(|| "default".to_owned())
}

fn methods(pair: &Pair<'_, Rule>) -> Option<Vec<AaaMethod>> {
    let methods = pair.clone().into_inner().filter(|child| {
        matches!(
            child.as_rule(),
            Rule::login_method | Rule::enable_method | Rule::exec_method
        )
    });
    methods.map(|method| self::method(&method)).collect()
}

fn method(pair: &Pair<'_, Rule>) -> Option<AaaMethod> {
    Some(match pair.clone().into_inner().next()?.as_rule() {
        Rule::k_method_enable => AaaMethod::Enable,
        Rule::k_method_group => AaaMethod::Group(pair.name(Rule::a_server_group)?),
        Rule::k_method_if_authenticated => AaaMethod::IfAuthenticated,
        Rule::k_method_line => AaaMethod::Line,
        Rule::k_method_local => AaaMethod::Local,
        Rule::k_method_local_case => AaaMethod::LocalCase,
        Rule::k_method_none => AaaMethod::None,
        _ => return None,
    })
}

/// `algorithm-type NAME`, if it was typed.
pub(super) fn algorithm(pair: &Pair<'_, Rule>) -> Option<HashAlgorithm> {
    let name = pair.child(Rule::algorithm)?.into_inner().nth(1)?;
    HashAlgorithm::from_word(name.as_str())
}

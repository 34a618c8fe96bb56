//! Who may come in and what they may do: `aaa`, `login`, `privilege`, `key config-key`.

use super::{CredentialKind, Secret};
use crate::modes::Mode;

words! {
    /// How a clear text secret is hashed.
    pub enum HashAlgorithm {
        /// MD5 crypt, type 5.
        Md5 => "md5",
        /// scrypt, type 9.
        Scrypt => "scrypt",
        /// PBKDF2 with SHA-256, type 8.
        Sha256 => "sha256",
    }
}

/// A method of authentication or authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AaaMethod {
    /// `enable`: the enable secret.
    Enable,
    /// `group NAME`: servers.
    Group(String),
    /// `if-authenticated`.
    IfAuthenticated,
    /// `line`: the line's password.
    Line,
    /// `local`: the `username` lines, names without regard to case.
    Local,
    /// `local-case`: the same with regard to case.
    LocalCase,
    /// `none`: nothing is asked.
    None,
}

impl AaaMethod {
    /// The name of the servers.
    pub fn group(&self) -> Option<&str> {
        match self {
            Self::Group(name) => Some(name),
            _ => None,
        }
    }
}

words! {
    /// The modes that `privilege` knows.
    pub enum CommandMode {
        /// User and privileged EXEC.
        Exec => "exec",
        /// Global configuration.
        Configure => "configure",
        /// `(config-if)#`
        Interface => "interface",
        /// `(config-line)#`
        Line => "line",
        /// `(config-crypto-map)#`
        CryptoMap => "crypto-map",
        /// `(cfg-crypto-trans)#`
        CryptoTransform => "crypto-transform",
        /// `(config-isakmp)#`
        Isakmp => "isakmp",
    }
}

impl CommandMode {
    /// The mode whose commands are meant.
    pub fn mode(self) -> Mode {
        match self {
            Self::Exec => Mode::Exec,
            Self::Configure => Mode::Config,
            Self::Interface => Mode::Interface,
            Self::Line => Mode::Line,
            Self::CryptoMap => Mode::CryptoMap,
            Self::CryptoTransform => Mode::TransformSet,
            Self::Isakmp => Mode::IsakmpPolicy,
        }
    }
}

/// Global commands about logging in. An `Option` is `None` only after `no` and `default` unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginCommand {
    /// `aaa new-model`.
    AaaNewModel,
    /// `aaa authentication login LIST METHOD …`; no methods only after `no` and `default`.
    AaaAuthenticationLogin {
        /// The name of the list, `default` for the one of every line that names none.
        list: String,
        /// What is tried, in order, until one has an answer.
        methods: Vec<AaaMethod>,
    },
    /// `aaa authentication enable default METHOD …`.
    AaaAuthenticationEnable(Vec<AaaMethod>),
    /// `aaa authorization exec LIST METHOD …`.
    AaaAuthorizationExec {
        /// The name of the list.
        list: String,
        /// What is tried, in order.
        methods: Vec<AaaMethod>,
    },
    /// `key config-key password-encrypt [KEY]`; without the key it is asked for. Never printed.
    KeyConfigKey(Option<Secret>),
    /// `login delay SECONDS` (1-10).
    LoginDelay(Option<u8>),
    /// `login on-failure log` and `login on-success log`.
    LoginLog {
        /// `on-success` rather than `on-failure`.
        success: bool,
    },
    /// `password encryption aes`.
    PasswordEncryptionAes,
    /// `privilege MODE [all] level N COMMAND`, and `privilege MODE reset COMMAND`.
    Privilege {
        /// Where the command is typed.
        mode: CommandMode,
        /// Also what begins with the command.
        all: bool,
        /// The level (0-15); `None` for `reset`.
        level: Option<u8>,
        /// The first words of the command, as typed.
        command: String,
    },
}

impl LoginCommand {
    /// The methods of a list of `aaa`; empty for other commands.
    pub fn methods(&self) -> &[AaaMethod] {
        match self {
            Self::AaaAuthenticationLogin { methods, .. }
            | Self::AaaAuthenticationEnable(methods)
            | Self::AaaAuthorizationExec { methods, .. } => methods,
            _ => &[],
        }
    }
}

/// What follows the name in `username NAME ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserLine {
    /// `[privilege N] [one-time] [password|secret TEXT]`.
    Login(UserLogin),
    /// `autocommand LINE`: a command that runs after login; `None` only after `no`.
    Autocommand(Option<String>),
    /// `nohangup`: that command does not end the session.
    NoHangup,
}

/// What a user logs in with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserLogin {
    /// The privilege level (0-15), if typed.
    pub privilege: Option<u8>,
    /// `one-time`: the first login takes the user away.
    pub one_time: bool,
    /// `nopassword`.
    pub no_password: bool,
    /// `algorithm-type`: how to hash a secret in clear text, if typed.
    pub algorithm: Option<HashAlgorithm>,
    /// The password, if typed.
    pub credential: Option<(CredentialKind, Secret)>,
}

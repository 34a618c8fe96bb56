//! The modes of the command line: their prompts, which table of commands each has, where `exit` leads.
//! Used by the console for prompts and by the daemon's sessions; which object a sub-mode edits (the
//! interface, the policy…) is the session's to remember.

use serde::{Deserialize, Serialize};

use crate::command::{Command, ConfigCommand};

/// A mode of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mode {
    /// `R1>`
    UserExec,
    /// `R1#`
    Exec,
    /// `R1(config)#`
    Config,
    /// `R1(config-if)#`
    Interface,
    /// `R1(config-ext-nacl)#`
    ExtendedAcl,
    /// `R1(config-std-nacl)#`
    StandardAcl,
    /// `R1(config-isakmp)#`
    IsakmpPolicy,
    /// `R1(cfg-crypto-trans)#`
    TransformSet,
    /// `R1(config-crypto-map)#`
    CryptoMap,
    /// `R1(config-line)#`
    Line,
}

impl Mode {
    /// Every mode.
    pub const ALL: &'static [Self] = &[
        Self::UserExec,
        Self::Exec,
        Self::Config,
        Self::Interface,
        Self::ExtendedAcl,
        Self::StandardAcl,
        Self::IsakmpPolicy,
        Self::TransformSet,
        Self::CryptoMap,
        Self::Line,
    ];

    /// What follows the host name in the prompt.
    pub fn prompt_suffix(self) -> &'static str {
        match self {
            Self::UserExec => ">",
            Self::Exec => "#",
            Self::Config => "(config)#",
            Self::Interface => "(config-if)#",
            Self::ExtendedAcl => "(config-ext-nacl)#",
            Self::StandardAcl => "(config-std-nacl)#",
            Self::IsakmpPolicy => "(config-isakmp)#",
            Self::TransformSet => "(cfg-crypto-trans)#",
            Self::CryptoMap => "(config-crypto-map)#",
            Self::Line => "(config-line)#",
        }
    }

    /// The whole prompt: in configuration modes the host name is cut to 20 characters.
    pub fn prompt(self, hostname: &str) -> String {
        let limit = if self.is_config() { 20 } else { usize::MAX };
        let name: String = hostname.chars().take(limit).collect();
        name + self.prompt_suffix()
    }

    /// Global configuration or one of its sub-modes.
    pub fn is_config(self) -> bool {
        !matches!(self, Self::UserExec | Self::Exec)
    }

    /// Where `exit` leads; `None` for EXEC, where it closes the session.
    pub fn parent(self) -> Option<Self> {
        match self {
            Self::UserExec | Self::Exec => None,
            Self::Config => Some(Self::Exec),
            _ => Some(Self::Config),
        }
    }

    /// The mode after a command that was done: sub-modes are entered and left, `exit` goes one level
    /// up, `end` to EXEC. What EXEC commands do to the mode (`enable`, `configure terminal`) is the
    /// session's to say.
    pub fn after(self, command: &Command) -> Self {
        match command {
            Command::Config(line) => match &line.command {
                // Also one typed in a sub-mode, which it leaves.
                ConfigCommand::Global(_) => line.enters().unwrap_or(Self::Config),
                _ => self,
            },
            Command::Exit => self.parent().unwrap_or(self),
            Command::End => Self::Exec,
            Command::Empty | Command::Exec(_) | Command::Do(_) => self,
        }
    }
}

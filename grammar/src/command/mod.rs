//! What a line means: the typed commands that the parser builds and the daemon obeys.
//!
//! [`Command`] is the root. EXEC commands are in [`exec`] and [`show`], configuration commands in one
//! enum per mode. Built by `build/`, printed by `render.rs`, obeyed by the daemon's config and sessions.

#[macro_use]
mod words;
mod acl;
mod acl_names;
mod crypto;
mod exec;
mod files;
mod global;
mod interface;
mod line;
mod logging;
mod login;
mod retained;
mod secret;
mod section;
mod show;

pub(crate) use acl::MAX_PORTS;
pub use acl::{
    AclAddress, AclCommand, AclEntry, AclOption, AclRule, Action, IcmpMatch, IpProtocol, PortMatch,
    StandardAclCommand, StandardAclEntry, StandardRule, TcpFlag, TtlMatch,
};
pub use crypto::{
    AesBits, Authentication, CryptoMapCommand, DfBit, DynamicMap, Encapsulation, Encryption, Group,
    Hash, IsakmpIdentity, IsakmpPolicyCommand, KeepaliveMode, KeyPeer, KilobyteLifetime,
    MapEntryKind, PeerName, Replay, SaLifetime, Transform, TransformSetCommand,
};
pub use exec::{
    ClearCommand, ClearSa, DebugArea, DebugCondition, DebugTopic, ExecCommand, IpsecProtocol,
    LineRef, Ping, SourceSpec, TerminalCommand, Traceroute,
};
pub use files::{
    ConfigureCommand, ConfigureReplace, ConfigureTerminal, FileCommand, FilePrompt, LoggedCommands,
    ReloadCommand, RevertTimer, ShowArchive, ShowConfigLog, Storage, WriteTarget,
};
pub use global::{
    AclId, AclKind, AddressMask, BannerKind, CredentialKind, GlobalCommand, IpRoute, LineKind,
    Severity, TimestampFormat, TimestampKind,
};
pub use interface::{InterfaceCommand, TemplateType};
pub use line::{LineCommand, LoginMethod, TransportDirection, TransportProtocol};
pub use logging::{
    ClockChange, ClockCommand, ClockZone, LoggingCommand, LoggingHost, Month, OriginId, SummerTime,
    SyslogFacility, SyslogProtocol, SyslogServer, Transport, Weekday,
};
pub use login::{AaaMethod, CommandMode, HashAlgorithm, LoginCommand, UserLine, UserLogin};
pub use retained::{Reference, RetainedLine, SecretTypes};
pub use secret::{Secret, SecretEncoding};
pub use section::Section;
pub use show::{CryptoMapSelector, ShowCommand, ShowCrypto};

pub(crate) use acl_names::{
    DSCP_NAMES, ICMP_MESSAGES, IGMP_MESSAGES, IP_OPTIONS, PRECEDENCES, TCP_PORTS, TYPES_OF_SERVICE,
    UDP_PORTS,
};

use crate::modes::Mode;

/// A whole line: the command and, after a `show`, what becomes of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What to do.
    pub command: Command,
    /// `| include …` and its kin; only ever after `show` and `do show`.
    pub filter: Option<Filter>,
    /// `| json`: the facts of the screen instead of its text; only ever after `show` and `do show`, and never with a
    /// filter.
    pub json: bool,
}

/// What one line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// An empty line or a `!` comment: do nothing.
    Empty,
    /// A command of user or privileged EXEC.
    Exec(ExecCommand),
    /// `do COMMAND` in a configuration mode.
    Do(ExecCommand),
    /// A line of configuration.
    Config(ConfigLine),
    /// `exit` in a configuration mode: one level up.
    Exit,
    /// `end` in a configuration mode: to privileged EXEC.
    End,
}

/// How a configuration command was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// The plain command.
    Set,
    /// `no COMMAND`.
    No,
    /// `default COMMAND`.
    Default,
}

/// One configuration command with its form.
///
/// For [`Form::No`] and [`Form::Default`] the arguments after the identifying part may be absent; they
/// are `Option`s in the commands (empty for lists). For [`Form::Set`] an `Option` is `None` only where
/// the command itself may go without (`set pfs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigLine {
    /// Set, `no` or `default`.
    pub form: Form,
    /// The command.
    pub command: ConfigCommand,
}

/// A configuration command, by the mode whose table it is in.
///
/// A global command typed in a sub-mode is [`ConfigCommand::Global`] in every mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigCommand {
    /// Global configuration.
    Global(GlobalCommand),
    /// `interface NAME`.
    Interface(InterfaceCommand),
    /// `ip access-list extended NAME`.
    ExtendedAcl(AclCommand),
    /// `ip access-list standard NAME`.
    StandardAcl(StandardAclCommand),
    /// `crypto isakmp policy N`.
    IsakmpPolicy(IsakmpPolicyCommand),
    /// `crypto ipsec transform-set NAME …`.
    TransformSet(TransformSetCommand),
    /// `crypto map NAME N`.
    CryptoMap(CryptoMapCommand),
    /// `line con 0` and its kin.
    Line(LineCommand),
    /// A command of any mode that is understood and kept, but not acted on.
    Retained(Box<RetainedLine>),
}

impl ConfigLine {
    /// The mode whose table the command is in.
    pub fn mode(&self) -> Mode {
        match &self.command {
            ConfigCommand::Global(_) => Mode::Config,
            ConfigCommand::Interface(_) => Mode::Interface,
            ConfigCommand::ExtendedAcl(_) => Mode::ExtendedAcl,
            ConfigCommand::StandardAcl(_) => Mode::StandardAcl,
            ConfigCommand::IsakmpPolicy(_) => Mode::IsakmpPolicy,
            ConfigCommand::TransformSet(_) => Mode::TransformSet,
            ConfigCommand::CryptoMap(_) => Mode::CryptoMap,
            ConfigCommand::Line(_) => Mode::Line,
            ConfigCommand::Retained(line) => line.mode(),
        }
    }

    /// The sub-mode that this line enters, if it enters one (never for `no` and `default`).
    pub fn enters(&self) -> Option<Mode> {
        match (&self.form, &self.command) {
            (Form::Set, ConfigCommand::Global(command)) => command.enters(),
            (Form::Set, ConfigCommand::Retained(line)) => line.enters(),
            _ => None,
        }
    }

    /// The line as messages name it, when it becomes a line of the configuration that does nothing in this release.
    pub fn inactive(&self) -> Option<String> {
        let plain = || Some(crate::render::render(self).trim_end().to_owned());
        match &self.command {
            ConfigCommand::Retained(line) => {
                let kept = line.kept_as(self.form)?;
                let no = match kept {
                    Form::No => "no ",
                    Form::Set | Form::Default => "",
                };
                (!line.holds(kept)).then(|| format!("{no}{}", line.for_messages()))
            }
            ConfigCommand::Global(GlobalCommand::CryptoMap {
                kind: Some(kind), ..
            }) if self.form == Form::Set && !kind.is_active() => plain(),
            ConfigCommand::Interface(InterfaceCommand::CryptoMapRedundancy { .. })
                if self.form == Form::Set =>
            {
                plain()
            }
            ConfigCommand::Global(GlobalCommand::Login(command)) if self.form == Form::Set => {
                passed_over(command.methods())
            }
            _ => None,
        }
    }
}

/// Servers are not asked yet: a list goes on with its next method, as if they did not answer.
fn passed_over(methods: &[AaaMethod]) -> Option<String> {
    let groups = methods.iter().filter_map(AaaMethod::group);
    let groups: Vec<_> = groups.map(|name| format!("group {name}")).collect();
    (!groups.is_empty()).then(|| format!("{} (the next method is used)", groups.join(", ")))
}

/// An output filter: `| KIND ARGUMENT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Which filter.
    pub kind: FilterKind,
    /// The regular expression or file, everything to the end of the line, inner blanks kept.
    pub argument: String,
}

impl Filter {
    /// The file that takes the text; `None` for a filter of lines.
    pub fn file(&self) -> Option<FilterFile<'_>> {
        let (name, append) = match (self.kind, self.argument.split_once(' ')) {
            (FilterKind::Tee, Some(("/append", name))) => (name, true),
            (FilterKind::Redirect | FilterKind::Tee, _) => (self.argument.as_str(), false),
            (FilterKind::Append, _) => (self.argument.as_str(), true),
            _ => return None,
        };
        Some(FilterFile {
            name: name.trim(),
            append,
            show: self.kind == FilterKind::Tee,
        })
    }
}

/// Where a filter writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterFile<'a> {
    /// A path of the machine, or a name such as `flash:/x`.
    pub name: &'a str,
    /// At its end, rather than a new file.
    pub append: bool,
    /// On the screen too.
    pub show: bool,
}

impl FilterFile<'_> {
    /// The path of the machine that the console writes to; `None` for files of the router's own and of other hosts.
    pub fn path(&self) -> Option<&str> {
        if let Some(path) = self.name.strip_prefix("file:") {
            return Some(path.strip_prefix("//").unwrap_or(path));
        }
        match self.name.split_once(':') {
            Some((scheme, _)) if !scheme.contains('/') => None,
            _ => Some(self.name),
        }
    }
}

words! {
    /// The output filters.
    pub enum FilterKind {
        /// From the first matching line on.
        Begin => "begin",
        /// The number of matching lines.
        Count => "count",
        /// Lines that do not match.
        Exclude => "exclude",
        /// Lines that match.
        Include => "include",
        /// Matching lines with the deeper-indented lines under them.
        Section => "section",
        /// Into a new file instead of the screen.
        Redirect => "redirect",
        /// At the end of a file instead of the screen.
        Append => "append",
        /// Into a file and on the screen.
        Tee => "tee",
    }
}

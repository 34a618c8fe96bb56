//! The order of the running-config: the place of each kind of line, at the global level and inside a block.
//!
//! Used by the renderer to print in that order and by the loader to remember after which known line an unknown one stood.

use isthmus_grammar::Mode;
use isthmus_grammar::command::{
    ConfigCommand, CryptoMapCommand, GlobalCommand, InterfaceCommand, IsakmpPolicyCommand,
    LoggingCommand, LoginCommand, RetainedLine, SaLifetime, Section,
};

/// The section of a global command.
pub(super) fn section(command: &GlobalCommand) -> Section {
    match command {
        GlobalCommand::Version(_) => Section::Version,
        GlobalCommand::ServicePasswordEncryption
        | GlobalCommand::ServiceSequenceNumbers
        | GlobalCommand::ServiceTimestamps { .. } => Section::Services,
        GlobalCommand::Clock(_) => Section::Clock,
        GlobalCommand::Hostname(_) => Section::Hostname,
        GlobalCommand::BootStartMarker | GlobalCommand::BootEndMarker => Section::Boot,
        GlobalCommand::Logging(command) => match command {
            LoggingCommand::Facility(_)
            | LoggingCommand::Host(_)
            | LoggingCommand::OriginId(_)
            | LoggingCommand::SourceInterface(_)
            | LoggingCommand::SyslogFormat5424
            | LoggingCommand::Trap(_) => Section::RemoteLogging,
            _ => Section::LocalLogging,
        },
        GlobalCommand::Enable { .. } => Section::Enable,
        GlobalCommand::Login(command) => match command {
            LoginCommand::AaaNewModel
            | LoginCommand::AaaAuthenticationLogin { .. }
            | LoginCommand::AaaAuthenticationEnable(_)
            | LoginCommand::AaaAuthorizationExec { .. } => Section::Aaa,
            LoginCommand::KeyConfigKey(_)
            | LoginCommand::LoginDelay(_)
            | LoginCommand::LoginLog { .. }
            | LoginCommand::PasswordEncryptionAes => Section::Login,
            LoginCommand::Privilege { .. } => Section::Privileges,
        },
        GlobalCommand::IpDomainLookup | GlobalCommand::IpDomainName(_) => Section::Domain,
        GlobalCommand::Username { .. } => Section::Users,
        GlobalCommand::FilePrompt(_) => Section::Files,
        GlobalCommand::CryptoLoggingSession => Section::CryptoLogging,
        GlobalCommand::CryptoIsakmpPolicy(_) => Section::IsakmpPolicies,
        GlobalCommand::CryptoIsakmpEnable
        | GlobalCommand::CryptoIsakmpIdentity(_)
        | GlobalCommand::CryptoIsakmpKeepalive { .. }
        | GlobalCommand::CryptoIsakmpKey { .. } => Section::IsakmpGlobals,
        GlobalCommand::CryptoIpsecLifetime(_) | GlobalCommand::CryptoIpsecReplay(_) => {
            Section::IpsecLifetime
        }
        GlobalCommand::CryptoIpsecTransformSet { .. } => Section::TransformSets,
        GlobalCommand::CryptoIpsecDfBit(_) => Section::IpsecGlobals,
        GlobalCommand::CryptoMap { .. } | GlobalCommand::CryptoMapLocalAddress { .. } => {
            Section::CryptoMaps
        }
        GlobalCommand::Interface { .. } | GlobalCommand::InterfaceRange(_) => Section::Interfaces,
        GlobalCommand::IpRoute(_) => Section::Routes,
        GlobalCommand::IpAccessList { .. } | GlobalCommand::IpAccessListResequence { .. } => {
            Section::NamedLists
        }
        GlobalCommand::AccessList { .. } | GlobalCommand::StandardAccessList { .. } => {
            Section::NumberedLists
        }
        GlobalCommand::Alias { .. } => Section::Aliases,
        GlobalCommand::Banner { .. } => Section::Banners,
        GlobalCommand::Line { .. } => Section::Lines,
    }
}

/// The rank of a command among its siblings; kept lines remember the rank of the line before them.
pub(super) fn rank(command: &ConfigCommand) -> u8 {
    match command {
        ConfigCommand::Global(command) => section(command) as u8,
        ConfigCommand::Interface(command) => match command {
            InterfaceCommand::Description(_) => 1,
            InterfaceCommand::Mtu(_) => 2,
            InterfaceCommand::IpAddress { .. } => 3,
            InterfaceCommand::Shutdown => 4,
            InterfaceCommand::CryptoMap(_) | InterfaceCommand::CryptoMapRedundancy { .. } => 5,
        },
        ConfigCommand::IsakmpPolicy(command) => match command {
            IsakmpPolicyCommand::Encryption(_) => 1,
            IsakmpPolicyCommand::Hash(_) => 2,
            IsakmpPolicyCommand::Authentication(_) => 3,
            IsakmpPolicyCommand::Group(_) => 4,
            IsakmpPolicyCommand::Lifetime(_) => 5,
        },
        ConfigCommand::CryptoMap(command) => match command {
            CryptoMapCommand::Description(_) => 1,
            CryptoMapCommand::SetPeer { .. } => 2,
            CryptoMapCommand::SetLifetime(SaLifetime::Seconds(_) | SaLifetime::Days(_)) => 3,
            CryptoMapCommand::SetLifetime(SaLifetime::Kilobytes(_)) => 4,
            CryptoMapCommand::SetTransformSet(_) => 5,
            CryptoMapCommand::SetPfs(_) => 6,
            CryptoMapCommand::MatchAddress(_) => 7,
        },
        // Lists, transform sets and terminal lines: kept lines come after the known ones.
        ConfigCommand::ExtendedAcl(_)
        | ConfigCommand::StandardAcl(_)
        | ConfigCommand::TransformSet(_)
        | ConfigCommand::Line(_) => 1,
        ConfigCommand::Retained(line) => retained(line),
    }
}

/// The rank of a retained line: its section, what it says itself, or its order in a block of such lines.
pub(super) fn retained(line: &RetainedLine) -> u8 {
    match group(line) {
        0 => u8::try_from(line.order()).unwrap_or(u8::MAX - 1) + 1,
        group => group,
    }
}

/// The section of a retained global line, or its rank in a mode that also has commands that act; 0 in a block of
/// retained lines only.
pub(super) fn group(line: &RetainedLine) -> u8 {
    match line.mode() {
        Mode::Config => line.section() as u8,
        Mode::Interface
        | Mode::IsakmpPolicy
        | Mode::TransformSet
        | Mode::CryptoMap
        | Mode::Line => line.rank(),
        _ => 0,
    }
}

//! Configuration commands as running-config prints them: the inverse of the parser. Called by the
//! daemon's running-config with the commands that differ from the defaults.

mod acl;
mod crypto;
mod logging;
mod login;
mod secrets;

use std::fmt::Display;

use crate::banner::delimited;
use crate::command::{
    BannerKind, ConfigCommand, ConfigLine, CredentialKind, Form, GlobalCommand, InterfaceCommand,
    IpRoute, LineCommand, LoginMethod, Secret, TimestampFormat, TransportProtocol,
};
use crate::modes::Mode;
use crate::secrets::without_url_passwords;

/// The canonical line without indentation: full keywords, IOS's trailing blanks where it has them
/// (`set transform-set T `), several lines for a banner. Defaults are printed as well: leaving them out is
/// the caller's decision.
pub fn render(line: &ConfigLine) -> String {
    whole(line, Out::default()).text
}

/// The same for readers who may not know keys and passwords: `instead` stands in their place, also in the commands of
/// `alias`, `autocommand` and `privilege` and in URLs.
pub fn without_secrets(line: &ConfigLine, instead: &'static str) -> String {
    let out = Out {
        instead: Some(instead),
        ..Out::default()
    };
    without_url_passwords(&whole(line, out).text, instead)
}

fn whole(line: &ConfigLine, mut out: Out) -> Out {
    match line.form {
        Form::Set => {}
        Form::No => out.word("no"),
        Form::Default => out.word("default"),
    }
    match &line.command {
        ConfigCommand::Global(command) => global(&mut out, command, line.form),
        ConfigCommand::Interface(command) => interface(&mut out, command),
        ConfigCommand::ExtendedAcl(command) => acl::extended(&mut out, command),
        ConfigCommand::StandardAcl(command) => acl::standard(&mut out, command),
        ConfigCommand::IsakmpPolicy(command) => crypto::isakmp_policy(&mut out, command),
        ConfigCommand::TransformSet(command) => crypto::transform_set(&mut out, command),
        ConfigCommand::CryptoMap(command) => crypto::crypto_map(&mut out, command, line.form),
        ConfigCommand::Line(command) => self::line(&mut out, command),
        ConfigCommand::Retained(command) => {
            match out.instead {
                Some(instead) => out.word(command.without_secrets(instead)),
                None => out.word(command.words()),
            }
            out.trailing_blanks(line.form, command.trailing_blanks());
        }
    }
    out
}

/// A line that grows word by word, one blank between words.
#[derive(Default)]
struct Out {
    text: String,
    /// What stands in the place of keys and passwords, where they are not to be seen.
    instead: Option<&'static str>,
}

impl Out {
    fn word(&mut self, word: impl Display) {
        use std::fmt::Write;
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{word}");
    }

    fn optional(&mut self, word: Option<impl Display>) {
        if let Some(word) = word {
            self.word(word);
        }
    }

    /// A keyword and its value, both only when there is a value.
    fn pair(&mut self, keyword: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.word(keyword);
            self.word(value);
        }
    }

    fn flag(&mut self, keyword: &str, set: bool) {
        if set {
            self.word(keyword);
        }
    }

    fn secret(&mut self, secret: &Secret) {
        self.optional(secret.typed_encoding());
        self.word(self.instead.unwrap_or(secret.expose()));
    }

    /// The beginning of a command of a mode.
    fn command(&mut self, mode: Mode, words: &str) {
        match self.instead {
            Some(instead) => self.word(secrets::hidden(mode, words, instead)),
            None => self.word(words),
        }
    }

    /// The blanks that IOS leaves at the end of some plain lines.
    fn trailing_blanks(&mut self, form: Form, count: usize) {
        if form == Form::Set {
            self.text.extend(std::iter::repeat_n(' ', count));
        }
    }
}

fn global(out: &mut Out, command: &GlobalCommand, form: Form) {
    match command {
        GlobalCommand::AccessList {
            number,
            sequence,
            entry,
        } => {
            out.pair("access-list", Some(number));
            out.optional(*sequence);
            if let Some(entry) = entry {
                acl::extended_entry(out, entry);
            }
        }
        GlobalCommand::StandardAccessList {
            number,
            sequence,
            entry,
        } => {
            out.pair("access-list", Some(number));
            out.optional(*sequence);
            if let Some(entry) = entry {
                acl::standard_entry(out, entry);
            }
        }
        GlobalCommand::Alias {
            mode,
            name,
            command,
        } => {
            out.pair("alias", Some(mode));
            out.optional(name.as_ref());
            if let Some(command) = command {
                out.command(mode.mode(), command);
            }
        }
        GlobalCommand::Banner { kind, text } => banner(out, *kind, text.as_deref()),
        GlobalCommand::BootStartMarker => out.word("boot-start-marker"),
        GlobalCommand::BootEndMarker => out.word("boot-end-marker"),
        GlobalCommand::Enable {
            kind,
            algorithm,
            level,
            secret,
        } => {
            out.word("enable");
            out.pair("algorithm-type", *algorithm);
            out.word(kind);
            out.pair("level", *level);
            if let Some(secret) = secret {
                out.secret(secret);
            }
        }
        GlobalCommand::FilePrompt(mode) => keyword(out, "file prompt", *mode),
        GlobalCommand::Hostname(name) => keyword(out, "hostname", name.as_ref()),
        GlobalCommand::Interface { name, template } => {
            out.pair("interface", Some(name));
            out.pair("type", *template);
        }
        GlobalCommand::InterfaceRange(list) => out.pair("interface range", Some(list)),
        GlobalCommand::IpAccessList { kind, name } => {
            out.pair("ip access-list", Some(kind));
            out.word(name);
        }
        GlobalCommand::IpAccessListResequence { name, start, step } => {
            out.pair("ip access-list resequence", Some(name));
            out.pair(&start.to_string(), Some(step));
        }
        GlobalCommand::IpDomainLookup => out.word("ip domain lookup"),
        GlobalCommand::IpDomainName(name) => keyword(out, "ip domain name", name.as_ref()),
        GlobalCommand::IpRoute(route) => ip_route(out, route),
        GlobalCommand::Line { kind, first, last } => {
            out.pair("line", Some(kind));
            out.word(first);
            out.optional(*last);
        }
        GlobalCommand::ServicePasswordEncryption => out.word("service password-encryption"),
        GlobalCommand::ServiceSequenceNumbers => out.word("service sequence-numbers"),
        GlobalCommand::ServiceTimestamps { kind, format } => {
            keyword(out, "service timestamps", *kind);
            if let Some(format) = format {
                timestamp(out, format);
            }
        }
        GlobalCommand::Username { name, line } => {
            out.pair("username", Some(name));
            login::user(out, line);
        }
        GlobalCommand::Login(command) => login::login(out, command),
        GlobalCommand::Version(version) => out.pair("version", Some(version)),
        GlobalCommand::Clock(command) => logging::clock(out, command),
        GlobalCommand::Logging(command) => logging::logging(out, command),
        GlobalCommand::CryptoIpsecDfBit(_)
        | GlobalCommand::CryptoIpsecLifetime(_)
        | GlobalCommand::CryptoIpsecReplay(_)
        | GlobalCommand::CryptoIpsecTransformSet { .. }
        | GlobalCommand::CryptoIsakmpEnable
        | GlobalCommand::CryptoIsakmpIdentity(_)
        | GlobalCommand::CryptoIsakmpKeepalive { .. }
        | GlobalCommand::CryptoIsakmpKey { .. }
        | GlobalCommand::CryptoIsakmpPolicy(_)
        | GlobalCommand::CryptoLoggingSession
        | GlobalCommand::CryptoMap { .. }
        | GlobalCommand::CryptoMapLocalAddress { .. } => crypto::global(out, command, form),
    }
}

/// A keyword and its value where it has one.
fn keyword(out: &mut Out, keyword: &str, value: Option<impl Display>) {
    out.word(keyword);
    out.optional(value);
}

fn credential_words(out: &mut Out, kind: CredentialKind, secret: &Secret) {
    out.word(kind);
    out.secret(secret);
}

/// The text keeps its own line ends.
fn banner(out: &mut Out, kind: BannerKind, text: Option<&str>) {
    out.pair("banner", Some(kind));
    if let Some(text) = text {
        out.word(delimited(text));
    }
}

fn ip_route(out: &mut Out, route: &IpRoute) {
    out.pair("ip route", Some(route.destination.address));
    out.word(route.destination.mask);
    out.optional(route.interface.as_ref());
    out.optional(route.next_hop);
    out.optional(route.distance);
    out.pair("name", route.name.as_ref());
}

fn timestamp(out: &mut Out, format: &TimestampFormat) {
    match format {
        TimestampFormat::Uptime => out.word("uptime"),
        TimestampFormat::Datetime {
            msec,
            localtime,
            show_timezone,
            year,
        } => {
            out.word("datetime");
            out.flag("msec", *msec);
            out.flag("localtime", *localtime);
            out.flag("show-timezone", *show_timezone);
            out.flag("year", *year);
        }
    }
}

fn interface(out: &mut Out, command: &InterfaceCommand) {
    match command {
        InterfaceCommand::IpAddress { address, secondary } => {
            out.word("ip address");
            if let Some(address) = address {
                out.pair(&address.address.to_string(), Some(address.mask));
            }
            out.flag("secondary", *secondary);
        }
        InterfaceCommand::Shutdown => out.word("shutdown"),
        InterfaceCommand::Description(text) => keyword(out, "description", text.as_ref()),
        InterfaceCommand::CryptoMap(name) => keyword(out, "crypto map", name.as_ref()),
        InterfaceCommand::CryptoMapRedundancy {
            map,
            group,
            stateful,
        } => {
            out.pair("crypto map", Some(map));
            out.pair("redundancy", Some(group));
            out.flag("stateful", *stateful);
        }
        InterfaceCommand::Mtu(mtu) => keyword(out, "mtu", *mtu),
    }
}

fn line(out: &mut Out, command: &LineCommand) {
    match command {
        LineCommand::AccessClass { list, inbound } => {
            out.pair("access-class", Some(list));
            out.word(if *inbound { "in" } else { "out" });
        }
        LineCommand::Autocommand(command) => login::autocommand(out, command.as_deref()),
        LineCommand::Exec => out.word("exec"),
        LineCommand::ExecBanner => out.word("exec-banner"),
        LineCommand::MotdBanner => out.word("motd-banner"),
        LineCommand::ExecTimeout { minutes, seconds } => {
            keyword(out, "exec-timeout", *minutes);
            out.optional(*seconds);
        }
        LineCommand::HistorySize(size) => keyword(out, "history size", *size),
        LineCommand::Length(length) => keyword(out, "length", *length),
        LineCommand::LoggingSynchronous => out.word("logging synchronous"),
        LineCommand::Login(LoginMethod::LinePassword) => out.word("login"),
        LineCommand::Login(LoginMethod::Local) => out.word("login local"),
        LineCommand::Login(LoginMethod::Authentication(list)) => {
            out.pair("login authentication", Some(list))
        }
        LineCommand::Password(password) => {
            out.word("password");
            if let Some(password) = password {
                out.secret(password);
            }
        }
        LineCommand::PrivilegeLevel(level) => keyword(out, "privilege level", *level),
        LineCommand::SessionTimeout(minutes) => keyword(out, "session-timeout", *minutes),
        LineCommand::Stopbits(bits) => keyword(out, "stopbits", bits.as_ref()),
        LineCommand::LoginResponse(seconds) => {
            keyword(out, "timeout login response", *seconds);
        }
        LineCommand::Transport {
            direction,
            protocols,
        } => {
            out.pair("transport", Some(direction));
            protocols
                .iter()
                .copied()
                .map(TransportProtocol::word)
                .for_each(|protocol| out.word(protocol));
        }
        LineCommand::Width(width) => keyword(out, "width", *width),
    }
}

//! A log line as a syslog server gets it: in the form of IOS (RFC 3164 4.1 with its own stamp) or of RFC 5424, and how
//! messages are told apart on TCP (RFC 6587). Called by [`super::host`].

use std::net::IpAddr;

use isthmus_grammar::command::{OriginId, SyslogProtocol};
use jiff::ZonedDateTime;

use super::Severity;
use super::configured::{Header, Target};

/// Longer messages are cut: most servers take no more, and UDP would not carry much more.
const LONGEST: usize = 8192;

/// One line for syslog servers.
#[derive(Debug)]
pub struct Line {
    /// How grave it is.
    pub severity: Severity,
    /// Counts all lines for syslog servers from 1.
    pub number: u64,
    /// When, in the router's zone.
    pub at: ZonedDateTime,
    /// A time server vouches for the clock.
    pub synchronised: bool,
    /// Hundredths of a second since the start.
    pub uptime: u128,
    /// `CONFIG_I`; none for debug output.
    pub mnemonic: Option<&'static str>,
    /// Sequence number and stamp as the running-config asks for them, ready to stand before the text.
    pub prefix: String,
    /// `%SYS-5-CONFIG_I: Configured from console by console`, one line of it.
    pub text: String,
}

/// The message for one server, without framing.
pub fn message(
    line: &Line,
    header: &Header,
    target: &Target,
    session_number: u64,
    local: Option<IpAddr>,
) -> Vec<u8> {
    let mut text = if header.rfc5424 {
        rfc5424(line, header, target, session_number, local)
    } else {
        ios(line, header, target, session_number, local)
    };
    while text.len() > LONGEST || text.ends_with(' ') {
        text.pop();
    }
    text.into_bytes()
}

/// The message as it travels: over TCP with its length in front (RFC 5424 messages, RFC 6587 3.4.1) or a line feed
/// behind (those of IOS, 3.4.2).
pub fn framed(message: Vec<u8>, header: &Header, protocol: SyslogProtocol) -> Vec<u8> {
    match (protocol, header.rfc5424) {
        (SyslogProtocol::Udp, _) => message,
        (SyslogProtocol::Tcp, true) => {
            let mut framed = format!("{} ", message.len()).into_bytes();
            framed.extend(message);
            framed
        }
        (SyslogProtocol::Tcp, false) => {
            let mut framed = message;
            framed.push(b'\n');
            framed
        }
    }
}

fn priority(line: &Line, header: &Header) -> u8 {
    header.facility * 8 + line.severity.number()
}

fn ios(
    line: &Line,
    header: &Header,
    target: &Target,
    session_number: u64,
    local: Option<IpAddr>,
) -> String {
    let mut text = format!("<{}>", priority(line, header));
    if header.counter {
        text.push_str(&line.number.to_string());
    }
    text.push_str(": ");
    let mut tag = Vec::new();
    if target.sequence_number {
        tag.push(format!("s_sn=\"{session_number}\""));
    }
    if let Some(id) = &target.session_id {
        let id = identity(id, header, local);
        tag.push(format!("s_id=\"{}:{}\"", quoted(&id), target.port));
    }
    if !tag.is_empty() {
        text.push_str(&format!("[syslog@9 {}]: ", tag.join(" ")));
    }
    if let Some(origin) = &header.origin {
        text.push_str(&identity(origin, header, local));
        text.push_str(": ");
    }
    text + &printable(&line.prefix) + &printable(&line.text)
}

fn rfc5424(
    line: &Line,
    header: &Header,
    target: &Target,
    session_number: u64,
    local: Option<IpAddr>,
) -> String {
    let origin = target.session_id.as_ref().or(header.origin.as_ref());
    let host = match origin {
        Some(id) => identity(id, header, local),
        None => full_name(header),
    };
    let number = if target.sequence_number {
        session_number
    } else {
        line.number
    };
    let address = local.map_or_else(String::new, |ip| format!(" ip=\"{ip}\""));
    let text = printable(&line.text);
    // RFC 5424 6.4: UTF-8 is announced by a byte order mark.
    let mark = if text.is_ascii() { "" } else { "\u{feff}" };
    format!(
        "<{}>1 {} {} isthmusd {} {} [timeQuality tzKnown=\"1\" isSynced=\"{}\"][origin{address} software=\"Isthmus\" \
         swVersion=\"{}\"][meta sequenceId=\"{}\" sysUpTime=\"{}\"] {mark}{text}",
        priority(line, header),
        line.at.strftime(if line.at.offset().is_zero() {
            "%FT%T%.3fZ"
        } else {
            "%FT%T%.3f%:z"
        }),
        header_field(&host, 255),
        std::process::id(),
        header_field(line.mnemonic.unwrap_or_default(), 32),
        u8::from(line.synchronised),
        env!("CARGO_PKG_VERSION"),
        // RFC 5424 7.3.1: from 1 to 2147483647, then from 1 again.
        number.wrapping_sub(1) % 2_147_483_647 + 1,
        line.uptime,
    )
}

/// The name with its domain, which RFC 5424 6.2.4 prefers.
fn full_name(header: &Header) -> String {
    match &header.domain {
        Some(domain) if !header.hostname.contains('.') => format!("{}.{domain}", header.hostname),
        _ => header.hostname.clone(),
    }
}

/// The name stands in for an address that is not known, or of the other family.
fn identity(id: &OriginId, header: &Header, local: Option<IpAddr>) -> String {
    let address = match id {
        OriginId::Text(text) => return printable(text),
        OriginId::Hostname => None,
        OriginId::Ipv4 => local.filter(IpAddr::is_ipv4),
        OriginId::Ipv6 => local.filter(IpAddr::is_ipv6),
    };
    address.map_or_else(|| header.hostname.clone(), |address| address.to_string())
}

/// Printable ASCII without blanks, `-` for nothing (RFC 5424 6).
fn header_field(text: &str, longest: usize) -> String {
    let field: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(longest)
        .collect();
    if field.is_empty() { "-".into() } else { field }
}

/// A value between quotes.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace(']', "\\]")
}

/// Control characters, which a peer may have sent, as blanks.
fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

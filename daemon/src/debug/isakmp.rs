//! `debug crypto isakmp`: phase 1 and quick mode as an IOS engineer reads them. Called by [`super::fact`].

use ike::cause::{Cause, Phase, PolicyField};
use ike::event::{ChildDifference, DownReason, Event, ExchangeState, Fact};
use ike::offer::{ChildOffer, PolicyOffer, ProtocolOffer};
use ike::registry::{EncapsulationMode, EncryptionAlgorithm, ExchangeType, NotifyType, ProtocolId};
use ike::status::{Role, StateWord};

/// What lines about errors begin with.
pub const ERROR: &str = "ISAKMP-ERROR";

/// Writes lines with the connection's number in front.
struct Writer<'a> {
    id: u32,
    lines: &'a mut Vec<String>,
}

impl Writer<'_> {
    fn say(&mut self, text: impl AsRef<str>) {
        self.lines
            .push(format!("ISAKMP: ({}):{}", self.id, text.as_ref()));
    }

    fn packet(&mut self, text: impl AsRef<str>) {
        self.lines
            .push(format!("ISAKMP-PAK: ({}):{}", self.id, text.as_ref()));
    }

    fn error(&mut self, text: impl AsRef<str>) {
        self.lines
            .push(format!("{ERROR}: ({}):{}", self.id, text.as_ref()));
    }
}

/// The lines of one fact.
pub fn lines(fact: &Fact, lines: &mut Vec<String>) {
    let mut to = Writer {
        id: fact.conn_id,
        lines,
    };
    match &fact.event {
        Event::Requested { .. } => {
            to.say("SA request profile is (NULL)");
            to.say(format!(
                "local port {}, remote port {}",
                fact.local.port(),
                fact.remote.port()
            ));
        }
        Event::ExchangeStarted {
            exchange,
            role: Role::Initiator,
            message_id,
        } => started(&mut to, *exchange, *message_id),
        Event::ExchangeStarted { .. } => {}
        Event::PacketReceived { .. } | Event::PacketSent { .. } => packets(&mut to, fact),
        Event::StateChanged { .. } => state(&mut to, &fact.event),
        Event::VendorId { name, bytes } => {
            to.say("processing vendor id payload");
            match name {
                Some(name) => to.say(format!("vendor ID is {name}")),
                None => to.say(format!("vendor ID is unknown ({} bytes)", bytes.len())),
            }
        }
        Event::KeyFound { peer } => to.say(format!("found peer pre-shared key matching {peer}")),
        Event::PolicyCompared {
            offer,
            priority,
            differs,
        } => policy(&mut to, offer, *priority, *differs),
        Event::ChildCompared { offer, differs, .. } => proposal(&mut to, offer, *differs),
        Event::PolicyChosen { policy } => {
            to.say(format!(
                "Fill atts in sa life_in_seconds:{}",
                policy.lifetime
            ));
            to.say(format!("Returning Actual lifetime: {}", policy.lifetime));
            to.say(format!("Started lifetime timer: {}.\n", policy.lifetime));
        }
        Event::TransformSetChosen { .. } => {}
        Event::IkeUp { identity, .. } => {
            to.say(format!("ID payload \n        identity     : {identity}"));
            to.say("SA authentication status:\n        authenticated");
            to.say(format!(
                "SA has been authenticated with {}",
                fact.remote.ip()
            ));
        }
        Event::IkeDown { role, reason } => {
            let (role, peer) = (letter(*role), fact.remote.ip());
            to.say(format!(
                "deleting SA reason \"{}\" state ({role}) (peer {peer})",
                why(*reason)
            ));
        }
        Event::ChildUp { child, .. } => {
            for sa in &child.protocols {
                to.say(format!(
                    "Successfully installed IPSEC SA (SPI:0x{:08X})",
                    sa.inbound_spi
                ));
            }
        }
        Event::ChildDown { spis, reason, .. } => {
            for (_, inbound, _) in spis {
                to.say(format!(
                    "deleting IPSEC SA (SPI:0x{inbound:08X}) reason \"{}\"",
                    why(*reason)
                ));
            }
        }
        Event::SessionUp { .. } | Event::SessionDown { .. } => {}
        Event::Failed { cause, .. } => failed(&mut to, fact, cause),
        _ => informational(&mut to, fact),
    }
}

fn started(to: &mut Writer<'_>, exchange: ExchangeType, message_id: u32) {
    match exchange {
        ExchangeType::IDENTITY_PROTECTION => {
            to.say("Can not start Aggressive mode, trying Main mode.");
            to.say("beginning Main Mode exchange");
        }
        ExchangeType::QUICK_MODE => {
            to.say(format!(
                "beginning Quick Mode exchange, M-ID of {message_id}"
            ));
            to.say("QM Initiator gets spi");
        }
        _ => {}
    }
}

fn packets(to: &mut Writer<'_>, fact: &Fact) {
    let peer = fact.remote.ip();
    let (ours, theirs) = (fact.local.port(), fact.remote.port());
    match &fact.event {
        Event::PacketReceived {
            role,
            state,
            length: _,
            ..
        } => {
            let place = match (role, state) {
                (Some(role), Some(state)) => format!("({}) {}", letter(*role), word(*state)),
                _ => "(N) NEW SA".into(),
            };
            to.packet(format!(
                "received packet from {peer} dport {ours} sport {theirs} Global {place}"
            ));
        }
        Event::PacketSent { role, state, .. } => {
            let place = format!("({}) {}", letter(*role), word(*state));
            to.packet(format!(
                "sending packet to {peer} my_port {ours} peer_port {theirs} {place}"
            ));
            let family = if peer.is_ipv4() { "IPv4" } else { "IPv6" };
            to.say(format!("Sending an IKE {family} Packet."));
        }
        _ => {}
    }
}

/// IOS pads this one state to the width of its column.
fn word(state: StateWord) -> String {
    if state == StateWord::QmIdle {
        "QM_IDLE      ".into()
    } else {
        state.to_string()
    }
}

fn letter(role: Role) -> char {
    match role {
        Role::Initiator => 'I',
        Role::Responder => 'R',
    }
}

fn state(to: &mut Writer<'_>, event: &Event) {
    let Event::StateChanged {
        input,
        message_id,
        old,
        new,
    } = event
    else {
        return;
    };
    match message_id {
        0 => to.say(format!("Input = {input}")),
        id => to.say(format!("Node {id}, Input = {input}")),
    }
    let end = if is_phase_1(*new) { " \n" } else { "" };
    to.say(format!("Old State = {old}  New State = {new}{end}"));
}

fn is_phase_1(state: ExchangeState) -> bool {
    !state.to_string().starts_with("IKE_QM")
}

fn policy(to: &mut Writer<'_>, offer: &PolicyOffer, priority: u32, differs: Option<PolicyField>) {
    to.say(format!(
        "Checking ISAKMP transform {} against priority {priority} policy",
        offer.number
    ));
    if let Some(encryption) = offer.encryption {
        to.say(format!("      encryption {}", encryption.ios()));
        if let (EncryptionAlgorithm::AES_CBC, Some(bits)) = (encryption, offer.key_length) {
            to.say(format!("      keylength of {bits}"));
        }
    }
    if let Some(hash) = offer.hash {
        to.say(format!("      hash {}", hash.ios()));
    }
    if let Some(group) = offer.group {
        to.say(format!("      default group {}", group.0));
    }
    if let Some(method) = offer.authentication {
        to.say(format!("      auth {}", method.ios()));
    }
    if let Some(seconds) = offer.seconds {
        to.say("      life type in seconds");
        to.say(format!("      life duration {}", duration(seconds)));
    }
    match differs {
        None => to.say("atts are acceptable. Next payload is 0"),
        Some(field) => {
            to.say(format!(
                "{} offered does not match policy!",
                field_name(field)
            ));
            to.say("atts are not acceptable. Next payload is 0");
        }
    }
}

fn field_name(field: PolicyField) -> &'static str {
    match field {
        PolicyField::Encryption => "Encryption algorithm",
        PolicyField::Hash => "Hash algorithm",
        PolicyField::Authentication => "Authentication method",
        PolicyField::Group => "Diffie-Hellman group",
        PolicyField::Lifetime => "Lifetime",
    }
}

/// Two bytes or fewer are a basic attribute, more a variable one (RFC 2408 3.3).
fn duration(value: u32) -> String {
    if value <= 0xffff {
        return format!("(basic) of {value}");
    }
    let bytes: Vec<String> = value
        .to_be_bytes()
        .iter()
        .map(|byte| format!("0x{byte:X}"))
        .collect();
    format!("(VPI) of  {} ", bytes.join(" "))
}

fn proposal(to: &mut Writer<'_>, offer: &ChildOffer, differs: Option<ChildDifference>) {
    to.say(format!("Checking IPSec proposal {}", offer.number));
    for transform in &offer.protocols {
        attributes(to, transform);
    }
    match differs {
        None => to.say("atts are acceptable."),
        Some(difference) => {
            let what = match difference {
                ChildDifference::Protocols => "protocol (AH, ESP)",
                ChildDifference::Cipher => "transform",
                ChildDifference::KeyLength => "key length",
                ChildDifference::Integrity => "authenticator",
                ChildDifference::Mode => "encapsulation mode",
                ChildDifference::Pfs => "PFS group",
                ChildDifference::UnknownAttribute => "an attribute that is not known",
            };
            to.say(format!("atts not acceptable: {what} does not match"));
        }
    }
}

fn attributes(to: &mut Writer<'_>, offer: &ProtocolOffer) {
    to.say(format!(
        "transform {}, {}",
        offer.number,
        transform_name(offer)
    ));
    to.say("   attributes in transform:");
    if let Some(mode) = offer.encapsulation {
        let name = if mode == EncapsulationMode::TUNNEL {
            "Tunnel"
        } else {
            mode.ios()
        };
        to.say(format!("      encaps is {} ({name})", mode.0));
    }
    if let Some(seconds) = offer.seconds {
        to.say("      SA life type in seconds");
        to.say(format!("      SA life duration {}", duration(seconds)));
    }
    if let Some(kilobytes) = offer.kilobytes {
        to.say("      SA life type in kilobytes");
        to.say(format!("      SA life duration {}", duration(kilobytes)));
    }
    if let Some(authenticator) = offer.authentication {
        to.say(format!("      authenticator is {}", authenticator.ios()));
    }
    if let Some(bits) = offer.key_length {
        to.say(format!("      key length is {bits}"));
    }
    if let Some(group) = offer.group {
        to.say(format!("      group is {}", group.0));
    }
}

fn transform_name(offer: &ProtocolOffer) -> String {
    match offer.protocol {
        ProtocolId::ESP => ike::registry::EspTransformId(offer.transform).ios().into(),
        ProtocolId::AH => ike::registry::AhTransformId(offer.transform).ios().into(),
        other => format!("{other} {}", offer.transform),
    }
}

fn failed(to: &mut Writer<'_>, fact: &Fact, cause: &Cause) {
    let (local, remote) = (fact.local.ip(), fact.remote.ip());
    let between = format!("(local {local} remote {remote})");
    match cause {
        Cause::NoCommonPolicy { .. } => {
            to.error("no offers accepted!");
            to.error(format!("phase 1 SA policy not acceptable! {between}"));
        }
        Cause::NoKey { peer } => to.error(format!("No pre-shared key with {peer}!")),
        Cause::NoFlow { .. } => {
            to.error("IPSec policy invalidated proposal with error 32");
            to.error(format!("phase 2 SA policy not acceptable! {between}"));
        }
        Cause::NoCommonTransform { .. } | Cause::PfsDiffers { .. } => {
            to.error("IPSec policy invalidated proposal with error 256");
            to.error(format!("phase 2 SA policy not acceptable! {between}"));
        }
        Cause::NoAnswer {
            phase: Phase::One, ..
        } => to.error("peer not responding!"),
        _ => {}
    }
    to.error(format!("{cause}"));
    if let Some(line) = cause.line() {
        to.error(format!("look at: {line}"));
    }
}

fn informational(to: &mut Writer<'_>, fact: &Fact) {
    let peer = fact.remote.ip();
    match &fact.event {
        Event::NotifyReceived {
            notify,
            protocol,
            spi,
            message_id,
            ..
        } => to.say(notify_text(
            "processing",
            *notify,
            *protocol,
            spi,
            *message_id,
        )),
        Event::NotifySent {
            notify,
            protocol,
            spi,
            message_id,
        } => to.say(notify_text("Sending", *notify, *protocol, spi, *message_id)),
        Event::DeleteReceived { protocol, spis } => {
            to.say(format!(
                "processing DELETE payload. protocol {}, {}",
                protocol.0,
                spi_list(spis)
            ));
        }
        Event::DeleteSent { protocol, spis } => {
            to.say(format!(
                "sending DELETE payload. protocol {}, {}",
                protocol.0,
                spi_list(spis)
            ));
        }
        Event::DpdSent { sequence, attempt } => {
            to.say(format!(
                "Sending NOTIFY DPD/R_U_THERE to {peer}, sequence 0x{sequence:X}, attempt {attempt}"
            ));
        }
        Event::DpdAnswered { sequence } => {
            to.say(format!(
                "DPD/R_U_THERE_ACK received from peer {peer}, sequence 0x{sequence:X}"
            ));
        }
        Event::DpdAsked { sequence } => {
            to.say(format!(
                "DPD/R_U_THERE received from peer {peer}, sequence 0x{sequence:X}"
            ));
            to.say(format!(
                "Sending NOTIFY DPD/R_U_THERE_ACK, sequence 0x{sequence:X}"
            ));
        }
        Event::PeerDead => to.error(format!("peer {peer} not responding!")),
        Event::PeerSwitched { from, to: next, .. } => {
            to.say(format!("peer {from} failed, trying next peer {next}"));
        }
        Event::Dropped { reason, detail } => {
            to.error(format!("packet from {peer} dropped ({reason:?}): {detail}"));
        }
        Event::BoundReached { bound, times } => {
            to.error(format!("{}; peer {peer} ({times} times)", bound.words()));
        }
        Event::Hushed { datagrams } => to.packet(format!(
            "{datagrams} more packets in the last second are not shown"
        )),
        _ => repeats(to, fact),
    }
}

fn repeats(to: &mut Writer<'_>, fact: &Fact) {
    match &fact.event {
        Event::Retransmitted {
            message_id,
            state,
            attempt,
            of,
            ..
        } => {
            let phase = if *message_id == 0 { 1 } else { 2 };
            to.say(format!(
                "retransmitting phase {phase} {state} {message_id}..."
            ));
            to.say(format!(
                "incrementing error counter on sa, attempt {attempt} of {of}: retransmit phase {phase}"
            ));
        }
        Event::AnswerRepeated { message_id, .. } => {
            let phase = if *message_id == 0 { 1 } else { 2 };
            to.say(format!(
                "phase {phase} packet is a duplicate of a previous packet."
            ));
            to.say(format!("retransmitting due to retransmit phase {phase}"));
        }
        _ => {}
    }
}

fn notify_text(
    doing: &str,
    notify: NotifyType,
    protocol: ProtocolId,
    spi: &[u8],
    message_id: u32,
) -> String {
    let name = notify.ios();
    let name = if notify.entry().is_some() {
        name.to_owned()
    } else {
        notify.0.to_string()
    };
    let spi = number(spi);
    format!(
        "{doing} NOTIFY {name} protocol {}\n        spi {spi}, message ID = {message_id}",
        protocol.0
    )
}

fn spi_list(spis: &[Vec<u8>]) -> String {
    let list: Vec<String> = spis
        .iter()
        .map(|spi| format!("spi {}", number(spi)))
        .collect();
    list.join(", ")
}

/// An SPI of four bytes as a number, anything else in hexadecimal.
fn number(spi: &[u8]) -> String {
    match <[u8; 4]>::try_from(spi) {
        Ok(bytes) => format!("0x{:08X}", u32::from_be_bytes(bytes)),
        Err(_) if spi.is_empty() => "0".into(),
        Err(_) => spi
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02X}"))
            .collect(),
    }
}

fn why(reason: DownReason) -> &'static str {
    match reason {
        DownReason::Expired => "lifetime expired",
        DownReason::Replaced => "replaced by a new SA",
        DownReason::DeletedByPeer => "Receive delete notify from peer",
        DownReason::InitialContact => "Receive initial contact",
        DownReason::Cleared => "Cleared by operator",
        DownReason::ConfigChanged => "configuration changed",
        DownReason::PeerDead => "peer not responding",
        DownReason::NegotiationFailed => "negotiation failed",
        DownReason::KernelRefused => "kernel refused the SA",
        DownReason::Shutdown => "router stops",
    }
}

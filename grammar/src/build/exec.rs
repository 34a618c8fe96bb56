//! EXEC commands.

use super::files;
use super::show::{Tail, interface, ip_address, line_name, peer_address, show, tail};
use crate::command::{
    AddressMask, ClearCommand, ClearSa, DebugArea, DebugCondition, DebugTopic, ExecCommand,
    IpsecProtocol, Ping, ShowCommand, SourceSpec, TerminalCommand, Traceroute,
};
use crate::interface_name::InterfaceName;
use crate::matched::Part;
use crate::tree::Rule;

/// An EXEC command, with what stands after its bar if it prints text.
pub(super) fn command(part: Part<'_>) -> Option<(ExecCommand, Tail)> {
    if matches!(part.rule(), Rule::show | Rule::user_show) {
        return Some((ExecCommand::Show(show(part)?), tail(part)?));
    }
    if part.rule() == Rule::who {
        let all = part.has(Rule::k_users_all);
        let show = ExecCommand::Show(ShowCommand::Users { all });
        return Some((show, tail(part)?));
    }
    if part.rule() == Rule::r#where {
        return Some((ExecCommand::Show(ShowCommand::Sessions), tail(part)?));
    }
    if part.rule() == Rule::more {
        let tail = tail(part)?;
        return Some((super::files::command(part)?, tail));
    }
    let command = match part.rule() {
        Rule::clear if part.has(Rule::k_clear_configuration) => {
            ExecCommand::Clear(ClearCommand::ConfigurationLock)
        }
        Rule::clear => ExecCommand::Clear(clear(part.parts().last()?)?),
        Rule::debug | Rule::undebug | Rule::no_exec => debug(part)?,
        Rule::disable => ExecCommand::Disable(part.number(Rule::a_level)?),
        Rule::enable => ExecCommand::Enable(part.number(Rule::a_level)?),
        Rule::exit_exec => ExecCommand::Exit,
        Rule::help_exec => ExecCommand::Help,
        Rule::ping => ExecCommand::Ping(ping(part)?),
        Rule::resume => ExecCommand::Resume,
        Rule::terminal => ExecCommand::Terminal(terminal(part)?),
        Rule::traceroute => ExecCommand::Traceroute(traceroute(part)?),
        _ => files::command(part)?,
    };
    Some((command, Tail::default()))
}

fn clear(of: Part<'_>) -> Option<ClearCommand> {
    Some(match of.rule() {
        Rule::clear_archive_log => ClearCommand::ArchiveLog {
            force: of.has(Rule::k_force),
        },
        Rule::clear_line => ClearCommand::Line(line_name(of.child(Rule::line_name)?)?),
        Rule::clear_admission => ClearCommand::CryptoCallAdmission,
        Rule::clear_isakmp => ClearCommand::CryptoIsakmp(of.number(Rule::a_connection)?),
        Rule::clear_session => ClearCommand::CryptoSession {
            remote: peer_address(of, Rule::remote_address)?,
            local: peer_address(of, Rule::local_address)?,
        },
        Rule::clear_counters => ClearCommand::Counters(interface(of)?),
        Rule::k_clear_logging => ClearCommand::Logging,
        _ => ClearCommand::CryptoSa(clear_sa(of.parts().nth(1))?),
    })
}

fn clear_sa(what: Option<Part<'_>>) -> Option<ClearSa> {
    let Some(what) = what else {
        return Some(ClearSa::All);
    };
    Some(match what.rule() {
        Rule::k_clear_counters => ClearSa::Counters,
        Rule::clear_map => ClearSa::Map(what.name(Rule::a_map)?),
        Rule::clear_peer => ClearSa::Peer(ip_address(what)??),
        Rule::clear_spi => ClearSa::Spi(what.number(Rule::a_spi)??),
        Rule::clear_entry => ClearSa::Entry {
            destination: ip_address(what)??,
            protocol: if what.has(Rule::k_ah) {
                IpsecProtocol::Ah
            } else {
                IpsecProtocol::Esp
            },
            spi: what.number(Rule::a_spi)??,
        },
        _ => return None,
    })
}

fn debug(part: Part<'_>) -> Option<ExecCommand> {
    let on = part.rule() == Rule::debug;
    if let Some(condition) = part.child(Rule::debug_condition) {
        let condition = self::condition(condition)?;
        return Some(ExecCommand::DebugCondition { on, condition });
    }
    let topic = match part.child(Rule::debug_topic) {
        Some(topic) => self::topic(topic)?,
        None => DebugTopic::All,
    };
    Some(if on {
        ExecCommand::Debug(topic)
    } else {
        ExecCommand::Undebug(topic)
    })
}

fn topic(part: Part<'_>) -> Option<DebugTopic> {
    let mut words = part.parts().map(|word| word.rule());
    Some(match (words.next()?, words.next()) {
        (Rule::k_debug_engine, None) => DebugTopic::CryptoEngine,
        (Rule::k_debug_engine, _) => DebugTopic::CryptoEngineError,
        (Rule::k_debug_ipsec, None) => DebugTopic::CryptoIpsec,
        (Rule::k_debug_ipsec, Some(Rule::k_debug_error)) => DebugTopic::CryptoIpsecError,
        (Rule::k_debug_ipsec, Some(Rule::k_debug_message)) => DebugTopic::CryptoIpsecMessage,
        (Rule::k_debug_ipsec, _) => DebugTopic::CryptoIpsecStates,
        (_, None) => DebugTopic::CryptoIsakmp,
        _ => DebugTopic::CryptoIsakmpError,
    })
}

fn condition(part: Part<'_>) -> Option<DebugCondition> {
    let address = part.parsed(Rule::a_ipv4)?;
    Some(match part.parts().nth(1)?.rule() {
        Rule::k_connid => DebugCondition::ConnectionId(part.number(Rule::a_connection)??),
        Rule::k_condition_reset => DebugCondition::Reset,
        Rule::k_condition_spi => DebugCondition::Spi(part.number(Rule::a_spi)??),
        Rule::k_unmatched => DebugCondition::Unmatched(
            part.parts()
                .nth(2)
                .and_then(|area| DebugArea::from_word(area.word())),
        ),
        _ => match part.parsed(Rule::a_subnet_mask)? {
            Some(mask) => DebugCondition::PeerSubnet(AddressMask {
                address: address?,
                mask,
            }),
            None => DebugCondition::Peer(address?),
        },
    })
}

fn ping(part: Part<'_>) -> Option<Option<Ping>> {
    let Some(target) = part.name(Rule::a_target) else {
        return Some(None);
    };
    Some(Some(Ping {
        target,
        source: source(part)?,
        repeat: part.number(Rule::a_repeat)?,
        size: part.number(Rule::a_size)?,
        timeout: part.number(Rule::a_timeout)?,
        df_bit: part.has(Rule::k_df_bit),
    }))
}

fn traceroute(part: Part<'_>) -> Option<Option<Traceroute>> {
    let Some(target) = part.name(Rule::a_target) else {
        return Some(None);
    };
    Some(Some(Traceroute {
        target,
        numeric: part.has(Rule::k_numeric),
        source: source(part)?,
        probe: part.number(Rule::a_probe)?,
        timeout: part.number(Rule::a_timeout)?,
        ttl: part
            .number(Rule::a_ttl_minimum)?
            .zip(part.number(Rule::a_ttl_maximum)?),
        port: part.number(Rule::a_udp_port)?,
    }))
}

fn source(part: Part<'_>) -> Option<Option<SourceSpec>> {
    let Some(source) = part.child(Rule::source) else {
        return Some(None);
    };
    let inner = source.parts().next()?;
    match inner.rule() {
        Rule::a_ipv4 => inner
            .word()
            .parse()
            .ok()
            .map(|address| Some(SourceSpec::Address(address))),
        _ => InterfaceName::parse(inner.word()).map(|name| Some(SourceSpec::Interface(name))),
    }
}

fn terminal(part: Part<'_>) -> Option<TerminalCommand> {
    let (no, of) = match part.child(Rule::terminal_no) {
        Some(no) => (true, no),
        None => (false, part),
    };
    let what = of.parts().nth(1)?.rule();
    Some(match what {
        Rule::k_monitor => TerminalCommand::Monitor(!no),
        Rule::k_length => TerminalCommand::Length(of.number(Rule::a_length)?),
        Rule::k_width => TerminalCommand::Width(of.number(Rule::a_width)?),
        _ if !of.has(Rule::k_history_size) => TerminalCommand::History(!no),
        _ => TerminalCommand::HistorySize(of.number(Rule::a_history_size)?),
    })
}

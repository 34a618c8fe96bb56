//! EXEC commands.

use pest::iterators::Pair;

use super::show::{Tail, interface, ip_address, line_name, peer_address, show, tail};
use super::{Node, files};
use crate::command::{
    AddressMask, ClearCommand, ClearSa, DebugArea, DebugCondition, DebugTopic, ExecCommand,
    IpsecProtocol, Ping, ShowCommand, SourceSpec, TerminalCommand, Traceroute,
};
use crate::interface_name::InterfaceName;
use crate::parser::Rule;

/// An EXEC command, with what stands after its bar if it prints text.
pub(super) fn command(pair: Pair<'_, Rule>) -> Option<(ExecCommand, Tail)> {
    if matches!(pair.as_rule(), Rule::show | Rule::user_show) {
        return Some((ExecCommand::Show(show(&pair)?), tail(&pair)?));
    }
    if pair.as_rule() == Rule::who {
        let all = pair.has(Rule::k_users_all);
        let show = ExecCommand::Show(ShowCommand::Users { all });
        return Some((show, tail(&pair)?));
    }
    if pair.as_rule() == Rule::r#where {
        return Some((ExecCommand::Show(ShowCommand::Sessions), tail(&pair)?));
    }
    if pair.as_rule() == Rule::more {
        let tail = tail(&pair)?;
        return Some((super::files::command(pair)?, tail));
    }
    let command = match pair.as_rule() {
        Rule::clear if pair.has(Rule::k_clear_configuration) => {
            ExecCommand::Clear(ClearCommand::ConfigurationLock)
        }
        Rule::clear => ExecCommand::Clear(clear(pair.into_inner().last()?)?),
        Rule::debug | Rule::undebug | Rule::no_exec => debug(&pair)?,
        Rule::disable => ExecCommand::Disable(pair.number(Rule::a_level)?),
        Rule::enable => ExecCommand::Enable(pair.number(Rule::a_level)?),
        Rule::exit_exec => ExecCommand::Exit,
        Rule::help_exec => ExecCommand::Help,
        Rule::ping => ExecCommand::Ping(ping(&pair)?),
        Rule::resume => ExecCommand::Resume,
        Rule::terminal => ExecCommand::Terminal(terminal(&pair)?),
        Rule::traceroute => ExecCommand::Traceroute(traceroute(&pair)?),
        _ => files::command(pair)?,
    };
    Some((command, Tail::default()))
}

fn clear(of: Pair<'_, Rule>) -> Option<ClearCommand> {
    Some(match of.as_rule() {
        Rule::clear_archive_log => ClearCommand::ArchiveLog {
            force: of.has(Rule::k_force),
        },
        Rule::clear_line => ClearCommand::Line(line_name(&of.child(Rule::line_name)?)?),
        Rule::clear_admission => ClearCommand::CryptoCallAdmission,
        Rule::clear_isakmp => ClearCommand::CryptoIsakmp(of.number(Rule::a_connection)?),
        Rule::clear_session => ClearCommand::CryptoSession {
            remote: peer_address(&of, Rule::remote_address)?,
            local: peer_address(&of, Rule::local_address)?,
        },
        Rule::clear_counters => ClearCommand::Counters(interface(&of)?),
        Rule::k_clear_logging => ClearCommand::Logging,
        _ => ClearCommand::CryptoSa(clear_sa(of.into_inner().nth(1))?),
    })
}

fn clear_sa(what: Option<Pair<'_, Rule>>) -> Option<ClearSa> {
    let Some(what) = what else {
        return Some(ClearSa::All);
    };
    Some(match what.as_rule() {
        Rule::k_clear_counters => ClearSa::Counters,
        Rule::clear_map => ClearSa::Map(what.name(Rule::a_map)?),
        Rule::clear_peer => ClearSa::Peer(ip_address(&what)??),
        Rule::clear_spi => ClearSa::Spi(what.number(Rule::a_spi)??),
        Rule::clear_entry => ClearSa::Entry {
            destination: ip_address(&what)??,
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

fn debug(pair: &Pair<'_, Rule>) -> Option<ExecCommand> {
    let on = pair.as_rule() == Rule::debug;
    if let Some(condition) = pair.child(Rule::debug_condition) {
        let condition = self::condition(&condition)?;
        return Some(ExecCommand::DebugCondition { on, condition });
    }
    let topic = match pair.child(Rule::debug_topic) {
        Some(topic) => self::topic(&topic)?,
        None => DebugTopic::All,
    };
    Some(if on {
        ExecCommand::Debug(topic)
    } else {
        ExecCommand::Undebug(topic)
    })
}

fn topic(pair: &Pair<'_, Rule>) -> Option<DebugTopic> {
    let mut words = pair.clone().into_inner().map(|word| word.as_rule());
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

fn condition(pair: &Pair<'_, Rule>) -> Option<DebugCondition> {
    let address = pair.parsed(Rule::a_ipv4)?;
    Some(match pair.clone().into_inner().nth(1)?.as_rule() {
        Rule::k_connid => DebugCondition::ConnectionId(pair.number(Rule::a_connection)??),
        Rule::k_condition_reset => DebugCondition::Reset,
        Rule::k_condition_spi => DebugCondition::Spi(pair.number(Rule::a_spi)??),
        Rule::k_unmatched => DebugCondition::Unmatched(
            pair.clone()
                .into_inner()
                .nth(2)
                .and_then(|area| DebugArea::from_word(area.as_str())),
        ),
        _ => match pair.parsed(Rule::a_subnet_mask)? {
            Some(mask) => DebugCondition::PeerSubnet(AddressMask {
                address: address?,
                mask,
            }),
            None => DebugCondition::Peer(address?),
        },
    })
}

fn ping(pair: &Pair<'_, Rule>) -> Option<Option<Ping>> {
    let Some(target) = pair.name(Rule::a_target) else {
        return Some(None);
    };
    Some(Some(Ping {
        target,
        source: source(pair)?,
        repeat: pair.number(Rule::a_repeat)?,
        size: pair.number(Rule::a_size)?,
        timeout: pair.number(Rule::a_timeout)?,
        df_bit: pair.has(Rule::k_df_bit),
    }))
}

fn traceroute(pair: &Pair<'_, Rule>) -> Option<Option<Traceroute>> {
    let Some(target) = pair.name(Rule::a_target) else {
        return Some(None);
    };
    Some(Some(Traceroute {
        target,
        numeric: pair.has(Rule::k_numeric),
        source: source(pair)?,
        probe: pair.number(Rule::a_probe)?,
        timeout: pair.number(Rule::a_timeout)?,
        ttl: pair
            .number(Rule::a_ttl_minimum)?
            .zip(pair.number(Rule::a_ttl_maximum)?),
        port: pair.number(Rule::a_udp_port)?,
    }))
}

fn source(pair: &Pair<'_, Rule>) -> Option<Option<SourceSpec>> {
    let Some(source) = pair.child(Rule::source) else {
        return Some(None);
    };
    let inner = source.into_inner().next()?;
    match inner.as_rule() {
        Rule::a_ipv4 => inner
            .as_str()
            .parse()
            .ok()
            .map(|address| Some(SourceSpec::Address(address))),
        _ => InterfaceName::parse(inner.as_str()).map(|name| Some(SourceSpec::Interface(name))),
    }
}

fn terminal(pair: &Pair<'_, Rule>) -> Option<TerminalCommand> {
    let (no, of) = match pair.child(Rule::terminal_no) {
        Some(no) => (true, no),
        None => (false, pair.clone()),
    };
    let what = of.clone().into_inner().nth(1)?.as_rule();
    Some(match what {
        Rule::k_monitor => TerminalCommand::Monitor(!no),
        Rule::k_length => TerminalCommand::Length(of.number(Rule::a_length)?),
        Rule::k_width => TerminalCommand::Width(of.number(Rule::a_width)?),
        _ if !of.has(Rule::k_history_size) => TerminalCommand::History(!no),
        _ => TerminalCommand::HistorySize(of.number(Rule::a_history_size)?),
    })
}

//! EXEC commands.

use pest::iterators::Pair;

use super::Node;
use super::show::{filter, ip_address, peer_address, show};
use crate::command::{
    AddressMask, ClearCommand, ClearSa, ConfigureSource, DebugArea, DebugCondition, DebugTopic,
    ExecCommand, Filter, IpsecProtocol, Ping, SourceSpec, Storage, TerminalCommand, Traceroute,
    WriteTarget,
};
use crate::interface_name::InterfaceName;
use crate::parser::Rule;

/// An EXEC command, with the filter if it is a `show`.
pub(super) fn command(pair: Pair<'_, Rule>) -> Option<(ExecCommand, Option<Filter>)> {
    if matches!(pair.as_rule(), Rule::show | Rule::user_show) {
        return Some((ExecCommand::Show(show(&pair)?), filter(&pair)?));
    }
    let command = match pair.as_rule() {
        Rule::clear => ExecCommand::Clear(clear(pair.into_inner().last()?)?),
        Rule::configure => ExecCommand::Configure(configure(&pair)),
        Rule::copy => copy(pair)?,
        Rule::debug | Rule::undebug | Rule::no_exec => debug(&pair)?,
        Rule::disable => ExecCommand::Disable(pair.number(Rule::a_level)?),
        Rule::enable => ExecCommand::Enable(pair.number(Rule::a_level)?),
        Rule::erase => ExecCommand::EraseStartupConfig,
        Rule::exit_exec => ExecCommand::Exit,
        Rule::help_exec => ExecCommand::Help,
        Rule::ping => ExecCommand::Ping(ping(&pair)?),
        Rule::reload => ExecCommand::Reload,
        Rule::terminal => ExecCommand::Terminal(terminal(&pair)?),
        Rule::traceroute => ExecCommand::Traceroute(traceroute(&pair)?),
        Rule::write => ExecCommand::Write(write_target(&pair)),
        _ => return None,
    };
    Some((command, None))
}

fn clear(of: Pair<'_, Rule>) -> Option<ClearCommand> {
    Some(match of.as_rule() {
        Rule::clear_isakmp => ClearCommand::CryptoIsakmp(of.number(Rule::a_connection)?),
        Rule::clear_session => ClearCommand::CryptoSession {
            remote: peer_address(&of, Rule::remote_address)?,
            local: peer_address(&of, Rule::local_address)?,
        },
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

fn configure(pair: &Pair<'_, Rule>) -> ConfigureSource {
    if pair.has(Rule::k_configure_terminal) {
        ConfigureSource::Terminal
    } else if pair.has(Rule::k_configure_memory) {
        ConfigureSource::Memory
    } else {
        let replace = pair.child(Rule::configure_replace);
        let file = |replace: Pair<'_, Rule>| {
            Some((replace.name(Rule::a_file)?, replace.has(Rule::k_force)))
        };
        replace
            .and_then(file)
            .map_or(ConfigureSource::Ask, |(file, force)| {
                ConfigureSource::Replace { file, force }
            })
    }
}

fn copy(pair: Pair<'_, Rule>) -> Option<ExecCommand> {
    let mut storages = pair.into_inner().skip(1).map(storage);
    Some(ExecCommand::Copy {
        source: storages.next()??,
        destination: storages.next()??,
    })
}

fn storage(pair: Pair<'_, Rule>) -> Option<Storage> {
    let inner = pair.into_inner().next()?;
    Some(match inner.as_rule() {
        Rule::k_running_config => Storage::RunningConfig,
        Rule::k_startup_config => Storage::StartupConfig,
        _ => Storage::File(inner.as_str().to_owned()),
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
        _ => TerminalCommand::HistorySize(of.number(Rule::a_history_size)?),
    })
}

fn write_target(pair: &Pair<'_, Rule>) -> WriteTarget {
    if pair.has(Rule::k_write_erase) {
        WriteTarget::Erase
    } else if pair.has(Rule::k_write_terminal) {
        WriteTarget::Terminal
    } else {
        WriteTarget::Memory
    }
}

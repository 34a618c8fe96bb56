//! Commands about configurations and files.

use pest::iterators::Pair;

use super::Node;
use crate::command::{
    ConfigureCommand, ConfigureReplace, ConfigureTerminal, ExecCommand, FileCommand,
    LoggedCommands, ReloadCommand, RevertTimer, ShowArchive, ShowConfigLog, Storage, WriteTarget,
};
use crate::parser::Rule;

/// The command of an EXEC rule of `files.pest`.
pub(super) fn command(pair: Pair<'_, Rule>) -> Option<ExecCommand> {
    let file = || pair.name(Rule::a_file);
    let command = match pair.as_rule() {
        Rule::archive_config => return Some(ExecCommand::ArchiveConfig),
        Rule::configure => return configure(&pair).map(ExecCommand::Configure),
        Rule::copy => return copy(pair),
        Rule::erase => return Some(ExecCommand::EraseStartupConfig),
        Rule::reload => return reload(&pair).map(ExecCommand::Reload),
        Rule::write => return Some(ExecCommand::Write(write_target(&pair))),
        Rule::delete => FileCommand::Delete {
            file: file()?,
            force: pair.has(Rule::k_slash_force),
            recursive: pair.has(Rule::k_slash_recursive),
        },
        Rule::dir => FileCommand::Dir {
            file: file(),
            all: pair.has(Rule::k_dir_all),
            recursive: pair.has(Rule::k_dir_recursive),
        },
        Rule::make_directory => FileCommand::MakeDirectory(file()?),
        Rule::more => FileCommand::More(file()?),
        Rule::receive => FileCommand::Receive(file()?),
        Rule::transmit => FileCommand::Transmit(file()?),
        Rule::remove_directory => FileCommand::RemoveDirectory(file()?),
        Rule::rename => FileCommand::Rename {
            from: file()?,
            to: pair.name(Rule::a_new_file)?,
        },
        Rule::verify => FileCommand::Verify {
            file: file()?,
            expected: pair.name(Rule::a_checksum),
        },
        _ => return None,
    };
    Some(ExecCommand::File(command))
}

fn configure(pair: &Pair<'_, Rule>) -> Option<ConfigureCommand> {
    let Some(what) = pair.clone().into_inner().nth(1) else {
        return Some(ConfigureCommand::Ask);
    };
    Some(match what.as_rule() {
        Rule::k_configure_confirm => ConfigureCommand::Confirm,
        Rule::k_configure_memory => ConfigureCommand::Memory,
        Rule::configure_replace => ConfigureCommand::Replace(replace(&what)?),
        Rule::configure_revert => match timer(&what)? {
            None => ConfigureCommand::RevertNow,
            Some(timer) => ConfigureCommand::RevertTimer(timer),
        },
        _ => ConfigureCommand::Terminal(match timer(&what)? {
            Some(timer) => ConfigureTerminal::Revert(timer),
            None if what.has(Rule::k_configure_lock) => ConfigureTerminal::Lock,
            None => ConfigureTerminal::Plain,
        }),
    })
}

fn timer(pair: &Pair<'_, Rule>) -> Option<Option<RevertTimer>> {
    let minutes = pair.number(Rule::a_minutes)?;
    Some(minutes.map(|minutes| match pair.has(Rule::k_revert_idle) {
        true => RevertTimer::Idle(minutes),
        false => RevertTimer::Absolute(minutes),
    }))
}

fn replace(pair: &Pair<'_, Rule>) -> Option<ConfigureReplace> {
    Some(ConfigureReplace {
        file: pair.name(Rule::a_file)?,
        list: pair.has(Rule::k_replace_list),
        force: pair.has(Rule::k_force),
        ignorecase: pair.has(Rule::k_ignorecase),
        nolock: pair.has(Rule::k_nolock),
        revert_on_error: pair.has(Rule::k_trigger_error),
        minutes: pair.number(Rule::a_minutes)?,
    })
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

fn reload(pair: &Pair<'_, Rule>) -> Option<ReloadCommand> {
    let reason = |pair: &Pair<'_, Rule>| pair.name(Rule::a_reload_reason);
    if let Some(within) = pair.child(Rule::reload_in) {
        return Some(ReloadCommand::In {
            delay: within.name(Rule::a_reload_delay)?,
            reason: reason(&within),
        });
    }
    if let Some(at) = pair.child(Rule::reload_at) {
        return Some(ReloadCommand::At {
            time: at.name(Rule::a_reload_time)?,
            day_and_reason: at.name(Rule::a_reload_day),
        });
    }
    Some(match pair.has(Rule::k_reload_cancel) {
        true => ReloadCommand::Cancel,
        false => ReloadCommand::Now {
            reason: reason(pair),
        },
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

/// `show archive …`.
pub(super) fn show_archive(pair: &Pair<'_, Rule>) -> Option<ShowArchive> {
    let Some(of) = pair.clone().into_inner().nth(2) else {
        return Some(ShowArchive::List);
    };
    let ignorecase = of.has(Rule::k_ignorecase);
    Some(match of.as_rule() {
        Rule::show_differences => ShowArchive::Differences {
            from: of.name(Rule::a_file),
            to: of.name(Rule::a_other_file),
            ignorecase,
        },
        Rule::show_incremental_diffs => ShowArchive::IncrementalDiffs {
            file: of.name(Rule::a_file)?,
            ignorecase,
        },
        Rule::k_show_archive_log_config => ShowArchive::Log(show_config_log(pair)?),
        _ => ShowArchive::RollbackTimer,
    })
}

fn show_config_log(pair: &Pair<'_, Rule>) -> Option<ShowConfigLog> {
    if pair.has(Rule::k_log_statistics) {
        return Some(ShowConfigLog::Statistics);
    }
    let which = match (pair.number(Rule::a_log_first)?, pair.name(Rule::a_log_user)) {
        (Some(first), _) => LoggedCommands::Numbered {
            first,
            last: pair.number(Rule::a_log_last)?,
        },
        (None, Some(name)) => LoggedCommands::OfUser {
            name,
            session: pair.number(Rule::a_log_session)?,
        },
        (None, None) => LoggedCommands::All,
    };
    Some(ShowConfigLog::Commands {
        which,
        provisioning: pair.has(Rule::k_provisioning),
    })
}

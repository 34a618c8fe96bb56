//! Commands about configurations and files.

use crate::command::{
    ConfigureCommand, ConfigureReplace, ConfigureTerminal, ExecCommand, FileCommand,
    LoggedCommands, ReloadCommand, RevertTimer, ShowArchive, ShowConfigLog, Storage, WriteTarget,
};
use crate::matched::Part;
use crate::tree::Rule;

/// The command of an EXEC rule of `files.pest`.
pub(super) fn command(part: Part<'_>) -> Option<ExecCommand> {
    let file = || part.name(Rule::a_file);
    let command = match part.rule() {
        Rule::archive_config => return Some(ExecCommand::ArchiveConfig),
        Rule::configure => return configure(part).map(ExecCommand::Configure),
        Rule::copy => return copy(part),
        Rule::erase => return Some(ExecCommand::EraseStartupConfig),
        Rule::reload => return reload(part).map(ExecCommand::Reload),
        Rule::write => return Some(ExecCommand::Write(write_target(part))),
        Rule::delete => FileCommand::Delete {
            file: file()?,
            force: part.has(Rule::k_slash_force),
            recursive: part.has(Rule::k_slash_recursive),
        },
        Rule::dir => FileCommand::Dir {
            file: file(),
            all: part.has(Rule::k_dir_all),
            recursive: part.has(Rule::k_dir_recursive),
        },
        Rule::make_directory => FileCommand::MakeDirectory(file()?),
        Rule::more => FileCommand::More(file()?),
        Rule::receive => FileCommand::Receive(file()?),
        Rule::transmit => FileCommand::Transmit(file()?),
        Rule::remove_directory => FileCommand::RemoveDirectory(file()?),
        Rule::rename => FileCommand::Rename {
            from: file()?,
            to: part.name(Rule::a_new_file)?,
        },
        Rule::verify => FileCommand::Verify {
            file: file()?,
            expected: part.name(Rule::a_checksum),
        },
        _ => return None,
    };
    Some(ExecCommand::File(command))
}

fn configure(part: Part<'_>) -> Option<ConfigureCommand> {
    let Some(what) = part.parts().nth(1) else {
        return Some(ConfigureCommand::Ask);
    };
    Some(match what.rule() {
        Rule::k_configure_confirm => ConfigureCommand::Confirm,
        Rule::k_configure_memory => ConfigureCommand::Memory,
        Rule::configure_replace => ConfigureCommand::Replace(replace(what)?),
        Rule::configure_revert => match timer(what)? {
            None => ConfigureCommand::RevertNow,
            Some(timer) => ConfigureCommand::RevertTimer(timer),
        },
        _ => ConfigureCommand::Terminal(match timer(what)? {
            Some(timer) => ConfigureTerminal::Revert(timer),
            None if what.has(Rule::k_configure_lock) => ConfigureTerminal::Lock,
            None => ConfigureTerminal::Plain,
        }),
    })
}

fn timer(part: Part<'_>) -> Option<Option<RevertTimer>> {
    let minutes = part.number(Rule::a_minutes)?;
    Some(minutes.map(|minutes| match part.has(Rule::k_revert_idle) {
        true => RevertTimer::Idle(minutes),
        false => RevertTimer::Absolute(minutes),
    }))
}

fn replace(part: Part<'_>) -> Option<ConfigureReplace> {
    Some(ConfigureReplace {
        file: part.name(Rule::a_file)?,
        list: part.has(Rule::k_replace_list),
        force: part.has(Rule::k_force),
        ignorecase: part.has(Rule::k_ignorecase),
        nolock: part.has(Rule::k_nolock),
        revert_on_error: part.has(Rule::k_trigger_error),
        minutes: part.number(Rule::a_minutes)?,
    })
}

fn copy(part: Part<'_>) -> Option<ExecCommand> {
    let mut storages = part.parts().skip(1).map(storage);
    Some(ExecCommand::Copy {
        source: storages.next()??,
        destination: storages.next()??,
    })
}

fn storage(part: Part<'_>) -> Option<Storage> {
    let inner = part.parts().next()?;
    Some(match inner.rule() {
        Rule::k_running_config => Storage::RunningConfig,
        Rule::k_startup_config => Storage::StartupConfig,
        _ => Storage::File(inner.word().to_owned()),
    })
}

fn reload(part: Part<'_>) -> Option<ReloadCommand> {
    let reason = |part: Part<'_>| part.name(Rule::a_reload_reason);
    if let Some(within) = part.child(Rule::reload_in) {
        return Some(ReloadCommand::In {
            delay: within.name(Rule::a_reload_delay)?,
            reason: reason(within),
        });
    }
    if let Some(at) = part.child(Rule::reload_at) {
        return Some(ReloadCommand::At {
            time: at.name(Rule::a_reload_time)?,
            day_and_reason: at.name(Rule::a_reload_day),
        });
    }
    Some(match part.has(Rule::k_reload_cancel) {
        true => ReloadCommand::Cancel,
        false => ReloadCommand::Now {
            reason: reason(part),
        },
    })
}

fn write_target(part: Part<'_>) -> WriteTarget {
    if part.has(Rule::k_write_erase) {
        WriteTarget::Erase
    } else if part.has(Rule::k_write_terminal) {
        WriteTarget::Terminal
    } else {
        WriteTarget::Memory
    }
}

/// `show archive …`.
pub(super) fn show_archive(part: Part<'_>) -> Option<ShowArchive> {
    let Some(of) = part.parts().nth(2) else {
        return Some(ShowArchive::List);
    };
    let ignorecase = of.has(Rule::k_ignorecase);
    Some(match of.rule() {
        Rule::show_differences => ShowArchive::Differences {
            from: of.name(Rule::a_file),
            to: of.name(Rule::a_other_file),
            ignorecase,
        },
        Rule::show_incremental_diffs => ShowArchive::IncrementalDiffs {
            file: of.name(Rule::a_file)?,
            ignorecase,
        },
        Rule::k_show_archive_log_config => ShowArchive::Log(show_config_log(part)?),
        _ => ShowArchive::RollbackTimer,
    })
}

fn show_config_log(part: Part<'_>) -> Option<ShowConfigLog> {
    if part.has(Rule::k_log_statistics) {
        return Some(ShowConfigLog::Statistics);
    }
    let which = match (part.number(Rule::a_log_first)?, part.name(Rule::a_log_user)) {
        (Some(first), _) => LoggedCommands::Numbered {
            first,
            last: part.number(Rule::a_log_last)?,
        },
        (None, Some(name)) => LoggedCommands::OfUser {
            name,
            session: part.number(Rule::a_log_session)?,
        },
        (None, None) => LoggedCommands::All,
    };
    Some(ShowConfigLog::Commands {
        which,
        provisioning: part.has(Rule::k_provisioning),
    })
}

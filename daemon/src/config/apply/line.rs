//! `line ...` and the `(config-line)#` commands.

use std::ops::RangeInclusive;

use isthmus_grammar::command::{Form, LineCommand, LineKind};

use super::{Applied, Outcome, Refused, done, given};
use crate::config::model::{Change, LineId, LineSettings, Running};
use crate::config::secret;

/// `line KIND FIRST [LAST]`: makes vtys that are not there; `no line vty N` removes that and all above.
pub(super) fn select(
    running: &mut Running,
    form: Form,
    kind: LineKind,
    first: u16,
    last: Option<u16>,
) -> Outcome {
    let last = last.unwrap_or(first);
    let limit = if kind == LineKind::Vty { u16::MAX } else { 0 };
    if first > last || last > limit {
        return Err(Refused::new("% Bad line number"));
    }
    match form {
        Form::Set => {
            for number in first..=last {
                running.lines.entry(LineId { kind, number }).or_default();
            }
        }
        _ if kind == LineKind::Vty && first <= 4 => {
            return Err(Refused::new("% Can't delete last 5 VTY lines"));
        }
        _ => running
            .lines
            .retain(|line, _| line.kind != kind || line.number < first),
    }
    running.note(Change::System);
    done()
}

/// A command for all lines of a range.
pub(super) fn apply(
    running: &mut Running,
    kind: LineKind,
    numbers: RangeInclusive<u16>,
    form: Form,
    command: &LineCommand,
) -> Applied {
    for number in numbers {
        set(
            running.lines.entry(LineId { kind, number }).or_default(),
            form,
            command,
        );
    }
    if running.services.password_encryption {
        let lines = running.lines.values_mut();
        for password in lines.filter_map(|line| line.password.as_mut()) {
            *password = secret::obscured(password, None);
        }
    }
    running.note(Change::System);
    Applied::default()
}

fn set(line: &mut LineSettings, form: Form, command: &LineCommand) {
    let on = form == Form::Set;
    match command {
        LineCommand::AccessClass { list, inbound } => {
            let list = on.then(|| list.clone());
            if *inbound {
                line.access_in = list;
            } else {
                line.access_out = list;
            }
        }
        LineCommand::Autocommand(command) => line.autocommand = given(form, command),
        LineCommand::Exec => line.no_exec = form == Form::No,
        LineCommand::ExecBanner => line.no_exec_banner = form == Form::No,
        LineCommand::MotdBanner => line.no_motd_banner = form == Form::No,
        LineCommand::ExecTimeout { minutes, seconds } => {
            // `no exec-timeout` means never.
            line.exec_timeout = match form {
                Form::Set => minutes.map(|minutes| (minutes, seconds.unwrap_or(0))),
                Form::No => Some((0, 0)),
                Form::Default => None,
            };
        }
        LineCommand::HistorySize(size) => line.history_size = given(form, size),
        LineCommand::Length(length) => line.length = given(form, length),
        LineCommand::LoggingSynchronous => line.logging_synchronous = on,
        LineCommand::Login(method) => line.login = on.then(|| method.clone()),
        LineCommand::Password(password) => line.password = given(form, password),
        LineCommand::PrivilegeLevel(level) => line.privilege = given(form, level),
        LineCommand::SessionTimeout(minutes) => line.session_timeout = given(form, minutes),
        LineCommand::Stopbits(bits) => line.stopbits = given(form, bits),
        LineCommand::LoginResponse(seconds) => line.login_response = given(form, seconds),
        LineCommand::Transport {
            direction,
            protocols,
        } => {
            if on {
                line.transport.insert(*direction, protocols.clone());
            } else {
                line.transport.remove(direction);
            }
        }
        LineCommand::Width(width) => line.width = given(form, width),
    }
}

//! `logging` and `clock`.

use isthmus_grammar::command::{
    ClockCommand, Form, LoggingCommand, LoggingHost, Severity, SyslogFacility,
};

use super::{Outcome, Refused, done, given};
use crate::clock;
use crate::config::model::{Change, DEFAULT_LOG_BUFFER, Logging, RateLimit, Running};

pub(super) fn logging(running: &mut Running, form: Form, command: &LoggingCommand) -> Outcome {
    let default = Logging::default();
    let logging = &mut running.logging;
    let on = form == Form::Set;
    let level = |typed: Option<Severity>, usual: Option<Severity>| match form {
        Form::Set => typed.or(Some(Severity::Debugging)),
        Form::No => None,
        Form::Default => usual,
    };
    match command {
        LoggingCommand::Buffered { size, severity } => {
            logging.buffered = match form {
                Form::Set => severity.or(logging.buffered).or(default.buffered),
                _ => level(*severity, default.buffered),
            };
            logging.buffer_size = match form {
                Form::Set => size.unwrap_or(logging.buffer_size),
                _ => DEFAULT_LOG_BUFFER,
            };
        }
        LoggingCommand::Console(severity) => logging.console = level(*severity, default.console),
        LoggingCommand::Facility(facility) => {
            logging.facility = given(form, facility).unwrap_or(SyslogFacility::Local7);
        }
        LoggingCommand::Host(host) => self::host(logging, form, host),
        LoggingCommand::MessageCounter => logging.message_counter = form != Form::No,
        LoggingCommand::Monitor(severity) => logging.monitor = level(*severity, default.monitor),
        LoggingCommand::On => logging.on = form != Form::No,
        LoggingCommand::OriginId(id) => logging.origin_id = given(form, id),
        LoggingCommand::QueueLimit { trap, limit } => {
            let queue = if *trap {
                &mut logging.trap_queue
            } else {
                &mut logging.console_queue
            };
            *queue = given(form, limit);
        }
        LoggingCommand::RateLimit {
            console,
            all,
            rate,
            except,
        } => {
            logging.rate_limit = rate.filter(|_| on).map(|rate| RateLimit {
                console: *console,
                all: *all,
                rate,
                except: *except,
            });
        }
        LoggingCommand::SourceInterface(name) => logging.source_interface = given(form, name),
        LoggingCommand::Trap(severity) => {
            logging.trap = match form {
                Form::Set => severity.or(default.trap),
                _ => level(*severity, default.trap),
            };
        }
        LoggingCommand::SyslogFormat5424 => logging.rfc5424 = on,
        LoggingCommand::Userinfo => logging.userinfo = on,
    }
    running.note(Change::Logging);
    done()
}

/// A host may be there more than once, over different transports. The `no` form without a transport takes the plain
/// entry back, or all of the host's when there is no plain one.
fn host(logging: &mut Logging, form: Form, typed: &LoggingHost) {
    let same = |known: &LoggingHost| known.host == typed.host && known.transport == typed.transport;
    if form == Form::Set {
        match logging.hosts.iter_mut().find(|known| same(known)) {
            Some(known) => known.clone_from(typed),
            None => logging.hosts.push(typed.clone()),
        }
    } else if typed.transport.is_none() && !logging.hosts.iter().any(same) {
        logging.hosts.retain(|known| known.host != typed.host);
    } else {
        logging.hosts.retain(|known| !same(known));
    }
}

pub(super) fn clock(running: &mut Running, form: Form, command: &ClockCommand) -> Outcome {
    let (mut timezone, mut summer) = (running.timezone.clone(), running.summer_time.clone());
    match command {
        ClockCommand::Timezone(typed) => timezone = given(form, typed),
        ClockCommand::SummerTime(typed) => summer = given(form, typed),
    }
    clock::zone(timezone.as_ref(), summer.as_ref())
        .map_err(|error| Refused::new(format!("% Cannot set the clock so: {error}.")))?;
    running.timezone = timezone;
    running.summer_time = summer;
    running.note(Change::System);
    done()
}

//! The `logging` and `clock` lines.

use isthmus_grammar::command::{
    ClockCommand, Form, GlobalCommand, LoggingCommand, Severity, SyslogFacility,
};

use super::Page;
use crate::config::model::{DEFAULT_LOG_BUFFER, Logging, Running};

impl Page {
    fn logging(&mut self, form: Form, command: LoggingCommand) {
        self.global(form, GlobalCommand::Logging(command));
    }

    fn usual_logging(&mut self, usual: bool, form: Form, command: LoggingCommand) {
        self.default(usual, form, GlobalCommand::Logging(command));
    }
}

fn form(on: bool) -> Form {
    if on { Form::Set } else { Form::No }
}

/// What concerns this router alone; IOS prints it near the top.
pub(super) fn local(page: &mut Page, logging: &Logging) {
    let counted = logging.message_counter;
    page.usual_logging(counted, form(counted), LoggingCommand::MessageCounter);
    page.usual_logging(logging.on, form(logging.on), LoggingCommand::On);
    page.usual_logging(
        !logging.userinfo,
        form(logging.userinfo),
        LoggingCommand::Userinfo,
    );
    for (trap, limit) in [(false, logging.console_queue), (true, logging.trap_queue)] {
        if limit.is_some() {
            page.logging(Form::Set, LoggingCommand::QueueLimit { trap, limit });
        }
    }
    buffered(page, logging);
    if let Some(limit) = logging.rate_limit {
        let command = LoggingCommand::RateLimit {
            console: limit.console,
            all: limit.all,
            rate: Some(limit.rate),
            except: limit.except,
        };
        page.logging(Form::Set, command);
    }
    let debugging = Some(Severity::Debugging);
    let (console, monitor) = (logging.console, logging.monitor);
    page.usual_logging(
        console == debugging,
        form(console.is_some()),
        LoggingCommand::Console(console),
    );
    page.usual_logging(
        monitor == debugging,
        form(monitor.is_some()),
        LoggingCommand::Monitor(monitor),
    );
}

fn buffered(page: &mut Page, logging: &Logging) {
    let Some(severity) = logging.buffered else {
        let command = LoggingCommand::Buffered {
            size: None,
            severity: None,
        };
        return page.logging(Form::No, command);
    };
    let size =
        (logging.buffer_size != DEFAULT_LOG_BUFFER || page.all).then_some(logging.buffer_size);
    let severity = (severity != Severity::Debugging || page.all).then_some(severity);
    if size.is_some() || severity.is_some() {
        page.logging(Form::Set, LoggingCommand::Buffered { size, severity });
    }
}

/// What concerns syslog servers; IOS prints it behind the routes.
pub(super) fn remote(page: &mut Page, logging: &Logging) {
    let trap = logging.trap;
    page.usual_logging(
        trap == Some(Severity::Informational),
        form(trap.is_some()),
        LoggingCommand::Trap(trap),
    );
    page.usual_logging(
        !logging.rfc5424,
        form(logging.rfc5424),
        LoggingCommand::SyslogFormat5424,
    );
    page.usual_logging(
        logging.facility == SyslogFacility::Local7,
        Form::Set,
        LoggingCommand::Facility(Some(logging.facility)),
    );
    if logging.origin_id.is_some() {
        let command = LoggingCommand::OriginId(logging.origin_id.clone());
        page.logging(Form::Set, command);
    }
    if logging.source_interface.is_some() {
        let command = LoggingCommand::SourceInterface(logging.source_interface.clone());
        page.logging(Form::Set, command);
    }
    for host in &logging.hosts {
        page.logging(Form::Set, LoggingCommand::Host(host.clone()));
    }
}

/// `clock timezone` and `clock summer-time`.
pub(super) fn clock(page: &mut Page, running: &Running) {
    if running.timezone.is_some() {
        let command = ClockCommand::Timezone(running.timezone.clone());
        page.global(Form::Set, GlobalCommand::Clock(command));
    }
    if running.summer_time.is_some() {
        let command = ClockCommand::SummerTime(running.summer_time.clone());
        page.global(Form::Set, GlobalCommand::Clock(command));
    }
}

//! Configuration mode: lines that change the running-config, and the ways in and out. Called by the session.

use isthmus_control::Status;
use isthmus_grammar::command::{
    ConfigCommand, ConfigLine, ConfigureCommand, ConfigureTerminal, Form, GlobalCommand, IpRoute,
    LoginCommand, RevertTimer,
};
use isthmus_grammar::interface_name::range;
use isthmus_grammar::privilege::FULL;
use isthmus_grammar::{Mode, Refusal, secrets};

use super::io::Disconnected;
use super::{CommandError, Outcome, Place, Session};
use crate::change_control::{archive, rollback};
use crate::config::cursor::BYTE_ORDER_MARK;
use crate::config::model::RouteKey;
use crate::config::{self, Origin, Reading};
use crate::log::Severity;
use crate::plan::network;
use crate::router::config_log::ConfigSession;
use crate::router::{Router, settled};

/// So many complaints are said at the prompt; the log has them all.
const MOST_SAID: usize = 20;

/// Refuses `interface NAME` and `interface range` for devices that are configured under another name.
fn may_name(router: &Router, line: &ConfigLine) -> Result<(), config::Refused> {
    let names = match &line.command {
        ConfigCommand::Global(GlobalCommand::Interface { name, .. }) => vec![name.clone()],
        ConfigCommand::Global(GlobalCommand::InterfaceRange(list)) => {
            range(list).unwrap_or_default()
        }
        _ => return Ok(()),
    };
    if line.form == Form::No {
        return Ok(());
    }
    let refused = |other| config::Refused(format!("% {other}\n"));
    names.iter().try_for_each(|name| {
        let may = router.interfaces.may_configure(&router.running, name);
        may.map_err(refused)
    })
}

/// `no interface NAME` for a port that is not there, or that acts under another name: only its lines are there to go.
fn forget_absent(router: &mut Router, line: &ConfigLine) {
    if let ConfigCommand::Global(GlobalCommand::Interface { name, .. }) = &line.command
        && line.form == Form::No
        && router.interfaces.acting(name).is_none()
    {
        config::apply::forget_interface(&mut router.running, name);
    }
}

/// What can be said of a line at once: the route that it makes waits for an interface.
fn remark(router: &Router, line: &ConfigLine) -> Option<String> {
    let ConfigCommand::Global(GlobalCommand::IpRoute(IpRoute {
        destination,
        interface: Some(interface),
        next_hop,
        ..
    })) = &line.command
    else {
        return None;
    };
    // What the configuration makes is there in a moment.
    let made = router.running.interfaces.get(interface).is_some()
        && matches!(interface.ios_parts(), Some(("Loopback", _)));
    if line.form != Form::Set || made {
        return None;
    }
    let key = RouteKey {
        destination: destination.net()?,
        interface: Some(interface.clone()),
        next_hop: *next_hop,
    };
    network::waits_for(&key, &router.interfaces)
}

/// What follows the refusal of a line that opens a mode on IOS and not here.
const FOREIGN: &str =
    "% This mode is not in this release: the lines up to exit are kept and do nothing\n\n";

/// What follows the refusal of a line that would open a mode.
const REFUSED_MODE: &str = "% The lines up to exit belong to it and are not obeyed\n\n";

/// A refusal of the words of a line, for the line as it was typed.
fn typed(refusal: Refusal, line: &str) -> Refusal {
    let lead = line.len() - line.trim_start_matches(BYTE_ORDER_MARK).trim_start().len();
    match refusal {
        Refusal::Invalid { column } => Refusal::Invalid {
            column: column + line[..lead].chars().count(),
        },
        other => other,
    }
}

impl Session {
    /// `configure ...`
    pub(super) async fn enter_configuration(&mut self, command: ConfigureCommand) -> Outcome {
        match command {
            ConfigureCommand::Terminal(how) => self.configure_terminal(how).await,
            ConfigureCommand::Ask => {
                let prompt = "Configuring from terminal, memory, or network [terminal]? ";
                match self.ask(prompt, "terminal").await?.as_deref() {
                    None => Ok(Status::Failed),
                    Some(word) if "terminal".starts_with(word) => {
                        self.configure_terminal(ConfigureTerminal::Plain).await
                    }
                    Some(word) if "memory".starts_with(word) => self.merge_startup().await,
                    Some(_) => self.fail("?Must be \"terminal\" or \"memory\"\n").await,
                }
            }
            ConfigureCommand::Memory => self.merge_startup().await,
            ConfigureCommand::Replace(replace) => self.replace(replace).await,
            ConfigureCommand::Confirm => self.confirm_change().await,
            ConfigureCommand::RevertNow => self.revert_now().await,
            ConfigureCommand::RevertTimer(timer) => self.revert_later(timer).await,
        }
    }

    async fn configure_terminal(&mut self, how: ConfigureTerminal) -> Outcome {
        let locks = self.router.borrow().running.locks_itself();
        let ready = match how {
            ConfigureTerminal::Plain if locks => self.router.borrow_mut().lock(self.id, &self.user),
            ConfigureTerminal::Plain => self.router.borrow().may_configure(self.id),
            ConfigureTerminal::Lock => self.router.borrow_mut().lock(self.id, &self.user),
            ConfigureTerminal::Revert(timer) => {
                self.back_up(timer).await?;
                Ok(())
            }
        };
        ready?;
        self.place = Place::Config(Box::default());
        self.config_session = ConfigSession::default();
        self.say("Enter configuration commands, one per line.  End with CNTL/Z.\n")
            .await
    }

    /// Whether no other session has locked the configuration.
    pub(super) fn may_configure(&self) -> Result<(), String> {
        self.router.borrow().may_configure(self.id)
    }

    /// Keeps what there is for the rollback of what is configured now.
    async fn back_up(&mut self, timer: RevertTimer) -> Result<(), CommandError> {
        self.may_configure()?;
        rollback::begin(&self.router, self.id, self.user.name(), timer).await?;
        let enabled = self.router.borrow().running.archive().path.is_some();
        let archived = match enabled {
            true => Some(archive::archive(&self.router).await),
            false => None,
        };
        let text = match archived {
            Some(Ok(name)) => format!(" to {name}\n\n"),
            Some(Err(text)) => format!("\n{text}\n"),
            None => "\n\n".to_owned(),
        };
        let start = "Rollback Confirmed Change: Backing up current running config";
        Ok(self.io.output(&format!("{start}{text}")).await?)
    }

    /// A line typed in a configuration mode.
    pub(super) async fn configuration_line(&mut self, line: &str) -> Outcome {
        let access = self.access();
        let Place::Config(cursor) = &mut self.place else {
            return Ok(Status::Ok);
        };
        let reading = cursor.read(&access, 0, line);
        let foreign = cursor.is_foreign_mode() && access.is_full();
        let unknown = cursor.is_unknown_mode();
        self.keep_unknown();
        let outcome = match reading {
            Reading::Nothing => Ok(Status::Ok),
            Reading::Command(parsed) => self.command(parsed, line).await,
            Reading::Refused(_) if self.remove_kept(line) => Ok(Status::Ok),
            Reading::Refused(refusal) => {
                self.refuse(typed(refusal, line), line).await?;
                match (foreign, unknown) {
                    (true, _) => self.io.output(FOREIGN).await?,
                    (false, true) => self.io.output(REFUSED_MODE).await?,
                    (false, false) => {}
                }
                Ok(Status::Invalid)
            }
            Reading::Below(below) => match below.refusal {
                Some(refusal) => self.refuse(typed(refusal, line), line).await,
                // It is kept, and its header said so.
                None if foreign => Ok(Status::Failed),
                None => {
                    let header = secrets::shown(&below.header, "...");
                    let text = format!("% Not obeyed: it belongs to \"{header}\"\n");
                    self.fail(text).await
                }
            },
        };
        self.keep_unknown();
        outcome
    }

    /// Keeps the lines of modes that this router does not have once they are complete.
    fn keep_unknown(&mut self) {
        let full = self.access().is_full();
        let Place::Config(cursor) = &mut self.place else {
            return;
        };
        for mut closed in cursor.take_closed() {
            let mut router = self.router.borrow_mut();
            closed.place.after_interfaces();
            if closed.is_mode && full && router.may_configure(self.id).is_ok() {
                config::load::keep(&mut router.running, closed);
                self.changed_at.get_or_insert(router.complaints.mark());
                router.changed_by(self.user.name());
            }
        }
    }

    /// One configuration line.
    pub(super) async fn configure(&mut self, line: &ConfigLine) -> Outcome {
        if let ConfigCommand::Global(GlobalCommand::Login(LoginCommand::KeyConfigKey(key))) =
            &line.command
        {
            let done = self.master_key(line.form, key.clone()).await?;
            if done == Status::Ok {
                let mut router = self.router.borrow_mut();
                router.log_command(&mut self.config_session, &self.user, line);
            }
            return Ok(done);
        }
        let typed = line;
        let line = &self.hashed(line).await;
        let Place::Config(cursor) = &mut self.place else {
            return self.fail("% Type configure terminal first.\n").await;
        };
        let applied = {
            let mut router = self.router.borrow_mut();
            let allowed = router.may_configure(self.id).map_err(config::Refused);
            let mut applied = match allowed.and_then(|()| may_name(&router, line)) {
                Ok(()) => {
                    forget_absent(&mut router, line);
                    cursor.obey(&mut router.running, line, Origin::Terminal)
                }
                Err(refused) => {
                    cursor.not_obeyed(line);
                    Err(refused)
                }
            };
            if let Ok(applied) = &mut applied {
                let now = router.complaints.mark();
                self.changed_at.get_or_insert(now);
                router.changed_by(self.user.name());
                router.log_command(&mut self.config_session, &self.user, typed);
                if let Some(remark) = remark(&router, line) {
                    applied.text.push_str(&format!("% {remark}\n"));
                    self.remarks.push(remark);
                }
            }
            applied
        };
        let below = match cursor.is_unknown_mode() {
            true => REFUSED_MODE,
            false => "",
        };
        match applied {
            Ok(applied) => self.say(applied.text).await,
            Err(refused) => self.fail(refused.0 + below).await,
        }
    }

    /// `no LINE` for a line that was kept from a file without being understood.
    fn remove_kept(&mut self, line: &str) -> bool {
        let full = self.level >= FULL;
        let Place::Config(cursor) = &mut self.place else {
            return false;
        };
        let Some(text) = line.trim().strip_prefix("no ") else {
            return false;
        };
        let mut router = self.router.borrow_mut();
        if !full || router.may_configure(self.id).is_err() {
            return false;
        }
        let removed = cursor.remove_kept(&mut router.running);
        if removed {
            self.changed_at.get_or_insert(router.complaints.mark());
            router.changed_by(self.user.name());
            router.log_kept(&mut self.config_session, &self.user, cursor.mode(), text);
        }
        removed
    }

    /// `exit`
    pub(super) async fn leave_one(&mut self) -> Result<(), Disconnected> {
        match &mut self.place {
            Place::Config(cursor) if cursor.mode() == Mode::Config => {
                return self.leave_configuration().await;
            }
            Place::Config(cursor) => cursor.leave_one(),
            Place::Exec => self.bye = Some(String::new()),
        }
        Ok(())
    }

    /// `end`; the prompt comes back when what was configured is in force.
    pub(super) async fn leave_configuration(&mut self) -> Result<(), Disconnected> {
        let Place::Config(cursor) = &mut self.place else {
            return Ok(());
        };
        cursor.close();
        self.keep_unknown();
        self.place = Place::Exec;
        self.router.borrow_mut().unlock(self.id);
        let text = format!("Configured from {}", self.user.configured_by());
        self.router
            .borrow_mut()
            .notice(Severity::Notifications, "CONFIG_I", text);
        self.in_force().await
    }

    /// The configuration is about to change by this session.
    pub(super) fn about_to_change(&mut self) {
        let now = self.router.borrow().complaints.mark();
        self.changed_at.get_or_insert(now);
    }

    /// Waits until what this session changed is in force, and says what the router complains of since.
    pub(super) async fn in_force(&mut self) -> Result<(), Disconnected> {
        settled(&self.router).await;
        let Some(since) = self.changed_at.take() else {
            return Ok(());
        };
        let (complaints, forgotten) = {
            let mut router = self.router.borrow_mut();
            // While much changes the log waits for the end of it; this session has come to its end.
            if router.reconcile.on {
                router.report();
            }
            router.complaints.since(since)
        };
        let said = std::mem::take(&mut self.remarks);
        let new: Vec<&String> = complaints
            .iter()
            .filter(|text| !said.contains(text))
            .collect();
        let mut text: String = new
            .iter()
            .take(MOST_SAID)
            .map(|text| format!("% {text}\n"))
            .collect();
        let more = new.len().saturating_sub(MOST_SAID) as u64 + forgotten;
        if more > 0 {
            text.push_str(&format!("% {more} more: show logging\n"));
        }
        if !text.is_empty() {
            self.io.output(&text).await?;
        }
        Ok(())
    }
}

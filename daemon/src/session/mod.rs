//! One operator's session: what is typed, in which mode, on which terminal. Started by `tasks::control` for every connection.
//!
//! `io` is the connection; this file the life of a session; `exec` and its neighbours obey EXEC commands, `configure`
//! configuration lines.

mod autocommand;
mod caller;
mod clear;
mod configure;
mod copy;
mod dialog;
mod entrance;
mod exec;
mod files;
mod history;
pub mod io;
mod login;
mod outcome;
mod ping;
mod questions;
mod reload;
mod rollback;
mod scp;
pub mod screens;
mod secrets;
mod show;
mod traceroute;

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use isthmus_control::{
    Hello, PRESS_RETURN, PROTOCOL_VERSION, Reply, Request, Status, TerminalSettings, Welcome,
};
use isthmus_grammar::command::{Command, Filter, LineKind, Parsed};
use isthmus_grammar::privilege::USER;
use isthmus_grammar::{Access, Mode, Refusal, parser};
use tokio::net::UnixStream;
use tokio::sync::Notify;

use crate::config::Cursor;
use crate::config::model::LineId;
use crate::log::Severity;
use crate::operators::{SessionId, User};
use crate::router::complaints::Mark;
use crate::router::config_log::ConfigSession;
use crate::router::{Shared, settled};
use crate::storage::names;
use autocommand::Autocommand;
use caller::Caller;
use history::Histories;
use io::{Disconnected, Io};
use outcome::{CommandError, Outcome};
use screens::Screens;

/// How long a client may take to say who it is.
const HELLO: Duration = Duration::from_secs(10);
/// How long a line may be idle where `exec-timeout` says nothing.
const EXEC_TIMEOUT: Duration = Duration::from_secs(600);

/// Where in the command line's modes a session is.
#[derive(Debug, Clone)]
enum Place {
    /// `R1>` or `R1#`, by the session's level.
    Exec,
    /// `R1(config)#` and below.
    Config(Box<Cursor>),
}

/// One session.
struct Session {
    id: SessionId,
    io: Io,
    router: Shared,
    /// The long screens of all sessions.
    screens: Screens,
    place: Place,
    /// What the configuration change logger knows of this time in configuration mode.
    config_session: ConfigSession,
    /// When this session first changed the configuration since it was last told what came of it.
    changed_at: Option<Mark>,
    /// What it was told at once.
    remarks: Vec<String>,
    /// The privilege level, 0 to 15.
    level: u8,
    /// What the console was told last of what it may do.
    told: Access,
    /// Something of it may have changed.
    commands: Rc<Notify>,
    line: LineId,
    user: User,
    terminal: TerminalSettings,
    /// Length and width of the screen, where the client has one.
    screen: Option<(u32, u32)>,
    histories: Histories,
    /// The client says what is typed; otherwise the lines it sends are all that is known.
    typed: bool,
    /// The caller is root, or runs as the daemon does.
    trusted: bool,
    /// Nothing else is on the machine's own console.
    owns_console: bool,
    /// The Linux user who runs the console, when the system tells.
    uid: Option<u32>,
    /// The command that comes before everything else.
    automatic: Option<Autocommand>,
    /// Set when the session is to end, with the reason for the operator.
    bye: Option<String>,
}

/// Serves one connection until it ends. `place` is its place among those that have not said yet who they are.
pub async fn serve<P>(stream: UnixStream, router: Shared, screens: Screens, place: P) {
    let origin = Caller::identify(&stream, &router).await;
    let mut io = Io::new(stream, screens.queued.clone());
    let first = tokio::time::timeout(HELLO, io.next()).await;
    drop(place);
    let text = match first {
        Ok(Ok(Request::Hello(hello))) => match greet(hello) {
            Ok(hello) => {
                let caller = origin.introduced(&hello);
                open(io, router, screens, hello.interactive, caller).await;
                return;
            }
            Err(text) => text,
        },
        Ok(Ok(_) | Err(Disconnected::Frame(_))) => {
            format!(
                "isthmusd speaks version {PROTOCOL_VERSION} of its protocol; a Hello was expected"
            )
        }
        Ok(Err(_)) | Err(_) => return,
    };
    // The refused client may be gone already.
    let _ = io.send(Reply::Bye { text }).await;
    io.close().await;
}

fn greet(hello: Hello) -> Result<Hello, String> {
    if hello.version == PROTOCOL_VERSION {
        return Ok(hello);
    }
    Err(format!(
        "isthmusd speaks version {PROTOCOL_VERSION} of its protocol, this console version {}; use the console of the same release",
        hello.version
    ))
}

async fn open(mut io: Io, router: Shared, screens: Screens, interactive: bool, caller: Caller) {
    let entered = {
        let sessions = &mut router.borrow_mut().sessions;
        sessions.enter(caller.user, caller.console, caller.trusted)
    };
    let Some((id, entry)) = entered else {
        let text = "All lines are in use; try again later".into();
        let _ = io.send(Reply::Bye { text }).await;
        io.close().await;
        return;
    };
    io.set_clear(entry.clear);
    let mut session = Session {
        id,
        io,
        router: router.clone(),
        screens,
        place: Place::Exec,
        config_session: ConfigSession::default(),
        changed_at: None,
        remarks: Vec::new(),
        level: USER,
        told: Access::full(),
        commands: entry.commands,
        line: entry.line,
        user: entry.user,
        terminal: TerminalSettings::default(),
        screen: None,
        histories: Histories::default(),
        typed: interactive,
        trusted: caller.trusted,
        owns_console: caller.owns_console,
        uid: caller.uid,
        automatic: None,
        bye: None,
    };
    router
        .borrow_mut()
        .sessions
        .listen(id, session.io.log_lines());
    // An end of the connection, orderly or not, ends the session and nothing else.
    match session.live(interactive).await {
        Err(Disconnected::Idle) => session.expired().await,
        Err(Disconnected::Cleared) => session.part("\n").await,
        _ => {}
    }
    // The client may be gone.
    let _ = session.leave_configuration().await;
    {
        let mut router = router.borrow_mut();
        router.unlock(id);
        router.sessions.leave(id);
    }
    session.io.close().await;
}

impl Session {
    async fn live(&mut self, interactive: bool) -> Result<(), Disconnected> {
        self.terminal = self.terminal_of_line();
        if !self.admit(interactive).await? {
            let text = self.bye.take().unwrap_or_default();
            return self.io.send(Reply::Bye { text }).await;
        }
        while self.bye.is_none() {
            let idle = self.exec_timeout().filter(|_| interactive);
            self.io.set_idle(idle);
            let request = tokio::select! {
                biased;
                request = self.io.next() => request?,
                () = self.commands.notified() => {
                    self.tell_access().await?;
                    continue;
                }
            };
            match request {
                Request::Exec { line } => match self.automatic.take() {
                    Some(automatic) => self.begin(automatic, &line).await?,
                    None => self.line(&line).await?,
                },
                Request::Typed { line } => self.histories.add(self.mode(), &line),
                Request::Screen { length, width } => self.screen = Some((length, width)),
                Request::Interrupt => {}
                Request::Hello(_) | Request::Answer { .. } => {
                    self.bye = Some("unexpected message".into());
                }
            }
        }
        let text = match self.bye.take().unwrap_or_default() {
            text if text.is_empty() && interactive && self.owns_console => self.available(),
            text => text,
        };
        self.io.send(Reply::Bye { text }).await
    }

    /// What stands on the console line between two sessions.
    fn available(&self) -> String {
        if self.line.kind != LineKind::Console {
            return String::new();
        }
        let hostname = self.router.borrow().running.hostname().to_owned();
        let free = format!("\n\n{hostname} con0 is now available\n\n");
        if self.owns_console {
            free + "\n\n\n" + PRESS_RETURN
        } else {
            free
        }
    }

    /// The introduction; `login` says that something comes before the first prompt.
    async fn welcome(&mut self, banner: String, login: bool) -> Result<(), Disconnected> {
        self.told = self.access_to_tell();
        let reply = Reply::Welcome(Welcome {
            version: PROTOCOL_VERSION,
            mode: self.mode(),
            prompt: self.prompt(),
            hostname: self.router.borrow().running.hostname().to_owned(),
            banner,
            terminal: self.terminal,
            login,
            access: self.told.clone(),
        });
        self.io.send(reply).await
    }

    /// The address of a host that the operator named.
    async fn resolve(&self, host: &str) -> Option<IpAddr> {
        let lookup = self.router.borrow().running.domain_lookup;
        names::resolve(host, lookup).await
    }

    /// What this session may do.
    fn access(&self) -> Access {
        Access::new(self.level, self.router.borrow().running.privileges.iter())
    }

    /// The same with the aliases, which only the console knows of.
    fn access_to_tell(&self) -> Access {
        let aliases = self.router.borrow().running.aliases.clone();
        self.access().with_aliases(aliases)
    }

    /// The settings that the line gives a terminal at the start.
    fn terminal_of_line(&self) -> TerminalSettings {
        let (settings, usual) = (self.settings(), TerminalSettings::default());
        let or = |value: Option<u16>, usual| value.map_or(usual, u32::from);
        TerminalSettings {
            length: or(settings.length, usual.length),
            width: or(settings.width, usual.width),
            history: or(settings.history_size, usual.history),
        }
    }

    /// How long this line may be idle; `None` for ever.
    fn exec_timeout(&self) -> Option<Duration> {
        let limit = match self.settings().exec_timeout {
            None => EXEC_TIMEOUT,
            Some((minutes, seconds)) => {
                Duration::from_secs(u64::from(minutes) * 60 + u64::from(seconds))
            }
        };
        Some(limit).filter(|limit| !limit.is_zero())
    }

    /// `exec-timeout` ended the session.
    async fn expired(&mut self) {
        let tty = crate::operators::absolute(self.line);
        let text = format!(
            "(exec timer expired, tty {tty} ({})), user {}",
            self.user.address(),
            self.user.name.as_deref().unwrap_or_default()
        );
        self.router
            .borrow_mut()
            .notice(Severity::Informational, "TTY_EXPIRE_TIMER", text);
        let text = match self.line.kind {
            LineKind::Console => self.available(),
            LineKind::Aux | LineKind::Vty => "\n".to_owned(),
        };
        self.part(&text).await;
    }

    /// Last words to a client that did nothing wrong.
    async fn part(&self, text: &str) {
        // It may be gone meanwhile.
        let _ = self.io.send(Reply::Bye { text: text.into() }).await;
    }

    fn mode(&self) -> Mode {
        match &self.place {
            Place::Exec if self.level <= USER => Mode::UserExec,
            Place::Exec => Mode::Exec,
            Place::Config(cursor) => cursor.mode(),
        }
    }

    fn prompt(&self) -> String {
        let router = self.router.borrow();
        let hostname = router.running.hostname();
        match &self.place {
            Place::Exec => self.mode().prompt(hostname),
            Place::Config(cursor) => cursor.prompt(hostname),
        }
    }

    /// Obeys one line and says that it is done.
    async fn line(&mut self, line: &str) -> Result<(), Disconnected> {
        {
            let mut router = self.router.borrow_mut();
            router.sessions.active(self.id);
            router.rollback_active(self.id);
        }
        if !self.typed {
            self.histories.add(self.mode(), line);
        }
        let status = self.obey(line).await?;
        // The goodbye is the answer: after it comes no prompt, and no program may send one more line.
        if self.bye.is_some() {
            return Ok(());
        }
        self.done(status).await
    }

    async fn done(&mut self, status: Status) -> Result<(), Disconnected> {
        self.tell_access().await?;
        let (mode, prompt) = (self.mode(), self.prompt());
        self.io
            .send(Reply::Done {
                status,
                mode,
                prompt,
            })
            .await
    }

    /// Obeys one line, and prints what it failed of.
    async fn obey(&mut self, line: &str) -> Result<Status, Disconnected> {
        let outcome = match &self.place {
            Place::Config(_) => self.configuration_line(line).await,
            Place::Exec => match parser::parse_as(self.mode(), &self.access(), line) {
                Ok(parsed) => self.command(parsed, line).await,
                Err(refusal) => self.refuse(refusal, line).await,
            },
        };
        match outcome {
            Ok(status) => Ok(status),
            Err(CommandError::Failed(text)) => {
                self.io.output(&text).await?;
                Ok(Status::Failed)
            }
            Err(CommandError::Disconnected(disconnected)) => Err(disconnected),
        }
    }

    async fn command(&mut self, parsed: Parsed, line: &str) -> Outcome {
        let json = parsed.json;
        let file = parsed.filter.as_ref().and_then(Filter::file);
        match parsed.command {
            Command::Empty => Ok(Status::Ok),
            Command::Exec(command) => self.exec(command, line, json, file).await,
            Command::Do(command) => {
                settled(&self.router).await;
                self.exec(command, line, json, file).await
            }
            Command::Config(line) => self.configure(&line).await,
            Command::Exit => {
                self.leave_one().await?;
                Ok(Status::Ok)
            }
            Command::End => {
                self.leave_configuration().await?;
                Ok(Status::Ok)
            }
        }
    }

    /// Says why a line is no command.
    async fn refuse(&self, refusal: Refusal, line: &str) -> Outcome {
        match refusal {
            Refusal::Invalid { column } => self.io.send(Reply::Invalid { column }).await?,
            other => self.io.output(&other.message(0, line)).await?,
        }
        Ok(Status::Invalid)
    }

    /// Prints what went wrong.
    async fn fail(&self, text: impl AsRef<str>) -> Outcome {
        self.io.output(text.as_ref()).await?;
        Ok(Status::Failed)
    }

    /// Prints what came of it.
    async fn say(&self, text: impl AsRef<str>) -> Outcome {
        self.io.output(text.as_ref()).await?;
        Ok(Status::Ok)
    }
}

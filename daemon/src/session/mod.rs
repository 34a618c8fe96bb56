//! One operator's session: what is typed, in which mode, on which terminal. Started by `control` for every connection.
//!
//! `io` is the connection; this file the life of a session; `exec` and its neighbours obey EXEC commands, `configure`
//! configuration lines.

mod clear;
mod configure;
mod copy;
mod dialog;
mod exec;
mod files;
mod history;
pub mod io;
mod login;
mod ping;
pub mod registry;
mod reload;
mod rollback;
pub mod scp;
mod show;
mod traceroute;

use std::time::Duration;

use isthmus_control::{Hello, PROTOCOL_VERSION, Reply, Request, Status, Terminal, Welcome};
use isthmus_grammar::Mode;
use isthmus_grammar::command::{BannerKind, Command};
use isthmus_grammar::parser;
use tokio::net::UnixStream;

pub(crate) use ping::resolve;

use crate::config::Context;
use crate::router::{Shared, settled};
use history::Histories;
use io::{Gone, Io};
use registry::{SessionId, User};

/// How long a client may take to say who it is.
const HELLO: Duration = Duration::from_secs(10);

/// Where in the command line's modes a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// `R1>`
    User,
    /// `R1#`
    Privileged,
    /// `R1(config)#` and below.
    Config(Context),
}

/// One session.
struct Session {
    id: SessionId,
    io: Io,
    router: Shared,
    place: Place,
    user: User,
    terminal: Terminal,
    histories: Histories,
    /// The client says what is typed; otherwise the lines it sends are all that is known.
    typed: bool,
    /// The caller is root, or runs as the daemon does.
    trusted: bool,
    /// The Linux user who runs the console, when the system tells.
    uid: Option<u32>,
    /// Set when the session is to end, with the reason for the operator.
    bye: Option<String>,
}

/// What a command answers when the connection stands.
type Outcome = Result<Status, Gone>;

/// Serves one connection until it ends. `place` is its place among those that have not said yet who they are.
pub async fn serve<P>(stream: UnixStream, router: Shared, place: P) {
    let owner = stream.peer_cred().map(|peer| peer.uid());
    let mut io = Io::new(stream);
    let first = tokio::time::timeout(HELLO, io.next()).await;
    drop(place);
    let text = match first {
        Ok(Ok(Request::Hello(hello))) => match greet(hello) {
            Ok(hello) => {
                open(io, router, hello, owner.ok()).await;
                return;
            }
            Err(text) => text,
        },
        Ok(Ok(_) | Err(Gone::Frame(_))) => {
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

async fn open(io: Io, router: Shared, hello: Hello, uid: Option<u32>) {
    let daemon = nix::unistd::geteuid().as_raw();
    let trusted = uid.is_some_and(|uid| uid == 0 || uid == daemon);
    let user = User::new(&hello);
    let id = router.borrow_mut().sessions.enter(user.clone(), trusted);
    let Some(id) = id else {
        let text = "All lines are in use; try again later".into();
        let _ = io.send(Reply::Bye { text }).await;
        io.close().await;
        return;
    };
    let mut session = Session {
        id,
        io,
        router: router.clone(),
        place: Place::User,
        user,
        terminal: Terminal::default(),
        histories: Histories::default(),
        typed: hello.interactive,
        trusted,
        uid,
        bye: None,
    };
    router
        .borrow_mut()
        .sessions
        .listen(id, session.io.log_lines());
    if !hello.interactive && session.may_start_privileged() {
        session.place = Place::Privileged;
    }
    // An end of the connection, orderly or not, ends the session and nothing else.
    let _ = session.live(hello.interactive).await;
    session.leave_configuration().await;
    {
        let mut router = router.borrow_mut();
        router.unlock(id);
        router.sessions.leave(id);
    }
    session.io.close().await;
}

impl Session {
    async fn live(&mut self, interactive: bool) -> Result<(), Gone> {
        self.welcome(interactive).await?;
        while self.bye.is_none() {
            match self.io.next().await? {
                Request::Exec { line } => self.line(&line).await?,
                Request::Typed { line } => self.histories.add(self.mode(), &line),
                Request::Interrupt => {}
                Request::Hello(_) | Request::Answer { .. } => {
                    self.bye = Some("unexpected message".into());
                }
            }
        }
        let text = self.bye.take().unwrap_or_default();
        self.io.send(Reply::Bye { text }).await
    }

    async fn welcome(&mut self, interactive: bool) -> Result<(), Gone> {
        let reply = {
            let router = self.router.borrow();
            let banner = |kind| {
                let text = router.running.banners.get(&kind).filter(|_| interactive);
                text.map_or_else(String::new, |text| {
                    format!("{}\n", text.trim_end_matches('\n'))
                })
            };
            Reply::Welcome(Welcome {
                version: PROTOCOL_VERSION,
                mode: self.mode(),
                prompt: self.mode().prompt(router.running.hostname()),
                hostname: router.running.hostname().to_owned(),
                banner: banner(BannerKind::Motd) + &banner(BannerKind::Exec),
                terminal: self.terminal,
            })
        };
        self.io.send(reply).await
    }

    fn mode(&self) -> Mode {
        match &self.place {
            Place::User => Mode::UserExec,
            Place::Privileged => Mode::Exec,
            Place::Config(context) => context.mode(),
        }
    }

    fn prompt(&self) -> String {
        self.mode().prompt(self.router.borrow().running.hostname())
    }

    /// Obeys one line and says that it is done.
    async fn line(&mut self, line: &str) -> Result<(), Gone> {
        {
            let mut router = self.router.borrow_mut();
            router.sessions.active(self.id);
            router.rollback_active(self.id);
        }
        if !self.typed {
            self.histories.add(self.mode(), line);
        }
        let status = self.obey(line).await?;
        let (mode, prompt) = (self.mode(), self.prompt());
        self.io
            .send(Reply::Done {
                status,
                mode,
                prompt,
            })
            .await
    }

    async fn obey(&mut self, line: &str) -> Outcome {
        let parsed = match parser::parse(self.mode(), line) {
            Ok(parsed) => parsed,
            Err(_) if self.remove_kept(line) => return Ok(Status::Ok),
            Err(refusal) => {
                let text = refusal.message(self.prompt().chars().count(), line);
                self.io.output(&text).await?;
                return Ok(Status::Invalid);
            }
        };
        let json = parsed.json.then_some(line);
        match parsed.command {
            Command::Empty => Ok(Status::Ok),
            Command::Exec(command) => self.exec(command, json).await,
            Command::Do(command) => {
                settled(&self.router).await;
                self.exec(command, json).await
            }
            Command::Config(line) => self.configure(&line).await,
            Command::Exit => {
                self.leave_one().await;
                Ok(Status::Ok)
            }
            Command::End => {
                self.leave_configuration().await;
                Ok(Status::Ok)
            }
        }
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

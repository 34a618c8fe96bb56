//! A daemon that only talks: it follows modes, knows a handful of commands, and does what tests
//! tell it. It speaks the control protocol over a real socket.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use isthmus_control::{
    AskKind, Decoder, Hello, MAX_REPLY, MAX_REQUEST, PROTOCOL_VERSION, Reply, Request, Status,
    TerminalSettings, Welcome, encode,
};
use isthmus_grammar::command::Command;
use isthmus_grammar::{Mode, Refusal, parser, walk};
use tempfile::TempDir;

/// What tests look at and change while the daemon runs.
#[derive(Default)]
pub struct State {
    /// Every line that came, as it was typed.
    pub lines: Vec<String>,
    /// Every line that was typed, as the history has it.
    pub typed: Vec<String>,
    /// Every answer; `None` for an Interrupt.
    pub answers: Vec<Option<String>>,
    /// How every client introduced itself.
    pub hellos: Vec<Hello>,
    /// Asked for by `enable`.
    pub secret: Option<String>,
    /// Printed before the first prompt.
    pub banner: String,
    /// Every client that was let in.
    pub connections: Vec<UnixStream>,
}

/// The daemon; gone when dropped.
pub struct Fake {
    dir: TempDir,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub fn start() -> Self {
        let fake = Self {
            dir: tempfile::tempdir().unwrap(),
            state: Arc::default(),
        };
        fake.listen();
        fake
    }

    /// Starts listening (again).
    pub fn listen(&self) {
        let _ = std::fs::remove_file(self.socket());
        let listener = UnixListener::bind(self.socket()).unwrap();
        let state = Arc::clone(&self.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                thread::spawn(move || Talk::new(stream, state).run());
            }
        });
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("isthmusd.sock")
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Sends something to every client, out of turn.
    pub fn say(&self, reply: &Reply) {
        use std::io::Write as _;
        let frame = encode(reply, MAX_REPLY).unwrap();
        for mut connection in &self.state().connections {
            connection.write_all(&frame).unwrap();
        }
    }

    /// Breaks every connection and stops listening, as a daemon that dies.
    pub fn die(&self) {
        let _ = std::fs::remove_file(self.socket());
        for connection in self.state().connections.drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
    }
}

struct Talk {
    stream: UnixStream,
    decoder: Decoder<Request>,
    state: Arc<Mutex<State>>,
    mode: Mode,
    hostname: String,
    terminal: TerminalSettings,
}

impl Talk {
    fn new(stream: UnixStream, state: Arc<Mutex<State>>) -> Self {
        Self {
            stream,
            decoder: Decoder::new(MAX_REQUEST),
            state,
            mode: Mode::Exec,
            hostname: "R1".to_owned(),
            terminal: TerminalSettings::default(),
        }
    }

    fn run(mut self) {
        while let Some(request) = self.receive() {
            match request {
                Request::Hello(hello) => self.welcome(hello),
                Request::Exec { line } => {
                    self.state.lock().unwrap().lines.push(line.clone());
                    if self.exec(&line).is_none() {
                        let _ = self.stream.shutdown(std::net::Shutdown::Both);
                        return;
                    }
                }
                Request::Typed { line } => self.state.lock().unwrap().typed.push(line),
                Request::Answer { .. } | Request::Interrupt | Request::Screen { .. } => {}
            }
        }
    }

    fn receive(&mut self) -> Option<Request> {
        use std::io::Read as _;
        let mut chunk = [0; 4096];
        loop {
            if let Some(request) = self.decoder.next_message().unwrap() {
                return Some(request);
            }
            match self.stream.read(&mut chunk) {
                Ok(n) if n > 0 => self.decoder.push(&chunk[..n]),
                _ => return None,
            }
        }
    }

    fn send(&mut self, reply: &Reply) {
        use std::io::Write as _;
        let _ = self.stream.write_all(&encode(reply, MAX_REPLY).unwrap());
    }

    fn output(&mut self, text: &str) {
        self.send(&Reply::Output {
            text: text.to_owned(),
        });
    }

    fn ask(&mut self, prompt: &str, kind: AskKind) -> Option<String> {
        self.send(&Reply::Ask {
            prompt: prompt.to_owned(),
            kind,
        });
        let answer = match self.receive()? {
            Request::Answer { text } => Some(text),
            _ => None,
        };
        self.state.lock().unwrap().answers.push(answer.clone());
        answer
    }

    fn welcome(&mut self, hello: Hello) {
        self.mode = if hello.interactive {
            Mode::UserExec
        } else {
            Mode::Exec
        };
        // A test that has seen the first prompt can use the connection.
        let state = Arc::clone(&self.state);
        let mut state = state.lock().unwrap();
        state.hellos.push(hello);
        self.send(&Reply::Welcome(Welcome {
            version: PROTOCOL_VERSION,
            mode: self.mode,
            prompt: self.mode.prompt(&self.hostname),
            hostname: self.hostname.clone(),
            banner: state.banner.clone(),
            terminal: self.terminal,
            login: false,
            access: isthmus_grammar::Access::full(),
        }));
        state.connections.push(self.stream.try_clone().unwrap());
    }

    /// Runs one line; `None` when the session ends.
    fn exec(&mut self, line: &str) -> Option<()> {
        let status = match parser::parse(self.mode, line) {
            Err(refusal) => {
                match refusal {
                    Refusal::Invalid { column } => self.send(&Reply::Invalid { column }),
                    other => self.output(&other.message(0, line)),
                }
                Status::Invalid
            }
            Ok(parsed) => {
                let words = walk::expand(self.mode, line).unwrap().line;
                self.obey(&words, parsed.command)?
            }
        };
        let prompt = self.mode.prompt(&self.hostname);
        self.send(&Reply::Done {
            status,
            mode: self.mode,
            prompt,
        });
        Some(())
    }

    fn obey(&mut self, words: &str, command: Command) -> Option<Status> {
        match command {
            Command::Config(line) => {
                self.mode = line.enters().unwrap_or(self.mode);
                if let Some(name) = words.strip_prefix("hostname ") {
                    self.hostname = name.to_owned();
                }
                Some(Status::Ok)
            }
            Command::Exit => {
                self.mode = self.mode.parent().unwrap_or(Mode::Exec);
                Some(Status::Ok)
            }
            Command::End => {
                self.mode = Mode::Exec;
                Some(Status::Ok)
            }
            Command::Empty => Some(Status::Ok),
            Command::Exec(_) | Command::Do(_) => {
                self.privileged(words.strip_prefix("do ").unwrap_or(words))
            }
        }
    }

    fn privileged(&mut self, words: &str) -> Option<Status> {
        match words {
            "enable" => return Some(self.enable()),
            "disable" => self.mode = Mode::UserExec,
            "configure terminal" => {
                self.output("Enter configuration commands, one per line.  End with CNTL/Z.\n");
                self.mode = Mode::Config;
            }
            "exit" => {
                self.send(&Reply::Bye {
                    text: String::new(),
                });
                return None;
            }
            "show version" => {
                let lines: String = (1..=60).map(|n| format!("line {n}\n")).collect();
                self.output(&lines);
            }
            "show running-config" => self.output(CONFIG),
            "show clock | json" => {
                self.output(
                    "{\n  \"command\": \"show clock\",\n  \"data\": {\"synchronised\": true}\n}\n",
                );
            }
            "show clock" => self.output("10:00:00.000 UTC Mon Mar 1 2027\n"),
            "show debugging" => self.output("\u{1b}[2Jred \u{7}alert\n"),
            "copy running-config startup-config" => {
                let question = "Destination filename [startup-config]? ";
                if self.ask(question, AskKind::Line).is_none() {
                    return Some(Status::Failed);
                }
                self.output("Building configuration...\n[OK]\n");
            }
            "reload" => {
                let answer = self.ask("Proceed with reload? [confirm]", AskKind::Confirm);
                if !matches!(answer.as_deref(), Some("" | "y")) {
                    return Some(Status::Failed);
                }
                self.output("Reloading\n");
            }
            _ if words.starts_with("ping") => return Some(self.ping()),
            _ if words.starts_with("terminal") => self.terminal(words),
            _ => {}
        }
        Some(Status::Ok)
    }

    fn enable(&mut self) -> Status {
        let secret = self.state.lock().unwrap().secret.clone();
        if let Some(secret) = secret
            && self.ask("Password: ", AskKind::Secret) != Some(secret)
        {
            self.output("% Bad secrets\n\n");
            return Status::Failed;
        }
        self.mode = Mode::Exec;
        Status::Ok
    }

    /// Goes on until it is interrupted.
    fn ping(&mut self) -> Status {
        self.output("Type escape sequence to abort.\n!");
        self.output("!");
        while !matches!(self.receive(), Some(Request::Interrupt) | None) {}
        self.output("\nSuccess rate is 100 percent (2/2)\n");
        Status::Ok
    }

    fn terminal(&mut self, words: &str) {
        let default = TerminalSettings::default();
        let number = words.rsplit(' ').next().and_then(|n| n.parse().ok());
        let words = words.replace("terminal no ", "terminal ");
        match words.split(' ').nth(1) {
            Some("length") => self.terminal.length = number.unwrap_or(default.length),
            Some("width") => self.terminal.width = number.unwrap_or(default.width),
            _ => self.terminal.history = number.unwrap_or(default.history),
        }
        self.send(&Reply::Terminal(self.terminal));
    }
}

/// What `show running-config` prints.
pub const CONFIG: &str = "\
Building configuration...

Current configuration : 180 bytes
!
hostname R1
!
crypto isakmp policy 10
 encr aes 256
 group 14
!
interface eth0
 ip address 10.0.0.1 255.255.255.0
 crypto map M
!
interface eth1
 no ip address
!
end

";

//! Who may come in, as what, and for how long: whole dialogs of logging in, `enable`, privilege levels, the master key, and
//! the ends of sessions, on a clock that jumps to whatever happens next.

mod dialogs;
mod entrance;

use crate::bed::{Bed, hello};
use isthmus_control::stream::{FrameReader, write_request};
use isthmus_control::{AskKind, Hello, PROTOCOL_VERSION, Reply, Request};
use isthmus_grammar::Refusal;
use isthmusd::config;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::LocalSet;
use tokio::time::{Duration, Instant};

/// Somebody at a terminal whom the router knows nothing of, and all that was on the screen.
struct Terminal {
    reader: FrameReader<OwnedReadHalf, Reply>,
    writer: OwnedWriteHalf,
    screen: String,
    closed: bool,
}

impl Terminal {
    async fn open(bed: &Bed) -> Self {
        Self::introduced(bed, introduction()).await
    }

    /// Over SSH from an address, or at the machine.
    async fn open_from(bed: &Bed, source: Option<&str>) -> Self {
        let source = source.map(|address| address.parse().unwrap());
        let introduction = introduction();
        Self::introduced(
            bed,
            Hello {
                source,
                ..introduction
            },
        )
        .await
    }

    async fn introduced(bed: &Bed, introduction: Hello) -> Self {
        let (read, writer) = bed.raw().await.into_split();
        let mut terminal = Self {
            reader: FrameReader::replies(read),
            writer,
            screen: String::new(),
            closed: false,
        };
        terminal.send(Request::Hello(introduction)).await;
        match terminal.reader.next().await.unwrap().unwrap() {
            Reply::Welcome(welcome) => {
                terminal.screen.push_str(&welcome.banner);
                if !welcome.login {
                    terminal.screen.push_str(&welcome.prompt);
                }
            }
            Reply::Bye { text } => {
                terminal.screen.push_str(&text);
                terminal.closed = true;
            }
            other => panic!("{other:?}"),
        }
        terminal
    }

    async fn send(&mut self, request: Request) {
        write_request(&mut self.writer, &request).await.unwrap();
    }

    /// Reads up to the next prompt or the end, with these answers to what is asked; what comes in secret is not on the screen.
    async fn answer(&mut self, answers: &[&str]) -> &mut Self {
        let mut answers = answers.iter();
        while let Ok(Some(reply)) = self.reader.next().await {
            match reply {
                Reply::Output { text } => self.screen.push_str(&text),
                Reply::Invalid { column } => self
                    .screen
                    .push_str(&Refusal::Invalid { column }.message(0, "")),
                Reply::Ask { prompt, kind } => {
                    self.screen.push_str(&prompt);
                    let Some(text) = answers.next() else {
                        continue;
                    };
                    if kind != AskKind::Secret {
                        self.screen.push_str(text);
                    }
                    self.screen.push('\n');
                    let text = (*text).to_owned();
                    self.send(Request::Answer { text }).await;
                }
                Reply::Done { prompt, .. } => {
                    self.screen.push_str(&prompt);
                    return self;
                }
                Reply::Bye { text } => {
                    self.screen.push_str(&text);
                    self.closed = true;
                    return self;
                }
                _ => {}
            }
        }
        self.closed = true;
        self
    }

    async fn types(&mut self, line: &str, answers: &[&str]) -> &mut Self {
        self.screen.push_str(line);
        self.screen.push('\n');
        self.send(Request::Exec { line: line.into() }).await;
        self.answer(answers).await
    }

    /// What was on the screen since the last look.
    fn seen(&mut self) -> String {
        std::mem::take(&mut self.screen)
    }
}

fn introduction() -> Hello {
    match hello(PROTOCOL_VERSION) {
        Request::Hello(hello) => Hello {
            interactive: true,
            ..hello
        },
        other => panic!("{other:?}"),
    }
}

/// A router with this configuration, where nobody is root.
fn test<F: Future<Output = ()>>(lines: &str, body: impl FnOnce(Bed) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let bed = Bed::new();
        let (running, problems) = config::load(&format!("hostname R1\n{lines}"), "test");
        assert_eq!(problems, []);
        {
            let mut router = bed.router.borrow_mut();
            *router.running = running;
            router.trusted_uids.clear();
        }
        body(bed).await;
    });
}

const LOCAL: &str = "username ann privilege 15 secret 0 Larisa-77\nusername bob password 0 Palamidi\nusername eve nopassword\n\
                     line vty 0 4\n login local\n";

//! A router with a control socket, and clients of it, for the tests that speak its protocol.
#![allow(dead_code)] // every test program uses its own part

pub mod tunnels;

use std::path::PathBuf;
use std::time::Duration;

use isthmus_control::stream::{FrameReader, write_request};
use isthmus_control::{Hello, PROTOCOL_VERSION, Reply, Request, SOCKET_NAME, Status};
use isthmus_grammar::{Mode, Refusal};
use isthmus_kernel::{Fake, Kernel};
use isthmusd::machine::directory::RunDir;
use isthmusd::router::Shared;
use isthmusd::session::screens::Screens;
use isthmusd::tasks::control;
use isthmusd::testing::RouterBuilder;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::LocalSet;

/// Everything takes far less; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// A router with a control socket in a folder of its own.
pub struct Bed {
    pub folder: tempfile::TempDir,
    pub router: Shared,
    pub screens: Screens,
    pub fake: Fake,
    _run_dir: RunDir,
}

impl Bed {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (kernel, _events, fake) = Kernel::fake();
        let router = RouterBuilder::on(kernel).folder(folder.path()).shared();
        let run_dir = RunDir::take(&folder.path().join("run")).unwrap();
        let listener = run_dir.listen().unwrap();
        let screens = Screens::default();
        tokio::task::spawn_local(control::serve(listener, router.clone(), screens.clone()));
        Self {
            folder,
            router,
            screens,
            fake,
            _run_dir: run_dir,
        }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("run").join(SOCKET_NAME)
    }

    pub async fn raw(&self) -> UnixStream {
        UnixStream::connect(self.socket()).await.unwrap()
    }

    pub async fn console(&self) -> Client {
        let mut client = Client::over(self.raw().await);
        client.send(hello(PROTOCOL_VERSION)).await;
        assert!(matches!(client.next().await, Some(Reply::Welcome(_))));
        client
    }

    pub fn log(&self) -> String {
        let router = self.router.borrow();
        router.log.buffer().lines().collect::<Vec<_>>().join("\n")
    }
}

pub fn hello(version: u32) -> Request {
    Request::Hello(Hello {
        version,
        line: "vty0".into(),
        user: Some("ann".into()),
        source: Some([192, 0, 2, 7].into()),
        interactive: false,
    })
}

pub struct Client {
    pub reader: FrameReader<OwnedReadHalf, Reply>,
    pub writer: OwnedWriteHalf,
}

/// What a command printed and how it ended.
pub struct Done {
    pub text: String,
    pub status: Status,
    pub mode: Mode,
    pub prompt: String,
}

impl Client {
    pub fn over(stream: UnixStream) -> Self {
        let (read, write) = stream.into_split();
        Self {
            reader: FrameReader::replies(read),
            writer: write,
        }
    }

    pub async fn send(&mut self, request: Request) {
        write_request(&mut self.writer, &request).await.unwrap();
    }

    pub async fn next(&mut self) -> Option<Reply> {
        tokio::time::timeout(PATIENCE, self.reader.next())
            .await
            .unwrap()
            .unwrap()
    }

    pub async fn finish(&mut self, answers: &[&str]) -> Done {
        let mut text = String::new();
        let mut answers = answers.iter();
        loop {
            match self.next().await.unwrap() {
                Reply::Output { text: more } => text.push_str(&more),
                Reply::Invalid { column } => {
                    text.push_str(&Refusal::Invalid { column }.message(0, ""))
                }
                Reply::Ask { prompt, .. } => {
                    text.push_str(&prompt);
                    let text = (*answers.next().unwrap()).to_owned();
                    self.send(Request::Answer { text }).await;
                }
                Reply::Done {
                    status,
                    mode,
                    prompt,
                } => {
                    return Done {
                        text,
                        status,
                        mode,
                        prompt,
                    };
                }
                Reply::Access(_) | Reply::Terminal(_) | Reply::Log { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub async fn run(&mut self, line: &str) -> Done {
        self.answering(line, &[]).await
    }

    pub async fn answering(&mut self, line: &str, answers: &[&str]) -> Done {
        self.send(Request::Exec { line: line.into() }).await;
        self.finish(answers).await
    }
}

pub fn test<F: Future<Output = ()>>(body: impl FnOnce(Bed) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(PATIENCE, body(Bed::new()))
            .await
            .unwrap();
    });
}

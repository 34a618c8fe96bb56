//! What happens to configurations: files, differences, archives, replacing and rolling back, the lock, reloads. Through
//! the control socket, as operators do it.

mod archive;
mod config_log;
mod files;
mod operators;
mod replace;
mod transfer;

use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use isthmus_control::stream::{FrameReader, write_request};
use isthmus_control::{Hello, PROTOCOL_VERSION, Reply, Request, SOCKET_NAME, Status};
use isthmus_grammar::{Mode, Refusal};
use isthmusd::machine::directory::RunDir;
use isthmusd::router::{Router, Shared};
use isthmusd::session::screens::Screens;
use isthmusd::storage::scp::Programs;
use isthmusd::tasks::control;
use isthmusd::testing::RouterBuilder;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::LocalSet;

/// Everything takes far less; a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// A whole configuration of another router.
const OTHER: &str = "hostname R9\ninterface Loopback9\n ip address 10.9.9.9 255.255.255.255\nend\n";

/// A router with a control socket, all in a folder that outlives it.
struct Bed {
    router: Shared,
    _run_dir: RunDir,
    folder: PathBuf,
}

fn router(folder: &Path) -> Router {
    RouterBuilder::default().folder(folder).booted()
}

impl Bed {
    fn new(folder: &Path) -> Self {
        let router = Rc::new(RefCell::new(router(folder)));
        let run_dir = RunDir::take(&folder.join("run")).unwrap();
        let listener = run_dir.listen().unwrap();
        tokio::task::spawn_local(control::serve(listener, router.clone(), Screens::default()));
        Self {
            router,
            _run_dir: run_dir,
            folder: folder.to_owned(),
        }
    }

    async fn operator(&self, name: &str) -> Operator {
        let stream = UnixStream::connect(self.folder.join("run").join(SOCKET_NAME));
        let (read, write) = stream.await.unwrap().into_split();
        let mut operator = Operator {
            reader: FrameReader::replies(read),
            writer: write,
            heard: Vec::new(),
            questions: Vec::new(),
        };
        let hello = Hello {
            version: PROTOCOL_VERSION,
            line: "vty0".into(),
            user: Some(name.into()),
            source: None,
            interactive: false,
        };
        operator.send(Request::Hello(hello)).await;
        while !matches!(operator.next().await, Reply::Welcome(_)) {}
        operator
    }

    fn flash(&self, name: &str) -> PathBuf {
        self.folder.join("state/flash").join(name)
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.flash("")).unwrap();
        std::fs::write(self.flash(name), text).unwrap();
    }

    fn log(&self) -> String {
        let router = self.router.borrow();
        router.log.buffer().lines().collect::<Vec<_>>().join("\n")
    }
}

/// Somebody at a console.
struct Operator {
    reader: FrameReader<OwnedReadHalf, Reply>,
    writer: OwnedWriteHalf,
    /// Lines that came without being asked for.
    heard: Vec<String>,
    /// Questions of the last command.
    questions: Vec<String>,
}

impl Operator {
    async fn send(&mut self, request: Request) {
        write_request(&mut self.writer, &request).await.unwrap();
    }

    async fn next(&mut self) -> Reply {
        let reply = tokio::time::timeout(PATIENCE, self.reader.next()).await;
        reply.unwrap().unwrap().unwrap()
    }

    /// Types a line and answers what is asked: the text, the status and the mode after it.
    async fn type_in(&mut self, line: &str, answers: &[&str]) -> (String, Status, Mode) {
        self.send(Request::Exec { line: line.into() }).await;
        let (mut text, mut answers) = (String::new(), answers.iter());
        self.questions.clear();
        loop {
            match self.next().await {
                Reply::Output { text: more } => text.push_str(&more),
                Reply::Invalid { column } => {
                    text.push_str(&Refusal::Invalid { column }.message(0, ""))
                }
                Reply::Ask { prompt, .. } => {
                    let answer = answers.next();
                    let answer = answer.unwrap_or_else(|| panic!("{line}: {prompt}"));
                    self.questions.push(prompt);
                    let text = (*answer).to_owned();
                    self.send(Request::Answer { text }).await;
                }
                Reply::Done { status, mode, .. } => return (text, status, mode),
                Reply::Log { text } => self.heard.push(text),
                Reply::Access(_) | Reply::Terminal(_) => {}
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    /// A line that is obeyed without a question.
    async fn run(&mut self, line: &str) -> String {
        let (text, status, _) = self.type_in(line, &[]).await;
        assert_eq!(status, Status::Ok, "{line}: {text}");
        text
    }

    /// A line that is refused or fails.
    async fn fails(&mut self, line: &str) -> String {
        let (text, status, _) = self.type_in(line, &[]).await;
        assert_ne!(status, Status::Ok, "{line}: {text}");
        text
    }

    /// The facts of a show command.
    async fn json(&mut self, line: &str) -> serde_json::Value {
        let text = self.run(&format!("{line} | json")).await;
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["data"].take()
    }

    async fn configure(&mut self, lines: &str) {
        self.run("configure terminal").await;
        for line in lines.lines() {
            self.run(line).await;
        }
        self.run("end").await;
    }
}

fn test<F: Future<Output = ()>>(body: impl FnOnce(Bed) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let bed = Bed::new(folder.path());
        tokio::time::timeout(PATIENCE, body(bed)).await.unwrap();
    });
}

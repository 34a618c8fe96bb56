//! One client's connection: requests in, replies out, questions. A slow or silent client holds up only its own session.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use isthmus_control::stream::{FrameReader, write_reply};
use isthmus_control::{AskKind, FrameError, OUTPUT_CHUNK, Reply, Request};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

/// Replies that wait for a client that does not read; then its session waits.
const REPLIES: usize = 2;
/// Log lines that wait for a terminal; more are dropped and counted.
const LOG_LINES: usize = 512;
/// Commands that may be sent ahead while one runs.
const AHEAD: usize = 64;
/// Octets that may be sent ahead.
const AHEAD_OCTETS: usize = 256 * 1024;

/// How long a client may take to read what is left when its session ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why a session ends: the client is gone, or is sent away.
#[derive(Debug, thiserror::Error)]
pub enum Disconnected {
    /// It closed the connection.
    #[error("the client closed the connection")]
    Closed,
    /// It sent something that is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// It sent a message that does not belong there.
    #[error("unexpected message")]
    Unexpected,
    /// Nothing was typed for as long as the line allows.
    #[error("idle for too long")]
    Idle,
    /// Another operator cleared the line.
    #[error("the line was cleared")]
    Cleared,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The text typed, or the key pressed.
    Text(String),
    /// Ctrl-C.
    Interrupted,
}

/// Octets of all sessions that wait for their readers.
#[derive(Debug, Clone, Default)]
pub struct Count(Arc<AtomicUsize>);

impl Count {
    fn add(&self, octets: usize) -> Counted {
        self.0.fetch_add(octets, Ordering::Relaxed);
        Counted(octets, self.clone())
    }

    /// How many there are now.
    #[must_use]
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Octets that count until this is dropped.
#[derive(Debug, Default)]
struct Counted(usize, Count);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.0.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// The connection.
#[derive(Debug)]
pub struct Io {
    reader: FrameReader<OwnedReadHalf, Request>,
    ahead: VecDeque<Request>,
    ahead_octets: usize,
    replies: mpsc::Sender<(Reply, Counted)>,
    unread: Count,
    log: mpsc::Sender<String>,
    writer: JoinHandle<()>,
    idle: Option<Duration>,
    /// The last question.
    asked: String,
    clear: Rc<Notify>,
}

impl Io {
    /// Takes a connection over; its writer runs as a task of its own.
    #[must_use]
    pub fn new(stream: UnixStream, unread: Count) -> Self {
        let (read, write) = stream.into_split();
        let (replies, reply_queue) = mpsc::channel(REPLIES);
        let (log, log_queue) = mpsc::channel(LOG_LINES);
        let writer = tokio::task::spawn_local(write_all(write, reply_queue, log_queue));
        Self {
            reader: FrameReader::requests(read),
            ahead: VecDeque::new(),
            ahead_octets: 0,
            replies,
            unread,
            log,
            writer,
            idle: None,
            asked: String::new(),
            clear: Rc::default(),
        }
    }

    /// Ends the session when nothing is typed for so long; never with `None`.
    pub fn set_idle(&mut self, limit: Option<Duration>) {
        self.idle = limit;
    }

    /// Ends the session when this is notified.
    pub fn set_clear(&mut self, clear: Rc<Notify>) {
        self.clear = clear;
    }

    /// The next message of the client. Cancel safe.
    async fn read(&mut self, idle: Option<Duration>) -> Result<Request, Disconnected> {
        let idle = async {
            match idle {
                Some(limit) => tokio::time::sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            request = self.reader.next() => request?.ok_or(Disconnected::Closed),
            () = self.clear.notified() => Err(Disconnected::Cleared),
            () = idle => Err(Disconnected::Idle),
        }
    }

    /// Where the log puts lines for this terminal.
    #[must_use]
    pub fn log_lines(&self) -> mpsc::Sender<String> {
        self.log.clone()
    }

    /// The next request.
    ///
    /// # Errors
    /// [`Disconnected`].
    pub async fn next(&mut self) -> Result<Request, Disconnected> {
        if let Some(request) = self.ahead.pop_front() {
            self.ahead_octets -= octets(&request);
            return Ok(request);
        }
        self.read(self.idle).await
    }

    /// Sends a reply; waits while the client does not read.
    ///
    /// # Errors
    /// [`Disconnected::Closed`].
    pub async fn send(&self, reply: Reply) -> Result<(), Disconnected> {
        let length = match &reply {
            Reply::Output { text } => text.len(),
            _ => 0,
        };
        let counted = (reply, self.unread.add(length));
        self.replies
            .send(counted)
            .await
            .map_err(|_| Disconnected::Closed)
    }

    /// Sends text, in as many frames as it takes.
    ///
    /// # Errors
    /// [`Disconnected::Closed`].
    pub async fn output(&self, text: &str) -> Result<(), Disconnected> {
        let _whole = self.unread.add(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = OUTPUT_CHUNK.min(rest.len());
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (chunk, tail) = rest.split_at(end);
            self.send(Reply::Output { text: chunk.into() }).await?;
            rest = tail;
        }
        Ok(())
    }

    /// Asks and waits for the answer. Commands sent ahead stay in the queue.
    ///
    /// # Errors
    /// [`Disconnected`].
    pub async fn ask(
        &mut self,
        prompt: impl Into<String>,
        kind: AskKind,
    ) -> Result<Answer, Disconnected> {
        let prompt = prompt.into();
        self.asked.clone_from(&prompt);
        self.send(Reply::Ask { prompt, kind }).await?;
        loop {
            match self.read(self.idle).await? {
                Request::Answer { text } => return Ok(Answer::Text(text)),
                Request::Interrupt => return Ok(Answer::Interrupted),
                request => self.queue(request)?,
            }
        }
    }

    /// The last question that was asked.
    #[must_use]
    pub fn asked(&self) -> &str {
        &self.asked
    }

    /// Waits until the operator interrupts the running command. Cancel safe.
    ///
    /// # Errors
    /// [`Disconnected`].
    pub async fn interrupted(&mut self) -> Result<(), Disconnected> {
        loop {
            match self.read(None).await? {
                Request::Interrupt => return Ok(()),
                request => self.queue(request)?,
            }
        }
    }

    /// Lets what is queued go out, then closes.
    pub async fn close(self) {
        drop(self.replies);
        drop(self.log);
        let abort = self.writer.abort_handle();
        if tokio::time::timeout(FAREWELL, self.writer).await.is_err() {
            abort.abort();
        }
    }

    fn queue(&mut self, request: Request) -> Result<(), Disconnected> {
        let command = matches!(
            request,
            Request::Exec { .. } | Request::Typed { .. } | Request::Screen { .. }
        );
        self.ahead_octets += octets(&request);
        if !command || self.ahead.len() >= AHEAD || self.ahead_octets > AHEAD_OCTETS {
            return Err(Disconnected::Unexpected);
        }
        self.ahead.push_back(request);
        Ok(())
    }
}

fn octets(request: &Request) -> usize {
    match request {
        Request::Exec { line } | Request::Typed { line } => line.len(),
        _ => 0,
    }
}

async fn write_all(
    mut half: OwnedWriteHalf,
    mut replies: mpsc::Receiver<(Reply, Counted)>,
    mut log: mpsc::Receiver<String>,
) {
    loop {
        let (reply, _counted) = tokio::select! {
            biased;
            reply = replies.recv() => match reply {
                Some(reply) => reply,
                None => return,
            },
            Some(text) = log.recv() => (Reply::Log { text }, Counted::default()),
        };
        if write_reply(&mut half, &reply).await.is_err() {
            return;
        }
    }
}

//! `copy` from and to `scp:`: the system's scp, run with the rights of the operator's own Linux user, never through a
//! shell. What ssh wants to know (a password, whether a host key is right) is asked at the console.

use std::io;
use std::sync::Arc;

use isthmus_control::AskKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Handle;

use super::Session;
use super::files::{Done, line};
use super::io::{Answer, Gone};
use crate::machine::disk::Lost;
use crate::storage::scp::{MOST, Running, ScratchDir, complaint};
use crate::storage::{LocalFile, Remote, StorageError};

impl Session {
    /// Stores a file over scp.
    pub(super) async fn scp_put(&mut self, remote: &Remote, bytes: Vec<u8>) -> Done<()> {
        let (uid, outside) = (self.uid, self.router.borrow().outside.clone());
        let ours = outside.clone();
        let prepare = move || {
            let scratch = ScratchDir::new(uid, ours)?;
            scratch.put(&bytes).map_err(|error| error.to_string())?;
            Ok(scratch)
        };
        let scratch = match done(outside.run(prepare).await) {
            Ok(scratch) => Arc::new(scratch),
            Err(reason) => return Ok(Err(failure("writing", remote, &reason))),
        };
        let done = self.scp(&scratch, remote, true).await?;
        Ok(done.map_err(|reason| failure("writing", remote, &reason)))
    }

    /// Fetches a file over scp.
    pub(super) async fn scp_get(&mut self, remote: &Remote) -> Done<Vec<u8>> {
        let (uid, outside) = (self.uid, self.router.borrow().outside.clone());
        let ours = outside.clone();
        let scratch = match done(outside.run(move || ScratchDir::new(uid, ours)).await) {
            Ok(scratch) => Arc::new(scratch),
            Err(reason) => return Ok(Err(failure("opening", remote, &reason))),
        };
        if let Err(reason) = self.scp(&scratch, remote, false).await? {
            return Ok(Err(failure("opening", remote, &reason)));
        }
        let name = remote.url("scp");
        let read = move || {
            let path = scratch.file();
            LocalFile { name, path }.read().map_err(line)
        };
        let read = outside.run(read).await;
        Ok(read.map_err(|lost| format!("% {lost}\n")).flatten())
    }

    /// Runs scp between the scratch and the other machine.
    async fn scp(
        &mut self,
        scratch: &Arc<ScratchDir>,
        remote: &Remote,
        put: bool,
    ) -> Result<Result<(), String>, Gone> {
        let (programs, outside) = {
            let router = self.router.borrow();
            (router.programs.clone(), router.outside.clone())
        };
        let (of, to, runtime) = (scratch.clone(), remote.clone(), Handle::current());
        let start = move || {
            let _within = runtime.enter();
            let listener = of.listen().map_err(|error| error.to_string())?;
            match of.command(&programs, &to, put).spawn() {
                Ok(child) => Ok((listener, child)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err("the scp program is not installed on this system".to_owned())
                }
                Err(error) => Err(error.to_string()),
            }
        };
        let (listener, child) = match done(outside.run(start).await) {
            Ok(started) => started,
            Err(reason) => return Ok(Err(reason)),
        };
        let mut running = Running {
            child: Some(child),
            outside,
        };
        let Some(child) = &mut running.child else {
            return Ok(Err("scp did not start".into()));
        };
        let complaint = tokio::task::spawn_local(complaint(child.stderr.take()));
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                Ok((stream, _)) = listener.accept() => self.put_question(stream).await?,
                gone = self.io.interrupted() => {
                    gone?;
                    return Ok(Err("Interrupted".into()));
                }
            }
        };
        let complaint = complaint.await.unwrap_or_default();
        Ok(match status {
            Ok(status) if status.success() => Ok(()),
            Ok(_) if !complaint.is_empty() => Err(complaint),
            Ok(status) => Err(format!("scp ended with {status}")),
            Err(error) => Err(error.to_string()),
        })
    }

    /// Passes one question of ssh on to the operator, and the answer back.
    async fn put_question(&mut self, mut stream: UnixStream) -> Result<(), Gone> {
        let mut question = Vec::new();
        if (&mut stream)
            .take(MOST)
            .read_to_end(&mut question)
            .await
            .is_err()
        {
            return Ok(());
        }
        let question: String = String::from_utf8_lossy(&question)
            .chars()
            .filter(|c| *c == '\n' || !c.is_control())
            .collect();
        let kind = match question.contains("yes/no") {
            true => AskKind::Line,
            false => AskKind::Secret,
        };
        if let Answer::Text(text) = self.io.ask(question, kind).await? {
            // ssh may have given up meanwhile.
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Ok(())
    }
}

fn failure(action: &'static str, remote: &Remote, reason: &str) -> String {
    line(StorageError::new(action, &remote.url("scp"), reason))
}

/// What came of a job outside.
fn done<T>(outcome: Result<Result<T, String>, Lost>) -> Result<T, String> {
    outcome.map_err(|lost| lost.to_string()).flatten()
}

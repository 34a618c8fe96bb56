//! `copy` from and to `scp:`: the system's scp, run with the rights of the operator's own Linux user, never through a
//! shell. What ssh wants to know (a password, whether a host key is right) is asked at the console. Called by `copy` and `files`.

use std::io;
use std::sync::Arc;

use isthmus_control::AskKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Handle;

use super::io::{Answer, Disconnected};
use super::{CommandError, Session};
use crate::machine::disk::Lost;
use crate::storage::scp::{MOST, Running, ScratchDir, complaint};
use crate::storage::{LocalFile, Remote, StorageError};

impl Session {
    /// Stores a file over scp.
    pub(super) async fn scp_put(
        &mut self,
        remote: &Remote,
        bytes: Vec<u8>,
    ) -> Result<(), CommandError> {
        let (uid, outside) = (self.uid, self.router.borrow().outside.clone());
        let ours = outside.clone();
        let prepare = move || {
            let scratch = ScratchDir::new(uid, ours)?;
            scratch.put(&bytes).map_err(|error| error.to_string())?;
            Ok(scratch)
        };
        let failed = |reason: String| StorageError::new("writing", &remote.url("scp"), reason);
        let scratch = done(outside.run(prepare).await).map_err(failed)?;
        self.scp(&Arc::new(scratch), remote, true, failed).await
    }

    /// Fetches a file over scp.
    pub(super) async fn scp_get(&mut self, remote: &Remote) -> Result<Vec<u8>, CommandError> {
        let (uid, outside) = (self.uid, self.router.borrow().outside.clone());
        let ours = outside.clone();
        let name = remote.url("scp");
        let failed = |reason: String| StorageError::new("opening", &name, reason);
        let scratch = done(outside.run(move || ScratchDir::new(uid, ours)).await);
        let scratch = Arc::new(scratch.map_err(failed)?);
        self.scp(&scratch, remote, false, failed).await?;
        let read = move || {
            let path = scratch.file();
            LocalFile { name, path }.read()
        };
        Ok(outside.run(read).await??)
    }

    /// Runs scp between the scratch folder and the other machine; `failed` makes the error of what it complains of.
    async fn scp(
        &mut self,
        scratch: &Arc<ScratchDir>,
        remote: &Remote,
        put: bool,
        failed: impl Fn(String) -> StorageError,
    ) -> Result<(), CommandError> {
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
        let (listener, child) = done(outside.run(start).await).map_err(&failed)?;
        let mut running = Running {
            child: Some(child),
            outside,
        };
        let Some(child) = &mut running.child else {
            return Err(failed("scp did not start".into()).into());
        };
        let complaint = tokio::task::spawn_local(complaint(child.stderr.take()));
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                Ok((stream, _)) = listener.accept() => self.put_question(stream).await?,
                gone = self.io.interrupted() => {
                    gone?;
                    return Err(failed("Interrupted".into()).into());
                }
            }
        };
        let complaint = complaint.await.unwrap_or_default();
        let reason = match status {
            Ok(status) if status.success() => return Ok(()),
            Ok(_) if !complaint.is_empty() => complaint,
            Ok(status) => format!("scp ended with {status}"),
            Err(error) => error.to_string(),
        };
        Err(failed(reason).into())
    }

    /// Passes one question of ssh on to the operator, and the answer back.
    async fn put_question(&mut self, mut stream: UnixStream) -> Result<(), Disconnected> {
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

/// What came of a job outside.
fn done<T>(outcome: Result<Result<T, String>, Lost>) -> Result<T, String> {
    outcome.map_err(|lost| lost.to_string()).flatten()
}

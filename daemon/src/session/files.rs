//! The files that the operator names: `dir`, `more`, `delete`, `rename`, `mkdir`, `rmdir`, `verify`, and reading and
//! writing for `copy` and its kin.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isthmus_control::{AskKind, Status};
use isthmus_grammar::command::{FileCommand, FilePrompt};
use isthmus_grammar::privilege::FULL;
use md5::{Digest, Md5};

use super::copy::SECRETS;
use super::io::{Answer, Gone};
use super::{Outcome, Session};
use crate::change_control::whole;
use crate::config::{hide, startup};
use crate::show::screen::Facts;
use crate::storage::listing::Directory;
use crate::storage::tftp;
use crate::storage::{LocalFile, Location, MAX_SIZE, Remote, StorageError};

/// The rule and the words of the line that lets scp in.
const SCP_SERVER: (&str, &str) = ("r_ip_first_scp_server_enable_scp", "ip scp server enable");
const SCP_SERVER_OFF: &str = "Administratively disabled: configure ip scp server enable\n";
/// Octets of a file in one line of Base64.
const PIECE: usize = 48 * 1024;

/// What came of reading or writing: the error is what the operator sees.
pub(super) type Done<T> = Result<Result<T, String>, Gone>;

impl Session {
    pub(super) async fn file(&mut self, command: FileCommand) -> Outcome {
        let done = match command {
            FileCommand::Dir {
                file,
                all,
                recursive,
            } => {
                let directory = self.directory(file.as_deref(), all, recursive).await;
                directory.map(|directory| (&directory).text())
            }
            FileCommand::More(file) => return self.more(&file).await,
            FileCommand::Verify { file, expected } => {
                return self.verify(&file, expected.as_deref()).await;
            }
            FileCommand::Receive(_) | FileCommand::Transmit(_) if !self.scp_server() => {
                Err(SCP_SERVER_OFF.into())
            }
            FileCommand::Receive(file) => self.receive(&file).await?,
            FileCommand::Transmit(file) => self.transmit(&file).await?,
            FileCommand::Delete {
                file,
                force,
                recursive,
            } => self.delete(&file, force, recursive).await?,
            FileCommand::MakeDirectory(file) => self.make_directory(&file).await?,
            FileCommand::RemoveDirectory(file) => self.remove_directory(&file).await?,
            FileCommand::Rename { from, to } => self.rename(&from, &to).await?,
        };
        match done {
            Ok(text) => self.say(text).await,
            Err(text) => self.fail(text).await,
        }
    }

    pub(super) async fn directory(
        &self,
        name: Option<&str>,
        all: bool,
        recursive: bool,
    ) -> Result<Directory, String> {
        let name = name.unwrap_or("flash:");
        let file = match name.trim_end_matches('/') {
            "nvram:" => {
                let path = self.router.borrow().files.config.clone();
                let name = "nvram:/startup-config".into();
                LocalFile { name, path }
            }
            _ => self.local(name)?,
        };
        let list = move || file.list(all, recursive).map_err(line);
        self.on_disk(list).await.flatten()
    }

    async fn more(&mut self, name: &str) -> Outcome {
        let location = match self.locate(name) {
            Ok(location) => location,
            Err(text) => return self.fail(text).await,
        };
        match self.read(&location).await? {
            Err(text) => self.fail(text).await,
            Ok(bytes) => {
                let mut text = String::from_utf8_lossy(&bytes).into_owned();
                if self.level < FULL {
                    let hidden = tokio::task::spawn_blocking(move || hide::text(&text)).await;
                    text = hidden.unwrap_or_default();
                }
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                self.say(text).await
            }
        }
    }

    async fn verify(&mut self, name: &str, expected: Option<&str>) -> Outcome {
        let digest = match self.local(name) {
            Ok(file) => {
                let digest = move || Ok(Md5::digest(file.read().map_err(line)?));
                self.on_disk(digest).await.flatten()
            }
            Err(text) => Err(text),
        };
        let digest = match digest {
            Ok(digest) => digest,
            Err(text) => return self.fail(text).await,
        };
        let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        match expected {
            None => {
                self.say(format!(".Done!\nverify /md5 ({name}) = {found}\n"))
                    .await
            }
            Some(expected) if expected.eq_ignore_ascii_case(&found) => {
                self.say(format!(".Done!\nVerified ({name}) = {found}\n"))
                    .await
            }
            Some(expected) => {
                let text = format!(
                    ".Done!\n%Error verifying {name}\nComputed signature  = {found}\nSubmitted signature = {expected}\n"
                );
                self.fail(text).await
            }
        }
    }

    /// A file from the console, piece by piece.
    async fn receive(&mut self, name: &str) -> Done<String> {
        let file = match self.local(name) {
            Ok(file) => file,
            Err(text) => return Ok(Err(text)),
        };
        let fail = |reason: &str| Ok(Err(line(StorageError::new("writing", name, reason))));
        let mut bytes = Vec::new();
        loop {
            match self.io.ask("", AskKind::Line).await? {
                Answer::Interrupted => return fail("Interrupted"),
                Answer::Text(text) if text.is_empty() => break,
                Answer::Text(text) => match STANDARD.decode(text) {
                    Ok(piece) => bytes.extend(piece),
                    Err(_) => return fail("Not in Base64"),
                },
            }
            if bytes.len() as u64 > MAX_SIZE {
                return fail("File too large");
            }
        }
        let write = move || file.write(&bytes).map(|()| String::new()).map_err(line);
        Ok(self.on_disk(write).await.flatten())
    }

    /// A file for the console.
    async fn transmit(&mut self, name: &str) -> Done<String> {
        if self.level < FULL {
            return Ok(Err(line(StorageError::new("opening", name, SECRETS))));
        }
        let location = match self.locate(name) {
            Ok(Location::Tftp(_) | Location::Scp(_)) => {
                let reason = "only files of this router can be fetched";
                return Ok(Err(line(StorageError::new("opening", name, reason))));
            }
            Ok(location) => location,
            Err(text) => return Ok(Err(text)),
        };
        let bytes = match self.read(&location).await? {
            Ok(bytes) => bytes,
            Err(text) => return Ok(Err(text)),
        };
        let pieces = move || {
            bytes
                .chunks(PIECE)
                .map(|piece| STANDARD.encode(piece) + "\n")
                .collect()
        };
        Ok(self.on_disk(pieces).await)
    }

    /// `ip scp server enable`: whether files go over scp to and from whoever comes by SSH.
    fn scp_server(&self) -> bool {
        let router = self.router.borrow();
        let line = router.running.retained.find(SCP_SERVER.0, SCP_SERVER.1);
        line.is_some()
    }

    async fn delete(&mut self, name: &str, force: bool, recursive: bool) -> Done<String> {
        let mut file = match self.local(name) {
            Ok(file) => file,
            Err(text) => return Ok(Err(text)),
        };
        if !force && !self.is_quiet() {
            let default = file.file_name().to_owned();
            let prompt = format!("Delete filename [{default}]? ");
            let Some(answer) = self.ask(&prompt, &default).await? else {
                return Ok(Err(String::new()));
            };
            if answer != default {
                file = match self.local(&with_file_name(&file.name, &answer)) {
                    Ok(file) => file,
                    Err(text) => return Ok(Err(text)),
                };
            }
            if !self.confirm(&format!("Delete {}? ", file.name)).await? {
                return Ok(Err("Delete of file aborted\n".into()));
            }
        }
        let delete = move || file.delete(recursive).map(|()| String::new()).map_err(line);
        Ok(self.on_disk(delete).await.flatten())
    }

    async fn make_directory(&mut self, name: &str) -> Done<String> {
        let file = match self.local(name) {
            Ok(file) => file,
            Err(text) => return Ok(Err(text)),
        };
        if !self.agreed("Create directory filename", &file).await? {
            return Ok(Err(String::new()));
        }
        let said = format!("Created dir {}\n", file.name);
        let make = move || file.make_directory().map(|()| said).map_err(line);
        Ok(self.on_disk(make).await.flatten())
    }

    async fn remove_directory(&mut self, name: &str) -> Done<String> {
        let file = match self.local(name) {
            Ok(file) => file,
            Err(text) => return Ok(Err(text)),
        };
        let sure = self.agreed("Remove directory filename", &file).await?
            && (self.is_quiet() || self.confirm(&format!("Delete {}? ", file.name)).await?);
        if !sure {
            return Ok(Err(String::new()));
        }
        let said = format!("Removed dir {}\n", file.name);
        let remove = move || file.remove_directory().map(|()| said).map_err(line);
        Ok(self.on_disk(remove).await.flatten())
    }

    async fn rename(&mut self, from: &str, to: &str) -> Done<String> {
        let pair = self
            .local(from)
            .and_then(|from| Ok((from, self.local(to)?)));
        let (from, to) = match pair {
            Ok(pair) => pair,
            Err(text) => return Ok(Err(text)),
        };
        if !self.agreed("Destination filename", &to).await? {
            return Ok(Err(String::new()));
        }
        let rename = move || from.rename(&to).map(|()| String::new()).map_err(line);
        Ok(self.on_disk(rename).await.flatten())
    }

    /// Shows the name to the operator, who takes it with Enter.
    async fn agreed(&mut self, question: &str, file: &LocalFile) -> Result<bool, Gone> {
        if self.is_quiet() {
            return Ok(true);
        }
        let name = file.file_name().to_owned();
        let answer = self.ask(&format!("{question} [{name}]? "), &name).await?;
        Ok(answer.is_some_and(|answer| answer == name))
    }

    /// `file prompt quiet`: no questions about files.
    pub(super) fn is_quiet(&self) -> bool {
        self.router.borrow().running.file_prompt == FilePrompt::Quiet
    }

    /// Does what has to do with files in its turn, away from the packet loop.
    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        let done = self.router.borrow().disk.run(job);
        done.await.map_err(|lost| format!("% {lost}\n"))
    }

    /// There is such a file.
    pub(super) async fn exists(&self, file: LocalFile) -> bool {
        self.on_disk(move || file.exists()).await.unwrap_or(false)
    }

    /// What a name leads to, for this operator.
    pub(super) fn locate(&self, name: &str) -> Result<Location, String> {
        let router = self.router.borrow();
        Location::parse(name, &router.files.state, self.trusted).map_err(line)
    }

    /// A file of this machine.
    pub(super) fn local(&self, name: &str) -> Result<LocalFile, String> {
        match self.locate(name)? {
            Location::Local(file) => Ok(file),
            _ => Err(line(StorageError::new(
                "opening",
                name,
                "only files of flash: can be named here",
            ))),
        }
    }

    /// What is at a place.
    pub(super) async fn read(&mut self, from: &Location) -> Done<Vec<u8>> {
        let done = match from {
            Location::Null => Ok(Vec::new()),
            Location::RunningConfig => {
                let text = whole::text(&self.router).await;
                text.map(String::into_bytes).ok_or_else(String::new)
            }
            Location::StartupConfig => {
                let config = self.router.borrow().files.config.clone();
                let read = move || match startup::read(&config) {
                    Ok(Some(text)) => Ok(text.into_bytes()),
                    Ok(None) => Err(
                        "%Error opening nvram:/startup-config (No such file or directory)\n".into(),
                    ),
                    Err(error) => Err(format!("% {error}\n")),
                };
                self.on_disk(read).await.flatten()
            }
            Location::Local(file) => {
                let file = file.clone();
                let read = move || file.read().map_err(line);
                self.on_disk(read).await.flatten()
            }
            Location::Tftp(remote) => return self.fetch(remote).await,
            Location::Scp(remote) => return self.scp_get(remote).await,
        };
        Ok(done)
    }

    /// The text of a configuration at a place.
    pub(super) async fn read_text(&mut self, name: &str) -> Done<String> {
        let location = match self.locate(name) {
            Ok(location) => location,
            Err(text) => return Ok(Err(text)),
        };
        let bytes = self.read(&location).await?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    async fn fetch(&mut self, remote: &Remote) -> Done<Vec<u8>> {
        let url = remote.url("tftp");
        self.io.output(&format!("Accessing {url}...\n")).await?;
        let Some(host) = self.resolve(&remote.host).await else {
            return Ok(Err(line(StorageError::new(
                "opening",
                &url,
                "Unknown host",
            ))));
        };
        let server = SocketAddr::new(host, remote.port.unwrap_or(tftp::PORT));
        let limit = usize::try_from(MAX_SIZE).unwrap_or(usize::MAX);
        let done = tokio::select! {
            done = tftp::get(server, &remote.path, limit) => done,
            gone = self.io.interrupted() => {
                gone?;
                return Ok(Err(line(StorageError::new("opening", &url, "Interrupted"))));
            }
        };
        match done {
            Ok(bytes) => {
                let text = format!(
                    "Loading {} from {host}: !\n[OK - {} bytes]\n\n",
                    remote.path,
                    bytes.len()
                );
                self.io.output(&text).await?;
                Ok(Ok(bytes))
            }
            Err(error) => Ok(Err(line(StorageError::new(
                "opening",
                &url,
                error.to_string(),
            )))),
        }
    }

    /// Stores a file on a TFTP server.
    pub(super) async fn store(&mut self, remote: &Remote, bytes: &[u8]) -> Done<()> {
        let url = remote.url("tftp");
        let fail = |reason: String| Ok(Err(line(StorageError::new("writing", &url, reason))));
        let Some(host) = self.resolve(&remote.host).await else {
            return fail("Unknown host".into());
        };
        let server = SocketAddr::new(host, remote.port.unwrap_or(tftp::PORT));
        let done = tokio::select! {
            done = tftp::put(server, &remote.path, bytes) => done,
            gone = self.io.interrupted() => {
                gone?;
                return fail("Interrupted".into());
            }
        };
        match done {
            Ok(()) => {
                self.io.output("!!\n").await?;
                Ok(Ok(()))
            }
            Err(error) => fail(error.to_string()),
        }
    }

    /// An answer that is no status of its own.
    pub(super) async fn answer(&self, done: Result<String, String>) -> Outcome {
        match done {
            Ok(text) => self.say(text).await,
            Err(text) if text.is_empty() => Ok(Status::Failed),
            Err(text) => self.fail(text).await,
        }
    }
}

/// The error as a line of the screen.
pub(super) fn line(error: StorageError) -> String {
    format!("{error}\n")
}

/// The same place with another last part; a name that says where it is stands for itself.
pub(super) fn with_file_name(name: &str, file: &str) -> String {
    if file.contains(':') {
        return file.to_owned();
    }
    let at = name.rfind(['/', ':']).map_or(0, |at| at + 1);
    format!("{}{file}", &name[..at])
}

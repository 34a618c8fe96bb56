//! The files that the operator names: `dir`, `more`, `delete`, `rename`, `mkdir`, `rmdir`, `verify`, and reading and
//! writing for `copy` and its kin. Called by `exec`.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isthmus_control::AskKind;
use isthmus_grammar::Rule;
use isthmus_grammar::command::{FileCommand, FilePrompt};
use isthmus_grammar::privilege::FULL;
use md5::{Digest, Md5};

use super::io::{Answer, Disconnected};
use super::{CommandError, Outcome, Session};
use crate::change_control::whole;
use crate::config::{hide, startup};
use crate::show::screen::Facts;
use crate::storage::listing::Directory;
use crate::storage::tftp;
use crate::storage::{LocalFile, Location, MAX_SIZE, Remote, StorageError};

/// Why nothing leaves the router below the highest level: a copy is whole, with its keys.
pub(super) const SECRETS: &str =
    "Permission denied: files may have keys in them, and only level 15 may know those";
/// The rule and the words of the line that lets scp in.
const SCP_SERVER: (Rule, &str) = (
    Rule::r_ip_first_scp_server_enable_scp,
    "ip scp server enable",
);
const SCP_SERVER_OFF: &str = "Administratively disabled: configure ip scp server enable\n";
/// Octets of a file in one line of Base64.
const PIECE: usize = 48 * 1024;

impl Session {
    pub(super) async fn file(&mut self, command: FileCommand) -> Outcome {
        let text = match command {
            FileCommand::Dir {
                file,
                all,
                recursive,
            } => {
                let directory = self.directory(file.as_deref(), all, recursive).await?;
                (&directory).text()
            }
            FileCommand::More(file) => return self.more(&file).await,
            FileCommand::Verify { file, expected } => {
                return self.verify(&file, expected.as_deref()).await;
            }
            FileCommand::Receive(_) | FileCommand::Transmit(_) if !self.scp_server() => {
                return Err(SCP_SERVER_OFF.into());
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
        self.say(text).await
    }

    pub(super) async fn directory(
        &self,
        name: Option<&str>,
        all: bool,
        recursive: bool,
    ) -> Result<Directory, CommandError> {
        let name = name.unwrap_or("flash:");
        let file = match name.trim_end_matches('/') {
            "nvram:" => {
                let path = self.router.borrow().files.config.clone();
                let name = "nvram:/startup-config".into();
                LocalFile { name, path }
            }
            _ => self.local(name)?,
        };
        Ok(self.on_disk(move || file.list(all, recursive)).await??)
    }

    async fn more(&mut self, name: &str) -> Outcome {
        let location = self.locate(name)?;
        let bytes = self.read(&location).await?;
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

    async fn verify(&mut self, name: &str, expected: Option<&str>) -> Outcome {
        let file = self.local(name)?;
        let digest = move || file.read().map(Md5::digest);
        let digest = self.on_disk(digest).await??;
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
    async fn receive(&mut self, name: &str) -> Result<String, CommandError> {
        let file = self.local(name)?;
        let fail = |reason: &str| Err(StorageError::new("writing", name, reason).into());
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
        self.on_disk(move || file.write(&bytes)).await??;
        Ok(String::new())
    }

    /// A file for the console.
    async fn transmit(&mut self, name: &str) -> Result<String, CommandError> {
        if self.level < FULL {
            return Err(StorageError::new("opening", name, SECRETS).into());
        }
        let location = self.locate(name)?;
        if let Location::Tftp(_) | Location::Scp(_) = location {
            let reason = "only files of this router can be fetched";
            return Err(StorageError::new("opening", name, reason).into());
        }
        let bytes = self.read(&location).await?;
        let pieces = move || {
            bytes
                .chunks(PIECE)
                .map(|piece| STANDARD.encode(piece) + "\n")
                .collect()
        };
        self.on_disk(pieces).await
    }

    /// `ip scp server enable`: files go over scp to and from operators who come by SSH.
    fn scp_server(&self) -> bool {
        let router = self.router.borrow();
        let line = router.running.retained.find(SCP_SERVER.0, SCP_SERVER.1);
        line.is_some()
    }

    async fn delete(
        &mut self,
        name: &str,
        force: bool,
        recursive: bool,
    ) -> Result<String, CommandError> {
        let mut file = self.local(name)?;
        if !force && !self.is_quiet() {
            let default = file.file_name().to_owned();
            let prompt = format!("Delete filename [{default}]? ");
            let answer = self.answered(&prompt, &default).await?;
            if answer != default {
                file = self.local(&with_file_name(&file.name, &answer))?;
            }
            if !self.confirm(&format!("Delete {}? ", file.name)).await? {
                return Err("Delete of file aborted\n".into());
            }
        }
        self.on_disk(move || file.delete(recursive)).await??;
        Ok(String::new())
    }

    async fn make_directory(&mut self, name: &str) -> Result<String, CommandError> {
        let file = self.local(name)?;
        if !self.agreed("Create directory filename", &file).await? {
            return Err(CommandError::given_up());
        }
        let said = format!("Created dir {}\n", file.name);
        self.on_disk(move || file.make_directory()).await??;
        Ok(said)
    }

    async fn remove_directory(&mut self, name: &str) -> Result<String, CommandError> {
        let file = self.local(name)?;
        let sure = self.agreed("Remove directory filename", &file).await?
            && (self.is_quiet() || self.confirm(&format!("Delete {}? ", file.name)).await?);
        if !sure {
            return Err(CommandError::given_up());
        }
        let said = format!("Removed dir {}\n", file.name);
        self.on_disk(move || file.remove_directory()).await??;
        Ok(said)
    }

    async fn rename(&mut self, from: &str, to: &str) -> Result<String, CommandError> {
        let (from, to) = (self.local(from)?, self.local(to)?);
        if !self.agreed("Destination filename", &to).await? {
            return Err(CommandError::given_up());
        }
        self.on_disk(move || from.rename(&to)).await??;
        Ok(String::new())
    }

    /// Shows the name to the operator, who takes it with Enter.
    async fn agreed(&mut self, question: &str, file: &LocalFile) -> Result<bool, Disconnected> {
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
    ) -> Result<T, CommandError> {
        let done = self.router.borrow().disk.run(job);
        Ok(done.await?)
    }

    /// There is such a file.
    pub(super) async fn exists(&self, file: LocalFile) -> bool {
        self.on_disk(move || file.exists()).await.unwrap_or(false)
    }

    /// What a name leads to, for this operator.
    pub(super) fn locate(&self, name: &str) -> Result<Location, StorageError> {
        let router = self.router.borrow();
        Location::parse(name, &router.files.state, self.trusted)
    }

    /// A file of this machine.
    pub(super) fn local(&self, name: &str) -> Result<LocalFile, StorageError> {
        match self.locate(name)? {
            Location::Local(file) => Ok(file),
            _ => Err(StorageError::new(
                "opening",
                name,
                "only files of flash: can be named here",
            )),
        }
    }

    /// What is at a place.
    pub(super) async fn read(&mut self, from: &Location) -> Result<Vec<u8>, CommandError> {
        match from {
            Location::Null => Ok(Vec::new()),
            Location::RunningConfig => {
                let text = whole::text(&self.router).await;
                text.map(String::into_bytes)
                    .ok_or_else(CommandError::given_up)
            }
            Location::StartupConfig => {
                let config = self.router.borrow().files.config.clone();
                match self.on_disk(move || startup::read(&config)).await? {
                    Ok(Some(text)) => Ok(text.into_bytes()),
                    Ok(None) => Err(
                        "%Error opening nvram:/startup-config (No such file or directory)\n".into(),
                    ),
                    Err(error) => Err(format!("% {error}\n").into()),
                }
            }
            Location::Local(file) => {
                let file = file.clone();
                Ok(self.on_disk(move || file.read()).await??)
            }
            Location::Tftp(remote) => self.fetch(remote).await,
            Location::Scp(remote) => self.scp_get(remote).await,
        }
    }

    /// The text of a configuration at a place.
    pub(super) async fn read_text(&mut self, name: &str) -> Result<String, CommandError> {
        let location = self.locate(name)?;
        let bytes = self.read(&location).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn fetch(&mut self, remote: &Remote) -> Result<Vec<u8>, CommandError> {
        let url = remote.url("tftp");
        let failed = |reason: String| StorageError::new("opening", &url, reason);
        self.io.output(&format!("Accessing {url}...\n")).await?;
        let Some(host) = self.resolve(&remote.host).await else {
            return Err(failed("Unknown host".into()).into());
        };
        let server = SocketAddr::new(host, remote.port.unwrap_or(tftp::PORT));
        let limit = usize::try_from(MAX_SIZE).unwrap_or(usize::MAX);
        let done = tokio::select! {
            done = tftp::get(server, &remote.path, limit) => done,
            gone = self.io.interrupted() => {
                gone?;
                return Err(failed("Interrupted".into()).into());
            }
        };
        let bytes = done.map_err(|error| failed(error.to_string()))?;
        let text = format!(
            "Loading {} from {host}: !\n[OK - {} bytes]\n\n",
            remote.path,
            bytes.len()
        );
        self.io.output(&text).await?;
        Ok(bytes)
    }

    /// Stores a file on a TFTP server.
    pub(super) async fn store(
        &mut self,
        remote: &Remote,
        bytes: &[u8],
    ) -> Result<(), CommandError> {
        let url = remote.url("tftp");
        let failed = |reason: String| StorageError::new("writing", &url, reason);
        let Some(host) = self.resolve(&remote.host).await else {
            return Err(failed("Unknown host".into()).into());
        };
        let server = SocketAddr::new(host, remote.port.unwrap_or(tftp::PORT));
        let done = tokio::select! {
            done = tftp::put(server, &remote.path, bytes) => done,
            gone = self.io.interrupted() => {
                gone?;
                return Err(failed("Interrupted".into()).into());
            }
        };
        done.map_err(|error| failed(error.to_string()))?;
        Ok(self.io.output("!!\n").await?)
    }
}

/// The same place with another last part; a name that says where it is stands for itself.
pub(super) fn with_file_name(name: &str, file: &str) -> String {
    if file.contains(':') {
        return file.to_owned();
    }
    let at = name.rfind(['/', ':']).map_or(0, |at| at + 1);
    format!("{}{file}", &name[..at])
}

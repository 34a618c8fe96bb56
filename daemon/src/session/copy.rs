//! Saving and copying configurations: `write`, `copy`, `erase`, `configure memory`, `archive config`. Called by `exec`.

use std::time::Instant;

use isthmus_control::Status;
use isthmus_grammar::command::Storage;
use isthmus_grammar::privilege::FULL;

use super::files::{SECRETS, with_file_name};
use super::{CommandError, Outcome, Session};
use crate::change_control::{archive, whole};
use crate::config::Problem;
use crate::router::held;
use crate::storage::{Location, Remote, StorageError};

impl Session {
    /// `write memory`
    pub(super) async fn save(&mut self) -> Outcome {
        self.io.output("Building configuration...\n").await?;
        whole::save(&self.router, self.user.name()).await?;
        let wanted = {
            let archive = self.router.borrow().running.archive();
            archive.write_memory && archive.path.is_some()
        };
        if wanted {
            archive::unattended(&self.router).await;
        }
        self.say("[OK]\n").await
    }

    /// `archive config`
    pub(super) async fn archive(&mut self) -> Outcome {
        archive::archive(&self.router).await?;
        Ok(Status::Ok)
    }

    /// `write erase`
    pub(super) async fn erase(&mut self) -> Outcome {
        let prompt = "Erasing the nvram filesystem will remove all configuration files! Continue? ";
        if !self.confirm(prompt).await? {
            return Ok(Status::Failed);
        }
        let files = self.router.borrow().files.clone();
        let erased = self.on_disk(move || held::erase(&files)).await?;
        let marked = erased.map_err(|error| format!("% {error}\n"))?;
        self.router.borrow_mut().erased(marked);
        self.say("[OK]\nErase of nvram: complete\n").await
    }

    /// `copy FROM TO`
    pub(super) async fn copy(&mut self, source: Storage, destination: Storage) -> Outcome {
        let (from, to) = self.ends(&source, &destination).await?;
        if (&from, &to) == (&Location::RunningConfig, &Location::StartupConfig) {
            return self.save().await;
        }
        if to == Location::RunningConfig {
            self.may_configure()?;
        }
        if let Location::Tftp(remote) | Location::Scp(remote) = &to
            && self.level < FULL
        {
            return Err(StorageError::new("opening", &remote.url("tftp"), SECRETS).into());
        }
        let started = Instant::now();
        let bytes = self.read(&from).await?;
        let length = bytes.len();
        self.write(&to, bytes, &name_of(&from)).await?;
        self.say(copied(length, started)).await
    }

    /// Both ends of a copy, with what had to be asked for.
    async fn ends(
        &mut self,
        source: &Storage,
        destination: &Storage,
    ) -> Result<(Location, Location), CommandError> {
        let (mut from, mut to) = (self.place(source)?, self.place(destination)?);
        if let Location::Tftp(remote) | Location::Scp(remote) = &mut from {
            self.complete(remote, "Source filename", "").await?;
        }
        let default = default_name(&from, &to, self.router.borrow().running.hostname());
        match &mut to {
            Location::Null => {}
            Location::Tftp(remote) | Location::Scp(remote) => {
                let default = match remote.path.as_str() {
                    "" => default,
                    path => path.to_owned(),
                };
                self.complete(remote, "Destination filename", &default)
                    .await?;
            }
            Location::RunningConfig | Location::StartupConfig => {
                self.asked("Destination filename", &default).await?;
            }
            Location::Local(file) => {
                let answer = self.asked("Destination filename", &default).await?;
                if answer != file.file_name() {
                    *file = self.local(&with_file_name(&file.name, &answer))?;
                }
                let warning = "%Warning:There is a file already existing with this name\nDo you want to over write? ";
                if self.exists(file.clone()).await
                    && !self.is_quiet()
                    && !self.confirm(warning).await?
                {
                    return Err(CommandError::given_up());
                }
            }
        }
        Ok((from, to))
    }

    /// A question with a default, which is taken without asking where files are handled quietly.
    async fn asked(&mut self, question: &str, default: &str) -> Result<String, CommandError> {
        if self.is_quiet() && !default.is_empty() {
            return Ok(default.to_owned());
        }
        self.answered(&format!("{question} [{default}]? "), default)
            .await
    }

    /// Asks for what is missing of a remote file, and for its name always.
    async fn complete(
        &mut self,
        remote: &mut Remote,
        question: &str,
        path: &str,
    ) -> Result<(), CommandError> {
        if remote.host.is_empty() {
            let prompt = "Address or name of remote host []? ";
            let host = self.answered(prompt, "").await?;
            if host.is_empty() {
                return Err("%Error: no remote host was given\n".into());
            }
            remote.host = host;
        }
        if remote.path.is_empty() || !path.is_empty() {
            remote.path = self.asked(question, path).await?;
        }
        // What was answered must be as good as what is typed at once.
        match self.locate(&remote.url("scp"))? {
            Location::Scp(_) if !remote.path.is_empty() => Ok(()),
            _ => Err("%Error: no file name was given\n".into()),
        }
    }

    fn place(&self, storage: &Storage) -> Result<Location, StorageError> {
        match storage {
            Storage::RunningConfig => Ok(Location::RunningConfig),
            Storage::StartupConfig => Ok(Location::StartupConfig),
            Storage::File(name) => self.locate(name),
        }
    }

    /// Writes to a place; `source` is the name that problems are told with.
    pub(super) async fn write(
        &mut self,
        to: &Location,
        bytes: Vec<u8>,
        source: &str,
    ) -> Result<(), CommandError> {
        match to {
            Location::Null => Ok(()),
            Location::Local(file) => {
                let file = file.clone();
                Ok(self.on_disk(move || file.write(&bytes)).await??)
            }
            Location::Tftp(remote) => self.store(remote, &bytes).await,
            Location::Scp(remote) => self.scp_put(remote, bytes).await,
            Location::StartupConfig => {
                let files = self.router.borrow().files.clone();
                let write = move || held::save(&files, &String::from_utf8_lossy(&bytes));
                let saved = self.on_disk(write).await?;
                saved.map_err(|error| format!("% {error}\n"))?;
                self.router.borrow_mut().startup_decided();
                Ok(())
            }
            Location::RunningConfig => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                self.about_to_change();
                let user = self.user.name();
                let merged = whole::merge(&self.router, text, source.to_owned(), user).await;
                self.io.output(&list(&merged?)).await?;
                Ok(self.in_force().await?)
            }
        }
    }

    /// `configure memory`
    pub(super) async fn merge_startup(&mut self) -> Outcome {
        self.may_configure()?;
        let bytes = self.read(&Location::StartupConfig).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.about_to_change();
        let (name, user) = ("startup-config".to_owned(), self.user.name());
        let problems = whole::merge(&self.router, text, name, user).await?;
        self.io.output(&list(&problems)).await?;
        self.in_force().await?;
        Ok(Status::Ok)
    }

    /// Whether running-config has changes that startup-config does not have.
    pub(super) fn is_modified(&self) -> bool {
        let router = self.router.borrow();
        let changed = router
            .running
            .last_change
            .as_ref()
            .map(|(at, _)| at.timestamp());
        let saved = router
            .running
            .last_save
            .as_ref()
            .map(|(at, _)| at.timestamp());
        changed > saved
    }
}

/// What was wrong with a file, for the operator who loads it.
pub(super) fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::answer).collect()
}

fn copied(bytes: usize, started: Instant) -> String {
    let seconds = started.elapsed().as_secs_f64().max(0.001);
    let rate = bytes as f64 / seconds;
    format!("{bytes} bytes copied in {seconds:.3} secs ({rate:.0} bytes/sec)\n")
}

/// How problems name what was read.
fn name_of(from: &Location) -> String {
    match from {
        Location::RunningConfig => "running-config".into(),
        Location::StartupConfig => "startup-config".into(),
        Location::Null => "null:".into(),
        Location::Local(file) => file.name.clone(),
        Location::Tftp(remote) => remote.url("tftp"),
        Location::Scp(remote) => remote.url("scp"),
    }
}

/// The name that a copy gets unless the operator says otherwise.
fn default_name(from: &Location, to: &Location, hostname: &str) -> String {
    let last = |path: &str| {
        path.rsplit(['/', ':'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    match (from, to) {
        (_, Location::RunningConfig) => "running-config".into(),
        (_, Location::StartupConfig) => "startup-config".into(),
        (_, Location::Local(file)) if !file.file_name().is_empty() => file.file_name().to_owned(),
        (_, Location::Tftp(remote) | Location::Scp(remote)) if !remote.path.is_empty() => {
            remote.path.clone()
        }
        (Location::Local(file), _) => file.file_name().to_owned(),
        (Location::Tftp(remote) | Location::Scp(remote), _) => last(&remote.path),
        (Location::StartupConfig, Location::Local(_)) => "startup-config".into(),
        (Location::RunningConfig, Location::Local(_)) => "running-config".into(),
        _ => format!("{}-confg", hostname.to_lowercase()),
    }
}

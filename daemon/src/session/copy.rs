//! Saving, loading and copying configurations: `write`, `copy`, `erase`, `configure memory` and `replace`.

use std::time::Instant;

use isthmus_control::Status;
use isthmus_grammar::command::Storage;

use super::{Outcome, Session};
use crate::config::{self, Problem, render, startup};
use crate::log::Severity;
use crate::router::Router;

impl Session {
    /// `write memory`
    pub(super) async fn save(&mut self) -> Outcome {
        self.io.output("Building configuration...\n").await?;
        let saved = self.router.borrow_mut().save(self.user.name());
        match saved {
            Ok(()) => self.say("[OK]\n").await,
            Err(text) => self.fail(text).await,
        }
    }

    /// `write erase`
    pub(super) async fn erase(&mut self) -> Outcome {
        let prompt = "Erasing the nvram filesystem will remove all configuration files! Continue? ";
        if !self.confirm(prompt).await? {
            return Ok(Status::Failed);
        }
        let path = self.router.borrow().files.config.clone();
        match startup::erase(&path) {
            Ok(()) => self.say("[OK]\nErase of nvram: complete\n").await,
            Err(error) => self.fail(format!("% {error}\n")).await,
        }
    }

    /// `copy FROM TO`
    pub(super) async fn copy(&mut self, source: Storage, destination: Storage) -> Outcome {
        let default = match &destination {
            Storage::RunningConfig => "running-config".to_owned(),
            Storage::StartupConfig => "startup-config".to_owned(),
            Storage::File(name) => file_name(name),
        };
        let prompt = format!("Destination filename [{default}]? ");
        let Some(answer) = self.ask(&prompt, &default).await? else {
            return Ok(Status::Failed);
        };
        let destination = match destination {
            Storage::File(name) if answer != default => {
                Storage::File(with_file_name(&name, &answer))
            }
            other => other,
        };
        if (&source, &destination) == (&Storage::RunningConfig, &Storage::StartupConfig) {
            return self.save().await;
        }
        let started = Instant::now();
        let text = match self.read(&source) {
            Ok(text) => text,
            Err(text) => return self.fail(text).await,
        };
        let written = match &destination {
            Storage::RunningConfig => {
                let name = source_name(&source);
                let problems = self
                    .router
                    .borrow_mut()
                    .merge(&text, &name, self.user.name());
                self.io.output(&list(&problems)).await?;
                Ok(())
            }
            Storage::StartupConfig => {
                let path = self.router.borrow().files.config.clone();
                startup::save(&path, &text).map_err(|error| format!("% {error}\n"))
            }
            Storage::File(name) => self.write_file(name, &text),
        };
        match written {
            Ok(()) => self.say(copied(text.len(), started)).await,
            Err(text) => self.fail(text).await,
        }
    }

    /// `configure memory`
    pub(super) async fn merge_startup(&mut self) -> Outcome {
        let text = match self.read(&Storage::StartupConfig) {
            Ok(text) => text,
            Err(text) => return self.fail(text).await,
        };
        let problems = self
            .router
            .borrow_mut()
            .merge(&text, "startup-config", self.user.name());
        self.say(list(&problems)).await
    }

    /// `configure replace FILE [force]`
    pub(super) async fn replace(&mut self, file: &str, force: bool) -> Outcome {
        let text = match self.read_file(file) {
            Ok(text) => text,
            Err(text) => return self.fail(text).await,
        };
        let prompt = "This will apply all necessary additions and deletions\nto replace the current running \
                      configuration with the\ncontents of the specified configuration file, which is\nassumed to be \
                      a complete configuration, not a partial\nconfiguration. Enter Y if you are sure you want to \
                      proceed. ? [no]: ";
        let sure = force
            || self
                .ask(prompt, "no")
                .await?
                .is_some_and(|answer| answer.starts_with(['y', 'Y']));
        if !sure {
            return Ok(Status::Failed);
        }
        let problems = self
            .router
            .borrow_mut()
            .replace(&text, file, self.user.name());
        self.say(list(&problems)).await
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

    fn read(&self, source: &Storage) -> Result<String, String> {
        let router = self.router.borrow();
        match source {
            Storage::RunningConfig => Ok(render::text(&router.running)),
            Storage::StartupConfig => match startup::read(&router.files.config) {
                Ok(Some(text)) => Ok(text),
                Ok(None) => {
                    Err("%Error opening nvram:/startup-config (No such file or directory)\n".into())
                }
                Err(error) => Err(format!("% {error}\n")),
            },
            Storage::File(name) => {
                drop(router);
                self.read_file(name)
            }
        }
    }
}

impl Router {
    /// Loads the startup-config, as one transaction. Lines that are not understood are logged and kept.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn boot(&mut self) -> Result<(), startup::StartupError> {
        let path = self.files.config.clone();
        let text = startup::read(&path)?;
        let problems = match &text {
            Some(text) => {
                let (running, problems) = config::load(text, &path.display().to_string());
                self.running = running;
                problems
            }
            None => Vec::new(),
        };
        self.configured();
        let version = env!("CARGO_PKG_VERSION");
        let text = format!(
            "System restarted --\nIsthmus, an IPsec VPN router on Linux, Version {version}"
        );
        self.notice(Severity::Notifications, "RESTART", text);
        self.complain(&problems);
        Ok(())
    }

    fn complain(&mut self, problems: &[Problem]) {
        for problem in problems {
            self.log
                .system("PARSER", Severity::Errors, "CFGLINE", problem.to_string());
        }
        self.tell_inactive();
    }

    /// One message for all lines that do nothing in this release.
    fn tell_inactive(&mut self) {
        let inactive = self.running.inactive();
        if inactive > 0 {
            let lines = if inactive == 1 {
                "line is"
            } else {
                "lines are"
            };
            let text = format!(
                "{inactive} {lines} not active in this release; show inactive-config lists them"
            );
            self.log
                .system("PARSER", Severity::Notifications, "CFGINACTIVE", text);
        }
    }

    fn save(&mut self, user: &str) -> Result<(), String> {
        let now = self.clock.zoned();
        let before = self.running.last_save.clone();
        self.running.mark_saved(now, user);
        let text = render::text(&self.running);
        startup::save(&self.files.config, &text).map_err(|error| {
            self.running.last_save = before;
            format!("% {error}\n")
        })
    }

    fn merge(&mut self, text: &str, name: &str, user: &str) -> Vec<Problem> {
        let problems = config::merge(&mut self.running, text, name);
        self.loaded(user);
        problems
    }

    fn replace(&mut self, text: &str, name: &str, user: &str) -> Vec<Problem> {
        let (running, problems) = config::load(text, name);
        let saved = self.running.last_save.take();
        self.running = running;
        self.running.last_save = saved;
        self.loaded(user);
        problems
    }

    fn loaded(&mut self, user: &str) {
        let now = self.clock.zoned();
        self.running.mark_changed(now, user);
        self.configured();
        self.tell_inactive();
    }
}

fn list(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("% {problem}\n"))
        .collect()
}

fn copied(bytes: usize, started: Instant) -> String {
    let seconds = started.elapsed().as_secs_f64().max(0.001);
    let rate = bytes as f64 / seconds;
    format!("{bytes} bytes copied in {seconds:.3} secs ({rate:.0} bytes/sec)\n")
}

fn source_name(source: &Storage) -> String {
    match source {
        Storage::RunningConfig => "running-config".into(),
        Storage::StartupConfig => "startup-config".into(),
        Storage::File(name) => name.clone(),
    }
}

/// The last part of a file name.
fn file_name(name: &str) -> String {
    let at = name.rfind(['/', ':']).map_or(0, |at| at + 1);
    name[at..].to_owned()
}

fn with_file_name(name: &str, file: &str) -> String {
    let at = name.rfind(['/', ':']).map_or(0, |at| at + 1);
    format!("{}{file}", &name[..at])
}

//! `configure replace`, `confirm` and `revert`, and what `show archive` compares. Called by `exec`.

use isthmus_control::Status;
use isthmus_grammar::command::{ConfigureReplace, RevertTimer, ShowArchive};
use isthmus_grammar::privilege::FULL;

use super::copy::list;
use super::{CommandError, Outcome, Session};
use crate::change_control::{rollback, whole};
use crate::config::{Problem, Running, difference, difference::Outline, render};
use crate::router::settled;
use crate::show::difference::{Differences, Layout, commands};
use crate::show::snapshot::SessionFacts;

const RUNNING: &str = "system:running-config";
const SURE: &str = "This will apply all necessary additions and deletions\nto replace the current running \
                    configuration with the\ncontents of the specified configuration file, which is\nassumed to be \
                    a complete configuration, not a partial\nconfiguration. Enter Y if you are sure you want to \
                    proceed. ? [no]: ";

impl Session {
    /// `configure replace FILE ...`
    pub(super) async fn replace(&mut self, replace: ConfigureReplace) -> Outcome {
        let allowed = self.router.borrow().may_configure(self.id);
        if !replace.nolock {
            allowed?;
        }
        let text = self.read_text(&replace.file).await?;
        let sure = replace.force
            || self
                .ask(SURE, "no")
                .await?
                .is_some_and(|answer| answer.starts_with(['y', 'Y']));
        if !sure {
            return Ok(Status::Failed);
        }
        if !is_whole(&text) {
            return Err("%The input file is not a valid config file.\n".into());
        }
        self.about_to_change();
        let (said, problems) = self.take_over(text, &replace).await?;
        settled(&self.router).await;
        self.io.output(&said).await?;
        self.io.output(&list(&problems)).await?;
        self.in_force().await?;
        self.say("Total number of passes: 1\nRollback Done\n\n")
            .await
    }

    /// The replacement, in one step: no reader sees a configuration between the two.
    async fn take_over(
        &mut self,
        text: String,
        replace: &ConfigureReplace,
    ) -> Result<(String, Vec<Problem>), String> {
        let (running, problems) = whole::read(&self.router, text, replace.file.clone()).await?;
        if replace.revert_on_error && !problems.is_empty() {
            return Err(format!(
                "{}%Rollback aborted: the file has the errors above.\nThe original configuration has been \
                 successfully restored.\n",
                list(&problems)
            ));
        }
        let user = self.user.name();
        if let Some(minutes) = replace.minutes {
            let timer = RevertTimer::Absolute(minutes);
            rollback::begin(&self.router, self.id, user, timer).await?;
        }
        let (before, after) = {
            let mut router = self.router.borrow_mut();
            let before = router.running.share();
            router.take_over(running, user);
            (before, router.running.share())
        };
        let (list, ignorecase, hide_secrets) =
            (replace.list, replace.ignorecase, self.level < FULL);
        let said = tokio::task::spawn_blocking(move || match list {
            true => passed(&before, &after, ignorecase, hide_secrets),
            false => String::new(),
        });
        Ok((said.await.unwrap_or_default(), problems))
    }

    /// `configure confirm`
    pub(super) async fn confirm_change(&mut self) -> Outcome {
        rollback::confirm(&self.router, self.user.name()).await?;
        Ok(Status::Ok)
    }

    /// `configure revert now`
    pub(super) async fn revert_now(&mut self) -> Outcome {
        rollback::revert_now(&self.router, self.user.name()).await?;
        settled(&self.router).await;
        self.say("Total number of passes: 1\nRollback Done\n\n")
            .await
    }

    /// `configure revert timer ...`
    pub(super) async fn revert_later(&mut self, timer: RevertTimer) -> Outcome {
        let mut router = self.router.borrow_mut();
        router.revert_later(self.id, self.user.name(), timer)?;
        Ok(Status::Ok)
    }

    /// What `show archive ...` compares.
    pub(super) async fn archive_facts(
        &mut self,
        what: &ShowArchive,
    ) -> Result<SessionFacts, CommandError> {
        let differences = match what {
            ShowArchive::List | ShowArchive::Log(_) | ShowArchive::RollbackTimer => {
                return Ok(SessionFacts::default());
            }
            ShowArchive::Differences {
                from,
                to,
                ignorecase,
            } => {
                let from = from.as_deref().unwrap_or("nvram:startup-config");
                let to = to.as_deref().unwrap_or(RUNNING);
                self.compare(from, to, *ignorecase, Layout::Contextual)
                    .await?
            }
            ShowArchive::IncrementalDiffs { file, ignorecase } => {
                self.compare(RUNNING, file, *ignorecase, Layout::Commands)
                    .await?
            }
        };
        Ok(SessionFacts {
            differences,
            ..SessionFacts::default()
        })
    }

    async fn compare(
        &mut self,
        from: &str,
        to: &str,
        ignorecase: bool,
        layout: Layout,
    ) -> Result<Differences, CommandError> {
        let mut texts = Vec::new();
        for name in [from, to] {
            texts.push(self.read_text(name).await?);
        }
        let hide_secrets = self.level < FULL;
        let compare = move || {
            let outlines = texts.iter().map(|text| Outline::read(text, ignorecase));
            let outlines: Vec<Outline> = outlines.collect();
            let mut differences = match layout {
                Layout::Contextual => difference::contextual(&outlines[0], &outlines[1]),
                Layout::Commands => difference::incremental(&outlines[1], &outlines[0]),
            };
            if hide_secrets {
                difference::hide_secrets(&mut differences);
            }
            differences
        };
        let Ok(differences) = tokio::task::spawn_blocking(compare).await else {
            return Err("% The configurations could not be compared\n".into());
        };
        Ok(Differences {
            from: from.to_owned(),
            to: to.to_owned(),
            differences,
            layout,
        })
    }
}

/// What `list` shows of a replacement.
fn passed(before: &Running, after: &Running, ignorecase: bool, hide_secrets: bool) -> String {
    let (before, after) = (render::text(before), render::text(after));
    let (from, to) = (
        Outline::read(&before, ignorecase),
        Outline::read(&after, ignorecase),
    );
    let mut steps = difference::transition(&from, &to);
    if hide_secrets {
        difference::hide_secrets(&mut steps);
    }
    format!("!Pass 1\n\n{}\n\n", commands(&steps))
}

/// Half a file must not take the place of a whole configuration: the last line is `end`.
fn is_whole(text: &str) -> bool {
    let mut lines = text.lines().rev().map(str::trim);
    lines.find(|line| !line.is_empty() && !line.starts_with('!')) == Some("end")
}

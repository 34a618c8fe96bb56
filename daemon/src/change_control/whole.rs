//! The configuration as a whole: saved, merged with a text, replaced. What takes long (reading and printing texts, hashing,
//! files) happens on other threads, on the configuration as it was when it began; the packet loop only puts the result
//! in its place. Called by sessions.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::config::model::Change;
use crate::config::{self, Current, Problem, Running, encrypt, render};
use crate::router::held;
use crate::router::{Router, Shared};

/// How often a change is tried anew because another one was quicker, before it is made on the packet loop itself.
const TRIES: usize = 8;

/// What the operator sees when a thread fell over.
const FELL_OVER: &str =
    "% Internal error: the configuration could not be worked out; running-config is as it was\n";

/// `write memory`: the configuration as it is now goes into the startup-config.
///
/// # Errors
/// What the operator sees; the file is as it was.
pub async fn save(router: &Shared, user: &str) -> Result<(), String> {
    let (now, written) = {
        let router = router.borrow();
        let (now, files) = (router.clock.zoned(), router.files.clone());
        let (running, at, by) = (router.running.share(), now.clone(), user.to_owned());
        let save = move || {
            let mut saved = Running::clone(&running);
            drop(running);
            saved.mark_saved(at, by);
            held::save(&files, &render::text(&saved))
        };
        (now, router.disk.run(save))
    };
    let written = written.await.map_err(|lost| format!("% {lost}\n"))?;
    written.map_err(|error| format!("% {error}\n"))?;
    let mut router = router.borrow_mut();
    router.startup_decided();
    let running = &mut router.running;
    // Two savers at once: the files are written in the order of asking, so that the later one counts.
    let earlier = |last: &(jiff::ZonedDateTime, String)| last.0.timestamp() <= now.timestamp();
    if running.last_save.as_ref().is_none_or(earlier) {
        running.mark_saved(now, user);
    }
    Ok(())
}

/// The configuration as it would be saved, as text.
pub async fn text(router: &Shared) -> Option<String> {
    let running = router.borrow().running.share();
    spawn_blocking(move || render::text(&running)).await.ok()
}

/// Merges a text into the running-config, in one transaction; what is wrong with it.
///
/// # Errors
/// As [`change`].
pub async fn merge(
    router: &Shared,
    text: String,
    name: String,
    user: &str,
) -> Result<Vec<Problem>, String> {
    let merge = move |running: &mut Running| config::merge(running, &text, &name);
    let problems = change(router, merge, user).await?;
    router.borrow_mut().tell_drawbacks();
    Ok(problems)
}

/// Makes a change that takes long to a copy, and puts that in the place of the running-config. Where another change came
/// first it is made anew, on top of that.
///
/// # Errors
/// What the operator sees: the change fell over. The running-config is as it was.
pub async fn change<T: Send + 'static>(
    router: &Shared,
    change: impl Fn(&mut Running) -> T + Send + Sync + 'static,
    user: &str,
) -> Result<T, String> {
    let change = Arc::new(change);
    for _ in 0..TRIES {
        let (base, make) = (router.borrow().running.share(), change.clone());
        let made = spawn_blocking(move || {
            let mut copy = Running::clone(&base);
            let outcome = make(&mut copy);
            (copy, outcome, base)
        });
        let (made, outcome, base) = made.await.map_err(|_| FELL_OVER)?;
        let mut router = router.borrow_mut();
        if router.running.is(&base) {
            discard(std::mem::replace(&mut router.running, made.into()));
            router.changed_by(user);
            spawn_blocking(move || drop(base));
            return Ok(outcome);
        }
    }
    let mut router = router.borrow_mut();
    let outcome = change(&mut router.running);
    router.changed_by(user);
    Ok(outcome)
}

/// A text as the configuration that it is, and what is wrong with it, under the router's own master key.
///
/// # Errors
/// What the operator sees: the reading fell over.
pub async fn read(
    router: &Shared,
    text: String,
    name: String,
) -> Result<(Running, Vec<Problem>), String> {
    let master = router.borrow().running.master.clone();
    let load = move || {
        let (mut running, problems) = config::load(&text, &name);
        running.master = master;
        encrypt::settle(&mut running);
        (running, problems)
    };
    let read = spawn_blocking(load).await;
    read.map_err(|_| FELL_OVER.to_owned())
}

/// Large things are taken apart elsewhere.
fn discard(old: Current) {
    spawn_blocking(move || drop(old));
}

impl Router {
    /// Another configuration takes the place of the running-config: one transaction and one reconcile, which leaves
    /// alone what both have.
    pub(crate) fn take_over(&mut self, running: Running, user: &str) {
        let saved = self.running.last_save.clone();
        let old = std::mem::replace(&mut self.running, running.into());
        self.running.master.clone_from(&old.master);
        self.running.last_save = saved;
        discard(old);
        self.changed_by(user);
        self.tell_drawbacks();
    }

    /// As [`Router::take_over`], for a configuration that was this router's before.
    pub(crate) fn return_to(&mut self, before: Current, user: &str) {
        let (saved, old) = (
            self.running.last_save.clone(),
            std::mem::replace(&mut self.running, before),
        );
        self.running.master.clone_from(&old.master);
        self.running.last_save = saved;
        self.running.note(Change::Everything);
        discard(old);
        self.changed_by(user);
        self.tell_drawbacks();
    }
}

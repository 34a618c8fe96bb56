//! A thread that stays outside of the sandbox, for what must: running the system's scp as another Linux user, and the files
//! that pass to and from it; replacing the daemon by a fresh one at `reload`. Started by `main` before the sandbox, asked
//! by sessions.

use std::io;
use std::sync::mpsc;

use crate::machine::disk::{Job, Lost, answered, apart};

/// The way to the thread; without one what is asked for is done inside, which is right where there is no sandbox.
#[derive(Debug, Clone, Default)]
pub struct Outside(Option<mpsc::Sender<Job>>);

impl Outside {
    /// Starts the thread. What this thread may do then, it may for ever.
    ///
    /// # Errors
    /// The system has no room for a thread.
    pub fn start() -> io::Result<Self> {
        let (ask, jobs) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new().name("outside".into());
        thread.spawn(move || jobs.into_iter().for_each(apart))?;
        Ok(Self(Some(ask)))
    }

    /// Does a job outside. Must be called within the runtime.
    ///
    /// # Errors
    /// The job fell over.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Lost> {
        match &self.0 {
            Some(ask) => {
                let (job, done) = answered(job);
                ask.send(job).map_err(|_| Lost)?;
                done.await
            }
            None => tokio::task::spawn_blocking(job).await.map_err(|_| Lost),
        }
    }

    /// Has a job done outside, some time.
    pub fn leave(&self, job: impl FnOnce() + Send + 'static) {
        match &self.0 {
            // The thread goes only with the daemon.
            Some(ask) => drop(ask.send(Box::new(job))),
            None => job(),
        }
    }

    /// Does a job outside and waits for it, without a runtime; inside when there is no such thread.
    pub fn wait<T: Send + 'static>(&self, job: fn() -> T) -> T {
        let (answer, done) = mpsc::channel();
        let asked = self.0.as_ref().is_some_and(|ask| {
            let job = move || {
                // The one who asked waits.
                let _ = answer.send(job());
            };
            ask.send(Box::new(job)).is_ok()
        });
        let outcome = asked.then(|| done.recv().ok()).flatten();
        outcome.unwrap_or_else(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn jobs_are_done_on_the_thread_that_was_started() {
        let name = || std::thread::current().name().map(str::to_owned);
        let outside = Outside::start().unwrap();
        assert_eq!(outside.run(name).await.unwrap().as_deref(), Some("outside"));
        assert_eq!(outside.wait(name).as_deref(), Some("outside"));
        let bad = outside.run(|| -> u32 { panic!("expected here") });
        assert_eq!(bad.await, Err(Lost));
        outside.leave(|| panic!("expected here"));
        assert_eq!(outside.run(name).await.unwrap().as_deref(), Some("outside"));
        let none = Outside::default();
        assert_ne!(none.run(name).await.unwrap().as_deref(), Some("outside"));
        assert_eq!(none.wait(|| 7), 7);
    }
}

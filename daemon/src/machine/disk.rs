//! The disk: all work on files, in the order it was asked for, never on the packet loop. A disk that hangs keeps those
//! waiting who wait for files, and no packet.
//!
//! Sessions and the tasks of `change_control` ask; only the start of the daemon reads its files by itself.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// Work for another thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// A job, and its answer.
pub(crate) fn answered<T: Send + 'static, J: FnOnce() -> T + Send + 'static>(
    job: J,
) -> (Job, impl Future<Output = Result<T, Lost>> + use<T, J>) {
    let (answer, done) = oneshot::channel();
    let job = move || {
        // The one who asked may be gone.
        let _ = answer.send(job());
    };
    (Box::new(job), async { done.await.map_err(|_| Lost) })
}

/// Does a job; those who wait for other jobs of the thread do not suffer when it falls over.
pub(crate) fn apart(job: Job) {
    let _ = catch_unwind(AssertUnwindSafe(job));
}

/// Takes jobs and does one after the other.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// A thread is at it.
    busy: bool,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}

/// The job fell over; what it was about is as it was, or half done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work on files ended early; see the log")]
pub struct Lost;

impl From<Lost> for std::io::Error {
    fn from(lost: Lost) -> Self {
        std::io::Error::other(lost)
    }
}

impl Disk {
    /// Does a job after all that were asked for before. It is done also when the asker is gone: a
    /// session that ends in the middle of a save loses nothing. Must be called within the runtime.
    pub fn run<T: Send + 'static, J: FnOnce() -> T + Send + 'static>(
        &self,
        job: J,
    ) -> impl Future<Output = Result<T, Lost>> + use<T, J> {
        let (job, done) = answered(job);
        let idle = {
            let mut queue = self.lock();
            queue.jobs.push_back(job);
            !std::mem::replace(&mut queue.busy, true)
        };
        if idle {
            let disk = self.clone();
            spawn_blocking(move || disk.work());
        }
        done
    }

    /// Does what there is.
    fn work(&self) {
        while let Some(job) = self.next() {
            apart(job);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        let job = queue.jobs.pop_front();
        queue.busy = job.is_some();
        job
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No job runs while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
    }

    #[test]
    fn jobs_are_done_in_order_and_answered() {
        runtime().block_on(async {
            let (disk, order) = (Disk::default(), Arc::new(Mutex::new(Vec::new())));
            let ask = |number: u32| {
                let order = order.clone();
                disk.run(move || {
                    order.lock().unwrap().push(number);
                    number
                })
            };
            let answers: Vec<_> = (0..50).map(ask).collect();
            for (number, answer) in answers.into_iter().enumerate() {
                assert_eq!(answer.await.unwrap() as usize, number);
            }
            assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
        });
    }

    #[test]
    fn a_job_is_done_though_its_asker_is_gone() {
        runtime().block_on(async {
            let disk = Disk::default();
            let (go, wait) = mpsc::channel::<()>();
            let (tell, told) = mpsc::channel();
            drop(disk.run(move || wait.recv()));
            drop(disk.run(move || tell.send("done")));
            go.send(()).unwrap();
            disk.run(|| ()).await.unwrap();
            assert_eq!(told.try_recv(), Ok("done"));
        });
    }

    #[test]
    fn a_job_that_falls_over_spoils_no_other() {
        runtime().block_on(async {
            let disk = Disk::default();
            let bad = disk.run(|| -> u32 { panic!("expected here") });
            let good = disk.run(|| 7);
            assert_eq!((bad.await, good.await), (Err(Lost), Ok(7)));
        });
    }
}

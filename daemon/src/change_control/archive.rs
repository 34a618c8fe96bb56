//! Copies of the running-config: `archive config`, `write-memory` and `time-period` of the archive. Called by sessions and
//! by the run loop.
//!
//! Which copies there are is kept in the state directory, so that the oldest can be removed after a restart too.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::{render, startup};
use crate::log::Severity;
use crate::machine::directory::make_directory;
use crate::router::change_control::List;
use crate::router::{Router, Shared};
use crate::storage::names::resolve;
use crate::storage::tftp;
use crate::storage::{Location, StorageError};

/// What is said where no path is configured.
pub const NOT_ENABLED: &str = " Archive feature not enabled\n";

/// Keeps a copy of the running-config now; gives its name.
///
/// # Errors
/// What the operator sees: no path is configured, or the copy cannot be written.
pub async fn archive(router: &Shared) -> Result<String, String> {
    let (name, path, location, running, disk) = {
        let mut router = router.borrow_mut();
        let (name, path) = router.next_copy().ok_or(NOT_ENABLED)?;
        let location = Location::parse(&name, &router.files.state, false);
        let (running, disk) = (router.running.share(), router.disk.clone());
        (name, path, location, running, disk)
    };
    let fail = |reason: String| StorageError::new("writing", &name, reason);
    let written = match location {
        Ok(Location::Local(file)) => {
            let write = move || file.write(render::text(&running).as_bytes());
            let written = disk.run(write).await;
            written.map_err(|lost| fail(lost.to_string())).flatten()
        }
        Ok(Location::Tftp(remote)) => {
            let text = tokio::task::spawn_blocking(move || render::text(&running));
            let text = text
                .await
                .map_err(|_| " The configuration cannot be printed\n")?;
            let lookup = router.borrow().running.domain_lookup;
            match resolve(&remote.host, lookup).await {
                Some(host) => {
                    let server = SocketAddr::new(host, remote.port.unwrap_or(tftp::PORT));
                    let put = tftp::put(server, &remote.path, text.as_bytes()).await;
                    put.map_err(|error| fail(error.to_string()))
                }
                None => Err(fail("Unknown host".into())),
            }
        }
        Ok(_) => Err(StorageError::new(
            "writing",
            &name,
            "an archive is kept on flash: or tftp:",
        )),
        Err(error) => Err(error),
    };
    written.map_err(|error| format!("{error}\n"))?;
    copied(router, &path, name.clone()).await;
    Ok(name)
}

/// Makes the copies of `time-period`. Runs as long as the router.
pub async fn keep_time(router: Shared) {
    let wake = router.borrow().wake.archive.clone();
    let started = Instant::now();
    loop {
        let due = {
            let router = router.borrow();
            let settings = router.running.archive();
            let period = settings.path.as_ref().and(settings.time_period);
            let last = router.change_control.archive.last.unwrap_or(started);
            period.map(|minutes| last + Duration::from_secs(u64::from(minutes) * 60))
        };
        match due {
            None => wake.notified().await,
            Some(due) => tokio::select! {
                () = wake.notified() => {}
                () = tokio::time::sleep_until(due) => unattended(&router).await,
            },
        }
    }
}

/// Keeps a copy without an operator who asks; a failure is logged.
pub async fn unattended(router: &Shared) {
    let failed = archive(router).await.err();
    let mut router = router.borrow_mut();
    router.change_control.archive.last = Some(Instant::now());
    if let Some(text) = failed {
        let text = format!("the running-config was not archived: {}", text.trim());
        router
            .log
            .system("ARCHIVE", Severity::Errors, "ARCHIVE_FAILED", text);
    }
}

/// A copy was made: the list is kept, and the oldest goes when there are too many.
async fn copied(router: &Shared, path: &str, name: String) {
    let kept = {
        let mut this = router.borrow_mut();
        let Some((list, old)) = this.note_copy(path, name) else {
            return;
        };
        let (state, file) = (this.files.state.clone(), this.archive_file());
        let local = |old: &String| match Location::parse(old, &this.files.state, false) {
            Ok(Location::Local(file)) => Some(file),
            _ => None,
        };
        let old: Vec<_> = old.iter().filter_map(local).collect();
        this.disk.run(move || {
            for file in old {
                // The operator may have deleted it.
                let _ = file.delete(false);
            }
            make_directory(&state, 0o700)?;
            Ok(startup::replace(&file, list.as_bytes())?)
        })
    };
    let kept: anyhow::Result<()> = kept.await.map_err(anyhow::Error::from).flatten();
    if let Err(error) = kept {
        let text = format!("cannot keep the list of archives: {error:#}");
        router
            .borrow_mut()
            .log
            .system("ARCHIVE", Severity::Errors, "ARCHIVE_FAILED", text);
    }
}

impl Router {
    fn archive_file(&self) -> PathBuf {
        self.files.state.join("archive.json")
    }

    /// Reads which copies earlier daemons made; a list that is damaged is none.
    pub(crate) fn remember_copies(&mut self) {
        let text = startup::read(&self.archive_file()).ok().flatten();
        let list = text.and_then(|text| serde_json::from_str(&text).ok());
        self.change_control.archive.list = list.unwrap_or_default();
    }

    /// The copies under the present path; a list that belongs to another path is none.
    pub fn copies(&mut self) -> Option<&mut List> {
        let path = self.running.archive().path?;
        let list = &mut self.change_control.archive.list;
        if list.path != path {
            *list = List {
                path,
                ..List::default()
            };
        }
        Some(list)
    }

    /// The name of the next copy, made at `stamp`; none where no path is configured.
    pub fn copy_name(&mut self, stamp: &str) -> Option<String> {
        let host = self.running.hostname().to_owned();
        let list = self.copies()?;
        let path = list.path.replace("$h", &host).replace("$H", &host);
        Some(match path.contains("$t") {
            true => format!("{}-{}", path.replace("$t", stamp), list.next),
            false => format!("{path}-{stamp}-{}", list.next),
        })
    }

    /// The name of a copy that is about to be made, its number taken, and the path that it belongs to.
    fn next_copy(&mut self) -> Option<(String, String)> {
        let now = self.clock.zoned();
        let name = self.copy_name(&now.strftime("%b-%d-%H-%M-%S.%3f").to_string())?;
        let list = self.copies()?;
        list.next += 1;
        Some((name, list.path.clone()))
    }

    /// A copy was made; what is to be kept of that, and the names of those that are too many. One under a path that is not
    /// configured any more is in no list.
    fn note_copy(&mut self, path: &str, name: String) -> Option<(String, Vec<String>)> {
        let maximum = usize::from(self.running.archive().maximum);
        let list = self.copies().filter(|list| list.path == path)?;
        list.files.push(name);
        let surplus = list.files.len().saturating_sub(maximum);
        let old = list.files.drain(..surplus).collect();
        let list = serde_json::to_string(list).unwrap_or_default();
        self.change_control.archive.last = Some(Instant::now());
        self.wake.archive.notify_one();
        Some((list, old))
    }
}

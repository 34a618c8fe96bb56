//! What a scenario stands on: hosts as namespaces, wires between them, a watcher in the middle, and echo traffic.

pub mod capture;
pub mod echo;
pub mod forge;
pub mod host;
pub mod topology;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

pub use capture::{Capture, Kind, Seen};
pub use echo::{Echo, Report, Traffic};
pub use host::Host;
pub use topology::{Lab, Site};

/// Asks `ready` every 50 ms until it has an answer, for at most `limit`; `what` names the wait in the error.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut ready: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ready()? {
            return Ok(answer);
        }
        if start.elapsed() > limit {
            bail!("waited {} s in vain for {what}", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

//! The control socket's server: takes connections and gives each to a session of its own. Started by `tasks::run`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tokio::net::UnixListener;

use crate::router::Shared;
use crate::session::{self, screens::Screens};

/// Connections of one user that have not said yet who they are; more are cut off. Others are not disturbed by them.
const UNKNOWN: usize = 256;

/// How many connections of each user wait to be greeted.
type Unknown = Rc<RefCell<HashMap<u32, usize>>>;

/// One of them, until dropped.
struct Waiting {
    user: u32,
    unknown: Unknown,
}

impl Waiting {
    fn new(user: u32, unknown: &Unknown) -> Option<Self> {
        let mut counts = unknown.borrow_mut();
        let count = counts.entry(user).or_default();
        if *count >= UNKNOWN {
            return None;
        }
        *count += 1;
        let unknown = unknown.clone();
        Some(Self { user, unknown })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut counts = self.unknown.borrow_mut();
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}

/// Takes connections for ever; their sessions share the room for long screens. Must run in a `LocalSet`.
pub async fn serve(listener: UnixListener, router: Shared, screens: Screens) {
    let unknown = Unknown::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // A caller that is gone already has no credentials.
                let Ok(peer) = stream.peer_cred() else {
                    continue;
                };
                if let Some(waiting) = Waiting::new(peer.uid(), &unknown) {
                    tokio::task::spawn_local(session::serve(
                        stream,
                        router.clone(),
                        screens.clone(),
                        waiting,
                    ));
                }
            }
            // Out of descriptors: the sessions that end make room.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}

//! The running-config as the router holds it: the packet loop changes it, and threads beside it print, save and compare
//! it as it was when they took it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::Running;

/// The running-config. Reading is free; a change while a thread still reads makes a copy first, so that the thread goes
/// on with what it took.
#[derive(Debug, Clone, Default)]
pub struct Current(Arc<Running>);

impl Current {
    /// The configuration as it is now, for another thread. To be dropped there.
    #[must_use]
    pub fn share(&self) -> Arc<Running> {
        Arc::clone(&self.0)
    }

    /// Nothing was changed since this was shared.
    #[must_use]
    pub fn is(&self, shared: &Arc<Running>) -> bool {
        Arc::ptr_eq(&self.0, shared)
    }
}

impl From<Running> for Current {
    fn from(running: Running) -> Self {
        Self(Arc::new(running))
    }
}

impl Deref for Current {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.0
    }
}

impl DerefMut for Current {
    fn deref_mut(&mut self) -> &mut Running {
        Arc::make_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_what_it_took() {
        let mut current = Current::default();
        let taken = current.share();
        assert!(current.is(&taken));
        current.hostname = Some("R2".into());
        assert_eq!((taken.hostname(), current.hostname()), ("Router", "R2"));
        assert!(!current.is(&taken));
    }

    #[test]
    fn nothing_is_copied_while_no_thread_reads() {
        let mut current = Current::default();
        let before = Arc::as_ptr(&current.0);
        current.hostname = Some("R2".into());
        assert_eq!(before, Arc::as_ptr(&current.0));
    }
}

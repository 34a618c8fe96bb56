//! Routers for tests and benches: on a kernel in memory unless told otherwise, with a log that only `show logging` sees.
//! Used by the tests of this crate and of the console; no part of the daemon.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use isthmus_kernel::Kernel;

use crate::clock::Clock;
use crate::config;
use crate::log::{Console, Log, Severity};
use crate::machine::interfaces::{InterfaceMap, InterfaceTable};
use crate::router::{Files, Router, Shared};

/// What a router is made of.
#[derive(Debug)]
pub struct RouterBuilder {
    clock: Clock,
    files: Files,
    kernel: Kernel,
    table: InterfaceTable,
}

impl Default for RouterBuilder {
    fn default() -> Self {
        Self::on(Kernel::fake().0)
    }
}

impl RouterBuilder {
    /// On a kernel, without files.
    #[must_use]
    pub fn on(kernel: Kernel) -> Self {
        Self {
            clock: Clock::system(),
            files: Files {
                config: "/nonexistent/startup-config".into(),
                state: "/nonexistent".into(),
            },
            kernel,
            table: InterfaceTable::new(InterfaceMap::default()),
        }
    }

    /// With its startup-config and its state in a folder.
    #[must_use]
    pub fn folder(self, folder: &Path) -> Self {
        let config = folder.join("startup-config");
        let state = folder.join("state");
        self.files(Files { config, state })
    }

    /// With its files in these places.
    #[must_use]
    pub fn files(self, files: Files) -> Self {
        Self { files, ..self }
    }

    /// With another clock.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// With an interface map, or bindings of an earlier run.
    #[must_use]
    pub fn interfaces(self, table: InterfaceTable) -> Self {
        Self { table, ..self }
    }

    /// The router, without configuration.
    #[must_use]
    pub fn build(self) -> Router {
        let Self {
            clock,
            files,
            kernel,
            table,
        } = self;
        let log = Log::new(clock.clone(), Console::Nowhere, Severity::Debugging);
        Router::new(clock, log, files, kernel, table)
    }

    /// The same as tasks share it.
    #[must_use]
    pub fn shared(self) -> Shared {
        Rc::new(RefCell::new(self.build()))
    }

    /// A router that has read its startup-config, as at the start of the daemon.
    #[must_use]
    pub fn booted(self) -> Router {
        let mut router = self.build();
        router.boot();
        router
    }

    /// A router with this configuration.
    ///
    /// # Panics
    /// A line of it is refused.
    #[must_use]
    pub fn configured(self, text: &str) -> Router {
        let mut router = self.build();
        let (running, problems) = config::load(text, "test");
        assert_eq!(problems, []);
        *router.running = running;
        router.configured();
        router
    }
}

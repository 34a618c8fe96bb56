//! startup-config: loaded when the daemon starts (by `main`), and what follows when it is erased. What is wrong with a configuration, and
//! what protects badly in it, is logged here.

use crate::config::{self, Problem, encrypt, startup, weak};
use crate::log::Severity;
use crate::router::Router;
use crate::router::held::{self, Until};

/// Lines of a file that are logged one by one.
const TOLD: usize = 20;

impl Router {
    /// startup-config is erased, and that was kept in mind or not.
    pub(crate) fn erased(&mut self, marked: std::io::Result<()>) {
        if let Err(error) = marked {
            let text = format!("cannot keep in mind that startup-config was erased: {error}");
            self.notice(Severity::Errors, "STARTUP", text);
        }
        self.startup_decided();
        let text = "Initialized the geometry of nvram";
        self.notice(Severity::Notifications, "NV_BLOCK_INIT", text);
    }

    /// Loads the startup-config, as one transaction; where a change was unconfirmed when the daemon ended, the
    /// configuration before it. Lines that are not understood are logged and kept.
    pub fn boot(&mut self) {
        match encrypt::read_master(&self.files.state) {
            Ok(master) => self.running.master = master,
            Err(error) => {
                let text = format!("the master key in the state folder cannot be used: {error}");
                self.notice(Severity::Errors, "MASTERKEY", text);
            }
        }
        self.remember_copies();
        let path = self.files.config.clone();
        let unconfirmed = self.unconfirmed();
        let text = match &unconfirmed {
            Some(before) => Some(before.clone()),
            None => self.startup_text(),
        };
        let problems = match &text {
            Some(text) => {
                let (running, problems) = config::load(text, &path.display().to_string());
                self.replace_running(running);
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
        if unconfirmed.is_some() {
            let file = self.rollback_file();
            if let Err(error) = startup::remove_if_there(&file) {
                self.rollback_file_stays(&error);
            }
            self.log.system(
                "ARCHIVE_DIFF",
                Severity::Notifications,
                "ROLLBK_CNFMD_CHG_ROLLBACK_END",
                "A change was not confirmed before the restart: the configuration before it is restored, not startup-config",
            );
        }
        self.complain(&problems);
    }

    /// The text of startup-config. Without one, and unless the operator erased it, what the last run protected stays
    /// blocked; a file without a line counts as none, for no command leaves such a file behind.
    fn startup_text(&mut self) -> Option<String> {
        let path = self.files.config.clone();
        let (severity, why) = match startup::read(&path) {
            Ok(Some(text)) if !text.trim().is_empty() => {
                if !ends(&text) {
                    self.expect_to_hold(Until::Saved);
                    let text = format!(
                        "startup-config at {} does not end with \"end\": it may be cut off; what the last run protected and \
                         no line asks for stays blocked",
                        path.display()
                    );
                    self.notice(Severity::Warnings, "STARTUP", text);
                }
                return Some(text);
            }
            Ok(_) if held::was_erased(&self.files.state) => return None,
            Ok(Some(_)) => (
                Severity::Warnings,
                format!("startup-config at {} is empty", path.display()),
            ),
            Ok(None) => (
                Severity::Warnings,
                format!("no startup-config at {}", path.display()),
            ),
            Err(error) => (Severity::Errors, error.to_string()),
        };
        self.expect_to_hold(Until::Mapped);
        self.notice(severity, "STARTUP", format!("{why}; starting empty"));
        None
    }

    /// Logs what was wrong with a file: the first lines one by one, then how many more there are.
    fn complain(&mut self, problems: &[Problem]) {
        let (told, more) = problems.split_at(problems.len().min(TOLD));
        for problem in told {
            self.log
                .system("PARSER", Severity::Errors, "CFGLINE", problem.to_string());
        }
        if let Some(problem) = more.first() {
            let text = format!(
                "{} more lines of {} were not obeyed; isthmus --check lists them, show running-config has them in their places",
                more.len(),
                problem.file
            );
            self.log
                .system("PARSER", Severity::Errors, "CFGLINES", text);
        }
        self.tell_drawbacks();
    }

    /// What the whole configuration has that operators should know of.
    pub(crate) fn tell_drawbacks(&mut self) {
        self.tell_inactive();
        // One message for each kind of thing that protects badly.
        for text in weak::summary(&self.running) {
            self.log
                .system("SYS", Severity::Warnings, "INSECURE_CONFIG", text);
        }
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
}

/// Whether a file has come to its end: what `write memory` saves has `end` as its last line.
fn ends(text: &str) -> bool {
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.is_some_and(|line| line.eq_ignore_ascii_case("end"))
}

//! What becomes of configurations and files: configure, copy, reload, and the files of `flash:`.

/// `configure`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigureCommand {
    /// `configure` alone: ask from where.
    Ask,
    /// `configure terminal`.
    Terminal(ConfigureTerminal),
    /// `configure memory`: startup-config into running-config.
    Memory,
    /// `configure replace …`.
    Replace(ConfigureReplace),
    /// `configure confirm`: the pending rollback is called off.
    Confirm,
    /// `configure revert now`.
    RevertNow,
    /// `configure revert timer [idle] N`: the pending rollback gets another time.
    RevertTimer(RevertTimer),
}

/// How `configure terminal` was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigureTerminal {
    /// Without more.
    Plain,
    /// `lock`: no other session may configure meanwhile.
    Lock,
    /// `revert …`: rolled back unless confirmed in time.
    Revert(RevertTimer),
}

/// When a change that is not confirmed is rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevertTimer {
    /// Minutes from the change (1-120).
    Absolute(u8),
    /// Minutes without a command in the session that made the change (1-120).
    Idle(u8),
}

/// `configure replace FILE …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigureReplace {
    /// The file.
    pub file: String,
    /// `list`: show the lines that are applied.
    pub list: bool,
    /// `force`: do not ask.
    pub force: bool,
    /// `ignorecase`: upper and lower case are the same when the lines are listed.
    pub ignorecase: bool,
    /// `nolock`: also while another session holds the lock.
    pub nolock: bool,
    /// `revert trigger error`: nothing changes when a line is refused or not understood.
    pub revert_on_error: bool,
    /// `time N` or `timer N`: rolled back unless confirmed within so many minutes (1-120).
    pub minutes: Option<u8>,
}

/// Something that `copy` reads or writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// running-config.
    RunningConfig,
    /// startup-config.
    StartupConfig,
    /// A file name or URL as typed.
    File(String),
}

/// `reload`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReloadCommand {
    /// At once.
    Now {
        /// `reason LINE`.
        reason: Option<String>,
    },
    /// `reload in DELAY [REASON]`.
    In {
        /// Minutes, or `hhh:mm`.
        delay: String,
        /// Why.
        reason: Option<String>,
    },
    /// `reload at TIME [DAY] [REASON]`.
    At {
        /// `hh:mm`.
        time: String,
        /// Month and day in either order, then the reason; both may be absent.
        day_and_reason: Option<String>,
    },
    /// `reload cancel`.
    Cancel,
}

/// Commands about files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileCommand {
    /// `delete [/force] [/recursive] FILE`.
    Delete {
        /// The file.
        file: String,
        /// Do not ask.
        force: bool,
        /// A directory with everything below it.
        recursive: bool,
    },
    /// `dir [/all] [/recursive] [FILE]`.
    Dir {
        /// The directory or file; `flash:` when absent.
        file: Option<String>,
        /// With names that begin with a dot.
        all: bool,
        /// With everything below the directories.
        recursive: bool,
    },
    /// `mkdir DIRECTORY`.
    MakeDirectory(String),
    /// `more FILE`.
    More(String),
    /// `receive FILE`: the console brings what the file is to hold, in answers to empty questions: pieces in Base64, then an
    /// empty answer.
    Receive(String),
    /// `rmdir DIRECTORY`.
    RemoveDirectory(String),
    /// `rename FILE FILE`.
    Rename {
        /// The file.
        from: String,
        /// Its new name.
        to: String,
    },
    /// `transmit FILE`: the console is given what the file holds, in lines of Base64.
    Transmit(String),
    /// `verify [/md5] FILE [CHECKSUM]`.
    Verify {
        /// The file.
        file: String,
        /// The MD5 that it must have, in hexadecimal.
        expected: Option<String>,
    },
}

words! {
    /// What is asked before a file is changed.
    pub enum FilePrompt {
        /// Ask before what can lose data; the default.
        Alert => "alert",
        /// Everything.
        Noisy => "noisy",
        /// Nothing.
        Quiet => "quiet",
    }
}

words! {
    /// What `write` does.
    pub enum WriteTarget {
        /// Erase startup-config.
        Erase => "erase",
        /// Save running-config as startup-config (`write` alone as well).
        Memory => "memory",
        /// Show running-config.
        Terminal => "terminal",
    }
}

/// `show archive …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowArchive {
    /// `show archive`.
    List,
    /// `show archive config differences [FILE [FILE]] [ignorecase]`.
    Differences {
        /// The first file; startup-config when absent.
        from: Option<String>,
        /// The second; running-config when absent.
        to: Option<String>,
        /// Upper and lower case are the same.
        ignorecase: bool,
    },
    /// `show archive config incremental-diffs FILE [ignorecase]`.
    IncrementalDiffs {
        /// The file.
        file: String,
        /// Upper and lower case are the same.
        ignorecase: bool,
    },
    /// `show archive config rollback timer`.
    RollbackTimer,
    /// `show archive log config …`.
    Log(ShowConfigLog),
}

/// `show archive log config …`: the log of configuration commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowConfigLog {
    /// `statistics`.
    Statistics,
    /// The commands, `[contenttype plaintext]`.
    Commands {
        /// Which of them.
        which: LoggedCommands,
        /// `provisioning`: as lines of a configuration.
        provisioning: bool,
    },
}

/// Which commands of the log are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoggedCommands {
    /// `all`.
    All,
    /// `FIRST [LAST]`: by their numbers.
    Numbered {
        /// The first.
        first: u64,
        /// The last; without it there is but one.
        last: Option<u64>,
    },
    /// `user NAME [session N]`.
    OfUser {
        /// Who typed them.
        name: String,
        /// In which configuration session.
        session: Option<u64>,
    },
}

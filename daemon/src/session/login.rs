//! Logging in and `enable`: who may come in and how far. `caller` says who need not be asked. Called by the session when it
//! begins, and by `exec`.

use std::time::Duration;

use isthmus_control::{AskKind, Reply, Status};
use isthmus_grammar::command::{
    AaaMethod, BannerKind, CredentialKind, LineKind, LoginMethod, Secret, SecretEncoding,
};
use isthmus_grammar::privilege::{FULL, USER};

use super::io::{Answer, Disconnected};
use super::{Outcome, Session};
use crate::clock::format::moment;
use crate::config::model::{self, DEFAULT_LIST, LineSettings, MAX_BANNER, Running};
use crate::config::secret;
use crate::log::Severity;

/// Wrong answers before IOS gives up.
const TRIES: usize = 3;
/// The wait after a wrong answer where `login delay` says nothing.
const DELAY: Duration = Duration::from_secs(1);
/// How long each question of a login waits for its answer where `timeout login response` says nothing.
const RESPONSE: u16 = 30;
/// What a password for an unknown name is compared with, so that unknown names take as long as known ones.
const NOBODY: &str = "$9$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6";

/// What a line asks of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asks {
    /// Nothing.
    Nothing,
    /// The line's password.
    LinePassword(Secret),
    /// The line's password, and it has none: no caller is let in.
    Unset,
    /// A user name and its password; with `aaa` other words when it fails.
    User {
        /// Names must match in upper and lower case.
        exact: bool,
        /// `aaa new-model` is on.
        aaa: bool,
    },
    /// The enable secret.
    Enable,
    /// A method that cannot answer: no caller is let in.
    Nobody,
}

/// How a login ended.
enum Login {
    /// As this user, if a name was asked for.
    Granted(Option<String>),
    Refused,
}

/// What stands before a higher level.
enum Gate {
    /// Nothing.
    Open,
    /// A password.
    Asks(CredentialKind, Secret),
}

impl Session {
    /// Lets the caller in, asks who it is, or sends it away; false when the session is over.
    pub(super) async fn admit(&mut self, interactive: bool) -> Result<bool, Disconnected> {
        if self.barred() {
            self.bye = Some("% Connection refused".into());
            return Ok(false);
        }
        let asks = self.asks();
        let known = self.known_level();
        if !interactive {
            self.level = match known {
                _ if self.trusted => FULL,
                Some(level) => level,
                None if asks == Asks::Nothing => USER,
                None => {
                    self.bye = Some(
                        "% Login is required: use isthmus at a terminal, or give this user a username line".into(),
                    );
                    return Ok(false);
                }
            };
            self.take_up(false);
            self.enter(String::new()).await?;
            return Ok(true);
        }
        let asked = known.is_none() && (!self.trusted || self.line.kind == LineKind::Console);
        let asks = if asked { asks } else { Asks::Nothing };
        if asks == Asks::Nothing {
            let line = self.settings().privilege.filter(|_| self.trusted);
            self.level = known.or(line).unwrap_or(USER);
            self.take_up(false);
            let banner =
                self.banner(BannerKind::Motd) + &self.banner(BannerKind::Exec) + &self.unheeded();
            self.enter(banner).await?;
            self.logged_in();
            return Ok(true);
        }
        let banner = self.banner(BannerKind::Motd) + &self.banner(BannerKind::Login);
        self.welcome(banner, true).await?;
        let response = self.settings().login_response.unwrap_or(RESPONSE);
        let response = (response > 0).then(|| Duration::from_secs(response.into()));
        self.io.set_idle(response);
        let bye = match self.log_in(&asks).await {
            Ok(Login::Granted(name)) => {
                self.granted(name).await?;
                return Ok(true);
            }
            Ok(Login::Refused) => String::new(),
            Err(Disconnected::Idle) => self.unanswered(),
            Err(gone) => return Err(gone),
        };
        self.bye = Some(bye);
        Ok(false)
    }

    /// What an operator is told who comes in while the configuration has lines that were not understood.
    fn unheeded(&self) -> String {
        match self.router.borrow().running.not_understood() {
            0 => String::new(),
            1 => "% 1 line of the configuration was not understood and does nothing: show inactive-config\n".to_owned(),
            count => {
                format!("% {count} lines of the configuration were not understood and do nothing: show inactive-config\n")
            }
        }
    }

    /// What is said when `timeout login response` ends the login.
    fn unanswered(&self) -> String {
        let prompt = self.io.asked();
        let banner = self.banner(BannerKind::PromptTimeout);
        format!("% {prompt} timeout expired!\n{banner}")
    }

    async fn granted(&mut self, name: Option<String>) -> Result<(), Disconnected> {
        if let Some(name) = name {
            self.router.borrow_mut().sessions.named(self.id, &name);
            self.user.name = Some(name);
        }
        let line = self.settings().privilege;
        self.level = self.known_level().or(line).unwrap_or(USER);
        self.logged_in();
        self.take_up(true);
        let banner = self.banner(BannerKind::Exec) + &self.unheeded();
        self.io.output(&banner).await?;
        self.end_login().await
    }

    /// Lets a caller in who is asked nothing.
    async fn enter(&mut self, banner: String) -> Result<(), Disconnected> {
        let automatic = self.automatic.is_some();
        self.welcome(banner, automatic).await?;
        if automatic {
            self.end_login().await?;
        }
        Ok(())
    }

    /// The level of the caller's `username` line.
    fn known_level(&self) -> Option<u8> {
        let own = self.known_user()?.privilege.filter(|_| self.authorized());
        Some(own.or(self.settings().privilege).unwrap_or(USER))
    }

    /// The caller's `username` line.
    pub(super) fn known_user(&self) -> Option<model::User> {
        let name = self.user.name.as_deref()?;
        self.router.borrow().running.users.get(name).cloned()
    }

    /// Whether users' own settings count: under `aaa new-model` only where `aaa authorization exec` says so.
    pub(super) fn authorized(&self) -> bool {
        let aaa = &self.router.borrow().running.aaa;
        let mut methods = aaa.exec.get(DEFAULT_LIST).into_iter().flatten();
        let local =
            |method: &AaaMethod| matches!(method, AaaMethod::Local | AaaMethod::IfAuthenticated);
        !aaa.new_model || methods.any(local)
    }

    /// The settings of this session's line. Vtys beyond the configured ones are like the last.
    pub(super) fn settings(&self) -> LineSettings {
        let router = self.router.borrow();
        let lines = &router.running.lines;
        let like = lines.range(..=self.line).next_back();
        like.filter(|(line, _)| line.kind == self.line.kind)
            .map(|(_, settings)| settings.clone())
            .unwrap_or_default()
    }

    fn asks(&self) -> Asks {
        let settings = self.settings();
        let router = self.router.borrow();
        if router.running.aaa.new_model {
            return aaa(&router.running, &settings, self.line.kind);
        }
        match settings.login {
            None | Some(LoginMethod::Authentication(_)) => Asks::Nothing,
            Some(LoginMethod::Local) => Asks::User {
                exact: false,
                aaa: false,
            },
            Some(LoginMethod::LinePassword) => match settings.password {
                Some(password) => Asks::LinePassword(password),
                // Otherwise no operator could come in to set one.
                None if self.line.kind == LineKind::Console => Asks::Nothing,
                None => Asks::Unset,
            },
        }
    }

    async fn log_in(&mut self, asks: &Asks) -> Result<Login, Disconnected> {
        match asks {
            Asks::Nothing => Ok(Login::Granted(None)),
            Asks::Unset => {
                self.io
                    .output("\nPassword required, but none set\n")
                    .await?;
                Ok(Login::Refused)
            }
            Asks::Nobody => {
                self.io.output("\n% Authentication failed\n").await?;
                Ok(Login::Refused)
            }
            Asks::User { exact, aaa } => self.ask_user(*exact, *aaa).await,
            Asks::LinePassword(password) => self.ask_line(Some(password)).await,
            Asks::Enable => {
                let secret = self.credential(FULL).map(|(_, secret)| secret);
                self.ask_line(secret.as_ref()).await
            }
        }
    }

    async fn ask_line(&mut self, password: Option<&Secret>) -> Result<Login, Disconnected> {
        self.io.output("\nUser Access Verification\n\n").await?;
        for _ in 0..TRIES {
            let Some(typed) = self.ask_secret().await? else {
                continue;
            };
            let right = match password {
                Some(password) => self.check(password.clone(), typed).await,
                None => false,
            };
            if right {
                return Ok(Login::Granted(None));
            }
            self.wrong().await;
        }
        self.failed(None);
        self.io.output("% Bad passwords\n").await?;
        Ok(Login::Refused)
    }

    async fn ask_user(&mut self, exact: bool, aaa: bool) -> Result<Login, Disconnected> {
        self.io.output("\nUser Access Verification\n\n").await?;
        for _ in 0..TRIES {
            let name = match self.io.ask("Username: ", AskKind::Line).await? {
                Answer::Text(name) if !name.trim().is_empty() => name.trim().to_owned(),
                _ => continue,
            };
            let found = self.find(&name, exact);
            let granted = match &found {
                Some((_, user)) if user.no_password => true,
                _ => {
                    let credential = found
                        .as_ref()
                        .and_then(|(_, user)| user.credential.clone())
                        .map(|(_, secret)| secret);
                    let usable = credential.is_some();
                    let secret = credential
                        .unwrap_or_else(|| Secret::new(Some(SecretEncoding::Scrypt), NOBODY));
                    match self.ask_secret().await? {
                        Some(typed) => self.check(secret, typed).await && usable,
                        None => false,
                    }
                }
            };
            if granted {
                return Ok(Login::Granted(found.map(|(name, _)| name)));
            }
            self.wrong().await;
            self.failed(found.as_ref().map(|(name, _)| name.as_str()));
            let text = if aaa {
                "% Authentication failed\n\n"
            } else {
                "% Login invalid\n\n"
            };
            self.io.output(text).await?;
        }
        Ok(Login::Refused)
    }

    /// The user of a name, with the name as it is configured.
    fn find(&self, name: &str, exact: bool) -> Option<(String, model::User)> {
        let router = self.router.borrow();
        let users = &router.running.users;
        let same = |known: &&String| *known == name || !exact && known.eq_ignore_ascii_case(name);
        let known = users.keys().find(same)?;
        Some((known.clone(), users[known].clone()))
    }

    async fn ask_secret(&mut self) -> Result<Option<String>, Disconnected> {
        Ok(match self.io.ask("Password: ", AskKind::Secret).await? {
            Answer::Text(typed) => Some(typed),
            Answer::Interrupted => None,
        })
    }

    /// Checks a password in a thread of its own, a few at a time: hashing must hold up no tunnel.
    async fn check(&self, secret: Secret, typed: String) -> bool {
        let typed = zeroize::Zeroizing::new(typed);
        let checks = self.router.borrow().sessions.checks.clone();
        let Ok(_leave) = checks.acquire().await else {
            return false;
        };
        tokio::task::spawn_blocking(move || secret::opens(&secret, &typed))
            .await
            .unwrap_or(false)
    }

    /// The wait that makes guessing slow.
    async fn wrong(&self) {
        let configured = self.router.borrow().running.login.delay;
        let delay = configured.map_or(DELAY, |seconds| Duration::from_secs(seconds.into()));
        tokio::time::sleep(delay).await;
    }

    /// Logs a failure, under `login on-failure log`. Only configured names: what else was typed may be a password.
    fn failed(&self, name: Option<&str>) {
        if !self.router.borrow().running.login.log_failure {
            return;
        }
        let name = name.unwrap_or_default();
        let text = format!(
            "Login failed [user: {name}] [Source: {}] [localport: {}] [Reason: Login Authentication Failed]",
            self.user.address(),
            self.port()
        );
        self.login_message(Severity::Warnings, "LOGIN_FAILED", &text);
    }

    fn logged_in(&self) {
        if !self.router.borrow().running.login.log_success {
            return;
        }
        let text = format!(
            "Login Success [user: {}] [Source: {}] [localport: {}]",
            self.user.name(),
            self.user.address(),
            self.port()
        );
        self.login_message(Severity::Notifications, "LOGIN_SUCCESS", &text);
    }

    fn login_message(&self, severity: Severity, mnemonic: &'static str, text: &str) {
        let mut router = self.router.borrow_mut();
        let now = moment(&router.clock.zoned());
        let text = format!("{text} at {now}");
        router.log.system("SEC_LOGIN", severity, mnemonic, text);
    }

    /// The port of SSH for a caller from the network, 0 at the console.
    fn port(&self) -> u16 {
        if self.user.source.is_some() { 22 } else { 0 }
    }

    /// `enable [LEVEL]`
    pub(super) async fn enable(&mut self, level: Option<u8>) -> Outcome {
        let wanted = level.unwrap_or(FULL);
        if wanted <= self.level {
            self.level = wanted;
            return Ok(Status::Ok);
        }
        let aaa = self.router.borrow().running.aaa.new_model;
        let (kind, secret) = match self.gate(wanted) {
            Some(Gate::Asks(kind, secret)) => (kind, secret),
            Some(Gate::Open) => {
                self.level = wanted;
                return Ok(Status::Ok);
            }
            None if aaa => return self.fail("% Error in authentication.\n\n").await,
            None => return self.fail("% No password set\n").await,
        };
        for _ in 0..TRIES {
            let Some(typed) = self.ask_secret().await? else {
                return Ok(Status::Failed);
            };
            if self.check(secret.clone(), typed).await {
                self.level = wanted;
                return Ok(Status::Ok);
            }
            self.wrong().await;
            if aaa {
                return self.fail("% Access denied\n\n").await;
            }
        }
        self.fail(match kind {
            CredentialKind::Secret => "% Bad secrets\n\n",
            CredentialKind::Password => "% Bad passwords\n\n",
        })
        .await
    }

    /// `disable [LEVEL]`
    pub(super) async fn disable(&mut self, level: Option<u8>) -> Outcome {
        let wanted = level.unwrap_or(USER);
        if wanted > self.level {
            return self
                .fail("New privilege level must be less than current privilege level\n")
                .await;
        }
        self.level = wanted;
        Ok(Status::Ok)
    }

    /// What `enable` asks: the first method of its list that there is something for decides. Root is not locked out by a
    /// missing secret, nor by a hash that is none and so matches nothing.
    fn gate(&self, wanted: u8) -> Option<Gate> {
        let well_formed =
            |(_, secret): &(_, Secret)| !self.trusted || secret::is_well_formed(secret);
        let methods = {
            let aaa = &self.router.borrow().running.aaa;
            match aaa.enable.as_slice() {
                [] => vec![AaaMethod::Enable],
                methods => methods.to_vec(),
            }
        };
        for method in methods {
            let credential = match method {
                AaaMethod::None => return Some(Gate::Open),
                AaaMethod::Enable => self.credential(wanted),
                AaaMethod::Line => {
                    (self.settings().password).map(|password| (CredentialKind::Password, password))
                }
                _ => None,
            };
            if let Some((kind, secret)) = credential.filter(well_formed) {
                return Some(Gate::Asks(kind, secret));
            }
        }
        self.trusted.then_some(Gate::Open)
    }

    /// `enable secret` of a level, or `enable password` where there is no secret.
    fn credential(&self, level: u8) -> Option<(CredentialKind, Secret)> {
        let router = self.router.borrow();
        let find = |kind| {
            let secret = router.running.enable.get(&(level, kind))?;
            Some((kind, secret.clone()))
        };
        find(CredentialKind::Secret).or_else(|| find(CredentialKind::Password))
    }

    /// A banner with its tokens filled in, every line ended; empty when there is none, or none for this line.
    pub(super) fn banner(&self, kind: BannerKind) -> String {
        let settings = self.settings();
        let hidden = match kind {
            BannerKind::Motd => settings.no_motd_banner || settings.no_exec_banner,
            BannerKind::Exec => settings.no_exec_banner,
            _ => false,
        };
        if hidden {
            return String::new();
        }
        let router = self.router.borrow();
        let Some(text) = router.running.banners.get(&kind) else {
            return String::new();
        };
        let number = crate::operators::absolute(self.line).to_string();
        let domain = router.running.domain_name.as_deref().unwrap_or_default();
        let mut text = text.clone();
        for (token, value) in [
            ("$(hostname)", router.running.hostname()),
            ("$(domain)", domain),
            ("$(line)", &number),
        ] {
            let added = text.matches(token).count() * value.len();
            // Long values in many places could make more of it than a console takes.
            if text.len() + added <= MAX_BANNER {
                text = text.replace(token, value);
            }
        }
        format!("{}\n", text.trim_end_matches('\n'))
    }

    /// Tells the console what it may do, when that changed.
    pub(super) async fn tell_access(&mut self) -> Result<(), Disconnected> {
        let access = self.access_to_tell();
        if access != self.told {
            self.told = access.clone();
            self.io.send(Reply::Access(access)).await?;
        }
        Ok(())
    }
}

/// What the authentication list of a line asks. Servers are passed over.
fn aaa(running: &Running, settings: &LineSettings, kind: LineKind) -> Asks {
    let list = match &settings.login {
        Some(LoginMethod::Authentication(list)) => list.as_str(),
        _ => DEFAULT_LIST,
    };
    let user = |exact| Asks::User { exact, aaa: true };
    let Some(methods) = running.aaa.login.get(list) else {
        return match kind {
            _ if list != DEFAULT_LIST => Asks::Nobody,
            LineKind::Console => Asks::Nothing,
            LineKind::Aux | LineKind::Vty => user(false),
        };
    };
    let usable = |method: &&AaaMethod| !matches!(method, AaaMethod::Group(_));
    match methods.iter().find(usable) {
        Some(AaaMethod::None | AaaMethod::IfAuthenticated) => Asks::Nothing,
        Some(AaaMethod::Local) => user(false),
        Some(AaaMethod::LocalCase) => user(true),
        Some(AaaMethod::Enable) => Asks::Enable,
        Some(AaaMethod::Line) => settings
            .password
            .clone()
            .map_or(Asks::Nobody, Asks::LinePassword),
        Some(AaaMethod::Group(_)) | None => Asks::Nobody,
    }
}

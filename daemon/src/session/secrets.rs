//! Secrets typed at the console: hashing off the packet loop, and the master key of type 6. Called by `configure`.

use isthmus_control::{AskKind, Status};
use isthmus_grammar::command::{
    ConfigCommand, ConfigLine, CredentialKind, Form, GlobalCommand, HashAlgorithm, Secret,
    SecretEncoding, UserLine, UserLogin,
};
use zeroize::Zeroizing;

use super::io::{Answer, Disconnected};
use super::{Outcome, Session};
use crate::change_control::whole;
use crate::config::encrypt;
use crate::config::model::{Change, Running};
use crate::config::secret::{self, MasterKey};

impl Session {
    /// The line with a secret in clear hashed, in a thread of its own; any other line as it is.
    pub(super) async fn hashed(&self, line: &ConfigLine) -> ConfigLine {
        let mut line = line.clone();
        if line.form != Form::Set {
            return line;
        }
        let (algorithm, secret, known) = {
            let running = &self.router.borrow().running;
            match &mut line.command {
                ConfigCommand::Global(GlobalCommand::Enable {
                    kind: CredentialKind::Secret,
                    algorithm,
                    level,
                    secret: Some(secret),
                }) => {
                    let key = (level.unwrap_or(15), CredentialKind::Secret);
                    (algorithm, secret, running.enable.get(&key).cloned())
                }
                ConfigCommand::Global(GlobalCommand::Username {
                    name,
                    line:
                        UserLine::Login(UserLogin {
                            algorithm,
                            credential: Some((CredentialKind::Secret, secret)),
                            ..
                        }),
                }) => {
                    let known = running.users.get(name);
                    let known = known.and_then(|user| user.credential.clone());
                    (algorithm, secret, known.map(|(_, secret)| secret))
                }
                _ => return line,
            }
        };
        if secret.encoding() == SecretEncoding::Clear {
            let clear = Zeroizing::new(secret.expose().to_owned());
            let wanted = *algorithm;
            let made = tokio::task::spawn_blocking(move || hash(&clear, wanted, known)).await;
            // Without random numbers the line is refused where it is obeyed.
            if let Ok(Some(made)) = made {
                *secret = made;
                *algorithm = None;
            }
        }
        line
    }

    /// `key config-key password-encrypt [KEY]` and its `no`.
    pub(super) async fn master_key(&mut self, form: Form, typed: Option<Secret>) -> Outcome {
        let old = self.router.borrow().running.master.clone();
        if form != Form::Set {
            if old.is_none() {
                return Ok(Status::Ok);
            }
            let prompt = "WARNING: All type 6 encrypted keys will become unusable\n\
                          Continue with master key deletion ?";
            return match self.yes_or_no(prompt).await? {
                Some(true) => self.change_master(None).await,
                _ => Ok(Status::Failed),
            };
        }
        if let Some(old) = &old {
            match self.secret("Old key: ").await? {
                Some(key) if old.is(&key) => {}
                _ => {
                    return self
                        .fail("% Old key is not the configured master key\n")
                        .await;
                }
            }
        }
        let key = match typed {
            Some(key) => Zeroizing::new(key.expose().to_owned()),
            None => {
                let (Some(key), Some(again)) = (
                    self.secret("New key: ").await?,
                    self.secret("Confirm key: ").await?,
                ) else {
                    return Ok(Status::Failed);
                };
                if key != again {
                    return self
                        .fail("% Keys do not match; the master key stays as it was\n")
                        .await;
                }
                key
            }
        };
        match MasterKey::new(&key) {
            Some(master) => self.change_master(Some(master)).await,
            None => {
                self.fail("% Invalid master key: 8 to 127 characters, please\n")
                    .await
            }
        }
    }

    async fn change_master(&mut self, master: Option<MasterKey>) -> Outcome {
        let (state, kept) = (self.router.borrow().files.state.clone(), master.clone());
        let keep = move || encrypt::keep_master(&state, kept.as_ref());
        let kept = self.on_disk(keep).await?;
        kept.map_err(|error| format!("% The master key cannot be kept: {error}\n"))?;
        let change = move |running: &mut Running| {
            encrypt::change_master(running, master.clone());
            running.note(Change::Keys);
        };
        whole::change(&self.router, change, self.user.name()).await?;
        Ok(Status::Ok)
    }

    async fn secret(&mut self, prompt: &str) -> Result<Option<Zeroizing<String>>, Disconnected> {
        Ok(match self.io.ask(prompt, AskKind::Secret).await? {
            Answer::Text(text) => Some(Zeroizing::new(text)),
            Answer::Interrupted => None,
        })
    }
}

/// The hash of a secret, or the known one where it is a hash of the same, made as it is wanted.
fn hash(clear: &str, algorithm: Option<HashAlgorithm>, known: Option<Secret>) -> Option<Secret> {
    let same = |known: &Secret| {
        algorithm.is_none_or(|algorithm| secret::made_by(known, algorithm))
            && secret::opens(known, clear)
    };
    known
        .filter(same)
        .or_else(|| secret::hash(clear, algorithm.unwrap_or(secret::DEFAULT_ALGORITHM)))
}

//! Questions to the operator in the words of IOS, for the commands of a session.

use isthmus_control::AskKind;

use super::io::{Answer, Disconnected};
use super::{CommandError, Session};

impl Session {
    /// A question with a default in brackets, taken on Enter: `Destination filename [startup-config]? `. `None` when
    /// the operator interrupts.
    pub(super) async fn ask(
        &mut self,
        prompt: &str,
        default: &str,
    ) -> Result<Option<String>, Disconnected> {
        let answer = self.io.ask(prompt, AskKind::Line).await?;
        Ok(match answer {
            Answer::Interrupted => None,
            Answer::Text(text) if text.trim().is_empty() => Some(default.to_owned()),
            Answer::Text(text) => Some(text.trim().to_owned()),
        })
    }

    /// The same for a question without whose answer the command is given up.
    pub(super) async fn answered(
        &mut self,
        prompt: &str,
        default: &str,
    ) -> Result<String, CommandError> {
        let answer = self.ask(prompt, default).await?;
        answer.ok_or_else(CommandError::given_up)
    }

    /// `[confirm]`: one key, Enter or `y` agrees.
    pub(super) async fn confirm(&mut self, prompt: &str) -> Result<bool, Disconnected> {
        let answer = self
            .io
            .ask(format!("{prompt}[confirm]"), AskKind::Confirm)
            .await?;
        Ok(match answer {
            Answer::Interrupted => false,
            Answer::Text(key) => matches!(key.trim(), "" | "y" | "Y"),
        })
    }

    /// `[yes/no]: `, asked again until one of them comes. `None` when the operator interrupts.
    pub(super) async fn yes_or_no(&mut self, prompt: &str) -> Result<Option<bool>, Disconnected> {
        loop {
            let answer = self
                .io
                .ask(format!("{prompt} [yes/no]: "), AskKind::Line)
                .await?;
            let Answer::Text(text) = answer else {
                return Ok(None);
            };
            let text = text.trim().to_ascii_lowercase();
            if !text.is_empty() && "yes".starts_with(&text) {
                return Ok(Some(true));
            }
            if !text.is_empty() && "no".starts_with(&text) {
                return Ok(Some(false));
            }
            self.io.output("% Please answer 'yes' or 'no'.\n").await?;
        }
    }
}

//! Why a line is refused, and the text IOS prints for it. Made by `walk` and `parser`, printed by the
//! console, the daemon and `--check`.

/// Why a line is not a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No command has this character there.
    #[error("invalid input at column {column}")]
    Invalid {
        /// Characters of the line before the offending one.
        column: usize,
    },
    /// The line stops before the command is complete.
    #[error("incomplete command")]
    Incomplete,
    /// A shortened word means more than one keyword.
    #[error("ambiguous command")]
    Ambiguous,
}

impl Refusal {
    /// What the console prints, every line ended: the caret line for a line typed after a prompt of
    /// `prompt_width` columns, the message, and the empty line where IOS has one.
    pub fn message(&self, prompt_width: usize, line: &str) -> String {
        match self {
            Self::Invalid { column } => {
                format!(
                    "{:1$}^\n% Invalid input detected at '^' marker.\n\n",
                    "",
                    prompt_width + column
                )
            }
            Self::Incomplete => "% Incomplete command.\n\n".to_owned(),
            Self::Ambiguous => format!(
                "% Ambiguous command:  \"{}\"\n",
                line.trim_end_matches(['\r', '\n'])
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_those_of_ios() {
        let caret = Refusal::Invalid { column: 8 }.message(11, "logging 0255.255.1");
        assert_eq!(
            caret,
            "                   ^\n% Invalid input detected at '^' marker.\n\n"
        );
        assert_eq!(
            Refusal::Incomplete.message(11, "hostname"),
            "% Incomplete command.\n\n"
        );
        assert_eq!(
            Refusal::Ambiguous.message(11, "i\r"),
            "% Ambiguous command:  \"i\"\n"
        );
    }
}

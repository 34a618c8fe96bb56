//! `show users` and `show line`: the terminal lines and who is on them. Called by `show`.

use std::fmt::Write;
use std::time::Duration;

use isthmus_grammar::command::LineKind;
use schemars::JsonSchema;
use serde::Serialize;

use super::screen::Facts;
use super::snapshot::{TerminalLine, User};
use crate::clock::format as time;
use crate::config::model::LineId;

/// `show users [all]`.
#[derive(Serialize, JsonSchema)]
pub struct Users<'a> {
    /// The sessions by line.
    users: &'a [User],
    /// With `all`, the lines without a session.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    free_lines: Vec<&'a TerminalLine>,
}

/// The sessions; with `all` the other lines too.
pub fn users<'a>(users: &'a [User], lines: &'a [TerminalLine], all: bool) -> Users<'a> {
    let free = lines.iter().filter(|line| all && !line.busy);
    Users {
        users,
        free_lines: free.collect(),
    }
}

impl Facts for Users<'_> {
    fn text(&self) -> String {
        let users = self.users.iter().map(|user| (user.number, session(user)));
        let free = self.free_lines.iter();
        let free = free.map(|line| (line.number, without_session(line)));
        let mut rows: Vec<(usize, String)> = users.chain(free).collect();
        rows.sort_by_key(|(number, _)| *number);
        let mut text =
            String::from("    Line       User       Host(s)              Idle       Location\n");
        for (_, row) in rows {
            let _ = writeln!(text, "{}", row.trim_end());
        }
        text + "\n  Interface    User               Mode         Idle     Peer Address\n\n"
    }
}

fn session(user: &User) -> String {
    let mark = if user.current { '*' } else { ' ' };
    format!(
        "{mark}{:>3} {:<9} {:<10} {:<20} {}   {}",
        user.number,
        line_name(&user.line),
        user.user,
        "idle",
        time::hms(user.idle),
        user.location
    )
}

fn without_session(line: &TerminalLine) -> String {
    let name = format!("{} {}", line.kind, line.within);
    let idle = time::hms(Duration::ZERO);
    format!(" {:>3} {name:<9} {:<31} {idle}", line.number, "")
}

/// `console` as `con 0`, `vty3` as `vty 3`.
fn line_name(line: &str) -> String {
    match line.strip_prefix("vty") {
        Some(number) => format!("vty {number}"),
        None => "con 0".to_owned(),
    }
}

/// `show line [LINE]`.
#[derive(Serialize, JsonSchema)]
pub struct Lines<'a> {
    /// The terminal lines by number.
    terminal_lines: Vec<&'a TerminalLine>,
}

/// All lines, or one.
pub fn lines(lines: &[TerminalLine], only: Option<LineId>) -> Lines<'_> {
    let wanted = |line: &&TerminalLine| {
        only.is_none_or(|only| (only.kind, only.number) == (line.kind, line.within))
    };
    Lines {
        terminal_lines: lines.iter().filter(wanted).collect(),
    }
}

impl Facts for Lines<'_> {
    fn text(&self) -> String {
        let mut text = String::from(
            "   Tty Typ     Tx/Rx    A Modem  Roty AccO AccI   Uses   Noise  Overruns   Int\n",
        );
        for line in &self.terminal_lines {
            let (kind, speed) = match line.kind {
                LineKind::Console => ("CTY", ""),
                LineKind::Aux => ("AUX", "9600/9600"),
                LineKind::Vty => ("VTY", ""),
            };
            let mark = if line.busy { '*' } else { ' ' };
            let _ = writeln!(
                text,
                "{mark} {:>4} {kind} {speed:>11}  -    -      -    -    - {:>6}       0     0/0       -",
                line.number, line.uses
            );
        }
        text.push('\n');
        text
    }
}

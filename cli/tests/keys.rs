//! Any keys at all: the screen always shows the line that the editor holds, and the terminal gets
//! nothing but text, backspaces and line ends.

use std::collections::VecDeque;
use std::num::NonZero;

use isthmus_console::line::editor::{Editor, Killed, Step};
use isthmus_console::line::history::History;
use isthmus_console::line::keys::Decoder;
use proptest::prelude::*;

const PROMPT: &str = "R1(config)#";
const COLUMNS: u16 = 40;
/// Columns for the text: the last column of the terminal stays free.
const ROOM: usize = COLUMNS as usize - PROMPT.len() - 1;

fn typed() -> impl Strategy<Value = Vec<u8>> {
    let letters = "[ -~]{1,12}".prop_map(String::into_bytes);
    let other = prop_oneof!["é", "漢", "я"].prop_map(String::into_bytes);
    let control = (1u8..32)
        .prop_filter("ends the line", |b| {
            !matches!(b, b'\r' | b'\n' | 3 | 26 | 30)
        })
        .prop_map(|b| vec![b]);
    let sequence = prop::sample::select(vec![
        "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~", "\x1bb", "\x1bf",
        "\x1bd", "\x7f",
    ])
    .prop_map(|s: &str| s.as_bytes().to_vec());
    let piece = prop_oneof![4 => letters, 1 => other, 3 => control, 4 => sequence];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

struct Desk {
    editor: Editor,
    history: History,
    killed: Killed,
    screen: vt100::Parser,
}

fn desk() -> Desk {
    let mut history = History::new(10);
    history.add("show version");
    history.add("ip route 192.168.100.0 255.255.255.0 192.168.200.254 250");
    let mut editor = Editor::new(PROMPT, COLUMNS.into(), true);
    let rows = NonZero::new(200).unwrap();
    let mut screen = vt100::Parser::new(rows, NonZero::new(COLUMNS).unwrap(), 0);
    let mut out = String::new();
    editor.paint(&mut out);
    screen.process(out.as_bytes());
    Desk {
        editor,
        history,
        killed: Killed::default(),
        screen,
    }
}

impl Desk {
    fn type_in(&mut self, bytes: &[u8]) -> Result<(), TestCaseError> {
        let mut decoder = Decoder::default();
        let mut keys = VecDeque::new();
        for &byte in bytes {
            decoder.push(byte, &mut keys);
        }
        for key in keys {
            let mut out = String::new();
            let step = self
                .editor
                .key(key, &mut self.history, &mut self.killed, &mut out);
            if step != Step::Edit {
                prop_assert!(out.is_empty());
                continue;
            }
            let clean = |c: char| !c.is_control() || matches!(c, '\u{8}' | '\r' | '\n');
            prop_assert!(out.chars().all(clean), "{key:?} sent {out:?}");
            self.screen.process(out.as_bytes());
            self.check()?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let screen = self.screen.screen();
        let (row, column) = screen.cursor_position();
        let shown = screen.rows(0, COLUMNS).nth(row.into()).unwrap_or_default();
        let shown = shown.strip_prefix(PROMPT).unwrap_or("no prompt").trim_end();
        let line = self.editor.text();
        let width = |text: &str| unicode_width::UnicodeWidthStr::width(text);
        let at = usize::from(column) - PROMPT.len();
        if width(line) <= ROOM {
            prop_assert_eq!(shown, line.trim_end());
            prop_assert_eq!(at, width(self.editor.before_cursor()));
        } else {
            prop_assert!(
                width(shown) <= ROOM && shown.contains('$'),
                "{shown:?} of {line:?}"
            );
            prop_assert!(at <= ROOM);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_screen_shows_the_line(bytes in typed()) {
        desk().type_in(&bytes)?;
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let bytes: Vec<u8> = bytes.into_iter().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
        let mut decoder = Decoder::default();
        let mut keys = VecDeque::new();
        bytes.iter().for_each(|&byte| decoder.push(byte, &mut keys));
        let (mut desk, mut out) = (desk(), String::new());
        for key in keys {
            desk.editor.key(key, &mut desk.history, &mut desk.killed, &mut out);
        }
        prop_assert!(!out.contains('\x1b'));
    }
}

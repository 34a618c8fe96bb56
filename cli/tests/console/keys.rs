//! Any keys at all: the screen always shows the line that the editor holds. Like `fuzz.rs`, but with keys that make sense
//! together, and with the smallest input that fails.

use proptest::prelude::*;

use crate::line_reader;

fn typed() -> impl Strategy<Value = Vec<u8>> {
    let letters = "[ -~]{1,12}".prop_map(String::into_bytes);
    let other = prop_oneof!["é", "漢", "я", "\u{301}"].prop_map(String::into_bytes);
    let control = (1u8..32).prop_map(|b| vec![b]);
    let sequence = prop::sample::select(vec![
        "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D", "\x1b[H", "\x1b[F", "\x1b[3~", "\x1bb", "\x1bf",
        "\x1bd", "\x1b<", "\x1b>", "\x7f",
    ])
    .prop_map(|s: &str| s.as_bytes().to_vec());
    let piece = prop_oneof![4 => letters, 1 => other, 3 => control, 4 => sequence];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_screen_shows_the_line(bytes in typed()) {
        line_reader::line_reader(&bytes);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        line_reader::line_reader(&bytes);
    }
}

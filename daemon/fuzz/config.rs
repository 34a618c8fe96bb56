//! The `config` fuzz target: any bytes as a startup-config. Loading never panics; what is printed loads again to the same
//! text; and a line that was not understood is in it, unless lines of the file take others away. Shared with `tests/fuzz.rs`.

use isthmusd::config::{Problem, load, load::lines, render};

/// Loads a file of these bytes, prints it, and loads what was printed.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (running, problems) = load(&text, "FILE");
    let printed = render::text(&running);
    let (again, _) = load(&printed, "FILE");
    let printed_again = render::text(&again);
    // A banner without its end gets one, and so is a banner from then on; a line refused for what came too late in the
    // file is obeyed once that is printed before it.
    let changes = |what: &str| what.contains("banner") || what.contains("not obeyed");
    // Of several lines that give an interface its address, or its list, the last one counts, and they are printed in
    // another order.
    let one_of_a_kind = |line: &str| line.trim_start().starts_with("ip a");
    let changes = |problem: &Problem| changes(&problem.what) || one_of_a_kind(&problem.text);
    if !problems.iter().any(changes) {
        assert_eq!(
            without_marks(&printed),
            without_marks(&printed_again),
            "\nloaded from:\n{text}"
        );
    }
    let (third, _) = load(&printed_again, "FILE");
    assert_eq!(
        printed_again,
        render::text(&third),
        "\nloaded from:\n{printed}"
    );
    let lines: Vec<&str> = lines(&text).collect();
    if lines.iter().any(|line| removes(line)) {
        return;
    }
    for problem in problems
        .iter()
        .filter(|problem| problem.what.contains("kept"))
    {
        let line = lines[problem.line - 1]
            .trim_start_matches('\u{feff}')
            .trim();
        if one_of_a_kind(line) {
            continue;
        }
        assert!(
            printed
                .lines()
                .any(|kept| without_lead(kept.trim()) == without_lead(line)),
            "lost: {line:?} ({}) of\n{text}\nin\n{printed}",
            problem.what
        );
    }
}

/// A line of a numbered access-list is printed with its first words in full.
fn without_lead(line: &str) -> &str {
    let mut words = line.split_whitespace();
    let (keyword, number) = (words.next(), words.next());
    let is_list = keyword.is_some_and(|word| {
        word.len() > 1 && "access-list".starts_with(&word.to_ascii_lowercase())
    });
    let number = number.filter(|word| word.bytes().all(|octet| octet.is_ascii_digit()));
    match number.filter(|_| is_list) {
        Some(number) => without_number(line.split_once(number).map_or("", |(_, rest)| rest.trim())),
        None => without_number(line),
    }
}

/// Lines of an access-list are printed with numbers where those tell something.
fn without_number(line: &str) -> &str {
    match line.split_once(char::is_whitespace) {
        Some((number, rest)) if number.bytes().all(|octet| octet.is_ascii_digit()) => rest.trim(),
        _ => line,
    }
}

/// `no ...` and `default ...`: what they remove goes with all that is kept in it.
fn removes(line: &str) -> bool {
    let word = line
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    !word.is_empty()
        && ["no", "default"]
            .iter()
            .any(|whole| whole.starts_with(&word))
}

/// Without the `!` between the blocks: how lines that nobody understood are grouped is not kept.
fn without_marks(text: &str) -> Vec<&str> {
    text.lines().filter(|line| *line != "!").collect()
}

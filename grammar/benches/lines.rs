//! What one line costs: spelled out (loading files), typed short, `?`, rendering; and a whole file of
//! 1,000 and 10,000 crypto map entries. `cargo bench -p isthmus-grammar`.

use std::fmt::Write;

use divan::Bencher;
use isthmus_grammar::command::{Command, ConfigLine};
use isthmus_grammar::help::help;
use isthmus_grammar::parser::parse;
use isthmus_grammar::render::render;
use isthmus_grammar::{Mode, walk};

fn main() {
    divan::main();
}

/// A mode, the line spelled out, and as an engineer types it.
const LINES: &[(Mode, &str, &str)] = &[
    (
        Mode::Config,
        "crypto map M 10 ipsec-isakmp",
        "cr map M 10 ipsec-i",
    ),
    (
        Mode::Config,
        "access-list 110 permit ip 10.0.0.0 0.0.0.255 10.1.0.0 0.0.0.255",
        "acc 110 per ip 10.0.0.0 0.0.0.255 10.1.0.0 0.0.0.255",
    ),
    (
        Mode::Config,
        "crypto isakmp key secret address 192.0.2.1",
        "cr isa k secret add 192.0.2.1",
    ),
    (Mode::Config, "ip access-list extended VPN", "ip acc e VPN"),
    (
        Mode::ExtendedAcl,
        "permit ip 10.0.0.0 0.0.0.255 10.1.0.0 0.0.0.255",
        "per ip 10.0.0.0 0.0.0.255 10.1.0.0 0.0.0.255",
    ),
    (
        Mode::ExtendedAcl,
        "crypto map M 10 ipsec-isakmp",
        "cr map M 10 ipsec-i",
    ),
    (Mode::CryptoMap, "set peer 192.0.2.1", "se pe 192.0.2.1"),
    (Mode::CryptoMap, "set transform-set TS", "se tr TS"),
    (
        Mode::Exec,
        "show crypto ipsec sa peer 192.0.2.1 detail",
        "sh cry ips sa pe 192.0.2.1 det",
    ),
];

#[divan::bench(args = LINES)]
fn spelled_out(bencher: Bencher, (mode, line, _): &(Mode, &str, &str)) {
    bencher.bench(|| parse(*mode, divan::black_box(line)));
}

#[divan::bench(args = LINES)]
fn expand_short(bencher: Bencher, (mode, _, short): &(Mode, &str, &str)) {
    bencher.bench(|| walk::expand(*mode, divan::black_box(short)));
}

#[divan::bench(args = LINES)]
fn expand_and_parse_short(bencher: Bencher, (mode, _, short): &(Mode, &str, &str)) {
    bencher.bench(|| parse(*mode, divan::black_box(short)));
}

#[divan::bench(args = ["", "crypto ", "access-list 110 permit tcp any any eq "])]
fn question_mark(bencher: Bencher, line: &str) {
    bencher.bench(|| help(Mode::Config, divan::black_box(line)));
}

/// Six lines for each entry, as running-config prints them.
fn file(entries: usize) -> String {
    let mut text = String::new();
    for entry in 1..=entries {
        let (high, low) = (entry / 256, entry % 256);
        let _ = write!(
            text,
            "ip access-list extended VPN{entry}\n permit ip 10.{high}.{low}.0 0.0.0.255 172.16.0.0 0.15.255.255\n\
             crypto isakmp key secret{entry} address 192.{high}.{low}.1   \n\
             crypto map M {entry} ipsec-isakmp \n set peer 192.{high}.{low}.1\n set transform-set TS \n match address VPN{entry}\n"
        );
    }
    text
}

fn load(text: &str) -> Vec<ConfigLine> {
    let mut mode = Mode::Config;
    let mut lines = Vec::new();
    for line in text.lines() {
        let parsed = parse(mode, line).expect("the file is sound");
        if let Command::Config(config) = parsed.command {
            mode = config.enters().unwrap_or(mode);
            lines.push(config);
        }
    }
    lines
}

#[divan::bench(args = [1_000, 10_000], sample_count = 5)]
fn load_entries(bencher: Bencher, entries: usize) {
    bencher
        .with_inputs(|| file(entries))
        .bench_values(|text| load(&text));
}

#[divan::bench(args = [1_000, 10_000], sample_count = 5)]
fn render_entries(bencher: Bencher, entries: usize) {
    bencher
        .with_inputs(|| load(&file(entries)))
        .bench_values(|lines| lines.iter().map(render).collect::<Vec<_>>());
}

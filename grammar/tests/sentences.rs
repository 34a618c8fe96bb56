//! Every sentence of the grammar: spelled out and shortened, expanded, parsed, built, rendered, compared.

mod common;

use common::{Grammar, Token, spelled};
use isthmus_grammar::command::Command;
use isthmus_grammar::parser::parse;
use isthmus_grammar::render::render;
use isthmus_grammar::{Mode, Refusal, walk};

fn each_sentence(mut check: impl FnMut(Mode, &[Token], &str)) {
    let grammar = Grammar::load();
    for mode in Mode::ALL {
        let sentences = grammar.sentences(*mode);
        assert!(
            sentences.len() >= 10,
            "{mode:?} has only {} sentences",
            sentences.len()
        );
        for sentence in sentences {
            check(*mode, &sentence, &spelled(&sentence));
        }
    }
}

#[test]
fn spelled_out_sentences_expand_to_themselves() {
    each_sentence(|mode, _, line| {
        let expanded =
            walk::expand(mode, line).unwrap_or_else(|refusal| panic!("{mode:?} {line}: {refusal}"));
        assert_eq!((expanded.table, expanded.line.as_str()), (mode, line));
    });
}

#[test]
fn every_sentence_is_a_command() {
    each_sentence(|mode, _, line| {
        parse(mode, line).unwrap_or_else(|refusal| panic!("{mode:?} {line}: {refusal}"));
    });
}

#[test]
fn shortened_sentences_mean_the_same() {
    each_sentence(|mode, sentence, line| {
        let short = shorten(mode, sentence);
        assert_eq!(
            parse(mode, &short),
            parse(mode, line),
            "{mode:?} {line}: {short}"
        );
        let messy = format!("  {}\t \r", short.to_uppercase_keywords(sentence));
        assert_eq!(
            parse(mode, &messy),
            parse(mode, line),
            "{mode:?} {line}: {messy}"
        );
    });
}

/// Each keyword cut to the fewest letters that still expand to the sentence.
fn shorten(mode: Mode, sentence: &[Token]) -> String {
    let mut tokens = sentence.to_vec();
    for index in 0..tokens.len() {
        if !tokens[index].shortens {
            continue;
        }
        let whole = tokens[index].text.clone();
        let fits = (1..=whole.len()).find(|length| {
            tokens[index].text = whole[..*length].to_owned();
            walk::expand(mode, &spelled(&tokens))
                .is_ok_and(|expanded| expanded.line == spelled(sentence))
        });
        let length = fits
            .unwrap_or_else(|| panic!("{mode:?} {}: {whole} cannot be spelled", spelled(sentence)));
        tokens[index].text = whole[..length].to_owned();
    }
    spelled(&tokens)
}

trait Shout {
    fn to_uppercase_keywords(&self, sentence: &[Token]) -> String;
}

impl Shout for str {
    /// Capital keywords, two blanks or a tab between words; arguments as they are.
    fn to_uppercase_keywords(&self, sentence: &[Token]) -> String {
        let mut rest = self;
        let mut shouted = String::new();
        for (index, token) in sentence.iter().enumerate() {
            let end = if token.shortens {
                rest.find(' ').unwrap_or(rest.len())
            } else {
                token.text.len()
            };
            let text = &rest[..end];
            shouted.push_str(&if token.shortens {
                text.to_uppercase()
            } else {
                text.to_owned()
            });
            shouted.push_str(if index % 2 == 0 { "  " } else { "\t" });
            rest = rest[end..].trim_start();
        }
        shouted
    }
}

#[test]
fn rendered_lines_parse_to_the_same_command() {
    each_sentence(|mode, _, line| {
        let parsed = parse(mode, line).expect("checked by the other tests");
        let Command::Config(config) = &parsed.command else {
            return;
        };
        let rendered = render(config);
        assert_eq!(
            parse(mode, &rendered).as_ref(),
            Ok(&parsed),
            "{mode:?} {line}: {rendered:?}"
        );
        let again = parse(mode, &rendered).map(|parsed| match parsed.command {
            Command::Config(config) => render(&config),
            other => panic!("{other:?}"),
        });
        assert_eq!(again, Ok(rendered));
    });
}

#[test]
fn sentences_cover_every_rule() {
    let grammar = Grammar::load();
    let lines: Vec<String> = Mode::ALL
        .iter()
        .flat_map(|mode| grammar.sentences(*mode))
        .map(|sentence| spelled(&sentence))
        .collect();
    for rule in &grammar.rules {
        if let Some(word) = common::literal(rule) {
            assert!(
                lines
                    .iter()
                    .any(|line| line.split(' ').any(|token| token == word)),
                "no sentence has {}",
                rule.name
            );
        }
    }
}

/// One past either end of every range is refused, at the number's first digit.
#[test]
fn numbers_out_of_range_are_refused() {
    let mut checked = 0;
    each_sentence(|mode, sentence, _| {
        for (index, token) in sentence.iter().enumerate() {
            let Some(wrong) = token.beyond.clone() else {
                continue;
            };
            let mut tokens = sentence.to_vec();
            tokens[index].text = wrong;
            let line = spelled(&tokens);
            let column = spelled(&tokens[..index]).len() + usize::from(index > 0);
            let refused = Err(Refusal::Invalid { column });
            if walk::expand(mode, &spelled(&tokens[..=index])) != refused {
                // Another argument of the same place takes it: list 100 is no standard list, but an extended one.
                continue;
            }
            assert_eq!(walk::expand(mode, &line), refused, "{mode:?} {line}");
            assert_eq!(
                parse(mode, &line),
                Err(Refusal::Invalid { column }),
                "{mode:?} {line}"
            );
            checked += 1;
        }
    });
    assert!(checked > 200, "only {checked} numbers");
}

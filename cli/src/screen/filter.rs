//! Output filters: `show ... | include RE` and its kin. The grammar reads them; the text of the
//! command runs through [`Filter`] line by line, here in the console: the daemon sees only those that write to a file of
//! its own (`flash:`) or of another host.
//! Made by [`crate::lang`], driven by [`super::Stream`].

use std::fs::{File, OpenOptions};
use std::io::Write;

use isthmus_grammar::command::{Filter as Parsed, FilterKind};
use regex::Regex;

use super::regex::compile;

enum Action {
    Include(Regex),
    Exclude(Regex),
    Begin {
        regex: Regex,
        found: bool,
    },
    Count {
        regex: Regex,
        lines: u64,
    },
    Section {
        regex: Regex,
        invert: bool,
        state: Sections,
    },
    Write {
        file: File,
        show: bool,
    },
}

/// A filter with its state.
pub struct Filter {
    action: Action,
    error: Option<String>,
}

impl Filter {
    /// A filter as the grammar read it; opens its file if it has one.
    ///
    /// # Errors
    /// The finished message: what is wrong with the expression or the file.
    pub fn new(filter: &Parsed) -> Result<Self, String> {
        let argument = &filter.argument;
        let regex = || compile(argument);
        let action = match filter.kind {
            FilterKind::Include => Action::Include(regex()?),
            FilterKind::Exclude => Action::Exclude(regex()?),
            FilterKind::Begin => Action::Begin {
                regex: regex()?,
                found: false,
            },
            FilterKind::Count => Action::Count {
                regex: regex()?,
                lines: 0,
            },
            FilterKind::Section => section(argument)?,
            FilterKind::Append | FilterKind::Redirect | FilterKind::Tee => write(filter)?,
        };
        Ok(Self {
            action,
            error: None,
        })
    }

    /// One line without its line end; gives what is to be shown, each again without line end.
    pub fn line(&mut self, line: &str, mut show: impl FnMut(&str)) {
        match &mut self.action {
            Action::Include(regex) if regex.is_match(line) => show(line),
            Action::Exclude(regex) if !regex.is_match(line) => show(line),
            Action::Include(_) | Action::Exclude(_) => {}
            Action::Begin { regex, found } => {
                *found = *found || regex.is_match(line);
                if *found {
                    show(line);
                }
            }
            Action::Count { regex, lines } => *lines += u64::from(regex.is_match(line)),
            Action::Section {
                regex,
                invert: false,
                state,
            } => state.include(line, |l| regex.is_match(l), &mut show),
            Action::Section { regex, state, .. } => {
                state.exclude(line, |l| regex.is_match(l), &mut show);
            }
            Action::Write { file, show: also } => {
                if self.error.is_none()
                    && let Err(e) = writeln!(file, "{line}")
                {
                    self.error = Some(format!("% Cannot write the file: {e}"));
                }
                if *also {
                    show(line);
                }
            }
        }
    }

    /// The end of the output: what the filter has left to say.
    pub fn finish(&mut self) -> Option<String> {
        match &mut self.action {
            Action::Count { lines, .. } => {
                Some(format!("Number of lines which match regexp = {lines}"))
            }
            Action::Write { file, .. } => {
                let synced = file.sync_all();
                self.error.take().or_else(|| {
                    synced
                        .err()
                        .map(|e| format!("% Cannot write the file: {e}"))
                })
            }
            _ => None,
        }
    }
}

/// The blocks of a configuration, by indentation.
#[derive(Default)]
struct Sections {
    /// The lines above the present one that are less indented, and whether they were shown.
    parents: Vec<(usize, String, bool)>,
    /// Indentation of the line that matched: its followers share its fate.
    open: Option<usize>,
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

impl Sections {
    /// Shows a line that matches, what is indented below it, and the lines it is indented below itself.
    fn include(&mut self, line: &str, matches: impl Fn(&str) -> bool, show: &mut impl FnMut(&str)) {
        let indent = indent(line);
        while self.parents.last().is_some_and(|p| p.0 >= indent) {
            self.parents.pop();
        }
        if self.open.is_some_and(|open| indent <= open) {
            self.open = None;
        }
        let matched = self.open.is_none() && !line.is_empty() && matches(line);
        if matched {
            for parent in self.parents.iter_mut().filter(|p| !p.2) {
                show(&parent.1);
                parent.2 = true;
            }
            self.open = Some(indent);
        }
        let shown = self.open.is_some();
        if shown {
            show(line);
        }
        self.parents.push((indent, line.to_owned(), shown));
    }

    /// Shows everything but the lines that match and what is indented below them.
    fn exclude(&mut self, line: &str, matches: impl Fn(&str) -> bool, show: &mut impl FnMut(&str)) {
        let indent = indent(line);
        if self.open.is_some_and(|open| indent <= open) {
            self.open = None;
        }
        if self.open.is_none() && matches(line) {
            self.open = Some(indent);
        }
        if self.open.is_none() {
            show(line);
        }
    }
}

fn section(argument: &str) -> Result<Action, String> {
    let (pattern, invert) = match argument.split_once(' ') {
        Some(("include", pattern)) => (pattern, false),
        Some(("exclude", pattern)) => (pattern, true),
        _ => (argument, false),
    };
    Ok(Action::Section {
        regex: compile(pattern)?,
        invert,
        state: Sections::default(),
    })
}

fn write(filter: &Parsed) -> Result<Action, String> {
    let argument = &filter.argument;
    let unknown = || format!("%Error opening {argument} (not a file of this machine)");
    let file = filter.file().ok_or_else(unknown)?;
    Ok(Action::Write {
        file: open(file.path().ok_or_else(unknown)?, file.append)?,
        show: file.show,
    })
}

/// Opens a file with the operator's own rights, mode 0600: a configuration holds keys.
fn open(path: &str, append: bool) -> Result<File, String> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    options.create(true).mode(0o600);
    if append {
        options.append(true);
    } else {
        options.write(true).truncate(true);
    }
    options
        .open(path)
        .map_err(|e| format!("%Error opening {path} ({e})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
hostname R1
!
crypto isakmp policy 10
 encr aes 256
 group 14
!
interface eth0
 ip address 10.0.0.1 255.255.255.0
 crypto map M
!
interface eth1
 no ip address
!
end";

    fn filter(words: &str) -> Result<Filter, String> {
        let (word, argument) = words.split_once(' ').unwrap();
        Filter::new(&Parsed {
            kind: FilterKind::from_word(word).unwrap(),
            argument: argument.to_owned(),
        })
    }

    fn run(words: &str, text: &str) -> Vec<String> {
        let mut filter = filter(words).unwrap();
        let mut shown = Vec::new();
        for line in text.lines() {
            filter.line(line, |l| shown.push(l.to_owned()));
        }
        shown.extend(filter.finish());
        shown
    }

    #[test]
    fn the_line_filters() {
        assert_eq!(
            run("include ^interface|crypto map", CONFIG),
            ["interface eth0", " crypto map M", "interface eth1"]
        );
        assert_eq!(run("include end", CONFIG), ["end"]);
        assert_eq!(run("exclude [a-z0-9]", CONFIG), ["!", "!", "!", "!"]);
        assert_eq!(
            run("begin eth1", CONFIG),
            ["interface eth1", " no ip address", "!", "end"]
        );
        assert_eq!(
            run("count ^!", CONFIG),
            ["Number of lines which match regexp = 4"]
        );
        assert_eq!(run("include policy ", "policy 1\npolicy"), ["policy 1"]);
    }

    #[test]
    fn section_shows_blocks_and_parents() {
        assert_eq!(
            run("section ^interface", CONFIG),
            [
                "interface eth0",
                " ip address 10.0.0.1 255.255.255.0",
                " crypto map M",
                "interface eth1",
                " no ip address"
            ]
        );
        assert_eq!(
            run("section group", CONFIG),
            ["crypto isakmp policy 10", " group 14"]
        );
        assert_eq!(
            run("section include crypto map", CONFIG),
            ["interface eth0", " crypto map M"]
        );
        assert_eq!(
            run("section exclude eth|addr|map|^!", CONFIG),
            [
                "hostname R1",
                "crypto isakmp policy 10",
                " encr aes 256",
                " group 14",
                "end"
            ]
        );
    }

    #[test]
    fn section_prints_a_parent_once_and_deep_followers() {
        let text =
            "vpdn-group 1\n accept-dialin\n  protocol l2tp\n  virtual-template 1\n l2tp tunnel x\n";
        assert_eq!(
            run("section protocol|virtual", text),
            [
                "vpdn-group 1",
                " accept-dialin",
                "  protocol l2tp",
                "  virtual-template 1"
            ]
        );
        assert_eq!(
            run("section accept", text),
            [
                "vpdn-group 1",
                " accept-dialin",
                "  protocol l2tp",
                "  virtual-template 1"
            ]
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (words, part) in [
            ("include (x", "(x"),
            ("redirect tftp://h/f", "tftp://h/f"),
            ("redirect /no/such/dir/f", "%Error opening /no/such/dir/f"),
        ] {
            let message = filter(words).err().unwrap();
            assert!(
                message.starts_with('%') && message.contains(part),
                "{message}"
            );
        }
    }

    #[test]
    fn files_take_the_output() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let target = path.display();
        assert!(run(&format!("redirect {target}"), "a\nb\n").is_empty());
        assert!(run(&format!("append file:{target}"), "c\n").is_empty());
        assert_eq!(run(&format!("tee /append {target}"), "d\n"), ["d"]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a\nb\nc\nd\n");
        assert_eq!(run(&format!("tee {target}"), "e\n"), ["e"]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "e\n");
    }
}

//! What two configurations do not have in common, line by line and in context: `show archive config differences`,
//! `incremental-diffs` and the list of `configure replace`. `show/difference.rs` prints it.
//!
//! Works on text, so that any file can be compared. Comments, headers and `end` do not count; a line is the same only
//! below the same line; the order counts inside access-lists and among the peers of a map entry, nowhere else.

use std::collections::{HashMap, VecDeque};

use isthmus_grammar::banner::printed_banner_start;
use isthmus_grammar::file::is_screen_header;
use schemars::JsonSchema;
use serde::Serialize;

use super::{hide, render};

/// A configuration as blocks within blocks.
#[derive(Debug, Default)]
pub struct Outline {
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    /// As it is printed, without indentation; a banner with all its lines.
    text: String,
    /// As it is compared.
    key: String,
    below: Vec<Line>,
}

/// What makes the second of two configurations of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Only the second has the line.
    Added,
    /// Only the first has it.
    Removed,
}

/// A line that one of two configurations has and the other has not.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Difference {
    /// Which one has it.
    pub operation: Operation,
    /// The lines that it stands below, the outermost first.
    pub section: Vec<String>,
    /// Its words; a banner with its line ends.
    pub line: String,
}

/// Takes the secrets out of the lines and of those that they stand below. They stay different.
pub fn hide_secrets(differences: &mut [Difference]) {
    for Difference { section, line, .. } in differences {
        hide::nested(section.iter_mut().chain([line]));
    }
}

impl Line {
    /// Visits the line and everything below it, with the lines above each.
    fn each(&self, section: &mut Vec<String>, visit: &mut impl FnMut(&[String], &str)) {
        visit(section, &self.text);
        section.push(self.text.clone());
        for below in &self.below {
            below.each(section, visit);
        }
        section.pop();
    }
}

impl Outline {
    /// Reads a configuration; with `ignorecase` upper and lower case are the same.
    #[must_use]
    pub fn read(text: &str, ignorecase: bool) -> Outline {
        let mut source = text.lines();
        let mut open: Vec<(usize, Line)> = Vec::new();
        let mut outline = Outline::default();
        while let Some(raw) = source.next() {
            let raw = raw.trim_end();
            let text = raw.trim_start();
            let indent = raw.len() - text.len();
            let empty = text.is_empty() || text.starts_with('!') || (indent == 0 && text == "end");
            if empty || is_screen_header(text) {
                continue;
            }
            let mut text = text.to_owned();
            if let Some(delimiter) = printed_banner_start(&text) {
                for more in source.by_ref() {
                    text.push('\n');
                    text.push_str(more.trim_end_matches('\r'));
                    if delimiter.ends(more) {
                        break;
                    }
                }
            }
            outline.close(&mut open, indent);
            let key = match ignorecase {
                true => text.to_lowercase(),
                false => text.clone(),
            };
            let below = Vec::new();
            open.push((indent, Line { text, key, below }));
        }
        outline.close(&mut open, 0);
        outline
    }

    /// Puts the open lines that are not less indented into the line above them.
    fn close(&mut self, open: &mut Vec<(usize, Line)>, indent: usize) {
        while let Some((_, line)) = open.pop_if(|(depth, _)| *depth >= indent) {
            match open.last_mut() {
                Some((_, above)) => above.below.push(line),
                None => self.lines.push(line),
            }
        }
    }
}

/// What only the second has, then what only the first has.
#[must_use]
pub fn contextual(first: &Outline, second: &Outline) -> Vec<Difference> {
    let added = missing(&second.lines, &first.lines, Operation::Added);
    let removed = missing(&first.lines, &second.lines, Operation::Removed);
    let both = added.iter().chain(&removed);
    both.flat_map(Missing::lines).collect()
}

/// What a file would add to a configuration. A `no` line adds nothing where there is nothing to remove.
#[must_use]
pub fn incremental(file: &Outline, present: &Outline) -> Vec<Difference> {
    additions(file, present).collect()
}

/// The commands that lead from one configuration to another: `no` for what goes, then what comes.
#[must_use]
pub fn transition(from: &Outline, to: &Outline) -> Vec<Difference> {
    let removed = missing(&from.lines, &to.lines, Operation::Removed);
    let back = removed.iter().map(Missing::taken_back);
    back.chain(additions(to, from)).collect()
}

fn additions(file: &Outline, present: &Outline) -> impl Iterator<Item = Difference> {
    let mut added = missing(&file.lines, &present.lines, Operation::Added);
    added.retain(|one| !takes_nothing_back(one.line, &present.lines) || one.is_setting());
    added.into_iter().flat_map(|one| one.lines())
}

/// A line of one configuration that the other lacks, while it has the line above.
struct Missing<'a> {
    above: Vec<&'a str>,
    line: &'a Line,
    operation: Operation,
}

impl Missing<'_> {
    /// The line and what is below it.
    fn lines(&self) -> Vec<Difference> {
        let mut section: Vec<String> = self.above.iter().map(ToString::to_string).collect();
        let mut list = Vec::new();
        self.line.each(&mut section, &mut |section, line| {
            list.push(Difference {
                operation: self.operation,
                section: section.to_vec(),
                line: line.to_owned(),
            });
        });
        list
    }

    /// A line with `no` that says something where nothing else does: the configuration of a router has it, such as
    /// `no crypto isakmp enable`.
    fn is_setting(&self) -> bool {
        let indent = |(depth, line): (usize, &&str)| format!("{:depth$}{line}\n", "");
        let above: String = self.above.iter().enumerate().map(indent).collect();
        let whole = above.clone() + &indent((self.above.len(), &self.line.text.as_str()));
        let load = |text: &str| super::load(text, "");
        let printed = |running| render::body(running, &render::Options::default());
        let ((before, refused), (after, also)) = (load(&above), load(&whole));
        refused.len() == also.len() && printed(&before) != printed(&after)
    }

    /// The command that removes the line with all below it.
    fn taken_back(&self) -> Difference {
        let first = self.line.text.split('\n').next().unwrap_or_default();
        Difference {
            operation: self.operation,
            section: self.above.iter().map(ToString::to_string).collect(),
            line: match first.strip_prefix("no ") {
                Some(plain) => plain.to_owned(),
                None => format!("no {first}"),
            },
        }
    }
}

/// The lines of `here` that are missing in `there`; `operation` is how such a line is called.
fn missing<'a>(here: &'a [Line], there: &[Line], operation: Operation) -> Vec<Missing<'a>> {
    let mut found = Vec::new();
    walk(here, there, operation, &mut Vec::new(), &mut found);
    found
}

/// A `no` line for something that is nowhere in the configuration.
fn takes_nothing_back(line: &Line, present: &[Line]) -> bool {
    fn has(lines: &[Line], what: &str) -> bool {
        lines
            .iter()
            .any(|line| line.key.starts_with(what) || has(&line.below, what))
    }
    let plain = line.key.strip_prefix("no ");
    plain.is_some_and(|plain| !has(present, plain))
}

/// Finds them below the lines `above`.
fn walk<'a>(
    here: &'a [Line],
    there: &[Line],
    operation: Operation,
    above: &mut Vec<&'a str>,
    found: &mut Vec<Missing<'a>>,
) {
    let ordered = above
        .last()
        .is_some_and(|text| text.starts_with("ip access-list "));
    // Both sides must agree on which lines of a list have moved.
    let partners = match operation {
        Operation::Removed => partners(here, there, ordered),
        Operation::Added => {
            let mut partner = vec![None; here.len()];
            for (index, of) in partners(there, here, ordered).into_iter().enumerate() {
                if let Some(of) = of {
                    partner[of] = Some(index);
                }
            }
            partner
        }
    };
    for (line, partner) in here.iter().zip(partners) {
        match partner {
            Some(partner) => {
                above.push(&line.text);
                walk(&line.below, &there[partner].below, operation, above, found);
                above.pop();
            }
            None => found.push(Missing {
                above: above.clone(),
                line,
                operation,
            }),
        }
    }
}

/// Lines whose order among each other counts, besides those of a named list.
const ORDERED: [&str; 2] = ["access-list ", "set peer "];

/// For each line of `here` the same line of `there`, each of those once. Where the order counts, only as many as stand
/// in the same order in both.
fn partners(here: &[Line], there: &[Line], ordered: bool) -> Vec<Option<usize>> {
    let mut places: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for (index, line) in there.iter().enumerate() {
        places.entry(&line.key).or_default().push_back(index);
    }
    let mut partners: Vec<Option<usize>> = here
        .iter()
        .map(|line| places.get_mut(line.key.as_str())?.pop_front())
        .collect();
    let in_list = |line: &Line| ordered || ORDERED.iter().any(|words| line.key.starts_with(words));
    let listed: Vec<usize> = (0..here.len())
        .filter(|index| in_list(&here[*index]) && partners[*index].is_some())
        .collect();
    let order: Vec<usize> = listed.iter().filter_map(|index| partners[*index]).collect();
    let kept = longest_rising(&order);
    let mut kept = kept.into_iter().peekable();
    for (position, index) in listed.into_iter().enumerate() {
        if kept.next_if_eq(&position).is_none() {
            partners[index] = None;
        }
    }
    partners
}

/// The positions of a longest rising subsequence.
fn longest_rising(values: &[usize]) -> Vec<usize> {
    // For each length the position of the smallest last value, and for each position the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(values.len());
    for (position, value) in values.iter().enumerate() {
        let length = ends.partition_point(|end| values[*end] < *value);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = position,
            None => ends.push(position),
        }
    }
    let mut rising = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(position) = next {
        rising.push(position);
        next = before[position];
    }
    rising.reverse();
    rising
}

#[cfg(test)]
mod tests {
    use super::Outline;
    use crate::show::difference;

    const OLD: &str = "Building configuration...\n\nCurrent configuration : 99 bytes\n!\nversion 0.1\nhostname Test4\n\
        !\ninterface eth0\n ip address 10.0.0.1 255.255.255.0\n shutdown\n!\ninterface eth1\n no ip address\n!\n\
        vpdn-group 1\n accept-dialin\n  protocol l2tp\n!\narchive\n path bootflash:config\n maximum 14\n\
        access-list 101 permit ip any any\naccess-list 101 deny ip any host 10.1.1.1\n\
        banner motd ^C\none\ntwo^C\nend\n";
    const NEW: &str = "version 0.1\nhostname Router\n!\ninterface eth0\n ip address 10.0.0.2 255.255.255.0\n shutdown\n!\n\
        interface eth1\n no ip address\n!\nvpdn-group 1\n accept-dialin\n  protocol pptp\n!\n\
        access-list 101 deny ip any host 10.1.1.1\naccess-list 101 permit ip any any\n\
        banner motd ^C\none\nthree^C\nend\n";

    fn read(text: &str) -> Outline {
        Outline::read(text, false)
    }

    fn contextual(first: &Outline, second: &Outline) -> String {
        difference::contextual(&super::contextual(first, second))
    }

    fn incremental(file: &Outline, present: &Outline) -> String {
        difference::commands(&super::incremental(file, present))
    }

    fn transition(from: &Outline, to: &Outline) -> String {
        difference::commands(&super::transition(from, to))
    }

    #[test]
    fn differences_say_which_line_and_not_which_key() {
        let mut list = [super::Difference {
            operation: super::Operation::Added,
            section: vec!["crypto isakmp client configuration group G".into()],
            line: "key k3y".into(),
        }];
        super::hide_secrets(&mut list);
        assert_eq!(list[0].line, "key <removed>");
        assert_eq!(
            list[0].section,
            ["crypto isakmp client configuration group G"]
        );
    }

    #[test]
    fn additions_come_first_each_in_its_context() {
        assert_eq!(
            contextual(&read(OLD), &read(NEW)),
            "!Contextual Config Diffs:\n\
             +hostname Router\n\
             interface eth0\n \
              +ip address 10.0.0.2 255.255.255.0\n\
             vpdn-group 1\n \
              accept-dialin\n  \
               +protocol pptp\n\
             +access-list 101 permit ip any any\n\
             +banner motd ^C\n+one\n+three^C\n\
             -hostname Test4\n\
             interface eth0\n \
              -ip address 10.0.0.1 255.255.255.0\n\
             vpdn-group 1\n \
              accept-dialin\n  \
               -protocol l2tp\n\
             -archive\n \
              -path bootflash:config\n \
              -maximum 14\n\
             -access-list 101 permit ip any any\n\
             -banner motd ^C\n-one\n-two^C\n"
        );
    }

    #[test]
    fn the_same_is_the_same_and_case_may_be_ignored() {
        let same = "!Contextual Config Diffs:\n!No changes were found\n";
        assert_eq!(contextual(&read(OLD), &read(OLD)), same);
        let upper = OLD.replace("hostname", "HOSTNAME");
        assert_ne!(contextual(&read(OLD), &read(&upper)), same);
        let folded = (Outline::read(OLD, true), Outline::read(&upper, true));
        assert_eq!(contextual(&folded.0, &folded.1), same);
    }

    #[test]
    fn repeated_lines_are_counted() {
        let (one, two) = ("chain\n AA\n", "chain\n AA\n AA\n");
        assert_eq!(
            contextual(&read(one), &read(two)),
            "!Contextual Config Diffs:\nchain\n +AA\n"
        );
    }

    #[test]
    fn order_counts_inside_a_list() {
        let list =
            |lines: [&str; 3]| format!("ip access-list extended A\n {}\n", lines.join("\n "));
        let (one, two) = (list(["a", "b", "c"]), list(["b", "c", "a"]));
        assert_eq!(
            contextual(&read(&one), &read(&two)),
            "!Contextual Config Diffs:\nip access-list extended A\n +a\nip access-list extended A\n -a\n"
        );
        let block = |lines: [&str; 2]| format!("interface eth0\n {}\n", lines.join("\n "));
        assert!(
            contextual(&read(&block(["a", "b"])), &read(&block(["b", "a"])))
                .contains("!No changes")
        );
    }

    #[test]
    fn the_order_of_peers_counts() {
        let map = |peers: [&str; 3]| {
            format!(
                "crypto map M 10 ipsec-isakmp\n set peer {}\n set transform-set T\n",
                peers.join("\n set peer ")
            )
        };
        let (one, two) = (
            map(["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
            map(["192.0.2.2", "192.0.2.3", "192.0.2.1"]),
        );
        assert_eq!(
            transition(&read(&one), &read(&two)),
            "!List of Commands:\ncrypto map M 10 ipsec-isakmp\n no set peer 192.0.2.1\n\
             crypto map M 10 ipsec-isakmp\n set peer 192.0.2.1\nend\n"
        );
        assert!(contextual(&read(&one), &read(&two)).contains(" -set peer 192.0.2.1\n"));
    }

    #[test]
    fn what_is_switched_off_is_a_difference_though_nothing_says_that_it_is_on() {
        let off = "hostname R1\nno crypto isakmp enable\nno ip domain-lookup\nno logging console\n\
                   no ip route 1.1.1.1 255.255.255.255 Null0\nend\n";
        let on = "hostname R1\nend\n";
        assert_eq!(
            incremental(&read(off), &read(on)),
            "!List of Commands:\nno crypto isakmp enable\nno ip domain-lookup\nno logging console\nend\n"
        );
        assert_eq!(
            transition(&read(off), &read("hostname R1\nno logging console\nend\n")),
            "!List of Commands:\ncrypto isakmp enable\nip domain-lookup\nip route 1.1.1.1 255.255.255.255 Null0\nend\n"
        );
    }

    #[test]
    fn a_file_is_listed_by_what_it_would_add() {
        let file = "hostname Test4\ninterface eth0\n no description\n mtu 1400\n no shutdown\nno ip route 1.1.1.1 255.255.255.255\nend\n";
        assert_eq!(
            incremental(&read(file), &read(OLD)),
            "!List of Commands:\ninterface eth0\n mtu 1400\n no shutdown\nend\n"
        );
        assert_eq!(
            incremental(&read("version 0.1\nend\n"), &read(OLD)),
            "!List of Commands:\n!No changes were found\n"
        );
    }

    #[test]
    fn a_transition_takes_back_and_adds() {
        let (one, two) = (
            "interface eth0\n shutdown\n!\narchive\n path a\n",
            "interface eth0\n mtu 1400\n",
        );
        assert_eq!(
            transition(&read(one), &read(two)),
            "!List of Commands:\ninterface eth0\n no shutdown\nno archive\ninterface eth0\n mtu 1400\nend\n"
        );
    }
}

//! The running-config as text, in the form and the order of IOS: the inverse of loading it.
//!
//! Called by `show running-config`, `write` and `copy`. Every line is spelled by the grammar's renderer; here is only
//! which lines there are and in which order.

mod blocks;
mod globals;
mod logging;
mod login;

use isthmus_grammar::command::{
    AclCommand, AclEntry, Action, ConfigCommand, ConfigLine, Form, GlobalCommand, Section,
    StandardAclCommand, StandardAclEntry,
};
use isthmus_grammar::foreign::{leaves_block, opens_mode};
use isthmus_grammar::render as grammar_render;
use isthmus_grammar::{InterfaceName, Mode, parser};

use std::iter::Peekable;

use super::hide::{self, REMOVED};
use super::model::{Kept, KeptLine, Retained, RetainedEntry, Running, UnknownRule};
use super::rank;
use crate::clock::format::moment;

/// What to print.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Defaults too: `show running-config all`.
    pub all: bool,
    /// Without certificates: `show running-config brief`.
    pub brief: bool,
    /// Only this interface: `show running-config interface NAME`.
    pub interface: Option<InterfaceName>,
    /// `<removed>` instead of keys and passwords: for `show tech-support` and for operators below level 15.
    pub hide_secrets: bool,
}

/// The screen of `show running-config`: two header lines, then the configuration.
pub fn show(running: &Running, options: &Options) -> String {
    titled(&body(running, options))
}

/// A configuration with the two header lines.
pub fn titled(body: &str) -> String {
    let count = body.len();
    format!("Building configuration...\n\nCurrent configuration : {count} bytes\n!\n{body}\n")
}

/// The configuration that `show running-config` prints below its header.
pub fn body(running: &Running, options: &Options) -> String {
    let body = match &options.interface {
        None => whole(running, Page::new(options)),
        Some(name) => {
            let mut page = Page::new(options);
            blocks::interface(
                &mut page,
                name,
                running.interfaces.get(name).unwrap_or(&Default::default()),
            );
            page.finish()
        }
    };
    let body = match options.brief {
        true => without_certificates(&body),
        false => body,
    };
    body.trim_start_matches("!\n").to_owned()
}

/// Certificate chains keep their certificates' names and lose what is in them.
fn without_certificates(text: &str) -> String {
    let mut inside = false;
    let mut brief = String::with_capacity(text.len());
    for line in text.lines() {
        if !line.starts_with(' ') {
            inside = line.starts_with("crypto pki certificate chain ");
        }
        if !inside || !line.starts_with("  ") {
            brief.push_str(line);
            brief.push('\n');
        }
    }
    brief
}

/// The configuration as it is saved: comments about the last change, every line, `end`.
pub fn text(running: &Running) -> String {
    whole(running, Page::new(&Options::default()))
}

/// The screen of `show inactive-config`: the retained lines that do nothing in this release, each with the lines that
/// open the blocks it is in.
pub fn inactive(running: &Running, options: &Options) -> String {
    let mut page = Page::new(options);
    page.pending = Some(Vec::new());
    sections(running, &mut page);
    page.text
}

fn whole(running: &Running, mut page: Page) -> String {
    if let Some((at, by)) = &running.last_change {
        page.comment(&format!(
            "Last configuration change at {} by {by}",
            moment(at)
        ));
    }
    if let Some((at, by)) = &running.last_save {
        page.comment(&format!(
            "NVRAM config last updated at {} by {by}",
            moment(at)
        ));
    }
    sections(running, &mut page);
    page.finish()
}

fn sections(running: &Running, page: &mut Page) {
    let mut kept = running.kept.iter().peekable();
    let mut retained = running.retained.grouped().peekable();
    for section in Section::ALL.iter().copied() {
        globals::section(page, running, section);
        while let Some((_, entry)) = retained.next_if(|(group, _)| *group <= section as u8) {
            page.retained(entry, 0);
        }
        while let Some(line) = kept.next_if(|line| line.after <= section as u8) {
            page.kept_line(line, 0);
        }
    }
}

/// What stands before a line decides whether a `!` goes between: lines of one group stay together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Nothing,
    Comment,
    Section(Section),
    /// A block that stands alone, such as an interface.
    Alone,
    KeptLines,
}

/// The page being written.
struct Page {
    text: String,
    all: bool,
    hide_secrets: bool,
    last: Group,
    /// The indentation of the last line, where that opens a block.
    opened: Option<usize>,
    /// The mode in which a reader of the page is.
    mode: Mode,
    /// Only retained lines are written: the lines since the last one that may open the block of the next, each with its
    /// indentation.
    pending: Option<Vec<(usize, String)>>,
}

impl Page {
    fn new(options: &Options) -> Page {
        Page {
            text: String::new(),
            all: options.all,
            hide_secrets: options.hide_secrets,
            last: Group::Nothing,
            opened: None,
            mode: Mode::Config,
            pending: None,
        }
    }

    /// Starts a line or block of a group; puts a `!` before it unless the line before is of the same group.
    fn start(&mut self, group: Group) {
        if self.pending.is_none() && (self.last != group || group == Group::Alone) {
            self.text.push_str("!\n");
        }
        self.last = group;
    }

    fn comment(&mut self, text: &str) {
        self.start(Group::Comment);
        self.text.push_str("! ");
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A global line of its section.
    fn global(&mut self, form: Form, command: GlobalCommand) {
        let section = rank::section(&command);
        self.start(Group::Section(section));
        self.line(0, form, ConfigCommand::Global(command));
    }

    /// A global line that opens a block which stands alone.
    fn block(&mut self, command: GlobalCommand) {
        self.start(Group::Alone);
        self.line(0, Form::Set, ConfigCommand::Global(command));
    }

    /// A line that equals IOS's default: printed only with `all`.
    fn default(&mut self, is_default: bool, form: Form, command: GlobalCommand) {
        if !is_default || self.all {
            self.global(form, command);
        }
    }

    fn rendered(&self, line: &ConfigLine) -> String {
        match self.hide_secrets {
            true => grammar_render::without_secrets(line, REMOVED),
            false => grammar_render::render(line),
        }
    }

    fn line(&mut self, indent: usize, form: Form, command: ConfigCommand) {
        let deny = denies(&command);
        let command = ConfigLine { form, command };
        let mut line = self.rendered(&command);
        if deny {
            // IOS aligns deny with permit.
            line = line.replacen("deny ", "deny   ", 1);
        }
        match &mut self.pending {
            None => self.put(indent, &line),
            Some(pending) => {
                pending.retain(|(above, _)| *above < indent);
                pending.push((indent, line));
                if command.inactive().is_some() {
                    self.show_pending();
                }
            }
        }
        self.opened = command.enters().map(|_| indent);
        self.enter(indent, command.enters());
    }

    /// What a line does to the mode of a reader.
    fn enter(&mut self, indent: usize, inner: Option<Mode>) {
        match inner {
            Some(inner) => self.mode = inner,
            None if indent == 0 => self.mode = Mode::Config,
            None => {}
        }
    }

    /// Leaves the block before a line that stands beside it and that it would take.
    fn leave_for(&mut self, line: &str) {
        let takes = |mode| parser::parse(mode, line).is_ok();
        if self.pending.is_none() && !takes(Mode::Config) && takes(self.mode) {
            for _ in 0..self.mode.depth() {
                self.put(0, "exit");
            }
            self.mode = Mode::Config;
        }
    }

    fn put(&mut self, indent: usize, line: &str) {
        self.opened = None;
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The lines of a block: each known line with its place, and between them the retained and the kept ones.
    fn inside(&mut self, lines: Vec<Inside>, retained: &Retained, kept: &Kept) {
        let mut retained = retained.grouped().peekable();
        let mut kept = kept.iter().peekable();
        for line in lines {
            let rank = rank::rank(&line.command);
            self.others(&mut retained, &mut kept, Some(rank));
            if line.wanted || self.all {
                self.line(1, line.form, line.command);
            }
        }
        self.others(&mut retained, &mut kept, None);
    }

    /// The retained and the kept lines of the ranks before `rank`; all that are left without one.
    fn others<'a>(
        &mut self,
        retained: &mut Peekable<impl Iterator<Item = (u8, &'a RetainedEntry)>>,
        kept: &mut Peekable<impl Iterator<Item = &'a KeptLine>>,
        rank: Option<u8>,
    ) {
        let before = |other: u8| rank.is_none_or(|rank| other < rank);
        loop {
            let next = retained.peek().map(|(group, _)| *group);
            let stop = next.unwrap_or(u8::MAX);
            if let Some(line) = kept.next_if(|line| line.after < stop && before(line.after)) {
                self.kept_line(line, 1);
            } else if let Some((_, entry)) = retained.next_if(|(group, _)| before(*group)) {
                self.retained(entry, 1);
            } else if let Some(line) = kept.next_if(|line| before(line.after)) {
                self.kept_line(line, 1);
            } else {
                break;
            }
        }
    }

    /// What has just been written does nothing in this release, or not all that it says: it is listed with what it stands
    /// in.
    fn show_pending(&mut self) {
        let Some(pending) = &mut self.pending else {
            return;
        };
        for (indent, text) in std::mem::take(pending) {
            self.put(indent, &text);
        }
    }

    /// What comes now does nothing: it is listed with the blocks that it stands in.
    fn show_headers(&mut self, indent: usize) {
        if let Some(pending) = &mut self.pending {
            pending.retain(|(above, _)| *above < indent);
            self.show_pending();
        }
    }

    /// A retained line and the block that it opens.
    fn retained(&mut self, entry: &RetainedEntry, indent: usize) {
        let line = &entry.line;
        let inner = line.enters().filter(|_| entry.form == Form::Set);
        if indent == 0 {
            self.start(match inner {
                Some(_) => Group::Alone,
                None => Group::Section(line.section()),
            });
        }
        let text = self.retained_text(entry);
        match &mut self.pending {
            None => self.put(indent, &text),
            Some(pending) => {
                pending.retain(|(above, _)| *above < indent);
                pending.push((indent, text));
                if !line.holds(entry.form) {
                    self.show_pending();
                }
            }
        }
        self.enter(indent, inner);
        if let Some(inner) = inner {
            self.opened = Some(indent);
            self.retained_block(entry, inner);
        }
    }

    fn retained_text(&self, entry: &RetainedEntry) -> String {
        let command = ConfigCommand::Retained(Box::new(entry.line.clone()));
        let form = entry.form;
        self.rendered(&ConfigLine { form, command })
    }

    fn retained_block(&mut self, entry: &RetainedEntry, mode: Mode) {
        let indent = mode.indent();
        let mut kept = entry.kept.iter().peekable();
        for below in entry.block.iter() {
            let rank = rank::retained(&below.line);
            while let Some(line) = kept.next_if(|line| line.after < rank) {
                self.kept_line(line, indent);
            }
            self.retained(below, indent);
        }
        for line in kept {
            self.kept_line(line, indent);
        }
        if let (Some(closing), None) = (mode.closing(), &self.pending) {
            let indent = if mode.is_verbatim() {
                indent
            } else {
                indent - 1
            };
            self.put(indent, closing);
        }
    }

    fn kept_line(&mut self, line: &KeptLine, indent: usize) {
        self.show_headers(indent);
        if indent == 0 {
            // The next line must not be read as one of the mode that this one would open.
            let opens = opens_mode(Mode::Config, &line.text).or_else(|| leaves_block(&line.text));
            self.start(if line.below.is_empty() && opens.is_none() {
                Group::KeptLines
            } else {
                Group::Alone
            });
        }
        // Beside an empty block, not in it.
        if self.opened == Some(indent) && self.pending.is_none() {
            self.put(indent + 1, "exit");
        }
        if indent == 0 {
            self.leave_for(&line.text);
        }
        self.put_kept(indent, std::iter::once(&line.text).chain(&line.below));
    }

    /// A line that was not understood with those below it.
    fn put_kept<'a>(&mut self, indent: usize, lines: impl Iterator<Item = &'a String>) {
        if self.hide_secrets {
            for text in hide::unknown(lines) {
                self.put(indent, &text);
            }
        } else {
            lines.for_each(|text| self.put(indent, text));
        }
    }

    /// A line of an access-list that is not understood, as it was typed after `lead`.
    fn unknown_rule(&mut self, indent: usize, lead: &str, line: &UnknownRule) {
        self.show_headers(indent);
        if indent == 0 {
            self.start(Group::Section(Section::NumberedLists));
        }
        let first = format!("{lead}{}", line.text);
        self.put_kept(indent, std::iter::once(&first).chain(&line.below));
    }

    fn finish(mut self) -> String {
        self.text.push_str("!\nend\n");
        self.text
    }
}

/// One known line of a block.
struct Inside {
    /// It differs from the default, or IOS prints it always.
    wanted: bool,
    form: Form,
    command: ConfigCommand,
}

impl Inside {
    fn set(wanted: bool, command: ConfigCommand) -> Inside {
        Inside {
            wanted,
            form: Form::Set,
            command,
        }
    }

    fn no(wanted: bool, command: ConfigCommand) -> Inside {
        Inside {
            wanted,
            form: Form::No,
            command,
        }
    }
}

/// A `deny` line of an access-list.
fn denies(command: &ConfigCommand) -> bool {
    let extended =
        |entry: &AclEntry| matches!(entry, AclEntry::Rule(rule) if rule.action == Action::Deny);
    let standard = |entry: &StandardAclEntry| matches!(entry, StandardAclEntry::Rule(rule) if rule.action == Action::Deny);
    match command {
        ConfigCommand::ExtendedAcl(AclCommand::Entry { entry, .. }) => extended(entry),
        ConfigCommand::StandardAcl(StandardAclCommand::Entry { entry, .. }) => standard(entry),
        ConfigCommand::Global(GlobalCommand::AccessList { entry, .. }) => {
            entry.as_ref().is_some_and(extended)
        }
        ConfigCommand::Global(GlobalCommand::StandardAccessList { entry, .. }) => {
            entry.as_ref().is_some_and(standard)
        }
        _ => false,
    }
}

//! Where a reader of configuration lines is: the mode, the block, and what belongs to a line that was not understood.
//!
//! Files (`load.rs`), `--check` (the same) and the sessions read every line here, so that a line means the same wherever
//! it comes from. As on IOS, a line is tried in the current mode and then in those above it; its indentation does not matter.
//! Indentation counts in two cases only: where both the current block and the one that the line is indented for take it,
//! and for what stands below a line that was not obeyed.

use isthmus_grammar::banner::{Delimiter, banner_start};
use isthmus_grammar::command::{Command, ConfigLine, Form, Parsed, Section};
use isthmus_grammar::file::is_screen_header;
use isthmus_grammar::foreign::{Opening, leaves_block, opens_inner_mode, opens_mode};
use isthmus_grammar::{Access, Mode, Refusal, parser};

use super::apply::{Applied, Origin, Refused, apply, remove_kept};
use super::model::context::Context;
use super::model::{KeptLine, Running};
use super::rank;

/// What some editors put at the start of a file.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// What a line is.
#[derive(Debug)]
pub enum Reading {
    /// Nothing: blank, a comment, the header of a screen, or the `exit` of an unknown mode.
    Nothing,
    /// A command. A configuration line is obeyed with [`Cursor::obey`].
    Command(Parsed),
    /// No command; it is kept where it would stand ([`Closed::place`]). The lines that belong to it follow as
    /// [`Reading::Below`].
    Refused(Refusal),
    /// It belongs to a line before it that was not obeyed.
    Below(Below),
}

/// A line that belongs to one before it.
#[derive(Debug)]
pub struct Below {
    /// The number that [`Cursor::read`] got with the line it belongs to.
    pub of: usize,
    /// The first line of that.
    pub header: String,
    /// Why the line is no command of the block around, where that was tried.
    pub refusal: Option<Refusal>,
}

/// Where a line stands that is kept.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The block.
    pub context: Context,
    /// The rank of the known line before it.
    pub after: u8,
}

impl Place {
    /// Where a mode that this router does not have stands when it is typed before any other line: where most of them are.
    pub fn after_interfaces(&mut self) {
        if self.context == Context::Global && self.after == 0 {
            self.after = Section::Interfaces as u8;
        }
    }
}

/// A line that was not obeyed, with all that belongs to it.
#[derive(Clone, Debug)]
pub struct Closed {
    /// Where it stands.
    pub place: Place,
    /// The line.
    pub line: KeptLine,
    /// It opened a mode that this router does not have.
    pub is_mode: bool,
}

/// A line that entered a block.
#[derive(Clone, Debug)]
struct Header {
    indent: usize,
    /// The lines of the block are indented deeper.
    indented: bool,
}

/// How far a line that was not obeyed reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// It opens a mode: to `exit`, or the next line that is not its own.
    Mode,
    /// A comment at the left margin parted it from the block before: all that is indented deeper.
    Indented,
    /// It stands in a block: what is indented deeper, unless the block takes it.
    Strangers,
}

/// A line that was not obeyed, while lines may follow that belong to it.
#[derive(Clone, Debug)]
struct Unknown {
    number: usize,
    text: String,
    place: Place,
    reach: Reach,
    /// It opens a mode that this router does not have.
    foreign: bool,
    below: Vec<String>,
    /// The indentation of the lines that are open in it, its own first.
    indents: Vec<usize>,
    /// The modes within it that are open, where its lines are not indented.
    inner: Vec<&'static str>,
    /// Its lines are indented deeper.
    indented: bool,
    /// A comment at the left margin followed.
    separated: bool,
}

/// Where a reader is.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    context: Context,
    /// The lines that entered the blocks of the context, the outermost first.
    headers: Vec<Header>,
    /// A comment at the left margin was seen since the last line that was obeyed.
    separated: bool,
    /// The rank of the last known line at the global level and in each block of the context.
    ranks: Vec<u8>,
    unknown: Option<Unknown>,
    /// Lines that were not obeyed, with all that belongs to them, until they are taken.
    closed: Vec<Closed>,
    /// The line that was read last.
    number: usize,
    text: String,
    indent: usize,
}

impl Cursor {
    /// What the lines edit.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The mode whose commands are understood.
    pub fn mode(&self) -> Mode {
        self.context.mode()
    }

    /// The lines belong to a mode that is not there: this router does not have it, or the line that opens it was refused.
    pub fn is_unknown_mode(&self) -> bool {
        let mode = |unknown: &Unknown| unknown.reach == Reach::Mode;
        self.unknown.as_ref().is_some_and(mode)
    }

    /// The lines belong to a mode that this router does not have.
    pub fn is_foreign_mode(&self) -> bool {
        self.unknown.as_ref().is_some_and(|unknown| unknown.foreign)
    }

    /// The whole prompt.
    pub fn prompt(&self, hostname: &str) -> String {
        match self.is_unknown_mode() {
            true => Mode::Config
                .prompt(hostname)
                .replace("(config)#", "(config-unknown)#"),
            false => self.context.prompt(hostname),
        }
    }

    /// `exit`: one level up.
    pub fn leave_one(&mut self) {
        self.leave_to(self.context.up());
    }

    /// `end`, for a reader that goes on.
    pub fn leave_all(&mut self) {
        self.leave_to(Context::Global);
    }

    /// No line follows that belongs to one before it.
    pub fn close(&mut self) {
        if let Some(unknown) = self.unknown.take() {
            self.closed.push(Closed {
                line: KeptLine {
                    after: unknown.place.after,
                    text: unknown.text,
                    below: unknown.below,
                },
                place: unknown.place,
                is_mode: unknown.foreign,
            });
        }
    }

    /// The lines that were not obeyed and are complete.
    pub fn take_closed(&mut self) -> Vec<Closed> {
        std::mem::take(&mut self.closed)
    }

    /// The indentation of the line to which more lines may belong.
    pub fn unknown_indent(&self) -> usize {
        self.unknown.as_ref().map_or(0, Unknown::indent)
    }

    /// More lines that belong to the line that was read last: the text of an unknown kind of banner.
    pub fn add_below(&mut self, lines: impl IntoIterator<Item = String>) {
        if let Some(unknown) = &mut self.unknown {
            unknown.below.extend(lines);
        }
    }

    /// Reads a line; `number` is how the caller calls it. A banner comes with all its lines.
    pub fn read(&mut self, access: &Access, number: usize, raw: &str) -> Reading {
        self.take(number, raw);
        if self.text.is_empty() {
            return Reading::Nothing;
        }
        if self.text.starts_with('!') {
            self.comment();
            return Reading::Nothing;
        }
        if let Some(reading) = self.in_unknown(access) {
            return reading;
        }
        self.understand(access).unwrap_or_else(|refusal| {
            self.refuse(refusal);
            Reading::Refused(refusal)
        })
    }

    /// A line that cannot be read at all: a banner without its end.
    pub fn refuse_line(&mut self, number: usize, raw: &str) {
        self.take(number, raw);
        self.refuse(Refusal::Incomplete);
    }

    fn take(&mut self, number: usize, raw: &str) {
        let raw = raw.trim_start_matches(BYTE_ORDER_MARK).trim_end();
        let text = raw.trim_start();
        self.number = number;
        self.indent = raw.len() - text.len();
        text.clone_into(&mut self.text);
    }

    fn comment(&mut self) {
        if self.indent == 0 {
            self.separated = true;
            if let Some(unknown) = &mut self.unknown {
                unknown.separated = true;
            }
        }
    }

    /// The line as part of one that was not obeyed; `None` when it is none.
    fn in_unknown(&mut self, access: &Access) -> Option<Reading> {
        let unknown = self.unknown.as_ref()?;
        let done = self.text.starts_with("do ")
            && parser::parse_as(Mode::Config, access, &self.text).is_ok();
        if done {
            return None;
        }
        let deeper = self.indent > unknown.indent();
        let leaves = is_exit(&self.text);
        let belongs = match unknown.reach {
            _ if self.text == "end" => false,
            _ if deeper => true,
            Reach::Indented | Reach::Strangers => false,
            Reach::Mode if leaves => true,
            Reach::Mode => !unknown.indented && !unknown.separated && !self.is_global(access),
        };
        if !belongs {
            self.close();
            return None;
        }
        if leaves {
            let unknown = self.unknown.as_mut()?;
            if !unknown.leave(self.indent) {
                self.close();
            }
            return Some(Reading::Nothing);
        }
        let mut refusal = None;
        if unknown.reach == Reach::Strangers {
            // The block around comes first, as on IOS.
            match self.understand(access) {
                Ok(reading) => {
                    self.close();
                    return Some(reading);
                }
                Err(why) => refusal = Some(why),
            }
        }
        let unknown = self.unknown.as_mut()?;
        unknown.take(self.indent, &self.text);
        Some(Reading::Below(Below {
            of: unknown.number,
            header: unknown.text.clone(),
            refusal,
        }))
    }

    /// What ends the banner that a line begins, if it begins one and does not end it.
    pub fn banner(&mut self, access: &Access, raw: &str) -> Option<Delimiter> {
        self.take(self.number, raw);
        if !self.text.starts_with(['b', 'B']) {
            return None;
        }
        if let Some(unknown) = self.unknown.as_ref().filter(|one| one.reach == Reach::Mode) {
            let outside = self.indent <= unknown.indent();
            return banner_start(Mode::Config, &self.text).filter(|_| outside);
        }
        let outer = self.outer();
        if outer != self.context {
            let begun = banner_start(outer.mode(), &self.text);
            if begun.is_some() || parser::parse_as(outer.mode(), access, &self.text).is_ok() {
                return begun;
            }
        }
        banner_start(self.mode(), &self.text)
    }

    /// Whether the line is one of global configuration, opens a mode there or takes one back.
    fn is_global(&self, access: &Access) -> bool {
        let plain = self.text.strip_prefix("no ").unwrap_or(&self.text);
        if opens_inner_mode(plain).is_some() {
            return false;
        }
        leaves_block(plain).is_some()
            || parser::parse_as(Mode::Config, access, &self.text).is_ok()
            || is_screen_header(&self.text)
    }

    /// The line in the current mode and those above it.
    fn understand(&mut self, access: &Access) -> Result<Reading, Refusal> {
        let outer = self.outer();
        if outer != self.context
            && let Ok(parsed) = parser::parse_as(outer.mode(), access, &self.text)
            && matches!(parsed.command, Command::Config(_))
        {
            self.leave_to(outer);
            return Ok(Reading::Command(parsed));
        }
        match parser::parse_as(self.mode(), access, &self.text) {
            Ok(parsed) => Ok(Reading::Command(parsed)),
            Err(_) if is_screen_header(&self.text) => Ok(Reading::Nothing),
            Err(refusal) => Err(refusal),
        }
    }

    /// The context that the indentation of the line is for: blocks whose lines are indented deeper are left.
    fn outer(&mut self) -> Context {
        let mut context = self.context.clone();
        for header in self.headers.iter_mut().rev() {
            if self.indent > header.indent {
                header.indented = true;
                break;
            }
            if self.indent == header.indent && !header.indented {
                break;
            }
            context = context.up();
        }
        context
    }

    /// The line is no command: what may follow belongs to it.
    fn refuse(&mut self, refusal: Refusal) {
        let outside = |header: &Header| self.indent <= header.indent;
        let parted = self.separated && self.headers.last().is_none_or(outside);
        let context = match parted {
            true => Context::Global,
            false => self.outer(),
        };
        let inside = |header: &Header| header.indented && self.indent > header.indent;
        let inside = self.headers.last().is_some_and(inside);
        let opens = opens_mode(context.mode(), &self.text);
        // With no block open half a command is a slip of the hand.
        let slip = self.context == Context::Global && !matches!(refusal, Refusal::Invalid { .. });
        let (context, reach, opens) = match opens {
            Some(_) if !slip => (context, Reach::Mode, opens),
            // Not one of the block, so one of global configuration.
            None if !inside && leaves_block(&self.text).is_some() => {
                (Context::Global, Reach::Mode, leaves_block(&self.text))
            }
            _ if parted => (context, Reach::Indented, None),
            _ => (context, Reach::Strangers, None),
        };
        self.open(context, reach, opens == Some(Opening::Foreign));
    }

    fn open(&mut self, context: Context, reach: Reach, foreign: bool) {
        self.close();
        let after = self.ranks.get(context.mode().depth()).copied();
        if reach == Reach::Mode {
            self.leave_to(context.clone());
        }
        let mut lines = self.text.split('\n');
        let text = lines.next().unwrap_or_default().to_owned();
        self.unknown = Some(Unknown {
            number: self.number,
            text,
            place: Place {
                context,
                after: after.unwrap_or_default(),
            },
            reach,
            foreign,
            below: lines.map(str::to_owned).collect(),
            indents: vec![self.indent],
            inner: Vec::new(),
            indented: false,
            separated: false,
        });
    }

    /// Obeys the configuration line that was read last. Where a line is refused that opens a block, the lines after it
    /// belong to it and not to the block that was open before.
    ///
    /// # Errors
    /// As [`apply`].
    pub fn obey(
        &mut self,
        running: &mut Running,
        line: &ConfigLine,
        origin: Origin,
    ) -> Result<Applied, Refused> {
        let removed = line.form == Form::No && self.remove_kept(running);
        let mut applied = apply(running, &mut self.context, line, origin);
        if removed && applied.is_err() {
            applied = Ok(Applied::default());
        }
        match &applied {
            Ok(_) => self.obeyed(line),
            Err(_) => self.not_obeyed(line),
        }
        applied
    }

    /// The command was refused: the lines after it that can only be in the block that it would have opened belong to it.
    pub fn not_obeyed(&mut self, line: &ConfigLine) {
        let context = self.context.up_to(line.mode()).unwrap_or_default();
        let reach = match line.enters() {
            Some(_) => Reach::Mode,
            None => Reach::Strangers,
        };
        self.open(context, reach, false);
    }

    /// Takes away the kept lines that the line read last is the `no` of, in the block where it stands or one above it; false
    /// where there is none.
    pub fn remove_kept(&mut self, running: &mut Running) -> bool {
        let Some(plain) = self.text.strip_prefix("no ") else {
            return false;
        };
        let unknown = self.unknown.as_ref();
        let context = unknown.map_or(&self.context, |unknown| &unknown.place.context);
        let mut context = context.clone();
        let removed = loop {
            if remove_kept(running, &context, plain) {
                break true;
            }
            if context == Context::Global {
                break false;
            }
            context = context.up();
        };
        if removed {
            // It was understood after all.
            self.unknown = None;
        }
        removed
    }

    fn obeyed(&mut self, line: &ConfigLine) {
        self.separated = false;
        let depth = self.mode().depth();
        let entered = usize::from(line.enters().is_some());
        self.headers.truncate(depth - entered);
        self.set_rank(depth - entered, rank::rank(&line.command));
        if entered > 0 {
            self.close();
            self.headers.push(Header {
                indent: self.indent,
                indented: false,
            });
            self.set_rank(depth, 0);
        }
    }

    /// Goes to a context above the present one, or stays.
    fn leave_to(&mut self, context: Context) {
        let depth = context.mode().depth();
        self.headers.truncate(depth);
        self.ranks.truncate(depth + 1);
        self.context = context;
    }

    fn set_rank(&mut self, depth: usize, rank: u8) {
        self.ranks.resize(depth + 1, 0);
        self.ranks[depth] = rank;
    }
}

impl Unknown {
    /// The indentation of the line itself.
    fn indent(&self) -> usize {
        self.indents.first().copied().unwrap_or_default()
    }

    /// A line that belongs to it. It gets at least one blank, so that it is read as one of its own again.
    fn take(&mut self, indent: usize, text: &str) {
        let depth = if indent > self.indent() {
            self.indented = true;
            self.indents.retain(|open| *open < indent);
            self.indents.push(indent);
            indent - self.indent()
        } else {
            match opens_inner_mode(text) {
                Some(word) => {
                    let at = self.inner.iter().position(|open| *open == word);
                    self.inner.truncate(at.unwrap_or(self.inner.len()));
                    self.inner.push(word);
                    self.inner.len()
                }
                None => self.inner.len() + 1,
            }
        };
        let mut lines = text.split('\n');
        let first = lines.next().unwrap_or_default();
        self.below.push(format!("{:depth$}{first}", ""));
        self.below.extend(lines.map(str::to_owned));
    }

    /// `exit`; false when it leaves the unknown mode as a whole.
    fn leave(&mut self, indent: usize) -> bool {
        if indent > self.indent() {
            self.indents.retain(|open| *open < indent);
            self.indents.pop();
            return !self.indents.is_empty();
        }
        self.inner.pop().is_some()
    }
}

/// `exit` or `quit`; `ex` is short enough.
fn is_exit(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    word == "quit" || word.len() > 1 && "exit".starts_with(&word)
}

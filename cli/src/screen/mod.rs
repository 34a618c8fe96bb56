//! What happens to a command's text between the daemon and the screen: the filter, then (on a
//! terminal) the pager. Used by [`crate::plain`] and [`crate::shell`].

pub mod filter;
pub mod pager;
pub mod regex;

use filter::Filter;

/// Text of one command on its way to the screen: whole lines go through the filter; without a
/// filter everything passes as it comes, so that a ping's dots appear one by one.
#[derive(Default)]
pub struct Stream {
    filter: Option<Filter>,
    partial: String,
}

impl Stream {
    /// A stream through `filter`, if any.
    #[must_use]
    pub fn new(filter: Option<Filter>) -> Self {
        Self {
            filter,
            partial: String::new(),
        }
    }

    /// Takes text as the daemon sent it and gives what is to be shown of it.
    pub fn push(&mut self, text: &str) -> String {
        let Some(filter) = &mut self.filter else {
            return text.to_owned();
        };
        self.partial.push_str(text);
        let mut shown = String::new();
        let Some(end) = self.partial.rfind('\n') else {
            return shown;
        };
        for line in self.partial[..end].split('\n') {
            filter.line(line, |l| push_line(&mut shown, l));
        }
        self.partial.drain(..=end);
        shown
    }

    /// The command is over: gives what is left to be shown.
    pub fn finish(&mut self) -> String {
        let mut shown = String::new();
        let Some(filter) = &mut self.filter else {
            return shown;
        };
        if !self.partial.is_empty() {
            filter.line(&std::mem::take(&mut self.partial), |l| {
                push_line(&mut shown, l)
            });
        }
        if let Some(last) = filter.finish() {
            push_line(&mut shown, &last);
        }
        shown
    }
}

/// A typed line as it can be shown: every character takes one place, and control characters do nothing.
#[must_use]
pub fn printable(line: &str) -> String {
    let show = |c| match c {
        '\t' => ' ',
        c if char::is_control(c) => '.',
        c => c,
    };
    line.chars().map(show).collect()
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use isthmus_grammar::command::{Filter as Parsed, FilterKind};

    use super::*;

    #[test]
    fn lines_split_anywhere_are_filtered_whole() {
        let filter = Filter::new(&Parsed {
            kind: FilterKind::Include,
            argument: "^b".to_owned(),
        });
        let filter = filter.ok();
        let mut stream = Stream::new(filter);
        let text = "abc\nbcd\nb";
        let mut shown: String = text.chars().map(|c| stream.push(&c.to_string())).collect();
        shown += &stream.finish();
        assert_eq!(shown, "bcd\nb\n");
    }

    #[test]
    fn without_a_filter_nothing_is_held_back() {
        let mut stream = Stream::new(None);
        assert_eq!(stream.push("!"), "!");
        assert_eq!(stream.push("!.\nx"), "!.\nx");
        assert_eq!(stream.finish(), "");
    }
}

//! Lines of text for a terminal of some width, with or without colour.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The narrowest and the widest that text is set.
const WIDTHS: std::ops::RangeInclusive<usize> = 40..=120;

/// How a piece of text looks. All of it reads without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Strong,
    Dim,
    Good,
    Doubtful,
    Bad,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Strong => "1",
            Style::Dim => "2",
            Style::Good => "32",
            Style::Doubtful => "33",
            Style::Bad => "31",
        }
    }
}

/// A text that grows line by line.
pub(crate) struct Page {
    text: String,
    width: usize,
    colour: bool,
    /// Columns used in the line under construction.
    column: usize,
}

impl Page {
    pub(crate) fn new(width: usize, colour: bool) -> Self {
        Self {
            text: String::new(),
            width: width.clamp(*WIDTHS.start(), *WIDTHS.end()),
            colour,
            column: 0,
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Adds text to the line under construction.
    pub(crate) fn put(&mut self, text: &str, style: Style) {
        self.column += text.width();
        if self.colour && style != Style::Plain && !text.is_empty() {
            self.text.push_str("\u{1b}[");
            self.text.push_str(style.code());
            self.text.push('m');
            self.text.push_str(text);
            self.text.push_str("\u{1b}[0m");
        } else {
            self.text.push_str(text);
        }
    }

    /// Ends the line under construction; no line ends in spaces.
    pub(crate) fn end(&mut self) {
        let kept = self.text.trim_end_matches(' ').len();
        self.text.truncate(kept);
        self.text.push('\n');
        self.column = 0;
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// An empty line and a heading.
    pub(crate) fn title(&mut self, title: &str) {
        self.gap();
        self.put(title, Style::Strong);
        self.end();
    }

    /// One line, cut where it is too long.
    pub(crate) fn line(&mut self, text: &str, indent: usize) {
        self.put(&" ".repeat(indent), Style::Plain);
        let room = self.width - indent;
        self.put(&cut(text, room), Style::Plain);
        self.end();
    }

    /// One line, however long.
    pub(crate) fn line_whole(&mut self, text: &str, indent: usize) {
        self.put(&" ".repeat(indent), Style::Plain);
        self.put(text, Style::Plain);
        self.end();
    }

    /// Text broken between words, from where the line under construction stands: its first line
    /// indented by `first` more columns, the others by `rest`.
    pub(crate) fn wrapped(&mut self, text: &str, first: usize, rest: usize, style: Style) {
        self.put(&" ".repeat(first), Style::Plain);
        let mut line = String::new();
        let mut used = self.column;
        for mut word in text.split(' ').filter(|word| !word.is_empty()) {
            loop {
                let space = usize::from(!line.is_empty());
                let needed = word.width() + space;
                if used + needed <= self.width {
                    if space == 1 {
                        line.push(' ');
                    }
                    line.push_str(word);
                    used += needed;
                    break;
                }
                if line.is_empty() {
                    // A word longer than a line is broken anywhere.
                    let (head, tail) = split_at_width(word, self.width.saturating_sub(used));
                    line.push_str(head);
                    word = tail;
                }
                self.put(&line, style);
                self.end();
                line.clear();
                self.put(&" ".repeat(rest), Style::Plain);
                used = rest;
            }
        }
        self.put(&line, style);
        self.end();
    }

    /// Pieces side by side, three columns apart, none broken over lines where it fits one.
    pub(crate) fn pieces(&mut self, pieces: &[String], indent: usize, style: Style) {
        let mut line = String::new();
        for piece in pieces {
            if !line.is_empty() && indent + line.width() + 3 + piece.width() > self.width {
                self.wrapped_line(&line, indent, style);
                line.clear();
            }
            if !line.is_empty() {
                line.push_str("   ");
            }
            line.push_str(piece);
        }
        if !line.is_empty() {
            self.wrapped_line(&line, indent, style);
        }
    }

    fn wrapped_line(&mut self, line: &str, indent: usize, style: Style) {
        if indent + line.width() > self.width {
            self.wrapped(line, indent, indent + 2, style);
        } else {
            self.put(&" ".repeat(indent), Style::Plain);
            self.put(line, style);
            self.end();
        }
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// Text cut to so many columns, with `…` where something is missing.
pub(crate) fn cut(text: &str, width: usize) -> Cow<'_, str> {
    if text.width() <= width {
        return Cow::Borrowed(text);
    }
    let (head, _) = fitting(text, width.saturating_sub(1));
    Cow::Owned(format!("{head}…"))
}

/// What fits into so many columns, but at least one character, and the rest.
fn split_at_width(text: &str, width: usize) -> (&str, &str) {
    match fitting(text, width) {
        ("", _) => text.split_at(text.chars().next().map_or(0, char::len_utf8)),
        parts => parts,
    }
}

fn fitting(text: &str, width: usize) -> (&str, &str) {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > width {
            return text.split_at(at);
        }
    }
    (text, "")
}

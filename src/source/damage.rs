//! What a spreadsheet program has done to a column on its way here, found in one reading and
//! constant memory: zeros gone, ids shortened, letters garbled, dates turned.
//!
//! Nothing is mended here: a [`Finding`] says what was seen, how often and where, and the line of
//! a mapping file that helps, where one does.

mod dates;
mod digits;
mod garbled;

use crate::row::{Cell, Kind};

use dates::Dates;
use digits::Lengths;

/// How many rows of a finding are named.
const NAMED: usize = 3;
/// How many spellings of "nothing" a column keeps.
const SPELLINGS: usize = 6;
/// From here on numbers have more than the 15 digits that spreadsheet programs keep.
const FIFTEEN_DIGITS: f64 = 1e15;

/// What seems to have happened to values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// Digits are shorter than those beside them: their leading zeros seem gone.
    LostZeros {
        /// How many digits the others have.
        digits: usize,
    },
    /// Long numbers were shortened, as in `4.41E+11`: their last digits are gone.
    Shortened,
    /// Numbers of more than 15 digits, the digits behind which are zeros by now.
    Rounded,
    /// UTF-8 was read as another encoding, as in `MÃ¼ller`.
    Garbled,
    /// Letters were replaced by `�`.
    Replaced,
    /// Dates of digits that can all be read by two orders of day and month.
    AmbiguousDates,
    /// Dates of digits of which some prove one order of day and month, and some another.
    MixedDates,
    /// No date that the program recognised has a day above 12, and texts beside them have: the
    /// others were likely read with day and month exchanged.
    HalfConverted,
    /// Texts that people write for "nothing"; as they stand there.
    NullLike {
        /// The spellings found.
        texts: Vec<String>,
    },
}

/// One thing that was found in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub damage: Damage,
    /// How many cells show it.
    pub count: u64,
    /// How many cells of the column hold something.
    pub filled: u64,
    /// The first few rows that show it, as a spreadsheet program counts them.
    pub rows: Vec<u64>,
}

impl Finding {
    /// A short stable name, such as `lost-zeros`.
    pub fn code(&self) -> &'static str {
        match self.damage {
            Damage::LostZeros { .. } => "lost-zeros",
            Damage::Shortened => "shortened-numbers",
            Damage::Rounded => "rounded-numbers",
            Damage::Garbled => "garbled-letters",
            Damage::Replaced => "replaced-letters",
            Damage::AmbiguousDates => "ambiguous-dates",
            Damage::MixedDates => "mixed-dates",
            Damage::HalfConverted => "dates-converted",
            Damage::NullLike { .. } => "null-like",
        }
    }

    /// Whether values are lost or wrong; the others are only unclear.
    pub fn is_loss(&self) -> bool {
        !matches!(
            self.damage,
            Damage::AmbiguousDates | Damage::NullLike { .. } | Damage::LostZeros { .. }
        )
    }

    /// What was found, as the rest of a sentence that begins with the column's name.
    pub fn message(&self) -> String {
        let (count, filled) = (self.count, self.filled);
        let have = if count == 1 { "has" } else { "have" };
        match &self.damage {
            Damage::LostZeros { digits } => format!(
                "{count} of {filled} values {have} fewer than the {digits} digits of the others: \
                 leading zeros seem to be lost"
            ),
            Damage::Shortened => format!(
                "{count} of {filled} values {} long numbers that a spreadsheet program has \
                 shortened, like 4.41E+11: their last digits are lost",
                if count == 1 { "is one of those" } else { "are" }
            ),
            Damage::Rounded => format!(
                "{count} of {filled} values {have} more than the 15 digits that spreadsheet programs \
                 keep: the digits behind are lost"
            ),
            Damage::Garbled => format!(
                "{count} of {filled} values {have} garbled letters, like Ã¼ for ü: UTF-8 was read as \
                 another encoding before the file was written"
            ),
            Damage::Replaced => {
                format!("{count} of {filled} values {have} the mark � in place of a lost letter")
            }
            Damage::AmbiguousDates => format!(
                "{count} dates can each be read with the day or the month first, and no date of the \
                 column shows which"
            ),
            Damage::MixedDates => format!(
                "{count} dates have the month first where others have the day first: no order suits \
                 all"
            ),
            Damage::HalfConverted => format!(
                "none of its {count} converted dates has a day above 12, but its dates that stayed \
                 text have: a spreadsheet program seems to have exchanged day and month"
            ),
            Damage::NullLike { texts } => format!(
                "{count} of {filled} values look like nothing ({})",
                quoted(texts).join(", ")
            ),
        }
    }

    /// The line of a mapping file that mends it, where one can; under `[source]` or in the rule of
    /// the field.
    pub fn mend(&self) -> Option<String> {
        match &self.damage {
            Damage::LostZeros { digits } => Some(format!("clean = [{{ pad = {digits} }}]")),
            Damage::AmbiguousDates => Some("date_order = \"dmy\"".to_owned()),
            Damage::NullLike { texts } => {
                let mut all = vec!["\"\"".to_owned()];
                all.extend(quoted(texts));
                Some(format!("nulls = [{}]", all.join(", ")))
            }
            _ => None,
        }
    }

    /// What to do.
    pub fn help(&self) -> String {
        let line = self.mend().unwrap_or_default();
        match &self.damage {
            Damage::LostZeros { digits } => {
                format!("if all have {digits} digits, write {line} in the rule of the field")
            }
            Damage::AmbiguousDates => {
                format!("write {line} or \"mdy\" under [source], as the file means it")
            }
            Damage::NullLike { .. } => format!("if they mean nothing, write {line} under [source]"),
            Damage::Shortened | Damage::Rounded => {
                "export the column again as text; the lost digits are nowhere in this file".into()
            }
            Damage::Garbled => {
                "export the file again as UTF-8, and open it as UTF-8 on the way".into()
            }
            Damage::Replaced => "export the file again from where the letters are whole".into(),
            Damage::MixedDates => "write the dates as 2025-12-31 in the source".into(),
            Damage::HalfConverted => {
                "export the dates again as text, or as 2025-12-31; nothing was changed".into()
            }
        }
    }
}

fn quoted(texts: &[String]) -> Vec<String> {
    // None of the texts has a quote or a backslash.
    texts.iter().map(|text| format!("\"{text}\"")).collect()
}

/// How often something was seen, and where first.
#[derive(Debug, Clone, Default)]
struct Seen {
    count: u64,
    rows: Vec<u64>,
}

impl Seen {
    fn at(&mut self, row: u64) {
        self.count += 1;
        if self.rows.len() < NAMED {
            self.rows.push(row);
        }
    }

    fn merge(&mut self, later: Seen) {
        self.count += later.count;
        let room = NAMED.saturating_sub(self.rows.len());
        self.rows.extend(later.rows.into_iter().take(room));
    }
}

/// Looks at the cells of one column.
#[derive(Debug, Clone)]
pub struct Detector {
    /// Whether the column's name is that of codes with a fixed number of digits.
    fixed: bool,
    filled: u64,
    lengths: Lengths,
    shortened: Seen,
    rounded: Seen,
    garbled: Seen,
    replaced: Seen,
    dates: Dates,
    null_like: Seen,
    spellings: Vec<String>,
}

impl Detector {
    /// A detector for the column of this name, which tells postal codes and the like from amounts.
    pub fn new(name: &str) -> Self {
        Self {
            fixed: digits::names_codes(name),
            filled: 0,
            lengths: Lengths::default(),
            shortened: Seen::default(),
            rounded: Seen::default(),
            garbled: Seen::default(),
            replaced: Seen::default(),
            dates: Dates::default(),
            null_like: Seen::default(),
            spellings: Vec::new(),
        }
    }

    /// Looks at one more cell; `row` is the row as a spreadsheet program counts it.
    pub fn see(&mut self, row: u64, cell: &Cell<'_>) {
        let text = trim(cell.text);
        let Some(&first) = text.as_bytes().first() else {
            return;
        };
        self.filled += 1;
        match cell.kind {
            Kind::Text => {}
            Kind::Number(number) => {
                if number.abs() >= FIFTEEN_DIGITS {
                    self.rounded.at(row);
                } else if digits::all(text) {
                    self.lengths.number(row, text);
                }
                return;
            }
            Kind::Date(date) => return self.dates.cell(row, date.day()),
            Kind::DateTime(date) => return self.dates.cell(row, date.day()),
            // A formula without a result may mean anything.
            Kind::Error if text.starts_with('(') => return,
            Kind::Error => return self.nothing(row, text),
            Kind::Boolean(_) | Kind::Time | Kind::Undecodable => return,
        }
        if first.is_ascii_digit() {
            if digits::all(text) {
                if digits::is_cut_short(text) {
                    self.rounded.at(row);
                }
                self.lengths.text(row, text);
                return;
            }
            if self.dates.text(row, text) {
                return;
            }
        }
        if !text.is_ascii() {
            if garbled::has_lost_letter(text) {
                self.replaced.at(row);
            } else if garbled::is_garbled(text) {
                self.garbled.at(row);
            } else if matches!(text, "–" | "—") {
                self.nothing(row, text);
            }
        } else if text.len() <= 11 {
            match first {
                b'0'..=b'9' | b'-' | b'+' if cell.is_shortened() => self.shortened.at(row),
                b'-' | b'?' | b'#' | b'(' | b'n' | b'N' | b'u' | b'U' | b'.'
                    if is_nothing(text) =>
                {
                    self.nothing(row, text);
                }
                _ => {}
            }
        } else if matches!(first, b'0'..=b'9' | b'-' | b'+') && cell.is_shortened() {
            self.shortened.at(row);
        }
    }

    fn nothing(&mut self, row: u64, text: &str) {
        self.null_like.at(row);
        if self.spellings.len() < SPELLINGS && !self.spellings.iter().any(|known| known == text) {
            self.spellings.push(text.to_owned());
        }
    }

    /// Adds what was seen in the rows that follow, as if this detector had seen them.
    pub fn merge(&mut self, later: Detector) {
        self.filled += later.filled;
        self.lengths.merge(&later.lengths);
        self.shortened.merge(later.shortened);
        self.rounded.merge(later.rounded);
        self.garbled.merge(later.garbled);
        self.replaced.merge(later.replaced);
        self.dates.merge(later.dates);
        self.null_like.merge(later.null_like);
        for text in later.spellings {
            if self.spellings.len() < SPELLINGS && !self.spellings.contains(&text) {
                self.spellings.push(text);
            }
        }
    }

    /// What was found, the worst first.
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut tell = |damage: Damage, seen: &Seen| {
            if seen.count > 0 {
                found.push(Finding {
                    damage,
                    count: seen.count,
                    filled: self.filled,
                    rows: seen.rows.clone(),
                });
            }
        };
        tell(Damage::Shortened, &self.shortened);
        // Values that end in a zero by chance are not worth a word.
        if self.rounded.count >= 3 || self.lengths.long_texts() == 0 {
            tell(Damage::Rounded, &self.rounded);
        }
        tell(Damage::Replaced, &self.replaced);
        tell(Damage::Garbled, &self.garbled);
        if let Some((damage, seen)) = self.dates.judge(self.filled) {
            tell(damage, &seen);
        }
        if let Some((digits, seen)) = self.lengths.judge(self.filled, self.fixed) {
            tell(Damage::LostZeros { digits }, &seen);
        }
        let texts = self.spellings.clone();
        tell(Damage::NullLike { texts }, &self.null_like);
        found
    }
}

/// Whether a text is what people and programs write for "nothing".
fn is_nothing(text: &str) -> bool {
    const USUAL: [&str; 15] = [
        "-",
        "--",
        "?",
        ".",
        "n/a",
        "#n/a",
        "na",
        "n.a.",
        "nan",
        "null",
        "nil",
        "none",
        "(null)",
        "(blank)",
        "undefined",
    ];
    USUAL.iter().any(|usual| text.eq_ignore_ascii_case(usual))
}

/// The text without outer space; most have none, which two bytes show.
fn trim(text: &str) -> &str {
    let solid = |byte: Option<&u8>| byte.is_none_or(|byte| (0x21..0x7f).contains(byte));
    let bytes = text.as_bytes();
    if solid(bytes.first()) && solid(bytes.last()) {
        return text;
    }
    text.trim()
}

#[cfg(test)]
mod tests;

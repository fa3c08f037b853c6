//! One value: read and normalise text, number, date, phone, country and their kin.
//!
//! A [`Reader`] is built once per rule and reads cells into [`Value`]s; [`clean`] prepares the text
//! before, [`limits`] judges the value after. What is wrong with a cell is a [`Problem`], which
//! says what is wrong and what would be right.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::row::{Cell, Kind};

mod boolean;
mod choice;
pub mod clean;
mod country;
mod currency;
mod date;
mod email;
mod format;
pub mod limits;
mod names;
mod number;
mod phone;
mod text;
mod value;
mod web;
mod written;

pub use country::Output as CountryOutput;
pub use format::is_counted;
pub use phone::is_region;
pub use text::{fold, trim, write_json_str};
pub use value::{DateForm, Value};
pub use written::orders;

/// How a cell's text is read, and what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number with decimals, exact.
    Decimal,
    /// True or false.
    Boolean,
    /// A calendar date.
    Date,
    /// An instant.
    DateTime,
    /// One e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A country.
    Country,
    /// A currency.
    Currency,
    /// A web address.
    Url,
    /// A UUID.
    Uuid,
    /// One of the target's options.
    Choice,
    /// Several of the target's options; a reader reads one of them.
    Choices,
    /// JSON text.
    Json,
    /// JSON text of an object.
    Object,
    /// JSON text of an array.
    Array,
}

impl Type {
    /// All types, in the order of the reference.
    pub const ALL: &[Type] = &[
        Type::Text,
        Type::Integer,
        Type::Decimal,
        Type::Boolean,
        Type::Date,
        Type::DateTime,
        Type::Email,
        Type::Phone,
        Type::Country,
        Type::Currency,
        Type::Url,
        Type::Uuid,
        Type::Choice,
        Type::Choices,
        Type::Json,
        Type::Object,
        Type::Array,
    ];

    /// The type of this name as mapping and target files write it.
    pub fn parse(name: &str) -> Option<Type> {
        Self::ALL.iter().copied().find(|ty| ty.name() == name)
    }

    /// The name as mapping and target files write it.
    pub fn name(self) -> &'static str {
        match self {
            Type::Text => "text",
            Type::Integer => "integer",
            Type::Decimal => "decimal",
            Type::Boolean => "boolean",
            Type::Date => "date",
            Type::DateTime => "datetime",
            Type::Email => "email",
            Type::Phone => "phone",
            Type::Country => "country",
            Type::Currency => "currency",
            Type::Url => "url",
            Type::Uuid => "uuid",
            Type::Choice => "choice",
            Type::Choices => "choices",
            Type::Json => "json",
            Type::Object => "object",
            Type::Array => "array",
        }
    }

    /// What it reads and what it sends, for the reference.
    pub fn describe(self) -> &'static str {
        match self {
            Type::Text => "Any cell; sent as text.",
            Type::Integer => "A whole number, with grouping marks if any; sent as a number.",
            Type::Decimal => {
                "A number with the source's decimal and grouping marks and currency signs; sent as \
                 a number, exactly."
            }
            Type::Boolean => {
                "A word for yes or no in English, German or French, 1 or 0, or x; sent as true or \
                 false."
            }
            Type::Date => {
                "A date cell, an ISO 8601 date, or a date in the source's order; sent as an ISO \
                 8601 date."
            }
            Type::DateTime => {
                "A date with or without a time and a zone; sent as ISO 8601 in UTC. A date without \
                 a time is midnight of that very date."
            }
            Type::Email => "One e-mail address; sent with its domain in lower case.",
            Type::Phone => {
                "A phone number, international or of the default region; sent as E.164, if such \
                 numbers are in use."
            }
            Type::Country => {
                "A country's name or ISO 3166 code; sent as the two-letter code unless `output` \
                 says otherwise."
            }
            Type::Currency => "A currency's code, name or sign; sent as the ISO 4217 code.",
            Type::Url => "A web address; sent normalised, with https:// where it names no scheme.",
            Type::Uuid => "A UUID in any of its spellings; sent in lower case with hyphens.",
            Type::Choice => {
                "An option of the target, by value or label; the option's value is sent."
            }
            Type::Choices => {
                "Several options of the target, by value or label; an array of their values is \
                 sent."
            }
            Type::Json => "JSON text; the parsed value is sent.",
            Type::Object => "JSON text of an object; the object is sent.",
            Type::Array => "JSON text of an array; the array is sent.",
        }
    }
}

/// The order of day, month and year in dates that are written with digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
    /// Year, month, day.
    Ymd,
}

impl DateOrder {
    /// The order of this name: `dmy`, `mdy` or `ymd`.
    pub fn parse(name: &str) -> Option<DateOrder> {
        match name {
            "dmy" => Some(DateOrder::Dmy),
            "mdy" => Some(DateOrder::Mdy),
            "ymd" => Some(DateOrder::Ymd),
            _ => None,
        }
    }

    /// The name as the mapping file writes it.
    pub fn name(self) -> &'static str {
        match self {
            DateOrder::Dmy => "dmy",
            DateOrder::Mdy => "mdy",
            DateOrder::Ymd => "ymd",
        }
    }
}

/// Which orders of day, month and year dates allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orders {
    /// Day, month, year.
    pub dmy: bool,
    /// Month, day, year.
    pub mdy: bool,
    /// Year, month, day.
    pub ymd: bool,
}

impl Orders {
    /// Nothing is known yet: any order.
    pub const ANY: Orders = Orders {
        dmy: true,
        mdy: true,
        ymd: true,
    };

    /// The orders that both allow.
    #[must_use]
    pub fn and(self, other: Orders) -> Orders {
        Orders {
            dmy: self.dmy && other.dmy,
            mdy: self.mdy && other.mdy,
            ymd: self.ymd && other.ymd,
        }
    }

    /// The order, where it is the only one.
    pub fn only(self) -> Option<DateOrder> {
        match (self.dmy, self.mdy, self.ymd) {
            (true, false, false) => Some(DateOrder::Dmy),
            (false, true, false) => Some(DateOrder::Mdy),
            (false, false, true) => Some(DateOrder::Ymd),
            _ => None,
        }
    }
}

/// What a year of two digits means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Century {
    /// It is an error.
    #[default]
    Error,
    /// The latest such date that is not after today.
    Past,
    /// The earliest such date that is not before today.
    Future,
    /// Years below the pivot are of this century (2000), the others of the last (1900).
    Pivot(u8),
}

/// What becomes of a phone number's extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extension {
    /// It is left out, with a warning.
    #[default]
    Drop,
    /// It is sent as `;ext=` behind the number.
    Keep,
    /// It refuses the value.
    Reject,
}

/// One option of a field that the target knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What is sent.
    pub value: serde_json::Value,
    /// What people see.
    pub label: Option<String>,
}

/// What a rule and the source section say about reading a value.
#[derive(Debug, Clone)]
pub struct Spec {
    /// How `03/04/2025` is read; unknown where `None`.
    pub date_order: Option<DateOrder>,
    /// The decimal mark of numbers kept as text: `.` or `,`.
    pub decimal: char,
    /// The default region of phone numbers: a country's code or name.
    pub region: Option<String>,
    /// The zone of date-times that carry none; `None` is UTC.
    pub timezone: Option<jiff::tz::TimeZone>,
    /// Formats of dates, tried in order: strptime, or `unix`, `unix_ms`, `excel`.
    pub formats: Vec<String>,
    /// For dates a strftime format; for countries `alpha2`, `alpha3`, `numeric` or `name`.
    pub output: Option<String>,
    /// What a year of two digits means.
    pub century: Century,
    /// Whether numbers are per cent, to be divided by 100.
    pub percent: bool,
    /// The words for true, in place of the usual ones.
    pub true_values: Option<Vec<String>>,
    /// The words for false, in place of the usual ones.
    pub false_values: Option<Vec<String>>,
    /// What becomes of a phone number's extension.
    pub extension: Extension,
    /// Whether a phone number need only be of a possible length.
    pub possible: bool,
    /// The options of a choice; any value is taken where there are none.
    pub options: Vec<Choice>,
    /// Today, fixed once per run.
    pub today: Date,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            date_order: None,
            decimal: '.',
            region: None,
            timezone: None,
            formats: Vec::new(),
            output: None,
            century: Century::Error,
            percent: false,
            true_values: None,
            false_values: None,
            extension: Extension::Drop,
            possible: false,
            options: Vec::new(),
            today: jiff::Zoned::now().date(),
        }
    }
}

/// What is wrong with one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The rule that it breaks, the second half of an issue's code: `invalid`, `ambiguous` …
    pub rule: &'static str,
    /// What is wrong and what would be right, as the rest of a sentence that begins with the value.
    pub message: Cow<'static, str>,
}

impl Problem {
    /// A problem of this rule.
    pub fn new(rule: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            rule,
            message: message.into(),
        }
    }

    /// The rule `invalid`.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid", message)
    }
}

/// A value that was read, and what should be told about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<'a> {
    /// The value, normalised.
    pub value: Value<'a>,
    /// What was lost or changed, such as a dropped extension.
    pub warning: Option<Problem>,
}

impl<'a> From<Value<'a>> for Read<'a> {
    fn from(value: Value<'a>) -> Self {
        Self {
            value,
            warning: None,
        }
    }
}

/// Reads cells of one rule. Compiled once, shared by all threads.
#[derive(Debug)]
pub struct Reader {
    ty: Type,
    how: How,
}

#[derive(Debug)]
enum How {
    Text,
    Number(number::Numbers),
    Boolean(boolean::Booleans),
    Date(Box<date::Dates>),
    Email,
    Phone(phone::Phones),
    Country(country::Output),
    Currency,
    Url,
    Uuid,
    Choice(choice::Choices),
    Json,
}

/// From here on a workbook's numbers are no longer exact: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Reader {
    /// A reader of this type.
    ///
    /// # Errors
    /// A sentence about a setting that cannot be: a bad format, an unknown region or output.
    pub fn new(ty: Type, spec: Spec) -> Result<Reader, String> {
        if !matches!(spec.decimal, '.' | ',') {
            return Err(format!(
                "The decimal mark must be \".\" or \",\", not {:?}.",
                spec.decimal
            ));
        }
        let how = match ty {
            Type::Text => How::Text,
            Type::Integer | Type::Decimal => How::Number(number::Numbers {
                decimal: spec.decimal,
                percent: spec.percent,
                whole: ty == Type::Integer,
            }),
            Type::Boolean => How::Boolean(boolean::Booleans::new(&spec)?),
            Type::Date | Type::DateTime => {
                How::Date(Box::new(date::Dates::new(ty == Type::DateTime, spec)?))
            }
            Type::Email => How::Email,
            Type::Phone => How::Phone(phone::Phones::new(&spec)?),
            Type::Country => How::Country(country::Output::parse(spec.output.as_deref())?),
            Type::Currency => How::Currency,
            Type::Url => How::Url,
            Type::Uuid => How::Uuid,
            Type::Choice | Type::Choices => How::Choice(choice::Choices::new(spec.options)),
            Type::Json | Type::Object | Type::Array => How::Json,
        };
        Ok(Reader { ty, how })
    }

    /// Whether it reads dates whose order nobody has named, so that a column as a whole may tell.
    pub fn lacks_order(&self) -> bool {
        matches!(&self.how, How::Date(dates) if dates.order.is_none() && !dates.has_formats())
    }

    /// Says in which order day, month and year stand in dates of digits.
    pub fn set_order(&mut self, order: DateOrder) {
        if let How::Date(dates) = &mut self.how {
            dates.order = Some(order);
        }
    }

    /// Whether it reads numbers kept as text with a decimal comma. Number cells have none, whatever
    /// the source says of its texts.
    pub fn reads_commas(&self) -> bool {
        matches!(&self.how, How::Number(numbers) if numbers.decimal == ',')
    }

    /// Whether a text is a date in the form in which this rule sends dates.
    pub fn sends_as_it_is(&self, text: &str) -> bool {
        matches!(&self.how, How::Date(dates) if dates.sends_as_it_is(text))
    }

    /// Whether dates are sent as numbers.
    pub fn sends_counts(&self) -> bool {
        matches!(&self.how, How::Date(dates) if dates.sends_counts())
    }

    /// The type that is read.
    pub fn ty(&self) -> Type {
        self.ty
    }

    /// Reads a cell whose text is trimmed, cleaned and not empty. `region` is the country of a
    /// phone number, as code or name, where a column of the row tells it.
    ///
    /// # Errors
    /// What is wrong with the value.
    pub fn read<'a>(&self, cell: Cell<'a>, region: Option<&str>) -> Result<Read<'a>, Problem> {
        match cell.kind {
            Kind::Error => {
                return Err(Problem::new(
                    "cell_error",
                    "is an error of the workbook; mend the formula or clear the cell",
                ));
            }
            Kind::Undecodable => {
                return Err(Problem::new(
                    "encoding",
                    "has bytes that the file's encoding does not know; name the right one as \
                     `encoding` under [source]",
                ));
            }
            _ => {}
        }
        match &self.how {
            How::Text => {
                rounded(cell)?;
                Ok(Value::Text(Cow::Borrowed(cell.text)).into())
            }
            How::Number(numbers) => numbers.read(cell).map(Read::from),
            How::Boolean(booleans) => booleans.read(cell).map(Read::from),
            How::Date(dates) => dates.read(cell).map(Read::from),
            How::Email => email::read(cell.text).map(Read::from),
            How::Phone(phones) => phones.read(cell, region),
            How::Country(output) => country::read(cell, *output).map(Read::from),
            How::Currency => currency::read(cell.text).map(Read::from),
            How::Url => web::url(cell.text).map(Read::from),
            How::Uuid => web::uuid(cell.text).map(Read::from),
            How::Choice(choices) => {
                rounded(cell)?;
                choices.read(cell).map(Read::from)
            }
            How::Json => self.json(cell.text).map(Read::from),
        }
    }

    fn json(&self, text: &str) -> Result<Value<'static>, Problem> {
        let value: serde_json::Value = serde_json::from_str(text)
            .map_err(|error| Problem::invalid(format!("is not JSON: {error}")))?;
        if loses_digits(&value) {
            return Err(Problem::new(
                "precision",
                "has a number of more digits than JSON's readers keep; write it in quotes",
            ));
        }
        match self.ty {
            Type::Object if !value.is_object() => Err(Problem::invalid(
                "is not a JSON object; it must stand in { and }",
            )),
            Type::Array if !value.is_array() => Err(Problem::invalid(
                "is not a JSON array; it must stand in [ and ]",
            )),
            _ => Ok(Value::Json(value)),
        }
    }
}

/// Whether JSON holds a whole number that was rounded when it was read.
fn loses_digits(value: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match value {
        Number(number) => {
            number.is_f64()
                && number
                    .as_f64()
                    .is_some_and(|n| n.fract() == 0.0 && n.abs() >= EXACT)
        }
        Array(items) => items.iter().any(loses_digits),
        Object(members) => members.values().any(loses_digits),
        _ => false,
    }
}

/// Refuses a number cell that the workbook has already rounded, if it is an identifier.
fn rounded(cell: Cell<'_>) -> Result<(), Problem> {
    match cell.kind.is_rounded() {
        true => Err(rounded_problem()),
        false => Ok(()),
    }
}

/// Refuses a number cell that is no longer exact, be it an amount.
fn inexact(cell: Cell<'_>) -> Result<(), Problem> {
    match cell.kind {
        Kind::Number(number) if number.abs() >= EXACT => Err(rounded_problem()),
        _ => Ok(()),
    }
}

fn rounded_problem() -> Problem {
    Problem::new(
        "precision",
        "is a number of more than 15 digits, which the workbook has already rounded; keep \
         such values as text in the source",
    )
}

/// Whether a text is a long number that a spreadsheet program has shortened: `4.41E+11`.
fn shortened(text: &str) -> bool {
    let Some(at) = text.find(['E', 'e']) else {
        return false;
    };
    let (front, back) = (&text[..at], &text[at + 1..]);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let front = front.strip_prefix(['+', '-']).unwrap_or(front);
    let whole = match front.split_once(['.', ',']) {
        Some((whole, rest)) => digits(whole) && digits(rest),
        None => digits(front),
    };
    whole && digits(back.strip_prefix('+').unwrap_or(back))
}

/// The problem of a text that is [`shortened`].
fn shortened_problem() -> Problem {
    Problem::new(
        "precision",
        "is a long number that a spreadsheet program has shortened, its last digits are lost; \
         export the column as text again",
    )
}

/// The decimal that a number cell stands for. Fractions have 15 digits, as many as spreadsheet
/// programs take and show: 0.1 + 0.2 is kept as 0.30000000000000004 and means 0.3.
fn decimal_of(number: f64) -> Option<Decimal> {
    if number == number.trunc() && number.abs() < EXACT {
        return Some(Decimal::from(number as i64));
    }
    let shown = Decimal::from_scientific(&format!("{number:.14e}")).ok()?;
    Some(shown.normalize())
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

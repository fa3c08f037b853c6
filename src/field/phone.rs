//! Phone numbers, judged by libphonenumber's rules.

use std::borrow::Cow;

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat, Region,
    ValidationError,
};

use crate::row::{Cell, Kind};

use super::{Extension, Problem, Read, Spec, Value, country, shortened, shortened_problem};

/// How the numbers of one rule are read.
#[derive(Debug)]
pub(super) struct Phones {
    region: Option<Region>,
    extension: Extension,
    possible: bool,
}

impl Phones {
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        let region = match &spec.region {
            None => None,
            Some(name) => Some(
                region_of(name)
                    .map_err(|problem| format!("The region {name:?} {}.", problem.message))?,
            ),
        };
        Ok(Self {
            region,
            extension: spec.extension,
            possible: spec.possible,
        })
    }

    pub(super) fn read<'a>(
        &self,
        cell: Cell<'a>,
        region: Option<&str>,
    ) -> Result<Read<'a>, Problem> {
        let text: Cow<'a, str> = match cell.kind {
            Kind::Number(number) => dialled(cell.text, digits_of(number)?),
            Kind::Date(_) | Kind::DateTime(_) | Kind::Boolean(_) | Kind::Time => {
                return Err(Problem::invalid(
                    "is not a phone number; the workbook keeps it as a date, time or boolean",
                ));
            }
            _ if shortened(cell.text) => return Err(shortened_problem()),
            _ => Cow::Borrowed(cell.text),
        };
        let abroad = text.starts_with(['+', '＋']);
        let region = match region {
            Some(name) if !abroad => Some(region_of(name).map_err(|problem| {
                Problem::new(
                    "region",
                    format!(
                        "is a national number, and its country {name:?} {}",
                        problem.message
                    ),
                )
            })?),
            _ => self.region,
        };
        let number = match PHONE_NUMBER_UTIL.parse(text.as_ref(), region) {
            Ok(number) => number,
            Err(error) => return Err(refusal(&text, region, &error)),
        };
        self.judge(&number, region)?;
        self.send(&number, &text, cell)
    }

    fn judge(&self, number: &PhoneNumber, region: Option<Region>) -> Result<(), Problem> {
        let fits = if self.possible {
            PHONE_NUMBER_UTIL.is_possible_number(number)
        } else {
            is_valid(number)
        };
        if fits {
            return Ok(());
        }
        let whose = match region {
            Some(region) => format!(
                "; it was read as a number of +{} by the region {region}",
                number.country_code
            ),
            None => format!("; it was read as a number of +{}", number.country_code),
        };
        let why = match PHONE_NUMBER_UTIL.is_possible_number_with_reason(number) {
            Err(ValidationError::TooShort) => "it is too short",
            Err(ValidationError::TooLong) => "it is too long",
            Err(ValidationError::InvalidCountryCode) => "no country has this code",
            Err(ValidationError::InvalidLength) => "no number of this length is in use",
            Ok(NumberLengthType::IsPossibleLocalOnly) => "its area code is missing",
            _ => "numbers that begin so are not in use",
        };
        Err(Problem::invalid(format!(
            "is not a valid phone number: {why}{whose}"
        )))
    }

    fn send<'a>(
        &self,
        number: &PhoneNumber,
        text: &str,
        cell: Cell<'a>,
    ) -> Result<Read<'a>, Problem> {
        let formatted = PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164);
        let extension = match number.extension.as_deref() {
            Some(extension) if !extension.is_empty() => extension,
            _ => {
                let value = if formatted == cell.text && text == cell.text {
                    Cow::Borrowed(cell.text)
                } else {
                    Cow::Owned(formatted.into_owned())
                };
                return Ok(Value::Text(value).into());
            }
        };
        match self.extension {
            Extension::Reject => Err(Problem::new(
                "extension",
                format!("has the extension {extension}, which is not allowed here"),
            )),
            Extension::Keep => {
                Ok(Value::Text(Cow::Owned(format!("{formatted};ext={extension}"))).into())
            }
            Extension::Drop => Ok(Read {
                warning: Some(Problem::new(
                    "extension",
                    format!(
                        "has the extension {extension}, which is left out; `extension` says \
                         whether to keep it"
                    ),
                )),
                value: Value::Text(Cow::Owned(formatted.into_owned())),
            }),
        }
    }
}

/// Whether the number is valid, as [`rlibphonenumber::PhoneNumberUtil::is_valid_number`] says.
/// Where several regions have one country code, that finds the number's region by trying its
/// patterns one after the other, and then tries the region's again; most numbers are of the first.
fn is_valid(number: &PhoneNumber) -> bool {
    let mut regions = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(number.country_code);
    if let Some(regions) = &mut regions
        && regions.len() > 1
        && let Some(first) = regions.next()
        && PHONE_NUMBER_UTIL.is_valid_number_for_region(number, first)
    {
        return true;
    }
    PHONE_NUMBER_UTIL.is_valid_number(number)
}

/// The digits of a number cell; the workbook's format may hide some of them.
fn digits_of(number: f64) -> Result<String, Problem> {
    if Kind::Number(number).is_rounded() {
        return Err(Problem::new(
            "precision",
            "is a number that the workbook has already rounded; keep phone numbers as text",
        ));
    }
    if number < 0.0 || number.fract() != 0.0 {
        return Err(Problem::invalid(
            "is not a phone number; the workbook keeps it as a negative or broken number",
        ));
    }
    Ok(format!("{number:.0}"))
}

/// What is dialled: the text that a number cell shows where a format adds zeros, a plus or a country's
/// code to its digits, else the digits. A format that rounds or groups them adds nothing.
fn dialled(text: &str, digits: String) -> Cow<'_, str> {
    let mut shown = text.bytes().filter(u8::is_ascii_digit).rev();
    let ends = digits
        .bytes()
        .rev()
        .all(|digit| shown.next() == Some(digit));
    let more = shown.next().is_some() || text.trim_start().starts_with(['+', '＋']);
    let groups = |text: &str| text.replace(',', "").parse() == digits.parse::<f64>();
    match ends && more && (text.starts_with(['0', '+']) || !groups(text)) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(digits),
    }
}

/// Whether numbers of this region are known, given as a country's code or name.
pub fn is_region(name: &str) -> bool {
    region_of(name).is_ok()
}

/// The region of a country's code or name.
fn region_of(name: &str) -> Result<Region, Problem> {
    let country = country::find(name)?;
    country.alpha2.parse::<Region>().map_err(|_| {
        Problem::invalid(format!(
            "is {}, of which no phone numbers are known",
            country.name
        ))
    })
}

fn refusal(text: &str, region: Option<Region>, error: &ParseError) -> Problem {
    let digits = text.chars().filter(|letter| letter.is_numeric()).count();
    if digits == 0 {
        return Problem::invalid("is not a phone number: there is no digit in it");
    }
    match error {
        ParseError::InvalidCountryCode if region.is_none() && !text.contains(['+', '＋']) => {
            Problem::new(
                "region",
                "is a national number and its country is not known; write it with + and the \
                 country code, or name a `region` or `region_from`",
            )
        }
        ParseError::InvalidCountryCode => {
            Problem::invalid("is not a phone number: no country has the code it begins with")
        }
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => {
            Problem::invalid("is not a phone number: it is too short")
        }
        ParseError::TooLongNsn => Problem::invalid("is not a phone number: it is too long"),
        ParseError::NotANumber(_) => Problem::invalid(
            "is not a phone number: it must be one number of digits, + and the usual marks",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// The short cut says what the library says, of countries that share their code too.
        #[test]
        fn valid_is_what_the_library_says(text in "\\+(1|7|39|44|47|61|262|590|31|49)[0-9]{7,11}") {
            if let Ok(number) = PHONE_NUMBER_UTIL.parse(&text, None) {
                let library = PHONE_NUMBER_UTIL.is_valid_number(&number);
                proptest::prop_assert_eq!(is_valid(&number), library);
            }
        }
    }
}

//! Numbers as text: marks, signs of money, grouping, per cent; never by way of a float.

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::row::{Cell, Kind};

use super::{Problem, Value, currency, decimal_of, inexact, shortened, shortened_problem};

/// How the numbers of one rule are read.
#[derive(Debug)]
pub(super) struct Numbers {
    pub(super) decimal: char,
    pub(super) percent: bool,
    pub(super) whole: bool,
}

impl Numbers {
    pub(super) fn read(&self, cell: Cell<'_>) -> Result<Value<'static>, Problem> {
        let number = match cell.kind {
            Kind::Number(number) => {
                inexact(cell)?;
                let exact = decimal_of(number).ok_or_else(too_long)?;
                // A cell that is shown as per cent holds the fraction already.
                if self.percent && !cell.text.ends_with('%') {
                    hundredth(exact)?
                } else {
                    exact
                }
            }
            Kind::Date(_) | Kind::DateTime(_) | Kind::Time | Kind::Boolean(_) => {
                return Err(Problem::invalid(
                    "is not a number; the workbook keeps it as a date, time or boolean",
                ));
            }
            _ => {
                if self.whole
                    && !self.percent
                    && let Some(number) = plain_integer(cell.text)
                {
                    return Ok(Value::Integer(number));
                }
                self.parse(cell.text)?
            }
        };
        if !self.whole {
            return Ok(Value::Decimal(number.normalize()));
        }
        if !number.fract().is_zero() {
            return Err(Problem::invalid(
                "is not a whole number; decimals cannot be sent here",
            ));
        }
        i64::try_from(number)
            .map(Value::Integer)
            .map_err(|_| too_long())
    }

    fn parse(&self, text: &str) -> Result<Decimal, Problem> {
        if !self.percent
            && let Some(number) = plain_decimal(text, self.decimal)
        {
            return Ok(number);
        }
        let (mut rest, mut negative, mut percent) = (text, false, false);
        // Signs stand before or behind the number, in any order: "-€5", "€ -5", "(5.00)", "5-".
        let mut signs = 0;
        loop {
            rest = rest.trim();
            if let Some(inner) = rest
                .strip_prefix('(')
                .and_then(|rest| rest.strip_suffix(')'))
            {
                rest = inner;
                negative = true;
                signs += 1;
            } else if let Some(inner) = rest
                .strip_prefix(['-', '−', '–'])
                .or_else(|| rest.strip_suffix(['-', '−']))
            {
                rest = inner;
                negative = true;
                signs += 1;
            } else if let Some(inner) = rest.strip_prefix('+') {
                rest = inner;
                signs += 1;
            } else if let Some(inner) = rest.strip_suffix('%').filter(|_| !percent) {
                rest = inner;
                percent = true;
            } else if let Some(inner) = without_money(rest) {
                rest = inner;
            } else {
                break;
            }
        }
        if signs > 1 {
            return Err(Problem::invalid("is not a number: it has two signs"));
        }
        if percent && !self.percent {
            return Err(Problem::invalid(
                "has a percent sign; say unit = \"percent\" if a hundredth is to be sent",
            ));
        }
        let digits = self.digits(rest)?;
        let mut number = Decimal::from_str_exact(&digits).map_err(|_| too_long())?;
        if self.percent {
            number = hundredth(number)?;
        }
        if negative {
            number.set_sign_negative(!number.is_zero());
        }
        Ok(number)
    }

    /// The digits with a `.` as decimal mark, grouping taken out.
    fn digits<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, Problem> {
        let (whole, fraction) = match text.rsplit_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(fraction) = fraction
            && (!is_digits(fraction) || whole.is_empty() && fraction.is_empty())
        {
            return Err(self.refusal(text));
        }
        if is_digits(whole) {
            if whole.is_empty() && fraction.is_none() {
                return Err(self.refusal(text));
            }
            return Ok(match fraction {
                None | Some("") => Cow::Borrowed(whole),
                Some(_) if self.decimal == '.' && !whole.is_empty() => Cow::Borrowed(text),
                Some(fraction) => Cow::Owned(format!(
                    "{}.{fraction}",
                    if whole.is_empty() { "0" } else { whole }
                )),
            });
        }
        let mark = whole
            .chars()
            .find(|letter| !letter.is_ascii_digit())
            .filter(|mark| self.is_grouping(*mark))
            .ok_or_else(|| self.refusal(text))?;
        let groups: Vec<&str> = whole.split(mark).collect();
        let last = groups.len() - 1;
        let fits = groups.iter().enumerate().all(|(index, group)| {
            is_digits(group)
                && match index {
                    0 => (1..=3).contains(&group.len()),
                    // Groups of two before the last are how India writes lakhs and crores.
                    _ if index == last => group.len() == 3,
                    _ => group.len() == 3 || group.len() == 2 && groups[0].len() <= 2,
                }
        });
        if !fits {
            return Err(self.refusal(text));
        }
        let mut digits = groups.concat();
        if let Some(fraction) = fraction.filter(|fraction| !fraction.is_empty()) {
            digits.push('.');
            digits.push_str(fraction);
        }
        Ok(Cow::Owned(digits))
    }

    fn is_grouping(&self, mark: char) -> bool {
        mark != self.decimal
            && matches!(
                mark,
                ',' | '.' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’' | '_'
            )
    }

    fn refusal(&self, text: &str) -> Problem {
        if shortened(text) {
            return shortened_problem();
        }
        let other = if self.decimal == '.' { ',' } else { '.' };
        // 1500,00 and 1.500,00 where the mark is a point.
        let by_other = text.split_once(other).is_some_and(|(whole, fraction)| {
            let digit = |byte: u8| byte.is_ascii_digit();
            fraction.bytes().all(digit)
                && whole
                    .bytes()
                    .all(|byte| digit(byte) || byte == self.decimal as u8)
        });
        if by_other {
            return Problem::invalid(format!(
                "is not a number whose decimal mark is {:?}; say decimal = {:?} if that is its \
                 mark",
                self.decimal,
                other.to_string()
            ));
        }
        Problem::invalid("is not a number")
    }
}

/// A whole number of plain digits.
fn plain_integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A number of up to 18 plain digits, with the decimal mark at most once among them.
fn plain_decimal(text: &str, mark: char) -> Option<Decimal> {
    if text.len() > 19 {
        return None;
    }
    let (mut number, mut digits, mut scale) = (0i64, 0u32, None);
    for byte in text.bytes() {
        if byte.is_ascii_digit() && digits < 18 {
            number = number * 10 + i64::from(byte - b'0');
            digits += 1;
        } else if char::from(byte) == mark && scale.is_none() && digits > 0 {
            scale = Some(digits);
        } else {
            return None;
        }
    }
    (digits > 0).then(|| Decimal::new(number, scale.map_or(0, |before| digits - before)))
}

fn hundredth(number: Decimal) -> Result<Decimal, Problem> {
    number
        .checked_div(Decimal::ONE_HUNDRED)
        .ok_or_else(too_long)
}

fn too_long() -> Problem {
    Problem::new("precision", "has more digits than can be sent exactly")
}

/// Takes a sign or code of money from the front or the end.
fn without_money(text: &str) -> Option<&str> {
    let number = |letter: char| letter.is_ascii_digit() || matches!(letter, '-' | '−' | '(' | '+');
    let start = text.find(|letter: char| number(letter) || letter == '.' || letter == ',')?;
    let front = text[..start].trim_end();
    if !front.is_empty() {
        // "Fr. 5" and "kr. 5": the dot belongs to the sign.
        if let Some(rest) = text[start..].strip_prefix('.')
            && !rest.starts_with(|letter: char| letter.is_ascii_digit())
        {
            return is_money(front).then_some(rest);
        }
        return is_money(front).then(|| &text[start..]);
    }
    let end = text
        .rfind(|letter: char| letter.is_ascii_digit() || matches!(letter, '-' | ')' | '.' | ','))?;
    let end = end + text[end..].chars().next().map_or(0, char::len_utf8);
    let back = text[end..].trim_start();
    if back.is_empty() {
        // "5 kr."
        let inner = text.strip_suffix('.')?;
        let end = inner.rfind(|letter: char| letter.is_ascii_digit())? + 1;
        let back = inner[end..].trim_start();
        return (!back.is_empty() && is_money(back)).then(|| &text[..end]);
    }
    is_money(back).then(|| &text[..end])
}

fn is_money(sign: &str) -> bool {
    matches!(
        sign,
        "$" | "€"
            | "£"
            | "¥"
            | "￥"
            | "₹"
            | "₽"
            | "₺"
            | "₩"
            | "₴"
            | "₦"
            | "₫"
            | "₱"
            | "₪"
            | "฿"
            | "¢"
    ) || currency::is_sign(sign)
}

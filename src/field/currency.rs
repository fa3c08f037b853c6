//! Currencies by code, name and sign.

use std::borrow::Cow;
use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::issue::nearest;

use super::{Problem, Value, fold};

#[derive(Debug)]
struct Table {
    names: HashMap<String, &'static str>,
    codes: Vec<&'static str>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        names: HashMap::new(),
        codes: Vec::new(),
    };
    for line in include_str!("data/currencies.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let mut cells = line.split('\t');
        let Some(code) = cells.next() else { continue };
        table.codes.push(code);
        for name in std::iter::once(code)
            .chain(cells.flat_map(|cell| cell.split('|')))
            .filter(|name| !name.is_empty())
        {
            table.names.insert(fold(name).into_owned(), code);
        }
    }
    table
});

/// Signs that stand for the money of several countries, and some that they may mean.
const SHARED: &[(&str, &str)] = &[
    ("$", "USD, CAD, AUD and others"),
    ("¥", "JPY and CNY"),
    ("￥", "JPY and CNY"),
    ("kr", "SEK, NOK, DKK and ISK"),
    ("kr.", "DKK, SEK, NOK and ISK"),
    ("rs", "INR, PKR, LKR and others"),
    ("rs.", "INR, PKR, LKR and others"),
    ("fr", "CHF and others"),
    ("fr.", "CHF and others"),
    ("dollar", "USD, CAD, AUD and others"),
    ("pound", "GBP, EGP and others"),
    ("peso", "MXN, PHP, ARS and others"),
];

/// Whether a text is a sign or code of money, as it may stand beside an amount.
pub(super) fn is_sign(text: &str) -> bool {
    let folded = fold(text);
    TABLE.names.contains_key(folded.as_ref()) || SHARED.iter().any(|(sign, _)| *sign == folded)
}

/// Reads a currency as its ISO 4217 code.
pub(super) fn read(text: &str) -> Result<Value<'static>, Problem> {
    let folded = fold(text);
    if let Some(code) = TABLE.names.get(folded.as_ref()) {
        return Ok(Value::Text(Cow::Borrowed(code)));
    }
    if let Some((_, several)) = SHARED.iter().find(|(sign, _)| *sign == folded) {
        return Err(Problem::new(
            "ambiguous",
            format!("may mean {several}; give the code of three letters, or a `map`"),
        ));
    }
    let mut message =
        String::from("is not a currency; give its code of three letters by ISO 4217, such as EUR");
    if let Some(near) = nearest(text, TABLE.names.keys().map(String::as_str))
        && let Some(code) = TABLE.names.get(near)
    {
        message.push_str(&format!("; did you mean {code}?"));
    }
    Err(Problem::invalid(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_names_and_signs() {
        for (text, want) in [
            ("EUR", Ok("EUR")),
            ("eur", Ok("EUR")),
            ("€", Ok("EUR")),
            ("Euro", Ok("EUR")),
            ("£", Ok("GBP")),
            ("us dollar", Ok("USD")),
            ("US$", Ok("USD")),
            ("CHF", Ok("CHF")),
            ("zł", Ok("PLN")),
            ("$", Err("ambiguous")),
            ("¥", Err("ambiguous")),
            ("kr", Err("ambiguous")),
            ("DEM", Err("invalid")),
            ("12", Err("invalid")),
        ] {
            let got = read(text).map(|value| value.as_text().into_owned());
            assert_eq!(
                got.as_deref().map_err(|problem| problem.rule),
                want,
                "{text}"
            );
        }
    }
}

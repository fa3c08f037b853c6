//! Countries by code and by name in many languages.

use std::borrow::Cow;
use std::sync::{LazyLock, Mutex, PoisonError};

use hashbrown::HashMap;

use crate::issue::nearest;
use crate::row::{Cell, Kind};

use super::text::push_ascii;
use super::{Problem, Value};

/// What is sent of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Output {
    /// ISO 3166-1 alpha-2, such as `NL`.
    #[default]
    Alpha2,
    /// ISO 3166-1 alpha-3, such as `NLD`.
    Alpha3,
    /// ISO 3166-1 numeric, three digits, such as `528`.
    Numeric,
    /// The English name of Unicode CLDR, such as `Netherlands`.
    Name,
}

impl Output {
    pub(super) fn parse(name: Option<&str>) -> Result<Self, String> {
        match name {
            None | Some("alpha2") => Ok(Self::Alpha2),
            Some("alpha3") => Ok(Self::Alpha3),
            Some("numeric") => Ok(Self::Numeric),
            Some("name") => Ok(Self::Name),
            Some(other) => Err(format!(
                "The output of a country must be \"alpha2\", \"alpha3\", \"numeric\" or \"name\", \
                 not {other:?}."
            )),
        }
    }
}

/// One country of the table.
#[derive(Debug)]
pub(super) struct Country {
    pub(super) alpha2: &'static str,
    alpha3: &'static str,
    numeric: &'static str,
    pub(super) name: &'static str,
}

#[derive(Debug)]
struct Table {
    countries: Vec<Country>,
    names: HashMap<String, Meant>,
    /// Names without small words, for spellings that differ in them alone.
    short: HashMap<String, Meant>,
}

#[derive(Debug, Clone)]
enum Meant {
    One(u16),
    Several(Vec<u16>),
}

/// How well a spelling is founded: a code is never another country's name, and an English name goes
/// before the same name in another language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Foreign,
    English,
    Shared,
    Code,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| build(include_str!("data/countries.tsv")));

fn build(text: &'static str) -> Table {
    let mut countries: Vec<Country> = Vec::new();
    let mut ranked: HashMap<String, (Rank, Vec<u16>)> = HashMap::new();
    let mut add = |key: String, rank: Rank, index: u16| {
        if key.is_empty() {
            return;
        }
        let entry = ranked.entry(key).or_insert_with(|| (rank, Vec::new()));
        if rank > entry.0 {
            *entry = (rank, Vec::new());
        }
        if rank == entry.0 && !entry.1.contains(&index) {
            entry.1.push(index);
        }
    };
    let mut shared = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or("");
        let (alpha2, alpha3, numeric, name) = (cell(), cell(), cell(), cell());
        let (english, foreign) = (cell(), cell());
        if alpha2.contains(' ') {
            shared.push((alpha2, english));
            continue;
        }
        let index = countries.len() as u16;
        for code in [alpha2, alpha3, numeric, numeric.trim_start_matches('0')] {
            add(key(code), Rank::Code, index);
        }
        for name in std::iter::once(name).chain(english.split('|')) {
            add(key(name), Rank::English, index);
        }
        for name in foreign.split('|') {
            add(key(name), Rank::Foreign, index);
        }
        countries.push(Country {
            alpha2,
            alpha3,
            numeric,
            name,
        });
    }
    for (codes, names) in shared {
        for code in codes.split(' ') {
            if let Some(index) = countries.iter().position(|country| country.alpha2 == code) {
                for name in names.split('|') {
                    add(key(name), Rank::Shared, index as u16);
                }
            }
        }
    }
    let mut short: HashMap<String, (Rank, Vec<u16>)> = HashMap::new();
    for (name, (rank, meant)) in &ranked {
        if *rank == Rank::Code {
            continue;
        }
        let entry = short
            .entry(without_small_words(name))
            .or_insert_with(|| (*rank, Vec::new()));
        if *rank > entry.0 {
            *entry = (*rank, Vec::new());
        }
        if *rank == entry.0 {
            for index in meant {
                if !entry.1.contains(index) {
                    entry.1.push(*index);
                }
            }
        }
    }
    let settle = |map: HashMap<String, (Rank, Vec<u16>)>| {
        map.into_iter()
            .map(|(name, (_, mut meant))| {
                meant.sort_unstable();
                let meant = match meant.as_slice() {
                    [one] => Meant::One(*one),
                    _ => Meant::Several(meant),
                };
                (name, meant)
            })
            .collect()
    };
    Table {
        countries,
        names: settle(ranked),
        short: settle(short),
    }
}

/// Words that spellings of one name have or have not.
const SMALL_WORDS: &[&str] = &[
    "the", "of", "and", "la", "le", "les", "el", "los", "las", "il", "lo", "i", "gli", "de", "del",
    "der", "die", "das", "des", "di", "da", "do", "dos", "du", "den", "het", "van", "und", "et",
    "y", "e", "en", "och", "og", "d", "l", "o", "a", "as", "os", "in",
];

fn without_small_words(name: &str) -> String {
    let kept: Vec<&str> = name
        .split(' ')
        .filter(|word| !SMALL_WORDS.contains(word))
        .collect();
    kept.join(" ")
}

/// The form in which names are compared: lower case, without marks, one space between words.
fn key(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '&' | '+' => plain.push_str(" and "),
            '\'' | '’' | '‘' | 'ʼ' | 'ʻ' | '´' | '`' | '.' | '׳' => {}
            '(' | ')' | ',' | '-' | '–' | '_' | '/' | '‑' | ';' | ':' | '[' | ']' | '*' => {
                plain.push(' ');
            }
            _ => {
                if !push_ascii(letter, &mut plain) {
                    plain.extend(letter.to_lowercase());
                }
            }
        }
    }
    plain.make_ascii_lowercase();
    let mut key = String::with_capacity(plain.len());
    for word in plain.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(if word == "st" || word == "ste" {
            "saint"
        } else {
            word
        });
    }
    match key.strip_prefix("the ") {
        Some(rest) => rest.to_owned(),
        None => key,
    }
}

/// The country of a code or name.
pub(super) fn find(text: &str) -> Result<&'static Country, Problem> {
    let table = &*TABLE;
    if let Some(country) = by_plain(table, text) {
        return Ok(country);
    }
    let name = key(text);
    let mut meant = table.names.get(&name);
    if meant.is_none() && name.contains(' ') {
        let short = without_small_words(&name);
        if !short.is_empty() {
            meant = table.short.get(&short);
        }
    }
    match meant {
        Some(Meant::One(index)) => Ok(&table.countries[usize::from(*index)]),
        Some(Meant::Several(several)) => {
            let named: Vec<String> = several
                .iter()
                .map(|index| &table.countries[usize::from(*index)])
                .map(|country| format!("{} ({})", country.name, country.alpha2))
                .collect();
            Err(Problem::new(
                "ambiguous",
                format!("is the name of {}; give the code", named.join(" and of ")),
            ))
        }
        None => {
            let mut message = String::from("is not a country that is known by this name or code");
            match near(table, text) {
                Some(near) => message.push_str(&format!("; did you mean {near:?}?")),
                None => message
                    .push_str("; give its name, or its code of two or three letters by ISO 3166"),
            }
            Err(Problem::invalid(message))
        }
    }
}

/// How many unknown names are remembered.
const REMEMBERED: usize = 1_024;

/// Names that are no country's, and the country that was likely meant. One wrong name often stands
/// in many rows, and it is compared with every country's.
static NEAR: LazyLock<Mutex<HashMap<Box<str>, Option<&'static str>>>> =
    LazyLock::new(Mutex::default);

/// The country whose name is nearest to a text that is too long to be a code.
fn near(table: &'static Table, text: &str) -> Option<&'static str> {
    if text.chars().count() <= 3 {
        return None;
    }
    let remembered = || NEAR.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(near) = remembered().get(text) {
        return *near;
    }
    let near = nearest(text, table.countries.iter().map(|country| country.name));
    let mut remembered = remembered();
    if remembered.len() >= REMEMBERED {
        remembered.clear();
    }
    // A cell may hold a whole text; those do not come twice.
    if text.len() <= 64 {
        remembered.insert(text.into(), near);
    }
    near
}

/// The fast way for ASCII names without marks: folded on the stack, one look-up.
fn by_plain(table: &'static Table, text: &str) -> Option<&'static Country> {
    let mut buffer = [0u8; 48];
    let bytes = text.as_bytes();
    if bytes.len() > buffer.len() {
        return None;
    }
    let mut space = true;
    for (place, &byte) in buffer.iter_mut().zip(bytes) {
        *place = match byte {
            b'A'..=b'Z' => byte | 0x20,
            b'a'..=b'z' | b'0'..=b'9' => byte,
            b' ' if !space => byte,
            _ => return None,
        };
        space = byte == b' ';
    }
    let name = std::str::from_utf8(&buffer[..bytes.len()]).ok()?;
    match table.names.get(name)? {
        Meant::One(index) => Some(&table.countries[usize::from(*index)]),
        Meant::Several(_) => None,
    }
}

/// Reads a country.
pub(super) fn read(cell: Cell<'_>, output: Output) -> Result<Value<'_>, Problem> {
    let country = match cell.kind {
        Kind::Number(number) if (0.0..1000.0).contains(&number) && number.fract() == 0.0 => {
            find(&format!("{number:03}"))?
        }
        _ => find(cell.text)?,
    };
    let sent = match output {
        Output::Alpha2 => country.alpha2,
        Output::Alpha3 => country.alpha3,
        Output::Numeric => country.numeric,
        Output::Name => country.name,
    };
    if sent.is_empty() {
        return Err(Problem::invalid(format!(
            "is {}, which has no numeric code in ISO 3166",
            country.name
        )));
    }
    Ok(Value::Text(Cow::Borrowed(sent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let table = &*TABLE;
        assert_eq!(table.countries.len(), 250);
        for country in &table.countries {
            assert_eq!(country.alpha2.len(), 2);
            assert_eq!(country.alpha3.len(), 3);
            for text in [country.alpha2, country.alpha3, country.name] {
                assert_eq!(find(text).unwrap().alpha2, country.alpha2, "{text}");
            }
        }
    }

    #[test]
    fn names_are_found_however_written() {
        for (text, want) in [
            ("NL", "NL"),
            ("nld", "NL"),
            ("528", "NL"),
            ("8", "AL"),
            ("008", "AL"),
            ("Holland", "NL"),
            ("the Netherlands", "NL"),
            ("Deutschland", "DE"),
            ("DEUTSCHLAND", "DE"),
            ("Allemagne", "DE"),
            ("Duitsland", "DE"),
            ("Alemania", "DE"),
            ("Germania", "DE"),
            ("Alemanha", "DE"),
            ("Côte d'Ivoire", "CI"),
            ("Cote d’Ivoire", "CI"),
            ("COTE DIVOIRE", "CI"),
            ("UK", "GB"),
            ("U.K.", "GB"),
            ("Great Britain", "GB"),
            ("USA", "US"),
            ("U.S.A.", "US"),
            ("United States of America", "US"),
            ("Vereinigte Staaten", "US"),
            ("Korea, Rep.", "KR"),
            ("Republic of Korea", "KR"),
            ("Korea (the Republic of)", "KR"),
            ("Democratic People's Republic of Korea", "KP"),
            ("Congo, Dem. Rep.", "CD"),
            ("Congo, Rep.", "CG"),
            ("Trinidad & Tobago", "TT"),
            ("St. Lucia", "LC"),
            ("Saint Lucia", "LC"),
            ("Österreich", "AT"),
            ("Osterreich", "AT"),
            ("Turkey", "TR"),
            ("Czech Republic", "CZ"),
            ("日本", "JP"),
            ("Россия", "RU"),
            ("the Islamic Republic of Afghanistan", "AF"),
            ("Republic of China", "TW"),
            ("People's Republic of China", "CN"),
            ("la République démocratique du Congo", "CD"),
            ("Niger", "NE"),
            ("Nigeria", "NG"),
            ("Guinea", "GN"),
            ("Dominica", "DM"),
            ("Dominican Republic", "DO"),
        ] {
            assert_eq!(find(text).map(|country| country.alpha2), Ok(want), "{text}");
        }
    }

    #[test]
    fn a_name_of_two_countries_names_both() {
        for (text, one, other) in [
            ("Korea", "(KP)", "(KR)"),
            ("Congo", "(CD)", "(CG)"),
            ("Corée", "(KP)", "(KR)"),
            ("Kongo", "(CD)", "(CG)"),
        ] {
            let problem = find(text).unwrap_err();
            assert_eq!(problem.rule, "ambiguous", "{text}");
            assert!(problem.message.contains(one), "{}", problem.message);
            assert!(problem.message.contains(other), "{}", problem.message);
        }
    }

    #[test]
    fn an_unknown_name_offers_the_nearest() {
        let problem = find("Germny").unwrap_err();
        assert_eq!(problem.rule, "invalid");
        assert!(problem.message.contains("Germany"), "{}", problem.message);
        for text in ["ZZ", "Atlantis", "?", "the", "Republic", "999"] {
            assert_eq!(
                find(text).map(|country| country.alpha2).unwrap_err().rule,
                "invalid",
                "{text}"
            );
        }
    }
}

//! A whole name taken apart into given and family name.

/// Titles before a name, without dots.
const TITLES: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "drs",
    "prof",
    "professor",
    "sir",
    "dame",
    "madam",
    "lord",
    "lady",
    "rev",
    "hon",
    "herr",
    "frau",
    "m",
    "mme",
    "mlle",
    "monsieur",
    "madame",
    "mademoiselle",
    "sr",
    "sra",
    "srta",
    "señor",
    "señora",
    "don",
    "doña",
    "sig",
    "sigra",
    "dott",
    "dottssa",
    "ing",
    "dipl-ing",
    "mag",
    "dhr",
    "mevr",
    "mw",
    "ir",
    "capt",
    "col",
    "lt",
    "maj",
    "sgt",
    "med",
    "phil",
    "jur",
    "hc",
];

/// Degrees behind a name, which are no part of it.
const DEGREES: &[&str] = &[
    "phd", "md", "mba", "msc", "bsc", "ma", "ba", "esq", "dds", "cpa", "rn", "llm", "jd", "obe",
    "mbe", "cbe", "dphil", "beng", "meng", "pe",
];

/// Words behind a family name that tell generations apart.
const GENERATIONS: &[&str] = &["jr", "sr", "ii", "iii", "iv", "junior", "senior"];

/// Words between the titles of two people of one name.
const ANDS: &[&str] = &["&", "+", "and", "und", "et", "en", "y", "e"];

/// Small words that begin a family name.
const PARTICLES: &[&str] = &[
    "van", "von", "vom", "zu", "zum", "zur", "de", "del", "della", "dello", "dei", "degli", "di",
    "da", "do", "dos", "das", "du", "des", "der", "den", "ter", "ten", "te", "la", "le", "las",
    "los", "lo", "el", "al", "bin", "ibn", "ben", "af", "av", "op", "'t", "’t", "st", "saint",
    "mac", "o'", "y",
];

fn plain(word: &str) -> String {
    word.chars()
        .filter(|letter| *letter != '.')
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_in(word: &str, list: &[&str]) -> bool {
    list.contains(&plain(word).as_str())
}

/// Given and family name. `Last, First` is read as such; titles and degrees are left out, particles
/// stay with the family name. One word alone is a given name, behind a title a family name.
pub(super) fn split(name: &str) -> (String, String) {
    let mut parts: Vec<Vec<&str>> = name
        .split(',')
        .map(|part| part.split_whitespace().collect())
        .filter(|part: &Vec<&str>| !part.is_empty())
        .collect();
    let mut generation = None;
    let mut own = None;
    // "Smith, PhD", "King, Jr.": such a part behind a comma is no given name.
    while parts.len() > 1
        && let Some(last) = parts.last()
        && last
            .iter()
            .all(|word| is_in(word, DEGREES) || is_in(word, GENERATIONS))
    {
        generation = last
            .iter()
            .copied()
            .find(|word| is_in(word, GENERATIONS))
            .or(generation);
        parts.pop();
    }
    let mut titled = false;
    let mut bare = |words: &[&'_ str]| -> Vec<String> {
        let mut words: Vec<&str> = words.to_vec();
        while words.len() > 1 && words.first().is_some_and(|word| is_title(word)) {
            words.remove(0);
            titled = true;
            // "Mr and Mrs Smith".
            if words.len() > 2
                && let [and, title, ..] = words.as_slice()
                && is_in(and, ANDS)
                && is_title(title)
            {
                words.remove(0);
            }
        }
        while words.len() > 1
            && words
                .last()
                .is_some_and(|word| is_in(word, DEGREES) && is_degree(word))
        {
            words.pop();
        }
        words.into_iter().map(str::to_owned).collect()
    };
    let (given, mut family) = match parts.as_slice() {
        [] => return (String::new(), String::new()),
        [one] => {
            let mut words = bare(one);
            if words.len() > 2
                && let Some(last) = words.last()
                && is_in(last, GENERATIONS)
            {
                generation = one.iter().copied().find(|word| *word == last.as_str());
                words.pop();
            }
            match words.len() {
                0 => return (String::new(), String::new()),
                1 if titled => (Vec::new(), words),
                1 => (words, Vec::new()),
                count => {
                    let mut start = count - 1;
                    if let Some(particle) =
                        words[1..start].iter().position(|word| is_particle(word))
                    {
                        start = particle + 1;
                    } else if is_particle(&words[0]) && titled {
                        start = 0;
                    }
                    let family = words.split_off(start);
                    (words, family)
                }
            }
        }
        [family, given, ..] => {
            let mut given = bare(given);
            // "O'Neill, Shaun Jr."
            if given.len() > 1 && given.last().is_some_and(|last| is_in(last, GENERATIONS)) {
                let last = given.pop();
                if generation.is_none() {
                    own = last;
                }
            }
            (given, bare(family))
        }
    };
    if let Some(generation) = generation.map(str::to_owned).or(own)
        && !family.is_empty()
    {
        family.push(generation);
    }
    (given.join(" "), family.join(" "))
}

/// A title has a dot or is written out; the single letter M must have its dot.
fn is_title(word: &str) -> bool {
    is_in(word, TITLES) && (plain(word).len() > 1 || word.ends_with('.'))
}

/// `Ma` and `Ba` are family names, `MA` and `B.A.` degrees.
fn is_degree(word: &str) -> bool {
    plain(word).len() > 2 || word.contains('.') || word.chars().all(char::is_uppercase)
}

/// A particle that is not a name: in lower case, or one of several letters that is never a given
/// name.
fn is_particle(word: &str) -> bool {
    if !is_in(word, PARTICLES) {
        return false;
    }
    let lower =
        word.chars().next().is_some_and(char::is_lowercase) || word.starts_with(['\'', '’']);
    lower
        || matches!(
            plain(word).as_str(),
            "van"
                | "von"
                | "de"
                | "del"
                | "della"
                | "di"
                | "da"
                | "dos"
                | "du"
                | "der"
                | "den"
                | "la"
                | "le"
                | "al"
                | "el"
                | "bin"
                | "ibn"
                | "st"
                | "zu"
                | "ter"
                | "ten"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (name, given, family) in [
            ("Anna Schmidt", "Anna", "Schmidt"),
            ("Schmidt, Anna", "Anna", "Schmidt"),
            ("Dr. Anna Maria Schmidt", "Anna Maria", "Schmidt"),
            ("Prof. Dr. Schmidt", "", "Schmidt"),
            ("Herr Dr. med. Jan Müller", "Jan", "Müller"),
            ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
            ("Ludwig Van Beethoven", "Ludwig", "Van Beethoven"),
            ("van der Berg, Jan", "Jan", "van der Berg"),
            ("Jan van der Berg", "Jan", "van der Berg"),
            ("Maria de la Cruz", "Maria", "de la Cruz"),
            ("Mr van Dyke", "", "van Dyke"),
            ("Van Morrison", "Van", "Morrison"),
            ("Martin Luther King Jr.", "Martin Luther", "King Jr."),
            ("King, Martin Luther, Jr.", "Martin Luther", "King Jr."),
            ("O'Neill, Shaun Jr.", "Shaun", "O'Neill Jr."),
            ("Mr. & Mrs. Smith", "", "Smith"),
            ("Herr und Frau Dr. Jan Müller", "Jan", "Müller"),
            ("Anna & Jan Müller", "Anna & Jan", "Müller"),
            ("John Smith, PhD", "John", "Smith"),
            ("Jane Doe MD", "Jane", "Doe"),
            ("Yo-Yo Ma", "Yo-Yo", "Ma"),
            ("Cher", "Cher", ""),
            ("Mrs. Robinson", "", "Robinson"),
            ("M. Dupont", "", "Dupont"),
            ("Sean O'Neill", "Sean", "O'Neill"),
            ("", "", ""),
            (",", "", ""),
            ("Dr.", "Dr.", ""),
        ] {
            assert_eq!(
                split(name),
                (given.to_owned(), family.to_owned()),
                "{name:?}"
            );
        }
    }
}

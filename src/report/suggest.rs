//! What a person can write into the mapping so that many rows go in at once.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::tally::GroupCount;
use crate::issue::Issue;

/// The most values that are counted for one kind of problem, and the longest, in bytes.
const VALUES: usize = 64;
const LONGEST: usize = 60;
/// The most values that one suggestion names.
const NAMED: usize = 4;
/// The most suggestions.
const SUGGESTIONS: usize = 5;

/// A line for the mapping file that mends many rows at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Suggestion {
    /// What to write, as it stands in a mapping file; `…` is to be filled in.
    pub write: String,
    /// Where to write it: `the rule of address.country`, `[source]`.
    pub place: String,
    /// How many problems it mends.
    pub rows: u64,
    /// The code of the problems.
    pub code: String,
    /// The column that they are in.
    pub column: Option<String>,
}

/// What one kind of problem has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    /// The words of a choice, a country, a currency, of yes and no.
    Words,
    /// The order of day and month.
    DateOrder,
}

/// The values of one kind of problem, counted as far as there is room.
#[derive(Debug, Clone)]
pub(super) struct Values {
    remedy: Remedy,
    /// Value, what it may mean, how often it came.
    values: Vec<(Arc<str>, Option<String>, u64)>,
}

impl Values {
    /// Begins to count the values of issues like this one, where counting them is of use.
    pub(super) fn of(issue: &Issue) -> Option<Self> {
        let message = &*issue.message;
        let (_, rule) = issue.code.rsplit_once('.')?;
        let remedy = match rule {
            "invalid" if message.contains("neither yes nor no") => Remedy::Words,
            "invalid" if message.contains("none of the words for true") => Remedy::Words,
            "invalid" | "option" if message.contains("is not an option") => Remedy::Words,
            "invalid" if message.contains("is not a country") => Remedy::Words,
            "invalid" if message.contains("is not a currency") => Remedy::Words,
            "map" => Remedy::Words,
            "ambiguous" if message.contains("date_order") => Remedy::DateOrder,
            _ => return None,
        };
        Some(Self {
            remedy,
            values: Vec::new(),
        })
    }

    /// Counts one more.
    pub(super) fn add(&mut self, issue: &Issue) {
        let Some(value) = issue
            .value
            .as_ref()
            .filter(|_| self.remedy != Remedy::DateOrder)
        else {
            return;
        };
        if value.trim().is_empty() || value.len() > LONGEST {
            return;
        }
        let known = self.values.iter().position(|known| known.0 == *value);
        match known {
            Some(known) => self.values[known].2 += 1,
            None if self.values.len() < VALUES => {
                let meant = meant(&issue.message).filter(|_| !issue.code.ends_with(".map"));
                self.values
                    .push((Arc::clone(value), meant.map(str::to_owned), 1));
            }
            None => {}
        }
    }

    /// What would mend them.
    pub(super) fn suggestion(&self, group: &GroupCount<'_>) -> Option<Suggestion> {
        let rule = || format!("the rule of {}", group.field.unwrap_or_default());
        let of = |write: String, place: String, rows: u64| {
            Some(Suggestion {
                write,
                place,
                rows,
                code: group.code.to_owned(),
                column: group.column.map(str::to_owned),
            })
        };
        if self.remedy == Remedy::DateOrder {
            let write = "date_order = \"dmy\"   (or \"mdy\": month first)".to_owned();
            return of(write, "[source]".to_owned(), group.count);
        }
        group.field?;
        let mut values: Vec<_> = self.values.iter().collect();
        // What it may mean is known, then what comes often.
        values.sort_by_key(|(_, meant, count)| (meant.is_none(), std::cmp::Reverse(*count)));
        let known = values.iter().take_while(|value| value.1.is_some()).count();
        if known == 0 {
            // To be filled in by hand it must be few words for many rows.
            values.retain(|(.., count)| *count > 1);
        } else {
            values.truncate(known);
        }
        values.truncate(NAMED);
        let rows = values.iter().map(|(.., count)| count).sum();
        let pairs: Vec<String> = values
            .iter()
            .map(|(value, meant, _)| {
                let meant = match meant {
                    Some(meant) => Value::from(meant.as_str()).to_string(),
                    None => "\"…\"".to_owned(),
                };
                format!("{} = {meant}", Value::from(&**value))
            })
            .collect();
        let pairs = pairs.join(", ");
        match (pairs.is_empty(), group.code.ends_with(".map")) {
            (true, _) => None,
            (_, true) => of(format!("{pairs}   (more words of its map)"), rule(), rows),
            _ => of(format!("map = {{ {pairs} }}"), rule(), rows),
        }
    }
}

/// The first few, those that mend most before the others.
pub(super) fn most(mut suggestions: Vec<Suggestion>) -> Vec<Suggestion> {
    // One row is mended in its cell.
    suggestions.retain(|suggestion| suggestion.rows > 1);
    suggestions.sort_by_key(|suggestion| std::cmp::Reverse(suggestion.rows));
    suggestions.truncate(SUGGESTIONS);
    suggestions
}

/// What a message asks whether it was meant.
fn meant(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("did you mean ")?;
    let (meant, _) = rest.split_once('?')?;
    Some(meant.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::Severity;

    fn issue(code: &str, value: &str, message: &str) -> Issue {
        Issue {
            code: code.into(),
            severity: Severity::Error,
            column: Some(0),
            field: Some("country".into()),
            value: Some(value.into()),
            message: message.to_owned().into(),
        }
    }

    fn suggested(issues: &[(Issue, u64)]) -> Option<(String, String, u64)> {
        let mut values = Values::of(&issues[0].0)?;
        let mut count = 0;
        for (issue, times) in issues {
            (0..*times).for_each(|_| values.add(issue));
            count += times;
        }
        let found = values.suggestion(&GroupCount {
            code: &issues[0].0.code,
            column: Some("Country"),
            field: Some("country"),
            fate: "rejected",
            severity: "error",
            count,
        })?;
        Some((found.write, found.place, found.rows))
    }

    #[test]
    fn what_mends_many_rows_is_said() {
        let near = |value, near| {
            let message = format!("this is not a country that is known; did you mean {near:?}?");
            issue("country.invalid", value, &message)
        };
        let far = |value| {
            issue(
                "country.invalid",
                value,
                "this is not a country that is known",
            )
        };
        let flag = |value| {
            issue(
                "vip.invalid",
                value,
                "this is neither yes nor no; known are",
            )
        };
        let map = |value| {
            issue(
                "type.map",
                value,
                "this is not in the map; did you mean \"A\"?",
            )
        };
        let date = |value| issue("dob.ambiguous", value, "say date_order = \"dmy\" or");
        let mail = |value| issue("email.invalid", value, "there is no @");
        for (issues, expected) in [
            (
                vec![
                    (near("Germny", "Germany"), 3),
                    (far("Atlantis"), 9),
                    (near("Frnace", "France"), 5),
                ],
                Some((
                    "map = { \"Frnace\" = \"France\", \"Germny\" = \"Germany\" }",
                    "the rule of country",
                    8,
                )),
            ),
            (
                vec![(far("N/A"), 4), (far("x\"y"), 1)],
                Some(("map = { \"N/A\" = \"…\" }", "the rule of country", 4)),
            ),
            (vec![(far("N/A"), 1)], None),
            (
                vec![(flag("aktiv"), 7), (flag("inaktiv"), 2)],
                Some((
                    "map = { \"aktiv\" = \"…\", \"inaktiv\" = \"…\" }",
                    "the rule of country",
                    9,
                )),
            ),
            (
                vec![(map("B"), 3)],
                Some((
                    "\"B\" = \"…\"   (more words of its map)",
                    "the rule of country",
                    3,
                )),
            ),
            (
                vec![(date("03/04/1985"), 3)],
                Some((
                    "date_order = \"dmy\"   (or \"mdy\": month first)",
                    "[source]",
                    3,
                )),
            ),
            (vec![(mail("n/a"), 20)], None),
        ] {
            let expected = expected.map(|(write, place, rows): (&str, &str, u64)| {
                (write.to_owned(), place.to_owned(), rows)
            });
            assert_eq!(suggested(&issues), expected);
        }
    }

    #[test]
    fn values_without_end_take_no_memory_without_end() {
        let first = issue("country.invalid", "x", "this is not a country");
        let mut values = Values::of(&first).unwrap();
        for number in 0..10_000 {
            values.add(&issue("country.invalid", &number.to_string(), ""));
        }
        assert_eq!(values.values.len(), VALUES);
    }
}

//! Options of the target, by value or label.

use std::borrow::Cow;

use hashbrown::HashMap;

use crate::issue::nearest;
use crate::row::{Cell, Kind};

use super::{Choice, Problem, Value, decimal_of, fold};

/// How many options a message names at most.
const NAMED: usize = 12;

/// The options of one rule.
#[derive(Debug)]
pub(super) struct Choices {
    options: Vec<Choice>,
    texts: Vec<String>,
    /// Values as they are sent, the way most cells have them.
    exact: HashMap<String, usize>,
    /// Folded values and labels, and the option that each means; `None` where several do.
    known: HashMap<String, Option<usize>>,
}

impl Choices {
    pub(super) fn new(options: Vec<Choice>) -> Self {
        let texts: Vec<String> = options
            .iter()
            .map(|option| Value::from_json(&option.value).as_text().into_owned())
            .collect();
        let mut exact = HashMap::new();
        let mut known: HashMap<String, Option<usize>> = HashMap::new();
        for (index, text) in texts.iter().enumerate() {
            exact.entry(text.clone()).or_insert(index);
            known
                .entry(fold(text).into_owned())
                .and_modify(|meant| *meant = None)
                .or_insert(Some(index));
        }
        // A value goes before a label that looks like it.
        let mut labels: HashMap<String, Option<usize>> = HashMap::new();
        for (index, option) in options.iter().enumerate() {
            if let Some(label) = &option.label {
                labels
                    .entry(fold(label).into_owned())
                    .and_modify(|meant| {
                        if *meant != Some(index) {
                            *meant = None;
                        }
                    })
                    .or_insert(Some(index));
            }
        }
        for (label, meant) in labels {
            known.entry(label).or_insert(meant);
        }
        Self {
            options,
            texts,
            exact,
            known,
        }
    }

    pub(super) fn read<'a>(&self, cell: Cell<'a>) -> Result<Value<'a>, Problem> {
        if self.options.is_empty() {
            return Ok(Value::Text(Cow::Borrowed(cell.text)));
        }
        let mut found = self.find(cell.text);
        if found.is_none()
            && let Kind::Number(number) = cell.kind
            && let Some(exact) = decimal_of(number)
        {
            found = self.find(&exact.to_string());
        }
        match found {
            Some(Some(index)) => Ok(self.value(index, cell.text)),
            Some(None) => Err(Problem::new(
                "ambiguous",
                "is the name of several options; give the option's value",
            )),
            None => Err(self.unknown(cell.text)),
        }
    }

    /// The option of this text: exactly its value, or its value or label however written.
    fn find(&self, text: &str) -> Option<Option<usize>> {
        // Where several values differ by their letters' case alone only the exact one will do.
        match self.exact.get(text) {
            Some(index) => Some(Some(*index)),
            None => self.known.get(fold(text).as_ref()).copied(),
        }
    }

    fn value<'a>(&self, index: usize, text: &'a str) -> Value<'a> {
        match &self.options[index].value {
            serde_json::Value::String(value) if value == text => Value::Text(Cow::Borrowed(text)),
            value => Value::from_json(value),
        }
    }

    fn unknown(&self, text: &str) -> Problem {
        let mut message = String::from("is not an option of the target");
        let names = self
            .options
            .iter()
            .zip(&self.texts)
            .flat_map(|(option, value)| {
                std::iter::once(value.as_str()).chain(option.label.as_deref())
            });
        if let Some(near) = nearest(text, names) {
            message.push_str(&format!("; did you mean {near:?}?"));
        }
        let show = |(option, value): (&Choice, &String)| match &option.label {
            Some(label) if label != value => format!("{value} ({label})"),
            _ => value.clone(),
        };
        let mut named: Vec<String> = self
            .options
            .iter()
            .zip(&self.texts)
            .take(NAMED)
            .map(show)
            .collect();
        if self.options.len() > NAMED {
            named.push(format!("and {} more", self.options.len() - NAMED));
        }
        message.push_str(if message.ends_with('?') {
            " Options: "
        } else {
            "; options: "
        });
        message.push_str(&named.join(", "));
        Problem::new("option", message)
    }
}

//! Words for true and false.

use crate::row::{Cell, Kind};

use super::{Problem, Spec, Value, fold};

/// The words of one rule, folded; the usual ones where none are given.
#[derive(Debug)]
pub(super) struct Booleans {
    own: Option<(Vec<String>, Vec<String>)>,
}

const TRUE: &[&str] = &["yes", "true", "1", "y", "on", "ja", "oui", "x"];
const FALSE: &[&str] = &["no", "false", "0", "n", "off", "nein", "non"];

impl Booleans {
    pub(super) fn new(spec: &Spec) -> Result<Self, String> {
        if spec.true_values.is_none() && spec.false_values.is_none() {
            return Ok(Self { own: None });
        }
        let words = |given: &Option<Vec<String>>, usual: &[&str]| match given {
            Some(words) => words.iter().map(|word| fold(word).into_owned()).collect(),
            None => usual.iter().map(|word| (*word).to_owned()).collect(),
        };
        let mut yes: Vec<String> = words(&spec.true_values, TRUE);
        let mut no: Vec<String> = words(&spec.false_values, FALSE);
        // A word that one list names is taken from the usual words of the other.
        if spec.true_values.is_none() {
            yes.retain(|word| !no.contains(word));
        } else if spec.false_values.is_none() {
            no.retain(|word| !yes.contains(word));
        } else if let Some(both) = yes.iter().find(|word| no.contains(word)) {
            return Err(format!(
                "{both:?} stands in both true_values and false_values; name it in one of them."
            ));
        }
        Ok(Self {
            own: Some((yes, no)),
        })
    }

    pub(super) fn read(&self, cell: Cell<'_>) -> Result<Value<'static>, Problem> {
        if let Kind::Boolean(truth) = cell.kind {
            return Ok(Value::Boolean(truth));
        }
        let Some((yes, no)) = &self.own else {
            let text = match cell.kind {
                Kind::Number(1.0) => "1",
                Kind::Number(0.0) => "0",
                _ => cell.text,
            };
            if TRUE.iter().any(|word| word.eq_ignore_ascii_case(text)) {
                return Ok(Value::Boolean(true));
            }
            if FALSE.iter().any(|word| word.eq_ignore_ascii_case(text)) {
                return Ok(Value::Boolean(false));
            }
            return Err(Problem::invalid(
                "is neither yes nor no; known are yes/no, true/false, 1/0, y/n, on/off, ja/nein, \
                 oui/non and x; name other words in true_values and false_values",
            ));
        };
        let text = fold(cell.text);
        if yes.iter().any(|word| *word == text) {
            Ok(Value::Boolean(true))
        } else if no.iter().any(|word| *word == text) {
            Ok(Value::Boolean(false))
        } else {
            Err(Problem::invalid(format!(
                "is none of the words for true ({}) or false ({})",
                yes.join(", "),
                no.join(", ")
            )))
        }
    }
}

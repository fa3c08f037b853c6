//! Paths into JSON: `address.city`, `a[0].b`, `aliases[]`; a dot within a key is written `\.`.

use std::fmt;

use serde_json::{Map, Value};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A member of an object.
    Key(String),
    /// A member of an array, from 0.
    Index(usize),
    /// The array as a whole, of which each rule gives a member: `[]`.
    Each,
}

/// A path into a JSON value. The empty path is the value itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// Reads a path as it is written in mapping and target files.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut key = String::new();
        let mut chars = text.chars().peekable();
        let mut open = true;
        while let Some(c) = chars.next() {
            match c {
                '\\' if matches!(chars.peek(), Some('.' | '[' | ']' | '\\')) => {
                    key.extend(chars.next());
                }
                '.' => {
                    if !key.is_empty() {
                        steps.push(Step::Key(std::mem::take(&mut key)));
                    } else if open {
                        return Err(format!("the path `{text}` has an empty part"));
                    }
                    open = true;
                    continue;
                }
                '[' => {
                    if !key.is_empty() {
                        steps.push(Step::Key(std::mem::take(&mut key)));
                    }
                    let mut inner = String::new();
                    loop {
                        match chars.next() {
                            Some(']') => break,
                            Some(c) => inner.push(c),
                            None => return Err(format!("the path `{text}` has a `[` without `]`")),
                        }
                    }
                    if inner.is_empty() {
                        steps.push(Step::Each);
                    } else {
                        let index = inner
                            .parse::<usize>()
                            .ok()
                            .filter(|i| *i < 1000)
                            .ok_or_else(|| {
                                format!(
                                    "`[{inner}]` in the path `{text}` is not a number below 1000"
                                )
                            })?;
                        steps.push(Step::Index(index));
                    }
                    open = false;
                    continue;
                }
                c => key.push(c),
            }
            open = false;
        }
        if !key.is_empty() {
            steps.push(Step::Key(key));
        } else if open && !text.is_empty() {
            return Err(format!("the path `{text}` has an empty part"));
        }
        Ok(Self(steps))
    }

    /// The path of one member of an object.
    pub fn key(name: impl Into<String>) -> Self {
        Self(vec![Step::Key(name.into())])
    }

    /// This path with `more` behind it.
    #[must_use]
    pub fn join(&self, more: &Path) -> Self {
        Self(self.0.iter().chain(&more.0).cloned().collect())
    }

    /// Whether its first step is this member.
    pub fn begins(&self, name: &str) -> bool {
        matches!(self.0.first(), Some(Step::Key(key)) if key == name)
    }

    /// Whether it is the value itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value at this path, if there is one. A step by number serves objects too.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |at, step| match step {
            Step::Key(key) => match at {
                Value::Array(items) => items.get(key.parse::<usize>().ok()?),
                _ => at.get(key),
            },
            Step::Index(index) => at.get(index),
            Step::Each => Some(at),
        })
    }

    /// Puts `new` at this path, making objects and arrays on the way; what stands in the way of
    /// the path is replaced.
    pub fn set(&self, value: &mut Value, new: Value) {
        let mut at = value;
        for step in &self.0 {
            match step {
                Step::Key(key) => {
                    if !at.is_object() {
                        *at = Value::Object(Map::new());
                    }
                    let Value::Object(map) = at else { return };
                    at = map.entry(key.clone()).or_insert(Value::Null);
                }
                Step::Index(index) => {
                    if !at.is_array() {
                        *at = Value::Array(Vec::new());
                    }
                    let Value::Array(items) = at else { return };
                    if items.len() <= *index {
                        items.resize(index + 1, Value::Null);
                    }
                    at = &mut items[*index];
                }
                Step::Each => {
                    if !at.is_array() {
                        *at = Value::Array(Vec::new());
                    }
                    let Value::Array(items) = at else { return };
                    items.push(Value::Null);
                    let last = items.len() - 1;
                    at = &mut items[last];
                }
            }
        }
        *at = new;
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    if place > 0 {
                        f.write_str(".")?;
                    }
                    for c in key.chars() {
                        if matches!(c, '.' | '[' | ']' | '\\') {
                            f.write_str("\\")?;
                        }
                        write!(f, "{c}")?;
                    }
                }
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Each => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_read_as_written() {
        let key = |k: &str| Step::Key(k.into());
        for (text, steps) in [
            ("", vec![]),
            ("a", vec![key("a")]),
            ("a.b", vec![key("a"), key("b")]),
            ("a[0].b", vec![key("a"), Step::Index(0), key("b")]),
            ("aliases[]", vec![key("aliases"), Step::Each]),
            ("[2]", vec![Step::Index(2)]),
            (r"a\.b.c", vec![key("a.b"), key("c")]),
        ] {
            assert_eq!(Path::parse(text), Ok(Path(steps)), "{text}");
        }
        for wrong in ["a..b", ".a", "a.", "a[", "a[x]"] {
            assert!(Path::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn set_makes_what_is_missing() {
        let mut value = Value::Null;
        for (path, new) in [
            ("a.b", json!(1)),
            ("c[1].d", json!(2)),
            ("e[]", json!(3)),
            ("e[]", json!(4)),
        ] {
            Path::parse(path).unwrap().set(&mut value, new);
        }
        assert_eq!(
            value,
            json!({"a": {"b": 1}, "c": [null, {"d": 2}], "e": [3, 4]})
        );
        assert_eq!(Path::parse("c[1].d").unwrap().get(&value), Some(&json!(2)));
        assert_eq!(Path::parse("c.1.d").unwrap().get(&value), Some(&json!(2)));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(keys in proptest::collection::vec("[a-z.\\[\\]\\\\]{1,6}", 1..4)) {
            let path = Path(keys.into_iter().map(Step::Key).collect());
            prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
        }
    }
}

//! A record among the constants of a request: what the row says goes over them, and none is lost.

use serde_json::Value;

use super::answer::id_text;
use crate::path::{Path, Step};

/// Where a record holds a list of pairs of key and value, and the member that names the key.
#[derive(Debug, Clone)]
pub(super) struct Pairs {
    /// From the record.
    pub(super) at: Path,
    /// The member of a pair that names the field.
    pub(super) key: String,
}

/// Lays a record over the constants at `at`: objects merge, the pairs of a list of custom fields
/// are joined, and all else of the record stands in the place of the constant.
pub(super) fn lay(body: &mut Value, at: &Path, record: Value, pairs: Option<&Pairs>) {
    let pairs = pairs.map(|pairs| (pairs.at.0.as_slice(), pairs.key.as_str()));
    if at.is_empty() {
        over(body, record, pairs);
    } else if body.is_null() {
        at.set(body, record);
    } else {
        let mut held = at.get(body).cloned().unwrap_or(Value::Null);
        over(&mut held, record, pairs);
        at.set(body, held);
    }
}

fn over(held: &mut Value, said: Value, pairs: Option<(&[Step], &str)>) {
    match (held, said) {
        (Value::Object(held), Value::Object(said)) => {
            for (name, value) in said {
                let within = pairs.and_then(|(way, key)| match way.split_first() {
                    Some((Step::Key(step), rest)) if *step == name => Some((rest, key)),
                    _ => None,
                });
                match held.get_mut(&name) {
                    Some(slot) => over(slot, value, within),
                    None => {
                        held.insert(name, value);
                    }
                }
            }
        }
        (Value::Array(held), Value::Array(mut said)) if matches!(pairs, Some(([], _))) => {
            let key = pairs.map_or("", |(_, key)| key);
            let named = |pair: &Value| pair.get(key).and_then(id_text);
            // The row's pairs come first: answers count them.
            let own: Vec<_> = said.iter().filter_map(named).collect();
            held.retain(|pair| named(pair).is_none_or(|name| !own.contains(&name)));
            said.append(held);
            *held = said;
        }
        (held, said) => *held = said,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_constant_is_lost_beside_what_a_row_says() {
        let pairs = Pairs {
            at: Path::key("m"),
            key: "k".into(),
        };
        for (constants, at, record, want) in [
            (
                json!({"p": {"s": "x"}, "q": 1}),
                "p",
                json!({"name": "a"}),
                json!({"p": {"s": "x", "name": "a"}, "q": 1}),
            ),
            (
                json!({"p": {"s": "x", "r": {"z": 1}}}),
                "p.r",
                json!({"name": "a"}),
                json!({"p": {"s": "x", "r": {"z": 1, "name": "a"}}}),
            ),
            (
                json!({"a": {"b": 1}, "name": "const"}),
                "",
                json!({"a": {"c": 2}, "name": "a"}),
                json!({"a": {"b": 1, "c": 2}, "name": "a"}),
            ),
            (
                json!({"m": [{"k": 0, "v": "v0"}, {"k": 1, "v": "v1"}]}),
                "",
                json!({"m": [{"k": 1, "v": "own"}]}),
                json!({"m": [{"k": 1, "v": "own"}, {"k": 0, "v": "v0"}]}),
            ),
            (
                json!({"p": {"m": [{"k": "a", "v": 1}]}}),
                "p",
                json!({"m": [{"k": "b", "v": 2}]}),
                json!({"p": {"m": [{"k": "b", "v": 2}, {"k": "a", "v": 1}]}}),
            ),
            (
                json!({"tags": ["x"], "a": {"b": 1}}),
                "",
                json!({"tags": ["y"], "a": null}),
                json!({"tags": ["y"], "a": null}),
            ),
            (
                json!(null),
                "p.r",
                json!({"n": 1}),
                json!({"p": {"r": {"n": 1}}}),
            ),
        ] {
            let mut body = constants.clone();
            lay(&mut body, &Path::parse(at).unwrap(), record, Some(&pairs));
            assert_eq!(body, want, "{constants} {at}");
        }
    }
}

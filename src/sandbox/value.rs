//! Small readings of JSON values and paths that the rooms of the sandbox share.

use serde_json::{Map, Value};

use crate::path::{Path, Step};

/// Puts a value at a path as an API would: a part that is a number makes an array.
pub(super) fn put(path: &Path, at: &mut Value, new: Value) {
    let steps = path
        .0
        .iter()
        .map(|step| match step {
            Step::Key(key) => match key.parse::<usize>() {
                Ok(index) if index < 1000 => Step::Index(index),
                _ => step.clone(),
            },
            Step::Each => Step::Index(0),
            Step::Index(_) => step.clone(),
        })
        .collect();
    Path(steps).set(at, new);
}

/// Takes away what stands at a path of keys.
pub(super) fn remove(path: &Path, at: &mut Value) {
    let Some((last, way)) = path.0.split_last() else {
        return;
    };
    let mut at = at;
    for step in way {
        let next = match step {
            Step::Key(key) => at.get_mut(key),
            Step::Index(index) => at.get_mut(index),
            Step::Each => None,
        };
        match next {
            Some(next) => at = next,
            None => return,
        }
    }
    if let (Step::Key(key), Value::Object(map)) = (last, at) {
        map.shift_remove(key);
    }
}

/// A scalar as the text that stands for it in an address, a query or a form.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Null, and the empty text.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Whether two values are equal; `loose`: a text equals the scalar that it stands for.
pub(super) fn equal(left: &Value, right: &Value, loose: bool) -> bool {
    if left == right {
        return true;
    }
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) if loose => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b, true))
        }
        (Value::Object(a), Value::Object(b)) if loose => {
            a.len() == b.len()
                && a.iter()
                    .all(|(k, a)| b.get(k).is_some_and(|b| equal(a, b, true)))
        }
        _ if loose => text_of(left).is_some_and(|a| text_of(right).is_some_and(|b| a == b)),
        _ => false,
    }
}

/// A TOML value as JSON; dates become their text.
pub(super) fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text.clone()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(flag) => Value::Bool(*flag),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(items) => Value::Array(items.iter().map(json).collect()),
        toml::Value::Table(table) => Value::Object(object(table)),
    }
}

/// A TOML table as a JSON object.
pub(super) fn object(table: &toml::Table) -> Map<String, Value> {
    table.iter().map(|(k, v)| (k.clone(), json(v))).collect()
}

/// Looks for constants that a body lacks or holds otherwise: their keys, as names or as paths.
/// `at` is where they stand; `may` tells of a path, a constant and what stands there instead
/// whether a record may say so.
pub(super) fn missing_constant(
    constants: &Map<String, Value>,
    body: &Value,
    loose: bool,
    at: &Path,
    may: &dyn Fn(&Path, &Value, &Value) -> bool,
) -> Option<String> {
    let fits = |path: &Path, want: &Value, have: &Value| {
        let within = match (want, have) {
            (Value::Object(want), Value::Object(_)) => {
                missing_constant(want, have, loose, path, may).is_none()
            }
            _ => equal(want, have, loose),
        };
        within || may(path, want, have)
    };
    constants
        .iter()
        .find(|(key, want)| {
            let path = at.join(&Path::key(key.as_str()));
            let have = body.get(key.as_str());
            let named = have.is_some_and(|have| fits(&path, want, have));
            let at_path = || {
                Path::parse(key)
                    .ok()
                    .and_then(|way| {
                        let have = way.get(body)?;
                        Some(fits(&at.join(&way), want, have))
                    })
                    .unwrap_or(false)
            };
            !named && !at_path()
        })
        .map(|(key, _)| key.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_in_paths_make_arrays() {
        let mut value = Value::Null;
        put(
            &Path::parse("context.trace.0").unwrap(),
            &mut value,
            json!("t"),
        );
        assert_eq!(value, json!({"context": {"trace": ["t"]}}));
        remove(&Path::parse("context.trace").unwrap(), &mut value);
        assert_eq!(value, json!({"context": {}}));
    }

    #[test]
    fn constants_are_found_by_name_and_path() {
        let missing_constant = |constants: &Map<String, Value>, body: &Value, loose| {
            missing_constant(constants, body, loose, &Path::default(), &|_, _, _| false)
        };
        let constants = object(&"a = 1\nb = { c = true }\n\"d.e\" = \"x\"".parse().unwrap());
        let body = json!({"a": 1, "b": {"c": true, "z": 0}, "d": {"e": "x"}, "more": 1});
        assert_eq!(missing_constant(&constants, &body, false), None);
        let body = json!({"a": "1", "b": {"c": "true"}, "d": {"e": "x"}});
        assert_eq!(
            missing_constant(&constants, &body, false).as_deref(),
            Some("a")
        );
        assert_eq!(missing_constant(&constants, &body, true), None);
        assert_eq!(
            missing_constant(&constants, &json!([]), true).as_deref(),
            Some("a")
        );
    }
}

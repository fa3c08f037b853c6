//! Bodies of requests: JSON, and forms whose keys nest as `a[b]`, `a[]` and `a[0][b]`.

use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::target::file::BodyForm;

/// Why a body cannot be read: a status and a sentence.
pub(super) type Unreadable = (u16, String);

/// The deepest nesting of a form's keys.
const DEPTH: usize = 32;

/// Reads a body of the form that the target takes.
pub(super) fn read(form: BodyForm, media: &str, bytes: &[u8]) -> Result<Value, Unreadable> {
    let media = media
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match form {
        BodyForm::Json => {
            if media != "application/json" && !media.ends_with("+json") {
                return Err((415, "the body must be application/json".into()));
            }
            serde_json::from_slice(bytes)
                .map_err(|error| (400, format!("the body is not JSON: {error}")))
        }
        BodyForm::Form => {
            if media != "application/x-www-form-urlencoded" {
                return Err((
                    415,
                    "the body must be application/x-www-form-urlencoded".into(),
                ));
            }
            read_form(bytes).map_err(|why| (400, why))
        }
    }
}

/// Reads a form into an object whose scalars are texts.
fn read_form(bytes: &[u8]) -> Result<Value, String> {
    let mut root = Value::Object(Map::new());
    for (key, value) in form_urlencoded::parse(bytes) {
        let parts = split(&key).ok_or_else(|| format!("the key `{key}` has a stray bracket"))?;
        if parts.len() > DEPTH {
            return Err(format!("the key `{key}` nests too deep"));
        }
        insert(&mut root, &parts, value.into_owned())
            .ok_or_else(|| format!("the key `{key}` does not go with an earlier one"))?;
    }
    Ok(root)
}

/// `a[b][]` → `a`, `b`, and an empty part.
fn split(key: &str) -> Option<Vec<&str>> {
    let Some(open) = key.find('[') else {
        return Some(vec![key]);
    };
    let mut parts = vec![&key[..open]];
    let mut rest = &key[open..];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[')?;
        let close = inner.find(']')?;
        parts.push(&inner[..close]);
        rest = &inner[close + 1..];
    }
    Some(parts)
}

fn insert(at: &mut Value, parts: &[&str], text: String) -> Option<()> {
    let Some((part, rest)) = parts.split_first() else {
        return at.is_null().then(|| *at = Value::String(text));
    };
    if part.is_empty() {
        if at.is_null() {
            *at = Value::Array(Vec::new());
        }
        let items = at.as_array_mut()?;
        // `a[][x]` goes on with the last member until a key comes again.
        let goes_on = rest.first().is_some_and(|next| {
            !next.is_empty()
                && items
                    .last()
                    .and_then(Value::as_object)
                    .is_some_and(|last| !last.contains_key(*next) || rest.len() > 1)
        });
        if !goes_on {
            items.push(Value::Null);
        }
        return insert(items.last_mut()?, rest, text);
    }
    if let Ok(index) = part.parse::<usize>() {
        let next = match at {
            Value::Array(items) => items.len(),
            Value::Null => 0,
            _ => usize::MAX,
        };
        if next != usize::MAX && index <= next {
            if at.is_null() {
                *at = Value::Array(Vec::new());
            }
            let items = at.as_array_mut()?;
            if index == items.len() {
                items.push(Value::Null);
            }
            return insert(items.get_mut(index)?, rest, text);
        }
    }
    if at.is_null() {
        *at = Value::Object(Map::new());
    }
    let slot = at
        .as_object_mut()?
        .entry((*part).to_owned())
        .or_insert(Value::Null);
    insert(slot, rest, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_nest() {
        for (form, value) in [
            ("a=1&b=x%20y", json!({"a": "1", "b": "x y"})),
            (
                "a[b][c]=1&a[d]=2",
                json!({"a": {"b": {"c": "1"}, "d": "2"}}),
            ),
            ("a[]=1&a[]=2", json!({"a": ["1", "2"]})),
            (
                "f[0][id]=7&f[0][v]=x&f[1][id]=8",
                json!({"f": [{"id": "7", "v": "x"}, {"id": "8"}]}),
            ),
            (
                "f[][id]=7&f[][v]=x&f[][id]=8",
                json!({"f": [{"id": "7", "v": "x"}, {"id": "8"}]}),
            ),
            ("cf[31]=x", json!({"cf": {"31": "x"}})),
        ] {
            assert_eq!(read_form(form.as_bytes()), Ok(value), "{form}");
        }
        for wrong in ["a=1&a=2", "a=1&a[b]=2", "a[=1", "a[b]c=1"] {
            assert!(read_form(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_media_type_must_fit() {
        assert!(read(BodyForm::Json, "application/json; charset=utf-8", b"{}").is_ok());
        assert_eq!(read(BodyForm::Json, "", b"{}").unwrap_err().0, 415);
        assert_eq!(
            read(BodyForm::Json, "application/json", b"{")
                .unwrap_err()
                .0,
            400
        );
        assert_eq!(
            read(BodyForm::Form, "application/json", b"a=1")
                .unwrap_err()
                .0,
            415
        );
    }

    proptest! {
        #[test]
        fn no_form_breaks_it(form in "[a-b\\[\\]=&0-9]{0,40}") {
            let _ = read_form(form.as_bytes());
        }
    }
}

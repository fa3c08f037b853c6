//! The shapes of refusals: where an answer says what is wrong, and with which field.

use regex::Regex;
use serde_json::Value;

use super::answer::id_text;
use super::file::ErrorsSection;
use super::markup;
use crate::path::{Path, Step};

/// What a target said when it refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Its own code.
    pub code: Option<String>,
    /// Its words.
    pub message: String,
    /// The fields that it names, each with what it says of them.
    pub fields: Vec<(String, String)>,
}

/// One way to read a refusal, compiled from `[errors]`.
#[derive(Debug)]
pub(super) struct ErrorShape {
    message: Vec<Path>,
    code: Vec<Path>,
    fields: Option<Path>,
    field: Option<Path>,
    text: Option<Path>,
    strip: String,
    field_pattern: Option<Regex>,
}

impl ErrorShape {
    /// Compiles a section; the error names the key and says what is wrong.
    pub(super) fn compile(section: &ErrorsSection) -> Result<Self, (&'static str, String)> {
        let paths = |key: &'static str, texts: &[String]| {
            texts
                .iter()
                .map(|text| Path::parse(text).map_err(|error| (key, error)))
                .collect::<Result<Vec<_>, _>>()
        };
        let path = |key: &'static str, text: &Option<String>| {
            text.as_ref()
                .map(|text| Path::parse(text).map_err(|error| (key, error)))
                .transpose()
        };
        Ok(Self {
            message: paths("message", &section.message.values)?,
            code: paths("code", &section.code.values)?,
            fields: path("fields", &section.fields)?,
            field: path("field", &section.field)?,
            text: path("text", &section.text)?,
            strip: section.strip.clone().unwrap_or_default(),
            field_pattern: section
                .field_pattern
                .as_ref()
                .map(|pattern| {
                    Regex::new(pattern).map_err(|error| ("field_pattern", error.to_string()))
                })
                .transpose()?,
        })
    }

    /// The shape that is tried behind those of the file: the names that most APIs use.
    pub(super) fn usual() -> Self {
        let key = |name: &str| Path::key(name);
        let dotted = |text: &str| Path::parse(text).unwrap_or_default();
        Self {
            message: vec![
                key("message"),
                key("detail"),
                dotted("error.message"),
                key("error_description"),
                key("error"),
                key("title"),
            ],
            code: vec![key("code"), dotted("error.code")],
            fields: Some(key("errors")),
            field: Some(key("field")),
            text: Some(key("message")),
            strip: String::new(),
            field_pattern: None,
        }
    }

    fn read(&self, answer: &Value, refusal: &mut Refusal) {
        // An error may be a text by itself.
        if let (true, Some(text)) = (refusal.message.is_empty(), answer.as_str()) {
            text.clone_into(&mut refusal.message);
        }
        let first = |paths: &[Path]| {
            paths
                .iter()
                .find_map(|path| path.get(answer).and_then(words))
        };
        if refusal.message.is_empty()
            && let Some(message) = first(&self.message)
        {
            refusal.message = message;
        }
        if refusal.code.is_none() {
            refusal.code = first(&self.code);
        }
        if refusal.fields.is_empty() {
            match &self.fields {
                Some(path) => {
                    if let Some(found) = path.get(answer) {
                        self.read_fields(found, "", answer, &mut refusal.fields);
                    }
                }
                // One error, whose field is named beside its message.
                None => {
                    for name in self.names(answer) {
                        refusal.fields.push((name, refusal.message.clone()));
                    }
                }
            }
            if refusal.fields.is_empty()
                && let Some(field) = self.field_in(&refusal.message)
            {
                refusal.fields.push((field, refusal.message.clone()));
            }
        }
    }

    /// Reads what stands beside the words of an error that are known already: its code and fields.
    fn read_beside(&self, item: &Value, refusal: &mut Refusal) {
        // Where the fields are the members of the answer itself, an item's members are not they.
        if self.fields.as_ref().is_some_and(Path::is_empty) {
            if refusal.code.is_none() {
                refusal.code = self.code.iter().find_map(|path| words(path.get(item)?));
            }
        } else {
            self.read(item, refusal);
        }
    }

    fn field_in(&self, message: &str) -> Option<String> {
        let found = self.field_pattern.as_ref()?.captures(message)?;
        Some(self.clean(found.get(1).or_else(|| found.get(0))?.as_str()))
    }

    /// `body.address[0].city` → `address.0.city`; a JSON pointer is read as a path.
    fn clean(&self, name: &str) -> String {
        let stripped = name.strip_prefix(self.strip.as_str()).unwrap_or(name);
        let mut out = String::with_capacity(stripped.len());
        let pointer = stripped.starts_with('/');
        for c in stripped.chars() {
            match c {
                '[' => out.push('.'),
                ']' => {}
                '/' if pointer => out.push('.'),
                c => out.push(c),
            }
        }
        let out = out.trim_matches('.');
        out.strip_prefix(self.strip.as_str())
            .unwrap_or(out)
            .to_owned()
    }

    fn read_fields(
        &self,
        found: &Value,
        prefix: &str,
        answer: &Value,
        fields: &mut Vec<(String, String)>,
    ) {
        if fields.len() >= 100 {
            return;
        }
        match found {
            // One error by itself, not fields with their messages.
            Value::Object(_) if prefix.is_empty() && !self.names(found).is_empty() => {
                self.read_item(found, fields);
            }
            Value::Object(map) => {
                let whole = std::ptr::eq(found, answer);
                for (name, inner) in map {
                    if whole && self.says_more(name) {
                        continue;
                    }
                    let path = if prefix.is_empty() {
                        name.clone()
                    } else {
                        format!("{prefix}.{name}")
                    };
                    match inner {
                        Value::Object(_) => match self.said_by(inner) {
                            Some(text) => fields.push((self.clean(&path), text)),
                            None => self.read_fields(inner, &path, answer, fields),
                        },
                        Value::Array(items) if items.iter().any(Value::is_object) => {
                            for (place, item) in items.iter().enumerate() {
                                if let Some(text) = self.said_by(item) {
                                    fields.push((self.clean(&path), text));
                                    continue;
                                }
                                let path = format!("{path}.{place}");
                                self.read_fields(item, &path, answer, fields);
                            }
                        }
                        other => {
                            if let Some(text) = words(other) {
                                fields.push((self.clean(&path), text));
                            }
                        }
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.read_item(item, fields);
                }
            }
            _ => {}
        }
    }

    fn read_item(&self, item: &Value, fields: &mut Vec<(String, String)>) {
        let text = match &self.text {
            Some(path) => path.get(item).and_then(words),
            // An error in a list says its message as one by itself does.
            None => {
                let mut messages = self.message.iter();
                messages
                    .find_map(|path| path.get(item).and_then(words))
                    .or_else(|| self.said_by(item))
            }
        };
        let Some(text) = text.or_else(|| words(item)) else {
            return;
        };
        let names = self.names(item);
        if names.is_empty() {
            let name = self.field_in(&text).unwrap_or_default();
            fields.push((name, text));
            return;
        }
        for name in names {
            fields.push((name, text.clone()));
        }
    }

    /// The message of an object that is one error of the field that it stands at, such as
    /// `{"email": {"message": "taken", "code": "unique"}}`. Lists are fields with their messages.
    fn said_by(&self, item: &Value) -> Option<String> {
        let text = |value: &Value| {
            value
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        self.text
            .as_ref()
            .and_then(|path| path.get(item).and_then(text))
            .or_else(|| {
                ["message", "msg", "detail"]
                    .iter()
                    .find_map(|name| item.get(name).and_then(text))
            })
    }

    /// The fields that an error names: one, or the steps of a path to one (`["body", "email"]`), or
    /// several where the member's own name is a plural (`fields`).
    fn names(&self, item: &Value) -> Vec<String> {
        let Some(path) = &self.field else {
            return Vec::new();
        };
        match path.get(item) {
            Some(Value::String(name)) if !name.is_empty() => vec![self.clean(name)],
            Some(Value::Array(steps)) if !steps.is_empty() => {
                let steps = steps.iter().filter_map(id_text);
                match path.0.last() {
                    Some(Step::Key(key)) if key.ends_with('s') => {
                        steps.map(|name| self.clean(&name)).collect()
                    }
                    _ => vec![self.clean(&steps.collect::<Vec<_>>().join("."))],
                }
            }
            _ => Vec::new(),
        }
    }

    /// Whether a member of the answer itself is its message or code, not a field.
    fn says_more(&self, name: &str) -> bool {
        let path = Path::key(name);
        self.message.contains(&path) || self.code.contains(&path)
    }
}

/// What a value says as text; a list's texts are joined.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let all: Vec<String> = items.iter().filter_map(words).collect();
            (!all.is_empty()).then(|| all.join("; "))
        }
        _ => None,
    }
}

/// Reads a refusal by every shape in turn: the first that has a message, a code, fields gives them.
/// What no shape fits is shown as it stands; of a page of HTML or XML, its words.
pub(super) fn read(
    shapes: &[ErrorShape],
    status: u16,
    answer: Option<&Value>,
    text: &str,
) -> Refusal {
    let mut refusal = Refusal {
        status,
        ..Refusal::default()
    };
    if let Some(answer) = answer {
        for shape in shapes {
            shape.read(answer, &mut refusal);
        }
    }
    if refusal.message.is_empty() {
        refusal.message = match refusal.fields.as_slice() {
            [] => markup::sentence(text),
            fields => {
                let all: Vec<String> = fields
                    .iter()
                    .map(|(name, text)| match name.as_str() {
                        "" => text.clone(),
                        name => format!("{name}: {text}"),
                    })
                    .collect();
                all.join("; ")
            }
        };
    }
    refusal
}

/// Whether any shape finds something in an answer that it knows.
pub(super) fn speaks(shapes: &[ErrorShape], answer: &Value) -> bool {
    let refusal = read(shapes, 0, Some(answer), "");
    refusal.code.is_some() || !refusal.message.is_empty()
}

/// Reads what an answer says of one refused item of a batch. `said` is what `item_error` names: a
/// text, an error, or a list of either; absent, the item itself is the error.
pub(super) fn read_item(
    shapes: &[ErrorShape],
    status: u16,
    item: &Value,
    said: Option<&Value>,
) -> Refusal {
    item_words(shapes, status, item, said, |said| {
        words(said).unwrap_or_else(|| markup::sentence(&said.to_string()))
    })
}

/// The same, with no words where no shape finds any: an item that succeeded has none to say.
pub(super) fn words_of_item(
    shapes: &[ErrorShape],
    status: u16,
    item: &Value,
    said: Option<&Value>,
) -> Refusal {
    item_words(shapes, status, item, said, |_| String::new())
}

fn item_words(
    shapes: &[ErrorShape],
    status: u16,
    item: &Value,
    said: Option<&Value>,
    otherwise: fn(&Value) -> String,
) -> Refusal {
    let said = said.filter(|said| !said.is_null()).unwrap_or(item);
    let mut refusal = read(shapes, status, Some(said), "");
    if let Value::Array(list) = said {
        let wordless = refusal.message.is_empty();
        for one in list {
            let more = read(shapes, status, Some(one), "");
            refusal.code = refusal.code.or(more.code);
            if wordless {
                let joint = match refusal.message.is_empty() || more.message.is_empty() {
                    true => "",
                    false => "; ",
                };
                refusal.message = refusal.message + joint + &more.message;
                refusal.fields.extend(more.fields);
            }
        }
    }
    if refusal.message.is_empty() {
        refusal.message = otherwise(said);
    }
    if !std::ptr::eq(said, item) {
        for shape in shapes {
            shape.read_beside(item, &mut refusal);
        }
    }
    refusal
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn section(text: &str) -> ErrorShape {
        ErrorShape::compile(&toml::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn every_vendors_shape_is_read() {
        let problem = "message = [\"detail\"]\ncode = [\"code\"]\nfields = \"errors\"\nfield = \"location\"\ntext = \"message\"\nstrip = \"body.\"";
        let laravel = "message = [\"message\"]\nfields = \"errors\"";
        let drf = "message = [\"detail\"]\nfields = \"\"";
        let words = "message = [\"message\"]\ncode = [\"error\"]\nfield_pattern = \"^(\\\\w+) is\"";
        for (shape, answer, code, message, fields) in [
            (
                problem,
                json!({"detail": "no", "code": "X.Y", "errors": [{"location": "body.address[0].city", "message": "too long"}]}),
                Some("X.Y"),
                "no",
                vec![("address.0.city", "too long")],
            ),
            (
                laravel,
                json!({"message": "The given data was invalid.", "errors": {"email": ["taken", "bad"], "phone": ["short"]}}),
                None,
                "The given data was invalid.",
                vec![("email", "taken; bad"), ("phone", "short")],
            ),
            (
                drf,
                json!({"full_name": ["blank"], "input_details": {"dob": ["bad"]}}),
                None,
                "full_name: blank; input_details.dob: bad",
                vec![("full_name", "blank"), ("input_details.dob", "bad")],
            ),
            (
                drf,
                json!({"detail": "throttled"}),
                None,
                "throttled",
                vec![],
            ),
            (
                words,
                json!({"error": "validation_error", "message": "email is taken"}),
                Some("validation_error"),
                "email is taken",
                vec![("email", "email is taken")],
            ),
        ] {
            let shapes = [section(shape)];
            let refusal = read(&shapes, 422, Some(&answer), "");
            assert_eq!(refusal.code.as_deref(), code, "{answer}");
            assert_eq!(refusal.message, message, "{answer}");
            let found: Vec<_> = refusal
                .fields
                .iter()
                .map(|(a, b)| (a.as_str(), b.as_str()))
                .collect();
            assert_eq!(found, fields, "{answer}");
        }
    }
}

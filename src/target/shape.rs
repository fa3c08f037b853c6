//! The shapes of refusals: where an answer says what is wrong, and with which field.

use regex::Regex;
use serde_json::Value;

use super::answer::id_text;
use super::file::{ErrorsSection, Matcher};
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
                        Value::Object(_) => self.read_fields(inner, &path, answer, fields),
                        Value::Array(items) if items.iter().any(Value::is_object) => {
                            for (place, item) in items.iter().enumerate() {
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
            None => None,
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
            [] => text.trim().chars().take(300).collect(),
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

/// A compiled matcher: all that is given must fit.
#[derive(Debug)]
pub(super) struct Code {
    status: Option<u16>,
    code: Option<String>,
    message: Option<Regex>,
    field: Option<String>,
}

impl Code {
    /// Compiles a matcher; the error says what is wrong with its pattern.
    pub(super) fn compile(matcher: &Matcher) -> Result<Self, String> {
        if matcher.status.is_none()
            && matcher.code.is_none()
            && matcher.message.is_none()
            && matcher.field.is_none()
        {
            return Err("it names none of status, code, message, field".to_owned());
        }
        Ok(Self {
            status: matcher.status,
            code: matcher.code.clone(),
            message: matcher
                .message
                .as_ref()
                .map(|pattern| Regex::new(pattern).map_err(|error| error.to_string()))
                .transpose()?,
            field: matcher.field.clone(),
        })
    }

    /// A matcher of one status.
    pub(super) fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            code: None,
            message: None,
            field: None,
        }
    }

    /// Whether it fits a refusal.
    pub(super) fn fits(&self, refusal: &Refusal) -> bool {
        self.status.is_none_or(|status| status == refusal.status)
            && self.code.as_ref().is_none_or(|code| {
                refusal
                    .code
                    .as_ref()
                    .is_some_and(|own| own == code || own.ends_with(&format!(".{code}")))
            })
            && self.message.as_ref().is_none_or(|message| {
                message.is_match(&refusal.message)
                    || refusal
                        .fields
                        .iter()
                        .any(|(_, text)| message.is_match(text))
            })
            && self
                .field
                .as_ref()
                .is_none_or(|field| refusal.fields.iter().any(|(name, _)| name == field))
    }
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

    #[test]
    fn all_that_a_matcher_names_must_fit() {
        let refusal = Refusal {
            status: 409,
            code: Some("CreateCustomer.SlugConflict".into()),
            message: "the slug is taken".into(),
            fields: vec![("slug".into(), "taken".into())],
        };
        for (matcher, fits) in [
            ("status = 409", true),
            ("status = 409\ncode = \"SlugConflict\"", true),
            ("status = 409\ncode = \"Other\"", false),
            ("message = \"taken$\"", true),
            ("field = \"slug\"", true),
            ("field = \"name\"", false),
            ("status = 422", false),
        ] {
            let code = Code::compile(&toml::from_str(matcher).unwrap()).unwrap();
            assert_eq!(code.fits(&refusal), fits, "{matcher}");
        }
        assert!(Code::compile(&Matcher::default()).is_err());
    }
}

//! Refusals in the vendor's shape: bodies that, read by the target's `[errors]`, say what was meant.

use regex::Regex;
use serde_json::{Map, Value};

use super::schema::Refusal;
use super::value::put;
use crate::path::{Path, Step};
use crate::target::file::{ErrorsSection, Matcher};

/// A refusal before it has a shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    /// The HTTP status.
    pub(super) status: u16,
    /// The answer's own code.
    pub(super) code: String,
    /// What it says.
    pub(super) message: String,
    /// The fields that are refused.
    pub(super) fields: Vec<Refusal>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            fields: Vec::new(),
        }
    }
}

/// A body, and whether it is `application/problem+json`.
pub(super) type Shaped = (Value, bool);

/// The shapes of the target.
#[derive(Debug)]
pub(super) struct Shapes {
    all: Vec<Shape>,
    /// The status of a record that is refused for its fields.
    pub(super) invalid: u16,
}

#[derive(Debug)]
struct Shape {
    message: Option<Path>,
    /// One error names its field beside its message.
    beside: Option<(Path, String)>,
    code: Option<Path>,
    place: Option<Place>,
    pattern: Option<Pattern>,
    problem: bool,
}

/// How an answer says which fields are refused.
#[derive(Debug)]
struct Place {
    at: Path,
    /// Objects in an array: where each names its field, and where it says its message.
    objects: Option<(Option<Path>, Option<Path>)>,
    strip: String,
}

#[derive(Debug)]
struct Pattern {
    regex: Regex,
    text: String,
}

impl Shapes {
    pub(super) fn new(sections: &[ErrorsSection]) -> Result<Self, String> {
        let mut all = sections
            .iter()
            .map(Shape::new)
            .collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() {
            let plain = ErrorsSection {
                fields: Some("errors".into()),
                ..ErrorsSection::default()
            };
            let mut shape = Shape::new(&plain)?;
            shape.message = Some(Path::key("message"));
            all.push(shape);
        }
        // Servers that answer with the fields alone are of Django's kind, which answers 400.
        let bare = all.iter().any(|shape| {
            shape
                .place
                .as_ref()
                .is_some_and(|p| p.at.is_empty() && p.objects.is_none())
        });
        Ok(Self {
            all,
            invalid: if bare { 400 } else { 422 },
        })
    }

    /// A body that says this.
    pub(super) fn body(&self, refused: &Refused) -> Shaped {
        let told = |shape: &&Shape| {
            shape.place.is_some() || shape.pattern.is_some() || shape.beside.is_some()
        };
        let shape = if refused.fields.is_empty() {
            self.all.first()
        } else {
            self.all.iter().find(told).or(self.all.first())
        };
        match shape {
            Some(shape) => (shape.body(refused), shape.problem),
            None => (Value::Object(Map::new()), false),
        }
    }
}

impl Shape {
    fn new(section: &ErrorsSection) -> Result<Self, String> {
        let paths = |texts: &[String]| {
            texts
                .iter()
                .map(|t| Path::parse(t))
                .collect::<Result<Vec<_>, _>>()
        };
        let message = paths(&section.message.values)?.into_iter().next();
        let code = paths(&section.code.values)?
            .into_iter()
            .find(|code| message.as_ref().is_none_or(|m| !overlap(m, code)));
        let pattern = section
            .field_pattern
            .as_deref()
            .map(|text| {
                Regex::new(text)
                    .map(|regex| Pattern {
                        regex,
                        text: text.to_owned(),
                    })
                    .map_err(|error| format!("field_pattern: {error}"))
            })
            .transpose()?;
        let path = |text: &Option<String>| text.as_deref().map(Path::parse).transpose();
        let (field, text) = (path(&section.field)?, path(&section.text)?);
        let strip = section.strip.clone().unwrap_or_default();
        let beside = match (&section.fields, &field) {
            (None, Some(field)) => Some((field.clone(), strip)),
            _ => None,
        };
        let place = section
            .fields
            .as_deref()
            .map(|at| -> Result<Place, String> {
                let objects = field.is_some() || text.is_some() || pattern.is_some();
                Ok(Place {
                    at: Path::parse(at)?,
                    objects: objects.then_some((field, text)),
                    strip: section.strip.clone().unwrap_or_default(),
                })
            })
            .transpose()?;
        let problem = message == Some(Path::key("detail"))
            && place
                .as_ref()
                .is_some_and(|p| p.objects.is_some() && !p.at.is_empty());
        Ok(Self {
            message,
            beside,
            code,
            place,
            pattern,
            problem,
        })
    }

    fn body(&self, refused: &Refused) -> Value {
        let mut body = Value::Object(Map::new());
        let bare = self.place.as_ref().is_some_and(|place| place.at.is_empty());
        if bare && !refused.fields.is_empty() {
            self.add_fields(&mut body, refused);
            return body;
        }
        if self.problem {
            put(&Path::key("title"), &mut body, Value::from("Refused"));
            put(&Path::key("status"), &mut body, Value::from(refused.status));
        }
        self.add_fields(&mut body, refused);
        if let (Some((path, strip)), Some(first)) = (&self.beside, refused.fields.first()) {
            let name = format!("{strip}{}", dotted(&first.field));
            put(path, &mut body, Value::from(name));
        }
        if let Some(path) = &self.message {
            put(path, &mut body, Value::from(self.message(refused)));
        }
        if let Some(path) = &self.code {
            put(path, &mut body, Value::from(refused.code.as_str()));
        }
        body
    }

    fn message(&self, refused: &Refused) -> String {
        match (&self.pattern, &self.place, refused.fields.first()) {
            (Some(pattern), None, Some(first)) => {
                pattern.name(&dotted(&first.field), &first.message)
            }
            (None, None, Some(first)) if self.beside.is_some() => first.message.clone(),
            _ => refused.message.clone(),
        }
    }

    fn add_fields(&self, body: &mut Value, refused: &Refused) {
        let Some(place) = &self.place else { return };
        if refused.fields.is_empty() {
            return;
        }
        let said = match &place.objects {
            None => {
                let mut map = Map::new();
                for refusal in &refused.fields {
                    let messages = map
                        .entry(place.name(&refusal.field))
                        .or_insert_with(|| Value::Array(Vec::new()));
                    if let Value::Array(messages) = messages {
                        messages.push(Value::from(refusal.message.as_str()));
                    }
                }
                Value::Object(map)
            }
            Some((field, text)) => {
                let item = |refusal: &Refusal| {
                    let message = match (&self.pattern, field) {
                        (Some(pattern), None) => {
                            pattern.name(&dotted(&refusal.field), &refusal.message)
                        }
                        _ => refusal.message.clone(),
                    };
                    if field.is_none() && text.is_none() {
                        return Value::from(message);
                    }
                    let mut item = Value::Object(Map::new());
                    if let Some(path) = field {
                        put(path, &mut item, Value::from(place.name(&refusal.field)));
                    }
                    if let Some(path) = text {
                        put(path, &mut item, Value::from(message));
                    }
                    item
                };
                Value::Array(refused.fields.iter().map(item).collect())
            }
        };
        put(&place.at, body, said);
    }
}

impl Place {
    fn name(&self, field: &Path) -> String {
        if self.strip.is_empty() {
            dotted(field)
        } else {
            format!("{}{field}", self.strip)
        }
    }
}

/// A path with a dot before each step, places in arrays too.
fn dotted(path: &Path) -> String {
    let steps: Vec<String> = path
        .0
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
            Step::Each => "0".into(),
        })
        .collect();
    steps.join(".")
}

fn overlap(a: &Path, b: &Path) -> bool {
    a.0.starts_with(&b.0) || b.0.starts_with(&a.0)
}

impl Pattern {
    /// A message in which the pattern finds this field.
    fn name(&self, field: &str, message: &str) -> String {
        let found = |text: &String| {
            self.regex
                .captures(text)
                .and_then(|c| c.get(1).map(|group| group.as_str() == field))
                .unwrap_or(false)
        };
        let own = group_replaced(&self.text, field);
        [
            format!("{field} is not valid: {message}"),
            format!("{field}: {message}"),
            format!("The {field} field is not valid: {message}"),
            format!("Invalid value for {field}: {message}"),
            format!("Invalid {field}: {message}"),
            format!("Field '{field}' is not valid: {message}"),
            format!("`{field}` is not valid: {message}"),
            format!("\"{field}\" is not valid: {message}"),
            own.clone(),
        ]
        .into_iter()
        .find(found)
        .unwrap_or(own)
    }
}

/// A pattern as a text: its first group replaced by the field, anchors and backslashes left out.
fn group_replaced(pattern: &str, field: &str) -> String {
    let mut text = String::new();
    let mut depth = 0_usize;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let next = chars.next();
                if depth == 0 {
                    text.extend(next.filter(|c| !c.is_alphanumeric()));
                }
            }
            '(' => {
                if depth == 0 {
                    text.push_str(field);
                }
                depth += 1;
            }
            ')' => depth = depth.saturating_sub(1),
            '^' | '$' | '?' | '*' | '+' => {}
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    text
}

/// How the API says that a record is there already.
#[derive(Debug)]
pub(super) struct Exists {
    status: u16,
    code: String,
    message: String,
}

impl Exists {
    /// As the first matcher tells it, else 409.
    pub(super) fn new(matcher: Option<&Matcher>) -> Result<Self, String> {
        let usual = "a record with this value already exists".to_owned();
        let message = match matcher.and_then(|m| m.message.as_deref()) {
            None => usual,
            Some(pattern) => {
                let regex = Regex::new(pattern)
                    .map_err(|error| format!("the message of `exists`: {error}"))?;
                let own = group_replaced(pattern, "value");
                [
                    usual,
                    "This value has already been taken.".to_owned(),
                    "This record already exists.".to_owned(),
                    "The record is a duplicate: it must be unique.".to_owned(),
                    own.clone(),
                ]
                .into_iter()
                .find(|text| regex.is_match(text))
                .unwrap_or(own)
            }
        };
        Ok(Self {
            status: matcher.and_then(|m| m.status).unwrap_or(409),
            code: matcher
                .and_then(|m| m.code.clone())
                .unwrap_or_else(|| "already_exists".into()),
            message,
        })
    }

    /// The refusal; `named`: it says which field, as a matcher asks for.
    pub(super) fn refused(&self, field: &Path, named: bool) -> Refused {
        let fields = named.then(|| Refusal {
            field: field.clone(),
            message: self.message.clone(),
        });
        Refused {
            fields: fields.into_iter().collect(),
            ..Refused::new(self.status, &self.code, self.message.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shapes(text: &str) -> Shapes {
        #[derive(serde::Deserialize)]
        struct File {
            errors: Vec<ErrorsSection>,
        }
        Shapes::new(&toml::from_str::<File>(text).unwrap().errors).unwrap()
    }

    fn refused() -> Refused {
        Refused {
            fields: vec![Refusal {
                field: Path::parse("items[0].sku").unwrap(),
                message: "bad".into(),
            }],
            ..Refused::new(422, "invalid", "not valid")
        }
    }

    #[test]
    fn bodies_have_the_vendors_shape() {
        for (section, with_fields, without) in [
            (
                "message = \"message\"\nfields = \"errors\"",
                json!({"errors": {"items.0.sku": ["bad"]}, "message": "not valid"}),
                json!({"message": "not valid"}),
            ),
            (
                "message = \"detail\"\nfields = \"\"",
                json!({"items.0.sku": ["bad"]}),
                json!({"detail": "not valid"}),
            ),
            (
                "message = [\"detail\", \"message\"]\ncode = \"code\"\nfields = \"errors\"\nfield = \"location\"\ntext = \"message\"\nstrip = \"body.\"",
                json!({"title": "Refused", "status": 422,
                    "errors": [{"location": "body.items[0].sku", "message": "bad"}],
                    "detail": "not valid", "code": "invalid"}),
                json!({"title": "Refused", "status": 422, "detail": "not valid", "code": "invalid"}),
            ),
            (
                "message = [\"error.message\", \"error\"]\ncode = [\"error\", \"error.code\"]\nfield_pattern = \"^(\\\\S+) is\"",
                json!({"error": {"message": "items.0.sku is not valid: bad", "code": "invalid"}}),
                json!({"error": {"message": "not valid", "code": "invalid"}}),
            ),
            (
                "message = \"error.message\"\ncode = \"error.code\"\nfield = \"error.param\"",
                json!({"error": {"param": "items.0.sku", "message": "bad", "code": "invalid"}}),
                json!({"error": {"message": "not valid", "code": "invalid"}}),
            ),
            (
                "message = \"message\"\nfields = \"errors\"\nfield_pattern = \"field <([^>]+)>\"",
                json!({"message": "not valid", "errors": ["field <items.0.sku>"]}),
                json!({"message": "not valid"}),
            ),
        ] {
            let shapes = shapes(&format!("[[errors]]\n{section}"));
            assert_eq!(shapes.body(&refused()).0, with_fields, "{section}");
            let bare = Refused {
                fields: Vec::new(),
                ..refused()
            };
            assert_eq!(shapes.body(&bare).0, without, "{section}");
        }
    }

    #[test]
    fn fields_alone_mean_400() {
        assert_eq!(shapes("[[errors]]\nfields = \"\"").invalid, 400);
        assert_eq!(shapes("[[errors]]\nfields = \"errors\"").invalid, 422);
        assert_eq!(
            Shapes::new(&[]).unwrap().body(&refused()).0["errors"]["items.0.sku"][0],
            "bad"
        );
    }

    #[test]
    fn an_exists_answer_fits_its_matcher() {
        for pattern in [
            "already been taken",
            "(?i)DUPLICATE",
            "^Contact exists\\.",
            "already exists",
        ] {
            let matcher = Matcher {
                message: Some(pattern.into()),
                ..Matcher::default()
            };
            let said = Exists::new(Some(&matcher))
                .unwrap()
                .refused(&Path::key("a"), false);
            assert!(
                Regex::new(pattern).unwrap().is_match(&said.message),
                "{pattern}: {}",
                said.message
            );
            assert_eq!(said.status, 409);
        }
    }
}

//! Requests: a target's templates filled for one row.

use std::borrow::Cow;
use std::io::Write as _;
use std::ops::Range;

use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::file::{BodyForm, Packing};
use super::{Lookup, Target};
use crate::path::Path;
use crate::record::KeyHash;
use crate::template::{Scope, Template, TemplateError};

/// What RFC 3986 (section 2.3) leaves unencoded.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What a target's templates see.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The record as it would be sent.
    pub body: &'a Value,
    /// The row's key.
    pub key: &'a str,
    /// Its hash.
    pub key_hash: KeyHash,
    /// The record's id, where known.
    pub id: Option<&'a str>,
    /// Its address, where known.
    pub address: Option<&'a str>,
    /// The record as the API gave it, where known.
    pub record: Option<&'a Value>,
}

impl Facts<'_> {
    /// The facts of a request that is about no single record.
    pub const NONE: Self = Self {
        body: &Value::Null,
        key: "",
        key_hash: KeyHash([0; 16]),
        id: None,
        address: None,
        record: None,
    };

    fn value(&self) -> Value {
        let mut scope = match self.body {
            Value::Object(map) => map.clone(),
            _ => serde_json::Map::new(),
        };
        let text = |text: &str| Value::String(text.to_owned());
        scope.insert("key".into(), text(self.key));
        scope.insert("key_hash".into(), text(&self.key_hash.to_string()));
        for (name, value) in [("id", self.id), ("address", self.address)] {
            // A field of the body may be called `address`; the record's own goes first.
            if let Some(value) = value {
                scope.insert(name.into(), text(value));
            }
        }
        if let Some(record) = self.record {
            scope.insert("record".into(), record.clone());
        }
        Value::Object(scope)
    }
}

/// A template of a target file: literal text, or MiniJinja where it holds `{{` or `{%`.
#[derive(Debug)]
pub struct Text {
    source: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Literal(String),
    /// A template, and where it begins in the source.
    Filled(Template, usize),
}

fn as_is(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

fn percent_encoded(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, UNRESERVED).into()
}

/// Why a request cannot be made for a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible {
    /// The name that the template uses and that is empty for this row, or the template itself.
    pub name: String,
    /// What is wrong, where nothing is empty.
    why: Option<&'static str>,
}

impl Impossible {
    /// The code of the issue of such a row.
    pub const CODE: &'static str = "request.impossible";

    fn empty(name: String) -> Self {
        Self { name, why: None }
    }
}

impl std::fmt::Display for Impossible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.why {
            None => write!(
                f,
                "the request cannot be made: the row has no `{}`",
                self.name
            ),
            Some(why) => write!(f, "the request cannot be made: in `{}` {why}", self.name),
        }
    }
}

impl Text {
    /// Compiles a template. Its parts outside `{{ … }}` are literal, so that what a value gives
    /// can be encoded by itself.
    ///
    /// # Errors
    /// What MiniJinja says, with the place within the source.
    pub fn compile(source: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        if source.contains("{%") {
            parts.push(Part::Filled(Template::compile(source)?, 0));
            return Ok(Self {
                source: source.to_owned(),
                parts,
            });
        }
        let mut rest = source;
        while let Some(open) = rest.find("{{") {
            let Some(close) = rest[open..].find("}}").map(|at| open + at + 2) else {
                break;
            };
            if open > 0 {
                parts.push(Part::Literal(rest[..open].to_owned()));
            }
            let offset = source.len() - rest.len() + open;
            let template = Template::compile(&rest[open..close]).map_err(|mut error| {
                error.range = error.range.map(|at| at.start + offset..at.end + offset);
                error
            })?;
            parts.push(Part::Filled(template, offset));
            rest = &rest[close..];
        }
        if rest.contains("{{") {
            Template::compile(source)?;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self {
            source: source.to_owned(),
            parts,
        })
    }

    /// The template as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names that it uses, as paths of the body's fields.
    pub fn names(&self) -> impl Iterator<Item = &[String]> {
        self.places().map(|(path, _)| path)
    }

    /// The names that it uses, each with its bytes within the source.
    pub fn places(&self) -> impl Iterator<Item = (&[String], Option<Range<usize>>)> {
        self.parts.iter().flat_map(|part| {
            let (names, offset) = match part {
                Part::Literal(_) => (&[][..], 0),
                Part::Filled(template, offset) => (template.names(), *offset),
            };
            names.iter().map(move |name| {
                let range = name.range.clone();
                let range = range.map(|range| range.start + offset..range.end + offset);
                (name.path.as_slice(), range)
            })
        })
    }

    /// Fills it in, without encoding.
    pub(super) fn render(&self, scope: &Scope) -> Result<String, TemplateError> {
        self.fill(scope, as_is)
    }

    fn fill(
        &self,
        scope: &Scope,
        encode: fn(&str) -> Cow<'_, str>,
    ) -> Result<String, TemplateError> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Filled(template, _) => out.push_str(&encode(&template.render(scope)?)),
            }
        }
        Ok(out)
    }

    fn checked(
        &self,
        facts: &Value,
        scope: &Scope,
        encode: fn(&str) -> Cow<'_, str>,
    ) -> Result<String, Impossible> {
        for name in self.names() {
            let found = name.iter().try_fold(facts, |at, step| match at {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?),
                _ => at.get(step),
            });
            let empty = match found {
                None | Some(Value::Null) => true,
                Some(Value::String(text)) => text.is_empty(),
                Some(_) => false,
            };
            if empty {
                return Err(Impossible::empty(name.join(".")));
            }
        }
        self.fill(scope, encode).map_err(|_| Impossible {
            name: self.source.clone(),
            why: Some("a value does not go with what the template does to it"),
        })
    }

    /// Fills it in for a row, without encoding.
    ///
    /// # Errors
    /// Where it names a field that the row leaves empty.
    pub fn plain(&self, facts: &Facts<'_>) -> Result<String, Impossible> {
        let value = facts.value();
        let scope = Scope::from(minijinja::value::Serde(&value));
        self.checked(&value, &scope, as_is)
    }
}

/// Method, path, query and statuses of success of one kind of request.
#[derive(Debug)]
pub struct Endpoint {
    /// The HTTP method in upper case.
    pub method: String,
    /// The path on the base URL.
    pub path: Text,
    /// The query.
    pub query: Vec<(String, Text)>,
    /// The statuses that mean success; empty = 200 to 299.
    pub success: Vec<u16>,
}

impl Endpoint {
    /// Whether a status means success.
    pub fn succeeds(&self, status: u16) -> bool {
        if self.success.is_empty() {
            (200..300).contains(&status)
        } else {
            self.success.contains(&status)
        }
    }

    /// Whether path or query are filled from the row.
    pub fn is_filled(&self) -> bool {
        let mut texts = self.query.iter().map(|(_, text)| text);
        let named = |text: &Text| text.names().next().is_some();
        named(&self.path) || texts.any(named)
    }

    /// Path and query for a row, percent-encoded.
    ///
    /// # Errors
    /// Where a template names a field that the row leaves empty.
    pub fn location(&self, facts: &Facts<'_>) -> Result<String, Impossible> {
        let value = facts.value();
        let scope = Scope::from(minijinja::value::Serde(&value));
        let mut location = self.path.checked(&value, &scope, percent_encoded)?;
        // These would name another address, however they are encoded.
        let path = location.split('?').next().unwrap_or_default();
        if path.split('/').any(|step| matches!(step, "." | "..")) {
            return Err(Impossible {
                name: self.path.source.clone(),
                why: Some("a value of the row makes a step `.` or `..`, which no address can hold"),
            });
        }
        let mut joint = if location.contains('?') { '&' } else { '?' };
        for (name, template) in &self.query {
            location.push(joint);
            joint = '&';
            location.extend(utf8_percent_encode(name, UNRESERVED));
            location.push('=');
            let text = template.checked(&value, &scope, as_is)?;
            location.extend(utf8_percent_encode(&text, UNRESERVED));
        }
        Ok(location)
    }
}

/// One request, ready but for base URL, authentication and the headers of all requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// Path and query, to be put behind the base URL.
    pub location: String,
    /// Media type and bytes of the body.
    pub body: Option<(&'static str, Vec<u8>)>,
    /// Headers of this request alone.
    pub headers: Vec<(String, String)>,
}

impl Target {
    /// The request that makes a record.
    ///
    /// # Errors
    /// Where a template names a field that the row leaves empty.
    pub fn create_call(&self, facts: &Facts<'_>, idempotency: &str) -> Result<Call, Impossible> {
        let mut headers = Vec::new();
        if let Some(name) = &self.file.create.idempotency_header {
            headers.push((name.clone(), idempotency.to_owned()));
        }
        Ok(self.packed(Call {
            method: self.create.endpoint.method.clone(),
            location: self.create.endpoint.location(facts)?,
            body: Some(encode(
                self.file.create.body,
                &self.envelope(facts.body.clone()),
            )),
            headers,
        }))
    }

    /// The request that changes a record, if this target can; `fields` is the record's new content.
    ///
    /// # Errors
    /// Where a template names a field that the row leaves empty.
    pub fn update_call(
        &self,
        facts: &Facts<'_>,
        fields: Value,
    ) -> Option<Result<Call, Impossible>> {
        let update = self.update.as_ref()?;
        let body = Some(encode(self.file.create.body, &self.envelope(fields)));
        Some(update.endpoint.location(facts).map(|location| {
            self.packed(Call {
                method: update.endpoint.method.clone(),
                location,
                body,
                headers: Vec::new(),
            })
        }))
    }

    /// The same request with its body packed, where the target file says so.
    pub(super) fn packed(&self, mut call: Call) -> Call {
        let Some(Packing::Gzip) = self.file.create.packing else {
            return call;
        };
        if let Some((_, body)) = &mut call.body {
            let mut packer = GzEncoder::new(Vec::new(), Compression::default());
            // Writing into memory does not fail; if it did, the body goes as it is.
            if packer.write_all(body).is_ok()
                && let Ok(packed) = packer.finish()
            {
                *body = packed;
                let header = ("Content-Encoding".to_owned(), "gzip".to_owned());
                call.headers.push(header);
            }
        }
        call
    }

    /// A request without a body.
    ///
    /// # Errors
    /// Where a template names a field that the row leaves empty.
    pub fn plain_call(&self, endpoint: &Endpoint, facts: &Facts<'_>) -> Result<Call, Impossible> {
        Ok(Call {
            method: endpoint.method.clone(),
            location: endpoint.location(facts)?,
            body: None,
            headers: Vec::new(),
        })
    }

    /// The request that looks a row's record up.
    ///
    /// # Errors
    /// Where a template names a field that the row leaves empty.
    pub fn lookup_call(&self, lookup: &Lookup, facts: &Facts<'_>) -> Result<Call, Impossible> {
        let body = match &lookup.body {
            Some(body) => Some(encode(self.file.create.body, &body.value(facts)?)),
            None => None,
        };
        Ok(Call {
            body,
            ..self.plain_call(&lookup.endpoint, facts)?
        })
    }

    /// What a look-up asks for, as a text: equal for rows that ask for the same. `None` where the
    /// row has nothing to be looked up by.
    pub fn lookup_mark(&self, lookup: &Lookup, facts: &Facts<'_>) -> Option<String> {
        let call = self.lookup_call(lookup, facts).ok()?;
        let mut mark = call.location;
        if let Some((_, body)) = &call.body {
            mark.push(' ');
            mark.push_str(&String::from_utf8_lossy(body));
        }
        Some(mark)
    }

    /// What an update may carry of a record: all but what it never may, and the field that names
    /// the record stays.
    pub fn updatable(&self, record: &Value) -> Value {
        let mut fields = record.clone();
        let Some(update) = &self.update else {
            return fields;
        };
        for path in &update.never {
            remove(&mut fields, path);
        }
        fields
    }
}

/// Takes the member at a path out of a record.
pub(crate) fn remove(record: &mut Value, path: &Path) {
    let Some((last, parents)) = path.0.split_last() else {
        return;
    };
    let mut at = record;
    for step in parents {
        let next = match step {
            crate::path::Step::Key(key) => at.get_mut(key),
            crate::path::Step::Index(index) => at.get_mut(index),
            crate::path::Step::Each => None,
        };
        let Some(next) = next else { return };
        at = next;
    }
    if let (Value::Object(map), crate::path::Step::Key(key)) = (at, last) {
        map.shift_remove(key);
    }
}

/// The media type of a JSON body.
pub const JSON: &str = "application/json";

/// Writes a body in its form: media type and bytes.
pub fn encode(form: BodyForm, body: &Value) -> (&'static str, Vec<u8>) {
    match form {
        BodyForm::Json => (JSON, body.to_string().into_bytes()),
        BodyForm::Form => {
            let mut pairs = url::form_urlencoded::Serializer::new(String::new());
            form_pairs("", body, &mut pairs);
            (
                "application/x-www-form-urlencoded",
                pairs.finish().into_bytes(),
            )
        }
    }
}

/// Nested keys as `a[b]`, arrays as `a[]`; members of objects in arrays by number, so that they
/// stay together.
fn form_pairs(name: &str, value: &Value, pairs: &mut url::form_urlencoded::Serializer<'_, String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                if name.is_empty() {
                    form_pairs(key, inner, pairs);
                } else {
                    form_pairs(&format!("{name}[{key}]"), inner, pairs);
                }
            }
        }
        Value::Array(items) => {
            for (place, inner) in items.iter().enumerate() {
                if inner.is_object() || inner.is_array() {
                    form_pairs(&format!("{name}[{place}]"), inner, pairs);
                } else {
                    form_pairs(&format!("{name}[]"), inner, pairs);
                }
            }
        }
        Value::Null => {
            pairs.append_pair(name, "");
        }
        Value::String(text) => {
            pairs.append_pair(name, text);
        }
        other => {
            pairs.append_pair(name, &other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn facts(body: &Value) -> Facts<'_> {
        Facts {
            body,
            key: "K 1",
            key_hash: KeyHash([7; 16]),
            id: None,
            address: None,
            record: None,
        }
    }

    fn endpoint(path: &str, query: &[(&str, &str)]) -> Endpoint {
        Endpoint {
            method: "GET".into(),
            path: Text::compile(path).unwrap(),
            query: query
                .iter()
                .map(|(name, text)| ((*name).to_owned(), Text::compile(text).unwrap()))
                .collect(),
            success: vec![],
        }
    }

    #[test]
    fn values_are_encoded_in_paths_and_queries_and_literals_are_not() {
        let body = json!({"email": "a b+c@d.example", "address": {"city": "Köln/1"}});
        let found = endpoint("/c/{{ address.city }}/x", &[("q", "email:in:{{ email }}")])
            .location(&facts(&body));
        assert_eq!(
            found.unwrap(),
            "/c/K%C3%B6ln%2F1/x?q=email%3Ain%3Aa%20b%2Bc%40d.example"
        );
    }

    #[test]
    fn a_template_that_names_an_empty_field_makes_the_request_impossible() {
        for body in [json!({}), json!({"email": ""}), json!({"email": null})] {
            let found = endpoint("/c", &[("email", "{{ email }}")]).location(&facts(&body));
            assert_eq!(found, Err(Impossible::empty("email".into())), "{body}");
        }
    }

    #[test]
    fn a_step_that_names_another_address_is_told_as_that() {
        let found =
            endpoint("/c/{{ key }}/{{ name }}", &[]).location(&facts(&json!({"name": ".."})));
        assert_eq!(
            found.unwrap_err().to_string(),
            "the request cannot be made: in `/c/{{ key }}/{{ name }}` a value of the row makes a step `.` or `..`, which no address can hold"
        );
    }

    #[test]
    fn forms_nest_keys_in_brackets() {
        let (media, bytes) = encode(
            BodyForm::Form,
            &json!({"name": "A & B", "address": {"line1": "x", "n": 2}, "tags": ["a", "b"], "m": [{"k": 1}]}),
        );
        assert_eq!(media, "application/x-www-form-urlencoded");
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "name=A+%26+B&address%5Bline1%5D=x&address%5Bn%5D=2&tags%5B%5D=a&tags%5B%5D=b&m%5B0%5D%5Bk%5D=1"
        );
    }
}

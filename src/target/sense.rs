//! Whether what a target file says fits together: names that no field has, limits that nothing
//! passes, words that are not known.

use super::Target;
use super::call::Text;
use super::file::{CustomShape, FieldSpec};
use super::load::Check;
use crate::field::{Reader, Spec, Type};
use crate::issue::nearest;
use crate::path::Path;

/// What templates see beside the body's fields.
const ALWAYS: &[&str] = &["key", "key_hash"];

/// What they see beside it where a record is known.
const RECORD: &[&str] = &["id", "address", "record"];

impl Check<'_, '_> {
    /// Checks a target that is compiled.
    pub(super) fn sense(&mut self, target: &Target) {
        self.custom(target);
        for field in &target.fields {
            self.field(&field.name, &field.spec, field.kind);
        }
        self.templates(target);
        self.named_fields(target);
    }

    /// A header's name is a token (RFC 9110 section 5.6.2).
    pub(super) fn header_name(&mut self, at: &[&str], name: &str) {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            self.wrong(
                "header-name",
                at,
                format!("`{name}` is not a header's name"),
            )
            .help = Some("letters, digits and `-`, such as `X-API-Key`".to_owned());
        }
    }

    fn custom(&mut self, target: &Target) {
        let Some(custom) = &target.file.custom else {
            return;
        };
        let mut path = |key: &str, text: &str| {
            if let Err(why) = Path::parse(text) {
                self.wrong("path", &["custom", key], why);
            }
        };
        path("at", &custom.at);
        for (key, value, known) in [
            ("key_type", &custom.key_type, &["integer", "text"][..]),
            ("value_type", &custom.value_type, &["text"][..]),
        ] {
            if let Some(value) = value
                && !known.contains(&value.as_str())
            {
                let help = match nearest(value, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("one of: {}", known.join(", ")),
                };
                self.wrong(
                    "unknown-value",
                    &["custom", key],
                    format!("`{value}` is not one of the values here"),
                )
                .help = Some(help);
            }
        }
        if custom.shape == CustomShape::Pairs && custom.at.is_empty() {
            self.wrong(
                "missing-key",
                &["custom", "shape"],
                "pairs of custom fields need `at`, where their list stands".to_owned(),
            );
        }
        if custom.shape == CustomShape::Prefix && custom.prefix.is_empty() {
            self.wrong(
                "missing-key",
                &["custom", "shape"],
                "custom fields by prefix need `prefix`, what their names begin with; names that have none \
                 go to the top with shape = \"object\" and at = \"\"".to_owned(),
            );
        }
    }

    fn field(&mut self, name: &str, spec: &FieldSpec, kind: Option<Type>) {
        if let (Some(least), Some(most)) = (spec.min_length, spec.max_length)
            && least > most
        {
            self.wrong(
                "limits",
                &["fields", name, "min_length"],
                format!("no text is at least {least} and at most {most} characters long"),
            );
        }
        let number = |value: &Option<toml::Value>| match value {
            Some(toml::Value::Integer(number)) => Some(*number as f64),
            Some(toml::Value::Float(number)) => Some(*number),
            _ => None,
        };
        if let (Some(least), Some(most)) = (number(&spec.min), number(&spec.max))
            && least > most
        {
            self.wrong(
                "limits",
                &["fields", name, "min"],
                format!("no value is at least {least} and at most {most}"),
            );
        }
        if matches!(kind, Some(Type::Choice | Type::Choices))
            && spec.options.as_ref().is_some_and(Vec::is_empty)
        {
            self.wrong(
                "limits",
                &["fields", name, "options"],
                "a choice without options takes no value".to_owned(),
            );
        }
        if let Some(output) = &spec.output {
            let why = match kind {
                Some(kind @ (Type::Date | Type::DateTime)) => {
                    let spec = Spec {
                        output: Some(output.clone()),
                        ..Spec::default()
                    };
                    Reader::new(kind, spec).err()
                }
                _ => Some("`output` belongs to the types date and datetime".to_owned()),
            };
            if let Some(why) = why {
                self.wrong("bad-value", &["fields", name, "output"], why);
            }
        }
        if let Some(caution) = &spec.caution
            && caution.values.is_empty()
            && !caution.missing
        {
            self.wrong(
                "missing-key",
                &["fields", name, "caution"],
                "this caution names neither `values` nor `missing = true`".to_owned(),
            );
        }
    }

    fn templates(&mut self, target: &Target) {
        let create = &target.create;
        self.template(target, &["create", "path"], &create.endpoint.path, &[]);
        for (name, text) in &create.endpoint.query {
            self.template(target, &["create", "query", name], text, &[]);
        }
        for (nth, lookup) in target.lookups.iter().enumerate() {
            let place = nth.to_string();
            let place = place.as_str();
            let endpoint = &lookup.endpoint;
            self.template(target, &["lookup", place, "path"], &endpoint.path, &[]);
            for (name, text) in &endpoint.query {
                self.template(target, &["lookup", place, "query", name], text, &[]);
            }
            for ((name, _), (_, text)) in target
                .file
                .lookup
                .get(nth)
                .map_or(&[][..], |section| section.where_.as_slice())
                .iter()
                .zip(&lookup.where_)
            {
                self.template(target, &["lookup", place, "where", name], text, &[]);
            }
            let mut body = Vec::new();
            if let Some(fill) = &lookup.body {
                fill.texts(&mut body);
            }
            for text in body {
                self.template(target, &["lookup", place, "body"], text, &[]);
            }
        }
        if let Some(list) = &target.list {
            let texts = list.endpoint.query.iter().map(|(_, text)| text);
            for text in texts.chain([&list.endpoint.path]) {
                if let Some(name) = text.names().next() {
                    let name = name.join(".");
                    self.wrong(
                        "template",
                        &["list", "path"],
                        format!(
                            "a list is read for all rows at once, and this names `{name}` of one"
                        ),
                    );
                }
            }
        }
        if let Some((endpoint, _)) = &target.read {
            self.template(target, &["read", "path"], &endpoint.path, RECORD);
        }
        if let Some(update) = &target.update {
            self.template(target, &["update", "path"], &update.endpoint.path, RECORD);
            for (name, text) in &update.endpoint.query {
                self.template(target, &["update", "query", name], text, RECORD);
            }
        }
    }

    /// A name in a template must be a field's, or one of those that are always there. One that is
    /// near to a field's is a mistake; any other is told, since no row can fill it.
    fn template(&mut self, target: &Target, at: &[&str], text: &Text, more: &[&str]) {
        if target.file.open_fields {
            return;
        }
        let custom = target.file.custom.as_ref();
        let holds = custom.and_then(|custom| custom.at.split('.').next());
        let prefix = custom
            .map(|custom| custom.prefix.as_str())
            .filter(|prefix| !prefix.is_empty());
        // Custom fields may stand beside the others, under any name.
        let beside = custom
            .is_some_and(|custom| custom.at.is_empty() && custom.shape == CustomShape::Object);
        let mut wrong = Vec::new();
        for (name, range) in text.places() {
            let first = name.first().map(String::as_str).unwrap_or_default();
            let known = ALWAYS.contains(&first)
                || more.contains(&first)
                || holds == Some(first)
                || prefix.is_some_and(|prefix| first.starts_with(prefix))
                || target.natural_path().is_some_and(|path| path.begins(first))
                || target.fields.iter().any(|field| field.path.begins(first));
            if !known && !beside {
                wrong.push((name.join("."), range));
            }
        }
        for (name, range) in wrong {
            let known = target.fields.iter().map(|field| &*field.name);
            let near = nearest(&name, known.chain(more.iter().copied()).chain(["key"]));
            let message = format!("[fields] names no `{name}`, so no row can fill this");
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `{name}` to [fields], or say open_fields = true at the top"),
            };
            let mistake = self.wrong_within("unknown-field", at, (text.source(), range), message);
            mistake.help = Some(help);
            mistake.note = near.is_none();
        }
    }

    /// Lists of fields: names that no field has are told.
    fn named_fields(&mut self, target: &Target) {
        if target.file.open_fields {
            return;
        }
        let mut named: Vec<(Vec<String>, String)> = Vec::new();
        let file = &target.file;
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        for (place, lookup) in file.lookup.iter().enumerate() {
            for (at, name) in lookup.prove.iter().enumerate() {
                let at = [&place.to_string(), "prove", &at.to_string()];
                let path: Vec<&str> = ["lookup"].into_iter().chain(at).collect();
                named.push((words(&path), name.clone()));
            }
        }
        if let Some(list) = &file.list {
            named.push((words(&["list", "by"]), list.by.clone()));
        }
        if let Some(update) = &file.update {
            named.extend(
                update
                    .keyed
                    .iter()
                    .map(|name| (words(&["update", "keyed"]), name.clone())),
            );
            for (key, names) in [("never", &update.never), ("unreadable", &update.unreadable)] {
                for (at, name) in names.iter().enumerate() {
                    named.push((words(&["update", key, &at.to_string()]), name.clone()));
                }
            }
        }
        for (at, name) in named {
            let Ok(path) = Path::parse(&name) else {
                continue;
            };
            let natural = target.natural_path() == Some(&path);
            if name.is_empty()
                || natural
                || target.field(&path).is_some()
                || target.holder(&path).is_some()
                || file.custom.is_some()
            {
                continue;
            }
            let near = nearest(&name, target.fields.iter().map(|field| &*field.name));
            let at: Vec<&str> = at.iter().map(String::as_str).collect();
            let mistake = self.wrong("unknown-field", &at, format!("[fields] names no `{name}`"));
            mistake.note = near.is_none();
            mistake.help = near.map(|near| format!("did you mean `{near}`?"));
        }
    }
}

//! The sections of a target file that need more than their parts: authentication, fields, rates,
//! batches.

use super::check::Check;
use crate::document::to_json;
use crate::field::Type;
use crate::issue::nearest;
use crate::path::Path;
use crate::rate::{Rate, parse_rate};
use crate::target::Field;
use crate::target::batch::{Batch, Matching, parse_bytes};
use crate::target::file::{
    AuthKind, AuthSection, BatchSection, CustomShape, Grant, Silent, TargetFile,
};
use crate::target::merge::Pairs;

/// Where custom fields are a list of pairs. A wrong path is told elsewhere.
pub(super) fn pairs(file: &TargetFile) -> Option<Pairs> {
    let section = file.custom.as_ref()?;
    (section.shape == CustomShape::Pairs).then_some(())?;
    Some(Pairs {
        at: Path::parse(&section.at).ok()?,
        key: section.key.clone().unwrap_or_else(|| "key".to_owned()),
    })
}

impl Check<'_, '_> {
    pub(super) fn auth(&mut self, place: &str, auth: &AuthSection) {
        let missing = |key: &str, value: &Option<String>| match value {
            None => Some(key.to_owned()),
            Some(_) => None,
        };
        let lacks: Vec<String> = match auth.kind {
            AuthKind::None => vec![],
            AuthKind::Bearer => vec![missing("env", &auth.env)],
            AuthKind::Header => vec![missing("env", &auth.env), missing("header", &auth.header)],
            AuthKind::Basic => vec![missing("user_env", &auth.user_env)],
            AuthKind::Oauth2 => vec![
                auth.grant.is_none().then(|| "grant".to_owned()),
                missing("token_path", &auth.token_path),
                missing("id_env", &auth.id_env),
                match auth.grant {
                    Some(Grant::RefreshToken) => missing("refresh_env", &auth.refresh_env),
                    _ => missing("secret_env", &auth.secret_env),
                },
            ],
        }
        .into_iter()
        .flatten()
        .collect();
        for key in lacks {
            // One that is there, or was meant, is told where it stands.
            if self.stands_wrong(&["auth", place, &key]) {
                continue;
            }
            self.wrong(
                "missing-key",
                &["auth", place, "kind"],
                format!("this kind of [auth] needs `{key}`"),
            )
            .label = format!("needs `{key}`");
        }
        if let Some(header) = &auth.header {
            self.header_name(&["auth", place, "header"], header);
        }
        if let Some(path) = &auth.token_path
            && !path.starts_with('/')
            && !path.starts_with("origin:/")
            && !url::Url::parse(path)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        {
            self.wrong(
                "token-path",
                &["auth", place, "token_path"],
                format!("`{path}` is no place to ask for a token"),
            )
            .help = Some(
                "a path on the base such as `/oauth/token`, `origin:/oauth/token`, or an https address"
                    .to_owned(),
            );
        }
    }

    pub(super) fn fields(&mut self, file: &TargetFile) -> Vec<Field> {
        let mut fields = Vec::new();
        for (name, spec) in &file.fields {
            let told = self.mistakes.len();
            let path = self.path(&["fields", name], name);
            if let Some((key, _)) = self.span(&["fields", name])
                && let Some(Some((_, place))) =
                    self.mistakes.get_mut(told).map(|m| m.place.as_mut())
            {
                *place = key;
            }
            let kind = match spec.kind.as_deref().map(|kind| (kind, Type::parse(kind))) {
                Some((kind, None)) => {
                    let known = Type::ALL.iter().map(|kind| kind.name());
                    let near = nearest(kind, known.clone());
                    let help = match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("the types are {}", known.collect::<Vec<_>>().join(", ")),
                    };
                    self.wrong(
                        "unknown-type",
                        &["fields", name, "type"],
                        format!("there is no type `{kind}`"),
                    )
                    .help = Some(help);
                    None
                }
                Some((_, kind)) => kind,
                None => None,
            };
            let pattern = spec
                .pattern
                .as_ref()
                .and_then(|pattern| self.pattern(&["fields", name, "pattern"], pattern));
            fields.push(Field {
                path,
                name: name.as_str().into(),
                kind,
                spec: spec.clone(),
                pattern,
            });
        }
        fields
    }

    pub(super) fn rates(&mut self, file: &TargetFile) -> (Vec<Rate>, bool) {
        let mut rates = Vec::new();
        let mut unknown = false;
        for (place, text) in file
            .limits
            .rate
            .iter()
            .flat_map(|rate| &rate.values)
            .enumerate()
        {
            if text == "unknown" {
                unknown = true;
                continue;
            }
            match parse_rate(text) {
                Ok(rate) => rates.push(rate),
                Err(why) => {
                    let place = place.to_string();
                    let deep = ["limits", "rate", place.as_str()];
                    self.wrong("rate", &deep, why);
                }
            }
        }
        if file.limits.concurrency == Some(0) {
            self.wrong(
                "concurrency",
                &["limits", "concurrency"],
                "a concurrency of 0 sends nothing".to_owned(),
            );
        }
        (rates, unknown)
    }

    pub(super) fn batch(&mut self, file: &TargetFile, section: &BatchSection) -> Option<Batch> {
        const AT: &str = "batch";
        let create = &file.create;
        let method = section.method.as_ref().or(create.method.as_ref());
        let query = if section.query.is_empty() {
            &create.query
        } else {
            &section.query
        };
        let success = if section.success.is_empty() {
            &create.success
        } else {
            &section.success
        };
        let path = section.path.as_deref().unwrap_or(&create.path);
        let at: &[&str] = match section.path {
            Some(_) => &["create", AT],
            None => &["create"],
        };
        let endpoint = self.endpoint(at, (&method.cloned(), "POST"), path, query, success);
        if endpoint.path.names().next().is_some()
            || endpoint
                .query
                .iter()
                .any(|(_, text)| text.names().next().is_some())
        {
            self.wrong(
                "batch",
                &["create", AT],
                "the path of a batch names a field of one record".to_owned(),
            );
        }
        if section.silent == Silent::Created && section.errors.is_none() {
            self.wrong(
                "batch",
                &["create", AT, "silent"],
                "`silent = \"created\"` needs the list of what is refused".to_owned(),
            )
            .help = Some("name its path as `errors`".to_owned());
        }
        let mut path = |key: &str, text: &str| self.path(&["create", AT, key], text);
        let at = path("at", &section.at);
        let item = path("item", &section.item);
        let trace = section.trace.as_deref().map(|text| path("trace", text));
        let results = path("results", &section.results);
        let errors = section.errors.as_deref().map(|text| path("errors", text));
        let item_ok = section.item_ok.as_deref().map(|text| path("item_ok", text));
        let item_id = path("item_id", section.item_id.as_deref().unwrap_or("id"));
        let item_address = section
            .item_address
            .as_deref()
            .map(|text| path("item_address", text));
        let item_error = section
            .item_error
            .as_deref()
            .map(|text| path("item_error", text));
        let max_bytes = match section.max_bytes.as_deref() {
            None => usize::MAX,
            Some(text) => parse_bytes(text).unwrap_or_else(|| {
                self.wrong(
                    "batch",
                    &["create", AT, "max_bytes"],
                    format!("`{text}` is not a size"),
                )
                .help = Some("write it as `4MB` or `500kB`".to_owned());
                usize::MAX
            }),
        };
        if section.max == Some(0) {
            self.wrong(
                "batch",
                &["create", AT, "max"],
                "a batch of 0 records sends nothing".to_owned(),
            );
        }
        let matching = match Matching::compile(section.matching.as_ref()) {
            Ok(matching) => matching,
            Err(why) => {
                self.wrong("path", &["create", AT, "match"], why);
                Matching::Index
            }
        };
        let mut batch = Batch {
            apart: section
                .path
                .as_ref()
                .is_some_and(|path| *path != create.path),
            endpoint,
            max: section.max.unwrap_or(100).max(1),
            max_bytes,
            at,
            item,
            pairs: pairs(file),
            item_constants: to_json(&toml::Value::Table(section.item_constants.clone())),
            trace,
            results,
            errors,
            matching,
            item_ok,
            item_id,
            item_address,
            item_error,
            silent: section.silent == Silent::Created,
            atomic: section.atomic,
            overhead: (0, 0),
        };
        batch.measure(&to_json(&toml::Value::Table(create.constants.clone())));
        Some(batch)
    }
}

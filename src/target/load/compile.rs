//! A target file made into a target.

use std::sync::Arc;

use super::check::Check;
use crate::document::to_json;
use crate::issue::Mistake;
use crate::target::custom::AccountFields;
use crate::target::file::{PagingKind, TargetFile};
use crate::target::fill::Fill;
use crate::target::matcher::Code;
use crate::target::shape::ErrorShape;
use crate::target::{Create, List, Lookup, Sent, Target, Update};

impl Check<'_, '_> {
    pub(super) fn compile(&mut self, name: &str, file: TargetFile) -> Option<Target> {
        for (key, value, example) in [
            ("name", &file.name, "…"),
            ("base_url", &file.base_url, "https://…"),
        ] {
            if value.is_empty() && !self.stands_wrong(&[key]) {
                let missing = format!("the target file has no `{key}`");
                self.mistakes.push(
                    Mistake::new("missing-key", missing)
                        .at(self.file, 0..0, format!("no `{key}` in this file"))
                        .help(format!("write {key} = \"{example}\" above all sections")),
                );
            }
        }
        if !file.base_url.is_empty()
            && !url::Url::parse(&file.base_url)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        {
            self.wrong(
                "base-url",
                &["base_url"],
                format!("`{}` is not an http or https address", file.base_url),
            )
            .help = Some("write it whole, such as `https://api.example.com/v1`".to_owned());
        }
        for (place, auth) in file.auth.iter().enumerate() {
            self.auth(&place.to_string(), auth);
        }
        for (name, value) in &file.headers {
            self.header_name(&["headers", name], name);
            if let crate::target::file::HeaderValue::Text(text) = value
                && reqwest::header::HeaderValue::from_str(text).is_err()
            {
                self.wrong(
                    "header-value",
                    &["headers", name],
                    format!("the value of the header `{name}` cannot be sent"),
                )
                .help = Some(
                    "a header holds letters of ASCII, digits, marks and spaces, on one line"
                        .to_owned(),
                );
            }
        }
        if let Some(name) = &file.create.idempotency_header {
            self.header_name(&["create", "idempotency_header"], name);
        }
        let fields = self.fields(&file);
        let (rates, rate_unknown) = self.rates(&file);
        let mut errors = Vec::new();
        let mut fatal = Vec::new();
        let mut retry = Vec::new();
        for (place, section) in file.errors.iter().enumerate() {
            let place = place.to_string();
            let place = place.as_str();
            let compiled = ErrorShape::compile(section);
            match compiled {
                Ok(shape) => errors.push(shape),
                Err((key, why)) if key == "field_pattern" => {
                    let source = section.field_pattern.clone().unwrap_or_default();
                    if self.pattern(&["errors", place, key], &source).is_some() {
                        self.wrong("pattern", &["errors", place, key], why);
                    }
                }
                Err((key, why)) => {
                    self.wrong(
                        "errors",
                        &["errors", place, key],
                        format!("`{key}` is wrong: {why}"),
                    );
                }
            }
            fatal.extend(self.codes(&["errors", place, "fatal"], &section.fatal));
            let own = section.retry.iter();
            retry.extend(own.flat_map(|own| self.codes(&["errors", place, "retry"], own)));
        }
        if file.errors.iter().all(|section| section.retry.is_none()) {
            retry = vec![Code::status(429), Code::status(503)];
        }
        errors.push(ErrorShape::usual());
        let create = &file.create;
        let natural = create.natural_key.as_ref().map(|natural| {
            let at = ["create", "natural_key", "template"];
            let path = self.path(&["create", "natural_key", "field"], &natural.field);
            (path, self.text(&at, &natural.template))
        });
        let create = Create {
            endpoint: self.endpoint(
                &["create"],
                (&create.method, "POST"),
                &create.path,
                &create.query,
                &create.success,
            ),
            wrap: self.path(&["create", "wrap"], create.wrap.as_deref().unwrap_or("")),
            constants: match create.constants.is_empty() {
                true => serde_json::Value::Null,
                false => to_json(&toml::Value::Table(create.constants.clone())),
            },
            pairs: super::sections::pairs(&file),
            ok: create
                .ok
                .as_ref()
                .map(|ok| self.path(&["create", "ok"], ok)),
            id: (
                self.path(&["create", "id"], create.id.as_deref().unwrap_or("id")),
                create.id.is_some(),
            ),
            address: create
                .address
                .as_ref()
                .map(|at| self.path(&["create", "address"], at)),
            idempotency_ttl: self.duration(
                &["create", "idempotency_ttl"],
                create.idempotency_ttl.as_ref(),
            ),
            batch: create
                .batch
                .as_ref()
                .and_then(|section| self.batch(&file, section)),
            exists: self.codes(&["create", "exists"], &create.exists),
        };
        let lookups = file
            .lookup
            .iter()
            .enumerate()
            .map(|(place, section)| {
                let place = place.to_string();
                let place = place.as_str();
                let id = section.id.as_deref().unwrap_or("id");
                Lookup {
                    endpoint: self.endpoint(
                        &["lookup", place],
                        (&section.method, "GET"),
                        &section.path,
                        &section.query,
                        &[],
                    ),
                    body: section.body.as_ref().map(|body| {
                        let body = toml::Value::Table(body.clone());
                        Fill::compile(&body, &mut |source| {
                            self.text(&["lookup", place, "body"], source)
                        })
                    }),
                    results: self.path(&["lookup", place, "results"], &section.results),
                    record: self.path(&["lookup", place, "record"], &section.record),
                    where_: section
                        .where_
                        .iter()
                        .map(|(name, source)| {
                            let at = ["lookup", place, "where", name.as_str()];
                            (self.path(&at, name), self.text(&at, source))
                        })
                        .collect(),
                    prove: section
                        .prove
                        .iter()
                        .map(|name| self.path(&["lookup", place, "prove"], name))
                        .collect(),
                    lag: self
                        .duration(&["lookup", place, "lag"], section.lag.as_ref())
                        .unwrap_or_default(),
                    id: self.path(&["lookup", place, "id"], id),
                    address: self.path(
                        &["lookup", place, "address"],
                        section.address.as_deref().unwrap_or(id),
                    ),
                }
            })
            .collect();
        let list = file.list.as_ref().map(|section| {
            if let Some(paging) = &section.paging
                && paging.kind == PagingKind::Cursor
                && paging.next.is_none()
            {
                self.wrong(
                    "missing-key",
                    &["list", "paging"],
                    "paging by cursor needs `next`, the path of the next page's name".to_owned(),
                );
            }
            if section.by.is_empty() {
                self.wrong("missing-key", &["list"], "[list] has no `by`".to_owned());
            }
            let id = section.id.as_deref().unwrap_or("id");
            List {
                endpoint: self.endpoint(
                    &["list"],
                    (&section.method, "GET"),
                    &section.path,
                    &section.query,
                    &[],
                ),
                results: self.path(&["list", "results"], &section.results),
                id: self.path(&["list", "id"], id),
                address: self.path(
                    &["list", "address"],
                    section.address.as_deref().unwrap_or(id),
                ),
                by: self.path(&["list", "by"], &section.by),
                paging: section.paging.clone(),
            }
        });
        let read = file.read.as_ref().map(|section| {
            let endpoint = self.endpoint(
                &["read"],
                (&section.method, "GET"),
                &section.path,
                &Vec::new(),
                &[],
            );
            (endpoint, self.path(&["read", "record"], &section.record))
        });
        let update = file.update.as_ref().map(|section| Update {
            endpoint: self.endpoint(
                &["update"],
                (&section.method, "PATCH"),
                &section.path,
                &section.query,
                &section.success,
            ),
            mode: section.mode,
            keyed: section
                .keyed
                .as_ref()
                .map(|name| self.path(&["update", "keyed"], name)),
            never: section
                .never
                .iter()
                .map(|name| self.path(&["update", "never"], name))
                .collect(),
            unreadable: section
                .unreadable
                .iter()
                .map(|name| self.path(&["update", "unreadable"], name))
                .collect(),
            missing: section.missing.clone(),
        });
        if let Some(section) = &file.delete {
            self.endpoint(
                &["delete"],
                (&section.method, "DELETE"),
                &section.path,
                &Vec::new(),
                &section.success,
            );
        }
        if let Some(update) = &file.update {
            self.statuses(&["update", "missing"], &update.missing);
        }
        let discover = file
            .custom
            .as_ref()
            .and_then(|custom| custom.discover.as_ref())
            .map(|section| self.discover(section));
        let target = Target {
            name: name.to_owned(),
            text: Arc::clone(self.file),
            fields,
            create,
            lookups,
            list,
            read,
            update,
            discover,
            account_fields: AccountFields::default(),
            sent: Sent::default(),
            rates,
            rate_unknown,
            errors,
            fatal,
            retry,
            natural,
            file,
        };
        self.sense(&target);
        Some(target)
    }
}

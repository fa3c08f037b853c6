//! Target files: read, merged with what they extend, checked, compiled; all mistakes at once.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;

use super::batch::{Batch, Matching};
use super::call::{Endpoint, Text};
use super::custom::AccountFields;
use super::file::{
    AuthKind, AuthSection, BatchSection, CreateSection, Grant, Matcher, Ordered, PagingKind,
    TargetFile,
};
use super::fill::Fill;
use super::matcher::Code;
use super::shape::ErrorShape;
use super::{Create, Field, List, Lookup, Target, Update};
use crate::document::Document;
use crate::field::Type;
use crate::issue::{Mistake, TextFile, nearest};
use crate::mark;
use crate::path::Path;
use crate::rate::{Rate, parse_rate};

/// The target files that are compiled in.
const BUILTIN: &[(&str, &str)] = &[
    ("sphinx", include_str!("builtin/sphinx.toml")),
    ("flextell", include_str!("builtin/flextell.toml")),
    ("kaiten", include_str!("builtin/kaiten.toml")),
    ("assembly", include_str!("builtin/assembly.toml")),
    (
        "assembly-companies",
        include_str!("builtin/assembly-companies.toml"),
    ),
    ("cirqll", include_str!("builtin/cirqll.toml")),
];

/// The names of the built-in targets.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// The text of a built-in target's file.
pub fn builtin_text(name: &str) -> Option<&'static str> {
    BUILTIN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// Loads a target by the name that a mapping file or the command line gives: a built-in one, or a
/// file relative to `folder`.
pub fn load(name: &str, folder: &FilePath) -> (Option<Target>, Vec<Mistake>) {
    if let Some(text) = builtin_text(name) {
        let file = TextFile {
            name: format!("{name}.toml (built in)"),
            text: text.to_owned(),
        };
        return load_file(name, &Arc::new(file), None);
    }
    if !name.ends_with(".toml") && !name.contains(['/', '\\']) {
        let mistake = Mistake::new(
            "unknown-target",
            format!("there is no target called `{name}`"),
        );
        let known: Vec<&str> = builtin_names().collect();
        return (
            None,
            vec![match nearest(name, known.iter().copied()) {
                Some(near) => mistake.help(format!("did you mean `{near}`?")),
                None => mistake.help(format!(
                    "the built-in targets are {}; a target file is named by a path such as `./{name}.target.toml`",
                    known.join(", ")
                )),
            }],
        );
    }
    let path = folder.join(name);
    let shown = path.display().to_string();
    match read_text(&path) {
        Err(why) => {
            let message = format!("the target file `{shown}` cannot be read: {why}");
            (None, vec![Mistake::new("target-file", message)])
        }
        Ok(text) => {
            let stem = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned());
            let stem = stem.unwrap_or_else(|| name.to_owned());
            let short = stem.strip_suffix(".target").unwrap_or(&stem).to_owned();
            let file = Arc::new(TextFile { name: shown, text });
            load_file(&short, &file, path.parent())
        }
    }
}

fn read_text(path: &FilePath) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned))
}

/// Loads a target from the text of its file. `folder` is where files that it extends stand; with
/// `None` it can extend built-in ones only.
pub fn load_file(
    name: &str,
    file: &Arc<TextFile>,
    folder: Option<&FilePath>,
) -> (Option<Target>, Vec<Mistake>) {
    let (document, mut mistakes) = Document::parse(file);
    if !mistakes.is_empty() {
        return (None, mistakes);
    }
    let (own, found) = document.read::<TargetFile>();
    // What a file leaves out may stand in the one that it extends.
    let extends = document.root.contains_key("extends");
    mistakes.extend(
        found
            .into_iter()
            .filter(|mistake| !extends || mistake.code != "missing-key"),
    );
    let Some(own) = own else {
        return (None, mistakes);
    };
    let merged = match &own.extends {
        None => Some(own.clone()),
        Some(base) => match merged_table(base, &file.text, folder, 0) {
            Ok(table) => match TargetFile::deserialize(table) {
                Ok(merged) => Some(merged),
                // The same mistakes were found in the file itself.
                Err(_) if !mistakes.is_empty() => None,
                Err(error) => {
                    let span = span_of(&document, &["extends"]);
                    mistakes.push(
                        Mistake::new(
                            "target-extends",
                            format!(
                                "`{base}` and this file do not fit together: {}",
                                error.message()
                            ),
                        )
                        .at(file, span, "extends this"),
                    );
                    None
                }
            },
            Err(why) => {
                let span = span_of(&document, &["extends"]);
                let mistake = Mistake::new("target-extends", why).at(file, span, "extends this");
                let near = nearest(base, builtin_names()).filter(|near| near != base);
                mistakes.push(match near {
                    Some(near) => mistake.help(format!("did you mean `{near}`?")),
                    None => mistake,
                });
                None
            }
        },
    };
    let Some(merged) = merged else {
        mistakes.sort_by_key(|mistake| mistake.place.as_ref().map(|(_, span)| span.start));
        return (None, mistakes);
    };
    let mut check = Check {
        file,
        document: &document,
        mistakes,
    };
    let target = check.compile(name, merged);
    let mut mistakes = check.mistakes;
    // In the order of the file, however they were found.
    mistakes.sort_by_key(|mistake| mistake.place.as_ref().map(|(_, span)| span.start));
    let good = mistakes.iter().all(|mistake| mistake.note);
    (target.filter(|_| good), mistakes)
}

fn span_of(document: &Document<'_>, path: &[&str]) -> std::ops::Range<usize> {
    document.spans(path).map_or(0..0, |(_, value)| value)
}

/// The table of a file laid over that of the target it extends.
fn merged_table(
    base: &str,
    own: &str,
    folder: Option<&FilePath>,
    depth: usize,
) -> Result<toml::Table, String> {
    if depth > 8 {
        return Err(format!("`{base}` extends itself"));
    }
    let (text, base_folder) = match (builtin_text(base), folder) {
        (Some(text), _) => (text.to_owned(), None),
        (None, Some(folder)) if base.ends_with(".toml") => {
            let path = folder.join(base);
            let text = read_text(&path).map_err(|why| {
                format!("the target file `{}` cannot be read: {why}", path.display())
            })?;
            (text, path.parent().map(FilePath::to_path_buf))
        }
        _ => {
            return Err(format!(
                "there is no target called `{base}`; the built-in ones are {}",
                builtin_names().collect::<Vec<_>>().join(", ")
            ));
        }
    };
    let parse = |text: &str| {
        text.parse::<toml::Table>()
            .map_err(|error| error.message().to_owned())
    };
    let mut table = parse(&text).map_err(|why| format!("`{base}` is not TOML: {why}"))?;
    if let Some(toml::Value::String(deeper)) = table.remove("extends") {
        table = merged_table(&deeper, &text, base_folder.as_deref(), depth + 1)?;
    }
    let own = parse(own)?;
    merge(&mut table, own);
    table.remove("extends");
    Ok(table)
}

fn merge(base: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            // A way to authenticate is one fact: parts of two would not fit together.
            (Some(toml::Value::Table(base)), toml::Value::Table(own))
                if key != "auth" || !own.contains_key("kind") =>
            {
                merge(base, own);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

pub(super) struct Check<'d, 'i> {
    pub(super) file: &'i Arc<TextFile>,
    document: &'d Document<'i>,
    mistakes: Vec<Mistake>,
}

impl Check<'_, '_> {
    /// A mistake at a path of keys; where the file itself does not hold it, at what it extends.
    pub(super) fn wrong(
        &mut self,
        code: &'static str,
        path: &[&str],
        message: String,
    ) -> &mut Mistake {
        let mut path = path;
        let span = loop {
            match self.span(path) {
                Some((key, value)) => {
                    // Of a table, its name: it may be many lines long.
                    let table = self.file.text.get(value.clone());
                    break match table
                        .is_some_and(|text| text.contains('\n') && !text.starts_with(['"', '\'']))
                    {
                        true => key,
                        false => value,
                    };
                }
                None if path.len() > 1 => path = &path[..path.len() - 1],
                None => break span_of(self.document, &["extends"]),
            }
        };
        let mistake = Mistake::new(code, message).at(self.file, span, "here");
        self.mistakes.push(mistake);
        let last = self.mistakes.len() - 1;
        &mut self.mistakes[last]
    }

    /// Where an entry stands: its key and its value. A section that may be given several times is
    /// asked for by its place, and found also where it is given once.
    fn span(&self, path: &[&str]) -> Option<(std::ops::Range<usize>, std::ops::Range<usize>)> {
        self.document.spans(path).or_else(|| {
            let numbered = path.iter().position(|step| step.parse::<usize>().is_ok())?;
            let mut path = path.to_vec();
            path.remove(numbered);
            self.document.spans(&path)
        })
    }

    /// A mistake within the text at a path of keys.
    pub(super) fn wrong_within(
        &mut self,
        code: &'static str,
        path: &[&str],
        (source, range): (&str, Option<std::ops::Range<usize>>),
        message: String,
    ) -> &mut Mistake {
        let mistake = self.wrong(code, path, message);
        if let Some((file, span)) = &mut mistake.place {
            *span = mark::inside(file, span.clone(), source, range);
        }
        mistake
    }

    pub(super) fn text(&mut self, path: &[&str], source: &str) -> Text {
        match Text::compile(source) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("this template is wrong: {}", error.message);
                self.wrong_within("template", path, (source, error.range), message);
                Text::compile("").unwrap_or_else(|_| unreachable!("the empty template compiles"))
            }
        }
    }

    fn pattern(&mut self, path: &[&str], source: &str) -> Option<Regex> {
        match Regex::new(source) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let (why, range) = mark::explain(&error, source);
                let message = format!("this pattern is wrong: {why}");
                self.wrong_within("pattern", path, (source, range), message);
                None
            }
        }
    }

    pub(super) fn texts(&mut self, path: &[&str], pairs: &Ordered<String>) -> Vec<(String, Text)> {
        pairs
            .iter()
            .map(|(name, source)| {
                let at: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
                (name.clone(), self.text(&at, source))
            })
            .collect()
    }

    pub(super) fn path(&mut self, at: &[&str], text: &str) -> Path {
        Path::parse(text).unwrap_or_else(|why| {
            self.wrong("path", at, why);
            Path::default()
        })
    }

    fn endpoint(
        &mut self,
        section: &[&str],
        method: (&Option<String>, &str),
        path: &str,
        query: &Ordered<String>,
        success: &[u16],
    ) -> Endpoint {
        let at =
            |key: &'static str| -> Vec<&str> { section.iter().copied().chain([key]).collect() };
        let title = section
            .iter()
            .filter(|step| step.parse::<usize>().is_err())
            .copied()
            .collect::<Vec<_>>()
            .join(".");
        let verb = method.0.as_deref().unwrap_or(method.1).to_ascii_uppercase();
        const VERBS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        if !VERBS.contains(&verb.as_str()) {
            let help = match nearest(&verb, VERBS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "GET, POST, PUT, PATCH or DELETE".to_owned(),
            };
            self.wrong(
                "method",
                &at("method"),
                format!("`{verb}` is not a method that can be used here"),
            )
            .help = Some(help);
        }
        if path.is_empty() {
            self.wrong("missing-key", section, format!("[{title}] has no `path`"));
        } else if !path.starts_with('/') {
            self.wrong(
                "target-path",
                &at("path"),
                format!("the path `{path}` does not begin with `/`"),
            )
            .help = Some("paths stand behind base_url and begin with `/`".to_owned());
        }
        if path.contains("{%") {
            self.wrong(
                "target-path",
                &at("path"),
                "a path cannot hold `{% … %}`: what values give could not be told from its slashes"
                    .to_owned(),
            )
            .help = Some("use {{ … }} alone, or a query parameter".to_owned());
        }
        self.statuses(&at("success"), success);
        Endpoint {
            method: verb,
            path: self.text(&at("path"), path),
            query: self.texts(&at("query"), query),
            success: success.to_vec(),
        }
    }

    /// Statuses of HTTP have three digits.
    fn statuses(&mut self, at: &[&str], statuses: &[u16]) {
        for (place, status) in statuses.iter().enumerate() {
            if !(100..=599).contains(status) {
                let place = place.to_string();
                let at: Vec<&str> = at.iter().copied().chain([place.as_str()]).collect();
                self.wrong("status", &at, format!("{status} is not a status of HTTP"))
                    .help = Some("statuses are numbers from 100 to 599, such as 201".to_owned());
            }
        }
    }

    fn duration(&mut self, at: &[&str], text: Option<&String>) -> Option<Duration> {
        let text = text?;
        // A day is 24 hours here, which jiff leaves open.
        let days = text
            .trim()
            .trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
        let days = match text.trim()[days.len()..].trim() {
            "d" | "day" | "days" => days.parse::<u32>().ok(),
            _ => None,
        };
        let days = days.map(|days| Duration::from_secs(u64::from(days) * 86_400));
        match days.or_else(|| {
            let duration = text.parse::<jiff::SignedDuration>().ok()?;
            Duration::try_from(duration).ok()
        }) {
            Some(duration) => Some(duration),
            None => {
                self.wrong("duration", at, format!("`{text}` is not a duration"))
                    .help = Some("write it as `5s`, `10min` or `24h`".to_owned());
                None
            }
        }
    }

    fn codes(&mut self, at: &[&str], matchers: &[Matcher]) -> Vec<Code> {
        let mut codes = Vec::new();
        for (place, matcher) in matchers.iter().enumerate() {
            match Code::compile(matcher) {
                Ok(code) => codes.push(code),
                Err(why) => {
                    let place = place.to_string();
                    let mut at: Vec<&str> = at.iter().copied().chain([place.as_str()]).collect();
                    match &matcher.message {
                        Some(message) => {
                            at.push("message");
                            self.pattern(&at, message);
                        }
                        None => {
                            let message = format!("this matcher is wrong: {why}");
                            self.wrong("matcher", &at, message);
                        }
                    }
                }
            }
            if let Some(status) = matcher
                .status
                .filter(|status| !(100..=599).contains(status))
            {
                let place = place.to_string();
                let at: Vec<&str> = at
                    .iter()
                    .copied()
                    .chain([place.as_str(), "status"])
                    .collect();
                self.wrong("status", &at, format!("{status} is not a status of HTTP"))
                    .help = Some("statuses are numbers from 100 to 599, such as 409".to_owned());
            }
        }
        codes
    }

    fn auth(&mut self, place: &str, auth: &AuthSection) {
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
            self.wrong(
                "missing-key",
                &["auth", place, "kind"],
                format!("this kind of [auth] needs `{key}`"),
            );
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

    fn fields(&mut self, file: &TargetFile) -> Vec<Field> {
        let mut fields = Vec::new();
        for (name, spec) in &file.fields {
            let path = self.path(&["fields", name], name);
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

    fn rates(&mut self, file: &TargetFile) -> (Vec<Rate>, bool) {
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

    fn batch(&mut self, create: &CreateSection, section: &BatchSection) -> Option<Batch> {
        const AT: &str = "batch";
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
            Some(text) => super::batch::parse_bytes(text).unwrap_or_else(|| {
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
            endpoint,
            max: section.max.unwrap_or(100).max(1),
            max_bytes,
            at,
            item,
            item_constants: crate::document::to_json(&toml::Value::Table(
                section.item_constants.clone(),
            )),
            trace,
            results,
            errors,
            matching,
            item_ok,
            item_id,
            item_address,
            item_error,
            atomic: section.atomic,
            overhead: (0, 0),
        };
        batch.measure(&crate::document::to_json(&toml::Value::Table(
            create.constants.clone(),
        )));
        Some(batch)
    }

    fn compile(&mut self, name: &str, file: TargetFile) -> Option<Target> {
        for (key, value) in [("name", &file.name), ("base_url", &file.base_url)] {
            if value.is_empty() {
                self.mistakes.push(
                    Mistake::new("missing-key", format!("the target file has no `{key}`")).at(
                        self.file,
                        0..0,
                        "missing",
                    ),
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
        for (name, _) in &file.headers {
            self.header_name(&["headers", name], name);
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
                false => crate::document::to_json(&toml::Value::Table(create.constants.clone())),
            },
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
                .and_then(|section| self.batch(create, section)),
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
            sent: super::Sent::default(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> (Option<Target>, Vec<Mistake>) {
        let file = TextFile {
            name: "x.target.toml".into(),
            text: text.into(),
        };
        load_file("x", &Arc::new(file), None)
    }

    #[test]
    fn the_built_in_targets_load() {
        for name in builtin_names() {
            let (target, mistakes) = load(name, FilePath::new("."));
            assert!(mistakes.is_empty(), "{name}: {mistakes:#?}");
            assert!(target.is_some(), "{name}");
        }
    }

    #[test]
    fn a_file_that_extends_another_replaces_single_facts() {
        let (target, mistakes) = load_text(
            "extends = \"cirqll\"\nbase_url = \"https://cirqll.example\"\n[limits]\nconcurrency = 2\n",
        );
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let target = target.unwrap();
        assert_eq!(target.file.base_url, "https://cirqll.example");
        assert_eq!(target.file.limits.concurrency, Some(2));
        assert_eq!(target.file.create.path, "/customer");
    }

    #[test]
    fn all_mistakes_of_a_target_file_come_at_once() {
        let (target, mistakes) = load_text(
            r#"name = "X"
base_url = "ftp://x"
colour = "red"
[auth]
kind = "oauth2"
[create]
path = "customers/{{ email"
[limits]
rate = "many"
[fields]
name = { type = "txt" }
"#,
        );
        assert!(target.is_none());
        let codes: Vec<_> = mistakes.iter().map(|mistake| mistake.code).collect();
        for code in [
            "unknown-key",
            "base-url",
            "missing-key",
            "target-path",
            "template",
            "rate",
            "unknown-type",
        ] {
            assert!(codes.contains(&code), "{code} is not among {codes:?}");
        }
        assert!(mistakes.iter().all(|mistake| mistake.place.is_some()));
    }

    #[test]
    fn an_unknown_target_is_told_with_the_nearest() {
        let (_, mistakes) = load("katen", FilePath::new("."));
        assert_eq!(mistakes[0].help.as_deref(), Some("did you mean `kaiten`?"));
    }
}

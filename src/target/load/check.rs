//! What is wrong with a target file, told at its place; and the parts that sections have in common.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;

use super::span_of;
use crate::document::Document;
use crate::issue::{Mistake, TextFile, nearest};
use crate::mark;
use crate::path::Path;
use crate::rate::parse_time;
use crate::target::call::{Endpoint, Text};
use crate::target::file::{Matcher, Ordered};
use crate::target::matcher::Code;

/// A target file while it is checked.
pub(in crate::target) struct Check<'d, 'i> {
    pub(in crate::target) file: &'i Arc<TextFile>,
    pub(super) document: &'d Document<'i>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Check<'_, '_> {
    /// A mistake at a path of keys; where the file itself does not hold it, at what it extends.
    pub(in crate::target) fn wrong(
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

    /// Whether a key that seems to be missing stands in the file and was told for its value, or was
    /// meant by a misspelt one.
    pub(super) fn stands_wrong(&self, path: &[&str]) -> bool {
        let Some((key, section)) = path.split_last() else {
            return false;
        };
        let within = match section.is_empty() {
            true => Some(0..self.file.text.len()),
            // A section reaches to the next one.
            false => self.span(section).map(|(_, value)| {
                let rest = self.file.text.get(value.start..).unwrap_or_default();
                let end = rest.find("\n[").unwrap_or(rest.len());
                value.start..value.end.max(value.start + end)
            }),
        };
        let meant = format!("did you mean `{key}`?");
        self.span(path).is_some()
            || self.mistakes.iter().any(|told| {
                told.code == "unknown-key"
                    && told.help.as_ref() == Some(&meant)
                    && told.place.as_ref().is_some_and(|(_, at)| {
                        within
                            .as_ref()
                            .is_some_and(|within| within.contains(&at.start))
                    })
            })
    }

    /// Where an entry stands: its key and its value. A section that may be given several times is
    /// asked for by its place, and found also where it is given once.
    pub(super) fn span(&self, path: &[&str]) -> Option<(Range<usize>, Range<usize>)> {
        self.document.spans(path).or_else(|| {
            let numbered = path.iter().position(|step| step.parse::<usize>().is_ok())?;
            let mut path = path.to_vec();
            path.remove(numbered);
            self.document.spans(&path)
        })
    }

    /// A mistake within the text at a path of keys.
    pub(in crate::target) fn wrong_within(
        &mut self,
        code: &'static str,
        path: &[&str],
        (source, range): (&str, Option<Range<usize>>),
        message: String,
    ) -> &mut Mistake {
        let mistake = self.wrong(code, path, message);
        if let Some((file, span)) = &mut mistake.place {
            *span = mark::inside(file, span.clone(), source, range);
        }
        mistake
    }

    pub(in crate::target) fn text(&mut self, path: &[&str], source: &str) -> Text {
        match Text::compile(source) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("this template is wrong: {}", error.message);
                self.wrong_within("template", path, (source, error.range), message);
                Text::compile("").unwrap_or_else(|_| unreachable!("the empty template compiles"))
            }
        }
    }

    pub(super) fn pattern(&mut self, path: &[&str], source: &str) -> Option<Regex> {
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

    pub(in crate::target) fn texts(
        &mut self,
        path: &[&str],
        pairs: &Ordered<String>,
    ) -> Vec<(String, Text)> {
        pairs
            .iter()
            .map(|(name, source)| {
                let at: Vec<&str> = path.iter().copied().chain([name.as_str()]).collect();
                (name.clone(), self.text(&at, source))
            })
            .collect()
    }

    pub(in crate::target) fn path(&mut self, at: &[&str], text: &str) -> Path {
        Path::parse(text).unwrap_or_else(|why| {
            self.wrong("path", at, why);
            Path::default()
        })
    }

    /// Statuses of HTTP have three digits.
    pub(super) fn statuses(&mut self, at: &[&str], statuses: &[u16]) {
        for (place, status) in statuses.iter().enumerate() {
            if !(100..=599).contains(status) {
                let place = place.to_string();
                let at: Vec<&str> = at.iter().copied().chain([place.as_str()]).collect();
                self.wrong("status", &at, format!("{status} is not a status of HTTP"))
                    .help = Some("statuses are numbers from 100 to 599, such as 201".to_owned());
            }
        }
    }

    pub(super) fn duration(&mut self, at: &[&str], text: Option<&String>) -> Option<Duration> {
        let text = text?;
        match parse_time(text) {
            Ok(duration) => Some(duration),
            Err(why) => {
                let (what, how) = why.split_once(": ").unwrap_or((&why, ""));
                let mistake = self.wrong("duration", at, what.to_owned());
                mistake.help = (!how.is_empty()).then(|| how.to_owned());
                None
            }
        }
    }

    pub(super) fn codes(&mut self, at: &[&str], matchers: &[Matcher]) -> Vec<Code> {
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
                        // What it names may be misspelt.
                        None if self.span(&at).is_some_and(|(_, value)| {
                            self.mistakes.iter().any(|told| {
                                told.code == "unknown-key"
                                    && told
                                        .place
                                        .as_ref()
                                        .is_some_and(|(_, at)| value.contains(&at.start))
                            })
                        }) => {}
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

    pub(super) fn endpoint(
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
            let place = section.to_vec();
            let missing = self.wrong("missing-key", &place, format!("[{title}] has no `path`"));
            missing.label = "needs `path`".to_owned();
            missing.help = Some(format!("write path = \"/…\" below [{title}]"));
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
}

//! `[custom.discover]`: how an account's custom fields are asked for, and what its answers say.

use std::collections::BTreeMap;

use serde_json::Value;

use super::answer::id_text;
use super::call::{Endpoint, Facts, Impossible};
use super::custom::Definition;
use super::file::{DiscoverOptions, DiscoverSection, Ordered, Paging, PagingKind};
use super::load::Check;
use crate::field::{Choice, Type};
use crate::issue::nearest;
use crate::path::Path;

/// The word of `types` for a type that takes any value.
const ANY: &str = "any";

/// Where an account's custom fields can be listed, ready for use.
#[derive(Debug)]
pub struct Discover {
    /// What lists the definitions.
    pub listing: Listing,
    key: Path,
    id: Path,
    label: Option<Path>,
    kind: Option<Path>,
    required: Option<Path>,
    /// Their types to ours; `None` takes any value.
    types: BTreeMap<String, Option<Type>>,
    options: Option<Options>,
}

/// A request that lists something, page by page.
#[derive(Debug)]
pub struct Listing {
    /// Method, path, query.
    pub endpoint: Endpoint,
    /// Where what is listed stands; empty = the answer is the array.
    pub results: Path,
    /// How the pages follow each other.
    pub paging: Option<Paging>,
}

#[derive(Debug)]
struct Options {
    place: Place,
    /// Where an option's value stands; empty = the option itself.
    value: Path,
    label: Option<Path>,
}

#[derive(Debug)]
enum Place {
    Inline(Path),
    Apart(Box<Listing>),
}

impl Discover {
    /// What a definition says, its inline options included; `None` where it has no key.
    pub fn read(&self, record: &Value) -> Option<Definition> {
        let text = |path: &Path| path.get(record).and_then(id_text);
        let key = text(&self.key)?;
        let theirs = self.kind.as_ref().and_then(text);
        let mut definition = Definition {
            id: text(&self.id).filter(|id| *id != key),
            label: self.label.as_ref().and_then(text),
            kind: theirs.as_deref().and_then(|theirs| self.type_of(theirs)),
            theirs,
            required: self
                .required
                .as_ref()
                .and_then(|path| path.get(record))
                .is_some_and(|value| *value == Value::Bool(true)),
            options: Vec::new(),
            key,
        };
        if let Some(Options {
            place: Place::Inline(at),
            ..
        }) = &self.options
            && let Some(list) = at.get(record)
        {
            definition.options = self.choices(list);
        }
        Some(definition)
    }

    fn type_of(&self, theirs: &str) -> Option<Type> {
        match self.types.get(theirs) {
            Some(ours) => *ours,
            None => Type::parse(theirs),
        }
    }

    /// Whether this type of theirs is one that the target file, or the name itself, explains.
    pub fn knows(&self, theirs: &str) -> bool {
        self.types.contains_key(theirs) || Type::parse(theirs).is_some()
    }

    /// What lists the options of this definition, where that takes a request of its own.
    pub fn options_of(&self, definition: &Definition) -> Option<&Listing> {
        let may_have = matches!(definition.kind, Some(Type::Choice | Type::Choices))
            || (definition.kind.is_none()
                && definition
                    .theirs
                    .as_deref()
                    .is_some_and(|theirs| !self.knows(theirs)));
        match &self.options {
            Some(Options {
                place: Place::Apart(listing),
                ..
            }) if may_have => Some(listing),
            _ => None,
        }
    }

    /// The options that a list of them holds: an array of options, or an object of value to label.
    pub fn choices(&self, list: &Value) -> Vec<Choice> {
        let Some(options) = &self.options else {
            return Vec::new();
        };
        let one = |option: &Value| {
            // Some list bare values, whatever else they say elsewhere.
            let value = match option {
                Value::Object(_) => options.value.get(option)?,
                bare => bare,
            };
            let scalar = matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
            let label = options.label.as_ref().and_then(|path| path.get(option));
            scalar.then(|| Choice {
                value: value.clone(),
                label: label.and_then(id_text),
            })
        };
        match list {
            Value::Array(items) => items.iter().filter_map(one).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(value, label)| Choice {
                    value: Value::String(value.clone()),
                    label: id_text(label),
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Path and query of the request for one definition's options.
    ///
    /// # Errors
    /// Where a template names a member that the definition leaves empty.
    pub fn options_location(
        &self,
        listing: &Listing,
        definition: &Definition,
        record: &Value,
    ) -> Result<String, Impossible> {
        // A member of the definition's own goes before what the target file calls its key.
        let own = |name: &str| record.get(name).and_then(id_text);
        let key = own("key").unwrap_or_else(|| definition.key.clone());
        let id = own("id").or_else(|| definition.id.clone());
        let id = id.unwrap_or_else(|| definition.key.clone());
        listing.endpoint.location(&Facts {
            body: record,
            key: &key,
            id: Some(&id),
            ..Facts::NONE
        })
    }
}

impl Check<'_, '_> {
    /// Compiles `[custom.discover]`.
    pub(super) fn discover(&mut self, section: &DiscoverSection) -> Discover {
        const AT: [&str; 2] = ["custom", "discover"];
        let at = |key: &'static str| [AT[0], AT[1], key];
        let listing = self.listing(
            &AT,
            section.method.as_ref(),
            (&section.path, &section.query),
            &section.results,
            section.paging.as_ref(),
        );
        let endpoint = &listing.endpoint;
        let names_row = std::iter::once(&endpoint.path)
            .chain(endpoint.query.iter().map(|(_, text)| text))
            .any(|text| text.names().next().is_some());
        if names_row {
            self.wrong(
                "target-path",
                &at("path"),
                "the request for an account's custom fields names a field, and it is about no record"
                    .to_owned(),
            );
        }
        let mut types = BTreeMap::new();
        for (theirs, ours) in &section.types {
            let kind = Type::parse(ours);
            if kind.is_none() && ours != ANY {
                let known = || Type::ALL.iter().map(|kind| kind.name()).chain([ANY]);
                let help = match nearest(ours, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the types are {}", known().collect::<Vec<_>>().join(", ")),
                };
                self.wrong(
                    "unknown-type",
                    &[AT[0], AT[1], "types", theirs],
                    format!("there is no type `{ours}`"),
                )
                .help = Some(help);
            }
            types.insert(theirs.clone(), kind);
        }
        let key = match section.key.as_str() {
            "" => "key",
            key => key,
        };
        Discover {
            key: self.path(&at("key"), key),
            id: self.path(&at("id"), section.id.as_deref().unwrap_or("id")),
            label: section
                .label
                .as_deref()
                .map(|text| self.path(&at("label"), text)),
            kind: section
                .kind
                .as_deref()
                .map(|text| self.path(&at("type"), text)),
            required: section
                .required
                .as_deref()
                .map(|text| self.path(&at("required"), text)),
            options: section
                .options
                .as_ref()
                .and_then(|section| self.options(section)),
            types,
            listing,
        }
    }

    fn options(&mut self, section: &DiscoverOptions) -> Option<Options> {
        const AT: [&str; 3] = ["custom", "discover", "options"];
        let at = |key: &'static str| [AT[0], AT[1], AT[2], key];
        let place = match (&section.at, &section.path) {
            (Some(inline), None) => Place::Inline(self.path(&at("at"), inline)),
            (None, Some(path)) => Place::Apart(Box::new(self.listing(
                &AT,
                None,
                (path, &section.query),
                section.results.as_deref().unwrap_or_default(),
                section.paging.as_ref(),
            ))),
            (both, _) => {
                let message = match both {
                    Some(_) => {
                        "the options stand either in the definition or at a path of their own"
                    }
                    None => "nothing says where the options stand",
                };
                self.wrong("missing-key", &AT, message.to_owned()).help = Some(
                    "write `at`, the path of the options in the definition, or `path`, the address \
                     at which they can be asked for"
                        .to_owned(),
                );
                return None;
            }
        };
        Some(Options {
            place,
            value: self.path(&at("value"), &section.value),
            label: section
                .label
                .as_deref()
                .map(|text| self.path(&at("label"), text)),
        })
    }

    fn listing(
        &mut self,
        at: &[&str],
        method: Option<&String>,
        (path, query): (&str, &Ordered<String>),
        results: &str,
        paging: Option<&Paging>,
    ) -> Listing {
        let under = |key: &'static str| -> Vec<&str> { at.iter().copied().chain([key]).collect() };
        if path.is_empty() {
            let section = at.join(".");
            self.wrong("missing-key", at, format!("[{section}] has no `path`"));
        } else if !path.starts_with('/') || path.contains("{%") {
            self.wrong(
                "target-path",
                &under("path"),
                format!("the path `{path}` cannot be asked"),
            )
            .help = Some(
                "paths stand behind base_url, begin with `/` and hold no `{% … %}`".to_owned(),
            );
        }
        let verb = method.map_or_else(|| "GET".to_owned(), |method| method.to_ascii_uppercase());
        if !matches!(verb.as_str(), "GET" | "POST") {
            self.wrong(
                "method",
                &under("method"),
                format!("`{verb}` is not a method that can be used here"),
            )
            .help = Some("GET or POST".to_owned());
        }
        if let Some(paging) = paging
            && paging.kind == PagingKind::Cursor
            && paging.next.is_none()
        {
            self.wrong(
                "missing-key",
                &under("paging"),
                "paging by cursor needs `next`, the path of the next page's name".to_owned(),
            );
        }
        Listing {
            endpoint: Endpoint {
                method: verb,
                path: self.text(&under("path"), path),
                query: self.texts(&under("query"), query),
                success: Vec::new(),
            },
            results: self.path(&under("results"), results),
            paging: paging.cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path as FilePath;
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::issue::{Mistake, TextFile};
    use crate::target::{Target, load, load_file};

    fn load_text(discover: &str) -> (Option<Target>, Vec<Mistake>) {
        let file = TextFile {
            name: "x.target.toml".into(),
            text: format!(
                "name = \"X\"\nbase_url = \"https://x.example\"\n[create]\npath = \"/c\"\n[custom]\nat = \"cf\"\n\
                 [custom.discover]\n{discover}"
            ),
        };
        load_file("x", &Arc::new(file), None)
    }

    #[test]
    fn definitions_are_read_by_the_paths_of_the_file() {
        let (target, mistakes) = load_text(
            "path = \"/cf\"\nkey = \"attributes.api_key\"\nlabel = \"attributes.title\"\ntype = \"kind\"\nrequired = \"must\"\n\
             types = { pick = \"choices\", blob = \"any\" }\noptions = { at = \"values\", value = \"v\", label = \"l\" }\n",
        );
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let discover = target.unwrap().discover.unwrap();
        let read = discover
            .read(&json!({
                "id": 7, "attributes": { "api_key": "size", "title": "Size" }, "kind": "pick", "must": true,
                "values": [{ "v": 1, "l": "Small" }, { "v": null }, "large", { "v": "m" }],
            }))
            .unwrap();
        let options: Vec<_> = read
            .options
            .iter()
            .map(|option| (option.value.clone(), option.label.as_deref()))
            .collect();
        assert_eq!(
            options,
            [
                (json!(1), Some("Small")),
                (json!("large"), None),
                (json!("m"), None)
            ]
        );
        assert_eq!(
            (
                read.key.as_str(),
                read.id.as_deref(),
                read.label.as_deref(),
                read.kind,
                read.required
            ),
            ("size", Some("7"), Some("Size"), Some(Type::Choices), true)
        );
        for (theirs, ours, known) in [
            ("date", Some(Type::Date), true),
            ("blob", None, true),
            ("lookup", None, false),
        ] {
            let record = json!({ "attributes": { "api_key": "k" }, "kind": theirs });
            let read = discover.read(&record).unwrap();
            assert_eq!(
                (read.kind, discover.knows(theirs)),
                (ours, known),
                "{theirs}"
            );
        }
        assert_eq!(discover.read(&json!({ "id": 7 })), None);
        let by_name = discover.choices(&json!({ "a": "Anna", "b": 2 }));
        assert_eq!(by_name[1].label.as_deref(), Some("2"));
    }

    #[test]
    fn all_mistakes_of_the_section_come_at_once() {
        let (target, mistakes) = load_text(
            "path = \"cf/{{ email }}\"\ntypes = { x = \"tetx\" }\npaging = { kind = \"cursor\", param = \"c\" }\n\
             options = { value = \"v\" }\n",
        );
        assert!(target.is_none());
        let mut codes: Vec<_> = mistakes.iter().map(|mistake| mistake.code).collect();
        codes.sort_unstable();
        assert_eq!(
            codes,
            [
                "missing-key",
                "missing-key",
                "target-path",
                "target-path",
                "unknown-type"
            ],
            "{mistakes:#?}"
        );
        let typo = mistakes.iter().find(|told| told.code == "unknown-type");
        assert_eq!(typo.unwrap().help.as_deref(), Some("did you mean `text`?"));
    }

    #[test]
    fn options_apart_are_asked_by_the_definitions_own_members() {
        let (target, mistakes) = load_text(
            "path = \"/cf\"\nkey = \"slug\"\ntype = \"type\"\ntypes = { list = \"choice\", text = \"text\" }\n\
             options = { path = \"/cf/{{ id }}/{{ key }}/{{ group.name }}\", value = \"v\" }\n",
        );
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let discover = target.unwrap().discover.unwrap();
        for (kind, record, location) in [
            (
                "list",
                json!({ "id": 9, "group": { "name": "a b" } }),
                Some("/cf/9/size/a%20b"),
            ),
            (
                "list",
                json!({ "key": "own", "group": { "name": "g" } }),
                Some("/cf/size/own/g"),
            ),
            (
                "mystery",
                json!({ "id": 1, "group": { "name": "g" } }),
                Some("/cf/1/size/g"),
            ),
            ("text", json!({ "id": 1 }), None),
        ] {
            let mut record = record;
            record["slug"] = json!("size");
            record["type"] = json!(kind);
            let read = discover.read(&record).unwrap();
            let found = discover
                .options_of(&read)
                .map(|listing| discover.options_location(listing, &read, &record).unwrap());
            assert_eq!(found.as_deref(), location, "{kind}");
        }
    }

    #[test]
    fn built_in_targets_that_list_custom_fields_say_so() {
        for (name, path) in [
            ("assembly", Some("/v1/custom-fields")),
            ("assembly-companies", Some("/v1/custom-fields")),
            ("cirqll", Some("/field")),
            ("sphinx", None),
            ("flextell", None),
            ("kaiten", None),
        ] {
            let (target, _) = load(name, FilePath::new(""));
            let discover = target.unwrap().discover;
            let found = discover.map(|discover| discover.listing.endpoint.path.source().to_owned());
            assert_eq!(found.as_deref(), path, "{name}");
        }
    }
}

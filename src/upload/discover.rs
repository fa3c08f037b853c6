//! Asking an account for its custom fields.

use std::collections::HashSet;

use serde_json::Value;

use super::Uploader;
use super::attempt::NoReply;
use super::pages::{Next, Pages};
use crate::field::Type;
use crate::path::Path;
use crate::target::call::{Call, Facts};
use crate::target::custom::Definition;
use crate::target::discover::{Discover, Listing};

/// More pages than any account has custom fields.
const PAGES: usize = 1_000;

/// What an account says of its custom fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Discovered {
    /// They, in the target's order.
    pub definitions: Vec<Definition>,
    /// What a person should know of them, as sentences.
    pub notes: Vec<String>,
}

/// Why the account's custom fields are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDiscovered {
    /// What happened, as a sentence.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl From<String> for NotDiscovered {
    fn from(message: String) -> Self {
        Self {
            message,
            help: None,
        }
    }
}

/// What the pages of a listing hold.
#[derive(Debug)]
struct Listed {
    entries: Vec<Value>,
    /// A page came twice: what came before may be all, or not.
    again: bool,
}

/// What came of a listing that the target does not have.
#[derive(Debug, Clone, Copy)]
struct NotThere;

impl Uploader {
    /// Asks the account for its custom fields and for the options of those that choose.
    ///
    /// # Errors
    /// The target refuses, gives no answer, or one of another shape than its file says.
    pub async fn discover(&self, discover: &Discover) -> Result<Discovered, NotDiscovered> {
        let listing = &discover.listing;
        let location = listing
            .endpoint
            .location(&Facts::NONE)
            .map_err(|empty| format!("the request for custom fields names `{}`", empty.name))?;
        let name = &self.target.file.name;
        let Ok(listed) = self.list_all(listing, location.clone()).await? else {
            return Err(NotDiscovered {
                message: format!("{name} has nothing at {location}: it answered 404"),
                help: Some(
                    "check the base URL, and `path` under [custom.discover] in the target file"
                        .to_owned(),
                ),
            });
        };
        let mut found = Discovered::default();
        if listed.again {
            found.notes.push(format!(
                "{name} gave the same page of custom fields twice, so the first may not be all; `paging` \
                 under [custom.discover] does not fit it"
            ));
        }
        let mut keys = HashSet::new();
        let mut nameless = 0;
        for record in &listed.entries {
            let Some(mut definition) = discover.read(record) else {
                nameless += 1;
                continue;
            };
            if !keys.insert(definition.key.clone()) {
                continue;
            }
            if let Some(options) = discover.options_of(&definition) {
                definition.options = self.options(discover, options, &definition, record).await?;
            }
            found.notes.extend(note_on(discover, &definition));
            found.definitions.push(definition);
        }
        if nameless > 0 && found.definitions.is_empty() {
            return Err(NotDiscovered {
                message: format!(
                    "the custom fields that {name} lists have no key where the target file looks for it"
                ),
                help: Some("check `key` under [custom.discover] in the target file".to_owned()),
            });
        }
        if nameless > 0 {
            found.notes.push(format!(
                "{nameless} of the account's custom fields have no key, and are left out"
            ));
        }
        Ok(found)
    }

    async fn options(
        &self,
        discover: &Discover,
        listing: &Listing,
        definition: &Definition,
        record: &Value,
    ) -> Result<Vec<crate::field::Choice>, NotDiscovered> {
        let Ok(location) = discover.options_location(listing, definition, record) else {
            return Ok(Vec::new());
        };
        match self.list_all(listing, location).await? {
            Ok(listed) => Ok(discover.choices(&Value::Array(listed.entries))),
            // It has none; that the choices are not known is told of the field.
            Err(NotThere) => Ok(Vec::new()),
        }
    }

    async fn list_all(
        &self,
        listing: &Listing,
        location: String,
    ) -> Result<Result<Listed, NotThere>, NotDiscovered> {
        let first = Call {
            method: listing.endpoint.method.clone(),
            location,
            body: None,
            headers: Vec::new(),
        };
        let mut pages = Pages::new(listing.paging.as_ref());
        let mut entries = Vec::new();
        for _ in 0..PAGES {
            let answer = match self.ask(&pages.call(&first)).await {
                Ok(answer) => answer,
                Err(NoReply(why)) => return Err(self.no_reply(why)),
            };
            if answer.status == 404 {
                return Ok(Err(NotThere));
            }
            if !listing.endpoint.succeeds(answer.status) {
                let refusal = self.target.refusal(&answer);
                let words = super::attempt::refusal_words(&refusal);
                let name = &self.target.file.name;
                return Err(format!("{name} does not list its custom fields: {words}").into());
            }
            let json = match answer.json() {
                Some(json) => json,
                None if answer.status == 204 => Value::Null,
                None => {
                    return Err(NotDiscovered {
                        message: format!("the answer to {} is not JSON", first.location),
                        help: Some("check the base URL".to_owned()),
                    });
                }
            };
            let at = match listing.results.is_empty() {
                true => Some(&json),
                false => listing.results.get(&json),
            };
            let held = match at {
                Some(Value::Array(held)) => held.as_slice(),
                _ if json.is_null() => &[],
                _ => return Err(no_array(&first.location, &listing.results)),
            };
            let count = held.len();
            entries.extend(held.iter().cloned());
            match pages.turn(&json, answer.body, count) {
                Next::Page => {}
                Next::End => {
                    return Ok(Ok(Listed {
                        entries,
                        again: false,
                    }));
                }
                Next::Again => {
                    return Ok(Ok(Listed {
                        entries,
                        again: true,
                    }));
                }
            }
        }
        Err(NotDiscovered {
            message: format!("{} gives more than {PAGES} pages", first.location),
            help: Some("check `paging` under [custom.discover] in the target file".to_owned()),
        })
    }

    /// Why there is no answer: what stopped the run, if anything did.
    fn no_reply(&self, why: String) -> NotDiscovered {
        match self.stopped() {
            Some(halt) => halt.says().into(),
            None => format!("{} gives no answer: {why}", self.target.file.name).into(),
        }
    }
}

fn no_array(location: &str, results: &Path) -> NotDiscovered {
    let place = match results.is_empty() {
        true => "is no array".to_owned(),
        false => format!("holds no array at `{results}`"),
    };
    NotDiscovered {
        message: format!("the answer to {location} {place}"),
        help: Some("check `results` under [custom.discover] in the target file".to_owned()),
    }
}

/// What a person should know of a custom field.
fn note_on(discover: &Discover, definition: &Definition) -> Option<String> {
    let key = &definition.key;
    let theirs = definition.theirs.as_deref();
    match (definition.kind, theirs) {
        (None, Some(theirs)) if !discover.knows(theirs) => {
            Some(match definition.options.is_empty() {
                true => format!("the type `{theirs}` of `{key}` is not known, so any value goes"),
                false => format!(
                    "the type `{theirs}` of `{key}` is not known; its values are checked by its options alone"
                ),
            })
        }
        (Some(Type::Choice | Type::Choices), _) if definition.options.is_empty() => {
            Some(format!("the options of `{key}` are not known, so any goes"))
        }
        _ => None,
    }
}

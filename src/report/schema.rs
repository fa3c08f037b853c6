//! What a JSON Schema says of the summary's parts that are written by hand.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Fates;
use crate::issue::Mistake;
use crate::record::Fate;

/// The command that a summary is of, in a schema.
#[derive(Debug)]
pub struct CommandName;

impl JsonSchema for CommandName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "CommandName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["check", "import"] })
    }
}

impl JsonSchema for Fates {
    fn schema_name() -> Cow<'static, str> {
        "Fates".into()
    }

    /// A number for every fate, with what [`Fate`] says of it.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let of_fates = Fate::json_schema(generator);
        let about = |name: &str| {
            let listed = of_fates.get("oneOf")?.as_array()?;
            let found = listed.iter().find(|one| one["const"] == name)?;
            Some(found["description"].clone())
        };
        let members: Map<String, Value> = Fate::ALL
            .into_iter()
            .map(|fate| {
                let about = about(fate.name()).unwrap_or_default();
                let rows = json!({ "description": about, "type": "integer", "minimum": 0 });
                (fate.name().to_owned(), rows)
            })
            .collect();
        let names = Fate::ALL.map(Fate::name);
        json_schema!({
            "description": "How many rows came to each fate; every row has exactly one.",
            "type": "object",
            "properties": members,
            "required": names,
        })
    }
}

/// A mistake in a file that a person wrote, as summaries give it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Told {
    /// A word for the kind of mistake, such as `unknown-key`.
    pub code: String,
    /// What is wrong, as a sentence.
    pub message: String,
    /// The file that it is in.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The character in the line, from 1.
    pub column: Option<usize>,
    /// What is to be said at this very place.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Whether the work can go on all the same.
    pub note: bool,
}

impl From<&Mistake> for Told {
    fn from(mistake: &Mistake) -> Self {
        let (line, column) = mistake.line_column().unzip();
        let label = Some(&mistake.label).filter(|label| !label.is_empty());
        Self {
            code: mistake.code.to_owned(),
            message: mistake.message.clone(),
            file: mistake.place.as_ref().map(|(file, _)| file.name.clone()),
            line,
            column,
            label: label.cloned(),
            help: mistake.help.clone(),
            note: mistake.note,
        }
    }
}

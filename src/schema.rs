//! The JSON Schemas (draft 2020-12) of the files that people write and of the summary that programs
//! read, made from the very types that parse and print them.

use schemars::generate::{Contract, SchemaSettings};
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::field::Type;
use crate::mapping::SECTIONS;
use crate::mapping::file::{MappingFile, Rules};
use crate::report::{IssueLine, Summary};
use crate::target;
use crate::target::file::TargetFile;

/// What there is a schema of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Mapping files.
    Mapping,
    /// Target files.
    Target,
    /// What `check --json` and `import --json` print.
    Report,
    /// A line of what `--issues` writes.
    Issue,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Mapping, Kind::Target, Kind::Report, Kind::Issue];

    /// The word for it in commands and names of files.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Mapping => "mapping",
            Kind::Target => "target",
            Kind::Report => "report",
            Kind::Issue => "issue",
        }
    }

    /// Its schema.
    pub fn schema(self) -> Value {
        match self {
            Kind::Mapping => mapping(),
            Kind::Target => target(),
            Kind::Report => report(),
            Kind::Issue => issue(),
        }
    }

    /// Its schema as the text of a file.
    pub fn text(self) -> String {
        format!("{:#}\n", self.schema())
    }
}

fn mapping() -> Value {
    let mut generator = generator(Contract::Deserialize);
    let rules = generator.subschema_for::<Rules>();
    let mut schema = finish::<MappingFile>(generator, Kind::Mapping, "A mapping file of rowferry");
    let of_section = |about: &str| {
        let mut section = rules.clone();
        section.insert("description".into(), about.into());
        section.to_value()
    };
    let mut found = match schema["properties"].take() {
        Value::Object(found) => found,
        _ => Map::new(),
    };
    found.insert(
        "fields".into(),
        of_section(
            "The target's own fields: on the left the field's path in the request, such as `name`, \
             `\"address.city\"`, `\"phones[0].number\"`, or `\"aliases[]\"` for a list; on the right a \
             column's name, or a table with the rule that makes the value.",
        ),
    );
    found.insert(
        "custom".into(),
        of_section(
            "The fields that your account has defined for itself, by the key or number that the \
             target knows them by. Where they stand in a request is the target file's business.",
        ),
    );
    // In the order in which people write them.
    let ordered: Map<String, Value> = SECTIONS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), found.shift_remove(*name)?)))
        .collect();
    schema["properties"] = Value::Object(ordered);
    let names: Vec<&str> = target::builtin_names()
        .chain(["./acme.target.toml"])
        .collect();
    schema["properties"]["target"]["examples"] = json!(names);
    schema["anyOf"] = json!([{ "required": ["fields"] }, { "required": ["custom"] }]);
    describe_types(&mut schema, "TypeName");
    schema
}

fn target() -> Value {
    let generator = generator(Contract::Deserialize);
    let mut schema = finish::<TargetFile>(generator, Kind::Target, "A target file of rowferry");
    describe_types(&mut schema, "FieldType");
    // What a file leaves out, the target that it extends has.
    let path = json!({ "required": ["path"] });
    schema["anyOf"] = json!([
        { "required": ["extends"] },
        {
            "required": ["name", "base_url", "create"],
            "properties": {
                "create": path,
                "lookup": { "anyOf": [
                    { "type": "array", "items": path },
                    { "type": "object", "required": ["path"] },
                ] },
                "list": { "required": ["path", "by"] },
                "update": path,
            },
        },
    ]);
    schema
}

fn report() -> Value {
    let generator = generator(Contract::Serialize);
    finish::<Summary>(generator, Kind::Report, "The summary of a run of rowferry")
}

fn issue() -> Value {
    let generator = generator(Contract::Serialize);
    let title = "A line of the issues of a run of rowferry";
    finish::<IssueLine<'static>>(generator, Kind::Issue, title)
}

fn generator(contract: Contract) -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.contract = contract;
    settings.into_generator()
}

fn finish<T: JsonSchema>(generator: SchemaGenerator, kind: Kind, title: &str) -> Value {
    let nulls = *generator.contract() == Contract::Serialize;
    let mut schema = generator.into_root_schema_for::<T>();
    Tidy { nulls }.transform(&mut schema);
    let mut whole = Map::new();
    let id = format!("urn:rowferry:{}.schema.json", kind.name());
    whole.insert(
        "$schema".into(),
        "https://json-schema.org/draft/2020-12/schema".into(),
    );
    whole.insert("$id".into(), id.into());
    whole.insert("title".into(), title.into());
    if let Value::Object(members) = schema.to_value() {
        for (name, member) in members {
            if name != "$schema" && name != "title" {
                whole.insert(name, member);
            }
        }
    }
    Value::Object(whole)
}

/// Gives the names of types what they do.
fn describe_types(schema: &mut Value, definition: &str) {
    let Some(found) = schema["$defs"].get_mut(definition) else {
        return;
    };
    let named: Vec<Value> = found["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|name| {
            let known = name.as_str().and_then(Type::parse);
            let about = known.map_or("", Type::describe);
            json!({ "const": name, "description": about })
        })
        .collect();
    *found = json!({ "oneOf": named });
}

/// Takes out what the derived schemas say and files cannot hold or people need not read: null, which
/// TOML lacks; defaults that only mean "nothing"; widths of integers; the lines of doc comments.
struct Tidy {
    /// Whether null can occur.
    nulls: bool,
}

impl Transform for Tidy {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(object) = schema.as_object_mut() {
            self.tidy(object);
        }
        transform_subschemas(self, schema);
    }
}

impl Tidy {
    fn tidy(&self, object: &mut Map<String, Value>) {
        object.remove("format");
        object.shift_remove("default");
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = one_line(text);
        }
        if self.nulls {
            return;
        }
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                object["type"] = only.clone();
            }
        }
        if let Some(Value::Array(options)) = object.get_mut("anyOf") {
            options.retain(|option| *option != json!({ "type": "null" }));
            if let [Value::Object(only)] = options.as_slice() {
                let only = only.clone();
                object.shift_remove("anyOf");
                object.extend(only);
            }
        }
    }
}

/// The lines of a paragraph as one; paragraphs stay apart.
fn one_line(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ")
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

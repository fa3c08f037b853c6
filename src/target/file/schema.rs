//! What a JSON Schema says of the values of a target file that are checked after reading. Each type
//! here stands for one such kind of value and holds nothing.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::document::schema_values;
use crate::field::Type;
use crate::rate::Rate;

schema_values! {
    /// A target by name or path.
    Extends = { "type": "string", "examples": ["cirqll", "./acme.target.toml"] };
    /// The base of all addresses.
    BaseUrl = {
        "type": "string",
        "pattern": "^[Hh][Tt][Tt][Pp][Ss]?:",
        "examples": ["https://api.acme.example/v1"],
    };
    /// An HTTP method.
    Method = {
        "type": "string",
        "pattern": "^([Gg][Ee][Tt]|[Pp][Oo][Ss][Tt]|[Pp][Uu][Tt]|[Pp][Aa][Tt][Cc][Hh]|[Dd][Ee][Ll][Ee][Tt][Ee])$",
        "examples": ["GET", "POST", "PUT", "PATCH", "DELETE"],
    };
    /// A path on the base, a template.
    UrlPath = { "type": "string", "pattern": "^/", "examples": ["/customers/{{ address }}"] };
    /// A status of HTTP.
    Status = { "type": "integer", "minimum": 0, "maximum": 65535, "examples": [201] };
    /// A duration.
    Duration = { "type": "string", "pattern": "[0-9]", "examples": ["5s", "10min", "24h"] };
    /// A number of bytes.
    Size = {
        "type": "string",
        "pattern": r"^\s*[0-9]+\s*([bB]|[kKmM]([iI]?[bB])?)?\s*$",
        "examples": ["4MB", "500kB"],
    };
    /// A field's path.
    By = { "type": "string", "minLength": 1, "examples": ["externalCustomerId"] };
    /// What a header counts from.
    ResetIn = { "enum": ["unix", "seconds"] };
    /// A limit of numbers or dates.
    Bound = {
        "anyOf": [
            { "type": "number" },
            { "type": "string", "examples": ["today", "2025-12-31"] },
        ]
    };
}

/// The name of a type, in a schema.
#[derive(Debug)]
pub(super) struct FieldType;

impl JsonSchema for FieldType {
    fn schema_name() -> Cow<'static, str> {
        "FieldType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = Type::ALL.iter().map(|ty| ty.name()).collect();
        json_schema!({ "enum": names })
    }
}

/// A rate, or that none is known, in a schema.
#[derive(Debug)]
pub(super) struct TargetRate;

impl JsonSchema for TargetRate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TargetRate".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rate = generator.subschema_for::<Rate>();
        json_schema!({ "anyOf": [rate, { "const": "unknown" }] })
    }
}

//! What a JSON Schema says of the values that the mapping file's types read by hand, or that are
//! checked after reading. Each type here stands for one such kind of value and holds nothing.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{KeySpec, Rule, SheetName, Sheets};
use crate::document::schema_values;
use crate::mapping::words;

schema_values! {
    /// A target by name or path; the names of the built-in ones are added where they are known.
    Target = { "type": "string", "pattern": r"\S" };
    /// A path of a field.
    FieldPath = { "type": "string", "minLength": 1 };
    /// A text that is not blank.
    Filled = { "type": "string", "pattern": r"\S" };
    /// A column's name.
    Header = { "type": "string", "pattern": r"\S", "examples": ["Email", "Email#2", "@C"] };
    /// One ASCII character that can stand between cells.
    Delimiter = {
        "type": "string",
        "pattern": r"^[\x01-\x09\x0B\x0C\x0E-!#-\x7F]$",
        "examples": [";", ",", "\t", "|"],
    };
    /// A decimal mark.
    Decimal = { "enum": words::DECIMALS };
    /// A country by its code of two letters.
    Region = { "type": "string", "pattern": "^[A-Za-z]{2}$", "examples": ["GB", "US", "DE"] };
    /// A time zone of the IANA database.
    Zone = { "type": "string", "minLength": 1, "examples": ["Europe/London", "UTC"] };
    /// An expression.
    Condition = { "type": "string", "pattern": r"\S", "examples": ["country == \"US\""] };
    /// A template.
    TemplateText = { "type": "string", "examples": ["{{ street }}, {{ city }}"] };
    /// What stands between parts.
    Separator = { "type": "string", "minLength": 1, "examples": [";"] };
    /// From values to values.
    Map = { "type": "object", "minProperties": 1, "examples": [{ "F": "female" }] };
    /// What becomes of other values.
    MapOthers = {
        "anyOf": [
            { "enum": words::MAP_OTHERS },
            { "type": ["string", "number", "boolean"], "description": "A value to take." },
        ]
    };
    /// A format of dates.
    Format = {
        "anyOf": [
            { "enum": words::NUMBER_FORMATS },
            { "type": "string", "pattern": "%", "examples": ["%d.%m.%Y"] },
        ]
    };
    /// A form of dates or countries.
    Output = {
        "anyOf": [
            { "enum": words::COUNTRY_OUTPUTS },
            { "enum": words::NUMBER_OUTPUTS },
            { "type": "string", "pattern": "%", "examples": ["%d/%m/%Y"] },
        ]
    };
    /// How years of two digits are read.
    Century = {
        "anyOf": [
            { "enum": words::CENTURIES },
            { "type": "integer", "minimum": 0, "maximum": 99 },
        ]
    };
    /// A unit of numbers.
    Unit = { "enum": words::UNITS };
    /// What becomes of extensions.
    Extension = { "enum": words::EXTENSIONS };
    /// Which phone numbers are taken.
    Accept = { "enum": words::ACCEPTS };
    /// The options of a choice.
    Options = {
        "type": "array",
        "minItems": 1,
        "examples": [["active", { "value": "closed", "label": "Shut down" }]],
    };
    /// A limit of numbers or dates.
    Bound = {
        "anyOf": [
            { "type": "number" },
            { "type": "string", "pattern": r"today|[0-9]", "examples": ["today", "2025-12-31"] },
        ]
    };
    /// What is sent for an empty field.
    Empty = { "enum": words::EMPTIES };
    /// When a run stops.
    StopAfter = {
        "anyOf": [
            { "type": "integer", "minimum": 0 },
            {
                "type": "string",
                "pattern": r"^\s*\+?[0-9.]+([eE][+-]?[0-9]+)?\s*%\s*$",
                "examples": ["5%"],
            },
        ]
    };
    /// The cells of a test's row.
    Cells = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": { "type": ["string", "number", "boolean"] },
    };
}

/// The name of a type, in a schema.
#[derive(Debug)]
pub struct TypeName;

impl JsonSchema for TypeName {
    fn schema_name() -> Cow<'static, str> {
        "TypeName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": words::TYPES })
    }
}

impl JsonSchema for SheetName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SheetName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string", "examples": ["Clients"] },
                { "type": "integer", "minimum": 1 },
            ]
        })
    }
}

impl JsonSchema for Sheets {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Sheets".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<SheetName>();
        json_schema!({
            "anyOf": [
                { "type": "string", "examples": ["Clients", "*"] },
                { "type": "integer", "minimum": 1 },
                { "type": "array", "items": one, "minItems": 1 },
            ]
        })
    }
}

/// A row's key in its three forms, in a schema.
#[derive(Debug)]
pub(super) struct Key;

impl JsonSchema for Key {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let column = generator.subschema_for::<Header>();
        let table = generator.subschema_for::<KeySpec>();
        json_schema!({
            "anyOf": [column, { "type": "array", "items": column, "minItems": 1 }, table],
            "examples": ["Customer Id"],
        })
    }
}

/// What stands on the right of a field, in a schema: a column, a rule, or a table that goes on with
/// the path of the field.
#[derive(Debug)]
pub struct FieldRules;

impl JsonSchema for FieldRules {
    fn schema_name() -> Cow<'static, str> {
        "FieldRules".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rule = generator.subschema_for::<Rule>();
        let rules = generator.subschema_for::<Rules>();
        let sources = ["column", "template", "value"].map(|key| json_schema!({"required": [key]}));
        json_schema!({
            "description": "A column's name; or a rule, which has one of `column`, `template` and \
                            `value`; or a table of fields that lie within this one.",
            "type": ["string", "object"],
            "pattern": r"\S",
            "if": { "type": "object", "anyOf": sources },
            "then": rule,
            "else": { "if": { "type": "object" }, "then": rules },
        })
    }
}

/// A table of fields by their paths, in a schema.
#[derive(Debug)]
pub struct Rules;

impl JsonSchema for Rules {
    fn schema_name() -> Cow<'static, str> {
        "Rules".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<FieldRules>();
        json_schema!({
            "type": "object",
            "propertyNames": { "minLength": 1 },
            "patternProperties": {
                r"\[\]$": {
                    "description": "A list in the request: each rule gives a member, and empty ones \
                                    are left out.",
                    "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }],
                },
            },
            "additionalProperties": one,
        })
    }
}

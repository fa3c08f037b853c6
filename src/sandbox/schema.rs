//! What the API takes: the target's `[fields]` and `[custom]`, and how a record breaks them.

use std::collections::{HashMap, HashSet};

use regex::Regex;
use serde_json::{Map, Value};

use super::custom::Custom;
use super::kind::{below, boolean, has_kind};
use super::value::{equal, is_empty, json};
use crate::field::is_counted;
use crate::path::{Path, Step};
use crate::target::custom::Definition;
use crate::target::file::{BodyForm, CustomShape, FieldSpec, TargetFile};

/// A field that is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    /// Its path in the record.
    pub(super) field: Path,
    /// What is wrong with it.
    pub(super) message: String,
}

/// What a record is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It must hold all that is required.
    Whole,
    /// It changes what it holds.
    Part,
}

/// The fields, compiled.
#[derive(Debug)]
pub(super) struct Schema {
    fields: Vec<Field>,
    by_name: HashMap<String, usize>,
    /// Names of objects and arrays in which fields lie.
    ways: HashSet<String>,
    /// Further names that are taken unchecked.
    known: HashSet<String>,
    open: bool,
    custom: Option<Custom>,
    /// Values are texts that stand for others.
    form: bool,
}

#[derive(Debug)]
struct Field {
    path: Path,
    kind: String,
    required: bool,
    min: Option<Value>,
    max: Option<Value>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    pattern: Option<Regex>,
    options: Option<Vec<Value>>,
}

/// A path as one name: places in arrays are all alike.
pub(super) fn name_of(path: &Path) -> String {
    let mut name = String::new();
    for step in &path.0 {
        extend(&mut name, step);
    }
    name
}

fn extend(name: &mut String, step: &Step) {
    if !name.is_empty() {
        name.push('.');
    }
    match step {
        Step::Key(key) => {
            for c in key.chars() {
                if matches!(c, '.' | '[' | ']' | '\\') {
                    name.push('\\');
                }
                name.push(c);
            }
        }
        Step::Index(_) | Step::Each => name.push_str("[]"),
    }
}

impl Schema {
    pub(super) fn new(
        target: &TargetFile,
        definitions: Option<&[Definition]>,
    ) -> Result<Self, String> {
        let mut schema = Schema {
            fields: Vec::new(),
            by_name: HashMap::new(),
            ways: HashSet::new(),
            known: HashSet::new(),
            open: target.open_fields,
            custom: target
                .custom
                .as_ref()
                .map(|section| Custom::new(section, definitions))
                .transpose()?,
            form: target.create.body == BodyForm::Form,
        };
        for (written, spec) in &target.fields {
            let path = Path::parse(written)?;
            schema.add_ways(&path);
            schema.by_name.insert(name_of(&path), schema.fields.len());
            schema.fields.push(Field::new(path, written, spec)?);
        }
        let natural = target.create.natural_key.as_ref().map(|n| &n.field);
        let keyed = target.update.as_ref().and_then(|u| u.keyed.as_ref());
        for written in [natural, keyed, target.key_field.as_ref()]
            .into_iter()
            .flatten()
        {
            let path = Path::parse(written)?;
            schema.add_ways(&path);
            schema.known.insert(name_of(&path));
        }
        // Without a place of its own the record stands among the constants.
        if target.create.wrap.as_deref().unwrap_or_default().is_empty() {
            for key in target.create.constants.keys() {
                schema.known.insert(name_of(&Path::key(key.as_str())));
                if let Ok(path) = Path::parse(key) {
                    schema.add_ways(&path);
                    schema.known.insert(name_of(&path));
                }
            }
        }
        if let Some(custom) = &schema.custom {
            let at = custom.at.clone();
            // Custom fields beside the others: any key may be one.
            schema.open |= at.is_empty() && custom.shape == CustomShape::Object;
            schema.add_ways(&at);
        }
        Ok(schema)
    }

    fn add_ways(&mut self, path: &Path) {
        for length in 1..path.0.len() {
            self.ways.insert(name_of(&Path(path.0[..length].to_vec())));
        }
    }

    /// How custom fields stand in a record.
    pub(super) fn custom(&self) -> Option<&Custom> {
        self.custom.as_ref()
    }

    /// Whether a path is one of the fields or may be taken for one.
    pub(super) fn knows(&self, path: &Path) -> bool {
        let name = name_of(path);
        self.by_name.contains_key(&name) || self.known.contains(&name)
    }

    /// Whether what stands at this path is replaced as a whole by an update.
    pub(super) fn is_whole(&self, path: &Path) -> bool {
        let name = name_of(path);
        self.by_name.contains_key(&name) && !self.ways.contains(&name)
    }

    /// Whether fields lie within what stands at this path.
    pub(super) fn is_way(&self, path: &Path) -> bool {
        self.ways.contains(&name_of(path))
    }

    /// All that is wrong with a record.
    pub(super) fn check(&self, record: &Value, usage: Use) -> Vec<Refusal> {
        let mut wrong = Vec::new();
        let Value::Object(members) = record else {
            wrong.push(Refusal {
                field: Path::default(),
                message: "the record must be an object".into(),
            });
            return wrong;
        };
        for field in self.fields.iter().filter(|f| f.required) {
            let found = field.path.get(record);
            let missing = match usage {
                Use::Whole => found.is_none_or(is_empty),
                Use::Part => found.is_some_and(is_empty),
            };
            if missing {
                wrong.push(Refusal {
                    field: field.path.clone(),
                    message: "this field is required".into(),
                });
            }
        }
        if let (Some(custom), Use::Whole) = (&self.custom, usage) {
            wrong.extend(custom.missing(record));
        }
        self.check_object(members, &Path::default(), "", false, &mut wrong);
        wrong
    }

    fn check_object(
        &self,
        members: &Map<String, Value>,
        at: &Path,
        name: &str,
        free: bool,
        wrong: &mut Vec<Refusal>,
    ) {
        for (key, value) in members {
            let step = Step::Key(key.clone());
            self.check_member(step, value, at, name, free, wrong);
        }
    }

    fn check_member(
        &self,
        step: Step,
        value: &Value,
        at: &Path,
        name: &str,
        free: bool,
        wrong: &mut Vec<Refusal>,
    ) {
        let mut name = name.to_owned();
        extend(&mut name, &step);
        let mut path = at.clone();
        path.0.push(step);
        let mut refuse = |message: String, field: Path| wrong.push(Refusal { field, message });
        let field = self.by_name.get(&name).map(|&index| &self.fields[index]);
        if let Some(field) = field {
            // A required field that is empty has been refused already.
            if !(field.required && is_empty(value))
                && let Err(message) = field.check(value, self.form)
            {
                refuse(message, path);
                return;
            }
        }
        if let Some(custom) = &self.custom
            && custom.stands_at(&name, &path)
        {
            for refusal in custom.check(value, &path, self.form) {
                wrong.push(refusal);
            }
            return;
        }
        let free = free || field.is_some() || self.known.contains(&name);
        if self.ways.contains(&name) {
            match value {
                Value::Object(members) => self.check_object(members, &path, &name, free, wrong),
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        let step = Step::Index(index);
                        self.check_member(step, item, &path, &name, free, wrong);
                    }
                }
                Value::Null => {}
                _ if free => {}
                _ => refuse("this must be an object".into(), path),
            }
        } else if !free && !self.open {
            refuse("this field is not known".into(), path);
        }
    }

    /// Turns the texts of a form into what they stand for, where a field says what that is.
    pub(super) fn tidy(&self, record: &mut Value) {
        if !self.form {
            return;
        }
        for field in &self.fields {
            let Some(Value::String(text)) = field.path.get(record) else {
                continue;
            };
            let typed = match field.kind.as_str() {
                "integer" => text.parse::<i64>().ok().map(Value::from),
                "decimal" => serde_json::from_str::<serde_json::Number>(text)
                    .ok()
                    .map(Value::Number),
                "boolean" => boolean(text).map(Value::Bool),
                _ => None,
            };
            if let Some(typed) = typed {
                field.path.set(record, typed);
            }
        }
    }
}

impl Field {
    fn new(path: Path, written: &str, spec: &FieldSpec) -> Result<Self, String> {
        let pattern = spec
            .pattern
            .as_deref()
            .map(Regex::new)
            .transpose()
            .map_err(|error| format!("the pattern of the field `{written}`: {error}"))?;
        // Path::get does not enter "each": the first member stands for it.
        let path = Path(
            path.0
                .into_iter()
                .map(|step| {
                    if step == Step::Each {
                        Step::Index(0)
                    } else {
                        step
                    }
                })
                .collect(),
        );
        Ok(Self {
            path,
            kind: match spec.output.as_deref() {
                Some(output) if is_counted(output) => "integer".to_owned(),
                Some(_) => "text".to_owned(),
                None => spec.kind.clone().unwrap_or_else(|| "text".into()),
            },
            required: spec.required,
            min: spec.min.as_ref().map(json),
            max: spec.max.as_ref().map(json),
            min_length: spec.min_length,
            max_length: spec.max_length,
            pattern,
            options: spec
                .options
                .as_ref()
                .map(|list| list.iter().map(json).collect()),
        })
    }

    /// What is wrong with a value.
    fn check(&self, value: &Value, form: bool) -> Result<(), String> {
        if value.is_null() || (form && is_empty(value)) {
            return if self.required {
                Err("this field may not be null".into())
            } else {
                Ok(())
            };
        }
        if let Some(options) = &self.options {
            let one_of = |value: &Value| options.iter().any(|option| equal(option, value, form));
            let fits = match value {
                Value::Array(items) => items.iter().all(one_of),
                value => one_of(value),
            };
            if !fits {
                return Err("this is not one of the options".into());
            }
        }
        // An empty text is an option only where it is written as one.
        let listed = self.options.is_some() && is_empty(value);
        if !listed && !has_kind(&self.kind, value, form) {
            return Err(format!("this must be of type {}", self.kind));
        }
        if let Some(text) = value.as_str() {
            let length = text.chars().count();
            if self.max_length.is_some_and(|max| length > max) {
                return Err(format!(
                    "this may have {} characters at most",
                    self.max_length.unwrap_or(0)
                ));
            }
            if self.min_length.is_some_and(|min| length < min) {
                return Err(format!(
                    "this must have {} characters at least",
                    self.min_length.unwrap_or(0)
                ));
            }
            if self
                .pattern
                .as_ref()
                .is_some_and(|pattern| !pattern.is_match(text))
            {
                return Err("this does not match the pattern".into());
            }
        }
        if self.min.as_ref().is_some_and(|min| below(value, min)) {
            return Err("this is too small".into());
        }
        if self.max.as_ref().is_some_and(|max| below(max, value)) {
            return Err("this is too great".into());
        }
        Ok(())
    }
}

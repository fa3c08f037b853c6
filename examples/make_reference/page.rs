//! A page of the reference: every key that a schema has, what it takes, and an example.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rowferry::schema::Kind;
use serde_json::{Map, Value};

use crate::cases::Case;

/// A page, and what is wrong with its examples.
pub(crate) struct Page {
    /// The page as Markdown.
    pub(crate) text: String,
    /// The keys that have no example.
    pub(crate) lacking: Vec<String>,
    /// The places of examples that are of no key.
    pub(crate) unused: Vec<String>,
}

/// Makes a page from a schema and the examples of its keys.
pub(crate) fn page(kind: Kind, schema: &Value, cases: &[Case]) -> Page {
    let mut writer = Writer {
        schema,
        cases,
        with_examples: !matches!(kind, Kind::Report | Kind::Issue),
        text: String::new(),
        lacking: Vec::new(),
        used: BTreeSet::new(),
    };
    match kind {
        Kind::Mapping => writer.mapping(),
        Kind::Target => writer.target(),
        Kind::Report => {
            writer.line("# The summary as JSON, member by member");
            writer.report(
                "`rowferry check --json` and `rowferry import --json` print one object. Members may be added in \
                 later versions; those named here keep their meaning.",
            );
        }
        Kind::Issue => {
            writer.line("# The issues as lines of JSON, member by member");
            writer.report(
                "`--issues FILE` of `rowferry check` and `rowferry import` writes one object a line, in the order of \
                 the rows. Members may be added in later versions; those named here keep their meaning.",
            );
        }
    }
    let unused = cases
        .iter()
        .filter(|case| !writer.used.contains(case.place.as_str()))
        .map(|case| case.place.clone())
        .collect();
    Page {
        text: writer.text.trim_end().to_owned() + "\n",
        lacking: writer.lacking,
        unused,
    }
}

struct Writer<'a> {
    schema: &'a Value,
    cases: &'a [Case],
    with_examples: bool,
    text: String,
    lacking: Vec<String>,
    used: BTreeSet<&'a str>,
}

const MADE: &str = "This page is made by `cargo run --example make_reference` from the program itself, and \
                    the tests run each of its examples.\n";

/// The sections of a mapping file that have keys of their own, by their names in the schema.
const MAPPING_SECTIONS: [(&str, &str); 6] = [
    ("source", "`[source]`: how the spreadsheet is read"),
    ("row", "`[row]`: what a row is known by"),
    ("check", "`[[check]]`: rules over a whole row"),
    (
        "policy",
        "`[policy]`: duplicates, customers that exist, uncertain rows",
    ),
    ("limits", "`[limits]`: the pace"),
    ("test", "`[[test]]`: examples that are tried"),
];

impl<'a> Writer<'a> {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push_str("\n\n");
    }

    fn def(&self, name: &str) -> &'a Value {
        &self.schema["$defs"][name]
    }

    /// What a schema says, with the definition that it refers to.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str().and_then(|at| at.rsplit('/').next()) {
            Some(name) => self.def(name),
            None => schema,
        }
    }

    fn mapping(&mut self) {
        self.line("# The mapping file, key by key");
        self.line(MADE.trim_end());
        self.line(
            "[Mapping files](../mapping.md) is the page to begin with. Below each key stands a part of a \
             mapping file, then rows of a spreadsheet, then what each row becomes: the body of the request, \
             or why there is none. Where an example has no `target`, its target takes any field.",
        );
        self.line("## The top");
        let top = &self.schema["properties"];
        for key in ["target", "allow_caution"] {
            self.key(key, &top[key]);
        }
        self.section(MAPPING_SECTIONS[0]);
        self.section(MAPPING_SECTIONS[1]);
        self.line("## `[fields]` and `[custom]`");
        for key in ["fields", "custom"] {
            let about = top[key]["description"].as_str().unwrap_or_default();
            self.line(&format!("### `[{key}]`"));
            self.line(about);
            self.examples(key);
        }
        self.line("## A rule");
        self.about("Rule");
        self.keys("rule", self.def("Rule"));
        self.line("## Steps of `clean`");
        self.about("CleanStep");
        self.steps();
        self.line("## Types");
        self.line("What `type` can be.");
        self.words("type", self.def("TypeName"));
        for section in &MAPPING_SECTIONS[2..] {
            self.section(*section);
        }
    }

    fn target(&mut self) {
        self.line("# The target file, key by key");
        self.line(MADE.trim_end());
        self.line(
            "[Target files](../targets.md) is the page to begin with. Each example is a part of a target \
             file; the rest of that file is the short one with which that page begins. A path names a member \
             of a body or answer: `data.id`, `items.0.name`.",
        );
        let Some(top) = self.schema["properties"].as_object() else {
            return;
        };
        self.line("## The top");
        let (sections, single): (Vec<_>, Vec<_>) = top.iter().partition(|(name, member)| {
            self.table(member).is_some() || *name == "headers" || *name == "fields"
        });
        for (name, member) in single {
            self.key(name, member);
        }
        for (name, member) in sections {
            self.line(&format!("## `[{name}]`"));
            self.line(member["description"].as_str().unwrap_or_default());
            self.examples(name);
            let inner = self.table(member).or_else(|| {
                let of_each = self.resolve(&member["additionalProperties"]);
                of_each["properties"].is_object().then_some(of_each)
            });
            match inner {
                Some(inner) => self.keys(name, inner),
                None => {
                    let each = self.shape(&member["additionalProperties"]);
                    self.line(&format!("Each is {each}."));
                }
            }
            // Tables within a section that are too large for a list.
            for (below, name, def) in [
                ("create", "create.batch", "BatchSection"),
                ("custom", "custom.discover", "DiscoverSection"),
            ] {
                if Some(below) == self.text_section(member) {
                    self.line(&format!("## `[{name}]`"));
                    self.about(def);
                    self.examples(name);
                    self.keys(name, self.def(def));
                }
            }
        }
    }

    /// Which section a member of the top is, where tables of its own follow it.
    fn text_section(&self, member: &Value) -> Option<&'static str> {
        match member["$ref"].as_str()?.rsplit('/').next()? {
            "CreateSection" => Some("create"),
            "CustomSection" => Some("custom"),
            _ => None,
        }
    }

    fn report(&mut self, about: &str) {
        self.line(
            "This page is made by `cargo run --example make_reference` from the program itself.",
        );
        self.line(about);
        self.members("", self.schema);
        let Some(defs) = self.schema["$defs"].as_object() else {
            return;
        };
        for (name, def) in defs {
            if def["properties"].is_object() {
                self.line(&format!("## `{name}`"));
                self.about(name);
                self.members(name, def);
            }
        }
    }

    /// A table of members, with whether each is always there.
    fn members(&mut self, _name: &str, def: &'a Value) {
        let Some(members) = def["properties"].as_object() else {
            return;
        };
        let required = |name: &str| {
            let named = def["required"].as_array();
            named.is_some_and(|named| named.iter().any(|one| one == name))
        };
        self.text
            .push_str("| member | value | meaning |\n| --- | --- | --- |\n");
        for (name, member) in members {
            let shape = self.shape(member).replace('|', "\\|");
            let about = self.described(member).replace('|', "\\|");
            let sometimes = if required(name) {
                ""
            } else {
                " May be missing."
            };
            writeln!(self.text, "| `{name}` | {shape} | {about}{sometimes} |").unwrap();
        }
        self.text.push('\n');
    }

    fn about(&mut self, def: &str) {
        let text = self.def(def)["description"].as_str();
        if let Some(text) = text {
            self.line(text);
        }
    }

    /// What is said of a member: by itself, else by its type.
    fn described(&self, member: &'a Value) -> &'a str {
        let own = member["description"].as_str();
        own.or_else(|| self.resolve(member)["description"].as_str())
            .unwrap_or_default()
    }

    fn section(&mut self, (name, title): (&str, &str)) {
        self.line(&format!("## {title}"));
        let member = &self.schema["properties"][name];
        self.line(member["description"].as_str().unwrap_or_default());
        if let Some(table) = self.table(member) {
            self.keys(name, table);
        }
    }

    /// The table that a member is, or of which it is a list, or that it may be beside other things.
    fn table(&self, member: &'a Value) -> Option<&'a Value> {
        let found = self.resolve(member);
        if found["properties"].is_object() {
            return Some(found);
        }
        if found["items"].is_object() {
            return self.table(&found["items"]);
        }
        let several = found["anyOf"].as_array().or(found["oneOf"].as_array());
        several
            .into_iter()
            .flatten()
            .find_map(|one| self.table(one))
    }

    fn keys(&mut self, section: &str, table: &'a Value) {
        let Some(members) = table["properties"].as_object() else {
            return;
        };
        for (name, member) in members {
            let of = member["$ref"].as_str().and_then(|at| at.rsplit('/').next());
            // Those that have a part of the page to themselves.
            if !matches!(of, Some("BatchSection" | "DiscoverSection")) {
                self.key(&format!("{section}.{name}"), member);
            }
        }
    }

    fn key(&mut self, id: &str, member: &'a Value) {
        let name = id.strip_prefix("rule.").unwrap_or(id);
        self.line(&format!("### `{name}`"));
        self.line(self.described(member));
        let words = self.words_of(member);
        if words.is_empty() {
            let shape = self.shape(member);
            self.line(&format!("Takes {shape}."));
        } else {
            self.list(&words);
        }
        // Keys of a table in its place.
        let apart = ["CleanStep", "TypeName"];
        let own = member["$ref"].as_str().and_then(|at| at.rsplit('/').next());
        if own.is_none_or(|own| !apart.contains(&own))
            && !matches!(id, "rule.clean" | "row.key.clean")
            && let Some(inner) = self.table(member)
            && let Some(members) = inner["properties"].as_object()
        {
            self.inner(members);
        }
        self.examples(id);
    }

    fn inner(&mut self, members: &'a Map<String, Value>) {
        self.line("The keys of such a table:");
        for (name, member) in members {
            let about = self.described(member);
            let words: Vec<String> = self
                .words_of(member)
                .into_iter()
                .map(|(word, about)| format!("{word}: {}", lower_first(&about)))
                .collect();
            let words = match words.is_empty() {
                true => String::new(),
                false => format!(" {}", words.join(" ")),
            };
            writeln!(self.text, "- `{name}`: {about}{words}").unwrap();
        }
        self.text.push('\n');
    }

    /// The words that a member knows, with what they mean.
    fn words_of(&self, member: &'a Value) -> Vec<(String, String)> {
        let found = self.resolve(member);
        if found == self.def("TypeName")
            || found == self.def("FieldType")
            || found == self.def("CleanStep")
        {
            return Vec::new();
        }
        let several = found["oneOf"].as_array().or(found["anyOf"].as_array());
        let mut words = Vec::new();
        for one in several.into_iter().flatten() {
            match (&one["const"], one["description"].as_str()) {
                (Value::String(word), Some(about)) => {
                    words.push((format!("`\"{word}\"`"), about.to_owned()));
                }
                (_, Some(about)) if one["type"] == "integer" || one["properties"].is_object() => {
                    let shape = self.shape(one);
                    words.push((shape, about.to_owned()));
                }
                _ if one["$ref"].is_string() => words.extend(self.words_of(one)),
                _ => {}
            }
        }
        let known = words.iter().any(|(word, _)| word.starts_with('`'));
        if known { words } else { Vec::new() }
    }

    fn list(&mut self, words: &[(String, String)]) {
        for (word, about) in words {
            writeln!(self.text, "- {word}: {}", lower_first(about)).unwrap();
        }
        self.text.push('\n');
    }

    fn words(&mut self, prefix: &str, def: &'a Value) {
        for one in def["oneOf"].as_array().into_iter().flatten() {
            let word = one["const"].as_str().unwrap_or_default();
            self.line(&format!("### `{word}`"));
            self.line(one["description"].as_str().unwrap_or_default());
            self.examples(&format!("{prefix}.{word}"));
        }
    }

    fn steps(&mut self) {
        let def = self.def("CleanStep");
        let several = def["oneOf"].as_array().or(def["anyOf"].as_array());
        for one in several.into_iter().flatten() {
            let about = one["description"].as_str().unwrap_or_default();
            let (word, title) = match (&one["const"], one["properties"].as_object()) {
                (Value::String(word), _) => (word.clone(), format!("`\"{word}\"`")),
                (_, Some(keys)) => {
                    let names: Vec<&str> = keys.keys().map(String::as_str).collect();
                    let keys: Vec<String> = names.iter().map(|key| format!("{key} = …")).collect();
                    let first = names.first().copied().unwrap_or_default();
                    (first.to_owned(), format!("`{{ {} }}`", keys.join(", ")))
                }
                _ => continue,
            };
            self.line(&format!("### {title}"));
            self.line(about);
            if word == "replace"
                && let Some(members) = one["properties"].as_object()
            {
                self.inner(members);
            }
            self.examples(&format!("clean.{word}"));
        }
    }

    /// What a value is, in words.
    fn shape(&self, schema: &'a Value) -> String {
        let found = self.resolve(schema);
        let name = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next());
        match name {
            Some("TypeName" | "FieldType") => {
                return "the name of a [type](mapping.md#types)".into();
            }
            Some("CleanStep") => return "a [step](#steps-of-clean)".into(),
            Some("Rate") => return "a rate such as `\"20/s\"`".into(),
            _ => {}
        }
        if let Some(name) = name
            && !self.with_examples
            && found["properties"].is_object()
        {
            return format!("a table, [`{name}`](#{})", name.to_lowercase());
        }
        if let Some(word) = found["const"].as_str() {
            return format!("`\"{word}\"`");
        }
        if let Some(words) = found["enum"].as_array() {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            return words.join(" or ");
        }
        if let Some(several) = found["anyOf"].as_array().or(found["oneOf"].as_array())
            && found["type"] != "object"
        {
            let mut shapes: Vec<String> = Vec::new();
            for one in several {
                let shape = self.shape(one);
                if !shapes.contains(&shape) {
                    shapes.push(shape);
                }
            }
            return shapes.join(" or ");
        }
        match &found["type"] {
            Value::String(name) => self.plain(name, found),
            Value::Array(names) => {
                let names = names.iter().filter_map(Value::as_str);
                let shapes: Vec<String> = names.map(|name| self.plain(name, found)).collect();
                shapes.join(" or ")
            }
            _ => "any value".into(),
        }
    }

    fn plain(&self, name: &str, found: &'a Value) -> String {
        match name {
            "string" => "a text".into(),
            "boolean" => "`true` or `false`".into(),
            "number" => "a number".into(),
            "null" => "null".into(),
            "integer" => match found["minimum"].as_u64() {
                Some(least) if found["maximum"].is_null() => format!("a whole number from {least}"),
                Some(least) if found["maximum"] != 65535 => {
                    format!("a whole number from {least} to {}", found["maximum"])
                }
                _ => "a whole number".into(),
            },
            "array" => {
                let items = &found["items"];
                match items.is_object() {
                    true => format!("a list, each {}", self.shape(items)),
                    false => "a list".into(),
                }
            }
            _ => "a table".into(),
        }
    }

    /// The examples of a key: those cases whose name begins with it.
    fn examples(&mut self, id: &str) {
        if !self.with_examples {
            return;
        }
        let cases = self.cases;
        let mut found = false;
        for case in cases {
            let (name, about) = case.name.split_once(": ").unwrap_or((&case.name, ""));
            if name != id {
                continue;
            }
            found = true;
            self.used.insert(&case.place);
            self.example(case, about);
        }
        if !found {
            self.lacking.push(id.to_owned());
        }
    }

    fn example(&mut self, case: &Case, about: &str) {
        if !about.is_empty() {
            let mut letters = about.chars();
            let first = letters.next().map(|c| c.to_uppercase().to_string());
            let text = format!("{}{}:", first.unwrap_or_default(), letters.as_str());
            self.line(&text);
        }
        self.block("toml", case.part("mapping").unwrap_or_default().trim());
        for (part, text) in &case.parts {
            if let Some(file) = part.strip_prefix("file ") {
                self.line(&format!("with `{file}`"));
                self.block("csv", text);
            }
        }
        if let Some(rows) = case.part("rows") {
            self.line("with the rows");
            self.block("csv", rows);
        }
        if let Some(cells) = case.part("workbook") {
            self.line("with the workbook");
            self.block("text", cells);
        }
        if let Some(request) = case.part("request") {
            self.line("makes of a customer the request");
            self.block("http", request.trim());
        }
        let gives = case.lines("gives");
        if !gives.is_empty() {
            self.line("gives");
            let shown: Vec<String> = gives
                .iter()
                .map(|line| result(line, &case.lines("says")))
                .collect();
            self.block("text", &shown.join("\n"));
        }
    }

    fn block(&mut self, language: &str, text: &str) {
        writeln!(self.text, "```{language}\n{text}\n```\n").unwrap();
    }
}

/// A line of the cases' results, in words.
fn result(line: &str, says: &[&str]) -> String {
    if let Some(codes) = line.strip_prefix("! ") {
        let codes = codes.replace(" ~ ", ", with the warning ");
        return match says {
            [why] => format!("refused: {codes} ({why})"),
            _ => format!("refused: {codes}"),
        };
    }
    if let Some(rule) = line.strip_prefix("skip ") {
        return format!("skipped ({rule})");
    }
    if let Some(code) = line.strip_prefix("mistake ") {
        return format!("a mistake in the mapping file: {code}");
    }
    line.replace(" ~ ", "   with the warning ")
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        // Not in an abbreviation.
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().collect::<String>() + &text[first.len_utf8()..]
        }
        _ => text.to_owned(),
    }
}

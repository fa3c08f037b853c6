//! The JSON Schemas say what the program reads and prints: what loads fits them, what they refuse
//! does not load, and real summaries fit theirs.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;
#[path = "../examples/make_reference/page.rs"]
mod page;
mod cases {
    pub(crate) use crate::common::cases::Case;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{Bench, project};
use jsonschema::Validator;
use rowferry::document::to_json;
use rowferry::issue::TextFile;
use rowferry::schema::Kind;
use rowferry::{mapping, target};
use serde_json::{Value, json};

fn validator(kind: Kind) -> Validator {
    let schema = kind.schema();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// What a schema says against a file.
fn faults(validator: &Validator, text: &str) -> Vec<String> {
    let table: toml::Table = text.parse().unwrap();
    let value = to_json(&toml::Value::Table(table));
    let told =
        |fault: jsonschema::ValidationError<'_>| format!("{}: {fault}", fault.instance_path());
    validator.iter_errors(&value).map(told).collect()
}

fn mapping_loads(text: &str) -> bool {
    let (mapping, mistakes) = mapping::parse("m.toml", Path::new("m.toml"), text.to_owned());
    mapping.is_some() && mistakes.iter().all(|mistake| mistake.note)
}

fn target_loads(text: &str) -> bool {
    let file = TextFile {
        name: "t.target.toml".into(),
        text: text.to_owned(),
    };
    target::load_file("t", &Arc::new(file), None).0.is_some()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str());
        if path.is_dir() {
            walk(&path, found);
        } else if matches!(ending, Some("toml" | "rs" | "md" | "txt")) {
            found.push(path);
        }
    }
}

/// Every piece of text in the project that might be a mapping or target file: whole files, texts in
/// the tests' code, blocks of the pages, and the cases of the contract.
fn pieces() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "docs", "mappings", "benches", "samples"] {
        walk(&project(folder), &mut files);
    }
    files.push(project("README.md"));
    let mut pieces = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let name = path
            .strip_prefix(project(""))
            .unwrap()
            .display()
            .to_string();
        let parts: Vec<&str> = match path.extension().and_then(|ending| ending.to_str()) {
            Some("toml") => vec![text.as_str()],
            Some("rs") => text
                .split("r#\"")
                .skip(1)
                .filter_map(|rest| rest.split("\"#").next())
                .collect(),
            Some("md") => text
                .split("```toml\n")
                .skip(1)
                .filter_map(|rest| rest.split("```").next())
                .collect(),
            _ => text
                .split("\n== ")
                .filter_map(|case| case.split_once('\n')?.1.split("\n-- ").next())
                .collect(),
        };
        for part in parts {
            pieces.push((name.clone(), part.to_owned()));
            pieces.push((name.clone(), format!("target = \"kaiten\"\n{part}")));
        }
    }
    pieces
}

#[test]
fn whatever_loads_fits_its_schema() {
    let (of_mappings, of_targets) = (validator(Kind::Mapping), validator(Kind::Target));
    let (mut mappings, mut targets) = (0, 0);
    let mut wrong = Vec::new();
    for (name, text) in pieces() {
        if text.parse::<toml::Table>().is_err() {
            continue;
        }
        if mapping_loads(&text) {
            mappings += 1;
            for fault in faults(&of_mappings, &text) {
                wrong.push(format!("{name}: {fault}\n{text}"));
            }
        } else if target_loads(&text) {
            targets += 1;
            for fault in faults(&of_targets, &text) {
                wrong.push(format!("{name}: {fault}\n{text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(mappings > 200, "only {mappings} mappings were found");
    assert!(targets >= 15, "only {targets} targets were found");
}

#[test]
fn our_own_files_fit_and_name_their_schema() {
    for (folder, kind, line) in [
        (
            "mappings",
            Kind::Mapping,
            "#:schema ../docs/schemas/mapping.schema.json\n",
        ),
        (
            "benches",
            Kind::Mapping,
            "#:schema ../docs/schemas/mapping.schema.json\n",
        ),
        (
            "benches",
            Kind::Target,
            "#:schema ../docs/schemas/target.schema.json\n",
        ),
        (
            "src/target/builtin",
            Kind::Target,
            "#:schema ../../../docs/schemas/target.schema.json\n",
        ),
    ] {
        let validator = validator(kind);
        let mut found = Vec::new();
        walk(&project(folder), &mut found);
        found.retain(|path| {
            let name = path.display().to_string();
            let is_target = name.ends_with(".target.toml") || folder.ends_with("builtin");
            name.ends_with(".toml") && is_target == (kind == Kind::Target)
        });
        assert!(!found.is_empty(), "{folder}");
        for path in found {
            let text = fs::read_to_string(&path).unwrap();
            let name = path.display();
            assert_eq!(faults(&validator, &text), Vec::<String>::new(), "{name}");
            assert!(text.starts_with(line), "{name} does not begin with {line}");
            let schema = line.trim().trim_start_matches("#:schema ");
            assert!(path.parent().unwrap().join(schema).exists(), "{name}");
        }
    }
}

#[test]
fn what_the_mapping_schema_refuses_does_not_load() {
    let validator = validator(Kind::Mapping);
    let good = "target = \"kaiten\"\n[fields]\nname = \"N\"\n";
    assert!(mapping_loads(good));
    assert_eq!(faults(&validator, good), Vec::<String>::new());
    let rule = |rule: &str| format!("target = \"kaiten\"\n[fields]\nname = {{ {rule} }}\n");
    let with = |more: &str| format!("{good}{more}\n");
    let wrong = [
        "[fields]\nname = \"N\"\n".to_owned(),
        "target = \"kaiten\"\n".to_owned(),
        "target = 1\n[fields]\nname = \"N\"\n".to_owned(),
        "target = \"\"\n[fields]\nname = \"N\"\n".to_owned(),
        format!("sauce = 1\n{good}"),
        "target = \"kaiten\"\n[fields]\nname = 3\n".to_owned(),
        "target = \"kaiten\"\n[fields]\nname = [\"A\", \"B\"]\n".to_owned(),
        "target = \"kaiten\"\n[fields]\nname = \"\"\n".to_owned(),
        with("[source]\nsheets = 1"),
        with("[source]\nsheet = 0"),
        with("[source]\nsheet = []"),
        with("[source]\nheader_row = \"1\""),
        with("[source]\nheader_row = -1"),
        with("[source]\ndelimiter = \";;\""),
        with("[source]\ndelimiter = '\"'"),
        with("[source]\ndecimal = \"'\""),
        with("[source]\ndate_order = \"ydm\""),
        with("[source]\nregion = \"GBR\""),
        with("[source]\nnulls = \"-\""),
        with("[row]\nkey = []"),
        with("[row]\nkey = { clean = [\"lower\"] }"),
        with("[row]\nkey = { column = \"A\", cleen = [] }"),
        with("[row]\nspace = \" \""),
        with("[row]\nskip = \"x\""),
        with("[[check]]\nmessage = \"x\""),
        with("[[check]]\nassert = true"),
        with("[policy]\nduplicates = \"keep\""),
        with("[policy]\nexisting = \"replace\""),
        with("[policy]\nuncertain = \"drop\""),
        with("[policy]\nstop_after = \"5\""),
        with("[policy]\nstop_after = -1"),
        with("[policy]\nstop_after = 0.5"),
        with("[limits]\nrate = \"fast\""),
        with("[limits]\nrate = \"20/week\""),
        with("[limits]\nrate = []"),
        with("[limits]\nconcurrency = 0"),
        with("[[test]]\nrow = { A = \"x\" }"),
        with("[[test]]\nbody = { name = \"x\" }"),
        with("[[test]]\nrow = {}\nissues = []"),
        with("[[test]]\nrow = { A = [1] }\nissues = []"),
        with("[[test]]\nrow = { A = \"x\" }\nissues = [\"\"]"),
        rule("column = \"N\", template = \"x\""),
        rule("column = \"N\", value = 1"),
        rule("column = 3"),
        rule("column = []"),
        rule("column = \"N\", tpye = \"text\""),
        rule("column = \"N\", type = \"string\""),
        rule("column = \"N\", type = 1"),
        rule("column = \"N\", on = \"delete\""),
        rule("column = \"N\", on = []"),
        rule("column = \"N\", optional = \"yes\""),
        rule("column = \"N\", clean = \"lower\""),
        rule("column = \"N\", clean = [\"lowercase\"]"),
        rule("column = \"N\", clean = [{ pad = 0 }]"),
        rule("column = \"N\", clean = [{ truncate = 0 }]"),
        rule("column = \"N\", clean = [{ pad = 1, truncate = 2 }]"),
        rule("column = \"N\", clean = [{ with = \"x\" }]"),
        rule("column = \"N\", clean = [{ replace = \"x\", by = \"y\" }]"),
        rule("column = \"N\", split = \"\""),
        rule("column = \"N\", split = []"),
        rule("column = \"N\", split = \";\", pick = 0"),
        rule("column = \"N\", split = \";\", pick = \"middle\""),
        rule("column = \"N\", pick = 1"),
        rule("column = \"N\", map = {}"),
        rule("column = \"N\", map_others = \"keep\""),
        rule("column = \"N\", map = { a = \"b\" }, map_others = [1]"),
        rule("column = \"N\", type = \"date\", formats = []"),
        rule("column = \"N\", type = \"date\", formats = \"dd.mm.yyyy\""),
        rule("column = \"N\", type = \"date\", century = \"now\""),
        rule("column = \"N\", type = \"date\", century = 100"),
        rule("column = \"N\", type = \"decimal\", unit = \"permille\""),
        rule("column = \"N\", type = \"phone\", extension = \"ignore\""),
        rule("column = \"N\", type = \"phone\", accept = \"any\""),
        rule("column = \"N\", type = \"phone\", region = \"Britain\""),
        rule("column = \"N\", type = \"country\", output = \"code\""),
        rule("column = \"N\", type = \"choice\", options = []"),
        rule("column = \"N\", lookup = { key = \"x\" }"),
        rule("column = \"N\", lookup = { file = \"x.csv\", column = \"x\" }"),
        rule("column = \"N\", lookup = \"\""),
        rule("column = \"N\", min = \"many\""),
        rule("column = \"N\", max = true"),
        rule("column = \"N\", min_length = -1"),
        rule("column = \"N\", max_length = 0"),
        rule("column = \"N\", one_of = []"),
        rule("column = \"N\", required = \"true\""),
        rule("column = \"N\", on_error = \"skip\""),
        rule("column = \"N\", empty = \"none\""),
    ];
    let mut missed = Vec::new();
    for text in wrong {
        assert!(!mapping_loads(&text), "this loads:\n{text}");
        if faults(&validator, &text).is_empty() {
            missed.push(text);
        }
    }
    assert!(missed.is_empty(), "these fit:\n{}", missed.join("\n"));
}

#[test]
fn what_the_target_schema_refuses_does_not_load() {
    let validator = validator(Kind::Target);
    let good = "name = \"A\"\nbase_url = \"https://a.example\"\n[create]\npath = \"/c\"\n";
    assert!(target_loads(good));
    assert_eq!(faults(&validator, good), Vec::<String>::new());
    let with = |more: &str| format!("{good}{more}\n");
    let wrong = [
        "base_url = \"https://a.example\"\n[create]\npath = \"/c\"\n".to_owned(),
        "name = \"A\"\n[create]\npath = \"/c\"\n".to_owned(),
        "name = \"A\"\nbase_url = \"https://a.example\"\n".to_owned(),
        good.replace("https", "ftp"),
        good.replace("/c", "c"),
        format!("colour = 1\n{good}"),
        with("method = \"FETCH\""),
        with("body = \"xml\""),
        with("success = [\"200\"]"),
        with("query = [\"a\"]"),
        with("exists = [{}]"),
        with("exists = [{ kind = 1 }]"),
        with("natural_key = { field = \"slug\" }"),
        with("[create.batch]\nmax = 0"),
        with("[create.batch]\nmax_bytes = \"4 pages\""),
        with("[create.batch]\nmatch = \"order\""),
        with("[create.batch]\nmatch = { item = \"a\" }"),
        with("[auth]\nenv = \"X\""),
        with("[auth]\nkind = \"magic\""),
        with("[auth]\nkind = \"bearer\"\nsecret = \"x\""),
        with("[headers]\nX = 1"),
        with("[headers]\nX = { account = true }"),
        with("[lookup]\npath = \"/c\"\nfilter = 1"),
        with("[lookup]\npath = \"/c\"\nlag = \"soon\""),
        with("[list]\npath = \"/c\""),
        with("[lookup]\nresults = \"data\""),
        with("[update]\nmode = \"partial\""),
        with("[list]\npath = \"/c\"\nby = \"x\"\npaging = { kind = \"scroll\", param = \"p\" }"),
        with("[list]\npath = \"/c\"\nby = \"x\"\npaging = { kind = \"page\" }"),
        with("[read]\nrecord = \"data\""),
        with("[update]\npath = \"/c\"\nmode = \"merge\""),
        with("[delete]\nsuccess = [204]"),
        with("[errors]\nmessage = 1"),
        with("[errors]\nfatal = { status = 402 }"),
        with("[limits]\nrate = \"fast\""),
        with("[limits]\nconcurrency = 0"),
        with("[limits]\nheaders = \"github\""),
        with("[limits]\nheaders = { reset_in = \"minutes\" }"),
        with("[fields]\nname = { type = \"string\" }"),
        with("[fields]\nname = { mandatory = true }"),
        with("[fields]\nname = \"text\""),
        with("[custom]\nshape = \"list\""),
        with("[custom.discover]\npath = \"/f\"\nkeys = \"id\""),
    ];
    let mut missed = Vec::new();
    for text in wrong {
        assert!(!target_loads(&text), "this loads:\n{text}");
        if faults(&validator, &text).is_empty() {
            missed.push(text);
        }
    }
    assert!(missed.is_empty(), "these fit:\n{}", missed.join("\n"));
}

/// The schema with no members allowed that it does not name.
fn closed(mut schema: Value) -> Value {
    fn close(value: &mut Value) {
        match value {
            Value::Object(object) => {
                if object.get("properties").is_some_and(Value::is_object) {
                    object.insert("additionalProperties".into(), json!(false));
                }
                object.values_mut().for_each(close);
            }
            Value::Array(items) => items.iter_mut().for_each(close),
            _ => {}
        }
    }
    close(&mut schema);
    schema
}

#[test]
fn summaries_fit_the_schema_and_have_no_member_that_it_does_not_name() {
    let validator = jsonschema::draft202012::new(&closed(Kind::Report.schema())).unwrap();
    let bench = Bench::new();
    bench.file("in.csv", "Id,Company,Rest\n1,Acme,\n2,,x\n3,Beta,\n");
    bench.file("b.csv", "Id,Company,Rest\n4,Gamma,\n");
    bench.file(
        "m.toml",
        "target = \"kaiten\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Company\"\n",
    );
    bench.file("wrong.toml", "target = \"kaitn\"\n[fields]\nnme = 1\n");
    let import = ["--sandbox", "--ledger", "l.db"];
    for (code, arguments) in [
        (1, vec!["check", "in.csv", "-m", "m.toml"]),
        (0, vec!["check", "b.csv", "-m", "m.toml"]),
        (2, vec!["check", "in.csv", "-m", "wrong.toml"]),
        (2, vec!["check", "absent.csv", "-m", "m.toml"]),
        (
            1,
            [vec!["import", "in.csv", "-m", "m.toml"], import.to_vec()].concat(),
        ),
        (
            1,
            [
                vec!["import", "in.csv", "b.csv", "-m", "m.toml"],
                import.to_vec(),
            ]
            .concat(),
        ),
        (
            2,
            [
                vec!["import", "in.csv", "-m", "wrong.toml"],
                import.to_vec(),
            ]
            .concat(),
        ),
    ] {
        let arguments = [arguments, vec!["--json"]].concat();
        let summary = bench.run(&arguments).expect(code).json();
        let faults: Vec<String> = validator
            .iter_errors(&summary)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{arguments:?}: {faults:#?}");
        assert_eq!(
            summary.get("mistakes").is_some(),
            code == 2,
            "{arguments:?}"
        );
    }
    assert!(!validator.is_valid(&json!({ "command": "check" })));
}

#[test]
fn the_command_prints_what_is_checked_in() {
    let bench = Bench::new();
    for kind in Kind::ALL {
        let ran = bench.run(&["schema", kind.name()]).expect(0);
        let file = format!("docs/schemas/{}.schema.json", kind.name());
        assert!(
            ran.stdout == fs::read_to_string(project(&file)).unwrap(),
            "{file} is old; run: cargo run --example make_reference"
        );
    }
}

#[test]
fn every_member_is_described_and_the_words_are_those_that_are_read() {
    for kind in Kind::ALL {
        let schema = kind.schema();
        let defs = schema["$defs"].as_object().unwrap();
        for (name, def) in defs.iter().chain([(&"top".to_owned(), &schema)]) {
            let members = def["properties"].as_object();
            for (key, member) in members.into_iter().flatten() {
                let about = member["description"].as_str().unwrap_or_default();
                assert!(about.ends_with(['.', ')']), "{name}.{key}: {about:?}");
            }
        }
    }
    let schema = Kind::Mapping.schema();
    let steps = schema["$defs"]["CleanStep"].as_object().unwrap();
    let steps = steps.values().find_map(Value::as_array).unwrap();
    let mut words = 0;
    for step in steps {
        let clean = match (&step["const"], step["properties"].as_object()) {
            (Value::String(word), _) => format!("\"{word}\""),
            (_, Some(keys)) if keys.contains_key("replace") => "{ replace = \"x\" }".to_owned(),
            (_, Some(keys)) if keys.contains_key("extract") => "{ extract = \"(x)\" }".to_owned(),
            (_, Some(keys)) => format!("{{ {} = 3 }}", keys.keys().next().unwrap()),
            other => panic!("{other:?}"),
        };
        words += 1;
        let text = format!(
            "target = \"kaiten\"\n[fields]\nname = {{ column = \"N\", clean = [{clean}] }}\n"
        );
        assert!(mapping_loads(&text), "{text}");
    }
    assert_eq!(words, 13);
    for name in schema["$defs"]["TypeName"]["oneOf"].as_array().unwrap() {
        assert_ne!(name["description"], "", "{name}");
        let text = format!(
            "target = \"kaiten\"\n[fields]\nname = {{ column = \"N\", type = {} }}\n",
            name["const"]
        );
        assert!(mapping_loads(&text), "{text}");
    }
}

#[test]
fn every_key_type_and_step_has_an_example_and_the_pages_are_current() {
    for kind in Kind::ALL {
        let name = kind.name();
        let examples = match kind {
            Kind::Report | Kind::Issue => Vec::new(),
            _ => common::cases::cases(&format!("docs/reference/examples/{name}")),
        };
        let page = page::page(kind, &kind.schema(), &examples);
        assert!(
            page.lacking.is_empty(),
            "these have no example in docs/reference/examples/{name}: {:?}",
            page.lacking
        );
        assert!(
            page.unused.is_empty(),
            "examples of no key: {:?}",
            page.unused
        );
        let file = format!("docs/reference/{name}.md");
        assert!(
            page.text == fs::read_to_string(project(&file)).unwrap(),
            "{file} is old; run: cargo run --example make_reference"
        );
    }
}

/// The anchors of a page, as the usual hosts make them of its headings.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter_map(|line| {
        let title = line.trim_start_matches('#').strip_prefix(' ')?;
        line.starts_with('#').then_some(title)
    });
    let anchor = |title: &str| {
        let kept = title
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn links_to_the_reference_lead_somewhere() {
    let mut links = 0;
    for file in ["docs/mapping.md", "docs/targets.md"] {
        let text = fs::read_to_string(project(file)).unwrap();
        for rest in text.split("](reference/").skip(1) {
            let link = rest.split(')').next().unwrap();
            let (page, anchor) = link.split_once('#').unwrap_or((link, ""));
            let page = fs::read_to_string(project("docs/reference").join(page)).unwrap();
            let known = anchors(&page);
            let first = known.iter().position(|known| known == anchor);
            assert!(anchor.is_empty() || first.is_some(), "{file}: {link}");
            let same = known.iter().filter(|known| *known == anchor).count();
            assert!(same <= 1, "{file}: {link} is the name of {same} places");
            links += 1;
        }
    }
    assert!(links > 15);
}

/// The target file with which `docs/targets.md` begins.
const SHORT: &str = r#"
name     = "Acme"
base_url = "https://api.acme.example/v1"

[auth]
kind = "bearer"
env  = "ACME_TOKEN"

[create]
path = "/customers"

[fields]
name  = { type = "text", required = true, max_length = 255 }
email = { type = "email" }
"#;

/// Lays an example over the short target file.
fn lay_over(base: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(base)), toml::Value::Table(own)) if key != "auth" => {
                lay_over(base, own);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// A request as the examples show it.
fn shown(target: &target::Target) -> String {
    let body = json!({ "name": "Ada", "email": "ada@acme.example" });
    let facts = target::call::Facts {
        body: &body,
        key: "C-7",
        ..target::call::Facts::NONE
    };
    let call = target.create_call(&facts, "…").unwrap();
    let mut lines = vec![format!("{} {}", call.method, call.location)];
    for (name, value) in &call.headers {
        lines.push(format!("{name}: {value}"));
    }
    let (_, body) = call.body.unwrap();
    lines.push(String::from_utf8(body).unwrap());
    lines.join("\n")
}

#[test]
fn the_examples_of_the_target_reference_have_no_mistakes() {
    let page = fs::read_to_string(project("docs/targets.md")).unwrap();
    assert!(
        page.contains(SHORT.trim()),
        "docs/targets.md begins otherwise"
    );
    let validator = validator(Kind::Target);
    let mut requests = 0;
    for case in common::cases::cases("docs/reference/examples/target") {
        let own = case.part("mapping").unwrap();
        let own: toml::Table = own
            .parse()
            .unwrap_or_else(|error| panic!("{}: {error}", case.place));
        let mut whole: toml::Table = SHORT.parse().unwrap();
        if own.contains_key("extends") {
            whole.clear();
        }
        lay_over(&mut whole, own);
        let text = toml::to_string(&whole).unwrap();
        assert_eq!(
            faults(&validator, &text),
            Vec::<String>::new(),
            "{}",
            case.place
        );
        let file = TextFile {
            name: case.place.clone(),
            text,
        };
        let (target, mistakes) = target::load_file("t", &Arc::new(file), None);
        assert!(mistakes.is_empty(), "{}: {mistakes:#?}", case.place);
        if let Some(request) = case.part("request") {
            assert_eq!(shown(&target.unwrap()), request.trim(), "{}", case.place);
            requests += 1;
        }
    }
    assert!(requests >= 5);
}

//! Mapping texts in, rows in, bodies and issues out.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::issue::{Severity, TextFile};
use crate::record::{self, BodyHash};
use crate::row::Kind;

const TARGET: &str = r#"
name = "Acme"
base_url = "https://acme.example"
key_field = "ref"
[create]
path = "/customers"
[lookup]
path = "/customers"
query = { email = "{{ email }}" }
results = "data"
id = "id"
[fields]
name = { type = "text", required = true, max_length = 20 }
ref = { type = "text" }
email = { type = "email" }
phone = { type = "phone" }
country = { type = "country" }
born = { type = "date" }
seen = { type = "datetime" }
size = { type = "integer", min = 0 }
credit = { type = "decimal" }
active = { type = "boolean" }
status = { type = "choice", options = ["active", "closed"] }
tags = { type = "choices", options = ["a", "b", "c"] }
list = { type = "array" }
delete_after = { type = "integer", caution = { values = [0], says = "0 deletes at once" } }
address = { type = "object" }
note = { type = "text" }
[custom]
at = "extra"
open = true
"#;

fn target(text: &str) -> Arc<Target> {
    let file = Arc::new(TextFile {
        name: "acme.target.toml".into(),
        text: text.into(),
    });
    let (target, mistakes) = crate::target::load_file("acme", &file, None);
    assert!(mistakes.iter().all(|told| told.note), "{mistakes:#?}");
    Arc::new(target.unwrap())
}

fn mapping(text: &str) -> Mapping {
    let (mapping, mistakes) = crate::mapping::parse("m.toml", Path::new("m.toml"), text.to_owned());
    assert!(mistakes.iter().all(|told| told.note), "{mistakes:#?}");
    mapping.unwrap()
}

fn header(names: &[&str]) -> Header {
    Header {
        names: names.iter().map(|&name| name.into()).collect(),
        first_column: 0,
        row: 1,
    }
}

fn options() -> Options {
    Options {
        strict: false,
        today: jiff::civil::date(2026, 11, 21),
    }
}

fn plan_of(text: &str, names: &[&str], options: &Options) -> Plan {
    let (plan, mistakes) = Plan::new(
        &mapping(text),
        &target(TARGET),
        &header(names),
        None,
        options,
    );
    plan.unwrap_or_else(|| panic!("{mistakes:#?}"))
}

fn batch(rows: &[&[(&str, Kind)]]) -> Arc<RowBatch> {
    let mut batch = RowBatch::default();
    for (number, row) in (2..).zip(rows) {
        for (text, kind) in *row {
            batch.push_cell(text, *kind);
        }
        batch.end_row(number, number, None);
    }
    Arc::new(batch)
}

/// The body or the codes of what one row of texts gives.
fn outcome(plan: &Plan, cells: &[&str]) -> String {
    let cells: Vec<(&str, Kind)> = cells.iter().map(|&text| (text, Kind::Text)).collect();
    shown(&plan.prepare(&batch(&[&cells]))[0])
}

fn shown(row: &Prepared) -> String {
    let codes: Vec<String> = row
        .issues
        .iter()
        .map(|issue| match issue.severity {
            Severity::Error => issue.code.to_string(),
            Severity::Warning => format!("({})", issue.code),
        })
        .collect();
    match &row.plan {
        record::Plan::Send(body) if codes.is_empty() => body.json.to_string(),
        record::Plan::Send(body) => format!("{} {}", body.json, codes.join(" ")),
        record::Plan::Skip(rule, _) => format!("skip {rule}"),
        record::Plan::Reject => codes.join(" "),
    }
}

/// Tries one rule for `note` (or another field) over rows of the columns A and B.
fn rule(field_and_rule: &str, rows: &[(&[&str], &str)]) {
    let text = format!(
        "target = \"acme\"\n[row]\nkey = \"K\"\n[fields]\nname = {{ value = \"n\" }}\n{field_and_rule}\n"
    );
    let plan = plan_of(&text, &["K", "A", "B"], &options());
    for (cells, want) in rows {
        let mut row = vec!["k"];
        row.extend_from_slice(cells);
        let given = outcome(&plan, &row);
        let given = given
            .strip_prefix("{\"name\":\"n\",")
            .map_or(given.clone(), |rest| format!("{{{rest}"));
        assert_eq!(given, *want, "{field_and_rule} over {cells:?}");
    }
}

const NOTHING: &str = r#"{"name":"n"}"#;

#[test]
fn where_a_value_is_taken_from() {
    rule(
        "note = \"A\"",
        &[
            (&[" \u{a0}x\u{200b} "], r#"{"note":"x"}"#),
            (&[""], NOTHING),
        ],
    );
    rule(
        "note = { column = [\"A\", \"B\"] }",
        &[
            (&["", "b"], r#"{"note":"b"}"#),
            (&["a", "b"], r#"{"note":"a"}"#),
        ],
    );
    rule(
        "note = { column = [\"Nowhere\", \"B\"] }",
        &[(&["a", "b"], r#"{"note":"b"}"#)],
    );
    rule(
        "note = { column = \"Nowhere\", optional = true, default = \"d\" }",
        &[(&["a"], r#"{"note":"d"}"#)],
    );
    rule(
        "note = { column = [\"A\", \"B\"], join = \", \" }",
        &[
            (&["a", "b"], r#"{"note":"a, b"}"#),
            (&["", "b"], r#"{"note":"b"}"#),
            (&["", ""], NOTHING),
        ],
    );
    rule(
        "note = { template = \"{{ a }}-{{ row['B'] }}\" }",
        &[
            (&["1", "2"], r#"{"note":"1-2"}"#),
            (&["1", ""], r#"{"note":"1-"}"#),
            (&["", ""], NOTHING),
        ],
    );
    rule("active = { value = true }", &[(&[], r#"{"active":true}"#)]);
    rule(
        "country = { value = \"Netherlands\" }",
        &[(&[], r#"{"country":"NL"}"#)],
    );
    rule(
        "address = { value = { city = \"X\", n = [1] } }",
        &[(&[], r#"{"address":{"city":"X","n":[1]}}"#)],
    );
}

#[test]
fn what_is_done_before_a_value_is_read() {
    rule(
        "note = { column = \"A\", when = \"b == 'y'\", required = true }",
        &[
            (&["x", "y"], r#"{"note":"x"}"#),
            (&["x", "n"], NOTHING),
            (&["", "n"], NOTHING),
            (&["", "y"], "note.required"),
        ],
    );
    rule(
        "note = { column = \"A\", nulls = [\"-\"] }",
        &[(&[" - "], NOTHING), (&["x"], r#"{"note":"x"}"#)],
    );
    rule(
        "note = { column = \"A\", clean = [\"squash\", \"upper\", { truncate = 3 }] }",
        &[
            (&["a   b"], r#"{"note":"A B"}"#),
            (&["abcdef"], r#"{"note":"ABC"} (note.truncated)"#),
        ],
    );
    rule(
        "note = { column = \"A\", clean = [{ extract = \"#(\\\\d+)\" }] }",
        &[(&["x #12"], r#"{"note":"12"}"#), (&["x"], NOTHING)],
    );
    rule(
        "note = { column = \"A\", split = \";\", join = \"+\" }",
        &[(&["a; b;;a"], r#"{"note":"a+b"}"#)],
    );
    rule(
        "note = { column = \"A\", split = [\";\", \",\"], pick = 2 }",
        &[(&["a, b;c"], r#"{"note":"b"}"#), (&["a"], NOTHING)],
    );
    rule(
        "tags = { column = \"A\", split = \";\", max_items = 2 }",
        &[
            (&["A; b"], r#"{"tags":["a","b"]}"#),
            (&["a; x"], "tags.option"),
            (&["a;b;c"], "tags.max_items"),
            (&[" ; "], NOTHING),
        ],
    );
    rule("tags = \"A\"", &[(&["b"], r#"{"tags":["b"]}"#)]);
}

#[test]
fn maps_and_types() {
    rule(
        "status = { column = \"A\", map = { \"In Use\" = \"active\", \"Gone\" = \"\" } }",
        &[
            (&[" in use"], r#"{"status":"active"}"#),
            (&["gone"], NOTHING),
            (&["active"], "status.map"),
        ],
    );
    rule(
        "status = { column = \"A\", map = { x = \"active\" }, map_others = \"keep\" }",
        &[
            (&["CLOSED"], r#"{"status":"closed"}"#),
            (&["y"], "status.option"),
        ],
    );
    rule(
        "note = { column = \"A\", map = { x = \"1\" }, map_others = \"null\" }",
        &[(&["z"], NOTHING), (&["X"], r#"{"note":"1"}"#)],
    );
    rule(
        "note = { column = \"A\", map = { x = \"1\" }, map_others = \"other\" }",
        &[(&["z"], r#"{"note":"other"}"#)],
    );
    rule(
        "country = { column = \"A\", map = { \"Holland\" = \"NL\" } }",
        &[
            (&["holland"], r#"{"country":"NL"}"#),
            (&["Germany"], r#"{"country":"DE"}"#),
            (&["Atlantis"], "country.invalid"),
        ],
    );
    rule(
        "phone = { column = \"A\", region_from = \"B\" }",
        &[
            (
                &["(202) 555-0139", "United States"],
                r#"{"phone":"+12025550139"}"#,
            ),
            (&["+31 6 12345678", ""], r#"{"phone":"+31612345678"}"#),
            (&["0612345678", ""], "phone.region"),
        ],
    );
    rule(
        "size = \"A\"",
        &[
            (&["12"], r#"{"size":12}"#),
            (&["-1"], "size.min"),
            (&["x"], "size.invalid"),
        ],
    );
    rule(
        "born = { column = \"A\", max = \"today\" }",
        &[
            (&["2020-02-29"], r#"{"born":"2020-02-29"}"#),
            (&["2027-01-01"], "born.max"),
            (&["03/04/2020"], "born.ambiguous"),
        ],
    );
    rule(
        "list = { column = \"A\", split = \",\" }",
        &[(&["x,y"], r#"{"list":["x","y"]}"#)],
    );
}

#[test]
fn limits_defaults_and_what_is_wrong() {
    rule(
        "note = { column = \"A\", one_of = [\"x\", \"y\"], on_error = \"null\" }",
        &[
            (&["x"], r#"{"note":"x"}"#),
            (&["z"], r#"{"name":"n"} (note.one_of)"#),
        ],
    );
    rule(
        "email = { column = \"A\", on_error = \"warn\" }",
        &[(&["a@@b"], r#"{"email":"a@@b"} (email.invalid)"#)],
    );
    rule(
        "email = { column = \"A\", on_error = \"null\", required = true }",
        &[(&["a@@b"], "(email.invalid) email.required")],
    );
    rule(
        "note = { column = \"A\", empty = \"null\" }",
        &[(&[""], r#"{"note":null}"#)],
    );
    rule(
        "note = { column = \"A\", empty = \"\" }",
        &[(&[""], r#"{"note":""}"#)],
    );
    rule(
        "status = { column = \"A\", default = \"Active\" }",
        &[(&[""], r#"{"status":"active"}"#)],
    );
    rule(
        "delete_after = \"A\"",
        &[
            (&["0"], "delete_after.caution"),
            (&["5"], r#"{"delete_after":5}"#),
        ],
    );
}

#[test]
fn bodies_nest_in_the_target_s_order() {
    rule(
        "note = \"A\"\n\"address.city\" = \"B\"\n\"address.tags[]\" = [\"A\", { column = \"B\", clean = [\"upper\"] }]\n[custom]\nx = \"A\"",
        &[
            (
                &["1", "b"],
                r#"{"address":{"city":"b","tags":["1","B"]},"note":"1","extra":{"x":"1"}}"#,
            ),
            (&["", ""], NOTHING),
        ],
    );
}

#[test]
fn cells_of_workbooks_keep_what_they_are() {
    let text = "target = \"acme\"\n[row]\nkey = \"K\"\n[fields]\nname = { column = \"A\", clean = [\"digits\"] }\n";
    let plan = plan_of(text, &["K", "A"], &options());
    let rows = [
        (("1", Kind::Text), ("#N/A", Kind::Error), "name.cell_error"),
        (
            ("1", Kind::Text),
            ("a\u{fffd}", Kind::Undecodable),
            "name.encoding",
        ),
        (
            ("1", Kind::Text),
            (
                "12345678901234567",
                Kind::Number(1.234_567_890_123_456_7e16),
            ),
            "name.precision",
        ),
        (
            (
                "12345678901234567",
                Kind::Number(1.234_567_890_123_456_7e16),
            ),
            ("1", Kind::Text),
            "key.precision",
        ),
        (("", Kind::Text), ("1", Kind::Text), "key.empty"),
        (
            ("7", Kind::Number(7.0)),
            ("1", Kind::Text),
            r#"{"name":"1"}"#,
        ),
    ];
    for (key, cell, want) in rows {
        let row = &plan.prepare(&batch(&[&[key, cell]]))[0];
        assert_eq!(shown(row), want);
    }
}

#[test]
fn whole_rows_are_skipped_checked_and_refused() {
    let text = "target = \"acme\"\n[row]\nkey = [\"K\", \"A\"]\nskip_when = 'a == \"closed\"'\n\
                [fields]\nname = \"A\"\nemail = \"B\"\n[[check]]\nassert = \"body.email or k != '2'\"\n\
                message = \"an address is needed\"\n[[check]]\nassert = \"(k or 0)|int < 9\"\n";
    let plan = plan_of(text, &["K", "A", "B"], &options());
    for (cells, want) in [
        (["1", "closed", "x"], "skip skip_when"),
        (["1", "n", ""], r#"{"name":"n"}"#),
        (["2", "n", ""], "check"),
        (
            ["2", "n", "a@b.example"],
            r#"{"name":"n","email":"a@b.example"}"#,
        ),
        (["9", "n", ""], "check"),
        (["", "n", ""], "key.empty"),
        (["2", "n", "x@"], "email.invalid"),
    ] {
        assert_eq!(outcome(&plan, &cells), want, "{cells:?}");
    }
    let row = &plan.prepare(&batch(&[&[("1", Kind::Text), ("n", Kind::Text)]]))[0];
    assert_eq!(&*row.key, "1 / n");
    let mut ragged = RowBatch::default();
    ragged.push_cell("1", Kind::Text);
    let fault = crate::row::Fault {
        code: "row.ragged",
        message: "one cell of three".into(),
        column: None,
    };
    ragged.end_row(4, 4, Some(fault));
    assert_eq!(shown(&plan.prepare(&Arc::new(ragged))[0]), "row.ragged");
}

#[test]
fn warnings_refuse_where_that_is_asked_for() {
    let text = "target = \"acme\"\n[row]\nkey = \"K\"\n[fields]\nname = { column = \"K\", clean = [{ truncate = 1 }] }\n";
    let strict = Options {
        strict: true,
        ..options()
    };
    assert_eq!(
        outcome(&plan_of(text, &["K"], &strict), &["ab"]),
        "name.truncated"
    );
    assert_eq!(
        outcome(&plan_of(text, &["K"], &options()), &["ab"]),
        r#"{"name":"a"} (name.truncated)"#
    );
}

#[test]
fn without_a_key_the_target_s_own_field_or_the_body_is_it() {
    let text = "target = \"acme\"\n[fields]\nname = \"A\"\nref = \"B\"\n";
    let plan = plan_of(text, &["A", "B"], &options());
    assert!(plan.has_key());
    assert_eq!(plan.key_columns(), [1]);
    let cells = [("n", Kind::Text), ("r\"1", Kind::Text)];
    assert_eq!(&*plan.prepare(&batch(&[&cells]))[0].key, "r\"1");
    assert_eq!(outcome(&plan, &["n", ""]), "key.empty");
    let text = "target = \"acme\"\n[fields]\nname = \"A\"\n";
    let (plan, told) = Plan::new(
        &mapping(text),
        &target(TARGET),
        &header(&["A"]),
        None,
        &options(),
    );
    let plan = plan.unwrap();
    assert!(!plan.has_key());
    assert!(told.iter().any(|told| told.code == "no-key" && told.note));
    let mut rows = plan.prepare(&batch(&[&[("n", Kind::Text)], &[("n", Kind::Text)]]));
    let mut claims = plan.claims();
    rows.iter_mut().for_each(|row| claims.claim(row));
    assert_ne!(rows[0].key_hash, rows[1].key_hash);
}

#[test]
fn the_natural_key_is_filled_from_the_key() {
    let kaiten = Arc::new(crate::target::load("kaiten", Path::new(".")).0.unwrap());
    let text = "target = \"kaiten\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Company\"\n";
    let header = header(&["Id", "Company"]);
    let plan = Plan::new(&mapping(text), &kaiten, &header, None, &options())
        .0
        .unwrap();
    assert_eq!(
        outcome(&plan, &["ext-1", "A"]),
        r#"{"name":"A","slug":"ext-1"}"#
    );
    assert_eq!(plan.place_of("slug"), Some(("slug".into(), Some(0))));
}

#[test]
fn a_refusal_leads_back_to_its_column() {
    let text = "target = \"acme\"\n[row]\nkey = \"K\"\n[fields]\nname = \"A\"\n\"address.city\" = \"B\"\n[custom]\nservices = \"B\"\n";
    let plan = plan_of(text, &["K", "A", "B"], &options());
    for (name, field, column) in [
        ("name", "name", 1),
        ("body.name", "name", 1),
        ("address.city", "address.city", 2),
        ("extra.services", "services", 2),
    ] {
        assert_eq!(
            plan.place_of(name),
            Some((field.into(), Some(column))),
            "{name}"
        );
    }
    assert_eq!(plan.place_of("else"), None);
}

/// All mistakes, one a line: line, column, code, message, help.
fn told(text: &str, names: &[&str], target_text: &str) -> String {
    let (plan, mistakes) = Plan::new(
        &mapping(text),
        &target(target_text),
        &header(names),
        None,
        &options(),
    );
    assert_eq!(plan.is_none(), mistakes.iter().any(|told| !told.note));
    let lines: Vec<String> = mistakes
        .iter()
        .map(|told| {
            let at = told
                .line_column()
                .map_or("-".to_owned(), |(line, column)| format!("{line}:{column}"));
            let note = if told.note { "note " } else { "" };
            format!("{at} {note}{}: {}", told.code, told.message)
        })
        .collect();
    lines.join("\n")
}

#[test]
fn every_mistake_is_told_at_once_at_its_place() {
    let text = "target = \"acme\"\nallow_caution = [\"delete_aftr\"]\n[row]\nkey = \"Idd\"\nskip_when = 'statu == \"x\"'\n\
                [fields]\nnam = \"A\"\nemail = \"E-Mail\"\nsize = { column = \"A\", type = \"boolean\" }\n\
                note = { template = \"{{ a }} {{ row['Bx'] }}\" }\nstatus = { column = \"A\", default = \"gone\" }\n\
                born = { column = \"A\", map = { x = \"never\" } }\ncountry = { column = \"A\", lookup = \"no-such.csv\" }\n\
                phone = { column = \"A\", split = \";\" }\n[policy]\nexisting = \"update\"\n";
    assert_eq!(
        told(text, &["Id", "A", "Email", "B"], TARGET),
        [
            "1:10 required-field: Acme requires `name`, and nothing fills it",
            "2:18 unknown-caution: Acme does not warn of any value of `delete_aftr`",
            "4:7 unknown-column: this file has no column `Idd`",
            "5:14 unknown-name: this file has no column that is called `statu` here",
            "7:1 unknown-field: Acme has no field `nam`",
            "8:9 unknown-column: this file has no column `E-Mail`",
            "9:31 type-mismatch: `size` takes a whole number, which `boolean` does not give",
            "10:33 unknown-name: this file has no column `Bx`",
            "11:36 wrong-value: this `default` does not suit the field `status`",
            "12:30 wrong-value: the value `never` of this map does not suit the field",
            "13:36 lookup-file: the look-up file no-such.csv does not exist",
            "14:33 type-mismatch: `phone` takes one phone number, and this gives a list",
            "16:12 policy: Acme has no way to change a record",
            "- note unused-columns: these columns are not used: `Id`, `Email`, `B`",
        ]
        .join("\n")
    );
}

#[test]
fn notes_do_not_stop_a_plan() {
    let text = "target = \"acme\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"A\"\n";
    assert_eq!(
        told(text, &["Id", "A", "A", "Other"], TARGET),
        "5:8 note ambiguous-column: 2 columns are called `A`; the first is taken\n\
         - note unused-columns: these columns are not used: `A`, `Other`"
    );
    let returned = Returned::default();
    let header = header(&["Id", "A", "_row", "_key", "_fate", "_codes", "_problems"]);
    let (plan, told) = Plan::new(
        &mapping(text),
        &target(TARGET),
        &header,
        Some(returned),
        &options(),
    );
    assert_eq!(told, []);
    assert!(plan.unwrap().unused_columns().is_empty());
}

#[test]
fn the_mappings_that_come_with_the_program_hold_their_own_cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "toml") {
            continue;
        }
        let (mapping, mistakes) = crate::mapping::load(&path);
        assert!(mistakes.iter().all(|told| told.note), "{mistakes:#?}");
        let mapping = mapping.unwrap();
        let name = mapping.head.target.as_ref().unwrap().get_ref().clone();
        let (target, mistakes) = crate::target::load(&name, path.parent().unwrap());
        assert!(mistakes.iter().all(|told| told.note), "{mistakes:#?}");
        let (results, mistakes) = cases::run(&mapping, &Arc::new(target.unwrap()), &options());
        assert!(
            mistakes.iter().all(|told| told.note),
            "{}: {mistakes:#?}",
            path.display()
        );
        assert_eq!(results.len(), mapping.head.test.len());
        for result in &results {
            let why: Vec<_> = result
                .failures
                .iter()
                .map(|told| (&told.message, &told.label))
                .collect();
            assert!(
                result.passed(),
                "{} case {}: {why:#?}",
                path.display(),
                result.number
            );
            count += 1;
        }
    }
    assert!(count > 5);
}

#[test]
fn a_case_that_fails_says_what_differs() {
    let text = "target = \"acme\"\n[row]\nkey = \"K\"\n[fields]\nname = \"A\"\nsize = \"B\"\n\
                [[test]]\nrow = { K = \"1\", A = \"n\", B = 3 }\nbody = { name = \"m\", size = 3, note = \"x\" }\n\
                [[test]]\nrow = { K = \"1\", A = \"\" }\nissues = [\"name.required\"]\n\
                [[test]]\nrow = { K = \"1\", A = \"\" }\nissues = [\"size.min\"]\n\
                [[test]]\nrow = { K = \"1\", A = \"\" }\nbody = { name = \"m\" }\n";
    let (results, _) = cases::run(&mapping(text), &target(TARGET), &options());
    let told: Vec<Vec<String>> = results
        .iter()
        .map(|result| {
            let labels = result
                .failures
                .iter()
                .map(|told| format!("{}: {}", told.line_column().unwrap().0, told.label));
            labels.collect()
        })
        .collect();
    assert_eq!(
        told,
        [
            vec![
                "9: expected this, got \"n\"".to_owned(),
                "9: expected this, got nothing".to_owned(),
            ],
            vec![],
            vec![
                "15: expected, but not given: size.min; given, but not expected: name.required"
                    .to_owned(),
            ],
            vec!["17: name.required: this is empty, and the field may not be".to_owned()],
        ]
    );
}

fn hash_of(lines: &[&str], cells: &[&str; 3]) -> BodyHash {
    let text = format!(
        "target = \"acme\"\n[row]\nkey = \"K\"\n[fields]\n{}\n",
        lines.join("\n")
    );
    let plan = plan_of(&text, &["K", "A", "B"], &options());
    let cells: Vec<(&str, Kind)> = cells.iter().map(|&text| (text, Kind::Text)).collect();
    match &plan.prepare(&batch(&[&cells]))[0].plan {
        record::Plan::Send(body) => body.hash,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn a_row_does_not_depend_on_its_neighbours(
        rows in proptest::collection::vec(("[a-c]{0,2}", "[a-z@. ]{0,6}", "[0-9x;]{0,4}"), 1..8)
    ) {
        let text = "target = \"acme\"\n[row]\nkey = \"K\"\n[fields]\nname = \"A\"\nsize = \"B\"\n\
                    email = { column = \"A\", on_error = \"null\" }\n\"list[]\" = [\"A\", \"B\"]\n";
        let plan = plan_of(text, &["K", "A", "B"], &options());
        let cells: Vec<[(&str, Kind); 3]> = rows
            .iter()
            .map(|(k, a, b)| [(k.as_str(), Kind::Text), (a, Kind::Text), (b, Kind::Text)])
            .collect();
        let all: Vec<&[(&str, Kind)]> = cells.iter().map(|row| row.as_slice()).collect();
        let together = plan.prepare(&batch(&all));
        for (row, alone) in together.iter().zip(&all) {
            let alone = &plan.prepare(&batch(&[alone]))[0];
            prop_assert_eq!(&row.plan, &alone.plan);
            prop_assert_eq!(&row.issues, &alone.issues);
            prop_assert_eq!(row.key_hash, alone.key_hash);
        }
    }

    #[test]
    fn a_body_s_hash_does_not_depend_on_the_order_of_rules(
        order in Just(vec![
            "name = \"A\"", "note = \"B\"", "\"address.city\" = \"A\"", "\"address.zip\" = \"B\"",
        ]).prop_shuffle(),
        a in "[a-z]{1,5}",
        b in "[a-z]{0,5}",
    ) {
        let cells = ["k", a.as_str(), b.as_str()];
        let plain = ["name = \"A\"", "note = \"B\"", "\"address.city\" = \"A\"", "\"address.zip\" = \"B\""];
        prop_assert_eq!(hash_of(&order, &cells), hash_of(&plain, &cells));
        let other = ["k", a.as_str(), "Z"];
        prop_assert_ne!(hash_of(&plain, &other), hash_of(&plain, &cells));
    }
}

/// How long a row takes; run by hand in release.
#[test]
#[ignore = "a measurement, not a test"]
fn measure() {
    let text = "target = \"acme\"\n[source]\nregion = \"US\"\n[row]\nkey = \"K\"\n[fields]\nname = \"Name\"\n\
                email = \"Email\"\nphone = \"Phone\"\ncountry = \"Country\"\nborn = \"Born\"\nseen = \"Seen\"\n\
                status = \"Status\"\ncredit = \"Credit\"\nnote = \"Note\"\n[custom]\na = \"K\"\nb = \"Note\"\n";
    let names = [
        "K", "Name", "Email", "Phone", "Country", "Born", "Seen", "Status", "Credit", "Note",
    ];
    let plan = plan_of(text, &names, &options());
    let mut rows = RowBatch::default();
    for number in 0..4096u64 {
        let key = format!("C{number:07}");
        let email = format!("person{number}@example.com");
        let phone = format!("(202) 555-{:04}", number % 10_000);
        let cells = [
            &key,
            "Grace Hopper",
            &email,
            &phone,
            "United States",
            "1985-04-12",
            "2024-05-06 07:08:09",
            "active",
            "1234.50",
            "A note of some length, as they are.",
        ];
        for cell in cells {
            rows.push_cell(cell, Kind::Text);
        }
        rows.end_row(number + 2, number + 2, None);
    }
    let rows = Arc::new(rows);
    let start = std::time::Instant::now();
    let mut sent = 0;
    for _ in 0..20 {
        sent += plan
            .prepare(&rows)
            .iter()
            .filter(|row| matches!(row.plan, record::Plan::Send(_)))
            .count();
    }
    let took = start.elapsed();
    println!(
        "{sent} sent, {:.2} µs a row",
        took.as_secs_f64() * 1e6 / (20.0 * 4096.0)
    );
}

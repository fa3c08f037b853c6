use super::file::{Duplicates, Existing, Sheets, Uncertain};
use super::*;

fn read(text: &str) -> (Option<Mapping>, Vec<Mistake>) {
    parse("m.toml", Path::new("m.toml"), text.to_owned())
}

/// The mapping of a text without mistakes.
fn sound(text: &str) -> Mapping {
    let (mapping, mistakes) = read(text);
    assert_eq!(told(&mistakes), [""; 0], "{text}");
    mapping.unwrap()
}

fn told(mistakes: &[Mistake]) -> Vec<String> {
    mistakes
        .iter()
        .map(|m| {
            let (line, column) = m.line_column().unwrap_or_default();
            let help = m.help.as_deref().unwrap_or_default();
            let place = m.place.as_ref();
            let marked = place.map_or("", |(file, span)| &file.text[span.clone()]);
            let code = m.code;
            let (message, label) = (&m.message, &m.label);
            format!("{line}:{column} {code} <{marked}>: {message} [{label}] {help}")
        })
        .collect()
}

fn names(mapping: &Mapping) -> Vec<(bool, &str)> {
    mapping
        .rules
        .iter()
        .map(|rule| (rule.custom, &*rule.name))
        .collect()
}

#[test]
fn the_smallest_mapping_is_read() {
    let mapping = sound(
        "target = \"kaiten\"\n[row]\nkey = \"No\"\n[fields]\nname = \"Firm\"\nexternalCustomerId = \"No\"\n",
    );
    assert_eq!(
        names(&mapping),
        [(false, "name"), (false, "externalCustomerId")]
    );
    let key = mapping.head.row.key.unwrap();
    let column = &key.get_ref().columns[0];
    assert_eq!(column.get_ref(), "No");
    assert_eq!(&mapping.file.text[column.span()], "\"No\"");
    let rule = &mapping.rules[0];
    assert_eq!(&mapping.file.text[rule.key_span.clone()], "name");
    assert_eq!(&mapping.file.text[rule.span.clone()], "\"Firm\"");
    let column = rule.rules[0].column.as_ref().unwrap().get_ref();
    assert_eq!(column.values[0].get_ref(), "Firm");
    assert_eq!(&mapping.file.text[column.values[0].span()], "\"Firm\"");
    assert!(!column.list);
}

/// Every section and key, in use.
const LARGE: &str = r#"
target = "assembly"
allow_caution = ["companyId"]

[source]
sheet = "People"
header_row = 2
delimiter = ";"
encoding = "windows-1252"
date_order = "dmy"
decimal = ","
region = "GB"
timezone = "UTC"
nulls = ["", "n/a"]

[row]
key = { column = "No", clean = ["upper", { pad = 6 }] }
space = "shop"
skip_when = 'state == "gone" or row["Left On"]'

[fields]
givenName = "First Name"
familyName = { column = "Surname", clean = ["titlecase", { replace = "^van (.+)$", with = "van $1" }, { extract = '(\w+)' }, { truncate = 40 }] }
email = { column = ["Work Mail", "Mail"], optional = true, on_error = "warn", required = true }
companyId = { column = "Firm", lookup = "firms.csv", on_error = "null" }
country_id = { column = "Country", type = "country", lookup = { file = "ids.csv", key = "code", value = "id" } }
nested.part = "Part"
born = { column = "Born", type = "date", formats = ["%d.%m.%Y", "excel"], century = "past", output = "%Y", min = 1900-01-01, max = "today" }
seen = { column = "Seen", type = "datetime", timezone = "UTC", century = 30 }
share = { column = "Share", type = "decimal", unit = "percent", min = 0, max = 1.5, default = 0 }
"list[0].a" = { value = [1, 2], when = "share|int > 3", on = ["create", "update"] }
"phones[]" = ["Phone 1", { column = "Phone 2", type = "phone", region_from = "Country", extension = "keep", accept = "possible" }]
'dotted\.key' = { column = ["A", "B"], join = " ", min_length = 1, max_length = 9, pattern = '^\d+$' }

[fields.note]
template = "{{ street }}\n{{ city|upper }}"
on = "if_empty"
empty = "null"
nulls = ["-"]

[custom]
services = { column = "Services", split = [";", "|"], map = { "File sharing" = "fileSharing" }, map_others = "keep", min_items = 1, max_items = 9, type = "choices", options = ["fileSharing"] }
first = { column = "Tags", split = ",", pick = "first" }
third = { column = "Tags", split = ",", pick = 3 }
active = { column = "Active", type = "boolean", true_values = ["on"], false_values = ["off"] }
level = { column = "Level", one_of = ["a", 1], map = { x = 1 }, map_others = 7 }
"address.country" = { column = "Country", type = "country", output = "alpha3" }

[custom.address]
city = "City"
region = "Region"

[[check]]
assert = "email or phone_1"
message = "some way to reach them"

[policy]
duplicates = "last"
existing = "update"
uncertain = "resend"
stop_after = "2.5%"

[limits]
rate = ["20/s", "10000/day", "50000/month"]
concurrency = 4

[[test]]
row = { "First Name" = " Ann ", Share = 3 }
body = { givenName = "Ann" }

[[test]]
row = { Mail = "" }
issues = ["email.required"]
"#;

#[test]
fn a_large_mapping_is_read() {
    let mapping = sound(LARGE);
    let wanted = [
        (false, "givenName"),
        (false, "familyName"),
        (false, "email"),
        (false, "companyId"),
        (false, "country_id"),
        (false, "nested.part"),
        (false, "born"),
        (false, "seen"),
        (false, "share"),
        (false, "list[0].a"),
        (false, "phones[]"),
        (false, "dotted\\.key"),
        (false, "note"),
        (true, "services"),
        (true, "first"),
        (true, "third"),
        (true, "active"),
        (true, "level"),
        (true, "address.country"),
        (true, "address.city"),
        (true, "address.region"),
    ];
    assert_eq!(names(&mapping), wanted);
    let phones = &mapping.rules[10];
    assert!(phones.each);
    assert_eq!(phones.rules.len(), 2);
    let columns = mapping.rules[2].rules[0].column.as_ref().unwrap();
    let second = &columns.get_ref().values[1];
    assert_eq!(&mapping.file.text[second.span()], "\"Mail\"");
    assert!(columns.get_ref().list);
    let policy = &mapping.head.policy;
    assert_eq!(
        policy.duplicates.as_ref().unwrap().get_ref(),
        &Duplicates::Last
    );
    assert_eq!(
        policy.existing.as_ref().unwrap().get_ref(),
        &Existing::Update
    );
    assert_eq!(
        policy.uncertain.as_ref().unwrap().get_ref(),
        &Uncertain::Resend
    );
    assert_eq!(mapping.head.test.len(), 2);
}

#[test]
fn paths_mean_the_same_however_they_are_written() {
    let inline = sound("target = \"t\"\nfields.a.b = \"X\"\n");
    let dotted = sound("target = \"t\"\n[fields]\na.b = \"X\"\n");
    let quoted = sound("target = \"t\"\n[fields]\n\"a.b\" = \"X\"\n");
    let nested = sound("target = \"t\"\n[fields.a]\nb = \"X\"\n");
    let deep = sound("target = \"t\"\n[fields]\na = { b = \"X\" }\n");
    let rules = sound("target = \"t\"\n[fields.a.b]\ncolumn = \"X\"\n");
    for mapping in [inline, dotted, quoted, nested, deep, rules] {
        assert_eq!(names(&mapping), [(false, "a.b")]);
        let column = mapping.rules[0].rules[0].column.as_ref().unwrap();
        assert_eq!(column.get_ref().values[0].get_ref(), "X");
    }
    let tables = sound(
        "target = \"t\"\n[[fields.\"p[]\"]]\ncolumn = \"X\"\n[[fields.\"p[]\"]]\ncolumn = \"Y\"\ntype = \"phone\"\n",
    );
    assert_eq!(tables.rules[0].rules.len(), 2);
    for (sheet, wanted) in [("\"*\"", 0), ("2", 1), ("[\"a\", 3]", 2)] {
        let text = format!("target = \"t\"\n[source]\nsheet = {sheet}\n[fields]\na = \"A\"\n");
        let mapping = sound(&text);
        match mapping.head.source.sheet.unwrap().get_ref() {
            Sheets::All => assert_eq!(wanted, 0),
            Sheets::These(sheets) => assert_eq!(sheets.len(), wanted),
        }
    }
}

mod wrong {
    use super::*;

    /// The mistakes of a rule's table, of a mapping that has nothing else wrong.
    fn of_rule(rule: &str) -> Vec<String> {
        let text = format!("target = \"t\"\n[fields]\nf = {rule}\n");
        let (mapping, mistakes) = read(&text);
        assert!(mapping.is_some());
        told(&mistakes)
    }

    #[test]
    fn rules() {
        for (rule, wanted) in [
            (
                r#"{ column = "A", requird = true }"#,
                "3:21 unknown-key <requird>",
            ),
            (r#"{ colum = "A", type = "phon" }"#, "3:7 unknown-key"),
            (r#"{ colum = "A", type = "phon" }"#, "3:27 unknown-value"),
            (r#"{}"#, "3:5 no-source"),
            (
                r#"{ value = 1, when = "age > 18" }"#,
                "3:26 text-as-number <age>",
            ),
            ("{ value = [1, nan] }", "3:15 bad-value"),
            ("{ value = 1, default = inf }", "3:28 bad-value"),
            (r#"{ map = { a = 1 } }"#, "3:5 no-source"),
            (r#"{ column = "A", value = 1 }"#, "3:29 two-sources"),
            (r#"{ column = [] }"#, "3:16 bad-value"),
            (r#"{ column = ["A", " "] }"#, "3:22 bad-value"),
            (r#"{ column = 5 }"#, "3:16 wrong-type"),
            (r#"{ column = ["A", 5] }"#, "3:22 wrong-type"),
            (r#"{ value = 1, optional = true }"#, "3:5 no-effect"),
            (r#"{ column = "A", join = "," }"#, "3:28 no-effect"),
            (r#"{ column = "A", pick = "first" }"#, "3:28 no-effect"),
            (
                r#"{ column = "A", split = ",", pick = "frst" }"#,
                "3:41 unknown-value",
            ),
            (
                r#"{ column = "A", split = ",", pick = 0 }"#,
                "3:41 wrong-type",
            ),
            (
                r#"{ column = "A", split = "", max_items = 2 }"#,
                "3:29 bad-value",
            ),
            (r#"{ column = "A", split = [] }"#, "3:29 bad-value"),
            (
                r#"{ column = "A", split = ",", pick = 1, join = ";" }"#,
                "3:51 no-effect",
            ),
            (
                r#"{ column = "A", type = "text", max_items = 2 }"#,
                "3:48 no-effect",
            ),
            (r#"{ column = "A", map = {} }"#, "3:27 bad-value"),
            (
                r#"{ column = "A", map = { a = 1, "A " = 2 } }"#,
                "3:27 two-rules",
            ),
            (r#"{ column = "A", map_others = "keep" }"#, "3:34 no-effect"),
            (
                r#"{ column = "A", map = { a = 1 }, map_others = "Keep" }"#,
                "did you mean `keep`?",
            ),
            (
                r#"{ column = "A", map = { a = 1 }, map_others = [1] }"#,
                "3:51 wrong-type",
            ),
            (
                r#"{ column = "A", type = "string" }"#,
                "did you mean `text`?",
            ),
            (
                r#"{ column = "A", type = "country", output = "alpha4" }"#,
                "3:48 unknown-value",
            ),
            (
                r#"{ column = "A", type = "date", output = "%!" }"#,
                "3:46 bad-value <%!>",
            ),
            (
                r#"{ column = "A", type = "date", formats = ["dd.mm.yyyy"] }"#,
                "3:48 bad-value",
            ),
            (
                r#"{ column = "A", type = "date", formats = [] }"#,
                "3:46 bad-value",
            ),
            (
                r#"{ column = "A", type = "date", century = 100 }"#,
                "3:46 unknown-value",
            ),
            (
                r#"{ column = "A", type = "text", century = 30 }"#,
                "3:46 no-effect",
            ),
            (
                r#"{ column = "A", type = "decimal", unit = "permille" }"#,
                "3:46 unknown-value",
            ),
            (
                r#"{ column = "A", type = "phone", extension = "dorp" }"#,
                "did you mean `drop`?",
            ),
            (
                r#"{ column = "A", type = "phone", accept = "any" }"#,
                "3:46 unknown-value",
            ),
            (
                r#"{ column = "A", type = "phone", region = "GBR" }"#,
                "3:46 unknown-value",
            ),
            (
                r#"{ column = "A", type = "boolean", true_values = ["y"], false_values = ["Y "] }"#,
                "3:75 two-rules",
            ),
            (
                r#"{ column = "A", type = "datetime", timezone = "Mars/Base" }"#,
                "3:51 unknown-value",
            ),
            (
                r#"{ column = "A", type = "choice", options = [] }"#,
                "3:48 bad-value",
            ),
            (
                r#"{ column = "A", lookup = { fil = "x" } }"#,
                "did you mean `file`?",
            ),
            (r#"{ column = "A", lookup = { key = "x" } }"#, "missing-key"),
            (r#"{ column = "A", lookup = " " }"#, "3:30 bad-value"),
            (r#"{ column = "A", min = 3, max = 2 }"#, "3:36 bad-limits"),
            (
                r#"{ column = "A", min = "2025-01-01", max = 2024-01-01 }"#,
                "3:47 bad-limits",
            ),
            (
                r#"{ column = "A", min = 3, max = "today" }"#,
                "3:36 bad-limits",
            ),
            (r#"{ column = "A", min = "soon" }"#, "3:27 bad-value"),
            (
                r#"{ column = "A", min_length = 3, max_length = 2 }"#,
                "3:50 bad-limits",
            ),
            (r#"{ column = "A", max_length = -1 }"#, "3:34 wrong-type"),
            (r#"{ column = "A", pattern = "a(b" }"#, "3:33 bad-pattern"),
            (
                r#"{ column = "A", pattern = "\\d\\(a(b" }"#,
                "3:39 bad-pattern",
            ),
            (
                r#"{ column = "A", clean = [{ replace = "(a)", with = "$1b" }] }"#,
                "names the group `1b`",
            ),
            (
                r#"{ column = "A", clean = [{ replace = "*" }] }"#,
                "3:43 bad-pattern",
            ),
            (
                r#"{ column = "A", clean = [{ extract = "a" }] }"#,
                "3:43 bad-pattern",
            ),
            (
                r#"{ column = "A", clean = [{ extract = "a", pad = 2 }] }"#,
                "3:30 wrong-type",
            ),
            (
                r#"{ column = "A", clean = ["uper", "lower", "uper"] }"#,
                "3:47 unknown-value",
            ),
            (
                r#"{ column = "A", clean = [{ pad = 0 }] }"#,
                "3:30 bad-value",
            ),
            (
                r#"{ column = "A", clean = [{ truncate = 0 }] }"#,
                "3:30 bad-value",
            ),
            (r#"{ column = "A", one_of = [] }"#, "3:30 bad-limits"),
            (
                r#"{ column = "A", on = "crate" }"#,
                "did you mean `create`?",
            ),
            (r#"{ column = "A", on = [] }"#, "3:26 bad-value"),
            (
                r#"{ column = "A", on_error = "skip" }"#,
                "3:32 unknown-value",
            ),
            (r#"{ column = "A", empty = "none" }"#, "3:29 unknown-value"),
            (
                r#"{ column = "A", default = 1, required = true }"#,
                "3:31 no-effect",
            ),
            (
                r#"{ column = "A", default = 1, empty = "null" }"#,
                "3:42 no-effect",
            ),
            (
                r#"{ column = "A", empty = "", required = true }"#,
                "3:29 no-effect",
            ),
            (r#"{ column = "A", when = "a ==" }"#, "bad-template"),
            (r#"{ column = "A", when = "a && b" }"#, "write `and`"),
            (r#"{ column = "A", when = "!a" }"#, "write `not`"),
            (r#"{ template = "{{ a|slugg }}" }"#, "3:24 bad-template"),
            (r#"{ template = "é\n{{ a|slugg }}" }"#, "3:27 bad-template"),
            (
                r#"{ template = '''é{{ a|slugg }}''' }"#,
                "3:27 bad-template",
            ),
            (r#"["A", "B"]"#, "for a list in the body write \"f[]\""),
            ("true", "write { value = true }"),
        ] {
            let told = of_rule(rule);
            assert!(told.iter().any(|t| t.contains(wanted)), "{rule}: {told:#?}");
            assert!(told.len() <= 2, "{rule}: {told:#?}");
        }
    }

    #[test]
    fn paths() {
        for (text, wanted) in [
            ("\"a..b\" = \"A\"", "3:1 bad-path"),
            ("\"a[].b\" = \"A\"", "3:1 bad-path"),
            ("\"\" = \"A\"", "3:1 bad-path"),
            (
                "\"a.b\" = \"A\"\na.b = \"B\"",
                "4:3 two-rules <b>: two rules fill `a.b`",
            ),
            ("a = \"A\"\n\"a.b\" = \"B\"", "4:1 two-rules"),
            ("\"a.b\" = \"A\"\n\"a[0]\" = \"B\"", "4:1 two-rules"),
            ("\"a[]\" = [\"A\"]\n\"a[0]\" = \"B\"", "4:1 two-rules"),
            ("\"a[]\" = []", "3:9 no-source"),
            ("\"a[]\" = [\"A\", 5]", "3:15 wrong-type"),
            ("a.b = 5", "3:7 wrong-type"),
            ("[fields.a]\ncolumn = \"A\"\ncloumn = \"B\"", "unknown-key"),
            ("[fields.a]\ntype = \"text\"", "no-source"),
        ] {
            let (_, mistakes) = read(&format!("target = \"t\"\n[fields]\n{text}\n"));
            let told = told(&mistakes);
            assert!(told.iter().any(|t| t.contains(wanted)), "{text}: {told:#?}");
            assert_eq!(told.len(), 1, "{text}: {told:#?}");
        }
        // Under `[custom]` a path has a place of its own.
        sound("target = \"t\"\n[fields]\na = \"A\"\n[custom]\na = \"A\"\n\"a\\\\.b\" = \"B\"\n");
    }

    #[test]
    fn heads() {
        for (text, wanted) in [
            ("[fields]\na = \"A\"", "1:1 missing-target"),
            ("target = \"\"\n[fields]\na = \"A\"", "1:10 missing-target"),
            ("target = 5\n[fields]\na = \"A\"", "1:10 wrong-type"),
            ("target = \"t\"", "no-fields"),
            (
                "[fields]\na = \"A\"\ntarget = \"t\"",
                "3:1 missing-target <target>",
            ),
            (
                "target = \"t\"\nname = \"A\"\n[fields]\na = \"A\"",
                "below [fields]",
            ),
            ("target = \"t\"\n[fields]", "no-fields"),
            ("target = \"t\"\nfields = 5", "2:10 wrong-type"),
            (
                "target = \"t\"\n[field]\na = \"A\"",
                "did you mean `fields`?",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[row]\nkey = {}",
                "missing-key",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[row]\nkey = [\"A\", \"a \"]",
                "5:13 bad-value",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[row]\nspace = \"\"",
                "5:9 bad-value",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[[check]]\nassert = \"a |\"",
                "bad-template",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[policy]\nuncertain = \"keep\"",
                "5:13 unknown-value",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[policy]\nstop_after = -1",
                "5:14 bad-value",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[limits]\nrate = \"0/s\"",
                "5:9 bad-rate",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[limits]\nrate = []",
                "5:8 bad-rate",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[source]\nsheet = 0",
                "5:9 wrong-type",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[source]\nsheet = []",
                "5:9 bad-value",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[source]\ndelimiter = \"→\"",
                "5:13 bad-value",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[source]\ndate_order = \"dmj\"",
                "did you mean `dmy`?",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[[test]]\nrow = {}\nbody = {}",
                "5:7 bad-test",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[[test]]\nrow = { a = [1] }\nbody = {}",
                "5:7 bad-test",
            ),
            (
                "target = \"t\"\n[fields]\na = \"A\"\n[[test]]\nbody = {}",
                "missing-key",
            ),
        ] {
            let (_, mistakes) = read(&format!("{text}\n"));
            let told = told(&mistakes);
            assert!(told.iter().any(|t| t.contains(wanted)), "{text}: {told:#?}");
            assert_eq!(told.len(), 1, "{text}: {told:#?}");
        }
    }

    #[test]
    fn files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.toml");
        let say = |path: &Path| {
            let (mapping, mistakes) = load(path);
            assert!(mapping.is_none());
            assert_eq!(mistakes.len(), 1);
            mistakes[0].message.clone()
        };
        assert!(say(&path).ends_with("does not exist"));
        assert!(say(dir.path()).ends_with("is a folder"));
        std::fs::write(&path, b"target = \"t\"\n[fields]\na = \"\xfc\"\n").unwrap();
        assert!(say(&path).contains("line 3"));
        std::fs::write(&path, "\u{feff}target = \"t\"\r\n[fields]\r\na = \"A\"\r\n").unwrap();
        let (mapping, mistakes) = load(&path);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(mapping.unwrap().path, path);
    }
}

#[test]
fn deep_files_are_refused_and_do_not_overflow() {
    for deep in [
        format!("a = {}1{}", "[".repeat(20_000), "]".repeat(20_000)),
        format!("a = {}", "{ a = ".repeat(20_000)),
        format!("{}z = \"A\"", "a.".repeat(20_000)),
        format!("[fields.{}z]\ncolumn = \"A\"", "a.".repeat(20_000)),
    ] {
        let (_, mistakes) = read(&format!("target = \"t\"\n[fields]\n{deep}\n"));
        assert!(!mistakes.is_empty());
    }
}

/// The keys of a rule that serde knows are those that tell a rule from a part of a path.
#[test]
fn the_keys_of_a_rule_are_all_known() {
    let error = toml::from_str::<super::file::Rule>("nokey = 1").unwrap_err();
    let known: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
    assert_eq!(known, super::fields::RULE_KEYS);
}

mod any {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) {
        let (mapping, mistakes) = read(text);
        assert!(mapping.is_some() || !mistakes.is_empty());
        for mistake in &mistakes {
            assert!(!mistake.message.is_empty());
            if let Some((file, span)) = &mistake.place {
                assert!(file.text.get(span.clone()).is_some(), "{mistake:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn text_never_panics(text in "\\PC{0,80}") {
            shown(&text);
            shown(&format!("target = \"t\"\n[fields]\n{text}"));
        }

        #[test]
        fn mapping_that_was_damaged_never_panics(
            cuts in proptest::collection::vec((0.0f64..1.0, 0usize..30, "[a-z\"'{}\\[\\]=.,#\n0-9é]{0,4}"), 1..5)
        ) {
            let mut text = LARGE.to_owned();
            for (share, len, new) in cuts {
                let start = text.floor_char_boundary((text.len() as f64 * share) as usize);
                let end = text.ceil_char_boundary((start + len).min(text.len()));
                text.replace_range(start..end, &new);
            }
            shown(&text);
        }
    }
}

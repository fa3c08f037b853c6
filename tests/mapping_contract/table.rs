//! For each key, type, type's own key, clean step, word and statement of the mapping language: the
//! case that tries it, by the beginning of its name, or the test function (`fn …`).
//!
//! Keys, types, steps and words are taken from the program's own lists, so that a new one without a
//! case is found; the statements are kept by hand.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;
use rowferry::field::Type;

/// What is tried, and where.
const TABLE: &[(&str, &str)] = &[
    // The top of the file.
    ("key target", "the smallest file"),
    ("key allow_caution", "allow_caution: unless it is named"),
    ("key source", "a file with every section"),
    ("key row", "a file with every section"),
    ("key check", "check: over the row"),
    ("key policy", "a file with every section"),
    ("key limits", "a file with every section"),
    ("key test", "fn tests_of_a_mapping_are_run_without_an_input"),
    // [source]
    ("key source.sheet", "sheet: by name"),
    ("key source.range", "range: the cells"),
    ("key source.table", "table: of a workbook"),
    ("key source.header_row", "header_row: given"),
    ("key source.delimiter", "delimiter: given"),
    ("key source.encoding", "fn encodings_are_found_or_given"),
    ("key source.date_order", "date_order: dmy"),
    ("key source.decimal", "decimal: the source's mark"),
    ("key source.region", "region: the source's"),
    ("key source.timezone", "type datetime: UTC"),
    ("key source.nulls", "nulls: count as empty"),
    (
        "sheets are a name, a number, a list, or all",
        "sheet: a list",
    ),
    ("a sheet by its number", "sheet: by number"),
    (
        "all sheets with the same header",
        "sheet: all with the same header",
    ),
    (
        "the first visible sheet is the default",
        "sheet: by default the first visible",
    ),
    (
        "other visible sheets are told with their rows",
        "sheet: other visible sheets",
    ),
    ("a header row is found", "header_row: found"),
    (
        "without a header columns are letters",
        "header_row: 0 = no header",
    ),
    ("a delimiter is found: bar", "delimiter: sniffed"),
    (
        "a delimiter is found: semicolon",
        "delimiter: sniffed, a semicolon",
    ),
    ("a delimiter is found: tab", "delimiter: sniffed, a tab"),
    (
        "a byte order mark tells the encoding",
        "encoding: a byte order mark",
    ),
    (
        "the date order is what the column proves",
        "date_order: what the column as a whole proves",
    ),
    (
        "a date order that is not proved is an error",
        "date_order: a column that proves nothing",
    ),
    (
        "the decimal mark is a point by default",
        "decimal: a point is the default",
    ),
    (
        "the time zone is UTC by default",
        "timezone: UTC is the default",
    ),
    (
        "cells that look empty are told, not dropped",
        "fn what_the_whole_file_shows_stands_in_the_summary",
    ),
    // [row]
    ("key row.key", "key: a column"),
    ("key row.key.column", "key: a table with columns"),
    ("key row.key.clean", "key: a table with clean"),
    (
        "key row.space",
        "fn space_says_whether_two_mappings_have_the_same_customers",
    ),
    ("key row.skip_when", "skip_when: rows left out on purpose"),
    // Paths.
    (
        "the shorthand is a column's header",
        "fields: the shorthand",
    ),
    (
        "a path nests, quoted or not",
        "paths: quoted and dotted mean the same",
    ),
    (
        "a path names a member of an array",
        "paths: a[0].b names a member",
    ),
    (
        "a path that ends in [] takes a list of rules",
        "paths: aliases[] takes a list of rules",
    ),
    (
        "a dot that belongs to a key",
        "paths: a dot that belongs to a key",
    ),
    (
        "a path under [custom] leads into its place",
        "custom: object",
    ),
    ("custom fields in pairs", "custom: pairs"),
    ("custom fields with a prefix", "custom: prefix"),
    // A rule's keys, in the order of its steps.
    (
        "key rule.when",
        "when: where it is false the field is left out",
    ),
    ("key rule.on", "on: create and update"),
    (
        "key rule.column",
        "column: a list, the first that is not empty",
    ),
    (
        "key rule.optional",
        "optional: none of the columns need exist",
    ),
    ("key rule.join", "join: all of a list that are not empty"),
    ("key rule.template", "template: over the row"),
    ("key rule.value", "value: a constant of any TOML type"),
    ("key rule.nulls", "nulls: a field's own list"),
    ("key rule.clean", "clean: in order"),
    ("key rule.split", "split: the next steps run for each part"),
    ("key rule.pick", "split: pick"),
    ("key rule.map", "map: matched as headers are"),
    (
        "key rule.map_others",
        "map_others: keep, null, a value, error",
    ),
    (
        "key rule.type",
        "type: the target's, unless a rule says another",
    ),
    ("key rule.formats", "formats: strptime"),
    ("key rule.output", "output: of dates"),
    ("key rule.century", "century: past, future, a pivot"),
    ("key rule.unit", "unit: percent"),
    ("key rule.true_values", "true_values and false_values"),
    ("key rule.false_values", "true_values and false_values"),
    ("key rule.timezone", "type datetime: UTC"),
    ("key rule.region", "type phone: national"),
    ("key rule.region_from", "region_from: a column"),
    ("key rule.extension", "extension: drop with a warning"),
    ("key rule.accept", "accept: possible"),
    ("key rule.options", "options: of the rule"),
    ("key rule.lookup", "lookup: a CSV beside the mapping"),
    ("key rule.lookup.file", "lookup: the long form"),
    ("key rule.lookup.key", "lookup: the long form"),
    ("key rule.lookup.value", "lookup: the long form"),
    ("key rule.min", "limits: min, max"),
    ("key rule.max", "limits: min, max"),
    ("key rule.min_length", "limits: lengths in characters"),
    ("key rule.max_length", "limits: lengths in characters"),
    ("key rule.pattern", "limits: pattern and one_of"),
    ("key rule.one_of", "limits: pattern and one_of"),
    ("key rule.min_items", "limits: for a list each part"),
    ("key rule.max_items", "limits: for a list each part"),
    ("key rule.default", "default: what an empty field becomes"),
    ("key rule.required", "required: may not be empty"),
    ("key rule.on_error", "on_error: reject is the default"),
    ("key rule.empty", "empty: an optional field that is empty"),
    // What the steps promise.
    (
        "every text is trimmed, of any white space",
        "trim: white space of all kinds",
    ),
    (
        "nulls count for key, conditions, templates and lists",
        "nulls: count as empty for fields",
    ),
    ("the empty text alone is null by default", "nulls: default"),
    (
        "a false condition leaves out the field without issue",
        "when: a false one leaves out",
    ),
    (
        "headers match without case and outer space",
        "column: case and outer space",
    ),
    (
        "a header that stands twice goes by its number",
        "column: a header that stands twice",
    ),
    ("a column by its letter", "column: by letter"),
    (
        "one column of a list must exist",
        "column: one of a list must exist",
    ),
    (
        "a list of which none exists is a mistake",
        "column: none of a list exists",
    ),
    (
        "a template of which all is empty is empty",
        "template: over the row",
    ),
    (
        "cleaning comes before splitting, mapping and reading",
        "clean: runs before split",
    ),
    ("several separators", "split: several separators"),
    (
        "empty parts are left out, equal ones kept once",
        "split: parts that are read alike",
    ),
    (
        "join makes one text of the parts",
        "split: join makes one text",
    ),
    (
        "pick makes one value that is read",
        "split: pick makes one value",
    ),
    ("map keys match as headers do", "map: keys are matched"),
    (
        "a miss names the nearest key of the map",
        "map: matched as headers are",
    ),
    (
        "a map's values suit the target",
        "map: a value that the target's options do not have",
    ),
    (
        "other values are an error for text and options",
        "map_others: an error is the default",
    ),
    (
        "other values go on where the type reads them",
        "map_others: what a type reads",
    ),
    ("the type is the target's by default", "type: the target's"),
    (
        "the type is text where the target is silent",
        "type text: ids keep",
    ),
    (
        "look-up: the normalised value is looked up",
        "lookup: the value is normalised",
    ),
    (
        "look-up: the cell is text by default",
        "lookup: without a type the cell is text",
    ),
    (
        "look-up: what is found must suit the target",
        "lookup: what is found must be an option",
    ),
    (
        "look-up: a miss names the nearest key",
        "lookup: a CSV beside the mapping",
    ),
    (
        "look-up: a key with two values is a mistake",
        "lookup: a key twice",
    ),
    ("look-up: a results file serves", "lookup: a results file"),
    (
        "the target's limits hold besides",
        "limits: of the target hold",
    ),
    (
        "least and greatest of dates, and today",
        "limits: dates and today",
    ),
    (
        "limits are of each part of a list",
        "limits: for a list each part",
    ),
    (
        "a default is checked at load",
        "default: is checked at load",
    ),
    (
        "required is not asked of an update",
        "fn a_change_need_not_have_what_a_new_record_must_have",
    ),
    (
        "an update sends if_empty only where nothing is",
        "fn fields_go_with_the_requests_that_they_name",
    ),
    (
        "an empty optional field is left out",
        "empty: an optional field",
    ),
    (
        "values that the target warns of are refused",
        "allow_caution: a value that the target warns of",
    ),
    // Types and their own keys.
    ("type text", "type text: a number cell"),
    ("type integer", "type integer: currency signs"),
    ("type integer unit", "type integer: per cent"),
    ("type decimal", "type decimal: exact"),
    ("type decimal unit", "unit: percent"),
    ("type boolean", "type boolean: words"),
    ("type boolean true_values", "true_values and false_values"),
    ("type boolean false_values", "true_values and false_values"),
    ("type date", "type date: ISO 8601"),
    ("type date formats", "formats: strptime"),
    ("type date output", "output: of dates"),
    ("type date century", "century: past, future, a pivot"),
    ("type datetime", "type datetime: UTC"),
    ("type datetime formats", "formats: unix"),
    ("type datetime output", "output: of dates"),
    ("type datetime century", "type datetime: its own keys"),
    (
        "type datetime timezone",
        "type datetime: no zone moves a date",
    ),
    ("type email", "type email: one address"),
    ("type phone", "type phone: national"),
    ("type phone region", "type phone: national"),
    ("type phone region_from", "region_from: a column"),
    ("type phone extension", "extension: drop"),
    ("type phone accept", "accept: possible"),
    ("type country", "type country: names"),
    ("type country output", "output: of countries"),
    ("type currency", "type currency, url, uuid"),
    ("type url", "type currency, url, uuid"),
    ("type uuid", "type uuid: without dashes"),
    ("type choice", "type choice: by value or label"),
    ("type choice options", "options: of the rule"),
    ("type choices", "type choices: with split"),
    ("type choices options", "type choices: with split"),
    ("type json", "type json"),
    (
        "dates of both calendars of workbooks",
        "fn dates_of_the_1904_calendar_are_read",
    ),
    (
        "no zone ever moves a date",
        "type datetime: no zone moves a date",
    ),
    (
        "a name of two countries names both",
        "type country: names, codes",
    ),
    (
        "country names in several languages",
        "type country: names in six languages",
    ),
    (
        "any value while the options are unknown",
        "type choice: any value",
    ),
    (
        "a year of two digits is an error",
        "century: a two-digit year",
    ),
    (
        "a long number that was rounded is an error",
        "type text: a long number",
    ),
    (
        "a phone number of no known region is an error",
        "type phone: national",
    ),
    (
        "day and month that cannot be told apart",
        "a day and month that cannot be told apart",
    ),
    // Clean steps.
    ("clean squash", "clean: squash"),
    ("clean lower", "clean: lower"),
    ("clean upper", "clean: upper"),
    ("clean titlecase", "clean: titlecase"),
    ("clean digits", "clean: digits"),
    ("clean ascii", "clean: ascii"),
    ("clean strip_html", "clean: strip_html"),
    ("clean given_name", "clean: names of people"),
    ("clean family_name", "clean: names of people"),
    ("clean replace", "clean: in order, and replace"),
    ("clean extract", "clean: extract is the first group"),
    ("clean pad", "clean: pad puts zeros"),
    ("clean truncate", "clean: truncate cuts"),
    // Words.
    ("word EXTENSIONS drop", "extension: drop"),
    ("word EXTENSIONS keep", "extension: drop"),
    ("word EXTENSIONS reject", "extension: drop"),
    ("word ACCEPTS possible", "accept: possible"),
    ("word UNITS percent", "unit: percent"),
    ("word COUNTRY_OUTPUTS alpha2", "output: of countries"),
    ("word COUNTRY_OUTPUTS alpha3", "output: of countries"),
    ("word COUNTRY_OUTPUTS numeric", "output: of countries"),
    ("word COUNTRY_OUTPUTS name", "output: of countries"),
    ("word NUMBER_OUTPUTS unix", "output: of dates as numbers"),
    ("word NUMBER_OUTPUTS unix_ms", "output: of dates as numbers"),
    ("word NUMBER_FORMATS unix", "formats: unix"),
    ("word NUMBER_FORMATS unix_ms", "formats: unix"),
    ("word NUMBER_FORMATS excel", "formats: unix"),
    ("word CENTURIES past", "century: past"),
    ("word CENTURIES future", "century: past"),
    ("word MAP_OTHERS error", "map_others: error where"),
    ("word MAP_OTHERS keep", "map_others: keep, null"),
    ("word MAP_OTHERS null", "map_others: keep, null"),
    ("word EMPTIES null", "empty: an optional field"),
    ("word EMPTIES ", "empty: an optional field"),
    ("word DECIMALS .", "decimal: a point"),
    ("word DECIMALS ,", "decimal: the source's mark"),
    ("word On create", "on: create and update"),
    ("word On update", "on: create and update"),
    ("word On if_empty", "on: create and update"),
    ("word OnError reject", "on_error: reject"),
    ("word OnError null", "on_error: null with a look-up"),
    ("word OnError warn", "on_error: warn"),
    ("word Duplicates reject", "duplicates: reject"),
    ("word Duplicates first", "duplicates: first"),
    ("word Duplicates last", "duplicates: last"),
    ("word DateOrder dmy", "date_order: dmy"),
    ("word DateOrder mdy", "date_order: mdy"),
    ("word DateOrder ymd", "date_order: ymd"),
    // The other sections.
    ("key check.assert", "check: over the row"),
    ("key check.message", "check: over the row"),
    ("key policy.duplicates", "duplicates: last"),
    (
        "key policy.existing",
        "fn what_the_target_has_already_is_skipped_updated_or_refused",
    ),
    (
        "key policy.uncertain",
        "fn an_uncertain_row_is_not_sent_again_by_the_next_run",
    ),
    (
        "key policy.stop_after",
        "fn stop_after_counts_rejections_before_anything_is_sent",
    ),
    ("key limits.rate", "fn all_rates_of_a_list_hold_at_once"),
    ("key limits.concurrency", "limits.concurrency"),
    (
        "key test.row",
        "fn tests_of_a_mapping_are_run_without_an_input",
    ),
    (
        "key test.body",
        "fn tests_of_a_mapping_are_run_without_an_input",
    ),
    (
        "key test.issues",
        "fn tests_of_a_mapping_are_run_without_an_input",
    ),
    // Templates and expressions.
    (
        "an unknown name or filter is a mistake",
        "templates: an unknown name, filter or test",
    ),
    ("an unknown test is a mistake", "templates: an unknown test"),
    (
        "names are snake_case, in ASCII",
        "templates: snake_case names",
    ),
    ("a column goes by row[…] too", "templates: row["),
    (
        "where two headers give one name only row[…] works",
        "templates: where two headers",
    ),
    (
        "a check sees the mapped body",
        "check: sees the mapped body",
    ),
    (
        "only a check sees the body",
        "templates: body in a field's template",
    ),
    (
        "escaping is off; slug, digits, date",
        "templates: escaping is off",
    ),
    ("numbers by |int", "expressions: numbers by |int"),
    // Keys and duplicates.
    ("a key is compared as NFC text", "key: compared as NFC text"),
    (
        "the parts of a key are kept apart",
        "key: a list of columns",
    ),
    (
        "an empty part of a key rejects the row",
        "key: a list of columns",
    ),
    (
        "without a key: the target's own field",
        "key: without it, the field that the target calls",
    ),
    (
        "without any: the body and how often",
        "key: without any, the body",
    ),
    (
        "without any: equal rows over runs",
        "fn without_a_key_equal_rows_are_customers_of_their_own_over_runs",
    ),
    (
        "only a row that passes claims its key",
        "duplicates: reject is the default",
    ),
    (
        "a row that a check refuses claims no key",
        "duplicates: a row that a check refuses",
    ),
    (
        "the same body again is skipped",
        "duplicates: reject is the default",
    ),
    (
        "a key of another mapping with another body",
        "fn space_says_whether_two_mappings_have_the_same_customers",
    ),
    // What is checked before the first row.
    ("mistake: an unknown key", "a key that a rule does not know"),
    ("mistake: an unknown column", "unknown columns and fields"),
    ("mistake: an unknown field", "unknown columns and fields"),
    (
        "mistake: a required field that nothing fills",
        "unknown columns and fields",
    ),
    (
        "mistake: a type that cannot serve",
        "a type that cannot serve",
    ),
    (
        "mistake: a template that does not compile",
        "templates: an unknown name",
    ),
    (
        "mistake: a missing look-up file",
        "a look-up file that is missing",
    ),
    ("mistake: two rules for one path", "two rules for one path"),
    (
        "mistake: existing without a look-up",
        "policy: existing without a look-up",
    ),
    (
        "mistake: existing with its field not mapped",
        "policy: existing with the field",
    ),
    (
        "all mistakes are told at once",
        "fn twelve_mistakes_of_a_file_are_told_at_once",
    ),
    (
        "note: a column that no rule uses",
        "a column that no rule uses",
    ),
    (
        "note: a custom key while fields are unknown",
        "unused: a custom key",
    ),
    // Examples that check themselves.
    (
        "a test need not name what the target fills",
        "test: a target's own key",
    ),
    (
        "a test that fails is told in the mapping file",
        "fn tests_that_are_wrong_or_fail_are_told_in_the_mapping_file",
    ),
    // Whole columns.
    (
        "whole column: the order of its dates, and said",
        "fn what_the_whole_file_shows_stands_in_the_summary",
    ),
    (
        "whole column: zeros and long numbers that were lost",
        "fn what_a_spreadsheet_program_did_to_a_column",
    ),
    (
        "whole column: dates that were converted",
        "whole columns: with all date cells",
    ),
];

const GRAMMAR: &str = include_str!("../../src/mapping/file.rs");

/// All that must stand in the table.
fn subjects() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for (name, prefix) in [
        ("MappingFile", ""),
        ("SourceSection", "source."),
        ("RowSection", "row."),
        ("KeySpec", "row.key."),
        ("Rule", "rule."),
        ("LookupSpec", "rule.lookup."),
        ("CheckSection", "check."),
        ("PolicySection", "policy."),
        ("LimitsSection", "limits."),
        ("TestSection", "test."),
    ] {
        for key in super::keys_of(name) {
            let key = if key == "columns" { "column" } else { &key };
            all.insert(format!("key {prefix}{key}"));
        }
    }
    for kind in Type::ALL {
        if !matches!(kind, Type::Object | Type::Array) {
            all.insert(format!("type {}", kind.name()));
        }
    }
    let own = Regex::new(r#"\(\s*"(\w+)",\s*span\(&rule\.\w+\),\s*&\[([^\]]*)\]"#).unwrap();
    for found in own.captures_iter(include_str!("../../src/mapping/check/kind.rs")) {
        for kind in found[2].split('"').skip(1).step_by(2) {
            all.insert(format!("type {kind} {}", &found[1]));
        }
    }
    let list = Regex::new(r"const (\w+): &\[&str\] = &\[([^\]]*)\]").unwrap();
    let texts = |list: &str| -> Vec<String> {
        let texts = list.split('"').skip(1).step_by(2);
        texts.map(str::to_owned).collect()
    };
    for found in list.captures_iter(include_str!("../../src/mapping/words.rs")) {
        for word in texts(&found[2]) {
            match &found[1] {
                "TYPES" => all.insert(format!("type {word}")),
                list => all.insert(format!("word {list} {word}")),
            };
        }
    }
    for found in list.captures_iter(include_str!("../../src/mapping/file/read.rs")) {
        if &found[1] == "CLEAN_WORDS" {
            all.extend(texts(&found[2]).iter().map(|step| format!("clean {step}")));
        }
    }
    for name in ["On", "OnError", "Duplicates", "DateOrder"] {
        let start = GRAMMAR.find(&format!("pub enum {name} {{")).unwrap();
        let end = start + GRAMMAR[start..].find("\n}").unwrap();
        for variant in GRAMMAR[start..end].lines().skip(1) {
            let Some(variant) = variant.trim().strip_suffix(',') else {
                continue;
            };
            if !variant.starts_with("//") {
                let word = rowferry::template::snake_name(variant);
                all.insert(format!("word {name} {word}"));
            }
        }
    }
    all
}

/// The names of all test functions of the project.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let found = text.lines().filter_map(|line| {
                let line = line.trim().trim_start_matches("async ");
                let (name, _) = line.strip_prefix("fn ")?.split_once('(')?;
                Some(name.to_owned())
            });
            names.extend(found);
        }
    }
}

#[test]
fn each_key_type_step_and_word_stands_in_the_table() {
    let subjects = subjects();
    assert!(subjects.len() > 150, "only {} were found", subjects.len());
    let named: BTreeSet<String> = TABLE
        .iter()
        .map(|(subject, _)| (*subject).to_owned())
        .collect();
    assert_eq!(named.len(), TABLE.len(), "a line stands twice");
    let missing: Vec<&String> = subjects.difference(&named).collect();
    assert!(missing.is_empty(), "no case is named for {missing:?}");
    let gone: Vec<&String> = named
        .difference(&subjects)
        .filter(|subject| {
            let derived = ["key ", "type ", "word ", "clean "];
            derived.iter().any(|start| subject.starts_with(start))
        })
        .collect();
    assert!(gone.is_empty(), "the program does not know {gone:?}");
}

#[test]
fn each_line_of_the_table_names_a_case() {
    let cases = super::cases();
    let mut names = BTreeSet::new();
    for folder in ["src", "tests"] {
        functions(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut names,
        );
    }
    let missing: Vec<_> = TABLE
        .iter()
        .filter(|(_, place)| match place.strip_prefix("fn ") {
            Some(name) => !names.iter().any(|known| known.starts_with(name)),
            None => !cases.iter().any(|case| case.name.starts_with(place)),
        })
        .collect();
    assert!(missing.is_empty(), "there is no such case: {missing:#?}");
}

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::issue::TextFile;
use crate::mapping;

/// Many mistakes in one file, none of syntax.
const WRONG: &str = r#"targt = "kaiten"
allow_caution = ["a..b"]

[source]
delimiter = "ab"
encoding = "windows-1525"
decimal = "'"
region = "Britain"
date_order = "dmj"
header_row = "two"

[row]
key = []
skip_when = 'status = "closed"'

[fields]
name = { colunm = "Company" }
email = { column = "Email", template = "{{ email|lowr }}" }
phone = { column = "Phone", type = "fone", region = "UK" }
note = { column = "Note", clean = ["uper", "squash", "lowr"] }
code = { column = "Code", clean = [{ extract = 'c(\d+' }], pattern = '^[a-z$' }
born = { column = "Born", type = "date", min = 2020-01-01, max = 2010-01-01, century = "next" }
tags = { column = "Tags", join = ",", pick = "first" }
size = 5
"x..y" = "A"
address = "Address"
"address.city" = "City"
nick = ["A", "B"]

[custom]
level = { type = "choice" }
kind = { column = "Kind", map = { a = 1 }, map_others = "eror", default = "x", required = true }

[[check]]
message = "no assertion"

[policy]
existing = "upsert"
stop_after = "five"

[limits]
rate = ["20/s", "100/m"]
concurrency = 0

[[test]]
row = { "Company" = "A" }
"#;

fn mistakes(text: &str) -> Vec<Mistake> {
    mapping::parse("m.toml", Path::new("m.toml"), text.to_owned()).1
}

#[test]
fn mistakes_come_all_at_once_in_the_order_of_the_file() {
    insta::assert_snapshot!(render(&mistakes(WRONG), false), @r##"
    error[unknown-key]: there is no key `targt` here
     --> m.toml:1:1
      |
    1 | targt = "kaiten"
      | ^^^^^ not known
      |
      = help: did you mean `target`?

    error[bad-path]: the path `a..b` has an empty part
     --> m.toml:2:18
      |
    2 | allow_caution = ["a..b"]
      |                  ^^^^^^ not a path

    error[bad-value]: the delimiter is one ASCII character, and neither a quote nor a line break
     --> m.toml:5:13
      |
    5 | delimiter = "ab"
      |             ^^^^ not such a character
      |
      = help: write ",", ";", "|" or "\t", or leave it out: it is found from the file

    error[unknown-value]: there is no encoding `windows-1525`
     --> m.toml:6:12
      |
    6 | encoding = "windows-1525"
      |            ^^^^^^^^^^^^^^ not known
      |
      = help: did you mean `windows-1252`?

    error[bad-value]: the decimal mark is "." or ","
     --> m.toml:7:11
      |
    7 | decimal = "'"
      |           ^^^ neither

    error[unknown-value]: a region is the code of a country, two letters of ISO 3166
     --> m.toml:8:10
      |
    8 | region = "Britain"
      |          ^^^^^^^^^ not a region
      |
      = help: such as "GB", "US" or "DE"

    error[unknown-value]: `dmj` is not one of the values here
     --> m.toml:9:14
      |
    9 | date_order = "dmj"
      |              ^^^^^ not known
      |
      = help: did you mean `dmy`?

    error[wrong-type]: a text stands where a whole number from 0 belongs
      --> m.toml:10:14
       |
    10 | header_row = "two"
       |              ^^^^^ not a whole number from 0

    error[wrong-type]: a key needs at least one column
      --> m.toml:13:7
       |
    13 | key = []
       |       ^^ here

    error[bad-template]: this expression cannot be used: this does not parse: unexpected input after expression
      --> m.toml:14:21
       |
    14 | skip_when = 'status = "closed"'
       |                     ^ here
       |
       = help: `==` compares two values

    error[unknown-key]: there is no key `colunm` here
      --> m.toml:17:10
       |
    17 | name = { colunm = "Company" }
       |          ^^^^^^ not known
       |
       = help: did you mean `column`?

    error[two-sources]: the value of `email` comes from `column` and from `template`
      --> m.toml:18:40
       |
    18 | email = { column = "Email", template = "{{ email|lowr }}" }
       |                                        ^^^^^^^^^^^^^^^^^^ one too many
       |
       = help: a rule has one of `column`, `template`, `value`

    error[bad-template]: this template cannot be used: there is no filter `lowr`; did you mean `lower`?
      --> m.toml:18:50
       |
    18 | email = { column = "Email", template = "{{ email|lowr }}" }
       |                                                  ^^^^ here

    error[unknown-value]: there is no type `fone`
      --> m.toml:19:36
       |
    19 | phone = { column = "Phone", type = "fone", region = "UK" }
       |                                    ^^^^^^ not known
       |
       = help: did you mean `phone`?

    error[unknown-value]: a region is the code of a country, two letters of ISO 3166
      --> m.toml:19:53
       |
    19 | phone = { column = "Phone", type = "fone", region = "UK" }
       |                                                     ^^^^ not a region
       |
       = help: the United Kingdom is "GB"

    error[unknown-value]: `uper` is not one of the values here
      --> m.toml:20:36
       |
    20 | note = { column = "Note", clean = ["uper", "squash", "lowr"] }
       |                                    ^^^^^^ not known
       |
       = help: did you mean `upper`?

    error[unknown-value]: `lowr` is not one of the values here
      --> m.toml:20:54
       |
    20 | note = { column = "Note", clean = ["uper", "squash", "lowr"] }
       |                                                      ^^^^^^ not known
       |
       = help: did you mean `lower`?

    error[bad-pattern]: this regular expression cannot be used: unclosed group
      --> m.toml:21:50
       |
    21 | code = { column = "Code", clean = [{ extract = 'c(\d+' }], pattern = '^[a-z$' }
       |                                                  ^ here

    error[bad-pattern]: this regular expression cannot be used: unclosed character class
      --> m.toml:21:72
       |
    21 | code = { column = "Code", clean = [{ extract = 'c(\d+' }], pattern = '^[a-z$' }
       |                                                                        ^ here

    error[bad-limits]: `min` is greater than `max`: no value can pass
      --> m.toml:22:66
       |
    22 | born = { column = "Born", type = "date", min = 2020-01-01, max = 2010-01-01, century = "next" }
       |                                                                  ^^^^^^^^^^ less than `min`

    error[unknown-value]: `century` is "past", "future", or a pivot from 0 to 99
      --> m.toml:22:88
       |
    22 | born = { column = "Born", type = "date", min = 2020-01-01, max = 2010-01-01, century = "next" }
       |                                                                                        ^^^^^^ not known
       |
       = help: with the pivot 30, 29 is read as 2029 and 30 as 1930

    error[no-effect]: `join` has nothing to join
      --> m.toml:23:34
       |
    23 | tags = { column = "Tags", join = ",", pick = "first" }
       |                                  ^^^ one value only
       |
       = help: it goes with a list of columns, or with `split`

    error[no-effect]: `pick` needs `split`
      --> m.toml:23:46
       |
    23 | tags = { column = "Tags", join = ",", pick = "first" }
       |                                              ^^^^^^^ nothing is split
       |
       = help: add split = "…" with the text between the parts

    error[wrong-type]: the rule of `size` is a column's header or a table
      --> m.toml:24:8
       |
    24 | size = 5
       |        ^ neither
       |
       = help: for a constant write { value = 5 }

    error[bad-path]: the path `x..y` has an empty part
      --> m.toml:25:1
       |
    25 | "x..y" = "A"
       | ^^^^^^ not a path
       |
       = help: a path is like name, address.city, a[0].b or aliases[]; a dot in a key is written \\.

    error[two-rules]: `address` and `address.city` cannot both be filled: one is a part of the other
      --> m.toml:27:1
       |
    27 | "address.city" = "City"
       | ^^^^^^^^^^^^^^ the second
       |
       = help: the first stands on line 26; take one of them out

    error[wrong-type]: `nick` takes one rule, not a list
      --> m.toml:28:8
       |
    28 | nick = ["A", "B"]
       |        ^^^^^^^^^^ a list
       |
       = help: for the first column that is not empty write { column = [ … ] }; for a list in the body write "nick[]"

    error[no-source]: the rule of `level` does not say where the value comes from
      --> m.toml:31:9
       |
    31 | level = { type = "choice" }
       |         ^^^^^^^^^^^^^^^^^^^ none of `column`, `template`, `value`
       |
       = help: add column = "…"; a field that lies within another is written with its whole path in quotes, such as "address.city"

    error[unknown-value]: `map_others` does not know `eror`
      --> m.toml:32:57
       |
    32 | kind = { column = "Kind", map = { a = 1 }, map_others = "eror", default = "x", required = true }
       |                                                         ^^^^^^ not known
       |
       = help: did you mean `error`?

    note[no-effect]: a field with a `default` is never empty, so `required = true` says nothing
      --> m.toml:32:75
       |
    32 | kind = { column = "Kind", map = { a = 1 }, map_others = "eror", default = "x", required = true }
       |                                                                           ^^^ `required` beside it
       |
       = help: one of them can be taken out

    error[missing-key]: the key `assert` is missing
      --> m.toml:34:1
       |
    34 | [[check]]
       | ^^^^^^^^^ needs `assert`

    error[unknown-value]: `upsert` is not one of the values here
      --> m.toml:38:12
       |
    38 | existing = "upsert"
       |            ^^^^^^^^ not known
       |
       = help: one of: create, skip, update, reject

    error[bad-value]: `stop_after` is a number of rows, such as 100, or a share of them, such as "5%"
      --> m.toml:39:14
       |
    39 | stop_after = "five"
       |              ^^^^^^ here

    error[bad-rate]: `m` may be a minute or a month: write min or month
      --> m.toml:42:18
       |
    42 | rate = ["20/s", "100/m"]
       |                  ^^^^^ not a rate

    error[bad-value]: with a concurrency of 0 nothing would be sent
      --> m.toml:43:15
       |
    43 | concurrency = 0
       |               ^ 0
       |
       = help: 1 sends one request after the other

    error[bad-test]: this test expects nothing
      --> m.toml:46:7
       |
    46 | row = { "Company" = "A" }
       |       ^^^^^^^^^^^^^^^^^^^ neither `body` nor `issues`
       |
       = help: add body = { … } or issues = [ … ]
    "##);
}

#[test]
fn mistakes_of_syntax_come_with_the_others() {
    let text = "target = \"kaiten\nfoo = 1\n[fields]\nname = \"Name\"\nname.first = \"X\"\nname = \"Y\"\nnote = { colum = \"Note\" }\n";
    insta::assert_snapshot!(render(&mistakes(text), false), @r##"
    error[toml-syntax]: this is not TOML: invalid basic string, expected `"`
     --> m.toml:1:17
      |
    1 | target = "kaiten
      |                 ^ here

    error[unknown-key]: there is no key `foo` here
     --> m.toml:2:1
      |
    2 | foo = 1
      | ^^^ not known
      |
      = help: the keys here are: target, allow_caution, source, row, fields, custom, check, policy, limits, test

    error[toml-syntax]: this is not TOML: cannot extend value of type string with a dotted key
     --> m.toml:5:1
      |
    5 | name.first = "X"
      | ^^^^ here

    error[toml-syntax]: `name` stands twice in this table
     --> m.toml:6:1
      |
    6 | name = "Y"
      | ^^^^ the second
      |
      = help: take one of them out, or put its lines together with the first

    error[unknown-key]: there is no key `colum` here
     --> m.toml:7:10
      |
    7 | note = { colum = "Note" }
      |          ^^^^^ not known
      |
      = help: did you mean `column`?
    "##);
}

#[test]
fn mistakes_are_told_as_json() {
    let told = mistakes("target = \"t\"\n[fields]\né = { colum = \"A\" }\n");
    insta::assert_json_snapshot!(to_json(&told), @r##"
    [
      {
        "code": "toml-syntax",
        "message": "this is not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`",
        "file": "m.toml",
        "line": 3,
        "column": 1,
        "label": "here",
        "help": null,
        "note": false
      },
      {
        "code": "unknown-key",
        "message": "there is no key `colum` here",
        "file": "m.toml",
        "line": 3,
        "column": 7,
        "label": "not known",
        "help": "did you mean `column`?",
        "note": false
      }
    ]
    "##);
    let plain = [Mistake::new("mapping-file", "the mapping file x does not exist").note()];
    insta::assert_json_snapshot!(to_json(&plain), @r##"
    [
      {
        "code": "mapping-file",
        "message": "the mapping file x does not exist",
        "file": null,
        "line": null,
        "column": null,
        "label": null,
        "help": null,
        "note": true
      }
    ]
    "##);
    assert_eq!(
        render(&plain, false),
        "note[mapping-file]: the mapping file x does not exist\n"
    );
    assert_eq!(render(&[], true), "");
}

#[test]
fn colour_is_given_where_it_is_asked_for() {
    let told = mistakes("target = 1\n[fields]\na = \"A\"\n");
    assert!(render(&told, true).contains("\u{1b}["));
    assert!(!render(&told, false).contains('\u{1b}'));
}

proptest! {
    #[test]
    fn any_place_can_be_shown(text in "[aé\r\n\t\u{1b}界 ]{0,40}", start in 0usize..60, len in 0usize..60) {
        let file = Arc::new(TextFile { name: "f".into(), text });
        let mistake = Mistake::new("x", "y").at(&file, start..start + len, "here").help("h");
        let shown = render(&[mistake], false);
        prop_assert!(shown.starts_with("error[x]: y"));
    }
}

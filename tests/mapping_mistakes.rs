//! Mistakes in mapping files: all of a file at once, each at its place, with what to do. The program
//! itself is run, and what it says is kept.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use common::Bench;
use insta::assert_snapshot;

/// What `check` says of a mapping and a file; the mapping is wrong, so that nothing is read.
fn told(bench: &Bench, mapping: &str) -> String {
    bench.file("m.toml", mapping);
    if !bench.has("in.csv") {
        bench.file(
            "in.csv",
            "Customer Id,Company,Email,Phone,Country\n1,Acme,a@x.org,020 7946 0958,GB\n",
        );
    }
    let ran = bench
        .run(&["check", "in.csv", "--mapping", "m.toml"])
        .expect(2);
    assert_eq!(ran.stdout, "");
    ran.stderr
}

#[test]
fn twelve_mistakes_of_a_file_are_told_at_once() {
    let bench = Bench::new();
    let told = told(
        &bench,
        r#"target = "flextell"
[source]
dilimiter = ";"
date_order = "dym"
timezone = "Europe/Londn"
decimal = "'"
[row]
key = "Custmer Id"
skip_when = 'country = "FR"'
[fields]
name = { column = "Company", clean = ["titelcase"] }
email = { colum = "Email" }
phone = { column = "Phone", type = "fone" }
gender = { column = "Company", pattern = "[a-z" }
lastname = { template = "{{ compny }}" }
firstname = { column = "Company", on_error = "ignore", max_length = "long" }
"a..b" = "Company"
[policy]
duplicates = "replace"
stop_after = "5 %%"
[limits]
rate = "100 per minute"
[[check]]
assert = "email|lowr"
"#,
    );
    assert_snapshot!(told, @r##"
    error[required-field]: Flextell requires `first_name`, and nothing fills it
     --> m.toml:1:10
      |
    1 | target = "flextell"
      |          ^^^^^^^^^^ this target
      |
      = help: add a line under [fields]: first_name = "its column"

    error[unknown-key]: there is no key `dilimiter` here
     --> m.toml:3:1
      |
    3 | dilimiter = ";"
      | ^^^^^^^^^ not known
      |
      = help: did you mean `delimiter`?

    error[unknown-value]: `dym` is not one of the values here
     --> m.toml:4:14
      |
    4 | date_order = "dym"
      |              ^^^^^ not known
      |
      = help: did you mean `dmy`?

    error[unknown-value]: there is no time zone `Europe/Londn`
     --> m.toml:5:12
      |
    5 | timezone = "Europe/Londn"
      |            ^^^^^^^^^^^^^^ not known
      |
      = help: did you mean `Europe/London`?

    error[bad-value]: the decimal mark is "." or ","
     --> m.toml:6:11
      |
    6 | decimal = "'"
      |           ^^^ neither

    error[unknown-column]: this file has no column `Custmer Id`
     --> m.toml:8:7
      |
    8 | key = "Custmer Id"
      |       ^^^^^^^^^^^^ no such column
      |
      = help: did you mean `Customer Id`?

    error[bad-template]: this expression cannot be used: this does not parse: unexpected input after expression
     --> m.toml:9:22
      |
    9 | skip_when = 'country = "FR"'
      |                      ^ here
      |
      = help: `==` compares two values

    error[unknown-field]: Flextell has no field `name`
      --> m.toml:11:1
       |
    11 | name = { column = "Company", clean = ["titelcase"] }
       | ^^^^ no such field
       |
       = help: its fields are: `first_name`, `last_name`, `phone_number`, `email`, `date_of_birth`, `gender`, `country_id`, `identity_number`, `job`, `address`, `default_channel_id`, `user_id`

    error[unknown-value]: `titelcase` is not one of the values here
      --> m.toml:11:39
       |
    11 | name = { column = "Company", clean = ["titelcase"] }
       |                                       ^^^^^^^^^^^ not known
       |
       = help: did you mean `titlecase`?

    error[unknown-key]: there is no key `colum` here
      --> m.toml:12:11
       |
    12 | email = { colum = "Email" }
       |           ^^^^^ not known
       |
       = help: did you mean `column`?

    error[unknown-field]: Flextell has no field `phone`
      --> m.toml:13:1
       |
    13 | phone = { column = "Phone", type = "fone" }
       | ^^^^^ no such field
       |
       = help: did you mean `phone_number`?

    error[unknown-value]: there is no type `fone`
      --> m.toml:13:36
       |
    13 | phone = { column = "Phone", type = "fone" }
       |                                    ^^^^^^ not known
       |
       = help: did you mean `phone`?

    error[bad-pattern]: this regular expression cannot be used: unclosed character class
      --> m.toml:14:43
       |
    14 | gender = { column = "Company", pattern = "[a-z" }
       |                                           ^ here

    error[unknown-field]: Flextell has no field `lastname`
      --> m.toml:15:1
       |
    15 | lastname = { template = "{{ compny }}" }
       | ^^^^^^^^ no such field
       |
       = help: did you mean `last_name`?

    error[unknown-name]: this file has no column that is called `compny` here
      --> m.toml:15:29
       |
    15 | lastname = { template = "{{ compny }}" }
       |                             ^^^^^^ no such column
       |
       = help: did you mean `company`?

    error[unknown-field]: Flextell has no field `firstname`
      --> m.toml:16:1
       |
    16 | firstname = { column = "Company", on_error = "ignore", max_length = "long" }
       | ^^^^^^^^^ no such field
       |
       = help: did you mean `first_name`?

    error[unknown-value]: `ignore` is not one of the values here
      --> m.toml:16:46
       |
    16 | firstname = { column = "Company", on_error = "ignore", max_length = "long" }
       |                                              ^^^^^^^^ not known
       |
       = help: one of: reject, null, warn

    error[wrong-type]: a text stands where a whole number from 0 belongs
      --> m.toml:16:69
       |
    16 | firstname = { column = "Company", on_error = "ignore", max_length = "long" }
       |                                                                     ^^^^^^ not a whole number from 0

    error[bad-path]: the path `a..b` has an empty part
      --> m.toml:17:1
       |
    17 | "a..b" = "Company"
       | ^^^^^^ not a path
       |
       = help: a path is like name, address.city, a[0].b or aliases[]; a dot in a key is written \\.

    error[unknown-value]: `replace` is not one of the values here
      --> m.toml:19:14
       |
    19 | duplicates = "replace"
       |              ^^^^^^^^^ not known
       |
       = help: one of: reject, first, last

    error[bad-value]: `stop_after` is a number of rows, such as 100, or a share of them, such as "5%"
      --> m.toml:20:14
       |
    20 | stop_after = "5 %%"
       |              ^^^^^^ here

    error[bad-rate]: `100 per minute` is not a rate: write it as `20/s`, `150/10s`, `100/min`, `1000/h`, `2000/day` or `50000/month`
      --> m.toml:22:9
       |
    22 | rate = "100 per minute"
       |         ^^^^^^^^^^^^^^ not a rate

    error[bad-template]: this expression cannot be used: there is no filter `lowr`; did you mean `lower`?
      --> m.toml:24:17
       |
    24 | assert = "email|lowr"
       |                 ^^^^ here
    "##);
}

#[test]
fn columns_and_fields_are_compared_with_file_and_target() {
    let bench = Bench::new();
    let told = told(
        &bench,
        r#"target = "kaiten"
allow_caution = ["name"]
[row]
key = "customer-id"
[fields]
nam = "Company"
externalCustomerId = { column = ["Nr", "Customr Id"] }
email = { column = "Email", type = "boolean" }
phone = { template = "{{ phon }}, {{ row['Cuntry'] }}", when = "Country == 'GB'" }
[[check]]
assert = "body.email and emial"
"#,
    );
    assert_snapshot!(told, @r##"
    error[required-field]: Kaiten requires `name`, and nothing fills it
     --> m.toml:1:10
      |
    1 | target = "kaiten"
      |          ^^^^^^^^ this target
      |
      = help: add a line under [fields]: name = "its column"

    error[unknown-caution]: Kaiten does not warn of any value of `name`
     --> m.toml:2:18
      |
    2 | allow_caution = ["name"]
      |                  ^^^^^^ no such caution
      |
      = help: take it out

    error[unknown-column]: this file has no column `customer-id`
     --> m.toml:4:7
      |
    4 | key = "customer-id"
      |       ^^^^^^^^^^^^^ no such column
      |
      = help: did you mean `Customer Id`?

    error[unknown-field]: Kaiten has no field `nam`
     --> m.toml:6:1
      |
    6 | nam = "Company"
      | ^^^ no such field
      |
      = help: did you mean `name`?

    error[unknown-column]: this file has no column `Nr`
     --> m.toml:7:34
      |
    7 | externalCustomerId = { column = ["Nr", "Customr Id"] }
      |                                  ^^^^ no such column
      |
      = help: its columns are: `Customer Id`, `Company`, `Email`, `Phone`, `Country`

    error[unknown-column]: this file has no column `Customr Id`
     --> m.toml:7:40
      |
    7 | externalCustomerId = { column = ["Nr", "Customr Id"] }
      |                                        ^^^^^^^^^^^^ no such column
      |
      = help: did you mean `Customer Id`?

    error[unknown-field]: Kaiten has no field `email`
     --> m.toml:8:1
      |
    8 | email = { column = "Email", type = "boolean" }
      | ^^^^^ no such field
      |
      = help: its fields are: `name`, `externalCustomerId`, `slug`, `domain`, `integrations`, `billingEmail`

    error[unknown-field]: Kaiten has no field `phone`
     --> m.toml:9:1
      |
    9 | phone = { template = "{{ phon }}, {{ row['Cuntry'] }}", when = "Country == 'GB'" }
      | ^^^^^ no such field
      |
      = help: its fields are: `name`, `externalCustomerId`, `slug`, `domain`, `integrations`, `billingEmail`

    error[unknown-name]: this file has no column that is called `phon` here
     --> m.toml:9:26
      |
    9 | phone = { template = "{{ phon }}, {{ row['Cuntry'] }}", when = "Country == 'GB'" }
      |                          ^^^^ no such column
      |
      = help: did you mean `phone`?

    error[unknown-name]: this file has no column `Cuntry`
     --> m.toml:9:38
      |
    9 | phone = { template = "{{ phon }}, {{ row['Cuntry'] }}", when = "Country == 'GB'" }
      |                                      ^^^^^^^^^^^^^ no such column
      |
      = help: did you mean `Country`?

    error[unknown-name]: this file has no column that is called `Country` here
     --> m.toml:9:65
      |
    9 | phone = { template = "{{ phon }}, {{ row['Cuntry'] }}", when = "Country == 'GB'" }
      |                                                                 ^^^^^^^ no such column
      |
      = help: did you mean `country`?

    error[unknown-name]: this file has no column that is called `emial` here
      --> m.toml:11:26
       |
    11 | assert = "body.email and emial"
       |                          ^^^^^ no such column
       |
       = help: did you mean `email`?
    "##);
}

#[test]
fn a_target_demands_what_nothing_fills() {
    let bench = Bench::new();
    bench.file(
        "acme.target.toml",
        r#"name = "Acme"
base_url = "https://api.acme.example"
[auth]
kind = "none"
[create]
path = "/customers"
[fields]
name = { type = "text", required = true }
size = { type = "integer" }
joined = { type = "date" }
kind = { type = "choice", options = ["person", "company"] }
tags = { type = "choices", options = ["a", "b"] }
level = { type = "integer", caution = { missing = true, says = "it is made 1" } }
"#,
    );
    let told = told(
        &bench,
        r#"target = "./acme.target.toml"
[row]
key = "Customer Id"
[fields]
size = { column = "Company", type = "email" }
joined = { column = "Company", default = "tomorrow", output = "alpha3" }
kind = { column = "Company", map = { a = "person", b = "firm" } }
tags = { column = "Company", split = ";", default = ["c"] }
email = "Email"
[custom]
x = "Company"
[policy]
existing = "update"
"#,
    );
    assert_snapshot!(told, @r#"
    error[required-field]: Acme requires `name`, and nothing fills it
     --> m.toml:1:10
      |
    1 | target = "./acme.target.toml"
      |          ^^^^^^^^^^^^^^^^^^^^ this target
      |
      = help: add a line under [fields]: name = "its column"

    error[type-mismatch]: `size` takes a whole number, which `email` does not give
     --> m.toml:5:37
      |
    5 | size = { column = "Company", type = "email" }
      |                                     ^^^^^^^ does not suit the field
      |
      = help: leave `type` out, or write `type = "integer"`

    error[bad-setting]: `joined` cannot be read like this
     --> m.toml:6:64
      |
    6 | joined = { column = "Company", default = "tomorrow", output = "alpha3" }
      |                                                                ^^^^^^ The output format "alpha3" is not one of strftime for a date, such as "%d/%m/%Y", nor "unix" or "unix_ms".

    error[wrong-value]: the value `firm` of this map does not suit the field
     --> m.toml:7:36
      |
    7 | kind = { column = "Company", map = { a = "person", b = "firm" } }
      |                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ it is not an option of the target; options: person, company

    error[wrong-value]: this `default` does not suit the field `tags`
     --> m.toml:8:53
      |
    8 | tags = { column = "Company", split = ";", default = ["c"] }
      |                                                     ^^^^^ this is not an option of the target; options: a, b

    error[unknown-field]: Acme has no field `email`
     --> m.toml:9:1
      |
    9 | email = "Email"
      | ^^^^^ no such field
      |
      = help: its fields are: `name`, `size`, `joined`, `kind`, `tags`, `level`

    error[no-custom-fields]: Acme has no custom fields
      --> m.toml:11:1
       |
    11 | x = "Company"
       | ^ nowhere to go
       |
       = help: if it is a field of the API, move the line under [fields]

    error[policy]: Acme has no way to change a record
      --> m.toml:13:12
       |
    13 | existing = "update"
       |            ^^^^^^^^ cannot be served
       |
       = help: write "skip" or "reject", or leave it out
    "#);
}

#[test]
fn templates_and_expressions_are_marked_within_their_text() {
    let bench = Bench::new();
    let told = told(
        &bench,
        r#"target = "sphinx"
[row]
key = "Customer Id"
skip_when = "country == 'FR' && phone"
[fields]
external_id = { template = "{{ customer_id }}-{{ compani }}" }
name = { template = """
{{ company|titel }}
{{ row["Sity"] }}""" }
email = { column = "Email", when = "phone.startswith('+')" }
phone = { template = "{% if phone %}x" }
[[check]]
assert = "company > 5"
[[check]]
assert = "{{ email }}"
"#,
    );
    assert_snapshot!(told, @r##"
    error[required-field]: Sphinx requires `full_name`, and nothing fills it
     --> m.toml:1:10
      |
    1 | target = "sphinx"
      |          ^^^^^^^^ this target
      |
      = help: add a line under [fields]: full_name = "its column"

    error[bad-template]: this expression cannot be used: this does not parse: unexpected character
     --> m.toml:4:30
      |
    4 | skip_when = "country == 'FR' && phone"
      |                              ^ here
      |
      = help: write `and` for &&

    error[unknown-name]: this file has no column that is called `compani` here
     --> m.toml:6:50
      |
    6 | external_id = { template = "{{ customer_id }}-{{ compani }}" }
      |                                                  ^^^^^^^ no such column
      |
      = help: did you mean `company`?

    error[unknown-field]: Sphinx has no field `name`
     --> m.toml:7:1
      |
    7 | name = { template = """
      | ^^^^ no such field
      |
      = help: its fields are: `full_name`, `external_id`, `customer_type`, `delete_after`, `input_details`; a custom field belongs under [custom]

    error[bad-template]: this template cannot be used: there is no filter `titel`; did you mean `title`?
     --> m.toml:8:12
      |
    8 | {{ company|titel }}
      |            ^^^^^ here

    error[unknown-field]: Sphinx has no field `email`
      --> m.toml:10:1
       |
    10 | email = { column = "Email", when = "phone.startswith('+')" }
       | ^^^^^ no such field
       |
       = help: its fields are: `full_name`, `external_id`, `customer_type`, `delete_after`, `input_details`; a custom field belongs under [custom]

    error[bad-template]: this expression cannot be used: values have no method `startswith`; write the test `is startingwith(…)`
      --> m.toml:10:43
       |
    10 | email = { column = "Email", when = "phone.startswith('+')" }
       |                                           ^^^^^^^^^^ here

    error[unknown-field]: Sphinx has no field `phone`
      --> m.toml:11:1
       |
    11 | phone = { template = "{% if phone %}x" }
       | ^^^^^ no such field
       |
       = help: its fields are: `full_name`, `external_id`, `customer_type`, `delete_after`, `input_details`; a custom field belongs under [custom]

    error[bad-template]: this template cannot be used: this does not parse: unexpected end of input, expected end of block
      --> m.toml:11:37
       |
    11 | phone = { template = "{% if phone %}x" }
       |                                     ^ here

    error[text-as-number]: a cell is text here, and a text compared with a number is never what is meant
      --> m.toml:13:11
       |
    13 | assert = "company > 5"
       |           ^^^^^^^ a text
       |
       = help: write company|int or company|float, or put the number in quotes

    error[bad-template]: this expression cannot be used: this does not parse: unexpected `}`, expected `:`
      --> m.toml:15:20
       |
    15 | assert = "{{ email }}"
       |                    ^ here
       |
       = help: an expression stands without {{ and }}, which are for templates
    "##);
}

#[test]
fn look_up_files_are_read_before_the_first_row() {
    let bench = Bench::new();
    bench.file(
        "twice.csv",
        "name,id\nAcme,1\nBeta,2\n\"Gamma, Inc\",3\nacme ,4\n",
    );
    bench.file("one.csv", "name\nAcme\n");
    bench.file("long.csv", "Name,Number\nAcme,1\n");
    bench.file("ids.csv", "name,id\nAcme,x\n");
    let told = told(
        &bench,
        r#"target = "kaiten"
[row]
key = "Customer Id"
[fields]
name = { column = "Company", lookup = "nowhere.csv" }
externalCustomerId = { column = "Customer Id", lookup = "twice.csv" }
email = { column = "Email", lookup = "one.csv" }
phone = { column = "Phone", lookup = { file = "long.csv", key = "nam", value = "Number" } }
"#,
    );
    assert_snapshot!(told, @r##"
    error[lookup-file]: the look-up file nowhere.csv does not exist
     --> m.toml:5:39
      |
    5 | name = { column = "Company", lookup = "nowhere.csv" }
      |                                       ^^^^^^^^^^^^^ named here
      |
      = help: a look-up file stands beside the mapping file, or is named by its path from there

    error[unknown-field]: Kaiten has no field `email`
     --> m.toml:7:1
      |
    7 | email = { column = "Email", lookup = "one.csv" }
      | ^^^^^ no such field
      |
      = help: its fields are: `name`, `externalCustomerId`, `slug`, `domain`, `integrations`, `billingEmail`

    error[unknown-field]: Kaiten has no field `phone`
     --> m.toml:8:1
      |
    8 | phone = { column = "Phone", lookup = { file = "long.csv", key = "nam", value = "Number" } }
      | ^^^^^ no such field
      |
      = help: its fields are: `name`, `externalCustomerId`, `slug`, `domain`, `integrations`, `billingEmail`

    error[lookup-file]: the look-up file one.csv has one column only
     --> one.csv:1:1
      |
    1 | name
      | ^^^^ one column
      |
      = help: it needs a column of keys and one of values, parted by `,`, `;` or a tab

    error[unknown-column]: the look-up file long.csv has no column `nam`
     --> long.csv:1:1
      |
    1 | Name,Number
      | ^^^^^^^^^^^ its columns
      |
      = help: did you mean `Name`?

    error[lookup-twice]: the key `acme` stands on line 2 with the value `1` and on line 5 with `4`
     --> twice.csv:5:1
      |
    5 | acme ,4
      | ^^^^^^^ another value
      |
      = help: case and outer space do not tell keys apart; take one of the lines out
    "##);
}

#[test]
fn existing_needs_a_way_to_look_a_customer_up() {
    let bench = Bench::new();
    let told = told(
        &bench,
        r#"target = "flextell"
[row]
key = "Customer Id"
[fields]
firstname = "Company"
[policy]
existing = "skip"
"#,
    );
    assert_snapshot!(told, @r##"
    error[required-field]: Flextell requires `first_name`, and nothing fills it
     --> m.toml:1:10
      |
    1 | target = "flextell"
      |          ^^^^^^^^^^ this target
      |
      = help: add a line under [fields]: first_name = "its column"

    error[unknown-field]: Flextell has no field `firstname`
     --> m.toml:5:1
      |
    5 | firstname = "Company"
      | ^^^^^^^^^ no such field
      |
      = help: did you mean `first_name`?

    error[policy]: `existing = "skip"` needs the field by which Flextell finds a record, and it is not mapped
     --> m.toml:7:12
      |
    7 | existing = "skip"
      |            ^^^^^^ cannot be served
      |
      = help: map `email`
    "##);
}

#[test]
fn a_target_that_is_not_there() {
    let bench = Bench::new();
    for (name, near) in [
        ("kaitn", "did you mean `kaiten`?"),
        ("./acme.target.toml", "./acme.target.toml"),
        ("salesforce", "the built-in targets are"),
    ] {
        let told = told(
            &bench,
            &format!("target = \"{name}\"\n[fields]\nname = \"Company\"\n"),
        );
        assert!(told.contains(near), "{told}");
        assert!(told.contains("m.toml:1:10"), "{told}");
    }
}

#[test]
fn what_is_no_toml_is_told_with_its_line() {
    let bench = Bench::new();
    let told = told(
        &bench,
        "target = \"kaiten\"\n[fields]\nname = { column = \"Company\"\nemail = Email\n",
    );
    assert_snapshot!(told, @r##"
    error[toml-syntax]: this is not TOML: missing comma between key-value pairs, expected `,`
     --> m.toml:4:1
      |
    4 | email = Email
      | ^ here

    error[toml-syntax]: this is not TOML: string values must be quoted, expected literal string
     --> m.toml:4:9
      |
    4 | email = Email
      |         ^^^^^ here
      |
      = help: put it in quotes: "Email"

    error[toml-syntax]: this is not TOML: unclosed inline table, expected `}`
     --> m.toml:4:14
      |
    4 | email = Email
      |              ^ here
    "##);
}

#[test]
fn tests_that_are_wrong_or_fail_are_told_in_the_mapping_file() {
    let bench = Bench::new();
    let mapping = r#"target = "kaiten"
[row]
key = "Customer Id"
[fields]
name = { column = "Company", clean = ["squash"] }
externalCustomerId = "Customer Id"
billingEmail = { column = "Email", type = "email" }
"#;
    bench.file(
        "bad.toml",
        &format!(
            "{mapping}
[[test]]
row = {{ Company = \"Acme\" }}
[[test]]
body = {{ name = \"Acme\" }}
[[test]]
row = {{ Company = [\"Acme\"] }}
issues = [\"name.required\"]
bodi = {{}}
"
        ),
    );
    let bad = bench.run(&["check", "--mapping", "bad.toml"]).expect(2);
    assert_snapshot!(bad.stderr, @r##"
    error[bad-test]: this test expects nothing
      --> bad.toml:10:7
       |
    10 | row = { Company = "Acme" }
       |       ^^^^^^^^^^^^^^^^^^^^ neither `body` nor `issues`
       |
       = help: add body = { … } or issues = [ … ]

    error[missing-key]: the key `row` is missing
      --> bad.toml:11:1
       |
    11 | [[test]]
       | ^^^^^^^^ needs `row`

    error[bad-test]: the cell `Company` of a test is a text, a number, a date, true or false
      --> bad.toml:14:7
       |
    14 | row = { Company = ["Acme"] }
       |       ^^^^^^^^^^^^^^^^^^^^^^ in here

    error[unknown-key]: there is no key `bodi` here
      --> bad.toml:16:1
       |
    16 | bodi = {}
       | ^^^^ not known
       |
       = help: did you mean `body`?
    "##);
    bench.file(
        "fails.toml",
        &format!(
            "{mapping}
[[test]]
row = {{ Company = \" Acme   Inc \", \"Customer Id\" = \"1\", Email = \"A@X.ORG\" }}
body = {{ name = \"Acme Inc.\", billingEmail = \"A@x.org\", domain = \"1\" }}
[[test]]
row = {{ Company = \"\", \"Customer Id\" = \"2\", Email = \"x\" }}
issues = [\"name.required\", \"billingEmail.missing\"]
[[test]]
row = {{ Company = \"Acme\", \"Customer Id\" = \"3\" }}
body = {{ name = \"Acme\" }}
"
        ),
    );
    let fails = bench.run(&["check", "--mapping", "fails.toml"]).expect(2);
    assert_snapshot!(fails.stderr, @r##"
    error[test-failed]: the row of this test gives another `name`
      --> fails.toml:11:17
       |
    11 | body = { name = "Acme Inc.", billingEmail = "A@x.org", domain = "1" }
       |                 ^^^^^^^^^^^ expected this, got "Acme Inc"

    error[test-failed]: the row of this test gives no `domain`
      --> fails.toml:11:65
       |
    11 | body = { name = "Acme Inc.", billingEmail = "A@x.org", domain = "1" }
       |                                                                 ^^^ expected this, got nothing

    error[test-failed]: the row of this test gives other issues than it lists
      --> fails.toml:14:10
       |
    14 | issues = ["name.required", "billingEmail.missing"]
       |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ expected, but not given: billingEmail.missing; given, but not expected: billingEmail.invalid
       |
       = help: did you mean `billingEmail.invalid`?
    2 of 3 test cases of fails.toml fail
    "##);
}

#[test]
fn mistakes_are_told_as_json_too() {
    let bench = Bench::new();
    bench.file(
        "m.toml",
        "target = \"kaiten\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Compny\"\n",
    );
    bench.file("in.csv", "Id,Company\n1,Acme\n");
    let ran = bench
        .run(&["check", "in.csv", "--mapping", "m.toml", "--json"])
        .expect(2);
    let told = ran.json();
    assert_eq!(told["exit_code"], 2);
    assert_eq!(told["finished"], false);
    let mistake = &told["mistakes"][0];
    assert_snapshot!(serde_json::to_string_pretty(mistake).unwrap(), @r##"
    {
      "code": "unknown-column",
      "message": "this file has no column `Compny`",
      "file": "m.toml",
      "line": 5,
      "column": 8,
      "label": "no such column",
      "help": "did you mean `Company`?",
      "note": false
    }
    "##);
}

#[test]
fn marks_stand_within_texts_that_are_written_with_escapes_or_over_lines() {
    let bench = Bench::new();
    let told = told(
        &bench,
        r#"target = "sphinx"
[row]
key = "Customer Id"
skip_when = "\"x\" == contry"
[fields]
external_id = { template = "no\t\"1\" {{ compani }}" }
customer_type = { template = """
first {{ company }} \
    second {{ compnay|upper }}
""" }
full_name = { template = '''
  {{ company|uper }}''' }
input_details = { column = "Company", pattern = "\\d(\u00e9" }
delete_after = { template = "\u00e9{{ company | nofilter }}", when = "company is nonesuch" }
[[check]]
assert = " "
"#,
    );
    assert_snapshot!(told, @r##"
    error[unknown-name]: this file has no column that is called `contry` here
     --> m.toml:4:23
      |
    4 | skip_when = "\"x\" == contry"
      |                       ^^^^^^ no such column
      |
      = help: did you mean `country`?

    error[unknown-name]: this file has no column that is called `compani` here
     --> m.toml:6:42
      |
    6 | external_id = { template = "no\t\"1\" {{ compani }}" }
      |                                          ^^^^^^^ no such column
      |
      = help: did you mean `company`?

    error[unknown-name]: this file has no column that is called `compnay` here
     --> m.toml:9:15
      |
    9 |     second {{ compnay|upper }}
      |               ^^^^^^^ no such column
      |
      = help: did you mean `company`?

    error[bad-template]: this template cannot be used: there is no filter `uper`; did you mean `upper`?
      --> m.toml:12:14
       |
    12 |   {{ company|uper }}''' }
       |              ^^^^ here

    error[bad-pattern]: this regular expression cannot be used: unclosed group
      --> m.toml:13:53
       |
    13 | input_details = { column = "Company", pattern = "\\d(\u00e9" }
       |                                                     ^ here

    error[bad-template]: this template cannot be used: there is no filter `nofilter`
      --> m.toml:14:49
       |
    14 | delete_after = { template = "\u00e9{{ company | nofilter }}", when = "company is nonesuch" }
       |                                                 ^^^^^^^^ here

    error[bad-template]: this expression cannot be used: there is no test `nonesuch`; did you mean `none`?
      --> m.toml:14:82
       |
    14 | delete_after = { template = "\u00e9{{ company | nofilter }}", when = "company is nonesuch" }
       |                                                                                  ^^^^^^^^ here

    error[bad-template]: this expression is empty
      --> m.toml:16:10
       |
    16 | assert = " "
       |          ^^^ empty
       |
       = help: write a condition over the row, such as email or phone
    "##);
}

#[test]
fn values_that_the_field_could_never_have_are_told() {
    let bench = Bench::new();
    bench.file(
        "t.target.toml",
        r#"name = "T"
base_url = "https://t.example"
open_fields = true
[auth]
kind = "none"
[create]
path = "/customers"
[fields]
kind = { type = "choice", options = ["person", "company"] }
"#,
    );
    let told = told(
        &bench,
        r#"target = "./t.target.toml"
[row]
key = ["Customer Id", "Nr"]
[fields]
kind = { column = "Company", one_of = ["person", "firm"] }
a = { column = "Company", type = "integer", one_of = [1, "two"], default = "x" }
b = { column = "Company", type = "boolean", default = "perhaps" }
c = { column = "Company", type = "date", min = 5, formats = ["%Y-%m-%d", "%d.%m"] }
d = { column = "Company", type = "datetime", timezone = "Mars", century = 100 }
e = { column = "Phone", type = "phone", region = "XX" }
f = { column = "Company", clean = "lower", split = "" }
g = { column = "Company", clean = [{ pda = 5 }, { pad = 0 }] }
h = { value = 2020-01-01, type = "integer" }
"#,
    );
    assert_snapshot!(told, @r##"
    error[unknown-column]: this file has no column `Nr`
     --> m.toml:3:23
      |
    3 | key = ["Customer Id", "Nr"]
      |                       ^^^^ no such column
      |
      = help: its columns are: `Customer Id`, `Company`, `Email`, `Phone`, `Country`

    error[wrong-value]: `firm` of this `one_of` does not suit the field `kind`
     --> m.toml:5:51
      |
    5 | kind = { column = "Company", one_of = ["person", "firm"] }
      |                                                   ^^^^ this is not an option of the target; options: person, company

    error[wrong-value]: `two` of this `one_of` does not suit the field `a`
     --> m.toml:6:59
      |
    6 | a = { column = "Company", type = "integer", one_of = [1, "two"], default = "x" }
      |                                                           ^^^ this is not a number

    error[wrong-value]: this `default` does not suit the field `a`
     --> m.toml:6:76
      |
    6 | a = { column = "Company", type = "integer", one_of = [1, "two"], default = "x" }
      |                                                                            ^^^ this is not a number

    error[wrong-value]: this `default` does not suit the field `b`
     --> m.toml:7:55
      |
    7 | b = { column = "Company", type = "boolean", default = "perhaps" }
      |                                                       ^^^^^^^^^ this is neither yes nor no; known are yes/no, true/false, 1/0, y/n, on/off, ja/nein, oui/non and x; name other words in true_values and false_values

    error[bad-limits]: `min` is a number, and the type `date` has none
     --> m.toml:8:48
      |
    8 | c = { column = "Company", type = "date", min = 5, formats = ["%Y-%m-%d", "%d.%m"] }
      |                                                ^ cannot be compared

    error[bad-setting]: `c` cannot be read like this
     --> m.toml:8:75
      |
    8 | c = { column = "Company", type = "date", min = 5, formats = ["%Y-%m-%d", "%d.%m"] }
      |                                                                           ^^^^^ The date format "%d.%m" has no year; it needs %Y, or %y with `century`.

    error[unknown-value]: there is no time zone `Mars`
     --> m.toml:9:57
      |
    9 | d = { column = "Company", type = "datetime", timezone = "Mars", century = 100 }
      |                                                         ^^^^^^ not known
      |
      = help: write it as a region and a city, such as "Europe/London"

    error[unknown-value]: `century` is "past", "future", or a pivot from 0 to 99
     --> m.toml:9:75
      |
    9 | d = { column = "Company", type = "datetime", timezone = "Mars", century = 100 }
      |                                                                           ^^^ not known
      |
      = help: with the pivot 30, 29 is read as 2029 and 30 as 1930

    error[unknown-value]: a region is the code of a country, two letters of ISO 3166
      --> m.toml:10:50
       |
    10 | e = { column = "Phone", type = "phone", region = "XX" }
       |                                                  ^^^^ not a region
       |
       = help: such as "GB", "US" or "DE"

    error[wrong-type]: a text stands where a list belongs
      --> m.toml:11:35
       |
    11 | f = { column = "Company", clean = "lower", split = "" }
       |                                   ^^^^^^^ not a list
       |
       = help: put it in square brackets: ["lower"]

    error[bad-value]: a separator is empty
      --> m.toml:11:52
       |
    11 | f = { column = "Company", clean = "lower", split = "" }
       |                                                    ^^ empty
       |
       = help: name the text between the parts, such as ";"

    error[unknown-key]: there is no key `pda` here
      --> m.toml:12:38
       |
    12 | g = { column = "Company", clean = [{ pda = 5 }, { pad = 0 }] }
       |                                      ^^^ not known
       |
       = help: did you mean `pad`?

    error[bad-value]: `pad` is a length from 1 to 255
      --> m.toml:12:49
       |
    12 | g = { column = "Company", clean = [{ pda = 5 }, { pad = 0 }] }
       |                                                 ^^^^^^^^^^^ not such a length

    error[wrong-value]: this `value` does not suit the field `h`
      --> m.toml:13:15
       |
    13 | h = { value = 2020-01-01, type = "integer" }
       |               ^^^^^^^^^^ this is not a number
    "##);
}

#[test]
fn a_look_up_file_that_is_ragged_or_empty_shows_its_line() {
    let bench = Bench::new();
    bench.file("ragged.csv", "k,v\na,1\nb\nUmber, Ltd,3\n");
    bench.file("empty.csv", "");
    bench.file("open.csv", "k,v\n\"a,1\nb,2\n");
    let told = told(
        &bench,
        r#"target = "kaiten"
[row]
key = "Customer Id"
[fields]
name = { column = "Company", lookup = "ragged.csv" }
domain = { column = "Company", lookup = "empty.csv" }
externalCustomerId = { column = "Company", lookup = "open.csv" }
"#,
    );
    assert_snapshot!(told, @r##"
    error[lookup-file]: the look-up file empty.csv is empty
     --> empty.csv:1:1
      |
    1 |
      | ^ nothing here
      |
      = help: its first line names its columns, the others hold a key and a value each

    error[lookup-file]: a quote on line 2 of the look-up file open.csv is never closed
     --> open.csv:2:1
      |
    2 | "a,1
      | ^^^^ opens here
      |
      = help: write a quote within a cell twice, or close it

    error[lookup-file]: line 3 of the look-up file ragged.csv has 1 cell, and its header 2
     --> ragged.csv:3:1
      |
    3 | b
      | ^ too few cells
      |
      = help: write the separator and the value behind the key, or take the line out

    error[lookup-file]: line 4 of the look-up file ragged.csv has 3 cells, and its header 2
     --> ragged.csv:4:1
      |
    4 | Umber, Ltd,3
      | ^^^^^^^^^^^^ too many cells
      |
      = help: a cell that holds the separator stands in double quotes: "Umber, Ltd"
    "##);
}

#[test]
fn files_that_are_no_mapping_are_refused_with_a_sentence() {
    let bench = Bench::new();
    bench.file("in.csv", "A\n1\n");
    std::fs::create_dir(bench.path().join("folder.toml")).unwrap();
    std::fs::write(
        bench.path().join("latin.toml"),
        b"target = \"kaiten\"\n# M\xfcller\n",
    )
    .unwrap();
    std::fs::write(bench.path().join("utf16.toml"), b"\xff\xfet\0=\0").unwrap();
    bench.file("empty.toml", "");
    bench.file("huge.toml", &"x".repeat((16 << 20) + 1));
    bench.file(
        "deep.toml",
        &format!(
            "target = \"kaiten\"\n[fields]\nname = {}",
            "{a=".repeat(5000)
        ),
    );
    bench.file(
        "twice.toml",
        "target = \"kaiten\"\n[fields]\nname = \"A\"\nname = \"A\"\n\"name\" = “A”\n",
    );
    let mut all = String::new();
    for name in ["folder", "latin", "utf16", "empty", "huge", "deep", "twice"] {
        let ran = bench
            .run(&["check", "in.csv", "--mapping", &format!("{name}.toml")])
            .expect(2);
        let lines = ran
            .stderr
            .lines()
            .map(|line| match line.char_indices().nth(90) {
                Some((at, _)) => format!("{} …\n", &line[..at]),
                None => format!("{line}\n"),
            });
        all.push_str(&format!("== {name}\n{}", lines.collect::<String>()));
    }
    assert_snapshot!(all, @r##"
    == folder
    error[mapping-file]: the mapping file folder.toml is a folder
    == latin
    error[mapping-file]: the mapping file latin.toml is not UTF-8 text: the first byte that is …
     |
     = help: save the file with the encoding UTF-8
    == utf16
    error[mapping-file]: the mapping file utf16.toml is not UTF-8 text: the first byte that is …
     |
     = help: save the file with the encoding UTF-8
    == empty
    error[missing-target]: the mapping file does not say what its target is
     --> empty.toml:1:1
      |
    1 |
      | ^ no `target` in this file
      |
      = help: write target = "…" in its first line: a built-in target, which `rowferry targets …

    error[no-fields]: the mapping file fills no field
     --> empty.toml:1:1
      |
    1 |
      | ^ no rule in this file
      |
      = help: write [fields], and below it a line for each field, such as name = "Company"
    == huge
    error[mapping-file]: the mapping file huge.toml is too large to be a mapping file
    == deep
    error[no-source]: the rule of `name` does not say where the value comes from
     --> deep.toml:3:8
      |
    3 | name = {a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={ …
      |        ^^^^ none of `column`, `template`, `value`
      |
      = help: add column = "…"; a field that lies within another is written with its whole pat …

    error[toml-syntax]: this is not TOML: cannot recurse further; max recursion depth met
     --> deep.toml:3:248
      |
    3 | ...a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a= …
      |                                                                  ^ here

    error[toml-syntax]: this is not TOML: unclosed inline table, expected `}`
     --> deep.toml:3:15008
      |
    3 | ...a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a={a=
      |                                                                  ^ here
    == twice
    error[toml-syntax]: `name` stands twice in this table
     --> twice.toml:4:1
      |
    4 | name = "A"
      | ^^^^ the second
      |
      = help: take one of them out, or put its lines together with the first

    error[toml-syntax]: `"name"` stands twice in this table
     --> twice.toml:5:1
      |
    5 | "name" = “A”
      | ^^^^^^ the second
      |
      = help: take one of them out, or put its lines together with the first

    error[toml-syntax]: this is not TOML: string values must be quoted, expected literal strin …
     --> twice.toml:5:10
      |
    5 | "name" = “A”
      |          ^^^ here
      |
      = help: the quotes here are typographic ones; TOML's are " and '
    "##);
}

#[test]
fn very_many_mistakes_are_told_in_good_time() {
    let bench = Bench::new();
    bench.file("in.csv", "A\n1\n");
    let mut mapping =
        "target = \"kaiten\"\n[row]\nkey = \"A\"\n[fields]\nname = \"A\"\n".to_owned();
    for n in 0..3000 {
        mapping.push_str(&format!(
            "f{n} = {{ column = \"C{n}\", clean = [\"lowr\"] }}\n"
        ));
    }
    bench.file("m.toml", &mapping);
    let ran = bench
        .run(&["check", "in.csv", "--mapping", "m.toml"])
        .expect(2);
    assert_eq!(ran.stderr.matches("error[").count(), 100);
    assert!(
        ran.stderr.ends_with(" more, told once these are mended\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn failing_tests_are_told_as_json_too() {
    let bench = Bench::new();
    bench.file(
        "m.toml",
        r#"target = "kaiten"
[row]
key = "Id"
[fields]
name = { column = "Company", clean = ["squash"] }
externalCustomerId = "Id"

[[test]]
row  = { Id = "1", Compny = "Acme", Company = "Acme  Inc" }
body = { name = "Acme Ltd", externalCustomerId = "1", slug = "x" }

[[test]]
row    = { Id = "2" }
issues = ["name.requird"]
"#,
    );
    let ran = bench.run(&["check", "--mapping", "m.toml"]).expect(2);
    assert_snapshot!(ran.stderr, @r##"
    error[test-failed]: the row of this test gives another `name`
      --> m.toml:10:17
       |
    10 | body = { name = "Acme Ltd", externalCustomerId = "1", slug = "x" }
       |                 ^^^^^^^^^^ expected this, got "Acme Inc"

    error[test-failed]: the row of this test gives another `slug`
      --> m.toml:10:62
       |
    10 | body = { name = "Acme Ltd", externalCustomerId = "1", slug = "x" }
       |                                                              ^^^ expected this, got "1-eabb2197f1"

    error[test-failed]: the row of this test gives other issues than it lists
      --> m.toml:14:10
       |
    14 | issues = ["name.requird"]
       |          ^^^^^^^^^^^^^^^^ expected, but not given: name.requird; given, but not expected: name.required
       |
       = help: did you mean `name.required`?

    note[unused-columns]: no rule reads the column `Compny`
     --> m.toml:9:20
      |
    9 | row  = { Id = "1", Compny = "Acme", Company = "Acme  Inc" }
      |                    ^^^^^^ not read
      |
      = help: did you mean `Company`?
    2 of 2 test cases of m.toml fail
    "##);
    let ran = bench
        .run(&["check", "--mapping", "m.toml", "--json"])
        .expect(2);
    let told = ran.json();
    assert_snapshot!(serde_json::to_string_pretty(&told["mistakes"]).unwrap(), @r##"
    [
      {
        "code": "test-failed",
        "message": "the row of this test gives another `name`",
        "file": "m.toml",
        "line": 10,
        "column": 17,
        "label": "expected this, got \"Acme Inc\"",
        "help": null,
        "note": false
      },
      {
        "code": "test-failed",
        "message": "the row of this test gives another `slug`",
        "file": "m.toml",
        "line": 10,
        "column": 62,
        "label": "expected this, got \"1-eabb2197f1\"",
        "help": null,
        "note": false
      },
      {
        "code": "test-failed",
        "message": "the row of this test gives other issues than it lists",
        "file": "m.toml",
        "line": 14,
        "column": 10,
        "label": "expected, but not given: name.requird; given, but not expected: name.required",
        "help": "did you mean `name.required`?",
        "note": false
      },
      {
        "code": "unused-columns",
        "message": "no rule reads the column `Compny`",
        "file": "m.toml",
        "line": 9,
        "column": 20,
        "label": "not read",
        "help": "did you mean `Company`?",
        "note": true
      }
    ]
    "##);
    assert_eq!(told["finished"], false);
}

#[test]
fn a_mapping_without_tests_is_told_so() {
    let bench = Bench::new();
    bench.file(
        "m.toml",
        "target = \"kaiten\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Company\"\n",
    );
    let ran = bench.run(&["check", "--mapping", "m.toml"]).expect(0);
    assert_snapshot!(ran.stderr, @r##"m.toml: no mistakes; it carries no [[test]] cases"##);
    assert_eq!(ran.stdout, "");
    let ran = bench
        .run(&["check", "--mapping", "m.toml", "--json"])
        .expect(0);
    assert_snapshot!(ran.json()["notes"].to_string(), @r##"["m.toml: no mistakes; it carries no [[test]] cases"]"##);
}

#[test]
fn what_is_meant_is_told_and_no_more() {
    let bench = Bench::new();
    bench.file("in.csv", "N,A,Email,email\n1,x,a,b\n");
    bench.file("l.csv", "name,id\nx,1\n");
    bench.file(
        "open.target.toml",
        "name = \"Open\"\nbase_url = \"https://x.example\"\nopen_fields = true\n[auth]\nkind = \"none\"\n[headers]\nX-A = \"ok\"\n[create]\npath = \"/c\"\n",
    );
    let with = |text: &str| {
        let mapping = format!(
            "target = \"./open.target.toml\"\n{text}[row]\nkey = \"N\"\n[fields]\na = \"A\"\n"
        );
        told(&bench, &mapping)
    };
    // A file that is read in another way has other columns.
    assert_snapshot!(with("[source]\ndelimiter = \"ab\"\n"), @r##"
    error[bad-value]: the delimiter is one ASCII character, and neither a quote nor a line break
     --> m.toml:3:13
      |
    3 | delimiter = "ab"
      |             ^^^^ not such a character
      |
      = help: write ",", ";", "|" or "\t", or leave it out: it is found from the file
    "##);
    assert_snapshot!(with("[source]\nregion = \"XX\"\n"), @r##"
    error[unknown-value]: a region is the code of a country, two letters of ISO 3166
     --> m.toml:3:10
      |
    3 | region = "XX"
      |          ^^^^ not a region
      |
      = help: such as "GB", "US" or "DE"
    "##);
    let more = |text: &str| {
        let mapping = format!(
            "target = \"./open.target.toml\"\n[source]\nregion = \"XX\"\n[row]\nkey = \"N\"\n[fields]\n{text}"
        );
        told(&bench, &mapping)
    };
    assert_snapshot!(more(
        r#"phone = { column = "A", type = "phone" }
a = { column = "A", lookup = { file = "l.csv", key = "nme", value = "idd" } }
b = { column = "A", max_length = 99999999999999999999 }
"#
    ), @r##"
    error[unknown-value]: a region is the code of a country, two letters of ISO 3166
     --> m.toml:3:10
      |
    3 | region = "XX"
      |          ^^^^ not a region
      |
      = help: such as "GB", "US" or "DE"

    error[wrong-type]: this number is too large
     --> m.toml:9:34
      |
    9 | b = { column = "A", max_length = 99999999999999999999 }
      |                                  ^^^^^^^^^^^^^^^^^^^^ not a whole number from 0

    error[unknown-column]: the look-up file l.csv has no column `nme`
     --> l.csv:1:1
      |
    1 | name,id
      | ^^^^^^^ its columns
      |
      = help: did you mean `name`?

    error[unknown-column]: the look-up file l.csv has no column `idd`
     --> l.csv:1:1
      |
    1 | name,id
      | ^^^^^^^ its columns
      |
      = help: did you mean `id`?
    "##);
    assert_snapshot!(more(
        r#"phone = { column = "A", type = "phone" }
a = { column = "A", lookup = { file = "l.csv", key = "nme", value = "idd" } }
c = { template = "{{ row }}" }
d = { template = "{{ email }} {{ row['A'] }}" }
"#
    ), @r##"
    error[unknown-value]: a region is the code of a country, two letters of ISO 3166
     --> m.toml:3:10
      |
    3 | region = "XX"
      |          ^^^^ not a region
      |
      = help: such as "GB", "US" or "DE"

    error[unknown-name]: `row` alone is all columns, which is no value
     --> m.toml:9:22
      |
    9 | c = { template = "{{ row }}" }
      |                      ^^^ which column?
      |
      = help: name one, such as `row["First Name"]`

    error[unknown-name]: 2 columns of this file are called `email` here
      --> m.toml:10:22
       |
    10 | d = { template = "{{ email }} {{ row['A'] }}" }
       |                      ^^^^^ no such column
       |
       = help: write `row["Email"]` or `row["email#2"]`

    error[unknown-column]: the look-up file l.csv has no column `nme`
     --> l.csv:1:1
      |
    1 | name,id
      | ^^^^^^^ its columns
      |
      = help: did you mean `name`?

    error[unknown-column]: the look-up file l.csv has no column `idd`
     --> l.csv:1:1
      |
    1 | name,id
      | ^^^^^^^ its columns
      |
      = help: did you mean `id`?
    "##);
    assert_snapshot!(told(
        &bench,
        "target = \"./nope.target.toml\"\n[row]\nkey = \"N\"\n[fields]\na = \"A\"\n"
    ), @r##"
    error[target-file]: the target file `./nope.target.toml` cannot be read: No such file or directory (os error 2)
     --> m.toml:1:10
      |
    1 | target = "./nope.target.toml"
      |          ^^^^^^^^^^^^^^^^^^^^ named here
      |
      = help: the path counts from the folder of the mapping file; `rowferry targets` lists the targets that need no file
    "##);
    bench.file(
        "open.target.toml",
        "name = \"Open\"\nbase_url = \"https://x.example\"\nopen_fields = true\n[auth]\nkind = \"none\"\n[headers]\nX-A = \"a\\nb\"\n[create]\npath = \"/c\"\n",
    );
    assert_snapshot!(with(""), @r##"
    error[header-value]: the value of the header `X-A` cannot be sent
     --> ./open.target.toml:7:7
      |
    7 | X-A = "a\nb"
      |       ^^^^^^ here
      |
      = help: a header holds letters of ASCII, digits, marks and spaces, on one line
    "##);
}

//! Mistakes in target files: all of a file at once, each at its place, with what to do.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::common::Bench;

/// Ten different mistakes.
const TEN: &str = r#"name = "Acme"
base_url = "acme.example"
[auth]
kind = "header"
header = "X API Key"
env = "ACME_KEY"
[create]
paht = "/customers"
path = "customers/{{ emial }}"
success = [201, 2010]
exists = [{ status = 409, message = "already (there" }]
[[lookup]]
path = "/customers"
query = { email = "{{ email|lowr }}" }
results = "data..items"
[[lookup]]
method = "FETCH"
path = "/search/{{ nmae }}"
lag = "5 parsecs"
[limits]
rate = ["20/s", "100 per fortnight"]
[fields]
name = { type = "text", max_length = 10, min_length = 20 }
email = { type = "emial" }
[custom]
at = "values"
shape = "pears"
key_type = "int"
"#;

fn told(text: &str) -> String {
    let bench = Bench::new();
    bench.file("acme.target.toml", text);
    let ran = bench
        .run(&["targets", "check", "acme.target.toml"])
        .expect(2);
    assert_eq!(ran.stdout, "");
    ran.stderr
}

#[test]
fn ten_mistakes_of_a_target_file_are_told_at_once() {
    assert_snapshot!(told(TEN), @r##"
    error[base-url]: `acme.example` is not an http or https address
     --> acme.target.toml:2:12
      |
    2 | base_url = "acme.example"
      |            ^^^^^^^^^^^^^^ here
      |
      = help: write it whole, such as `https://api.example.com/v1`

    error[header-name]: `X API Key` is not a header's name
     --> acme.target.toml:5:10
      |
    5 | header = "X API Key"
      |          ^^^^^^^^^^^ here
      |
      = help: letters, digits and `-`, such as `X-API-Key`

    error[unknown-key]: there is no key `paht` here
     --> acme.target.toml:8:1
      |
    8 | paht = "/customers"
      | ^^^^ not known
      |
      = help: did you mean `path`?

    error[target-path]: the path `customers/{{ emial }}` does not begin with `/`
     --> acme.target.toml:9:8
      |
    9 | path = "customers/{{ emial }}"
      |        ^^^^^^^^^^^^^^^^^^^^^^^ here
      |
      = help: paths stand behind base_url and begin with `/`

    error[unknown-field]: [fields] names no `emial`, so no row can fill this
     --> acme.target.toml:9:22
      |
    9 | path = "customers/{{ emial }}"
      |                      ^^^^^ here
      |
      = help: did you mean `email`?

    error[status]: 2010 is not a status of HTTP
      --> acme.target.toml:10:17
       |
    10 | success = [201, 2010]
       |                 ^^^^ here
       |
       = help: statuses are numbers from 100 to 599, such as 201

    error[pattern]: this pattern is wrong: unclosed group
      --> acme.target.toml:11:46
       |
    11 | exists = [{ status = 409, message = "already (there" }]
       |                                              ^ here

    error[template]: this template is wrong: there is no filter `lowr`; did you mean `lower`?
      --> acme.target.toml:14:29
       |
    14 | query = { email = "{{ email|lowr }}" }
       |                             ^^^^ here

    error[path]: the path `data..items` has an empty part
      --> acme.target.toml:15:11
       |
    15 | results = "data..items"
       |           ^^^^^^^^^^^^^ here

    error[method]: `FETCH` is not a method that can be used here
      --> acme.target.toml:17:10
       |
    17 | method = "FETCH"
       |          ^^^^^^^ here
       |
       = help: did you mean `PATCH`?

    error[unknown-field]: [fields] names no `nmae`, so no row can fill this
      --> acme.target.toml:18:20
       |
    18 | path = "/search/{{ nmae }}"
       |                    ^^^^ here
       |
       = help: did you mean `name`?

    error[duration]: `5 parsecs` is not a length of time
      --> acme.target.toml:19:7
       |
    19 | lag = "5 parsecs"
       |       ^^^^^^^^^^^ here
       |
       = help: write it as `5s`, `10min` or `24h`

    error[rate]: `100 per fortnight` is not a rate: write it as `20/s`, `150/10s`, `100/min`, `1000/h`, `2000/day` or `50000/month`
      --> acme.target.toml:21:17
       |
    21 | rate = ["20/s", "100 per fortnight"]
       |                 ^^^^^^^^^^^^^^^^^^^ here

    error[limits]: no text is at least 20 and at most 10 characters long
      --> acme.target.toml:23:55
       |
    23 | name = { type = "text", max_length = 10, min_length = 20 }
       |                                                       ^^ here

    error[unknown-type]: there is no type `emial`
      --> acme.target.toml:24:18
       |
    24 | email = { type = "emial" }
       |                  ^^^^^^^ here
       |
       = help: did you mean `email`?

    error[unknown-value]: `pears` is not one of the values here
      --> acme.target.toml:27:9
       |
    27 | shape = "pears"
       |         ^^^^^^^ not known
       |
       = help: did you mean `pairs`?

    error[unknown-value]: `int` is not one of the values here
      --> acme.target.toml:28:12
       |
    28 | key_type = "int"
       |            ^^^^^ here
       |
       = help: did you mean `integer`?
    "##);
}

#[test]
fn mistakes_of_a_target_file_are_told_as_json_too() {
    let bench = Bench::new();
    bench.file("acme.target.toml", TEN);
    let ran = bench
        .run(&["targets", "check", "acme.target.toml", "--json"])
        .expect(2);
    let said = ran.json();
    assert_eq!(said["exit_code"], 2);
    let mistakes = said["mistakes"].as_array().unwrap();
    assert!(mistakes.len() >= 10, "{said:#}");
    assert_eq!(
        ran.stderr.matches("acme.target.toml:").count(),
        mistakes.len()
    );
    let lowr = mistakes
        .iter()
        .find(|mistake| mistake["line"] == 14)
        .unwrap();
    assert_eq!(lowr["file"], "acme.target.toml");
    let text = TEN.lines().nth(13).unwrap();
    let column = usize::try_from(lowr["column"].as_u64().unwrap()).unwrap();
    assert_eq!(&text[column - 1..column + 3], "lowr");
    // One that is good says so in both ways.
    bench.file(
        "good.target.toml",
        "name = \"G\"\nbase_url = \"https://g.example\"\n[auth]\nkind = \"none\"\n[create]\npath = \"/c\"\n[fields]\nname = {}\n",
    );
    let ran = bench
        .run(&["targets", "check", "good.target.toml", "--json"])
        .expect(0);
    assert_eq!(
        ran.json(),
        json!({ "command": "targets check", "target": "good", "file": "good.target.toml", "exit_code": 0, "mistakes": [] })
    );
    assert_eq!(ran.stderr, "");
    let ran = bench
        .run(&["targets", "check", "good.target.toml"])
        .expect(0);
    assert!(ran.stderr.contains("no mistakes") && ran.stdout.is_empty());
    let ran = bench
        .run(&["targets", "check", "none.target.toml", "--json"])
        .expect(2);
    assert_eq!(ran.json()["target"], Value::Null);
    assert!(ran.stderr.contains("none.target.toml"));
}

#[test]
fn a_name_that_no_field_has_is_told_and_stops_nothing_unless_another_was_meant() {
    let bench = Bench::new();
    let file = |template: &str, open: &str| {
        format!(
            "{open}name = \"G\"\nbase_url = \"https://g.example\"\n[auth]\nkind = \"none\"\n[create]\npath = \"/c\"\n[lookup]\npath = \"/c\"\nquery = {{ q = \"x:{template}\" }}\nresults = \"data\"\nprove = [\"name\"]\n[read]\npath = \"/c/{{{{ id }}}}\"\n[update]\npath = \"/c/{{{{ address }}}}?v={{{{ record.version }}}}\"\nnever = [\"externalId\"]\n[custom]\nat = \"extra\"\n[fields]\nname = {{}}\nemail = {{}}\n\"postal.code\" = {{}}\n"
        )
    };
    for (template, open, code, words) in [
        (
            "{{ email }}{{ postal.code }}{{ extra.x }}{{ key }}",
            "",
            0,
            "no mistakes",
        ),
        ("{{ emial }}", "", 2, "did you mean `email`?"),
        ("{{ emial }}", "open_fields = true\n", 0, "no mistakes"),
        ("{{ fingerprint }}", "", 0, "names no `fingerprint`"),
    ] {
        bench.file("g.target.toml", &file(template, open));
        let ran = bench
            .run(&["targets", "check", "g.target.toml"])
            .expect(code);
        assert!(ran.stderr.contains(words), "{template}: {}", ran.stderr);
    }
}

#[test]
fn a_form_that_dates_do_not_have_is_told() {
    assert_snapshot!(told("name = \"A\"\nbase_url = \"https://a.example\"\n[auth]\nkind = \"none\"\n[create]\npath = \"/c\"\n[fields]\nsince = { type = \"datetime\", output = \"unix\" }\nborn = { type = \"date\", output = \"%H\" }\nname = { type = \"text\", output = \"unix\" }\n"), @r#"
    error[bad-value]: The output format "%H" is not one of strftime for a date, such as "%d/%m/%Y", nor "unix" or "unix_ms".
     --> acme.target.toml:9:34
      |
    9 | born = { type = "date", output = "%H" }
      |                                  ^^^^ here

    error[bad-value]: `output` belongs to the types date and datetime
      --> acme.target.toml:10:34
       |
    10 | name = { type = "text", output = "unix" }
       |                                  ^^^^^^ here
    "#);
}

#[test]
fn what_a_file_that_extends_gets_wrong_is_marked_in_it() {
    assert_snapshot!(told("extends = \"cirql\"\n[limits]\nconcurency = 2\n"), @r##"
    error[target-extends]: there is no target called `cirql`; the built-in ones are sphinx, flextell, kaiten, assembly, assembly-companies, cirqll
     --> acme.target.toml:1:11
      |
    1 | extends = "cirql"
      |           ^^^^^^^ extends this
      |
      = help: did you mean `cirqll`?

    error[unknown-key]: there is no key `concurency` here
     --> acme.target.toml:3:1
      |
    3 | concurency = 2
      | ^^^^^^^^^^ not known
      |
      = help: did you mean `concurrency`?
    "##);
    assert_snapshot!(told("extends = \"cirqll\"\n[update]\npath = \"/customer/{{ adress }}\"\n"), @r##"
    error[unknown-field]: [fields] names no `adress`, so no row can fill this
     --> acme.target.toml:3:22
      |
    3 | path = "/customer/{{ adress }}"
      |                      ^^^^^^ here
      |
      = help: did you mean `address`?
    "##);
}

//! Reject and results files: what stands in them, what they are called, and that a reject file that
//! was mended is imported as the same import.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use common::{Bench, Ran};
use encoding_rs::WINDOWS_1252;

/// A target that can neither be searched nor listed.
const TARGET: &str = r#"
name     = "Acme"
base_url = "https://api.acme.example"
open_fields = true

[auth]
kind = "none"

[create]
path = "/customers"
id   = "id"

[limits]
concurrency = 8

[fields]
name  = { type = "text", required = true }
email = { type = "email" }
"#;

const MAPPING: &str = r#"
target = "./acme.target.toml"

[row]
key = "Nr"

[fields]
name  = "Name"
email = "Email"
"#;

/// A server that makes customers, with ids from their names, or cuts the line after it has read a request.
struct Server {
    url: String,
    cuts: Arc<AtomicBool>,
    bodies: Arc<Mutex<Vec<serde_json::Value>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self {
            url,
            cuts: Arc::default(),
            bodies: Arc::default(),
        };
        let (cuts, bodies) = (Arc::clone(&server.cuts), Arc::clone(&server.bodies));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (cuts, bodies) = (Arc::clone(&cuts), Arc::clone(&bodies));
                std::thread::spawn(move || answer(stream, &cuts, &bodies));
            }
        });
        server
    }

    /// The names in the bodies that came, sorted; they are forgotten.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::mem::take(&mut *self.bodies.lock().unwrap())
            .iter()
            .map(|body| body["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }
}

fn answer(stream: TcpStream, cuts: &AtomicBool, bodies: &Mutex<Vec<serde_json::Value>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let name = body["name"].as_str().unwrap().to_owned();
        bodies.lock().unwrap().push(body);
        if cuts.load(Ordering::SeqCst) {
            return;
        }
        let text = serde_json::json!({ "id": format!("c-{name}") }).to_string();
        let answer = format!(
            "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        if reader.get_mut().write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn bench(mapping: &str) -> Bench {
    let bench = Bench::new();
    bench.file("acme.target.toml", TARGET);
    bench.file("m.toml", mapping);
    bench
}

fn import(bench: &Bench, server: &Server, more: &[&str]) -> Ran {
    let mut arguments = vec![
        "import",
        "-m",
        "m.toml",
        "--json",
        "--base-url",
        &server.url,
    ];
    arguments.extend(more);
    bench.run(&arguments)
}

/// `created 2, rejected 1`: the fates of a summary that are not 0.
fn fates(ran: &Ran) -> String {
    let json = ran.json();
    let mut words = Vec::new();
    for (name, count) in json["fates"].as_object().unwrap() {
        if count.as_u64() != Some(0) {
            words.push(format!("{name} {count}"));
        }
    }
    words.join(", ")
}

/// The names of the CSV files in the folder.
fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".csv"))
        .collect();
    names.sort();
    names
}

/// A results file with its run ids as `RUN`.
fn results(bench: &Bench, name: &str) -> String {
    let run = regex::Regex::new(",[0-9A-HJKMNP-TV-Z]{26},").unwrap();
    run.replace_all(&bench.read(name), ",RUN,").into_owned()
}

fn latin(text: &str) -> Vec<u8> {
    let (bytes, _, lossy) = WINDOWS_1252.encode(text);
    assert!(!lossy);
    bytes.into_owned()
}

#[test]
fn a_messy_file_comes_back_mended_and_is_the_same_import() {
    let server = Server::start();
    let bench = bench(
        r#"
        target = "./acme.target.toml"

        [source]
        header_row = 3
        encoding   = "windows-1252"

        [row]
        key = "Nr"

        [fields]
        name  = "Name"
        email = { column = "=E-Mail", required = true }
        note  = "Notiz"
        old   = "'Alt"
        "#,
    );
    let rows = [
        "Export;;;;",
        "",
        "Nr;Name;=E-Mail;Notiz;'Alt",
        "001;\"M\u{fc}ller \"\"S\u{f6}hne\"\", GmbH\";a@firma.example;=1+1;'x",
        "002;\u{d6}z;kaputt@;\"zwei\r\nZeilen; hier\";'",
        "003;Zo\u{eb};zoe@firma.example;;",
        "004;\"\u{dc}nal \"\"U\"\"\";;+49 30 123;-5",
        "",
    ]
    .join("\r\n");
    std::fs::write(bench.path().join("clients.csv"), latin(&rows)).unwrap();

    let ran = import(&bench, &server, &["clients.csv"]).expect(1);
    assert_eq!(fates(&ran), "created 2, rejected 2");
    assert_eq!(server.names(), ["Müller \"Söhne\", GmbH", "Zoë"]);
    let bytes = std::fs::read(bench.path().join("clients.rejects.csv")).unwrap();
    let (text, encoding, wrong) = WINDOWS_1252.decode(&bytes);
    assert!(encoding == WINDOWS_1252 && !wrong);
    insta::assert_snapshot!(text.replace("\r\n", "[CRLF]\n"), @r##"
    Nr;Name;'=E-Mail;Notiz;''Alt;_row;_key;_fate;_codes;_problems[CRLF]
    002;Öz;kaputt@;"zwei[CRLF]
    Zeilen; hier";'';5;002;rejected;email.invalid;"C5 ""kaputt@"": this is not an e-mail address: nothing stands behind the @"[CRLF]
    004;"Ünal ""U""";;'+49 30 123;-5;7;004;rejected;email.required;"C7 """": this is empty, and the field may not be"[CRLF]
    "##);

    // A person mends both.
    let mended = text.replacen("kaputt@", "oez@firma.example", 1).replacen(
        "\"\"U\"\"\";;",
        "\"\"U\"\"\";u@firma.example;",
        1,
    );
    std::fs::write(bench.path().join("clients.rejects.csv"), latin(&mended)).unwrap();
    let ran = bench
        .run(&["preview", "clients.rejects.csv", "-m", "m.toml"])
        .expect(0);
    insta::assert_snapshot!(ran.stdout, @r##"
    {"name":"Öz","email":"oez@firma.example","note":"zwei\r\nZeilen; hier","old":"'"}
    {"name":"Ünal \"U\"","email":"u@firma.example","note":"+49 30 123","old":"-5"}
    "##);
    let ran = import(&bench, &server, &["clients.rejects.csv"]).expect(0);
    assert_eq!(fates(&ran), "created 2");
    assert_eq!(server.names(), ["Öz", "Ünal \"U\""]);
    insta::assert_snapshot!(results(&bench, "clients.rejects.results.csv"), @r##"
    row,key,fate,id,run,note
    2,002,created,c-Öz,RUN,
    3,004,created,"c-Ünal ""U""",RUN,
    "##);

    // The first file again: what is in is known, what was broken is still broken in that file.
    let ran = import(&bench, &server, &["clients.csv"]).expect(1);
    assert_eq!(fates(&ran), "unchanged 2, rejected 2");
    assert_eq!(server.names(), [""; 0]);
    insta::assert_snapshot!(results(&bench, "clients.results.csv"), @r##"
    row,key,fate,id,run,note
    4,001,unchanged,"c-Müller ""Söhne"", GmbH",RUN,
    5,002,rejected,c-Öz,,its mended twin is in: the target has a record of this key; email.invalid
    6,003,unchanged,c-Zoë,RUN,
    7,004,rejected,"c-Ünal ""U""",,its mended twin is in: the target has a record of this key; email.required
    "##);
    let second = std::fs::read(bench.path().join("clients.rejects-2.csv")).unwrap();
    let (second, _, _) = WINDOWS_1252.decode(&second);
    assert_eq!(second.matches("mended twin is in").count(), 2, "{second}");

    // The mended file again: all of it is known, and it was never written to.
    let ran = import(&bench, &server, &["clients.rejects.csv"]).expect(0);
    assert_eq!(fates(&ran), "unchanged 2");
    let now = std::fs::read(bench.path().join("clients.rejects.csv")).unwrap();
    assert_eq!(now, latin(&mended));
    assert_eq!(
        files(bench.path()),
        [
            "clients.csv",
            "clients.rejects-2.csv",
            "clients.rejects.csv",
            "clients.rejects.results.csv",
            "clients.results.csv"
        ]
    );
}

#[test]
fn text_that_its_encoding_cannot_hold_comes_back_by_its_mark() {
    let server = Server::start();
    let bench = bench(
        r#"
        target = "./acme.target.toml"

        [source]
        encoding = "windows-1252"

        [row]
        key = "Nr"

        [fields]
        name  = "Name"
        email = "Email"
        "#,
    );
    std::fs::write(
        bench.path().join("c.csv"),
        latin("Nr,Name,Email\n1,Zo\u{eb},wrong\n"),
    )
    .unwrap();
    import(&bench, &server, &["c.csv"]).expect(1);
    let path = bench.path().join("c.rejects.csv");
    let bytes = std::fs::read(&path).unwrap();
    let text = WINDOWS_1252.decode(&bytes).0;
    // A spreadsheet program saves it as UTF-8 with a mark.
    let mended = text
        .replacen("wrong", "zoe@firma.example", 1)
        .replacen("Zoë", "Zoë Łuk", 1);
    std::fs::write(&path, format!("\u{feff}{mended}")).unwrap();
    import(&bench, &server, &["c.rejects.csv"]).expect(0);
    assert_eq!(server.names(), ["Zoë Łuk"]);
}

#[test]
fn a_file_without_a_header_comes_back_with_one() {
    let server = Server::start();
    let bench = bench(
        r#"
        target = "./acme.target.toml"

        [source]
        header_row = 0

        [row]
        key = "A"

        [fields]
        name  = "B"
        email = "C"
        "#,
    );
    bench.file("c.csv", "1,Ann,ann@firma.example\n2,Bob,bob@\n");
    let ran = import(&bench, &server, &["c.csv"]).expect(1);
    assert_eq!(fates(&ran), "created 1, rejected 1");
    let text = bench.read("c.rejects.csv");
    assert!(
        text.starts_with("A,B,C,_row,_key,_fate,_codes,_problems\n2,Bob,bob@,2,2,"),
        "{text}"
    );
    bench.file(
        "c.rejects.csv",
        &text.replacen("bob@", "bob@firma.example", 1),
    );
    let ran = import(&bench, &server, &["c.rejects.csv"]).expect(0);
    assert_eq!(fates(&ran), "created 1");
    assert_eq!(server.names(), ["Ann", "Bob"]);
}

#[test]
fn a_person_decides_about_rows_whose_fate_is_unknown() {
    let server = Server::start();
    let bench = bench(MAPPING);
    bench.file("c.csv", "Nr,Name,Email\n1,Ann,\n2,Bob,\n3,Cid,\n");
    server.cuts.store(true, Ordering::SeqCst);
    let ran = import(&bench, &server, &["c.csv"]).expect(1);
    assert_eq!(fates(&ran), "uncertain 3");
    assert_eq!(server.names(), ["Ann", "Bob", "Cid"], "each is sent once");
    let rejects = bench.read("c.rejects.csv");
    insta::assert_snapshot!(rejects, @r##"
    Nr,Name,Email,_row,_key,_fate,_codes,_problems
    1,Ann,,2,1,uncertain,target.unknown,"sent, but it is not known whether the target made it: look there before you send it again, then write `send` or `created:ID` into _fate; A2 ""1"": connection closed before message completed; the target has no look-up"
    2,Bob,,3,2,uncertain,target.unknown,"sent, but it is not known whether the target made it: look there before you send it again, then write `send` or `created:ID` into _fate; A3 ""2"": connection closed before message completed; the target has no look-up"
    3,Cid,,4,3,uncertain,target.unknown,"sent, but it is not known whether the target made it: look there before you send it again, then write `send` or `created:ID` into _fate; A4 ""3"": connection closed before message completed; the target has no look-up"
    "##);
    insta::assert_snapshot!(results(&bench, "c.results.csv"), @r##"
    row,key,fate,id,run,note
    2,1,uncertain,,,target.unknown
    3,2,uncertain,,,target.unknown
    4,3,uncertain,,,target.unknown
    "##);

    // Left as it is, nothing is sent, from either file.
    server.cuts.store(false, Ordering::SeqCst);
    for name in ["c.csv", "c.rejects.csv"] {
        let ran = import(&bench, &server, &[name]).expect(1);
        assert_eq!(fates(&ran), "uncertain 3", "{name}");
    }
    assert_eq!(server.names(), [""; 0]);

    // Looked after in the target: Ann is there, Bob is not, of Cid nobody knows.
    let decided = rejects
        .replacen("1,Ann,,2,1,uncertain", "1,Ann,,2,1,created:77", 1)
        .replacen("2,Bob,,3,2,uncertain", "2,Bob,,3,2, Send ", 1);
    bench.file("decided.csv", &decided);
    let ran = import(&bench, &server, &["decided.csv"]).expect(1);
    assert_eq!(fates(&ran), "created 1, unchanged 1, uncertain 1");
    assert_eq!(server.names(), ["Bob"]);
    insta::assert_snapshot!(results(&bench, "decided.results.csv"), @r##"
    row,key,fate,id,run,note
    2,1,unchanged,77,,a person says that the target has it
    3,2,created,c-Bob,RUN,
    4,3,uncertain,,,target.unknown
    "##);

    // What was decided stays so, for the first file too, and a second hand-back sends nothing.
    let ran = import(&bench, &server, &["decided.csv"]).expect(1);
    assert_eq!(fates(&ran), "unchanged 2, uncertain 1");
    let ran = import(&bench, &server, &["c.csv"]).expect(1);
    assert_eq!(fates(&ran), "unchanged 2, uncertain 1");
    assert_eq!(server.names(), [""; 0]);
    insta::assert_snapshot!(results(&bench, "c.results.csv"), @r##"
    row,key,fate,id,run,note
    2,1,unchanged,77,RUN,
    3,2,unchanged,c-Bob,RUN,
    4,3,uncertain,,,target.unknown
    "##);
}

#[test]
fn a_fate_that_is_no_decision_changes_nothing() {
    let server = Server::start();
    let bench = bench(MAPPING);
    bench.file("c.csv", "Nr,Name,Email\n1,Ann,\n2,Bob,\n");
    server.cuts.store(true, Ordering::SeqCst);
    import(&bench, &server, &["c.csv"]).expect(1);
    server.cuts.store(false, Ordering::SeqCst);
    server.names();
    let rejects = bench.read("c.rejects.csv");
    let decided = rejects
        .replacen("2,1,uncertain", "2,1,created:", 1)
        .replacen("3,2,uncertain", "3,2,yes please", 1);
    bench.file("decided.csv", &decided);
    let ran = import(&bench, &server, &["decided.csv"]).expect(1);
    assert_eq!(fates(&ran), "uncertain 2");
    assert_eq!(server.names(), [""; 0]);
}

#[test]
fn the_results_file_tells_every_row() {
    let server = Server::start();
    let bench = bench(&format!(
        "{}\n[policy]\nduplicates = \"first\"\n",
        MAPPING.replace(
            "key = \"Nr\"",
            "key = \"Nr\"\nskip_when = 'name == \"gone\"'"
        )
    ));
    bench.file(
        "c.csv",
        "Nr,Name,Email\n1,Ann,\n2,gone,\n\n3,Bob,bob@\n1,Anna,\n4,Dee,\n",
    );
    let ran = import(&bench, &server, &["c.csv", "--rows", "2-6"]).expect(1);
    assert_eq!(fates(&ran), "created 1, skipped 2, rejected 1, pending 1");
    insta::assert_snapshot!(results(&bench, "c.results.csv"), @r##"
    row,key,fate,id,run,note
    2,1,created,c-Ann,RUN,
    3,2,skipped,,,"skip_when: `skip_when` is true: name == ""gone"""
    5,3,rejected,,,email.invalid
    6,1,skipped,,,"duplicate: the key stands in row 2 already, and the first is taken"
    7,4,pending,,,not asked for
    "##);
    let first = results(&bench, "c.results.csv");
    let ran = import(&bench, &server, &["c.csv"]).expect(1);
    assert_eq!(fates(&ran), "created 1, unchanged 1, skipped 2, rejected 1");
    insta::assert_snapshot!(results(&bench, "c.results.csv"), @r##"
    row,key,fate,id,run,note
    2,1,unchanged,c-Ann,RUN,
    3,2,skipped,,,"skip_when: `skip_when` is true: name == ""gone"""
    5,3,rejected,,,email.invalid
    6,1,skipped,,,"duplicate: the key stands in row 2 already, and the first is taken"
    7,4,created,c-Dee,RUN,
    "##);
    assert_ne!(first, results(&bench, "c.results.csv"));
    let run = ran.json()["run"].as_str().unwrap().to_owned();
    let text = bench.read("c.results.csv");
    assert!(
        text.contains(&format!("7,4,created,c-Dee,{run},")),
        "{text}"
    );
}

#[test]
fn results_stand_in_the_order_of_the_input() {
    let server = Server::start();
    let bench = bench(MAPPING);
    let mut text = String::from("Nr,Name,Email\n");
    for row in 2..302 {
        let email = if row % 7 == 0 { "wrong" } else { "" };
        text.push_str(&format!("k{row},Name {row},{email}\n"));
    }
    bench.file("c.csv", &text);
    import(&bench, &server, &["c.csv"]).expect(1);
    let rows = |name: &str, column: usize| -> Vec<u64> {
        csv::Reader::from_path(bench.path().join(name))
            .unwrap()
            .records()
            .map(|record| record.unwrap()[column].parse().unwrap())
            .collect()
    };
    assert_eq!(rows("c.results.csv", 0), (2..302).collect::<Vec<u64>>());
    let refused: Vec<u64> = (2..302).filter(|row| row % 7 == 0).collect();
    assert_eq!(rows("c.rejects.csv", 3), refused);
}

#[test]
fn each_input_has_its_files_and_same_names_do_not_meet() {
    let server = Server::start();
    let bench = bench(MAPPING);
    bench.file("a/c.csv", "Nr,Name,Email\n1,Ann,wrong\n");
    bench.file("b/c.csv", "Nr,Name,Email\n2,Bob,\n");
    bench.file("b/d.csv", "Nr,Name,Email\n3,Cid,wrong\n4,Dee,\n");
    let inputs = ["a/c.csv", "b/c.csv", "b/d.csv"];
    let ran = import(&bench, &server, &inputs).expect(1);
    assert_eq!(fates(&ran), "created 2, rejected 2");
    assert_eq!(
        files(&bench.path().join("a")),
        ["c.csv", "c.rejects.csv", "c.results.csv"]
    );
    assert_eq!(
        files(&bench.path().join("b")),
        [
            "c.csv",
            "c.results.csv",
            "d.csv",
            "d.rejects.csv",
            "d.results.csv"
        ]
    );
    let json = ran.json();
    let named: Vec<&str> = json["per_input"]
        .as_array()
        .unwrap()
        .iter()
        .map(|input| input["files"]["results"].as_str().unwrap())
        .collect();
    assert_eq!(
        named,
        ["a/c.results.csv", "b/c.results.csv", "b/d.results.csv"]
    );
    // All into one folder, twice: the two called `c` take two names, and keep them.
    for _ in 0..2 {
        let mut arguments = inputs.to_vec();
        arguments.extend(["--results", "out", "--rejects", "out"]);
        std::fs::create_dir_all(bench.path().join("out")).unwrap();
        import(&bench, &server, &arguments).expect(1);
        assert_eq!(
            files(&bench.path().join("out")),
            [
                "c.rejects.csv",
                "c.results-2.csv",
                "c.results.csv",
                "d.rejects.csv",
                "d.results.csv"
            ]
        );
    }
    assert!(bench.read("out/c.results.csv").contains("2,1,rejected"));
    assert!(
        bench
            .read("out/c.results-2.csv")
            .contains("2,2,unchanged,c-Bob")
    );
}

#[test]
fn rehearsals_and_checks_replace_their_files_and_no_others() {
    let bench = bench(MAPPING);
    bench.file("c.csv", "Nr,Name,Email\n1,Ann,wrong\n2,Bob,\n");
    let rehearse = || {
        bench
            .run(&["import", "c.csv", "-m", "m.toml", "--sandbox"])
            .expect(1)
    };
    let check = || {
        bench
            .run(&["check", "c.csv", "-m", "m.toml", "--rejects", "."])
            .expect(1)
    };
    for _ in 0..3 {
        rehearse();
        assert_eq!(
            files(bench.path()),
            ["c.csv", "c.rejects.csv", "c.results.csv"]
        );
    }
    // Another command may replace what an earlier one wrote.
    bench.file("c.csv", "Nr,Name,Email\n1,Anna,wrong\n2,Bob,\n");
    check();
    assert_eq!(
        files(bench.path()),
        ["c.csv", "c.rejects.csv", "c.results.csv"]
    );
    assert!(bench.read("c.rejects.csv").contains("Anna"));
    // A file that a person has touched stays.
    for name in ["c.rejects.csv", "c.results.csv"] {
        let touched = bench.read(name) + "mine";
        bench.file(name, &touched);
    }
    for _ in 0..3 {
        rehearse();
        check();
    }
    assert_eq!(
        files(bench.path()),
        [
            "c.csv",
            "c.rejects-2.csv",
            "c.rejects.csv",
            "c.results-2.csv",
            "c.results.csv"
        ]
    );
    for name in ["c.rejects.csv", "c.results.csv"] {
        assert!(bench.read(name).ends_with("mine"), "{name}");
    }
}

#[test]
fn a_check_that_finds_nothing_takes_its_old_reject_file_away() {
    let bench = bench(MAPPING);
    bench.file("c.csv", "Nr,Name,Email\n1,Ann,wrong\n");
    let check = ["check", "c.csv", "-m", "m.toml", "--rejects", "."];
    bench.run(&check).expect(1);
    assert!(bench.has("c.rejects.csv"));
    bench.file("c.csv", "Nr,Name,Email\n1,Ann,\n");
    bench.run(&check).expect(0);
    assert!(!bench.has("c.rejects.csv"));
}

#[test]
fn without_a_state_folder_nothing_is_lost() {
    let bench = bench(MAPPING);
    bench.file("c.csv", "Nr,Name,Email\n1,Ann,wrong\n2,Bob,\n");
    bench.file("blocked", "a file where a folder should be");
    for names in [
        &["c.csv", "c.rejects.csv", "c.results.csv"][..],
        &["c.csv", "c.rejects.csv", "c.results-2.csv", "c.results.csv"],
    ] {
        let mut command = bench.command(&["import", "c.csv", "-m", "m.toml", "--sandbox"]);
        command.env("XDG_STATE_HOME", bench.path().join("blocked"));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        // The results differ by the run's name; the reject file is the same byte for byte.
        assert_eq!(files(bench.path()), names);
    }
}

#[test]
fn an_input_is_never_written_over() {
    let server = Server::start();
    let bench = bench(MAPPING);
    bench.file("c.csv", "Nr,Name,Email\n1,Ann,wrong\n2,Bob,bob@\n");
    import(&bench, &server, &["c.csv"]).expect(1);
    let first = bench.read("c.rejects.csv");
    // Untouched, and so by its bytes still ours: it is read now.
    import(&bench, &server, &["c.rejects.csv", "--rows", "2"]).expect(1);
    assert_eq!(bench.read("c.rejects.csv"), first);
    assert!(
        bench
            .read("c.rejects-2.csv")
            .contains("1,Ann,wrong,2,1,rejected")
    );
    // Nothing is refused any more: the file that was handed back is not taken away either.
    bench.file("n.csv", "Nr,Name,Email\n1,Ann,\n");
    let here = ["n.csv", "--results", "n.csv", "--rejects", "n.csv"];
    import(&bench, &server, &here).expect(0);
    assert_eq!(bench.read("n.csv"), "Nr,Name,Email\n1,Ann,\n");
    assert!(bench.has("n-2.csv"));
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_what_is_written() {
    use std::os::unix::fs::PermissionsExt;
    let bench = bench(MAPPING);
    bench.file("c.csv", "Nr,Name,Email\n1,Ann,wrong\n2,Bob,\n");
    bench
        .run(&["import", "c.csv", "-m", "m.toml", "--sandbox"])
        .expect(1);
    for name in ["c.rejects.csv", "c.results.csv", "state/rowferry/written"] {
        let mode = std::fs::metadata(bench.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn standard_input_is_called_stdin() {
    let server = Server::start();
    let bench = bench(MAPPING);
    let mut child = bench
        .command(&["import", "-", "-m", "m.toml", "--base-url", &server.url])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(b"Nr;Name;Email\n1;Ann;wrong\n2;Bob;\n")
        .unwrap();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(
        files(bench.path()),
        ["stdin.rejects.csv", "stdin.results.csv"]
    );
    let text = bench.read("stdin.rejects.csv");
    assert!(text.starts_with("Nr;Name;Email;_row;"), "{text}");
    bench.file(
        "stdin.rejects.csv",
        &text.replacen("wrong", "ann@firma.example", 1),
    );
    let ran = import(&bench, &server, &["stdin.rejects.csv"]).expect(0);
    assert_eq!(fates(&ran), "created 1");
}

#[test]
fn rejects_of_a_workbook_keep_their_columns_and_letters() {
    let server = Server::start();
    let bench = bench(
        r#"
        target = "./acme.target.toml"

        [source]
        sheet      = "Clients"
        header_row = 4

        [row]
        key = "Nr"

        [fields]
        name  = "@C"
        email = "Email"
        since = { column = "Since", type = "date" }
        "#,
    );
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Clients").unwrap();
    sheet.write(0, 1, "Export").unwrap();
    for (column, name) in ["Nr", "Name", "Email", "Since"].into_iter().enumerate() {
        sheet.write(3, column as u16 + 1, name).unwrap();
    }
    let date = rust_xlsxwriter::Format::new().set_num_format("dd.mm.yyyy");
    for (row, (number, name, email)) in
        [("007", "Ann", "wrong"), ("008", "Bob", "bob@firma.example")]
            .into_iter()
            .enumerate()
    {
        let row = row as u32 + 4;
        sheet.write(row, 1, number).unwrap();
        sheet.write(row, 2, name).unwrap();
        sheet.write(row, 3, email).unwrap();
        sheet.write_with_format(row, 4, 45_292, &date).unwrap();
    }
    book.save(bench.path().join("c.xlsx")).unwrap();
    let ran = import(&bench, &server, &["c.xlsx"]).expect(1);
    assert_eq!(fates(&ran), "created 1, rejected 1");
    // Asked for as text, it is text, with the same letters.
    let check = ["check", "c.xlsx", "-m", "m.toml", "--rejects", "t.csv"];
    bench.run(&check).expect(1);
    let text = bench.read("t.csv");
    insta::assert_snapshot!(text, @r##"
    ,Nr,Name,Email,Since,_row,_key,_fate,_codes,_problems
    ,007,Ann,wrong,2024-01-01,5,007,rejected,email.invalid,"D5 ""wrong"": this is not an e-mail address: there is no @"
    "##);
    bench.file("t.csv", &text.replacen("wrong", "ann@firma.example", 1));
    let preview = bench.run(&["preview", "t.csv", "-m", "m.toml"]).expect(0);
    insta::assert_snapshot!(preview.stdout, @r##"
    {"name":"Ann","email":"ann@firma.example","since":"2024-01-01"}
    "##);
    // A spreadsheet program may have saved it as its own.
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Clients").unwrap();
    let mended = bench.read("t.csv");
    for (row, cells) in csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(mended.as_bytes())
        .records()
        .enumerate()
    {
        for (column, cell) in cells.unwrap().iter().enumerate() {
            sheet.write(row as u32, column as u16, cell).unwrap();
        }
    }
    book.save(bench.path().join("c.rejects.xlsx")).unwrap();
    let again = bench
        .run(&["preview", "c.rejects.xlsx", "-m", "m.toml"])
        .expect(0);
    assert_eq!(again.stdout, preview.stdout);
    let ran = import(&bench, &server, &["t.csv"]).expect(0);
    assert_eq!(fates(&ran), "created 1");
    let ran = import(&bench, &server, &["c.rejects.xlsx"]).expect(0);
    assert_eq!(fates(&ran), "unchanged 1");
    let ran = import(&bench, &server, &["c.xlsx"]).expect(1);
    assert_eq!(fates(&ran), "unchanged 1, rejected 1");
}

#[test]
fn results_are_the_look_up_of_a_later_import() {
    let server = Server::start();
    let bench = bench(MAPPING);
    bench.file("companies.csv", "Nr,Name,Email\nA1,Umber,\nA2,Teal,wrong\n");
    import(&bench, &server, &["companies.csv"]).expect(1);
    bench.file(
        "m.toml",
        r#"
        target = "./acme.target.toml"

        [row]
        key = "Nr"

        [fields]
        name    = "Name"
        company = { column = "Company", lookup = { file = "companies.results.csv", key = "key", value = "id" } }
        "#,
    );
    bench.file(
        "people.csv",
        "Nr,Name,Company\n1,Ann,A1\n2,Bob,A2\n3,Cid,a1\n",
    );
    let ran = bench.run(&["preview", "people.csv", "-m", "m.toml", "-n", "9"]);
    insta::assert_snapshot!(format!("{}{}", ran.stdout, ran.stderr), @r##"
    {"name":"Ann","company":"c-Umber"}
    {"name":"Cid","company":"c-Umber"}
    C3: refused: company.lookup: this is not in `companies.results.csv`; add it there, or mend the cell
    "##);
}

#[test]
fn a_record_that_a_person_found_is_not_sent_by_a_later_run() {
    let bench = Bench::new();
    bench.file(
        "m.toml",
        "target = \"kaiten\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Name\"\n",
    );
    bench.file(
        "found.csv",
        "Id,Name,_row,_key,_fate,_codes,_problems\nk1,Anna,2,k1,created:77,,\n",
    );
    bench.file("all.csv", "Id,Name\nk1,Anna\n");
    let import = |input: &str| {
        let arguments = [
            "import",
            input,
            "-m",
            "m.toml",
            "--sandbox",
            "--ledger",
            "l.db",
            "--json",
        ];
        bench.run(&arguments).expect(0).json()
    };
    for input in ["found.csv", "all.csv"] {
        let summary = import(input);
        assert_eq!(summary["fates"]["unchanged"], 1, "{input}: {summary:#}");
        assert_eq!(summary["requests"]["sent"], 0, "{input}: {summary:#}");
    }
    assert!(bench.read("all.results.csv").contains(",unchanged,77,"));
}

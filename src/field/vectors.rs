//! Agreement with test vectors of other projects; skipped, with a line that says so, where the
//! vectors are absent.

use super::*;

type Record = std::collections::HashMap<String, String>;

/// The records of one file of vectors, or `None` where it is absent.
fn records(name: &str) -> Option<Vec<Record>> {
    let path = format!(
        concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/vectors/{}"),
        name
    );
    let Ok(mut reader) = csv::Reader::from_path(&path) else {
        println!("skipped: there is no {path}");
        return None;
    };
    Some(reader.deserialize().map(Result::unwrap).collect())
}

fn of(ty: Type, spec: Spec) -> Reader {
    Reader::new(ty, spec).unwrap()
}

fn read(reader: &Reader, text: &str) -> Result<String, Problem> {
    let cell = Cell {
        text: trim(text),
        kind: Kind::Text,
    };
    reader
        .read(cell, None)
        .map(|read| read.value.as_text().into_owned())
}

/// Counts agreement and shows every difference.
#[derive(Default)]
struct Tally {
    same: usize,
    other: Vec<String>,
}

impl Tally {
    fn add(&mut self, same: bool, what: impl FnOnce() -> String) {
        if same {
            self.same += 1;
        } else {
            self.other.push(what());
        }
    }

    #[track_caller]
    fn settle(self, same: usize, known: &[&str]) {
        let unknown: Vec<_> = self
            .other
            .iter()
            .filter(|other| !known.iter().any(|known| other.contains(known)))
            .collect();
        assert!(
            unknown.is_empty(),
            "{} agree; differences not known of: {unknown:#?}",
            self.same
        );
        assert_eq!(self.same, same);
    }
}

fn phone_reader(region: &str) -> Option<Reader> {
    Reader::new(
        Type::Phone,
        Spec {
            region: (region != "ZZ" && region != "UN001").then(|| region.to_owned()),
            ..Spec::default()
        },
    )
    .ok()
}

#[test]
fn phone_numbers_of_all_regions() {
    let Some(records) = records("phones.csv") else {
        return;
    };
    let mut tally = Tally::default();
    for record in &records {
        let want = (record["valid"] == "true").then(|| record["e164"].clone());
        let nowhere = phone_reader("ZZ").unwrap();
        let got = read(&nowhere, &record["international"]).ok();
        tally.add(got == want, || {
            format!(
                "{} {:?}: {got:?}",
                record["region"], record["international"]
            )
        });
        // Regions without a country's code (such as 001) have no national form to read.
        let Some(national) = phone_reader(&record["region"]) else {
            continue;
        };
        let got = read(&national, &record["national"]).ok();
        tally.add(got == want, || {
            format!("{} {:?}: {got:?}", record["region"], record["national"])
        });
    }
    tally.settle(1548, &[]);
}

#[test]
fn phone_numbers_as_people_write_them() {
    let Some(records) = records("phones-messy.csv") else {
        return;
    };
    let mut tally = Tally::default();
    for record in &records {
        let Some(reader) = phone_reader(&record["default_region"]) else {
            continue;
        };
        let want = (record["valid"] == "true").then(|| record["e164"].clone());
        let got = read(&reader, &record["raw"]).ok();
        tally.add(got == want, || {
            format!(
                "{} {:?}: {got:?}, not {want:?}",
                record["default_region"], record["raw"]
            )
        });
    }
    tally.settle(136, &[]);
}

#[test]
fn email_addresses_of_isemail() {
    let mut tally = Tally::default();
    for name in ["emails-isemail.csv", "emails-isemail-original.csv"] {
        let Some(records) = records(name) else {
            return;
        };
        let reader = of(Type::Email, Spec::default());
        for record in &records {
            let want = match record["verdict"].as_str() {
                "valid" | "valid-syntax" => true,
                "invalid" => false,
                _ => continue,
            };
            // What the reader gets is trimmed before.
            let address = record["address"].as_str();
            if address != trim(address) {
                continue;
            }
            let got = read(&reader, address).is_ok();
            tally.add(got == want, || {
                format!("{:?}: {got}, {}", address, record["diagnosis"])
            });
        }
    }
    // A top-level domain with mail of its own: a customer's address has a dot.
    tally.settle(132, &["\"test@io\""]);
}

#[test]
fn countries_in_many_languages() {
    let Some(records) = records("countries.csv") else {
        return;
    };
    let reader = of(Type::Country, Spec::default());
    let (mut wrong, mut unknown) = (Vec::new(), std::collections::BTreeMap::new());
    let mut same = 0;
    for record in &records {
        let name = &record["name"];
        match read(&reader, name) {
            Ok(code) if code == record["iso2"] => same += 1,
            Ok(code) => wrong.push(format!("{name:?}: {code}, not {}", record["iso2"])),
            Err(problem) if problem.rule == "ambiguous" => {
                wrong.push(format!("{name:?}: ambiguous, not {}", record["iso2"]));
            }
            Err(_) => {
                let kind = format!("{} {}", record["kind"], record["lang"]);
                *unknown.entry(kind).or_insert(0usize) += 1;
            }
        }
    }
    println!("{same} agree; unknown: {unknown:#?}");
    // No name may be read as another country; these are said to be names of two.
    assert_eq!(
        wrong,
        [
            "\"Congo\": ambiguous, not CG",
            "\"Congo (le)\": ambiguous, not CG",
            "\"Congo (the)\": ambiguous, not CG",
            "\"Конго\": ambiguous, not CG",
            "\"São Martinho\": ambiguous, not MF",
            "\"Kongo\": ambiguous, not CG",
        ]
    );
    // Formal names in other languages than English, and names in the genitive, are not known.
    let other: usize = unknown.values().sum();
    assert_eq!((same, other), (2710, records.len() - 2716));
    assert!(
        unknown
            .keys()
            .all(|kind| !kind.starts_with("alpha") && !kind.starts_with("numeric"))
    );
}

#[test]
fn dates_of_dateutil() {
    let Some(records) = records("dates-dateutil.csv") else {
        return;
    };
    let reader = of(
        Type::Date,
        Spec {
            century: Century::Past,
            today: jiff::civil::date(2026, 6, 15),
            ..Spec::default()
        },
    );
    let mut tally = Tally::default();
    for record in &records {
        let want = record["expected_iso"].get(..10).unwrap_or("");
        // The others fill in the order of day and month, which is never guessed here.
        match read(&reader, &record["input"]) {
            Ok(got) => tally.add(got == want, || format!("{:?}: {got}", record["input"])),
            Err(problem) => tally.add(false, || format!("{:?}: {}", record["input"], problem.rule)),
        }
    }
    tally.settle(
        23,
        &[
            // Digits without marks need a format, but for a date of ISO 8601's basic form.
            "\"20030925T104941\": invalid",
            "\"20030925T1049\": invalid",
            "\"19970902090807\": invalid",
            // The order of day and month, or which number is the year, cannot be known.
            "\"10-09-2003\": ambiguous",
            "\"10.09.03\": ambiguous",
            "\"10/09/2003\": ambiguous",
            "\"10 09 03\": ambiguous",
            "\"25 09 03\": ambiguous",
            "\"7 4 1976\": ambiguous",
            "\"7-4-76\": ambiguous",
            "\"04.04.95 00:22\": ambiguous",
            "\"25 03 Sep\": invalid",
            // An era, and hours with a fraction.
            "\"1996.July.10 AD 12:08 PM\": invalid",
            "\"2016-12-21 04.2h\": invalid",
            // The vectors write the year without its zeros.
            "\"0099-01-01T00:00:00\": 0099-01-01",
            "\"0031-01-01T00:00:00\": 0031-01-01",
            "\"0003-03-04\": 0003-03-04",
        ],
    );
}

/// Prints nanoseconds per value of each type:
/// `cargo test --release --lib field::vectors::pace -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement, not a test"]
fn pace() {
    let spec = || Spec {
        region: Some("DE".into()),
        date_order: Some(DateOrder::Dmy),
        options: ["new", "active", "closed"]
            .iter()
            .map(|value| Choice {
                value: (*value).into(),
                label: Some(value.to_uppercase()),
            })
            .collect(),
        ..Spec::default()
    };
    let cases: &[(&str, Type, &[&str])] = &[
        ("text", Type::Text, &["Anna Schmidt", "Müller GmbH & Co"]),
        ("integer", Type::Integer, &["42", "123456"]),
        ("decimal", Type::Decimal, &["1234.56", "17", "1,234.50"]),
        ("boolean", Type::Boolean, &["yes", "no", "nein"]),
        ("date, ISO", Type::Date, &["2025-03-04", "1987-12-31"]),
        ("date, by order", Type::Date, &["31/12/2025", "4.3.1987"]),
        ("datetime", Type::DateTime, &["2025-03-04T05:06:07Z"]),
        (
            "email",
            Type::Email,
            &["anna.schmidt@example.com", "info@a-b.co.uk"],
        ),
        (
            "email, capitals",
            Type::Email,
            &["Anna.Schmidt@Example.com"],
        ),
        (
            "phone",
            Type::Phone,
            &["+49 30 123456", "030 654321", "+442070313000"],
        ),
        ("country, code", Type::Country, &["DE", "NL", "us"]),
        (
            "country, name",
            Type::Country,
            &["Germany", "Netherlands", "United States"],
        ),
        (
            "country, other",
            Type::Country,
            &["Côte d’Ivoire", "Österreich"],
        ),
        ("choice", Type::Choice, &["active", "New", "closed"]),
    ];
    for (name, ty, texts) in cases {
        let reader = of(*ty, spec());
        let mut out = String::new();
        let rounds = 100_000;
        let mut run = || {
            for text in texts.iter().cycle().take(rounds) {
                let cell = Cell {
                    text: trim(text),
                    kind: Kind::Text,
                };
                out.clear();
                reader.read(cell, None).unwrap().value.write_json(&mut out);
                std::hint::black_box(&out);
            }
        };
        run();
        let start = std::time::Instant::now();
        run();
        println!(
            "{name:16} {:6.0} ns",
            start.elapsed().as_nanos() as f64 / rounds as f64
        );
    }
}

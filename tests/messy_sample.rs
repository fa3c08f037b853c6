//! The sample with a bad value of each kind, as a user sees it.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use common::Bench;
use insta::assert_snapshot;
use regex::Regex;

/// A folder with the sample and its mapping under the names that the README uses.
fn bench() -> Bench {
    Bench::with(&["samples/customers-messy.xlsx", "mappings/sphinx.toml"])
}

/// What changes from run to run, in words.
fn settled(text: &str) -> String {
    const PATTERNS: &[(&str, &str)] = &[
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", "[time] "),
        (r"127\.0\.0\.1:\d+", "[server]"),
        (r"\brun\s+[0-9A-Z]{26}", "run [run]"),
        (r"\bin \d+(\.\d+)? m?s\b", "in [time]"),
        (r"after \d{4}-\d\d-\d\d,", "after [today],"),
        (r"\S*/rowferry-sandbox-\w+/", "[folder]/"),
    ];
    PATTERNS
        .iter()
        .fold(text.to_owned(), |text, (pattern, word)| {
            Regex::new(pattern)
                .unwrap()
                .replace_all(&text, *word)
                .into_owned()
        })
}

const INPUT: [&str; 3] = [
    "samples/customers-messy.xlsx",
    "--mapping",
    "mappings/sphinx.toml",
];

#[test]
fn check_tells_what_is_wrong_with_the_sample() {
    let bench = bench();
    let ran = bench.run(&[&["check"], &INPUT[..]].concat()).expect(1);
    assert_eq!(ran.stdout, "");
    assert_snapshot!(settled(&ran.stderr), @r#"
    [time] checking
    18 of 42 rows of samples/customers-messy.xlsx can go to sphinx; 23 are refused,
    1 is left out.
    mapping mappings/sphinx.toml

      created    18  would be sent
      skipped     1  left out, as duplicates or by a rule
      rejected   23  our checks refuse them
      read       42  in all

    Why rows are refused
      3 × Phone [phone.invalid]
          G5 "12345": this is not a valid phone number: it is too short; it was read
            as a number of +1 by the region US
      2 × Email [email.invalid]
          F3 "bob@": this is not an e-mail address: nothing stands behind the @
      2 × Customer Id: this row has no key, so a later run could not know it again;
          fill in the cell, or name another column as `key` under [row] [key.empty]
          A17 (empty)   A45 (empty)
      2 × Credit Limit [credit_limit.invalid]
          T20 "a lot": this is not a number
      2 × there is no way to reach this customer: both e-mail address and phone
          number are empty [check]
          row 29   row 45
      1 × Date of Birth: this may be 1985-04-03 or 1985-03-04; say date_order =
          "dmy" or "mdy" under [source] [dob.ambiguous]
          L7 "03/04/1985"
      1 × Date of Birth: this is not a date: month 2 of 1990 has no day 31
          [dob.invalid]
          L8 "31.02.1990"
      1 × Country: this is not a country that is known by this name or code; give
          its name, or its code of two or three letters by ISO 3166
          [address.country.invalid]
          H9 "Atlantis"
          and 12 problems of 12 other kinds: address.country.ambiguous,
          customer_type.map, full_name.required, full_name.max_length,
          key.duplicate, company.cell_error, credit_limit.cell_error,
          newsletter.invalid, key.precision, external_id.precision,
          signed_up.invalid, dob.max

    The first body as it would be sent
      {
        "full_name": "Naomi St. Clair",
        "external_id": "0010042",
        "customer_type": "INDIVIDUAL",
        "input_details": {"email":"naomi.stclair@saltmarsh-gardens.example","phone"…
      }

    Notes
      - 2 rows have a key that an earlier row has.
      - The mapping does not use the columns Gender, Services, Next Contact.
      - the column `Customer Id`: 1 of 40 values has more than the 15 digits that
        spreadsheet programs keep: the digits behind are lost (A24); export the
        column again as text; the lost digits are nowhere in this file
      - the column `Customer Id`: 1 of 40 values has fewer than the 7 digits of the
        others: leading zeros seem to be lost (A23); if all have 7 digits, write
        clean = [{ pad = 7 }] in the rule of the field

    Checked in [time]; nothing was sent. The import would take 18 requests; how fast
    the target may be asked is not known.
    Next: rowferry import samples/customers-messy.xlsx --mapping mappings/sphinx.toml --sandbox
    "#);
}

#[test]
fn import_sends_the_good_rows_of_the_sample_and_gives_the_others_back() {
    let bench = bench();
    let ran = bench
        .run(&[&["import"], &INPUT[..], &["--sandbox"]].concat())
        .expect(1);
    assert_eq!(ran.stdout, "");
    assert_snapshot!(settled(&ran.stderr), @r#"
    [time] sending
    18 of 42 rows of samples/customers-messy.xlsx are in sphinx; 23 were refused, 1
    was left out.
    http://[server], mapping mappings/sphinx.toml, run [run]

      created    18  made by this run, confirmed by the target
      skipped     1  left out, as duplicates or by a rule
      rejected   23  refused by our checks, not sent
      read       42  in all

    Why rows were refused
      3 × Phone [phone.invalid]
          G5 "12345": this is not a valid phone number: it is too short; it was read
            as a number of +1 by the region US
      2 × Email [email.invalid]
          F3 "bob@": this is not an e-mail address: nothing stands behind the @
      2 × Customer Id: this row has no key, so a later run could not know it again;
          fill in the cell, or name another column as `key` under [row] [key.empty]
          A17 (empty)   A45 (empty)
      2 × Credit Limit [credit_limit.invalid]
          T20 "a lot": this is not a number
      2 × there is no way to reach this customer: both e-mail address and phone
          number are empty [check]
          row 29   row 45
      1 × Date of Birth: this may be 1985-04-03 or 1985-03-04; say date_order =
          "dmy" or "mdy" under [source] [dob.ambiguous]
          L7 "03/04/1985"
      1 × Date of Birth: this is not a date: month 2 of 1990 has no day 31
          [dob.invalid]
          L8 "31.02.1990"
      1 × Country: this is not a country that is known by this name or code; give
          its name, or its code of two or three letters by ISO 3166
          [address.country.invalid]
          H9 "Atlantis"
          and 12 problems of 12 other kinds: address.country.ambiguous,
          customer_type.map, full_name.required, full_name.max_length,
          key.duplicate, company.cell_error, credit_limit.cell_error,
          newsletter.invalid, key.precision, external_id.precision,
          signed_up.invalid, dob.max

    Notes
      - 2 rows have a key that an earlier row has.
      - The mapping does not use the columns Gender, Services, Next Contact.
      - the column `Customer Id`: 1 of 40 values has more than the 15 digits that
        spreadsheet programs keep: the digits behind are lost (A24); export the
        column again as text; the lost digits are nowhere in this file
      - the column `Customer Id`: 1 of 40 values has fewer than the 7 digits of the
        others: leading zeros seem to be lost (A23); if all have 7 digits, write
        clean = [{ pad = 7 }] in the rule of the field

    Files written
      rejects  samples/customers-messy.rejects.xlsx
      results  samples/customers-messy.results.csv
      ledger   [folder]/sphinx.db

    18 requests in [time].
    Next: mend the cells in samples/customers-messy.rejects.xlsx and hand it back:
          rowferry import samples/customers-messy.rejects.xlsx --mapping mappings/sphinx.toml --sandbox
    "#);

    let path = bench.path().join("samples/customers-messy.rejects.xlsx");
    let mut rejects: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
    let sheet = calamine::Reader::sheet_names(&rejects)[0].clone();
    let rejects = calamine::Reader::worksheet_range(&mut rejects, &sheet).unwrap();
    // The source's columns, then ours.
    assert_eq!(rejects.width(), 25);
    let added = |row: &[calamine::Data]| {
        let cells: Vec<String> = row[20..].iter().map(ToString::to_string).collect();
        cells.join(" | ")
    };
    let rows: Vec<String> = rejects.rows().map(added).collect();
    let shown = rows.join("\n");
    assert_snapshot!(settled(&shown), @r##"
    _row | _key | _fate | _codes | _problems
    3 | 0010059 | rejected | email.invalid | F3 "bob@": this is not an e-mail address: nothing stands behind the @
    4 | 0010076 | rejected | email.invalid | F4 "anna.example.com": this is not an e-mail address: there is no @
    5 | 0010093 | rejected | phone.invalid | G5 "12345": this is not a valid phone number: it is too short; it was read as a number of +1 by the region US
    6 | 0010110 | rejected | phone.invalid | G6 "call the office": this is not a phone number: there is no digit in it
    7 | 0010127 | rejected | dob.ambiguous | L7 "03/04/1985": this may be 1985-04-03 or 1985-03-04; say date_order = "dmy" or "mdy" under [source]
    8 | 0010144 | rejected | dob.invalid | L8 "31.02.1990": this is not a date: month 2 of 1990 has no day 31
    9 | 0010161 | rejected | address.country.invalid | H9 "Atlantis": this is not a country that is known by this name or code; give its name, or its code of two or three letters by ISO 3166
    10 | 0010178 | rejected | address.country.ambiguous | H10 "Korea": this is the name of North Korea (KP) and of South Korea (KR); give the code
    11 | 0010195 | rejected | customer_type.map | N11 "Alien": this is not in the map; add it there, or mend the cell
    14 | 0010246 | rejected | full_name.required | B14 "": this is empty, and the field may not be
    15 | 0010263 | rejected | full_name.max_length | B15 "Saskia Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschafe...": this has 271 characters; at most 255 are allowed
    16 | 0010042 | rejected | key.duplicate | A16 "0010042": row 2 has the same key with other values; keep one of them, give this row a key of its own, or set `duplicates` under [policy]
    17 |  | rejected | key.empty | A17 "": this row has no key, so a later run could not know it again; fill in the cell, or name another column as `key` under [row]
    18 | 0010314 | rejected | company.cell_error; credit_limit.cell_error | E18 "#N/A": the workbook shows an error in this cell instead of a value; T18 "#N/A": the workbook shows an error in this cell instead of a value
    19 | 0010331 | rejected | newsletter.invalid | P19 "perhaps": this is neither yes nor no; known are yes/no, true/false, 1/0, y/n, on/off, ja/nein, oui/non and x; name other words in true_values and false_values
    20 | 0010348 | rejected | credit_limit.invalid | T20 "a lot": this is not a number
    21 | 0010365 | rejected | credit_limit.invalid | T21 "1.500,00": this is not a number whose decimal mark is '.'; say decimal = "," if that is its mark
    24 | 1.23456789012346E+19 | rejected | key.precision; external_id.precision | A24 "1.23456789012346E+19": this number is longer than a workbook keeps exactly, so that its last digits may be lost; format the column as text and enter the key again; A24 "1.23456789012346E+19": this is a number of more than 15 digits, which the workbook has already rounded; keep such values as text in the source
    28 | 0010484 | rejected | signed_up.invalid | R28 "yesterday": this is not a date; write it as 2025-12-31, or name its format in `formats`
    29 | 0010501 | rejected | check | there is no way to reach this customer: both e-mail address and phone number are empty
    34 | 0010586 | rejected | phone.invalid | G34 "491701234567": this is not a valid phone number: it is too long; it was read as a number of +32 by the region BE
    35 | 0010603 | rejected | dob.max | L35 "2199-01-01": this is after [today], the most allowed
    45 |  | rejected | key.empty; check | A45 "": this row has no key, so a later run could not know it again; fill in the cell, or name another column as `key` under [row]; there is no way to reach this customer: both e-mail address and phone number are empty
    "##);
}

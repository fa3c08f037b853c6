//! Tables of cases for each type, by way of the reader.

use jiff::civil::date;

use super::*;

fn text(text: &str) -> Cell<'_> {
    Cell {
        text,
        kind: Kind::Text,
    }
}

fn cell(text: &str, kind: Kind) -> Cell<'_> {
    Cell { text, kind }
}

fn spec() -> Spec {
    Spec {
        today: date(2026, 6, 15),
        ..Spec::default()
    }
}

/// What is sent, as JSON, or the rule that is broken.
fn sent(reader: &Reader, cell: Cell<'_>) -> Result<String, &'static str> {
    match reader.read(cell, None) {
        Ok(read) => {
            let mut out = String::new();
            read.value.write_json(&mut out);
            Ok(out)
        }
        Err(problem) => {
            assert!(!problem.message.is_empty());
            Err(problem.rule)
        }
    }
}

#[track_caller]
fn table(reader: &Reader, cases: &[(&str, Result<&str, &'static str>)]) {
    for (input, want) in cases {
        let got = sent(reader, text(input));
        assert_eq!(
            got.as_deref().map_err(|rule| *rule),
            want.map_err(|rule| rule),
            "{input:?}"
        );
    }
}

fn reader(ty: Type, spec: Spec) -> Reader {
    Reader::new(ty, spec).unwrap()
}

#[test]
fn every_type_is_found_by_its_name() {
    for ty in Type::ALL {
        assert_eq!(Type::parse(ty.name()), Some(*ty));
        assert!(ty.describe().ends_with('.'));
    }
    assert_eq!(Type::parse("Text"), None);
}

#[test]
fn damaged_cells_are_refused_by_every_type() {
    for ty in Type::ALL {
        let reader = reader(*ty, spec());
        assert_eq!(
            sent(&reader, cell("#N/A", Kind::Error)),
            Err("cell_error"),
            "{ty:?}"
        );
        assert_eq!(
            sent(&reader, cell("M\u{fffd}ller", Kind::Undecodable)),
            Err("encoding"),
            "{ty:?}"
        );
    }
}

#[test]
fn texts_stay_as_they_are() {
    let reader = reader(Type::Text, spec());
    table(
        &reader,
        &[
            ("Müller \"x\"", Ok(r#""Müller \"x\"""#)),
            ("007", Ok(r#""007""#)),
            ("4.41E+11", Ok(r#""4.41E+11""#)),
        ],
    );
    assert_eq!(
        sent(&reader, cell("12.50", Kind::Number(12.5))),
        Ok(r#""12.50""#.into())
    );
    for number in [9_007_199_254_740_992.0, -1e20, 4_111_111_111_111_110.0] {
        assert_eq!(
            sent(&reader, cell("9007199254740992", Kind::Number(number))),
            Err("precision")
        );
    }
    let read = reader.read(text("as is"), None).unwrap();
    assert!(matches!(read.value, Value::Text(Cow::Borrowed("as is"))));
}

#[test]
fn decimals_with_a_point() {
    table(
        &reader(Type::Decimal, spec()),
        &[
            ("0", Ok("0")),
            ("-0", Ok("0")),
            ("12", Ok("12")),
            ("12.50", Ok("12.5")),
            ("100", Ok("100")),
            (".5", Ok("0.5")),
            ("5.", Ok("5")),
            ("+7", Ok("7")),
            ("-7.25", Ok("-7.25")),
            ("−7", Ok("-7")),
            ("7-", Ok("-7")),
            ("(5.00)", Ok("-5")),
            ("$90,000 ", Ok("90000")),
            ("-$5.10", Ok("-5.1")),
            ("$ -5.10", Ok("-5.1")),
            ("($1,234.50)", Ok("-1234.5")),
            ("1,234,567.89", Ok("1234567.89")),
            ("12,34,567", Ok("1234567")),
            ("1 234.56", Ok("1234.56")),
            ("1\u{a0}234.56", Ok("1234.56")),
            ("1\u{202f}234", Ok("1234")),
            ("1'234.5", Ok("1234.5")),
            ("€ 12", Ok("12")),
            ("12 €", Ok("12")),
            ("EUR 12.5", Ok("12.5")),
            ("12.5 USD", Ok("12.5")),
            ("CHF 1'000.00", Ok("1000")),
            ("Rs. 500", Ok("500")),
            ("500 kr.", Ok("500")),
            (
                "0.1000000000000000000000000001",
                Ok("0.1000000000000000000000000001"),
            ),
            ("0.30000000000000004", Ok("0.30000000000000004")),
            ("1.234,56", Err("invalid")),
            ("1,5", Err("invalid")),
            ("1,23,45", Err("invalid")),
            ("12,3456", Err("invalid")),
            ("1,234 567", Err("invalid")),
            (",123", Err("invalid")),
            ("1..2", Err("invalid")),
            (".", Err("invalid")),
            ("-", Err("invalid")),
            ("$", Err("invalid")),
            ("abc", Err("invalid")),
            ("12 apples", Err("invalid")),
            ("--5", Err("invalid")),
            ("12 %", Err("invalid")),
            ("4.41E+11", Err("precision")),
            ("1e5", Err("precision")),
            ("123456789012345678901234567890", Err("precision")),
        ],
    );
}

#[test]
fn decimals_with_a_comma_and_per_cent() {
    let comma = Spec {
        decimal: ',',
        ..spec()
    };
    table(
        &reader(Type::Decimal, comma),
        &[
            ("1.234,56", Ok("1234.56")),
            ("1,5", Ok("1.5")),
            (",5", Ok("0.5")),
            ("1.234", Ok("1234")),
            ("1 234,5 €", Ok("1234.5")),
            ("1.5", Err("invalid")),
            ("1,234.56", Err("invalid")),
        ],
    );
    let percent = Spec {
        percent: true,
        ..spec()
    };
    let reader = reader(Type::Decimal, percent);
    table(
        &reader,
        &[
            ("12 %", Ok("0.12")),
            ("12%", Ok("0.12")),
            ("12.5", Ok("0.125")),
            ("-3%", Ok("-0.03")),
        ],
    );
    assert_eq!(
        sent(&reader, cell("12%", Kind::Number(0.12))),
        Ok("0.12".into())
    );
    assert_eq!(
        sent(&reader, cell("12", Kind::Number(12.0))),
        Ok("0.12".into())
    );
    assert!(
        Reader::new(
            Type::Decimal,
            Spec {
                decimal: ';',
                ..spec()
            }
        )
        .is_err()
    );
}

#[test]
fn whole_numbers() {
    let reader = reader(Type::Integer, spec());
    table(
        &reader,
        &[
            ("007", Ok("7")),
            ("-12", Ok("-12")),
            ("1,234", Ok("1234")),
            ("12.0", Ok("12")),
            ("9223372036854775807", Ok("9223372036854775807")),
            ("9223372036854775808", Err("precision")),
            ("12.5", Err("invalid")),
            ("4.41E+11", Err("precision")),
            ("", Err("invalid")),
            ("x", Err("invalid")),
        ],
    );
    assert_eq!(sent(&reader, cell("5", Kind::Number(5.0))), Ok("5".into()));
    assert_eq!(sent(&reader, cell("5", Kind::Number(5.5))), Err("invalid"));
    assert_eq!(
        sent(&reader, cell("9.1E15", Kind::Number(9.1e15))),
        Err("precision")
    );
    assert_eq!(
        sent(&reader, cell("TRUE", Kind::Boolean(true))),
        Err("invalid")
    );
}

#[test]
fn number_cells_give_their_shortest_digits() {
    let reader = reader(Type::Decimal, spec());
    for (number, want) in [
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1234.5, "1234.5"),
        (-2.0, "-2"),
        (1e15, "1000000000000000"),
    ] {
        assert_eq!(
            sent(&reader, cell("…", Kind::Number(number))),
            Ok(want.into())
        );
    }
}

#[test]
fn words_for_yes_and_no() {
    let usual = reader(Type::Boolean, spec());
    for yes in ["yes", "TRUE", "1", "y", "On", "ja", "Oui", "X"] {
        assert_eq!(sent(&usual, text(yes)), Ok("true".into()), "{yes}");
    }
    for no in ["no", "False", "0", "N", "off", "nein", "NON"] {
        assert_eq!(sent(&usual, text(no)), Ok("false".into()), "{no}");
    }
    table(&usual, &[("maybe", Err("invalid")), ("2", Err("invalid"))]);
    assert_eq!(
        sent(&usual, cell("FALSCH", Kind::Boolean(false))),
        Ok("false".into())
    );
    assert_eq!(
        sent(&usual, cell("1.00", Kind::Number(1.0))),
        Ok("true".into())
    );
    let own = Spec {
        true_values: Some(vec!["Sí".into()]),
        false_values: Some(vec!["no".into()]),
        ..spec()
    };
    table(
        &reader(Type::Boolean, own),
        &[
            ("SÍ", Ok("true")),
            ("No", Ok("false")),
            ("yes", Err("invalid")),
        ],
    );
    let both = Spec {
        true_values: Some(vec!["a".into()]),
        false_values: Some(vec!["A".into()]),
        ..spec()
    };
    assert!(Reader::new(Type::Boolean, both).is_err());
}

#[test]
fn dates_of_no_known_order() {
    table(
        &reader(Type::Date, spec()),
        &[
            ("2025-03-04", Ok(r#""2025-03-04""#)),
            ("2024-02-29", Ok(r#""2024-02-29""#)),
            ("2025-02-29", Err("invalid")),
            ("2025-13-01", Err("invalid")),
            ("2025-3-4", Ok(r#""2025-03-04""#)),
            ("2025/03/04", Ok(r#""2025-03-04""#)),
            ("2025.03.04", Ok(r#""2025-03-04""#)),
            ("2025-03-04T23:30:00-08:00", Ok(r#""2025-03-04""#)),
            ("2025-03-04 23:30", Ok(r#""2025-03-04""#)),
            ("31/12/2025", Ok(r#""2025-12-31""#)),
            ("12/31/2025", Ok(r#""2025-12-31""#)),
            ("05.05.2025", Ok(r#""2025-05-05""#)),
            ("03/04/2025", Err("ambiguous")),
            ("3-4-2025", Err("ambiguous")),
            ("32/13/2025", Err("invalid")),
            ("0/13/2025", Err("invalid")),
            ("31/12/25", Err("ambiguous")),
            ("Jan 5, 2020", Ok(r#""2020-01-05""#)),
            ("5 January 2020", Ok(r#""2020-01-05""#)),
            ("5th of January, 2020", Ok(r#""2020-01-05""#)),
            ("5. März 2020", Ok(r#""2020-03-05""#)),
            ("1er août 2020", Ok(r#""2020-08-01""#)),
            ("3 de mayo de 2020", Ok(r#""2020-05-03""#)),
            ("5-Jan-2020", Ok(r#""2020-01-05""#)),
            ("Sunday, 5 January 2020", Ok(r#""2020-01-05""#)),
            ("2020 Jan 5", Ok(r#""2020-01-05""#)),
            ("5 Jan 20", Err("century")),
            ("Jan 2020", Err("invalid")),
            ("Smarch 5, 2020", Err("invalid")),
            ("20251231", Ok(r#""2025-12-31""#)),
            ("31122025", Err("invalid")),
            ("2025", Err("invalid")),
            ("1/2", Err("invalid")),
            ("1/2/3/4", Err("invalid")),
            ("10:30", Err("invalid")),
            ("tomorrow", Err("invalid")),
            ("12/31/20255", Err("invalid")),
            ("+2025-01-01", Err("invalid")),
        ],
    );
}

#[test]
fn dates_of_a_known_order() {
    let of = |order, century| Spec {
        date_order: Some(order),
        century,
        ..spec()
    };
    table(
        &reader(Type::Date, of(DateOrder::Dmy, Century::Error)),
        &[
            ("03/04/2025", Ok(r#""2025-04-03""#)),
            ("3.4.2025", Ok(r#""2025-04-03""#)),
            ("2025-03-04", Ok(r#""2025-03-04""#)),
            ("09/25/2003", Err("invalid")),
            ("03/04/25", Err("century")),
        ],
    );
    table(
        &reader(Type::Date, of(DateOrder::Mdy, Century::Past)),
        &[
            ("03/04/2025", Ok(r#""2025-03-04""#)),
            ("06/15/26", Ok(r#""2026-06-15""#)),
            ("06/16/26", Ok(r#""1926-06-16""#)),
            ("01/02/70", Ok(r#""1970-01-02""#)),
            ("2 Jan 70", Ok(r#""1970-01-02""#)),
        ],
    );
    table(
        &reader(Type::Date, of(DateOrder::Ymd, Century::Pivot(30))),
        &[
            ("29/03/04", Ok(r#""2029-03-04""#)),
            ("30/03/04", Ok(r#""1930-03-04""#)),
            ("03/04/2025", Err("ambiguous")),
            ("31/12/2025", Ok(r#""2025-12-31""#)),
        ],
    );
    table(
        &reader(Type::Date, of(DateOrder::Dmy, Century::Future)),
        &[
            ("15/06/26", Ok(r#""2026-06-15""#)),
            ("14/06/26", Ok(r#""2126-06-14""#)),
            ("01/01/25", Ok(r#""2125-01-01""#)),
        ],
    );
    assert!(Reader::new(Type::Date, of(DateOrder::Dmy, Century::Pivot(101))).is_err());
}

#[test]
fn ambiguous_dates_name_both_readings() {
    let problem = reader(Type::Date, spec())
        .read(text("03/04/2025"), None)
        .unwrap_err();
    for part in ["2025-04-03", "2025-03-04", "date_order"] {
        assert!(problem.message.contains(part), "{}", problem.message);
    }
}

#[test]
fn dates_by_formats() {
    let of = |formats: &[&str], century| Spec {
        formats: formats.iter().map(|format| (*format).to_owned()).collect(),
        century,
        ..spec()
    };
    table(
        &reader(Type::Date, of(&["%d/%m/%Y", "%Y%m%d"], Century::Error)),
        &[
            ("03/04/2025", Ok(r#""2025-04-03""#)),
            ("20251231", Ok(r#""2025-12-31""#)),
            ("2025-12-31", Ok(r#""2025-12-31""#)),
            ("03/04/25", Err("ambiguous")),
            ("soon", Err("invalid")),
        ],
    );
    table(
        &reader(Type::Date, of(&["%d.%m.%y"], Century::Past)),
        &[
            ("03.04.25", Ok(r#""2025-04-03""#)),
            ("03.04.70", Ok(r#""1970-04-03""#)),
        ],
    );
    let excel = reader(Type::Date, of(&["excel"], Century::Error));
    table(
        &excel,
        &[
            ("1", Ok(r#""1900-01-01""#)),
            ("59", Ok(r#""1900-02-28""#)),
            ("60", Err("invalid")),
            ("61", Ok(r#""1900-03-01""#)),
            ("45658", Ok(r#""2025-01-01""#)),
            ("45658.75", Ok(r#""2025-01-01""#)),
        ],
    );
    assert_eq!(
        sent(&excel, cell("45658", Kind::Number(45658.0))),
        Ok(r#""2025-01-01""#.into())
    );
    table(
        &reader(Type::DateTime, of(&["unix_ms"], Century::Error)),
        &[
            ("1735689600000", Ok(r#""2025-01-01T00:00:00Z""#)),
            ("1735689600250", Ok(r#""2025-01-01T00:00:00.25Z""#)),
        ],
    );
    table(
        &reader(Type::DateTime, of(&["unix"], Century::Error)),
        &[("1735689600", Ok(r#""2025-01-01T00:00:00Z""#))],
    );
    table(
        &reader(Type::DateTime, of(&["%d/%m/%Y %H:%M %z"], Century::Error)),
        &[("03/04/2025 01:30 +0200", Ok(r#""2025-04-02T23:30:00Z""#))],
    );
    for bad in ["%d/%m/%y", "%Q", "dd/mm/yyyy", "%d/%m", ""] {
        assert!(
            Reader::new(Type::Date, of(&[bad], Century::Error)).is_err(),
            "{bad:?}"
        );
    }
}

#[test]
fn workbook_dates_and_outputs() {
    let plain = reader(Type::Date, spec());
    let day = cell("2025-03-04", Kind::Date(date(2025, 3, 4)));
    let hour = cell("…", Kind::DateTime(date(2025, 3, 4).at(23, 30, 0, 0)));
    assert_eq!(sent(&plain, day), Ok(r#""2025-03-04""#.into()));
    assert_eq!(sent(&plain, hour), Ok(r#""2025-03-04""#.into()));
    assert_eq!(sent(&plain, cell("10:30:00", Kind::Time)), Err("invalid"));
    assert_eq!(
        sent(&plain, cell("45000", Kind::Number(45000.0))),
        Err("invalid")
    );
    let output = |format: &str| Spec {
        output: Some(format.to_owned()),
        ..spec()
    };
    let written = reader(Type::Date, output("%d.%m.%Y"));
    let read = written.read(day, None).unwrap();
    assert_eq!(read.value.as_text(), "04.03.2025");
    assert!(matches!(read.value, Value::Date { date: there, .. } if there == date(2025, 3, 4)));
    let written = reader(Type::DateTime, output("%Y-%m-%d %H:%M:%S"));
    assert_eq!(sent(&written, hour), Ok(r#""2025-03-04 23:30:00""#.into()));
    for (ty, format, want) in [
        (Type::Date, "unix", "1741046400"),
        (Type::Date, "unix_ms", "1741046400000"),
        (Type::DateTime, "unix", "1741131000"),
        (Type::DateTime, "unix_ms", "1741131000000"),
    ] {
        assert_eq!(sent(&reader(ty, output(format)), hour), Ok(want.into()));
    }
    let early = cell("1901-12-13", Kind::Date(date(1901, 12, 13)));
    let counted = reader(Type::Date, output("unix"));
    assert_eq!(sent(&counted, early), Ok("-2147558400".into()));
    for (ty, bad) in [
        (Type::Date, "excel"),
        (Type::Date, "%H"),
        (Type::Date, "%Q"),
        (Type::Date, ""),
        (Type::DateTime, "x"),
    ] {
        assert!(Reader::new(ty, output(bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn date_times_go_to_utc_and_dates_stay() {
    table(
        &reader(Type::DateTime, spec()),
        &[
            ("2025-03-04", Ok(r#""2025-03-04T00:00:00Z""#)),
            ("2025-03-04T05:06", Ok(r#""2025-03-04T05:06:00Z""#)),
            ("2025-03-04 05:06:07", Ok(r#""2025-03-04T05:06:07Z""#)),
            ("2025-03-04T05:06:07Z", Ok(r#""2025-03-04T05:06:07Z""#)),
            (
                "2025-03-04T05:06:07.120Z",
                Ok(r#""2025-03-04T05:06:07.12Z""#),
            ),
            ("2025-03-04T01:00:00+02:00", Ok(r#""2025-03-03T23:00:00Z""#)),
            ("2025-03-04T01:00:00+0200", Ok(r#""2025-03-03T23:00:00Z""#)),
            ("2025-12-31T23:00:00-05", Ok(r#""2026-01-01T04:00:00Z""#)),
            ("2025-03-04 05:06:07 UTC", Ok(r#""2025-03-04T05:06:07Z""#)),
            ("31/12/2025 5:06 pm", Ok(r#""2025-12-31T17:06:00Z""#)),
            ("31/12/2025 12:00 AM", Ok(r#""2025-12-31T00:00:00Z""#)),
            ("31/12/2025 5pm", Ok(r#""2025-12-31T17:00:00Z""#)),
            ("Jan 5, 2020 at 10:30", Ok(r#""2020-01-05T10:30:00Z""#)),
            ("10:30 - 31.12.2025", Ok(r#""2025-12-31T10:30:00Z""#)),
            ("2025-03-04T25:00:00Z", Err("invalid")),
            ("2025-03-04T10:61", Err("invalid")),
            ("31/12/2025 13:00 pm", Err("invalid")),
            ("2025-03-04T10:00 Nowhere/Zone", Err("invalid")),
        ],
    );
    let zoned = Spec {
        timezone: Some(jiff::tz::TimeZone::get("Europe/London").unwrap()),
        ..spec()
    };
    let reader = reader(Type::DateTime, zoned);
    table(
        &reader,
        &[
            ("2025-07-01", Ok(r#""2025-07-01T00:00:00Z""#)),
            ("2025-07-01 00:30", Ok(r#""2025-06-30T23:30:00Z""#)),
            ("2025-07-01T00:30:00Z", Ok(r#""2025-07-01T00:30:00Z""#)),
            ("2025-01-01 00:30", Ok(r#""2025-01-01T00:30:00Z""#)),
            ("2025-10-26 01:30", Err("ambiguous")),
            ("2025-03-30 01:30", Err("ambiguous")),
        ],
    );
    assert_eq!(
        sent(
            &reader,
            cell("…", Kind::DateTime(date(2025, 7, 1).at(0, 30, 0, 0)))
        ),
        Ok(r#""2025-06-30T23:30:00Z""#.into())
    );
    assert_eq!(
        sent(&reader, cell("…", Kind::Date(date(2025, 7, 1)))),
        Ok(r#""2025-07-01T00:00:00Z""#.into())
    );
}

#[test]
fn email_addresses() {
    let reader = reader(Type::Email, spec());
    table(
        &reader,
        &[
            ("anna@example.com", Ok(r#""anna@example.com""#)),
            ("Anna.S+x@EXAMPLE.Com", Ok(r#""Anna.S+x@example.com""#)),
            ("o'neill@example.co.uk", Ok(r#""o'neill@example.co.uk""#)),
            ("jürgen@müller.de", Ok(r#""jürgen@müller.de""#)),
            ("a@BÜCHER.de", Ok(r#""a@bücher.de""#)),
            ("a@xn--bcher-kva.de", Ok(r#""a@xn--bcher-kva.de""#)),
            ("a@localhost", Err("invalid")),
            ("a@example.123", Err("invalid")),
            ("a@[127.0.0.1]", Err("invalid")),
            ("Anna <a@example.com>", Err("invalid")),
            ("a@example.com, b@example.com", Err("invalid")),
            ("a..b@example.com", Err("invalid")),
            (".a@example.com", Err("invalid")),
            ("a@-example.com", Err("invalid")),
            ("a@example-.com", Err("invalid")),
            ("a@example..com", Err("invalid")),
            ("a@example.com.", Err("invalid")),
            ("a b@example.com", Err("invalid")),
            ("a@b@example.com", Err("invalid")),
            ("example.com", Err("invalid")),
            ("@example.com", Err("invalid")),
            ("a@", Err("invalid")),
        ],
    );
    for (input, part) in [
        ("example.com", "there is no @"),
        ("a@x.de; b@x.de", "more than one address"),
        ("Anna <a@x.de>", "beside the address"),
    ] {
        let problem = reader.read(text(input), None).unwrap_err();
        assert!(problem.message.contains(part), "{}", problem.message);
    }
}

#[test]
fn phone_numbers() {
    let german = Spec {
        region: Some("DE".into()),
        ..spec()
    };
    let reader_de = reader(Type::Phone, german.clone());
    table(
        &reader_de,
        &[
            ("030 123456", Ok(r#""+4930123456""#)),
            ("+49 (0)30 123456", Ok(r#""+4930123456""#)),
            ("+4930123456", Ok(r#""+4930123456""#)),
            ("0049 30 123456", Ok(r#""+4930123456""#)),
            ("+1 650 253 0000", Ok(r#""+16502530000""#)),
            ("n/a", Err("invalid")),
            ("12", Err("invalid")),
            ("+999 1234567", Err("invalid")),
            ("4.93012E+11", Err("precision")),
        ],
    );
    assert_eq!(
        sent(&reader_de, cell("4.93E+10", Kind::Number(4_930_123_456.0))),
        Ok(r#""+4930123456""#.into())
    );
    assert_eq!(
        sent(&reader_de, cell("1.5", Kind::Number(1.5))),
        Err("invalid")
    );
    // What a number's format adds is part of the number: a zero of Italy, a country's code.
    let reader_it = reader(
        Type::Phone,
        Spec {
            region: Some("IT".into()),
            ..spec()
        },
    );
    for (text, number, want) in [
        ("0321123456", 321_123_456.0, "+390321123456"),
        ("+47 22123456", 4_722_123_456.0, "+4722123456"),
        ("+4722123456", 4_722_123_456.0, "+4722123456"),
        ("+47 22123456", 22_123_456.0, "+4722123456"),
        ("0047 22123456", 22_123_456.0, "+4722123456"),
        ("3,331,234,567.00", 3_331_234_567.0, "+393331234567"),
        ("3331234567.00", 3_331_234_567.0, "+393331234567"),
        ("333 123 4567", 3_331_234_567.0, "+393331234567"),
        ("3331234567", 3_331_234_567.0, "+393331234567"),
    ] {
        let got = sent(&reader_it, cell(text, Kind::Number(number)));
        assert_eq!(got, Ok(format!("\"{want}\"")), "{text}");
    }
    let nowhere = reader(Type::Phone, spec());
    table(
        &nowhere,
        &[
            ("+44 20 7031 3000", Ok(r#""+442070313000""#)),
            ("020 7031 3000", Err("region")),
        ],
    );
    let by = |region: &str, number| {
        nowhere
            .read(text(number), Some(region))
            .map(|read| read.value.as_text().into_owned())
            .map_err(|problem| problem.rule)
    };
    assert_eq!(
        by("United Kingdom", "020 7031 3000"),
        Ok("+442070313000".into())
    );
    assert_eq!(by("Atlantis", "020 7031 3000"), Err("region"));
    assert_eq!(
        by("Atlantis", "+44 20 7031 3000"),
        Ok("+442070313000".into())
    );
    // The row's own country goes before the default.
    assert_eq!(
        reader_de
            .read(text("020 7031 3000"), Some("GB"))
            .unwrap()
            .value
            .as_text(),
        "+442070313000"
    );
    for bad in ["Atlantis", "Korea", "ZZ"] {
        let wrong = Spec {
            region: Some(bad.into()),
            ..spec()
        };
        assert!(Reader::new(Type::Phone, wrong).is_err(), "{bad}");
    }
}

#[test]
fn phone_extensions() {
    let of = |extension, possible| {
        reader(
            Type::Phone,
            Spec {
                region: Some("US".into()),
                extension,
                possible,
                ..spec()
            },
        )
    };
    let number = text("(650) 253-0000 ext. 12");
    let read = of(Extension::Drop, false).read(number, None).unwrap();
    assert_eq!(read.value.as_text(), "+16502530000");
    assert_eq!(read.warning.map(|warning| warning.rule), Some("extension"));
    assert_eq!(
        sent(&of(Extension::Keep, false), number),
        Ok(r#""+16502530000;ext=12""#.into())
    );
    assert_eq!(
        sent(&of(Extension::Reject, false), number),
        Err("extension")
    );
    let odd = text("123 456 7890");
    assert_eq!(sent(&of(Extension::Drop, false), odd), Err("invalid"));
    assert_eq!(
        sent(&of(Extension::Drop, true), odd),
        Ok(r#""+11234567890""#.into())
    );
}

#[test]
fn countries_in_each_form() {
    for (output, want) in [
        (None, r#""NL""#),
        (Some("alpha2"), r#""NL""#),
        (Some("alpha3"), r#""NLD""#),
        (Some("numeric"), r#""528""#),
        (Some("name"), r#""Netherlands""#),
    ] {
        let spec = Spec {
            output: output.map(str::to_owned),
            ..spec()
        };
        assert_eq!(
            sent(&reader(Type::Country, spec), text("Holland")),
            Ok(want.into())
        );
    }
    let plain = reader(Type::Country, spec());
    assert_eq!(
        sent(&plain, cell("8", Kind::Number(8.0))),
        Ok(r#""AL""#.into())
    );
    let wrong = Spec {
        output: Some("iso".into()),
        ..spec()
    };
    assert!(Reader::new(Type::Country, wrong).is_err());
}

#[test]
fn web_addresses_and_uuids() {
    table(
        &reader(Type::Url, spec()),
        &[
            (
                "https://example.com/a?b=c#d",
                Ok(r#""https://example.com/a?b=c#d""#),
            ),
            ("HTTP://EXAMPLE.com", Ok(r#""http://example.com/""#)),
            ("www.example.com", Ok(r#""https://www.example.com/""#)),
            ("example.com/über", Ok(r#""https://example.com/%C3%BCber""#)),
            ("example.com:8080/x", Ok(r#""https://example.com:8080/x""#)),
            ("//example.com", Ok(r#""https://example.com/""#)),
            ("mailto:a@example.com", Err("invalid")),
            ("ftp://example.com", Err("invalid")),
            ("javascript:alert(1)", Err("invalid")),
            ("a@example.com", Err("invalid")),
            ("example", Err("invalid")),
            ("https://", Err("invalid")),
            ("https://a..b/", Err("invalid")),
            ("http://exa mple.com", Err("invalid")),
            ("n/a", Err("invalid")),
        ],
    );
    let normal = r#""123e4567-e89b-42d3-a456-426614174000""#;
    table(
        &reader(Type::Uuid, spec()),
        &[
            ("123e4567-e89b-42d3-a456-426614174000", Ok(normal)),
            ("123E4567E89B42D3A456426614174000", Ok(normal)),
            ("{123E4567-E89B-42D3-A456-426614174000}", Ok(normal)),
            ("urn:uuid:123e4567-e89b-42d3-a456-426614174000", Ok(normal)),
            ("123e4567", Err("invalid")),
        ],
    );
}

#[test]
fn options_by_value_and_label() {
    let option = |value: serde_json::Value, label: &str| Choice {
        value,
        label: (!label.is_empty()).then(|| label.to_owned()),
    };
    let spec = Spec {
        options: vec![
            option(serde_json::json!("fileSharing"), "File sharing"),
            option(serde_json::json!("metrics"), ""),
            option(serde_json::json!(3), "Third"),
            option(serde_json::json!("x"), "Same"),
            option(serde_json::json!("y"), "same"),
            option(serde_json::json!("AB"), ""),
            option(serde_json::json!("ab"), ""),
        ],
        ..spec()
    };
    let reader = reader(Type::Choice, spec);
    table(
        &reader,
        &[
            ("fileSharing", Ok(r#""fileSharing""#)),
            ("FILE SHARING", Ok(r#""fileSharing""#)),
            ("Metrics", Ok(r#""metrics""#)),
            ("3", Ok("3")),
            ("third", Ok("3")),
            ("same", Err("ambiguous")),
            ("AB", Ok(r#""AB""#)),
            ("ab", Ok(r#""ab""#)),
            ("Ab", Err("ambiguous")),
            ("metric", Err("option")),
        ],
    );
    assert_eq!(
        sent(&reader, cell("3.00", Kind::Number(3.0))),
        Ok("3".into())
    );
    let problem = reader.read(text("metric"), None).unwrap_err();
    for part in ["did you mean \"metrics\"", "fileSharing (File sharing)"] {
        assert!(problem.message.contains(part), "{}", problem.message);
    }
    let unknown = Reader::new(Type::Choices, self::spec()).unwrap();
    table(&unknown, &[("anything", Ok(r#""anything""#))]);
}

#[test]
fn json_texts() {
    let any = reader(Type::Json, spec());
    table(
        &any,
        &[
            (r#"{"b": 1, "a": [true]}"#, Ok(r#"{"b":1,"a":[true]}"#)),
            ("12", Ok("12")),
            ("{", Err("invalid")),
            ("text", Err("invalid")),
        ],
    );
    table(
        &reader(Type::Object, spec()),
        &[
            ("{}", Ok("{}")),
            ("[]", Err("invalid")),
            ("x", Err("invalid")),
        ],
    );
    table(
        &reader(Type::Array, spec()),
        &[("[1]", Ok("[1]")), ("{}", Err("invalid"))],
    );
}

proptest::proptest! {
    #[test]
    fn iso_dates_come_back(year in 0i16..=9999, month in 1i8..=12, day in 1i8..=31) {
        if let Ok(date) = jiff::civil::Date::new(year, month, day) {
            let reader = reader(Type::Date, spec());
            let written = date.to_string();
            proptest::prop_assert_eq!(sent(&reader, text(&written)), Ok(format!("\"{date}\"")));
        }
    }

    #[test]
    fn decimals_come_back(digits in -999_999_999_999_999_999i64..=999_999_999_999_999_999, scale in 0u32..=18) {
        let number = Decimal::new(digits, scale);
        let reader = reader(Type::Decimal, spec());
        let written = number.to_string();
        let got = sent(&reader, text(&written)).unwrap();
        proptest::prop_assert_eq!(got.parse::<Decimal>().unwrap(), number);
    }

    #[test]
    fn no_text_makes_a_reader_fail(input in proptest::prelude::any::<String>()) {
        let input = trim(&input);
        if !input.is_empty() {
            for ty in Type::ALL {
                let reader = reader(*ty, Spec { region: Some("DE".into()), ..spec() });
                // Whatever comes out, it must be JSON.
                if let Ok(json) = sent(&reader, text(input)) {
                    proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{}", json);
                }
            }
        }
    }

    #[test]
    fn no_date_like_text_makes_a_reader_fail(input in "[0-9]{1,4}[/. :-]{0,2}([0-9]{1,4}|Jan|märz|pm)[/. ,:-]{0,2}[0-9:]{0,8}( ?[aApP][mM])?( ?[+-][0-9:]{0,6})?") {
        for order in [None, Some(DateOrder::Dmy), Some(DateOrder::Mdy), Some(DateOrder::Ymd)] {
            let reader = reader(Type::DateTime, Spec { date_order: order, century: Century::Past, ..spec() });
            if let Ok(json) = sent(&reader, text(&input)) {
                proptest::prop_assert!(json.len() >= 22, "{}", json);
            }
        }
    }
}

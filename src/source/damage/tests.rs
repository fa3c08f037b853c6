use super::*;

fn text(text: &str) -> Cell<'_> {
    Cell {
        text,
        kind: Kind::Text,
    }
}

fn number(text: &str) -> Cell<'_> {
    Cell {
        text,
        kind: Kind::Number(text.parse().unwrap()),
    }
}

fn found(name: &str, cells: &[Cell<'_>]) -> Vec<(String, u64, Vec<u64>)> {
    let mut whole = Detector::new(name);
    for (row, cell) in (2..).zip(cells) {
        whole.see(row, cell);
    }
    // What is seen in parts is the same as what is seen at once.
    let mut parts = Detector::new(name);
    for (part, cells) in cells.chunks(7).enumerate() {
        let mut next = Detector::new(name);
        for (row, cell) in (2 + part as u64 * 7..).zip(cells) {
            next.see(row, cell);
        }
        parts.merge(next);
    }
    let told = |found: Vec<Finding>| -> Vec<(String, u64, Vec<u64>)> {
        found
            .into_iter()
            .map(|finding| {
                let mend = finding.mend().unwrap_or_default();
                assert!(finding.help().contains(&mend));
                assert!(!finding.message().is_empty());
                let name = format!("{} {mend}", finding.code());
                (name.trim_end().to_owned(), finding.count, finding.rows)
            })
            .collect()
    };
    assert_eq!(parts.filled, whole.filled);
    assert_eq!(parts.findings(), whole.findings());
    told(whole.findings())
}

fn texts(name: &str, cells: &[&str]) -> Vec<(String, u64, Vec<u64>)> {
    let cells: Vec<Cell<'_>> = cells.iter().map(|cell| text(cell)).collect();
    found(name, &cells)
}

#[test]
fn lost_zeros_are_found_by_what_stands_beside_them() {
    // Others begin with zeros.
    assert_eq!(
        texts(
            "id",
            &["00123", "04567", "12345", "99999", "55555", "00042", "812"]
        ),
        [("lost-zeros clean = [{ pad = 5 }]".to_owned(), 1, vec![8])]
    );
    // Postal codes by their name.
    let codes = [
        "10115", "4109", "20095", "1067", "80331", "50667", "60311", "70173",
    ];
    assert_eq!(
        texts("Postal Code", &codes),
        [("lost-zeros clean = [{ pad = 5 }]".to_owned(), 2, vec![3, 5])]
    );
    assert_eq!(texts("Amount", &codes), []);
    // The shorter ones alone are number cells.
    let mut cells: Vec<Cell<'_>> = ["10115", "20095", "80331", "50667", "60311"]
        .map(text)
        .into();
    cells.push(number("1067"));
    assert_eq!(
        found("code", &cells),
        [("lost-zeros clean = [{ pad = 5 }]".to_owned(), 1, vec![7])]
    );
}

#[test]
fn numbers_that_are_counted_up_have_lost_nothing() {
    let ids: Vec<String> = (8..120).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(texts("zip", &ids), []);
    assert_eq!(texts("id", &["1", "22", "333", "4444"]), []);
    // Kept zeros of several lengths are as the source has them.
    assert_eq!(
        texts(
            "id",
            &["00123", "0456", "12345", "00001", "00002", "00003", "00004"]
        ),
        []
    );
}

#[test]
fn long_numbers_that_lost_their_digits_are_found() {
    assert_eq!(
        texts(
            "id",
            &["4.41E+11", "4,41E+11", "1E+05", "12E4", "1E5", "E+11", "x"]
        ),
        [("shortened-numbers".to_owned(), 3, vec![2, 3, 4])]
    );
    assert_eq!(
        found("id", &[number("12345678901234568000"), number("12")]),
        [("rounded-numbers".to_owned(), 1, vec![2])]
    );
    // One such number may end in zero by chance, three do not.
    assert_eq!(texts("id", &["1234567890123450"]), []);
    assert_eq!(
        texts(
            "id",
            &["1234567890123450", "6234567890123450", "91234567890123400"]
        ),
        [("rounded-numbers".to_owned(), 3, vec![2, 3, 4])]
    );
}

#[test]
fn garbled_letters_are_found_and_rare_ones_left_alone() {
    assert_eq!(
        texts(
            "name",
            &[
                "MÃ¼ller",
                "JosÃ©",
                "Oâ€™Neill",
                "Å\u{81}Ã³dÅº",
                "Ð˜Ð²Ð°Ð½",
                "Ã\u{a0} Paris"
            ]
        ),
        [("garbled-letters".to_owned(), 6, vec![2, 3, 4])]
    );
    assert_eq!(
        texts(
            "name",
            &[
                "Müller",
                "SÃO PAULO",
                "À propos",
                "Åse",
                "Ñandú",
                "Île-de-France",
                "CAFÉ\u{a0}»",
                "Łódź",
                "Иван",
                "東京",
                "Þór",
                "Ðorđe",
                "Âge",
                "IBÁÑEZ",
            ]
        ),
        []
    );
    assert_eq!(
        texts("name", &["M\u{fffd}ller"]),
        [("replaced-letters".to_owned(), 1, vec![2])]
    );
}

#[test]
fn orders_of_dates_are_judged_as_a_whole() {
    let order = "ambiguous-dates date_order = \"dmy\"".to_owned();
    assert_eq!(
        texts("born", &["03/04/1985", "1.2.2001", "05/05/2000", "7-8-99"]),
        [(order, 3, vec![2, 3, 5])]
    );
    assert_eq!(texts("born", &["03/04/1985", "31/12/1985"]), []);
    assert_eq!(texts("born", &["1985-04-03", "Jan 2 1999"]), []);
    assert_eq!(
        texts("born", &["31/12/1985", "12/31/1985 10:30", "3/4/1985"]),
        [("mixed-dates".to_owned(), 1, vec![3])]
    );
    // Version numbers among texts are no dates.
    assert_eq!(
        texts("note", &["1.2.30", "hello", "world", "all", "here"]),
        []
    );
}

#[test]
fn dates_that_a_program_has_turned_are_found() {
    let day = |day| Cell {
        text: "x",
        kind: Kind::Date(jiff::civil::date(2020, 5, day)),
    };
    let cells = [
        day(1),
        day(12),
        day(7),
        text("31/12/1985"),
        text("13/1/1985"),
    ];
    assert_eq!(
        found("born", &cells),
        [("dates-converted".to_owned(), 3, vec![2, 3, 4])]
    );
    assert_eq!(
        found("born", &[day(1), day(13), day(7), text("31/12/1985")]),
        []
    );
    assert_eq!(found("born", &[day(1), day(2), day(7)]), []);
    assert_eq!(
        texts(
            "born",
            &["2020-03-04", "2020-01-02", "2020-12-11", "13/1/1985"]
        ),
        [("dates-converted".to_owned(), 3, vec![2, 3, 4])]
    );
}

#[test]
fn texts_for_nothing_are_told_as_they_stand() {
    let error = Cell {
        text: "#N/A",
        kind: Kind::Error,
    };
    let cells = [
        text("N/A"),
        text("-"),
        text(" N/A "),
        error,
        text("Nina"),
        text("-5"),
    ];
    assert_eq!(
        found("x", &cells),
        [(
            "null-like nulls = [\"\", \"N/A\", \"-\", \"#N/A\"]".to_owned(),
            4,
            vec![2, 3, 4]
        )]
    );
    assert_eq!(texts("x", &["", "  ", "None-such", "nan na", "–"]).len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd(cells in proptest::collection::vec("\\PC{0,20}|[0-9.,/E+\\-]{0,20}|[ÃÂâ€¼\u{a0}]{0,6}", 0..40)) {
        let cells: Vec<Cell<'_>> = cells.iter().map(|cell| text(cell)).collect();
        found("zip", &cells);
    }
}

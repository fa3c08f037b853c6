//! Text files: their rows, what is wrong with them, and their encodings.

use super::*;

#[test]
fn rows_stand_where_people_look_for_them() {
    let ok = |number, line, cells: &str| (number, Some(line), cells.to_owned(), None);
    for (text, header_row, expected) in [
        ("a,b\n1,2\n3,4\n", 1, vec![ok(2, 2, "1|2"), ok(3, 3, "3|4")]),
        (
            "a,b\r\n1,2\r\n\r\n3,4",
            1,
            vec![ok(2, 2, "1|2"), ok(4, 4, "3|4")],
        ),
        (
            "a,b\r1,2\r\r3,4\r",
            1,
            vec![ok(2, 2, "1|2"), ok(4, 4, "3|4")],
        ),
        ("\n\na,b\n1,2\n", 3, vec![ok(4, 4, "1|2")]),
        (
            "a,b\n1,\"x\ny\"\n3,4\n",
            1,
            vec![ok(2, 2, "1|x\ny"), ok(3, 4, "3|4")],
        ),
        ("\"a\nA\",b\n1,2\n", 1, vec![ok(2, 3, "1|2")]),
        (
            "a,b\n1,2\n,,\n , \n\"\",\n3,4\n",
            1,
            vec![ok(2, 2, "1|2"), ok(6, 6, "3|4")],
        ),
        (
            "a,b,\n1,2,\n3,4\n5,6,\n",
            1,
            vec![ok(2, 2, "1|2|"), ok(3, 3, "3|4"), ok(4, 4, "5|6|")],
        ),
        (
            "a,b\n1,2,\n3,4,\n",
            1,
            vec![ok(2, 2, "1|2"), ok(3, 3, "3|4")],
        ),
        ("sep=;\na;b\n1;2\n", 1, vec![ok(2, 3, "1|2")]),
        ("Clients\n\na,b,c\n1,2,3\n", 3, vec![ok(4, 4, "1|2|3")]),
        ("a,b\n1,\0\n", 1, vec![ok(2, 2, "1|\0")]),
        ("a,b\n", 1, vec![]),
        ("a\n1\n\n2\n", 1, vec![ok(2, 2, "1"), ok(4, 4, "2")]),
    ] {
        let source = csv(text);
        assert_eq!(source.header.row, header_row, "{text:?}");
        assert_eq!(rows(&source), expected, "{text:?}");
    }
}

#[test]
fn a_faulty_row_is_that_rows_issue() {
    let long = format!("a,b\n{}\n1,2\n", "x".repeat(3 << 20));
    for (text, expected) in [
        ("a,b\n1,2,3\n4,5\n", [Some("row.ragged"), None].as_slice()),
        ("a,b\n1\n4,5\n", &[Some("row.ragged"), None]),
        (
            "a,b\n1,\"2\n3,4\n5,\"6\"\n",
            &[Some("row.quote"), None, None],
        ),
        ("a,b\n\"1,2\n3,4\n", &[Some("row.quote"), None]),
        (&long, &[Some("row.long"), None]),
    ] {
        let found: Vec<_> = rows(&csv(text)).into_iter().map(|row| row.3).collect();
        assert_eq!(found, expected, "{:?}", &text[..text.len().min(40)]);
    }
    let message = |text: &str| {
        let source = csv(text);
        let batches = batches(&source, 9);
        batches[0].row(0).fault().unwrap().message.clone()
    };
    assert!(message("a,b\n1,2,3\n").starts_with("The row has 3 cells, the header has 2."));
    assert!(message("a,b\n1\n").starts_with("The row has 1 cell, the header has 2."));
    assert!(message("a,b\n1,\"2\n3\",4\n").contains("lines 2 to 3"));
    assert!(message("a,b\n1,\"2\n").contains("on line 2"));
}

/// Codes of the rows' faults.
fn codes(source: &Source) -> Vec<&'static str> {
    let faults = rows(source).into_iter();
    faults.map(|row| row.3.unwrap_or("")).collect()
}

#[test]
fn a_row_whose_cells_moved_is_never_taken() {
    const R: &str = "row.ragged";
    for (text, expected) in [
        // A comma that was not quoted, and an empty last cell.
        ("name,town,fax\nAnna,Ulm,\nSmith, John,Ulm,\n", &["", R][..]),
        ("name,town\nAnna,Ulm\nSmith, John,,\n", &["", R]),
        // The same where all rows end in a delimiter, and the header does not, or does.
        (
            "name,town\nAnna,Ulm,\nBo,Bonn,\nCy,,\nSmith, John,,\nDi,Kiel,\n",
            &["", "", "", R, ""],
        ),
        (
            "name,town,\nA,Ulm,\nB,Bonn,\nC,Kiel,\nD,,\nE,,\nF,,\nG,,\nH,,\nI,,\nSmith, John,Ulm,\nSmith, John,Ulm\n",
            &["", "", "", "", "", "", "", "", "", R, R],
        ),
        // A cell is lost: what is left ends as the others do.
        (
            "name,town,tel,\nAnna,Ulm,1,\nBo,Bonn,2,\nCy,,3,\nDi,,,\nEd,5,\n",
            &["", "", "", "", R],
        ),
        // Two rows in one line, one row in two.
        ("a,b\n1,2\n3,4,5,6\n7,8\n", &["", R, ""]),
        ("a,b,c\n1,2,3\n4,5\n,6\n7,8,9\n", &["", R, R, ""]),
        // Columns without a name are columns where rows fill them.
        ("a,b,\n1,2,x\n3,4,y\n5,6,\n", &["", "", ""]),
    ] {
        assert_eq!(codes(&csv(text)), expected, "{text:?}");
    }
}

#[test]
fn what_is_no_customer_is_told() {
    for (text, expected) in [
        ("id,name\n1,x\nid,name\n2,y\n", &["", "row.header", ""][..]),
        ("id,name\n1,x\n id,name\n2,y\n", &["", "row.header", ""]),
        ("A,B\na,b\n", &[""]),
        ("1,2\n1,2\n3,4\n", &["", ""]),
        (
            "id,name,n\n1,x,2\n2,y,3\n,,\nTotal,,5\n",
            &["", "", "row.total"],
        ),
        (
            "id,name,n\n1,x,2\n2,y,3\n(2 rows affected)\n",
            &["", "", "row.total"],
        ),
        // Wherever the batches of three rows end.
        (
            "id,name,n\n1,x,2\nTotal,,5\nAverage,,2\n(1 row)\nCount,,1\n",
            &["", "row.total", "row.total", "row.total", "row.total"],
        ),
        ("id,name,n\nTotal,,5\n2,y,3\n", &["", ""]),
        ("name\nx\nname\nTotal\n", &["", "", ""]),
    ] {
        assert_eq!(codes(&csv(text)), expected, "{text:?}");
    }
}

#[test]
fn cells_of_ragged_rows_are_kept() {
    assert_eq!(rows(&csv("a,b\n1,2,,3,\n"))[0].2, "1|2||3");
    assert_eq!(rows(&csv("a,b\n1,\"x\n2,3\n"))[0].2, "1|\"x");
}

#[test]
fn undecodable_bytes_are_their_cells_issue() {
    let mut bytes = "naam,ort\nJosé,Zürich\nÅse,Łódź\nÉva,Győr\n"
        .as_bytes()
        .to_vec();
    bytes.extend_from_slice(b"x\xFFy,ok\n\"a\xC3\",ok\n");
    let source = csv(&bytes);
    assert_eq!(source.notes.len(), 1);
    let batches = batches(&source, 10);
    let (bad, quoted) = (batches[0].row(3), batches[0].row(4));
    assert_eq!(
        (bad.cell(0).text, bad.cell(0).kind),
        ("x\u{FFFD}y", Kind::Undecodable)
    );
    assert_eq!(bad.cell(1).kind, Kind::Text);
    assert_eq!(quoted.cell(0).kind, Kind::Undecodable);
    // An encoding other than UTF-8.
    let options = Options {
        encoding: Some(encoding_rs::SHIFT_JIS),
        ..Options::default()
    };
    let source = source_of(b"a,b\n\x83\x65,\xFF\n", &options);
    let batches = self::batches(&source, 10);
    assert_eq!(batches[0].row(0).cell(0).text, "テ");
    assert_eq!(batches[0].row(0).cell(1).kind, Kind::Undecodable);
}

#[test]
fn a_cell_of_another_encoding_than_the_files_is_its_issue() {
    // Rows of windows-1252, and one that someone pasted in as UTF-8.
    let mut bytes = b"name,town\nJos\xE9,M\xFCnchen\nS\xF8ren,\xC5rhus\nZo\xEB,K\xF6ln\n".to_vec();
    bytes.extend_from_slice("Łucja,Zürich\nBo,Ulm\n".as_bytes());
    let source = csv(&bytes);
    assert!(
        source.notes[0].contains("windows-1252"),
        "{:?}",
        source.notes
    );
    assert!(source.notes[0].contains("Some of its text is UTF-8"));
    let batches = batches(&source, 10);
    let kinds: Vec<Kind> = batches[0].rows().map(|row| row.cell(1).kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Text,
            Kind::Text,
            Kind::Text,
            Kind::Undecodable,
            Kind::Text
        ]
    );
}

#[test]
fn a_nul_within_a_text_is_its_cells_issue() {
    let source = csv("a,b\nx\0y,\0\n1\0,2\n");
    let batches = batches(&source, 10);
    let (first, second) = (batches[0].row(0), batches[0].row(1));
    assert_eq!(
        (first.cell(0).text, first.cell(0).kind),
        ("x\u{FFFD}y", Kind::Undecodable)
    );
    assert_eq!(
        (second.cell(0).text, second.cell(0).kind),
        ("1\0", Kind::Text)
    );
}

#[test]
fn quotes_behind_a_space_and_fillers_at_the_end_are_what_a_person_takes_them_for() {
    let found = csv("id, \"name\"\n1, \"Ann \"\"B\"\"\"\n2, 5\" disk\n\0\0\0\0\n\x1a");
    assert_eq!(&*found.header.names[1], "name");
    let texts: Vec<String> = rows(&found).into_iter().map(|row| row.2).collect();
    assert_eq!(texts, ["1|Ann \"B\"", "2| 5\" disk"]);
    // Where it holds the delimiter, no cell is used.
    assert_eq!(
        codes(&csv("id,name,n\n1, \"Lee, Ann\",2\n")),
        ["row.ragged"]
    );
}

#[test]
fn a_header_with_an_open_quote_is_told() {
    let found = csv("id,\"name,city\n1,x,y\n2,z,w\n");
    let told = |note: &String| note.contains("a quote that is never closed");
    assert!(found.notes.iter().any(told), "{:?}", found.notes);
    assert_eq!(codes(&found), ["", ""]);
}

#[test]
fn a_cell_in_an_encoding_of_dos_is_that_cells_problem() {
    let found = csv(b"Id;Name;Ort\n1;M\x81ller;K\xF6ln\n2;Anna;M\xFCnchen\n3;Bo;K\xF6ln\n");
    let kinds: Vec<Kind> = batches(&found, 100)[0]
        .rows()
        .map(|row| row.cell(1).kind)
        .collect();
    assert_eq!(kinds, [Kind::Undecodable, Kind::Text, Kind::Text]);
}

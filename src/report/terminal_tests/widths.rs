//! The examples as they look at two widths and in a small window.

use insta::assert_snapshot;

use super::*;

#[test]
fn a_clean_check_at_80_columns() {
    assert_snapshot!(terminal(&clean_check(), 80, false), @r#"
    All 300 rows of samples/customers.csv can go to sphinx.
    mapping mappings/sphinx.toml

      created    300  would be sent
      read       300  in all

    The first body as it would be sent
      {
        "external_id": "C-0001",
        "name": "Müller & Söhne GmbH",
        "email": "info@mueller.example",
        "phone": "+4930123456",
        "address": {"street":"Hauptstraße 1","city":"Berlin","country":"DE"},
        "tags": ["vip","2024"],
        "active": true,
        "score": 4.5,
        … 2 more members
      }

    Notes
      - The mapping does not use the column Fax.

    Checked in 0.1 s; nothing was sent. The import would take about 15 s: 300
    requests at 20/s.
    Next: rowferry import samples/customers.csv --mapping mappings/sphinx.toml
    "#);
}

#[test]
fn a_clean_check_at_120_columns() {
    assert_snapshot!(terminal(&clean_check(), 120, false), @r#"
    All 300 rows of samples/customers.csv can go to sphinx.
    mapping mappings/sphinx.toml

      created    300  would be sent
      read       300  in all

    The first body as it would be sent
      {
        "external_id": "C-0001",
        "name": "Müller & Söhne GmbH",
        "email": "info@mueller.example",
        "phone": "+4930123456",
        "address": {"street":"Hauptstraße 1","city":"Berlin","country":"DE"},
        "tags": ["vip","2024"],
        "active": true,
        "score": 4.5,
        … 2 more members
      }

    Notes
      - The mapping does not use the column Fax.

    Checked in 0.1 s; nothing was sent. The import would take about 15 s: 300 requests at 20/s.
    Next: rowferry import samples/customers.csv --mapping mappings/sphinx.toml
    "#);
}

#[test]
fn a_messy_check_at_80_columns() {
    assert_snapshot!(terminal(&messy_check(), 80, false), @r#"
    11,956 of 12,000 rows of clients.xlsx can go to assembly; 34 are refused, 10 are
    left out.
    mapping assembly.toml

      created    11,956  would be sent
      skipped        10  left out, as duplicates or by a rule
      rejected       34  our checks refuse them
      read       12,000  in all

    Why rows are refused
      21 × Email: There is no domain after the `@`; an address looks like
           name@example.com. [email.invalid]
           D17 "bob@"   D31 (line 33) "jane.doe@@example.com, jane@example.com…"
           D90 (empty)
      12 × Country of residence [country.unknown]
           H18: `Deutschlnd` is no country; write a code such as DE, or add it to
             the field's `map`.
           H40: `U K` is no country; write a code such as DE, or add it to the
             field's `map`.
       1 × The row has 13 cells and the header 12; a comma may lack its quotes.
           [row.ragged]
           row 700

    Warnings (they refuse no row)
      4 × Phone: The extension is dropped. [phone.extension]
          E3 "030 1234 ext. 5"   E8 "030 1234 x77"

    Notes
      - 10 rows have a key that an earlier row has.
      - The sheet `Archive` is hidden and was not read.

    Files written
      rejects  clients.rejects.csv

    Checked in 0.3 s; nothing was sent. The import would take about 10 min: 11,956
    requests at 20/s.
    Next: mend clients.rejects.csv, or import the rows that are good:
          rowferry import clients.xlsx --mapping assembly.toml
    "#);
}

#[test]
fn a_messy_check_at_120_columns() {
    assert_snapshot!(terminal(&messy_check(), 120, false), @r#"
    11,956 of 12,000 rows of clients.xlsx can go to assembly; 34 are refused, 10 are left out.
    mapping assembly.toml

      created    11,956  would be sent
      skipped        10  left out, as duplicates or by a rule
      rejected       34  our checks refuse them
      read       12,000  in all

    Why rows are refused
      21 × Email: There is no domain after the `@`; an address looks like name@example.com. [email.invalid]
           D17 "bob@"   D31 (line 33) "jane.doe@@example.com, jane@example.com…"   D90 (empty)
      12 × Country of residence [country.unknown]
           H18: `Deutschlnd` is no country; write a code such as DE, or add it to the field's `map`.
           H40: `U K` is no country; write a code such as DE, or add it to the field's `map`.
       1 × The row has 13 cells and the header 12; a comma may lack its quotes. [row.ragged]
           row 700

    Warnings (they refuse no row)
      4 × Phone: The extension is dropped. [phone.extension]
          E3 "030 1234 ext. 5"   E8 "030 1234 x77"

    Notes
      - 10 rows have a key that an earlier row has.
      - The sheet `Archive` is hidden and was not read.

    Files written
      rejects  clients.rejects.csv

    Checked in 0.3 s; nothing was sent. The import would take about 10 min: 11,956 requests at 20/s.
    Next: mend clients.rejects.csv, or import the rows that are good:
          rowferry import clients.xlsx --mapping assembly.toml
    "#);
}

#[test]
fn an_import_with_failures_at_80_columns() {
    assert_snapshot!(terminal(&failed_import(), 80, false), @r#"
    953 of 1,000 rows of clients.csv are in kaiten; 36 were refused, 10 were left
    out, 1 may or may not be in.
    https://acme.kaiten.example/api/latest, mapping kaiten.toml, run
    01JD3Z7Q8K6V0V0C7Y2M5T9XNR

      created      903  made by this run, confirmed by the target
      unchanged     50  there already, nothing to send
      skipped       10  left out, as duplicates or by a rule
      rejected      34  refused by our checks, not sent
      failed         2  refused by the target
      uncertain      1  sent, perhaps made: look before you send them again
      read       1,000  in all

    Why rows were refused
      21 × Email: There is no domain after the `@`; an address looks like
           name@example.com. [email.invalid]
           D17 "bob@"   D31 (line 33) "jane.doe@@example.com, jane@example.com…"
           D90 (empty)
      12 × Country of residence [country.unknown]
           H18: `Deutschlnd` is no country; write a code such as DE, or add it to
             the field's `map`.
           H40: `U K` is no country; write a code such as DE, or add it to the
             field's `map`.
       1 × The row has 13 cells and the header 12; a comma may lack its quotes.
           [row.ragged]
           row 700
       2 × Slug: The target answered 422: slug has already been taken [target.422]
           B5 "acme"   B6 "acme-2"

    Warnings (they refuse no row)
      4 × Phone: The extension is dropped. [phone.extension]
          E3 "030 1234 ext. 5"   E8 "030 1234 x77"

    Files written
      rejects  clients.rejects.csv
      results  clients.results.csv
      ledger   /home/jane/.local/state/rowferry/kaiten-1f3a9c.db

    909 requests in 49 s, 3 repeated, 2 answered "too many requests", 1 look-up.
    Next: rowferry import clients.rejects.csv --mapping kaiten.toml
    "#);
}

#[test]
fn an_import_with_failures_at_120_columns() {
    assert_snapshot!(terminal(&failed_import(), 120, false), @r#"
    953 of 1,000 rows of clients.csv are in kaiten; 36 were refused, 10 were left out, 1 may or may not be in.
    https://acme.kaiten.example/api/latest, mapping kaiten.toml, run 01JD3Z7Q8K6V0V0C7Y2M5T9XNR

      created      903  made by this run, confirmed by the target
      unchanged     50  there already, nothing to send
      skipped       10  left out, as duplicates or by a rule
      rejected      34  refused by our checks, not sent
      failed         2  refused by the target
      uncertain      1  sent, perhaps made: look before you send them again
      read       1,000  in all

    Why rows were refused
      21 × Email: There is no domain after the `@`; an address looks like name@example.com. [email.invalid]
           D17 "bob@"   D31 (line 33) "jane.doe@@example.com, jane@example.com…"   D90 (empty)
      12 × Country of residence [country.unknown]
           H18: `Deutschlnd` is no country; write a code such as DE, or add it to the field's `map`.
           H40: `U K` is no country; write a code such as DE, or add it to the field's `map`.
       1 × The row has 13 cells and the header 12; a comma may lack its quotes. [row.ragged]
           row 700
       2 × Slug: The target answered 422: slug has already been taken [target.422]
           B5 "acme"   B6 "acme-2"

    Warnings (they refuse no row)
      4 × Phone: The extension is dropped. [phone.extension]
          E3 "030 1234 ext. 5"   E8 "030 1234 x77"

    Files written
      rejects  clients.rejects.csv
      results  clients.results.csv
      ledger   /home/jane/.local/state/rowferry/kaiten-1f3a9c.db

    909 requests in 49 s, 3 repeated, 2 answered "too many requests", 1 look-up.
    Next: rowferry import clients.rejects.csv --mapping kaiten.toml
    "#);
}

#[test]
fn a_stopped_import_at_80_columns() {
    assert_snapshot!(terminal(&stopped_import(), 80, false), @r#"
    1,200 of 5,000 rows of 2 files are in flextell; 3,800 were not sent.
    Stopped early: the target does not let us in any more (401 on POST /clients);
    check the token in FLEXTELL_TOKEN.
    https://api.flextell.example, mapping flextell.toml, run
    01JD3Z7Q8K6V0V0C7Y2M5T9XNR

      created    1,200  made by this run, confirmed by the target
      pending    3,800  not sent, a later run sends them
      read       5,000  in all

    Files read
      a.csv: 1,200 rows, 1,200 created
      b.csv: 3,800 rows, 3,800 pending

    Files written
      ledger   /home/jane/.local/state/rowferry/flextell-77ab01.db
      results  a.results.csv

    1,204 requests in 75 s.
    Next: rowferry import a.csv b.csv --mapping flextell.toml
    "#);
}

#[test]
fn a_stopped_import_at_120_columns() {
    assert_snapshot!(terminal(&stopped_import(), 120, false), @r#"
    1,200 of 5,000 rows of 2 files are in flextell; 3,800 were not sent.
    Stopped early: the target does not let us in any more (401 on POST /clients); check the token in FLEXTELL_TOKEN.
    https://api.flextell.example, mapping flextell.toml, run 01JD3Z7Q8K6V0V0C7Y2M5T9XNR

      created    1,200  made by this run, confirmed by the target
      pending    3,800  not sent, a later run sends them
      read       5,000  in all

    Files read
      a.csv: 1,200 rows, 1,200 created
      b.csv: 3,800 rows, 3,800 pending

    Files written
      ledger   /home/jane/.local/state/rowferry/flextell-77ab01.db
      results  a.results.csv

    1,204 requests in 75 s.
    Next: rowferry import a.csv b.csv --mapping flextell.toml
    "#);
}

#[test]
fn a_messy_check_in_a_small_window() {
    assert_snapshot!(terminal_in(&messy_check(), 80, 24, false), @r#"
    11,956 of 12,000 rows of clients.xlsx can go to assembly; 34 are refused, 10 are
    left out.
    12,000 read: 11,956 created, 10 skipped, 34 rejected

      21 × Email: D17 "bob@" – There is no domain after the `@`; an address looks l…
      12 × Country of residence: H18 "Deutschlnd" – `Deutschlnd` is no country; wri…
       1 × row 700 – The row has 13 cells and the header 12; a comma may lack its q…
           and 4 warnings

    rejects  clients.rejects.csv
    2 notes more: a taller window shows them, and --json.

    Checked in 0.3 s; nothing was sent. The import would take about 10 min: 11,956
    requests at 20/s.
    Next: mend clients.rejects.csv, or import the rows that are good:
          rowferry import clients.xlsx --mapping assembly.toml
    "#);
}

#[test]
fn an_import_with_failures_in_a_small_window() {
    assert_snapshot!(terminal_in(&failed_import(), 80, 24, false), @r#"
    953 of 1,000 rows of clients.csv are in kaiten; 36 were refused, 10 were left
    out, 1 may or may not be in.
    1,000 read: 903 created, 50 unchanged, 10 skipped, 34 rejected, 2 failed, 1
      uncertain

      21 × Email: D17 "bob@" – There is no domain after the `@`; an address looks l…
      12 × Country of residence: H18 "Deutschlnd" – `Deutschlnd` is no country; wri…
       1 × row 700 – The row has 13 cells and the header 12; a comma may lack its q…
       2 × Slug: B5 "acme" – The target answered 422: slug has already been taken
           and 4 warnings

    rejects  clients.rejects.csv
    results  clients.results.csv
    ledger   /home/jane/.local/state/rowferry/kaiten-1f3a9c.db

    909 requests in 49 s, 3 repeated, 2 answered "too many requests", 1 look-up.
    Next: rowferry import clients.rejects.csv --mapping kaiten.toml
    "#);
}

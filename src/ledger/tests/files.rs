//! What the file may be, and what is said where it is not.

use super::*;

#[test]
fn a_second_opener_is_told_who_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let ledger = open(open_at(&path)).unwrap();
    let error = open(open_at(&path)).unwrap_err();
    let LedgerError::Locked { holder, .. } = &error else {
        panic!("{error}");
    };
    if cfg!(unix) {
        assert_eq!(holder.pid, std::process::id().to_string());
        assert_eq!(holder.command, "rowferry import x.csv");
        assert!(holder.since.ends_with('Z'), "{}", holder.since);
        assert!(
            error.to_string().contains("rowferry import x.csv"),
            "{error}"
        );
    }
    drop(ledger);
    open(open_at(&path)).unwrap();
}

#[test]
fn what_a_dead_holder_left_does_not_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    std::fs::write(
        lock::lock_path(&path),
        "pid 1\nsince 2020\ncommand a much longer command\n",
    )
    .unwrap();
    let ledger = open(open_at(&path)).unwrap();
    if cfg!(unix) {
        let text = std::fs::read_to_string(lock::lock_path(&path)).unwrap();
        assert!(
            text.ends_with("command rowferry import x.csv\nmade\n"),
            "{text}"
        );
    }
    drop(ledger);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state").join("rowferry").join("x.db");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let ledger = open(open_at(&path)).unwrap();
    begin(&ledger);
    for ending in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(&lock::beside(&path, ending)), 0o600, "{ending}");
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    ledger.close().unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let _ledger = open(open_at(&path)).unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn another_account_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    open(open_at(&path)).unwrap().close().unwrap();
    let mut other = open_at(&path);
    other.account.base_url = "https://live.example.org".into();
    let error = open(other).unwrap_err().to_string();
    assert!(
        error.contains("kaiten at https://demo.example.org"),
        "{error}"
    );
    assert!(
        error.contains("kaiten at https://live.example.org"),
        "{error}"
    );
    let mut tenant = open_at(&path);
    tenant.account.tenants = vec![("X-Tenant".into(), "t".into())];
    let error = open(tenant).unwrap_err().to_string();
    assert!(error.contains("another client id or tenant"), "{error}");
    open(open_at(&path)).unwrap();
}

#[test]
fn another_secret_asks_and_none_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let with = |secret: &[u8], same_account| {
        let mut open = open_at(&path);
        open.secret = Some(secret.to_vec());
        open.same_account = same_account;
        open
    };
    let first = b"a-very-secret-token";
    // Made without a secret, then the first one is learned.
    open(open_at(&path)).unwrap().close().unwrap();
    open(with(first, false)).unwrap().close().unwrap();
    open(with(first, false)).unwrap().close().unwrap();
    let error = open(with(b"another-token", false)).unwrap_err();
    assert!(matches!(error, LedgerError::OtherSecret { .. }), "{error}");
    assert!(!error.to_string().contains("another-token"), "{error}");
    open(with(b"another-token", true)).unwrap().close().unwrap();
    open(with(b"another-token", false))
        .unwrap()
        .close()
        .unwrap();
    assert!(open(with(first, false)).is_err());
    let bytes = std::fs::read(&path).unwrap();
    for secret in [&first[..], b"another-token", blake3::hash(first).as_bytes()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

fn doctor(path: &Path, sql: &str) {
    rusqlite::Connection::open(path)
        .unwrap()
        .execute_batch(sql)
        .unwrap();
}

#[test]
fn a_newer_format_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    open(open_at(&path)).unwrap().close().unwrap();
    doctor(&path, "PRAGMA user_version = 4");
    let before = std::fs::read(&path).unwrap();
    let error = open(open_at(&path)).unwrap_err();
    assert!(
        matches!(
            error,
            LedgerError::Newer {
                found: 4,
                known: 3,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn damaged_and_foreign_files_are_refused_and_left_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let good = in_folder(&folder);
    let ledger = open(open_at(&good)).unwrap();
    let run = begin(&ledger);
    wait(ledger.about_to_send((0..200).map(|number| intent(&run, number)).collect())).unwrap();
    ledger.close().unwrap();
    let good = std::fs::read(&good).unwrap();
    let foreign = folder.path().join("foreign");
    doctor(&foreign, "CREATE TABLE t (x)");
    let mut scribbled = good.clone();
    let at = scribbled.len() - 4096;
    scribbled[at..].fill(0x5a);
    let random: Vec<u8> = (0..9000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for (name, bytes, says) in [
        ("random", random, "not an SQLite database"),
        ("truncated", good[..good.len() / 2].to_vec(), "damaged"),
        ("cut in the header", good[..60].to_vec(), "damaged"),
        ("scribbled", scribbled, "damaged"),
        (
            "foreign",
            std::fs::read(&foreign).unwrap(),
            "another program",
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let error = open(open_at(&path)).expect_err(name);
        assert!(
            matches!(error, LedgerError::Damaged { .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(says), "{name}: {error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
}

#[test]
fn nothing_may_be_sent_once_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap();
    // SQLite answers as it does on a full disk.
    ledger.sql("PRAGMA max_page_count = 1").unwrap();
    let many: Vec<Intent> = (0..20_000_u32)
        .map(|number| {
            let mut intent = intent(&run, 2);
            intent.key.0[..4].copy_from_slice(&number.to_be_bytes());
            intent
        })
        .collect();
    let full = LedgerError::DiskFull { path: path.clone() };
    assert_eq!(wait(ledger.about_to_send(many.clone())), Err(full.clone()));
    ledger.sql("PRAGMA max_page_count = 1000000").unwrap();
    assert_eq!(
        wait(ledger.about_to_send(many)),
        Err(full.clone()),
        "ever after"
    );
    assert!(full.to_string().contains("disk is full"), "{full}");
    // What came back is still noted where that is possible.
    wait(ledger.settle(vec![outcome(&run, 1, State::Created)])).unwrap();
    assert_eq!(ledger.close(), Err(full));
    let ledger = open(open_at(&path)).unwrap();
    let known = ledger.known(&[key(1), key(2)]).unwrap();
    assert_eq!(
        known[0].as_ref().map(|entry| entry.state),
        Some(State::Created)
    );
    assert_eq!(known[1], None);
}

#[cfg(unix)]
#[test]
fn a_file_deleted_in_the_middle_stops_the_sending() {
    for ending in ["", "-wal", ".lock"] {
        let folder = tempfile::tempdir().unwrap();
        let path = in_folder(&folder);
        let ledger = open(open_at(&path)).unwrap();
        let run = begin(&ledger);
        std::fs::remove_file(lock::beside(&path, ending)).unwrap();
        let error = wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap_err();
        assert!(
            matches!(error, LedgerError::Vanished { .. }),
            "{ending}: {error}"
        );
    }
}

#[test]
fn a_ledger_that_was_there_and_is_gone_is_not_begun_anew() {
    for (left, killed) in [(".lock", false), ("-wal", true)] {
        let folder = tempfile::tempdir().unwrap();
        let path = in_folder(&folder);
        let ledger = open(open_at(&path)).unwrap();
        begin(&ledger);
        let (_kept, path) = if killed {
            let (kept, path) = crashed(&path);
            std::fs::remove_file(lock::lock_path(&path)).unwrap();
            (Some(kept), path)
        } else {
            ledger.close().unwrap();
            (None, path)
        };
        let moved = path.with_extension("moved");
        std::fs::rename(&path, &moved).unwrap();
        let witness = lock::beside(&path, left);
        let before = std::fs::read(&witness).unwrap();
        for _ in 0..2 {
            let error = open(open_at(&path)).unwrap_err();
            let gone = LedgerError::Gone {
                path: path.clone(),
                witness: witness.clone(),
            };
            assert_eq!(error, gone);
            assert!(error.to_string().contains("is gone"), "{error}");
            assert!(!path.exists());
            assert_eq!(std::fs::read(&witness).unwrap(), before);
        }
        std::fs::rename(&moved, &path).unwrap();
        assert_eq!(open(open_at(&path)).unwrap().runs().unwrap().len(), 1);
        // Whoever means it may begin anew.
        std::fs::remove_file(&path).unwrap();
        for ending in ["-wal", "-shm", ".lock"] {
            let _ = std::fs::remove_file(lock::beside(&path, ending));
        }
        assert_eq!(open(open_at(&path)).unwrap().runs().unwrap().len(), 0);
    }
}

/// The tables as format 1 had them.
const FORMAT_1: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE run (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, started_ms INTEGER NOT NULL,
  ended_ms INTEGER, exit INTEGER, command TEXT NOT NULL, input TEXT NOT NULL, mapping TEXT NOT NULL,
  target TEXT NOT NULL, base_url TEXT NOT NULL, created INTEGER, updated INTEGER, unchanged INTEGER,
  skipped INTEGER, rejected INTEGER, failed INTEGER, uncertain INTEGER, pending INTEGER) STRICT;
CREATE TABLE entry (key BLOB NOT NULL UNIQUE CHECK (length(key) = 16),
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 9), body BLOB NOT NULL CHECK (length(body) = 16),
  sent_body BLOB CHECK (length(sent_body) = 16), id TEXT, address TEXT,
  mapping BLOB NOT NULL CHECK (length(mapping) = 16), space INTEGER NOT NULL, row INTEGER NOT NULL,
  attempts INTEGER NOT NULL, attempted_ms INTEGER NOT NULL, since_ms INTEGER NOT NULL,
  run INTEGER NOT NULL REFERENCES run (number), status INTEGER, batch TEXT, place INTEGER,
  is_update INTEGER NOT NULL) STRICT;
CREATE INDEX entry_unsettled ON entry (state) WHERE state IN (1, 2, 8);
CREATE INDEX entry_id ON entry (id) WHERE id IS NOT NULL;
CREATE TABLE request (minute INTEGER PRIMARY KEY, sent INTEGER NOT NULL) STRICT;
CREATE TABLE file (path BLOB PRIMARY KEY NOT NULL, hash BLOB NOT NULL CHECK (length(hash) = 32))
  STRICT, WITHOUT ROWID;
CREATE TABLE note (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO run VALUES (1, '01J', 5, NULL, NULL, 'c', 'x.csv', 'm.toml', 'kaiten', 'u',
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO entry VALUES (x'01010101010101010101010101010101', 1,
  x'01010101010101010101010101010101', NULL, NULL, NULL, x'09090909090909090909090909090909', 0, 17,
  1, 5, 5, 1, NULL, NULL, NULL, 0);
PRAGMA application_id = 0x526f7746;
PRAGMA user_version = 1;
";

#[test]
fn a_ledger_of_format_1_is_read_as_it_is_and_taken_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(FORMAT_1).unwrap();
    db.execute(
        "INSERT INTO meta VALUES ('account', ?1), ('target', ?2)",
        (account().hash(), &b"kaiten"[..]),
    )
    .unwrap();
    drop(db);
    let before = std::fs::read(&path).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.runs().unwrap()[0].inputs, [""; 0]);
    assert_eq!(reader.unsettled().unwrap()[0].1.row, 17);
    drop(reader);
    assert_eq!(std::fs::read(&path).unwrap(), before);

    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    assert_eq!(ledger.outstanding().unwrap()[0].1.row, 17);
    wait(ledger.settle(vec![outcome(&run, 1, State::Created)])).unwrap();
    ledger
        .end_run_with(&run, 0, [1, 0, 0, 0, 0, 0, 0, 0], "{}".into())
        .unwrap();
    ledger.close().unwrap();
    let runs = Reader::open(&path).unwrap().runs().unwrap();
    assert_eq!((runs.len(), runs[1].summary.as_deref()), (2, Some("{}")));
    assert_eq!(runs[1].inputs, ["/in/x.csv"]);
}

#[test]
fn a_ledger_of_format_2_is_taken_along() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap();
    ledger.close().unwrap();
    doctor(
        &path,
        "ALTER TABLE entry DROP COLUMN asked; ALTER TABLE entry DROP COLUMN mended;
         DROP TABLE word; PRAGMA user_version = 2;",
    );
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.unsettled().unwrap()[0].1.asked, None);
    drop(reader);
    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    assert_eq!(ledger.outstanding().unwrap()[0].1.row, 1);
    let asking = Intent {
        asked: Some([7; 16]),
        mended: true,
        ..intent(&run, 2)
    };
    wait(ledger.about_to_send(vec![asking])).unwrap();
    let known = ledger.known(&[key(2)]).unwrap();
    let entry = known[0].as_ref().unwrap();
    assert_eq!((entry.asked, entry.mended), (Some([7; 16]), true));
}

#[test]
fn every_commit_is_synced_before_it_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let db = schema::connect(&open_at(&path), schema::Whose::Accounts, false).unwrap();
    let text = |name: &str| {
        db.query_row(name, (), |row| row.get::<_, String>(0))
            .unwrap()
    };
    let number = |name: &str| db.query_row(name, (), |row| row.get::<_, i64>(0)).unwrap();
    // 2 is FULL: the -wal is synced with each commit.
    assert_eq!(
        (text("PRAGMA journal_mode"), number("PRAGMA synchronous")),
        ("wal".into(), 2)
    );
}

#[test]
fn a_ledger_is_looked_into_while_it_is_held_and_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let missing = Reader::open(&path).unwrap_err();
    assert_eq!(missing, LedgerError::Missing { path: path.clone() });
    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    wait(ledger.about_to_send((1..=5).map(|number| intent(&run, number)).collect())).unwrap();
    wait(ledger.settle(vec![outcome(&run, 1, State::Created)])).unwrap();
    let (_kept, copy) = crashed(&path);
    for (path, held) in [(&path, true), (&copy, false)] {
        let mut reader = Reader::open(path).unwrap();
        assert_eq!(reader.describe(), "kaiten at https://demo.example.org");
        assert_eq!(reader.runs().unwrap()[0].ended_ms, None);
        assert_eq!(
            reader.touched(&run).unwrap(),
            [(State::Sending, 4), (State::Created, 1)]
        );
        assert_eq!(reader.unsettled().unwrap().len(), 4);
        assert_eq!(reader.of_row(2).unwrap()[0].0, key(2));
        if cfg!(unix) {
            let pid = reader.holder().map(|holder| holder.pid);
            assert_eq!(pid, held.then(|| std::process::id().to_string()));
        }
    }
    // Whoever looked left nothing behind that stops the run.
    wait(ledger.settle(vec![outcome(&run, 2, State::Created)])).unwrap();
    ledger.close().unwrap();
    assert_eq!(Reader::open(&path).unwrap().holder(), None);
}

#[test]
fn a_ledger_is_reopened_by_whoever_settles_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let missing = reopen(&path, "settle".into()).unwrap_err();
    assert_eq!(missing, LedgerError::Missing { path: path.clone() });
    let mut with = open_at(&path);
    with.secret = Some(b"s".to_vec());
    let ledger = open(with.clone()).unwrap();
    let run = begin(&ledger);
    wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap();
    assert!(matches!(
        reopen(&path, "settle".into()),
        Err(LedgerError::Locked { .. })
    ));
    ledger.close().unwrap();
    let ledger = reopen(&path, "settle".into()).unwrap();
    let run = begin(&ledger);
    wait(ledger.settle(vec![outcome(&run, 1, State::Absent)])).unwrap();
    ledger.close().unwrap();
    // Account and secret are as they were.
    open(with).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = open(open_at(&file.join("ledger.db"))).unwrap_err();
    assert!(error.to_string().contains("ledger.db"), "{error}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let closed = folder.path().join("closed");
        std::fs::create_dir(&closed).unwrap();
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o500)).unwrap();
        if std::fs::write(closed.join("probe"), "").is_ok() {
            println!("skipped: this user may write to every folder");
            return;
        }
        let error = open(open_at(&closed.join("ledger.db"))).unwrap_err();
        assert!(matches!(error, LedgerError::ReadOnly { .. }), "{error}");
    }
}

#[test]
fn a_read_only_database_is_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    ledger.sql("PRAGMA query_only = 1").unwrap();
    let error = wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap_err();
    assert_eq!(error, LedgerError::ReadOnly { path });
    assert!(error.to_string().contains("read-only"), "{error}");
}

//! What the verbs promise, on a real file.

use super::*;

#[test]
fn an_intent_survives_a_crash_and_is_outstanding() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    let mut grouped = intent(&run, 2);
    grouped.group = Some(Group {
        key: "idem-1".into(),
        place: 3,
    });
    wait(ledger.about_to_send(vec![intent(&run, 1), grouped.clone(), intent(&run, 3)])).unwrap();
    wait(ledger.settle(vec![outcome(&run, 1, State::Created)])).unwrap();
    assert_eq!(ledger.outstanding().unwrap(), [], "of this run");

    let (_kept, copy) = crashed(&path);
    let again = open(open_at(&copy)).unwrap();
    let next = begin(&again);
    let outstanding = again.outstanding().unwrap();
    assert_eq!(outstanding.len(), 2);
    let (found, entry) = &outstanding[0];
    assert_eq!(*found, key(2));
    assert_eq!(entry.state, State::Sending);
    assert_eq!((entry.body, entry.row, entry.attempts), (body(2), 2, 1));
    assert_eq!(entry.group, grouped.group);
    assert_eq!(entry.run, run);
    let known = again.known(&[key(1), key(200)]).unwrap();
    let created = known[0].as_ref().unwrap();
    assert_eq!(created.state, State::Created);
    assert_eq!(created.sent_body, Some(body(1)));
    assert_eq!(created.id.as_deref(), Some("id-1"));
    assert_eq!(created.status, Some(201));
    assert_eq!(known[1], None);

    wait(again.settle(vec![
        outcome(&next, 2, State::Uncertain),
        outcome(&next, 3, State::Absent),
    ]))
    .unwrap();
    again.close().unwrap();
    let last = open(open_at(&copy)).unwrap();
    let outstanding = last.outstanding().unwrap();
    assert_eq!(outstanding.len(), 1);
    assert_eq!(outstanding[0].1.state, State::Uncertain);
}

#[test]
fn a_forbidden_step_changes_nothing_and_spoils_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(open_at(&in_folder(&folder))).unwrap();
    let run = begin(&ledger);
    wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap();
    wait(ledger.settle(vec![outcome(&run, 1, State::Created)])).unwrap();
    // All or none: key 2 is not noted either.
    let error = wait(ledger.about_to_send(vec![intent(&run, 2), intent(&run, 1)])).unwrap_err();
    assert!(matches!(error, LedgerError::Bug(_)), "{error}");
    assert_eq!(ledger.known(&[key(2)]).unwrap(), [None]);
    let error = wait(ledger.settle(vec![outcome(&run, 3, State::Created)])).unwrap_err();
    assert!(matches!(error, LedgerError::Bug(_)), "{error}");
    let unknown: Arc<str> = "nobody".into();
    let error = wait(ledger.about_to_send(vec![intent(&unknown, 4)])).unwrap_err();
    assert!(error.to_string().contains("never begun"), "{error}");
    wait(ledger.about_to_send(vec![intent(&run, 2)])).unwrap();
}

#[test]
fn a_create_of_another_body_is_refused_while_an_attempt_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(open_at(&in_folder(&folder))).unwrap();
    let run = begin(&ledger);
    wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap();
    let mut edited = intent(&run, 1);
    edited.body = body(50);
    assert!(wait(ledger.about_to_send(vec![edited.clone()])).is_err());
    // The same body again: the API may know it by its idempotency key.
    wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap();
    let states = wait(ledger.settle(vec![outcome(&run, 1, State::NotSent)])).unwrap();
    assert_eq!(
        states,
        [State::Uncertain],
        "the first attempt is still open"
    );
    wait(ledger.settle(vec![outcome(&run, 1, State::Absent)])).unwrap();
    wait(ledger.about_to_send(vec![edited])).unwrap();
    let entry = ledger.known(&[key(1)]).unwrap().remove(0).unwrap();
    assert_eq!((entry.state, entry.attempts), (State::Sending, 3));
}

#[test]
fn a_refused_update_leaves_what_was_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(open_at(&in_folder(&folder))).unwrap();
    let run = begin(&ledger);
    wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap();
    wait(ledger.settle(vec![outcome(&run, 1, State::Created)])).unwrap();
    let mut update = intent(&run, 1);
    update.body = body(60);
    update.update = true;
    wait(ledger.about_to_send(vec![update.clone()])).unwrap();
    wait(ledger.settle(vec![outcome(&run, 1, State::Failed)])).unwrap();
    let entry = ledger.known(&[key(1)]).unwrap().remove(0).unwrap();
    assert_eq!(entry.sent_body, Some(body(1)));
    assert_eq!(entry.body, body(60));
    assert_eq!(entry.id.as_deref(), Some("id-1"));
    assert!(wait(ledger.about_to_send(vec![intent(&run, 1)])).is_err());
    wait(ledger.about_to_send(vec![update])).unwrap();
    wait(ledger.settle(vec![outcome(&run, 1, State::Updated)])).unwrap();
    let entry = ledger.known(&[key(1)]).unwrap().remove(0).unwrap();
    assert_eq!(entry.sent_body, Some(body(60)));
}

#[test]
fn a_record_found_before_sending_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(open_at(&in_folder(&folder))).unwrap();
    let run = begin(&ledger);
    wait(ledger.found(vec![Found {
        intent: intent(&run, 1),
        id: Some("theirs".into()),
        address: Some("slug".into()),
        status: Some(200),
    }]))
    .unwrap();
    let entry = ledger.known(&[key(1)]).unwrap().remove(0).unwrap();
    assert_eq!((entry.state, entry.attempts), (State::Existing, 0));
    assert_eq!(entry.address.as_deref(), Some("slug"));
    assert_eq!(ledger.owner_of("theirs").unwrap(), Some(key(1)));
    assert_eq!(wait(ledger.owner_of_async("else")).unwrap(), None);
    assert!(wait(ledger.about_to_send(vec![intent(&run, 1)])).is_err());
}

#[test]
fn a_word_of_a_file_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap();
    let absent = || vec![outcome(&run, 1, State::Absent)];
    assert!(ledger.settle_by_word([1; 32], absent()).unwrap());
    wait(ledger.about_to_send(vec![intent(&run, 1)])).unwrap();
    assert!(!ledger.settle_by_word([1; 32], absent()).unwrap());
    let state = |ledger: &Ledger| ledger.known(&[key(1)]).unwrap()[0].as_ref().unwrap().state;
    assert_eq!(state(&ledger), State::Sending);
    assert!(ledger.settle_by_word([2; 32], absent()).unwrap());
    assert_eq!(state(&ledger), State::Absent);
}

fn spent(ledger: &Ledger, since_ms: i64) -> u64 {
    let minutes = ledger.spent_since(since_ms).unwrap();
    minutes.into_iter().map(|(_, count)| count).sum()
}

#[test]
fn runs_quotas_files_and_notes_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    let killed = begin(&ledger);
    ledger.end_run(&run, 1, [1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    let before = now_ms();
    ledger.spent(3);
    ledger.spent(4);
    assert_eq!(spent(&ledger, before), 7);
    assert_eq!(spent(&ledger, before + 120_000), 0);
    let written = Path::new("out/x.rejects.csv");
    ledger.remember_file(written, [1; 32]).unwrap();
    ledger.remember_file(written, [2; 32]).unwrap();
    ledger.note("pace", "12.5").unwrap();
    ledger.spent(1);
    // One that was written down already and never left, and one of which nothing was written yet.
    let (first, second) = (ledger.spent(1), ledger.spent(2));
    ledger.not_spent(second);
    assert_eq!(spent(&ledger, before), 9);
    ledger.not_spent(first);
    ledger.close().unwrap();

    let ledger = open(open_at(&path)).unwrap();
    assert_eq!(spent(&ledger, before), 8);
    assert_eq!(ledger.file_hash(written).unwrap(), Some([2; 32]));
    assert_eq!(ledger.file_hash(Path::new("else")).unwrap(), None);
    assert_eq!(ledger.noted("pace").unwrap().as_deref(), Some("12.5"));
    assert_eq!(ledger.noted("else").unwrap(), None);
    let runs = ledger.runs().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!((&*runs[0].run, &*runs[1].run), (&*run, &*killed));
    assert_eq!(runs[0].exit, Some(1));
    assert_eq!(runs[0].fates, Some([1, 2, 3, 4, 5, 6, 7, 8]));
    assert!(runs[0].ended_ms >= Some(runs[0].started_ms));
    assert_eq!(runs[0].base_url, "https://demo.example.org", "no password");
    assert_eq!(
        (runs[1].exit, runs[1].ended_ms, runs[1].fates),
        (None, None, None)
    );
}

#[test]
fn rows_that_left_their_file_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let read = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let run_of = |ledger: &Ledger, names: &[&str]| -> Arc<str> {
        let info = RunInfo {
            inputs: read(names),
            ..RunInfo::default()
        };
        ledger.begin_run(info).unwrap().into()
    };
    let ledger = open(open_at(&path)).unwrap();
    let run = run_of(&ledger, &["/a.csv"]);
    wait(ledger.about_to_send((1..=6).map(|number| intent(&run, number)).collect())).unwrap();
    wait(
        ledger.settle(
            [
                (1, State::Created),
                (2, State::Created),
                (3, State::Failed),
                (4, State::Uncertain),
            ]
            .map(|(number, state)| outcome(&run, number, state))
            .to_vec(),
        ),
    )
    .unwrap();
    // Another input, another mapping.
    let other = run_of(&ledger, &["/b.csv"]);
    wait(ledger.about_to_send(vec![intent(&other, 7)])).unwrap();
    let mut foreign = intent(&run, 8);
    foreign.mapping = [1; 16];
    wait(ledger.about_to_send(vec![foreign])).unwrap();
    ledger.close().unwrap();

    let ledger = open(open_at(&path)).unwrap();
    let run = run_of(&ledger, &["/a.csv"]);
    ledger.known(&[key(1), key(99)]).unwrap();
    wait(ledger.about_to_send(vec![intent(&run, 5), intent(&run, 20)])).unwrap();
    let left = |names: &[&str]| {
        let left = ledger.left([9; 16], read(names)).unwrap();
        assert_eq!(left.count, left.rows.len() as u64);
        left.rows
            .iter()
            .map(|row| {
                (
                    row.row,
                    row.id.as_deref().unwrap_or("").to_owned(),
                    row.unsettled,
                )
            })
            .collect::<Vec<_>>()
    };
    let of_a = [
        (2, "id-2".to_owned(), false),
        (4, String::new(), true),
        (6, String::new(), true),
    ];
    assert_eq!(left(&["/a.csv"]), of_a);
    let mut of_both = of_a.to_vec();
    of_both.push((7, String::new(), true));
    assert_eq!(left(&["/a.csv", "/b.csv"]), of_both);
    assert_eq!(left(&["/c.csv"]), []);
}

#[test]
fn blocking_verbs_work_inside_a_runtime_and_tasks_share_commits() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(open_at(&in_folder(&folder))).unwrap();
    wait(async {
        let run = begin(&ledger);
        // More tasks than permits: those that wait are served in turn.
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..2000_u32 {
            let (ledger, run) = (ledger.clone(), Arc::clone(&run));
            tasks.spawn(async move {
                let mut intent = intent(&run, 0);
                intent.key.0[..4].copy_from_slice(&number.to_le_bytes());
                let key = intent.key;
                ledger.about_to_send(vec![intent]).await?;
                let mut outcome = outcome(&run, 0, State::Created);
                outcome.key = key;
                ledger.settle(vec![outcome]).await
            });
        }
        while let Some(done) = tasks.join_next().await {
            assert_eq!(done.unwrap().unwrap(), [State::Created]);
        }
        assert_eq!(ledger.outstanding().unwrap(), []);
    });
}

#[test]
fn a_closed_ledger_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let ledger = open(open_at(&path)).unwrap();
    let other = ledger.clone();
    ledger.close().unwrap();
    assert_eq!(
        other.runs(),
        Err(LedgerError::Closed { path: path.clone() })
    );
    // The lock is free though a handle is left.
    open(open_at(&path)).unwrap();
}

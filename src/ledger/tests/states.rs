//! The table of states, and what follows from an entry.

use super::State::*;
use super::*;

#[test]
fn the_whole_table() {
    // One letter a state, in the order of the columns below; `.` is forbidden.
    let letter = |state: State| match state {
        Sending => 'S',
        Resending => 'R',
        NotSent => 'n',
        Created => 'C',
        Updated => 'U',
        Existing => 'E',
        Failed => 'F',
        Uncertain => '?',
        Absent => 'a',
    };
    let events = [
        Event::Create,
        Event::Update,
        Event::Outcome(Created),
        Event::Outcome(Updated),
        Event::Outcome(Existing),
        Event::Outcome(Failed),
        Event::Outcome(NotSent),
        Event::Outcome(Absent),
        Event::Outcome(Uncertain),
        Event::Outcome(Sending),
        Event::Outcome(Resending),
    ];
    let table = [
        (None, "SS..E......"),
        (Some(Sending), "RRCUEFna?.."),
        (Some(Resending), "RRCUE??a?.."),
        (Some(Uncertain), "RRCUEFna?.."),
        (Some(NotSent), "SSCUEFna..."),
        (Some(Failed), "SSCUEFna..."),
        (Some(Absent), "SSCUEFna..."),
        (Some(Created), ".SCUE......"),
        (Some(Updated), ".SCUE......"),
        (Some(Existing), ".SCUE......"),
    ];
    assert_eq!(table.len(), State::ALL.len() + 1);
    for (from, row) in table {
        let actual: String = events
            .iter()
            .map(|event| transition(from, *event).map_or('.', letter))
            .collect();
        assert_eq!(actual, row, "from {from:?}");
    }
}

/// The table as `docs/ledger.md` shows it.
fn written() -> String {
    let word = |event: &Event| match event {
        Event::Create => "create leaves",
        Event::Update => "update leaves",
        Event::Outcome(state) => state.name(),
    };
    let mut text = String::from("| before |");
    for event in &EVENTS {
        text.push_str(&format!(" {} |", word(event)));
    }
    text.push_str(&format!("\n|{}\n", " --- |".repeat(EVENTS.len() + 1)));
    for (before, after) in TABLE {
        text.push_str(&format!(
            "| {} |",
            before.map_or("nothing known", State::name)
        ));
        for state in after {
            text.push_str(&format!(" {} |", state.map_or("–", State::name)));
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_document_has_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/ledger.md");
    let document = std::fs::read_to_string(path).unwrap();
    let table = written();
    assert!(
        document.contains(&table),
        "docs/ledger.md should have\n{table}"
    );
}

#[test]
fn the_table_is_whole_and_has_no_way_around_a_look_up() {
    for (place, (before, after)) in TABLE.iter().enumerate() {
        assert_eq!(*before, place.checked_sub(1).map(|place| State::ALL[place]));
        for (event, state) in EVENTS.iter().zip(after) {
            assert_eq!(transition(*before, *event).ok(), *state);
            match (event, state) {
                // What leaves is on its way, and is known to be until something is found out.
                (Event::Create | Event::Update, Some(to)) => {
                    assert!(matches!(to, Sending | Resending), "{before:?} {event:?}");
                    let open = before.is_some_and(State::is_unsettled);
                    assert_eq!(*to == Resending, open, "{before:?} {event:?}");
                }
                (Event::Outcome(said), Some(to)) => {
                    assert!(!matches!(to, Sending | Resending), "{before:?} {event:?}");
                    let doubted = *before == Some(Resending) && matches!(said, Failed | NotSent);
                    assert_eq!(*to, if doubted { Uncertain } else { *said });
                }
                _ => {}
            }
        }
        let there = before.is_some_and(State::is_there);
        assert_eq!(
            transition(*before, Event::Create).is_err(),
            there,
            "{before:?}"
        );
    }
    for state in [Sending, Resending] {
        for (before, _) in TABLE {
            assert!(transition(before, Event::Outcome(state)).is_err());
        }
    }
}

/// Whatever happens in whatever order, a create follows an open one only with the same body, and a
/// confirmed record only where it was found to be gone.
#[test]
fn no_way_of_six_steps_makes_a_record_twice() {
    fn go(entry: Option<&Entry>, depth: u32, ways: &mut u64) {
        if depth == 0 {
            *ways += 1;
            return;
        }
        for event in EVENTS {
            for number in 1..=2 {
                let run: Arc<str> = "run".into();
                let next = match event {
                    Event::Outcome(state) if number == 1 => {
                        let Some(entry) = entry else { continue };
                        entry.clone().settle(&outcome(&run, 1, state)).ok()
                    }
                    Event::Outcome(_) => continue,
                    Event::Create | Event::Update => {
                        let mut intent = intent(&run, 1);
                        intent.body = body(number);
                        intent.update = event == Event::Update;
                        Entry::intend(entry.cloned(), &intent, 0).ok()
                    }
                };
                let Some(next) = next else { continue };
                if let (Event::Create, Some(before)) = (event, entry) {
                    assert!(!before.state.is_there() && before.sent_body.is_none());
                    assert!(!before.state.is_unsettled() || before.body == next.body);
                }
                // What the target confirmed stays known until it is found to be gone.
                if let Some(before) = entry
                    && before.sent_body.is_some()
                {
                    let gone = event == Event::Outcome(Absent);
                    assert_eq!(next.sent_body.is_none(), gone, "{before:?} {event:?}");
                }
                go(Some(&next), depth - 1, ways);
            }
        }
    }
    let mut ways = 0;
    go(None, 6, &mut ways);
    assert!(ways > 10_000, "{ways}");
}

#[test]
fn what_the_file_calls_outstanding_is_what_the_states_say() {
    let open: Vec<String> = State::ALL
        .into_iter()
        .filter(|state| state.is_unsettled())
        .map(|state| (state as u8).to_string())
        .collect();
    assert_eq!(
        open.join(", "),
        "1, 2, 8",
        "as in the index and in `Store::outstanding`"
    );
}

#[test]
fn what_a_person_found_not_to_be_made_is_never_made_twice() {
    for (before, update, sent, after, standing) in [
        (Sending, false, None, Absent, "new"),
        (Uncertain, false, None, Absent, "new"),
        (Resending, false, None, Absent, "new"),
        // A change that was not made leaves the record there.
        (Sending, true, Some(7), NotSent, "changed"),
        (Resending, true, Some(7), NotSent, "changed"),
        (Uncertain, true, Some(7), NotSent, "changed"),
        (Uncertain, true, None, NotSent, "new"),
    ] {
        let mut entry = entry(before, sent);
        entry.update = update;
        let run: Arc<str> = "run".into();
        for state in entry.not_made() {
            entry = entry.settle(&outcome(&run, 1, *state)).unwrap();
        }
        assert_eq!(entry.state, after, "{before:?} {update}");
        assert_eq!(entry.sent_body, sent.map(body));
        let found = judge(Some(&entry), &body(1), &[9; 16], false);
        assert_eq!(word(&found), standing, "{before:?} {update}");
    }
}

#[test]
fn an_open_attempt_of_another_mapping_is_another_customers() {
    for (mapping, both_name_a_space, asked, expected) in [
        ([9; 16], false, 2, "unsettled, other body"),
        ([8; 16], false, 2, "conflict"),
        ([8; 16], true, 2, "unsettled, other body"),
        // Equal in all that is sent: the same customer.
        ([8; 16], false, 1, "unsettled"),
    ] {
        let mut entry = entry(Uncertain, None);
        entry.space = both_name_a_space;
        let standing = judge(Some(&entry), &body(asked), &mapping, both_name_a_space);
        assert_eq!(word(&standing), expected, "{mapping:?}");
    }
}

#[test]
fn numbers_stand_in_the_file_and_stay() {
    let numbers: Vec<u8> = State::ALL.iter().map(|state| *state as u8).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for state in State::ALL {
        assert_eq!(State::from_number(state as i64), Some(state));
    }
    assert_eq!(State::from_number(0), None);
    assert_eq!(State::from_number(10), None);
}

fn entry(state: State, sent: Option<u8>) -> Entry {
    Entry {
        state,
        body: body(1),
        sent_body: sent.map(body),
        id: sent.map(|_| "id".to_owned()),
        address: None,
        mapping: [9; 16],
        space: false,
        row: 2,
        attempts: 1,
        attempted_ms: 0,
        since_ms: 0,
        run: "run".into(),
        status: None,
        group: None,
        update: false,
        asked: None,
        mended: false,
    }
}

/// The standing in a word.
fn word(standing: &Standing<'_>) -> &'static str {
    match standing {
        Standing::New => "new",
        Standing::Unchanged { existing: true, .. } => "existing",
        Standing::Unchanged { updated: true, .. } => "unchanged after update",
        Standing::Unchanged { .. } => "unchanged",
        Standing::Changed { conflict: true, .. } => "conflict",
        Standing::Changed { .. } => "changed",
        Standing::Unsettled {
            same_body: true, ..
        } => "unsettled",
        Standing::Unsettled { .. } => "unsettled, other body",
        Standing::FailedBefore => "failed before",
    }
}

#[test]
fn what_is_to_be_done() {
    for (state, sent, asked, expected) in [
        (Created, Some(1), 1, "unchanged"),
        (Created, Some(1), 2, "changed"),
        (Updated, Some(1), 1, "unchanged after update"),
        (Updated, Some(1), 2, "changed"),
        (Existing, Some(1), 1, "existing"),
        (Existing, Some(1), 2, "changed"),
        (Failed, None, 1, "failed before"),
        (Failed, None, 2, "failed before"),
        // An update of body 1 over a confirmed body 7 was refused: the record still has 7.
        (Failed, Some(7), 1, "changed"),
        (Failed, Some(7), 7, "unchanged"),
        (NotSent, None, 1, "new"),
        (NotSent, Some(7), 1, "changed"),
        (NotSent, Some(7), 7, "unchanged"),
        (Absent, None, 1, "new"),
        (Sending, None, 1, "unsettled"),
        (Sending, None, 2, "unsettled, other body"),
        (Sending, Some(7), 7, "unsettled, other body"),
        (Resending, None, 1, "unsettled"),
        (Uncertain, None, 1, "unsettled"),
        (Uncertain, None, 2, "unsettled, other body"),
    ] {
        let entry = entry(state, sent);
        let standing = judge(Some(&entry), &body(asked), &[9; 16], false);
        assert_eq!(word(&standing), expected, "{state:?} {sent:?} {asked}");
    }
    assert_eq!(judge(None, &body(1), &[9; 16], false), Standing::New);
}

#[test]
fn another_mapping_conflicts_unless_both_name_a_space() {
    for (mapping, before, now, asked, expected) in [
        ([9; 16], false, false, 2, "changed"),
        ([8; 16], false, false, 2, "conflict"),
        ([8; 16], true, false, 2, "conflict"),
        ([8; 16], false, true, 2, "conflict"),
        ([8; 16], true, true, 2, "changed"),
        ([8; 16], false, false, 1, "unchanged"),
    ] {
        let mut entry = entry(Created, Some(1));
        entry.space = before;
        let standing = judge(Some(&entry), &body(asked), &mapping, now);
        assert_eq!(word(&standing), expected, "{mapping:?} {before} {now}");
    }
}

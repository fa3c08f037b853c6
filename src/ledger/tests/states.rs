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

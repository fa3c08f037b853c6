//! Properties: nothing twice, nothing lost, over random histories.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;

/// What the network and the target do to one request.
#[derive(Debug, Clone, Copy)]
enum Luck {
    /// Carried out, and the answer came.
    Fine,
    /// Carried out, and the answer was lost.
    LostAfter,
    /// Not carried out, and nobody can tell.
    LostBefore,
    /// Certainly not carried out.
    Busy,
    /// The target refused it.
    Refused,
}

/// What the program does about an attempt of unknown fate.
#[derive(Debug, Clone, Copy)]
enum Remedy {
    LookUp,
    IdempotencyKey,
    KeyedUpdate,
    GiveUp,
}

fn luck() -> impl Strategy<Value = Luck> {
    prop::sample::select(vec![
        Luck::Fine,
        Luck::LostAfter,
        Luck::LostBefore,
        Luck::Busy,
        Luck::Refused,
    ])
}

fn remedy() -> impl Strategy<Value = Remedy> {
    prop::sample::select(vec![
        Remedy::LookUp,
        Remedy::IdempotencyKey,
        Remedy::KeyedUpdate,
        Remedy::GiveUp,
    ])
}

/// A target with one customer's records, and the ledger's entry of it.
#[derive(Default)]
struct World {
    /// The bodies of the records made.
    records: Vec<u8>,
    entry: Option<Entry>,
}

impl World {
    fn intend(&mut self, number: u8, update: bool) {
        let mut intent = intent(&"run".into(), 1);
        intent.body = body(number);
        intent.update = update;
        self.entry = Some(Entry::intend(self.entry.take(), &intent, 0).unwrap());
    }

    fn settle(&mut self, state: State) {
        let outcome = outcome(&"run".into(), 1, state);
        let entry = self.entry.take().unwrap();
        self.entry = Some(entry.settle(&outcome).unwrap());
    }

    /// A create as the target sees it; `idempotent`: it knows the request from before.
    fn create(&mut self, number: u8, luck: Luck, idempotent: bool) {
        self.intend(number, false);
        let carried = matches!(luck, Luck::Fine | Luck::LostAfter);
        if carried && (!idempotent || self.records.is_empty()) {
            self.records.push(number);
        }
        self.answer(luck, State::Created);
    }

    fn update(&mut self, number: u8, luck: Luck) {
        self.intend(number, true);
        match (self.records.first_mut(), luck) {
            (Some(record), Luck::Fine | Luck::LostAfter) => {
                *record = number;
                self.answer(luck, State::Updated);
            }
            // Only an answer shows that nothing was there.
            (None, Luck::Fine) => self.settle(State::Absent),
            (None, Luck::LostAfter) => {}
            _ => self.answer(luck, State::Updated),
        }
    }

    fn answer(&mut self, luck: Luck, good: State) {
        match luck {
            Luck::Fine => self.settle(good),
            Luck::Busy => self.settle(State::NotSent),
            // A target that made the record before answers the repetition with it, not a refusal.
            Luck::Refused if self.records.is_empty() || good == State::Updated => {
                self.settle(State::Failed);
            }
            Luck::Refused | Luck::LostAfter | Luck::LostBefore => {}
        }
    }
}

proptest! {
    /// Whatever is lost and edited: never two records, none forgotten, and what the ledger calls
    /// unchanged is what the target has.
    #[test]
    fn never_twice(steps in prop::collection::vec((0..3_u8, luck(), remedy()), 1..40)) {
        let mut world = World::default();
        for (number, luck, remedy) in steps {
            let before = world.entry.clone();
            match judge(before.as_ref(), &body(number), &[9; 16], false) {
                Standing::New | Standing::FailedBefore => {
                    prop_assert!(world.records.is_empty(), "sendable, but it is there");
                    world.create(number, luck, false);
                }
                Standing::Unchanged { .. } => {
                    prop_assert_eq!(&world.records, &[number]);
                }
                Standing::Changed { .. } => {
                    prop_assert_eq!(world.records.len(), 1);
                    world.update(number, luck);
                }
                Standing::Unsettled { same_body, entry } => match remedy {
                    Remedy::LookUp => {
                        let attempted = entry.body;
                        match world.records.first() {
                            None => world.settle(State::Absent),
                            Some(record) if body(*record) == attempted => {
                                world.settle(State::Created);
                            }
                            // An earlier body is there: the update was not carried out.
                            Some(_) if entry.sent_body.is_some() => {
                                world.update(number, luck);
                            }
                            Some(_) => world.settle(State::Uncertain),
                        }
                    }
                    Remedy::IdempotencyKey if same_body && entry.sent_body.is_none() => {
                        if world.records.first().is_none_or(|record| *record == number) {
                            world.create(number, luck, true);
                        }
                    }
                    Remedy::KeyedUpdate => world.update(number, luck),
                    Remedy::IdempotencyKey | Remedy::GiveUp => world.settle(State::Uncertain),
                },
            }
            prop_assert!(world.records.len() <= 1, "made twice: {:?}", world.records);
            let known = world.entry.as_ref().unwrap();
            let safe = known.state.is_unsettled() || known.sent_body.is_some();
            prop_assert!(world.records.is_empty() || safe, "lost: {known:?}");
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Intend(u8, u8, bool),
    Settle(u8, State),
    Found(u8, u8),
    Crash,
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let outcomes = State::ALL.to_vec();
    prop_oneof![
        4 => (0..4_u8, 0..2_u8, any::<bool>()).prop_map(|(k, b, u)| Step::Intend(k, b, u)),
        6 => (0..4_u8, prop::sample::select(outcomes)).prop_map(|(k, s)| Step::Settle(k, s)),
        1 => (0..4_u8, 0..2_u8).prop_map(|(k, b)| Step::Found(k, b)),
        2 => Just(Step::Crash),
        1 => Just(Step::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// The file holds what the pure functions say, over crashes and reopening.
    #[test]
    fn the_file_follows_the_table(steps in prop::collection::vec(step(), 1..30)) {
        let mut folder = tempfile::tempdir().unwrap();
        let mut path = in_folder(&folder);
        let mut ledger = open(open_at(&path)).unwrap();
        let mut run = begin(&ledger);
        let mut model: HashMap<u8, Entry> = HashMap::new();
        for step in steps {
            match step {
                Step::Intend(number, content, update) => {
                    let mut intent = intent(&run, number);
                    intent.body = body(content);
                    intent.update = update;
                    let expected = Entry::intend(model.get(&number).cloned(), &intent, 0);
                    let actual = wait(ledger.about_to_send(vec![intent]));
                    prop_assert_eq!(actual.is_ok(), expected.is_ok());
                    if let Ok(entry) = expected {
                        model.insert(number, entry);
                    }
                }
                Step::Settle(number, state) => {
                    let outcome = outcome(&run, number, state);
                    let actual = wait(ledger.settle(vec![outcome.clone()]));
                    let expected = model.get(&number).cloned().map(|entry| entry.settle(&outcome));
                    match expected {
                        Some(Ok(entry)) => {
                            prop_assert_eq!(actual.unwrap(), vec![entry.state]);
                            model.insert(number, entry);
                        }
                        _ => prop_assert!(matches!(actual, Err(LedgerError::Bug(_)))),
                    }
                }
                Step::Found(number, content) => {
                    let mut intent = intent(&run, number);
                    intent.body = body(content);
                    let found = Found {
                        intent,
                        id: Some("theirs".into()),
                        address: None,
                        status: Some(200),
                    };
                    let expected = Entry::found(model.get(&number).cloned(), &found);
                    let actual = wait(ledger.found(vec![found]));
                    prop_assert_eq!(actual.is_ok(), expected.is_ok());
                    if let Ok(entry) = expected {
                        model.insert(number, entry);
                    }
                }
                Step::Crash => {
                    let (kept, copy) = crashed(&path);
                    ledger = open(open_at(&copy)).unwrap();
                    (folder, path) = (kept, copy);
                    run = begin(&ledger);
                }
                Step::Close => {
                    ledger.close().unwrap();
                    ledger = open(open_at(&path)).unwrap();
                    run = begin(&ledger);
                }
            }
            for number in 0..4 {
                let mut actual = ledger.known(&[key(number)]).unwrap().remove(0);
                if let Some(entry) = &mut actual {
                    entry.attempted_ms = 0;
                    entry.since_ms = 0;
                }
                prop_assert_eq!(actual.as_ref(), model.get(&number));
            }
            let mut outstanding: Vec<KeyHash> =
                ledger.outstanding().unwrap().into_iter().map(|(key, _)| key).collect();
            outstanding.sort();
            let mut expected: Vec<KeyHash> = model
                .iter()
                .filter(|(_, entry)| is_outstanding(entry, &run))
                .map(|(number, _)| key(*number))
                .collect();
            expected.sort();
            prop_assert_eq!(outstanding, expected);
        }
        drop(ledger);
        drop(folder);
    }
}

/// The shortest way into each state.
fn way(to: Option<State>) -> Vec<Event> {
    use State::*;
    let outcome = Event::Outcome;
    match to {
        None => vec![],
        Some(Sending) => vec![Event::Create],
        Some(Resending) => vec![Event::Create, Event::Create],
        Some(state) => vec![Event::Create, outcome(state)],
    }
}

/// Each step from each state, on a real file, with a crash and a new process before it.
#[test]
fn each_step_after_a_crash_is_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = in_folder(&folder);
    let ledger = open(open_at(&path)).unwrap();
    let run = begin(&ledger);
    let take = |ledger: &Ledger, run: &Arc<str>, number: u8, event: Event| match event {
        Event::Outcome(State::Existing) => wait(ledger.found(vec![Found {
            intent: intent(run, number),
            id: None,
            address: None,
            status: None,
        }])),
        Event::Outcome(state) => wait(ledger.settle(vec![outcome(run, number, state)])).map(drop),
        Event::Create | Event::Update => {
            let mut intent = intent(run, number);
            intent.update = event == Event::Update;
            wait(ledger.about_to_send(vec![intent]))
        }
    };
    // A key for each cell of the table.
    let mut cells = Vec::new();
    for (before, after) in TABLE {
        for (event, to) in EVENTS.into_iter().zip(after) {
            let number = u8::try_from(cells.len()).unwrap();
            for step in way(before) {
                take(&ledger, &run, number, step).unwrap();
            }
            cells.push((number, before, event, to));
        }
    }
    let (_kept, copy) = crashed(&path);
    let ledger = open(open_at(&copy)).unwrap();
    let run = begin(&ledger);
    for (number, before, event, to) in cells {
        let known = ledger.known(&[key(number)]).unwrap().remove(0);
        assert_eq!(known.map(|entry| entry.state), before, "{event:?}");
        let done = take(&ledger, &run, number, event);
        assert_eq!(done.is_ok(), to.is_some(), "{before:?} {event:?}: {done:?}");
        if let Err(error) = done {
            assert!(matches!(error, LedgerError::Bug(_)), "{error}");
        }
        let known = ledger.known(&[key(number)]).unwrap().remove(0);
        assert_eq!(
            known.map(|entry| entry.state),
            to.or(before),
            "{before:?} {event:?}"
        );
    }
}

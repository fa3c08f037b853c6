//! What is under way at once: rows in their order, batches as they fill, and what an earlier run
//! left open before everything else.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Carried, Halt, Job, Uploader};
use crate::fault::{self, Point};
use crate::ledger::{Entry, State};
use crate::record::{Existing, Fate, KeyHash};

/// How long a batch that is not full waits for the next row.
const GATHERING: Duration = Duration::from_millis(20);

/// How long it waits where rows are being looked up that may join it: look-ups have their pace, and a
/// batch of a single row is a request that could be spared.
const ASKING: Duration = Duration::from_secs(2);

/// How long rows without an open attempt wait for one with an open attempt to come.
const OPEN_ROWS: Duration = Duration::from_millis(50);

/// The most of them that wait. Fewer than the rows that may wait for their fate.
const HELD_BACK: usize = 2_048;

/// The most rows that wait for their turn.
const IN_LINE: usize = 64;

/// How long requests under way are waited for after a stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// A name that rows share which might be taken for each other.
type Turn = Arc<str>;

/// A row that may begin.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) job: Job,
    pub(super) body: Value,
    turns: Arc<[Turn]>,
}

/// What a task came to.
pub(super) enum Ended {
    /// Rows at their end.
    Over(Vec<Carried>),
    /// A row that the target does not have: it goes into a batch.
    Join(Box<Ready>),
}

/// A row of a task.
struct Open {
    sequence: u64,
    key: KeyHash,
    turns: Arc<[Turn]>,
}

impl Open {
    fn of(ready: &Ready) -> Self {
        Self {
            sequence: ready.job.sequence,
            key: ready.job.key_hash,
            turns: Arc::clone(&ready.turns),
        }
    }
}

struct Dispatch<'u> {
    uploader: &'u Arc<Uploader>,
    done: mpsc::UnboundedSender<Carried>,
    under_way: JoinSet<Ended>,
    open: HashMap<tokio::task::Id, Vec<Open>>,
    /// The tasks that look up rows which may go into a batch.
    asking: HashSet<tokio::task::Id>,
    /// The turns of rows that are under way or in a batch that fills.
    held: HashSet<Turn>,
    waiting: VecDeque<Ready>,
    gathered: Vec<Ready>,
    /// When the first of them came.
    since: Instant,
    /// Batches of an earlier run that can be put together again.
    again: VecDeque<Vec<Ready>>,
    /// Rows without an open attempt, as long as there are rows with one.
    back: VecDeque<Ready>,
    /// The most rows of a batch; 0 where there are none.
    most: usize,
}

impl Uploader {
    /// Sends rows as they come until there are no more, and tells what became of each. Rows that an
    /// earlier run left open come first. After a stop, rows that were not begun are pending; those
    /// under way are waited for, ten seconds at the most, and what is then without an answer is
    /// uncertain.
    pub async fn run(
        self: &Arc<Self>,
        mut jobs: mpsc::Receiver<Job>,
        done: mpsc::UnboundedSender<Carried>,
    ) {
        let mut halted = self.halt.subscribe();
        let mut dispatch = Dispatch {
            uploader: self,
            done,
            under_way: JoinSet::new(),
            open: HashMap::new(),
            asking: HashSet::new(),
            held: HashSet::new(),
            waiting: VecDeque::new(),
            gathered: Vec::new(),
            since: Instant::now(),
            again: VecDeque::new(),
            back: VecDeque::new(),
            most: self.batch().map_or(0, |batch| batch.max),
        };
        let more = dispatch.recover(&mut jobs, &mut halted).await;
        dispatch.go(&mut jobs, &mut halted, more).await;
        dispatch.wind_down().await;
        while let Some(job) = jobs.recv().await {
            let _ = dispatch.done.send(Carried::not_begun(&job));
        }
    }

    fn row(&self, mut job: Job) -> Ready {
        // A prepared body is JSON of our own making.
        let body: Value = serde_json::from_str(&job.body.json).unwrap_or(Value::Null);
        let turns = self.turns(&job, &body);
        job.asked = hash_of(&turns);
        let turns = turns.into_iter().map(Turn::from);
        Ready {
            turns: turns.collect(),
            body,
            job,
        }
    }
}

/// Hash of all that a row is looked up by, where there is something.
fn hash_of(turns: &[String]) -> Option<[u8; 16]> {
    if turns.is_empty() {
        return None;
    }
    let mut hasher = blake3::Hasher::new();
    for turn in turns {
        hasher.update(&(turn.len() as u64).to_le_bytes());
        hasher.update(turn.as_bytes());
    }
    let mut hash = [0; 16];
    hasher.finalize_xof().fill(&mut hash);
    Some(hash)
}

fn is_open(job: &Job) -> bool {
    job.entry
        .as_ref()
        .is_some_and(|entry| entry.state.is_unsettled())
}

impl Dispatch<'_> {
    /// Gathers the rows that an earlier run left open, and those between them; gives whether more
    /// rows may come.
    async fn recover(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        halted: &mut watch::Receiver<Option<Halt>>,
    ) -> bool {
        let ledger = self.uploader.ledger.clone();
        let outstanding = tokio::task::spawn_blocking(move || ledger.outstanding()).await;
        let mut missing = match outstanding {
            Ok(Ok(rows)) => rows.len(),
            Ok(Err(error)) => {
                self.uploader.stop(Halt::Ledger(error.to_string()));
                return true;
            }
            // The runtime is at its end, or a bug, which the ledger's own checks catch.
            Err(_) => 0,
        };
        let mut open: Vec<Ready> = Vec::new();
        let more = loop {
            if missing == 0 || self.back.len() >= HELD_BACK {
                break true;
            }
            tokio::select! {
                biased;
                _ = halted.wait_for(Option::is_some) => break true,
                job = jobs.recv() => match job {
                    None => break false,
                    Some(job) => {
                        let ready = self.uploader.row(job);
                        if is_open(&ready.job) {
                            missing -= 1;
                            open.push(ready);
                        } else {
                            self.back.push_back(ready);
                        }
                    }
                },
                () = tokio::time::sleep(OPEN_ROWS), if !(open.is_empty() && self.back.is_empty()) => break true,
            }
        };
        for ready in &open {
            self.uploader.in_doubt(&ready.job, &ready.body);
        }
        let mut groups: BTreeMap<Arc<str>, Vec<Ready>> = BTreeMap::new();
        for ready in open {
            match self.uploader.group_again(&ready.job) {
                Some(group) => groups.entry(group).or_default().push(ready),
                None => self.waiting.push_back(ready),
            }
        }
        for (group, mut rows) in groups {
            rows.sort_by_key(|ready| super::batch::place(&ready.job));
            // The key is made of keys and bodies: where it comes out the same, so are they.
            match self
                .uploader
                .idempotency(rows.iter().map(|ready| &ready.job))
                == *group
            {
                true => self.again.push_back(rows),
                false => self.waiting.extend(rows),
            }
        }
        more
    }

    async fn go(
        &mut self,
        jobs: &mut mpsc::Receiver<Job>,
        halted: &mut watch::Receiver<Option<Halt>>,
        mut more: bool,
    ) {
        loop {
            if halted.borrow_and_update().is_some() {
                return;
            }
            while self.start() {}
            if self.under_way.is_empty() && self.again.is_empty() && self.waiting.is_empty() {
                if !self.back.is_empty() {
                    self.waiting.append(&mut self.back);
                    continue;
                }
                if !more && self.gathered.is_empty() {
                    return;
                }
            }
            let full = self.full();
            if !full
                && !self.gathered.is_empty()
                && (self.gathered.len() >= self.most
                    || (!more && self.asking.is_empty())
                    || self.in_the_way())
            {
                self.start_batch();
                continue;
            }
            let room = !full && self.back.is_empty() && self.waiting.len() < IN_LINE;
            let departs = self.departs();
            tokio::select! {
                biased;
                _ = halted.changed() => {}
                job = jobs.recv(), if more && room => match job {
                    Some(job) => self.waiting.push_back(self.uploader.row(job)),
                    None => more = false,
                },
                Some(ended) = self.under_way.join_next_with_id(), if !self.under_way.is_empty() => {
                    self.ended(ended);
                }
                () = tokio::time::sleep_until(departs), if !full && !self.gathered.is_empty() => {
                    self.start_batch();
                }
            }
        }
    }

    /// When the batch leaves that is not full, if nothing happens before.
    fn departs(&self) -> Instant {
        match self.asking.is_empty() {
            true => Instant::now() + GATHERING,
            false => self.since + ASKING,
        }
    }

    fn gather(&mut self, ready: Ready) {
        if self.gathered.is_empty() {
            self.since = Instant::now();
        }
        self.gathered.push(ready);
    }

    fn full(&self) -> bool {
        self.under_way.len() >= self.uploader.at_once()
    }

    /// Whether a row waits for a turn that a row of the batch has that fills.
    fn in_the_way(&self) -> bool {
        let mut gathered = self.gathered.iter().flat_map(|ready| ready.turns.iter());
        !self.waiting.is_empty()
            && gathered.any(|turn| {
                let mut wanted = self.waiting.iter().flat_map(|ready| ready.turns.iter());
                wanted.any(|wanted| wanted == turn)
            })
    }

    /// The first row whose turns are free, and no row before it waits for them.
    fn next(&self) -> Option<usize> {
        let mut before: HashSet<&Turn> = HashSet::new();
        self.waiting.iter().position(|ready| {
            let free = |turn: &Turn| !self.held.contains(turn) && !before.contains(turn);
            let free = ready.turns.iter().all(free);
            if !free {
                before.extend(ready.turns.iter());
            }
            free
        })
    }

    /// Begins what can be begun; whether that was something.
    fn start(&mut self) -> bool {
        let full = self.full();
        if let (false, Some(rows)) = (full, self.again.pop_front()) {
            self.hold(&rows);
            let open = rows.iter().map(Open::of).collect();
            let uploader = Arc::clone(self.uploader);
            self.spawn(open, async move {
                Ended::Over(uploader.carry_batch(rows, true).await)
            });
            return true;
        }
        let Some(at) = self.next() else {
            return false;
        };
        let uploader = self.uploader;
        let joins = self.most > 0 && uploader.may_join(&self.waiting[at].job);
        let asks = uploader.settings.existing != Existing::Create;
        if (full && (asks || !joins)) || (joins && self.gathered.len() >= self.most) {
            return false;
        }
        let Some(ready) = self.waiting.remove(at) else {
            return false;
        };
        self.hold(std::slice::from_ref(&ready));
        if joins && !asks {
            self.gather(ready);
            return true;
        }
        let open = vec![Open::of(&ready)];
        let uploader = Arc::clone(self.uploader);
        let id = self.spawn(open, async move {
            if !joins {
                return Ended::Over(vec![uploader.carry(&ready.job, &ready.body).await]);
            }
            match uploader.ask_first(&ready.job, &ready.body).await {
                Some(carried) => Ended::Over(vec![carried]),
                None => Ended::Join(Box::new(ready)),
            }
        });
        if joins {
            self.asking.insert(id);
        }
        true
    }

    fn start_batch(&mut self) {
        let mut rows = std::mem::take(&mut self.gathered);
        // Look-ups end in any order.
        rows.sort_by_key(|ready| ready.job.sequence);
        fault::at(Point::BatchGathered);
        let open = rows.iter().map(Open::of).collect();
        let uploader = Arc::clone(self.uploader);
        self.spawn(open, async move {
            Ended::Over(uploader.carry_batch(rows, false).await)
        });
    }

    fn spawn(
        &mut self,
        open: Vec<Open>,
        task: impl Future<Output = Ended> + Send + 'static,
    ) -> tokio::task::Id {
        let id = self.under_way.spawn(task).id();
        self.open.insert(id, open);
        id
    }

    fn hold(&mut self, rows: &[Ready]) {
        let turns = rows.iter().flat_map(|ready| ready.turns.iter());
        self.held.extend(turns.map(Arc::clone));
    }

    fn ended(&mut self, ended: Result<(tokio::task::Id, Ended), tokio::task::JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let open = self.open.remove(&id).unwrap_or_default();
        self.asking.remove(&id);
        let carried = match ended {
            // Its turns stay held.
            Ok((_, Ended::Join(ready))) => {
                self.gather(*ready);
                return;
            }
            Ok((_, Ended::Over(carried))) => carried,
            Err(_) => {
                let note = "a bug stopped this row's request; please report it";
                let rows = open.iter();
                rows.map(|row| Carried::new(row.sequence, Fate::Uncertain, note))
                    .collect()
            }
        };
        for turn in open.iter().flat_map(|row| row.turns.iter()) {
            self.held.remove(turn);
        }
        for carried in carried {
            // The receiver is gone only where the run itself broke off.
            let _ = self.done.send(carried);
        }
    }

    /// After a stop or at the end: what was not begun is told, what is under way is waited for.
    async fn wind_down(&mut self) {
        let left = self.gathered.drain(..).chain(self.waiting.drain(..));
        let left = left.chain(self.back.drain(..));
        for ready in left.chain(self.again.drain(..).flatten()) {
            let _ = self.done.send(Carried::not_begun(&ready.job));
        }
        let deadline = tokio::time::sleep(PATIENCE);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                ended = self.under_way.join_next_with_id() => match ended {
                    Some(ended) => self.ended(ended),
                    None => break,
                },
                () = &mut deadline => break,
            }
        }
        for ready in self.gathered.drain(..) {
            let _ = self.done.send(Carried::not_begun(&ready.job));
        }
        self.under_way.abort_all();
        // One that came to its end meanwhile is told of; after this, none goes on.
        while let Some(ended) = self.under_way.join_next_with_id().await {
            match ended {
                Err(error) if error.is_cancelled() => {}
                ended => self.ended(ended),
            }
        }
        for ready in self.gathered.drain(..) {
            let _ = self.done.send(Carried::not_begun(&ready.job));
        }
        let open: Vec<Open> = self.open.drain().flat_map(|(_, rows)| rows).collect();
        if open.is_empty() {
            return;
        }
        // What was noted tells those that left from those that waited for their pace.
        let keys: Vec<KeyHash> = open.iter().map(|row| row.key).collect();
        let ledger = self.uploader.ledger.clone();
        let known = tokio::task::spawn_blocking(move || ledger.known(&keys)).await;
        let known = known.ok().and_then(Result::ok);
        for (place, row) in open.into_iter().enumerate() {
            let noted = known.as_ref().map(|entries| entries.get(place).cloned());
            let carried = match noted.map(Option::flatten) {
                Some(Some(entry)) if self.settled_now(&entry) => {
                    let updated = entry.state == State::Updated;
                    let fate = if updated {
                        Fate::Updated
                    } else {
                        Fate::Created
                    };
                    Carried::new(row.sequence, fate, "").id(entry.id)
                }
                Some(entry) if entry.as_ref().is_none_or(|e| !e.state.is_unsettled()) => {
                    Carried::pending(row.sequence)
                }
                _ => Carried::new(
                    row.sequence,
                    Fate::Uncertain,
                    "the run was stopped while its request was under way",
                )
                .code("target.unknown"),
            };
            let _ = self.done.send(carried);
        }
    }

    /// Whether this run noted that the target has the record.
    fn settled_now(&self, entry: &Entry) -> bool {
        entry.run == self.uploader.settings.run
            && matches!(entry.state, State::Created | State::Updated)
    }
}

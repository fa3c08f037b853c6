//! What is shown while rows are sent, and what is noted of the pace for the page.

use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::WeakSender;

use crate::pipeline::ahead::Ahead;
use crate::pipeline::gather;
use crate::report::html::PaceTrack;
use crate::report::{Event, PaceNow, ProgressHandle};
use crate::upload::{Happening, Job, Uploader};

/// How often the pace is shown anew.
const LOOK: Duration = Duration::from_millis(500);

/// Shows what happens while rows are sent.
pub(super) fn listener(progress: ProgressHandle) -> impl Fn(Happening) + Send + Sync {
    move |happening| match happening {
        Happening::Limited => progress.event(Event::Limited),
        Happening::Retried => progress.event(Event::Retried),
        Happening::Down(why, patience) => progress.event(Event::Down(why, patience)),
        Happening::Up => progress.event(Event::Up),
    }
}

/// Shows the pace, and tells the uploader how many rows are still to come, as long as there is one.
pub(super) async fn pace(
    uploader: Weak<Uploader>,
    jobs: WeakSender<Job>,
    ahead: Arc<Ahead>,
    progress: ProgressHandle,
) {
    while let Some(uploader) = uploader.upgrade() {
        let queue = jobs
            .upgrade()
            .map_or(0, |jobs| jobs.max_capacity() - jobs.capacity());
        if let Some(rows) = ahead.rows() {
            uploader.outstanding(rows + queue as u64);
        }
        let live = uploader.live();
        progress.event(Event::Pace(PaceNow {
            per_second: live.per_second,
            limit: live.limit,
            paused: live.paused,
        }));
        drop(uploader);
        tokio::time::sleep(LOOK).await;
    }
}

/// Takes note of the pace as long as there is an uploader.
pub(super) async fn track(track: Arc<Mutex<PaceTrack>>, began: Instant, uploader: Weak<Uploader>) {
    while let Some(uploader) = uploader.upgrade() {
        gather::look(&track, began, &uploader);
        drop(uploader);
        tokio::time::sleep(gather::LOOK).await;
    }
}

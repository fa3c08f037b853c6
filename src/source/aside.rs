//! What is read of a workbook on a thread of its own, while another part of it is read.

use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::stage::Script;
use super::texts::Texts;

/// So many pieces may wait for who takes them.
const WAITING: usize = 4;

fn spawn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    std::thread::Builder::new()
        .name("workbook".to_owned())
        .spawn(work)
}

fn died() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a part of it cannot be read")
}

/// A sheet that is produced a few pieces ahead of who takes them.
pub(super) struct Ahead {
    pieces: Receiver<io::Result<(Vec<u8>, bool)>>,
    /// Pieces that were taken go back, to be filled again.
    taken: Sender<Vec<u8>>,
}

impl Ahead {
    /// # Errors
    /// Where there can be no more threads.
    pub(super) fn of(script: impl Script + 'static) -> io::Result<Self> {
        let (send, pieces) = sync_channel(WAITING);
        let (taken, empty) = channel();
        spawn(move || produce(script, &send, &empty))?;
        Ok(Self { pieces, taken })
    }
}

/// Works until the sheet ends, or nobody takes it any more.
fn produce(
    mut script: impl Script,
    send: &SyncSender<io::Result<(Vec<u8>, bool)>>,
    empty: &Receiver<Vec<u8>>,
) {
    loop {
        let mut piece = empty.try_recv().unwrap_or_default();
        piece.clear();
        let played = script.play(&mut piece);
        let more = matches!(played, Ok(true));
        if send.send(played.map(|more| (piece, more))).is_err() || !more {
            return;
        }
    }
}

impl Script for Ahead {
    fn play(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let (mut piece, more) = self.pieces.recv().map_err(|_| died())??;
        if out.is_empty() {
            std::mem::swap(out, &mut piece);
        } else {
            out.extend_from_slice(&piece);
        }
        // At the end nobody fills it any more.
        let _ = self.taken.send(piece);
        Ok(more)
    }
}

/// The texts that cells share, which are read until somebody asks for them.
pub(super) enum Shared {
    Coming(JoinHandle<io::Result<Texts>>),
    Here(Texts),
}

impl Shared {
    /// # Errors
    /// Where there can be no more threads.
    pub(super) fn read<P: Send + 'static>(
        part: Option<P>,
        read: fn(P) -> io::Result<Texts>,
    ) -> io::Result<Self> {
        Ok(match part {
            Some(part) => Self::Coming(spawn(move || read(part))?),
            None => Self::Here(Texts::new()),
        })
    }

    /// # Errors
    /// Where they could not be read; after that there are none.
    pub(super) fn get(&mut self) -> io::Result<&mut Texts> {
        if let Self::Coming(_) = self
            && let Self::Coming(thread) = std::mem::replace(self, Self::Here(Texts::new()))
        {
            *self = Self::Here(thread.join().map_err(|_| died())??);
        }
        match self {
            Self::Here(texts) => Ok(texts),
            Self::Coming(_) => Err(died()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::texts;
    use super::*;

    /// So many lines, then what it ends with.
    struct Lines(u32, Option<&'static str>);

    impl Script for Lines {
        fn play(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
            if self.0 == 0 {
                return match self.1 {
                    Some(error) => Err(io::Error::other(error)),
                    None => Ok(false),
                };
            }
            out.extend_from_slice(format!("line {}\n", self.0).as_bytes());
            self.0 -= 1;
            Ok(true)
        }
    }

    fn played(mut script: impl Script) -> (Vec<u8>, io::Result<()>) {
        let (mut all, mut piece) = (Vec::new(), Vec::new());
        loop {
            piece.clear();
            match script.play(&mut piece) {
                Ok(more) => {
                    all.extend_from_slice(&piece);
                    if !more {
                        return (all, Ok(()));
                    }
                }
                Err(error) => return (all, Err(error)),
            }
        }
    }

    #[test]
    fn a_sheet_from_beside_is_the_same_sheet() {
        for lines in [0, 1, 10_000] {
            let (expected, _) = played(Lines(lines, None));
            let (found, end) = played(Ahead::of(Lines(lines, None)).unwrap());
            assert!(end.is_ok());
            assert_eq!(found, expected);
        }
        let (_, end) = played(Ahead::of(Lines(10_000, Some("cut off"))).unwrap());
        assert_eq!(end.unwrap_err().to_string(), "cut off");
    }

    #[test]
    fn who_takes_no_more_stops_the_thread() {
        struct Told(
            Lines,
            #[expect(dead_code, reason = "dropped with it")] Sender<()>,
        );
        impl Script for Told {
            fn play(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
                self.0.play(out)
            }
        }
        let (told, over) = channel();
        let mut ahead = Ahead::of(Told(Lines(u32::MAX, None), told)).unwrap();
        ahead.play(&mut Vec::new()).unwrap();
        drop(ahead);
        // The script is dropped with its thread.
        assert!(over.recv().is_err());
    }

    #[test]
    fn texts_are_there_when_they_are_asked_for() {
        let part = &b"<sst><si><t>a</t></si><si><t>b</t></si></sst>"[..];
        let mut shared = Shared::read(Some(part), texts::read_xml).unwrap();
        for _ in 0..2 {
            let mut text = String::new();
            assert!(shared.get().unwrap().write(1, &mut text).unwrap());
            assert_eq!(text, "b");
        }
        let part = (&b"<sst><si><t>"[..]).take(99);
        let mut shared = Shared::read(Some(part), texts::read_xml).unwrap();
        assert!(shared.get().is_err());
        assert!(!shared.get().unwrap().write(0, &mut String::new()).unwrap());
    }
}

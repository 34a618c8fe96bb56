//! Long screens: made on other threads, a few at a time, and held only while there is room. Every session's `show` goes
//! through here.

use std::collections::VecDeque;
use std::sync::Arc;

use isthmus_control::OUTPUT_CHUNK;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::io::Count;
use crate::view::SharedCounters;

/// Screens that are made at the same time: the packet loop shares the processors with them.
const AT_ONCE: usize = 2;
/// Octets of screens that all sessions together may have unread.
const ROOM: usize = 256 * 1024 * 1024;
/// A screen that is not longer than this needs no room.
const SHORT: usize = 64 * 1024;
/// Octets that the room is counted in.
const UNIT: usize = 1024;

/// What a session is told when there is no room for its screen.
pub const FULL: &str = "% Too many long screens wait to be read; close one of them, or take less with a filter of the command\n";

/// What all sessions share.
#[derive(Debug, Clone)]
pub struct Screens {
    turns: Arc<Semaphore>,
    room: Arc<Semaphore>,
    /// What is queued for consoles.
    pub queued: Count,
    /// What the kernel said of the SAs that long screens are about.
    pub counters: SharedCounters,
}

impl Default for Screens {
    fn default() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            room: Arc::new(Semaphore::new(ROOM / UNIT)),
            queued: Count::default(),
            counters: SharedCounters::default(),
        }
    }
}

/// A turn to make a screen.
pub type Turn = Option<OwnedSemaphorePermit>;

impl Screens {
    /// Waits for a turn; snapshot and text are made while it is held.
    pub async fn turn(&self) -> Turn {
        // The semaphore is never closed.
        self.turns.clone().acquire_owned().await.ok()
    }

    /// Room for a text until it is read; none while there is too little.
    #[must_use]
    pub fn hold(&self, text: Pieces) -> Option<Unread> {
        let length = text.0.iter().map(String::len).sum::<usize>();
        let room = match length > SHORT {
            true => {
                let units = u32::try_from(length.div_ceil(UNIT)).ok()?;
                Some(self.room.clone().try_acquire_many_owned(units).ok()?)
            }
            false => None,
        };
        let pieces = text.0;
        Some(Unread { pieces, room })
    }

    /// Octets that are held because they wait to be read.
    #[must_use]
    pub fn unread(&self) -> usize {
        ROOM - self.room.available_permits() * UNIT + self.queued.get()
    }
}

/// A text in pieces that one message takes.
#[derive(Debug)]
pub struct Pieces(VecDeque<String>);

impl Pieces {
    /// Cuts a text; that copies it, so it is for the thread that made it.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        let (mut pieces, mut rest) = (VecDeque::new(), text);
        while !rest.is_empty() {
            let mut end = OUTPUT_CHUNK.min(rest.len());
            while !rest.is_char_boundary(end) {
                end -= 1;
            }
            let (piece, tail) = rest.split_at(end);
            pieces.push_back(piece.to_owned());
            rest = tail;
        }
        Self(pieces)
    }
}

/// A text that is read piece by piece, each piece gone once it is taken.
#[derive(Debug)]
pub struct Unread {
    pieces: VecDeque<String>,
    room: Option<OwnedSemaphorePermit>,
}

impl Unread {
    /// The next piece.
    pub fn next_piece(&mut self) -> Option<String> {
        let piece = self.pieces.pop_front()?;
        if let Some(room) = &mut self.room {
            drop(room.split(piece.len() / UNIT));
        }
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_the_text_and_no_letter_is_cut() {
        let text = "ä".repeat(OUTPUT_CHUNK) + "end";
        let screens = Screens::default();
        let mut unread = screens.hold(Pieces::cut(&text)).unwrap();
        assert!(screens.unread() >= text.len());
        let mut read = String::new();
        while let Some(piece) = unread.next_piece() {
            assert!(piece.len() <= OUTPUT_CHUNK);
            read += &piece;
        }
        drop(unread);
        assert_eq!((read, screens.unread()), (text, 0));
    }

    #[test]
    fn room_comes_back_as_a_screen_is_read_and_short_ones_need_none() {
        let screens = Screens::default();
        let long = || Pieces::cut(&"x".repeat(ROOM / 2));
        let (mut one, _other) = (screens.hold(long()).unwrap(), screens.hold(long()).unwrap());
        assert!(screens.hold(Pieces::cut(&"x".repeat(SHORT + 1))).is_none());
        assert!(screens.hold(Pieces::cut(&"x".repeat(SHORT))).is_some());
        for _ in 0..3 {
            one.next_piece();
        }
        assert_eq!(screens.unread(), ROOM - 3 * OUTPUT_CHUNK);
        assert!(screens.hold(Pieces::cut(&"x".repeat(SHORT + 1))).is_some());
    }
}

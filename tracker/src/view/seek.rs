//! Which movements of the playhead are one seek: a viewer who drags a slider seeks once.

use quartile_protocol::clock::{Media, Millis, Mono, Now, Wall};
use quartile_protocol::event::EventKind;
use quartile_protocol::field::Field;

use crate::ledger::Ledger;

/// What follows within so long belongs to the same seek.
const APART_MS: Millis = 2_000;

#[derive(Debug, Default)]
pub(crate) struct Seeks {
    /// Where the playhead was before it was moved.
    origin: Option<Media>,
    current: Option<Seek>,
}

#[derive(Clone, Copy, Debug)]
struct Seek {
    from: Media,
    to: Media,
    at: Wall,
    /// The number of the slice that it began in.
    n: u32,
    took_ms: Millis,
    /// When the player last showed the new place; `None` while it does not.
    ended: Option<Mono>,
}

impl Seeks {
    /// The playhead is about to be put elsewhere; here it is now.
    pub(super) fn note_origin(&mut self, place: Option<Media>) {
        if self.current.is_none_or(|seek| seek.ended.is_some()) {
            self.origin = place;
        }
    }

    /// The playhead is being moved, to `to`.
    pub(super) fn begin(&mut self, to: Option<Media>, ledger: &mut Ledger, now: Now) {
        let to = to.unwrap_or_default();
        let part = |seek: &Seek| seek.ended.is_none_or(|ended| now.mono.since(ended) < APART_MS);
        if let Some(seek) = self.current.as_mut().filter(|seek| part(seek)) {
            (seek.to, seek.ended) = (to, None);
            return;
        }
        self.finish(true, ledger, now);
        ledger.count(Field::Seeks, now);
        let from = self.origin.unwrap_or(to);
        self.current = Some(Seek { from, to, at: now.wall, n: ledger.current(), took_ms: 0, ended: None });
    }

    /// The player went on seeking for `ms`.
    pub(super) fn spend(&mut self, ms: Millis, ledger: &mut Ledger, now: Now) {
        let Some(seek) = self.current.as_mut().filter(|_| ms > 0) else { return };
        seek.took_ms += ms;
        let slice = ledger.slice(super::back(now, ms), now);
        slice.fields[Field::SeekMs] += ms;
        slice.fields[Field::SeekMaxMs] = slice.fields[Field::SeekMaxMs].max(seek.took_ms);
    }

    /// The player shows the new place, or gave up.
    pub(super) fn end(&mut self, at: Mono) {
        if let Some(seek) = &mut self.current {
            seek.ended.get_or_insert(at);
        }
    }

    /// When a seek can be told, as nothing followed.
    pub(super) fn finish_at(&self) -> Option<Mono> {
        self.current?.ended.map(|ended| ended + APART_MS)
    }

    /// Tells the seek, if it is over, or as far as it came.
    pub(super) fn finish(&mut self, now_or_never: bool, ledger: &mut Ledger, now: Now) {
        let over = self.finish_at().is_some_and(|at| at <= now.mono);
        if let Some(seek) = self.current.take_if(|_| over || now_or_never) {
            let kind = EventKind::Seek { from_ms: seek.from, to_ms: seek.to, took_ms: seek.took_ms };
            ledger.event_in(seek.n, kind, Some(seek.from), seek.at);
        }
    }
}

//! Which movements of the playhead are one seek: a viewer who drags a slider seeks once.

use quartile_protocol::clock::{Media, Millis, Mono};
use quartile_protocol::event::EventType;
use quartile_protocol::field::Field;

use crate::ledger::Ledger;

/// What follows within so long belongs to the same seek.
const APART_MS: Millis = 2_000;

#[derive(Debug)]
pub(crate) struct Seeks {
    /// Where the playhead was before it was moved.
    origin: Option<Media>,
    current: Option<Seek>,
}

#[derive(Clone, Copy, Debug)]
struct Seek {
    from: Media,
    to: Media,
    at: Mono,
    /// The number of the slice that it began in.
    n: u32,
    took_ms: Millis,
    /// When it is over, unless another follows: the player showed the new place a while before. Never while it does not.
    over_at: Mono,
}

impl Seeks {
    /// None yet.
    pub(super) const NONE: Self = Self { origin: None, current: None };

    /// The playhead is about to be put elsewhere; here it is now.
    pub(super) fn note_origin(&mut self, place: Option<Media>) {
        if self.current.is_none_or(|seek| seek.over_at != Mono::NEVER) {
            self.origin = place;
        }
    }

    /// The playhead is being moved to where it is.
    pub(super) fn begin(&mut self, ledger: &mut Ledger) {
        let to = ledger.pos.unwrap_or_default();
        if let Some(seek) = &mut self.current
            && ledger.now < seek.over_at
        {
            (seek.to, seek.over_at) = (to, Mono::NEVER);
            return;
        }
        self.finish(true, ledger);
        ledger.count(Field::Seeks);
        let (from, at) = (self.origin.unwrap_or(to), ledger.now);
        self.current = Some(Seek { from, to, at, n: ledger.current(), took_ms: 0, over_at: Mono::NEVER });
    }

    /// The player went on seeking for `ms`.
    pub(super) fn spend(&mut self, ms: Millis, ledger: &mut Ledger) {
        let Some(seek) = self.current.as_mut().filter(|_| ms > 0) else { return };
        seek.took_ms += ms;
        ledger.add_time(Field::SeekMs, ms);
        let slice = ledger.slice();
        slice.fields[Field::SeekMaxMs] = slice.fields[Field::SeekMaxMs].max(seek.took_ms);
    }

    /// The player shows the new place, or gave up.
    pub(super) fn end(&mut self, at: Mono) {
        if let Some(seek) = &mut self.current {
            seek.over_at = seek.over_at.min(at + APART_MS);
        }
    }

    /// When a seek can be told, as nothing followed.
    pub(super) fn over_at(&self) -> Mono {
        self.current.map_or(Mono::NEVER, |seek| seek.over_at)
    }

    /// Tells the seek, if it is over, or as far as it came.
    pub(super) fn finish(&mut self, now_or_never: bool, ledger: &mut Ledger) {
        if let Some(seek) = self.current.take_if(|seek| now_or_never || seek.over_at <= ledger.now) {
            let details = ledger.event_in(seek.n, EventType::Seek, Some(seek.from), seek.at);
            details.number("from_ms", seek.from.as_ms());
            details.number("to_ms", seek.to.as_ms());
            details.number("took_ms", seek.took_ms as i64);
        }
    }
}

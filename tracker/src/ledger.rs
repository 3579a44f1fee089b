//! The slices and events of one view, and what of them is still to be said.
//!
//! A slice ends at the next five-minute mark of the clock, but stays open while the first frame is awaited. It opens
//! when there is something to count.

use quartile_protocol::clock::{MINUTE_MS, Media, Millis, Mono, Now, Wall};
use quartile_protocol::event::{Event, EventKind};
use quartile_protocol::field::Field;
use quartile_protocol::slice::Slice;

use crate::size::{self, Room};

/// Slices end where the clock shows a multiple of this.
const MARK_MS: i64 = 5 * MINUTE_MS;

/// How long a slice may stay open beyond its mark for a first frame that does not come.
const AWAIT_MS: Millis = 300_000;

/// Events of one view that wait; beyond it the oldest is given up.
const MAX_EVENTS: usize = 500;

/// Slices of one view that wait: more than a day of them; beyond it the oldest is given up.
const MAX_SLICES: usize = 300;

/// Names one request to the collector.
pub(crate) type DeliveryId = u32;

/// How much of an item the collector knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// There is something new to say.
    Waiting,
    /// It was said in this request, which is not answered yet.
    Underway(DeliveryId),
    /// The collector has it as it is.
    Acknowledged,
}

#[derive(Debug)]
struct Kept<T> {
    item: T,
    said: Said,
}

/// The slice that is open now.
#[derive(Clone, Copy, Debug)]
struct Open {
    since: Now,
    mark: Mono,
    /// It grew by a state that is no reason to send: said when the slice closes, or with the next news.
    unsaid: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    slices: Vec<Kept<Slice>>,
    open: Option<Open>,
    events: Vec<Kept<Event>>,
    next_n: u32,
    next_seq: u32,
    /// The last minute, counted from 1970, in which the playhead moved.
    active_minute: Option<i64>,
    /// Items given up because too many were waiting.
    given_up: u64,
}

impl Ledger {
    /// The open slice, to count something in that happened from `from` to `now`; opens one if there is none.
    pub(crate) fn slice(&mut self, from: Now, now: Now) -> &mut Slice {
        let open = self.open.get_or_insert_with(|| {
            let to_mark = from.wall.floor(MARK_MS).shifted(MARK_MS).since(from.wall);
            let mut slice = Slice { n: self.next_n, at: from.wall, ..Slice::default() };
            slice.fields[Field::Views] = u64::from(self.next_n == 0);
            self.next_n += 1;
            self.slices.push(Kept { item: slice, said: Said::Waiting });
            Open { since: from, mark: from.mono + to_mark as Millis, unsaid: false }
        });
        open.unsaid = false;
        if self.slices.len() > MAX_SLICES {
            self.slices.remove(0);
            self.given_up += 1;
        }
        let kept = self.slices.last_mut().expect("a slice is open");
        kept.said = Said::Waiting;
        kept.item.span_ms = kept.item.span_ms.max(now.mono.since(open.since.mono));
        &mut kept.item
    }

    /// Counts a state that lasted from `from` to `now` in the slice that is open, up to its mark and no further: a
    /// state in which nothing plays is no reason to open another, nor to send anything.
    pub(crate) fn idle(&mut self, field: Field, from: Mono, now: Mono) {
        let (Some(open), Some(kept)) = (&mut self.open, self.slices.last_mut()) else { return };
        open.unsaid = true;
        let until = now.min(open.mark);
        kept.item.fields[field] += until.since(from);
        kept.item.span_ms = kept.item.span_ms.max(until.since(open.since.mono));
    }

    /// Closes the open slice if its time is over.
    pub(crate) fn turn(&mut self, now: Mono, awaiting_first_frame: bool) {
        let Some(open) = self.open else { return };
        let end = if awaiting_first_frame { open.mark.max(open.since.mono + AWAIT_MS) } else { open.mark };
        if now < end {
            return;
        }
        self.open = None;
        if let Some(kept) = self.slices.last_mut().filter(|_| open.unsaid) {
            kept.said = Said::Waiting;
        }
        self.slices.retain(|kept| kept.said != Said::Acknowledged);
    }

    /// Notes that the playhead moved at `at`, a moment of the open slice, unless its minute is noted already.
    pub(crate) fn mark_active(&mut self, at: Wall) {
        let minute = at.floor(MINUTE_MS).as_ms() / MINUTE_MS;
        let (Some(kept), true) = (self.slices.last_mut(), self.active_minute.is_none_or(|last| minute > last)) else {
            return;
        };
        self.active_minute = Some(minute);
        let index = minute - kept.item.at.floor(MINUTE_MS).as_ms() / MINUTE_MS;
        kept.item.active.insert(u32::try_from(index).unwrap_or(u32::MAX));
    }

    /// Notes an event that happened at `at`, in the slice that is open then.
    pub(crate) fn event(&mut self, kind: EventKind, pos: Option<Media>, at: Now) {
        let n = self.slice(at, at).n;
        if self.events.len() == MAX_EVENTS {
            self.events.remove(0);
            self.given_up += 1;
        }
        let event = Event { seq: self.next_seq, n, at: at.wall, pos, kind };
        self.next_seq += 1;
        self.events.push(Kept { item: event, said: Said::Waiting });
    }

    /// Whether there is something to say.
    pub(crate) fn is_waiting(&self) -> bool {
        self.slices.iter().any(|kept| kept.said == Said::Waiting)
            || self.events.iter().any(|kept| kept.said == Said::Waiting)
    }

    /// Whether nothing was ever counted.
    pub(crate) fn is_blank(&self) -> bool {
        self.next_n == 0
    }

    /// Whether everything is acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.slices.is_empty() && self.events.is_empty()
    }

    /// Takes what `wanted` asks for into the request `delivery`, as long as there is room.
    pub(crate) fn say(
        &mut self,
        delivery: DeliveryId,
        wanted: impl Fn(Said) -> bool,
        room: &mut Room,
    ) -> (Vec<Slice>, Vec<Event>) {
        let slices = take(&mut self.slices, delivery, &wanted, room, size::of_slice);
        let events = take(&mut self.events, delivery, &wanted, room, size::of_event);
        (slices, events)
    }

    /// The request was answered: what it said is known, or has to be said again. Gives how many items that are.
    pub(crate) fn settle(&mut self, delivery: DeliveryId, settled: Said) -> u64 {
        let slices = self.slices.iter_mut().map(|kept| &mut kept.said);
        let events = self.events.iter_mut().map(|kept| &mut kept.said);
        let carried = slices.chain(events).filter(|said| **said == Said::Underway(delivery));
        let count = carried.map(|said| *said = settled).count() as u64;
        self.events.retain(|kept| kept.said != Said::Acknowledged);
        let open = self.open.is_some().then(|| self.next_n - 1);
        self.slices.retain(|kept| kept.said != Said::Acknowledged || Some(kept.item.n) == open);
        count
    }

    /// Closes the last slice: nothing more will happen.
    pub(crate) fn close(&mut self) {
        self.open = None;
        self.slices.retain(|kept| kept.said != Said::Acknowledged);
    }

    /// Items given up since the last call.
    pub(crate) fn take_given_up(&mut self) -> u64 {
        std::mem::take(&mut self.given_up)
    }

    /// How many items are kept.
    pub(crate) fn len(&self) -> u64 {
        (self.slices.len() + self.events.len()) as u64
    }
}

fn take<T: Clone>(
    kept: &mut [Kept<T>],
    delivery: DeliveryId,
    wanted: impl Fn(Said) -> bool,
    room: &mut Room,
    bytes: fn(&T) -> usize,
) -> Vec<T> {
    let mut taken = Vec::new();
    for kept in kept.iter_mut().filter(|kept| wanted(kept.said)) {
        if !room.fits(bytes(&kept.item)) {
            break;
        }
        kept.said = Said::Underway(delivery);
        taken.push(kept.item.clone());
    }
    taken
}

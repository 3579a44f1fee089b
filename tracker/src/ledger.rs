//! The slices and events of one view, and what of them is still to be said.
//!
//! A slice ends at the next five-minute mark of the clock or where a dimension changes, but stays open while the first
//! frame is awaited. It opens when there is something to count. It is said whole when it opens and when it closes; in
//! between, what the collector is known to have is left out.

use quartile_protocol::bitmap::Percents;
use quartile_protocol::clock::{MINUTE_MS, Media, Millis, Mono, Now, Wall};
use quartile_protocol::event::{Event, EventKind};
use quartile_protocol::field::{Field, Fields};
use quartile_protocol::slice::Slice;

use crate::size::{self, Room};

/// Slices end where the clock shows a multiple of this.
const MARK_MS: i64 = 5 * MINUTE_MS;

/// How long a slice may stay open beyond its mark for a first frame that does not come; with it, no slice is longer
/// than the wire allows.
const AWAIT_MS: Millis = 280_000;

/// Events of one view that wait; beyond it the oldest is given up. Events are given up before slices: totals come from
/// slices.
const MAX_EVENTS: usize = 300;

/// Events of one view in all; beyond it they are given up, and still counted in slices.
const MAX_SEQ: u32 = 20_000;

/// Slices of one view that wait; beyond it the oldest is given up.
const MAX_SLICES: usize = 60;

/// Slices of one view whose dates are remembered, to say them again when a dimension becomes known late.
const MAX_PAST: usize = 600;

/// Names one request to the collector.
pub(crate) type DeliveryId = u32;

/// Names the dimensions that a slice was counted under.
pub(crate) type SubjectId = u16;

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
struct KeptSlice {
    slice: Slice,
    subject: SubjectId,
    said: Said,
    /// As the collector knows it.
    known: Option<Box<Slice>>,
    /// As it was said in the last request that carried it, until that is answered.
    sent: Option<(DeliveryId, Box<Slice>)>,
}

#[derive(Debug)]
struct KeptEvent {
    event: Event,
    said: Said,
    /// Whether it was ever said: then it stays as it is, because copies of one event are equal.
    told: bool,
}

/// The slice that is open now; it is the last of the kept ones.
#[derive(Clone, Copy, Debug)]
struct Open {
    since: Now,
    mark: Mono,
    /// It grew by a state that is no reason to send: said when the slice closes, or with the next news.
    unsaid: bool,
}

/// A slice that the collector has.
#[derive(Clone, Copy, Debug)]
struct Past {
    n: u32,
    at: Wall,
    subject: SubjectId,
}

/// A slice of what is to be said.
#[derive(Debug)]
pub(crate) struct SaidSlice {
    pub slice: Slice,
    pub subject: SubjectId,
    /// Whether it is said whole, and so needs its context.
    pub whole: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    slices: Vec<KeptSlice>,
    open: Option<Open>,
    past: Vec<Past>,
    /// What was counted in all slices that are closed.
    closed: Fields,
    events: Vec<KeptEvent>,
    subject: SubjectId,
    /// The fields that were noted by [`once`](Self::once).
    once: u128,
    next_n: u32,
    next_seq: u32,
    /// The last minute, counted from 1970, in which the playhead moved.
    active_minute: Option<i64>,
    /// How much later the collector's clock is.
    server_ahead_ms: i64,
    /// Items given up because too many were waiting.
    given_up: u64,
}

impl Ledger {
    /// The open slice, to count something in that happened from `from` to `now`; opens one if there is none.
    pub(crate) fn slice(&mut self, from: Now, now: Now) -> &mut Slice {
        if self.open.is_none() {
            self.open_slice(from);
        }
        if let (Some(open), Some(kept)) = (&mut self.open, self.slices.last_mut()) {
            open.unsaid = false;
            kept.said = Said::Waiting;
            kept.slice.span_ms = kept.slice.span_ms.max(now.mono.since(open.since.mono));
        }
        let last = self.slices.len() - 1;
        &mut self.slices[last].slice
    }

    fn open_slice(&mut self, from: Now) {
        if self.slices.len() == MAX_SLICES {
            self.slices.remove(0);
            self.given_up += 1;
        }
        let mut slice = Slice { n: self.next_n, at: from.wall, ..Slice::default() };
        slice.fields[Field::Views] = u64::from(self.next_n == 0);
        self.next_n += 1;
        self.slices.push(KeptSlice { slice, subject: self.subject, said: Said::Waiting, known: None, sent: None });
        let date = from.wall.shifted(self.server_ahead_ms);
        let to_mark = date.floor(MARK_MS).shifted(MARK_MS).since(date);
        self.open = Some(Open { since: from, mark: from.mono + to_mark as Millis, unsaid: false });
    }

    /// Counts something that just happened.
    pub(crate) fn count(&mut self, field: Field, now: Now) {
        self.slice(now, now).fields[field] += 1;
    }

    /// Notes something that is true at most once in a view; gives whether this is the time.
    pub(crate) fn once(&mut self, field: Field, now: Now) -> bool {
        let bit = 1_u128 << field as u8;
        let first = self.once & bit == 0;
        if first {
            self.once |= bit;
            self.slice(now, now).fields[field] = 1;
        }
        first
    }

    /// Counts a state that lasted from `from` to `now` in the slice that is open, up to its mark and no further: a
    /// state in which nothing plays is no reason to open another, nor to send anything.
    pub(crate) fn idle(&mut self, field: Field, from: Mono, now: Mono) {
        let (Some(open), Some(kept)) = (&mut self.open, self.slices.last_mut()) else { return };
        open.unsaid = true;
        let until = now.min(open.mark);
        kept.slice.fields[field] += until.since(from);
        kept.slice.span_ms = kept.slice.span_ms.max(until.since(open.since.mono));
    }

    /// Closes the open slice if its time is over.
    pub(crate) fn turn(&mut self, now: Mono, awaiting_first_frame: bool) {
        let Some(open) = self.open else { return };
        let end = if awaiting_first_frame { open.mark + AWAIT_MS } else { open.mark };
        if now >= end {
            self.close();
        }
    }

    /// Closes the open slice: what comes next is counted in another. It is said whole once more.
    pub(crate) fn close(&mut self) {
        if self.open.take().is_none() {
            return;
        }
        if let Some(kept) = self.slices.last_mut() {
            kept.said = Said::Waiting;
            self.closed.add(&kept.slice.fields);
        }
    }

    /// From now on, what happens has other dimensions: these.
    pub(crate) fn set_subject(&mut self, subject: SubjectId) {
        self.close();
        self.subject = subject;
    }

    /// Dimensions that were empty became known: every slice of the view is said again.
    pub(crate) fn say_again(&mut self) {
        for kept in &mut self.slices {
            kept.said = Said::Waiting;
            kept.known = None;
        }
        // What the collector has needs no numbers: its identity and its date carry the dimensions.
        let again = self.past.drain(..).map(|past| KeptSlice {
            slice: Slice { n: past.n, at: past.at, ..Slice::default() },
            subject: past.subject,
            said: Said::Waiting,
            known: None,
            sent: None,
        });
        let rest = std::mem::take(&mut self.slices);
        self.slices = again.chain(rest).collect();
    }

    /// Notes that the playhead moved at `at`, a moment of the open slice, unless its minute is noted already.
    pub(crate) fn mark_active(&mut self, at: Wall) {
        let minute = at.floor(MINUTE_MS).as_ms() / MINUTE_MS;
        let (Some(kept), true) = (self.slices.last_mut(), self.active_minute.is_none_or(|last| minute > last)) else {
            return;
        };
        self.active_minute = Some(minute);
        let index = minute - kept.slice.at.floor(MINUTE_MS).as_ms() / MINUTE_MS;
        kept.slice.active.insert(u32::try_from(index).unwrap_or(u32::MAX));
    }

    /// Notes an event that happened at `at`, in the slice that is open then.
    pub(crate) fn event(&mut self, kind: EventKind, pos: Option<Media>, at: Now) {
        let n = self.slice(at, at).n;
        self.event_in(n, kind, pos, at.wall);
    }

    /// Notes an event that happened in slice `n`.
    pub(crate) fn event_in(&mut self, n: u32, kind: EventKind, pos: Option<Media>, at: Wall) {
        if self.next_seq >= MAX_SEQ {
            self.given_up += 1;
            return;
        }
        if self.events.len() == MAX_EVENTS {
            self.events.remove(0);
            self.given_up += 1;
        }
        let event = Event { seq: self.next_seq, n, at, pos, kind };
        self.next_seq += 1;
        self.events.push(KeptEvent { event, said: Said::Waiting, told: false });
    }

    /// Replaces the last event, if it was never said, is no older than `within` and of the same kind: a slider makes
    /// dozens of changes that are one.
    pub(crate) fn replace(&mut self, kind: &EventKind, within: Millis, at: Wall) -> bool {
        let Some(last) = self.events.last_mut() else { return false };
        let fresh = at.since(last.event.at) <= within as i64 && !last.told;
        let same = fresh && last.event.kind.name() == kind.name();
        if same {
            last.event.kind.clone_from(kind);
        }
        same
    }

    /// What the collector's clock shows, beside ours.
    pub(crate) fn set_server_ahead(&mut self, ms: i64) {
        self.server_ahead_ms = ms;
    }

    /// How much later the collector's clock is.
    pub(crate) fn server_ahead_ms(&self) -> i64 {
        self.server_ahead_ms
    }

    /// The number of the open slice, or of the next.
    pub(crate) fn current(&self) -> u32 {
        if self.open.is_some() { self.next_n - 1 } else { self.next_n }
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

    /// The dimensions of the first slice that `wanted` asks for.
    pub(crate) fn first_subject(&self, wanted: impl Fn(Said) -> bool) -> Option<SubjectId> {
        self.slices.iter().find(|kept| wanted(kept.said)).map(|kept| kept.subject)
    }

    /// Takes what `wanted` asks for and `under` finds to be of the right dimensions into the request
    /// `delivery`, as long as there is room.
    pub(crate) fn say(
        &mut self,
        delivery: DeliveryId,
        wanted: impl Fn(Said) -> bool,
        under: impl Fn(SubjectId) -> bool,
        room: &mut Room,
    ) -> (Vec<SaidSlice>, Vec<Event>) {
        let mut slices = Vec::new();
        let open = self.open.map(|_| self.next_n - 1);
        for kept in self.slices.iter_mut().filter(|kept| wanted(kept.said) && under(kept.subject)) {
            let known = kept.known.as_deref().filter(|_| Some(kept.slice.n) == open);
            let slice = known.map_or_else(|| kept.slice.clone(), |known| news(&kept.slice, known));
            if !room.fits(size::of_slice(&slice)) {
                break;
            }
            slices.push(SaidSlice { slice, subject: kept.subject, whole: known.is_none() });
            kept.said = Said::Underway(delivery);
            kept.sent = Some((delivery, Box::new(kept.slice.clone())));
        }
        let mut events = Vec::new();
        for kept in self.events.iter_mut().filter(|kept| wanted(kept.said)) {
            if !room.fits(size::of_event(&kept.event)) {
                break;
            }
            (kept.said, kept.told) = (Said::Underway(delivery), true);
            events.push(kept.event.clone());
        }
        (slices, events)
    }

    /// The request was answered: what it said is known, or has to be said again. Gives how many items that are.
    pub(crate) fn settle(&mut self, delivery: DeliveryId, settled: Said) -> u64 {
        let mut count = 0;
        for kept in &mut self.slices {
            // What has grown since waits again, and still the collector knows what was sent.
            if let Some((_, sent)) = kept.sent.take_if(|(id, _)| *id == delivery)
                && settled == Said::Acknowledged
            {
                kept.known = Some(sent);
            }
            if kept.said == Said::Underway(delivery) {
                kept.said = settled;
                count += 1;
            }
        }
        for kept in self.events.iter_mut().filter(|kept| kept.said == Said::Underway(delivery)) {
            kept.said = settled;
            count += 1;
        }
        self.forget();
        count
    }

    /// Forgets what the collector has and what cannot grow any more, all but the dates.
    fn forget(&mut self) {
        self.events.retain(|kept| kept.said != Said::Acknowledged);
        let open = self.open.map(|_| self.next_n - 1);
        let past = &mut self.past;
        self.slices.retain(|kept| {
            let over = kept.said == Said::Acknowledged && Some(kept.slice.n) != open;
            if over && past.len() < MAX_PAST {
                past.push(Past { n: kept.slice.n, at: kept.slice.at, subject: kept.subject });
            }
            !over
        });
    }

    /// Items given up since the last call.
    pub(crate) fn take_given_up(&mut self) -> u64 {
        std::mem::take(&mut self.given_up)
    }

    /// How many items are kept.
    pub(crate) fn len(&self) -> u64 {
        (self.slices.len() + self.events.len()) as u64
    }

    /// What was counted in the whole view.
    pub(crate) fn totals(&self) -> Fields {
        let mut totals = self.closed.clone();
        if let Some(kept) = self.slices.last().filter(|_| self.open.is_some()) {
            totals.add(&kept.slice.fields);
        }
        totals
    }
}

/// What of a slice the collector does not know; its identity always.
fn news(slice: &Slice, known: &Slice) -> Slice {
    let mut news = Slice { n: slice.n, at: slice.at, ..Slice::default() };
    news.span_ms = slice.span_ms;
    for (field, value) in slice.fields.set().filter(|&(field, value)| value > known.fields[field]) {
        news.fields[field] = value;
    }
    let fresh = |mine: Percents, theirs: Percents| mine.minus(theirs);
    news.watched = fresh(slice.watched, known.watched);
    news.rewatched = fresh(slice.rewatched, known.rewatched);
    news.active = slice.active.minus(known.active);
    if slice.stop_reason != known.stop_reason {
        news.stop_reason = slice.stop_reason;
    }
    if slice.error_code != known.error_code || slice.error_phase != known.error_phase {
        news.error_code.clone_from(&slice.error_code);
        news.error_phase = slice.error_phase;
    }
    news
}

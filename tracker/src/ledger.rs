//! The slices and events of one view, and what of them is still to be said.
//!
//! A slice ends at the next five-minute mark of the clock or where a dimension changes, but stays open while the first
//! frame is awaited. It opens when there is something to count. It is said whole when it opens and when it closes; in
//! between, what the collector is known to have is left out. A closed slice never changes again, so it is kept as it
//! will be written.

use quartile_protocol::clock::{MINUTE_MS, Media, Millis, Mono, Wall};
use quartile_protocol::encode::Json;
use quartile_protocol::event::{self, EventType};
use quartile_protocol::field::{FIELDS, Field, Fields};
use quartile_protocol::slice::{Known, Slice};

/// Slices end where the clock shows a multiple of this.
const MARK_MS: i64 = 5 * MINUTE_MS;

/// How long a slice may stay open beyond its mark for a first frame that does not come; with it, no slice is longer
/// than the wire allows.
const AWAIT_MS: Millis = 280_000;

/// How much the events of one view that wait may weigh: their details, and so much for each. Beyond it the oldest is given
/// up. Events are given up before slices: totals come from slices.
const MAX_EVENTS: usize = 30_000;
const EVENT: usize = 100;

/// Events of one view in all; beyond it they are given up, and still counted in slices.
const MAX_SEQ: u32 = 20_000;

/// Closed slices of one view that wait; beyond it the oldest is given up.
const MAX_WAITING: usize = 60;

/// Closed slices of one view in all: a day of them, and as many changes of dimension. What the collector has of them are
/// only dates, to say them again when a dimension becomes known late.
const MAX_CLOSED: usize = 600;

/// Names one request to the collector.
pub(crate) type DeliveryId = u32;

/// Names the dimensions that a slice was counted under.
pub(crate) type SubjectId = u16;

/// How much of an item the collector knows: the number of the request that says it, or one of two that no request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said(DeliveryId);

impl Said {
    /// There is something new to say.
    pub(crate) const WAITING: Self = Self(DeliveryId::MAX);

    /// The collector has it as it is.
    pub(crate) const ACKNOWLEDGED: Self = Self(DeliveryId::MAX - 1);

    /// This request says it.
    pub(crate) const fn by(delivery: DeliveryId) -> Self {
        Self(delivery)
    }

    /// The request was answered; gives whether it said this.
    pub(crate) fn settle(&mut self, delivery: DeliveryId, settled: Self) -> bool {
        let concerned = *self == Self(delivery);
        if concerned {
            *self = settled;
        }
        concerned
    }
}

/// What does not change any more: a slice that is over, or an event.
#[derive(Debug)]
struct Item {
    what: What,
    /// The slice's number, or that of the slice that an event happened in.
    n: u32,
    at: Wall,
    /// The whole slice as an object, empty once the collector has it; or what an event has beyond what every event has.
    text: Json,
    said: Said,
    /// Whether an event was ever said: then it stays as it is, because copies of one event are equal.
    told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Slice(SubjectId),
    Event { seq: u32, kind: EventType, pos: Option<Media> },
}

impl Item {
    const fn is_event(&self) -> bool {
        matches!(self.what, What::Event { .. })
    }

    fn weight_of_event(&self) -> usize {
        if self.is_event() { EVENT + self.text.len() } else { 0 }
    }

    fn weight_of_waiting_slice(&self) -> usize {
        usize::from(!self.is_event() && !self.text.is_empty())
    }

    fn weight_of_slice(&self) -> usize {
        usize::from(!self.is_event())
    }

    fn write(&self, json: &mut Json) {
        match self.what {
            What::Slice(_) if self.text.is_empty() => {
                json.item(|json| Slice { n: self.n, at: self.at, ..Slice::default() }.write(json));
            }
            What::Slice(_) => json.written_item(&self.text),
            What::Event { seq, kind, pos } => json.item(|json| {
                event::write_head(seq, self.n, self.at, kind, pos, json);
                json.written_members(&self.text);
            }),
        }
    }
}

/// The slice of now.
#[derive(Debug)]
struct Open {
    slice: Slice,
    since: Mono,
    mark: Mono,
    said: Said,
    /// What the collector knows of it, if it does.
    known: Known,
    is_known: bool,
    /// What it will know once the last request that carried it, this one, is acknowledged.
    sent: Known,
    sent_in: Said,
}

/// What the clocks show: dates are counted from the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dates {
    /// The date at which the monotonic clock showed 0.
    pub epoch: Wall,
    /// How much later the collector's clock is; it places the marks of slices.
    pub server_ahead_ms: i64,
}

impl Dates {
    pub(crate) const fn wall(self, at: Mono) -> Wall {
        self.epoch.shifted(at.as_ms() as i64)
    }
}

/// A request whose body is being written.
#[derive(Debug)]
pub(crate) struct Request {
    pub delivery: DeliveryId,
    /// How long the body may become.
    pub room: usize,
    /// Views, and slices and events that are in it.
    pub views: usize,
    pub items: usize,
    /// Whose viewing it tells of; `None` as long as nothing is in it.
    pub user: Option<String>,
    /// Whether anything in it is said whole, and so needs its context.
    pub whole: bool,
    /// Whether something did not fit.
    pub full: bool,
}

impl Request {
    pub(crate) const fn new(delivery: DeliveryId, room: usize) -> Self {
        Self { delivery, room, views: 0, items: 0, user: None, whole: false, full: false }
    }

    /// Writes an item, unless it does not fit; the first always does: a body that is too long has a better chance than
    /// none. Gives whether it was written.
    fn write(&mut self, json: &mut Json, item: impl FnOnce(&mut Json)) -> bool {
        if self.full {
            return false;
        }
        let before = json.len();
        item(json);
        self.full = self.items > 0 && json.len() > self.room;
        if self.full {
            json.truncate(before);
        } else {
            self.items += 1;
        }
        !self.full
    }
}

#[derive(Debug)]
pub(crate) struct Ledger {
    pub dates: Dates,
    /// The moment that is being noted, and where the playhead is.
    pub now: Mono,
    pub pos: Option<Media>,
    /// When something that is not to wait is to be sent.
    pub due: Mono,
    items: Vec<Box<Item>>,
    open: Option<Box<Open>>,
    /// Where the details of events are written that are too many.
    nowhere: Json,
    subject: SubjectId,
    /// What was counted in all slices that are closed.
    totals: Fields,
    /// What was noted by [`once`](Self::once).
    noted: [bool; FIELDS],
    next_n: u32,
    next_seq: u32,
    /// The last minute, counted from 1970, in which the playhead moved.
    active_minute: i64,
    /// Items given up because too many were waiting.
    given_up: u64,
}

impl Ledger {
    /// Nothing was noted yet.
    pub(crate) const EMPTY: Self = Self {
        dates: Dates { epoch: Wall::from_ms(0), server_ahead_ms: 0 },
        now: Mono::from_ms(0),
        pos: None,
        due: Mono::NEVER,
        items: Vec::new(),
        open: None,
        nowhere: Json::EMPTY,
        subject: 0,
        totals: Fields::NONE,
        noted: [false; FIELDS],
        next_n: 0,
        next_seq: 0,
        active_minute: 0,
        given_up: 0,
    };

    /// What is noted from here on happens now, with the playhead at `pos`.
    pub(crate) const fn look(&mut self, pos: Option<Media>, now: Mono) {
        (self.pos, self.now) = (pos, now);
    }

    /// The open slice, to count something in that happens now.
    pub(crate) fn slice(&mut self) -> &mut Slice {
        self.slice_from(self.now)
    }

    /// The open slice, to count something in that has gone on since `from`; opens one if there is none.
    pub(crate) fn slice_from(&mut self, from: Mono) -> &mut Slice {
        if self.open.is_none() {
            self.next_n += 1;
        }
        let (dates, n) = (self.dates, self.next_n - 1);
        let open = self.open.get_or_insert_with(|| Open::new(n, from, dates));
        open.said = Said::WAITING;
        // What is noted after a sleep may belong to a slice whose time was over long before.
        let until = self.now.min(open.mark + AWAIT_MS);
        open.slice.span_ms = open.slice.span_ms.max(until.since(open.since));
        &mut open.slice
    }

    /// For how long the open slice has been open; without one, any time fits into the next.
    pub(crate) fn open_for(&self, now: Mono) -> Millis {
        self.open.as_ref().map_or(Millis::MAX, |open| now.since(open.since))
    }

    /// Counts something that happens now.
    pub(crate) fn count(&mut self, field: Field) {
        self.add(field, 1);
    }

    /// Counts so much of something; nothing if it is nothing.
    pub(crate) fn add(&mut self, field: Field, count: u64) {
        if count > 0 {
            self.slice().fields[field] += count;
        }
    }

    /// Counts time that has passed up to now.
    pub(crate) fn add_time(&mut self, field: Field, ms: Millis) {
        self.slice_from(self.now - ms).fields[field] += ms;
    }

    /// Counts something that is true at most once in a view; gives whether this is the time.
    pub(crate) fn once(&mut self, field: Field) -> bool {
        let first = self.note(field);
        if first {
            self.count(field);
        }
        first
    }

    /// Notes it without counting it.
    pub(crate) const fn note(&mut self, field: Field) -> bool {
        !std::mem::replace(&mut self.noted[field as usize], true)
    }

    /// Counts a state that lasted from `from` to `now` in the slice that is open, up to its mark and no further: a
    /// state in which nothing plays is no reason to open another, nor to send anything.
    pub(crate) fn idle(&mut self, field: Field, from: Mono) {
        let Some(open) = &mut self.open else { return };
        let until = self.now.min(open.mark);
        open.slice.fields[field] += until.since(from);
        open.slice.span_ms = open.slice.span_ms.max(until.since(open.since));
    }

    /// Closes the open slice if its time is over at `at`.
    pub(crate) fn turn(&mut self, at: Mono, awaiting_first_frame: bool) {
        let Some(open) = &self.open else { return };
        let end = if awaiting_first_frame { open.mark + AWAIT_MS } else { open.mark };
        if at >= end {
            self.close();
        }
    }

    /// Closes the open slice: what comes next is counted in another. It is said whole once more.
    pub(crate) fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let slice = &open.slice;
        self.totals.add(&slice.fields);
        let mut text = Json::default();
        text.item(|json| slice.write(json));
        self.keep(What::Slice(self.subject), slice.n, slice.at, text);
    }

    fn keep(&mut self, what: What, n: u32, at: Wall, text: Json) {
        self.items.push(Box::new(Item { what, n, at, text, said: Said::WAITING, told: false }));
        if self.keep_few(Item::weight_of_event, MAX_EVENTS) > MAX_EVENTS / 2 {
            self.due = self.now;
        }
        self.keep_few(Item::weight_of_waiting_slice, MAX_WAITING);
        self.keep_few(Item::weight_of_slice, MAX_CLOSED);
    }

    /// Gives up the oldest of those that weigh something, as long as they weigh too much together. Gives what they weigh.
    fn keep_few(&mut self, weigh: fn(&Item) -> usize, most: usize) -> usize {
        let mut weight = 0;
        for item in &self.items {
            weight += weigh(item);
        }
        let mut index = 0;
        while weight > most && index < self.items.len() {
            let light = weigh(&self.items[index]);
            if light == 0 {
                index += 1;
                continue;
            }
            weight -= light;
            let lost = self.items.remove(index);
            self.given_up += u64::from(lost.said != Said::ACKNOWLEDGED);
        }
        weight
    }

    /// From now on, what happens has other dimensions: these.
    pub(crate) fn set_subject(&mut self, subject: SubjectId) {
        self.close();
        self.subject = subject;
    }

    /// Dimensions that were empty became known: every slice of the view is said again. What the collector has of it
    /// needs no numbers: its identity and its date carry the dimensions.
    pub(crate) fn say_again(&mut self) {
        for item in &mut self.items {
            if !item.is_event() {
                item.said = Said::WAITING;
            }
        }
        if let Some(open) = &mut self.open {
            (open.said, open.is_known, open.known, open.sent_in) =
                (Said::WAITING, false, Known::default(), Said::WAITING);
        }
    }

    /// Notes that the playhead moved at `at`, a moment of the open slice, unless its minute is noted already.
    pub(crate) fn mark_active(&mut self, at: Mono) {
        let minute = self.dates.wall(at).as_ms().div_euclid(MINUTE_MS);
        let Some(open) = self.open.as_mut().filter(|_| minute > self.active_minute) else { return };
        self.active_minute = minute;
        let index = minute - open.slice.at.as_ms().div_euclid(MINUTE_MS);
        open.slice.active.insert(u32::try_from(index).unwrap_or(u32::MAX));
    }

    /// Notes an event that happens now, where the playhead is; gives where its details are written.
    pub(crate) fn event(&mut self, kind: EventType) -> &mut Json {
        let n = self.slice().n;
        self.event_in(n, kind, self.pos, self.now)
    }

    /// Notes an event that happened in slice `n`.
    pub(crate) fn event_in(&mut self, n: u32, kind: EventType, pos: Option<Media>, at: Mono) -> &mut Json {
        let seq = self.next_seq;
        if seq < MAX_SEQ {
            self.next_seq += 1;
            self.keep(What::Event { seq, kind, pos }, n, self.dates.wall(at), Json::default());
        } else {
            self.given_up += 1;
        }
        match self.items.last_mut() {
            Some(last) if seq < MAX_SEQ => &mut last.text,
            _ => {
                self.nowhere.truncate(0);
                &mut self.nowhere
            }
        }
    }

    /// Notes an event that replaces the last one, if that was never said, is of the same kind and no older than
    /// `within`: a slider makes dozens of changes that are one.
    pub(crate) fn event_once(&mut self, kind: EventType, within: Millis) -> &mut Json {
        let date = self.dates.wall(self.now);
        let replaces = self.items.last().is_some_and(|last| {
            let same = matches!(last.what, What::Event { kind: known, .. } if known == kind);
            same && !last.told && date.since(last.at) <= within as i64
        });
        if !replaces {
            return self.event(kind);
        }
        let last = self.items.len() - 1;
        let details = &mut self.items[last].text;
        details.truncate(0);
        details
    }

    /// The number of the open slice, or of the next.
    pub(crate) const fn current(&self) -> u32 {
        if self.open.is_some() { self.next_n - 1 } else { self.next_n }
    }

    /// Whether there is something to say.
    pub(crate) fn is_waiting(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.said == Said::WAITING)
            || self.items.iter().any(|item| item.said == Said::WAITING)
    }

    /// Whether nothing was ever counted.
    pub(crate) const fn is_blank(&self) -> bool {
        self.next_n == 0
    }

    /// Whether everything is acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is something to say under these dimensions, or about events if those of now are asked for; and
    /// whether any of it is to be said whole.
    pub(crate) fn news_of(&self, subject: SubjectId) -> Option<bool> {
        let (mut whole, mut news) = (false, false);
        for item in &self.items {
            if item.said == Said::WAITING {
                whole |= item.what == What::Slice(subject);
                news |= item.is_event() && subject == self.subject;
            }
        }
        if let Some(open) = &self.open
            && subject == self.subject
            && open.said == Said::WAITING
        {
            news = true;
            whole |= !open.is_known;
        }
        (news || whole).then_some(whole)
    }

    /// Writes what waits under these dimensions, as long as it fits; events go with the dimensions of now.
    pub(crate) fn say(&mut self, subject: SubjectId, json: &mut Json, request: &mut Request) {
        json.array("slices", |json| {
            self.say_items(Some(subject), json, request);
            if subject == self.subject {
                self.say_open(json, request);
            }
        });
        if subject == self.subject {
            json.array("events", |json| self.say_items(None, json, request));
        }
    }

    /// Writes the slices of these dimensions, or the events.
    fn say_items(&mut self, subject: Option<SubjectId>, json: &mut Json, request: &mut Request) {
        for item in &mut self.items {
            let wanted = match item.what {
                What::Slice(of) => subject == Some(of),
                What::Event { .. } => subject.is_none(),
            };
            if wanted && item.said == Said::WAITING && request.write(json, |json| item.write(json)) {
                (item.said, item.told) = (Said(request.delivery), true);
            }
        }
    }

    fn say_open(&mut self, json: &mut Json, request: &mut Request) {
        if let Some(open) = &mut self.open
            && open.said == Said::WAITING
            && request.write(json, |json| json.item(|json| open.slice.write_news(&open.known, json)))
        {
            (open.said, open.sent_in) = (Said(request.delivery), Said(request.delivery));
            open.sent = open.slice.known();
        }
    }

    /// The request was answered: what it said is known, or has to be said again. Gives how many items that are.
    pub(crate) fn settle(&mut self, delivery: DeliveryId, settled: Said) -> u64 {
        let acknowledged = settled == Said::ACKNOWLEDGED;
        let (mut count, mut index) = (0, 0);
        while let Some(item) = self.items.get_mut(index) {
            index += 1;
            if item.said.settle(delivery, settled) {
                count += 1;
                if acknowledged {
                    item.text = Json::default();
                    if item.is_event() {
                        index -= 1;
                        self.items.remove(index);
                    }
                }
            }
        }
        if let Some(open) = &mut self.open {
            // What has grown since waits again, and still the collector knows what was sent.
            if open.sent_in.settle(delivery, settled) && acknowledged {
                (open.is_known, open.known) = (true, open.sent);
            }
            count += u64::from(open.said.settle(delivery, settled));
        }
        count
    }

    /// Items given up since the last call.
    pub(crate) fn take_given_up(&mut self) -> u64 {
        std::mem::take(&mut self.given_up)
    }

    /// How many items the collector is not known to have.
    pub(crate) fn len(&self) -> u64 {
        let mut count = u64::from(self.open.is_some());
        for item in &self.items {
            count += u64::from(item.said != Said::ACKNOWLEDGED);
        }
        count
    }

    /// What was counted in the whole view.
    pub(crate) fn totals(&self) -> Fields {
        let mut totals = self.totals;
        if let Some(open) = &self.open {
            totals.add(&open.slice.fields);
        }
        totals
    }
}

impl Open {
    fn new(n: u32, from: Mono, dates: Dates) -> Box<Self> {
        let date = dates.wall(from).shifted(dates.server_ahead_ms);
        let to_mark = date.floor(MARK_MS).shifted(MARK_MS).since(date);
        let mut slice = Slice { n, at: dates.wall(from), ..Slice::default() };
        slice.fields[Field::Views] = u64::from(n == 0);
        Box::new(Self {
            slice,
            since: from,
            mark: from + to_mark as Millis,
            said: Said::WAITING,
            known: Known::default(),
            is_known: false,
            sent: Known::default(),
            sent_in: Said::WAITING,
        })
    }
}

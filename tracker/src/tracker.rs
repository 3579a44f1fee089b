//! The players of a page, their views, and what is to be sent about them.

use quartile_protocol::batch::{Discard, Offer};
use quartile_protocol::clock::{Millis, Mono, Now, Wall};
use quartile_protocol::encode::Json;
use quartile_protocol::event::StopReason;
use quartile_protocol::id::ViewId;
use quartile_protocol::limits;

use crate::delivery::{INTERVAL_MS, Schedule};
use crate::ledger::{Dates, DeliveryId, Request, Said};
use crate::random::Random;
use crate::signal::{PageSignal, Snapshot, Told, What};
use crate::view::{Inspection, Subject, View};

/// Views that are over and still have something to say; beyond it the oldest is given up.
const MAX_PARTED: usize = 50;

/// How much was given up, by [`Discard`].
type Discarded = [u64; Discard::ALL.len()];

/// Players of a page; what is attached beyond it is not tracked.
const MAX_PLAYERS: usize = 100;

/// What the end of a body takes: the user, and what was given up.
const END_BYTES: usize = 6 * limits::ID_BYTES + 100;

/// By how much the collector's clock must be off for slices to end by it.
const CLOCK_MS: i64 = 5_000;

/// What is known of a page.
#[derive(Clone, Debug)]
pub struct Config {
    /// The user that the site knows; else empty.
    pub user: String,
    /// How many bytes a shell adds to a body by itself.
    pub context_bytes: usize,
    /// Random bits of a real source.
    pub seed: [u64; 2],
}

/// A player of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlayerId(u32);

impl PlayerId {
    /// The number that a shell may keep in its own tables.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// The player of this number; one that does not exist does nothing.
    #[must_use]
    pub const fn from_u32(number: u32) -> Self {
        Self(number)
    }
}

/// A request to the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delivery(DeliveryId);

impl Delivery {
    /// The number that a shell may keep in its own tables.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self.0
    }

    /// The request of this number; one that does not exist is never answered.
    #[must_use]
    pub const fn from_u32(number: u32) -> Self {
        Self(number)
    }
}

/// Something to send.
#[derive(Clone, Debug)]
pub struct Send {
    /// Names the request, for [`Tracker::delivered`].
    pub delivery: Delivery,
    /// Members of the body, as JSON: the user, the views, and what was given up. Whose page it is, the shell knows.
    pub body: Vec<u8>,
    /// Whether the body needs its context: session, viewer, page and client.
    pub context: bool,
    /// The page is being hidden or left: the request must outlive it. The urgent requests of one moment say everything that
    /// is not acknowledged: a shell that may store something keeps them until they are answered, for the next page to send.
    pub urgent: bool,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The collector has it on disk: a 200 whose JSON has `accepted`.
    Acknowledged,
    /// Refused for good: it would be refused again.
    Refused,
    /// Refused for now, lost, or answered by somebody else.
    Later,
}

/// What became of a request, and what the answer said beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What became of it.
    pub outcome: Outcome,
    /// For how long to send nothing; 0 if nothing was said.
    pub wait: Millis,
    /// What the collector's clock shows.
    pub server_time: Option<Wall>,
}

impl Answer {
    /// The collector has it.
    pub const ACKNOWLEDGED: Self = Self::plain(Outcome::Acknowledged);

    /// It is refused for good.
    pub const REFUSED: Self = Self::plain(Outcome::Refused);

    /// It is to be tried again.
    pub const LATER: Self = Self::plain(Outcome::Later);

    const fn plain(outcome: Outcome) -> Self {
        Self { outcome, wait: 0, server_time: None }
    }

    /// It is to be tried again, but not sooner than so long from now.
    #[must_use]
    pub const fn later(wait: Millis) -> Self {
        Self { wait, ..Self::LATER }
    }
}

#[derive(Debug)]
struct Attached {
    id: PlayerId,
    subject: Subject,
    /// The address of what is shown.
    source: String,
    /// What the engine said of its being live; it does not say it again for another view.
    kind: Option<Offer>,
    /// Frames that were due and dropped at the last reading, as the browser counts them; no number if the first reading
    /// tells of a time before the player was tracked.
    frames: [f64; 2],
    view: Option<Box<View>>,
}

impl Attached {
    /// Browsers count since the element was made or since it was loaded, whatever it shows: gives what came since the last
    /// reading. A counter that went back began anew.
    fn take_frames(&mut self, [due, dropped, rest]: [f64; 3]) -> [f64; 3] {
        let [due_before, dropped_before] = std::mem::replace(&mut self.frames, [due, dropped]);
        if due < due_before { [due, dropped, rest] } else { [due - due_before, dropped - dropped_before, rest] }
    }
}

/// Everything that is tracked on one page.
pub struct Tracker {
    user: String,
    /// How many bytes a body may have.
    room: usize,
    dates: Dates,
    random: Random,
    hidden: bool,
    /// The page was left: what still stirs on it is nobody's viewing.
    left: bool,
    players: Vec<Box<Attached>>,
    next_player: u32,
    parted: Vec<Box<View>>,
    schedule: Schedule,
    discarded: Discarded,
    /// The request that says what was given up, as long as it is not answered, and what it says.
    confessing: Said,
    confessed: Discarded,
    outputs: Vec<Box<Send>>,
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new()
    }
}

impl Tracker {
    /// A page that is not opened yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            user: String::new(),
            room: 0,
            dates: Dates { epoch: Wall::from_ms(0), server_ahead_ms: 0 },
            random: Random::new([0; 2]),
            hidden: false,
            left: false,
            players: Vec::new(),
            next_player: 0,
            parted: Vec::new(),
            schedule: Schedule::new(),
            discarded: [0; Discard::ALL.len()],
            confessing: Said::ACKNOWLEDGED,
            confessed: [0; Discard::ALL.len()],
            outputs: Vec::new(),
        }
    }

    /// The page is opened at `now`. All dates are counted from that moment by the monotonic clock, so that a wall clock
    /// that is set in between moves none of them.
    pub fn open(&mut self, config: Config, now: Now) {
        self.dates.epoch = now.wall.shifted(-(now.mono.as_ms() as i64));
        self.random = Random::new(config.seed);
        self.user = config.user;
        self.room = limits::SDK_BODY_BYTES.saturating_sub(END_BYTES + config.context_bytes);
    }

    /// A player comes. Its view begins when it shows something: see [`What::Source`]. Beyond a bound of players on one page
    /// it gets a number of its own all the same, and is not tracked.
    pub fn attach(&mut self, mut subject: Subject) -> PlayerId {
        let id = PlayerId(self.next_player);
        self.next_player += 1;
        if self.players.len() < MAX_PLAYERS {
            subject.set_user(&self.user);
            self.players.push(Box::new(Attached {
                id,
                subject,
                source: String::new(),
                kind: None,
                frames: [0.0; 2],
                view: None,
            }));
        }
        id
    }

    /// A player goes.
    pub fn detach(&mut self, id: PlayerId, now: Mono) {
        if let Some(index) = self.players.iter().position(|player| player.id == id) {
            self.part(index, StopReason::Detached, now);
            self.players.remove(index);
            self.plan(now);
        }
    }

    /// Says what the player shows and what plays it. Another video is another view, what was unknown before is filled in,
    /// and another value of anything else begins another slice.
    pub fn describe(&mut self, id: PlayerId, mut subject: Subject, now: Mono) {
        let Some(index) = self.index(id) else { return };
        let before = self.players[index].subject.id();
        if !before.is_empty() && before != subject.id() {
            self.part(index, StopReason::SourceChanged, now);
        }
        subject.set_user(&self.user);
        let player = &mut self.players[index];
        player.subject = subject;
        match &mut player.view {
            Some(view) => view.describe(player.subject.clone()),
            None => self.begin(index, now),
        }
        self.plan(now);
    }

    /// The user became known, who is filled into what was told already; or is another one, and new slices begin.
    pub fn set_user(&mut self, user: &str, now: Mono) {
        self.user = user.into();
        for player in &mut self.players {
            player.subject.set_user(user);
            if let Some(view) = &mut player.view {
                view.describe(player.subject.clone());
            }
        }
        self.plan(now);
    }

    /// A player did something, and this is how it is now.
    pub fn observe<'a>(&mut self, id: PlayerId, signal: impl Into<Told<'a>>, seen: &Snapshot, now: Mono) {
        let told = &signal.into();
        let Some(index) = self.index(id) else { return };
        if told.what == What::Source {
            self.change_source(index, told.texts[0], now);
        }
        if told.what == What::Live {
            self.players[index].kind = Some(told.offer());
        }
        if told.what == What::Joined {
            self.players[index].frames = [f64::NAN; 2];
        }
        let mut told = *told;
        if told.what == What::Frames {
            told.numbers = self.players[index].take_frames(told.numbers);
        }
        if self.players[index].view.as_ref().is_some_and(|view| view.is_idle(now)) {
            self.part(index, StopReason::Idle, now);
        }
        if self.left {
            return;
        }
        if self.players[index].view.as_ref().is_some_and(|view| view.is_too_old(now)) {
            self.hand_on(index, now);
        }
        // A view that was ended by an hour of nothing is followed by another when it plays.
        if self.players[index].view.is_none() && !seen.paused {
            self.begin(index, now);
        }
        let hidden = self.hidden;
        if let Some(view) = &mut self.players[index].view {
            view.observe(&told, seen, hidden, now);
        }
        self.plan(now);
    }

    /// What is known of the player's view; `None` if it has none.
    #[must_use]
    pub fn inspect(&self, id: PlayerId) -> Option<Inspection> {
        self.players[self.index(id)?].view.as_ref().map(|view| view.inspect())
    }

    /// The same as JSON: the id of the view, what the player is doing, and what was counted so far by the names of the wire.
    /// An object without members if it has no view.
    #[must_use]
    pub fn snapshot(&self, id: PlayerId) -> Vec<u8> {
        Json::members_of(|json| {
            json.item(|json| {
                if let Some(view) = self.index(id).and_then(|index| self.players[index].view.as_ref()) {
                    view.write(json);
                }
            });
        })
    }

    /// The page did something. The shell observes its players first.
    pub fn page(&mut self, signal: PageSignal, now: Mono) {
        match signal {
            PageSignal::Hidden => {
                self.see_page(false, now);
                self.send_all(now);
            }
            PageSignal::Visible => self.see_page(true, now),
            PageSignal::Left => {
                for index in 0..self.players.len() {
                    self.part(index, StopReason::Closed, now);
                }
                self.send_all(now);
                self.left = true;
            }
            PageSignal::Restored => {
                (self.hidden, self.left) = (false, false);
                for index in 0..self.players.len() {
                    self.begin(index, now);
                }
            }
            PageSignal::Frozen => self.send_all(now),
            PageSignal::Resumed => {}
            PageSignal::Online => self.schedule.online(),
        }
        self.plan(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) at the latest, if nothing else happens.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        let at = self.wake_at();
        (at != Mono::NEVER).then_some(at)
    }

    /// The same, in which a moment that never comes says that there is no need.
    #[must_use]
    pub fn wake_at(&self) -> Mono {
        let mut at = self.schedule.timeout();
        for player in &self.players {
            if let Some(view) = &player.view {
                at = at.min(view.next_look());
            }
        }
        at
    }

    /// The time has come. The shell observes its players first.
    pub fn handle_timeout(&mut self, now: Mono) {
        while let Some(lost) = self.schedule.lost(now) {
            self.delivered(Delivery(lost), Answer::LATER, now);
        }
        self.plan(now);
    }

    /// The next request to send; `None` when there is none for now.
    pub fn poll_output(&mut self) -> Option<Send> {
        (!self.outputs.is_empty()).then(|| *self.outputs.remove(0))
    }

    /// A request was answered, or was not.
    pub fn delivered(&mut self, delivery: Delivery, answer: Answer, now: Mono) {
        let Delivery(id) = delivery;
        if !self.schedule.end(id) {
            return;
        }
        let Answer { outcome, wait, server_time } = answer;
        let later = outcome == Outcome::Later;
        let settled = self.settle(id, if later { Said::WAITING } else { Said::ACKNOWLEDGED });
        let confessed = self.confessing.settle(id, Said::ACKNOWLEDGED);
        match outcome {
            Outcome::Acknowledged => {
                if confessed {
                    for (count, said) in self.discarded.iter_mut().zip(self.confessed) {
                        *count -= said;
                    }
                }
                if let Some(time) = server_time {
                    self.set_server_ahead(time.since(self.dates.wall(now)));
                }
            }
            Outcome::Refused => self.discarded[Discard::Refused as usize] += settled,
            Outcome::Later => {}
        }
        self.schedule.answered(later, wait, &mut self.random, now);
        self.plan(now);
    }

    fn see_page(&mut self, visible: bool, now: Mono) {
        if self.hidden != visible {
            return;
        }
        self.hidden = !visible;
        // What is over does not hear of it.
        for player in &mut self.players {
            if let Some(view) = &mut player.view {
                view.see_page(visible, now);
            }
        }
    }

    fn set_server_ahead(&mut self, ms: i64) {
        // What an answer took on its way would bring the same mark twice, with a slice of nothing in between.
        if (ms - self.dates.server_ahead_ms).abs() < CLOCK_MS {
            return;
        }
        self.dates.server_ahead_ms = ms;
        let dates = self.dates;
        for index in 0..self.views() {
            if let Some(view) = self.view(index) {
                view.ledger().dates = dates;
            }
        }
    }

    fn index(&self, id: PlayerId) -> Option<usize> {
        self.players.iter().position(|player| player.id == id)
    }

    /// How many views there may be.
    fn views(&self) -> usize {
        self.parted.len() + self.players.len()
    }

    /// One of them. A closure for all of them would be larger by far.
    fn view(&mut self, index: usize) -> Option<&mut View> {
        let parted = self.parted.len();
        if index < parted {
            return Some(&mut self.parted[index]);
        }
        self.players.get_mut(index - parted)?.view.as_deref_mut()
    }

    /// Begins a view of what the player shows, if it shows something and has none.
    fn begin(&mut self, index: usize, now: Mono) {
        let player = &mut self.players[index];
        if player.view.is_none() && !player.source.is_empty() {
            let id = ViewId::from_bits(self.dates.wall(now), self.random.bits());
            let mut view = View::new(id, player.subject.clone(), self.dates, now);
            view.believe(player.kind);
            player.view = Some(view);
        }
    }

    /// A view that grew too old is followed by one that goes on where it was.
    fn hand_on(&mut self, index: usize, now: Mono) {
        let heritage = self.players[index].view.as_ref().map(|view| view.heritage());
        self.part(index, StopReason::Expired, now);
        self.begin(index, now);
        if let (Some(heir), Some(heritage)) = (&mut self.players[index].view, heritage) {
            heir.inherit(heritage);
        }
    }

    /// Ends the player's view, if it has one.
    fn part(&mut self, index: usize, reason: StopReason, now: Mono) {
        let Some(mut view) = self.players[index].view.take() else { return };
        // A source that was replaced before the player could show it was never viewed.
        if view.is_blank() {
            return;
        }
        view.stop(reason, now);
        self.parted.push(view);
        if self.parted.len() > MAX_PARTED {
            let mut lost = self.parted.remove(0);
            let lost = lost.ledger().len() + lost.ledger().take_given_up();
            self.discarded[Discard::QueueFull as usize] += lost;
        }
    }

    /// Another address is another view; not so between the addresses that MediaSource makes, which change at every
    /// re-attachment.
    fn change_source(&mut self, index: usize, address: &str, now: Mono) {
        let before = &self.players[index].source;
        if address.is_empty() {
            return;
        }
        let made = |address: &str| address.starts_with("blob:");
        if before != address && !(made(before) && made(address)) {
            self.part(index, StopReason::SourceChanged, now);
            self.players[index].kind = None;
        }
        self.players[index].source = address.into();
        self.begin(index, now);
    }

    /// Sends what is due, and notes when the rest will be.
    fn plan(&mut self, now: Mono) {
        let (mut waiting, mut due) = (false, now + INTERVAL_MS);
        for index in 0..self.views() {
            let Some(view) = self.view(index) else { continue };
            waiting |= view.ledger().is_waiting();
            due = due.min(view.take_due());
        }
        if !waiting {
            self.schedule.rest();
            return;
        }
        self.schedule.want(due);
        if self.schedule.is_due(now) {
            self.send(false, now);
        }
    }

    /// Sends everything that is not known to have arrived: the page may never come back, and what it sent before may have
    /// gone down with the connection. A page that was left has said it: it is hidden, and may be frozen, in the same moment.
    fn send_all(&mut self, now: Mono) {
        if self.left {
            return;
        }
        for index in 0..self.schedule.underway.len() {
            self.settle(self.schedule.underway[index].id, Said::WAITING);
        }
        while self.send(true, now) {}
    }

    /// Makes one request of what is to be said; `false` if there is nothing.
    fn send(&mut self, urgent: bool, now: Mono) -> bool {
        for index in 0..self.views() {
            if let Some(view) = self.view(index) {
                let given_up = view.ledger().take_given_up();
                self.discarded[Discard::QueueFull as usize] += given_up;
            }
        }
        let id = self.schedule.begin(urgent, now);
        let mut request = Request::new(id, self.room);
        let body = Json::members_of(|json| {
            json.array("views", |json| {
                for index in 0..self.views() {
                    if let Some(view) = self.view(index) {
                        view.say(json, &mut request);
                    }
                }
            });
            json.text("user", request.user.as_deref().unwrap_or_default());
            self.say_discarded(json);
        });
        if request.items == 0 {
            self.schedule.end(id);
            return false;
        }
        if request.full {
            self.schedule.want(now);
        }
        if self.confessing == Said::ACKNOWLEDGED {
            (self.confessing, self.confessed) = (Said::by(id), self.discarded);
        }
        self.outputs.push(Box::new(Send { delivery: Delivery(id), body, context: request.whole, urgent }));
        true
    }

    /// Says what was given up, in one request at a time.
    fn say_discarded(&self, json: &mut Json) {
        json.object("discarded", |json| {
            for (index, &count) in self.discarded.iter().enumerate() {
                if count > 0 && self.confessing == Said::ACKNOWLEDGED {
                    json.count(Discard::WORDS, index, count);
                }
            }
        });
    }

    /// Settles what a request said; gives how many items it carried of.
    fn settle(&mut self, id: DeliveryId, said: Said) -> u64 {
        let mut settled = 0;
        for index in 0..self.views() {
            if let Some(view) = self.view(index) {
                settled += view.ledger().settle(id, said);
            }
        }
        let mut index = 0;
        while let Some(view) = self.parted.get_mut(index) {
            if view.ledger().is_done() {
                self.parted.remove(index);
            } else {
                index += 1;
            }
        }
        settled
    }
}

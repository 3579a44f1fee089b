//! The players of a page, their views, and what is to be sent about them.

use quartile_protocol::batch::{self, Batch, Client, Discard, Page, Player, Video};
use quartile_protocol::clock::{Millis, Mono, Now, Wall};
use quartile_protocol::event::StopReason;
use quartile_protocol::id::{SessionId, SiteId, ViewId};
use quartile_protocol::limits;

use crate::delivery::Schedule;
use crate::ledger::{DeliveryId, Said};
use crate::random::Random;
use crate::signal::{PageSignal, Signal, Snapshot, is_placeholder};
use crate::size::{self, Room};
use crate::view::{Inspection, Request, Subject, View};

/// Views that are over and still have something to say; beyond it the oldest is given up.
const MAX_PARTED: usize = 50;

/// How much was given up, by [`Discard`].
type Discarded = [u64; Discard::ALL.len()];

/// Whose page it is, and what is known of it.
#[derive(Clone, Debug)]
pub struct Config {
    /// The site.
    pub site: SiteId,
    /// The SDK's name and version.
    pub sdk: String,
    /// The viewer's stored id, where storage is allowed; else empty.
    pub viewer: String,
    /// The user that the site knows; else empty.
    pub user: String,
    /// The page.
    pub page: Page,
    /// The device.
    pub client: Client,
    /// How many bytes a shell adds to a body by itself.
    pub context_bytes: usize,
    /// Whether the views of this page may be told to belong together.
    pub session: bool,
    /// Random bits of a real source.
    pub seed: [u8; 16],
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
    /// The body.
    pub batch: Batch,
    /// The page is being hidden or left: the request must outlive it.
    pub urgent: bool,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The collector has it on disk: a 200 whose JSON has `accepted`.
    Acknowledged {
        /// What the collector asked to wait for before the next.
        wait: Option<Millis>,
        /// What the collector's clock shows.
        server_time: Option<Wall>,
    },
    /// Refused for good: it would be refused again.
    Refused,
    /// Refused for now, lost, or answered by somebody else.
    Later {
        /// What `Retry-After` said.
        wait: Option<Millis>,
    },
}

#[derive(Debug)]
struct Attached {
    id: PlayerId,
    subject: Subject,
    /// The address of what is shown.
    source: String,
    view: Option<View>,
}

/// Everything that is tracked on one page.
pub struct Tracker {
    config: Config,
    opened: Now,
    /// How much later the collector's clock is than ours, once it told; it places the marks of slices.
    server_ahead_ms: i64,
    session: SessionId,
    random: Random,
    hidden: bool,
    /// The page was left: what still stirs on it is nobody's viewing.
    left: bool,
    players: Vec<Attached>,
    next_player: u32,
    parted: Vec<View>,
    schedule: Schedule,
    discarded: Discarded,
    /// What of it was said in a request that is not answered yet.
    discarded_underway: Option<(DeliveryId, Discarded)>,
    outputs: Vec<Send>,
}

impl Tracker {
    /// A page without players, opened at `now`. All dates are counted from that moment by the monotonic clock, so that
    /// a wall clock that is set in between moves none of them.
    #[must_use]
    pub fn new(config: Config, now: Now) -> Self {
        let mut random = Random::new(config.seed);
        Self {
            opened: now,
            server_ahead_ms: 0,
            session: SessionId::new(random.bytes()),
            random,
            config,
            hidden: false,
            left: false,
            players: Vec::new(),
            next_player: 0,
            parted: Vec::new(),
            schedule: Schedule::default(),
            discarded: Discarded::default(),
            discarded_underway: None,
            outputs: Vec::new(),
        }
    }

    /// A player comes. Its view begins when it shows something: see [`Signal::Source`].
    pub fn attach(&mut self, player: Player, video: Video, dims: Vec<(String, String)>) -> PlayerId {
        let id = PlayerId(self.next_player);
        self.next_player += 1;
        let subject = Subject { video, player, dims, user: self.config.user.clone() };
        self.players.push(Attached { id, subject, source: String::new(), view: None });
        id
    }

    /// A player goes.
    pub fn detach(&mut self, id: PlayerId, now: Now) {
        let now = self.date(now);
        if let Some(index) = self.players.iter().position(|player| player.id == id) {
            self.part(index, StopReason::Detached, now);
            self.players.remove(index);
            self.plan(now);
        }
    }

    /// Says what the player shows. Another video is another view; what was unknown before is filled in.
    pub fn describe(&mut self, id: PlayerId, video: Video, now: Now) {
        let now = self.date(now);
        let Some(index) = self.index(id) else { return };
        let before = &self.players[index].subject.video.id;
        if !before.is_empty() && *before != video.id {
            self.part(index, StopReason::SourceChanged, now);
        }
        let player = &mut self.players[index];
        player.subject.video = video;
        let subject = player.subject.clone();
        match &mut player.view {
            Some(view) => view.describe(subject),
            None => self.begin(index, now),
        }
        self.plan(now);
    }

    /// What plays it, and the site's own dimensions, became known or changed: another value begins another slice.
    pub fn set_dimensions(&mut self, id: PlayerId, player: Player, dims: Vec<(String, String)>, now: Now) {
        let Some(index) = self.index(id) else { return };
        let now = self.date(now);
        let attached = &mut self.players[index];
        (attached.subject.player, attached.subject.dims) = (player, dims);
        let subject = attached.subject.clone();
        if let Some(view) = &mut attached.view {
            view.describe(subject);
        }
        self.plan(now);
    }

    /// The user became known, who is filled into what was told already; or is another one, and new slices begin.
    pub fn set_user(&mut self, user: &str, now: Now) {
        let now = self.date(now);
        self.config.user = user.into();
        for player in &mut self.players {
            player.subject.user = user.into();
            if let Some(view) = &mut player.view {
                view.describe(player.subject.clone());
            }
        }
        self.plan(now);
    }

    /// A player did something, and this is how it is now.
    pub fn observe(&mut self, id: PlayerId, signal: Signal<'_>, seen: &Snapshot, now: Now) {
        let Some(index) = self.index(id) else { return };
        let now = self.date(now);
        if let Signal::Source(address) = signal {
            self.change_source(index, address, now);
        }
        if self.players[index].view.as_ref().is_some_and(|view| view.is_idle(now.mono)) {
            self.part(index, StopReason::Idle, now);
        }
        if self.left {
            return;
        }
        if self.players[index].view.as_ref().is_some_and(|view| view.is_too_old(now.mono)) {
            self.hand_on(index, now);
        }
        // A view that was ended by an hour of nothing is followed by another when it plays.
        if self.players[index].view.is_none() && !seen.paused {
            self.begin(index, now);
        }
        let hidden = self.hidden;
        if let Some(view) = &mut self.players[index].view {
            view.observe(signal, seen, hidden, now);
        }
        self.plan(now);
    }

    /// What is known of the player's view; `None` if it has none.
    #[must_use]
    pub fn inspect(&self, id: PlayerId) -> Option<Inspection> {
        self.players[self.index(id)?].view.as_ref().map(View::inspect)
    }

    /// The page did something. The shell observes its players first.
    pub fn page(&mut self, signal: PageSignal, now: Now) {
        let now = self.date(now);
        match signal {
            PageSignal::Hidden => {
                self.see_page(false, now);
                self.send_all(now);
            }
            PageSignal::Visible => self.see_page(true, now),
            PageSignal::Left => {
                self.left = true;
                for index in 0..self.players.len() {
                    self.part(index, StopReason::Closed, now);
                }
                self.send_all(now);
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
        let looks = self
            .players
            .iter()
            .filter_map(|player| player.view.as_ref())
            .filter_map(|view| view.next_look(self.hidden));
        looks.chain(self.schedule.timeout()).min()
    }

    /// The time has come. The shell observes its players first.
    pub fn handle_timeout(&mut self, now: Now) {
        let now = self.date(now);
        while let Some(lost) = self.schedule.lost(now.mono) {
            self.delivered(Delivery(lost), Outcome::Later { wait: None }, now);
        }
        self.plan(now);
    }

    /// The next request to send; `None` when there is none for now.
    pub fn poll_output(&mut self) -> Option<Send> {
        (!self.outputs.is_empty()).then(|| self.outputs.remove(0))
    }

    /// A request was answered, or was not.
    pub fn delivered(&mut self, delivery: Delivery, outcome: Outcome, now: Now) {
        let now = self.date(now);
        let Delivery(id) = delivery;
        if !self.schedule.end(id) {
            return;
        }
        if let Some((_, counts)) = self.discarded_underway.take_if(|(of, _)| *of == id)
            && !matches!(outcome, Outcome::Acknowledged { .. })
        {
            self.discarded.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        match outcome {
            Outcome::Acknowledged { wait, server_time } => {
                if let Some(time) = server_time {
                    self.set_server_ahead(time.since(now.wall));
                }
                self.schedule.succeeded(wait, now.mono);
                self.settle(id, Said::Acknowledged);
            }
            Outcome::Refused => {
                self.schedule.succeeded(None, now.mono);
                self.discarded[Discard::Refused as usize] += self.settle(id, Said::Acknowledged);
            }
            Outcome::Later { wait } => {
                self.settle(id, Said::Waiting);
                self.schedule.failed(wait, &mut self.random, now.mono);
            }
        }
        self.plan(now);
    }

    fn see_page(&mut self, visible: bool, now: Now) {
        if self.hidden != visible {
            return;
        }
        self.hidden = !visible;
        for player in &mut self.players {
            if let Some(view) = &mut player.view {
                view.see_page(visible, now);
            }
        }
    }

    /// `now` with the page's own date: the monotonic clock alone moves it.
    fn date(&self, now: Now) -> Now {
        let passed = now.mono.since(self.opened.mono);
        Now { mono: now.mono, wall: self.opened.wall.shifted(passed as i64) }
    }

    fn set_server_ahead(&mut self, ms: i64) {
        self.server_ahead_ms = ms;
        for view in self.views() {
            view.ledger().set_server_ahead(ms);
        }
    }

    fn index(&self, id: PlayerId) -> Option<usize> {
        self.players.iter().position(|player| player.id == id)
    }

    fn views(&mut self) -> impl Iterator<Item = &mut View> {
        self.parted.iter_mut().chain(self.players.iter_mut().filter_map(|player| player.view.as_mut()))
    }

    /// Begins a view of what the player shows, if it shows something and has none.
    fn begin(&mut self, index: usize, now: Now) {
        let player = &mut self.players[index];
        if player.view.is_none() && !is_placeholder(&player.source) {
            let id = ViewId::new(now.wall, self.random.bytes());
            player.view = Some(View::new(id, player.subject.clone(), self.server_ahead_ms, now));
        }
    }

    /// A view that grew too old is followed by one that goes on where it was.
    fn hand_on(&mut self, index: usize, now: Now) {
        let id = ViewId::new(now.wall, self.random.bytes());
        let heir = self.players[index].view.as_ref().map(|view| view.heir(id, now));
        self.part(index, StopReason::Expired, now);
        self.players[index].view = heir;
    }

    /// Ends the player's view, if it has one.
    fn part(&mut self, index: usize, reason: StopReason, now: Now) {
        let Some(mut view) = self.players[index].view.take() else { return };
        // A source that was replaced before the player could show it was never viewed.
        if view.is_blank() {
            return;
        }
        view.stop(reason, now);
        self.parted.push(view);
        if self.parted.len() > MAX_PARTED {
            let lost = self.parted.remove(0).ledger().len();
            self.discarded[Discard::QueueFull as usize] += lost;
        }
    }

    /// Another address is another view; not so between the addresses that MediaSource makes, which change at every
    /// re-attachment.
    fn change_source(&mut self, index: usize, address: &str, now: Now) {
        let before = &self.players[index].source;
        let made = |address: &str| address.starts_with("blob:");
        if *before != address && !(made(before) && made(address)) && !is_placeholder(address) {
            self.part(index, StopReason::SourceChanged, now);
        }
        if !is_placeholder(address) {
            self.players[index].source = address.into();
            self.begin(index, now);
        }
    }

    /// Sends what is due, and notes when the rest will be.
    fn plan(&mut self, now: Now) {
        let (mut waiting, mut important, mut given_up) = (false, false, 0);
        for view in self.views() {
            given_up += view.ledger().take_given_up();
            waiting |= view.ledger().is_waiting();
            important |= view.take_importance();
        }
        self.discarded[Discard::QueueFull as usize] += given_up;
        if !waiting {
            self.schedule.rest();
            return;
        }
        self.schedule.want(important, now.mono);
        if self.schedule.is_due(now.mono) {
            self.send(false, now);
        }
    }

    /// Sends everything that is not known to have arrived: the page may never come back.
    fn send_all(&mut self, now: Now) {
        while self.send(true, now) {}
    }

    /// Makes one request of what is to be said; `false` if there is nothing.
    fn send(&mut self, urgent: bool, now: Now) -> bool {
        let id = self.schedule.begin(urgent, now.mono);
        let Config { page, client, viewer, user, .. } = &self.config;
        let room = Room::new(limits::SDK_BODY_BYTES)
            .reserve(size::of_context(page, client, viewer, user) + self.config.context_bytes);
        let mut request = Request { delivery: id, room, user: None, whole: false };
        let schedule = &self.schedule;
        // What an ordinary request carries is said again: a page that goes away does not wait for it.
        let wanted = |said| match said {
            Said::Waiting => true,
            Said::Underway(other) => urgent && other != id && schedule.is_fragile(other),
            Said::Acknowledged => false,
        };
        let live = self.players.iter_mut().filter_map(|player| player.view.as_mut());
        let views = self.parted.iter_mut().chain(live);
        let views: Vec<_> = views.flat_map(|view| view.say(&mut request, wanted)).collect();
        if views.is_empty() {
            self.schedule.end(id);
            return false;
        }
        let batch = self.batch(request, views, now);
        self.outputs.push(Send { delivery: Delivery(id), batch, urgent });
        true
    }

    /// The body around the views; its context is needed where anything is said whole.
    fn batch(&mut self, request: Request, views: Vec<batch::View>, now: Now) -> Batch {
        let mut counts = Discarded::default();
        if self.discarded_underway.is_none() {
            counts = std::mem::take(&mut self.discarded);
            self.discarded_underway = Some((request.delivery, counts));
        }
        let discarded = Discard::ALL.iter().copied().zip(counts).filter(|&(_, count)| count > 0).collect();
        let mut batch = Batch {
            site: self.config.site.clone(),
            sent_at: now.wall,
            sdk: self.config.sdk.clone(),
            session: None,
            viewer: String::new(),
            user: String::new(),
            page: Page::default(),
            client: None,
            views,
            discarded,
        };
        if request.whole {
            batch.session = self.config.session.then_some(self.session);
            batch.viewer.clone_from(&self.config.viewer);
            batch.user = request.user.unwrap_or_default();
            batch.page = self.config.page.clone();
            batch.client = Some(self.config.client.clone());
        }
        batch
    }

    /// Settles what a request said; gives how many items it carried of.
    fn settle(&mut self, id: DeliveryId, said: Said) -> u64 {
        let settled = self.views().map(|view| view.ledger().settle(id, said)).sum();
        self.parted.retain_mut(|view| !view.ledger().is_done());
        settled
    }
}

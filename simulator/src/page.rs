//! A page with one player and its tracker under simulated time. It does what the SDK's shell does: it turns events into
//! signals, sets one timer, and makes requests.

use quartile_protocol::batch::{Batch, Player, Video};
use quartile_protocol::clock::{Media, Millis, Mono, Now, Wall};
use quartile_protocol::event::AdMoment;
use quartile_protocol::field::Field;
use quartile_tracker::{
    Answer, Delivery, Inspection, Length, Outcome, PageSignal, PlayerId, Rendition, Signal, Subject, Tracker,
};

use crate::browser::Browser;
use crate::element::{Element, Happening};
use crate::network::Network;
use crate::shell::Shell;
use crate::truth::{Scene, Truth};

/// A request that left the page.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When, by the page's clock.
    pub at: Mono,
    /// The body.
    pub batch: Batch,
    /// Whether it was to outlive the page.
    pub urgent: bool,
    /// What the page heard of it, and when.
    pub answer: Option<(Mono, Answer)>,
    /// The page gave up waiting for the answer: one that comes later tells it nothing.
    pub given_up: bool,
}

impl Sent {
    /// Whether the page knows that the collector has it.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.answer.is_some_and(|(_, answer)| answer.outcome == Outcome::Acknowledged) && !self.given_up
    }
}

/// A page waits so long for an answer; whether it does shows when its timer rings next.
const PATIENCE_MS: Millis = 30_000;

/// An answer on its way to the page.
struct Coming {
    at: Mono,
    /// The request in [`Page::sent`].
    request: usize,
    delivery: Delivery,
    answer: Answer,
}

/// The page's one timer.
#[derive(Clone, Copy)]
struct Alarm {
    /// When it was wanted, by the page's clock.
    due: Mono,
    /// When it rings.
    rings: Mono,
}

/// A page. Time passes only in [`Page::wait`], [`Page::busy`] and [`Page::sleep`].
pub struct Page {
    shell: Shell,
    tracker: Tracker,
    player: PlayerId,
    element: Element,
    browser: Browser,
    seed: u64,
    now: Mono,
    /// The date at which the page was opened.
    opened: Wall,
    /// How far somebody set the wall clock since.
    wall_set_ms: i64,
    /// How coarse the monotonic clock is that the page reads.
    clock_ms: Millis,
    network: Network,
    answers: Vec<Coming>,
    alarm: Option<Alarm>,
    looked_at: Mono,
    sent: Vec<Sent>,
    hidden: bool,
    gone: bool,
    /// Frames at the last look, as the browser counts them.
    frames: (u64, u64),
}

impl Page {
    /// Opens a page that shows `video` from `source`; nothing is loaded yet.
    #[must_use]
    pub fn open(shell: Shell, player: Player, video: Video, source: &str, opened: Wall, network: Network) -> Self {
        let mut tracker = Tracker::new();
        tracker.open(shell.config(), Now { mono: Mono::default(), wall: opened });
        let player = tracker.attach(Subject::of(&video, &player, &[]));
        let mut page = Self {
            shell,
            tracker,
            player,
            element: Element::new(Mono::default()),
            browser: Browser::Plain,
            seed: 0,
            now: Mono::default(),
            opened,
            wall_set_ms: 0,
            clock_ms: 1,
            network,
            answers: Vec::new(),
            alarm: None,
            looked_at: Mono::default(),
            sent: Vec::new(),
            hidden: false,
            gone: false,
            frames: (0, 0),
        };
        page.show(source);
        page
    }

    /// The page is shown by another browser from now on; how late its events come depends on the seed.
    pub fn set_browser(&mut self, browser: Browser, seed: u64) {
        (self.browser, self.seed) = (browser, seed);
        self.element = self.element.clone().of(browser, seed);
    }

    /// The monotonic clock shows only every so many milliseconds: Firefox rounds to 100 ms where fingerprinting is
    /// resisted, others to 1 ms or less.
    pub fn set_clock(&mut self, ms: Millis) {
        self.clock_ms = ms;
        self.element.set_clock(ms);
    }

    /// Somebody sets the wall clock by so much.
    pub fn set_wall(&mut self, by_ms: i64) {
        self.wall_set_ms += by_ms;
    }

    /// The player shows something from another address.
    pub fn show(&mut self, source: &str) {
        self.element = Element::new(self.now).of(self.browser, self.seed);
        self.element.set_clock(self.clock_ms);
        self.element.truth_mut().count(Field::Views, 1);
        self.tracker.observe(self.player, Signal::Source(source), &self.element.snapshot(), self.now().mono);
        self.send();
    }

    /// The metadata is there.
    pub fn load(&mut self, length: Length) {
        self.element.load(length);
        self.hear();
    }

    /// The content begins again at its end, by itself.
    pub fn set_looping(&mut self, looping: bool) {
        self.element.set_looping(looping);
    }

    /// The viewer asks for playback; the first frame comes after `wait_ms`.
    pub fn play(&mut self, wait_ms: Millis) {
        self.element.play(wait_ms);
        self.hear();
    }

    /// The viewer pauses.
    pub fn pause(&mut self) {
        self.element.pause();
        self.hear();
    }

    /// The viewer seeks.
    pub fn seek(&mut self, to: Media, took_ms: Millis) {
        self.element.seek(to, took_ms);
        self.hear();
    }

    /// The data runs out.
    pub fn stall(&mut self, lasts_ms: Millis) {
        self.element.stall(lasts_ms, true);
        self.hear();
    }

    /// The data runs out, and the browser does not say so.
    pub fn stall_silently(&mut self, lasts_ms: Millis) {
        self.element.stall(lasts_ms, false);
        self.hear();
    }

    /// The viewer changes the rate, given in thousandths.
    pub fn set_rate(&mut self, thousandths: u32) {
        self.element.set_rate(thousandths);
        self.hear();
    }

    /// The player is to start by itself.
    pub fn set_autoplay(&mut self, autoplay: bool) {
        self.element.set_autoplay(autoplay);
    }

    /// The viewer changes the sound.
    pub fn set_sound(&mut self, muted: bool, volume: f64) {
        self.element.set_sound(muted, volume);
        self.hear();
    }

    /// When the tracker last looked at the player.
    #[must_use]
    pub const fn looked_at(&self) -> Mono {
        self.looked_at
    }

    /// What the tracker knows of the player's view.
    #[must_use]
    pub fn inspect(&self) -> Option<Inspection> {
        self.tracker.inspect(self.player)
    }

    /// The page tells the tracker something about its player.
    pub fn say(&mut self, say: impl FnOnce(&mut Tracker, PlayerId, Mono)) {
        let now = self.now();
        say(&mut self.tracker, self.player, now.mono);
        self.send();
    }

    /// The machine sleeps: both clocks go on, and nothing else does.
    pub fn sleep(&mut self, ms: Millis) {
        self.now = self.now + ms;
        self.element.sleep_through(self.now);
    }

    /// The page has no time for anything: events, timers and answers come when it is over, and by then the element is
    /// elsewhere.
    pub fn busy(&mut self, ms: Millis) {
        let until = self.now + ms;
        self.element.set_blind(ms);
        let mut signals = Vec::new();
        self.element.advance(until, |happening| signals.push(happening.signal));
        self.now = until;
        for signal in signals {
            self.observe(signal);
        }
        self.element.set_blind(0);
        self.send();
    }

    /// `timeupdate` comes at other intervals from now on.
    pub fn set_step(&mut self, step_ms: Millis) {
        self.element.set_step(step_ms);
    }

    /// Whether `timeupdate` comes at all.
    pub fn set_ticking(&mut self, ticks: bool) {
        self.element.set_ticking(ticks);
    }

    /// The browser makes an event for no reason that a viewer would notice, or the page says something of its player.
    pub fn stir(&mut self, signal: Signal<'static>) {
        self.note(signal);
        self.observe(signal);
        self.send();
    }

    /// The browser begins to count frames anew.
    pub fn forget_frames(&mut self) {
        self.look();
        self.element.forget_frames();
    }

    /// Where the playhead is.
    #[must_use]
    pub fn position(&self) -> Media {
        self.element.snapshot().pos.unwrap_or_default()
    }

    /// The element.
    #[must_use]
    pub const fn element(&self) -> &Element {
        &self.element
    }

    /// Whether the element is between a seek and its end.
    #[must_use]
    pub fn is_seeking(&self) -> bool {
        self.element.is_seeking()
    }

    /// Playback fails, for good if that is fatal.
    pub fn fail(&mut self, code: &'static str, fatal: bool) {
        self.element.fail(fatal, false);
        self.observe(Signal::Failed { code, message: "", fatal });
        self.send();
    }

    /// Playback fails, and goes on all the same: the engine recovered.
    pub fn fail_and_recover(&mut self, code: &'static str) {
        self.element.fail(true, true);
        self.observe(Signal::Failed { code, message: "", fatal: true });
        self.send();
    }

    /// The page is hidden, shown, left or restored.
    pub fn page(&mut self, signal: PageSignal) {
        self.look();
        match signal {
            PageSignal::Hidden => self.hide(true),
            PageSignal::Visible | PageSignal::Restored => self.hide(false),
            PageSignal::Left => self.element.note_left(),
            _ => {}
        }
        self.tracker.page(signal, self.now().mono);
        self.gone = signal == PageSignal::Left;
        self.send();
    }

    fn hide(&mut self, hidden: bool) {
        self.hidden = hidden;
        let scene = *self.element.scene();
        self.element.set_scene(Scene { hidden, ..scene });
    }

    /// Time passes: the element plays, timers fire, answers come in.
    pub fn wait(&mut self, ms: Millis) {
        let until = self.now + ms;
        loop {
            // Whatever comes first comes alone: it may bring forward what comes next.
            let alarm = self.alarm.map(|alarm| alarm.rings).filter(|_| !self.gone);
            let answer = self.answers.iter().map(|answer| answer.at).min();
            let stir = self.element.next_at().filter(|_| !self.gone);
            let next =
                [alarm, answer, stir].into_iter().flatten().min().map_or(until, |at| at.max(self.now)).min(until);
            self.play_until(next);
            if alarm.is_some_and(|at| at <= next) {
                self.ring();
            }
            if let Some(index) = self.answers.iter().position(|answer| answer.at <= next) {
                self.take_answer(index);
            }
            self.send();
            let quiet = self.answers.iter().all(|answer| answer.at > next);
            if next == until && quiet {
                return;
            }
        }
    }

    fn ring(&mut self) {
        self.alarm = None;
        self.look();
        let now = self.now();
        for sent in self.sent.iter_mut().filter(|sent| sent.answer.is_none()) {
            sent.given_up |= now.mono.since(sent.at) >= PATIENCE_MS;
        }
        self.tracker.handle_timeout(now.mono);
    }

    fn take_answer(&mut self, index: usize) {
        let Coming { request, delivery, answer, .. } = self.answers.remove(index);
        self.sent[request].answer = Some((self.now, answer));
        self.tracker.delivered(delivery, answer, self.now().mono);
    }

    /// What the element really played since it shows what it shows.
    #[must_use]
    pub const fn truth(&self) -> &Truth {
        self.element.truth()
    }

    /// Everything that left the page so far.
    #[must_use]
    pub fn sent(&self) -> &[Sent] {
        &self.sent
    }

    /// What the page's clocks show.
    #[must_use]
    pub fn now(&self) -> Now {
        let real = self.now.as_ms();
        let wall = self.opened.shifted(real as i64 + self.wall_set_ms);
        Now { mono: Mono::from_ms(real - real % self.clock_ms), wall }
    }

    /// When the page was opened.
    #[must_use]
    pub const fn opened(&self) -> Wall {
        self.opened
    }

    /// The element plays; on a page that was left, it stands still.
    fn play_until(&mut self, until: Mono) {
        if self.gone {
            self.element.sleep(until);
            self.now = until;
            return;
        }
        let mut happenings = Vec::new();
        self.element.advance(until, |happening| happenings.push(happening));
        for happening in happenings {
            self.now = happening.at;
            self.tell(happening);
        }
        self.now = until;
    }

    /// What the browser tells at once.
    fn hear(&mut self) {
        self.play_until(self.now);
    }

    fn tell(&mut self, happening: Happening) {
        self.looked_at = self.now().mono;
        self.tracker.observe(self.player, happening.signal, &happening.seen, self.now().mono);
        self.send();
    }

    fn observe(&mut self, signal: Signal<'static>) {
        self.looked_at = self.now().mono;
        self.tracker.observe(self.player, signal, &self.element.snapshot(), self.now().mono);
    }

    /// A shell looks at the element and at its frames; the plain one has none.
    fn look(&mut self) {
        if self.browser == Browser::Plain {
            return self.observe(Signal::Observed);
        }
        let (total, dropped) = self.element.frames();
        self.note_frames(total, dropped);
        self.observe(Signal::Frames { total, dropped });
    }

    /// What a shell reads of frames is what can be known of them.
    fn note_frames(&mut self, total: u64, dropped: u64) {
        let (total_before, dropped_before) = std::mem::replace(&mut self.frames, (total, dropped));
        let anew = total < total_before;
        let since = |count: u64, before: u64| if anew { count } else { count.saturating_sub(before) };
        let truth = self.element.truth_mut();
        truth.count(Field::Frames, since(total, total_before));
        truth.count(Field::FramesDropped, since(dropped, dropped_before));
    }

    /// Notes what a signal says that the element does not know.
    fn note(&mut self, signal: Signal<'static>) {
        let scene = *self.element.scene();
        match signal {
            Signal::Waiting => self.element.note_waiting(),
            Signal::Fullscreen(fullscreen) => self.element.set_scene(Scene { fullscreen, ..scene }),
            Signal::Pip(pip) => self.element.set_scene(Scene { pip, ..scene }),
            Signal::AdBreak(ad) => self.element.set_scene(Scene { ad, ..scene }),
            Signal::Rendition(rendition) => {
                self.note_switch(scene.rendition, rendition);
                self.element.set_scene(Scene { rendition, ..scene });
            }
            _ => self.count(signal),
        }
    }

    fn note_switch(&mut self, before: Rendition, now: Rendition) {
        let better = |of: fn(&Rendition) -> Option<u64>| of(&now).zip(of(&before)).map(|(now, then)| now.cmp(&then));
        let order = better(|rendition| rendition.bitrate_kbps).or_else(|| better(|rendition| rendition.height));
        match order {
            Some(std::cmp::Ordering::Greater) => self.element.truth_mut().count(Field::RenditionUp, 1),
            Some(std::cmp::Ordering::Less) => self.element.truth_mut().count(Field::RenditionDown, 1),
            _ => {}
        }
    }

    /// Counts what a signal says outright.
    fn count(&mut self, signal: Signal<'static>) {
        let truth = self.element.truth_mut();
        match signal {
            Signal::Viewable => truth.once(Field::Viewables),
            Signal::AutoplayBlocked => truth.once(Field::AutoplayBlocked),
            Signal::Captions(Some(_)) => truth.count(Field::CaptionsOn, 1),
            Signal::Bytes(bytes) => truth.count(Field::Bytes, bytes),
            Signal::Latency(ms) => {
                truth.count(Field::LatencySamples, 1);
                truth.count(Field::LatencyMsSum, ms);
            }
            Signal::Ad { moment: AdMoment::Start, .. } => truth.count(Field::Ads, 1),
            Signal::Interaction { name, .. } => {
                truth.count(Field::Interactions, 1);
                truth.count(Field::Shares, u64::from(name == "share"));
                truth.count(Field::Downloads, u64::from(name == "download"));
            }
            _ => {}
        }
    }

    fn send(&mut self) {
        while let Some(send) = self.tracker.poll_output() {
            let request = self.sent.len();
            let mono = self.now().mono;
            // As the shell dates: what is set on the wall clock meanwhile moves no date.
            let batch = self.shell.complete(&send, self.opened.shifted(mono.as_ms() as i64));
            if let Some((after, answer)) = (self.network)(&batch, self.now) {
                self.answers.push(Coming { at: self.now + after, request, delivery: send.delivery, answer });
            }
            self.sent.push(Sent { at: mono, batch, urgent: send.urgent, answer: None, given_up: false });
        }
        self.set_alarm();
    }

    /// Sets the timer, if it has to ring earlier than it is set to, as the shell does; the plain one rings only when it
    /// is wanted. Timers of hidden pages ring once a second.
    fn set_alarm(&mut self) {
        let due = self.tracker.poll_timeout();
        if self.browser == Browser::Plain {
            self.alarm = due.map(|due| Alarm { due, rings: due });
            return;
        }
        let Some(due) = due else { return };
        if self.alarm.is_some_and(|alarm| alarm.due <= due) {
            return;
        }
        let rings = self.now + due.since(self.now().mono);
        let second = rings.as_ms().next_multiple_of(1000);
        let rings = if self.hidden { Mono::from_ms(second) } else { rings };
        self.alarm = Some(Alarm { due, rings });
    }
}

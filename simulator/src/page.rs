//! A page with one player, its tracker, and the network to a collector, under simulated time.

use quartile_protocol::batch::{Batch, Player, Video};
use quartile_protocol::clock::{Media, Millis, Mono, Now, Wall};
use quartile_tracker::{Delivery, Inspection, Length, Outcome, PageSignal, PlayerId, Signal, Subject, Tracker};

use crate::element::{Element, Happening, Truth};
use crate::shell::Shell;

/// What the network does with a request: answers after a while, or swallows it.
pub type Network = Box<dyn FnMut(&Batch, Mono) -> Option<(Millis, Outcome)>>;

/// A request that left the page.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When.
    pub at: Mono,
    /// The body.
    pub batch: Batch,
    /// Whether it was to outlive the page.
    pub urgent: bool,
}

/// A page. Time passes only in [`Page::wait`].
pub struct Page {
    shell: Shell,
    tracker: Tracker,
    player: PlayerId,
    element: Element,
    now: Mono,
    /// The date at which the page was opened.
    opened: Wall,
    network: Network,
    answers: Vec<(Mono, Delivery, Outcome)>,
    looked_at: Mono,
    sent: Vec<Sent>,
    gone: bool,
}

/// A network that takes everything and answers after 50 ms.
#[must_use]
pub fn good_network() -> Network {
    Box::new(|_, _| Some((50, Outcome::Acknowledged { wait: None, server_time: None })))
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
            now: Mono::default(),
            opened,
            network,
            answers: Vec::new(),
            looked_at: Mono::default(),
            sent: Vec::new(),
            gone: false,
        };
        page.show(source);
        page
    }

    /// The player shows something from another address.
    pub fn show(&mut self, source: &str) {
        self.element = Element::new(self.now);
        self.tracker.observe(self.player, Signal::Source(source), &self.element.snapshot(), self.now);
        self.send();
    }

    /// The metadata is there.
    pub fn load(&mut self, length: Length) {
        let happening = self.element.load(length);
        self.tell(happening);
    }

    /// The content begins again at its end, by itself.
    pub fn set_looping(&mut self, looping: bool) {
        self.element.set_looping(looping);
    }

    /// The viewer asks for playback; the first frame comes after `wait_ms`.
    pub fn play(&mut self, wait_ms: Millis) {
        let happening = self.element.play(wait_ms);
        self.tell(happening);
    }

    /// The viewer pauses.
    pub fn pause(&mut self) {
        let happening = self.element.pause();
        self.tell(happening);
    }

    /// The viewer seeks.
    pub fn seek(&mut self, to: Media, took_ms: Millis) {
        let happening = self.element.seek(to, took_ms);
        self.tell(happening);
    }

    /// The data runs out.
    pub fn stall(&mut self, lasts_ms: Millis) {
        let happening = self.element.stall(lasts_ms);
        self.tell(happening);
    }

    /// The viewer changes the rate, given in thousandths.
    pub fn set_rate(&mut self, thousandths: u32) {
        let happening = self.element.set_rate(thousandths);
        self.tell(happening);
    }

    /// The player is to start by itself.
    pub fn set_autoplay(&mut self, autoplay: bool) {
        self.element.set_autoplay(autoplay);
    }

    /// The viewer changes the sound.
    pub fn set_sound(&mut self, muted: bool, volume: f64) {
        let happening = self.element.set_sound(muted, volume);
        self.tell(happening);
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
        say(&mut self.tracker, self.player, self.now);
        self.send();
    }

    /// The machine sleeps: both clocks go on, and nothing else does.
    pub fn sleep(&mut self, ms: Millis) {
        self.now = self.now + ms;
        self.element.sleep(self.now);
    }

    /// `timeupdate` comes at other intervals from now on.
    pub fn set_step(&mut self, step_ms: Millis) {
        self.element.set_step(step_ms);
    }

    /// The browser makes an event for no reason that a viewer would notice.
    pub fn stir(&mut self, signal: Signal<'static>) {
        self.looked_at = self.now;
        self.tracker.observe(self.player, signal, &self.element.snapshot(), self.now);
        self.send();
    }

    /// Where the playhead is.
    #[must_use]
    pub fn position(&self) -> Media {
        self.element.snapshot().pos.unwrap_or_default()
    }

    /// Whether the element is between a seek and its end.
    #[must_use]
    pub fn is_seeking(&self) -> bool {
        self.element.snapshot().seeking
    }

    /// Playback fails.
    pub fn fail(&mut self, code: &'static str, fatal: bool) {
        if fatal {
            self.element.break_down();
        }
        let signal = Signal::Failed { code, message: "", fatal };
        self.tracker.observe(self.player, signal, &self.element.snapshot(), self.now);
        self.send();
    }

    /// The page is hidden, shown, left or restored.
    pub fn page(&mut self, signal: PageSignal) {
        self.look();
        self.tracker.page(signal, self.now);
        self.element.note_left(signal == PageSignal::Left);
        self.gone = signal == PageSignal::Left;
        self.send();
    }

    /// Time passes: the element plays, timers fire, answers come in.
    pub fn wait(&mut self, ms: Millis) {
        let until = self.now + ms;
        loop {
            // Whatever comes first comes alone: it may bring forward what comes next.
            let timer = self.tracker.poll_timeout().filter(|_| !self.gone);
            let answer = self.answers.iter().map(|answer| answer.0).min();
            let stir = self.element.next_at().filter(|_| !self.gone);
            let next =
                [timer, answer, stir].into_iter().flatten().min().map_or(until, |at| at.max(self.now)).min(until);
            self.play_until(next);
            if timer.is_some_and(|at| at <= next) {
                self.look();
                self.tracker.handle_timeout(self.now);
            }
            if let Some(index) = self.answers.iter().position(|answer| answer.0 <= next) {
                let (_, delivery, outcome) = self.answers.remove(index);
                self.tracker.delivered(delivery, outcome, self.now);
            }
            self.send();
            let quiet = self.answers.iter().all(|answer| answer.0 > next);
            if next == until && quiet {
                return;
            }
        }
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

    /// The date of the simulated clock.
    #[must_use]
    pub fn now(&self) -> Now {
        Now { mono: self.now, wall: self.opened.shifted(self.now.as_ms() as i64) }
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

    fn tell(&mut self, happening: Happening) {
        self.looked_at = self.now;
        self.tracker.observe(self.player, happening.signal, &happening.seen, self.now);
        self.send();
    }

    fn look(&mut self) {
        self.looked_at = self.now;
        self.tracker.observe(self.player, Signal::Observed, &self.element.snapshot(), self.now);
    }

    fn send(&mut self) {
        while let Some(send) = self.tracker.poll_output() {
            let batch = self.shell.complete(&send, self.now().wall);
            if let Some((after, outcome)) = (self.network)(&batch, self.now) {
                self.answers.push((self.now + after, send.delivery, outcome));
            }
            self.sent.push(Sent { at: self.now, batch, urgent: send.urgent });
        }
    }
}

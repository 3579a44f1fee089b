//! Random viewings: how they begin, what becomes of each act, how they end.

use proptest::prelude::*;
use quartile_protocol::batch::{Player, Video};
use quartile_protocol::clock::{Media, Millis, Mono, Wall};
use quartile_protocol::event::AdMoment;
use quartile_protocol::field::Field;
use quartile_protocol::id::SiteId;
use quartile_protocol::slice::Slice;
use quartile_simulator::browser::Browser;
use quartile_simulator::network::Network;
use quartile_simulator::page::{Page, Sent};
use quartile_simulator::shell::Shell;
use quartile_simulator::truth::Truth;
use quartile_tracker::{Length, PageSignal, Rendition, Signal, Subject};

use crate::acts::Act;
use crate::rows::Known;

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Of so many milliseconds.
    Film(Millis),
    /// The same, but nobody knows it before it plays.
    LateFilm(Millis),
    /// Live, at this place of the stream's own clock.
    Live { at: Millis },
    /// Live for the engine; the element gives a duration that grows.
    EngineLive { at: Millis },
}

pub fn any_content() -> impl Strategy<Value = Content> {
    prop_oneof![
        8 => (5..600_u64).prop_map(|seconds| Content::Film(seconds * 1000)),
        1 => (8..600_u64).prop_map(|seconds| Content::LateFilm(seconds * 1000)),
        1 => prop_oneof![Just(0), Just(3_600_000), Just(1_790_000_000_000_u64)].prop_map(|at| Content::Live { at }),
        1 => (60_000..3_600_000_u64).prop_map(|at| Content::EngineLive { at }),
    ]
}

/// How a viewing begins.
#[derive(Clone, Debug)]
pub struct Setting {
    pub content: Content,
    pub browser: Browser,
    pub seed: u64,
    /// How coarse the clock is that the page reads.
    pub clock_ms: Millis,
    pub start: Start,
    /// When the page is opened, so that marks of the clock come at any time.
    pub opened_ms: i64,
    /// How it ends.
    pub end: End,
    /// It is to be one view: nobody sleeps for so long that another begins.
    pub one_view: bool,
}

/// How playback begins.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// From the metadata to the wish to play.
    pub after: Millis,
    /// From there to the first frame.
    pub wait: Millis,
    /// How long the viewer gives it before doing anything else.
    pub patience: Millis,
    /// The browser refuses to start by itself; the viewer clicks later.
    pub blocked: bool,
    /// Playback is to go on where it was left another day: a seek before it begins.
    pub resumed: bool,
}

/// How a viewing ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The page is left.
    Left,
    /// Playback fails for good, and the page is left after so long.
    Failed(Millis),
    /// The page is hidden, and nothing is ever heard of it again.
    Vanished,
}

pub fn any_setting() -> impl Strategy<Value = Setting> {
    let browser = prop::sample::select(Browser::REAL.to_vec());
    let clock_ms = prop_oneof![6 => Just(1_u64), 1 => Just(16), 1 => Just(100)];
    let end = prop_oneof![6 => Just(End::Left), 1 => (0..20_000_u64).prop_map(End::Failed), 1 => Just(End::Vanished)];
    (any_content(), browser, any::<u64>(), clock_ms, any_start(), 0..300_000_i64, end).prop_map(
        |(content, browser, seed, clock_ms, start, opened_ms, end)| {
            let opened_ms = 1_790_000_000_000 + opened_ms;
            Setting { content, browser, seed, clock_ms, start, opened_ms, end, one_view: false }
        },
    )
}

fn any_start() -> impl Strategy<Value = Start> {
    let wait = prop_oneof![Just(0), 0..3_000_u64];
    let patience = prop_oneof![3 => Just(6_000), 1 => 50..6_000_u64];
    let (blocked, resumed) = (prop::bool::weighted(0.1), prop::bool::weighted(0.1));
    (0..3_000_u64, wait, patience, blocked, resumed).prop_map(|(after, wait, patience, blocked, resumed)| Start {
        after,
        wait,
        patience,
        blocked,
        resumed,
    })
}

/// A viewing as it happened, and what there is to compare it with.
pub struct Viewing {
    pub page: Page,
    pub content: Content,
    /// How long all states lasted together, and until when the tracker looked.
    pub times: Millis,
    pub looked_at: Millis,
    pub fastest: u64,
    pub most_kbps: u64,
    looping: bool,
    one_view: bool,
    /// With a clock of 100 ms, steps at more than twice the speed may be taken for jumps.
    most_rate: u32,
    video: Video,
    player: Player,
    /// When the viewer did the last two things.
    acted: [Mono; 2],
    /// How many requests had left when the page was last left or hidden.
    sent_before: usize,
}

/// By then, every event of a moment was delivered.
const BREATH_MS: Millis = 100;

fn shell() -> Shell {
    Shell::new(SiteId::new("demo").unwrap(), [1, 2])
}

/// The end of a live stream is never reached.
const AHEAD_MS: Millis = 100_000_000;

/// Longer than that and nothing, a view is over.
const MOST_SLEEP_MS: Millis = 2_400_000;

/// Plays it.
pub fn view(setting: &Setting, acts: &[Act], network: Network) -> Viewing {
    let video = Video { id: "film".into(), ..Video::default() };
    let opened = Wall::from_ms(setting.opened_ms);
    let mut page = Page::open(shell(), Player::default(), video.clone(), "/film.mp4", opened, network);
    page.set_browser(setting.browser, setting.seed);
    page.set_clock(setting.clock_ms);
    let mut viewing = Viewing {
        page,
        content: setting.content,
        times: 0,
        looked_at: 0,
        fastest: 1,
        most_kbps: 1,
        looping: false,
        one_view: setting.one_view,
        most_rate: if setting.clock_ms < 100 { 16_000 } else { 2_000 },
        video,
        player: Player::default(),
        acted: [Mono::default(); 2],
        sent_before: 0,
    };
    viewing.begin(setting);
    for act in acts {
        viewing.act(act);
    }
    viewing.finish(setting.end);
    viewing
}

impl Setting {
    /// The same as one view that comes to an end, which can be compared with the truth.
    pub fn comparable(self) -> Self {
        let end = if self.end == End::Vanished { End::Left } else { self.end };
        Self { end, one_view: true, ..self }
    }
}

impl Viewing {
    fn begin(&mut self, setting: &Setting) {
        let Start { after, wait, patience, blocked, resumed } = setting.start;
        let page = &mut self.page;
        page.set_autoplay(blocked);
        match setting.content {
            Content::Film(ms) => page.load(Length::Finite(ms)),
            Content::LateFilm(_) => page.load(Length::Unknown),
            Content::Live { .. } => page.load(Length::Endless),
            Content::EngineLive { at } => {
                page.stir(Signal::Live(true));
                page.load(Length::Finite(at + AHEAD_MS));
            }
        }
        page.wait(after);
        if let Content::Live { at } | Content::EngineLive { at } = setting.content {
            page.seek(Media::from_ms(at as i64), 20);
            page.wait(100);
        }
        if blocked {
            page.wait(1_500);
        }
        if resumed && let Content::Film(ms) = setting.content {
            page.seek(Media::from_ms((ms / 3) as i64), 400);
        }
        page.play(wait);
        page.wait(patience);
        if let Content::LateFilm(ms) = setting.content {
            page.load(Length::Finite(ms));
        }
    }

    fn finish(&mut self, end: End) {
        if let End::Failed(after) = end {
            self.page.wait(100);
            self.page.fail("MEDIA_ERR_DECODE", true);
            self.page.wait(after);
        }
        if end == End::Vanished {
            self.sent_before = self.page.sent().len();
            self.page.page(PageSignal::Hidden);
            return;
        }
        self.times = self.page.inspect().map_or(0, |view| view.times_ms.iter().map(|(_, ms)| ms).sum());
        self.looked_at = self.page.looked_at().as_ms();
        self.sent_before = self.page.sent().len();
        self.page.page(PageSignal::Left);
    }

    /// Nobody does more than two things before the page hears of the first.
    fn take_turns(&mut self) {
        if self.page.now().mono.since(self.acted[0]) < BREATH_MS {
            self.page.wait(BREATH_MS);
        }
        self.acted = [self.acted[1], self.page.now().mono];
    }

    /// Nobody does anything at the very moment of the end.
    fn let_it_end(&mut self) {
        let now = self.page.now().mono;
        if self.page.truth().ended_at().is_some_and(|at| now.since(at) < BREATH_MS) {
            self.page.wait(BREATH_MS);
        }
    }

    fn act(&mut self, act: &Act) {
        self.let_it_end();
        if matches!(act, Act::Play { .. } | Act::Pause | Act::Seek { .. } | Act::Scrub { .. }) {
            self.take_turns();
        }
        let page = &mut self.page;
        match *act {
            Act::Wait { ms } => self.wait(ms),
            Act::Play { wait } => page.play(wait),
            Act::Pause => page.pause(),
            Act::Seek { to_permille, took } => self.seek(to_permille, took),
            Act::Scrub { steps, apart } => {
                for step in 0..steps {
                    self.seek(u64::from(step) * 900 / u64::from(steps), 150);
                    self.page.wait(apart);
                }
            }
            Act::Stall { lasts, told: true } => page.stall(lasts),
            Act::Stall { lasts, told: false } => page.stall_silently(lasts),
            Act::Rate { thousandths } => {
                let thousandths = thousandths.min(self.most_rate);
                self.fastest = self.fastest.max(u64::from(thousandths.div_ceil(1000)));
                page.set_rate(thousandths);
            }
            Act::Loop { on } => {
                // A viewer who has just jumped back cannot be told from a player that repeats from now on.
                page.wait(BREATH_MS);
                self.looping = on;
                page.set_looping(on);
            }
            Act::Step { ms } => page.set_step(ms),
            Act::Spurious { signal } | Act::Say { signal } => page.stir(signal),
            Act::Busy { ms } => page.busy(ms),
            Act::Hide { ms, ticking } => self.hide(ms, ticking),
            Act::Sleep { ms } => {
                if !self.one_view || page.truth().slept_ms + ms <= MOST_SLEEP_MS {
                    page.sleep(ms);
                }
            }
            Act::SetWall { by_ms } => page.set_wall(by_ms),
            Act::Sound { muted, volume } => page.set_sound(muted, volume),
            Act::Rendition { height, kbps } => {
                self.most_kbps = self.most_kbps.max(kbps.unwrap_or(0));
                page.stir(Signal::Rendition(Rendition { height, bitrate_kbps: kbps, ..Rendition::default() }));
            }
            Act::ForgetFrames => page.forget_frames(),
            Act::AdBreak { ms } => self.advertise(ms),
            Act::Warn => page.fail("warning", false),
            Act::Recover => self.recover(),
            Act::Describe { what, value } => self.describe(what, value),
        }
    }

    /// A live stream for which the element gives a duration grows meanwhile.
    fn wait(&mut self, ms: Millis) {
        self.page.wait(ms);
        if let Content::EngineLive { at } = self.content {
            self.page.load(Length::Finite(at + AHEAD_MS + self.page.now().mono.as_ms()));
        }
    }

    fn seek(&mut self, to_permille: u64, took: Millis) {
        self.let_it_end();
        let to = match self.content {
            Content::Film(ms) | Content::LateFilm(ms) => ms * to_permille / 1000,
            Content::Live { at } | Content::EngineLive { at } => at + to_permille * 20,
        };
        let to = Media::from_ms(to as i64);
        // A viewer who jumps back just when a repeating player would do so cannot be told from it.
        if !self.looping || to > self.page.position() {
            self.page.seek(to, took);
        }
    }

    fn hide(&mut self, ms: Millis, ticking: bool) {
        if !ticking {
            // A `waiting` for no reason is taken for a stall until a motion is seen, and few looks come then.
            self.page.wait(self.page.element().look_ms());
        }
        self.page.page(PageSignal::Hidden);
        self.page.set_ticking(ticking);
        self.page.wait(ms);
        self.page.page(PageSignal::Visible);
        self.page.set_ticking(true);
    }

    /// The break is over before the content is.
    fn advertise(&mut self, ms: Millis) {
        let (element, fastest) = (self.page.element(), self.fastest);
        let room = element.left_ms().is_none_or(|left| left > ms * fastest + 5_000);
        if !element.is_moving() || !room || !element.truth().has_played() {
            return;
        }
        self.page.stir(Signal::AdBreak(true));
        self.page.stir(Signal::Ad { moment: AdMoment::Start, percent: None });
        self.page.wait(ms);
        self.page.stir(Signal::AdBreak(false));
    }

    /// A fatal error of which the engine recovers: playback goes on.
    fn recover(&mut self) {
        self.page.wait(BREATH_MS);
        let element = self.page.element();
        let look_ms = element.look_ms();
        let plays_on = element.left_ms().is_none_or(|left| left > 3 * look_ms + 2_000);
        if element.is_moving() && plays_on && element.truth().fields[Field::PlayedMs] > look_ms {
            self.page.fail_and_recover("recovered");
            // The interval between two looks may just have become shorter.
            self.page.wait(2 * look_ms + 2_000);
        }
    }

    fn describe(&mut self, what: u8, value: &'static str) {
        let video = &mut self.video;
        match what {
            0 => video.title = value.into(),
            1 => video.series = value.into(),
            2 => return self.page.say(|tracker, _, now| tracker.set_user(value, now)),
            _ => self.player.engine = value.into(),
        }
        let subject = Subject::of(&self.video, &self.player, &[]);
        self.page.say(|tracker, id, now| tracker.describe(id, subject, now));
    }

    pub fn truth(&self) -> &Truth {
        self.page.truth()
    }

    /// The requests that a collector must have, which are those that the page knows to have arrived and all parts of its
    /// last flush; and all others.
    pub fn what_must_arrive(&self) -> (Vec<&Sent>, Vec<&Sent>) {
        let (before, after) = self.page.sent().split_at(self.sent_before);
        let before = before.iter().map(|sent| (sent.is_acknowledged(), sent));
        // The look that comes before the flush may make a request of its own, which is not meant to outlive the page.
        let all = before.chain(after.iter().map(|sent| (sent.urgent, sent)));
        let (must, may): (Vec<_>, Vec<_>) = all.partition(|(must, _)| *must);
        let bare = |sent: Vec<(bool, _)>| sent.into_iter().map(|(_, sent)| sent).collect();
        (bare(must), bare(may))
    }

    /// The final state of every slice of every view, as a collector that got everything knows it.
    pub fn views(&self) -> Vec<Vec<Slice>> {
        Known::of(self.page.sent()).into_views()
    }
}

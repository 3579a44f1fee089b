//! What a shell can tell. A player's event says little more than *look again*: what counts is the snapshot that comes
//! with it, because between an event and its delivery the element may have moved on.

use quartile_protocol::batch::Offer;
use quartile_protocol::clock::{Media, Millis};
use quartile_protocol::event::AdMoment;

/// How long a content is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// Not known yet.
    #[default]
    Unknown,
    /// On demand, so many milliseconds.
    Finite(Millis),
    /// Live.
    Endless,
}

impl Length {
    /// Longer than any film: players of live streams give such durations.
    const ABSURD_SECONDS: f64 = 1e6;

    /// Reads the `duration` of a media element, in seconds.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        if seconds.is_nan() || seconds <= 0.0 {
            Self::Unknown
        } else if seconds > Self::ABSURD_SECONDS {
            Self::Endless
        } else {
            Self::Finite((seconds * 1000.0 + 0.5) as Millis)
        }
    }
}

/// The state of a media element at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Snapshot {
    /// `currentTime`; `None` when it is not a number.
    pub pos: Option<Media>,
    /// `duration`.
    pub length: Length,
    /// `playbackRate`.
    pub rate: f64,
    /// `paused`.
    pub paused: bool,
    /// `ended`.
    pub ended: bool,
    /// `seeking`.
    pub seeking: bool,
    /// Whether the player shows the video, ready to play: its metadata is there, or it waits for the viewer to ask.
    pub ready: bool,
    /// Whether the next frame is missing: `readyState < 3`.
    pub starved: bool,
    /// The `loop` attribute.
    pub looping: bool,
    /// The `autoplay` attribute.
    pub autoplay: bool,
    /// `muted`.
    pub muted: bool,
    /// `volume`, from 0 to 1.
    pub volume: f64,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            pos: Some(Media::from_ms(0)),
            length: Length::Unknown,
            rate: 1.0,
            paused: true,
            ended: false,
            seeking: false,
            ready: false,
            starved: false,
            looping: false,
            autoplay: false,
            muted: false,
            volume: 1.0,
        }
    }
}

impl Snapshot {
    /// Whether nothing can be heard.
    pub(crate) fn is_silent(&self) -> bool {
        self.muted || self.volume <= 0.0
    }
}

/// What a rendition is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rendition {
    /// Width in pixels.
    pub width: Option<u64>,
    /// Height in pixels.
    pub height: Option<u64>,
    /// Bitrate in kbit/s.
    pub bitrate_kbps: Option<u64>,
    /// Whether the player chose it, and not the viewer.
    pub auto: Option<bool>,
}

/// What a player did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Signal<'a> {
    /// Something that only asks for another look: `timeupdate`, `play`, `seeked`, `ratechange`, …
    Observed,
    /// `pause`: what stands still without it was not paused by anybody, such as a player that attaches its media anew.
    Paused,
    /// `waiting`: the next frame is missing.
    Waiting,
    /// `canplaythrough`: it could play now, and with `autoplay` should within a second.
    CanPlayThrough,
    /// `seeking`: the playhead was moved, even if it already plays on from there.
    Seeking,
    /// Playback was already under way when the player was first seen: how long its start took is not known.
    Joined,
    /// A video frame was presented for the first time since playback was asked for.
    FirstFrame,
    /// The player shows something from this address; empty, or a [placeholder](is_placeholder), when it shows nothing.
    Source(&'a str),
    /// Playback failed.
    Failed {
        /// The player's or browser's code.
        code: &'a str,
        /// For people.
        message: &'a str,
        /// Whether playback cannot go on.
        fatal: bool,
    },
    /// At least half of the player was in the viewport for two seconds.
    Viewable,
    /// The browser refused to start by itself, as the page or an adapter says.
    AutoplayBlocked,
    /// Full screen was entered or left.
    Fullscreen(bool),
    /// Picture-in-picture was entered or left.
    Pip(bool),
    /// Playback moved to another device or came back.
    Cast(bool),
    /// Captions were switched on in a language, or off.
    Captions(Option<&'a str>),
    /// Another audio track, of this language.
    AudioTrack(&'a str),
    /// The engine shows another rendition.
    Rendition(Rendition),
    /// Counters of the element: frames that were due and frames that were dropped, since it pleases the browser.
    Frames {
        /// Due.
        total: u64,
        /// Dropped.
        dropped: u64,
    },
    /// So many more bytes of media were received.
    Bytes(u64),
    /// How far playback is behind the live edge.
    Latency(Millis),
    /// The engine knows whether this is live, whatever the duration looks like.
    Live(bool),
    /// A break for advertisements began or ended.
    AdBreak(bool),
    /// Something about an advertisement.
    Ad {
        /// Which moment of it.
        moment: AdMoment,
        /// How much of it was shown, at a quartile.
        percent: Option<u64>,
    },
    /// Anything else that the site reports.
    Interaction {
        /// The part of the page or player.
        feature: &'a str,
        /// What was done.
        name: &'a str,
        /// With what.
        value: &'a str,
    },
}

/// Which signal it is, by the number that crosses into a shell's own language.
///
/// | number | signal | numbers, texts |
/// |---|---|---|
/// | 0 | look again | |
/// | 1, 2, 3, 4 | `pause`, `waiting`, `canplaythrough`, `seeking` | |
/// | 5 | the first frame was presented | |
/// | 6 | playback was under way before it was first seen | |
/// | 7 | what is shown | address; empty for a placeholder |
/// | 8 | playback failed | fatal; code, message |
/// | 9, 10 | viewable, autoplay blocked | |
/// | 11, 12, 13 | full screen, picture-in-picture, cast | on |
/// | 14, 15 | captions, audio track | on; language |
/// | 16 | rendition | width, height, kbit/s; `auto` or `manual` |
/// | 17 | frames | due, dropped |
/// | 18, 19, 20 | bytes, latency, live | how many, how long, whether |
/// | 21 | a break for advertisements | on |
/// | 22 | an advertisement | moment (start, quartile, complete, skip, click, error), percent |
/// | 23 | interaction | feature, name, value |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is described where the signal of its name is")]
#[repr(u8)]
pub enum What {
    Observed,
    Paused,
    Waiting,
    CanPlayThrough,
    Seeking,
    FirstFrame,
    Joined,
    Source,
    Failed,
    Viewable,
    AutoplayBlocked,
    Fullscreen,
    Pip,
    Cast,
    Captions,
    AudioTrack,
    Rendition,
    Frames,
    Bytes,
    Latency,
    Live,
    AdBreak,
    Ad,
    Interaction,
}

impl What {
    /// Every signal, in the order of the numbers.
    pub const ALL: [Self; 24] = [
        Self::Observed,
        Self::Paused,
        Self::Waiting,
        Self::CanPlayThrough,
        Self::Seeking,
        Self::FirstFrame,
        Self::Joined,
        Self::Source,
        Self::Failed,
        Self::Viewable,
        Self::AutoplayBlocked,
        Self::Fullscreen,
        Self::Pip,
        Self::Cast,
        Self::Captions,
        Self::AudioTrack,
        Self::Rendition,
        Self::Frames,
        Self::Bytes,
        Self::Latency,
        Self::Live,
        Self::AdBreak,
        Self::Ad,
        Self::Interaction,
    ];
}

/// A signal in plain numbers and texts: the form in which it crosses into a shell's own language, and in which the tracker
/// reads it. Unknown numbers are 0, unknown texts empty.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Which signal it is.
    pub what: What,
    /// Its numbers, as [`What`] has them.
    pub numbers: [f64; 3],
    /// Its texts.
    pub texts: [&'a str; 3],
}

impl Told<'_> {
    /// Whether its first number says so.
    pub(crate) fn is_on(&self) -> bool {
        self.numbers[0] != 0.0
    }

    /// What an engine says of being live.
    pub(crate) fn offer(&self) -> Offer {
        if self.is_on() { Offer::Live } else { Offer::Vod }
    }

    /// A number, in whole.
    pub(crate) const fn whole(&self, index: usize) -> u64 {
        self.numbers[index] as u64
    }

    /// A number, if it is known.
    pub(crate) fn known(&self, index: usize) -> Option<u64> {
        Some(self.whole(index)).filter(|&number| number > 0)
    }
}

impl<'a> From<Signal<'a>> for Told<'a> {
    fn from(signal: Signal<'a>) -> Self {
        let told = |what, numbers, texts| Self { what, numbers, texts };
        let plain = |what| told(what, [0.0; 3], [""; 3]);
        let switch = |what, on: bool| told(what, [f64::from(u8::from(on)), 0.0, 0.0], [""; 3]);
        let number = |what, number: u64| told(what, [number as f64, 0.0, 0.0], [""; 3]);
        let known = |number: Option<u64>| number.unwrap_or_default() as f64;
        match signal {
            Signal::Observed => plain(What::Observed),
            Signal::Paused => plain(What::Paused),
            Signal::Waiting => plain(What::Waiting),
            Signal::CanPlayThrough => plain(What::CanPlayThrough),
            Signal::Seeking => plain(What::Seeking),
            Signal::FirstFrame => plain(What::FirstFrame),
            Signal::Joined => plain(What::Joined),
            Signal::Viewable => plain(What::Viewable),
            Signal::AutoplayBlocked => plain(What::AutoplayBlocked),
            Signal::Fullscreen(on) => switch(What::Fullscreen, on),
            Signal::Pip(on) => switch(What::Pip, on),
            Signal::Cast(on) => switch(What::Cast, on),
            Signal::Live(live) => switch(What::Live, live),
            Signal::AdBreak(on) => switch(What::AdBreak, on),
            Signal::Bytes(bytes) => number(What::Bytes, bytes),
            Signal::Latency(ms) => number(What::Latency, ms),
            Signal::Source(address) => {
                let address = if is_placeholder(address) { "" } else { address };
                Self { texts: [address, "", ""], ..plain(What::Source) }
            }
            Signal::AudioTrack(language) => Self { texts: [language, "", ""], ..plain(What::AudioTrack) },
            Signal::Captions(language) => {
                Self { texts: [language.unwrap_or_default(), "", ""], ..switch(What::Captions, language.is_some()) }
            }
            Signal::Failed { code, message, fatal } => {
                Self { texts: [code, message, ""], ..switch(What::Failed, fatal) }
            }
            Signal::Rendition(Rendition { width, height, bitrate_kbps, auto }) => {
                let auto = auto.map_or("", |auto| if auto { "auto" } else { "manual" });
                told(What::Rendition, [width, height, bitrate_kbps].map(known), [auto, "", ""])
            }
            Signal::Frames { total, dropped } => told(What::Frames, [total as f64, dropped as f64, 0.0], [""; 3]),
            Signal::Ad { moment, percent } => told(What::Ad, [f64::from(moment as u8), known(percent), 0.0], [""; 3]),
            Signal::Interaction { feature, name, value } => {
                Self { texts: [feature, name, value], ..plain(What::Interaction) }
            }
        }
    }
}

/// What the page did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSignal {
    /// `visibilitychange` to hidden: the last moment that is sure to be noticed.
    Hidden,
    /// `visibilitychange` to visible.
    Visible,
    /// `freeze`: nothing runs until the page is resumed, or it is discarded without another word.
    Frozen,
    /// `resume`.
    Resumed,
    /// `pagehide`: the page is left, which ends its views.
    Left,
    /// `pageshow` out of the back/forward cache: whatever is shown is watched anew.
    Restored,
    /// `online`.
    Online,
}

/// Whether an address is one that players park on while they show nothing.
#[must_use]
pub fn is_placeholder(address: &str) -> bool {
    address.is_empty()
        || address.starts_with("data:")
        || address.starts_with("about:")
        || address.ends_with("/blank.mp4")
}

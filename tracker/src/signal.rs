//! What a shell can tell. A player's event says little more than *look again*: what counts is the snapshot that comes
//! with it, because between an event and its delivery the element may have moved on.

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
    /// The player shows something from this address; empty when it shows nothing.
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

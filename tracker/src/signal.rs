//! What a shell can tell. A player's event says little more than *look again*: what counts is the snapshot that comes
//! with it, because between an event and its delivery the element may have moved on.

use quartile_protocol::clock::{Media, Millis};

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
        }
    }
}

/// What a player did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal<'a> {
    /// Something that only asks for another look: `timeupdate`, `play`, `seeked`, `ratechange`, …
    Observed,
    /// `pause`: what stands still without it was not paused by anybody, such as a player that attaches its media anew.
    Paused,
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
}

/// What the page did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSignal {
    /// `visibilitychange` to hidden: the last moment that is sure to be noticed.
    Hidden,
    /// `visibilitychange` to visible.
    Visible,
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

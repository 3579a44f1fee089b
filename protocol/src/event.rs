//! Events: what happened at one moment of a view. They serve the timeline of one view; totals come from slices.
//!
//! The kinds of event stand in one table. Encoding, decoding and storing are made from it: a new kind is one entry.

use crate::clock::{Media, Millis, Wall};
use crate::encode::{Json, Words};
use crate::names::names;

names! {
    /// The two ways to say how far somebody came.
    pub enum Ladder {
        /// By how much was watched.
        Watched = "watched",
        /// By the furthest position while playing.
        Position = "position",
    }
}

names! {
    /// Why a view ended.
    pub enum StopReason {
        /// The content reached its end and nothing followed.
        Ended = "ended",
        /// The page was left.
        Closed = "closed",
        /// The player shows something else.
        SourceChanged = "source_changed",
        /// The page took the player off tracking.
        Detached = "detached",
        /// Nothing played for an hour.
        Idle = "idle",
        /// It lasted a day; another goes on.
        Expired = "expired",
        /// A fatal error.
        Error = "error",
    }
}

names! {
    /// When an error struck.
    pub enum ErrorPhase {
        /// Before playback was asked for.
        BeforePlay = "before_play",
        /// While the first frame was awaited.
        BeforeFirstFrame = "before_first_frame",
        /// After the first frame.
        MidStream = "mid_stream",
    }
}

names! {
    /// What a stall was due to.
    pub enum Cause {
        /// The data did not come in time.
        Network = "network",
        /// It followed a seek.
        Seek = "seek",
        /// It followed a change of speed.
        Rate = "rate",
    }
}

names! {
    /// A moment of an advertisement.
    pub enum AdMoment {
        /// Its first frame was shown.
        Start = "start",
        /// A quarter of it was shown.
        Quartile = "quartile",
        /// It was shown to its end.
        Complete = "complete",
        /// The viewer skipped the rest.
        Skip = "skip",
        /// The viewer followed it.
        Click = "click",
        /// It could not be shown.
        Error = "error",
    }
}

/// A ratio in thousandths, written as a decimal number: 1500 is `1.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thousandths(u32);

impl Thousandths {
    /// So many thousandths.
    #[must_use]
    pub const fn new(thousandths: u32) -> Self {
        Self(thousandths)
    }

    /// The nearest to a ratio; one that is negative, or no number, is 0.
    #[must_use]
    pub fn nearest(ratio: f64) -> Self {
        Self((ratio * 1000.0 + 0.5) as u32)
    }

    /// How many thousandths.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number within the view, from 0.
    pub seq: u32,
    /// The number of the slice that it happened in.
    pub n: u32,
    /// When, by the sender's clock.
    pub at: Wall,
    /// Where in the video, if known.
    pub pos: Option<Media>,
    /// What.
    pub kind: EventKind,
}

macro_rules! events {
    ($(
        $(#[$doc:meta])*
        $kind:ident = $name:literal { $($(#[$detail_doc:meta])* $detail:ident: $type:ty,)* }
    )+) => {
        /// What happened, with its details.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum EventKind { $($(#[$doc])* $kind { $($(#[$detail_doc])* $detail: $type,)* },)+ }

        /// What happened, without its details.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum EventType { $($(#[$doc])* $kind,)+ }

        impl EventType {
            /// The spellings of the `type` on the wire, as the encoder takes them.
            const WORDS: Words = Words(concat!($($name, "\0"),+));
        }

        impl EventKind {
            /// The spellings of all kinds, in the order of declaration.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// Reads the kind with this name and its details; `None` if there is no such kind.
            #[cfg(feature = "decode")]
            #[allow(unused_variables, reason = "some kinds have no details")]
            pub(crate) fn read(
                name: &str,
                members: &mut crate::decode::Object<'_>,
            ) -> crate::decode::Read<Option<Self>> {
                use crate::decode::ReadDetail;
                Ok(match name {
                    $($name => Some(Self::$kind {
                        $($detail: ReadDetail::read(members.take(stringify!($detail)), stringify!($detail))?,)*
                    }),)+
                    _ => None,
                })
            }
        }

        impl EventKind {
            /// The spelling of the `type` on the wire.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$kind { .. } => $name,)+ }
            }

            #[cfg(not(feature = "decode"))]
            const fn type_of(&self) -> EventType {
                match self { $(Self::$kind { .. } => EventType::$kind,)+ }
            }

            /// Writes the details as members of an object; what is unknown is left out.
            #[allow(unused_variables, reason = "some kinds have no details")]
            pub fn write(&self, json: &mut Json) {
                match self {
                    $(Self::$kind { $($detail),* } => { $($detail.write(stringify!($detail), json);)* })+
                }
            }
        }
    };
}

events! {
    /// The player showed the video, ready to play; once in a view.
    Impression = "impression" {}
    /// At least half of the player was in the viewport for two seconds; once in a view.
    Viewable = "viewable" {}
    /// Playback was asked for; once in a view.
    PlayRequest = "play_request" {}
    /// The browser refused to start by itself.
    AutoplayBlocked = "autoplay_blocked" {}
    /// The first frame was shown and the playhead moved; once in a view.
    Play = "play" {}
    /// The viewer paused.
    Pause = "pause" {}
    /// The viewer went on.
    Resume = "resume" {}
    /// The viewer moved the playhead; seeks closer than two seconds apart are one.
    Seek = "seek" {
        /// From here.
        from_ms: Media,
        /// To here.
        to_ms: Media,
        /// How long it took to show the new place.
        took_ms: Millis,
    }
    /// Playback stalled after the first frame.
    Rebuffer = "rebuffer" {
        /// How long.
        took_ms: Millis,
        /// What it was due to.
        cause: Cause,
    }
    /// A quarter of the content was passed, on one of the ladders.
    Quartile = "quartile" {
        /// On which ladder.
        ladder: Ladder,
        /// 25, 50, 75 or 100.
        percent: Percent,
    }
    /// Playback began again after the end, by the viewer.
    Replay = "replay" {}
    /// Playback began again after the end, by the `loop` attribute.
    Loop = "loop" {}
    /// The content reached its end.
    End = "end" {}
    /// The view is over.
    Stop = "stop" {
        /// Why.
        reason: StopReason,
    }
    /// Something failed.
    Error = "error" {
        /// The player's or browser's code.
        code: Word,
        /// For people.
        message: Text,
        /// Whether playback could not go on.
        fatal: bool,
        /// When it struck.
        phase: ErrorPhase,
    }
    /// Another rendition is shown.
    Rendition = "rendition" {
        /// Its width in pixels.
        width: Option<u64>,
        /// Its height in pixels.
        height: Option<u64>,
        /// Its bitrate in kbit/s.
        bitrate_kbps: Option<u64>,
        /// Whether the player chose it, and not the viewer.
        auto: Option<bool>,
    }
    /// Another speed.
    Rate = "rate" {
        /// 1 is normal.
        rate: Thousandths,
    }
    /// Another loudness.
    Volume = "volume" {
        /// From 0 to 1.
        volume: Thousandths,
        /// Whether the sound is off.
        muted: bool,
    }
    /// Full screen was entered or left.
    Fullscreen = "fullscreen" {
        /// Whether it is on now.
        on: bool,
    }
    /// Picture-in-picture was entered or left.
    Pip = "pip" {
        /// Whether it is on now.
        on: bool,
    }
    /// Playback moved to another device or came back.
    Cast = "cast" {
        /// Whether it is there now.
        on: bool,
    }
    /// Captions were switched.
    Captions = "captions" {
        /// Whether they are on now.
        on: bool,
        /// Their language.
        language: Word,
    }
    /// Another audio track.
    AudioTrack = "audio_track" {
        /// Its language.
        language: Word,
    }
    /// The page was hidden or shown.
    Visibility = "visibility" {
        /// Whether it is visible now.
        visible: bool,
    }
    /// A break for advertisements began or ended.
    AdBreak = "ad_break" {
        /// Whether it is on now.
        on: bool,
    }
    /// Something about an advertisement.
    Ad = "ad" {
        /// Which moment of it.
        moment: AdMoment,
        /// How much of it was shown, at a quartile.
        percent: Option<u64>,
    }
    /// Anything else that the site reports.
    Interaction = "interaction" {
        /// The part of the page or player.
        feature: Word,
        /// What was done; `share`, `download`, `report`, `related` and `info` are well known.
        name: Word,
        /// With what.
        value: Text,
    }
}

/// 25, 50, 75 or 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u8);

impl Percent {
    /// Takes a rung of a ladder.
    #[must_use]
    pub const fn new(percent: u8) -> Option<Self> {
        if matches!(percent, 25 | 50 | 75 | 100) { Some(Self(percent)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A short text, at most [`WORD_BYTES`](crate::limits::WORD_BYTES); empty = unknown.
pub type Word = Bounded<{ crate::limits::WORD_BYTES }>;

/// A text for people, at most [`TITLE_BYTES`](crate::limits::TITLE_BYTES); empty = unknown.
pub type Text = Bounded<{ crate::limits::TITLE_BYTES }>;

/// A text of at most `MAX` bytes of UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bounded<const MAX: usize>(String);

impl<const MAX: usize> Bounded<MAX> {
    /// Takes as much of `text` as fits.
    #[must_use]
    pub fn cut(text: &str) -> Self {
        Self(cut(text, MAX).into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As much of `text` as fits into `max` bytes.
#[must_use]
#[inline(never)]
pub fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// How a detail is written.
trait Detail {
    fn write(&self, name: &str, json: &mut Json);
}

impl<const MAX: usize> Detail for Bounded<MAX> {
    fn write(&self, name: &str, json: &mut Json) {
        json.text(name, self.as_str());
    }
}

impl Detail for Media {
    fn write(&self, name: &str, json: &mut Json) {
        json.number(name, self.as_ms());
    }
}

impl Detail for Millis {
    fn write(&self, name: &str, json: &mut Json) {
        json.number(name, *self as i64);
    }
}

impl Detail for Option<u64> {
    fn write(&self, name: &str, json: &mut Json) {
        json.known_number(name, *self);
    }
}

impl Detail for bool {
    fn write(&self, name: &str, json: &mut Json) {
        json.truth(name, Some(*self));
    }
}

impl Detail for Option<bool> {
    fn write(&self, name: &str, json: &mut Json) {
        json.truth(name, *self);
    }
}

impl Detail for Thousandths {
    fn write(&self, name: &str, json: &mut Json) {
        json.thousandths(name, self.0);
    }
}

impl Detail for Percent {
    fn write(&self, name: &str, json: &mut Json) {
        json.number(name, i64::from(self.0));
    }
}

macro_rules! words {
    ($($word:ty),+) => {
        $(impl Detail for $word {
            fn write(&self, name: &str, json: &mut Json) {
                json.word(name, Self::WORDS, *self as usize);
            }
        })+
    };
}

words!(Ladder, Cause, StopReason, ErrorPhase, AdMoment);

impl Event {
    /// Writes it as an object, as on the wire.
    pub fn write(&self, json: &mut Json) {
        #[cfg(feature = "decode")]
        let name = |json: &mut Json| json.text("type", self.kind.name());
        #[cfg(not(feature = "decode"))]
        let name = |json: &mut Json| json.word("type", EventType::WORDS, self.kind.type_of() as usize);
        write_named_head(self.seq, self.n, self.at, name, self.pos, json);
        self.kind.write(json);
    }
}

/// Writes what every event has; what follows are the details of its type.
pub fn write_head(seq: u32, n: u32, at: Wall, kind: EventType, pos: Option<Media>, json: &mut Json) {
    let name = |json: &mut Json| json.word("type", EventType::WORDS, kind as usize);
    write_named_head(seq, n, at, name, pos, json);
}

#[inline(always)]
fn write_named_head(seq: u32, n: u32, at: Wall, name: impl FnOnce(&mut Json), pos: Option<Media>, json: &mut Json) {
    json.number("seq", i64::from(seq));
    json.number("n", i64::from(n));
    json.number("at", at.as_ms());
    name(json);
    json.known_number("pos_ms", pos.map(|pos| pos.as_ms() as u64));
}

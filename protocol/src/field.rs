//! The one table of everything that is counted in a slice.
//!
//! A field is a number that only grows within its slice, so two copies of a slice merge by the larger value. A flag is
//! a number of 0 or 1, for which that is the same as bit-or. Encoding, decoding, validation, the merge and the columns
//! of every store are loops over this table: a new field is one line.

use core::ops::{Index, IndexMut};

use crate::clock::Millis;
use crate::encode::{Json, Words};
use crate::limits;

/// What a field counts, and with it what values are believable in a slice of a given span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 0 or 1; true at most once in a view.
    Flag,
    /// How often something happened, at most so often in a slice.
    Count(u64),
    /// Milliseconds of real time within the slice.
    Time,
    /// Milliseconds of media time passed within the slice.
    Content,
    /// A sum that is not a time of the slice: bytes, or a time weighted by something.
    Sum(u64),
    /// One measured duration in milliseconds, which may have begun in an earlier slice; 0 = not measured.
    Measured,
}

impl Kind {
    /// The largest believable value in a slice that spans `span_ms`.
    #[must_use]
    pub const fn max(self, span_ms: Millis) -> u64 {
        let time = span_ms + limits::SPAN_SLACK_MS;
        match self {
            Self::Flag => 1,
            Self::Count(max) | Self::Sum(max) => max,
            Self::Time => time,
            Self::Content => time * limits::CONTENT_RATE,
            Self::Measured => 86_400_000,
        }
    }
}

macro_rules! fields {
    ($($(#[doc = $doc:literal])+ $member:ident = $name:literal, $kind:expr;)+) => {
        /// One thing that is counted in a slice.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Field { $($(#[doc = $doc])+ $member,)+ }

        impl Field {
            /// Every field, in the order of the wire.
            pub const ALL: &'static [Self] = &[$(Self::$member),+];

            /// The names, as the encoder takes them.
            const WORDS: Words = Words(concat!($($name, "\0"),+));

            /// The name on the wire and of the column.
            #[must_use]
            pub const fn name(self) -> &'static str {
                const NAMES: &[&str] = &[$($name),+];
                NAMES[self as usize]
            }

            /// What it counts.
            #[must_use]
            pub const fn kind(self) -> Kind {
                const KINDS: &[Kind] = &[$($kind),+];
                KINDS[self as usize]
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$member => concat!($($doc),+).trim_ascii_start()),+ }
            }

            /// The field with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$member),)+ _ => None }
            }
        }
    };
}

/// What happens a few times a second at the very most.
const OFTEN: Kind = Kind::Count(10_000);

fields! {
    /// 1 in a view's first slice.
    Views = "views", Kind::Flag;
    /// The player showed the video, ready to play.
    Impressions = "impressions", Kind::Flag;
    /// At least half of the player was in the viewport for two seconds.
    Viewables = "viewables", Kind::Flag;
    /// Playback was asked for: click, API or autoplay.
    PlayRequests = "play_requests", Kind::Flag;
    /// The first frame was shown and the playhead moved.
    Plays = "plays", Kind::Flag;
    /// The browser refused to start by itself.
    AutoplayBlocked = "autoplay_blocked", Kind::Flag;
    /// The viewer paused.
    Pauses = "pauses", OFTEN;
    /// The viewer went on after a pause.
    Resumes = "resumes", OFTEN;
    /// Seeks; those closer than two seconds apart are one.
    Seeks = "seeks", OFTEN;
    /// Time from the beginning of a seek to its end.
    SeekMs = "seek_ms", Kind::Time;
    /// Playback began again after the end, by the viewer.
    Replays = "replays", OFTEN;
    /// Playback began again after the end, by the `loop` attribute.
    Loops = "loops", OFTEN;
    /// The content reached its end.
    Ends = "ends", OFTEN;
    /// The view is over.
    Stops = "stops", Kind::Flag;
    /// Stalls after the first frame.
    Rebuffers = "rebuffers", OFTEN;
    /// Time in those stalls.
    RebufferMs = "rebuffer_ms", Kind::Time;
    /// Real time while the playhead advanced.
    PlayedMs = "played_ms", Kind::Time;
    /// Media time passed while playing: twice as much at double speed.
    ContentMs = "content_ms", Kind::Content;
    /// Time waited for the first frame, as it grows.
    WaitMs = "wait_ms", Kind::Time;
    /// Time paused by the viewer.
    PausedMs = "paused_ms", Kind::Time;
    /// Part of the played time with sound on and the page visible, or in picture-in-picture.
    EngagedMs = "engaged_ms", Kind::Time;
    /// Part of the played time without sound.
    MutedMs = "muted_ms", Kind::Time;
    /// Part of the played time in a hidden page.
    HiddenMs = "hidden_ms", Kind::Time;
    /// Part of the played time in full screen.
    FullscreenMs = "fullscreen_ms", Kind::Time;
    /// Part of the played time in picture-in-picture.
    PipMs = "pip_ms", Kind::Time;
    /// Time in advertisements.
    AdMs = "ad_ms", Kind::Time;
    /// Advertisements shown.
    Ads = "ads", OFTEN;
    /// Errors of any kind.
    Errors = "errors", OFTEN;
    /// Errors that ended playback.
    FatalErrors = "fatal_errors", OFTEN;
    /// A fatal error before the first frame.
    StartFailures = "start_failures", Kind::Flag;
    /// A fatal error after the first frame that the playhead did not survive.
    PlaybackFailures = "playback_failures", OFTEN;
    /// 1 in the slice of the view's first stall.
    Rebuffered = "rebuffered", Kind::Flag;
    /// 1 in the slice of the view's first error.
    Errored = "errored", Kind::Flag;
    /// 1 in the play's slice once the content is known to be on demand with a duration: the denominator of completion.
    LadderPlays = "ladder_plays", Kind::Flag;
    /// Switches to a better rendition.
    RenditionUp = "rendition_up", OFTEN;
    /// Switches to a worse rendition.
    RenditionDown = "rendition_down", OFTEN;
    /// Played time at a height of up to 240 lines.
    PlayedMs240 = "played_ms_240", Kind::Time;
    /// Played time at 241 to 360 lines.
    PlayedMs360 = "played_ms_360", Kind::Time;
    /// Played time at 361 to 480 lines.
    PlayedMs480 = "played_ms_480", Kind::Time;
    /// Played time at 481 to 720 lines.
    PlayedMs720 = "played_ms_720", Kind::Time;
    /// Played time at 721 to 1080 lines.
    PlayedMs1080 = "played_ms_1080", Kind::Time;
    /// Played time at 1081 to 1440 lines.
    PlayedMs1440 = "played_ms_1440", Kind::Time;
    /// Played time at 1441 to 2160 lines.
    PlayedMs2160 = "played_ms_2160", Kind::Time;
    /// Played time at any other or no known height.
    PlayedMsOther = "played_ms_other", Kind::Time;
    /// Video frames that were due.
    Frames = "frames", Kind::Count(200_000);
    /// Video frames that were dropped.
    FramesDropped = "frames_dropped", Kind::Count(200_000);
    /// Bytes of media received.
    Bytes = "bytes", Kind::Sum(1_000_000_000_000);
    /// Sum of kbit/s × milliseconds played at it; divided by `rated_ms`, the average bitrate.
    BitrateMs = "bitrate_ms", Kind::Sum(1_000_000_000_000);
    /// Played time at a known bitrate.
    RatedMs = "rated_ms", Kind::Time;
    /// Sum of the latencies behind the live edge, one a sample.
    LatencyMsSum = "latency_ms_sum", Kind::Sum(1_000_000_000_000);
    /// Samples of live latency.
    LatencySamples = "latency_samples", OFTEN;
    /// Other interactions that the site reports.
    Interactions = "interactions", OFTEN;
    /// Shares.
    Shares = "shares", OFTEN;
    /// Downloads.
    Downloads = "downloads", OFTEN;
    /// Captions were switched on.
    CaptionsOn = "captions_on", OFTEN;
    /// From the play request to the first frame, less time hidden or paused by the viewer; at least 1.
    StartupMs = "startup_ms", Kind::Measured;
    /// The longest seek.
    SeekMaxMs = "seek_max_ms", Kind::Measured;
    /// A quarter of the content was watched.
    Reached25 = "reached_25", Kind::Flag;
    /// Half of the content was watched.
    Reached50 = "reached_50", Kind::Flag;
    /// Three quarters of the content were watched.
    Reached75 = "reached_75", Kind::Flag;
    /// At least 99 % of the content were watched, or at least 97 % and its end was reached.
    Reached100 = "reached_100", Kind::Flag;
    /// The playhead was, while playing, at a quarter of the content or further.
    Position25 = "position_25", Kind::Flag;
    /// The playhead was, while playing, at half of the content or further.
    Position50 = "position_50", Kind::Flag;
    /// The playhead was, while playing, at three quarters of the content or further.
    Position75 = "position_75", Kind::Flag;
    /// The playhead was, while playing, at the end of the content.
    Position100 = "position_100", Kind::Flag;
}

/// The number of fields.
pub const FIELDS: usize = Field::ALL.len();

/// A value for each [`Field`]; 0 = nothing happened, which is also what an absent field means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields([u64; FIELDS]);

impl Default for Fields {
    fn default() -> Self {
        Self::NONE
    }
}

impl Index<Field> for Fields {
    type Output = u64;
    fn index(&self, field: Field) -> &u64 {
        &self.0[field as usize]
    }
}

impl IndexMut<Field> for Fields {
    fn index_mut(&mut self, field: Field) -> &mut u64 {
        &mut self.0[field as usize]
    }
}

impl Fields {
    /// Nothing happened.
    pub const NONE: Self = Self([0; FIELDS]);

    /// The fields that are not 0, in the order of the wire.
    pub fn set(&self) -> impl Iterator<Item = (Field, u64)> + '_ {
        Field::ALL.iter().map(|&field| (field, self[field])).filter(|&(_, value)| value != 0)
    }

    /// Writes those that are not 0: the same as [`write_news`](Self::write_news) to who knows nothing, and quicker.
    #[cfg(feature = "decode")]
    pub fn write(&self, json: &mut Json) {
        self.set().for_each(|(field, value)| json.named_count(field.name(), value));
    }

    /// Writes those that differ from what is known.
    pub fn write_news(&self, known: &Self, json: &mut Json) {
        for index in 0..FIELDS {
            if self.0[index] != known.0[index] {
                json.count(Field::WORDS, index, self.0[index]);
            }
        }
    }

    /// Adds what was counted in another slice of the same view.
    pub fn add(&mut self, other: &Self) {
        for (mine, &theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// Takes the larger value of each field.
    pub fn join(&mut self, other: &Self) {
        for (mine, &theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(theirs);
        }
    }

    /// The first field whose value cannot be true of a slice that spans `span_ms`.
    #[must_use]
    pub fn implausible(&self, span_ms: Millis) -> Option<Field> {
        self.set().find(|&(field, value)| value > field.kind().max(span_ms)).map(|(field, _)| field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for &field in Field::ALL {
            assert_eq!(Field::from_name(field.name()), Some(field));
            assert!(!field.doc().is_empty());
        }
        assert_eq!(Field::from_name("nonsense"), None);
    }

    #[test]
    fn each_kind_is_believed_up_to_its_bound_and_no_further() {
        for &field in Field::ALL {
            let mut fields = Fields::default();
            fields[field] = field.kind().max(300_000);
            assert_eq!(fields.implausible(300_000), None, "{}", field.name());
            fields[field] += 1;
            assert_eq!(fields.implausible(300_000), Some(field), "{}", field.name());
        }
    }

    #[test]
    fn times_follow_the_span() {
        assert_eq!(Kind::Time.max(10_000), 12_000);
        assert_eq!(Kind::Content.max(10_000), 17 * 12_000);
    }
}

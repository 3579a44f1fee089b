//! Events: what happened at one moment of a view. They serve the timeline of one view; totals come from slices.

use crate::clock::{Media, Wall};
use crate::encode::Value;
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

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The player showed the video, ready to play.
    Impression,
    /// Playback was asked for.
    PlayRequest,
    /// The first frame was shown and the playhead moved.
    Play,
    /// The viewer paused.
    Pause,
    /// The viewer went on.
    Resume,
    /// A quarter of the content was passed, on one of the ladders.
    Quartile {
        /// On which ladder.
        ladder: Ladder,
        /// 25, 50, 75 or 100.
        percent: u8,
    },
    /// The content reached its end.
    End,
    /// The view is over.
    Stop {
        /// Why.
        reason: StopReason,
    },
    /// Something failed.
    Error {
        /// The player's or browser's code.
        code: String,
        /// For people.
        message: String,
        /// Whether playback could not go on.
        fatal: bool,
        /// When it struck.
        phase: ErrorPhase,
    },
}

impl EventKind {
    /// The spelling of the `type` on the wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Impression => "impression",
            Self::PlayRequest => "play_request",
            Self::Play => "play",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Quartile { .. } => "quartile",
            Self::End => "end",
            Self::Stop { .. } => "stop",
            Self::Error { .. } => "error",
        }
    }
}

impl Event {
    pub(crate) fn value(&self) -> Value<'_> {
        let mut members = vec![
            ("seq", self.seq.into()),
            ("n", self.n.into()),
            ("at", self.at.as_ms().into()),
            ("type", self.kind.name().into()),
            ("pos_ms", self.pos.map(Media::as_ms).into()),
        ];
        match &self.kind {
            EventKind::Quartile { ladder, percent } => {
                members.extend([("ladder", ladder.as_str().into()), ("percent", u32::from(*percent).into())]);
            }
            EventKind::Stop { reason } => members.push(("reason", reason.as_str().into())),
            EventKind::Error { code, message, fatal, phase } => members.extend([
                ("code", Value::Text(code)),
                ("message", Value::Text(message)),
                ("fatal", (*fatal).into()),
                ("phase", phase.as_str().into()),
            ]),
            _ => {}
        }
        Value::Object(members)
    }
}

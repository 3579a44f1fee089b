//! Which number of the wire is to be what, and how exactly: one line for every field that there is.

use proptest::prelude::TestCaseError;
use quartile_protocol::clock::Millis;
use quartile_protocol::field::Field;
use quartile_protocol::slice::Slice;

use crate::viewing::{Content, Viewing};

/// What a field is to be: from so much to so much.
type Bounds = (u64, u64);

/// Compares every field of the view with the truth.
pub fn compare(viewing: &Viewing) -> Result<(), TestCaseError> {
    let slices = viewing.views().concat();
    let table = Table { viewing, slices: &slices };
    for &field in Field::ALL {
        let tracked = table.tracked(field);
        let (least, most) = table.bounds(field);
        if tracked < least || tracked > most {
            let name = field.name();
            let truth = viewing.truth().fields[field];
            let reason = format!("{name}: tracked {tracked}, to be {least} to {most}, truth {truth}");
            return Err(TestCaseError::fail(reason));
        }
    }
    Ok(())
}

struct Table<'a> {
    viewing: &'a Viewing,
    slices: &'a [Slice],
}

impl Table<'_> {
    fn tracked(&self, field: Field) -> u64 {
        let values = self.slices.iter().map(|slice| slice.fields[field]);
        if field == Field::SeekMaxMs { values.max().unwrap_or(0) } else { values.sum() }
    }

    fn bounds(&self, field: Field) -> Bounds {
        let truth = self.viewing.truth();
        let (value, doubt) = (truth.fields[field], truth.doubts[field]);
        match field {
            // What is said outright, and what happens once in a view.
            Field::Views
            | Field::Impressions
            | Field::Viewables
            | Field::PlayRequests
            | Field::Stops
            | Field::Ads
            | Field::Errors
            | Field::FatalErrors
            | Field::Errored
            | Field::RenditionUp
            | Field::RenditionDown
            | Field::Frames
            | Field::FramesDropped
            | Field::Bytes
            | Field::LatencyMsSum
            | Field::LatencySamples
            | Field::Interactions
            | Field::Shares
            | Field::Downloads
            | Field::AutoplayBlocked
            | Field::CaptionsOn
            // What is counted, but for what came within one look of a threshold.
            | Field::Pauses
            | Field::Resumes
            | Field::Seeks
            | Field::Replays
            | Field::Loops
            | Field::Ends
            | Field::Rebuffers => around(value, doubt),
            Field::Position25 | Field::Position50 | Field::Position75 | Field::Position100 => {
                if self.film_ms().is_some() { around(value, doubt) } else { (0, 0) }
            }
            Field::StartFailures | Field::PlaybackFailures => {
                around(value, doubt + u64::from(truth.has_played() && self.is_unseen()))
            }
            Field::Plays => self.plays(value),
            Field::Rebuffered => around(value, truth.doubts[Field::Rebuffers].min(1)),
            Field::LadderPlays => self.plays(u64::from(self.film_ms().is_some()) * truth.fields[Field::Plays]),
            Field::Reached25 => self.reached(25),
            Field::Reached50 => self.reached(50),
            Field::Reached75 => self.reached(75),
            Field::Reached100 => self.reached(99),
            // Times, and what is weighted by them.
            Field::PlayedMs
            | Field::EngagedMs
            | Field::MutedMs
            | Field::HiddenMs
            | Field::FullscreenMs
            | Field::PipMs
            | Field::PlayedMs240
            | Field::PlayedMs360
            | Field::PlayedMs480
            | Field::PlayedMs720
            | Field::PlayedMs1080
            | Field::PlayedMs1440
            | Field::PlayedMs2160
            | Field::PlayedMsOther
            | Field::RatedMs => self.played(value, field != Field::PlayedMs),
            Field::ContentMs => {
                let least = value.saturating_sub(truth.doubts[Field::ContentMs] + self.look() * self.viewing.fastest);
                (least, value + (SLACK_MS + truth.overstated_ms) * self.viewing.fastest)
            }
            Field::BitrateMs => {
                let (least, most) = self.played(0, true);
                let _ = least;
                let doubt = (most + self.played_doubt()) * self.viewing.most_kbps;
                around(value, doubt)
            }
            Field::StartupMs if !truth.has_played() => (0, 0),
            Field::WaitMs | Field::StartupMs => {
                let (least, most) = around(value, 2 * self.look() + doubt);
                (if field == Field::StartupMs && self.is_unseen() { 0 } else { least }, most)
            }
            Field::PausedMs => self.paused(value, doubt),
            Field::SeekMs | Field::SeekMaxMs | Field::RebufferMs | Field::AdMs => {
                around(value, doubt + self.look())
            }
        }
    }

    /// What of a time a look may miss in any case.
    fn look(&self) -> Millis {
        self.viewing.page.element().look_ms()
    }

    fn played_doubt(&self) -> Millis {
        self.viewing.truth().doubts[Field::PlayedMs] + self.look()
    }

    /// Played time is never overstated; only what it was like may be known one look late.
    fn played(&self, value: u64, part: bool) -> Bounds {
        let doubt = self.played_doubt();
        let slack = SLACK_MS + self.viewing.truth().overstated_ms;
        (value.saturating_sub(doubt), value + if part { doubt.max(slack) } else { slack })
    }

    /// A pause that outlasts its slice is said up to the mark and no further.
    fn paused(&self, value: u64, doubt: u64) -> Bounds {
        let (least, most) = around(value, doubt + self.look());
        (if self.slices.len() == 1 { least } else { 0 }, most)
    }

    fn film_ms(&self) -> Option<Millis> {
        match self.viewing.content {
            Content::Film(ms) | Content::LateFilm(ms) => Some(ms),
            Content::Live { .. } | Content::EngineLive { .. } => None,
        }
    }

    /// Nobody may have seen the playhead move.
    fn is_unseen(&self) -> bool {
        self.viewing.truth().fields[Field::PlayedMs] <= self.played_doubt()
    }

    fn plays(&self, value: u64) -> Bounds {
        (if self.is_unseen() { 0 } else { value }, value)
    }

    fn reached(&self, percent: u64) -> Bounds {
        let Some(ms) = self.film_ms() else { return (0, 0) };
        let truth = self.viewing.truth();
        let covered = truth.covered_ms(1);
        let doubt = truth.doubts[Field::ContentMs] + (self.look() + SLACK_MS) * self.viewing.fastest;
        // All of it is a little less when the end was reached.
        let least = if percent == 99 { 97 } else { percent };
        let reached = |covered: u64, percent: u64| u64::from(covered * 100 >= ms * percent);
        // What a film turns out to be the quarter of shows when it plays on.
        let known = u64::from(matches!(self.viewing.content, Content::Film(_)));
        (known * reached(covered.saturating_sub(doubt), percent), reached(covered + doubt, least))
    }
}

/// By how much played time may be overstated: a playhead that is read late.
const SLACK_MS: Millis = 300;

fn around(value: u64, doubt: u64) -> Bounds {
    (value.saturating_sub(doubt), value.saturating_add(doubt))
}

//! The one table of metrics. A definition is data: stores render it, the referee evaluates it, the catalogue shows it.
//!
//! Every metric is a whole number over merged slices, or one division of two of them. What may be true once per view
//! is stored in one slice of it, so all but the distinct counts are plain sums.

use std::sync::LazyLock;

use quartile_protocol::dimension::Dimension;
use quartile_protocol::field::{Field, Kind};

/// A whole number, summed over slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The field itself.
    Sum(Field),
    /// 1 in every slice in which the field is not 0.
    Having(Field),
    /// How many percents of the content were first watched in the slice.
    WatchedPercents,
}

/// A measure, so many times.
pub type Term = (i64, Measure);

/// What a quotient is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divisor {
    /// A change of unit.
    Constant(i64),
    /// Another sum. Where that is 0, the metric has no value.
    Terms(&'static [Term]),
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definition {
    /// The sum of a measure.
    Total(Measure),
    /// A sum divided by something.
    Quotient(&'static [Term], Divisor),
    /// The largest value of a field; none where no slice has it.
    Largest(Field),
    /// How many different values: of each slice the first of these dimensions that is known counts, together with
    /// which one it is. A slice in which none is known does not count.
    Distinct(&'static [Dimension]),
}

/// What a value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// A share of 1.
    Ratio,
    /// Milliseconds.
    Milliseconds,
    /// Minutes.
    Minutes,
    /// Bytes.
    Bytes,
    /// 10⁹ bytes.
    Gigabytes,
    /// 1000 bits per second.
    KilobitsPerSecond,
    /// So many an hour.
    PerHour,
}

impl Unit {
    /// The spelling in the catalogue.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Ratio => "ratio",
            Self::Milliseconds => "ms",
            Self::Minutes => "minutes",
            Self::Bytes => "bytes",
            Self::Gigabytes => "GB",
            Self::KilobitsPerSecond => "kbit/s",
            Self::PerHour => "per hour",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name in queries.
    pub name: &'static str,
    /// What its values mean.
    pub unit: Unit,
    /// What it says, in a sentence.
    pub doc: &'static str,
    /// What it is.
    pub definition: Definition,
}

impl Metric {
    /// Every metric: those with a definition of their own, then a plain sum for every other field.
    #[must_use]
    pub fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Metric>> = LazyLock::new(|| DEFINED.iter().copied().chain(sums()).collect());
        &ALL
    }

    /// The metric with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|metric| metric.name == name)
    }

    /// Whether it may be divided by how a view ended or failed. Those dimensions are filled in one slice of a view
    /// only, so that any other count beside them would be of that slice and not of the view.
    #[must_use]
    pub const fn counts_outcomes(&self) -> bool {
        matches!(
            self.definition,
            Definition::Total(Measure::Sum(
                Field::Stops | Field::Errors | Field::FatalErrors | Field::StartFailures | Field::PlaybackFailures
            ))
        )
    }
}

/// The sum of each field for which a sum means something.
fn sums() -> impl Iterator<Item = Metric> {
    Field::ALL.iter().filter_map(|&field| {
        let unit = match field.kind() {
            Kind::Flag | Kind::Count(_) => Unit::Count,
            Kind::Time | Kind::Content => Unit::Milliseconds,
            Kind::Sum(_) if field == Field::Bytes => Unit::Bytes,
            Kind::Sum(_) | Kind::Measured => return None,
        };
        let definition = Definition::Total(Measure::Sum(field));
        Some(Metric { name: field.name(), unit, doc: field.doc(), definition })
    })
}

/// The dimensions that may tell one viewer from another, the best first.
pub const VIEWER: &[Dimension] = &[Dimension::User, Dimension::Viewer, Dimension::DailyViewer, Dimension::Session];

const fn sum(field: Field) -> Term {
    (1, Measure::Sum(field))
}

const fn metric(name: &'static str, unit: Unit, definition: Definition, doc: &'static str) -> Metric {
    Metric { name, unit, doc, definition }
}

/// One sum over another.
macro_rules! quotient {
    ([$($over:expr),+], [$($under:expr),+]) => { Definition::Quotient(&[$($over),+], Divisor::Terms(&[$($under),+])) };
    ([$($over:expr),+], $constant:literal) => { Definition::Quotient(&[$($over),+], Divisor::Constant($constant)) };
}

const DEFINED: &[Metric] = &[
    metric(
        "unique_viewers",
        Unit::Count,
        Definition::Distinct(VIEWER),
        "Different viewers: by user, else stored id, else hash of the day, else session. \
         A viewer who is known by the hash of the day only counts once per day.",
    ),
    metric("sessions", Unit::Count, Definition::Distinct(&[Dimension::Session]), "Different sessions."),
    metric(
        "minutes_viewed",
        Unit::Minutes,
        quotient!([sum(Field::PlayedMs)], 60_000),
        "Minutes of real time during which the playhead advanced.",
    ),
    metric(
        "avg_view_minutes",
        Unit::Minutes,
        quotient!([sum(Field::PlayedMs)], [(60_000, Measure::Sum(Field::Plays))]),
        "Minutes viewed per play.",
    ),
    metric(
        "play_rate",
        Unit::Ratio,
        quotient!([sum(Field::Plays)], [sum(Field::Impressions)]),
        "Plays per impression.",
    ),
    metric(
        "completion_rate",
        Unit::Ratio,
        quotient!([sum(Field::Reached100)], [sum(Field::LadderPlays)]),
        "Share of the plays of content with a duration that watched all of it.",
    ),
    metric(
        "avg_percent_watched",
        Unit::Ratio,
        quotient!([(1, Measure::WatchedPercents)], [(100, Measure::Sum(Field::LadderPlays))]),
        "Share of the content that was watched, per play of content with a duration.",
    ),
    metric(
        "drop_off",
        Unit::Ratio,
        quotient!(
            [
                (4, Measure::Sum(Field::LadderPlays)),
                (-1, Measure::Sum(Field::Reached25)),
                (-1, Measure::Sum(Field::Reached50)),
                (-1, Measure::Sum(Field::Reached75)),
                (-1, Measure::Sum(Field::Reached100))
            ],
            [(4, Measure::Sum(Field::LadderPlays))]
        ),
        "One less the average share of the four quartiles that were watched: 0 when everyone stayed.",
    ),
    metric(
        "engaged_rate",
        Unit::Ratio,
        quotient!([sum(Field::EngagedMs)], [sum(Field::PlayedMs)]),
        "Share of the played time with sound on and the page visible.",
    ),
    metric(
        "startup_ms_avg",
        Unit::Milliseconds,
        quotient!([sum(Field::StartupMs)], [(1, Measure::Having(Field::StartupMs))]),
        "Time from the play request to the first frame, on average over the plays in which it was measured.",
    ),
    metric(
        "rebuffer_ratio",
        Unit::Ratio,
        quotient!([sum(Field::RebufferMs)], [sum(Field::PlayedMs), sum(Field::RebufferMs)]),
        "Share of the time after the first frame that was spent in stalls.",
    ),
    metric(
        "rebuffers_per_hour",
        Unit::PerHour,
        quotient!([(3_600_000, Measure::Sum(Field::Rebuffers))], [sum(Field::PlayedMs)]),
        "Stalls per played hour.",
    ),
    metric(
        "views_with_rebuffer_rate",
        Unit::Ratio,
        quotient!([sum(Field::Rebuffered)], [sum(Field::Plays)]),
        "Share of the plays with a stall.",
    ),
    metric(
        "start_failures_rate",
        Unit::Ratio,
        quotient!([sum(Field::StartFailures)], [sum(Field::PlayRequests)]),
        "Share of the play requests that failed before the first frame.",
    ),
    metric(
        "playback_failures_rate",
        Unit::Ratio,
        quotient!([sum(Field::PlaybackFailures)], [sum(Field::Plays)]),
        "Failures after the first frame, per play.",
    ),
    metric(
        "error_rate",
        Unit::Ratio,
        quotient!([sum(Field::Errored)], [sum(Field::PlayRequests)]),
        "Views with an error, per play request.",
    ),
    metric(
        "avg_bitrate_kbps",
        Unit::KilobitsPerSecond,
        quotient!([sum(Field::BitrateMs)], [sum(Field::RatedMs)]),
        "Bitrate, weighted by the time played at it.",
    ),
    metric(
        "dropped_frame_ratio",
        Unit::Ratio,
        quotient!([sum(Field::FramesDropped)], [sum(Field::Frames)]),
        "Share of the frames that were dropped.",
    ),
    metric(
        "avg_live_latency_ms",
        Unit::Milliseconds,
        quotient!([sum(Field::LatencyMsSum)], [sum(Field::LatencySamples)]),
        "Latency behind the live edge, on average over its samples.",
    ),
    metric(
        "avg_seek_ms",
        Unit::Milliseconds,
        quotient!([sum(Field::SeekMs)], [sum(Field::Seeks)]),
        "How long a seek takes, on average.",
    ),
    metric("max_seek_ms", Unit::Milliseconds, Definition::Largest(Field::SeekMaxMs), "The longest seek."),
    metric(
        "gigabytes_delivered",
        Unit::Gigabytes,
        quotient!([sum(Field::Bytes)], 1_000_000_000),
        "Media received by players, in units of 10⁹ bytes.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for metric in Metric::all() {
            assert_eq!(Metric::from_name(metric.name), Some(metric));
            assert!(!metric.doc.is_empty());
        }
    }

    #[test]
    fn the_metrics_that_people_ask_for_first_are_there() {
        for name in ["impressions", "plays", "views", "play_requests", "stops", "reached_25", "position_100", "bytes"] {
            assert!(Metric::from_name(name).is_some(), "{name}");
        }
        assert!(Metric::from_name("startup_ms").is_none(), "a sum of measurements says nothing");
    }

    #[test]
    fn every_metric_is_defined_in_the_document() {
        let document = include_str!("../../../docs/metrics.md");
        for metric in Metric::all() {
            assert!(document.contains(&format!("\n| `{}` | ", metric.name)), "docs/metrics.md lacks `{}`", metric.name);
        }
    }
}

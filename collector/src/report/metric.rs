//! The one table of metrics. A definition is data: stores render it, the referee evaluates it, the catalogue and
//! docs/metrics.md show it. A new metric is one entry.
//!
//! Most metrics are a whole number over merged slices, or one division of two of them. What may be true once per view
//! is stored in one slice of it, so these are plain sums. Distinct counts, percentiles and peaks are no sums.
//!
//! **By the minute** a slice is many facts: it opened in one minute and its playhead moved in some. What
//! [grows while it plays](is_spread) is divided over those minutes, everything else is in the minute of the opening.

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
    /// 1 in a slice in which this percent of the content was first watched.
    Watched(u8),
    /// 1 in a slice in which this percent of the content was first watched a second time.
    WatchedAgain(u8),
    /// 1 in a slice in which playback was asked for and at least [`WAITED_MS`] waited, that saw no first frame, no
    /// failure and no block, and ended [`GONE_MS`] ago.
    ExitBeforeStart,
    /// `views` less `stops`, of views of which no slice ended within [`LOST_MS`].
    Lost,
}

/// The shortest wait that somebody can be said to have given up.
pub const WAITED_MS: i64 = 1_000;

/// How long a slice must have been silent before its wait counts as given up.
pub const GONE_MS: i64 = 120_000;

/// How long a view must have been silent before it counts as lost.
pub const LOST_MS: i64 = 3_600_000;

/// Whether a field grows while the playhead moves, so that by the minute it is divided over the minutes in which it did.
/// Of k such minutes the i-th, from 0, has ⌊value × (i + 1) / k⌋ − ⌊value × i / k⌋.
#[must_use]
pub const fn is_spread(field: Field) -> bool {
    use Field as F;
    matches!(
        field,
        F::PlayedMs
            | F::ContentMs
            | F::EngagedMs
            | F::MutedMs
            | F::HiddenMs
            | F::FullscreenMs
            | F::PipMs
            | F::PlayedMs240
            | F::PlayedMs360
            | F::PlayedMs480
            | F::PlayedMs720
            | F::PlayedMs1080
            | F::PlayedMs1440
            | F::PlayedMs2160
            | F::PlayedMsOther
            | F::Frames
            | F::FramesDropped
            | F::BitrateMs
            | F::RatedMs
    )
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
    /// The smallest value such that so many percent of the slices that have the field have it or less; none where no
    /// slice has it. The nearest rank: no value in between is made up.
    Percentile(Field, u8),
    /// The slices whose playhead moved in the minute: views, since a minute of a view is in one slice of it.
    Concurrent,
    /// The largest [`Concurrent`](Self::Concurrent) of any minute; 0 without one.
    PeakConcurrent,
    /// How many different views moved their playhead in a minute of the range.
    ActiveViews,
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

    /// Whether its values are whole numbers.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        !matches!(self.definition, Definition::Quotient(..))
    }

    /// Whether it has a value for single minutes only.
    #[must_use]
    pub const fn needs_minutes(&self) -> bool {
        matches!(self.definition, Definition::Concurrent)
    }

    /// The measures that it adds up; none of what is no sum.
    #[must_use]
    pub fn measures(&self) -> Vec<Measure> {
        let of = |terms: &[Term]| terms.iter().map(|&(_, measure)| measure).collect::<Vec<_>>();
        match self.definition {
            Definition::Total(measure) => vec![measure],
            Definition::Quotient(over, Divisor::Constant(_)) => of(over),
            Definition::Quotient(over, Divisor::Terms(under)) => [of(over), of(under)].concat(),
            _ => Vec::new(),
        }
    }

    /// The stored fields and dimensions that it is made of.
    #[must_use]
    pub fn inputs(&self) -> Vec<&'static str> {
        let mut inputs = match self.definition {
            Definition::Total(_) | Definition::Quotient(..) => {
                self.measures().into_iter().flat_map(Measure::inputs).collect()
            }
            Definition::Largest(field) | Definition::Percentile(field, _) => vec![field.name()],
            Definition::Concurrent | Definition::PeakConcurrent | Definition::ActiveViews => vec!["active"],
            Definition::Distinct(dimensions) => dimensions.iter().map(|dimension| dimension.name()).collect(),
        };
        let all = inputs.clone();
        let mut index = 0;
        inputs.retain(|name| {
            index += 1;
            !all[..index - 1].contains(name)
        });
        inputs
    }

    /// How values of smaller groups make one of a larger: `sum`, `ratio` (of sums), `max`, or `never`.
    #[must_use]
    pub const fn combines(&self) -> &'static str {
        match self.definition {
            Definition::Total(_) => "sum",
            Definition::Quotient(..) => "ratio",
            Definition::Largest(_) => "max",
            Definition::Percentile(..)
            | Definition::Concurrent
            | Definition::PeakConcurrent
            | Definition::ActiveViews
            | Definition::Distinct(_) => "never",
        }
    }

    /// The definition as a formula over stored fields.
    #[must_use]
    pub fn formula(&self) -> String {
        match self.definition {
            Definition::Total(measure) => format!("Σ {}", measure.formula()),
            Definition::Quotient(over, Divisor::Constant(constant)) => format!("{} / {constant}", formula(over)),
            Definition::Quotient(over, Divisor::Terms(under)) => format!("{} / {}", formula(over), formula(under)),
            Definition::Largest(field) => format!("largest `{}`", field.name()),
            Definition::Percentile(field, percent) => format!("{percent} % of `{}` > 0 are at most this", field.name()),
            Definition::Concurrent => "slices with the minute in `active`".into(),
            Definition::PeakConcurrent => "largest `concurrent_views` of a minute".into(),
            Definition::ActiveViews => "different views with a minute in `active`".into(),
            Definition::Distinct(dimensions) => {
                let names: Vec<_> = dimensions.iter().map(|dimension| format!("`{}`", dimension.name())).collect();
                format!("different {}", names.join(", else "))
            }
        }
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

impl Measure {
    /// The stored columns that it is made of.
    #[must_use]
    pub fn inputs(self) -> Vec<&'static str> {
        use Field as F;
        let names = |fields: &[Field]| fields.iter().map(|field| field.name()).collect::<Vec<_>>();
        match self {
            Self::Sum(field) | Self::Having(field) => names(&[field]),
            Self::WatchedPercents | Self::Watched(_) => vec!["watched"],
            Self::WatchedAgain(_) => vec!["rewatched"],
            Self::ExitBeforeStart => {
                names(&[F::PlayRequests, F::WaitMs, F::Plays, F::StartFailures, F::AutoplayBlocked])
            }
            Self::Lost => names(&[F::Views, F::Stops]),
        }
    }

    fn formula(self) -> String {
        match self {
            Self::Sum(field) => format!("`{}`", field.name()),
            Self::Having(field) => format!("slices with `{}` > 0", field.name()),
            Self::WatchedPercents => "bits of `watched`".into(),
            Self::Watched(percent) => format!("bit {percent} of `watched`"),
            Self::WatchedAgain(percent) => format!("bit {percent} of `rewatched`"),
            Self::ExitBeforeStart => format!(
                "slices with `play_requests`, `wait_ms` ≥ {WAITED_MS}, without `plays`, `start_failures`, \
                 `autoplay_blocked`, over for {} minutes",
                GONE_MS / 60_000
            ),
            Self::Lost => format!("(`views` − `stops`) of views silent for {} minutes", LOST_MS / 60_000),
        }
    }
}

/// A sum of terms for people.
fn formula(terms: &[Term]) -> String {
    let mut text = String::new();
    for (index, &(times, measure)) in terms.iter().enumerate() {
        text.push_str(match (index, times < 0) {
            (0, false) => "",
            (0, true) => "−",
            (_, false) => " + ",
            (_, true) => " − ",
        });
        if times.abs() != 1 {
            text.push_str(&format!("{} × ", times.abs()));
        }
        text.push_str(&measure.formula());
    }
    if terms.len() > 1 { format!("({text})") } else { text }
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

const PLAYED: &[Term] = &[sum(Field::PlayedMs)];

const fn rendition(name: &'static str, played: &'static [Term], doc: &'static str) -> Metric {
    metric(name, Unit::Ratio, Definition::Quotient(played, Divisor::Terms(PLAYED)), doc)
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
        "startup_ms_p50",
        Unit::Milliseconds,
        Definition::Percentile(Field::StartupMs, 50),
        "Half of the measured plays showed their first frame within this time.",
    ),
    metric(
        "startup_ms_p75",
        Unit::Milliseconds,
        Definition::Percentile(Field::StartupMs, 75),
        "Three quarters of the measured plays showed their first frame within this time.",
    ),
    metric(
        "startup_ms_p95",
        Unit::Milliseconds,
        Definition::Percentile(Field::StartupMs, 95),
        "95 % of the measured plays showed their first frame within this time.",
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
        "exits_before_start",
        Unit::Count,
        Definition::Total(Measure::ExitBeforeStart),
        "Playback was asked for, waited for and given up before the first frame, without a failure or a block.",
    ),
    metric(
        "exits_before_start_rate",
        Unit::Ratio,
        quotient!([(1, Measure::ExitBeforeStart)], [sum(Field::PlayRequests)]),
        "Exits before the start, per play request.",
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
    rendition("rendition_240", &[sum(Field::PlayedMs240)], "Share of the played time at up to 240 lines."),
    rendition("rendition_360", &[sum(Field::PlayedMs360)], "Share of the played time at 241 to 360 lines."),
    rendition("rendition_480", &[sum(Field::PlayedMs480)], "Share of the played time at 361 to 480 lines."),
    rendition("rendition_720", &[sum(Field::PlayedMs720)], "Share of the played time at 481 to 720 lines."),
    rendition("rendition_1080", &[sum(Field::PlayedMs1080)], "Share of the played time at 721 to 1080 lines."),
    rendition("rendition_1440", &[sum(Field::PlayedMs1440)], "Share of the played time at 1081 to 1440 lines."),
    rendition("rendition_2160", &[sum(Field::PlayedMs2160)], "Share of the played time at 1441 to 2160 lines."),
    rendition("rendition_other", &[sum(Field::PlayedMsOther)], "Share of the played time at any other or no height."),
    metric(
        "concurrent_views",
        Unit::Count,
        Definition::Concurrent,
        "Views whose playhead moved in the minute. By `time:minute` only.",
    ),
    metric(
        "peak_concurrent_views",
        Unit::Count,
        Definition::PeakConcurrent,
        "The most views whose playhead moved in the same minute.",
    ),
    metric(
        "active_views",
        Unit::Count,
        Definition::ActiveViews,
        "Different views whose playhead moved in the range, also those that began before it.",
    ),
    metric(
        "lost",
        Unit::Count,
        Definition::Total(Measure::Lost),
        "Views that never said that they are over: the page or the machine vanished.",
    ),
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
}

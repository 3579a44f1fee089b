//! Reports that are no table of dimensions and metrics: funnel, retention, realtime.
//!
//! Each takes what a query takes but metrics, dimensions, order and pages.

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use quartile_protocol::clock::Wall;
use serde::Serialize;
use serde_json::{Value, json};

use super::bucket::{Buckets, Grain, zoned};
use super::dimension::Names;
use super::error::{Refusal, ReportError};
use super::metric::{Definition, Measure, Metric, Unit};
use super::plan::{Axis, MINUTE_MS, Order, Plan};
use super::query::{Query, Request};
use super::table::Cell;
use super::{answered, planned, resolve, text};
use crate::store::Store;
use crate::store::cancel::Cancel;

/// What every special report is asked with.
#[derive(Clone, Debug)]
pub struct Asked(Query);

/// What a special report may be asked with.
pub const FIELDS: &[&str] = &["site", "date_range", "filters", "timezone"];

impl Asked {
    /// Reads the request of a special report, of a site with these names.
    ///
    /// # Errors
    /// A refusal.
    pub fn new(request: &Request, names: Names) -> Result<Self, Refusal> {
        // What is counted is the report's own business; any metric will do to read the rest.
        request.with("metrics", json!(["views"]), FIELDS)?.query(names).map(Self)
    }

    /// The timezone to answer in where none was asked for.
    pub fn in_timezone(&mut self, timezone: &TimeZone) {
        self.0.timezone.get_or_insert_with(|| timezone.clone());
    }

    fn plan(&self, store: &dyn Store, now: Wall, metrics: Vec<&'static Metric>) -> Result<Plan, ReportError> {
        let mut plan = planned(&self.0, resolve(store, &self.0, now)?, now)?;
        (plan.metrics, plan.order, plan.limit) = (metrics, Vec::new(), 1);
        Ok(plan)
    }

    fn date_range(&self, plan: &Plan) -> Result<[String; 2], ReportError> {
        Ok([text(plan.range.start, self.0.zone())?, text(plan.range.end, self.0.zone())?])
    }
}

/// The only row of a plan without axes, as whole numbers.
fn numbers(store: &dyn Store, plan: &Plan, cancel: &Cancel) -> Result<Vec<i128>, ReportError> {
    let row = answered(store, plan, cancel)?.rows.pop().unwrap_or_default();
    Ok(row.iter().map(|cell| if let Cell::Integer(value) = cell { *value } else { 0 }).collect())
}

/// One step of a funnel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The metric.
    pub name: &'static str,
    /// How many came so far.
    pub count: i64,
    /// Of those who asked to play; nothing if nobody did.
    pub of_first: Option<f64>,
    /// Of those in the step before; nothing if nobody was.
    pub of_previous: Option<f64>,
}

/// How far people come.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Funnel {
    /// The first instant of the range, and the first after it.
    pub date_range: [String; 2],
    /// From the play request to the end of the content.
    pub steps: Vec<Step>,
    /// The plays of content with a duration, which alone can reach a quarter of it.
    pub ladder_plays: i64,
}

/// The steps of the funnel.
pub const STEPS: [&str; 6] = ["play_requests", "plays", "reached_25", "reached_50", "reached_75", "reached_100"];

/// Requested → played → a quarter → half → three quarters → all of it watched.
///
/// # Errors
/// [`ReportError`].
pub fn funnel(store: &dyn Store, asked: &Asked, now: Wall, cancel: &Cancel) -> Result<Funnel, ReportError> {
    let metrics = STEPS.iter().chain(&["ladder_plays"]).filter_map(|name| Metric::from_name(name)).collect();
    let plan = asked.plan(store, now, metrics)?;
    let counts: Vec<_> = numbers(store, &plan, cancel)?.into_iter().map(whole).collect();
    let share = |of: i64, count: i64| (of != 0).then(|| count as f64 / of as f64);
    let step = |(index, name): (usize, &&'static str)| Step {
        name,
        count: counts[index],
        of_first: share(counts[0], counts[index]),
        of_previous: index.checked_sub(1).and_then(|before| share(counts[before], counts[index])),
    };
    Ok(Funnel {
        date_range: asked.date_range(&plan)?,
        steps: STEPS.iter().enumerate().map(step).collect(),
        ladder_plays: counts[STEPS.len()],
    })
}

fn whole(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// One percent of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Percent {
    /// From this percent to the next: 0 to 99.
    pub percent: usize,
    /// Views that watched at least half of it.
    pub watched: i64,
    /// Views that watched it again.
    pub watched_again: i64,
}

/// Which parts of the content are watched.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retention {
    /// The first instant of the range, and the first after it.
    pub date_range: [String; 2],
    /// The plays of content with a duration: what the curve is a share of.
    pub ladder_plays: i64,
    /// All hundred, in order.
    pub percents: Vec<Percent>,
}

/// 100 percents watched, then 100 watched again. No metrics of queries: as columns they would say little.
static PERCENTS: LazyLock<Vec<Metric>> = LazyLock::new(|| {
    let metric = |measure| Metric { name: "", unit: Unit::Count, doc: "", definition: Definition::Total(measure) };
    (0..100).map(Measure::Watched).chain((0..100).map(Measure::WatchedAgain)).map(metric).collect()
});

/// How many views watched each percent, and how many watched it again.
///
/// # Errors
/// [`ReportError`].
pub fn retention(store: &dyn Store, asked: &Asked, now: Wall, cancel: &Cancel) -> Result<Retention, ReportError> {
    let metrics = PERCENTS.iter().chain(Metric::from_name("ladder_plays")).collect();
    let plan = asked.plan(store, now, metrics)?;
    let counts: Vec<_> = numbers(store, &plan, cancel)?.into_iter().map(whole).collect();
    let percent = |percent| Percent { percent, watched: counts[percent], watched_again: counts[100 + percent] };
    Ok(Retention {
        date_range: asked.date_range(&plan)?,
        ladder_plays: counts[200],
        percents: (0..100).map(percent).collect(),
    })
}

/// One minute.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Minute {
    /// Its beginning.
    pub minute: String,
    /// Views whose playhead moved in it.
    pub concurrent_views: i64,
    /// First frames in slices that opened in it.
    pub plays: i64,
    /// Minutes watched in it.
    pub minutes_viewed: f64,
}

/// What goes on now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Realtime {
    /// When it was asked.
    pub at: String,
    /// Views whose playhead moved in this minute or the one before.
    pub watching_now: i64,
    /// The last [`MINUTES`], the one that is going on included.
    pub minutes: Vec<Minute>,
}

/// The minutes of a realtime report.
pub const MINUTES: i64 = 30;

/// Who is watching now, and the last half hour by the minute, whatever range was asked for.
///
/// # Errors
/// [`ReportError`].
pub fn realtime(store: &dyn Store, asked: &Asked, now: Wall, cancel: &Cancel) -> Result<Realtime, ReportError> {
    let minute = now.as_ms().div_euclid(MINUTE_MS) * MINUTE_MS;
    let range = |minutes: i64| Wall::from_ms(minute - (minutes - 1) * MINUTE_MS)..Wall::from_ms(minute + MINUTE_MS);
    let metrics = |names: &[&str]| names.iter().filter_map(|name| Metric::from_name(name)).collect();
    let mut plan = planned(&asked.0, range(2), now)?;
    (plan.metrics, plan.order, plan.limit) = (metrics(&["active_views"]), Vec::new(), 1);
    let watching_now = numbers(store, &plan, cancel)?.first().copied().map_or(0, whole);

    plan.range = range(MINUTES);
    let buckets = Buckets::new(Grain::Minute, &plan.range, asked.0.zone())?;
    let labels = buckets.labels().to_vec();
    plan.axes = vec![Axis::Time(buckets)];
    plan.metrics = metrics(&["concurrent_views", "plays", "minutes_viewed"]);
    (plan.order, plan.limit) = (vec![Order { column: 0, descending: false }], labels.len());
    let rows = answered(store, &plan, cancel)?.rows;
    let of = |label: &String| rows.iter().find(|row| row[0].as_text() == Some(label));
    let minutes = labels.iter().map(|label| a_minute(label, of(label)));
    Ok(Realtime {
        at: zoned(now, asked.0.zone())?.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        watching_now,
        minutes: minutes.collect(),
    })
}

/// Also of a minute in which nothing happened.
fn a_minute(label: &str, row: Option<&Vec<Cell>>) -> Minute {
    let number = |column: usize| row.and_then(|row| row[column].as_number()).unwrap_or(0.0);
    Minute {
        minute: label.into(),
        concurrent_views: number(1) as i64,
        plays: number(2) as i64,
        minutes_viewed: number(3),
    }
}

impl Request {
    /// The same request with another field, where it has no fields but these.
    fn with(&self, name: &str, value: Value, fields: &[&str]) -> Result<Self, Refusal> {
        let mut body = self.only(fields)?.clone();
        body[name] = value;
        if body.get("date_range").is_none_or(Value::is_null) {
            body["date_range"] = json!("30d");
        }
        Self::new(body)
    }
}

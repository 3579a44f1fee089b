//! The one table of aggregations: sums by the hour, kept for these sets of dimensions. Adding a set is one line.
//!
//! An aggregation has, for each hour and each combination of values in it, the sum of every measure that adds up and the
//! largest of what has a largest. Different viewers, percentiles, minutes and what depends on when it is asked do not add
//! up and are answered from slices, as is everything that no set covers. Known bots are in none.

use quartile_protocol::dimension::Dimension;
use quartile_protocol::field::Field;

use super::dimension::Attribute;
use super::metric::{Definition, GONE_MS, Measure, Metric};
use super::plan::{Axis, Filter, Plan, SLICE_MS, UNKNOWN};

/// An hour.
pub const HOUR_MS: i64 = 3_600_000;

use Dimension as D;

/// The sets, the smaller ones first: a query is served by the first that covers it.
pub const SETS: &[&[Dimension]] = &[
    &[],
    &[D::Kind],
    &[D::Device],
    &[D::Country],
    &[D::Application],
    &[D::Isp],
    &[D::Domain],
    &[D::ReferrerDomain],
    &[D::Custom1],
    &[D::Custom2],
    &[D::Custom3],
    &[D::Custom4],
    &[D::Custom5],
    &[D::Custom6],
    &[D::Custom7],
    &[D::Custom8],
    &[D::Custom9],
    &[D::Custom10],
    &[D::ErrorCode, D::ErrorPhase],
    &[D::Os, D::Browser],
    &[D::Player, D::Engine],
    &[D::Device, D::Country],
    &[D::Video, D::VideoTitle],
    &[D::Domain, D::Page],
    &[D::Country, D::Region, D::City],
    &[D::Video, D::Device],
    &[D::Video, D::Country],
];

/// What is kept in every set, besides the sum of each field.
pub const MEASURES: &[Measure] =
    &[Measure::Having(Field::StartupMs), Measure::WatchedPercents, Measure::ExitBeforeStart];

/// Whether a measure is kept.
#[must_use]
pub fn is_kept(measure: Measure) -> bool {
    matches!(measure, Measure::Sum(_)) || MEASURES.contains(&measure)
}

/// Whether a metric can be made of what is kept.
#[must_use]
pub fn covers(metric: &Metric) -> bool {
    match metric.definition {
        Definition::Total(_) | Definition::Quotient(..) => metric.measures().into_iter().all(is_kept),
        Definition::Largest(_) => true,
        _ => false,
    }
}

/// How an aggregation serves a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The index of the set.
    pub set: usize,
    /// From this hour, counted since 1970, …
    pub first: i64,
    /// … to before this one.
    pub end: i64,
}

/// The set and the whole hours of the range that serve a plan; `None` if it takes slices.
#[must_use]
pub fn served(plan: &Plan) -> Option<Served> {
    if !plan.metrics.iter().all(|metric| covers(metric)) || !hours_fit(plan) {
        return None;
    }
    let mut wanted = without_bots(&plan.filter)?;
    for axis in &plan.axes {
        if let Axis::Dimension(attribute) = axis {
            wanted.push(*attribute);
        }
    }
    let has = |set: &[Dimension]| {
        wanted.iter().all(|attribute| matches!(attribute, Attribute::Stored(dimension) if set.contains(dimension)))
    };
    let set = SETS.iter().position(|set| has(set))?;
    // What was given up is known of slices that were over for a while.
    let known = plan.now.as_ms() - SLICE_MS - GONE_MS - HOUR_MS;
    let first =
        plan.range.start.as_ms().div_euclid(HOUR_MS) + i64::from(plan.range.start.as_ms().rem_euclid(HOUR_MS) != 0);
    let mut end = plan.range.end.as_ms().div_euclid(HOUR_MS);
    if plan.metrics.iter().any(|metric| metric.measures().contains(&Measure::ExitBeforeStart)) {
        end = end.min(known.div_euclid(HOUR_MS) + 1);
    }
    (first < end).then_some(Served { set, first, end })
}

/// Whether every bucket of time begins with an hour of every clock: not so in India, Nepal or Adelaide.
fn hours_fit(plan: &Plan) -> bool {
    plan.axes.iter().all(|axis| match axis {
        Axis::Dimension(_) => true,
        Axis::Time(_) if plan.by_minute() => false,
        // The first may begin before the range, with a part of an hour that is no hour of the range.
        Axis::Time(buckets) => buckets.starts().iter().skip(1).all(|start| start.as_ms() % HOUR_MS == 0),
    })
}

/// What a filter looks at besides leaving out known bots; `None` if it does not leave them out.
fn without_bots(filter: &Filter) -> Option<Vec<Attribute>> {
    let bot = Attribute::Stored(D::Bot);
    let Filter::All(filters) = filter else { return None };
    let left_out = |filter: &&Filter| **filter == Filter::Is(bot, vec![UNKNOWN.into()]);
    filters.iter().find(left_out)?;
    let mut wanted: Vec<_> = filters.iter().filter(|filter| !left_out(filter)).flat_map(Filter::attributes).collect();
    wanted.dedup();
    (!wanted.contains(&bot)).then_some(wanted)
}

/// The name of a set in an answer.
#[must_use]
pub fn name(set: usize) -> String {
    let names: Vec<_> = SETS[set].iter().map(|dimension| dimension.name()).collect();
    if names.is_empty() { "hours".into() } else { format!("hours by {}", names.join(" × ")) }
}

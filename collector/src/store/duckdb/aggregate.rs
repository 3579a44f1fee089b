//! The aggregations of [`crate::report::aggregate`]: their table, and keeping it true.
//!
//! A bucket is an hour of a site. In every set it is what the slices of that hour add up to, unless it is *stale*: while
//! hot copies may change it (those that opened in the hour, and those of slices that are settled there), and after they
//! were settled until it is computed anew, which is put off. Stale buckets are answered from slices. Which are stale is
//! known in memory before what makes them so can be seen (see [`Stale`]), and on disk once the hot rows are gone.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::duckdb::types::Value;
use ::duckdb::{Connection, params_from_iter};
use quartile_protocol::dimension::Dimension;
use quartile_protocol::field::Field;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::Row;

use super::render;
use super::schema::{Shape, quoted};
use crate::report::aggregate::{HOUR_MS, MEASURES, SETS};
use crate::report::metric::Measure;
use crate::report::plan::UNKNOWN;

/// An hour of a site.
pub type Bucket = (String, i64);

/// The one table of all sets: a table for each would be some two thousand columns, which make every commit slow.
pub const TABLE: &str = "hours";

/// The column of a measure.
#[must_use]
pub fn column(measure: Measure) -> String {
    quoted(&match measure {
        Measure::Sum(field) => field.name().to_owned(),
        Measure::Having(field) => format!("having {}", field.name()),
        Measure::WatchedPercents => "watched percents".into(),
        Measure::ExitBeforeStart => "gave up".into(),
        Measure::Watched(_) | Measure::WatchedAgain(_) | Measure::Lost => unreachable!("is in no set: {measure:?}"),
    })
}

/// The column of the largest value of a field.
#[must_use]
pub fn largest(field: Field) -> String {
    quoted(&format!("largest {}", field.name()))
}

/// Every measure that is kept.
pub fn measures() -> impl Iterator<Item = Measure> {
    Field::ALL.iter().map(|&field| Measure::Sum(field)).chain(MEASURES.iter().copied())
}

/// The fields of which the largest value is kept.
pub const LARGEST: &[Field] = &[Field::SeekMaxMs];

/// What is in the table, so that a database in which it was something else computes it anew.
#[must_use]
pub fn contents() -> String {
    let names = |set: &&[Dimension]| set.iter().map(|dimension| dimension.name()).collect::<Vec<_>>().join("+");
    format!("{} / {}", SETS.iter().map(names).collect::<Vec<_>>().join(","), columns().join(","))
}

/// The columns behind site, hour and set: every dimension of any set, and what is kept.
fn columns() -> Vec<String> {
    let dimensions = dimensions().into_iter().map(|dimension| quoted(dimension.name()));
    let values = measures().map(column).chain(LARGEST.iter().map(|&field| largest(field)));
    dimensions.chain(values).collect()
}

/// Makes the table if it is not there. One of other contents is made anew.
///
/// # Errors
/// What DuckDB says.
pub fn create(connection: &Connection) -> ::duckdb::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS quartile_aggregates (contents VARCHAR NOT NULL, complete BOOLEAN NOT NULL); \
         CREATE TABLE IF NOT EXISTS quartile_stale (site VARCHAR NOT NULL, hour BIGINT NOT NULL)",
    )?;
    let is_known = "SELECT count(*) FROM quartile_aggregates WHERE contents = $1";
    let known: i64 = connection.query_row(is_known, [contents()], |record| record.get(0))?;
    if known == 0 {
        connection.execute_batch(&format!(
            "DROP TABLE IF EXISTS {TABLE}; DELETE FROM quartile_aggregates; DELETE FROM quartile_stale"
        ))?;
        let complete = "INSERT INTO quartile_aggregates SELECT $1, count(*) = 0 FROM slices";
        connection.execute(complete, [contents()])?;
    }
    let keys: String = dimensions().iter().map(|dimension| format!(", {} VARCHAR", quoted(dimension.name()))).collect();
    let sums: String = measures().map(|measure| format!(", {} HUGEINT", column(measure))).collect();
    let most: String = LARGEST.iter().map(|&field| format!(", {} UBIGINT", largest(field))).collect();
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {TABLE} (site VARCHAR, hour BIGINT, grouped BIGINT{keys}{sums}{most})"
    ))
}

/// Computes these buckets anew from the settled slices.
///
/// # Errors
/// What DuckDB says.
pub fn refresh(connection: &Connection, buckets: &BTreeSet<Bucket>) -> ::duckdb::Result<()> {
    // Two days: few enough that memory stays small.
    const AT_ONCE: usize = 48;
    let buckets: Vec<_> = buckets.iter().collect();
    buckets.chunks(AT_ONCE).try_for_each(|some| refresh_some(connection, some))
}

/// All sets are summed in one pass over the slices.
fn refresh_some(connection: &Connection, buckets: &[&Bucket]) -> ::duckdb::Result<()> {
    let hours = || buckets.iter().map(|(_, hour)| *hour);
    let (Some(first), Some(last)) = (hours().min(), hours().max()) else { return Ok(()) };
    let list = |texts: Vec<String>| Value::Text(format!("[{}]", texts.join(",")));
    // The names of sites have no quotes, but nobody needs to know that here.
    let sites = buckets.iter().map(|(site, _)| format!("'{}'", site.replace('\'', "\\'"))).collect();
    let touched = "CREATE OR REPLACE TEMP TABLE touched AS \
                   SELECT unnest(CAST($1 AS VARCHAR[])) AS site, unnest(CAST($2 AS BIGINT[])) AS hour";
    let both = [list(sites), list(hours().map(|hour| hour.to_string()).collect())];
    connection.execute(touched, params_from_iter(both))?;
    let stale = format!("DELETE FROM {TABLE} WHERE (site, hour) IN (SELECT site, hour FROM touched)");
    connection.execute(&stale, [])?;
    let bounds = [first.saturating_mul(HOUR_MS), (last + 1).saturating_mul(HOUR_MS)];
    connection.execute(&summed(), params_from_iter(bounds.map(Value::BigInt)))?;
    connection.execute_batch("DROP TABLE touched")
}

/// Every dimension of any set.
fn dimensions() -> Vec<Dimension> {
    let mut all: Vec<_> = SETS.iter().flat_map(|set| set.iter().copied()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What `grouping` says of a set: a bit for each dimension that is not in it, the first one the highest.
#[must_use]
pub fn grouped(set: usize) -> i64 {
    dimensions().iter().fold(0, |mask, dimension| mask << 1 | i64::from(!SETS[set].contains(dimension)))
}

/// Lays down all sets over the settled slices of the buckets `touched` between the dates `$1` and `$2`.
fn summed() -> String {
    let names =
        |set: &[Dimension]| set.iter().map(|dimension| format!(", {}", quoted(dimension.name()))).collect::<String>();
    let sets: Vec<_> = SETS.iter().map(|set| format!("(site, hour{})", names(set))).collect();
    let sums: String = measures().map(|measure| format!(", sum({})", render::of_slice(measure))).collect();
    let most: String = LARGEST.iter().map(|field| format!(", max({})", quoted(field.name()))).collect();
    let all = names(&dimensions());
    format!(
        "INSERT INTO {TABLE} SELECT site, hour, grouping({grouped}) AS grouped{all}{sums}{most} \
         FROM (SELECT *, {hour} AS hour, {gave_up} AS gave_up FROM slices \
               WHERE started_at >= $1 AND started_at < $2 AND {bot} IN ('', '{UNKNOWN}')) \
         SEMI JOIN touched USING (site, hour) GROUP BY GROUPING SETS ({sets}) ORDER BY grouped",
        grouped = all.trim_start_matches(", "),
        hour = hour("started_at"),
        gave_up = render::gave_up(),
        bot = quoted(Dimension::Bot.name()),
        sets = sets.join(", "),
    )
}

/// The hour of a date. Dates before 1970 are in no range; they only must not be mistaken for later ones.
#[must_use]
pub fn hour(date: &str) -> String {
    format!("CAST(floor({date} / {HOUR_MS}.0) AS BIGINT)")
}

/// The buckets that these rows may change: of the hours in which they opened, and of those in which earlier copies of the
/// same slices are settled.
///
/// # Errors
/// What DuckDB says.
pub fn touched(connection: &Connection, slices: &Shape, rows: &[Row]) -> ::duckdb::Result<BTreeSet<Bucket>> {
    let mut touched: BTreeSet<_> =
        rows.iter().map(|row| (row.key.site.to_string(), row.started_at.as_ms().div_euclid(HOUR_MS))).collect();
    let views = rows.iter().map(|row| row.key.view);
    if let (Some(first), Some(last)) = (views.clone().min(), views.max()) {
        touched.extend(settled_copies(connection, slices, Some((first, last)))?);
    }
    Ok(touched)
}

/// The buckets that all hot rows may change.
///
/// # Errors
/// What DuckDB says.
pub fn touched_by_hot(connection: &Connection, slices: &Shape) -> ::duckdb::Result<BTreeSet<Bucket>> {
    let sql = format!("SELECT DISTINCT site, {} FROM {}", hour("started_at"), slices.hot);
    let mut touched = buckets(connection, &sql, Vec::new())?;
    touched.extend(settled_copies(connection, slices, None)?);
    Ok(touched)
}

/// The buckets of settled slices that also have a hot copy, of these views.
fn settled_copies(
    connection: &Connection,
    slices: &Shape,
    views: Option<(ViewId, ViewId)>,
) -> ::duckdb::Result<BTreeSet<Bucket>> {
    let [hot, settled] = slices.tables();
    // The bounds let most of the settled table be left out: rows lie in it by their date, and so do the ids of views.
    let within =
        if views.is_some() { "WHERE \"view\" >= CAST($1 AS UUID) AND \"view\" <= CAST($2 AS UUID)" } else { "" };
    let sql = format!(
        "SELECT DISTINCT site, {} FROM (SELECT site, \"view\", n, started_at FROM {settled} {within}) \
         SEMI JOIN (SELECT site, \"view\", n FROM {hot} {within}) USING (site, \"view\", n)",
        hour("started_at"),
    );
    let values = views.map(|(first, last)| [first, last].map(|view| Value::Text(view.to_string())).to_vec());
    buckets(connection, &sql, values.unwrap_or_default())
}

/// The buckets of a site's settled slices of views that began before a day.
///
/// # Errors
/// What DuckDB says.
pub fn of_views_before(connection: &Connection, site: &SiteId, day: i32) -> ::duckdb::Result<BTreeSet<Bucket>> {
    let sql = format!("SELECT DISTINCT site, {} FROM slices WHERE site = $1 AND day < $2", hour("started_at"));
    buckets(connection, &sql, vec![Value::Text(site.to_string()), Value::Int(day)])
}

/// Remembers that these buckets are stale, though no hot row tells so.
///
/// # Errors
/// What DuckDB says.
pub fn remember(connection: &Connection, buckets: &BTreeSet<Bucket>) -> ::duckdb::Result<()> {
    let mut insert = connection.prepare("INSERT INTO quartile_stale VALUES ($1, $2)")?;
    buckets.iter().try_for_each(|(site, hour)| insert.execute(::duckdb::params![site, hour]).map(drop))
}

/// The buckets that are remembered as stale.
///
/// # Errors
/// What DuckDB says.
pub fn remembered(connection: &Connection) -> ::duckdb::Result<BTreeSet<Bucket>> {
    buckets(connection, "SELECT DISTINCT site, hour FROM quartile_stale", Vec::new())
}

/// Forgets that these buckets are stale.
///
/// # Errors
/// What DuckDB says.
pub fn forget_remembered(connection: &Connection, buckets: &BTreeSet<Bucket>) -> ::duckdb::Result<()> {
    let mut delete = connection.prepare("DELETE FROM quartile_stale WHERE site = $1 AND hour = $2")?;
    buckets.iter().try_for_each(|(site, hour)| delete.execute(::duckdb::params![site, hour]).map(drop))
}

/// Every bucket that has settled slices.
///
/// # Errors
/// What DuckDB says.
pub fn all(connection: &Connection) -> ::duckdb::Result<BTreeSet<Bucket>> {
    buckets(connection, &format!("SELECT DISTINCT site, {} FROM slices", hour("started_at")), Vec::new())
}

fn buckets(connection: &Connection, sql: &str, values: Vec<Value>) -> ::duckdb::Result<BTreeSet<Bucket>> {
    let mut prepared = connection.prepare(sql)?;
    let records = prepared.query_map(params_from_iter(values), |record| Ok((record.get(0)?, record.get(1)?)))?;
    records.collect()
}

/// Whether every bucket was computed since the sets were changed.
///
/// # Errors
/// What DuckDB says.
pub fn is_complete(connection: &Connection) -> ::duckdb::Result<bool> {
    connection.query_row("SELECT bool_and(complete) FROM quartile_aggregates", [], |record| record.get(0))
}

/// Remembers whether every bucket was computed.
///
/// # Errors
/// What DuckDB says.
pub fn set_complete(connection: &Connection, complete: bool) -> ::duckdb::Result<()> {
    connection.execute("UPDATE quartile_aggregates SET complete = $1", [complete]).map(drop)
}

/// Which buckets are stale, and what is still to be computed.
///
/// A query looks here *before* its snapshot is taken, a writer marks buckets *before* it commits and clears them *after*.
/// So what a snapshot has in its hot rows is either marked, or came after the query began.
#[derive(Debug, Default)]
pub struct Stale(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Those that hot rows may change.
    hot: BTreeSet<Bucket>,
    /// Those that settled rows have changed since they were computed.
    settled: BTreeSet<Bucket>,
    /// Buckets that were never computed; `None` once all were.
    missing: Option<BTreeSet<Bucket>>,
}

impl Stale {
    /// What hot rows may change, what settled rows have changed, and what was never computed.
    #[must_use]
    pub fn new(hot: BTreeSet<Bucket>, settled: BTreeSet<Bucket>, missing: Option<BTreeSet<Bucket>>) -> Self {
        Self(Mutex::new(State { hot, settled, missing }))
    }

    /// The stale hours of a site between two hours; `None` while not all buckets were computed.
    #[must_use]
    pub fn hours(&self, site: &SiteId, first: i64, end: i64) -> Option<BTreeSet<i64>> {
        let state = self.state();
        if state.missing.is_some() {
            return None;
        }
        let bounds = || (site.to_string(), first)..(site.to_string(), end);
        Some(state.hot.range(bounds()).chain(state.settled.range(bounds())).map(|(_, hour)| *hour).collect())
    }

    /// Hot rows may change these.
    pub fn mark(&self, buckets: BTreeSet<Bucket>) {
        self.state().hot.extend(buckets);
    }

    /// What hot rows may change.
    #[must_use]
    pub fn hot(&self) -> BTreeSet<Bucket> {
        self.state().hot.clone()
    }

    /// The hot rows were settled.
    pub fn settle(&self) {
        let mut state = self.state();
        let hot = std::mem::take(&mut state.hot);
        state.settled.extend(hot);
    }

    /// Some of what settled rows have changed and hot rows change no more: an hour that goes on is computed once, when it is
    /// over, because until then nobody reads what was computed of it.
    #[must_use]
    pub fn some_settled(&self, at_once: usize) -> BTreeSet<Bucket> {
        let state = self.state();
        state.settled.difference(&state.hot).take(at_once).cloned().collect()
    }

    /// What settled rows had changed was computed.
    pub fn clear_settled(&self, buckets: &BTreeSet<Bucket>) {
        self.state().settled.retain(|bucket| !buckets.contains(bucket));
    }

    /// Some buckets that were never computed, and whether there are more; `None` once all were.
    #[must_use]
    pub fn missing(&self, at_once: usize) -> Option<(BTreeSet<Bucket>, bool)> {
        let state = self.state();
        let missing = state.missing.as_ref()?;
        Some((missing.iter().take(at_once).cloned().collect(), missing.len() > at_once))
    }

    /// These were computed.
    pub fn computed(&self, buckets: &BTreeSet<Bucket>) {
        let mut state = self.state();
        if let Some(missing) = &mut state.missing {
            missing.retain(|bucket| !buckets.contains(bucket));
            if missing.is_empty() {
                state.missing = None;
            }
        }
    }

    /// These were never computed.
    pub fn set_missing(&self, buckets: BTreeSet<Bucket>) {
        self.state().missing = Some(buckets);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_that_goes_on_is_computed_when_it_is_over() {
        let stale = Stale::default();
        let [over, going_on] = [0, HOUR_MS].map(|hour| ("demo".to_owned(), hour));
        stale.mark(BTreeSet::from([over.clone(), going_on.clone()]));
        stale.settle();
        stale.mark(BTreeSet::from([going_on.clone()]));
        assert_eq!(stale.some_settled(9), BTreeSet::from([over]));
        stale.settle();
        assert!(stale.some_settled(9).contains(&going_on));
    }
}

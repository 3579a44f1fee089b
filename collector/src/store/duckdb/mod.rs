//! The embedded back end: one DuckDB file, which belongs to exactly one collector.
//!
//! | module | holds |
//! |---|---|
//! | [`schema`] | the tables, and how copies merge |
//! | [`open`] | opening, migration, and setting aside what cannot be opened |
//! | [`append`] | rows as columns |
//! | [`effort`] | how much of the machine it may take |
//! | [`aggregate`] | sums by the hour, kept true |
//! | [`render`] | a plan as SQL |
//! | [`read`] | answers as values |
//!
//! One connection writes, under a lock; each reader has a connection of its own and sees a snapshot. SQL text is in
//! this folder only, and no value from outside is ever part of it.

mod aggregate;
mod append;
mod effort;
mod open;
mod read;
mod render;
mod schema;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::duckdb::Connection;
use quartile_protocol::clock::Wall;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row};

use self::aggregate::Stale;
use self::append::Order;
use self::effort::Effort;
pub use self::open::OpenError;
use self::render::Statement;
use self::schema::Shape;
use super::cancel::Cancel;
use super::{Store, StoreError};
use crate::report::aggregate::{self as summed, Served};
use crate::report::plan::Plan;
use crate::report::table::Table;

/// Hours whose sums are computed in one transaction, during which nothing can be appended.
const BUCKETS_AT_ONCE: usize = 48;

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database file. Its folder is made if it is missing.
    pub path: PathBuf,
    /// Threads that a query may use; by default every core.
    pub threads: Option<u16>,
    /// Memory in units of 10⁶ bytes beyond which DuckDB writes to disk; by default 80 % of the machine's.
    pub memory_mb: Option<u32>,
    /// Hot rows at which they are moved into the settled table. What a move needs in memory grows with it.
    pub settle_rows: usize,
    /// How long a query may take.
    pub query_limit: Duration,
}

impl Options {
    /// The defaults.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            threads: None,
            memory_mb: None,
            settle_rows: 100_000,
            query_limit: Duration::from_secs(30),
        }
    }
}

/// The embedded store.
#[derive(Debug)]
pub struct DuckDb {
    path: PathBuf,
    slices: Shape,
    events: Shape,
    settle_rows: usize,
    query_limit: Duration,
    set_aside: Vec<PathBuf>,
    effort: Effort,
    stale: Stale,
    writer: Mutex<Option<Writer>>,
    readers: Mutex<Option<Readers>>,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    slices_order: Order,
    events_order: Order,
    /// Rows in the hot tables.
    hot: usize,
    /// At how many of them the next move is due.
    due: usize,
    /// Whether anything was written since the last check-point.
    dirty: bool,
}

#[derive(Debug)]
struct Readers {
    /// What new connections are cloned from.
    root: Connection,
    idle: Vec<Connection>,
}

impl DuckDb {
    /// Opens the database, or begins one. One that cannot be read is set aside: see [`set_aside`](Self::set_aside).
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(options: &Options, now: Wall) -> Result<Self, OpenError> {
        let (connection, set_aside) = open::open(options, now)?;
        let refuse = |error| OpenError::Refused(options.path.clone(), error);
        let (slices, events) = (schema::slices(), schema::events());
        let root = connection.try_clone().map_err(refuse)?;
        let slices_order = Order::of(&connection, &slices).map_err(refuse)?;
        let events_order = Order::of(&connection, &events).map_err(refuse)?;
        let effort = Effort::of(&root).map_err(refuse)?;
        let hot = count(&connection, &slices).and_then(|n| Ok(n + count(&connection, &events)?)).map_err(refuse)?;
        let stale = stale(&connection, &slices).map_err(refuse)?;
        Ok(Self {
            stale,
            path: options.path.clone(),
            slices,
            events,
            settle_rows: options.settle_rows,
            query_limit: options.query_limit,
            set_aside,
            effort,
            writer: Mutex::new(Some(Writer {
                connection,
                slices_order,
                events_order,
                hot,
                due: options.settle_rows,
                dirty: false,
            })),
            readers: Mutex::new(Some(Readers { root, idle: Vec::new() })),
        })
    }

    /// The files that could not be read and were renamed at opening: their rows are missing until they are given again.
    #[must_use]
    pub fn set_aside(&self) -> &[PathBuf] {
        &self.set_aside
    }

    /// Moves all hot rows, merged, into the settled tables. Changes no answer.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was moved.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.write(|writer| self.settle_hot(writer))
    }

    /// The furthest position that was [marked](Store::mark); 0 of a new database.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn marked(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            connection.query_row("SELECT max(position) FROM quartile_mark", [], |record| record.get(0))
        })
    }

    /// All merged slices of a site, in the order of their keys: for comparing stores, not for reports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all_rows(&self, site: &SiteId) -> Result<Vec<Row>, StoreError> {
        self.read(|connection| read::rows(connection, &self.slices, site, None))
    }

    /// All events of a site, by view and number: for comparing stores, not for reports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn all_events(&self, site: &SiteId) -> Result<Vec<EventRow>, StoreError> {
        self.read(|connection| read::timeline(connection, &self.events, site, None))
    }

    fn write<T>(&self, work: impl FnOnce(&mut Writer) -> ::duckdb::Result<T>) -> Result<T, StoreError> {
        let mut writer = locked(&self.writer);
        let result = work(writer.as_mut().ok_or(StoreError::Closed)?).map_err(StoreError::from);
        result.inspect_err(|error| self.remember_damage(error))
    }

    /// Damage in the middle of the file shows only when that part is read. Then the next opening sets the file aside.
    fn remember_damage(&self, error: &StoreError) {
        if let StoreError::Broken(reason) = error
            && open::is_damage_in_use(&**reason)
            && let Err(error) = open::remember_damage(&self.path)
        {
            tracing::error!(%error, "it cannot be written down that the database is damaged");
        }
    }

    /// Reads what somebody asked, for whom every thread is there.
    fn ask<T>(&self, cancel: &Cancel, work: impl FnOnce(&Connection) -> ::duckdb::Result<T>) -> Result<T, StoreError> {
        self.read_until(cancel, |connection| {
            self.effort.rise(connection)?;
            work(connection)
        })
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> ::duckdb::Result<T>) -> Result<T, StoreError> {
        self.read_until(&Cancel::default(), work)
    }

    fn read_until<T>(
        &self,
        cancel: &Cancel,
        work: impl FnOnce(&Connection) -> ::duckdb::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = {
            let mut readers = locked(&self.readers);
            let readers = readers.as_mut().ok_or(StoreError::Closed)?;
            readers.idle.pop().map_or_else(|| readers.root.try_clone(), Ok)?
        };
        let result = within(self.query_limit, &connection, cancel, work);
        let result = result.inspect_err(|error| self.remember_damage(error))?;
        if let Some(readers) = locked(&self.readers).as_mut() {
            readers.idle.push(connection);
        }
        Ok(result)
    }

    /// The statement for a plan, and what it reads: an aggregation if one covers the plan, else slices.
    fn planned(&self, plan: &Plan) -> (Statement, String) {
        let served = summed::served(plan);
        let stale = |served: &Served| self.stale.hours(&plan.site, served.first, served.end);
        match served.and_then(|served| stale(&served).map(|stale| (served, stale))) {
            Some((served, stale)) => {
                (render::over_hours(plan, &self.slices, &served, &stale), summed::name(served.set))
            }
            None => (render::render(plan, &self.slices), "slices".into()),
        }
    }

    /// Computes some of the buckets that settled rows have changed; tells whether there were any.
    fn compute_stale(&self, writer: &mut Writer) -> ::duckdb::Result<bool> {
        let stale = self.stale.some_settled(BUCKETS_AT_ONCE);
        if stale.is_empty() {
            return Ok(false);
        }
        let transaction = writer.connection.unchecked_transaction()?;
        aggregate::refresh(&transaction, &stale)?;
        aggregate::forget_remembered(&transaction, &stale)?;
        transaction.commit()?;
        self.stale.clear_settled(&stale);
        writer.dirty = true;
        Ok(true)
    }

    /// Computes some of the buckets that never were: those of a database from before their sets.
    fn compute_missing(&self, writer: &mut Writer) -> ::duckdb::Result<()> {
        while let Some((buckets, more)) = self.stale.missing(BUCKETS_AT_ONCE) {
            let transaction = writer.connection.unchecked_transaction()?;
            aggregate::refresh(&transaction, &buckets)?;
            aggregate::set_complete(&transaction, !more)?;
            transaction.commit()?;
            writer.dirty = true;
            self.stale.computed(&buckets);
            if more {
                break;
            }
        }
        Ok(())
    }

    /// Computes every bucket of every aggregation anew, and tells how many those are. Changes no answer, but for those that
    /// were wrong.
    ///
    /// # Errors
    /// [`StoreError`]; what was not computed is not used.
    pub fn recompute(&self) -> Result<usize, StoreError> {
        let buckets = self.write(|writer| {
            aggregate::set_complete(&writer.connection, false)?;
            let buckets = aggregate::all(&writer.connection)?;
            let count = buckets.len();
            self.stale.set_missing(buckets);
            Ok(count)
        })?;
        while self.stale.missing(0).is_some() {
            self.write(|writer| self.compute_missing(writer))?;
        }
        Ok(buckets)
    }

    fn settle_hot(&self, writer: &mut Writer) -> ::duckdb::Result<()> {
        if writer.hot == 0 {
            return Ok(());
        }
        // If this fails, the next one is due when there is as much again, so that appending stays quick.
        writer.due = writer.hot + self.settle_rows;
        let transaction = writer.connection.unchecked_transaction()?;
        for step in self.slices.settle().iter().chain(&self.events.settle()) {
            transaction.execute_batch(step)?;
        }
        aggregate::remember(&transaction, &self.stale.hot())?;
        transaction.commit()?;
        self.stale.settle();
        tracing::debug!(rows = writer.hot, "moved hot rows into the settled tables");
        (writer.hot, writer.due, writer.dirty) = (0, self.settle_rows, true);
        checkpoint(writer);
        self.effort.let_go(&writer.connection)
    }
}

impl Store for DuckDb {
    fn append(&self, rows: &[Row], events: &[EventRow]) -> Result<(), StoreError> {
        self.write(|writer| {
            let transaction = writer.connection.unchecked_transaction()?;
            append::slices(&transaction, &self.slices, &writer.slices_order, rows)?;
            append::events(&transaction, &self.events, &writer.events_order, events)?;
            self.stale.mark(aggregate::touched(&transaction, &self.slices, rows)?);
            transaction.commit()?;
            writer.hot += rows.len() + events.len();
            writer.dirty = true;
            if writer.hot >= writer.due
                && let Err(error) = self.settle_hot(writer)
            {
                // The rows are stored; only their place is not yet the best.
                tracing::error!(%error, hot = writer.hot, "cannot move hot rows: queries will be slower");
            }
            Ok(())
        })
    }

    fn mark(&self, position: u64) -> Result<(), StoreError> {
        self.write(|writer| {
            writer.connection.execute("UPDATE quartile_mark SET position = greatest(position, $1)", [position])?;
            writer.dirty = true;
            Ok(())
        })
    }

    fn rows(&self, site: &SiteId, keys: &[(ViewId, u32)]) -> Result<Vec<Row>, StoreError> {
        self.read(|connection| read::rows(connection, &self.slices, site, Some(keys)))
    }

    fn query(&self, plan: &Plan, cancel: &Cancel) -> Result<Table, StoreError> {
        let ask = |plan: &Plan| {
            let (statement, source) = self.planned(plan);
            let table = self.ask(cancel, |connection| read::table(connection, plan, &statement))?;
            Ok::<_, StoreError>(Table { source, ..table })
        };
        let mut table = ask(plan)?;
        let first_page = plan.offset == 0 && plan.after.is_none() && plan.limit > 0;
        if table.rows.is_empty() && !first_page {
            // An empty page does not tell how many rows the others have.
            table.groups = ask(&Plan { after: None, offset: 0, limit: 1, ..plan.clone() })?.groups;
        }
        Ok(table)
    }

    fn earliest(&self, site: &SiteId) -> Result<Option<Wall>, StoreError> {
        self.ask(&Cancel::default(), |connection| read::earliest(connection, &self.slices, site))
    }

    fn timeline(&self, site: &SiteId, view: ViewId) -> Result<Vec<EventRow>, StoreError> {
        self.ask(&Cancel::default(), |connection| read::timeline(connection, &self.events, site, Some(view)))
    }

    fn forget(&self, site: &SiteId, before: i64) -> Result<u64, StoreError> {
        let before = before.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        self.write(|writer| {
            let transaction = writer.connection.unchecked_transaction()?;
            let touched = aggregate::of_views_before(&transaction, site, before)?;
            let (mut hot, mut settled) = (0, 0);
            for shape in [&self.slices, &self.events] {
                hot += transaction.execute(&schema::forget(shape.hot), ::duckdb::params![site.as_str(), before])?;
                settled +=
                    transaction.execute(&schema::forget(shape.settled), ::duckdb::params![site.as_str(), before])?;
            }
            aggregate::refresh(&transaction, &touched)?;
            transaction.commit()?;
            writer.hot -= hot;
            writer.dirty |= hot + settled > 0;
            Ok((hot + settled) as u64)
        })
    }

    fn maintain(&self) -> Result<(), StoreError> {
        self.write(|writer| {
            // Sooner than an append would have to, while nobody waits.
            if writer.hot >= self.settle_rows / 4 {
                self.settle_hot(writer)?;
            }
            Ok(())
        })?;
        // Others append in between.
        while self.write(|writer| self.compute_stale(writer))? {}
        self.write(|writer| {
            self.compute_missing(writer)?;
            checkpoint(writer);
            self.effort.rest(&writer.connection)
        })
    }

    fn ready(&self) -> Result<(), StoreError> {
        self.read(|connection| connection.execute_batch("SELECT 1"))
    }

    fn close(&self) -> Result<(), StoreError> {
        self.write(|writer| {
            checkpoint(writer);
            Ok(())
        })?;
        *locked(&self.readers) = None;
        *locked(&self.writer) = None;
        Ok(())
    }
}

/// Works on a connection, and interrupts it after a time or when it is cancelled. An interrupted connection can be used
/// again.
fn within<T>(
    limit: Duration,
    connection: &Connection,
    cancel: &Cancel,
    work: impl FnOnce(&Connection) -> ::duckdb::Result<T>,
) -> Result<T, StoreError> {
    let (interrupt, interrupted) = (connection.interrupt_handle(), &AtomicBool::new(false));
    let cancelled = connection.interrupt_handle();
    let (done, finished) = mpsc::channel::<()>();
    let result = std::thread::scope(|scope| {
        scope.spawn(move || {
            if finished.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                interrupted.store(true, Ordering::Relaxed);
                interrupt.interrupt();
            }
        });
        let result = cancel.during(move || cancelled.interrupt(), || work(connection));
        drop(done);
        result
    });
    match result {
        None => Err(StoreError::Cancelled),
        Some(Err(_)) if cancel.is_cancelled() => Err(StoreError::Cancelled),
        Some(Err(_)) if interrupted.load(Ordering::Relaxed) => Err(StoreError::TooSlow),
        Some(result) => Ok(result?),
    }
}

/// What is to be known of the aggregations at the beginning.
fn stale(connection: &Connection, slices: &Shape) -> ::duckdb::Result<Stale> {
    let missing = if aggregate::is_complete(connection)? { None } else { Some(aggregate::all(connection)?) };
    let (hot, settled) = (aggregate::touched_by_hot(connection, slices)?, aggregate::remembered(connection)?);
    Ok(Stale::new(hot, settled, missing))
}

/// Brings the write-ahead log into the database. A failure loses nothing: the log stays, and the next one will do it.
fn checkpoint(writer: &mut Writer) {
    if !writer.dirty {
        return;
    }
    match writer.connection.execute_batch("CHECKPOINT") {
        Ok(()) => writer.dirty = false,
        Err(error) => tracing::warn!(%error, "no check-point now"),
    }
}

fn count(connection: &Connection, shape: &Shape) -> ::duckdb::Result<usize> {
    connection.query_row(&format!("SELECT count(*) FROM {}", shape.hot), [], |record| record.get(0))
}

/// A panic while the lock was held left nothing half done: what was not committed is rolled back.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<::duckdb::Error> for StoreError {
    fn from(error: ::duckdb::Error) -> Self {
        // DuckDB tells the classes of its errors by these beginnings. What is not known to be the caller's is retried.
        const REFUSED: &[&str] =
            &["Conversion Error", "Constraint Error", "Invalid Input Error", "Out of Range Error", "Binder Error"];
        // After an error of these classes DuckDB refuses everything until the file is opened again.
        const BROKEN: &[&str] = &["FATAL Error", "INTERNAL Error"];
        let text = error.to_string();
        if BROKEN.iter().any(|class| text.starts_with(class))
            || text.contains("database has been invalidated")
            || open::is_damage_in_use(&error)
        {
            return Self::Broken(Box::new(error));
        }
        let refused = matches!(error, ::duckdb::Error::ToSqlConversionFailure(_))
            || REFUSED.iter().any(|class| text.starts_with(class));
        if refused { Self::Refused(Box::new(error)) } else { Self::Unavailable(Box::new(error)) }
    }
}

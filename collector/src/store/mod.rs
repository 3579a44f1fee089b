//! Where merged rows live and are queried: the contract that every back end keeps.
//!
//! | module | holds |
//! |---|---|
//! | [`duckdb`] | the embedded back end, for exactly one collector |
//! | [`cancel`] | telling a store that nobody waits for its answer any more |
//! | [`reopen`] | any of them, opened again when it broke |
//!
//! One conformance suite holds every back end to what is written at [`Store`].

use quartile_protocol::clock::Wall;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row};

use self::cancel::Cancel;
use crate::report::plan::Plan;
use crate::report::table::Table;

pub mod cancel;
#[cfg(feature = "duckdb")]
pub mod duckdb;
pub mod none;
pub mod reopen;

#[cfg(test)]
pub(crate) mod arbitrary;
#[cfg(test)]
pub(crate) mod conformance;
#[cfg(test)]
pub(crate) mod memory;

/// A place for rows.
///
/// Every method blocks on disk or network: call them from a thread that may block. All may be called from several
/// threads at once; an `append` and a `query` do not wait for each other.
pub trait Store: Send + Sync {
    /// Stores copies of slices and of events, all of them or none.
    ///
    /// - **Identity.** A slice is `(site, view, n)`, an event `(site, view, seq)`. Copies of one identity, in this call
    ///   or in different ones, merge: slices by [`Row::join`], events by keeping the copy with the earliest date.
    /// - **Idempotent, in any order.** The same copies any number of times, in any order, in any division into calls,
    ///   make the same store. After an error the caller appends the whole again.
    /// - **Visible.** A query that begins after this has returned sees the merged rows.
    /// - **Durable.** What was appended is there after a crash of the process.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the call was stored. Where it [is retryable](StoreError::is_retryable) the same call
    /// may succeed later; otherwise some row in it can never be stored.
    fn append(&self, rows: &[Row], events: &[EventRow]) -> Result<(), StoreError>;

    /// Remembers, as safely as it keeps rows, that everything before this position of the collector's queue was appended.
    /// A back end of several collectors need not.
    ///
    /// # Errors
    /// [`StoreError`].
    fn mark(&self, position: u64) -> Result<(), StoreError>;

    /// The merged slices with these keys, in any order; one that is not there is left out. Give it a few thousand keys at
    /// the most.
    ///
    /// # Errors
    /// [`StoreError`].
    fn rows(&self, site: &SiteId, keys: &[(ViewId, u32)]) -> Result<Vec<Row>, StoreError>;

    /// Answers a plan over merged rows: exactly what a naive evaluation of it over all rows would. Gives up, and frees what
    /// it holds, when it is cancelled.
    ///
    /// # Errors
    /// [`StoreError`].
    fn query(&self, plan: &Plan, cancel: &Cancel) -> Result<Table, StoreError>;

    /// The earliest start of any slice of a site; `None` when it has none.
    ///
    /// # Errors
    /// [`StoreError`].
    fn earliest(&self, site: &SiteId) -> Result<Option<Wall>, StoreError>;

    /// The events of one view by their number.
    ///
    /// # Errors
    /// [`StoreError`].
    fn timeline(&self, site: &SiteId, view: ViewId) -> Result<Vec<EventRow>, StoreError>;

    /// Removes the slices and events of a site's views that began before this day (whole days since 1970, UTC), and tells
    /// how many rows those were. What comes late for such a view is stored again until this is called again.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was removed.
    fn forget(&self, site: &SiteId, before: i64) -> Result<u64, StoreError>;

    /// Does what the back end puts off: moving, merging, check-points. Changes no answer. Call it every minute or so;
    /// it is cheap when nothing is due.
    ///
    /// # Errors
    /// [`StoreError`].
    fn maintain(&self) -> Result<(), StoreError>;

    /// Whether the store can answer now.
    ///
    /// # Errors
    /// [`StoreError`].
    fn ready(&self) -> Result<(), StoreError>;

    /// Brings everything to disk and lets go of it. Every later call fails with [`StoreError::Closed`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn close(&self) -> Result<(), StoreError>;
}

/// Why a store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot now, for a reason that may pass: disk full, out of memory, not reachable.
    #[error("the store cannot do this now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It is of no use any more and has to be opened again; what it has on disk is there.
    #[error("the store broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It never will: what it was given cannot be stored or answered.
    #[error("the store cannot take this")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The query took longer than a query may.
    #[error("the query took too long")]
    TooSlow,
    /// Nobody waits for the answer any more.
    #[error("the query was cancelled")]
    Cancelled,
    /// It was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Broken(_))
    }
}

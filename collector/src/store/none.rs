//! No store at all, for a collector that forwards only: what it is given is as good as stored, and it answers nothing.
//!
//! A build without the embedded store has this one. Rows go to sinks with `rows = "as_received"`; settled rows are merged
//! by a store.

use quartile_protocol::clock::Wall;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row};

use super::cancel::Cancel;
use super::{Store, StoreError};
use crate::report::plan::Plan;
use crate::report::table::Table;
use crate::sink::{SinkConfig, When};

/// Why a collector without a store is of no use.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointlessError {
    /// Nobody would get what was sent.
    #[error(
        "this collector was built without the feature `duckdb` and has no sink: configure one, or build it with the feature"
    )]
    NoSink,
    /// Merged rows cannot be had.
    #[error(
        "the sink {0} wants settled rows, which takes a store: say `rows = \"as_received\"`, or build the collector with the feature `duckdb`"
    )]
    SettledSink(String),
}

/// Keeps nothing.
#[derive(Debug)]
pub struct NoStore(());

impl NoStore {
    /// No store, where these sinks can do without.
    ///
    /// # Errors
    /// [`PointlessError`].
    pub fn for_sinks(sinks: &[SinkConfig]) -> Result<Self, PointlessError> {
        if sinks.is_empty() {
            return Err(PointlessError::NoSink);
        }
        match sinks.iter().find(|sink| sink.when != When::AsReceived) {
            Some(sink) => Err(PointlessError::SettledSink(sink.name.clone())),
            None => Ok(Self(())),
        }
    }
}

fn nothing<T>() -> Result<T, StoreError> {
    Err(StoreError::Refused("this collector forwards only: it has no store to ask".into()))
}

impl Store for NoStore {
    fn append(&self, _: &[Row], _: &[EventRow]) -> Result<(), StoreError> {
        Ok(())
    }

    fn mark(&self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn rows(&self, _: &SiteId, _: &[(ViewId, u32)]) -> Result<Vec<Row>, StoreError> {
        nothing()
    }

    fn query(&self, _: &Plan, _: &Cancel) -> Result<Table, StoreError> {
        nothing()
    }

    fn earliest(&self, _: &SiteId) -> Result<Option<Wall>, StoreError> {
        nothing()
    }

    fn timeline(&self, _: &SiteId, _: ViewId) -> Result<Vec<EventRow>, StoreError> {
        nothing()
    }

    fn forget(&self, _: &SiteId, _: i64) -> Result<u64, StoreError> {
        Ok(0)
    }

    fn maintain(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_sinks_that_take_rows_as_they_come_can_do_without_a_store() {
        let sink = |name: &str, when| SinkConfig {
            name: name.into(),
            url: "http://127.0.0.1:9/".into(),
            secret: None,
            when,
            max_bytes: 1 << 30,
        };
        let refusal = |sinks: &[SinkConfig]| NoStore::for_sinks(sinks).err();
        assert_eq!(refusal(&[]), Some(PointlessError::NoSink));
        let (quick, settled) = (sink("quick", When::AsReceived), sink("late", When::Settled(Duration::from_secs(1))));
        assert_eq!(refusal(&[quick.clone(), settled]), Some(PointlessError::SettledSink("late".into())));
        let store = NoStore::for_sinks(&[quick]).unwrap();
        assert!(store.append(&[], &[]).is_ok() && store.ready().is_ok());
        assert!(matches!(store.earliest(&SiteId::new("demo").unwrap()), Err(StoreError::Refused(_))));
    }
}

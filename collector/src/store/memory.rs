//! A store in memory, evaluated by the referee. What the other back ends are compared with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use quartile_protocol::clock::Wall;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row, RowKey};

use super::cancel::Cancel;
use super::conformance::Place;
use super::{Store, StoreError};
use crate::report::plan::Plan;
use crate::report::referee;
use crate::report::table::Table;

#[derive(Debug, Default)]
struct Rows {
    slices: BTreeMap<RowKey, Row>,
    events: BTreeMap<(SiteId, ViewId, u32), EventRow>,
}

/// A store in memory; opened again, it has the same rows.
#[derive(Debug, Default)]
pub struct Memory {
    rows: Arc<Mutex<Rows>>,
    closed: Mutex<bool>,
}

impl Memory {
    fn with<T>(&self, work: impl FnOnce(&mut Rows) -> T) -> Result<T, StoreError> {
        if *self.closed.lock().unwrap() {
            return Err(StoreError::Closed);
        }
        Ok(work(&mut self.rows.lock().unwrap()))
    }
}

impl Store for Memory {
    fn append(&self, rows: &[Row], events: &[EventRow]) -> Result<(), StoreError> {
        self.with(|stored| {
            for row in rows {
                stored
                    .slices
                    .entry(row.key.clone())
                    .and_modify(|stored| stored.join(row))
                    .or_insert_with(|| row.clone());
            }
            for event in events {
                let key = (event.site.clone(), event.view, event.event.seq);
                let stored = stored.events.entry(key).or_insert_with(|| event.clone());
                if event.event.at < stored.event.at {
                    *stored = event.clone();
                }
            }
        })
    }

    fn mark(&self, _: u64) -> Result<(), StoreError> {
        Ok(())
    }

    fn rows(&self, site: &SiteId, keys: &[(ViewId, u32)]) -> Result<Vec<Row>, StoreError> {
        self.with(|stored| {
            let key = |&(view, n): &(ViewId, u32)| RowKey { site: site.clone(), view, n };
            keys.iter().filter_map(|wanted| stored.slices.get(&key(wanted)).cloned()).collect()
        })
    }

    fn query(&self, plan: &Plan, _: &Cancel) -> Result<Table, StoreError> {
        self.with(|stored| referee::evaluate(plan, stored.slices.values()))
    }

    fn earliest(&self, site: &SiteId) -> Result<Option<Wall>, StoreError> {
        self.with(|stored| stored.slices.values().filter(|row| row.key.site == *site).map(|row| row.started_at).min())
    }

    fn timeline(&self, site: &SiteId, view: ViewId) -> Result<Vec<EventRow>, StoreError> {
        self.with(|stored| {
            stored.events.values().filter(|event| event.site == *site && event.view == view).cloned().collect()
        })
    }

    fn forget(&self, site: &SiteId, before: i64) -> Result<u64, StoreError> {
        self.with(|stored| {
            let all = stored.slices.len() + stored.events.len();
            stored.slices.retain(|key, _| key.site != *site || key.view.day() >= before);
            stored.events.retain(|(of, view, _), _| of != site || view.day() >= before);
            (all - stored.slices.len() - stored.events.len()) as u64
        })
    }

    fn maintain(&self) -> Result<(), StoreError> {
        self.with(|_| ())
    }

    fn ready(&self) -> Result<(), StoreError> {
        self.with(|_| ())
    }

    fn close(&self) -> Result<(), StoreError> {
        self.with(|_| ())?;
        *self.closed.lock().unwrap() = true;
        Ok(())
    }
}

/// Where [`Memory`] is opened.
#[derive(Debug, Default)]
pub struct InMemory(Arc<Mutex<Rows>>);

impl Place for InMemory {
    fn new() -> Self {
        Self::default()
    }

    fn open(&self) -> Box<dyn Store> {
        Box::new(Memory { rows: Arc::clone(&self.0), closed: Mutex::new(false) })
    }

    fn after_crash(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

super::conformance::suite!(InMemory);

//! A store that is opened again when it broke, and that may be missing at first: nothing that happens to a database
//! keeps the collector from taking in what is sent.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use quartile_protocol::clock::Wall;
use quartile_protocol::id::{SiteId, ViewId};
use quartile_protocol::row::{EventRow, Row};

use super::cancel::Cancel;
use super::{Store, StoreError};
use crate::report::plan::Plan;
use crate::report::table::Table;

/// Opens a store.
pub type Open = Box<dyn Fn() -> Result<Arc<dyn Store>, Box<dyn Error + Send + Sync>> + Send + Sync>;

/// A store that opens when it can. Whoever needs it opens it, one at a time; others are told meanwhile to come back.
pub struct Reopening {
    open: Open,
    state: Mutex<State>,
    /// Held while it is being opened, so that nobody else waits for it.
    opening: Mutex<()>,
}

enum State {
    Open(Arc<dyn Store>),
    /// It is to be opened, once nobody uses what it was before.
    Missing(Option<Weak<dyn Store>>),
    Closed,
}

#[derive(Debug, thiserror::Error)]
enum Missing {
    #[error("the store is not open")]
    NotOpen,
    #[error("the store is being opened")]
    Opening,
    #[error("the store broke, and a query still uses it")]
    StillUsed,
    #[error("the store panicked")]
    Panicked,
}

impl From<Missing> for StoreError {
    fn from(missing: Missing) -> Self {
        Self::Unavailable(missing.into())
    }
}

impl Reopening {
    /// A store that `open` opens. Tries it once now; blocks for as long as that takes.
    #[must_use]
    pub fn new(open: Open) -> Self {
        let store = Self { open, state: Mutex::new(State::Missing(None)), opening: Mutex::new(()) };
        if let Err(error) = store.opened() {
            tracing::error!(?error, "THE STORE CANNOT BE OPENED; what is sent is kept in the queue until it can");
        }
        store
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store, if it is open.
    fn current(&self) -> Result<Arc<dyn Store>, StoreError> {
        match &*self.state() {
            State::Open(store) => Ok(Arc::clone(store)),
            State::Missing(_) => Err(Missing::NotOpen.into()),
            State::Closed => Err(StoreError::Closed),
        }
    }

    /// The store, opened if it was not.
    fn opened(&self) -> Result<Arc<dyn Store>, StoreError> {
        let Ok(_opening) = self.opening.try_lock() else {
            return self.current().map_err(|_| Missing::Opening.into());
        };
        match &*self.state() {
            State::Open(store) => return Ok(Arc::clone(store)),
            State::Closed => return Err(StoreError::Closed),
            State::Missing(Some(before)) if before.strong_count() > 0 => return Err(Missing::StillUsed.into()),
            State::Missing(_) => {}
        }
        let store = caught(|| (self.open)().map_err(StoreError::Unavailable))?;
        let mut state = self.state();
        if matches!(*state, State::Closed) {
            return Err(StoreError::Closed);
        }
        *state = State::Open(Arc::clone(&store));
        Ok(store)
    }

    /// Does something with the store; lets go of it if that broke it.
    fn with<T>(
        &self,
        store: Result<Arc<dyn Store>, StoreError>,
        work: impl FnOnce(&dyn Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let store = store?;
        let result = caught(|| work(&*store));
        if let Err(StoreError::Broken(reason)) = &result {
            tracing::error!(
                ?reason,
                "THE STORE BROKE and is opened again; what is sent is kept in the queue meanwhile"
            );
            self.let_go(&store);
        }
        result
    }

    fn let_go(&self, broken: &Arc<dyn Store>) {
        let mut state = self.state();
        if matches!(&*state, State::Open(current) if Arc::ptr_eq(current, broken)) {
            *state = State::Missing(Some(Arc::downgrade(broken)));
            drop(state);
            // Whatever it says: it is not used any more.
            let _ = caught(|| broken.close());
        }
    }
}

/// A panic is a break: what it left behind is not trusted.
fn caught<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(StoreError::Broken(Missing::Panicked.into())))
}

impl Store for Reopening {
    fn append(&self, rows: &[Row], events: &[EventRow]) -> Result<(), StoreError> {
        self.with(self.opened(), |store| store.append(rows, events))
    }

    fn mark(&self, position: u64) -> Result<(), StoreError> {
        self.with(self.opened(), |store| store.mark(position))
    }

    fn rows(&self, site: &SiteId, keys: &[(ViewId, u32)]) -> Result<Vec<Row>, StoreError> {
        self.with(self.opened(), |store| store.rows(site, keys))
    }

    fn query(&self, plan: &Plan, cancel: &Cancel) -> Result<Table, StoreError> {
        self.with(self.opened(), |store| store.query(plan, cancel))
    }

    fn earliest(&self, site: &SiteId) -> Result<Option<Wall>, StoreError> {
        self.with(self.opened(), |store| store.earliest(site))
    }

    fn timeline(&self, site: &SiteId, view: ViewId) -> Result<Vec<EventRow>, StoreError> {
        self.with(self.opened(), |store| store.timeline(site, view))
    }

    fn forget(&self, site: &SiteId, before: i64) -> Result<u64, StoreError> {
        self.with(self.opened(), |store| store.forget(site, before))
    }

    fn maintain(&self) -> Result<(), StoreError> {
        self.with(self.opened(), |store| store.maintain())
    }

    fn ready(&self) -> Result<(), StoreError> {
        self.with(self.current(), |store| store.ready())
    }

    fn close(&self) -> Result<(), StoreError> {
        let before = std::mem::replace(&mut *self.state(), State::Closed);
        match before {
            State::Open(store) => caught(|| store.close()),
            State::Missing(_) => Ok(()),
            State::Closed => Err(StoreError::Closed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;
    use crate::store::conformance::Place;
    use crate::store::memory::InMemory;

    /// Breaks or panics at the next append when told to.
    struct Fragile {
        inner: Box<dyn Store>,
        breaks: Arc<AtomicBool>,
        panics: Arc<AtomicBool>,
    }

    impl Store for Fragile {
        fn append(&self, rows: &[Row], events: &[EventRow]) -> Result<(), StoreError> {
            assert!(!self.panics.swap(false, Ordering::SeqCst), "on purpose");
            if self.breaks.swap(false, Ordering::SeqCst) {
                return Err(StoreError::Broken("FATAL Error".into()));
            }
            self.inner.append(rows, events)
        }
        fn mark(&self, position: u64) -> Result<(), StoreError> {
            self.inner.mark(position)
        }
        fn rows(&self, site: &SiteId, keys: &[(ViewId, u32)]) -> Result<Vec<Row>, StoreError> {
            self.inner.rows(site, keys)
        }
        fn query(&self, plan: &Plan, cancel: &Cancel) -> Result<Table, StoreError> {
            self.inner.query(plan, cancel)
        }
        fn earliest(&self, site: &SiteId) -> Result<Option<Wall>, StoreError> {
            self.inner.earliest(site)
        }
        fn timeline(&self, site: &SiteId, view: ViewId) -> Result<Vec<EventRow>, StoreError> {
            self.inner.timeline(site, view)
        }
        fn forget(&self, site: &SiteId, before: i64) -> Result<u64, StoreError> {
            self.inner.forget(site, before)
        }

        fn maintain(&self) -> Result<(), StoreError> {
            self.inner.maintain()
        }
        fn ready(&self) -> Result<(), StoreError> {
            self.inner.ready()
        }
        fn close(&self) -> Result<(), StoreError> {
            self.inner.close()
        }
    }

    #[derive(Default)]
    struct Scene {
        opened: Arc<AtomicU32>,
        refuses: Arc<AtomicBool>,
        breaks: Arc<AtomicBool>,
        panics: Arc<AtomicBool>,
    }

    impl Scene {
        fn store(&self) -> Reopening {
            let (opened, refuses) = (Arc::clone(&self.opened), Arc::clone(&self.refuses));
            let (breaks, panics, place) = (Arc::clone(&self.breaks), Arc::clone(&self.panics), InMemory::new());
            Reopening::new(Box::new(move || {
                if refuses.load(Ordering::SeqCst) {
                    return Err("not now".into());
                }
                opened.fetch_add(1, Ordering::SeqCst);
                let (breaks, panics) = (Arc::clone(&breaks), Arc::clone(&panics));
                Ok(Arc::new(Fragile { inner: place.open(), breaks, panics }))
            }))
        }
    }

    #[test]
    fn a_store_that_cannot_be_opened_is_missing_until_it_can() {
        let scene = Scene::default();
        scene.refuses.store(true, Ordering::SeqCst);
        let store = scene.store();
        assert!(store.ready().unwrap_err().is_retryable());
        assert!(store.append(&[], &[]).unwrap_err().is_retryable());
        scene.refuses.store(false, Ordering::SeqCst);
        assert!(store.ready().is_err(), "who only looks does not open it");
        store.append(&[], &[]).unwrap();
        store.ready().unwrap();
    }

    #[test]
    fn a_store_that_broke_is_opened_again_by_the_next_append() {
        for fault in ["break", "panic"] {
            let scene = Scene::default();
            let store = scene.store();
            let flag = if fault == "break" { &scene.breaks } else { &scene.panics };
            flag.store(true, Ordering::SeqCst);
            assert!(store.append(&[], &[]).unwrap_err().is_retryable(), "{fault}");
            assert!(store.ready().is_err());
            store.append(&[], &[]).unwrap();
            assert_eq!(scene.opened.load(Ordering::SeqCst), 2, "{fault}");
        }
    }

    #[test]
    fn a_broken_store_is_not_opened_while_somebody_uses_it() {
        let scene = Scene::default();
        let store = scene.store();
        let query = store.current().unwrap();
        scene.breaks.store(true, Ordering::SeqCst);
        store.append(&[], &[]).unwrap_err();
        assert!(store.append(&[], &[]).unwrap_err().is_retryable());
        assert_eq!(scene.opened.load(Ordering::SeqCst), 1);
        drop(query);
        store.append(&[], &[]).unwrap();
    }

    #[test]
    fn a_closed_store_stays_closed() {
        let scene = Scene::default();
        let store = scene.store();
        store.close().unwrap();
        assert!(matches!(store.append(&[], &[]), Err(StoreError::Closed)));
        assert_eq!(scene.opened.load(Ordering::SeqCst), 1);
    }
}

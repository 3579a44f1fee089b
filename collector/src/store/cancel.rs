//! A query that nobody waits for any more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Told by who asks that the answer is not wanted any more; heard by the store that works on it. Clones are the same.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    cancelled: bool,
    interrupt: Option<Box<dyn Fn() + Send>>,
}

impl Cancel {
    /// Says that the answer is not wanted any more. What is at work is interrupted, what comes later does not begin.
    pub fn cancel(&self) {
        let mut state = self.state();
        state.cancelled = true;
        if let Some(interrupt) = &state.interrupt {
            interrupt();
        }
    }

    /// Whether it was said.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state().cancelled
    }

    /// Works, where `interrupt` stops the work from another thread. `None` if the work was not to begin any more.
    pub fn during<T>(&self, interrupt: impl Fn() + Send + 'static, work: impl FnOnce() -> T) -> Option<T> {
        {
            let mut state = self.state();
            if state.cancelled {
                return None;
            }
            state.interrupt = Some(Box::new(interrupt));
        }
        let result = work();
        self.state().interrupt = None;
        Some(result)
    }

    /// Cancels when it is dropped.
    #[must_use]
    pub fn on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cancel").field("cancelled", &self.is_cancelled()).finish()
    }
}

/// See [`Cancel::on_drop`].
#[derive(Debug)]
pub struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn work_is_interrupted_while_it_goes_on_and_not_after() {
        let (cancel, interrupted) = (Cancel::default(), Arc::new(AtomicU32::new(0)));
        let count = Arc::clone(&interrupted);
        let interrupt = move || {
            count.fetch_add(1, Ordering::SeqCst);
        };
        assert_eq!(cancel.during(interrupt.clone(), || 7), Some(7));
        drop(Cancel::default().on_drop());
        assert_eq!(interrupted.load(Ordering::SeqCst), 0);
        cancel.during(interrupt.clone(), || drop(cancel.on_drop()));
        assert_eq!(interrupted.load(Ordering::SeqCst), 1);
        assert!(cancel.is_cancelled());
        assert_eq!(cancel.during(interrupt, || 7), None, "nothing begins any more");
    }
}

//! The one place that reads the machine's clock; everything else is told the time.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use quartile_protocol::clock::Wall;

/// Tells the date. Tests hold one that stands still.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Wall + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(system_now))
    }

    /// A clock that is read by `now`.
    #[must_use]
    pub fn of(now: impl Fn() -> Wall + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The date.
    #[must_use]
    pub fn now(&self) -> Wall {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now().as_ms())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the shell's clock")]
fn system_now() -> Wall {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall::from_ms(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

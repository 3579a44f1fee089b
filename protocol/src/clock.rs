//! Three clocks, three types. Durations come from the monotonic clock, dates from the wall clock, and places in a
//! video from the media clock; no expression can mix them by accident.

use core::ops::{Add, Sub};

use serde::{Serialize, Serializer};

/// A duration in milliseconds of real time.
pub type Millis = u64;

/// One minute, in milliseconds.
pub const MINUTE_MS: i64 = 60_000;

/// One day, in milliseconds.
pub const DAY_MS: i64 = 86_400_000;

/// A date: milliseconds since 1970-01-01T00:00:00Z by somebody's clock, which may be wrong (televisions start in 1970).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(i64);

impl Wall {
    /// The date at `ms` milliseconds since 1970.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is the later one.
    #[must_use]
    #[inline(never)] // In a browser it is a dozen instructions.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This date moved by `ms`, forwards or backwards.
    #[must_use]
    #[inline(never)] // In a browser it is a dozen instructions.
    pub const fn shifted(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The latest multiple of `step_ms` that is not after this date: the beginning of its minute, day, …
    #[must_use]
    pub const fn floor(self, step_ms: i64) -> Self {
        Self(self.0 - self.0.rem_euclid(step_ms))
    }
}

impl Serialize for Wall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// A reading of a clock that never goes back, in milliseconds since an arbitrary start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(u64);

impl Mono {
    /// A reading that never comes.
    pub const NEVER: Self = Self(u64::MAX / 2);

    /// The reading `ms`.
    #[must_use]
    pub const fn from_ms(ms: Millis) -> Self {
        Self(ms)
    }

    /// Milliseconds since the clock's arbitrary start.
    #[must_use]
    pub const fn as_ms(self) -> Millis {
        self.0
    }

    /// Milliseconds from `earlier` to `self`; 0 when `earlier` is the later one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Millis {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Millis> for Mono {
    type Output = Self;
    fn add(self, ms: Millis) -> Self {
        Self(self.0.wrapping_add(ms))
    }
}

impl Sub<Millis> for Mono {
    type Output = Self;
    fn sub(self, ms: Millis) -> Self {
        Self(self.0.saturating_sub(ms))
    }
}

/// A place in a video: milliseconds from its beginning. Live streams may start anywhere, even at the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Media(i64);

impl Media {
    /// The place `ms` milliseconds into the video.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// The place that an HTML media element gives in seconds; `None` when it is not a finite number.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        // The cast saturates, so that an absurd position stays absurd instead of wrapping.
        seconds.is_finite().then_some(Self((seconds * 1000.0 + 0.5) as i64))
    }

    /// Milliseconds from the beginning of the video.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }
}

impl Sub for Media {
    type Output = i64;
    fn sub(self, earlier: Self) -> i64 {
        self.0.wrapping_sub(earlier.0)
    }
}

/// One instant on both clocks: the monotonic one measures, the wall clock dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For durations.
    pub mono: Mono,
    /// For dates.
    pub wall: Wall,
}

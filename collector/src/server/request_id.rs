//! The names of requests: what an operator searches the log for.

use std::fmt;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

/// Odd, so that its multiples meet every number before one comes again; and large, so that neighbours look different.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
    // Without randomness the names begin the same after each start, which is no harm.
    AtomicU64::new(getrandom::u64().unwrap_or_default())
});

/// The name of one request: 16 hexadecimal digits, no two alike while the collector runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestId(u64);

impl RequestId {
    pub(super) fn next() -> Self {
        Self(NEXT.fetch_add(STEP, Ordering::Relaxed))
    }

    pub(super) fn header(self) -> HeaderValue {
        let digit = |index: u32| b"0123456789abcdef"[(self.0 >> (60 - 4 * index)) as usize & 15];
        let digits: [u8; 16] = std::array::from_fn(|index| digit(index as u32));
        HeaderValue::from_bytes(&digits).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

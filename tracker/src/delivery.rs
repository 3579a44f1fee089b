//! When to send, and when to try again.
//!
//! One request at a time: soon after a play, at once when something went wrong or came to its end, and for the rest once in
//! an interval, because what a request costs is mostly its headers. What is refused for now or lost is said again after a
//! delay that doubles, up to a bound, with jitter, so that many pages do not come back together.

use quartile_protocol::clock::{Millis, Mono};

use crate::ledger::DeliveryId;
use crate::random::Random;

/// From the first news to the request that tells it. It is what a browser that crashes loses at most; from a page that is
/// hidden or left everything is sent.
pub(crate) const INTERVAL_MS: Millis = 30_000;

/// From a play to the request that tells it. It takes long enough to hold what comes along with a play.
pub(crate) const SOON_MS: Millis = 3_000;

/// The first delay after a failure, and the longest.
const BACKOFF_MS: Millis = 1_000;
const BACKOFF_MAX_MS: Millis = 60_000;

/// A delay that a collector may ask for at most.
const RETRY_AFTER_MAX_MS: Millis = 3_600_000;

/// A request that is not answered by then is taken for lost.
const TIMEOUT_MS: Millis = 30_000;

/// Requests that are not answered yet: the ordinary one, and those of a page that is being hidden.
const MAX_UNDERWAY: usize = 8;

/// A request that is not answered yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Underway {
    pub id: DeliveryId,
    since: Mono,
    urgent: bool,
}

#[derive(Debug)]
pub(crate) struct Schedule {
    /// In the order in which they were sent.
    pub underway: Vec<Underway>,
    next_id: DeliveryId,
    /// When what is waiting is to be sent.
    due: Mono,
    /// Not to send before.
    hold: Mono,
    failures: u32,
}

impl Schedule {
    pub(crate) const fn new() -> Self {
        Self { underway: Vec::new(), next_id: 0, due: Mono::NEVER, hold: Mono::from_ms(0), failures: 0 }
    }

    /// There is something to say, at the latest then.
    pub(crate) fn want(&mut self, at: Mono) {
        self.due = self.due.min(at);
    }

    /// There is nothing to say: no reason to wake up.
    pub(crate) const fn rest(&mut self) {
        self.due = Mono::NEVER;
    }

    /// Whether it is time to send what is waiting.
    pub(crate) fn is_due(&self, now: Mono) -> bool {
        self.next_send() <= now
    }

    fn next_send(&self) -> Mono {
        let busy = self.underway.iter().any(|request| !request.urgent);
        if busy { Mono::NEVER } else { self.due.max(self.hold) }
    }

    /// When something is to be done at the latest.
    pub(crate) fn timeout(&self) -> Mono {
        let lost = self.underway.first().map_or(Mono::NEVER, |request| request.since + TIMEOUT_MS);
        if self.due == Mono::NEVER { lost } else { lost.min(self.next_send()) }
    }

    /// Begins a request.
    pub(crate) fn begin(&mut self, urgent: bool, now: Mono) -> DeliveryId {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        self.due = Mono::NEVER;
        self.underway.push(Underway { id, since: now, urgent });
        id
    }

    /// The oldest request, if it must be taken for lost.
    pub(crate) fn lost(&self, now: Mono) -> Option<DeliveryId> {
        let oldest = self.underway.first()?;
        let lost = now.since(oldest.since) >= TIMEOUT_MS || self.underway.len() > MAX_UNDERWAY;
        lost.then_some(oldest.id)
    }

    /// Ends a request; `false` if it was already taken for lost.
    pub(crate) fn end(&mut self, id: DeliveryId) -> bool {
        let index = self.underway.iter().position(|request| request.id == id);
        index.map(|index| self.underway.remove(index)).is_some()
    }

    /// A request was answered, which may have asked to `wait`: others may follow, `later` if it is to be tried again.
    pub(crate) fn answered(&mut self, later: bool, wait: Millis, random: &mut Random, now: Mono) {
        let mut delay = wait.min(RETRY_AFTER_MAX_MS);
        if later {
            delay = delay.max(random.jitter((BACKOFF_MS << self.failures).min(BACKOFF_MAX_MS)));
            self.failures = (self.failures + 1).min(16);
            self.want(now);
        } else {
            self.failures = 0;
        }
        self.hold = now + delay;
    }

    /// The network is back: no reason to wait for the end of a delay.
    pub(crate) const fn online(&mut self) {
        self.hold = Mono::from_ms(0);
        self.failures = 0;
    }
}

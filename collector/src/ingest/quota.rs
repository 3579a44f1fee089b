//! What a site may send in a minute: requests, and views that were not seen before.
//!
//! Both are buckets that leak evenly: what was taken is forgotten within the minute after it, and a site that sends
//! nothing for a minute has its whole quota. A batch is taken whole or not at all, and it is taken as long as the bucket
//! is not full: so a batch with more views than the quota has gets its turn, and those after it wait the longer. Nothing
//! is lost by a quota that lasts: its sender is told when to come back.
//!
//! Which views are new is remembered for ten to twenty minutes after their last batch, and never longer: a view that was
//! silent for longer counts as new once more.

use std::collections::HashSet;
use std::mem;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use quartile_protocol::clock::Wall;
use quartile_protocol::id::{SiteId, ViewId};

use super::per_site::PerSite;

const MINUTE_MS: u64 = 60_000;

/// How long a view is remembered at least.
const REMEMBERED_MS: i64 = 10 * 60_000;

/// Views that are remembered of a site since the last turn; beyond them the turn comes early.
const REMEMBERED: usize = 1 << 20;

/// What a site may send in a minute; `None` is any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Requests.
    pub requests: Option<NonZeroU32>,
    /// Views that were not seen before.
    pub views: Option<NonZeroU32>,
}

/// A quota is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// In so many seconds there is room again.
    pub retry_after_seconds: u16,
}

/// How much of their quotas the sites have used up.
#[derive(Debug, Default)]
pub struct Quotas(PerSite<Mutex<Used>>);

#[derive(Debug, Default)]
struct Used {
    requests: Bucket,
    views: Bucket,
    seen: Seen,
}

impl Quotas {
    /// Enters a request.
    ///
    /// # Errors
    /// [`Exceeded`]; then it is not entered.
    pub fn request(&self, site: &SiteId, quota: Quota, now: Wall) -> Result<(), Exceeded> {
        let Some(per_minute) = quota.requests else { return Ok(()) };
        self.with(site, |used| {
            used.requests.leak(per_minute, now);
            used.requests.take(per_minute, 1)
        })
    }

    /// Enters those of `views` that are new.
    ///
    /// # Errors
    /// [`Exceeded`]; then none is entered.
    pub fn views(
        &self,
        site: &SiteId,
        quota: Quota,
        views: impl Iterator<Item = ViewId>,
        now: Wall,
    ) -> Result<(), Exceeded> {
        let Some(per_minute) = quota.views else { return Ok(()) };
        self.with(site, |used| {
            used.seen.turn(now);
            used.views.leak(per_minute, now);
            let stated: HashSet<_> = views.collect();
            let new = stated.iter().filter(|view| !used.seen.knows(view)).count();
            if new > 0 {
                used.views.take(per_minute, new as u64)?;
            }
            used.seen.current.extend(stated);
            Ok(())
        })
    }

    fn with<T>(&self, site: &SiteId, work: impl FnOnce(&mut Used) -> T) -> T {
        work(&mut self.0.of(site).lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What was taken and has not leaked yet. An item is as many drops as a minute has milliseconds, so that a quota of
/// so many items a minute leaks as many drops a millisecond.
#[derive(Debug, Default)]
struct Bucket {
    drops: u64,
    leaked_at: Option<Wall>,
}

impl Bucket {
    fn leak(&mut self, per_minute: NonZeroU32, now: Wall) {
        // A clock that was set back leaks nothing, and counts on from there.
        let elapsed = self.leaked_at.map_or(0, |then| u64::try_from(now.since(then)).unwrap_or_default());
        self.drops = self.drops.saturating_sub(elapsed.saturating_mul(u64::from(per_minute.get())));
        self.leaked_at = Some(now);
    }

    fn take(&mut self, per_minute: NonZeroU32, items: u64) -> Result<(), Exceeded> {
        let per_minute = u64::from(per_minute.get());
        let full = per_minute * MINUTE_MS;
        if let Some(over) = self.drops.checked_sub(full) {
            let seconds = (over + 1).div_ceil(per_minute * 1_000);
            return Err(Exceeded { retry_after_seconds: u16::try_from(seconds).unwrap_or(u16::MAX) });
        }
        self.drops += items * MINUTE_MS;
        Ok(())
    }
}

/// The views of the time since the last turn, and of the time before.
#[derive(Debug, Default)]
struct Seen {
    current: HashSet<ViewId>,
    before: HashSet<ViewId>,
    turned_at: Option<Wall>,
}

impl Seen {
    fn turn(&mut self, now: Wall) {
        let since = self.turned_at.map(|then| now.since(then));
        // A clock that was set back is not waited for.
        let due = since.is_none_or(|since| !(0..REMEMBERED_MS).contains(&since));
        if due || self.current.len() >= REMEMBERED {
            self.before = mem::take(&mut self.current);
            if since.is_some_and(|since| since >= 2 * REMEMBERED_MS) {
                self.before.clear();
            }
            self.turned_at = Some(now);
        }
    }

    fn knows(&self, view: &ViewId) -> bool {
        self.current.contains(view) || self.before.contains(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_790_000_000_000;

    fn site() -> SiteId {
        SiteId::new("demo").unwrap()
    }

    fn at(ms: i64) -> Wall {
        Wall::from_ms(START + ms)
    }

    fn quota(number: u32) -> Quota {
        Quota { requests: NonZeroU32::new(number), views: NonZeroU32::new(number) }
    }

    fn view(n: u8) -> ViewId {
        ViewId::new(at(0), [n; 10])
    }

    fn over(seconds: u16) -> Result<(), Exceeded> {
        Err(Exceeded { retry_after_seconds: seconds })
    }

    #[test]
    fn a_quota_is_met_at_its_number_and_exceeded_one_past_it() {
        let quotas = Quotas::default();
        for _ in 0..60 {
            assert_eq!(quotas.request(&site(), quota(60), at(0)), Ok(()));
        }
        assert_eq!(quotas.request(&site(), quota(60), at(0)), over(1));
        assert_eq!(quotas.request(&SiteId::new("other").unwrap(), quota(60), at(0)), Ok(()), "each site has its own");
        assert_eq!(quotas.request(&site(), quota(60), at(1_000)), Ok(()), "one has leaked");
        assert_eq!(quotas.request(&site(), quota(60), at(1_000)), over(1));
        for _ in 0..60 {
            assert_eq!(quotas.request(&site(), quota(60), at(62_000)), Ok(()), "a minute later all have");
        }
        assert_eq!(quotas.request(&site(), Quota::default(), at(62_000)), Ok(()), "no quota is any number");
    }

    #[test]
    fn who_comes_back_when_told_is_let_in() {
        for number in [1, 7, 600, 1_000_000] {
            let quotas = Quotas::default();
            let request = |ms| quotas.request(&site(), quota(number), at(ms));
            while request(0).is_ok() {}
            assert_eq!(request(0), over(1), "{number}");
            assert_eq!(request(1_000), Ok(()), "{number}");
        }
    }

    #[test]
    fn a_view_counts_once_however_often_it_is_stated() {
        let quotas = Quotas::default();
        let views = |ids: &[u8], ms| quotas.views(&site(), quota(2), ids.iter().map(|&n| view(n)), at(ms));
        assert_eq!(views(&[1, 1, 1], 0), Ok(()));
        for _ in 0..100 {
            assert_eq!(views(&[1], 0), Ok(()));
        }
        assert_eq!(views(&[1, 2], 0), Ok(()));
        assert_eq!(views(&[3], 0), over(1));
        assert_eq!(views(&[1, 2], 0), Ok(()), "views that are known go on");
        assert_eq!(views(&[1, 3], 0), over(1), "a batch is taken whole or not at all");
        assert_eq!(views(&[3], 30_000), Ok(()));
    }

    #[test]
    fn a_batch_with_more_views_than_the_quota_gets_its_turn_and_the_next_waits_the_longer() {
        let quotas = Quotas::default();
        let views = |ids: std::ops::Range<u8>, ms| quotas.views(&site(), quota(10), ids.map(view), at(ms));
        assert_eq!(views(0..40, 0), Ok(()));
        assert_eq!(views(40..41, 0), over(181));
        assert_eq!(views(40..41, 180_000), over(1));
        assert_eq!(views(40..41, 181_000), Ok(()));
    }

    #[test]
    fn a_view_is_forgotten_when_it_was_silent_for_long() {
        let quotas = Quotas::default();
        let state = |n, ms| quotas.views(&site(), quota(1), std::iter::once(view(n)), at(ms));
        for minute in 0..60 {
            assert_eq!(state(1, minute * 60_000), Ok(()), "a view that goes on stays known");
            let _ = state(2, minute * 60_000);
        }
        let silent = 59 * 60_000 + 2 * REMEMBERED_MS;
        assert_eq!(state(3, silent - 1), Ok(()));
        assert_eq!(state(4, silent), Ok(()), "takes the room that there is");
        assert_eq!(state(1, silent), over(60), "counts as new");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let quotas = Quotas::default();
        while quotas.request(&site(), quota(5), at(1_000_000)).is_ok() {}
        assert!(quotas.request(&site(), quota(5), at(0)).is_err());
        assert_eq!(quotas.request(&site(), quota(5), at(12_000)), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Seen { current: (0..REMEMBERED as u128).map(many).collect(), ..Seen::default() };
        seen.turned_at = Some(at(0));
        seen.turn(at(1));
        assert_eq!((seen.current.len(), seen.before.len()), (0, REMEMBERED));
    }

    fn many(n: u128) -> ViewId {
        let mut random = [0; 10];
        random[2..].copy_from_slice(&(n as u64).to_be_bytes());
        ViewId::new(at(0), random)
    }
}

//! The books: every slice and event that arrives ends in exactly one outcome, and what is received equals what was
//! accepted, rejected or dropped, and what is still on its way.
//!
//! *Accepted* is on disk. *Rejected* was wrong, with the code that its sender was told. *Dropped* was right and could not
//! be kept, with the code of the refusal; its sender may come again, and is then counted again.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quartile_protocol::batch::Discard;
use quartile_protocol::id::SiteId;
use quartile_protocol::reply::{BodyCode, RejectCode, Rejection};

use super::per_site::PerSite;
use crate::metrics::Samples;

/// The accounts of all sites.
#[derive(Debug, Default)]
pub struct Books {
    accounts: PerSite<Account>,
    /// Batches that were refused before it was known whose they are.
    nobodys: Mutex<[u64; BodyCode::ALL.len()]>,
}

impl Books {
    /// The account of a site, opened if it is the first time.
    #[must_use]
    pub fn of(&self, site: &SiteId) -> Arc<Account> {
        self.accounts.of(site)
    }

    /// Enters a batch that was refused before it was known whose it is.
    pub fn refuse(&self, code: BodyCode) {
        self.nobodys.lock().unwrap_or_else(PoisonError::into_inner)[code as usize] += 1;
    }

    /// Writes all accounts as samples.
    pub fn write_metrics(&self, samples: &mut Samples) {
        write_refused("", &self.nobodys.lock().unwrap_or_else(PoisonError::into_inner), samples);
        self.accounts.each(|site, account| account.write_metrics(site.as_str(), samples));
    }
}

/// The account of one site. It starts at 0 with the process, and every look at it finds it balanced.
#[derive(Debug, Default)]
pub struct Account(Mutex<Entries>);

/// What is written in an account. One lock over all of it: who reads while others write sees no item twice or nowhere.
#[derive(Clone, Debug, Default)]
struct Entries {
    batches: u64,
    refused: [u64; BodyCode::ALL.len()],
    received: u64,
    in_flight: u64,
    accepted: u64,
    rejected: [u64; RejectCode::ALL.len()],
    dropped: [u64; BodyCode::ALL.len()],
    discarded: [u64; Discard::ALL.len()],
}

/// The figures of an account at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Slices and events that arrived.
    pub received: u64,
    /// Those without an outcome yet.
    pub in_flight: u64,
    /// Those on disk.
    pub accepted: u64,
    /// Those that were wrong.
    pub rejected: u64,
    /// Those that could not be kept.
    pub dropped: u64,
}

impl Figures {
    /// Whether every item has exactly one outcome, or is on its way to one.
    #[must_use]
    pub const fn balance(&self) -> bool {
        self.received == self.accepted + self.rejected + self.dropped + self.in_flight
    }
}

/// The items of one request on their way to their outcomes. What has none when this is let go of is dropped, as
/// [`BodyCode::Unavailable`]: a request that was abandoned is in the books all the same.
#[derive(Debug)]
pub struct Pending {
    account: Arc<Account>,
    open: u64,
}

impl Account {
    /// A panic while it was held left whole entries: each is a few additions.
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters what a request brought.
    #[must_use]
    pub fn receive(self: &Arc<Self>, items: u64) -> Pending {
        let mut entries = self.entries();
        entries.received += items;
        entries.in_flight += items;
        Pending { account: Arc::clone(self), open: items }
    }

    /// Enters a batch that was refused as a whole.
    pub fn refuse(&self, code: BodyCode) {
        self.entries().refused[code as usize] += 1;
    }

    /// The figures of this moment.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.entries().figures()
    }

    fn write_metrics(&self, site: &str, samples: &mut Samples) {
        // Copied, so that one scrape tells of one moment.
        let entries = self.entries().clone();
        debug_assert!(entries.figures().balance(), "{entries:?}");
        samples.add("quartile_batches_taken_total", &[("site", site)], entries.batches);
        write_refused(site, &entries.refused, samples);
        samples.add("quartile_items_received_total", &[("site", site)], entries.received);
        samples.add("quartile_items_accepted_total", &[("site", site)], entries.accepted);
        samples.add("quartile_items_in_flight", &[("site", site)], entries.in_flight);
        for (&code, &count) in RejectCode::ALL.iter().zip(&entries.rejected) {
            let labels = [("site", site), ("code", code.as_str())];
            samples.add_if_any("quartile_items_rejected_total", &labels, count);
        }
        for (&code, &count) in BodyCode::ALL.iter().zip(&entries.dropped) {
            let labels = [("site", site), ("reason", code.as_str())];
            samples.add_if_any("quartile_items_dropped_total", &labels, count);
        }
        for (&reason, &count) in Discard::ALL.iter().zip(&entries.discarded) {
            let labels = [("site", site), ("reason", reason.as_str())];
            samples.add_if_any("quartile_items_discarded_by_sender_total", &labels, count);
        }
    }
}

fn write_refused(site: &str, refused: &[u64; BodyCode::ALL.len()], samples: &mut Samples) {
    for (&code, &count) in BodyCode::ALL.iter().zip(refused) {
        samples.add_if_any("quartile_batches_refused_total", &[("site", site), ("code", code.as_str())], count);
    }
}

impl Entries {
    fn figures(&self) -> Figures {
        Figures {
            received: self.received,
            in_flight: self.in_flight,
            accepted: self.accepted,
            rejected: self.rejected.iter().sum(),
            dropped: self.dropped.iter().sum(),
        }
    }
}

impl Pending {
    /// These items are wrong.
    pub fn reject(&mut self, rejections: &[Rejection]) {
        if rejections.is_empty() {
            return;
        }
        let mut entries = self.account.entries();
        for rejection in rejections {
            debug_assert!(rejection.items <= self.open, "an item has one outcome, not two");
            let items = rejection.items.min(self.open);
            self.open -= items;
            entries.in_flight -= items;
            entries.rejected[rejection.code as usize] += items;
        }
    }

    /// What is still open is on disk, and its batch is answered with a 200; what its sender says that it gave up is
    /// entered as well.
    pub fn accept(mut self, discarded: &[(Discard, u64)]) {
        self.close(|entries, open| {
            entries.accepted += open;
            entries.batches += 1;
            for &(reason, items) in discarded {
                entries.discarded[reason as usize] += items;
            }
        });
    }

    /// What is still open cannot be kept.
    pub fn drop_as(mut self, reason: BodyCode) {
        self.close(|entries, open| entries.dropped[reason as usize] += open);
    }

    /// Gives what is still open its outcome.
    fn close(&mut self, enter: impl FnOnce(&mut Entries, u64)) {
        let open = mem::take(&mut self.open);
        let mut entries = self.account.entries();
        entries.in_flight -= open;
        enter(&mut entries, open);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.open > 0 {
            self.close(|entries, open| entries.dropped[BodyCode::Unavailable as usize] += open);
        }
    }
}

#[cfg(test)]
mod tests {
    use quartile_protocol::reply::Item;

    use super::*;

    fn rejection(items: u64) -> Rejection {
        Rejection { view: 0, item: Item::View, code: RejectCode::TooMany, field: None, items }
    }

    #[test]
    fn every_item_has_one_outcome() {
        let account = Arc::new(Account::default());
        let mut kept = account.receive(10);
        assert_eq!(account.figures().in_flight, 10);
        kept.reject(&[rejection(3)]);
        kept.accept(&[]);
        account.receive(4).drop_as(BodyCode::QueueFull);
        drop(account.receive(2));
        let figures = account.figures();
        assert_eq!(figures, Figures { received: 16, in_flight: 0, accepted: 7, rejected: 3, dropped: 6 });
    }

    #[test]
    fn whoever_looks_while_others_write_finds_the_books_balanced() {
        let account = Arc::new(Account::default());
        std::thread::scope(|scope| {
            for worker in 0..4 {
                let account = &account;
                scope.spawn(move || {
                    for n in 0..2_000 {
                        let mut pending = account.receive(5);
                        pending.reject(&[rejection(2)]);
                        match (n + worker) % 3 {
                            0 => pending.accept(&[]),
                            1 => pending.drop_as(BodyCode::QueueFull),
                            _ => drop(pending),
                        }
                    }
                });
            }
            for _ in 0..2_000 {
                let figures = account.figures();
                assert!(figures.balance(), "{figures:?}");
            }
        });
        assert_eq!((account.figures().received, account.figures().in_flight), (40_000, 0));
    }

    #[test]
    fn an_account_is_told_with_its_codes() {
        let books = Books::default();
        let account = books.of(&SiteId::new("demo").unwrap());
        let mut pending = account.receive(3);
        pending.reject(&[rejection(2)]);
        pending.accept(&[(Discard::QueueFull, 2), (Discard::QueueFull, 3)]);
        account.receive(1).drop_as(BodyCode::TooManyViews);
        account.refuse(BodyCode::TooManyViews);
        books.refuse(BodyCode::Unreadable);
        let mut samples = Samples::default();
        books.write_metrics(&mut samples);
        let text = samples.into_text();
        let told: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        quartile_batches_refused_total{site="",code="unreadable"} 1
        quartile_batches_refused_total{site="demo",code="too_many_views"} 1
        quartile_batches_taken_total{site="demo"} 1
        quartile_items_accepted_total{site="demo"} 1
        quartile_items_discarded_by_sender_total{site="demo",reason="queue_full"} 5
        quartile_items_dropped_total{site="demo",reason="too_many_views"} 1
        quartile_items_in_flight{site="demo"} 0
        quartile_items_received_total{site="demo"} 4
        quartile_items_rejected_total{site="demo",code="too_many"} 2
        "#);
    }
}

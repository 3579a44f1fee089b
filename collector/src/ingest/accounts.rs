//! The books: every slice and event that arrives ends in exactly one outcome, and what is received equals what was
//! accepted, rejected or dropped, and what is still on its way.
//!
//! *Accepted* is on disk. *Rejected* was wrong, with the code that its sender was told. *Dropped* was right and could not
//! be kept, with the code of the refusal; its sender may come again, and is then counted again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use quartile_protocol::batch::Discard;
use quartile_protocol::id::SiteId;
use quartile_protocol::reply::{BodyCode, RejectCode, Rejection};

/// The accounts of all sites. Only sites of the configuration have one, so there are few.
#[derive(Debug, Default)]
pub struct Books(RwLock<BTreeMap<SiteId, Arc<Account>>>);

impl Books {
    /// The account of a site, opened if it is the first time.
    #[must_use]
    pub fn of(&self, site: &SiteId) -> Arc<Account> {
        if let Some(account) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(site) {
            return Arc::clone(account);
        }
        let mut accounts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.entry(site.clone()).or_default())
    }

    /// Writes all accounts as samples.
    pub fn write_metrics(&self, samples: &mut Samples) {
        for (site, account) in &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            account.write_metrics(site.as_str(), samples);
        }
    }
}

/// The account of one site. Counters only grow, and start at 0 with the process.
#[derive(Debug, Default)]
pub struct Account {
    received: AtomicU64,
    accepted: AtomicU64,
    rejected: [AtomicU64; RejectCode::ALL.len()],
    dropped: [AtomicU64; BodyCode::ALL.len()],
    discarded: [AtomicU64; Discard::ALL.len()],
}

/// The figures of an account at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Slices and events that arrived.
    pub received: u64,
    /// Those on disk.
    pub accepted: u64,
    /// Those that were wrong.
    pub rejected: u64,
    /// Those that could not be kept.
    pub dropped: u64,
}

impl Figures {
    /// Those without an outcome yet.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.received.saturating_sub(self.accepted + self.rejected + self.dropped)
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
    /// Enters what a request brought.
    #[must_use]
    pub fn receive(self: &Arc<Self>, items: u64) -> Pending {
        add(&self.received, items);
        Pending { account: Arc::clone(self), open: items }
    }

    /// Enters what a sender says that it gave up.
    pub fn sender_discarded(&self, reason: Discard, items: u64) {
        add(&self.discarded[reason as usize], items);
    }

    /// The figures of this moment.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let sum = |counters: &[AtomicU64]| counters.iter().map(value).sum();
        // Outcomes are read before receipts, so that no item seems to have an outcome before it came.
        let (accepted, rejected, dropped) = (value(&self.accepted), sum(&self.rejected), sum(&self.dropped));
        Figures { received: value(&self.received), accepted, rejected, dropped }
    }

    fn write_metrics(&self, site: &str, samples: &mut Samples) {
        let figures = self.figures();
        samples.add("quartile_items_received_total", &[("site", site)], figures.received);
        samples.add("quartile_items_accepted_total", &[("site", site)], figures.accepted);
        samples.add("quartile_items_in_flight", &[("site", site)], figures.in_flight());
        for (&code, counter) in RejectCode::ALL.iter().zip(&self.rejected) {
            let labels = [("site", site), ("code", code.as_str())];
            samples.add_if_any("quartile_items_rejected_total", &labels, value(counter));
        }
        for (&code, counter) in BodyCode::ALL.iter().zip(&self.dropped) {
            let labels = [("site", site), ("reason", code.as_str())];
            samples.add_if_any("quartile_items_dropped_total", &labels, value(counter));
        }
        for (&reason, counter) in Discard::ALL.iter().zip(&self.discarded) {
            let labels = [("site", site), ("reason", reason.as_str())];
            samples.add_if_any("quartile_items_discarded_by_sender_total", &labels, value(counter));
        }
    }
}

impl Pending {
    /// These items are wrong.
    pub fn reject(&mut self, rejections: &[Rejection]) {
        for rejection in rejections {
            let items = self.close(rejection.items);
            add(&self.account.rejected[rejection.code as usize], items);
        }
    }

    /// What is still open is on disk.
    pub fn accept(mut self) {
        let items = self.close(self.open);
        add(&self.account.accepted, items);
    }

    /// What is still open cannot be kept.
    pub fn drop_as(mut self, reason: BodyCode) {
        let items = self.close(self.open);
        add(&self.account.dropped[reason as usize], items);
    }

    fn close(&mut self, items: u64) -> u64 {
        debug_assert!(items <= self.open, "an item has one outcome, not two");
        let items = items.min(self.open);
        self.open -= items;
        items
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        add(&self.account.dropped[BodyCode::Unavailable as usize], self.open);
    }
}

fn add(counter: &AtomicU64, items: u64) {
    counter.fetch_add(items, Ordering::Relaxed);
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Samples of the Prometheus text format, grouped by name as the format wants it.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<&'static str, String>);

impl Samples {
    /// Adds a sample. Names that end in `_total` are counters, others gauges.
    pub fn add(&mut self, name: &'static str, labels: &[(&str, &str)], value: u64) {
        let lines = self.0.entry(name).or_default();
        lines.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let open = if index == 0 { '{' } else { ',' };
            // Writing to a String cannot fail.
            let _ = write!(lines, "{open}{label}=\"{text}\"");
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(lines, "{close} {value}");
    }

    /// Adds a sample unless it is 0.
    pub fn add_if_any(&mut self, name: &'static str, labels: &[(&str, &str)], value: u64) {
        if value > 0 {
            self.add(name, labels, value);
        }
    }

    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        let kind = |name: &str| if name.ends_with("_total") { "counter" } else { "gauge" };
        self.0.into_iter().map(|(name, lines)| format!("# TYPE {name} {}\n{lines}", kind(name))).collect()
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
        assert_eq!(account.figures().in_flight(), 10);
        kept.reject(&[rejection(3)]);
        kept.accept();
        account.receive(4).drop_as(BodyCode::QueueFull);
        drop(account.receive(2));
        let figures = account.figures();
        assert_eq!(figures, Figures { received: 16, accepted: 7, rejected: 3, dropped: 6 });
        assert_eq!(figures.in_flight(), 0);
    }

    #[test]
    fn metrics_are_grouped_and_escaped() {
        let account = Arc::new(Account::default());
        account.receive(1).accept();
        account.sender_discarded(Discard::QueueFull, 5);
        let mut samples = Samples::default();
        account.write_metrics("a\"b", &mut samples);
        samples.add("quartile_up", &[], 1);
        insta::assert_snapshot!(samples.into_text(), @r#"
        # TYPE quartile_items_accepted_total counter
        quartile_items_accepted_total{site="a\"b"} 1
        # TYPE quartile_items_discarded_by_sender_total counter
        quartile_items_discarded_by_sender_total{site="a\"b",reason="queue_full"} 5
        # TYPE quartile_items_in_flight gauge
        quartile_items_in_flight{site="a\"b"} 0
        # TYPE quartile_items_received_total counter
        quartile_items_received_total{site="a\"b"} 1
        # TYPE quartile_up gauge
        quartile_up 1
        "#);
    }
}

//! Something of every site: made when it is first asked for, and kept. Only sites of the configuration are asked for, so
//! there are few.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use quartile_protocol::id::SiteId;

/// One `T` for every site.
#[derive(Debug)]
pub(super) struct PerSite<T>(RwLock<BTreeMap<SiteId, Arc<T>>>);

impl<T> Default for PerSite<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T: Default> PerSite<T> {
    /// That of a site.
    pub(super) fn of(&self, site: &SiteId) -> Arc<T> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(site) {
            return Arc::clone(known);
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(site.clone()).or_default())
    }

    /// Shows those that there are, in the order of the sites.
    pub(super) fn each(&self, mut show: impl FnMut(&SiteId, &T)) {
        for (site, one) in &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            show(site, one);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn every_site_has_one_whoever_asks_first() {
        let all = PerSite::<AtomicU64>::default();
        let sites = ["b", "a"].map(|name| SiteId::new(name).unwrap());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| sites.iter().for_each(|site| _ = all.of(site).fetch_add(1, Ordering::SeqCst)));
            }
        });
        let mut shown = Vec::new();
        all.each(|site, one| shown.push((site.to_string(), one.load(Ordering::SeqCst))));
        assert_eq!(shown, [("a".to_owned(), 8), ("b".to_owned(), 8)]);
    }
}

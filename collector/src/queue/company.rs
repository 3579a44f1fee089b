//! Whether a group waits for company before it goes to the disk.
//!
//! A sync costs processor time, whatever it syncs: some hundred microseconds of the kernel's and two changes of thread.
//! While a disk is busy, records gather by themselves. On a quick disk they do not: with 20 000 requests a second and a
//! sync of 0.2 ms a group has two or three, and a third of a core goes into syncing. So a group that is not alone waits a
//! moment, for as long as that pays: where the group did not even double, the next ones go at once.

use std::time::Duration;

/// Records that are company enough.
pub(super) const COMPANY: usize = 64;

/// How long company is waited for at the most.
pub(super) const COMPANY_TIME: Duration = Duration::from_millis(1);

/// Groups that go at once after company did not come.
const REST: u32 = 100;

/// What was learned of waiting.
#[derive(Debug, Default)]
pub(super) struct Company {
    /// So many groups go at once before it is tried again.
    rest: u32,
}

impl Company {
    /// Whether a group of so many records is to wait. A lone record never is.
    pub(super) fn is_waited_for(&mut self, records: usize) -> bool {
        if !(2..COMPANY).contains(&records) {
            return false;
        }
        let rests = self.rest > 0;
        self.rest = self.rest.saturating_sub(1);
        !rests
    }

    /// A group grew from `before` to `after` while it waited.
    pub(super) const fn came(&mut self, before: usize, after: usize) {
        if after < 2 * before {
            self.rest = REST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_alone_does_not_wait_and_nor_does_a_group_that_is_large_enough() {
        let mut company = Company::default();
        let waits = [0, 1, 2, COMPANY - 1, COMPANY].map(|records| company.is_waited_for(records));
        assert_eq!(waits, [false, false, true, true, false]);
    }

    #[test]
    fn it_is_waited_for_as_long_as_it_comes() {
        let mut company = Company::default();
        company.came(2, 4);
        assert!(company.is_waited_for(2), "it doubled");
        company.came(2, 3);
        let at_once = (0..1_000).take_while(|_| !company.is_waited_for(2)).count();
        assert_eq!(at_once, REST as usize, "then it is tried again");
    }

    #[test]
    fn lone_records_are_no_sign_that_company_would_come() {
        let mut company = Company::default();
        company.came(2, 2);
        (0..REST).for_each(|_| assert!(!company.is_waited_for(1)));
        assert!(!company.is_waited_for(2));
    }
}

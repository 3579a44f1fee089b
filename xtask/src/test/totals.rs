//! How many tests passed and failed, read from what test runners print.

use std::ops::AddAssign;

/// Passed and failed tests and checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// What ran and passed.
    pub passed: u64,
    /// What ran and failed.
    pub failed: u64,
}

impl Totals {
    /// One thing that passed or failed.
    pub fn one(passed: bool) -> Self {
        Self { passed: u64::from(passed), failed: u64::from(!passed) }
    }

    /// How many ran.
    pub fn executed(self) -> u64 {
        self.passed + self.failed
    }

    /// Counts what a line of a test runner says: the closing line of each of Cargo's test programs
    /// (`test result: ok. 5 passed; 0 failed; …`), or a line of the summary of Node's runner, in the form for people
    /// (`ℹ pass 5`) or in TAP (`# pass 5`). Other lines count nothing.
    pub fn read_line(&mut self, line: &str) {
        let plain = without_colours(line);
        if let Some(result) = plain.strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.failed += number_before(result, " failed");
            return;
        }
        let Some(summary) = plain.strip_prefix("ℹ ").or_else(|| plain.strip_prefix("# ")) else {
            return;
        };
        let mut words = summary.split(' ');
        let (Some(what), Some(Ok(number)), None) = (words.next(), words.next().map(str::parse::<u64>), words.next())
        else {
            return;
        };
        match what {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            _ => {}
        }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The number right before `word`, or 0.
fn number_before(text: &str, word: &str) -> u64 {
    let digits = text.split(word).next().unwrap_or("").rsplit(' ').next().unwrap_or("");
    digits.parse().unwrap_or(0)
}

/// The line without escape sequences for colours.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, passed: u64, failed: u64) {
        let mut totals = Totals::default();
        output.lines().for_each(|line| totals.read_line(line));
        assert_eq!(totals, Totals { passed, failed }, "{output}");
    }

    #[test]
    fn cargo_prints_one_result_for_each_program() {
        check(
            "running 3 tests\ntest a ... ok\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n\
             test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s\n",
            13,
            2,
        );
    }

    #[test]
    fn node_prints_a_summary_for_people() {
        check(
            "ℹ tests 7\nℹ suites 1\nℹ pass 5\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 81.5\n",
            5,
            2,
        );
    }

    #[test]
    fn node_prints_a_summary_in_tap() {
        check("# tests 5\n# suites 0\n# pass 5\n# fail 0\n# cancelled 0\n", 5, 0);
    }

    #[test]
    fn colours_do_not_hide_a_summary() {
        check("\u{1b}[34mℹ pass 4\u{1b}[39m\n\u{1b}[34mℹ fail 1\u{1b}[39m\n", 4, 1);
    }

    #[test]
    fn what_tests_print_is_not_counted() {
        check("  test result: 5 passed\n# pass the salt 5\n# pass many\nℹ passing 3\n12 passed\n", 0, 0);
    }
}

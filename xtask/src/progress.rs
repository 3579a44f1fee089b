//! What a person sees while a command works: one line when a step begins, one when it ends.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::error::Result;

/// The clock of these tools: the only place that reads it.
#[expect(clippy::disallowed_methods, reason = "tools measure real time, and this is where they read it")]
pub fn now() -> Instant {
    Instant::now()
}

/// Where progress, and what child processes print, is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Beside the result, for people.
    Stdout,
    /// Apart from the result, when standard output is for a program to read.
    Stderr,
    /// Nowhere, so that what these tools' own tests run is not taken for their result.
    #[cfg(test)]
    Nowhere,
}

impl Sink {
    /// What a child process gets as its standard output.
    pub fn stdio(self) -> Stdio {
        match self {
            Self::Stdout => Stdio::inherit(),
            Self::Stderr => Stdio::from(std::io::stderr()),
            #[cfg(test)]
            Self::Nowhere => Stdio::null(),
        }
    }
}

/// Shows steps and the time they took.
#[derive(Debug)]
pub struct Progress {
    sink: Sink,
}

impl Progress {
    /// Progress shown on `sink`.
    pub fn new(sink: Sink) -> Self {
        Self { sink }
    }

    /// Where this progress is shown.
    pub fn sink(&self) -> Sink {
        self.sink
    }

    /// Prints a line. A reader that has gone away is no reason to stop working.
    pub fn say(&self, line: &str) {
        let _ = match self.sink {
            Sink::Stdout => writeln!(std::io::stdout(), "{line}"),
            Sink::Stderr => writeln!(std::io::stderr(), "{line}"),
            #[cfg(test)]
            Sink::Nowhere => Ok(()),
        };
    }

    /// Says that there was nothing to do.
    pub fn ready(&self, what: &str) {
        self.say(&format!("✓ {what}"));
    }

    /// Announces a step, does it, and says how long it took.
    pub fn step<T>(&self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.say(&format!("── {what}"));
        let begun = now();
        let result = work();
        let end = if result.is_ok() { "done in" } else { "failed after" };
        self.say(&format!("   {end} {}", human(begun.elapsed())));
        result
    }
}

/// A duration as people write it: `0.4 s`, `2 min 05 s`.
pub fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(human(Duration::from_millis(420)), "0.4 s");
        assert_eq!(human(Duration::from_secs(125)), "2 min 05 s");
    }
}

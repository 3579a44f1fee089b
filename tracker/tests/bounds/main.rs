//! Every bound of the tracker at its value and one past it: nothing else is lost, what is given up is the oldest, and it
//! is counted.
//!
//! Bounds that one module keeps by itself are tested there: the watched intervals in `ranges`. Texts that name what is
//! watched come from a shell, which cuts them; those of signals are cut here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod body;
mod known;
mod texts;
mod view;
mod waiting;

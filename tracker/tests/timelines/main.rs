//! Timelines: what a player did, second by second, and what the tracker makes of it.
//!
//! A script is one action a line, `second action arguments`; see `script.rs` for the words. The answer lists the
//! events and the final state of every slice, as a collector that got everything would know them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod script;

mod beside;
mod boundaries;
mod delivery;
mod ladders;
mod playing;
mod quality;
mod seeks;
mod stalls;

/// Plays a script to a good network and compares what the collector knows afterwards.
macro_rules! timeline {
    ($(#[doc = $doc:literal])* $name:ident, $script:literal, @$expect:literal) => {
        $(#[doc = $doc])*
        #[test]
        fn $name() {
            insta::assert_snapshot!($crate::script::play($script), @$expect);
        }
    };
}

pub(crate) use timeline;

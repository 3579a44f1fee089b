//! What travels from a player to the collector, and the one rule by which copies of it merge.
//!
//! A viewing is a [`View`](batch::View), cut into [`Slice`](slice::Slice)s of at most a few minutes. A slice is a
//! *state*, not a difference: it says what has happened in it so far, and it may be said any number of times, in any
//! order. [`join`](row::Row::join) merges two copies of one slice into what both know. Because that merge is
//! commutative, associative and idempotent, retries, duplicates, reordering and losses all end in the same row.
//!
//! | module | holds |
//! |---|---|
//! | [`clock`] | wall, monotonic and media time, which never mix |
//! | [`id`] | the ids of sites, views and sessions |
//! | [`field`] | the one table of everything that is counted in a slice |
//! | [`bitmap`] | percents of a content and minutes of a slice, as bits |
//! | [`slice`], [`event`] | the two kinds of item that a batch carries |
//! | [`batch`] | the request body |
//! | [`reply`] | the answer, with a stable code for every refusal |
//! | [`dimension`], [`row`] | what is stored: a slice with its dimensions, and `join` |
//! | [`limits`] | every bound |
//! | [`encode`] | writing JSON |
//! | [`decode`] | reading bodies that came from outside (feature `decode`) |
//!
//! Nothing here reads a clock, draws a random number or touches a network: the crate builds for browsers and for the
//! collector alike.

pub mod batch;
pub mod bitmap;
pub mod clock;
#[cfg(feature = "decode")]
pub mod decode;
pub mod dimension;
pub mod event;
pub mod field;
pub mod id;
pub mod limits;
pub mod reply;
pub mod row;
pub mod slice;

pub mod encode;
mod names;

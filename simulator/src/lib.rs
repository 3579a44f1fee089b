//! Simulated viewers without a browser: a media element that knows the truth, a page that drives the real tracker with
//! it under simulated time, and an audience of viewers with believable habits.
//!
//! Nothing here waits: an hour of watching takes microseconds. The crate serves the tracker's timelines, the demo's
//! audience, and load on a collector.
//!
//! | module | simulates |
//! |---|---|
//! | [`element`] | an HTML media element: what it plays, and when |
//! | [`browser`] | which events the engines make of that, in which order, how late |
//! | [`truth`] | what really happened, and how far a tracker may be off |
//! | [`page`] | a page with one player and its tracker |
//! | [`shell`] | whose page it is: what is added to the bodies that the tracker writes |
//! | [`network`] | what becomes of requests on the way to a collector and back |
//! | [`audience`] | who watches what, where, on which device, and how they behave |

pub mod audience;
pub mod browser;
pub mod element;
pub mod network;
pub mod page;
pub mod shell;
pub mod truth;

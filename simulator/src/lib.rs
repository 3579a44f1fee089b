//! Simulated viewers without a browser: a media element that knows the truth, a page that drives the real tracker with
//! it under simulated time, and an audience of viewers with believable habits.
//!
//! Nothing here waits: an hour of watching takes microseconds. The crate serves the tracker's timelines, the demo's
//! audience, and load on a collector.
//!
//! | module | simulates |
//! |---|---|
//! | [`element`] | an HTML media element: what it plays, and the events that a browser makes of it |
//! | [`page`] | a page with one player, its tracker, and the network to a collector |
//! | [`shell`] | whose page it is: what is added to the bodies that the tracker writes |
//! | [`audience`] | who watches what, where, on which device, and how they behave |

pub mod audience;
pub mod element;
pub mod page;
pub mod shell;

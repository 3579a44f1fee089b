//! Everything that the SDK decides: what a viewer really did, and when to say so.
//!
//! The crate has no clock, no network and no page. A shell tells it what it sees and asks it what to do, in the shape
//! that is called *sans-IO*:
//!
//! ```text
//!             Tracker::open / attach / detach / describe       a player comes, goes, shows something else
//!  shell ──▶  Tracker::observe(player, signal, snapshot, now)      the player did something
//!             Tracker::page(signal, now)                           the page did something
//!             Tracker::delivered(delivery, outcome, now)           a request was answered
//!             Tracker::handle_timeout(now)                         the time of `poll_timeout` has come
//!
//!  shell ◀──  Tracker::poll_timeout()      when to wake it at the latest
//!             Tracker::poll_output()       what to send
//! ```
//!
//! Tests drive it with scripted timelines and simulated time, and never wait.
//!
//! | module | decides |
//! |---|---|
//! | [`signal`] | what a shell can tell: no DOM type, only what any player has |
//! | `playhead` | which motion of the playhead is playing, and how long it took |
//! | `ranges` | which parts of the content were watched, once and twice |
//! | `ladder` | when a quartile was passed |
//! | `view` | the state of one view: what its events mean and what they count |
//! | `ledger` | the slices and events of a view, and what of them is still to be said |
//! | `delivery` | when to send, and when to try again |
//! | [`tracker`] | the players of a page, put together |

#![expect(clippy::vec_box, reason = "lists of one kind of element share their code, which a page downloads")]

pub mod signal;
pub mod tracker;

mod delivery;
mod ladder;
mod ledger;
mod playhead;
mod random;
mod ranges;
mod view;

pub use signal::{Length, PageSignal, Rendition, Signal, Snapshot, Told, What, is_placeholder};
pub use tracker::{Answer, Config, Delivery, Outcome, PlayerId, Send, Tracker};
pub use view::{Inspection, Subject, take_text};

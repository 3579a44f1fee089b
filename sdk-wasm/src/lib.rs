//! The browser shell of the SDK: it owns what the page has and the [`Tracker`](quartile_tracker::Tracker) must not
//! know of, which is elements, their events, the clock, the one timer and the text of a request. It decides nothing.
//!
//! ```text
//!  media element ──▶ element: an event says *look again*; a snapshot is read ──▶ Tracker::observe
//!  document      ──▶ page: hidden, left, restored, online                    ──▶ Tracker::page
//!  Tracker::poll_timeout ──▶ page: the one timer
//!  Tracker::poll_output  ──▶ page: JSON ──▶ Host::send ──▶ Shell::answered   ──▶ Tracker::delivered
//! ```
//!
//! What needs no decision and little arithmetic is the [`Host`]'s, the loader in TypeScript, because it is several
//! times smaller there: what the page and the browser say of themselves, and how a request is made.
//!
//! Nothing ever throws into the page: every way in leads through the host's guard, and a failure inside leaves the
//! shell inert. What a browser may lack, or a page may have replaced, is reached [by name](value): then it is absent,
//! or fails, and does not throw.

#[cfg(any(target_arch = "wasm32", test))]
mod allocator;
mod callback;
mod element;
mod page;
mod value;

use std::rc::Rc;

use js_sys::{Function, JsString};
use wasm_bindgen::prelude::*;
use web_sys::HtmlMediaElement;

use crate::page::Page;

#[wasm_bindgen]
extern "C" {
    /// The loader. It has `site`, `sdk`, `user`, `viewer` (texts within the wire's limits), `private` (true: nothing
    /// that makes a visitor recognisable is sent), and `page` and `client` as they are on the wire.
    pub type Host;

    /// A function that calls the given one and keeps to itself whatever goes wrong in it.
    #[wasm_bindgen(method, catch)]
    fn guard(this: &Host, function: &JsValue) -> Result<Function, JsValue>;

    /// Sends a body; it must outlive the page if it is urgent. Then calls [`Shell::answered`], unless nothing can be
    /// known of it.
    #[wasm_bindgen(method, catch)]
    fn send(this: &Host, body: &JsString, urgent: bool, delivery: u32) -> Result<(), JsValue>;
}

/// What is tracked on a page for one site.
#[wasm_bindgen]
pub struct Shell(Rc<Page>);

#[wasm_bindgen]
impl Shell {
    /// Begins without players. The four numbers are random bits. Gives nothing if the site's key is none.
    #[must_use]
    pub fn start(window: JsValue, host: Host, a: u32, b: u32, c: u32, d: u32) -> Option<Shell> {
        let mut seed = [0; 16];
        for (bytes, number) in seed.chunks_exact_mut(4).zip([a, b, c, d]) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        Page::start(window, host, seed).map(Shell)
    }

    /// Tracks a media element and returns the number that names it.
    ///
    /// `said` is what is said of it: `video`, a function from the address of what it shows to `id`, `title`, `series`,
    /// `category` and `audio`; `player` as on the wire; and `dims`, a list of names and values in turn. All texts are
    /// within the wire's limits. `asked_at` is the monotonic time at which playback was seen to be asked for before the
    /// shell was ready, in milliseconds, and `asked_pos` the position then, in seconds; NaN when it was not. It is
    /// negative when playback was under way already.
    pub fn track(&self, element: HtmlMediaElement, said: JsValue, asked_at: f64, asked_pos: f64) -> u32 {
        self.0.track(element, said, asked_at, asked_pos)
    }

    /// What is said of the player's video has changed.
    pub fn describe(&self, player: u32) {
        self.0.describe(player);
    }

    /// Ends the tracking of a player and lets go of its element.
    pub fn stop(&self, player: u32) {
        self.0.stop(player);
    }

    /// A request was answered, with this HTTP status (0: not at all); its reply had `accepted`; it asked to wait for so
    /// many milliseconds (NaN: it did not).
    pub fn answered(&self, delivery: u32, status: u16, accepted: bool, wait_ms: f64) {
        self.0.answered(delivery, status, accepted, wait_ms);
    }

    /// Ends all tracking, sends what is left and lets go of the page.
    pub fn destroy(&self) {
        self.0.destroy();
    }
}

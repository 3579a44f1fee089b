//! The tracker behind numbers and texts: the part of the SDK that is WebAssembly.
//!
//! The page, its elements and its requests belong to the loader in TypeScript, which is several times smaller than the
//! same in Rust with bindings to the browser. It tells what it sees in numbers, sends the bodies that it is given, and
//! decides nothing. What a signal's number means stands in [`signals`].
//!
//! Texts are few, and are put into a register before the call that takes them: see [`put`].

#[cfg(any(target_arch = "wasm32", test))]
mod allocator;
mod signals;
mod texts;

use quartile_protocol::batch::{Client, Page};
use quartile_protocol::clock::{Mono, Now, Wall};
use quartile_protocol::id::SiteId;
use quartile_tracker::{Config, Delivery, Outcome, PlayerId, Send, Tracker};
use wasm_bindgen::prelude::*;

use crate::signals::Look;
use crate::texts::{Key, player, take, take_dims, video};

/// Puts a text into the register `key`; the call that uses it takes it out.
#[wasm_bindgen]
pub fn put(key: u8, text: String) {
    texts::put(key, text);
}

/// Adds one of the site's own dimensions for the next call that takes them.
#[wasm_bindgen]
pub fn dim(name: String, value: String) {
    texts::put_dim(name, value);
}

/// What is tracked on a page for one site.
#[wasm_bindgen]
pub struct Core {
    tracker: Tracker,
    opened: Now,
    send: Option<Send>,
}

#[wasm_bindgen]
impl Core {
    /// Begins without players; takes the texts of site, SDK, viewer and user. `session` tells whether the views of the
    /// page may be told to belong together, `context_bytes` how much the loader adds to a body; the four numbers are
    /// random bits, `mono` and `wall` what both clocks show. `None` if the site's key is none.
    #[must_use]
    #[expect(clippy::too_many_arguments, reason = "a call across the boundary costs less than an object")]
    pub fn start(
        session: bool,
        context_bytes: u32,
        a: u32,
        b: u32,
        c: u32,
        d: u32,
        mono: f64,
        wall: f64,
    ) -> Option<Core> {
        let mut seed = [0; 16];
        for (bytes, number) in seed.chunks_exact_mut(4).zip([a, b, c, d]) {
            bytes.copy_from_slice(&number.to_le_bytes());
        }
        let config = Config {
            site: SiteId::new(&take(Key::Site)).ok()?,
            sdk: take(Key::Sdk),
            viewer: take(Key::Viewer),
            user: take(Key::User),
            page: Page::default(),
            client: Client::default(),
            context_bytes: context_bytes as usize,
            session,
            seed,
        };
        let opened = Now { mono: monotonic(mono), wall: Wall::from_ms(wall as i64) };
        Some(Self { tracker: Tracker::new(config, opened), opened, send: None })
    }

    /// A player comes; takes the texts of video, player and dimensions. Returns the number that names it.
    pub fn attach(&mut self) -> u32 {
        self.tracker.attach(player(), video(), take_dims()).as_u32()
    }

    /// A player goes.
    pub fn detach(&mut self, player: u32, mono: f64) {
        self.tracker.detach(PlayerId::from_u32(player), self.now(mono));
    }

    /// Another video, or more that is known of it; takes the texts of the video.
    pub fn describe(&mut self, player: u32, mono: f64) {
        self.tracker.describe(PlayerId::from_u32(player), video(), self.now(mono));
    }

    /// Another player or other dimensions, or more that is known; takes their texts.
    pub fn dimensions(&mut self, id: u32, mono: f64) {
        self.tracker.set_dimensions(PlayerId::from_u32(id), player(), take_dims(), self.now(mono));
    }

    /// The user became known, or is another one; takes the text of the user.
    pub fn user(&mut self, mono: f64) {
        self.tracker.set_user(&take(Key::User), self.now(mono));
    }

    /// A player did something: a signal with its numbers, and the element as it is now (places in seconds).
    #[expect(clippy::too_many_arguments, reason = "a call across the boundary costs less than an object")]
    pub fn observe(
        &mut self,
        player: u32,
        signal: u8,
        flags: u32,
        pos: f64,
        duration: f64,
        rate: f64,
        volume: f64,
        a: f64,
        b: f64,
        c: f64,
        mono: f64,
    ) {
        let seen = Look { flags, pos, duration, rate, volume }.snapshot();
        let texts = [take(Key::First), take(Key::Second), take(Key::Third)];
        if let Some(signal) = signals::signal(signal, [a, b, c], &texts) {
            self.tracker.observe(PlayerId::from_u32(player), signal, &seen, self.now(mono));
        }
    }

    /// The page did something; the loader observes its players first.
    pub fn page(&mut self, signal: u8, mono: f64) {
        if let Some(signal) = signals::page_signal(signal) {
            self.tracker.page(signal, self.now(mono));
        }
    }

    /// The time of [`poll`](Self::poll) has come; the loader observes its players first.
    pub fn timeout(&mut self, mono: f64) {
        self.tracker.handle_timeout(self.now(mono));
    }

    /// When to call [`timeout`](Self::timeout) at the latest, by the monotonic clock; infinite = never.
    #[must_use]
    pub fn poll(&self) -> f64 {
        self.tracker.poll_timeout().map_or(f64::INFINITY, |at| at.as_ms() as f64)
    }

    /// Prepares the next request. -1: there is none; otherwise its number times 4, plus 2 if it needs its context, plus
    /// 1 if it must outlive the page.
    #[wasm_bindgen(js_name = next)]
    pub fn prepare(&mut self) -> f64 {
        self.send = self.tracker.poll_output();
        self.send.as_ref().map_or(-1.0, |send| {
            let bits = u32::from(send.batch.client.is_some()) * 2 + u32::from(send.urgent);
            f64::from(send.delivery.as_u32()) * 4.0 + f64::from(bits)
        })
    }

    /// The body of the request that [`prepare`](Self::prepare) prepared: JSON without page and client.
    #[must_use]
    pub fn body(&mut self) -> String {
        self.send.take().map(|send| send.batch.to_json_without_context()).unwrap_or_default()
    }

    /// What became of a request: 0 acknowledged, 1 refused for good, otherwise to be sent again. It asked to wait for
    /// `wait_ms`, and its clock showed `server_time`; negative = unknown.
    pub fn delivered(&mut self, delivery: u32, outcome: u8, wait_ms: f64, server_time: f64, mono: f64) {
        let wait = (wait_ms >= 0.0).then_some(wait_ms as u64);
        let server_time = (server_time >= 0.0).then_some(Wall::from_ms(server_time as i64));
        let outcome = match outcome {
            0 => Outcome::Acknowledged { wait, server_time },
            1 => Outcome::Refused,
            _ => Outcome::Later { wait },
        };
        self.tracker.delivered(Delivery::from_u32(delivery), outcome, self.now(mono));
    }

    /// What is known of a player's view, as JSON; empty if it has none.
    #[must_use]
    pub fn inspect(&self, player: u32) -> String {
        self.tracker.inspect(PlayerId::from_u32(player)).map(|view| view.to_json()).unwrap_or_default()
    }

    /// The tracker dates by the monotonic clock alone; the wall clock told once.
    fn now(&self, mono: f64) -> Now {
        Now { mono: monotonic(mono), wall: self.opened.wall }
    }
}

fn monotonic(ms: f64) -> Mono {
    Mono::from_ms(ms as u64)
}

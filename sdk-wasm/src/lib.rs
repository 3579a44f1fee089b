//! The tracker behind numbers and texts: the part of the SDK that is WebAssembly.
//!
//! The page, its elements and its requests belong to the loader in TypeScript, which is several times smaller than the
//! same in Rust with bindings to the browser. It tells what it sees in numbers, completes and sends the bodies that it is
//! given, and decides nothing. What a signal's number means stands in [`signals`].
//!
//! The exports take and give plain numbers, so that no glue has to be generated or shipped. Texts are written into the
//! [`room`] before the call that takes them, with a NUL after each, and the call is told their
//! length in bytes. An instance of the module is what is tracked of a page for one site. Times are milliseconds of the page's
//! monotonic clock. A number that names nothing does nothing.

#![cfg_attr(target_arch = "wasm32", expect(unsafe_code, reason = "an exported name is unique by hand"))]

#[cfg(any(target_arch = "wasm32", test))]
mod allocator;
mod signals;
mod state;

use quartile_protocol::clock::{Mono, Now, Wall};
use quartile_tracker::{Answer, Config, Delivery, Outcome, PlayerId, Subject, take_text};

use crate::signals::Look;
use crate::state::state;

/// Where the loader writes the texts for its next call, in UTF-8: at most `state::ROOM` bytes.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn room() -> *mut u8 {
    state().room()
}

/// Where the bytes are that [`next`] or [`snapshot`] prepared.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn result() -> *const u8 {
    state().result.as_ptr()
}

/// How many they are.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn result_length() -> usize {
    state().result.len()
}

/// The page is opened; takes the text of the user. `context_bytes` says how much the loader adds to a body; the
/// four numbers are random bits, `mono` and `wall` what both clocks show.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn start(texts: usize, context_bytes: usize, a: u32, b: u32, c: u32, d: u32, mono: f64, wall: f64) {
    let half = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
    let seed = [half(a, b), half(c, d)];
    let opened = Now { mono: time(mono), wall: Wall::from_ms(wall as i64) };
    let (tracker, mut texts) = state().with_text(texts);
    let user = take_text(&mut texts).into();
    tracker.open(Config { user, context_bytes, seed }, opened);
}

/// A player comes; takes names and texts as [`Subject::new`] does, and whether it is live: 0 unknown, 1 no, 2 yes. Returns
/// the number that names it.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn attach(texts: usize, kind: u32) -> u32 {
    let (tracker, texts) = state().with_text(texts);
    tracker.attach(Subject::new(texts, signals::offer(kind))).as_u32()
}

/// The user became known, or is another one; takes the text of the user.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn user(texts: usize, now: f64) {
    let (tracker, mut texts) = state().with_text(texts);
    tracker.set_user(take_text(&mut texts), time(now));
}

/// Prepares what is known of a player's view as the [`result`], for people to look at.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn snapshot(player: u32) {
    let state = state();
    state.result = state.tracker.snapshot(PlayerId::from_u32(player));
}

/// A player goes.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn detach(player: u32, now: f64) {
    state().tracker.detach(PlayerId::from_u32(player), time(now));
}

/// Another video, or more that is known of video, player and dimensions; takes what [`attach`] takes.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn describe(texts: usize, kind: u32, player: u32, now: f64) {
    let (tracker, texts) = state().with_text(texts);
    let subject = Subject::new(texts, signals::offer(kind));
    tracker.describe(PlayerId::from_u32(player), subject, time(now));
}

/// A player did something: a signal with its numbers and texts, and the element as it is now (places in seconds).
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn observe(
    texts: usize,
    player: u32,
    signal: u32,
    flags: u32,
    pos: f64,
    duration: f64,
    rate: f64,
    volume: f64,
    a: f64,
    b: f64,
    c: f64,
    now: f64,
) {
    let (tracker, texts) = state().with_text(texts);
    let seen = Look { flags, pos, duration, rate, volume }.snapshot();
    if let Some(signal) = signals::signal(signal, [a, b, c], texts) {
        tracker.observe(PlayerId::from_u32(player), signal, &seen, time(now));
    }
}

/// The page did something; the loader observes its players first.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn page(signal: u32, now: f64) {
    if let Some(signal) = signals::page_signal(signal) {
        state().tracker.page(signal, time(now));
    }
}

/// The time of [`wake_at`] has come; the loader observes its players first.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn timeout(now: f64) {
    state().tracker.handle_timeout(time(now));
}

/// When to call [`timeout`] at the latest; more than 2⁶² = never.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn wake_at() -> f64 {
    state().tracker.wake_at().as_ms() as f64
}

/// Prepares the next request as the [`result`]: members of its body. -1: there is none; otherwise its number times 4, plus
/// 2 if it needs its context, plus 1 if it must outlive the page.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn next() -> f64 {
    let state = state();
    let Some(send) = state.tracker.poll_output() else { return -1.0 };
    state.result = send.body;
    let bits = u32::from(send.context) * 2 + u32::from(send.urgent);
    f64::from(send.delivery.as_u32()) * 4.0 + f64::from(bits)
}

/// What became of a request: 0 acknowledged, 1 refused for good, otherwise to be sent again. The answer asked to wait for
/// `wait`, in milliseconds, and its clock showed `server_time`; 0 = unknown.
#[cfg_attr(target_arch = "wasm32", unsafe(no_mangle))]
pub extern "C" fn delivered(delivery: u32, outcome: u32, wait: f64, server_time: f64, now: f64) {
    let outcome = match outcome {
        0 => Outcome::Acknowledged,
        1 => Outcome::Refused,
        _ => Outcome::Later,
    };
    let server_time = (server_time > 0.0).then_some(Wall::from_ms(server_time as i64));
    let answer = Answer { outcome, wait: wait as u64, server_time };
    state().tracker.delivered(Delivery::from_u32(delivery), answer, time(now));
}

fn time(ms: f64) -> Mono {
    Mono::from_ms(ms as u64)
}

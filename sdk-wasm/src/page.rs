//! The page: its players, its timer, and the way of every signal to the tracker and of every batch from it.
//!
//! Everything that happens goes in by [`enter`](Page::enter), where the state is borrowed, and out by
//! [`leave`](Page::leave), which sets the timer, lets the state go, and only then sends what the tracker has to say. So
//! nothing that the page may have replaced, like `fetch`, runs while the state is borrowed: if it calls back in, it is
//! served.

use std::cell::{RefCell, RefMut};
use std::rc::{Rc, Weak};

use gloo_timers::callback::Timeout;
use js_sys::{Date, JSON, JsString, Reflect};
use quartile_protocol::batch::{self, Batch, Client, Video};
use quartile_protocol::clock::{Media, Millis, Mono, Now, Wall};
use quartile_protocol::id::SiteId;
use quartile_tracker::{
    Config, Delivery, Outcome, PageSignal, PlayerId, Send, Signal, Snapshot, Tracker, is_placeholder,
};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{HtmlMediaElement, Performance};

use crate::Host;
use crate::callback::{Callback, Caller};
use crate::element::{self, EVENTS, Look};
use crate::value::{call, call_with_two, get, is_true, text};

/// What is asked of the document.
const VISIBILITY: &str = "visibilitychange";

/// What is asked of the window. `unload` and `beforeunload` would keep the page out of the back/forward cache.
const WINDOW_EVENTS: [&str; 3] = ["pagehide", "pageshow", "online"];

/// A page, tracked for one site.
pub(crate) struct Page {
    window: JsValue,
    clock: Performance,
    host: Host,
    this: Weak<Self>,
    listener: Callback,
    wake: Callback,
    state: RefCell<State>,
}

struct State {
    tracker: Tracker,
    players: Vec<Player>,
    timer: Option<(Mono, Timeout)>,
    /// Between `pagehide` and a return out of the back/forward cache, whatever elements do is no viewing.
    left: bool,
    /// All tracking has ended.
    closed: bool,
}

/// A tracked element.
struct Player {
    id: PlayerId,
    element: HtmlMediaElement,
    /// What is said of it.
    said: JsValue,
    callback: Callback,
    /// Whether the next video frame will be told.
    awaits_frame: bool,
}

impl Page {
    /// Begins without players; nothing if the site's key is none.
    pub(crate) fn start(window: JsValue, host: Host, seed: [u8; 16]) -> Option<Rc<Self>> {
        let tracker = Tracker::new(config(&host, seed)?);
        let state = State { tracker, players: Vec::new(), timer: None, left: false, closed: false };
        let page = Rc::new_cyclic(|this| Self {
            clock: get(&window, "performance").unchecked_into(),
            this: Weak::clone(this),
            listener: Callback::new(this, &host, Caller::Page),
            wake: Callback::new(this, &host, Caller::Timer),
            state: RefCell::new(state),
            host,
            window,
        });
        page.listen("addEventListener");
        page.page_event(VISIBILITY, &JsValue::UNDEFINED);
        Some(page)
    }

    /// Adds or removes the listeners of the document and the window.
    fn listen(&self, method: &str) {
        let document = get(&self.window, "document");
        call_with_two(&document, method, &VISIBILITY.into(), self.listener.function());
        for name in WINDOW_EVENTS {
            call_with_two(&self.window, method, &name.into(), self.listener.function());
        }
    }

    fn now(&self) -> Now {
        Now { mono: Mono::from_ms(self.clock.now() as u64), wall: Wall::from_ms(Date::now() as i64) }
    }

    /// Nothing if the shell has failed before while it held the state.
    fn enter(&self) -> Option<(RefMut<'_, State>, Now)> {
        Some((self.state.try_borrow_mut().ok()?, self.now()))
    }

    fn leave(&self, mut state: RefMut<'_, State>, now: Now) {
        self.arm(&mut state, now);
        let mut sends = Vec::new();
        while let Some(send) = state.tracker.poll_output() {
            sends.push(send);
        }
        drop(state);
        for send in sends {
            self.send(send);
        }
    }

    /// Sets the timer, if it has to ring earlier than it is set to.
    fn arm(&self, state: &mut State, now: Now) {
        let Some(at) = state.tracker.poll_timeout().filter(|_| !state.closed) else {
            state.timer = None;
            return;
        };
        if state.timer.as_ref().is_some_and(|(set_to, _)| *set_to <= at) {
            return;
        }
        let wake = self.wake.function().clone();
        let delay = at.since(now.mono) as u32;
        state.timer = Some((at, Timeout::new(delay, move || drop(wake.call0(&JsValue::UNDEFINED)))));
    }

    /// The browser calls.
    pub(crate) fn called(&self, caller: Caller, value: &JsValue) {
        if let Caller::Page = caller {
            return self.page_event(&text(value, "type"), value);
        }
        let Some((mut state, now)) = self.enter() else { return };
        if let Caller::Player(id) = caller {
            state.player_event(id, value, now);
        } else {
            state.timer = None;
            state.look_at_all(now);
            state.tracker.handle_timeout(now);
        }
        self.leave(state, now);
    }

    fn page_event(&self, name: &str, event: &JsValue) {
        let signal = match name {
            "pagehide" => PageSignal::Left,
            "online" => PageSignal::Online,
            "pageshow" if is_true(event, "persisted") => PageSignal::Restored,
            VISIBILITY if is_true(&get(&self.window, "document"), "hidden") => PageSignal::Hidden,
            VISIBILITY => PageSignal::Visible,
            _ => return,
        };
        let Some((mut state, now)) = self.enter() else { return };
        state.look_at_all(now);
        state.tracker.page(signal, now);
        match signal {
            PageSignal::Left => state.left = true,
            PageSignal::Restored => {
                state.left = false;
                state.look_at_all(now);
            }
            _ => {}
        }
        self.leave(state, now);
    }

    /// Tracks an element. `asked_at` (ms) and `asked_pos` (s) tell when and where playback was asked for before.
    pub(crate) fn track(&self, element: HtmlMediaElement, said: JsValue, asked_at: f64, asked_pos: f64) -> u32 {
        let Some((mut state, now)) = self.enter() else { return u32::MAX };
        let address = element::address(&element);
        let (player, dims) = (element::player(&element, &said), element::dims(&said));
        let id = state.tracker.attach(player, element::video(&said, &address), dims);
        let callback = Callback::new(&self.this, &self.host, Caller::Player(id));
        let mut player = Player { id, element, said, callback, awaits_frame: false };
        player.listen("addEventListener");
        state.begin(&mut player, &address, asked_at, asked_pos, now);
        state.players.push(player);
        self.leave(state, now);
        id.as_u32()
    }

    /// What is said of the player's video has changed.
    pub(crate) fn describe(&self, number: u32) {
        let Some((mut state, now)) = self.enter() else { return };
        if let Some(player) = state.players.iter().find(|player| player.id.as_u32() == number) {
            let (id, video) = (player.id, player.video(&element::address(&player.element)));
            state.tracker.describe(id, video, now);
        }
        self.leave(state, now);
    }

    /// Ends the tracking of a player.
    pub(crate) fn stop(&self, number: u32) {
        let Some((mut state, now)) = self.enter() else { return };
        state.look_at_all(now);
        if let Some(index) = state.players.iter().position(|player| player.id.as_u32() == number) {
            let player = state.players.swap_remove(index);
            player.listen("removeEventListener");
            state.tracker.detach(player.id, now);
        }
        self.leave(state, now);
    }

    /// Ends all tracking and sends what is left; nothing is sent again.
    pub(crate) fn destroy(&self) {
        self.listen("removeEventListener");
        let Some((mut state, now)) = self.enter() else { return };
        state.look_at_all(now);
        for player in std::mem::take(&mut state.players) {
            player.listen("removeEventListener");
            state.tracker.detach(player.id, now);
        }
        // An ordinary request would be lost with the page, of whose end nobody tells any more.
        state.tracker.page(PageSignal::Hidden, now);
        state.closed = true;
        self.leave(state, now);
    }

    fn send(&self, Send { delivery, batch, urgent }: Send) {
        let sent = self.json(&batch).and_then(|body| self.host.send(&body, urgent, delivery.as_u32()));
        if sent.is_err() {
            self.answered(delivery.as_u32(), 0, false, f64::NAN);
        }
    }

    /// A batch as JSON, written by the browser. The host's part of it never comes in here.
    fn json(&self, batch: &Batch) -> Result<JsString, JsValue> {
        let value = batch.serialize(&Serializer::json_compatible())?;
        for part in ["page", "client"] {
            Reflect::set(&value, &part.into(), &get(&self.host, part))?;
        }
        JSON::stringify(&value)
    }

    /// A request was answered.
    pub(crate) fn answered(&self, delivery: u32, status: u16, accepted: bool, wait_ms: f64) {
        let Some((mut state, now)) = self.enter() else { return };
        let wait = (wait_ms > 0.0).then_some(wait_ms as Millis);
        state.tracker.delivered(Delivery::from_u32(delivery), outcome(status, accepted, wait), now);
        self.leave(state, now);
    }
}

/// What is known from the start; nothing if the site's key is none.
fn config(host: &Host, seed: [u8; 16]) -> Option<Config> {
    Some(Config {
        site: SiteId::new(&text(host, "site")).ok()?,
        sdk: text(host, "sdk"),
        viewer: text(host, "viewer"),
        user: text(host, "user"),
        page: batch::Page::default(),
        client: Client::default(),
        session: !is_true(host, "private"),
        seed,
    })
}

/// What an answer means. Only what has `accepted` comes from a collector: a proxy may answer 200, too.
fn outcome(status: u16, accepted: bool, wait: Option<Millis>) -> Outcome {
    match status {
        200 if accepted => Outcome::Acknowledged { wait },
        400 | 401 | 403 | 413 => Outcome::Refused,
        _ => Outcome::Later { wait },
    }
}

impl State {
    /// Looks at an element for the first time.
    fn begin(&mut self, player: &mut Player, address: &str, asked_at: f64, asked_pos: f64, now: Now) {
        let seen = element::snapshot(&player.element);
        let asked = Mono::from_ms(asked_at as u64);
        if asked_at > 0.0 {
            let then = Now { mono: asked, wall: now.wall.shifted(-(now.mono.since(asked) as i64)) };
            let seen = Snapshot { pos: Media::from_seconds(asked_pos), paused: false, ended: false, ..seen };
            self.tracker.observe(player.id, Signal::Source(address), &seen, then);
        } else {
            self.tracker.observe(player.id, Signal::Source(address), &seen, now);
        }
        let signal = if asked_at < 0.0 { Signal::Joined } else { Signal::Observed };
        self.tracker.observe(player.id, signal, &seen, now);
        if !seen.paused {
            player.await_frame();
        }
    }

    fn player_event(&mut self, id: PlayerId, event: &JsValue, now: Now) {
        let Some(player) = self.players.iter_mut().find(|player| player.id == id).filter(|_| !self.left) else {
            return;
        };
        let seen = element::snapshot(&player.element);
        if event.as_f64().is_some() {
            player.awaits_frame = false;
            return self.tracker.observe(id, Signal::FirstFrame, &seen, now);
        }
        let (address, failure);
        let signal = match element::look_for(&text(event, "type")) {
            Look::Source => {
                address = element::address(&player.element);
                if !is_placeholder(&address) {
                    self.tracker.describe(id, player.video(&address), now);
                }
                Signal::Source(&address)
            }
            Look::Failure => {
                failure = element::failure(&player.element);
                failure.as_ref().map_or(Signal::Observed, |(code, message)| Signal::Failed {
                    code,
                    message,
                    fatal: true,
                })
            }
            Look::Play => {
                player.await_frame();
                Signal::Observed
            }
            Look::Pause => Signal::Paused,
            Look::Seek => Signal::Seeking,
            Look::State => Signal::Observed,
        };
        self.tracker.observe(id, signal, &seen, now);
    }

    fn look_at_all(&mut self, now: Now) {
        for player in self.players.iter().filter(|_| !self.left) {
            self.tracker.observe(player.id, Signal::Observed, &element::snapshot(&player.element), now);
        }
    }
}

impl Player {
    /// Adds or removes the listeners.
    fn listen(&self, method: &str) {
        for (name, _) in EVENTS {
            call_with_two(&self.element, method, &name.into(), self.callback.function());
        }
    }

    fn video(&self, address: &str) -> Video {
        element::video(&self.said, address)
    }

    /// Asks for one callback at the next frame: one for every frame would cost too much.
    fn await_frame(&mut self) {
        if !self.awaits_frame {
            let asked = call(&self.element, "requestVideoFrameCallback", self.callback.function());
            self.awaits_frame = asked.is_some();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_collector_acknowledges() {
        let wait = Some(5);
        assert_eq!(outcome(200, true, wait), Outcome::Acknowledged { wait });
        assert_eq!(outcome(200, false, None), Outcome::Later { wait: None });
        assert_eq!(outcome(204, true, None), Outcome::Later { wait: None });
    }

    #[test]
    fn what_would_be_refused_again_is_not_said_again() {
        for status in [400, 401, 403, 413] {
            assert_eq!(outcome(status, false, None), Outcome::Refused);
        }
        for status in [0, 404, 429, 500, 502, 503] {
            assert_eq!(outcome(status, false, Some(7)), Outcome::Later { wait: Some(7) });
        }
    }
}

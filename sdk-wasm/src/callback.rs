//! Functions of ours that the browser calls.

use std::rc::Weak;

use js_sys::Function;
use quartile_tracker::PlayerId;
use wasm_bindgen::prelude::*;

use crate::Host;
use crate::page::Page;

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    /// A media element: with an event, or with a number when a video frame was presented.
    Player(PlayerId),
    /// The document or the window, with an event.
    Page,
    /// The timer.
    Timer,
}

/// A function that may be handed to the browser for as long as this value lives. Called later, it does nothing.
pub(crate) struct Callback {
    function: Function,
    _closure: Closure<dyn Fn(JsValue)>,
}

impl Callback {
    /// A function that leads to `page`, guarded by `host`.
    pub(crate) fn new(page: &Weak<Page>, host: &Host, caller: Caller) -> Self {
        let page = Weak::clone(page);
        let closure = Closure::<dyn Fn(JsValue)>::new(move |value| {
            if let Some(page) = page.upgrade() {
                page.called(caller, &value);
            }
        });
        let function = host.guard(closure.as_ref()).unwrap_or_default();
        Self { function, _closure: closure }
    }

    pub(crate) fn function(&self) -> &Function {
        &self.function
    }
}

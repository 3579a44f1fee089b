//! What the module holds between two calls.

use std::cell::UnsafeCell;

use quartile_tracker::Tracker;

/// Everything.
pub(crate) struct State {
    pub tracker: Tracker,
    pub result: Vec<u8>,
    /// Texts that wait for the call that takes them.
    texts: Vec<String>,
}

struct Global(UnsafeCell<State>);

// SAFETY: the module is built without threads.
#[expect(unsafe_code, reason = "see there")]
unsafe impl Sync for Global {}

static STATE: Global =
    Global(UnsafeCell::new(State { tracker: Tracker::new(), result: Vec::new(), texts: Vec::new() }));

/// All of it, for the length of one call of the loader.
#[expect(unsafe_code, reason = "a cell that counts its borrowers would be checked in every call")]
pub(crate) fn state() -> &'static mut State {
    // SAFETY: the module imports nothing, so that no call can begin before the one before it has ended; and each call takes
    // the state once.
    unsafe { &mut *STATE.0.get() }
}

impl State {
    /// Makes room for a text of so many bytes and gives where it is.
    #[expect(unsafe_code, reason = "a check of every text would weigh more than all other code of the boundary")]
    pub(crate) fn make_room(&mut self, length: usize) -> *mut u8 {
        let mut bytes = vec![0; length];
        let place = bytes.as_mut_ptr();
        // SAFETY: zeros are UTF-8, and the loader overwrites them with what `TextEncoder` gives, which is UTF-8, too.
        self.texts.push(unsafe { String::from_utf8_unchecked(bytes) });
        place
    }

    /// Takes the one text that waits; empty if none does.
    pub(crate) fn take_text(&mut self) -> String {
        self.take_texts().pop().unwrap_or_default()
    }

    /// Takes the texts that wait, in the order in which room was made for them.
    pub(crate) fn take_texts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.texts)
    }
}

//! What the module holds between two calls.

use std::cell::UnsafeCell;

use quartile_tracker::Tracker;

/// How many bytes of text one call can take: of a subject, all that the wire's limits allow.
pub(crate) const ROOM: usize = 16_384;

/// Everything.
pub(crate) struct State {
    pub tracker: Tracker,
    pub result: Vec<u8>,
    /// Where the loader writes the texts for its next call.
    room: [u8; ROOM],
}

struct Global(UnsafeCell<State>);

// SAFETY: the module is built without threads.
#[expect(unsafe_code, reason = "see there")]
unsafe impl Sync for Global {}

static STATE: Global = Global(UnsafeCell::new(State { tracker: Tracker::new(), result: Vec::new(), room: [0; ROOM] }));

/// All of it, for the length of one call of the loader.
#[expect(unsafe_code, reason = "a cell that counts its borrowers would be checked in every call")]
pub(crate) fn state() -> &'static mut State {
    // SAFETY: the module imports nothing, so that no call can begin before the one before it has ended; and each call takes
    // the state once.
    unsafe { &mut *STATE.0.get() }
}

impl State {
    /// Where the loader writes.
    pub(crate) const fn room(&mut self) -> *mut u8 {
        self.room.as_mut_ptr()
    }

    /// The tracker, and the text that the loader wrote before this call.
    #[expect(unsafe_code, reason = "a check of every text would weigh more than all other code of the boundary")]
    pub(crate) fn with_text(&mut self, length: usize) -> (&mut Tracker, &str) {
        let text = self.room.get(..length).unwrap_or_default();
        // SAFETY: the loader writes what `TextEncoder.encodeInto` gives, which is whole characters of UTF-8.
        (&mut self.tracker, unsafe { std::str::from_utf8_unchecked(text) })
    }
}

//! What the module holds between two calls.

use std::cell::RefCell;

use quartile_tracker::Tracker;

/// Everything.
pub(crate) struct State {
    pub cores: Vec<Tracker>,
    pub result: Vec<u8>,
    /// Texts that wait for the call that takes them.
    texts: Vec<String>,
}

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State { cores: Vec::new(), result: Vec::new(), texts: Vec::new() }) };
}

/// Does something with all of it.
pub(crate) fn with_state<R>(act: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(act)
}

/// Does something with a core, if there is one of this number, and with the texts that wait. One function for all calls
/// of the loader: as a parameter of a type, `act` would make one of each.
pub(crate) fn with_core(core: usize, act: &mut dyn FnMut(&mut Tracker, &mut Vec<String>)) {
    with_state(|state| {
        let mut texts = state.take_texts();
        if let Some(tracker) = state.cores.get_mut(core) {
            act(tracker, &mut texts);
        }
    });
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

    /// Takes the texts that wait, in the order in which room was made for them.
    pub(crate) fn take_texts(&mut self) -> Vec<String> {
        std::mem::take(&mut self.texts)
    }
}

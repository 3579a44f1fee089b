//! A heap that counts, for each thread: how much is held, the most that was, and how often something was asked for.

#![expect(unsafe_code, reason = "an allocator cannot be written without it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's heap, counted.
pub struct Counting;

#[global_allocator]
static HEAP: Counting = Counting;

/// What a thread did with the heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Bytes that are held now.
    pub held: i64,
    /// The most bytes that were held at once.
    pub most: i64,
    /// How often bytes were asked for.
    pub asked: u64,
}

thread_local! {
    static USE: Cell<Use> = const { Cell::new(Use { held: 0, most: 0, asked: 0 }) };
}

/// What this thread did so far.
pub fn used() -> Use {
    USE.get()
}

/// From now on, the most that is held counts from what is held now.
pub fn forget_most() {
    let used = USE.get();
    USE.set(Use { most: used.held, ..used });
}

fn note(bytes: usize, freed: usize) {
    // Threads that are ending have nowhere to count any more.
    let _ = USE.try_with(|cell| {
        let before = cell.get();
        let held = before.held + bytes as i64;
        let used = Use { held: held - freed as i64, most: before.most.max(held), asked: before.asked };
        cell.set(Use { asked: used.asked + u64::from(bytes > 0), ..used });
    });
}

// SAFETY: the system's heap does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 0);
        // SAFETY: the caller vouches for the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, layout.size());
        // SAFETY: the caller vouches for block and layout.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old block is held until the new one is there.
        note(size, layout.size());
        // SAFETY: the caller vouches for block, layout and size.
        unsafe { System.realloc(block, layout, size) }
    }
}

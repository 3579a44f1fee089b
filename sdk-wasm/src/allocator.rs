//! A small allocator: the general one of the standard library would be a fifth of what a page downloads.
//!
//! A block has a power of two of bytes. A freed block waits in the list of its size and is given out again first; sizes
//! are never split or merged. What the SDK holds is bounded and much alike over time (slices, events, short texts), so
//! that what waits in the lists is bounded by the most that was ever held of each size.

/// The smallest block: 16 bytes, and what every block is aligned to.
const SMALLEST: usize = 16;

/// Block sizes from 16 bytes to 16 MiB.
const SIZES: usize = 21;

/// Where the blocks lie.
trait Memory {
    /// Makes at least so many more bytes at the end and gives the new end.
    fn grow(&mut self, bytes: usize) -> Option<usize>;
    /// Reads the address that a free block holds.
    fn read(&self, block: usize) -> usize;
    /// Writes an address into a free block.
    fn write(&mut self, block: usize, address: usize);
}

/// Which blocks are free. Addresses; 0 is none.
struct Blocks {
    free: [usize; SIZES],
    next: usize,
    end: usize,
}

/// The number of a size among the powers of two.
const fn size_class(bytes: usize) -> usize {
    let bytes = if bytes < SMALLEST { SMALLEST } else { bytes };
    (bytes.next_power_of_two() / SMALLEST).trailing_zeros() as usize
}

impl Blocks {
    const NONE: Self = Self { free: [0; SIZES], next: 0, end: 0 };

    /// Gives a block of at least `bytes`; 0 when there is none.
    fn take(&mut self, bytes: usize, memory: &mut impl Memory) -> usize {
        let class = size_class(bytes);
        let Some(free) = self.free.get_mut(class) else { return 0 };
        if *free != 0 {
            let block = *free;
            *free = memory.read(block);
            return block;
        }
        let size = SMALLEST << class;
        if self.end - self.next < size {
            let Some(end) = memory.grow(size) else { return 0 };
            // The first time, what lies before belongs to others.
            if self.end == 0 {
                self.next = end - end.min(size.next_multiple_of(PAGE));
            }
            self.end = end;
        }
        let block = self.next;
        self.next += size;
        block
    }

    /// Takes a block of `bytes` back.
    fn give(&mut self, block: usize, bytes: usize, memory: &mut impl Memory) {
        if let Some(free) = self.free.get_mut(size_class(bytes)) {
            memory.write(block, *free);
            *free = block;
        }
    }
}

/// Memory grows by so much.
const PAGE: usize = 64 * 1024;

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "an allocator deals in raw memory")]
mod global {
    use core::alloc::{GlobalAlloc, Layout};
    use core::arch::wasm32::{memory_grow, memory_size};
    use core::cell::UnsafeCell;

    use super::{Blocks, Memory, PAGE, SMALLEST, size_class};

    struct Global(UnsafeCell<Blocks>);

    // SAFETY: the module is built without threads.
    unsafe impl Sync for Global {}

    #[global_allocator]
    static GLOBAL: Global = Global(UnsafeCell::new(Blocks::NONE));

    /// The memory of the module.
    struct Pages;

    impl Memory for Pages {
        fn grow(&mut self, bytes: usize) -> Option<usize> {
            let before = memory_grow::<0>(bytes.div_ceil(PAGE));
            (before != usize::MAX).then(|| memory_size::<0>() * PAGE)
        }

        fn read(&self, block: usize) -> usize {
            // SAFETY: a free block is aligned, ours, and holds an address.
            unsafe { *(block as *const usize) }
        }

        fn write(&mut self, block: usize, address: usize) {
            // SAFETY: as above.
            unsafe { *(block as *mut usize) = address }
        }
    }

    // SAFETY: blocks never overlap, and are as large and as aligned as was asked for, or are not given out.
    unsafe impl GlobalAlloc for Global {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if layout.align() > SMALLEST {
                return core::ptr::null_mut();
            }
            // SAFETY: nothing else runs meanwhile.
            unsafe { (*self.0.get()).take(layout.size(), &mut Pages) as *mut u8 }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: nothing else runs meanwhile.
            unsafe { (*self.0.get()).give(block as usize, layout.size(), &mut Pages) }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            if size_class(size) == size_class(layout.size()) {
                return block;
            }
            // SAFETY: the caller vouches for the block and its layout; a size that is too large is refused by `alloc`.
            unsafe {
                let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !moved.is_null() {
                    core::ptr::copy_nonoverlapping(block, moved, size.min(layout.size()));
                    self.dealloc(block, layout);
                }
                moved
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A memory that begins with a page of somebody else's.
    #[derive(Default)]
    struct Fake {
        pages: usize,
        words: std::collections::HashMap<usize, usize>,
    }

    impl Memory for Fake {
        fn grow(&mut self, bytes: usize) -> Option<usize> {
            self.pages = self.pages.max(1) + bytes.div_ceil(PAGE);
            (self.pages < 1000).then_some(self.pages * PAGE)
        }
        fn read(&self, block: usize) -> usize {
            self.words[&block]
        }
        fn write(&mut self, block: usize, address: usize) {
            self.words.insert(block, address);
        }
    }

    #[test]
    fn sizes_are_powers_of_two() {
        assert_eq!([0, 1, 16, 17, 32, 33].map(size_class), [0, 0, 0, 1, 1, 2]);
        assert_eq!(size_class(16 << 20), 20);
    }

    #[test]
    fn blocks_are_apart_aligned_and_not_in_foreign_memory() {
        let (mut blocks, mut memory) = (Blocks::NONE, Fake::default());
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for bytes in (1..400).map(|i| i * 37) {
            let block = blocks.take(bytes, &mut memory);
            assert!(block >= PAGE && block % SMALLEST == 0);
            assert!(taken.iter().all(|&(other, size)| other + size <= block || block + bytes <= other));
            taken.push((block, bytes));
        }
        assert!(taken.iter().all(|&(block, size)| block + size <= memory.pages * PAGE));
    }

    #[test]
    fn what_was_given_back_is_used_again() {
        let (mut blocks, mut memory) = (Blocks::NONE, Fake::default());
        let first = blocks.take(100, &mut memory);
        let second = blocks.take(100, &mut memory);
        blocks.give(first, 100, &mut memory);
        blocks.give(second, 100, &mut memory);
        assert_eq!(blocks.take(128, &mut memory), second);
        assert_eq!(blocks.take(65, &mut memory), first);
        assert!(![first, second].contains(&blocks.take(100, &mut memory)));
    }

    #[test]
    fn memory_that_cannot_grow_gives_none() {
        let (mut blocks, mut memory) = (Blocks::NONE, Fake { pages: 999, ..Fake::default() });
        assert_eq!(blocks.take(1, &mut memory), 0);
        assert_eq!(blocks.take(usize::MAX / 4, &mut memory), 0);
    }
}

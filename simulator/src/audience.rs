//! Who watches.

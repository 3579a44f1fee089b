//! Quartile.

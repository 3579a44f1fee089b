//! The binary `quartile`.
fn main() {}

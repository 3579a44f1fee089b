//! `quartile licenses`: the notices of what others wrote.

use std::io;

use flate2::read::GzDecoder;

/// Written by `cargo xtask licenses`, compressed when the collector is built.
const NOTICES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/THIRD-PARTY-NOTICES.gz"));

/// The text.
pub fn notices() -> io::Result<String> {
    io::read_to_string(GzDecoder::new(NOTICES))
}

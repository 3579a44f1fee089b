//! The durable place of the consumer.

use std::io;
use std::path::Path;

use super::format::{self, HEADER_LEN, HeaderError, Kind, Position};
use super::fs::Fs;

/// The file that holds it.
pub(super) const CURSOR_FILE: &str = "cursor";
/// Where the next one is written before it takes that name.
pub(super) const CURSOR_DRAFT: &str = "cursor.tmp";

/// What the cursor file says.
#[derive(Debug)]
pub(super) enum Stored {
    At(Position),
    /// There is no such file.
    Missing,
    Unreadable(HeaderError),
}

pub(super) fn load(fs: &dyn Fs, dir: &Path, len: u64) -> io::Result<Stored> {
    let file = match fs.open(&dir.join(CURSOR_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stored::Missing),
        Err(error) => return Err(error),
    };
    let mut bytes = vec![0; (len as usize).min(HEADER_LEN)];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(match format::decode_header(Kind::Cursor, &bytes) {
        Ok(position) => Stored::At(position),
        Err(error) => Stored::Unreadable(error),
    })
}

/// Returns when the position would survive a power cut. After an error the old one or the new one is in force.
pub(super) fn store(fs: &dyn Fs, dir: &Path, position: Position) -> io::Result<()> {
    let draft = dir.join(CURSOR_DRAFT);
    let mut file = fs.create(&draft)?;
    file.append(&format::encode_header(Kind::Cursor, position))?;
    file.sync_data()?;
    fs.rename(&draft, &dir.join(CURSOR_FILE))?;
    fs.sync_dir(dir)
}

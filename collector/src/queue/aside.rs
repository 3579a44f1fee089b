//! What happens to files that are no longer read: consumed ones and damaged ones.

use std::io;
use std::path::{Path, PathBuf};

use super::format::segment_name;
use super::fs::Fs;
use super::state::{Segment, Shared};

/// The folder, within that of the queue, for what could not be read.
pub(super) const DAMAGED_DIR: &str = "damaged";

/// Moves a file of the queue into the folder for damaged ones, under a name that is free there.
pub(super) fn set_aside(fs: &dyn Fs, dir: &Path, name: &str) -> io::Result<PathBuf> {
    let target = free_name(fs, dir, name)?;
    fs.rename(&dir.join(name), &target)?;
    sync_folder(fs, dir)?;
    Ok(target)
}

/// Where a file can be put in the folder for damaged ones, which is made.
pub(super) fn free_name(fs: &dyn Fs, dir: &Path, name: &str) -> io::Result<PathBuf> {
    let damaged = dir.join(DAMAGED_DIR);
    fs.create_dir(&damaged)?;
    let taken = fs.list(&damaged)?;
    let mut free = name.to_owned();
    let mut copy = 1;
    while taken.iter().any(|entry| entry.name == free) {
        free = format!("{name}.{copy}");
        copy += 1;
    }
    Ok(damaged.join(free))
}

/// Returns when what was put into the folder for damaged files would survive a power cut.
pub(super) fn sync_folder(fs: &dyn Fs, dir: &Path) -> io::Result<()> {
    fs.sync_dir(&dir.join(DAMAGED_DIR))?;
    fs.sync_dir(dir)
}

/// The bytes in the folder for damaged files; 0 when there is none.
pub(super) fn damaged_bytes(fs: &dyn Fs, dir: &Path) -> u64 {
    let entries = fs.list(&dir.join(DAMAGED_DIR)).unwrap_or_default();
    entries.iter().map(|entry| entry.len).sum()
}

/// Lets go of segments that lie wholly before the cursor. One with damage is kept for a human to look at, as long as
/// those take no more than a quarter of the queue's bound.
pub(super) fn retire(shared: &Shared) {
    for segment in shared.take_consumed() {
        if let Err(error) = retire_one(shared, &segment) {
            // The next opening finds it before the cursor and removes it.
            let file = segment_name(segment.base);
            tracing::warn!(%error, file, "a consumed queue segment could not be removed");
        }
    }
}

fn retire_one(shared: &Shared, segment: &Segment) -> io::Result<()> {
    let (fs, dir) = (&*shared.fs, &*shared.dir);
    let name = segment_name(segment.base);
    if segment.damaged {
        // Apart even where there is an archive, which is not kept for ever.
        if damaged_bytes(fs, dir) + segment.len <= shared.limits.max_bytes / 4 {
            let kept = set_aside(fs, dir, &name)?;
            tracing::warn!(kept = %kept.display(), "a damaged queue segment was read to its end and set aside");
            return Ok(());
        }
        tracing::warn!(file = name, "a damaged queue segment is not set aside: too many were already");
    }
    let_go(fs, dir, shared.archive.as_deref(), &name)
}

/// Moves a consumed segment into the archive, or removes it where there is none.
pub(super) fn let_go(fs: &dyn Fs, dir: &Path, archive: Option<&Path>, name: &str) -> io::Result<()> {
    let from = dir.join(name);
    let gone = match archive {
        None => fs.remove(&from),
        // A rename: whoever appends or commits does not wait for a copy, and no crash leaves half of one.
        Some(archive) => fs.create_dir(archive).and_then(|()| fs.rename(&from, &archive.join(name))),
    };
    match gone {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(()) if archive.is_some() => archive.map_or(Ok(()), |archive| fs.sync_dir(archive)),
        other => other,
    }
}

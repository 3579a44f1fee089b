//! A small file with a new content, at once and for good.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// Rights of a file that nobody but its owner may read.
const PRIVATE: u32 = 0o600;

/// Puts a file with this content in the place of the one that is there, with its rights and its owner: who changes
/// something as root keeps nobody out. A new file is private, and of whom the folder is. A link stays a link.
///
/// # Errors
/// What the file system says; then the old file is there.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut draft = path.clone().into_os_string();
    draft.push(".draft");
    let mut file = private(Path::new(&draft), OpenOptions::new().create(true).truncate(true))?;
    if let Ok(before) = fs::metadata(&path) {
        own(&file, &before);
        file.set_permissions(fs::Permissions::from_mode(before.mode()))?;
    }
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, &path)?;
    File::open(folder(&path))?.sync_all()
}

/// Waits until nobody else changes the file at `path`, and keeps others waiting until the result is let go of. Whoever
/// reads a file to write it again needs this, or loses what another wrote in between.
///
/// # Errors
/// What the file system says.
pub fn alone(path: &Path) -> io::Result<File> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let lock = private(&path.with_extension("lock"), OpenOptions::new().create(true).truncate(false))?;
    lock.lock()?;
    Ok(lock)
}

/// Opens a file for writing. One that is new only its owner can read, and that is whom the folder belongs to.
///
/// # Errors
/// What the file system says.
pub fn private(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let is_new = !path.exists();
    let file = options.mode(PRIVATE).write(true).open(path)?;
    if is_new {
        own(&file, &fs::metadata(folder(path))?);
    }
    Ok(file)
}

/// Gives the file to whom the other one belongs to; only root can, and only root needs to.
fn own(file: &File, like: &fs::Metadata) {
    let _ = fchown(file, Some(like.uid()), Some(like.gid()));
}

fn folder(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or_else(|| ".".into(), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_owner_and_link_stay_and_what_is_new_is_private_and_of_the_folder_s_owner() {
        let dir = tempfile::tempdir().unwrap();
        let [file, link, new] = ["file", "link", "new"].map(|name| dir.path().join(name));
        fs::write(&file, "one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        // Only root can make this a test of owners; for others everything is their own anyway.
        let is_root = fs::metadata(dir.path()).unwrap().uid() == 0;
        let owner = if is_root { 12_345 } else { fs::metadata(&file).unwrap().uid() };
        if is_root {
            std::os::unix::fs::chown(&file, Some(owner), None).unwrap();
            std::os::unix::fs::chown(dir.path(), Some(owner), None).unwrap();
        }
        replace(&link, b"two").unwrap();
        replace(&new, b"three").unwrap();
        let of = |path: &Path| {
            let known = fs::metadata(path).unwrap();
            (fs::read_to_string(path).unwrap(), known.mode() & 0o777, known.uid())
        };
        assert_eq!(of(&file), ("two".into(), 0o640, owner));
        assert_eq!(of(&new), ("three".into(), 0o600, owner));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "no draft is left");
    }
}

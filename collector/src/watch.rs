//! Tells when files change, by what the operating system says and not by looking again and again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// How long nothing may happen to a file until it counts as written.
const QUIET: Duration = Duration::from_millis(300);

/// Watches for as long as it lives.
pub struct Watch {
    _watcher: RecommendedWatcher,
}

/// Calls `changed`, on a thread of its own, whenever one of these files was written or replaced.
///
/// # Errors
/// What the operating system says, such as that too much is watched already.
pub fn files<'a>(
    paths: impl Iterator<Item = &'a Path>,
    changed: impl Fn() + Send + 'static,
) -> Result<Watch, notify::Error> {
    let files: Vec<PathBuf> = paths.map(Path::to_owned).collect();
    let names: Vec<OsString> = files.iter().filter_map(|path| path.file_name().map(OsString::from)).collect();
    let (sender, events) = channel();
    let mut watcher = notify::recommended_watcher(move |event: Result<Event, notify::Error>| {
        // Events that were lost may have been about our files.
        if event.is_ok_and(|event| !is_about(&event, &names)) {
            return;
        }
        // Nobody receives any more: the watch is about to end.
        let _ = sender.send(());
    })?;
    for path in &files {
        // The folder, because a file that is replaced is another file; and a link is followed to where it is replaced.
        let target = path.canonicalize().unwrap_or_else(|_| path.clone());
        for folder in [path.parent(), target.parent()].into_iter().flatten() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
    }
    thread::Builder::new()
        .name("file-watch".to_owned())
        .spawn(move || tell(&events, changed))
        .map_err(notify::Error::io)?;
    Ok(Watch { _watcher: watcher })
}

/// Whether an event can mean that one of these files has another content now. Reading one means nothing.
fn is_about(event: &Event, names: &[OsString]) -> bool {
    let written = matches!(event.kind, EventKind::Access(AccessKind::Close(AccessMode::Write)));
    let wrote = written || !event.kind.is_access();
    let named = |path: &PathBuf| path.file_name().is_none_or(|name| names.iter().any(|known| known == name));
    // Kubernetes and others replace a link to a folder beside the file, so that the file's own name is in no event.
    let by_link = event.kind.is_create() || matches!(event.kind, EventKind::Modify(notify::event::ModifyKind::Name(_)));
    wrote && (by_link || event.paths.iter().any(named))
}

/// Calls `changed` once things are quiet, until nobody sends any more.
fn tell(events: &Receiver<()>, changed: impl Fn()) {
    while events.recv().is_ok() {
        loop {
            match events.recv_timeout(QUIET) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        changed();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Waits for as long as a slow machine may take; who waits for nothing waits in vain for that long.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn a_file_that_is_written_replaced_or_relinked_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("places.mmdb");
        fs::write(&path, "one").unwrap();
        let (sender, changes) = channel();
        let reread = path.clone();
        let watch = files([&*path].into_iter(), move || {
            let _ = sender.send(fs::read_to_string(&reread).unwrap());
        });
        let until = |content: &str| while changes.recv_timeout(PATIENCE).unwrap() != content {};

        fs::write(&path, "two").unwrap();
        until("two");
        fs::write(dir.path().join("new"), "three").unwrap();
        fs::rename(dir.path().join("new"), &path).unwrap();
        until("three");
        fs::create_dir(dir.path().join("v4")).unwrap();
        fs::write(dir.path().join("v4/places.mmdb"), "four").unwrap();
        std::os::unix::fs::symlink("v4/places.mmdb", dir.path().join("link")).unwrap();
        fs::rename(dir.path().join("link"), &path).unwrap();
        until("four");
        drop(watch);
        assert_eq!(
            changes.recv_timeout(PATIENCE),
            Err(RecvTimeoutError::Disconnected),
            "the thread ends with the watch"
        );
    }

    #[test]
    fn reading_a_file_is_no_change() {
        let about = |kind| is_about(&Event::new(kind).add_path("/data/a.mmdb".into()), &["a.mmdb".into()]);
        assert!(!about(EventKind::Access(AccessKind::Open(AccessMode::Any))));
        assert!(!about(EventKind::Access(AccessKind::Close(AccessMode::Read))));
        assert!(about(EventKind::Access(AccessKind::Close(AccessMode::Write))));
        assert!(about(EventKind::Remove(notify::event::RemoveKind::File)));
        let other = Event::new(EventKind::Modify(notify::event::ModifyKind::Any)).add_path("/data/b.mmdb".into());
        assert!(!is_about(&other, &["a.mmdb".into()]));
    }
}

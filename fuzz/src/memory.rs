//! A file system in memory, quick enough to be asked a thousand times a second.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use quartile_collector::queue::{Config, Entry, Fs, FsFile, Queue};

type Content = Arc<Mutex<Vec<u8>>>;

/// Files by path; clones are the same file system.
#[derive(Clone, Default)]
pub struct MemoryFs(Arc<Mutex<BTreeMap<PathBuf, Content>>>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl MemoryFs {
    /// Another file system with the same files.
    pub fn copied(&self) -> Self {
        let copy =
            |(path, content): (&PathBuf, &Content)| (path.clone(), Arc::new(Mutex::new(locked(content).clone())));
        Self(Arc::new(Mutex::new(locked(&self.0).iter().map(copy).collect())))
    }

    /// The names in a folder.
    pub fn names(&self, dir: &Path) -> Vec<String> {
        self.list(dir).unwrap_or_default().into_iter().map(|entry| entry.name).collect()
    }

    /// Changes a file in place.
    pub fn change(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(content) = locked(&self.0).get(path) {
            change(&mut locked(content));
        }
    }

    /// The records that a collector would find.
    pub fn records(&self, folder: &str) -> Vec<Vec<u8>> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (queue, mut reader) = Queue::open(&Config::new(folder), Arc::new(self.clone())).unwrap();
            queue.close().await;
            let mut records = Vec::new();
            while let Some(found) = reader.next_batch(100, 1 << 20).await.unwrap() {
                records.extend(found.into_iter().map(|record| record.payload));
            }
            records
        })
    }

    fn content(&self, path: &Path) -> io::Result<Content> {
        locked(&self.0).get(path).cloned().ok_or_else(missing)
    }
}

struct MemoryFile(Content);

impl FsFile for MemoryFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        locked(&self.0).extend_from_slice(bytes);
        Ok(())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let content = locked(&self.0);
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let found = content[from..].get(..buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(found);
        Ok(())
    }
}

impl Fs for MemoryFs {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let files = locked(&self.0);
        let inside = files.iter().filter(|(path, _)| path.parent() == Some(dir));
        let entry = |(path, content): (&PathBuf, &Content)| Entry {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            len: locked(content).len() as u64,
            is_file: true,
        };
        Ok(inside.map(entry).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        let content = Content::default();
        locked(&self.0).insert(path.to_owned(), Arc::clone(&content));
        Ok(Box::new(MemoryFile(content)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        Ok(Box::new(MemoryFile(self.content(path)?)))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        locked(&*self.content(path)?).truncate(usize::try_from(len).unwrap_or(usize::MAX));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = locked(&self.0);
        let content = files.remove(from).ok_or_else(missing)?;
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        locked(&self.0).remove(path).map(|_| ()).ok_or_else(missing)
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn Send + Sync>> {
        Ok(Box::new(()))
    }
}

//! A file system in memory that can lose power, fill up and fail on request.
//!
//! It is stricter than real ones: after a power cut every stretch of bytes and every name that was not synced is there
//! or not, each by itself. A failed sync forgets what it should have written, as Linux does: the bytes can still be
//! read, the next sync succeeds, and the power cut takes them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::fs::{Entry, Fs, FsFile};

/// What a power cut leaves or takes as a whole.
const SECTOR: usize = 16;

/// The operations that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Op {
    Create,
    Append,
    Sync,
    Read,
    Truncate,
    Rename,
    Remove,
    List,
    SyncDir,
}

/// What a power cut takes of that which was not synced.
#[derive(Debug, Clone, Copy)]
pub(super) enum Loss {
    Everything,
    /// Some of it, as the seed decides.
    Some(u64),
}

#[derive(Default)]
struct Inode {
    data: Vec<u8>,
    /// What a power cut leaves.
    durable: Vec<u8>,
    /// What the next sync writes.
    dirty: Vec<Range<usize>>,
}

#[derive(Default)]
struct Disk {
    /// How often the power was cut; handles from before are dead.
    generation: u64,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
    locked: BTreeSet<PathBuf>,
    /// How many operations of a kind still succeed, and how many then fail.
    failures: BTreeMap<Op, (u32, u32)>,
    power_for: Option<u32>,
    capacity: Option<usize>,
    lying: BTreeSet<Op>,
    /// The next operation of this kind panics.
    panic: Option<Op>,
}

/// A machine's view of the disk, until its power is cut.
#[derive(Clone, Default)]
pub(super) struct SimFs {
    disk: Arc<Mutex<Disk>>,
    generation: u64,
}

struct SimFile {
    fs: SimFs,
    inode: usize,
}

struct SimLock {
    fs: SimFs,
    path: PathBuf,
}

impl SimFs {
    /// Makes the next `times` operations of this kind fail; an append half-way through.
    pub(super) fn fail(&self, op: Op, times: u32) {
        self.fail_after(op, 0, times);
    }

    /// The same, after `successes` operations of the kind.
    pub(super) fn fail_after(&self, op: Op, successes: u32, times: u32) {
        self.disk().failures.insert(op, (successes, times));
    }

    pub(super) fn heal(&self) {
        let mut disk = self.disk();
        disk.failures.clear();
        disk.power_for = None;
        disk.capacity = None;
    }

    /// A sync of this kind reports success and does nothing.
    pub(super) fn lie(&self, op: Op) {
        self.disk().lying.insert(op);
    }

    /// The next operation of this kind panics, as a bug would.
    pub(super) fn panic_at(&self, op: Op) {
        self.disk().panic = Some(op);
    }

    /// After this many more operations none succeeds until the power is cut and back.
    pub(super) fn power_for(&self, operations: u32) {
        self.disk().power_for = Some(operations);
    }

    /// Appends fail when all files together would be larger.
    pub(super) fn set_capacity(&self, bytes: usize) {
        self.disk().capacity = Some(bytes);
    }

    /// Cuts the power. The result is the machine after it came back.
    pub(super) fn cut_power(&self, loss: Loss) -> Self {
        let mut disk = self.disk();
        disk.generation += 1;
        disk.locked.clear();
        disk.failures.clear();
        disk.power_for = None;
        let mut survives = survival(loss);
        let Disk { names, durable_names, inodes, .. } = &mut *disk;
        let all: BTreeSet<PathBuf> = names.keys().chain(durable_names.keys()).cloned().collect();
        for path in all {
            let kept = if survives() { names.get(&path) } else { durable_names.get(&path) }.copied();
            match kept {
                Some(inode) => names.insert(path, inode),
                None => names.remove(&path),
            };
        }
        durable_names.clone_from(names);
        for inode in inodes {
            inode.cut_power(&mut survives);
        }
        Self { disk: Arc::clone(&self.disk), generation: disk.generation }
    }

    /// Changes a file as if time had done it, on the disk itself.
    pub(super) fn edit(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let inode = disk.names[path];
        let inode = &mut disk.inodes[inode];
        change(&mut inode.data);
        inode.durable.clone_from(&inode.data);
    }

    /// Puts a file on the disk, synced.
    pub(super) fn place(&self, path: &Path, content: &[u8]) {
        let inode = Inode { data: content.to_vec(), durable: content.to_vec(), dirty: Vec::new() };
        let mut disk = self.disk();
        disk.inodes.push(inode);
        let inode = disk.inodes.len() - 1;
        disk.dirs.extend(path.parent().map(Path::to_owned));
        disk.names.insert(path.to_owned(), inode);
        disk.durable_names.insert(path.to_owned(), inode);
    }

    /// Takes a file off the disk.
    pub(super) fn delete(&self, path: &Path) {
        let mut disk = self.disk();
        disk.names.remove(path);
        disk.durable_names.remove(path);
    }

    pub(super) fn content(&self, path: &Path) -> Vec<u8> {
        let disk = self.disk();
        disk.inodes[disk.names[path]].data.clone()
    }

    /// The names of the files in a folder, sorted.
    pub(super) fn names(&self, dir: &Path) -> Vec<String> {
        let in_dir = |path: &&PathBuf| path.parent() == Some(dir);
        self.disk().names.keys().filter(in_dir).map(|path| file_name(path)).collect()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap()
    }

    /// Begins an operation, unless it is to fail.
    fn begin(&self, op: Op) -> io::Result<MutexGuard<'_, Disk>> {
        let mut disk = self.disk();
        if disk.panic.take_if(|panic| *panic == op).is_some() {
            drop(disk);
            panic!("on purpose");
        }
        if disk.generation != self.generation || disk.power_for == Some(0) {
            return Err(io::Error::other("the machine has no power"));
        }
        disk.power_for = disk.power_for.map(|operations| operations - 1);
        match disk.failures.get_mut(&op) {
            Some((0, 0)) | None => Ok(disk),
            Some((0, times)) => {
                *times -= 1;
                Err(io::Error::other("injected"))
            }
            Some((successes, _)) => {
                *successes -= 1;
                Ok(disk)
            }
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn survival(loss: Loss) -> impl FnMut() -> bool {
    let mut state = match loss {
        Loss::Everything => None,
        Loss::Some(seed) => Some(seed | 1),
    };
    move || {
        state = state.map(|seed| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        state.is_some_and(|seed| seed >> 63 == 1)
    }
}

impl Inode {
    fn cut_power(&mut self, survives: &mut impl FnMut() -> bool) {
        if self.data.len() != self.durable.len() && survives() {
            self.durable.resize(self.data.len(), 0);
        }
        for range in std::mem::take(&mut self.dirty) {
            for start in range.clone().step_by(SECTOR) {
                let end = (start + SECTOR).min(range.end).min(self.durable.len()).min(self.data.len());
                if start < end && survives() {
                    self.durable[start..end].copy_from_slice(&self.data[start..end]);
                }
            }
        }
        self.data.clone_from(&self.durable);
    }

    fn sync(&mut self) {
        self.durable.resize(self.data.len(), 0);
        for range in std::mem::take(&mut self.dirty) {
            let end = range.end.min(self.data.len());
            if range.start < end {
                self.durable[range.start..end].copy_from_slice(&self.data[range.start..end]);
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let start = self.data.len();
        self.data.extend_from_slice(bytes);
        self.dirty.push(start..self.data.len());
    }
}

impl FsFile for SimFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.fs.begin(Op::Append) {
            Ok(mut disk) => {
                let used: usize = disk.names.values().map(|inode| disk.inodes[*inode].data.len()).sum();
                let room = disk.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(used));
                disk.inodes[self.inode].append(&bytes[..bytes.len().min(room)]);
                if room < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
            }
            Err(error) => {
                let mut disk = self.fs.disk();
                if disk.generation == self.fs.generation {
                    disk.inodes[self.inode].append(&bytes[..bytes.len() / 2]);
                }
                Err(error)
            }
        }
    }

    fn sync_data(&mut self) -> io::Result<()> {
        match self.fs.begin(Op::Sync) {
            Ok(disk) if disk.lying.contains(&Op::Sync) => Ok(()),
            Ok(mut disk) => {
                disk.inodes[self.inode].sync();
                Ok(())
            }
            Err(error) => {
                let mut disk = self.fs.disk();
                if disk.generation == self.fs.generation && disk.power_for != Some(0) {
                    disk.inodes[self.inode].dirty.clear();
                }
                Err(error)
            }
        }
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let disk = self.fs.begin(Op::Read)?;
        let start = offset as usize;
        let bytes = disk.inodes[self.inode].data.get(start..start + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl Fs for SimFs {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk().dirs.insert(dir.to_owned());
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let disk = self.begin(Op::List)?;
        if !disk.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let files = disk.names.iter().map(|(path, inode)| (path, disk.inodes[*inode].data.len() as u64, true));
        let all = files.chain(disk.dirs.iter().map(|path| (path, 0, false)));
        let inside = all.filter(|(path, ..)| path.parent() == Some(dir));
        Ok(inside.map(|(path, len, is_file)| Entry { name: file_name(path), len, is_file }).collect())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        let mut disk = self.begin(Op::Create)?;
        let inode = match disk.names.get(path) {
            Some(inode) => *inode,
            None => {
                disk.inodes.push(Inode::default());
                let inode = disk.inodes.len() - 1;
                disk.names.insert(path.to_owned(), inode);
                inode
            }
        };
        disk.inodes[inode].data.clear();
        Ok(Box::new(SimFile { fs: self.clone(), inode }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn FsFile>> {
        let disk = self.begin(Op::Read)?;
        let inode = *disk.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(SimFile { fs: self.clone(), inode }))
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        let mut disk = self.begin(Op::Truncate)?;
        let inode = *disk.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        disk.inodes[inode].data.truncate(len as usize);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.begin(Op::Rename)?;
        let inode = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.begin(Op::Remove)?;
        disk.names.remove(path).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut disk = self.begin(Op::SyncDir)?;
        if disk.lying.contains(&Op::SyncDir) {
            return Ok(());
        }
        let Disk { names, durable_names, .. } = &mut *disk;
        durable_names.retain(|path, _| path.parent() != Some(dir));
        let inside = names.iter().filter(|(path, _)| path.parent() == Some(dir));
        durable_names.extend(inside.map(|(path, inode)| (path.clone(), *inode)));
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Send + Sync>> {
        if !self.disk().locked.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock { fs: self.clone(), path: path.to_owned() }))
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut disk = self.fs.disk();
        if disk.generation == self.fs.generation {
            disk.locked.remove(&self.path);
        }
    }
}

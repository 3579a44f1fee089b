//! Segments apart from their queue: in an archive, set aside, or beside a collector at work.

use std::fs;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use super::audit::check_header;
use super::error::OpenError;
use super::format::{Position, Record, parse_segment_name};
use super::fs::{Fs, FsFile};
use super::recover;
use super::scan::{Extent, Scanner, Step};

/// The end of the name of a compressed segment.
pub(crate) const COMPRESSED: &str = ".gz";

/// Makes this process the owner of a queue's folder, until what is returned is dropped.
///
/// # Errors
/// [`OpenError::Locked`] when another process has it.
pub fn own(fs: &dyn Fs, dir: &Path) -> Result<Box<dyn Send + Sync>, OpenError> {
    let failed = |source| OpenError::Io { action: "make the folder", dir: dir.to_owned(), source };
    fs.create_dir(dir).map_err(failed)?;
    recover::lock(fs, dir)
}

/// A segment on the disk of the machine, compressed or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentFile {
    base: Position,
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes as they are on the disk.
    pub bytes: u64,
}

/// What could not be read of a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flaws {
    /// Bytes that were no record.
    pub damaged_bytes: u64,
    /// Records that are missing between those that were read.
    pub lost_records: u64,
}

impl SegmentFile {
    /// The segments in a folder, oldest first; none when there is no such folder. A segment that is there both ways
    /// was being compressed and counts once.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn in_folder(folder: &Path) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(base) = base_of(&name) {
                let bytes = entry.metadata().map(|metadata| metadata.len()).unwrap_or_default();
                files.push(Self { base, path: entry.path(), bytes });
            }
        }
        files.sort();
        // Sorted by path as well, so the one that is not compressed comes first.
        let twice = |later: &mut Self, earlier: &mut Self| {
            later.path.as_os_str().to_string_lossy().strip_suffix(COMPRESSED) == earlier.path.to_str()
        };
        files.dedup_by(twice);
        Ok(files)
    }

    /// The same segment in another place.
    #[must_use]
    pub fn at(&self, path: PathBuf) -> Self {
        Self { path, ..self.clone() }
    }

    /// The position of its first record.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.base.get()
    }

    /// Whether it is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.path.to_string_lossy().ends_with(COMPRESSED)
    }

    /// Gives every whole record, in order, until told to stop. One that was moved, or compressed, since it was found is
    /// an error of the kind [`io::ErrorKind::NotFound`].
    ///
    /// # Errors
    /// When it cannot be opened or read. Damage within it is no error: it is stepped over and told.
    pub fn read<B>(&self, visit: &mut dyn FnMut(Record) -> ControlFlow<B>) -> io::Result<(Flaws, Option<B>)> {
        let (file, len) = self.open()?;
        let mut flaws = Flaws::default();
        if check_header(&*file, len, self.base).is_err() {
            return Ok((Flaws { damaged_bytes: len, lost_records: 0 }, None));
        }
        let mut scanner = Scanner::new(file, self.base);
        let mut expected = self.base;
        loop {
            match scanner.step(Extent { len, end: Position::MAX })? {
                Step::Record(record) => {
                    flaws.lost_records += record.position.since(expected);
                    expected = record.position.plus(1);
                    if let ControlFlow::Break(value) = visit(record) {
                        return Ok((flaws, Some(value)));
                    }
                }
                Step::Damage(bytes) => flaws.damaged_bytes += bytes.end - bytes.start,
                Step::End => return Ok((flaws, None)),
            }
        }
    }

    fn open(&self) -> io::Result<(Box<dyn FsFile>, u64)> {
        let mut file = fs::File::open(&self.path)?;
        if !self.is_compressed() {
            let len = file.metadata()?.len();
            return Ok((Box::new(file), len));
        }
        let mut bytes = Vec::new();
        // What comes out before the damage is as good as the checksums of its records.
        if let Err(error) = GzDecoder::new(&mut file).read_to_end(&mut bytes) {
            tracing::error!(path = %self.path.display(), %error, "an archived segment is damaged; reading what is whole");
        }
        let len = bytes.len() as u64;
        Ok((Box::new(Unfolded(bytes)), len))
    }
}

/// The position in the name of a segment, whatever was put behind it: `….seg`, `….seg.gz`, `….seg.1`.
fn base_of(name: &str) -> Option<Position> {
    let end = name.find(".seg")? + ".seg".len();
    let rest = &name[end..];
    let known = rest.is_empty()
        || rest == COMPRESSED
        || rest.strip_prefix('.').is_some_and(|copy| copy.bytes().all(|digit| digit.is_ascii_digit()));
    parse_segment_name(&name[..end]).filter(|_| known)
}

/// A decompressed segment, in memory: it is as large as one segment.
struct Unfolded(Vec<u8>);

impl FsFile for Unfolded {
    fn append(&mut self, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = self.0.get(start..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

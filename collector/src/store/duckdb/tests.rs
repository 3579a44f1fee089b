//! What is particular to this back end: its file, its tables and its moves.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::store::conformance::{Place, suite};

/// A folder with a database in it, which moves rows after every few.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    fn options(&self) -> Options {
        Options { settle_rows: 13, threads: Some(2), ..Options::new(self.0.path().join("data/quartile.duckdb")) }
    }
}

impl Place for Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn open(&self) -> Box<dyn Store> {
        let store = DuckDb::open(&self.options(), Wall::from_ms(0)).unwrap();
        assert!(store.set_aside().is_empty());
        Box::new(store)
    }

    fn after_crash(&self) -> Self {
        let copy = Self::new();
        fs::create_dir(copy.0.path().join("data")).unwrap();
        for file in fs::read_dir(self.0.path().join("data")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.0.path().join("data").join(file.file_name())).unwrap();
        }
        copy
    }
}

suite!(Folder);

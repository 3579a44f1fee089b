//! Opening the file: what to do when it is not there, from another version, in use, or damaged.
//!
//! A damaged file must not keep the collector from starting, and a good one must never be thrown away. So:
//!
//! - A file that is locked, not readable or of a later version is left alone, and opening fails with the reason.
//! - Any other file that DuckDB refuses is set aside under a name with the date, and a new one begins. The write-ahead
//!   log goes first: without it the file is whole up to its last check-point.
//! - Reading a damaged log can end the whole process (DuckDB asserts). That cannot be caught, so attempts are counted
//!   in a file beside the database: when three in a row never came back, the log is set aside, and after three more the
//!   database.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ::duckdb::{Config, Connection};
use quartile_protocol::clock::Wall;

use super::{Options, aggregate, schema};
use crate::rebuild;

/// Attempts to open that may fail to come back before something is set aside.
const ATTEMPTS: u32 = 3;

/// How large the write-ahead log may grow before DuckDB writes it into the database by itself. A check-point lays down
/// the whole hot table anew, so it should happen when that is empty: a full hot table is about half as large as this.
const LOG_SIZE: &str = "128MB";

/// The end of the name of the file that says that the database is to be set aside.
const DAMAGED: &str = ".found-damaged";

/// The version of the tables that this code makes. Columns that the protocol gained are added without a new version.
const VERSION: u32 = 1;

/// One step from a version of the tables to the next: statements.
const MIGRATIONS: &[&[&str]] = &[];

/// One row: how far of the queue is stored.
const MARK: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS quartile_mark (position UBIGINT NOT NULL)",
    "INSERT INTO quartile_mark SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM quartile_mark)",
];

/// Why a database cannot be opened. It was left as it is.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The files beside the database cannot be read or written.
    #[error("cannot use {0}")]
    Io(PathBuf, #[source] io::Error),
    /// The database is in use, not readable, or from a later DuckDB.
    #[error("cannot open {0}")]
    Refused(PathBuf, #[source] ::duckdb::Error),
    /// The tables are those of a later version of this product.
    #[error("the tables in {0} have version {1}, and this version knows {VERSION}: start the newer one")]
    Later(PathBuf, u32),
}

/// Opens the database, or sets it aside and begins a new one. Says what was set aside.
///
/// # Errors
/// [`OpenError`].
pub fn open(options: &Options, now: Wall) -> Result<(Connection, Vec<PathBuf>), OpenError> {
    let path = &options.path;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| OpenError::Io(folder.into(), error))?;
    }
    let counter = beside(path, ".opening");
    let mut aside = Vec::new();
    if beside(path, DAMAGED).exists() {
        tracing::error!(path = %path.display(), "the database was found damaged while it was in use");
        aside.extend(set_aside_whole(path, now)?);
        fs::remove_file(beside(path, DAMAGED)).map_err(|error| OpenError::Io(path.clone(), error))?;
    }
    let mut attempts = fs::read_to_string(&counter).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    if attempts >= ATTEMPTS {
        tracing::error!(path = %path.display(), attempts, "opening the database ended the process again and again");
        aside.extend(set_aside(path, now)?);
        attempts = 0;
    }
    loop {
        fs::write(&counter, (attempts + 1).to_string()).map_err(|error| OpenError::Io(counter.clone(), error))?;
        let opened = attempt(options);
        fs::remove_file(&counter).map_err(|error| OpenError::Io(counter.clone(), error))?;
        match opened {
            Ok(connection) => return Ok((connection, aside)),
            Err(Failure::Kept(error)) => return Err(error),
            Err(Failure::Damaged(error)) => {
                tracing::error!(path = %path.display(), %error, "the database cannot be read");
                match set_aside(path, now)? {
                    Some(file) => aside.push(file),
                    None => return Err(OpenError::Refused(path.clone(), error)),
                }
            }
        }
    }
}

enum Failure {
    /// The file is left as it is.
    Kept(OpenError),
    /// The file is of no use.
    Damaged(::duckdb::Error),
}

fn attempt(options: &Options) -> Result<Connection, Failure> {
    let path = &options.path;
    let refuse = |error: ::duckdb::Error| {
        if is_damage(&error) { Failure::Damaged(error) } else { Failure::Kept(OpenError::Refused(path.clone(), error)) }
    };
    let config = config(options).map_err(|error| Failure::Kept(OpenError::Refused(path.clone(), error)))?;
    let connection = Connection::open_with_flags(path, config).map_err(refuse)?;
    let version = version(&connection).map_err(refuse)?;
    if version > VERSION {
        return Err(Failure::Kept(OpenError::Later(path.clone(), version)));
    }
    prepare(&connection, version).map_err(refuse)?;
    Ok(connection)
}

fn config(options: &Options) -> ::duckdb::Result<Config> {
    let mut config = Config::default()
        .with("checkpoint_threshold", LOG_SIZE)?
        .with("autoinstall_known_extensions", "false")?
        .with("autoload_known_extensions", "false")?
        .with("allow_community_extensions", "false")?;
    if let Some(threads) = options.threads {
        config = config.threads(i64::from(threads))?;
    }
    if let Some(megabytes) = options.memory_mb {
        config = config.max_memory(&format!("{megabytes}MB"))?;
    }
    Ok(config)
}

/// Whether something in the file is damaged that was not read until now.
pub fn is_damage_in_use(error: &(dyn std::error::Error + 'static)) -> bool {
    let text = error.to_string();
    text.contains("Corrupt database file") || text.contains("does not match stored checksum")
}

/// Lets the next opening set the database aside.
pub fn remember_damage(path: &Path) -> io::Result<()> {
    fs::write(beside(path, DAMAGED), "")
}

/// Sets aside the write-ahead log, if there is one, and the database.
fn set_aside_whole(path: &Path, now: Wall) -> Result<Vec<PathBuf>, OpenError> {
    let mut files = Vec::new();
    while let Some(file) = set_aside(path, now)? {
        files.push(file);
    }
    Ok(files)
}

/// Whether the file itself is the reason, and not who else has it or who may read it.
fn is_damage(error: &::duckdb::Error) -> bool {
    const KEPT: &[&str] = &[
        "lock on file",
        "Permission denied",
        "Is a directory",
        "No space left",
        "Cannot open file",
        "newer version of DuckDB",
        "version number",
        "Out of Memory",
    ];
    let text = error.to_string();
    !KEPT.iter().any(|reason| text.contains(reason))
}

/// The version of the tables; 0 of a new database.
fn version(connection: &Connection) -> ::duckdb::Result<u32> {
    connection.execute_batch("CREATE TABLE IF NOT EXISTS quartile_schema (version UINTEGER NOT NULL)")?;
    let sql = "SELECT coalesce(max(version), 0) FROM quartile_schema";
    connection.query_row(sql, [], |record| record.get(0))
}

/// Brings the tables to this version, in one transaction.
fn prepare(connection: &Connection, version: u32) -> ::duckdb::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    // Version 0 has no tables yet and takes no steps.
    if version > 0 {
        for statement in MIGRATIONS.iter().skip(version as usize - 1).copied().flatten() {
            transaction.execute_batch(statement)?;
        }
    }
    for statement in MARK {
        transaction.execute_batch(statement)?;
    }
    for shape in [schema::slices(), schema::events()] {
        for statement in shape.create() {
            transaction.execute_batch(&statement)?;
        }
        for table in shape.tables() {
            add_columns(&transaction, &shape, table)?;
        }
    }
    aggregate::create(&transaction)?;
    if version < VERSION {
        transaction.execute("INSERT INTO quartile_schema VALUES ($1)", [VERSION])?;
    }
    transaction.commit()
}

/// Adds the columns that the protocol gained since the table was made, full of the least element.
fn add_columns(connection: &Connection, shape: &schema::Shape, table: &str) -> ::duckdb::Result<()> {
    let sql = "SELECT column_name FROM duckdb_columns() WHERE table_name = $1";
    let names = connection
        .prepare(sql)?
        .query_map([table], |record| record.get::<_, String>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    for column in shape.columns().filter(|column| !names.iter().any(|name| name == column.name)) {
        // DuckDB adds no column with a constraint; every row has a value all the same, by the default.
        let kind = column.kind.replace(" NOT NULL", "");
        connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {} {kind}", schema::quoted(column.name)))?;
    }
    Ok(())
}

/// Renames the write-ahead log, or the database if there is no log. `None` if neither is there.
fn set_aside(path: &Path, now: Wall) -> Result<Option<PathBuf>, OpenError> {
    let log = beside(path, ".wal");
    let file = if log.exists() { log } else { path.to_path_buf() };
    if !file.exists() {
        return Ok(None);
    }
    let free = (0..).map(|n| beside(&file, &format!(".damaged-{}-{n}", now.as_ms()))).find(|name| !name.exists());
    let Some(name) = free else { return Ok(None) };
    // First, so that no crash lets it be forgotten that rows are missing.
    rebuild::want(path, now).map_err(|error| OpenError::Io(rebuild::marker(path), error))?;
    fs::rename(&file, &name).map_err(|error| OpenError::Io(file.clone(), error))?;
    tracing::error!(file = %file.display(), renamed_to = %name.display(), "SET ASIDE: rows in it are not in reports");
    Ok(Some(name))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

//! How much DuckDB may take of the machine.
//!
//! What arrives goes through in small steps, of which a second thread gets nothing but the asking for work: while nobody
//! asks for a report there is one, and a query gets all. And what DuckDB once read or wrote it keeps in memory up to its
//! limit, most of the machine by default: a collector that is hardly ever asked would grow for no reader's good. So now and
//! then it is made to let go of it. (A low limit instead would be dangerous: a check-point that meets it breaks the
//! database until it is opened again.)

use std::sync::Mutex;

use ::duckdb::Connection;

use super::locked;

/// What is enough for taking rows in.
const REST: &str = "SET threads = 1";

/// Lets go of everything that is not in use. Because something always is, so low a limit cannot be set, and this fails.
const LET_GO: &str = "SET memory_limit = '1KB'";

/// What a database may take, and whether it may take it now.
#[derive(Debug)]
pub struct Effort {
    /// Lets it use every thread that its options allow.
    threads: String,
    /// Says again what it may keep in memory, which gives what is free back to the machine.
    memory: String,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has one thread.
    Resting,
    /// It has every thread; nobody has asked since the last look.
    Idle,
    /// It has every thread, and somebody has asked.
    Asked,
}

impl Effort {
    /// Of a database that was opened with everything it may ever take.
    ///
    /// # Errors
    /// What DuckDB says.
    pub fn of(connection: &Connection) -> ::duckdb::Result<Self> {
        let sql = "SELECT current_setting('memory_limit'), current_setting('threads')";
        let (memory, threads): (String, i64) =
            connection.query_row(sql, [], |record| Ok((record.get(0)?, record.get(1)?)))?;
        connection.execute_batch(REST)?;
        Ok(Self {
            threads: format!("SET threads = {threads}"),
            memory: format!("SET memory_limit = '{memory}'"),
            state: Mutex::new(State::Resting),
        })
    }

    /// Lets it use every thread, for somebody who asks.
    ///
    /// # Errors
    /// What DuckDB says.
    pub fn rise(&self, connection: &Connection) -> ::duckdb::Result<()> {
        let mut state = locked(&self.state);
        if *state == State::Resting {
            connection.execute_batch(&self.threads)?;
        }
        *state = State::Asked;
        Ok(())
    }

    /// Leaves it one thread, unless somebody has asked since the last time.
    ///
    /// # Errors
    /// What DuckDB says.
    pub fn rest(&self, connection: &Connection) -> ::duckdb::Result<()> {
        let mut state = locked(&self.state);
        match *state {
            State::Asked => *state = State::Idle,
            State::Idle => {
                connection.execute_batch(REST)?;
                *state = State::Resting;
            }
            State::Resting => {}
        }
        Ok(())
    }

    /// Makes it let go of what it keeps in memory and nobody uses.
    ///
    /// # Errors
    /// What DuckDB says.
    pub fn let_go(&self, connection: &Connection) -> ::duckdb::Result<()> {
        match connection.execute_batch(LET_GO) {
            Err(error) if !error.to_string().contains("Out of Memory") => Err(error),
            _ => connection.execute_batch(&self.memory),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting<T: ::duckdb::types::FromSql>(connection: &Connection, name: &str) -> T {
        connection.query_row(&format!("SELECT current_setting('{name}')"), [], |record| record.get(0)).unwrap()
    }

    #[test]
    fn every_thread_is_there_for_who_asks_and_taken_back_when_nobody_has_asked_between_two_looks() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("SET threads = 3").unwrap();
        let effort = Effort::of(&connection).unwrap();
        let threads = || setting::<i64>(&connection, "threads");
        assert_eq!(threads(), 1);
        for _ in 0..2 {
            effort.rise(&connection).unwrap();
            effort.rise(&connection).unwrap();
            assert_eq!(threads(), 3);
            effort.rest(&connection).unwrap();
            assert_eq!(threads(), 3, "somebody has asked since");
            effort.rest(&connection).unwrap();
            assert_eq!(threads(), 1);
            effort.rest(&connection).unwrap();
            assert_eq!(threads(), 1);
        }
    }

    #[test]
    fn what_is_not_in_use_is_let_go_of_and_the_limit_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("test.duckdb")).unwrap();
        connection.execute_batch("SET memory_limit = '1GiB'").unwrap();
        let effort = Effort::of(&connection).unwrap();
        let rows =
            "CREATE TABLE t AS SELECT hash(n) AS h FROM range(2000000) AS r(n); CHECKPOINT; SELECT sum(h) FROM t";
        connection.execute_batch(rows).unwrap();
        let kept = || {
            let sql = "SELECT sum(memory_usage_bytes) FROM duckdb_memory()";
            connection.query_row(sql, [], |record| record.get::<_, u64>(0)).unwrap()
        };
        let before = kept();
        effort.let_go(&connection).unwrap();
        let after = kept();
        assert!(before > 16_000_000 && after < before / 4, "{before} → {after}");
        assert_eq!(setting::<String>(&connection, "memory_limit"), "1.0 GiB");
        let count: i64 = connection.query_row("SELECT count(*) FROM t", [], |record| record.get(0)).unwrap();
        assert_eq!(count, 2_000_000);
    }
}

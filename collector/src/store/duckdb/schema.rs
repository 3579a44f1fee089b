//! What the tables look like, and how copies in them merge: generated from the protocol's tables.
//!
//! Each [`Shape`] has two tables. The *hot* one has no key: what arrives is appended to it as it is. The *settled* one
//! has at most one row per key. Reads merge the hot rows with the settled rows of the same keys; [`settle`](Shape::settle)
//! moves the merged rows over. So a copy that comes late is merged no matter where the earlier ones lie by then.

use quartile_protocol::dimension::Dimension;
use quartile_protocol::field::Field;

/// How the values of a part merge. A part of several columns is one value, compared as a tuple in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The larger one.
    Largest,
    /// The smaller one.
    Smallest,
    /// The bits of both. For single columns.
    Bits,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type, with the least element as default: what a row has that was stored before the column was there.
    pub kind: &'static str,
}

/// Columns that merge together.
#[derive(Clone, Debug)]
pub struct Part {
    /// The columns.
    pub columns: Vec<Column>,
    /// How they merge.
    pub merge: Merge,
}

/// One kind of row.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The settled table.
    pub settled: &'static str,
    /// The hot table.
    pub hot: &'static str,
    /// The identity; the first column is the site.
    pub key: [Column; 3],
    /// The rest.
    pub parts: Vec<Part>,
    /// By what settled rows are laid down, so that a scan can leave most of them out.
    pub sorted_by: &'static str,
}

const COUNT: &str = "UBIGINT NOT NULL DEFAULT 0";
const TEXT: &str = "VARCHAR NOT NULL DEFAULT ''";
const DATE: &str = "BIGINT NOT NULL DEFAULT 0";

const fn column(name: &'static str, kind: &'static str) -> Column {
    Column { name, kind }
}

fn part(merge: Merge, columns: impl IntoIterator<Item = Column>) -> Part {
    Part { columns: columns.into_iter().collect(), merge }
}

const fn key(number: &'static str) -> [Column; 3] {
    [column("site", "VARCHAR NOT NULL"), column("view", "UUID NOT NULL"), column(number, "UINTEGER NOT NULL")]
}

/// The low and the high 64 bits of the bitmaps, in the order of the columns.
pub const BITMAPS: &[&str] = &["watched_lo", "watched_hi", "rewatched_lo", "rewatched_hi", "active"];

/// Slices.
#[must_use]
pub fn slices() -> Shape {
    let mut parts = vec![
        part(Merge::Largest, [column("day", "INTEGER NOT NULL DEFAULT 0")]),
        part(Merge::Smallest, [column("started_at", DATE)]),
        part(Merge::Largest, [column("span_ms", COUNT)]),
    ];
    parts.extend(Field::ALL.iter().map(|field| part(Merge::Largest, [column(field.name(), COUNT)])));
    parts.extend(BITMAPS.iter().map(|name| part(Merge::Bits, [column(name, COUNT)])));
    let group = |group: &&[Dimension]| part(Merge::Largest, group.iter().map(|d| column(d.name(), TEXT)));
    parts.extend(Dimension::GROUPS.iter().map(group));
    Shape { settled: "slices", hot: "slices_hot", key: key("n"), parts, sorted_by: "started_at" }
}

/// Events. Copies differ in nothing but the date that the collector corrected; the copy with the earliest one stays.
#[must_use]
pub fn events() -> Shape {
    let whole = [
        column("happened_at", DATE),
        column("n", "UINTEGER NOT NULL DEFAULT 0"),
        column("kind", TEXT),
        column("pos_ms", "BIGINT"),
        column("details", TEXT),
    ];
    let parts = vec![part(Merge::Largest, [column("day", "INTEGER NOT NULL DEFAULT 0")]), part(Merge::Smallest, whole)];
    Shape { settled: "events", hot: "events_hot", key: key("seq"), parts, sorted_by: "happened_at" }
}

/// A name as SQL has it.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// Removes the rows of the site `$1` whose views began before the day `$2`.
#[must_use]
pub fn forget(table: &str) -> String {
    format!("DELETE FROM {table} WHERE site = $1 AND day < $2")
}

fn list(names: impl IntoIterator<Item = String>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

impl Shape {
    /// Every column, in the order in which rows are appended.
    pub fn columns(&self) -> impl Iterator<Item = Column> + '_ {
        self.key.iter().chain(self.parts.iter().flat_map(|part| &part.columns)).copied()
    }

    /// Both tables, the hot one first.
    #[must_use]
    pub const fn tables(&self) -> [&'static str; 2] {
        [self.hot, self.settled]
    }

    /// Makes both tables.
    #[must_use]
    pub fn create(&self) -> Vec<String> {
        let columns = list(self.columns().map(|column| format!("{} {}", quoted(column.name), column.kind)));
        self.tables().map(|table| format!("CREATE TABLE IF NOT EXISTS {table} ({columns})")).into()
    }

    /// The current rows of the site `$1`, with these columns and no others.
    #[must_use]
    pub fn current(&self, wanted: &[&str]) -> String {
        let columns = list(self.wanted(wanted).map(|column| quoted(column.name)));
        let [_, view, number] = self.key.map(|column| quoted(column.name));
        format!(
            "WITH late AS (SELECT DISTINCT {view}, {number} FROM {hot} WHERE site = $1) \
             SELECT {columns} FROM ({merged}) \
             UNION ALL \
             SELECT {columns} FROM {settled} ANTI JOIN late USING ({view}, {number}) WHERE site = $1",
            hot = self.hot,
            settled = self.settled,
            merged = self.merged(wanted, "WHERE site = $1"),
        )
    }

    /// Moves the hot rows into the settled table, as the steps of one transaction.
    #[must_use]
    pub fn settle(&self) -> Vec<String> {
        let Self { hot, settled, sorted_by, .. } = self;
        let wanted: Vec<_> = self.columns().map(|column| column.name).collect();
        let [site, view, number] = self.key.map(|column| quoted(column.name));
        let late = format!("WITH late AS (SELECT DISTINCT {site}, {view}, {number} FROM {hot})");
        let key = list([site.clone(), view, number]);
        let columns = list(wanted.iter().map(|name| quoted(name)));
        vec![
            // Row numbers hold still within a transaction.
            format!(
                "CREATE OR REPLACE TEMP TABLE replaced AS {late} \
                 SELECT {settled}.rowid AS place FROM {settled} SEMI JOIN late USING ({key})"
            ),
            format!(
                "INSERT INTO {settled} ({columns}) {late} SELECT {columns} FROM ({}) ORDER BY {site}, {sorted_by}",
                self.merged(&wanted, "")
            ),
            format!("DELETE FROM {settled} WHERE rowid IN (SELECT place FROM replaced)"),
            format!("DELETE FROM {hot}"),
            "DROP TABLE replaced".into(),
        ]
    }

    /// One merged row per key of `late`: the hot copies, and the settled one if there is one.
    fn merged(&self, wanted: &[&str], only: &str) -> String {
        let keys: Vec<_> = self.key.iter().map(|column| quoted(column.name)).collect();
        let late = if only.is_empty() { &keys[..] } else { &keys[1..] }.join(", ");
        let keys = keys.join(", ");
        let parts: Vec<_> = self.wanted_parts(wanted).collect();
        let copied = parts.iter().flat_map(|part| &part.columns).map(|column| format!(", {}", quoted(column.name)));
        let copied: String = copied.collect();
        let merged: String = parts.iter().flat_map(|part| part.merged()).map(|column| format!(", {column}")).collect();
        format!(
            "SELECT {keys}{merged} FROM (\
             SELECT {keys}{copied} FROM {hot} {only} \
             UNION ALL \
             SELECT {keys}{copied} FROM {settled} SEMI JOIN late USING ({late}) {only}\
             ) GROUP BY {keys}",
            hot = self.hot,
            settled = self.settled,
        )
    }

    fn wanted_parts<'a>(&'a self, wanted: &'a [&str]) -> impl Iterator<Item = &'a Part> {
        let wants = |part: &&Part| part.columns.iter().any(|column| wanted.contains(&column.name));
        self.parts.iter().filter(wants)
    }

    fn wanted<'a>(&'a self, wanted: &'a [&str]) -> impl Iterator<Item = Column> + 'a {
        self.columns().filter(|column| wanted.contains(&column.name))
    }
}

impl Part {
    /// Each column, merged over a group of copies. Texts compare by their bytes.
    fn merged(&self) -> Vec<String> {
        let function = match self.merge {
            Merge::Largest => "max",
            Merge::Smallest => "min",
            Merge::Bits => "bit_or",
        };
        let names: Vec<_> = self.columns.iter().map(|column| quoted(column.name)).collect();
        if let [name] = &names[..] {
            return vec![format!("{function}({name}) AS {name}")];
        }
        let tuple = list(names.iter().map(|name| format!("{name} := {name}")));
        let member = |name: &String| format!("({function}(struct_pack({tuple}))).{name} AS {name}");
        names.iter().map(member).collect()
    }
}

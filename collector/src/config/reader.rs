//! Reads tables of TOML key by key, and remembers every mistake on the way.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::{Config, ConfigError};

/// One mistake: where it is, what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The field, as a path from the top; or the variable of the environment.
    pub field: String,
    /// The line of the file, from 1; `None` for what is not in the file.
    pub line: Option<usize>,
    /// What to do about it.
    pub cure: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}", self.field, self.cure)
    }
}

/// The mistakes found so far.
#[derive(Default)]
pub(super) struct Mistakes {
    found: RefCell<Vec<Mistake>>,
    lines: Lines,
}

impl Mistakes {
    /// Mistakes in a file of this text.
    pub(super) fn of_file(text: &str) -> Self {
        Self { found: RefCell::default(), lines: Lines::of(text) }
    }

    pub(super) fn add(&self, field: &str, cure: &str) {
        let line = self.lines.line(field);
        self.found.borrow_mut().push(Mistake { field: field.to_owned(), line, cure: cure.to_owned() });
    }

    pub(super) fn into_result(self, config: Config) -> Result<Config, ConfigError> {
        let mistakes = self.found.into_inner();
        if mistakes.is_empty() { Ok(config) } else { Err(ConfigError::Mistakes(mistakes)) }
    }
}

/// In which line each field of a file is, by its path from the top.
#[derive(Default)]
struct Lines(BTreeMap<String, usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let mut lines = Self::default();
        if let Ok(table) = DeTable::parse(text) {
            lines.enter_table("", table.get_ref(), text);
        }
        lines
    }

    fn enter_table(&mut self, path: &str, table: &DeTable<'_>, text: &str) {
        for (key, value) in table {
            let path = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
            self.enter(path, key.span().start, value.get_ref(), text);
        }
    }

    fn enter(&mut self, path: String, at: usize, value: &DeValue<'_>, text: &str) {
        let line = 1 + text.as_bytes()[..at.min(text.len())].iter().filter(|&&byte| byte == b'\n').count();
        match value {
            DeValue::Table(table) => self.enter_table(&path, table, text),
            DeValue::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.enter(format!("{path}[{index}]"), value.span().start, value.get_ref(), text);
                }
            }
            _ => {}
        }
        self.0.insert(path, line);
    }

    /// The line of a field, or of the nearest section around it where it is missing.
    fn line(&self, field: &str) -> Option<usize> {
        let mut path = field;
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }
}

/// One table: keys are taken out of it, and what is left at the end is unknown.
pub(super) struct Section<'m> {
    path: String,
    table: Table,
    known: Vec<&'static str>,
    mistakes: &'m Mistakes,
}

impl<'m> Section<'m> {
    pub(super) const fn root(table: Table, mistakes: &'m Mistakes) -> Self {
        Self { path: String::new(), table, known: Vec::new(), mistakes }
    }

    fn inner(&self, path: String, table: Table) -> Self {
        Self { path, table, known: Vec::new(), mistakes: self.mistakes }
    }

    fn field(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Remembers a mistake of a key of this table.
    pub(super) fn blame(&self, key: &str, cure: &str) {
        self.mistakes.add(&self.field(key), cure);
    }

    /// Remembers a mistake of a field whose whole path is given.
    pub(super) fn blame_whole(&self, field: &str, cure: &str) {
        self.mistakes.add(field, cure);
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.table.remove(key)
    }

    pub(super) fn is_text(&self, key: &str) -> bool {
        matches!(self.table.get(key), Some(Value::String(_)))
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => {
                self.blame(key, "must be a text in quotes");
                None
            }
        }
    }

    /// Reads what `text`, the value of `key`, stands for.
    pub(super) fn parsed<T: FromStr>(&self, key: &str, text: &str, expected: &str) -> Option<T> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.blame(key, &format!("must be {expected}"));
        }
        parsed
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let given = self.take(key)?;
        let found = words.iter().find(|(word, _)| given.as_str() == Some(word)).map(|&(_, value)| value);
        if found.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.blame(key, &format!("must be one of {}", words.join(", ")));
        }
        found
    }

    pub(super) fn truth(&mut self, key: &'static str) -> Option<bool> {
        let truth = self.take(key)?.as_bool();
        if truth.is_none() {
            self.blame(key, "must be `true` or `false`");
        }
        truth
    }

    pub(super) fn whole(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(key)?;
        let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            self.blame(key, &format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// A number of bytes: a whole number, or a text such as `64 MiB`.
    pub(super) fn bytes(&mut self, key: &'static str, least: u64) -> Option<u64> {
        let value = self.take(key)?;
        let number = match &value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::String(text) => bytes_from_text(text),
            _ => None,
        };
        match number {
            Some(number) if number >= least => Some(number),
            Some(_) => {
                self.blame(key, &format!("must be at least {} MiB", least >> 20));
                None
            }
            None => {
                self.blame(key, "must be a number of bytes, such as \"64 MiB\" or \"4 GiB\"");
                None
            }
        }
    }

    /// A list of texts, each with the path of its field; `None` when the key is absent.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<(String, String)>> {
        let value = self.take(key)?;
        let Value::Array(list) = value else {
            self.blame(key, "must be a list of texts: [\"…\", \"…\"]");
            return Some(Vec::new());
        };
        let mut texts = Vec::new();
        for (index, value) in list.into_iter().enumerate() {
            let field = format!("{}[{index}]", self.field(key));
            match value {
                Value::String(text) => texts.push((field, text)),
                _ => self.blame_whole(&field, "must be a text in quotes"),
            }
        }
        Some(texts)
    }

    pub(super) fn section(&mut self, key: &'static str) -> Option<Self> {
        match self.take(key)? {
            Value::Table(table) => Some(self.inner(self.field(key), table)),
            _ => {
                self.blame(key, &format!("must be a section: [{}]", self.field(key)));
                None
            }
        }
    }

    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let list = value.as_array().cloned().unwrap_or_default();
        let tables: Vec<_> = list.into_iter().filter_map(|value| value.try_into::<Table>().ok()).collect();
        if tables.is_empty() {
            self.blame(key, &format!("must be sections: [[{key}]]"));
        }
        let path = |index| format!("{}[{index}]", self.field(key));
        tables.into_iter().enumerate().map(|(index, table)| self.inner(path(index), table)).collect()
    }

    /// Whatever was not asked for is unknown.
    pub(super) fn finish(self) {
        for key in self.table.keys() {
            let cure = format!("is unknown here; known are {}", self.known.join(", "));
            self.mistakes.add(&self.field(key), &cure);
        }
    }
}

fn bytes_from_text(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let shift = match text[digits..].trim() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(1 << shift)
}

//! Why a command failed: one line for a person to read, with its causes.

use std::fmt;

/// A failure to be shown to the person who ran the command.
#[derive(Debug)]
pub struct Error(String);

/// What every step returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure described by `what`.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Says what was being done when something failed.
pub trait Doing<T> {
    /// Puts `what` in front of the cause.
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Error(format!("{}: {cause}", what())))
    }
}

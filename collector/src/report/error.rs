//! Why a report was not given.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::store::StoreError;

/// What was wrong with a request, as a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The body is larger than allowed.
    BodyTooLarge,
    /// The body is no JSON.
    InvalidJson,
    /// A name that the object does not have.
    UnknownField,
    /// A name that the object must have.
    MissingField,
    /// A value of the wrong type or shape.
    InvalidType,
    /// A value that is not allowed.
    InvalidValue,
    /// No such metric.
    UnknownMetric,
    /// No such dimension.
    UnknownDimension,
    /// No such named report, or no such part of it.
    UnknownReport,
    /// No such operator of a filter.
    UnknownOperator,
    /// A regular expression that cannot be read, or that not every store understands alike.
    InvalidPattern,
    /// No such timezone.
    UnknownTimezone,
    /// A cursor that is none, or of another query.
    InvalidCursor,
    /// A range of dates that cannot be read or holds nothing.
    InvalidDateRange,
    /// More of something than allowed.
    TooMany,
    /// A text that is longer than allowed.
    TooLong,
    /// Filters within filters beyond what is allowed.
    TooDeep,
    /// Things that are allowed, but not together.
    NotTogether,
}

impl Code {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::BodyTooLarge,
        Self::InvalidJson,
        Self::UnknownField,
        Self::MissingField,
        Self::InvalidType,
        Self::InvalidValue,
        Self::UnknownMetric,
        Self::UnknownDimension,
        Self::UnknownReport,
        Self::UnknownOperator,
        Self::InvalidPattern,
        Self::UnknownTimezone,
        Self::InvalidCursor,
        Self::InvalidDateRange,
        Self::TooMany,
        Self::TooLong,
        Self::TooDeep,
        Self::NotTogether,
    ];

    /// The stable spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body_too_large",
            Self::InvalidJson => "invalid_json",
            Self::UnknownField => "unknown_field",
            Self::MissingField => "missing_field",
            Self::InvalidType => "invalid_type",
            Self::InvalidValue => "invalid_value",
            Self::UnknownMetric => "unknown_metric",
            Self::UnknownDimension => "unknown_dimension",
            Self::UnknownReport => "unknown_report",
            Self::UnknownOperator => "unknown_operator",
            Self::InvalidPattern => "invalid_pattern",
            Self::UnknownTimezone => "unknown_timezone",
            Self::InvalidCursor => "invalid_cursor",
            Self::InvalidDateRange => "invalid_date_range",
            Self::TooMany => "too_many",
            Self::TooLong => "too_long",
            Self::TooDeep => "too_deep",
            Self::NotTogether => "not_together",
        }
    }
}

/// A request that cannot be answered as it is: what was wrong, where, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Refusal {
    /// What was wrong.
    pub code: Code,
    /// For people.
    pub message: String,
    /// Where: `filters[1][0]`; empty for the body as a whole.
    pub field: String,
}

/// Why a report was not given. Serialises as `{"error": {"code", "message", "field"}}`.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The request cannot be answered as it is.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed. Its reason is for the log, not for who asked.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
}

impl ReportError {
    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Refused(Refusal { code: Code::BodyTooLarge, .. }) => 413,
            Self::Refused(Refusal { code: Code::UnknownReport, .. }) => 404,
            Self::Refused(_) => 400,
            // Nobody reads it.
            Self::Store(StoreError::Cancelled) => 499,
            Self::Store(StoreError::Refused(_)) => 500,
            Self::Store(_) => 503,
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
    field: &'a str,
}

impl Serialize for ReportError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = match self {
            Self::Refused(refusal) => {
                Body { code: refusal.code.as_str(), message: &refusal.message, field: &refusal.field }
            }
            Self::Store(StoreError::Refused(_)) => {
                Body { code: "internal", message: "the store could not answer this query", field: "" }
            }
            Self::Store(StoreError::TooSlow) => Body {
                code: "query_too_slow",
                message: "the query took too long; ask for a shorter range or fewer dimensions",
                field: "",
            },
            Self::Store(StoreError::Cancelled) => {
                Body { code: "cancelled", message: "the query was cancelled by who asked", field: "" }
            }
            Self::Store(_) => {
                Body { code: "store_unavailable", message: "the store cannot answer now; try again later", field: "" }
            }
        };
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("error", &body)?;
        map.end()
    }
}

//! Writing the wire. Whatever is the least element (empty, unknown) is left out.
//!
//! What is to be written is first laid out as a [`Value`], which is the only thing here that knows how to be serialised:
//! one piece of code for all objects is a tenth of what deriving it for each makes in a browser, where every byte of it
//! is downloaded.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// Something to write.
pub(crate) enum Value<'a> {
    /// Left out of its object.
    Absent,
    Text(&'a str),
    Owned(String),
    Truth(bool),
    Number(i64),
    List(Vec<Value<'a>>),
    Object(Vec<(&'a str, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// A text that is left out when it is empty.
    pub(crate) fn known(text: &'a str) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }

    /// An object that is left out when nothing is in it.
    pub(crate) fn some_object(members: Vec<(&'a str, Self)>) -> Self {
        if members.iter().all(|(_, value)| matches!(value, Self::Absent)) {
            Self::Absent
        } else {
            Self::Object(members)
        }
    }

    /// A list that is left out when nothing is in it.
    pub(crate) fn some_list<T>(items: &'a [T], value: fn(&'a T) -> Self) -> Self {
        if items.is_empty() { Self::Absent } else { Self::List(items.iter().map(value).collect()) }
    }
}

impl From<&'static str> for Value<'_> {
    fn from(text: &'static str) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(i64::from(number))
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number as i64)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value<'_> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Owned(text) => serializer.serialize_str(text),
            Self::Truth(truth) => serializer.serialize_bool(*truth),
            // A browser has no other numbers, and none on the wire is beyond what they hold exactly.
            Self::Number(number) if cfg!(target_arch = "wasm32") => serializer.serialize_f64(*number as f64),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(members) => {
                let mut map = serializer.serialize_map(None)?;
                for (name, value) in members {
                    if !matches!(value, Self::Absent) {
                        map.serialize_entry(name, value)?;
                    }
                }
                map.end()
            }
        }
    }
}

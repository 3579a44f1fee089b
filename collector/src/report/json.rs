//! Reading a request: values that know where they are, so that every refusal can say so.

use serde_json::{Map, Value};

use super::error::{Code, Refusal};

/// A value of the request and the path to it.
#[derive(Clone, Debug)]
pub struct At<'a> {
    /// The value.
    pub value: &'a Value,
    /// Where it is: `filters[1][0]`.
    pub path: String,
}

impl<'a> At<'a> {
    /// The whole of a request.
    #[must_use]
    pub const fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// A refusal of this value.
    #[must_use]
    pub fn refuse(&self, code: Code, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), field: self.path.clone() }
    }

    /// The value as text of at most `max` bytes.
    ///
    /// # Errors
    /// A refusal.
    pub fn text(&self, max: usize) -> Result<&'a str, Refusal> {
        let text = self.value.as_str().ok_or_else(|| self.wrong_type("a text"))?;
        if text.len() > max {
            return Err(self.refuse(Code::TooLong, format!("must have at most {max} bytes")));
        }
        Ok(text)
    }

    /// The value as a list of `min` to `max` values.
    ///
    /// # Errors
    /// A refusal.
    pub fn list(&self, min: usize, max: usize) -> Result<Vec<Self>, Refusal> {
        let list = self.value.as_array().ok_or_else(|| self.wrong_type("a list"))?;
        if list.len() < min {
            return Err(self.refuse(Code::InvalidValue, format!("must have at least {min} entry")));
        }
        if list.len() > max {
            return Err(self.refuse(Code::TooMany, format!("must have at most {max} entries")));
        }
        let entry = |(index, value)| Self { value, path: format!("{}[{index}]", self.path) };
        Ok(list.iter().enumerate().map(entry).collect())
    }

    /// The value as a number from 0 to `max`.
    ///
    /// # Errors
    /// A refusal.
    pub fn number(&self, max: usize) -> Result<usize, Refusal> {
        let number = self.value.as_u64().and_then(|number| usize::try_from(number).ok());
        number
            .filter(|&number| number <= max)
            .ok_or_else(|| self.wrong_type(&format!("a whole number from 0 to {max}")))
    }

    /// The value as `true` or `false`.
    ///
    /// # Errors
    /// A refusal.
    pub fn truth(&self) -> Result<bool, Refusal> {
        self.value.as_bool().ok_or_else(|| self.wrong_type("true or false"))
    }

    /// The value as an object, whatever fields it has.
    ///
    /// # Errors
    /// A refusal.
    pub fn any_object(&self) -> Result<Object<'a>, Refusal> {
        let map = self.value.as_object().ok_or_else(|| self.wrong_type("an object"))?;
        Ok(Object { map, path: self.path.clone() })
    }

    /// The value as an object that has no other fields than these.
    ///
    /// # Errors
    /// A refusal.
    pub fn object(&self, fields: &[&str]) -> Result<Object<'a>, Refusal> {
        let object = self.any_object()?;
        match object.map.keys().find(|key| !fields.contains(&key.as_str())) {
            Some(unknown) => Err(Refusal {
                code: Code::UnknownField,
                message: format!("is not known here; allowed: {}", fields.join(", ")),
                field: object.path_of(&shortened(unknown)),
            }),
            None => Ok(object),
        }
    }

    fn wrong_type(&self, expected: &str) -> Refusal {
        self.refuse(Code::InvalidType, format!("must be {expected}"))
    }
}

/// An object of the request.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Object<'a> {
    /// A field that may be absent; `null` is absent.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<At<'a>> {
        let value = self.map.get(name).filter(|value| !value.is_null())?;
        Some(At { value, path: self.path_of(name) })
    }

    /// A field that must be there.
    ///
    /// # Errors
    /// A refusal.
    pub fn required(&self, name: &str) -> Result<At<'a>, Refusal> {
        let missing = || Refusal { code: Code::MissingField, message: "is missing".into(), field: self.path_of(name) };
        self.optional(name).ok_or_else(missing)
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.into() } else { format!("{}.{name}", self.path) }
    }
}

/// What a request said, cut to a length that is fit for a message.
#[must_use]
pub fn shortened(text: &str) -> String {
    const CHARS: usize = 60;
    if text.chars().nth(CHARS).is_none() { text.into() } else { text.chars().take(CHARS).chain(['…']).collect() }
}

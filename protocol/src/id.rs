//! Ids. Each is a type of its own with one fallible constructor; what is not a valid id cannot be held.

use core::fmt;

use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::clock::{DAY_MS, Wall};
use crate::limits;

/// Why a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Empty, or longer than allowed.
    #[error("must have 1 to {} characters", limits::SITE_CHARS)]
    Length,
    /// A character that is not allowed.
    #[error("may have only letters, digits, '.', '_' and '-'")]
    Character,
    /// Not a UUID in its usual form of 36 characters.
    #[error("must be a UUID like 0199a2f0-1c3e-7000-8000-0123456789ab")]
    Uuid,
    /// A UUID of another version than 7.
    #[error("must be a UUID of version 7, which has its time of creation in it")]
    Version,
}

/// A site's public key: what a page names in `data-site`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(String);

impl SiteId {
    /// Takes a key of 1 to 64 letters, digits, dots, underscores and hyphens.
    ///
    /// # Errors
    /// [`IdError::Length`] or [`IdError::Character`].
    pub fn new(text: &str) -> Result<Self, IdError> {
        if text.is_empty() || text.len() > limits::SITE_CHARS {
            return Err(IdError::Length);
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if !text.bytes().all(allowed) {
            return Err(IdError::Character);
        }
        Ok(Self(text.into()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for SiteId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// The id of a view: a UUID of version 7 (RFC 9562), made by the client. The time in it decides, alone and for ever,
/// which day's partition the view's rows belong to; nothing that the collector corrects is part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewId(u128);

impl ViewId {
    /// Makes an id from the sender's date and 74 of these 80 random bits.
    #[must_use]
    pub fn new(at: Wall, random: [u8; 10]) -> Self {
        Self::from_bits(at, random.iter().fold(0, |bits, &byte| bits << 8 | u128::from(byte)))
    }

    /// Makes an id from the sender's date and 74 of the lowest 80 of these random bits (RFC 9562, 5.7).
    #[must_use]
    pub const fn from_bits(at: Wall, random: u128) -> Self {
        const VERSION_7: u128 = 7 << 76;
        const VARIANT: u128 = 2 << 62;
        const RANDOM: u128 = (0xfff << 64) | ((1 << 62) - 1);
        let millis = if at.as_ms() < 0 { 0 } else { at.as_ms() as u128 };
        Self((millis << 80) | VERSION_7 | VARIANT | (random & RANDOM))
    }

    /// Reads the usual form of 36 characters.
    ///
    /// # Errors
    /// [`IdError::Uuid`] or [`IdError::Version`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        Self::from_uuid(parse_uuid(text)?)
    }

    /// Takes a UUID of version 7.
    ///
    /// # Errors
    /// [`IdError::Version`].
    pub fn from_uuid(uuid: Uuid) -> Result<Self, IdError> {
        if uuid.get_version_num() == 7 { Ok(Self(uuid.as_u128())) } else { Err(IdError::Version) }
    }

    /// The UUID.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        Uuid::from_u128(self.0)
    }

    /// The 128 bits of the UUID.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// When the view began, by the sender's clock.
    #[must_use]
    pub const fn time(self) -> Wall {
        // The first 48 bits are milliseconds since 1970 (RFC 9562, 5.7).
        Wall::from_ms((self.0 >> 80) as i64)
    }

    /// The partition: whole days from 1970 to [`time`](Self::time).
    #[must_use]
    pub const fn day(self) -> i64 {
        self.time().as_ms().div_euclid(DAY_MS)
    }
}

impl fmt::Display for ViewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_uuid(Uuid::from_u128(self.0), f)
    }
}

/// The id of a session: one page load, or one visit where the visitor allowed storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u128);

impl SessionId {
    /// Makes an id from 122 of these 128 random bits.
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid().as_u128())
    }

    /// Reads the usual form of 36 characters.
    ///
    /// # Errors
    /// [`IdError::Uuid`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        parse_uuid(text).map(|uuid| Self(uuid.as_u128()))
    }
}

impl SessionId {
    /// The 128 bits of the UUID.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_uuid(Uuid::from_u128(self.0), f)
    }
}

fn parse_uuid(text: &str) -> Result<Uuid, IdError> {
    // The library also reads braces and URNs; one spelling is enough for an identity.
    if text.len() != uuid::fmt::Hyphenated::LENGTH {
        return Err(IdError::Uuid);
    }
    Uuid::try_parse(text).map_err(|_| IdError::Uuid)
}

fn fmt_uuid(uuid: Uuid, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_id_tells_its_time_and_day() {
        let at = Wall::from_ms(1_790_000_000_123);
        let id = ViewId::new(at, [0xff; 10]);
        assert_eq!(id.time(), at);
        assert_eq!(id.day(), 20_717);
        assert_eq!(ViewId::parse(&id.to_string()), Ok(id));
    }

    #[test]
    fn a_clock_before_1970_makes_an_id_of_1970() {
        assert_eq!(ViewId::new(Wall::from_ms(-5), [0; 10]).time(), Wall::from_ms(0));
    }

    #[test]
    fn only_version_7_is_a_view_id() {
        let session = SessionId::new([9; 16]);
        assert_eq!(ViewId::parse(&session.to_string()), Err(IdError::Version));
        assert_eq!(SessionId::parse(&session.to_string()), Ok(session));
    }

    #[test]
    fn other_spellings_of_a_uuid_are_refused() {
        for text in ["", "0199a2f01c3e70008000000000000000", "{0199a2f0-1c3e-7000-8000-000000000000}", "zz"] {
            assert_eq!(ViewId::parse(text), Err(IdError::Uuid), "{text}");
        }
    }

    #[test]
    fn a_site_key_is_bounded() {
        assert!(SiteId::new("a-b_c.9").is_ok());
        assert!(SiteId::new(&"a".repeat(limits::SITE_CHARS)).is_ok());
        assert_eq!(SiteId::new(&"a".repeat(limits::SITE_CHARS + 1)), Err(IdError::Length));
        assert_eq!(SiteId::new(""), Err(IdError::Length));
        assert_eq!(SiteId::new("a b"), Err(IdError::Character));
    }
}

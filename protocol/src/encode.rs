//! Writing the wire: JSON, in which whatever is the least element (empty, unknown) is left out.
//!
//! Written by hand because it ships to browsers: for a format as small as this one, a general serialiser and the types
//! that it works on are several times as large, and every byte of it is downloaded with every page. A collector (the
//! feature `decode`) has a few of the functions in a form that is larger and quicker, and writes the same.

/// Words with a NUL after each. A table of texts would be twice as large, and it ships to browsers.
#[derive(Clone, Copy, Debug)]
pub struct Words(pub &'static str);

/// JSON in the making: the members of one object after the other.
#[derive(Debug, Default)]
pub struct Json {
    bytes: Vec<u8>,
}

impl Json {
    /// Nothing was written yet.
    pub const EMPTY: Self = Self { bytes: Vec::new() };

    /// An object with these members, as text.
    #[must_use]
    pub fn object_of(members: impl FnOnce(&mut Self)) -> String {
        let mut json = Self::default();
        json.item(members);
        // Nothing but texts and ASCII was written.
        String::from_utf8(json.bytes).unwrap_or_default()
    }

    /// These members, without an object around them.
    #[must_use]
    #[inline(always)]
    pub fn members_of(members: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut json = Self::default();
        members(&mut json);
        json.bytes
    }

    /// An object with these members, in a buffer that begins with room for `capacity` bytes.
    #[must_use]
    #[cfg(feature = "decode")]
    pub fn bytes_of(capacity: usize, members: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut json = Self { bytes: Vec::with_capacity(capacity) };
        json.item(members);
        json.bytes
    }

    /// How many bytes were written so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes back what was written after the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// A text; an empty one is left out.
    pub fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.name(name);
            self.quoted(text);
        }
    }

    /// One of some words.
    pub fn word(&mut self, name: &str, words: Words, index: usize) {
        self.name(name);
        self.quoted_word(words, index);
    }

    /// A count under one of some words.
    pub fn count(&mut self, words: Words, index: usize, count: u64) {
        self.separate();
        self.quoted_word(words, index);
        self.push(b':');
        self.digits(count as i64);
    }

    /// A count.
    #[cfg(feature = "decode")]
    pub fn named_count(&mut self, name: &str, count: u64) {
        self.name(name);
        self.natural(count);
    }

    /// A whole number.
    pub fn number(&mut self, name: &str, number: i64) {
        self.name(name);
        self.digits(number);
    }

    /// A whole number, if it is known.
    pub fn known_number(&mut self, name: &str, number: Option<u64>) {
        if let Some(number) = number {
            self.number(name, number as i64);
        }
    }

    /// A number in thousandths, as a decimal number.
    pub fn thousandths(&mut self, name: &str, thousandths: u32) {
        self.number(name, i64::from(thousandths / 1000));
        self.push(b'.');
        for digit in [thousandths / 100, thousandths / 10, thousandths] {
            self.digit(digit % 10);
        }
    }

    /// True or false, if it is known.
    pub fn truth(&mut self, name: &str, truth: Option<bool>) {
        if let Some(truth) = truth {
            self.literal(name, if truth { "true" } else { "false" });
        }
    }

    /// A value that is JSON already.
    pub fn literal(&mut self, name: &str, value: &str) {
        self.name(name);
        self.raw(value.as_bytes());
    }

    /// A set of bits in hexadecimal, without leading zeros; the empty set is left out.
    pub fn bits(&mut self, name: &str, bits: u128) {
        if bits != 0 {
            self.name(name);
            self.push(b'"');
            for index in (0..32 - bits.leading_zeros() / 4).rev() {
                self.nibble(bits, index);
            }
            self.push(b'"');
        }
    }

    /// A UUID in its usual form of 36 characters.
    pub fn uuid(&mut self, name: &str, uuid: u128) {
        self.name(name);
        self.push(b'"');
        for index in (0..32).rev() {
            self.nibble(uuid, index);
            if matches!(index, 24 | 20 | 16 | 12) {
                self.push(b'-');
            }
        }
        self.push(b'"');
    }

    /// An object; one without members is left out.
    #[inline(always)]
    pub fn object(&mut self, name: &str, members: impl FnOnce(&mut Self)) {
        let before = self.begin(name, b'{');
        members(self);
        self.end(before, b"{}");
    }

    /// An object, even without members.
    #[inline(always)]
    pub fn always_object(&mut self, name: &str, members: impl FnOnce(&mut Self)) {
        self.name(name);
        self.item(members);
    }

    /// A list of `count` objects; an empty one is left out.
    pub fn list(&mut self, name: &str, count: usize, mut members: impl FnMut(&mut Self, usize)) {
        self.array(name, |json| {
            for index in 0..count {
                json.item(|json| members(json, index));
            }
        });
    }

    /// A list of [`item`](Self::item)s; an empty one is left out.
    #[inline(always)]
    pub fn array(&mut self, name: &str, items: impl FnOnce(&mut Self)) {
        let before = self.begin(name, b'[');
        items(self);
        self.end(before, b"[]");
    }

    /// An object in a list.
    #[inline(always)]
    pub fn item(&mut self, members: impl FnOnce(&mut Self)) {
        self.separate();
        self.push(b'{');
        members(self);
        self.push(b'}');
    }

    /// An object in a list that was written before.
    pub fn written_item(&mut self, item: &Self) {
        self.separate();
        self.raw(&item.bytes);
    }

    /// Members that were written before.
    pub fn written_members(&mut self, members: &Self) {
        if !members.is_empty() {
            self.separate();
            self.raw(&members.bytes);
        }
    }

    /// Begins something with a name; gives how much was written before it.
    fn begin(&mut self, name: &str, bracket: u8) -> usize {
        let before = self.len();
        self.name(name);
        self.push(bracket);
        before
    }

    /// Ends it; leaves it out if nothing is in it.
    fn end(&mut self, before: usize, brackets: &[u8; 2]) {
        self.push(brackets[1]);
        if self.bytes.ends_with(brackets) {
            self.truncate(before);
        }
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.quoted(name);
        self.push(b':');
    }

    /// A comma, unless something was just begun.
    fn separate(&mut self) {
        if !matches!(self.bytes.last(), None | Some(b'{' | b'[' | b':')) {
            self.push(b',');
        }
    }

    fn quoted(&mut self, text: &str) {
        self.push(b'"');
        let bytes = text.as_bytes();
        let plain = if is_plain(bytes) { bytes.len() } else { 0 };
        self.raw(&bytes[..plain]);
        for &byte in &bytes[plain..] {
            if byte < b' ' {
                self.raw(b"\\u00");
                self.nibble(byte.into(), 1);
                self.nibble(byte.into(), 0);
            } else {
                if matches!(byte, b'"' | b'\\') {
                    self.push(b'\\');
                }
                self.push(byte);
            }
        }
        self.push(b'"');
    }

    fn quoted_word(&mut self, Words(words): Words, index: usize) {
        let mut left = index;
        self.push(b'"');
        for byte in words.bytes() {
            if byte == 0 {
                left = left.wrapping_sub(1);
            } else if left == 0 {
                self.push(byte);
            }
        }
        self.push(b'"');
    }

    fn digits(&mut self, number: i64) {
        if number < 0 {
            self.push(b'-');
        }
        self.natural(number.unsigned_abs());
    }

    #[cfg(feature = "decode")]
    fn natural(&mut self, mut number: u64) {
        let mut digits = [b'0'; 20];
        let mut first = digits.len() - 1;
        while number > 9 {
            digits[first] += (number % 10) as u8;
            number /= 10;
            first -= 1;
        }
        digits[first] += number as u8;
        self.raw(&digits[first..]);
    }

    #[cfg(not(feature = "decode"))]
    fn natural(&mut self, number: u64) {
        if number > 9 {
            self.natural(number / 10);
        }
        self.digit((number % 10) as u32);
    }

    /// The hexadecimal digit at `index`, counted from the last.
    fn nibble(&mut self, number: u128, index: u32) {
        // A shift of 128 bits is a function of its own in a browser.
        let half = if index < 16 { number as u64 } else { (number >> 64) as u64 };
        self.digit((half >> (index % 16 * 4)) as u32);
    }

    /// The digit of the lowest four bits.
    fn digit(&mut self, digit: u32) {
        self.push(b"0123456789abcdef"[digit as usize & 15]);
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn push(&mut self, byte: u8) {
        self.bytes.push(byte);
    }
}

/// Whether a text stands in JSON as it is. Where it is read as well, in a collector, that is worth a look at all of it.
#[cfg(feature = "decode")]
fn is_plain(text: &[u8]) -> bool {
    // Without a way out, so that many bytes are looked at in one step.
    text.iter().fold(true, |plain, &byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'))
}

/// In a browser the smaller code is better.
#[cfg(not(feature = "decode"))]
const fn is_plain(_: &[u8]) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_left_out() {
        let json = Json::object_of(|json| {
            json.text("a", "");
            json.object("b", |json| json.text("c", ""));
            json.list("d", 0, |_, _| ());
            json.truth("e", None);
            json.known_number("f", None);
            json.bits("g", 0);
        });
        assert_eq!(json, "{}");
    }

    #[test]
    fn everything_else_is_written() {
        let json = Json::object_of(|json| {
            json.text("a", "x\"\\\n\u{1f}é😀");
            json.number("b", 0);
            json.number("c", -1_234_567_890_123);
            json.thousandths("d", 1_050);
            json.truth("e", Some(false));
            json.object("f", |json| json.number("g", 7));
            json.list("h", 2, |json, index| json.number("i", index as i64));
            json.always_object("j", |_| ());
            json.literal("k", "[{}]");
        });
        assert_eq!(
            json,
            r#"{"a":"x\"\\\u000a\u001fé😀","b":0,"c":-1234567890123,"d":1.050,"e":false,"f":{"g":7},"h":[{"i":0},{"i":1}],"j":{},"k":[{}]}"#
        );
    }

    #[test]
    fn bits_have_no_leading_zeros() {
        for bits in [1, 0xf0, 0x10, 1 << 99, 1 << 64, (1 << 100) - 1, u128::MAX] {
            assert_eq!(Json::object_of(|json| json.bits("a", bits)), format!(r#"{{"a":"{bits:x}"}}"#));
        }
    }

    #[test]
    fn a_uuid_has_its_hyphens() {
        let uuid = uuid::Uuid::from_u128(0x0199_a2f0_1c3e_7000_8000_0123_4567_89ab);
        assert_eq!(Json::object_of(|json| json.uuid("a", uuid.as_u128())), format!(r#"{{"a":"{uuid}"}}"#));
    }
}

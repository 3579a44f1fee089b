//! Writing the wire: JSON, in which whatever is the least element (empty, unknown) is left out.
//!
//! Written by hand because it ships to browsers: for a format as small as this one, a general serialiser and the types
//! that it works on are several times as large, and every byte of it is downloaded with every page.

/// JSON in the making: the members of one object after the other.
#[derive(Debug, Default)]
pub struct Json(String);

impl Json {
    /// An object with these members, as text.
    #[must_use]
    pub fn object_of(members: &dyn Fn(&mut Self)) -> String {
        let mut json = Self::default();
        json.0.push('{');
        members(&mut json);
        json.0.push('}');
        json.0
    }

    /// A text; an empty one is left out.
    pub fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.name(name);
            self.quoted(text);
        }
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
        self.0.push('.');
        for digit in [thousandths / 100, thousandths / 10, thousandths] {
            self.digit(digit % 10);
        }
    }

    /// True or false, if it is known.
    pub fn truth(&mut self, name: &str, truth: Option<bool>) {
        if let Some(truth) = truth {
            self.name(name);
            self.0.push_str(if truth { "true" } else { "false" });
        }
    }

    /// An object; one without members is left out.
    pub fn object(&mut self, name: &str, members: &dyn Fn(&mut Self)) {
        let before = self.0.len();
        self.name(name);
        let begun = self.open('{');
        members(self);
        self.close(before, begun, '}');
    }

    /// An object, even without members.
    pub fn always_object(&mut self, name: &str, members: &dyn Fn(&mut Self)) {
        self.name(name);
        self.0.push('{');
        members(self);
        self.0.push('}');
    }

    /// A list of `count` objects; an empty one is left out.
    pub fn list(&mut self, name: &str, count: usize, members: &dyn Fn(&mut Self, usize)) {
        let before = self.0.len();
        self.name(name);
        let begun = self.open('[');
        for index in 0..count {
            self.separate();
            self.0.push('{');
            members(self, index);
            self.0.push('}');
        }
        self.close(before, begun, ']');
    }

    fn open(&mut self, bracket: char) -> usize {
        self.0.push(bracket);
        self.0.len()
    }

    /// Closes what was begun; leaves it out if nothing is in it.
    fn close(&mut self, before: usize, begun: usize, bracket: char) {
        if self.0.len() == begun {
            self.0.truncate(before);
        } else {
            self.0.push(bracket);
        }
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.quoted(name);
        self.0.push(':');
    }

    fn separate(&mut self) {
        if !self.0.ends_with(['{', '[']) {
            self.0.push(',');
        }
    }

    fn quoted(&mut self, text: &str) {
        self.0.push('"');
        for char in text.chars() {
            match char {
                '"' | '\\' => {
                    self.0.push('\\');
                    self.0.push(char);
                }
                '\0'..' ' => {
                    self.0.push_str("\\u00");
                    self.digit(char as u32 >> 4);
                    self.digit(char as u32 & 15);
                }
                _ => self.0.push(char),
            }
        }
        self.0.push('"');
    }

    fn digits(&mut self, number: i64) {
        if number < 0 {
            self.0.push('-');
        }
        let mut rest = number.unsigned_abs();
        let start = self.0.len();
        loop {
            let digit = (rest % 10) as u8;
            self.0.insert(start, char::from(b'0' + digit));
            rest /= 10;
            if rest == 0 {
                return;
            }
        }
    }

    /// A digit, of up to sixteen.
    fn digit(&mut self, digit: u32) {
        self.0.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_is_left_out() {
        let json = Json::object_of(&|json| {
            json.text("a", "");
            json.object("b", &|json| json.text("c", ""));
            json.list("d", 0, &|_, _| ());
            json.truth("e", None);
            json.known_number("f", None);
        });
        assert_eq!(json, "{}");
    }

    #[test]
    fn everything_else_is_written() {
        let json = Json::object_of(&|json| {
            json.text("a", "x\"\\\n\u{1f}é😀");
            json.number("b", 0);
            json.number("c", -1_234_567_890_123);
            json.thousandths("d", 1_050);
            json.truth("e", Some(false));
            json.object("f", &|json| json.number("g", 7));
            json.list("h", 2, &|json, index| json.number("i", index as i64));
        });
        assert_eq!(
            json,
            r#"{"a":"x\"\\\u000a\u001fé😀","b":0,"c":-1234567890123,"d":1.050,"e":false,"f":{"g":7},"h":[{"i":0},{"i":1}]}"#
        );
    }
}

//! Strings, numbers and literals: the parts of a JSON text below its containers.

use std::borrow::Cow;

use super::{Fault, Reader, SYNTAX};

pub(super) const NUMBER: Fault = "a number is out of range";

impl<'a> Reader<'a> {
    /// Reads a string and resolves its escapes.
    #[inline(always)]
    pub(in crate::token) fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        if let Some((plain, end)) = self.plain_string_at(self.at) {
            self.at = end;
            return Ok(Cow::Borrowed(plain));
        }
        self.escaped().map(Cow::Owned)
    }

    /// The string that begins at `at`, and where the text goes on. Nothing where it holds an escape or is none.
    #[inline(always)]
    fn plain_string_at(&self, at: usize) -> Option<(&'a str, usize)> {
        let bytes = self.text.as_bytes();
        if bytes.get(at) != Some(&b'"') {
            return None;
        }
        let end = plain_run(bytes, at + 1);
        if bytes.get(end) != Some(&b'"') {
            return None;
        }
        Some((self.text.get(at + 1..end)?, end + 1))
    }

    /// A string with escapes. Rare, so it stays out of the way.
    #[cold]
    fn escaped(&mut self) -> Result<String, Fault> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let end = plain_run(self.text.as_bytes(), self.at);
            out.push_str(self.text.get(self.at..end).ok_or(SYNTAX)?);
            self.at = end;
            match self.next() {
                Some(b'"') => return Ok(out),
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(SYNTAX),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        Ok(match self.next() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let high = self.hex()?;
                let code = if (0xD800..0xDC00).contains(&high) {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    let low = self.hex()?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err(SYNTAX);
                    }
                    0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
                } else {
                    high
                };
                // A lone surrogate is no character.
                char::from_u32(code).ok_or(SYNTAX)?
            }
            _ => return Err(SYNTAX),
        })
    }

    fn hex(&mut self) -> Result<u32, Fault> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|b| char::from(b).to_digit(16));
            code = code << 4 | digit.ok_or(SYNTAX)?;
        }
        Ok(code)
    }

    /// Reads a finite number and returns its text.
    pub(in crate::token) fn number(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(SYNTAX),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.peek(), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = self.text.get(start..self.at).ok_or(SYNTAX)?;
        // Without an exponent it takes three hundred digits to leave the range.
        if (exponent || text.len() > 300) && !text.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(NUMBER);
        }
        Ok(text)
    }

    /// Reads a whole number of at most 15 digits, as nearly every date is. Leaves every other value, well-formed or
    /// not, to [`Reader::number`].
    #[inline]
    pub(in crate::token) fn small_integer(&mut self) -> Option<i64> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let (mut value, mut len) = match rest.first_chunk().copied().and_then(eight_digits) {
            Some(value) => (value, 8),
            None => (0, 0),
        };
        for byte in rest.get(len..)?.iter().take(16 - len) {
            match byte {
                b'0'..=b'9' => value = value * 10 + i64::from(byte - b'0'),
                b'.' | b'e' | b'E' => return None,
                _ => break,
            }
            len += 1;
        }
        // A leading zero is refused by the full grammar.
        if len == 0 || len > 15 || (len > 1 && rest.first() == Some(&b'0')) {
            return None;
        }
        self.at += len;
        Some(value)
    }

    /// A string without escapes that follows right behind `prefix`; otherwise nothing, and nothing
    /// is read.
    #[inline]
    pub(in crate::token) fn plain_string_behind(&mut self, prefix: &str) -> Option<&'a str> {
        let rest = self.text.as_bytes().get(self.at..)?;
        if !rest.starts_with(prefix.as_bytes()) {
            return None;
        }
        let (plain, end) = self.plain_string_at(self.at + prefix.len())?;
        self.at = end;
        Some(plain)
    }

    /// Reads what [`Reader::small_integer`] reads, if it follows right behind `prefix` and is at most `max`. Otherwise
    /// nothing is returned, and nothing is read.
    #[inline]
    pub(in crate::token) fn small_integer_behind(&mut self, prefix: &str, max: i64) -> Option<i64> {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..)?;
        if !rest.starts_with(prefix.as_bytes()) {
            return None;
        }
        self.at += prefix.len();
        let value = self.small_integer().filter(|value| *value <= max);
        if value.is_none() {
            self.at = start;
        }
        value
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            return Err(SYNTAX);
        }
        Ok(())
    }

    pub(super) fn literal(&mut self, word: &str) -> Result<(), Fault> {
        let end = self.at + word.len();
        if self.text.as_bytes().get(self.at..end) != Some(word.as_bytes()) {
            return Err(SYNTAX);
        }
        self.at = end;
        Ok(())
    }
}

/// The number that eight digits make. Neighbours are joined to pairs, pairs to fours, and fours to the whole, each time
/// in all places at once.
#[inline]
fn eight_digits(digits: [u8; 8]) -> Option<i64> {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    let word = u64::from_le_bytes(digits);
    let digits = word.wrapping_sub(each(b'0'));
    // A byte below '0' borrows and one above '9' carries: either way a high bit shows.
    if (digits | word.wrapping_add(each(0x7F - b'9')) | word) & each(0x80) != 0 {
        return None;
    }
    let pairs = (digits.wrapping_mul(10 << 8 | 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    i64::try_from(fours.wrapping_mul(10_000 << 32 | 1) >> 32).ok()
}

/// Returns where the run of ordinary string bytes that begins at `at` ends. It ends at a quote, a backslash, a control
/// character or the end.
#[inline(always)]
pub(super) fn plain_run(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.split_first_chunk() {
        Some((word, rest)) => match plain_bytes(*word) {
            8 => at + 8 + long_run(rest),
            plain => at + plain,
        },
        None => at + long_run(rest),
    }
}

/// The length of such a run that is longer than most strings of a token.
#[inline(never)]
fn long_run(mut bytes: &[u8]) -> usize {
    let mut len = 0;
    while let Some((word, rest)) = bytes.split_first_chunk() {
        let plain = plain_bytes(*word);
        len += plain;
        if plain < 8 {
            return len;
        }
        bytes = rest;
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    len + bytes.iter().position(special).unwrap_or(bytes.len())
}

/// How many bytes at the beginning of a word are ordinary. All are looked at together. A falsely marked byte always
/// lies behind a rightly marked one, so the lowest mark is exact.
#[inline(always)]
fn plain_bytes(word: [u8; 8]) -> usize {
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    let word = u64::from_le_bytes(word);
    // With this bit turned, a quote lies right behind the control characters.
    let quote_or_control = (word ^ each(b'"' ^ 0x20)).wrapping_sub(each(0x21));
    let backslash = (word ^ each(b'\\')).wrapping_sub(each(1));
    let marks = (quote_or_control | backslash) & !word & each(0x80);
    (marks.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_are_read_together() {
        for number in [0, 1, 9, 10, 12_345_678, 18_000_000, 90_909_090, 99_999_999] {
            let text = format!("{number:08}");
            let digits = *text.as_bytes().first_chunk().unwrap();
            assert_eq!(eight_digits(digits), Some(number));
        }
        for at in 0..8 {
            for byte in 0..=255_u8 {
                let mut text = *b"90817263";
                text[at] = byte;
                let expected = std::str::from_utf8(&text).ok().and_then(|text| {
                    let digits = text.bytes().all(|b| b.is_ascii_digit());
                    digits.then(|| text.parse().unwrap())
                });
                assert_eq!(eight_digits(text), expected, "{at} {byte}");
            }
        }
    }
}

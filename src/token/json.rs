//! A strict reader of one JSON text (RFC 8259), in one pass and without building a tree.
//!
//! It is stricter than general parsers where parsers disagree: a repeated member is refused at
//! every level (the names compared after unescaping), nesting is bounded before it recurses,
//! numbers must be finite, and nothing may follow the value.

use std::borrow::Cow;

/// What is wrong with the text. It never repeats the text.
pub(super) type Fault = &'static str;

/// How many containers may lie in each other.
const MAX_DEPTH: u8 = 32;

const SYNTAX: Fault = "not well-formed json";
const DUPLICATE: Fault = "a member is repeated";
const DEPTH: Fault = "nested too deeply";
const NUMBER: Fault = "a number is out of range";

/// A position in a JSON text.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// The first byte of the next value.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Reads the whole text as one object; `member` must read each member's value.
    pub(super) fn only_object(
        mut self,
        member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.skip_space();
        if self.peek() != Some(b'{') {
            return Err("not a json object");
        }
        self.object(member)?;
        self.skip_space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(SYNTAX),
        }
    }

    fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.enter()?;
        if self.peek() == Some(b'}') {
            return self.leave();
        }
        loop {
            let name = self.string()?;
            self.skip_space();
            self.expect(b':')?;
            self.skip_space();
            member(self, name)?;
            if !self.more(b'}')? {
                return self.leave();
            }
        }
    }

    /// Reads an array; `element` must read each element.
    pub(super) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.enter()?;
        if self.peek() == Some(b']') {
            return self.leave();
        }
        loop {
            element(self)?;
            if !self.more(b']')? {
                return self.leave();
            }
        }
    }

    /// Reads any value and returns its text.
    pub(super) fn value(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        self.skip_value()?;
        self.text.get(start..self.at).ok_or(SYNTAX)
    }

    fn skip_value(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            Some(b'{') => {
                let mut names = Vec::new();
                self.object(|reader, name| {
                    names.push(name);
                    reader.skip_value()
                })?;
                distinct(&names, |name| name)
            }
            Some(b'[') => self.array(Self::skip_value),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => Err(SYNTAX),
        }
    }

    /// Reads a string and resolves its escapes.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.expect(b'"')?;
        let start = self.at;
        let end = plain_run(self.text.as_bytes(), start);
        let plain = self.text.get(start..end).ok_or(SYNTAX)?;
        self.at = end;
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(Cow::Borrowed(plain))
            }
            Some(b'\\') => self.escaped(plain.to_owned()).map(Cow::Owned),
            _ => Err(SYNTAX),
        }
    }

    /// The rest of a string from its first escape on. Rare, so it stays out of the way.
    #[cold]
    fn escaped(&mut self, mut out: String) -> Result<String, Fault> {
        loop {
            match self.next() {
                Some(b'"') => return Ok(out),
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(SYNTAX),
            }
            let end = plain_run(self.text.as_bytes(), self.at);
            out.push_str(self.text.get(self.at..end).ok_or(SYNTAX)?);
            self.at = end;
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
    pub(super) fn number(&mut self) -> Result<&'a str, Fault> {
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

    /// Reads a whole number of at most 15 digits, as nearly every date is; leaves every other
    /// value, well-formed or not, to [`Reader::number`].
    #[inline]
    pub(super) fn small_integer(&mut self) -> Option<i64> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let (mut value, mut len) = (0_i64, 0);
        for byte in rest.iter().take(16) {
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

    fn literal(&mut self, word: &str) -> Result<(), Fault> {
        let end = self.at + word.len();
        if self.text.as_bytes().get(self.at..end) != Some(word.as_bytes()) {
            return Err(SYNTAX);
        }
        self.at = end;
        Ok(())
    }

    /// Steps into a container.
    #[inline]
    fn enter(&mut self) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            return Err(DEPTH);
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Steps out of a container, over its closing bracket.
    #[inline]
    fn leave(&mut self) -> Result<(), Fault> {
        self.depth -= 1;
        self.at += 1;
        Ok(())
    }

    /// Whether a comma follows; if not, `close` must.
    #[inline]
    fn more(&mut self, close: u8) -> Result<bool, Fault> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.skip_space();
                Ok(true)
            }
            Some(byte) if byte == close => Ok(false),
            _ => Err(SYNTAX),
        }
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        match self.next() {
            Some(found) if found == byte => Ok(()),
            _ => Err(SYNTAX),
        }
    }

    #[inline]
    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }
}

/// Refuses a repeated name. Few names are compared pair by pair; many are sorted, because their
/// number is the sender's choice.
pub(super) fn distinct<T>(items: &[T], name: impl Fn(&T) -> &str) -> Result<(), Fault> {
    let repeated = if items.len() <= 16 {
        items.iter().enumerate().any(|(i, item)| {
            items
                .iter()
                .take(i)
                .any(|earlier| name(earlier) == name(item))
        })
    } else {
        let mut names: Vec<&str> = items.iter().map(&name).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| match pair {
            [a, b] => a == b,
            _ => false,
        })
    };
    if repeated { Err(DUPLICATE) } else { Ok(()) }
}

/// The refusal of a repeated member, for readers that note the names they know by themselves.
pub(super) fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), Fault> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(DUPLICATE),
    }
}

/// Where the run of ordinary string bytes that begins at `at` ends: at a quote, a backslash, a
/// control character or the end. Eight bytes a step; a byte that is marked falsely always lies
/// behind one that is marked rightly, so the lowest mark is exact.
#[inline]
fn plain_run(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    const fn below(word: u64, bound: u8) -> u64 {
        word.wrapping_sub(ONES * bound as u64) & !word & HIGH
    }
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let marks = below(word, 0x20)
            | below(word ^ (ONES * b'"' as u64), 1)
            | below(word ^ (ONES * b'\\' as u64), 1);
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b'"' | b'\\' | 0..0x20) {
            break;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads `text` as an object with distinct members.
    fn read(text: &str) -> Result<(), Fault> {
        let mut names = Vec::new();
        Reader::new(text).only_object(|reader, name| {
            names.push(name);
            reader.value().map(drop)
        })?;
        distinct(&names, |name| name)
    }

    #[test]
    fn well_formed_objects_are_read() {
        for text in [
            "{}",
            " \t\r\n{ } \n",
            r#"{"a":1,"b":[1,"x",true,false,null,{"a":-0.5e+3}],"":""}"#,
            r#"{"a\u0062\ud83d\ude00\n":"\"\\\/\b\f\r\t"}"#,
            "{\"é\":\"ü\u{7f}\u{10ffff}\"}",
        ] {
            assert_eq!(read(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            " ",
            "[]",
            "null",
            "1",
            "\"x\"",
            "{",
            "}",
            "{}}",
            "{}{}",
            "{} x",
            "{,}",
            r#"{"a":1,}"#,
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{a:1}"#,
            r#"{'a':1}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a":01}"#,
            r#"{"a":+1}"#,
            r#"{"a":.5}"#,
            r#"{"a":1.}"#,
            r#"{"a":1e}"#,
            r#"{"a":0x1}"#,
            r#"{"a":NaN}"#,
            r#"{"a":Infinity}"#,
            r#"{"a":-}"#,
            r#"{"a":1e400}"#,
            r#"{"a":tru}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\udc00"}"#,
            r#"{"a":"\ud800\u0041"}"#,
            r#"{"a":"\u12"}"#,
            "{\"a\":\"\n\"}",
            "{\"a\":\"\0\"}",
            r#"{"a":"x}"#,
            "\u{feff}{}",
            "{\"a\":1\u{a0}}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let digits = format!("{{\"a\":{}}}", "9".repeat(400));
        assert_eq!(read(&digits), Err(NUMBER));
    }

    #[test]
    fn a_repeated_member_is_refused_at_every_level() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"x":{"a":1,"b":2,"a":3}}"#,
            r#"{"x":[[{"a":1,"a":1}]]}"#,
        ] {
            assert_eq!(read(text), Err(DUPLICATE), "{text}");
        }
        let mut many: Vec<String> = (0..100).map(|i| format!("\"m{i}\":{i}")).collect();
        assert_eq!(read(&format!("{{{}}}", many.join(","))), Ok(()));
        many.push("\"m7\":0".to_owned());
        assert_eq!(read(&format!("{{{}}}", many.join(","))), Err(DUPLICATE));
    }

    #[test]
    fn nesting_is_bounded_before_it_recurses() {
        let nested = |n: usize| format!("{{\"x\":{}1{}}}", "[".repeat(n), "]".repeat(n));
        assert_eq!(read(&nested(31)), Ok(()));
        assert_eq!(read(&nested(32)), Err(DEPTH));
        assert_eq!(read(&nested(1_000_000)), Err(DEPTH));
    }

    #[test]
    fn runs_end_at_the_first_special_byte() {
        for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
            for at in 0..40 {
                let mut bytes = [0xe9_u8; 40];
                bytes[at] = special;
                bytes[39] = b'"';
                assert_eq!(plain_run(&bytes, 0), at);
            }
        }
        let ordinary: Vec<u8> = (0x20..=0xff)
            .filter(|b| !matches!(b, b'"' | b'\\'))
            .collect();
        assert_eq!(plain_run(&ordinary, 0), ordinary.len());
    }

    proptest! {
        /// What this reader takes, a general parser takes too, with the same strings.
        #[test]
        fn it_accepts_no_more_than_serde_json(text in "[{\\[]?(\"[a\\\\u00e9\"]{0,6}\"|[0-9eE.+-]{1,4}|[:,{}\\[\\] ]|true|null){0,12}[}\\]]?") {
            if read(&text).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).is_ok());
            }
        }

        #[test]
        fn strings_are_read_as_serde_json_reads_them(value in ".{0,40}", name in "\\PC{0,12}") {
            let text = serde_json::json!({ name.as_str(): value.as_str() }).to_string();
            let mut seen = Vec::new();
            Reader::new(&text).only_object(|reader, name| {
                let value = reader.string()?;
                seen.push((name.into_owned(), value.into_owned()));
                Ok(())
            }).unwrap();
            prop_assert_eq!(seen, vec![(name, value)]);
        }
    }
}

//! A strict reader of one JSON text (RFC 8259), in one pass and without building a tree.
//!
//! It is stricter than general parsers where parsers disagree. A repeated member is refused at every level, and the
//! names are compared after unescaping. Nesting is bounded before it recurses, numbers must be finite, and nothing may
//! follow the value.
//!
//! A general parser would need a setting for all that. Reading the claims once also saves time: verifying a nested
//! token took 22 % more instructions with `serde_json`.

mod scalar;

use std::borrow::Cow;

/// The fault of the text. It never repeats the text.
pub(super) type Fault = &'static str;

/// How many containers may lie in each other.
const MAX_DEPTH: u8 = 32;

const SYNTAX: Fault = "not well-formed json";
const DUPLICATE: Fault = "a member is repeated";
const DEPTH: Fault = "nested too deeply";

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

    /// A reader of a text that begins with `known`: an open object and at least one whole member. The caller recognised
    /// it by its bytes. It stands behind that member.
    pub(super) fn behind(text: &'a str, known: &str) -> Self {
        Self {
            text,
            at: known.len(),
            depth: 1,
        }
    }

    /// Reads the whole text as one object, or the rest of the object that the reader is in. `member` must read each
    /// member's value.
    #[inline]
    pub(super) fn only_object(
        mut self,
        member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.skip_space();
        let more = match self.depth {
            0 if self.peek() != Some(b'{') => return Err("not a json object"),
            0 => self.enter(b'}')?,
            _ => self.more(b'}')?,
        };
        self.members(more, member)?;
        self.end()
    }

    fn object(
        &mut self,
        member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let more = self.enter(b'}')?;
        self.members(more, member)
    }

    /// The members of an object, if there are `more`, and its closing bracket.
    #[inline(always)]
    fn members(
        &mut self,
        mut more: bool,
        mut read: impl FnMut(&mut Self, Cow<'a, str>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        while more {
            let name = match self.short_name() {
                Some(name) => Cow::Borrowed(name),
                None => self.name()?,
            };
            self.skip_space();
            read(self, name)?;
            more = self.more(b'}')?;
        }
        self.leave()
    }

    /// A member's name and its colon.
    fn name(&mut self) -> Result<Cow<'a, str>, Fault> {
        let name = self.string()?;
        self.skip_space();
        self.expect(b':')?;
        Ok(name)
    }

    /// The same for a name of three letters, as nearly every registered one is (RFC 7519 section 4). The colon has to
    /// follow at once. Otherwise nothing is returned, and nothing is read.
    #[inline(always)]
    fn short_name(&mut self) -> Option<&'a str> {
        let [b'"', a, b, c, b'"', b':'] = self.text.as_bytes().get(self.at..)?.first_chunk()?
        else {
            return None;
        };
        if ![a, b, c].into_iter().all(u8::is_ascii_lowercase) {
            return None;
        }
        let name = self.text.get(self.at + 1..self.at + 4)?;
        self.at += 6;
        Some(name)
    }

    /// Refuses whatever lies behind the object.
    fn end(mut self) -> Result<(), Fault> {
        self.skip_space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(SYNTAX),
        }
    }

    /// Reads an array; `element` must read each element.
    pub(super) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut more = self.enter(b']')?;
        while more {
            element(self)?;
            more = self.more(b']')?;
        }
        self.leave()
    }

    /// Reads any value and returns its text.
    pub(super) fn value(&mut self) -> Result<&'a str, Fault> {
        self.with_text(Self::skip_value).map(|((), text)| text)
    }

    /// Returns the value that `read` reads, and its text.
    pub(super) fn with_text<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<(T, &'a str), Fault> {
        let start = self.at;
        let value = read(self)?;
        let text = self.text.get(start..self.at).ok_or(SYNTAX)?;
        Ok((value, text))
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

    /// Steps into a container, and tells whether there is anything before `close`.
    #[inline]
    fn enter(&mut self, close: u8) -> Result<bool, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(DEPTH);
        }
        self.depth += 1;
        self.at += 1;
        self.skip_space();
        Ok(self.peek() != Some(close))
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
    if slot.is_some() {
        return Err(DUPLICATE);
    }
    *slot = Some(value);
    Ok(())
}

#[cfg(test)]
mod tests;

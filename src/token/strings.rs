//! The strings of a verified token.

use std::borrow::Cow;

use smallvec::SmallVec;

/// The longest claims, in bytes, that are kept as a whole.
const SHORT: usize = 256;

/// The claims of nearly every token, copied as they are, which is faster than string by string. They
/// fit in beside what else is kept, so that a verified token is one allocation. Of longer claims, and of
/// those with an escape, the strings alone are kept.
pub(super) struct Strings(SmallVec<[u8; SHORT]>);

/// Where a string lies. A codec accepts at most 64 kibibytes of base64url, so no position is too
/// large.
#[derive(Clone, Copy)]
pub(super) struct Span(u16, u16);

impl Strings {
    pub(super) fn new() -> Self {
        Self(SmallVec::new())
    }

    /// Keeps `parts`, most of which borrow from `claims`, and says where each lies.
    #[inline]
    pub(super) fn keep<const N: usize>(
        &mut self,
        claims: &str,
        parts: [&Option<Cow<'_, str>>; N],
    ) -> [Option<Span>; N] {
        let mut borrowed = claims.len() <= SHORT;
        let spans = parts.map(|part| {
            let part = part.as_deref()?;
            let start = place(claims, part);
            borrowed &= start.is_some();
            Some(Span::new(start?, part.len()))
        });
        if borrowed {
            self.0.extend_from_slice(claims.as_bytes());
            return spans;
        }
        self.keep_one_by_one(parts)
    }

    #[cold]
    fn keep_one_by_one<const N: usize>(
        &mut self,
        parts: [&Option<Cow<'_, str>>; N],
    ) -> [Option<Span>; N] {
        parts.map(|part| {
            let part = part.as_deref()?;
            let start = self.0.len();
            self.0.extend_from_slice(part.as_bytes());
            Some(Span::new(start, part.len()))
        })
    }

    pub(super) fn get(&self, span: Span) -> &str {
        let Span(start, end) = span;
        let bytes = self.0.get(start.into()..end.into());
        // It was copied from text, so that it always is text.
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
    }
}

/// Where `part` lies in `claims`, if it was borrowed from there.
#[inline]
fn place(claims: &str, part: &str) -> Option<usize> {
    let start = part.as_ptr().addr().checked_sub(claims.as_ptr().addr())?;
    (start + part.len() <= claims.len()).then_some(start)
}

impl Span {
    #[inline]
    fn new(start: usize, len: usize) -> Self {
        let position = |at| u16::try_from(at).unwrap_or(u16::MAX);
        Self(position(start), position(start + len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept<const N: usize>(
        claims: &str,
        parts: [&Option<Cow<'_, str>>; N],
    ) -> (Strings, [Option<Span>; N]) {
        let mut strings = Strings::new();
        let spans = strings.keep(claims, parts);
        (strings, spans)
    }

    #[test]
    fn every_string_is_found_again_wherever_it_came_from() {
        let claims = r#"{"iss":"é","sub":"user-1","sid":"","scope":"a b"}"#;
        let within = |text: &str| {
            let at = claims.find(text).unwrap();
            Cow::Borrowed(&claims[at..at + text.len()])
        };
        let parts = [
            within("é"),
            within("user-1"),
            Cow::Owned("un\"escaped".to_owned()),
            Cow::Borrowed("from elsewhere"),
            within("a b"),
            Cow::Borrowed(""),
        ];
        let parts = parts.map(Some);
        let (strings, spans) = kept(claims, parts.each_ref());
        for (part, span) in parts.iter().zip(spans) {
            assert_eq!(strings.get(span.unwrap()), part.as_deref().unwrap());
        }
        let (_, [span]) = kept(claims, [&None]);
        assert!(span.is_none());
    }

    #[test]
    fn of_long_claims_the_strings_alone_are_kept() {
        let long = "x".repeat(3000);
        let parts = [Some(Cow::Borrowed(&long[1..])), Some(Cow::Borrowed("y"))];
        let (strings, spans) = kept(&long, parts.each_ref());
        for (part, span) in parts.iter().zip(spans) {
            assert_eq!(strings.get(span.unwrap()), part.as_deref().unwrap());
        }
        assert_eq!(strings.0.len(), 3000);
        let short = "x".repeat(SHORT);
        let (strings, _) = kept(&short, [&Some(Cow::Borrowed(&short[1..9]))]);
        assert!(!strings.0.spilled());
    }
}

//! The one field that counts.

use std::borrow::Cow;

use crate::rejection::CsrfReason;

/// Returns the value that the form `body` has in the field `name`. More than one is ambiguous, whatever they say. It
/// is read as the URL standard does (section 5.1, `application/x-www-form-urlencoded` parsing).
pub(super) fn submitted<'a>(body: &'a [u8], name: &str) -> Result<Cow<'a, str>, CsrfReason> {
    let mut values = form_urlencoded::parse(body).filter(|(key, _)| key == name);
    let (_, value) = values.next().ok_or(CsrfReason::TokenMissing)?;
    if values.next().is_some() {
        return Err(CsrfReason::TokenDuplicate);
    }
    if value.is_empty() {
        return Err(CsrfReason::TokenMissing);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_there_exactly_once() {
        use CsrfReason::{TokenDuplicate, TokenMissing};

        let read = |body: &[u8]| submitted(body, "t").map(Cow::into_owned);
        for (body, value) in [
            ("t=a", "a"),
            ("a=1&t=b&b=2", "b"),
            ("&&t=a&", "a"),
            ("%74=a%2Eb", "a.b"),
            ("t=a%252Eb", "a%2Eb"),
            ("t=a=b", "a=b"),
            ("t=a;t=b", "a;t=b"),
            ("t=+a", " a"),
            ("t=%FF", "\u{fffd}"),
        ] {
            assert_eq!(read(body.as_bytes()).as_deref(), Ok(value), "{body}");
        }
        for (body, reason) in [
            ("", TokenMissing),
            ("t", TokenMissing),
            ("t=", TokenMissing),
            ("T=a&tt=a&t%00=a", TokenMissing),
            ("=t", TokenMissing),
            ("t=a&t=a", TokenDuplicate),
            ("t=a&t=", TokenDuplicate),
            ("t&%74", TokenDuplicate),
        ] {
            assert_eq!(read(body.as_bytes()), Err(reason), "{body}");
        }
        assert_eq!(read(b"\xff\x00&=&%"), Err(TokenMissing));
    }
}

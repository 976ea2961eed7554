//! The one field that counts.

use std::borrow::Cow;

use bytes::Bytes;

use super::{encoding::Encoding, layer::Settings, multipart};
use crate::rejection::CsrfReason;

/// What the form `body` says in the field. More than one is ambiguous, whatever they say.
pub(super) fn submitted<'a>(
    body: &'a Bytes,
    encoding: &Encoding,
    settings: &Settings,
) -> Result<Cow<'a, [u8]>, CsrfReason> {
    let value = match encoding {
        Encoding::Multipart(boundary) => multipart::field(body, boundary, &settings.name)?,
        Encoding::UrlEncoded => url_encoded(body, &settings.name)?,
    };
    match &*value {
        [] => Err(CsrfReason::TokenMissing),
        _ => Ok(value),
    }
}

/// Reads a form as the URL standard does (section 5.1, `application/x-www-form-urlencoded` parsing).
fn url_encoded<'a>(body: &'a [u8], name: &str) -> Result<Cow<'a, [u8]>, CsrfReason> {
    let mut values = form_urlencoded::parse(body).filter(|(key, _)| key == name);
    let (_, value) = values.next().ok_or(CsrfReason::TokenMissing)?;
    if values.next().is_some() {
        return Err(CsrfReason::TokenDuplicate);
    }
    Ok(match value {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_there_exactly_once() {
        use CsrfReason::{TokenDuplicate, TokenMissing};

        let settings = Settings {
            name: "t".to_owned(),
            limit: 0,
            multipart: false,
        };
        let read = |body: &[u8]| {
            let body = Bytes::copy_from_slice(body);
            let value = submitted(&body, &Encoding::UrlEncoded, &settings);
            value.map(|value| String::from_utf8(value.into_owned()).unwrap())
        };
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

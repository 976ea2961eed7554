//! Forms of `multipart/form-data` (RFC 7578).

use std::{
    borrow::Cow,
    pin::pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::{BodyDataStream, Full};
use multer::Multipart;

use crate::rejection::CsrfReason;

/// What stands between the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Boundary(String);

/// The longest boundary (RFC 2046 section 5.1.1).
const LONGEST_BOUNDARY: usize = 70;

/// More parts than any form has; each one costs a map of its headers.
const MOST_PARTS: usize = 1000;

impl Boundary {
    /// The boundary that `content_type` names, once, in the characters that one may have.
    pub(super) fn of(content_type: &HeaderValue) -> Option<Self> {
        let text = content_type.to_str().ok()?;
        // Which of two would count differs between parsers, and the handler has its own. (With the
        // `=`, since browsers have the word in the boundary itself.)
        if text.to_ascii_lowercase().matches("boundary=").count() != 1 {
            return None;
        }
        let boundary = multer::parse_boundary(text).ok()?;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&b);
        let valid = (1..=LONGEST_BOUNDARY).contains(&boundary.len())
            && boundary.bytes().all(allowed)
            && !boundary.ends_with(' ');
        valid.then_some(Self(boundary))
    }
}

/// The value of the one part called `name`. A form that is not written as it should be submits no
/// token, whatever could be read of it.
pub(super) fn field(
    body: &Bytes,
    boundary: &Boundary,
    name: &str,
) -> Result<Cow<'static, [u8]>, CsrfReason> {
    let body = BodyDataStream::new(Full::new(body.clone()));
    let parts = Multipart::new(body, &boundary.0);
    let mut reading = pin!(find(parts, name));
    // All of it is there, so the parser never has to wait.
    match reading
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value.map(|value| Cow::Owned(value.into())),
        Poll::Pending => Err(CsrfReason::TokenMissing),
    }
}

async fn find(mut parts: Multipart<'_>, name: &str) -> Result<Bytes, CsrfReason> {
    let unreadable = |_| CsrfReason::TokenMissing;
    let mut found = None;
    let mut count = 0;
    while let Some(part) = parts.next_field().await.map_err(unreadable)? {
        count += 1;
        if count > MOST_PARTS {
            return Err(CsrfReason::BodyTooLarge);
        }
        if part.name() != Some(name) {
            continue;
        }
        if found.is_some() {
            return Err(CsrfReason::TokenDuplicate);
        }
        // A file is none, and still takes the name.
        found = Some(match part.file_name() {
            Some(_) => Bytes::new(),
            None => part.bytes().await.map_err(unreadable)?,
        });
    }
    found.ok_or(CsrfReason::TokenMissing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boundary(content_type: &str) -> Option<String> {
        let value = HeaderValue::from_str(content_type).unwrap();
        Boundary::of(&value).map(|boundary| boundary.0)
    }

    #[test]
    fn a_boundary_is_named_once_and_as_it_may_be() {
        for (parameters, expected) in [
            ("boundary=b", "b"),
            ("boundary=\"a b\"", "a b"),
            (
                "charset=utf-8; Boundary=----WebKitFormBoundaryAbC",
                "----WebKitFormBoundaryAbC",
            ),
            ("boundary=\"'()+_,-./:=?\"", "'()+_,-./:=?"),
        ] {
            let found = boundary(&format!("multipart/form-data; {parameters}"));
            assert_eq!(found.as_deref(), Some(expected), "{parameters}");
        }
        for parameters in [
            "",
            "boundary",
            "boundary=",
            "boundary=\"\"",
            "boundary=\"a \"",
            "boundary=a; boundary=b",
            "boundary=a; BOUNDARY=a",
            "boundary=a; boundary =b",
            "boundary =a; boundary=b",
            "boundary=\"a@b\"",
            "boundary=\"a\\\"b\"",
            "boundary=\"a",
        ] {
            let found = boundary(&format!("multipart/form-data; {parameters}"));
            assert_eq!(found, None, "{parameters}");
        }
        let of = |length: usize| {
            boundary(&format!(
                "multipart/form-data; boundary={}",
                "b".repeat(length)
            ))
        };
        assert!(of(70).is_some());
        assert!(of(71).is_none());
    }

    #[test]
    fn the_field_is_one_part_and_no_file() {
        use CsrfReason::{TokenDuplicate, TokenMissing};

        let part = |head: &str, value: &str| {
            format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
        };
        let read = |parts: &[String], end: &str| {
            let body = parts.concat() + end;
            field(&body.into(), &Boundary("b".to_owned()), "t")
                .map(|value| String::from_utf8(value.into_owned()).unwrap())
        };
        let (good, other) = (part("name=\"t\"", "a"), part("name=\"u\"", "1"));
        let file = part("name=\"t\"; filename=\"f\"", "a");
        let end = "--b--\r\n";
        for parts in [
            vec![good.clone()],
            vec![other.clone(), good.clone(), other.clone()],
            vec!["preamble\r\n".to_owned(), good.clone()],
        ] {
            assert_eq!(read(&parts, end).as_deref(), Ok("a"), "{parts:?}");
        }
        assert_eq!(read(std::slice::from_ref(&file), end).as_deref(), Ok(""));
        for (parts, end, reason) in [
            (vec![], "", TokenMissing),
            (vec![], end, TokenMissing),
            (vec![other.clone()], end, TokenMissing),
            (vec![part("filename=\"t\"", "a")], end, TokenMissing),
            (vec![good.clone()], "", TokenMissing),
            (vec![good.clone()], "--b", TokenMissing),
            (vec![good.clone()], "--b\r\nname: x", TokenMissing),
            (vec![good.clone(), good.clone()], end, TokenDuplicate),
            (vec![good.clone(), file.clone()], end, TokenDuplicate),
            (vec![file.clone(), good.clone()], end, TokenDuplicate),
        ] {
            assert_eq!(read(&parts, end), Err(reason), "{parts:?} {end}");
        }
    }

    #[test]
    fn the_number_of_parts_is_bounded() {
        let parts = |count: usize| {
            let part = "--b\r\nContent-Disposition: form-data; name=t\r\n\r\na\r\n";
            let other = "--b\r\nContent-Disposition: form-data; name=u\r\n\r\n\r\n";
            let body = other.repeat(count - 1) + part + "--b--";
            field(&body.into(), &Boundary("b".to_owned()), "t").map(Cow::into_owned)
        };
        assert_eq!(parts(MOST_PARTS), Ok(b"a".to_vec()));
        assert_eq!(parts(MOST_PARTS + 1), Err(CsrfReason::BodyTooLarge));
    }
}

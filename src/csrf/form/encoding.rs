//! How a request says that its body is a form.

use http::{HeaderMap, header};

use super::multipart::Boundary;

/// The encodings of forms that are read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Multipart(Boundary),
    UrlEncoded,
}

impl Encoding {
    /// The encoding of a request with these headers, if it is a form that can be read. Text that
    /// only looks like a form is none: `text/plain` is what a foreign page may send as well.
    pub(super) fn of(headers: &HeaderMap, multipart: bool) -> Option<Self> {
        if headers.contains_key(header::CONTENT_ENCODING) {
            return None;
        }
        let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return None;
        };
        let essence = line.as_bytes().split(|b| *b == b';').next()?.trim_ascii();
        if essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            return Some(Self::UrlEncoded);
        }
        if multipart && essence.eq_ignore_ascii_case(b"multipart/form-data") {
            return Boundary::of(line).map(Self::Multipart);
        }
        None
    }
}

/// Whether the body is said to be longer than `limit`. What `Content-Length` says counts even where
/// the body itself does not know its length.
pub(super) fn is_declared_longer(headers: &HeaderMap, limit: u64) -> bool {
    let longer = |text: &[u8]| {
        let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        let length = str::from_utf8(text).ok().and_then(|text| text.parse().ok());
        // Digits that are no number are too many of them.
        digits && length.is_none_or(|length: u64| length > limit)
    };
    let mut lines = headers.get_all(header::CONTENT_LENGTH).iter();
    lines.any(|line| longer(line.as_bytes()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(name: header::HeaderName, lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn a_form_says_so_once() {
        let of = |lines: &[&'static str]| Encoding::of(&headers(header::CONTENT_TYPE, lines), true);
        for form in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-URLEncoded; charset=UTF-8",
            "application/x-www-form-urlencoded ;;",
            " application/x-www-form-urlencoded\t; boundary=b",
        ] {
            assert_eq!(of(&[form]), Some(Encoding::UrlEncoded), "{form}");
        }
        for other in [
            "",
            ";",
            "text/plain",
            "text/plain; application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded, text/plain",
            "application/x-www-form-urlencoded2",
            "application/x-www-form-urlencode",
            "application/json",
            "multipart/mixed; boundary=b",
            "multipart/form-data",
        ] {
            assert_eq!(of(&[other]), None, "{other}");
        }
        let form = "application/x-www-form-urlencoded";
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[form, form]), None);
        let multipart = headers(header::CONTENT_TYPE, &["multipart/form-data; boundary=b"]);
        assert_eq!(Encoding::of(&multipart, false), None);
    }

    #[test]
    fn what_is_compressed_is_not_read() {
        for encoding in ["gzip", "identity", ""] {
            let mut headers = headers(header::CONTENT_TYPE, &["application/x-www-form-urlencoded"]);
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            assert_eq!(Encoding::of(&headers, true), None, "{encoding}");
        }
    }

    #[test]
    fn a_declared_length_is_judged() {
        let longer = |lines: &[&'static str]| {
            is_declared_longer(&headers(header::CONTENT_LENGTH, lines), 10)
        };
        for fits in ["0", "10", "00010", "", "-11", "+11", "11 ", "a"] {
            assert!(!longer(&[fits]), "{fits}");
        }
        assert!(!longer(&[]));
        assert!(longer(&["11"]));
        assert!(longer(&["0", "11"]));
        assert!(longer(&["18446744073709551616"]));
    }
}

//! How a request says that its body is a form.

use http::{HeaderMap, header};

/// Whether a request with these headers carries a form that can be read. Text that only looks like a
/// form is none: `text/plain` is what a foreign page may send as well.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return false;
    }
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let essence = line.as_bytes().split(|b| *b == b';').next();
    essence.is_some_and(|essence| {
        let form = b"application/x-www-form-urlencoded";
        essence.trim_ascii().eq_ignore_ascii_case(form)
    })
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
    fn the_content_type_of_a_form_occurs_once() {
        let of = |lines: &[&'static str]| is_form(&headers(header::CONTENT_TYPE, lines));
        for form in [
            "application/x-www-form-urlencoded",
            "Application/X-WWW-Form-URLEncoded; charset=UTF-8",
            "application/x-www-form-urlencoded ;;",
            " application/x-www-form-urlencoded\t; boundary=b",
        ] {
            assert!(of(&[form]), "{form}");
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
            "multipart/form-data; boundary=b",
        ] {
            assert!(!of(&[other]), "{other}");
        }
        let form = "application/x-www-form-urlencoded";
        assert!(!of(&[]));
        assert!(!of(&[form, form]));
    }

    #[test]
    fn compressed_forms_are_not_read() {
        for encoding in ["gzip", "identity", ""] {
            let mut headers = headers(header::CONTENT_TYPE, &["application/x-www-form-urlencoded"]);
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            assert!(!is_form(&headers), "{encoding}");
        }
    }
}

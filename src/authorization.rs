//! The `Authorization` header (RFC 6750 section 2.1, RFC 9110 section 11.4).

use base64_simd::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};

/// The credentials of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials<'a> {
    /// No bearer credentials: no header, an empty one, or another scheme.
    Missing,
    /// Bearer credentials that are not written as the grammar says, and why.
    Malformed(&'static str),
    /// One word behind the scheme. Whether it [`is_token68`] matters only when the verifier rejects
    /// it. The code that gives the reason checks that.
    Token(&'a [u8]),
    /// A token that is longer than accepted. Its characters were not looked at.
    TooLarge,
}

/// Reads the credentials and marks the header sensitive, whatever it holds, so that no layer
/// further in logs it.
pub(crate) fn credentials(headers: &mut HeaderMap, max_bytes: usize) -> Credentials<'_> {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    if lines.next().is_none() {
        return Credentials::Missing;
    }
    if lines.next().is_some() {
        for (name, value) in headers.iter_mut() {
            if name == header::AUTHORIZATION {
                value.set_sensitive(true);
            }
        }
        // Two layers that pick different lines would disagree on who is asking.
        return Credentials::Malformed("the authorization header is repeated");
    }
    match headers.get_mut(header::AUTHORIZATION) {
        Some(value) => {
            value.set_sensitive(true);
            parse(value.as_bytes(), max_bytes)
        }
        None => Credentials::Missing,
    }
}

/// Reads one header line.
pub(crate) fn parse(value: &[u8], max_bytes: usize) -> Credentials<'_> {
    let value = trim(value);
    // Nearly every client writes the scheme like this, so it is not compared character by
    // character.
    let rest = match value.strip_prefix(b"Bearer ") {
        Some(_) => value.get(b"Bearer".len()..).unwrap_or_default(),
        None => {
            let scheme = scheme(value);
            if !scheme.eq_ignore_ascii_case(b"bearer") {
                return Credentials::Missing;
            }
            value.get(scheme.len()..).unwrap_or_default()
        }
    };
    let spaces = rest.iter().take_while(|b| **b == b' ').count();
    let token = rest.get(spaces..).unwrap_or_default();
    if spaces == 0 || token.is_empty() {
        return Credentials::Malformed("no token follows the bearer scheme");
    }
    if token.len() > max_bytes {
        return Credentials::TooLarge;
    }
    Credentials::Token(token)
}

/// The schemes whose credentials browsers send by themselves once a user has typed them, with requests of
/// foreign pages too.
const AMBIENT: [&[u8]; 4] = [b"basic", b"digest", b"negotiate", b"ntlm"];

/// Whether a browser may have added this line by itself. A proxy may have joined several lines with commas,
/// so each member counts.
pub(crate) fn is_ambient(line: &[u8]) -> bool {
    line.split(|b| *b == b',').any(|member| {
        let scheme = scheme(trim(member));
        AMBIENT
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    })
}

/// Whether the client itself has put credentials there: exactly one line, of a scheme that browsers
/// never add. Those of a page need the consent of CORS first.
pub(crate) fn is_explicit(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return false;
    };
    let line = trim(line.as_bytes());
    let rest = line.get(scheme(line).len()..).unwrap_or_default();
    !scheme(line).is_empty() && matches!(rest, [] | [b' ', ..]) && !is_ambient(line)
}

/// The word in front (RFC 9110 section 11.1).
fn scheme(line: &[u8]) -> &[u8] {
    let length = line.iter().take_while(|b| is_tchar(**b)).count();
    line.get(..length).unwrap_or_default()
}

/// The reason for credentials that are not [`is_token68`].
pub(crate) const NOT_TOKEN68: &str = "the token has characters that a token cannot have";

/// Whether `token` is what may stand behind a scheme (RFC 9110 section 11.2).
pub(crate) fn is_token68(token: &[u8]) -> bool {
    if is_compact(token) {
        return true;
    }
    let padding = token.iter().rev().take_while(|b| **b == b'=').count();
    let characters = token
        .get(..token.len().saturating_sub(padding))
        .unwrap_or_default();
    // The fold has no early exit, so that it compiles to wide comparisons.
    let all = |all, b: &u8| all & is_token68_character(*b);
    !characters.is_empty() && characters.iter().fold(true, all)
}

/// Whether `token` is base64url between dots, as nearly every token is that is rejected for another reason. It checks
/// many bytes at a time.
fn is_compact(token: &[u8]) -> bool {
    let (mut start, end) = (0, [token.len()]);
    memchr::memchr_iter(b'.', token).chain(end).all(|dot| {
        let segment = token.get(start..dot).unwrap_or_default();
        start = dot + 1;
        URL_SAFE_NO_PAD.check(segment).is_ok()
    }) && !token.is_empty()
}

/// Removes the optional white space around a field value (RFC 9110 section 5.5). Not every HTTP
/// implementation has removed it already.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// A character of a token, such as the name of a scheme or protocol (RFC 9110 section 5.6.2).
pub(crate) fn is_tchar(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// A character of a scope (RFC 6749 section 3.3). It needs no escape within a quoted string.
pub(crate) fn is_scope_character(b: u8) -> bool {
    matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

/// A character of a token68 before its padding (RFC 9110 section 11.2).
fn is_token68_character(b: u8) -> bool {
    let letter = (b | 0x20).wrapping_sub(b'a') < 26;
    let digit = b.wrapping_sub(b'0') < 10;
    let other = (b == b'-') | (b == b'.') | (b == b'_') | (b == b'~') | (b == b'+') | (b == b'/');
    letter | digit | other
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn token68_is_the_set_of_the_rfc() {
        for b in 0..=u8::MAX {
            let listed = b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
            assert_eq!(is_token68_character(b), listed, "{b:#x}");
        }
    }

    #[test]
    fn the_scheme_is_a_whole_word_in_any_case() {
        assert_eq!(parse(b"bEARER  a.b==", 8192), Credentials::Token(b"a.b=="));
        assert_eq!(parse(b"Bearer~ a", 8192), Credentials::Missing);
        assert_eq!(parse(b"Basic a", 8192), Credentials::Missing);
        assert_eq!(parse(b"\t ", 8192), Credentials::Missing);
        assert_eq!(parse(b"Bearer abc", 2), Credentials::TooLarge);
        assert!(matches!(parse(b"Bearer", 8192), Credentials::Malformed(_)));
        assert!(matches!(
            parse(b"Bearer,a", 8192),
            Credentials::Malformed(_)
        ));
        assert!(matches!(
            parse(b"Bearer\xff a", 8192),
            Credentials::Malformed(_)
        ));
    }

    #[test]
    fn token68_is_a_word_of_its_characters_with_padding_behind() {
        for token in ["a", "a.b==", "-._~+/", "AAAA.AAA", "AAAAA", "..", "a=", ""] {
            assert_eq!(is_token68(token.as_bytes()), !token.is_empty(), "{token}");
        }
        for token in [
            "a=b", "=", "===", "a b", "a,b", "a\"", "é", "AAAA.A A", "a\u{7f}",
        ] {
            assert!(!is_token68(token.as_bytes()), "{token}");
        }
        assert!(!is_token68(b"a\xff"));
        // The short way and the grammar agree on every character in every place.
        for b in 0..=u8::MAX {
            for at in [0, 1, 39, 63, 80] {
                let mut token = [b'A'; 81];
                token[40] = b'.';
                token[at] = b;
                let padding = at == 80 && b == b'=';
                assert_eq!(
                    is_token68(&token),
                    is_token68_character(b) || padding,
                    "{at} {b:#x}"
                );
            }
        }
    }

    #[test]
    fn browsers_add_four_schemes_by_themselves_and_no_other() {
        for line in [
            "Basic dTpw",
            "basic dTpw",
            "Digest username=\"a\", realm=\"b\"",
            "NTLM TlRM",
            "Negotiate YII",
            "NEGOTIATE",
            "Bearer a, Basic dTpw",
            "Bearer a,\tNTLM b",
        ] {
            assert!(is_ambient(line.as_bytes()), "{line}");
        }
        for line in [
            "Bearer a",
            "DPoP a",
            "Token token=\"a\", b=c",
            "Basics a",
            "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host",
            "",
        ] {
            assert!(!is_ambient(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn only_one_line_of_another_scheme_is_the_clients_own() {
        let has = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(line));
            }
            is_explicit(&headers)
        };
        for good in [
            "Bearer abc",
            "bearer a.b-c_d~e+f/g==",
            "BEARER   a",
            "Bearer a b",
            "Bearer",
            "DPoP a",
            "Token token=\"a\", b=c",
            "Bearera",
        ] {
            assert!(has(&[good]), "{good}");
        }
        for bad in [
            "",
            " ",
            ", Bearer a",
            "Bearer\ta",
            "Bearer, a",
            "Bearer a, Basic b",
            "Basic dTpw",
            "Negotiate",
            "\"Bearer\" a",
        ] {
            assert!(!has(&[bad]), "{bad}");
        }
        assert!(!has(&[]));
        assert!(!has(&["Bearer a", "Bearer a"]));
    }

    #[test]
    fn every_line_is_marked_sensitive() {
        let mut headers = HeaderMap::new();
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Basic a"));
        assert_eq!(credentials(&mut headers, 8192), Credentials::Missing);
        assert!(headers.values().all(HeaderValue::is_sensitive));
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert!(matches!(
            credentials(&mut headers, 8192),
            Credentials::Malformed(_)
        ));
        assert!(headers.values().all(HeaderValue::is_sensitive));
    }
}

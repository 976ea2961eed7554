//! One pass over claims of the usual shape: a flat object of plain strings and whole numbers.
//!
//! All other forms of JSON, from a blank to an escape, are left to a full parser. So is text that is no JSON. This code
//! reads a subset of JSON without a gap.

use super::{
    Refused,
    claims::{Rules, Span, Spans},
    dates::Dates,
};

/// The members that mean something. Each is a bit, so that a second one of its kind is noticed.
#[derive(Clone, Copy)]
enum Known {
    Issuer = 1,
    Audience = 2,
    Subject = 4,
    ExpiresAt = 8,
    NotBefore = 16,
    IssuedAt = 32,
    TokenId = 64,
    Session = 128,
    Scope = 256,
}

/// The members that every token needs.
const NEEDED: u16 =
    Known::Issuer as u16 | Known::Audience as u16 | Known::Subject as u16 | Known::ExpiresAt as u16;

/// A position in the claims.
struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
}

/// Reads `text`, or nothing when it is not of the usual shape.
pub fn read(text: &str, rules: &Rules) -> Option<Result<(Spans, Dates), Refused>> {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
    };
    let (mut spans, mut dates, mut seen) = (Spans::default(), Dates::default(), 0);
    if text.starts_with(&rules.preamble) {
        seen = Known::Issuer as u16 | Known::Audience as u16;
        let start = r#"{"iss":""#.len();
        spans.issuer = span(start, start + rules.issuer.len());
        scanner.at = rules.preamble.len();
    } else {
        scanner.expect(b'{')?;
        if let Err(refused) = scanner.member(rules, &mut spans, &mut dates, &mut seen)? {
            return Some(Err(refused));
        }
    }
    while scanner.next()? == b',' {
        if let Err(refused) = scanner.member(rules, &mut spans, &mut dates, &mut seen)? {
            return Some(Err(refused));
        }
    }
    scanner.at -= 1;
    scanner.expect(b'}')?;
    if scanner.at != text.len() {
        return None;
    }
    Some(if seen & NEEDED == NEEDED {
        Ok((spans, dates))
    } else {
        Err(Refused)
    })
}

impl<'t> Scanner<'t> {
    /// Reads one member. Nothing when it is unusual.
    #[inline]
    fn member(
        &mut self,
        rules: &Rules,
        spans: &mut Spans,
        dates: &mut Dates,
        seen: &mut u16,
    ) -> Option<Result<(), Refused>> {
        let rest = self.bytes.get(self.at..)?;
        let known = match rest {
            [b'"', b's', b'u', b'b', b'"', b':', b'"', ..] => {
                self.at += 7;
                spans.subject = self.string()?;
                Known::Subject
            }
            [b'"', b'e', b'x', b'p', b'"', b':', ..] => {
                self.at += 6;
                dates.expires_at = self.number()?;
                Known::ExpiresAt
            }
            [b'"', b'i', b'a', b't', b'"', b':', ..] => {
                self.at += 6;
                dates.issued_at = Some(self.number()?);
                Known::IssuedAt
            }
            [b'"', b'j', b't', b'i', b'"', b':', b'"', ..] => {
                self.at += 7;
                spans.token_id = self.string()?;
                Known::TokenId
            }
            [b'"', b's', b'i', b'd', b'"', b':', b'"', ..] => {
                self.at += 7;
                spans.session = self.string()?;
                Known::Session
            }
            [b'"', b's', b'c', b'o', b'p', b'e', b'"', b':', b'"', ..] => {
                self.at += 9;
                spans.scope = self.string()?;
                Known::Scope
            }
            [b'"', b'n', b'b', b'f', b'"', b':', ..] => {
                self.at += 6;
                dates.not_before = Some(self.number()?);
                Known::NotBefore
            }
            [b'"', b'i', b's', b's', b'"', b':', b'"', ..] => {
                self.at += 7;
                spans.issuer = self.string()?;
                if self.slice(spans.issuer) != rules.issuer.as_bytes() {
                    return Some(Err(Refused));
                }
                Known::Issuer
            }
            [b'"', b'a', b'u', b'd', b'"', b':', b'"', ..] => {
                self.at += 7;
                let audience = self.string()?;
                if self.slice(audience) != rules.audience.as_bytes() {
                    return Some(Err(Refused));
                }
                Known::Audience
            }
            // The token is bound to a key that no client has proved.
            [b'"', b'c', b'n', b'f', b'"', ..] => return Some(Err(Refused)),
            _ => {
                self.expect(b'"')?;
                let name = self.string()?;
                // With a value of another kind than it ought to have.
                if is_known(self.slice(name)) {
                    return None;
                }
                self.expect(b':')?;
                if self.bytes.get(self.at) == Some(&b'"') {
                    self.at += 1;
                    self.string()?;
                } else {
                    self.number()?;
                }
                return Some(Ok(()));
            }
        };
        let known = known as u16;
        if *seen & known != 0 {
            return Some(Err(Refused));
        }
        *seen |= known;
        Some(Ok(()))
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    fn slice(&self, span: Span) -> &'t [u8] {
        let slice = self.bytes.get(span.start as usize..span.end as usize);
        slice.unwrap_or_default()
    }

    /// Reads a string from behind its first quote to behind its last.
    #[inline]
    fn string(&mut self) -> Option<Span> {
        let start = self.at;
        let end = plain_run(self.bytes, start);
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        Some(span(start, end))
    }

    /// Reads a whole number of at most 15 digits.
    #[inline]
    fn number(&mut self) -> Option<u64> {
        let (start, mut value) = (self.at, 0);
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            value = value * 10 + u64::from(digit - b'0');
            self.at += 1;
            if self.at - start > 15 {
                return None;
            }
        }
        let leading_zero = self.bytes.get(start) == Some(&b'0') && self.at - start > 1;
        (self.at > start && !leading_zero).then_some(value)
    }
}

fn is_known(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 10] = [
        b"iss", b"aud", b"sub", b"exp", b"nbf", b"iat", b"jti", b"sid", b"scope", b"cnf",
    ];
    NAMES.contains(&name)
}

fn span(start: usize, end: usize) -> Span {
    Span {
        start: start as u32,
        end: end as u32,
    }
}

/// Returns where the plain characters from `at` on end. They end at a quote, a backslash, a control character or the
/// end of all. Eight bytes are looked at together; the lowest mark in a word is always a true one.
#[inline]
fn plain_run(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = quote.wrapping_sub(ONES) & !quote;
        let backslash = backslash.wrapping_sub(ONES) & !backslash;
        let marks = (control | quote | backslash) & HIGH;
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

//! The compact serialisation: segments between dots (RFC 7515 section 7.1, RFC 7516 section 7.1).

/// The three segments of a signed token.
pub(super) struct Signed<'a> {
    /// Header, dot and payload: what the signature is over.
    pub(super) input: &'a [u8],
    pub(super) header: &'a [u8],
    pub(super) payload: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// The five segments of an encrypted token.
pub(super) struct Encrypted<'a> {
    pub(super) header: &'a [u8],
    pub(super) key: &'a [u8],
    pub(super) iv: &'a [u8],
    pub(super) ciphertext: &'a [u8],
    pub(super) tag: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Nothing unless there are exactly three segments.
    pub(super) fn split(token: &'a [u8]) -> Option<Self> {
        let mut dots = memchr::memchr_iter(b'.', token);
        let (first, second) = (dots.next()?, dots.next()?);
        if dots.next().is_some() {
            return None;
        }
        Some(Self {
            input: token.get(..second)?,
            header: token.get(..first)?,
            payload: token.get(first + 1..second)?,
            signature: token.get(second + 1..)?,
        })
    }
}

impl<'a> Encrypted<'a> {
    /// Nothing unless there are exactly five segments.
    pub(super) fn split(token: &'a [u8]) -> Option<Self> {
        let mut dots = memchr::memchr_iter(b'.', token);
        let (a, b, c, d) = (dots.next()?, dots.next()?, dots.next()?, dots.next()?);
        if dots.next().is_some() {
            return None;
        }
        Some(Self {
            header: token.get(..a)?,
            key: token.get(a + 1..b)?,
            iv: token.get(b + 1..c)?,
            ciphertext: token.get(c + 1..d)?,
            tag: token.get(d + 1..)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_exactly() {
        for dots in 0..8 {
            let token = "x.".repeat(dots) + "x";
            assert_eq!(Signed::split(token.as_bytes()).is_some(), dots == 2);
            assert_eq!(Encrypted::split(token.as_bytes()).is_some(), dots == 4);
        }
        let parts = Signed::split(b".p.").unwrap();
        assert_eq!((parts.header, parts.payload), (&b""[..], &b"p"[..]));
        assert_eq!((parts.input, parts.signature), (&b".p"[..], &b""[..]));
    }
}

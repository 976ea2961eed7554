//! The compact serialisation: segments between dots (RFC 7515 section 7.1, RFC 7516 section 7.1).

/// The three segments of a signed token.
pub(super) struct Signed<'a> {
    /// Header, dot and payload: the input of the signature.
    pub(super) input: &'a [u8],
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
    /// The same for a token whose first `header` bytes are its header and whose signature has `signature` characters.
    /// That tells where the dots have to be. Other dots are not looked for; they are no base64url, and so decoding
    /// finds them.
    pub(super) fn behind_header(token: &'a [u8], header: usize, signature: usize) -> Option<Self> {
        let end = token.len().checked_sub(signature + 1)?;
        let (input, signature) = token.split_at_checked(end)?;
        let (_, payload) = input.split_at_checked(header)?;
        Some(Self {
            input,
            payload: payload.strip_prefix(b".")?,
            signature: signature.strip_prefix(b".")?,
        })
    }

    /// Nothing unless there are exactly three segments.
    pub(super) fn split(token: &'a [u8]) -> Option<Self> {
        let mut dots = memchr::memchr_iter(b'.', token);
        let (first, second) = (dots.next()?, dots.next()?);
        if dots.next().is_some() {
            return None;
        }
        Some(Self {
            input: token.get(..second)?,
            payload: token.get(first + 1..second)?,
            signature: token.get(second + 1..)?,
        })
    }
}

impl<'a> Encrypted<'a> {
    /// The same for a token whose first `header` bytes are its header, and which brings no encrypted key. Then the
    /// lengths of iv and tag tell where the dots have to be. Other dots are not looked for; they are no base64url, and
    /// so decoding finds them.
    pub(super) fn behind_header(token: &'a [u8], header: usize) -> Option<Self> {
        const IV: usize = 16;
        const TAG: usize = 22;
        let (header, rest) = token.split_at_checked(header)?;
        let (iv, rest) = rest.strip_prefix(b"..")?.split_at_checked(IV)?;
        let rest = rest.strip_prefix(b".")?;
        let (ciphertext, tag) = rest.split_at_checked(rest.len().checked_sub(TAG + 1)?)?;
        Some(Self {
            header,
            key: b"",
            iv,
            ciphertext,
            tag: tag.strip_prefix(b".")?,
        })
    }

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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn segments_are_counted_exactly() {
        for dots in 0..8 {
            let token = "x.".repeat(dots) + "x";
            assert_eq!(Signed::split(token.as_bytes()).is_some(), dots == 2);
            assert_eq!(Encrypted::split(token.as_bytes()).is_some(), dots == 4);
        }
        let parts = Signed::split(b".p.").unwrap();
        assert_eq!((parts.input, parts.payload), (&b".p"[..], &b"p"[..]));
        assert_eq!(parts.signature, b"");
    }

    proptest! {
        /// Where lengths tell the segments, they are those between the dots. Otherwise one of them holds a dot and
        /// cannot be decoded.
        #[test]
        fn lengths_tell_the_segments_that_the_dots_do(
            token in "[a.]{0,6}\\.[a.]{0,6}\\.[a.]{0,6}",
            wrapped in "[a.]{0,3}\\.[a]{0,1}\\.[a.]{16}\\.[a.]{0,5}\\.[a.]{22}",
            header in 0..8_usize,
            signature in 0..8_usize,
        ) {
            if let Some(Signed { input, payload, signature }) =
                Signed::behind_header(token.as_bytes(), header, signature)
            {
                let parts = [&token.as_bytes()[..header], payload, signature];
                prop_assert_eq!(parts.join(&b'.'), token.as_bytes());
                prop_assert_eq!(parts[..2].join(&b'.'), input);
                prop_assert_eq!(no_dots(&parts), Signed::split(token.as_bytes()).is_some());
            }
            if let Some(Encrypted { header, key, iv, ciphertext, tag }) =
                Encrypted::behind_header(wrapped.as_bytes(), header)
            {
                let parts = [header, key, iv, ciphertext, tag];
                prop_assert_eq!(parts.join(&b'.'), wrapped.as_bytes());
                prop_assert_eq!(no_dots(&parts), Encrypted::split(wrapped.as_bytes()).is_some());
            }
        }
    }

    fn no_dots(parts: &[&[u8]]) -> bool {
        parts.iter().all(|part| !part.contains(&b'.'))
    }
}

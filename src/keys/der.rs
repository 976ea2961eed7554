//! Just enough of DER (X.690) to tell the kinds of key files apart.
//!
//! josekit turns private keys into numbers and public ones into a verifier of its own only, so the
//! few fields of a public key are taken from here. A private key is checked to be sound DER before it
//! is handed on, as everything is that josekit gets.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
pub(super) const SEQUENCE: u8 = 0x30;

/// Deeper than any key: PKCS#8 with attributes has five levels.
const MAX_DEPTH: u8 = 12;

/// A tag and its contents.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
}

/// What a file holds, by the outline of its outermost sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    Public,
    /// PrivateKeyInfo (RFC 5208), RSAPrivateKey (RFC 8017) or ECPrivateKey (RFC 5915).
    Private,
    /// EncryptedPrivateKeyInfo (RFC 5208 section 6).
    Encrypted,
    /// RSAPublicKey (RFC 8017 appendix A.1.1).
    RsaPublic,
    /// An X.509 certificate, or a request for one.
    Certificate,
}

impl Form {
    /// `None` for what is no DER throughout, or nothing we know.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let fields = fields(whole(der, SEQUENCE)?)?;
        if !is_sound(der, 0) {
            return None;
        }
        let tags: Vec<u8> = fields.iter().map(|field| field.tag).collect();
        match tags.as_slice() {
            [SEQUENCE, BIT_STRING] => Some(Self::Public),
            [SEQUENCE, SEQUENCE, BIT_STRING] => Some(Self::Certificate),
            [SEQUENCE, OCTET_STRING] => Some(Self::Encrypted),
            [INTEGER, INTEGER] => Some(Self::RsaPublic),
            [INTEGER, SEQUENCE | OCTET_STRING | INTEGER, ..] => Some(Self::Private),
            _ => None,
        }
    }
}

/// The contents of the one element that `der` consists of.
pub(super) fn whole(der: &[u8], tag: u8) -> Option<&[u8]> {
    match first(der)? {
        (element, []) if element.tag == tag => Some(element.contents),
        _ => None,
    }
}

/// The elements that follow one another in `contents`.
pub(super) fn fields(mut contents: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut out = Vec::new();
    while !contents.is_empty() {
        let (element, rest) = first(contents)?;
        out.push(element);
        contents = rest;
    }
    Some(out)
}

/// The first element and what follows it. Lengths are definite and of the shortest form.
fn first(der: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = der.split_first()?;
    // Numbers of 31 and more, over several bytes, stand in no key.
    if tag == 0 || tag & 0x1f == 0x1f {
        return None;
    }
    let (&short, rest) = rest.split_first()?;
    let (len, rest) = if short < 0x80 {
        (usize::from(short), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
        // Three bytes are 16 MiB; none at all is the indefinite length of BER.
        if digits.len() > 3 || digits.first().is_none_or(|&top| top == 0) {
            return None;
        }
        let len = digits.iter().fold(0, |len, &d| len << 8 | usize::from(d));
        (len, rest)
    };
    if short >= 0x80 && len < 0x80 {
        return None;
    }
    let (contents, rest) = rest.split_at_checked(len)?;
    Some((Element { tag, contents }, rest))
}

/// Whether every element inside fits into the one around it.
fn is_sound(der: &[u8], depth: u8) -> bool {
    let sound =
        |element: &Element<'_>| element.tag & 0x20 == 0 || is_sound(element.contents, depth + 1);
    depth < MAX_DEPTH && fields(der).is_some_and(|fields| fields.iter().all(sound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_definite_shortest_and_inside() {
        let cases: [(&[u8], bool); 11] = [
            (&[0x30, 0], true),
            (&[0x30, 2, 5, 0], true),
            (&[0x30, 3, 5, 0], false),
            (&[0x30, 2, 5, 1], false),
            (&[0x30, 0x80, 0, 0], false),
            (&[0x30, 0x81, 2, 5, 0], false),
            (&[0x30, 0x82, 0, 2, 5, 0], false),
            (&[0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255], false),
            (&[0x30, 0xff], false),
            (&[0x3f, 0x81, 0], false),
            (&[], true),
        ];
        for (der, sound) in cases {
            assert_eq!(is_sound(der, 0), sound, "{der:?}");
        }
        // However deep, it is an answer and no overflow of the stack.
        let mut nested = Vec::new();
        for _ in 0..60 {
            nested.splice(0..0, [0x30, nested.len() as u8]);
        }
        assert!(fields(&nested).is_some() && !is_sound(&nested, 0));
        assert_eq!(Form::of(&nested), None);
    }
}

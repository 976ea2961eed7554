//! Which key a text names: a `kid`, or the protected header that a key writes.
//!
//! One key after the other: a service has one to ten of them. The limit on an issuer's document limits its set too,
//! and with it the cost of a token.

use std::sync::Arc;

/// The first of `keys` whose name is the first segment of `token`, and the length of that.
pub(super) fn find_first_segment<'k, K>(
    keys: &'k [Arc<K>],
    name: fn(&K) -> Option<&str>,
    token: &[u8],
) -> Option<(&'k Arc<K>, usize)> {
    // The key that mints is the first, and nearly every token is its own.
    let (first, others) = keys.split_first()?;
    let header = name(first)?;
    if let Some([b'.', ..]) = token.strip_prefix(header.as_bytes()) {
        return Some((first, header.len()));
    }
    if others.is_empty() {
        return None;
    }
    let end = memchr::memchr(b'.', token)?;
    let key = find(others, name, token.get(..end)?)?;
    Some((key, end))
}

/// The first of `keys` whose name is `text`.
pub(super) fn find<'k, K>(
    keys: &'k [Arc<K>],
    name: fn(&K) -> Option<&str>,
    text: &[u8],
) -> Option<&'k Arc<K>> {
    let mut keys = keys.iter();
    keys.find(|key| name(key).map(str::as_bytes) == Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{KeyRing, SignatureAlgorithm, SigningKey};

    #[test]
    fn headers_are_found_by_their_bytes() {
        let ring = KeyRing::from_master(b"lplPUnQqX9XxKHRz_J---KhhMOQ-LI53EpIQ1PPf07o").unwrap();
        let keys = ring.load();
        let key = keys.active_signing().unwrap();
        let header = base64_simd::URL_SAFE_NO_PAD
            .decode_to_vec(key.encoded_header())
            .unwrap();
        let expected = format!(
            r#"{{"alg":"HS256","typ":"at+jwt","kid":"{}"}}"#,
            key.kid().unwrap()
        );
        assert_eq!(header, expected.as_bytes());
        let token = |header: &str| format!("{header}.e30.x").into_bytes();
        let (found, len) = keys
            .signing_by_header(&token(key.encoded_header()))
            .unwrap();
        assert!(Arc::ptr_eq(found, key));
        assert_eq!(len, key.encoded_header().len());
        let key = keys.active_encryption().unwrap();
        assert!(
            keys.encryption_by_nested_header(&token(key.encoded_header_nested()))
                .is_some()
        );
        assert!(
            keys.encryption_by_claims_header(&token(key.encoded_header_nested()))
                .is_none()
        );
    }

    #[test]
    fn every_key_is_found_by_its_name() {
        for count in [1, 4, 10, 300] {
            let keys: Vec<_> = (0..count)
                .map(|n| {
                    let kid = format!("k{n}");
                    // The last has no name.
                    let kid = (n + 1 < count).then_some(kid.as_str());
                    let secret = [n as u8; 32];
                    Arc::new(SigningKey::hmac(SignatureAlgorithm::Hs256, kid, &secret).unwrap())
                })
                .collect();
            for key in &keys {
                let Some(kid) = key.kid() else { continue };
                let found = find(&keys, SigningKey::kid, kid.as_bytes()).unwrap();
                assert!(Arc::ptr_eq(found, key));
                let token = format!("{kid}.e30.x");
                let segment = find_first_segment(&keys, SigningKey::kid, token.as_bytes());
                assert!(
                    segment.is_some_and(|(found, len)| Arc::ptr_eq(found, key) && len == kid.len())
                );
            }
            for text in ["", "k", "k301", "k0x", "K0"] {
                assert!(find(&keys, SigningKey::kid, text.as_bytes()).is_none());
                let token = format!("{text}.e30");
                let segment = find_first_segment(&keys, SigningKey::kid, token.as_bytes());
                assert!(segment.is_none(), "{text}");
            }
            // Without a dot there is no segment.
            assert!(find_first_segment(&keys, SigningKey::kid, b"k0").is_none());
        }
        let none: [Arc<SigningKey>; 0] = [];
        assert!(find_first_segment(&none, SigningKey::kid, b"k.e").is_none());
    }

    #[test]
    fn of_two_keys_of_one_name_the_first_counts() {
        let key = |n: u8| {
            Arc::new(SigningKey::hmac(SignatureAlgorithm::Hs256, Some("k"), &[n; 32]).unwrap())
        };
        for count in [2, 9] {
            let keys: Vec<_> = (0..count).map(key).collect();
            let found = find(&keys, SigningKey::kid, b"k").unwrap();
            assert!(Arc::ptr_eq(found, &keys[0]));
        }
    }
}

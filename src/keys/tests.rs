//! What keys do and refuse, through the crate-internal interface.

use super::*;

fn secret(n: u8) -> Vec<u8> {
    (0..64)
        .map(|i: u8| i.wrapping_mul(7).wrapping_add(n))
        .collect()
}

#[test]
fn master_keys_sign_and_seal() {
    let ring = KeyRing::generate().unwrap();
    let keys = ring.load();
    let signing = keys.active_signing().unwrap();
    let mac = signing.sign(b"message").unwrap();
    assert_eq!(mac.as_ref().len(), 32);
    assert!(signing.verify(b"message", mac.as_ref()));
    assert!(!signing.verify(b"massage", mac.as_ref()));
    assert!(!signing.verify(b"message", &mac.as_ref()[..31]));

    let encryption = keys.active_encryption().unwrap();
    let mut text = *b"claims";
    let sealed = encryption.seal_in_place(b"aad", &mut text).unwrap();
    let mut forged = text;
    forged[0] ^= 1;
    assert!(
        encryption
            .open_in_place(&sealed.iv, b"aad", &mut forged, &sealed.tag)
            .is_none()
    );
    let opened = encryption.open_in_place(&sealed.iv, b"aad", &mut text, &sealed.tag);
    assert_eq!(opened.unwrap(), b"claims");
    assert_eq!(ring.encryptions(), 1);
}

#[test]
fn headers_are_found_by_their_bytes() {
    let ring = KeyRing::from_master(&secret(1)).unwrap();
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
    assert!(
        keys.signing_by_header(key.encoded_header().as_bytes())
            .is_some()
    );
    let key = keys.active_encryption().unwrap();
    assert!(
        keys.encryption_by_nested_header(key.encoded_header_nested().as_bytes())
            .is_some()
    );
    assert!(
        keys.encryption_by_claims_header(key.encoded_header_nested().as_bytes())
            .is_none()
    );
}

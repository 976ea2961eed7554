//! The behaviour of keys, through the crate-internal interface.

use super::{encryption::*, signing::SignError, *};

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

/// RFC 8037 appendix A.1.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// RFC 7515 appendix A.3.1.
const P256: &str = r#"{"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
/// The modulus of RFC 7515 appendix A.2.1.
const RSA: &str = r#"{"kty":"RSA","alg":"RS256","kid":"rsa","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;

fn jwk(json: &str) -> Result<KeyRing, crate::ConfigError> {
    KeyRing::builder().jwk(json).build()
}

/// Expects that `from` with `old` replaced by `new` is rejected with `expected`.
#[track_caller]
fn refuses(from: &str, old: &str, new: &str, expected: &str) {
    let json = from.replace(old, new);
    assert_ne!(json, from);
    let error = jwk(&json).expect_err("this key must be refused");
    assert!(error.problem().contains(expected), "{error}");
}

#[test]
fn ed25519_gives_the_published_signature() {
    // RFC 8037 appendix A.4.
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let expected =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let ring = jwk(ED25519).unwrap();
    let keys = ring.load();
    let key = keys.active_signing().unwrap();
    let signature = key.sign(message).unwrap();
    let text = base64_simd::URL_SAFE_NO_PAD.encode_to_string(signature.as_ref());
    assert_eq!(text, expected);
    assert!(key.verify(message, signature.as_ref()));
    assert!(!key.verify(b"another", signature.as_ref()));
}

#[test]
fn ecdsa_signs_and_verifies() {
    let ring = jwk(P256).unwrap();
    let keys = ring.load();
    let key = keys.active_signing().unwrap();
    assert_eq!(key.algorithm(), SignatureAlgorithm::Es256);
    let signature = key.sign(b"message").unwrap();
    assert!(key.verify(b"message", signature.as_ref()));
    let mut forged = signature.as_ref().to_vec();
    forged[40] ^= 1;
    assert!(!key.verify(b"message", &forged));
    assert!(!key.verify(b"message", &[0; 64]));
}

#[test]
fn jwks_that_cannot_be_right_are_refused() {
    refuses(ED25519, "\"x\":\"11q", "\"x\":\"12q", "belong together");
    refuses(ED25519, "HURo", "HURp", "canonical base64url");
    refuses(ED25519, "OKP", "EC", "crv");
    refuses(ED25519, "Ed25519", "Ed448", "crv");
    refuses(ED25519, "\"d\":\"nWGx", "\"d\":\"nWGy", "belong together");
    refuses(P256, "\"y\":\"x_FE", "\"y\":\"x_FF", "belong together");
    refuses(P256, "\"x\":\"f83O", "\"x\":\"", "32 bytes");
    refuses(P256, "P-256", "P-384", "48 bytes");
    refuses(P256, "\"kid\":\"ec\"", "\"alg\":\"ES384\"", "P-384");
    refuses(P256, "\"kid\":\"ec\"", "\"alg\":\"RS256\"", "RSA");
    refuses(P256, "\"kid\":\"ec\"", "\"alg\":\"none\"", "HS256");
    refuses(P256, "\"kid\":\"ec\"", "\"kid\":\"\"", "1 to 128");
    refuses(P256, "\"kid\":\"ec\"", "\"kty\":\"EC\"", "member once");
    refuses(
        P256,
        "\"kid\":\"ec\"",
        "\"key_ops\":[\"encrypt\"]",
        "neither",
    );
    refuses(P256, "\"kid\":\"ec\"", "\"key_ops\":[]", "neither");
    refuses(
        P256,
        "\"kid\":\"ec\"",
        "\"key_ops\":[\"sign\",\"sign\"]",
        "repeats",
    );
    refuses(P256, "\"kid\":\"ec\"", "\"use\":\"enc\"", "alg");
    refuses(P256, "\"kid\":\"ec\"", "\"use\":\"other\"", "use");
    refuses(RSA, "\"alg\":\"RS256\",", "", "required");
    refuses(RSA, "AQAB", "AQAA", "exponent");
    refuses(RSA, "AQAB", "AQ", "exponent");
    refuses(RSA, "ofgWCuLjybRl", "", "2048");
    refuses(RSA, "\"kid\":\"rsa\"", "\"oth\":[]", "two primes");
}

#[test]
fn points_off_the_curve_are_refused_when_loaded() {
    let public = P256.split(",\"d\"").next().unwrap().to_owned() + "}";
    assert!(!jwk(&public).unwrap().load().signing[0].can_sign());
    refuses(&public, "\"y\":\"x_FE", "\"y\":\"x_FF", "on the curve");
}

#[test]
fn key_operations_are_honoured() {
    let verify_only = P256.replace("\"kid\":\"ec\"", "\"key_ops\":[\"verify\"]");
    let ring = jwk(&verify_only).unwrap();
    let keys = ring.load();
    assert!(keys.active_signing().is_none());
    assert_eq!(
        keys.signing[0].sign(b"x").unwrap_err(),
        SignError::PublicOnly
    );
}

#[test]
fn a_key_that_may_only_decrypt_opens_and_does_not_mint() {
    let key = |ops: &str, n: u8| {
        let k = base64_simd::URL_SAFE_NO_PAD.encode_to_string(&secret(n)[..32]);
        format!(r#"{{"kty":"oct","alg":"A256GCM","kid":"{n}","key_ops":{ops},"k":"{k}"}}"#)
    };
    let old = key(r#"["decrypt"]"#, 1);
    let retired = jwk(&old).unwrap();
    assert!(retired.load().active_encryption().is_none());
    assert!(retired.load().encryption[0].can_open());

    let ring = KeyRing::builder()
        .jwk(&old)
        .jwk(&key(r#"["encrypt","decrypt"]"#, 2));
    let ring = ring.build().unwrap();
    assert_eq!(ring.load().active_encryption().unwrap().kid(), Some("2"));
    let error = ring.rotate(retired).unwrap_err();
    assert_eq!(error.setting(), "encryption keys");
    assert!(jwk(&key(r#"["sign"]"#, 3)).is_err());
}

#[test]
fn shared_secrets_are_as_long_as_their_hash() {
    use SignatureAlgorithm as Alg;
    let s = secret(3);
    for (alg, len) in [(Alg::Hs256, 32), (Alg::Hs384, 48), (Alg::Hs512, 64)] {
        assert!(SigningKey::hmac(alg, None, &s[..len - 1]).is_err());
        let key = SigningKey::hmac(alg, None, &s[..len]).unwrap();
        let mac = key.sign(b"message").unwrap();
        assert_eq!(mac.as_ref().len(), len);
        assert!(key.verify(b"message", mac.as_ref()));
        assert!(!key.verify(b"message", &[]));
    }
    assert!(SigningKey::hmac(Alg::EdDsa, None, &s).is_err());
    assert!(KeyRing::builder().access_secret(&[9; 64]).build().is_err());
    assert!(EncryptionKey::direct(ContentEncryption::A256Gcm, None, &s[..16]).is_err());
    assert!(EncryptionKey::direct(ContentEncryption::A128Gcm, None, &s[..16]).is_ok());
}

#[test]
fn a_ring_that_mints_has_names_for_its_keys() {
    let nameless = P256.replace("\"kid\":\"ec\",", "");
    assert!(
        KeyRing::builder()
            .jwk(&nameless)
            .jwk(&nameless)
            .build()
            .is_err()
    );
}

#[test]
fn names_are_unique_within_a_purpose() {
    let error = KeyRing::builder().jwk(P256).jwk(P256).build().unwrap_err();
    assert!(error.problem().contains("kid"), "{error}");
}

#[test]
fn rotation_has_two_steps() {
    let (old, new) = (secret(1), secret(2));
    let build = |secrets: &[&[u8]]| {
        let builder = KeyRing::builder();
        let builder = secrets.iter().fold(builder, |b, s| b.access_secret(s));
        builder.build().unwrap()
    };
    let ring = build(&[&old]);
    let clone = ring.clone();
    let before = ring.load_full();
    let first = before.active_signing().unwrap().clone();
    let signed = first.sign(b"m").unwrap();
    let accepts = |ring: &KeyRing| {
        let keys = ring.load();
        let found = keys.signing_by(first.kid(), first.algorithm(), None);
        found.is_ok_and(|keys| keys[0].verify(b"m", signed.as_ref()))
    };

    ring.rotate(build(&[&old, &new])).unwrap();
    assert_eq!(clone.load().active_signing().unwrap().kid(), first.kid());
    ring.rotate(build(&[&new, &old])).unwrap();
    assert_ne!(clone.load().active_signing().unwrap().kid(), first.kid());
    assert!(accepts(&clone));
    ring.rotate(build(&[&new])).unwrap();
    assert!(!accepts(&clone));
}

#[test]
fn rotation_keeps_every_purpose_and_the_count() {
    let ring = KeyRing::from_master(&secret(1)).unwrap();
    let less = KeyRing::builder()
        .access_secret(&secret(5))
        .build()
        .unwrap();
    assert!(ring.rotate(less).is_err());
    let keys = ring.load_full();
    let key = keys.active_encryption().unwrap();
    key.seal_in_place(b"", &mut [0; 4]).unwrap();
    ring.rotate(KeyRing::from_master(&secret(1)).unwrap())
        .unwrap();
    assert_eq!(ring.encryptions(), 1);
    ring.rotate(KeyRing::from_master(&secret(2)).unwrap())
        .unwrap();
    assert_eq!(ring.encryptions(), 0);
}

#[test]
fn an_exhausted_key_seals_nothing_more() {
    let ring = KeyRing::from_master(&secret(1)).unwrap();
    let keys = ring.load();
    let key = keys.active_encryption().unwrap();
    key.continue_count(KeyRing::ENCRYPTION_LIMIT - 1);
    assert!(key.seal_in_place(b"", &mut [0; 4]).is_ok());
    let error = key.seal_in_place(b"", &mut [0; 4]).err();
    assert_eq!(error, Some(SealError::Exhausted));
    assert_eq!(ring.encryptions(), KeyRing::ENCRYPTION_LIMIT);
}

#[test]
fn published_keys_hold_nothing_private() {
    let ring = KeyRing::builder()
        .jwk(ED25519)
        .jwk(P256)
        .jwk(RSA)
        .access_secret(&secret(1))
        .encryption_key(&secret(2)[..32])
        .refresh_secret(&secret(3))
        .build()
        .unwrap();
    let set: serde_json::Value = serde_json::from_str(&ring.jwks()).unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3);
    let public = ["kty", "use", "alg", "kid", "crv", "x", "y", "n", "e"];
    for key in keys {
        assert_ne!(key["kty"], "oct");
        for member in key.as_object().unwrap().keys() {
            assert!(public.contains(&member.as_str()), "{member}");
        }
    }
    // The other side reads it as what it is.
    let verifier = KeyRing::verifier(&ring.jwks()).unwrap();
    let ours = ring.load();
    let theirs = verifier.load();
    assert_eq!(theirs.signing.len(), 3);
    assert!(theirs.sessions.is_none() && theirs.active_signing().is_none());
    for key in ours.signing.iter().filter(|key| key.can_sign()) {
        let alg = key.algorithm();
        let Ok(same) = theirs.signing_by(key.kid(), alg, None) else {
            assert!(key.algorithm().is_symmetric());
            continue;
        };
        assert!(same[0].verify(b"m", key.sign(b"m").unwrap().as_ref()));
    }
}

#[test]
fn a_verifier_takes_public_keys_only_and_passes_over_foreign_ones() {
    let set = |keys: &str| KeyRing::verifier(&format!(r#"{{"keys":[{keys}]}}"#));
    let oct = r#"{"kty":"oct","alg":"HS256","k":"Mh8FHgdGQvOzsHnvSNnZg0kJ3e0j2EoiO1Y1i6hrMCg"}"#;
    for given_away in [oct, P256] {
        let ring = set(&format!("{RSA},{given_away}")).unwrap();
        assert_eq!(ring.load().signing.len(), 1);
        let [unusable] = ring.unusable_keys().try_into().unwrap();
        assert!(unusable.is_compromised() && unusable.index() == 1);
        assert!(set(given_away).is_err());
    }
    let foreign = [
        r#"{"kty":"EC","crv":"P-521","alg":"ES512","x":"AA","y":"AA"}"#,
        r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#,
        r#"{"kty":"RSA","use":"enc","n":"AA","e":"AQAB"}"#,
        r#"{"kty":"RSA","alg":"RSA-OAEP","n":"AA","e":"AQAB"}"#,
        r#"{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}"#,
        r#"{"kty":"RSA","alg":"RS256","key_ops":["encrypt"],"n":"AA","e":"AQAB"}"#,
    ]
    .join(",");
    let ring = set(&format!("{foreign},{RSA}")).unwrap();
    assert_eq!(ring.load().signing.len(), 1);
    assert_eq!(ring.unusable_keys().len(), 6);
    assert!(set(&foreign).is_err());
}

#[test]
fn rsa_signs_with_every_algorithm() {
    let pem = include_str!("../../tests/data/keys/rsa2048.pem");
    use SignatureAlgorithm as Alg;
    for alg in [
        Alg::Rs256,
        Alg::Rs384,
        Alg::Rs512,
        Alg::Ps256,
        Alg::Ps384,
        Alg::Ps512,
    ] {
        let ring = KeyRing::builder().pem(alg, None, pem).build().unwrap();
        let keys = ring.load();
        let key = keys.active_signing().unwrap();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(signature.as_ref().len(), 256);
        assert!(key.verify(b"message", signature.as_ref()), "{alg}");
        assert!(!key.verify(b"massage", signature.as_ref()), "{alg}");
        assert!(!ring.jwks().contains("\"d\""));
    }
}

#[test]
fn debug_output_holds_no_secret() {
    let (a, b, c) = (secret(1), secret(2), secret(3));
    let builder = KeyRing::builder()
        .jwk(ED25519)
        .jwk(P256)
        .access_secret(&a)
        .encryption_key(&b[..32])
        .refresh_secret(&c);
    let mut texts = vec![format!("{builder:?}"), format!("{builder:#?}")];
    let ring = builder.build().unwrap();
    let keys = ring.load();
    texts.push(format!("{ring:?}"));
    texts.push(format!("{keys:?}"));
    texts.push(format!("{:?}", keys.signing[0].sign(b"m").unwrap()));
    let secrets = [a.as_slice(), &b[..32], &c];
    for text in texts {
        for secret in secrets {
            let encoded = base64_simd::URL_SAFE_NO_PAD.encode_to_string(secret);
            assert!(!text.contains(&encoded[..16]));
            let bytes = format!("{:?}", &secret[..4]);
            assert!(!text.contains(bytes.trim_matches(['[', ']'])), "{text}");
        }
        assert!(!text.contains("nWGxne_9") && !text.contains("jpsQnnGQ"));
    }
}

mod lookup;
mod operations;
#[cfg(feature = "josekit")]
mod wrapped;

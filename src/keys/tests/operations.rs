//! `key_ops` (RFC 7517 section 4.3): what a key must not do, it does in no codec.

use super::*;
use crate::{
    ConfigError, NoClaims, Timestamp, TokenCodec, TokenErrorKind,
    TokenErrorKind::Key as Unfit,
    token::{Grant, TokenCodecBuilder, TokenType},
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// The JWK `key` with these operations.
fn with(key: &str, operations: &[&str]) -> String {
    let mut key: serde_json::Value = serde_json::from_str(key).unwrap();
    key["key_ops"] = operations.into();
    key.to_string()
}

fn shared(alg: &str, len: usize) -> String {
    let k = base64_simd::URL_SAFE_NO_PAD.encode_to_string(&secret(alg.len() as u8)[..len]);
    format!(r#"{{"kty":"oct","alg":"{alg}","kid":"{alg}","k":"{k}"}}"#)
}

/// Starts a codec of one form.
type Start = fn(&KeyRing) -> TokenCodecBuilder;

/// A codec over these keys. With another `typ` than the usual one no header is known by its bytes.
fn codec(start: Start, typ: &str, keys: &[&str]) -> Result<TokenCodec, ConfigError> {
    let ring = keys.iter().fold(KeyRing::builder(), |b, key| b.jwk(key));
    let builder = start(&ring.build()?).token_types([TokenType::Named(typ.to_owned().into())]);
    builder.issuer("https://id.example").audience("api").build()
}

fn mint(codec: &TokenCodec) -> Option<String> {
    let grant = Grant::new("user-1", &NoClaims {});
    let token = codec.mint_at(&grant, NOW).ok()?;
    Some(token.as_str().to_owned())
}

fn refusal(codec: &TokenCodec, token: &str) -> Option<TokenErrorKind> {
    codec.verify_at(token, NOW).err().map(|error| error.kind())
}

/// Whether codecs with `key`, beside `others`, mint and verify when it may do `operations`.
#[track_caller]
fn judge(
    key: &str,
    operations: &[&str],
    others: &[&str],
    mints: bool,
    refused: Option<TokenErrorKind>,
) {
    let (form, start): (_, Start) = match others {
        [] if key.contains("GCM") => ("encrypted", TokenCodec::encrypted),
        [] => ("signed", TokenCodec::signed),
        _ => ("nested", TokenCodec::nested),
    };
    for typ in ["at+jwt", "jwt"] {
        let codec = |key: &str| codec(start, typ, &[&[key], others].concat()).unwrap();
        let (whole, restricted) = (codec(key), codec(&with(key, operations)));
        let token = mint(&whole).unwrap();
        assert_eq!(refusal(&whole, &token), None);
        let said = format!("{form} {typ} {operations:?} {key}");
        assert_eq!(refusal(&restricted, &token), refused, "{said}");
        assert_eq!(restricted.can_mint(), mints, "{said}");
        let own = mint(&restricted);
        assert_eq!(own.is_some(), mints, "{said}");
        if let Some(own) = own {
            assert_eq!(refusal(&whole, &own), None, "{said}");
            assert_eq!(refusal(&restricted, &own), refused, "{said}");
        }
    }
}

#[test]
fn a_shared_encryption_key() {
    let signing = shared("HS256", 32);
    for (enc, len) in [("A128GCM", 16), ("A256GCM", 32)] {
        let key = shared(enc, len);
        for others in [&[][..], &[&*signing]] {
            judge(&key, &["encrypt"], others, true, Some(Unfit));
            judge(&key, &["decrypt"], others, false, None);
            judge(&key, &["encrypt", "decrypt"], others, true, None);
        }
    }
}

#[test]
fn a_shared_secret_that_signs() {
    let encryption = shared("A256GCM", 32);
    for (alg, len) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let key = shared(alg, len);
        for others in [&[][..], &[&*encryption]] {
            judge(&key, &["sign"], others, true, Some(Unfit));
            judge(&key, &["verify"], others, false, None);
            judge(&key, &["verify", "sign"], others, true, None);
        }
    }
}

/// A private key is listed with what its private half does; the public half verifies.
#[test]
fn a_pair_that_signs() {
    for key in [ED25519, P256] {
        judge(key, &["sign"], &[], true, None);
        judge(key, &["verify"], &[], false, None);
    }
}

#[test]
fn keys_that_neither_mint_nor_verify_are_no_codec() {
    let (signs, encrypts) = (shared("HS256", 32), shared("A256GCM", 32));
    let nested = |sign: &str, encrypt: &str| {
        let keys = [with(&signs, &[sign]), with(&encrypts, &[encrypt])];
        codec(TokenCodec::nested, "at+jwt", &[&keys[0], &keys[1]])
    };
    for (sign, encrypt) in [("sign", "decrypt"), ("verify", "encrypt")] {
        let error = nested(sign, encrypt).unwrap_err();
        assert_eq!(error.setting(), "keys");
        assert!(error.problem().contains("key_ops"), "{error}");
    }
    for (sign, encrypt) in [("sign", "encrypt"), ("verify", "decrypt")] {
        assert!(nested(sign, encrypt).is_ok());
    }
}

#[cfg(feature = "josekit")]
#[test]
fn a_key_that_wraps() {
    let signing = shared("HS256", 32);
    for key in wrapped::all_keys("A256GCM") {
        let others = [&*signing];
        if key.contains("ECDH") {
            // One operation serves both sides.
            judge(&key, &["deriveKey"], &others, true, None);
            judge(&key, &["deriveBits"], &others, true, None);
            continue;
        }
        judge(&key, &["wrapKey"], &others, true, Some(Unfit));
        judge(&key, &["unwrapKey"], &others, false, None);
        if key.contains("RSA") {
            judge(&key, &["encrypt"], &others, true, Some(Unfit));
            judge(&key, &["decrypt"], &others, false, None);
        }
    }
}

#[cfg(feature = "josekit")]
#[test]
fn an_rsa_pair_that_signs() {
    let key = josekit::jwk::Jwk::generate_rsa_key(2048).unwrap();
    for alg in ["RS256", "PS256"] {
        let mut key = serde_json::Value::Object(key.as_ref().clone());
        key["alg"] = alg.into();
        key["kid"] = "rsa".into();
        judge(&key.to_string(), &["sign"], &[], true, None);
        judge(&key.to_string(), &["verify"], &[], false, None);
    }
}

//! Wrapped content keys, with josekit making the keys.

use std::borrow::Cow;

use josekit::jwk::{
    Jwk, KeyPair,
    alg::{
        ec::{EcCurve, EcKeyPair},
        ecx::EcxCurve,
    },
};
use serde_json::json;

use super::*;

fn with(jwk: Jwk, alg: &str, enc: &str) -> String {
    let mut map = jwk.as_ref().clone();
    map.insert("alg".into(), alg.into());
    map.insert("enc".into(), enc.into());
    map.insert("kid".into(), "wrap".into());
    serde_json::Value::Object(map).to_string()
}

pub(super) fn all_keys(enc: &str) -> Vec<String> {
    vec![
        json!({"kty": "oct", "alg": "A256KW", "enc": enc, "kid": "wrap",
            "k": base64_simd::URL_SAFE_NO_PAD.encode_to_string(&secret(1)[..32])})
        .to_string(),
        with(Jwk::generate_rsa_key(2048).unwrap(), "RSA-OAEP-256", enc),
        with(
            Jwk::generate_ec_key(EcCurve::P256).unwrap(),
            "ECDH-ES+A256KW",
            enc,
        ),
        with(
            Jwk::generate_ec_key(EcCurve::P384).unwrap(),
            "ECDH-ES+A256KW",
            enc,
        ),
        with(
            Jwk::generate_ecx_key(EcxCurve::X25519).unwrap(),
            "ECDH-ES+A256KW",
            enc,
        ),
    ]
}

#[derive(serde::Deserialize)]
struct Header<'a> {
    #[serde(borrow, default)]
    epk: Option<Epk<'a>>,
}

fn header_json(wrapped: &Wrapped) -> String {
    let json = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(&wrapped.encoded_header);
    String::from_utf8(json.unwrap()).unwrap()
}

fn agreement(json: &str) -> WrapHeader<'_> {
    let header: Header<'_> = serde_json::from_str(json).unwrap();
    WrapHeader {
        epk: header.epk,
        ..WrapHeader::default()
    }
}

fn opens(key: &ContentKey, iv: &[u8; 12], text: &[u8], tag: &[u8; 16]) -> bool {
    key.open_in_place(iv, b"aad", &mut text.to_vec(), tag)
        .is_some()
}

#[test]
fn only_wrapped_keys_are_unwrapped() {
    for json in all_keys("A256GCM").iter().chain(&all_keys("A128GCM")) {
        let ring = jwk(json).unwrap();
        let keys = ring.load();
        let key = keys.active_encryption().unwrap();
        let wrapped = key.wrap(Content::Nested).unwrap();
        let mut text = *b"claims";
        let sealed = wrapped.key.seal_in_place(b"aad", &mut text).unwrap();
        let json = header_json(&wrapped);
        let header = agreement(&json);
        let opened = key.unwrap(&header, &wrapped.encrypted_key).unwrap();
        assert!(opens(&opened, &sealed.iv, &text, &sealed.tag));

        // Every token gets a content key of its own.
        let another = key.wrap(Content::Nested).unwrap();
        assert!(!opens(&another.key, &sealed.iv, &text, &sealed.tag));

        // One flipped bit gives a key that opens nothing, and the same error as a wrong tag.
        let mut flipped = wrapped.encrypted_key.clone();
        flipped[3] ^= 0x10;
        let other = key.unwrap(&header, &flipped).unwrap();
        assert!(!opens(&other, &sealed.iv, &text, &sealed.tag));

        // Every wrong length is refused before josekit sees it.
        for len in 0..wrapped.encrypted_key.len() + 9 {
            let mut cut = wrapped.encrypted_key.clone();
            cut.resize(len, 7);
            let refused = key.unwrap(&header, &cut).is_err();
            assert_eq!(refused, len != wrapped.encrypted_key.len(), "{len}");
        }
    }
}

#[test]
fn an_ephemeral_key_of_another_shape_is_refused() {
    let ours = with(
        Jwk::generate_ec_key(EcCurve::P256).unwrap(),
        "ECDH-ES+A256KW",
        "A256GCM",
    );
    let ring = jwk(&ours).unwrap();
    let keys = ring.load();
    let key = keys.active_encryption().unwrap();
    let wrapped = key.wrap(Content::Nested).unwrap();
    let json = header_json(&wrapped);
    let good = agreement(&json).epk.unwrap();
    let (x, y) = (good.x.to_string(), good.y.clone().unwrap().to_string());
    let attempt = |kty: &str, crv: &str, x: &str, y: Option<&str>| {
        let header = WrapHeader {
            epk: Some(Epk {
                kty: Cow::Owned(kty.into()),
                crv: Cow::Owned(crv.into()),
                x: Cow::Owned(x.into()),
                y: y.map(|y| Cow::Owned(y.into())),
            }),
            apu: None,
            apv: None,
        };
        key.unwrap(&header, &wrapped.encrypted_key)
    };
    assert!(attempt("EC", "P-256", &x, Some(&y)).is_ok());
    assert!(attempt("EC", "P-384", &x, Some(&y)).is_err());
    assert!(attempt("OKP", "P-256", &x, Some(&y)).is_err());
    assert!(attempt("OKP", "X25519", &x, None).is_err());
    assert!(attempt("EC", "P-256", &x, None).is_err());
    assert!(attempt("EC", "P-256", "", Some(&y)).is_err());
    assert!(attempt("EC", "P-256", &x[1..], Some(&y)).is_err());
    assert!(attempt("EC", "P-256", &format!("{x}AA"), Some(&y)).is_err());
    assert!(attempt("EC", "P-256", &"A".repeat(100_000), Some(&y)).is_err());
    assert!(
        key.unwrap(&WrapHeader::default(), &wrapped.encrypted_key)
            .is_err()
    );

    // Off the curve: nothing is derived from it, so the content key is not the token's.
    let mut text = *b"claims";
    let sealed = wrapped.key.seal_in_place(b"aad", &mut text).unwrap();
    for (x, y) in [(&y, &x), (&x, &x)] {
        let other = attempt("EC", "P-256", x, Some(y)).unwrap();
        assert!(!opens(&other, &sealed.iv, &text, &sealed.tag));
    }
    let zero = base64_simd::URL_SAFE_NO_PAD.encode_to_string([0; 32]);
    let other = attempt("EC", "P-256", &zero, Some(&zero)).unwrap();
    assert!(!opens(&other, &sealed.iv, &text, &sealed.tag));
}

#[test]
fn points_of_small_order_agree_on_nothing() {
    let ours = with(
        Jwk::generate_ecx_key(EcxCurve::X25519).unwrap(),
        "ECDH-ES+A256KW",
        "A256GCM",
    );
    let ring = jwk(&ours).unwrap();
    let keys = ring.load();
    let key = keys.active_encryption().unwrap();
    let wrapped = key.wrap(Content::Nested).unwrap();
    let mut text = *b"claims";
    let sealed = wrapped.key.seal_in_place(b"aad", &mut text).unwrap();
    // RFC 7748 section 6.1 has the all-zero result checked; 0 and 1 are points that give it.
    for first in [0, 1] {
        let mut point = [0; 32];
        point[0] = first;
        let header = WrapHeader {
            epk: Some(Epk {
                kty: "OKP".into(),
                crv: "X25519".into(),
                x: base64_simd::URL_SAFE_NO_PAD.encode_to_string(point).into(),
                y: None,
            }),
            apu: None,
            apv: None,
        };
        let other = key.unwrap(&header, &wrapped.encrypted_key).unwrap();
        assert!(!opens(&other, &sealed.iv, &text, &sealed.tag));
    }
}

#[test]
fn party_info_is_bounded_and_canonical() {
    let ours = with(
        Jwk::generate_ec_key(EcCurve::P256).unwrap(),
        "ECDH-ES+A256KW",
        "A256GCM",
    );
    let ring = jwk(&ours).unwrap();
    let keys = ring.load();
    let key = keys.active_encryption().unwrap();
    let wrapped = key.wrap(Content::Nested).unwrap();
    let json = header_json(&wrapped);
    for (apu, fits) in [
        ("QWxpY2U", true),
        ("QWxpY2V", false),
        ("a b", false),
        ("A=", false),
    ] {
        let mut header = agreement(&json);
        header.apu = Some(apu.into());
        assert_eq!(
            key.unwrap(&header, &wrapped.encrypted_key).is_ok(),
            fits,
            "{apu}"
        );
    }
    let mut header = agreement(&json);
    header.apv = Some("AAAA".repeat(100).into());
    assert!(key.unwrap(&header, &wrapped.encrypted_key).is_err());
}

#[test]
fn epk_with_a_private_or_repeated_member_is_not_parsed() {
    let parse = |json: &str| serde_json::from_str::<Epk<'_>>(json).is_ok();
    assert!(parse(r#"{"kty":"EC","crv":"P-256","x":"A","y":"B"}"#));
    assert!(!parse(
        r#"{"kty":"EC","crv":"P-256","x":"A","y":"B","d":"C"}"#
    ));
    assert!(!parse(
        r#"{"kty":"EC","crv":"P-256","x":"A","y":"B","x":"C"}"#
    ));
    assert!(!parse(r#"{"kty":"EC","crv":"P-256","x":["A"],"y":"B"}"#));
    assert!(!parse(r#"{"kty":"EC","crv":"P-256"}"#));
}

#[test]
fn halves_that_do_not_belong_together_are_refused() {
    let mut ec = Jwk::generate_ec_key(EcCurve::P256).unwrap();
    let other = Jwk::generate_ec_key(EcCurve::P256).unwrap();
    for member in ["x", "y"] {
        let value = other.parameter(member).cloned();
        ec.set_parameter(member, value).unwrap();
    }
    assert!(jwk(&with(ec, "ECDH-ES+A256KW", "A256GCM")).is_err());
    let mut x = Jwk::generate_ecx_key(EcxCurve::X25519).unwrap();
    let other = Jwk::generate_ecx_key(EcxCurve::X25519).unwrap();
    x.set_parameter("x", other.parameter("x").cloned()).unwrap();
    assert!(jwk(&with(x, "ECDH-ES+A256KW", "A256GCM")).is_err());
}

#[test]
fn a_public_wrapping_key_seals_and_does_not_open() {
    let pair = EcKeyPair::generate(EcCurve::P256).unwrap();
    let ring = jwk(&with(pair.to_jwk_public_key(), "ECDH-ES+A256KW", "A256GCM")).unwrap();
    let keys = ring.load();
    let key = keys.active_encryption().unwrap();
    assert!(!key.can_open());
    let wrapped = key.wrap(Content::Nested).unwrap();
    let json = header_json(&wrapped);
    assert!(
        key.unwrap(&agreement(&json), &wrapped.encrypted_key)
            .is_err()
    );
}

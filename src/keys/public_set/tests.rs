use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};

use super::*;
use crate::keys::SignatureAlgorithm;

fn base64(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// The public half of an Ed25519 key, the same for the same seed.
fn ed(seed: u8) -> Value {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key().as_ref()) })
}

/// The key with these members besides, or instead.
fn with(mut key: Value, members: Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        key[name] = value.clone();
    }
    key
}

fn named(seed: u8, kid: &str) -> Value {
    with(ed(seed), json!({ "kid": kid }))
}

fn private(seed: u8, kid: &str) -> Value {
    with(named(seed, kid), json!({ "d": base64(&[seed; 32]) }))
}

/// The key of RFC 7515 appendix A.2.
fn rsa() -> Value {
    json!({ "kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ" })
}

/// The key of RFC 7515 appendix A.3.
const EC_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const EC_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

fn read(keys: &[Value]) -> PublicSet {
    read_after(keys, &mut Compromised::default())
}

fn read_after(keys: &[Value], compromised: &mut Compromised) -> PublicSet {
    let text = json!({ "keys": keys }).to_string();
    PublicSet::read(text.as_bytes(), compromised).unwrap()
}

fn kids(set: &PublicSet) -> Vec<Option<&str>> {
    set.keys.iter().map(|key| key.kid()).collect()
}

#[test]
fn the_document_is_judged_first() {
    let good = ed(1).to_string();
    for text in [
        String::new(),
        "null".into(),
        format!("[{good}]"),
        format!("[[{good}]]"),
        "{}".into(),
        r#"{"keys":null}"#.into(),
        r#"{"keys":{}}"#.into(),
        format!(r#"{{"keys":[{good}],"keys":[{good}]}}"#),
        format!(r#"{{"keys":[{good}]}} x"#),
        format!(r#"{{"keys":[{good}"#),
        format!(r#"{{"keys":[{good},]}}"#),
        "\u{feff}\u{feff}{\"keys\":[]}".into(),
        format!(r#"{{"keys":{}"#, "[".repeat(60_000)),
    ] {
        let error = PublicSet::read(text.as_bytes(), &mut Compromised::default());
        assert_eq!(error.unwrap_err().setting(), "JWK Set", "{text:.80}");
    }
    // A byte of another encoding harms no neighbour.
    let odd = named(2, "?").to_string();
    let text = format!(r#"{{"by":"?","keys":[{odd},{}]}}"#, named(1, "good"));
    let latin: Vec<u8> = text
        .bytes()
        .map(|b| if b == b'?' { 0xe9 } else { b })
        .collect();
    let set = PublicSet::read(&latin, &mut Compromised::default()).unwrap();
    assert_eq!(kids(&set), [Some("\u{fffd}"), Some("good")]);
    for text in [
        r#"{"keys":[]}"#.to_owned(),
        "\u{feff} {\"keys\":[],\"more\":{\"a\":[1e999]}}\n".to_owned(),
        format!(
            r#"{{"keys":[{}{}]}}"#,
            "[".repeat(60_000),
            "]".repeat(60_000)
        ),
    ] {
        let set = PublicSet::read(text.as_bytes(), &mut Compromised::default()).unwrap();
        assert!(set.keys.is_empty());
    }
}

/// Every kind of odd neighbour, what is said of it, and that it takes nothing with it.
#[test]
fn each_key_is_judged_alone() {
    use UnusableReason::*;
    let point = |x: &str, y: &str| json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    let (x, y) = (EC_X, EC_Y);
    let long = "a".repeat(513);
    for (odd, reason) in [
        (json!(null), Malformed),
        (json!(1), Malformed),
        (json!("key"), Malformed),
        (json!([]), Malformed),
        (json!({}), Malformed),
        (json!({ "kty": null }), Malformed),
        (json!({ "kty": 1 }), Malformed),
        (
            json!({ "kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA" }),
            Unsupported,
        ),
        (
            json!({ "kty": "XYZ", "x": 1, "d": "AAAA", "k": "AAAA", "p": "AAAA" }),
            Unsupported,
        ),
        (json!({ "kty": "oct" }), Unsupported),
        (with(ed(2), json!({ "crv": "X25519" })), Unsupported),
        (with(ed(2), json!({ "crv": "Ed448" })), Unsupported),
        (with(ed(2), json!({ "crv": null })), Malformed),
        (with(ed(2), json!({ "x": "AAAA" })), Malformed),
        (with(ed(2), json!({ "x": base64(&[0; 32]) })), Weak),
        (with(ed(2), json!({ "x": "*" })), Malformed),
        (with(ed(2), json!({ "alg": "ES256" })), Unsupported),
        (with(ed(2), json!({ "alg": "none" })), Unsupported),
        (with(ed(2), json!({ "alg": "HS256" })), Unsupported),
        (with(ed(2), json!({ "alg": ["EdDSA"] })), Malformed),
        (with(ed(2), json!({ "use": "enc" })), NotForSignatures),
        (with(ed(2), json!({ "use": "tls" })), NotForSignatures),
        (with(ed(2), json!({ "use": ["sig"] })), Malformed),
        (
            with(ed(2), json!({ "key_ops": ["sign"] })),
            NotForSignatures,
        ),
        (with(ed(2), json!({ "key_ops": [] })), NotForSignatures),
        (with(ed(2), json!({ "key_ops": "verify" })), Malformed),
        (with(ed(2), json!({ "kid": 7 })), Malformed),
        (with(ed(2), json!({ "kid": "" })), Malformed),
        (with(ed(2), json!({ "kid": long })), Malformed),
        (point(x, &x.replace('f', "g")), Malformed),
        (point(&x[..40], y), Malformed),
        (with(point(x, y), json!({ "crv": "P-521" })), Unsupported),
        (
            with(point(x, y), json!({ "crv": "secp256k1" })),
            Unsupported,
        ),
        (with(point(x, y), json!({ "alg": "ES384" })), Unsupported),
        (with(rsa(), json!({ "n": "AQAB" })), Weak),
        (with(rsa(), json!({ "n": "_".repeat(2731) })), Malformed),
        (with(rsa(), json!({ "e": "AQ" })), Malformed),
        (with(rsa(), json!({ "e": "AQAA" })), Malformed),
        (with(rsa(), json!({ "e": "AQAAAAAB" })), Malformed),
        (with(rsa(), json!({ "alg": "RS1" })), Unsupported),
        (with(rsa(), json!({ "alg": "RSA-OAEP-256" })), Unsupported),
        (with(rsa(), json!({ "alg": "ES256" })), Unsupported),
        (private(2, "odd"), Compromised),
        (with(rsa(), json!({ "d": "AAAA" })), Compromised),
        (
            with(rsa(), json!({ "oth": [{ "r": "AAAA" }] })),
            Compromised,
        ),
        (
            with(point(x, y), json!({ "d": "AAAA", "crv": "P-521" })),
            Compromised,
        ),
        (
            json!({ "kty": "oct", "alg": "HS256", "k": "AAAA" }),
            Compromised,
        ),
    ] {
        for keys in [
            [named(1, "good"), odd.clone()],
            [odd.clone(), named(1, "good")],
        ] {
            let set = read(&keys);
            assert_eq!(kids(&set), [Some("good")], "{odd}");
            let [unusable] = &set.unusable()[..] else {
                panic!("{:?} of {odd}", set.reports);
            };
            assert_eq!(unusable.reason(), reason, "{odd}: {unusable}");
            assert_eq!(keys[unusable.index()], odd);
            assert!(!unusable.to_string().contains("AAAA"), "{unusable}");
        }
    }
}

/// Keys that others write differently and mean as we do.
#[test]
fn keys_that_are_written_in_other_ways_are_used() {
    let n = rsa()["n"].as_str().unwrap().to_owned();
    let zero = base64(&[&[0], thumbprint::decode(&n).unwrap().as_slice()].concat());
    for key in [
        with(
            ed(2),
            json!({ "d": null, "alg": null, "use": null, "kid": null }),
        ),
        with(ed(2), json!({ "d": "" })),
        with(ed(2), json!({ "alg": "EdDSA" })),
        with(ed(2), json!({ "alg": "Ed25519" })),
        with(
            ed(2),
            json!({ "use": "sig", "key_ops": ["verify", 1], "k": "AAAA" }),
        ),
        with(
            ed(2),
            json!({ "kid": "a".repeat(512), "x5c": 1, "oth": [] }),
        ),
        with(rsa(), json!({ "n": format!("{n}==") })),
        with(rsa(), json!({ "n": zero, "e": "AAEAAQ" })),
        with(rsa(), json!({ "alg": "PS512" })),
    ] {
        let set = read(&[key.clone(), named(1, "good")]);
        assert_eq!(set.keys.len(), 2, "{key}: {:?}", set.reports);
        assert!(set.unusable().is_empty());
    }
    let repeated = r#"{"keys":[{"kty":"OKP","kty":"OKP"},{"kty":"OKP","x":1e999}]}"#;
    let set = PublicSet::read(repeated.as_bytes(), &mut Compromised::default()).unwrap();
    assert_eq!(set.unusable().len(), 2);
}

#[test]
fn a_key_that_is_listed_twice_is_one_key() {
    let alg = |alg: &str| with(rsa(), json!({ "kid": "r", "alg": alg }));
    let set = read(&[
        named(1, "a"),
        with(named(1, "a"), json!({ "alg": "EdDSA" })),
        ed(1),
        named(2, "a"),
        alg("RS256"),
        alg("PS256"),
        alg("RS256"),
    ]);
    let kids = kids(&set);
    assert_eq!(kids, [Some("a"), None, Some("a"), Some("r"), Some("r")]);
}

/// One entry leaves the algorithm open, and another of the same key says which it is.
#[test]
fn the_entry_with_an_algorithm_decides() {
    use SignatureAlgorithm as Alg;
    let said = with(rsa(), json!({ "alg": "RS256" }));
    for keys in [[rsa(), said.clone()], [said, rsa()]] {
        let set = read(&keys);
        let [key] = &set.keys[..] else { panic!() };
        assert!(key.is_for(Alg::Rs256, Alg::Ps256) && !key.is_for(Alg::Ps256, Alg::Ps256));
    }
}

#[test]
fn an_error_says_which_key_and_why() {
    let error = read(&[]).not_empty().unwrap_err();
    assert_eq!(error.to_string(), "JWK Set: has no keys");
    let weak = with(rsa(), json!({ "kid": "old\n", "n": "AQAB" }));
    let mut keys = vec![weak];
    keys.extend((0..6).map(|_| json!({ "kty": "XYZ" })));
    let text = read(&keys).not_empty().unwrap_err().to_string();
    assert!(
        text.contains(
            r#"keys[0] (kid "old\n") is an RSA key of less than 2048 bits; keys[1] has a `kty`"#
        ),
        "{text}"
    );
    assert!(text.ends_with("; and 3 more"), "{text}");
}

mod given_away;
mod reports;

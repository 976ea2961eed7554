//! One good key beside odd ones, and keys whose private half is published.

use serde_json::{Value, json};

use super::{
    Case,
    cases::{good, good_jwk, named, nameless},
    keys::{Key, base64url, token_with_signature, with},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![many(), hundreds()];
    cases.extend(beside());
    cases.extend(as_text());
    cases.extend(published());
    cases.extend(degenerate());
    cases
}

/// Keys that no verifier of ours can use. None of them decides for the good one.
fn neighbours() -> Vec<(&'static str, Value)> {
    let rsa = Key::rsa();
    let ec = Key::p256();
    let off_curve = ec.jwk(json!({"kid": "x", "y": base64url(&[1; 32])}));
    let huge = base64url(&[0xff; 256]);
    vec![
        ("a boolean", json!(true)),
        ("a string", json!("key")),
        ("an array", json!([good_jwk()])),
        ("kty missing", json!({"kid": "x", "alg": "EdDSA"})),
        ("kty a number", json!({"kty": 1, "kid": "x"})),
        (
            "kid an object",
            good().jwk(json!({"kid": {"a": 1}, "x": base64url(&[9; 32])})),
        ),
        (
            "alg a number",
            Key::ed25519(9).jwk(json!({"kid": "x", "alg": 1})),
        ),
        (
            "use an array",
            Key::ed25519(9).jwk(json!({"kid": "x", "use": ["sig"]})),
        ),
        (
            "x5c alone",
            json!({"kty": "RSA", "kid": "x", "x5c": ["MIIB"]}),
        ),
        (
            "x5c a number",
            Key::ed25519(9).jwk(json!({"kid": "x", "x5c": 1})),
        ),
        (
            "an exponent of 2048 bits",
            rsa.jwk(json!({"kid": "x", "alg": "RS256", "e": huge})),
        ),
        (
            "an even exponent",
            rsa.jwk(json!({"kid": "x", "alg": "RS256", "e": "AQAA"})),
        ),
        (
            "an exponent of zero",
            rsa.jwk(json!({"kid": "x", "alg": "RS256", "e": "AA"})),
        ),
        (
            "a modulus of one byte",
            rsa.jwk(json!({"kid": "x", "alg": "RS256", "n": "AQ"})),
        ),
        ("a point off the curve", off_curve),
        ("secp256k1", ec.jwk(json!({"kid": "x", "crv": "secp256k1"}))),
        (
            "Ed448",
            json!({"kty": "OKP", "crv": "Ed448", "kid": "x", "x": base64url(&[5; 57])}),
        ),
        (
            "a kid of 200 characters beside",
            Key::ed25519(9).jwk(json!({"kid": "k".repeat(200)})),
        ),
        ("an empty kid beside", Key::p256().jwk(json!({"kid": ""}))),
        ("d null beside", ec.jwk(json!({"kid": "x", "d": null}))),
        ("d empty beside", ec.jwk(json!({"kid": "x", "d": ""}))),
        ("d a number beside", ec.jwk(json!({"kid": "x", "d": 7}))),
        (
            "a private key beside",
            Key::ed25519(9).private_jwk(json!({"kid": "x"})),
        ),
        (
            "a private RSA key beside",
            rsa.private_jwk(json!({"kid": "x", "alg": "RS256"})),
        ),
        (
            "RSA of three primes",
            rsa.jwk(json!({"kid": "x", "oth": []})),
        ),
        (
            "a shared secret beside",
            json!({"kty": "oct", "kid": "x", "k": base64url(&[3; 32])}),
        ),
        (
            "a shared secret of the same kid",
            json!({"kty": "oct", "kid": "good", "k": base64url(&[3; 32])}),
        ),
        (
            "an unusable key of the same kid",
            json!({"kty": "EC", "crv": "P-256", "kid": "good"}),
        ),
    ]
}

fn beside() -> Vec<Case> {
    let cases = neighbours().into_iter().flat_map(|(name, odd)| {
        // In front and behind: neither the first nor the last key decides.
        let front = [odd.clone(), good_jwk()];
        let behind = [good_jwk(), odd];
        [
            Case::new(format!("{name}, in front"), &front).accepts("kid", named()),
            Case::new(format!("{name}, behind"), &behind).accepts("kid", named()),
        ]
    });
    cases.collect()
}

fn many() -> Case {
    let mut keys: Vec<Value> = neighbours().into_iter().map(|(_, odd)| odd).collect();
    keys.insert(keys.len() / 2, good_jwk());
    Case::new("all odd keys at once", &keys).accepts("kid", named())
}

fn hundreds() -> Case {
    let key = |seed| Key::ed25519(seed).jwk(json!({"kid": format!("k{seed}"), "alg": "EdDSA"}));
    let mut keys: Vec<Value> = (1000..1400).map(key).collect();
    keys.push(good_jwk());
    Case::new("400 keys beside", &keys)
        .accepts("kid", named())
        .refuses("no kid", nameless())
}

/// Sets that can be written as text alone.
fn as_text() -> Vec<Case> {
    let good = good_jwk();
    let case = |name: &str, odd: &str| {
        Case::of_text(name, format!(r#"{{"keys":[{odd},{good}]}}"#)).accepts("kid", named())
    };
    let seed = good_private();
    let own = |name: &str, members: &str| {
        let members = members.replace("SEED", &seed);
        let jwk = good.to_string().replacen('{', &format!("{{{members},"), 1);
        Case::of_text(name, format!(r#"{{"keys":[{jwk}]}}"#))
    };
    let hidden = good
        .to_string()
        .replacen('{', &format!(r#"{{"d":"{seed}","d":null,"#), 1);
    let deep = format!(
        r#"{{"kty":"XYZ","x":{}1{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    vec![
        case("kid twice beside", r#"{"kty":"EC","kid":"x","kid":"y"}"#),
        case("kty twice beside", r#"{"kty":"EC","kty":"OKP","kid":"x"}"#),
        case(
            "half a surrogate pair beside",
            r#"{"kty":"EC","kid":"\ud800"}"#,
        ),
        case(
            "a number beyond all bounds beside",
            r#"{"kty":"EC","kid":"x","exp":1e9999}"#,
        ),
        case("500 arrays in one another beside", &deep),
        own(
            "the private half, hidden by a second d",
            r#""d":"SEED","d":null"#,
        )
        .refuses("kid", named()),
        Case::of_text(
            "the good key, and its private half hidden by a second d",
            format!(r#"{{"keys":[{good},{hidden}]}}"#),
        )
        .refuses("kid", named()),
        own("the private half, behind an escape", r#""\u0064":"SEED""#).refuses("kid", named()),
    ]
}

fn good_private() -> String {
    let jwk = good().private_jwk(json!({}));
    jwk["d"].as_str().unwrap().to_owned()
}

/// Rule 4: a key whose private half is public is refused, wherever it stands, and its neighbours stay.
fn published() -> Vec<Case> {
    let private = |kid: &str| good().private_jwk(json!({"kid": kid, "alg": "EdDSA", "use": "sig"}));
    let other = Key::ed25519(9);
    let padded = format!("{}=", good_jwk()["x"].as_str().unwrap());
    let of_other = other.token("EdDSA", json!({"kid": "x"}));
    let is = |name: &str, members: Value| Case::new(name, &[with(&good_jwk(), &members)]);
    vec![
        Case::new("the good key with its private half", &[private("good")]).refuses_good(),
        Case::new(
            "the good key, and again with its private half",
            &[good_jwk(), private("good")],
        )
        .refuses_good(),
        Case::new(
            "the good key, and its private half under another name",
            &[private("x"), good_jwk()],
        )
        .refuses_good(),
        Case::new(
            "the good key, and its private half for encryption",
            &[good_jwk(), with(&private("x"), &json!({"use": "enc"}))],
        )
        .refuses_good(),
        Case::new(
            "the good key, and its private half in another spelling",
            &[good_jwk(), with(&private("x"), &json!({"x": padded}))],
        )
        .refuses_good(),
        short_copy(),
        Case::new(
            "a neighbour with its private half",
            &[
                good_jwk(),
                other.private_jwk(json!({"kid": "x", "alg": "EdDSA"})),
            ],
        )
        .accepts("kid", named())
        .refuses("the neighbour's token", of_other.clone()),
        Case::new(
            "a private half of this kid and no public one",
            &[
                good_jwk(),
                json!({"kty": "RSA", "kid": "good", "d": "AQAB"}),
            ],
        )
        .refuses("kid", named()),
        is("the good key with d empty", json!({"d": ""})).accepts("kid", named()),
        is("the good key with d a number", json!({"d": 7})).accepts("kid", named()),
        is(
            "the good key with a wrong d",
            json!({"d": base64url(&[8; 32])}),
        )
        .refuses("kid", named()),
    ]
}

/// Some libraries leave out zeros in front of a number. That does not make another key of it.
fn short_copy() -> Case {
    let key = Key::p256_with_zero_in_front();
    let x = key.jwk(json!({}))["x"].as_str().unwrap().to_owned();
    let x = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(x).unwrap();
    let short = json!({"kid": "x", "x": base64url(&x[1..]), "d": base64url(&[1; 32])});
    let keys = [key.jwk(json!({"kid": "good"})), key.jwk(short)];
    Case::new("P-256, and its private half with x cut short", &keys)
        .refuses("kid", key.token("ES256", json!({"kid": "good"})))
}

/// Keys that need no private half: one signature is good for all messages.
fn degenerate() -> Vec<Case> {
    // R is the neutral element and S is zero. So S B = R + k A for every k when A is of small order.
    let neutral = |first: u8| {
        let mut bytes = vec![0; 64];
        bytes[0] = first;
        bytes
    };
    let point = |first: u8| base64url(&neutral(first)[..32]);
    let key =
        |x: String| json!({"kty": "OKP", "crv": "Ed25519", "kid": "x", "alg": "EdDSA", "x": x});
    let forged = token_with_signature("EdDSA", "x", &neutral(1));
    vec![
        Case::new(
            "Ed25519 with the neutral point",
            &[key(point(1)), good_jwk()],
        )
        .accepts("kid", named())
        .refuses("a signature for all messages", forged.clone()),
        Case::new(
            "Ed25519 with a point of order four",
            &[key(point(0)), good_jwk()],
        )
        .accepts("kid", named())
        .refuses("a signature for all messages", forged),
    ]
}

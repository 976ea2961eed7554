//! The public test vectors, judged through the public interface. They are not part of the
//! repository: `TOWER_BEARER_VECTORS` names their folder.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;
use tower_bearer::{
    ConfigError, KeyRing, SignatureAlgorithm, Timestamp, TokenError, TokenErrorKind,
    keys::KeyRingBuilder,
};

use crate::support::profile::Profile;
use crate::token_support::{bit_flips, public_vectors, rows, text, types_with};

/// An application type that takes every claim.
type Anything = serde_json::Map<String, Value>;

/// The results of the rows of one file.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    /// `valid`, and claims came out.
    passed: usize,
    /// `valid`, authentic, and refused for what the claims say.
    authentic: usize,
    /// `invalid`, refused.
    refused: usize,
    /// `acceptable`, either way.
    either: usize,
    /// Not offered: refused when the verifier was configured, for its algorithm or its type.
    not_offered: usize,
    /// Offered, but this very key cannot be configured: short, malformed or contradicting itself.
    /// Never a row that is `valid`.
    bad_key: usize,
}

#[test]
fn public_vectors_of_signed_tokens() {
    let Some(folder) = public_vectors() else {
        return;
    };
    for (file, offered) in [("jws.jsonl", 95), ("attacks_jws.jsonl", 33)] {
        let counts = judge_file(&folder.join(file), judge_signed);
        assert!(counts.passed + counts.authentic >= offered, "{counts:?}");
    }
}

#[test]
fn public_vectors_of_encrypted_tokens() {
    let Some(folder) = public_vectors() else {
        return;
    };
    let offered = if cfg!(feature = "josekit") {
        [("jwe.jsonl", 6), ("attacks_jwe.jsonl", 6)]
    } else {
        [("jwe.jsonl", 3), ("attacks_jwe.jsonl", 2)]
    };
    for (file, offered) in offered {
        let counts = judge_file(&folder.join(file), judge_encrypted);
        assert!(counts.passed + counts.authentic >= offered, "{counts:?}");
    }
}

fn judge_file(file: &Path, judge: fn(&Value) -> Outcome) -> Counts {
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    let mut why_refused = BTreeMap::<String, usize>::new();
    for row in rows(file) {
        let outcome = judge(&row);
        let expect = text(&row, "expect");
        match (expect, &outcome) {
            (_, Outcome::NotOffered) => counts.not_offered += 1,
            ("invalid" | "acceptable", Outcome::BadKey(error)) => {
                counts.bad_key += 1;
                *why_refused.entry(format!("{expect}: {error}")).or_default() += 1;
            }
            ("acceptable", _) => counts.either += 1,
            ("valid", Outcome::Judged(Ok(()))) => {
                counts.passed += 1;
                check_flips(&row, judge);
            }
            ("valid", Outcome::Judged(Err(error))) if is_about_claims(error.kind()) => {
                counts.authentic += 1;
                check_flips(&row, judge);
            }
            // A fault of the cryptography has to be found there, not later by luck.
            ("invalid", Outcome::Judged(Err(error)))
                if text(&row, "layer") == "jwt"
                    || row.get("expect_layer").is_some()
                    || !is_about_claims(error.kind()) =>
            {
                counts.refused += 1;
            }
            _ => wrong.push(format!("{} is {expect}: {outcome:?}", text(&row, "id"))),
        }
    }
    println!("{}: {counts:?} {why_refused:?}", file.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    counts
}

#[derive(Debug)]
enum Outcome {
    NotOffered,
    BadKey(ConfigError),
    Judged(Result<(), TokenError>),
}

/// No bit of a token that verifies is free.
fn check_flips(row: &Value, judge: fn(&Value) -> Outcome) {
    for flipped in bit_flips(text(row, "token")) {
        let mut row = row.clone();
        row["token"] = flipped.clone().into();
        match judge(&row) {
            Outcome::Judged(Err(error)) if !is_about_claims(error.kind()) => {}
            other => panic!("{}: {flipped}: {other:?}", text(&row, "id")),
        }
    }
}

fn is_about_claims(kind: TokenErrorKind) -> bool {
    matches!(
        kind,
        TokenErrorKind::Claims
            | TokenErrorKind::Issuer
            | TokenErrorKind::Audience
            | TokenErrorKind::Expired
            | TokenErrorKind::NotYetValid
            | TokenErrorKind::TooOld
            | TokenErrorKind::SenderConstrained
    )
}

fn judge_signed(row: &Value) -> Outcome {
    let offered = text(row, "alg").parse::<SignatureAlgorithm>().is_ok();
    match ring(row).build() {
        Err(_) if !offered => Outcome::NotOffered,
        Err(error) => Outcome::BadKey(error),
        Ok(_) if !offered => panic!("{} was configured: {row}", text(row, "alg")),
        Ok(keys) => verify(Profile::Signed, &keys, row),
    }
}

fn judge_encrypted(row: &Value) -> Outcome {
    let management = text(row, "alg");
    // Keys that wrap other keys are there with the josekit feature only.
    let wraps = ["A256KW", "RSA-OAEP-256", "ECDH-ES+A256KW"].contains(&management);
    let offered = (management == "dir" || (cfg!(feature = "josekit") && wraps))
        && ["A128GCM", "A256GCM"].contains(&text(row, "enc"))
        && row["key"]["crv"] != "P-521";
    let mut builder = ring(row);
    let nested = row.get("inner_key").is_some();
    if nested {
        let mut inner = row["inner_key"].clone();
        inner["alg"] = row["inner_alg"].clone();
        builder = builder.jwk(&inner.to_string());
    }
    let keys = match builder.build() {
        Err(_) if !offered => return Outcome::NotOffered,
        Err(error) => return Outcome::BadKey(error),
        Ok(_) if !offered => panic!("configured: {row}"),
        Ok(keys) => keys,
    };
    if nested {
        return verify(Profile::Nested, &keys, row);
    }
    if ["RSA-OAEP-256", "ECDH-ES+A256KW"].contains(&management) {
        // Every client can encrypt to a public key: without an inner signature it is not offered.
        let built = codec(Profile::Encrypted, &keys, row).build();
        assert!(built.is_err(), "{row}");
        return Outcome::NotOffered;
    }
    verify(Profile::Encrypted, &keys, row)
}

/// The row's key, or set of keys, with the algorithms that the operator configures, not those of the token. A key's own
/// statement stands. It may contradict the operator, and the key is then unusable.
fn ring(row: &Value) -> KeyRingBuilder {
    let pin = |key: &Value| {
        let mut key = key.clone();
        // A shared key may also be named by the encryption it is for (RFC 7520 section 5.6).
        if key["alg"].is_null() || (key["alg"] == row["enc"] && row["alg"] == "dir") {
            key["alg"] = row["alg"].clone();
        }
        if row["enc"].is_string() {
            key["enc"] = row["enc"].clone();
        }
        key
    };
    match row["key"]["keys"].as_array() {
        None => KeyRing::builder()
            .dangerous_weak_secrets()
            .jwk(&pin(&row["key"]).to_string()),
        Some(set) => {
            let keys: Vec<Value> = set.iter().map(pin).collect();
            KeyRing::builder()
                .dangerous_weak_secrets()
                .jwks(&serde_json::json!({ "keys": keys }).to_string())
        }
    }
}

/// The `typ` of the row's header, where that can be read.
fn typ(row: &Value) -> Option<String> {
    let header = text(row, "token").split('.').next()?;
    let header = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(header).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    header["typ"].as_str().map(str::to_owned)
}

fn codec(
    profile: Profile,
    keys: &KeyRing,
    row: &Value,
) -> tower_bearer::token::TokenCodecBuilder<Anything> {
    let builder = profile
        .codec(keys)
        .token_types(types_with(typ(row).as_deref()))
        .subject_optional();
    // The generated rows say whom they are from and for; in the others anything may stand.
    let named = row["now"].is_number() && text(row, "expect") == "invalid";
    if named {
        return builder
            .issuer("https://issuer.example")
            .audience("https://rs.example");
    }
    builder.dangerous_any_issuer().dangerous_any_audience()
}

fn verify(profile: Profile, keys: &KeyRing, row: &Value) -> Outcome {
    let now = Timestamp::from_secs(row["now"].as_u64().unwrap_or(1_300_819_379));
    match codec(profile, keys, row).build() {
        Ok(codec) => Outcome::Judged(codec.verify_at(text(row, "token"), now).map(drop)),
        // A proof or a logout token is no access token, whichever key signed it.
        Err(error) if error.to_string().contains("another purpose") => Outcome::NotOffered,
        Err(error) => panic!("{error}: {row}"),
    }
}

//! Prints a fresh set of keys, ready to paste into an environment file.
//!
//! ```text
//! cargo run -p keygen                       three shared secrets
//! cargo run -p keygen -- --jwks             the same as one JWK Set
//! cargo run -p keygen -- --jwks ES256       a JWK Set that signs with ES256
//! ```
//!
//! `--jwks` takes HS256, EdDSA, ES256, ES384 and, with the `josekit` feature, RS256 and PS256.
//! The set holds private keys: it belongs into a secret store, not into a repository.

use std::{env, error::Error, process::ExitCode};

use base64_simd::URL_SAFE_NO_PAD as BASE64URL;
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    },
};
use serde_json::{Value, json};
use tower_bearer::KeyRing;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let printed = match args.as_slice() {
        [] => secrets(),
        ["--jwks"] => jwks("HS256"),
        ["--jwks", alg] => jwks(alg),
        _ => Err("usage: keygen [--jwks [HS256|EdDSA|ES256|ES384|RS256|PS256]]".into()),
    };
    match printed {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn secrets() -> Result<String, Box<dyn Error>> {
    Ok(format!(
        "ACCESS_SECRET={}\nENCRYPTION_KEY={}\nREFRESH_SECRET={}",
        random_text(32)?,
        random_text(32)?,
        random_text(32)?
    ))
}

fn jwks(alg: &str) -> Result<String, Box<dyn Error>> {
    let mut signing = match alg {
        "HS256" => json!({ "kty": "oct", "k": random_text(32)? }),
        "EdDSA" => ed25519()?,
        "ES256" => ecdsa("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING, 32)?,
        "ES384" => ecdsa("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING, 48)?,
        "RS256" | "PS256" => rsa()?,
        _ => return Err(format!("no keys are made for {alg}").into()),
    };
    signing["use"] = "sig".into();
    signing["alg"] = alg.into();
    signing["kid"] = random_text(6)?.into();
    let set = json!({ "keys": [
        signing,
        { "kty": "oct", "use": "enc", "alg": "dir", "enc": "A256GCM", "kid": random_text(6)?, "k": random_text(32)? },
        { "kty": "oct", "use": "refresh", "k": random_text(32)? },
    ]})
    .to_string();
    // The output has been read once by its later reader, `KeyRing`.
    KeyRing::builder().jwks(&set).build()?;
    Ok(format!("TOWER_BEARER_KEYS='{set}'"))
}

fn ed25519() -> Result<Value, Box<dyn Error>> {
    let seed = random(32)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| "Ed25519 failed")?;
    Ok(json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": BASE64URL.encode_to_string(pair.public_key()),
        "d": BASE64URL.encode_to_string(&seed),
    }))
}

fn ecdsa(
    crv: &str,
    algorithm: &'static EcdsaSigningAlgorithm,
    len: usize,
) -> Result<Value, Box<dyn Error>> {
    let random = SystemRandom::new();
    let der = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| "ECDSA failed")?;
    // `ring` hands out PKCS#8 (RFC 5915 section 3). It ends in the scalar, five bytes of ASN.1 and the point. The point
    // is 04, x and y.
    let (rest, y) = der.as_ref().split_at(der.as_ref().len() - len);
    let (rest, x) = rest.split_at(rest.len() - len);
    let (rest, _) = rest.split_at(rest.len() - 6);
    let (_, d) = rest.split_at(rest.len() - len);
    Ok(json!({
        "kty": "EC",
        "crv": crv,
        "x": BASE64URL.encode_to_string(x),
        "y": BASE64URL.encode_to_string(y),
        "d": BASE64URL.encode_to_string(d),
    }))
}

#[cfg(feature = "josekit")]
fn rsa() -> Result<Value, Box<dyn Error>> {
    let jwk = josekit::jwk::Jwk::generate_rsa_key(3072)?;
    Ok(Value::Object(jwk.as_ref().clone()))
}

#[cfg(not(feature = "josekit"))]
fn rsa() -> Result<Value, Box<dyn Error>> {
    Err("RSA keys are made with the josekit feature only".into())
}

fn random(len: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = vec![0; len];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| "the operating system gave no random bytes")?;
    Ok(bytes)
}

fn random_text(len: usize) -> Result<String, Box<dyn Error>> {
    Ok(BASE64URL.encode_to_string(random(len)?))
}

//! The public half of the ring, for services that verify.

use std::sync::Arc;

use serde::Serialize;

use super::{SigningKey, signing::PublicParts};

#[derive(Serialize)]
struct PublicSet<'a> {
    keys: Vec<PublicJwk<'a>>,
}

/// It has no member that could hold anything private.
#[derive(Serialize)]
struct PublicJwk<'a> {
    kty: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

pub(super) fn jwks(signing: &[Arc<SigningKey>]) -> String {
    let keys = signing.iter().filter_map(|key| public_jwk(key)).collect();
    // Strings always serialise.
    serde_json::to_string(&PublicSet { keys }).unwrap_or_default()
}

fn public_jwk(key: &SigningKey) -> Option<PublicJwk<'_>> {
    let text = |bytes: &[u8]| Some(base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes));
    let base = PublicJwk {
        kty: "RSA",
        purpose: "sig",
        alg: key.alg_name(),
        kid: key.kid(),
        crv: None,
        x: None,
        y: None,
        n: None,
        e: None,
    };
    Some(match key.public_parts()? {
        PublicParts::Okp(x) => PublicJwk {
            kty: "OKP",
            crv: Some("Ed25519"),
            x: text(x),
            ..base
        },
        PublicParts::Ec { x, y } => PublicJwk {
            kty: "EC",
            crv: Some(if x.len() == 32 { "P-256" } else { "P-384" }),
            x: text(x),
            y: text(y),
            ..base
        },
        PublicParts::Rsa { n, e } => PublicJwk {
            n: text(n),
            e: text(e),
            ..base
        },
    })
}

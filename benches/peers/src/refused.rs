//! Tokens that are refused. Unauthenticated clients send them, so refusing has to be cheap.

use std::hint::black_box;

use base64_simd::URL_SAFE_NO_PAD;
use tower_bearer::{KeyRing, NoClaims, TokenCodec, TokenError, TokenErrorKind};

use crate::profile::Profile;
use crate::{
    case::{Case, case},
    keys, ours,
    tokens::{Tokens, changed},
};

/// The names of the cases.
pub const NAMES: &[&str] = &["refused_tag", "refused_mac", "refused_segments"];

pub fn cases(tokens: &Tokens) -> Vec<Box<dyn Case>> {
    use TokenErrorKind::{Decryption, Segments, Signature};
    let codec: TokenCodec<NoClaims> = ours::codec(Profile::Nested, &keys::shared());
    let good = &tokens.nested.good;
    let tag = good.rfind('.').expect("a token has dots") + 1;
    let (before, after) = good.split_at(good.len() / 2);
    let tokens = [
        (changed(good, tag), Decryption),
        (forged_mac(), Signature),
        // As long as it was, with a dot in the place of another character.
        (format!("{before}.{}", &after[1..]), Segments),
    ];
    let cases = NAMES.iter().zip(tokens).map(|(name, (token, kind))| {
        let codec = codec.clone();
        // The refusal is what is wanted, so it is what the case gives.
        let call = move || match codec.verify(black_box(&token)) {
            Ok(_) => Err("a bad token has passed"),
            Err(error) => Ok(error),
        };
        case(*name, call, move |error: &TokenError| {
            match error.kind() == kind {
                true => Ok(()),
                false => Err(format!("refused for another reason: {error}")),
            }
        })
    });
    cases.collect()
}

/// Encrypted with the right key around a token that another key of the same name has signed.
fn forged_mac() -> String {
    let oct = |alg: &str, kid: &str, key: &[u8]| {
        let k = URL_SAFE_NO_PAD.encode_to_string(key);
        format!(r#"{{"kty":"oct","alg":"{alg}","kid":"{kid}","k":"{k}"}}"#)
    };
    let secret: Vec<u8> = keys::HS256.iter().rev().copied().collect();
    let keys = KeyRing::builder()
        .jwk(&oct("HS256", keys::HS256_KID, &secret))
        .jwk(&oct("A256GCM", keys::A256_KID, keys::A256))
        .build();
    let keys = keys.expect("the keys are good");
    ours::mint(&ours::codec(Profile::Nested, &keys))
}

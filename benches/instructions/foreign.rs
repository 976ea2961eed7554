//! Access tokens as other issuers write them: the same members, in another order.

use std::{collections::BTreeMap, hint::black_box};

use base64_simd::URL_SAFE_NO_PAD;
use ring::{
    aead, hmac,
    rand::SystemRandom,
    rsa::KeyPairComponents,
    signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::Value;
use tower_bearer::TokenCodec;

use crate::support::profile::Profile;
use crate::{
    case::Case,
    support::{
        keys::{self, EDDSA_JWK, RS256_JWK, member},
        sessions::NOW,
        tokens::{Custom, codec, custom, minted},
    },
};

/// The part that is in another order.
#[derive(Clone, Copy)]
enum Foreign {
    Header,
    All,
}

impl Foreign {
    /// The end of the case's name, behind that of the minted token's.
    fn suffix(self) -> &'static str {
        match self {
            Self::Header => "/foreign_header",
            Self::All => "/foreign",
        }
    }
}

/// Signs the input of a token.
type Sign<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// How much of what the minted token costs the foreign one may cost at the most.
const BOUNDS: [(&str, Foreign, f64); 6] = [
    ("token/verify/signed_hs256", Foreign::Header, 1.35),
    ("token/verify/signed_hs256", Foreign::All, 1.5),
    ("token/verify/nested_hs256", Foreign::Header, 1.35),
    ("token/verify/nested_hs256", Foreign::All, 1.5),
    // The strictest of them: no MAC that is computed without the processor's help hides the rest.
    ("token/verify/encrypted", Foreign::Header, 1.35),
    ("token/verify/encrypted", Foreign::All, 1.5),
];

pub fn cases() -> Vec<Case> {
    let shared = keys::shared();
    let (nested, encrypted, signed) = (
        codec(Profile::Nested, &shared),
        codec(Profile::Encrypted, &shared),
        codec(Profile::Signed, &shared),
    );
    let [eddsa, rs256] = [EDDSA_JWK, RS256_JWK].map(|jwk| codec(Profile::Signed, &keys::of(jwk)));
    let inner = |what| rewritten(&minted(&signed, &custom()), what, &hs256);
    let sealed = |what| {
        let header = r#"{"alg":"dir","enc":"A256GCM","kid":"enc","typ":"at+jwt"}"#;
        let minted = minted(&signed, &custom());
        let payload = payload(&minted, what);
        let claims = URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap();
        encrypted_around(header, &claims)
    };
    let with =
        |codec: &TokenCodec<Custom>, sign| rewritten(&minted(codec, &custom()), Foreign::All, sign);
    vec![
        verify(
            "token/verify/signed_hs256/foreign_header",
            &signed,
            inner(Foreign::Header),
        ),
        verify(
            "token/verify/signed_hs256/foreign",
            &signed,
            inner(Foreign::All),
        ),
        verify(
            "token/verify/nested_hs256/foreign_header",
            &nested,
            around(&inner(Foreign::Header)),
        ),
        verify(
            "token/verify/nested_hs256/foreign",
            &nested,
            around(&inner(Foreign::All)),
        ),
        verify(
            "token/verify/encrypted/foreign_header",
            &encrypted,
            sealed(Foreign::Header),
        ),
        verify(
            "token/verify/encrypted/foreign",
            &encrypted,
            sealed(Foreign::All),
        ),
        verify(
            "token/verify/signed_eddsa/foreign",
            &eddsa,
            with(&eddsa, &ed25519),
        ),
        verify(
            "token/verify/signed_rs256/foreign",
            &rs256,
            with(&rs256, &rsa),
        ),
    ]
}

/// Prints what foreign tokens cost of minted ones, and gives what is wrong with it.
pub fn compare(counts: &[(&str, u64)]) -> Vec<String> {
    let of = |name: &str| counts.iter().find(|(other, _)| *other == name);
    let mut wrong = Vec::new();
    for (minted, what, most) in BOUNDS {
        let name = format!("{minted}{}", what.suffix());
        // The filter of this run may name another.
        let (Some((_, minted)), Some((_, foreign))) = (of(minted), of(&name)) else {
            continue;
        };
        let ratio = *foreign as f64 / *minted as f64;
        println!("{name}: {ratio:.2} of a minted one (at most {most})");
        if ratio > most {
            wrong.push(format!(
                "{name} takes {ratio:.2} of a minted one, above {most}"
            ));
        }
    }
    wrong
}

fn verify(name: &'static str, codec: &TokenCodec<Custom>, token: String) -> Case {
    let codec = codec.clone();
    let verify = move || black_box(codec.verify_at(black_box(&token), NOW)).is_ok();
    Case::new(name, verify)
}

/// The signed token `minted` in another order.
fn rewritten(minted: &str, what: Foreign, sign: Sign<'_>) -> String {
    let (header, _) = minted.split_once('.').unwrap();
    let input = format!("{}.{}", sorted(header), payload(minted, what));
    let signature = sign(input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode_to_string(signature))
}

/// The payload of `minted`.
fn payload(minted: &str, what: Foreign) -> String {
    let payload = minted.split('.').nth(1).unwrap();
    match what {
        Foreign::Header => payload.to_owned(),
        Foreign::All => sorted(payload),
    }
}

/// The same object with its members by name, which is an order that nothing here writes.
fn sorted(segment: &str) -> String {
    let json = URL_SAFE_NO_PAD.decode_to_vec(segment).unwrap();
    // A map of its own. With a feature that josekit asks for, the objects of `Value` keep the order of the text.
    let object: BTreeMap<String, Value> = serde_json::from_slice(&json).unwrap();
    let sorted = serde_json::to_string(&object).unwrap();
    let sorted = URL_SAFE_NO_PAD.encode_to_string(sorted);
    assert!(sorted.len() == segment.len() && sorted != segment);
    sorted
}

/// The nested token around `signed`.
fn around(signed: &str) -> String {
    let header = r#"{"alg":"dir","cty":"JWT","enc":"A256GCM","kid":"enc"}"#;
    encrypted_around(header, signed.as_bytes())
}

fn encrypted_around(header: &str, content: &[u8]) -> String {
    let header = URL_SAFE_NO_PAD.encode_to_string(header);
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, keys::A256GCM).unwrap();
    let iv = [7; aead::NONCE_LEN];
    let mut text = content.to_vec();
    let tag = aead::LessSafeKey::new(key)
        .seal_in_place_separate_tag(
            aead::Nonce::assume_unique_for_key(iv),
            aead::Aad::from(header.as_bytes()),
            &mut text,
        )
        .unwrap();
    let [iv, text, tag] =
        [&iv[..], &text, tag.as_ref()].map(|part| URL_SAFE_NO_PAD.encode_to_string(part));
    format!("{header}..{iv}.{text}.{tag}")
}

fn hs256(input: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, keys::HS256);
    hmac::sign(&key, input).as_ref().to_vec()
}

fn ed25519(input: &[u8]) -> Vec<u8> {
    let [seed, public] = ["d", "x"].map(|name| member(EDDSA_JWK, name));
    let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).unwrap();
    pair.sign(input).as_ref().to_vec()
}

fn rsa(input: &[u8]) -> Vec<u8> {
    let part = |name| member(RS256_JWK, name);
    let pair = RsaKeyPair::from_components(&KeyPairComponents {
        public_key: ring::rsa::PublicKeyComponents {
            n: part("n"),
            e: part("e"),
        },
        d: part("d"),
        p: part("p"),
        q: part("q"),
        dP: part("dp"),
        dQ: part("dq"),
        qInv: part("qi"),
    });
    let pair = pair.unwrap();
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        input,
        &mut signature,
    )
    .unwrap();
    signature
}

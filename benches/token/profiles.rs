//! Every form of a token.

use std::hint::black_box;

use criterion::Criterion;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use crate::support::profile::Profile;
use crate::{
    floor,
    support::{
        keys::{self, EDDSA_JWK, ES256_JWK, RS256_JWK, member},
        sessions::NOW,
        tokens::{SHARED, codec, custom, grant, minted},
    },
};

pub fn shared(c: &mut Criterion) {
    let keys = keys::shared();
    let custom = custom();
    let grant = grant(&custom);
    let signed = minted(&codec(Profile::Signed, &keys), &custom);
    for (name, profile) in SHARED {
        let codec = codec(profile, &keys);
        let token = minted(&codec, &custom);
        let floor = floor::Shared::new(profile, &token, &signed);
        c.bench_function(&format!("token/verify/{name}"), |b| {
            b.iter(|| codec.verify_at(black_box(&token), NOW).unwrap());
        });
        c.bench_function(&format!("token/verify/{name}/ring_floor"), |b| {
            b.iter(|| floor.verify(black_box(token.as_bytes())));
        });
        c.bench_function(&format!("token/mint/{name}"), |b| {
            b.iter(|| codec.mint_at(black_box(&grant), NOW).unwrap());
        });
    }
}

pub fn public_key(c: &mut Criterion) {
    let ed25519 = UnparsedPublicKey::new(&ED25519, member(EDDSA_JWK, "x"));
    verify(c, "signed_eddsa", EDDSA_JWK, |input, signature| {
        ed25519.verify(input, signature).unwrap();
    });
    let point = [vec![4], member(ES256_JWK, "x"), member(ES256_JWK, "y")].concat();
    let es256 = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    verify(c, "signed_es256", ES256_JWK, |input, signature| {
        es256.verify(input, signature).unwrap();
    });
    let rs256 = RsaPublicKeyComponents {
        n: member(RS256_JWK, "n"),
        e: member(RS256_JWK, "e"),
    };
    verify(c, "signed_rs256", RS256_JWK, |input, signature| {
        let verified = rs256.verify(&RSA_PKCS1_2048_8192_SHA256, input, signature);
        verified.unwrap();
    });
}

/// A token signed with the key `jwk`, beside `floor` over its input and signature.
fn verify(c: &mut Criterion, name: &str, jwk: &str, floor: impl Fn(&[u8], &[u8])) {
    let codec = codec(Profile::Signed, &keys::of(jwk));
    let token = minted(&codec, &custom());
    let floor = floor::public(&token, floor);
    c.bench_function(&format!("token/verify/{name}"), |b| {
        b.iter(|| codec.verify_at(black_box(&token), NOW).unwrap());
    });
    c.bench_function(&format!("token/verify/{name}/ring_floor"), |b| {
        b.iter(|| floor(black_box(token.as_bytes())));
    });
}

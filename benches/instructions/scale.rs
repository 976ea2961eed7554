//! Costs that should not depend on a number, or only in proportion to it. They are counted: on a busy machine two times
//! differ by more than the wanted difference.

use std::hint::black_box;

use crate::support::profile::Profile;
use crate::{
    case::Case,
    layers::refresh,
    support::{
        claims,
        keys::numbered,
        sessions::NOW,
        tokens::{Custom, codec, custom, minted},
    },
};

pub fn cases() -> Vec<Case> {
    vec![
        key("token/keys/1", 1),
        key("token/keys/10", 10),
        size("token/claims/100", 100),
        size("token/claims/1000", 1000),
        size("token/claims/6144", 6144),
        refresh("store/refresh/after_10_rotations", 10),
        refresh("store/refresh/after_10000_rotations", 10_000),
    ]
}

/// A token of the last of so many keys.
fn key(name: &'static str, count: u32) -> Case {
    let issuer = codec(Profile::Nested, &numbered(count - 1..count));
    let token = minted(&issuer, &custom());
    let verifier = codec::<Custom>(Profile::Nested, &numbered(0..count));
    let verify = move || black_box(verifier.verify_at(black_box(&token), NOW)).is_ok();
    Case::new(name, verify)
}

/// A token with so many bytes of claims.
fn size(name: &'static str, bytes: usize) -> Case {
    let codec = claims::codec(Profile::Nested);
    let token = claims::minted(&codec, bytes);
    let verify = move || black_box(codec.verify_at(black_box(&token), NOW)).is_ok();
    Case::new(name, verify)
}

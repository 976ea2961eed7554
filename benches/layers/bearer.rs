//! `BearerAuthLayer`, by the form of the token and by the verdict, with the clock that servers use.

use std::hint::black_box;

use criterion::Criterion;
use http::StatusCode;
use tower::Layer;
use tower_bearer::{BearerAuthLayer, TokenCache};

use crate::support::profile::Profile;
use crate::support::{
    browser::get,
    keys,
    services::{Nothing, call},
    tokens::{Custom, builder, codec, custom, minted_at, tampered},
};

pub fn layer(c: &mut Criterion) {
    let keys = keys::shared();
    let token = |profile| {
        let codec = codec::<Custom>(profile, &keys);
        minted_at(&codec, &custom(), codec.clock().now())
    };
    let nested = token(Profile::Nested);
    let refused = tampered(&nested);
    let (passes, refuses) = (StatusCode::OK, StatusCode::UNAUTHORIZED);
    for (name, profile, token, status) in [
        ("nested", Profile::Nested, Some(&nested), passes),
        (
            "encrypted",
            Profile::Encrypted,
            Some(&token(Profile::Encrypted)),
            passes,
        ),
        (
            "signed",
            Profile::Signed,
            Some(&token(Profile::Signed)),
            passes,
        ),
        ("refused", Profile::Nested, Some(&refused), refuses),
        ("missing", Profile::Nested, None, refuses),
    ] {
        let request = get(token.map(String::as_str));
        let layer = BearerAuthLayer::new(codec::<Custom>(profile, &keys));
        let mut service = layer.layer(Nothing);
        assert_eq!(call(&mut service, &request).status(), status, "{name}");
        c.bench_function(&format!("layers/bearer/{name}"), |b| {
            b.iter(|| call(&mut service, black_box(&request)));
        });
    }
    let request = get(Some(&nested));
    let cached = builder::<Custom>(Profile::Nested, &keys).cache(TokenCache::new(1024 * 1024));
    let layer = BearerAuthLayer::new(cached.build().unwrap());
    let mut service = layer.layer(Nothing);
    assert_eq!(call(&mut service, &request).status(), passes);
    c.bench_function("layers/bearer/cached", |b| {
        b.iter(|| call(&mut service, black_box(&request)));
    });
    c.bench_function("layers/bearer/bare", |b| {
        b.iter(|| call(&mut Nothing, black_box(&request)));
    });
}

//! What a remembered token costs, beside the same token verified: with a thousand distinct tokens in use,
//! the reading of the clock included; and the whole layer in an axum router, beside the bare router.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

use std::{hint::black_box, time::Duration};

use axum::{Router, body::Body, routing::get};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, header};
use serde::{Deserialize, Serialize};
use tower::Service;
use tower_bearer::{BearerAuthLayer, Grant, KeyRing, Profile, SystemClock, TokenCache, TokenCodec};

const TOKENS: usize = 1000;
const BYTES: usize = 16 * 1024 * 1024;

// Test-only keys.
const MASTER: &[u8] = b"Yw0zq-1mR7tP4vLkXh9sJc2aUe6oBn8dQ3uVx8-k";
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

#[derive(Serialize, Deserialize)]
struct Custom {
    scope: String,
    role: String,
}

fn forms() -> [(&'static str, Profile, KeyRing); 4] {
    let master = KeyRing::from_master(MASTER).unwrap();
    let ed25519 = KeyRing::builder().jwk(ED25519).build().unwrap();
    [
        ("signed_eddsa", Profile::Signed, ed25519),
        ("nested_hs256", Profile::Nested, master.clone()),
        ("signed_hs256", Profile::Signed, master.clone()),
        ("encrypted", Profile::Encrypted, master),
    ]
}

fn codec(profile: Profile, keys: &KeyRing, cached: bool) -> TokenCodec<Custom> {
    let builder = TokenCodec::builder(profile)
        .issuer("https://id.example.com")
        .audience("https://api.example")
        .lifetime(Duration::from_secs(24 * 60 * 60));
    let builder = match cached {
        true => builder.cache(TokenCache::new(BYTES)),
        false => builder,
    };
    builder.build(keys).unwrap()
}

fn tokens(codec: &TokenCodec<Custom>) -> Vec<String> {
    let custom = Custom {
        scope: "read write".into(),
        role: "editor".into(),
    };
    let now = tower_bearer::Clock::now(&SystemClock);
    let minted = (0..TOKENS).map(|n| {
        let (subject, session) = (
            format!("5f0c2f4e9b3a{n:04}"),
            format!("Zk3J8qLxR2uV0wYt5a{n:04}"),
        );
        let grant = Grant {
            subject: &subject,
            session: Some(&session),
            custom: &custom,
        };
        codec.mint_at(&grant, now).unwrap().as_str().to_owned()
    });
    minted.collect()
}

/// All of them in turn, in an order that is not that of memory.
fn turns<'t>(tokens: &'t [String]) -> impl FnMut() -> &'t str {
    let mut at = 0;
    move || {
        at = (at + 389) % TOKENS;
        &tokens[at]
    }
}

fn verify(c: &mut Criterion) {
    for (name, profile, keys) in forms() {
        let [plain, cached] = [false, true].map(|cached| codec(profile, &keys, cached));
        let tokens = tokens(&plain);
        for token in &tokens {
            cached.verify(token).unwrap();
        }
        let bytes = cached.cache().unwrap().bytes();
        println!(
            "{name}: {} bytes a token, {bytes} in the cache",
            tokens[0].len()
        );
        let mut next = turns(&tokens);
        c.bench_function(&format!("cache/{name}/off"), |b| {
            b.iter(|| plain.verify(black_box(next())).unwrap());
        });
        let mut next = turns(&tokens);
        c.bench_function(&format!("cache/{name}/hit"), |b| {
            b.iter(|| cached.verify(black_box(next())).unwrap());
        });
        let mut next = turns(&tokens);
        c.bench_function(&format!("cache/{name}/miss"), |b| {
            b.iter(|| {
                cached.forget_all();
                cached.verify(black_box(next())).unwrap()
            });
        });
    }
    c.bench_function("cache/clock", |b| {
        b.iter(|| tower_bearer::Clock::now(black_box(&SystemClock)));
    });
}

fn layer(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let router = || Router::new().route("/", get(async || ()));
    let mut measure = |name: &str, mut router: Router, tokens: &[String]| {
        let mut next = turns(tokens);
        let mut requests = || {
            let value = format!("Bearer {}", next());
            let request = Request::get("/").header(header::AUTHORIZATION, value);
            request.body(Body::empty()).unwrap()
        };
        c.bench_function(name, |b| {
            b.iter_batched(
                &mut requests,
                |request| {
                    let response = runtime.block_on(router.as_service().call(request)).unwrap();
                    assert!(response.status().is_success());
                    response
                },
                criterion::BatchSize::SmallInput,
            );
        });
    };
    let (_, profile, keys) = &forms()[1];
    let tokens = tokens(&codec(*profile, keys, false));
    measure("cache/layer/bare", router(), &tokens);
    for (name, cached) in [("nested_off", false), ("nested_hit", true)] {
        let layer = BearerAuthLayer::new(codec(*profile, keys, cached));
        let router = router().layer(layer);
        measure(&format!("cache/layer/{name}"), router, &tokens);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200));
    targets = verify, layer
}
criterion_main!(benches);

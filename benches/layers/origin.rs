//! The origin guard: its verdict alone, and the layer around a service that does nothing. Beside it are the same
//! service bare and behind tower-http's guard.

use std::hint::black_box;

use criterion::Criterion;
use http::{Method, Request, Uri};
use tower::Layer;
use tower_bearer::{OriginGuardLayer, rejection::OriginReason};
use tower_http::csrf::CsrfLayer;

use crate::support::{
    browser::headers,
    services::{Nothing, call},
};

/// A list of these entries.
fn list(entries: &[&str]) -> OriginGuardLayer {
    OriginGuardLayer::new(entries.iter().map(|entry| entry.parse().unwrap())).unwrap()
}

pub fn check(c: &mut Criterion) {
    let few = list(&[
        "https://app.example",
        "https://www.example",
        "https://*.app.example",
    ]);
    let many = list(&[
        "https://one.example",
        "https://two.example",
        "https://three.example",
        "https://four.example",
        "https://five.example",
        "https://six.example",
        "https://seven.example",
        "https://app.example",
    ]);
    let own = OriginGuardLayer::same_origin();
    let from = |origin, site| headers(&[("origin", origin), ("sec-fetch-site", site)]);
    let listed = || from("https://app.example", "same-origin");
    let socket = headers(&[
        ("origin", "https://app.example"),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]);
    let referer = headers(&[("referer", "https://app.example/settings/profile?tab=2")]);
    let metadata = headers(&[("sec-fetch-site", "same-origin")]);
    let foreign = from("https://evil.example", "cross-site");
    let wildcard = from("https://shop.app.example", "same-site");
    let passes = Ok(());
    let refused = Err(OriginReason::UnlistedOrigin);
    for (name, layer, method, headers, verdict) in [
        ("listed_first_of_3", &few, Method::POST, listed(), passes),
        ("listed_last_of_8", &many, Method::POST, listed(), passes),
        ("wildcard_last_of_3", &few, Method::POST, wildcard, passes),
        ("refused", &few, Method::POST, foreign, refused),
        ("fetch_metadata_alone", &few, Method::POST, metadata, passes),
        ("referer", &few, Method::POST, referer, passes),
        ("same_origin", &own, Method::POST, listed(), passes),
        ("safe_method", &few, Method::GET, listed(), passes),
        ("websocket", &few, Method::GET, socket, passes),
    ] {
        let uri = Uri::from_static("/transfer");
        assert_eq!(layer.check(&method, &uri, &headers), verdict, "{name}");
        c.bench_function(&format!("layers/origin/check/{name}"), |b| {
            b.iter(|| layer.check(black_box(&method), black_box(&uri), black_box(&headers)));
        });
    }
}

/// Beside tower-http's guard, with a request that it has to judge by its list too. The request is from another site
/// that is listed. Every figure contains the clone of the request, which `bare` shows.
pub fn layer(c: &mut Criterion) {
    let request = |origin| {
        let mut request = Request::post("/transfer").body(()).unwrap();
        *request.headers_mut() = headers(&[("origin", origin), ("sec-fetch-site", "cross-site")]);
        request
    };
    let entries = [
        "https://app.example",
        "https://www.example",
        "https://partner.example",
    ];
    let ours = list(&entries).layer(Nothing);
    let theirs = entries
        .iter()
        .fold(CsrfLayer::new(), |layer, entry| {
            layer.add_trusted_origin(entry).unwrap()
        })
        .layer(Nothing);
    for (name, origin, status) in [
        ("listed", "https://partner.example", 200),
        ("refused", "https://evil.example", 403),
    ] {
        let request = request(origin);
        let (mut bare, mut ours, mut theirs) = (Nothing, ours.clone(), theirs.clone());
        assert_eq!(call(&mut ours, &request).status(), status, "{name}");
        assert_eq!(call(&mut theirs, &request).status(), status, "{name}");
        c.bench_function(&format!("layers/origin/{name}/bare"), |b| {
            b.iter(|| call(&mut bare, black_box(&request)));
        });
        c.bench_function(&format!("layers/origin/{name}"), |b| {
            b.iter(|| call(&mut ours, black_box(&request)));
        });
        c.bench_function(&format!("layers/origin/{name}/tower_http"), |b| {
            b.iter(|| call(&mut theirs, black_box(&request)));
        });
    }
}

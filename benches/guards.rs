//! What the guards cost on each request.
//!
//! `origin::check` is the verdict alone; `origin::layer` is the whole layer around a service that
//! does nothing, beside the same service bare and behind tower-http's guard. `csrf::verify` stands
//! beside the work that it cannot do without: one HMAC-SHA-256 of a message of that length, and the
//! same with the four parts decoded that a cookie and its copy consist of.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

use std::{
    convert::Infallible,
    future::{Future, Ready, ready},
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use base64_simd::{Out, URL_SAFE_NO_PAD};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{HeaderMap, HeaderName, Method, Request, Response, Uri};
use ring::hmac;
use tower::{Layer, Service};
use tower_bearer::{
    CsrfBinding, CsrfKeys, CsrfLayer as CsrfTokens, CsrfToken, KeyRing, OriginGuardLayer,
    OriginReason,
};
use tower_http::csrf::CsrfLayer;

/// What a browser sends with a request of a script, `Origin` and its like apart.
fn browser(more: &[(&'static str, &str)]) -> HeaderMap {
    let lines = [
        ("host", "app.example"),
        (
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
        ),
        ("accept", "application/json, text/plain, */*"),
        ("accept-language", "de,en-US;q=0.7,en;q=0.3"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("content-type", "application/json"),
        ("content-length", "57"),
        (
            "cookie",
            "__Secure-refresh_token=v1.Zk3J8qLxR2uV0wYt5aBcDg; theme=dark",
        ),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().chain(more) {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    headers
}

/// A list of these entries.
fn list(entries: &[&str]) -> OriginGuardLayer {
    OriginGuardLayer::from_origins(entries.iter().map(|entry| entry.parse().unwrap())).unwrap()
}

fn origin_check(c: &mut Criterion) {
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
    let from = |origin, site| browser(&[("origin", origin), ("sec-fetch-site", site)]);
    let listed = || from("https://app.example", "same-origin");
    let socket = browser(&[
        ("origin", "https://app.example"),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]);
    let referer = browser(&[("referer", "https://app.example/settings/profile?tab=2")]);
    let metadata = browser(&[("sec-fetch-site", "same-origin")]);
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
        c.bench_function(&format!("origin::check::{name}"), |b| {
            b.iter(|| layer.check(black_box(&method), black_box(&uri), black_box(&headers)));
        });
    }
}

/// Answers at once with nothing.
#[derive(Clone)]
struct Nothing;

impl Service<Request<()>> for Nothing {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        black_box(request);
        ready(Ok(Response::new(())))
    }
}

/// One call with a clone of `request`; the clone costs every service the same.
fn call<S>(service: &mut S, request: &Request<()>) -> Response<()>
where
    S: Service<Request<()>, Response = Response<()>, Error = Infallible>,
{
    let mut future = pin!(service.call(request.clone()));
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => unreachable!("nobody waits here"),
    }
}

/// Beside tower-http's guard, with a request that it has to judge by its list too: from another
/// site that is listed. Every figure contains the clone of the request, which `bare` shows.
fn origin_layer(c: &mut Criterion) {
    let request = |origin| {
        let mut request = Request::post("/transfer").body(()).unwrap();
        *request.headers_mut() = browser(&[("origin", origin), ("sec-fetch-site", "cross-site")]);
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
        c.bench_function(&format!("origin::layer::{name}::bare"), |b| {
            b.iter(|| call(&mut bare, black_box(&request)));
        });
        c.bench_function(&format!("origin::layer::{name}"), |b| {
            b.iter(|| call(&mut ours, black_box(&request)));
        });
        c.bench_function(&format!("origin::layer::{name}::tower_http"), |b| {
            b.iter(|| call(&mut theirs, black_box(&request)));
        });
    }
}

/// The message under the MAC of a token: label, class, digest, nonce and an empty field, each with
/// its length in front.
const MESSAGE: usize = 5 * 4 + 13 + 4 + 32 + 32;

fn csrf_verify(c: &mut Criterion) {
    let secret = |name: u8| std::array::from_fn::<u8, 32, _>(|i| (i as u8 + 1).wrapping_mul(name));
    let binding = CsrfBinding::session("BwcHBwcHBwcHBwcHBwcHBw");
    let layer = |names: &[u8]| {
        let keys = CsrfKeys::new(names.iter().map(|name| secret(*name))).unwrap();
        let layer = CsrfTokens::builder(keys, move |_| binding);
        layer.build().unwrap()
    };
    let one = layer(&[3]);
    let ring = KeyRing::from_master(&secret(5)).unwrap();
    let ring = CsrfTokens::builder(&ring, move |_| binding)
        .build()
        .unwrap();

    let floor = hmac::Key::new(hmac::HMAC_SHA256, &secret(3));
    let message = [7; MESSAGE];
    c.bench_function("csrf::verify::one_hmac", |b| {
        b.iter(|| hmac::sign(&floor, black_box(&message)));
    });
    let part = URL_SAFE_NO_PAD.encode_to_string([7; 32]);
    c.bench_function("csrf::verify::one_hmac_and_decoding", |b| {
        b.iter(|| {
            for _ in 0..4 {
                let mut out = [0; 32];
                let text = black_box(part.as_bytes());
                let decoded = URL_SAFE_NO_PAD.decode(text, Out::from_slice(&mut out));
                black_box(decoded.is_ok());
                black_box(&out);
            }
            hmac::sign(&floor, black_box(&message))
        });
    });
    for (name, layer) in [
        ("raw", &one),
        ("masked", &one),
        ("raw_ring", &ring),
        ("masked_ring", &ring),
    ] {
        let (cookie, masked) = issue(layer);
        let copy = if name.starts_with("raw") {
            &cookie
        } else {
            &masked
        };
        let cookies =
            format!("__Secure-refresh_token=v1.Zk3J8qLx; __Host-csrf={cookie}; theme=dark");
        let mut headers = browser(&[("x-csrf-token", copy)]);
        headers.insert("cookie", cookies.parse().unwrap());
        assert_eq!(layer.verify(&headers, &binding), Ok(()), "{name}");
        c.bench_function(&format!("csrf::verify::{name}"), |b| {
            b.iter(|| layer.verify(black_box(&headers), black_box(&binding)));
        });
        if name == "raw" {
            let request = || {
                let mut request = Request::post("/transfer").body(()).unwrap();
                *request.headers_mut() = headers.clone();
                request
            };
            let (request, mut bare) = (request(), Nothing);
            let mut guarded = layer.layer(Nothing);
            c.bench_function("csrf::layer::bare", |b| {
                b.iter(|| call(&mut bare, black_box(&request)));
            });
            c.bench_function("csrf::layer::raw", |b| {
                b.iter(|| call(&mut guarded, black_box(&request)));
            });
        }
    }
}

/// The cookie that the layer gives to a browser, and a masked copy of it.
fn issue(layer: &CsrfTokens) -> (String, String) {
    let masked = std::cell::RefCell::new(String::new());
    let page = tower::service_fn(|request: Request<()>| {
        let token = CsrfToken::from_extensions(request.extensions()).unwrap();
        *masked.borrow_mut() = token.masked().unwrap();
        ready(Ok::<_, Infallible>(Response::new(())))
    });
    let response = call(&mut layer.layer(page), &Request::new(()));
    let line = response.headers()["set-cookie"].to_str().unwrap();
    let cookie = line.split(['=', ';']).nth(1).unwrap().to_owned();
    (cookie, masked.into_inner())
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200));
    targets = origin_check, origin_layer, csrf_verify
}
criterion_main!(benches);

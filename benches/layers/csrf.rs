//! CSRF tokens: the verdict alone, and the layer around a service that does nothing.
//!
//! `verify` stands beside the work that it cannot do without. That is one HMAC-SHA-256 of a message of that length. It
//! is also the same with the four parts of a cookie and its copy decoded.

use std::{cell::RefCell, convert::Infallible, future::ready, hint::black_box};

use base64_simd::{Out, URL_SAFE_NO_PAD};
use criterion::Criterion;
use http::{Request, Response};
use ring::hmac;
use tower::Layer;
use tower_bearer::{
    CsrfLayer, CsrfToken, KeyRing,
    csrf::{CsrfKeys, CsrfSession},
};

use crate::support::{
    browser::headers,
    services::{Nothing, answer, call},
};

/// The message under the MAC of a token: label, class, digest, nonce and an empty field. Each has its length in front.
const MESSAGE: usize = 5 * 4 + 13 + 4 + 32 + 32;

pub fn verify(c: &mut Criterion) {
    let secret = |name: u8| std::array::from_fn::<u8, 32, _>(|i| (i as u8 + 1).wrapping_mul(name));
    let binding = CsrfSession::session("BwcHBwcHBwcHBwcHBwcHBw");
    let layer = |names: &[u8]| {
        let keys = CsrfKeys::new(names.iter().map(|name| secret(*name))).unwrap();
        let layer = CsrfLayer::builder(keys).session(move |_| binding);
        layer.build().unwrap()
    };
    let one = layer(&[3]);
    let ring = KeyRing::from_master(&secret(5)).unwrap();
    let ring = CsrfLayer::builder(&ring).session(move |_| binding);
    let ring = ring.build().unwrap();

    let floor = hmac::Key::new(hmac::HMAC_SHA256, &secret(3));
    let message = [7; MESSAGE];
    c.bench_function("layers/csrf/verify/one_hmac", |b| {
        b.iter(|| hmac::sign(&floor, black_box(&message)));
    });
    let part = URL_SAFE_NO_PAD.encode_to_string([7; 32]);
    c.bench_function("layers/csrf/verify/one_hmac_and_decoding", |b| {
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
        let mut headers = headers(&[("x-csrf-token", copy)]);
        headers.insert("cookie", cookies.parse().unwrap());
        assert_eq!(layer.verify(&headers, &binding), Ok(()), "{name}");
        c.bench_function(&format!("layers/csrf/verify/{name}"), |b| {
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
            c.bench_function("layers/csrf/bare", |b| {
                b.iter(|| call(&mut bare, black_box(&request)));
            });
            c.bench_function("layers/csrf/raw", |b| {
                b.iter(|| call(&mut guarded, black_box(&request)));
            });
        }
    }
}

/// The cookie that the layer gives to a browser, and a masked copy of it.
fn issue(layer: &CsrfLayer) -> (String, String) {
    let masked = RefCell::new(String::new());
    let page = tower::service_fn(|request: Request<()>| {
        let token = CsrfToken::from_extensions(request.extensions()).unwrap();
        *masked.borrow_mut() = token.masked().unwrap();
        ready(Ok::<_, Infallible>(Response::new(())))
    });
    let response = answer(&mut layer.layer(page), Request::new(()));
    let line = response.headers()["set-cookie"].to_str().unwrap();
    let cookie = line.split(['=', ';']).nth(1).unwrap().to_owned();
    (cookie, masked.into_inner())
}

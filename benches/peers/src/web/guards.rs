//! Our guard of origins beside that of tower-http, behind axum.
//!
//! The request is a browser's from a page on another listed site. So both have to look it up in their list. Both lists
//! are the same, and the origin is the last of them.

use axum::{Router, routing::post};
use http::{HeaderName, Request};
use tower_bearer::OriginGuardLayer;
use tower_http::csrf::CsrfLayer;

use super::apps::App;

const LISTED: [&str; 3] = [
    "https://app.example",
    "https://www.example",
    "https://partner.example",
];

pub fn apps() -> [App; 3] {
    let ours = LISTED.map(|entry| entry.parse().expect("an origin"));
    let ours = OriginGuardLayer::new(ours).unwrap();
    let theirs = LISTED.iter().fold(CsrfLayer::new(), |layer, entry| {
        layer.add_trusted_origin(entry).expect("an origin")
    });
    [
        App::new("axum_bare_origin", bare(), head()),
        App::new("origin_guard", bare().layer(ours), head()),
        App::new("tower_http_csrf", bare().layer(theirs), head()),
    ]
}

fn bare() -> Router {
    Router::new().route("/", post(async || "hello"))
}

fn head() -> Request<()> {
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
        (
            "cookie",
            "__Secure-refresh_token=v1.Zk3J8qLxR2uV0wYt5aBcDg; theme=dark",
        ),
        ("origin", "https://partner.example"),
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "cross-site"),
    ];
    let head = lines
        .iter()
        .fold(Request::post("/"), |head, (name, value)| {
            head.header(HeaderName::from_static(name), *value)
        });
    head.body(()).expect("the head is well-formed")
}

//! The page: a few files inside the binary, which work under a strict content policy.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    routing::{MethodRouter, get},
};

/// Own files only: no inline script or style, no frames, no other server. A script that an attacker smuggles into the
/// page does not run. So it cannot use the session while the page is open.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'";

/// The page at `/` and its files.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let script = |text| file("text/javascript", text);
    Router::new()
        .route("/", file("text/html", include_str!("../static/index.html")))
        .route(
            "/style.css",
            file("text/css", include_str!("../static/style.css")),
        )
        .route("/account.js", script(include_str!("../static/account.js")))
        .route("/app.js", script(include_str!("../static/app.js")))
        .route("/dom.js", script(include_str!("../static/dom.js")))
        .route("/log.js", script(include_str!("../static/log.js")))
        .route("/recent.js", script(include_str!("../static/recent.js")))
        .route("/session.js", script(include_str!("../static/session.js")))
        .merge(example_client::router("/tower-bearer"))
}

fn file<S: Clone + Send + Sync + 'static>(
    kind: &'static str,
    text: &'static str,
) -> MethodRouter<S> {
    get(move || async move { (headers(kind), text) })
}

fn headers(kind: &str) -> [(HeaderName, HeaderValue); 2] {
    let kind = format!("{kind}; charset=utf-8");
    [
        (
            header::CONTENT_TYPE,
            HeaderValue::try_from(kind).unwrap_or(HeaderValue::from_static("text/plain")),
        ),
        // The files change with the binary, and have no version in their names.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ]
}

//! Which pages of other origins may call this service, and read its answers.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header, request::Parts};
use tower_bearer::origin::Origin;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Lets in pages of the origins that the guard accepts. It answers the browser's preflight
/// requests, and so goes in front of everything that would refuse them.
///
/// The refresh cookie is `SameSite=Strict`: of the origins on the list, those of the same site
/// (`https://app.example.com` for `https://api.example.com`, or another port of this host) have a session.
pub(crate) fn layer(origins: Vec<Origin>) -> CorsLayer {
    let listed = move |origin: &HeaderValue, _: &Parts| {
        let origin = origin.to_str().unwrap_or_default();
        origins.iter().any(|entry| entry.matches(origin))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(listed))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("x-csrf-token"),
        ])
        // A page may read this beside the body: when to try again, what is missing, and the status of
        // gRPC-Web. All of them here, since the list replaces that of an answer from further in.
        .expose_headers([
            header::RETRY_AFTER,
            header::WWW_AUTHENTICATE,
            HeaderName::from_static("grpc-message"),
            HeaderName::from_static("grpc-status"),
        ])
        .max_age(Duration::from_secs(600))
}

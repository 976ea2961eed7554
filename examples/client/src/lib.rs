//! The files of the npm package in `client/src`, inside the binary, as an application without a bundler serves them.

use axum::{
    Router,
    http::{HeaderValue, header},
    routing::get,
};

macro_rules! files {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../../client/src/", $name)))),*]
    };
}

/// Name and text of each file that a page without React loads.
const FILES: &[(&str, &str)] = files! {
    "ask.js"
    "board.js"
    "calls.js"
    "errors.js"
    "index.js"
    "leaving.js"
    "pace.js"
    "places.js"
    "session.js"
    "wait.js"
};

/// Serves them below `path`, which begins with a slash and does not end with one. A page imports `index.js`.
pub fn router<S: Clone + Send + Sync + 'static>(path: &str) -> Router<S> {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        // The files change with the binary, and have no version in their names.
        (header::CACHE_CONTROL, "no-cache"),
    ]
    .map(|(name, value)| (name, HeaderValue::from_static(value)));
    FILES.iter().fold(Router::new(), |router, (name, text)| {
        let headers = headers.clone();
        router.route(
            &format!("{path}/{name}"),
            get(move || async move { (headers, *text) }),
        )
    })
}

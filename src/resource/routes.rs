//! The document as a route of axum (feature `axum`).

use ::axum::{Router, extract::Request, response::IntoResponse, routing::any};
use http::StatusCode;

use super::ResourceMetadata;

impl ResourceMetadata {
    /// Returns the document as a route, to be merged into the outermost router (feature `axum`).
    ///
    /// Merge it behind `.route_layer(...)` and outside of every `.nest(...)`. A fallback of the application's, such
    /// as the page of a single-page application, takes nothing away from it.
    ///
    /// ```
    /// use axum::{Router, routing::{get, post}};
    /// use tower_bearer::{BearerAuthLayer, ConfigError, TokenCodec, resource::ResourceMetadata};
    ///
    /// # fn app(codec: TokenCodec) -> Result<Router, ConfigError> {
    /// let document = ResourceMetadata::builder("https://api.example/mcp")
    ///     .authorization_server("https://id.example")
    ///     .build()?;
    /// let app = Router::new()
    ///     .route("/mcp", post(async || "..."))
    ///     .route_layer(BearerAuthLayer::new(codec).resource_metadata(document.url()))
    ///     .merge(document.routes())
    ///     .fallback_service(get(async || "a page"));
    /// # Ok(app)
    /// # }
    /// # let _ = app;
    /// ```
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let document = self.clone();
        let answer = async move |request: Request| match document.response(&request) {
            Some(response) => response.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
        Router::new().route(&pattern(self.path()), any(answer))
    }
}

/// The path as axum writes it. A segment that means something else there matches any, and the answer looks at it.
fn pattern(path: &str) -> String {
    let literal = |segment: &str| !segment.starts_with([':', '*']) && !segment.contains(['{', '}']);
    let segments = path
        .split('/')
        .enumerate()
        .map(|(at, segment)| match literal(segment) {
            true => segment.to_owned(),
            false => format!("{{segment_{at}}}"),
        });
    segments.collect::<Vec<_>>().join("/")
}

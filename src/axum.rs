//! Extractors for axum (feature `axum`).

use std::convert::Infallible;

use ::axum::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
    routing::Router,
};
use http::request::Parts;

use crate::{
    csrf::csrf_token::CsrfToken,
    endpoints::{answer, service::SessionEndpoints},
    problem::Problem,
    refresh::session::Session,
    rejection::{Rejection, RejectionKind},
    session::SessionError,
    token::{AccessToken, Claims},
};

/// The claims of the signed-in user. The status is 401 when the bearer layer is optional and the
/// request has no token. It is 500 when the layer is missing; the [`Rejection`] names the mistake.
impl<C, S> FromRequestParts<S> for Claims<C>
where
    C: Send + Sync + 'static,
    S: Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Rejection> {
        Claims::from_extensions(&parts.extensions)
    }
}

/// `None` when the request has no token. Claims of another type are still a mistake, and 500.
impl<C, S> OptionalFromRequestParts<S> for Claims<C>
where
    C: Send + Sync + 'static,
    S: Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Rejection> {
        match Claims::from_extensions(&parts.extensions) {
            Ok(claims) => Ok(Some(claims)),
            Err(rejection) if rejection.kind() == RejectionKind::MissingCredentials => Ok(None),
            Err(rejection) => Err(rejection),
        }
    }
}

/// The same as [`Rejection::response`].
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.response().map(Body::new)
    }
}

/// The refresh session of the request. 500, naming the mistake in the [`Rejection`], when the
/// layer is missing.
impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Rejection> {
        Self::from_extensions(&parts.extensions)
    }
}

/// `None` where no [`RefreshCookieLayer`](crate::RefreshCookieLayer) stands around the handler. So
/// one handler serves mounts with sessions and mounts without. `Some` does not mean that a client
/// is signed in. Every request behind the layer has a handle, and its methods look the session up.
///
/// ```
/// use axum::{Router, http::Request, routing::get};
/// use tower::ServiceExt;
/// use tower_bearer::Session;
///
/// async fn page(session: Option<Session>) -> &'static str {
///     match session {
///         Some(session) if session.has_cookie() => "welcome back",
///         _ => "hello",
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let app: Router = Router::new().route("/", get(page)); // no layer, and no 500
/// let response = app.oneshot(Request::get("/").body(axum::body::Body::empty())?).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get().cloned())
    }
}

/// The CSRF token of the request. 500, naming the mistake in the [`Rejection`], when the layer is
/// missing.
impl<S: Sync> FromRequestParts<S> for CsrfToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Rejection> {
        Self::from_extensions(&parts.extensions)
    }
}

/// The problem document, `application/problem+json` (RFC 9457).
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.response()
    }
}

/// The JSON of RFC 6749 section 5.1, which no cache keeps.
impl IntoResponse for AccessToken {
    fn into_response(self) -> Response {
        match answer::json(&self) {
            Ok(response) => response.map(Body::new),
            Err(error) => error.into_response(),
        }
    }
}

/// `None` where no [`CsrfLayer`](crate::CsrfLayer) stands around the handler, for a page that is
/// rendered with forms and without. `Some` asks for the token, as the extractor without `Option`
/// does. The answer sets one where the browser has none. A handler that checks the token itself
/// takes [`CsrfToken`]. A missing layer is then a 500 and never a request that passes unchecked.
///
/// ```
/// use axum::response::Html;
/// use tower_bearer::{CsrfToken, rejection::Rejection};
///
/// async fn page(token: Option<CsrfToken>) -> Result<Html<String>, Rejection> {
///     let token = token.map(|token| token.masked()).transpose()?;
///     let meta = token.map(|token| format!(r#"<meta name="csrf-token" content="{token}">"#));
///     Ok(Html(meta.unwrap_or_default()))
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(page));
/// ```
impl<S: Sync> OptionalFromRequestParts<S> for CsrfToken {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        let token = parts.extensions.get::<Self>();
        Ok(token.inspect(|token| token.take()).cloned())
    }
}

/// The answer that the ready-made endpoints give: `application/problem+json` (RFC 9457).
impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        self.response().map(Body::new)
    }
}

/// Returns the session endpoints as routes, for [`Router::merge`]. Unlike a fallback they leave
/// every other path to the router, and `MatchedPath` names them.
///
/// ```
/// use axum::{Router, http::{Request, StatusCode}, routing::post};
/// use tower::ServiceExt;
/// use tower_bearer::{ClaimsError, ClaimsRequest, KeyRing, NoClaims, RefreshCookieLayer, SessionEndpoints, TokenCodec};
/// # use tower_bearer::MemoryStore;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let codec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
/// let sessions = RefreshCookieLayer::new(codec, MemoryStore::new(), claims)?;
/// let auth = Router::new()
///     .route("/login", post(|| async { "your own" }))
///     .merge(SessionEndpoints::new())
///     .layer(sessions);
/// let app: Router = Router::new().nest("/auth", auth);
///
/// let refresh = Request::post("/auth/refresh").body(axum::body::Body::empty())?;
/// assert_eq!(app.oneshot(refresh).await?.status(), StatusCode::UNAUTHORIZED); // no cookie yet
/// # Ok(())
/// # }
/// ```
impl<S, B> From<SessionEndpoints<B>> for Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    fn from(endpoints: SessionEndpoints<B>) -> Self {
        let endpoints = endpoints.with_body::<Body>();
        Self::new()
            .route_service("/csrf", endpoints.clone())
            .route_service("/refresh", endpoints.clone())
            .route_service("/logout", endpoints.clone())
            .route_service("/logout-all", endpoints.clone())
            .route_service("/session", endpoints.clone())
            .route_service("/sessions", endpoints.clone())
            .route_service("/sessions/{id}", endpoints.clone())
            .route_service("/sessions/{id}/end", endpoints)
    }
}

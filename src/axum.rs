//! Extractors for axum (feature `axum`).

use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, request::Parts};

use crate::{
    csrf::CsrfToken,
    refresh::Session,
    rejection::{DefaultRejection, Refusal, Rejection, RejectionKind},
    session::SessionError,
    token::Claims,
};

/// The claims of whoever is signed in. 401 when the bearer layer is optional and nobody is; 500,
/// naming the mistake in the [`Rejection`], when the layer is missing.
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

/// `None` when nobody is signed in. Claims of another type are still a mistake, and 500.
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

/// The answer that a layer with this rejection would give, with an empty body.
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let refusal = Refusal::<DefaultRejection>::default();
        refusal.answer::<Body>(&HeaderMap::new(), self)
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

/// The CSRF token of the request. 500, naming the mistake in the [`Rejection`], when the layer is
/// missing.
impl<S: Sync> FromRequestParts<S> for CsrfToken {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Rejection> {
        Self::from_extensions(&parts.extensions)
    }
}

/// The answer that the ready-made endpoints give: `application/problem+json` (RFC 9457).
impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        self.response().map(Body::new)
    }
}

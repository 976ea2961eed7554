//! `SessionEndpoints`.

use std::{
    convert::Infallible,
    error::Error,
    fmt,
    marker::PhantomData,
    task::{Context, Poll},
};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::{future::EndpointsFuture, settings::Settings};
use crate::{
    config::ConfigError, cookie::path, csrf::csrf_token::CsrfToken, refresh::session::Session,
};

/// Serves refresh, sign-out, a look at the session, the list and the CSRF token. Mount it below the cookie's path.
///
/// | call | success |
/// |---|---|
/// | `GET {base}/csrf` | 200 with `csrf_token` |
/// | `POST {base}/refresh` | 200 with `access_token`, `token_type`, `expires_in`, `session` and `session_expires_in`; `idle_expires_in` where that is shorter |
/// | `POST {base}/logout` | 204, also without a session |
/// | `POST {base}/logout-all` | 204 |
/// | `GET {base}/session` | 200 with `id`, `subject`, `created_at` and `expires_at`: [`Session::peek`] |
/// | `GET {base}/sessions` | 200 with the list |
/// | `DELETE {base}/sessions/{id}` | 204 |
///
/// `{base}` is the path of the layer's cookie, and `/auth` where `cookie_path` is `/`; [`base`](Self::base) names
/// another one. A router or a proxy in front may take leading segments of it off, all of them too.
///
/// Failures are `application/problem+json` (RFC 9457), with a `code` for programs:
///
/// | failure | status and `code` | cookie |
/// |---|---|---|
/// | no refresh cookie | 401 `no_session` | none |
/// | forged, unknown, expired, outdated, without its jar cookie, or the store lost state | 401 `invalid_session` | kept |
/// | revoked, a replaced token as thieves have it, subject denied | 401 `invalid_session` | cleared |
/// | cookies of two live sessions, and no CSRF token says which; any refresh cookie where tokens travel in bodies | 400 `ambiguous_session` | kept; cleared by `logout` |
/// | cookies of several sessions, and the CSRF token is of a dead one where another lives | 403 `csrf` | kept |
/// | the user authenticated longer ago than [`recent_auth_to_end_others`](crate::refresh::RefreshCookieBuilder::recent_auth_to_end_others): `logout-all`, and the end of another session | 403 `insufficient_user_authentication` with `max_age` | kept |
/// | a session of another subject, or of none | 404 `not_found` | kept |
/// | another method | 405 `method_not_allowed` with `Allow` | kept |
/// | look, list, revocation or sign-out everywhere from a client that has not refreshed yet, also where it is late | 409 `refresh_first` | kept |
/// | late otherwise: a newer cookie is in the browser, or will be in a moment | 409 `superseded` with `Retry-After` | kept |
/// | the same at `logout-all`, unless with [`keep_current`](Self::keep_current): a client that leaves does not wait | 401 `invalid_session` | kept |
/// | one token far too often | 429 `too_many_requests` with `Retry-After` | kept |
/// | the claims cannot be minted: [`Internal`](crate::SessionErrorKind::Internal) | 500 `internal` | kept |
/// | store or claims away | 503 `unavailable` with `Retry-After` | kept; cleared by `logout`, unless cookies of several sessions came |
/// | [`RefreshCookieLayer`](crate::RefreshCookieLayer) is missing, or for `csrf` [`CsrfLayer`](crate::CsrfLayer) | 500 `layer_missing` | kept |
///
/// A refresh whose request says `X-Session-Activity: passive` is no use of the session: see
/// [`idle_lifetime`](crate::refresh::RefreshCookieBuilder::idle_lifetime).
///
/// A client with a name that is new to the session is answered 409 `superseded` once, with the next cookie. The same
/// request then succeeds: see [the decision](crate::manual::sessions#the-decision).
///
/// The CSRF token is for the session of the refresh cookie, which may have ended. The guard judges by the cookie
/// alone. So a sign-in and a sign-out work beside a dead one, and while the store is away. The store is asked where
/// genuine cookies of several sessions came. The token is then for the live one.
///
/// With [`RefreshTransport::Body`](crate::refresh::RefreshTransport::Body) each call is a `POST` of JSON with
/// `refresh_token`, at most 4 KiB. Refresh answers a new one beside the access token when there is one. The look is
/// `POST {base}/session`, the list `POST {base}/sessions`, and `POST {base}/sessions/{id}/end` ends one of its
/// sessions. No browser adds the token there, so there is no CSRF token.
///
/// The answers have bodies of the type `B`, which can be made of a text.
///
/// There is an example on the [module page](crate::refresh).
#[must_use]
pub struct SessionEndpoints<B = String> {
    settings: Settings,
    body: PhantomData<fn() -> B>,
}

impl SessionEndpoints {
    /// An OpenAPI 3.1 document of the endpoints with every default. Nest it into your own below the cookie's path. It
    /// is plain text, so that no generator's types become part of this crate. A test compares it with the endpoints'
    /// answers.
    ///
    /// ```
    /// use tower_bearer::SessionEndpoints;
    ///
    /// let document: serde_json::Value = serde_json::from_str(SessionEndpoints::OPENAPI)?;
    /// assert_eq!(document["paths"]["/refresh"]["post"]["operationId"], "refreshSession");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub const OPENAPI: &'static str = include_str!("openapi.json");

    /// Returns the endpoints with every default.
    pub fn new() -> Self {
        Self {
            settings: Settings::default(),
            body: PhantomData,
        }
    }
}

impl<B> SessionEndpoints<B> {
    /// Gives the answers bodies of another type.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http_body_util::Full;
    /// use tower_bearer::SessionEndpoints;
    ///
    /// let endpoints = SessionEndpoints::new().with_body::<Full<Bytes>>();
    /// # let _ = endpoints;
    /// ```
    pub fn with_body<T: From<String>>(self) -> SessionEndpoints<T> {
        SessionEndpoints {
            settings: self.settings,
            body: PhantomData,
        }
    }

    /// Sets the path below which the endpoints lie, where they are a plain service outside the cookie's path.
    /// Default: the cookie's path; `/auth` where `cookie_path` is `/`, as with
    /// [`host_prefix`](crate::refresh::RefreshCookieBuilder::host_prefix).
    ///
    /// A router that takes the whole path off needs none.
    ///
    /// ```
    /// use tower_bearer::SessionEndpoints;
    ///
    /// let endpoints = SessionEndpoints::new().base("/api/session")?; // POST /api/session/refresh, ...
    /// # let _ = endpoints;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When it is not an absolute path as browsers write it, or ends with a slash. `/` alone is accepted.
    pub fn base(mut self, path: impl AsRef<str>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        path::check(path).map_err(|problem| ConfigError::about("base", path, problem))?;
        self.settings.base = Some(path.into());
        Ok(self)
    }

    /// Answers `accessToken`, `tokenType`, `expiresIn`, `refreshToken`, `sessionExpiresIn`, `idleExpiresIn` and
    /// `csrfToken` instead of the names with underscores, for clients written that way. Default: off.
    ///
    /// Tokens alone are spelt so: `GET {base}/session`, the list of sessions and problems keep their names.
    pub fn camel_case(mut self, camel_case: bool) -> Self {
        self.settings.camel_case = camel_case;
        self
    }

    /// Lets `logout-all` keep the session that asks, with a new token. Default: off, it ends too.
    pub fn keep_current(mut self) -> Self {
        self.settings.keep_current = true;
        self
    }
}

impl<B, T> Service<Request<B>> for SessionEndpoints<T>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    T: From<String>,
{
    type Response = Response<T>;
    type Error = Infallible;
    type Future = EndpointsFuture<T>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let session = request.extensions().get::<Session>().cloned();
        let csrf = request.extensions().get::<CsrfToken>().map(|csrf| {
            let is_left = csrf.is_left(request.headers());
            (csrf.clone(), is_left)
        });
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let body = request.into_body();
        let answer = self
            .settings
            .clone()
            .answer(method, path, session, csrf, body);
        // Nothing around it: every future around another one is moved in with it, at twice the size.
        EndpointsFuture::new(Box::pin(answer))
    }
}

// By hand, because a derive would ask for `B: Clone`.
impl<B> Clone for SessionEndpoints<B> {
    fn clone(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            body: PhantomData,
        }
    }
}

impl Default for SessionEndpoints {
    /// The same as [`new`](Self::new).
    fn default() -> Self {
        Self::new()
    }
}

impl<B> fmt::Debug for SessionEndpoints<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settings, body: _ } = self;
        f.debug_tuple("SessionEndpoints").field(settings).finish()
    }
}

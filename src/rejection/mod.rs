//! Why a layer refused a request, and the answer the client sees.
//!
//! A [`Rejection`] says everything a refusal consists of: the kind, the status, the challenge and the typed reason. The
//! reason stays inside. It goes into the extensions of the response and into one event, and the client learns the kind
//! alone.

mod grpc;
mod kind;
mod problem;
mod reason;
mod response;

use std::{borrow::Cow, error::Error, fmt, time::Duration};

use http::{HeaderValue, StatusCode};

pub(crate) use grpc::GrpcMark;
pub use kind::RejectionKind;
pub use reason::{CsrfReason, OriginReason};
pub use response::{CustomRejection, DefaultRejection, ProblemJson, RejectionResponse};

use crate::{problem::Problem, token::TokenError};

/// Why a layer refused a request.
///
/// Every layer of this crate puts it into the extensions of its response, whatever body a custom answer has. So a layer
/// further out can log or count it.
///
/// ```
/// use http::Response;
/// use tower_bearer::rejection::{Rejection, RejectionKind};
///
/// fn is_expected<B>(response: &Response<B>) -> bool {
///     match response.extensions().get::<Rejection>() {
///         Some(rejection) => rejection.kind() != RejectionKind::Internal,
///         None => true,
///     }
/// }
/// # assert!(is_expected(&Response::new(())));
/// ```
#[derive(Clone, Debug)]
pub struct Rejection {
    kind: RejectionKind,
    reason: Cow<'static, str>,
    token: Option<TokenError>,
    origin: Option<OriginReason>,
    found: Option<Box<Found>>,
    csrf: Option<CsrfReason>,
    challenge: Option<HeaderValue>,
    retry_after: Option<Duration>,
    /// A layer is missing, or in the wrong place: the text is for the developer.
    wiring: bool,
    /// The application's sink has the report.
    told: bool,
    /// The text says all: the reason behind it would mislead.
    alone: bool,
    /// The answer has a body that is to be filled.
    bare: bool,
}

/// The subject of a refusal of some kind, for the log.
#[derive(Clone, Debug)]
enum Found {
    Origin(HeaderValue),
    Scopes {
        wanted: String,
        present: Option<String>,
    },
    /// How long ago the user may have authenticated.
    MaxAge(Duration),
}

/// When a client may come back after a 503. Short, because the usual cause is a failover.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Rejection {
    pub(crate) fn new(kind: RejectionKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            token: None,
            origin: None,
            found: None,
            csrf: None,
            challenge: None,
            retry_after: (kind == RejectionKind::Unavailable).then_some(RETRY_AFTER),
            wiring: false,
            told: false,
            alone: false,
            bare: false,
        }
    }

    /// A mistake in how the application put its layers together.
    pub(crate) fn wiring(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            wiring: true,
            ..Self::new(RejectionKind::Internal, reason)
        }
    }

    /// The layer that has to be around `user` is not, or does not reach it. `part` is what of an `Auth` has it.
    pub(crate) fn missing_layer(layer: &str, user: &str, part: &str) -> Self {
        let reach = "axum's layer and route_layer reach only the routes added before them";
        Self::wiring(format!(
            "{layer} is missing: it must wrap {user} (with Auth, {part} has it; {reach})"
        ))
    }

    /// Whether a sink of the application's has the report.
    pub(crate) fn is_told(&self) -> bool {
        self.told
    }

    pub(crate) fn mark_told(&mut self) {
        self.told = true;
    }

    /// Notes that the answer's body is left for a layer further out.
    pub(crate) fn leave_body(&mut self) {
        self.bare = true;
    }

    /// Returns the problem to fill the body with, once.
    pub(crate) fn take_body(&mut self) -> Option<Problem> {
        std::mem::take(&mut self.bare).then(|| self.problem())
    }

    /// Whether the text names a mistake in the wiring, and the cure.
    pub(crate) fn is_wiring(&self) -> bool {
        self.wiring
    }

    /// A request without a token, where one is asked for.
    pub(crate) fn missing_credentials(challenge: HeaderValue) -> Self {
        Self::new(
            RejectionKind::MissingCredentials,
            "the request carries no bearer token. A script sends the header Authorization: Bearer TOKEN. A sign-in \
             route lies outside of BearerAuthLayer",
        )
        .with_challenge(challenge)
    }

    /// A good token whose scopes do not suffice; `claims` are those that they were read from.
    pub(crate) fn insufficient_scope(wanted: String, present: Option<&str>, claims: &str) -> Self {
        let present = present.map(str::to_owned);
        Self {
            found: Some(Box::new(Found::Scopes { wanted, present })),
            ..Self::new(
                RejectionKind::InsufficientScope,
                format!(
                    "the access token does not carry the required scope: the claims that it was minted with \
                     have to grant it. Scopes were read from {claims}, .scope_claims([...]) names others"
                ),
            )
        }
    }

    /// A good token whose user authenticated too long ago, or in another way than is asked for.
    pub(crate) fn insufficient_user_authentication(
        reason: &'static str,
        max_age: Duration,
    ) -> Self {
        Self {
            found: Some(Box::new(Found::MaxAge(max_age))),
            ..Self::new(RejectionKind::InsufficientUserAuthentication, reason)
        }
    }

    /// A refused token.
    pub(crate) fn token(error: TokenError) -> Self {
        Self {
            token: Some(error),
            ..Self::new(
                RejectionKind::InvalidToken,
                "the access token is not acceptable",
            )
        }
    }

    /// A token that cannot be judged before the issuer's keys have come.
    pub(crate) fn keys_unavailable(error: TokenError, retry_after: Duration) -> Self {
        Self {
            token: Some(error),
            retry_after: Some(retry_after),
            ..Self::new(
                RejectionKind::Unavailable,
                "the keys to verify the access token with are unavailable",
            )
        }
    }

    /// A request from a foreign origin, by its `Origin`. `lacking` is the text for logs.
    pub(crate) fn origin(
        reason: OriginReason,
        origin: Option<&HeaderValue>,
        lacking: &'static str,
    ) -> Self {
        Self {
            origin: Some(reason),
            found: origin.map(|origin| Box::new(Found::Origin(origin.clone()))),
            ..Self::new(RejectionKind::ForeignOrigin, lacking)
        }
    }

    /// A request without the CSRF token of its session.
    pub(crate) fn csrf(reason: CsrfReason) -> Self {
        let (kind, text) = match reason {
            CsrfReason::BodyTooLarge => (
                RejectionKind::ContentTooLarge,
                "the form is too long to look for a CSRF token in it",
            ),
            _ => (
                RejectionKind::CsrfFailed,
                "the request does not carry the CSRF token of its session",
            ),
        };
        Self {
            csrf: Some(reason),
            ..Self::new(kind, text)
        }
    }

    /// The same, with another text for logs.
    pub(crate) fn saying(self, reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason: reason.into(),
            ..self
        }
    }

    /// The same, and the text stands alone: the usual cure of the reason would mislead.
    pub(crate) fn saying_alone(self, reason: &'static str) -> Self {
        Self {
            alone: true,
            ..self.saying(reason)
        }
    }

    pub(crate) fn with_challenge(self, challenge: HeaderValue) -> Self {
        Self {
            challenge: Some(challenge),
            ..self
        }
    }

    /// Returns the kind of refusal.
    pub fn kind(&self) -> RejectionKind {
        self.kind
    }

    /// Returns the status of the HTTP answer, a 4xx or a 5xx. Where a [`GrpcLayer`](crate::GrpcLayer) has found the
    /// request to be gRPC, the answer is 200 with a `grpc-status`.
    pub fn status(&self) -> StatusCode {
        match self.kind {
            RejectionKind::ContentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            RejectionKind::CsrfFailed
            | RejectionKind::Forbidden
            | RejectionKind::ForeignOrigin
            | RejectionKind::InsecureTransport
            | RejectionKind::InsufficientScope => StatusCode::FORBIDDEN,
            RejectionKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            RejectionKind::InvalidRequest => StatusCode::BAD_REQUEST,
            RejectionKind::InsufficientUserAuthentication
            | RejectionKind::InvalidToken
            | RejectionKind::MissingCredentials => StatusCode::UNAUTHORIZED,
            RejectionKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Returns the code to close a WebSocket with: 4000 and the [`status`](Self::status), so 4401 for an expired token. Codes from
    /// 4000 on are for applications (RFC 6455 section 7.4.2).
    ///
    /// ```
    /// use tower_bearer::{BearerAuthLayer, KeyRing, TokenCodec};
    ///
    /// let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
    ///     .issuer("https://id.example")
    ///     .audience("api")
    ///     .build()?;
    /// let refused = BearerAuthLayer::new(codec).connect("no token").unwrap_err();
    /// assert_eq!(refused.close_code(), 4400); // no text that a token can be
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn close_code(&self) -> u16 {
        4000 + self.status().as_u16()
    }

    /// Returns the most precise reason there is, as a name in `snake_case` that does not change. It is the kind of the
    /// [`TokenError`], the [`OriginReason`] or the [`CsrfReason`]. It is `revoked` where the application's own check
    /// refused the token. Where none of these is known, it is the kind of the rejection. For logs and labels of
    /// metrics, never for a client.
    pub fn reason(&self) -> &'static str {
        let token = self.token.as_ref().map(|error| error.kind().as_str());
        let origin = self.origin.map(OriginReason::as_str);
        let csrf = self.csrf.map(CsrfReason::as_str);
        let reason = token.or(origin).or(csrf);
        reason.unwrap_or(match self.kind {
            RejectionKind::InvalidToken => "revoked",
            kind => kind.as_str(),
        })
    }

    /// Returns why the token was refused, when the token itself was at fault. For logs and tests only: telling a client
    /// whether a token was forged or expired helps only an attacker.
    pub fn token_error(&self) -> Option<&TokenError> {
        self.token.as_ref()
    }

    /// Returns why the origin was refused, for [`RejectionKind::ForeignOrigin`].
    pub fn origin_reason(&self) -> Option<OriginReason> {
        self.origin
    }

    /// Returns the value of `Origin`, if it came, for [`RejectionKind::ForeignOrigin`]: the first line of several. The
    /// client wrote it, so print it with `{:?}`, which escapes it. The list lacks it, or a page asks that should not.
    pub fn foreign_origin(&self) -> Option<&HeaderValue> {
        match self.found.as_deref()? {
            Found::Origin(origin) => Some(origin),
            Found::Scopes { .. } | Found::MaxAge(_) => None,
        }
    }

    /// Returns the fault of the CSRF token, for [`RejectionKind::CsrfFailed`] and [`RejectionKind::ContentTooLarge`].
    pub fn csrf_reason(&self) -> Option<CsrfReason> {
        self.csrf
    }

    /// Returns the scopes that [`RequireScopeLayer`](crate::RequireScopeLayer) asks for, with a space between two,
    /// for [`RejectionKind::InsufficientScope`].
    pub fn wanted_scope(&self) -> Option<&str> {
        match self.found.as_deref()? {
            Found::Scopes { wanted, .. } => Some(wanted),
            Found::Origin(_) | Found::MaxAge(_) => None,
        }
    }

    /// Returns the scopes of the refused token, for [`RejectionKind::InsufficientScope`]. `None` where the token
    /// has no claim that they are read from.
    pub fn present_scope(&self) -> Option<&str> {
        match self.found.as_deref()? {
            Found::Scopes { present, .. } => present.as_deref(),
            Found::Origin(_) | Found::MaxAge(_) => None,
        }
    }

    /// Returns how long ago the user may have authenticated, for [`RejectionKind::InsufficientUserAuthentication`].
    pub fn max_age(&self) -> Option<Duration> {
        match self.found.as_deref()? {
            Found::MaxAge(max_age) => Some(*max_age),
            Found::Origin(_) | Found::Scopes { .. } => None,
        }
    }

    /// Returns the value of `WWW-Authenticate` (RFC 6750 section 3), where the answer carries one.
    pub fn challenge(&self) -> Option<&HeaderValue> {
        self.challenge.as_ref()
    }

    /// Returns how long the client is asked to wait, where the answer carries `Retry-After`. It is in whole seconds
    /// (RFC 9110 section 10.2.3): five, or up to 60 where the issuer's keys need them.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let token = self.token.as_ref().map(|e| e as &(dyn Error + 'static));
        let origin = self.origin.as_ref().map(|e| e as &(dyn Error + 'static));
        let csrf = self.csrf.as_ref().map(|e| e as &(dyn Error + 'static));
        token.or(origin).or(csrf).filter(|_| !self.alone)
    }
}

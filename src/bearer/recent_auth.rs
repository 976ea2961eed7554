//! `RequireRecentAuth`: how recently the user has to have authenticated (RFC 9470).

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Extensions, HeaderValue, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::challenge::{Acr, Challenge, step_up};
use crate::{
    answer::Refusal,
    event::EventSink,
    future::GuardFuture,
    rejection::{CustomRejection, DefaultRejection, ProblemJson, Rejection, RejectionResponse},
    request::Anonymous,
    token::{NotRecent, TokenContext},
};

/// Accepts only requests whose user authenticated recently. Put it in front of actions that a
/// stolen or unattended browser must not take, such as deleting the account.
///
/// The time is the claim `auth_time` of the token. Tokens of sessions have it where the session layer says
/// [`authentication_in_tokens(true)`](crate::refresh::RefreshCookieBuilder::authentication_in_tokens). A sign-in and
/// [`Session::elevate`](crate::Session::elevate) set it, and a refresh does not. A token without a usable time is as
/// good as before, and not recent.
///
/// The answer is a 401 with the challenge of RFC 9470 section 3, and `max_age` in the problem document. It is not the
/// end of the session, and a refresh does not help. The page asks for the credentials. The application checks them and
/// calls [`Session::elevate`](crate::Session::elevate). The page tries again with the token of that answer: see
/// [the manual](crate::manual::sessions#ask-for-the-password-again).
///
/// It goes *inside* of [`BearerAuthLayer`](crate::BearerAuthLayer) and reads its claims. It
/// continues that layer's challenge: realm, scope and `resource_metadata` are the same. The time is
/// that of the codec that judged the token. Without that layer it answers 500 and never passes a
/// request on. Behind one that is optional, a request without a token is answered 401.
///
/// A CORS layer belongs outside of both. Behind [`preflight(true)`](crate::BearerAuthLayer::preflight) a preflight gets
/// here without a token, and is answered 401.
///
/// ```
/// use std::time::Duration;
///
/// use axum::{Router, http::{Request, StatusCode}, routing::post};
/// use tower::ServiceExt;
/// use tower_bearer::{BearerAuthLayer, KeyRing, NoClaims, RequireRecentAuth, TokenCodec};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// // Of no session: it does not say when its user authenticated.
/// let token = codec.mint("user-1", &NoClaims {})?;
///
/// let recent = RequireRecentAuth::max_age(Duration::from_secs(300));
/// let app: Router = Router::new()
///     .route("/account/delete", post(async || "gone").layer(recent))
///     .layer(BearerAuthLayer::new(codec));
/// let request = Request::post("/account/delete")
///     .header("authorization", format!("Bearer {}", token.as_str()))
///     .body(axum::body::Body::empty())?;
/// let response = app.oneshot(request).await?;
/// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
/// let challenge = response.headers()["www-authenticate"].to_str()?;
/// assert!(challenge.contains("error=\"insufficient_user_authentication\""));
/// assert!(challenge.contains("max_age=\"300\""));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct RequireRecentAuth<R = DefaultRejection> {
    config: Arc<Config>,
    refusal: Refusal<R>,
}

/// The service of [`RequireRecentAuth`](crate::RequireRecentAuth), which has an example.
#[derive(Clone)]
pub struct RecentAuth<S, R = DefaultRejection> {
    inner: S,
    config: Arc<Config>,
    refusal: Refusal<R>,
}

#[derive(Clone)]
struct Config {
    max_age: Duration,
    acr_values: Vec<Acr>,
}

impl Config {
    fn decide(&self, extensions: &Extensions) -> Result<(), Rejection> {
        let Some(token) = extensions.get::<TokenContext>() else {
            return Err(match extensions.get::<Anonymous>() {
                Some(Anonymous { challenge }) => Rejection::missing_credentials(challenge.clone()),
                None => Rejection::missing_layer(
                    "BearerAuthLayer",
                    "RequireRecentAuth",
                    "auth.bearer()",
                ),
            });
        };
        let why = match token.recent(self.max_age) {
            Ok(()) if self.is_sure(token) => return Ok(()),
            Ok(()) => ANOTHER_CLASS,
            Err(NotRecent::Future) => FUTURE,
            Err(NotRecent::Missing) => MISSING,
            Err(NotRecent::Odd) => ODD,
            Err(NotRecent::TooOld) => TOO_OLD,
        };
        Err(self.refused(token, why))
    }

    /// Whether the context class is one that is asked for.
    fn is_sure(&self, token: &TokenContext) -> bool {
        self.acr_values.is_empty()
            || token
                .acr()
                .is_some_and(|acr| self.acr_values.iter().any(|asked| asked.as_str() == acr))
    }

    #[cold]
    fn refused(&self, token: &TokenContext, why: &'static str) -> Rejection {
        let default = || Challenge::default().render(None);
        let base = token.challenge().map_or_else(default, HeaderValue::clone);
        let challenge = step_up(&base, self.max_age, &self.acr_values);
        Rejection::insufficient_user_authentication(why, self.max_age).with_challenge(challenge)
    }
}

const ANOTHER_CLASS: &str = "acr of the access token is none of .acr_values([...]). The client asks for another \
     kind of authentication, and the application calls Session::elevate_with(Elevation::new().acr(...))";
const FUTURE: &str = "auth_time of the access token lies in the future. This clock is behind that of its issuer, \
     or the issuer counts milliseconds";
const MISSING: &str = "the access token does not say when its user authenticated. The session layer mints \
     auth_time with .authentication_in_tokens(true). A remote issuer has to be configured for it";
const ODD: &str = "auth_time of the access token is no number of seconds since 1970";
const TOO_OLD: &str = "the user authenticated longer ago than max_age: the client asks for the credentials, and the \
     application calls Session::elevate. A refresh does not help";

impl RequireRecentAuth {
    /// Requires that the user authenticated at most `max_age` ago, inclusive. The challenge says it in whole
    /// seconds, rounded down.
    ///
    /// It counts from whole seconds: `auth_time` has no fractions. So an authentication looks up to a second older
    /// than it is. The step-up and the request behind it have to fit: a minute is short.
    pub fn max_age(max_age: Duration) -> Self {
        Self {
            config: Arc::new(Config {
                max_age,
                acr_values: Vec::new(),
            }),
            refusal: Refusal::default(),
        }
    }
}

impl<R> RequireRecentAuth<R> {
    /// Requires one of these authentication context classes too, and names them in the challenge
    /// (RFC 9470 section 3). Put the preferred one first. Default: any, and none.
    ///
    /// Each step-up of the application then names the class that it has reached
    /// ([`Elevation::acr`](crate::refresh::Elevation::acr)): after [`Session::elevate`](crate::Session::elevate) alone
    /// there is none.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_bearer::RequireRecentAuth;
    ///
    /// // A password is not enough.
    /// let recent = RequireRecentAuth::max_age(Duration::from_secs(300))
    ///     .acr_values(["urn:example:aal2".parse()?]);
    /// # let _ = recent;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn acr_values(mut self, values: impl IntoIterator<Item = Acr>) -> Self {
        let config = Arc::make_mut(&mut self.config);
        config.acr_values = values.into_iter().collect();
        self
    }

    /// Sets where refusals are reported to.
    pub fn events(mut self, events: EventSink) -> Self {
        self.refusal.events = events;
        self
    }

    /// Answers refused requests with `application/problem+json` (RFC 9457), for every body that can be made of
    /// [`Bytes`](bytes::Bytes): [`ProblemJson`]. With the feature `axum`, bodies of axum have it anyway.
    pub fn problem_json(self) -> RequireRecentAuth<ProblemJson> {
        RequireRecentAuth {
            config: self.config,
            refusal: self.refusal.with_responder(ProblemJson),
        }
    }

    /// Replaces the answer to refused requests. The layer adds what the contract requires. A status
    /// outside 400 to 599, such as a redirect's, becomes the rejection's own; see
    /// [`RejectionResponse`].
    pub fn rejection_response<B>(
        self,
        response: impl Fn(&Rejection) -> Response<B> + Send + Sync + 'static,
    ) -> RequireRecentAuth<CustomRejection<B>> {
        RequireRecentAuth {
            config: self.config,
            refusal: self.refusal.with_responder(CustomRejection::new(response)),
        }
    }
}

impl<S, R: Clone> Layer<S> for RequireRecentAuth<R> {
    type Service = RecentAuth<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        RecentAuth {
            inner,
            config: self.config.clone(),
            refusal: self.refusal.clone(),
        }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for RecentAuth<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: RejectionResponse<ResBody>,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = GuardFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match self.config.decide(request.extensions()) {
            Ok(()) => GuardFuture::passed(self.inner.call(request)),
            Err(rejection) => {
                GuardFuture::refused(self.refusal.answer(request.extensions(), rejection))
            }
        }
    }
}

impl<R: fmt::Debug> fmt::Debug for RequireRecentAuth<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, refusal } = self;
        let Config {
            max_age,
            acr_values,
        } = &**config;
        f.debug_struct("RequireRecentAuth")
            .field("max_age", max_age)
            .field("acr_values", acr_values)
            .field("refusal", refusal)
            .finish()
    }
}

impl<S: fmt::Debug, R: fmt::Debug> fmt::Debug for RecentAuth<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inner,
            config,
            refusal,
        } = self;
        f.debug_struct("RecentAuth")
            .field("inner", inner)
            .field("max_age", &config.max_age)
            .field("acr_values", &config.acr_values)
            .field("refusal", refusal)
            .finish()
    }
}

//! `RequireClaimsLayer`: what a token's claims have to say.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    answer::Refusal,
    event::EventSink,
    future::GuardFuture,
    rejection::{
        CustomRejection, DefaultRejection, ProblemJson, Rejection, RejectionKind, RejectionResponse,
    },
    token::{Claims, NoClaims},
};

/// Lets requests through whose verified claims satisfy a rule of the application: a role, a tenant, a plan.
///
/// It goes *inside* of [`BearerAuthLayer`](crate::BearerAuthLayer), whose claims it reads, and answers 403
/// [`Forbidden`](RejectionKind::Forbidden) where the rule says no. The answer has no challenge: `insufficient_scope`
/// of RFC 6750 section 3.1 is about scopes, for which [`RequireScopeLayer`](crate::RequireScopeLayer) is there.
/// Behind a bearer layer that is optional, a request without a token is answered 401. Without that layer, or
/// where its claims are of another type, the answer is a 500 that names the mistake.
///
/// A CORS layer belongs outside of both. Behind [`preflight(true)`](crate::BearerAuthLayer::preflight) a preflight gets
/// here without a token, and is answered 401.
///
/// ```
/// use axum::{Router, http::{Request, StatusCode}, routing::get};
/// use serde::{Deserialize, Serialize};
/// use tower::ServiceExt;
/// use tower_bearer::{BearerAuthLayer, Claims, KeyRing, RequireClaimsLayer, TokenCodec};
///
/// #[derive(Serialize, Deserialize)]
/// struct Role {
///     role: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let codec = TokenCodec::<Role>::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let token = codec.mint("user-1", &Role { role: "reader".into() })?;
///
/// let admins = RequireClaimsLayer::new(|claims: &Claims<Role>| claims.custom().role == "admin");
/// let app: Router = Router::new()
///     .route("/accounts", get(|| async { "all accounts" }).layer(admins))
///     .layer(BearerAuthLayer::new(codec));
/// let request = Request::get("/accounts")
///     .header("authorization", format!("Bearer {}", token.as_str()))
///     .body(axum::body::Body::empty())?;
/// assert_eq!(app.oneshot(request).await?.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct RequireClaimsLayer<C = NoClaims, R = DefaultRejection> {
    rule: Arc<Rule<C>>,
    refusal: Refusal<R>,
}

/// The service of [`RequireClaimsLayer`](crate::RequireClaimsLayer), which has an example.
pub struct RequireClaims<S, C = NoClaims, R = DefaultRejection> {
    inner: S,
    rule: Arc<Rule<C>>,
    refusal: Refusal<R>,
}

type Rule<C> = dyn Fn(&Claims<C>) -> bool + Send + Sync;

impl<C> RequireClaimsLayer<C> {
    /// Requires that `rule` returns true. It runs for each request and must not block. Do look-ups
    /// where the claims are made, or in the handler.
    pub fn new(rule: impl Fn(&Claims<C>) -> bool + Send + Sync + 'static) -> Self {
        Self {
            rule: Arc::new(rule),
            refusal: Refusal::default(),
        }
    }
}

impl<C, R> RequireClaimsLayer<C, R> {
    /// Sets where refusals are reported to.
    pub fn events(mut self, events: EventSink) -> Self {
        self.refusal.events = events;
        self
    }

    /// Answers refused requests with `application/problem+json` (RFC 9457), for every body that can be made of
    /// [`Bytes`](bytes::Bytes): [`ProblemJson`]. With the feature `axum`, bodies of axum have it anyway.
    pub fn problem_json(self) -> RequireClaimsLayer<C, ProblemJson> {
        RequireClaimsLayer {
            rule: self.rule,
            refusal: self.refusal.with_responder(ProblemJson),
        }
    }

    /// Replaces the answer to refused requests. The layer adds what the contract requires. A status
    /// outside 400 to 599, such as a redirect's, becomes the rejection's own; see
    /// [`RejectionResponse`].
    pub fn rejection_response<B>(
        self,
        response: impl Fn(&Rejection) -> Response<B> + Send + Sync + 'static,
    ) -> RequireClaimsLayer<C, CustomRejection<B>> {
        RequireClaimsLayer {
            rule: self.rule,
            refusal: self.refusal.with_responder(CustomRejection::new(response)),
        }
    }
}

impl<S, C, R: Clone> Layer<S> for RequireClaimsLayer<C, R> {
    type Service = RequireClaims<S, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireClaims {
            inner,
            rule: self.rule.clone(),
            refusal: self.refusal.clone(),
        }
    }
}

fn decide<C>(rule: &Rule<C>, extensions: &Extensions) -> Result<(), Rejection>
where
    C: Send + Sync + 'static,
{
    match rule(&Claims::from_extensions(extensions)?) {
        true => Ok(()),
        false => Err(Rejection::new(
            RejectionKind::Forbidden,
            "the rule of RequireClaimsLayer does not accept the claims of the access token",
        )),
    }
}

impl<S, C, R, ReqBody, ResBody> Service<Request<ReqBody>> for RequireClaims<S, C, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    C: Send + Sync + 'static,
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
        match decide(&*self.rule, request.extensions()) {
            Ok(()) => GuardFuture::passed(self.inner.call(request)),
            Err(rejection) => {
                GuardFuture::refused(self.refusal.answer(request.extensions(), rejection))
            }
        }
    }
}

// By hand, because a derive would ask for `C: Clone`.
impl<C, R: Clone> Clone for RequireClaimsLayer<C, R> {
    fn clone(&self) -> Self {
        Self {
            rule: self.rule.clone(),
            refusal: self.refusal.clone(),
        }
    }
}

impl<S: Clone, C, R: Clone> Clone for RequireClaims<S, C, R> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            rule: self.rule.clone(),
            refusal: self.refusal.clone(),
        }
    }
}

impl<C, R: fmt::Debug> fmt::Debug for RequireClaimsLayer<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule: _, refusal } = self;
        f.debug_struct("RequireClaimsLayer")
            .field("refusal", refusal)
            .finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, C, R: fmt::Debug> fmt::Debug for RequireClaims<S, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inner,
            rule: _,
            refusal,
        } = self;
        f.debug_struct("RequireClaims")
            .field("inner", inner)
            .field("refusal", refusal)
            .finish_non_exhaustive()
    }
}

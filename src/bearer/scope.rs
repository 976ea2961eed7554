//! `RequireScopeLayer`: what a token may be used for.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Extensions, HeaderValue, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::challenge::{Challenge, ErrorCode, Realm, Scope};
use crate::{
    answer::Refusal,
    event::EventSink,
    future::GuardFuture,
    rejection::{CustomRejection, DefaultRejection, ProblemJson, Rejection, RejectionResponse},
    request::Anonymous,
    resource::MetadataUrl,
    token::TokenContext,
};

/// Lets requests through whose token carries every one of the required scopes.
///
/// Its challenge names realm and scope. The client already has a token and mostly knows the issuer.
/// [`resource_metadata`](Self::resource_metadata) names it again, as the Model Context Protocol
/// requires.
///
/// It goes *inside* of [`BearerAuthLayer`](crate::BearerAuthLayer), whose claims it reads: without
/// that layer it answers 500 and never lets anything through.
///
/// A CORS layer belongs outside of both. Behind [`preflight(true)`](crate::BearerAuthLayer::preflight) a preflight gets
/// here without a token, and is answered 401.
///
/// Scopes are read from the claim `scope` or from the claims of
/// [`scope_claims`](crate::token::TokenCodecBuilder::scope_claims). The claim is an array, or a
/// string with a space between two scopes (RFC 8693 section 4.2). A claims type of your own writes
/// it as a member of that name:
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use serde::{Deserialize, Serialize};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_bearer::{BearerAuthLayer, KeyRing, RequireScopeLayer, TokenCodec};
///
/// #[derive(Serialize, Deserialize)]
/// struct Scoped {
///     scope: String,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let codec = TokenCodec::<Scoped>::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let token = codec.mint("user-1", &Scoped { scope: "orders:read".into() })?;
///
/// let service = ServiceBuilder::new()
///     .layer(BearerAuthLayer::new(codec))
///     .layer(RequireScopeLayer::new("orders:read orders:write".parse()?))
///     .service(service_fn(|_: Request<String>| async {
///         Ok::<_, std::convert::Infallible>(Response::new(String::new()))
///     }));
/// let request = Request::get("/orders")
///     .header("authorization", format!("Bearer {}", token.as_str()))
///     .body(String::new())?;
/// assert_eq!(service.oneshot(request).await?.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct RequireScopeLayer<R = DefaultRejection> {
    config: Arc<Config>,
    refusal: Refusal<R>,
}

/// The service of [`RequireScopeLayer`], which has an example.
#[derive(Clone)]
pub struct RequireScope<S, R = DefaultRejection> {
    inner: S,
    config: Arc<Config>,
    refusal: Refusal<R>,
}

#[derive(Clone)]
struct Config {
    scope: Scope,
    realm: Realm,
    resource_metadata: Option<MetadataUrl>,
    insufficient: HeaderValue,
}

impl Config {
    fn render(&mut self) {
        let challenge = Challenge {
            realm: self.realm.clone(),
            scope: Some(self.scope.clone()),
            resource_metadata: self.resource_metadata.clone(),
        };
        self.insufficient = challenge.render(Some(ErrorCode::InsufficientScope));
    }

    fn decide(&self, extensions: &Extensions) -> Result<(), Rejection> {
        if let Some(token) = extensions.get::<TokenContext>() {
            if self.scope.is_granted_by(token.scope().unwrap_or_default()) {
                return Ok(());
            }
            let rejection = Rejection::insufficient_scope(
                self.scope.to_string(),
                token.scope(),
                &token.scope_claims(),
            );
            return Err(rejection.with_challenge(self.insufficient.clone()));
        }
        match extensions.get::<Anonymous>() {
            Some(Anonymous { challenge }) => Err(Rejection::missing_credentials(challenge.clone())),
            None => Err(Rejection::missing_layer(
                "BearerAuthLayer",
                "RequireScopeLayer",
                "auth.bearer()",
            )),
        }
    }
}

impl RequireScopeLayer {
    /// Requires every scope of `scope`, for instance `"admin write".parse()?`.
    pub fn new(scope: Scope) -> Self {
        let mut config = Config {
            scope,
            realm: Realm::default(),
            resource_metadata: None,
            insufficient: HeaderValue::from_static("Bearer"),
        };
        config.render();
        Self {
            config: Arc::new(config),
            refusal: Refusal::default(),
        }
    }
}

impl<R> RequireScopeLayer<R> {
    /// Sets the sink for refusals.
    pub fn events(mut self, events: EventSink) -> Self {
        self.refusal.events = events;
        self
    }

    /// Sets the realm that the challenge names; give the same as to the bearer layer.
    pub fn realm(self, realm: Realm) -> Self {
        self.update(|config| config.realm = realm)
    }

    /// Names in the challenge where a client learns how to obtain a token (RFC 9728 section 5.1).
    /// Give the same as to the bearer layer.
    pub fn resource_metadata(self, url: MetadataUrl) -> Self {
        self.update(|config| config.resource_metadata = Some(url))
    }

    /// Answers refused requests with `application/problem+json` (RFC 9457), for every body that can be made of
    /// [`Bytes`](bytes::Bytes): [`ProblemJson`]. With the feature `axum`, bodies of axum have it anyway.
    pub fn problem_json(self) -> RequireScopeLayer<ProblemJson> {
        RequireScopeLayer {
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
    ) -> RequireScopeLayer<CustomRejection<B>> {
        RequireScopeLayer {
            config: self.config,
            refusal: self.refusal.with_responder(CustomRejection::new(response)),
        }
    }

    fn update(mut self, change: impl FnOnce(&mut Config)) -> Self {
        let config = Arc::make_mut(&mut self.config);
        change(config);
        config.render();
        self
    }
}

impl<S, R: Clone> Layer<S> for RequireScopeLayer<R> {
    type Service = RequireScope<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireScope {
            inner,
            config: self.config.clone(),
            refusal: self.refusal.clone(),
        }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for RequireScope<S, R>
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

impl<R: fmt::Debug> fmt::Debug for RequireScopeLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, refusal } = self;
        f.debug_struct("RequireScopeLayer")
            .field("scope", &config.scope)
            .field("refusal", refusal)
            .finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, R: fmt::Debug> fmt::Debug for RequireScope<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            inner,
            config,
            refusal,
        } = self;
        f.debug_struct("RequireScope")
            .field("inner", inner)
            .field("scope", &config.scope)
            .field("refusal", refusal)
            .finish_non_exhaustive()
    }
}

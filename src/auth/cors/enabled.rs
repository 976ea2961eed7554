//! CORS (Fetch standard) for the pages of the listed origins, by `tower-http`.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Method, Request, Response, header, request::Parts};
use tower_http::cors::{self, AllowOrigin, CorsLayer};
use tower_layer::Layer;
use tower_service::Service;

use crate::{origin::Origin, session::SESSION_ACTIVITY};

/// How long a browser keeps the answer to its preflight.
const KEPT: Duration = Duration::from_secs(600);

/// CORS where the application asks for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Cors(Option<CorsLayer>);

/// The same under the name that other files use.
pub(super) use AuthCors as CorsService;

impl Cors {
    /// Lets pages of `origins` call, and send their CSRF token in the header `csrf`.
    pub(super) fn new(origins: Vec<Origin>, csrf: HeaderName) -> Self {
        let listed = move |origin: &HeaderValue, _: &Parts| {
            let origin = origin.to_str().unwrap_or_default();
            origins.iter().any(|entry| entry.matches(origin))
        };
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(listed))
            .allow_credentials(true)
            .allow_methods([
                Method::GET,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                csrf,
                SESSION_ACTIVITY,
            ])
            // A refusal says these beside its body. All of them are here: the list replaces that of the answer.
            .expose_headers([
                header::RETRY_AFTER,
                header::WWW_AUTHENTICATE,
                HeaderName::from_static("grpc-message"),
                HeaderName::from_static("grpc-status"),
            ])
            .max_age(KEPT);
        Self(Some(layer))
    }

    pub(super) fn around<S>(&self, inner: S) -> CorsService<S> {
        AuthCors(match &self.0 {
            Some(layer) => Choice::With(layer.layer(inner)),
            None => Choice::Without(inner),
        })
    }
}

/// A service with CORS where [`AuthBuilder::cors`](super::AuthBuilder::cors) asks for it.
#[derive(Clone, Debug)]
pub struct AuthCors<S>(Choice<S>);

#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "routers clone a service for each request, and a box would allocate each time"
)]
enum Choice<S> {
    With(cors::Cors<S>),
    Without(S),
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for AuthCors<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    ResBody: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = AuthCorsFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match &mut self.0 {
            Choice::With(inner) => inner.poll_ready(cx),
            Choice::Without(inner) => inner.poll_ready(cx),
        }
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        AuthCorsFuture {
            kind: match &mut self.0 {
                Choice::With(inner) => Kind::With {
                    future: inner.call(request),
                },
                Choice::Without(inner) => Kind::Without {
                    future: inner.call(request),
                },
            },
        }
    }
}

pin_project_lite::pin_project! {
    /// The future of [`AuthCors`].
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the inner service's future and nothing else.
    #[must_use = "futures do nothing unless polled"]
    pub struct AuthCorsFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project_lite::pin_project! {
    #[project = KindProjection]
    enum Kind<F> {
        With { #[pin] future: cors::ResponseFuture<F> },
        Without { #[pin] future: F },
    }
}

impl<F, B, E> Future for AuthCorsFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Default,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::With { future } => future.poll(cx),
            KindProjection::Without { future } => future.poll(cx),
        }
    }
}

impl<F> fmt::Debug for AuthCorsFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthCorsFuture").finish_non_exhaustive()
    }
}

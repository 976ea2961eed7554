//! From a [`Rejection`] to a response.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http::Response;

use super::Rejection;

/// Makes the HTTP answer to a refused request.
///
/// The layer adds the headers that the contract requires and the answer lacks: the challenge, `Cache-Control`,
/// `Retry-After` and `Vary`. It puts the [`Rejection`] into the extensions.
///
/// **A refusal is a 4xx or a 5xx.** Any other status becomes the rejection's own, a redirect's too; headers and body
/// stay. A forgotten status would turn the refusal into a success. A proxy that asks this service whether a request may
/// pass acts on the status alone. To send a browser to a sign-in page, answer in the handler behind an `optional`
/// layer, or outside. See the [manual](crate::manual::native#a-redirect-to-the-sign-in-page).
///
/// It is called whatever the request's content type. The one exception are requests that a
/// [`GrpcLayer`](crate::GrpcLayer) outside has found to be gRPC. The layer answers those itself, because their answer
/// has no body to customise.
///
/// ```
/// use http::Response;
/// use tower_bearer::{BearerAuthLayer, KeyRing, TokenCodec, rejection::Rejection};
///
/// let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let layer = BearerAuthLayer::new(codec).rejection_response(|rejection: &Rejection| {
///     // Status, challenge and cache headers are added.
///     Response::new(format!(r#"{{"status":{}}}"#, rejection.status().as_u16()))
/// });
/// # let _ = layer;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` makes no answer with the body `{B}`",
    note = "`ProblemJson` needs a body that is `From<Bytes>`, such as `http_body_util::Full<Bytes>` or axum's",
    note = "`MapResponseBody` of tower-http, or `Response::map`, turns the body of the service into one"
)]
pub trait RejectionResponse<B> {
    /// The answer to `rejection`.
    fn response(&self, rejection: &Rejection) -> Response<B>;

    /// Whether a body without a `Content-Type` is left for a [`RefusalLayer`](crate::RefusalLayer) further out to
    /// fill. Default: it stays as it is.
    fn leaves_body(&self) -> bool {
        false
    }
}

/// Answers with the status alone and an empty body, which a [`RefusalLayer`](crate::RefusalLayer) further out
/// fills. With the feature `axum`, bodies of axum get what [`ProblemJson`] writes.
///
/// Layers begin with it, and it stands in their types where one is kept in a struct:
///
/// ```
/// use tower_bearer::{BearerAuthLayer, NoClaims, rejection::DefaultRejection};
///
/// struct Layers {
///     bearer: BearerAuthLayer<NoClaims, DefaultRejection>,
/// }
/// # let _ = |layers: Layers| layers.bearer;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultRejection;

/// Answers with `application/problem+json` (RFC 9457): see [`Rejection::problem`]. The `problem_json` setters of
/// the layers make it, for every body that can be made of [`Bytes`].
///
/// ```
/// use http_body_util::Full;
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_bearer::OriginGuardLayer;
/// # use bytes::Bytes;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let guard = OriginGuardLayer::new(["https://app.example".parse()?])?.problem_json();
/// let service = guard.layer(service_fn(|_: http::Request<()>| async {
///     Ok::<_, std::convert::Infallible>(http::Response::new(Full::<Bytes>::default()))
/// }));
/// let request = http::Request::post("/").header("origin", "https://evil.example").body(())?;
/// let response = service.oneshot(request).await?;
/// assert_eq!(response.headers()["content-type"], "application/problem+json");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ProblemJson;

/// Answers with the result of a function; the `rejection_response` setters of the layers make it.
///
/// It stands in the types of layers where one is kept in a struct:
///
/// ```
/// use tower_bearer::{OriginGuardLayer, rejection::CustomRejection};
///
/// struct Layers {
///     origins: OriginGuardLayer<CustomRejection<String>>,
/// }
/// # let _ = |layers: Layers| layers.origins;
/// ```
pub struct CustomRejection<B>(Arc<ResponseFn<B>>);

type ResponseFn<B> = dyn Fn(&Rejection) -> Response<B> + Send + Sync;

impl<B: Default + 'static> RejectionResponse<B> for DefaultRejection {
    fn response(&self, rejection: &Rejection) -> Response<B> {
        #[cfg(feature = "axum")]
        if let Some(response) = in_axum(rejection) {
            return response;
        }
        let mut response = Response::new(B::default());
        *response.status_mut() = rejection.status();
        response
    }

    fn leaves_body(&self) -> bool {
        true
    }
}

/// The answer where the body is one of axum's, which is known by its type alone.
#[cfg(feature = "axum")]
fn in_axum<B: 'static>(rejection: &Rejection) -> Option<Response<B>> {
    use std::any::{Any, TypeId};

    if TypeId::of::<B>() != TypeId::of::<::axum::body::Body>() {
        return None;
    }
    let response: Response<::axum::body::Body> = ProblemJson.response(rejection);
    let mut response = Some(response);
    let response: &mut dyn Any = &mut response;
    response.downcast_mut::<Option<Response<B>>>()?.take()
}

impl<B: From<Bytes>> RejectionResponse<B> for ProblemJson {
    fn response(&self, rejection: &Rejection) -> Response<B> {
        rejection.problem().answer(|text| B::from(text.into()))
    }
}

impl<B> CustomRejection<B> {
    pub(crate) fn new(f: impl Fn(&Rejection) -> Response<B> + Send + Sync + 'static) -> Self {
        Self(Arc::new(f))
    }
}

impl<B> RejectionResponse<B> for CustomRejection<B> {
    fn response(&self, rejection: &Rejection) -> Response<B> {
        (self.0)(rejection)
    }
}

// By hand, because a derive would ask for `B: Clone`.
impl<B> Clone for CustomRejection<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B> fmt::Debug for CustomRejection<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomRejection(<fn>)")
    }
}

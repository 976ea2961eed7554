//! From a [`Rejection`] to a response.

use std::{fmt, sync::Arc};

use http::Response;

use super::Rejection;

/// Makes the HTTP answer to a refused request.
///
/// Whatever it makes, the layer adds what the contract asks for and is absent: the challenge,
/// `Cache-Control`, `Retry-After`, `Vary`, and the [`Rejection`] in the extensions.
///
/// **A refusal is a 4xx or a 5xx.** Any other status becomes the rejection's own, a redirect's too;
/// headers and body stay. A status that was forgotten would turn the refusal into a success, and a
/// proxy that asks this service whether a request may pass acts on the status alone. To send a
/// browser to a sign-in page, answer in the handler behind an `optional` layer, or in a layer
/// outside: [manual](crate::manual::connections#a-redirect-to-the-sign-in-page).
///
/// It is asked whatever the request's content type. The one exception are requests that a
/// [`GrpcLayer`](crate::GrpcLayer) outside has found to be gRPC: the layer answers those itself,
/// because their answer has no body to customise.
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
pub trait RejectionResponse<B> {
    /// The answer to `rejection`.
    fn response(&self, rejection: &Rejection) -> Response<B>;
}

/// Answers with the status alone and an empty body.
///
/// It is what layers begin with, and stands in their types where one is kept in a struct:
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

/// Answers with what a function makes; the `rejection_response` setters of the layers make it.
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

impl<B: Default> RejectionResponse<B> for DefaultRejection {
    fn response(&self, rejection: &Rejection) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = rejection.status();
        response
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

//! From a [`Rejection`] to a response.

use std::{fmt, sync::Arc};

use http::{
    Extensions, HeaderMap, HeaderValue, Response,
    header::{self, Entry},
};

use super::{Rejection, RejectionKind, grpc::GrpcMark};
use crate::event::{Event, EventSink};

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
/// use tower_bearer::{BearerAuthLayer, KeyRing, Rejection, TokenCodec};
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
/// use tower_bearer::{BearerAuthLayer, DefaultRejection, NoClaims};
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
/// use tower_bearer::{CustomRejection, OriginGuardLayer};
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

/// What every guard does with a refusal: tell the sink once, answer once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal<R> {
    pub(crate) responder: R,
    pub(crate) events: EventSink,
}

impl<R> Refusal<R> {
    /// Keeps the sink and replaces who makes the answer.
    pub(crate) fn with_responder<T>(self, responder: T) -> Refusal<T> {
        Refusal {
            responder,
            events: self.events,
        }
    }

    /// Answers a request that had these `extensions`, in gRPC where they say so.
    pub(crate) fn answer<B>(&self, extensions: &Extensions, rejection: Rejection) -> Response<B>
    where
        B: Default,
        R: RejectionResponse<B>,
    {
        self.events.emit(&Event::Rejected(&rejection));
        let mut response = match extensions.get::<GrpcMark>() {
            Some(mark) => mark.answer(rejection.kind()),
            None => self.http(&rejection),
        };
        add_missing(
            response.headers_mut(),
            header::CACHE_CONTROL,
            &HeaderValue::from_static("no-store"),
        );
        if rejection.kind() == RejectionKind::ForeignOrigin {
            response.headers_mut().append(
                header::VARY,
                HeaderValue::from_static("Origin, Sec-Fetch-Site"),
            );
        }
        response.extensions_mut().insert(rejection);
        response
    }

    fn http<B>(&self, rejection: &Rejection) -> Response<B>
    where
        R: RejectionResponse<B>,
    {
        let mut response = self.responder.response(rejection);
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            *response.status_mut() = rejection.status();
        }
        let headers = response.headers_mut();
        if let Some(challenge) = rejection.challenge() {
            add_missing(headers, header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = rejection.retry_after() {
            add_missing(
                headers,
                header::RETRY_AFTER,
                &HeaderValue::from(after.as_secs()),
            );
        }
        response
    }
}

impl Rejection {
    /// The answer that a layer gives for this rejection, for code that reads the extensions itself.
    /// It is never one of gRPC.
    ///
    /// Its body is empty, but for a mistake of the application's own (500): it says which layer is
    /// missing, because whoever tries the route out has nothing else to go by, and it tells an
    /// attacker nothing.
    ///
    /// ```
    /// use http::{Request, Response};
    /// use tower_bearer::{Claims, NoClaims};
    ///
    /// fn me(request: &Request<()>) -> Response<String> {
    ///     match Claims::<NoClaims>::from_extensions(request.extensions()) {
    ///         Ok(claims) => Response::new(claims.subject().to_owned()),
    ///         Err(rejection) => rejection.response(),
    ///     }
    /// }
    /// assert_eq!(me(&Request::new(())).status(), 500); // BearerAuthLayer is missing
    /// ```
    pub fn response(&self) -> Response<String> {
        let refusal = Refusal::<DefaultRejection>::default();
        let mut response = refusal.answer::<String>(&Extensions::new(), self.clone());
        if self.kind() == RejectionKind::Internal {
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, text);
            *response.body_mut() = self.to_string();
        }
        response
    }
}

fn add_missing(headers: &mut HeaderMap, name: header::HeaderName, value: &HeaderValue) {
    // A map that is full already is the custom answer's, and stays as it is.
    if let Ok(Entry::Vacant(place)) = headers.try_entry(name) {
        let _ = place.try_insert(value.clone());
    }
}

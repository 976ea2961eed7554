//! `CsrfLayer`.

use std::{fmt, sync::Arc};

use http::{Extensions, HeaderMap, Response};
use tower_layer::Layer;

use super::{
    builder::CsrfBuilder,
    config::Config,
    csrf_token::CsrfToken,
    decision::{Bound, Good, Proof},
    future::CsrfFuture,
    keys::CsrfKeys,
    service::Csrf,
};
use crate::{
    answer::Refusal,
    config::ConfigError,
    csrf_session::CsrfSession,
    event::EventSink,
    rejection::{
        CsrfReason, CustomRejection, DefaultRejection, ProblemJson, Rejection, RejectionResponse,
    },
};

/// Refuses state-changing requests that do not carry the CSRF token of their session, and gives
/// browsers that token.
///
/// See the [module documentation](super) for the rules and an example.
#[derive(Clone)]
#[must_use]
pub struct CsrfLayer<R = DefaultRejection> {
    pub(super) config: Arc<Config>,
    pub(super) refusal: Arc<Refusal<R>>,
}

impl CsrfLayer {
    /// Makes the layer with every default, for the sessions of a
    /// [`RefreshCookieLayer`](crate::RefreshCookieLayer) further out. `keys` is a `&KeyRing` or
    /// [`CsrfKeys`].
    ///
    /// ```
    /// use tower::ServiceBuilder;
    /// use tower_bearer::{CsrfLayer, KeyRing, RefreshCookieLayer};
    ///
    /// # fn layers(keys: KeyRing, sessions: RefreshCookieLayer) -> Result<(), tower_bearer::ConfigError> {
    /// let layers = ServiceBuilder::new().layer(sessions).layer(CsrfLayer::new(&keys)?);
    /// # let _ = layers;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the ring has no refresh secret.
    pub fn new(keys: impl Into<CsrfKeys>) -> Result<Self, ConfigError> {
        Self::builder(keys).build()
    }

    /// Starts a layer with every setting open. `keys` is a `&KeyRing` or [`CsrfKeys`].
    pub fn builder(keys: impl Into<CsrfKeys>) -> CsrfBuilder {
        CsrfBuilder::new(keys.into())
    }

    pub(super) fn with_config(config: Config, events: EventSink) -> Self {
        let refusal = Refusal {
            events,
            ..Refusal::default()
        };
        Self {
            config: Arc::new(config),
            refusal: Arc::new(refusal),
        }
    }
}

impl<R> CsrfLayer<R> {
    /// Answers refused requests with `application/problem+json` (RFC 9457), for every body that can be made of
    /// [`Bytes`](bytes::Bytes): [`ProblemJson`]. With the feature `axum`, bodies of axum have it anyway.
    pub fn problem_json(self) -> CsrfLayer<ProblemJson> {
        self.respond(ProblemJson)
    }

    /// Replaces the answer to refused requests. The layer adds what the contract requires. A status outside 400 to
    /// 599, such as a redirect's, becomes the rejection's own; see
    /// [`RejectionResponse`](crate::rejection::RejectionResponse).
    pub fn rejection_response<B>(
        self,
        response: impl Fn(&Rejection) -> Response<B> + Send + Sync + 'static,
    ) -> CsrfLayer<CustomRejection<B>> {
        self.respond(CustomRejection::new(response))
    }

    fn respond<T>(self, responder: T) -> CsrfLayer<T> {
        let events = self.refusal.events.clone();
        CsrfLayer {
            config: self.config,
            refusal: Arc::new(Refusal { responder, events }),
        }
    }

    /// Judges a request that needs a token by its `headers`, for requests that `tower` does not serve. `binding` is
    /// the session that the request belongs to. The layer does the same. The caller first decides which methods need
    /// a token, and exempts requests with credentials of the client's own.
    ///
    /// # Errors
    ///
    /// Returns the reason, for logs. Answer 403 to the client, without the reason.
    pub fn verify(&self, headers: &HeaderMap, binding: &CsrfSession) -> Result<(), CsrfReason> {
        self.config.check(headers, &(*binding).into()).map(drop)
    }

    /// The cookie's name, prefix included.
    pub(crate) fn cookie_name(&self) -> &str {
        self.config.cookie.name()
    }

    /// Gives the request that passes with this cookie its handle.
    pub(super) fn handle(
        &self,
        extensions: &mut Extensions,
        bound: Bound,
        good: Option<Good>,
        proof: Proof,
        lacks: bool,
    ) -> CsrfToken {
        let outer = extensions.get().cloned();
        let handle = CsrfToken::new(self.config.clone(), bound, outer, good, proof, lacks);
        extensions.insert(handle.clone());
        handle
    }

    /// The answer to a request that had these `extensions` and does not pass.
    pub(super) fn refuse<F, B>(
        &self,
        extensions: &Extensions,
        rejection: Rejection,
    ) -> CsrfFuture<F, B, R>
    where
        B: Default,
        R: RejectionResponse<B>,
    {
        CsrfFuture::refused(self.refusal.answer(extensions, rejection))
    }
}

impl<S, R> Layer<S> for CsrfLayer<R>
where
    R: Clone,
{
    type Service = Csrf<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Csrf::new(inner, self.clone())
    }
}

impl<R: fmt::Debug> fmt::Debug for CsrfLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, refusal } = self;
        f.debug_struct("CsrfLayer")
            .field("config", config)
            .field("refusal", refusal)
            .finish()
    }
}

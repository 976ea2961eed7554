//! `BearerAuthLayer`.

use std::{fmt, sync::Arc};

use http::Response;
use tower_layer::Layer;

use super::{
    challenge::{Realm, Scope},
    config::Config,
    revocation::CheckError,
    service::BearerAuth,
};
use crate::{
    answer::Refusal,
    event::EventSink,
    rejection::{CustomRejection, DefaultRejection, ProblemJson, Rejection},
    resource::MetadataUrl,
    token::{NoClaims, TokenContext, Verifiers},
};

/// Lets requests through that carry a good bearer token, and answers the others.
///
/// On success the request extensions hold a [`TokenContext`], and the `Authorization` value is
/// marked sensitive. [`Claims::from_extensions`](crate::Claims::from_extensions) and the extractor
/// for axum convert it into the claims of the codec's type. See the [module documentation](super)
/// for an example and the answers.
#[must_use]
pub struct BearerAuthLayer<C = NoClaims, R = DefaultRejection> {
    pub(super) config: Arc<Config<C>>,
    pub(super) refusal: Refusal<R>,
}

impl<C> BearerAuthLayer<C> {
    /// Accepts what `verifiers` verify: one codec, or [`Verifiers`] of several issuers. The time is that of the
    /// codec that judges. The realm is `api`.
    pub fn new(verifiers: impl Into<Verifiers<C>>) -> Self {
        Self {
            config: Arc::new(Config::new(verifiers.into())),
            refusal: Refusal::default(),
        }
    }
}

impl<C, R> BearerAuthLayer<C, R> {
    /// Refuses verified tokens for a reason of the application's, such as a revoked session. It
    /// runs on the request's path and replaces a check that was given earlier.
    pub fn check(
        self,
        check: impl Fn(&TokenContext) -> Result<(), CheckError> + Send + Sync + 'static,
    ) -> Self {
        self.update(|config| config.check = Some(Arc::new(check)))
    }

    /// Sets the sink for refusals.
    pub fn events(mut self, events: EventSink) -> Self {
        self.refusal.events = events;
        self
    }

    /// Lets requests without credentials through, without claims. A bad token is still refused.
    pub fn optional(self) -> Self {
        self.update(|config| config.optional = true)
    }

    /// Sets whether CORS preflight requests pass without credentials: `OPTIONS` with
    /// `Access-Control-Request-Method`. Off by default, because a CORS layer belongs outside of
    /// this one and answers them before they get here.
    pub fn preflight(self, passes: bool) -> Self {
        self.update(|config| config.preflight = passes)
    }

    /// Sets the realm that challenges name.
    pub fn realm(self, realm: Realm) -> Self {
        self.update(|config| config.set_challenge(|c| c.realm = realm))
    }

    /// Answers refused requests with `application/problem+json` (RFC 9457), for every body that can be made of
    /// [`Bytes`](bytes::Bytes): [`ProblemJson`]. With the feature `axum`, bodies of axum have it anyway.
    pub fn problem_json(self) -> BearerAuthLayer<C, ProblemJson> {
        BearerAuthLayer {
            config: self.config,
            refusal: self.refusal.with_responder(ProblemJson),
        }
    }

    /// Replaces the answer to refused requests. The layer adds what the contract requires. A status
    /// outside 400 to 599, such as a redirect's, becomes the rejection's own; see
    /// [`RejectionResponse`](crate::rejection::RejectionResponse).
    pub fn rejection_response<B>(
        self,
        response: impl Fn(&Rejection) -> Response<B> + Send + Sync + 'static,
    ) -> BearerAuthLayer<C, CustomRejection<B>> {
        BearerAuthLayer {
            config: self.config,
            refusal: self.refusal.with_responder(CustomRejection::new(response)),
        }
    }

    /// Names in every challenge where a client learns how to obtain a token (RFC 9728 section 5.1).
    /// Pass `document.url()` of a [`ResourceMetadata`](crate::resource::ResourceMetadata), which
    /// goes outside of this layer.
    ///
    /// The layer answers 500 to a request for the document that it would reject. The document's
    /// layer is then missing, or stands inside, where no client reaches it.
    pub fn resource_metadata(self, url: MetadataUrl) -> Self {
        self.update(|config| config.set_challenge(|c| c.resource_metadata = Some(url)))
    }

    /// Sets the scope that a client should ask for, which every challenge names. It is a hint: to
    /// demand it, use [`RequireScopeLayer`](crate::RequireScopeLayer).
    pub fn scope(self, scope: Scope) -> Self {
        self.update(|config| config.set_challenge(|c| c.scope = Some(scope)))
    }

    fn update(mut self, change: impl FnOnce(&mut Config<C>)) -> Self {
        change(Arc::make_mut(&mut self.config));
        self
    }
}

impl<S, C, R: Clone> Layer<S> for BearerAuthLayer<C, R> {
    type Service = BearerAuth<S, C, R>;

    fn layer(&self, inner: S) -> Self::Service {
        BearerAuth::new(inner, self.config.clone(), self.refusal.clone())
    }
}

// By hand, because a derive would ask for `C: Clone`.
impl<C, R: Clone> Clone for BearerAuthLayer<C, R> {
    fn clone(&self) -> Self {
        Self {
            config: self.config.clone(),
            refusal: self.refusal.clone(),
        }
    }
}

impl<C, R: fmt::Debug> fmt::Debug for BearerAuthLayer<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, refusal } = self;
        f.debug_struct("BearerAuthLayer")
            .field("config", config)
            .field("refusal", refusal)
            .finish()
    }
}

//! `CsrfLayer`.

use std::{fmt, sync::Arc};

use http::{Extensions, HeaderMap, Response, request::Parts};
use tower_layer::Layer;

use super::{
    builder::CsrfBuilder, form::CsrfFormLayer, future::CsrfFuture, handle::CsrfToken,
    keys::CsrfKeys, policy::Policy, service::Csrf, token::Token,
};
use crate::{
    binding::CsrfBinding,
    config::ConfigError,
    current_session::CurrentSession,
    event::EventSink,
    rejection::{
        CsrfReason, CustomRejection, DefaultRejection, Refusal, Rejection, RejectionKind,
        RejectionResponse,
    },
};

/// Says which session a request belongs to.
pub(super) type Bind = Arc<dyn Fn(&Parts) -> CsrfBinding + Send + Sync>;

/// Without `RefreshCookieLayer` outside there is no session to bind tokens to.
const NO_SESSION: &str = "CsrfLayer finds no session: RefreshCookieLayer is missing, or stands inside \
     of CsrfLayer instead of outside; for sessions of another kind use CsrfBuilder::binding";

/// A token from here would be for nobody, and replace the one that the browser has.
const NOT_REACHED: &str = "CsrfLayer is around a path to which the browser does not send the refresh \
     cookie: put it around RefreshCookieBuilder::cookie_path alone, or give the cookie the path / \
     with host_prefix; where a proxy or router in front takes a prefix off, say rewritten_paths";

/// How a request stands before a token is looked for in it.
pub(super) enum Standing {
    /// It needs none.
    Free(CsrfToken),
    /// It needs the token of this session.
    Guarded(CsrfBinding, Option<CurrentSession>),
}

/// Refuses state-changing requests that do not carry the CSRF token of their session, and gives
/// browsers that token.
///
/// See the [module documentation](super) for the rules and an example.
#[derive(Clone)]
#[must_use]
pub struct CsrfLayer<R = DefaultRejection> {
    pub(super) policy: Arc<Policy>,
    /// `None` where tokens are bound to the session of the refresh cookie.
    pub(super) bind: Option<Bind>,
    pub(super) refusal: Refusal<R>,
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

    pub(super) fn with_policy(policy: Policy, bind: Option<Bind>, events: EventSink) -> Self {
        let refusal = Refusal {
            events,
            ..Refusal::default()
        };
        Self {
            policy: Arc::new(policy),
            bind,
            refusal,
        }
    }
}

impl<R> CsrfLayer<R> {
    /// Where refusals are reported to.
    pub fn events(mut self, events: EventSink) -> Self {
        self.refusal.events = events;
        self
    }

    /// Also looks for the token in the field `name` of an HTML form, for pages that work without a
    /// script. The layer then reads bodies, so it is another one, with settings of its own: see
    /// [`CsrfFormLayer`].
    ///
    /// # Errors
    ///
    /// When the name is empty, or has something else in it than visible ASCII characters other
    /// than `"` and `\`: browsers write those in several ways.
    pub fn form_field(self, name: impl Into<String>) -> Result<CsrfFormLayer<R>, ConfigError> {
        CsrfFormLayer::new(self, name.into())
    }

    /// Replaces the answer to refused requests. The layer adds what the contract asks for, and a status
    /// outside of 400 to 599, a redirect's for example, becomes the rejection's own; see
    /// [`RejectionResponse`](crate::RejectionResponse).
    pub fn rejection_response<B>(
        self,
        response: impl Fn(&Rejection) -> Response<B> + Send + Sync + 'static,
    ) -> CsrfLayer<CustomRejection<B>> {
        CsrfLayer {
            policy: self.policy,
            bind: self.bind,
            refusal: self.refusal.with_responder(CustomRejection::new(response)),
        }
    }

    /// Judges a request that needs a token by its `headers`, for what is not served through
    /// `tower`. `binding` is the session that the request belongs to. The layer does the same;
    /// which methods need a token, and the exemption of bearer requests, come before it.
    ///
    /// # Errors
    ///
    /// What is wrong, for logs. A client is told 403 and no more.
    pub fn verify(&self, headers: &HeaderMap, binding: &CsrfBinding) -> Result<(), CsrfReason> {
        self.policy.check(headers, binding).map(drop)
    }

    /// What is decided without a look at what was submitted.
    ///
    /// # Errors
    ///
    /// The mistake in the wiring, whatever the method: a safe request would carry a wrong token away.
    pub(super) fn standing(&self, parts: &mut Parts) -> Result<Standing, Rejection> {
        let (binding, session) = self.session(parts)?;
        let policy = &self.policy;
        if !policy.is_guarded(&parts.method, &parts.headers) {
            let cookie = policy.cookie(&parts.headers);
            let token = cookie.and_then(|cookie| policy.authentic(cookie, &binding));
            // Nobody can say whether a token is good whose session does not show. A page that asks
            // for one gets a copy of what the browser has, and other tabs keep theirs. Whatever it
            // is worth is found out when it comes back.
            let token = match token {
                Err(_) if binding.is_unseen() => {
                    cookie.and_then(|cookie| policy.parse_cookie(cookie))
                }
                token => token,
            };
            let provide = token.is_err() && policy.replaces(&parts.headers);
            let handle = self.handle(&mut parts.extensions, session, binding, token.ok());
            if provide {
                handle.provide();
            }
            Ok(Standing::Free(handle))
        } else if policy.is_exempt(&parts.headers) {
            let handle = self.handle(&mut parts.extensions, session, binding, None);
            Ok(Standing::Free(handle))
        } else {
            Ok(Standing::Guarded(binding, session))
        }
    }

    /// What the token of the request is bound to, and the session that may move the browser on.
    fn session(&self, parts: &Parts) -> Result<(CsrfBinding, Option<CurrentSession>), Rejection> {
        if let Some(bind) = &self.bind {
            return Ok((bind(parts), None));
        }
        let session = parts.extensions.get::<CurrentSession>();
        let misplaced = |text| Rejection::new(RejectionKind::Internal, text);
        let session = session.ok_or_else(|| misplaced(NO_SESSION))?;
        if !session.is_reached() {
            return Err(misplaced(NOT_REACHED));
        }
        Ok((session.binding(&parts.headers), Some(session.clone())))
    }

    /// Gives the request that passes with `token` its handle.
    pub(super) fn handle(
        &self,
        extensions: &mut Extensions,
        session: Option<CurrentSession>,
        binding: CsrfBinding,
        token: Option<Token>,
    ) -> CsrfToken {
        let handle = CsrfToken::new(self.policy.clone(), session, binding, token);
        extensions.insert(handle.clone());
        handle
    }

    /// The answer to a request that had these `extensions` and does not pass.
    pub(super) fn refuse<F, B>(
        &self,
        extensions: &Extensions,
        rejection: Rejection,
    ) -> CsrfFuture<F, B>
    where
        B: Default,
        R: RejectionResponse<B>,
    {
        CsrfFuture::refused(self.refusal.answer(extensions, rejection))
    }
}

impl<S, R: Clone> Layer<S> for CsrfLayer<R> {
    type Service = Csrf<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        Csrf::new(inner, self.clone())
    }
}

impl<R: fmt::Debug> fmt::Debug for CsrfLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            policy,
            bind: _,
            refusal,
        } = self;
        f.debug_struct("CsrfLayer")
            .field("policy", policy)
            .field("refusal", refusal)
            .finish_non_exhaustive()
    }
}

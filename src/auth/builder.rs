//! Construction: everything that has to agree, said once.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use http::HeaderValue;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    csrf::{CsrfBuilder, layer::CsrfLayer},
    endpoints::service::SessionEndpoints,
    event::EventSink,
    headers::layer::SecurityHeadersLayer,
    keys::key_ring::KeyRing,
    origin::{Origin, layer::OriginGuardLayer},
    problem::Problem,
    refresh::{
        RefreshCookieBuilder,
        claims::{ClaimsError, ClaimsRequest},
    },
    refusal::layer::RefusalLayer,
    rejection::ProblemJson,
    store::{RefreshStore, SharedStore},
    token::{NoClaims, TokenCodecBuilder, codec::TokenCodec},
};

/// Builds an [`Auth`](crate::Auth). Setters take anything; [`build`](Self::build) judges.
///
/// It needs keys, an issuer, an audience, a store and the origins of the pages. Everything else has a
/// default, and each layer's own settings are reached by the setter of its name:
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::{Auth, KeyRing, MemoryStore};
///
/// let auth = Auth::builder(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .store(MemoryStore::new())
///     .origins(["https://app.example".parse()?])
///     .mount("/auth")
///     .sessions(|sessions| sessions.idle_lifetime(Duration::from_secs(24 * 60 * 60)))
///     .tokens(|tokens| tokens.lifetime(Duration::from_secs(300)))
///     .build()?;
/// # let _ = auth;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[must_use]
pub struct AuthBuilder<C = NoClaims> {
    pub(super) settings: Settings,
    pub(super) claims: ClaimsFn<C>,
}

/// The application's claims, whatever function makes them.
pub(super) type ClaimsFn<C> = Box<dyn Fn(ClaimsRequest) -> ClaimsFuture<C> + Send + Sync>;
pub(super) type ClaimsFuture<C> = Pin<Box<dyn Future<Output = Result<C, ClaimsError>> + Send>>;

/// The settings that do not depend on the claims.
pub(super) struct Settings {
    pub(super) tokens: TokenCodecBuilder,
    pub(super) store: Option<SharedStore>,
    pub(super) origins: Option<Origins>,
    pub(super) origin_guard: Change<OriginGuardLayer<ProblemJson>>,
    pub(super) mount: String,
    pub(super) external_prefix: String,
    pub(super) everywhere: bool,
    pub(super) insecure: bool,
    pub(super) sessions: Change<RefreshCookieBuilder>,
    pub(super) csrf: CsrfBuilder,
    pub(super) change_csrf: Change<CsrfBuilder>,
    pub(super) endpoints: SessionEndpoints,
    pub(super) security: SecurityHeadersLayer,
    pub(super) refusals: RefusalLayer,
    pub(super) events: EventSink,
    #[cfg(feature = "cors")]
    pub(super) cors: bool,
}

/// Which pages may change something.
pub(super) enum Origins {
    Listed(Vec<Origin>),
    Own,
}

/// Changes the settings of one layer, as the application says.
pub(super) type Change<T> = Box<dyn FnOnce(T) -> T + Send>;

impl AuthBuilder {
    pub(super) fn new(keys: &KeyRing) -> Self {
        let settings = Settings {
            tokens: TokenCodec::nested(keys),
            store: None,
            origins: None,
            origin_guard: Box::new(|guard| guard),
            mount: "/auth".to_owned(),
            external_prefix: String::new(),
            everywhere: false,
            insecure: false,
            sessions: Box::new(|sessions| sessions),
            csrf: CsrfLayer::builder(keys),
            change_csrf: Box::new(|csrf| csrf),
            endpoints: SessionEndpoints::new(),
            security: SecurityHeadersLayer::new(),
            refusals: RefusalLayer::new(),
            events: EventSink::default(),
            #[cfg(feature = "cors")]
            cors: false,
        };
        Self {
            settings,
            claims: Box::new(|_| Box::pin(async { Ok(NoClaims {}) })),
        }
    }
}

impl<C> AuthBuilder<C> {
    /// Sets what access tokens name as `iss`, and are accepted of.
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        self.tokens(|tokens| tokens.issuer(issuer))
    }

    /// Sets the service that access tokens are for (`aud`).
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.tokens(|tokens| tokens.audience(audience))
    }

    /// Sets what access tokens say beyond the registered claims. `claims` is called at sign-in and at every
    /// refresh. [`ClaimsError::Denied`] ends the session. Default: [`NoClaims`].
    pub fn claims<D, F, Fut, E>(self, claims: F) -> AuthBuilder<D>
    where
        D: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: Fn(ClaimsRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<D, E>> + Send + 'static,
        E: Into<ClaimsError> + 'static,
    {
        let claims = Arc::new(claims);
        AuthBuilder {
            settings: self.settings,
            claims: Box::new(move |request| {
                let claims = claims.clone();
                Box::pin(async move { claims(request).await.map_err(Into::into) })
            }),
        }
    }

    /// Sets where sessions are kept.
    pub fn store(mut self, store: impl RefreshStore) -> Self {
        self.settings.store = Some(SharedStore::new(store));
        self
    }

    /// Lists the origins of the pages that sign in and refresh, each as the browser's address bar begins.
    pub fn origins(mut self, origins: impl IntoIterator<Item = Origin>) -> Self {
        self.settings.origins = Some(Origins::Listed(origins.into_iter().collect()));
        self
    }

    /// Lets in the pages of this service alone, without a list: [`OriginGuardLayer::same_origin`].
    pub fn same_origin(mut self) -> Self {
        self.settings.origins = Some(Origins::Own);
        self
    }

    /// Sets the path of the session endpoints, and of the refresh cookie with them. Default `/auth`. It is the
    /// whole path, where `Auth::routes` is merged into the outermost router.
    ///
    /// Two front doors of one host, `/auth` and `/admin/auth` say, need CSRF cookies of different names:
    /// `.csrf(|csrf| csrf.cookie_name("admin_csrf"))`.
    pub fn mount(mut self, path: impl Into<String>) -> Self {
        self.settings.mount = path.into();
        self
    }

    /// Sets the prefix that a proxy in front removes from paths. With `/app` here and `/auth` as
    /// [`mount`](Self::mount), the browser sees `/app/auth` and this service `/auth`. Set it also
    /// to the path of the router in which `Auth::routes` is nested.
    pub fn external_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.external_prefix = prefix.into();
        self
    }

    /// Sends the refresh cookie to every path, for applications that render pages. The cookie is
    /// `__Host-refresh_token`. The session endpoints stay at [`mount`](Self::mount).
    ///
    /// The [guards](crate::Auth::guards) go around all that `Auth::routes` holds when it becomes a `Router`. A route
    /// or a fallback that is added to that `Router` later lies outside of them, and is not guarded.
    pub fn everywhere(mut self) -> Self {
        self.settings.everywhere = true;
        self
    }

    /// Drops `Secure` and the name prefixes of both cookies, for development over plain http. An attacker on
    /// the network can then read the refresh token.
    pub fn dangerous_insecure_cookies(mut self) -> Self {
        self.settings.insecure = true;
        self
    }

    /// Allows the pages of [`origins`](Self::origins) to call from elsewhere (CORS, Fetch standard). They may
    /// send `Authorization`, `Content-Type`, the CSRF header and `X-Session-Activity`, and read what refusals
    /// say. [`Auth::headers`](crate::Auth::headers) has it, and answers every `OPTIONS` request.
    ///
    /// Pages that send other headers, such as `Idempotency-Key` or those of gRPC-Web, need a CORS
    /// layer of the application. [The manual](crate::manual::guards#order-of-layers) has it. The
    /// refresh cookie is `SameSite=Strict`, so only listed origins of the service's own site have a
    /// session.
    #[cfg(feature = "cors")]
    pub fn cors(mut self) -> Self {
        self.settings.cors = true;
        self
    }

    /// Sets the sink that every layer tells. One that a layer's own setter is given replaces it there.
    ///
    /// [`RequireHttpsLayer`](crate::RequireHttpsLayer) stands outside of these layers, and is given a sink itself.
    pub fn events(mut self, events: EventSink) -> Self {
        self.settings.events = events;
        self
    }

    /// Writes all refusals in the application's own format: see [`RefusalLayer::format`]. Default:
    /// `application/problem+json` (RFC 9457). Those of the API have it where
    /// [`Auth::headers`](crate::Auth::headers) is around it.
    ///
    /// [`RequireHttpsLayer`](crate::RequireHttpsLayer) stands outside of these layers: put a [`RefusalLayer`] of the
    /// same format around it.
    pub fn refusals(
        mut self,
        content_type: HeaderValue,
        write: impl Fn(&Problem) -> String + Send + Sync + 'static,
    ) -> Self {
        self.settings.refusals = self.settings.refusals.format(content_type, write);
        self
    }

    /// Changes how access tokens are made and judged.
    pub fn tokens(mut self, change: impl FnOnce(TokenCodecBuilder) -> TokenCodecBuilder) -> Self {
        self.settings.tokens = change(self.settings.tokens);
        self
    }

    /// Changes how sessions live: lifetimes, rotation, limits. Where the cookie goes is said by
    /// [`mount`](Self::mount), [`everywhere`](Self::everywhere), [`external_prefix`](Self::external_prefix) and
    /// [`dangerous_insecure_cookies`](Self::dangerous_insecure_cookies), for all that follows it.
    pub fn sessions(
        mut self,
        change: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder + Send + 'static,
    ) -> Self {
        let before = self.settings.sessions;
        self.settings.sessions = Box::new(|sessions| change(before(sessions)));
        self
    }

    /// Sets whether access tokens say when and how their user authenticated, which
    /// [`RequireRecentAuth`](crate::RequireRecentAuth) goes by:
    /// [`RefreshCookieBuilder::authentication_in_tokens`]. Default: off.
    pub fn authentication_in_tokens(self, minted: bool) -> Self {
        self.sessions(move |sessions| sessions.authentication_in_tokens(minted))
    }

    /// Changes how CSRF tokens travel.
    pub fn csrf(
        mut self,
        change: impl FnOnce(CsrfBuilder) -> CsrfBuilder + Send + 'static,
    ) -> Self {
        let before = self.settings.change_csrf;
        self.settings.change_csrf = Box::new(|csrf| change(before(csrf)));
        self
    }

    /// Changes what the guard of the origins asks for.
    pub fn origin_guard(
        mut self,
        change: impl FnOnce(OriginGuardLayer<ProblemJson>) -> OriginGuardLayer<ProblemJson>
        + Send
        + 'static,
    ) -> Self {
        let before = self.settings.origin_guard;
        self.settings.origin_guard = Box::new(|guard| change(before(guard)));
        self
    }

    /// Changes what the session endpoints answer.
    pub fn endpoints(mut self, change: impl FnOnce(SessionEndpoints) -> SessionEndpoints) -> Self {
        self.settings.endpoints = change(self.settings.endpoints);
        self
    }

    /// Replaces the headers that harden pages. Default: [`SecurityHeadersLayer::new`].
    pub fn security_headers(mut self, headers: SecurityHeadersLayer) -> Self {
        self.settings.security = headers;
        self
    }
}

impl<C> fmt::Debug for AuthBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = &self.settings;
        f.debug_struct("AuthBuilder")
            .field("tokens", &settings.tokens)
            .field("mount", &settings.mount)
            .field("external_prefix", &settings.external_prefix)
            .field("everywhere", &settings.everywhere)
            .field("insecure", &settings.insecure)
            .field("csrf", &settings.csrf)
            .field("endpoints", &settings.endpoints)
            .field("security", &settings.security)
            .field("refusals", &settings.refusals)
            .field("events", &settings.events)
            .finish_non_exhaustive()
    }
}

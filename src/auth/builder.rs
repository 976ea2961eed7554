//! Construction: everything that has to agree, said once.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use http::HeaderValue;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    AuthGuards, AuthHeaders,
    cors::Cors,
    parts::{Auth, Parts},
};
use crate::{
    bearer::layer::BearerAuthLayer,
    config::ConfigError,
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
        layer::RefreshCookieLayer,
    },
    refusal::layer::RefusalLayer,
    rejection::ProblemJson,
    store::{RefreshStore, SharedStore},
    token::{NoClaims, TokenCodecBuilder, codec::TokenCodec},
};

/// Builds an [`Auth`]. Setters take anything; [`build`](Self::build) judges.
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
    settings: Settings,
    claims: ClaimsFn<C>,
}

/// The application's claims, whatever function makes them.
type ClaimsFn<C> = Box<dyn Fn(ClaimsRequest) -> ClaimsFuture<C> + Send + Sync>;
type ClaimsFuture<C> = Pin<Box<dyn Future<Output = Result<C, ClaimsError>> + Send>>;

/// What does not depend on the claims.
struct Settings {
    tokens: TokenCodecBuilder,
    store: Option<SharedStore>,
    origins: Option<Origins>,
    origin_guard: Change<OriginGuardLayer<ProblemJson>>,
    mount: String,
    external_prefix: String,
    everywhere: bool,
    insecure: bool,
    sessions: Change<RefreshCookieBuilder>,
    csrf: CsrfBuilder,
    endpoints: SessionEndpoints,
    security: SecurityHeadersLayer,
    refusals: RefusalLayer,
    events: EventSink,
    #[cfg(feature = "cors")]
    cors: bool,
}

/// Which pages may change something.
enum Origins {
    Listed(Vec<Origin>),
    Own,
}

/// What the application does to the settings of one layer.
type Change<T> = Box<dyn FnOnce(T) -> T + Send>;

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

    /// Sets the path of the session endpoints, and of the refresh cookie with them. Default `/auth`.
    pub fn mount(mut self, path: impl Into<String>) -> Self {
        self.settings.mount = path.into();
        self
    }

    /// Sets what a proxy in front takes off the paths: with `/app` here and `/auth` as
    /// [`mount`](Self::mount), the browser sees `/app/auth` and this service `/auth`.
    pub fn external_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.settings.external_prefix = prefix.into();
        self
    }

    /// Sends the refresh cookie to every path, for applications that render pages: the
    /// [guards](Auth::guards) then go around all of it. The cookie is `__Host-refresh_token`. The session
    /// endpoints stay at [`mount`](Self::mount).
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
    /// say. [`Auth::headers`] has it.
    #[cfg(feature = "cors")]
    pub fn cors(mut self) -> Self {
        self.settings.cors = true;
        self
    }

    /// Sets the sink that every layer tells.
    pub fn events(mut self, events: EventSink) -> Self {
        self.settings.events = events;
        self
    }

    /// Writes all refusals in the application's own format: see [`RefusalLayer::format`]. Default:
    /// `application/problem+json` (RFC 9457).
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

    /// Changes how sessions live: lifetimes, rotation, limits. The cookie's path is [`mount`](Self::mount)'s.
    pub fn sessions(
        mut self,
        change: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder + Send + 'static,
    ) -> Self {
        let before = self.settings.sessions;
        self.settings.sessions = Box::new(|sessions| change(before(sessions)));
        self
    }

    /// Changes how CSRF tokens travel.
    pub fn csrf(mut self, change: impl FnOnce(CsrfBuilder) -> CsrfBuilder) -> Self {
        self.settings.csrf = change(self.settings.csrf);
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

impl<C> AuthBuilder<C>
where
    C: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    /// Builds the layers.
    ///
    /// # Errors
    ///
    /// Names the setting that is missing, cannot be used, or does not go together with the others. What the
    /// key ring lacks is named all at once.
    pub fn build(self) -> Result<Auth<C>, ConfigError> {
        let Self { settings, claims } = self;
        let Settings {
            tokens,
            store,
            origins,
            origin_guard,
            mount,
            external_prefix,
            everywhere,
            insecure,
            sessions: change_sessions,
            mut csrf,
            endpoints,
            security,
            refusals,
            events,
            #[cfg(feature = "cors")]
            cors,
        } = settings;
        let store = store.ok_or(ConfigError::missing(
            "store",
            "is missing; `.store(MemoryStore::new())` keeps the sessions of one process",
        ))?;
        let origins = origins.ok_or(ConfigError::missing(
            "origins",
            "are missing; list those of your pages, or call `.same_origin()` where the pages are this service's",
        ))?;
        check_mount(&mount)?;
        if !insecure {
            check_origins(&origins)?;
        }
        tokens.require_for_sessions()?;
        let codec = tokens.build()?.with_claims::<C>();

        let mut sessions = RefreshCookieLayer::builder(codec.clone(), store, claims);
        sessions = match everywhere {
            false => sessions.cookie_path(&mount),
            // Neither a cookie without `Secure` nor one below a prefix can have the name `__Host-`.
            true if insecure || !external_prefix.is_empty() => sessions.cookie_path("/"),
            true => sessions.host_prefix(),
        };
        sessions = sessions.external_prefix(&external_prefix);
        if insecure {
            sessions = sessions.dangerous_insecure_cookie();
            csrf = csrf.dangerous_insecure_cookie();
        }
        let sessions = change_sessions(sessions).events(events.clone()).build();
        let sessions = sessions.map_err(|error| error.renamed("cookie_path", "mount"))?;

        #[cfg(feature = "cors")]
        let cors = match &origins {
            _ if !cors => Cors::default(),
            Origins::Listed(list) => Cors::new(list.clone(), csrf.header()),
            Origins::Own => {
                return Err(ConfigError::new(
                    "cors",
                    "needs `.origins([...])`: pages of other origins are let in by name",
                ));
            }
        };
        #[cfg(not(feature = "cors"))]
        let cors = Cors;

        let guard = match origins {
            Origins::Listed(list) => OriginGuardLayer::new(list)?,
            Origins::Own => OriginGuardLayer::same_origin(),
        };
        let guard = guard.problem_json();
        let refusals = refusals.events(events.clone());
        let guards = AuthGuards {
            refusals: refusals.clone(),
            origins: origin_guard(guard).events(events.clone()),
            sessions: sessions.clone(),
            csrf: csrf.events(events.clone()).build()?.problem_json(),
        };
        let base = match (external_prefix.as_str(), mount.as_str()) {
            (prefix, "/") if !prefix.is_empty() => external_prefix,
            (prefix, mount) => [prefix, mount].concat(),
        };
        let endpoints = endpoints.base(base);
        let bearer = BearerAuthLayer::new(codec.clone()).problem_json();
        Ok(Auth(Arc::new(Parts {
            codec,
            sessions,
            guards,
            bearer: bearer.events(events),
            endpoints: endpoints.map_err(|error| error.renamed("base", "mount"))?,
            headers: AuthHeaders {
                cors,
                security,
                refusals,
            },
            #[cfg(feature = "axum")]
            mount: super::routes::Mount {
                path: mount,
                everywhere,
            },
        })))
    }
}

/// A page on plain http looks right and is never signed in: no browser keeps its cookies.
fn check_origins(origins: &Origins) -> Result<(), ConfigError> {
    let Origins::Listed(list) = origins else {
        return Ok(());
    };
    match list.iter().find(|origin| origin.is_plain_http()) {
        None => Ok(()),
        Some(origin) => Err(ConfigError::about(
            "origins",
            origin.as_str(),
            "is plain http, for which browsers keep no Secure cookie: write https, or call \
             `.dangerous_insecure_cookies()` in development",
        )),
    }
}

/// A router reads more in a path than a cookie does, and would panic or match something else. What a cookie
/// cannot have is refused with it.
fn check_mount(mount: &str) -> Result<(), ConfigError> {
    let mut segments = mount.split('/').skip(1);
    let plain = |segment: &str| !segment.starts_with([':', '*']) && !segment.contains(['{', '}']);
    match segments.all(plain) {
        true => Ok(()),
        false => Err(ConfigError::about(
            "mount",
            mount,
            "must be a fixed path: routers read segments with : or * in front, or with braces, as variables",
        )),
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

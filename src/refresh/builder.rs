//! Construction: every setting, checked together once.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use cookie::SameSite;
use http::request::Parts;
use serde::Serialize;

use super::{
    claims::{ClaimsError, ClaimsIssuer, ClaimsRequest, Issuer},
    config::{ClientSignal, Config},
    cookie_settings::{CookiePlace, CookieSettings},
    layer::RefreshCookieLayer,
    revoke::Retries,
    throttle::Throttle,
    told::Told,
    transport::RefreshTransport,
};
use crate::{
    config::ConfigError,
    cookie::LONGEST,
    current_session::RefreshCookies,
    event::EventSink,
    keys::{KeyRing, KeyUsage, Need},
    session::{ReusePolicy, RotationPolicy, SessionPolicy},
    store::{MeasuredStore, RefreshStore},
    token::TokenCodec,
};

/// Builds a [`RefreshCookieLayer`]. Setters take anything; [`build`](Self::build) judges.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::{
///     ClaimsError, ClaimsRequest, KeyRing, MemoryStore, NoClaims, RefreshCookieLayer, TokenCodec,
/// };
///
/// let codec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(NoClaims {}) };
/// let sessions = RefreshCookieLayer::builder(codec, MemoryStore::new(), claims)
///     .absolute_lifetime(Duration::from_secs(30 * 24 * 60 * 60))
///     .idle_lifetime(Duration::from_secs(7 * 24 * 60 * 60))
///     .session_limit(10)
///     .host_prefix()
///     .build()?;
/// # let _ = sessions;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[must_use]
pub struct RefreshCookieBuilder {
    keys: KeyRing,
    issuer: String,
    access_lifetime: Duration,
    can_mint: bool,
    store: MeasuredStore,
    claims: Box<dyn Issuer>,
    policy: SessionPolicy,
    idle: Option<Duration>,
    cookie: CookieSettings,
    transport: RefreshTransport,
    events: EventSink,
    signal: Option<ClientSignal>,
    repeats: u16,
}

impl RefreshCookieBuilder {
    pub(crate) fn new<C, F, Fut, E>(
        codec: TokenCodec<C>,
        store: impl RefreshStore,
        claims: F,
    ) -> Self
    where
        C: Serialize + Send + Sync + 'static,
        F: Fn(ClaimsRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<C, E>> + Send + 'static,
        E: Into<ClaimsError> + 'static,
    {
        Self {
            keys: codec.keys().clone(),
            issuer: codec.issuer().to_owned(),
            access_lifetime: codec.lifetime(),
            can_mint: codec.can_mint(),
            store: MeasuredStore::new(store),
            claims: Box::new(ClaimsIssuer { codec, claims }),
            policy: SessionPolicy::default(),
            idle: None,
            cookie: CookieSettings::default(),
            transport: RefreshTransport::Cookie,
            events: EventSink::default(),
            signal: None,
            repeats: 200,
        }
    }

    /// Sets how long a session lasts from sign-in, refreshed or not. Default 7 days; at least one
    /// second, and not shorter than an access token lives. The cookie's `Max-Age` is at most 400 days.
    pub fn absolute_lifetime(mut self, lifetime: Duration) -> Self {
        self.policy.absolute = lifetime;
        self
    }

    /// Sets how long a session lasts unused. Default: as long as the absolute lifetime; at least one
    /// second, and not longer than that. It begins anew with each rotation.
    pub fn idle_lifetime(mut self, lifetime: Duration) -> Self {
        self.idle = Some(lifetime);
        self
    }

    /// Sets how refresh tokens rotate.
    pub fn rotation(mut self, rotation: RotationPolicy) -> Self {
        self.policy.rotation = rotation;
        self
    }

    /// Sets what ends when an old token comes back. Default: its session.
    pub fn reuse(mut self, reuse: ReusePolicy) -> Self {
        self.policy.reuse = reuse;
        self
    }

    /// Sets how many live sessions a subject may have. Default 32; one more drops the least
    /// recently rotated.
    pub fn session_limit(mut self, limit: usize) -> Self {
        self.policy.limit = limit;
        self
    }

    /// Sets how many answers one token gets in half a minute without moving on. Default 200; more
    /// are answered 429.
    ///
    /// It stops clients that refresh in a loop, and no attacker: across the end of a half minute twice as many
    /// are answered, and sessions that share a counter forgive each other.
    pub fn repeat_limit(mut self, answers: u16) -> Self {
        self.repeats = answers;
        self
    }

    /// Sets the cookie's name, without prefix. Default `refresh_token`.
    pub fn cookie_name(mut self, name: impl Into<String>) -> Self {
        self.cookie.name = name.into();
        self
    }

    /// Sets the path under which the session endpoints lie, and which the cookie is sent to.
    /// Default `/auth`.
    ///
    /// It is the path that this service sees. A sign-in elsewhere is told as
    /// [`Event::CookiePathMismatch`](crate::Event::CookiePathMismatch): it does not see the session that it replaces.
    pub fn cookie_path(mut self, path: impl Into<String>) -> Self {
        self.cookie.path = Some(path.into());
        self
    }

    /// Sets what something in front takes off the paths of requests: a proxy, or a router around the layer that
    /// is not axum's (or is, without this crate's feature `axum`). Default: nothing, as with an empty prefix.
    ///
    /// The browser's path has it, so it goes in front of [`cookie_path`](Self::cookie_path) in the cookie.
    ///
    /// | settings | the cookie | this service sees |
    /// |---|---|---|
    /// | `.cookie_path("/auth").external_prefix("/app")` | `Path=/app/auth` | `/auth/refresh` |
    /// | `.cookie_path("/").external_prefix("/auth")` | `Path=/auth` | `/refresh` |
    ///
    /// ```
    /// use tower_bearer::{RefreshCookieLayer, refresh::RefreshCookieBuilder};
    ///
    /// /// `PUBLIC_PATH=/app` where the proxy serves the application below `/app`.
    /// fn behind_a_proxy(sessions: RefreshCookieBuilder) -> RefreshCookieBuilder {
    ///     sessions.external_prefix(std::env::var("PUBLIC_PATH").unwrap_or_default())
    /// }
    /// ```
    pub fn external_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.cookie.external_prefix = prefix.into();
        self
    }

    /// Sets how the refresh token travels. Default: in the cookie. Give native clients a layer and
    /// endpoints of their own, apart from those of the browsers.
    pub fn transport(mut self, transport: RefreshTransport) -> Self {
        self.transport = transport;
        self
    }

    /// Names the cookie `__Host-…` with `Path=/`: no other host of the domain can set it, and every
    /// request to this host carries it. The endpoints lie below `/auth`, unless
    /// [`SessionEndpoints::base`](crate::SessionEndpoints::base) says otherwise.
    pub fn host_prefix(mut self) -> Self {
        self.cookie.host_prefix = true;
        self
    }

    /// Names the cookie `__Http-…`, with [`host_prefix`](Self::host_prefix) `__Host-Http-…`. Default: off.
    ///
    /// A browser that knows the prefixes takes such a cookie with `Secure` and `HttpOnly` alone: it came in an
    /// answer, and no script has planted it (draft-ietf-httpbis-layered-cookies; Chrome 140, Firefox 143).
    /// An older browser reads `__Host-Http-` as `__Host-`, and `__Http-` as a name like any other, which
    /// lacks even the protection of `__Secure-`.
    ///
    /// A new name signs every user out. Chromium refuses a `__Host-Http-` cookie as the one that a device-bound
    /// session renews, and takes `__Http-` and `__Host-` (seen in Chromium 156).
    pub fn http_prefix(mut self) -> Self {
        self.cookie.http_prefix = true;
        self
    }

    /// Sends the cookie with top-level navigations by GET from other sites too. Default
    /// `SameSite=Strict`.
    ///
    /// The return from an OAuth provider is such a navigation. With `Strict` the cookie does not come
    /// with it: a page that the server renders says that nobody is signed in, and
    /// [`Session::start`](crate::Session::start) in the callback does not see the session it
    /// replaces. Such pages lie outside of `/auth`, so they need [`host_prefix`](Self::host_prefix) as
    /// well. A page that refreshes by `fetch` once it is loaded works with `Strict`.
    pub fn same_site_lax(mut self) -> Self {
        self.cookie.same_site = SameSite::Lax;
        self
    }

    /// Drops `Secure` and the name prefix, for development over plain http. An attacker on the network
    /// can then read the refresh token. In place of [`host_prefix`](Self::host_prefix), which needs
    /// `Secure`, development says `cookie_path("/")`.
    pub fn dangerous_insecure_cookie(mut self) -> Self {
        self.cookie.insecure = true;
        self
    }

    /// Sets what tells one client from another: bytes that stay the same for one browser and
    /// differ for others. Default: the `User-Agent`. A server that refreshes on a browser's behalf
    /// must forward that header, or the service needs another signal here.
    pub fn client_fingerprint<T: Into<Vec<u8>>>(
        mut self,
        signal: impl Fn(&Parts) -> T + Send + Sync + 'static,
    ) -> Self {
        self.signal = Some(Arc::new(move |parts| signal(parts).into()));
        self
    }

    /// Sets who is told what happens.
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// Where the cookie goes, as far as it is set.
    pub(crate) fn place(&self) -> impl PartialEq + use<> {
        self.cookie.place()
    }

    /// Whether refresh tokens travel in bodies.
    pub(crate) fn is_in_bodies(&self) -> bool {
        self.transport == RefreshTransport::Body
    }

    /// The layer.
    ///
    /// # Errors
    ///
    /// Names the setting that cannot be used, or does not go together with the others.
    pub fn build(self) -> Result<RefreshCookieLayer, ConfigError> {
        let Self {
            keys,
            issuer,
            access_lifetime,
            can_mint,
            store,
            claims,
            mut policy,
            idle,
            cookie,
            transport,
            events,
            signal,
            repeats,
        } = self;
        if !can_mint {
            return Err(ConfigError::new(
                "codec",
                "cannot mint: its key ring holds public keys only",
            ));
        }
        keys.require(&[Need::Refresh])?;
        policy.idle = idle.unwrap_or(policy.absolute);
        check(&policy, access_lifetime)?;
        if repeats == 0 {
            return Err(ConfigError::new("repeat_limit", "must be at least 1"));
        }
        let CookiePlace {
            cookie,
            base,
            everywhere,
        } = cookie.judge()?;
        let cookies = RefreshCookies {
            keys,
            issuer,
            cookie,
            idle: policy.idle,
            slides: policy.idle.min(LONGEST) < policy.absolute,
            in_bodies: transport == RefreshTransport::Body,
            everywhere,
        };
        let config = Config {
            cookies: Arc::new(cookies),
            base,
            policy,
            store,
            claims,
            events,
            signal,
            throttle: Throttle::new(repeats),
            told: Told::new(),
            retries: Retries::default(),
            key_usage: KeyUsage::default(),
        };
        Ok(RefreshCookieLayer {
            config: Arc::new(config),
        })
    }
}

/// The settings that only make sense together.
fn check(policy: &SessionPolicy, access_lifetime: Duration) -> Result<(), ConfigError> {
    let (absolute, idle, grace) = (policy.absolute, policy.idle, policy.rotation.grace);
    let second = Duration::from_secs(1);
    let access = format!("than the lifetime of an access token, {access_lifetime:?}");
    let rules = [
        (
            "absolute_lifetime",
            absolute,
            absolute >= second,
            "must be at least 1s".to_owned(),
        ),
        (
            "idle_lifetime",
            idle,
            idle >= second,
            "must be at least 1s".to_owned(),
        ),
        (
            "idle_lifetime",
            idle,
            idle <= absolute,
            format!("must not be longer than the absolute lifetime, {absolute:?}"),
        ),
        (
            "absolute_lifetime",
            absolute,
            absolute >= access_lifetime,
            format!("must not be shorter {access}"),
        ),
        (
            "grace",
            grace,
            grace <= access_lifetime,
            format!("must not be longer {access}"),
        ),
    ];
    if let Some((setting, value, _, rule)) = rules.into_iter().find(|(_, _, holds, _)| !holds) {
        return Err(ConfigError::about(setting, value, rule));
    }
    if policy.limit == 0 {
        return Err(ConfigError::new("session_limit", "must be at least 1"));
    }
    Ok(())
}

impl fmt::Debug for RefreshCookieBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            keys: _,
            issuer,
            access_lifetime,
            can_mint: _,
            store,
            claims: _,
            policy,
            idle,
            cookie,
            transport,
            events: _,
            signal: _,
            repeats,
        } = self;
        f.debug_struct("RefreshCookieBuilder")
            .field("issuer", issuer)
            .field("access_lifetime", access_lifetime)
            .field("store", store)
            .field("policy", policy)
            .field("idle", idle)
            .field("cookie", cookie)
            .field("transport", transport)
            .field("repeats", repeats)
            .finish_non_exhaustive()
    }
}

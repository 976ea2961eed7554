//! Construction: every setting, checked together once.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use serde::Serialize;

use super::{
    authentication,
    claims::{ClaimsError, ClaimsIssuer, ClaimsRequest, Issuer},
    client_settings,
    config::{ClientSignal, Config},
    cookie_settings::{CookiePlace, CookieSettings},
    layer::RefreshCookieLayer,
    lifetimes,
    pending::Queue,
    throttle::{OnceAMinute, Throttle},
    told::Told,
    transport::RefreshTransport,
};
use crate::{
    config::ConfigError,
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
    pub(super) policy: SessionPolicy,
    idle: Option<Duration>,
    pub(super) cookie: CookieSettings,
    transport: RefreshTransport,
    events: EventSink,
    pub(super) signal: Option<ClientSignal>,
    pub(super) fingerprint_version: u8,
    pub(super) claims_timeout: Option<Duration>,
    repeats: u16,
    pub(super) authentication_in_tokens: bool,
    pub(super) recent_auth_to_end_others: Option<Duration>,
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
            fingerprint_version: 0,
            claims_timeout: None,
            repeats: 200,
            authentication_in_tokens: false,
            recent_auth_to_end_others: None,
        }
    }

    /// Sets how long a session lasts from sign-in, refreshed or not. This is the longest that any session may get:
    /// [`NewSession::lifetime`](crate::NewSession::lifetime) gives a shorter one. Default 7 days; at least one second,
    /// and not shorter than an access token lives. The cookie's `Max-Age` is at most 400 days.
    pub fn absolute_lifetime(mut self, lifetime: Duration) -> Self {
        self.policy.absolute = lifetime;
        self
    }

    /// Sets how long a session lasts unused; [`NewSession::idle`](crate::NewSession::idle) sets it for one session.
    /// Default, and at most: the absolute lifetime.
    ///
    /// Each refresh counts as use, unless its request has the header `X-Session-Activity: passive`. A page sends that
    /// when its timer refreshes and its user did nothing since the last time. The answer then brings a token that ends
    /// with the session at the latest. The idle end stays where it is. The page reports input shortly before that end
    /// [at once](crate::manual::sessions#end-unused-sessions). Without the header an open tab keeps its session to the
    /// absolute end. The value is `passive` in lower case, in one line; any other is active. A client can only shorten
    /// its own session by it.
    ///
    /// A use within the [interval](crate::refresh::RotationPolicyBuilder::interval) of the last one may not count. So a
    /// lifetime shorter than the absolute one must exceed the interval, the grace and an access token's life together.
    /// Otherwise an active user would be signed out between two refreshes.
    pub fn idle_lifetime(mut self, lifetime: Duration) -> Self {
        self.idle = Some(lifetime);
        self
    }

    /// Sets how refresh tokens rotate.
    pub fn rotation(mut self, rotation: RotationPolicy) -> Self {
        self.policy.rotation = rotation;
        self
    }

    /// Sets the sessions that end when an old token comes back. Default: its session.
    pub fn reuse(mut self, reuse: ReusePolicy) -> Self {
        self.policy.reuse = reuse;
        self
    }

    /// Sets how many live sessions a subject may have. Default 32; one more drops the least
    /// recently rotated. A session that the sign-in replaces does not count. While several session keys are in use,
    /// sessions under all of them count together.
    pub fn session_limit(mut self, limit: usize) -> Self {
        self.policy.limit = limit;
        self
    }

    /// Sets how many answers one token gets in half a minute without moving on. Default 200; more
    /// are answered 429.
    ///
    /// It stops clients that refresh in a loop, and no attacker. Across the end of a half minute twice as many are
    /// answered. Sessions that share a counter forgive each other.
    pub fn repeat_limit(mut self, answers: u16) -> Self {
        self.repeats = answers;
        self
    }

    /// Sets how the refresh token travels. Default: in the cookie. Give native clients a layer and
    /// endpoints of their own, apart from those of the browsers.
    pub fn transport(mut self, transport: RefreshTransport) -> Self {
        self.transport = transport;
        self
    }

    /// Sets the event sink.
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

    /// Returns the layer.
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
            fingerprint_version,
            claims_timeout,
            repeats,
            authentication_in_tokens,
            recent_auth_to_end_others,
        } = self;
        if !can_mint {
            return Err(ConfigError::new(
                "codec",
                "cannot mint: its key ring holds public keys only",
            ));
        }
        keys.require(&[Need::Refresh])?;
        policy.idle = idle.unwrap_or(policy.absolute);
        policy.confirms = transport == RefreshTransport::Cookie;
        check(&policy, idle, access_lifetime)?;
        let claims_timeout = client_settings::claims_timeout(claims_timeout, &policy.rotation)?;
        if repeats == 0 {
            return Err(ConfigError::new("repeat_limit", "must be at least 1"));
        }
        authentication::check(recent_auth_to_end_others)?;
        let CookiePlace {
            cookie,
            jar,
            former,
            base,
            everywhere,
        } = cookie.judge()?;
        let in_bodies = transport == RefreshTransport::Body;
        let jar = jar.filter(|_| !in_bodies);
        client_settings::check(policy.fingerprints, jar.is_some())?;
        let cookies = RefreshCookies {
            keys,
            issuer,
            cookie,
            jar,
            former: if in_bodies { Vec::new() } else { former },
            idle: policy.idle,
            in_bodies,
            everywhere,
        };
        let config = Config {
            cookies: Arc::new(cookies),
            base,
            policy,
            access_lifetime,
            store,
            claims,
            events,
            signal,
            fingerprint_version,
            claims_timeout,
            authentication_in_tokens,
            recent_auth_to_end_others,
            foreign_jars: OnceAMinute::new(),
            old_tokens: OnceAMinute::new(),
            newcomers: OnceAMinute::new(),
            throttle: Throttle::new(repeats),
            told: Told::new(),
            queue: Queue::default(),
            key_usage: KeyUsage::default(),
        };
        Ok(RefreshCookieLayer {
            config: Arc::new(config),
        })
    }
}

/// The settings that only make sense together.
fn check(
    policy: &SessionPolicy,
    idle: Option<Duration>,
    access_lifetime: Duration,
) -> Result<(), ConfigError> {
    let idle = idle.map(|idle| ("idle_lifetime", idle));
    let absolute = ("absolute_lifetime", policy.absolute);
    lifetimes::judge(absolute, idle, access_lifetime, &policy.rotation)?;
    let grace = policy.rotation.grace;
    if grace > access_lifetime {
        return Err(ConfigError::about(
            "grace",
            grace,
            format!("must not be longer than the lifetime of an access token, {access_lifetime:?}"),
        ));
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
            fingerprint_version,
            claims_timeout,
            repeats,
            authentication_in_tokens,
            recent_auth_to_end_others,
        } = self;
        f.debug_struct("RefreshCookieBuilder")
            .field("issuer", issuer)
            .field("access_lifetime", access_lifetime)
            .field("store", store)
            .field("policy", policy)
            .field("idle", idle)
            .field("cookie", cookie)
            .field("transport", transport)
            .field("fingerprint_version", fingerprint_version)
            .field("claims_timeout", claims_timeout)
            .field("repeats", repeats)
            .field("authentication_in_tokens", authentication_in_tokens)
            .field("recent_auth_to_end_others", recent_auth_to_end_others)
            .finish_non_exhaustive()
    }
}

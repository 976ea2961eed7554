//! Configuration of a codec, checked as a whole when it is built.

mod checks;

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use super::{
    NoClaims, TokenCodec,
    cache::TokenCache,
    codec::{CodecConfig, Profile},
    registered_claims::{Preamble, Rules},
};
use crate::{
    clock::{Clock, SystemClock},
    config::ConfigError,
    keys::{ACCESS_TOKEN_TYPE, KeyRing, SignatureAlgorithm},
};

/// Builds a [`TokenCodec`]; begun by [`TokenCodec::nested`], [`TokenCodec::encrypted`]
/// and [`TokenCodec::signed`].
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::{KeyRing, SignatureAlgorithm, TokenCodec};
///
/// let codec: TokenCodec = TokenCodec::signed(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .audience("admin-api")
///     .lifetime(Duration::from_secs(300))
///     .leeway(Duration::ZERO)
///     .algorithms([SignatureAlgorithm::Hs256])
///     .build()?;
/// assert_eq!(codec.lifetime(), Duration::from_secs(300));
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[must_use]
pub struct TokenCodecBuilder<C = NoClaims> {
    profile: Profile,
    keys: KeyRing,
    issuers: Vec<String>,
    any_issuer: bool,
    audiences: Vec<String>,
    any_audience: bool,
    subject_optional: bool,
    leeway: Duration,
    lifetime: Duration,
    max_age: Option<Duration>,
    token_type: String,
    any_token_type: bool,
    max_token_bytes: usize,
    algorithms: Option<Vec<SignatureAlgorithm>>,
    clock: Arc<dyn Clock>,
    cache: Option<TokenCache>,
    claims: PhantomData<fn() -> C>,
}

impl<C> TokenCodecBuilder<C> {
    pub(super) fn new(profile: Profile, keys: &KeyRing) -> Self {
        Self {
            profile,
            keys: keys.clone(),
            issuers: Vec::new(),
            any_issuer: false,
            audiences: Vec::new(),
            any_audience: false,
            subject_optional: false,
            leeway: Duration::from_secs(60),
            lifetime: Duration::from_secs(900),
            max_age: None,
            token_type: ACCESS_TOKEN_TYPE.to_owned(),
            any_token_type: false,
            max_token_bytes: 8192,
            algorithms: None,
            clock: Arc::new(SystemClock),
            cache: None,
            claims: PhantomData,
        }
    }

    /// An accepted `iss`, compared exactly. The first one given is minted.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Accepts tokens of every issuer, and tokens that name none. Then only the keys tell whose
    /// token it is.
    pub fn dangerous_any_issuer(mut self) -> Self {
        self.any_issuer = true;
        self
    }

    /// An accepted audience: `aud` must name one of them, compared exactly. The first one given
    /// is minted.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens for every audience, and tokens that name none: a token that was issued for
    /// another service passes here, too.
    pub fn dangerous_any_audience(mut self) -> Self {
        self.any_audience = true;
        self
    }

    /// Accepts tokens without `sub`. [`Claims::subject`](super::Claims::subject) is then empty,
    /// and an empty subject can be minted, which writes no `sub`.
    pub fn subject_optional(mut self) -> Self {
        self.subject_optional = true;
        self
    }

    /// How far the clocks of issuer and verifier may differ: 60 seconds by default, 300 at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How long minted tokens are good for, in whole seconds: 15 minutes by default, at least one
    /// second, at most 24 hours.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Refuses tokens issued longer ago than this (plus the leeway), and tokens without `iat`,
    /// whatever their `exp` says. No limit by default.
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// The `typ` of the header that holds the claims: `at+jwt` by default (RFC 9068 section 2.1).
    /// Compared in any case and with or without `application/` (RFC 7515 section 4.1.9).
    pub fn token_type(mut self, token_type: impl Into<String>) -> Self {
        self.token_type = token_type.into();
        self
    }

    /// Accepts every `typ` and none: another kind of token that the same key signed, an id token
    /// for example, passes as an access token.
    pub fn dangerous_any_token_type(mut self) -> Self {
        self.any_token_type = true;
        self
    }

    /// The longest accepted token in bytes, checked before anything is parsed: 8192 by default,
    /// 65536 at most. Minting refuses to make a longer one.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// Accepts these signature algorithms only. By default every key of the ring is accepted,
    /// each for the one algorithm it is configured for.
    ///
    /// Many issuers publish RSA keys without `alg`. Those are for RS256 (OpenID Connect Core 1.0
    /// section 3.1.3.7), or, when exactly one RSA algorithm is named here, for that one.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = SignatureAlgorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Where the time comes from: the system's clock by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Remembers verified tokens in `cache`. Off by default; see [`TokenCache`] for an example.
    ///
    /// [`build`](Self::build) refuses a cache that has no room for a token of
    /// [`max_token_bytes`](Self::max_token_bytes), and one of more than 64 GiB.
    #[cfg(feature = "cache")]
    pub fn cache(mut self, cache: TokenCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Builds the codec. It follows later rotations of the ring. One that an issuer elsewhere fills
    /// may still be empty.
    ///
    /// # Errors
    ///
    /// When issuer or audience is missing and not waived by name, a setting is out of range, the ring
    /// lacks a key that the profile needs, or its keys (RFC 7517 section 4.3) allow neither minting nor
    /// verifying.
    pub fn build(self) -> Result<TokenCodec<C>, ConfigError> {
        self.check_names()?;
        self.check_ranges()?;
        self.check_keys()?;
        let rsa = self.rsa();
        let cache = self.cache.map(|cache| cache.lay_out(self.max_token_bytes));
        let preamble = Preamble::new(self.issuers.first(), self.audiences.first());
        let inner = CodecConfig {
            profile: self.profile,
            keys: self.keys,
            issuer: self.issuers.first().cloned().unwrap_or_default(),
            rules: Rules {
                issuers: (!self.any_issuer).then(|| self.issuers.into()),
                audiences: (!self.any_audience).then(|| self.audiences.into()),
                leeway: self.leeway,
                max_age: self.max_age,
                subject_optional: self.subject_optional,
                preamble,
            },
            lifetime: Duration::from_secs(self.lifetime.as_secs()),
            token_type: self.token_type,
            typed: !self.any_token_type,
            max_token_bytes: self.max_token_bytes,
            rsa,
            algorithms: self.algorithms.map(Into::into),
            clock: self.clock,
            cache: cache.transpose()?,
        };
        Ok(TokenCodec::new(inner))
    }

    /// The algorithm of an issuer's RSA keys that name none.
    fn rsa(&self) -> SignatureAlgorithm {
        let mut named = self.algorithms.iter().flatten().filter(|alg| alg.is_rsa());
        match (named.next(), named.next()) {
            (Some(one), None) => *one,
            _ => SignatureAlgorithm::Rs256,
        }
    }
}

impl<C> fmt::Debug for TokenCodecBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            profile,
            keys: _,
            issuers,
            any_issuer,
            audiences,
            any_audience,
            subject_optional,
            leeway,
            lifetime,
            max_age,
            token_type,
            any_token_type,
            max_token_bytes,
            algorithms,
            clock,
            cache,
            claims: _,
        } = self;
        f.debug_struct("TokenCodecBuilder")
            .field("profile", profile)
            .field("issuers", issuers)
            .field("any_issuer", any_issuer)
            .field("audiences", audiences)
            .field("any_audience", any_audience)
            .field("subject_optional", subject_optional)
            .field("leeway", leeway)
            .field("lifetime", lifetime)
            .field("max_age", max_age)
            .field("token_type", token_type)
            .field("any_token_type", any_token_type)
            .field("max_token_bytes", max_token_bytes)
            .field("algorithms", algorithms)
            .field("clock", clock)
            .field("cache", cache)
            .finish_non_exhaustive()
    }
}

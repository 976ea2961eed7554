//! Configuration of a codec, checked as a whole when it is built.

mod checks;

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use super::{
    NoClaims, TokenCodec,
    cache::TokenCache,
    codec::{CodecConfig, Profile},
    registered_claims::{Preamble, Rules},
    token_type::{TokenType, TokenTypes},
};
use crate::{
    clock::{Clock, SystemClock},
    config::ConfigError,
    keys::{KeyRing, SignatureAlgorithm},
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
    also_issuers: Vec<String>,
    any_issuer: bool,
    audiences: Vec<String>,
    any_audience: bool,
    audience_claim: Option<String>,
    scope_claims: Option<Vec<String>>,
    subject_optional: bool,
    leeway: Duration,
    lifetime: Duration,
    max_age: Option<Duration>,
    token_types: Vec<TokenType>,
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
            also_issuers: Vec::new(),
            any_issuer: false,
            audiences: Vec::new(),
            any_audience: false,
            audience_claim: None,
            scope_claims: None,
            subject_optional: false,
            leeway: Duration::from_secs(60),
            lifetime: Duration::from_secs(900),
            max_age: None,
            token_types: vec![TokenType::AccessToken],
            max_token_bytes: 8192,
            algorithms: None,
            clock: Arc::new(SystemClock),
            cache: None,
            claims: PhantomData,
        }
    }

    /// Adds an accepted `iss`, compared exactly. The first one given is minted.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Accepts tokens of `issuer` as well, the name that the issuer had before or has elsewhere, compared exactly.
    /// It is never minted. Give it when the *same* issuer, with the same keys, goes by two names.
    ///
    /// ```
    /// use tower_bearer::{KeyRing, NoClaims, TokenCodec};
    ///
    /// let keys = KeyRing::generate()?;
    /// let codec = || TokenCodec::<NoClaims>::signed(&keys).audience("api");
    /// let old = codec().issuer("https://old.example").build()?;
    /// let new = codec().issuer("https://id.example").also_issuer("https://old.example").build()?;
    /// let token = old.mint("user-1", &NoClaims {})?;
    /// assert_eq!(new.verify(token.as_str())?.issuer(), Some("https://old.example"));
    /// assert_eq!(new.issuer(), "https://id.example");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn also_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.also_issuers.push(issuer.into());
        self
    }

    /// Accepts tokens of every issuer, and tokens that name none. Then only the keys tell whose
    /// token it is.
    pub fn dangerous_any_issuer(mut self) -> Self {
        self.any_issuer = true;
        self
    }

    /// Adds an accepted audience: `aud` must name one of them, compared exactly. The first one given is minted.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens for every audience, and tokens that name none. So this service also accepts a token that was
    /// issued for another service.
    pub fn dangerous_any_audience(mut self) -> Self {
        self.any_audience = true;
        self
    }

    /// Takes `claim` for the audience in the place of `aud`, in verified and in minted tokens. An example is
    /// `client_id` for the access tokens of Amazon Cognito, which have no `aud`. It is a string or an array of strings.
    ///
    /// `aud` is then a claim of the application's like any other, and not judged. The application's own type sees
    /// `claim`, too, and cannot write it. [`build`](Self::build) refuses the name of another registered claim.
    ///
    /// ```
    /// use tower_bearer::{KeyRing, NoClaims, TokenCodec};
    ///
    /// let codec: TokenCodec = TokenCodec::signed(&KeyRing::generate()?)
    ///     .issuer("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x")
    ///     .audience("7lhl")
    ///     .audience_claim("client_id")
    ///     .build()?;
    /// let token = codec.mint("user-1", &NoClaims {})?;
    /// assert!(codec.verify(token.as_str())?.audiences().eq(["7lhl"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn audience_claim(mut self, claim: impl Into<String>) -> Self {
        self.audience_claim = Some(claim.into());
        self
    }

    /// Reads scopes from these claims: `scope` by default (RFC 8693 section 4.2). Okta and Entra ID write `scp`.
    ///
    /// A claim is a string with a space between two scopes, or an array of strings. Those of several claims are
    /// joined, and [`Claims::scope`](super::Claims::scope) is one text either way. Another type of claim or
    /// element grants nothing, nor does an element with a space in it.
    ///
    /// ```
    /// use serde::Serialize;
    /// use tower_bearer::{KeyRing, NoClaims, TokenCodec};
    ///
    /// #[derive(Serialize)]
    /// struct Okta {
    ///     scp: [&'static str; 2],
    /// }
    ///
    /// let keys = KeyRing::generate()?;
    /// let theirs = TokenCodec::<Okta>::signed(&keys).issuer("https://x.okta.com").audience("api").build()?;
    /// let ours: TokenCodec = TokenCodec::signed(&keys)
    ///     .issuer("https://x.okta.com")
    ///     .audience("api")
    ///     .scope_claims(["scope", "scp"])
    ///     .build()?;
    /// let token = theirs.mint("user-1", &Okta { scp: ["read", "write"] })?;
    /// assert_eq!(ours.verify(token.as_str())?.scope(), Some("read write"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scope_claims(mut self, claims: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scope_claims = Some(claims.into_iter().map(Into::into).collect());
        self
    }

    /// Accepts tokens without `sub`. [`Claims::subject`](super::Claims::subject) is then empty,
    /// and an empty subject can be minted, which writes no `sub`.
    pub fn subject_optional(mut self) -> Self {
        self.subject_optional = true;
        self
    }

    /// Sets how far the clocks of issuer and verifier may differ: 60 seconds by default, 300 at most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets how long minted tokens are valid, in whole seconds. It is 15 minutes by default, at least one second, at
    /// most 24 hours.
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

    /// Accepts these types of token, by the `typ` of the header that holds the claims. The first one given is
    /// minted. By default that is [`AccessToken`](TokenType::AccessToken), `at+jwt` (RFC 9068 section 2.1).
    ///
    /// With [`Jwt`](TokenType::Jwt) or [`Absent`](TokenType::Absent) an id token passes, too, where its audience
    /// is one of the codec's.
    ///
    /// ```
    /// use tower_bearer::{KeyRing, TokenCodec, token::TokenType};
    ///
    /// let codec: TokenCodec = TokenCodec::signed(&KeyRing::generate()?)
    ///     .issuer("https://id.example")
    ///     .audience("api")
    ///     .token_types([TokenType::AccessToken, TokenType::Jwt])
    ///     .build()?;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn token_types(mut self, types: impl IntoIterator<Item = TokenType>) -> Self {
        self.token_types = types.into_iter().collect();
        self
    }

    /// Sets the longest accepted token in bytes, checked before anything is parsed: 8192 by default, 65536 at most.
    /// Minting refuses to make a longer one.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// Accepts these signature algorithms only. By default every key of the ring is accepted,
    /// each for the one algorithm it is configured for.
    ///
    /// Many issuers publish RSA keys without `alg`. Those are for RS256 (OpenID Connect Core 1.0 section 3.1.3.7). When
    /// exactly one RSA algorithm is named here, they are for that one. Where none is, the issuer's metadata may name
    /// one.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = SignatureAlgorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Sets the clock: the system's by default.
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
    /// When issuer or audience is missing and not waived by name, or a setting is out of range. Also when the ring
    /// lacks a key that the profile needs. Also when its keys (RFC 7517 section 4.3) allow neither minting nor
    /// verifying.
    pub fn build(self) -> Result<TokenCodec<C>, ConfigError> {
        self.check_names()?;
        self.check_claim_names()?;
        let types = TokenTypes::new(self.token_types.clone())?;
        self.check_ranges()?;
        self.check_keys()?;
        let rsa = self.rsa();
        let cache = self.cache.map(|cache| cache.lay_out(self.max_token_bytes));
        // A default costs no comparison.
        let audience_claim = self.audience_claim.filter(|claim| claim != "aud");
        let scope_claims = self.scope_claims.filter(|claims| *claims != ["scope"]);
        let preamble = Preamble::new(
            self.issuers.first(),
            self.audiences.first(),
            audience_claim.as_deref().unwrap_or("aud"),
        );
        let issuer = self.issuers.first().cloned().unwrap_or_default();
        let issuers = [self.issuers, self.also_issuers].concat();
        let inner = CodecConfig {
            profile: self.profile,
            keys: self.keys,
            issuer,
            rules: Rules {
                issuers: (!self.any_issuer).then(|| issuers.into()),
                audiences: (!self.any_audience).then(|| self.audiences.into()),
                leeway: self.leeway,
                max_age: self.max_age,
                subject_optional: self.subject_optional,
                audience_claim: audience_claim.map(Into::into),
                scope_claims: scope_claims.map(Into::into),
                preamble,
            },
            lifetime: Duration::from_secs(self.lifetime.as_secs()),
            types,
            max_token_bytes: self.max_token_bytes,
            rsa,
            algorithms: self.algorithms.map(Into::into),
            clock: self.clock,
            cache: cache.transpose()?,
        };
        Ok(TokenCodec::new(inner))
    }

    /// The algorithm of an issuer's RSA keys that name none, where one is named here.
    fn rsa(&self) -> Option<SignatureAlgorithm> {
        let mut named = self.algorithms.iter().flatten().filter(|alg| alg.is_rsa());
        let one = named.next()?;
        named.next().is_none().then_some(*one)
    }
}

impl<C> fmt::Debug for TokenCodecBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            profile,
            keys: _,
            issuers,
            also_issuers,
            any_issuer,
            audiences,
            any_audience,
            audience_claim,
            scope_claims,
            subject_optional,
            leeway,
            lifetime,
            max_age,
            token_types,
            max_token_bytes,
            algorithms,
            clock,
            cache,
            claims: _,
        } = self;
        f.debug_struct("TokenCodecBuilder")
            .field("profile", profile)
            .field("issuers", issuers)
            .field("also_issuers", also_issuers)
            .field("any_issuer", any_issuer)
            .field("audiences", audiences)
            .field("any_audience", any_audience)
            .field("audience_claim", audience_claim)
            .field("scope_claims", scope_claims)
            .field("subject_optional", subject_optional)
            .field("leeway", leeway)
            .field("lifetime", lifetime)
            .field("max_age", max_age)
            .field("token_types", token_types)
            .field("max_token_bytes", max_token_bytes)
            .field("algorithms", algorithms)
            .field("clock", clock)
            .field("cache", cache)
            .finish_non_exhaustive()
    }
}

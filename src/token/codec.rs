//! The codec and its settings.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use super::{
    NoClaims, TokenCodecBuilder, TokenErrorKind, cache::TokenCache, registered_claims::Rules,
    token_type::TokenTypes,
};
use crate::{
    clock::{Clock, Timestamp},
    keys::{EncryptionKey, KeyManagement, KeyRing, SignatureAlgorithm},
    session::Authentication,
};

/// Mints and verifies access tokens of one exact form, with the application's own claims `C`.
///
/// A codec is bound to its form, issuer, audience and keys when it is built; a token's header
/// chooses nothing. Clones are cheap and share everything, the keys included.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tower_bearer::{KeyRing, TokenCodec};
///
/// #[derive(Serialize, Deserialize)]
/// struct Role {
///     role: String,
/// }
///
/// let keys = KeyRing::generate()?;
/// let codec = TokenCodec::<Role>::nested(&keys)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
///
/// let token = codec.mint("user-1", &Role { role: "admin".into() })?;
/// let claims = codec.verify(token.as_str())?;
/// assert_eq!(claims.subject(), "user-1");
/// assert_eq!(claims.custom().role, "admin");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TokenCodec<C = NoClaims> {
    pub(super) config: Arc<CodecConfig>,
    claims: PhantomData<fn() -> C>,
}

pub(super) struct CodecConfig {
    pub(super) profile: Profile,
    pub(super) keys: KeyRing,
    pub(super) rules: Rules,
    pub(super) issuer: String,
    pub(super) lifetime: Duration,
    pub(super) types: TokenTypes,
    pub(super) max_token_bytes: usize,
    /// The accepted signature algorithms; `None` for whatever the keys are configured for.
    pub(super) algorithms: Option<Box<[SignatureAlgorithm]>>,
    /// The algorithm of an issuer's RSA keys that name none; `None` for what the issuer says, and RS256.
    pub(super) rsa: Option<SignatureAlgorithm>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) cache: Option<TokenCache>,
}

/// The form of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Nested,
    Encrypted,
    Signed,
}

/// The content of a token to mint; see [`TokenCodec::mint_at`].
///
/// ```
/// use tower_bearer::{KeyRing, NoClaims, Timestamp, TokenCodec, token::Grant};
///
/// let codec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let grant = Grant::new("user-1", &NoClaims {}).session("browser-7");
/// let now = Timestamp::from_secs(1_800_000_000);
/// let token = codec.mint_at(&grant, now)?;
/// assert_eq!(codec.verify_at(token.as_str(), now)?.session(), Some("browser-7"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Grant<'a, C> {
    pub(super) subject: &'a str,
    pub(super) session: Option<&'a str>,
    pub(super) custom: &'a C,
    pub(super) until: Timestamp,
    pub(super) authentication: Option<&'a Authentication>,
}

impl<'a, C> Grant<'a, C> {
    /// Returns a token for `subject` (`sub`), with the application's own claims.
    #[must_use]
    pub fn new(subject: &'a str, custom: &'a C) -> Self {
        Self {
            subject,
            session: None,
            custom,
            until: Timestamp::from_millis(u64::MAX),
            authentication: None,
        }
    }

    /// Names the refresh session that the token belongs to (`sid`).
    #[must_use]
    pub fn session(self, session: &'a str) -> Self {
        Self {
            session: Some(session),
            ..self
        }
    }

    /// The token does not outlive `end`. It counts in whole seconds, and ends with the last one before.
    pub(crate) fn until(self, end: Timestamp) -> Self {
        let until = Timestamp::from_secs(end.as_secs());
        Self { until, ..self }
    }

    /// The token says when and how its user authenticated, where that is given.
    pub(crate) fn authentication(self, authentication: Option<&'a Authentication>) -> Self {
        Self {
            authentication,
            ..self
        }
    }

    /// How long a token that is minted at `now` can last, in whole seconds: none where it is zero.
    pub(crate) fn left(&self, now: Timestamp) -> Duration {
        Duration::from_secs(self.until.since(now).as_secs())
    }
}

impl<C> TokenCodec<C> {
    /// The same codec for claims of another type: nothing that it is built of depends on them.
    pub(crate) fn with_claims<D>(self) -> TokenCodec<D> {
        TokenCodec {
            config: self.config,
            claims: PhantomData,
        }
    }

    /// Starts a codec of signed tokens inside encrypted ones (RFC 7519 section 5.2), over `keys`.
    ///
    /// The ring needs a signing key and an encryption key.
    pub fn nested(keys: &KeyRing) -> TokenCodecBuilder<C> {
        TokenCodecBuilder::new(Profile::Nested, keys)
    }

    /// Starts a codec of tokens that are encrypted with a shared key, over `keys`. The encryption
    /// authenticates the claims (RFC 7516).
    ///
    /// The ring needs a shared encryption key.
    ///
    /// ```
    /// use tower_bearer::{KeyRing, TokenCodec};
    ///
    /// let codec: TokenCodec = TokenCodec::encrypted(&KeyRing::generate()?)
    ///     .issuer("https://id.example")
    ///     .audience("api")
    ///     .build()?;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn encrypted(keys: &KeyRing) -> TokenCodecBuilder<C> {
        TokenCodecBuilder::new(Profile::Encrypted, keys)
    }

    /// Starts a codec of signed tokens, which third parties can verify and read (RFC 9068), over
    /// `keys`.
    ///
    /// The ring needs a signing key, or those of a `RemoteJwks`.
    pub fn signed(keys: &KeyRing) -> TokenCodecBuilder<C> {
        TokenCodecBuilder::new(Profile::Signed, keys)
    }

    pub(super) fn new(config: CodecConfig) -> Self {
        Self {
            config: Arc::new(config),
            claims: PhantomData,
        }
    }

    /// Returns how long minted tokens are valid.
    pub fn lifetime(&self) -> Duration {
        self.config.lifetime
    }

    /// Returns the issuer that is minted; empty when none is configured.
    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }

    /// Returns the clock that tokens are verified with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.config.clock
    }

    /// Returns when it begins to refuse a token with these times, and as what. It is refused as expired, or as older
    /// than its [`max_age`](super::TokenCodecBuilder::max_age).
    pub(crate) fn end(
        &self,
        exp: Timestamp,
        iat: Option<Timestamp>,
    ) -> (Timestamp, TokenErrorKind) {
        let rules = &self.config.rules;
        let expired = (exp + rules.leeway, TokenErrorKind::Expired);
        let Some(max_age) = rules.max_age else {
            return expired;
        };
        // The last moment of its age is still taken. Without `iat` none is.
        let too_old = iat.map_or(Timestamp::default(), |iat| {
            iat + max_age + rules.leeway + Duration::from_millis(1)
        });
        match too_old < expired.0 {
            true => (too_old, TokenErrorKind::TooOld),
            false => expired,
        }
    }

    /// Returns whether the ring holds every key that minting needs, as it is now.
    pub fn can_mint(&self) -> bool {
        let keys = self.config.keys.load();
        let (signs, encrypts) = (
            keys.active_signing().is_some(),
            keys.active_encryption().is_some(),
        );
        match self.config.profile {
            Profile::Nested => signs && encrypts,
            Profile::Encrypted => encrypts,
            Profile::Signed => signs,
        }
    }

    /// Returns the longest accepted token in bytes.
    pub fn max_token_bytes(&self) -> usize {
        self.config.max_token_bytes
    }

    /// Returns the cache of verified tokens, where the codec has one.
    #[cfg(feature = "cache")]
    pub fn cache(&self) -> Option<&TokenCache> {
        self.config.cache.as_ref()
    }

    /// Returns the ring the codec takes its keys from.
    pub fn keys(&self) -> &KeyRing {
        &self.config.keys
    }

    /// The log's text for a token that was refused for `kind`, where the settings tell what it should name.
    pub(crate) fn expectation(&self, kind: TokenErrorKind) -> Option<String> {
        let rules = &self.config.rules;
        let (claim, accepted) = match kind {
            TokenErrorKind::Audience => (
                rules.audience_claim.as_deref().unwrap_or("aud"),
                &rules.audiences,
            ),
            TokenErrorKind::Issuer => ("iss", &rules.issuers),
            _ => return None,
        };
        let accepted = accepted.as_ref()?.join("` or `");
        Some(format!(
            "the access token is not acceptable where {claim} has to be `{accepted}`"
        ))
    }
}

impl CodecConfig {
    /// Whether keys of `algorithm` may sign.
    pub(super) fn allows(&self, algorithm: SignatureAlgorithm) -> bool {
        match &self.algorithms {
            None => true,
            Some(allowed) => allowed.contains(&algorithm),
        }
    }

    /// Whether content under `key` proves anything about its sender. Every client can encrypt to a public key, so that
    /// alone never does.
    pub(super) fn authenticates(&self, key: &EncryptionKey) -> bool {
        self.profile == Profile::Nested || is_shared(key.management())
    }
}

/// Whether both sides hold the same secret.
pub(super) fn is_shared(management: KeyManagement) -> bool {
    match management {
        KeyManagement::Direct | KeyManagement::A256Kw => true,
        KeyManagement::RsaOaep256 | KeyManagement::EcdhEsA256Kw => false,
    }
}

impl<C> Clone for TokenCodec<C> {
    fn clone(&self) -> Self {
        Self {
            config: self.config.clone(),
            claims: PhantomData,
        }
    }
}

impl<C> fmt::Debug for TokenCodec<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, claims: _ } = self;
        f.debug_struct("TokenCodec")
            .field("profile", &config.profile)
            .field("issuer", &config.issuer)
            .field("lifetime", &config.lifetime)
            .finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for Grant<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject: _,
            session,
            custom: _,
            until: _,
            authentication: _,
        } = self;
        f.debug_struct("Grant")
            .field("session", session)
            .finish_non_exhaustive()
    }
}

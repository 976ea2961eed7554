//! Verified claims.

mod authentication;
mod verified;

use std::{
    any::{Any, type_name},
    fmt,
    sync::Arc,
};

use http::HeaderValue;
use serde::{Deserialize, Serialize};

pub(crate) use self::authentication::NotRecent;
pub(super) use self::verified::Judged;
use self::verified::Verified;
use super::{presented::PresentedToken, registered_claims::Registered};
use crate::clock::Timestamp;

/// The claims of a verified access token (RFC 7519 section 4.1). Cheap to clone.
///
/// ```
/// use tower_bearer::{KeyRing, NoClaims, TokenCodec};
///
/// let codec: TokenCodec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let token = codec.mint("user-1", &NoClaims {})?;
/// let claims = codec.verify(token.as_str())?;
/// assert_eq!(claims.subject(), "user-1");
/// assert_eq!(claims.context().subject(), "user-1");
/// assert!(claims.token_id().is_some() && claims.session().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Claims<C = NoClaims>(Arc<ClaimsSet<C>>);

/// No claims beyond the registered ones.
///
/// ```
/// use tower_bearer::NoClaims;
///
/// assert_eq!(serde_json::to_string(&NoClaims {})?, "{}");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoClaims {}

struct ClaimsSet<C> {
    verified: Verified,
    custom: C,
}

/// The registered claims of a verified token, for code that does not know the application's type. Examples are
/// [`RequireScopeLayer`](crate::RequireScopeLayer), a [check](crate::BearerAuthLayer::check), or a layer of your own.
///
/// ```
/// use http::Request;
/// use tower_bearer::TokenContext;
///
/// /// Who to count the request for: in the extensions behind `BearerAuthLayer`.
/// fn subject<B>(request: &Request<B>) -> Option<&str> {
///     request.extensions().get::<TokenContext>().map(TokenContext::subject)
/// }
/// # assert!(subject(&Request::new(())).is_none());
/// ```
#[derive(Clone)]
pub struct TokenContext {
    claims: Arc<dyn Context>,
    /// The challenge of the bearer layer, where it is not the default: one further in goes on from it.
    challenge: Option<Arc<HeaderValue>>,
}

trait Context: Send + Sync {
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    fn claims_type(&self) -> &'static str;
    fn verified(&self) -> &Verified;
}

impl<C: Send + Sync + 'static> Context for ClaimsSet<C> {
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
    fn claims_type(&self) -> &'static str {
        type_name::<C>()
    }
    fn verified(&self) -> &Verified {
        &self.verified
    }
}

impl<C> Claims<C> {
    /// `json` is the authentic text that `claims` were read from, and `token` the token that held it.
    pub(super) fn new(
        claims: &Registered<'_>,
        json: &str,
        token: &[u8],
        expires_at: Timestamp,
        judged: Judged,
        scope_claims: Option<Arc<[String]>>,
        custom: C,
    ) -> Self {
        Self(Arc::new(ClaimsSet {
            verified: Verified::new(claims, json, token, expires_at, judged, scope_claims),
            custom,
        }))
    }

    /// Returns `sub`: the subject that the token speaks for. Empty only when the codec was built with
    /// [`subject_optional`](super::TokenCodecBuilder::subject_optional) and there is none.
    pub fn subject(&self) -> &str {
        self.0.verified.subject()
    }

    /// Returns `iss`: the issuer of the token. It is one of the codec's issuers unless every issuer is accepted.
    pub fn issuer(&self) -> Option<&str> {
        self.0.verified.issuer()
    }

    /// Returns the audiences that the token names in `aud`, or in the claim of
    /// [`audience_claim`](super::TokenCodecBuilder::audience_claim), in its order. One of them is an audience of the
    /// codec, unless every audience is accepted. A codec with several learns here which one it was.
    ///
    /// ```
    /// use tower_bearer::{KeyRing, NoClaims, TokenCodec};
    ///
    /// let keys = KeyRing::generate()?;
    /// let codec = |first: &str, second: &str| {
    ///     let codec = TokenCodec::<NoClaims>::signed(&keys).issuer("https://id.example");
    ///     codec.audience(first).audience(second).build()
    /// };
    /// let token = codec("admin", "api")?.mint("user-1", &NoClaims {})?;
    /// let claims = codec("api", "admin")?.verify(token.as_str())?;
    /// assert!(claims.audiences().eq(["admin"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.0.verified.audiences()
    }

    /// Returns `sid`: the refresh session the token was minted for.
    pub fn session(&self) -> Option<&str> {
        self.0.verified.session()
    }

    /// Returns `jti`: the token's own name.
    pub fn token_id(&self) -> Option<&str> {
        self.0.verified.token_id()
    }

    /// Returns the scopes of the token, with a space between two (RFC 8693 section 4.2). They are from `scope` or from
    /// the claims of [`scope_claims`](super::TokenCodecBuilder::scope_claims). `None` where the token has none of them.
    pub fn scope(&self) -> Option<&str> {
        self.0.verified.scope()
    }

    /// Returns `iat`: when the token was issued.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.0.verified.issued_at
    }

    /// Returns `nbf`: when the token became valid.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.0.verified.not_before
    }

    /// Returns `exp`: when the token expires.
    pub fn expires_at(&self) -> Timestamp {
        self.0.verified.expires_at
    }

    /// Returns the verified claims as the token holds them: the text of a JSON object without repeated members.
    ///
    /// ```
    /// use tower_bearer::{KeyRing, NoClaims, TokenCodec};
    ///
    /// let codec: TokenCodec = TokenCodec::signed(&KeyRing::generate()?)
    ///     .issuer("https://id.example")
    ///     .audience("api")
    ///     .build()?;
    /// let token = codec.mint("user-1", &NoClaims {})?;
    /// let claims = codec.verify(token.as_str())?;
    /// let all: serde_json::Value = serde_json::from_str(claims.raw())?;
    /// assert_eq!(all["sub"], "user-1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn raw(&self) -> &str {
        self.0.verified.raw()
    }

    /// Returns the token that these claims are of, as the client presented it. Send it to the next service that the
    /// request goes to. See [`PresentedToken`] for an example.
    pub fn token(&self) -> PresentedToken<'_> {
        self.0.verified.token()
    }

    /// Returns the application's own claims.
    pub fn custom(&self) -> &C {
        &self.0.custom
    }
}

impl<C: Send + Sync + 'static> Claims<C> {
    /// Returns the registered claims without the application's type; shares the memory.
    pub fn context(&self) -> TokenContext {
        TokenContext::from(self.clone())
    }
}

impl<C: Send + Sync + 'static> From<Claims<C>> for TokenContext {
    fn from(claims: Claims<C>) -> Self {
        Self {
            claims: claims.0,
            challenge: None,
        }
    }
}

impl TokenContext {
    /// Returns all claims, for code that does know the application's type; `None` when it is another. Shares the
    /// memory.
    ///
    /// ```
    /// use tower_bearer::{KeyRing, NoClaims, TokenCodec, TokenContext};
    ///
    /// let codec = TokenCodec::nested(&KeyRing::generate()?)
    ///     .issuer("https://id.example")
    ///     .audience("api")
    ///     .build()?;
    /// let token = codec.mint("user-1", &NoClaims {})?;
    /// let context = TokenContext::from(codec.verify(token.as_str())?);
    /// assert_eq!(context.claims::<NoClaims>().unwrap().issuer(), Some("https://id.example"));
    /// assert!(context.claims::<String>().is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn claims<C: Send + Sync + 'static>(&self) -> Option<Claims<C>> {
        self.claims.clone().any().downcast().ok().map(Claims)
    }

    /// The same behind a bearer layer whose challenges say more than the default one.
    pub(crate) fn with_challenge(self, challenge: Option<Arc<HeaderValue>>) -> Self {
        Self { challenge, ..self }
    }

    /// The bearer layer's challenge to a request without a token, where it is not the default.
    pub(crate) fn challenge(&self) -> Option<&HeaderValue> {
        self.challenge.as_deref()
    }

    /// The name of the application's type, for an error that says which one was expected.
    pub(crate) fn claims_type(&self) -> &'static str {
        self.claims.claims_type()
    }

    /// The claims that scopes were read from, for an error.
    pub(crate) fn scope_claims(&self) -> String {
        self.claims.verified().scope_claims()
    }

    /// Returns `sub`: the subject that the token speaks for.
    pub fn subject(&self) -> &str {
        self.claims.verified().subject()
    }

    /// Returns `iss`: the issuer of the token.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.verified().issuer()
    }

    /// Returns the token's audiences, as [`Claims::audiences`] does.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.claims.verified().audiences()
    }

    /// Returns `sid`: the refresh session the token was minted for.
    pub fn session(&self) -> Option<&str> {
        self.claims.verified().session()
    }

    /// Returns `jti`: the token's own name.
    pub fn token_id(&self) -> Option<&str> {
        self.claims.verified().token_id()
    }

    /// Returns the token's scopes, as [`Claims::scope`] does.
    pub fn scope(&self) -> Option<&str> {
        self.claims.verified().scope()
    }

    /// Returns `iat`: when the token was issued.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.claims.verified().issued_at
    }

    /// Returns `nbf`: when the token became valid.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.claims.verified().not_before
    }

    /// Returns `exp`: when the token expires.
    pub fn expires_at(&self) -> Timestamp {
        self.claims.verified().expires_at
    }

    /// Returns the text of all verified claims, as [`Claims::raw`] does.
    pub fn raw(&self) -> &str {
        self.claims.verified().raw()
    }

    /// Returns the token as the client presented it, as [`Claims::token`] does.
    pub fn token(&self) -> PresentedToken<'_> {
        self.claims.verified().token()
    }
}

impl<C> Clone for Claims<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for Claims<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The subject of a token is personal data. It stays out of logs, like the rest.
        let Self(inner) = self;
        f.debug_struct("Claims")
            .field("expires_at", &inner.verified.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenContext")
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

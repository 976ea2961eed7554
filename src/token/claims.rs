//! Verified claims.

use std::{
    any::{Any, type_name},
    fmt,
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::registered_claims::Registered;
use crate::clock::Timestamp;

/// What a verified access token says (RFC 7519 section 4.1). Cheap to clone.
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
    texts: Texts,
    issued_at: Option<Timestamp>,
    expires_at: Timestamp,
    custom: C,
}

/// The texts of the registered claims, one behind the other: one allocation instead of five.
struct Texts {
    all: Box<str>,
    /// Where each ends, if it is there.
    ends: [Option<usize>; 5],
}

/// The order of the texts.
#[derive(Clone, Copy)]
enum Text {
    Issuer,
    Scope,
    Session,
    Subject,
    TokenId,
}

impl Texts {
    fn new(claims: Registered<'_>) -> Self {
        let Registered {
            issuer,
            scope,
            session,
            subject,
            token_id,
            ..
        } = claims;
        let texts = [issuer, scope, session, subject, token_id];
        let mut all = String::with_capacity(texts.iter().flatten().map(|text| text.len()).sum());
        let ends = texts.map(|text| {
            text.map(|text| {
                all.push_str(&text);
                all.len()
            })
        });
        Self {
            all: all.into_boxed_str(),
            ends,
        }
    }

    fn get(&self, text: Text) -> Option<&str> {
        let (before, rest) = self.ends.split_at(text as usize);
        let start = before.iter().rev().find_map(|end| *end).unwrap_or_default();
        self.all.get(start..rest.first().copied().flatten()?)
    }
}

/// The registered claims of a verified token, for code that does not know the application's type:
/// [`RequireScopeLayer`](crate::RequireScopeLayer), a
/// [check](crate::BearerAuthLayer::check), or a layer of your own.
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
pub struct TokenContext(Arc<dyn Context>);

trait Context: Send + Sync {
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    fn claims_type(&self) -> &'static str;
    fn subject(&self) -> &str;
    fn session(&self) -> Option<&str>;
    fn token_id(&self) -> Option<&str>;
    fn scope(&self) -> Option<&str>;
    fn expires_at(&self) -> Timestamp;
}

impl<C: Send + Sync + 'static> Context for ClaimsSet<C> {
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
    fn claims_type(&self) -> &'static str {
        type_name::<C>()
    }
    fn subject(&self) -> &str {
        self.texts.get(Text::Subject).unwrap_or_default()
    }
    fn session(&self) -> Option<&str> {
        self.texts.get(Text::Session)
    }
    fn token_id(&self) -> Option<&str> {
        self.texts.get(Text::TokenId)
    }
    fn scope(&self) -> Option<&str> {
        self.texts.get(Text::Scope)
    }
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl<C> Claims<C> {
    pub(super) fn new(claims: Registered<'_>, expires_at: Timestamp, custom: C) -> Self {
        let issued_at = claims.issued_at();
        Self(Arc::new(ClaimsSet {
            texts: Texts::new(claims),
            issued_at,
            expires_at,
            custom,
        }))
    }

    /// `sub`: who the token speaks for. Empty only when the codec was built with
    /// [`subject_optional`](super::TokenCodecBuilder::subject_optional) and there is none.
    pub fn subject(&self) -> &str {
        self.0.texts.get(Text::Subject).unwrap_or_default()
    }

    /// `iss`: who issued the token; one of the codec's issuers unless every issuer is accepted.
    pub fn issuer(&self) -> Option<&str> {
        self.0.texts.get(Text::Issuer)
    }

    /// `sid`: the refresh session the token was minted for.
    pub fn session(&self) -> Option<&str> {
        self.0.texts.get(Text::Session)
    }

    /// `jti`: the token's own name.
    pub fn token_id(&self) -> Option<&str> {
        self.0.texts.get(Text::TokenId)
    }

    /// `scope`: space-separated scopes (RFC 8693 section 4.2).
    pub fn scope(&self) -> Option<&str> {
        self.0.texts.get(Text::Scope)
    }

    /// `iat`: when the token was issued.
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.0.issued_at
    }

    /// `exp`: when the token ends.
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at
    }

    /// The application's own claims.
    pub fn custom(&self) -> &C {
        &self.0.custom
    }
}

impl<C: Send + Sync + 'static> Claims<C> {
    /// The registered claims without the application's type; shares the memory.
    pub fn context(&self) -> TokenContext {
        TokenContext(self.0.clone())
    }
}

impl<C: Send + Sync + 'static> From<Claims<C>> for TokenContext {
    fn from(claims: Claims<C>) -> Self {
        Self(claims.0)
    }
}

impl TokenContext {
    /// All claims, for code that does know the application's type; `None` when it is another.
    /// Shares the memory.
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
        self.0.clone().any().downcast().ok().map(Claims)
    }

    /// The name of the application's type, for an error that says which one was expected.
    pub(crate) fn claims_type(&self) -> &'static str {
        self.0.claims_type()
    }

    /// `sub`: who the token speaks for.
    pub fn subject(&self) -> &str {
        self.0.subject()
    }

    /// `sid`: the refresh session the token was minted for.
    pub fn session(&self) -> Option<&str> {
        self.0.session()
    }

    /// `jti`: the token's own name.
    pub fn token_id(&self) -> Option<&str> {
        self.0.token_id()
    }

    /// `scope`: space-separated scopes.
    pub fn scope(&self) -> Option<&str> {
        self.0.scope()
    }

    /// `exp`: when the token ends.
    pub fn expires_at(&self) -> Timestamp {
        self.0.expires_at()
    }
}

impl<C> Clone for Claims<C> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<C> fmt::Debug for Claims<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Who a token speaks for is personal data: it stays out of logs, like the rest.
        let Self(inner) = self;
        f.debug_struct("Claims")
            .field("expires_at", &inner.expires_at)
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

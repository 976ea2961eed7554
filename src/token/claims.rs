//! Verified claims.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// What a verified access token says. Cheap to clone.
pub struct Claims<C = NoClaims>(Arc<Inner<C>>);

/// No claims beyond the registered ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoClaims {}

pub(crate) struct Inner<C> {
    pub(crate) subject: Box<str>,
    pub(crate) session: Option<Box<str>>,
    pub(crate) token_id: Option<Box<str>>,
    pub(crate) scope: Option<Box<str>>,
    pub(crate) issued_at: Option<Timestamp>,
    pub(crate) expires_at: Timestamp,
    pub(crate) custom: C,
}

/// The registered claims of a verified token, for code that does not know the application's type.
#[derive(Clone)]
pub struct TokenContext(Arc<dyn Registered>);

trait Registered: Send + Sync {
    fn subject(&self) -> &str;
    fn session(&self) -> Option<&str>;
    fn scope(&self) -> Option<&str>;
    fn expires_at(&self) -> Timestamp;
}

impl<C: Send + Sync> Registered for Inner<C> {
    fn subject(&self) -> &str {
        &self.subject
    }
    fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }
    fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }
    fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl<C> Claims<C> {
    #[allow(dead_code)]
    pub(crate) fn new(inner: Inner<C>) -> Self {
        Self(Arc::new(inner))
    }

    /// `sub`: who the token speaks for.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// `sid`: the refresh session the token was minted for.
    pub fn session(&self) -> Option<&str> {
        self.0.session.as_deref()
    }

    /// `jti`: the token's own name.
    pub fn token_id(&self) -> Option<&str> {
        self.0.token_id.as_deref()
    }

    /// `scope`: space-separated scopes (RFC 8693 section 4.2).
    pub fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
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

impl TokenContext {
    /// `sub`: who the token speaks for.
    pub fn subject(&self) -> &str {
        self.0.subject()
    }

    /// `sid`: the refresh session the token was minted for.
    pub fn session(&self) -> Option<&str> {
        self.0.session()
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
        f.debug_struct("Claims")
            .field("expires_at", &self.0.expires_at)
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

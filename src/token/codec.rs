//! Mint and verify.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use super::{AccessToken, Claims, MintError, NoClaims, TokenError};
use crate::{
    clock::{Clock, Timestamp},
    config::ConfigError,
    keys::KeyRing,
};

/// Mints and verifies access tokens of one exact form.
pub struct TokenCodec<C = NoClaims> {
    inner: Arc<Inner>,
    claims: PhantomData<fn() -> C>,
}

struct Inner {
    keys: KeyRing,
}

/// Builds a [`TokenCodec`].
pub struct TokenCodecBuilder<C = NoClaims> {
    profile: Profile,
    claims: PhantomData<fn() -> C>,
}

/// The form of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// A signed JWT inside an encrypted one (RFC 7519 section 5.2).
    Nested,
    /// Claims encrypted with a shared key, authenticated by the AEAD.
    Encrypted,
    /// A signed JWT that third parties can verify (RFC 9068).
    Signed,
}

/// What a token is minted for.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a, C> {
    /// `sub`.
    pub subject: &'a str,
    /// `sid`, when the token belongs to a refresh session.
    pub session: Option<&'a str>,
    /// The application's own claims.
    pub custom: &'a C,
}

impl<C> TokenCodec<C> {
    /// The [`Profile::Nested`] codec with every default.
    ///
    /// # Errors
    ///
    /// When the ring lacks a key the profile needs, or issuer or audience is empty.
    pub fn nested(
        keys: &KeyRing,
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, ConfigError> {
        let _ = (issuer.into(), audience.into());
        Ok(Self {
            inner: Arc::new(Inner { keys: keys.clone() }),
            claims: PhantomData,
        })
    }

    /// Starts a codec of `profile` with every setting open.
    pub fn builder(profile: Profile) -> TokenCodecBuilder<C> {
        TokenCodecBuilder {
            profile,
            claims: PhantomData,
        }
    }

    /// How long minted tokens are good for.
    pub fn lifetime(&self) -> Duration {
        Duration::from_secs(900)
    }

    /// The issuer that is minted and expected first.
    pub fn issuer(&self) -> &str {
        ""
    }

    /// The clock that tokens are verified with.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        todo!()
    }

    /// Whether the ring holds what minting needs.
    pub fn can_mint(&self) -> bool {
        true
    }

    /// The ring the codec takes its keys from.
    pub fn keys(&self) -> &KeyRing {
        &self.inner.keys
    }
}

impl<C: Serialize> TokenCodec<C> {
    /// Mints a token for `subject`, issued now by the codec's clock.
    pub fn mint(&self, subject: &str, custom: &C) -> Result<AccessToken, MintError> {
        self.mint_at(
            &Grant {
                subject,
                session: None,
                custom,
            },
            self.clock().now(),
        )
    }

    /// Mints a token for `grant`, issued at `now`.
    pub fn mint_at(
        &self,
        _grant: &Grant<'_, C>,
        _now: Timestamp,
    ) -> Result<AccessToken, MintError> {
        todo!()
    }
}

impl<C: DeserializeOwned> TokenCodec<C> {
    /// Verifies `token` by the codec's clock.
    pub fn verify(&self, token: &str) -> Result<Claims<C>, TokenError> {
        self.verify_at(token, self.clock().now())
    }

    /// Verifies `token` as of `now`.
    pub fn verify_at(&self, _token: &str, _now: Timestamp) -> Result<Claims<C>, TokenError> {
        todo!()
    }
}

impl<C> Clone for TokenCodec<C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            claims: PhantomData,
        }
    }
}

impl<C> fmt::Debug for TokenCodec<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCodec").finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for TokenCodecBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCodecBuilder")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

//! An issuer that is known by its name alone.

use std::{fmt, sync::Arc};

use super::{
    IssuerMetadata, JwksError, JwksHealth, RemoteJwks, RemoteJwksBuilder, discovery::Place,
};
use crate::{
    clock::{Clock, Timestamp},
    config::ConfigError,
    keys::KeyRing,
    token::{TokenCodec, TokenCodecBuilder},
};

/// A remote issuer that is known by name. Its metadata say where its keys are (OpenID Connect Discovery 1.0 section
/// 4, RFC 8414 section 3).
///
/// It is [`RemoteJwks`] with one request before. The task in the background reads the metadata first. It reads them
/// again when they are stale, or when the set has moved. Everything else is as there.
///
/// ```
/// use tower_bearer::{BearerAuthLayer, NoClaims, jwks::RemoteIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = RemoteIssuer::discover("https://tenant.example/")?;
/// let codec = issuer.codec::<NoClaims>().audience("api").build()?;
/// let api = BearerAuthLayer::new(codec);
/// # let _ = api;
/// # Ok(())
/// # }
/// ```
///
/// The name is compared exactly, with the member `issuer` of the metadata and with the claim `iss` of the tokens. A
/// slash at the end counts.
#[derive(Clone)]
pub struct RemoteIssuer(pub(super) RemoteJwks);

impl RemoteIssuer {
    /// Returns the issuer of this name, with every default: an `https` URL, or `http` on this machine. It is the claim
    /// `iss` of its tokens.
    ///
    /// Within a tokio runtime, with its timers and I/O enabled, it is asked at once. An issuer that is not there yet is
    /// no reason not to start.
    ///
    /// # Errors
    ///
    /// Returns an error when the name is no such URL, has a query or braces, or is the metadata address.
    /// Returns one too when the system has no certificates to trust a server by.
    pub fn discover(issuer: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(issuer).build()
    }

    /// Starts with every default, for the issuer of this name.
    pub fn builder(issuer: impl Into<String>) -> RemoteJwksBuilder<Self> {
        RemoteJwksBuilder::new(issuer.into())
    }

    /// Starts a codec that verifies this issuer's tokens, by its keys, its name and its clock. The audience is missing.
    pub fn codec<C>(&self) -> TokenCodecBuilder<C> {
        let clock = SameClock(self.0.fetcher().clock.clone());
        TokenCodec::signed(&self.keys())
            .issuer(self.issuer())
            .clock(clock)
    }

    /// Returns the name that was configured.
    pub fn issuer(&self) -> &str {
        self.0.fetcher().place.shown()
    }

    /// Returns the ring that is filled with the issuer's keys; as [`RemoteJwks::keys`].
    pub fn keys(&self) -> KeyRing {
        self.0.keys()
    }

    /// Returns what the issuer has last said of itself, and was taken; `None` before that.
    pub fn metadata(&self) -> Option<Arc<IssuerMetadata>> {
        match &self.0.fetcher().place {
            Place::Set(_) => None,
            Place::Named(discovery) => discovery
                .found()
                .as_ref()
                .map(|found| found.metadata.clone()),
        }
    }

    /// Asks the issuer now, or waits for the request that is under way; as [`RemoteJwks::refresh`].
    ///
    /// # Errors
    ///
    /// Why its metadata or its keys could not be fetched, or that its set has no key that verifies.
    ///
    /// # Cancel safety
    ///
    /// The request is the task's: dropping the future ends the wait and nothing else.
    pub async fn refresh(&self) -> Result<(), JwksError> {
        self.0.refresh().await
    }

    /// Returns how it stands with the keys; as [`RemoteJwks::health`].
    pub fn health(&self) -> JwksHealth {
        self.0.health()
    }
}

impl fmt::Debug for RemoteIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(keys) = self;
        f.debug_tuple("RemoteIssuer").field(keys).finish()
    }
}

/// The clock that the limit of the keys goes by.
#[derive(Debug)]
struct SameClock(Arc<dyn Clock>);

impl Clock for SameClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

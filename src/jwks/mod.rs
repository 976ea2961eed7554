//! The keys of an issuer elsewhere, from its JWK Set (RFC 7517 section 5).

mod asking;
mod builder;
mod built_in;
mod cache_control;
mod client;
mod discovery;
pub(crate) mod error;
mod fetch;
mod fetcher;
mod health;
mod issuer;
mod metadata;
mod point_in_time;
mod retry_after;
mod schedule;
mod task;
mod url;

use std::{fmt, sync::Arc, time::Duration};

pub use builder::RemoteJwksBuilder;
pub use error::{JwksError, JwksErrorKind};
pub use fetch::Fetch;
pub use health::JwksHealth;
pub use issuer::RemoteIssuer;
pub use metadata::IssuerMetadata;

use self::{discovery::Place, fetcher::Fetcher};
use crate::{
    config::ConfigError,
    keys::{KeyRing, Remote},
};

/// The keys of an issuer elsewhere: fetched from its JWK Set, kept current, and kept while it is away.
///
/// Give [`keys`](Self::keys) to a codec, and it verifies what the issuer signs. A task in the
/// background asks before the keys are stale; no request ever waits for it. Clones, and the rings
/// that come from them, share one task; it ends with the last of them.
///
/// | a token ... | answer |
/// |---|---|
/// | names a key of the set | verified, whether or not the issuer can be reached |
/// | names a key that is not in the set, or one with another signature | 401 `invalid_token`, and the set is fetched again, once a cool-down |
/// | comes before the first set, after the stale limit, or while the issuer has no keys | 503 with `Retry-After` |
///
/// [The manual](crate::manual::access_tokens#the-issuers-keys) says how to configure it. [`RemoteJwksBuilder`] has every
/// default.
///
/// ```
/// use tower_bearer::{BearerAuthLayer, NoClaims, TokenCodec, jwks::RemoteJwks};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = RemoteJwks::new("http://127.0.0.1:3001/.well-known/jwks.json")?;
/// let codec = TokenCodec::<NoClaims>::signed(&issuer.keys())
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let api = BearerAuthLayer::new(codec);
/// // Optional: the first keys, before the first request. An issuer that is not there yet is no reason
/// // not to start.
/// if let Err(error) = issuer.refresh().await {
///     eprintln!("WARNING: {error}; until it is back, requests are answered 503");
/// }
/// # let _ = api;
/// # Ok(())
/// # }
/// ```
///
/// The ring holds public keys for signatures and nothing else: it is for
/// [`TokenCodec::signed`](crate::TokenCodec::signed).
#[derive(Clone)]
pub struct RemoteJwks(Arc<Owner>);

/// Every handle holds it, and the task does not: with the last one the task ends.
struct Owner(Arc<Fetcher>);

impl RemoteJwks {
    /// Fetches the JWK Set at `url`, with every default: `https`, or `http` on this machine.
    ///
    /// Within a tokio runtime, with its timers and I/O enabled, it is asked for at once.
    ///
    /// # Errors
    ///
    /// When the URL is neither, or the system has no certificates to trust a server by.
    pub fn new(url: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(url).build()
    }

    /// Starts with every default, for the JWK Set at `url`.
    pub fn builder(url: impl Into<String>) -> RemoteJwksBuilder {
        RemoteJwksBuilder::new(url.into())
    }

    fn fetcher(&self) -> &Fetcher {
        let Self(owner) = self;
        &owner.0
    }

    fn start(fetcher: Fetcher) -> Self {
        let fetcher = Arc::new(fetcher);
        // Outside of a runtime, the first call within one starts it.
        let _ = fetcher.start();
        Self(Arc::new(Owner(fetcher)))
    }

    /// Returns the ring that is filled with the issuer's keys, for [`TokenCodec::signed`]. It keeps the task running
    /// as any handle does.
    ///
    /// It is empty until the first set has come. [`rotate`](KeyRing::rotate) refuses to replace its keys.
    ///
    /// [`TokenCodec::signed`]: crate::TokenCodec::signed
    pub fn keys(&self) -> KeyRing {
        let Self(owner) = self;
        owner.0.ring.filled_by(owner.clone())
    }

    /// Asks the issuer now, or waits for the request that is under way, however many call it.
    ///
    /// Call it when the service starts, so that the first request finds keys. Call it too when the issuer's operator
    /// reports a stolen key. It heeds neither cool-down nor pause: a service that lets clients cause it has to limit
    /// them.
    ///
    /// # Errors
    ///
    /// Returns an error when the issuer's keys could not be fetched, or its set has no key that verifies. The present
    /// keys verify until the stale limit, or until the issuer confirms that it has none.
    ///
    /// # Cancel safety
    ///
    /// The request is the task's: dropping the future ends the wait and nothing else.
    pub async fn refresh(&self) -> Result<(), JwksError> {
        let fetcher = &self.0.0;
        fetcher.start()?;
        fetcher.refreshed().await
    }

    /// Returns the state of the keys. It serves the readiness probe of a load balancer ([`JwksHealth::is_ready`]) and
    /// pages for operators.
    ///
    /// However often a probe calls it, it causes no request to the issuer while the background task
    /// runs. Where none runs yet, or none any more, it starts one within a tokio runtime.
    pub fn health(&self) -> JwksHealth {
        let fetcher = &self.0.0;
        let _ = fetcher.start();
        let of_metadata = fetcher.place.failures();
        let (state, now) = (fetcher.state(), fetcher.now());
        let keys = fetcher.ring.load();
        let held = state
            .held
            .as_ref()
            .filter(|_| keys.validity.holds(now.date));
        JwksHealth {
            keys: held.map_or(0, |_| keys.signing.len()),
            reports: held.map_or_else(Vec::new, |_| keys.reports.to_vec()),
            unusable: held.map_or_else(Vec::new, |_| fetcher.ring.unusable_keys()),
            confirmed_at: held.map(|held| held.confirmed.date),
            usable_until: held.and_then(|_| fetcher.usable_until(&state)),
            next_request_at: now.date + state.left(&fetcher.limits, now),
            failures: state.failures.max(of_metadata),
            last_error: state.last_error.clone(),
        }
    }
}

impl Remote for Owner {
    fn request_refresh(&self) {
        let Self(fetcher) = self;
        let _ = fetcher.start();
        fetcher.request_refresh();
    }

    fn ensure_running(&self) {
        let Self(fetcher) = self;
        let _ = fetcher.start();
    }

    fn issuer(&self) -> Option<&str> {
        let Self(fetcher) = self;
        match &fetcher.place {
            Place::Set(_) => None,
            Place::Named(_) => Some(fetcher.place.shown()),
        }
    }

    fn retry_after(&self) -> Duration {
        let Self(fetcher) = self;
        fetcher.state().retry_after(&fetcher.limits, fetcher.now())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(fetcher) = self;
        let Fetcher {
            client,
            place,
            limits,
            clock: _,
            runtime_clock: _,
            events: _,
            telling: _,
            ring,
            state: _,
            compromised: _,
            task: _,
            wake: _,
            outcomes: _,
        } = &**fetcher;
        f.debug_struct("RemoteJwks")
            .field("place", &place.shown())
            .field("client", client)
            .field("limits", limits)
            .field("keys", &ring.load().signing.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for RemoteJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(owner) = self;
        owner.fmt(f)
    }
}

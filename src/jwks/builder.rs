//! Construction: every setting, checked together once, without a word to the issuer.

use std::{fmt, marker::PhantomData, sync::Arc, time::Duration};

use super::{
    Fetch, RemoteIssuer, RemoteJwks,
    built_in::{BuiltIn, Servers},
    client::Client,
    discovery::{Discovery, Place},
    fetch::AnyFetch,
    fetcher::Fetcher,
    schedule::Limits,
    url::Address,
};
use crate::{
    clock::{Clock, SystemClock},
    config::ConfigError,
    event::EventSink,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Builds a [`RemoteJwks`], or a [`RemoteIssuer`]; made by [`RemoteJwks::builder`] and [`RemoteIssuer::builder`].
/// Setters take anything; `build` judges.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::{Event, EventSink, jwks::RemoteJwks};
///
/// let issuer = RemoteJwks::builder("http://127.0.0.1:3001/.well-known/jwks.json")
///     .stale_limit(Duration::from_secs(4 * 60 * 60))
///     .events(EventSink::new(|event: &Event<'_>| match event {
///         Event::KeysUnavailable { url, error, .. } => eprintln!("{url}: {error}"),
///         Event::KeysRecovered { url, .. } => eprintln!("{url} answers again"),
///         _ => {}
///     }))
///     .build()?;
/// # let _ = issuer;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[must_use]
pub struct RemoteJwksBuilder<T = RemoteJwks> {
    url: String,
    plain_http: bool,
    root_certificates: Option<Vec<u8>>,
    fetch: Option<Arc<dyn AnyFetch>>,
    max_bytes: usize,
    limits: Limits,
    clock: Arc<dyn Clock>,
    events: EventSink,
    builds: PhantomData<fn() -> T>,
}

impl<T> RemoteJwksBuilder<T> {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            plain_http: false,
            root_certificates: None,
            fetch: None,
            max_bytes: 64 * 1024,
            limits: Limits {
                lifetime: 5 * MINUTE,
                floor: MINUTE,
                ceiling: HOUR,
                stale_limit: HOUR,
                cool_down: Duration::from_secs(10),
                timeout: Duration::from_secs(5),
                requests: 1,
            },
            clock: Arc::new(SystemClock),
            events: EventSink::default(),
            builds: PhantomData,
        }
    }

    /// Sets where the time comes from: the system's clock by default. Give the codec the same one: it
    /// compares its own time with the limit of the keys. The pauses between requests also end by the
    /// runtime's clock, whichever is earlier.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets how long after an answer missing keys cause no further request. Default: 10 seconds; 1 second to 1 hour.
    /// A key that is missed meanwhile is requested at the end of that time.
    ///
    /// It bounds the requests that an attacker with invented key names can cause at the issuer. It also bounds how
    /// long a token is rejected whose key was published just before its first use. It is measured by a clock that is
    /// never set.
    pub fn cool_down(mut self, cool_down: Duration) -> Self {
        self.limits.cool_down = cool_down;
        self
    }

    /// Accepts plain `http` URLs to other machines, too. An attacker on the network can then put keys of their own
    /// into the answer, and so sign any token. Use it only in networks that protect the traffic otherwise, such as an
    /// encrypting mesh.
    pub fn dangerous_plain_http(mut self) -> Self {
        self.plain_http = true;
        self
    }

    /// Sets the sink for the events that keys have come or cannot be fetched. It runs in the task that asks the
    /// issuer, and delays it. A sink that does not return gets no more events until it does. Neither do the features
    /// `metrics` and `tracing`.
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// Sets the client that asks, instead of the built-in one. Use it for a company's proxy, a client certificate or
    /// compressed answers. [`Fetch`] has an example. It trusts servers by itself: `root_certificates` has no use
    /// beside it.
    pub fn fetch(mut self, client: impl Fetch) -> Self {
        self.fetch = Some(Arc::new(client));
        self
    }

    /// Sets how long a set is fresh whose issuer sends no `Cache-Control: max-age` (RFC 9111
    /// section 5.2.2.1): 5 minutes by default.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.limits.lifetime = lifetime;
        self
    }

    /// Sets the longest time a set is fresh, whatever its issuer says: 1 hour by default, at most 7 days. The set is
    /// requested again before that. A key that the issuer has withdrawn is rejected from then on.
    pub fn lifetime_ceiling(mut self, ceiling: Duration) -> Self {
        self.limits.ceiling = ceiling;
        self
    }

    /// Sets the shortest time a set is fresh, whatever its issuer says, even `no-store`. Default: 1 minute, at least
    /// 1 second.
    pub fn lifetime_floor(mut self, floor: Duration) -> Self {
        self.limits.floor = floor;
        self
    }

    /// Sets the longest answer that is read, in bytes: 65536 by default, 1024 to 1048576.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the authorities that may vouch for the issuer's server, as certificates in PEM. They replace those that
    /// the system trusts. For `https` only.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// Sets how long a set still verifies when it is stale and the issuer gives no other. Default: 1 hour, at most 7
    /// days, zero for not at all. After that requests are answered 503.
    ///
    /// An attacker with a stolen key who can block requests to the issuer can use it for this much longer.
    /// Verification itself compares the time, so the limit holds even if the task has ended.
    ///
    /// It holds against `must-revalidate` too: directives for caches only set when to ask again.
    pub fn stale_limit(mut self, limit: Duration) -> Self {
        self.limits.stale_limit = limit;
        self
    }

    /// Sets the time-out of a request, from looking up the name to the last byte. Default: 5 seconds, at most 60.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.limits.timeout = timeout;
        self
    }

    /// Judges the settings. `servers` are those that the built-in client has to reach.
    fn fetcher(self, place: Place, servers: Servers) -> Result<Fetcher, ConfigError> {
        self.check_ranges()?;
        let foreign = self.fetch.is_some();
        let fetch: Arc<dyn AnyFetch> = match (self.fetch, self.root_certificates) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::new(
                    "root_certificates",
                    "has no use beside `fetch`: that client decides which servers it trusts",
                ));
            }
            (Some(fetch), None) => fetch,
            (None, roots) => Arc::new(BuiltIn::new(servers, roots.as_deref())?),
        };
        let client = Client {
            fetch,
            foreign,
            clock: self.clock.clone(),
            timeout: self.limits.timeout,
            max_bytes: self.max_bytes,
        };
        Ok(Fetcher::new(
            client,
            place,
            self.limits,
            self.clock,
            self.events,
        ))
    }

    fn check_ranges(&self) -> Result<(), ConfigError> {
        let second = Duration::from_secs(1);
        let Limits {
            lifetime,
            floor,
            ceiling,
            stale_limit,
            cool_down,
            timeout,
            requests: _,
        } = self.limits;
        let max_bytes = self.max_bytes;
        let rules: [(_, &dyn fmt::Debug, _, _); 7] = [
            (
                "cool_down",
                &cool_down,
                (second..=HOUR).contains(&cool_down),
                "must be between 1 second and 1 hour",
            ),
            (
                "lifetime_floor",
                &floor,
                (second..=ceiling).contains(&floor),
                "must be at least 1 second, and not above lifetime_ceiling",
            ),
            (
                "lifetime_ceiling",
                &ceiling,
                ceiling <= 7 * DAY,
                "must be at most 7 days",
            ),
            (
                "lifetime",
                &lifetime,
                (floor..=ceiling).contains(&lifetime),
                "must lie between lifetime_floor and lifetime_ceiling",
            ),
            (
                "max_bytes",
                &max_bytes,
                (1024..=1024 * 1024).contains(&max_bytes),
                "must be between 1024 and 1048576",
            ),
            (
                "stale_limit",
                &stale_limit,
                stale_limit <= 7 * DAY,
                "must be at most 7 days",
            ),
            (
                "timeout",
                &timeout,
                !timeout.is_zero() && timeout <= MINUTE,
                "must be more than zero and at most 60 seconds",
            ),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((setting, value, _, rule)) => Err(ConfigError::about(setting, value, rule)),
            None => Ok(()),
        }
    }
}

impl RemoteJwksBuilder {
    /// Judges all settings and, within a tokio runtime, begins to ask.
    ///
    /// Outside of one it begins with the first request that needs a key, or with [`refresh`](RemoteJwks::refresh).
    /// The first of them within a runtime starts it.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// * the URL is not `https` (or `http` where it may be);
    /// * a setting is out of its range;
    /// * the certificates cannot be read or stand beside `fetch`;
    /// * neither they nor the system name an authority to trust.
    pub fn build(self) -> Result<RemoteJwks, ConfigError> {
        let address = Address::parse(&self.url, self.plain_http)?;
        let servers = match address.is_https() {
            true => Servers::Https,
            false => Servers::Http,
        };
        Ok(RemoteJwks::start(
            self.fetcher(Place::Set(address), servers)?,
        ))
    }
}

impl RemoteJwksBuilder<RemoteIssuer> {
    /// Judges all settings and, within a tokio runtime, begins to ask.
    ///
    /// Outside of one it begins with the first request that needs a key, or with [`refresh`](RemoteIssuer::refresh).
    /// The first of them within a runtime starts it.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    /// * the issuer is no `https` URL (or `http` where it may be);
    /// * it has a query, or is the address of its metadata;
    /// * a setting is out of its range;
    /// * the certificates cannot be read or stand beside `fetch`;
    /// * neither they nor the system name an authority to trust.
    pub fn build(mut self) -> Result<RemoteIssuer, ConfigError> {
        let discovery = Discovery::new(&self.url, self.plain_http)?;
        let servers = match discovery.is_https() && !self.plain_http {
            true => Servers::Https,
            false => Servers::Any,
        };
        // The set, two places for metadata, and the set where it is now.
        self.limits.requests = 4;
        let fetcher = self.fetcher(Place::Named(discovery.into()), servers)?;
        Ok(RemoteIssuer(RemoteJwks::start(fetcher)))
    }
}

impl<T> fmt::Debug for RemoteJwksBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            url: _, // May hold a password until it is judged.
            plain_http,
            root_certificates,
            fetch,
            max_bytes,
            limits,
            clock,
            events,
            builds: _,
        } = self;
        f.debug_struct("RemoteJwksBuilder")
            .field("plain_http", plain_http)
            .field("root_certificates", &root_certificates.is_some())
            .field("fetch", &fetch.is_some())
            .field("max_bytes", max_bytes)
            .field("limits", limits)
            .field("clock", clock)
            .field("events", events)
            .finish_non_exhaustive()
    }
}

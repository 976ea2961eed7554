//! Construction: every setting, checked together once, without a command to any server.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    RedisStore, Shared,
    client::Client,
    config::{Access, ServerConfig},
    durability::Durability,
    limits::Limits,
    request::Wait,
    revocations::Revocations,
    sign_ins::SignIns,
};
use crate::{config::ConfigError, event::EventSink};

const DEFAULT_PREFIX: &str = "tower-bearer:";
const LONGEST_PREFIX: usize = 128;
/// About a hundred bytes each.
const DEFAULT_REMEMBERED: usize = 65_536;

/// Builds a [`RedisStore`]. Setters take anything; [`build`](Self::build) judges.
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::RedisStore;
///
/// let store = RedisStore::builder("redis://127.0.0.1:6379/")
///     .prefix("shop:")
///     .wait_for_replicas(1, Duration::from_millis(100))
///     .build()?;
/// # let _ = store;
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[must_use]
pub struct RedisStoreBuilder {
    target: ServerConfig,
    prefix: String,
    limits: Limits,
    access: Access,
    wait: Option<Wait>,
    revocations: usize,
    events: EventSink,
}

impl RedisStore {
    /// Starts with every default, for the server at `url`: `redis://[user:password@]host[:port][/database]`,
    /// `rediss://` for TLS, or `redis+unix:///path/to/socket`.
    ///
    /// TLS is rustls's, whose cryptography the whole process shares. An application that chooses it by
    /// `CryptoProvider::install_default` does so before this. Where no provider is installed, this installs `ring`.
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(ServerConfig::Server(url.into()))
    }

    /// Starts with every default, for the server that the sentinels name as the master of `master`.
    ///
    /// `sentinels` are the URLs of the sentinels, with *their* user and password. The user, password and database of
    /// the servers go into [`username`](RedisStoreBuilder::username), [`password`](RedisStoreBuilder::password) and
    /// [`database`](RedisStoreBuilder::database). `rediss://` means TLS to both.
    ///
    /// ```
    /// use tower_bearer::RedisStore;
    ///
    /// let sentinels = ["redis://10.0.0.1:26379", "redis://10.0.0.2:26379", "redis://10.0.0.3:26379"];
    /// let store = RedisStore::sentinel("sessions", sentinels).password("secret").build()?;
    /// # let _ = store;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    pub fn sentinel<U: Into<String>>(
        master: impl Into<String>,
        sentinels: impl IntoIterator<Item = U>,
    ) -> RedisStoreBuilder {
        RedisStoreBuilder::new(ServerConfig::Sentinel {
            master: master.into(),
            sentinels: sentinels.into_iter().map(Into::into).collect(),
        })
    }

    /// Starts with every default, for the cluster that the servers at `urls` belong to. One that
    /// answers is enough to find the others.
    ///
    /// ```
    /// use tower_bearer::RedisStore;
    ///
    /// let store = RedisStore::cluster(["redis://10.0.0.1:6379", "redis://10.0.0.2:6379"]).build()?;
    /// # let _ = store;
    /// # Ok::<(), tower_bearer::ConfigError>(())
    /// ```
    #[cfg(feature = "redis-cluster")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis-cluster")))]
    pub fn cluster<U: Into<String>>(urls: impl IntoIterator<Item = U>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(ServerConfig::Cluster(
            urls.into_iter().map(Into::into).collect(),
        ))
    }

    /// Starts with every default, over a connection that the application has. It is of the `redis` crate in the version
    /// that this crate uses, and stays connected by itself.
    ///
    /// The feature `redis-connection` ties your build to that version of the `redis` crate.
    ///
    /// It must not read from replicas. Clones of it must share its connection, or every request would
    /// open one. Over a connection to a cluster
    /// [`revoke_everything`](crate::store::RefreshStore::revoke_everything) is unsupported: it would miss nodes.
    #[cfg(feature = "redis-connection")]
    #[cfg_attr(docsrs, doc(cfg(feature = "redis-connection")))]
    pub fn with_connection(
        connection: impl redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
    ) -> RedisStoreBuilder {
        RedisStoreBuilder::new(ServerConfig::Given(Arc::new(connection)))
    }
}

impl RedisStoreBuilder {
    fn new(target: ServerConfig) -> Self {
        Self {
            target,
            prefix: DEFAULT_PREFIX.to_owned(),
            limits: Limits::default(),
            access: Access::default(),
            wait: None,
            revocations: DEFAULT_REMEMBERED,
            events: EventSink::default(),
        }
    }

    /// Sets the beginning of the name of every key. Default `tower-bearer:`.
    ///
    /// Services that share a server and not their sessions have different ones.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets how long opening a connection may take. Default 1 s. In a cluster, where the nodes are found first, all of
    /// it may take three times as long. Under Sentinel it may take twice as long and a second and a half, which the
    /// sentinels get.
    pub fn connect_timeout(mut self, at_most: Duration) -> Self {
        self.limits.connect = at_most;
        self
    }

    /// Sets how long one answer may take, and how long a request waits for its turn. Default 500 ms.
    pub fn response_timeout(mut self, at_most: Duration) -> Self {
        self.limits.response = at_most;
        self
    }

    /// Sets how many requests of one runtime are under way at one time; more wait for their turn. Default 512.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.limits.concurrency = requests;
        self
    }

    /// Sets how long a server that does not answer is left alone before one request tries again.
    /// Default 500 ms; zero never leaves it alone.
    pub fn pause(mut self, pause: Duration) -> Self {
        self.limits.pause = pause;
        self
    }

    /// Sets the user (ACL) that connections sign in as. It overrides that of the URL.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.access.username = Some(username.into());
        self
    }

    /// Sets the password that connections sign in with. It overrides that of the URL.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.access.password = Some(password.into());
        self
    }

    /// Sets the number of the database. It overrides that of the URL.
    pub fn database(mut self, number: u32) -> Self {
        self.access.database = Some(number.into());
        self
    }

    /// Sets the authorities that may certify the server, as certificates in PEM. Default: those that the system trusts.
    /// For `rediss://` only.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.access.root_certificates = Some(pem.into());
        self
    }

    /// Sets the client's certificate for the server: the certificate and its private key in PEM. For `rediss://` only.
    pub fn client_certificate(
        mut self,
        certificate: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.access.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Makes revocations wait until `replicas` have confirmed them, for `at_most` that long (`WAIT`). When fewer do,
    /// the revocation stands and [`Event::DurabilityDegraded`](crate::Event::DurabilityDegraded) is sent. Default: no
    /// waiting.
    ///
    /// Waiting takes a connection of its own, so that nothing else waits as well. So it does not go with
    /// `RedisStore::with_connection`.
    pub fn wait_for_replicas(mut self, replicas: u32, at_most: Duration) -> Self {
        self.wait = Some(Wait { replicas, at_most });
        self
    }

    /// Sets how many revocations this instance remembers. It refuses those sessions when the server presents them as
    /// live again after a failover. Default 65 536, about 6 MB when all are used; the oldest is forgotten first. After
    /// [`end_everything`](crate::SessionAdmin::end_everything), the instance that was called also remembers the time,
    /// however many sessions ended. None is remembered with 0.
    pub fn remembered_revocations(mut self, sessions: usize) -> Self {
        self.revocations = sessions;
        self
    }

    /// Sets where [`StoreUnreachable`](crate::Event::StoreUnreachable), [`StoreRecovered`](crate::Event::StoreRecovered),
    /// [`StoreEvicts`](crate::Event::StoreEvicts),
    /// [`DurabilityDegraded`](crate::Event::DurabilityDegraded) and
    /// [`RevocationRestored`](crate::Event::RevocationRestored) go. Default: nowhere.
    pub fn events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// Returns the store. Nothing is connected to yet.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used; the error names it.
    pub fn build(self) -> Result<RedisStore, ConfigError> {
        self.check()?;
        let source = self.target.connector(&self.access)?;
        let client = Client::new(source, self.limits, self.events.clone());
        let durability = match self.wait {
            Some(wait) => Some(self.durability(wait)?),
            None => None,
        };
        Ok(RedisStore(Arc::new(Shared {
            prefix: self.prefix,
            client,
            durability,
            revocations: Revocations::new(self.revocations),
            sign_ins: SignIns::default(),
            events: self.events,
        })))
    }

    fn durability(&self, wait: Wait) -> Result<Durability, ConfigError> {
        #[cfg(feature = "redis-connection")]
        if matches!(self.target, ServerConfig::Given(_)) {
            return Err(ConfigError::new(
                "wait_for_replicas",
                "does not go with with_connection: waiting takes a connection of its own",
            ));
        }
        let limits = Limits {
            response: self.limits.response + wait.at_most,
            ..self.limits
        };
        // A failure here is reported as a missing confirmation.
        let source = self.target.connector(&self.access)?;
        let client = Client::new(source, limits, EventSink::default());
        Ok(Durability::new(client, wait))
    }

    fn check(&self) -> Result<(), ConfigError> {
        let Limits {
            connect,
            response,
            concurrency,
            pause: _,
        } = self.limits;
        if !self
            .prefix
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"{}".contains(&b))
        {
            return Err(ConfigError::about(
                "prefix",
                &self.prefix,
                "must be printable ASCII without spaces and braces; braces would tie all sessions to \
                 one node of a cluster",
            ));
        }
        if self.prefix.len() > LONGEST_PREFIX {
            return Err(ConfigError::about(
                "prefix",
                &self.prefix,
                "must have at most 128 bytes",
            ));
        }
        for (setting, duration) in [("connect_timeout", connect), ("response_timeout", response)] {
            if duration.is_zero() || duration > Duration::from_secs(60) {
                return Err(ConfigError::about(
                    setting,
                    duration,
                    "must be more than 0 and at most 60 s",
                ));
            }
        }
        if concurrency == 0 || concurrency > tokio::sync::Semaphore::MAX_PERMITS {
            return Err(ConfigError::about(
                "concurrency",
                concurrency,
                "must be at least 1, or nothing is ever asked",
            ));
        }
        if let Some(Wait { replicas, at_most }) = self.wait
            && (replicas == 0
                || at_most < Duration::from_millis(1)
                || at_most > Duration::from_secs(60))
        {
            return Err(ConfigError::about(
                "wait_for_replicas",
                (replicas, at_most),
                "must name at least 1 replica and 1 ms to 60 s; `WAIT` with 0 would wait for ever",
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Destructured whole, so that a new field forces a decision. URLs may hold passwords.
        let Self {
            target: _,
            prefix,
            limits,
            access,
            wait,
            revocations,
            events,
        } = self;
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", prefix)
            .field("limits", limits)
            .field("access", access)
            .field("wait", wait)
            .field("revocations", revocations)
            .field("events", events)
            .finish_non_exhaustive()
    }
}

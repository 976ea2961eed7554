//! Turns addresses and passwords into connectors.

use std::fmt;

use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, TlsCertificates, TlsMode,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};

use super::{connector::Connector, tcp};
use crate::config::ConfigError;

/// The server that keeps the sessions.
pub(super) enum ServerConfig {
    #[cfg(feature = "redis-cluster")]
    Cluster(Vec<String>),
    #[cfg(feature = "redis-connection")]
    Given(std::sync::Arc<dyn super::connector::Transport>),
    Sentinel {
        master: String,
        sentinels: Vec<String>,
    },
    Server(String),
}

/// The credentials and certificates of a connection, where the URL does not give them.
#[derive(Clone, Default)]
pub(super) struct Access {
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: Option<i64>,
    pub(super) root_certificates: Option<Vec<u8>>,
    /// The certificate and its key.
    pub(super) client_certificate: Option<(Vec<u8>, Vec<u8>)>,
}

impl ServerConfig {
    /// Judges all of it, without a command to any server.
    pub(super) fn connector(&self, access: &Access) -> Result<Connector, ConfigError> {
        match self {
            #[cfg(feature = "redis-cluster")]
            Self::Cluster(urls) => cluster(urls, access),
            #[cfg(feature = "redis-connection")]
            Self::Given(connection) => {
                access.check_unset("with_connection")?;
                Ok(Connector::Given(connection.clone()))
            }
            Self::Sentinel { master, sentinels } => sentinel(master, sentinels, access),
            Self::Server(url) => server(url, access),
        }
    }
}

fn server(url: &str, access: &Access) -> Result<Connector, ConfigError> {
    let server = parse("url", url)?;
    access.check_tls(is_tls(&server))?;
    let login = access.login(server.redis_settings());
    let server = server
        .set_redis_settings(login)
        .set_tcp_settings(tcp::settings());
    let client = match access.certificates() {
        Some(certificates) => Client::build_with_tls(server, certificates),
        None => Client::open(server),
    };
    client
        .map(Connector::Server)
        .map_err(|_| certificate_error())
}

fn sentinel(master: &str, sentinels: &[String], access: &Access) -> Result<Connector, ConfigError> {
    const SETTING: &str = "sentinel";
    if master.is_empty() {
        return Err(ConfigError::new(SETTING, "needs the name of the master"));
    }
    let sentinels = parse_all(SETTING, sentinels)?;
    let tls = one_kind(SETTING, &sentinels)?;
    access.check_tls(tls)?;
    let own = sentinels
        .first()
        .map(ConnectionInfo::redis_settings)
        .cloned()
        .unwrap_or_default();
    let (master, access) = (master.to_owned(), access.clone());
    let build = move || {
        let addresses = sentinels.iter().map(|sentinel| sentinel.addr().clone());
        let mut builder =
            SentinelClientBuilder::new(addresses, master.as_str(), SentinelServerType::Master)?
                .set_client_to_sentinel_tcp_settings(tcp::settings())
                .set_client_to_redis_tcp_settings(tcp::settings());
        if let Some(username) = own.username() {
            builder = builder.set_client_to_sentinel_username(username);
        }
        if let Some(password) = own.password() {
            builder = builder.set_client_to_sentinel_password(password);
        }
        if let Some(username) = &access.username {
            builder = builder.set_client_to_redis_username(username);
        }
        if let Some(password) = &access.password {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(database) = access.database {
            builder = builder.set_client_to_redis_db(database);
        }
        if tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = access.certificates() {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates);
        }
        builder.build()
    };
    // A mistake in the settings is an error now and not at the first request.
    build().map_err(|_| certificate_error())?;
    Ok(Connector::Sentinel(Box::new(build)))
}

#[cfg(feature = "redis-cluster")]
fn cluster(urls: &[String], access: &Access) -> Result<Connector, ConfigError> {
    const SETTING: &str = "cluster";
    if access.database.is_some_and(|number| number != 0) {
        return Err(ConfigError::new(
            "database",
            "a cluster has the database 0 only",
        ));
    }
    let nodes = parse_all(SETTING, urls)?;
    access.check_tls(one_kind(SETTING, &nodes)?)?;
    let mut builder = redis::cluster::ClusterClient::builder(nodes).tcp_settings(tcp::settings());
    if let Some(username) = &access.username {
        builder = builder.username(username);
    }
    if let Some(password) = &access.password {
        builder = builder.password(password);
    }
    if let Some(certificates) = access.certificates() {
        builder = builder.certs(certificates);
    }
    let client = builder.build().map_err(|_| {
        ConfigError::new(
            SETTING,
            "all URLs must have the same user and password; certificates must be PEM",
        )
    })?;
    Ok(Connector::Cluster(client))
}

impl Access {
    /// The login of a URL, with what was set apart from it.
    fn login(&self, own: &RedisConnectionInfo) -> RedisConnectionInfo {
        let mut login = own.clone();
        if let Some(username) = &self.username {
            login = login.set_username(username);
        }
        if let Some(password) = &self.password {
            login = login.set_password(password);
        }
        if let Some(database) = self.database {
            login = login.set_db(database);
        }
        login
    }

    /// Certificates that would not be used are a mistake: the operator believes in TLS that is not there.
    fn check_tls(&self, tls: bool) -> Result<(), ConfigError> {
        if tls {
            choose_cryptography();
            return Ok(());
        }
        let set = [
            ("root_certificates", self.root_certificates.is_some()),
            ("client_certificate", self.client_certificate.is_some()),
        ];
        match set.into_iter().find(|(_, set)| *set) {
            Some((setting, _)) => Err(ConfigError::new(setting, "needs a URL with rediss://")),
            None => Ok(()),
        }
    }

    fn certificates(&self) -> Option<TlsCertificates> {
        if self.root_certificates.is_none() && self.client_certificate.is_none() {
            return None;
        }
        let pair = self.client_certificate.clone();
        Some(TlsCertificates {
            client_tls: pair.map(|(client_cert, client_key)| ClientTlsConfig {
                client_cert,
                client_key,
            }),
            root_cert: self.root_certificates.clone(),
        })
    }

    /// A connection that exists has its server, user and certificates.
    #[cfg(feature = "redis-connection")]
    fn check_unset(&self, constructor: &str) -> Result<(), ConfigError> {
        let set = [
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("database", self.database.is_some()),
            ("root_certificates", self.root_certificates.is_some()),
            ("client_certificate", self.client_certificate.is_some()),
        ];
        match set.into_iter().find(|(_, set)| *set) {
            Some((setting, _)) => Err(ConfigError::new(
                setting,
                format!("does nothing beside {constructor}: the connection has its own"),
            )),
            None => Ok(()),
        }
    }
}

/// rustls takes its cryptography from a place that the whole process shares. Where the application has
/// put nothing there and several would do, it would panic at the first connection.
fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another part of the process may have been quicker, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

fn is_tls(server: &ConnectionInfo) -> bool {
    matches!(server.addr(), ConnectionAddr::TcpTls { .. })
}

/// Whether all of them speak TLS; an error when some do and some do not.
fn one_kind(setting: &'static str, servers: &[ConnectionInfo]) -> Result<bool, ConfigError> {
    let tls = servers.iter().filter(|server| is_tls(server)).count();
    if tls != 0 && tls != servers.len() {
        return Err(ConfigError::new(
            setting,
            "either all URLs are rediss://, or none",
        ));
    }
    Ok(tls != 0)
}

fn parse_all(setting: &'static str, urls: &[String]) -> Result<Vec<ConnectionInfo>, ConfigError> {
    if urls.is_empty() {
        return Err(ConfigError::new(setting, "needs at least one URL"));
    }
    // Which of the URLs it is, since the URL itself may hold a password.
    let parse = |(index, url): (usize, &String)| {
        let named = |error: ConfigError| {
            ConfigError::new(setting, format!("urls[{index}] {}", error.problem()))
        };
        parse(setting, url).map_err(named)
    };
    urls.iter().enumerate().map(parse).collect()
}

fn parse(setting: &'static str, url: &str) -> Result<ConnectionInfo, ConfigError> {
    let server = url.into_connection_info().map_err(|_| url_error(setting))?;
    match server.addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => Err(ConfigError::new(
            setting,
            "must not end in #insecure: who answers would not be checked; see root_certificates",
        )),
        address if !address.is_supported() => Err(url_error(setting)),
        _ => Ok(server),
    }
}

/// The URL itself may hold a password, and is not repeated.
fn url_error(setting: &'static str) -> ConfigError {
    ConfigError::new(
        setting,
        "must be like redis://user:password@host:6379/0, or rediss:// for TLS, or \
         redis+unix:///path/to/socket",
    )
}

fn certificate_error() -> ConfigError {
    ConfigError::new(
        "certificates",
        "root_certificates takes certificates in PEM, client_certificate a certificate and its \
         unencrypted private key in PEM",
    )
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            username,
            password,
            database,
            root_certificates,
            client_certificate,
        } = self;
        f.debug_struct("Access")
            .field("username", username)
            .field("password", &password.as_ref().map(|_| "<secret>"))
            .field("database", database)
            .field("root_certificates", &root_certificates.is_some())
            .field("client_certificate", &client_certificate.is_some())
            .finish()
    }
}

//! One request for a JWK Set, bounded in time and size.

use std::{error::Error, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::{error::JwksError, url::Address};
use crate::config::ConfigError;

/// Asks one address for its JWK Set. It follows no redirect, knows no proxy, and keeps no connection:
/// by the next request, minutes later, the other side would have closed it.
pub(super) struct Client {
    http: HttpClient<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    address: Address,
    timeout: Duration,
    max_bytes: usize,
}

/// What came back.
pub(super) enum Fetched {
    /// The set is what it was when it had the entity tag that was sent along.
    Unchanged { headers: HeaderMap },
    /// A set that nobody has looked at.
    Set { headers: HeaderMap, body: Bytes },
}

impl Client {
    pub(super) fn new(
        address: Address,
        roots: Option<&[u8]>,
        timeout: Duration,
        max_bytes: usize,
    ) -> Result<Self, ConfigError> {
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls(&address, roots)?);
        let connector = if address.is_https() {
            connector.https_only()
        } else {
            connector.https_or_http()
        };
        let http = HttpClient::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(connector.enable_http1().build());
        Ok(Self {
            http,
            address,
            timeout,
            max_bytes,
        })
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Asks once. `etag` is that of the set in hand.
    pub(super) async fn fetch(&self, etag: Option<&HeaderValue>) -> Result<Fetched, JwksError> {
        let exchange = tokio::time::timeout(self.timeout, self.exchange(etag));
        exchange
            .await
            .unwrap_or_else(|_| Err(JwksError::timed_out(self.timeout)))
    }

    async fn exchange(&self, etag: Option<&HeaderValue>) -> Result<Fetched, JwksError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.address.uri().clone();
        let headers = request.headers_mut();
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/jwk-set+json, application/json"),
        );
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("tower-bearer/", env!("CARGO_PKG_VERSION"))),
        );
        if let Some(etag) = etag {
            headers.insert(header::IF_NONE_MATCH, etag.clone());
        }
        let response = self.http.request(request).await;
        let response = response.map_err(JwksError::connection)?;
        let (parts, body) = response.into_parts();
        let headers = parts.headers;
        match parts.status {
            StatusCode::OK => {}
            // Nobody may say so who was not asked.
            StatusCode::NOT_MODIFIED if etag.is_some() => {
                return Ok(Fetched::Unchanged { headers });
            }
            status => return Err(JwksError::status_of(status)),
        }
        let body = Limited::new(body, self.max_bytes).collect().await;
        let body = body.map_err(|error| self.in_body(error))?.to_bytes();
        Ok(Fetched::Set { headers, body })
    }

    fn in_body(&self, error: Box<dyn Error + Send + Sync>) -> JwksError {
        match error.is::<LengthLimitError>() {
            true => JwksError::too_large(self.max_bytes),
            false => JwksError::connection(error),
        }
    }
}

/// Whom to trust: those given, or those of the system. The cryptography is named here, so that
/// nothing depends on what the process has installed.
fn tls(address: &Address, roots: Option<&[u8]>) -> Result<ClientConfig, ConfigError> {
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::new("TLS", error.to_string()))?;
    let builder = match roots {
        Some(_) if !address.is_https() => {
            return Err(ConfigError::new("root_certificates", "needs an https URL"));
        }
        Some(pem) => builder.with_root_certificates(read_roots(pem)?),
        None if !address.is_https() => builder.with_root_certificates(RootCertStore::empty()),
        None => builder.with_native_roots().map_err(|_| {
            ConfigError::new(
                "root_certificates",
                "must be given, because the system trusts nobody: its certificates are usually in the \
                 package ca-certificates",
            )
        })?,
    };
    Ok(builder.with_no_client_auth())
}

fn read_roots(pem: &[u8]) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    let all = CertificateDer::pem_slice_iter(pem);
    let read = all.map(|certificate| roots.add(certificate.ok()?).ok());
    let read: Option<Vec<()>> = read.collect();
    match read {
        Some(read) if !read.is_empty() => Ok(roots),
        _ => Err(ConfigError::new(
            "root_certificates",
            "must be one or more certificates in PEM",
        )),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            http: _,
            address,
            timeout,
            max_bytes,
        } = self;
        f.debug_struct("Client")
            .field("url", &address.shown())
            .field("timeout", timeout)
            .field("max_bytes", max_bytes)
            .finish()
    }
}

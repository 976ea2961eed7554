//! The client that is there without a setting: hyper's own, over the certificates that the system trusts.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::fetch::{Answer, Fetch};
use crate::config::ConfigError;

/// It follows no redirect, knows no proxy, decodes nothing, and keeps no connection. By the next request, minutes
/// later, the other side would have closed it.
pub(super) struct BuiltIn(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

/// The servers that are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Servers {
    /// With TLS and not otherwise.
    Https,
    /// Without TLS.
    Http,
    /// The one without, and what that names with or without.
    Any,
}

impl BuiltIn {
    pub(super) fn new(servers: Servers, roots: Option<&[u8]>) -> Result<Self, ConfigError> {
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls(servers, roots)?);
        let connector = match servers {
            Servers::Https => connector.https_only(),
            Servers::Http | Servers::Any => connector.https_or_http(),
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(connector.enable_http1().build());
        Ok(Self(client))
    }
}

impl Fetch for BuiltIn {
    async fn fetch(&self, request: Request<()>, limit: usize) -> Answer {
        let Self(client) = self;
        let mut request = request.map(|()| Empty::new());
        let identity = HeaderValue::from_static("identity");
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT_ENCODING, identity);
        let (parts, body) = client.request(request).await?.into_parts();
        // Of another answer the status says all that is wanted.
        let body = match parts.status {
            StatusCode::OK => Limited::new(body, limit).collect().await?.to_bytes(),
            _ => Bytes::new(),
        };
        Ok(Response::from_parts(parts, body))
    }
}

/// Trusts the authorities that are given, or those of the system. The cryptography is named here, so that
/// nothing depends on what the process has installed.
fn tls(servers: Servers, roots: Option<&[u8]>) -> Result<ClientConfig, ConfigError> {
    let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::new("TLS", error.to_string()))?;
    let builder = match (roots, servers) {
        (Some(_), Servers::Http) => {
            return Err(ConfigError::new("root_certificates", "needs an https URL"));
        }
        (Some(pem), _) => builder.with_root_certificates(read_roots(pem)?),
        (None, Servers::Http) => builder.with_root_certificates(RootCertStore::empty()),
        (None, _) => match builder.clone().with_native_roots() {
            Ok(builder) => builder,
            // Where the issuer is this machine, its keys most likely are, too.
            Err(_) if servers == Servers::Any => {
                builder.with_root_certificates(RootCertStore::empty())
            }
            Err(_) => {
                return Err(ConfigError::new(
                    "root_certificates",
                    "must be given, because the system trusts no authority: its certificates are usually in \
                     the package ca-certificates",
                ));
            }
        },
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

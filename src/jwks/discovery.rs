//! Where the keys of an issuer are: configured, or read from its metadata.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use super::{
    client::{Client, Fetched, JSON},
    error::{JwksError, quoted},
    metadata::IssuerMetadata,
    point_in_time::PointInTime,
    url::{Address, BRACES, TEMPLATE},
};
use crate::config::ConfigError;

/// The place of an issuer's keys.
pub(super) enum Place {
    /// The JWK Set that was configured.
    Set(Address),
    /// The one that the issuer's metadata name.
    Named(Box<Discovery>),
}

/// An issuer that is asked where its keys are.
pub(super) struct Discovery {
    issuer: Box<str>,
    documents: [Address; 2],
    plain_http: bool,
    found: Mutex<Option<Found>>,
}

/// The content of the metadata, and for how long it holds.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) metadata: Arc<IssuerMetadata>,
    pub(super) address: Address,
    /// When they are read again.
    pub(super) due: PointInTime,
    /// Until when they are fresh.
    pub(super) fresh_until: PointInTime,
    /// How often in a row they could not be read again,
    pub(super) failures: u32,
    /// why not,
    pub(super) last_error: Option<JwksError>,
    /// and until when the issuer wants no further request.
    pub(super) not_before: PointInTime,
}

impl Place {
    /// For logs and errors.
    pub(super) fn shown(&self) -> &str {
        match self {
            Self::Set(address) => address.shown(),
            Self::Named(discovery) => &discovery.issuer,
        }
    }

    /// How often in a row the metadata could not be read again.
    pub(super) fn failures(&self) -> u32 {
        self.found().map_or(0, |found| found.failures)
    }

    pub(super) fn found(&self) -> Option<Found> {
        match self {
            Self::Set(_) => None,
            Self::Named(discovery) => discovery.found().clone(),
        }
    }
}

impl Found {
    /// Whether the issuer may be asked for its metadata before they are due.
    pub(super) fn may_be_read(&self, now: PointInTime) -> bool {
        self.not_before.left(now).is_zero()
    }
}

impl Discovery {
    pub(super) fn new(issuer: &str, plain_http: bool) -> Result<Self, ConfigError> {
        Ok(Self {
            issuer: issuer.into(),
            documents: Address::of_metadata(issuer, plain_http)?,
            plain_http,
            found: Mutex::default(),
        })
    }

    pub(super) fn is_https(&self) -> bool {
        self.documents.iter().all(Address::is_https)
    }

    pub(super) fn found(&self) -> MutexGuard<'_, Option<Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for the metadata, and returns the answer as it came. Where the first address has none, the second is asked.
    pub(super) async fn fetch(&self, client: &Client) -> Result<Fetched, JwksError> {
        let [openid, oauth] = &self.documents;
        let refused = match client.get(openid, JSON, None).await {
            Ok(fetched) => return Ok(fetched),
            Err(error) => error.missing().ok_or_else(|| error.at(openid.shown()))?,
        };
        client.get(oauth, JSON, None).await.map_err(|error| {
            let asked = |status| [(refused, openid.shown()), (status, oauth.shown())];
            match error.missing() {
                Some(status) => JwksError::no_metadata(asked(status)),
                None => error.at(oauth.shown()),
            }
        })
    }

    /// Judges the metadata.
    pub(super) fn judge(&self, body: &[u8]) -> Result<(IssuerMetadata, Address), JwksError> {
        let wrong = |problem: String| JwksError::metadata(&problem).at(&self.issuer);
        let metadata = IssuerMetadata::read(body).map_err(wrong)?;
        if metadata.issuer() != &*self.issuer {
            return Err(JwksError::metadata(&other_issuer(
                metadata.issuer(),
                &self.issuer,
            )));
        }
        let uri = metadata.jwks_uri();
        let address = Address::parse(uri, self.plain_http)
            .map_err(|error| wrong(format!("have an odd `jwks_uri`: {}", error.problem())))?;
        if self.is_https() && !address.is_https() && !self.plain_http {
            let uri = quoted(uri);
            return Err(wrong(format!(
                "have the `jwks_uri` {uri}, which must be https as the issuer is"
            )));
        }
        Ok((metadata, address))
    }
}

impl JwksError {
    /// The status, where it says that there is no document.
    fn missing(&self) -> Option<StatusCode> {
        let missing = |status: &StatusCode| {
            // The one is an issuer with a fault, the other comes from a proxy on the way.
            let of_others = [
                StatusCode::TOO_MANY_REQUESTS,
                StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            ];
            status.is_client_error() && !of_others.contains(status)
        };
        self.status().filter(missing)
    }
}

/// The metadata name another issuer than the one that was configured: how, and what to write instead.
fn other_issuer(named: &str, configured: &str) -> String {
    let cure = if named.contains(BRACES) {
        format!("The one {TEMPLATE}")
    } else if named.strip_suffix('/') == Some(configured)
        || configured.strip_suffix('/') == Some(named)
    {
        format!("The slash at the end counts: configure {}", quoted(named))
    } else {
        format!(
            "Configure {named} if you trust that issuer and its tokens have it in the claim iss. For a renamed \
             issuer add .also_issuer(...). Where it goes by another name, as inside a cluster, take \
             RemoteJwks with the set's inner URL and .issuer({named}). Or set the issuer's own hostname",
            named = quoted(named)
        )
    };
    let (named, configured) = (quoted(named), quoted(configured));
    format!("are of {named} and {configured} was configured. {cure}")
}

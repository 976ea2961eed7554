//! The issuer's keys, from a file or from where the issuer has them.

use std::{error::Error, fs};

use tower_bearer::{
    KeyRing, ManualClock, Timestamp,
    jwks::{JwksErrorKind, RemoteJwks},
    keys::KeyReport,
};

pub(crate) struct IssuerKeys {
    ring: KeyRing,
    /// The fetcher that fills the ring, where there is one.
    remote: Option<RemoteJwks>,
}

impl IssuerKeys {
    pub(crate) async fn load(source: &str, now: Option<u64>) -> Result<Self, Box<dyn Error>> {
        let is_url = ["http://", "https://"].iter().any(|scheme| {
            let start = source.get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        match is_url {
            true => Self::fetch(source, now).await,
            false => Ok(Self {
                // A byte that is no text harms the value that it is in, as in a set that is fetched.
                ring: KeyRing::published(&String::from_utf8_lossy(&fs::read(source)?))?,
                remote: None,
            }),
        }
    }

    async fn fetch(url: &str, now: Option<u64>) -> Result<Self, Box<dyn Error>> {
        let mut remote = RemoteJwks::builder(url);
        if let Some(now) = now {
            remote = remote.clock(ManualClock::new(Timestamp::from_secs(now)));
        }
        let remote = remote.build()?;
        let mut answer = remote.refresh().await;
        // A set without a usable key is believed the second time, and reported then.
        if matches!(&answer, Err(error) if error.kind() == JwksErrorKind::Invalid) {
            answer = remote.refresh().await;
        }
        let has_set = remote.health().confirmed_at().is_some();
        match answer {
            Err(error) if !has_set => Err(error.into()),
            _ => Ok(Self {
                ring: remote.keys(),
                remote: Some(remote),
            }),
        }
    }

    pub(crate) fn ring(&self) -> &KeyRing {
        &self.ring
    }

    pub(crate) fn reports(&self) -> Vec<KeyReport> {
        match &self.remote {
            Some(remote) => remote.health().key_reports().to_vec(),
            None => self.ring.key_reports(),
        }
    }
}

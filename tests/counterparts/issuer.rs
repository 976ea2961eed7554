//! `oidc-provider`, in a process of its own.

use std::sync::Arc;

use reqwest::Client;
use serde_json::{Value, json};

use crate::{installed, process::Process};

/// A key of the issuer's: its name, and its algorithm.
pub(crate) type Key = (&'static str, &'static str);

/// The audience of its tokens, where no other is asked for.
pub(crate) const AUDIENCE: &str = "urn:api";

/// A running issuer, which ends with the last clone of this value.
#[derive(Clone)]
pub(crate) struct Issuer {
    url: String,
    client: Client,
    _process: Arc<Process>,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let mut command = installed::node(include_str!("node/issuer.mjs"));
        let mut process = Process::start(&mut command).unwrap();
        Self {
            url: process.says("Open ").await,
            client: Client::new(),
            _process: Arc::new(process),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Replaces its keys by these, of which the first one signs.
    pub(crate) async fn publish(&self, keys: &[Key]) {
        let key = |(kid, alg): &Key| json!({"kid": kid, "alg": alg});
        let keys: Vec<Value> = keys.iter().map(key).collect();
        let request = self.client.put(format!("{}/keys", self.url)).json(&keys);
        let status = request.send().await.unwrap().status();
        assert!(status.is_success(), "{status}");
    }

    /// A new access token.
    pub(crate) async fn token(&self) -> String {
        self.token_for(AUDIENCE, "").await
    }

    /// The same for this audience, with this scope.
    pub(crate) async fn token_for(&self, audience: &str, scope: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "job"),
            ("client_secret", "secret"),
            ("resource", audience),
            ("scope", scope),
        ];
        let request = self.client.post(format!("{}/token", self.url)).form(&form);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let token = answer["access_token"].as_str();
        token.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

/// The name of the key that has signed the token.
pub(crate) fn kid(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let header = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

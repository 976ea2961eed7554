//! A service that verifies tokens of the issuer.

use std::time::Duration;

use axum::{Router, routing::get};
use reqwest::Client;
use tokio::{net::TcpListener, task::JoinSet};
use tower_bearer::{BearerAuthLayer, Claims, TokenCodec, jwks::RemoteJwks};

use super::{COOL_DOWN, LIFETIME};
use crate::issuer::AUDIENCE;

/// A running service, which ends with this value.
pub(super) struct Service {
    url: String,
    client: Client,
    _server: JoinSet<()>,
}

impl Service {
    /// It has the issuer's keys when it begins to serve.
    pub(super) async fn start(issuer: &str) -> Self {
        let keys = RemoteJwks::builder(format!("{issuer}/jwks"))
            .cool_down(COOL_DOWN)
            .lifetime(LIFETIME)
            .lifetime_floor(Duration::from_secs(1))
            .build()
            .unwrap();
        keys.refresh().await.unwrap();
        let codec: TokenCodec = TokenCodec::signed(&keys.keys())
            .issuer(issuer)
            .audience(AUDIENCE)
            .build()
            .unwrap();
        let me = async |claims: Claims| claims.subject().to_owned();
        let app = Router::new()
            .route("/me", get(me))
            .route_layer(BearerAuthLayer::new(codec));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/me", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            client: Client::new(),
            _server: server,
        }
    }

    /// The answer to a request with this token.
    pub(super) async fn status(&self, token: &str) -> u16 {
        let answer = self.client.get(&self.url).bearer_auth(token).send().await;
        let answer = answer.unwrap();
        let status = answer.status().as_u16();
        if status == 200 {
            assert_eq!(answer.text().await.unwrap(), "job");
        }
        status
    }
}

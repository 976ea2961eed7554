//! `oidc-provider` end to end: of the issuer its name is known, and its tokens are judged.

use std::time::Duration;

use axum::{Router, routing::get};
use reqwest::Client;
use tokio::{
    net::TcpListener,
    task::JoinSet,
    time::{Instant, sleep},
};
use tower_bearer::{
    BearerAuthLayer, Claims, RequireScopeLayer, TokenCodec, bearer::Scope, jwks::RemoteIssuer,
};

use crate::issuer::{AUDIENCE, Issuer, Key};

const A: Key = ("a", "EdDSA");
const B: Key = ("b", "ES256");
const C: Key = ("c", "RS256");
const D: Key = ("d", "Ed25519");

/// A running service, which ends with this value.
struct Service {
    url: String,
    client: Client,
    _server: JoinSet<()>,
}

impl Service {
    /// It is told the audience, and nothing else.
    async fn start(issuer: &RemoteIssuer) -> Self {
        let codec: TokenCodec = issuer.codec().audience(AUDIENCE).build().unwrap();
        let scope: Scope = "orders:read".parse().unwrap();
        let me = async |claims: Claims| {
            let scope = claims.scope().unwrap_or_default();
            format!("{} {scope}", claims.subject())
        };
        let app = Router::new()
            .route("/orders", get(me))
            .route_layer(RequireScopeLayer::new(scope))
            .route_layer(BearerAuthLayer::new(codec));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/orders", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            client: Client::new(),
            _server: server,
        }
    }

    /// The status of the answer, and its text or its challenge.
    async fn asks(&self, token: &str) -> (u16, String) {
        let answer = self.client.get(&self.url).bearer_auth(token).send().await;
        let answer = answer.unwrap();
        let status = answer.status().as_u16();
        let challenge = answer.headers().get("www-authenticate").cloned();
        let told = match challenge {
            Some(challenge) => challenge.to_str().unwrap().to_owned(),
            None => answer.text().await.unwrap(),
        };
        (status, told)
    }

    async fn accepts(&self, token: &str) -> bool {
        self.asks(token).await.0 == 200
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_tokens_are_accepted_with_no_setting_but_the_audience() {
    let provider = Issuer::start().await;
    let keys = [A, B, C, D];
    provider.publish(&keys).await;
    let issuer = RemoteIssuer::discover(provider.url()).unwrap();
    let service = Service::start(&issuer).await;
    issuer.refresh().await.unwrap();
    let metadata = issuer.metadata().unwrap();
    assert_eq!(metadata.issuer(), provider.url());
    assert_eq!(metadata.jwks_uri(), format!("{}/jwks", provider.url()));
    assert_eq!(issuer.health().keys(), 4);
    // Each key signs in turn, and the set stays the same.
    for first in 0..keys.len() {
        let mut order = keys;
        order.rotate_left(first);
        provider.publish(&order).await;
        let scope = "orders:read orders:write";
        let token = provider.token_for(AUDIENCE, scope).await;
        assert_eq!(crate::issuer::kid(&token), keys[first].0);
        let (status, told) = service.asks(&token).await;
        assert_eq!(
            (status, &*told),
            (200, &*format!("job {scope}")),
            "{order:?}"
        );

        let other = provider.token_for(AUDIENCE, "orders:write").await;
        let (status, told) = service.asks(&other).await;
        assert_eq!(status, 403);
        assert!(told.contains("insufficient_scope"), "{told}");
        let elsewhere = provider.token_for("urn:other", scope).await;
        let (status, told) = service.asks(&elsewhere).await;
        assert_eq!(status, 401);
        assert!(told.contains("invalid_token"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_rotation_is_followed_without_a_restart() {
    let provider = Issuer::start().await;
    let token = async || provider.token_for(AUDIENCE, "orders:read").await;
    provider.publish(&[A]).await;
    let second = Duration::from_secs(1);
    let issuer = RemoteIssuer::builder(provider.url())
        .cool_down(second)
        .lifetime(second * 2)
        .lifetime_floor(second)
        .build()
        .unwrap();
    let service = Service::start(&issuer).await;
    issuer.refresh().await.unwrap();
    let of_a = token().await;
    assert!(service.accepts(&of_a).await);

    // Another key signs at once, and the old one is still there.
    provider.publish(&[C, A]).await;
    let of_c = token().await;
    until("the new key is known", || service.accepts(&of_c)).await;
    assert!(service.accepts(&of_a).await);
    // The old one is withdrawn: it is gone with the next set.
    provider.publish(&[C]).await;
    until("the old key is gone", async || {
        !service.accepts(&of_a).await
    })
    .await;
    assert!(service.accepts(&of_c).await);
    assert!(service.accepts(&token().await).await);
}

/// Waits until it `holds`, for as long as no sane machine takes.
async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < Duration::from_secs(20), "never: {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

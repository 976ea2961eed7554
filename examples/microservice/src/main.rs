//! Two services that share no secret. One issues tokens, and the other verifies them with only the URL of the issuer's
//! JWK Set.
//!
//! ```sh
//! cargo run -p microservice
//! ```
//!
//! ```sh
//! issuer=http://127.0.0.1:3001 api=http://127.0.0.1:3002
//! token=$(curl -s -X POST $issuer/token/alice)
//! curl -i -H "Authorization: Bearer $token" $api/me
//! curl -X POST $issuer/rotate
//! token=$(curl -s -X POST $issuer/token/alice)
//! curl -i -H "Authorization: Bearer $token" $api/me   # 401: the issuer signs with a key it has just published
//! sleep 1                                             # the API fetches it meanwhile
//! curl -i -H "Authorization: Bearer $token" $api/me   # 200
//! ```
//!
//! Settings, all optional: `ISSUER_ADDR`, `API_ADDR`, and `ONLY=issuer` or `ONLY=api` to start one of them. Any client
//! may have a token here, and replace the key. A real issuer checks a password, as the example `demo` does, and rotates
//! by itself.

use std::{
    env,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use tokio::net::TcpListener;
use tower_bearer::{
    BearerAuthLayer, Claims, ConfigError, Event, EventSink, KeyRing, NoClaims, TokenCodec,
    jwks::RemoteJwks,
};

type Error = Box<dyn std::error::Error + Send + Sync>;

const AUDIENCE: &str = "orders";

/// The service that signs. Its private keys stay here, the newest first.
#[derive(Clone)]
struct Issuer {
    ring: KeyRing,
    codec: TokenCodec,
    private: Arc<Mutex<Vec<String>>>,
}

impl Issuer {
    fn new(url: &str) -> Result<Self, Error> {
        let private = vec![new_key()?];
        let ring = ring_of(&private)?;
        Ok(Self {
            codec: TokenCodec::signed(&ring)
                .issuer(url)
                .audience(AUDIENCE)
                .build()?,
            ring,
            private: Arc::new(Mutex::new(private)),
        })
    }

    /// A new key signs from now on. The one before stays published, for the issued tokens. A
    /// real service publishes a key for an hour or so before it signs: then no client sees a 401.
    fn rotate(&self) -> Result<(), Error> {
        let mut private = self.private.lock().unwrap_or_else(PoisonError::into_inner);
        private.insert(0, new_key()?);
        private.truncate(2);
        Ok(self.ring.rotate(ring_of(&private)?)?)
    }

    fn app(self) -> Router {
        let mint = async |State(issuer): State<Self>, Path(user): Path<String>| {
            let token = issuer.codec.mint(&user, &NoClaims {}).map_err(internal)?;
            Ok::<_, StatusCode>(token.as_str().to_owned())
        };
        let rotate = async |State(issuer): State<Self>| {
            issuer.rotate().map_err(internal)?;
            Ok::<_, StatusCode>(StatusCode::NO_CONTENT)
        };
        let jwks = async |State(issuer): State<Self>| {
            let kind = (header::CONTENT_TYPE, "application/jwk-set+json");
            let fresh = (header::CACHE_CONTROL, "public, max-age=300");
            ([kind, fresh], issuer.ring.jwks()).into_response()
        };
        Router::new()
            .route("/.well-known/jwks.json", get(jwks))
            .route("/token/{user}", post(mint))
            .route("/rotate", post(rotate))
            .with_state(self)
    }
}

/// The service that verifies. It starts without the issuer, and goes on without it.
fn api(issuer: &str) -> Result<Router, ConfigError> {
    let keys = RemoteJwks::builder(format!("{issuer}/.well-known/jwks.json"))
        // The default is 10 seconds; it is one here, so that a user who tries this out need not wait.
        .cool_down(Duration::from_secs(1))
        .events(EventSink::new(|event: &Event<'_>| match event {
            Event::KeysFetched { keys, .. } => eprintln!("api: the issuer has {keys} keys"),
            Event::KeysUnavailable { error, .. } => eprintln!("api: {error}"),
            Event::KeysExpired { .. } => eprintln!("api: the keys are too old to go on with"),
            Event::KeysCompromised { keys, .. } => {
                keys.iter()
                    .for_each(|key| eprintln!("api: THE ISSUER'S {key}"));
            }
            Event::KeysPassedOver { keys, .. } => {
                keys.iter()
                    .for_each(|key| eprintln!("api: not used: {key}"));
            }
            Event::KeysWithdrawn { error, .. } => eprintln!("api: every token is refused: {error}"),
            Event::KeysRecovered { .. } => eprintln!("api: the issuer answers again"),
            _ => {}
        }))
        .build()?;
    let codec: TokenCodec = TokenCodec::signed(&keys.keys())
        .issuer(issuer)
        .audience(AUDIENCE)
        .build()?;
    let ready = async move || match keys.health().is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok(Router::new()
        .route(
            "/me",
            get(async |claims: Claims| claims.subject().to_owned()),
        )
        .route_layer(BearerAuthLayer::new(codec))
        .route("/ready", get(ready)))
}

/// A fresh Ed25519 key as JWK, named after its own public half.
fn new_key() -> Result<String, Error> {
    let text = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
    let seed: [u8; 32] = rand::random();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|e| e.to_string())?;
    let (x, d) = (text(pair.public_key().as_ref()), text(&seed));
    let kid = &x[..8];
    Ok(format!(
        r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}","d":"{d}"}}"#
    ))
}

fn ring_of(private: &[String]) -> Result<KeyRing, ConfigError> {
    let ring = private
        .iter()
        .fold(KeyRing::builder(), |ring, jwk| ring.jwk(jwk));
    ring.build()
}

fn internal(error: impl std::fmt::Display) -> StatusCode {
    eprintln!("issuer: {error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.into())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let only = setting("ONLY", "");
    let mut issuer = format!("http://{}", setting("ISSUER_ADDR", "127.0.0.1:3001"));
    let mut servers = tokio::task::JoinSet::new();
    if only != "api" {
        let listener = TcpListener::bind(&issuer["http://".len()..]).await?;
        issuer = format!("http://{}", listener.local_addr()?);
        let app = Issuer::new(&issuer)?.app();
        servers.spawn(async move { axum::serve(listener, app).await });
        println!("Open {issuer} for the issuer.");
    }
    if only != "issuer" {
        let listener = TcpListener::bind(setting("API_ADDR", "127.0.0.1:3002")).await?;
        println!("Open http://{} for the API.", listener.local_addr()?);
        let app = api(&issuer)?;
        servers.spawn(async move { axum::serve(listener, app).await });
    }
    println!("Sign in as any user: curl -X POST {issuer}/token/alice");
    while let Some(ended) = servers.join_next().await {
        ended??;
    }
    Ok(())
}

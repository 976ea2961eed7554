//! `jose` and PyJWT read tokens and keys that this crate mints and publishes. They find the keys by the issuer's
//! metadata, with their own clients for a set at a URL.

use std::time::Duration;

use axum::{Json, Router, http::header, routing::get};
use serde_json::{Value, json};
use tokio::{net::TcpListener, process::Command, task::JoinSet};
use tower_bearer::{KeyRing, SignatureAlgorithm as Alg, TokenCodec, keys::KeyRingBuilder};

use crate::{installed, process::run};

const AUDIENCE: &str = "urn:api";
const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// The claims beside those of every token.
#[derive(serde::Serialize, serde::Deserialize)]
struct Own {
    scope: String,
    roles: Vec<String>,
}

/// Each key signs, and all are published together.
const KEYS: [(Alg, &str, &str); 4] = [
    (Alg::EdDsa, "ed", include_str!("../data/keys/ed25519.pem")),
    (Alg::Es256, "ec", include_str!("../data/keys/p256.pem")),
    (Alg::Rs256, "rs", include_str!("../data/keys/rsa2048.pem")),
    (Alg::Ps256, "ps", include_str!("../data/keys/rsa2048.pem")),
];

/// An issuer of ours, which ends with this value.
struct Ours {
    url: String,
    /// With the newer names of algorithms (RFC 9864).
    newer: bool,
    _server: JoinSet<()>,
}

impl Ours {
    async fn start(newer: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let document = json!({
            "issuer": url,
            "jwks_uri": format!("{url}/.well-known/jwks.json"),
            "response_types_supported": [],
        });
        let (set, metadata) = (ring(newer, |_| true).jwks(), move || async {
            Json(document)
        });
        let kind = [(header::CONTENT_TYPE, "application/jwk-set+json")];
        let app = Router::new()
            .route(OPENID, get(metadata.clone()))
            .route(OAUTH, get(metadata))
            .route(
                "/.well-known/jwks.json",
                get(move || async move { (kind, set) }),
            );
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            url,
            newer,
            _server: server,
        }
    }

    /// A token that the key of this name signs.
    fn token(&self, kid: &str) -> String {
        self.token_of(&ring(self.newer, |name| name == kid))
    }

    fn token_of(&self, ring: &KeyRing) -> String {
        let codec = TokenCodec::<Own>::signed(ring)
            .issuer(&self.url)
            .audience(AUDIENCE)
            .lifetime(Duration::from_secs(600))
            .build()
            .unwrap();
        let own = Own {
            scope: "orders:read".to_owned(),
            roles: vec!["clerk".to_owned()],
        };
        codec.mint("alice", &own).unwrap().as_str().to_owned()
    }
}

/// The keys whose names are `wanted`.
fn ring(newer: bool, wanted: impl Fn(&str) -> bool) -> KeyRing {
    let add =
        |ring: KeyRingBuilder, (alg, kid, pem): (Alg, &str, &str)| ring.pem(alg, Some(kid), pem);
    let keys = KEYS.into_iter().filter(|(_, kid, _)| wanted(kid));
    let ring = keys.fold(KeyRing::builder(), add);
    let ring = if newer {
        ring.fully_specified_algorithms()
    } else {
        ring
    };
    ring.build().unwrap()
}

/// Has the library read a token of each key, and some that are none of ours. It may not know this name of an algorithm.
async fn reads(command: impl Fn() -> Command, unknown: Option<&str>) {
    for (newer, metadata, ed) in [(false, OPENID, "EdDSA"), (true, OAUTH, "Ed25519")] {
        let ours = Ours::start(newer).await;
        let named = [
            ("ed", ed),
            ("ec", "ES256"),
            ("rs", "RS256"),
            ("ps", "PS256"),
        ];
        let mut tokens = named.map(|(kid, _)| ours.token(kid)).to_vec();
        // Another key of the same name, and a token that was changed.
        let other = KeyRing::builder().jwk(OTHER).build().unwrap();
        tokens.push(ours.token_of(&other));
        tokens.push(changed(&tokens[1]));
        let question = |audience: &str| {
            json!({
                "issuer": ours.url,
                "metadata": metadata,
                "audience": audience,
                "tokens": tokens,
            })
            .to_string()
        };
        let read: Vec<Value> =
            serde_json::from_str(&run(command(), question(AUDIENCE)).await).unwrap();
        assert_eq!(read.len(), tokens.len());
        for ((kid, alg), read) in named.iter().zip(&read) {
            if Some(*alg) == unknown {
                let why = read["why"]
                    .as_str()
                    .unwrap_or_else(|| panic!("it does: {read}"));
                assert!(why.contains("Unable to find a signing key"), "{why}");
                continue;
            }
            assert_eq!(
                (&read["kid"], &read["alg"]),
                (&json!(kid), &json!(alg)),
                "{read}"
            );
            let claims = &read["claims"];
            assert_eq!(claims["sub"], "alice");
            assert_eq!(claims["scope"], "orders:read");
            assert_eq!(claims["roles"], json!(["clerk"]));
            let (begin, end) = (claims["iat"].as_u64(), claims["exp"].as_u64());
            assert_eq!(end.unwrap() - begin.unwrap(), 600);
        }
        for refused in &read[named.len()..] {
            assert!(refused["why"].is_string(), "{refused}");
        }
        let read: Vec<Value> =
            serde_json::from_str(&run(command(), question("urn:other")).await).unwrap();
        for refused in &read {
            assert!(refused["why"].is_string(), "{refused}");
        }
    }
}

/// That of RFC 8037 appendix A, under the name of ours.
const OTHER: &str = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed",
    "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// The same with another letter in its signature.
fn changed(token: &str) -> String {
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let letter = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{rest}.{letter}{}", &signature[1..])
}

#[tokio::test]
async fn by_jose() {
    reads(|| installed::node(include_str!("node/published.mjs")), None).await;
}

#[tokio::test]
async fn by_py_jwt() {
    // It passes over keys of the newer name (RFC 9864): for its readers the older one is minted.
    let program = || installed::python(include_str!("python/published.py"));
    reads(program, Some("Ed25519")).await;
}

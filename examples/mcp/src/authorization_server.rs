//! A toy: one client with one secret, and tokens for one resource. A real one is a product of its own.

use axum::{
    Form, Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Deserialize;
use serde_json::json;
use tower_bearer::{KeyRing, TokenCodec};

use crate::{Error, Granted, SCOPES};

pub(crate) const CLIENT: (&str, &str) = ("demo-client", "demo-secret");

/// The form of a token request by client credentials (RFC 6749 section 4.4.2, RFC 8707 section 2).
#[derive(Deserialize)]
struct Asked {
    grant_type: String,
    scope: String,
    resource: String,
}

#[derive(Clone)]
struct Issuer {
    codec: TokenCodec<Granted>,
    resource: String,
}

pub(crate) fn app(issuer: &str, resource: &str) -> Result<Router, Error> {
    let ring = KeyRing::builder().jwk(&new_key()?).build()?;
    let codec = TokenCodec::signed(&ring)
        .issuer(issuer)
        .audience(resource)
        .build()?;
    // RFC 8414 section 2.
    let metadata = Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "scopes_supported": SCOPES,
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    }));
    let jwks = (
        [(header::CONTENT_TYPE, "application/jwk-set+json")],
        ring.jwks(),
    );
    let resource = resource.to_owned();
    Ok(Router::new()
        .route(
            "/.well-known/oauth-authorization-server",
            get(async || metadata),
        )
        .route("/jwks", get(async || jwks))
        .route("/token", post(token))
        .with_state(Issuer { codec, resource }))
}

async fn token(
    State(issuer): State<Issuer>,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> Response {
    let (id, secret) = CLIENT;
    let basic = base64_simd::STANDARD.encode_to_string(format!("{id}:{secret}"));
    // A real server keeps a hash of the secret, and compares in constant time.
    if headers
        .get(header::AUTHORIZATION)
        .map(|sent| sent.as_bytes())
        != Some(format!("Basic {basic}").as_bytes())
    {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let bad = |code| refused(StatusCode::BAD_REQUEST, code);
    if asked.grant_type != "client_credentials" {
        return bad("unsupported_grant_type");
    }
    if asked.resource != issuer.resource {
        return bad("invalid_target");
    }
    if !asked.scope.split(' ').all(|scope| SCOPES.contains(&scope)) {
        return bad("invalid_scope");
    }
    let granted = Granted {
        scope: asked.scope,
        client_id: id.to_owned(),
    };
    match issuer.codec.mint(id, &granted) {
        Ok(token) => (
            [(header::CACHE_CONTROL, "no-store")],
            Json(json!({
                "access_token": token.as_str(),
                "token_type": "Bearer",
                "expires_in": issuer.codec.lifetime().as_secs(),
                "scope": granted.scope,
            })),
        )
            .into_response(),
        Err(error) => {
            eprintln!("authorization server: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn refused(status: StatusCode, code: &'static str) -> Response {
    (status, Json(json!({ "error": code }))).into_response()
}

/// A fresh Ed25519 key as JWK. Yours outlives the process: see the example `keygen`.
fn new_key() -> Result<String, Error> {
    let text = |bytes: &[u8]| base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes);
    let seed: [u8; 32] = rand::random();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|e| e.to_string())?;
    let (x, d) = (text(pair.public_key().as_ref()), text(&seed));
    Ok(format!(
        r#"{{"kty":"OKP","crv":"Ed25519","kid":"1","x":"{x}","d":"{d}"}}"#
    ))
}

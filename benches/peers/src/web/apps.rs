//! Routers behind one layer each, and the head that each is sent.

use std::{hint::black_box, sync::Arc};

use axum::{
    Extension, Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use tower_bearer::{BearerAuthLayer, Claims, NoClaims, TokenCodec};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::{at_once, noop::NoopLayer};
#[cfg(feature = "cache")]
use crate::cached;
use crate::profile::Profile;
use crate::{
    claims::{Owned, ROLE, SCOPE, SUBJECT},
    keys, ours,
    peers::jsonwebtoken::Verifier,
    tokens::Tokens,
};

/// A router, the heads that it is sent in turn, and the status that it answers with.
pub struct App {
    pub name: String,
    pub router: Router,
    pub heads: Vec<http::Request<()>>,
    pub status: StatusCode,
}

impl App {
    pub fn new(name: &str, router: Router, head: http::Request<()>) -> Self {
        Self {
            name: name.to_owned(),
            router,
            heads: vec![head],
            status: StatusCode::OK,
        }
    }
}

/// Returns all that need no backend of jsonwebtoken. `axum_bare_…` is sent the same as the others of that name.
pub fn all(tokens: &Tokens) -> Vec<App> {
    let nested = || bearer(&tokens.nested.good);
    let foreign = || bearer(&foreign(tokens.nested.good.len()));
    let (sessions, cookie) = tower_sessions();
    let with_cookie = || with(header::COOKIE, &cookie);
    let pass = middleware::from_fn(|request: Request, next: Next| next.run(request));
    let refused = App::new("axum_refused", bearer_auth(), foreign());
    vec![
        App::new("axum_bare_nested", bare(), nested()),
        App::new("axum_noop_layer", bare().layer(NoopLayer), nested()),
        App::new("axum_from_fn", bare().layer(pass), nested()),
        App::new("axum_nested", bearer_auth(), nested()),
        App::new("axum_bare_foreign", bare(), foreign()),
        App {
            status: StatusCode::UNAUTHORIZED,
            ..refused
        },
        App::new("axum_bare_cookie", bare(), with_cookie()),
        App::new("axum_tower_sessions", sessions, with_cookie()),
    ]
}

/// Returns our layer with a cache that holds a thousand tokens, and the bare router with the same head. One token comes
/// again and again, as it does where nothing is cached.
#[cfg(feature = "cache")]
pub fn cached() -> [App; 2] {
    let keys = keys::shared();
    let tokens = cached::tokens(Profile::Nested, &keys);
    let codec = cached::codec(Profile::Nested, &keys);
    for token in &tokens {
        codec.verify(token).expect("the token is good");
    }
    let router = behind(codec);
    let app = |name, router| App::new(name, router, bearer(&tokens[0]));
    [app("axum_bare_cached", bare()), app("axum_cached", router)]
}

/// Returns `from_fn` with jsonwebtoken, and the bare router with the same head.
pub fn jsonwebtoken(tokens: &Tokens) -> [App; 2] {
    let head = || bearer(&tokens.hs256.good);
    [
        App::new("axum_bare_jsonwebtoken", bare(), head()),
        App::new("axum_jsonwebtoken_hs256", behind_jsonwebtoken(), head()),
    ]
}

/// Returns those that are compared over HTTP: bare first. Each client of theirs has the same token.
pub fn for_http(tokens: &Tokens) -> Vec<App> {
    let nested = || bearer(&tokens.nested.good);
    let (sessions, cookie) = tower_sessions();
    vec![
        App::new("http_bare", bare(), nested()),
        App::new("http_noop_layer", bare().layer(NoopLayer), nested()),
        App::new("http_nested", bearer_auth(), nested()),
        #[cfg(feature = "cache")]
        App::new(
            "http_cached",
            behind(cached::codec(Profile::Nested, &keys::shared())),
            nested(),
        ),
        App::new(
            "http_jsonwebtoken",
            behind_jsonwebtoken(),
            bearer(&tokens.hs256.good),
        ),
        App::new(
            "http_tower_sessions",
            sessions,
            with(header::COOKIE, &cookie),
        ),
    ]
}

fn bare() -> Router {
    Router::new().route("/", get(async || "hello"))
}

/// Our layer around a handler that takes the claims.
fn bearer_auth() -> Router {
    behind(ours::codec(Profile::Nested, &keys::shared()))
}

fn behind(codec: TokenCodec<NoClaims>) -> Router {
    let handler = async |claims: Claims| {
        black_box(claims.subject());
        "hello"
    };
    let router = Router::new().route("/", get(handler));
    router.layer(BearerAuthLayer::new(codec))
}

/// The code that its users write. The claims are shared rather than cloned on their way to the handler.
fn behind_jsonwebtoken() -> Router {
    async fn authenticate(
        State(verifier): State<Arc<Verifier>>,
        mut request: Request,
        next: Next,
    ) -> Result<Response, StatusCode> {
        const REFUSED: StatusCode = StatusCode::UNAUTHORIZED;
        let value = request.headers().get(header::AUTHORIZATION);
        let value = value.and_then(|value| value.to_str().ok()).ok_or(REFUSED)?;
        let token = value.strip_prefix("Bearer ").ok_or(REFUSED)?;
        let claims = verifier.verify(token).map_err(|_| REFUSED)?;
        request.extensions_mut().insert(Arc::new(claims));
        Ok(next.run(request).await)
    }
    let handler = async |Extension(claims): Extension<Arc<Owned>>| {
        black_box(&*claims.sub);
        "hello"
    };
    let verifier = Arc::new(Verifier::hs256());
    let layer = middleware::from_fn_with_state(verifier, authenticate);
    Router::new().route("/", get(handler)).layer(layer)
}

/// The content of a session: as much as the handler behind our layer learns from a token.
#[derive(Deserialize, Serialize)]
struct User {
    id: String,
    scope: String,
    role: String,
}

/// tower-sessions over its store in memory, which holds one session, and the cookie of that session. The
/// handler reads the user from it.
fn tower_sessions() -> (Router, String) {
    const USER: &str = "user";
    let store = MemoryStore::default();
    let session = Session::new(None, Arc::new(store.clone()), None);
    let user = User {
        id: SUBJECT.to_owned(),
        scope: SCOPE.to_owned(),
        role: ROLE.to_owned(),
    };
    let saved = at_once(async {
        session.insert(USER, user).await?;
        session.save().await
    });
    let saved = saved.expect("memory is there at once");
    saved.expect("the session is saved");
    let id = session.id().expect("a saved session has an id");
    let handler = async |session: Session| match session.get::<User>(USER).await {
        Ok(Some(user)) => {
            black_box(&*user.id);
            Ok("hello")
        }
        _ => Err(StatusCode::UNAUTHORIZED),
    };
    let router = Router::new().route("/", get(handler));
    let router = router.layer(SessionManagerLayer::new(store));
    (router, format!("id={id}"))
}

/// A token as an attacker would send: three segments, signed with an unknown key, as long as ours. The nested profile
/// has five segments, so our layer refuses it before any cryptography. The measured work is reading the header,
/// noticing that, and building the answer with its challenge. The router behind the layer is never called, and its time
/// is missing from that of the whole.
fn foreign(len: usize) -> String {
    let (header, signature) = ("eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCJ9", "A".repeat(86));
    let payload = "e30A".repeat(len);
    let payload = &payload[..len - header.len() - signature.len() - 2];
    format!("{header}.{payload}.{signature}")
}

fn bearer(token: &str) -> http::Request<()> {
    with(header::AUTHORIZATION, &format!("Bearer {token}"))
}

/// A head as a client's, with one more line.
fn with(name: http::HeaderName, value: &str) -> http::Request<()> {
    let head = http::Request::get("/")
        .header(header::HOST, "api.example")
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, "peers/1.0")
        .header(name, value);
    head.body(()).expect("the head is well-formed")
}

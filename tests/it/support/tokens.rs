//! A codec for tests that need a good token and care for nothing else.

use std::{sync::LazyLock, time::Duration};

use http::{Request, header};
use serde::{Deserialize, Serialize};
use tower_bearer::{KeyRing, ManualClock, NoClaims, Timestamp, TokenCodec, TokenContext};

/// Claims with a scope, which is the application's to grant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Scoped {
    pub(crate) scope: String,
}

/// When the codecs of this module believe it is.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

static KEYS: LazyLock<KeyRing> = LazyLock::new(|| KeyRing::generate().unwrap());

/// A nested codec over one ring for the whole test run.
pub(crate) fn codec<C>() -> TokenCodec<C> {
    at(NOW)
}

/// The same at another time.
pub(crate) fn at<C>(now: Timestamp) -> TokenCodec<C> {
    TokenCodec::nested(&KEYS)
        .issuer("https://id.example")
        .audience("api")
        .leeway(Duration::ZERO)
        .clock(ManualClock::new(now))
        .build()
        .unwrap()
}

/// A token for `alice`.
pub(crate) fn token() -> String {
    let token = codec().mint("alice", &NoClaims {}).unwrap();
    token.as_str().to_owned()
}

/// A token for `alice` with these scopes.
pub(crate) fn scoped_token(scope: &str) -> String {
    let scope = scope.to_owned();
    let token = codec().mint("alice", &Scoped { scope }).unwrap();
    token.as_str().to_owned()
}

/// A request with `token` as its bearer token.
pub(crate) fn with_token(token: &str) -> Request<String> {
    Request::get("/me")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(String::new())
        .unwrap()
}

/// A request that the bearer layer has let through with these scopes.
pub(crate) fn verified(scope: &str) -> Request<String> {
    let claims = codec::<Scoped>().verify(&scoped_token(scope)).unwrap();
    with_context(claims.context())
}

/// A request that the bearer layer has let through, of a user who authenticated then, by the class `phr`.
pub(crate) fn authenticated(at: Timestamp) -> Request<String> {
    let members = serde_json::json!({
        "auth_time": at.as_secs(),
        "amr": ["pwd", "otp"],
        "realm_access": { "roles": ["a", { "deep": [1, "]}"] }] },
        "acr": "phr",
    });
    let token = codec().mint("alice", &members).unwrap();
    let claims = codec::<NoClaims>().verify(token.as_str()).unwrap();
    with_context(claims.context())
}

fn with_context(context: TokenContext) -> Request<String> {
    let mut request = Request::new(String::new());
    request.extensions_mut().insert(context);
    request
}

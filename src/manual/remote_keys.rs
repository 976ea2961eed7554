#![cfg_attr(
    not(feature = "jwks"),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "what the chapter is about comes with the feature"
    )
)]
//! Keys of an issuer elsewhere: how they are fetched, what happens when they cannot be, and why.
//!
//! A service that only verifies needs one thing of the issuer: the URL of its JWK Set. With the feature
//! `jwks`, [`RemoteJwks`](crate::jwks::RemoteJwks) fetches the set and keeps it current.
//!
//! ```
//! use axum::{Router, http::StatusCode, routing::get};
//! use tower_bearer::{BearerAuthLayer, Claims, TokenCodec, jwks::RemoteJwks};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower_bearer::ConfigError> {
//! let issuer = RemoteJwks::new("http://127.0.0.1:3001/.well-known/jwks.json")?;
//! let codec: TokenCodec = TokenCodec::signed(&issuer.keys())
//!     .issuer("https://id.example")
//!     .audience("orders")
//!     .build()?;
//! let ready = async move || match issuer.health().is_ready() {
//!     true => StatusCode::OK,
//!     false => StatusCode::SERVICE_UNAVAILABLE,
//! };
//! let app: Router = Router::new()
//!     .route("/me", get(async |claims: Claims| claims.subject().to_owned()))
//!     .route_layer(BearerAuthLayer::new(codec))
//!     .route("/ready", get(ready));
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! The URL is the member `jwks_uri` of the issuer's metadata, at `/.well-known/openid-configuration` or
//! `/.well-known/oauth-authorization-server` (RFC 8414). This crate does not read that document.
//!
//! The example `microservice` has both sides.
//!
//! # Nothing waits
//!
//! A task in the background asks the issuer before the keys are stale. The guard stays what it is: it looks
//! into the keys that are there and decides. No request waits for the issuer, no lock is taken where a key
//! is found, and a slow issuer slows nobody down. Only a token whose key is *not* there looks at how it stands
//! with the issuer.
//!
//! # 503 or 401
//!
//! A client that is told 401 throws its token away. A client that is told 503 keeps it and comes back. Load
//! balancers and proxies count 503: after a handful they take the instance out. So 503, with `Retry-After`,
//! is for a service that has no keys to judge by. Where it has some, a token whose key is not among them is
//! told 401, and an attacker who makes up key names cannot have 503. gRPC clients
//! get 14 and 16 behind a [`GrpcLayer`](crate::GrpcLayer).
//!
//! | situation | answer | what happens |
//! |---|---|---|
//! | the key is there | as ever | Also while the issuer is away. |
//! | no set has come yet, or the last one is past its stale limit | 503 | The service is not ready: tell the load balancer, with [`JwksHealth::is_ready`](crate::jwks::JwksHealth::is_ready). |
//! | the issuer says that it has no key | 503 | The same. |
//! | unknown `kid`, the set is older than the cool-down | 401 | The set is fetched again. However many tokens ask, it is one request. |
//! | unknown `kid`, within the cool-down after an answer | 401 | The set is fetched again when the cool-down is over. |
//! | a known `kid` with a signature that is not its key's, or with another `alg` of public keys | 401 | The same: the issuer may have replaced the key and kept its name. |
//! | unknown `kid`, the last request has failed | 401 | The pause after a failure goes on; tokens do not shorten it. |
//! | `alg` of a shared secret, or one that the codec does not accept | 401 | No set would make it good. |
//!
//! **An issuer publishes a key before it signs with it** (RFC 7517 has no rule for it; OpenID Connect Core 1.0
//! section 10.1.1 describes it). An issuer that signs at once costs the first clients a 401. The first of their
//! tokens makes the service ask for the set, so that from one cool-down on no token of the key is refused.
//!
//! A token without a `kid` is verified with the keys that have none, for its `alg`, four at most; or with the
//! one key for its `alg`, where every key has a name. Keys that share a name and an algorithm are tried likewise.
//!
//! # One key never decides for the others
//!
//! A set is judged in two steps (RFC 7517 section 5). The document has to be a JSON object with an array `keys`,
//! answered with 200. Then each key is judged alone:
//!
//! | a key is | when | then |
//! |---|---|---|
//! | used | it verifies signatures by an algorithm of this crate | An RSA key without `alg` is for RS256, or for the one RSA algorithm that [`algorithms`](crate::token::TokenCodecBuilder::algorithms) names (of two it is RS256). `Ed25519` and `EdDSA` are one algorithm (RFC 9864). |
//! | passed over | its type, curve or algorithm is unknown, a member is missing or odd, it is too weak, or it is for another purpose | The others are used. [`Event::KeysPassedOver`](crate::Event::KeysPassedOver) and [`JwksHealth::unusable_keys`](crate::jwks::JwksHealth::unusable_keys) say which, and why. |
//! | compromised | a private member is in it, or it is a shared secret | It goes at once, out of the set in hand too, and stays out for the life of the process, under whatever name (RFC 7638 thumbprint). [`Event::KeysCompromised`](crate::Event::KeysCompromised) is an error: an attacker can sign with it now. |
//!
//! [`KeyRing::verifier`](crate::KeyRing::verifier) judges a set in hand by the same rules, and
//! [`KeyRing::unusable_keys`](crate::KeyRing::unusable_keys) says what it passed over.
//!
//! # A key that was stolen
//!
//! The issuer takes the key out of its set. Sets are replaced, never joined, so that the key is gone with the next
//! request: within the time that a set is fresh, an hour at most. [`refresh`](crate::jwks::RemoteJwks::refresh) asks at once.
//! The entries of the [cache of verified tokens](super::performance#the-verified-token-cache) are stale with it. While
//! the set stays the same, to the byte, they stay good.
//!
//! A set without any key that verifies may be a slip. It is asked for again after a second, and believed then:
//! [`Event::KeysWithdrawn`](crate::Event::KeysWithdrawn). From then on it is
//! asked for once a minute.
//!
//! # An issuer that is away
//!
//! The last good set goes on to verify. A redirect, an error page, a document that is no set, cut off or too long,
//! changes nothing. Each failure is an [`Event::KeysUnavailable`](crate::Event::KeysUnavailable) with its reason.
//! Pauses between tries double from one second to one minute, each a half to a whole of that at random.
//! [`Event::KeysRecovered`](crate::Event::KeysRecovered) says that it is over, and [`Event::KeysExpired`](crate::Event::KeysExpired)
//! that it took too long.
//!
//! **The limit holds by itself.** Each verification compares its own time with that of the set, so that no task
//! is needed to end it. A date that is set back does not prolong it while the task runs, which also goes by a
//! clock that is never set.
//!
//! A service starts without its issuer: after a power cut, one of them has to be first. Build everything, let the
//! probe say 503, and it becomes ready by itself.
//!
//! # Every default
//!
//! | setting | default | why |
//! |---|---|---|
//! | URL | `https`, or `http` to this machine | An attacker that can change the answer can sign any token. [`dangerous_plain_http`](crate::jwks::RemoteJwksBuilder::dangerous_plain_http) for a mesh that encrypts. |
//! | trust | the system's certificates | A company's own CA is installed there, and a bad one removed there, for all programs at once; certificates compiled in age with the program. [`root_certificates`](crate::jwks::RemoteJwksBuilder::root_certificates) trusts yours alone. Images without `ca-certificates` fail at construction. |
//! | redirects, proxies | none | Where keys come from is what was configured. `HTTP_PROXY` and the like are not read. |
//! | [`timeout`](crate::jwks::RemoteJwksBuilder::timeout) | 5 s | From the name to the last byte. No request waits for it, so it may be long enough for a cold start, and short enough for tries to go on. |
//! | [`max_bytes`](crate::jwks::RemoteJwksBuilder::max_bytes) | 64 KiB | Twenty RSA keys with their certificate chains; what is longer is no JWK Set. |
//! | [`lifetime`](crate::jwks::RemoteJwksBuilder::lifetime) | 5 minutes | Where the issuer sends no `max-age`. How long a stolen key that was taken back is accepted, against one small request in five minutes. |
//! | [`lifetime_floor`](crate::jwks::RemoteJwksBuilder::lifetime_floor) | 1 minute | `max-age=0` and `no-store` are often a web framework's default and not meant. A thousand instances are still a few requests a second. |
//! | [`lifetime_ceiling`](crate::jwks::RemoteJwksBuilder::lifetime_ceiling) | 1 hour | A stolen key that the issuer takes back is refused within it, whatever `max-age` the issuer sends. |
//! | asked again | after 3/4 to 7/8 of the lifetime, at random | Before it ends, with time for several tries; at random, so that instances that started together do not ask together. |
//! | [`cool_down`](crate::jwks::RemoteJwksBuilder::cool_down) | 10 s | An attacker who makes up key names, or forges signatures, costs the issuer six requests a minute and instance. |
//! | [`stale_limit`](crate::jwks::RemoteJwksBuilder::stale_limit) | 1 hour | Long enough for a restart or a failover of the issuer. An attacker who stole a key, and can keep the issuer from being asked, has it for so long more. |
//! | `Age`, `ETag`, `Expires` | honoured | RFC 9111 section 4.2.3 and RFC 9110 section 13.1.2: behind a cache a set is older than it looks, and one that did not change is not sent again. `Expires` counts where `max-age` is absent (RFC 9111 section 5.3). |
//! | `must-revalidate` | no effect | Freshness decides when to ask again, the stale limit what to do without an answer. |
//!
//! # Runtimes
//!
//! The task runs on the tokio runtime that the [`RemoteJwks`](crate::jwks::RemoteJwks) is built in; that has to have
//! its timers and its I/O enabled, as `#[tokio::main]` has. Built outside of one, it begins with the first token
//! that arrives within one, or with
//! [`health`](crate::jwks::RemoteJwks::health). It ends with the last handle; a ring in a codec is a handle.
//!
//! A task can end, or hang, without that: its runtime ends, or a sink of events never returns. The
//! keys go on until their limit. A verification within a live runtime notices, and starts another task there: at
//! once when the old one has ended, and two minutes after a request was due when it hangs.

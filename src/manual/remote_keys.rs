//! Keys of an issuer elsewhere: how they are fetched, what happens when they cannot be, and why.
//!
//! A service that only verifies needs one thing of the issuer: the URL of its JWK Set. With the feature
//! `jwks`, [`RemoteJwks`](crate::RemoteJwks) fetches the set and keeps it current.
//!
//! ```
//! use axum::{Router, http::StatusCode, routing::get};
//! use tower_bearer::{BearerAuthLayer, Claims, Profile, RemoteJwks, TokenCodec};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower_bearer::ConfigError> {
//! let issuer = RemoteJwks::new("http://127.0.0.1:3001/.well-known/jwks.json")?;
//! let codec: TokenCodec = TokenCodec::builder(Profile::Signed)
//!     .issuer("https://id.example")
//!     .audience("orders")
//!     .build(&issuer.keys())?;
//! let ready = async move || match issuer.is_ready() {
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
//! A client that is told 401 throws its token away. A client that is told 503 keeps it and comes back. So
//! 401 is for what is known to be bad, and 503, with `Retry-After`, for what nobody can tell yet. gRPC clients
//! get 16 and 14.
//!
//! | situation | answer | why |
//! |---|---|---|
//! | the key is there | as ever | Also while the issuer is away. |
//! | no set has come yet | 503 | Any token may be good. It is the service that is not ready: tell the load balancer, with [`is_ready`](crate::RemoteJwks::is_ready). |
//! | unknown `kid`, the set is older than the cool-down | 503, and a request to the issuer | It may be the issuer's next key. |
//! | unknown `kid`, that request is under way | 503 | The same. However many ask, it is one request. |
//! | unknown `kid`, the last request has failed | 503 | The key may be in the set that could not be had. It is tried again after a pause; askers do not shorten it. |
//! | unknown `kid`, within the cool-down after an answer | 401 | The issuer has just said which keys there are. Otherwise whoever makes up names would get 503 for ever, and alarms and load balancers would take the service for broken. |
//! | the set is past its stale limit | 503 | Nobody knows any more which keys are good. |
//! | a known `kid` with another `alg`, a bad signature, `alg` of a shared secret | 401 | No set would make it good, so nobody is asked. |
//!
//! While the issuer is away or slow, strangers can have 503 by making up a name; the owners of good tokens do
//! not get it. Leave the reason `keys_unavailable` out where a proxy takes an instance out for its 5xx, or have it
//! ask [`is_ready`](crate::RemoteJwks::is_ready) instead.
//!
//! A token without a `kid` is verified with the one key that is for its `alg`; if there is none, it counts
//! as one with an unknown `kid`. An issuer that names no keys and replaces one by another for the same
//! `alg` is followed at the next request that is due anyway, and until then its new tokens are answered 401:
//! from a forgery they cannot be told.
//!
//! # Replacing a key without a 503
//!
//! The issuer publishes the new key first, and signs with it when every verifier has seen it: after the
//! `max-age` that it sends. It takes the old one out when the last token signed with it has expired. With
//! [`KeyRing`](crate::KeyRing) that is [the new key behind the old one](super::how_to#replacing-keys), and
//! then in front of it. Issuers that sign with a key at once cost each verifier a few requests with 503; and
//! when the set was fetched less than a cool-down before, 401 until the cool-down is over.
//!
//! A key that is taken out of the set is gone with the next request: sets are replaced, never joined. That takes
//! a set that is usable. One that is empty, has a key in it that cannot be one, or holds private members is taken
//! for a mistake of the issuer's, and **the keys from before go on, a stolen one among them, until the stale
//! limit**: [`Event::KeysUnavailable`](crate::Event::KeysUnavailable) says so from the first time on, and a restart
//! ends it. When a key was stolen, restart the verifiers or call [`refresh`](crate::RemoteJwks::refresh) in them; otherwise
//! the old set holds for as long as it is fresh. The [cache of verified
//! tokens](super::performance#the-verified-token-cache) forgets with it. While the set stays the same, to the
//! byte, the cache stays.
//!
//! # An issuer that is away
//!
//! The last good set goes on to verify. Only 200 with a usable set counts: a redirect, an error page, a set
//! that is empty, cut off or too long, one with a private key or a shared secret in it, or one with a key that
//! cannot be one, changes nothing. Each failure is an [`Event::KeysUnavailable`](crate::Event::KeysUnavailable)
//! with its reason. Pauses between tries double from one second to one minute, each a half to a whole of that at
//! random. [`Event::KeysBack`](crate::Event::KeysBack) says that it is over, and
//! [`Event::KeysWithdrawn`](crate::Event::KeysWithdrawn) that it took too long.
//!
//! A service starts without its issuer: after a power cut, somebody has to be first. Build everything, let the
//! probe say 503, and it becomes ready by itself.
//!
//! # Every default
//!
//! | setting | default | why |
//! |---|---|---|
//! | URL | `https`, or `http` to this machine | Whoever can change the answer can sign any token. [`dangerous_plain_http`](crate::RemoteJwksBuilder::dangerous_plain_http) for a mesh that encrypts. |
//! | trust | the system's certificates | A company's own CA is installed there, and a bad one removed there, for all programs at once; certificates compiled in age with the program. [`root_certificates`](crate::RemoteJwksBuilder::root_certificates) trusts yours alone. Images without `ca-certificates` fail at construction. |
//! | redirects, proxies | none | Where keys come from is what was configured. `HTTP_PROXY` and the like are not read. |
//! | [`timeout`](crate::RemoteJwksBuilder::timeout) | 5 s | From the name to the last byte. No request waits for it, so it may be long enough for a cold start, and short enough for tries to go on. |
//! | [`max_bytes`](crate::RemoteJwksBuilder::max_bytes) | 64 KiB | Twenty RSA keys with their certificate chains; what is longer is no JWK Set. |
//! | [`lifetime`](crate::RemoteJwksBuilder::lifetime) | 5 minutes | Where the issuer sends no `max-age`. How long a stolen key that was taken back is accepted, against one small request in five minutes. |
//! | [`lifetime_floor`](crate::RemoteJwksBuilder::lifetime_floor) | 1 minute | `max-age=0` and `no-store` are often a web framework's default and not meant. A thousand instances are still a few requests a second. |
//! | [`lifetime_ceiling`](crate::RemoteJwksBuilder::lifetime_ceiling) | 24 hours | A typing error of the issuer's must not keep a stolen key for a year. |
//! | asked again | after 3/4 to 7/8 of the lifetime, at random | Before it ends, with time for several tries; at random, so that instances that started together do not ask together. |
//! | [`cool_down`](crate::RemoteJwksBuilder::cool_down) | 10 s | What made-up names can cost the issuer: six requests a minute and instance. |
//! | [`stale_limit`](crate::RemoteJwksBuilder::stale_limit) | 24 hours | Long enough for a night and somebody to come to work. Somebody who stole a key, and can keep the issuer from being asked, has it for so long more. Access tokens live for minutes, so for honest clients more would be of no use unless the issuer can sign and cannot be asked. |
//! | [`rsa_algorithm`](crate::RemoteJwksBuilder::rsa_algorithm) | none | An RSA key without `alg` fits six algorithms. Some large issuers publish such keys; name what they are for. |
//! | `Age`, `ETag` | honoured | RFC 9111 section 4.2.3 and RFC 9110 section 13.1.2: behind a cache a set is older than it looks, and one that did not change is not sent again. |
//! | `must-revalidate` | no effect | Freshness decides when to ask again, the stale limit what to do without an answer. |
//!
//! # Runtimes
//!
//! The task runs on the tokio runtime that the [`RemoteJwks`](crate::RemoteJwks) is built in; that has to have
//! its timers and its I/O enabled, as `#[tokio::main]` has. Built outside of one, it begins with the first token
//! that arrives within one. It ends with the last handle; a ring in a codec is a handle. When the runtime ends, or
//! a sink of events panics in it, the keys are withdrawn, because nobody renews them any more; the next token
//! begins anew.

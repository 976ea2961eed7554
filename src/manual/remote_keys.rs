#![cfg_attr(
    not(feature = "jwks"),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "what the chapter is about comes with the feature"
    )
)]
//! Keys of an issuer elsewhere: how they are fetched, what happens when they cannot be, and why.
//!
//! A service that only verifies needs one thing of the issuer: its name, or the URL of its JWK Set. With the feature
//! `jwks`, [`RemoteIssuer`](crate::jwks::RemoteIssuer) finds the set by the name, [`RemoteJwks`](crate::jwks::RemoteJwks)
//! takes its URL. Both fetch the set and keep it current.
//!
//! ```
//! use axum::{Router, http::StatusCode, routing::get};
//! use tower_bearer::{BearerAuthLayer, Claims, TokenCodec, jwks::RemoteIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), tower_bearer::ConfigError> {
//! let issuer = RemoteIssuer::discover("https://tenant.example/")?;
//! let codec: TokenCodec = issuer.codec().audience("orders").build()?;
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
//! The example `microservice` has both sides, with the URL of the set.
//!
//! # Discovery
//!
//! The name of an issuer is the claim `iss` of its tokens, to the letter. Its metadata are looked for in two places:
//!
//! | the issuer | OpenID Connect Discovery 1.0 section 4, first | RFC 8414 section 3.1, where the first has none |
//! |---|---|---|
//! | `https://id.example/` | `https://id.example/.well-known/openid-configuration` | `https://id.example/.well-known/oauth-authorization-server` |
//! | `https://id.example/t` | `https://id.example/t/.well-known/openid-configuration` | `https://id.example/.well-known/oauth-authorization-server/t` |
//!
//! * "Has none" is a status of 400 to 499 other than 407, which is a proxy's word, and 429. An issuer in trouble is
//!   asked again later.
//! * Their `issuer` has to be the configured name, code point by code point. A slash at the end counts, and the error
//!   says what to write. Entra ID's name with `{tenantid}` in it is a template: write that of one tenant.
//! * Their `jwks_uri` is held to the rules for a URL that is configured. Where the issuer is `https`, it has to be, too.
//! * Of `id_token_signing_alg_values_supported` one thing is used: where it names exactly one RSA algorithm, RSA keys
//!   without `alg` are for that one, unless [`algorithms`](crate::token::TokenCodecBuilder::algorithms) names another.
//!   [`RemoteIssuer::metadata`](crate::jwks::RemoteIssuer::metadata) shows what was read. No other member matters.
//!
//! The metadata are read again when they are not fresh any more, by the rules for a set, and at once when the set
//! cannot be fetched: an issuer may move its keys. Where they cannot be read, the address from before holds until the
//! stale limit, and what came from it no longer.
//!
//! An issuer without metadata wants [`RemoteJwks`](crate::jwks::RemoteJwks) and the URL of its set. So does one that is
//! reached by another name than its own, such as a Keycloak at `kc.internal` whose tokens say `https://kc.example`: the
//! inner URL, and `.issuer(...)` with the outer name. The issuer's own hostname setting cures it, too. One that was
//! renamed is found by its new name, and [`also_issuer`](crate::token::TokenCodecBuilder::also_issuer) takes its old one.
//!
//! # A client of your own
//!
//! The built-in client goes straight to the issuer, with the system's certificates, and decodes nothing.
//! [`fetch`](crate::jwks::RemoteJwksBuilder::fetch) takes another one: through a company's proxy, with a client
//! certificate, with decompression, or over a table in memory for tests. [`Fetch`](crate::jwks::Fetch) has an example
//! with a proxy. The rules stay the crate's: addresses, time-out, statuses, length, `If-None-Match`, `Retry-After`. A
//! client that panics or hangs is a failed request. Its errors hold no secret, and so no URL whose query has one.
//!
//! ```
//! use std::{collections::HashMap, error::Error};
//!
//! use bytes::Bytes;
//! use http::{Request, Response, StatusCode};
//! use tower_bearer::jwks::{Fetch, RemoteIssuer};
//!
//! /// The documents of an issuer, by URL.
//! struct Table(HashMap<&'static str, &'static str>);
//!
//! impl Fetch for Table {
//!     async fn fetch(
//!         &self,
//!         request: Request<()>,
//!         _limit: usize,
//!     ) -> Result<Response<Bytes>, Box<dyn Error + Send + Sync>> {
//!         let found = self.0.get(&*request.uri().to_string());
//!         let status = found.map_or(StatusCode::NOT_FOUND, |_| StatusCode::OK);
//!         let body = Bytes::from_static(found.map_or(b"", |text| text.as_bytes()));
//!         Ok(Response::builder().status(status).body(body)?)
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn Error>> {
//! let table = Table(HashMap::from([
//!     (
//!         "https://id.example/.well-known/openid-configuration",
//!         r#"{"issuer":"https://id.example","jwks_uri":"https://id.example/keys"}"#,
//!     ),
//!     (
//!         "https://id.example/keys",
//!         r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
//!     ),
//! ]));
//! let issuer = RemoteIssuer::builder("https://id.example").fetch(table).build()?;
//! issuer.refresh().await?;
//! assert_eq!(issuer.health().keys(), 1);
//! # Ok(())
//! # }
//! ```
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
//! | used | it verifies signatures by an algorithm of this crate | An RSA key without `alg` is for the one RSA algorithm that [`algorithms`](crate::token::TokenCodecBuilder::algorithms) names, or else the one that the metadata name, or else RS256. `Ed25519` and `EdDSA` are one algorithm (RFC 9864). |
//! | passed over | its type, curve or algorithm is unknown, a member is missing or odd, it is too weak, or it is for another purpose | The others are used. [`Event::KeysPassedOver`](crate::Event::KeysPassedOver) and [`JwksHealth::unusable_keys`](crate::jwks::JwksHealth::unusable_keys) say which, and why. |
//! | compromised | a private member is in it, or it is a shared secret | It goes at once, out of the set in hand too, and stays out for the life of the process, under whatever name (RFC 7638 thumbprint). [`Event::KeysCompromised`](crate::Event::KeysCompromised) is an error: an attacker can sign with it now. |
//!
//! [`KeyRing::verifier`](crate::KeyRing::verifier) judges a set in hand by the same rules, and
//! [`KeyRing::unusable_keys`](crate::KeyRing::unusable_keys) says what it passed over. `key_reports()` of a ring and of
//! [`JwksHealth`](crate::jwks::JwksHealth::key_reports) list every key: usable, passed over or poisoned, and why.
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
//! Pauses between tries double from one second to one minute, each a half to a whole of that at random. An issuer that
//! answers 429 or 503 with `Retry-After` is left alone for so long, 5 minutes at most, and clients are told no less;
//! [`refresh`](crate::jwks::RemoteJwks::refresh) still asks at once, and
//! [`next_request_at`](crate::jwks::JwksHealth::next_request_at) says when it is asked of itself.
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
//! | URL, or issuer | `https`, or `http` to this machine | An attacker that can change the answer can sign any token. [`dangerous_plain_http`](crate::jwks::RemoteJwksBuilder::dangerous_plain_http) for a mesh that encrypts. |
//! | trust | the system's certificates | A company's own CA is installed there, and a bad one removed there, for all programs at once; certificates compiled in age with the program. [`root_certificates`](crate::jwks::RemoteJwksBuilder::root_certificates) trusts yours alone. Images without `ca-certificates` fail at construction. |
//! | redirects, proxies | none | Where keys come from is what was configured. `HTTP_PROXY` and the like are not read. |
//! | [`fetch`](crate::jwks::RemoteJwksBuilder::fetch) | the built-in client | For a proxy, a client certificate or another way. It decides which servers it trusts, so that `root_certificates` beside it is an error. |
//! | compression | none | The built-in client sends `Accept-Encoding: identity`. An answer that is encoded all the same is refused, and the error names the encoding: a decoder is code that an attacker's bytes run through. |
//! | `Retry-After` | honoured, up to 5 minutes | With 429 and 503: an issuer that is asked too often is not asked more often. Longer would be an outage that others can cause. |
//! | metadata of an issuer | the same limits | Freshness, floor, ceiling, stale limit and length are those of the set. |
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

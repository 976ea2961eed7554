#![cfg_attr(
    not(all(feature = "axum", feature = "cache", feature = "jwks")),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "the chapter names items of these features"
    )
)]
//! Access tokens and your issuer: Auth0, Okta, Entra ID, Cognito, Keycloak, Supabase and others, or your own service.
//!
//! You want an API that accepts the access tokens of your issuer. This is the whole program:
//!
//! ```sh
//! cargo add tower-bearer --features axum,jwks,tracing   # until its release: --path to a copy of this repository
//! cargo add axum tracing-subscriber
//! cargo add serde --features derive                     # for roles
//! cargo add tokio --features macros,rt-multi-thread
//! ```
//!
//! ```no_run
//! use axum::{Router, http::StatusCode, routing::get};
//! use tower_bearer::{BearerAuthLayer, Claims, TokenCodec, jwks::RemoteIssuer, token::TokenType};
//!
//! async fn me(claims: Claims) -> String {
//!     format!("{} may {}", claims.subject(), claims.scope().unwrap_or("do nothing"))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     tracing_subscriber::fmt::init(); // the log says why a token is rejected
//!     let issuer = RemoteIssuer::discover("https://TENANT.eu.auth0.com/")?; // URL
//!     let codec: TokenCodec = issuer
//!         .codec()
//!         .audience("https://api.example") // audience
//!         .token_types([TokenType::AccessToken, TokenType::Jwt]) // lines
//!         .build()?;
//!     let ready = async move || match issuer.health().is_ready() {
//!         true => StatusCode::OK,
//!         false => StatusCode::SERVICE_UNAVAILABLE,
//!     };
//!     let app = Router::new()
//!         .route("/me", get(me))
//!         .route_layer(BearerAuthLayer::new(codec))
//!         .route("/ready", get(ready)); // for the load balancer
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//! ```
//!
//! Replace the marked places by those of your issuer:
//!
//! | issuer | URL, letter for letter | audience | lines |
//! |---|---|---|---|
//! | [Auth0](#auth0) | `https://TENANT.REGION.auth0.com/`, with the last slash | the identifier of your API | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | Auth0, profile RFC 9068 | the same | the same | none |
//! | [Okta](#okta) | `https://ORG.okta.com/oauth2/default` | `api://default`, or the audience of its authorization server | `.token_types([TokenType::AccessToken, TokenType::Absent])` `.scope_claims(["scp"])` |
//! | [Entra ID](#entra-id), v2 tokens | `https://login.microsoftonline.com/TENANT-ID/v2.0` | the client id of your API's registration | `.token_types([TokenType::AccessToken, TokenType::Jwt])` `.scope_claims(["scp"])` |
//! | Entra ID, [v1 tokens](#entra-id) | `RemoteJwks`, see there | `api://CLIENT-ID` | `.token_types([TokenType::AccessToken, TokenType::Jwt])` `.scope_claims(["scp"])` |
//! | [Cognito](#cognito) | `https://cognito-idp.REGION.amazonaws.com/POOL-ID` | the client id of the app | `.token_types([TokenType::AccessToken, TokenType::Absent])` `.audience_claim("client_id")` |
//! | [Firebase](#google-and-firebase) | `https://securetoken.google.com/PROJECT` | `PROJECT` | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | [Google](#google-and-firebase), ID tokens | `https://accounts.google.com` | your OAuth client id | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | [Keycloak](#keycloak) | `https://HOST/realms/REALM` | the audience that your mapper adds | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | [Supabase](#supabase) | `https://REF.supabase.co/auth/v1` | `authenticated` | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | [Zitadel](#zitadel) | `https://INSTANCE.REGION.zitadel.cloud`, or your domain | the id of your project | `.token_types([TokenType::AccessToken, TokenType::Jwt, TokenType::Absent])` |
//! | [Spring Authorization Server](#spring-authorization-server) | the `issuer` of its settings | the client id, unless you customise it | `.token_types([TokenType::AccessToken, TokenType::Absent])` |
//! | [Duende IdentityServer](#duende-identityserver) | its address | the name of the API resource | none |
//! | [ForgeRock](#forgerock) | `https://HOST:443/am/oauth2/realms/root/realms/REALM` | the client id | `.token_types([TokenType::AccessToken, TokenType::Jwt])` |
//! | one that follows RFC 9068, with a supported key | its `issuer` | its `aud` | none |
//!
//! No line weakens a check: the codec always verifies signature, issuer, audience and expiry. The types `JWT` and
//! absent do not name a token's purpose, so [the audience](#id-tokens-are-no-access-tokens) must.
//!
//! # A token is rejected
//!
//! ```sh
//! # in a copy of the repository
//! cargo run -p explain -- --jwks https://TENANT.eu.auth0.com/.well-known/jwks.json \
//!     --issuer https://TENANT.eu.auth0.com/ --audience https://api.example --token-types at+jwt,JWT < token.txt
//! ```
//!
//! `explain` names the usable keys, and the setting that accepts the token. Give it all your lines, such as
//! `--scope-claims scp`. The log of your service has the same reason; the client only sees `invalid_token`.
//!
//! | symptom | cause and cure |
//! |---|---|
//! | `segments`; the token is short or has one part | The token is opaque: only its issuer can read it, by introspection (RFC 7662), which this crate lacks. Get a JWT, see your issuer below. |
//! | `header_parameter`, setting `token_types` | The lines of the table are missing. |
//! | `issuer`, setting `issuer` | A slash, a port or a version differs. Copy `iss` from a token. |
//! | `audience`, setting `audience` | The token is for another API, or for none. |
//! | `key` | The token is of another tenant or environment, or its key is [unusable](#keys-that-cannot-be-used). |
//! | accepted, but [`RequireScopeLayer`](crate::RequireScopeLayer) answers 403 | The scopes are in another claim: add `.scope_claims(["scp"])`. |
//! | 503 | The service has [no keys](#the-issuers-keys) yet. If that lasts a minute, the URL is wrong or cannot be reached: the log names it. |
//!
//! # Roles and scopes
//!
//! Name the claims that you need in a type. A layer on the route then rejects other users with 403:
//!
//! ```
//! use axum::{Router, routing::get};
//! use serde::Deserialize;
//! use tower_bearer::{BearerAuthLayer, Claims, RequireClaimsLayer, RequireScopeLayer, TokenCodec};
//!
//! #[derive(Deserialize)]
//! struct Entra {
//!     #[serde(default)]
//!     roles: Vec<String>,
//! }
//!
//! # fn app(codec: TokenCodec<Entra>) -> Result<Router, Box<dyn std::error::Error>> {
//! // let codec: TokenCodec<Entra> = issuer.codec()...
//! let is_admin = |claims: &Claims<Entra>| claims.custom().roles.iter().any(|role| role == "admin");
//! let readers = RequireScopeLayer::new("orders.read".parse()?);
//! let app: Router = Router::new()
//!     .route("/accounts", get(async || "all accounts").layer(RequireClaimsLayer::new(is_admin)))
//!     .route("/orders", get(async |claims: Claims<Entra>| claims.subject().to_owned()).layer(readers))
//!     .route_layer(BearerAuthLayer::new(codec));
//! # Ok(app)
//! # }
//! # let _ = app;
//! ```
//!
//! # ID tokens are no access tokens
//!
//! Most issuers give both the same keys and the type `JWT`. The audience of an ID token is the client; that of an
//! access token is your API. **Do not take a client's id as audience** where the issuer lets you choose. Otherwise each
//! page that knows a user's ID token can act as that user. Firebase and Google have only ID tokens. With the defaults
//! of Spring and ForgeRock you cannot choose. There, require a claim that only access tokens have [in a
//! rule](#roles-and-scopes). For ForgeRock that is `tokenName`, with the value `access_token`.
//!
//! # Auth0
//!
//! A client that names no `audience` gets an opaque token for `/userinfo`. It must name your API's identifier in the
//! authorization request, or the tenant needs a default audience. `aud` then lists your API and `/userinfo`; one match
//! is enough. Scopes are in `scope`. With RBAC, permissions are in `permissions`, an array. With a custom domain, `iss`
//! is that domain for tokens that were requested there.
//!
//! # Okta
//!
//! Use a *custom* authorization server; each org has one named `default`. The org's own server, with an issuer without
//! `/oauth2/...`, signs access tokens that only Okta can verify. Set the audience at the server; clients do not ask for
//! it. Scopes are in `scp`, an array. Add `groups` and other claims at the server.
//!
//! # Entra ID
//!
//! The *API's* registration decides the version, not the client's endpoint. For v2 tokens, set
//! `requestedAccessTokenVersion` to 2 in its manifest. Otherwise you get v1 tokens, with another issuer, audience and
//! key:
//!
//! ```no_run
//! use tower_bearer::{TokenCodec, jwks::RemoteJwks, token::TokenType};
//!
//! let issuer = RemoteJwks::new("https://login.microsoftonline.com/common/discovery/keys")?;
//! let codec: TokenCodec = TokenCodec::signed(&issuer.keys())
//!     .issuer("https://sts.windows.net/TENANT-ID/") // with the last slash
//!     .audience("api://CLIENT-ID") // the App ID URI
//!     .token_types([TokenType::AccessToken, TokenType::Jwt])
//!     .scope_claims(["scp"])
//!     .build()?;
//! # Ok::<(), tower_bearer::ConfigError>(())
//! ```
//!
//! The client must ask for a scope of your API, such as `api://CLIENT-ID/access`. A client that asks for `User.Read`
//! alone gets a token for Microsoft Graph, which only Graph can verify. Delegated permissions are in `scp`, one text.
//! Application roles are in `roles`, an array. A daemon's token has roles too, and no `scp`. Store accounts by `tid`
//! and `oid`: `sub` differs between applications. The `aud` of v2 tokens is the API's client id, so give the API a
//! registration of its own. Otherwise it accepts the page's ID tokens. `discover` rejects `common` and `organizations`,
//! whose metadata name no issuer. Build a codec for each tenant and version, and [combine them](#several-issuers).
//!
//! # Cognito
//!
//! Access tokens have `client_id` and no `aud`. ID tokens have `aud` and no `client_id`, so the line rejects them. For
//! several apps, repeat `.audience(...)`. Scopes are in `scope`, one text; groups are in `cognito:groups`, an array. A
//! pool that binds tokens to a resource server adds `aud`: omit `.audience_claim` there.
//!
//! # Google and Firebase
//!
//! Google's own access tokens are opaque. Firebase's client SDKs return ID tokens only. They last an hour. Custom
//! claims are at the top level; there are no scopes. The token of a disabled user stays valid until it expires. The
//! token of an *anonymous* user has the same audience, and `anonymous` in `firebase.sign_in_provider`. If your project
//! allows anonymous sign-in, reject it with [`RequireClaimsLayer`](#roles-and-scopes). Older clients get tokens of
//! `accounts.google.com`, without a scheme: add `.also_issuer("accounts.google.com")`.
//!
//! # Keycloak
//!
//! A new realm puts `account` into `aud` for each user with a role of that client. That is not your API. Add a client
//! scope with an *Audience* mapper that names your API. Attach it to the clients that call you. Otherwise `aud` may be
//! missing. Realm roles are in `realm_access.roles`, client roles in `resource_access.CLIENT.roles`, scopes in `scope`.
//! The issuer is the URL that the *browser* used, unless `hostname` is set. Set it to the outer URL. `RemoteIssuer`
//! rejects an inner address, because its metadata name the outer issuer. Inside the cluster, take [the code for Entra
//! ID's v1 tokens](#entra-id) without `scope_claims`, with `https://HOST/realms/REALM` as issuer and your audience.
//! Keys:
//! `RemoteJwks::builder("http://keycloak.svc:8080/realms/REALM/protocol/openid-connect/certs").dangerous_plain_http()
//! .build()?`. Plain http is for a network that encrypts.
//!
//! # Supabase
//!
//! Projects with *signing keys* publish ES256 or RS256. Older projects sign with a JWT secret (HS256), which is in no
//! key set. Each service that has it can sign: give it to none. Migrate to signing keys in the dashboard. Each
//! signed-in user has the audience `authenticated`, so it distinguishes no APIs. An *anonymous* user has it too, and
//! `is_anonymous` is `true`. If your project allows anonymous sign-in, require `false` with
//! [`RequireClaimsLayer`](#roles-and-scopes). `role` is the database role, the same for both. Put your own roles into
//! `app_metadata`; users can write `user_metadata`.
//!
//! # Zitadel
//!
//! Access tokens are opaque by default: set the application's *Auth Token Type* to JWT. `aud` has the project's id and
//! the client ids of its applications. A client of another project asks for the scope
//! `urn:zitadel:iam:org:project:id:PROJECT-ID:aud`. Roles are the member names of the object
//! `urn:zitadel:iam:org:project:roles`.
//!
//! # Spring Authorization Server
//!
//! `scope` is an array, which the codec reads too. `aud` is the client's id. If an `OAuth2TokenCustomizer` sets it to
//! your API's name and the type to `at+jwt`, you need no line.
//!
//! # Duende IdentityServer
//!
//! `scope` is an array, or one text with `EmitScopesAsSpaceDelimitedStringInJwt`; the codec reads both. `aud` has the
//! API *resources* of the requested scopes. Without API resources there is no `aud`, unless `EmitStaticAudienceClaim`
//! adds `ISSUER/resources`. `AccessTokenType` of the client chooses opaque reference tokens. IdentityServer lowers the
//! case of its inferred address.
//!
//! # ForgeRock
//!
//! Access Management, now PingAM. Turn on *Use Client-Based Access & Refresh Tokens*, or access tokens are opaque.
//! Choose a public-key algorithm. `iss` has the port, also `:443`, and the realm's path. `aud` is the client's id,
//! `scope` an array. The codec ignores `"zip":"NONE"`. Only the issuer can read an *encrypted* client-based token.
//!
//! # Several issuers
//!
//! Build one codec for each, and combine them with [`Verifiers`](crate::Verifiers), which has the rules:
//!
//! ```
//! use axum::http::StatusCode;
//! use tower_bearer::{BearerAuthLayer, ConfigError, TokenCodec, Verifiers, jwks::RemoteIssuer};
//!
//! # fn app([auth0, okta]: [RemoteIssuer; 2], [customers, staff]: [TokenCodec; 2]) -> Result<(), ConfigError> {
//! let api = BearerAuthLayer::new(Verifiers::new([customers, staff])?);
//! // Name `okta` alone if the service may start without Auth0.
//! let ready = async move || match [&auth0, &okta].iter().all(|issuer| issuer.health().is_ready()) {
//!     true => StatusCode::OK,
//!     false => StatusCode::SERVICE_UNAVAILABLE,
//! };
//! # let _ = (api, ready);
//! # Ok(())
//! # }
//! ```
//!
//! * A handler reads the issuer from [`Claims::issuer`](crate::Claims::issuer). A subject is unique only within its
//!   issuer, so store accounts by both.
//! * If an issuer has two names, add [`also_issuer`](crate::token::TokenCodecBuilder::also_issuer) to its codec.
//! * To accept your own sessions too, write `Verifiers::new([auth.codec().clone(), partners])`.
//!
//! # The issuer's keys
//!
//! [`RemoteIssuer`](crate::jwks::RemoteIssuer) finds the issuer's JWK Set by OpenID Connect Discovery 1.0 section 4,
//! then by RFC 8414 section 3.1. [`RemoteJwks`](crate::jwks::RemoteJwks) takes the URL of the set, for an issuer
//! without metadata. A background task keeps the set current; no request waits for it.
//! [`RemoteJwksBuilder`](crate::jwks::RemoteJwksBuilder) has every limit.
//!
//! | situation | answer | next |
//! |---|---|---|
//! | the set has the key | as usual | also while the issuer does not respond |
//! | no set yet, one past its stale limit, or one without keys | 503 with `Retry-After` | `/ready` reports it to the load balancer |
//! | unknown `kid`, or a wrong signature | 401 | one new fetch, at most every 10 s ([`cool_down`](crate::jwks::RemoteJwksBuilder::cool_down)) |
//! | unknown `kid` after a failed fetch | 401 | the pause after the failure continues |
//! | `alg` of a shared secret, or an `alg` that the codec does not accept | 401 | no fetch |
//!
//! * **The issuer does not respond.** The last good set stays in use for the
//!   [`stale_limit`](crate::jwks::RemoteJwksBuilder::stale_limit), 1 hour by default. The task retries at intervals of
//!   1 second to 1 minute, and obeys `Retry-After` for up to 5 minutes. The service starts without it.
//! * **The issuer's key was stolen.** The service rejects it at the first fetch after the issuer removes it: within an
//!   hour. [`refresh`](crate::jwks::RemoteJwks::refresh) fetches at once.
//! * **The issuer must publish a key before it signs with it.** Otherwise the first clients get a 401, until the next
//!   fetch.
//! * **A company proxy.** The built-in client reads no `HTTP_PROXY`. Copy the client of [`Fetch`](crate::jwks::Fetch),
//!   after `cargo add bytes http reqwest`.
//!
//! # Keys that cannot be used
//!
//! The service judges each key alone (RFC 7517 section 5). One bad key does not affect the others:
//!
//! | key | condition | effect |
//! |---|---|---|
//! | passed over | Type, curve, algorithm or purpose is another, it is too weak, or a member is malformed. | [`Event::KeysPassedOver`](crate::Event::KeysPassedOver) |
//! | compromised | The set publishes a private or shared key. | Rejected until the process restarts: [`Event::KeysCompromised`](crate::Event::KeysCompromised), an attacker can sign with it |
//!
//! [`JwksHealth::key_reports`](crate::jwks::JwksHealth::key_reports) lists every key. An RSA key without `alg` is for
//! RS256, unless [`algorithms`](crate::token::TokenCodecBuilder::algorithms) or the metadata name one other.
//!
//! # Tokens that you issue
//!
//! Give each API its own audience. Without an audience, a token for one service is accepted by another:
//!
//! ```
//! use tower_bearer::{KeyRing, NoClaims, TokenCodec};
//!
//! let keys = KeyRing::generate()?;
//! let codec = || TokenCodec::<NoClaims>::nested(&keys).issuer("https://id.example");
//! let orders = codec().audience("orders").build()?;
//! let billing = codec().audience("billing").build()?;
//! let either = codec().audience("orders").audience("billing").build()?; // mints the first, accepts both
//!
//! let token = billing.mint("user-1", &NoClaims {})?;
//! assert!(orders.verify(token.as_str()).is_err());
//! assert!(either.verify(token.as_str()).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A client of both APIs gets two tokens. Give each API a [`RefreshCookieLayer`](crate::RefreshCookieLayer) with its
//! own path. Or mint the second token in a handler that has verified the first. Tokens follow RFC 9068 except for
//! `client_id`. A service with OAuth clients adds `client_id` to its claims type.
//!
//! # A second service that verifies
//!
//! Sign with a public key, so that the second service cannot mint:
//!
//! ```
//! use tower_bearer::{KeyRing, NoClaims, TokenCodec};
//!
//! # // The key of RFC 8037 appendix A.
//! # let private_jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"ed-1","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
//! // The service that issues. It publishes the set at /.well-known/jwks.json, or as a file.
//! let keys = KeyRing::builder().jwk(private_jwk).build()?;
//! let issuing: TokenCodec = TokenCodec::signed(&keys).issuer("https://id.example").audience("orders").build()?;
//! let published = keys.jwks();
//!
//! // The service that verifies.
//! let ring = KeyRing::verifier(&published)?; // or `RemoteJwks`, with the URL
//! let verifying: TokenCodec = TokenCodec::signed(&ring).issuer("https://id.example").audience("orders").build()?;
//! let token = issuing.mint("user-1", &NoClaims {})?;
//! assert_eq!(verifying.verify(token.as_str())?.subject(), "user-1");
//! assert!(!verifying.can_mint());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `cargo run -p microservice` runs both. To call it for a user, see
//! [native](super::native#calling-the-next-service-for-the-user). If you trust the second service fully, share
//! `ACCESS_SECRET` and `ENCRYPTION_KEY` instead. It can then mint, but without `REFRESH_SECRET` it cannot touch
//! sessions. If both services sign users in, they share keys, issuer, host name, and the store with its prefix.
//!
//! # Clients that discover their issuer: MCP
//!
//! A client of the Model Context Protocol knows only the server's URL. The module [`resource`](crate::resource) has the
//! lines (RFC 9728), and `examples/mcp` is a whole server.
//!
//! # Tokens of ended sessions
//!
//! An issued access token stays valid until it expires, 15 minutes by default. To reject it earlier, remember the ended
//! sessions and check each token against them:
//!
//! ```
//! use std::{collections::HashSet, sync::{Arc, PoisonError, RwLock}};
//! use tower_bearer::{BearerAuthLayer, Event, EventSink, TokenCodec, TokenContext, bearer::CheckError};
//!
//! #[derive(Clone, Default)]
//! struct Ended(Arc<RwLock<HashSet<String>>>);
//!
//! impl Ended {
//!     /// For `AuthBuilder::events`, or `RefreshCookieBuilder::events`.
//!     fn sink(&self) -> EventSink {
//!         let ended = self.0.clone();
//!         EventSink::new(move |event: &Event<'_>| {
//!             if let Event::Revoked { session, .. } = event {
//!                 ended.write().unwrap_or_else(PoisonError::into_inner).insert(session.to_string());
//!             }
//!         })
//!     }
//!
//!     /// For the API.
//!     fn layer(&self, codec: TokenCodec) -> BearerAuthLayer {
//!         let ended = self.0.clone();
//!         BearerAuthLayer::new(codec).check(move |token: &TokenContext| {
//!             let ended = ended.read().unwrap_or_else(PoisonError::into_inner);
//!             match token.session() {
//!                 Some(session) if ended.contains(session) => Err(CheckError::Revoked),
//!                 _ => Ok(()),
//!             }
//!         })
//!     }
//! }
//! # let _ = (Ended::sink, Ended::layer);
//! ```
//!
//! Only this process knows the set, until it restarts. Send the events to your other processes, for example over a
//! Redis channel. Remove entries after lifetime plus leeway. The check must not block. A theft emits `Revoked` too.
//! `SessionAdmin::end_everything` does not: replace the signing key. [`Revoked`](crate::Event::Revoked) has other gaps.
//!
//! # Remember verified tokens
//!
//! A [`TokenCache`](crate::TokenCache) (feature `cache`) helps with public keys, if tokens return. A remembered EdDSA
//! token takes 0.7 µs instead of 49 to 64 µs. With a shared secret a look-up costs as much as a verification, so leave
//! the cache off. It keeps the claims of signed-in users in memory. 16 MiB hold 50 000 tokens with usual claims.
//!
//! # A flood of forged tokens
//!
//! A forged signature costs as much as a genuine one. With ES256, 6 500 requests a second keep one core busy; with
//! RSA-OAEP-256 and 4096 bits, 240 do. The layer has no limit by client. In the proxy, limit requests by address and
//! the size of headers. `ConcurrencyLimitLayer` and `LoadShedLayer` of [`tower`](https://docs.rs/tower) go outside of
//! the bearer layer. The codec checks [`max_token_bytes`](crate::token::TokenCodecBuilder::max_token_bytes) first. With
//! a *shared* key, the nested profile rejects a forged token at a fiftieth of the cost.

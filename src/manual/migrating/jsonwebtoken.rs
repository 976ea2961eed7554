//! From the crate `jsonwebtoken` in an axum middleware.
//!
//! # Before
//!
//! ```text
//! use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Claims {
//!     sub: String,
//!     exp: u64,
//!     role: String,
//! }
//!
//! async fn auth(State(state): State<App>, mut request: Request, next: Next) -> Result<Response, StatusCode> {
//!     let token = request
//!         .headers()
//!         .get("authorization")
//!         .and_then(|value| value.to_str().ok())
//!         .and_then(|value| value.strip_prefix("Bearer "))
//!         .ok_or(StatusCode::UNAUTHORIZED)?;
//!     let key = DecodingKey::from_secret(state.secret.as_bytes());
//!     let data = decode::<Claims>(token, &key, &Validation::default()).map_err(|_| StatusCode::UNAUTHORIZED)?;
//!     request.extensions_mut().insert(data.claims);
//!     Ok(next.run(request).await)
//! }
//!
//! async fn me(Extension(claims): Extension<Claims>) -> String {
//!     format!("{} is {}", claims.sub, claims.role)
//! }
//!
//! let api = Router::new().route("/me", get(me)).layer(from_fn_with_state(state.clone(), auth));
//! ```
//!
//! # After, step 1: another verifier for the same tokens
//!
//! Accept wide, mint narrow. The codec below takes every token that is out (`typ` `JWT`, no issuer, no
//! audience) and mints better ones, under the same secret. Deploying it signs nobody out.
//!
//! ```
//! use axum::{Router, routing::get};
//! use serde::{Deserialize, Serialize};
//! use tower_bearer::{BearerAuthLayer, Claims, KeyRing, TokenCodec, token::TokenType};
//!
//! // `sub` and `exp` are the codec's.
//! #[derive(Serialize, Deserialize)]
//! struct Role {
//!     role: String,
//! }
//!
//! async fn me(claims: Claims<Role>) -> String {
//!     format!("{} is {}", claims.subject(), claims.custom().role)
//! }
//!
//! # fn secret() -> String { "f3c1a94be2d7460985bb1c3de07aa2f64d5e9c18".into() }
//! let keys = KeyRing::builder().access_secret(secret().as_bytes()).build()?;
//! let codec: TokenCodec<Role> = TokenCodec::signed(&keys)
//!     .issuer("https://id.example")   // what is minted from now on ...
//!     .audience("api")
//!     .dangerous_any_issuer()         // ... and, until the old tokens have expired, not yet asked for
//!     .dangerous_any_audience()
//!     .token_types([TokenType::AccessToken, TokenType::Jwt])
//!     .build()?;
//! let api: Router = Router::new().route("/me", get(me)).layer(BearerAuthLayer::new(codec.clone()));
//! # let _ = api;
//!
//! // Header::default(), a `sub`, an `exp` and a role, under the same secret: as it was before.
//! let old = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9\
//!     .eyJzdWIiOiI0MiIsImV4cCI6MTgwMDAwMDkwMCwicm9sZSI6ImVkaXRvciJ9\
//!     ._RrgHGn9gbBcAbYTpaw7OJ8zKO-33jQm_MTlkQQMEFk";
//! # use tower_bearer::Timestamp;
//! let now = Timestamp::from_secs(1_800_000_000);
//! assert_eq!(codec.verify_at(old, now)?.custom().role, "editor");
//! let new = codec.mint("42", &Role { role: "editor".into() })?;
//! assert_eq!(codec.verify(new.as_str())?.issuer(), Some("https://id.example"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where the tokens are minted by another service that stays on `jsonwebtoken`, say
//! [`token_types([TokenType::Jwt])`](crate::token::TokenCodecBuilder::token_types) and its issuer and audience, and stop here.
//!
//! # Step 2: narrow
//!
//! One lifetime of an old token later, remove the two calls that begin with `dangerous_`, and `token_types`. From then on a token
//! for another audience, or an id token under the same key, is no access token.
//!
//! # Step 3: sessions
//!
//! If the tokens lived for days because there was no refresh token, they can now live for minutes: add
//! [`RefreshCookieLayer`](crate::RefreshCookieLayer) around `/auth` as on the [front page](crate), with this codec
//! and a ring that has a [`refresh_secret`](crate::keys::KeyRingBuilder::refresh_secret) too. Let the sign-in handler
//! call [`Session::start`](crate::Session::start) in place of `encode`. An exchange for who holds an old token:
//!
//! ```
//! use axum::{Json, Router, routing::post};
//! use tower_bearer::{AccessToken, BearerAuthLayer, Claims, NewSession, Session, SessionError, TokenCodec};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Serialize, Deserialize)]
//! # struct Role {}
//!
//! async fn exchange(session: Session, old: Claims<Role>) -> Result<Json<AccessToken>, SessionError> {
//!     Ok(Json(session.start_with(NewSession::new(old.subject()).context(*b"exchanged")).await?))
//! }
//!
//! /// Goes below `/auth`, inside of the session layer and the guards.
//! fn routes(codec: TokenCodec<Role>) -> Router {
//!     Router::new().route("/exchange", post(exchange)).route_layer(BearerAuthLayer::new(codec))
//! }
//! # let _ = routes;
//! ```
//!
//! Read [what it is worth to a thief](super#what-an-exchange-is-worth-to-a-thief) first. An access token can be
//! exchanged more than once.
//!
//! # What became of what
//!
//! | `jsonwebtoken` | here |
//! |---|---|
//! | `EncodingKey`, `DecodingKey::from_secret(bytes)` | [`KeyRingBuilder::access_secret`](crate::keys::KeyRingBuilder::access_secret), 32 bytes at least |
//! | `from_base64_secret(text)` | the decoded bytes; [`KeyRing::from_env`](crate::KeyRing::from_env) decodes by itself |
//! | `from_rsa_pem`, `from_ec_pem`, `from_ed_pem` | [`KeyRingBuilder::pem`](crate::keys::KeyRingBuilder::pem), for one algorithm |
//! | `DecodingKey::from_jwk`, `JwkSet` | [`KeyRingBuilder::jwk`](crate::keys::KeyRingBuilder::jwk), [`KeyRing::verifier`](crate::KeyRing::verifier) |
//! | `Header { kid, .. }`, `decode_header` to choose a key | not needed: keys of a ring are found by `kid`, each with its one algorithm |
//! | `Validation::new(Algorithm::HS256)` | the key's own; [`algorithms`](crate::token::TokenCodecBuilder::algorithms) narrows it |
//! | `validation.leeway = 60` | [`leeway`](crate::token::TokenCodecBuilder::leeway), 60 s by default as well |
//! | `set_issuer`, `set_audience` | [`issuer`](crate::token::TokenCodecBuilder::issuer), [`audience`](crate::token::TokenCodecBuilder::audience), required |
//! | `validate_nbf`, off by default | always checked, where there is an `nbf` |
//! | `required_spec_claims` | `exp` always, `sub` unless [`subject_optional`](crate::token::TokenCodecBuilder::subject_optional) |
//! | claims type with `sub` and `exp` | the registered claims are methods of [`Claims`](crate::Claims); your type has the rest, and [minting refuses](crate::TokenCodec::mint_at) one that has both |
//! | `Extension<Claims>` | extractor [`Claims<C>`](crate::Claims); `Option<Claims<C>>` behind an `optional` layer |
//! | `ErrorKind::ExpiredSignature` and others | [`TokenErrorKind`](crate::TokenErrorKind), in the event and in the response's extensions |
//! | 401 without a challenge | 401 with `WWW-Authenticate`, 400 for what is no bearer token, `Cache-Control: no-store` |
//! | `strip_prefix("Bearer ")` | the scheme in any case, as RFC 9110 section 11.1 has it |
//!
//! # What changes for users
//!
//! Nothing in steps 1 and 2. In step 3 one sign-in for who comes after the exchange has closed.

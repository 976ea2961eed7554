//! The long-form documentation.
//!
//! To understand it:
//!
//! * [`threats`]: what the crate protects against, and what it does not.
//! * [`rotation`]: how every refresh token is answered, why, how sure that is, and what it leaves open.
//! * [`defaults`]: every default with its reason.
//!
//! To build with it:
//!
//! * [`how_to`]: sign in, "remember me", roles, several issuers, MCP, ending sessions, without axum (hyper, tonic and
//!   gRPC), native clients, server-side rendering.
//! * [`recipes`]: one situation each, from another path to two services with one sign-in.
//! * [`step_up`]: the password or the second factor again, before what is dangerous.
//! * [`guards`]: origins, CSRF tokens, response headers, https, and the order of all layers.
//! * [`rendered_pages`]: an application whose pages the server renders, with a sign-in and a sign-out by form.
//! * [`browsers`]: the npm package for pages, React, Vue, servers that render, and the shapes of RFC 10017.
//! * [`deployments`]: what nginx, Vite, a load balancer, Tauri, an extension and others send, and the lines to write.
//! * [`form_post`]: callbacks of a provider that come by POST.
//! * [`htmx_turbo`]: rendered pages whose requests a library sends.
//! * [`connections`]: proxies, WebSockets, event streams, answers of your own.
//! * [`forward_auth`]: a proxy that asks this service whether a request may pass.
//! * [`testing`]: a kit for tests of handlers and of the whole, with a clock that they move.
//! * [`stores`]: writing a store of your own, and the tables of the stores in SQL.
//! * [`migrating`]: moving a service that has users already.
//!
//! To run it:
//!
//! * [`runbooks`]: before the first user, what to watch, what to do at night.
//! * [`observability`]: events, lines and spans of `tracing`, metrics, and alerts.
//! * [`keys`]: what there is, how to replace them, and what to do when one has leaked.
//! * [`remote_keys`]: verifying what an issuer elsewhere signs, by its JWK Set.
//! * [`issuers`]: Auth0, Okta, Entra ID, Cognito, Keycloak and others: the lines to write.
//! * [`operations`]: Redis or Valkey: sizing, settings, failures, upgrades; processes that fork. For PostgreSQL and
//!   SQLite [`tower-bearer-sqlx`](https://docs.rs/tower-bearer-sqlx) has that.
//! * [`performance`]: where the time goes, which profile to choose, sizing, the cache of verified tokens.

pub mod browsers;
pub mod connections;
pub mod defaults;
pub mod deployments;
pub mod form_post;
pub mod forward_auth;
pub mod guards;
pub mod how_to;
pub mod htmx_turbo;
pub mod issuers;
pub mod keys;
pub mod migrating;
pub mod observability;
pub mod operations;
pub mod performance;
pub mod recipes;
pub mod remote_keys;
pub mod rendered_pages;
pub mod rotation;
pub mod runbooks;
pub mod step_up;
pub mod stores;
pub mod testing;
pub mod threats;

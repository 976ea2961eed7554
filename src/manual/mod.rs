//! The long-form documentation.
//!
//! * [`threats`]: what the crate protects against, and what it does not.
//! * [`defaults`]: every default with its reason.
//! * [`rotation`]: what every refresh token is answered with, and why.
//! * [`guards`]: origins, CSRF tokens, response headers, https, and the order of all layers.
//! * [`how_to`]: sign in, roles, revocation, key rotation, proxies and server-side rendering.
//! * [`operations`]: running it with Redis or Valkey: sizing, settings, failures, upgrades.
//! * [`performance`]: where the time goes, which profile to choose, sizing, the cache of verified tokens.
//! * [`remote_keys`]: verifying what an issuer elsewhere signs, by its JWK Set.
//! * [`stores`]: writing a store of your own.
//! * [`architecture`]: how the crate is built, and why.

pub mod architecture;
pub mod defaults;
pub mod guards;
pub mod how_to;
pub mod operations;
pub mod performance;
pub mod remote_keys;
pub mod rotation;
pub mod stores;
pub mod threats;

//! Tokens with as many claims as wanted.

use base64_simd::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tower_bearer::{TokenCodec, token::Grant};

use super::profile::Profile;
use super::{keys, sessions::NOW};

/// The length of the shortest claims here.
const LEAST: usize = 96;
/// The length of a role, with quotes and comma.
const ROLE: usize = 19;

/// Roles: they make real tokens large.
#[derive(Serialize, Deserialize)]
pub struct Roles {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
}

/// With short names, so that there is room for the shortest claims.
pub fn codec(profile: Profile) -> TokenCodec<Roles> {
    let builder = profile.codec(&keys::shared()).issuer("i").audience("a");
    let builder = builder.max_token_bytes(16 * 1024);
    builder.build().unwrap()
}

/// A token with `size` bytes of claims: as many roles as fit, and what is left in the subject.
pub fn minted(codec: &TokenCodec<Roles>, size: usize) -> String {
    let more = size - LEAST;
    let count = more.saturating_sub(r#","roles":[]"#.len()) / ROLE;
    let roles: Vec<_> = (0..count).map(|n| format!("projects:{n:07}")).collect();
    let used = if count == 0 { 0 } else { 10 + count * ROLE };
    let token = codec.mint_at(
        &Grant::new(&"u".repeat(1 + more - used), &Roles { roles }),
        NOW,
    );
    token.unwrap().as_str().to_owned()
}

/// The bytes of claims in a signed token.
pub fn payload(token: &str) -> usize {
    let payload = token.split('.').nth(1).unwrap();
    URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap().len()
}

//! The content of every token, and the demands of every case on it.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

pub const ISSUER: &str = "https://id.example";
pub const AUDIENCE: &str = "https://api.example";
pub const SUBJECT: &str = "5f0c2f4e9b3a4d7c";
pub const SESSION: &str = "Zk3J8qLxR2uV0wYt5aBcDg";
pub const SCOPE: &str = "read write";
pub const ROLE: &str = "editor";
/// How far clocks may differ, in seconds.
pub const LEEWAY: u64 = 60;
/// How long tokens are good for, in seconds: longer than this program runs.
pub const LIFETIME: u64 = 3600;

/// The application's own claims.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Custom {
    pub scope: String,
    pub role: String,
}

impl Custom {
    pub fn usual() -> Self {
        Self {
            scope: SCOPE.to_owned(),
            role: ROLE.to_owned(),
        }
    }

    pub fn check(&self) -> Result<(), String> {
        equal("scope", &self.scope, SCOPE)?;
        equal("role", &self.role, ROLE)
    }
}

/// All claims in one owned struct, as users of the other libraries write it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Owned {
    pub iss: String,
    pub sub: String,
    pub aud: String,
    pub exp: u64,
    pub iat: u64,
    pub jti: String,
    pub sid: String,
    pub scope: String,
    pub role: String,
}

impl Owned {
    pub fn check(&self) -> Result<(), String> {
        equal("sub", &self.sub, SUBJECT)?;
        equal("sid", &self.sid, SESSION)
    }
}

/// Checks that a case gave the claim that was minted.
pub fn equal(name: &str, found: &str, expected: &str) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{name} is {found:?} instead of {expected:?}"))
}

/// Returns the seconds since the epoch. Every case reads the system's clock once a call, as it would in production.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

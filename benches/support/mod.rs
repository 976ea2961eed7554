//! Code that more than one bench needs.

pub mod browser;
pub mod claims;
pub mod keys;
pub mod memory;
#[path = "../../tests/common/profile.rs"]
pub mod profile;
pub mod refreshing;
pub mod run;
pub mod services;
pub mod sessions;
pub mod tokens;

//! What more than one bench needs.

pub mod browser;
pub mod claims;
pub mod keys;
pub mod memory;
pub mod refreshing;
pub mod run;
pub mod services;
pub mod sessions;
pub mod settings;
pub mod tokens;

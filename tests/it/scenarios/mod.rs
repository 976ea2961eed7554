//! The scenarios that the refresh protocol must hold, each a named test through the public layer.

mod bounds;
mod concurrency;
mod faults;
mod handle;
mod keys_and_cookies;
mod lifetimes;
mod paths;
mod race;
mod second_tab;
mod theft;
mod transport;

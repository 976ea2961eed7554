//! The scenarios that the refresh protocol must hold, each a named test through the public layer.

mod bounds;
mod claims_timeout;
mod concurrency;
mod endings;
mod faults;
mod handle;
mod jar;
mod keys_and_cookies;
mod lifetimes;
mod no_clock;
mod one_sign_in;
mod paths;
mod peek;
mod race;
mod second_tab;
mod several_cookies;
mod store_calls;
mod theft;
mod transport;
mod windows;

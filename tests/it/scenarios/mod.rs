//! The scenarios that the refresh protocol must hold, each a named test through the public layer.

mod bounds;
mod claims_timeout;
mod claims_under_way;
mod concurrency;
mod conflicts;
mod endings;
mod ends_that_hold;
mod faults;
mod handle;
mod idle;
mod jar;
mod keys_and_cookies;
mod lifetimes;
mod no_clock;
mod no_timers;
mod one_sign_in;
mod paths;
mod peek;
mod race;
mod recent_auth;
mod retries;
mod second_tab;
mod session_limit;
mod several_cookies;
mod store_calls;
mod theft;
mod transport;
mod windows;

pub use ends_that_hold::{ONE, TWO, ring};

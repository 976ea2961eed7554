//! The cost of the layers for a request, around services that do nothing.
//!
//! Every figure contains the clone of the request, which `bare` shows.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up has nothing to measure"
)]

mod bearer;
mod csrf;
mod origin;
mod refresh;
#[path = "../settings.rs"]
mod settings;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each bench uses a part of it")]
mod support;

use criterion::{criterion_group, criterion_main};

criterion_group! {
    name = benches;
    config = settings::criterion();
    targets =
        bearer::layer, origin::check, origin::layer, csrf::verify, refresh::whole, refresh::report
}
criterion_main!(benches);

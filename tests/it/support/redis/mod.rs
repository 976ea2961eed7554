//! Redis as deployments run it, for tests that do not trust a mock. Real `redis-server` processes run on loopback:
//! alone, replicated under Sentinel, or as a cluster, with their faults.
//!
//! A machine without `redis-server` fails the tests that need it and is told how to get it; nothing is skipped. A
//! process ends with the value that stands for it. If the test process dies before that, it ends with the process.
//! Waits are bounded, and one that ran out of time says its last observation. They need the runtime's clock to run: in
//! a test that pauses it they run out at once.
//!
//! A bench includes this module by path, so nothing here names `crate`.
#![allow(
    dead_code,
    reason = "tests and benches share this and each uses a part of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as the tests do"
)]

mod clock;
mod cluster;
mod migration;
mod port;
mod process;
mod proxy;
mod replicated;
mod scratch;
mod server;
mod tls;
mod wait;

#[allow(unused_imports, reason = "as above")]
pub(crate) use self::{
    clock::ServerClock,
    cluster::Cluster,
    migration::Migration,
    port::Port,
    proxy::{Armed, Chaos, Loss, Proxy, Which},
    replicated::Replicated,
    server::Server,
    tls::TlsServer,
    wait::until,
};

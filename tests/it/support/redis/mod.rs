//! Redis as deployments run it, for tests that do not believe a mock: real `redis-server`
//! processes on loopback, alone, replicated under Sentinel, or as a cluster, with their faults.
//!
//! A machine without `redis-server` fails the tests that need it and is told how to get it; nothing
//! is skipped. What was started ends with the value that stands for it, and, should the test
//! process die before that, with the process. Waits are bounded, and what ran out of time says what
//! it saw last. They need the runtime's clock to run: in a test that pauses it they run out at once.
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

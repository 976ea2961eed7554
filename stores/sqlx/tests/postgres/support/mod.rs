//! PostgreSQL as deployments run it, for tests that do not trust a mock. Real servers run on loopback: alone,
//! replicated or behind pgbouncer, with their faults.
//!
//! A machine without them fails the tests and is told how to get them; nothing is skipped. A server ends with the value
//! that stands for it. If the test process dies before that, it ends with the process.
#![allow(dead_code, reason = "each of the tests uses a part of it")]

pub(crate) mod clock;
mod pooler;
mod process;
mod proxy;
mod scratch;
mod server;

#[path = "../../../../../tests/it/support/redis/port.rs"]
mod port;
#[path = "../../../../../tests/it/support/redis/wait.rs"]
mod wait;

#[path = "../../../../../tests/it/support/faults.rs"]
pub(crate) mod faults;
#[path = "../../../../../tests/it/support/world.rs"]
pub(crate) mod world;

pub(crate) use self::{
    clock::ServerClock,
    pooler::Pooler,
    proxy::{Chaos, Loss, Proxy},
    server::{Database, Server},
    wait::until,
};

//! Code that the integration tests share.
#![allow(dead_code, reason = "each of the test programs uses a part of it")]

#[path = "../it/support/faults.rs"]
pub(crate) mod faults;
#[path = "../it/support/redis/mod.rs"]
pub(crate) mod redis;
#[path = "../it/support/world.rs"]
pub(crate) mod world;

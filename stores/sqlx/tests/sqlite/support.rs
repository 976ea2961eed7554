//! Shared with the crate's own tests.
#![allow(dead_code, reason = "each of the test programs uses a part of it")]

#[path = "../../../../tests/it/support/faults.rs"]
pub(crate) mod faults;
#[path = "../../../../tests/it/support/world.rs"]
pub(crate) mod world;

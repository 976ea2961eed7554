//! One test for each row of the table, its borders, and what holds for every input.

mod any;
mod edges;
mod privilege;
mod rows_from_10;
mod rows_to_9;

use std::time::Duration;

use super::*;
use crate::session::{SessionState, fixture::World};

/// The default grace and interval in milliseconds.
const G: u64 = 30_000;
const M: u64 = 60_000;

fn default() -> SessionPolicy {
    SessionPolicy::default()
}

fn is_revoked_for_reuse(record: &SessionRecord) -> bool {
    record.state == SessionState::Revoked(RevokeReason::Reuse)
}

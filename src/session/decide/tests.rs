//! One test for each row of the table, its borders, and what holds for every input.

mod activity;
mod any;
mod bodies;
mod edges;
mod ended;
mod fingerprints;
mod jar;
mod newcomers;
mod privilege;
mod rows_from_10;
mod rows_to_9;

use std::time::Duration;

use super::*;
use crate::session::{
    ClientFingerprint, JarProof, SessionState,
    fixture::{STRANGER, World},
};

/// The default grace and interval in milliseconds.
const G: u64 = 30_000;
const M: u64 = 60_000;
/// A third client.
const OTHER: ClientFingerprint = ClientFingerprint::from_bytes(*b"another.");

fn default() -> SessionPolicy {
    SessionPolicy::default()
}

fn is_revoked_for_reuse(record: &SessionRecord) -> bool {
    record.state == SessionState::Revoked(RevokeReason::Reuse)
}

/// The row that matched, what it says, and whether the client confirms before it gets an access token.
fn told(decision: &Decision) -> (&'static str, Outcome, bool) {
    (decision.row.as_str(), decision.outcome, decision.confirm)
}

/// Nothing is written, nothing is handed out.
fn is_mere_refusal(decision: &Decision) -> bool {
    decision.next.is_none() && decision.successor.is_none() && !decision.confirm
}

/// A session whose current token was handed to [`STRANGER`], which it does not know. Returns the world, the token that
/// was replaced and the current one, which has not come back.
fn with_newcomer() -> (World, RefreshToken, RefreshToken) {
    let (mut world, _, current) = World::rotated();
    world.wait_ms(M);
    let decision = world.take_from(&current, STRANGER);
    assert_eq!(told(&decision), ("6b", Outcome::Rotated, true));
    (world, current, decision.successor.unwrap())
}

//! Rules that differ from the crate's own in one word, as a careless change of it would.

use super::rule::{Question, ours};
use crate::session::{
    outcome::{Decision, Outcome, Row},
    record::SessionRecord,
};

/// A replay moves the window, also once the successor has come back.
pub(super) fn seen_replays_move_the_window(question: &Question<'_>) -> Decision {
    let mut decision = ours(question);
    if decision.row == Row::ReplayedSeen {
        let noted = decision.next.unwrap_or_else(|| question.record.clone());
        decision.next = Some(SessionRecord {
            handed_out_at: question.now,
            ..noted
        });
    }
    decision
}

/// The window is counted from the hand-out alone.
pub(super) fn presentations_open_no_window(question: &Question<'_>) -> Decision {
    let grace = question.policy.rotation.grace;
    let seen = question.record.presented_at;
    let record = SessionRecord {
        presented_at: seen.map(|at| at - grace * 2),
        ..question.record.clone()
    };
    let mut decision = ours(&Question {
        record: &record,
        ..*question
    });
    if let Some(next) = &mut decision.next
        && next.presented_at == record.presented_at
    {
        next.presented_at = seen;
    }
    decision
}

/// The client that brings a lost write holds the session, known or not.
pub(super) fn newcomers_hold_what_is_adopted(question: &Question<'_>) -> Decision {
    let mut decision = ours(question);
    if let Some(next) = decision
        .next
        .as_mut()
        .filter(|_| decision.row == Row::Adopted)
    {
        next.fingerprints = next.fingerprints.held_by(question.presenter.fingerprint);
    }
    decision
}

/// A client that is not known brings a lost write, and the session does not note it.
pub(super) fn newcomers_are_adopted_unnoted(question: &Question<'_>) -> Decision {
    let mut decision = ours(question);
    if let Some(next) = decision
        .next
        .as_mut()
        .filter(|_| decision.row == Row::Adopted)
    {
        next.fingerprints = question.record.fingerprints_for(&question.presenter);
    }
    decision
}

/// The barrier of a change of privilege stays before the tokens that follow.
pub(super) fn barriers_are_kept(question: &Question<'_>) -> Decision {
    let mut decision = ours(question);
    if let Some(next) = decision
        .next
        .as_mut()
        .filter(|_| decision.outcome == Outcome::Rotated)
    {
        next.barrier = question.record.barrier;
    }
    decision
}

/// A rotation leads to the token of a change of privilege: both are derived in one way.
pub(super) fn changes_are_derived_as_rotations(question: &Question<'_>) -> Decision {
    let mut decision = ours(question);
    let same = question.token.elevated(question.record, question.keys);
    if let Some(next) = decision
        .next
        .as_mut()
        .filter(|_| decision.outcome == Outcome::Rotated)
        && let Some(same) = same
    {
        next.current = same.hash();
        decision.successor = Some(same);
    }
    decision
}

//! Promises that each question of a world keeps or breaks by itself, with whatever came before.

use super::ledger::{Ask, Ledger};
use crate::session::outcome::Outcome;

/// How often each was broken.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Broken {
    /// Newcomers that brought a lost write, and hold the session now, or were not noted.
    pub(super) adopted: usize,
    /// Tokens that were answered as replaced ones longer than `G` after their successor had come back.
    pub(super) lingering: usize,
    /// Tokens that a refresh hands out, and a change of privilege too.
    pub(super) shared: usize,
}

impl Broken {
    pub(super) fn of(ledger: &Ledger) -> Self {
        let (mut adopted, mut lingering) = (0, 0);
        ledger.questions(|question, decision| {
            let grace = question.policy.rotation.grace;
            let seen = question.record.presented_at;
            let late = seen.is_some_and(|at| question.now.since(at) > grace);
            lingering += usize::from(late && decision.outcome == Outcome::Replayed);
            let own = question.presenter.fingerprint;
            let met = question.record.fingerprints_for(&question.presenter);
            if let Some(next) = &decision.next
                && decision.outcome == Outcome::Adopted
                && !question.policy.owns(&met, own)
            {
                let is_noted = next.fingerprints.has_met(own);
                adopted += usize::from(!is_noted || next.fingerprints.holder() == own);
            }
        });
        let changed = ledger.handed_out(Ask::StepUp);
        let shared = ledger
            .handed_out(Ask::Refresh)
            .intersection(&changed)
            .count();
        Self {
            adopted,
            lingering,
            shared,
        }
    }
}

//! Whether the server answers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A server is away when a call was not answered and no other one was meanwhile. Of many calls on a bad network, one
/// lost call says nothing of the server.
#[derive(Debug, Default)]
pub(super) struct Contact {
    answers: AtomicU64,
    is_away: AtomicBool,
}

impl Contact {
    /// Returns how many calls were answered so far.
    pub(super) fn answers(&self) -> u64 {
        self.answers.load(Ordering::Acquire)
    }

    /// Notes that a call was answered, and returns whether the server had been away.
    pub(super) fn answered(&self) -> bool {
        self.answers.fetch_add(1, Ordering::AcqRel);
        self.is_away.swap(false, Ordering::AcqRel)
    }

    /// Notes that a call was not answered that began after so many answers. Returns whether the server is away from now
    /// on.
    pub(super) fn missed(&self, answers: u64) -> bool {
        self.answers() == answers && !self.is_away.swap(true, Ordering::AcqRel)
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_begins_and_ends_once() {
        let contact = Contact::default();
        assert!(!contact.answered());
        let answers = contact.answers();
        assert!(contact.missed(answers) && contact.is_away());
        assert!(!contact.missed(answers));
        assert!(contact.answered());
        assert!(!contact.answered() && !contact.is_away());
    }

    #[test]
    fn one_lost_call_among_answered_ones_is_no_outage() {
        let contact = Contact::default();
        let answers = contact.answers();
        contact.answered();
        assert!(!contact.missed(answers));
    }
}

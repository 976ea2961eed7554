//! Which sessions have ended since a token was verified: in a fixed table, so that it never grows and
//! nobody looks through the cache.

use std::{
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

const SLOTS: u16 = 4096;

/// Counts the ends of sessions. Each has its number, and a slot keeps the last number of the sessions
/// that share it: sharing one costs a verification and nothing else.
pub(super) struct Ended {
    hasher: RandomState,
    last: AtomicU64,
    /// What was verified before this number is forgotten, of whatever session it is.
    floor: AtomicU64,
    slots: Box<[AtomicU64]>,
}

/// Where the sessions of one hash have their number.
#[derive(Clone, Copy)]
pub(super) struct Slot(u16);

impl Ended {
    pub(super) const MEMORY: usize = SLOTS as usize * size_of::<AtomicU64>();

    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            last: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The number of the last end. To be asked before a verification begins: an end that comes while
    /// it runs has a higher one.
    pub(super) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    pub(super) fn slot(&self, session: &str) -> Slot {
        let hash = self.hasher.hash_one(session) % u64::from(SLOTS);
        Slot(u16::try_from(hash).unwrap_or_default())
    }

    pub(super) fn end(&self, session: &str) {
        let Slot(slot) = self.slot(session);
        let number = self.next();
        if let Some(slot) = self.slots.get(usize::from(slot)) {
            // Never lower: two ends that share a slot may come here in either order.
            slot.fetch_max(number, Ordering::AcqRel);
        }
    }

    pub(super) fn end_all(&self) {
        let number = self.next();
        self.floor.fetch_max(number, Ordering::AcqRel);
    }

    fn next(&self) -> u64 {
        self.last.fetch_add(1, Ordering::AcqRel).saturating_add(1)
    }

    /// Whether the session, or all, have ended after the end of the number `seen`.
    pub(super) fn since(&self, slot: Option<Slot>, seen: u64) -> bool {
        let ended = |Slot(slot)| match self.slots.get(usize::from(slot)) {
            Some(number) => number.load(Ordering::Acquire) > seen,
            None => true,
        };
        self.floor.load(Ordering::Acquire) > seen || slot.is_some_and(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_seen_by_what_was_verified_before_it() {
        let ended = Ended::new();
        let slot = Some(ended.slot("s-1"));
        let before = ended.last();
        assert!(!ended.since(slot, before));
        ended.end("s-1");
        assert!(ended.since(slot, before) && !ended.since(None, before));
        assert!(!ended.since(slot, ended.last()));

        let between = ended.last();
        ended.end_all();
        assert!(ended.since(slot, between) && ended.since(None, between));
        assert!(!ended.since(None, ended.last()));
    }

    #[test]
    fn hardly_anybody_shares_a_slot() {
        let ended = Ended::new();
        let before = ended.last();
        ended.end("s-1");
        let others = (0..1000).map(|n| ended.slot(&format!("other-{n}")));
        let hit = others.filter(|slot| ended.since(Some(*slot), before));
        assert!(hit.count() < 10);
    }

    #[test]
    fn ends_at_one_time_are_all_seen() {
        let ended = Ended::new();
        let before = ended.last();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let ended = &ended;
                scope.spawn(move || {
                    for n in 0..1000 {
                        let name = format!("{thread}-{n}");
                        let seen = ended.last();
                        ended.end(&name);
                        assert!(ended.since(Some(ended.slot(&name)), seen));
                    }
                });
            }
        });
        assert_eq!(ended.last(), before + 4000);
    }
}

//! A brake on clients that refresh in a loop.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{clock::Timestamp, session::SessionId};

/// How many answers one session gets in a window without its token moving on.
///
/// A fixed table of counters, one word each, so that it never grows and takes no lock. Sessions that share a slot push
/// each other out, which only ever forgives. It stops clients that loop, and no attacker with two sessions of one slot.
/// Windows begin at fixed times, so that twice as many can fall into the time of one.
pub(crate) struct Throttle {
    limit: u16,
    slots: Box<[AtomicU64]>,
}

/// The default grace.
const WINDOW_SECS: u64 = 30;
const SLOTS: usize = 4096;

impl Throttle {
    /// Allows `limit` answers in half a minute, the default grace.
    pub(crate) fn new(limit: u16) -> Self {
        Self {
            limit,
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Counts one answer; false when the session has had its share.
    pub(crate) fn allow(&self, session: &SessionId, now: Timestamp) -> bool {
        let [a, b, c, d, e, ..] = *session.as_bytes();
        let slot = usize::from(u16::from_be_bytes([a, b])) % SLOTS;
        let Some(slot) = self.slots.get(slot) else {
            return true;
        };
        // Session (24 bits), window (24 bits) and count (16 bits) in one word.
        let owner = u64::from(u32::from_be_bytes([0, c, d, e])) << 40;
        let window = ((now.as_secs() / WINDOW_SECS) & 0xff_ffff) << 16;
        let mut allowed = true;
        let counted = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            let same = word & !0xffff == owner | window;
            let count = if same { word & 0xffff } else { 0 };
            allowed = count < u64::from(self.limit);
            Some(owner | window | (count + 1).min(0xffff))
        });
        debug_assert!(counted.is_ok());
        allowed
    }
}

/// Allows one event in a minute for each session: clients can cause it at will.
///
/// Sessions that share one of the counters share its four events. So no number of sessions makes more than four times
/// as many as there are counters. With one event a session would silence another: of 200, a few do share one.
pub(crate) struct OnceAMinute(Box<[AtomicU64]>);

impl OnceAMinute {
    pub(crate) fn new() -> Self {
        Self((0..SLOTS).map(|_| AtomicU64::new(u64::MAX)).collect())
    }

    /// Whether to report the event of `session`.
    pub(crate) fn allow(&self, session: &SessionId, now: Timestamp) -> bool {
        const SHARED: u64 = 4;
        let [a, b, c, d, e, ..] = *session.as_bytes();
        let slot = usize::from(u16::from_be_bytes([a, b])) % SLOTS;
        let Some(told) = self.0.get(slot) else {
            return true;
        };
        // Minute (32 bits), count (8 bits) and the last reported session (24 bits) in one word.
        let minute = (now.as_secs() / 60) << 32;
        let session = u64::from(u32::from_be_bytes([0, c, d, e]));
        let mut allowed = true;
        let counted = told.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            let same = word & !0xffff_ffff == minute;
            let count = if same { word >> 24 & 0xff } else { 0 };
            allowed = count == 0 || (count < SHARED && word & 0xff_ffff != session);
            allowed.then_some(minute | (count + 1) << 24 | session)
        });
        debug_assert_eq!(counted.is_ok(), allowed);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_gets_its_share_a_window_and_others_are_not_touched() {
        let throttle = Throttle::new(3);
        let now = Timestamp::from_secs(1_800_000_000);
        let (one, other) = (
            SessionId::from_bytes([1; 16]),
            SessionId::from_bytes([2; 16]),
        );
        let answers: Vec<_> = (0..5).map(|_| throttle.allow(&one, now)).collect();
        assert_eq!(answers, [true, true, true, false, false]);
        assert!(throttle.allow(&other, now));
        assert!(throttle.allow(&one, now + std::time::Duration::from_secs(30)));
    }

    #[test]
    fn once_a_minute_is_once_in_each_of_them() {
        let told = OnceAMinute::new();
        let minute = Timestamp::from_secs(1_800_000_000);
        let session = SessionId::from_bytes([1; 16]);
        let at = |secs| told.allow(&session, minute + std::time::Duration::from_secs(secs));
        assert_eq!([0, 1, 59].map(at), [true, false, false]);
        assert_eq!([60, 119].map(at), [true, false]);
        // The store's clock may step back: a moment seen before is another one again.
        assert_eq!([0, 0].map(at), [true, false]);
        // One that shares the counter is reported as well. Two of them in turn do not report without end.
        let mut other = [1; 16];
        other[4] = 2;
        let other = SessionId::from_bytes(other);
        let in_turn = [other, other, session, other, session, other];
        let allowed = in_turn.map(|session| told.allow(&session, minute));
        assert_eq!(allowed, [true, false, true, true, false, false]);
        assert!(told.allow(&other, minute + std::time::Duration::from_secs(60)));
        assert!(told.allow(&SessionId::from_bytes([2; 16]), minute));
    }
}

//! How many failures are reported. Clients cause them at will, and no number of them fills the log.

use std::{
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    clock::Timestamp,
    session::{SessionError, SessionErrorKind, SessionId, UnsealError},
};

/// Reported in a window of each counter.
const EACH: u64 = 10;
/// Reported in a window of all genuine sessions together. Beyond it each counter still tells its first: an attacker
/// needs some thousand sign-ins to hide the others.
const ALL: u64 = 1000;
/// Counters of genuine sessions: a fixed number, so that they never grow. Those that share one share its ten.
const COUNTERS: usize = 4096;
/// Windows begin at fixed times: twice as many can fall into half a minute across the end of one.
const WINDOW_SECS: u64 = 30;

/// Counts the reports, without a lock.
pub(crate) struct Told {
    apart: [Counter; Apart::COUNT],
    sessions: Box<[Counter]>,
    all: Counter,
}

/// The sorts of failures that are counted apart: strangers can send any number of each, and none drowns another.
#[derive(Clone, Copy)]
pub(crate) enum Apart {
    /// Not even written as a refresh token is.
    Garbage,
    /// Sealed under a key that is not in the ring.
    UnknownKey,
    /// Sealed under a key of the ring, by its name.
    Broken,
    /// Every page that works without a user asks.
    NoSession,
    /// A page of a browser that was signed in has come without its refresh cookie.
    SignedOut,
    /// The server's own faults at calls without a genuine token.
    OwnFault,
    /// A sign-in where the cookie does not go.
    Misplaced,
    Other,
}

/// The call of a page that asks for its CSRF token.
pub(crate) const CSRF: &str = "csrf";

impl Apart {
    const COUNT: usize = Self::Other as usize + 1;

    /// Of a call without a genuine session.
    pub(crate) fn of(call: &'static str, error: &SessionError) -> Self {
        let fault = error.source().and_then(|source| source.downcast_ref());
        match (error.kind(), fault) {
            (SessionErrorKind::NoSession, _) if call == CSRF => Self::SignedOut,
            (SessionErrorKind::NoSession, _) => Self::NoSession,
            (SessionErrorKind::Internal | SessionErrorKind::Unavailable, _) => Self::OwnFault,
            (_, Some(UnsealError::Malformed)) => Self::Garbage,
            (_, Some(UnsealError::UnknownKey)) => Self::UnknownKey,
            (_, Some(UnsealError::Broken)) => Self::Broken,
            _ => Self::Other,
        }
    }
}

impl Told {
    pub(crate) fn new() -> Self {
        Self {
            apart: Default::default(),
            sessions: (0..COUNTERS).map(|_| Counter::default()).collect(),
            all: Counter::default(),
        }
    }

    /// Whether to tell one more: `None`, or whether it is the last one of its counter in this window.
    pub(crate) fn apart(&self, apart: Apart, now: Timestamp) -> Option<bool> {
        let earlier = self.apart.get(apart as usize)?.count(now);
        (earlier < EACH).then_some(earlier + 1 == EACH)
    }

    /// The same, of a genuine session.
    pub(crate) fn session(&self, session: &SessionId, now: Timestamp) -> Option<bool> {
        // The server makes ids at random, so that no client chooses its counter.
        let [a, b, ..] = *session.as_bytes();
        let counter = usize::from(u16::from_be_bytes([a, b])) % COUNTERS;
        let earlier = self.sessions.get(counter)?.count(now);
        if earlier >= EACH {
            return None;
        }
        let all = self.all.count(now);
        (earlier == 0 || all < ALL).then_some(earlier + 1 == EACH || all + 1 >= ALL)
    }
}

/// Window (48 bits) and count (16 bits) in one word.
#[derive(Default)]
struct Counter(AtomicU64);

impl Counter {
    /// Counts one more, and returns how many there were before it in the window.
    fn count(&self, now: Timestamp) -> u64 {
        let window = (now.as_secs() / WINDOW_SECS) << 16;
        let mut earlier = 0;
        let counted = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                let same = word & !0xffff == window;
                earlier = if same { word & 0xffff } else { 0 };
                Some(window | (earlier + 1).min(0xffff))
            });
        debug_assert!(counted.is_ok());
        earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn id(counter: u16, rest: u16) -> SessionId {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&counter.to_be_bytes());
        bytes[2..4].copy_from_slice(&rest.to_be_bytes());
        SessionId::from_bytes(bytes)
    }

    #[test]
    fn sessions_that_share_a_counter_do_not_reset_each_other() {
        let told = Told::new();
        let count = |now| {
            let ids = (0..1000).map(|n| id(7, n % 2));
            ids.filter_map(|id| told.session(&id, now))
                .collect::<Vec<_>>()
        };
        let mut expected = [false; 10];
        expected[9] = true;
        assert_eq!(count(NOW), expected);
        assert!(count(NOW + std::time::Duration::from_secs(29)).is_empty());
        assert_eq!(count(NOW + std::time::Duration::from_secs(30)), expected);
    }

    #[test]
    fn many_sessions_get_a_thousand_and_the_first_of_each_counter() {
        let told = Told::new();
        let mut all = 0;
        for n in 0..20 {
            for counter in 0..u16::try_from(COUNTERS).unwrap() / 2 {
                all += u64::from(told.session(&id(counter, n), NOW).is_some());
            }
        }
        // The first thousand were the first ones of their counters.
        assert_eq!(all, COUNTERS as u64 / 2);
        // An honest user beside them.
        assert_eq!(told.session(&id(4000, 1), NOW), Some(true));
        assert_eq!(told.session(&id(4000, 1), NOW), None);

        let told = Told::new();
        for _ in 0..20 {
            for counter in 0..150 {
                told.session(&id(counter, 0), NOW);
            }
        }
        let rest = (150..4096).filter(|n| told.session(&id(*n, 0), NOW).is_some());
        assert_eq!(rest.count(), 4096 - 150);
    }

    #[test]
    fn strangers_drown_neither_sessions_nor_each_other() {
        let told = Told::new();
        let count = |apart| (0..30).filter_map(|_| told.apart(apart, NOW)).count();
        assert_eq!(count(Apart::Garbage), 10);
        assert_eq!(count(Apart::UnknownKey), 10);
        assert_eq!(count(Apart::Other), 10);
        assert_eq!(told.session(&id(0, 0), NOW), Some(false));
    }
}

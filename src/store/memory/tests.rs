use std::{sync::Barrier, thread, time::Duration};

use super::*;
use crate::{
    clock::{ManualClock, Timestamp},
    keys::SessionKeys,
    session::{
        Activity, ClientFingerprint, JarProof, Lasts, Methods, NewSecrets, Presenter, RevokeReason,
        SessionPolicy, SignIn,
    },
    store::StoreErrorKind,
};

pub(super) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A live session of `subject` that ends after `seconds`.
pub(super) fn session(subject: &str, seconds: u64) -> SessionRecord {
    let keys = SessionKeys::new([&b"a master secret with 32 bytes..."[..]]).unwrap();
    let opening = SignIn {
        subject,
        presenter: Presenter {
            fingerprint: ClientFingerprint::from_bytes([1; 8]),
            version: 0,
            jar: JarProof::Waived,
            activity: Activity::Active,
        },
        lasts: Lasts::default(),
        label: "Browser/1.0",
        context: b"",
        auth_time: None,
        methods: Methods::default(),
        note: "",
    };
    let policy = SessionPolicy {
        absolute: Duration::from_secs(seconds),
        ..SessionPolicy::default()
    };
    let fresh = NewSecrets::generate().unwrap();
    let active = keys.active().unwrap();
    SessionRecord::start(&opening, &fresh, NOW, &policy, active).0
}

fn store(capacity: usize) -> (MemoryStore, ManualClock) {
    let clock = ManualClock::new(NOW);
    let builder = MemoryStore::builder().capacity(capacity);
    (builder.clock(clock.clone()).build().unwrap(), clock)
}

#[test]
fn at_its_bound_it_refuses_and_ends_no_other_session() {
    let (store, clock) = store(2);
    let (a, b) = (session("a", 60), session("b", 3600));
    store.0.insert(&a, 9).unwrap();
    store.0.insert(&b, 9).unwrap();
    let error = store.0.insert(&session("c", 60), 9).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full);
    assert_eq!(store.len(), 2);
    for record in [&a, &b] {
        assert_eq!(
            store.0.load(&record.key()).unwrap().record.as_ref(),
            Some(record)
        );
    }
    // An expired session makes room.
    clock.advance(Duration::from_secs(60));
    store.0.insert(&session("c", 3600), 9).unwrap();
    assert_eq!(store.len(), 2);
    assert!(store.0.load(&a.key()).unwrap().record.is_none());
    assert_eq!(store.0.load(&b.key()).unwrap().record.as_ref(), Some(&b));
}

#[test]
fn expired_sessions_are_swept_while_others_sign_in() {
    let (store, clock) = store(1_000);
    for n in 0..400 {
        store
            .0
            .insert(&session(&format!("old {n}"), 60), 9)
            .unwrap();
    }
    clock.advance(Duration::from_secs(60));
    for n in 0..100 {
        store
            .0
            .insert(&session(&format!("new {n}"), 3600), 9)
            .unwrap();
        assert!(store.len() >= 100 || n < 99);
    }
    assert_eq!(store.len(), 100, "four are swept for one that comes");
    assert_eq!(store.0.subjects.len(), 100, "subjects too");
    assert_eq!(store.0.round().len(), 100);
}

#[test]
fn signing_in_and_out_for_ever_does_not_grow() {
    let (store, _) = store(1_000);
    let tag = session("a", 3600).subject_tag;
    for _ in 0..500 {
        let record = session("a", 3600);
        store.0.insert(&record, 4).unwrap();
        store
            .0
            .swap(&record, &record.revoked(RevokeReason::SignedOut))
            .unwrap();
    }
    assert!(store.len() <= 6, "{}", store.len());
    assert_eq!(
        store.len(),
        store
            .0
            .subjects
            .get(&tag)
            .unwrap()
            .unpack(tag)
            .unwrap()
            .len()
    );
}

/// An ended session is recognised until it expires, or a thief's token would look unknown.
#[test]
fn the_sweep_keeps_ended_sessions_until_they_expire() {
    let (store, clock) = store(1_000);
    let (ended, lasting) = (session("a", 60), session("b", 61));
    for record in [&ended, &lasting] {
        store.0.insert(record, 4).unwrap();
    }
    let revoked = ended.revoked(RevokeReason::Reuse);
    store.0.swap(&ended, &revoked).unwrap();
    for n in 0..50 {
        clock.advance(Duration::from_secs(1));
        store
            .0
            .insert(&session(&format!("other {n}"), 1), 4)
            .unwrap();
    }
    assert_eq!(store.0.load(&ended.key()).unwrap().record, Some(revoked));
    assert_eq!(store.0.load(&lasting.key()).unwrap().record, Some(lasting));
}

#[test]
fn a_record_never_changes_its_address() {
    let (store, _) = store(10);
    let (a, b) = (session("a", 60), session("b", 60));
    store.0.insert(&a, 9).unwrap();
    // The same but for the subject tag, which is not among the bytes that are compared.
    let mut moved = a.clone();
    moved.subject_tag = b.subject_tag;
    for other in [&b, &moved] {
        assert!(matches!(store.0.swap(&a, other), Ok(Swap::Conflict(_))));
    }
    assert!(store.0.load(&moved.key()).unwrap().record.is_none());
    assert_eq!(store.0.load(&a.key()).unwrap().record, Some(a));
}

#[test]
fn of_several_sessions_the_named_one_is_swapped_whatever_its_new_length() {
    let (store, _) = store(10);
    let sessions = [(); 3].map(|()| session("a", 60));
    for record in &sessions {
        store.0.insert(record, 9).unwrap();
    }
    let [first, mut second, third] = sessions;
    for label in ["a longer label than it had", "short", ""] {
        let mut next = second.clone();
        next.label = label.into();
        for _ in 0..2 {
            let swap = store.0.swap(&second, &next).unwrap();
            assert!(matches!(swap, Swap::Applied), "{label}");
        }
        let conflict = store.0.swap(&second, &first).unwrap();
        assert!(
            matches!(conflict, Swap::Conflict(Loaded { record: Some(stored), .. }) if stored == next)
        );
        let all = store.0.list(&next.subject_tag).unwrap();
        assert_eq!(all, [first.clone(), next.clone(), third.clone()]);
        second = next;
    }
}

/// One record that cannot be read, of a later release, say, leaves none of the others live.
#[test]
fn everything_ends_but_what_began_later_and_what_cannot_be_read() {
    let (store, clock) = store(10_000);
    let subjects = 3 * SUBJECTS_AT_ONCE;
    let old: Vec<_> = (0..subjects)
        .map(|n| session(&format!("old {n}"), 3600))
        .collect();
    let expired = session("old 1", 60);
    for record in old.iter().chain([&expired]) {
        store.0.insert(record, 9).unwrap();
    }
    let signed_out = old[0].revoked(RevokeReason::SignedOut);
    store.0.swap(&old[0], &signed_out).unwrap();
    clock.advance(Duration::from_secs(60));
    let mut new = session("old 1", 3600);
    new.created_at = NOW + Duration::from_millis(1);
    store.0.insert(&new, 9).unwrap();

    let revoke = |before| {
        let mut call = Box::pin(store.revoke_everything(before));
        let mut turns = 0;
        loop {
            turns += 1;
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            if let std::task::Poll::Ready(done) = call.as_mut().poll(&mut context) {
                return (done, turns);
            }
        }
    };
    assert_eq!(
        revoke(NOW - Duration::from_millis(1)).0.unwrap(),
        0,
        "they began later"
    );
    let (done, turns) = revoke(NOW);
    assert_eq!(done.unwrap(), subjects as u64 - 1);
    assert_eq!(turns, 4, "other tasks have their turn in between");
    let load = |record: &SessionRecord| store.0.load(&record.key()).unwrap().record;
    assert_eq!(load(&signed_out), Some(signed_out));
    assert_eq!(load(&new), Some(new.clone()));
    for record in &old[1..] {
        assert_eq!(load(record), Some(record.revoked(RevokeReason::RevokedAll)));
    }
    assert_eq!(revoke(NOW).0.unwrap(), 0);

    let tag = old[7].subject_tag;
    store.0.subjects.get_mut(&tag).unwrap().damage();
    let error = revoke(new.created_at).0.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(load(&new), Some(new.revoked(RevokeReason::RevokedAll)));
}

/// A table that grows is one shard's, so that no shard may be large.
#[test]
fn shards_follow_the_capacity_within_reason() {
    for (capacity, shards) in [
        (1, 64),
        (50_000, 64),
        (DEFAULT_CAPACITY, 1024),
        (10_000_000, 16_384),
        (usize::MAX, 16_384),
    ] {
        assert_eq!(sessions::shards(capacity), shards, "{capacity}");
    }
}

#[test]
fn the_bound_holds_against_many_threads() {
    const THREADS: usize = 8;
    let (store, _) = store(100);
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for t in 0..THREADS {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                for n in 0..50 {
                    let _ = store.0.insert(&session(&format!("{t} {n}"), 60), 9);
                    assert!(store.len() <= 100);
                }
            });
        }
    });
    assert_eq!(store.len(), 100);
    assert_eq!(store.0.round().len(), store.0.subjects.len());
}

#[test]
fn no_capacity_is_a_configuration_error() {
    let error = MemoryStore::builder().capacity(0).build().unwrap_err();
    assert_eq!(error.setting(), "capacity");
}

#[test]
fn debug_shows_numbers_only() {
    let (store, _) = store(10);
    let record = session("a hidden subject", 60);
    store.0.insert(&record, 9).unwrap();
    let text = format!("{store:?} {:?}", MemoryStore::builder());
    assert!(text.contains("len: 1"), "{text}");
    assert!(!text.contains("hidden") && !text.contains(&record.id.to_string()));
}

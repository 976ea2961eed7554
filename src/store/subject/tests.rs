use std::time::Duration;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::{
    keys::SubjectTag,
    session::{ClientFingerprint, Fields, Fingerprints, SessionState},
    store::StoreErrorKind,
};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const ENDED: SessionState = SessionState::Revoked(RevokeReason::SignedOut);

/// A session that was rotated at `rotated` and expires `left` seconds after [`NOW`], or before it.
fn session(id: u8, state: SessionState, rotated: u64, left: i64) -> SessionRecord {
    let apart = Duration::from_secs(left.unsigned_abs());
    let expires = if left < 0 { NOW - apart } else { NOW + apart };
    SessionRecord {
        id: SessionId::from_bytes([id; 16]),
        subject_tag: SubjectTag::from_bytes([7; 16]),
        subject: "ada".into(),
        generation: 3,
        recoveries: 0,
        current: [id; 32],
        previous: Some([id ^ 1; 32]),
        barrier: false,
        bound: false,
        seed: [id; 32],
        handed_out_at: NOW,
        presented_at: None,
        rotated_at: Timestamp::from_secs(rotated),
        created_at: NOW,
        absolute_expires_at: expires,
        idle_expires_at: expires,
        fingerprints: Fingerprints::one(ClientFingerprint::from_bytes([id; 8])),
        state,
        ended_at: None,
        fields: Fields::default(),
        label: "Browser/1.0".into(),
        context: [id].into(),
    }
}

fn live(id: u8, rotated: u64) -> SessionRecord {
    session(id, SessionState::Live, rotated, 60)
}

fn ids(sessions: &[SessionRecord]) -> Vec<u8> {
    sessions.iter().map(|s| s.id.as_bytes()[0]).collect()
}

fn is_current(session: &SessionRecord) -> bool {
    NOW < session.expires_at()
}

#[test]
fn the_least_recently_rotated_gives_way() {
    let mut sessions = vec![live(1, 30), live(2, 10), live(3, 20), live(4, 10)];
    let dropped = admit(&mut sessions, &live(5, 40), 3, NOW).unwrap();
    assert_eq!(ids(&dropped), [2, 4]);
    assert_eq!(dropped, [&sessions[1], &sessions[3]].map(Clone::clone));
    assert_eq!(ids(&sessions), [1, 2, 3, 4, 5], "the dropped stay, revoked");
    let limit = SessionState::Revoked(RevokeReason::Limit);
    let states = sessions.iter().map(|s| s.state == limit);
    assert!(states.eq([false, true, false, true, false]));
}

#[test]
fn no_limit_is_a_limit_of_one() {
    let mut sessions = vec![live(1, 30)];
    let dropped = admit(&mut sessions, &live(2, 1), 0, NOW).unwrap();
    assert_eq!(dropped, [sessions[0].clone()]);
    assert!(sessions[1].is_live());
}

#[test]
fn expired_sessions_go_and_of_ended_ones_the_least_recent() {
    let mut sessions = vec![
        session(1, ENDED, 20, 60),
        session(2, SessionState::Live, 1, 0),
        session(3, ENDED, 10, 60),
        session(4, ENDED, 30, -1),
        session(5, ENDED, 30, 60),
    ];
    let dropped = admit(&mut sessions, &live(6, 40), 2, NOW).unwrap();
    assert!(dropped.is_empty(), "they were over already");
    assert_eq!(ids(&sessions), [1, 5, 6]);
}

/// Signing in and out, over and over, where any number of sessions may be live.
#[test]
fn ended_sessions_are_bounded_whatever_the_limit() {
    for limit in [1, 5, 32, 1000, usize::MAX] {
        let mut sessions = Vec::new();
        for round in 0..200 {
            admit(&mut sessions, &live(round, round.into()), limit, NOW).unwrap();
            let last = sessions.last_mut().unwrap();
            *last = last.revoked(RevokeReason::SignedOut);
            assert!(sessions.len() <= 1 + limit.min(MOST_ENDED), "{limit}");
        }
        let newest = 200 - sessions.len()..200;
        assert!(ids(&sessions).into_iter().map(usize::from).eq(newest));
    }
}

/// Of two that ended, the one that a client ended is worth more: its old token is an alarm.
#[test]
fn the_latest_that_a_client_has_ended_are_kept() {
    let ended_by_a_client = |id, rotated, at| SessionRecord {
        ended_at: Some(Timestamp::from_secs(at)),
        ..session(id, ENDED, rotated, 60)
    };
    let mut sessions = vec![
        ended_by_a_client(1, 5, 30),
        ended_by_a_client(2, 9, 20),
        session(3, ENDED, 50, 60),
        ended_by_a_client(4, 1, 40),
    ];
    admit(&mut sessions, &live(6, 60), 2, NOW).unwrap();
    assert_eq!(ids(&sessions), [1, 4, 6]);
}

#[test]
fn a_taken_id_changes_nothing() {
    let before = vec![live(1, 30), session(2, SessionState::Live, 1, -1)];
    let mut sessions = before.clone();
    let error = admit(&mut sessions, &live(1, 31), 1, NOW).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert_eq!(sessions, before);
}

#[test]
fn revoking_keeps_what_it_is_told() {
    let mut sessions = vec![live(1, 1), live(2, 2), session(3, ENDED, 3, 60), live(4, 4)];
    let keep = SessionId::from_bytes([2; 16]);
    let revoked = revoke_all(&mut sessions, Some(&keep), NOW);
    assert_eq!(revoked, [&sessions[0], &sessions[3]].map(Clone::clone));
    let all = SessionState::Revoked(RevokeReason::RevokedAll);
    let states = sessions.iter().map(|s| s.state);
    assert!(states.eq([all, SessionState::Live, ENDED, all]));
}

/// A refresh that was decided before the idle end may be written after it, and sets a new one.
#[test]
fn revoking_ends_what_is_idle_and_leaves_what_is_past_its_absolute_end() {
    let end = |absolute| SessionRecord {
        absolute_expires_at: absolute,
        idle_expires_at: NOW,
        created_at: NOW - Duration::from_secs(60),
        ..live(1, 1)
    };
    let (idle, over) = (end(NOW + Duration::from_millis(1)), end(NOW));
    let revoked = idle.revoked(RevokeReason::RevokedAll);
    for revoke in [
        |all: &mut [SessionRecord]| revoke_all(all, None, NOW),
        |all: &mut [SessionRecord]| revoke_before(all, NOW, NOW),
        |all: &mut [SessionRecord]| revoke_older(all, None, NOW, NOW),
    ] {
        let mut sessions = [idle.clone(), over.clone()];
        assert_eq!(revoke(&mut sessions), std::slice::from_ref(&revoked));
        assert_eq!(sessions, [revoked.clone(), over.clone()]);
    }
}

#[test]
fn revoking_by_the_beginning_leaves_what_began_later() {
    let at = |id, left, created_at| SessionRecord {
        created_at,
        ..session(id, SessionState::Live, 1, left)
    };
    let (before, later) = (NOW - Duration::from_millis(1), NOW);
    let ended = SessionRecord {
        created_at: before,
        ..session(4, ENDED, 1, 60)
    };
    let mut sessions = vec![
        at(1, 60, before),
        at(2, 60, later),
        at(3, 0, before),
        ended,
        at(5, 60, Timestamp::default()),
    ];
    let revoked = revoke_before(&mut sessions, before, NOW);
    assert_eq!(revoked, [&sessions[0], &sessions[4]].map(Clone::clone));
    let all = SessionState::Revoked(RevokeReason::RevokedAll);
    let states = sessions.iter().map(|s| s.state);
    let live = SessionState::Live;
    assert!(states.eq([all, live, live, ENDED, all]));
    assert_eq!(revoke_before(&mut sessions, before, NOW), []);
}

#[test]
fn revoking_what_is_older_leaves_what_is_kept_and_what_began_later() {
    let (before, later) = (NOW - Duration::from_millis(1), NOW);
    let at = |id, created_at| SessionRecord {
        created_at,
        ..live(id, 1)
    };
    let ended = SessionRecord {
        created_at: before,
        ..session(4, ENDED, 1, 60)
    };
    let mut sessions = [at(1, before), at(2, later), at(3, before), ended];
    let keep = SessionId::from_bytes([3; 16]);
    let revoked = revoke_older(&mut sessions, Some(&keep), before, NOW);
    assert_eq!(revoked, [sessions[0].clone()]);
    let all = SessionState::Revoked(RevokeReason::RevokedAll);
    let live = SessionState::Live;
    assert_eq!(sessions.map(|s| s.state), [all, live, live, ENDED]);
}

prop_compose! {
    /// Sessions of every kind; so few points in time that many are equal.
    fn any_sessions()(
        kinds in vec((any::<bool>(), 0_u64..5, -2_i64..4), 0..14)
    ) -> Vec<SessionRecord> {
        (1..).zip(kinds).map(|(id, (is_live, rotated, left))| {
            let state = if is_live { SessionState::Live } else { ENDED };
            session(id, state, rotated, left)
        }).collect()
    }
}

proptest! {
    #[test]
    fn an_admitted_session_is_within_the_limit(before in any_sessions(), limit in 0_usize..6) {
        let (mut after, added) = (before.clone(), live(200, 9));
        let dropped = admit(&mut after, &added, limit, NOW).unwrap();
        let limit = limit.max(1);

        prop_assert_eq!(after.last(), Some(&added));
        prop_assert!(after.iter().all(is_current), "the expired are gone");
        prop_assert!(after.iter().filter(|s| s.is_live()).count() <= limit);
        prop_assert!(after.len() <= 2 * limit + dropped.len());

        let was_live = before.iter().filter(|s| s.is_live() && is_current(s)).count();
        prop_assert_eq!(dropped.len(), (was_live + 1).saturating_sub(limit), "no more than needed");
        let ended = |sessions: &[SessionRecord]| {
            sessions.iter().filter(|s| s.state == ENDED && is_current(s)).count()
        };
        prop_assert_eq!(ended(&after), ended(&before).min(limit));
    }

    #[test]
    fn admitting_touches_only_what_it_says(before in any_sessions(), limit in 0_usize..6) {
        let (mut after, added) = (before.clone(), live(200, 9));
        let dropped = admit(&mut after, &added, limit, NOW).unwrap();
        // The rest keeps its order, each as it was or revoked and named.
        let mut rest = before.iter();
        for session in after.iter().filter(|s| s.id != added.id) {
            let was = rest.find(|was| was.id == session.id);
            let expected = was.map(|was| match dropped.contains(session) {
                true => was.revoked(RevokeReason::Limit),
                false => was.clone(),
            });
            prop_assert_eq!(Some(session), expected.as_ref());
        }
        // Those that went were rotated before those that stayed, and are named in that order.
        prop_assert!(dropped.is_sorted_by_key(|s| s.rotated_at));
        for stays in after.iter().filter(|s| s.is_live() && s.id != added.id) {
            prop_assert!(dropped.iter().all(|s| s.rotated_at <= stays.rotated_at));
        }
        for gone in &dropped {
            prop_assert!(after.contains(gone));
            prop_assert!(before.iter().any(|s| s.id == gone.id && s.is_live() && is_current(s)));
        }
    }

    #[test]
    fn admitting_twice_is_admitting_once(before in any_sessions(), limit in 0_usize..6) {
        let (mut once, added) = (before, live(200, 9));
        admit(&mut once, &added, limit, NOW).unwrap();
        let mut twice = once.clone();
        prop_assert_eq!(admit(&mut twice, &added, limit, NOW).unwrap(), []);
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn revoking_all_revokes_the_live_ones_once(before in any_sessions(), kept in 0_u8..15) {
        let keep = SessionId::from_bytes([kept; 16]);
        let mut after = before.clone();
        let revoked = revoke_all(&mut after, Some(&keep), NOW);
        prop_assert_eq!(after.len(), before.len());
        for (was, is) in before.iter().zip(&after) {
            let goes = was.is_live() && is_current(was) && was.id != keep;
            prop_assert_eq!(revoked.contains(is), goes);
            let expected = if goes { was.revoked(RevokeReason::RevokedAll) } else { was.clone() };
            prop_assert_eq!(is, &expected);
        }
        let once = after.clone();
        prop_assert_eq!(revoke_all(&mut after, Some(&keep), NOW), []);
        prop_assert_eq!(after, once);
    }
}

//! Whatever the token and the record.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::session::{
    RotationPolicy,
    fixture::{BROWSER, STRANGER, keys, start},
    presenter::{Activity, Presenter},
};

prop_compose! {
    fn times()(
        handed_out in any::<u64>(),
        presented in any::<Option<u64>>(),
        ended in any::<Option<u64>>(),
        absolute in any::<u64>(),
        idle in any::<u64>(),
        now in any::<u64>(),
    ) -> [Option<u64>; 6] {
        [Some(handed_out), presented, ended, Some(absolute), Some(idle), Some(now)]
    }
}

fn client() -> impl Strategy<Value = ClientFingerprint> {
    prop_oneof![Just(BROWSER), Just(STRANGER), Just(OTHER)]
}

prop_compose! {
    fn presenter()(
        fingerprint in client(),
        version in 0_u8..2,
        jar in prop_oneof![Just(JarProof::Shown), Just(JarProof::Missing), Just(JarProof::Waived)],
        activity in prop_oneof![Just(Activity::Active), Just(Activity::Passive)],
    ) -> Presenter {
        Presenter { fingerprint, version, jar, activity }
    }
}

prop_compose! {
    /// Up to six of three clients, the later of them known or not, and one that ended the session.
    fn fingerprints()(
        first in client(),
        met in proptest::collection::vec((client(), any::<bool>()), 0..6),
        ended_by in proptest::option::of(client()),
    ) -> Fingerprints {
        let met = met.into_iter().fold(Fingerprints::one(first), |all, (next, known)| {
            let held = all.held_by(next);
            if known { held.with_known_holder() } else { held }
        });
        ended_by.map_or(met, |by| met.with_end_by(by))
    }
}

fn state() -> impl Strategy<Value = SessionState> {
    prop_oneof![
        3 => Just(SessionState::Live),
        1 => Just(SessionState::Revoked(RevokeReason::SignedOut)),
        1 => Just(SessionState::Revoked(RevokeReason::Replaced)),
        1 => Just(SessionState::Revoked(RevokeReason::Reuse)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// No panic, and the written record makes sense. It is the same session, no way back in generation, never beyond
    /// its end. A successor only ever stands beside the hash that expects it. No newcomer is served with a successor,
    /// and a jar that is missing gets nothing.
    #[test]
    fn any_token_against_any_record_is_decided(
        times in times(),
        generations in (any::<u64>(), any::<u64>(), -2_i64..3, any::<bool>()),
        recoveries in any::<(u8, u8)>(),
        relation in 0_u8..6,
        flags in any::<(bool, bool, bool, bool, bool)>(),
        policy in (any::<u32>(), any::<u32>(), any::<u8>(), any::<u64>()),
        presenter in presenter(),
        fingerprints in fingerprints(),
        state in state(),
    ) {
        let time = |at: Option<u64>| Timestamp::from_millis(at.unwrap_or_default());
        let [handed_out, presented, ended, absolute, idle, now] = times;
        let (barrier, bound, near, confirms, ignored) = flags;
        let policy = SessionPolicy {
            rotation: RotationPolicy {
                grace: Duration::from_millis(policy.0.into()),
                interval: Duration::from_millis(policy.1.into()),
                recoveries: policy.2,
            },
            fingerprints: if ignored { FingerprintPolicy::Ignored } else { FingerprintPolicy::Known },
            confirms,
            idle: Duration::from_millis(policy.3),
            ..SessionPolicy::default()
        };
        let keys = keys();
        let (mut record, mut token) = start(&policy, &keys);
        record.generation = generations.0;
        token.generation = if near {
            generations.0.saturating_add_signed(generations.2)
        } else {
            generations.1
        };
        token.expires_at = if generations.3 { time(absolute) } else { time(Some(u64::MAX)) };
        (record.recoveries, token.recoveries) = recoveries;
        record.handed_out_at = time(handed_out);
        record.presented_at = presented.map(|at| time(Some(at)));
        record.ended_at = ended.map(|at| time(Some(at)));
        record.absolute_expires_at = time(absolute);
        record.idle_expires_at = time(idle);
        (record.barrier, record.bound) = (barrier, bound);
        (record.fingerprints, record.state) = (fingerprints, state);
        record.previous = Some([3; 32]);
        record.current = [4; 32];
        match relation {
            0 => record.current = token.hash(),
            1 => record.previous = Some(token.hash()),
            2 => token.parent = parent(&record.current),
            3 => token.parent = barrier_parent(&record.current),
            4 => token.parent = parent(&[3; 32]),
            _ => {}
        }
        let decision = decide(&token, Some(&record), time(now), &presenter, &policy, &keys);
        let served = decision.outcome.success().is_some() && !decision.confirm;
        if let Some(next) = &decision.next {
            prop_assert_eq!(next.key(), record.key());
            prop_assert!((next.generation, next.recoveries) >= (record.generation, record.recoveries));
            prop_assert_eq!(next.absolute_expires_at, record.absolute_expires_at);
            prop_assert!(next.idle_expires_at <= record.absolute_expires_at || next.idle_expires_at == record.idle_expires_at);
            if presenter.activity == Activity::Passive {
                prop_assert_eq!(next.idle_expires_at, record.idle_expires_at);
            }
            prop_assert_eq!(&SessionRecord::decode(&next.encode()).unwrap(), next);
            // A jar that a newcomer shows binds nothing.
            let known = ignored || record.fingerprints_for(&presenter).is_known(presenter.fingerprint);
            let shown = presenter.jar == JarProof::Shown && known;
            let binds = shown && decision.outcome != Outcome::Reuse;
            prop_assert_eq!(next.bound, record.bound || binds);
            // An end stays one, and is written again as an alarm only, once.
            if !record.is_live() {
                prop_assert_eq!(decision.row, Row::OverAlarm);
                prop_assert!(!is_revoked_for_reuse(&record));
            }
        }
        if let Some(successor) = &decision.successor {
            let stored = decision.next.as_ref().unwrap_or(&record);
            prop_assert_eq!(successor.hash(), stored.current);
            prop_assert_eq!(successor.session, record.id);
        }
        if decision.outcome == Outcome::Reuse {
            prop_assert!(is_revoked_for_reuse(decision.next.as_ref().unwrap()));
        } else {
            let ended = decision.next.as_ref().is_some_and(|next| !next.is_live());
            prop_assert!(!ended, "revoked without an alarm");
        }
        if decision.outcome.success().is_some() {
            prop_assert!(record.is_live());
            prop_assert!(!record.bound || presenter.jar != JarProof::Missing);
        } else {
            prop_assert!(!decision.confirm && decision.successor.is_none());
        }
        prop_assert!(!decision.confirm || (confirms && !ignored && decision.successor.is_some()));
        let met = record.fingerprints_for(&presenter);
        let newcomer = !met.is_known(presenter.fingerprint) && met.holder() != presenter.fingerprint;
        if confirms && !ignored && !policy.rotation.is_strict() && newcomer {
            prop_assert!(!served || decision.successor.is_none());
        }
        // Its own word makes no client known.
        if let Some(next) = decision.next.filter(|_| newcomer) {
            prop_assert!(!next.fingerprints.is_known(presenter.fingerprint));
        }
    }
}

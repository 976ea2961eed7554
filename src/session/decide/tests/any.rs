//! Whatever the token and the record.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::session::{
    ReusePolicy, RotationPolicy,
    fixture::{BROWSER, STRANGER, keys, start},
};

prop_compose! {
    fn times()(
        handed_out in any::<u64>(),
        presented in any::<Option<u64>>(),
        absolute in any::<u64>(),
        idle in any::<u64>(),
        now in any::<u64>(),
    ) -> [Option<u64>; 5] {
        [Some(handed_out), presented, Some(absolute), Some(idle), Some(now)]
    }
}

proptest! {
    /// No panic, and what is written makes sense: the same session, no way back in generation,
    /// never beyond its end, and a successor only ever beside the hash that expects it.
    #[test]
    fn any_token_against_any_record_is_decided(
        times in times(),
        generations in (any::<u64>(), any::<u64>(), -2_i64..3, any::<bool>()),
        recoveries in any::<(u8, u8)>(),
        relation in 0_u8..6,
        flags in any::<(bool, bool, bool, bool)>(),
        policy in (any::<u32>(), any::<u32>(), any::<u8>(), any::<u64>()),
    ) {
        let time = |at: Option<u64>| Timestamp::from_millis(at.unwrap_or_default());
        let [handed_out, presented, absolute, idle, now] = times;
        let (barrier, stranger, live, near) = flags;
        let policy = SessionPolicy {
            rotation: RotationPolicy {
                grace: Duration::from_millis(policy.0.into()),
                interval: Duration::from_millis(policy.1.into()),
                recoveries: policy.2,
            },
            idle: Duration::from_millis(policy.3),
            reuse: ReusePolicy::Session,
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
        record.absolute_expires_at = time(absolute);
        record.idle_expires_at = time(idle);
        record.barrier = barrier;
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
        if !live {
            record = record.revoked(RevokeReason::SignedOut);
        }
        let client = if stranger { STRANGER } else { BROWSER };
        let decision = decide(&token, Some(&record), time(now), client, &policy, &keys);
        if let Some(next) = &decision.next {
            prop_assert!(live);
            prop_assert_eq!(next.key(), record.key());
            prop_assert!((next.generation, next.recoveries) >= (record.generation, record.recoveries));
            prop_assert_eq!(next.absolute_expires_at, record.absolute_expires_at);
            prop_assert!(next.idle_expires_at <= record.absolute_expires_at || next.idle_expires_at == record.idle_expires_at);
        }
        if let Some(successor) = &decision.successor {
            let stored = decision.next.as_ref().unwrap_or(&record);
            prop_assert_eq!(successor.hash(), stored.current);
            prop_assert_eq!(successor.session, record.id);
        }
        if matches!(decision.outcome, Outcome::Reuse) {
            prop_assert!(!decision.next.unwrap().is_live());
        }
    }
}

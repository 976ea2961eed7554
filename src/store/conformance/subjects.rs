//! All sessions of a subject, one caller at a time.

use std::time::Duration;

use super::{
    Rule,
    look::{Outcome, add, apply, expect, expect_ended, expect_listed, list, live, revoke, sign_in},
    sample::{MANY, Subject, rotated},
};
use crate::{
    session::{RevokeReason, SessionId, SessionRecord, SessionState},
    store::{RefreshStore, Swap},
};

pub(super) async fn an_insertion_applied_twice_is_one(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("an insertion that is applied twice counts once");
    let subject = Subject::new(store, rule).await?;
    let record = subject.record(rule)?;
    for _ in 0..2 {
        add(store, rule, &record, 1).await?;
    }
    expect_listed(store, rule, &subject, &[&record]).await
}

pub(super) async fn a_taken_id_is_not_overwritten(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("an insertion does not overwrite a session of the same id");
    let subject = Subject::new(store, rule).await?;
    let record = sign_in(store, rule, &subject).await?;
    let newer = rotated(&record, 1);
    apply(store, rule, &record, &newer).await?;
    // A retried insertion whose first attempt has long been used. Whether it is an error or
    // nothing at all, it must not bring the old token back.
    let _ = rule.call(store.insert(&record, MANY)).await?;
    expect(store, rule, &record, Some(&newer)).await
}

/// Each of three sessions is once the one that was not used. Only the order of the rotations names it.
pub(super) async fn the_limit_drops_the_least_recently_rotated(
    store: &impl RefreshStore,
) -> Outcome {
    let rule = Rule("an insertion at the limit drops the least recently rotated live session");
    for unused in 0..3 {
        let subject = Subject::new(store, rule).await?;
        let mut records = vec![];
        for n in 0..3_u8 {
            let mut record = subject.record(rule)?;
            let mut id = *record.id.as_bytes();
            id[0] = n + 1;
            record.id = SessionId::from_bytes(id);
            let began = subject.now - Duration::from_secs(60 - u64::from(n));
            (record.created_at, record.rotated_at) = (began, began);
            (record.handed_out_at, record.presented_at) = (began, Some(began));
            add(store, rule, &record, 3).await?;
            records.push(record);
        }
        for (n, record) in records.iter_mut().enumerate() {
            let mut next = rotated(record, 1);
            if n == unused {
                // It is seen, as late as can be, and not rotated.
                next = record.clone();
                (next.handed_out_at, next.presented_at) = (subject.now, Some(subject.now));
                next.idle_expires_at = next.absolute_expires_at;
            } else {
                next.rotated_at = subject.now - Duration::from_secs(n as u64 + 1);
            }
            apply(store, rule, record, &next).await?;
            *record = next;
        }
        let dropped = records.remove(unused);
        let fourth = subject.record(rule)?;
        let inserted = rule.answer(store.insert(&fourth, 3)).await?;
        rule.check(
            inserted.dropped == [dropped.revoked(RevokeReason::Limit)],
            || format!("it dropped {:?}, not {dropped:?}", inserted.dropped),
        )?;
        records.push(fourth);
        records.sort_by_key(|record| record.id);
        let live = live(store, rule, &subject).await?;
        rule.check(live == records, || format!("{live:?} are live"))?;
        // Whether it is forgotten or kept as revoked, its token finds no live session.
        expect_ended(store, rule, &dropped).await?;
        let swap = rule
            .answer(store.swap(&dropped, &rotated(&dropped, 1)))
            .await?;
        rule.check(matches!(swap, Swap::Conflict(_)), || {
            "the dropped one was rotated".into()
        })?;
        // A lower limit than before takes effect at once.
        let inserted = rule.answer(store.insert(&subject.record(rule)?, 1)).await?;
        rule.check(inserted.dropped.len() == 3, || {
            format!("a limit of 1 dropped {} of 3", inserted.dropped.len())
        })?;
    }
    Ok(())
}

pub(super) async fn any_limit_is_a_limit(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a limit of any size is that limit, and none at all is a limit of one");
    let subject = Subject::new(store, rule).await?;
    for bits in [8, 16, 31, 32, 63] {
        let end = 1_usize.checked_shl(bits).unwrap_or(usize::MAX);
        add(store, rule, &subject.record(rule)?, end - 1).await?;
        add(store, rule, &subject.record(rule)?, end).await?;
    }
    add(store, rule, &subject.record(rule)?, usize::MAX).await?;
    let live_ones = live(store, rule, &subject).await?.len();
    rule.check(live_ones == 11, || format!("{live_ones} of 11 are live"))?;
    let last = subject.record(rule)?;
    let dropped = rule.answer(store.insert(&last, 0)).await?.dropped;
    rule.check(dropped.len() == 11, || {
        format!("no limit dropped {} of 11", dropped.len())
    })?;
    let live = live(store, rule, &subject).await?;
    rule.check(live == [last], || format!("{live:?} are live"))
}

pub(super) async fn revoked_sessions_do_not_count(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("revoked sessions do not count towards the limit");
    let subject = Subject::new(store, rule).await?;
    sign_in(store, rule, &subject).await?;
    let ended = sign_in(store, rule, &subject).await?;
    let revoked = ended.revoked(RevokeReason::SignedOut);
    apply(store, rule, &ended, &revoked).await?;
    add(store, rule, &subject.record(rule)?, 2).await
}

pub(super) async fn revoke_all_keeps_what_it_is_told(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("revoke_all revokes every live session but the kept one, and says which");
    let subject = Subject::new(store, rule).await?;
    revoke(store, rule, &subject, None, &[]).await?;
    let kept = sign_in(store, rule, &subject).await?;
    let other = sign_in(store, rule, &subject).await?;
    let ended = sign_in(store, rule, &subject).await?;
    let dead = ended.revoked(RevokeReason::SignedOut);
    apply(store, rule, &ended, &dead).await?;

    revoke(store, rule, &subject, Some(&kept.id), &[&other]).await?;
    expect(store, rule, &kept, Some(&kept)).await?;
    expect(store, rule, &ended, Some(&dead)).await?;
    expect_ended(store, rule, &other).await?;
    revoke(store, rule, &subject, None, &[&kept]).await?;
    let live = live(store, rule, &subject).await?;
    rule.check(live.is_empty(), || format!("{live:?} is live"))
}

const ENDED: Rule = Rule("a session that was ended is listed and loaded, as it was and revoked");

/// The owner of a session that is gone cannot ask about it. The server does not recognise a token of it that comes
/// late.
pub(super) async fn ended_sessions_are_listed(store: &impl RefreshStore) -> Outcome {
    let subject = Subject::new(store, ENDED).await?;
    let record = sign_in(store, ENDED, &subject).await?;
    let dead = record.revoked(RevokeReason::SignedOut);
    apply(store, ENDED, &record, &dead).await?;
    expect_listed(store, ENDED, &subject, &[&dead]).await?;
    expect(store, ENDED, &record, Some(&dead)).await
}

pub(super) async fn revoked_sessions_are_listed(store: &impl RefreshStore) -> Outcome {
    let subject = Subject::new(store, ENDED).await?;
    let record = sign_in(store, ENDED, &subject).await?;
    revoke(store, ENDED, &subject, None, &[&record]).await?;
    let listed = list(store, ENDED, &subject).await?;
    let reason = match listed.first().map(SessionRecord::state) {
        Some(SessionState::Revoked(reason)) => reason,
        state => return ENDED.check(false, || format!("its state is {state:?}")),
    };
    let ended = record.revoked(reason);
    ENDED.check(listed == [ended.clone()], || {
        format!("the list is {listed:?}")
    })?;
    expect(store, ENDED, &record, Some(&ended)).await
}

pub(super) async fn a_swap_after_revoke_all_is_a_conflict(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a swap that was decided before revoke_all conflicts after it");
    let subject = Subject::new(store, rule).await?;
    let record = sign_in(store, rule, &subject).await?;
    rule.answer(store.revoke_all(subject.tag(), None)).await?;
    let swap = rule
        .answer(store.swap(&record, &rotated(&record, 1)))
        .await?;
    rule.check(matches!(swap, Swap::Conflict(_)), || {
        "it was applied".into()
    })
}

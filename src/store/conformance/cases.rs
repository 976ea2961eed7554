//! One caller at a time.

use std::time::Duration;

use super::{
    Rule, Violation,
    sample::{Subject, rotated},
};
use crate::{
    clock::Timestamp,
    session::{RevokeReason, SessionRecord},
    store::{RefreshStore, Swap},
};

const MANY: usize = 100;

type Outcome = Result<(), Violation>;

pub(super) async fn an_inserted_record_is_loaded_unchanged(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("an inserted record is loaded unchanged");
    let subject = Subject::new(store, rule).await?;
    let mut record = subject.record(rule)?;
    record.presented_at = Some(subject.now);
    record.previous = Some([7; 32]);
    record.barrier = true;
    record.recoveries = 3;
    record.generation = u64::MAX;
    let inserted = rule.answer(store.insert(&record, MANY).await)?;
    rule.check(inserted.dropped.is_empty(), || {
        format!("{:?} was dropped without need", inserted.dropped)
    })?;
    expect(store, rule, &record, Some(&record)).await
}

pub(super) async fn an_insertion_applied_twice_is_one(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("an insertion that is applied twice counts once");
    let subject = Subject::new(store, rule).await?;
    let record = subject.record(rule)?;
    rule.answer(store.insert(&record, 1).await)?;
    let again = rule.answer(store.insert(&record, 1).await)?;
    rule.check(again.dropped.is_empty(), || {
        format!("the second one dropped {:?}", again.dropped)
    })?;
    let listed = rule.answer(store.list(subject.tag()).await)?;
    rule.check(listed == [record], || format!("the list is {listed:?}"))
}

pub(super) async fn a_taken_id_is_not_overwritten(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("an insertion does not overwrite a session of the same id");
    let subject = Subject::new(store, rule).await?;
    let record = subject.record(rule)?;
    rule.answer(store.insert(&record, MANY).await)?;
    let newer = rotated(&record, 1);
    rule.answer(store.swap(&record, &newer).await)?;
    // A retried insertion whose first attempt has long been used. Whether it is an error or
    // nothing at all, it must not bring the old token back.
    let _ = store.insert(&record, MANY).await;
    expect(store, rule, &record, Some(&newer)).await
}

pub(super) async fn a_swap_replaces_the_whole_record(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a swap from the stored record stores the next one");
    let subject = Subject::new(store, rule).await?;
    let record = subject.record(rule)?;
    rule.answer(store.insert(&record, MANY).await)?;
    let next = rotated(&record, 1);
    let swap = rule.answer(store.swap(&record, &next).await)?;
    rule.check(matches!(swap, Swap::Applied), || format!("{swap:?}"))?;
    expect(store, rule, &record, Some(&next)).await?;
    let dead = next.revoked(RevokeReason::SignedOut);
    let swap = rule.answer(store.swap(&next, &dead).await)?;
    rule.check(matches!(swap, Swap::Applied), || format!("{swap:?}"))?;
    expect(store, rule, &record, Some(&dead)).await
}

pub(super) async fn a_swap_applied_twice_is_applied(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a swap that is applied twice is reported as applied twice");
    let subject = Subject::new(store, rule).await?;
    let record = subject.record(rule)?;
    rule.answer(store.insert(&record, MANY).await)?;
    let next = rotated(&record, 1);
    for _ in 0..2 {
        let swap = rule.answer(store.swap(&record, &next).await)?;
        rule.check(matches!(swap, Swap::Applied), || format!("{swap:?}"))?;
        expect(store, rule, &record, Some(&next)).await?;
    }
    let same = rule.answer(store.swap(&next, &next).await)?;
    rule.check(matches!(same, Swap::Applied), || format!("{same:?}"))
}

pub(super) async fn a_swap_that_lost_says_what_is_stored(store: &impl RefreshStore) -> Outcome {
    let rule =
        Rule("a swap from another record than the stored one changes nothing and returns it");
    let subject = Subject::new(store, rule).await?;
    let record = subject.record(rule)?;
    rule.answer(store.insert(&record, MANY).await)?;
    let winner = rotated(&record, 1);
    rule.answer(store.swap(&record, &winner).await)?;
    // Records that differ from the stored one in one field only are other records.
    let mut almost = winner.clone();
    almost.presented_at = Some(subject.now);
    for current in [&record, &almost] {
        let loser = rotated(current, 2);
        let swap = rule.answer(store.swap(current, &loser).await)?;
        let Swap::Conflict(found) = swap else {
            return rule.check(false, || "it was applied".into());
        };
        rule.check(found.record.as_ref() == Some(&winner), || {
            format!("it returned {:?}", found.record)
        })?;
        rule.check(found.now >= subject.now, || {
            "the time it returned lies in the past".into()
        })?;
        expect(store, rule, &record, Some(&winner)).await?;
    }
    Ok(())
}

pub(super) async fn a_swap_of_nothing_is_a_conflict(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a swap of a session that is not there is a conflict without a record");
    let subject = Subject::new(store, rule).await?;
    // Once for a subject without sessions and once for one that has another.
    for _ in 0..2 {
        let record = subject.record(rule)?;
        let swap = rule.answer(store.swap(&record, &rotated(&record, 1)).await)?;
        let absent = matches!(&swap, Swap::Conflict(found) if found.record.is_none());
        rule.check(absent, || format!("{swap:?}"))?;
        expect(store, rule, &record, None).await?;
        rule.answer(store.insert(&subject.record(rule)?, MANY).await)?;
    }
    Ok(())
}

pub(super) async fn the_limit_drops_the_least_recently_rotated(
    store: &impl RefreshStore,
) -> Outcome {
    let rule = Rule("an insertion at the limit drops the least recently rotated live session");
    let subject = Subject::new(store, rule).await?;
    let mut records = vec![];
    for seconds in [3, 1, 2] {
        let mut record = subject.record(rule)?;
        record.rotated_at = subject.now + Duration::from_secs(seconds);
        let inserted = rule.answer(store.insert(&record, 3).await)?;
        rule.check(inserted.dropped.is_empty(), || {
            "one was dropped below the limit".into()
        })?;
        records.push(record);
    }
    let mut fourth = subject.record(rule)?;
    fourth.rotated_at = subject.now + Duration::from_secs(4);
    let inserted = rule.answer(store.insert(&fourth, 3).await)?;
    rule.check(inserted.dropped == [records[1].id], || {
        format!("it dropped {:?}, not {}", inserted.dropped, records[1].id)
    })?;
    let live = live(store, rule, &subject).await?;
    rule.check(live.len() == 3, || format!("{} are live", live.len()))?;
    rule.check(live.contains(&fourth), || "the new one is not".into())?;
    rule.check(live.iter().all(|record| record.id != records[1].id), || {
        "the dropped one still is".into()
    })?;
    // Whether it is forgotten or kept as revoked, its token finds no live session.
    let dropped = rule.answer(store.load(&records[1].key()).await)?.record;
    rule.check(dropped.is_none_or(|record| !record.is_live()), || {
        "the dropped one is still loaded as live".into()
    })?;
    let swap = rule.answer(store.swap(&records[1], &rotated(&records[1], 1)).await)?;
    rule.check(matches!(swap, Swap::Conflict(_)), || {
        "the dropped one was rotated".into()
    })?;
    // A lower limit than before takes effect at once.
    let fifth = subject.record(rule)?;
    let inserted = rule.answer(store.insert(&fifth, 1).await)?;
    rule.check(inserted.dropped.len() == 3, || {
        format!("a limit of 1 dropped {} of 3", inserted.dropped.len())
    })
}

pub(super) async fn revoked_sessions_do_not_count(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("revoked sessions do not count towards the limit");
    let subject = Subject::new(store, rule).await?;
    let live = subject.record(rule)?;
    let ended = subject.record(rule)?;
    rule.answer(store.insert(&live, 2).await)?;
    rule.answer(store.insert(&ended, 2).await)?;
    let revoked = ended.revoked(RevokeReason::SignedOut);
    rule.answer(store.swap(&ended, &revoked).await)?;
    let inserted = rule.answer(store.insert(&subject.record(rule)?, 2).await)?;
    rule.check(inserted.dropped.is_empty(), || {
        format!("{:?} was dropped", inserted.dropped)
    })
}

pub(super) async fn revoke_all_keeps_what_it_is_told(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("revoke_all revokes every live session but the kept one, and says which");
    let subject = Subject::new(store, rule).await?;
    let nothing = rule.answer(store.revoke_all(subject.tag(), None).await)?;
    rule.check(nothing.is_empty(), || "it revoked of nothing".into())?;
    let mut records = vec![];
    for _ in 0..3 {
        let record = subject.record(rule)?;
        rule.answer(store.insert(&record, MANY).await)?;
        records.push(record);
    }
    let dead = records[2].revoked(RevokeReason::SignedOut);
    rule.answer(store.swap(&records[2], &dead).await)?;

    let revoked = rule.answer(store.revoke_all(subject.tag(), Some(&records[0].id)).await)?;
    rule.check(revoked == [records[1].id], || {
        format!("it says {revoked:?}, not {}", records[1].id)
    })?;
    expect(store, rule, &records[0], Some(&records[0])).await?;
    expect(store, rule, &records[2], Some(&dead)).await?;
    let all = rule.answer(store.revoke_all(subject.tag(), None).await)?;
    rule.check(all == [records[0].id], || format!("the rest is {all:?}"))?;
    let live = live(store, rule, &subject).await?;
    rule.check(live.is_empty(), || format!("{live:?} is live"))
}

pub(super) async fn a_swap_after_revoke_all_is_a_conflict(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a swap that was decided before revoke_all conflicts after it");
    let subject = Subject::new(store, rule).await?;
    let record = subject.record(rule)?;
    rule.answer(store.insert(&record, MANY).await)?;
    rule.answer(store.revoke_all(subject.tag(), None).await)?;
    let swap = rule.answer(store.swap(&record, &rotated(&record, 1)).await)?;
    rule.check(matches!(swap, Swap::Conflict(_)), || {
        "it was applied".into()
    })
}

pub(super) async fn subjects_do_not_see_each_other(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("nothing that is done to one subject touches another");
    let (ours, theirs) = (
        Subject::new(store, rule).await?,
        Subject::new(store, rule).await?,
    );
    let (mine, yours) = (ours.record(rule)?, theirs.record(rule)?);
    rule.answer(store.insert(&mine, 1).await)?;
    let inserted = rule.answer(store.insert(&yours, 1).await)?;
    rule.check(inserted.dropped.is_empty(), || {
        "the limit is shared by two subjects".into()
    })?;
    // The id of one under the tag of the other is the address of nothing.
    let mut crossed = mine.key();
    crossed.subject = *theirs.tag();
    let found = rule.answer(store.load(&crossed).await)?.record;
    rule.check(found.is_none(), || {
        "an id was found under a foreign tag".into()
    })?;
    let kept_id = rule.answer(store.revoke_all(theirs.tag(), Some(&mine.id)).await)?;
    rule.check(kept_id == [yours.id], || format!("revoked {kept_id:?}"))?;
    expect(store, rule, &mine, Some(&mine)).await?;
    let listed = rule.answer(store.list(ours.tag()).await)?;
    rule.check(listed == [mine], || format!("the list is {listed:?}"))
}

pub(super) async fn ten_thousand_rotations_do_not_grow(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a record has the same size after 10 000 rotations");
    let subject = Subject::new(store, rule).await?;
    let mut record = rotated(&subject.record(rule)?, 0);
    rule.answer(store.insert(&record, MANY).await)?;
    let size = record.encode().len();
    for n in 0..10_000_u32 {
        let next = rotated(&record, n.to_be_bytes()[3]);
        let swap = rule.answer(store.swap(&record, &next).await)?;
        rule.check(matches!(swap, Swap::Applied), || format!("{n}: {swap:?}"))?;
        record = next;
    }
    let listed = rule.answer(store.list(subject.tag()).await)?;
    rule.check(listed == [record], || {
        format!("{} records are listed", listed.len())
    })?;
    let now = listed.iter().map(|record| record.encode().len()).max();
    rule.check(now == Some(size), || format!("{size} became {now:?} bytes"))
}

pub(super) async fn expired_sessions_are_gone(
    store: &impl RefreshStore,
    advance: &impl AsyncFn(Duration),
) -> Outcome {
    let rule = Rule("an expired session is neither listed nor counted nor revoked");
    let soon = |now: Timestamp| now + Duration::from_secs(2);
    let subject = Subject::new(store, rule).await?;
    let (mut idle, mut absolute) = (subject.record(rule)?, subject.record(rule)?);
    idle.idle_expires_at = soon(subject.now);
    absolute.absolute_expires_at = soon(subject.now);
    let lasting = subject.record(rule)?;
    for record in [&idle, &absolute, &lasting] {
        rule.answer(store.insert(record, 3).await)?;
    }
    let before = rule.answer(store.list(subject.tag()).await)?;
    rule.check(before.len() == 3, || {
        format!("{} of 3 are listed before it", before.len())
    })?;
    advance(Duration::from_secs(3)).await;
    let listed = rule.answer(store.list(subject.tag()).await)?;
    rule.check(listed == [lasting.clone()], || {
        format!("listed: {listed:?}")
    })?;
    let loaded = rule.answer(store.load(&lasting.key()).await)?;
    rule.check(loaded.now >= soon(subject.now), || {
        "the store's clock stands still".into()
    })?;
    let mut next = subject.record(rule)?;
    next.rotated_at = loaded.now;
    let inserted = rule.answer(store.insert(&next, 2).await)?;
    rule.check(inserted.dropped.is_empty(), || {
        format!("{:?} was dropped for the limit", inserted.dropped)
    })?;
    let mut revoked = rule.answer(store.revoke_all(subject.tag(), None).await)?;
    revoked.sort();
    let mut expected = vec![lasting.id, next.id];
    expected.sort();
    rule.check(revoked == expected, || format!("revoked: {revoked:?}"))
}

/// What the store holds at the address of `at`.
async fn expect(
    store: &impl RefreshStore,
    rule: Rule,
    at: &SessionRecord,
    expected: Option<&SessionRecord>,
) -> Outcome {
    let found = rule.answer(store.load(&at.key()).await)?.record;
    rule.check(found.as_ref() == expected, || {
        format!("{found:?} was loaded, not {expected:?}")
    })
}

async fn live(
    store: &impl RefreshStore,
    rule: Rule,
    subject: &Subject,
) -> Result<Vec<SessionRecord>, Violation> {
    let mut listed = rule.answer(store.list(subject.tag()).await)?;
    listed.retain(SessionRecord::is_live);
    Ok(listed)
}

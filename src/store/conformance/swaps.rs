//! One session, one caller at a time.

use std::time::Duration;

use super::{
    Rule,
    look::{Outcome, apply, expect, expect_listed, sign_in, stored},
    sample::{MANY, Subject, rotated},
};
use crate::{
    clock::Timestamp,
    session::{
        ClientFingerprint, Fields, Fingerprints, RevokeReason, SessionId, SessionRecord,
        SessionState,
    },
    store::{RefreshStore, Swap},
};

pub(super) async fn a_swap_replaces_the_whole_record(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a swap from the stored record stores the next one");
    let subject = Subject::new(store, rule).await?;
    let record = sign_in(store, rule, &subject).await?;
    let next = rotated(&record, 1);
    apply(store, rule, &record, &next).await?;
    expect(store, rule, &record, Some(&next)).await?;
    expect_listed(store, rule, &subject, &[&next]).await
}

pub(super) async fn a_swap_applied_twice_is_applied(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a swap that is applied twice is reported as applied twice");
    let subject = Subject::new(store, rule).await?;
    let record = sign_in(store, rule, &subject).await?;
    let next = rotated(&record, 1);
    for _ in 0..2 {
        apply(store, rule, &record, &next).await?;
        expect(store, rule, &record, Some(&next)).await?;
    }
    apply(store, rule, &next, &next).await
}

pub(super) async fn a_swap_that_lost_says_what_is_stored(store: &impl RefreshStore) -> Outcome {
    let rule =
        Rule("a swap from another record than the stored one changes nothing and returns it");
    let subject = Subject::new(store, rule).await?;
    let record = sign_in(store, rule, &subject).await?;
    let winner = rotated(&record, 1);
    apply(store, rule, &record, &winner).await?;
    for current in [&record, &rotated(&winner, 3)] {
        lose(store, rule, current, &rotated(current, 2), &winner).await?;
    }
    let swap = rule
        .answer(store.swap(&record, &rotated(&record, 2)))
        .await?;
    let Swap::Conflict(found) = swap else {
        return rule.check(false, || "it was applied".into());
    };
    let now = rule.answer(store.load(&record.key())).await?.now;
    rule.check(subject.now <= found.now && found.now <= now, || {
        let (before, told) = (subject.now, found.now);
        format!("it returned the time {told:?}, between {before:?} and {now:?}")
    })
}

type Change = fn(&mut SessionRecord);

/// Changes that make another record of one, each in one place.
const CHANGES: [(&str, Change); 20] = [
    ("the generation", |record| record.generation ^= 1 << 40),
    ("the recoveries", |record| record.recoveries ^= 1),
    ("the current token", |record| record.current[31] ^= 1),
    ("the previous token", |record| {
        record.previous = Some([9; 32])
    }),
    ("no previous token", |record| record.previous = None),
    ("the privilege change", |record| record.barrier ^= true),
    ("the binding", |record| record.bound ^= true),
    ("the seed", |record| record.seed[31] ^= 1),
    ("the hand-out", |record| {
        record.handed_out_at = later(record.handed_out_at)
    }),
    ("the presentation", |record| {
        record.presented_at = Some(record.created_at)
    }),
    ("the rotation", |record| {
        record.rotated_at = later(record.rotated_at)
    }),
    ("the sign-in", |record| {
        record.created_at = later(record.created_at)
    }),
    ("the absolute expiry", |record| {
        record.absolute_expires_at = later(record.absolute_expires_at)
    }),
    ("the idle expiry", |record| {
        record.idle_expires_at = later(record.idle_expires_at)
    }),
    ("the fingerprints", |record| {
        record.fingerprints = Fingerprints::one(ClientFingerprint::from_bytes([1; 8]))
    }),
    ("the state", |record| {
        record.state = SessionState::Revoked(RevokeReason::Denied)
    }),
    ("the end", |record| {
        record.ended_at = Some(record.created_at)
    }),
    ("the tagged fields", |record| {
        record.fields = Fields::largest()
    }),
    ("a letter's case in the label", |record| {
        record.label = record.label.to_uppercase().into()
    }),
    ("a letter's case in the context", |record| {
        if let Some(byte) = record.context.iter_mut().find(|byte| **byte == b'a') {
            *byte = b'A';
        }
    }),
];

fn later(time: Timestamp) -> Timestamp {
    time + Duration::from_millis(1)
}

pub(super) async fn a_swap_compares_the_whole_record(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("records that differ in any one field are different records to a swap");
    let subject = Subject::new(store, rule).await?;
    let record = sign_in(store, rule, &subject).await?;
    let winner = rotated(&record, 1);
    apply(store, rule, &record, &winner).await?;
    for (name, change) in CHANGES {
        let mut almost = winner.clone();
        change(&mut almost);
        // As what is to be replaced, and as what a swap that is sent twice finds.
        for (current, next) in [(&almost, &rotated(&almost, 2)), (&record, &almost)] {
            let lost = lose(store, rule, current, next, &winner).await;
            lost.map_err(|violation| violation.about(name))?;
        }
    }
    Ok(())
}

async fn lose(
    store: &impl RefreshStore,
    rule: Rule,
    current: &SessionRecord,
    next: &SessionRecord,
    winner: &SessionRecord,
) -> Outcome {
    let swap = rule.answer(store.swap(current, next)).await?;
    let Swap::Conflict(found) = swap else {
        return rule.check(false, || "it was applied".into());
    };
    rule.check(found.record.as_ref() == Some(winner), || {
        format!("it returned {:?}", found.record)
    })?;
    expect(store, rule, winner, Some(winner)).await
}

pub(super) async fn a_swap_of_nothing_is_a_conflict(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a swap of a session that is not there is a conflict without a record");
    let subject = Subject::new(store, rule).await?;
    // Once for a subject without sessions and once for one that has another.
    for _ in 0..2 {
        let record = subject.record(rule)?;
        let swap = rule
            .answer(store.swap(&record, &rotated(&record, 1)))
            .await?;
        let absent = matches!(&swap, Swap::Conflict(found) if found.record.is_none());
        rule.check(absent, || format!("{swap:?}"))?;
        expect(store, rule, &record, None).await?;
        sign_in(store, rule, &subject).await?;
    }
    Ok(())
}

pub(super) async fn a_swap_never_moves_a_session(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a swap to the address of another session or subject writes nothing");
    let (ours, theirs) = (
        Subject::new(store, rule).await?,
        Subject::new(store, rule).await?,
    );
    let (mine, beside) = (
        sign_in(store, rule, &ours).await?,
        sign_in(store, rule, &ours).await?,
    );
    let yours = sign_in(store, rule, &theirs).await?;
    let next = rotated(&mine, 1);
    let at = |subject: &Subject, id: SessionId| SessionRecord {
        subject_tag: *subject.tag(),
        id,
        ..next.clone()
    };
    for moved in [
        // To a session that is there, to none, and to what already lies there.
        at(&ours, beside.id),
        at(&theirs, yours.id),
        at(&theirs, mine.id),
        at(&ours, yours.id),
        beside.clone(),
        yours.clone(),
    ] {
        let before = stored(store, rule, &moved).await?;
        // A conflict or an error, as the store likes.
        let swap = rule.call(store.swap(&mine, &moved)).await?;
        rule.check(!matches!(swap, Ok(Swap::Applied)), || {
            "it was applied".into()
        })?;
        expect(store, rule, &moved, before.as_ref()).await?;
        expect_listed(store, rule, &ours, &[&mine, &beside]).await?;
        expect_listed(store, rule, &theirs, &[&yours]).await?;
        expect(store, rule, &mine, Some(&mine)).await?;
    }
    Ok(())
}

pub(super) async fn ten_thousand_rotations_do_not_grow(store: &impl RefreshStore) -> Outcome {
    let rule = Rule("a record has the same size after 10 000 rotations");
    let subject = Subject::new(store, rule).await?;
    let mut record = rotated(&subject.record(rule)?, 0);
    rule.answer(store.insert(&record, MANY)).await?;
    let size = record.encode().len();
    for n in 0..10_000_u32 {
        let next = rotated(&record, n.to_be_bytes()[3]);
        apply(store, rule, &record, &next).await?;
        record = next;
    }
    expect_listed(store, rule, &subject, &[&record]).await?;
    let now = record.encode().len();
    rule.check(now == size, || format!("{size} became {now} bytes"))
}

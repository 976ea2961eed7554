//! `revoke_older`, where a store offers it.

use std::{future::ready, time::Duration};

use super::{
    Violation,
    look::{Outcome, add, apply, expect_ended, expect_listed, sign_in},
    rule::Rule,
    sample::{MANY, Subject, rotated},
    steps::Steps,
};
use crate::{
    clock::Timestamp,
    session::{RevokeReason, SessionId, SessionRecord},
    store::{RefreshStore, StoreErrorKind},
};

/// Calls it. None: the store does not offer it.
pub(super) async fn revoke_older(
    store: &impl RefreshStore,
    rule: Rule,
    subject: &Subject,
    keep: Option<&SessionId>,
    before: Timestamp,
) -> Result<Option<Vec<SessionRecord>>, Violation> {
    let call = store.revoke_older(subject.tag(), keep, before);
    match rule.call(call).await? {
        Err(error) if error.kind() == StoreErrorKind::Unsupported => Ok(None),
        answer => rule.answer(ready(answer)).await.map(Some),
    }
}

pub(super) async fn it_ends_what_began_before(store: &impl RefreshStore) -> Outcome {
    let rule = Rule(
        "revoke_older revokes every live session that began by then but the kept one, and says which",
    );
    let (subject, apart) = (
        Subject::new(store, rule).await?,
        Subject::new(store, rule).await?,
    );
    let other = sign_in(store, rule, &apart).await?;
    let before = subject.now - Duration::from_secs(60);
    let later = before + Duration::from_millis(1);
    let mut records = Vec::new();
    // One that is kept, one that began since, one that has ended, and two that are meant.
    for created_at in [before, later, before, before, before] {
        let record = SessionRecord {
            created_at,
            ..subject.record(rule)?
        };
        add(store, rule, &record, MANY).await?;
        records.push(record);
    }
    let ended = records[2].revoked(RevokeReason::SignedOut);
    apply(store, rule, &records[2], &ended).await?;
    records[2] = ended;
    let keep = records[0].id;
    let told = revoke_older(store, rule, &subject, Some(&keep), before).await?;
    if let Some(mut told) = told {
        for record in &mut records[3..] {
            *record = record.revoked(RevokeReason::RevokedAll);
        }
        let mut revoked = records[3..].to_vec();
        told.sort_by_key(|record| record.id);
        revoked.sort_by_key(|record| record.id);
        rule.check(told == revoked, || {
            format!("it says that it revoked {told:?}, not {revoked:?}")
        })?;
        let again = revoke_older(store, rule, &subject, Some(&keep), before).await?;
        rule.check(again.is_some_and(|told| told.is_empty()), || {
            "a second call revoked more".into()
        })?;
    }
    let records: Vec<_> = records.iter().collect();
    expect_listed(store, rule, &subject, &records).await?;
    expect_listed(store, rule, &apart, &[&other]).await
}

pub(super) async fn it_overlaps_with_a_swap<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("no session outlives a revoke_older by a swap that overlaps with it");
    for swap_is_first in [true, false] {
        let mut steps = Steps::new();
        while steps.go_on() {
            let subject = Subject::new(one, rule).await?;
            let record = sign_in(one, rule, &subject).await?;
            let next = rotated(&record, 1);
            let swap = rule.answer(one.swap(&record, &next));
            let revocation = revoke_older(other, rule, &subject, None, record.created_at);
            let revoked = match swap_is_first {
                true => steps.overlap(swap, revocation).await.1?,
                false => steps.overlap(revocation, swap).await.0?,
            };
            let Some(revoked) = revoked else {
                return Ok(());
            };
            expect_ended(one, rule, &record).await?;
            let is_told = revoked.len() == 1 && revoked[0].id == record.id;
            rule.check(is_told, || format!("it says that it revoked {revoked:?}"))?;
        }
    }
    Ok(())
}

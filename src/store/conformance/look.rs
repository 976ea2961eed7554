//! Calls and looks that many cases share.

use super::{
    Rule, Violation,
    sample::{MANY, Subject},
};
use crate::{
    session::{RevokeReason, SessionId, SessionRecord},
    store::{RefreshStore, Swap},
};

pub(super) type Outcome = Result<(), Violation>;

/// A new session of the subject, in the store; none was dropped for it.
pub(super) async fn sign_in(
    store: &impl RefreshStore,
    rule: Rule,
    subject: &Subject,
) -> Result<SessionRecord, Violation> {
    let record = subject.record(rule)?;
    add(store, rule, &record, MANY).await?;
    Ok(record)
}

/// Inserts where there is room.
pub(super) async fn add(
    store: &impl RefreshStore,
    rule: Rule,
    record: &SessionRecord,
    limit: usize,
) -> Outcome {
    let dropped = rule.answer(store.insert(record, limit)).await?.dropped;
    rule.check(dropped.is_empty(), || {
        format!("an insertion with the limit {limit} dropped {dropped:?}")
    })
}

/// A swap that must be applied.
pub(super) async fn apply(
    store: &impl RefreshStore,
    rule: Rule,
    current: &SessionRecord,
    next: &SessionRecord,
) -> Outcome {
    let swap = rule.answer(store.swap(current, next)).await?;
    rule.check(matches!(swap, Swap::Applied), || {
        format!("a swap of what is stored was {swap:?}")
    })
}

pub(super) async fn stored(
    store: &impl RefreshStore,
    rule: Rule,
    at: &SessionRecord,
) -> Result<Option<SessionRecord>, Violation> {
    Ok(rule.answer(store.load(&at.key())).await?.record)
}

/// The store holds `expected` at the address of `at`.
pub(super) async fn expect(
    store: &impl RefreshStore,
    rule: Rule,
    at: &SessionRecord,
    expected: Option<&SessionRecord>,
) -> Outcome {
    let found = stored(store, rule, at).await?;
    rule.check(found.as_ref() == expected, || {
        format!("{found:?} was loaded, not {expected:?}")
    })
}

/// No token of it opens anything: it is forgotten or revoked.
pub(super) async fn expect_ended(
    store: &impl RefreshStore,
    rule: Rule,
    record: &SessionRecord,
) -> Outcome {
    let found = stored(store, rule, record).await?;
    rule.check(found.is_none_or(|found| !found.is_live()), || {
        "a session that was ended is loaded as live".into()
    })
}

/// The whole list, by id.
pub(super) async fn list(
    store: &impl RefreshStore,
    rule: Rule,
    subject: &Subject,
) -> Result<Vec<SessionRecord>, Violation> {
    let mut listed = rule.answer(store.list(subject.tag())).await?;
    listed.sort_by_key(|record| record.id);
    Ok(listed)
}

/// The list is these, in whatever order.
pub(super) async fn expect_listed(
    store: &impl RefreshStore,
    rule: Rule,
    subject: &Subject,
    expected: &[&SessionRecord],
) -> Outcome {
    let listed = list(store, rule, subject).await?;
    let mut expected = expected.to_vec();
    expected.sort_by_key(|record| record.id);
    rule.check(listed.iter().eq(expected.iter().copied()), || {
        format!("the list is {listed:?}, not {expected:?}")
    })
}

pub(super) async fn live(
    store: &impl RefreshStore,
    rule: Rule,
    subject: &Subject,
) -> Result<Vec<SessionRecord>, Violation> {
    let mut listed = list(store, rule, subject).await?;
    listed.retain(SessionRecord::is_live);
    Ok(listed)
}

/// Revokes all but `keep`, and these are what it says, as they are then, in whatever order.
pub(super) async fn revoke(
    store: &impl RefreshStore,
    rule: Rule,
    subject: &Subject,
    keep: Option<&SessionId>,
    expected: &[&SessionRecord],
) -> Outcome {
    let mut revoked = rule.answer(store.revoke_all(subject.tag(), keep)).await?;
    revoked.sort_by_key(|record| record.id);
    let ended = |record: &&SessionRecord| record.revoked(RevokeReason::RevokedAll);
    let mut expected: Vec<_> = expected.iter().map(ended).collect();
    expected.sort_by_key(|record| record.id);
    rule.check(revoked == expected, || {
        format!("it says that it revoked {revoked:?}, not {expected:?}")
    })
}

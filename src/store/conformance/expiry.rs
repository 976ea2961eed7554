//! Cases in which time passes. Everything is prepared first, so that it is waited for once.

use std::{future::ready, time::Duration};

use super::{
    Rule, Violation,
    everything::OLD,
    instances,
    look::{Outcome, add, apply, expect, expect_ended, expect_listed, list, revoke, stored},
    older::revoke_older,
    sample::{MANY, Subject, rotated},
    steps::Steps,
};
use crate::{
    clock::Timestamp,
    session::{RevokeReason, SessionId, SessionRecord},
    store::{RefreshStore, StoreErrorKind, Swap},
};

/// How long a session lives that is to expire. A few calls have to fit in.
const SHORT: Duration = Duration::from_secs(5);
/// How far the clock has to move.
const WAIT: Duration = Duration::from_secs(6);

const GONE: Rule =
    Rule("an expired session is neither listed nor counted, nor revoked past its absolute end");
const IDLE: Rule =
    Rule("no session outlives revoke_all by a swap that was decided before its idle end");
const IDLE_OLDER: Rule =
    Rule("no session outlives revoke_older by a swap that was decided before its idle end");
const IDLE_TOO: Rule =
    Rule("no session outlives revoke_everything by a swap that was decided before its idle end");
const LATER: Rule = Rule("a session that a swap prolongs lives on");
const SOONER: Rule = Rule("a session that a swap shortens expires by its new time");
const ENDED: Rule = Rule("a session that was ended is listed until it expires, and no longer");
const AGREED: Rule = Rule(
    "a swap compares with an expired session as it is loaded, and brings none back that is gone",
);
const HALF: Rule = Rule("a swap whose future is dropped moves the expiry with the record");

fn soon(subject: &Subject) -> Timestamp {
    subject.now + SHORT
}

pub(super) async fn run<S: RefreshStore>(
    one: &S,
    other: &S,
    make: &impl AsyncFn() -> S,
    advance: &impl AsyncFn(Duration),
) -> Outcome {
    let moved = half_moved(one).await?;
    let later = moved_by_swap(one, LATER, true).await?;
    let sooner = moved_by_swap(one, SOONER, false).await?;
    let gone = Gone::prepare(one, other).await?;
    let ended = ended_ones(one, other).await?;
    let idle = Idle::prepare(one, IDLE, None).await?;
    let idle_older = Idle::prepare(one, IDLE_OLDER, None).await?;
    let idle_too = Idle::prepare(one, IDLE_TOO, Some(OLD)).await?;
    advance(WAIT).await;
    let third = make().await;
    instances::they_have_one_clock([one, other, &third]).await?;

    for store in [one, other, &third] {
        gone.judge(store).await?;
        let (subject, next) = &later;
        expect_listed(store, LATER, subject, &[next]).await?;
        expect(store, LATER, next, Some(next)).await?;
        let (subject, _) = &sooner;
        expect_listed(store, SOONER, subject, &[]).await?;
        expect_listed(store, ENDED, &ended, &[]).await?;
        for (subject, next, is_longer) in &moved {
            let expected: &[&SessionRecord] = if *is_longer { &[next] } else { &[] };
            expect_listed(store, HALF, subject, expected).await?;
        }
    }
    // Counting and revoking are judged last: they change the store.
    idle.survive_revoke_all(one, other).await?;
    idle_older.survive_revoke_older(one, other).await?;
    idle_too.survive_everything(one, other).await?;
    let (subject, next) = &later;
    revoke(one, LATER, subject, None, &[next]).await?;
    let (subject, next) = &sooner;
    agree(one, next).await?;
    add(one, SOONER, &subject.record(SOONER)?, 1).await?;
    gone.end(one).await
}

/// A swap that makes a session last longer, or shorter.
async fn moved_by_swap(
    store: &impl RefreshStore,
    rule: Rule,
    is_longer: bool,
) -> Result<(Subject, SessionRecord), Violation> {
    let (subject, record, next) = about_to_move(store, rule, is_longer).await?;
    apply(store, rule, &record, &next).await?;
    Ok((subject, next))
}

async fn about_to_move(
    store: &impl RefreshStore,
    rule: Rule,
    is_longer: bool,
) -> Result<(Subject, SessionRecord, SessionRecord), Violation> {
    let subject = Subject::new(store, rule).await?;
    let mut record = subject.record(rule)?;
    let mut next = rotated(&record, 1);
    let short = if is_longer { &mut record } else { &mut next };
    short.idle_expires_at = soon(&subject);
    add(store, rule, &record, MANY).await?;
    Ok((subject, record, next))
}

/// The same, dropped after each of its steps; those that had happened all the same.
async fn half_moved(
    store: &impl RefreshStore,
) -> Result<Vec<(Subject, SessionRecord, bool)>, Violation> {
    let mut moved = vec![];
    for is_longer in [true, false] {
        let mut steps = Steps::new();
        while steps.go_on() {
            let (subject, record, next) = about_to_move(store, HALF, is_longer).await?;
            HALF.call(steps.cut(store.swap(&record, &next))).await?;
            if stored(store, HALF, &record).await?.as_ref() == Some(&next) {
                moved.push((subject, next, is_longer));
            }
        }
    }
    Ok(moved)
}

/// Two sessions that expire soon, one ended by a swap and one by `revoke_all`.
async fn ended_ones<S: RefreshStore>(one: &S, other: &S) -> Result<Subject, Violation> {
    let subject = Subject::new(one, ENDED).await?;
    let mut records = vec![];
    for _ in 0..2 {
        let mut record = subject.record(ENDED)?;
        record.idle_expires_at = soon(&subject);
        add(one, ENDED, &record, MANY).await?;
        records.push(record);
    }
    let dead = records[0].revoked(RevokeReason::SignedOut);
    apply(one, ENDED, &records[0], &dead).await?;
    ENDED.answer(one.revoke_all(subject.tag(), None)).await?;
    for store in [one, other] {
        let listed = list(store, ENDED, &subject).await?;
        let now = ENDED.answer(store.load(&records[0].key())).await?.now;
        ENDED.check(listed.len() == 2 || now >= soon(&subject), || {
            format!("{} of 2 are listed", listed.len())
        })?;
    }
    Ok(subject)
}

/// Where a store still shows what has expired, it is the same to all its operations.
async fn agree(store: &impl RefreshStore, expired: &SessionRecord) -> Outcome {
    if stored(store, AGREED, expired).await?.is_none() {
        return comes_too_late(store, AGREED, expired).await;
    }
    let swap = AGREED
        .answer(store.swap(expired, &expired.revoked(RevokeReason::SignedOut)))
        .await?;
    // It may have been cleared away in between.
    let is_there = stored(store, AGREED, expired).await?.is_some();
    AGREED.check(matches!(swap, Swap::Applied) || !is_there, || {
        format!("it was {swap:?}")
    })
}

/// A rotation that was decided before, of a session that has ended or gone since.
async fn comes_too_late(store: &impl RefreshStore, rule: Rule, ended: &SessionRecord) -> Outcome {
    let swap = rule.answer(store.swap(ended, &rotated(ended, 1))).await?;
    rule.check(matches!(swap, Swap::Conflict(_)), || {
        format!("it was {swap:?}")
    })?;
    expect_ended(store, rule, ended).await
}

/// Revokes all but `keep`: at most `idle` is there. The store may have cleared it away, or a call before this one revoked it.
async fn revoke_idle(
    store: &impl RefreshStore,
    rule: Rule,
    subject: &Subject,
    idle: &SessionRecord,
    keep: &SessionId,
) -> Outcome {
    let revoked = rule
        .answer(store.revoke_all(subject.tag(), Some(keep)))
        .await?;
    let ended = idle.revoked(RevokeReason::RevokedAll);
    rule.check(revoked.is_empty() || revoked == [ended], || {
        format!("it says that it revoked {revoked:?}")
    })
}

/// A subject with a session that is idle for too long before its refresh is written. Another session of it lasts.
struct Idle {
    subject: Subject,
    idle: SessionRecord,
    lasting: SessionRecord,
}

impl Idle {
    /// They began at that time, or just now. An instance may remember the end of everything that began by a time.
    async fn prepare(
        store: &impl RefreshStore,
        rule: Rule,
        began: Option<Timestamp>,
    ) -> Result<Self, Violation> {
        let subject = Subject::new(store, rule).await?;
        let mut idle = subject.record(rule)?;
        idle.idle_expires_at = soon(&subject);
        let mut lasting = subject.record(rule)?;
        for record in [&mut idle, &mut lasting] {
            record.created_at = began.unwrap_or(record.created_at);
            add(store, rule, record, MANY).await?;
        }
        Ok(Self {
            subject,
            idle,
            lasting,
        })
    }

    async fn survive_revoke_all<S: RefreshStore>(&self, one: &S, other: &S) -> Outcome {
        let Self {
            subject,
            idle,
            lasting,
        } = self;
        revoke_idle(one, IDLE, subject, idle, &lasting.id).await?;
        expect(other, IDLE, lasting, Some(lasting)).await?;
        comes_too_late(other, IDLE, idle).await
    }

    async fn survive_revoke_older<S: RefreshStore>(&self, one: &S, other: &S) -> Outcome {
        let Self {
            subject,
            idle,
            lasting,
        } = self;
        let keep = Some(&lasting.id);
        match revoke_older(one, IDLE_OLDER, subject, keep, idle.created_at).await? {
            Some(_) => comes_too_late(other, IDLE_OLDER, idle).await,
            None => Ok(()),
        }
    }

    async fn survive_everything<S: RefreshStore>(&self, one: &S, other: &S) -> Outcome {
        match IDLE_TOO.call(one.revoke_everything(OLD)).await? {
            Err(error) if error.kind() == StoreErrorKind::Unsupported => return Ok(()),
            answer => IDLE_TOO.answer(ready(answer)).await?,
        };
        expect_ended(other, IDLE_TOO, &self.lasting).await?;
        comes_too_late(other, IDLE_TOO, &self.idle).await
    }
}

/// A subject two of whose three sessions expire: one for being idle and one by its end.
struct Gone {
    subject: Subject,
    idle: SessionRecord,
    lasting: SessionRecord,
}

impl Gone {
    async fn prepare<S: RefreshStore>(one: &S, other: &S) -> Result<Self, Violation> {
        let subject = Subject::new(one, GONE).await?;
        let (mut idle, mut absolute) = (subject.record(GONE)?, subject.record(GONE)?);
        idle.idle_expires_at = soon(&subject);
        absolute.absolute_expires_at = soon(&subject);
        let lasting = subject.record(GONE)?;
        for record in [&idle, &absolute, &lasting] {
            add(one, GONE, record, 3).await?;
        }
        for store in [one, other] {
            let listed = list(store, GONE, &subject).await?.len();
            let now = GONE.answer(store.load(&lasting.key())).await?.now;
            GONE.check(listed == 3 || now >= soon(&subject), || {
                format!("{listed} of 3 are listed before it")
            })?;
        }
        Ok(Self {
            subject,
            idle,
            lasting,
        })
    }

    async fn judge(&self, store: &impl RefreshStore) -> Outcome {
        let Self {
            subject,
            idle,
            lasting,
        } = self;
        let now = GONE.answer(store.load(&lasting.key())).await?.now;
        GONE.check(now >= soon(subject), || {
            "the store's clock stands still".into()
        })?;
        expect_listed(store, GONE, subject, &[lasting]).await?;
        revoke_idle(store, GONE, subject, idle, &lasting.id).await
    }

    async fn end(&self, store: &impl RefreshStore) -> Outcome {
        let Self {
            subject, lasting, ..
        } = self;
        let mut next = subject.record(GONE)?;
        next.rotated_at = soon(subject);
        add(store, GONE, &next, 2).await?;
        revoke(store, GONE, subject, None, &[lasting, &next]).await
    }
}

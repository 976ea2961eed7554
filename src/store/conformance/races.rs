//! Many callers at once.
//!
//! A race that is lost by luck proves nothing, so each is run many times.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use tokio::task::JoinSet;

use super::{
    Rule, Violation,
    look::{Outcome, expect, expect_ended, list, live, sign_in},
    sample::{MANY, Subject, rotated},
};
use crate::{
    session::SessionRecord,
    store::{RefreshStore, Swap},
};

const ROUNDS: usize = 25;
const CALLERS: u8 = 16;

/// Each caller has one of the two instances.
pub(super) struct Callers<'a, S>(pub(super) &'a S, pub(super) &'a S);

impl<S: RefreshStore + Clone> Callers<'_, S> {
    fn instance(&self, n: u8) -> S {
        if n.is_multiple_of(2) { self.0 } else { self.1 }.clone()
    }

    pub(super) async fn one_of_many_swaps_wins(&self) -> Outcome {
        let rule = Rule("of several concurrent swaps from one record exactly one is applied");
        for _ in 0..ROUNDS {
            let subject = Subject::new(self.0, rule).await?;
            let record = sign_in(self.0, rule, &subject).await?;
            let swaps = together(rule, |n| {
                let (store, record) = (self.instance(n), record.clone());
                async move {
                    let next = rotated(&record, n);
                    (rule.answer(store.swap(&record, &next)).await, next)
                }
            })
            .await?;
            let mut winners = vec![];
            let mut losers = vec![];
            for (swap, next) in swaps {
                match swap? {
                    Swap::Applied => winners.push(next),
                    Swap::Conflict(found) => losers.push(found.record),
                }
            }
            rule.check(winners.len() == 1, || {
                format!("{} of {CALLERS} were", winners.len())
            })?;
            let winner = winners.pop();
            rule.check(losers.iter().all(|found| *found == winner), || {
                "a conflict returned another record than the winner's".into()
            })?;
            expect(self.1, rule, &record, winner.as_ref()).await?;
        }
        Ok(())
    }

    pub(super) async fn one_swap_by_many_is_applied_for_all(&self) -> Outcome {
        let rule = Rule("several concurrent applications of one swap are all reported as applied");
        for _ in 0..ROUNDS {
            let subject = Subject::new(self.0, rule).await?;
            let record = sign_in(self.0, rule, &subject).await?;
            let swaps = together(rule, |n| {
                let (store, record) = (self.instance(n), record.clone());
                async move { rule.answer(store.swap(&record, &rotated(&record, 1))).await }
            })
            .await?;
            for swap in swaps {
                let swap = swap?;
                rule.check(matches!(swap, Swap::Applied), || format!("{swap:?}"))?;
            }
        }
        Ok(())
    }

    pub(super) async fn the_limit_holds_against_many(&self) -> Outcome {
        let rule = Rule("concurrent insertions leave a subject exactly its limit of live sessions");
        for _ in 0..ROUNDS {
            let subject = Subject::new(self.0, rule).await?;
            let inserted = together(rule, |n| {
                let (store, record) = (self.instance(n), subject.record(rule));
                async move {
                    let record = record?;
                    rule.answer(store.insert(&record, 3)).await
                }
            })
            .await?;
            let mut dropped = 0;
            for inserted in inserted {
                dropped += inserted?.dropped.len();
            }
            let live = live(self.0, rule, &subject).await?.len();
            rule.check(live == 3, || format!("{live} are live, and the limit is 3"))?;
            rule.check(dropped + live == usize::from(CALLERS), || {
                format!("{dropped} were reported as dropped and {live} are live of {CALLERS}")
            })?;
        }
        Ok(())
    }

    pub(super) async fn revoke_all_leaves_nothing_half_done(&self) -> Outcome {
        let rule = Rule("revoke_all is atomic with respect to insert and swap");
        for _ in 0..ROUNDS {
            let subject = Subject::new(self.0, rule).await?;
            let old = sign_in(self.0, rule, &subject).await?;
            // Even callers rotate the old session on and on, odd ones sign in; one revokes all.
            let new = together(rule, |n| {
                // Both kinds come by way of both instances.
                let (store, old) = (self.instance(n / 2), old.clone());
                let record = subject.record(rule);
                async move {
                    let record = record?;
                    if n == CALLERS / 2 {
                        rule.answer(store.revoke_all(subject.tag(), None)).await?;
                    } else if n % 2 == 0 {
                        rotate_on(&store, rule, old).await?;
                    } else {
                        rule.answer(store.insert(&record, MANY)).await?;
                        return Ok(Some(record));
                    }
                    Ok::<_, Violation>(None)
                }
            })
            .await?;
            expect_ended(self.1, rule, &old).await?;
            // New sessions came before or after it: revoked or live, but never lost.
            let listed = list(self.1, rule, &subject).await?;
            for record in new {
                let Some(record) = record? else { continue };
                rule.check(listed.iter().any(|found| found.id == record.id), || {
                    "a session that was added meanwhile is gone".into()
                })?;
            }
        }
        Ok(())
    }
}

/// Rotates until another caller has ended the session.
async fn rotate_on(store: &impl RefreshStore, rule: Rule, mut record: SessionRecord) -> Outcome {
    for n in 0..CALLERS {
        let next = rotated(&record, n);
        match rule.answer(store.swap(&record, &next)).await? {
            Swap::Applied => record = next,
            Swap::Conflict(found) => match found.record.filter(SessionRecord::is_live) {
                Some(current) => record = current,
                None => break,
            },
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// The answers of all callers, each in a task of its own, all let go at the same moment.
async fn together<F>(rule: Rule, call: impl Fn(u8) -> F) -> Result<Vec<F::Output>, Violation>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let ready = Arc::new(AtomicU8::new(0));
    let mut tasks = JoinSet::new();
    for n in 0..CALLERS {
        let (call, ready) = (call(n), ready.clone());
        tasks.spawn(async move {
            ready.fetch_add(1, Ordering::SeqCst);
            while ready.load(Ordering::SeqCst) < CALLERS {
                tokio::task::yield_now().await;
            }
            call.await
        });
    }
    let mut answers = vec![];
    while let Some(answer) = tasks.join_next().await {
        answers.push(answer.map_err(|_| Violation::new(rule.0, "the store panicked"))?);
    }
    Ok(answers)
}

//! Two calls at once, the second one between any two steps of the first.
//!
//! They come by way of two instances: a lock of one instance keeps nothing from the other.

use super::{
    Rule,
    look::{Outcome, apply, expect, expect_ended, expect_listed, list, live, sign_in},
    sample::{MANY, Subject, rotated},
    steps::Steps,
};
use crate::{
    session::{SessionId, SessionRecord},
    store::{RefreshStore, Swap},
};

pub(super) async fn two_swaps<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("of two swaps from one record that overlap exactly one is applied");
    let mut steps = Steps::new();
    while steps.go_on() {
        let subject = Subject::new(one, rule).await?;
        let record = sign_in(one, rule, &subject).await?;
        let (first, second) = (rotated(&record, 1), rotated(&record, 2));
        let answers = steps
            .overlap(
                rule.answer(one.swap(&record, &first)),
                rule.answer(other.swap(&record, &second)),
            )
            .await;
        let (winner, found) = match (answers.0?, answers.1?) {
            (Swap::Applied, Swap::Conflict(found)) => (first, found),
            (Swap::Conflict(found), Swap::Applied) => (second, found),
            both => return rule.check(false, || format!("they were {both:?}")),
        };
        rule.check(found.record.as_ref() == Some(&winner), || {
            format!("the conflict returned {:?}", found.record)
        })?;
        expect(one, rule, &record, Some(&winner)).await?;
    }
    Ok(())
}

pub(super) async fn one_swap_twice<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("of one swap that overlaps with itself both are reported as applied");
    let mut steps = Steps::new();
    while steps.go_on() {
        let subject = Subject::new(one, rule).await?;
        let record = sign_in(one, rule, &subject).await?;
        let next = rotated(&record, 1);
        let answers = steps
            .overlap(
                apply(one, rule, &record, &next),
                apply(other, rule, &record, &next),
            )
            .await;
        answers.0.and(answers.1)?;
    }
    Ok(())
}

/// Sessions of one subject may lie in one place, and are different sessions all the same.
pub(super) async fn swaps_beside_each_other<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("what is done to one session at the same time loses nothing of another");
    let mut steps = Steps::new();
    while steps.go_on() {
        let subject = Subject::new(one, rule).await?;
        let (mine, yours) = (
            sign_in(one, rule, &subject).await?,
            sign_in(one, rule, &subject).await?,
        );
        let (first, second) = (rotated(&mine, 1), rotated(&yours, 2));
        let answers = steps
            .overlap(
                apply(one, rule, &mine, &first),
                apply(other, rule, &yours, &second),
            )
            .await;
        answers.0.and(answers.1)?;
        expect_listed(other, rule, &subject, &[&first, &second]).await?;
    }
    for insertion_is_first in [true, false] {
        let mut steps = Steps::new();
        while steps.go_on() {
            let subject = Subject::new(one, rule).await?;
            let (mine, new) = (sign_in(one, rule, &subject).await?, subject.record(rule)?);
            let next = rotated(&mine, 1);
            let swap = apply(one, rule, &mine, &next);
            let insertion = rule.answer(other.insert(&new, MANY));
            let answers = match insertion_is_first {
                false => steps.overlap(swap, insertion).await,
                true => {
                    let (insertion, swap) = steps.overlap(insertion, swap).await;
                    (swap, insertion)
                }
            };
            answers.0.and(answers.1)?;
            expect_listed(other, rule, &subject, &[&next, &new]).await?;
        }
    }
    Ok(())
}

pub(super) async fn two_insertions<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("two insertions that overlap leave a subject within its limit");
    let mut steps = Steps::new();
    while steps.go_on() {
        let subject = Subject::new(one, rule).await?;
        let old = sign_in(one, rule, &subject).await?;
        let (first, second) = (subject.record(rule)?, subject.record(rule)?);
        let answers = steps
            .overlap(
                rule.answer(one.insert(&first, 2)),
                rule.answer(other.insert(&second, 2)),
            )
            .await;
        let dropped = [answers.0?.dropped, answers.1?.dropped].concat();
        let live = live(one, rule, &subject).await?;
        rule.check(live.len() == 2, || {
            format!("{} are live, and the limit is 2", live.len())
        })?;
        // Each of the three is either live or was reported.
        let is_accounted_for =
            |record: &&SessionRecord| live.contains(record) != names(&dropped, &record.id);
        let all = [&old, &first, &second];
        rule.check(all.iter().all(is_accounted_for), || {
            format!("{live:?} are live and {dropped:?} were reported as dropped")
        })?;
    }
    Ok(())
}

pub(super) async fn revoke_all_and_a_swap<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("no session outlives a revoke_all by a swap that overlaps with it");
    for swap_is_first in [true, false] {
        let mut steps = Steps::new();
        while steps.go_on() {
            let subject = Subject::new(one, rule).await?;
            let record = sign_in(one, rule, &subject).await?;
            let next = rotated(&record, 1);
            let swap = rule.answer(one.swap(&record, &next));
            let revocation = rule.answer(other.revoke_all(subject.tag(), None));
            let revoked = match swap_is_first {
                true => steps.overlap(swap, revocation).await.1?,
                false => steps.overlap(revocation, swap).await.0?,
            };
            expect_ended(one, rule, &record).await?;
            let is_told = revoked.len() == 1 && names(&revoked, &record.id);
            rule.check(is_told, || format!("it says that it revoked {revoked:?}"))?;
        }
    }
    Ok(())
}

pub(super) async fn revoke_all_and_an_insertion<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("an insertion that overlaps with revoke_all comes before or after it, whole");
    for insertion_is_first in [true, false] {
        let mut steps = Steps::new();
        while steps.go_on() {
            let subject = Subject::new(one, rule).await?;
            let (old, new) = (sign_in(one, rule, &subject).await?, subject.record(rule)?);
            let insertion = rule.answer(one.insert(&new, MANY));
            let revocation = rule.answer(other.revoke_all(subject.tag(), None));
            let (inserted, revoked) = match insertion_is_first {
                true => steps.overlap(insertion, revocation).await,
                false => {
                    let (revoked, inserted) = steps.overlap(revocation, insertion).await;
                    (inserted, revoked)
                }
            };
            let (_, revoked) = (inserted?, revoked?);
            expect_ended(one, rule, &old).await?;
            let listed = list(other, rule, &subject).await?;
            let found = listed.iter().find(|found| found.id == new.id);
            let Some(found) = found else {
                return rule.check(false, || "the new session is gone".into());
            };
            rule.check(found.is_live() != names(&revoked, &new.id), || {
                format!("{found:?} is listed, and {revoked:?} is said to be revoked")
            })?;
        }
    }
    Ok(())
}

fn names(records: &[SessionRecord], id: &SessionId) -> bool {
    records.iter().any(|record| record.id == *id)
}

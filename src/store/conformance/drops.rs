//! Calls whose future is dropped between two of their steps.
//!
//! A command that was sent may still arrive. So each look takes one moment for itself: a list is before it or after it.

use super::{
    Rule,
    look::{
        Outcome, apply, expect, expect_ended, expect_listed, list, live, revoke, sign_in, stored,
    },
    sample::{Subject, rotated},
    steps::Steps,
};
use crate::store::RefreshStore;

pub(super) async fn a_swap<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("a swap whose future is dropped has happened whole or not at all");
    let mut steps = Steps::new();
    while steps.go_on() {
        let subject = Subject::new(one, rule).await?;
        let record = sign_in(one, rule, &subject).await?;
        let next = rotated(&record, 1);
        rule.call(steps.cut(one.swap(&record, &next))).await?;
        let found = stored(other, rule, &record).await?;
        let has_happened = found.as_ref() == Some(&next);
        rule.check(has_happened || found.as_ref() == Some(&record), || {
            format!("{found:?} is stored")
        })?;
        let listed = list(other, rule, &subject).await?;
        let is_old = !has_happened && listed == [record.clone()];
        rule.check(is_old || listed == [next.clone()], || {
            format!("{listed:?} is listed, and {found:?} was loaded")
        })?;
        apply(one, rule, &record, &next).await?;
        expect(other, rule, &record, Some(&next)).await?;
        expect_listed(other, rule, &subject, &[&next]).await?;
    }
    Ok(())
}

pub(super) async fn an_insertion<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("an insertion whose future is dropped has happened whole or not at all");
    let mut steps = Steps::new();
    while steps.go_on() {
        let subject = Subject::new(one, rule).await?;
        let old = sign_in(one, rule, &subject).await?;
        let new = subject.record(rule)?;
        rule.call(steps.cut(one.insert(&new, 1))).await?;
        let found = live(other, rule, &subject).await?;
        let has_happened = found == [new.clone()];
        rule.check(has_happened || found == [old.clone()], || {
            format!("{found:?} are live, and the limit is 1")
        })?;
        let loaded = stored(other, rule, &new).await?;
        if has_happened || loaded.is_some() {
            rule.check(loaded.as_ref() == Some(&new), || {
                format!("the new one is listed, and {loaded:?} is loaded")
            })?;
            expect_ended(other, rule, &old).await?;
        }
        rule.answer(one.insert(&new, 1)).await?;
        let found = live(other, rule, &subject).await?;
        rule.check(found == [new.clone()], || {
            format!("{found:?} are live after it was done again")
        })?;
        expect(other, rule, &new, Some(&new)).await?;
        expect_ended(other, rule, &old).await?;
    }
    Ok(())
}

pub(super) async fn revoke_all<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("a revoke_all whose future is dropped has happened whole or not at all");
    let mut steps = Steps::new();
    while steps.go_on() {
        let subject = Subject::new(one, rule).await?;
        let mut records = vec![];
        for _ in 0..3 {
            records.push(sign_in(one, rule, &subject).await?);
        }
        let call = one.revoke_all(subject.tag(), None);
        rule.call(steps.cut(call)).await?;
        let listed = list(other, rule, &subject).await?;
        let live = listed.iter().filter(|record| record.is_live()).count();
        rule.check(listed.len() == 3 && [0, 3].contains(&live), || {
            format!("{live} of 3 are live and {} are listed", listed.len())
        })?;
        if live == 0 {
            for record in &records {
                expect_ended(other, rule, record).await?;
            }
        }
        rule.answer(one.revoke_all(subject.tag(), None)).await?;
        revoke(other, rule, &subject, None, &[]).await?;
        for record in &records {
            expect_ended(other, rule, record).await?;
        }
    }
    Ok(())
}

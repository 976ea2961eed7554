//! Two servers over one backend.

use std::time::Duration;

use super::{
    Rule,
    look::{Outcome, apply, expect, expect_ended, expect_listed, revoke, sign_in},
    sample::{Subject, rotated},
};
use crate::store::{RefreshStore, Swap};

/// How far the clock of a backend may go back, when it is corrected or when it is several machines.
const TOLERANCE: Duration = Duration::from_secs(1);

/// Each of the two writes what the other one has read before.
pub(super) async fn each_sees_what_the_other_wrote<S: RefreshStore>(one: &S, other: &S) -> Outcome {
    let rule = Rule("what one instance wrote every instance over the backend reads, at once");
    for (writer, reader) in [(one, other), (other, one)] {
        let subject = Subject::new(writer, rule).await?;
        // That there is nothing may be remembered as well.
        let record = subject.record(rule)?;
        expect(reader, rule, &record, None).await?;
        expect_listed(reader, rule, &subject, &[]).await?;
        rule.answer(writer.insert(&record, 2)).await?;
        expect(reader, rule, &record, Some(&record)).await?;
        expect_listed(reader, rule, &subject, &[&record]).await?;

        let next = rotated(&record, 1);
        apply(writer, rule, &record, &next).await?;
        let late = rule
            .answer(reader.swap(&record, &rotated(&record, 2)))
            .await?;
        let told = matches!(&late, Swap::Conflict(found) if found.record.as_ref() == Some(&next));
        rule.check(told, || format!("a swap that came late was {late:?}"))?;
        expect(reader, rule, &record, Some(&next)).await?;
        expect_listed(reader, rule, &subject, &[&next]).await?;
        // A swap is answered alike when it is sent again by way of another instance.
        apply(reader, rule, &record, &next).await?;
        let third = rotated(&next, 3);
        apply(reader, rule, &next, &third).await?;
        expect(writer, rule, &record, Some(&third)).await?;

        let second = sign_in(reader, rule, &subject).await?;
        rule.answer(writer.insert(&subject.record(rule)?, 2))
            .await?;
        expect_ended(reader, rule, &second).await?;
        expect(reader, rule, &third, Some(&third)).await?;
        rule.answer(writer.revoke_all(subject.tag(), None)).await?;
        for ended in [&third, &second] {
            expect_ended(reader, rule, ended).await?;
            let swap = rule.answer(reader.swap(ended, &rotated(ended, 4))).await?;
            rule.check(matches!(swap, Swap::Conflict(_)), || {
                "a session that the other one had revoked was rotated".into()
            })?;
        }
        revoke(reader, rule, &subject, None, &[]).await?;
    }
    Ok(())
}

/// All of them tell the time of the store, in turn.
pub(super) async fn they_have_one_clock<S: RefreshStore, const N: usize>(
    instances: [&S; N],
) -> Outcome {
    let rule = Rule("every instance over the backend has the same clock, which is the store's");
    // One key, which one machine of a cluster has.
    let nothing = Subject::new(instances[0], rule).await?.record(rule)?;
    let mut before = None;
    for instance in instances.iter().chain(&instances) {
        let loaded = rule.answer(instance.load(&nothing.key())).await?.now;
        // A conflict tells the time as well.
        let next = rotated(&nothing, 1);
        let lost = match rule.answer(instance.swap(&nothing, &next)).await? {
            Swap::Conflict(found) => found.now,
            Swap::Applied => loaded,
        };
        for now in [loaded, lost] {
            let is_behind = before.is_some_and(|before| now + TOLERANCE < before);
            rule.check(!is_behind, || {
                format!("one tells {now:?} after another has told {before:?}")
            })?;
            before = Some(now);
        }
    }
    Ok(())
}

//! `revoke_everything`, where a store offers it.

use std::future::ready;

use super::{
    look::{Outcome, add, apply, expect_listed},
    rule::Rule,
    sample::{MANY, Subject},
};
use crate::{
    clock::Timestamp,
    session::{RevokeReason, SessionRecord},
    store::{RefreshStore, StoreError, StoreErrorKind},
};

/// Sessions that began in 1970, so that whatever else the backend holds is left alone.
pub(super) const OLD: Timestamp = Timestamp::from_millis(5);
const TOO_NEW: Timestamp = Timestamp::from_millis(6);

pub(super) async fn it_ends_what_began_before(one: &impl RefreshStore) -> Outcome {
    let rule = Rule("revoke_everything ends every live session that began by then, and no other");
    let subjects = 3;
    let mut expected = Vec::new();
    for _ in 0..subjects {
        let subject = Subject::new(one, rule).await?;
        let mut records = Vec::new();
        for created_at in [OLD, OLD, TOO_NEW] {
            let record = SessionRecord {
                created_at,
                ..subject.record(rule)?
            };
            add(one, rule, &record, MANY).await?;
            records.push(record);
        }
        let ended = records[1].revoked(RevokeReason::SignedOut);
        apply(one, rule, &records[1], &ended).await?;
        records[1] = ended;
        expected.push((subject, records));
    }
    let answer = rule.call(one.revoke_everything(OLD)).await?;
    let is_unsupported = |error: &StoreError| error.kind() == StoreErrorKind::Unsupported;
    let is_offered = !answer.as_ref().is_err_and(is_unsupported);
    if is_offered {
        let count = rule.answer(ready(answer)).await?;
        // A suite that was cut off may have left some.
        rule.check(count >= subjects, || {
            format!("it says that it revoked {count}, not {subjects}")
        })?;
    }
    for (subject, mut records) in expected {
        if is_offered {
            records[0] = records[0].revoked(RevokeReason::RevokedAll);
        }
        let records: Vec<_> = records.iter().collect();
        expect_listed(one, rule, &subject, &records).await?;
    }
    if is_offered {
        let again = rule.answer(one.revoke_everything(OLD)).await?;
        rule.check(again == 0, || format!("a second call revoked {again} more"))?;
    }
    Ok(())
}

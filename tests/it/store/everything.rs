//! The end of every session that began by a time.

use tower_bearer::{
    RevokeReason, Timestamp,
    store::{self, SessionRecord, StoreError, StoreErrorKind},
};

use super::{
    passes, refuses, shared,
    table::{Backend, Broken, mistake},
};

/// Ends the sessions that `which` names, and says that they are so many.
#[derive(Debug)]
struct Ends {
    backend: Backend,
    which: fn(&SessionRecord, Timestamp) -> bool,
    count: fn(usize) -> usize,
}

impl Ends {
    fn new(backend: Backend, which: fn(&SessionRecord, Timestamp) -> bool) -> Self {
        let count = |ended| ended;
        Self {
            backend,
            which,
            count,
        }
    }

    fn counting(backend: Backend, count: fn(usize) -> usize) -> Self {
        let which = |session: &SessionRecord, before| session.created_at() <= before;
        Self {
            backend,
            which,
            count,
        }
    }
}

impl Broken for Ends {
    fn backend(&self) -> &Backend {
        &self.backend
    }

    async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
        let rows: Vec<_> = self.backend.rows().values().cloned().collect();
        let records = rows.into_iter().map(|row| row.record);
        let meant = records.filter(|record| record.is_live() && (self.which)(record, before));
        let ended: Vec<_> = meant.collect();
        for record in &ended {
            self.backend.put(&record.revoked(RevokeReason::RevokedAll));
        }
        Ok((self.count)(ended.len()) as u64)
    }
}

mistake! {
    /// Goes on with the next subject at the first session of each.
    EndsOneOfEach {
        async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
            let mut count = self.0.revoke_everything(before).await?;
            let mut rows = self.0.rows();
            let ended = |record: &SessionRecord| record.revoked(RevokeReason::RevokedAll);
            let row = rows.values_mut().find(|row| row.record == ended(&row.record) && row.record.created_at() <= before);
            if let Some(row) = row {
                // A byte of the layout: the state, in front of the lengths of the texts.
                let mut bytes = row.record.encode();
                bytes[240 - 11] = 0;
                row.record = SessionRecord::decode(&bytes)?;
                count += 1;
            }
            Ok(count)
        }
    }
}

mistake! {
    /// Counts the rows that it has looked at.
    CountsWhatHadEnded {
        async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
            self.0.revoke_everything(before).await?;
            let rows = self.0.rows();
            let old = rows.values().filter(|row| row.record.created_at() <= before);
            Ok(old.count() as u64)
        }
    }
}

mistake! {
    /// There is nothing faster.
    DeletesThem {
        async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
            let mut rows = self.0.rows();
            let all = rows.len();
            rows.retain(|_, row| row.record.created_at() > before);
            Ok((all - rows.len()) as u64)
        }
    }
}

mistake! {
    /// Tells of them as of those that a client has ended.
    EndsThemAsSignedOut {
        async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
            let rows: Vec<_> = self.0.rows().values().cloned().collect();
            let mut sessions: Vec<_> = rows.into_iter().map(|row| row.record).collect();
            let before_it = sessions.clone();
            let revoked = store::revoke_before(&mut sessions, before, self.0.now());
            for record in before_it.iter().filter(|record| super::names(&revoked, &record.id())) {
                self.0.put(&record.revoked(RevokeReason::SignedOut));
            }
            Ok(revoked.len() as u64)
        }
    }
}

mistake! {
    /// Ends them, and then has no answer.
    FailsAtItsEnd {
        async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
            self.0.revoke_everything(before).await?;
            Err(StoreError::unavailable("cut off for the test"))
        }
    }
}

mistake! {
    /// Does it, and says that it does not offer it.
    DeniesIt {
        async fn revoke_everything(&self, before: Timestamp) -> Result<u64, StoreError> {
            self.0.revoke_everything(before).await?;
            Err(StoreErrorKind::Unsupported.into())
        }
    }
}

mistake! {
    DoesNotOfferIt {
        async fn revoke_everything(&self, _: Timestamp) -> Result<u64, StoreError> {
            Err(StoreErrorKind::Unsupported.into())
        }
    }
}

refuses! {
    an_end_of_everything_whenever_it_began: |backend| Ends::new(backend, |_, _| true) => "that began by then";
    an_end_of_everything_that_began_before_and_not_by_then:
        |backend| Ends::new(backend, |session, before| session.created_at() < before) => "that began by then";
    an_end_of_everything_that_rotated_by_then:
        |backend| Ends::new(backend, |session, before| session.last_rotated_at() <= before) => "that began by then";
    an_end_of_everything_that_began_in_the_same_second:
        |backend| Ends::new(backend, |session, before| session.created_at().as_secs() <= before.as_secs()) => "that began by then";
    an_end_of_everything_that_ends_nothing: |backend| Ends::new(backend, |_, _| false) => "that began by then";
    an_end_of_everything_that_forgets_one: EndsOneOfEach => "that began by then";
    an_end_of_everything_that_says_nothing: |backend| Ends::counting(backend, |_| 0) => "that began by then";
    an_end_of_everything_that_counts_one_too_few:
        |backend| Ends::counting(backend, |ended| ended.saturating_sub(1)) => "that began by then";
    an_end_of_everything_that_counts_what_had_ended: CountsWhatHadEnded => "that began by then";
    an_end_of_everything_that_deletes: DeletesThem => "that began by then";
    an_end_of_everything_for_another_reason: EndsThemAsSignedOut => "that began by then";
    an_end_of_everything_that_fails: FailsAtItsEnd => "that began by then";
    an_end_of_everything_that_is_denied: DeniesIt => "that began by then";
}

/// A store without an index of all sessions is a whole store.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_does_not_offer_it_conforms() {
    passes(&|clock| shared(DoesNotOfferIt(Backend::new(clock)))).await;
}

//! The end of a subject's sessions that began by a time.

use tower_bearer::{
    RevokeReason, SessionId, Timestamp,
    store::{self, SessionRecord, StoreError, StoreErrorKind, SubjectTag},
};

use super::{
    passes, refuses, shared,
    table::{self, Backend, Broken, mistake},
};

/// Revokes in one step the sessions that `which` names, by the bound and the session to keep.
#[derive(Debug)]
struct Revokes {
    backend: Backend,
    which: fn(&SessionRecord, Option<&SessionId>, Timestamp) -> bool,
}

impl Revokes {
    fn new(
        backend: Backend,
        which: fn(&SessionRecord, Option<&SessionId>, Timestamp) -> bool,
    ) -> Self {
        Self { backend, which }
    }
}

impl Broken for Revokes {
    fn backend(&self) -> &Backend {
        &self.backend
    }

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let mut rows = self.backend.rows();
        let mut meant = table::all(&rows, subject);
        meant.retain(|session| (self.which)(session, keep, before));
        let revoked = store::revoke_all(&mut meant, None, self.backend.now());
        revoked
            .iter()
            .for_each(|record| table::put(&mut rows, record));
        Ok(revoked)
    }
}

mistake! {
    /// Goes by the list, as the layer does without it.
    RevokesWhatItLists {
        async fn revoke_older(
            &self,
            subject: &SubjectTag,
            keep: Option<&SessionId>,
            before: Timestamp,
        ) -> Result<Vec<SessionRecord>, StoreError> {
            let now = self.0.now();
            let mut rows = self.0.rows();
            let mut sessions = table::all(&rows, subject);
            sessions.retain(|session| now < session.expires_at());
            let revoked = store::revoke_older(&mut sessions, keep, before, now);
            revoked.iter().for_each(|record| table::put(&mut rows, record));
            Ok(revoked)
        }
    }
}

mistake! {
    /// Reads first and writes later, over what a swap has written in between.
    ReadsAndThenRevokes {
        async fn revoke_older(
            &self,
            subject: &SubjectTag,
            keep: Option<&SessionId>,
            before: Timestamp,
        ) -> Result<Vec<SessionRecord>, StoreError> {
            let mut sessions = self.0.all(subject);
            let read = sessions.clone();
            tokio::task::yield_now().await;
            let mut revoked = store::revoke_older(&mut sessions, keep, before, self.0.now());
            let now: Vec<_> = self.0.all(subject);
            revoked.retain(|record| now.iter().any(|found| read.contains(found) && found.id() == record.id()));
            revoked.iter().for_each(|record| self.0.put(record));
            Ok(revoked)
        }
    }
}

mistake! {
    SaysNothingOfIt {
        async fn revoke_older(
            &self,
            subject: &SubjectTag,
            keep: Option<&SessionId>,
            before: Timestamp,
        ) -> Result<Vec<SessionRecord>, StoreError> {
            self.0.revoke_older(subject, keep, before).await?;
            Ok(vec![])
        }
    }
}

mistake! {
    /// Does it, and says that it does not offer it.
    DeniesIt {
        async fn revoke_older(
            &self,
            subject: &SubjectTag,
            keep: Option<&SessionId>,
            before: Timestamp,
        ) -> Result<Vec<SessionRecord>, StoreError> {
            self.0.revoke_older(subject, keep, before).await?;
            Err(StoreErrorKind::Unsupported.into())
        }
    }
}

mistake! {
    DeletesThem {
        async fn revoke_older(
            &self,
            subject: &SubjectTag,
            keep: Option<&SessionId>,
            before: Timestamp,
        ) -> Result<Vec<SessionRecord>, StoreError> {
            let revoked = self.0.revoke_older(subject, keep, before).await?;
            self.0.rows().retain(|(_, id), _| !super::names(&revoked, id));
            Ok(revoked)
        }
    }
}

mistake! {
    RevokesForAnotherReason {
        async fn revoke_older(
            &self,
            subject: &SubjectTag,
            keep: Option<&SessionId>,
            before: Timestamp,
        ) -> Result<Vec<SessionRecord>, StoreError> {
            let mut all = self.0.all(subject);
            let live = all.clone();
            let revoked = store::revoke_older(&mut all, keep, before, self.0.now());
            let live = live.iter().filter(|record| super::names(&revoked, &record.id()));
            Ok(live.map(|record| {
                let ended = record.revoked(RevokeReason::SignedOut);
                self.0.put(&ended);
                ended
            }).collect())
        }
    }
}

mistake! {
    DoesNotOfferIt {
        async fn revoke_older(
            &self,
            _: &SubjectTag,
            _: Option<&SessionId>,
            _: Timestamp,
        ) -> Result<Vec<SessionRecord>, StoreError> {
            Err(StoreErrorKind::Unsupported.into())
        }
    }
}

fn is_kept(session: &SessionRecord, keep: Option<&SessionId>) -> bool {
    Some(&session.id()) == keep
}

refuses! {
    an_end_of_older_ones_whenever_they_began:
        |backend| Revokes::new(backend, |session, keep, _| !is_kept(session, keep)) => "revoke_older revokes";
    an_end_of_older_ones_that_began_before_and_not_by_then:
        |backend| Revokes::new(backend, |session, keep, before| !is_kept(session, keep) && session.created_at() < before)
            => "revoke_older revokes";
    an_end_of_older_ones_that_rotated_by_then:
        |backend| Revokes::new(backend, |session, keep, before| !is_kept(session, keep) && session.last_rotated_at() <= before)
            => "revoke_older revokes";
    an_end_of_older_ones_that_keeps_none:
        |backend| Revokes::new(backend, |session, _, before| session.created_at() <= before) => "revoke_older revokes";
    an_end_of_older_ones_that_ends_nothing: |backend| Revokes::new(backend, |_, _, _| false) => "revoke_older revokes";
    an_end_of_older_ones_that_says_nothing: SaysNothingOfIt => "revoke_older revokes";
    an_end_of_older_ones_that_deletes: DeletesThem => "revoke_older revokes";
    an_end_of_older_ones_for_another_reason: RevokesForAnotherReason => "revoke_older revokes";
    an_end_of_older_ones_that_is_denied: DeniesIt => "revoke_older revokes";
    an_end_of_older_ones_that_reads_first: ReadsAndThenRevokes => "outlives a revoke_older by a swap that overlaps";
    an_end_of_older_ones_that_goes_by_the_list: RevokesWhatItLists => "outlives revoke_older by a swap that was decided";
}

/// The layer goes by the list then.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_does_not_offer_it_conforms() {
    passes(&|clock| shared(DoesNotOfferIt(Backend::new(clock)))).await;
}

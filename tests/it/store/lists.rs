//! All sessions of a subject, and their end.

use std::sync::Mutex;

use tower_bearer::{
    RevokeReason, SessionId,
    store::{SessionRecord, StoreError, SubjectTag, Swap},
};

use super::{
    refuses,
    table::{Backend, Broken, mistake},
};

mistake! {
    /// The user has no use for what has ended.
    ListsLiveOnes {
        async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
            let mut sessions = self.0.list(subject).await?;
            sessions.retain(SessionRecord::is_live);
            Ok(sessions)
        }
    }
}

mistake! {
    /// Signing out is deleting.
    DeletesEnded {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            let swap = self.0.swap(current, next).await?;
            if !next.is_live() && matches!(swap, Swap::Applied) {
                self.0.rows().remove(&(*next.key().subject(), next.id()));
            }
            Ok(swap)
        }
    }
}

mistake! {
    RevokeAllDeletes {
        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            let revoked = self.0.revoke_all(subject, keep).await?;
            self.0.rows().retain(|(_, id), _| !super::names(&revoked, id));
            Ok(revoked)
        }
    }
}

mistake! {
    RevokesNothing {
        async fn revoke_all(&self, _: &SubjectTag, _: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            Ok(vec![])
        }
    }
}

mistake! {
    KeepsNothing {
        async fn revoke_all(&self, subject: &SubjectTag, _: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            self.0.revoke_all(subject, None).await
        }
    }
}

mistake! {
    SaysNothingOfRevoked {
        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            self.0.revoke_all(subject, keep).await?;
            Ok(vec![])
        }
    }
}

mistake! {
    /// Writes its own reason over that of each session.
    RevokesAgain {
        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            let all = self.0.all(subject).into_iter().filter(|session| Some(&session.id()) != keep);
            Ok(all.map(|session| {
                let revoked = session.revoked(RevokeReason::RevokedAll);
                self.0.put(&revoked);
                revoked
            }).collect())
        }
    }
}

mistake! {
    /// Forgets where it stands.
    RevokesAllSubjects {
        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            let tags: Vec<_> = self.0.rows().keys().map(|(tag, _)| *tag).filter(|tag| tag != subject).collect();
            for tag in tags {
                self.0.revoke_all(&tag, None).await?;
            }
            self.0.revoke_all(subject, keep).await
        }
    }
}

mistake! {
    /// Clears what a revoked session needs no more, as it seems.
    RevokesAnOldCopy {
        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            let revoked = self.0.revoke_all(subject, keep).await?;
            for row in self.0.rows().values_mut().filter(|row| super::names(&revoked, &row.record.id())) {
                // The seed.
                let mut bytes = row.record.encode();
                bytes[107..139].fill(0);
                row.record = SessionRecord::decode(&bytes)?;
            }
            Ok(revoked)
        }
    }
}

mistake! {
    ListsAllSubjects {
        async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
            let tags: std::collections::BTreeSet<_> = self.0.rows().keys().map(|(tag, _)| *tag).collect();
            let mut all = vec![];
            for tag in tags.iter().chain([subject]).collect::<std::collections::BTreeSet<_>>() {
                all.extend(self.0.list(tag).await?);
            }
            Ok(all)
        }
    }
}

mistake! {
    ListsTwice {
        async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
            let sessions = self.0.list(subject).await?;
            Ok([sessions.clone(), sessions].concat())
        }
    }
}

/// Lists from a replica that is one call behind.
#[derive(Debug)]
struct Lags(Backend, Mutex<Vec<SessionRecord>>);

impl Broken for Lags {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
        let now = self.0.list(subject).await?;
        let mut replica = self.1.lock().unwrap();
        let before = std::mem::replace(&mut *replica, now);
        Ok(before
            .into_iter()
            .filter(|session| session.key().subject() == subject)
            .collect())
    }
}

refuses! {
    ended_sessions_missing_from_the_list: ListsLiveOnes => "ended is listed";
    ended_sessions_that_are_deleted: DeletesEnded => "ended is listed";
    a_revoke_all_that_deletes: RevokeAllDeletes => "ended is listed";
    a_revoke_all_that_does_nothing: RevokesNothing => "every live session but the kept one";
    a_revoke_all_that_keeps_nothing: KeepsNothing => "every live session but the kept one";
    a_revoke_all_that_says_nothing: SaysNothingOfRevoked => "every live session but the kept one";
    a_revoke_all_of_what_had_ended: RevokesAgain => "every live session but the kept one";
    a_revoke_all_of_every_subject: RevokesAllSubjects => "touches another";
    a_revoke_all_that_writes_more_than_the_end: RevokesAnOldCopy => "ended is listed";
    a_list_of_every_subject: ListsAllSubjects => "touches another";
    a_list_with_doubles: ListsTwice => "loaded unchanged";
    a_list_from_a_replica: |backend| Lags(backend, Mutex::default()) => "loaded unchanged";
}

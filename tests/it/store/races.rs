//! Operations that are not one step.

use std::sync::Arc;

use tokio::{sync::Mutex, task::yield_now};
use tower_bearer::{
    SessionId, Timestamp,
    store::{self, Inserted, SessionRecord, StoreError, SubjectTag, Swap},
};

use super::{
    refuses,
    table::{Backend, Broken, mistake},
};

mistake! {
    /// `SELECT`, then `UPDATE` without comparing.
    SelectsThenUpdates {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            select_then_update(&self.0, current, next).await
        }
    }
}

async fn select_then_update(
    backend: &Backend,
    current: &SessionRecord,
    next: &SessionRecord,
) -> Result<Swap, StoreError> {
    let found = backend.get(&current.key());
    yield_now().await;
    if found.as_ref() == Some(current) && current.key() == next.key() {
        backend.put(next);
        return Ok(Swap::Applied);
    }
    match current.key() == next.key() && found.as_ref() == Some(next) {
        true => Ok(Swap::Applied),
        false => Ok(backend.conflict(found)),
    }
}

mistake! {
    /// Compares and replaces in one step, and looks what it lost against in another.
    LooksForTheWinnerFirst {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            let found = self.0.get(&current.key());
            yield_now().await;
            Ok(match self.0.swap(current, next).await? {
                Swap::Applied => Swap::Applied,
                Swap::Conflict(_) => self.0.conflict(found),
            })
        }
    }
}

mistake! {
    /// Reads its own work before it writes, and so does not know it.
    LooksForItselfFirst {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            let is_done = self.0.get(&current.key()).as_ref() == Some(next);
            yield_now().await;
            match self.0.get(&current.key()) {
                Some(found) if !is_done && found == *next && found != *current => {
                    Ok(self.0.conflict(Some(found)))
                }
                _ => self.0.swap(current, next).await,
            }
        }
    }
}

mistake! {
    /// Keeps all of a subject's sessions as one document, and writes all of it.
    WritesAllOfThem {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            let all = self.0.all(current.key().subject());
            yield_now().await;
            let swap = self.0.swap(current, next).await?;
            if matches!(swap, Swap::Applied) {
                all.iter().filter(|other| other.id() != next.id()).for_each(|other| self.0.put(other));
            }
            Ok(swap)
        }
    }
}

mistake! {
    /// Counts, then adds.
    CountsThenAdds {
        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            count_then_add(&self.0, record, limit).await
        }
    }
}

async fn count_then_add(
    backend: &Backend,
    record: &SessionRecord,
    limit: usize,
) -> Result<Inserted, StoreError> {
    let before = backend.all(record.key().subject());
    let mut after = before.clone();
    let dropped = store::admit(&mut after, record, limit, backend.now())?;
    yield_now().await;
    let changed = after.iter().filter(|session| !before.contains(session));
    changed.for_each(|session| backend.put(session));
    Ok(Inserted::new(dropped))
}

mistake! {
    /// Reads all, and writes all as revoked.
    ReadsThenRevokes {
        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            read_then_revoke(&self.0, subject, keep).await
        }
    }
}

async fn read_then_revoke(
    backend: &Backend,
    subject: &SubjectTag,
    keep: Option<&SessionId>,
) -> Result<Vec<SessionRecord>, StoreError> {
    let mut sessions = backend.all(subject);
    let revoked = store::revoke_all(&mut sessions, keep, backend.now());
    yield_now().await;
    sessions.retain(|session| revoked.contains(session));
    for session in &sessions {
        // Where the record has changed meanwhile, it is left.
        let before = backend.get(&session.key());
        let is_same = before.is_some_and(|before| before.generation() == session.generation());
        if is_same {
            backend.put(session);
        }
    }
    Ok(revoked)
}

mistake! {
    /// Clears the subject's rows and writes them again.
    RevokesAndForgetsTheNewest {
        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            let before = self.0.all(subject);
            yield_now().await;
            let revoked = self.0.revoke_all(subject, keep).await?;
            self.0.rows().retain(|(tag, id), _| tag != subject || before.iter().any(|session| session.id() == *id));
            Ok(revoked)
        }
    }
}

/// None of it is one step, and a lock makes it one: for its own instance, or for all.
#[derive(Debug)]
pub struct Locked(Backend, Arc<Mutex<()>>);

impl Locked {
    /// The lock is the backend's.
    pub fn new(backend: Backend) -> Self {
        let lock = backend.lock.clone();
        Self(backend, lock)
    }

    fn of_its_own(backend: Backend) -> Self {
        Self(backend, Arc::default())
    }
}

impl Broken for Locked {
    fn backend(&self) -> &Backend {
        &self.0
    }

    async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
        let _guard = self.1.lock().await;
        count_then_add(&self.0, record, limit).await
    }

    async fn swap(
        &self,
        current: &SessionRecord,
        next: &SessionRecord,
    ) -> Result<Swap, StoreError> {
        let _guard = self.1.lock().await;
        select_then_update(&self.0, current, next).await
    }

    async fn revoke_all(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let _guard = self.1.lock().await;
        read_then_revoke(&self.0, subject, keep).await
    }

    async fn revoke_older(
        &self,
        subject: &SubjectTag,
        keep: Option<&SessionId>,
        before: Timestamp,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let _guard = self.1.lock().await;
        self.0.revoke_older(subject, keep, before).await
    }
}

refuses! {
    a_swap_that_selects_then_updates: SelectsThenUpdates => "exactly one is applied";
    a_conflict_with_what_was_before: LooksForTheWinnerFirst => "exactly one is applied";
    a_swap_that_looks_for_itself_first: LooksForItselfFirst => "overlaps with itself";
    a_swap_that_writes_the_whole_subject: WritesAllOfThem => "loses nothing of another";
    an_insertion_that_counts_then_adds: CountsThenAdds => "within its limit";
    a_revoke_all_that_reads_then_writes: ReadsThenRevokes => "no session outlives a revoke_all";
    a_revoke_all_that_loses_a_new_session: RevokesAndForgetsTheNewest => "before or after it, whole";
    a_lock_of_each_instance: Locked::of_its_own => "exactly one is applied";
}

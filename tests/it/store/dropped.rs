//! Operations of two steps behind a lock: one step to the others, until their future is dropped.

use tokio::task::yield_now;
use tower_bearer::{
    RevokeReason, SessionId,
    store::{self, Inserted, SessionRecord, StoreError, SubjectTag, Swap},
};

use super::{
    advances, refused, refuses, shared,
    table::{Backend, Broken, address, mistake},
};

mistake! {
    /// Deletes the row and inserts another one.
    DeletesThenInserts {
        fn is_locked(&self) -> bool {
            true
        }

        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            let _guard = self.0.lock.lock().await;
            let before = self.0.get(&current.key());
            if before.as_ref() == Some(current) && current.key() == next.key() {
                self.0.rows().remove(&address(&current.key()));
                yield_now().await;
                self.0.put(next);
                return Ok(Swap::Applied);
            }
            self.0.swap(current, next).await
        }
    }
}

mistake! {
    /// Writes the record, and then when it expires.
    MovesTheExpiryLater {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            let _guard = self.0.lock.lock().await;
            let swap = self.0.swap(current, next).await?;
            if matches!(swap, Swap::Applied) && next.expires_at() != current.expires_at() {
                self.expire(current, next);
                yield_now().await;
                self.expire(next, next);
            }
            Ok(swap)
        }

        async fn list(&self, subject: &SubjectTag) -> Result<Vec<SessionRecord>, StoreError> {
            let now = self.0.now();
            self.0.rows().retain(|_, row| now < row.expires_at);
            Ok(self.0.all(subject))
        }
    }
}

impl MovesTheExpiryLater {
    fn expire(&self, of: &SessionRecord, at: &SessionRecord) {
        if let Some(row) = self.0.rows().get_mut(&address(&at.key())) {
            row.expires_at = of.expires_at();
        }
    }
}

mistake! {
    /// Makes room, then adds.
    DropsThenAdds {
        fn is_locked(&self) -> bool {
            true
        }

        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            let _guard = self.0.lock.lock().await;
            let mut after = self.0.all(record.key().subject());
            let dropped = store::admit(&mut after, record, limit, self.0.now())?;
            dropped.iter().for_each(|session| self.0.put(session));
            yield_now().await;
            self.0.put(record);
            Ok(Inserted::new(dropped))
        }
    }
}

mistake! {
    /// Adds, then makes room.
    AddsThenDrops {
        fn is_locked(&self) -> bool {
            true
        }

        async fn insert(&self, record: &SessionRecord, limit: usize) -> Result<Inserted, StoreError> {
            let _guard = self.0.lock.lock().await;
            let mut after = self.0.all(record.key().subject());
            let dropped = store::admit(&mut after, record, limit, self.0.now())?;
            if self.0.get(&record.key()).is_none() {
                self.0.put(record);
            }
            yield_now().await;
            after.iter().filter(|session| session.id() != record.id()).for_each(|session| self.0.put(session));
            Ok(Inserted::new(dropped))
        }
    }
}

mistake! {
    /// One after the other.
    RevokesEach {
        fn is_locked(&self) -> bool {
            true
        }

        async fn revoke_all(&self, subject: &SubjectTag, keep: Option<&SessionId>) -> Result<Vec<SessionRecord>, StoreError> {
            let _guard = self.0.lock.lock().await;
            let mut all = self.0.list(subject).await?;
            all.retain(|session| session.is_live() && Some(&session.id()) != keep);
            for session in &mut all {
                yield_now().await;
                if let Some(found) = self.0.get(&session.key()) {
                    *session = found.revoked(RevokeReason::RevokedAll);
                    self.0.put(session);
                }
            }
            Ok(all)
        }
    }
}

mistake! {
    /// Takes a lock that only the end of the call gives back.
    LeavesItLocked {
        async fn swap(&self, current: &SessionRecord, next: &SessionRecord) -> Result<Swap, StoreError> {
            let Ok(permit) = self.0.permits.acquire().await else {
                return Err(StoreError::unavailable("closed"));
            };
            permit.forget();
            yield_now().await;
            let swap = self.0.swap(current, next).await;
            self.0.permits.add_permits(1);
            swap
        }
    }
}

refuses! {
    a_swap_that_deletes_then_inserts: DeletesThenInserts => "a swap whose future is dropped has";
    a_swap_that_moves_the_expiry_later: MovesTheExpiryLater => "moves the expiry with the record";
    an_insertion_that_drops_then_adds: DropsThenAdds => "an insertion whose future is dropped";
    an_insertion_that_adds_then_drops: AddsThenDrops => "an insertion whose future is dropped";
    a_revoke_all_that_takes_each: RevokesEach => "a revoke_all whose future is dropped";
}

/// The time limit is waited for, on a clock that need not be.
#[tokio::test(start_paused = true)]
async fn a_swap_that_leaves_a_lock() {
    let make = |backend| shared(LeavesItLocked(backend));
    refused("a swap whose future is dropped has", &make, &advances).await;
}

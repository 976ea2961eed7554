//! Swaps that wait for their turn to write share one commit.
//!
//! A commit waits for the disk. Swaps of several sessions have nothing to do with each other, so one wait does for all.

use std::{
    error::Error as _,
    sync::{Mutex, MutexGuard, PoisonError},
};

use sqlx::Error;
use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};
use tower_bearer::store::{SessionRecord, StoreError, StoreErrorKind};

use super::{
    SqliteStore, Writer,
    fault::failed,
    lease::tidy,
    statements::{self, Replacement},
};
use crate::fault::Fault;

/// As many as one statement takes: well below a millisecond of the lock for writing.
const MOST: usize = 16;

/// Swaps that no statement has taken yet, in the order in which they came.
#[derive(Default)]
pub(super) struct Queue(Mutex<Vec<Waiting>>);

struct Waiting {
    replacement: Replacement,
    /// When its caller hears that its time is up. From then on it is not written any more.
    deadline: Instant,
    /// Closed when the caller has gone.
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

/// Writes `next` where the stored bytes are those of `current`, and says whether they were. Answered after the commit.
///
/// A caller that disconnects cancels no other one's swap: a task of its own writes for all. A swap without an answer by
/// its caller's `deadline` is not written later, unless its commit is under way.
pub(super) async fn replace(
    store: &SqliteStore,
    current: &SessionRecord,
    next: &SessionRecord,
    deadline: Instant,
) -> Result<bool, StoreError> {
    let replacement = Replacement::new(current, next);
    if let Ok(turn) = store.0.line.try_acquire() {
        let writer = store.writer_in(turn).await?;
        // A connection of the application's waits for the lock as long as the application has said.
        let is_late =
            !store.is_own() || Instant::now() + SqliteStore::patience(store.0.timeout) > deadline;
        return alone(writer, &replacement, is_late).await;
    }
    let (answer, answered) = oneshot::channel();
    let waiting = Waiting {
        replacement,
        deadline,
        answer,
    };
    store.0.swaps.waiting().push(waiting);
    // One for each that waits, so that none is left over. Most find that an earlier one has done their work.
    tokio::spawn(lead(store.clone()));
    match answered.await {
        Ok(replaced) => replaced,
        Err(_) if store.0.line.is_closed() => Err(failed(Error::PoolClosed)),
        Err(_) => Err(store.late()),
    }
}

/// Writes one, mostly as a single statement. No call can take that back while SQLite waits for the lock. So a late one
/// takes the lock first, and writes then. So does one that cannot set how long SQLite waits.
async fn alone(
    mut writer: Writer<'_>,
    replacement: &Replacement,
    is_late: bool,
) -> Result<bool, StoreError> {
    if is_late {
        let replaced = statements::replace(writer.begin().await?, replacement).await?;
        writer.commit().await?;
        return Ok(replaced);
    }
    let replaced = statements::replace(writer.connection()?, replacement).await?;
    writer.done();
    Ok(replaced)
}

/// Waits for the turn to write and for the lock, and takes the swaps that wait by then.
async fn lead(store: SqliteStore) {
    let queue = &store.0.swaps;
    let Ok(turn) = store.0.line.acquire().await else {
        // The store is closed. A caller learns of that by an answer that cannot come any more.
        drop(queue.take(MOST));
        return;
    };
    let Some(deadline) = queue.deadline() else {
        // Swaps of callers that have gone.
        drop(queue.take(0));
        return;
    };
    let begin = async {
        let mut writer = store.writer_in(turn).await?;
        writer.begin().await?;
        Ok(writer)
    };
    match timeout_at(deadline, begin).await {
        Ok(Ok(writer)) => {
            let batch = queue.take(MOST);
            if let Some(deadline) = batch.iter().map(|one| one.deadline).max() {
                // Those that it has taken learn of the end of their time.
                let _ = timeout_at(deadline, write(writer, batch)).await;
            }
        }
        // The others have tasks of their own, which may be luckier.
        Ok(Err(error)) => fail(queue.take(1), error),
        Err(_) => drop(queue.take(0)),
    }
}

/// Writes all in one commit, in the transaction that has begun. Where SQLite rejects that, each gets a commit and an
/// answer of its own. A full disk rejects all of them, so it ends the work.
async fn write(mut writer: Writer<'_>, batch: Vec<Waiting>) {
    let replaced = match together(&mut writer, &batch).await {
        Ok(replaced) => writer.commit().await.map(|()| replaced),
        Err(error) if batch.len() > 1 && error.kind() != StoreErrorKind::Refused => {
            return apart(writer, batch).await;
        }
        Err(error) => Err(error),
    };
    match replaced {
        Ok(replaced) => {
            for (one, replaced) in batch.into_iter().zip(replaced) {
                one.hears(Ok(replaced));
            }
        }
        Err(error) => fail(batch, error),
    }
}

async fn together(writer: &mut Writer<'_>, batch: &[Waiting]) -> Result<Vec<bool>, StoreError> {
    let replacements: Vec<_> = batch.iter().map(|one| &one.replacement).collect();
    statements::replace_all(writer.connection()?, &replacements).await
}

/// Each is answered once it is written, whatever happens to a later one.
async fn apart(mut writer: Writer<'_>, batch: Vec<Waiting>) {
    let connection = match writer.connection() {
        Ok(connection) => connection,
        Err(error) => return fail(batch, error),
    };
    if let Err(error) = tidy(connection).await {
        return fail(batch, failed(error));
    }
    let mut is_in_order = true;
    for one in batch.into_iter().filter(|one| !one.is_over()) {
        let replaced = statements::replace(connection, &one.replacement).await;
        is_in_order &= replaced.is_ok();
        one.hears(replaced);
    }
    // After a failure it is asked first whether it still works.
    if is_in_order {
        writer.done();
    }
}

/// Tells each of the error. The first one hears the driver's own words, too.
fn fail(batch: Vec<Waiting>, error: StoreError) {
    let (mut batch, kind) = (batch.into_iter(), error.kind());
    let first = batch.next();
    let cure = error
        .source()
        .map_or_else(|| error.to_string(), ToString::to_string);
    for one in batch {
        one.hears(Err(StoreError::new(kind, Fault::new(cure.clone()))));
    }
    if let Some(first) = first {
        first.hears(Err(error));
    }
}

impl Waiting {
    /// Whether the caller has gone, or its time is up.
    fn is_over(&self) -> bool {
        self.answer.is_closed() || self.deadline <= Instant::now()
    }

    fn hears(self, answer: Result<bool, StoreError>) {
        // A caller that has gone does not hear it.
        let _ = self.answer.send(answer);
    }
}

impl Queue {
    /// Takes up to so many, each of another session. Of two for one, the second sees the record that the first has
    /// left. Those that are over leave the queue, too.
    fn take(&self, most: usize) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let mut taken: Vec<Waiting> = Vec::new();
        for one in std::mem::take(&mut *waiting) {
            let is_another = |taken: &Waiting| taken.replacement.key() != one.replacement.key();
            if one.is_over() {
                continue;
            }
            match taken.len() < most && taken.iter().all(is_another) {
                true => taken.push(one),
                false => waiting.push(one),
            }
        }
        taken
    }

    /// Until when the last caller waits that waits now, if any does.
    fn deadline(&self) -> Option<Instant> {
        let waiting = self.waiting();
        let open = waiting.iter().filter(|one| !one.is_over());
        open.map(|one| one.deadline).max()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        // Its content is whole whenever the lock is free.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

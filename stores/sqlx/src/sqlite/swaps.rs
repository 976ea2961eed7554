//! Swaps that wait for their turn to write share one commit.
//!
//! A commit waits for the disk. Swaps of several sessions have nothing to do with each other, so one wait does for all.

use std::sync::{Mutex, MutexGuard, PoisonError};

use sqlx::{Error, SqliteConnection};
use tokio::{sync::oneshot, time::timeout};
use tower_bearer::store::{SessionRecord, StoreError};

use super::{
    SqliteStore,
    fault::failed,
    statements::{self, Replacement},
};

/// As many as one statement takes: well below a millisecond of the lock for writing.
const MOST: usize = 16;

/// Swaps that no statement has taken yet, in the order in which they came.
#[derive(Default)]
pub(super) struct Queue(Mutex<Vec<Waiting>>);

struct Waiting {
    replacement: Replacement,
    /// Closed when the caller has gone.
    answer: oneshot::Sender<Result<bool, StoreError>>,
}

/// Writes `next` where the stored bytes are those of `current`, and says whether they were. Answered after the commit.
///
/// A caller that goes away takes no other one's swap with it: a task of its own writes for all.
pub(super) async fn replace(
    store: &SqliteStore,
    current: &SessionRecord,
    next: &SessionRecord,
) -> Result<bool, StoreError> {
    let replacement = Replacement::new(current, next);
    if let Ok(turn) = store.0.line.try_acquire() {
        let mut writer = store.writer_in(turn).await?;
        let replaced = statements::replace(writer.connection()?, &replacement).await?;
        writer.done();
        return Ok(replaced);
    }
    let (answer, answered) = oneshot::channel();
    let waiting = Waiting {
        replacement,
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

/// Waits for the turn to write, and takes the swaps that wait by then.
async fn lead(store: SqliteStore) {
    let queue = &store.0.swaps;
    let Ok(turn) = store.0.line.acquire().await else {
        // The store is closed. A caller hears of that by an answer that cannot come any more.
        drop(queue.take(MOST));
        return;
    };
    if !queue.has_any() {
        return;
    }
    let write = async {
        match store.writer_in(turn).await {
            Ok(mut writer) => {
                let batch = queue.take(MOST);
                let answers = match writer.connection() {
                    Ok(connection) => write(connection, &batch).await,
                    Err(error) => vec![Err(error)],
                };
                match answers.iter().all(Result::is_ok) {
                    true => writer.done(),
                    // It is asked first whether it still works.
                    false => drop(writer),
                }
                answer(batch, answers);
            }
            // The others have tasks of their own, which may be luckier.
            Err(error) => answer(queue.take(1), vec![Err(error)]),
        }
    };
    // Those that it has taken hear of the end of their time.
    let _ = timeout(store.0.timeout, write).await;
}

/// Writes all in one commit. Where SQLite refuses that, each gets a commit and an answer of its own.
async fn write(
    connection: &mut SqliteConnection,
    batch: &[Waiting],
) -> Vec<Result<bool, StoreError>> {
    let replacements: Vec<_> = batch.iter().map(|one| &one.replacement).collect();
    if batch.len() > 1
        && let Ok(replaced) = statements::replace_all(connection, &replacements).await
    {
        return replaced.into_iter().map(Ok).collect();
    }
    let mut answers = Vec::with_capacity(batch.len());
    for replacement in replacements {
        answers.push(statements::replace(connection, replacement).await);
    }
    answers
}

fn answer(batch: Vec<Waiting>, answers: Vec<Result<bool, StoreError>>) {
    for (waiting, replaced) in batch.into_iter().zip(answers) {
        // A caller that has gone does not hear it.
        let _ = waiting.answer.send(replaced);
    }
}

impl Queue {
    /// Takes up to so many, each of another session: of two for one, the second sees what the first has left.
    fn take(&self, most: usize) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let mut taken: Vec<Waiting> = Vec::new();
        for one in std::mem::take(&mut *waiting) {
            let is_another = |taken: &Waiting| taken.replacement.key() != one.replacement.key();
            if one.answer.is_closed() {
                continue;
            }
            match taken.len() < most && taken.iter().all(is_another) {
                true => taken.push(one),
                false => waiting.push(one),
            }
        }
        taken
    }

    /// Whether any caller waits still.
    fn has_any(&self) -> bool {
        self.waiting().iter().any(|one| !one.answer.is_closed())
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        // Its content is whole whenever the lock is free.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Swaps that wait for the lock for writing share a commit, and nothing else.

use std::{path::Path, time::Duration};

use sqlx::{Connection, SqliteConnection};
use tokio::{
    runtime::Runtime,
    task::{JoinHandle, yield_now},
    time::sleep,
};
use tower_bearer::{
    KeyRing, ManualClock, RevokeReason,
    store::{RefreshStore, SessionRecord, StoreError, StoreErrorKind, Swap},
};
use tower_bearer_sqlx::SqliteStore;

use crate::{
    place::{Place, cure, service},
    support::{
        faults::FaultStore,
        world::{MASTER, START, World},
    },
};

const USERS: usize = 20;
/// A time limit for the calls of a store.
const SHORT: Duration = Duration::from_millis(800);

/// Signs so many users in, and returns their sessions.
async fn sessions(world: &World, users: usize) -> Vec<SessionRecord> {
    let mut records = Vec::new();
    for user in 0..users {
        world.signed_in(&format!("user-{user}")).await;
        records.push(world.store.last().await);
    }
    records
}

fn next(record: &SessionRecord) -> SessionRecord {
    record.revoked(RevokeReason::SignedOut)
}

type Answer = Result<Swap, StoreError>;

/// Lets the swap of each record wait, in this order.
async fn wait_with(store: &SqliteStore, records: &[SessionRecord]) -> Vec<JoinHandle<Answer>> {
    let mut waiting = Vec::new();
    for record in records {
        let (store, record) = (store.clone(), record.clone());
        waiting.push(tokio::spawn(async move {
            store.swap(&record, &next(&record)).await
        }));
        // It comes to wait before the next one does.
        for _ in 0..10 {
            yield_now().await;
        }
    }
    waiting
}

/// A lock that another connection holds until its transaction is rolled back.
async fn locked(connection: &mut SqliteConnection) -> sqlx::Transaction<'_, sqlx::Sqlite> {
    connection.begin_with("BEGIN IMMEDIATE").await.unwrap()
}

/// How many commits a file of WAL holds: the frames that say how large the database is by then.
fn commits(database: &Path) -> usize {
    // <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>
    let wal = std::fs::read(database.with_extension("db-wal")).unwrap();
    let number = |at: usize| u32::from_be_bytes(wal[at..at + 4].try_into().unwrap());
    let page = number(8) as usize;
    let frames = (32..wal.len()).step_by(24 + page);
    frames.filter(|frame| number(frame + 4) > 0).count()
}

#[tokio::test]
async fn they_share_a_commit_and_each_gets_its_own_answer() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let records = sessions(&world, USERS).await;
    // One comes too late, and has to take no other one with it.
    let stale = records[7].clone();
    let newer = stale.revoked(RevokeReason::RevokedByOwner);
    store.swap(&stale, &newer).await.unwrap();

    let before = commits(&place.path());
    let mut other = place.connection().await;
    let held = locked(&mut other).await;
    let waiting = wait_with(&store, &records).await;
    held.rollback().await.unwrap();
    for (number, (record, answer)) in records.iter().zip(waiting).enumerate() {
        let stored = match (number, answer.await.unwrap().unwrap()) {
            (7, Swap::Conflict(loaded)) => {
                assert_eq!(loaded.record(), Some(&newer));
                continue;
            }
            (_, Swap::Applied) => store.load(&record.key()).await.unwrap(),
            (_, answer) => panic!("{number}: {answer:?}"),
        };
        assert_eq!(stored.record(), Some(&next(record)), "{number}");
    }
    // The first had the turn, the next sixteen share a commit, and then the rest.
    assert_eq!(commits(&place.path()) - before, 3);
}

#[tokio::test]
async fn of_two_for_one_session_the_second_sees_what_the_first_has_left() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let records = sessions(&world, 2).await;
    let mut other = place.connection().await;
    let held = locked(&mut other).await;
    let [first, second] = &records[..] else {
        panic!("{records:?}");
    };
    // The first has the turn. The others wait, and one of them wants something else than the one before it.
    let waiting = wait_with(&store, &[first.clone(), second.clone()]).await;
    let other_end = second.revoked(RevokeReason::RevokedByOwner);
    let late = tokio::spawn({
        let (store, second, other_end) = (store.clone(), second.clone(), other_end.clone());
        async move { store.swap(&second, &other_end).await }
    });
    sleep(Duration::from_millis(10)).await;
    held.rollback().await.unwrap();
    for answer in waiting {
        assert!(matches!(answer.await.unwrap().unwrap(), Swap::Applied));
    }
    let Swap::Conflict(loaded) = late.await.unwrap().unwrap() else {
        panic!("both were applied");
    };
    assert_eq!(loaded.record(), Some(&next(second)));
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_no_other_one_with_it() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let records = sessions(&world, USERS).await;
    let mut other = place.connection().await;
    let held = locked(&mut other).await;
    let waiting = wait_with(&store, &records).await;
    // The first has the turn, the second is the first that waits.
    for gone in [0, 1, 5, 19] {
        waiting[gone].abort();
    }
    sleep(Duration::from_millis(10)).await;
    held.rollback().await.unwrap();
    for (number, (record, answer)) in records.iter().zip(waiting).enumerate() {
        let answer = answer.await;
        let stored = store.load(&record.key()).await.unwrap();
        match answer {
            Ok(answer) => {
                assert!(matches!(answer.unwrap(), Swap::Applied), "{number}");
                assert_eq!(stored.record(), Some(&next(record)), "{number}");
            }
            // A swap that waited for its turn is not written any more.
            Err(gone) => {
                assert!(gone.is_cancelled() && [0, 1, 5, 19].contains(&number));
                let is_whole = [record.clone(), next(record)].contains(stored.record().unwrap());
                assert!(is_whole, "{stored:?}");
                assert!(number == 0 || stored.record() == Some(record), "{number}");
            }
        }
    }
}

#[tokio::test]
async fn one_that_fails_takes_no_other_one_with_it() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let records = sessions(&world, USERS).await;
    // The application lets that session not be written.
    let id: String = records[4]
        .id()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let trigger = format!(
        "CREATE TRIGGER refuses BEFORE UPDATE ON tower_bearer_sessions WHEN NEW.session_id = x'{id}'
         BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    );
    let mut other = place.connection().await;
    let trigger = sqlx::raw_sql(sqlx::AssertSqlSafe(trigger));
    trigger.execute(&mut other).await.unwrap();

    let held = locked(&mut other).await;
    let waiting = wait_with(&store, &records).await;
    held.rollback().await.unwrap();
    for (number, (record, answer)) in records.iter().zip(waiting).enumerate() {
        let answer = answer.await.unwrap();
        let stored = store.load(&record.key()).await.unwrap();
        if number == 4 {
            assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Unavailable);
            assert_eq!(stored.record(), Some(record));
        } else {
            assert!(matches!(answer.unwrap(), Swap::Applied), "{number}");
            assert_eq!(stored.record(), Some(&next(record)), "{number}");
        }
    }
}

#[tokio::test]
async fn those_that_wait_when_the_store_is_closed_are_told_so() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let records = sessions(&world, 5).await;
    let mut other = place.connection().await;
    let held = locked(&mut other).await;
    let mut waiting = wait_with(&store, &records).await.into_iter();
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close().await }
    });
    let first = waiting.next().unwrap();
    for answer in waiting {
        let error = answer.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert_eq!(cure(&error), "the store is closed");
    }
    held.rollback().await.unwrap();
    // The one that was under way is waited for.
    assert!(matches!(first.await.unwrap().unwrap(), Swap::Applied));
    closing.await.unwrap();
}

#[tokio::test]
async fn the_pool_of_an_application_shares_commits_too() {
    let place = Place::new();
    let pool = place.pool().await;
    let (world, store) = service(async |store| store.share(pool.clone()).unwrap()).await;
    store.migrate().await.unwrap();
    let records = sessions(&world, 10).await;
    let before = commits(&place.path());
    let mut other = place.connection().await;
    let held = locked(&mut other).await;
    let waiting = wait_with(&store, &records).await;
    held.rollback().await.unwrap();
    for answer in waiting {
        assert!(matches!(answer.await.unwrap().unwrap(), Swap::Applied));
    }
    assert_eq!(commits(&place.path()) - before, 2);
}

/// Where a program has several runtimes, one of them may end at any time.
#[test]
fn a_runtime_that_ends_takes_no_swap_of_another_one_with_it() {
    let (place, [one, two]) = (Place::new(), [(), ()].map(|()| Runtime::new().unwrap()));
    let (world, store) = one.block_on(place.service());
    let records = one.block_on(sessions(&world, 6));
    let mut other = one.block_on(place.connection());
    let held = one.block_on(locked(&mut other));
    let of_the_one = one.block_on(wait_with(&store, &records[..3]));
    let of_the_other = two.block_on(async {
        let waiting = wait_with(&store, &records[3..]).await;
        sleep(Duration::from_millis(50)).await;
        waiting
    });
    two.block_on(held.rollback()).unwrap();
    drop(of_the_one);
    one.shutdown_timeout(Duration::from_secs(1));
    for answer in of_the_other {
        let answer = two.block_on(answer).unwrap();
        // The task that wrote for it may have gone. Then the outcome is not known, and a later call tells it.
        assert!(
            answer.is_ok() || answer.unwrap_err().kind() == StoreErrorKind::Unavailable,
            "an honest answer"
        );
    }
    for record in &records {
        let swapped = two.block_on(store.swap(record, &next(record))).unwrap();
        assert!(matches!(swapped, Swap::Applied), "{swapped:?}");
    }
}

/// A refresh waits for the lock past its idle end. So does an end of all, which is tried again.
#[tokio::test]
async fn an_end_of_all_that_is_tried_again_holds_against_a_refresh_that_waits_for_the_lock() {
    let place = Place::new();
    let clock = ManualClock::new(START);
    let store = SqliteStore::builder().clock(clock.clone()).timeout(SHORT);
    let store = store.open(place.path()).await.unwrap();
    let hour = Duration::from_secs(3600);
    let keys = KeyRing::from_master(MASTER).unwrap();
    let switch = FaultStore::new(store.clone());
    let world = World::over(keys, clock.clone(), clock, switch, |builder| {
        builder.idle_lifetime(hour)
    });
    world.signed_in("bob").await;
    let bob = world.store.last().await;
    let mut ada = world.signed_in("ada").await;
    let key = world.store.last_key();
    ada.refresh(&world).await;
    world.advance(hour - Duration::from_millis(100));

    let mut other = place.connection().await;
    let held = locked(&mut other).await;
    let of_bob = wait_with(&store, &[bob]).await;
    let refresh = tokio::spawn({
        let (world, mut ada) = (world.clone(), ada.clone());
        async move { (ada.refresh(&world).await.status, ada) }
    });
    sleep(Duration::from_millis(30)).await;
    world.advance(Duration::from_millis(200));
    assert!(world.layer.admin().end_all("ada", None).await.is_err());
    let (status, mut ada) = refresh.await.unwrap();
    assert_eq!(status, 503);
    sleep(Duration::from_millis(300)).await;
    // Whatever still waits for the lock has it now.
    held.rollback().await.unwrap();
    drop(of_bob);
    assert_eq!(world.layer.drain(10 * SHORT).await, 0);
    sleep(2 * SHORT).await;
    assert!(!world.store.peek(&key).await.unwrap().is_live());
    assert_eq!(ada.refresh(&world).await.status, 401);
}

/// A caller that was told that its time is up may take it that nothing is written long after.
#[tokio::test]
async fn a_swap_that_was_answered_as_late_is_not_written_later() {
    let place = Place::new();
    let service =
        service(async |builder| builder.timeout(SHORT).open(place.path()).await.unwrap()).await;
    late_swaps_are_not_written(&place, service, 3).await;
}

/// Its connections wait for the lock far longer than a call of the store does.
#[tokio::test]
async fn a_late_swap_over_the_applications_pool_is_not_written_later() {
    let place = Place::new();
    let pool = place.pool().await;
    let patient = sqlx::query("PRAGMA busy_timeout = 5000");
    patient.execute(&pool).await.unwrap();
    let service =
        service(async |builder| builder.timeout(SHORT).share(pool.clone()).unwrap()).await;
    service.1.migrate().await.unwrap();
    // Alone in the line, and with others behind it.
    for swaps in [1, 3] {
        late_swaps_are_not_written(&place, service.clone(), swaps).await;
    }
}

async fn late_swaps_are_not_written(
    place: &Place,
    (world, store): (World, SqliteStore),
    swaps: usize,
) {
    let records = sessions(&world, swaps).await;
    let mut other = place.connection().await;
    let held = locked(&mut other).await;
    for answer in wait_with(&store, &records).await {
        let error = answer.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    held.rollback().await.unwrap();
    sleep(2 * SHORT).await;
    for record in &records {
        let stored = store.load(&record.key()).await.unwrap();
        assert_eq!(stored.record(), Some(record));
    }
}

//! Deleting what has expired.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::sleep;
use tower_bearer::{Event, EventSink};
use tower_bearer_sqlx::SqliteStore;

use crate::{
    place::{Place, cure, service},
    support::world::START,
};

/// Adds rows of no subject that expire one after the other, a millisecond apart; the first `after` milliseconds from
/// now.
async fn add(store: &SqliteStore, rows: u32, after: i64) {
    let now = i64::try_from(START.as_millis()).unwrap();
    let added = sqlx::query(
        "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
         INSERT INTO tower_bearer_sessions (subject_tag, session_id, record, expires_at, rotated_at, live)
         SELECT randomblob(16), randomblob(16), randomblob(300), ? + n, 0, 1 FROM numbers",
    )
    .bind(rows)
    .bind(now + after)
    .execute(store.pool())
    .await
    .unwrap();
    assert_eq!(added.rows_affected(), u64::from(rows));
}

async fn rows(store: &SqliteStore) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tower_bearer_sessions")
        .fetch_one(store.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn expired_sessions_go_and_nothing_else() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let mut browser = world.signed_in("ada").await;
    // More than two batches. One expires at this very moment.
    add(&store, 1200, -1199).await;
    add(&store, 300, 1).await;
    assert_eq!(store.purge().await.unwrap(), 1200);
    assert_eq!(rows(&store).await, 301);
    assert_eq!(store.purge().await.unwrap(), 0);
    assert_eq!(browser.refresh(&world).await.status, 200);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(store.purge().await.unwrap(), 1);
}

#[tokio::test]
async fn a_sign_in_clears_some_away() {
    let place = Place::new();
    let (world, store) = place.service().await;
    add(&store, 250, -1000).await;
    for left in [150, 50, 0] {
        world.signed_in("ada").await;
        let signed_in: i64 =
            sqlx::query_scalar("SELECT count(*) FROM tower_bearer_sessions WHERE rotated_at > 0")
                .fetch_one(store.pool())
                .await
                .unwrap();
        assert_eq!(rows(&store).await - signed_in, left);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_used_while_it_runs() {
    let place = Place::new();
    let (world, store) = place.service().await;
    add(&store, 29_000, -29_000).await;
    add(&store, 1000, 1_000_000_000).await;
    let mut browsers = Vec::new();
    for user in 0..4 {
        browsers.push(world.signed_in(&format!("user-{user}")).await);
    }
    let purge = tokio::spawn({
        let store = store.clone();
        async move { store.purge().await }
    });
    let mut refreshed = 0;
    while !purge.is_finished() {
        world.secs(1);
        let number = refreshed % browsers.len();
        let browser = &mut browsers[number];
        let reply = browser.refresh(&world).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        refreshed += 1;
    }
    // The four sign-ins have cleared a hundred each.
    assert_eq!(purge.await.unwrap().unwrap(), 29_000 - 400);
    assert!(refreshed > 0, "the purge was over at once");
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn purging_from_time_to_time_survives_errors_and_tells_of_them() {
    let place = Place::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = {
        let heard = heard.clone();
        EventSink::new(move |event: &Event<'_>| {
            let Event::StoreFailed(error) = event else {
                panic!("{event:?}");
            };
            heard.lock().unwrap().push(cure(error));
        })
    };
    let (_, store) =
        service(async |store| store.events(sink).open(place.path()).await.unwrap()).await;
    add(&store, 10, -10).await;
    let rename = |from: &str, to: &str| {
        let rename = format!("ALTER TABLE {from} RENAME TO {to}");
        let pool = store.pool().clone();
        async move {
            let rename = sqlx::raw_sql(sqlx::AssertSqlSafe(rename));
            rename.execute(&pool).await.unwrap();
        }
    };
    rename("tower_bearer_sessions", "elsewhere").await;
    // The period is a second at least.
    let purging = tokio::spawn(store.purge_every(Duration::ZERO));
    while heard.lock().unwrap().is_empty() {
        sleep(Duration::from_millis(5)).await;
    }
    assert!(heard.lock().unwrap()[0].contains("SqliteStore::migrate"));
    rename("elsewhere", "tower_bearer_sessions").await;
    while rows(&store).await > 0 {
        sleep(Duration::from_millis(5)).await;
    }
    store.close().await;
    // It ends by itself, and is no error.
    purging.await.unwrap();
}

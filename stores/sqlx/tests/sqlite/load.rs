//! A table of a million sessions, half of which have expired, while these are deleted.

use sqlx::{Connection as _, SqliteConnection};

use crate::{
    beside_purge::{CLIENTS, ROWS, delays_no_refresh_to_twice_its_time},
    place::Place,
    support::world::START,
};

/// Every other row has expired, each at a time of its own. No power is cut here, so this does not wait for the disk.
async fn fill(place: &Place, size: usize) {
    let mut connection = place.connection().await;
    let now = i64::try_from(START.as_millis()).unwrap();
    let fast = "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000";
    sqlx::raw_sql(fast).execute(&mut connection).await.unwrap();
    let added = sqlx::query(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         INSERT INTO tower_bearer_sessions (subject_tag, session_id, record, expires_at, rotated_at, live)
         SELECT randomblob(16), randomblob(16), randomblob(?),
             ? + CASE n % 2 WHEN 0 THEN -1000 * n ELSE 3600000 + 1000 * n END, ?, 1 FROM numbers ORDER BY 1",
    )
    .bind(ROWS)
    .bind(i64::try_from(size).unwrap())
    .bind(now)
    .bind(now)
    .execute(&mut connection)
    .await
    .unwrap();
    assert_eq!(added.rows_affected(), ROWS.cast_unsigned());
    tidy(connection).await;
}

/// Moves the file beside the database into it, and onto the disk.
async fn tidy(mut connection: SqliteConnection) {
    let tidy = "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)";
    sqlx::raw_sql(tidy).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[ignore = "a million rows: scripts/test --long"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_of_half_a_million_sessions_delays_no_refresh_to_twice_its_time() {
    let place = Place::on_disk();
    let (world, store) = place.service().await;
    let mut records = Vec::new();
    for user in 0..CLIENTS {
        world.signed_in(&format!("user-{user}")).await;
        records.push(world.store.last().await);
    }
    fill(&place, records[0].encode().len()).await;
    delays_no_refresh_to_twice_its_time(&store, &records, store.purge()).await;
}

//! A table of a million sessions, half of which have expired, while these are deleted.

use tower_bearer::{Clock as _, SystemClock};
use tower_bearer_sqlx::PostgresStore;

use crate::{
    beside_purge::{CLIENTS, ROWS, delays_no_refresh_to_twice_its_time},
    stage::{instance, migrated_on},
    support::Server,
};

#[ignore = "a million rows: scripts/test --long"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_of_half_a_million_sessions_delays_no_refresh_to_twice_its_time() {
    let server = Server::with(&["fsync=on", "shared_buffers=256MB", "max_wal_size=4GB"]).await;
    let (database, store) = migrated_on(&server, PostgresStore::builder()).await;
    let world = instance(store.clone());
    let mut records = Vec::new();
    for n in 0..CLIENTS {
        world.signed_in(&format!("user-{n}")).await;
        records.push(world.store.last().await);
    }
    let now = i64::try_from(SystemClock.now().as_millis()).unwrap();
    let size = records[0].encode().len();
    // Every other row has expired, each at a time of its own.
    database
        .execute(&format!(
            "INSERT INTO tower_bearer_sessions SELECT decode(md5(i::text), 'hex'), decode(md5((-i)::text), 'hex'), \
             decode(rpad(md5(i::text), 2 * {size}, md5(i::text)), 'hex'), \
             {now} + CASE i % 2 WHEN 0 THEN -1000 * i ELSE 3600000 + 1000 * i END, {now}, true \
             FROM generate_series(1, {ROWS}) AS i"
        ))
        .await;
    for tidy in ["VACUUM (ANALYZE) tower_bearer_sessions", "CHECKPOINT"] {
        database.execute(tidy).await;
    }
    delays_no_refresh_to_twice_its_time(&store, &records, store.purge()).await;
}

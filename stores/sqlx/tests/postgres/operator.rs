//! The operator's side: health, and the end of everything.

use tower_bearer::{
    Clock as _, RevokeReason, SystemClock, Timestamp,
    store::{RefreshStore as _, SessionState, StoreErrorKind},
};
use tower_bearer_sqlx::PostgresStore;

use crate::{
    stage::{impatient, instance, migrated, migrated_on},
    support::{Server, ServerClock},
};

#[tokio::test]
async fn a_server_that_is_as_it_should_be_has_no_warning() {
    let (database, store) = migrated().await;
    let health = store.health().await.unwrap();
    // The tests' own servers do without the disk.
    let warnings = health.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("fsync"), "{warnings:?}");
    assert!(health.is_primary());
    assert_eq!(health.schema_version(), Some(1));
    let version: String = database.value("SHOW server_version").await;
    assert_eq!(health.version(), version);
    assert!(
        health.clock_skew_millis().abs() < 1_000,
        "{}",
        health.clock_skew_millis()
    );
    assert!(health.round_trip() > std::time::Duration::ZERO);
}

#[tokio::test]
async fn a_clock_that_is_wrong_and_a_commit_that_does_not_wait_are_warned_of() {
    let server = Server::with(&["synchronous_commit=off"]).await;
    let database = server.database().await;
    let ahead = SystemClock.now().as_millis() + 60_000;
    ServerClock::of(&database, ahead).await;
    let store = PostgresStore::connect(&database.url).await.unwrap();
    store.migrate().await.unwrap();
    let health = store.health().await.unwrap();
    let skew = health.clock_skew_millis();
    assert!((50_000..=60_000).contains(&skew), "{skew}");
    let warnings = health.warnings();
    for word in ["fsync", "synchronous_commit", "NTP"] {
        assert_eq!(
            warnings.iter().filter(|text| text.contains(word)).count(),
            1,
            "{warnings:?}"
        );
    }
    assert_eq!(warnings.len(), 3);
}

/// The walk goes by the key. Whole pages of it hold nothing to end, in front of the first live session and behind it.
#[tokio::test]
async fn sessions_that_had_ended_before_do_not_end_the_walk() {
    let (database, store) = migrated().await;
    let world = instance(store.clone());
    for user in 0..5 {
        world.signed_in(&format!("user-{user}")).await;
    }
    for subject in ["00", "ff"] {
        // Their records are never read.
        let rows = format!(
            "INSERT INTO tower_bearer_sessions \
             SELECT decode(repeat('{subject}', 16), 'hex'), decode(md5(i::text), 'hex'), '\\x00', {}, 0, false \
             FROM generate_series(1, 1200) AS i",
            i64::MAX
        );
        database.execute(&rows).await;
    }
    let before = SystemClock.now() + std::time::Duration::from_secs(60);
    assert_eq!(store.revoke_everything(before).await.unwrap(), 5);
    let live = "SELECT count(*) FROM tower_bearer_sessions WHERE live";
    assert_eq!(database.value::<i64>(live).await, 0);
    assert_eq!(store.revoke_everything(before).await.unwrap(), 0);
}

#[tokio::test]
async fn everything_that_began_by_then_ends_while_sessions_go_on() {
    let server = Server::with(&[]).await;
    let (database, store) = migrated_on(&server, impatient()).await;
    let world = instance(store.clone());
    let mut old = Vec::new();
    for n in 0..30 {
        let browser = world.signed_in(&format!("user-{}", n % 7)).await;
        old.push((browser, world.store.last_key()));
    }
    // Two pages and a half, in a layout that is compared by what it says.
    let template = world.store.last().await;
    let rows = "INSERT INTO tower_bearer_sessions SELECT subject_tag, decode(md5(i::text), 'hex'), \
                overlay(record PLACING decode(md5(i::text), 'hex') FROM 2), expires_at, rotated_at, live \
                FROM tower_bearer_sessions, generate_series(1, 1250) AS i WHERE session_id = $1";
    let mut connection = database.connection().await;
    let rows = sqlx::query(rows).bind(*template.id().as_bytes());
    assert_eq!(
        rows.execute(&mut connection).await.unwrap().rows_affected(),
        1250
    );
    let now: i64 = database
        .value("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
        .await;
    let before = Timestamp::from_millis(u64::try_from(now).unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    world.signed_in("user-0").await;
    let new = world.store.last_key();

    // The honest ones refresh meanwhile: whatever they make of their sessions, these end.
    let refreshing = async {
        let mut ended = 0;
        for _ in 0..3 {
            for (browser, _) in &mut old {
                ended += usize::from(browser.refresh(&world).await.status == 401);
            }
        }
        ended
    };
    let (count, ended) = tokio::join!(store.revoke_everything(before), refreshing);
    assert_eq!(count.unwrap(), 1280);
    assert!(ended > 0, "none has noticed");
    for (_, key) in &old {
        let record = store.load(key).await.unwrap().into_record().unwrap();
        assert_eq!(
            record.state(),
            SessionState::Revoked(RevokeReason::RevokedAll)
        );
    }
    assert!(store.load(&new).await.unwrap().record().unwrap().is_live());
    let live: i64 = database
        .value("SELECT count(*) FROM tower_bearer_sessions WHERE live")
        .await;
    assert_eq!(live, 1);
    assert_eq!(store.revoke_everything(before).await.unwrap(), 0);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_no_other_session() {
    let (database, store) = migrated().await;
    let world = instance(store.clone());
    let mut keys = Vec::new();
    for user in ["ada", "bob", "cy"] {
        world.signed_in(user).await;
        keys.push(world.store.last_key());
    }
    let damaged = "INSERT INTO tower_bearer_sessions VALUES ('\\x00', '\\x00', '\\xff', 9000000000000000, 0, true)";
    database.execute(damaged).await;
    let error = store
        .revoke_everything(SystemClock.now())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    for key in keys {
        let record = store.load(&key).await.unwrap().into_record().unwrap();
        assert_eq!(
            record.state(),
            SessionState::Revoked(RevokeReason::RevokedAll)
        );
    }
}

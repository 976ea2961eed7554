//! Every session of every subject at once.

use std::{iter, time::Duration};

use tower_bearer::{
    Timestamp,
    store::{RefreshStore, SessionRecord, StoreErrorKind},
};

use crate::{
    place::{Place, cure},
    support::world::START,
};

/// More than two batches.
const USERS: usize = 450;

async fn live(place: &Place) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM tower_bearer_sessions WHERE live")
        .fetch_one(&mut place.connection().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn every_session_ends_batch_by_batch() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let mut browsers = Vec::new();
    for user in 0..USERS {
        browsers.push(world.signed_in(&format!("user-{user}")).await);
    }
    browsers[0].logout(&world).await;
    world.secs(60);
    let mut late = world.signed_in("late").await;
    assert_eq!(live(&place).await, USERS as i64);

    // The service's time goes on by as much as a call takes.
    let before = START + Duration::from_secs(30);
    assert_eq!(
        store.revoke_everything(before).await.unwrap(),
        USERS as u64 - 1
    );
    assert_eq!(live(&place).await, 1);
    for browser in browsers.iter_mut().step_by(100) {
        assert_eq!(browser.refresh(&world).await.status, 401);
    }
    assert_eq!(late.refresh(&world).await.status, 200);
    assert_eq!(store.revoke_everything(before).await.unwrap(), 0);
}

/// Adds sessions that have ended, of one subject each. Their records are never read.
async fn ended(place: &Place, subject: u8, rows: i64) {
    let added = sqlx::query(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         INSERT INTO tower_bearer_sessions (subject_tag, session_id, record, expires_at, rotated_at, live)
         SELECT ?, randomblob(16), x'00', ?, 0, 0 FROM numbers",
    )
    .bind(rows)
    .bind(&[subject; 16][..])
    .bind(i64::MAX)
    .execute(&mut place.connection().await)
    .await
    .unwrap();
    assert_eq!(added.rows_affected(), rows.cast_unsigned());
}

/// The walk goes by the key. Whole batches of it hold nothing to end, in front of the first live session and behind it.
#[tokio::test]
async fn sessions_that_had_ended_before_do_not_end_the_walk() {
    let place = Place::new();
    let (world, store) = place.service().await;
    for user in 0..5 {
        world.signed_in(&format!("user-{user}")).await;
    }
    ended(&place, 0x00, 1100).await;
    ended(&place, 0xff, 1100).await;
    let before = START + Duration::from_secs(30);
    assert_eq!(store.revoke_everything(before).await.unwrap(), 5);
    assert_eq!(live(&place).await, 0);
    assert_eq!(store.revoke_everything(before).await.unwrap(), 0);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_no_other_alive() {
    let place = Place::new();
    let (world, store) = place.service().await;
    for user in 0..10 {
        world.signed_in(&format!("user-{user}")).await;
    }
    let broken = world.store.last_key();
    sqlx::query("UPDATE tower_bearer_sessions SET record = x'00' WHERE session_id = ?")
        .bind(&broken.id().as_bytes()[..])
        .execute(store.pool())
        .await
        .unwrap();
    let before = START + Duration::from_secs(30);
    let error = store.revoke_everything(before).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(cure(&error).starts_with("1 records"), "{error:?}");
    assert_eq!(live(&place).await, 1);
    let error = store.load(&broken).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn the_columns_agree_with_the_record() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let mut browser = world.signed_in("ada").await;
    let mut steps: Vec<SessionRecord> = vec![world.store.last().await];
    let mut rows = Vec::new();
    for _ in 0..2 {
        rows.push(row(&place).await);
        world.secs(120);
        browser.refresh(&world).await;
        steps.push(world.store.last().await);
    }
    rows.push(row(&place).await);
    store
        .revoke_everything(Timestamp::from_millis(u64::MAX))
        .await
        .unwrap();
    steps.push(world.store.last().await);
    rows.push(row(&place).await);
    for (step, (expires_at, rotated_at, live)) in iter::zip(&steps, rows) {
        assert_eq!(expires_at.cast_unsigned(), step.expires_at().as_millis());
        assert_eq!(
            rotated_at.cast_unsigned(),
            step.last_rotated_at().as_millis()
        );
        assert_eq!(live, step.is_live());
    }
    assert_eq!(steps[2].generation(), 2);
    assert!(!steps[3].is_live());
}

async fn row(place: &Place) -> (i64, i64, bool) {
    sqlx::query_as("SELECT expires_at, rotated_at, live FROM tower_bearer_sessions")
        .fetch_one(&mut place.connection().await)
        .await
        .unwrap()
}

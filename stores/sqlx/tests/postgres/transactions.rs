//! A change of the application's and the end of sessions in one commit.

use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Postgres, Transaction, postgres::PgConnectOptions,
};
use tokio::sync::Barrier;
use tower_bearer::{
    SessionId,
    admin::Ended,
    store::{RefreshStore as _, StoreError, StoreErrorKind},
};
use tower_bearer_sqlx::RevokeIn as _;

use crate::{
    stage::{
        assert_ok, assert_unavailable, impatient, instance, migrated, migrated_on,
        refresh_when_back, told,
    },
    support::{Database, Pooler, Server, until, world::World},
};

const USERS: &str = "CREATE TABLE users (id TEXT PRIMARY KEY, password TEXT NOT NULL); INSERT INTO users VALUES ('ada', 'old')";
const PASSWORD: &str = "SELECT password FROM users";

/// The application's half, and then ours.
async fn change_password(
    tx: &mut Transaction<'_, Postgres>,
    world: &World,
    keep: Option<&SessionId>,
) -> Result<Ended, StoreError> {
    let update = sqlx::query("UPDATE users SET password = 'new' WHERE id = 'ada'");
    update.execute(&mut **tx).await.unwrap();
    world.layer.admin().revoke_in(tx, "ada", keep).await
}

#[tokio::test]
async fn a_changed_password_and_the_end_of_sessions_are_one_commit() {
    let (database, store) = migrated().await;
    database.execute(USERS).await;
    let world = instance(store);
    let mut here = world.signed_in("ada").await;
    let kept = world.store.last_key();
    let mut elsewhere = world.signed_in("ada").await;
    let mut other = world.signed_in("bob").await;
    let mut connection = database.connection().await;

    let mut tx = connection.begin().await.unwrap();
    let ended = change_password(&mut tx, &world, Some(kept.id()))
        .await
        .unwrap();
    assert_eq!(ended.sessions().len(), 1);
    tx.rollback().await.unwrap();
    ended.discard();
    assert_eq!(database.value::<String>(PASSWORD).await, "old");
    assert_ok(&elsewhere.refresh(&world).await);
    assert_eq!(world.count("Revoked") + world.count("Unannounced"), 0);

    let mut tx = connection.begin().await.unwrap();
    let ended = change_password(&mut tx, &world, Some(kept.id()))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.count("Revoked"), 0, "not before it is so");
    ended.announce().await;
    assert_eq!(world.count("Revoked"), 1);
    assert_eq!(database.value::<String>(PASSWORD).await, "new");
    assert_eq!(elsewhere.refresh(&world).await.status, 401);
    assert_ok(&here.refresh(&world).await);
    assert_ok(&other.refresh(&world).await);
}

#[tokio::test]
async fn a_commit_without_an_announcement_is_warned_of() {
    let (database, store) = migrated().await;
    database.execute(USERS).await;
    let world = instance(store);
    world.signed_in("ada").await;
    let mut connection = database.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let ended = change_password(&mut tx, &world, None).await.unwrap();
    tx.commit().await.unwrap();
    drop(ended);
    assert_eq!(world.count("Unannounced"), 1);
}

/// Both or neither: the server dies before the commit, or after it.
#[tokio::test]
async fn a_crash_between_the_two_halves_leaves_both_or_neither() {
    // A commit is on disk, whatever the server is set to.
    let server = Server::with(&["synchronous_commit=off"]).await;
    let (database, store) = migrated_on(&server, impatient()).await;
    database.execute(USERS).await;
    let world = instance(store.clone());
    let mut browser = world.signed_in("ada").await;
    let subject = *world.store.last_key().subject();

    let mut connection = database.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let ended = change_password(&mut tx, &world, None).await.unwrap();
    server.kill();
    assert!(tx.commit().await.is_err());
    ended.discard();
    server.restart().await;
    assert_eq!(database.value::<String>(PASSWORD).await, "old");
    assert_ok(&refresh_when_back(&mut browser, &world).await);

    let mut connection = database.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let ended = change_password(&mut tx, &world, None).await.unwrap();
    tx.commit().await.unwrap();
    server.kill();
    server.restart().await;
    ended.announce().await;
    assert_eq!(database.value::<String>(PASSWORD).await, "new");
    assert_eq!(refresh_when_back(&mut browser, &world).await.status, 401);
    let live = store.list(&subject).await.unwrap();
    assert!(live.iter().all(|session| !session.is_live()));
}

/// The process of the application dies: its connection goes, and with it what it had not committed.
#[tokio::test]
async fn an_application_that_dies_before_its_commit_has_changed_nothing() {
    let (database, store) = migrated().await;
    database.execute(USERS).await;
    let world = instance(store);
    let mut browser = world.signed_in("ada").await;
    let mut connection = database.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let ended = change_password(&mut tx, &world, None).await.unwrap();
    std::mem::forget(tx);
    drop(connection);
    ended.discard();
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(database.value::<String>(PASSWORD).await, "old");
}

#[tokio::test]
async fn a_sign_in_waits_for_the_commit_and_begins_after_it() {
    let (database, store) = migrated().await;
    database.execute(USERS).await;
    let world = instance(store);
    let mut old = world.signed_in("ada").await;
    let mut connection = database.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let ended = change_password(&mut tx, &world, None).await.unwrap();
    // Too long for one, who is told so.
    assert_unavailable(&world.browser().login(&world, "ada").await);
    let (reply, ()) = tokio::join!(
        async { world.browser().login(&world, "ada").await },
        async {
            let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
            until("it waits", Duration::from_secs(5), || async {
                let count: i64 = database.value(waits).await;
                (count > 0).then_some(()).ok_or_else(|| count.to_string())
            })
            .await;
            tx.commit().await.unwrap();
            ended.announce().await;
        }
    );
    assert_ok(&reply);
    assert_eq!(old.refresh(&world).await.status, 401);
    let live = world.layer.admin().list("ada").await.unwrap();
    assert_eq!(live.len(), 1, "the one that began after the commit");
}

/// It would look at the past, and a session that began meanwhile would go on.
#[tokio::test]
async fn a_transaction_that_does_not_see_every_session_is_refused() {
    let (database, store) = migrated().await;
    database.execute(USERS).await;
    let world = instance(store);
    world.signed_in("ada").await;
    let mut connection = database.connection().await;
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let begin = AssertSqlSafe(format!("BEGIN ISOLATION LEVEL {level}"));
        let mut tx = connection.begin_with(begin).await.unwrap();
        let error = change_password(&mut tx, &world, None).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Refused);
        assert!(told(&error).contains("READ COMMITTED"), "{}", told(&error));
        // The transaction is as it was, and goes on.
        tx.commit().await.unwrap();
    }
    assert_eq!(database.value::<String>(PASSWORD).await, "new");
    assert_eq!(world.layer.admin().list("ada").await.unwrap().len(), 1);
}

/// A column that is empty where it should hold an id: "no session to end" would look like success.
#[tokio::test]
async fn a_subject_that_can_be_no_ones_is_refused() {
    let (database, store) = migrated().await;
    let world = instance(store);
    let mut connection = database.connection().await;
    let mut tx = connection.begin().await.unwrap();
    for subject in ["", &"a".repeat(257)] {
        let ended = world.layer.admin().revoke_in(&mut tx, subject, None).await;
        let error = ended.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Refused);
        assert!(told(&error).contains("1 to 256 bytes"), "{}", told(&error));
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn an_error_leaves_the_transaction_as_it_was() {
    let database: Database = Server::shared().await.database().await;
    database.execute(USERS).await;
    // No tables.
    let (_, store) = migrated().await;
    let world = instance(store);
    let mut connection = database.connection().await;
    let mut tx = connection.begin().await.unwrap();
    let error = change_password(&mut tx, &world, None).await.unwrap_err();
    assert!(told(&error).contains("call migrate()"), "{}", told(&error));
    tx.commit().await.unwrap();
    assert_eq!(database.value::<String>(PASSWORD).await, "new");
}

#[tokio::test]
async fn it_works_behind_pgbouncer() {
    let server = Server::shared().await;
    let ((database, store), pooler) = (migrated().await, Pooler::to(server).await);
    database.execute(USERS).await;
    let world = instance(store);
    let mut browser = world.signed_in("ada").await;
    let options: PgConnectOptions = pooler.url(&database).parse().unwrap();
    let mut connection = PgConnection::connect_with(&options.extra_float_digits(None))
        .await
        .unwrap();
    let mut tx = connection.begin().await.unwrap();
    // The application's own statement is its own concern.
    let admin = world.layer.admin();
    let ended = admin.revoke_in(&mut tx, "ada", None).await.unwrap();
    tx.commit().await.unwrap();
    ended.announce().await;
    assert_eq!(browser.refresh(&world).await.status, 401);
}

/// Two transactions over two subjects each, in opposite order. One of them is given up, and the other one goes on.
#[tokio::test]
async fn transactions_that_cross_do_not_hang() {
    let (database, store) = migrated().await;
    let world = instance(store);
    for user in ["ada", "bob"] {
        world.signed_in(user).await;
    }
    let admin = world.layer.admin();
    let met = Barrier::new(2);
    let both = async |first: &str, second: &str| {
        let mut connection = database.connection().await;
        let mut tx = connection.begin().await.unwrap();
        let ended = admin.revoke_in(&mut tx, first, None).await.unwrap();
        met.wait().await;
        let committed = match admin.revoke_in(&mut tx, second, None).await {
            Ok(other) => {
                tx.commit().await.unwrap();
                other.announce().await;
                true
            }
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                let told = told(&error);
                assert!(told.contains("40P01"), "{told}");
                assert!(told.contains("run this one again"), "{told}");
                // Its changes before are still to be ended, by the application's word.
                sqlx::query("SELECT 1").execute(&mut *tx).await.unwrap();
                tx.rollback().await.unwrap();
                false
            }
        };
        ended.discard();
        committed
    };
    let (one, two) = tokio::join!(both("ada", "bob"), both("bob", "ada"));
    assert!(one != two, "the server gives up one of them: {one}, {two}");
    for user in ["ada", "bob"] {
        assert!(admin.list(user).await.unwrap().is_empty());
    }
}

//! The end of sessions in one commit with a change of the application's own: both are there, or neither.

use std::{env, time::Duration};

use sqlx::{Sqlite, SqlitePool, Transaction};
use tower_bearer::{
    KeyRing, SessionAdmin,
    admin::Ended,
    store::{RefreshStore, StoreErrorKind},
};
use tower_bearer_sqlx::{RevokeIn, SqliteStore};

use crate::{
    place::{Place, after, cure, path_of_the_other, service, tell},
    support::world::{MASTER, World},
};

const OLD: &str = "the old password";
const NEW: &str = "the new password";

/// An application whose users are in the same database as its sessions.
struct Application {
    place: Place,
    pool: SqlitePool,
    world: World,
    store: SqliteStore,
    admin: SessionAdmin,
}

impl Application {
    async fn new() -> Self {
        let place = Place::new();
        let pool = place.pool().await;
        let (world, store) = service(async |store| store.share(pool.clone()).unwrap()).await;
        store.migrate().await.unwrap();
        sqlx::raw_sql("CREATE TABLE users (id TEXT PRIMARY KEY, password TEXT NOT NULL)")
            .execute(&pool)
            .await
            .unwrap();
        sqlx::query("INSERT INTO users VALUES ('ada', ?)")
            .bind(OLD)
            .execute(&pool)
            .await
            .unwrap();
        Self {
            place,
            pool,
            admin: world.layer.admin(),
            world,
            store,
        }
    }

    async fn password(&self) -> String {
        let password = sqlx::query_scalar("SELECT password FROM users WHERE id = 'ada'");
        password.fetch_one(&self.pool).await.unwrap()
    }

    /// How many of the user's sessions live.
    async fn live(&self) -> usize {
        self.admin.list("ada").await.unwrap().len()
    }

    fn revoked(&self) -> usize {
        self.world.count("Revoked")
    }

    fn unannounced(&self) -> usize {
        self.world.count("Unannounced")
    }
}

async fn change_password(tx: &mut Transaction<'_, Sqlite>) {
    let change = sqlx::query("UPDATE users SET password = ? WHERE id = 'ada'");
    change.bind(NEW).execute(&mut **tx).await.unwrap();
}

#[tokio::test]
async fn a_password_and_its_sessions_change_in_one_commit() {
    let app = Application::new().await;
    let mut here = app.world.signed_in("ada").await;
    let kept = *app.world.store.last_key().id();
    let mut elsewhere = app.world.signed_in("ada").await;
    let mut bob = app.world.signed_in("bob").await;

    let mut tx = app.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    change_password(&mut tx).await;
    let ended = app
        .admin
        .revoke_in(&mut tx, "ada", Some(&kept))
        .await
        .unwrap();
    assert_eq!(ended.sessions().len(), 1);
    // Nothing has happened yet.
    assert_eq!((app.live().await, app.password().await.as_str()), (2, OLD));
    tx.commit().await.unwrap();
    assert_eq!((app.live().await, app.password().await.as_str()), (1, NEW));
    assert_eq!(app.revoked(), 0);
    ended.announce().await;
    assert_eq!((app.revoked(), app.unannounced()), (1, 0));

    assert_eq!(elsewhere.refresh(&app.world).await.status, 401);
    assert_eq!(here.refresh(&app.world).await.status, 200);
    assert_eq!(bob.refresh(&app.world).await.status, 200);
    // A user without sessions has none to end.
    let mut tx = app.pool.begin().await.unwrap();
    let ended = app.admin.revoke_in(&mut tx, "eve", None).await.unwrap();
    tx.commit().await.unwrap();
    assert!(ended.sessions().is_empty());
    drop(ended);
    assert_eq!(app.unannounced(), 0);
}

#[tokio::test]
async fn a_rollback_takes_back_both() {
    let app = Application::new().await;
    let mut browser = app.world.signed_in("ada").await;
    for discards in [true, false] {
        let mut tx = app.pool.begin().await.unwrap();
        change_password(&mut tx).await;
        let ended = app.admin.revoke_in(&mut tx, "ada", None).await.unwrap();
        tx.rollback().await.unwrap();
        match discards {
            true => ended.discard(),
            false => drop(ended),
        }
        assert_eq!(app.unannounced(), usize::from(!discards));
        assert_eq!((app.live().await, app.password().await.as_str()), (1, OLD));
        assert_eq!(browser.refresh(&app.world).await.status, 200);
    }
    assert_eq!(app.revoked(), 0);
}

#[tokio::test]
async fn sessions_under_every_key_end() {
    let app = Application::new().await;
    let ring = |[active, other]: [&[u8]; 2]| {
        let ring = KeyRing::builder().refresh_secret(active);
        ring.refresh_secret(other).master(MASTER).build().unwrap()
    };
    let (one, two) = (
        b"Lw5pK1rX8cV3mZ7qT2yN9bH4fJ6dS0gAuEiOxMaR",
        b"Rf2hU7kD4sW9eQ1zX6vB3nM8tY5gP0jLaCiOwEbN",
    );
    let old = app.world.server_with_keys(ring([one, two]));
    let new = app.world.server_with_keys(ring([two, one]));
    let mut browsers = [old.signed_in("ada").await, new.signed_in("ada").await];
    let mut tx = app.pool.begin().await.unwrap();
    let ended = new
        .layer
        .admin()
        .revoke_in(&mut tx, "ada", None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(ended.sessions().len(), 2);
    ended.announce().await;
    for browser in &mut browsers {
        assert_eq!(browser.refresh(&new).await.status, 401);
    }
}

#[tokio::test]
async fn a_refresh_beside_it_comes_before_or_is_refused() {
    let app = Application::new().await;
    let mut browser = app.world.signed_in("ada").await;
    app.world.secs(120);
    let mut tx = app.pool.begin().await.unwrap();
    let ended = app.admin.revoke_in(&mut tx, "ada", None).await.unwrap();
    // It has read a live session, and waits to write.
    let refresh = tokio::spawn({
        let world = app.world.clone();
        async move { browser.refresh(&world).await }
    });
    let calls = app.world.store.calls();
    while app.world.store.calls() < calls + 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!refresh.is_finished());
    tx.commit().await.unwrap();
    ended.announce().await;
    assert_eq!(refresh.await.unwrap().status, 401);
    assert_eq!(app.live().await, 0);
}

/// A sign-in with the old password comes before it, or waits for the commit. Where the user has no session yet, no row
/// keeps it out.
#[tokio::test]
async fn it_takes_the_lock_also_where_it_ends_nothing() {
    let app = Application::new().await;
    let impatient = service(async |store| {
        let store = store.timeout(Duration::from_millis(100));
        store.open(app.place.path()).await.unwrap()
    });
    let (other, _) = impatient.await;
    let mut tx = app.pool.begin().await.unwrap();
    let ended = app.admin.revoke_in(&mut tx, "ada", None).await.unwrap();
    assert!(ended.sessions().is_empty());
    let beside = other.browser().login(&other, "ada").await;
    assert_eq!(beside.status, 503);
    tx.commit().await.unwrap();
    ended.announce().await;
    other.signed_in("ada").await;
}

/// A column that is empty where it should hold an id: "no session to end" would look like success.
#[tokio::test]
async fn a_subject_that_can_be_no_ones_is_refused() {
    let app = Application::new().await;
    let mut tx = app.pool.begin().await.unwrap();
    for subject in ["", &"a".repeat(257)] {
        let ended = app.admin.revoke_in(&mut tx, subject, None).await;
        let error = ended.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Refused);
        let told = format!("{error:?}");
        assert!(told.contains("1 to 256 bytes"), "{told}");
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_has_lost_its_view_is_told_the_cure() {
    let app = Application::new().await;
    app.world.signed_in("ada").await;
    let mut tx = app.pool.begin().await.unwrap();
    let read = sqlx::query("SELECT password FROM users");
    read.fetch_one(&mut *tx).await.unwrap();
    app.world.signed_in("bob").await;
    let error = app.admin.revoke_in(&mut tx, "ada", None).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(cure(&error).contains("BEGIN IMMEDIATE"), "{error:?}");
    tx.rollback().await.unwrap();
    assert_eq!(app.live().await, 1);

    let mut tx = app.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let read = sqlx::query("SELECT password FROM users");
    read.fetch_one(&mut *tx).await.unwrap();
    let ended = app.admin.revoke_in(&mut tx, "ada", None).await.unwrap();
    tx.commit().await.unwrap();
    ended.announce().await;
    assert_eq!(app.live().await, 0);
}

/// A session that cannot be read, beside one that can.
#[tokio::test]
async fn a_failed_revocation_is_rolled_back_with_the_rest() {
    let app = Application::new().await;
    app.world.signed_in("ada").await;
    let readable = app.world.store.last_key();
    app.world.signed_in("ada").await;
    let broken = app.world.store.last_key();
    sqlx::query("UPDATE tower_bearer_sessions SET record = x'00' WHERE session_id = ?")
        .bind(&broken.id().as_bytes()[..])
        .execute(&app.pool)
        .await
        .unwrap();
    let mut tx = app.pool.begin().await.unwrap();
    change_password(&mut tx).await;
    let error = app.admin.revoke_in(&mut tx, "ada", None).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    drop(tx);
    assert_eq!(app.password().await, OLD);
    let loaded = app.store.load(&readable).await.unwrap();
    assert!(loaded.record().unwrap().is_live());
}

#[tokio::test]
async fn a_call_that_is_dropped_is_rolled_back_with_the_rest() {
    let app = Application::new().await;
    for _ in 0..8 {
        app.world.signed_in("ada").await;
    }
    let mut dropped = 0;
    // How often it is woken is a matter of how fast the disk is.
    for wakes in (0..12).cycle().take(120) {
        let mut tx = app.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        change_password(&mut tx).await;
        let done = after(wakes, app.admin.revoke_in(&mut tx, "ada", None)).await;
        drop(tx);
        match done {
            Some(ended) => ended.unwrap().discard(),
            None => dropped += 1,
        }
        assert_eq!((app.live().await, app.password().await.as_str()), (8, OLD));
    }
    assert!(dropped > 10, "it was dropped {dropped} times");
    assert_eq!(app.unannounced(), 0);
}

/// Where the other process dies.
const DIES: &str = "TOWER_BEARER_DIES";

/// Changes a password, and is killed at some moment.
#[tokio::test]
async fn a_process_that_dies_in_between() {
    let Some(path) = path_of_the_other() else {
        return;
    };
    let dies = env::var(DIES).unwrap();
    let pool = SqlitePool::connect(path.to_str().unwrap()).await.unwrap();
    let (world, _) = service(async |store| store.share(pool.clone()).unwrap()).await;
    let mut tx = pool.begin().await.unwrap();
    change_password(&mut tx).await;
    let is_now = async |moment: &str| {
        if dies == moment {
            tell("now");
            std::future::pending::<()>().await;
        }
    };
    is_now("between the halves").await;
    let ended: Ended = world
        .layer
        .admin()
        .revoke_in(&mut tx, "ada", None)
        .await
        .unwrap();
    is_now("before the commit").await;
    tx.commit().await.unwrap();
    is_now("after the commit").await;
    ended.announce().await;
}

#[tokio::test]
async fn a_crash_leaves_both_halves_or_neither() {
    for (dies, is_committed) in [
        ("between the halves", false),
        ("before the commit", false),
        ("after the commit", true),
    ] {
        let app = Application::new().await;
        let mut browser = app.world.signed_in("ada").await;
        let test = "revoke_in::a_process_that_dies_in_between";
        let mut other = app.place.other_with(test, DIES, dies);
        assert_eq!(other.told(), "now");
        other.kill();
        let (password, status) = match is_committed {
            true => (NEW, 401),
            false => (OLD, 200),
        };
        assert_eq!(app.password().await, password, "{dies}");
        assert_eq!(browser.refresh(&app.world).await.status, status, "{dies}");
    }
}

#[tokio::test]
async fn the_pool_of_an_opened_store_serves_too() {
    let place = Place::new();
    let (world, store) = place.service().await;
    let mut browser = world.signed_in("ada").await;
    let mut tx = store.pool().begin().await.unwrap();
    let ended = world
        .layer
        .admin()
        .revoke_in(&mut tx, "ada", None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    ended.announce().await;
    assert_eq!(browser.refresh(&world).await.status, 401);
}

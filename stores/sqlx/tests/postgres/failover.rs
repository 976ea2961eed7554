//! A primary that dies, and a streaming replica that takes its place without the last write.

use std::time::Duration;

use futures_util::future::try_join_all;
use sqlx::PgPool;
use tower_bearer::{
    Timestamp,
    store::{RefreshStore as _, StoreErrorKind},
};

use crate::{
    stage::{Stage as Service, assert_ok, impatient, refresh_when_back, told},
    support::{
        Database, Proxy, Server, ServerClock,
        world::{Browser, World},
    },
};

/// A service over a primary with a replica. Its address can be turned from the one to the other.
struct Stage {
    primary: Server,
    replica: Server,
    database: Database,
    proxy: Proxy,
    clock: ServerClock,
    world: World,
}

impl Stage {
    async fn new() -> Self {
        let primary = Server::with(&[]).await;
        let database = primary.database().await;
        let proxy = Proxy::to(primary.port()).await;
        let Service { clock, world } = Service::over(&database, &database.by(proxy.port())).await;
        let replica = primary.replica().await;
        Self {
            primary,
            replica,
            database,
            proxy,
            clock,
            world,
        }
    }

    /// A browser whose next refresh rotates for the second time.
    async fn due(&self) -> Browser {
        let mut browser = self.world.signed_in("ada").await;
        assert_ok(&browser.refresh(&self.world).await);
        self.clock.advance(Duration::from_secs(120)).await;
        self.world.secs(120);
        self.primary.wait_for(&self.replica).await;
        browser
    }

    /// The primary dies, and the replica takes its place.
    async fn fail_over(&self) {
        self.primary.kill();
        self.replica.promote().await;
        self.proxy.turn_to(self.replica.port());
    }
}

#[tokio::test]
async fn a_failover_that_loses_nothing_is_200() {
    let stage = Stage::new().await;
    let mut browser = stage.due().await;
    stage.fail_over().await;
    assert_ok(&refresh_when_back(&mut browser, &stage.world).await);
    assert_eq!(stage.world.store.last().await.generation(), 2);
    assert_eq!(stage.world.count("ReuseDetected"), 0);
}

/// Row 11.
#[tokio::test]
async fn a_replica_promoted_without_the_last_rotation_adopts_the_newest_token() {
    let stage = Stage::new().await;
    let mut browser = stage.due().await;
    let mut late = browser.clone();
    stage.replica.cut_replication().await;
    assert_ok(&browser.refresh(&stage.world).await);
    assert_eq!(stage.world.outcomes("rotated"), 2);
    stage.fail_over().await;

    assert_ok(&refresh_when_back(&mut browser, &stage.world).await);
    assert_eq!(stage.world.count("WriteRestored"), 1);
    assert_ok(&late.refresh(&stage.world).await);
    assert_eq!(stage.world.outcomes("replayed"), 1);
    assert_eq!(
        stage.world.count("ReuseDetected") + stage.world.count("Revoked"),
        0
    );
    assert_eq!(stage.world.store.last().await.generation(), 2);
}

#[tokio::test]
async fn the_predecessor_of_a_lost_rotation_leads_to_the_same_successor() {
    let stage = Stage::new().await;
    let mut browser = stage.due().await;
    let mut late = browser.clone();
    stage.replica.cut_replication().await;
    assert_ok(&browser.refresh(&stage.world).await);
    stage.fail_over().await;

    assert_ok(&refresh_when_back(&mut late, &stage.world).await);
    assert_eq!(stage.world.outcomes("rotated"), 3, "derived once more");
    assert_ok(&browser.refresh(&stage.world).await);
    assert_eq!(
        stage.world.outcomes("coalesced"),
        1,
        "and it is the same token"
    );
    let world = &stage.world;
    let alarms =
        world.count("WriteRestored") + world.count("ReuseDetected") + world.count("Revoked");
    assert_eq!(alarms, 0);
}

/// Its connections stay, as where an operator demotes a primary behind an address.
#[tokio::test]
async fn a_replica_is_never_believed() {
    let stage = Stage::new().await;
    let mut browser = stage.due().await;
    // Each call connects four times before it gives up, on a machine that builds beside it.
    let patient = || impatient().timeout(Duration::from_secs(8));
    let key = stage.world.store.last_key();
    let reader = stage.database.by(stage.replica.port());
    // It may be asked how it is, and says what is wrong.
    let store = patient().connect(&reader).await.unwrap();
    let health = store.health().await.unwrap();
    assert!(!health.is_primary());
    assert!(
        health.warnings()[0].contains("replica"),
        "{:?}",
        health.warnings()
    );
    let pooled = patient()
        .prepared_statements(false)
        .connect(&reader)
        .await
        .unwrap();
    for store in [&store, &pooled] {
        let record = stage.world.store.last().await;
        for error in [
            store.load(&key).await.unwrap_err(),
            store.list(key.subject()).await.unwrap_err(),
            store.revoke_all(key.subject(), None).await.unwrap_err(),
            // There is nothing to write that would be refused.
            store
                .revoke_everything(Timestamp::default())
                .await
                .unwrap_err(),
            store
                .swap(&record, &record.revoked(tower_bearer::RevokeReason::Denied))
                .await
                .unwrap_err(),
        ] {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
            assert!(told(&error).contains("takes no writes"), "{}", told(&error));
        }
    }
    // Connections of before to a server that has become one are left for new ones.
    for shares in [false, true] {
        let proxy = Proxy::to(stage.replica.port()).await;
        let url = stage.database.by(proxy.port());
        let store = match shares {
            false => patient().connect(&url).await.unwrap(),
            true => {
                // More of them than there are attempts.
                let pool = PgPool::connect(&url).await.unwrap();
                drop(try_join_all((0..6).map(|_| pool.acquire())).await.unwrap());
                patient().share(pool)
            }
        };
        proxy.turn_new_to(stage.primary.port());
        store.load(&key).await.unwrap();
    }
    assert_ok(&browser.refresh(&stage.world).await);
}

//! Requests and replies that get lost on the way.

use tower_bearer::store::RefreshStore as _;
use tower_bearer_sqlx::PostgresStore;

use crate::{
    stage::{assert_ok, impatient, instance, migrated, unborn},
    support::{Database, Loss, Proxy, world::World},
};

/// A commit: the one message of this text.
fn is_commit(request: &[u8]) -> bool {
    request.windows(7).any(|part| part == b"COMMIT\0")
}

/// The execution of a swap: the only message with a record in it twice, which is prepared before.
fn is_swap(request: &[u8]) -> bool {
    request.first() == Some(&b'B') && request.len() > 600
}

async fn proxied() -> (Database, Proxy, PostgresStore, World) {
    let (database, _) = migrated().await;
    let proxy = Proxy::to(database.port()).await;
    let store = impatient()
        .connect(&database.by(proxy.port()))
        .await
        .unwrap();
    let world = instance(store.clone());
    // All that is prepared once has been.
    let mut browser = world.signed_in("somewhere else").await;
    assert_ok(&browser.refresh(&world).await);
    (database, proxy, store, world)
}

#[tokio::test]
async fn a_swap_whose_reply_is_lost_is_found_applied_and_answered_200() {
    for loss in [Loss::Reply, Loss::Request] {
        let (_, proxy, _, world) = proxied().await;
        let mut browser = world.signed_in("ada").await;
        let armed = proxy.arm(loss, is_swap);
        assert_ok(&browser.refresh(&world).await);
        assert!(armed.has_struck(), "{loss:?}");
        assert_eq!(world.store.last().await.generation(), 1, "applied once");
        assert_ok(&browser.refresh(&world).await);
        assert_eq!(
            world.outcomes("coalesced"),
            1,
            "the browser has the current token"
        );
    }
}

#[tokio::test]
async fn a_sign_in_whose_reply_is_lost_is_one_session() {
    for loss in [Loss::Reply, Loss::Request] {
        let (_, proxy, store, world) = proxied().await;
        let armed = proxy.arm(loss, is_commit);
        let mut browser = world.signed_in("ada").await;
        assert!(armed.has_struck(), "{loss:?}");
        let subject = *world.store.last_key().subject();
        assert_eq!(store.list(&subject).await.unwrap().len(), 1);
        assert_ok(&browser.refresh(&world).await);
    }
}

#[tokio::test]
async fn a_revocation_tells_of_its_sessions_though_its_reply_was_lost() {
    for loss in [Loss::Reply, Loss::Request] {
        let (_, proxy, store, world) = proxied().await;
        for _ in 0..3 {
            world.signed_in("ada").await;
        }
        let key = world.store.last_key();
        let armed = proxy.arm(loss, is_commit);
        let revoked = store
            .revoke_all(key.subject(), Some(key.id()))
            .await
            .unwrap();
        assert!(armed.has_struck(), "{loss:?}");
        assert_eq!(revoked.len(), 2, "{loss:?}");
        let stored = store.list(key.subject()).await.unwrap();
        for record in &revoked {
            assert!(!record.is_live() && stored.contains(record));
        }
        assert!(
            store
                .revoke_all(key.subject(), Some(key.id()))
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_sign_in_tells_of_dropped_sessions_though_its_reply_was_lost() {
    for loss in [Loss::Reply, Loss::Request] {
        let (database, proxy, store, world) = proxied().await;
        world.signed_in("ada").await;
        let old = world.store.last_key();
        let new = unborn(&database, &world, "ada").await;
        let key = new.key();
        let armed = proxy.arm(loss, is_commit);
        let inserted = store.insert(&new, 1).await.unwrap();
        assert!(armed.has_struck(), "{loss:?}");
        let dropped: Vec<_> = inserted
            .dropped()
            .iter()
            .map(|record| record.key())
            .collect();
        assert_eq!(dropped, [old], "{loss:?}");
        assert!(!store.load(&old).await.unwrap().record().unwrap().is_live());
        assert_eq!(store.load(&key).await.unwrap().record(), Some(&new));
    }
}

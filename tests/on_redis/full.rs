//! Servers that take no more writes: 503, nothing is lost, and who signs out is signed out.

use tower_bearer::store::{RefreshStore, SessionRecord, StoreErrorKind};

use crate::{
    stage::{assert_ok, assert_unavailable, instance, store},
    support::redis::Server,
};

#[tokio::test]
async fn maxmemory_without_eviction_is_503_and_nothing_is_lost() {
    let server = Server::with(&["--maxmemory-policy", "noeviction"]).await;
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    let mut leaving = world.signed_in("ada").await;
    let (key, record) = (world.store.last_key(), world.store.last().await);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;

    assert_unavailable(&browser.refresh(&world).await);
    let login = world.browser().login(&world, "ada").await;
    assert_eq!((login.status.as_u16(), login.set_cookie()), (503, None));
    // A new session is what there is no room for.
    let other = SessionRecord::decode(&renamed(&record.encode())).unwrap();
    let error = world.store.insert(&other, 9).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full);
    // Signing out takes no room, and is the one write that must not wait.
    let reply = leaving.logout(&world).await;
    assert_eq!(reply.status, 204);
    assert!(!world.store.peek(&key).await.unwrap().is_live());
    // Neither does signing out everywhere.
    assert_eq!(
        world
            .store
            .revoke_all(key.subject(), Some(key.id()))
            .await
            .unwrap()
            .len(),
        1
    );

    server.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    let mut again = world.signed_in("ada").await;
    assert_ok(&again.refresh(&world).await);
    assert_eq!(
        browser.refresh(&world).await.status,
        401,
        "it was signed out everywhere"
    );
    assert_eq!(world.count("RevocationQueued"), 0);
}

/// The same record under another session id: it lies behind the version.
fn renamed(record: &[u8]) -> Vec<u8> {
    let mut bytes = record.to_vec();
    bytes[1] ^= 1;
    bytes
}

#[tokio::test]
async fn refreshes_go_on_when_there_is_room_again() {
    let server = Server::start().await;
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    for _ in 0..3 {
        assert_unavailable(&browser.refresh(&world).await);
    }
    server.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    assert_ok(&browser.refresh(&world).await);
    assert_eq!(world.store.last().await.generation(), 1);
}

#[tokio::test]
async fn a_full_disk_is_503_and_nothing_is_lost() {
    let server = Server::start().await;
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    let key = world.store.last_key();
    // A server whose disk has no room for its snapshot takes no write that it could not keep. The device says "no space
    // left" to every byte.
    for (name, value) in [("save", "3600 1"), ("stop-writes-on-bgsave-error", "yes")] {
        server.command(&["CONFIG", "SET", name, value]).await;
    }
    server
        .command(&["CONFIG", "SET", "rdb-key-save-delay", "0"])
        .await;
    fail_snapshots(&server).await;

    assert_unavailable(&browser.refresh(&world).await);
    let login = world.browser().login(&world, "ada").await;
    assert_eq!((login.status.as_u16(), login.set_cookie()), (503, None));
    server
        .command(&["CONFIG", "SET", "stop-writes-on-bgsave-error", "no"])
        .await;
    assert_ok(&browser.refresh(&world).await);
    assert_eq!(world.store.peek(&key).await.unwrap().generation(), 1);
}

/// Has a snapshot fail, by way of a file name that no file can be renamed to.
async fn fail_snapshots(server: &Server) {
    let dir: Vec<String> =
        redis::from_redis_value(server.command(&["CONFIG", "GET", "dir"]).await).unwrap();
    let folder = &dir[1];
    std::fs::create_dir_all(format!("{folder}/dump.rdb/occupied")).unwrap();
    server.command(&["BGSAVE"]).await;
    let wait = std::time::Duration::from_secs(10);
    crate::support::redis::until("a snapshot has failed", wait, || {
        server.has_info("rdb_last_bgsave_status", "err")
    })
    .await;
}

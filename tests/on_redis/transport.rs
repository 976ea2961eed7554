//! TLS, and accounts that may do what is needed and no more.

use tower_bearer::{
    RedisStore,
    store::{RedisStoreBuilder, RefreshStore, StoreErrorKind},
};

use crate::{
    stage::{assert_ok, impatient, instance, instance_with, key_of},
    support::redis::{Cluster, Replicated, Server},
};

/// All that a service asks of its store. It is sign-ins, one of them at the limit, a refresh, a sign-out, a list, and a
/// sign-out everywhere.
async fn works(store: RedisStoreBuilder) {
    let store = impatient(store).build().unwrap();
    store.health().await.unwrap();
    let world = instance_with(store.clone(), |builder| builder.session_limit(2));
    let mut browser = world.signed_in("ada").await;
    assert_ok(&browser.refresh(&world).await);
    assert_eq!(browser.logout(&world).await.status, 204);
    assert!(!world.store.last().await.is_live());
    for _ in 0..3 {
        world.signed_in("ada").await;
    }
    let subject = *world.store.last_key().subject();
    let live = async || {
        let sessions = store.list(&subject).await.unwrap();
        sessions.iter().filter(|one| one.is_live()).count()
    };
    assert_eq!(live().await, 2);
    assert_eq!(store.revoke_all(&subject, None).await.unwrap().len(), 2);
    assert_eq!(live().await, 0);
    world.signed_in("ada").await;
    let before = world.store.last().await.created_at();
    assert_eq!(store.revoke_everything(before).await.unwrap(), 1);
    assert_eq!(live().await, 0);
}

async fn fails(store: RedisStoreBuilder) {
    let store = impatient(store).build().unwrap();
    let error = store.health().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}

#[tokio::test]
async fn tls_with_a_ca_of_ones_own() {
    let server = Server::tls().await;
    works(RedisStore::builder(server.url()).root_certificates(server.ca_pem())).await;
}

#[tokio::test]
async fn a_server_with_an_untrusted_certificate_is_refused() {
    let (server, other) = (Server::tls().await, Server::tls().await);
    fails(RedisStore::builder(server.url())).await;
    fails(RedisStore::builder(server.url()).root_certificates(other.ca_pem())).await;
}

#[tokio::test]
async fn tls_with_a_certificate_of_the_client() {
    let server = Server::mutual_tls().await;
    let store = || RedisStore::builder(server.url()).root_certificates(server.ca_pem());
    works(store().client_certificate(server.client_pem(), server.client_key_pem())).await;
    fails(store()).await;
}

#[tokio::test]
async fn tls_is_not_spoken_with_a_server_that_does_not() {
    let server = Server::start().await;
    let url = server.url().replace("redis://", "rediss://");
    fails(RedisStore::builder(url)).await;
}

/// The account of the manual's chapter on operations.
const RULES: [&str; 15] = [
    "resetkeys",
    "~tower-bearer:*",
    "-@all",
    "+evalsha",
    "+eval",
    "+hget",
    "+hscan",
    "+hlen",
    "+hset",
    "+hdel",
    "+pexpireat",
    "+time",
    "+scan",
    "+info",
    "+wait",
];

#[tokio::test]
async fn an_account_that_may_do_what_is_needed_and_no_more() {
    let server = Server::start().await;
    with_account(&server, &[]).await;
    let url = format!("redis://app:secret@127.0.0.1:{}/", server.port());
    works(RedisStore::builder(url.clone())).await;
    let set_apart = RedisStore::builder(server.url())
        .username("app")
        .password("secret");
    works(set_apart.wait_for_replicas(1, std::time::Duration::from_millis(10))).await;
    let store = RedisStore::new(&url).unwrap();
    let health = store.health().await.unwrap();
    assert_eq!(health.eviction_policy(), Some("noeviction"));
    assert!(!format!("{health:?}").contains("secret"), "{health:?}");
    // Where it may not ask how the server is set, that is no failure.
    server.command(&["ACL", "SETUSER", "app", "-info"]).await;
    let health = store.health().await.unwrap();
    assert_eq!((health.version(), health.eviction_policy()), (None, None));
}

/// Without it sign-ins at the limit, lists and sign-outs everywhere are refused: that is told before the first of them.
#[tokio::test]
async fn health_says_when_the_account_may_not_read_all_sessions() {
    let server = Server::start().await;
    with_account(&server, &["-hscan"]).await;
    let url = format!("redis://app:secret@127.0.0.1:{}/", server.port());
    let error = RedisStore::new(&url).unwrap().health().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
}

/// The account with `more` rights, on `server`.
async fn with_account(server: &Server, more: &[&str]) {
    let mut rules = vec!["ACL", "SETUSER", "app", "on", ">secret"];
    rules.extend(RULES);
    rules.extend(more);
    server.command(&rules).await;
}

#[tokio::test]
async fn the_same_account_under_sentinel() {
    let servers = Replicated::start().await;
    for server in [servers.master(), servers.replica()] {
        with_account(server, &["+role"]).await;
    }
    let store = RedisStore::sentinel(Replicated::NAME, servers.sentinel_urls());
    works(store.username("app").password("secret")).await;
}

#[tokio::test]
async fn the_same_account_in_a_cluster_also_while_a_slot_moves() {
    let cluster = Cluster::start().await;
    for node in cluster.nodes() {
        with_account(node, &["+cluster|slots", "+cluster|nodes", "+asking"]).await;
    }
    let store = impatient(RedisStore::cluster(cluster.urls()));
    let store = store.username("app").password("secret").build().unwrap();
    let world = instance(store.clone());
    let mut browser = world.signed_in("ada").await;
    let slot = cluster
        .slot_of(&key_of(world.store.last_key().subject()))
        .await;
    let home = cluster.master_of(slot).await;
    let migration = cluster.begin_migration(slot, (home + 1) % 3).await;
    assert!(migration.move_one().await.is_some());
    assert_ok(&browser.refresh(&world).await);
    let before = world.store.last().await.created_at();
    let health = store.health().await.unwrap();
    assert!(!health.warnings().iter().any(|one| one.contains("SCAN")));
    assert_eq!(store.revoke_everything(before).await.unwrap(), 1);
    migration.finish().await;
    assert_eq!(browser.refresh(&world).await.status, 401);
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_does_not_tell_it() {
    let server = Server::start().await;
    server
        .command(&["CONFIG", "SET", "requirepass", "secret"])
        .await;
    let store = RedisStore::builder(server.url())
        .password("hunter2")
        .build()
        .unwrap();
    let error = store.health().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    let told = format!("{error:?} {error} {:?}", std::error::Error::source(&error));
    assert!(!told.contains("hunter2"), "{told}");
    let right = RedisStore::builder(server.url()).password("secret");
    works(right).await;
}

#[tokio::test]
async fn an_account_without_the_right_to_write_is_an_error_and_nothing_else() {
    let server = Server::start().await;
    let world = instance(RedisStore::new(server.url()).unwrap());
    let mut browser = world.signed_in("ada").await;
    server
        .command(&["ACL", "SETUSER", "default", "-hset"])
        .await;
    let reply = browser.refresh(&world).await;
    assert_eq!((reply.status.as_u16(), reply.set_cookie()), (503, None));
    server
        .command(&["ACL", "SETUSER", "default", "+hset"])
        .await;
    assert_ok(&browser.refresh(&world).await);
    assert_eq!(world.store.last().await.generation(), 1);
    let _ = world
        .store
        .list(world.store.last_key().subject())
        .await
        .unwrap();
}

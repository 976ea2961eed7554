//! Settings that cannot be used are errors of the construction, and name the setting.

use std::time::Duration;

use tower_bearer::{RedisStore, store::RedisStoreBuilder};

use crate::{stage::Heard, support::redis::Server};

const NO_SERVER: &str = "redis://127.0.0.1:1/";

#[track_caller]
fn refused(builder: RedisStoreBuilder, setting: &str) {
    let error = builder.build().expect_err(setting);
    assert_eq!(error.setting(), setting, "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn each_bad_setting_is_named() {
    let none: [&str; 0] = [];
    let builder = || RedisStore::builder(NO_SERVER);
    for url in [
        "",
        "127.0.0.1",
        "http://127.0.0.1/",
        "redis://:hunter2@:99999999/",
        "redis://host/x",
    ] {
        refused(RedisStore::builder(url), "url");
        refused(RedisStore::sentinel("sessions", [url]), "sentinel");
        refused(RedisStore::cluster([url]), "cluster");
    }
    refused(
        RedisStore::builder("rediss://:hunter2@host/#insecure"),
        "url",
    );
    refused(RedisStore::sentinel("sessions", none), "sentinel");
    refused(RedisStore::sentinel("", [NO_SERVER]), "sentinel");
    refused(
        RedisStore::sentinel("sessions", [NO_SERVER, "rediss://127.0.0.1/"]),
        "sentinel",
    );
    refused(RedisStore::cluster(none), "cluster");
    refused(
        RedisStore::cluster([NO_SERVER, "rediss://127.0.0.1/"]),
        "cluster",
    );
    refused(RedisStore::cluster([NO_SERVER]).database(1), "database");
    refused(builder().prefix("with space:"), "prefix");
    refused(builder().prefix("{tag}"), "prefix");
    refused(builder().prefix("ä:"), "prefix");
    refused(builder().prefix("x".repeat(129)), "prefix");
    refused(builder().connect_timeout(Duration::ZERO), "connect_timeout");
    refused(
        builder().response_timeout(Duration::ZERO),
        "response_timeout",
    );
    refused(
        builder().response_timeout(Duration::from_secs(61)),
        "response_timeout",
    );
    refused(builder().concurrency(0), "concurrency");
    let most = tokio::sync::Semaphore::MAX_PERMITS;
    refused(builder().concurrency(most + 1), "concurrency");
    assert!(builder().concurrency(most).build().is_ok());
    refused(
        builder().wait_for_replicas(0, Duration::from_secs(1)),
        "wait_for_replicas",
    );
    refused(
        builder().wait_for_replicas(1, Duration::ZERO),
        "wait_for_replicas",
    );
    refused(builder().root_certificates("hunter2"), "root_certificates");
    refused(
        builder().client_certificate("hunter2", "hunter2"),
        "client_certificate",
    );
    let tls = || RedisStore::builder("rediss://127.0.0.1:1/");
    refused(
        tls().client_certificate("hunter2", "hunter2"),
        "certificates",
    );
}

#[test]
fn usable_settings_are_taken_without_a_command_to_the_server() {
    for builder in [
        RedisStore::builder(NO_SERVER),
        RedisStore::builder("rediss://user:password@127.0.0.1:1/3"),
        RedisStore::builder("redis+unix:///nowhere.sock"),
        RedisStore::builder(NO_SERVER)
            .prefix("")
            .remembered_revocations(0)
            .pause(Duration::ZERO),
        RedisStore::sentinel("sessions", [NO_SERVER])
            .username("u")
            .password("p")
            .database(2),
        RedisStore::cluster(["rediss://127.0.0.1:1/"]),
    ] {
        builder.build().unwrap();
    }
}

#[tokio::test]
async fn a_connection_has_its_own_server_and_user() {
    let server = Server::start().await;
    let connection = server.connection().await.unwrap();
    let builder = || RedisStore::with_connection(connection.clone());
    refused(builder().username("u"), "username");
    refused(builder().password("hunter2"), "password");
    refused(builder().database(1), "database");
    refused(builder().root_certificates("pem"), "root_certificates");
    refused(
        builder().client_certificate("pem", "pem"),
        "client_certificate",
    );
    refused(
        builder().wait_for_replicas(1, Duration::from_secs(1)),
        "wait_for_replicas",
    );
    builder().build().unwrap();
}

#[test]
fn debug_shows_no_password() {
    let builder = RedisStore::builder("redis://app:hunter2@127.0.0.1:1/")
        .password("hunter2")
        .root_certificates("hunter2")
        .client_certificate("hunter2", "hunter2");
    assert!(!format!("{builder:?}").contains("hunter2"), "{builder:?}");
    let store = RedisStore::builder("redis://app:hunter2@127.0.0.1:1/")
        .build()
        .unwrap();
    assert!(!format!("{store:?}").contains("hunter2"), "{store:?}");
    let sentinel = RedisStore::sentinel("sessions", ["redis://:hunter2@127.0.0.1:1/"]).build();
    assert!(!format!("{sentinel:?}").contains("hunter2"), "{sentinel:?}");
}

#[tokio::test]
async fn a_server_that_may_throw_sessions_away_is_warned_of() {
    let server = Server::with(&["--maxmemory-policy", "allkeys-lru", "--appendonly", "yes"]).await;
    let heard = Heard::default();
    let store = RedisStore::builder(server.url())
        .events(heard.sink())
        .build()
        .unwrap();
    let warnings = store.health().await.unwrap().warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("allkeys-lru"), "{warnings:?}");
    assert_eq!(heard.all(), ["StoreEvicts { policy: \"allkeys-lru\" }"]);

    server
        .command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])
        .await;
    assert!(store.health().await.unwrap().warnings().is_empty());
    assert_eq!(heard.all().len(), 1);
}

#[tokio::test]
async fn an_account_that_may_not_run_scripts_is_told_at_the_start() {
    let server = Server::start().await;
    let acl = ["ACL", "SETUSER", "default", "-@scripting"];
    server.command(&acl).await;
    let heard = Heard::default();
    let store = RedisStore::builder(server.url())
        .events(heard.sink())
        .build()
        .unwrap();
    let error = store.health().await.unwrap_err();
    assert_eq!(error.kind(), tower_bearer::store::StoreErrorKind::Refused);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("evalsha"), "{source}");
    assert_eq!(heard.count("StoreFailed"), 1);
}

#[tokio::test]
async fn a_server_that_is_down_has_no_health() {
    let store = RedisStore::new(NO_SERVER).unwrap();
    let error = store.health().await.unwrap_err();
    assert_eq!(
        error.kind(),
        tower_bearer::store::StoreErrorKind::Unavailable
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn services_with_different_prefixes_share_no_session() {
    use tower_bearer::store::RefreshStore;

    let server = Server::start().await;
    let build = |prefix: &str| {
        RedisStore::builder(server.url())
            .prefix(prefix)
            .build()
            .unwrap()
    };
    let (shop, blog) = (build("shop:"), build("blog:"));
    let world = crate::stage::instance(shop.clone());
    world.signed_in("ada").await;
    let key = world.store.last_key();
    assert!(shop.load(&key).await.unwrap().record().is_some());
    assert!(blog.load(&key).await.unwrap().record().is_none());
    assert_eq!(blog.list(key.subject()).await.unwrap(), []);
    let name = format!("shop:s:{}", key.subject());
    assert_eq!(server.command(&["HLEN", &name]).await, redis::Value::Int(1));
    // It goes with the last of its sessions.
    let redis::Value::Int(ttl) = server.command(&["PTTL", &name]).await else {
        panic!("no time to live");
    };
    let week = 7 * 24 * 3600 * 1000;
    assert!((week - 10_000..=week).contains(&ttl), "{ttl}");
}

//! One server: replies that are lost, servers that die, and what they know afterwards.

use std::time::Duration;

use redis::Value;
use tower_bearer::{
    Clock, RevokeReason,
    store::{RefreshStore, SessionRecord, StoreErrorKind, Swap},
};

use crate::{
    stage::{
        Stage, assert_ok, assert_unavailable, instance, instance_with, key_of, refresh_when_back,
        store,
    },
    support::redis::{Loss, Proxy, Server, Which},
};

/// How many of these a server has run so far.
async fn calls(server: &Server, command: &str) -> u64 {
    let stats = server.info(&format!("cmdstat_{command}")).await;
    let calls = stats.and_then(|stats| {
        stats
            .strip_prefix("calls=")?
            .split(',')
            .next()?
            .parse()
            .ok()
    });
    calls.unwrap_or(0)
}

#[tokio::test]
async fn reply_cut_after_the_script_applied_is_asked_again_and_answered_200() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let world = instance(store(proxy.url()));
    let mut browser = world.signed_in("ada").await;
    let before = calls(&server, "evalsha").await;
    let cut = proxy.arm(Loss::Reply, Which::containing("EVALSHA"));
    assert_ok(&browser.refresh(&world).await);
    assert!(cut.has_struck(), "a reply was lost");
    assert_eq!(
        calls(&server, "evalsha").await - before,
        2,
        "the script ran twice"
    );
    assert_eq!(
        world.store.last().await.generation(),
        1,
        "and was applied once"
    );
    assert_eq!(world.outcomes("rotated"), 1);
    assert_ok(&browser.refresh(&world).await);
    assert_eq!(
        world.outcomes("coalesced"),
        1,
        "the browser has the current token"
    );
}

#[tokio::test]
async fn reply_cut_after_a_sign_in_applied_leaves_one_session() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let world = instance(store(proxy.url()));
    let cut = proxy.arm(Loss::Reply, Which::containing("EVALSHA"));
    // The server does not know the script yet; its text is sent next, and that reply is the one.
    let text = proxy.arm(Loss::Reply, Which::containing("EVAL\r\n"));
    let mut browser = world.signed_in("ada").await;
    assert!(cut.has_struck() && text.has_struck());
    let subject = *world.store.last_key().subject();
    assert_eq!(world.store.list(&subject).await.unwrap().len(), 1);
    assert_ok(&browser.refresh(&world).await);
}

#[tokio::test]
async fn response_time_out_is_503_and_the_retry_finds_its_own_work() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let world = instance(store(proxy.url()));
    let mut browser = world.signed_in("ada").await;
    let held = proxy.arm(Loss::Hold, Which::containing("EVALSHA"));
    assert_unavailable(&browser.refresh(&world).await);
    assert!(held.has_struck());
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(world.store.last().await.generation(), 1);
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn server_killed_between_load_and_swap_loses_nothing_that_it_keeps_on_disk() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "no"]).await;
    let server = std::sync::Arc::new(server);
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    let killed = server.clone();
    *world.between.lock().unwrap() = Some(Box::pin(async move { killed.kill() }));
    assert_unavailable(&browser.refresh(&world).await);
    assert!(!server.is_running());
    server.restart().await;
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(world.store.last().await.generation(), 1);
    assert_eq!(world.outcomes("rotated"), 1);
}

#[tokio::test]
async fn restart_with_an_empty_data_set_is_401_and_keeps_the_cookie_for_a_restore() {
    let server = Server::start().await;
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    let key = world.store.last_key();
    let name = key_of(key.subject());
    let Value::BulkString(dump) = server.command(&["DUMP", &name]).await else {
        panic!("no dump of {name}");
    };
    server.restart().await;
    let reply = refresh_when_back(&mut browser, &world).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert_eq!(reply.set_cookie(), None, "the cookie is kept");
    // An operator brings the former data back.
    let mut restore = redis::cmd("RESTORE");
    restore.arg(&name).arg(0).arg(dump);
    let mut connection = server.connection().await.unwrap();
    restore.exec_async(&mut connection).await.unwrap();
    assert_ok(&browser.refresh(&world).await);
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn script_flush_is_not_noticed() {
    let server = Server::start().await;
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    for call in 1..=2 {
        server.command(&["SCRIPT", "FLUSH", "SYNC"]).await;
        assert_ok(&browser.login(&world, "ada").await);
        assert_ok(&browser.refresh(&world).await);
        assert!(
            calls(&server, "eval").await >= 2 * call,
            "texts were sent again"
        );
    }
    let before = calls(&server, "eval").await;
    assert_ok(&browser.login(&world, "ada").await);
    assert_ok(&browser.refresh(&world).await);
    assert_eq!(
        calls(&server, "eval").await,
        before,
        "and digests from then on"
    );
}

#[tokio::test]
async fn a_server_that_is_still_loading_is_503_and_then_200() {
    // Every key takes a tenth of a second to load; at the first start there is none.
    let slow = [
        "--key-load-delay",
        "100000",
        "--loading-process-events-interval-bytes",
        "1024",
    ];
    let disk = ["--appendonly", "yes", "--appendfsync", "no"];
    let server = Server::with([disk, slow].as_flattened()).await;
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    for n in 0..30 {
        server.command(&["SET", &format!("filler:{n}"), "x"]).await;
    }
    let reply = tokio::join!(server.restart(), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        browser.refresh(&world).await
    })
    .1;
    assert_unavailable(&reply);
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(world.store.last().await.generation(), 1);
}

#[tokio::test]
async fn a_server_that_has_become_a_replica_is_503_and_nothing_is_lost() {
    let (server, other) = (Server::start().await, Server::start().await);
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    let port = other.port().to_string();
    // Both have the data; then the roles change under the open connection.
    let own = server.port().to_string();
    other.command(&["REPLICAOF", "127.0.0.1", &own]).await;
    crate::support::redis::until("the replica follows", Duration::from_secs(10), || {
        other.has_info("master_link_status", "up")
    })
    .await;
    other.command(&["REPLICAOF", "NO", "ONE"]).await;
    server.command(&["REPLICAOF", "127.0.0.1", &port]).await;
    assert_unavailable(&browser.refresh(&world).await);
    server.command(&["REPLICAOF", "NO", "ONE"]).await;
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(world.store.last().await.generation(), 1);
}

#[tokio::test]
async fn the_servers_clock_steps_back_an_hour_and_no_session_ends() {
    let stage = Stage::new().await;
    let mut browser = stage.world.signed_in("ada").await;
    assert_ok(&browser.refresh(&stage.world).await);
    let mut late = browser.clone();
    stage.secs(120);
    assert_ok(&browser.refresh(&stage.world).await);
    let before = i64::try_from(stage.world.clock.now().as_millis()).unwrap();
    stage.clock.set(before - 3_600_000);
    assert_ok(&browser.refresh(&stage.world).await);
    assert_ok(&late.refresh(&stage.world).await);
    // And forward again, further than where it came from: it rotates as it should.
    stage.clock.set(before + 3_600_000);
    assert_ok(&browser.refresh(&stage.world).await);
    assert_eq!(stage.world.store.last().await.generation(), 3);
    assert_eq!(stage.world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn the_servers_clock_steps_over_the_end_of_a_session() {
    let stage = Stage::new().await;
    let mut browser = stage.world.signed_in("ada").await;
    stage.clock.advance(Duration::from_secs(7 * 24 * 3600 + 1));
    let reply = browser.refresh(&stage.world).await;
    // The token itself says that it is over; the server has thrown the session away.
    assert_eq!(
        (reply.status.as_u16(), reply.code()),
        (401, "invalid_session")
    );
    assert_eq!(stage.server.command(&["DBSIZE"]).await, Value::Int(0));
}

#[tokio::test]
async fn a_record_of_an_unknown_version_is_an_error_that_touches_nothing() {
    let server = Server::start().await;
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    let key = world.store.last_key();
    let name = key_of(key.subject());
    let field = key.id().to_string();
    let mut connection = server.connection().await.unwrap();
    let read = redis::cmd("HGET").arg(&name).arg(&field).clone();
    let mut bytes: Vec<u8> = read.query_async(&mut connection).await.unwrap();
    let good = bytes.clone();
    bytes[0] = 3;
    let write = |bytes: &[u8]| redis::cmd("HSET").arg(&name).arg(&field).arg(bytes).clone();
    write(&bytes).exec_async(&mut connection).await.unwrap();

    assert_unavailable(&browser.refresh(&world).await);
    // At the limit all sessions are looked at; below it a sign-in touches no other one.
    let limited = instance_with(store(server.url()), |builder| builder.session_limit(1));
    let login = limited.browser().login(&limited, "ada").await;
    assert_eq!((login.status.as_u16(), login.set_cookie()), (503, None));
    for error in [
        world.store.load(&key).await.unwrap_err(),
        world.store.list(key.subject()).await.unwrap_err(),
        world
            .store
            .revoke_all(key.subject(), None)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("version 3"), "{source}");
    }
    let now: Vec<u8> = read.query_async(&mut connection).await.unwrap();
    assert_eq!(now, bytes, "untouched");
    assert_eq!(server.command(&["HLEN", &name]).await, Value::Int(1));

    write(&good).exec_async(&mut connection).await.unwrap();
    assert_ok(&browser.refresh(&world).await);
}

/// A store of bytes compares bytes, and those of an older layout are not what this release writes of it.
#[tokio::test]
async fn a_record_of_version_1_is_swapped_for_one_of_version_2() {
    let server = Server::start().await;
    let store = store(server.url());
    let golden = include_str!("../../src/session/record_codec/tests/version1.json");
    let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
    let hex = golden["records"][1]["record"].as_str().unwrap();
    let bytes = (0..hex.len()).step_by(2);
    let bytes: Vec<u8> = bytes
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    assert_eq!(bytes[0], 1);
    let key = SessionRecord::decode(&bytes).unwrap().key();
    let (name, field) = (key_of(key.subject()), key.id().to_string());
    let mut connection = server.connection().await.unwrap();
    let write = redis::cmd("HSET")
        .arg(&name)
        .arg(&field)
        .arg(&bytes[..])
        .clone();
    write.exec_async(&mut connection).await.unwrap();

    let current = store.load(&key).await.unwrap().record().unwrap().clone();
    assert_eq!(current.generation(), 1);
    let next = current.revoked(RevokeReason::SignedOut);
    let other = current.revoked(RevokeReason::Denied);
    // The second time it is recognised as applied; what is no longer there is a conflict.
    for swap in [(&current, &next), (&current, &next)] {
        let swap = store.swap(swap.0, swap.1).await.unwrap();
        assert!(matches!(swap, Swap::Applied));
    }
    let swap = store.swap(&current, &other).await.unwrap();
    assert!(matches!(swap, Swap::Conflict(loaded) if loaded.record() == Some(&next)));
    let read = redis::cmd("HGET").arg(&name).arg(&field).clone();
    let stored: Vec<u8> = read.query_async(&mut connection).await.unwrap();
    assert_eq!(stored, next.encode());
    assert_eq!(stored[0], 2);
}

#[tokio::test]
async fn something_else_under_the_key_is_an_error_that_touches_nothing() {
    let server = Server::start().await;
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    let key = world.store.last_key();
    let name = key_of(key.subject());
    server.command(&["SET", &name, "another program's"]).await;
    assert_unavailable(&browser.refresh(&world).await);
    let error = world.store.load(&key).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let kept = server.command(&["GET", &name]).await;
    assert_eq!(kept, Value::BulkString(b"another program's".to_vec()));
}

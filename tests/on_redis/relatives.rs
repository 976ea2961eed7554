//! Servers that are not Redis 7: a proxy has a Redis answer as they do.
//!
//! Redis 6.2 was heard to say this; for KeyDB and Dragonfly it is what their sources say.

use std::time::Duration;

use tower_bearer::{
    RedisStore,
    store::{RefreshStore, StoreErrorKind, Swap},
};

use crate::{
    stage::{Heard, assert_ok, assert_unavailable, instance, store},
    support::redis::{Proxy, Server},
};

/// A command of these words.
fn command(words: &[&str]) -> Vec<u8> {
    let words = words
        .iter()
        .map(|word| format!("${}\r\n{word}\r\n", word.len()));
    let words: Vec<_> = words.collect();
    format!("*{}\r\n{}", words.len(), words.concat()).into_bytes()
}

/// Has the server say this error.
fn error(text: &str) -> Vec<u8> {
    let script = format!("return redis.error_reply(\"{text}\")");
    command(&["EVAL", &script, "0"])
}

fn is_text_with(request: &[u8], part: &str) -> bool {
    let holds = |part: &str| request.windows(part.len()).any(|at| at == part.as_bytes());
    holds("\r\nEVAL\r\n") && holds(part)
}

/// The same request with a word of the same length in the place of this one.
fn with(request: &[u8], word: &str, other: &str) -> Option<Vec<u8>> {
    assert_eq!(word.len(), other.len());
    let at = request
        .windows(word.len())
        .position(|at| at == word.as_bytes())?;
    let mut request = request.to_vec();
    request[at..at + other.len()].copy_from_slice(other.as_bytes());
    Some(request)
}

/// Redis 6.2 and KeyDB: no flags, and `GT` fails when the script has come to it.
pub fn redis_6(request: &[u8]) -> Option<Vec<u8>> {
    if is_text_with(request, "#!lua") {
        return Some(error(
            "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'",
        ));
    }
    if is_text_with(request, "'GT'") {
        return with(request, "'GT'", "'NO'");
    }
    None
}

/// Dragonfly, which knows `GT`; before 1.22 it said what is wrong with the flag.
fn dragonfly(request: &[u8]) -> Option<Vec<u8>> {
    is_text_with(request, "#!lua").then(|| error("ERR Invalid flag: allow-oom"))
}

/// Flags, but not the time within a script.
fn timeless(request: &[u8]) -> Option<Vec<u8>> {
    if is_text_with(request, "'TIME'") {
        return with(request, "'TIME'", "'NONE'");
    }
    None
}

pub type Disguise = fn(&[u8]) -> Option<Vec<u8>>;

const ALL: [(&str, Disguise); 3] = [
    ("Redis 6", redis_6),
    ("Dragonfly", dragonfly),
    ("no time in scripts", timeless),
];

async fn relative(disguise: Disguise) -> (Server, Proxy) {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    proxy.disguise(Some(disguise));
    (server, proxy)
}

#[tokio::test]
async fn every_revocation_succeeds_on_a_server_without_script_flags() {
    for (name, disguise) in ALL {
        let (_server, proxy) = relative(disguise).await;
        let world = instance(store(proxy.url()));
        let mut browser = world.signed_in("ada").await;
        let mut other = world.signed_in("ada").await;
        world.signed_in("ada").await;
        assert_ok(&browser.refresh(&world).await);
        assert_eq!(other.logout(&world).await.status, 204, "{name}");
        assert_eq!(other.refresh(&world).await.status, 401, "{name}");
        let subject = *world.store.last_key().subject();
        let revoked = world.store.revoke_all(&subject, None).await.unwrap();
        assert_eq!(revoked.len(), 2, "{name}");
        assert_eq!(browser.refresh(&world).await.status, 401, "{name}");
        assert_eq!(world.count("RevocationQueued"), 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn relatives_conform() {
    for (name, disguise) in ALL {
        let (_server, proxy) = relative(disguise).await;
        let store = RedisStore::builder(proxy.url()).response_timeout(Duration::from_secs(5));
        let store = store.build().unwrap();
        let run = tower_bearer::store::conformance::run(async || store.clone(), tokio::time::sleep);
        let verdict = run.await;
        assert!(verdict.is_ok(), "{name}: {verdict:?}");
    }
}

#[tokio::test]
async fn health_tries_what_revokes_and_says_what_is_lost() {
    for (name, disguise) in ALL {
        let (server, proxy) = relative(disguise).await;
        let store = store(proxy.url());
        let health = store.health().await.unwrap();
        let warned = health
            .warnings()
            .iter()
            .any(|warning| warning.contains("refuse to sign out"));
        assert!(warned, "{name}: {health:?}");
        let empty = server.command(&["DBSIZE"]).await;
        assert_eq!(empty, redis::Value::Int(0), "{name}");
    }
    // Not where the server takes them.
    let server = Server::with(&["--appendonly", "yes"]).await;
    assert!(
        store(server.url())
            .health()
            .await
            .unwrap()
            .warnings()
            .is_empty()
    );
}

/// A server may let an account run one script and not another: here the one that only revocations use.
#[tokio::test]
async fn health_fails_where_a_revocation_would() {
    fn no_revocation(request: &[u8]) -> Option<Vec<u8>> {
        is_text_with(request, "HDEL").then(|| error("NOPERM no permissions to run 'hdel'"))
    }
    let (_server, proxy) = relative(no_revocation).await;
    let heard = Heard::default();
    let store = RedisStore::builder(proxy.url()).events(heard.sink());
    let error = store.build().unwrap().health().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert_eq!(heard.count("StoreFailed"), 1);
}

/// How many requests one revocation takes, behind the read of what it revokes.
async fn requests_of_a_revocation(world: &crate::support::world::World, proxy: &Proxy) -> usize {
    let mut leaving = world.signed_in("ada").await;
    let scripts = || proxy.requests_of("EVAL") + proxy.requests_of("EVALSHA");
    let before = scripts();
    assert_eq!(leaving.logout(world).await.status, 204);
    scripts() - before
}

#[tokio::test]
async fn flags_are_unlearnt_once_and_learnt_again_from_another_server() {
    let (server, proxy) = relative(redis_6).await;
    let world = instance(store(proxy.url()));
    assert!(
        requests_of_a_revocation(&world, &proxy).await > 1,
        "it has to find out"
    );
    assert_eq!(requests_of_a_revocation(&world, &proxy).await, 1);
    // The next one under this address knows flags. It has no room, and revocations do not wait for that.
    proxy.disguise(None);
    server.restart().await;
    proxy.cut().await;
    let mut leaving = world.signed_in("ada").await;
    let mut full = world.signed_in("ada").await;
    assert_eq!(leaving.logout(&world).await.status, 204);
    assert_eq!(requests_of_a_revocation(&world, &proxy).await, 1);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_eq!(full.logout(&world).await.status, 204);
    assert_eq!(world.count("RevocationQueued"), 0);
}

/// Where the connection stays, as in a cluster whose nodes are upgraded one by one.
#[tokio::test]
async fn a_full_server_is_asked_with_flags_before_a_revocation_is_given_up() {
    let (server, proxy) = relative(redis_6).await;
    let world = instance(store(proxy.url()));
    let mut leaving = world.signed_in("ada").await;
    requests_of_a_revocation(&world, &proxy).await;
    proxy.disguise(None);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    assert_eq!(leaving.logout(&world).await.status, 204);
    assert_eq!(leaving.refresh(&world).await.status, 401);
    assert_eq!(world.count("RevocationQueued"), 0);
}

#[tokio::test]
async fn a_full_server_without_flags_says_that_it_is_full() {
    let (server, proxy) = relative(redis_6).await;
    let store = store(proxy.url());
    let world = instance(store.clone());
    world.signed_in("ada").await;
    let key = world.store.last_key();
    let record = world.store.last().await;
    server.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let revoked = record.revoked(tower_bearer::RevokeReason::SignedOut);
    let error = store.swap(&record, &revoked).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full);
    server.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    let swap = store.swap(&record, &revoked).await.unwrap();
    assert!(matches!(swap, Swap::Applied));
    assert!(!store.load(&key).await.unwrap().record().unwrap().is_live());
}

#[tokio::test]
async fn the_time_after_a_conflict_is_asked_for_apart_where_scripts_may_not() {
    for (name, disguise) in ALL {
        let (_server, proxy) = relative(disguise).await;
        let store = store(proxy.url());
        let world = instance(store.clone());
        world.signed_in("ada").await;
        let first = world.store.last().await;
        let next = first.revoked(tower_bearer::RevokeReason::SignedOut);
        let other = first.revoked(tower_bearer::RevokeReason::Denied);
        assert!(matches!(
            store.swap(&first, &next).await.unwrap(),
            Swap::Applied
        ));
        let before = store.load(&first.key()).await.unwrap().now();
        let Swap::Conflict(loaded) = store.swap(&first, &other).await.unwrap() else {
            panic!("{name}: applied");
        };
        assert_eq!(loaded.record(), Some(&next), "{name}");
        assert!(loaded.now() >= before, "{name}");
    }
}

/// A session that lives shorter than another one of its subject does not take that one along.
#[tokio::test]
async fn without_gt_the_longest_session_keeps_the_others() {
    let (server, proxy) = relative(redis_6).await;
    let world = instance(store(proxy.url()));
    let mut first = world.signed_in("ada").await;
    let key = crate::stage::key_of(world.store.last_key().subject());
    let left = async || {
        let redis::Value::Int(left) = server.command(&["PTTL", &key]).await else {
            panic!("no time to live");
        };
        left
    };
    let year = 365 * 24 * 3600 * 1000_i64;
    server.command(&["PEXPIRE", &key, &year.to_string()]).await;
    assert_ok(&first.refresh(&world).await);
    world.signed_in("ada").await;
    assert!(left().await > year - 60_000);
    // And where it would be the shorter one, it is made longer.
    server.command(&["PEXPIRE", &key, "60000"]).await;
    world.signed_in("ada").await;
    let week = 7 * 24 * 3600 * 1000;
    assert!((week - 60_000..=week + 60_000).contains(&left().await));
}

#[tokio::test]
async fn a_server_that_is_busy_or_misses_a_replica_is_503_and_then_200() {
    let server = Server::with(&["--lua-time-limit", "50"]).await;
    let world = instance(store(server.url()));
    let mut browser = world.signed_in("ada").await;
    let mut leaving = world.signed_in("ada").await;
    server
        .command(&["CONFIG", "SET", "min-replicas-to-write", "1"])
        .await;
    assert_unavailable(&browser.refresh(&world).await);
    let reply = leaving.logout(&world).await;
    assert_eq!((reply.status.as_u16(), reply.cleared()), (503, true));
    assert_eq!(
        world.count("RevocationQueued"),
        1,
        "and the revocation is tried again"
    );
    server
        .command(&["CONFIG", "SET", "min-replicas-to-write", "0"])
        .await;
    assert_ok(&browser.refresh(&world).await);

    let key = world.store.last_key();
    let mut endless = server.connection().await.unwrap();
    let endless = tokio::spawn(async move {
        let script = redis::cmd("EVAL").arg("while true do end").arg(0).clone();
        script.exec_async(&mut endless).await
    });
    let is_busy = || async {
        match server.try_command(&["GET", "x"]).await {
            Err(error) if error.code() == Some("BUSY") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    };
    crate::support::redis::until("it is busy", Duration::from_secs(10), is_busy).await;
    let error = world.store.load(&key).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    server.command(&["SCRIPT", "KILL"]).await;
    assert!(endless.await.unwrap().is_err());
    assert_ok(&browser.refresh(&world).await);
}

#[tokio::test]
async fn a_server_with_too_many_clients_is_unavailable_and_not_refusing() {
    let server = Server::start().await;
    let held = server.connection().await.unwrap();
    server.command(&["CONFIG", "SET", "maxclients", "1"]).await;
    let error = store(server.url()).health().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    drop(held);
}

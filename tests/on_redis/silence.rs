//! Servers that do not answer: one time-out for all, and a way back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::RedisFuture;
use tokio::time::Instant;
use tower_bearer::{
    RedisStore, SessionId,
    store::{RefreshStore, SessionKey, StoreErrorKind, SubjectTag},
};

use crate::{
    stage::{
        CONNECT, Heard, PAUSE, RESPONSE, assert_ok, assert_unavailable, impatient, instance,
        refresh_when_back, store,
    },
    support::redis::{Proxy, Server},
};

/// Far less than any time-out, and more than a busy machine takes to say no.
const AT_ONCE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_dead_store_costs_one_time_out_and_not_one_a_request() {
    let server = Server::start().await;
    let heard = Heard::default();
    let redis = impatient(RedisStore::builder(server.url())).events(heard.sink());
    let redis = redis.pause(Duration::from_secs(2));
    let world = instance(redis.build().unwrap());
    let mut browser = world.signed_in("ada").await;
    server.pause();
    let begun = Instant::now();
    assert_unavailable(&browser.refresh(&world).await);
    assert!(begun.elapsed() >= RESPONSE, "one waits");
    let begun = Instant::now();
    for _ in 0..20 {
        assert_unavailable(&browser.refresh(&world).await);
    }
    let elapsed = begun.elapsed();
    assert!(elapsed < AT_ONCE, "the others do not: {elapsed:?}");
    assert_eq!(heard.count("StoreUnreachable"), 1);
    assert_eq!(heard.count("StoreRecovered"), 0);

    server.resume();
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(heard.count("StoreRecovered"), 1);
    assert_ok(&browser.refresh(&world).await);
}

#[tokio::test]
async fn after_the_pause_one_request_goes_first() {
    let server = Server::start().await;
    let redis = store(server.url());
    let world = instance(redis.clone());
    world.signed_in("ada").await;
    let key = world.store.last_key();
    server.pause();
    assert!(redis.load(&key).await.is_err());
    tokio::time::sleep(PAUSE + Duration::from_millis(50)).await;
    // Fifty at once: one of them waits for the server, the others are told at once.
    let begun = Instant::now();
    let asked = (0..50).map(|_| {
        let redis = redis.clone();
        tokio::spawn(async move {
            let begun = Instant::now();
            let error = redis.load(&key).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            begun.elapsed()
        })
    });
    let mut waited = 0;
    for request in asked.collect::<Vec<_>>() {
        if request.await.unwrap() > AT_ONCE {
            waited += 1;
        }
    }
    assert_eq!(waited, 1);
    assert!(begun.elapsed() < RESPONSE + CONNECT + AT_ONCE);
}

#[tokio::test]
async fn no_server_listens_and_then_one_does() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let world = instance(store(proxy.url()));
    let mut browser = world.signed_in("ada").await;
    proxy.refuse().await;
    proxy.cut().await;
    for _ in 0..5 {
        let begun = Instant::now();
        assert_unavailable(&browser.refresh(&world).await);
        assert!(begun.elapsed() < RESPONSE);
    }
    proxy.forward().await;
    assert_ok(&refresh_when_back(&mut browser, &world).await);
}

/// As behind a firewall that has forgotten the connection: nothing is refused and nothing comes back.
#[tokio::test]
async fn a_connection_on_which_nothing_comes_back_is_replaced() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let world = instance(store(proxy.url()));
    let mut browser = world.signed_in("ada").await;
    let connections = proxy.connections();
    proxy.black_hole();
    assert_unavailable(&browser.refresh(&world).await);
    // The old connection stays silent for good; new ones work.
    proxy.forward().await;
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert!(proxy.connections() > connections);
}

#[tokio::test]
async fn a_slow_reply_within_the_time_out_is_waited_for() {
    let server = Server::with(&["--enable-debug-command", "local"]).await;
    let heard = Heard::default();
    let redis = impatient(RedisStore::builder(server.url())).events(heard.sink());
    let redis = redis.build().unwrap();
    let world = instance(redis.clone());
    let mut browser = world.signed_in("ada").await;
    let key = world.store.last_key();
    // The server itself is slow with this one: it sleeps, and answers every client after it.
    let sleeper = server.connection().await.unwrap();
    let asleep = tokio::spawn(async move {
        let mut sleeper = sleeper;
        let nap = redis::cmd("DEBUG").arg("SLEEP").arg("0.4").clone();
        nap.exec_async(&mut sleeper).await.unwrap();
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    // Slow, and within the time-out: no client is sent away, and none looks for another connection.
    let clients = server.info("total_connections_received");
    let (before, reply) = tokio::join!(clients, browser.refresh(&world));
    assert_ok(&reply);
    asleep.await.unwrap();
    for _ in 0..10 {
        assert!(redis.load(&key).await.is_ok());
    }
    let before: u64 = before.unwrap().parse().unwrap();
    let after = server.info("total_connections_received").await.unwrap();
    // One more: this question's own.
    assert_eq!(after.parse::<u64>().unwrap(), before + 1);
    assert!(heard.all().is_empty(), "{:?}", heard.all());
}

/// One reply takes longer than the time-out, while others come all the time. The server is there, and so is the
/// connection.
#[tokio::test]
async fn one_late_reply_among_good_ones_costs_the_others_nothing() {
    let server = Server::start().await;
    let heard = Heard::default();
    let connection = server.connection().await.unwrap();
    let slow = Slow {
        inner: connection,
        late: Arc::new(AtomicBool::new(true)),
    };
    let redis = impatient(RedisStore::with_connection(slow)).events(heard.sink());
    let redis = redis.build().unwrap();
    let key = SessionKey::new(
        SubjectTag::from_bytes([1; 16]),
        SessionId::from_bytes([2; 16]),
    );
    let late = {
        let redis = redis.clone();
        tokio::spawn(async move { redis.load(&key).await })
    };
    let begun = Instant::now();
    while begun.elapsed() < RESPONSE + PAUSE {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(redis.load(&key).await.is_ok(), "the others are answered");
    }
    assert!(late.await.unwrap().is_err(), "this one never was");
    assert!(heard.all().is_empty(), "{:?}", heard.all());
}

/// A connection that never answers its first request.
#[derive(Clone)]
struct Slow {
    inner: redis::aio::MultiplexedConnection,
    late: Arc<AtomicBool>,
}

impl redis::aio::ConnectionLike for Slow {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a redis::Cmd) -> RedisFuture<'a, redis::Value> {
        self.inner.req_packed_command(cmd)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<redis::Value>> {
        match self.late.swap(false, Ordering::SeqCst) {
            true => Box::pin(std::future::pending()),
            false => self.inner.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}

#[tokio::test]
async fn a_store_that_is_down_at_the_start_is_used_when_it_comes() {
    let server = Server::start().await;
    server.kill();
    let world = instance(store(server.url()));
    let mut browser = world.browser();
    assert_eq!(browser.login(&world, "ada").await.status, 503);
    server.restart().await;
    tokio::time::sleep(PAUSE).await;
    assert_ok(&browser.login(&world, "ada").await);
}

#[tokio::test]
async fn more_requests_than_may_be_under_way_wait_for_their_turn() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let redis = impatient(RedisStore::builder(proxy.url())).concurrency(2);
    let redis = redis.build().unwrap();
    let world = instance(redis.clone());
    world.signed_in("ada").await;
    let key = world.store.last_key();
    proxy.delay(Duration::from_millis(60));
    let begun = Instant::now();
    let asked: Vec<_> = (0..6)
        .map(|_| {
            let redis = redis.clone();
            tokio::spawn(async move { redis.load(&key).await.is_ok() })
        })
        .collect();
    for request in asked {
        assert!(request.await.unwrap());
    }
    assert!(
        begun.elapsed() >= Duration::from_millis(150),
        "three times two, one after the other"
    );
}

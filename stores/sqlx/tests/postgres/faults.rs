//! Servers that die, vanish or take no writes, and the honest users meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::postgres::PgPoolOptions;
use tokio::{task::JoinSet, time::Instant};
use tower_bearer::{RotationPolicy, store::RefreshStore as _};
use tower_bearer_sqlx::PostgresStoreBuilder;

use crate::{
    stage::{
        Heard, LIMIT, assert_ok, assert_unavailable, impatient, instance, instance_with, migrated,
        migrated_on, refresh_when_back,
    },
    support::{
        Proxy, Server,
        world::{Browser, World},
    },
};

/// A browser that refreshes without a pause, and signs in anew now and then. Returns the browser as it is at the end.
async fn user(
    name: String,
    world: World,
    stop: Arc<AtomicBool>,
    away: Arc<AtomicUsize>,
) -> Browser {
    let mut browser = world.browser();
    let mut is_in = false;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..12 {
            let reply = match is_in {
                false => browser.login(&world, &name).await,
                true => browser.refresh(&world).await,
            };
            match reply.status.as_u16() {
                200 => is_in = true,
                // The successor is there, and has to be shown first.
                409 => {}
                503 => {
                    assert_unavailable(&reply);
                    away.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                _ => panic!("{name} was signed out: {reply:?}"),
            }
        }
        is_in &= browser.cookie.is_some();
    }
    while !is_in {
        is_in = browser.login(&world, &name).await.status == 200;
    }
    browser
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_and_restarted_signs_no_honest_user_out() {
    let server = Server::with(&[]).await;
    let heard = Heard::default();
    let (_, store) = migrated_on(&server, impatient().events(heard.sink())).await;
    // Each refresh rotates.
    let rotation = RotationPolicy::builder()
        .grace(Duration::from_millis(2000))
        .interval(Duration::from_millis(4000))
        .build()
        .unwrap();
    let world = instance_with(store, |builder| {
        builder.rotation(rotation).repeat_limit(u16::MAX)
    });
    let (stop, away) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let mut users = JoinSet::new();
    for n in 0..24 {
        let (world, stop, away) = (world.clone(), stop.clone(), away.clone());
        users.spawn(user(format!("user-{n}"), world, stop, away));
    }
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        server.kill();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.restart().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let browsers = users.join_all().await;
    assert!(away.load(Ordering::Relaxed) > 0, "none has noticed");
    for mut browser in browsers {
        let reply = refresh_when_back(&mut browser, &world).await;
        assert!(matches!(reply.status.as_u16(), 200 | 409), "{reply:?}");
    }
    for event in ["ReuseDetected", "Revoked", "StateLost"] {
        assert_eq!(world.count(event), 0, "{event}");
    }
    assert!(
        world.outcomes("rotated") > 24,
        "{}",
        world.outcomes("rotated")
    );
    let heard = heard.all();
    let count = |name: &str| heard.iter().filter(|event| event.starts_with(name)).count();
    assert!(count("StoreUnreachable") >= 1, "{heard:?}");
    assert_eq!(
        count("StoreUnreachable"),
        count("StoreRecovered"),
        "{heard:?}"
    );
}

#[tokio::test]
async fn a_server_killed_between_load_and_swap_loses_nothing() {
    let server = Arc::new(Server::with(&[]).await);
    let (_, store) = migrated_on(&server, impatient()).await;
    let world = instance(store);
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

/// Restarts the server while connections are idle: each of them is dead, and no request notices.
async fn restarts_unnoticed(builder: PostgresStoreBuilder, shares: bool) {
    let server = Server::with(&[]).await;
    let (database, mut store) = migrated_on(&server, builder.clone()).await;
    if shares {
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .test_before_acquire(false);
        store = builder.share(pool.connect(&database.url).await.unwrap());
    }
    let world = instance(store);
    let mut browser = world.signed_in("ada").await;
    // More of them than there are attempts. A call that ends at once leaves its connection to the next one.
    let key = world.store.last_key();
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
    let mut rounds = 0;
    while database.value::<i64>(open).await <= 6 {
        rounds += 1;
        assert!(rounds < 100, "too few connections are open");
        let loads = (0..8).map(|_| world.store.load(&key));
        futures_util::future::join_all(loads).await;
    }
    server.restart().await;
    assert_ok(&browser.refresh(&world).await);
}

#[tokio::test]
async fn a_restart_between_two_requests_is_not_noticed() {
    restarts_unnoticed(impatient(), false).await;
    restarts_unnoticed(impatient(), true).await;
}

#[tokio::test]
async fn a_network_that_goes_silent_is_503_and_200_as_soon_as_it_is_back() {
    let (database, _) = migrated().await;
    let proxy = Proxy::to(database.port()).await;
    let heard = Heard::default();
    let store = impatient().events(heard.sink()).connections(1);
    let store = store.connect(&database.by(proxy.port())).await.unwrap();
    let world = instance(store);
    let mut browser = world.signed_in("ada").await;
    proxy.silence();
    for _ in 0..3 {
        let begun = Instant::now();
        assert_unavailable(&browser.refresh(&world).await);
        assert!(begun.elapsed() < LIMIT * 3, "{:?}", begun.elapsed());
    }
    assert_eq!(heard.all(), ["StoreUnreachable"]);
    // A call that hung is given up within the time of a call, and not after that of TCP.
    proxy.forward();
    tokio::time::sleep(LIMIT).await;
    assert_ok(&browser.refresh(&world).await);
    assert_eq!(heard.all(), ["StoreUnreachable", "StoreRecovered"]);
    assert_eq!(world.outcomes("rotated"), 1);
}

#[tokio::test]
async fn a_server_that_hangs_is_503_and_its_late_work_is_recognised() {
    let server = Server::with(&[]).await;
    let (_, store) = migrated_on(&server, impatient()).await;
    let world = instance(store);
    let mut browser = world.signed_in("ada").await;
    server.pause();
    assert_unavailable(&browser.refresh(&world).await);
    server.resume();
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(world.count("ReuseDetected") + world.count("Revoked"), 0);
}

#[tokio::test]
async fn a_server_that_takes_no_writes_is_503_and_nothing_is_lost() {
    let server = Server::with(&[]).await;
    let (_, store) = migrated_on(&server, impatient()).await;
    let world = instance(store);
    let mut browser = world.signed_in("ada").await;
    let switch = async |to: &str| {
        server
            .execute(&format!(
                "ALTER SYSTEM SET default_transaction_read_only = {to}"
            ))
            .await;
        server.execute("SELECT pg_reload_conf()").await;
        let shown = "SELECT current_setting('default_transaction_read_only')";
        crate::support::until("it is set", LIMIT * 5, || async {
            let is: String = server.value(shown).await;
            (is == to).then_some(()).ok_or(is)
        })
        .await;
    };
    switch("on").await;
    assert_unavailable(&browser.refresh(&world).await);
    // A transaction of our own lifts it, and so does the operator.
    let undo =
        "SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only";
    let mut connection = server.named("postgres").connection().await;
    for statement in undo.split(';') {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
    }
    server.execute("SELECT pg_reload_conf()").await;
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(world.store.last().await.generation(), 1);
}

/// Events tell of the server, and not of a pool that is too small.
#[tokio::test]
async fn a_server_that_is_away_is_told_of_once_and_a_full_pool_never() {
    let server = Server::with(&[]).await;
    let (database, _) = migrated_on(&server, impatient()).await;
    let heard = Heard::default();
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(LIMIT / 2);
    let pool = pool.connect(&database.url).await.unwrap();
    let world = instance(impatient().events(heard.sink()).share(pool.clone()));
    let mut browser = world.signed_in("ada").await;
    let taken = pool.acquire().await.unwrap();
    assert_unavailable(&browser.refresh(&world).await);
    drop(taken);
    assert_eq!(heard.all(), [""; 0]);
    server.kill();
    for _ in 0..2 {
        assert_unavailable(&browser.refresh(&world).await);
    }
    assert_eq!(heard.all(), ["StoreUnreachable"]);
    server.restart().await;
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(heard.all(), ["StoreUnreachable", "StoreRecovered"]);
}

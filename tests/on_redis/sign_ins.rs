//! Many sign-ins of one person, and of a person with many sessions.

use std::{collections::BTreeSet, time::Duration};

use tokio::task::JoinSet;
use tower_bearer::{
    RedisStore, RevokeReason,
    store::{RefreshStore, SessionRecord},
};

use crate::{
    stage::{impatient, instance, instance_with, key_of, store},
    support::{
        redis::{Loss, Proxy, Server, Which},
        world::World,
    },
};

/// How many of these a server has run so far.
async fn calls(server: &Server, command: &str) -> usize {
    let stats = server.info(&format!("cmdstat_{command}")).await;
    let calls = stats.and_then(|stats| {
        let (calls, _) = stats.strip_prefix("calls=")?.split_once(',')?;
        calls.parse().ok()
    });
    calls.unwrap_or(0)
}

/// A service whose people have at most four sessions.
fn limited(store: RedisStore) -> World {
    instance_with(store, |builder| builder.session_limit(4))
}

/// Signs one person in so often, all at once, in turn through each of the instances.
async fn at_once(worlds: &[World], times: usize) {
    let mut tasks = JoinSet::new();
    for n in 0..times {
        let world = worlds[n % worlds.len()].clone();
        tasks.spawn(async move { world.browser().login(&world, "ada").await });
    }
    while let Some(reply) = tasks.join_next().await {
        let reply = reply.unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

async fn live(world: &World) -> usize {
    let subject = *world.store.last_key().subject();
    let sessions = world.store.list(&subject).await.unwrap();
    sessions.iter().filter(|one| one.is_live()).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sign_ins_of_one_person_at_once_all_succeed_in_few_rounds() {
    let server = Server::start().await;
    let world = limited(store(server.url()));
    at_once(std::slice::from_ref(&world), 256).await;
    assert_eq!(live(&world).await, 4);
    assert_eq!(world.count("Started"), 256);
    assert_eq!(
        world.count("Revoked"),
        252,
        "each that went is told of once"
    );
    // One read begins a round, and each sign-in needs one; those that come together share it.
    let rounds = calls(&server, "hscan").await;
    println!("256 sign-ins at once: {rounds} rounds");
    assert!(rounds <= 256, "{rounds} rounds");
}

/// Two instances know nothing of each other's queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sign_ins_of_one_person_through_two_instances_all_succeed_in_few_rounds() {
    let server = Server::start().await;
    let worlds = [limited(store(server.url())), limited(store(server.url()))];
    at_once(&worlds, 256).await;
    assert_eq!(live(&worlds[0]).await, 4);
    let told = |world: &World| {
        let events = world.events.lock().unwrap().clone();
        events
            .into_iter()
            .filter(|event| event.starts_with("Revoked {"))
    };
    let told: Vec<String> = worlds.iter().flat_map(told).collect();
    let once: BTreeSet<&String> = told.iter().collect();
    assert_eq!(
        (told.len(), once.len()),
        (252, 252),
        "each that went is told of once"
    );
    let rounds = calls(&server, "hscan").await;
    println!("256 sign-ins at once through two instances: {rounds} rounds");
    assert!(rounds <= 3 * 256, "{rounds} rounds");
}

/// A client that hangs up takes no other sign-in along, and leaves no queue behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sign_in_that_is_given_up_holds_no_other_up() {
    let server = Server::start().await;
    let world = limited(store(server.url()));
    at_once(std::slice::from_ref(&world), 4).await;
    for _ in 0..20 {
        let mut given_up = JoinSet::new();
        for _ in 0..16 {
            let world = world.clone();
            given_up.spawn(async move { world.browser().login(&world, "ada").await });
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        given_up.abort_all();
        at_once(std::slice::from_ref(&world), 8).await;
    }
    assert_eq!(live(&world).await, 4);
}

#[tokio::test]
async fn a_reply_that_is_lost_at_the_limit_leaves_one_session_and_tells_what_went() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let world = limited(store(proxy.url()));
    at_once(std::slice::from_ref(&world), 5).await;
    for script in ["EVALSHA", "HSCAN"] {
        let before = world.count("Revoked");
        let second = if script == "EVALSHA" { 2 } else { 1 };
        let lost = proxy.arm(Loss::Reply, Which::containing(script).nth(second));
        at_once(std::slice::from_ref(&world), 1).await;
        assert!(lost.has_struck(), "{script}");
        assert_eq!(world.count("Revoked") - before, 1, "{script}");
        assert_eq!(live(&world).await, 4, "{script}");
    }
}

/// The same record under the session id of this number, which lies behind the version.
fn numbered(record: &SessionRecord, number: u32) -> SessionRecord {
    let mut bytes = record.encode();
    bytes[1..5].copy_from_slice(&number.to_be_bytes());
    SessionRecord::decode(&bytes).unwrap()
}

/// Puts so many copies of the last session beside it, without the store.
async fn fill(
    server: &Server,
    world: &World,
    count: u32,
    make: impl Fn(SessionRecord) -> SessionRecord,
) {
    let record = world.store.last().await;
    let key = key_of(world.store.last_key().subject());
    let mut connection = server.connection().await.unwrap();
    for numbers in (0..count).collect::<Vec<_>>().chunks(500) {
        let mut write = redis::cmd("HSET");
        write.arg(&key);
        for number in numbers {
            let copy = make(numbered(&record, *number));
            write.arg(copy.id().to_string()).arg(copy.encode());
        }
        write.exec_async(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn with_ten_thousand_sessions_a_sign_in_is_one_script_call() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let world = instance_with(store(proxy.url()), |builder| builder.session_limit(20_000));
    world.signed_in("ada").await;
    fill(&server, &world, 10_000, |copy| copy).await;
    world.signed_in("ada").await;
    let scripts = || proxy.requests_of("EVALSHA") + proxy.requests_of("EVAL");
    let (before, all) = (scripts(), proxy.requests());
    world.signed_in("ada").await;
    assert_eq!(scripts() - before, 1);
    // And what every sign-in asks first: a read, and the time.
    assert_eq!(proxy.requests() - all, 3);
}

/// At the limit one has to go, and all are looked at; nothing that the server does for it takes long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_a_limit_of_ten_thousand_the_least_recent_goes_and_others_do_not_wait() {
    let server = Server::start().await;
    let store = impatient(RedisStore::builder(server.url()));
    let world = instance_with(store.build().unwrap(), |builder| {
        builder.session_limit(10_000)
    });
    world.signed_in("ada").await;
    fill(&server, &world, 9_999, |copy| copy).await;
    world.secs(1);
    tokio::time::sleep(Duration::from_millis(5)).await;
    server
        .command(&["CONFIG", "SET", "slowlog-log-slower-than", "10000"])
        .await;
    server.command(&["SLOWLOG", "RESET"]).await;
    for _ in 0..3 {
        world.signed_in("ada").await;
    }
    assert_eq!(world.count("Revoked"), 3);
    assert_eq!(live(&world).await, 10_000);
    let slow = server.command(&["SLOWLOG", "GET", "10"]).await;
    assert_eq!(
        slow,
        redis::Value::Array(vec![]),
        "commands of more than 10 ms"
    );
}

#[tokio::test]
async fn what_has_expired_does_not_pile_up_below_the_limit() {
    let server = Server::start().await;
    let world = instance(store(server.url()));
    world.signed_in("ada").await;
    let key = key_of(world.store.last_key().subject());
    let past = world.store.last().await.created_at().as_millis() - 1000;
    // 240 bytes of fixed layout: the absolute end stands behind four other times.
    let expired = |copy: SessionRecord| {
        let mut bytes = copy.encode();
        let at = 1 + 16 + 16 + 8 + 1 + 1 + 3 * 32 + 4 * 8;
        bytes[at..at + 8].copy_from_slice(&past.to_be_bytes());
        SessionRecord::decode(&bytes).unwrap()
    };
    let world = instance_with(store(server.url()), |builder| {
        builder.session_limit(usize::MAX)
    });
    world.signed_in("ada").await;
    fill(&server, &world, 509, expired).await;
    world.signed_in("ada").await;
    let is_pruned = || async {
        match server.command(&["HLEN", &key]).await {
            redis::Value::Int(3) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    };
    crate::support::redis::until("they are gone", Duration::from_secs(10), is_pruned).await;
}

/// A sign-in decides by what it has read. A sign-out everywhere that comes between is not undone by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_survives_a_sign_out_everywhere_that_comes_between() {
    let server = Server::start().await;
    let worlds = [limited(store(server.url())), limited(store(server.url()))];
    worlds[0].signed_in("ada").await;
    let subject = *worlds[0].store.last_key().subject();
    for _ in 0..20 {
        let (signing_in, ending) = (worlds[0].clone(), worlds[1].clone());
        let sign_ins = tokio::spawn(async move { at_once(&[signing_in], 8).await });
        ending.store.revoke_all(&subject, None).await.unwrap();
        sign_ins.await.unwrap();
        ending.store.revoke_all(&subject, None).await.unwrap();
        assert_eq!(live(&worlds[0]).await, 0);
    }
    let sessions = worlds[0].store.list(&subject).await.unwrap();
    assert!(
        sessions
            .iter()
            .all(|one| one.state() != tower_bearer::store::SessionState::Live)
    );
    let limit = tower_bearer::store::SessionState::Revoked(RevokeReason::Limit);
    assert!(sessions.len() <= 8 + 8, "{} of {limit:?}", sessions.len());
}

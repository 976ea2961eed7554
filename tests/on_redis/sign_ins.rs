//! Many sign-ins of one person, and of a person with many sessions.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use tokio::task::JoinSet;
use tower_bearer::{
    RedisStore, RevokeReason,
    store::{RefreshStore, SessionRecord, SubjectTag, Swap},
};

use crate::{
    relatives::{Disguise, redis_6},
    stage::{impatient, instance, instance_with, key_of, store},
    support::{
        redis::{Loss, Proxy, Server, Which},
        world::World,
    },
};

/// How many of these a server has run so far.
async fn calls(server: &Server, command: &str) -> usize {
    let stats = server.info(&format!("cmdstat_{command}")).await;
    let calls = stats.as_deref().and_then(|stats| {
        let (calls, _) = stats.strip_prefix("calls=")?.split_once(',')?;
        calls.parse().ok()
    });
    calls.unwrap_or_else(|| panic!("no calls of {command} in {stats:?}"))
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

async fn live_ids(world: &World, subject: &SubjectTag) -> BTreeSet<String> {
    let sessions = world.store.list(subject).await.unwrap();
    let live = sessions.iter().filter(|one| one.is_live());
    live.map(|one| one.id().to_string()).collect()
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
    assert!((1..=16).contains(&rounds), "{rounds} rounds");
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

/// At the limit one has to go, and all are looked at. Nothing that the server does for it takes long.
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
async fn expired_sessions_do_not_pile_up_below_the_limit() {
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

/// Signing in and out, over and over, where any number of sessions may be live.
#[tokio::test]
async fn ended_sessions_do_not_pile_up_below_the_limit() {
    let server = Server::start().await;
    let world = instance_with(store(server.url()), |builder| {
        builder.session_limit(usize::MAX)
    });
    world.signed_in("ada").await;
    let key = key_of(world.store.last_key().subject());
    fill(&server, &world, 510, |copy| {
        copy.revoked(RevokeReason::SignedOut)
    })
    .await;
    world.signed_in("ada").await;
    let is_pruned = || async {
        match server.command(&["HLEN", &key]).await {
            redis::Value::Int(34) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    };
    crate::support::redis::until("they are gone", Duration::from_secs(10), is_pruned).await;
    assert_eq!(live(&world).await, 2);
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
        at_once(&worlds[..1], 2).await;
        let before = live_ids(&ending, &subject).await;
        assert!(before.len() >= 2, "{before:?}");
        let sign_ins = tokio::spawn(async move { at_once(&[signing_in], 8).await });
        ending.store.revoke_all(&subject, None).await.unwrap();
        sign_ins.await.unwrap();
        let after = live_ids(&ending, &subject).await;
        assert!(after.is_disjoint(&before), "{after:?} of {before:?}");
    }
    worlds[1].store.revoke_all(&subject, None).await.unwrap();
    let sessions = worlds[0].store.list(&subject).await.unwrap();
    assert!(
        sessions
            .iter()
            .all(|one| one.state() != tower_bearer::store::SessionState::Live)
    );
    let limit = tower_bearer::store::SessionState::Revoked(RevokeReason::Limit);
    assert!(sessions.len() <= 8 + 8, "{} of {limit:?}", sessions.len());
}

/// The same record with other ends: the absolute one stands behind four other times, and the idle one behind it.
fn ending(record: &SessionRecord, absolute: u64, idle: u64) -> SessionRecord {
    let mut bytes = record.encode();
    let at = 1 + 16 + 16 + 8 + 1 + 1 + 3 * 32 + 4 * 8;
    bytes[at..at + 8].copy_from_slice(&absolute.to_be_bytes());
    bytes[at + 8..at + 16].copy_from_slice(&idle.to_be_bytes());
    SessionRecord::decode(&bytes).unwrap()
}

/// With so many sessions a sign-in does not compare each. It may not end one early that it has not compared.
#[tokio::test]
async fn a_session_that_is_prolonged_during_a_sign_in_at_the_limit_lives_on() {
    const MINUTES: u64 = 60_000;
    const HOURS: u64 = 60 * MINUTES;
    for disguise in [None, Some(redis_6 as Disguise)] {
        let server = Server::start().await;
        let proxy = Proxy::to(server.port()).await;
        proxy.disguise(disguise);
        let (near, far) = (store(server.url()), store(proxy.url()));
        let world = instance(near.clone());
        world.signed_in("ada").await;
        let record = world.store.last().await;
        let (key, now) = (
            key_of(record.key().subject()),
            record.created_at().as_millis(),
        );
        let soon = now + 10 * MINUTES;
        fill(&server, &world, 600, |copy| ending(&copy, soon, soon)).await;
        let long = |idle| ending(&numbered(&record, 900_000), now + 168 * HOURS, now + idle);
        let id = record.id().to_string();
        server.command(&["HDEL", &key, &id]).await;
        near.insert(&long(HOURS), usize::MAX).await.unwrap();
        let end = (now + HOURS).to_string();
        server.command(&["PEXPIREAT", &key, &end]).await;
        // The first is brought in at leisure, so that the scripts are known.
        let new = |n| ending(&numbered(&record, n), soon, soon);
        let (first, second) = (new(1_000_000), new(1_000_001));
        far.insert(&first, 601).await.unwrap();
        let read = proxy.requests_of("HSCAN");
        // Replies come late, so there is time between what it has read and what it writes.
        proxy.delay(Duration::from_millis(150));
        let sign_in = tokio::spawn(async move { far.insert(&second, 601).await });
        let has_read = || async {
            (proxy.requests_of("HSCAN") == read + 2)
                .then_some(())
                .ok_or_else(String::new)
        };
        crate::support::redis::until("it has read", Duration::from_secs(5), has_read).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let swap = near.swap(&long(HOURS), &long(24 * HOURS)).await.unwrap();
        assert!(matches!(swap, Swap::Applied), "{swap:?}");
        assert_eq!(sign_in.await.unwrap().unwrap().dropped().len(), 1);
        let redis::Value::Int(left) = server.command(&["PTTL", &key]).await else {
            panic!("no end");
        };
        assert!(
            left > 23 * 3_600_000,
            "{}: all end in {left} ms",
            disguise.is_some()
        );
    }
}

/// The same record as a refresh leaves it: a generation on.
fn refreshed(record: &SessionRecord) -> SessionRecord {
    let mut bytes = record.encode();
    bytes[1 + 16 + 16 + 7] ^= 1;
    SessionRecord::decode(&bytes).unwrap()
}

/// More than one script compares. Refreshes go on all the time, and would undo one write of all again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sessions_are_signed_out_while_they_refresh() {
    let server = Server::start().await;
    let patient = || RedisStore::builder(server.url()).response_timeout(Duration::from_secs(5));
    let (store, other) = (patient().build().unwrap(), patient().build().unwrap());
    let world = instance(store.clone());
    world.signed_in("ada").await;
    fill(&server, &world, 10_000, |copy| copy).await;
    let record = world.store.last().await;
    let subject = *record.key().subject();
    let keep = numbered(&record, 7).id();
    let refreshes = tokio::spawn(async move {
        let mut applied = 0;
        for number in (0..10_000).cycle() {
            let record = numbered(&record, number * 37 % 10_000);
            match other.swap(&record, &refreshed(&record)).await.unwrap() {
                Swap::Applied => applied += 1,
                // It is signed out, or was refreshed before.
                Swap::Conflict(found) if number % 10_000 != 7 => {
                    if found.record().is_some_and(|found| !found.is_live()) {
                        break;
                    }
                }
                Swap::Conflict(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        applied
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let begun = tokio::time::Instant::now();
    let revoked = store.revoke_all(&subject, Some(&keep)).await.unwrap();
    let took = begun.elapsed();
    let applied = refreshes.await.unwrap();
    println!("10 001 sessions signed out in {took:?}, {applied} refreshes meanwhile");
    let once: BTreeMap<_, _> = revoked.iter().map(|one| (one.id(), one)).collect();
    assert_eq!((revoked.len(), once.len()), (10_000, 10_000));
    let sessions = store.list(&subject).await.unwrap();
    // Each is told of as it is stored now, also where it was refreshed meanwhile.
    let ended = sessions.iter().filter(|one| !one.is_live());
    let ended: BTreeMap<_, _> = ended.map(|one| (one.id(), one)).collect();
    assert!(once == ended, "what was told of is not what is stored");
    let live: Vec<_> = sessions
        .iter()
        .filter(|one| one.is_live())
        .map(|one| one.id())
        .collect();
    assert_eq!(live, [keep]);
    assert!(applied > 0);
}

/// Sign-ins at the limit, a sign-out everywhere and refreshes at once, of more sessions than one script compares.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_sessions_none_survives_and_none_is_ended_twice() {
    let server = Server::start().await;
    for round in 0..9_u32 {
        server.command(&["FLUSHALL"]).await;
        let count = [520, 700, 1500][round as usize % 3];
        let worlds = [0; 3].map(|_| {
            let store = RedisStore::builder(server.url()).response_timeout(Duration::from_secs(5));
            instance(store.build().unwrap())
        });
        worlds[0].signed_in("ada").await;
        fill(&server, &worlds[0], count, |copy| copy).await;
        let record = worlds[0].store.last().await;
        let (subject, limit) = (*record.key().subject(), count as usize);
        let before = live_ids(&worlds[0], &subject).await;
        let keep = (round % 2 == 1).then(|| numbered(&record, count - 1).id());
        let [signing_in, ending, refreshing] = worlds.map(|world| world.store);
        let sign_ins = {
            let record = record.clone();
            tokio::spawn(async move {
                let mut dropped = Vec::new();
                for number in 1..=3 {
                    let new = numbered(&record, 1_000_000 + number);
                    let inserted = signing_in.insert(&new, limit).await.unwrap();
                    dropped.extend_from_slice(inserted.dropped());
                }
                dropped
            })
        };
        let refreshes = tokio::spawn(async move {
            for number in (0..count).step_by(37).take(12) {
                let record = numbered(&record, number);
                refreshing.swap(&record, &refreshed(&record)).await.unwrap();
            }
        });
        tokio::time::sleep(Duration::from_millis((4 * round).into())).await;
        let revoked = ending.revoke_all(&subject, keep.as_ref()).await.unwrap();
        let dropped = sign_ins.await.unwrap();
        refreshes.await.unwrap();
        let sessions = ending.list(&subject).await.unwrap();
        let live = sessions.iter().filter(|one| one.is_live());
        let live: BTreeSet<_> = live.map(|one| one.id().to_string()).collect();
        let kept = keep.map(|keep| keep.to_string());
        let mut survivors = live
            .intersection(&before)
            .filter(|id| Some(*id) != kept.as_ref());
        assert_eq!(survivors.next(), None, "round {round}");
        assert!(live.len() <= limit, "round {round}: {} live", live.len());
        let told: Vec<SessionRecord> = revoked.into_iter().chain(dropped).collect();
        let once: BTreeSet<_> = told.iter().map(SessionRecord::id).collect();
        assert_eq!(told.len(), once.len(), "round {round}");
        // Others may be forgotten by now.
        for one in told {
            let stored = sessions.iter().find(|stored| stored.id() == one.id());
            assert!(stored.is_none_or(|stored| *stored == one), "round {round}");
        }
    }
}

//! The sessions of every subject ended at once, whatever else goes on.

mod cluster;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use redis::{Value, aio::ConnectionLike, from_redis_value};
use tokio::time::sleep;
use tower_bearer::{
    RedisStore, RevokeReason, Timestamp,
    store::{
        RedisStoreBuilder, RefreshStore, SessionRecord, SessionState, StoreErrorKind, SubjectTag,
        Swap,
    },
};

use crate::{
    stage::{impatient, instance, key_of, store},
    support::redis::{Cluster, Proxy, Replicated, Server, until},
};

/// Where the time stands that a session began at. It is behind the two names, two counters, flags, three hashes and
/// three other times.
const CREATED: usize = 1 + 16 + 16 + 8 + 1 + 1 + 3 * 32 + 3 * 8;

/// The same record for another subject, and as another of its sessions.
fn of(record: &SessionRecord, subject: u32, session: u32) -> SessionRecord {
    let mut bytes = record.encode();
    bytes[1..5].copy_from_slice(&session.to_be_bytes());
    bytes[17..21].copy_from_slice(&subject.to_be_bytes());
    SessionRecord::decode(&bytes).unwrap()
}

/// The same record as one that began a second later.
fn later(record: &SessionRecord) -> SessionRecord {
    let mut bytes = record.encode();
    let at = record.created_at().as_millis() + 1000;
    bytes[CREATED..CREATED + 8].copy_from_slice(&at.to_be_bytes());
    SessionRecord::decode(&bytes).unwrap()
}

/// The same record as a refresh leaves it: a generation on.
fn refreshed(record: &SessionRecord) -> SessionRecord {
    let mut bytes = record.encode();
    bytes[1 + 16 + 16 + 7] ^= 1;
    SessionRecord::decode(&bytes).unwrap()
}

fn name(record: &SessionRecord) -> String {
    key_of(record.key().subject())
}

/// Puts these records under the names of their subjects, without the store.
async fn put(connection: &mut impl ConnectionLike, records: &[SessionRecord]) {
    for some in records.chunks(1000) {
        let mut pipeline = redis::pipe();
        for record in some {
            let id = record.id().to_string();
            pipeline.hset(name(record), id, record.encode()).ignore();
        }
        pipeline.exec_async(connection).await.unwrap();
    }
}

/// The sessions that lie under the names of these subjects.
async fn sessions(
    connection: &mut impl ConnectionLike,
    subjects: impl IntoIterator<Item = SubjectTag>,
) -> Vec<SessionRecord> {
    let mut found = Vec::new();
    let subjects: Vec<_> = subjects.into_iter().collect();
    for some in subjects.chunks(1000) {
        let mut pipeline = redis::pipe();
        for subject in some {
            pipeline.hvals(key_of(subject));
        }
        let all: Vec<Vec<Vec<u8>>> = pipeline.query_async(connection).await.unwrap();
        found.extend(all.concat());
    }
    let decode = |bytes: &Vec<u8>| SessionRecord::decode(bytes).unwrap();
    found.iter().map(decode).collect()
}

/// A session of a service over `store`, to make others of, and when it began.
async fn first(store: &RedisStore) -> (SessionRecord, Timestamp) {
    let world = instance(store.clone());
    world.signed_in("ada").await;
    let record = world.store.last().await;
    let began = record.created_at();
    (record, began)
}

/// For a busy machine.
fn patient(store: RedisStoreBuilder) -> RedisStore {
    let store = store.response_timeout(Duration::from_secs(5));
    store.build().unwrap()
}

const ENDED: SessionState = SessionState::Revoked(RevokeReason::RevokedAll);

fn live(sessions: &[SessionRecord]) -> usize {
    sessions.iter().filter(|one| one.is_live()).count()
}

/// Asks until it has gone through everything, and says how often that was. The answers before it are honest errors.
async fn until_all_is_ended(store: &RedisStore, before: Timestamp) -> usize {
    for asked in 1..=150 {
        match store.revoke_everything(before).await {
            Ok(_) => return asked,
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}"),
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("it never comes to an end");
}

/// Some begin while it runs and live on; some are refreshed while it runs and end all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_subjects_end_while_some_refresh_and_others_sign_in() {
    const SUBJECTS: u32 = 2500;
    const MANY: u32 = 600;
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let (store, other) = (
        patient(RedisStore::builder(proxy.url())),
        patient(RedisStore::builder(server.url())),
    );
    let (record, before) = first(&store).await;
    let mut connection = server.connection().await.unwrap();
    let old: Vec<_> = (0..SUBJECTS).map(|n| of(&record, n, n)).collect();
    put(&mut connection, &old).await;
    // One subject has more than one script compares, and some have one that began later.
    let many: Vec<_> = (0..MANY).map(|n| of(&record, 0, 100_000 + n)).collect();
    put(&mut connection, &many).await;
    let new: Vec<_> = (0..100).map(|n| later(&of(&record, n, 200_000))).collect();
    put(&mut connection, &new).await;

    let stop = Arc::<AtomicBool>::default();
    let refreshes = tokio::spawn({
        let (stop, store, old) = (stop.clone(), other.clone(), old.clone());
        async move {
            let mut applied = Vec::new();
            for record in old.iter().step_by(7).cycle() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let next = refreshed(record);
                if let Swap::Applied = store.swap(record, &next).await.unwrap() {
                    applied.push(next.id());
                }
            }
            applied
        }
    });
    let sign_ins = tokio::spawn({
        let (stop, record) = (stop.clone(), record.clone());
        async move {
            let mut begun = Vec::new();
            for subject in (0..SUBJECTS).rev() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let new = later(&of(&record, subject, 300_000 + subject));
                other.insert(&new, usize::MAX).await.unwrap();
                begun.push(new);
            }
            begun
        }
    });
    let count = store.revoke_everything(before).await.unwrap();
    stop.store(true, Ordering::SeqCst);
    let (refreshes, begun) = (refreshes.await.unwrap(), sign_ins.await.unwrap());
    // And the one that all others were made of.
    assert_eq!(count, u64::from(SUBJECTS + MANY + 1));
    assert!(
        !refreshes.is_empty() && !begun.is_empty(),
        "nothing went on meanwhile"
    );
    let subjects = (0..SUBJECTS).map(|n| *of(&record, n, 0).key().subject());
    let found = sessions(&mut connection, subjects).await;
    let found: HashMap<_, _> = found.into_iter().map(|one| (one.key(), one)).collect();
    for record in old.iter().chain(&many) {
        let stored = &found[&record.key()];
        assert_eq!(stored.state(), ENDED);
        let is_refreshed = u64::from(refreshes.contains(&stored.id()));
        assert_eq!(stored.generation(), record.generation() + is_refreshed);
    }
    for record in new.iter().chain(&begun) {
        assert_eq!(&found[&record.key()], record);
    }
    assert_eq!(
        found.len(),
        old.len() + many.len() + new.len() + begun.len()
    );
    assert!(proxy.requests_of("SCAN") >= 3, "page by page");
    assert_eq!(proxy.requests_of("KEYS"), 0);
    assert_eq!(store.revoke_everything(before).await.unwrap(), 0);
}

/// Some of these have names like those of sessions.
#[tokio::test]
async fn keys_of_other_services_are_left_alone() {
    let server = Server::start().await;
    let build = |prefix| {
        RedisStore::builder(server.url())
            .prefix(prefix)
            .build()
            .unwrap()
    };
    // To a pattern, the first is like the others.
    let [own, others @ ..] = ["a*b:", "a-b:", "a*b:s:", "a*b", "b:", ""].map(build);
    let (_, before) = first(&own).await;
    for other in &others {
        first(other).await;
    }
    let foreign = [
        "a*b:health",
        "a*b:s:AAAAAAAAAAAAAAAAAAAAA",
        "a*b:s:AAAAAAAAAAAAAAAAAAAAAAA",
        "a*b:s:AAAAAAAAAAAAAAAAAAAAA/",
        "a*b:s:AAAAAAAAAAAAAAAAAAAAAB",
        "a*b:t:AAAAAAAAAAAAAAAAAAAAAA",
    ];
    for name in foreign {
        server.command(&["SET", name, "1"]).await;
    }
    let keys = server.command(&["KEYS", "*"]).await;
    let mut keys: Vec<String> = from_redis_value(keys).unwrap();
    let is_own = |key: &str| key.starts_with("a*b:s:") && key.len() == "a*b:s:".len() + 22;
    keys.retain(|key| !is_own(key) || foreign.contains(&key.as_str()));
    let mut dumps = Vec::new();
    for key in &keys {
        dumps.push(server.command(&["DUMP", key]).await);
    }
    assert_eq!(keys.len(), others.len() + foreign.len());
    assert_eq!(own.revoke_everything(before).await.unwrap(), 1);
    for (key, dump) in keys.iter().zip(dumps) {
        assert_eq!(server.command(&["DUMP", key]).await, dump, "{key}");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_keeps_none_of_the_others() {
    let server = Server::start().await;
    let store = patient(RedisStore::builder(server.url()));
    let (record, before) = first(&store).await;
    let old: Vec<_> = (0..50).map(|n| of(&record, n, n)).collect();
    let mut connection = server.connection().await.unwrap();
    put(&mut connection, &old).await;
    let [damaged, other @ ..] = old.as_slice() else {
        panic!("there are fifty");
    };
    let id = damaged.id().to_string();
    server
        .command(&["HSET", &name(damaged), &id, "no record"])
        .await;
    let error = store.revoke_everything(before).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let others = || other.iter().map(|one| *one.key().subject());
    let found = sessions(&mut connection, others()).await;
    assert_eq!((found.len(), live(&found)), (49, 0));
    // Nor does a key that holds something else.
    server.command(&["DEL", &name(damaged)]).await;
    server.command(&["SET", &name(damaged), "no session"]).await;
    put(&mut connection, other).await;
    let error = store.revoke_everything(before).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    let found = sessions(&mut connection, others()).await;
    assert_eq!((found.len(), live(&found)), (49, 0));
}

/// How many times the server was asked for its name so far.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// As a server does that another one takes the place of: it answers under another name, once.
fn changes_places(request: &[u8]) -> Option<Vec<u8>> {
    if request != b"*1\r\n$4\r\nINFO\r\n" || ASKED.fetch_add(1, Ordering::SeqCst) != 2 {
        return None;
    }
    let script = "return (string.gsub(redis.call('INFO'), 'run_id:', 'run_id:x'))";
    let length = script.len();
    Some(format!("*3\r\n$4\r\nEVAL\r\n${length}\r\n{script}\r\n$1\r\n0\r\n").into_bytes())
}

/// The keys of its successor are in another order: a page of it goes on somewhere in the middle.
#[tokio::test]
async fn all_is_gone_through_again_when_another_server_has_taken_over() {
    let server = Server::start().await;
    let proxy = Proxy::to(server.port()).await;
    let store = patient(RedisStore::builder(proxy.url()));
    let (record, before) = first(&store).await;
    let old: Vec<_> = (0..2500).map(|n| of(&record, n, n)).collect();
    put(&mut server.connection().await.unwrap(), &old).await;
    assert_eq!(store.revoke_everything(before).await.unwrap(), 2501);
    let pages = proxy.requests_of("SCAN");
    assert!(pages >= 3, "{pages} pages");
    proxy.disguise(Some(changes_places));
    assert_eq!(store.revoke_everything(before).await.unwrap(), 0);
    assert!(ASKED.load(Ordering::SeqCst) > 2);
    // The first two, after which it was known, and all of them again.
    assert_eq!(proxy.requests_of("SCAN"), 2 * pages + 2);
}

#[tokio::test]
async fn a_replica_is_not_taken_for_all_that_there_is() {
    let servers = Replicated::start().await;
    let store = impatient(RedisStore::builder(servers.replica().url()));
    let store = store.build().unwrap();
    let error = store.revoke_everything(Timestamp::from_secs(1)).await;
    assert_eq!(error.unwrap_err().kind(), StoreErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_in_the_midst_is_an_error_and_leaves_no_session_to_the_next_call() {
    const SUBJECTS: u32 = 8000;
    let servers = Replicated::start().await;
    let store = impatient(RedisStore::sentinel(
        Replicated::NAME,
        servers.sentinel_urls(),
    ));
    let store = store.build().unwrap();
    let (record, before) = first(&store).await;
    let old: Vec<_> = (0..SUBJECTS).map(|n| of(&record, n, n)).collect();
    put(&mut servers.master().connection().await.unwrap(), &old).await;
    servers.wait_for_replica().await;
    let sweep = tokio::spawn({
        let store = store.clone();
        async move { until_all_is_ended(&store, before).await }
    });
    until("some are ended", Duration::from_secs(10), || async {
        let scripts = servers.master().try_info("cmdstat_evalsha").await?;
        scripts.contains("calls").then_some(()).ok_or(scripts)
    })
    .await;
    servers.fail_over().await;
    let asked = sweep.await.unwrap();
    assert!(asked > 1, "it was over before");
    let subjects = old.iter().map(|one| *one.key().subject());
    let mut connection = servers.replica().connection().await.unwrap();
    let found = sessions(&mut connection, subjects).await;
    assert_eq!((found.len(), live(&found)), (SUBJECTS as usize, 0));
}

/// A connection to a cluster sends a page's request to any node, and would miss the others.
#[tokio::test]
async fn a_connection_of_the_applications_is_for_one_server() {
    let server = Server::start().await;
    let given = RedisStore::with_connection(server.connection().await.unwrap());
    let given = given.build().unwrap();
    let (_, before) = first(&given).await;
    assert_eq!(given.revoke_everything(before).await.unwrap(), 1);

    let cluster = Cluster::start().await;
    let client = redis::cluster::ClusterClient::new(cluster.urls()).unwrap();
    let of_cluster = RedisStore::with_connection(client.get_async_connection().await.unwrap());
    let of_node = RedisStore::with_connection(cluster.nodes()[0].connection().await.unwrap());
    for given in [
        of_cluster,
        of_node,
        RedisStore::builder(cluster.nodes()[0].url()),
    ] {
        let given = given.build().unwrap();
        let error = given.revoke_everything(before).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unsupported);
    }
}

/// Without them it is refused, and nothing else is.
#[tokio::test]
async fn health_says_when_the_account_may_not_go_through_everything() {
    let server = Server::start().await;
    let store = store(server.url());
    let (_, before) = first(&store).await;
    let warnings = async || {
        let warnings = store.health().await.unwrap().warnings();
        let about = |warning: &&String| warning.contains("revoke_everything");
        warnings.iter().filter(about).count()
    };
    assert_eq!(warnings().await, 0);
    for command in ["scan", "info"] {
        let [without, with] = ["-", "+"].map(|sign| format!("{sign}{command}"));
        server
            .command(&["ACL", "SETUSER", "default", &without])
            .await;
        assert_eq!(warnings().await, 1, "{command}");
        let error = store.revoke_everything(before).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Refused, "{command}");
        server.command(&["ACL", "SETUSER", "default", &with]).await;
    }
    assert_eq!(store.revoke_everything(before).await.unwrap(), 1);
    let script = server.command(&["EXISTS", "tower-bearer:health"]).await;
    assert_eq!(script, Value::Int(0));
}

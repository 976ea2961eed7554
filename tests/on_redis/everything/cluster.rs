//! In a cluster, whose slots move and whose masters change.

use std::time::Duration;

use redis::from_redis_value;
use tower_bearer::{
    RedisStore,
    store::{RefreshStore, SessionRecord, StoreErrorKind},
};

use super::{first, live, name, of, put, until_all_is_ended};
use crate::{
    stage::impatient,
    support::redis::{Cluster, Server, until},
};

/// Puts sessions of so many subjects into a cluster, and says under which names.
async fn spread(cluster: &Cluster, record: &SessionRecord, subjects: u32) -> Vec<String> {
    let client = redis::cluster::ClusterClient::new(cluster.urls()).unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    let mut names = Vec::new();
    for n in 0..subjects {
        let record = of(record, n, n);
        put(&mut connection, std::slice::from_ref(&record)).await;
        names.push(name(&record));
    }
    names
}

/// How many sessions are live under these names, and how many there are.
async fn count(cluster: &Cluster, names: &[String]) -> (usize, usize) {
    let client = redis::cluster::ClusterClient::new(cluster.urls()).unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    let mut found = Vec::new();
    for name in names {
        let mut read = redis::cmd("HVALS");
        let all: Vec<Vec<u8>> = read.arg(name).query_async(&mut connection).await.unwrap();
        found.extend(
            all.iter()
                .map(|bytes| SessionRecord::decode(bytes).unwrap()),
        );
    }
    (live(&found), found.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_cluster_no_session_escapes_while_slots_move_and_masters_change() {
    const SUBJECTS: u32 = 600;
    let cluster = Cluster::start().await;
    let store = impatient(RedisStore::cluster(cluster.urls()));
    let store = store.build().unwrap();
    let (record, before) = first(&store).await;
    let names = spread(&cluster, &record, SUBJECTS).await;
    let all = SUBJECTS as usize;
    assert_eq!(
        store.revoke_everything(before).await.unwrap(),
        u64::from(SUBJECTS) + 1
    );
    assert_eq!(count(&cluster, &names).await, (0, all));

    // A migration that has stopped half way: the key is at the one node, the slot at the other.
    spread(&cluster, &record, SUBJECTS).await;
    let slot = cluster.slot_of(&names[0]).await;
    let home = cluster.master_of(slot).await;
    let away = (home + 1) % 3;
    let migration = cluster.begin_migration(slot, away).await;
    assert!(migration.move_one().await.is_some());
    // The memory of this instance would end what it has ended before.
    let new = || {
        let store = impatient(RedisStore::cluster(cluster.urls()));
        store.build().unwrap()
    };
    let ended = new().revoke_everything(before).await.unwrap();
    assert_eq!(ended, u64::from(SUBJECTS));
    assert_eq!(count(&cluster, &names).await, (0, all));
    migration.finish().await;

    // The first master is gone through, which takes long without a replica that confirms. Meanwhile keys of the others
    // come to it. The names it gave are old by then, and the others have them no longer.
    spread(&cluster, &record, SUBJECTS).await;
    for replica in &cluster.nodes()[3..] {
        replica.kill();
    }
    let slow = impatient(RedisStore::cluster(cluster.urls()))
        .wait_for_replicas(1, Duration::from_secs(1))
        .remembered_revocations(0);
    let slow = slow.build().unwrap();
    let pages = pages_of_masters(&cluster).await;
    let sweep = tokio::spawn(async move { until_all_is_ended(&slow, before).await });
    let first = until("a page is named", Duration::from_secs(10), || async {
        let now = pages_of_masters(&cluster).await;
        let first = (0..3).find(|index| now[*index] > pages[*index]);
        first.ok_or_else(|| format!("{now:?}"))
    })
    .await;
    for home in (0..3).filter(|index| *index != first) {
        let slot = slot_at(&cluster, &names, home).await;
        cluster.migrate_slot(slot, first, Duration::ZERO).await;
    }
    let now = pages_of_masters(&cluster).await;
    let begun = (0..3).filter(|index| now[*index] > pages[*index]).count();
    assert_eq!(begun, 1, "they came too late");
    assert_eq!(sweep.await.unwrap(), 1);
    assert_eq!(count(&cluster, &names).await, (0, all));
    for replica in &cluster.nodes()[3..] {
        replica.restart().await;
    }

    // A master dies. The others' sessions end at once, and its own when its replica has taken over.
    spread(&cluster, &record, SUBJECTS).await;
    let slot = cluster.slot_of(&names[0]).await;
    cluster.wait_until_ok().await;
    let dead = cluster.kill_master_of(slot).await;
    let store = new();
    let error = store.revoke_everything(before).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    for (index, node) in cluster.nodes()[..3].iter().enumerate() {
        if index != dead {
            let here = own_sessions(node).await;
            assert_eq!(live(&here), 0, "node {index}");
        }
    }
    until_all_is_ended(&store, before).await;
    assert_eq!(count(&cluster, &names).await, (0, all));
}

/// How many pages of names each of the masters was asked for so far.
async fn pages_of_masters(cluster: &Cluster) -> [u64; 3] {
    let mut pages = [0; 3];
    for (pages, node) in pages.iter_mut().zip(cluster.nodes()) {
        let stats = node.info("cmdstat_scan").await.unwrap_or_default();
        let calls = stats.strip_prefix("calls=");
        let calls = calls.and_then(|calls| calls.split_once(','));
        *pages = calls.map_or(0, |(calls, _)| calls.parse().unwrap());
    }
    pages
}

/// The slot of one of these names that this master has.
async fn slot_at(cluster: &Cluster, names: &[String], master: usize) -> u16 {
    for name in names {
        let slot = cluster.slot_of(name).await;
        if cluster.master_of(slot).await == master {
            return slot;
        }
    }
    panic!("none of the names is at node {master}");
}

/// All sessions that lie at this node.
async fn own_sessions(node: &Server) -> Vec<SessionRecord> {
    let keys = node.command(&["KEYS", "tower-bearer:s:*"]).await;
    let keys: Vec<String> = from_redis_value(keys).unwrap();
    let mut found = Vec::new();
    for key in keys {
        let all = node.command(&["HVALS", &key]).await;
        let all: Vec<Vec<u8>> = from_redis_value(all).unwrap();
        found.extend(
            all.iter()
                .map(|bytes| SessionRecord::decode(bytes).unwrap()),
        );
    }
    found
}

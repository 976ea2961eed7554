//! A cluster, its migrations and its failovers.

use std::time::Duration;

use redis::{Value, cluster::ClusterClient, cmd, from_redis_value};

use crate::support::redis::{Cluster, Server};

async fn get(server: &Server, key: &str) -> Option<String> {
    from_redis_value(server.command(&["GET", key]).await).unwrap()
}

/// With which word, and to which port, the node sends on who asks for this key.
async fn sent_on(server: &Server, key: &str) -> (String, u16) {
    let error = server.try_command(&["GET", key]).await.unwrap_err();
    let (address, _) = error.redirect_node().expect("it sends on");
    let (_, port) = address.rsplit_once(':').unwrap();
    (error.code().unwrap().to_owned(), port.parse().unwrap())
}

/// Keys of one slot.
const KEYS: [&str; 4] = ["{a}1", "{a}2", "{a}3", "{a}4"];

#[tokio::test]
async fn slots_move_and_masters_are_succeeded() {
    let cluster = Cluster::start().await;
    for (index, node) in cluster.nodes().iter().enumerate() {
        let role = if index < 3 { "master" } else { "slave" };
        assert_eq!(node.info("role").await.as_deref(), Some(role), "{index}");
    }
    let client = ClusterClient::new(cluster.urls()).unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    for key in KEYS {
        let set: Value = cmd("SET")
            .arg(key)
            .arg("1")
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(set, Value::Okay);
    }
    let slot = cluster.slot_of(KEYS[0]).await;
    let from = cluster.master_of(slot).await;
    let to = (from + 1) % 3;
    let [old, new, third] = [from, to, (from + 2) % 3].map(|index| &cluster.nodes()[index]);

    let migration = cluster.begin_migration(slot, to).await;
    let moved = migration.move_one().await.unwrap();
    let ask = ("ASK".to_owned(), new.port());
    assert_eq!(sent_on(old, &moved).await, ask);
    let back = ("MOVED".to_owned(), old.port());
    assert_eq!(sent_on(new, &moved).await, back);
    let here = KEYS.iter().find(|&&key| key != moved).unwrap();
    assert_eq!(get(old, here).await.as_deref(), Some("1"));
    // A client that understands this notices nothing.
    let all: Vec<String> = cmd("MGET")
        .arg(&moved)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(all, ["1"]);
    migration.finish().await;
    assert_eq!(cluster.master_of(slot).await, to);
    for other in [old, third] {
        let there = ("MOVED".to_owned(), new.port());
        assert_eq!(sent_on(other, KEYS[0]).await, there);
    }
    for key in KEYS {
        assert_eq!(get(new, key).await.as_deref(), Some("1"));
    }
    cluster
        .migrate_slot(slot, from, Duration::from_millis(1))
        .await;
    assert_eq!(cluster.master_of(slot).await, from);

    // The write has reached the replica before its master dies.
    cluster.wait_until_ok().await;
    let dead = cluster.kill_master_of(slot).await;
    assert_eq!(dead, from);
    cluster.wait_until_ok().await;
    let successor = cluster.master_of(slot).await;
    assert_eq!(successor, from + 3);
    let kept = get(&cluster.nodes()[successor], KEYS[0]).await;
    assert_eq!(kept.as_deref(), Some("1"));

    // Back, it follows who succeeded it.
    cluster.nodes()[dead].restart().await;
    cluster.wait_until_ok().await;
    assert_eq!(cluster.master_of(slot).await, successor);
    assert_eq!(old.info("role").await.as_deref(), Some("slave"));
}

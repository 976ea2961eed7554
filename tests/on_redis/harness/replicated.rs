//! A master and its replica under Sentinel.

use std::time::Duration;

use redis::{
    from_redis_value,
    sentinel::{SentinelClient, SentinelServerType},
};

use crate::support::redis::{Replicated, Server, until};

const START: i64 = 1_800_000_000_000;

async fn get(server: &Server, key: &str) -> Option<String> {
    from_redis_value(server.command(&["GET", key]).await).unwrap()
}

#[tokio::test]
async fn writes_that_the_replica_missed_are_lost_in_the_failover() {
    let pair = Replicated::start().await;
    let (master, replica) = (pair.master(), pair.replica());
    master.command(&["SET", "before", "1"]).await;
    pair.wait_for_replica().await;
    pair.cut_replication().await;
    master.command(&["SET", "after", "1"]).await;
    // Longer than a sentinel needs to find fault, and than a replica waits to connect anew.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(get(replica, "after").await, None);
    assert_eq!(get(master, "after").await.as_deref(), Some("1"));
    for sentinel in pair.sentinels() {
        for address in ["master0", "master"] {
            let line = sentinel.info(address).await.unwrap_or_default();
            assert!(!line.contains("down"), "{line}");
        }
        let line = sentinel.info("master0").await.unwrap();
        assert!(
            line.contains("status=ok") && line.contains("sentinels=3"),
            "{line}"
        );
    }

    pair.fail_over().await;
    assert_eq!(get(replica, "before").await.as_deref(), Some("1"));
    assert_eq!(get(replica, "after").await, None);

    // A client finds the new master by the sentinels.
    let name = Replicated::NAME.to_owned();
    let kind = SentinelServerType::Master;
    let mut client = SentinelClient::build(pair.sentinel_urls(), name, None, kind).unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    super::send::<()>(&mut connection, &["SET", "new", "1"])
        .await
        .unwrap();
    assert_eq!(get(replica, "new").await.as_deref(), Some("1"));

    // The old one comes back as a replica and forgets what it knew alone.
    master.restart().await;
    until(
        "the old master follows",
        Duration::from_secs(15),
        || async {
            master.has_info("role", "slave").await?;
            master.has_info("master_link_status", "up").await
        },
    )
    .await;
    assert_eq!(get(master, "new").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn the_pair_may_disagree_about_the_time() {
    let (pair, [of_master, of_replica]) = Replicated::with_clocks(START).await;
    of_master.set(START + 5000);
    of_replica.set(START - 5000);
    for (server, secs) in [
        (pair.master(), "1800000005"),
        (pair.replica(), "1799999995"),
    ] {
        let time: [String; 2] = from_redis_value(server.command(&["TIME"]).await).unwrap();
        assert_eq!(time, [secs, "0"]);
    }
    pair.cut_replication().await;
    pair.master().command(&["SET", "a", "b"]).await;
    assert_eq!(get(pair.replica(), "a").await, None);
    pair.mend_replication().await;
    assert_eq!(get(pair.replica(), "a").await.as_deref(), Some("b"));
    pair.fail_over().await;
    assert_eq!(get(pair.replica(), "a").await.as_deref(), Some("b"));
}

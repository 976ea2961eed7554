//! Revocations that wait for replicas.

use std::time::Duration;

use tower_bearer::{RedisStore, store::RefreshStore};

use crate::{
    stage::{Heard, assert_ok, impatient, instance, key_of},
    support::redis::{Cluster, Loss, Proxy, Replicated, Server, Which},
};

/// Long, so that what does not wait is told from what does on a busy machine.
const WAIT: Duration = Duration::from_secs(1);

fn waiting(servers: &Replicated, heard: &Heard, at_most: Duration) -> RedisStore {
    impatient(RedisStore::sentinel(
        Replicated::NAME,
        servers.sentinel_urls(),
    ))
    .wait_for_replicas(1, at_most)
    .events(heard.sink())
    .build()
    .unwrap()
}

#[tokio::test]
async fn a_revocation_that_a_replica_has_confirmed_is_not_worth_a_word() {
    let servers = Replicated::start().await;
    let heard = Heard::default();
    let world = instance(waiting(&servers, &heard, Duration::from_secs(5)));
    let mut browser = world.signed_in("ada").await;
    assert_eq!(browser.logout(&world).await.status, 204);
    world.signed_in("ada").await;
    let subject = *world.store.last_key().subject();
    assert_eq!(
        world.store.revoke_all(&subject, None).await.unwrap().len(),
        1
    );
    assert!(heard.all().is_empty(), "{:?}", heard.all());
}

#[tokio::test]
async fn a_revocation_that_no_replica_has_confirmed_stands_and_is_reported() {
    let servers = Replicated::start().await;
    let heard = Heard::default();
    let world = instance(waiting(&servers, &heard, WAIT));
    let mut browser = world.signed_in("ada").await;
    let session = *world.store.last_key().id();
    servers.cut_replication().await;

    // Refreshing waits for no confirmation.
    let begun = tokio::time::Instant::now();
    assert_ok(&browser.refresh(&world).await);
    assert!(begun.elapsed() < WAIT, "{:?}", begun.elapsed());
    assert!(heard.all().is_empty());

    let begun = tokio::time::Instant::now();
    assert_eq!(browser.clone().logout(&world).await.status, 204);
    assert!(begun.elapsed() >= WAIT);
    let degraded =
        format!("DurabilityDegraded {{ sessions: [{session:?}], acknowledged: 0, wanted: 1 }}");
    assert_eq!(heard.all(), [degraded]);
    assert_eq!(browser.refresh(&world).await.status, 401);

    world.signed_in("ada").await;
    let subject = *world.store.last_key().subject();
    world.store.revoke_all(&subject, None).await.unwrap();
    assert_eq!(heard.count("DurabilityDegraded"), 2);
}

#[tokio::test]
async fn while_revocations_wait_others_do_not() {
    let servers = Replicated::start().await;
    let heard = Heard::default();
    let world = instance(waiting(&servers, &heard, WAIT));
    let (mut leaving, mut staying) = (world.signed_in("ada").await, world.signed_in("bob").await);
    servers.cut_replication().await;
    let begun = tokio::time::Instant::now();
    let (left, stayed) = tokio::join!(leaving.logout(&world), async {
        tokio::time::sleep(WAIT / 4).await;
        let begun = tokio::time::Instant::now();
        let reply = staying.refresh(&world).await;
        (reply, begun.elapsed())
    });
    assert_eq!(left.status, 204);
    assert_ok(&stayed.0);
    assert!(stayed.1 < WAIT / 2, "{:?}", stayed.1);
    assert!(begun.elapsed() >= WAIT);
}

/// A replica is asked once for many, or nothing would come to an end.
#[tokio::test]
async fn the_sessions_of_every_subject_are_confirmed_together() {
    let servers = Replicated::start().await;
    let heard = Heard::default();
    let store = waiting(&servers, &heard, WAIT);
    let world = instance(store.clone());
    let mut sessions = Vec::new();
    for n in 0..20 {
        world.signed_in(&format!("user-{n}")).await;
        sessions.push(world.store.last_key().id().to_string());
    }
    let before = world.store.last().await.created_at();
    servers.cut_replication().await;
    assert_eq!(store.revoke_everything(before).await.unwrap(), 20);
    let told = heard.all();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("DurabilityDegraded"));
    for session in sessions {
        assert!(told[0].contains(&session), "{session}");
    }
}

/// However many there are: each stands at once, and is told within the time that it may wait.
#[tokio::test]
async fn many_revocations_at_once_do_not_wait_one_behind_the_other() {
    let servers = Replicated::start().await;
    let heard = Heard::default();
    let world = instance(waiting(&servers, &heard, WAIT));
    let mut leaving = Vec::new();
    for n in 0..20 {
        leaving.push(world.signed_in(&format!("user-{n}")).await);
    }
    servers.cut_replication().await;
    let begun = tokio::time::Instant::now();
    let left = leaving.into_iter().map(|mut browser| {
        let world = world.clone();
        tokio::spawn(async move { browser.logout(&world).await.status })
    });
    for left in left.collect::<Vec<_>>() {
        assert_eq!(left.await.unwrap(), 204);
    }
    assert!(begun.elapsed() < WAIT * 5, "{:?}", begun.elapsed());
    assert_eq!(heard.count("DurabilityDegraded"), 20);
    assert_eq!(world.count("RevocationQueued"), 0);
}

/// The script is applied, its reply is lost, and then the server is lost that had it.
#[tokio::test]
async fn a_sign_out_everywhere_whose_reply_is_lost_is_remembered_and_confirmed() {
    let servers = Replicated::start().await;
    let proxy = Proxy::to(servers.master().port()).await;
    let heard = Heard::default();
    let store = impatient(RedisStore::builder(proxy.url())).wait_for_replicas(1, WAIT);
    let world = instance(store.events(heard.sink()).build().unwrap());
    let mut browser = world.signed_in("ada").await;
    let subject = *world.store.last_key().subject();
    // The script for revocations is new to the server: its text is what is applied.
    let lost = proxy.arm(Loss::Reply, Which::containing("EVAL\r\n"));
    servers.cut_replication().await;
    assert_eq!(
        world.store.revoke_all(&subject, None).await.unwrap().len(),
        1
    );
    assert!(lost.has_struck());
    assert_eq!(heard.count("DurabilityDegraded"), 1);
    // A promoted replica's record: the session as it was.
    let name = key_of(&subject);
    let old = servers.replica().command(&["DUMP", &name]).await;
    let redis::Value::BulkString(old) = old else {
        panic!("the replica has {old:?}");
    };
    let mut restore = redis::cmd("RESTORE");
    restore.arg(&name).arg(0).arg(old).arg("REPLACE");
    let mut master = servers.master().connection().await.unwrap();
    restore.exec_async(&mut master).await.unwrap();
    assert_eq!(browser.refresh(&world).await.status, 401);
    assert_eq!(heard.count("RevocationRestored"), 1);
}

#[tokio::test]
async fn a_cluster_confirms_as_well() {
    let cluster = Cluster::start().await;
    let heard = Heard::default();
    let store = impatient(RedisStore::cluster(cluster.urls()));
    let store = store
        .wait_for_replicas(1, Duration::from_secs(5))
        .events(heard.sink());
    let world = instance(store.build().unwrap());
    let mut browser = world.signed_in("ada").await;
    assert_eq!(browser.logout(&world).await.status, 204);
    assert!(heard.all().is_empty(), "{:?}", heard.all());
}

#[tokio::test]
async fn a_server_without_replicas_reports_every_revocation() {
    let server = Server::start().await;
    let heard = Heard::default();
    let store = impatient(RedisStore::builder(server.url())).wait_for_replicas(1, WAIT);
    let world = instance(store.events(heard.sink()).build().unwrap());
    let mut browser = world.signed_in("ada").await;
    assert_eq!(browser.logout(&world).await.status, 204);
    assert_eq!(heard.count("DurabilityDegraded"), 1);
}

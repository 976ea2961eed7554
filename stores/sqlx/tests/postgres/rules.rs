//! The rules for a subject's sessions are those of the store in memory. Both are asked the same, and answer the same.

use std::{collections::BTreeSet, time::Duration};

use tower_bearer::{
    ManualClock, MemoryStore, RevokeReason,
    store::{RefreshStore, SessionRecord},
};

use crate::{
    stage::{Stage, impatient, instance_with, migrated},
    support::{
        Server, ServerClock,
        world::{START, World},
    },
};

fn ids(records: &[SessionRecord]) -> BTreeSet<Vec<u8>> {
    records.iter().map(SessionRecord::encode).collect()
}

/// Sign-ins of one subject, of which every `outs`-th signs out again, at this limit.
async fn the_same(limit: usize, outs: usize, count: usize) {
    let database = Server::shared().await.database().await;
    let stage = Stage::over(&database, &database.url).await;
    let clock = ManualClock::new(START);
    let memory = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let store = &stage.world.store;
    // Its own store is not asked about the rules.
    let maker = World::new();
    for n in 0..count {
        maker.signed_in("ada").await;
        let record = maker.store.last().await;
        let subject = *record.key().subject();
        let here = store.insert(&record, limit).await.unwrap();
        let there = memory.insert(&record, limit).await.unwrap();
        assert_eq!(
            ids(here.dropped()),
            ids(there.dropped()),
            "sign-in {n} of {limit}"
        );
        if n % outs == 0 {
            let next = record.revoked(RevokeReason::SignedOut);
            store.swap(&record, &next).await.unwrap();
            memory.swap(&record, &next).await.unwrap();
        }
        let (here, there) = (
            store.list(&subject).await.unwrap(),
            memory.list(&subject).await.unwrap(),
        );
        assert_eq!(ids(&here), ids(&there), "after sign-in {n} of {limit}");
        stage.clock.advance(Duration::from_secs(1)).await;
        maker.secs(1);
        clock.advance(Duration::from_secs(1));
    }
    let subject = *store.last_key().subject();
    let (here, there) = (
        store.revoke_all(&subject, None).await.unwrap(),
        memory.revoke_all(&subject, None).await.unwrap(),
    );
    assert_eq!(ids(&here), ids(&there));
}

#[tokio::test]
async fn a_small_limit_drops_the_same_sessions() {
    the_same(3, 4, 14).await;
}

/// More sign-outs than the rule remembers, below the limit.
#[tokio::test]
async fn a_large_limit_forgets_the_same_sessions() {
    the_same(1000, 1, 38).await;
}

/// This database keeps the record of one that has expired until it is purged.
#[tokio::test]
async fn a_session_that_was_idle_for_too_long_makes_no_room_for_the_one_that_replaces_it() {
    let (database, _) = migrated().await;
    let clock = ServerClock::of(&database, START.as_millis()).await;
    // Connections have the test's time that are opened from now on.
    let store = impatient().connect(&database.url).await.unwrap();
    let hour = Duration::from_secs(3600);
    let world = instance_with(store, |builder| {
        builder.session_limit(1).idle_lifetime(hour)
    });
    let stage = Stage { clock, world };
    let world = &stage.world;
    let mut idle = world.signed_in("ada").await;
    stage.secs(3605).await;
    let mut other = world.signed_in("ada").await;
    stage.secs(5).await;
    assert_eq!(idle.login(world, "ada").await.status, 200);
    stage.secs(120).await;
    assert_eq!(idle.refresh(world).await.status, 200);
    assert_eq!(other.refresh(world).await.status, 401);
}

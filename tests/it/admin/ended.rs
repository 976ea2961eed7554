//! Sessions that ended in a transaction of the application's.

use tower_bearer::store::{RefreshStore, SessionRecord};

use super::{Heard, world};
use crate::support::world::{FIREFOX, World};

/// The sessions that a transaction has ended.
async fn ended(world: &World, subject: &str) -> Vec<SessionRecord> {
    let mut ended = Vec::new();
    for tag in world.layer.admin().subject_tags(subject).unwrap() {
        ended.extend(world.store.revoke_all(&tag, None).await.unwrap());
    }
    ended
}

async fn two_sessions() -> (World, Heard, Vec<SessionRecord>) {
    let (world, heard) = world();
    for _ in 0..2 {
        world.signed_in("ada").await;
    }
    let ended = ended(&world, "ada").await;
    assert_eq!(ended.len(), 2);
    heard.take();
    (world, heard, ended)
}

#[tokio::test]
async fn after_the_commit_each_is_told_of_once() {
    let (world, heard, records) = two_sessions().await;
    let ended = world.layer.admin().ended("ada", records.clone());
    assert_eq!(ended.sessions(), records);
    assert_eq!(heard.take(), [""; 0], "nothing before");
    ended.announce().await;
    let line = format!("revoked of ada on {FIREFOX}: revoked_all");
    assert_eq!(heard.take(), [&*line, &line]);
}

#[tokio::test]
async fn after_a_rollback_nothing_is_told() {
    let (world, heard, records) = two_sessions().await;
    world.layer.admin().ended("ada", records).discard();
    assert_eq!(heard.take(), [""; 0]);
}

#[tokio::test]
async fn one_that_is_dropped_warns() {
    let (world, heard, records) = two_sessions().await;
    let admin = world.layer.admin();
    drop(admin.ended("ada", records.clone()));
    assert_eq!(heard.take(), ["unannounced: 2 of ada"]);
    // Neither is a future that was never polled an announcement.
    drop(admin.ended("ada", records.clone()).announce());
    assert_eq!(heard.take(), ["unannounced: 2 of ada"]);
    // Of none there is nothing to tell.
    drop(admin.ended("ada", Vec::new()));
    admin.ended("ada", Vec::new()).announce().await;
    assert_eq!(heard.take(), [""; 0]);
    // A panic in between is a drop.
    let held = admin.ended("ada", records);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _held = held;
        panic!("between commit and announcement, for the test");
    }));
    assert!(panicked.is_err());
    assert_eq!(heard.take(), ["unannounced: 2 of ada"]);
}

#[tokio::test]
async fn it_names_no_user_when_it_is_printed() {
    let (world, _, records) = two_sessions().await;
    let admin = world.layer.admin();
    let ended = admin.ended("a subject that no log should have", records);
    let text = format!("{ended:?} {admin:?}");
    assert!(text.contains("sessions: 2"), "{text}");
    assert!(!text.contains("no log should have"), "{text}");
    ended.discard();
}

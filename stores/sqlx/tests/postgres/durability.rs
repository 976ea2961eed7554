//! Writes that are on disk when they are answered, and those that may be later.
//!
//! The writer of the log is stopped, so that what a commit does not wait for stays in memory. A server that is killed
//! then has lost it.

use std::{fs, process::Command, time::Duration};

use http::Method;
use tower_bearer::{
    Clock as _, SystemClock,
    store::{RefreshStore as _, SessionRecord},
};

use crate::{
    stage::{assert_ok, impatient, instance, migrated_on, refresh_when_back},
    support::{Database, Server, world::World},
};

/// Stops the process that writes what commits have left in memory.
async fn stop_the_writer(server: &Server) {
    let pid: i32 = server
        .value("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'")
        .await;
    assert!(fs::exists(format!("/proc/{pid}")).unwrap());
    let stop = Command::new("kill")
        .args(["-STOP", &pid.to_string()])
        .status();
    assert!(stop.unwrap().success());
}

/// A browser rotates and shows its new token, and the server is killed. Returns the record before that, the one after,
/// and the one that the server knows then.
async fn noted(server: &Server, world: &World) -> [SessionRecord; 3] {
    let mut browser = world.signed_in("ada").await;
    stop_the_writer(server).await;
    assert_ok(&browser.refresh(world).await);
    let rotated = world.store.last().await;
    assert_eq!(rotated.generation(), 1);
    assert_ok(&browser.refresh(world).await);
    let noted = world.store.last().await;
    assert_eq!(world.outcomes("coalesced"), 1);
    assert_ne!(noted, rotated, "that the token has arrived is noted");
    server.restart().await;
    let found = world.store.last().await;
    assert_ok(&refresh_when_back(&mut browser, world).await);
    [rotated, noted, found]
}

async fn on(settings: &[&str], asynchronous: bool) -> [SessionRecord; 3] {
    let server = Server::with(settings).await;
    let (_, store): (Database, _) =
        migrated_on(&server, impatient().asynchronous_notes(asynchronous)).await;
    let world = instance(store);
    noted(&server, &world).await
}

#[tokio::test]
async fn a_note_is_on_disk_unless_the_application_wants_it_otherwise() {
    let [_, noted, found] = on(&[], false).await;
    assert_eq!(found, noted, "nothing was lost");
    let [rotated, noted, found] = on(&[], true).await;
    assert_eq!(
        found, rotated,
        "the note was lost, and the token that went out is known"
    );
    assert_ne!(found, noted);
}

/// The answer to a step-up is lost, and the application checks the password once more. The token is the one that was
/// handed out before, and the session's authentication is new.
#[tokio::test]
async fn a_repeated_step_up_is_no_note() {
    let server = Server::with(&[]).await;
    let (_, store) = migrated_on(&server, impatient().asynchronous_notes(true)).await;
    let world = instance(store);
    let browser = world.signed_in("ada").await;
    stop_the_writer(&server).await;
    let mut step_ups = Vec::new();
    for _ in 0..2 {
        let mut lost = browser.clone();
        assert_ok(&lost.call(&world, Method::POST, "/elevate").await);
        step_ups.push(world.store.last().await);
    }
    let [first, second] = &step_ups[..] else {
        unreachable!()
    };
    assert_eq!(second.generation(), first.generation());
    assert_eq!(second.last_rotated_at(), first.last_rotated_at());
    assert_ne!(second.authenticated_at(), first.authenticated_at());
    server.restart().await;
    assert_eq!(world.store.last().await, *second);
}

/// An account may have been made fast for everything else.
#[tokio::test]
async fn tokens_and_endings_are_on_disk_whatever_the_server_is_set_to() {
    let server = Server::with(&["synchronous_commit=off"]).await;
    let (_, store) = migrated_on(&server, impatient()).await;
    let world = instance(store.clone());
    stop_the_writer(&server).await;
    let mut browser = world.signed_in("ada").await;
    let key = world.store.last_key();
    assert_ok(&browser.refresh(&world).await);
    world.signed_in("ada").await;
    let other = world.store.last_key();
    server.restart().await;
    assert_ok(&refresh_when_back(&mut browser, &world).await);
    assert_eq!(
        store
            .load(&key)
            .await
            .unwrap()
            .record()
            .unwrap()
            .generation(),
        1
    );

    stop_the_writer(&server).await;
    assert_eq!(
        store
            .revoke_all(key.subject(), Some(key.id()))
            .await
            .unwrap()
            .len(),
        1
    );
    server.restart().await;
    assert!(
        !store
            .load(&other)
            .await
            .unwrap()
            .record()
            .unwrap()
            .is_live()
    );
    stop_the_writer(&server).await;
    assert_eq!(browser.logout(&world).await.status, 204);
    server.restart().await;
    assert!(!store.load(&key).await.unwrap().record().unwrap().is_live());
}

/// The answer to a leaked key: it is not to be forgotten either.
#[tokio::test]
async fn the_end_of_every_session_is_on_disk_whatever_the_server_is_set_to() {
    let server = Server::with(&["synchronous_commit=off"]).await;
    let (_, store) = migrated_on(&server, impatient()).await;
    let world = instance(store.clone());
    world.signed_in("ada").await;
    let key = world.store.last_key();
    stop_the_writer(&server).await;
    let before = SystemClock.now() + Duration::from_secs(60);
    assert_eq!(store.revoke_everything(before).await.unwrap(), 1);
    server.restart().await;
    assert!(!store.load(&key).await.unwrap().record().unwrap().is_live());
}

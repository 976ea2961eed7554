//! The end of all of a subject's sessions, and which subjects there can be.

use tower_bearer::{SessionErrorKind, SessionId};

use super::world;
use crate::support::world::FIREFOX;

#[tokio::test]
async fn all_but_the_one_to_keep_end_and_are_told_of() {
    let (world, heard) = world();
    let mut ended = Vec::new();
    for _ in 0..2 {
        world.signed_in("ada").await;
        ended.push(world.store.last().await.id());
    }
    let mut kept = world.signed_in("ada").await;
    let keep = world.store.last().await.id();
    let mut bob = world.signed_in("bob").await;
    heard.take();
    let mut told = world
        .layer
        .admin()
        .end_all("ada", Some(&keep))
        .await
        .unwrap();
    told.sort();
    ended.sort();
    assert_eq!(told, ended);
    let line = format!("revoked of ada on {FIREFOX}: revoked_all");
    assert_eq!(heard.take(), [&*line, &line]);
    assert_eq!(kept.refresh(&world).await.status, 200);
    heard.take();
    assert_eq!(
        world.layer.admin().end_all("ada", None).await.unwrap(),
        [keep]
    );
    assert_eq!(heard.take(), [line]);
    assert_eq!(world.layer.admin().end_all("ada", None).await.unwrap(), []);
    assert_eq!(kept.refresh(&world).await.status, 401);
    assert_eq!(bob.refresh(&world).await.status, 200);
}

#[tokio::test]
async fn a_subject_that_no_session_can_have_is_refused_before_the_store_is_asked() {
    let (world, heard) = world();
    let admin = world.layer.admin();
    let id = SessionId::from_bytes([7; 16]);
    for subject in ["", &"a".repeat(257)] {
        for (call, error) in [
            ("admin_list", admin.list(subject).await.map(drop)),
            ("admin_end", admin.end(subject, &id).await),
            (
                "admin_end_all",
                admin.end_all(subject, None).await.map(drop),
            ),
        ] {
            assert_eq!(error.unwrap_err().kind(), SessionErrorKind::InvalidInput);
            let told = format!("session_refused: {call}, invalid_input");
            assert!(heard.0.lock().unwrap().contains(&told), "{call}");
        }
        heard.take();
    }
    assert_eq!(world.store.calls(), 0);
    assert_eq!(admin.list(&"a".repeat(256)).await.unwrap(), []);
}

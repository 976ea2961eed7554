//! The list of a subject's sessions, and the end of one of them.

use std::time::Duration;

use tower_bearer::{SessionErrorKind, SessionId};

use super::{Heard, leave, world};
use crate::{
    scenarios::{ONE, TWO, ring},
    support::{
        faults::Fault,
        world::{FIREFOX, World},
    },
};

const LONG: Duration = Duration::from_secs(20);

async fn ids(world: &World, user: &str) -> Vec<SessionId> {
    let list = world.layer.admin().list(user).await.unwrap();
    list.iter().map(|session| session.id).collect()
}

#[tokio::test]
async fn the_list_has_the_live_sessions_of_one_subject_under_every_key() {
    let world = World::new();
    let one = world.server_with_keys(ring(ONE, TWO));
    let two = world.server_with_keys(ring(TWO, ONE));
    assert_eq!(one.layer.admin().list("ada").await.unwrap(), []);
    let mut first = one.browser();
    first.agent = "the first".to_owned();
    first.login(&one, "ada").await;
    let began = world.store.last().await;
    world.secs(1);
    two.signed_in("ada").await;
    let second = world.store.last().await.id();
    one.signed_in("ada").await.logout(&one).await;
    one.signed_in("bob").await;
    world.secs(61);
    assert_eq!(first.refresh(&one).await.status, 200);

    let list = one.layer.admin().list("ada").await.unwrap();
    let [seen_last, other] = &list[..] else {
        panic!("{list:?}");
    };
    assert_eq!((seen_last.id, other.id), (began.id(), second));
    assert_eq!(seen_last.client, "the first");
    assert_eq!(seen_last.created_at, began.created_at());
    let now = world.store.peek(&began.key()).await.unwrap();
    assert_eq!(seen_last.last_seen_at, now.last_seen());
    assert_eq!(seen_last.expires_at, now.expires_at());
    assert!(list.iter().all(|session| !session.current));
    assert_eq!(other.client, FIREFOX);

    world.secs(8 * 24 * 3600);
    assert_eq!(one.layer.admin().list("ada").await.unwrap(), []);
}

#[tokio::test]
async fn one_session_ends_and_no_other() {
    let (world, heard) = world();
    let mut meant = world.signed_in("ada").await;
    let id = world.store.last().await.id();
    let mut other = world.signed_in("ada").await;
    heard.take();
    world.layer.admin().end("ada", &id).await.unwrap();
    let told = format!("revoked of ada on {FIREFOX}: revoked_by_operator");
    assert_eq!(heard.take(), [told]);
    assert_eq!(meant.refresh(&world).await.status, 401);
    assert_eq!(other.refresh(&world).await.status, 200);
    assert_eq!(ids(&world, "ada").await.len(), 1);
}

#[tokio::test]
async fn a_session_under_another_key_than_the_active_one_ends() {
    let world = World::new();
    let one = world.server_with_keys(ring(ONE, TWO));
    let two = world.server_with_keys(ring(TWO, ONE));
    let mut browser = two.signed_in("ada").await;
    let id = world.store.last().await.id();
    one.layer.admin().end("ada", &id).await.unwrap();
    assert_eq!(browser.refresh(&two).await.status, 401);
}

#[tokio::test]
async fn a_session_that_is_not_the_subjects_or_does_not_live_is_not_found() {
    let (world, heard) = world();
    let mut bob = world.signed_in("bob").await;
    let of_bob = world.store.last().await.id();
    world.signed_in("ada").await.logout(&world).await;
    let ended = world.store.last().await.id();
    world.signed_in("ada").await;
    let expired = world.store.last().await.id();
    let admin = world.layer.admin();
    heard.take();
    for id in [of_bob, ended, SessionId::from_bytes([7; 16])] {
        let error = admin.end("ada", &id).await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::NotFound);
        assert_eq!(heard.take(), ["session_refused: admin_end, not_found"]);
    }
    assert_eq!(bob.refresh(&world).await.status, 200);
    world.secs(8 * 24 * 3600);
    let error = admin.end("ada", &expired).await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::NotFound);
}

/// A refresh was decided before the idle end, and the store writes it after. The end that was asked for in between holds.
#[tokio::test]
async fn an_end_of_a_session_that_is_idle_holds_against_a_refresh_under_way() {
    for how in ["operator", "operator, all", "owner"] {
        let heard = Heard::default();
        let world = World::with(|builder| {
            let idle = Duration::from_secs(3600);
            builder.events(heard.sink()).idle_lifetime(idle)
        });
        let mut browser = world.signed_in("ada").await;
        browser.refresh(&world).await;
        let id = world.store.last().await.id();
        world.secs(3599);
        heard.take();
        let (go, held) = tokio::sync::oneshot::channel();
        world.store.hold_swap(held);
        let refresh = async { browser.clone().refresh(&world).await.status };
        let end = async {
            world.secs(1);
            let admin = world.layer.admin();
            match how {
                "operator" => admin.end("ada", &id).await.unwrap(),
                "operator, all" => assert_eq!(admin.end_all("ada", None).await.unwrap(), [id]),
                _ => assert_eq!(browser.clone().logout(&world).await.status, 204),
            }
            go.send(()).unwrap();
        };
        let (status, ()) = tokio::join!(refresh, end);
        assert_eq!(status, 401, "{how}");
        assert!(!world.store.last().await.is_live(), "{how}");
        let told = heard.take();
        let told = told
            .iter()
            .filter(|event| event.starts_with("revoked of ada"));
        assert_eq!(told.count(), 1, "{how}");
    }
}

#[tokio::test]
async fn an_end_that_cannot_be_written_is_tried_again() {
    for fault in [Fault::Refuse, Fault::ApplyThenLose, Fault::Panic] {
        let (world, heard) = world();
        let mut browser = world.signed_in("ada").await;
        let id = world.store.last().await.id();
        world.store.fail_swap(fault);
        heard.take();
        let error = world.layer.admin().end("ada", &id).await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Unavailable);
        let refused = "session_refused: admin_end, unavailable";
        assert_eq!(heard.take(), ["revocation_queued", refused], "{fault:?}");
        assert_eq!(world.layer.drain(LONG).await, 0);
        assert_eq!(browser.refresh(&world).await.status, 401, "{fault:?}");
        let told = format!("revoked of ada on {FIREFOX}: revoked_by_operator");
        assert_eq!(heard.take()[0], told, "{fault:?}");
    }
}

#[tokio::test]
async fn a_session_that_changes_meanwhile_ends_all_the_same() {
    let (world, heard) = world();
    let mut browser = world.signed_in("ada").await;
    let id = world.store.last().await.id();
    world.store.fail_swap(Fault::LoseRace);
    heard.take();
    world.layer.admin().end("ada", &id).await.unwrap();
    let told = format!("revoked of ada on {FIREFOX}: revoked_by_operator");
    assert_eq!(heard.take(), [told]);
    assert_eq!(browser.refresh(&world).await.status, 401);
}

#[tokio::test]
async fn where_the_session_cannot_be_looked_for_nothing_waits() {
    let (world, heard) = world();
    let mut browser = world.signed_in("ada").await;
    let id = world.store.last().await.id();
    world.store.down(true);
    heard.take();
    let admin = world.layer.admin();
    for error in [
        admin.end("ada", &id).await.unwrap_err(),
        admin.list("ada").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), SessionErrorKind::Unavailable);
    }
    let told = heard.take();
    assert_eq!(told[0], "session_refused: admin_end, unavailable");
    assert_eq!(told[1], "session_refused: admin_list, unavailable");
    world.store.down(false);
    assert_eq!(world.layer.drain(LONG).await, 0);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

#[tokio::test]
async fn an_end_whose_caller_goes_away_is_written() {
    let world = World::new();
    world.signed_in("ada").await;
    let id = world.store.last().await.id();
    let (go, went) = tokio::sync::oneshot::channel::<()>();
    world.store.hold_swap(went);
    leave(world.layer.admin().end("ada", &id)).await;
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    assert_eq!(world.layer.drain(LONG).await, 0);
    assert!(!world.store.last().await.is_live());
}

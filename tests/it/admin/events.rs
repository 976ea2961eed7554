//! The user, the client and the note in the events of a session, whichever way they come about.

use std::{convert::Infallible, time::Duration};

use http::{Method, Request, Response, header};
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{NewSession, ReusePolicy, Session, SessionInfo};

use super::{Heard, world};
use crate::support::{
    faults::Fault,
    world::{Browser, FIREFOX, World},
};

const LONG: Duration = Duration::from_secs(20);

fn revoked(reason: &str) -> String {
    format!("revoked of ada on {FIREFOX}: {reason}")
}

#[tokio::test]
async fn a_sign_in_a_refresh_and_a_sign_out_say_of_whom() {
    let (world, heard) = world();
    let mut browser = world.signed_in("ada").await;
    assert_eq!(heard.take(), [format!("started of ada on {FIREFOX}")]);
    for _ in 0..2 {
        assert_eq!(browser.refresh(&world).await.status, 200);
        assert_eq!(heard.take(), [format!("refreshed of ada on {FIREFOX}")]);
    }
    assert_eq!(browser.logout(&world).await.status, 204);
    assert_eq!(heard.take(), [revoked("signed_out")]);
}

#[tokio::test]
async fn the_sessions_that_a_sign_in_ends_say_of_whom() {
    let heard = Heard::default();
    let world = World::with(|builder| builder.events(heard.sink()).session_limit(1));
    let mut browser = world.signed_in("ada").await;
    heard.take();
    world.secs(1);
    let started = format!("started of ada on {FIREFOX}");
    assert_eq!(browser.login(&world, "ada").await.status, 200);
    assert_eq!(heard.take(), [started.clone(), revoked("replaced")]);
    world.secs(1);
    world.signed_in("ada").await;
    assert_eq!(heard.take(), [started, revoked("limit")]);
}

/// A victim that has rotated twice, and the thief who copied its jar before.
async fn robbed(world: &World) -> (Browser, Browser) {
    let mut victim = world.signed_in("ada").await;
    let thief = victim.thief();
    for _ in 0..2 {
        victim.refresh(world).await;
        world.secs(61);
    }
    (victim, thief)
}

#[tokio::test]
async fn a_theft_says_of_whom_and_so_do_the_ends_that_follow() {
    let heard = Heard::default();
    let world = World::with(|builder| builder.events(heard.sink()).reuse(ReusePolicy::Subject));
    world.signed_in("ada").await;
    let (_, mut thief) = robbed(&world).await;
    heard.take();
    assert_eq!(thief.refresh(&world).await.status, 401);
    let told = heard.take();
    let expected = [
        revoked("reuse"),
        format!("reuse_detected of ada on {FIREFOX}"),
        revoked("revoked_all"),
        "session_refused: refresh, reuse".to_owned(),
    ];
    assert_eq!(told, expected);
}

/// The record behind a conflict is another one than was read first.
#[tokio::test]
async fn an_end_behind_a_conflict_and_one_in_the_background_say_of_whom() {
    for fault in [Fault::LoseRace, Fault::Refuse, Fault::ApplyThenLose] {
        let (world, heard) = world();
        let mut browser = world.signed_in("ada").await;
        world.store.fail_swap(fault);
        heard.take();
        browser.logout(&world).await;
        assert_eq!(world.layer.drain(LONG).await, 0);
        let told = heard.take();
        let ends = told.iter().filter(|line| **line == revoked("signed_out"));
        assert_eq!(ends.count(), 1, "{fault:?}: {told:?}");
    }
    let (world, heard) = world();
    let mut browser = world.signed_in("ada").await;
    assert_eq!(browser.refresh(&world).await.status, 200);
    world.store.fail_revoke_all(0, Fault::Refuse);
    world.secs(61);
    heard.take();
    let reply = browser.call(&world, Method::POST, "/logout-all").await;
    assert_eq!(reply.status, 503);
    assert_eq!(world.layer.drain(LONG).await, 0);
    assert!(heard.take().contains(&revoked("revoked_all")));
}

/// The sign-in of a client whose label and note are the application's.
async fn noted(world: &World, heard: &Heard) -> (Browser, SessionInfo) {
    let sign_in = world
        .layer
        .layer(service_fn(|request: Request<()>| async move {
            let session = Session::from_extensions(request.extensions()).unwrap();
            let new = NewSession::new("ada")
                .label("Ada's phone")
                .note("new device");
            session.start_with(new).await.unwrap();
            let own = session.list().await.unwrap();
            Ok::<_, Infallible>(Response::new(serde_json::to_value(own).unwrap()))
        }));
    heard.take();
    let response = sign_in
        .oneshot(Request::post("/auth/login").body(()).unwrap())
        .await
        .unwrap();
    let entry = response.body()[0].as_object().unwrap();
    assert!(!entry.contains_key("note"), "{entry:?}: its owner's list");
    let cookies = response.headers().get_all(header::SET_COOKIE).iter();
    let values = cookies.map(|line| {
        let pair = line.to_str().unwrap().split(';').next().unwrap();
        pair.split_once('=').unwrap().1.to_owned()
    });
    let values: Vec<_> = values.collect();
    let browser = Browser {
        cookie: values.first().cloned(),
        jar: values.get(1).cloned(),
        agent: String::new(),
    };
    let mut list = world.layer.admin().list("ada").await.unwrap();
    (browser, list.remove(0))
}

#[tokio::test]
async fn the_note_is_with_each_of_them_and_in_the_operators_list() {
    let (world, heard) = world();
    let (mut browser, entry) = noted(&world, &heard).await;
    let who = "ada on Ada's phone (new device)";
    assert_eq!(heard.take(), [format!("started of {who}")]);
    assert_eq!(entry.note.as_deref(), Some("new device"));
    let json = serde_json::to_value(&entry).unwrap();
    assert_eq!(json["note"], "new device");
    assert_eq!(browser.refresh(&world).await.status, 200);
    assert_eq!(heard.take(), [format!("refreshed of {who}")]);
    world.layer.admin().end("ada", &entry.id).await.unwrap();
    let told = format!("revoked of {who}: revoked_by_operator");
    assert_eq!(heard.take(), [told]);
    world.signed_in("ada").await;
    let list = world.layer.admin().list("ada").await.unwrap();
    assert_eq!(list[0].note, None, "none was written");
}

/// As a sink does that writes down what it is handed.
#[tokio::test]
async fn no_event_names_its_user_when_it_is_printed() {
    let world = World::with(|builder| builder.reuse(ReusePolicy::Subject));
    for user in ["ada", "a subject that no log should have"] {
        let mut browser = world.browser();
        browser.agent = "a label that no log should have".to_owned();
        browser.login(&world, user).await;
        let mut thief = browser.thief();
        for _ in 0..2 {
            browser.refresh(&world).await;
            world.secs(61);
        }
        thief.refresh(&world).await;
        let mut other = browser.clone();
        other.login(&world, user).await;
        world.store.fail_revoke_all(0, Fault::Refuse);
        world.secs(61);
        let _ = world.layer.admin().end_all(user, None).await;
        world.layer.drain(LONG).await;
    }
    let told = world.events.lock().unwrap().join("\n");
    for name in [
        "Started",
        "Refreshed",
        "ReuseDetected",
        "Revoked {",
        "RevocationQueued",
    ] {
        assert!(told.contains(name), "{name}: {told}");
    }
    assert!(!told.contains("no log should have"), "{told}");
}

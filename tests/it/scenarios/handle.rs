//! One handle, several calls in one request.

use std::{convert::Infallible, future::Future, sync::Mutex};

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{Layer, ServiceExt};
use tower_bearer::{NewSession, Session, SessionError, SessionErrorKind, refresh::Elevation};

use crate::support::{
    faults::Fault,
    world::{Browser, Reply, World},
};

/// A request whose handler does `work` with the session.
async fn handle<F>(world: &World, browser: &mut Browser, work: impl Fn(Session) -> F) -> Reply
where
    F: Future<Output = ()>,
{
    let service = world.layer.layer(tower::service_fn(
        async |request: Request<Full<bytes::Bytes>>| {
            let session = Session::from_extensions(request.extensions()).unwrap();
            work(session).await;
            Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::default()))
        },
    ));
    let request = browser.request(Method::POST, "/x").body(Full::default());
    let response = service.oneshot(request.unwrap()).await.unwrap();
    let reply = Reply {
        status: StatusCode::OK,
        headers: response.into_parts().0.headers,
        body: serde_json::Value::Null,
    };
    browser.keep(&reply);
    reply
}

async fn live(world: &World, browser: &mut Browser) -> usize {
    let list = browser.call(world, Method::GET, "/sessions").await;
    assert_eq!(list.status, 200);
    list.body["sessions"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_session_just_started_can_be_elevated_and_listed_with_or_without_an_older_one() {
    let world = World::new();
    for mut browser in [world.browser(), world.signed_in("ada").await] {
        handle(&world, &mut browser, async |session: Session| {
            session.start("bob").await.unwrap();
            session
                .elevate_with(Elevation::new().context(*b"admin"))
                .await
                .unwrap();
            let list = session.list().await.unwrap();
            assert!(list.iter().filter(|s| s.current).count() == 1);
        })
        .await;
        let reply = browser.refresh(&world).await;
        assert_eq!(reply.status, 200);
        assert_eq!(world.verify(&reply).subject(), "bob");
        assert_eq!(world.verify(&reply).custom().role, "admin");
    }
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn a_second_start_replaces_the_first_and_both_replace_what_came() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    handle(&world, &mut browser, async |session: Session| {
        session.start("ada").await.unwrap();
        session.start("ada").await.unwrap();
    })
    .await;
    assert_eq!(live(&world, &mut browser).await, 1);
}

#[tokio::test]
async fn a_session_started_and_ended_in_one_request_is_over() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let reply = handle(&world, &mut browser, async |session: Session| {
        session.start("ada").await.unwrap();
        session.end().await.unwrap();
        let error = session.refresh().await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::NoSession);
    })
    .await;
    assert_eq!(reply.set_cookie().as_deref(), Some(""));
    assert!(!world.store.last().await.is_live());
}

#[tokio::test]
async fn a_session_refreshed_or_elevated_can_be_elevated_again_and_ends_once() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    handle(&world, &mut browser, async |session: Session| {
        session.refresh().await.unwrap();
        session.elevate().await.unwrap();
        session.elevate().await.unwrap();
        session.refresh().await.unwrap();
    })
    .await;
    assert_eq!(browser.refresh(&world).await.status, 200);
    handle(&world, &mut browser, async |session: Session| {
        session.end_all().await.unwrap();
    })
    .await;
    assert_eq!(browser.cookie, None);
    assert_eq!(world.count("Revoked"), 1);
}

/// The second refresh is the application's, not the browser's: the answer can still be lost.
#[tokio::test]
async fn two_refreshes_in_one_request_still_recover_from_a_lost_answer() {
    let world = World::new();
    let browser = world.signed_in("ada").await;
    handle(&world, &mut browser.clone(), async |session: Session| {
        session.refresh().await.unwrap();
        session.refresh().await.unwrap();
    })
    .await;
    world.secs(3600);
    assert_eq!(browser.clone().refresh(&world).await.status, 200);
    assert_eq!(world.count("Recovered"), 1);
}

#[tokio::test]
async fn a_subject_has_256_bytes_and_a_context_1024_at_the_most() {
    let world = World::new();
    let start = async |subject: usize, context: usize| {
        let kind = Mutex::new(None);
        handle(&world, &mut world.browser(), async |session: Session| {
            let new = NewSession::new("a".repeat(subject)).context(vec![b'x'; context]);
            let started = session.start_with(new).await;
            *kind.lock().unwrap() = started.err().map(|error| error.kind());
        })
        .await;
        kind.into_inner().unwrap()
    };
    assert_eq!(start(256, 1024).await, None);
    for (subject, context) in [(0, 0), (257, 0), (1, 1025)] {
        let refused = start(subject, context).await;
        assert_eq!(refused, Some(SessionErrorKind::InvalidInput));
    }
}

/// Handed out in this request, it has not come back from the browser.
#[tokio::test]
async fn a_token_of_this_very_request_is_not_written_down_as_seen() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    let calls = world.store.calls();
    handle(&world, &mut browser, async |session: Session| {
        session.refresh().await.unwrap();
        let rotated = world.store.last().await;
        session.refresh().await.unwrap();
        assert!(world.store.last().await == rotated);
    })
    .await;
    assert_eq!(world.outcomes("coalesced"), 1);
    // The second one loads twice: it writes nothing, and looks again after the claims.
    assert_eq!(
        world.store.calls() - calls,
        4,
        "three loads and one rotation"
    );
}

#[tokio::test]
async fn a_step_up_whose_write_timed_out_after_it_was_applied_succeeds() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await;
    world.store.fail_swap(Fault::ApplyThenLose);
    let reply = browser.call(&world, Method::POST, "/elevate").await;
    assert_eq!(reply.status, 200);
    assert_eq!(world.store.last().await.generation(), 1);
    assert_eq!(browser.refresh(&world).await.status, 200);
}

#[tokio::test]
async fn every_answer_about_a_session_is_private_also_the_applications_own() {
    let world = World::new();
    let mut browser = world.browser();
    let login = browser.login(&world, "ada").await;
    assert_eq!(login.headers["cache-control"], "no-store");
    let reply = browser.call(&world, Method::POST, "/elevate").await;
    assert_eq!(reply.headers["cache-control"], "no-store");
    for (method, path) in [
        (Method::GET, "/sessions"),
        (Method::HEAD, "/sessions"),
        (Method::OPTIONS, "/refresh"),
        (Method::POST, "/refresh/"),
        (Method::DELETE, "/sessions/%41"),
        (Method::POST, "/logout-all"),
        (Method::POST, "/logout"),
    ] {
        let reply = browser.call(&world, method.clone(), path).await;
        assert_eq!(
            reply.headers["cache-control"], "no-store",
            "{method} {path}"
        );
    }
}

/// Caches of one kind would read it before `Cache-Control` (RFC 9213).
#[tokio::test]
async fn no_header_for_caches_of_one_kind_is_left_on_an_answer_about_a_session() {
    let world = World::new();
    let browser = world.signed_in("alice").await;
    let service = world.layer.layer(tower::service_fn(
        async |request: Request<Full<bytes::Bytes>>| {
            let session = Session::from_extensions(request.extensions()).unwrap();
            session.list().await.unwrap();
            let response = Response::builder().header("cdn-cache-control", "max-age=600");
            let response = response.header(header::CACHE_CONTROL, "public");
            Ok::<_, Infallible>(response.body(Full::<bytes::Bytes>::default()).unwrap())
        },
    ));
    let request = browser.request(Method::GET, "/list").body(Full::default());
    let response = service.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert!(!response.headers().contains_key("cdn-cache-control"));
}

/// The handler of the manual's recipe: whatever fails halfway, the same request once more completes it.
#[tokio::test]
async fn a_changed_password_is_completed_by_a_second_try() {
    for (good, after_the_first) in [(0, "old"), (1, "new")] {
        let world = World::new();
        let mut thief = world.signed_in("ada").await;
        let mut browser = world.signed_in("ada").await;
        let password = Mutex::new("old");
        // Signs in with the old password just before it is replaced.
        let quick = Mutex::new(None);
        let change = async |session: Session| {
            let stored = *password.lock().unwrap();
            session.end_others().await?;
            if stored == "old" {
                *quick.lock().unwrap() = Some(world.signed_in("ada").await);
            }
            *password.lock().unwrap() = "new";
            let token = session.end_others().await?;
            Ok::<_, SessionError>(token)
        };
        let done = Mutex::new(Vec::new());
        world.store.fail_revoke_all(good, Fault::Refuse);
        for _ in 0..2 {
            handle(&world, &mut browser, async |session: Session| {
                let changed = change(session).await.map_err(|error| error.kind());
                done.lock()
                    .unwrap()
                    .push((changed.map(drop), *password.lock().unwrap()));
            })
            .await;
        }
        let expected = [
            (Err(SessionErrorKind::Unavailable), after_the_first),
            (Ok(()), "new"),
        ];
        assert_eq!(*done.lock().unwrap(), expected);
        assert_eq!(live(&world, &mut browser).await, 1);
        assert_eq!(thief.refresh(&world).await.status, 401);
        let quick = quick.into_inner().unwrap();
        assert_eq!(quick.unwrap().refresh(&world).await.status, 401);
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
}

/// A handler that asks twice does not show for the client that it has the successor.
#[tokio::test]
async fn a_pending_confirmation_is_confirmed_by_another_request() {
    let world = World::new();
    let mut browser = world.signed_in("ada").await.thief();
    let reply = handle(&world, &mut browser, async |session: Session| {
        for _ in 0..2 {
            let error = session.refresh().await.unwrap_err();
            assert_eq!(error.kind(), SessionErrorKind::Superseded);
        }
        for error in [
            session.list().await.unwrap_err(),
            session.peek().await.unwrap_err(),
            session.elevate().await.unwrap_err(),
            session.end_all().await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), SessionErrorKind::Superseded);
        }
    })
    .await;
    assert!(reply.set_cookie().is_some());
    assert_eq!(browser.refresh(&world).await.status, 200);
}

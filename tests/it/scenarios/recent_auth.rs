//! Recent authentication, from the sign-in to the guarded route and back: RFC 9470, with a clock that the test moves.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use tower::{Layer, ServiceBuilder, ServiceExt};
use tower_bearer::{
    AccessToken, BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, NewSession,
    RefreshCookieLayer, RequireRecentAuth, Session, SessionError, SessionErrorKind, Timestamp,
    TokenCodec, refresh::Elevation,
};

use crate::support::{
    echo::Echo,
    tokens::with_token,
    world::{Browser, Reply, Role, START, World},
};

const MAX_AGE: Duration = Duration::from_secs(300);
const TICK: Duration = Duration::from_millis(1);

/// A server whose tokens say when their user authenticated.
fn world() -> World {
    World::with(|sessions| sessions.authentication_in_tokens(true))
}

fn access(reply: &Reply) -> &str {
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    reply.body["access_token"].as_str().unwrap()
}

/// The status of a request with this token to a route that asks for a recent authentication.
async fn ask(world: &World, token: &str) -> StatusCode {
    asked(world, token, RequireRecentAuth::max_age(MAX_AGE))
        .await
        .status()
}

async fn asked(world: &World, token: &str, recent: RequireRecentAuth) -> Response<String> {
    let service = ServiceBuilder::new()
        .layer(BearerAuthLayer::new(world.codec.clone()))
        .layer(recent)
        .service(Echo::default());
    service.oneshot(with_token(token)).await.unwrap()
}

/// The result of a handler with the browser's session.
async fn handle<T: Send + 'static>(
    world: &World,
    browser: &mut Browser,
    work: impl AsyncFn(Session) -> Result<T, SessionError>,
) -> Result<T, SessionError> {
    let done = std::sync::Mutex::new(None);
    let service = world.layer.layer(tower::service_fn(
        async |request: Request<Full<bytes::Bytes>>| {
            let session = Session::from_extensions(request.extensions()).unwrap();
            let outcome = work(session).await;
            *done.lock().unwrap() = Some(outcome);
            Ok::<_, Infallible>(Response::new(String::new()))
        },
    ));
    let request = browser.request(Method::POST, "/x").body(Full::default());
    let response = service.oneshot(request.unwrap()).await.unwrap();
    browser.keep(&Reply {
        status: StatusCode::OK,
        headers: response.into_parts().0.headers,
        body: serde_json::Value::Null,
    });
    done.into_inner().unwrap().unwrap()
}

fn claims(world: &World, token: &AccessToken) -> Claims<Role> {
    world.codec.verify(token.as_str()).unwrap()
}

#[tokio::test]
async fn challenge_step_up_and_success() {
    let world = world();
    let mut browser = world.browser();
    let login = browser.login(&world, "ada").await;
    let first = access(&login).to_owned();
    assert_eq!(ask(&world, &first).await, StatusCode::OK);
    world.advance(MAX_AGE);
    assert_eq!(ask(&world, &first).await, StatusCode::OK, "the very end");
    world.advance(TICK);
    let refused = asked(&world, &first, RequireRecentAuth::max_age(MAX_AGE)).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("error=\"insufficient_user_authentication\""));
    assert!(challenge.contains("max_age=\"300\""), "{challenge}");

    // A refresh gives another token and no other authentication.
    world.secs(2);
    let refreshed = browser.refresh(&world).await;
    assert_ne!(access(&refreshed), first);
    assert_eq!(
        ask(&world, access(&refreshed)).await,
        StatusCode::UNAUTHORIZED
    );

    let stolen = browser.clone();
    let stepped = browser.call(&world, Method::POST, "/elevate").await;
    let newest = access(&stepped).to_owned();
    assert_eq!(ask(&world, &newest).await, StatusCode::OK);
    // A thief who holds what there was before the step-up has nothing of it.
    for old in [&*first, access(&refreshed)] {
        assert_eq!(ask(&world, old).await, StatusCode::UNAUTHORIZED);
    }
    for mut thief in [stolen.clone(), stolen.thief()] {
        let reply = thief.refresh(&world).await;
        assert_eq!(reply.status, StatusCode::CONFLICT, "{:?}", reply.body);
        let reply = stolen.clone().refresh(&world).await;
        assert!(reply.body["access_token"].is_null());
    }

    // It lasts over a refresh, as long as it is recent.
    world.secs(90);
    let refreshed = browser.refresh(&world).await;
    assert_eq!(ask(&world, access(&refreshed)).await, StatusCode::OK);
    world.advance(MAX_AGE);
    assert_eq!(
        ask(&world, access(&refreshed)).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn an_end_of_other_sessions_is_no_authentication() {
    let world = world();
    let mut browser = world.signed_in("ada").await;
    let before = world.store.last().await.authenticated_at();
    world.secs(600);
    let reply = browser.call(&world, Method::POST, "/end-others").await;
    assert_eq!(ask(&world, access(&reply)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.store.last().await.authenticated_at(), before);
}

/// The answer was lost, the user has typed the password once more.
#[tokio::test]
async fn a_step_up_that_is_asked_for_again_is_an_authentication_again() {
    let world = world();
    let browser = world.signed_in("ada").await;
    world.secs(600);
    let lost = browser.clone().call(&world, Method::POST, "/elevate").await;
    assert_eq!(ask(&world, access(&lost)).await, StatusCode::OK);
    world.secs(301);
    let mut again = browser.clone();
    let reply = again.call(&world, Method::POST, "/elevate").await;
    assert_eq!(ask(&world, access(&reply)).await, StatusCode::OK);
    assert_eq!(ask(&world, access(&lost)).await, StatusCode::UNAUTHORIZED);
}

/// By default tokens are as short as ever, and the log names the setting.
#[tokio::test]
async fn tokens_say_nothing_of_it_unless_told_to() {
    let world = World::new();
    let mut browser = world.browser();
    let login = browser.login(&world, "ada").await;
    let claims = world.verify(&login);
    assert_eq!(claims.auth_time(), None);
    assert!(!claims.raw().contains("amr") && !claims.raw().contains("acr"));
    let refused = asked(&world, access(&login), RequireRecentAuth::max_age(MAX_AGE)).await;
    let rejection = refused
        .extensions()
        .get::<tower_bearer::rejection::Rejection>()
        .unwrap();
    let text = rejection.to_string();
    assert!(text.contains(".authentication_in_tokens(true)"), "{text}");
}

#[tokio::test]
async fn methods_and_class_last_until_a_step_up_says_others() {
    let world = world();
    let mut browser = world.browser();
    let said = |claims: &Claims<Role>| {
        (
            claims.auth_time().unwrap(),
            claims.amr().join("+"),
            claims.acr().map(|acr| acr.into_owned()),
        )
    };
    let hour = Duration::from_secs(3600);
    let token = handle(&world, &mut browser, async |session: Session| {
        let new = NewSession::new("ada").auth_time(START - hour);
        let new = new.amr(["pwd"]).acr("low").note("Vienna");
        session.start_with(new).await
    })
    .await
    .unwrap();
    let first = (START - hour, "pwd".to_owned(), Some("low".to_owned()));
    assert_eq!(said(&claims(&world, &token)), first);
    let record = world.store.last().await;
    assert_eq!(record.authenticated_at(), START - hour);
    assert!(record.amr().eq(["pwd"]));
    assert_eq!((record.acr(), record.note()), (Some("low"), "Vienna"));

    world.secs(600);
    let refreshed = browser.refresh(&world).await;
    assert_eq!(said(&world.verify(&refreshed)), first);
    let step = async |browser: &mut Browser, step: Elevation| {
        let step = std::sync::Mutex::new(Some(step));
        let token = handle(&world, browser, async |session: Session| {
            let step = step.lock().unwrap().take().unwrap();
            session.elevate_with(step).await
        });
        said(&claims(&world, &token.await.unwrap()))
    };
    let now = START + Duration::from_secs(600);
    let (at, amr, acr) = step(&mut browser, Elevation::new()).await;
    assert_eq!((at, &*amr, acr), (now, "", None));
    let new = Elevation::new().amr(["pwd", "otp"]).acr("high");
    let (at, amr, acr) = step(&mut browser, new).await;
    assert_eq!((at, &*amr, acr.as_deref()), (now, "pwd+otp", Some("high")));
    let new = Elevation::new().amr::<String>([]).auth_time(now - hour);
    let (at, amr, acr) = step(&mut browser, new).await;
    assert_eq!((at, &*amr, acr), (now - hour, "", None));
    let record = world.store.last().await;
    assert_eq!(record.authenticated_at(), now - hour);
    assert_eq!(record.note(), "Vienna", "it stays");
    assert_eq!(record.context(), b"", "nothing was said of it");

    // A layer that asks for the class.
    let token = handle(&world, &mut browser, async |session: Session| {
        session.elevate_with(Elevation::new().acr("high")).await
    });
    let token = token.await.unwrap();
    for (class, status) in [("high", StatusCode::OK), ("low", StatusCode::UNAUTHORIZED)] {
        let recent = RequireRecentAuth::max_age(MAX_AGE).acr_values([class.parse().unwrap()]);
        let response = asked(&world, token.as_str(), recent).await;
        assert_eq!(response.status(), status, "{class}");
    }
}

/// A stranger at an open browser who knows the password, and has no second factor.
#[tokio::test]
async fn a_password_checked_after_a_second_factor_is_no_recent_second_factor() {
    let world = world();
    let mut browser = world.signed_in("ada").await;
    handle(&world, &mut browser, async |session: Session| {
        let step = Elevation::new().amr(["pwd", "otp"]).acr("aal2");
        session.elevate_with(step).await
    })
    .await
    .unwrap();
    world.advance(MAX_AGE * 2);
    let password = handle(&world, &mut browser, async |session: Session| {
        session.elevate_with(Elevation::new().amr(["pwd"])).await
    });
    let password = password.await.unwrap();
    let unsaid = handle(&world, &mut browser, async |session: Session| {
        session.elevate().await
    });
    for token in [password, unsaid.await.unwrap()] {
        assert_eq!(ask(&world, token.as_str()).await, StatusCode::OK);
        let recent = RequireRecentAuth::max_age(MAX_AGE).acr_values(["aal2".parse().unwrap()]);
        let response = asked(&world, token.as_str(), recent).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn an_authentication_that_cannot_be_kept_begins_no_session_and_changes_none() {
    let world = world();
    let start = async |new: NewSession| {
        let new = std::sync::Mutex::new(Some(new));
        handle(&world, &mut world.browser(), async |session: Session| {
            let new = new.lock().unwrap().take().unwrap();
            session.start_with(new).await
        })
        .await
        .map(drop)
    };
    let new = || NewSession::new("ada");
    let ahead = Duration::from_secs(300);
    for (new, setting) in [
        (new().amr(["two words"]), "amr"),
        (new().amr(["m"; 9]), "amr"),
        (new().acr(""), "acr"),
        (new().acr("a".repeat(65)), "acr"),
        (new().auth_time(START + ahead + TICK), "auth_time"),
        (new().note("n".repeat(257)), "the note"),
    ] {
        let error = start(new).await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::InvalidInput);
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.starts_with(setting), "{cause}");
    }
    assert_eq!(world.count("Started"), 0);
    // As much as there may be.
    let longest = "m".repeat(32);
    let most = new().amr([&*longest; 8]).acr("a".repeat(64));
    let most = most.auth_time(START + ahead).note("n".repeat(256));
    start(most).await.unwrap();
    let record = world.store.last().await;
    assert!(record.authenticated_at() <= record.created_at());
    assert_eq!(record.amr().count(), 8);

    let mut browser = world.signed_in("ada").await;
    let before = world.store.last().await;
    for step in [
        Elevation::new().amr(["two words"]),
        Elevation::new().acr("two words"),
        Elevation::new().context(vec![0; 1025]),
        Elevation::new().auth_time(Timestamp::from_secs(START.as_millis())),
    ] {
        let step = std::sync::Mutex::new(Some(step));
        let outcome = handle(&world, &mut browser, async |session: Session| {
            let step = step.lock().unwrap().take().unwrap();
            session.elevate_with(step).await
        });
        let error = outcome.await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::InvalidInput);
        assert_eq!(world.store.last().await, before);
    }
}

/// The closure decides on the same as the token says.
#[tokio::test]
async fn the_claims_closure_hears_of_the_authentication() {
    let base = World::new();
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let keep = seen.clone();
    let claims = move |request: ClaimsRequest| {
        let amr: Vec<_> = request.amr().map(str::to_owned).collect();
        let acr = request.acr().map(str::to_owned);
        keep.lock().unwrap().push((request.auth_time(), amr, acr));
        async { Ok::<_, ClaimsError>(Role { role: "r".into() }) }
    };
    let layer = RefreshCookieLayer::new(base.codec.clone(), base.store.clone(), claims);
    let world = World {
        layer: layer.unwrap(),
        ..base
    };
    let mut browser = world.browser();
    handle(&world, &mut browser, async |session: Session| {
        let new = NewSession::new("ada").amr(["pwd"]);
        session.start_with(new).await
    })
    .await
    .unwrap();
    world.secs(100);
    browser.refresh(&world).await;
    handle(&world, &mut browser, async |session: Session| {
        session
            .elevate_with(Elevation::new().acr("high").amr(["otp"]))
            .await
    })
    .await
    .unwrap();
    let seen = seen.lock().unwrap();
    let [start, refresh, step] = &seen[..] else {
        panic!("{seen:?}");
    };
    assert_eq!(start, &(START, vec!["pwd".to_owned()], None));
    // The store's time goes on while a session begins.
    let later = refresh.0.since(START);
    assert!(later < Duration::from_secs(60), "{later:?}");
    assert_eq!((&refresh.1, &refresh.2), (&start.1, &None));
    let high = Some("high".to_owned());
    let at = START + Duration::from_secs(100);
    assert_eq!(step, &(at, vec!["otp".to_owned()], high));
}

#[tokio::test]
async fn claims_of_the_application_have_no_such_member_while_tokens_have() {
    for (minted, name, status) in [
        (false, "auth_time", 200),
        (true, "auth_time", 500),
        (true, "amr", 500),
        (true, "acr", 500),
        (true, "role", 200),
    ] {
        let base = World::new();
        let codec = TokenCodec::nested(&base.keys).issuer("https://id.example");
        let codec = codec.audience("api").build().unwrap();
        let claims = move |_: ClaimsRequest| async move {
            Ok::<_, Infallible>(BTreeMap::from([(name, "x")]))
        };
        let layer = RefreshCookieLayer::builder(codec, base.store.clone(), claims);
        let layer = layer.authentication_in_tokens(minted).build().unwrap();
        let world = World { layer, ..base };
        let reply = world.browser().login(&world, "ada").await;
        assert_eq!(reply.status, status, "{name} {:?}", reply.body);
        if status == 500 {
            let detail = reply.body["detail"].as_str().unwrap();
            assert!(
                detail.contains(&format!("the member `{name}`, which only")),
                "{detail}"
            );
        }
    }
}

/// Two members of one name would be refused by every verifier.
#[tokio::test]
async fn the_audience_is_named_by_none_of_them() {
    for (minted, status) in [(false, 200), (true, 500)] {
        let base = World::new();
        let codec = TokenCodec::<Role>::nested(&base.keys).issuer("https://id.example");
        let codec = codec.audience("api").audience_claim("acr").build().unwrap();
        let claims = |_: ClaimsRequest| async { Ok::<_, Infallible>(Role { role: "r".into() }) };
        let layer = RefreshCookieLayer::builder(codec, base.store.clone(), claims);
        let layer = layer.authentication_in_tokens(minted).build().unwrap();
        let world = World { layer, ..base };
        let reply = world.browser().login(&world, "ada").await;
        assert_eq!(reply.status, status, "{:?}", reply.body);
        if status == 500 {
            let detail = reply.body["detail"].as_str().unwrap();
            assert!(detail.contains("audience_claim"), "{detail}");
        }
    }
}

/// A type that denies what it does not know reads its own members, as it does beside the registered claims.
#[tokio::test]
async fn a_strict_type_of_the_application_is_not_in_the_way() {
    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        role: String,
    }
    let base = world();
    let codec = TokenCodec::<Strict>::nested(&base.keys).issuer("https://id.example");
    let codec = codec.audience("api").clock(base.app_clock.clone());
    let codec = codec.build().unwrap();
    let claims = |_: ClaimsRequest| async {
        Ok::<_, Infallible>(Strict {
            role: "admin".into(),
        })
    };
    let layer = RefreshCookieLayer::builder(codec.clone(), base.store.clone(), claims);
    let layer = layer.authentication_in_tokens(true).build().unwrap();
    let world = World { layer, ..base };
    let login = world.browser().login(&world, "ada").await;
    let claims = codec.verify(access(&login)).unwrap();
    assert_eq!(claims.custom().role, "admin");
    assert_eq!(claims.auth_time(), Some(START));
}

/// The ids of the subject's sessions, the browser's own first.
async fn sessions(world: &World, browser: &mut Browser) -> Vec<String> {
    let list = browser.call(world, Method::GET, "/sessions").await;
    let list = list.body["sessions"].as_array().unwrap().clone();
    let id = |entry: &serde_json::Value| entry["id"].as_str().unwrap().to_owned();
    list.iter().map(id).collect()
}

#[tokio::test]
async fn ending_other_sessions_may_ask_for_a_recent_authentication() {
    let world = World::with(|sessions| sessions.recent_auth_to_end_others(MAX_AGE));
    let mut browser = world.signed_in("ada").await;
    let mut other = world.signed_in("ada").await;
    world.secs(301);
    for browser in [&mut browser, &mut other] {
        assert_eq!(browser.refresh(&world).await.status, 200);
    }
    let ids = sessions(&world, &mut browser).await;
    assert_eq!(ids.len(), 2);
    let delete = format!("/sessions/{}", ids[1]);
    let unknown = "/sessions/AAAAAAAAAAAAAAAAAAAAAA";
    for (method, path) in [
        (Method::DELETE, &*delete),
        (Method::DELETE, unknown),
        (Method::POST, "/logout-all"),
        (Method::POST, "/end-others"),
    ] {
        let reply = browser.call(&world, method, path).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(reply.code(), "insufficient_user_authentication");
        assert_eq!(reply.body["max_age"], 300);
        assert!(reply.set_cookie().is_none() && reply.jar_cookie().is_none());
        assert!(!reply.headers.contains_key("www-authenticate"));
    }
    assert_eq!(sessions(&world, &mut browser).await, ids);
    assert_eq!(world.count("Revoked"), 0);

    let step = browser.call(&world, Method::POST, "/elevate").await;
    assert_eq!(step.status, 200);
    let reply = browser.call(&world, Method::DELETE, &delete).await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
    let reply = browser.call(&world, Method::DELETE, unknown).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(sessions(&world, &mut browser).await.len(), 1);
    let reply = browser.call(&world, Method::POST, "/end-others").await;
    assert_eq!(reply.status, 200);
    let reply = browser.call(&world, Method::POST, "/logout-all").await;
    assert_eq!(reply.status, StatusCode::NO_CONTENT);
}

/// Its own session a client ends whenever it likes.
#[tokio::test]
async fn the_own_session_ends_without_it() {
    let world = World::with(|sessions| sessions.recent_auth_to_end_others(MAX_AGE));
    for by_id in [false, true] {
        let mut browser = world.signed_in("ada").await;
        world.secs(3600);
        assert_eq!(browser.refresh(&world).await.status, 200);
        let own = sessions(&world, &mut browser).await.remove(0);
        let reply = match by_id {
            true => {
                let path = format!("/sessions/{own}");
                browser.call(&world, Method::DELETE, &path).await
            }
            false => browser.logout(&world).await,
        };
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        assert!(reply.cleared());
    }
}

/// Off by default, and up to the very end where it is on.
#[tokio::test]
async fn ending_others_is_free_by_default_and_until_the_age_is_over() {
    for (max_age, wait, status) in [
        (None, 86_400, 200),
        (Some(Duration::from_secs(3600)), 3_540, 200),
        (Some(Duration::from_secs(3600)), 3_661, 403),
    ] {
        let world = World::with(|sessions| match max_age {
            Some(max_age) => sessions.recent_auth_to_end_others(max_age),
            None => sessions,
        });
        let mut browser = world.signed_in("ada").await;
        world.secs(wait);
        let reply = browser.call(&world, Method::POST, "/end-others").await;
        assert_eq!(reply.status, status, "{max_age:?} {wait}");
    }
}

#[test]
fn an_age_of_nothing_is_a_mistake() {
    let world = World::new();
    let claims = |_: ClaimsRequest| async { Ok::<_, ClaimsError>(Role { role: "r".into() }) };
    let builder = RefreshCookieLayer::builder(world.codec, world.store, claims);
    let error = builder.recent_auth_to_end_others(Duration::ZERO).build();
    assert_eq!(error.unwrap_err().setting(), "recent_auth_to_end_others");
}

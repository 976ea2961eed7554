//! The cookies of several sessions, and the CSRF token of one of them.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt};
use tower_bearer::{
    CsrfLayer, CsrfToken, Session,
    store::{SessionKey, SessionRecord},
};

use super::sessions::{Browser, Server, signed_in};
use crate::support::{
    csrf,
    world::{self, FIREFOX, World},
};

/// A browser whose live session has a dead one's cookie beside it, which another host of the domain has planted.
struct Planted {
    server: Server,
    live: Browser,
    key: SessionKey,
    dead: Browser,
}

impl Planted {
    async fn new() -> Self {
        let server = Server::new();
        let dead = signed_in(&server).await;
        assert_eq!(
            dead.clone().post(&server, "/logout").await,
            StatusCode::NO_CONTENT
        );
        let live = signed_in(&server).await;
        let key = server.world.store.last_key();
        Self {
            server,
            live,
            key,
            dead,
        }
    }

    /// The browser's cookies, with the dead session's first or last, and the CSRF cookie of `csrf`.
    fn browser(&self, first: bool, csrf: &Browser) -> Browser {
        Browser {
            refresh: Some(match first {
                true => self.dead.beside(&self.live),
                false => self.live.beside(&self.dead),
            }),
            csrf: csrf.csrf.clone(),
            ..self.live.clone()
        }
    }

    async fn record(&self) -> SessionRecord {
        self.server.world.store.peek(&self.key).await.unwrap()
    }

    fn calls(&self) -> [(Method, String); 6] {
        let own = format!("/sessions/{}", self.key.id());
        [
            (Method::POST, "/refresh".to_owned()),
            (Method::POST, "/login".to_owned()),
            (Method::POST, "/logout".to_owned()),
            (Method::POST, "/logout-all".to_owned()),
            (Method::DELETE, own),
            (Method::POST, "/elevate".to_owned()),
        ]
    }
}

fn set_cookies(response: &Response<String>) -> usize {
    response
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .count()
}

#[tokio::test]
async fn a_dead_sessions_token_leaves_the_live_session_and_its_cookie_alone() {
    for first in [true, false] {
        let planted = Planted::new().await;
        let before = planted.record().await;
        for (method, path) in planted.calls() {
            let mut browser = planted.browser(first, &planted.dead);
            let response = browser.call(&planted.server, method, &path).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path}");
            let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
            assert_eq!(body["code"], "csrf", "{path}");
            assert_eq!(set_cookies(&response), 0, "{path}");
            assert!(planted.record().await == before, "{path}");
        }
        assert_eq!(planted.server.world.count("Started"), 2);
    }
}

#[tokio::test]
async fn the_live_sessions_token_acts_on_it_beside_a_dead_cookie() {
    for first in [true, false] {
        for at in 0..6 {
            let planted = Planted::new().await;
            let (method, path) = planted.calls()[at].clone();
            let before = planted.record().await;
            let mut browser = planted.browser(first, &planted.live);
            let response = browser.call(&planted.server, method, &path).await;
            assert!(
                response.status().is_success(),
                "{path}: {}",
                response.body()
            );
            assert!(planted.record().await != before, "{path}");
        }
    }
}

/// The page asks for a token, and the store says which session it is for.
#[tokio::test]
async fn a_page_with_the_dead_sessions_token_gets_on_again() {
    let planted = Planted::new().await;
    let mut browser = planted.browser(true, &planted.dead);
    assert_eq!(
        browser.post(&planted.server, "/refresh").await,
        StatusCode::FORBIDDEN
    );
    browser.visit(&planted.server).await;
    assert_eq!(
        browser.post(&planted.server, "/refresh").await,
        StatusCode::OK
    );
}

/// Without a session that lives, the token's own is acted on: signing in and out go on.
#[tokio::test]
async fn where_none_lives_the_tokens_session_is_acted_on() {
    let planted = Planted::new().await;
    planted
        .server
        .world
        .layer
        .admin()
        .end_all("alice", None)
        .await
        .unwrap();
    for (path, status) in [
        ("/refresh", StatusCode::UNAUTHORIZED),
        ("/logout", StatusCode::NO_CONTENT),
        ("/login", StatusCode::OK),
    ] {
        let mut browser = planted.browser(true, &planted.dead);
        assert_eq!(browser.post(&planted.server, path).await, status, "{path}");
    }
}

/// The other one has expired, the token's own was signed out.
#[tokio::test]
async fn where_none_lives_the_answer_is_about_the_tokens_session() {
    let hour = std::time::Duration::from_secs(3600);
    let server = Server::of(World::with(|builder| builder.idle_lifetime(hour)));
    let expired = signed_in(&server).await;
    server.world.advance(hour);
    let own = signed_in(&server).await;
    assert_eq!(
        own.clone().post(&server, "/logout").await,
        StatusCode::NO_CONTENT
    );
    let mut browser = Browser {
        refresh: Some(expired.beside(&own)),
        ..own
    };
    assert_eq!(
        browser.post(&server, "/refresh").await,
        StatusCode::UNAUTHORIZED
    );
    let events = server.world.events.lock().unwrap();
    let refused = events
        .iter()
        .find(|told| told.starts_with("SessionRefused"));
    assert!(refused.unwrap().contains("Revoked"), "{refused:?}");
}

/// Credentials that the client has put there itself need no token: then the live session counts.
#[tokio::test]
async fn an_exempt_request_acts_on_the_live_session() {
    let planted = Planted::new().await;
    let csrf = CsrfLayer::builder(&planted.server.world.keys).session_cookies(["other"]);
    let server = Server {
        world: planted.server.world.clone(),
        csrf: csrf.build().unwrap(),
    };
    let browser = planted.browser(true, &planted.dead);
    let cookies = format!("{}={}", world::COOKIE, browser.refresh.unwrap());
    let jar = format!("{}={}", world::JAR, browser.jar.unwrap());
    let request = Request::post("/auth/refresh")
        .header(header::USER_AGENT, FIREFOX)
        .header(header::AUTHORIZATION, "Bearer abc")
        .header(header::COOKIE, cookies)
        .header(header::COOKIE, jar);
    let response = server.send(request.body(Full::default()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK, "{}", response.body());
}

/// A token that the handler or a form layer finds names the session as the header does.
#[tokio::test]
async fn a_token_that_is_found_in_the_body_names_the_session_too() {
    for verifies in [true, false] {
        for (dead, status) in [(true, StatusCode::FORBIDDEN), (false, StatusCode::OK)] {
            let planted = Planted::new().await;
            let token = if dead { &planted.dead } else { &planted.live };
            let browser = planted.browser(true, token);
            let value = browser.csrf.unwrap();
            let refresh = format!("{}={}", world::COOKIE, browser.refresh.unwrap());
            let request = Request::post("/auth/page")
                .header(header::USER_AGENT, FIREFOX)
                .header(header::COOKIE, refresh)
                .header(
                    header::COOKIE,
                    format!("{}={}", world::JAR, browser.jar.unwrap()),
                )
                .header(header::COOKIE, format!("{}={value}", csrf::COOKIE))
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Full::<Bytes>::from(format!("csrf_token={value}")))
                .unwrap();
            let handler = move |request: Request<Full<Bytes>>| {
                let value = value.clone();
                async move {
                    let session = Session::from_extensions(request.extensions()).unwrap();
                    let token = CsrfToken::from_extensions(request.extensions()).unwrap();
                    token.verify(&value).unwrap();
                    Ok::<_, std::convert::Infallible>(match session.refresh().await {
                        Ok(token) => Response::new(token.as_str().to_owned()),
                        Err(error) => error.response(),
                    })
                }
            };
            let world: &World = &planted.server.world;
            let csrf = CsrfLayer::builder(&world.keys);
            let response = if verifies {
                let layers = ServiceBuilder::new()
                    .layer(world.layer.clone())
                    .layer(csrf.handler_verifies().build().unwrap());
                layers.service_fn(handler).oneshot(request).await.unwrap()
            } else {
                let form = csrf.build().unwrap().form_field("csrf_token").unwrap();
                let layers = ServiceBuilder::new().layer(world.layer.clone()).layer(form);
                layers.service_fn(handler).oneshot(request).await.unwrap()
            };
            assert_eq!(response.status(), status, "{verifies} {dead}");
        }
    }
}

/// Pages cannot tell which session lives. A text without a cookie is refused, and asking heals it.
#[tokio::test]
async fn of_safe_requests_only_the_one_for_a_token_issues_one() {
    let planted = Planted::new().await;
    let browser = Browser {
        csrf: None,
        ..planted.browser(true, &planted.live)
    };
    let cookies = format!("{}={}", world::COOKIE, browser.refresh.as_deref().unwrap());
    for (page, issued) in [(true, false), (false, true)] {
        let get = Request::get("/auth/csrf").header(header::COOKIE, &cookies);
        let get = get.body(Full::default()).unwrap();
        let response = match page {
            true => planted.server.page(get).await,
            false => planted.server.send(get).await,
        };
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(csrf::issued(&response).is_some(), issued);
        assert!(!response.body().is_empty());
    }
}

/// Another host of the domain has planted the cookie of a live session of its own. It cannot set the CSRF cookie.
#[tokio::test]
async fn beside_a_planted_live_session_the_users_own_goes_on() {
    for first in [true, false] {
        let server = Server::new();
        let planted = signed_in(&server).await;
        let foreign = server.world.store.last_key();
        let own = signed_in(&server).await;
        let mut browser = Browser {
            refresh: Some(match first {
                true => planted.beside(&own),
                false => own.beside(&planted),
            }),
            ..own.clone()
        };
        // A page that asks for a token is given one of its own session.
        browser.visit(&server).await;
        for path in ["/refresh", "/elevate"] {
            let mut page = browser.clone();
            assert_eq!(page.post(&server, path).await, StatusCode::OK, "{path}");
            // The successor takes the place of its own cookie.
            browser.refresh = Some(match first {
                true => planted.beside(&page),
                false => page.beside(&planted),
            });
            browser.csrf = page.csrf;
            server.world.secs(90);
        }
        let before = server.world.store.peek(&foreign).await;
        assert_eq!(
            browser.clone().post(&server, "/login").await,
            StatusCode::OK
        );
        let mut leaving = browser.clone();
        assert_eq!(
            leaving.post(&server, "/logout").await,
            StatusCode::FORBIDDEN
        );
        assert!(server.world.store.peek(&foreign).await == before);
    }
}

#[tokio::test]
async fn a_sign_out_beside_a_planted_live_session_ends_the_users_own() {
    let server = Server::new();
    let planted = signed_in(&server).await;
    let foreign = server.world.store.last_key();
    let own = signed_in(&server).await;
    let key = server.world.store.last_key();
    let mut browser = Browser {
        refresh: Some(planted.beside(&own)),
        ..own.clone()
    };
    assert_eq!(
        browser.post(&server, "/logout").await,
        StatusCode::NO_CONTENT
    );
    let store = &server.world.store;
    assert!(!store.peek(&key).await.unwrap().is_live());
    assert!(store.peek(&foreign).await.unwrap().is_live());
}

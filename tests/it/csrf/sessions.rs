//! The CSRF layer around refresh sessions: a token of the session's own from the very response
//! that begins it.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_bearer::{
    CsrfLayer, CsrfToken, Session, csrf::CsrfKeys, refresh::RefreshTransport, rejection::CsrfReason,
};

use crate::support::{
    csrf::{self, reason},
    world::{self, FIREFOX, World},
};

/// A server with sessions behind CSRF tokens.
pub(super) struct Server {
    pub(super) world: World,
    pub(super) csrf: CsrfLayer,
}

/// One browser: its cookies, and a page that copies one of them into a header.
#[derive(Clone, Default)]
pub(super) struct Browser {
    pub(super) refresh: Option<String>,
    pub(super) jar: Option<String>,
    pub(super) csrf: Option<String>,
    /// The token that the page submits, if it is not a copy of the cookie.
    pub(super) submitted: Option<String>,
}

impl Server {
    pub(super) fn new() -> Self {
        Self::of(World::new())
    }

    pub(super) fn of(world: World) -> Self {
        let csrf = CsrfLayer::new(&world.keys).unwrap();
        Self { world, csrf }
    }

    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Response<String> {
        ServiceBuilder::new()
            .layer(self.world.layer.clone())
            .layer(self.csrf.clone())
            .service(service_fn(world::application))
            .oneshot(request)
            .await
            .unwrap()
    }
}

/// Answers with a page that carries the token.
async fn page(request: Request<Full<Bytes>>) -> Result<Response<String>, std::convert::Infallible> {
    let token = CsrfToken::from_extensions(request.extensions()).unwrap();
    Ok(Response::new(token.masked().unwrap()))
}

impl Server {
    /// The page's answer to `request`, through the same layers.
    pub(super) async fn page(&self, request: Request<Full<Bytes>>) -> Response<String> {
        ServiceBuilder::new()
            .layer(self.world.layer.clone())
            .layer(self.csrf.clone())
            .service(service_fn(page))
            .oneshot(request)
            .await
            .unwrap()
    }
}

impl Browser {
    pub(super) async fn call(
        &mut self,
        server: &Server,
        method: Method,
        path: &str,
    ) -> Response<String> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/auth{path}"))
            .header(header::USER_AGENT, FIREFOX)
            .header("x-user", "alice");
        for (name, value) in [(world::COOKIE, &self.refresh), (world::JAR, &self.jar)] {
            if let Some(value) = value {
                request = request.header(header::COOKIE, format!("{name}={value}"));
            }
        }
        if let Some(value) = &self.csrf {
            request = request.header(header::COOKIE, format!("{}={value}", csrf::COOKIE));
            request = request.header(csrf::HEADER, self.submitted.as_ref().unwrap_or(value));
        }
        let response = server.send(request.body(Full::default()).unwrap()).await;
        self.keep(response.headers());
        response
    }

    /// The refresh cookies of both in one browser, this one's first.
    pub(super) fn beside(&self, other: &Self) -> String {
        let [one, other] = [self, other].map(|browser| browser.refresh.as_deref().unwrap());
        format!("{one}; {}={other}", world::COOKIE)
    }

    pub(super) fn keep(&mut self, headers: &HeaderMap) {
        for line in headers.get_all(header::SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let value = Some(value.to_owned()).filter(|value| !value.is_empty());
            match name {
                csrf::COOKIE => self.csrf = value,
                world::COOKIE => self.refresh = value,
                world::JAR => self.jar = value,
                other => panic!("an unexpected cookie: {other}"),
            }
        }
    }

    pub(super) async fn post(&mut self, server: &Server, path: &str) -> StatusCode {
        self.call(server, Method::POST, path).await.status()
    }

    /// Whether a refresh with these cookies passes the CSRF layer.
    pub(super) async fn refused(&self, server: &Server) -> Option<CsrfReason> {
        let mut probe = self.clone();
        reason(&probe.call(server, Method::POST, "/refresh").await)
    }

    /// The first step of a page: it asks for a token.
    pub(super) async fn visit(&mut self, server: &Server) {
        self.call(server, Method::GET, "/csrf").await;
        assert!(self.csrf.is_some());
    }
}

pub(super) async fn signed_in(server: &Server) -> Browser {
    let mut browser = Browser::default();
    browser.visit(server).await;
    assert_eq!(browser.post(server, "/login").await, StatusCode::OK);
    browser
}

#[tokio::test]
async fn a_sign_in_needs_a_token_and_brings_the_next_one() {
    let server = Server::new();
    let mut browser = Browser::default();
    assert_eq!(browser.post(&server, "/login").await, StatusCode::FORBIDDEN);
    assert!(browser.refresh.is_none(), "nothing ran");
    browser.visit(&server).await;
    let anonymous = browser.csrf.clone();
    assert_eq!(browser.post(&server, "/login").await, StatusCode::OK);
    assert_ne!(browser.csrf, anonymous);
    // The next request passes without a reload in between.
    assert_eq!(browser.post(&server, "/refresh").await, StatusCode::OK);

    // The pair from before, perhaps planted there, is worth nothing now.
    let planted = Browser {
        csrf: anonymous,
        ..browser.clone()
    };
    assert_eq!(
        planted.refused(&server).await,
        Some(CsrfReason::SignatureInvalid)
    );
}

#[tokio::test]
async fn a_refresh_leaves_the_token_alone() {
    let server = Server::new();
    let mut browser = signed_in(&server).await;
    let before = browser.csrf.clone();
    for _ in 0..3 {
        server.world.secs(61);
        let response = browser.call(&server, Method::POST, "/refresh").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(csrf::issued(&response), None);
    }
    assert_eq!(browser.csrf, before);
}

#[tokio::test]
async fn a_privilege_change_brings_another_token_though_the_session_stays() {
    let server = Server::new();
    for path in ["/elevate", "/end-others"] {
        let mut browser = signed_in(&server).await;
        let before = browser.csrf.clone();
        let response = browser.call(&server, Method::POST, path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert!(csrf::issued(&response).is_some(), "{path}");
        assert_ne!(browser.csrf, before);
        assert_eq!(browser.post(&server, "/refresh").await, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_sign_out_brings_an_anonymous_token() {
    let server = Server::new();
    for path in ["/logout", "/logout-all"] {
        let mut browser = signed_in(&server).await;
        let before = browser.clone();
        assert_eq!(browser.post(&server, path).await, StatusCode::NO_CONTENT);
        assert!(browser.refresh.is_none());
        // Good for the next sign-in at once.
        assert_eq!(browser.post(&server, "/login").await, StatusCode::OK);
        // The token of the session is valid only with its cookie.
        let stale = Browser {
            refresh: None,
            ..before
        };
        assert_eq!(
            stale.refused(&server).await,
            Some(CsrfReason::SignatureInvalid)
        );
    }
}

#[tokio::test]
async fn a_session_that_was_ended_elsewhere_leaves_an_anonymous_token() {
    let server = Server::new();
    let mut browser = signed_in(&server).await;
    let ended = server
        .world
        .layer
        .admin()
        .end_all("alice", None)
        .await
        .unwrap();
    assert_eq!(ended.len(), 1);
    let response = browser.call(&server, Method::POST, "/refresh").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(browser.refresh.is_none());
    assert!(csrf::issued(&response).is_some());
    assert_eq!(browser.post(&server, "/login").await, StatusCode::OK);
}

#[tokio::test]
async fn tokens_of_one_session_are_refused_in_another() {
    let server = Server::new();
    let (first, second) = (signed_in(&server).await, signed_in(&server).await);
    let mixed = Browser {
        csrf: first.csrf.clone(),
        ..second.clone()
    };
    assert_eq!(
        mixed.refused(&server).await,
        Some(CsrfReason::SignatureInvalid)
    );
    assert_eq!(first.refused(&server).await, None);
}

#[tokio::test]
async fn a_page_gets_on_again_by_asking_for_a_token() {
    let server = Server::new();
    let browser = signed_in(&server).await;
    for csrf in [None, Some("junk".to_owned())] {
        let mut broken = Browser {
            csrf,
            ..browser.clone()
        };
        assert_eq!(
            broken.post(&server, "/refresh").await,
            StatusCode::FORBIDDEN
        );
        broken.visit(&server).await;
        assert_eq!(broken.post(&server, "/refresh").await, StatusCode::OK);
    }
}

/// A refresh cookie that is not ours makes no session.
#[tokio::test]
async fn only_a_genuine_cookie_makes_a_session() {
    let server = Server::new();
    let (first, second) = (signed_in(&server).await, signed_in(&server).await);
    let both = first.beside(&second);
    let twice = format!(
        "{0}; {1}={0}",
        first.refresh.as_deref().unwrap(),
        world::COOKIE
    );
    let mut forged = first.refresh.clone().unwrap();
    forged.replace_range(100..101, if &forged[100..101] == "A" { "B" } else { "A" });
    for (refresh, good) in [
        // A token of any of the genuine ones; what the session layer makes of them is another matter.
        (both, true),
        (forged, false),
        ("junk".to_owned(), false),
        (twice, true),
    ] {
        let browser = Browser {
            refresh: Some(refresh.clone()),
            csrf: first.csrf.clone(),
            ..Browser::default()
        };
        assert_eq!(browser.refused(&server).await.is_none(), good, "{refresh}");
    }
}

/// The state in which the response leaves the browser counts, not the steps before.
#[tokio::test]
async fn a_session_that_begins_and_ends_in_one_request_leaves_an_anonymous_token() {
    let server = Server::new();
    let mut browser = Browser::default();
    browser.visit(&server).await;
    let token = browser.csrf.clone().unwrap();
    let response = ServiceBuilder::new()
        .layer(server.world.layer.clone())
        .layer(server.csrf.clone())
        .service_fn(|request: Request<String>| async move {
            let session = Session::from_extensions(request.extensions()).unwrap();
            session.start("alice").await.unwrap();
            session.end().await.unwrap();
            Ok::<_, std::convert::Infallible>(Response::new(String::new()))
        })
        .oneshot(csrf::post(&token, &token))
        .await
        .unwrap();
    browser.keep(response.headers());
    assert_eq!(browser.refresh, None);
    assert_eq!(browser.post(&server, "/login").await, StatusCode::OK);
}

#[tokio::test]
async fn keys_given_apart_do_as_well() {
    let world = World::new();
    let keys = CsrfKeys::new([csrf::Fixtures::load().key("K1")]).unwrap();
    let csrf = CsrfLayer::new(keys).unwrap();
    let server = Server { world, csrf };
    let mut browser = signed_in(&server).await;
    assert_eq!(browser.post(&server, "/refresh").await, StatusCode::OK);
}

/// A handler may put a token into its answer. It is the one that the answer's cookie holds, though the session began,
/// changed or ended in that very handler.
#[tokio::test]
async fn a_handler_that_moves_the_browser_can_answer_with_the_next_token() {
    let server = Server::new();
    for path in ["/login", "/elevate", "/logout"] {
        let mut browser = match path {
            "/login" => Browser::default(),
            _ => signed_in(&server).await,
        };
        browser.visit(&server).await;
        let token = browser.csrf.clone().unwrap();
        let mut request = csrf::post(&token, &token);
        let agent = http::HeaderValue::from_static(FIREFOX);
        request.headers_mut().insert(header::USER_AGENT, agent);
        if let Some(refresh) = &browser.refresh {
            let cookie = format!("{}={refresh}", world::COOKIE);
            request
                .headers_mut()
                .append(header::COOKIE, cookie.parse().unwrap());
        }
        let response = ServiceBuilder::new()
            .layer(server.world.layer.clone())
            .layer(server.csrf.clone())
            .service_fn(move |request: Request<String>| async move {
                let session = Session::from_extensions(request.extensions()).unwrap();
                let token = CsrfToken::from_extensions(request.extensions()).unwrap();
                match path {
                    "/login" => drop(session.start("alice").await.unwrap()),
                    "/elevate" => drop(session.elevate().await.unwrap()),
                    _ => session.end().await.unwrap(),
                }
                let first = token.masked().unwrap();
                assert_ne!(first, token.masked().unwrap());
                Ok::<_, std::convert::Infallible>(Response::new(first))
            })
            .oneshot(request)
            .await
            .unwrap();
        browser.keep(response.headers());
        assert_ne!(browser.csrf.as_ref(), Some(&token), "{path}");
        let masked = response.into_body();
        let next = Browser {
            submitted: Some(masked),
            ..browser.clone()
        };
        assert_eq!(next.refused(&server).await, None, "{path}");
    }
}

/// A link on another site leads to a page below the cookie's path. The browser sends a `Lax` cookie and keeps back a
/// `Strict` one, so the request seems to have no session.
#[tokio::test]
async fn a_link_from_another_site_does_not_take_the_token_away() {
    let server = Server::new();
    let browser = signed_in(&server).await;
    let visit = |site: &'static str| {
        let followed = Browser {
            refresh: None,
            ..browser.clone()
        };
        let request = Request::get("/auth/csrf")
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", "navigate")
            .header(
                header::COOKIE,
                format!("{}={}", csrf::COOKIE, followed.csrf.as_deref().unwrap()),
            );
        server.send(request.body(Full::default()).unwrap())
    };
    assert_eq!(csrf::issued(&visit("cross-site").await), None);
    // A visitor who comes from here and has no session is anonymous.
    for site in ["same-origin", "same-site", "none"] {
        assert!(csrf::issued(&visit(site).await).is_some(), "{site}");
    }
    assert_eq!(browser.refused(&server).await, None);
}

/// The same where the link leads to a page that carries the token. The page works, and so do the tabs that were open
/// before.
#[tokio::test]
async fn a_page_reached_from_another_site_carries_the_token_that_the_browser_has() {
    let server = Server::new();
    let browser = signed_in(&server).await;
    let page = |cookie: Option<String>| {
        let mut request = Request::get("/auth/csrf").header("sec-fetch-site", "cross-site");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, format!("{}={cookie}", csrf::COOKIE));
        }
        ServiceBuilder::new()
            .layer(server.world.layer.clone())
            .layer(server.csrf.clone())
            .service_fn(|request: Request<String>| async move {
                let token = CsrfToken::from_extensions(request.extensions()).unwrap();
                Ok::<_, std::convert::Infallible>(Response::new(token.masked().unwrap()))
            })
            .oneshot(request.body(String::new()).unwrap())
    };
    let response = page(browser.csrf.clone()).await.unwrap();
    assert_eq!(csrf::issued(&response), None);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    // The page's request is of its own site again, and has the session's cookie.
    let next = Browser {
        submitted: Some(response.into_body()),
        ..browser.clone()
    };
    assert_eq!(next.refused(&server).await, None);
    assert_eq!(browser.refused(&server).await, None);

    // A copy makes no token good: one of another session is refused as before.
    let other = signed_in(&server).await;
    let response = page(other.csrf.clone()).await.unwrap();
    let planted = Browser {
        csrf: other.csrf,
        submitted: Some(response.into_body()),
        ..browser
    };
    assert_eq!(
        planted.refused(&server).await,
        Some(CsrfReason::SignatureInvalid)
    );

    // Where there is nothing to copy, an anonymous token is given out.
    for nothing in [None, Some("junk".to_owned())] {
        let response = page(nothing).await.unwrap();
        let mut visitor = Browser {
            csrf: csrf::issued(&response),
            submitted: Some(response.into_body()),
            ..Browser::default()
        };
        assert_eq!(visitor.post(&server, "/login").await, StatusCode::OK);
    }
}

/// A `Lax` refresh cookie comes along with a link. So a visitor who comes without it is anonymous, from every site. A
/// page that carries a token gets one that goes with that.
#[tokio::test]
async fn with_a_lax_cookie_a_visitor_without_it_is_anonymous() {
    let server = Server::of(World::with(|builder| builder.same_site_lax()));
    let browser = signed_in(&server).await;
    let response = ServiceBuilder::new()
        .layer(server.world.layer.clone())
        .layer(server.csrf.clone())
        .service_fn(|request: Request<String>| async move {
            let token = CsrfToken::from_extensions(request.extensions()).unwrap();
            Ok::<_, std::convert::Infallible>(Response::new(token.masked().unwrap()))
        })
        .oneshot(
            Request::get("/auth/csrf")
                .header("sec-fetch-site", "cross-site")
                .header(
                    header::COOKIE,
                    format!("{}={}", csrf::COOKIE, browser.csrf.unwrap()),
                )
                .body(String::new())
                .unwrap(),
        )
        .await
        .unwrap();
    let mut visitor = Browser {
        csrf: csrf::issued(&response),
        submitted: Some(response.into_body()),
        ..Browser::default()
    };
    assert!(visitor.csrf.is_some());
    assert_eq!(visitor.post(&server, "/login").await, StatusCode::OK);
}

/// Tabs race: the answer to an old request comes after the sign-in and puts its cookie over the new
/// one. The next request is refused, and asking for a token heals it.
#[tokio::test]
async fn a_late_answer_costs_one_refusal() {
    let server = Server::new();
    let mut browser = signed_in(&server).await;
    let mut early = Browser::default();
    early.visit(&server).await;
    browser.csrf = early.csrf;
    assert_eq!(
        browser.post(&server, "/refresh").await,
        StatusCode::FORBIDDEN
    );
    browser.visit(&server).await;
    assert_eq!(browser.post(&server, "/refresh").await, StatusCode::OK);
}

/// The cookies end each for itself: the user may have taken the one out and not the other.
#[tokio::test]
async fn a_token_that_outlives_its_session_is_replaced_before_the_next_sign_in() {
    let server = Server::new();
    let mut browser = signed_in(&server).await;
    browser.refresh = None;
    assert_eq!(browser.post(&server, "/login").await, StatusCode::FORBIDDEN);
    browser.visit(&server).await;
    assert_eq!(browser.post(&server, "/login").await, StatusCode::OK);
}

/// With tokens in bodies there is no cookie that could take the browser anywhere.
#[tokio::test]
async fn a_session_in_the_body_moves_no_browser() {
    let world = World::with(|builder| builder.transport(RefreshTransport::Body));
    let csrf = CsrfLayer::new(&world.keys).unwrap();
    let server = Server { world, csrf };
    let mut browser = Browser::default();
    let page = Request::get("/auth/page").body(Full::default()).unwrap();
    browser.keep(server.page(page).await.headers());
    let response = browser.call(&server, Method::POST, "/login").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(csrf::issued(&response), None);
    assert_eq!(browser.refused(&server).await, None);
}

/// The same for a form that the layer has read before the handler ran.
#[tokio::test]
async fn a_sign_in_form_is_answered_with_the_next_token() {
    let server = Server::new();
    let mut browser = Browser::default();
    browser.visit(&server).await;
    let token = browser.csrf.clone().unwrap();
    let form = "application/x-www-form-urlencoded";
    let request = Request::post("/auth/login")
        .header(header::COOKIE, format!("{}={token}", csrf::COOKIE))
        .header(header::USER_AGENT, FIREFOX)
        .header(header::CONTENT_TYPE, form)
        .body(Full::from(format!("user=alice&csrf_token={token}")))
        .unwrap();
    let response = ServiceBuilder::new()
        .layer(server.world.layer.clone())
        .layer(server.csrf.clone().form_field("csrf_token").unwrap())
        .service_fn(|request: Request<Full<Bytes>>| async move {
            let session = Session::from_extensions(request.extensions()).unwrap();
            session.start("alice").await.unwrap();
            let token = CsrfToken::from_extensions(request.extensions()).unwrap();
            Ok::<_, std::convert::Infallible>(Response::new(token.masked().unwrap()))
        })
        .oneshot(request)
        .await
        .unwrap();
    browser.keep(response.headers());
    assert_ne!(browser.csrf, Some(token));
    browser.submitted = Some(response.into_body());
    assert_eq!(browser.refused(&server).await, None);
}

/// Each of several layers hears that the session has moved.
#[tokio::test]
async fn layers_of_two_names_both_follow_the_session() {
    let server = Server::new();
    let other = CsrfLayer::builder(&server.world.keys).cookie_name("other");
    let service = ServiceBuilder::new()
        .layer(server.world.layer.clone())
        .layer(other.build().unwrap())
        .layer(server.csrf.clone())
        .service(service_fn(world::application));
    let visit = Request::get("/auth/csrf").body(Full::<Bytes>::default());
    let response = service.clone().oneshot(visit.unwrap()).await.unwrap();
    let cookie = |response: &Response<String>, name: &str| {
        let lines = response.headers().get_all(header::SET_COOKIE).iter();
        let mut pairs = lines.map(|line| line.to_str().unwrap().split(';').next().unwrap());
        pairs.find_map(|pair| pair.strip_prefix(name).map(ToOwned::to_owned))
    };
    let first = cookie(&response, "__Host-other=").unwrap();
    // Their header is the same, so what is good for one is good for both only when they agree.
    let login = Request::post("/auth/login")
        .header(
            header::COOKIE,
            format!("__Host-other={first}; {}={first}", csrf::COOKIE),
        )
        .header(csrf::HEADER, &first)
        .header("x-user", "alice")
        .body(Full::default())
        .unwrap();
    let response = service.oneshot(login).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let inner = cookie(&response, "__Host-csrf=").unwrap();
    let outer = cookie(&response, "__Host-other=").unwrap();
    assert!(inner != first && outer != first && inner != outer);
}

/// Around everything and around a nested router as well, for example.
#[tokio::test]
async fn a_session_layer_that_is_applied_twice_serves_once() {
    let server = Server::new();
    let service = ServiceBuilder::new()
        .layer(server.world.layer.clone())
        .layer(server.csrf.clone())
        .layer(server.world.layer.clone())
        .service_fn(world::application);
    let visit = Request::get("/auth/csrf").body(Full::default()).unwrap();
    let response = service.clone().oneshot(visit).await.unwrap();
    let token = csrf::issued(&response).unwrap();
    let mut login = csrf::post(&token, &token).map(|_| Full::default());
    *login.uri_mut() = "/auth/login".parse().unwrap();
    let user = "alice".parse().unwrap();
    login.headers_mut().insert("x-user", user);
    let response = service.oneshot(login).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut browser = Browser::default();
    browser.keep(response.headers());
    assert_ne!(browser.csrf.as_ref(), Some(&token));
    let lines = response.headers().get_all(header::SET_COOKIE).iter();
    assert_eq!(lines.count(), 3);
    assert_eq!(browser.refused(&server).await, None);
}

/// The jar cookie lasts to the end of the session, and the refresh cookie to that of an idle one.
#[tokio::test]
async fn a_jar_cookie_ends_the_exemption_beside_the_refresh_cookie_alone() {
    let server = Server::new();
    let browser = signed_in(&server).await;
    let refresh = format!("{}={}", world::COOKIE, browser.refresh.unwrap());
    let jar = format!("{}={}", world::JAR, browser.jar.unwrap());
    for (cookies, refused) in [
        (jar.clone(), None),
        (
            format!("{jar}; theme=dark"),
            Some(CsrfReason::CookieMissing),
        ),
        (format!("{jar}; {refresh}"), Some(CsrfReason::CookieMissing)),
    ] {
        let request = Request::post("/auth/refresh")
            .header(header::AUTHORIZATION, "Bearer abc")
            .header(header::COOKIE, &cookies)
            .body(Full::default())
            .unwrap();
        assert_eq!(reason(&server.send(request).await), refused, "{cookies}");
    }
}

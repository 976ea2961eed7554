//! `Auth`: what has to agree, put together by one builder.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower::{Layer, Service, ServiceExt};
use tower_bearer::{
    AccessToken, Auth, Claims, ClaimsError, ClaimsRequest, CsrfToken, Event, EventSink, KeyRing,
    MemoryStore, RequireRecentAuth, Session, SessionError,
    auth::AuthBuilder,
    refresh::{RefreshCookieBuilder, RefreshTransport},
    rejection::Rejection,
};

const PAGE: &str = "https://app.example";

#[derive(Serialize, Deserialize)]
struct Role {
    role: String,
}

async fn roles(request: ClaimsRequest) -> Result<Role, ClaimsError> {
    let role = format!("role of {}", request.subject());
    Ok(Role { role })
}

fn builder() -> AuthBuilder<Role> {
    Auth::builder(&KeyRing::generate().unwrap())
        .issuer("https://id.example")
        .audience("api")
        .claims(roles)
        .store(MemoryStore::new())
        .origins([PAGE.parse().unwrap()])
}

async fn login(session: Session) -> Result<AccessToken, SessionError> {
    session.start("ann").await
}

async fn profile(claims: Claims<Role>) -> String {
    claims.custom().role.clone()
}

/// The program of the README, and a route that needs both tokens.
fn app(auth: &Auth<Role>) -> Router {
    Router::new()
        .route("/api/profile", get(profile))
        .route_layer(auth.bearer())
        .merge(
            auth.routes()
                .route("/login", post(login))
                .route("/password", post(profile).layer(auth.bearer())),
        )
        .layer(auth.headers())
}

struct Answer {
    status: StatusCode,
    head: http::response::Parts,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        Some(self.head.headers.get(name)?.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    /// The status and the code of a problem document.
    #[track_caller]
    fn code(&self) -> (u16, String) {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let json = self.json();
        assert_eq!(json["status"], self.status.as_u16());
        (
            self.status.as_u16(),
            json["code"].as_str().unwrap().to_owned(),
        )
    }

    /// `name=value` of each cookie that is set, and all of its attributes.
    fn cookies(&self) -> Vec<&str> {
        let lines = self.head.headers.get_all(header::SET_COOKIE).iter();
        lines.map(|line| line.to_str().unwrap()).collect()
    }
}

/// A page of `PAGE` in a browser that keeps every cookie.
struct Browser {
    app: Router,
    cookies: Vec<(String, String)>,
    csrf: Option<String>,
}

impl Browser {
    fn new(app: Router) -> Self {
        Self {
            app,
            cookies: Vec::new(),
            csrf: None,
        }
    }

    async fn send(&mut self, method: Method, path: &str, token: Option<&str>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ORIGIN, PAGE);
        for (name, value) in &self.cookies {
            request = request.header(header::COOKIE, format!("{name}={value}"));
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = call(&self.app, request.body(Body::empty()).unwrap()).await;
        let set: Vec<_> = answer.cookies().iter().map(|c| (*c).to_owned()).collect();
        for cookie in set {
            let (pair, _) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        answer
    }

    /// Asks for a CSRF token at the endpoint below `mount`.
    async fn ask(&mut self, mount: &str) {
        let answer = self.send(Method::GET, &format!("{mount}/csrf"), None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.csrf = Some(answer.json()["csrf_token"].as_str().unwrap().to_owned());
    }

    /// Signs in and returns the access token.
    async fn sign_in(&mut self, mount: &str, path: &str) -> (Answer, String) {
        self.ask(mount).await;
        let answer = self.send(Method::POST, path, None).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        self.ask(mount).await;
        (answer, token)
    }
}

async fn call(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    let body = to_bytes(body, 100_000).await.unwrap();
    Answer {
        status: head.status,
        head,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

#[tokio::test]
async fn a_session_from_sign_in_to_sign_out() {
    let auth = builder().build().unwrap();
    let mut browser = Browser::new(app(&auth));
    let refused = browser.send(Method::GET, "/api/profile", None).await;
    assert_eq!(refused.code(), (401, "missing_token".into()));
    assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));

    let (answer, token) = browser.sign_in("/auth", "/auth/login").await;
    let cookies = answer.cookies();
    assert!(
        cookies.iter().any(|cookie| {
            cookie.starts_with("__Secure-refresh_token=") && cookie.contains("; Path=/auth")
        }),
        "{cookies:?}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let profile = browser
        .send(Method::GET, "/api/profile", Some(&token))
        .await;
    assert_eq!(
        (profile.status.as_u16(), &*profile.body),
        (200, "role of ann")
    );

    let refreshed = browser.send(Method::POST, "/auth/refresh", None).await;
    assert_eq!(refreshed.status, 200);
    let out = browser.send(Method::POST, "/auth/logout", None).await;
    assert_eq!(out.status, 204);
    browser.ask("/auth").await;
    let refused = browser.send(Method::POST, "/auth/refresh", None).await;
    assert_eq!(refused.code(), (401, "no_session".into()));
}

/// The guards go around all routes when these become a router, whenever a route was added.
#[tokio::test]
async fn a_route_added_late_is_guarded() {
    let auth = builder().build().unwrap();
    let routes = auth.routes().route("/login", post(login));
    let app: Router = routes.route("/late", post(|| async { "reached" })).into();
    let late = |headers: &[(&str, &str)]| {
        let mut request = Request::post("/auth/late");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    };
    let foreign = call(&app, late(&[("origin", "https://evil.example")])).await;
    assert_eq!(foreign.code(), (403, "foreign_origin".into()));
    let without_token = call(&app, late(&[("origin", PAGE)])).await;
    assert_eq!(without_token.code(), (403, "csrf".into()));

    let mut browser = Browser::new(app);
    browser.ask("/auth").await;
    let reached = browser.send(Method::POST, "/auth/late", None).await;
    assert_eq!(reached.body, "reached");
}

#[tokio::test]
async fn a_guarded_route_can_need_an_access_token_too() {
    let auth = builder().build().unwrap();
    let mut browser = Browser::new(app(&auth));
    let (_, token) = browser.sign_in("/auth", "/auth/login").await;
    let refused = browser.send(Method::POST, "/auth/password", None).await;
    assert_eq!(refused.code(), (401, "missing_token".into()));
    let reached = browser
        .send(Method::POST, "/auth/password", Some(&token))
        .await;
    assert_eq!(
        (reached.status.as_u16(), &*reached.body),
        (200, "role of ann")
    );
    browser.csrf = None;
    let refused = browser
        .send(Method::POST, "/auth/password", Some(&token))
        .await;
    assert_eq!(refused.code(), (403, "csrf".into()));
}

/// The setting is the session layer's, and is said here.
#[tokio::test]
async fn tokens_say_when_their_user_authenticated_where_the_front_door_says_so() {
    for (minted, status) in [(None, 401), (Some(false), 401), (Some(true), 200)] {
        let builder = match minted {
            Some(minted) => builder().authentication_in_tokens(minted),
            None => builder(),
        };
        let auth = builder.build().unwrap();
        let recent = RequireRecentAuth::max_age(std::time::Duration::from_secs(300));
        let close = Router::new()
            .route("/api/close", post(async || "closed").layer(recent))
            .route_layer(auth.bearer());
        let mut browser = Browser::new(app(&auth).merge(close));
        let (_, token) = browser.sign_in("/auth", "/auth/login").await;
        let answer = browser.send(Method::POST, "/api/close", Some(&token)).await;
        assert_eq!(answer.status, status, "{minted:?} {}", answer.body);
        if status == 401 {
            let code = "insufficient_user_authentication".to_owned();
            assert_eq!(answer.code(), (401, code));
            assert_eq!(answer.json()["max_age"], 300);
        }
    }
}

/// One word moves endpoints, cookie and CSRF tokens.
#[tokio::test]
async fn the_mount_path_is_said_once() {
    let auth = builder().mount("/api/session").build().unwrap();
    let mut browser = Browser::new(app(&auth));
    let (answer, _) = browser.sign_in("/api/session", "/api/session/login").await;
    let cookies = answer.cookies();
    assert!(
        cookies.iter().any(|c| c.contains("; Path=/api/session")),
        "{cookies:?}"
    );
    let refreshed = browser
        .send(Method::POST, "/api/session/refresh", None)
        .await;
    assert_eq!(refreshed.status, 200);

    let auth = builder().mount("/").build().unwrap();
    let mut browser = Browser::new(app(&auth));
    let (answer, _) = browser.sign_in("", "/login").await;
    assert!(
        answer
            .cookies()
            .iter()
            .any(|c| c.contains("; Path=/;") || c.ends_with("; Path=/"))
    );
    let refreshed = browser.send(Method::POST, "/refresh", None).await;
    assert_eq!(refreshed.status, 200);
}

/// A proxy takes `/app` off: the browser's paths have it, this service's have not.
#[tokio::test]
async fn a_prefix_of_the_proxy_goes_into_the_cookie() {
    let auth = builder().external_prefix("/app").build().unwrap();
    let mut browser = Browser::new(app(&auth));
    let (answer, _) = browser.sign_in("/auth", "/auth/login").await;
    let cookies = answer.cookies();
    assert!(
        cookies.iter().any(|c| c.contains("; Path=/app/auth")),
        "{cookies:?}"
    );
    let refreshed = browser.send(Method::POST, "/auth/refresh", None).await;
    assert_eq!(refreshed.status, 200);
}

/// Rendered applications: the cookie comes to every page, and every page is guarded.
#[tokio::test]
async fn everywhere_guards_the_whole_application() {
    async fn page(csrf: CsrfToken) -> Result<String, Rejection> {
        csrf.masked()
    }

    for (auth, name) in [
        (builder().everywhere(), "__Host-refresh_token="),
        (
            builder().everywhere().dangerous_insecure_cookies(),
            "refresh_token=",
        ),
    ] {
        let auth = auth.build().unwrap();
        let app: Router = auth
            .routes()
            .route("/", get(page).post(|| async { "changed" }))
            .route("/login", post(login))
            .into();
        let mut browser = Browser::new(app.layer(auth.headers()));
        let refused = browser.send(Method::POST, "/", None).await;
        assert_eq!(refused.code(), (403, "csrf".into()));
        let (answer, _) = browser.sign_in("/auth", "/login").await;
        let cookies = answer.cookies();
        let refresh = cookies.iter().find(|cookie| cookie.starts_with(name));
        let refresh = refresh.unwrap_or_else(|| panic!("{cookies:?}"));
        assert!(
            refresh.split("; ").any(|part| part == "Path=/"),
            "{refresh}"
        );
        browser.csrf = Some(browser.send(Method::GET, "/", None).await.body);
        let changed = browser.send(Method::POST, "/", None).await;
        assert_eq!(changed.body, "changed");
        let refreshed = browser.send(Method::POST, "/auth/refresh", None).await;
        assert_eq!(refreshed.status, 200);
    }
}

/// They are below the mount. A route that is added to the finished router lies outside of the guards.
#[tokio::test]
async fn the_routes_are_those_that_are_there_when_they_become_a_router() {
    let late = || post(|| async { "late" });
    let auth = builder().build().unwrap();
    let app = Router::from(auth.routes().route("/auth/login", post(login)));
    let mut browser = Browser::new(app.route("/auth/late", late()));
    for (path, status) in [
        ("/auth/login", 404),
        ("/auth/auth/login", 403),
        ("/auth/late", 200),
    ] {
        let answer = browser.send(Method::POST, path, None).await;
        assert_eq!(answer.status, status, "{path}");
    }
    let auth = builder().everywhere().build().unwrap();
    let app = Router::from(auth.routes().route("/", late()));
    let mut browser = Browser::new(app.route("/late", late()).fallback(late()));
    for (path, status) in [("/", 403), ("/late", 200), ("/other", 200)] {
        let answer = browser.send(Method::POST, path, None).await;
        assert_eq!(answer.status, status, "{path}");
    }
}

/// It is found out where the routes become a router, and not before.
#[test]
fn a_path_that_a_session_endpoint_has_is_taken() {
    let routes = builder().build().unwrap().routes::<()>();
    let routes = routes.route("/refresh", post(login));
    let made = std::panic::catch_unwind(AssertUnwindSafe(|| Router::from(routes)));
    assert!(made.is_err());
}

#[tokio::test]
async fn a_handler_that_overrides_a_status_leaves_that_of_the_document() {
    async fn gone(session: Session) -> (StatusCode, SessionError) {
        (StatusCode::GONE, session.refresh().await.unwrap_err())
    }
    let auth = builder().build().unwrap();
    let app = Router::from(auth.routes().route("/gone", get(gone)));
    let mut browser = Browser::new(app.layer(auth.headers()));
    let answer = browser.send(Method::GET, "/auth/gone", None).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["status"]),
        (410, &Value::from(401))
    );
}

/// Guards and endpoints compose without a framework, over bodies that can be made of bytes.
#[tokio::test]
async fn the_parts_are_plain_tower() {
    let auth = builder().build().unwrap();
    let stack = auth.guards().layer(auth.endpoints::<Full<Bytes>>());
    let mut service = auth.headers().layer(stack);
    let request = |method, path| {
        Request::builder()
            .method(method)
            .uri(path)
            .header("origin", PAGE)
            .body(Full::<Bytes>::default())
            .unwrap()
    };
    let response = service
        .call(request(Method::GET, "/auth/csrf"))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let response = service
        .call(request(Method::POST, "/auth/refresh"))
        .await
        .unwrap();
    assert_eq!(response.status(), 403);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
}

#[tokio::test]
async fn pages_elsewhere_are_let_in_by_cors() {
    let auth = builder().cors().build().unwrap();
    let app = app(&auth);
    for path in ["/auth/login", "/api/profile"] {
        let preflight = Request::options(path)
            .header("origin", PAGE)
            .header("access-control-request-method", "POST")
            .body(Body::empty())
            .unwrap();
        let answer = call(&app, preflight).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some("authorization,content-type,x-csrf-token,x-session-activity")
        );
        let refused = Request::post(path).header("origin", PAGE);
        let refused = call(&app, refused.body(Body::empty()).unwrap()).await;
        assert_eq!(refused.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(
            refused.header("access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(
            refused.header("access-control-expose-headers"),
            Some("retry-after,www-authenticate,grpc-message,grpc-status")
        );
        let foreign = Request::post(path).header("origin", "https://evil.example");
        let foreign = call(&app, foreign.body(Body::empty()).unwrap()).await;
        assert_eq!(foreign.header("access-control-allow-origin"), None);
    }
    let other = HeaderValue::from_static("x-xsrf-token");
    let csrf = builder().csrf(|csrf| csrf.header_name("x-xsrf-token".parse().unwrap()));
    let app = self::app(&csrf.cors().build().unwrap());
    let preflight = Request::options("/auth/login")
        .header("origin", PAGE)
        .header("access-control-request-method", "POST")
        .body(Body::empty());
    let answer = call(&app, preflight.unwrap()).await;
    let allowed = answer.header("access-control-allow-headers").unwrap();
    assert!(allowed.contains(other.to_str().unwrap()), "{allowed}");
}

/// One format for guards, extractors, endpoints and errors of handlers.
#[tokio::test]
async fn the_application_gives_the_format_in_one_place() {
    let format = HeaderValue::from_static("application/vnd.api+json");
    let auth = builder()
        .refusals(format, |problem| {
            format!(r#"{{"errors":[{{"code":"{}"}}]}}"#, problem.code())
        })
        .build()
        .unwrap();
    let app = app(&auth)
        .route("/wired", get(|_: Session| async {}))
        .layer(auth.headers());
    let mut browser = Browser::new(app);
    let mut seen = Vec::new();
    for (method, path) in [
        (Method::GET, "/api/profile"),
        (Method::POST, "/auth/refresh"),
        (Method::GET, "/auth/sessions"),
        (Method::GET, "/wired"),
    ] {
        let answer = browser.send(method, path, None).await;
        assert_eq!(
            answer.header("content-type"),
            Some("application/vnd.api+json")
        );
        let code = answer.json()["errors"][0]["code"]
            .as_str()
            .unwrap()
            .to_owned();
        seen.push((answer.status.as_u16(), code));
    }
    let expected = [
        (401, "missing_token"),
        (403, "csrf"),
        (401, "no_session"),
        (500, "layer_missing"),
    ];
    assert_eq!(
        seen,
        expected.map(|(status, code)| (status, code.to_owned()))
    );
    // An answer that is no refusal stays as it is.
    let answer = browser.send(Method::GET, "/nowhere", None).await;
    assert_eq!((answer.status.as_u16(), &*answer.body), (404, ""));
}

/// The one sink is told of every refusal once, those of extractors included.
#[tokio::test]
async fn the_sink_is_told_of_every_refusal_once() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keep = heard.clone();
    let events = EventSink::new(move |event| {
        if let Event::Rejected(rejection) = event {
            keep.lock().unwrap().push(rejection.problem().code());
        }
    });
    let auth = builder().events(events).build().unwrap();
    let app = app(&auth)
        .route("/wired", get(|_: Session| async {}))
        .layer(auth.headers());
    let mut browser = Browser::new(app.clone());
    browser.send(Method::GET, "/api/profile", None).await;
    browser.send(Method::POST, "/auth/refresh", None).await;
    browser.send(Method::GET, "/wired", None).await;
    let foreign = Request::post("/auth/refresh").header("origin", "https://evil.example");
    call(&app, foreign.body(Body::empty()).unwrap()).await;
    let expected = ["missing_token", "csrf", "layer_missing", "foreign_origin"];
    assert_eq!(*heard.lock().unwrap(), expected);
}

fn moved(
    builder: AuthBuilder,
    change: impl FnOnce(RefreshCookieBuilder) -> RefreshCookieBuilder + Send + 'static,
) -> Result<Auth, tower_bearer::ConfigError> {
    builder.same_origin().sessions(change).build()
}

/// A sink of one layer's own takes the place of the common one there, and is never dropped.
#[tokio::test]
async fn a_sink_that_one_layer_is_given_is_heard() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = |name: &'static str| {
        let heard = heard.clone();
        EventSink::new(move |_| heard.lock().unwrap().push(name))
    };
    let (sessions, csrf, origins) = (sink("sessions"), sink("csrf"), sink("origins"));
    let auth = builder()
        .sessions(|layer| layer.events(sessions))
        .csrf(|layer| layer.events(csrf))
        .origin_guard(|layer| layer.events(origins))
        .build()
        .unwrap();
    let mut browser = Browser::new(app(&auth));
    let foreign = Request::post("/auth/refresh").header("origin", "https://evil.example");
    call(&browser.app, foreign.body(Body::empty()).unwrap()).await;
    browser.send(Method::POST, "/auth/refresh", None).await;
    browser.sign_in("/auth", "/auth/login").await;
    assert_eq!(*heard.lock().unwrap(), ["origins", "csrf", "sessions"]);
}

#[test]
fn missing_and_contradictory_settings_are_named() {
    let keys = KeyRing::generate().unwrap();
    let base = || {
        Auth::builder(&keys)
            .issuer("https://id.example")
            .audience("api")
    };
    let stored = || base().store(MemoryStore::new());
    let error = |built: Result<Auth, _>| -> tower_bearer::ConfigError { built.unwrap_err() };
    for (found, setting, cure) in [
        (error(base().same_origin().build()), "store", "MemoryStore"),
        (error(stored().build()), "origins", "same_origin"),
        (
            error(stored().origins([]).build()),
            "origins",
            "same_origin",
        ),
        (
            error(stored().same_origin().cors().build()),
            "cors",
            "origins",
        ),
        (
            error(stored().same_origin().mount("/auth/").build()),
            "mount",
            "slash",
        ),
        (
            error(stored().same_origin().mount("auth").build()),
            "mount",
            "/auth",
        ),
        (
            error(stored().same_origin().everywhere().mount("auth").build()),
            "mount",
            "/auth",
        ),
        (
            error(
                stored()
                    .origins([
                        PAGE.parse().unwrap(),
                        "http://app.example:8080".parse().unwrap(),
                    ])
                    .build(),
            ),
            "origins",
            "\"http://app.example:8080\" is plain http",
        ),
        (
            error(stored().same_origin().mount("/{tenant}/auth").build()),
            "mount",
            "fixed path",
        ),
        (
            error(stored().same_origin().mount("/a/../auth").build()),
            "mount",
            "segments of dots",
        ),
        (
            error(moved(stored(), |sessions| sessions.host_prefix())),
            "sessions",
            "everywhere",
        ),
        (
            error(moved(stored(), |sessions| sessions.cookie_path("/x"))),
            "sessions",
            "mount",
        ),
        (
            error(moved(stored().everywhere(), |sessions| {
                sessions.dangerous_insecure_cookie()
            })),
            "sessions",
            "dangerous_insecure_cookies",
        ),
        (
            error(moved(stored(), |sessions| {
                sessions.transport(RefreshTransport::Body)
            })),
            "sessions",
            "of their own",
        ),
        (
            error(
                stored()
                    .same_origin()
                    .everywhere()
                    .csrf(|csrf| csrf.cookie_name("refresh_token"))
                    .build(),
            ),
            "cookie_name",
            "\"__Host-refresh_token\" is that of the refresh cookie",
        ),
        (
            error(
                stored()
                    .same_origin()
                    .everywhere()
                    .csrf(|csrf| csrf.cookie_name("refresh_token_jar"))
                    .build(),
            ),
            "cookie_name",
            "\"__Host-refresh_token_jar\" is that of the jar cookie",
        ),
        (
            error(stored().same_origin().mount("/:tenant/auth").build()),
            "mount",
            "fixed path",
        ),
    ] {
        assert_eq!(found.setting(), setting, "{found}");
        assert!(found.problem().contains(cure), "{found}");
    }
    let nothing = error(Auth::builder(&keys).build());
    assert!(nothing.is_missing());
    assert_eq!(nothing.setting(), "issuer, audience, store, origins");
    for call in [
        ".issuer(",
        ".audience(",
        ".store(",
        ".origins(",
        ".same_origin()",
    ] {
        assert!(nothing.problem().contains(call), "{nothing}");
    }
    // The user's own machine, and a network that the developer trusts.
    for own in [
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        "http://app.localhost",
    ] {
        stored().origins([own.parse().unwrap()]).build().unwrap();
    }
    let trusted = stored().origins(["http://10.0.0.7:3000".parse().unwrap()]);
    trusted.dangerous_insecure_cookies().build().unwrap();
}

/// A layer that the application has made itself stands beside those of the front door.
#[tokio::test]
async fn the_settings_of_each_layer_are_within_reach() {
    let lifetime = std::time::Duration::from_secs(300);
    let auth = builder()
        .tokens(|tokens| tokens.lifetime(lifetime))
        .sessions(|sessions| sessions.cookie_name("session"))
        .csrf(|csrf| csrf.cookie_name("xsrf"))
        .endpoints(|endpoints| endpoints.camel_case(true))
        .origin_guard(|guard| guard.report_only())
        .build()
        .unwrap();
    assert_eq!(auth.codec().lifetime(), lifetime);
    let app: Router = auth.routes().route("/login", post(login)).into();
    let request = Request::get("/auth/csrf").body(Body::empty()).unwrap();
    let answer = call(&app, request).await;
    let token = answer.json()["csrfToken"].as_str().unwrap().to_owned();
    let cookie = answer.cookies()[0].split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-xsrf="), "{cookie}");
    let request = Request::post("/auth/login")
        .header("origin", "https://not-yet-listed.example")
        .header("cookie", cookie)
        .header("x-csrf-token", token)
        .body(Body::empty())
        .unwrap();
    let answer = call(&app, request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer
            .cookies()
            .iter()
            .any(|c| c.starts_with("__Secure-session="))
    );
    assert_eq!(auth.admin().end_all("ann", None).await.unwrap().len(), 1);
}

//! `TestBrowser`.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json, Router,
    body::Body,
    routing::{get, post},
};
use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};
use tower::{ServiceExt, service_fn};
use tower_bearer::{
    AccessToken, Auth, Claims, CsrfToken, KeyRing, ManualClock, MemoryStore, NoClaims, Session,
    SessionError, Timestamp,
    auth::AuthBuilder,
    rejection::{CsrfReason, RejectionKind},
    test_util::{TestBody, TestBrowser, acting_as},
};

const PAGE: &str = "https://app.example";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Deserialize)]
struct Login {
    email: String,
}

async fn login(session: Session, Json(form): Json<Login>) -> Result<AccessToken, SessionError> {
    session.start(form.email).await
}

async fn me(claims: Claims) -> String {
    claims.subject().to_owned()
}

fn clock() -> ManualClock {
    ManualClock::new(Timestamp::from_secs(1_800_000_000))
}

fn app(clock: &ManualClock, change: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Router {
    let store = MemoryStore::builder().clock(clock.clone()).build();
    let auth = Auth::builder(&KeyRing::generate().unwrap())
        .issuer("https://id.example")
        .audience("api")
        .tokens(|tokens| tokens.clock(clock.clone()))
        .store(store.unwrap())
        .origins([PAGE.parse().unwrap()]);
    let auth = change(auth).build().unwrap();
    let api = Router::new()
        .route("/me", get(me))
        .route_layer(auth.bearer());
    api.merge(auth.routes().route("/login", post(login)))
        .layer(auth.headers())
}

fn browser(clock: &ManualClock) -> TestBrowser {
    TestBrowser::new(app(clock, |auth| auth), PAGE).clock(clock.clone())
}

async fn sign_in(browser: &mut TestBrowser) {
    let csrf = browser.get("/auth/csrf").send().await;
    csrf.expect_status(200);
    let login = browser.post("/auth/login").json(&json!({ "email": "ann" }));
    login.send().await.expect_status(200);
}

/// A service that answers with what it was asked, as JSON.
async fn echo(request: Request<String>) -> Result<Response<String>, Infallible> {
    let (head, body) = request.into_parts();
    let headers: serde_json::Map<String, Value> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().into()))
        .collect();
    let asked = json!({ "method": head.method.as_str(), "uri": head.uri.to_string(), "headers": headers, "body": body });
    Ok(Response::new(asked.to_string()))
}

fn echoing(origin: &str) -> TestBrowser {
    TestBrowser::with_body::<String, _, _>(service_fn(echo), origin)
}

#[tokio::test]
async fn a_session_lives_from_sign_in_to_sign_out() {
    let mut browser = browser(&clock());
    sign_in(&mut browser).await;
    assert_eq!(browser.get("/me").bearer().send().await.text(), "ann");
    let before = browser.access_token().unwrap().to_owned();
    browser
        .post("/auth/refresh")
        .send()
        .await
        .expect_status(200);
    assert_ne!(browser.access_token(), Some(&*before));
    browser.get("/me").bearer().send().await.expect_status(200);

    browser.post("/auth/logout").send().await.expect_status(204);
    let refused = browser
        .post("/auth/refresh")
        .send()
        .await
        .expect_status(401);
    assert_eq!(refused.json::<Value>()["code"], "no_session");
    // The page still has its token, which lives out its minutes.
    browser.get("/me").bearer().send().await.expect_status(200);
}

#[tokio::test]
async fn days_pass_by_the_clock_of_the_test() {
    let clock = clock();
    let mut browser = browser(&clock);
    sign_in(&mut browser).await;
    for _ in 0..6 {
        clock.advance(DAY);
        let old = browser.get("/me").bearer().send().await;
        assert_eq!(
            old.expect_status(401).rejection().unwrap().kind(),
            RejectionKind::InvalidToken
        );
        browser
            .post("/auth/refresh")
            .send()
            .await
            .expect_status(200);
        browser.get("/me").bearer().send().await.expect_status(200);
    }
    clock.advance(DAY);
    assert_eq!(
        browser.jar().header("/auth/refresh", clock_now(&clock)),
        None,
        "Max-Age is over"
    );
    let over = browser.post("/auth/refresh").send().await;
    assert!(over.status().is_client_error(), "{over:?}");
}

fn clock_now(clock: &ManualClock) -> Timestamp {
    tower_bearer::Clock::now(clock)
}

/// The cookies in the hands of another client, at a time of its own.
#[tokio::test]
async fn a_clone_is_a_thief_with_the_whole_jar() {
    let clock = clock();
    let mut browser = browser(&clock);
    sign_in(&mut browser).await;
    let mut thief = browser.clone().user_agent("thief");
    clock.advance(Duration::from_secs(600));
    browser
        .post("/auth/refresh")
        .send()
        .await
        .expect_status(200);
    clock.advance(Duration::from_secs(600));
    browser
        .post("/auth/refresh")
        .send()
        .await
        .expect_status(200);
    let caught = thief.post("/auth/refresh").send().await.expect_status(401);
    assert_eq!(caught.json::<Value>()["code"], "invalid_session");
    browser
        .post("/auth/refresh")
        .send()
        .await
        .expect_status(401);
}

#[tokio::test]
async fn a_request_says_what_a_script_of_the_page_says() {
    let mut browser = echoing(PAGE).user_agent("Firefox");
    let asked: Value = browser.get("/a?b=c").send().await.json();
    assert_eq!(
        (&asked["method"], &asked["uri"]),
        (&"GET".into(), &"/a?b=c".into())
    );
    let headers = json!({
        "host": "app.example",
        "user-agent": "Firefox",
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
    });
    assert_eq!(asked["headers"], headers);
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let asked: Value = browser.request(method.clone(), "/").send().await.json();
        assert_eq!(asked["headers"]["origin"], PAGE, "{method}");
        assert_eq!(asked["method"], method.as_str());
    }
    let methods = [
        browser.put("/").send().await,
        browser.patch("/").send().await,
        browser.delete("/").send().await,
    ];
    let methods = methods.map(|answer| {
        answer.json::<Value>()["method"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    assert_eq!(methods, ["PUT", "PATCH", "DELETE"]);
}

/// Browsers send Fetch Metadata to trustworthy addresses alone.
#[tokio::test]
async fn plain_http_hears_less() {
    for (origin, host, hears) in [
        ("http://app.example:8080", "app.example:8080", false),
        ("http://localhost:3000", "localhost:3000", true),
    ] {
        let asked: Value = echoing(origin).post("/").send().await.json();
        assert_eq!(asked["headers"]["host"], host);
        assert_eq!(asked["headers"]["origin"], origin);
        assert_eq!(
            asked["headers"].get("sec-fetch-site").is_some(),
            hears,
            "{origin}"
        );
    }
}

#[tokio::test]
async fn bodies_and_headers_are_those_of_the_test() {
    let mut browser = echoing(PAGE);
    let asked: Value = browser
        .post("/")
        .json(&json!({ "a": 1 }))
        .send()
        .await
        .json();
    assert_eq!(asked["body"], "{\"a\":1}");
    assert_eq!(asked["headers"]["content-type"], "application/json");
    let form = browser.post("/").form([("a", "1 &"), ("b", "2")]);
    let asked: Value = form.send().await.json();
    assert_eq!(asked["body"], "a=1+%26&b=2");
    assert_eq!(
        asked["headers"]["content-type"],
        "application/x-www-form-urlencoded"
    );
    let changed = browser
        .post("/")
        .body("text")
        .header(header::ORIGIN, "null");
    let asked: Value = changed.without(header::USER_AGENT).send().await.json();
    assert_eq!(asked["body"], "text");
    assert_eq!(asked["headers"]["origin"], "null");
    assert_eq!(asked["headers"].get("user-agent"), None);
    let asked: Value = browser.get("/").bearer_token("t").send().await.json();
    assert_eq!(asked["headers"]["authorization"], "Bearer t");
}

#[tokio::test]
async fn the_csrf_token_is_a_copy_of_the_cookie_unless_the_test_says_otherwise() {
    let mut browser = browser(&clock());
    let reason = |answer: tower_bearer::test_util::TestResponse| {
        let rejection = answer.expect_status(403).rejection().cloned();
        rejection
            .and_then(|rejection| rejection.csrf_reason())
            .unwrap()
    };
    // Without a visit there is no token.
    let early = browser.post("/auth/login").json(&json!({ "email": "ann" }));
    assert_eq!(reason(early.send().await), CsrfReason::CookieMissing);
    sign_in(&mut browser).await;
    assert_eq!(
        reason(browser.post("/auth/refresh").no_csrf().send().await),
        CsrfReason::TokenMissing
    );
    let wrong = browser.post("/auth/refresh").csrf("wrong").send().await;
    assert_ne!(reason(wrong), CsrfReason::TokenMissing);
    let token = browser.csrf_token().unwrap().to_owned();
    browser
        .post("/auth/refresh")
        .csrf(&token)
        .send()
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_csrf_cookie_of_another_name_is_found_by_it() {
    let clock = clock();
    let app = app(&clock, |auth| {
        auth.csrf(|csrf| {
            csrf.cookie_name("xsrf")
                .header_name(http::HeaderName::from_static("x-xsrf"))
        })
    });
    let mut browser = TestBrowser::new(app, PAGE).clock(clock);
    browser.get("/auth/csrf").send().await.expect_status(200);
    assert_eq!(browser.csrf_token(), None);
    browser = browser.csrf("__Host-xsrf", http::HeaderName::from_static("x-xsrf"));
    sign_in(&mut browser).await;
}

/// A script reads no such cookie, so its page sends what it was told.
#[tokio::test]
async fn a_hidden_csrf_cookie_is_not_copied() {
    let clock = clock();
    let app = app(&clock, |auth| auth.csrf(|csrf| csrf.http_only()));
    let mut browser = TestBrowser::new(app, PAGE).clock(clock);
    let told: Value = browser.get("/auth/csrf").send().await.json();
    assert_eq!(browser.csrf_token(), None);
    let request = browser.post("/auth/login").json(&json!({ "email": "ann" }));
    request.send().await.expect_status(403);
    let request = browser.post("/auth/login").json(&json!({ "email": "ann" }));
    let request = request.csrf(told["csrf_token"].as_str().unwrap());
    request.send().await.expect_status(200);
}

#[tokio::test]
async fn a_foreign_page_is_refused_and_has_no_cookies() {
    let mut browser = browser(&clock());
    sign_in(&mut browser).await;
    let foreign = browser
        .post("/auth/logout")
        .from_foreign_page("https://evil.example");
    let refused = foreign.send().await.expect_status(403);
    assert_eq!(
        refused.rejection().unwrap().kind(),
        RejectionKind::ForeignOrigin
    );
    browser
        .post("/auth/refresh")
        .send()
        .await
        .expect_status(200);

    let mut browser = echoing(PAGE);
    let asked: Value = browser
        .get("/")
        .from_foreign_page("https://evil.example")
        .send()
        .await
        .json();
    assert_eq!(asked["headers"]["origin"], "https://evil.example");
    assert_eq!(asked["headers"]["sec-fetch-site"], "cross-site");
}

#[tokio::test]
async fn cookies_that_last_until_the_browser_closes_end_there() {
    let mut browser = browser(&clock());
    sign_in(&mut browser).await;
    browser.close();
    assert_eq!(
        (
            browser.access_token(),
            browser.jar().value("__Host-csrf").is_some()
        ),
        (None, true)
    );
    // The session goes on: it has a time of its own.
    browser
        .post("/auth/refresh")
        .send()
        .await
        .expect_status(200);
    assert!(browser.access_token().is_some());
}

#[tokio::test]
async fn a_cookie_that_was_changed_is_refused() {
    let mut browser = browser(&clock());
    sign_in(&mut browser).await;
    browser
        .jar_mut()
        .replace("__Secure-refresh_token", "forged");
    browser
        .post("/auth/refresh")
        .send()
        .await
        .expect_status(403);
}

#[tokio::test]
async fn an_extension_reaches_the_handler() {
    let app: Router = Router::new().route("/me", get(me));
    let mut browser = TestBrowser::new(app, PAGE);
    let context = acting_as("bob", NoClaims {}).context();
    let answer = browser.get("/me").extension(context).send().await;
    assert_eq!(answer.text(), "bob");
}

/// Any service does, whatever its body is.
#[tokio::test]
async fn services_of_every_kind_are_asked() {
    let full = service_fn(|request: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let mut browser = TestBrowser::with_body::<Full<Bytes>, _, _>(full, PAGE);
    assert_eq!(browser.post("/").body("a").send().await.bytes(), "a");
    let axum = service_fn(|request: Request<Body>| async {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let mut browser = TestBrowser::with_body::<Body, _, _>(axum, PAGE);
    assert_eq!(browser.post("/").body("b").send().await.text(), "b");
    let boxed = service_fn(|request: Request<TestBody>| async {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let mut browser = TestBrowser::new(boxed.boxed_clone(), PAGE);
    assert_eq!(browser.post("/").body("c").send().await.text(), "c");
}

/// A rendered page, whose form has its token in a field.
#[tokio::test]
async fn a_form_carries_its_token_in_a_field() {
    let clock = clock();
    let store = MemoryStore::builder().clock(clock.clone()).build().unwrap();
    let auth = Auth::builder(&KeyRing::generate().unwrap())
        .issuer("https://id.example")
        .audience("api")
        .tokens(|tokens| tokens.clock(clock.clone()))
        .store(store)
        .same_origin()
        .build()
        .unwrap();
    let page = |csrf: CsrfToken| async move { csrf.masked().unwrap() };
    let login = |session: Session| async move { session.start("ann").await };
    let routes = auth.routes().form_field("csrf_token").unwrap();
    let routes = routes
        .route("/page", get(page))
        .route("/login", post(login));
    let mut browser = TestBrowser::new(Router::new().merge(routes), PAGE).clock(clock);
    let token = browser.get("/auth/page").send().await.text().to_owned();
    let form = |token: String| [("csrf_token", token)];
    let request = browser.post("/auth/login").form(form(token.clone()));
    request.no_csrf().send().await.expect_status(200);
    let request = browser.post("/auth/login").form(form("wrong".into()));
    request.no_csrf().send().await.expect_status(403);
}

#[tokio::test]
#[should_panic(expected = "Sign in or refresh before")]
async fn a_bearer_token_that_never_came_is_named() {
    let _ = echoing(PAGE).get("/").bearer();
}

#[tokio::test]
#[should_panic(expected = "goes to a path such as /auth/refresh")]
async fn a_whole_address_is_refused() {
    let _ = echoing(PAGE).get("https://app.example/me");
}

#[tokio::test]
#[should_panic(expected = "the service failed without an answer: broken for the test")]
async fn a_service_that_fails_fails_the_test() {
    let service = service_fn(|_: Request<TestBody>| async {
        Err::<Response<String>, _>("broken for the test")
    });
    TestBrowser::new(service, PAGE).get("/").send().await;
}

#[tokio::test]
#[should_panic(expected = "refused: the request carries no bearer token")]
async fn a_status_that_is_another_is_shown_with_its_reason() {
    browser(&clock()).get("/me").send().await.expect_status(200);
}

#[tokio::test]
#[should_panic(expected = "no such JSON")]
async fn an_answer_that_is_no_json_is_shown() {
    let _ = TestBrowser::new(Router::new(), PAGE)
        .get("/")
        .send()
        .await
        .json::<Value>();
}

/// The cookie of a page on plain http is one that no browser keeps.
#[tokio::test]
async fn a_cookie_that_a_browser_drops_is_told() {
    let clock = clock();
    let app = app(&clock, |auth| auth);
    let mut browser = TestBrowser::new(app, "http://app.example").clock(clock);
    let answer = browser.get("/auth/csrf").send().await.expect_status(200);
    let [dropped] = answer.dropped_cookies() else {
        panic!("{answer:?}")
    };
    assert!(
        dropped.starts_with("__Host-csrf: it is Secure"),
        "{dropped}"
    );
    assert!(format!("{answer:?}").contains("a browser drops the cookie __Host-csrf"));
    assert!(browser.jar().is_empty());
}

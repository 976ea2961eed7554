//! The whole life of a session, through a real server over a socket, with a clock that stands still.
//!
//! It is told over every store of the crate: `crate::backing` is what sets one up.
//!
//! Each chapter asserts what a client sees: status, body, every attribute of the cookie,
//! `Cache-Control` and the challenge.

mod client;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use client::{Answer, Client};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceBuilder;
use tower_bearer::{
    AccessToken, BearerAuthLayer, Claims, ClaimsError, ClaimsRequest, Event, EventSink, KeyRing,
    OriginGuardLayer, RefreshCookieLayer, Session, SessionEndpoints, Timestamp, TokenCodec,
};

use crate::backing::Backing;

const START: u64 = 1_800_000_000;
const WEEK: u64 = 7 * 24 * 60 * 60;
const LAPTOP: &str = "Laptop/1.0";
const PHONE: &str = "Phone/2.0";

#[derive(Serialize, Deserialize)]
struct Role {
    role: String,
}

#[derive(Deserialize)]
struct Login {
    user: String,
    password: String,
}

async fn login(
    session: Session,
    Json(login): Json<Login>,
) -> axum::response::Result<Json<AccessToken>> {
    if login.password != "right" {
        return Err(StatusCode::UNAUTHORIZED.into());
    }
    Ok(Json(session.start(&login.user).await?))
}

async fn profile(claims: Claims<Role>) -> Json<Value> {
    Json(json!({
        "subject": claims.subject(),
        "role": claims.custom().role,
        "session": claims.session(),
    }))
}

/// The server and what the test knows about it.
struct World {
    address: SocketAddr,
    clock: Backing,
    events: Arc<Mutex<Vec<String>>>,
}

impl World {
    async fn new() -> Self {
        let (store, clock) = Backing::new(Timestamp::from_secs(START)).await;
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = events.clone();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();

        let codec = TokenCodec::<Role>::nested(&KeyRing::generate().unwrap())
            .issuer("https://id.example")
            .audience("api")
            .leeway(Duration::ZERO)
            .clock(clock.clone())
            .build()
            .unwrap();
        let claims = |request: ClaimsRequest| async move {
            match request.subject() {
                "ann" => Ok(Role {
                    role: "admin".into(),
                }),
                "bob" => Ok(Role {
                    role: "reader".into(),
                }),
                _ => Err(ClaimsError::Denied),
            }
        };
        let sessions = RefreshCookieLayer::builder(codec.clone(), store, claims)
            .events(EventSink::new(move |event| {
                heard.lock().unwrap().push(name(event))
            }))
            .build()
            .unwrap();
        let origin = format!("http://{address}").parse().unwrap();
        let auth = Router::new()
            .route("/login", post(login))
            .fallback_service(SessionEndpoints::new())
            .layer(
                ServiceBuilder::new()
                    .layer(OriginGuardLayer::new([origin]).unwrap())
                    .layer(sessions),
            );
        let app = Router::new()
            .route("/api/profile", get(profile))
            .route_layer(BearerAuthLayer::new(codec))
            .nest("/auth", auth);
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            clock,
            events,
        }
    }

    fn client(&self, user_agent: &'static str) -> Client {
        Client::new(self.address, user_agent)
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// The events since the last look.
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }

    /// Seconds since the story began.
    fn age(&self) -> u64 {
        use tower_bearer::Clock;

        self.clock.now().as_secs() - START
    }
}

fn name(event: &Event<'_>) -> String {
    match event {
        Event::Started { subject, .. } => format!("started {subject}"),
        Event::Refreshed { outcome, .. } => outcome.to_string(),
        Event::ReuseDetected {
            subject,
            held_by,
            presented_by,
            expected_generation,
            presented_generation,
            ..
        } => {
            let client = if held_by == presented_by {
                "same"
            } else {
                "other"
            };
            format!(
                "reuse {subject} by {client} client, \
                 {presented_generation} instead of {expected_generation}"
            )
        }
        Event::Revoked { reason, .. } => format!("revoked {reason:?}"),
        Event::Denied { subject, .. } => format!("denied {subject}"),
        Event::Rejected(rejection) => format!("rejected {:?}", rejection.kind()),
        Event::SessionRefused { call, error, .. } => format!("refused {call} {:?}", error.kind()),
        other => format!("{other:?}"),
    }
}

/// The refresh cookie and the jar cookie with these attributes and no others, and with this lifetime. Returns
/// the value of the former.
#[track_caller]
fn assert_cookie(answer: &Answer, max_age: u64) -> String {
    let cookies = answer.cookies();
    let names: Vec<_> = cookies.iter().map(|cookie| &*cookie.name).collect();
    // The jar cookie goes with a sign-in, and with what clears.
    let whole = [client::COOKIE, client::JAR];
    let both = max_age == WEEK || max_age == 0;
    let wanted = if both { &whole[..] } else { &whole[..1] };
    assert_eq!(names, wanted, "{answer:?}");
    for cookie in &cookies {
        let attribute = |name: &str| cookie.attributes.get(name).cloned();
        assert_eq!(attribute("httponly"), Some(None));
        assert_eq!(attribute("secure"), Some(None));
        assert_eq!(attribute("samesite"), Some(Some("Strict".into())));
        assert_eq!(attribute("path"), Some(Some("/auth".into())));
        assert_eq!(attribute("max-age"), Some(Some(max_age.to_string())));
        assert_eq!(cookie.attributes.len(), 5, "{cookie:?}");
        assert!(cookie.value.len() < 512, "{} bytes", cookie.value.len());
        assert_eq!(cookie.value.is_empty(), max_age == 0);
    }
    cookies[0].value.clone()
}

/// Clearing repeats name, path and attributes.
#[track_caller]
fn assert_cleared(answer: &Answer) {
    assert_cookie(answer, 0);
}

#[track_caller]
fn assert_keeps_cookie(answer: &Answer) {
    assert_eq!(answer.header("set-cookie"), None);
}

/// The token response of RFC 6749 section 5.1, and the token in it.
#[track_caller]
fn assert_token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("www-authenticate"), None);
    let body = answer.json();
    let members: BTreeSet<&str> = body
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let expected = BTreeSet::from([
        "access_token",
        "token_type",
        "expires_in",
        "session",
        "session_expires_in",
    ]);
    assert_eq!(members, expected);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 900);
    body["access_token"].as_str().unwrap().to_owned()
}

/// A failure of the session endpoints (RFC 9457).
#[track_caller]
fn assert_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["status"], status);
    assert_eq!(body["code"], code);
    assert!(!body["title"].as_str().unwrap().is_empty());
    // A 401 has a challenge, of a scheme that opens no prompt in any browser.
    let challenge = (status == 401).then_some("Cookie realm=\"session\"");
    assert_eq!(answer.header("www-authenticate"), challenge);
}

#[track_caller]
fn assert_no_content(answer: &Answer) {
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.body, "");
}

/// The answer of the bearer layer.
#[track_caller]
fn assert_challenge(answer: &Answer, challenge: &str) {
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(answer.header("www-authenticate"), Some(challenge));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.body.contains("_token\""), "{answer:?}");
}

async fn sign_in(client: &mut Client, user: &str) -> String {
    let body = json!({ "user": user, "password": "right" });
    let answer = client.post_json("/auth/login", &body).await;
    assert_cookie(&answer, WEEK);
    assert_token(&answer)
}

#[track_caller]
fn assert_profile(answer: &Answer, subject: &str, role: &str) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["subject"], subject);
    assert_eq!(body["role"], role);
    body["session"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn from_sign_in_to_sign_out_everywhere() {
    let world = World::new().await;
    no_user_is_signed_in(&world).await;
    let mut laptop = world.client(LAPTOP);
    let first = signing_in_and_expiry(&world, &mut laptop).await;
    replays_of_the_same_client(&world, &mut laptop, &first).await;
    a_thief_on_another_client(&world, &mut laptop, &first).await;
    let mut phone = world.client(PHONE);
    let mut bob = world.client(PHONE);
    the_list_of_sessions(&world, &mut laptop, &mut phone, &mut bob).await;
    signing_out(&world, &mut laptop).await;
    signing_out_everywhere(&world, &mut laptop, &mut phone, &mut bob).await;
    the_end_of_a_session(&world, &mut bob).await;
}

async fn no_user_is_signed_in(world: &World) {
    let mut client = world.client(LAPTOP);
    let answer = client.get("/api/profile").await;
    assert_challenge(&answer, "Bearer realm=\"api\"");

    let answer = client.post("/auth/refresh").await;
    assert_problem(&answer, 401, "no_session");
    assert_keeps_cookie(&answer);
    assert_problem(&client.get("/auth/sessions").await, 401, "no_session");
    assert_problem(&client.post("/auth/logout-all").await, 401, "no_session");

    // Signing out is idempotent, and clears whatever there may be.
    let answer = client.post("/auth/logout").await;
    assert_no_content(&answer);
    assert_cleared(&answer);

    let wrong = json!({ "user": "ann", "password": "wrong" });
    let answer = client.post_json("/auth/login", &wrong).await;
    assert_eq!(answer.status, 401);
    assert_keeps_cookie(&answer);
    let heard = ["refresh", "list", "end_all"].map(|call| format!("refused {call} NoSession"));
    assert_eq!(world.heard(), heard);

    let garbage = Some("AAAA".to_owned());
    client.cookie = garbage.clone();
    let answer = client.post("/auth/refresh").await;
    assert_problem(&answer, 401, "invalid_session");
    assert_keeps_cookie(&answer);
    assert_eq!(client.cookie, garbage);
    assert_eq!(world.heard(), ["refused refresh Invalid"]);

    // Routes that are not offered.
    let answer = client.get("/auth/refresh").await;
    assert_problem(&answer, 405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_problem(&client.post("/auth/other").await, 404, "not_found");
    client.origin = Some("https://evil.example".into());
    for path in ["/auth/login", "/auth/refresh", "/auth/logout"] {
        let answer = client.post(path).await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.header("vary"), Some("Origin, Sec-Fetch-Site"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("www-authenticate"), None);
        assert_keeps_cookie(&answer);
    }
    // With a cookie and nothing that tells where it comes from, it is suspicious.
    client.origin = None;
    assert_eq!(client.post("/auth/refresh").await.status, 403);
}

/// Leaves the laptop with its second refresh token, and returns the first.
async fn signing_in_and_expiry(world: &World, laptop: &mut Client) -> String {
    let token = sign_in(laptop, "ann").await;
    let first = laptop.cookie.clone().unwrap();
    assert_eq!(world.heard(), ["started ann"]);
    let answer = laptop.get_with("/api/profile", &token).await;
    let session = assert_profile(&answer, "ann", "admin");

    // Good up to the last millisecond, and not one longer.
    world.clock.advance(Duration::from_millis(899_999));
    let answer = laptop.get_with("/api/profile", &token).await;
    assert_profile(&answer, "ann", "admin");
    world.clock.advance(Duration::from_millis(1));
    let answer = laptop.get_with("/api/profile", &token).await;
    assert_challenge(&answer, "Bearer realm=\"api\", error=\"invalid_token\"");

    let answer = laptop.post("/auth/refresh").await;
    let renewed = assert_token(&answer);
    let second = assert_cookie(&answer, WEEK - 900);
    assert_ne!(second, first);
    assert_ne!(renewed, token);
    assert_eq!(world.heard(), ["rotated"]);
    // The session is the same one.
    let answer = laptop.get_with("/api/profile", &renewed).await;
    assert_eq!(assert_profile(&answer, "ann", "admin"), session);

    // Tokens of one kind are worth nothing as the other.
    let answer = laptop.get_with("/api/profile", &second).await;
    assert_challenge(&answer, "Bearer realm=\"api\", error=\"invalid_token\"");
    let mut confused = laptop.clone();
    confused.cookie = Some(renewed);
    let answer = confused.post("/auth/refresh").await;
    assert_problem(&answer, 401, "invalid_session");
    assert_eq!(world.heard(), ["refused refresh Invalid"]);
    first
}

async fn replays_of_the_same_client(world: &World, laptop: &mut Client, first: &str) {
    // Another tab of the same browser still had the first token in its hands.
    world.pass(5);
    let mut tab = laptop.clone();
    tab.cookie = Some(first.to_owned());
    let answer = tab.post("/auth/refresh").await;
    assert_token(&answer);
    let replayed = assert_cookie(&answer, WEEK - world.age());
    assert_ne!(replayed, first);
    assert_eq!(world.heard(), ["replayed"]);

    // The replay gave the current token: it comes too soon to rotate, and is honoured.
    let answer = tab.post("/auth/refresh").await;
    let token = assert_token(&answer);
    assert_keeps_cookie(&answer);
    assert_eq!(world.heard(), ["coalesced"]);
    let answer = tab.get_with("/api/profile", &token).await;
    assert_profile(&answer, "ann", "admin");
    // And so is what the first tab has.
    assert_token(&laptop.post("/auth/refresh").await);
    assert_eq!(world.heard(), ["coalesced"]);
}

async fn a_thief_on_another_client(world: &World, laptop: &mut Client, first: &str) {
    for _ in 0..2 {
        // The store's time goes on by itself for as long as a call takes. A second more makes the minute sure.
        world.pass(61);
        assert_token(&laptop.post("/auth/refresh").await);
    }
    world.pass(1);
    let token = assert_token(&laptop.post("/auth/refresh").await);
    world.heard();

    let mut thief = world.client("Thief/6.6");
    thief.cookie = Some(first.to_owned());
    thief.jar.clone_from(&laptop.jar);
    let answer = thief.post("/auth/refresh").await;
    assert_problem(&answer, 401, "invalid_session");
    assert_cleared(&answer);
    let heard = world.heard();
    assert!(
        heard.contains(&"reuse ann by other client, 0 instead of 3".to_owned()),
        "{heard:?}"
    );
    assert!(heard.contains(&"revoked Reuse".to_owned()), "{heard:?}");

    // The victim's newest token is dead as well, and raises no second alarm.
    let newest = laptop.cookie.clone();
    let answer = laptop.post("/auth/refresh").await;
    assert_problem(&answer, 401, "invalid_session");
    assert_cleared(&answer);
    assert_eq!(laptop.cookie, None);
    for path in ["/auth/sessions", "/auth/nothing"] {
        laptop.cookie = newest.clone();
        let answer = laptop.get(path).await;
        assert!(matches!(answer.status, 401 | 404), "{answer:?}");
    }
    thief.cookie = newest;
    assert_problem(&thief.post("/auth/refresh").await, 401, "invalid_session");
    let heard = world.heard();
    assert!(
        heard.iter().all(|event| !event.starts_with("reuse")),
        "{heard:?}"
    );
    laptop.cookie = None;

    // An access token that is out lives until it expires: verified without a look at the store.
    let answer = laptop.get_with("/api/profile", &token).await;
    assert_profile(&answer, "ann", "admin");
}

async fn the_list_of_sessions(
    world: &World,
    laptop: &mut Client,
    phone: &mut Client,
    bob: &mut Client,
) {
    let here = sign_in(laptop, "ann").await;
    let opened = START + world.age();
    world.pass(10);
    let there = sign_in(phone, "ann").await;
    sign_in(bob, "bob").await;
    let here = assert_profile(
        &laptop.get_with("/api/profile", &here).await,
        "ann",
        "admin",
    );
    let there = assert_profile(
        &phone.get_with("/api/profile", &there).await,
        "ann",
        "admin",
    );

    let answer = laptop.get("/auth/sessions").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_keeps_cookie(&answer);
    assert_eq!(
        answer.json(),
        json!({ "sessions": [
            {
                "id": here,
                "current": true,
                "created_at": opened,
                // Of the session that asks: now, and rounded up to the hour.
                "last_seen_at": opened + 10,
                "expires_at": (opened + 10 + WEEK).div_ceil(3600) * 3600,
                "client": LAPTOP,
            },
            {
                "id": there,
                "current": false,
                "created_at": opened + 10,
                "last_seen_at": opened + 10,
                "expires_at": opened + 10 + WEEK,
                "client": PHONE,
            },
        ]})
    );

    // The answer does not tell another user's id, an unknown id and nonsense apart.
    let theirs = bob.get("/auth/sessions").await.json();
    let theirs = theirs["sessions"][0]["id"].as_str().unwrap();
    for id in [theirs, "AAAAAAAAAAAAAAAAAAAAAA", "nonsense"] {
        let answer = laptop.delete(&format!("/auth/sessions/{id}")).await;
        assert_problem(&answer, 404, "not_found");
        assert_keeps_cookie(&answer);
    }

    world.heard();
    let path = format!("/auth/sessions/{there}");
    let answer = laptop.delete(&path).await;
    assert_no_content(&answer);
    assert_keeps_cookie(&answer);
    assert_eq!(world.heard(), ["revoked RevokedByOwner"]);
    assert_problem(&laptop.delete(&path).await, 404, "not_found");
    let answer = phone.post("/auth/refresh").await;
    assert_problem(&answer, 401, "invalid_session");
    assert_cleared(&answer);
    let list = laptop.get("/auth/sessions").await.json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
    assert_token(&bob.post("/auth/refresh").await);
}

async fn signing_out(world: &World, laptop: &mut Client) {
    let mut kept = laptop.clone();
    world.heard();
    let answer = laptop.post("/auth/logout").await;
    assert_no_content(&answer);
    assert_cleared(&answer);
    assert_eq!(laptop.cookie, None);
    assert_eq!(world.heard(), ["revoked SignedOut"]);

    // The server forgot the session, not just the browser.
    let answer = kept.clone().post("/auth/refresh").await;
    assert_problem(&answer, 401, "invalid_session");
    assert_cleared(&answer);
    // Once more, with a dead cookie and with none.
    assert_no_content(&kept.post("/auth/logout").await);
    assert_no_content(&laptop.post("/auth/logout").await);
    assert_eq!(world.heard(), ["refused refresh Revoked"]);
}

async fn signing_out_everywhere(
    world: &World,
    laptop: &mut Client,
    phone: &mut Client,
    bob: &mut Client,
) {
    sign_in(laptop, "ann").await;
    sign_in(phone, "ann").await;
    let mut kept = laptop.clone();
    let answer = laptop.post("/auth/logout-all").await;
    assert_no_content(&answer);
    assert_cleared(&answer);
    for client in [phone, &mut kept] {
        let answer = client.post("/auth/refresh").await;
        assert_problem(&answer, 401, "invalid_session");
        assert_cleared(&answer);
    }
    assert_problem(&laptop.post("/auth/logout-all").await, 401, "no_session");
    // Others are not touched.
    world.pass(120);
    assert_token(&bob.post("/auth/refresh").await);
    // And the way back in is open.
    sign_in(laptop, "ann").await;
}

async fn the_end_of_a_session(world: &World, bob: &mut Client) {
    // Refreshed to the last, a session dies at its absolute end, and `Max-Age` says so beforehand.
    sign_in(bob, "bob").await;
    for day in 1..7 {
        world.pass(24 * 60 * 60);
        let answer = bob.post("/auth/refresh").await;
        assert_token(&answer);
        assert_cookie(&answer, WEEK - day * 24 * 60 * 60);
    }
    world.pass(24 * 60 * 60);
    let answer = bob.post("/auth/refresh").await;
    assert_problem(&answer, 401, "invalid_session");
    // The cookies have ended by themselves, in the browser too.
    assert_keeps_cookie(&answer);
    (bob.cookie, bob.jar) = (None, None);

    // A subject that the application refuses gets nothing.
    let body = json!({ "user": "eve", "password": "right" });
    let answer = bob.post_json("/auth/login", &body).await;
    assert_problem(&answer, 401, "invalid_session");
    assert_eq!(bob.cookie, None);
}

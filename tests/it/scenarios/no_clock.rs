//! The answer of each endpoint to a token that may be stolen. `DESIGN.md` has the table, which is held to this.

use std::{fs, path::Path, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};
use tower_bearer::{CsrfLayer, SessionEndpoints};

use crate::support::world::{Browser, COOKIE, START, World};

const HOUR: u64 = 3600;
const IDLE: u64 = 2 * HOUR;
/// When the owner's browser rotates, after the sign-in, in the two worlds. One is before a whole hour and one behind
/// it.
const ROTATED: [u64; 2] = [HOUR - 10, HOUR + 5];
/// Within the window, and the interval, of both.
const SOON: u64 = HOUR + 10;
/// Later than both.
const LATER: u64 = HOUR + 150;

/// A token that is stolen: its name, its age in rotations, its bearer, and when it comes.
type Token = (&'static str, usize, Bearer, u64);

#[derive(Clone, Copy, Debug)]
enum Bearer {
    /// The whole jar, and the `User-Agent` of the owner's browser.
    Twin,
    /// The whole jar, and another `User-Agent`.
    Other,
    /// The refresh cookie alone.
    WithoutJar,
}

const TOKENS: [Token; 10] = [
    ("current, within `M`", 0, Bearer::Twin, SOON),
    (
        "current, within `M`, another fingerprint",
        0,
        Bearer::Other,
        SOON,
    ),
    ("current", 0, Bearer::Twin, LATER),
    ("current, another fingerprint", 0, Bearer::Other, LATER),
    ("previous, in the window", 1, Bearer::Twin, SOON),
    (
        "previous, in the window, another fingerprint",
        1,
        Bearer::Other,
        SOON,
    ),
    ("previous, later", 1, Bearer::Twin, LATER),
    (
        "previous, later, another fingerprint",
        1,
        Bearer::Other,
        LATER,
    ),
    ("older", 2, Bearer::Twin, LATER),
    ("current, without the jar", 0, Bearer::WithoutJar, LATER),
];

const OWN: &str = "{its own id}";
const OTHER: &str = "{another id}";
const UNKNOWN: &str = "{unknown id}";

const CALLS: [(Method, &str); 9] = [
    (Method::POST, "/refresh"),
    (Method::GET, "/session"),
    (Method::GET, "/sessions"),
    (Method::DELETE, OWN),
    (Method::DELETE, OTHER),
    (Method::DELETE, UNKNOWN),
    (Method::POST, "/logout"),
    (Method::POST, "/logout-all"),
    (Method::GET, "/csrf"),
];

/// The content of an answer, without random parts.
#[derive(Debug, PartialEq)]
struct Shown {
    status: StatusCode,
    headers: Vec<(String, String)>,
    body: Value,
}

impl Shown {
    fn new(status: StatusCode, headers: &HeaderMap, mut body: Value) -> Self {
        blind(&mut body);
        let mut shown: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap()))
            .map(|(name, value)| match value.split_once('=') {
                // A cookie's value.
                Some((cookie, rest)) if name == "set-cookie" => {
                    let (value, attributes) = rest.split_once(';').unwrap();
                    let value = if value.is_empty() { "" } else { "*" };
                    (name, format!("{cookie}={value};{attributes}"))
                }
                _ => (name, value.to_owned()),
            })
            .collect();
        shown.sort();
        Self {
            status,
            headers: shown,
            body,
        }
    }

    fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(named, _)| named == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// Checks the parts that all answers share.
    fn check(&self) {
        assert_eq!(self.header("cache-control"), ["no-store"], "{self:?}");
        let retry: &[&str] = if self.status == 409 { &["1"] } else { &[] };
        assert_eq!(self.header("retry-after"), retry, "{self:?}");
        let challenges = usize::from(self.status == 401);
        assert_eq!(
            self.header("www-authenticate").len(),
            challenges,
            "{self:?}"
        );
        let known = [
            "cache-control",
            "content-type",
            "retry-after",
            "set-cookie",
            "www-authenticate",
            // The CSRF token's own.
            "cross-origin-resource-policy",
            "vary",
            "x-content-type-options",
        ];
        for (name, _) in &self.headers {
            assert!(known.contains(&name.as_str()), "{name}: {self:?}");
        }
        if self.status.is_client_error() {
            let mut members: Vec<_> = self.body.as_object().unwrap().keys().collect();
            members.sort();
            assert_eq!(members, ["code", "status", "title", "type"]);
        }
    }
}

/// Replaces what is random, and names no time.
fn blind(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(blind),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "access_token" | "csrf_token" | "id" | "session" => *member = json!("*"),
                    _ => blind(member),
                }
            }
        }
        _ => {}
    }
}

fn world() -> World {
    World::with(|builder| builder.idle_lifetime(Duration::from_secs(IDLE)))
}

/// The answer to `call` with `token`, and what became of the session. The owner's browser has rotated at `rotated`.
async fn ask(call: &(Method, &str), token: Token, rotated: u64) -> (Shown, &'static str) {
    let (_, age, kind, at) = token;
    let world = world();
    world.signed_in("ada").await;
    let other = world.store.last_key();
    let mut owner = world.signed_in("ada").await;
    let mut tokens = vec![owner.clone()];
    for at in [60, rotated] {
        world.clock.set(START + Duration::from_secs(at));
        assert_eq!(owner.refresh(&world).await.status, 200);
        tokens.insert(0, owner.clone());
    }
    world.clock.set(START + Duration::from_secs(at));
    let mut bearer = tokens[age].clone();
    match kind {
        Bearer::Twin => {}
        Bearer::Other => bearer = bearer.thief(),
        Bearer::WithoutJar => bearer = bearer.without_jar(),
    }
    let (method, path) = call;
    let path = match *path {
        OWN => format!("/sessions/{}", world.store.last_key().id()),
        OTHER => format!("/sessions/{}", other.id()),
        UNKNOWN => "/sessions/AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        path => path.to_owned(),
    };
    let request = bearer.request(method.clone(), &path);
    let request = request.body(Full::default()).unwrap();
    let shown = if path == "/csrf" {
        csrf(&world, request).await
    } else {
        let reply = world.send(request).await;
        Shown::new(reply.status, &reply.headers, reply.body)
    };
    let became = match (
        world.count("ReuseDetected"),
        world.store.last().await.is_live(),
    ) {
        (0, true) => "",
        (0, false) => ", ends it",
        (1, false) => ", alarm",
        other => panic!("{other:?}"),
    };
    (shown, became)
}

async fn csrf(world: &World, request: Request<Full<Bytes>>) -> Shown {
    let layer = CsrfLayer::new(&world.keys).unwrap();
    let service = world.layer.layer(layer.layer(SessionEndpoints::new()));
    let response = service.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = serde_json::from_str(&body).unwrap();
    Shown::new(parts.status, &parts.headers, body)
}

fn cell(shown: &Shown, became: &str, tells_time: bool) -> String {
    let code = shown.body["code"].as_str();
    let cookies = shown.header(header::SET_COOKIE.as_str());
    let refresh = cookies.iter().find_map(|line| {
        let value = line.strip_prefix(COOKIE)?.strip_prefix('=')?;
        Some(if value.starts_with('*') {
            ", cookie"
        } else {
            ", clears"
        })
    });
    [
        shown.status.as_str(),
        &code.map_or(String::new(), |code| format!(" `{code}`")),
        refresh.unwrap_or(""),
        became,
        if tells_time { ", **time**" } else { "" },
    ]
    .concat()
}

/// Each call with each token in two worlds, which differ in when the owner's browser rotated, and in nothing else.
#[tokio::test(start_paused = true)]
async fn a_token_shows_only_the_tables_entries_and_no_look_tells_the_time() {
    let mut table = String::from("| call |");
    for (name, ..) in TOKENS {
        table += &format!(" {name} |");
    }
    table += "\n|---|";
    table += &"---|".repeat(TOKENS.len());
    for call in &CALLS {
        let path = match call.1.strip_prefix('{') {
            Some(_) => format!("/sessions/{}", call.1),
            None => call.1.to_owned(),
        };
        table += &format!("\n| `{} {path}` |", call.0);
        for token in TOKENS {
            let (one, became) = ask(call, token, ROTATED[0]).await;
            let (two, also) = ask(call, token, ROTATED[1]).await;
            one.check();
            assert_eq!(
                (became, one.status),
                (also, two.status),
                "{call:?} {token:?}"
            );
            let tells_time = one != two;
            // A refresh gives the token away that it is made with; a look does not.
            assert!(
                !tells_time || call.1 == "/refresh",
                "{call:?} {token:?}\n{one:?}\n{two:?}"
            );
            table += &format!(" {} |", cell(&one, became, tells_time));
        }
    }
    let design = Path::new(env!("CARGO_MANIFEST_DIR")).join("DESIGN.md");
    let design = fs::read_to_string(design).unwrap();
    for line in table.lines() {
        assert!(
            design.lines().any(|own| own == line),
            "DESIGN.md lacks a line:\n{line}\n\nof\n\n{table}"
        );
    }
}

/// The entry of the session that asks, and what a look shows: functions of the present time alone.
fn expected(now: u64, body: &Value) -> (Value, Value) {
    let start = START.as_secs();
    let end = (now + IDLE).div_ceil(HOUR) * HOUR;
    let (id, client) = (&body["id"], &body["client"]);
    let entry = json!({
        "id": id, "current": true, "created_at": start, "last_seen_at": now, "expires_at": end, "client": client,
    });
    let look = json!({ "id": id, "subject": "ada", "created_at": start, "expires_at": end });
    (entry, look)
}

/// Looks at the session with a stolen token: what it sees is what the present time alone says.
async fn sees_nothing(world: &World, thief: &Browser, now: u64) {
    let list = thief.clone().call(world, Method::GET, "/sessions").await;
    let look = thief.clone().call(world, Method::GET, "/session").await;
    assert_eq!((list.status.as_u16(), look.status.as_u16()), (200, 200));
    let sessions = list.body["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let (entry, looked) = expected(START.as_secs() + now, &sessions[0]);
    assert_eq!(
        (&sessions[0], &look.body),
        (&entry, &looked),
        "after {now} s"
    );
    for reply in [&list, &look] {
        assert!(reply.set_cookie().is_none());
    }
}

/// The whole jar and the same `User-Agent`, every 20 seconds for hours.
#[tokio::test(start_paused = true)]
async fn a_thief_who_only_looks_learns_that_he_is_refused_and_nothing_else() {
    let world = world();
    let mut phone = world.signed_in("ada").await;
    let mut owner = world.signed_in("ada").await;
    let mut now = 0;
    for _ in 0..10 {
        let thief = owner.clone();
        let before = world.store.last().await;
        for _ in 0..45 {
            now += 20;
            world.secs(20);
            sees_nothing(&world, &thief, now).await;
        }
        assert!(world.store.last().await == before, "a look writes nothing");
        assert_eq!(phone.refresh(&world).await.status, 200);
        let reply = owner.refresh(&world).await;
        assert!(
            reply.set_cookie().is_some(),
            "the owner's browser has rotated"
        );
        now += 20;
        world.secs(20);
        sees_nothing(&world, &thief, now).await;
        now += 20;
        world.secs(20);
        for path in ["/sessions", "/session"] {
            let reply = thief.clone().call(&world, Method::GET, path).await;
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (409, "refresh_first")
            );
        }
    }
    assert_eq!(world.count("ReuseDetected"), 0);
}

#[tokio::test]
async fn a_look_a_list_and_an_end_with_an_old_token_revoke_and_tell_once() {
    let calls = [
        (Method::GET, "/session", ""),
        (Method::GET, "/sessions", ""),
        (Method::DELETE, "/sessions/", "AAAAAAAAAAAAAAAAAAAAAA"),
    ];
    for (method, path, id) in calls {
        let world = world();
        let mut owner = world.signed_in("ada").await;
        let old = owner.clone();
        for _ in 0..2 {
            world.secs(900);
            assert_eq!(owner.refresh(&world).await.status, 200);
        }
        for _ in 0..2 {
            let mut thief = old.thief();
            let reply = thief
                .call(&world, method.clone(), &[path, id].concat())
                .await;
            assert_eq!(
                (reply.status.as_u16(), reply.code()),
                (401, "invalid_session")
            );
            assert!(reply.cleared());
            assert!(!world.store.last().await.is_live());
            assert_eq!(world.count("ReuseDetected"), 1, "{method} {path}");
        }
        assert_eq!(owner.refresh(&world).await.status, 401);
        assert_eq!(world.count("ReuseDetected"), 1);
    }
}

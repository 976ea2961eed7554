//! The OpenAPI document of the session endpoints, held to what they answer.

mod bodies;

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use http::{Method, header};
use http_body_util::Full;
use serde_json::Value;
use tower::{Layer, ServiceExt};
use tower_bearer::{CsrfLayer, SessionEndpoints, refresh::RefreshCookieBuilder};

use crate::support::world::{Browser, COOKIE, JAR, Reply, World};

const CALLS: [(Method, &str); 6] = [
    (Method::POST, "/refresh"),
    (Method::POST, "/logout"),
    (Method::POST, "/logout-all"),
    (Method::GET, "/session"),
    (Method::GET, "/sessions"),
    (Method::DELETE, "/sessions/{id}"),
];

/// Path and method, status.
type Seen = BTreeSet<(String, String, u16)>;

fn document() -> Value {
    serde_json::from_str(SessionEndpoints::OPENAPI).unwrap()
}

/// Resolves a `$ref`.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(pointer) => document
            .pointer(&pointer[1..])
            .expect("the reference leads somewhere"),
        None => value,
    }
}

fn documented(document: &Value) -> Seen {
    let mut all = Seen::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for status in operation["responses"].as_object().unwrap().keys() {
                all.insert((path.clone(), method.clone(), status.parse().unwrap()));
            }
        }
    }
    all
}

/// Checks one answer against the document, and notes it.
fn check(document: &Value, seen: &mut Seen, method: &Method, path: &str, reply: &Reply) {
    let method = method.as_str().to_ascii_lowercase();
    let status = reply.status.as_u16();
    let responses = &document["paths"][path][&method]["responses"];
    let response = resolved(document, &responses[status.to_string()]);
    assert!(
        response.is_object(),
        "{method} {path} answered {status}, which is not documented"
    );
    for (name, about) in response["headers"].as_object().into_iter().flatten() {
        assert!(
            about["required"] == true && reply.headers.contains_key(name),
            "{name}"
        );
    }
    match response["content"].as_object() {
        None => assert!(reply.body.is_null(), "{method} {path}: {:?}", reply.body),
        Some(content) => {
            let (kind, body) = content.iter().next().unwrap();
            assert_eq!(reply.headers[header::CONTENT_TYPE], kind.as_str());
            conforms(document, &body["schema"], &reply.body);
        }
    }
    seen.insert((path.to_owned(), method, status));
}

/// As much of JSON Schema as the document uses.
fn conforms(document: &Value, schema: &Value, value: &Value) {
    let schema = resolved(document, schema);
    match schema["type"].as_str().unwrap() {
        "object" => {
            for name in schema["required"].as_array().unwrap() {
                assert!(
                    !value[name.as_str().unwrap()].is_null(),
                    "{name} is missing: {value}"
                );
            }
            for (name, member) in value.as_object().unwrap() {
                let known = &schema["properties"][name];
                assert!(known.is_object(), "{name} is not documented");
                conforms(document, known, member);
            }
        }
        "array" => {
            let entries = value.as_array().unwrap().iter();
            entries.for_each(|entry| conforms(document, &schema["items"], entry));
        }
        "string" => {
            assert!(value.is_string(), "{value}");
            let allowed = schema["enum"].as_array();
            assert!(
                allowed.is_none_or(|all| all.contains(value)),
                "{value} is not listed"
            );
        }
        "integer" => assert!(value.is_u64(), "{value}"),
        "boolean" => assert!(value.is_boolean(), "{value}"),
        other => panic!("the schema has a {other}"),
    }
}

/// Sends `call` as `browser` would; `{id}` is `id`.
async fn send(world: &World, browser: &Browser, method: &Method, path: &str, id: &str) -> Reply {
    let request = browser.request(method.clone(), &path.replace("{id}", id));
    world.send(request.body(Full::default()).unwrap()).await
}

async fn own_id(world: &World, browser: &Browser) -> String {
    let list = send(world, browser, &Method::GET, "/sessions", "").await;
    list.body["sessions"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_document_has_what_the_endpoints_answer_and_nothing_else() {
    let document = document();
    let mut seen = Seen::new();
    for (method, path) in CALLS {
        // A visitor, a forger, and a user who is signed in.
        let world = World::new();
        let visitor = world.browser();
        let mut forger = world.browser();
        forger.cookie = Some("v1.forged".to_owned());
        let alice = world.signed_in("alice").await;
        let id = own_id(&world, &alice).await;
        for browser in [&visitor, &forger] {
            let reply = send(&world, browser, &method, path, &id).await;
            check(&document, &mut seen, &method, path, &reply);
        }
        // Another client with the cookie, which has to refresh before anything else.
        if path != "/refresh" {
            let reply = send(&world, &alice.thief(), &method, path, &id).await;
            check(&document, &mut seen, &method, path, &reply);
        }
        let world = World::new();
        let alice = world.signed_in("alice").await;
        let id = own_id(&world, &alice).await;
        world.store.down(true);
        let reply = send(&world, &alice, &method, path, &id).await;
        check(&document, &mut seen, &method, path, &reply);
        world.store.down(false);
        let bob = world.signed_in("bob").await;
        let both = format!(
            "{}; {COOKIE}={}",
            alice.cookie.as_ref().unwrap(),
            bob.cookie.unwrap()
        );
        let mut confused = world.browser();
        confused.cookie = Some(both);
        let reply = send(&world, &confused, &method, path, &id).await;
        check(&document, &mut seen, &method, path, &reply);
    }
    only_some(&document, &mut seen).await;
    csrf_token(&document, &mut seen).await;
    bodies::check_all(&document, &mut seen).await;
    assert_eq!(seen, documented(&document));
}

#[tokio::test]
async fn a_session_has_two_cookies_and_each_call_takes_both() {
    let document = document();
    let both = serde_json::json!({ "refreshCookie": [], "jarCookie": [] });
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes.as_object().unwrap().len(), 2);
    for (scheme, name) in [("refreshCookie", COOKIE), ("jarCookie", JAR)] {
        assert_eq!(schemes[scheme]["in"], "cookie");
        assert_eq!(schemes[scheme]["name"], name);
    }
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|path| path.as_object().unwrap());
    for (method, operation) in operations {
        // Where tokens travel in bodies there is no cookie.
        if operation["security"] == serde_json::json!([]) {
            assert_eq!(
                (method.as_str(), operation["requestBody"].is_object()),
                ("post", true)
            );
            continue;
        }
        assert_eq!(operation["security"][0], both, "{method} {operation}");
    }
    for (method, path) in CALLS {
        let world = World::new();
        let mut alice = world.signed_in("alice").await;
        let id = own_id(&world, &alice).await;
        assert_eq!(alice.refresh(&world).await.status, 200);
        let reply = send(&world, &alice.without_jar(), &method, path, &id).await;
        check(&document, &mut Seen::new(), &method, path, &reply);
        // Signing out succeeds without a session too.
        let expected = if path == "/logout" { 204 } else { 401 };
        assert_eq!(reply.status, expected, "{method} {path}");
    }
}

/// The one call that needs a second layer.
async fn csrf_token(document: &Value, seen: &mut Seen) {
    let world = World::new();
    let (alice, bob) = (world.signed_in("alice").await, world.signed_in("bob").await);
    let both = [alice.cookie.unwrap(), bob.cookie.unwrap()].join(&format!("; {COOKIE}="));
    let layer = CsrfLayer::new(&world.keys).unwrap();
    let service = world.layer.layer(layer.layer(SessionEndpoints::new()));
    for down in [false, true] {
        world.store.down(down);
        let mut browser = world.browser();
        browser.cookie = Some(both.clone());
        let request = browser.request(Method::GET, "/csrf");
        let request = request.body(Full::<Bytes>::default()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let reply = Reply {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&body).unwrap(),
        };
        check(document, seen, &Method::GET, "/csrf", &reply);
    }
}

/// The answers of only some of the calls.
async fn only_some(document: &Value, seen: &mut Seen) {
    let delete = (Method::DELETE, "/sessions/{id}");
    let world = World::new();
    let alice = world.signed_in("alice").await;
    let id = own_id(&world, &alice).await;
    for (method, path) in CALLS {
        let world = World::new();
        let alice = world.signed_in("alice").await;
        let id = own_id(&world, &alice).await;
        let reply = send(&world, &alice, &method, path, &id).await;
        check(document, seen, &method, path, &reply);
    }
    let gone = send(
        &world,
        &alice,
        &delete.0,
        delete.1,
        &id.replace(&id[..4], "AAAA"),
    )
    .await;
    check(document, seen, &delete.0, delete.1, &gone);
    // The browser's own newer cookie is a moment old.
    let late = alice.clone();
    let mut elevated = alice.clone();
    let step = elevated.call(&world, Method::POST, "/elevate").await;
    assert_eq!(step.status, 200);
    let reply = send(&world, &late, &Method::POST, "/refresh", "").await;
    check(document, seen, &Method::POST, "/refresh", &reply);
    let world = World::with(|builder| builder.repeat_limit(1));
    let mut alice = world.signed_in("alice").await;
    alice.refresh(&world).await;
    let mut reply = alice.refresh(&world).await;
    for _ in 0..10 {
        reply = alice.refresh(&world).await;
        if reply.status == 429 {
            break;
        }
    }
    assert_eq!(reply.status, 429);
    check(document, seen, &Method::POST, "/refresh", &reply);
    // A user who authenticated too long ago to end others.
    let ask = |builder: RefreshCookieBuilder| {
        builder.recent_auth_to_end_others(std::time::Duration::from_secs(60))
    };
    for (method, path) in [(Method::POST, "/logout-all"), delete] {
        let world = World::with(ask);
        let alice = world.signed_in("alice").await;
        world.secs(61);
        let other = "AAAAAAAAAAAAAAAAAAAAAA";
        let reply = send(&world, &alice, &method, path, other).await;
        assert_eq!(reply.status, 403);
        check(document, seen, &method, path, &reply);
    }
    // Claims that cannot be minted.
    let member = Arc::default();
    let world = World::new().claiming(&member);
    let mut alice = world.signed_in("alice").await;
    *member.lock().unwrap() = Some("exp");
    let reply = alice.refresh(&world).await;
    check(document, seen, &Method::POST, "/refresh", &reply);
}

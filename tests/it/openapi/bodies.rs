//! The calls of clients without a cookie jar.

use http::{Method, Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use tower_bearer::refresh::RefreshTransport;

use super::{Seen, check};
use crate::support::world::{Reply, World};

const CALLS: [&str; 6] = [
    "/refresh",
    "/logout",
    "/logout-all",
    "/session",
    "/sessions",
    "/sessions/{id}/end",
];

/// A world with a client that is signed in: its token and the id of its session.
async fn signed_in() -> (World, String, String) {
    let world = World::with(|builder| {
        let builder = builder.transport(RefreshTransport::Body);
        builder.recent_auth_to_end_others(std::time::Duration::from_secs(60))
    });
    let login = Request::post("/auth/login")
        .header(header::USER_AGENT, "app")
        .header("x-user", "ada")
        .body(Full::default());
    let login = world.send(login.unwrap()).await;
    let text = |name: &str| login.body[name].as_str().unwrap().to_owned();
    let (token, id) = (text("refresh_token"), text("session"));
    (world, token, id)
}

async fn send(world: &World, path: &str, id: &str, agent: &str, body: String) -> Reply {
    let request = Request::post(format!("/auth{}", path.replace("{id}", id)))
        .header(header::USER_AGENT, agent)
        .body(Full::from(body));
    world.send(request.unwrap()).await
}

/// Checks every answer that these calls have in common, and the one that only the end of a session has.
pub async fn check_all(document: &Value, seen: &mut Seen) {
    for path in CALLS {
        let (world, token, id) = signed_in().await;
        let held = json!({ "refresh_token": token }).to_string();
        // Another client refreshes first, except to sign out.
        let stranger = if path == "/logout" { "app" } else { "another" };
        let huge = json!({ "refresh_token": "A".repeat(5000) }).to_string();
        let mut answers = vec![
            ("app", id.as_str(), String::new()),
            ("app", id.as_str(), "[]".to_owned()),
            ("app", id.as_str(), huge),
            (stranger, id.as_str(), held.clone()),
            ("app", id.as_str(), held.clone()),
        ];
        if path.contains("{id}") {
            answers.insert(3, ("app", "AAAAAAAAAAAAAAAAAAAAAA", held.clone()));
        }
        for (agent, id, body) in answers {
            let reply = send(&world, path, id, agent, body).await;
            check(document, seen, &Method::POST, path, &reply);
        }
        if path.contains("{id}") {
            // A user who authenticated too long ago to end others.
            let (world, token, _) = signed_in().await;
            world.secs(61);
            let (other, held) = (
                "AAAAAAAAAAAAAAAAAAAAAA",
                json!({ "refresh_token": token }).to_string(),
            );
            let reply = send(&world, path, other, "app", held).await;
            assert_eq!(reply.status, 403);
            check(document, seen, &Method::POST, path, &reply);
        }
        world.store.down(true);
        let (agent, body) = ("app", held);
        let reply = send(&world, path, &id, agent, body).await;
        check(document, seen, &Method::POST, path, &reply);
    }
}

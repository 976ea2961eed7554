//! A client that knows only the URL of a server. It asks by hand, with the example's own client, and through a proxy.

use std::{fs, path::Path};

use base64_simd::STANDARD as BASE64;
use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Browser, Ended, LOCAL, Program, Proxy, example};

/// Both servers in one process.
async fn start() -> Program {
    let mut command = example("mcp");
    command.env("ADDR", LOCAL).env("ISSUER_ADDR", LOCAL);
    Program::start(&mut command, "authorization server").await
}

/// The part of a URL that a browser of its server asks for.
fn path(url: &str) -> &str {
    let host = url.strip_prefix("http://").unwrap();
    &host[host.find('/').unwrap()..]
}

fn call(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

/// An attribute of the challenge.
fn attribute<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    let (_, rest) = challenge.split_once(&format!(" {name}=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

fn json(answer: &Answer) -> Value {
    serde_json::from_str(answer.is(200).body.as_str()).unwrap()
}

async fn token(issuer: &mut Browser, endpoint: &str, form: &str, client: &str) -> Answer {
    let basic = format!("Basic {}", BASE64.encode_to_string(client));
    let request = issuer.post(endpoint).header("authorization", &basic);
    let form = format!("grant_type=client_credentials&{form}");
    let kind = "application/x-www-form-urlencoded";
    request.header("content-type", kind).body(form).await
}

#[tokio::test]
async fn a_client_learns_where_to_go() {
    let program = start().await;
    let resource = program.url(0);
    let mut server = Browser::new(resource.strip_suffix("/mcp").unwrap().to_owned());
    let mut issuer = Browser::new(program.url(1));
    let note = call(
        "tools/call",
        json!({ "name": "add_note", "arguments": { "text": "milk" } }),
    );

    // From the refusal to the document, and to the authorization server.
    let refused = server
        .post("/mcp")
        .json(&call("initialize", json!({})))
        .await;
    refused.is(401);
    let url = attribute(&refused, "resource_metadata");
    assert_eq!(
        url,
        resource.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
    );
    let preflight = server.ask(Method::OPTIONS, path(url));
    let preflight = preflight.header("access-control-request-headers", "mcp-protocol-version");
    preflight
        .await
        .is(204)
        .has("access-control-allow-origin", "*");
    let answer = server.get(path(url)).await;
    answer
        .has("content-type", "application/json")
        .has("access-control-allow-origin", "*");
    let document = json(&answer);
    assert_eq!(document["resource"], resource);
    assert_eq!(document["authorization_servers"], json!([program.url(1)]));
    assert_eq!(
        document["scopes_supported"],
        json!(["notes:read", "notes:write"])
    );
    server.post(path(url)).await.is(405);
    let metadata = json(&issuer.get("/.well-known/oauth-authorization-server").await);
    assert_eq!(metadata["issuer"], program.url(1));
    let set = issuer
        .get(path(metadata["jwks_uri"].as_str().unwrap()))
        .await;
    assert!(
        !set.is(200).body.contains(r#""d""#),
        "a private key is published"
    );

    // A token, for this client, this resource and these scopes alone.
    let endpoint = path(metadata["token_endpoint"].as_str().unwrap()).to_owned();
    let form = |scope: &str, resource: &str| format!("scope={scope}&resource={resource}");
    let client = "demo-client:demo-secret";
    for (form, client, status, error) in [
        (
            form("notes:read", &resource),
            "demo-client:wrong",
            401,
            "invalid_client",
        ),
        (
            form("notes:read", "http://127.0.0.1/other"),
            client,
            400,
            "invalid_target",
        ),
        (form("everything", &resource), client, 400, "invalid_scope"),
    ] {
        token(&mut issuer, &endpoint, &form, client)
            .await
            .is(status)
            .says(error);
    }
    let wanted = attribute(&refused, "scope");
    let read = token(&mut issuer, &endpoint, &form(wanted, &resource), client).await;
    read.is(200).has("cache-control", "no-store");
    let read = read.access_token();

    // The calls, and the tool that wants more.
    let answer = server
        .post("/mcp")
        .bearer(&read)
        .json(&call("initialize", json!({})))
        .await;
    assert_eq!(json(&answer)["result"]["serverInfo"]["name"], "notes");
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    server.post("/mcp").bearer(&read).json(&ready).await.is(202);
    let answer = server
        .post("/mcp")
        .bearer(&read)
        .json(&call("tools/list", json!({})))
        .await;
    assert_eq!(json(&answer)["result"]["tools"][1]["name"], "add_note");
    let whoami = call("tools/call", json!({ "name": "whoami" }));
    let answer = server.post("/mcp").bearer(&read).json(&whoami).await;
    assert_eq!(json(&answer)["result"]["content"][0]["text"], "demo-client");
    let answer = server
        .post("/mcp")
        .bearer(&read)
        .json(&call("other", json!({})))
        .await;
    assert_eq!(json(&answer)["error"]["code"], -32601);
    let lacking = server.post("/mcp").bearer(&read).json(&note).await;
    lacking
        .is(403)
        .has("www-authenticate", r#"Bearer *error="insufficient_scope""#);
    assert_eq!(attribute(&lacking, "resource_metadata"), url);
    let wanted = attribute(&lacking, "scope");
    let write = token(&mut issuer, &endpoint, &form(wanted, &resource), client).await;
    let answer = server
        .post("/mcp")
        .bearer(&write.access_token())
        .json(&note)
        .await;
    assert_eq!(json(&answer)["result"]["content"][0]["text"], "noted: milk");

    server
        .post("/mcp")
        .bearer(&format!("{read}x"))
        .json(&note)
        .await
        .is(401);
    server
        .post("/mcp")
        .bearer(&read)
        .body("{")
        .await
        .is(200)
        .says("-32700");
}

#[tokio::test]
async fn the_client_of_the_example_walks_by_itself() {
    let program = start().await;
    let ended = Ended::of(example("mcp").env("SERVER", program.url(0)).arg("walk"));
    assert!(ended.success, "{ended:?}");
    for line in [
        "1. http://*wants a token, and names http://*/.well-known/oauth-protected-resource/mcp",
        "3. which gives out tokens at http://*/token",
        "6. add_note wants the scope notes:write",
        "7. add_note: \"noted: milk\"",
    ] {
        let found = line.split('*').all(|part| ended.out.contains(part));
        assert!(found, "{line}: {}", ended.out);
    }
    // And without a server it says so.
    let alone = Ended::of(
        example("mcp")
            .env("SERVER", "http://127.0.0.1:9/mcp")
            .arg("walk"),
    );
    assert!(!alone.success && !alone.err.is_empty(), "{alone:?}");
}

/// With the lines of the crate's documentation.
#[tokio::test]
async fn behind_an_nginx_that_takes_a_prefix_off() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src/resource/mod.rs");
    let page = fs::read_to_string(page).unwrap().replace("//!", "");
    let (_, lines) = page.split_once("```nginx").unwrap();
    let (lines, _) = lines.split_once("```").unwrap();
    let proxy = Proxy::nginx(lines).await;
    let public = format!("{}/notes", proxy.url());
    let mut command = example("mcp");
    command
        .env("ADDR", proxy.service())
        .env("ISSUER_ADDR", LOCAL)
        .env("PUBLIC_URL", format!("{public}/"));
    let program = Program::start(&mut command, "authorization server").await;
    let server = program.url(0);
    assert_eq!(server, format!("{public}/mcp"));
    let ended = Ended::of(example("mcp").env("SERVER", &server).arg("walk"));
    assert!(ended.success, "{ended:?}");
    let document = format!(
        "{}/.well-known/oauth-protected-resource/notes/mcp",
        proxy.url()
    );
    for part in [&document, "7. add_note: \"noted: milk\""] {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
}

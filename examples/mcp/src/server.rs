//! The server: JSON-RPC over `POST /mcp`, as in the transport "Streamable HTTP" of the Model Context Protocol.

use std::convert::Infallible;

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_bearer::{
    BearerAuthLayer, Claims, RequireScopeLayer, jwks::RemoteIssuer, resource::ResourceMetadata,
};

use crate::{Error, Granted, SCOPES};

const LONGEST_BODY: usize = 64 * 1024;

/// A call (JSON-RPC 2.0). Without an `id` it is a notification, which has no answer.
#[derive(Deserialize)]
struct Call {
    id: Option<Value>,
    method: String,
    #[serde(default)]
    params: Value,
}

pub(crate) fn app(document: &ResourceMetadata, issuer: &str) -> Result<Router, Error> {
    let codec = RemoteIssuer::discover(issuer)?
        .codec::<Granted>()
        .audience(document.resource())
        .build()?;
    let bearer = BearerAuthLayer::new(codec)
        .resource_metadata(document.url())
        .scope(SCOPES[0].parse()?);
    let may_write = RequireScopeLayer::new(SCOPES[1].parse()?).resource_metadata(document.url());
    Ok(Router::new()
        .route("/mcp", post(answer))
        .with_state(may_write)
        .route_layer(bearer)
        // Outside of the layer: a client asks for it before it has a token.
        .merge(document.routes()))
}

async fn answer(State(may_write): State<RequireScopeLayer>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let Ok(call) = serde_json::from_slice::<Call>(&body) else {
        return failure(&Value::Null, -32700, "this is no call");
    };
    let Some(id) = call.id else {
        return StatusCode::ACCEPTED.into_response();
    };
    match (call.method.as_str(), call.params["name"].as_str()) {
        ("initialize", _) => result(
            &id,
            &json!({
                "protocolVersion": "2025-06-18",
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "notes", "version": "1" },
            }),
        ),
        ("ping", _) => result(&id, &json!({})),
        ("tools/list", _) => {
            let text = json!({ "type": "object", "properties": { "text": { "type": "string" } } });
            let tools = json!([
                { "name": "whoami", "description": "Says whose token it is", "inputSchema": { "type": "object" } },
                { "name": "add_note", "description": "Keeps a note", "inputSchema": text },
            ]);
            result(&id, &json!({ "tools": tools }))
        }
        ("tools/call", Some("whoami")) => {
            match Claims::<Granted>::from_extensions(&head.extensions) {
                Ok(claims) => said(&id, claims.subject()),
                Err(rejection) => rejection.into_response(),
            }
        }
        ("tools/call", Some("add_note")) => {
            let text = call.params["arguments"]["text"].as_str();
            let noted = format!("noted: {}", text.unwrap_or_default());
            let tool = service_fn(async |_: Request| Ok::<_, Infallible>(said(&id, &noted)));
            // The layer guards one tool as it would guard a route: 403, and the scope that is lacking.
            let request = Request::from_parts(head, Body::empty());
            let Ok(answer) = may_write.layer(tool).oneshot(request).await;
            answer
        }
        _ => failure(&id, -32601, "there is no such method or tool"),
    }
}

fn result(id: &Value, result: &Value) -> Response {
    Json(json!({ "jsonrpc": "2.0", "id": id, "result": result })).into_response()
}

fn said(id: &Value, text: &str) -> Response {
    result(
        id,
        &json!({ "content": [{ "type": "text", "text": text }] }),
    )
}

fn failure(id: &Value, code: i32, message: &str) -> Response {
    let error = json!({ "code": code, "message": message });
    Json(json!({ "jsonrpc": "2.0", "id": id, "error": error })).into_response()
}

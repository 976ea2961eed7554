//! Shows users what the journal holds about them, and tells the journal who is asking.

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tower_bearer::{Claims, Session, rejection::Rejection};

use crate::{Role, journal::Journal};

/// Behind the access token: the user's own decisions and alerts, and those of no other user.
pub(crate) fn router<S>(journal: Journal) -> Router<S> {
    Router::new()
        .route("/decisions", get(decisions))
        .route("/alerts", get(alerts).delete(dismiss))
        .with_state(journal)
}

async fn decisions(State(journal): State<Journal>, claims: Claims<Role>) -> Response {
    let session = claims.session();
    no_store(json!({
        "session": session,
        "decisions": journal.decisions(claims.subject()),
    }))
}

async fn alerts(State(journal): State<Journal>, claims: Claims<Role>) -> Response {
    match claims.session() {
        Some(reader) => no_store(json!({
            "session": reader,
            "alerts": journal.alerts(claims.subject(), reader),
        })),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

async fn dismiss(State(journal): State<Journal>, claims: Claims<Role>) -> StatusCode {
    match claims.session() {
        Some(reader) => {
            journal.dismiss(claims.subject(), reader);
            StatusCode::NO_CONTENT
        }
        None => StatusCode::FORBIDDEN,
    }
}

fn no_store(body: serde_json::Value) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    ([(header::CACHE_CONTROL, no_store)], Json(body)).into_response()
}

/// Goes around everything under `/auth`. Events name no client, and an answer of a refusal sends none.
pub(crate) async fn watch(
    State(journal): State<Journal>,
    session: Session,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let session = session.id().map(|id| id.to_string());
    // Where a 401 is about the password.
    let path = parts.uri.path();
    let is_password = path.ends_with("/login") || path.ends_with("/password");
    let asking = journal.under_way(session.clone(), client(&parts));
    let response = next.run(Request::from_parts(parts, body)).await;
    let why = match response.extensions().get::<Rejection>() {
        Some(rejection) => Some(match std::error::Error::source(rejection) {
            Some(reason) => reason.to_string(),
            None => rejection.to_string(),
        }),
        None if is_password => None,
        None => refusal(response.status()).map(str::to_owned),
    };
    if let Some(why) = why {
        journal.refused(session.as_deref(), why);
    }
    drop(asking);
    response
}

/// The meaning of these statuses at the session endpoints.
fn refusal(status: StatusCode) -> Option<&'static str> {
    match status {
        StatusCode::UNAUTHORIZED => Some("the session is over"),
        StatusCode::CONFLICT => Some("a newer cookie is on its way"),
        StatusCode::TOO_MANY_REQUESTS => Some("the same token came too often"),
        StatusCode::SERVICE_UNAVAILABLE => Some("the store does not answer"),
        _ => None,
    }
}

/// The client's own name, in a length that can be kept.
fn client(parts: &Parts) -> String {
    let agent = parts.headers.get(header::USER_AGENT);
    let agent = agent.and_then(|value| value.to_str().ok());
    agent.unwrap_or_default().chars().take(200).collect()
}

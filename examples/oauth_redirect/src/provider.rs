//! A toy authorization server (RFC 6749 with PKCE, RFC 7636), so that the example runs by itself.
//!
//! It has one user, who signs in at the press of a button. A real one has accounts and guards of its own.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Result},
    routing::{get, post},
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{challenge, random};

/// The application's request, which the browser brings.
#[derive(Clone, Deserialize)]
struct Asked {
    response_type: String,
    client_id: String,
    redirect_uri: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
}

/// The button that was pressed.
#[derive(Deserialize)]
struct Decision {
    request: String,
    allow: bool,
}

#[derive(Deserialize)]
struct Exchange {
    grant_type: String,
    client_id: String,
    redirect_uri: String,
    code: String,
    code_verifier: String,
}

#[derive(Clone)]
struct Provider {
    issuer: String,
    redirect_uri: String,
    /// By request id, then by code, then by access token: none is good for what another is. Each is random,
    /// and taken out when it is used.
    pending: Arc<Mutex<HashMap<(Kind, String), Asked>>>,
}

#[derive(PartialEq, Eq, Hash)]
enum Kind {
    Request,
    Code,
    Token,
}

/// A toy need not remember more; a provider forgets by time.
const MOST_PENDING: usize = 1000;

impl Provider {
    fn pending(&self) -> MutexGuard<'_, HashMap<(Kind, String), Asked>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, kind: Kind, key: &str) -> Result<Asked, StatusCode> {
        let asked = self.pending().remove(&(kind, key.to_owned()));
        asked.ok_or(StatusCode::BAD_REQUEST)
    }

    fn put(&self, kind: Kind, asked: Asked) -> String {
        let key = random();
        let mut pending = self.pending();
        if pending.len() >= MOST_PENDING {
            pending.clear();
        }
        pending.insert((kind, key.clone()), asked);
        key
    }
}

/// The provider as `issuer`, which knows one application by this `redirect_uri`.
pub(crate) fn router(issuer: String, redirect_uri: String) -> Router {
    Router::new()
        .route("/authorize", get(ask).post(decide))
        .route("/token", post(exchange))
        .route("/userinfo", get(user))
        .with_state(Provider {
            issuer,
            redirect_uri,
            pending: Arc::default(),
        })
}

async fn ask(
    State(provider): State<Provider>,
    Query(asked): Query<Asked>,
) -> Result<impl IntoResponse> {
    // To any other address nothing is ever sent, an error neither.
    if asked.client_id != "example" || asked.redirect_uri != provider.redirect_uri {
        return Err(StatusCode::BAD_REQUEST.into());
    }
    if asked.response_type != "code" || asked.code_challenge_method != "S256" {
        return Err(StatusCode::BAD_REQUEST.into());
    }
    let request = provider.put(Kind::Request, asked);
    let page = format!(
        r#"<!doctype html><title>Provider</title><form method="post" action="/authorize">
        <input type="hidden" name="request" value="{request}">
        <button name="allow" value="true">Continue as dev@example.com</button>
        <button name="allow" value="false">Cancel</button></form>"#
    );
    Ok(([(header::X_FRAME_OPTIONS, "DENY")], Html(page)))
}

async fn decide(
    State(provider): State<Provider>,
    Form(decision): Form<Decision>,
) -> Result<Redirect> {
    let asked = provider.take(Kind::Request, &decision.request)?;
    let mut back = Url::parse(&asked.redirect_uri).map_err(|_| StatusCode::BAD_REQUEST)?;
    back.query_pairs_mut()
        .append_pair("state", &asked.state)
        .append_pair("iss", &provider.issuer);
    match decision.allow {
        true => back
            .query_pairs_mut()
            .append_pair("code", &provider.put(Kind::Code, asked)),
        false => back.query_pairs_mut().append_pair("error", "access_denied"),
    };
    Ok(Redirect::to(back.as_str()))
}

async fn exchange(
    State(provider): State<Provider>,
    Form(form): Form<Exchange>,
) -> Result<Json<Value>> {
    let asked = provider.take(Kind::Code, &form.code)?;
    // The client that presents the code is the one that began: only it knows the source of the challenge.
    let right = form.grant_type == "authorization_code"
        && form.client_id == asked.client_id
        && form.redirect_uri == asked.redirect_uri
        && challenge(&form.code_verifier) == asked.code_challenge;
    if !right {
        return Err((
            StatusCode::BAD_REQUEST,
            Json(json!({ "error": "invalid_grant" })),
        )
            .into());
    }
    let token = provider.put(Kind::Token, asked);
    Ok(Json(
        json!({ "access_token": token, "token_type": "Bearer" }),
    ))
}

async fn user(State(provider): State<Provider>, headers: HeaderMap) -> Result<Json<Value>> {
    let authorization = headers.get(header::AUTHORIZATION);
    let token = authorization
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    provider.take(Kind::Token, token)?;
    Ok(Json(json!({ "sub": "248289", "email": "dev@example.com" })))
}

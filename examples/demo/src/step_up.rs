//! A route that asks for the password again, and the one that takes it.

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Result},
};
use example_users::{User, Users};
use serde::{Deserialize, Serialize};
use tower_bearer::{Claims, Session};

use crate::{
    Form, Role,
    journal::{Decision, Journal},
    problem, same_session,
};

/// The body of `POST /auth/step-up`.
#[derive(Deserialize)]
pub(crate) struct Password {
    password: String,
}

/// Checks the password of the user whom the access token names. The session goes on with a new token, which says that
/// the user has just authenticated. A token from before is then refused.
pub(crate) async fn step_up(
    State(users): State<Users>,
    claims: Claims<Role>,
    session: Session,
    form: Form<Password>,
) -> Result<impl IntoResponse> {
    let Json(Password { password }) = form.map_err(problem::bad_request)?;
    same_session(&claims, &session)?;
    if !users.is_password(claims.subject(), password).await {
        return Err(problem::wrong_password().into());
    }
    Ok(session.elevate().await?)
}

/// All that this service knows of a user.
#[derive(Serialize)]
pub(crate) struct Export {
    user: User,
    authenticated_at: Option<u64>,
    decisions: Vec<Decision>,
}

/// Behind `RequireRecentAuth`: a browser that was left open does not give everything away.
pub(crate) async fn export(
    State((users, journal)): State<(Users, Journal)>,
    claims: Claims<Role>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<Export>)> {
    let user = users.by_id(claims.subject()).cloned();
    let export = Export {
        user: user.ok_or_else(problem::no_such_user)?,
        authenticated_at: claims.auth_time().map(|at| at.as_secs()),
        decisions: journal.decisions(claims.subject()),
    };
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(([no_store], Json(export)))
}

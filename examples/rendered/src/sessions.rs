//! The sessions of the user, and their end.

use axum::{
    Extension, Form,
    http::StatusCode,
    response::{Redirect, Result},
};
use maud::{Markup, html};
use serde::Deserialize;
use tower_bearer::{CsrfToken, Session};

use crate::{kept::Kept, page, user::User};

/// Which session to end: `this`, `all`, or its id.
#[derive(Deserialize)]
pub(crate) struct End {
    end: String,
}

/// `User` has refreshed the session, so the list is of a session that lives.
pub(crate) async fn show(
    _: User,
    session: Session,
    csrf: CsrfToken,
    kept: Option<Extension<Kept>>,
) -> Result<Markup> {
    let sessions = session.list().await?;
    let form = page::form(
        &csrf,
        "/sessions",
        html! {
            ul {
                @for info in &sessions {
                    li {
                        (info.client) " "
                        @if info.current { "(this browser) " }
                        button name="end" value=(info.id) { "Sign out" }
                    }
                }
            }
            button name="end" value="all" { "Sign out everywhere" }
        },
    )?;
    Ok(page::layout(
        "Your sessions",
        html! {
            (page::wrong(kept.map(|_| page::EXPIRED)))
            (form)
            p { a href="/notes" { "Your notes" } }
        },
    ))
}

/// Ends sessions in the store. Their browsers are signed out with their next request.
pub(crate) async fn end(session: Session, Form(form): Form<End>) -> Result<Redirect> {
    match form.end.as_str() {
        "this" => session.end().await?,
        "all" => session.end_all().await?,
        id => {
            let id = id.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
            session.end_session(&id).await?;
            return Ok(Redirect::to("/sessions"));
        }
    }
    Ok(Redirect::to("/"))
}

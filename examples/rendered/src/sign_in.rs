//! The sign-in.

use std::time::Duration;

use axum::{
    Extension, Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response, Result},
};
use maud::{Markup, html};
use serde::Deserialize;
use tower_bearer::{CsrfToken, NewSession, Session, rejection::Rejection};

use crate::{App, kept::Kept, page};

/// How long a session lasts without "Remember me". The browser may close later, or restore its cookies.
const NOT_REMEMBERED: Duration = Duration::from_secs(12 * 60 * 60);

const WRONG: &str = "E-mail address or password is wrong.";

#[derive(Deserialize)]
pub(crate) struct SignIn {
    email: String,
    password: String,
    /// A browser sends a checkbox that is ticked, and no other.
    remember: Option<String>,
}

pub(crate) async fn show(csrf: CsrfToken, kept: Option<Extension<Kept>>) -> Result<Markup> {
    match kept {
        Some(Extension(kept)) => Ok(form(&csrf, kept.field("email"), Some(page::EXPIRED))?),
        None => Ok(form(&csrf, "", None)?),
    }
}

/// Checks the password and starts a session. The redirect takes its cookies along.
pub(crate) async fn submit(
    State(app): State<App>,
    session: Session,
    csrf: CsrfToken,
    Form(sign_in): Form<SignIn>,
) -> Result<Response> {
    let Some(user) = app.users.check(&sign_in.email, sign_in.password).await else {
        let page = form(&csrf, &sign_in.email, Some(WRONG))?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    let new = NewSession::new(&user.id);
    let new = match sign_in.remember {
        Some(_) => new,
        None => new.browser_session().lifetime(NOT_REMEMBERED),
    };
    session.start_with(new).await?;
    Ok(Redirect::to("/notes").into_response())
}

/// The page with the form. It keeps the e-mail address, and never the password.
fn form(csrf: &CsrfToken, email: &str, wrong: Option<&str>) -> Result<Markup, Rejection> {
    let form = page::form(
        csrf,
        "/sign-in",
        html! {
            label { "E-mail address " input type="email" name="email" value=(email) autocomplete="username" required; }
            label { "Password " input type="password" name="password" autocomplete="current-password" required; }
            label { input type="checkbox" name="remember"; " Remember me for 30 days" }
            button { "Sign in" }
        },
    )?;
    Ok(page::layout(
        "Sign in",
        html! {
            (page::wrong(wrong))
            (form)
        },
    ))
}

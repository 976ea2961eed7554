//! The user of a private page.

use axum::{
    extract::FromRequestParts,
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use tower_bearer::{Session, SessionError};

use crate::{App, page};

/// The user who is signed in. A handler that takes it runs with a session that lives, and not without one.
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl FromRequestParts<App> for User {
    type Rejection = Response;

    /// `refresh` asks the store whether the session lives, and prolongs it. No script does that here.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, app).await;
        let session = session.map_err(IntoResponse::into_response)?;
        let token = match session.refresh().await {
            Ok(token) => token,
            Err(error) => return Err(without_user(parts, &session, error)),
        };
        let claims = app.codec.verify(token.as_str());
        let claims = claims.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())?;
        let user = app.users.by_id(claims.subject());
        let user = user.ok_or_else(|| StatusCode::NOT_FOUND.into_response())?;
        Ok(Self {
            id: user.id.clone(),
            name: user.name.clone(),
        })
    }
}

fn without_user(parts: &Parts, session: &Session, error: SessionError) -> Response {
    match error.status() {
        StatusCode::UNAUTHORIZED if is_kept_back(parts, session) => from_another_site(),
        StatusCode::UNAUTHORIZED => Redirect::to("/sign-in").into_response(),
        // Another tab has just got the next cookie. The browser asks for the page again with it.
        StatusCode::CONFLICT if parts.method == Method::GET => {
            let moment = page::layout("One moment", html! {});
            (error.status(), [("refresh", "1")], moment).into_response()
        }
        // A form is not sent again by itself.
        StatusCode::CONFLICT => {
            let sentence = "Another tab was quicker. Please go back, and send the form again.";
            let moment = page::layout("One moment", html! { p { (sentence) } });
            (error.status(), moment).into_response()
        }
        _ => error.into_response(), // 503, say: the session is as good as before
    }
}

/// Whether the request follows a link on another site, such as that of a web mail. The browser then sends no
/// `SameSite=Strict` cookie, whether the user is signed in or not.
fn is_kept_back(parts: &Parts, session: &Session) -> bool {
    let site = parts.headers.get("sec-fetch-site");
    !session.has_cookie() && site.is_some_and(|site| site == "cross-site")
}

/// The link asks for the same address once more. It is a link of our own page, so the cookie comes along.
fn from_another_site() -> Response {
    let page = page::layout(
        "Welcome",
        html! {
            p { "You come from another site. " a href="" { "Continue" } }
        },
    );
    page.into_response()
}

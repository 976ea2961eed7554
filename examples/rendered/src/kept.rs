//! Shows a form again where its CSRF token was refused, with what the user has typed.
//!
//! A token ends with its session: the user has signed out and in again in another tab, say. The guard refuses the form
//! before a handler sees it. So this middleware stands around the guards. It asks for the page of the form, which has a
//! new token, and hands it the fields. The origin guard refuses pages of other sites, and they get no form.

use std::collections::HashMap;

use axum::{
    Form,
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_bearer::rejection::{Rejection, RejectionKind};

/// The fields of a form that was refused.
#[derive(Clone)]
pub(crate) struct Kept(HashMap<String, String>);

impl Kept {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

/// The longest form, in bytes. The guard reads no more by default.
const LIMIT: usize = 64 * 1024;

pub(crate) async fn show_again(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let request = || Request::from_parts(head.clone(), Body::from(body.clone()));
    let answer = next.clone().run(request()).await;
    let refused = answer.extensions().get::<Rejection>();
    if refused.is_none_or(|refused| refused.kind() != RejectionKind::CsrfFailed) {
        return answer;
    }
    let Ok(Form(fields)) = Form::from_request(request(), &()).await else {
        return answer;
    };
    let mut again = Request::from_parts(head.clone(), Body::empty());
    *again.method_mut() = Method::GET;
    again.extensions_mut().insert(Kept(fields));
    let mut page = next.run(again).await;
    if page.status() == StatusCode::OK {
        *page.status_mut() = StatusCode::FORBIDDEN;
    }
    page
}

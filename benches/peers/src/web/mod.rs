//! Layers around an axum router, called in process.
//!
//! Each router is built once. A call clones the prepared head of a request, which costs every case the same. It polls
//! the router's future once: nothing here waits for anything. The cost of a layer is the time of its router less that
//! of the bare router. Both are sent the very same head.

mod apps;
mod guards;
mod noop;

use std::{
    future::Future,
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use axum::{Router, body::Body, response::Response};
use http::{Request, StatusCode, header};
use tower::Service as _;

pub use self::apps::{App, for_http};
use crate::{
    case::{Case, case},
    peers::jsonwebtoken::Backend,
    tokens::Tokens,
};

/// Returns the cases that need no backend of jsonwebtoken.
pub fn cases(tokens: &Tokens) -> Vec<Box<dyn Case>> {
    let mut cases: Vec<_> = apps::all(tokens).into_iter().map(visit).collect();
    #[cfg(feature = "cache")]
    cases.extend(apps::cached().into_iter().map(visit));
    cases.extend(guards::apps().into_iter().map(visit));
    cases
}

/// Returns those that need one, with a bare router in the same process.
pub fn of_backend(tokens: &Tokens, backend: Backend) -> Vec<Box<dyn Case>> {
    let backend = backend.name();
    let apps = apps::jsonwebtoken(tokens).into_iter();
    let named = apps.map(|app| App {
        name: format!("{}_{backend}", app.name),
        ..app
    });
    named.map(visit).collect()
}

fn visit(app: App) -> Box<dyn Case> {
    let App {
        name,
        mut router,
        heads,
        status,
    } = app;
    let mut next = 0;
    let call = move || {
        let response = ask(&mut router, &heads[next])?;
        next = if next + 1 == heads.len() { 0 } else { next + 1 };
        match response.status() == status {
            true => Ok(response),
            false => Err(format!("{} instead of {status}", response.status())),
        }
    };
    let challenges = status == StatusCode::UNAUTHORIZED;
    case(name, call, move |response| {
        match response.headers().contains_key(header::WWW_AUTHENTICATE) == challenges {
            true => Ok(()),
            false => Err("a challenge is missing, or there is one".to_owned()),
        }
    })
}

fn ask(router: &mut Router, head: &Request<()>) -> Result<Response, String> {
    let request = black_box(head).clone().map(|()| Body::empty());
    match at_once(router.call(request)) {
        Some(Ok(response)) => Ok(response),
        None => Err("the answer was not there at once".to_owned()),
    }
}

/// Returns the result of a future when it is polled for the first time.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

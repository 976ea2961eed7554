//! The event stream: a line each second until the token of the request expires.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{Event, Sse},
};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::sleep;
use tower_bearer::{Claims, NoClaims};

use crate::App;

pub(crate) async fn feed(
    State(app): State<App>,
    claims: Claims<NoClaims>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let line = format!(
        "{} until {}",
        claims.subject(),
        claims.expires_at().as_secs()
    );
    let connection = app.bearer.connection(claims);
    let lines = stream::unfold((), move |()| {
        let event = Event::default().data(&line);
        async move {
            sleep(Duration::from_secs(1)).await;
            Some((Ok(event), ()))
        }
    });
    Sse::new(lines.take_until(async move { connection.ended().await }))
}

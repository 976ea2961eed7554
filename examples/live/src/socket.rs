//! The WebSocket: a token first, and then a line each second until that token expires.

use std::{pin::pin, time::Duration};

use axum::{
    extract::{
        State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use crate::{App, Bearer};

/// A client that has sent no token by then is disconnected.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest message. Tokens have at most 8 KiB.
const LONGEST: usize = 8 * 1024;

/// RFC 6455 section 7.4.1.
const NORMAL: u16 = 1000;
const UNSUPPORTED: u16 = 1003;
/// No token came in time, as a request without one is answered 401.
const UNAUTHORIZED: u16 = 4401;

pub(crate) async fn socket(State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST);
    upgrade.on_upgrade(move |socket| talk(socket, app.bearer))
}

async fn talk(mut socket: WebSocket, bearer: Bearer) {
    let code = serve(&mut socket, &bearer).await;
    let reason = "".into();
    // It fails where the client has disconnected.
    let _ = socket
        .send(Message::Close(Some(CloseFrame { code, reason })))
        .await;
}

/// Returns the code to close the socket with.
async fn serve(socket: &mut WebSocket, bearer: &Bearer) -> u16 {
    let first = timeout(PATIENCE, async {
        loop {
            match socket.recv().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                message => return message,
            }
        }
    });
    let token = match first.await {
        Ok(Some(Ok(Message::Text(token)))) => token,
        Ok(Some(Ok(Message::Binary(_)))) => return UNSUPPORTED,
        Ok(_) => return NORMAL,
        Err(_) => return UNAUTHORIZED,
    };
    let mut connection = match bearer.connect(&token) {
        Ok(connection) => connection,
        Err(rejection) => return rejection.close_code(),
    };
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let claims = connection.claims();
        let line = format!(
            "{} until {}",
            claims.subject(),
            claims.expires_at().as_secs()
        );
        let next = {
            // One future for each token: a new one for each message would ask the application's check each time.
            let ended = pin!(connection.ended());
            tokio::select! {
                rejection = ended => Err(rejection.close_code()),
                next = talk_on(socket, &mut ticks, line) => next,
            }
        };
        // The next token, before the one before expires.
        let renewed = next.map(|token| connection.renew(&token));
        match renewed {
            Ok(Ok(())) => {}
            Ok(Err(rejection)) => return rejection.close_code(),
            Err(code) => return code,
        }
    }
}

/// Sends the line each second until a text comes, which is returned. Otherwise the socket ends, and the code to close
/// it with is returned.
async fn talk_on(
    socket: &mut WebSocket,
    ticks: &mut Interval,
    line: String,
) -> Result<Utf8Bytes, u16> {
    loop {
        tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Binary(_))) => return Err(UNSUPPORTED),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Err(NORMAL),
            },
            _ = ticks.tick() => {
                let line = Message::Text(line.clone().into());
                socket.send(line).await.map_err(|_| NORMAL)?;
            }
        }
    }
}

//! Access of a connection that lasts longer than the request it began with.

use std::{fmt, sync::Arc, time::Duration};

use futures_timer::Delay;
use serde::de::DeserializeOwned;

use super::config::Config;
use crate::{
    bearer::layer::BearerAuthLayer,
    clock::{Clock, Timestamp},
    event::{Event, EventSink},
    rejection::{Rejection, RejectionKind},
    telemetry,
    token::{Claims, NoClaims, TokenError, TokenErrorKind},
};

/// The longest time between two looks at the check and the clock.
const INTERVAL: Duration = Duration::from_secs(30);

/// The access of a WebSocket, an event stream or another long connection. It ends when a request
/// with its token would be rejected: the token has expired or is older than
/// [`max_age`](crate::token::TokenCodecBuilder::max_age).
///
/// [`BearerAuthLayer::connect`] verifies a token that came in a message.
/// [`BearerAuthLayer::connection`] takes the claims of a request that the layer has accepted. The
/// server drops or closes the connection when [`ended`](Self::ended) completes. The code for a
/// WebSocket is [`Rejection::close_code`], 4401. The client then connects again with a fresh token,
/// or sends that token earlier, for [`renew`](Self::renew).
///
/// ```
/// use std::time::Duration;
/// use tower_bearer::{BearerAuthLayer, KeyRing, ManualClock, NoClaims, Timestamp, TokenCodec};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let clock = ManualClock::new(Timestamp::from_secs(1_800_000_000));
/// let codec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
/// #   .clock(clock.clone())
///     .build()?;
/// let bearer = BearerAuthLayer::new(codec.clone());
///
/// // The first message of the client.
/// let token = codec.mint("user-1", &NoClaims {})?;
/// let mut connection = bearer.connect(token.as_str())?;
/// assert_eq!(connection.claims().subject(), "user-1");
///
/// // A later message: the next token of the same user.
/// connection.renew(codec.mint("user-1", &NoClaims {})?.as_str())?;
/// assert!(connection.renew(codec.mint("user-2", &NoClaims {})?.as_str()).is_err());
///
/// # clock.advance(Duration::from_secs(16 * 60));
/// // 15 minutes later.
/// assert_eq!(connection.ended().await.close_code(), 4401);
/// # Ok(())
/// # }
/// ```
///
/// The example `live` shows it over a WebSocket and over server-sent events.
pub struct Connection<C = NoClaims> {
    claims: Claims<C>,
    deadline: Timestamp,
    /// Why it ends then.
    why: TokenErrorKind,
    clock: Arc<dyn Clock>,
    config: Arc<Config<C>>,
    events: EventSink,
}

impl<C, R> BearerAuthLayer<C, R>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// Verifies `token`, which came in a message, as the layer verifies one in the `Authorization`
    /// header. It also asks the [check](Self::check).
    ///
    /// Browsers send no `Authorization` when they open a WebSocket. Do not put the token into the URL, which logs
    /// keep (RFC 6750 section 2.3). Send it in the first message.
    ///
    /// # Errors
    ///
    /// Returns the [`Rejection`] that a request with this token gets. It has been counted, logged and sent to the
    /// layer's sink. Close the connection with its [`close_code`](Rejection::close_code). An answer to a request that
    /// is made of it counts once more.
    pub fn connect(&self, token: &str) -> Result<Connection<C>, Rejection> {
        let claims = admitted(&self.config, &self.refusal.events, token)?;
        telemetry::accepted();
        Ok(self.connection(claims))
    }

    /// Takes the claims of a request that this layer accepted. It serves an answer that lasts as
    /// long as they are valid: an event stream or a long download.
    ///
    /// `claims` are those of a token that one of this layer's codecs has verified.
    pub fn connection(&self, claims: Claims<C>) -> Connection<C> {
        Connection::new(claims, self.config.clone(), self.refusal.events.clone())
    }
}

impl<C> Connection<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    fn new(claims: Claims<C>, config: Arc<Config<C>>, events: EventSink) -> Self {
        let (deadline, why, clock) = config.deadline(&claims);
        Self {
            claims,
            deadline,
            why,
            clock,
            config,
            events,
        }
    }

    /// Goes on with `token`, the next one of the same session.
    ///
    /// # Errors
    ///
    /// Returns a [`Rejection`] where the token is rejected. The kind is
    /// [`Forbidden`](RejectionKind::Forbidden) where its issuer, subject or session are not those
    /// of the connection. Otherwise a user could receive messages meant for another user. The
    /// connection keeps the token that it has.
    pub fn renew(&mut self, token: &str) -> Result<(), Rejection> {
        let claims = admitted(&self.config, &self.events, token)?;
        let is_same = claims.issuer() == self.claims.issuer()
            && claims.subject() == self.claims.subject()
            && claims.session() == self.claims.session();
        if !is_same {
            let rejection = Rejection::new(
                RejectionKind::Forbidden,
                "the access token is not of the connection's user and session: the client opens another connection",
            );
            return Err(told(&self.events, rejection));
        }
        telemetry::accepted();
        *self = Self::new(claims, self.config.clone(), self.events.clone());
        Ok(())
    }

    /// Waits until the access has ended, and returns why. The token has expired or is too old, by the clock, the
    /// leeway and the [`max_age`](crate::token::TokenCodecBuilder::max_age) of its codec. Or the
    /// [check](BearerAuthLayer::check) says that it is revoked.
    ///
    /// Each call asks the check at once, and every 30 seconds while it waits. So a loop that
    /// selects over messages pins one future, and makes another one after [`renew`](Self::renew). A
    /// check that cannot answer at the moment ends nothing. The token's signature is not verified
    /// again. A key that is removed from the ring leaves the connection open until its end. Let the
    /// check revoke such tokens, or close the connections.
    ///
    /// The rejection has been counted, logged and sent to the layer's sink.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing. The next call waits for the same end.
    pub async fn ended(&self) -> Rejection {
        let context = self.config.context(self.claims.clone());
        loop {
            let now = self.clock.now();
            if now >= self.deadline {
                let detail = match self.why {
                    TokenErrorKind::TooOld => {
                        "while the connection was open, iat became older than .max_age(...) allows: the client \
                         sends its next token before that"
                    }
                    _ => {
                        "exp has passed while the connection was open: the client sends its next token before that"
                    }
                };
                let ended = TokenError::new(self.why, detail);
                return told(&self.events, Rejection::token(ended));
            }
            match self.config.checked(&context) {
                Err(refused) if refused.kind() == RejectionKind::InvalidToken => {
                    return told(&self.events, refused);
                }
                // None of tokio's timers: those panic on a runtime that was built without them.
                _ => Delay::new(self.deadline.since(now).min(INTERVAL)).await,
            }
        }
    }
}

impl<C> Connection<C> {
    /// Returns the claims of the token that the connection has now.
    pub fn claims(&self) -> &Claims<C> {
        &self.claims
    }
}

impl<C> Config<C> {
    /// When and why a connection with these claims ends, on the clock of the codec that has verified them.
    fn deadline(&self, claims: &Claims<C>) -> (Timestamp, TokenErrorKind, Arc<dyn Clock>) {
        let codec = self.verifiers.judge(claims.token().as_str().as_bytes());
        // Claims of another layer's codec are judged by the first codec here.
        let codec = codec.unwrap_or_else(|_| self.verifiers.first());
        let (deadline, why) = codec.end(claims.expires_at(), claims.issued_at());
        (deadline, why, codec.clock().clone())
    }
}

fn admitted<C>(config: &Config<C>, events: &EventSink, token: &str) -> Result<Claims<C>, Rejection>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    let admitted = config.connect(token);
    admitted.map_err(|rejection| told(events, rejection))
}

/// Counts it as the layer counts what it refuses a request.
fn told(events: &EventSink, rejection: Rejection) -> Rejection {
    telemetry::refused(rejection.reason());
    events.emit(&Event::Rejected(&rejection));
    rejection
}

// By hand, because claims are not for logs, and a derive would ask for `C: Debug`.
impl<C> fmt::Debug for Connection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            claims: _,
            deadline,
            why,
            clock: _,
            config: _,
            events: _,
        } = self;
        f.debug_struct("Connection")
            .field("deadline", deadline)
            .field("why", why)
            .finish_non_exhaustive()
    }
}

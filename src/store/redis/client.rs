//! Gets a request answered, within bounds.

use std::{fmt, sync::Arc, time::Duration};

use redis::Value;
use tokio::time::{sleep, timeout};

use super::{
    breaker::Permit,
    connection::{Connection, Place},
    connector::Connector,
    error::{Fault, FaultKind},
    limits::Limits,
    request::Request,
    script::{Form, Wording},
    topology,
};
use crate::{
    clock::monotonic,
    event::{Event, EventSink},
    store::StoreError,
};

/// The pauses before each try after the first. A moment later the sentinels may have another master and a slot another
/// node. A longer failure is reported to the client, which comes back by itself.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(80)];

/// A server, and how it is dealt with.
pub(super) struct Client {
    connection: Connection,
    limits: Limits,
    events: EventSink,
}

impl Client {
    pub(super) fn new(connector: Connector, limits: Limits, events: EventSink) -> Self {
        Self {
            connection: Connection::new(connector, limits),
            limits,
            events,
        }
    }

    /// The replies to `request`.
    ///
    /// It is sent again when its connection breaks: it may then have been carried out twice.
    pub(super) async fn ask(&self, request: &Request<'_>) -> Result<Vec<Value>, StoreError> {
        let place = self.connection.place();
        let permit = place.breaker.admit(monotonic()).ok_or_else(left_alone)?;
        let Ok(Ok(_room)) = timeout(self.limits.response, place.room.acquire()).await else {
            return Err(StoreError::unavailable("too many requests wait for Redis"));
        };
        if permit.is_void() {
            return Err(left_alone());
        }
        // Every step has its own limit; this one is for all of them and their repetitions together.
        let limit = self.connection.patience() + self.limits.response * 2;
        let outcome = timeout(limit, self.attempt(request, &place, &permit)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Fault::silent("too many steps, too slow")));
        let answered = outcome.as_ref().err().is_none_or(Fault::is_answer);
        let news = if answered {
            permit.answered().then_some(Event::StoreRecovered)
        } else {
            permit
                .silent(monotonic())
                .then_some(Event::StoreUnreachable)
        };
        if let Some(news) = news {
            self.events.emit(&news);
        }
        outcome.map_err(|fault| {
            let error = StoreError::from(fault);
            if answered {
                self.events.emit(&Event::StoreFailed(&error));
            }
            error
        })
    }

    async fn attempt(
        &self,
        request: &Request<'_>,
        place: &Arc<Place>,
        permit: &Permit<'_>,
    ) -> Result<Vec<Value>, Fault> {
        let mut wording = Wording::Known;
        let mut pauses = PAUSES.into_iter();
        loop {
            let fault = match self.send(request, wording, place, permit).await {
                Ok(replies) => return Ok(replies),
                Err(fault) => fault,
            };
            if request.is_script() && is_about_wording(&fault, request) {
                // The store knows from then on: no pause, and no try less.
                let settled = self.is_plain() && !request.is_revoking();
                match wording.next(settled) {
                    Some(next) => wording = next,
                    None => return Err(fault),
                }
                continue;
            }
            match fault.kind {
                FaultKind::Busy | FaultKind::Dropped | FaultKind::Replica => match pauses.next() {
                    Some(pause) => sleep(pause).await,
                    None => return Err(fault),
                },
                FaultKind::NoScript | FaultKind::Refused | FaultKind::Silent => return Err(fault),
            }
        }
    }

    /// Sends the request once.
    async fn send(
        &self,
        request: &Request<'_>,
        wording: Wording,
        place: &Arc<Place>,
        permit: &Permit<'_>,
    ) -> Result<Vec<Value>, Fault> {
        let connection = self.connection.connection(place).await?;
        let form = Form::new(wording, connection.is_plain());
        let answer = connection.send(request.commands(form), request.slot());
        let fault = match timeout(self.limits.response, answer).await {
            Ok(Ok(replies)) => {
                let essential = replies.get(..request.essential()).unwrap_or(&replies);
                let fault = Fault::among(essential);
                match fault.or_else(|| topology::misdirected(request, &replies)) {
                    None => {
                        if request.is_script() {
                            connection.learn(wording, request.is_revoking());
                        }
                        return Ok(replies);
                    }
                    Some(fault) => fault,
                }
            }
            Ok(Err(error)) => Fault::new(error),
            Err(_) => Fault::silent("no reply within the time-out"),
        };
        let broken = match fault.kind {
            FaultKind::Dropped | FaultKind::Replica => true,
            // A slow reply among others says nothing of the connection; silence does.
            FaultKind::Silent if permit.is_alone() => true,
            // In a cluster the others may come from other nodes. Finding the nodes anew shows whether a
            // replica has taken over; once in a while is enough.
            FaultKind::Silent => self.has_nodes() && connection.age() > self.limits.connect,
            _ => false,
        };
        if broken {
            self.connection.discard(&connection);
        }
        Err(fault)
    }

    /// Whether the server was last found to understand the plain wording of scripts only.
    pub(super) fn is_plain(&self) -> bool {
        self.connection.is_plain()
    }

    /// Whether several servers answer, each for some of the keys.
    pub(super) fn has_nodes(&self) -> bool {
        self.connection.connector().has_nodes()
    }

    /// Returns what requests of this runtime share.
    pub(super) fn place(&self) -> Arc<Place> {
        self.connection.place()
    }

    /// Whether requests of this runtime fail at once because the server has not answered.
    fn is_left_alone(&self) -> bool {
        self.connection.place().breaker.is_open()
    }
}

/// Returns whether the script in another wording may do better. Either the server does not have it, or gives no reason
/// with a code, as for an unknown flag. Or the server has no room, which a flag would give.
fn is_about_wording(fault: &Fault, request: &Request<'_>) -> bool {
    fault.kind == FaultKind::NoScript
        || fault.is_unnamed()
        || (request.is_revoking() && fault.is_full())
}

fn left_alone() -> StoreError {
    StoreError::unavailable("Redis has not answered lately and is left alone for a moment")
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            connection,
            limits,
            events,
        } = self;
        f.debug_struct("Client")
            .field("connector", &connection.connector().name())
            .field("limits", limits)
            .field("left_alone", &self.is_left_alone())
            .field("events", events)
            .finish()
    }
}

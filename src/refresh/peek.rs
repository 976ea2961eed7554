//! Looking at a session without using it.

use std::{fmt, pin::pin};

use serde::Serialize;

use super::{lifetimes::told_end, session::Session, session_info::seconds};
use crate::{
    clock::Timestamp,
    session::{SessionError, SessionId},
};

/// The session of a request, as [`Session::peek`] sees it. Serialises without the context, with times in whole
/// seconds since 1970.
///
/// ```
/// use tower_bearer::{Session, SessionErrorKind};
///
/// /// For a page that the server renders.
/// async fn greeting(session: &Session) -> Result<String, tower_bearer::SessionError> {
///     match session.peek().await {
///         Ok(peeked) => Ok(format!("You are {}.", peeked.subject)),
///         Err(error) if error.status() == 401 => Ok("You are not signed in.".to_owned()),
///         Err(later) => Err(later),
///     }
/// }
/// # let _ = greeting;
/// ```
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PeekedSession {
    /// Which session it is.
    pub id: SessionId,
    /// The subject, as the application named it at the sign-in.
    pub subject: String,
    /// The application's own bytes, as given at sign-in or at the last privilege change. Not in JSON.
    #[serde(skip)]
    pub context: Vec<u8>,
    /// When its owner signed in.
    #[serde(serialize_with = "seconds")]
    pub created_at: Timestamp,
    /// When it ends at the latest if it were refreshed now, rounded up to the hour.
    #[serde(serialize_with = "seconds")]
    pub expires_at: Timestamp,
}

impl Session {
    /// Returns whose session the request carries, and until when, for servers that render pages.
    ///
    /// It rotates nothing and asks the store once. It does not run the claims closure. A subject that the closure would
    /// refuse is still reported, until its next refresh. Nor does it count as use: the idle end stays where it is.
    ///
    /// No time in its answer changes when the session rotates: it is no clock for a thief who looks. A token that was
    /// replaced is answered for the grace, and later no more.
    ///
    /// # Errors
    ///
    /// As [`refresh`](Self::refresh), whose rules judge the cookie: an old token that another client brings revokes
    /// the session here too. [`RefreshFirst`](crate::SessionErrorKind::RefreshFirst) when the client has not shown
    /// yet that it is the session's own, or never took the newer token.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed, and a revocation, once begun, runs to its end.
    pub async fn peek(&self) -> Result<PeekedSession, SessionError> {
        let work = async {
            let honoured = self.honoured().await?;
            let (record, now) = (&honoured.record, honoured.time.now);
            Ok(PeekedSession {
                id: record.id(),
                subject: record.subject().to_owned(),
                context: record.context().to_vec(),
                created_at: record.created_at(),
                expires_at: told_end(record, now, &self.config().policy),
            })
        };
        self.call("peek", pin!(work)).await
    }
}

impl fmt::Debug for PeekedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            subject: _,
            context: _,
            created_at,
            expires_at,
        } = self;
        f.debug_struct("PeekedSession")
            .field("id", id)
            .field("created_at", created_at)
            .field("expires_at", expires_at)
            .finish_non_exhaustive()
    }
}

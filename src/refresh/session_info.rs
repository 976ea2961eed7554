//! A session as its owner sees it in a list.

use serde::{Serialize, Serializer};

use crate::{
    clock::Timestamp,
    session::{SessionId, SessionRecord},
};

/// One entry of [`Session::list`](crate::Session::list) and [`SessionAdmin::list`](crate::SessionAdmin::list).
/// Serialises with times in whole seconds since 1970, as tokens do.
///
/// ```
/// use tower_bearer::SessionInfo;
///
/// /// The client wrote its own name: escape it before it goes into a page.
/// fn line(info: &SessionInfo) -> String {
///     let here = if info.current { "this one" } else { "another" };
///     format!("{}: {here}, since {}", info.id, info.created_at.as_secs())
/// }
/// # let _ = line;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The name to end the session by.
    pub id: SessionId,
    /// Whether it is the session of the request that asked; never in an operator's list.
    pub current: bool,
    /// When its owner signed in.
    #[serde(serialize_with = "seconds")]
    pub created_at: Timestamp,
    /// When its token last moved or was last seen; of the session that asks, the time of the answer.
    #[serde(serialize_with = "seconds")]
    pub last_seen_at: Timestamp,
    /// When it ends if it is not used. Of the session that asks: if it were refreshed now, rounded up to the hour.
    #[serde(serialize_with = "seconds")]
    pub expires_at: Timestamp,
    /// The name by which the owner recognises the client: the `User-Agent` unless configured otherwise.
    pub client: String,
    /// The application's note of the sign-in, in an operator's list, where it has written one. Left out of JSON where there
    /// is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl SessionInfo {
    /// The entry of a session that is not the one that asks, as its owner sees it.
    pub(crate) fn of_another(record: &SessionRecord) -> Self {
        Self {
            id: record.id(),
            current: false,
            created_at: record.created_at(),
            last_seen_at: record.last_seen(),
            expires_at: record.expires_at(),
            client: record.label().to_owned(),
            note: None,
        }
    }

    /// The entry as an operator sees it.
    pub(crate) fn of_any(record: &SessionRecord) -> Self {
        let note = Some(record.note()).filter(|note| !note.is_empty());
        Self {
            note: note.map(str::to_owned),
            ..Self::of_another(record)
        }
    }
}

pub(super) fn seconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(time.as_secs())
}

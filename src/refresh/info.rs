//! A session as its owner sees it in a list.

use crate::{clock::Timestamp, session::SessionId};

/// One entry of [`Session::list`](crate::Session::list). Serialises with times in whole seconds
/// since 1970, as tokens do.
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The name to end the session by.
    pub id: SessionId,
    /// Whether it is the session of the request that asked.
    pub current: bool,
    /// When its owner signed in.
    pub created_at: Timestamp,
    /// When its token last moved or was last seen.
    pub last_seen_at: Timestamp,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
    /// What names the client: the `User-Agent` unless configured otherwise.
    pub client: String,
}

impl serde::Serialize for SessionInfo {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        let mut out = serializer.serialize_struct("SessionInfo", 6)?;
        out.serialize_field("id", &self.id)?;
        out.serialize_field("current", &self.current)?;
        out.serialize_field("created_at", &self.created_at.as_secs())?;
        out.serialize_field("last_seen_at", &self.last_seen_at.as_secs())?;
        out.serialize_field("expires_at", &self.expires_at.as_secs())?;
        out.serialize_field("client", &self.client)?;
        out.end()
    }
}

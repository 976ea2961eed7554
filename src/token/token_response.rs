//! A freshly minted access token, as it goes to the client.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer};

use crate::session::SessionId;

/// An access token on its way to the client. Serialises to the OAuth response (RFC 6749
/// section 5.1): `access_token`, `token_type`, `expires_in` in seconds, and `refresh_token` where
/// [there is one](Self::refresh_token). A token of a session has three members more: [`session`](Self::session),
/// `session_expires_in`, and `idle_expires_in` where that is shorter.
///
/// ```
/// use tower_bearer::{KeyRing, NoClaims, TokenCodec};
///
/// let codec = TokenCodec::nested(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let token = codec.mint("user-1", &NoClaims {})?;
/// assert_eq!(token.expires_in().as_secs(), 900);
/// let json = serde_json::to_value(&token)?;
/// assert_eq!(json["token_type"], "Bearer");
/// assert_eq!(json["access_token"], token.as_str());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Serialize)]
pub struct AccessToken {
    access_token: String,
    token_type: &'static str,
    #[serde(serialize_with = "seconds")]
    expires_in: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(flatten)]
    session: Option<TokenSession>,
}

/// The session that a token belongs to.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct TokenSession {
    #[serde(rename = "session")]
    pub(crate) id: SessionId,
    #[serde(rename = "session_expires_in", serialize_with = "seconds")]
    pub(crate) expires_in: Duration,
    /// Where the session has an idle lifetime that is shorter than its absolute one.
    #[serde(
        serialize_with = "some_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) idle_expires_in: Option<Duration>,
}

impl AccessToken {
    pub(crate) fn new(token: String, lifetime: Duration) -> Self {
        Self {
            access_token: token,
            token_type: "Bearer",
            expires_in: lifetime,
            refresh_token: None,
            session: None,
        }
    }

    /// Returns the token itself, to be sent as `Authorization: Bearer …`.
    pub fn as_str(&self) -> &str {
        &self.access_token
    }

    /// The same, with the refresh token for a client that has no cookie jar.
    pub(crate) fn with_refresh_token(self, refresh: String) -> Self {
        Self {
            refresh_token: Some(refresh),
            ..self
        }
    }

    /// The same, as a token of this session.
    pub(crate) fn of_session(self, session: TokenSession) -> Self {
        Self {
            session: Some(session),
            ..self
        }
    }

    /// Returns the session that the token belongs to. `None` where [`TokenCodec`](crate::TokenCodec) minted it
    /// without one.
    pub fn session(&self) -> Option<SessionId> {
        Some(self.session?.id)
    }

    /// Returns how long the session goes on at most, counted from this answer. `None` where there is none.
    pub fn session_expires_in(&self) -> Option<Duration> {
        Some(self.session?.expires_in)
    }

    /// Returns when the session ends unless it is used before, counted from this answer. `None` where the
    /// session has no idle lifetime, or one as long as the session.
    pub fn idle_expires_in(&self) -> Option<Duration> {
        self.session?.idle_expires_in
    }

    /// Returns the refresh token that goes out with it. It is there only where the layer's transport is
    /// [`RefreshTransport::Body`](crate::refresh::RefreshTransport::Body), and only when there is a new one.
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_deref()
    }

    /// Returns how long it is valid, counted from when it was minted. A token of a session does not outlive it.
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }
}

fn seconds<S: Serializer>(lifetime: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(lifetime.as_secs())
}

fn some_seconds<S: Serializer>(
    lifetime: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    lifetime
        .map(|lifetime| lifetime.as_secs())
        .serialize(serializer)
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            access_token: _,
            token_type: _,
            expires_in,
            refresh_token: _,
            session,
        } = self;
        f.debug_struct("AccessToken")
            .field("expires_in", expires_in)
            .field("session", &session.map(|session| session.id))
            .finish_non_exhaustive()
    }
}

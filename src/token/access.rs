//! A freshly minted access token, as it goes to the client.

use std::{fmt, time::Duration};

use serde::ser::SerializeStruct;

/// An access token on its way to the client. Serialises to the OAuth response (RFC 6749
/// section 5.1): `access_token`, `token_type`, `expires_in` in seconds, and `refresh_token` where
/// [there is one](Self::refresh_token).
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
#[derive(Clone)]
pub struct AccessToken {
    token: String,
    lifetime: Duration,
    refresh: Option<String>,
}

impl AccessToken {
    pub(crate) fn new(token: String, lifetime: Duration) -> Self {
        Self {
            token,
            lifetime,
            refresh: None,
        }
    }

    /// The token itself, to be sent as `Authorization: Bearer …`.
    pub fn as_str(&self) -> &str {
        &self.token
    }

    /// The same, with the refresh token for a client that has no cookie jar.
    pub(crate) fn with_refresh_token(self, refresh: String) -> Self {
        Self {
            refresh: Some(refresh),
            ..self
        }
    }

    /// The refresh token that goes out with it: only where the layer's transport is
    /// [`RefreshTransport::Body`](crate::RefreshTransport::Body), and only when there is a new one.
    pub fn refresh_token(&self) -> Option<&str> {
        self.refresh.as_deref()
    }

    /// How long it is good for, counted from when it was minted.
    pub fn expires_in(&self) -> Duration {
        self.lifetime
    }
}

impl serde::Serialize for AccessToken {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("AccessToken", 4)?;
        out.serialize_field("access_token", &self.token)?;
        out.serialize_field("token_type", "Bearer")?;
        out.serialize_field("expires_in", &self.lifetime.as_secs())?;
        match &self.refresh {
            Some(refresh) => out.serialize_field("refresh_token", refresh)?,
            None => out.skip_field("refresh_token")?,
        }
        out.end()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            token: _,
            lifetime,
            refresh: _,
        } = self;
        f.debug_struct("AccessToken")
            .field("lifetime", lifetime)
            .finish_non_exhaustive()
    }
}

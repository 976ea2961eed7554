//! The token that a client presented, on its way to the next service.

use std::fmt;

use http::HeaderValue;

/// A verified token as the client presented it, from [`Claims::token`](crate::Claims::token). It is a secret: its
/// holder acts for its subject, so `Debug` shows nothing of it.
///
/// ```
/// use tower_bearer::{KeyRing, NoClaims, TokenCodec};
///
/// let codec: TokenCodec = TokenCodec::signed(&KeyRing::generate()?)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// let minted = codec.mint("user-1", &NoClaims {})?;
/// let claims = codec.verify(minted.as_str())?;
///
/// let mut request = http::Request::get("https://next.example/orders").body(())?;
/// request.headers_mut().insert("authorization", claims.token().authorization());
/// assert!(request.headers()["authorization"].is_sensitive());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [The manual](crate::manual::native#calling-the-next-service-for-the-user) says when a token may travel on.
#[derive(Clone, Copy)]
pub struct PresentedToken<'a>(&'a str);

impl<'a> PresentedToken<'a> {
    pub(super) fn new(token: &'a str) -> Self {
        Self(token)
    }

    /// Returns the token itself, without the scheme before it.
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// Returns the value of `Authorization` for the next request (RFC 6750 section 2.1), marked
    /// [sensitive](HeaderValue::is_sensitive).
    pub fn authorization(&self) -> HeaderValue {
        // A verified token is base64url with dots, so this cannot fail; a bare scheme is no credential.
        let value = HeaderValue::try_from(format!("Bearer {}", self.0));
        let mut value = value.unwrap_or(HeaderValue::from_static("Bearer"));
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for PresentedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedToken").finish_non_exhaustive()
    }
}

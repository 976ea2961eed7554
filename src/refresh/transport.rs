//! How the refresh token travels: in a cookie, or in JSON bodies.

/// How the refresh token travels. One layer has one transport. It rejects tokens that were issued for the other.
///
/// ```
/// use tower_bearer::refresh::{RefreshCookieBuilder, RefreshTransport};
///
/// fn for_native_clients(builder: RefreshCookieBuilder) -> RefreshCookieBuilder {
///     builder.cookie_path("/native").transport(RefreshTransport::Body)
/// }
/// # let _ = for_native_clients;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefreshTransport {
    /// In an `HttpOnly` cookie: browsers.
    #[default]
    Cookie,
    /// As `refresh_token` in the JSON of requests and answers (RFC 6749 section 6). It is for clients without a cookie
    /// jar, which keep it in their platform's store for secrets. No `Set-Cookie` is ever sent, and a request that
    /// carries the cookie as well is refused.
    Body,
}

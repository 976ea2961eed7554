//! A change of privilege, as the application asks for it.

use std::fmt;

use super::authentication::Said;
use crate::clock::Timestamp;

/// A change of privilege, for [`Session::elevate_with`](crate::Session::elevate_with). All that is not set here stays
/// as it is, except for the authentication. Its time is now, and its methods and class are those named here.
///
/// **Name the methods that were checked** where the application asks for a class
/// ([`acr_values`](crate::RequireRecentAuth::acr_values)). An earlier authentication does not count. A password that is
/// checked today does not make the second factor of last week recent.
///
/// ```
/// use tower_bearer::{AccessToken, Session, SessionError, refresh::Elevation};
///
/// /// After the second factor was checked.
/// async fn with_second_factor(session: &Session) -> Result<AccessToken, SessionError> {
///     let step = Elevation::new().amr(["pwd", "otp", "mfa"]).acr("urn:example:aal2");
///     session.elevate_with(step).await
/// }
/// # let _ = with_second_factor;
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Elevation {
    pub(super) context: Option<Vec<u8>>,
    pub(super) said: Said,
}

impl Elevation {
    /// Keeps the context, with an authentication that has just taken place, by methods of which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the bytes that the claims closure gets at every refresh, at most 1024. Longer ones fail with
    /// [`InvalidInput`](crate::SessionErrorKind::InvalidInput).
    pub fn context(mut self, context: impl Into<Vec<u8>>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Replaces the methods by which the user has authenticated, such as `pwd`, `otp` and `hwk` (RFC 8176 section 2).
    /// As [`NewSession::amr`](crate::NewSession::amr): longer ones fail with
    /// [`InvalidInput`](crate::SessionErrorKind::InvalidInput).
    pub fn amr<T: Into<String>>(mut self, methods: impl IntoIterator<Item = T>) -> Self {
        self.said.amr = Some(methods.into_iter().map(Into::into).collect());
        self
    }

    /// Replaces the authentication context class. As [`NewSession::acr`](crate::NewSession::acr): longer ones fail with
    /// [`InvalidInput`](crate::SessionErrorKind::InvalidInput).
    pub fn acr(mut self, acr: impl Into<String>) -> Self {
        self.said.acr = Some(acr.into());
        self
    }

    /// Sets when the user has authenticated, where a provider says it. Default: now, by the store's clock. As
    /// [`NewSession::auth_time`](crate::NewSession::auth_time).
    pub fn auth_time(mut self, at: Timestamp) -> Self {
        self.said.auth_time = Some(at);
        self
    }
}

impl fmt::Debug for Elevation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { context: _, said } = self;
        f.debug_struct("Elevation")
            .field("said", said)
            .finish_non_exhaustive()
    }
}

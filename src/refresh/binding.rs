//! Which session a request belongs to, before anybody has asked the store.

use http::request::Parts;

use super::{
    layer::RefreshCookieLayer,
    session::{LONGEST_VALUE, MOST_VALUES},
    shared::Shared,
};
use crate::{
    binding::CsrfBinding,
    cookie,
    guard::is_cross_site,
    session::{SessionId, unseal},
};

impl RefreshCookieLayer {
    /// Binds CSRF tokens to the session of the refresh cookie, for
    /// [`CsrfLayer::builder`](crate::CsrfLayer::builder). The cookie is opened and so known to be
    /// genuine; the store is not asked. No cookie, a broken one, and genuine ones of two sessions
    /// are nobody's, as [`CsrfBinding::ANONYMOUS`]. A link on another site leads here without a
    /// `SameSite=Strict` cookie: the browser then keeps the token that it has.
    ///
    /// The browser sends the refresh cookie to the layer's path only, so the CSRF layer belongs
    /// around the same routes. Elsewhere it would take everybody for nobody, and replace the
    /// browser's token by one that the session endpoints refuse.
    ///
    /// ```
    /// use tower_bearer::{CsrfLayer, KeyRing, RefreshCookieLayer};
    ///
    /// # fn layers(keys: KeyRing, sessions: RefreshCookieLayer) -> Result<(), tower_bearer::ConfigError> {
    /// let csrf = CsrfLayer::builder(&keys, sessions.csrf_binding()).build()?;
    /// # let _ = csrf;
    /// # Ok(())
    /// # }
    /// ```
    pub fn csrf_binding(&self) -> impl Fn(&Parts) -> CsrfBinding + Clone + Send + Sync + 'static {
        let shared = self.shared.clone();
        move |parts| match session_of(&shared, parts) {
            Some(session) => session.into(),
            None if is_kept_back(&shared, parts) => CsrfBinding::UNSEEN,
            None => CsrfBinding::ANONYMOUS,
        }
    }
}

/// Whether the browser may have a refresh cookie that it does not send with this request.
fn is_kept_back(shared: &Shared, parts: &Parts) -> bool {
    let mut sent = cookie::values(&parts.headers, shared.cookie.name());
    shared.cookie.is_strict() && is_cross_site(&parts.headers) && sent.next().is_none()
}

fn session_of(shared: &Shared, parts: &Parts) -> Option<SessionId> {
    let keys = shared.keys.load();
    let sessions = keys.sessions.as_ref()?;
    let mut genuine = cookie::values(&parts.headers, shared.cookie.name())
        .filter(|value| !value.is_empty() && value.len() <= LONGEST_VALUE)
        .take(MOST_VALUES)
        .filter_map(|value| unseal(value, sessions, shared.seal_context()).ok())
        .map(|token| token.session);
    let first = genuine.next()?;
    genuine.all(|other| other == first).then_some(first)
}

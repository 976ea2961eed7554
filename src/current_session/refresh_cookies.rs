//! The cookies of one layer.

use std::time::Duration;

use http::HeaderValue;

use crate::{
    cookie::{CookieSpec, Lasts},
    keys::KeyRing,
    session::{CookieKind, RefreshToken, SealContext, jar_value},
};

/// Stands for the cookie's name where there is none. No cookie can have it.
const BODY: &str = "in the body";

/// How a layer's refresh tokens are sealed, and how they come.
#[derive(Debug)]
pub(crate) struct RefreshCookies {
    pub(crate) keys: KeyRing,
    pub(crate) issuer: String,
    pub(crate) cookie: CookieSpec,
    /// The jar cookie. `None` where it is off, and where tokens travel in bodies.
    pub(crate) jar: Option<CookieSpec>,
    /// Clear what the browser may still hold under the path that the cookies had before.
    pub(crate) former: Vec<HeaderValue>,
    /// How long a session lasts at most without a refresh.
    pub(crate) idle: Duration,
    /// Tokens travel in bodies, and the cookie carries none.
    pub(crate) in_bodies: bool,
    /// Something in front takes all of the cookie's path off, so that every request here is below it.
    pub(crate) everywhere: bool,
}

impl RefreshCookies {
    /// The place that a refresh token of this layer is sealed to: a token never changes its transport.
    pub(crate) fn seal_context(&self) -> SealContext<'_> {
        SealContext {
            carrier: if self.in_bodies {
                BODY
            } else {
                self.cookie.name()
            },
            issuer: &self.issuer,
        }
    }

    /// The jar cookie, and what its value is bound to.
    pub(super) fn jar(&self) -> Option<(&CookieSpec, SealContext<'_>)> {
        let jar = self.jar.as_ref()?;
        let place = SealContext {
            carrier: jar.name(),
            issuer: &self.issuer,
        };
        Some((jar, place))
    }

    /// The jar cookie of the session of `token`. `None` where it is off. `None` too where the session's key has just
    /// left the ring: no token of it is accepted any more.
    pub(crate) fn jar_cookie(
        &self,
        token: &RefreshToken,
        kind: CookieKind,
        lasts: Lasts,
    ) -> Option<HeaderValue> {
        let (jar, place) = self.jar()?;
        let keys = self.keys.load();
        let keys = keys.sessions.as_ref()?.find(token.key_id)?;
        jar.set(&jar_value(&token.session, kind, keys, place), lasts)
    }

    /// Whether the browser can send the cookie with a request for `path`.
    ///
    /// The alarm must be true, so it uses all that is known of the browser's path. A router that nests removes its
    /// prefix from the request's path. axum keeps the whole path beside it as `OriginalUri`. The layer does not see
    /// what another router or a proxy removed, so any tail of the cookie's path counts. Where it removed all of that,
    /// the application says so.
    pub(super) fn can_reach(&self, path: &str) -> bool {
        self.in_bodies || self.everywhere || self.cookie.reaches(path)
    }
}

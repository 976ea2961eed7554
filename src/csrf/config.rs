//! The settings of `CsrfLayer`.

use std::{fmt, sync::Arc};

use http::{HeaderName, request::Parts};

use super::keys::CsrfKeys;
use crate::{cookie::CookieSpec, csrf_session::CsrfSession};

/// Says which session a request belongs to.
pub(super) type Bind = Arc<dyn Fn(&Parts) -> CsrfSession + Send + Sync>;

/// The settings of the layer.
#[derive(Clone)]
pub(super) struct Config {
    pub(super) keys: CsrfKeys,
    /// `None` where tokens are bound to the session of the refresh cookie.
    pub(super) bind: Option<Bind>,
    pub(super) cookie: CookieSpec,
    pub(super) header: HeaderName,
    pub(super) method_override: bool,
    /// The cookies that authenticate; `None` when any may.
    pub(super) session_cookies: Option<Vec<String>>,
    /// A handler checks the copies that are not in the header.
    pub(super) handler_verifies: bool,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            keys,
            bind,
            cookie,
            header,
            method_override,
            session_cookies,
            handler_verifies,
        } = self;
        f.debug_struct("Config")
            .field("keys", keys)
            .field("bind", &bind.as_ref().map(|_| "<fn>"))
            .field("cookie", cookie)
            .field("header", header)
            .field("method_override", method_override)
            .field("session_cookies", session_cookies)
            .field("handler_verifies", handler_verifies)
            .finish()
    }
}

//! The handle that a handler works with.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};

use super::{policy::Policy, token::Token};
use crate::{
    binding::{CsrfBinding, SessionMoved},
    rejection::{Rejection, RejectionKind},
    secret::{RandomError, random},
};

/// The CSRF token of a request, for pages that carry it and for handlers that change who is
/// signed in.
///
/// [`CsrfLayer`](crate::CsrfLayer) puts it into the request extensions. What the handle decides is
/// written into the response when that passes the layer again, so a handle kept beyond has no
/// effect on the client. The [module page](crate::csrf) has an example.
#[derive(Clone)]
pub struct CsrfToken(Arc<Inner>);

struct Inner {
    policy: Arc<Policy>,
    state: Mutex<State>,
}

struct State {
    binding: CsrfBinding,
    token: Option<Token>,
    /// The browser does not have the token yet.
    issue: bool,
    /// The response depends on the token, so no shared cache may keep it.
    shown: bool,
}

impl CsrfToken {
    /// A handle that goes on with the `token` that the browser has, if it has a good one.
    pub(super) fn new(policy: Arc<Policy>, binding: CsrfBinding, token: Option<Token>) -> Self {
        let state = Mutex::new(State {
            binding,
            token,
            issue: false,
            shown: false,
        });
        Self(Arc::new(Inner { policy, state }))
    }

    /// The handle of a request.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Internal`], naming the layer, when [`CsrfLayer`](crate::CsrfLayer) is not
    /// applied around the caller.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, Rejection> {
        extensions.get::<Self>().cloned().ok_or(Rejection::new(
            RejectionKind::Internal,
            "CsrfLayer is missing: it must wrap whatever uses the CSRF token",
        ))
    }

    /// The token for this page, to be put into `<meta name="csrf-token" content="…">` or a hidden
    /// field: base64url, dots and a tag, which needs no escaping. Each call gives another text for
    /// the same token, so that a compressed page does not give it away (BREACH); all of them stay
    /// good as long as the token does.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Unavailable`] when the operating system gives no random bytes.
    pub fn masked(&self) -> Result<String, Rejection> {
        let mut state = self.state();
        let token = match state.token {
            Some(token) => token,
            None => self.issue(&mut state).map_err(no_random)?,
        };
        state.shown = true;
        let pad = random().map_err(no_random)?;
        Ok(token.masked(&pad))
    }

    /// Replaces the token of this browser, for the same session. The token from before stays
    /// authentic while the session lasts, as no list of them is kept, but the browser no longer
    /// has its cookie.
    ///
    /// A sign-in, a sign-out and a privilege change through
    /// [`RefreshCookieLayer`](crate::RefreshCookieLayer) do it of themselves. For sessions of
    /// another kind see [`rotate_to`](Self::rotate_to).
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Unavailable`] when the operating system gives no random bytes. The token
    /// is then left as it is.
    pub fn rotate(&self) -> Result<(), Rejection> {
        let mut state = self.state();
        self.issue(&mut state).map(drop).map_err(no_random)
    }

    /// Replaces the token of this browser by one for the session that this very response begins,
    /// or for nobody, where it ends one. Tokens for the session from before are refused from the
    /// next request on, as soon as that is bound to the new one.
    ///
    /// # Errors
    ///
    /// As [`rotate`](Self::rotate).
    pub fn rotate_to(&self, binding: CsrfBinding) -> Result<(), Rejection> {
        let mut state = self.state();
        let before = std::mem::replace(&mut state.binding, binding);
        let issued = self.issue(&mut state);
        if issued.is_err() {
            state.binding = before;
        }
        issued.map(drop).map_err(no_random)
    }

    /// The name of the header that carries the token back.
    pub fn header_name(&self) -> &HeaderName {
        &self.0.policy.header
    }

    /// Gives the browser a token if it has no good one. Without random bytes the request goes on
    /// all the same: a safe request never fails here.
    pub(super) fn provide(&self) {
        let mut state = self.state();
        if state.token.is_none() {
            let _ = self.issue(&mut state);
        }
    }

    /// Goes where the browser goes.
    pub(super) fn follow(&self, moved: SessionMoved) {
        let SessionMoved { to, renewed } = moved;
        if renewed || self.state().binding != to {
            // Without random bytes the next safe request gives the token out.
            let _ = self.rotate_to(to);
        }
    }

    /// Writes what was decided into the response's headers.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let state = self.state();
        let token = state.token.filter(|_| state.issue);
        if let Some(cookie) = token.and_then(|token| self.0.policy.set_cookie(&token)) {
            headers.append(header::SET_COOKIE, cookie);
        } else if !state.shown {
            return;
        }
        // A shared cache would hand one browser's token to the next.
        if !headers.contains_key(header::CACHE_CONTROL) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        headers.append(header::VARY, HeaderValue::from_static("Cookie"));
    }

    fn issue(&self, state: &mut State) -> Result<Token, RandomError> {
        let token = self.0.policy.issue(&state.binding)?;
        state.token = Some(token);
        state.issue = true;
        Ok(token)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_random(_: RandomError) -> Rejection {
    Rejection::new(
        RejectionKind::Unavailable,
        "the operating system gave no random bytes for a CSRF token",
    )
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            policy: _,
            state: _,
        } = &*self.0;
        f.write_str("CsrfToken(<secret>)")
    }
}

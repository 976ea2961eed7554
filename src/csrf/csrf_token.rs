//! The handle that a handler works with.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};

use super::{
    config::Config,
    decision::{Bound, Proof},
    token::Token,
};
use crate::{
    csrf_session::CsrfSession,
    current_session::{CurrentSession, SessionMoved},
    random::{RandomError, random},
    rejection::{CsrfReason, Rejection, RejectionKind},
};

/// The client is blamed for nothing here.
const UNVERIFIED: &str = "the handler answered without CsrfToken::verify, which \
     CsrfBuilder::handler_verifies asks of it";

/// The CSRF token of a request, for pages that carry it and for handlers that change who is
/// signed in.
///
/// [`CsrfLayer`](crate::CsrfLayer) puts it into the request extensions. What the handle decides is
/// written into the response when that passes the layer again, so a handle kept beyond has no
/// effect on the client. The [module page](crate::csrf) has an example.
#[derive(Clone)]
pub struct CsrfToken(Arc<Handle>);

struct Handle {
    config: Arc<Config>,
    /// The session of the refresh cookie, if there is one, whatever tokens are bound to.
    session: Option<CurrentSession>,
    proof: Proof,
    state: Mutex<State>,
}

struct State {
    binding: CsrfSession,
    token: Option<Token>,
    /// The browser does not have the token yet.
    issue: bool,
    /// Where the session was last followed to.
    followed: Option<SessionMoved>,
    /// The response depends on the token, so no shared cache may keep it.
    shown: bool,
    /// What the handler has found, where it checks.
    verified: Result<(), CsrfReason>,
}

impl CsrfToken {
    /// A handle that goes on with the `token` that the browser has, if it has a good one.
    pub(super) fn new(
        config: Arc<Config>,
        bound: Bound,
        token: Option<Token>,
        proof: Proof,
    ) -> Self {
        let Bound { binding, session } = bound;
        let state = Mutex::new(State {
            binding,
            token,
            issue: false,
            followed: None,
            shown: false,
            verified: Err(CsrfReason::Unverified),
        });
        Self(Arc::new(Handle {
            config,
            session,
            proof,
            state,
        }))
    }

    /// The handle of a request.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Internal`], naming the layer, when [`CsrfLayer`](crate::CsrfLayer) is not
    /// applied around the caller.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, Rejection> {
        extensions.get::<Self>().cloned().ok_or(Rejection::wiring(
            "CsrfLayer is missing: it must wrap whatever uses the CSRF token",
        ))
    }

    /// The token for this page, to be put into `<meta name="csrf-token" content="…">` or a hidden
    /// field: base64url, dots and a tag, which needs no escaping. Each call gives another text for
    /// the same token, so that a compressed page does not give it away (BREACH); all of them stay
    /// good as long as the token does. After a sign-in, a sign-out or a privilege change by the same
    /// request it is the next token, which comes with this very response.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Unavailable`] when the operating system gives no random bytes.
    pub fn masked(&self) -> Result<String, Rejection> {
        let mut state = self.follow();
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
        let mut state = self.follow();
        self.issue(&mut state).map(drop).map_err(no_random)
    }

    /// Replaces the token of this browser by one for the session that this very response begins,
    /// or for none, where it ends one. Tokens for the session from before are refused from the
    /// next request on, as soon as that is bound to the new one.
    ///
    /// # Errors
    ///
    /// As [`rotate`](Self::rotate).
    pub fn rotate_to(&self, binding: CsrfSession) -> Result<(), Rejection> {
        let mut state = self.follow();
        self.issue_for(&mut state, binding).map_err(no_random)
    }

    /// Checks `submitted`, raw or masked, where the layer leaves that to the handler:
    /// [`CsrfBuilder::handler_verifies`](crate::csrf::CsrfBuilder::handler_verifies) has an example. The handler
    /// calls it before it changes anything.
    ///
    /// Succeeds whatever `submitted` is where the request has shown its token in the header already,
    /// or needs none.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::CsrfFailed`] when it is no copy of the cookie's token, and in a safe request,
    /// whose token is not checked.
    pub fn verify(&self, submitted: &str) -> Result<(), Rejection> {
        let verified = match &self.0.proof {
            Proof::Exempt | Proof::Given => Ok(()),
            Proof::Expected(_) if submitted.is_empty() => Err(CsrfReason::TokenMissing),
            Proof::Expected(token) => self.0.config.compare(submitted.as_bytes(), token),
            Proof::Absent => Err(CsrfReason::Unverified),
        };
        self.state().verified = verified;
        verified.map_err(Rejection::csrf)
    }

    /// Whether the handler has to call [`verify`](Self::verify).
    pub(super) fn is_awaited(&self) -> bool {
        let needs_one = matches!(self.0.proof, Proof::Given | Proof::Expected(_));
        self.0.config.handler_verifies && needs_one
    }

    /// Keeps back what an unchecked handler has decided, the next session above all, and says why.
    /// `None` where it has checked.
    pub(super) fn withhold(&self) -> Option<Rejection> {
        let reason = self.state().verified.err()?;
        if let Some(session) = &self.0.session {
            session.withhold();
        }
        let rejection = Rejection::csrf(reason);
        Some(match reason {
            CsrfReason::Unverified => rejection.saying(UNVERIFIED),
            _ => rejection,
        })
    }

    /// The name of the header that carries the token back.
    pub fn header_name(&self) -> &HeaderName {
        &self.0.config.header
    }

    /// Gives the browser a token. Without random bytes the request goes on all the same: a safe
    /// request never fails here.
    pub(super) fn provide(&self) {
        let _ = self.issue(&mut self.state());
    }

    /// Goes where the session has gone since, if it has.
    fn follow(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        // Tokens of another kind of session go where the application says.
        let session = self.0.session.as_ref();
        let session = session.filter(|_| self.0.config.bind.is_none());
        let moved = session.and_then(CurrentSession::moved);
        if let Some(moved) = moved
            && state.followed != Some(moved)
        {
            state.followed = Some(moved);
            if moved.renewed || state.binding != moved.to {
                // Without random bytes the next safe request gives the token out.
                let _ = self.issue_for(&mut state, moved.to);
            }
        }
        state
    }

    /// Writes what was decided into the response's headers.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let state = self.follow();
        let token = state.token.filter(|_| state.issue);
        let cookie = token.and_then(|token| self.0.config.set_cookie(&token));
        if let Some(cookie) = cookie {
            // Of two layers the inner one gave the handler its handle, so that one's token counts.
            if !self.0.config.is_set(headers) {
                headers.append(header::SET_COOKIE, cookie);
            }
        } else if !state.shown {
            return;
        }
        keep_to_one_browser(headers);
    }

    fn issue_for(&self, state: &mut State, binding: CsrfSession) -> Result<(), RandomError> {
        let before = std::mem::replace(&mut state.binding, binding);
        let issued = self.issue(state);
        if issued.is_err() {
            state.binding = before;
        }
        issued.map(drop)
    }

    fn issue(&self, state: &mut State) -> Result<Token, RandomError> {
        let token = self.0.config.issue(&state.binding)?;
        state.token = Some(token);
        state.issue = true;
        Ok(token)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shared cache would hand one browser's token to the next. What the handler says of caching stays
/// where it excludes them; `public`, `max-age` and the like do not, beside a cookie or not (RFC 9111
/// section 7.3).
fn keep_to_one_browser(headers: &mut HeaderMap) {
    let excludes = |directive: &[u8]| {
        let directive = directive.trim_ascii();
        directive.eq_ignore_ascii_case(b"private") || directive.eq_ignore_ascii_case(b"no-store")
    };
    let mut lines = headers.get_all(header::CACHE_CONTROL).iter();
    if !lines.any(|line| line.as_bytes().split(|b| *b == b',').any(excludes)) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.append(header::VARY, HeaderValue::from_static("Cookie"));
}

fn no_random(_: RandomError) -> Rejection {
    Rejection::new(
        RejectionKind::Unavailable,
        "the operating system gave no random bytes for a CSRF token",
    )
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Handle {
            config: _,
            session: _,
            proof: _,
            state: _,
        } = &*self.0;
        f.write_str("CsrfToken(<secret>)")
    }
}

//! The handle that a handler works with.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{Extensions, HeaderMap, HeaderName, Response, StatusCode, header};

use super::{
    answer::{is_page, keep_to_one_browser, keep_to_own_pages},
    config::Config,
    decision::{Bound, Good, Proof},
    token::Token,
};
use crate::{
    cookie::Lasts,
    csrf_session::CsrfSession,
    current_session::{CurrentSession, SessionMoved},
    random::{RandomError, random},
    rejection::{CsrfReason, Rejection, RejectionKind},
    request::is_cross_site,
};

/// The client is blamed for nothing here.
const UNVERIFIED: &str = "the handler answered without CsrfToken::verify, which CsrfBuilder::handler_verifies \
     requires";

/// The CSRF token of a request, for pages that carry it and for handlers that change who is
/// signed in.
///
/// [`CsrfLayer`](crate::CsrfLayer) puts it into the request extensions. The layer writes the handle's decisions into
/// the response on its way out. A handle kept longer has no effect on the client. The [module page](crate::csrf) has
/// an example.
#[derive(Clone)]
pub struct CsrfToken(Arc<Handle>);

struct Handle {
    config: Arc<Config>,
    /// The session of the refresh cookie, if there is one, whatever tokens are bound to.
    session: Option<CurrentSession>,
    /// That of another layer further out. Its browser needs a cookie as much as this one's.
    outer: Option<CsrfToken>,
    proof: Proof,
    state: Mutex<State>,
}

struct State {
    binding: CsrfSession,
    token: Option<Token>,
    /// The browser has no token, or one that is to be replaced.
    lacks: bool,
    /// The cookies of several sessions came, and no page chooses one: what it is given comes without a cookie.
    several: bool,
    /// The handler has asked for the handle.
    taken: bool,
    /// The browser does not have the token yet.
    issue: bool,
    /// The token goes with a change of the session, so that it leaves with every answer.
    renewed: bool,
    /// Where the session was last followed to.
    followed: Option<SessionMoved>,
    /// The response carries the token, so no shared cache and no foreign page may have it.
    shown: bool,
    /// The result of the handler's check, where it checks.
    verified: Result<(), CsrfReason>,
}

impl CsrfToken {
    /// A handle that continues with the browser's token, if that is `good`.
    pub(super) fn new(
        config: Arc<Config>,
        bound: Bound,
        outer: Option<Self>,
        good: Option<Good>,
        proof: Proof,
        lacks: bool,
    ) -> Self {
        let Bound {
            candidates,
            session,
        } = bound;
        let several = !candidates.others.is_empty();
        let state = Mutex::new(State {
            binding: good.map_or(candidates.first, |good| good.binding),
            token: good.map(|good| good.token),
            lacks,
            several,
            taken: false,
            issue: false,
            renewed: false,
            followed: None,
            shown: false,
            verified: Err(CsrfReason::Unverified),
        });
        let handle = Self(Arc::new(Handle {
            config,
            session,
            outer,
            proof,
            state,
        }));
        if let (Proof::Given, Some(good)) = (&handle.0.proof, &good) {
            handle.note(good);
        }
        handle
    }

    /// The request has shown the token of `good`. Where the cookies of several sessions came, it acts on that one
    /// session.
    fn note(&self, good: &Good) {
        if let Some(session) = self.0.session.as_ref().filter(|_| good.alone) {
            session.note(&good.binding);
        }
    }

    /// Returns the handle of a request. A browser that has no good token gets one with the answer.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Internal`], naming the layer, when [`CsrfLayer`](crate::CsrfLayer) is not
    /// applied around the caller.
    pub fn from_extensions(extensions: &Extensions) -> Result<Self, Rejection> {
        let handle = extensions.get::<Self>().ok_or_else(|| {
            Rejection::missing_layer("CsrfLayer", "whatever uses the CSRF token", "auth.routes()")
        })?;
        handle.take();
        Ok(handle.clone())
    }

    /// Notes that a page asks for a token, so that the answer brings one where the browser has none.
    pub(crate) fn take(&self) {
        self.state().taken = true;
        if let Some(outer) = &self.0.outer {
            outer.take();
        }
    }

    /// Returns the token for this page, for `<meta name="csrf-token" content="…">` or a hidden field. It is
    /// base64url, dots and a tag, and needs no escaping. Each call returns another text for the same token, so that a
    /// compressed page does not reveal it (BREACH). All of them stay valid as long as the token does. After a
    /// sign-in, a sign-out or a privilege change by the same request it is the next token. This response sets its
    /// cookie.
    ///
    /// Where the refresh cookies of several sessions came, and the token is of none of them, no page chooses one. The
    /// text then goes with no cookie, and is rejected. `GET {base}/csrf` asks the store which session lives, and
    /// resolves it.
    ///
    /// The response then says `X-Content-Type-Options: nosniff` and `Cross-Origin-Resource-Policy: same-origin`
    /// (Fetch). So no page of another host can load it as a script or picture. It is also kept out of shared caches.
    /// A handler whose body is made after the head has left calls this first.
    ///
    /// # Errors
    ///
    /// [`RejectionKind::Unavailable`] when the operating system gives no random bytes.
    pub fn masked(&self) -> Result<String, Rejection> {
        self.mask(&mut self.follow())
    }

    /// The same for a page of `binding`, one of the sessions whose cookies came.
    pub(crate) fn masked_for(&self, binding: CsrfSession) -> Result<String, Rejection> {
        let mut state = self.follow();
        state.several = false;
        if state.binding != binding {
            state.binding = binding;
            state.token = None;
        }
        self.mask(&mut state)
    }

    /// The session that the browser holds a token of.
    pub(crate) fn held(&self) -> Option<CsrfSession> {
        let state = self.state();
        state.token.map(|_| state.binding)
    }

    fn mask(&self, state: &mut State) -> Result<String, Rejection> {
        let token = match state.token {
            Some(token) if state.issue || !state.lacks => token,
            _ if state.several => {
                let token = self.0.config.issue(&state.binding);
                *state.token.insert(token.map_err(no_random)?)
            }
            _ => self.issue(state).map_err(no_random)?,
        };
        let pad = random().map_err(no_random)?;
        state.shown = true;
        Ok(token.masked(&pad))
    }

    /// Whether the browser was signed in, and has lost its refresh cookie since: see [`Config::is_left`]. A
    /// page of another site comes without it anyway.
    pub(crate) fn is_left(&self, headers: &HeaderMap) -> bool {
        let session = self.0.session.as_ref();
        self.0.config.is_left(headers, session) && !is_cross_site(headers)
    }

    /// Whether the token is of the session of a refresh cookie.
    pub(crate) fn is_of_refresh_cookie(&self) -> bool {
        self.0.config.bind.is_none()
    }

    /// Replaces the token of this browser, for the same session. The tokens of the session from before stay
    /// good while it lasts, as no list of them is kept. Those of no session end with their cookie.
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
        self.issue(&mut state).map_err(no_random)?;
        state.renewed = true;
        Ok(())
    }

    /// Replaces the token of this browser by one for the session that this response begins. Where the response ends a
    /// session, the new token is for none. Earlier tokens of the session are rejected from the next request on, once
    /// that is bound to the new one.
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
    /// [`RejectionKind::CsrfFailed`] when it is no token of the session, and in a safe request, whose token is
    /// not checked. Where there is no session, or the cookies of several came, it has to be a copy of the cookie's.
    pub fn verify(&self, submitted: &str) -> Result<(), Rejection> {
        let verified = match &self.0.proof {
            Proof::Exempt | Proof::Given => Ok(()),
            Proof::Expected(_) if submitted.is_empty() => Err(CsrfReason::TokenMissing),
            Proof::Expected(good) => self.0.config.compare(submitted.as_bytes(), good),
            Proof::Absent => Err(CsrfReason::Unverified),
        };
        self.state().verified = verified;
        if let (Proof::Expected(good), Ok(())) = (&self.0.proof, verified) {
            self.note(good);
        }
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
            CsrfReason::Unverified => rejection.saying_alone(UNVERIFIED),
            _ => rejection,
        })
    }

    /// Returns the name of the header that carries the token back.
    pub fn header_name(&self) -> &HeaderName {
        &self.0.config.header
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
                // Without random bytes the next page that asks brings the token.
                let _ = self.issue_for(&mut state, moved.to);
            }
        }
        state
    }

    /// Writes what was decided into the response.
    pub(super) fn write<B>(&self, response: &mut Response<B>) {
        let mut state = self.follow();
        let is_kept = response.status() == StatusCode::NOT_MODIFIED;
        let headers = response.headers_mut();
        if state.lacks && !state.issue && !is_kept && (state.taken || is_page(headers)) {
            // Without random bytes the answer goes out as it is: a safe request never fails here.
            let _ = self.issue(&mut state);
        }
        // The page behind "not modified" is the one that the browser has.
        let leaves = state.issue && (state.renewed || !is_kept);
        let token = state.token.filter(|_| leaves || self.outlived(&state));
        let cookie = token.and_then(|token| {
            let lasts = self.lasts(&state);
            self.0.config.set_cookie(&token, lasts)
        });
        if let Some(cookie) = cookie {
            // Of two layers the inner one gave the handler its handle, so that one's token counts.
            if !self.0.config.is_set(headers) {
                headers.append(header::SET_COOKIE, cookie);
            }
        } else if !state.shown {
            return;
        }
        keep_to_one_browser(headers);
        if state.shown {
            keep_to_own_pages(headers);
        }
    }

    /// Whether the refresh cookie that leaves lasts longer than the CSRF cookie that the browser has. The
    /// same token then goes with it once more: the two end together.
    fn outlived(&self, state: &State) -> bool {
        let moved = state.followed.filter(|moved| moved.to == state.binding);
        moved.is_some_and(|moved| moved.slides)
    }

    /// How long the cookie of the token is to last: as long as the refresh cookie of its session. Of no
    /// session, and of sessions of another kind, until the browser closes.
    fn lasts(&self, state: &State) -> Lasts {
        let session = self.0.session.as_ref();
        let is_bound = self.is_of_refresh_cookie() && state.binding.digest().is_some();
        let Some(session) = session.filter(|_| is_bound) else {
            return Lasts::UntilClosed;
        };
        match state.followed.filter(|moved| moved.to == state.binding) {
            Some(moved) => moved.lasts,
            None => session.lasts(&state.binding),
        }
    }

    fn issue_for(&self, state: &mut State, binding: CsrfSession) -> Result<(), RandomError> {
        let before = std::mem::replace(&mut state.binding, binding);
        let issued = self.issue(state);
        match issued {
            Ok(_) => state.renewed = true,
            Err(_) => state.binding = before,
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
            outer: _,
            proof: _,
            state: _,
        } = &*self.0;
        f.write_str("CsrfToken(<secret>)")
    }
}

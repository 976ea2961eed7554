//! The refresh session of one request, as everything that serves the request shares it.
//!
//! `RefreshCookieLayer` puts it into the extensions, `Csrf` and the `Session` handle read it there. The
//! cookie is opened once, by the first of them that asks; where the response takes the browser
//! stands here as well, so that the next CSRF token goes with it.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, request::Parts};

use crate::{
    clock::{Clock, SystemClock},
    cookie::{self, CookieSpec, Lasts},
    csrf_session::{Candidates, CsrfSession},
    keys::{KeyRing, SessionKeys},
    request::is_cross_site,
    session::{
        CookieKind, JarText, RefreshToken, SealContext, SessionId, UnsealError, jar_value,
        judge_jar, unseal,
    },
};

/// Cookies longer than this are none of ours: ours stay under 512 bytes.
pub(crate) const LONGEST_VALUE: usize = 512;
/// A request carries one refresh cookie and one jar cookie; a few more are tolerated, a flood is not worked through.
const MOST_VALUES: usize = 4;

/// Said of a page that comes with the CSRF cookie of a session, and without its refresh cookie.
pub(crate) const SIGNED_OUT: &str = "the CSRF cookie is of a session, and no refresh cookie came with it: it has ended, \
     or the browser does not keep or send it here (cookie_path, external_prefix, plain http, another site)";

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
    /// How long a session lasts at most without a refresh.
    pub(crate) idle: Duration,
    /// Tokens travel in bodies, and the cookie carries none.
    pub(crate) in_bodies: bool,
    /// Something in front takes all of the cookie's path off, so that every request here is below it.
    pub(crate) everywhere: bool,
}

impl RefreshCookies {
    /// What a refresh token of this layer is sealed to: a token never changes its transport.
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
    fn jar(&self) -> Option<(&CookieSpec, SealContext<'_>)> {
        let jar = self.jar.as_ref()?;
        let place = SealContext {
            carrier: jar.name(),
            issuer: &self.issuer,
        };
        Some((jar, place))
    }

    /// The jar cookie of the session of `token`. `None` where it is off, and where the key of the session
    /// has just left the ring: no token of it is honoured any more.
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
    /// The alarm must be true, so it needs what is known of the path that the browser has. A router that
    /// nests takes its prefix off the request's path: axum keeps the whole one beside it as `OriginalUri`. The
    /// layer does not see what another router or a proxy took off, so any tail of the cookie's path will do.
    /// Where it took all of that off, the application says so.
    fn can_reach(&self, path: &str) -> bool {
        self.in_bodies || self.everywhere || self.cookie.reaches(path)
    }
}

/// The request's path before axum's routers took anything off it.
fn whole_path(parts: &Parts) -> &str {
    #[cfg(feature = "axum")]
    if let Some(original) = parts.extensions.get::<::axum::extract::OriginalUri>() {
        return original.path();
    }
    parts.uri.path()
}

/// The genuine refresh tokens of one request, and what its response does to them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct CurrentSession(Arc<RequestState>);

struct RequestState {
    cookies: Arc<RefreshCookies>,
    values: Vec<Box<[u8]>>,
    /// Those of the jar cookie. Without one of the others they are worth nothing.
    jar: [Option<JarText>; MOST_VALUES],
    /// Whether there was any value, though none that could be ours.
    sent: bool,
    /// The request's path, where the browser sends no cookie to it.
    unreached: Option<Box<str>>,
    /// Filled when it is first asked for; `None` without a key to open with.
    opened: OnceLock<Option<Opened>>,
    outgoing: Mutex<Outgoing>,
}

/// The result of opening some values.
#[derive(Clone, Default)]
pub(crate) struct Opened {
    pub(crate) genuine: Vec<RefreshToken>,
    /// Why one of them is none of ours, for the log.
    pub(crate) fault: Option<UnsealError>,
}

impl Opened {
    pub(crate) fn new<'v>(
        values: impl Iterator<Item = &'v [u8]>,
        keys: &SessionKeys,
        context: SealContext<'_>,
    ) -> Self {
        let mut opened = Self::default();
        for value in values {
            match unseal(value, keys, context) {
                Ok(token) => opened.genuine.push(token),
                Err(fault) => opened.fault = opened.fault.max(Some(fault)),
            }
        }
        opened
    }

    /// The session of the genuine tokens. Tokens of two sessions are of none: neither choice would be the
    /// user's.
    pub(crate) fn session(&self) -> Option<SessionId> {
        let mut sessions = self.genuine.iter().map(|token| token.session);
        let first = sessions.next()?;
        sessions.all(|other| other == first).then_some(first)
    }
}

/// What `RefreshCookieLayer` adds to the response.
#[derive(Default)]
pub(crate) struct Outgoing {
    pub(crate) cookie: Option<HeaderValue>,
    /// The jar cookie that goes with it.
    pub(crate) jar: Option<HeaderValue>,
    /// The token that `cookie` carries. The handle goes on with it: to the application the session
    /// that a call has begun or moved on is *the* session from there on.
    pub(crate) token: Option<RefreshToken>,
    /// How long `cookie` lasts in the browser.
    pub(crate) lasts: Lasts,
    /// It lasts longer than the one before: each refresh moves the end of the session on.
    pub(crate) slides: bool,
    /// `token` is of a new session, or of one whose privileges have changed.
    pub(crate) renewed: bool,
    /// `cookie` clears: as far as this request is concerned there is no session any more.
    pub(crate) over: bool,
    /// `token` waits for the request that shows it: this one goes no further with it.
    pub(crate) unconfirmed: bool,
    /// The answer depends on the session, so no cache may keep it.
    pub(crate) private: bool,
    /// The request has turned out to be refused: no cookie leaves, a later one neither.
    withheld: bool,
}

impl Outgoing {
    /// The cookies for the response, once.
    pub(crate) fn take_cookies(&mut self) -> impl Iterator<Item = HeaderValue> + use<> {
        let cookies = [self.cookie.take(), self.jar.take()];
        let leave = !self.withheld;
        cookies.into_iter().flatten().filter(move |_| leave)
    }
}

/// Where the cookies of the response take the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionMoved {
    /// Where the browser is from now on.
    pub(crate) to: CsrfSession,
    /// The session is new, or its privileges are: tokens from before must not be handed on, even
    /// where the id is the same.
    pub(crate) renewed: bool,
    /// How long the cookie lasts that goes with the response.
    pub(crate) lasts: Lasts,
    /// It lasts longer than the one that the browser has.
    pub(crate) slides: bool,
}

impl CurrentSession {
    pub(crate) fn new(cookies: Arc<RefreshCookies>, parts: &Parts) -> Self {
        let mut sent = false;
        let values: Vec<_> = cookie::values(&parts.headers, cookies.cookie.name())
            .filter(|value| !value.is_empty())
            .inspect(|_| sent = true)
            .filter(|value| value.len() <= LONGEST_VALUE)
            .take(MOST_VALUES)
            .map(Box::from)
            .collect();
        let mut jar = [None; MOST_VALUES];
        if let Some(spec) = cookies.jar.as_ref().filter(|_| !values.is_empty()) {
            let texts = cookie::values(&parts.headers, spec.name());
            let texts = texts.filter_map(|text| text.try_into().ok());
            for (place, text) in jar.iter_mut().zip(texts) {
                *place = Some(text);
            }
        }
        // A cookie that has come needs no other proof.
        let unreached = Some(whole_path(parts)).filter(|path| !sent && !cookies.can_reach(path));
        Self(Arc::new(RequestState {
            unreached: unreached.map(Box::from),
            cookies,
            values,
            jar,
            sent,
            opened: OnceLock::new(),
            outgoing: Mutex::default(),
        }))
    }

    /// Whether it is the session of the cookies of this very layer.
    pub(crate) fn is_of(&self, cookies: &Arc<RefreshCookies>) -> bool {
        Arc::ptr_eq(&self.0.cookies, cookies)
    }

    /// How many values came that may be ours.
    pub(crate) fn count(&self) -> usize {
        self.0.values.len()
    }

    /// Whether anything came under the cookie's name, whatever it is worth.
    pub(crate) fn is_sent(&self) -> bool {
        self.0.sent
    }

    /// The request's path, where the browser does not send the cookie to it.
    pub(crate) fn unreached(&self) -> Option<&str> {
        self.0.unreached.as_deref()
    }

    /// The path that browsers send the cookie to, and all below.
    pub(crate) fn cookie_path(&self) -> &str {
        self.0.cookies.cookie.path()
    }

    /// The genuine tokens of the cookies, without a look at the store. `None` without a key.
    pub(crate) fn genuine(&self) -> Option<&[RefreshToken]> {
        self.opened().map(|opened| &*opened.genuine)
    }

    /// The cookies, opened, without a look at the store. `None` without a key.
    pub(crate) fn opened(&self) -> Option<&Opened> {
        let RequestState {
            cookies, values, ..
        } = &*self.0;
        let open = || {
            let keys = cookies.keys.load();
            let keys = keys.sessions.as_ref()?;
            // What is meant for bodies is sealed for them.
            let values = values.iter().filter(|_| !cookies.in_bodies);
            let values = values.map(|value| &**value);
            Some(Opened::new(values, keys, cookies.seal_context()))
        };
        self.0.opened.get_or_init(open).as_ref()
    }

    /// The session of the genuine tokens, if they are of one.
    pub(crate) fn session(&self) -> Option<SessionId> {
        self.opened()?.session()
    }

    /// The kind of the cookies of `session`, if a right jar cookie of it came.
    pub(crate) fn jar(&self, session: &SessionId) -> Option<CookieKind> {
        let RequestState { cookies, jar, .. } = &*self.0;
        let (_, place) = cookies.jar()?;
        let keys = cookies.keys.load();
        let keys = keys.sessions.as_ref()?;
        let mut values = jar.iter().flatten();
        values.find_map(|value| judge_jar(value, session, keys, place))
    }

    /// The name of the jar cookie, where there is one.
    pub(crate) fn jar_name(&self) -> Option<&str> {
        Some(self.0.cookies.jar.as_ref()?.name())
    }

    /// Whether a cookie of that name would replace one of the session's.
    pub(crate) fn has_cookie_name(&self, name: &str) -> bool {
        let RefreshCookies {
            cookie, in_bodies, ..
        } = &*self.0.cookies;
        (!in_bodies && cookie.name() == name) || self.jar_name() == Some(name)
    }

    /// The sessions that the CSRF token of the request with these `headers` may be bound to.
    pub(crate) fn candidates(&self, headers: &HeaderMap) -> Candidates {
        let mut sessions: Vec<SessionId> = Vec::new();
        let mut genuine = self.genuine().unwrap_or_default().iter();
        let Some(first) = genuine.next() else {
            // The browser keeps a strict cookie back from what pages of other sites cause.
            let is_kept_back =
                !self.0.sent && self.0.cookies.cookie.is_strict() && is_cross_site(headers);
            return Candidates::from(match is_kept_back {
                true => CsrfSession::UNSEEN,
                false => CsrfSession::ANONYMOUS,
            });
        };
        for token in genuine {
            if token.session != first.session && !sessions.contains(&token.session) {
                sessions.push(token.session);
            }
        }
        Candidates {
            first: first.session.into(),
            others: sessions.into_iter().map(CsrfSession::from).collect(),
        }
    }

    /// How long the browser keeps the refresh cookie of the session that `binding` stands for. Where a refresh
    /// moves that on, only the store knows when the last one was: it is up to one idle lifetime less. That it
    /// goes when the browser closes, the jar cookie says. So it is with a session that has ended by this
    /// server's clock.
    pub(crate) fn lasts(&self, binding: &CsrfSession) -> Lasts {
        let mut genuine = self.genuine().unwrap_or_default().iter();
        let token = genuine.find(|token| CsrfSession::from(token.session) == *binding);
        let Some(token) = token else {
            return Lasts::UntilClosed;
        };
        let left = token.expires_at.since(SystemClock.now());
        match self.jar(&token.session) {
            Some(CookieKind::UntilClosed) => Lasts::UntilClosed,
            _ if left.as_secs() == 0 => Lasts::UntilClosed,
            _ => Lasts::For(left.min(self.0.cookies.idle)),
        }
    }

    pub(crate) fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        let outgoing = self.0.outgoing.lock();
        outgoing.unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the session's cookie back from the response, and those that tasks of the handler may still
    /// decide on. What the store holds by now stays there.
    pub(crate) fn withhold(&self) {
        self.outgoing().withheld = true;
    }

    /// Where the response takes the browser, as it stands now. Without a cookie it stays.
    pub(crate) fn moved(&self) -> Option<SessionMoved> {
        let outgoing = self.outgoing();
        outgoing.cookie.as_ref().filter(|_| !outgoing.withheld)?;
        let session = outgoing.token.as_ref().filter(|_| !outgoing.over);
        Some(SessionMoved {
            to: session.map_or(CsrfSession::ANONYMOUS, |token| token.session.into()),
            renewed: outgoing.renewed,
            lasts: outgoing.lasts,
            slides: outgoing.slides && !outgoing.over,
        })
    }
}

#[cfg(feature = "memory")]
#[cfg(test)]
mod tests;

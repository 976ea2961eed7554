//! The refresh session of one request, as everything that serves the request shares it.
//!
//! `RefreshCookieLayer` puts it into the extensions, where `Csrf` and the `Session` handle read it.
//! The first of them that asks opens the cookie, once. The session that the response sets in the
//! browser is recorded here too. The next CSRF token is made for that session.

mod opened;
mod outgoing;
mod refresh_cookies;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use http::{HeaderMap, request::Parts};

pub(crate) use opened::Opened;
pub(crate) use outgoing::{Outgoing, SessionMoved};
pub(crate) use refresh_cookies::RefreshCookies;

use crate::{
    clock::{Clock, SystemClock},
    cookie::{self, Lasts},
    csrf_session::{Candidates, CsrfSession},
    keys::SessionKeys,
    request::is_cross_site,
    session::{
        CookieKind, JarText, RefreshToken, SessionId, UnsealError, judge_jar, screen, screen_jar,
    },
};

/// Tokens longer than this are not ours: ours stay under 512 bytes.
pub(crate) const LONGEST_VALUE: usize = 512;
/// A request carries one refresh cookie and one jar cookie. Another path and other hosts of the
/// domain may add more. The layer looks at this many candidates, so that a flood costs no more.
const MOST_VALUES: usize = 16;

/// Said of a page that comes with the CSRF cookie of a session, and without its refresh cookie.
pub(crate) const SIGNED_OUT: &str = "the CSRF cookie is of a session, and no refresh cookie came with it. The \
     session has ended, or the browser keeps no cookie or sends none here (cookie_path, external_prefix, plain http, \
     another site)";

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
    values: Values,
    /// Whether there was any value, though none that could be ours.
    sent: bool,
    /// The request's path, where the browser sends no cookie to it.
    unreached: Option<Box<str>>,
    /// Filled when it is first asked for; `None` without a key to open with.
    opened: OnceLock<Option<Opened>>,
    outgoing: Mutex<Outgoing>,
}

/// The values that may be ours, by their length and the key that they name. They are copied out of the request
/// before any of them is opened.
#[derive(Default)]
struct Values {
    refresh: Vec<Box<[u8]>>,
    /// Without one of the others they are invalid.
    jar: Vec<JarText>,
    /// Why one that came is not ours, for the log.
    fault: Option<UnsealError>,
}

impl Values {
    fn new(cookies: &RefreshCookies, headers: &HeaderMap, keys: &SessionKeys) -> Self {
        let mut fault = None;
        let mut is_ours = |value: &&[u8]| {
            let screened = screen(value, keys);
            fault = fault.max(screened.err());
            screened.is_ok()
        };
        let refresh: Vec<_> = sent(cookies, headers)
            .filter(|value| is_ours(value))
            .take(MOST_VALUES)
            .map(Box::from)
            .collect();
        let spec = cookies.jar.as_ref().filter(|_| !refresh.is_empty());
        let texts = spec.map(|spec| cookie::values(headers, spec.name()));
        let texts = texts.into_iter().flatten();
        let jar = texts
            .filter_map(|text| screen_jar(text, keys))
            .take(MOST_VALUES)
            .collect();
        Self {
            refresh,
            jar,
            fault,
        }
    }
}

/// The values under the cookie's name, valid or not.
fn sent<'a>(cookies: &'a RefreshCookies, headers: &'a HeaderMap) -> impl Iterator<Item = &'a [u8]> {
    let values = cookie::values(headers, cookies.cookie.name());
    values.filter(|value| !value.is_empty())
}

impl CurrentSession {
    pub(crate) fn new(cookies: Arc<RefreshCookies>, parts: &Parts) -> Self {
        let is_sent = sent(&cookies, &parts.headers).next().is_some();
        // Tokens for bodies are sealed for them.
        let is_read = is_sent && !cookies.in_bodies;
        let keys = is_read.then(|| cookies.keys.load());
        let keys = keys.as_ref().and_then(|keys| keys.sessions.as_ref());
        let values = keys.map(|keys| Values::new(&cookies, &parts.headers, keys));
        // A cookie that has come needs no other proof.
        let unreached = Some(whole_path(parts)).filter(|path| !is_sent && !cookies.can_reach(path));
        Self(Arc::new(RequestState {
            unreached: unreached.map(Box::from),
            values: values.unwrap_or_default(),
            cookies,
            sent: is_sent,
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
        self.0.values.refresh.len()
    }

    /// Whether anything came under the cookie's name, valid or not.
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

    /// The genuine tokens of the cookies, one of each session, without a look at the store. `None` without a key.
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
            let refresh = values.refresh.iter().map(|value| &**value);
            let mut opened = Opened::new(refresh, keys, cookies.seal_context());
            opened.fault = opened.fault.max(values.fault);
            Some(opened)
        };
        self.0.opened.get_or_init(open).as_ref()
    }

    /// The session of the genuine tokens, if they are of one, or the one that was [noted](Self::note).
    pub(crate) fn session(&self) -> Option<SessionId> {
        self.noted().or_else(|| self.opened()?.session())
    }

    /// Notes that the CSRF token of the request is of the session that `binding` stands for, one of
    /// several. The request acts on that session and no other.
    pub(crate) fn note(&self, binding: &CsrfSession) {
        let mut genuine = self.genuine().unwrap_or_default().iter();
        let token = genuine.find(|token| CsrfSession::from(token.session) == *binding);
        self.outgoing().noted = token.map(|token| token.session);
    }

    /// The session that was noted.
    pub(crate) fn noted(&self) -> Option<SessionId> {
        self.outgoing().noted
    }

    /// The kind of the cookies of `session`, if a right jar cookie of it came.
    pub(crate) fn jar(&self, session: &SessionId) -> Option<CookieKind> {
        let RequestState {
            cookies, values, ..
        } = &*self.0;
        let (_, place) = cookies.jar()?;
        let keys = cookies.keys.load();
        let keys = keys.sessions.as_ref()?;
        let mut jar = values.jar.iter();
        jar.find_map(|value| judge_jar(value, session, keys, place))
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
        Candidates {
            first: first.session.into(),
            others: genuine.map(|token| token.session.into()).collect(),
        }
    }

    /// How long the browser keeps the refresh cookie of the session that `binding` stands for. Where a refresh moves
    /// that on, only the store knows when the last one was. The time is then up to one idle lifetime less. The jar
    /// cookie says whether it lasts until the browser closes. A session that has ended by this server's clock counts
    /// so too.
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

    /// Keeps the session's cookie back from the response, and those that tasks of the handler may
    /// still decide on. Changes that the store already holds stay there.
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

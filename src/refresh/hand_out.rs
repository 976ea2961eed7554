//! The cookies that a call hands out.

use super::{config::Config, session::Session, transport::RefreshTransport};
use crate::{
    clock::Timestamp,
    cookie::{LONGEST, Lasts},
    session::{CookieKind, RefreshToken, SessionRecord},
    token::AccessToken,
};

impl Session {
    /// Hands out `token`, whose sealed form is `value`, with the access token that goes with it.
    pub(crate) fn hand_out(
        &self,
        token: RefreshToken,
        value: String,
        record: &SessionRecord,
        now: Timestamp,
        access: AccessToken,
    ) -> AccessToken {
        self.set_cookies(token, &value, record, now);
        match self.config().transport() {
            RefreshTransport::Cookie => access,
            RefreshTransport::Body => access.with_refresh_token(value),
        }
    }

    /// The handle goes on with `token`, and so does the browser, by a cookie of this `value`. The jar cookie goes along
    /// until the session is bound to it, so a lost answer locks no browser out.
    pub(crate) fn set_cookies(
        &self,
        token: RefreshToken,
        value: &str,
        record: &SessionRecord,
        now: Timestamp,
    ) {
        let mut outgoing = self.outgoing();
        outgoing.over = false;
        outgoing.unconfirmed = false;
        if self.config().transport() == RefreshTransport::Cookie {
            let Config {
                cookies, policy, ..
            } = &**self.config();
            let kind = record.cookie_kind();
            let lasts = |end: Timestamp| match kind {
                CookieKind::Lasting => Lasts::For(end.since(now)),
                CookieKind::UntilClosed => Lasts::UntilClosed,
            };
            let whole = token.expires_at.since(record.created_at());
            let idle = record.idle(policy).min(LONGEST);
            // As if the session were used now: the note that a later use may write brings no cookie.
            outgoing.lasts = lasts(record.idle_from(now, policy));
            outgoing.slides = kind == CookieKind::Lasting && idle < whole;
            outgoing.cookie = cookies.cookie.set(value, outgoing.lasts);
            outgoing.former = cookies.former.clone();
            // No cookie lasts longer than browsers allow: there it has to be set again. So has one that may lie under
            // the former path, which is cleared.
            let moves = !cookies.former.is_empty();
            let jar = !record.bound || outgoing.renewed || whole > LONGEST || moves;
            let jar = jar.then(|| cookies.jar_cookie(&token, kind, lasts(token.expires_at)));
            outgoing.jar = jar.flatten();
        }
        outgoing.token = Some(token);
    }
}

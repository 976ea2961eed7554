//! Beginning a session, and beginning it anew after a privilege change.

use std::pin::pin;

use super::{
    authenticate::{Authenticated, unavailable},
    authentication::invalid,
    cause,
    claims::{Basis, ClaimsReason, ClaimsRequest},
    elevation::Elevation,
    ending::Ending,
    lifetimes,
    new_session::NewSession,
    revoke::{self, Revocation},
    session::{Session, active, no_secret},
    spawn,
    store_time::Found,
    told::Apart,
};
use crate::{
    clock::{Clock, SystemClock},
    event::Event,
    random::RandomError,
    session::{
        LONGEST_CONTEXT, LONGEST_NOTE, LONGEST_SUBJECT, NewSecrets, RevokeReason, SessionError,
        SessionErrorKind, SessionKey, SessionRecord, SignIn,
    },
    store::{RefreshStore, Swap},
    token::AccessToken,
};

/// After which a client, too, would come back.
const A_MOMENT: std::time::Duration = std::time::Duration::from_secs(1);

impl Session {
    /// Signs `subject` in: a new session, its cookie, and the first access token.
    ///
    /// Call it once the application has authenticated the user. The session whose cookie came with the request is
    /// replaced, whichever subject it is of: a browser has one session. Where the cookies of several came, it is the
    /// one whose CSRF token the request has shown. Otherwise it is the one that lives; of two that live, it is none. A
    /// session whose refresh cookie came without its jar cookie is not replaced: the cookie may have been copied alone.
    /// The session goes on and [`Event::ForeignJar`](crate::Event::ForeignJar) reports it.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](SessionErrorKind::InvalidInput) for an empty or overlong subject.
    /// [`Denied`](SessionErrorKind::Denied) when the claims closure refuses it.
    /// [`Internal`](SessionErrorKind::Internal) when its claims cannot be written into a token.
    /// [`Unavailable`](SessionErrorKind::Unavailable) when the store or the claims did not answer. No token leaves
    /// then, and the old cookie stays. Where the cookies of several sessions came, also
    /// [`CsrfFailed`](SessionErrorKind::CsrfFailed), before anything is done.
    ///
    /// # Cancel safety
    ///
    /// A start that is dropped may leave a session whose token no client holds. It counts towards the subject's limit
    /// until it expires.
    pub async fn start(&self, subject: impl Into<String>) -> Result<AccessToken, SessionError> {
        self.start_with(NewSession::new(subject)).await
    }

    /// Starts like [`start`](Self::start), with everything a session may begin with.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start). [`InvalidInput`](SessionErrorKind::InvalidInput) also for a context or a note that is
    /// too long. It is also for an `auth_time`, `amr` or `acr` that cannot be kept.
    /// [`Internal`](SessionErrorKind::Internal) also for a lifetime that does not fit the layer's settings. Its source
    /// is a [`ConfigError`](crate::ConfigError) that names the setting: see [`NewSession::lifetime`] and
    /// [`NewSession::idle`].
    ///
    /// # Cancel safety
    ///
    /// As [`start`](Self::start).
    pub async fn start_with(&self, new: NewSession) -> Result<AccessToken, SessionError> {
        self.call("start", pin!(self.begin(new))).await
    }

    async fn begin(&self, new: NewSession) -> Result<AccessToken, SessionError> {
        let lasts = self.config().lasts(&new)?;
        check_subject(&new.subject)?;
        check_context(&new.context)?;
        if new.note.len() > LONGEST_NOTE {
            return Err(invalid("the note must have at most 256 bytes"));
        }
        let replaced = match self.acted_on().await {
            // Which of them the browser goes on without, it does not say. The new one counts where its token comes.
            Err(error) if error.kind() == SessionErrorKind::Ambiguous && !self.is_mixed() => None,
            acted_on => acted_on?,
        };
        let fresh = NewSecrets::generate().map_err(no_random)?;
        let keys = self.keys()?;
        let key = SessionKey {
            subject: active(&keys)?.subject_tag(&new.subject),
            id: fresh.id,
        };
        // The store's clock judges the session later, so it dates it now.
        let time = self.load(&key).await?.time;
        let authentication = new.said.judge(time.now)?;
        let agent = self.label();
        let opening = SignIn {
            subject: &new.subject,
            presenter: self.presenter(&fresh.id),
            lasts,
            label: new.label.as_deref().unwrap_or(&agent),
            context: &new.context,
            auth_time: new.said.auth_time.map(|_| authentication.at),
            methods: authentication.methods.clone(),
            note: &new.note,
        };
        let policy = &self.config().policy;
        let reason = ClaimsReason::SignIn;
        let basis = Basis {
            context: &new.context,
            authentication,
        };
        let request = ClaimsRequest::new(&new.subject, fresh.id, basis, reason);
        // No other request knows the session yet. Its claims may take their time, and the session loses none of it.
        let access = self.ask(request, None, time).await?;
        let now = time.later();
        let (record, token) = SessionRecord::start(&opening, &fresh, now, policy, active(&keys)?);
        let cookie = self.seal(&token, &keys)?;

        // A session about to be replaced does not push another one out.
        let replaced = self.replacing(replaced).await?;
        let spare = replaced
            .as_ref()
            .is_some_and(|old| old.makes_room(&key.subject));
        let limit = self.config().policy.limit;
        let limit = limit.saturating_add(usize::from(spare));
        let inserted = self.config().store.insert(&record, limit).await;
        let inserted = inserted.map_err(unavailable)?;
        let access = lifetimes::telling(access, &record, time.later());
        self.mark_renewed();
        let access = self.hand_out(token, cookie, &record, now, access);
        let events = &self.config().events;
        if let Some(request_path) = self.unreached()
            && let Some(_) = self
                .config()
                .told
                .apart(Apart::Misplaced, SystemClock.now())
        {
            events.emit(&Event::CookiePathMismatch {
                cookie_path: self.config().cookies.cookie.path(),
                request_path,
            });
        }
        events.emit(&Event::Started {
            session: record.key().id,
            subject: record.subject(),
            label: record.label(),
            note: record.note(),
        });
        for dropped in inserted.dropped {
            self.config().revoked(&dropped, RevokeReason::Limit, None);
        }
        // The new session stands; sessions that cannot be ended now are ended in the background.
        let several_keys = keys.iter().nth(1).is_some();
        if several_keys || replaced.is_some() {
            let ending = Ending::SignIn {
                new: Box::new(record),
                time,
                replaced,
                spare,
                several_keys,
            };
            let _ = revoke::run(self.config(), ending).await;
        }
        Ok(access)
    }

    /// The end of the session that a sign-in replaces, if it is not over already.
    async fn replacing(
        &self,
        session: Option<SessionKey>,
    ) -> Result<Option<Revocation>, SessionError> {
        let Some(key) = session else {
            return Ok(None);
        };
        let Found { record, time } = self.load(&key).await?;
        let usable = record.filter(|old| old.may_live_on(time.now));
        let ending = usable.map(|old| Revocation::of(old, time.now, RevokeReason::Replaced));
        Ok(ending.map(|ending| ending.by(self.presenter(&key.id))))
    }

    /// Gives the session a new token after a privilege change, such as a second factor. Tokens from before it are
    /// refused from now on, and the claims closure decides anew. It works in the handler that has just started the
    /// session, too.
    ///
    /// Call it once the application has checked a credential, at each call. The token from before leads to the new one
    /// until a client presents the new one. The user has authenticated now, by the store's clock, and the methods are
    /// unknown. See [`RequireRecentAuth`](crate::RequireRecentAuth), and [`Elevation`], which names them.
    ///
    /// # Errors
    ///
    /// As [`refresh`](Self::refresh). [`Superseded`](SessionErrorKind::Superseded) when the cookie is not the newest
    /// one: the client tries again, after a refresh if need be.
    ///
    /// # Cancel safety
    ///
    /// Dropped after the store has answered, the client does not learn the new token. Calling it again with the
    /// same cookie, after the same check by the application, gives the same one.
    pub async fn elevate(&self) -> Result<AccessToken, SessionError> {
        self.elevate_with(Elevation::new()).await
    }

    /// Elevates like [`elevate`](Self::elevate), with another context for the claims closure, or with what the
    /// application says of the authentication. There is an example with [`Elevation`].
    ///
    /// # Errors
    ///
    /// As [`elevate`](Self::elevate). [`InvalidInput`](SessionErrorKind::InvalidInput) also for a context that is too
    /// long, and for an `auth_time`, `amr` or `acr` that cannot be kept.
    ///
    /// # Cancel safety
    ///
    /// As [`elevate`](Self::elevate).
    pub async fn elevate_with(&self, elevation: Elevation) -> Result<AccessToken, SessionError> {
        let work = self.elevate_current(elevation);
        self.call("elevate", pin!(work)).await
    }

    async fn elevate_current(&self, elevation: Elevation) -> Result<AccessToken, SessionError> {
        check_context(elevation.context.as_deref().unwrap_or_default())?;
        let from = self.for_elevation().await?;
        self.elevate_from(from, Some(elevation), None).await
    }

    /// Goes on with the access token that was `issued` for it, if one was. Without an `elevation` the user has not
    /// authenticated anew.
    pub(crate) async fn elevate_from(
        &self,
        from: Authenticated,
        elevation: Option<Elevation>,
        mut issued: Option<AccessToken>,
    ) -> Result<AccessToken, SessionError> {
        let Authenticated {
            token,
            presenter,
            mut record,
            mut time,
            replaced_by,
        } = from;
        let keys = self.keys()?;
        // Only notes (a first presentation) can come between, so one more round settles it.
        for _ in 0..3 {
            let policy = &self.config().policy;
            let context = elevation.as_ref().and_then(|new| new.context.as_deref());
            let context = context.unwrap_or(record.context());
            let authentication = record.authentication();
            let authentication = match &elevation {
                // Before the claims, which take their time: the minted token and the written record then agree.
                Some(new) => new.said.judge(time.now)?,
                None => authentication,
            };
            let access = match issued.take() {
                Some(issued) => issued,
                None => {
                    let basis = Basis {
                        context,
                        authentication: authentication.clone(),
                    };
                    let reason = ClaimsReason::Elevate;
                    self.issue(&record, basis, reason, time).await?
                }
            };
            let at = time.later();
            // The session's end has come while the claims were computed. As in a refresh, a write would bring it back.
            if let Some(cause) = cause::end_of(&record, at) {
                let kind = SessionErrorKind::Expired;
                return Err(SessionError::with_source(kind, cause));
            }
            let (next, successor) = match &replaced_by {
                // A token that was handed out before is handed out again, from now on.
                Some(newer) => (record.handed_out_again(at, policy), newer.clone()),
                None => record
                    .elevated(&token, &presenter, at, policy, &keys)
                    .ok_or_else(no_secret)?,
            };
            let next = SessionRecord {
                context: context.into(),
                ..next.authenticated(authentication)
            };
            let cookie = self.seal(&successor, &keys)?;
            let store = &self.config().store;
            let swap = match store.swap(&record, &next).await {
                // It may have been applied. A moment later, since a store that has just been silent may be left
                // alone for one.
                Err(error) => {
                    spawn::pause(A_MOMENT).await;
                    // The idle end may have come meanwhile. Whether the first write came before it, is not known.
                    match cause::end_of(&record, time.later()) {
                        Some(_) => Err(error),
                        None => store.swap(&record, &next).await,
                    }
                }
                answered => answered,
            };
            match swap.map_err(unavailable)? {
                Swap::Applied => {
                    let access = lifetimes::telling(access, &next, time.later());
                    self.mark_renewed();
                    let access = self.hand_out(successor, cookie, &next, time.now, access);
                    return Ok(access);
                }
                Swap::Conflict(newer) => match Found::from(newer) {
                    Found {
                        record: Some(newest),
                        time: newer,
                    } if newest.is_live()
                        && newest.is_current(replaced_by.as_ref().unwrap_or(&token))
                        // Once it has come back, its answer was not lost.
                        && (replaced_by.is_none() || newest.presented_at.is_none()) =>
                    {
                        (record, time) = (newest, newer);
                    }
                    _ => {
                        let kind = SessionErrorKind::Superseded;
                        return Err(SessionError::with_source(kind, cause::SUPERSEDED));
                    }
                },
            }
        }
        Err(SessionError::with_source(
            SessionErrorKind::Unavailable,
            "other requests kept changing the session",
        ))
    }
}

pub(crate) fn check_subject(subject: &str) -> Result<(), SessionError> {
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
        return Err(invalid("the subject must have 1 to 256 bytes"));
    }
    Ok(())
}

fn check_context(context: &[u8]) -> Result<(), SessionError> {
    if context.len() > LONGEST_CONTEXT {
        return Err(invalid("the context must have at most 1024 bytes"));
    }
    Ok(())
}

fn no_random(error: RandomError) -> SessionError {
    SessionError::with_source(SessionErrorKind::Unavailable, error)
}

//! The claims of every token, whatever the application's own are.

use std::{borrow::Cow, sync::Arc, time::Duration};

use smallvec::SmallVec;

use super::super::{presented::PresentedToken, registered_claims::Registered};
use crate::clock::Timestamp;

/// The registered claims. Their texts, that of all claims and the token lie in one allocation.
pub(super) struct Verified {
    /// The text of the claims, the token, and what is escaped in the claims. They are text; that is looked at
    /// where one is asked for, since most requests ask for few.
    all: Box<[u8]>,
    raw: Place,
    token: Place,
    issuer: Place,
    scope: Place,
    session: Place,
    subject: Place,
    token_id: Place,
    audiences: SmallVec<[Place; 1]>,
    pub(super) issued_at: Option<Timestamp>,
    pub(super) not_before: Option<Timestamp>,
    pub(super) expires_at: Timestamp,
    pub(super) judged: Judged,
    scope_claims: Option<Arc<[String]>>,
}

/// When the token was judged, and how far ahead the clock of its issuer may be.
#[derive(Clone, Copy)]
pub(in crate::token) struct Judged {
    pub(in crate::token) at: Timestamp,
    pub(in crate::token) leeway: Duration,
}

/// A part of that allocation, which is far shorter than such a number can say.
#[derive(Clone, Copy)]
struct Place {
    start: u32,
    end: u32,
}

impl Place {
    /// No part: a claim that is not there.
    const NONE: Self = Self {
        start: u32::MAX,
        end: 0,
    };

    /// Both lie within a token, which has at most 65536 bytes, and its claims.
    #[inline]
    const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }
}

impl Verified {
    #[inline]
    pub(super) fn new(
        claims: &Registered<'_>,
        json: &str,
        token: &[u8],
        expires_at: Timestamp,
        judged: Judged,
        scope_claims: Option<Arc<[String]>>,
    ) -> Self {
        let (issued_at, not_before) = (claims.issued_at(), claims.not_before());
        let mut all = Vec::with_capacity(json.len() + token.len());
        all.extend_from_slice(json.as_bytes());
        all.extend_from_slice(token);
        let mut place = |text: &str| {
            // A part that was borrowed from the text of the claims lies in its copy at the same place.
            let start = text.as_ptr().addr().wrapping_sub(json.as_ptr().addr());
            if start < json.len() {
                return Place::new(start, start + text.len());
            }
            let start = all.len();
            all.extend_from_slice(text.as_bytes());
            Place::new(start, all.len())
        };
        let mut claim = |text: &Option<Cow<'_, str>>| match text {
            Some(text) => place(text),
            None => Place::NONE,
        };
        Self {
            issuer: claim(&claims.issuer),
            scope: claim(&claims.scope),
            session: claim(&claims.session),
            subject: claim(&claims.subject),
            token_id: claim(&claims.token_id),
            audiences: match &*claims.audiences {
                [one] => SmallVec::from_buf([place(one)]),
                several => several.iter().map(|one| place(one)).collect(),
            },
            raw: Place::new(0, json.len()),
            token: Place::new(json.len(), json.len() + token.len()),
            all: all.into_boxed_slice(),
            issued_at,
            not_before,
            expires_at,
            judged,
            scope_claims,
        }
    }

    fn get(&self, place: Place) -> Option<&str> {
        let bytes = self.all.get(place.start as usize..place.end as usize)?;
        std::str::from_utf8(bytes).ok()
    }

    fn at(&self, place: Place) -> &str {
        self.get(place).unwrap_or_default()
    }

    pub(super) fn audiences(&self) -> impl Iterator<Item = &str> {
        self.audiences.iter().map(|place| self.at(*place))
    }

    pub(super) fn issuer(&self) -> Option<&str> {
        self.get(self.issuer)
    }

    pub(super) fn raw(&self) -> &str {
        self.at(self.raw)
    }

    pub(super) fn scope(&self) -> Option<&str> {
        self.get(self.scope)
    }

    pub(super) fn session(&self) -> Option<&str> {
        self.get(self.session)
    }

    pub(super) fn subject(&self) -> &str {
        self.at(self.subject)
    }

    pub(super) fn token(&self) -> PresentedToken<'_> {
        PresentedToken::new(self.at(self.token))
    }

    pub(super) fn token_id(&self) -> Option<&str> {
        self.get(self.token_id)
    }

    /// The claims that scopes were read from.
    pub(super) fn scope_claims(&self) -> String {
        match &self.scope_claims {
            None => "scope".to_owned(),
            Some(claims) => claims.join(", "),
        }
    }
}

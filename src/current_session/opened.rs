//! The refresh tokens among some values.

use crate::{
    keys::SessionKeys,
    session::{RefreshToken, SealContext, SessionId, UnsealError, unseal},
};

/// A browser has one session. One that has ended may have left its cookie under another path. Other hosts of the
/// domain can set some too. The store is asked which of them lives, for at most this many.
const MOST_SESSIONS: usize = 4;

/// The result of opening some values.
#[derive(Clone, Default)]
pub(crate) struct Opened {
    /// The newest of each session, of a few sessions.
    pub(crate) genuine: Vec<RefreshToken>,
    /// Why one of them is not ours, for the log.
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
                Ok(token) => opened.add(token),
                Err(fault) => opened.fault = opened.fault.max(Some(fault)),
            }
        }
        opened
    }

    fn add(&mut self, token: RefreshToken) {
        let known = |known: &RefreshToken| known.session == token.session;
        match self.genuine.iter().position(known) {
            Some(at) => {
                let known = self.genuine.get_mut(at);
                if let Some(known) = known.filter(|known| known.age() < token.age()) {
                    *known = token;
                }
            }
            None if self.genuine.len() < MOST_SESSIONS => self.genuine.push(token),
            None => {}
        }
    }

    /// The session of the genuine tokens, if they are of one.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match &*self.genuine {
            [only] => Some(only.session),
            _ => None,
        }
    }
}

//! Without the feature `cache` every token is verified from its first byte to its last: types that
//! hold nothing stand in, so that nothing outside this file asks for the feature.

use serde::de::DeserializeOwned;

use super::{Claims, TokenCodec, TokenError, codec::Inner};
use crate::{clock::Timestamp, config::ConfigError, session::SessionId};

/// No cache is to be built.
#[derive(Debug, Default)]
pub(super) struct Plan(());

/// A codec's cache: there is none.
#[derive(Clone)]
pub(super) struct Slot;

impl Plan {
    pub(super) fn build(self, _max_token_bytes: usize) -> Result<Slot, ConfigError> {
        Ok(Slot)
    }
}

impl Slot {
    pub(super) fn verify<C: DeserializeOwned>(
        &self,
        inner: &Inner,
        token: &[u8],
        now: Timestamp,
    ) -> Result<Claims<C>, TokenError> {
        inner.with_keys(now, |keys| inner.verify(keys, token, now, |_, _| ()))
    }
}

impl<C> TokenCodec<C> {
    /// A session has ended, or several and it is not known which: nothing is kept that is about them.
    pub(crate) fn ended(&self, _session: Option<&SessionId>) {}
}

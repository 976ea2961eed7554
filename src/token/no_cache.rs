//! Without the feature `cache` every token is verified from its first byte to its last: types that
//! hold nothing stand in, so that nothing outside this file asks for the feature.

use std::{fmt, marker::PhantomData};

use serde::de::DeserializeOwned;

use super::{Claims, TokenCodec, TokenError, codec::Inner};
use crate::{clock::Timestamp, config::ConfigError, session::SessionId};

/// No cache is to be built.
pub(super) struct Plan<C>(PhantomData<fn(C) -> C>);

/// A codec's cache: there is none.
pub(super) struct Slot<C>(PhantomData<fn(C) -> C>);

impl<C> Plan<C> {
    pub(super) fn build(self, _max_token_bytes: usize) -> Result<Slot<C>, ConfigError> {
        Ok(Slot(PhantomData))
    }
}

impl<C> Default for Plan<C> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<C> fmt::Debug for Plan<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("None")
    }
}

impl<C> Clone for Slot<C> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<C: DeserializeOwned> Slot<C> {
    pub(super) fn verify(
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

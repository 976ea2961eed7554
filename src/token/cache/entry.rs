//! What is kept of one verified token.

use std::sync::Arc;

use super::revoked::{Ended, Slot};

/// Bytes that an `Arc` and the allocator add to a text: two counts, a header, and rounding up.
const PER_TEXT: usize = 40;

/// The authentic claims of a token, and what their being authentic rests on.
#[derive(Clone)]
pub(super) struct Entry {
    /// As the token has them. Read into the application's type they may take any amount of memory;
    /// the text takes what its length says.
    pub(super) claims: Arc<str>,
    /// Which keys they were opened and verified with.
    keys: u64,
    /// The last end of a session before that.
    ended: u64,
    /// Where the token's session is looked up; `None` when it belongs to none.
    session: Option<Slot>,
}

impl Entry {
    pub(super) fn new(claims: &str, keys: u64, ended: u64, session: Option<Slot>) -> Self {
        Self {
            claims: claims.into(),
            keys,
            ended,
            session,
        }
    }

    /// Whether the cryptography, with these keys, would come to the same claims.
    pub(super) fn holds(&self, keys: u64, ended: &Ended) -> bool {
        self.keys == keys && !ended.since(self.session, self.ended)
    }

    /// The bytes that hang on the entry; the entry itself lies in the table.
    pub(super) fn weight(&self) -> usize {
        self.claims.len() + PER_TEXT
    }
}

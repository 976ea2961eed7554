//! What is kept of one verified token.

use super::revoked::{Ended, Slot};
use crate::{
    clock::Timestamp,
    token::{
        Claims,
        custom::Member,
        registered::{Registered, Rules},
    },
};

/// What an allocator adds to a piece of memory, about.
const PER_PIECE: usize = 16;
/// What a text, list or object inside another one takes besides its content, about: a header, a piece of
/// memory, and the room that a collection leaves for more.
const PER_VALUE: usize = 72;

/// A verdict, and what it rests on.
pub(super) struct Entry<C> {
    pub(super) claims: Claims<C>,
    /// Which keys it was reached with.
    keys: u64,
    /// The last end of a session before it was reached.
    ended: u64,
    terms: Terms,
}

/// What the claims themselves say about how long the verdict is good, and what they cost.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// The first and the last millisecond at which the token is good.
    window: (i64, i64),
    /// Bytes on the heap that belong to the application's type, about.
    custom: u32,
    /// Where the token's session is looked up; `None` when it belongs to none.
    session: Option<Slot>,
}

impl Terms {
    /// Of the claims of a token that passed.
    pub(super) fn of<C>(
        registered: &Registered<'_>,
        members: &[Member<'_>],
        rules: &Rules,
        ended: &Ended,
    ) -> Self {
        let custom = match size_of::<C>() {
            0 => 0,
            _ => members.iter().map(|member| heap(member.value)).sum(),
        };
        Self {
            window: registered.window(rules),
            custom: u32::try_from(custom).unwrap_or(u32::MAX),
            session: registered.session.as_deref().map(|sid| ended.slot(sid)),
        }
    }
}

/// What a value of this JSON text takes on the heap, about. How much a type keeps there is its own
/// business; a text keeps all of it, and a list of texts has a piece for each.
fn heap(value: &str) -> usize {
    let inner = value.bytes().skip(1);
    let quotes = inner.clone().filter(|byte| *byte == b'"').count();
    let opened = inner.filter(|byte| matches!(byte, b'[' | b'{')).count();
    // A text alone has its closing quote only, which rounds to none.
    let values = quotes / 2 + opened;
    value.len() + PER_PIECE + values * PER_VALUE
}

impl<C> Entry<C> {
    pub(super) fn new(claims: Claims<C>, keys: u64, ended: u64, terms: Terms) -> Self {
        Self {
            claims,
            keys,
            ended,
            terms,
        }
    }

    /// Whether a verification as of `now`, with these keys, would come to the same verdict.
    pub(super) fn holds(&self, keys: u64, now: Timestamp, ended: &Ended) -> bool {
        let (first, last) = self.terms.window;
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        self.keys == keys
            && first <= now
            && now <= last
            && !ended.since(self.terms.session, self.ended)
    }

    /// The bytes that hang on the entry, about; the entry itself lies in the table.
    pub(super) fn weight(&self) -> usize {
        let (bytes, pieces) = self.claims.memory();
        bytes + pieces * PER_PIECE + self.terms.custom as usize
    }
}

// By hand, because a derive would ask for `C: Clone`.
impl<C> Clone for Entry<C> {
    fn clone(&self) -> Self {
        Self {
            claims: self.claims.clone(),
            keys: self.keys,
            ended: self.ended,
            terms: self.terms,
        }
    }
}

//! The keys whose private half an issuer has published.

use std::collections::VecDeque;

use super::thumbprint::Thumbprint;
use crate::keys::SigningKey;

/// How many are remembered. An issuer that compromises more has no key that can be trusted.
const MOST: usize = 64;

/// Identifies a key that must not be used any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Thumbprint(Thumbprint),
    /// Where the set does not say enough for a thumbprint.
    Kid(Box<str>),
}

/// The keys whose private half one issuer has published, for the life of the process. A copy of the
/// private half exists from then on, whatever the next set says.
///
/// Each issuer has a list of its own: otherwise one could have the keys of another dropped.
#[derive(Debug, Default)]
pub(crate) struct Compromised(VecDeque<Vec<Mark>>);

impl Compromised {
    /// Remembers the key with these marks; past [`MOST`] keys the oldest goes.
    pub(super) fn add(&mut self, marks: Vec<Mark>) {
        let Self(keys) = self;
        if !marks.is_empty() && !keys.contains(&marks) {
            keys.truncate(MOST - 1);
            keys.push_front(marks);
        }
    }

    /// Whether `key` must not be used.
    pub(super) fn holds(&self, key: &SigningKey) -> bool {
        let Self(keys) = self;
        is_marked(keys.iter().flatten(), key)
    }
}

/// Whether one of `marks` is that of `key`.
pub(super) fn is_marked<'m>(marks: impl IntoIterator<Item = &'m Mark>, key: &SigningKey) -> bool {
    let mut marks = marks.into_iter().peekable();
    if marks.peek().is_none() {
        return false;
    }
    let thumbprint = Thumbprint::of(key);
    marks.any(|mark| match mark {
        Mark::Thumbprint(other) => *other == thumbprint,
        Mark::Kid(kid) => key.kid() == Some(kid),
    })
}

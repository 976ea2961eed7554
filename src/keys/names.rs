//! Which key a text names: a `kid`, or the protected header that a key writes.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;

/// Up to this many keys are compared one after the other, which is faster than hashing the text.
const FEW: usize = 4;

/// The names of the keys in one list, so that a token is verified as fast with a thousand keys as
/// with one. The hash need not withstand chosen names: they are those of configured keys, and a
/// token's text is only looked up.
#[derive(Default)]
pub(super) struct Names(Option<HashMap<Box<[u8]>, usize, RandomState>>);

impl Names {
    /// The names of `keys`. Of a name that occurs twice, the first key has it.
    pub(super) fn new<K>(keys: &[Arc<K>], name: fn(&K) -> Option<&str>) -> Self {
        if keys.len() <= FEW {
            return Self(None);
        }
        let mut positions = HashMap::default();
        for (position, key) in keys.iter().enumerate() {
            if let Some(name) = name(key) {
                positions.entry(name.as_bytes().into()).or_insert(position);
            }
        }
        Self(Some(positions))
    }

    /// The first of the same `keys` whose name, read as before, is `text`.
    pub(super) fn find<'k, K>(
        &self,
        keys: &'k [Arc<K>],
        name: fn(&K) -> Option<&str>,
        text: &[u8],
    ) -> Option<&'k Arc<K>> {
        match &self.0 {
            None => keys
                .iter()
                .find(|key| name(key).map(str::as_bytes) == Some(text)),
            Some(positions) => keys.get(*positions.get(text)?),
        }
    }
}

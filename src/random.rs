//! Random bytes, each time from the operating system.
//!
//! A generator in the process would be faster. A `fork`, or a snapshot of a virtual machine that is
//! started twice, would copy it. Both copies would then draw the same bytes. An IV that comes twice
//! under one AES-GCM key reveals the key of its tags. The process's id does not tell the copies
//! apart either: in a new namespace both can have the same one.

use ring::rand::{SecureRandom as _, SystemRandom};

/// The operating system gave no random bytes. Nothing can be issued until it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub(crate) struct RandomError;

/// An array of random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes` with random ones.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    SystemRandom::new().fill(bytes).map_err(|_| RandomError)
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;

    #[test]
    fn nothing_is_made_twice_on_any_thread() {
        let draw = || -> Vec<[u8; 16]> { (0..5000).map(|_| random().unwrap()).collect() };
        let threads: Vec<_> = (0..4).map(|_| thread::spawn(draw)).collect();
        let others = threads.into_iter().flat_map(|t| t.join().unwrap());
        let mut seen = HashSet::new();
        assert!(others.chain(draw()).all(|bytes| seen.insert(bytes)));
        assert_eq!(seen.len(), 25_000);
    }
}

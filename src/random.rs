//! Random bytes.
//!
//! Asking the operating system costs about half of what minting a token does. Each thread therefore
//! has a generator (ChaCha20) that the system seeds, and seeds again after [`RESEED`] bytes.

use std::cell::RefCell;

use rand::{Rng as _, SeedableRng as _, rngs::ChaCha20Rng};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

/// The operating system gave no random bytes. Nothing can be issued until it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub(crate) struct RandomError;

/// How many bytes are made of one seed: whoever reads a generator in memory learns so many at most.
const RESEED: usize = 64 * 1024;

struct Generator {
    chacha: ChaCha20Rng,
    /// How many bytes are left until it is seeded again.
    left: usize,
}

thread_local! {
    static GENERATOR: RefCell<Option<Generator>> = const { RefCell::new(None) };
}

/// An array of random bytes, for what is needed with every token or request.
///
/// A process that is forked makes the same bytes as its parent until the next seed. Rust services do
/// not fork, but a program that embeds this crate may: it has to do so before the first token is
/// minted.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let made = GENERATOR.try_with(|generator| {
        let mut generator = generator.try_borrow_mut().ok()?;
        Some(next(&mut generator))
    });
    match made {
        Ok(Some(bytes)) => bytes,
        // The thread is ending.
        _ => fresh(),
    }
}

/// An array of bytes that the operating system makes now, for keys.
pub(crate) fn fresh<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills `bytes` with what the operating system makes now.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    SystemRandom::new().fill(bytes).map_err(|_| RandomError)
}

fn next<const N: usize>(generator: &mut Option<Generator>) -> Result<[u8; N], RandomError> {
    let ready = match generator {
        Some(ready) if ready.left >= N => ready,
        spent => spent.insert(Generator::seeded()?),
    };
    let mut bytes = [0; N];
    ready.chacha.fill_bytes(&mut bytes);
    ready.left = ready.left.saturating_sub(N);
    Ok(bytes)
}

impl Generator {
    fn seeded() -> Result<Self, RandomError> {
        let seed = Zeroizing::new(fresh()?);
        Ok(Self {
            chacha: ChaCha20Rng::from_seed(*seed),
            left: RESEED,
        })
    }
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

    #[test]
    fn a_generator_is_seeded_again_when_it_has_made_enough() {
        let mut generator = None;
        let mut left = Vec::new();
        for _ in 0..5000 {
            next::<32>(&mut generator).unwrap();
            left.push(generator.as_ref().unwrap().left);
        }
        let first: Vec<_> = left.iter().take(3).collect();
        assert_eq!(first, [&(RESEED - 32), &(RESEED - 64), &(RESEED - 96)]);
        let seeded = left.iter().filter(|left| **left == RESEED - 32).count();
        assert_eq!(seeded, (5000 * 32_usize).div_ceil(RESEED));
        // More at once than a seed is for.
        assert!(next::<{ RESEED + 1 }>(&mut generator).is_ok());
    }
}

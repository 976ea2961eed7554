//! Random bytes.
//!
//! All come from the operating system. Asking it costs more than encrypting a token does, so each
//! thread asks for some in advance. There is no generator of our own between: nothing has to be
//! seeded again, and what was handed out is wiped here, so that no later look at this memory tells it.

use std::cell::RefCell;

use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroize;

/// The operating system gave no random bytes. Nothing can be issued until it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub(crate) struct RandomError;

/// How many bytes a thread asks for at once: enough for the IVs and names of 36 tokens.
const POOL: usize = 1024;

struct Pool {
    bytes: [u8; POOL],
    /// How many are left: those at the end of `bytes`.
    left: usize,
}

thread_local! {
    static RANDOM: RefCell<Pool> = const {
        RefCell::new(Pool::EMPTY)
    };
}

/// An array of random bytes, for what is needed with every token or request.
///
/// A process that is forked would hand out the same bytes as its parent. Rust programs that serve do
/// not fork, but those that embed this crate may: they have to do it before the first token is minted.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], RandomError> {
    let pooled = RANDOM.try_with(|pool| pool.try_borrow_mut().ok()?.take());
    match pooled {
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

fn fill(bytes: &mut [u8]) -> Result<(), RandomError> {
    SystemRandom::new().fill(bytes).map_err(|_| RandomError)
}

impl Pool {
    const EMPTY: Self = Self {
        bytes: [0; POOL],
        left: 0,
    };

    /// The next bytes; nothing when there can never be as many.
    fn take<const N: usize>(&mut self) -> Option<Result<[u8; N], RandomError>> {
        if N > POOL {
            return None;
        }
        if self.left < N {
            if let Err(error) = fill(&mut self.bytes) {
                self.left = 0;
                return Some(Err(error));
            }
            self.left = POOL;
        }
        let start = POOL - self.left;
        let next = self.bytes.get_mut(start..)?.first_chunk_mut::<N>()?;
        let taken = *next;
        next.zeroize();
        self.left -= N;
        Some(Ok(taken))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_is_handed_out_twice() {
        let draw = || {
            (0..500)
                .map(|_| random::<16>().unwrap())
                .collect::<Vec<_>>()
        };
        let mut seen = HashSet::new();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(draw)).collect();
        for bytes in threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .chain(draw())
        {
            assert!(seen.insert(bytes));
        }
        assert_eq!(seen.len(), 2500);
    }

    #[test]
    fn every_length_is_served_and_wiped_behind() {
        let mut pool = Pool::EMPTY;
        let mut before = [0_u8; POOL];
        for round in 0..200 {
            let taken: [u8; 48] = pool.take().unwrap().unwrap();
            assert_ne!(taken, [0; 48]);
            let start = POOL - pool.left;
            assert!(pool.bytes[..start].iter().all(|b| *b == 0), "{round}");
            // What is left is what was there, and not new bytes over it.
            if round % 21 != 0 {
                assert_eq!(pool.bytes[start..], before[start..]);
            }
            before = pool.bytes;
        }
        assert!(pool.take::<{ POOL }>().is_some());
        assert!(pool.take::<{ POOL + 1 }>().is_none());
        assert!(random::<{ POOL + 1 }>().is_ok());
    }
}

//! What stands for a token in the cache: a digest under a secret of the codec.
//!
//! A token is cut into blocks of two 64-bit words, and each block adds `(x + k) * (y + l)` to a sum
//! of 128 bits, where `k` and `l` are two words of the secret of its own. That is NH, the hash inside
//! UMAC (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC: fast and secure message authentication",
//! CRYPTO 1999). Two tokens of one length, whatever they are, have the same sum with a
//! probability of at most 2^-64 over the choice of the secret (theorem 1 there), and the same two
//! sums, of which the second uses the secret shifted by one block, with at most 2^-128 (theorem 4, the
//! Toeplitz extension). No assumption is made for it; it holds against any amount of computing. What it
//! takes is that nobody sees the secret or a digest: neither ever leaves this module.

use std::hash::{Hash, Hasher};

use crate::{
    random::{self, RandomError},
    secret::Secret,
};

/// Bytes of a block.
const BLOCK: usize = 16;

/// Makes digests of tokens up to some length.
pub(super) struct Digester {
    /// Two words for each block, and two more for the second sum.
    secret: Secret<Vec<[u64; 2]>>,
}

/// Equal for equal tokens, and as good as never for others.
#[derive(Clone, Copy, Eq)]
pub(super) struct Digest {
    sums: [u64; 4],
    /// The theorems are about tokens of one length.
    len: u32,
}

impl Digester {
    /// How much memory the secret for tokens of `longest` bytes takes.
    pub(super) fn memory(longest: usize) -> usize {
        (longest.div_ceil(BLOCK) + 1) * BLOCK
    }

    /// A fresh secret for tokens of `longest` bytes. A token beyond that is none that the codec accepts.
    pub(super) fn new(longest: usize) -> Result<Self, RandomError> {
        let mut bytes = Secret::new(vec![0; Self::memory(longest)]);
        random::fill(bytes.expose_mut())?;
        let (blocks, _) = bytes.expose().as_chunks();
        Ok(Self {
            secret: Secret::new(blocks.iter().map(words).collect()),
        })
    }

    /// The digest of `token`, or nothing when it is longer than the secret is good for.
    pub(super) fn digest(&self, token: &[u8]) -> Option<Digest> {
        let (blocks, rest) = token.as_chunks::<BLOCK>();
        let mut secret = self.secret.expose().iter();
        let mut own = secret.next()?;
        let mut sums = [0_u128; 2];
        if token.len().div_ceil(BLOCK) > secret.len() {
            return None;
        }
        for (block, next) in blocks.iter().zip(secret.by_ref()) {
            add(&mut sums, words(block), [own, next]);
            own = next;
        }
        if let (false, Some(next)) = (rest.is_empty(), secret.next()) {
            // The length tells a token from the same one with zeros behind it.
            let mut block = [0; BLOCK];
            for (to, from) in block.iter_mut().zip(rest) {
                *to = *from;
            }
            add(&mut sums, words(&block), [own, next]);
        }
        let [first, second] = sums;
        let half = |sum: u128| [sum as u64, (sum >> 64) as u64];
        let ([a, b], [c, d]) = (half(first), half(second));
        Some(Digest {
            sums: [a, b, c, d],
            len: u32::try_from(token.len()).ok()?,
        })
    }
}

fn words(block: &[u8; BLOCK]) -> [u64; 2] {
    let both = u128::from_le_bytes(*block);
    [both as u64, (both >> 64) as u64]
}

fn add(sums: &mut [u128; 2], [x, y]: [u64; 2], secrets: [&[u64; 2]; 2]) {
    for (sum, [k, l]) in sums.iter_mut().zip(secrets) {
        let product = u128::from(x.wrapping_add(*k)) * u128::from(y.wrapping_add(*l));
        *sum = sum.wrapping_add(product);
    }
}

/// In one time, whatever differs: how far two digests agree shows to nobody.
impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        let pairs = self.sums.iter().zip(&other.sums);
        let differ = pairs.fold(u64::from(self.len ^ other.len), |all, (a, b)| all | (a ^ b));
        differ == 0
    }
}

/// The place in the table: the hasher has a secret of its own, so that places tell nothing.
impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.sums.iter().fold(0, |all, word| all ^ word));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, word by word and sum by sum.
    fn by_definition(secret: &[[u64; 2]], token: &str, shift: usize) -> u128 {
        let words: Vec<u64> = secret.iter().flatten().copied().collect();
        let mut bytes = token.as_bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        let word = |at: usize| {
            let bytes: [u8; 8] = bytes[8 * at..8 * at + 8].try_into().unwrap();
            u64::from_le_bytes(bytes).wrapping_add(words[at + shift])
        };
        (0..bytes.len() / 16)
            .map(|i| u128::from(word(2 * i)) * u128::from(word(2 * i + 1)))
            .fold(0, u128::wrapping_add)
    }

    proptest! {
        #[test]
        fn it_is_what_the_theorem_is_about(token in "[A-Za-z0-9._-]{0,200}") {
            let digester = Digester::new(200).unwrap();
            let [a, b, c, d] = digester.digest(token.as_bytes()).unwrap().sums;
            let secret = digester.secret.expose();
            let whole = |low: u64, high: u64| u128::from(high) << 64 | u128::from(low);
            prop_assert_eq!(whole(a, b), by_definition(secret, &token, 0));
            prop_assert_eq!(whole(c, d), by_definition(secret, &token, 2));
        }

        #[test]
        fn tokens_that_differ_have_digests_that_differ(
            token in "[A-Za-z0-9._-]{1,100}",
            at in any::<prop::sample::Index>(),
            end in "[\\x00A]{1,20}",
        ) {
            let digester = Digester::new(200).unwrap();
            let digest = |token: &str| digester.digest(token.as_bytes()).unwrap();
            let same = digest(&token);
            prop_assert!(same == digest(&token.clone()));
            let mut other = token.clone().into_bytes();
            other[at.index(token.len())] ^= 1;
            prop_assert!(same != digest(std::str::from_utf8(&other).unwrap()));
            let longer = token + &end;
            prop_assert!(same != digest(&longer));
        }
    }

    #[test]
    fn every_codec_has_a_secret_of_its_own() {
        let digests = [(); 2].map(|()| Digester::new(64).unwrap().digest(b"a.b.c").unwrap());
        assert!(digests[0] != digests[1]);
    }

    #[test]
    fn a_token_beyond_the_secret_has_none() {
        for longest in [1, 15, 16, 17, 100] {
            let digester = Digester::new(longest).unwrap();
            assert_eq!(
                digester.secret.expose().len() * 16,
                Digester::memory(longest)
            );
            assert!(digester.digest("a".repeat(longest).as_bytes()).is_some());
            assert!(
                digester
                    .digest("a".repeat(longest + 16).as_bytes())
                    .is_none()
            );
        }
    }
}

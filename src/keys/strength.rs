//! Secrets that are refused although they are long enough.

use std::borrow::Cow;

/// Words of sample configurations. A random secret that spells one is unheard of.
const PLACEHOLDERS: [&[u8]; 7] = [
    b"secret",
    b"changeme",
    b"change-me",
    b"change_me",
    b"password",
    b"example",
    b"default",
];

/// Rows of the keyboard and the alphabet, which fill the rest of many a sample.
const RUNS: [&[u8]; 2] = [b"0123456789", b"abcdefgh"];

/// Fewer different bytes than this are not random. The poorest honest encoding, 32 random hexadecimal digits, has
/// fewer once in a hundred million times.
const MIN_DISTINCT: usize = 8;

/// Checks a key of HMAC-SHA-256 that is given as bytes and not as text. It must be long enough, not filled with one
/// value, and not a word of a sample. (Runs of consecutive bytes pass: published test keys consist of them, and no
/// operator types them.)
pub(crate) fn check_key(key: &[u8]) -> Result<(), Cow<'static, str>> {
    check_len(key, 32)?;
    check_distinct(key)?;
    Ok(check_words(key, &PLACEHOLDERS)?)
}

/// Returns the fault of `secret`, if any, and how to make a good one. So a forgotten sample, or a buffer that was
/// never filled, is an error at start-up.
pub(super) fn check(secret: &[u8]) -> Result<(), &'static str> {
    check_distinct(secret)?;
    check_placeholder(secret)
}

fn check_distinct(secret: &[u8]) -> Result<(), &'static str> {
    let mut seen = [false; 256];
    for byte in secret {
        seen[usize::from(*byte)] = true;
    }
    if seen.iter().filter(|seen| **seen).count() < MIN_DISTINCT {
        return Err(
            "has too few different bytes to be random; `openssl rand -base64 32` makes one that is",
        );
    }
    Ok(())
}

/// The length alone. That of a secret which is too short is none: it has to be replaced.
pub(super) fn check_len(secret: &[u8], min_len: usize) -> Result<(), String> {
    match secret.len() {
        len if len >= min_len => Ok(()),
        len => Err(format!(
            "must have at least {min_len} bytes and has {len}; `openssl rand -base64 {min_len}` makes one"
        )),
    }
}

/// Looks for the words of sample configurations, in text only: other bytes cannot be theirs.
pub(super) fn check_placeholder(secret: &[u8]) -> Result<(), &'static str> {
    check_words(secret, &PLACEHOLDERS)?;
    check_words(secret, &RUNS)
}

fn check_words(secret: &[u8], words: &[&[u8]]) -> Result<(), &'static str> {
    let lower = zeroize::Zeroizing::new(secret.to_ascii_lowercase());
    let spelled = |word: &&[u8]| lower.windows(word.len()).any(|window| window == *word);
    if secret.iter().all(|b| (0x20..0x7f).contains(b)) && words.iter().any(spelled) {
        return Err("looks like a placeholder; `openssl rand -base64 32` makes a random one");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{check, check_key};

    #[test]
    fn rejects_secrets_that_are_not_random() {
        assert!(check(&[0x42; 64]).is_err());
        assert!(check(&b"abcd".repeat(8)).is_err());
        assert!(check(b"my-super-SECRET-key-which-is-long-enough").is_err());
        assert!(check(b"please changeme before you go live!!!").is_err());
        assert!(super::check_len(&[0; 31], 32).is_err());
    }

    #[test]
    fn a_key_may_be_a_run_and_no_more() {
        let run: Vec<u8> = (0x20..0x40).collect();
        assert!(check(&run).is_err());
        assert_eq!(check_key(&run), Ok(()));
        assert!(check_key(&run[..31]).is_err());
        assert!(check_key(&[0; 32]).is_err());
        assert!(check_key(b"my-super-SECRET-key-which-is-long-enough").is_err());
    }

    #[test]
    fn accepts_random_bytes_and_their_encodings() {
        assert!(check(b"3f8a11c9de5b7046f2a0c4d8e6b19357").is_ok());
        let random = crate::random::random::<32>().unwrap();
        assert!(check(&random).is_ok());
        let text = base64_simd::STANDARD.encode_to_string(random);
        assert!(check(text.as_bytes()).is_ok());
    }
}

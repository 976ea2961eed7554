//! Tokens from standard input, one a line.

use std::io::{self, BufRead, Read};

/// The lines that are not empty. The rest of one that is longer than every token is left out, so that no line fills the
/// memory. The kept part is still too long.
pub(crate) struct Lines<R>(R);

/// Longer than any token: a codec accepts no longer one.
const LONGEST: u64 = 1024 * 1024;

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self(input)
    }

    /// The next line without the space around it, and without `Bearer ` where it is the value of `Authorization`.
    pub(crate) fn read(&mut self) -> io::Result<Option<String>> {
        loop {
            let Some(line) = self.line()? else {
                return Ok(None);
            };
            // A byte that is no text is of no token either.
            let text = String::from_utf8_lossy(without_scheme(line.trim_ascii()));
            if !text.is_empty() {
                return Ok(Some(text.into_owned()));
            }
        }
    }

    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Self(input) = self;
        let mut line = Vec::new();
        if input.take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if !line.ends_with(b"\n") {
            input.skip_until(b'\n')?;
        }
        Ok(Some(line))
    }
}

/// The scheme is of any case (RFC 9110 section 11.1).
fn without_scheme(line: &[u8]) -> &[u8] {
    const SCHEME: &[u8] = b"Bearer ";
    match line.split_at_checked(SCHEME.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) => token.trim_ascii_start(),
        _ => line,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_length_and_bytes() {
        let long = "a".repeat(3 * usize::try_from(LONGEST).unwrap());
        let input = [
            b"\n  \r\n x \r\n\xff\0\n".as_slice(),
            long.as_bytes(),
            b"\nlast",
        ]
        .concat();
        let mut lines = Lines::new(input.as_slice());
        let mut next = || lines.read().unwrap();
        assert_eq!(next().unwrap(), "x");
        assert_eq!(next().unwrap(), "\u{fffd}\0");
        assert_eq!(u64::try_from(next().unwrap().len()).unwrap(), LONGEST);
        assert_eq!(next().unwrap(), "last");
        assert_eq!(next(), None);
    }

    #[test]
    fn a_header_s_value_is_its_token() {
        let input = b"Bearer a.b.c\n bearer   a.b.c \r\nBEARER a.b.c\na.b.c\nBearera.b.c\nBearer\nDPoP a.b.c\n";
        let mut lines = Lines::new(input.as_slice());
        let mut next = || lines.read().unwrap().unwrap();
        for _ in 0..4 {
            assert_eq!(next(), "a.b.c");
        }
        for other in ["Bearera.b.c", "Bearer", "DPoP a.b.c"] {
            assert_eq!(next(), other);
        }
    }
}

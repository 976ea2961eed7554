//! Where requests and replies end. RESP2 and RESP3 share a form. It is a line that begins with a type. For some types
//! the data follows that the number in the line announces.

/// The length of the request or the reply that `bytes` begin with, when all of it is there.
pub(super) fn frame(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    // How many values are still to come, those inside of others included.
    let mut left = 1;
    while left > 0 {
        let rest = bytes.get(at..)?;
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = &rest[..end];
        at += end + 2;
        left -= 1;
        let (kind, number) = line.split_first().unwrap_or((&b' ', b""));
        // `-1` is the null of RESP2: nothing follows.
        let number: usize = std::str::from_utf8(number)
            .ok()
            .and_then(|number| number.parse().ok())
            .unwrap_or(0);
        match kind {
            b'$' | b'=' | b'!' if !line.ends_with(b"-1") => at += number + 2,
            b'*' | b'~' | b'>' => left += number,
            b'%' => left += 2 * number,
            // Attributes stand before the value they belong to.
            b'|' => left += 2 * number + 1,
            _ => {}
        }
    }
    (at <= bytes.len()).then_some(at)
}

/// Whether this reply answers no request: Redis sends it by itself.
pub(super) fn is_push(reply: &[u8]) -> bool {
    reply.starts_with(b">")
}

/// The command of a request, in capitals.
pub(super) fn command(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    // `*1`, `$4`, `PING`; or, typed by hand, `PING`.
    let line = text
        .split("\r\n")
        .find(|line| !line.starts_with(['*', '$']));
    let word = line.and_then(|line| line.split(' ').next());
    word.unwrap_or_default().to_uppercase()
}

// Without imports, which a bench would not use.
#[cfg(test)]
mod tests {
    #[test]
    fn frames_end_where_they_end() {
        for whole in [
            "+OK\r\n",
            "-ERR no\r\n",
            ":1\r\n",
            "_\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "$0\r\n\r\n",
            "$4\r\na\r\nb\r\n",
            "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
            "%1\r\n+a\r\n*0\r\n",
            "~2\r\n#t\r\n,1.5\r\n",
            "=5\r\ntxt:a\r\n",
            ">2\r\n+message\r\n$1\r\na\r\n",
            "|1\r\n+ttl\r\n:3\r\n:4\r\n",
            "PING\r\n",
        ] {
            for length in 0..whole.len() {
                assert_eq!(super::frame(&whole.as_bytes()[..length]), None, "{whole:?}");
            }
            let followed = format!("{whole}+more\r\n");
            let length = super::frame(followed.as_bytes());
            assert_eq!(length, Some(whole.len()), "{whole:?}");
        }
    }

    #[test]
    fn requests_and_pushes_are_known() {
        assert_eq!(super::command(b"*2\r\n$3\r\nget\r\n$1\r\na\r\n"), "GET");
        assert_eq!(super::command(b"PING now\r\n"), "PING");
        assert!(super::is_push(b">1\r\n+a\r\n"));
        assert!(!super::is_push(b"+a\r\n"));
    }
}

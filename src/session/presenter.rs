//! The evidence that a request shows beside its token.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::id::ClientFingerprint;

/// The request header by which a client says that its user did nothing.
pub(crate) const SESSION_ACTIVITY: HeaderName = HeaderName::from_static("x-session-activity");

/// The client that presents a token, as far as the request tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presenter {
    pub(crate) fingerprint: ClientFingerprint,
    /// Which function made it: fingerprints of two functions do not compare.
    pub(crate) version: u8,
    pub(crate) jar: JarProof,
    pub(crate) activity: Activity,
}

/// Whether the request shows that it comes out of the session's cookie jar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum JarProof {
    /// The right jar cookie came: the session is bound to it from now on.
    Shown,
    /// No right one came. A session that is bound refuses it.
    Missing,
    /// There is no jar to look at: tokens in bodies, jar cookies off, a session of this very request.
    Waived,
}

/// Whether a refresh counts as use of the session: only then it moves the idle end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Activity {
    #[default]
    Active,
    /// The client refreshes by a timer, and its user did nothing since the last time.
    Passive,
}

impl Activity {
    /// Passive where one line of the header says exactly `passive`. Anything else is active: two lines mean what a
    /// proxy makes of them, one line with a comma.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(SESSION_ACTIVITY).iter();
        let only = lines.next().filter(|_| lines.next().is_none());
        match only.map(HeaderValue::as_bytes).map(<[u8]>::trim_ascii) {
            Some(b"passive") => Self::Passive,
            _ => Self::Active,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_line_that_says_passive_is_passive() {
        let rows: [(&[&[u8]], Activity); 10] = [
            (&[], Activity::Active),
            (&[b"passive"], Activity::Passive),
            (&[b" \tpassive "], Activity::Passive),
            (&[b"active"], Activity::Active),
            (&[b""], Activity::Active),
            (&[b"Passive"], Activity::Active),
            (&[b"passive;"], Activity::Active),
            (&[b"passive\xff"], Activity::Active),
            (&[b"passive", b"passive"], Activity::Active),
            (&[b"passive, passive"], Activity::Active),
        ];
        for (lines, expected) in rows {
            let mut headers = HeaderMap::new();
            for line in lines {
                let value = HeaderValue::from_bytes(line).unwrap();
                headers.append(SESSION_ACTIVITY, value);
            }
            assert_eq!(Activity::of(&headers), expected, "{lines:?}");
        }
    }
}

//! A header in which the proxy in front says what its client spoke.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::decision::Verdict;
use crate::{
    config::ConfigError,
    rejection::{Rejection, RejectionKind},
};

/// Proves https, where no other word was given.
const HTTPS: [&str; 2] = ["https", "wss"];

/// Says plain http, whatever proves https.
const PLAIN: [&str; 3] = ["http", "ws", "off"];

/// Which header is read, and what of it counts.
#[derive(Clone, Debug)]
pub(super) struct ProxyHeader {
    name: HeaderName,
    /// The one word that proves https, where it is neither of [`HTTPS`].
    value: Option<Box<str>>,
    pub(super) member: Member,
}

/// Which of several values counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    /// There must be one line with one value.
    Only,
    /// The first of a list: what the outermost proxy wrote.
    First,
    /// The last of a list: what the nearest proxy wrote.
    Last,
}

impl ProxyHeader {
    pub(super) fn new(name: HeaderName) -> Self {
        Self {
            name,
            value: None,
            member: Member::Only,
        }
    }

    /// Replaces the word that proves https.
    pub(super) fn set_value(&mut self, value: &str) -> Result<(), ConfigError> {
        let word = |b: u8| b.is_ascii_graphic() && b != b',';
        let problem = if value.is_empty() || !value.bytes().all(word) {
            "must be one word of visible ASCII without a comma, such as on"
        } else if is_one_of(&PLAIN, value.as_bytes()) {
            "must be the word for https: http, ws and off say plain http"
        } else {
            self.value = Some(value.into());
            return Ok(());
        };
        Err(ConfigError::about("value", value, problem))
    }

    pub(super) fn decide(&self, headers: &HeaderMap) -> Verdict {
        let lines = || {
            headers
                .get_all(&self.name)
                .iter()
                .map(HeaderValue::as_bytes)
        };
        let members = || lines().flat_map(|line| line.split(|b| *b == b','));
        let member = match self.member {
            // One of the lines may be the client's own.
            Member::Only if lines().nth(1).is_some() => {
                return self.unproven("is repeated: .last() or .first() is for a list");
            }
            Member::Only => lines().next(),
            Member::First => members().next(),
            Member::Last => members().last(),
        };
        let Some(member) = member else {
            return self.unproven("is missing: the proxy in front has to set it");
        };
        if self.proves(member) {
            Verdict::Https
        } else if self.member == Member::Only && member.contains(&b',') {
            self.unproven(
                "is a list: .last() takes the word of the nearest proxy, .first() that of the outermost. The \
                 outermost must overwrite what clients send",
            )
        } else if !is_one_of(&PLAIN, member) {
            let expected = self.value.as_deref().unwrap_or("https or wss");
            self.unproven(&format!(
                "does not say {expected}, nor that it was plain http"
            ))
        } else if self.member == Member::Last && !members().all(|member| is_one_of(&PLAIN, member))
        {
            // The client of the nearest proxy may be another proxy, which speaks https to the browser. A
            // redirect would come back in the same way, for ever.
            self.unproven("says plain http in its last member, and something else further out")
        } else {
            Verdict::PlainHttp
        }
    }

    fn proves(&self, member: &[u8]) -> bool {
        match &self.value {
            Some(value) => is_one_of(&[value], member),
            None => is_one_of(&HTTPS, member),
        }
    }

    /// The refusal, with what the header does or is. Nothing that the client may have written is in it.
    fn unproven(&self, what: &str) -> Verdict {
        let reason = format!("{} {what}", self.name);
        Verdict::Refused(Rejection::new(RejectionKind::InsecureTransport, reason))
    }
}

/// Of what is trimmed here a header value can have space and tab alone.
fn is_one_of(words: &[&str], member: &[u8]) -> bool {
    let member = member.trim_ascii();
    words
        .iter()
        .any(|word| member.eq_ignore_ascii_case(word.as_bytes()))
}

//! Reading an issuer's JWK Set (RFC 7517 section 5): the document first, then each key alone.
//!
//! One odd key never decides for the others. A key is *usable*, *passed over*, or *compromised*: then
//! the issuer has published its private half.

mod compromised;
mod members;
mod thumbprint;
mod unusable;
mod verdict;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{error::Category, value::RawValue};

pub(crate) use compromised::Compromised;
pub use unusable::{UnusableKey, UnusableReason};

use self::{
    thumbprint::Thumbprint,
    verdict::{Verdict, judge},
};
use super::SigningKey;
use crate::config::ConfigError;

/// The rest of a set after each key was judged.
#[derive(Debug, Default)]
pub(crate) struct PublicSet {
    /// The keys that verify, in the set's order.
    pub(crate) keys: Vec<Arc<SigningKey>>,
    /// Every other key, in the set's order.
    pub(crate) unusable: Vec<UnusableKey>,
}

/// The document. Everything but `keys` is ignored, as RFC 7517 section 5 demands.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl PublicSet {
    /// Reads `json` and adds what it gives away to `compromised`, whose keys are left out.
    ///
    /// # Errors
    ///
    /// When the document is no JSON object with an array `keys`: then the issuer has made a mistake, and
    /// nothing is known of its keys.
    pub(crate) fn read(json: &[u8], compromised: &mut Compromised) -> Result<Self, ConfigError> {
        let mut verdicts: Vec<_> = document(json)?
            .keys
            .iter()
            .enumerate()
            .map(|(index, key)| judge(index, key.get()))
            .collect();
        // All of them first: a key may stand before its private half.
        for verdict in &mut verdicts {
            if let Verdict::Compromised(_, marks) = verdict {
                marks.drain(..).for_each(|mark| compromised.add(mark));
            }
        }
        let mut set = Self::default();
        let mut seen: Vec<(Thumbprint, Arc<SigningKey>)> = Vec::new();
        for (index, verdict) in verdicts.into_iter().enumerate() {
            match verdict {
                Verdict::Unusable(key) | Verdict::Compromised(key, _) => set.unusable.push(key),
                Verdict::Usable(key) if compromised.holds(&key) => {
                    set.unusable.push(UnusableKey::new(
                        index,
                        key.kid(),
                        UnusableReason::Compromised,
                        "its private half was published; the issuer has to replace it",
                    ));
                }
                Verdict::Usable(key) => {
                    let thumbprint = Thumbprint::of(&key);
                    let same = |(other, of): &(Thumbprint, Arc<SigningKey>)| {
                        *other == thumbprint
                            && of.kid() == key.kid()
                            && of.algorithm() == key.algorithm()
                    };
                    // One key that is listed twice is one key.
                    if !seen.iter().any(same) {
                        let key = Arc::new(key);
                        seen.push((thumbprint, key.clone()));
                        set.keys.push(key);
                    }
                }
            }
        }
        Ok(set)
    }

    /// The keys, if there are any.
    ///
    /// # Errors
    ///
    /// When none is left: the error says what is wrong with each.
    pub(crate) fn not_empty(self) -> Result<Self, ConfigError> {
        if self.keys.is_empty() {
            return Err(ConfigError::new("JWK Set", nothing_usable(&self.unusable)));
        }
        Ok(self)
    }
}

/// Said of the issuer's metadata, too, whose address is often given instead.
const NO_KEYS: &str =
    "has no array `keys`; the member `jwks_uri` of an issuer's metadata is the URL of its JWK Set";

/// Judges the document alone.
fn document(json: &[u8]) -> Result<Document<'_>, ConfigError> {
    let mistake = |problem: String| ConfigError::new("JWK Set", problem);
    // Some editors write a byte-order mark, and RFC 8259 section 8.1 lets a reader skip it.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let text = str::from_utf8(json).map_err(|_| mistake("is not utf-8".to_owned()))?;
    // serde would take an array for the members in their order.
    if !text.trim_ascii_start().starts_with('{') {
        return Err(mistake("is not a JSON object".to_owned()));
    }
    serde_json::from_str(text).map_err(|error| {
        // Of what serde says, nothing is repeated: it may quote the document.
        mistake(match error.classify() {
            Category::Data if error.to_string().starts_with("duplicate") => {
                "has `keys` twice".to_owned()
            }
            Category::Data => NO_KEYS.to_owned(),
            _ => format!(
                "is not JSON (line {}, column {})",
                error.line(),
                error.column()
            ),
        })
    })
}

/// How many keys an error or a line names.
const NAMED: usize = 4;

/// The faults of the first of `keys`, and how many more there are.
pub(crate) fn listed(keys: &[UnusableKey]) -> String {
    let named: Vec<_> = keys.iter().take(NAMED).map(|k| k.to_string()).collect();
    let more = match keys.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    named.join("; ") + &more
}

/// Why a set is of no use.
pub(crate) fn nothing_usable(unusable: &[UnusableKey]) -> String {
    if unusable.is_empty() {
        return "has no keys".to_owned();
    }
    format!("has no key that verifies signatures: {}", listed(unusable))
}

#[cfg(test)]
mod tests;

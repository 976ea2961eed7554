//! Reading an issuer's JWK Set (RFC 7517 section 5): the document first, then each key alone.
//!
//! One odd key never decides for the others. A key is *usable*, *passed over*, or *compromised*: then
//! the issuer has published its private half.

mod compromised;
mod members;
mod report;
mod thumbprint;
mod unusable;
mod verdict;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{error::Category, value::RawValue};

pub(crate) use compromised::Compromised;
use compromised::{Mark, is_marked};
pub use report::{KeyReport, KeyState};
pub use unusable::{UnusableKey, UnusableReason};

use self::{
    thumbprint::Thumbprint,
    verdict::{Judged, Verdict, verdict_on},
};
use super::SigningKey;
use crate::config::ConfigError;

/// The rest of a set after each key was judged.
#[derive(Debug, Default)]
pub(crate) struct PublicSet {
    /// The keys that verify, in the set's order.
    pub(crate) keys: Vec<Arc<SigningKey>>,
    /// All of the set's keys, in its order. Of the unused ones it has the first [`MOST_FINDINGS`] that are
    /// compromised, and as many that are passed over.
    pub(crate) reports: Vec<KeyReport>,
    /// The marks of the keys whose private half this set publishes.
    given_away: Vec<Mark>,
}

/// How many keys that are not used are reported of a kind. A document may be full of them.
const MOST_FINDINGS: usize = 64;

/// The document. Everything but `keys` is ignored, as RFC 7517 section 5 demands.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl PublicSet {
    /// Reads `json` and adds the keys that it compromises to `compromised`, whose keys are left out.
    ///
    /// # Errors
    ///
    /// Returns an error when the document is no JSON object with an array `keys`. Then the issuer has made a mistake,
    /// and nothing is known of its keys.
    pub(crate) fn read(json: &[u8], compromised: &mut Compromised) -> Result<Self, ConfigError> {
        let mut set = Self::default();
        let mut judged = Vec::new();
        // Some editors write a byte-order mark, and RFC 8259 section 8.1 lets a reader skip it. A byte of another
        // encoding harms the value that it is in, and no other.
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let text = String::from_utf8_lossy(json);
        for (index, key) in document(&text)?.keys.iter().enumerate() {
            let Judged { alg, verdict } = verdict_on(index, key.get());
            let key = match verdict {
                Verdict::Usable(key) => Ok(Arc::new(key)),
                Verdict::Unusable(key) => Err(key),
                Verdict::Compromised(key, marks) => {
                    set.given_away.extend(marks.iter().cloned());
                    compromised.add(marks);
                    Err(key)
                }
            };
            judged.push(KeyReport::new(index, alg.as_deref(), key));
        }
        // After all of them: a key may stand before its private half.
        let mut seen = Vec::new();
        for report in &mut judged {
            if let Ok(key) = report.key.clone() {
                if compromised.holds(&key) || is_marked(&set.given_away, &key) {
                    report.give_away();
                } else {
                    set.add(&mut seen, key);
                }
            }
        }
        set.reports = bounded(judged);
        Ok(set)
    }

    /// Adds a key, unless it is listed already: one key that is listed twice is one key. Where one entry
    /// leaves the algorithm open, the other decides.
    fn add(&mut self, seen: &mut Vec<Thumbprint>, key: Arc<SigningKey>) {
        let thumbprint = Thumbprint::of(&key);
        let same = |(place, other): (usize, &Arc<SigningKey>)| {
            let is_same = seen.get(place) == Some(&thumbprint)
                && other.kid() == key.kid()
                && other.algorithm() == key.algorithm();
            is_same.then_some(place)
        };
        let place = self.keys.iter().enumerate().find_map(same);
        match place.and_then(|place| self.keys.get_mut(place)) {
            None => {
                seen.push(thumbprint);
                self.keys.push(key);
            }
            Some(other) if other.is_assumed() => *other = key,
            Some(_) => {}
        }
    }

    /// The rest of `keys` without those that this set compromises, and the verdict on each, from `reports`. `None`
    /// when it publishes none of them.
    #[cfg(feature = "jwks")]
    pub(crate) fn without_given_away(
        &self,
        keys: &[Arc<SigningKey>],
        reports: &[KeyReport],
    ) -> Option<Self> {
        let mut left = Self::default();
        let stays = |key: &&Arc<SigningKey>| !is_marked(&self.given_away, key);
        left.keys = keys.iter().filter(stays).cloned().collect();
        if left.keys.len() == keys.len() {
            return None;
        }
        let mut reports = reports.to_vec();
        for report in &mut reports {
            if report.key.as_ref().is_ok_and(|key| !stays(&key)) {
                report.give_away();
            }
        }
        left.reports = bounded(reports);
        Some(left)
    }

    /// The keys that are not used, and why.
    pub(crate) fn unusable(&self) -> Vec<UnusableKey> {
        unusable(&self.reports)
    }

    /// The keys, if there are any.
    ///
    /// # Errors
    ///
    /// When none is left: the error says what is wrong with each.
    pub(crate) fn not_empty(self) -> Result<Self, ConfigError> {
        if self.keys.is_empty() {
            return Err(ConfigError::new(
                "JWK Set",
                nothing_usable(&self.unusable()),
            ));
        }
        Ok(self)
    }
}

/// The keys among `reports` that are not used.
pub(crate) fn unusable(reports: &[KeyReport]) -> Vec<UnusableKey> {
    let faults = reports.iter().filter_map(KeyReport::unusable);
    faults.cloned().collect()
}

/// The reports without those of keys that are not used from the [`MOST_FINDINGS`]th of a kind on.
fn bounded(mut reports: Vec<KeyReport>) -> Vec<KeyReport> {
    let (mut passed_over, mut poisoned) = (0, 0);
    reports.retain(|report| {
        let alike = match report.state() {
            KeyState::Usable => return true,
            KeyState::PassedOver => &mut passed_over,
            KeyState::Poisoned => &mut poisoned,
        };
        *alike += 1;
        *alike <= MOST_FINDINGS
    });
    reports
}

/// Said of the issuer's metadata, too, whose address is often given instead.
const NO_KEYS: &str =
    "has no array `keys`; the member `jwks_uri` of an issuer's metadata is the URL of its JWK Set";

/// Judges the document alone.
fn document(text: &str) -> Result<Document<'_>, ConfigError> {
    let mistake = |problem: String| ConfigError::new("JWK Set", problem);
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

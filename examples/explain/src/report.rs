//! The lines that are printed.

use serde::Serialize;
use tower_bearer::{Claims, NoClaims, TokenError, keys::KeyReport};

#[derive(Serialize)]
struct Keys<'a> {
    keys: Vec<Key<'a>>,
}

#[derive(Serialize)]
struct Key<'a> {
    kid: Option<&'a str>,
    /// As the issuer writes it, or else what the key is used for.
    alg: Option<&'a str>,
    state: &'static str,
    reason: Option<&'a str>,
}

#[derive(Default, Serialize)]
struct Token<'a> {
    verdict: &'static str,
    kind: Option<&'static str>,
    reason: Option<String>,
    setting: Option<&'static str>,
    subject: Option<&'a str>,
    scopes: Option<Vec<&'a str>>,
    audiences: Option<Vec<&'a str>>,
}

/// The line about the issuer's keys, and what becomes of each.
pub(crate) fn keys(reports: &[KeyReport]) -> String {
    let key = |report| {
        let report: &KeyReport = report;
        let used_for = || report.algorithm().map(|algorithm| algorithm.as_str());
        Key {
            kid: report.kid(),
            alg: report.alg().or_else(used_for),
            state: report.state().as_str(),
            reason: report.reason(),
        }
    };
    json(&Keys {
        keys: reports.iter().map(key).collect(),
    })
}

/// The line about a token.
pub(crate) fn token(verdict: &Result<Claims<NoClaims>, TokenError>) -> String {
    json(&match verdict {
        Ok(claims) => Token {
            verdict: "accepted",
            subject: Some(claims.subject()).filter(|subject| !subject.is_empty()),
            scopes: claims.scope().map(|scope| scope.split(' ').collect()),
            audiences: Some(claims.audiences().collect()),
            ..Token::default()
        },
        Err(error) => Token {
            verdict: "refused",
            kind: Some(error.kind().as_str()),
            reason: Some(error.to_string()),
            setting: error.setting(),
            ..Token::default()
        },
    })
}

fn json(line: &impl Serialize) -> String {
    // Texts and lists of them always serialise.
    serde_json::to_string(line).unwrap_or_default()
}

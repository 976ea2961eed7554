//! The verdicts of this crate.

use std::time::Duration;

use serde_json::Value;
use tower_bearer::{KeyRing, ManualClock, Timestamp, TokenCodec, token::TokenType};

use super::{Case, Question, Verdict, keys::NOW};

pub(super) fn judge_all(cases: &[Case]) -> Vec<Verdict> {
    let questions = cases
        .iter()
        .flat_map(|case| case.questions.iter().map(|question| (&case.set, question)));
    questions
        .map(|(set, question)| judge(set, question))
        .collect()
}

/// Judges as a service does that is configured for this kind of token.
fn judge(set: &str, question: &Question) -> Verdict {
    let ring = KeyRing::verifier(set).map_err(|error| format!("set: {error}"))?;
    let codec = TokenCodec::signed(&ring)
        .issuer(&question.issuer)
        .audience(&question.audience)
        .leeway(Duration::ZERO)
        .clock(ManualClock::new(Timestamp::from_secs(NOW)));
    let codec = match token_type(&question.token).as_deref() {
        Some("at+jwt") => codec,
        Some(other) => codec.token_types([TokenType::Named(other.to_owned().into())]),
        None => codec.token_types([TokenType::Absent]),
    };
    let codec: TokenCodec = codec.build().map_err(|error| format!("codec: {error}"))?;
    match codec.verify(&question.token) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("token: {error}")),
    }
}

/// The `typ` of the token's header. Issuers differ in it, and the sets do not depend on it.
fn token_type(token: &str) -> Option<String> {
    let header = token.split('.').next().unwrap();
    let header = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["typ"].as_str().map(str::to_owned)
}

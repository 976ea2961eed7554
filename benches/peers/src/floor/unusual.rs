//! Claims that are not of the usual shape. A full JSON parser reads them, and the same rules judge them.

use serde::{Deserialize, de::IgnoredAny};

use super::{
    Refused,
    claims::{Claims, Rules, Span, Spans},
    dates::Dates,
};

/// The members that mean something; a repeated one is refused by the derived code.
#[derive(Deserialize)]
struct Members {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    jti: Option<String>,
    sid: Option<String>,
    scope: Option<String>,
    cnf: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[cold]
pub fn read(text: &str, rules: &Rules, now: u64) -> Result<Claims, Refused> {
    let members: Members = serde_json::from_str(text).map_err(|_| Refused)?;
    let for_us = match &members.aud {
        Audience::One(one) => *one == rules.audience,
        Audience::Many(many) => many.contains(&rules.audience),
    };
    if members.iss != rules.issuer || !for_us || members.cnf.is_some() {
        return Err(Refused);
    }
    // The conversion saturates: long before the epoch is as good as any other past.
    let seconds = |date: f64| date as u64;
    let dates = Dates {
        expires_at: seconds(members.exp),
        issued_at: members.iat.map(seconds),
        not_before: members.nbf.map(seconds),
    };
    let mut text = String::new();
    let mut put = |claim: Option<&str>| {
        let start = text.len() as u32;
        text.push_str(claim.unwrap_or_default());
        Span {
            start,
            end: text.len() as u32,
        }
    };
    let spans = Spans {
        issuer: put(Some(&members.iss)),
        subject: put(Some(&members.sub)),
        session: put(members.sid.as_deref()),
        token_id: put(members.jti.as_deref()),
        scope: put(members.scope.as_deref()),
    };
    Claims::judge(&text, spans, dates, rules, now)
}

//! The registered claims (RFC 7519 section 4.1), read in one pass and judged.

use std::{borrow::Cow, ops::Range, time::Duration};

use super::{
    TokenError, TokenErrorKind,
    json::{Fault, Reader, distinct, once},
    private_claims::{Member, Members},
};
use crate::clock::Timestamp;

/// The last second of the year 9999. What lies behind it is a mistake (or milliseconds).
const MAX_SECONDS: i64 = 253_402_300_799;

/// What a codec demands of the registered claims.
#[derive(Clone)]
pub(super) struct Rules {
    /// The accepted issuers; `None` when every issuer is accepted.
    pub(super) issuers: Option<Box<[String]>>,
    /// The accepted audiences; `None` when every audience is accepted.
    pub(super) audiences: Option<Box<[String]>>,
    pub(super) leeway: Duration,
    pub(super) max_age: Option<Duration>,
    pub(super) subject_optional: bool,
    pub(super) preamble: Preamble,
}

/// The beginning of the claims that the codec mints: `{"iss":"…","aud":"…"`, with what is
/// configured. What begins with the very same bytes need not be read member by member.
#[derive(Clone, Default)]
pub(super) struct Preamble {
    text: String,
    issuer: Option<String>,
    /// Where the issuer lies in the text, unless it is escaped there.
    place: Option<Range<usize>>,
    /// Whether it names the first accepted audience.
    audience: bool,
}

impl Preamble {
    /// Where the value of the first member begins.
    const ISSUER: usize = r#"{"iss":""#.len();

    pub(super) fn new(issuer: Option<&String>, audience: Option<&String>) -> Self {
        let mut text = String::from("{");
        for (name, value) in [("iss", issuer), ("aud", audience)] {
            if let Some(value) = value {
                let comma = if text.len() > 1 { "," } else { "" };
                let value = serde_json::Value::from(value.as_str());
                text.push_str(&format!("{comma}\"{name}\":{value}"));
            }
        }
        let place = issuer.map(|issuer| Self::ISSUER..Self::ISSUER + issuer.len());
        let plain = |place: &Range<usize>| text.get(place.clone()) == issuer.map(String::as_str);
        Self {
            place: place.filter(plain),
            text,
            issuer: issuer.cloned(),
            audience: audience.is_some(),
        }
    }

    /// An open object, with members or without.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The issuer that `claims` name, which begin with it: where it lies there, unless it is escaped.
    fn issuer<'a>(&'a self, claims: &'a str) -> Option<&'a str> {
        match &self.place {
            Some(place) => claims.get(place.clone()),
            None => self.issuer.as_deref(),
        }
    }

    /// Whether `claims` begin with it, and it says anything.
    fn begins(&self, claims: &str) -> bool {
        (self.issuer.is_some() || self.audience) && claims.starts_with(&self.text)
    }
}

/// The registered claims of one token.
#[derive(Default)]
pub(super) struct Registered<'a> {
    pub(super) issuer: Option<Cow<'a, str>>,
    pub(super) subject: Option<Cow<'a, str>>,
    pub(super) token_id: Option<Cow<'a, str>>,
    pub(super) session: Option<Cow<'a, str>>,
    pub(super) scope: Option<Cow<'a, str>>,
    /// Whether the issuer was recognised as an accepted one.
    issuer_is_known: bool,
    /// Whether one of the accepted audiences is named; `None` without `aud`.
    audience: Option<bool>,
    expires_at: Option<i64>,
    not_before: Option<i64>,
    issued_at: Option<i64>,
    confirmation: Option<()>,
}

impl<'a> Registered<'a> {
    /// Reads `text` in one pass. Members it does not know go to `members`, for the application.
    pub(super) fn read(
        &mut self,
        text: &'a str,
        rules: &'a Rules,
        members: &mut Members<'a>,
    ) -> Result<(), TokenError> {
        let known = &rules.preamble;
        let reader = if known.begins(text) {
            let mut reader = Reader::behind(text, &known.text);
            self.issuer = known.issuer(text).map(Cow::Borrowed);
            self.issuer_is_known = self.issuer.is_some();
            self.audience = known.audience.then_some(true);
            self.read_as_minted(&mut reader);
            reader.rest_of_object(|reader, name| self.member(reader, name, rules, members))
        } else {
            Reader::new(text).only_object(|reader, name| self.member(reader, name, rules, members))
        };
        reader
            .and_then(|()| distinct(members, |member| &member.name))
            .map_err(invalid)
    }

    /// Reads as many members as follow each other just as the codec writes them, and leaves the
    /// first that differs, and all behind it, to the general path. It never decides that something
    /// is wrong, so a text is judged the same whether it is read here or there.
    #[inline]
    fn read_as_minted(&mut self, reader: &mut Reader<'a>) {
        self.subject = reader.plain_string_behind(",\"sub\":").map(Cow::Borrowed);
        self.expires_at = date_behind(reader, ",\"exp\":");
        self.issued_at = date_behind(reader, ",\"iat\":");
        self.token_id = reader.plain_string_behind(",\"jti\":").map(Cow::Borrowed);
        self.session = reader.plain_string_behind(",\"sid\":").map(Cow::Borrowed);
    }

    /// Reads the value of the member `name`.
    fn member(
        &mut self,
        reader: &mut Reader<'a>,
        name: Cow<'a, str>,
        rules: &Rules,
        members: &mut Members<'a>,
    ) -> Result<(), Fault> {
        match name.as_bytes() {
            b"iss" => once(&mut self.issuer, string(reader)?),
            b"sub" => once(&mut self.subject, string(reader)?),
            b"aud" => once(&mut self.audience, audience(reader, rules)?),
            b"exp" => once(&mut self.expires_at, date(reader)?),
            b"nbf" => once(&mut self.not_before, date(reader)?),
            b"iat" => once(&mut self.issued_at, date(reader)?),
            b"jti" => once(&mut self.token_id, string(reader)?),
            b"sid" => once(&mut self.session, string(reader)?),
            b"cnf" => once(&mut self.confirmation, reader.value().map(drop)?),
            b"scope" => {
                // The application may want it in its own type as well.
                let (scope, value) = reader.with_text(string)?;
                members.push(Member { name, value });
                once(&mut self.scope, scope)
            }
            _ => {
                let value = reader.value()?;
                members.push(Member { name, value });
                Ok(())
            }
        }
    }

    /// Judges the claims as of `now`, and returns when the token ends.
    pub(super) fn check(&self, rules: &Rules, now: Timestamp) -> Result<Timestamp, TokenError> {
        let refuse = |kind, detail| Err(TokenError::new(kind, detail));
        if let Some(issuers) = rules.issuers.as_ref().filter(|_| !self.issuer_is_known) {
            match &self.issuer {
                None => return refuse(TokenErrorKind::Issuer, "iss is missing"),
                Some(found) if issuers.iter().all(|known| known != found) => {
                    return refuse(
                        TokenErrorKind::Issuer,
                        "iss names another issuer: compare them letter by letter",
                    );
                }
                Some(_) => {}
            }
        }
        match self.audience {
            None if rules.audiences.is_some() => {
                return refuse(TokenErrorKind::Audience, "aud is missing");
            }
            Some(false) => {
                return refuse(
                    TokenErrorKind::Audience,
                    "aud names other audiences: compare them letter by letter",
                );
            }
            _ => {}
        }
        match self.subject.as_deref() {
            Some("") => return Err(invalid("sub is empty")),
            None if !rules.subject_optional => return Err(invalid("sub is missing")),
            _ => {}
        }
        let expires_at = self.expires_at.ok_or(invalid("exp is missing"))?;
        self.check_times(expires_at, rules, now)?;
        if self.confirmation.is_some() {
            return refuse(
                TokenErrorKind::SenderConstrained,
                "the token is bound to a key that was not proved",
            );
        }
        Ok(timestamp(expires_at))
    }

    fn check_times(
        &self,
        expires_at: i64,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), TokenError> {
        let millis = |value: u128| i64::try_from(value).unwrap_or(i64::MAX);
        let now = millis(now.as_millis().into());
        let leeway = millis(rules.leeway.as_millis());
        let refuse = |kind, detail| Err(TokenError::new(kind, detail));
        if now >= expires_at.saturating_add(leeway) {
            return refuse(
                TokenErrorKind::Expired,
                "exp has passed: the client refreshes, or this clock is ahead of the minting one",
            );
        }
        let latest = now.saturating_add(leeway);
        if self.not_before.is_some_and(|nbf| nbf > latest) {
            return refuse(
                TokenErrorKind::NotYetValid,
                "nbf lies in the future: this clock is behind the minting one",
            );
        }
        if self.issued_at.is_some_and(|iat| iat > latest) {
            return refuse(
                TokenErrorKind::NotYetValid,
                "iat lies in the future: this clock is behind the minting one",
            );
        }
        if let Some(max_age) = rules.max_age {
            let Some(issued_at) = self.issued_at else {
                return refuse(
                    TokenErrorKind::TooOld,
                    "iat is missing, so the age is unknown",
                );
            };
            let oldest = millis(max_age.as_millis()).saturating_add(leeway);
            if now.saturating_sub(issued_at) > oldest {
                return refuse(TokenErrorKind::TooOld, "older than max_age");
            }
        }
        Ok(())
    }

    /// `iat`, when present.
    pub(super) fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at.map(timestamp)
    }
}

/// A claim that is a string or invalid: null is not absence, a number is no name.
fn string<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, Fault> {
    match reader.peek() {
        Some(b'"') => reader.string(),
        _ => Err("a registered claim has the wrong type"),
    }
}

/// Whether one of the audiences, a string or an array of strings, is an accepted one.
fn audience(reader: &mut Reader<'_>, rules: &Rules) -> Result<bool, Fault> {
    let ours = |found: &str| match &rules.audiences {
        None => true,
        Some(known) => known.iter().any(|known| known == found),
    };
    if reader.peek() != Some(b'[') {
        return string(reader).map(|one| ours(&one));
    }
    // An empty array names nobody; that matters only when somebody has to be named.
    let mut found = rules.audiences.is_none();
    reader.array(|reader| {
        found |= ours(&string(reader)?);
        Ok(())
    })?;
    Ok(found)
}

/// What [`date`] reads of a whole number of seconds, if one follows behind `prefix`.
#[inline]
fn date_behind(reader: &mut Reader<'_>, prefix: &str) -> Option<i64> {
    let seconds = reader.small_integer_behind(prefix, MAX_SECONDS)?;
    Some(seconds * 1000)
}

/// A `NumericDate` in milliseconds: a JSON number, fractions allowed (RFC 7519 section 2).
fn date(reader: &mut Reader<'_>) -> Result<i64, Fault> {
    if !matches!(reader.peek(), Some(b'-' | b'0'..=b'9')) {
        return Err("a date is not a number");
    }
    const RANGE: Fault = "a date is out of range";
    if let Some(seconds) = reader.small_integer() {
        return match seconds {
            0..=MAX_SECONDS => Ok(seconds * 1000),
            _ => Err(RANGE),
        };
    }
    let seconds: f64 = reader.number()?.parse().map_err(|_| RANGE)?;
    if seconds > MAX_SECONDS as f64 {
        return Err(RANGE);
    }
    // The conversion saturates: long before the epoch is as good as any other past.
    Ok((seconds * 1000.0).floor() as i64)
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn invalid(detail: Fault) -> TokenError {
    TokenError::new(TokenErrorKind::Claims, detail)
}

#[cfg(test)]
mod tests;

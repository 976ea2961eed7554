//! The registered claims (RFC 7519 section 4.1), read in one pass and judged.

mod faults;
mod preamble;
mod scope;

use std::{borrow::Cow, sync::Arc, time::Duration};

use smallvec::SmallVec;

use self::faults::Faults;
pub(super) use self::preamble::Preamble;
use super::{
    Setting, TokenError, TokenErrorKind,
    json::{Fault, Reader, distinct},
    private_claims::{Member, Members},
    token_type::Purpose,
};
use crate::clock::Timestamp;

/// The last second of the year 9999. A later second is a mistake (or milliseconds).
const MAX_SECONDS: i64 = 253_402_300_799;

/// The largest leeway between the clocks of issuer and verifier.
pub(super) const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// A codec's rules for the registered claims.
#[derive(Clone)]
pub(super) struct Rules {
    /// The accepted issuers; `None` when every issuer is accepted.
    pub(super) issuers: Option<Box<[String]>>,
    /// The accepted audiences; `None` when every audience is accepted.
    pub(super) audiences: Option<Box<[String]>>,
    pub(super) leeway: Duration,
    pub(super) max_age: Option<Duration>,
    pub(super) subject_optional: bool,
    /// The claim that names audiences; `None` for `aud`.
    pub(super) audience_claim: Option<Box<str>>,
    /// The claims that grant scopes; `None` for `scope` alone.
    pub(super) scope_claims: Option<Arc<[String]>>,
    pub(super) preamble: Preamble,
}

impl Rules {
    fn names_audiences(&self, claim: &str) -> bool {
        self.audience_claim.as_deref() == Some(claim)
    }

    fn grants_scopes(&self, claim: &str) -> bool {
        match &self.scope_claims {
            None => claim == "scope",
            Some(claims) => claims.iter().any(|name| name == claim),
        }
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
    /// Those that the token names. Nearly always there is one.
    pub(super) audiences: SmallVec<[Cow<'a, str>; 1]>,
    /// Whether the issuer was recognised as an accepted one.
    issuer_is_known: bool,
    /// Whether one of the accepted audiences is named; `None` without `aud`.
    audience: Option<bool>,
    expires_at: Option<i64>,
    not_before: Option<i64>,
    issued_at: Option<i64>,
    confirmation: Option<()>,
    /// Whether the token has events, and so is a logout token or a security event.
    events: bool,
}

impl<'a> Registered<'a> {
    /// Reads `text` in one pass. Members it does not know go to `members`, for the application.
    pub(super) fn read(
        &mut self,
        text: &'a str,
        rules: &'a Rules,
        members: &mut Members<'a>,
    ) -> Result<(), TokenError> {
        let reader = if let Some(known) = rules.preamble.of(text) {
            let mut reader = Reader::behind(text, known);
            self.issuer = rules.preamble.issuer(text);
            self.issuer_is_known = self.issuer.is_some();
            if let Some(audience) = rules.preamble.audience(text) {
                self.audience = Some(true);
                self.audiences = SmallVec::from_buf([audience]);
            }
            self.read_as_minted(&mut reader);
            reader
        } else {
            Reader::new(text)
        };
        reader
            .only_object(|reader, name| self.member(reader, name, rules, members))
            .and_then(|()| distinct(members, |member| &member.name))
            .map_err(invalid)
    }

    /// Reads as many members as follow each other just as the codec writes them. The first that differs, and all behind
    /// it, go to the general path. It never decides that something is wrong. So a text is judged the same whether it is
    /// read here or there.
    #[inline]
    fn read_as_minted(&mut self, reader: &mut Reader<'a>) {
        self.subject = reader.plain_string_behind(",\"sub\":").map(Cow::Borrowed);
        self.expires_at = date_behind(reader, ",\"exp\":");
        self.issued_at = date_behind(reader, ",\"iat\":");
        self.token_id = reader.plain_string_behind(",\"jti\":").map(Cow::Borrowed);
        self.session = reader.plain_string_behind(",\"sid\":").map(Cow::Borrowed);
    }

    /// Reads the value of the member `name`.
    #[inline(always)]
    fn member(
        &mut self,
        reader: &mut Reader<'a>,
        name: Cow<'a, str>,
        rules: &Rules,
        members: &mut Members<'a>,
    ) -> Result<(), Fault> {
        match name.as_bytes() {
            b"iss" => Faults::ISS.text(&mut self.issuer, reader),
            b"sub" => Faults::SUB.text(&mut self.subject, reader),
            b"aud" if rules.audience_claim.is_none() => {
                self.read_audiences(reader, rules, &Faults::AUD)
            }
            b"exp" => Faults::EXP.date(&mut self.expires_at, reader),
            b"nbf" => Faults::NBF.date(&mut self.not_before, reader),
            b"iat" => Faults::IAT.date(&mut self.issued_at, reader),
            b"jti" => Faults::JTI.text(&mut self.token_id, reader),
            b"sid" => Faults::SID.text(&mut self.session, reader),
            b"cnf" => Faults::CNF.once(&mut self.confirmation, reader.value().map(drop)?),
            // The application may want these in its own type as well.
            _ => {
                let ((), value) = reader.with_text(|reader| {
                    if rules.grants_scopes(&name) {
                        return self.read_scope(reader);
                    }
                    if rules.names_audiences(&name) {
                        return self.read_audiences(reader, rules, &Faults::AUDIENCE_CLAIM);
                    }
                    self.events |= name == "events";
                    reader.value().map(drop)
                })?;
                members.push(Member { name, value });
                Ok(())
            }
        }
    }

    /// Reads the audiences, a string or an array of strings, and whether one is accepted.
    fn read_audiences(
        &mut self,
        reader: &mut Reader<'a>,
        rules: &Rules,
        faults: &Faults,
    ) -> Result<(), Fault> {
        // An empty array names no audience; that matters only when one has to be named.
        let mut found = rules.audiences.is_none();
        let audiences = &mut self.audiences;
        let mut one = |reader: &mut Reader<'a>| {
            let audience = faults.string(reader)?;
            let known = rules.audiences.iter().flatten();
            found |= known.into_iter().any(|known| *known == audience);
            audiences.push(audience);
            Ok(())
        };
        match reader.peek() {
            Some(b'[') => reader.array(one)?,
            _ => one(reader)?,
        }
        faults.once(&mut self.audience, found)
    }

    /// Judges the claims as of `now`, and returns when the token ends. `members` are the others of the token.
    pub(super) fn check(
        &self,
        rules: &Rules,
        now: Timestamp,
        purpose: Purpose,
        members: &Members<'_>,
    ) -> Result<Timestamp, TokenError> {
        if self.events && purpose == Purpose::Open {
            return Err(invalid(
                "events is there: a logout token or a security event is no access token",
            ));
        }
        self.check_issuer(rules)?;
        self.check_audience(rules, members)?;
        match self.subject.as_deref() {
            Some("") => return Err(invalid("sub is empty")),
            None if !rules.subject_optional => {
                return Err(TokenError::curable(
                    TokenErrorKind::Claims,
                    "sub is missing: .subject_optional() takes such a token",
                    Setting::SubjectOptional,
                ));
            }
            _ => {}
        }
        let expires_at = self.expires_at.ok_or(invalid("exp is missing"))?;
        self.check_times(expires_at, rules, now)?;
        if self.confirmation.is_some() {
            return Err(TokenError::new(
                TokenErrorKind::SenderConstrained,
                "cnf binds the token to a key that was not proved",
            ));
        }
        Ok(timestamp(expires_at))
    }

    fn check_issuer(&self, rules: &Rules) -> Result<(), TokenError> {
        let refuse = |detail, setting| TokenError::curable(TokenErrorKind::Issuer, detail, setting);
        let Some(issuers) = rules.issuers.as_ref().filter(|_| !self.issuer_is_known) else {
            return Ok(());
        };
        match &self.issuer {
            None => Err(refuse(
                "iss is missing: .dangerous_any_issuer() alone takes such a token",
                Setting::DangerousAnyIssuer,
            )),
            Some(found) if issuers.iter().all(|known| known != found) => Err(refuse(
                "iss names another issuer: compare it with that of .issuer(...) letter by letter, or give \
                 .also_issuer(...) its other name",
                Setting::Issuer,
            )
            .having([&**found])),
            Some(_) => Ok(()),
        }
    }

    fn check_audience(&self, rules: &Rules, members: &Members<'_>) -> Result<(), TokenError> {
        let refuse = |detail, setting| {
            Err(TokenError::curable(
                TokenErrorKind::Audience,
                detail,
                setting,
            ))
        };
        match (self.audience, &rules.audience_claim) {
            (Some(true), _) => Ok(()),
            (None, _) if rules.audiences.is_none() => Ok(()),
            (None, Some(_)) => refuse(
                "the claim of .audience_claim(...) is missing: it has to name the one that holds the audience",
                Setting::AudienceClaim,
            ),
            (None, None) if members.iter().any(|member| member.name == "client_id") => refuse(
                r#"aud is missing and client_id is there: .audience_claim("client_id") takes it for the audience"#,
                Setting::AudienceClaim,
            ),
            (None, None) => refuse(
                "aud is missing: .audience_claim(...) names another claim that holds the audience",
                Setting::AudienceClaim,
            ),
            (Some(false), claim) => {
                let detail = match claim {
                    None => {
                        "aud names other audiences: compare them with that of .audience(...) letter by letter"
                    }
                    Some(_) => {
                        "the claim of .audience_claim(...) names other audiences: compare them with that of \
                         .audience(...) letter by letter"
                    }
                };
                let audiences = self.audiences.iter().map(|one| &**one);
                refuse(detail, Setting::Audience).map_err(|error| error.having(audiences))
            }
        }
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
        let most = millis(MAX_LEEWAY.as_millis());
        let error = |kind, detail| Err(TokenError::new(kind, detail));
        let clocks = |kind, detail| Err(TokenError::curable(kind, detail, Setting::Leeway));
        if now >= expires_at.saturating_add(leeway) {
            return match now >= expires_at.saturating_add(most) {
                true => error(
                    TokenErrorKind::Expired,
                    "exp has passed: the client refreshes, or this clock is ahead of the minting one",
                ),
                false => clocks(
                    TokenErrorKind::Expired,
                    "exp has just passed: the client refreshes, or .leeway(...) makes up for clocks that differ",
                ),
            };
        }
        let latest = now.saturating_add(leeway);
        let farthest = now.saturating_add(most);
        for (time, near, far) in [
            (
                self.not_before,
                "nbf lies just ahead: this clock is behind the minting one, which .leeway(...) makes up for",
                "nbf lies in the future: this clock is behind the minting one",
            ),
            (
                self.issued_at,
                "iat lies just ahead: this clock is behind the minting one, which .leeway(...) makes up for",
                "iat lies in the future: this clock is behind the minting one",
            ),
        ] {
            match time {
                Some(time) if time > farthest => return error(TokenErrorKind::NotYetValid, far),
                Some(time) if time > latest => return clocks(TokenErrorKind::NotYetValid, near),
                _ => {}
            }
        }
        let Some(max_age) = rules.max_age else {
            return Ok(());
        };
        let refuse = |detail| {
            Err(TokenError::curable(
                TokenErrorKind::TooOld,
                detail,
                Setting::MaxAge,
            ))
        };
        let oldest = millis(max_age.as_millis()).saturating_add(leeway);
        match self.issued_at {
            None => refuse("iat is missing, and .max_age(...) counts from it"),
            Some(issued_at) if now.saturating_sub(issued_at) > oldest => {
                refuse("iat lies longer ago than .max_age(...) takes")
            }
            Some(_) => Ok(()),
        }
    }

    /// `iat`, when present.
    pub(super) fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at.map(timestamp)
    }

    /// `nbf`, when present.
    pub(super) fn not_before(&self) -> Option<Timestamp> {
        self.not_before.map(timestamp)
    }
}

/// The whole number of seconds behind `prefix`, as [`Faults::date`] reads it, if one follows.
#[inline]
fn date_behind(reader: &mut Reader<'_>, prefix: &str) -> Option<i64> {
    let seconds = reader.small_integer_behind(prefix, MAX_SECONDS)?;
    Some(seconds * 1000)
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn invalid(detail: Fault) -> TokenError {
    TokenError::new(TokenErrorKind::Claims, detail)
}

#[cfg(test)]
mod tests;

//! From a grant to a token.

use std::fmt::Write as _;

use serde::Serialize;

use super::{
    AccessToken, Grant, MintError, Profile, TokenCodec, base64::encode_append, codec::Inner,
    custom, jwe, jws,
};
use crate::{
    clock::Timestamp,
    keys::{ACCESS_TOKEN_TYPE, Keys},
    secret::random,
};

impl<C: Serialize> TokenCodec<C> {
    /// Mints a token for `subject`, issued now by the codec's clock.
    ///
    /// # Errors
    ///
    /// As [`TokenCodec::mint_at`].
    pub fn mint(&self, subject: &str, custom: &C) -> Result<AccessToken, MintError> {
        self.mint_at(
            &Grant {
                subject,
                session: None,
                custom,
            },
            self.clock().now(),
        )
    }

    /// Mints a token for `grant`, issued at `now`, with a fresh random `jti` of 128 bits.
    ///
    /// # Errors
    ///
    /// When the application's claims are not a JSON object or have a member that only the codec
    /// writes (`iss`, `sub`, `aud`, `exp`, `nbf`, `iat`, `jti`, `sid`, `cnf`), the subject is
    /// empty, the ring has no key that mints, or the token would be longer than accepted.
    pub fn mint_at(&self, grant: &Grant<'_, C>, now: Timestamp) -> Result<AccessToken, MintError> {
        let custom = serde_json::to_string(grant.custom).map_err(|e| {
            MintError::with_source("the application's claims could not be serialised", e)
        })?;
        custom::check(&custom).map_err(MintError::new)?;
        let claims = self
            .inner
            .claims(grant.subject, grant.session, &custom, now)?;
        let token = self.inner.seal(claims)?;
        Ok(AccessToken::new(token, self.inner.lifetime))
    }
}

impl Inner {
    /// Whether minted headers carry the `typ` that keys prepared.
    pub(super) fn usual_type(&self) -> bool {
        self.token_type == ACCESS_TOKEN_TYPE
    }

    /// The claims as JSON; `custom` is an object.
    fn claims(
        &self,
        subject: &str,
        session: Option<&str>,
        custom: &str,
        now: Timestamp,
    ) -> Result<String, MintError> {
        if subject.is_empty() && !self.rules.subject_optional {
            return Err(MintError::new("the subject is empty"));
        }
        let id: [u8; 16] =
            random().map_err(|e| MintError::with_source("no token id could be made", e))?;
        let preamble = self.rules.preamble.as_str();
        let known = preamble.len() + subject.len() + session.map_or(0, str::len);
        let mut json = String::with_capacity(known + custom.len() + 112);
        json.push_str(preamble);
        if !subject.is_empty() {
            text_member(&mut json, "sub", subject)?;
        }
        let issued_at = now.as_secs();
        number_member(&mut json, "exp", issued_at + self.lifetime.as_secs())?;
        number_member(&mut json, "iat", issued_at)?;
        begin_member(&mut json, "jti");
        json.push('"');
        encode_append(&id, &mut json);
        json.push('"');
        if let Some(session) = session {
            text_member(&mut json, "sid", session)?;
        }
        if let Some(members) = custom.strip_prefix('{').filter(|rest| *rest != "}") {
            separate(&mut json);
            json.push_str(members);
        } else {
            json.push('}');
        }
        Ok(json)
    }

    fn seal(&self, claims: String) -> Result<String, MintError> {
        let keys: &Keys = &self.keys.load();
        let token = match self.profile {
            Profile::Nested => jwe::seal(self, keys, jws::seal(self, keys, &claims)?)?,
            Profile::Encrypted => jwe::seal(self, keys, claims)?,
            Profile::Signed => jws::seal(self, keys, &claims)?,
        };
        if token.len() > self.max_token_bytes {
            return Err(MintError::new(
                "the token would be longer than max_token_bytes",
            ));
        }
        Ok(token)
    }
}

fn separate(json: &mut String) {
    if json.len() > 1 {
        json.push(',');
    }
}

fn begin_member(json: &mut String, name: &str) {
    separate(json);
    json.push('"');
    json.push_str(name);
    json.push_str("\":");
}

fn text_member(json: &mut String, name: &str, value: &str) -> Result<(), MintError> {
    begin_member(json, name);
    if value.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\') {
        json.push('"');
        json.push_str(value);
        json.push('"');
        return Ok(());
    }
    let value = serde_json::to_string(value)
        .map_err(|e| MintError::with_source("a claim could not be written", e))?;
    json.push_str(&value);
    Ok(())
}

fn number_member(json: &mut String, name: &str, value: u64) -> Result<(), MintError> {
    begin_member(json, name);
    write!(json, "{value}").map_err(|_| MintError::new("a claim could not be written"))
}

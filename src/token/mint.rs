//! From a grant to a token.

use serde::Serialize;

use super::{
    AccessToken, Grant, MintError, TokenCodec,
    base64::encode_bytes,
    codec::{Inner, Profile},
    custom,
    json::is_plain,
    jwe, jws,
};
use crate::{
    clock::Timestamp,
    keys::{ACCESS_TOKEN_TYPE, Keys},
    random::random,
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
        let mut claims = self.inner.registered(grant.subject, grant.session, now)?;
        append(&mut claims, grant.custom)?;
        let token = self.inner.seal(claims)?;
        Ok(AccessToken::new(token, self.inner.lifetime))
    }
}

impl Inner {
    /// Whether minted headers carry the `typ` that keys prepared.
    pub(super) fn usual_type(&self) -> bool {
        self.token_type == ACCESS_TOKEN_TYPE
    }

    /// The registered claims as the open beginning of a JSON object.
    fn registered(
        &self,
        subject: &str,
        session: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<u8>, MintError> {
        if subject.is_empty() && !self.rules.subject_optional {
            return Err(MintError::new("the subject is empty"));
        }
        let id: [u8; 16] =
            random().map_err(|e| MintError::with_source("no token id could be made", e))?;
        let preamble = self.rules.preamble.as_str();
        let known = preamble.len() + subject.len() + session.map_or(0, str::len);
        let mut json = Vec::with_capacity(known + REST);
        json.extend_from_slice(preamble.as_bytes());
        if !subject.is_empty() {
            text_member(&mut json, ",\"sub\":", subject)?;
        }
        let issued_at = now.as_secs();
        number_member(&mut json, ",\"exp\":", issued_at + self.lifetime.as_secs());
        number_member(&mut json, ",\"iat\":", issued_at);
        begin_member(&mut json, ",\"jti\":");
        json.push(b'"');
        encode_bytes(&id, &mut json);
        json.push(b'"');
        if let Some(session) = session {
            text_member(&mut json, ",\"sid\":", session)?;
        }
        Ok(json)
    }

    fn seal(&self, claims: Vec<u8>) -> Result<String, MintError> {
        let keys: &Keys = &self.keys.load();
        let token = match self.profile {
            Profile::Nested => jwe::seal(self, keys, jws::seal(self, keys, &claims)?.into_bytes())?,
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

/// Room for what does not depend on the subject: the names and values of `exp`, `iat` and `jti`, and
/// claims of the application's of usual length.
const REST: usize = 208;

/// Appends the application's claims, an object, to the open object `json`, and closes it.
fn append<C: Serialize>(json: &mut Vec<u8>, custom: &C) -> Result<(), MintError> {
    let end = json.len();
    serde_json::to_writer(&mut *json, custom).map_err(|e| {
        MintError::with_source("the application's claims could not be serialised", e)
    })?;
    let members = json.get(end..).unwrap_or_default();
    let text = std::str::from_utf8(members)
        .map_err(|_| MintError::new("the application's claims are not utf-8"))?;
    custom::check(text).map_err(MintError::new)?;
    if text == "{}" {
        json.truncate(end);
        json.push(b'}');
    } else if let Some(brace) = json.get_mut(end) {
        // There is always a member before: `exp`.
        *brace = b',';
    }
    Ok(())
}

/// Begins a member with `name`, which is written as it stands between two members: `,"name":`.
fn begin_member(json: &mut Vec<u8>, name: &str) {
    let first = json.len() == 1;
    json.extend_from_slice(
        name.as_bytes()
            .get(usize::from(first)..)
            .unwrap_or_default(),
    );
}

fn text_member(json: &mut Vec<u8>, name: &str, value: &str) -> Result<(), MintError> {
    begin_member(json, name);
    if is_plain(value) {
        json.push(b'"');
        json.extend_from_slice(value.as_bytes());
        json.push(b'"');
        return Ok(());
    }
    serde_json::to_writer(json, value)
        .map_err(|e| MintError::with_source("a claim could not be written", e))
}

fn number_member(json: &mut Vec<u8>, name: &str, value: u64) {
    begin_member(json, name);
    json.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

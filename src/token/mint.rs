//! From a grant to a token.

use serde::Serialize;

use super::{
    AccessToken, Grant, MintError, TokenCodec,
    base64::encode_append,
    codec::{CodecConfig, Profile},
    jwe, jws,
    private_claims::{self, AUTHENTICATION, RESERVED, RESERVED_WITH_AUTHENTICATION},
};
use crate::{clock::Timestamp, keys::Keys, random::random, session::Authentication};

impl<C: Serialize> TokenCodec<C> {
    /// Mints a token for `subject`, issued now by the codec's clock.
    ///
    /// # Errors
    ///
    /// As [`TokenCodec::mint_at`].
    pub fn mint(&self, subject: &str, custom: &C) -> Result<AccessToken, MintError> {
        self.mint_at(&Grant::new(subject, custom), self.clock().now())
    }

    /// Mints a token for `grant`, issued at `now`, with a fresh random `jti` of 128 bits.
    ///
    /// # Errors
    ///
    /// When the application's claims are not a JSON object or have a member that only the codec writes. Those are
    /// `iss`, `sub`, `aud` or the claim of [`audience_claim`](super::TokenCodecBuilder::audience_claim) in its place,
    /// `exp`, `nbf`, `iat`, `jti`, `sid` and `cnf`. They are also `auth_time`, `amr` and `acr` where the session layer
    /// [says them](crate::refresh::RefreshCookieBuilder::authentication_in_tokens). When the subject is empty, the ring
    /// has no key that mints, or the token would be longer than accepted.
    pub fn mint_at(&self, grant: &Grant<'_, C>, now: Timestamp) -> Result<AccessToken, MintError> {
        let (iat, until) = (now.as_secs(), grant.until.as_secs());
        let exp = until.min(iat + self.config.lifetime.as_secs());
        let mut claims = self
            .config
            .registered(grant.subject, grant.session, iat, exp)?;
        let custom = serde_json::to_string(grant.custom).map_err(|e| {
            MintError::with_source("the application's claims could not be serialised", e)
        })?;
        let audience = self.config.rules.audience_claim.as_deref();
        let audience = audience.unwrap_or("aud");
        match grant.authentication {
            None => private_claims::check(&custom, RESERVED, audience),
            Some(authentication) => {
                if AUTHENTICATION.contains(&audience) {
                    return Err(MintError::new(
                        "audience_claim is a claim that authentication_in_tokens mints as well",
                    ));
                }
                append(&mut claims, &authenticated(authentication)?);
                private_claims::check(&custom, RESERVED_WITH_AUTHENTICATION, audience)
            }
        }
        .map_err(MintError::new)?;
        append(&mut claims, &custom);
        claims.push('}');
        let token = self.config.seal(claims.into_bytes())?;
        // `iat` is in the past by part of a second. A lifetime that is cut says no more than is left by now.
        let expires_in = self.config.lifetime.min(grant.left(now));
        Ok(AccessToken::new(token, expires_in))
    }
}

impl CodecConfig {
    /// The registered claims as the open beginning of a JSON object.
    fn registered(
        &self,
        subject: &str,
        session: Option<&str>,
        iat: u64,
        exp: u64,
    ) -> Result<String, MintError> {
        if subject.is_empty() && !self.rules.subject_optional {
            return Err(MintError::new("the subject is empty"));
        }
        let id: [u8; 16] =
            random().map_err(|e| MintError::with_source("no token id could be made", e))?;
        let mut jti = String::with_capacity(22);
        encode_append(&id, &mut jti);
        let registered = serde_json::to_string(&Registered {
            sub: subject,
            exp,
            iat,
            jti: &jti,
            sid: session,
        })
        .map_err(|e| MintError::with_source("a claim could not be written", e))?;
        let preamble = self.rules.preamble.as_str();
        let mut claims = String::with_capacity(preamble.len() + registered.len() + CUSTOM);
        claims.push_str(preamble);
        append(&mut claims, &registered);
        Ok(claims)
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

/// Room for claims of the application's of usual length.
const CUSTOM: usize = 128;

/// The registered claims that differ from token to token (RFC 7519 section 4.1).
#[derive(Serialize)]
struct Registered<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    sub: &'a str,
    exp: u64,
    iat: u64,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
}

/// When and how the user authenticated, as an object (OpenID Connect Core 1.0 section 2).
fn authenticated(authentication: &Authentication) -> Result<String, MintError> {
    let Authentication { at, methods } = authentication;
    let claims = Authenticated {
        auth_time: at.as_secs(),
        amr: methods.amr().collect(),
        acr: methods.acr(),
    };
    serde_json::to_string(&claims)
        .map_err(|e| MintError::with_source("a claim could not be written", e))
}

#[derive(Serialize)]
struct Authenticated<'a> {
    auth_time: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
}

/// Appends the members of `object`, a whole one, to the object that `open` begins.
fn append(open: &mut String, object: &str) {
    let members = object.strip_prefix('{').and_then(|o| o.strip_suffix('}'));
    // A text of the application's own (`RawValue`) may have spaces inside of its brackets.
    let members = members.unwrap_or_default().trim_ascii();
    if !members.is_empty() && open != "{" {
        open.push(',');
    }
    open.push_str(members);
}

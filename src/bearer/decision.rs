//! The decision of `BearerAuth` over one request head. No I/O, nothing waits.

use std::{fmt, sync::Arc};

use http::{HeaderMap, HeaderValue, Method, header};
use serde::de::DeserializeOwned;

use super::{
    challenge::{Challenge, ErrorCode},
    revocation::{CheckError, CheckFn},
};
use crate::{
    authorization::{Credentials, NOT_TOKEN68, credentials, is_token68},
    rejection::{Rejection, RejectionKind},
    request::Anonymous,
    token::{TokenCodec, TokenContext, TokenError, TokenErrorKind},
};

/// Everything `BearerAuthLayer` was told, shared by its services.
pub(super) struct Config<C> {
    pub(super) codec: TokenCodec<C>,
    pub(super) optional: bool,
    pub(super) preflight: bool,
    pub(super) check: Option<Arc<CheckFn>>,
    challenge: Challenge,
    // The three challenges, rendered once.
    missing: HeaderValue,
    invalid_request: HeaderValue,
    invalid_token: HeaderValue,
}

impl<C> Config<C> {
    pub(super) fn new(codec: TokenCodec<C>) -> Self {
        let challenge = Challenge::default();
        Self {
            codec,
            optional: false,
            preflight: false,
            check: None,
            missing: challenge.render(None),
            invalid_request: challenge.render(Some(ErrorCode::InvalidRequest)),
            invalid_token: challenge.render(Some(ErrorCode::InvalidToken)),
            challenge,
        }
    }

    /// Changes what challenges are made of.
    pub(super) fn set_challenge(&mut self, change: impl FnOnce(&mut Challenge)) {
        change(&mut self.challenge);
        self.missing = self.challenge.render(None);
        self.invalid_request = self.challenge.render(Some(ErrorCode::InvalidRequest));
        self.invalid_token = self.challenge.render(Some(ErrorCode::InvalidToken));
    }

    /// What a request that is let through without credentials is marked with.
    pub(super) fn anonymous(&self) -> Anonymous {
        Anonymous {
            challenge: self.missing.clone(),
        }
    }

    /// Whether a request with this head needs credentials.
    pub(super) fn is_required(&self, method: &Method, headers: &HeaderMap) -> bool {
        let preflight = self.preflight
            && method == Method::OPTIONS
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        !self.optional && !preflight
    }
}

impl<C> Config<C>
where
    C: DeserializeOwned + Send + Sync + 'static,
{
    /// The claims of whoever sends a request with these headers, `None` when nobody has to sign
    /// in and nobody did, or why the request is refused. Marks the credentials sensitive.
    pub(super) fn decide(
        &self,
        required: bool,
        headers: &mut HeaderMap,
    ) -> Result<Option<TokenContext>, Rejection> {
        let token = match credentials(headers, self.codec.max_token_bytes()) {
            Credentials::Token(token) => token,
            Credentials::Missing if !required => return Ok(None),
            Credentials::Missing => {
                return Err(Rejection::new(
                    RejectionKind::MissingCredentials,
                    "the request carries no bearer token",
                )
                .with_challenge(self.missing.clone()));
            }
            Credentials::Malformed(reason) => {
                return Err(self.malformed(reason));
            }
            Credentials::TooLarge => {
                let error = TokenError::new(
                    TokenErrorKind::TooLarge,
                    "the token is longer than accepted",
                );
                return Err(Rejection::token(error).with_challenge(self.invalid_token.clone()));
            }
        };
        let now = self.codec.clock().now();
        let claims = self.codec.verify_bytes(token, now).map_err(|error| {
            // What is no token by its characters never verifies, so that a good one need not be looked
            // at twice.
            if !is_token68(token) {
                self.malformed(NOT_TOKEN68)
            } else if error.kind() == TokenErrorKind::KeysUnavailable {
                // Without a challenge: it is not the token that should be replaced.
                Rejection::keys_unavailable(error, self.codec.keys().retry_after())
            } else {
                Rejection::token(error).with_challenge(self.invalid_token.clone())
            }
        })?;
        let context = TokenContext::from(claims);
        if let Some(check) = &self.check {
            check(&context).map_err(|e| self.refused_by_check(e))?;
        }
        Ok(Some(context))
    }

    fn malformed(&self, reason: &'static str) -> Rejection {
        Rejection::new(RejectionKind::InvalidRequest, reason)
            .with_challenge(self.invalid_request.clone())
    }

    fn refused_by_check(&self, error: CheckError) -> Rejection {
        match error {
            CheckError::Internal => {
                Rejection::new(RejectionKind::Internal, "the revocation check failed")
            }
            CheckError::Revoked => {
                Rejection::new(RejectionKind::InvalidToken, "the access token is revoked")
                    .with_challenge(self.invalid_token.clone())
            }
            CheckError::Unavailable => Rejection::new(
                RejectionKind::Unavailable,
                "the revocation state is unavailable",
            ),
        }
    }
}

// By hand, because a derive would ask for `C: Clone`.
impl<C> Clone for Config<C> {
    fn clone(&self) -> Self {
        Self {
            codec: self.codec.clone(),
            optional: self.optional,
            preflight: self.preflight,
            check: self.check.clone(),
            challenge: self.challenge.clone(),
            missing: self.missing.clone(),
            invalid_request: self.invalid_request.clone(),
            invalid_token: self.invalid_token.clone(),
        }
    }
}

impl<C> fmt::Debug for Config<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            codec,
            optional,
            preflight,
            check,
            challenge,
            missing: _,
            invalid_request: _,
            invalid_token: _,
        } = self;
        f.debug_struct("Config")
            .field("codec", codec)
            .field("optional", optional)
            .field("preflight", preflight)
            .field("check", &check.as_ref().map(|_| "<fn>"))
            .field("challenge", challenge)
            .finish()
    }
}

//! The decision of `BearerAuth` over one request head. No I/O, nothing waits.

use http::{HeaderMap, Method, header};
use serde::de::DeserializeOwned;

use super::{config::Config, revocation::CheckError};
use crate::{
    authorization::{Credentials, NOT_TOKEN68, credentials, is_token68},
    rejection::{Rejection, RejectionKind},
    token::{TokenContext, TokenError, TokenErrorKind},
};

impl<C> Config<C> {
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
    /// The claims of the client that sends a request with these headers. `None` when it need not sign in
    /// and did not; else why the request is refused. Marks the credentials sensitive.
    pub(super) fn decide(
        &self,
        required: bool,
        headers: &mut HeaderMap,
    ) -> Result<Option<TokenContext>, Rejection> {
        let token = match credentials(headers, self.codec.max_token_bytes()) {
            Credentials::Token(token) => token,
            Credentials::Missing if !required => return Ok(None),
            Credentials::Missing => {
                return Err(Rejection::missing_credentials(self.missing.clone()));
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
                let expectation = self.codec.expectation(error.kind());
                let rejection = Rejection::token(error).with_challenge(self.invalid_token.clone());
                match expectation {
                    Some(text) => rejection.saying(text),
                    None => rejection,
                }
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

//! The decision of `BearerAuth` over one request head. No I/O, nothing waits.

use http::{HeaderMap, Method, header};
use serde::de::DeserializeOwned;

use super::{config::Config, revocation::CheckError};
use crate::{
    authorization::{Credentials, NOT_TOKEN68, credentials, is_token68},
    rejection::{Rejection, RejectionKind},
    token::{Claims, TokenContext, TokenError, TokenErrorKind},
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
        let token = match credentials(headers, self.verifiers.max_token_bytes()) {
            Credentials::Token(token) => token,
            Credentials::Missing if !required => return Ok(None),
            Credentials::Missing => {
                return Err(Rejection::missing_credentials(self.missing.clone()));
            }
            Credentials::Malformed(reason) => {
                return Err(self.malformed(reason));
            }
            Credentials::TooLarge => return Err(self.too_large()),
        };
        let claims = self.claims(token)?;
        let context = self.context(claims);
        self.checked(&context)?;
        Ok(Some(context))
    }

    /// The claims of a token by which a connection begins or continues, or why the token is rejected.
    pub(super) fn connect(&self, token: &str) -> Result<Claims<C>, Rejection> {
        if token.len() > self.verifiers.max_token_bytes() {
            return Err(self.too_large());
        }
        let claims = self.claims(token.as_bytes())?;
        self.checked(&self.context(claims.clone()))?;
        Ok(claims)
    }

    #[inline]
    fn claims(&self, token: &[u8]) -> Result<Claims<C>, Rejection> {
        let codec = self.verifiers.judge(token).map_err(|error| {
            let expectation = self.verifiers.expectation(error.kind());
            self.refused(token, error, expectation)
        })?;
        let now = codec.clock().now();
        codec.verify_bytes(token, now).map_err(|error| {
            let expectation = self.verifiers.expectation_of(codec, error.kind());
            if error.kind() == TokenErrorKind::KeysUnavailable && is_token68(token) {
                // Without a challenge: it is not the token that should be replaced.
                let rejection = Rejection::keys_unavailable(error, codec.keys().retry_after());
                return said(rejection, expectation);
            }
            self.refused(token, error, expectation)
        })
    }

    /// The claims as the extensions of a request hold them, and as the check sees them.
    pub(super) fn context(&self, claims: Claims<C>) -> TokenContext {
        TokenContext::from(claims).with_challenge(self.carried.clone())
    }

    /// The check's answer, where there is a check.
    pub(super) fn checked(&self, context: &TokenContext) -> Result<(), Rejection> {
        match &self.check {
            Some(check) => check(context).map_err(|e| self.refused_by_check(e)),
            None => Ok(()),
        }
    }

    fn too_large(&self) -> Rejection {
        Rejection::token(TokenError::TOO_LARGE).with_challenge(self.invalid_token.clone())
    }

    /// The refusal of a token that does not verify, with the log's text where the settings tell it.
    fn refused(&self, token: &[u8], error: TokenError, expectation: Option<String>) -> Rejection {
        // A text with other characters never verifies, so that a good token need not be looked at twice.
        if !is_token68(token) {
            return self.malformed(NOT_TOKEN68);
        }
        let rejection = Rejection::token(error).with_challenge(self.invalid_token.clone());
        said(rejection, expectation)
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

/// The rejection with this text for logs, where there is one.
fn said(rejection: Rejection, text: Option<String>) -> Rejection {
    match text {
        Some(text) => rejection.saying(text),
        None => rejection,
    }
}

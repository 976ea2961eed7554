//! The settings of `BearerAuthLayer`.

use std::{fmt, sync::Arc};

use http::{HeaderValue, Uri};

use super::{
    challenge::{Challenge, ErrorCode},
    revocation::CheckFn,
};
use crate::{rejection::Rejection, request::Anonymous, token::Verifiers};

/// All settings of `BearerAuthLayer`, shared by its services.
pub(super) struct Config<C> {
    pub(super) verifiers: Verifiers<C>,
    pub(super) optional: bool,
    pub(super) preflight: bool,
    pub(super) check: Option<Arc<CheckFn>>,
    challenge: Challenge,
    /// The challenge for layers further in, where it says more than the default: most requests carry none.
    pub(super) carried: Option<Arc<HeaderValue>>,
    // The three challenges, rendered once.
    pub(super) missing: HeaderValue,
    pub(super) invalid_request: HeaderValue,
    pub(super) invalid_token: HeaderValue,
}

impl<C> Config<C> {
    pub(super) fn new(verifiers: Verifiers<C>) -> Self {
        let challenge = Challenge::default();
        Self {
            verifiers,
            optional: false,
            preflight: false,
            check: None,
            carried: None,
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
        let is_default = self.missing == Challenge::default().render(None);
        self.carried = (!is_default).then(|| Arc::new(self.missing.clone()));
        self.invalid_request = self.challenge.render(Some(ErrorCode::InvalidRequest));
        self.invalid_token = self.challenge.render(Some(ErrorCode::InvalidToken));
    }

    /// The mistake, where a rejected request asks for the document that the challenge names.
    #[cold]
    pub(super) fn hides_document(&self, uri: &Uri) -> Option<Rejection> {
        let url = self.challenge.resource_metadata.as_ref()?;
        url.is_hidden_from(uri).then(|| {
            Rejection::wiring(
                "ResourceMetadata must stand outside of BearerAuthLayer: clients ask for the document before they \
                 have a token. Put it first in a ServiceBuilder, or with axum .merge(document.routes()) behind the \
                 bearer layer",
            )
        })
    }

    /// Returns the mark for a request that passes without credentials.
    pub(super) fn anonymous(&self) -> Anonymous {
        Anonymous {
            challenge: self.missing.clone(),
        }
    }
}

// By hand, because a derive would ask for `C: Clone`.
impl<C> Clone for Config<C> {
    fn clone(&self) -> Self {
        Self {
            verifiers: self.verifiers.clone(),
            optional: self.optional,
            preflight: self.preflight,
            check: self.check.clone(),
            challenge: self.challenge.clone(),
            carried: self.carried.clone(),
            missing: self.missing.clone(),
            invalid_request: self.invalid_request.clone(),
            invalid_token: self.invalid_token.clone(),
        }
    }
}

impl<C> fmt::Debug for Config<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            verifiers,
            optional,
            preflight,
            check,
            challenge,
            carried: _,
            missing: _,
            invalid_request: _,
            invalid_token: _,
        } = self;
        f.debug_struct("Config")
            .field("verifiers", verifiers)
            .field("optional", optional)
            .field("preflight", preflight)
            .field("check", &check.as_ref().map(|_| "<fn>"))
            .field("challenge", challenge)
            .finish()
    }
}

//! From a [`Rejection`] to the problem that a client sees.

use super::{Rejection, RejectionKind};
use crate::problem::Problem;

impl Rejection {
    /// Returns the refusal as the client sees it, with a coarse `code` that does not change. A mistake in the wiring
    /// (500) has its text as `detail`. The developer who tries the route has no other hint. It tells an attacker
    /// nothing. To answer with it, take [`response`](Self::response), which has the challenge as well.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let (code, title) = match self.kind {
            RejectionKind::ContentTooLarge => ("too_large", "The form is too long"),
            RejectionKind::CsrfFailed => ("csrf", "The CSRF token is missing or wrong"),
            RejectionKind::Forbidden => ("forbidden", "The access token does not allow this"),
            RejectionKind::ForeignOrigin => ("foreign_origin", "The page may not do this here"),
            RejectionKind::InsecureTransport => ("https_required", "This needs https"),
            RejectionKind::InsufficientScope => {
                ("insufficient_scope", "The access token does not cover this")
            }
            RejectionKind::InsufficientUserAuthentication => (
                "insufficient_user_authentication",
                "Authenticate again to do this",
            ),
            RejectionKind::Internal if self.wiring => {
                ("layer_missing", "The application is wired wrongly")
            }
            RejectionKind::Internal => ("internal", "The server is at fault"),
            RejectionKind::InvalidRequest => {
                ("invalid_request", "The credentials are not understood")
            }
            RejectionKind::InvalidToken => ("invalid_token", "The access token is not valid"),
            RejectionKind::MissingCredentials => ("missing_token", "An access token is needed"),
            RejectionKind::Unavailable => ("unavailable", "This cannot be decided for now"),
        };
        let problem = Problem::new(self.status(), code, title);
        match (self.wiring, self.max_age()) {
            (true, _) => problem.with_detail(self.reason.clone()),
            (false, Some(max_age)) => problem.with_max_age(max_age),
            (false, None) => problem,
        }
    }
}

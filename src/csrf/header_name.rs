//! Which header can carry the token.

use http::HeaderName;

use crate::{config::ConfigError, header_owner::HeaderOwner};

/// Rejects a header that proves nothing about the sending page, or that is altered on the way.
pub(super) fn check(name: &HeaderName) -> Result<(), ConfigError> {
    let reason = match HeaderOwner::of(name) {
        None => return Ok(()),
        Some(HeaderOwner::AnyPage) => "pages of other sites send it without a preflight",
        Some(HeaderOwner::Browser) => "browsers let no script set it",
        Some(HeaderOwner::Client) => "it has a meaning of its own, and clients fill it in",
        Some(HeaderOwner::Proxy) => "proxies write it",
    };
    Err(ConfigError::new(
        "header_name",
        format!("must not be {name}: {reason}; take a header of its own, such as x-csrf-token"),
    ))
}

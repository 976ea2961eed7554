//! The settings of `OriginGuardLayer`.

use std::fmt;

use super::origin::Origin;

/// The settings of `OriginGuardLayer`.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) origins: Origins,
    pub(super) missing: MissingOrigin,
    pub(super) method_override: bool,
    pub(super) report_only: bool,
}

/// Whose requests pass.
#[derive(Clone)]
pub(super) enum Origins {
    /// Those of the listed origins.
    Listed(Box<[Origin]>),
    /// Those of the host that the request is sent to.
    Own,
}

impl Origins {
    /// Names in logs the part that a refused request lacks.
    pub(super) fn lacking(&self) -> &'static str {
        match self {
            Self::Listed(_) => {
                "the request does not come from a listed origin (see .origins, or OriginGuardLayer::new)"
            }
            Self::Own => {
                "neither Sec-Fetch-Site: same-origin nor the request's own Host shows that a page of this server \
                 sent it"
            }
        }
    }
}

/// Sets the answer to a request that names neither its origin nor its referrer. RFC 6454 section 7.3 lets a client
/// leave the header out.
///
/// ```
/// use tower_bearer::{OriginGuardLayer, origin::MissingOrigin};
///
/// // Client certificates show in no header, so that every request may carry credentials.
/// let guard = OriginGuardLayer::same_origin().missing_origin(MissingOrigin::Refuse);
/// # let _ = guard;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissingOrigin {
    /// Lets it through, with cookies too. Old browsers, and pages that strip their headers, then pass
    /// unguarded.
    DangerousAllow,
    /// Refuses it. This is for servers that take client certificates, or know their clients by their
    /// address: no header shows such credentials.
    Refuse,
    /// Refuses it if it carries a cookie, or an `Authorization` that a browser adds by itself.
    #[default]
    RefuseWithCredentials,
}

impl fmt::Debug for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(list) => f
                .debug_list()
                .entries(list.iter().map(Origin::as_str))
                .finish(),
            Self::Own => f.write_str("same origin"),
        }
    }
}

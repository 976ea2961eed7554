//! Why an origin was refused.

use std::{error::Error, fmt};

/// Why `OriginGuardLayer` refused a request. A client is told 403 and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OriginReason {
    /// `Sec-Fetch-Site` says that another site, or a sibling of this one, sent the request.
    CrossSite,
    /// No header says where the request comes from, and it carries ambient credentials.
    Missing,
    /// `Origin: null`, as sandboxed pages and local files send it.
    Null,
    /// `Origin`, `Sec-Fetch-Site` or `Referer` occurs more than once.
    Repeated,
    /// There is neither `Origin` nor a known `Sec-Fetch-Site`, and `Referer` is not of a listed
    /// origin.
    UnlistedReferer,
    /// `Origin` is not on the list, or is not written as browsers write it.
    UnlistedOrigin,
}

impl fmt::Display for OriginReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CrossSite => "the request comes from another site",
            Self::Missing => "nothing says where a request with credentials comes from",
            Self::Null => "the origin is opaque",
            Self::Repeated => "a header that occurs at most once is repeated",
            Self::UnlistedReferer => "the origin of the referrer is not listed",
            Self::UnlistedOrigin => "the origin is not listed",
        })
    }
}

impl Error for OriginReason {}

//! Why an origin or a CSRF token was refused.

use std::{error::Error, fmt};

/// Why `CsrfLayer` refused a request. A client only gets 403 (413 for a form that is too long).
///
/// ```
/// use http::HeaderMap;
/// use tower_bearer::{CsrfLayer, KeyRing, csrf::CsrfSession, rejection::CsrfReason};
///
/// let layer = CsrfLayer::builder(&KeyRing::generate()?).session(|_| CsrfSession::ANONYMOUS).build()?;
/// let reason = layer.verify(&HeaderMap::new(), &CsrfSession::ANONYMOUS).unwrap_err();
/// assert_eq!(reason, CsrfReason::CookieMissing);
/// # Ok::<(), tower_bearer::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CsrfReason {
    /// The form that should hold the token is longer than the limit.
    BodyTooLarge,
    /// Several cookies have the name of the CSRF cookie.
    CookieDuplicate,
    /// The cookie is not written as this crate writes it.
    CookieMalformed,
    /// There is no CSRF cookie.
    CookieMissing,
    /// The cookie was not made with a key of the ring for this session.
    SignatureInvalid,
    /// The token was submitted more than once.
    TokenDuplicate,
    /// The submitted token is not written as this crate writes it.
    TokenMalformed,
    /// The submitted token is not of this session. Before a sign-in, and where the cookies of several sessions
    /// came: it is not the one in the cookie.
    TokenMismatch,
    /// No token was submitted.
    TokenMissing,
    /// The handler that has to check the token has answered without
    /// [`CsrfToken::verify`](crate::CsrfToken::verify).
    Unverified,
}

impl CsrfReason {
    /// Returns the name in `snake_case`, for logs and labels of metrics. It does not change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body_too_large",
            Self::CookieDuplicate => "cookie_duplicate",
            Self::CookieMalformed => "cookie_malformed",
            Self::CookieMissing => "cookie_missing",
            Self::SignatureInvalid => "signature_invalid",
            Self::TokenDuplicate => "token_duplicate",
            Self::TokenMalformed => "token_malformed",
            Self::TokenMismatch => "token_mismatch",
            Self::TokenMissing => "token_missing",
            Self::Unverified => "unverified",
        }
    }
}

/// Why `OriginGuardLayer` refused a request. A client only gets 403.
///
/// ```
/// use tower_bearer::rejection::{OriginReason, Rejection};
///
/// /// A proxy that takes headers off, most likely.
/// fn is_the_proxy(rejection: &Rejection) -> bool {
///     rejection.origin_reason() == Some(OriginReason::Missing)
/// }
/// # let _ = is_the_proxy;
/// ```
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
    /// `Origin` is not on the list, or is not written as browsers write it.
    UnlistedOrigin,
    /// There is neither `Origin` nor a known `Sec-Fetch-Site`. `Referer` is not of a listed origin, or is missing
    /// beside an unknown `Sec-Fetch-Site`.
    UnlistedReferer,
}

impl OriginReason {
    /// Returns the name in `snake_case`, for logs and labels of metrics. It does not change.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CrossSite => "cross_site",
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Repeated => "repeated",
            Self::UnlistedOrigin => "unlisted_origin",
            Self::UnlistedReferer => "unlisted_referer",
        }
    }
}

impl fmt::Display for CsrfReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BodyTooLarge => "the form is longer than CsrfFormLayer::body_limit",
            Self::CookieDuplicate => "several cookies have the name of the CSRF cookie",
            Self::CookieMalformed => "the CSRF cookie is malformed",
            Self::CookieMissing => {
                "there is no CSRF cookie: the page has to ask for a token first, over https. A page of another \
                 origin fetches with `credentials: \"include\"`"
            },
            Self::SignatureInvalid => {
                "the CSRF cookie is not of this session: the page has to ask for a new token"
            },
            Self::TokenDuplicate => "the CSRF token was submitted more than once",
            Self::TokenMalformed => "the submitted CSRF token is malformed",
            Self::TokenMismatch => {
                "the submitted CSRF token is not the one in the cookie, nor another of the one session that came. \
                 The page has to ask for a new one"
            }
            Self::TokenMissing => {
                "no CSRF token was submitted. A script sends it in the header (x-csrf-token, unless \
                 CsrfBuilder::header_name names another). A form without files sends it in the field of \
                 CsrfFormLayer (with Auth, routes().form_field)"
            },
            Self::Unverified => "the handler did not call CsrfToken::verify",
        })
    }
}

impl Error for CsrfReason {}

impl fmt::Display for OriginReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CrossSite => {
                "Sec-Fetch-Site says that a page of another site, or of a sibling host, sent the request"
            },
            Self::Missing => {
                "nothing says where the request comes from: a program sends Origin, and proxies pass Origin, \
                 Sec-Fetch-Site and Referer on"
            },
            Self::Null => {
                "Origin is null, as that of a page in a sandbox or with Referrer-Policy: no-referrer"
            },
            Self::Repeated => "Origin, Sec-Fetch-Site or Referer occurs more than once",
            Self::UnlistedOrigin => "Origin is none that is let in; scheme and port count too",
            Self::UnlistedReferer => "there is no Origin, and no Referer of an origin that is let in",
        })
    }
}

impl Error for OriginReason {}

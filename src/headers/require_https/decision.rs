//! Whether a request came over TLS.

use http::{Extensions, HeaderMap};

use super::proxy_header::ProxyHeader;
use crate::{headers::scheme::ConnectionScheme, rejection::Rejection};

/// The only evidence about the transport that counts.
#[derive(Clone, Debug)]
pub(super) enum Evidence {
    /// The marker that the server's own code put into the extensions.
    Connection,
    /// A header that the proxy in front overwrites.
    Header(ProxyHeader),
}

/// The verdict from the evidence.
#[derive(Debug)]
pub(super) enum Verdict {
    Https,
    /// It says that the request came over plain http, which is the one case that a redirect helps.
    PlainHttp,
    /// It says nothing that can be relied on. Redirecting would send the clients of a proxy that
    /// does not set the header round and round.
    Refused(Rejection),
}

impl Evidence {
    pub(super) fn decide(&self, headers: &HeaderMap, extensions: &Extensions) -> Verdict {
        match self {
            Self::Connection => match extensions.get() {
                Some(ConnectionScheme::Https) => Verdict::Https,
                Some(ConnectionScheme::Http) => Verdict::PlainHttp,
                None => Verdict::Refused(Rejection::wiring(
                    "ConnectionScheme is missing: the server must put it into the extensions of \
                     the request, in front of RequireHttpsLayer",
                )),
            },
            Self::Header(header) => header.decide(headers),
        }
    }
}

//! Whether a request came over TLS.

use http::{Extensions, HeaderMap, HeaderName};

use crate::{
    headers::scheme::ConnectionScheme,
    rejection::{Rejection, RejectionKind},
};

/// What is believed about the transport, and nothing else is.
#[derive(Clone, Debug)]
pub(super) enum Evidence {
    /// The marker that the server's own code put into the extensions.
    Connection,
    /// A header that the proxy in front overwrites.
    Header(HeaderName),
}

/// What the evidence says.
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
            Self::Header(name) => by_header(name, headers),
        }
    }
}

fn by_header(name: &HeaderName, headers: &HeaderMap) -> Verdict {
    let mut lines = headers.get_all(name).iter();
    let unproven =
        |reason| Verdict::Refused(Rejection::new(RejectionKind::InsecureTransport, reason));
    let Some(value) = lines.next() else {
        return unproven("the header that names the transport is missing");
    };
    if lines.next().is_some() {
        // One of the lines may be the client's own.
        return unproven("the header that names the transport is repeated");
    }
    // Of what is trimmed here a header value can have space and tab alone.
    let value = value.as_bytes().trim_ascii();
    if value.eq_ignore_ascii_case(b"https") {
        Verdict::Https
    } else if value.eq_ignore_ascii_case(b"http") {
        Verdict::PlainHttp
    } else {
        unproven("the header that names the transport is neither http nor https")
    }
}

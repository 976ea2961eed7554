//! Refusals as gRPC clients understand them.

use http::{
    HeaderMap, HeaderValue, Response,
    header::{self, HeaderName},
};

use super::RejectionKind;

/// The answer is in gRPC, with this content type. It is one of ours, never a copy of what the
/// client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grpc {
    content_type: &'static str,
}

const PREFIX: &str = "application/grpc";
const WEB_PREFIX: &str = "application/grpc-web";

const KNOWN: [&str; 8] = [
    "application/grpc",
    "application/grpc+json",
    "application/grpc+proto",
    "application/grpc-web",
    "application/grpc-web+json",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
];

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

impl Grpc {
    /// How to answer a request with these headers, if it is a gRPC request.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::CONTENT_TYPE)?.as_bytes();
        if !starts_with(value, PREFIX) {
            return None;
        }
        let essence = value.split(|b| *b == b';').next().unwrap_or_default();
        let essence = essence.trim_ascii();
        let known = KNOWN
            .iter()
            .find(|known| essence.eq_ignore_ascii_case(known.as_bytes()));
        let content_type = match known {
            Some(known) => known,
            None if starts_with(value, WEB_PREFIX) => WEB_PREFIX,
            None => PREFIX,
        };
        Some(Self { content_type })
    }

    /// A trailers-only response: without a body, its status is in the headers
    /// (gRPC over HTTP/2, "Responses").
    pub(super) fn answer<B: Default>(self, kind: RejectionKind) -> Response<B> {
        let (code, message) = status(kind);
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.content_type),
        );
        headers.insert(STATUS, HeaderValue::from_static(code));
        headers.insert(MESSAGE, HeaderValue::from_static(message));
        if self.content_type.starts_with(WEB_PREFIX) {
            // A browser hides every header from gRPC-Web clients but those named here.
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("grpc-status, grpc-message"),
            );
        }
        response
    }
}

fn starts_with(value: &[u8], prefix: &str) -> bool {
    value
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// The status code and a message that needs no percent-encoding.
fn status(kind: RejectionKind) -> (&'static str, &'static str) {
    match kind {
        RejectionKind::ContentTooLarge => ("8", "content too large"),
        RejectionKind::CsrfFailed => ("7", "CSRF token missing or wrong"),
        RejectionKind::ForeignOrigin => ("7", "foreign origin"),
        RejectionKind::InsecureTransport => ("7", "insecure transport"),
        RejectionKind::InsufficientScope => ("7", "insufficient scope"),
        RejectionKind::Internal => ("13", "internal error"),
        RejectionKind::InvalidRequest => ("3", "invalid request"),
        RejectionKind::InvalidToken => ("16", "invalid token"),
        RejectionKind::MissingCredentials => ("16", "missing credentials"),
        RejectionKind::Unavailable => ("14", "temporarily unavailable"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(content_type: &[u8]) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_bytes(content_type).unwrap(),
        );
        Grpc::of(&headers).map(|grpc| grpc.content_type)
    }

    #[test]
    fn a_known_content_type_is_answered_in_kind() {
        for known in KNOWN {
            assert_eq!(of(known.as_bytes()), Some(known));
        }
        assert_eq!(
            of(b"Application/GRPC+Proto"),
            Some("application/grpc+proto")
        );
        assert_eq!(of(b"application/grpc; a=b"), Some("application/grpc"));
    }

    #[test]
    fn an_unknown_content_type_is_never_copied() {
        assert_eq!(of(b"application/grpc+\xff"), Some("application/grpc"));
        assert_eq!(of(b"application/grpc+<b>"), Some("application/grpc"));
        assert_eq!(of(b"application/grpc-web+x"), Some("application/grpc-web"));
    }

    #[test]
    fn other_requests_are_not_grpc() {
        assert_eq!(Grpc::of(&HeaderMap::new()), None);
        assert_eq!(of(b"application/json"), None);
        assert_eq!(of(b"application/grp"), None);
        assert_eq!(of(b""), None);
    }

    #[test]
    fn messages_need_no_percent_encoding() {
        use RejectionKind::*;
        for kind in [
            ContentTooLarge,
            CsrfFailed,
            ForeignOrigin,
            InsecureTransport,
            InsufficientScope,
            Internal,
            InvalidRequest,
            InvalidToken,
            MissingCredentials,
            Unavailable,
        ] {
            let (_, message) = status(kind);
            assert!(
                message
                    .bytes()
                    .all(|b| (0x20..0x7f).contains(&b) && b != b'%')
            );
        }
    }
}

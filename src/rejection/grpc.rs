//! Refusals as gRPC clients understand them.

use http::{
    HeaderValue, Response,
    header::{self, HeaderName},
};

use super::RejectionKind;

/// Says that a refusal of this request is answered in gRPC, with this content type.
///
/// `GrpcLayer` alone puts it into the extensions of a request, and the refusing layers read it there.
/// It is private to the crate, so that neither a client nor an application can write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GrpcMark {
    content_type: &'static str,
}

const WEB_PREFIX: &str = "application/grpc-web";

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

impl GrpcMark {
    /// The content type is a text of ours, never a copy of the client's.
    pub(crate) const fn new(content_type: &'static str) -> Self {
        Self { content_type }
    }

    /// Whether the client speaks gRPC-Web, which every version of HTTP carries.
    pub(crate) fn is_web(self) -> bool {
        self.content_type.starts_with(WEB_PREFIX)
    }

    /// A trailers-only response: without a body, its status is in the headers
    /// (gRPC over HTTP/2, "Responses").
    pub(crate) fn answer<B: Default>(self, kind: RejectionKind) -> Response<B> {
        let (code, message) = status(kind);
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.content_type),
        );
        headers.insert(STATUS, HeaderValue::from_static(code));
        headers.insert(MESSAGE, HeaderValue::from_static(message));
        if self.is_web() {
            // A browser hides every header from gRPC-Web clients but those named here.
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static("grpc-status, grpc-message"),
            );
        }
        response
    }
}

/// The status code and a message that needs no percent-encoding.
fn status(kind: RejectionKind) -> (&'static str, &'static str) {
    match kind {
        RejectionKind::ContentTooLarge => ("8", "content too large"),
        RejectionKind::CsrfFailed => ("7", "CSRF token missing or wrong"),
        RejectionKind::Forbidden => ("7", "forbidden"),
        RejectionKind::ForeignOrigin => ("7", "foreign origin"),
        RejectionKind::InsecureTransport => ("7", "insecure transport"),
        RejectionKind::InsufficientScope => ("7", "insufficient scope"),
        RejectionKind::InsufficientUserAuthentication => ("16", "insufficient user authentication"),
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

    #[test]
    fn messages_need_no_percent_encoding() {
        use RejectionKind::*;
        for kind in [
            ContentTooLarge,
            CsrfFailed,
            Forbidden,
            ForeignOrigin,
            InsecureTransport,
            InsufficientScope,
            InsufficientUserAuthentication,
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

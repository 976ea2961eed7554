//! Whether a request is gRPC.

use http::{Method, Request, Version, header};

use crate::rejection::GrpcMark;

/// The content types of gRPC and gRPC-Web clients, letter for letter.
///
/// The list is closed on purpose. A client of any kind may send any content type. The answer to a refused gRPC
/// request is HTTP 200. Any other spelling (capitals, parameters, another message format) is refused with the plain
/// status instead. gRPC clients map 401, 403 and 503 to codes themselves ("HTTP to gRPC Status Code Mapping").
const CONTENT_TYPES: [&str; 9] = [
    "application/grpc",
    "application/grpc+json",
    "application/grpc+proto",
    "application/grpc-web",
    "application/grpc-web+json",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/grpc-web-text+json",
    "application/grpc-web-text+proto",
];

/// The mark of a gRPC request, `None` for every other one.
pub(super) fn mark<B>(request: &Request<B>) -> Option<GrpcMark> {
    if request.method() != Method::POST {
        return None;
    }
    let mut lines = request.headers().get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let known = CONTENT_TYPES.iter().find(|known| line == **known)?;
    let mark = GrpcMark::new(known);
    // gRPC itself needs the trailers and streams of HTTP/2.
    (mark.is_web() || request.version() >= Version::HTTP_2).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_marked(version: Version, content_type: &str) -> bool {
        let request = Request::post("/")
            .version(version)
            .header(header::CONTENT_TYPE, content_type);
        mark(&request.body(()).unwrap()).is_some()
    }

    #[test]
    fn the_list_is_three_types_in_three_forms() {
        let types = [
            "application/grpc",
            "application/grpc-web",
            "application/grpc-web-text",
        ];
        let listed = types.map(|t| ["", "+json", "+proto"].map(|format| format!("{t}{format}")));
        assert_eq!(CONTENT_TYPES.as_slice(), listed.concat());
    }

    #[test]
    fn grpc_itself_needs_http_2() {
        for known in CONTENT_TYPES {
            assert!(is_marked(Version::HTTP_2, known), "{known}");
            let web = known.starts_with("application/grpc-web");
            assert_eq!(is_marked(Version::HTTP_11, known), web, "{known}");
        }
    }
}

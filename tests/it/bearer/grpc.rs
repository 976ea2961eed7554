//! Refusals of gRPC requests, as the headers say them and as tonic reads them.

use std::convert::Infallible;

use http::{Request, Response, StatusCode, header};
use tonic::{
    Code, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};
use tower::{Layer, service_fn};
use tower_bearer::{BearerAuthLayer, CheckError, NoClaims, Rejection, RequireScopeLayer};

use super::{bare, layer, send};
use crate::support::tokens::{Scoped, codec, scoped_token, token, with_token};

fn grpc(mut request: Request<String>, content_type: &str) -> Request<String> {
    request
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type.parse().unwrap());
    request
}

async fn code(layer: BearerAuthLayer, request: Request<String>) -> Code {
    let (response, echo) = send(layer, request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(echo.calls(), 0);
    assert_eq!(response.body(), "");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert!(response.extensions().get::<Rejection>().is_some());
    Status::from_header_map(response.headers()).unwrap().code()
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    let grpc = |request| grpc(request, "application/grpc");
    assert_eq!(code(layer(), grpc(bare())).await, Code::Unauthenticated);
    assert_eq!(
        code(layer(), grpc(with_token("junk"))).await,
        Code::Unauthenticated
    );
    assert_eq!(
        code(layer(), grpc(with_token(""))).await,
        Code::InvalidArgument
    );
    for (error, expected) in [
        (CheckError::Revoked, Code::Unauthenticated),
        (CheckError::Unavailable, Code::Unavailable),
        (CheckError::Internal, Code::Internal),
    ] {
        let layer = layer().check(move |_| Err(error));
        assert_eq!(code(layer, grpc(with_token(&token()))).await, expected);
    }
}

#[tokio::test]
async fn the_answer_is_of_the_requests_kind() {
    for (sent, expected, web) in [
        ("application/grpc", "application/grpc", false),
        ("application/grpc+proto", "application/grpc+proto", false),
        (
            "application/grpc-web+proto",
            "application/grpc-web+proto",
            true,
        ),
        (
            "application/grpc-web-text",
            "application/grpc-web-text",
            true,
        ),
        ("application/grpc+made-up", "application/grpc", false),
    ] {
        let (response, _) = send(layer(), grpc(bare(), sent)).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], expected);
        let exposed = response
            .headers()
            .get(header::ACCESS_CONTROL_EXPOSE_HEADERS);
        assert_eq!(
            exposed.is_some_and(|v| v == "grpc-status, grpc-message"),
            web
        );
    }
    let (response, _) = send(layer(), grpc(bare(), "application/json")).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

/// Messages are bytes as they come.
#[derive(Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = bytes::Buf::remaining(buffer);
        Ok(Some(bytes::Buf::copy_to_bytes(buffer, length).to_vec()))
    }
}

/// The code of a bidirectional stream that tonic opens with `token`, as its *call* returns it: a
/// plain 401 would look like a stream that was opened.
async fn stream(token: Option<String>) -> Code {
    let never =
        service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
    let service = tower::ServiceBuilder::new()
        .layer(BearerAuthLayer::<Scoped>::new(codec()))
        .layer(RequireScopeLayer::new("admin".parse().unwrap()))
        .service(never);
    let mut client = tonic::client::Grpc::new(service);
    client.ready().await.unwrap();
    let messages = futures_util::stream::iter([vec![1], vec![2]]);
    let mut request = tonic::Request::new(messages);
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    let path = http::uri::PathAndQuery::from_static("/chat.Chat/Talk");
    match client.streaming(request, path, Raw).await {
        Ok(_) => Code::Ok,
        Err(status) => status.code(),
    }
}

#[tokio::test]
async fn tonic_sees_the_refusal_of_a_stream_at_once() {
    assert_eq!(stream(None).await, Code::Unauthenticated);
    assert_eq!(stream(Some("junk".to_owned())).await, Code::Unauthenticated);
    assert_eq!(
        stream(Some(scoped_token("read"))).await,
        Code::PermissionDenied
    );
}

#[tokio::test]
async fn a_good_stream_passes() {
    let open = service_fn(|_: Request<Body>| async {
        let response = Response::builder().header("content-type", "application/grpc");
        Ok::<_, Infallible>(
            response
                .header("grpc-status", "0")
                .body(Body::empty())
                .unwrap(),
        )
    });
    let mut service = BearerAuthLayer::<NoClaims>::new(codec()).layer(open);
    let request = grpc(with_token(&token()), "application/grpc").map(|_| Body::empty());
    let response = tower::Service::call(&mut service, request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "0");
}

//! Refusals of gRPC requests, as the headers say them and as tonic reads them.

use std::convert::Infallible;

use http::{
    HeaderValue, Method, Request, Response, StatusCode, Version, header, uri::PathAndQuery,
};
use tonic::{
    Code, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};
use tower::{Layer, ServiceExt, service_fn, util::UnsyncBoxService};
use tower_bearer::{
    BearerAuthLayer, GrpcLayer, NoClaims, RequireScopeLayer, bearer::CheckError,
    rejection::Rejection,
};

use super::{bare, layer};
use crate::support::{
    echo::Echo,
    tokens::{Scoped, codec, scoped_token, token, with_token},
};

/// A gRPC call with these credentials.
fn call(request: Request<String>) -> Request<String> {
    let (mut parts, body) = request.into_parts();
    parts.method = Method::POST;
    parts.version = Version::HTTP_2;
    let grpc = HeaderValue::from_static("application/grpc");
    parts.headers.insert(header::CONTENT_TYPE, grpc);
    Request::from_parts(parts, body)
}

async fn code(layer: BearerAuthLayer, request: Request<String>) -> Code {
    let echo = Echo::default();
    let service = GrpcLayer::new().layer(layer.layer(echo.clone()));
    let response = service.oneshot(call(request)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(echo.calls(), 0);
    assert_eq!(response.body(), "");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert!(response.extensions().get::<Rejection>().is_some());
    Status::from_header_map(response.headers()).unwrap().code()
}

#[tokio::test]
async fn every_refusal_has_its_code() {
    assert_eq!(code(layer(), bare()).await, Code::Unauthenticated);
    assert_eq!(
        code(layer(), with_token("junk")).await,
        Code::Unauthenticated
    );
    assert_eq!(code(layer(), with_token("")).await, Code::InvalidArgument);
    for (error, expected) in [
        (CheckError::Revoked, Code::Unauthenticated),
        (CheckError::Unavailable, Code::Unavailable),
        (CheckError::Internal, Code::Internal),
    ] {
        let layer = layer().check(move |_| Err(error));
        assert_eq!(code(layer, with_token(&token())).await, expected);
    }
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

type Service = UnsyncBoxService<Request<Body>, Response<Body>, Infallible>;

/// A service that wants the scope `admin`, with or without `GrpcLayer` outside.
fn service(with_layer: bool) -> Service {
    let never =
        service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
    let service = tower::ServiceBuilder::new()
        .option_layer(with_layer.then(GrpcLayer::new))
        .layer(BearerAuthLayer::<Scoped>::new(codec()))
        .layer(RequireScopeLayer::new("admin".parse().unwrap()))
        .service(never);
    UnsyncBoxService::new(service)
}

fn with<T>(token: Option<&str>, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

const PATH: PathAndQuery = PathAndQuery::from_static("/chat.Chat/Talk");

/// Returns the codes that tonic's client reads for a call and for a bidirectional stream with `token`. They are that of
/// the call, that of the opened stream, and that of the stream's first message.
async fn codes(with_layer: bool, token: Option<&str>) -> [Code; 3] {
    let of = |error: Status| error.code();
    let mut client = tonic::client::Grpc::new(service(with_layer));
    client.ready().await.unwrap();
    let unary = client.unary(with(token, vec![1]), PATH, Raw).await;

    let mut client = tonic::client::Grpc::new(service(with_layer));
    client.ready().await.unwrap();
    let messages = futures_util::stream::iter([vec![1], vec![2]]);
    let stream = client.streaming(with(token, messages), PATH, Raw).await;
    let (opened, message) = match stream {
        Err(status) => (status.code(), status.code()),
        Ok(stream) => {
            let message = stream.into_inner().message().await;
            (Code::Ok, message.map_or_else(of, |_| Code::Ok))
        }
    };
    [unary.map_or_else(of, |_| Code::Ok), opened, message]
}

/// The call itself fails, and the stream when it is opened.
#[tokio::test]
async fn tonic_reads_the_codes_at_once() {
    let read = scoped_token("read");
    for (token, code) in [
        (None, Code::Unauthenticated),
        (Some("junk"), Code::Unauthenticated),
        (Some("a b"), Code::InvalidArgument),
        (Some(&*read), Code::PermissionDenied),
    ] {
        assert_eq!(codes(true, token).await, [code; 3], "{token:?}");
    }
}

/// Without the layer a refusal is a plain status. tonic maps it, and sees that of a stream with its
/// first message only.
#[tokio::test]
async fn without_the_layer_tonic_maps_the_status() {
    let read = scoped_token("read");
    for (token, code) in [
        (None, Code::Unauthenticated),
        (Some("junk"), Code::Unauthenticated),
        (Some("a b"), Code::Internal),
        (Some(&*read), Code::PermissionDenied),
    ] {
        let codes = codes(false, token).await;
        assert_eq!(codes, [code, Code::Ok, code], "{token:?}");
    }
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
    let service = GrpcLayer::new().layer(BearerAuthLayer::<NoClaims>::new(codec()).layer(open));
    let request = call(with_token(&token())).map(|_| Body::empty());
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "0");
}

//! gRPC: every code as the example's client gets it, and the answers themselves.

use http::{Method, Version};

use crate::support::{Browser, Ended, LOCAL, Program, example, keys};

type Keys = Vec<(String, String)>;

async fn start(keys: Keys) -> Program {
    let mut command = example("tonic");
    Program::start(command.envs(keys).env("ADDR", LOCAL), "Open ").await
}

/// The client, in a process of its own.
async fn check(service: &Program, keys: Keys) -> Ended {
    let mut command = example("tonic");
    command.envs(keys).args(["check", &service.url(0)]);
    Program::spawn(&mut command).ends().await
}

#[tokio::test]
async fn every_code() {
    let keys = keys();
    let service = start(keys.clone()).await;
    let client = check(&service, keys).await;
    assert!(client.success, "{client:?}");
    assert_eq!(
        client.out,
        "\
no token: unary Unauthenticated, stream Unauthenticated
no JWT: unary Unauthenticated, stream Unauthenticated
foreign keys: unary Unauthenticated, stream Unauthenticated
a malformed header: unary InvalidArgument, stream InvalidArgument
another scope: unary PermissionDenied, stream PermissionDenied
the right scope: unary Ok, stream Ok
the right scope: 2 messages
"
    );
    // The claims got through to the service, once for each kind of call.
    let out = service.out();
    let mentions = out.lines().filter(|line| line.starts_with("user-1 "));
    assert_eq!(mentions.count(), 2);
    service.stops().await;
}

#[tokio::test]
async fn a_server_with_other_keys() {
    let service = start(keys()).await;
    let client = check(&service, keys()).await;
    // The client does not take it for one that works.
    assert!(!client.success, "{client:?}");
    let refused = "the right scope: unary Unauthenticated, stream Unauthenticated";
    assert!(client.out.contains(refused), "{client:?}");
}

/// On the wire a refusal is an answer of gRPC with the status in its head, and nothing after it.
#[tokio::test]
async fn a_refusal_on_the_wire() {
    let service = start(keys()).await;
    let mut client = Browser::new(service.url(0));
    for call in ["Check", "Watch"] {
        let answer = client
            .post(&format!("/grpc.health.v1.Health/{call}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .http2()
            .await;
        answer
            .is(200)
            .has("grpc-status", "16")
            .has("content-type", "application/grpc")
            .has("cache-control", "no-store")
            .says_just("");
        assert_eq!(answer.version, Version::HTTP_2);
    }
}

#[tokio::test]
async fn requests_that_no_client_of_grpc_sends_are_refused_with_the_plain_status() {
    let service = start(keys()).await;
    let mut client = Browser::new(service.url(0));
    for (method, content_type) in [
        (Method::GET, "application/grpc"),
        (Method::HEAD, "application/grpc"),
        (Method::POST, "application/grpcfoo"),
        (Method::POST, "text/plain"),
    ] {
        let answer = client
            .ask(method, "/grpc.health.v1.Health/Check")
            .header("content-type", content_type)
            .http2()
            .await;
        answer.is(401);
        assert_eq!(answer.version, Version::HTTP_2);
    }
}

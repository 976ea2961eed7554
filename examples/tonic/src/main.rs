//! gRPC: unary and streaming calls behind the bearer layer, and a client that sees every refusal.
//!
//! ```sh
//! export $(cargo run -q -p keygen)     # the issuer of tokens and this service share keys
//! cargo run -p example-tonic &
//! cargo run -p example-tonic -- check http://127.0.0.1:50051
//! ```
//!
//! The second command is a client in a process of its own. It calls with no token, with bad ones and with good ones,
//! and prints each code. It ends with an error when one is not as expected.
//!
//! Behind `GrpcLayer` a refusal is a gRPC answer. A plain 401, a client would take for a stream that was
//! opened, until its first message.
//! The service is the health service of `tonic-health`, since building it needs no `protoc`.
//!
//! Settings: the keys as `KeyRing` reads them, and `ADDR`, which is optional.

use std::{env, pin::Pin};

use futures_util::{Stream, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tonic::{
    Code, Request, Response, Status,
    transport::{Endpoint, Server, server::TcpIncoming},
};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_client::HealthClient,
    health_server::{Health, HealthServer},
};
use tower_bearer::{BearerAuthLayer, Claims, GrpcLayer, KeyRing, RequireScopeLayer, TokenCodec};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The claims of the tokens beyond their subject: the uses that they allow.
#[derive(Serialize, Deserialize)]
struct Scoped {
    scope: String,
}

struct Service;

/// The caller: the layer has verified the token, and tonic passes its claims on.
fn caller(request: &Request<HealthCheckRequest>) -> Result<Claims<Scoped>, Status> {
    // Fails only when the layer is missing.
    Claims::from_extensions(request.extensions())
        .map_err(|error| Status::internal(error.to_string()))
}

fn serving() -> HealthCheckResponse {
    HealthCheckResponse {
        status: ServingStatus::Serving.into(),
    }
}

#[tonic::async_trait]
impl Health for Service {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        println!("{} asks", caller(&request)?.subject());
        Ok(Response::new(serving()))
    }

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        println!("{} watches", caller(&request)?.subject());
        Ok(Response::new(Box::pin(stream::iter([
            Ok(serving()),
            Ok(serving()),
        ]))))
    }
}

async fn serve(codec: TokenCodec<Scoped>) -> Result<(), Error> {
    let addr = env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:50051".into());
    let listener = TcpListener::bind(addr).await?;
    println!("Open http://{} with the client.", listener.local_addr()?);
    Server::builder()
        // Outside of all guards: it tells them which requests are gRPC.
        .layer(GrpcLayer::new())
        .layer(BearerAuthLayer::new(codec))
        // Inside of it: the scopes are among the claims that it has verified.
        .layer(RequireScopeLayer::new("health:read".parse()?))
        .add_service(HealthServer::new(Service))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async {
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

fn request(authorization: Option<&str>) -> Result<Request<HealthCheckRequest>, Error> {
    let mut request = Request::new(HealthCheckRequest::default());
    if let Some(value) = authorization {
        request
            .metadata_mut()
            .insert("authorization", value.parse()?);
    }
    Ok(request)
}

/// A token of the issuer, as the header has it.
fn bearer(codec: &TokenCodec<Scoped>, scope: &str) -> Result<String, Error> {
    let scope = scope.to_owned();
    let token = codec.mint("user-1", &Scoped { scope })?;
    Ok(format!("Bearer {}", token.as_str()))
}

async fn check(codec: &TokenCodec<Scoped>, server: String) -> Result<(), Error> {
    let channel = Endpoint::try_from(server)?.connect().await?;
    let mut client = HealthClient::new(channel);
    let reader = bearer(codec, "health:read")?;
    let writer = bearer(codec, "health:write")?;
    let stranger = bearer(&self::codec(&KeyRing::generate()?)?, "health:read")?;
    let mut wrong = 0;
    for (what, authorization, expected) in [
        ("no token", None, Code::Unauthenticated),
        ("no JWT", Some("Bearer junk"), Code::Unauthenticated),
        ("foreign keys", Some(&*stranger), Code::Unauthenticated),
        (
            "a malformed header",
            Some("Bearer a b"),
            Code::InvalidArgument,
        ),
        ("another scope", Some(&*writer), Code::PermissionDenied),
        ("the right scope", Some(&*reader), Code::Ok),
    ] {
        let unary = client.check(request(authorization)?).await;
        // It is the call that fails, not the first message.
        let stream = client.watch(request(authorization)?).await;
        let [unary, opened] = [unary.err(), stream.as_ref().err().cloned()]
            .map(|refused| refused.map_or(Code::Ok, |status| status.code()));
        println!("{what}: unary {unary:?}, stream {opened:?}");
        wrong += usize::from([unary, opened] != [expected; 2]);
        if let Ok(stream) = stream {
            let messages: Vec<_> = stream.into_inner().try_collect().await?;
            println!("{what}: {} messages", messages.len());
            wrong += usize::from(messages != [serving(), serving()]);
        }
    }
    match wrong {
        0 => Ok(()),
        _ => Err(format!("{wrong} answers are not what they ought to be").into()),
    }
}

fn codec(keys: &KeyRing) -> Result<TokenCodec<Scoped>, Error> {
    Ok(TokenCodec::nested(keys)
        .issuer("https://id.example")
        .audience("tonic")
        .build()?)
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let codec = codec(&KeyRing::from_env()?)?;
    let args: Vec<String> = env::args().skip(1).collect();
    match &args[..] {
        [] => serve(codec).await,
        [check, server] if check == "check" => self::check(&codec, server.clone()).await,
        _ => Err("usage: tonic [check URL]".into()),
    }
}

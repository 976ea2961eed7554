//! Forward authentication: nginx asks this service before it serves a page, and serves it to good tokens only.
//!
//! ```sh
//! export $(cargo run -q -p keygen)     # the issuer of the tokens and this service share keys
//! cargo run -p forward_auth &
//! nginx -p "$(mktemp -d)" -e stderr -c "$PWD/examples/forward_auth/nginx.conf" &
//! curl -i http://127.0.0.1:8000/              # 401
//! token=$(cargo run -q -p forward_auth -- token alice)
//! curl -i -H "Authorization: Bearer $token" http://127.0.0.1:8000/
//! ```
//!
//! As root, put `user root;` first in that file: nginx gives its own user up, which cannot enter the folder.
//!
//! The page knows its reader by the header `X-Auth-Subject`. It has no layer of its own, and so listens where only the
//! proxy can reach it. The proxy replaces an `X-Auth-Subject` that a client sends.
//!
//! A proxy reads the status and nothing else. So the layers here are those for HTTP. Without `GrpcLayer` a refusal is a
//! 4xx or 5xx whatever `Content-Type` the client sends. nginx passes on 401 and 403 as they are. It answers 500 where
//! this service answers 400, for example to `Authorization: Bearer a b`.
//!
//! The manual's chapter `native` has the same for Traefik and Caddy, and the reasons.
//!
//! Settings: the keys as `KeyRing` reads them, and `CHECK_ADDR` and `PAGE_ADDR`, which are optional.

use std::env;

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode},
    response::IntoResponse,
    routing::any,
};
use tokio::net::TcpListener;
use tower_bearer::{BearerAuthLayer, Claims, KeyRing, NoClaims, TokenCodec};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Answers the proxy. The layer has refused every bad token before.
async fn check(claims: Claims) -> Result<impl IntoResponse, StatusCode> {
    // A name that does not fit into a header is refused, and not shortened to another one.
    let subject = HeaderValue::from_str(claims.subject()).map_err(|_| StatusCode::FORBIDDEN)?;
    Ok((StatusCode::NO_CONTENT, [("x-auth-subject", subject)]))
}

/// The page behind the proxy.
async fn payroll(headers: HeaderMap) -> Result<String, StatusCode> {
    let subject = headers.get("x-auth-subject").map(HeaderValue::to_str);
    let Some(Ok(subject)) = subject else {
        return Err(StatusCode::UNAUTHORIZED);
    };
    Ok(format!("Payroll for {subject}\n"))
}

async fn serve(codec: TokenCodec) -> Result<(), Error> {
    // The proxy may ask with the client's own method.
    let check = Router::new()
        .route("/check", any(check))
        .route_layer(BearerAuthLayer::new(codec));
    let page = Router::new().fallback(payroll);

    let for_check = TcpListener::bind(setting("CHECK_ADDR", "127.0.0.1:3000")).await?;
    let for_page = TcpListener::bind(setting("PAGE_ADDR", "127.0.0.1:8080")).await?;
    println!("Open http://{} as the proxy.", for_check.local_addr()?);
    println!("Open http://{} for the page.", for_page.local_addr()?);
    tokio::try_join!(async { axum::serve(for_check, check).await }, async {
        axum::serve(for_page, page).await
    },)?;
    Ok(())
}

fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.into())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let codec = TokenCodec::signed(&KeyRing::from_env()?)
        .issuer("https://id.example")
        .audience("payroll")
        .build()?;
    let args: Vec<String> = env::args().skip(1).collect();
    match &args[..] {
        [] => serve(codec).await,
        [token, subject] if token == "token" => {
            println!("{}", codec.mint(subject, &NoClaims {})?.as_str());
            Ok(())
        }
        _ => Err("usage: forward_auth [token SUBJECT]".into()),
    }
}

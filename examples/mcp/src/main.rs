//! A server of the Model Context Protocol. Its clients need only its URL: they learn from it where to get a token (RFC
//! 9728). The authorization server is a toy in the same program.
//!
//! ```sh
//! cargo run -p mcp &
//! cargo run -p mcp -- walk    # a client that finds its way, and says each step
//! ```
//!
//! The same with curl:
//!
//! ```sh
//! call='{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_note","arguments":{"text":"milk"}}}'
//! curl -i http://127.0.0.1:3000/mcp -H 'Content-Type: application/json' -d "$call"    # 401, and where to look
//! curl http://127.0.0.1:3000/.well-known/oauth-protected-resource/mcp                 # whom to ask
//! curl http://127.0.0.1:3001/.well-known/oauth-authorization-server                   # how to ask there
//! token=$(curl -s -u demo-client:demo-secret -d grant_type=client_credentials -d scope=notes:write \
//!   -d resource=http://127.0.0.1:3000/mcp http://127.0.0.1:3001/token | cut -d '"' -f 4)
//! curl -i http://127.0.0.1:3000/mcp -H 'Content-Type: application/json' -H "Authorization: Bearer $token" -d "$call"
//! ```
//!
//! `server.rs` is the part to copy. All settings are optional. `ADDR` and `ISSUER_ADDR` are the addresses of the two
//! servers. `SERVER` is the URL that the client is given. `PUBLIC_URL` is the address in front of `/mcp` where a proxy
//! has another one:
//!
//! ```sh
//! PUBLIC_URL=https://api.example/notes cargo run -p mcp    # the lines for nginx: documentation of `resource`
//! ```

mod authorization_server;
mod client;
mod server;

use std::env;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tower_bearer::resource::ResourceMetadata;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The claims that the authorization server writes into a token beside the registered ones (RFC 9068 section 2.2).
#[derive(Serialize, Deserialize)]
struct Granted {
    scope: String,
    client_id: String,
}

const SCOPES: [&str; 2] = ["notes:read", "notes:write"];

async fn serve(addr: &str, issuer_addr: &str, public_url: Option<String>) -> Result<(), Error> {
    let (listener, issuer_listener) = (
        TcpListener::bind(addr).await?,
        TcpListener::bind(issuer_addr).await?,
    );
    let own = format!("http://{}", listener.local_addr()?);
    let server = public_url.unwrap_or(own);
    let server = server.trim_end_matches('/');
    let issuer = format!("http://{}", issuer_listener.local_addr()?);
    let document = ResourceMetadata::builder(format!("{server}/mcp"))
        .authorization_server(&issuer)
        .scopes(SCOPES)
        .name("Notes")
        .build()?;
    let issuing = authorization_server::app(&issuer, document.resource())?;
    let app = server::app(&document, &issuer)?;
    println!("Open {server}/mcp with a client.");
    println!("Open {issuer} for its authorization server.");
    tokio::try_join!(
        async { axum::serve(issuer_listener, issuing).await },
        async { axum::serve(listener, app).await },
    )?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let setting = |name, default: &str| env::var(name).unwrap_or_else(|_| default.into());
    match env::args().nth(1).as_deref() {
        None => {
            let issuer = setting("ISSUER_ADDR", "127.0.0.1:3001");
            let public_url = env::var("PUBLIC_URL").ok();
            serve(&setting("ADDR", "127.0.0.1:3000"), &issuer, public_url).await
        }
        Some("walk") => client::walk(&setting("SERVER", "http://127.0.0.1:3000/mcp")).await,
        Some(_) => Err("usage: mcp [walk]".into()),
    }
}
